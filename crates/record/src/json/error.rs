//! What can be wrong with a document, and where.

use std::fmt;

/// Why a document was refused, and the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}, at line {line}, column {column} ({path})")]
pub struct JsonError {
    /// Zero-based byte offset.
    pub offset: usize,
    /// One-based line.
    pub line: u32,
    /// One-based column, in characters.
    pub column: u32,
    /// Where it stands in the document: `$`, `$.entry[3].resource.name`.
    pub path: String,
    /// What is wrong.
    pub what: Fault,
}

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing but white space.
    Empty,
    /// 4 GiB or more.
    TooLarge,
    /// The bytes are not UTF-8.
    BadUtf8,
    /// It ends before it is complete.
    Unfinished,
    /// Something else was due here: says what.
    Expected(&'static str),
    /// One object has the same key twice.
    DuplicateKey,
    /// A key of more than 65,535 bytes.
    LongKey,
    /// More than [`super::DEPTH_MAX`] levels.
    TooDeep,
    /// A backslash before something that JSON has no escape for.
    BadEscape,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// A raw control character in a string.
    ControlCharacter,
    /// Not a number as JSON writes them (`01`, `+1`, `1.`, `.5`).
    BadNumber,
    /// A number too long, or with an exponent too large, to be kept as it is.
    NumberOutOfRange,
    /// Something after the end of the document.
    TrailingData,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Empty => f.write_str("The document is empty"),
            Fault::TooLarge => f.write_str("The document is larger than 4 GiB"),
            Fault::BadUtf8 => f.write_str("The document is not UTF-8"),
            Fault::Unfinished => f.write_str("The document ends too early"),
            Fault::Expected(what) => write!(f, "Not JSON: expected {what}"),
            Fault::DuplicateKey => f.write_str("The same key occurs twice in one object"),
            Fault::LongKey => f.write_str("A key is longer than 65,535 bytes"),
            Fault::TooDeep => write!(
                f,
                "The document is nested deeper than {} levels",
                super::DEPTH_MAX
            ),
            Fault::BadEscape => {
                f.write_str("A backslash in a string begins no escape that JSON knows")
            }
            Fault::LoneSurrogate => {
                f.write_str("An escape in a string is half of a surrogate pair")
            }
            Fault::ControlCharacter => {
                f.write_str("A control character in a string is not escaped")
            }
            Fault::BadNumber => f.write_str("Not a number as JSON writes them"),
            Fault::NumberOutOfRange => write!(
                f,
                "A number is longer than {} characters or its exponent exceeds {}",
                super::NUMBER_LEN_MAX,
                super::EXPONENT_MAX
            ),
            Fault::TrailingData => f.write_str("Something follows the end of the document"),
        }
    }
}

/// Line and column, both one-based, of a byte offset. Columns count characters.
pub(super) fn line_and_column(src: &[u8], offset: usize) -> (u32, u32) {
    let before = &src[..offset.min(src.len())];
    let line = 1 + before.iter().filter(|b| **b == b'\n').count();
    let line_start = before
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |p| p + 1);
    // Continuation bytes do not begin a character.
    let column = 1 + before[line_start..]
        .iter()
        .filter(|b| **b & 0xC0 != 0x80)
        .count();
    (
        u32::try_from(line).unwrap_or(u32::MAX),
        u32::try_from(column).unwrap_or(u32::MAX),
    )
}
