//! Signatures in an export: each is checked against the entry that it is of, if that is in the file.

use super::*;
use crate::signature::tests::{es256, provenance};
use crate::signature::{Assertion, Flaw, Meaning, Statement};

/// A statement about the line at a position, as it is or as it is not.
fn statement(line: &str, position: u64) -> Statement {
    Statement {
        log: ORIGIN.to_owned(),
        position,
        line: tlog::leaf_hash(line.as_bytes()),
        meaning: Meaning::Reviewed,
        actor: "user/7".to_owned(),
        name: "R. Osei".to_owned(),
        at: at(20),
    }
}

/// What is found of two entries, and signatures of them.
fn signed(signatures: &[String]) -> Result<Report, Problem> {
    let mut log = Log::default();
    log.push(Some(PERSON), "Observation", observation(0));
    log.push(Some(PERSON), "Observation", observation(1));
    for stored in signatures {
        log.push(Some(PERSON), "Provenance", stored.clone().into_bytes());
    }
    log.push_map();
    let all: Vec<u64> = (0..2 + signatures.len() as u64).collect();
    check(&log.export_of(&all).write())
}

fn line(at: usize) -> String {
    let mut log = Log::default();
    log.push(Some(PERSON), "Observation", observation(0));
    log.push(Some(PERSON), "Observation", observation(1));
    log.items[at].line.clone()
}

#[test]
fn what_a_passkey_signed_is_proved_and_what_a_server_says_is_not() {
    let first = statement(&line(0), 0);
    let second = statement(&line(1), 1);
    let report = signed(&[
        provenance(&first, Some(&es256(&first))),
        provenance(&first, Some(&es256(&first))),
        provenance(&second, None),
    ])
    .expect("it verifies");
    let (proved, open) = (report.proved.join("\n"), report.not_proved.join("\n"));
    for part in [
        "Entry 0 (Observation) was signed as reviewed by R. Osei",
        "The signature fits it as it is here",
    ] {
        assert!(proved.contains(part), "{part}: {proved}");
    }
    for part in [
        "That Entry 1 (Observation) was signed as reviewed by R. Osei",
        "Whose the passkeys are",
        "a key of a signer's own signed 1 of them",
    ] {
        assert!(open.contains(part), "{part}: {open}");
    }
}

#[test]
fn a_signature_that_does_not_fit_is_a_fault_and_says_of_what() {
    let good = statement(&line(1), 1);
    let other = statement("another line", 1);
    let away = statement(&line(0), 99);
    let signed_by = |statement: &Statement| provenance(statement, Some(&es256(statement)));
    let renamed = |stored: String| stored.replace("R. Osei", "R. Abara");
    let table = [
        // The entry is not the one that was signed, whoever stands for it.
        (signed_by(&other), 1, Flaw::OtherEntry),
        (provenance(&other, None), 1, Flaw::OtherEntry),
        // The signer, or what the passkey said, was altered.
        (renamed(signed_by(&good)), 1, Flaw::OtherStatement),
        (
            provenance(&good, Some(&es256(&away))),
            1,
            Flaw::OtherStatement,
        ),
        // That shows without the entry, too.
        (renamed(signed_by(&away)), 99, Flaw::OtherStatement),
    ];
    for (forged, position, flaw) in table {
        let found = signed(&[signed_by(&good), forged]).expect_err("it is forged");
        let expect = Problem::Signature {
            position,
            signature: 3,
            flaw,
        };
        assert_eq!(found, expect);
        let said = found.to_string();
        let says = format!("the signature in entry 3 does not fit entry {position}: {flaw}.");
        assert!(said.starts_with(&says), "{said}");
    }
}

#[test]
fn what_cannot_be_judged_about_a_signature_is_said_and_no_fault() {
    let away = statement(&line(0), 99);
    let first = statement(&line(0), 0);
    let unknown = Assertion {
        algorithm: -257,
        ..es256(&first)
    };
    let report = signed(&[
        provenance(&away, Some(&es256(&away))),
        provenance(&first, Some(&unknown)),
    ])
    .expect("it verifies");
    let (proved, open) = (report.proved.join("\n"), report.not_proved.join("\n"));
    for part in [
        "What entry 2 signs: entry 99 is not in this file.",
        "That Entry 0 (Observation) was signed as reviewed by R. Osei",
        "the key is of a kind that is not checked here",
        "the names are asserted by the server",
    ] {
        assert!(open.contains(part), "{part}: {open}");
    }
    assert!(!proved.contains("R. Osei"), "{proved}");
    assert!(!open.contains("Whose the passkeys are"), "{open}");
}
