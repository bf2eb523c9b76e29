//! Pages: what a search gives, and the cursor that leads to the next.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// One resource that a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The position of its first entry.
    pub number: u64,
    /// The position of the version that was found: its place in the ledger.
    pub position: u64,
    /// The version that was found.
    pub version: u32,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order asked for.
    pub hits: Vec<Hit>,
    /// Where the next page starts; `None` if this is the last.
    pub next: Option<Cursor>,
    /// How many match in all, if it was asked for.
    pub total: Option<u64>,
}

/// The place after a page: the last hit, and the size that all pages of one
/// search are read as of. It holds nothing about any person. As text: lower
/// case letters, digits and one hyphen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) size: u64,
    pub(crate) number: u64,
}

impl Cursor {
    /// The size that the search is read as of.
    pub fn as_of(&self) -> u64 {
        self.size
    }

    /// The number of the last hit. Whoever sent the cursor may have chosen it.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.size, self.number)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Cursor, Error> {
        let (size, number) = text.split_once('-').ok_or(Error::Cursor)?;
        let read = |text: &str| {
            let plain = text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            let canonical = text == "0" || !text.starts_with('0');
            match plain && canonical && (1..=10).contains(&text.len()) {
                true => u64::from_str_radix(text, 16).map_err(|_| Error::Cursor),
                false => Err(Error::Cursor),
            }
        };
        let cursor = Cursor {
            size: read(size)?,
            number: read(number)?,
        };
        match cursor.number < cursor.size {
            true => Ok(cursor),
            false => Err(Error::Cursor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_an_altered_one_is_refused() {
        let cursor = Cursor {
            size: 12_200,
            number: 77,
        };
        assert_eq!(cursor.to_string(), "2fa8-4d");
        assert_eq!("2fa8-4d".parse::<Cursor>().unwrap(), cursor);
        for text in [
            "",
            "-",
            "2fa8",
            "2fa8-",
            "-4d",
            "2fa8-04d",
            "2FA8-4d",
            "2fa8-4d-1",
            "4d-2fa8",
            "+1-0",
            "2fa8-4dg",
            "fffffffffffffffff-1",
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
