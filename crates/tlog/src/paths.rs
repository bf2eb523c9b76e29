//! Where a log serves its tiles and entries (C2SP tlog-tiles), below its own prefix.
//!
//! ```
//! use tlog::paths::{Shelf, TilePath};
//!
//! let path = TilePath { shelf: Shelf::Hashes(0), index: 1_234_067, width: 112 };
//! assert_eq!(path.to_string(), "tile/0/x001/x234/067.p/112");
//! assert_eq!(TilePath::parse("tile/0/x001/x234/067.p/112"), Some(path));
//! assert_eq!(TilePath::parse("tile/0/x000/x234/067"), None); // one tile has one path
//! ```

use std::fmt;

use crate::encoding::number;
use crate::tile::{TILE_WIDTH, width};

/// The highest level that a path may name.
pub const LEVEL_MAX: u8 = 63;

/// What is on a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shelf {
    /// Hashes of this level, 0 to [`LEVEL_MAX`]; 0 holds leaf hashes.
    Hashes(u8),
    /// The leaves' data, as [`crate::entries`] has them.
    Entries,
}

/// A tile's place below the log's prefix; its text has no leading slash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TilePath {
    /// What is on it.
    pub shelf: Shelf,
    /// Its number in its level, from 0.
    pub index: u64,
    /// How many hashes or entries it has: 1 to 256. 256 is a full tile.
    pub width: u16,
}

impl TilePath {
    /// The tile's path in a tree of `size` leaves; `None` if that tree has nothing there.
    pub fn at(shelf: Shelf, index: u64, size: u64) -> Option<Self> {
        let path = TilePath {
            shelf,
            index,
            width: width(shelf.level(), index, size),
        };
        (path.width > 0).then_some(path)
    }

    /// Reads a path such as `tile/0/x001/234.p/5` or `tile/entries/000`; `None` if it is not the
    /// one path of a tile.
    pub fn parse(path: &str) -> Option<Self> {
        let (shelf, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let shelf = match shelf {
            "entries" => Shelf::Entries,
            level => Shelf::Hashes(
                number(level)
                    .and_then(|level| u8::try_from(level).ok())
                    .filter(|level| *level <= LEVEL_MAX)?,
            ),
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH),
            Some((index, width)) => {
                let width = number(width).and_then(|width| u16::try_from(width).ok())?;
                if width >= TILE_WIDTH {
                    return None;
                }
                (index, width)
            }
        };
        let mut digits = String::new();
        let mut groups = index.split('/').peekable();
        while let Some(group) = groups.next() {
            let three = match groups.peek() {
                None => group,
                Some(_) => group.strip_prefix('x')?,
            };
            if three.len() != 3 || !three.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            digits.push_str(three);
        }
        let read = TilePath {
            shelf,
            index: digits.parse().ok()?,
            width,
        };
        // One tile has one path: no group of zeroes before it, no number that starts with one.
        (read.width > 0 && read.to_string() == path).then_some(read)
    }

    /// Whether a tree of `size` leaves has so much there, so that the tile can be served at all.
    pub fn is_within(&self, size: u64) -> bool {
        self.width > 0 && self.width <= width(self.shelf.level(), self.index, size)
    }
}

impl Shelf {
    /// Entries lie as the hashes of level 0 do.
    fn level(self) -> u8 {
        match self {
            Shelf::Hashes(level) => level,
            Shelf::Entries => 0,
        }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shelf {
            Shelf::Hashes(level) => write!(f, "tile/{level}/")?,
            Shelf::Entries => f.write_str("tile/entries/")?,
        }
        let digits = self.index.to_string();
        let padded = format!(
            "{digits:0>width$}",
            width = digits.len().next_multiple_of(3)
        );
        let last = padded.len() - 3;
        for start in (0..last).step_by(3) {
            write!(f, "x{}/", &padded[start..start + 3])?;
        }
        f.write_str(&padded[last..])?;
        if self.width != TILE_WIDTH {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}
