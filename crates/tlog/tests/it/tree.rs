//! Roots and proofs at every size to 300, from every source, against the model.

use std::borrow::Cow;
use std::collections::HashMap;

use tlog::{
    Edge, Frontier, Hash, ProofError, TILE_BYTES, TileSource, Tree, TreeError, leaf_hash,
    prove_consistency, prove_inclusion, root_at, root_of_empty, verify_consistency,
    verify_inclusion,
};

use crate::model;

const SIZE_MAX: u64 = 300;

/// What a ledger keeps: full tiles as they were given out, and the edge.
#[derive(Default)]
struct Stored {
    full: HashMap<(u8, u64), Vec<u8>>,
    edge: Edge,
}

impl Stored {
    fn new(size: u64) -> Self {
        let mut stored = Stored::default();
        for index in 0..size {
            stored.push(leaf_hash(&model::leaf_data(index)));
        }
        stored
    }

    fn push(&mut self, leaf: Hash) {
        self.edge.push(leaf, |tile| {
            let earlier = self
                .full
                .insert((tile.level, tile.index), tile.hashes.to_vec());
            assert_eq!(tile.hashes.len(), TILE_BYTES);
            assert!(earlier.is_none(), "a tile is completed once");
        });
    }
}

impl TileSource for Stored {
    type Error = String;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Cow<'_, [u8]>, String> {
        assert!((1..=256).contains(&width));
        match self.full.get(&(level, index)) {
            Some(hashes) => Ok(Cow::Borrowed(&hashes[..usize::from(width) * 32])),
            None => self
                .edge
                .tile(level, index, width)
                .ok_or_else(|| format!("no tile {level}/{index} of {width}")),
        }
    }
}

#[test]
fn every_root_at_every_size_is_the_models() {
    let stored = Stored::new(SIZE_MAX);
    let leaves = model::leaves(SIZE_MAX);
    let tree: Tree = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let mut frontier = Frontier::new();
    let mut edge = Edge::new();
    for size in 0..=SIZE_MAX {
        let expected = model::root(&leaves[..size as usize]);
        assert_eq!(frontier.size(), size);
        assert_eq!(frontier.root(), expected, "size {size}");
        assert_eq!(edge.root(), expected);
        assert_eq!(root_at(size, &stored), Ok(expected), "size {size}");
        assert_eq!(root_at(size, &tree), Ok(expected), "size {size}");
        assert_eq!(Frontier::from_tiles(size, &stored).as_ref(), Ok(&frontier));
        assert_eq!(Frontier::from_tiles(size, &tree).as_ref(), Ok(&frontier));
        assert_eq!(Edge::from_tiles(size, &stored).as_ref(), Ok(&edge));
        let leaf = leaf_hash(&model::leaf_data(size));
        frontier.push(leaf);
        edge.push(leaf, |_| {});
    }
}

#[test]
fn every_inclusion_proof_is_the_models_and_verifies() {
    let stored = Stored::new(SIZE_MAX);
    let leaves = model::leaves(SIZE_MAX);
    let tree: Tree = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    for size in 1..=SIZE_MAX {
        let root = root_at(size, &tree).unwrap();
        for index in 0..size {
            let proof = prove_inclusion(index, size, &tree).unwrap();
            let leaf = leaf_hash(&leaves[index as usize]);
            assert_eq!(verify_inclusion(index, size, &leaf, &proof, &root), Ok(()));
            if size % 37 == 0 || size > SIZE_MAX - 2 || [255, 256, 257].contains(&size) {
                assert_eq!(prove_inclusion(index, size, &stored).as_ref(), Ok(&proof));
                assert_eq!(proof, model::path(index as usize, &leaves[..size as usize]));
            }
        }
    }
}

#[test]
fn every_consistency_proof_is_the_models_and_verifies() {
    let stored = Stored::new(SIZE_MAX);
    let leaves = model::leaves(SIZE_MAX);
    let tree: Tree = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let root = |size| root_at(size, &tree).unwrap();
    for new in 0..=SIZE_MAX {
        let new_root = root(new);
        for old in 0..=new {
            let proof = prove_consistency(old, new, &tree).unwrap();
            let verified = verify_consistency(old, &root(old), new, &new_root, &proof);
            assert_eq!(verified, Ok(()), "{old} to {new}");
            if new % 37 == 0 || new > SIZE_MAX - 2 || [255, 256, 257].contains(&new) {
                assert_eq!(prove_consistency(old, new, &stored).as_ref(), Ok(&proof));
                if 0 < old && old < new {
                    let expected = model::consistency(old as usize, &leaves[..new as usize]);
                    assert_eq!(proof, expected, "{old} to {new}");
                }
            }
        }
    }
}
