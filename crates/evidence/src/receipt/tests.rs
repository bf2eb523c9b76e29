//! Receipts of a small log: what they prove, and each reason for which one proves nothing.

use record::time::RecordedAt;
use tlog::cosignature::{Algorithm, CosignerKey};
use tlog::note::{SignedNote, SigningKey};
use tlog::{Tree, leaf_hash, prove_inclusion, root_at};

use super::*;
use crate::entry::{Alias, Line, Previous};

const ORIGIN: &str = "ward.example/log";
const SALT: [u8; 16] = [9; 16];
const STORED: &[u8] = br#"{"resourceType":"Observation","id":"0123456789abcdef"}"#;
/// Noon of the first of May 2026, in seconds since 1970.
const NOON: u64 = 1_777_636_800;

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[3; 32]).expect("a name")
}

fn witness(number: u8) -> CosignerKey {
    let name = format!("w{number}.example");
    CosignerKey::from_seed(&name, Algorithm::Ed25519, &[number; 32]).expect("a name")
}

/// A policy of so many witnesses, all of them needed.
fn policy(count: u8) -> Policy {
    let mut text = String::new();
    for number in 1..=count {
        text += &format!("witness w{number} {}\n", witness(number).witness());
    }
    let names: Vec<String> = (1..=count).map(|number| format!("w{number}")).collect();
    text += &format!(
        "group all-of-them all {}\nquorum all-of-them\n",
        names.join(" ")
    );
    Policy::parse(text.as_bytes()).expect("a policy")
}

fn line() -> Line<'static> {
    Line {
        position: 2,
        recorded_at: RecordedAt(NOON as i64 * 1_000_000),
        actor: "user/7",
        purpose: "TREAT",
        action: Action::Create,
        kind: "Observation",
        id: "0123456789abcdef",
        version: 1,
        person: None,
        previous: None,
        commitment: content::commitment(&SALT, STORED),
        sealed: [1; 32],
    }
}

/// A receipt of this line in a log of five, cosigned by so many witnesses at noon.
fn receipt(line: &Line<'_>, stored: Option<&[u8]>, cosigned: u8) -> String {
    let mut bytes = Vec::new();
    line.write(&mut bytes);
    let leaves = (0_u64..5).map(|at| match at {
        2 => leaf_hash(&bytes),
        at => leaf_hash(&at.to_be_bytes()),
    });
    let tree: Tree = leaves.collect();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 5,
        root: root_at(5, &tree).expect("in memory"),
        extensions: Vec::new(),
    };
    let note = checkpoint.sign(&key()).expect("signed");
    let mut note = SignedNote::parse(&note).expect("a note");
    for number in 1..=cosigned {
        let line = witness(number).cosign(&note, NOON).expect("cosigned");
        note.put(line).expect("room");
    }
    let content = stored.map(|stored| Content {
        position: 2,
        salt: SALT,
        stored: stored.to_vec(),
    });
    make(
        key().verifier(),
        std::str::from_utf8(&bytes).expect("lines are text"),
        content.as_ref(),
        prove_inclusion(2, 5, &tree).expect("in memory"),
        note.to_string(),
        2,
    )
}

fn whole() -> String {
    receipt(&line(), Some(STORED), 0)
}

fn proves(report: &Report, part: &str) -> bool {
    report.proved.iter().any(|sentence| sentence.contains(part))
}

fn leaves_open(report: &Report, part: &str) -> bool {
    report
        .not_proved
        .iter()
        .any(|sentence| sentence.contains(part))
}

#[test]
fn a_receipt_says_what_it_proves_and_what_not() {
    let key = key().verifier().clone();
    let report = verify(whole().as_bytes(), Some(&key)).expect("it verifies");
    assert_eq!(
        (report.stored.as_slice(), report.checkpoint.size),
        (STORED, 5)
    );
    assert!(proves(&report, "was made: this is its version 1, 54 bytes"));
    assert!(!proves(&report, "It is number"));
    assert!(!leaves_open(&report, "Whose ledger it is"));
    assert!(leaves_open(&report, "no outside witness has signed"));
    let report = verify(whole().as_bytes(), None).expect("it verifies by its own key");
    assert!(leaves_open(&report, "Whose ledger it is"));

    // In a person's chain, changed, of an id that is shown as an alias, by nobody named.
    let chained = Line {
        person: Some(Alias([5; 16])),
        previous: Some(Previous {
            number: 3,
            position: 1,
            hash: [2; 32],
        }),
        action: Action::Update,
        id: "~AAAAAAAAAAAAAAAAAAAAAA",
        actor: "-",
        ..line()
    };
    let report = verify(receipt(&chained, Some(STORED), 0).as_bytes(), None).expect("it verifies");
    assert!(proves(
        &report,
        "It is number 4 of the entries about its person"
    ));
    assert!(proves(&report, "was changed") && proves(&report, "by (nobody named)"));
    assert!(leaves_open(
        &report,
        "the ledger's alias stands for this id"
    ));

    // Erased, of a deletion.
    let deleted = Line {
        action: Action::Delete,
        ..line()
    };
    let report = verify(receipt(&deleted, None, 0).as_bytes(), None).expect("it verifies");
    assert!(report.stored.is_empty());
    assert!(proves(&report, "was deleted: there was a version 1"));
    assert!(leaves_open(&report, "What it said"));
}

#[test]
fn other_signatures_are_named_as_far_as_the_reader_knows_them() {
    let of = |cosigned, policy: Option<&Policy>| {
        let trust = Trust { key: None, policy };
        verify_with(receipt(&line(), Some(STORED), cosigned).as_bytes(), &trust)
    };
    let report = of(1, None).expect("it verifies");
    assert!(leaves_open(
        &report,
        "Who made the other signature on the checkpoint"
    ));
    let report = of(3, None).expect("it verifies");
    assert!(leaves_open(&report, "Who made the other 3 signatures"));
    let report = of(2, Some(&policy(2))).expect("both cosigned");
    assert!(proves(&report, "cosigned: w1 at 2026-05-01T12:00:00"));
    assert!(leaves_open(&report, "independent of the programme"));
    assert!(matches!(of(1, Some(&policy(2))), Err(Problem::Log(_))));
    let elsewhere = SigningKey::from_seed("else.example", &[3; 32]).expect("a name");
    let elsewhere = format!("log {}\nquorum none\n", elsewhere.verifier());
    let elsewhere = Policy::parse(elsewhere.as_bytes()).expect("a policy");
    assert!(matches!(
        of(0, Some(&elsewhere)),
        Err(Problem::Distrust(Distrust::UnknownLog { .. }))
    ));
}

#[test]
fn a_receipt_of_an_entry_that_is_younger_than_its_cosignatures_is_not_believed() {
    let late = |seconds: i64| Line {
        recorded_at: RecordedAt((NOON as i64 + seconds) * 1_000_000),
        ..line()
    };
    let check = |seconds, cosigned| {
        let policy = policy(cosigned);
        let trust = Trust {
            key: None,
            policy: Some(&policy),
        };
        let receipt = receipt(&late(seconds), Some(STORED), cosigned);
        verify_with(receipt.as_bytes(), &trust).map(|_| ())
    };
    assert_eq!(check(120, 1), Ok(()));
    let refused = check(121, 1).expect_err("it was signed for before");
    assert_eq!(
        refused.to_string(),
        "the receipt is not believed: entry 2 says that it was recorded at 2026-05-01T12:02:01.000000Z, but the witness \
         w1 had signed for it at 2026-05-01T12:00:00.000000Z already"
    );
    assert!(check(121, 2).is_err());
}

/// Puts another `extra` into a receipt.
fn with_extra(edit: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Result<Report, Problem> {
    let mut proof = Proof::parse(&whole()).expect("a proof");
    proof.extra = Some(edit(proof.extra.expect("its parts")));
    verify(proof.to_string().as_bytes(), None)
}

#[test]
fn what_is_missing_or_malformed_is_named() {
    let edited = |from: &str, to: &str| {
        with_extra(|extra| {
            let extra = String::from_utf8(extra).expect("text");
            assert!(extra.contains(from), "{extra}");
            extra.replacen(from, to, 1).into_bytes()
        })
    };
    let cut = |parts: usize| {
        with_extra(|extra| {
            let parts: Vec<&[u8]> = extra.split(|b| *b == b'\n').take(parts).collect();
            parts.join(&b'\n')
        })
    };
    let extra = |what| Err(Problem::Extra(what));
    assert_eq!(cut(1), extra("public key"));
    assert_eq!(cut(2), extra("entry"));
    assert_eq!(cut(3), extra("salt"));
    assert_eq!(cut(4), extra("content"));
    assert_eq!(edited("receipt/1", "receipt/2"), extra("first line"));
    assert_eq!(edited("ward.example", "other.example"), extra("public key"));
    assert_eq!(
        with_extra(|e| [&e[..21], b"\xff", &e[22..]].concat()),
        extra("public key")
    );
    assert_eq!(edited("CQkJCQkJCQkJCQkJCQkJCQ==", "CQ=="), extra("salt"));
    assert_eq!(edited("CQkJCQkJCQkJCQkJCQkJCQ==", "C"), extra("salt"));
    assert_eq!(edited("CQkJCQkJCQkJCQkJCQkJCQ==", ""), extra("salt"));
    assert_eq!(
        edited("Observation\",\"id", "Condition\",\"id"),
        Err(Problem::Content)
    );
    assert!(matches!(edited("user/7", "user/8"), Err(Problem::Log(_))));
    // Without its content, the salt alone says nothing.
    let stored = std::str::from_utf8(STORED).expect("text");
    assert_eq!(edited(stored, ""), Err(Problem::Content));
    let mut bare = Proof::parse(&whole()).expect("a proof");
    bare.extra = None;
    assert_eq!(verify(bare.to_string().as_bytes(), None), extra("content"));
    assert_eq!(verify(b"\xff", None), Err(Problem::Bytes(0)));
    assert!(matches!(verify(b"", None), Err(Problem::Text(_))));
    let other = SigningKey::from_seed(ORIGIN, &[4; 32]).expect("a name");
    assert!(matches!(
        verify(whole().as_bytes(), Some(other.verifier())),
        Err(Problem::OtherKey { .. })
    ));
}

/// A log that hashed and signed what it should never have written.
#[test]
fn what_a_log_wrote_wrongly_is_refused_though_it_is_proved() {
    let check = |line: &Line<'_>, stored: &[u8]| {
        let line = Line {
            commitment: content::commitment(&SALT, stored),
            ..*line
        };
        verify(receipt(&line, Some(stored), 0).as_bytes(), None).map(|_| ())
    };
    assert_eq!(check(&line(), STORED), Ok(()));
    let elsewhere = Line {
        position: 3,
        ..line()
    };
    assert_eq!(
        check(&elsewhere, STORED),
        Err(Problem::Position { line: 3, proof: 2 })
    );
    let other = |content: &str| {
        Err(Problem::Resource {
            content: content.to_owned(),
            entry: "Observation/0123456789abcdef".to_owned(),
        })
    };
    let of = |kind: &str, id: &str| format!(r#"{{"resourceType":"{kind}","id":"{id}"}}"#);
    let found = check(&line(), of("Condition", "0123456789abcdef").as_bytes());
    assert_eq!(found, other("Condition/0123456789abcdef"));
    let found = check(&line(), of("Observation", "x").as_bytes());
    assert_eq!(found, other("Observation/x"));
    assert_eq!(check(&line(), b"{}"), Err(Problem::Extra("content")));
    // A line that does not read as an entry's.
    let mut proof = Proof::parse(&whole()).expect("a proof");
    let mut extra = proof.extra.take().expect("its parts");
    let tree: Tree = [leaf_hash(b"no line")].into_iter().collect();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 1,
        root: root_at(1, &tree).expect("in memory"),
        extensions: Vec::new(),
    };
    let parts: Vec<&[u8]> = extra.splitn(5, |b| *b == b'\n').collect();
    extra = [parts[0], parts[1], b"no line", parts[3], parts[4]].join(&b'\n');
    let proof = Proof {
        extra: Some(extra),
        index: 0,
        hashes: Vec::new(),
        checkpoint: checkpoint.sign(&key()).expect("signed"),
    };
    assert_eq!(
        verify(proof.to_string().as_bytes(), None),
        Err(Problem::Extra("entry"))
    );
}

#[test]
fn the_receipt_of_a_signature_says_whether_it_stands() {
    use crate::signature::tests::{es256, provenance};
    use crate::signature::{Meaning, Statement};
    let statement = Statement {
        log: ORIGIN.to_owned(),
        position: 1,
        line: [4; 32],
        meaning: Meaning::Approved,
        actor: "user/7".to_owned(),
        name: "R. Osei".to_owned(),
        at: RecordedAt(NOON as i64 * 1_000_000),
    };
    let of = |stored: String| {
        let line = Line {
            kind: "Provenance",
            commitment: content::commitment(&SALT, stored.as_bytes()),
            ..line()
        };
        let receipt = receipt(&line, Some(stored.as_bytes()), 0);
        verify(receipt.as_bytes(), None)
    };
    let good = provenance(&statement, Some(&es256(&statement)));
    let report = of(good.clone()).expect("it verifies");
    assert!(proves(&report, "It is a signature: entry 1"));
    let forged = of(good.replace("R. Osei", "R. Abara"));
    assert_eq!(forged, Err(Problem::Signature(Flaw::OtherStatement)));
    let report = of(provenance(&statement, None)).expect("it verifies");
    assert!(leaves_open(&report, "with a password, as the server says"));
}

/// What becomes of a promise by the receipt of an entry.
#[test]
fn a_promise_is_held_against_a_receipt() {
    use crate::promise::{Evidence, Promise, Standing, Unrelated, fingerprint};
    let at = |seconds: u64| RecordedAt((NOON + seconds) as i64 * 1_000_000);
    let person = Alias([5; 16]);
    let of = |stored: Option<&[u8]>| {
        let line = Line {
            person: Some(person),
            ..line()
        };
        verify(receipt(&line, stored, 0).as_bytes(), None).expect("it verifies")
    };
    let promise = |content: &[u8]| Promise {
        key: key().verifier().clone(),
        person,
        received: at(0),
        due: at(60),
        content: fingerprint(content).expect("an object"),
    };
    let standing = |promise: &Promise, report: &Report, now| {
        promise.standing(Evidence::Receipt(report), at(now))
    };
    let kept = Standing::Kept {
        position: 2,
        recorded_at: at(0),
    };
    let whole = of(Some(STORED));
    assert_eq!(standing(&promise(STORED), &whole, 90), Ok(kept));
    let other = promise(br#"{"resourceType":"Condition"}"#);
    assert_eq!(standing(&other, &whole, 90), Err(Unrelated::Content));
    // What was erased may have been it.
    let erased = of(None);
    assert_eq!(standing(&promise(STORED), &erased, 30), Ok(Standing::Open));
    assert_eq!(
        standing(&promise(STORED), &erased, 90),
        Ok(Standing::Unknown)
    );
    let theirs = Promise {
        person: Alias([6; 16]),
        ..promise(STORED)
    };
    assert_eq!(standing(&theirs, &whole, 90), Err(Unrelated::Person));
}
