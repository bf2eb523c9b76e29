//! The two hashes of the tree: RFC 6962, section 2.1. Nothing else hashes a leaf or a node.
//!
//! Leaves and nodes start with different bytes, so that no leaf can be passed
//! off as the node above two others.

use sha2::block_api::compress256;
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
    // The message is always 65 bytes, so its padding is always the same: both
    // blocks are written out, which saves a quarter of the time.
    let mut blocks = [[0; 64], SECOND_BLOCK];
    blocks[0][0] = 1;
    blocks[0][1..33].copy_from_slice(left);
    blocks[0][33..].copy_from_slice(&right[..31]);
    blocks[1][0] = right[31];
    let mut state = INITIAL_STATE;
    compress256(&mut state, &blocks);
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

/// The end of a message of 65 bytes, without its last one: FIPS 180-4, 5.1.1.
const SECOND_BLOCK: [u8; 64] = {
    let mut block = [0; 64];
    block[1] = 0x80;
    [block[62], block[63]] = (65_u16 * 8).to_be_bytes();
    block
};

/// What SHA-256 starts from: FIPS 180-4, 5.3.3.
const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The root of the tree that has no leaves: SHA-256 of nothing.
pub fn root_of_empty() -> Hash {
    Sha256::digest([]).into()
}
