//! Prints how fast the tree grows, proves and verifies: `cargo run --release -p tlog --example measure`.
//!
//! Everything is in memory and on one thread. `stored tiles` proves from full
//! tiles and the edge, as a ledger does; `memory` from a tree that keeps every
//! node. Each line is the best of three runs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use tlog::checkpoint::Checkpoint;
use tlog::note::SigningKey;
use tlog::proof::Proof;
use tlog::{
    Edge, Frontier, Hash, TileSource, Tree, leaf_hash, prove_consistency, prove_inclusion, root_at,
    verify_consistency, verify_inclusion,
};

const LEAVES: u64 = 300_000;
const LEAF_BYTES: usize = 200;

fn main() {
    println!("{LEAVES} leaves of {LEAF_BYTES} bytes");
    let data = leaf_data();

    measure("append", LEAVES, || {
        let mut frontier = Frontier::new();
        data.iter().for_each(|leaf| frontier.push(leaf_hash(leaf)));
        frontier.root();
    });
    measure("append with tiles", LEAVES, || {
        let mut edge = Edge::new();
        for leaf in &data {
            edge.push(leaf_hash(leaf), |tile| {
                black_box(tile);
            });
        }
    });
    measure("append, keep every node", LEAVES, || {
        black_box(data.iter().map(|leaf| leaf_hash(leaf)).collect::<Tree>());
    });
    measure("append and root", LEAVES, || {
        let mut frontier = Frontier::new();
        for leaf in &data {
            frontier.push(leaf_hash(leaf));
            black_box(frontier.root());
        }
    });

    let tree: Tree = data.iter().map(|leaf| leaf_hash(leaf)).collect();
    let stored = Stored::new(&data);
    let root = root_of(LEAVES, &tree);
    assert_eq!(root, stored.edge.root());

    let indexes: Vec<u64> = scattered().take(30_000).collect();
    let count = indexes.len() as u64;
    let mut proofs = Vec::new();
    measure("prove (memory)", count, || {
        proofs = prove_all(&indexes, &tree);
    });
    measure("prove (stored tiles)", count / 10, || {
        black_box(prove_all(&indexes[..indexes.len() / 10], &stored));
    });
    measure("verify", count, || {
        for (index, proof) in indexes.iter().zip(&proofs) {
            let leaf = leaf_hash(&data[*index as usize]);
            assert!(verify_inclusion(*index, LEAVES, &leaf, proof, &root).is_ok());
        }
    });

    let sizes = &indexes[..3000];
    let olds: Vec<Hash> = sizes.iter().map(|old| root_of(*old, &tree)).collect();
    let mut proofs = Vec::new();
    measure("prove consistency (memory)", sizes.len() as u64, || {
        proofs = sizes
            .iter()
            .map(|old| prove_consistency(*old, LEAVES, &tree).expect("it is older"))
            .collect();
    });
    measure("verify consistency", sizes.len() as u64, || {
        for ((old, old_root), proof) in sizes.iter().zip(&olds).zip(&proofs) {
            assert!(verify_consistency(*old, old_root, LEAVES, &root, proof).is_ok());
        }
    });

    let key = SigningKey::from_seed("measure.example", &[1; 32]).expect("it is a name");
    let checkpoint = Checkpoint {
        origin: "measure.example".to_owned(),
        size: LEAVES,
        root,
        extensions: Vec::new(),
    };
    let mut note = String::new();
    measure("sign a checkpoint", 3000, || {
        for _ in 0..3000 {
            note = checkpoint.sign(&key).expect("it is sound");
        }
    });
    let receipts: Vec<String> = indexes[..3000]
        .iter()
        .map(|index| {
            Proof {
                extra: None,
                index: *index,
                hashes: prove_inclusion(*index, LEAVES, &tree).expect("it is in the tree"),
                checkpoint: note.clone(),
            }
            .to_string()
        })
        .collect();
    measure("read and verify a receipt", receipts.len() as u64, || {
        for (receipt, index) in receipts.iter().zip(&indexes) {
            let verified = Proof::parse(receipt)
                .map(|proof| proof.verify(&data[*index as usize], key.verifier(), key.name()));
            assert!(matches!(verified, Ok(Ok(_))));
        }
    });
}

/// What a ledger keeps: full tiles and the edge.
struct Stored {
    full: HashMap<(u8, u64), Vec<u8>>,
    edge: Edge,
}

impl Stored {
    fn new(data: &[[u8; LEAF_BYTES]]) -> Self {
        let mut full = HashMap::new();
        let mut edge = Edge::new();
        for leaf in data {
            edge.push(leaf_hash(leaf), |tile| {
                full.insert((tile.level, tile.index), tile.hashes.to_vec());
            });
        }
        Stored { full, edge }
    }
}

impl TileSource for Stored {
    type Error = ();

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Cow<'_, [u8]>, ()> {
        match self.full.get(&(level, index)) {
            Some(tile) => Ok(Cow::Borrowed(&tile[..usize::from(width) * 32])),
            None => self.edge.tile(level, index, width).ok_or(()),
        }
    }

    fn node(&self, height: u8, index: u64) -> Result<Option<Hash>, ()> {
        Ok(self.edge.node(height, index))
    }
}

fn leaf_data() -> Vec<[u8; LEAF_BYTES]> {
    (0..LEAVES)
        .map(|index| {
            let mut leaf = [b'.'; LEAF_BYTES];
            leaf[..8].copy_from_slice(&index.to_be_bytes());
            leaf
        })
        .collect()
}

/// Leaves all over the tree, in no order, the same in every run.
fn scattered() -> impl Iterator<Item = u64> {
    (1..).map(|i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % LEAVES)
}

fn prove_all<S: TileSource<Error: std::fmt::Debug>>(indexes: &[u64], source: &S) -> Vec<Vec<Hash>> {
    indexes
        .iter()
        .map(|index| prove_inclusion(*index, LEAVES, source).expect("it is in the tree"))
        .collect()
}

fn root_of(size: u64, tree: &Tree) -> Hash {
    root_at(size, tree).expect("the tree is that large")
}

fn measure(what: &str, count: u64, mut run: impl FnMut()) {
    let best = (0..3).map(|_| elapsed(&mut run)).min().unwrap_or_default();
    let per_s = count as f64 / best.as_secs_f64();
    println!("{what:<28} {per_s:>12.0} /s");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement is about the time it takes"
)]
fn elapsed(run: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}
