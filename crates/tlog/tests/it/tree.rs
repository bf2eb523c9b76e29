//! Roots and proofs at every size to 300, from every source, against the model.

use std::borrow::Cow;
use std::collections::HashMap;

use tlog::{
    Edge, Frontier, Hash, ProofError, TILE_BYTES, TileSource, Tree, TreeError, join_inclusions,
    leaf_hash, prove_consistency, prove_inclusion, prove_inclusions, root_at, root_of_empty,
    tile_root, verify_consistency, verify_inclusion, verify_inclusions, width,
};

use crate::model;

const SIZE_MAX: u64 = 300;

fn memory(size: u64) -> Tree {
    (0..size)
        .map(|index| leaf_hash(&model::leaf_data(index)))
        .collect()
}

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

    fn node(&self, height: u8, index: u64) -> Result<Option<Hash>, String> {
        Ok(self.edge.node(height, index))
    }
}

#[test]
fn every_root_at_every_size_is_the_models() {
    let stored = Stored::new(SIZE_MAX);
    let leaves = model::leaves(SIZE_MAX);
    let tree = memory(SIZE_MAX);
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
    let tree = memory(SIZE_MAX);
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
    let tree = memory(SIZE_MAX);
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

/// Proofs that differ from a good one in one thing.
fn altered(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for at in 0..proof.len() {
        let mut flipped = proof.to_vec();
        // Every byte and every bit gets its turn as `at` and the length vary.
        flipped[at][(7 * at + proof.len()) % 32] ^= 1 << (at % 8);
        all.push(flipped);
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        all.push(shorter);
        let mut longer = proof.to_vec();
        longer.insert(at, proof[at]);
        all.push(longer);
        if at > 0 {
            let mut swapped = proof.to_vec();
            swapped.swap(at - 1, at);
            all.push(swapped);
        }
    }
    let mut longer = proof.to_vec();
    longer.push([0; 32]);
    all.push(longer);
    all
}

fn flipped(hash: Hash) -> Hash {
    let mut hash = hash;
    hash[31] ^= 0x80;
    hash
}

#[test]
fn no_altered_inclusion_proof_verifies() {
    let tree = memory(SIZE_MAX);
    for size in 1..=SIZE_MAX {
        let root = root_at(size, &tree).unwrap();
        for index in (0..size).filter(|index| size < 70 || (index + size) % 7 == 0) {
            let proof = prove_inclusion(index, size, &tree).unwrap();
            let leaf = leaf_hash(&model::leaf_data(index));
            let verify = |index, size, leaf: &Hash, proof: &[Hash], root: &Hash| {
                verify_inclusion(index, size, leaf, proof, root)
            };
            for altered in altered(&proof) {
                let error = verify(index, size, &leaf, &altered, &root).unwrap_err();
                if altered.len() == proof.len() {
                    assert_eq!(error, ProofError::Root);
                } else {
                    let (expected, found) = (proof.len(), altered.len());
                    assert_eq!(error, ProofError::Length { expected, found });
                }
            }
            let other_leaf = verify(index, size, &flipped(leaf), &proof, &root);
            assert_eq!(other_leaf, Err(ProofError::Root));
            let other_root = verify(index, size, &leaf, &proof, &flipped(root));
            assert_eq!(other_root, Err(ProofError::Root));
            let elsewhere = |other: u64| verify(other, size, &leaf, &proof, &root);
            if size < 70 {
                for other in (0..size + 2).filter(|other| *other != index) {
                    assert!(elsewhere(other).is_err(), "{index} as {other} of {size}");
                }
            } else {
                for other in [index ^ 1, index ^ 2, index + 1, size - 1 - index, u64::MAX] {
                    assert!(other == index || elsewhere(other).is_err());
                }
            }
        }
    }
}

#[test]
fn no_altered_consistency_proof_verifies() {
    let tree = memory(SIZE_MAX);
    let roots: Vec<Hash> = (0..=SIZE_MAX)
        .map(|size| root_at(size, &tree).unwrap())
        .collect();
    for new in 0..=SIZE_MAX {
        for old in (0..=new).filter(|old| new < 70 || (old + new) % 7 == 0) {
            let proof = prove_consistency(old, new, &tree).unwrap();
            let (old_root, new_root) = (roots[old as usize], roots[new as usize]);
            for altered in altered(&proof) {
                let verified = verify_consistency(old, &old_root, new, &new_root, &altered);
                match verified.unwrap_err() {
                    ProofError::Length { expected, found } => {
                        assert_eq!((expected, found), (proof.len(), altered.len()));
                    }
                    ProofError::OldRoot | ProofError::NewRoot => {
                        assert_eq!(proof.len(), altered.len());
                    }
                    error => panic!("{old} to {new}: {error}"),
                }
            }
            let verified = verify_consistency(old, &flipped(old_root), new, &new_root, &proof);
            let expected = if old.is_power_of_two() || (old == new && old > 0) {
                ProofError::NewRoot
            } else {
                ProofError::OldRoot
            };
            assert_eq!(verified, Err(expected), "{old} to {new}");
            // Any tree begins with the tree of no leaves.
            let verified = verify_consistency(old, &old_root, new, &flipped(new_root), &proof);
            let expected = if old == 0 && new > 0 {
                Ok(())
            } else {
                Err(ProofError::NewRoot)
            };
            assert_eq!(verified, expected, "{old} to {new}");
        }
    }
}

#[test]
fn a_rewritten_entry_is_inconsistent_with_every_tree_that_had_it() {
    let honest = memory(SIZE_MAX);
    for rewritten in [0, 1, 127, 128, 254, 255, 256, 298] {
        let mut forged = Tree::new();
        for index in 0..SIZE_MAX {
            let data = model::leaf_data(if index == rewritten { 999 } else { index });
            forged.push(leaf_hash(&data));
        }
        let new_root = root_at(SIZE_MAX, &forged).unwrap();
        for old in 1..SIZE_MAX {
            let proof = prove_consistency(old, SIZE_MAX, &forged).unwrap();
            let old_root = root_at(old, &honest).unwrap();
            let verified = verify_consistency(old, &old_root, SIZE_MAX, &new_root, &proof);
            let expected = if old <= rewritten {
                Ok(())
            } else {
                // A single node that is the whole old tree shows in the new root only.
                match old.is_power_of_two() {
                    true => Err(ProofError::NewRoot),
                    false => Err(ProofError::OldRoot),
                }
            };
            assert_eq!(verified, expected, "{rewritten} rewritten after {old}");
        }
    }
}

/// Asserted as it is: this is why a size is never taken apart from its root.
#[test]
fn a_size_given_apart_from_its_root_is_not_proved() {
    let tree = memory(SIZE_MAX);
    let root = root_at(7, &tree).unwrap();
    let leaf = leaf_hash(&model::leaf_data(0));
    let proof = prove_inclusion(0, 7, &tree).unwrap();
    assert_eq!(verify_inclusion(0, 7, &leaf, &proof, &root), Ok(()));
    assert_eq!(verify_inclusion(0, 8, &leaf, &proof, &root), Ok(()));
}

#[test]
fn three_levels_of_tiles_agree_with_memory() {
    // Around the first tile of level 2, and off every boundary.
    let sizes = [65_279, 65_280, 65_535, 65_536, 65_537, 65_792, 66_003];
    let stored = Stored::new(66_003);
    let tree = memory(66_003);
    assert_eq!(stored.full.len(), 257 + 1);
    for size in sizes {
        assert_eq!(root_at(size, &stored).ok(), root_at(size, &tree).ok());
        let edge = Edge::from_tiles(size, &stored).unwrap();
        assert_eq!(Ok(edge.root()), root_at(size, &tree));
        assert_eq!(edge.frontier(), &Frontier::from_tiles(size, &tree).unwrap());
        let root = edge.root();
        for index in (0..size).step_by(997).chain([255, 256, 65_278, size - 1]) {
            let proof = prove_inclusion(index, size, &stored).unwrap();
            assert_eq!(prove_inclusion(index, size, &tree).as_ref(), Ok(&proof));
            let leaf = leaf_hash(&model::leaf_data(index));
            assert_eq!(verify_inclusion(index, size, &leaf, &proof, &root), Ok(()));
        }
        for old in (1..size).step_by(997).chain([256, 65_278, size - 1]) {
            let proof = prove_consistency(old, size, &stored).unwrap();
            assert_eq!(prove_consistency(old, size, &tree).as_ref(), Ok(&proof));
            let old_root = root_at(old, &stored).unwrap();
            assert_eq!(
                verify_consistency(old, &old_root, size, &root, &proof),
                Ok(())
            );
        }
    }
}

#[test]
fn an_edge_continues_from_stored_tiles_and_completes_the_same_ones() {
    let whole = Stored::new(600);
    for size in [0, 1, 255, 256, 257, 511, 512, 599] {
        let mut continued = Stored::new(size);
        continued.edge = Edge::from_tiles(size, &whole).unwrap();
        for index in size..600 {
            continued.push(leaf_hash(&model::leaf_data(index)));
        }
        assert_eq!(continued.edge, whole.edge, "continued from {size}");
        assert_eq!(continued.full, whole.full, "continued from {size}");
    }
}

#[test]
fn an_edge_has_its_own_tiles_and_no_others() {
    let edge = Stored::new(600).edge;
    // level, index, width, is it there
    let table = [
        (0, 2, 88, true),
        (0, 2, 1, true),
        (0, 2, 89, false),
        (0, 1, 88, false),
        (0, 3, 1, false),
        (1, 0, 2, true),
        (1, 0, 3, false),
        (1, 1, 1, false),
        (2, 0, 1, false),
        (255, 0, 1, false),
    ];
    for (level, index, width, expected) in table {
        let tile = edge.tile(level, index, width);
        assert_eq!(tile.is_some(), expected, "{level}/{index} of {width}");
    }
}

#[test]
fn a_full_tiles_root_is_the_next_levels_hash() {
    let stored = Stored::new(600);
    for index in 0..2 {
        let root = tile_root(&stored.full[&(0, index)]);
        let above = stored.tile(1, 0, 2).unwrap();
        assert_eq!(root.as_slice(), &above[32 * index as usize..][..32]);
    }
}

#[test]
fn a_frontier_knows_its_own_nodes_and_no_others() {
    let tree = memory(SIZE_MAX);
    for size in 0..=SIZE_MAX {
        let frontier = Frontier::from_tiles(size, &tree).unwrap();
        for height in 0..10 {
            for index in 0..=size >> height {
                let is_peak = size >> height & 1 == 1 && index == (size >> height) - 1;
                let expected = is_peak.then(|| tree.node(height, index).unwrap().unwrap());
                assert_eq!(frontier.node(height, index), expected);
            }
        }
        assert_eq!(frontier.node(64, 0), None);
    }
}

#[test]
fn tiles_are_as_wide_as_the_specification_says() {
    // size, level, index, width
    let table = [
        (0, 0, 0, 0),
        (1, 0, 0, 1),
        (255, 0, 0, 255),
        (256, 0, 0, 256),
        (256, 0, 1, 0),
        (256, 1, 0, 1),
        (70_000, 0, 272, 256),
        (70_000, 0, 273, 112),
        (70_000, 1, 0, 256),
        (70_000, 1, 1, 17),
        (70_000, 2, 0, 1),
        (70_000, 3, 0, 0),
        (70_000, 63, 0, 0),
        (u64::MAX, 7, 0, 255),
        (u64::MAX, 0, u64::MAX, 0),
    ];
    for (size, level, index, expected) in table {
        assert_eq!(
            width(level, index, size),
            expected,
            "{size} {level}/{index}"
        );
    }
}

/// Sources that fail or lie are named, with the tile.
#[test]
fn a_missing_short_or_long_tile_is_named() {
    struct Bad;
    impl TileSource for Bad {
        type Error = String;
        fn tile(&self, level: u8, _: u64, width: u16) -> Result<Cow<'_, [u8]>, String> {
            match level {
                0 => Ok(Cow::Owned(vec![
                    0;
                    usize::from(width) * 32
                        + usize::from(width == 7)
                ])),
                1 => Ok(Cow::Owned(vec![0; usize::from(width) * 32 - 1])),
                _ => Err("the disk is gone".to_owned()),
            }
        }
    }
    let short = TreeError::TileLength {
        level: 1,
        index: 0,
        expected: 96,
        found: 95,
    };
    assert_eq!(root_at(800, &Bad), Err(short));
    let long = TreeError::TileLength {
        level: 0,
        index: 3,
        expected: 224,
        found: 225,
    };
    assert_eq!(root_at(775, &Bad), Err(long));
    let gone = TreeError::Tile {
        level: 2,
        index: 0,
        source: "the disk is gone".to_owned(),
    };
    assert_eq!(root_at(65_536, &Bad), Err(gone));
    // What is larger than the tree in memory is refused as well.
    let tree = memory(5);
    assert!(matches!(
        root_at(9, &tree),
        Err(TreeError::TileLength {
            level: 0,
            index: 0,
            expected: 288,
            found: 0
        })
    ));
}

#[test]
fn what_is_not_in_the_tree_cannot_be_proved() {
    let tree = memory(5);
    let no_such = |index, size| TreeError::NoSuchLeaf { index, size };
    assert_eq!(prove_inclusion(5, 5, &tree), Err(no_such(5, 5)));
    assert_eq!(prove_inclusion(0, 0, &tree), Err(no_such(0, 0)));
    let not_older = TreeError::NotOlder { old: 5, new: 4 };
    assert_eq!(prove_consistency(5, 4, &tree), Err(not_older));
    let hash = [0; 32];
    for (index, size) in [(0, 0), (5, 5), (u64::MAX, u64::MAX)] {
        let verified = verify_inclusion(index, size, &hash, &[], &hash);
        assert_eq!(verified, Err(ProofError::NoSuchLeaf { index, size }));
    }
    let verified = verify_consistency(2, &hash, 1, &hash, &[]);
    assert_eq!(verified, Err(ProofError::NotOlder { old: 2, new: 1 }));
    assert_eq!(root_at(0, &tree), Ok(root_of_empty()));
}

#[test]
fn the_largest_sizes_are_verified_without_overflow() {
    let hash = [7; 32];
    // index, size, the length a proof must have
    let table = [
        (0, u64::MAX, 64),
        (u64::MAX - 1, u64::MAX, 63),
        (0, 1 << 63, 63),
        (1 << 63, (1 << 63) + 1, 1),
    ];
    for (index, size, expected) in table {
        let none = verify_inclusion(index, size, &hash, &[], &hash);
        assert_eq!(none, Err(ProofError::Length { expected, found: 0 }));
        let all = verify_inclusion(index, size, &hash, &vec![hash; expected], &hash);
        assert_eq!(all, Err(ProofError::Root));
    }
    // old, new, the length a proof must have, which root a wrong proof misses
    let table = [
        (1, u64::MAX, 64, ProofError::NewRoot),
        (1 << 63, u64::MAX, 1, ProofError::NewRoot),
        (u64::MAX - 1, u64::MAX, 64, ProofError::OldRoot),
    ];
    for (old, new, expected, wrong) in table {
        let none = verify_consistency(old, &hash, new, &hash, &[]);
        assert_eq!(none, Err(ProofError::Length { expected, found: 0 }));
        let all = verify_consistency(old, &hash, new, &hash, &vec![hash; expected]);
        assert_eq!(all, Err(wrong), "{old} to {new}");
    }
}

/// Some sets of leaves of a tree of this size: single ones, neighbours, all, and scattered ones.
fn sets(size: u64) -> Vec<Vec<u64>> {
    let mut sets: Vec<Vec<u64>> = (0..size).map(|index| vec![index]).collect();
    sets.extend((1..size).map(|index| vec![index - 1, index]));
    sets.push((0..size).collect());
    sets.push((0..size).step_by(3).collect());
    for seed in 1..9_u64 {
        let is_in = |index: &u64| index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60 < seed;
        sets.push((0..size).filter(is_in).collect());
    }
    sets
}

#[test]
fn several_leaves_are_proved_at_once_and_no_altered_proof_verifies() {
    let mut tried = 0;
    for size in (1..=33).chain([64, 65, 100]) {
        let tree: Tree = (0..size).map(|i| leaf_hash(&model::leaf_data(i))).collect();
        let root = root_at(size, &tree).unwrap();
        for indexes in sets(size) {
            let leaves: Vec<(u64, Hash)> = indexes
                .iter()
                .map(|index| (*index, leaf_hash(&model::leaf_data(*index))))
                .collect();
            let proof = prove_inclusions(&indexes, size, &tree).unwrap();
            assert_eq!(verify_inclusions(&leaves, size, &proof, &root), Ok(()));
            let single: Vec<(u64, Vec<Hash>)> = indexes
                .iter()
                .map(|index| (*index, prove_inclusion(*index, size, &tree).unwrap()))
                .collect();
            match join_inclusions(&single, size) {
                Some(joined) => assert_eq!(joined, proof, "{indexes:?} of {size}"),
                None => assert!(indexes.is_empty()),
            }
            if let [(_, own)] = single.as_slice() {
                let (mut own, mut one) = (own.clone(), proof.clone());
                own.sort_unstable();
                one.sort_unstable();
                assert_eq!(own, one, "one leaf's proof is its inclusion proof");
            }
            for at in 0..proof.len() {
                let mut altered = proof.clone();
                altered[at][7] ^= 1;
                let refused = verify_inclusions(&leaves, size, &altered, &root);
                assert_eq!(refused, Err(ProofError::Root));
                let mut shorter = proof.clone();
                shorter.remove(at);
                let refused = verify_inclusions(&leaves, size, &shorter, &root);
                assert!(matches!(refused, Err(ProofError::Length { .. })));
                tried += 1;
            }
            for at in 0..leaves.len() {
                let mut altered = leaves.clone();
                altered[at].1[7] ^= 1;
                let refused = verify_inclusions(&altered, size, &proof, &root);
                assert_eq!(refused, Err(ProofError::Root));
                // A leaf left out or in another place needs another proof.
                let mut fewer = leaves.clone();
                fewer.remove(at);
                assert!(verify_inclusions(&fewer, size, &proof, &root).is_err());
                let mut moved = leaves.clone();
                moved[at].0 += 1;
                assert!(verify_inclusions(&moved, size, &proof, &root).is_err());
            }
        }
    }
    assert!(tried > 10_000);
}

#[test]
fn leaves_out_of_order_or_beyond_the_end_are_refused() {
    let tree: Tree = (0..5).map(|i| leaf_hash(&model::leaf_data(i))).collect();
    let root = root_at(5, &tree).unwrap();
    let leaf = |index: u64| (index, leaf_hash(&model::leaf_data(index)));
    let proof = prove_inclusions(&[1, 3], 5, &tree).unwrap();
    let check = |leaves: &[(u64, Hash)]| verify_inclusions(leaves, 5, &proof, &root);
    assert_eq!(check(&[leaf(1), leaf(3)]), Ok(()));
    assert_eq!(check(&[leaf(3), leaf(1)]), Err(ProofError::Order));
    assert_eq!(check(&[leaf(1), leaf(1)]), Err(ProofError::Order));
    let beyond = ProofError::NoSuchLeaf { index: 5, size: 5 };
    assert_eq!(check(&[leaf(1), leaf(5)]), Err(beyond));
    assert!(matches!(
        prove_inclusions(&[1, 5], 5, &tree),
        Err(TreeError::NoSuchLeaf { index: 5, size: 5 })
    ));
    // Of no leaves: the root.
    assert_eq!(prove_inclusions(&[], 5, &tree), Ok(vec![root]));
    assert_eq!(verify_inclusions(&[], 5, &[root], &root), Ok(()));
    assert_eq!(
        prove_inclusions(&[], 0, &tree),
        Ok(vec![tlog::root_of_empty()])
    );
    let own = |index| (index, prove_inclusion(index, 5, &tree).unwrap());
    assert_eq!(join_inclusions(&[own(1), own(3)], 5), Some(proof.clone()));
    for wrong in [
        vec![],
        vec![own(3), own(1)],
        vec![own(1), own(1)],
        vec![(5, Vec::new())],
        vec![(1, Vec::new()), own(3)],
        vec![own(1), (3, Vec::new())],
        vec![(4, own(1).1)],
    ] {
        assert_eq!(join_inclusions(&wrong, 5), None, "{wrong:?}");
    }
}

#[test]
fn a_frontier_without_leaves_has_the_root_of_nothing() {
    assert_eq!(tlog::Frontier::new().root(), root_of_empty());
}
