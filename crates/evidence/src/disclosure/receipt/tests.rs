//! Receipts of disclosures: what they prove, under a policy too, and each reason for which one proves nothing.

use record::time::RecordedAt;
use tlog::cosignature::{Algorithm, CosignerKey};
use tlog::note::SigningKey;
use tlog::policy::Policy;
use tlog::{Tree, leaf_hash, prove_inclusion, root_at};

use super::*;
use crate::content::commitment;
use crate::disclosure::{Line, What};
use crate::entry::Alias;

const ORIGIN: &str = "ward.example/log/access";
const SALT: [u8; 16] = [9; 16];
const STORED: &[u8] = br#"{"address":"/people/x"}"#;
/// Noon of the first of May 2026, in seconds since 1970.
const NOON: u64 = 1_777_636_800;

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[3; 32]).expect("a name")
}

fn witness() -> CosignerKey {
    CosignerKey::from_seed("w.example", Algorithm::Ed25519, &[4; 32]).expect("a name")
}

fn line() -> Line<'static> {
    Line {
        position: 1,
        recorded_at: RecordedAt(NOON as i64 * 1_000_000),
        actor: "user/9",
        purpose: "TREAT",
        what: What::Page,
        size: 12,
        versions: 3,
        whom: Whom::One(Alias([5; 16])),
        commitment: commitment(&SALT, STORED),
        sealed: [2; 32],
    }
}

/// A receipt of these bytes as leaf 1 of three, cosigned at this time if there is one.
fn receipt_of(line: &[u8], content: Option<&[u8]>, cosigned: Option<u64>) -> String {
    let tree: Tree = [leaf_hash(b"a"), leaf_hash(line), leaf_hash(b"b")]
        .into_iter()
        .collect();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 3,
        root: root_at(3, &tree).expect("in memory"),
        extensions: Vec::new(),
    };
    let note = checkpoint.sign(&key()).expect("signed");
    let mut note = SignedNote::parse(&note).expect("a note");
    if let Some(time) = cosigned {
        let line = witness().cosign(&note, time).expect("cosigned");
        note.put(line).expect("room");
    }
    make(
        key().verifier(),
        std::str::from_utf8(line).expect("text"),
        content.map(|content| (&SALT, content)),
        prove_inclusion(1, 3, &tree).expect("in memory"),
        note.to_string(),
        1,
    )
}

fn receipt(line: &Line<'_>, content: Option<&[u8]>, cosigned: Option<u64>) -> String {
    let mut bytes = Vec::new();
    line.write(&mut bytes);
    receipt_of(&bytes, content, cosigned)
}

#[test]
fn a_receipt_says_to_whom_what_was_told() {
    let key = key().verifier().clone();
    let text = receipt(&line(), Some(STORED), None);
    assert!(is_one(text.as_bytes()));
    let report = verify(text.as_bytes(), Some(&key)).expect("it verifies");
    let (proved, open) = (report.proved.join("\n"), report.not_proved.join("\n"));
    assert!(
        proved.contains("about one person, pBQUFBQUFBQUFBQUFBQUFBQ"),
        "{proved}"
    );
    assert!(proved.contains("What was asked for: /people/x"), "{proved}");
    assert!(open.contains("no outside witness is vouched for"), "{open}");
    assert!(!open.contains("Whose log it is"), "{open}");
    for (whom, versions, words) in [
        (Whom::Nobody, 0, "about nobody in particular"),
        (Whom::Many(3), 1, "about 3 people"),
    ] {
        let line = Line {
            whom,
            versions,
            ..line()
        };
        let report = verify(receipt(&line, None, None).as_bytes(), None).expect("it verifies");
        let (proved, open) = (report.proved.join("\n"), report.not_proved.join("\n"));
        assert!(proved.contains(words), "{proved}");
        assert!(open.contains("Whose log it is"), "{open}");
        assert!(open.contains("What exactly was asked for"), "{open}");
        assert_eq!(open.contains("That nothing was learned"), versions == 0);
        assert_eq!(report.told, None);
    }
    for other in [&b"\xff"[..], b"", receipt_without_extra().as_bytes()] {
        assert!(!is_one(other));
    }
}

fn receipt_without_extra() -> String {
    let mut proof = Proof::parse(&receipt(&line(), None, None)).expect("a proof");
    proof.extra = None;
    proof.to_string()
}

#[test]
fn a_policy_asks_its_witnesses_of_the_access_log_too() {
    let text = format!(
        "log {}\nwitness w {}\nquorum w\n",
        SigningKey::from_seed("ward.example/log", &[1; 32])
            .expect("a name")
            .verifier(),
        witness().witness()
    );
    let policy = Policy::parse(text.as_bytes()).expect("a policy");
    let key = key().verifier().clone();
    let trust = Trust {
        key: Some(&key),
        policy: Some(&policy),
    };
    let check = |cosigned| {
        verify_with(receipt(&line(), Some(STORED), cosigned).as_bytes(), &trust)
            .map(|report| (report.proved.join("\n"), report.not_proved.join("\n")))
    };
    let (proved, open) = check(Some(NOON)).expect("it is cosigned");
    assert!(proved.contains("saw the access log"), "{proved}");
    assert!(!open.contains("no outside witness"), "{open}");
    assert!(matches!(
        check(None),
        Err(Problem::Distrust(Distrust::Witnesses(_)))
    ));
    assert!(check(Some(NOON - 120)).is_ok());
    assert!(matches!(
        check(Some(NOON - 121)),
        Err(Problem::Distrust(Distrust::Time { position: 1, .. }))
    ));
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    let refused = |text: &str| verify(text.as_bytes(), None).map(|_| ()).unwrap_err();
    let elsewhere = Line {
        position: 2,
        ..line()
    };
    let text = receipt(&elsewhere, Some(STORED), None);
    assert_eq!(refused(&text), Problem::Position { line: 2, proof: 1 });
    let text = receipt_of(b"no line", None, None);
    assert_eq!(refused(&text), Problem::Extra("line"));
    let text = receipt(&line(), Some(b"{}"), None);
    assert_eq!(refused(&text), Problem::Content);
    let unread = Line {
        commitment: commitment(&SALT, b"nothing"),
        ..line()
    };
    let text = receipt(&unread, Some(b"nothing"), None);
    assert_eq!(refused(&text), Problem::Extra("content"));
    let other = SigningKey::from_seed(ORIGIN, &[66; 32]).expect("a name");
    let text = receipt(&line(), Some(STORED), None);
    let found = verify(text.as_bytes(), Some(other.verifier()));
    assert!(matches!(found, Err(Problem::OtherKey { .. })));
    let text = text.replace(&format!("\u{2014} {ORIGIN}"), "\u{2014} another.example");
    assert!(matches!(refused(&text), Problem::Log(_)));
    assert_eq!(refused(&receipt_without_extra()), Problem::Extra("content"));
}
