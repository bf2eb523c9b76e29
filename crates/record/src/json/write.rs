//! Writing JSON without white space.

use super::parse::plain_end;
use super::{Doc, HAS_KEY, Tag, Value};

/// Appends the value without white space between its parts; strings, keys and numbers as they were written.
pub fn write_compact(value: Value<'_>, out: &mut Vec<u8>) {
    if value.doc.is_compact {
        out.extend_from_slice(value.raw());
    } else {
        write_node(value.doc, value.at, out);
    }
}

/// Writes the node at `at`, without its key, and gives the index after its subtree.
fn write_node(doc: &Doc<'_>, at: u32, out: &mut Vec<u8>) -> u32 {
    let node = &doc.nodes[at as usize];
    let (open, close) = match node.tag {
        Tag::Object => (b'{', b'}'),
        Tag::Array => (b'[', b']'),
        _ => {
            out.extend_from_slice(&doc.text.as_bytes()[node.start as usize..node.end as usize]);
            return at + 1;
        }
    };
    out.push(open);
    let mut child = at + 1;
    while child < node.next {
        if child != at + 1 {
            out.push(b',');
        }
        let child_node = &doc.nodes[child as usize];
        if child_node.flags & HAS_KEY != 0 {
            out.push(b'"');
            out.extend_from_slice(doc.key_written(child_node).as_bytes());
            out.extend_from_slice(b"\":");
        }
        child = write_node(doc, child, out);
    }
    out.push(close);
    node.next
}

/// Appends a string with its quotes, escaping what JSON requires and nothing else.
pub fn write_string(s: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = s.as_bytes();
    let mut plain_from = 0;
    loop {
        let at = plain_end(bytes, plain_from);
        out.extend_from_slice(&bytes[plain_from..at]);
        let Some(&b) = bytes.get(at) else { break };
        plain_from = at + 1;
        match b {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(b >> 4)]);
                out.push(HEX[usize::from(b & 15)]);
            }
        }
    }
    out.push(b'"');
}
