//! Prints how fast the tree grows, proves and verifies: `cargo run --release -p tlog --example measure`.
//!
//! Beside them, for comparison: the crates `tlog_tiles`, `ct-merkle` and `signed_note`.
//! Everything is in memory and on one thread. `stored tiles` proves from full
//! tiles and the edge, as a ledger does; `memory` from a tree that keeps every
//! node. Each line is the best of three runs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Algorithm, CosignerKey};
use tlog::note::{SignedNote, SigningKey};
use tlog::policy::Policy;
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
    measure("read and verify a note", 3000, || {
        for _ in 0..3000 {
            let read = SignedNote::parse(&note).expect("it is a note");
            assert!(read.verify(key.verifier()).is_ok());
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
    cosigned(&note, &tree, &data, &key);
    println!("\ntlog_tiles");
    tlog_tiles_alone(&data, &indexes);
    println!("\nct-merkle");
    ct_merkle_alone(&data, &indexes);
    println!("\nsigned_note");
    signed_note_alone(&note, &key);
}

/// Cosigning, and a receipt under a policy of two witnesses of each kind.
fn cosigned(note: &str, tree: &Tree, data: &[[u8; LEAF_BYTES]], key: &SigningKey) {
    for (what, algorithm) in [
        ("Ed25519", Algorithm::Ed25519),
        ("ML-DSA-44", Algorithm::MlDsa44),
    ] {
        let mut note = SignedNote::parse(note).expect("it is a note");
        let mut policy = String::new();
        for name in ["w1", "w2"] {
            let cosigner =
                CosignerKey::from_seed(name, algorithm, &[name.len() as u8; 32]).expect("a name");
            // One key, two names: fine to measure with, so the policy names only the first.
            if policy.is_empty() {
                policy = format!("witness {name} {}\nquorum {name}\n", cosigner.witness());
                measure(&format!("cosign, {what}"), 300, || {
                    for time in 1..=300 {
                        black_box(cosigner.cosign(&note, time).expect("it is a checkpoint"));
                    }
                });
            }
            let line = cosigner.cosign(&note, 1_700_000_000).expect("a checkpoint");
            note.put(line).expect("there is room");
        }
        let policy = Policy::parse(policy.as_bytes()).expect("it is a policy");
        let receipt = Proof {
            extra: None,
            index: 77_777,
            hashes: prove_inclusion(77_777, LEAVES, tree).expect("it is in the tree"),
            checkpoint: note.to_string(),
        }
        .to_string();
        println!(
            "a receipt with two cosignatures, {what}: {} bytes",
            receipt.len()
        );
        measure(&format!("verify it and one of them, {what}"), 300, || {
            for _ in 0..300 {
                let proof = Proof::parse(&receipt).expect("it is a receipt");
                let verified =
                    proof.verify_with(&data[77_777], key.verifier(), key.name(), &policy);
                assert!(verified.is_ok());
            }
        });
    }
}

/// The stored hashes of `tlog_tiles`, in memory.
#[derive(Default)]
struct Numbered(Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for Numbered {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|at| self.0[*at as usize]).collect())
    }
}

impl Numbered {
    fn push(&mut self, number: u64, leaf: &[u8]) {
        let hashes = tlog_tiles::stored_hashes(number, leaf, self).expect("it is in memory");
        self.0.extend(hashes);
    }
}

fn tlog_tiles_alone(data: &[[u8; LEAF_BYTES]], indexes: &[u64]) {
    let mut stored = Numbered::default();
    measure("append, keep every node", LEAVES, || {
        stored = Numbered::default();
        for (number, leaf) in (0..).zip(data) {
            stored.push(number, leaf);
        }
    });
    measure("append and root", LEAVES, || {
        let mut stored = Numbered::default();
        for (number, leaf) in (0..).zip(data) {
            stored.push(number, leaf);
            black_box(tlog_tiles::tree_hash(number + 1, &stored).expect("it is in memory"));
        }
    });
    let root = tlog_tiles::tree_hash(LEAVES, &stored).expect("it is in memory");
    let mut proofs = Vec::new();
    measure("prove (memory)", indexes.len() as u64, || {
        let prove = |index: &u64| tlog_tiles::prove_record(LEAVES, *index, &stored);
        proofs = indexes
            .iter()
            .map(|index| prove(index).expect("it is there"))
            .collect();
    });
    measure("verify", indexes.len() as u64, || {
        for (index, proof) in indexes.iter().zip(&proofs) {
            let leaf = tlog_tiles::record_hash(&data[*index as usize]);
            assert!(tlog_tiles::check_record(proof, LEAVES, root, *index, leaf).is_ok());
        }
    });
    let sizes = &indexes[..3000];
    let prove = |old: &u64| tlog_tiles::prove_tree(LEAVES, *old, &stored).expect("it is older");
    let olds: Vec<_> = sizes
        .iter()
        .map(|old| tlog_tiles::tree_hash(*old, &stored).expect("it is in memory"))
        .collect();
    let mut proofs = Vec::new();
    measure("prove consistency (memory)", sizes.len() as u64, || {
        proofs = sizes.iter().map(prove).collect();
    });
    measure("verify consistency", sizes.len() as u64, || {
        for ((old, old_root), proof) in sizes.iter().zip(&olds).zip(&proofs) {
            assert!(tlog_tiles::check_tree(proof, LEAVES, root, *old, *old_root).is_ok());
        }
    });
}

fn ct_merkle_alone(data: &[[u8; LEAF_BYTES]], indexes: &[u64]) {
    type Merkle = ct_merkle::mem_backed_tree::MemoryBackedTree<sha2::Sha256, [u8; LEAF_BYTES]>;
    let mut tree = Merkle::new();
    measure("append, keep every node", LEAVES, || {
        tree = Merkle::new();
        data.iter().for_each(|leaf| tree.push(*leaf));
    });
    let root = tree.root();
    let mut proofs = Vec::new();
    measure("prove (memory)", indexes.len() as u64, || {
        let prove = |index: &u64| tree.prove_inclusion(*index as usize);
        proofs = indexes.iter().map(prove).collect();
    });
    measure("verify", indexes.len() as u64, || {
        for (index, proof) in indexes.iter().zip(&proofs) {
            let leaf = &data[*index as usize];
            assert!(root.verify_inclusion(leaf, *index, proof).is_ok());
        }
    });
    measure("prove consistency (memory)", 3000, || {
        for old in &indexes[..3000] {
            black_box(tree.prove_consistency((LEAVES - old) as usize));
        }
    });
}

fn signed_note_alone(note: &str, key: &SigningKey) {
    let signer = signed_note::StandardSigner::new(&key.secret_text()).expect("it is a key");
    let verifier = signed_note::StandardVerifier::new(&key.verifier().to_string());
    let known = signed_note::VerifierList::new(vec![Box::new(verifier.expect("it is a key"))]);
    let text = note.split("\n\n").next().unwrap_or_default().to_owned() + "\n";
    measure("sign a checkpoint", 3000, || {
        for _ in 0..3000 {
            let mut note = signed_note::Note::new(text.as_bytes(), &[]).expect("it is a text");
            note.add_sigs(&[&signer]).expect("it is signed");
            black_box(note.to_bytes());
        }
    });
    measure("read and verify a note", 3000, || {
        for _ in 0..3000 {
            let read = signed_note::Note::from_bytes(note.as_bytes()).expect("it is a note");
            assert!(read.verify(&known).is_ok());
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
    println!("{what:<36} {per_s:>12.0} /s");
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
