//! JSON as a flat tape over its source bytes.
//!
//! [`Doc::parse`] reads a document once, strictly (RFC 8259, and no duplicate keys), and keeps one small
//! [`Node`] per value. Nothing is converted: a number is the text that was written (`1.50` stays `1.50`), a string
//! is a slice of the source unless it holds escapes. A [`Value`] is a `Copy` handle to one node; stepping over a
//! whole subtree takes one addition, because every container knows where the next sibling lies.
//!
//! This module does not know FHIR. It allocates for the tape, and for strings with escapes, and for nothing else.

mod error;
mod parse;
mod write;

#[cfg(test)]
mod tests;

pub use error::{Fault, JsonError};
pub use write::{write_compact, write_string};

/// The deepest nesting of objects and arrays that is accepted. The outermost container is at depth 1.
pub const DEPTH_MAX: usize = 64;
/// The longest number, in characters, that is accepted.
pub const NUMBER_LEN_MAX: usize = 64;
/// The largest exponent of a number, in either direction, that is accepted.
pub const EXPONENT_MAX: u32 = 999;

/// A parsed document: the tape, over the source that it was read from.
///
/// ```
/// let doc = record::json::Doc::parse(br#"{"resourceType":"Observation","value":1.50}"#).unwrap();
/// let root = doc.root();
/// assert_eq!(root.get("resourceType").and_then(|v| v.as_str()), Some("Observation"));
/// assert_eq!(root.get("value").and_then(|v| v.number_text()), Some("1.50"));
/// ```
#[derive(Debug)]
pub struct Doc<'s> {
    text: &'s str,
    nodes: Vec<Node>,
    /// Decoded forms of the strings and keys that were written with escapes.
    decoded: String,
    escaped: Vec<Escaped>,
    /// No white space outside of strings: the source is its own compact form.
    is_compact: bool,
}

/// One value on the tape: 20 bytes.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// Where the key's text begins in the source, or, with `KEY_ESCAPED`, its number in `Doc::escaped`.
    key_start: u32,
    key_len: u16,
    tag: Tag,
    flags: u8,
    /// Source span of the value; strings and containers with their delimiters.
    start: u32,
    end: u32,
    /// Containers: index of the node after the whole subtree. Strings with escapes: number in `Doc::escaped`.
    next: u32,
}

const HAS_KEY: u8 = 1;
const KEY_ESCAPED: u8 = 2;
const STRING_ESCAPED: u8 = 4;

#[derive(Debug, Clone, Copy)]
struct Escaped {
    /// Span in `Doc::decoded`.
    start: u32,
    end: u32,
    /// Span between the quotes in the source.
    written_start: u32,
    written_end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Null,
    False,
    True,
    Number,
    String,
    Array,
    Object,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// a number, kept as written
    Number,
    /// a string
    String,
    /// a list
    Array,
    /// an object
    Object,
}

impl<'s> Doc<'s> {
    /// Reads one JSON document and nothing after it. A leading byte order mark is skipped.
    ///
    /// # Errors
    /// Whatever is not strict JSON, the same key twice in one object, more than [`DEPTH_MAX`] levels, numbers past
    /// [`NUMBER_LEN_MAX`] or [`EXPONENT_MAX`], keys over 65,535 bytes, documents of 4 GiB; with the place.
    pub fn parse(src: &'s [u8]) -> Result<Doc<'s>, JsonError> {
        parse::parse(src)
    }

    /// The outermost value.
    #[inline]
    pub fn root(&self) -> Value<'_> {
        Value { doc: self, at: 0 }
    }

    /// The source text.
    #[inline]
    pub fn text(&self) -> &'s str {
        self.text
    }

    /// How many values the document holds, itself included.
    pub fn value_count(&self) -> usize {
        self.nodes.len()
    }
}

/// One value of a document: a handle, two words, `Copy`.
#[derive(Clone, Copy)]
pub struct Value<'d> {
    doc: &'d Doc<'d>,
    at: u32,
}

impl<'d> Value<'d> {
    #[inline]
    fn node(self) -> &'d Node {
        &self.doc.nodes[self.at as usize]
    }

    /// What this value is.
    #[inline]
    pub fn kind(self) -> Kind {
        match self.node().tag {
            Tag::Null => Kind::Null,
            Tag::False | Tag::True => Kind::Bool,
            Tag::Number => Kind::Number,
            Tag::String => Kind::String,
            Tag::Array => Kind::Array,
            Tag::Object => Kind::Object,
        }
    }

    /// Is it an object?
    #[inline]
    pub fn is_object(self) -> bool {
        self.node().tag == Tag::Object
    }

    /// Is it an array?
    #[inline]
    pub fn is_array(self) -> bool {
        self.node().tag == Tag::Array
    }

    /// Is it a string?
    #[inline]
    pub fn is_string(self) -> bool {
        self.node().tag == Tag::String
    }

    /// Is it `null`?
    #[inline]
    pub fn is_null(self) -> bool {
        self.node().tag == Tag::Null
    }

    /// The string, decoded; `None` if it is something else.
    #[inline]
    pub fn as_str(self) -> Option<&'d str> {
        let node = self.node();
        if node.tag != Tag::String {
            return None;
        }
        Some(if node.flags & STRING_ESCAPED == 0 {
            &self.doc.text[node.start as usize + 1..node.end as usize - 1]
        } else {
            self.doc.decoded(node.next)
        })
    }

    /// The truth value; `None` if it is something else.
    #[inline]
    pub fn as_bool(self) -> Option<bool> {
        match self.node().tag {
            Tag::True => Some(true),
            Tag::False => Some(false),
            _ => None,
        }
    }

    /// The number as it was written; `None` if it is something else.
    #[inline]
    pub fn number_text(self) -> Option<&'d str> {
        let node = self.node();
        (node.tag == Tag::Number).then(|| &self.doc.text[node.start as usize..node.end as usize])
    }

    /// The number, if it was written as a whole number that fits.
    pub fn as_i64(self) -> Option<i64> {
        self.number_text()?.parse().ok()
    }

    /// The bytes of this value as they stand in the source, quotes and brackets included.
    #[inline]
    pub fn raw(self) -> &'d [u8] {
        self.raw_str().as_bytes()
    }

    /// As [`Value::raw`], as text.
    #[inline]
    pub fn raw_str(self) -> &'d str {
        let node = self.node();
        &self.doc.text[node.start as usize..node.end as usize]
    }

    /// Is it a string that was written with escapes? Only such a string can hold control characters.
    #[inline]
    pub fn has_escapes(self) -> bool {
        self.node().flags & STRING_ESCAPED != 0
    }

    /// Where it begins in the source, in bytes.
    #[inline]
    pub fn offset(self) -> usize {
        self.node().start as usize
    }

    /// The value's place on the tape: smaller is earlier, 0 is the root. It tells values of one document apart.
    #[inline]
    pub fn index(self) -> u32 {
        self.at
    }

    /// The key that it stands under, decoded; `None` for the root and for items of arrays.
    #[inline]
    pub fn key(self) -> Option<&'d str> {
        let node = self.node();
        (node.flags & HAS_KEY != 0).then(|| self.doc.key(node))
    }

    /// The member of that name; `None` if there is none, or if this is no object.
    #[inline]
    pub fn get(self, key: &str) -> Option<Value<'d>> {
        self.entries().find(|(k, _)| *k == key).map(|(_, v)| v)
    }

    /// Follows a path of member names. Where a list stands on the way its first item is taken; the end of the
    /// path is given as it is.
    ///
    /// ```
    /// let doc = record::json::Doc::parse(br#"{"name":[{"family":"Ney"}]}"#).unwrap();
    /// assert_eq!(doc.root().at(&["name", "family"]).and_then(|v| v.as_str()), Some("Ney"));
    /// ```
    pub fn at(self, path: &[&str]) -> Option<Value<'d>> {
        let mut value = self;
        for step in path {
            if value.is_array() {
                value = value.items().next()?;
            }
            value = value.get(step)?;
        }
        Some(value)
    }

    /// As [`Value::at`], to a string.
    pub fn str_at(self, path: &[&str]) -> Option<&'d str> {
        self.at(path)?.as_str()
    }

    /// The members of an object in the given order, keys decoded; nothing if this is no object.
    #[inline]
    pub fn entries(self) -> Entries<'d> {
        Entries {
            children: self.children(Tag::Object),
        }
    }

    /// The items of an array; nothing if this is no array.
    #[inline]
    pub fn items(self) -> Items<'d> {
        Items {
            children: self.children(Tag::Array),
        }
    }

    /// The items of an array, or the value itself if it is something else.
    #[inline]
    pub fn each(self) -> Items<'d> {
        if self.is_array() {
            return self.items();
        }
        Items {
            children: Children {
                doc: self.doc,
                at: self.at,
                end: self.at + 1,
            },
        }
    }

    /// How many members or items it has; 0 for everything else. Walks them.
    pub fn len(self) -> usize {
        let tag = self.node().tag;
        self.children(tag).count()
    }

    /// Has it no members or items?
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[inline]
    fn children(self, tag: Tag) -> Children<'d> {
        let node = self.node();
        let is_container = matches!(node.tag, Tag::Object | Tag::Array) && node.tag == tag;
        Children {
            doc: self.doc,
            at: self.at + 1,
            end: if is_container { node.next } else { self.at + 1 },
        }
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.raw_str())
    }
}

impl Doc<'_> {
    fn decoded(&self, number: u32) -> &str {
        let escaped = &self.escaped[number as usize];
        &self.decoded[escaped.start as usize..escaped.end as usize]
    }

    #[inline]
    fn key(&self, node: &Node) -> &str {
        if node.flags & KEY_ESCAPED == 0 {
            let start = node.key_start as usize;
            &self.text[start..start + node.key_len as usize]
        } else {
            self.decoded(node.key_start)
        }
    }

    /// The key as it was written, without its quotes.
    fn key_written(&self, node: &Node) -> &str {
        let (start, end) = if node.flags & KEY_ESCAPED == 0 {
            let start = node.key_start as usize;
            (start, start + node.key_len as usize)
        } else {
            let escaped = &self.escaped[node.key_start as usize];
            (escaped.written_start as usize, escaped.written_end as usize)
        };
        &self.text[start..end]
    }
}

#[derive(Clone)]
struct Children<'d> {
    doc: &'d Doc<'d>,
    at: u32,
    end: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Value<'d>;

    #[inline]
    fn next(&mut self) -> Option<Value<'d>> {
        if self.at >= self.end {
            return None;
        }
        let at = self.at;
        self.at = self.doc.nodes[at as usize].after(at);
        Some(Value { doc: self.doc, at })
    }
}

impl Node {
    /// The index of the node after this one's subtree, this one being at `at`.
    #[inline]
    fn after(&self, at: u32) -> u32 {
        match self.tag {
            Tag::Array | Tag::Object => self.next,
            _ => at + 1,
        }
    }
}

/// The members of an object: see [`Value::entries`].
#[derive(Clone)]
pub struct Entries<'d> {
    children: Children<'d>,
}

impl<'d> Iterator for Entries<'d> {
    type Item = (&'d str, Value<'d>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let value = self.children.next()?;
        Some((value.doc.key(value.node()), value))
    }
}

/// The items of an array: see [`Value::items`].
#[derive(Clone)]
pub struct Items<'d> {
    children: Children<'d>,
}

impl<'d> Iterator for Items<'d> {
    type Item = Value<'d>;

    #[inline]
    fn next(&mut self) -> Option<Value<'d>> {
        self.children.next()
    }
}
