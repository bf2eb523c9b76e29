//! RFC 6962, section 2.1, word for word: recursive, slow and plain.

use sha2::{Digest, Sha256};
use tlog::Hash;

/// The data of the leaf at `index` in every test tree.
pub fn leaf_data(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

/// The data of all leaves of the test tree of `size` leaves.
pub fn leaves(size: u64) -> Vec<Vec<u8>> {
    (0..size).map(leaf_data).collect()
}

fn sha256(parts: &[&[u8]]) -> Hash {
    Sha256::digest(parts.concat()).into()
}

fn split(n: usize) -> usize {
    // The largest power of two smaller than n.
    n.next_power_of_two() / 2
}

/// MTH(D): the root over the leaves `d`.
pub fn root(d: &[Vec<u8>]) -> Hash {
    match d {
        [] => sha256(&[]),
        [leaf] => sha256(&[&[0], leaf]),
        _ => {
            let k = split(d.len());
            sha256(&[&[1], &root(&d[..k]), &root(&d[k..])])
        }
    }
}

/// PATH(m, D): the inclusion proof of leaf `m`.
pub fn path(m: usize, d: &[Vec<u8>]) -> Vec<Hash> {
    if d.len() == 1 {
        return Vec::new();
    }
    let k = split(d.len());
    let (mut proof, sibling) = if m < k {
        (path(m, &d[..k]), root(&d[k..]))
    } else {
        (path(m - k, &d[k..]), root(&d[..k]))
    };
    proof.push(sibling);
    proof
}

/// PROOF(m, D): the consistency proof from the first `m` leaves, 0 < m < |D|.
pub fn consistency(m: usize, d: &[Vec<u8>]) -> Vec<Hash> {
    subproof(m, d, true)
}

fn subproof(m: usize, d: &[Vec<u8>], is_known: bool) -> Vec<Hash> {
    if m == d.len() {
        return if is_known { Vec::new() } else { vec![root(d)] };
    }
    let k = split(d.len());
    let (mut proof, sibling) = if m <= k {
        (subproof(m, &d[..k], is_known), root(&d[k..]))
    } else {
        (subproof(m - k, &d[k..], false), root(&d[..k]))
    };
    proof.push(sibling);
    proof
}
