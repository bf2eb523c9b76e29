//! The parser: one pass, no recursion, an explicit stack of open containers.

use super::error::line_and_column;
use super::{
    DEPTH_MAX, Doc, EXPONENT_MAX, Escaped, Fault, HAS_KEY, JsonError, KEY_ESCAPED, NUMBER_LEN_MAX,
    Node, STRING_ESCAPED, Tag,
};
use std::fmt::Write as _;

/// Objects with more keys than this are looked through for duplicates once, when they close.
const SCAN_MAX: u32 = 32;

pub(super) fn parse(src: &[u8]) -> Result<Doc<'_>, JsonError> {
    if u32::try_from(src.len()).is_err() {
        return Err(early(src, 0, Fault::TooLarge));
    }
    let text = std::str::from_utf8(src).map_err(|e| early(src, e.valid_up_to(), Fault::BadUtf8))?;
    let mut parser = Parser {
        src,
        pos: if text.starts_with('\u{FEFF}') { 3 } else { 0 },
        saw_space: false,
        pending: Key::NONE,
        open: Vec::with_capacity(16),
        doc: Doc {
            text,
            nodes: Vec::with_capacity(src.len() / 20 + 4),
            decoded: String::new(),
            escaped: Vec::new(),
            is_compact: false,
        },
    };
    match parser.document() {
        Ok(()) => {
            parser.doc.is_compact = !parser.saw_space;
            Ok(parser.doc)
        }
        Err(Stop { offset, what }) => {
            let (line, column) = line_and_column(src, offset);
            let path = parser.path();
            Err(JsonError {
                offset,
                line,
                column,
                path,
                what,
            })
        }
    }
}

/// An error found before anything was parsed.
fn early(src: &[u8], offset: usize, what: Fault) -> JsonError {
    let (line, column) = line_and_column(src, offset);
    JsonError {
        offset,
        line,
        column,
        path: "$".to_owned(),
        what,
    }
}

struct Stop {
    offset: usize,
    what: Fault,
}

fn stop<T>(offset: usize, what: Fault) -> Result<T, Stop> {
    Err(Stop { offset, what })
}

/// An object or array whose end has not been seen.
struct Open {
    node: u32,
    is_object: bool,
    /// Keys so far.
    count: u32,
    /// One bit per key seen, by a cheap fingerprint: only keys that share a bit are compared.
    seen: u64,
    /// Some key has escapes, or there are many: compare all of them when it closes.
    check_at_end: bool,
}

#[derive(Clone, Copy)]
struct Key {
    start: u32,
    len: u16,
    flags: u8,
}

impl Key {
    const NONE: Key = Key {
        start: 0,
        len: 0,
        flags: 0,
    };
}

struct Parser<'s> {
    src: &'s [u8],
    pos: usize,
    saw_space: bool,
    /// The key that was read and waits for its value.
    pending: Key,
    open: Vec<Open>,
    doc: Doc<'s>,
}

/// A string between its quotes.
struct Span {
    start: usize,
    end: usize,
    /// Its number in `Doc::escaped`.
    escaped: Option<u32>,
}

// Offsets fit 32 bits: `parse` refuses longer sources, and there are no more nodes, and no more decoded bytes, than
// source bytes.
#[inline]
fn short(offset: usize) -> u32 {
    offset as u32
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(), Stop> {
        if self.next_byte().is_none() {
            return stop(self.pos, Fault::Empty);
        }
        'value: loop {
            let Some(first) = self.next_byte() else {
                return stop(self.pos, Fault::Unfinished);
            };
            match first {
                b'"' => {
                    let from = self.pos;
                    let span = self.string()?;
                    let (flags, next) = span
                        .escaped
                        .map_or((0, 0), |number| (STRING_ESCAPED, number));
                    self.push(Tag::String, flags, from, span.end + 1, next);
                }
                b'{' => {
                    self.open(Tag::Object)?;
                    if self.next_byte() == Some(b'}') {
                        self.close()?;
                    } else {
                        self.key()?;
                        continue 'value;
                    }
                }
                b'[' => {
                    self.open(Tag::Array)?;
                    if self.next_byte() == Some(b']') {
                        self.close()?;
                    } else {
                        continue 'value;
                    }
                }
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.word("true", Tag::True)?,
                b'f' => self.word("false", Tag::False)?,
                b'n' => self.word("null", Tag::Null)?,
                _ => return stop(self.pos, Fault::Expected("a value")),
            }
            // A value is complete: what follows belongs to the container around it.
            loop {
                let next = self.next_byte();
                let Some(top) = self.open.last() else {
                    return match next {
                        None => Ok(()),
                        Some(_) => stop(self.pos, Fault::TrailingData),
                    };
                };
                match (next, top.is_object) {
                    (Some(b','), true) => {
                        self.pos += 1;
                        self.key()?;
                        continue 'value;
                    }
                    (Some(b','), false) => {
                        self.pos += 1;
                        continue 'value;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => self.close()?,
                    (None, _) => return stop(self.pos, Fault::Unfinished),
                    (Some(_), true) => {
                        return stop(self.pos, Fault::Expected("a comma or the object's end"));
                    }
                    (Some(_), false) => {
                        return stop(self.pos, Fault::Expected("a comma or the list's end"));
                    }
                }
            }
        }
    }

    /// Steps over white space and gives the byte that follows it, without taking it.
    #[inline]
    fn next_byte(&mut self) -> Option<u8> {
        let b = *self.src.get(self.pos)?;
        if b > b' ' {
            return Some(b);
        }
        self.after_space()
    }

    fn after_space(&mut self) -> Option<u8> {
        loop {
            let b = *self.src.get(self.pos)?;
            if !matches!(b, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(b);
            }
            self.saw_space = true;
            self.pos += 1;
            // Indentation: eight blanks at a time.
            while let Some(chunk) = self.src[self.pos..].first_chunk::<8>() {
                let other = u64::from_le_bytes(*chunk) ^ 0x2020_2020_2020_2020;
                self.pos += other.trailing_zeros() as usize / 8;
                if other != 0 {
                    break;
                }
            }
        }
    }

    #[inline]
    fn push(&mut self, tag: Tag, flags: u8, start: usize, end: usize, next: u32) {
        let key = std::mem::replace(&mut self.pending, Key::NONE);
        self.doc.nodes.push(Node {
            key_start: key.start,
            key_len: key.len,
            tag,
            flags: flags | key.flags,
            start: short(start),
            end: short(end),
            next,
        });
    }

    fn open(&mut self, tag: Tag) -> Result<(), Stop> {
        if self.open.len() == DEPTH_MAX {
            return stop(self.pos, Fault::TooDeep);
        }
        self.open.push(Open {
            node: short(self.doc.nodes.len()),
            is_object: tag == Tag::Object,
            count: 0,
            seen: 0,
            check_at_end: false,
        });
        self.push(tag, 0, self.pos, 0, 0);
        self.pos += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        self.pos += 1;
        let after = short(self.doc.nodes.len());
        let Some(open) = self.open.last() else {
            return Ok(());
        };
        let node = &mut self.doc.nodes[open.node as usize];
        node.end = short(self.pos);
        node.next = after;
        if open.check_at_end
            && let Some(offset) = self.duplicate_key(open.node)
        {
            return stop(offset, Fault::DuplicateKey);
        }
        self.open.pop();
        Ok(())
    }

    /// Reads a key and its colon.
    #[inline]
    fn key(&mut self) -> Result<(), Stop> {
        match self.next_byte() {
            Some(b'"') => {}
            None => return stop(self.pos, Fault::Unfinished),
            Some(_) => return stop(self.pos, Fault::Expected("a key in quotes")),
        }
        let from = self.pos;
        let span = self.string()?;
        let Ok(len) = u16::try_from(span.end - span.start) else {
            return stop(from, Fault::LongKey);
        };
        let is_duplicate = self.note_key(&span);
        if is_duplicate {
            return stop(from, Fault::DuplicateKey);
        }
        self.pending = match span.escaped {
            None => Key {
                start: short(span.start),
                len,
                flags: HAS_KEY,
            },
            Some(number) => Key {
                start: number,
                len: 0,
                flags: HAS_KEY | KEY_ESCAPED,
            },
        };
        match self.next_byte() {
            Some(b':') => {
                self.pos += 1;
                Ok(())
            }
            None => stop(self.pos, Fault::Unfinished),
            Some(_) => stop(self.pos, Fault::Expected("a colon")),
        }
    }

    /// Enters a key in its object; true if the object has it already.
    #[inline]
    fn note_key(&mut self, span: &Span) -> bool {
        let bytes = &self.src[span.start..span.end];
        let Some(open) = self.open.last_mut() else {
            return false;
        };
        open.count += 1;
        if span.escaped.is_some() || open.count > SCAN_MAX {
            open.check_at_end = true;
            return false;
        }
        let first = usize::from(bytes.first().copied().unwrap_or(0));
        let last = usize::from(bytes.last().copied().unwrap_or(0));
        let bit = 1_u64 << ((bytes.len() * 5 + first * 3 + last * 11) & 63);
        let is_likely_new = open.seen & bit == 0;
        open.seen |= bit;
        if is_likely_new {
            return false;
        }
        let mut at = open.node + 1;
        let end = short(self.doc.nodes.len());
        while at < end {
            let node = &self.doc.nodes[at as usize];
            let start = node.key_start as usize;
            if node.flags & KEY_ESCAPED == 0
                && &self.src[start..start + usize::from(node.key_len)] == bytes
            {
                return true;
            }
            at = node.after(at);
        }
        false
    }

    /// Looks through a closed object for a key that occurs twice: the offset of its first repetition.
    fn duplicate_key(&self, object: u32) -> Option<usize> {
        let mut keys = Vec::new();
        let mut at = object + 1;
        while at < short(self.doc.nodes.len()) {
            let node = &self.doc.nodes[at as usize];
            let written_start = if node.flags & KEY_ESCAPED == 0 {
                node.key_start
            } else {
                self.doc.escaped[node.key_start as usize].written_start
            };
            keys.push((self.doc.key(node), written_start as usize - 1));
            at = node.after(at);
        }
        keys.sort_unstable();
        keys.windows(2)
            .filter(|w| w[0].0 == w[1].0)
            .map(|w| w[1].1)
            .min()
    }

    fn word(&mut self, word: &'static str, tag: Tag) -> Result<(), Stop> {
        if !self.src[self.pos..].starts_with(word.as_bytes()) {
            if word.as_bytes().starts_with(&self.src[self.pos..]) {
                return stop(self.src.len(), Fault::Unfinished);
            }
            return stop(self.pos, Fault::Expected("a value"));
        }
        let start = self.pos;
        self.pos += word.len();
        self.push(tag, 0, start, self.pos, 0);
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let from = self.pos;
        while self.src.get(self.pos).is_some_and(u8::is_ascii_digit) {
            self.pos += 1;
        }
        self.pos - from
    }

    fn number(&mut self) -> Result<(), Stop> {
        let start = self.pos;
        if self.src[self.pos] == b'-' {
            self.pos += 1;
        }
        let leading_zero = self.src.get(self.pos) == Some(&b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return stop(start, Fault::BadNumber);
        }
        if self.src.get(self.pos) == Some(&b'.') {
            self.pos += 1;
            if self.digits() == 0 {
                return stop(start, Fault::BadNumber);
            }
        }
        if matches!(self.src.get(self.pos), Some(b'e' | b'E')) {
            self.pos += 1;
            if matches!(self.src.get(self.pos), Some(b'+' | b'-')) {
                self.pos += 1;
            }
            let from = self.pos;
            if self.digits() == 0 {
                return stop(start, Fault::BadNumber);
            }
            let exponent = self.src[from..self.pos].iter().fold(0_u32, |n, d| {
                n.saturating_mul(10).saturating_add(u32::from(d - b'0'))
            });
            if exponent > EXPONENT_MAX {
                return stop(start, Fault::NumberOutOfRange);
            }
        }
        if self.pos - start > NUMBER_LEN_MAX {
            return stop(start, Fault::NumberOutOfRange);
        }
        self.push(Tag::Number, 0, start, self.pos, 0);
        Ok(())
    }

    /// Reads a string, its opening quote being at `pos`; leaves `pos` after the closing one.
    #[inline]
    fn string(&mut self) -> Result<Span, Stop> {
        let start = self.pos + 1;
        let end = plain_end(self.src, start);
        if self.src.get(end) == Some(&b'"') {
            self.pos = end + 1;
            return Ok(Span {
                start,
                end,
                escaped: None,
            });
        }
        self.string_with_escapes(start, end)
    }

    /// The rest of a string that is not plain: the first special byte is at `at`.
    fn string_with_escapes(&mut self, start: usize, mut at: usize) -> Result<Span, Stop> {
        let decoded_start = short(self.doc.decoded.len());
        let mut plain_from = start;
        loop {
            // `"`, `\` and control characters are ASCII, so the slice cannot cut a character.
            self.doc.decoded.push_str(&self.doc.text[plain_from..at]);
            match self.src.get(at) {
                None => return stop(at, Fault::Unfinished),
                Some(b'"') => break,
                Some(b'\\') => {
                    let (c, after) = self.escape(at)?;
                    self.doc.decoded.push(c);
                    plain_from = after;
                    at = plain_end(self.src, after);
                }
                Some(_) => return stop(at, Fault::ControlCharacter),
            }
        }
        let number = short(self.doc.escaped.len());
        self.doc.escaped.push(Escaped {
            start: decoded_start,
            end: short(self.doc.decoded.len()),
            written_start: short(start),
            written_end: short(at),
        });
        self.pos = at + 1;
        Ok(Span {
            start,
            end: at,
            escaped: Some(number),
        })
    }

    /// The character of the escape at `at`, and the offset after it.
    fn escape(&self, at: usize) -> Result<(char, usize), Stop> {
        let c = match self.src.get(at + 1) {
            None => return stop(at + 1, Fault::Unfinished),
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(at),
            Some(_) => return stop(at, Fault::BadEscape),
        };
        Ok((c, at + 2))
    }

    fn unicode_escape(&self, at: usize) -> Result<(char, usize), Stop> {
        let Some(unit) = self.hex4(at + 2) else {
            return stop(at, Fault::BadEscape);
        };
        if let Some(c) = char::from_u32(unit) {
            return Ok((c, at + 6));
        }
        // What is no character is a surrogate; only a high one with a low one after it is allowed.
        if unit < 0xDC00
            && self.src.get(at + 6..at + 8) == Some(b"\\u")
            && let Some(low @ 0xDC00..=0xDFFF) = self.hex4(at + 8)
            && let Some(c) = char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
        {
            return Ok((c, at + 12));
        }
        stop(at, Fault::LoneSurrogate)
    }

    fn hex4(&self, at: usize) -> Option<u32> {
        let digits = self.src.get(at..at + 4)?;
        let mut value = 0;
        for d in digits {
            value = value << 4 | char::from(*d).to_digit(16)?;
        }
        Some(value)
    }

    /// Where the parser stands, as a path of keys and item numbers.
    fn path(&self) -> String {
        let mut path = "$".to_owned();
        let nodes = &self.doc.nodes;
        for (level, open) in self.open.iter().enumerate() {
            // The member or item in progress is the next open container, or comes after everything.
            let inner = self.open.get(level + 1).map(|o| o.node);
            if open.is_object {
                let key = match inner {
                    Some(at) => self.doc.key(&nodes[at as usize]),
                    None => match self.pending {
                        Key { flags: 0, .. } => "",
                        Key { start, flags, .. } if flags & KEY_ESCAPED != 0 => {
                            self.doc.decoded(start)
                        }
                        Key { start, len, .. } => {
                            &self.doc.text[start as usize..start as usize + usize::from(len)]
                        }
                    },
                };
                if !key.is_empty() {
                    path.push('.');
                    path.extend(key.chars().take(64));
                }
            } else {
                let end = inner.unwrap_or(short(nodes.len()));
                let mut number = 0;
                let mut at = open.node + 1;
                while at < end {
                    at = nodes[at as usize].after(at);
                    number += 1;
                }
                let _ = write!(path, "[{number}]");
            }
        }
        path
    }
}

/// The offset of the first byte from `at` that is a quote, a backslash or a control character, or the end.
#[inline]
pub(super) fn plain_end(src: &[u8], mut at: usize) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    while let Some(chunk) = src[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (LOW * b'"' as u64);
        let backslash = word ^ (LOW * b'\\' as u64);
        // The lowest marked byte is exact; borrows can only mark bytes above it.
        let marks = (quote.wrapping_sub(LOW) & !quote)
            | (backslash.wrapping_sub(LOW) & !backslash)
            | (word.wrapping_sub(LOW * 0x20) & !word);
        let marks = marks & HIGH;
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(&b) = src.get(at) {
        if b == b'"' || b == b'\\' || b < 0x20 {
            break;
        }
        at += 1;
    }
    at
}
