//! The two hashes of the tree: RFC 6962, section 2.1. Nothing else hashes a leaf or a node.
//!
//! Leaves and nodes start with different bytes, so that no leaf can be passed
//! off as the node above two others.

use sha2::{Digest, Sha256};

/// A SHA-256 hash: of a leaf, of a node, or the root of a tree.
pub type Hash = [u8; 32];

/// The hash of a leaf: SHA-256 of the byte 0 and the leaf's data.
pub fn leaf_hash(data: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(data);
    hasher.finalize().into()
}

/// The hash of a node: SHA-256 of the byte 1 and the hashes of its two children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// The root of the tree that has no leaves: SHA-256 of nothing.
pub fn root_of_empty() -> Hash {
    Sha256::digest([]).into()
}
