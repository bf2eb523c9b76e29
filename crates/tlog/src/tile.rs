//! The stored hashes of a tree, as tiles of height 8, and what can be computed from them.
//!
//! The tile (level, index) holds the roots of the complete subtrees of
//! 256^level leaves, from number 256·index on, 32 bytes each, at most 256 of
//! them. Only full tiles need storing: the others lie on the right edge of the
//! tree and follow from what is below them (see [`crate::Edge`]).

use std::borrow::Cow;

use crate::hash::{Hash, node_hash, root_of_empty};

/// How many hashes a full tile holds.
pub const TILE_WIDTH: u16 = 256;

/// How many bytes a full tile has.
pub const TILE_BYTES: usize = TILE_WIDTH as usize * size_of::<Hash>();

/// How many levels of nodes a tile spans.
const TILE_HEIGHT: u8 = 8;

/// A tile that will never change again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FullTile<'a> {
    /// The tile's level: 0 holds leaf hashes.
    pub level: u8,
    /// The tile's number in its level, from 0.
    pub index: u64,
    /// Its 256 hashes, [`TILE_BYTES`] bytes.
    pub hashes: &'a [u8],
}

/// Where the hashes of a tree come from.
///
/// Tiles are asked for by the size of the tree that is being looked at, which
/// may be smaller than the tree that is stored. Asked for one tile, a source
/// answers the same bytes for ever.
pub trait TileSource {
    /// Why a tile could not be read.
    type Error;

    /// The first `width` hashes of a tile, exactly `32 * width` bytes.
    ///
    /// `width` is 1 to 256, and never more than the tree being looked at has
    /// there: a source that holds the tile in full answers its beginning.
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Cow<'_, [u8]>, Self::Error>;

    /// The root of the complete subtree of 2^`height` leaves number `index`, if
    /// the source keeps it anyway; `None` has it computed from its tile.
    fn node(&self, height: u8, index: u64) -> Result<Option<Hash>, Self::Error> {
        let _ = (height, index);
        Ok(None)
    }
}

impl<S: TileSource + ?Sized> TileSource for &S {
    type Error = S::Error;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Cow<'_, [u8]>, S::Error> {
        (**self).tile(level, index, width)
    }

    fn node(&self, height: u8, index: u64) -> Result<Option<Hash>, S::Error> {
        (**self).node(height, index)
    }
}

/// Why something could not be computed from tiles.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError<E> {
    /// The leaf lies beyond the end of the tree.
    #[error("there is no leaf {index} in a tree of {size} leaves")]
    NoSuchLeaf {
        /// The leaf asked for, from 0.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The older of two trees is the larger one.
    #[error("a tree of {old} leaves cannot have come before one of {new}")]
    NotOlder {
        /// The size of the tree said to be the older.
        old: u64,
        /// The size of the tree said to be the newer.
        new: u64,
    },
    /// The source did not answer.
    #[error("tile {index} of level {level} could not be read")]
    Tile {
        /// The tile's level.
        level: u8,
        /// The tile's number in its level.
        index: u64,
        /// What the source said.
        source: E,
    },
    /// The source answered a tile of another width than it was asked for.
    #[error("tile {index} of level {level} has {found} bytes, not {expected}")]
    TileLength {
        /// The tile's level.
        level: u8,
        /// The tile's number in its level.
        index: u64,
        /// How many bytes it should have.
        expected: usize,
        /// How many bytes it has.
        found: usize,
    },
}

/// The width that the tile (level, index) has in a tree of `size` leaves: 0 to 256.
pub fn width(level: u8, index: u64, size: u64) -> u16 {
    let hashes = size.checked_shr(u32::from(TILE_HEIGHT) * u32::from(level));
    let before = index.saturating_mul(u64::from(TILE_WIDTH));
    let width = hashes.unwrap_or(0).saturating_sub(before);
    // At most 256.
    width.min(u64::from(TILE_WIDTH)) as u16
}

/// The root of the subtree that a full tile stands for: what the next level holds of it.
///
/// # Panics
/// If `hashes` is not a full tile, [`TILE_BYTES`] bytes.
pub fn tile_root(hashes: &[u8]) -> Hash {
    assert_eq!(hashes.len(), TILE_BYTES, "a full tile has 256 hashes");
    subtree_root(hashes.as_chunks().0)
}

/// The root of a tree at an earlier size, or at its last.
///
/// The source must hold a tree of at least `size` leaves.
pub fn root_at<S: TileSource>(size: u64, source: &S) -> Result<Hash, TreeError<S::Error>> {
    if size == 0 {
        return Ok(root_of_empty());
    }
    Nodes::new(size, source).peaks_root(64)
}

/// Reads the nodes of a tree of one size; opens each tile once.
pub(crate) struct Nodes<'s, S: TileSource> {
    size: u64,
    source: &'s S,
    /// A proof needs the tiles on a path and those on the right edge, two for
    /// each level at most.
    open: Vec<OpenTile<'s>>,
}

struct OpenTile<'s> {
    level: u8,
    index: u64,
    hashes: Cow<'s, [u8]>,
}

impl<'s, S: TileSource> Nodes<'s, S> {
    pub(crate) fn new(size: u64, source: &'s S) -> Self {
        Nodes {
            size,
            source,
            open: Vec::new(),
        }
    }

    /// The root of the complete subtree of 2^height leaves number `index`; it must lie within the size.
    pub(crate) fn complete(&mut self, height: u8, index: u64) -> Result<Hash, TreeError<S::Error>> {
        let level = height / TILE_HEIGHT;
        let within = height % TILE_HEIGHT;
        let tile = index >> (TILE_HEIGHT - within);
        let first = ((index << within) & 0xff) as usize;
        match self.source.node(height, index) {
            Ok(Some(hash)) => return Ok(hash),
            Ok(None) => {}
            Err(source) => {
                return Err(TreeError::Tile {
                    level,
                    index: tile,
                    source,
                });
            }
        }
        let hashes = self.tile(level, tile)?;
        Ok(subtree_root(&hashes[first..first + (1 << within)]))
    }

    /// The root over the complete subtrees lower than `below` that end the tree:
    /// one for each bit of the size, the lower the further right.
    ///
    /// At least one bit of the size below `below` must be set.
    pub(crate) fn peaks_root(&mut self, below: u8) -> Result<Hash, TreeError<S::Error>> {
        let size = self.size;
        let mut root: Option<Hash> = None;
        for height in (0..below).filter(|height| size >> height & 1 == 1) {
            let peak = self.complete(height, (size >> height) - 1)?;
            root = Some(match root {
                None => peak,
                Some(right) => node_hash(&peak, &right),
            });
        }
        Ok(root.unwrap_or_else(root_of_empty))
    }

    fn tile(&mut self, level: u8, index: u64) -> Result<&[Hash], TreeError<S::Error>> {
        let open = self
            .open
            .iter()
            .position(|tile| tile.level == level && tile.index == index);
        let open = match open {
            Some(open) => open,
            None => {
                let width = width(level, index, self.size);
                let hashes =
                    self.source
                        .tile(level, index, width)
                        .map_err(|source| TreeError::Tile {
                            level,
                            index,
                            source,
                        })?;
                let expected = usize::from(width) * size_of::<Hash>();
                if hashes.len() != expected {
                    return Err(TreeError::TileLength {
                        level,
                        index,
                        expected,
                        found: hashes.len(),
                    });
                }
                self.open.push(OpenTile {
                    level,
                    index,
                    hashes,
                });
                self.open.len() - 1
            }
        };
        Ok(self.open[open].hashes.as_chunks().0)
    }
}

/// The root of a complete subtree from the hashes it stands on: 1, 2, 4 … 256 of them.
fn subtree_root(hashes: &[Hash]) -> Hash {
    debug_assert!(hashes.len().is_power_of_two());
    if let [hash] = hashes {
        return *hash;
    }
    let mut row = [[0; 32]; 128];
    let mut width = hashes.len() / 2;
    for (node, pair) in row.iter_mut().zip(hashes.as_chunks::<2>().0) {
        *node = node_hash(&pair[0], &pair[1]);
    }
    while width > 1 {
        width /= 2;
        for i in 0..width {
            row[i] = node_hash(&row[2 * i], &row[2 * i + 1]);
        }
    }
    row[0]
}
