//! Signatures in an export: each is checked against the entry that it is of, if that is in the file.

use super::*;
use crate::signature::tests::{es256, provenance};
use crate::signature::{Meaning, Statement};

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

/// Two entries, and signatures of them.
fn signed(signatures: &[String]) -> Report {
    let mut log = Log::default();
    log.push(Some(PERSON), "Observation", observation(0));
    log.push(Some(PERSON), "Observation", observation(1));
    for stored in signatures {
        log.push(Some(PERSON), "Provenance", stored.clone().into_bytes());
    }
    log.push_map();
    let all: Vec<u64> = (0..2 + signatures.len() as u64).collect();
    check(&log.export_of(&all).write()).expect("it verifies")
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
    ]);
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
fn a_signature_that_does_not_fit_or_is_of_what_is_not_there_is_said() {
    let other = statement("another line", 1);
    let away = statement(&line(0), 99);
    let report = signed(&[
        provenance(&other, Some(&es256(&other))),
        provenance(&away, Some(&es256(&away))),
    ]);
    let open = report.not_proved.join("\n");
    for part in [
        "That R. Osei signed entry 1: the signature in entry 2 DOES NOT FIT",
        "What entry 3 signs: entry 99 is not in this file.",
        "the names are asserted by the server",
    ] {
        assert!(open.contains(part), "{part}: {open}");
    }
    assert!(!open.contains("Whose the passkeys are"), "{open}");
}
