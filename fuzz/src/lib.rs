//! What each fuzz target does with its bytes: read them as a stranger's, and hold what was read to
//! what must be true of it. A panic is a finding.
//!
//! Each says which places it reached. [`SEEDS`] says which ones the inputs in the corpus are there for, so that a
//! format that changes and leaves them unreadable is noticed: see [`check_seeds`].

use std::collections::BTreeSet;
use std::path::Path;

use evidence::Trust;
use evidence::entry::Line;
use evidence::export::Export;
use evidence::promise::{Evidence, Promise};
use record::json::Doc;
use seal::shamir::Share;
use seal::{Bound, Class, FileProvider, Key, KeyProvider};
use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Algorithm, CosignerKey, WitnessKey};
use tlog::entries::{read_bundle, write_bundle};
use tlog::note::{SignedNote, SigningKey, VerifierKey};
use tlog::paths::TilePath;
use tlog::policy::Policy;
use tlog::proof::Proof;
use tlog::witness::Request;

/// What a target does: takes bytes, and says which places it reached with them.
pub type Target = fn(&[u8]) -> Vec<&'static str>;

/// All targets.
pub const TARGETS: [(&str, Target); 13] = [
    ("body", body),
    ("bundle", bundle),
    ("cosignature", cosignature),
    ("disclosure", disclosure),
    ("entry", entry),
    ("export", export),
    ("note", note),
    ("policy", policy),
    ("promise", promise),
    ("proof", proof),
    ("receipt", receipt),
    ("share", share),
    ("tile", tile),
];

/// The inputs in the corpus: target, name, and the places that they reach. One without places is turned away.
pub const SEEDS: [(&str, &str, &[&str]); 34] = [
    ("body", "sealed", &["opened", "under its key"]),
    ("body", "wrapped", &["unwrapped"]),
    ("bundle", "erasure", &["stored", "act"]),
    ("bundle", "note", &["stored", "therapy note"]),
    ("bundle", "transaction", &["stored in a bundle"]),
    ("cosignature", "cosigned", &["cosignature"]),
    ("cosignature", "ed25519", &["key"]),
    ("cosignature", "ml-dsa", &["key"]),
    ("cosignature", "request", &["request"]),
    ("cosignature", "size", &["size"]),
    ("disclosure", "leaf", &["leaf"]),
    ("disclosure", "receipt", &["receipt"]),
    ("entry", "alias", &["line"]),
    ("entry", "first", &["line"]),
    ("entry", "second", &["line"]),
    ("export", "access", &["verified"]),
    ("export", "erased", &["verified"]),
    ("export", "record", &["verified"]),
    ("note", "cosigned", &["signature", "checkpoint"]),
    ("note", "key", &["key"]),
    ("note", "unsigned", &[]),
    ("policy", "any", &["quorum"]),
    ("policy", "none", &["policy"]),
    ("promise", "one", &["promise"]),
    ("promise", "resource", &["resource"]),
    ("proof", "first", &["verified"]),
    ("proof", "receipt", &["verified"]),
    ("receipt", "first", &["verified"]),
    ("share", "bundle", &["bundle"]),
    ("share", "one", &["share"]),
    ("share", "two", &["joined"]),
    ("tile", "bundle", &["bundle"]),
    ("tile", "entries", &["path"]),
    ("tile", "path", &["path"]),
];

/// Holds the corpus of a target to [`SEEDS`]: each input is there and reaches what it is there for, and there are no
/// others. Every target does this first.
///
/// # Panics
/// If one does not. `cargo run --bin seeds` makes them anew, for formats as they are now.
pub fn check_seeds(target: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let (_, run) = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .expect("a target");
    let mut names = BTreeSet::new();
    for (_, name, places) in SEEDS.iter().filter(|(of, ..)| *of == target) {
        let bytes = std::fs::read(folder.join(name)).expect("a seed is in the corpus");
        let reached = run(&bytes);
        let is_right = match places.is_empty() {
            true => reached.is_empty(),
            false => places.iter().all(|place| reached.contains(place)),
        };
        assert!(
            is_right,
            "the seed {target}/{name} is there for {places:?} and reaches {reached:?}"
        );
        names.insert((*name).to_owned());
    }
    let there: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("a corpus")
        .map(|entry| {
            entry
                .expect("a seed")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(
        there, names,
        "the corpus of {target} is not what it must be"
    );
}

/// The log of all seeds.
pub const ORIGIN: &str = "ward.example/log";

/// Its key. The corpus has texts that it signed.
pub fn log_key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[9; 32]).expect("a name")
}

/// A witness with each algorithm.
pub fn witnesses() -> [CosignerKey; 2] {
    [Algorithm::Ed25519, Algorithm::MlDsa44].map(|algorithm| {
        CosignerKey::from_seed("witness.example", algorithm, &[7; 32]).expect("a name")
    })
}

/// What sealed bodies of the corpus are sealed for.
pub const BOUND: Bound<'static> = Bound {
    log: ORIGIN,
    class: Class::Record,
    person: Some(&[0x70; 16]),
    kind: "Observation",
    id: "5q0t7v9e2k4m8n1c",
    version: 2,
    position: 48_640,
};

/// The key of the corpus's bodies.
pub fn body_key() -> Key {
    Key::from_bytes([1; 32])
}

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Signed notes and checkpoints: what reads has one text; a signature is by whoever it says.
pub fn note(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    let Some(text) = text(data) else {
        return reached;
    };
    if let Ok(note) = SignedNote::parse(text) {
        reached.push("note");
        assert_eq!(note.to_string(), text);
        if note.verify(log_key().verifier()).is_ok() {
            reached.push("signature");
        }
        if let Ok(checkpoint) = Checkpoint::parse(note.text()) {
            reached.push("checkpoint");
            assert_eq!(checkpoint.to_string(), note.text());
        }
    }
    if let Ok(key) = VerifierKey::parse(text) {
        reached.push("key");
        assert_eq!(key.to_string(), text);
    }
    reached
}

/// Receipts as tlog-proof has them. The first line of the input is the leaf.
pub fn proof(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    let Some(text) = text(data) else {
        return reached;
    };
    let (leaf, text) = text.split_once('\n').unwrap_or(("", text));
    let Ok(proof) = Proof::parse(text) else {
        return reached;
    };
    reached.push("proof");
    assert_eq!(proof.to_string(), text);
    if proof
        .verify(leaf.as_bytes(), log_key().verifier(), ORIGIN)
        .is_ok()
    {
        reached.push("verified");
    }
    reached
}

/// An entry's line, and the access log's: one line has one reading and one text. What else is read
/// from contents of the programme's own.
pub fn entry(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    if let Ok(line) = evidence::disclosure::Line::parse(data) {
        reached.push("line of the access log");
        let mut out = Vec::new();
        line.write(&mut out);
        assert_eq!(out, data);
    }
    evidence::disclosure::Told::parse(data);
    evidence::heads::Map::read(data);
    if let Ok(line) = Line::parse(data) {
        reached.push("line");
        let mut out = Vec::new();
        line.write(&mut out);
        assert_eq!(out, data);
        let entry = evidence::Entry::parse(data).expect("its line reads");
        assert_eq!(entry.position, line.position);
    }
    reached
}

/// Receipts as they are handed out; what verifies has a content that the line commits to.
pub fn receipt(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    if let Ok(report) = evidence::receipt::verify(data, None) {
        reached.push("verified");
        assert!(report.entry.position < report.checkpoint.size);
        assert!(!report.proved.is_empty() && !report.not_proved.is_empty());
    }
    reached
}

/// A signed text with this log's signature over it, whoever signed it before, so that what lies behind the
/// signature is reached.
fn signed_again(note: &str) -> Option<String> {
    let note = SignedNote::parse(note).ok()?;
    SignedNote::sign(note.text(), &log_key())
        .ok()
        .map(|note| note.to_string())
}

/// A participant's export: what reads has one text, and what verifies holds a person's entries in order, each
/// number once, none beyond the map.
pub fn export(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    let Ok(mut export) = Export::parse(data) else {
        return reached;
    };
    reached.push("export");
    assert_eq!(export.write(), data);
    judge_export(&export, &mut reached);
    if let Some(checkpoint) = signed_again(&export.record.checkpoint) {
        export.record.checkpoint = checkpoint;
        export.record.key = log_key().verifier().clone();
        judge_export(&export, &mut reached);
    }
    reached
}

fn judge_export(export: &Export, reached: &mut Vec<&'static str>) {
    let Ok(report) = export.verify(&Trust::default()) else {
        return;
    };
    reached.push("verified");
    assert_eq!(report.entries.len(), export.record.items.len());
    assert!(!report.proved.is_empty() && !report.not_proved.is_empty());
    let mut last = None;
    for ((entry, stored), number) in report.entries.iter().zip(0..) {
        assert_eq!(entry.person, Some(report.person));
        assert_eq!(entry.previous.map_or(0, |previous| previous.number), number);
        assert!(last < Some(entry.position) && entry.position < report.map.size);
        last = Some(entry.position);
        if let Some(stored) = stored {
            evidence::content::name(stored).expect("it names its resource");
        }
    }
    assert!(report.map.size <= report.checkpoint.size);
}

/// Promises: what opens has one text, and stands somewhere.
pub fn promise(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    let again = text(data).and_then(signed_again);
    for file in [Some(data), again.as_deref().map(str::as_bytes)]
        .into_iter()
        .flatten()
    {
        let Ok(promise) = Promise::open(file, &Trust::default()) else {
            continue;
        };
        reached.push("promise");
        if promise.key == *log_key().verifier() {
            let once = promise.sign(&log_key()).expect("its own key");
            let twice = Promise::open(once.as_bytes(), &Trust::default()).expect("it was signed");
            assert_eq!(twice, promise);
        }
        let now = promise.due;
        promise
            .standing(Evidence::Nothing, now)
            .expect("nothing is unrelated to nothing");
    }
    if evidence::promise::fingerprint(data).is_some() {
        reached.push("resource");
    }
    reached
}

/// Receipts of the access log.
pub fn disclosure(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    if let Ok(report) = evidence::disclosure::receipt::verify(data, None) {
        reached.push("receipt");
        assert!(!report.proved.is_empty() && !report.not_proved.is_empty());
    }
    if let Ok(leaf) = evidence::disclosure::Leaf::parse(data) {
        reached.push("leaf");
        assert_eq!(leaf.line.as_bytes(), data);
    }
    reached
}

/// FHIR JSON, as a bundle or a resource: read, judged, stored, served, indexed.
pub fn bundle(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    let Ok(doc) = Doc::parse(data) else {
        return reached;
    };
    let root = doc.root();
    let _ = record::validate::validate(root);
    resource(root, &mut reached);
    for entry in root
        .get("entry")
        .into_iter()
        .flat_map(|entry| entry.items())
    {
        if let Some(inner) = entry.get("resource") {
            let _ = record::validate::validate(inner);
            let before = reached.len();
            resource(inner, &mut reached);
            if reached[before..].contains(&"stored") {
                reached.push("stored in a bundle");
            }
        }
    }
    reached
}

fn resource(root: record::json::Value<'_>, reached: &mut Vec<&'static str>) {
    record::reference::visit(root, &mut |reference| {
        record::reference::Reference::parse(reference);
    });
    let _ = record::person::person(root);
    let _ = record::happened::happened(root);
    if record::sensitivity::is_therapy_note(root) {
        reached.push("therapy note");
    }
    let is_kind = |kind: &str| evidence::entry::is_kind(kind);
    if !root.str_at(&["resourceType"]).is_some_and(is_kind) {
        return;
    }
    let stored = record::stored::write(root, "a", &mut |_| None);
    let again = Doc::parse(&stored).expect("what is stored reads");
    let twice = record::stored::write(again.root(), "a", &mut |_| None);
    assert_eq!(twice, stored, "storing what is stored changes nothing");
    let values = record::search::extract(again.root());
    let row = record::search::pack(&values);
    let count = record::search::Values::new(&row).iter().count();
    assert!(count <= values.len());
    if evidence::erasure::Act::read(&stored).is_some() {
        reached.push("act");
    }
    evidence::content::name(&stored).expect("the stored form names its resource");
    reached.push("stored");
}

/// Witnesses' keys, cosignatures on a note, requests to a witness and its answers.
pub fn cosignature(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    let Some(text) = text(data) else {
        return reached;
    };
    if let Ok(key) = WitnessKey::parse(text) {
        reached.push("key");
        assert_eq!(key.to_string(), text);
    }
    if let Ok(request) = Request::parse(data) {
        reached.push("request");
        assert_eq!(request.to_string(), text);
    }
    if tlog::witness::parse_size(text).is_some() {
        reached.push("size");
    }
    let Ok(mut note) = SignedNote::parse(text) else {
        return reached;
    };
    for witness in witnesses() {
        let key = witness.witness();
        if key.verify(&note).is_ok() {
            reached.push("cosignature");
        }
        let _ = tlog::witness::take_answer(text, &mut note, key);
    }
    reached
}

/// Policies; what reads can be asked about any checkpoint.
pub fn policy(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    if let Ok(policy) = Policy::parse(data) {
        reached.push("policy");
        let _ = policy.quorum();
        let note = checkpoint();
        let asks = policy.asks_for_witnesses();
        if let Ok((_, quorum)) = policy.check(&note.to_string()) {
            assert!(!asks || quorum.latest().is_some());
            if asks {
                reached.push("quorum");
            }
        }
    }
    reached
}

/// A checkpoint that log and witnesses have signed.
pub fn checkpoint() -> SignedNote {
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 1,
        root: tlog::leaf_hash(b"leaf"),
        extensions: Vec::new(),
    };
    let text = checkpoint.sign(&log_key()).expect("signed");
    let mut note = SignedNote::parse(&text).expect("a note");
    for witness in witnesses() {
        let signature = witness.cosign(&note, 1_770_000_000).expect("cosigned");
        note.put(signature).expect("one more");
    }
    note
}

/// Shares, one a line, and files of escrowed keys: what reads has one text, and joins or says why not.
pub fn share(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    let Some(text) = text(data) else {
        return reached;
    };
    let mut shares = Vec::new();
    for line in text.lines() {
        if let Ok(share) = Share::parse(line) {
            reached.push("share");
            assert_eq!(share.to_string(), line);
            shares.push(share);
        }
    }
    if seal::shamir::join(&shares).is_ok() {
        reached.push("joined");
    }
    if let Ok(bundle) = seal::escrow::Bundle::parse(text) {
        reached.push("bundle");
        assert_eq!(bundle.to_string(), text);
        let _ = bundle.open(&shares);
    }
    reached
}

/// Sealed bodies and wrapped keys: what opens is what was sealed, to the byte.
pub fn body(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    let key = body_key();
    if let Ok(opened) = seal::open(&key, &BOUND, data) {
        reached.push("opened");
        let nonce = *data.first_chunk().expect("a body has a nonce");
        let again = seal::seal(&key, nonce, &BOUND, &opened.salt, &opened.packed);
        assert_eq!(again, data);
    }
    // Under which key it lies, the verifier tells as those do who seal.
    let place = evidence::content::Place {
        log: BOUND.log,
        class: evidence::content::Class::Record,
        person: evidence::Alias([0x70; 16]),
        kind: BOUND.kind,
        id: BOUND.id,
        version: BOUND.version,
        position: BOUND.position,
    };
    let is_under = seal::is_under(&key.name(), &BOUND, data);
    if let Some(left) = evidence::content::Sealed::of(data) {
        assert_eq!(left.hash(), evidence::content::sealed(data));
        assert_eq!(left.is_under(&key.name(), &place), is_under);
        if is_under {
            reached.push("under its key");
        }
    }
    let unwrapped = FileProvider::new(body_key(), None).unwrap(data, ORIGIN.as_bytes());
    if unwrapped.is_ok() {
        reached.push("unwrapped");
    }
    let _ = FileProvider::needs_passphrase(data);
    // The same bytes as a content: sealed, it opens; with one bit changed, it does not.
    if let Some((nonce, packed)) = data.split_first_chunk() {
        let mut body = seal::seal(&key, *nonce, &BOUND, &[5; 16], packed);
        let opened = seal::open(&key, &BOUND, &body).expect("it was sealed so");
        assert_eq!(opened.packed, packed);
        assert!(seal::is_under(&key.name(), &BOUND, &body));
        let at = nonce.iter().map(|b| usize::from(*b)).sum::<usize>() % body.len();
        body[at] ^= 1 << (nonce[0] % 8);
        assert!(seal::open(&key, &BOUND, &body).is_err());
    }
    reached
}

/// Paths of tiles, and bundles of entries.
pub fn tile(data: &[u8]) -> Vec<&'static str> {
    let mut reached = Vec::new();
    if let Some(path) = text(data).and_then(TilePath::parse) {
        reached.push("path");
        assert_eq!(Some(path.to_string().as_str()), text(data));
    }
    let Some((width, rest)) = data.split_first() else {
        return reached;
    };
    if let Ok(entries) = read_bundle(rest, u16::from(*width) + 1) {
        reached.push("bundle");
        assert_eq!(write_bundle(entries).expect("it was one"), rest);
    }
    reached
}
