//! Beside other people's programs for the same specifications: `tlog_tiles`, `signed_note`, `ct-merkle`, `sigsum`.
//!
//! Whatever one side makes, the other reads; whatever one refuses, the other
//! does. Where ours is the stricter on purpose, the test says so.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use sha2::{Digest, Sha256};
use signed_note::{StandardSigner, StandardVerifier, VerifierList};
use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Algorithm, CosignerKey};
use tlog::note::{SignedNote, SigningKey};
use tlog::paths::{Shelf, TilePath};
use tlog::policy::Policy;
use tlog::proof::Proof;
use tlog::{
    Edge, Frontier, Hash, Tree, leaf_hash, prove_consistency, prove_inclusion, root_at,
    verify_consistency, verify_inclusion, width,
};

use crate::model;

/// The stored hashes as tlog_tiles numbers them.
#[derive(Default)]
struct Stored(Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|at| self.0[*at as usize]).collect())
    }
}

impl Stored {
    fn push(&mut self, number: u64, data: &[u8]) {
        let hashes = tlog_tiles::stored_hashes(number, data, self).unwrap();
        self.0.extend(hashes);
    }
}

/// The same log three times.
#[derive(Default)]
struct Three {
    ours: Tree,
    tiles: Stored,
    merkle: MemoryBackedTree<Sha256, Vec<u8>>,
}

impl Three {
    fn push(&mut self) {
        let number = self.ours.size();
        let data = model::leaf_data(number);
        self.ours.push(leaf_hash(&data));
        self.tiles.push(number, &data);
        self.merkle.push(data);
    }

    fn merkle_root(size: u64, root: Hash) -> RootHash<Sha256> {
        RootHash::new(root.into(), size)
    }
}

/// A few numbers below `bound`, always the same.
fn some_below(bound: u64, count: u64) -> Vec<u64> {
    let mut numbers: Vec<u64> = (1..=count)
        .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16) % bound)
        .chain([0, bound - 1, bound / 2])
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Compares the root, the proofs of `leaves` and the proofs from `olds`, at the tree's present size.
fn compare(three: &Three, leaves: &[u64], olds: &[u64]) {
    let size = three.ours.size();
    let root = root_at(size, &three.ours).unwrap();
    let theirs = tlog_tiles::Hash(root);
    assert_eq!(tlog_tiles::tree_hash(size, &three.tiles).unwrap(), theirs);
    assert_eq!(three.merkle.root(), Three::merkle_root(size, root));
    for &index in leaves {
        let ours = prove_inclusion(index, size, &three.ours).unwrap();
        let tiles = tlog_tiles::prove_record(size, index, &three.tiles).unwrap();
        let tiles: Vec<Hash> = tiles.iter().map(|hash| hash.0).collect();
        assert_eq!(ours, tiles, "{index} of {size}");
        let merkle = three.merkle.prove_inclusion(index as usize);
        assert_eq!(ours.concat(), merkle.as_bytes(), "{index} of {size}");

        // Each verifies the other's, and both refuse the altered one.
        let data = model::leaf_data(index);
        for altered in [false, true] {
            let mut proof = ours.clone();
            let mut leaf = leaf_hash(&data);
            if altered {
                match proof.len() {
                    0 => leaf[0] ^= 1,
                    n => proof[index as usize % n][31] ^= 1,
                }
            }
            let here = verify_inclusion(index, size, &leaf, &proof, &root);
            let there = tlog_tiles::check_record(
                &proof.iter().copied().map(tlog_tiles::Hash).collect(),
                size,
                theirs,
                index,
                tlog_tiles::Hash(leaf),
            );
            assert_eq!((here.is_ok(), there.is_ok()), (!altered, !altered));
            if leaf == leaf_hash(&data) {
                let proof = InclusionProof::from_bytes(proof.concat());
                let there = three.merkle.root().verify_inclusion(&data, index, &proof);
                assert_eq!(there.is_ok(), !altered);
            }
        }
    }
    for &old in olds {
        let ours = prove_consistency(old, size, &three.ours).unwrap();
        if old == 0 {
            // Ours proves nothing from nothing; the others refuse to be asked.
            assert!(ours.is_empty());
            continue;
        }
        let old_root = root_at(old, &three.ours).unwrap();
        let tiles = tlog_tiles::prove_tree(size, old, &three.tiles).unwrap();
        let tiles: Vec<Hash> = tiles.iter().map(|hash| hash.0).collect();
        assert_eq!(ours, tiles, "{old} to {size}");
        let merkle = three.merkle.prove_consistency((size - old) as usize);
        assert_eq!(ours.concat(), merkle.as_bytes(), "{old} to {size}");
        for altered in [false, true] {
            let mut proof = ours.clone();
            let mut old_root = old_root;
            if altered {
                match proof.len() {
                    0 => old_root[0] ^= 1,
                    n => proof[old as usize % n][31] ^= 1,
                }
            }
            let here = verify_consistency(old, &old_root, size, &root, &proof);
            let there = tlog_tiles::check_tree(
                &proof.iter().copied().map(tlog_tiles::Hash).collect(),
                size,
                theirs,
                old,
                tlog_tiles::Hash(old_root),
            );
            let merkle = ConsistencyProof::try_from_bytes(proof.concat()).unwrap();
            let merkle = Three::merkle_root(size, root)
                .verify_consistency(&Three::merkle_root(old, old_root), &merkle);
            let good = !altered;
            assert_eq!(
                (here.is_ok(), there.is_ok(), merkle.is_ok()),
                (good, good, good),
                "{old} to {size}"
            );
        }
    }
}

#[test]
fn roots_and_proofs_are_those_of_two_other_programs_at_every_size() {
    let mut three = Three::default();
    for size in 1..=300 {
        three.push();
        let all: Vec<u64> = (0..size).collect();
        let olds: Vec<u64> = (0..=size).collect();
        // Every leaf and every older size at small sizes; a spread of them at larger ones.
        match size {
            ..=66 => compare(&three, &all, &olds),
            _ => compare(&three, &some_below(size, 12), &some_below(size + 1, 12)),
        }
    }
    let large = [
        511, 512, 513, 1000, 4095, 4096, 4097, 9_999, 65_535, 65_536, 65_537, 70_000,
    ];
    for size in large {
        while three.ours.size() < size {
            three.push();
        }
        compare(&three, &some_below(size, 40), &some_below(size + 1, 40));
    }
}

#[test]
fn tiles_and_their_paths_are_those_of_tlog_tiles() {
    let mut tiles = Stored::default();
    let mut edge = Edge::new();
    let mut full = std::collections::HashMap::new();
    let size = 70_000;
    for number in 0..size {
        let data = model::leaf_data(number);
        tiles.push(number, &data);
        edge.push(leaf_hash(&data), |tile| {
            full.insert((tile.level, tile.index), tile.hashes.to_vec());
        });
    }
    let mut compared = 0;
    for theirs in tlog_tiles::Tile::new_tiles(8, 0, size) {
        let (level, index) = (theirs.level(), theirs.level_index());
        let path = TilePath::at(Shelf::Hashes(level), index, size).unwrap();
        assert_eq!(u32::from(path.width), theirs.width());
        assert_eq!(path.width, width(level, index, size));
        // Theirs names the height too, as the checksum database does.
        assert_eq!(format!("tile/8/{}", &path.to_string()[5..]), theirs.path());
        let data = theirs.read_data(&tiles).unwrap();
        match full.get(&(level, index)) {
            Some(tile) => assert_eq!(*tile, data),
            None => assert_eq!(edge.tile(level, index, path.width).unwrap(), data),
        }
        compared += 1;
    }
    assert_eq!(compared, 273 + 1 + 1 + 1 + 1);
    for text in [
        "tile/0/000",
        "tile/0/x001/234.p/5",
        "tile/7/x000/001",
        "tile/0/x018/x446/x744/x073/x709/x551/615",
    ] {
        let theirs = tlog_tiles::Tile::from_path(&text.replacen("tile/", "tile/8/", 1));
        assert_eq!(TilePath::parse(text).is_some(), theirs.is_ok(), "{text}");
    }
}

#[test]
fn a_frontier_and_a_stored_tree_have_one_root() {
    // The same, by the way that an appender takes.
    let mut frontier = Frontier::new();
    let mut merkle = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for number in 0..1500 {
        frontier.push(leaf_hash(&model::leaf_data(number)));
        merkle.push(model::leaf_data(number));
        assert_eq!(frontier.root(), <Hash>::from(*merkle.root().as_bytes()));
    }
}

#[test]
fn notes_are_signed_and_verified_both_ways() {
    let names = ["ward.example/log", "example.com/ä", "x"];
    let texts = [
        "a\n",
        "a\n\nb\n",
        "ed è subito sera.\n",
        "ward.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    ];
    for (name, seed) in names.iter().zip(1_u8..) {
        let key = SigningKey::from_seed(name, &[seed; 32]).unwrap();
        let signer = StandardSigner::new(&key.secret_text()).unwrap();
        let verifier = || StandardVerifier::new(&key.verifier().to_string()).unwrap();
        let known = VerifierList::new(vec![Box::new(verifier())]);
        for text in texts {
            let ours = SignedNote::sign(text, &key).unwrap().to_string();
            let mut theirs = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
            theirs.add_sigs(&[&signer]).unwrap();
            // Ed25519 signs a text in one way, so the notes are the same bytes.
            assert_eq!(ours.as_bytes(), theirs.to_bytes());
            let read = signed_note::Note::from_bytes(ours.as_bytes()).unwrap();
            assert!(read.verify(&known).is_ok());
            assert_eq!(
                SignedNote::parse(&ours).unwrap().verify(key.verifier()),
                Ok(text)
            );

            // Each byte altered: whatever we accept they accept, and the other way round.
            for at in 0..ours.len() {
                for bit in 0..8 {
                    let mut altered = ours.clone().into_bytes();
                    altered[at] ^= 1 << bit;
                    let here = str::from_utf8(&altered)
                        .ok()
                        .and_then(|text| SignedNote::parse(text).ok())
                        .is_some_and(|note| note.verify(key.verifier()).is_ok());
                    let there = signed_note::Note::from_bytes(&altered)
                        .is_ok_and(|note| note.verify(&known).is_ok());
                    assert!(!here && !there, "{at}.{bit}: {}", altered.escape_ascii());
                }
            }
        }
    }
}

#[test]
fn checkpoints_are_read_as_tlog_tiles_reads_them() {
    let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let table = [
        (format!("o\n0\n{root}\n"), true),
        (format!("o\n7\n{root}\n"), true),
        (
            format!("o o\n18446744073709551615\n{root}\nextension\n- two\n"),
            true,
        ),
        (format!("o\n07\n{root}\n"), false),
        (format!("o\n+7\n{root}\n"), false),
        (format!("o\n18446744073709551616\n{root}\n"), false),
        (format!("\n7\n{root}\n"), false),
        (format!("o\n7\n{root}"), false),
        (format!("o\n7\n{}\n", &root[1..]), false),
        (format!("o\n7\n{root}\n\n"), false),
        ("o\n7\n".to_owned(), false),
        (String::new(), false),
    ];
    for (text, is_good) in table {
        let ours = Checkpoint::parse(&text);
        let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes());
        assert_eq!(ours.is_ok(), is_good, "{text}");
        // They take a blank line at the end, on which their note parser insists.
        if text != format!("o\n7\n{root}\n\n") {
            assert_eq!(theirs.is_ok(), is_good, "{text}");
        }
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            assert_eq!(
                (ours.origin.as_str(), ours.size),
                (theirs.origin(), theirs.size())
            );
            assert_eq!(ours.root, theirs.hash().0);
            assert_eq!(ours.to_string().as_bytes(), theirs.to_bytes());
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A log as Sigsum has them, with our receipts: its leaves are signed hashes, its origin its key's hash.
struct Sigsum {
    log: SigningKey,
    origin: String,
    signer: SigningKey,
    witnesses: Vec<CosignerKey>,
    message: [u8; 32],
    leaf: Vec<u8>,
    tree: Tree,
}

const INDEX: u64 = 11;

impl Sigsum {
    fn new() -> Self {
        let key_hash = |key: &SigningKey| Sha256::digest(key.verifier().bytes());
        let draft = SigningKey::from_seed("log", &[1; 32]).unwrap();
        let origin = format!("sigsum.org/v1/tree/{}", hex(&key_hash(&draft)));
        let log = SigningKey::from_seed(&origin, &[1; 32]).unwrap();
        let signer = SigningKey::from_seed("signer", &[2; 32]).unwrap();
        let message = [3; 32];
        let checksum = Sha256::digest(message);
        let leaf = [
            checksum.as_slice(),
            &ed25519(
                &signer,
                &[b"sigsum.org/v1/tree-leaf\0".as_slice(), &checksum].concat(),
            ),
            &key_hash(&signer),
        ]
        .concat();
        let tree = (0..23)
            .map(|index| match index {
                INDEX => leaf_hash(&leaf),
                _ => leaf_hash(&model::leaf_data(index)),
            })
            .collect();
        let name = |number: u8| format!("witness.example/{number}");
        let witnesses = (1..=6)
            .map(|n| CosignerKey::from_seed(&name(n), Algorithm::Ed25519, &[n + 10; 32]).unwrap());
        Sigsum {
            witnesses: witnesses.collect(),
            log,
            origin,
            signer,
            message,
            leaf,
            tree,
        }
    }

    fn receipt(&self, who: &[usize]) -> Proof {
        let size = self.tree.size();
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size,
            root: root_at(size, &self.tree).unwrap(),
            extensions: Vec::new(),
        };
        let mut note = SignedNote::parse(&checkpoint.sign(&self.log).unwrap()).unwrap();
        for at in who {
            let line = self.witnesses[*at]
                .cosign(&note, 1_000 + *at as u64)
                .unwrap();
            note.put(line).unwrap();
        }
        Proof {
            extra: None,
            index: INDEX,
            hashes: prove_inclusion(INDEX, size, &self.tree).unwrap(),
            checkpoint: note.to_string(),
        }
    }

    /// The receipt as Sigsum writes it: the same signatures, in hex.
    fn theirs(&self, receipt: &Proof) -> sigsum::SigsumSignature {
        let note = SignedNote::parse(&receipt.checkpoint).unwrap();
        let checkpoint = Checkpoint::parse(note.text()).unwrap();
        let (signature, key_hash) = self.leaf[32..].split_at(64);
        let mut text = format!(
            "version=2\nlog={}\nleaf={} {}\n\nsize={}\nroot_hash={}\nsignature={}\n",
            &self.origin[19..],
            hex(key_hash),
            hex(signature),
            checkpoint.size,
            hex(&checkpoint.root),
            hex(note.signatures()[0].bytes()),
        );
        for line in &note.signatures()[1..] {
            let is_by = |witness: &&CosignerKey| witness.witness().name() == line.name();
            let witness = self.witnesses.iter().find(is_by).unwrap();
            let (time, signature) = line.bytes().split_first_chunk().unwrap();
            text += &format!(
                "cosignature={} {} {}\n",
                hex(&Sha256::digest(witness.witness().bytes())),
                u64::from_be_bytes(*time),
                hex(signature)
            );
        }
        text += &format!("\nleaf_index={}\n", receipt.index);
        for hash in &receipt.hashes {
            text += &format!("node_hash={}\n", hex(hash));
        }
        sigsum::SigsumSignature::from_ascii(&text).unwrap()
    }

    /// A policy in both forms: they write keys in hex, without a name.
    fn policies(&self, groups: &str) -> (Policy, sigsum::Policy) {
        let mut ours = format!("log {}\n", self.log.verifier());
        let mut theirs = format!("log {}\n", hex(self.log.verifier().bytes()));
        for (at, witness) in self.witnesses.iter().enumerate() {
            ours += &format!("witness W{at} {}\n", witness.witness());
            theirs += &format!("witness W{at} {}\n", hex(&witness.witness().bytes()));
        }
        let ours = Policy::parse(format!("{ours}{groups}").as_bytes()).unwrap();
        let theirs = sigsum::Policy::parse(&format!("{theirs}{groups}")).unwrap();
        (ours, theirs)
    }

    /// Whether each accepts the receipt.
    fn verify(&self, receipt: &Proof, policies: &(Policy, sigsum::Policy)) -> (bool, bool) {
        let key = self.log.verifier();
        let ours = receipt.verify_with(&self.leaf, key, &self.origin, &policies.0);
        let signers = [sigsum::PublicKey::from(*self.signer.verifier().bytes())];
        let signature = self.theirs(receipt);
        let message = sigsum::Hash::from(self.message);
        let theirs = sigsum::verify(&message, &signature, &signers, &policies.1);
        (ours.is_ok(), theirs.is_ok())
    }
}

/// The signature alone, of any bytes.
fn ed25519(key: &SigningKey, message: &[u8]) -> [u8; 64] {
    use ed25519_dalek::Signer;
    let text = key.secret_text();
    let base64 = text.rsplit('+').next().unwrap();
    let typed = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD
            .decode(base64)
            .unwrap()
    };
    let seed: [u8; 32] = typed[1..].try_into().unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    key.sign(message).to_bytes()
}

#[test]
fn sigsum_accepts_our_receipts_under_the_same_policies_and_no_others() {
    let log = Sigsum::new();
    let table = [
        "quorum none\n",
        "quorum W3\n",
        "group G any W0 W1 W2 W3 W4 W5\nquorum G\n",
        "group G all W0 W1 W2 W3 W4 W5\nquorum G\n",
        "group G 3 W0 W1 W2 W3 W4 W5\nquorum G\n",
        "group A 2 W0 W1 W2\ngroup B any W3 W4\ngroup G all A B\nquorum G\n",
        "group A all W0 W1\ngroup B 2 W2 W3 W4\ngroup C any A B W5\nquorum C\n",
        "group A all W0\ngroup B 1 A\ngroup C all B W1\nquorum C\n",
    ];
    let mut accepted = 0;
    for groups in table {
        let policies = log.policies(groups);
        for chosen in 0..64_u32 {
            let who: Vec<usize> = (0..6).filter(|at| chosen >> at & 1 == 1).collect();
            let (ours, theirs) = log.verify(&log.receipt(&who), &policies);
            assert_eq!(ours, theirs, "{groups}: {who:?}");
            accepted += u32::from(ours);
        }
    }
    assert_eq!(accepted, 64 + 32 + 63 + 1 + 42 + 4 * 3 * 2 + 52 + 16);
}

#[test]
fn what_sigsum_refuses_we_refuse() {
    let log = Sigsum::new();
    let policies = log.policies("group G 2 W0 W1 W2\nquorum G\n");
    let good = log.receipt(&[0, 1]);
    assert_eq!(log.verify(&good, &policies), (true, true));
    let with = |f: &dyn Fn(&mut Proof)| {
        let mut receipt = good.clone();
        f(&mut receipt);
        receipt
    };
    // One more signature, of another checkpoint, by a witness whom the policy knows.
    let foreign = {
        let other = Checkpoint {
            origin: log.origin.clone(),
            size: 22,
            root: root_at(22, &log.tree).unwrap(),
            extensions: Vec::new(),
        };
        let other = SignedNote::parse(&other.sign(&log.log).unwrap()).unwrap();
        log.witnesses[2].cosign(&other, 5).unwrap().to_string()
    };
    let table = [
        ("another index", with(&|r| r.index += 1)),
        ("a hash left out", with(&|r| r.hashes.truncate(3))),
        ("a hash altered", with(&|r| r.hashes[0][0] ^= 1)),
        (
            "a bad cosignature more",
            with(&|r| r.checkpoint += &foreign),
        ),
        (
            "another size",
            with(&|r| r.checkpoint = r.checkpoint.replacen("\n23\n", "\n22\n", 1)),
        ),
    ];
    for (what, receipt) in table {
        assert_eq!(log.verify(&receipt, &policies), (false, false), "{what}");
    }
    // Malformed in the same way: an unknown name, a second quorum, none, a group of nobody.
    for groups in [
        "quorum X\n",
        "quorum none\nquorum none\n",
        "",
        "group G any\nquorum G\n",
        "nonsense\n",
    ] {
        let ours = Policy::parse(groups.as_bytes());
        let theirs = sigsum::Policy::parse(groups);
        assert!(ours.is_err() && theirs.is_err(), "{groups:?}");
    }
    // Ours is stricter: a quorum that cannot be met is refused when it is read, not when it is missed.
    assert!(Policy::parse(b"group G 2 W\nquorum G\n").is_err());
}
