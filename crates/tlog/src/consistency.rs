//! That one tree begins with all the leaves of an older one: RFC 6962, section 2.1.2.

use crate::hash::{Hash, node_hash, root_of_empty};
use crate::path::{ProofError, Shape, siblings};
use crate::tile::{Nodes, TileSource, TreeError};

/// The hashes that show that the tree of `new` leaves begins with the tree of `old` leaves.
///
/// Empty if `old` is 0 or equals `new`. The source must hold a tree of at least
/// `new` leaves.
pub fn prove_consistency<S: TileSource>(
    old: u64,
    new: u64,
    source: &S,
) -> Result<Vec<Hash>, TreeError<S::Error>> {
    if old > new {
        return Err(TreeError::NotOlder { old, new });
    }
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    let mut nodes = Nodes::new(new, source);
    // The last complete subtree of the old tree: the way up from it crosses all
    // that both trees share, and all that the new one added. If it is the whole
    // old tree, the verifier has it already.
    let height = old.trailing_zeros() as u8;
    let index = (old - 1) >> height;
    if !old.is_power_of_two() {
        proof.push(nodes.complete(height, index)?);
    }
    siblings(height, index, new, &mut nodes, &mut proof)?;
    Ok(proof)
}

/// Checks that the tree of `new` leaves under `new_root` begins with the tree of `old` leaves under `old_root`.
///
/// Each size and its root must come from one signed checkpoint.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::NotOlder { old, new });
    }
    if old == 0 || old == new {
        if !proof.is_empty() {
            return Err(ProofError::Length {
                expected: 0,
                found: proof.len(),
            });
        }
        if old == 0 && *old_root != root_of_empty() {
            return Err(ProofError::OldRoot);
        }
        if old == new && old_root != new_root {
            return Err(ProofError::NewRoot);
        }
        return Ok(());
    }
    let height = old.trailing_zeros();
    let shape = Shape::new((old - 1) >> height, (new - 1) >> height);
    let given = usize::from(!old.is_power_of_two());
    if proof.len() != given + shape.len() {
        return Err(ProofError::Length {
            expected: given + shape.len(),
            found: proof.len(),
        });
    }
    let (first, siblings) = if given == 1 {
        (&proof[0], &proof[1..])
    } else {
        (old_root, proof)
    };
    // Siblings to the left are in both trees; those to the right only in the new one.
    let old_computed = shape
        .is_left()
        .zip(siblings)
        .filter(|(is_left, _)| *is_left)
        .fold(*first, |node, (_, sibling)| node_hash(sibling, &node));
    if old_computed != *old_root {
        return Err(ProofError::OldRoot);
    }
    if shape.climb(first, siblings) != *new_root {
        return Err(ProofError::NewRoot);
    }
    Ok(())
}
