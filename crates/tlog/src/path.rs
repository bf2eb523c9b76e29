//! The way from a node up to the root: what inclusion and consistency proofs have in common.
//!
//! On the way from a node to the root of a tree, the lower part (`inner`) is
//! inside the smallest complete subtree that holds both the node and the end of
//! the tree, and has a sibling at every height, to the left or to the right.
//! Above it (`border`) the way runs along the right edge, and has a sibling
//! only where there is a complete subtree to the left.

use crate::hash::{Hash, node_hash};
use crate::tile::{Nodes, TileSource, TreeError};

/// Why a proof does not prove what it is said to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf lies beyond the end of the tree.
    #[error("there is no leaf {index} in a tree of {size} leaves")]
    NoSuchLeaf {
        /// The leaf the proof is for, from 0.
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
    /// Several leaves are not in ascending order, each once.
    #[error("the leaves of the proof are not in ascending order, each once")]
    Order,
    /// The proof has more or fewer hashes than its place in the tree needs.
    #[error("the proof has {found} hashes where {expected} are needed")]
    Length {
        /// How many hashes there should be.
        expected: usize,
        /// How many hashes there are.
        found: usize,
    },
    /// The leaf and the hashes do not lead to the tree's root.
    #[error("the leaf and the hashes of its proof do not lead to the root")]
    Root,
    /// The hashes do not lead to the root of the older tree.
    #[error("the hashes do not lead to the root of the older tree")]
    OldRoot,
    /// The hashes do not lead to the root of the newer tree. Where the proof starts
    /// from the old root itself (an old size that is a power of two), a wrong old
    /// root shows here.
    #[error("the hashes do not lead to the root of the newer tree")]
    NewRoot,
}

/// The shape of the way from node `index` of a row to the root, where `last` is
/// the last node of that row.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    index: u64,
    inner: u32,
    border: u32,
}

impl Shape {
    pub(crate) fn new(index: u64, last: u64) -> Self {
        let inner = u64::BITS - (index ^ last).leading_zeros();
        let border = index.checked_shr(inner).unwrap_or(0).count_ones();
        Shape {
            index,
            inner,
            border,
        }
    }

    /// How many siblings there are on the way.
    pub(crate) fn len(self) -> usize {
        (self.inner + self.border) as usize
    }

    /// The siblings on the way that are to the left (`true`) or to the right, lowest first.
    pub(crate) fn is_left(self) -> impl Iterator<Item = bool> {
        (0..self.inner)
            .map(move |height| self.index >> height & 1 == 1)
            .chain((0..self.border).map(|_| true))
    }

    /// Goes up from `node` with all siblings to the root they lead to.
    pub(crate) fn climb(self, node: &Hash, siblings: &[Hash]) -> Hash {
        self.is_left()
            .zip(siblings)
            .fold(*node, |node, (is_left, sibling)| {
                if is_left {
                    node_hash(sibling, &node)
                } else {
                    node_hash(&node, sibling)
                }
            })
    }
}

/// Appends the siblings on the way from the complete subtree of 2^`height`
/// leaves number `index` to the root of the tree of `size` leaves.
pub(crate) fn siblings<S: TileSource>(
    height: u8,
    index: u64,
    size: u64,
    nodes: &mut Nodes<'_, S>,
    out: &mut Vec<Hash>,
) -> Result<(), TreeError<S::Error>> {
    let mut index = index;
    let mut last = (size - 1) >> height;
    let mut height = height;
    while last > 0 {
        if index & 1 == 1 {
            out.push(nodes.complete(height, index - 1)?);
        } else if index + 1 < last || (index < last && size.trailing_zeros() >= height.into()) {
            out.push(nodes.complete(height, index + 1)?);
        } else if index < last {
            out.push(nodes.peaks_root(height)?);
        }
        index >>= 1;
        last >>= 1;
        height += 1;
    }
    Ok(())
}
