//! The right edge of a growing tree: what is needed to append to it and to know its root.
//!
//! A tree of *n* leaves is a row of complete subtrees, one for each bit of *n*,
//! the largest first. Appending touches only the ends of that row, so a log of
//! any length is continued from a few dozen hashes.

use std::borrow::Cow;

use crate::hash::{Hash, node_hash, root_of_empty};
use crate::tile::{FullTile, Nodes, TILE_BYTES, TileSource, TreeError};

/// The roots of the complete subtrees that a tree is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One for each bit of the size, the largest subtree first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Of the tree that has no leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of the tree that the first `size` leaves of a stored tree make.
    pub fn from_tiles<S: TileSource>(size: u64, source: &S) -> Result<Self, TreeError<S::Error>> {
        let mut nodes = Nodes::new(size, source);
        let peaks = (0..64)
            .rev()
            .filter(|height| size >> height & 1 == 1)
            .map(|height| nodes.complete(height, (size >> height) - 1))
            .collect::<Result<_, _>>()?;
        Ok(Frontier { size, peaks })
    }

    /// Appends a leaf by its hash ([`crate::leaf_hash`]).
    pub fn push(&mut self, leaf: Hash) {
        self.push_seeing(leaf, |_, _| {});
    }

    /// Appends a leaf; `complete` is told each node that this completes, with its height, lowest first.
    fn push_seeing(&mut self, leaf: Hash, mut complete: impl FnMut(u8, &Hash)) {
        let mut node = leaf;
        let mut height = 0;
        complete(height, &node);
        while self.size >> height & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            node = node_hash(&left, &node);
            height += 1;
            complete(height, &node);
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root of the complete subtree of 2^`height` leaves number `index`, if it is one of these.
    pub fn node(&self, height: u8, index: u64) -> Option<Hash> {
        let subtrees = self.size.checked_shr(u32::from(height))?;
        let is_peak = subtrees & 1 == 1 && index == subtrees - 1;
        // One for each bit of the size above.
        let larger = (subtrees >> 1).count_ones() as usize;
        is_peak.then(|| self.peaks[larger])
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The tree's root.
    pub fn root(&self) -> Hash {
        let Some((last, before)) = self.peaks.split_last() else {
            return root_of_empty();
        };
        before
            .iter()
            .rfold(*last, |right, left| node_hash(left, &right))
    }
}

/// The right edge of a growing tree as tiles: the ones that are not full yet.
///
/// Whoever stores a tree keeps an `Edge` and writes each tile down as
/// [`push`](Edge::push) completes it; full tiles and the edge together are a
/// [`TileSource`] (see [`tile`](Edge::tile) and [`node`](Edge::node)). A clone is a few tens of
/// kilobytes at most and is how an append that failed is taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    frontier: Frontier,
    /// By level: the hashes of its last tile, fewer than 256.
    tiles: Vec<Vec<u8>>,
}

impl Edge {
    /// Of the tree that has no leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of the tree that the first `size` leaves of a stored tree make.
    pub fn from_tiles<S: TileSource>(size: u64, source: &S) -> Result<Self, TreeError<S::Error>> {
        let frontier = Frontier::from_tiles(size, source)?;
        let mut nodes = Nodes::new(size, source);
        let mut tiles = Vec::new();
        for level in (0..8).take_while(|level| size >> (8 * level) > 0) {
            let hashes = size >> (8 * level);
            let mut tile = Vec::new();
            for index in hashes & !0xff..hashes {
                tile.extend_from_slice(&nodes.complete(8 * level, index)?);
            }
            tiles.push(tile);
        }
        Ok(Edge { frontier, tiles })
    }

    /// Appends a leaf by its hash; `full` is given each tile that this completes, lowest level first.
    pub fn push(&mut self, leaf: Hash, mut full: impl FnMut(FullTile<'_>)) {
        let tiles = &mut self.tiles;
        let size = self.frontier.size + 1;
        self.frontier.push_seeing(leaf, |height, node| {
            if height % 8 != 0 {
                return;
            }
            let level = usize::from(height / 8);
            if tiles.len() == level {
                tiles.push(Vec::with_capacity(TILE_BYTES));
            }
            let tile = &mut tiles[level];
            tile.extend_from_slice(node);
            if tile.len() == TILE_BYTES {
                full(FullTile {
                    level: height / 8,
                    index: (size >> height >> 8) - 1,
                    hashes: tile,
                });
                tile.clear();
            }
        });
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The tree's root.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The tree's right edge without its tiles.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// A node of the edge, for [`TileSource::node`]: saves about half of the hashing for a proof.
    pub fn node(&self, height: u8, index: u64) -> Option<Hash> {
        self.frontier.node(height, index)
    }

    /// The first `width` hashes of a tile, if it is one of those not full yet and has so many.
    pub fn tile(&self, level: u8, index: u64, width: u16) -> Option<Cow<'_, [u8]>> {
        let hashes = self.size().checked_shr(8 * u32::from(level))?;
        let tile = self.tiles.get(usize::from(level))?;
        let bytes = tile.get(..usize::from(width) * size_of::<Hash>())?;
        (index == hashes >> 8).then_some(Cow::Borrowed(bytes))
    }
}
