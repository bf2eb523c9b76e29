//! A whole tree in memory: every node of it, 64 bytes for each leaf. For tests, measurements and small logs.

use std::borrow::Cow;
use std::convert::Infallible;

use crate::hash::{Hash, node_hash};
use crate::tile::TileSource;

/// Every complete subtree's root, so that proofs are only looked up.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// By height: the roots of the complete subtrees of 2^height leaves.
    rows: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree that has no leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf by its hash ([`crate::leaf_hash`]).
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for height in 0.. {
            if height == self.rows.len() {
                self.rows.push(Vec::new());
            }
            let row = &mut self.rows[height];
            row.push(node);
            if row.len() % 2 == 1 {
                return;
            }
            node = node_hash(&row[row.len() - 2], &row[row.len() - 1]);
        }
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.rows.first().map_or(0, |leaves| leaves.len() as u64)
    }
}

impl FromIterator<Hash> for Tree {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut tree = Tree::new();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}

/// What lies beyond the tree is answered with an empty tile, which its reader refuses.
impl TileSource for Tree {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Cow<'_, [u8]>, Infallible> {
        let row = self.rows.get(8 * usize::from(level));
        let start = usize::try_from(index).ok().and_then(|i| i.checked_mul(256));
        let hashes = row
            .zip(start)
            .and_then(|(row, start)| row.get(start..start.checked_add(usize::from(width))?));
        Ok(Cow::Borrowed(hashes.unwrap_or_default().as_flattened()))
    }

    fn node(&self, height: u8, index: u64) -> Result<Option<Hash>, Infallible> {
        let row = self.rows.get(usize::from(height));
        let index = usize::try_from(index).ok();
        Ok(row
            .zip(index)
            .and_then(|(row, index)| row.get(index))
            .copied())
    }
}
