//! That a leaf is in a tree: RFC 6962, section 2.1.1.

use crate::hash::Hash;
use crate::path::{ProofError, Shape, siblings};
use crate::tile::{Nodes, TileSource, TreeError};

/// The hashes that lead from leaf `index` to the root of the tree of `size` leaves, lowest first.
///
/// The source must hold a tree of at least `size` leaves. What it holds is not
/// checked: a proof from damaged tiles does not verify, and whoever hands proofs
/// out should see that they do.
pub fn prove_inclusion<S: TileSource>(
    index: u64,
    size: u64,
    source: &S,
) -> Result<Vec<Hash>, TreeError<S::Error>> {
    if index >= size {
        return Err(TreeError::NoSuchLeaf { index, size });
    }
    let mut proof = Vec::with_capacity(Shape::new(index, size - 1).len());
    siblings(0, index, size, &mut Nodes::new(size, source), &mut proof)?;
    Ok(proof)
}

/// Checks that the leaf with the hash `leaf` is number `index` of the `size` leaves under `root`.
///
/// `size` and `root` must come from one signed checkpoint: the proof says
/// nothing about a size that was given apart from its root.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    let shape = Shape::new(index, size - 1);
    if proof.len() != shape.len() {
        return Err(ProofError::Length {
            expected: shape.len(),
            found: proof.len(),
        });
    }
    if shape.climb(leaf, proof) != *root {
        return Err(ProofError::Root);
    }
    Ok(())
}
