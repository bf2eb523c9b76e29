//! Several leaves under one root: their inclusion proofs together, with no hash twice.
//!
//! The tree is gone through from the root, left before right. Where a part of
//! it holds none of the leaves, its root is the next hash of the proof; where
//! it is one of the leaves, nothing is. So the hashes of one leaf are its
//! inclusion proof in the order in which it is met from the root, and a leaf's
//! neighbours cost next to nothing.

use crate::hash::{Hash, node_hash};
use crate::path::ProofError;
use crate::tile::{Nodes, TileSource, TreeError};

/// The hashes that show where these leaves are in the tree of `size` leaves.
///
/// `indexes` are the leaves' numbers, ascending, each once. The source must hold
/// a tree of at least `size` leaves. Of no leaves, the proof is the root itself.
pub fn prove_inclusions<S: TileSource>(
    indexes: &[u64],
    size: u64,
    source: &S,
) -> Result<Vec<Hash>, TreeError<S::Error>> {
    if let Some(index) = indexes.last().copied().filter(|last| *last >= size) {
        return Err(TreeError::NoSuchLeaf { index, size });
    }
    let mut nodes = Nodes::new(size, source);
    let mut proof = Vec::new();
    let mut parts = vec![(Part { from: 0, to: size }, indexes)];
    // An explicit stack, the next part on top: left before right.
    while let Some((part, indexes)) = parts.pop() {
        if indexes.is_empty() {
            proof.push(part.root(&mut nodes)?);
        } else if let Some((left, right)) = part.split() {
            let (of_left, of_right) = indexes.split_at(left.count(indexes));
            parts.push((right, of_right));
            parts.push((left, of_left));
        }
    }
    Ok(proof)
}

/// The same hashes, put together from the leaves' own inclusion proofs in the tree of `size` leaves.
///
/// `proofs` are numbers and proofs, ascending, each leaf once; `None` if they are
/// not, or if a proof is longer or shorter than its place needs. Nothing else is
/// checked.
pub fn join_inclusions(proofs: &[(u64, Vec<Hash>)], size: u64) -> Option<Vec<Hash>> {
    let is_ascending = proofs.is_sorted_by(|(one, _), (next, _)| one < next);
    let (last, _) = proofs.last()?;
    if !is_ascending || *last >= size {
        return None;
    }
    let mut joined = Vec::new();
    // How far down each part is, and a leaf next to it whose proof has the part's root.
    let mut parts = vec![(Part { from: 0, to: size }, proofs, 0, None::<&[Hash]>)];
    while let Some((part, proofs, depth, beside)) = parts.pop() {
        let Some((_, own)) = proofs.first() else {
            // A proof begins at the leaf: the sibling met last from the root is its first hash.
            let beside = beside?;
            joined.push(*beside.get(beside.len().checked_sub(depth)?)?);
            continue;
        };
        match part.split() {
            None if own.len() == depth => {}
            None => return None,
            Some((left, right)) => {
                let count = proofs.partition_point(|(index, _)| *index < left.to);
                let (of_left, of_right) = proofs.split_at(count);
                let beside_right = of_left.first().map(|(_, proof)| proof.as_slice());
                let beside_left = of_right.first().map(|(_, proof)| proof.as_slice());
                parts.push((right, of_right, depth + 1, beside_right));
                parts.push((left, of_left, depth + 1, beside_left));
            }
        }
    }
    Some(joined)
}

/// Checks that the leaves with these numbers and hashes are in the tree of `size` leaves under `root`.
///
/// `leaves` must be in ascending order, each once. Size and root must come from
/// one signed checkpoint.
pub fn verify_inclusions(
    leaves: &[(u64, Hash)],
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if !leaves.is_sorted_by(|(one, _), (next, _)| one < next) {
        return Err(ProofError::Order);
    }
    if let Some((index, _)) = leaves.last().filter(|(last, _)| *last >= size) {
        return Err(ProofError::NoSuchLeaf {
            index: *index,
            size,
        });
    }
    let expected = length(leaves, size);
    if proof.len() != expected {
        return Err(ProofError::Length {
            expected,
            found: proof.len(),
        });
    }
    let mut rest = proof.iter();
    let computed = Part { from: 0, to: size }.climb(leaves, &mut rest);
    if computed != Some(*root) {
        return Err(ProofError::Root);
    }
    Ok(())
}

/// How many hashes a proof of these leaves has.
fn length(leaves: &[(u64, Hash)], size: u64) -> usize {
    let mut length = 0;
    let mut parts = vec![(Part { from: 0, to: size }, leaves)];
    while let Some((part, leaves)) = parts.pop() {
        if leaves.is_empty() {
            length += 1;
        } else if let Some((left, right)) = part.split() {
            let count = leaves.partition_point(|(index, _)| *index < left.to);
            parts.push((left, &leaves[..count]));
            parts.push((right, &leaves[count..]));
        }
    }
    length
}

/// A part of the tree: the leaves from `from` on, before `to`.
#[derive(Clone, Copy)]
struct Part {
    from: u64,
    to: u64,
}

impl Part {
    /// Its two halves as RFC 6962 splits a tree; `None` for a single leaf.
    fn split(self) -> Option<(Part, Part)> {
        let leaves = self.to - self.from;
        if leaves < 2 {
            return None;
        }
        // The largest power of two that is smaller than the number of leaves.
        let middle = self.from + (1 << (63 - (leaves - 1).leading_zeros()));
        let (from, to) = (self.from, self.to);
        Some((Part { from, to: middle }, Part { from: middle, to }))
    }

    fn count(self, indexes: &[u64]) -> usize {
        indexes.partition_point(|index| *index < self.to)
    }

    /// The root over it: a complete subtree, or the right edge of the tree.
    fn root<S: TileSource>(self, nodes: &mut Nodes<'_, S>) -> Result<Hash, TreeError<S::Error>> {
        let leaves = self.to - self.from;
        let height = 64 - leaves.saturating_sub(1).leading_zeros();
        // At most 64.
        let height = height as u8;
        if leaves.is_power_of_two() {
            nodes.complete(height, self.from >> height)
        } else {
            nodes.peaks_root(height)
        }
    }

    /// The root that leaves and hashes lead to; as deep as the tree is high, 64 at most.
    fn climb<'p>(
        self,
        leaves: &[(u64, Hash)],
        proof: &mut impl Iterator<Item = &'p Hash>,
    ) -> Option<Hash> {
        if leaves.is_empty() {
            return proof.next().copied();
        }
        match self.split() {
            None => leaves.first().map(|(_, hash)| *hash),
            Some((left, right)) => {
                let count = leaves.partition_point(|(index, _)| *index < left.to);
                let left = left.climb(&leaves[..count], proof)?;
                let right = right.climb(&leaves[count..], proof)?;
                Some(node_hash(&left, &right))
            }
        }
    }
}
