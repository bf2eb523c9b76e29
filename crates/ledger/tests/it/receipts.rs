//! Every receipt verifies, and no altered one does.

use ledger::receipt::{Problem, verify};
use ledger::{Action, Expect};
use tlog::note::SigningKey;

use crate::damage::world_of_600;
use crate::world::{World, delete, transaction, write};

#[test]
fn every_receipt_of_a_ledger_verifies() {
    let world = world_of_600();
    let reader = world.reader();
    for position in 0..600 {
        let receipt = reader.receipt(position).unwrap();
        let report = verify(receipt.as_bytes(), Some(reader.verifier())).unwrap();
        assert_eq!(
            (report.entry.position, report.checkpoint.size),
            (position, 600)
        );
        assert_eq!(report.stored, reader.content(position).unwrap().stored);
    }
    assert!(reader.receipt(600).is_err());
    // Every size that the ledger ever had still has its root.
    let mut tree = tlog::Frontier::new();
    for size in 0..=600 {
        assert_eq!(reader.root_at(size).unwrap(), tree.root(), "{size}");
        if let Some(entry) = reader.entry(size).unwrap() {
            tree.push(tlog::leaf_hash(entry.line.as_bytes()));
        }
    }
    assert!(reader.root_at(601).is_err());
}

#[test]
fn every_receipt_of_every_size_verifies() {
    let mut world = World::new(2);
    for size in 1..=40 {
        let name = format!("Task/t{}", size % 7);
        world.accept(transaction(vec![write(
            Action::Update,
            &name,
            Expect::Any,
            None,
            "x",
        )]));
        let reader = world.reader();
        for position in 0..size {
            verify(reader.receipt(position).unwrap().as_bytes(), None).unwrap();
        }
    }
}

#[test]
fn a_receipt_with_one_byte_altered_is_refused() {
    let world = world_of_600();
    let reader = world.reader();
    // Of a person's entry, within the second full tile.
    let receipt = reader.receipt(301).unwrap().into_bytes();
    for trusted in [None, Some(reader.verifier())] {
        assert!(verify(&receipt, trusted).is_ok());
        for at in 0..receipt.len() {
            for bit in [0, 3, 5, 7] {
                let mut altered = receipt.clone();
                altered[at] ^= 1 << bit;
                assert!(verify(&altered, trusted).is_err(), "byte {at}, bit {bit}");
            }
            let mut shorter = receipt.clone();
            shorter.remove(at);
            assert!(verify(&shorter, trusted).is_err(), "without byte {at}");
            assert!(verify(&receipt[..at], trusted).is_err(), "cut at {at}");
        }
        for more in [&b"\n"[..], b" ", b"x"] {
            assert!(verify(&[&receipt, more].concat(), trusted).is_err());
        }
    }
}

/// Puts another `extra` into a receipt.
fn with_extra(receipt: &str, edit: impl FnOnce(&str) -> String) -> String {
    let mut proof = tlog::proof::Proof::parse(receipt).unwrap();
    let extra = String::from_utf8(proof.extra.unwrap()).unwrap();
    proof.extra = Some(edit(&extra).into_bytes());
    proof.to_string()
}

#[test]
fn a_receipt_that_was_put_together_anew_is_refused_with_the_reason() {
    let mut world = World::new(4);
    for text in ["Anna", "Anna Maria"] {
        world.accept(transaction(vec![write(
            Action::Update,
            "Patient/anna",
            Expect::Any,
            Some("anna"),
            text,
        )]));
    }
    let reader = world.reader();
    let (first, second) = (reader.receipt(0).unwrap(), reader.receipt(1).unwrap());
    let check = |receipt: &str, expect: &str| {
        assert_eq!(
            verify(receipt.as_bytes(), None).unwrap_err().to_string(),
            expect
        );
    };
    check(
        "",
        "this is not a receipt: the first line is not c2sp.org/tlog-proof@v1",
    );
    let edited = |from: &'static str, to: &'static str| {
        with_extra(&second, move |extra| extra.replacen(from, to, 1))
    };
    check(
        &edited("Anna", "Hanna"),
        "the content was changed: it is not what the entry commits to",
    );
    check(
        &edited("receipt/1", "receipt/2"),
        "the receipt's first line is missing or malformed",
    );
    check(
        &edited("+", "-"),
        "the receipt's public key is missing or malformed",
    );
    // Another key that its owner would vouch for: but it did not sign this.
    let other = SigningKey::from_seed("test.example/log", &[5; 32]).unwrap();
    let forged = with_extra(&second, |extra| {
        extra.replacen(
            &reader.verifier().to_string(),
            &other.verifier().to_string(),
            1,
        )
    });
    assert!(matches!(
        verify(forged.as_bytes(), None),
        Err(Problem::Log(_))
    ));
    assert!(matches!(
        verify(forged.as_bytes(), Some(reader.verifier())),
        Err(Problem::OtherKey { .. })
    ));
    assert!(matches!(
        verify(second.as_bytes(), Some(other.verifier())),
        Err(Problem::OtherKey { .. })
    ));
    // The content of one entry under the proof of another.
    let parts = |receipt: &str| tlog::proof::Proof::parse(receipt).unwrap();
    let mut mixed = parts(&second);
    mixed.extra = parts(&first).extra;
    assert!(matches!(
        verify(mixed.to_string().as_bytes(), None),
        Err(Problem::Log(_))
    ));
    let mut moved = parts(&second);
    moved.index = 0;
    assert!(matches!(
        verify(moved.to_string().as_bytes(), None),
        Err(Problem::Log(_))
    ));
}

#[test]
fn a_report_says_what_was_proved_and_what_was_not() {
    let mut world = World::new(5);
    world.accept(transaction(vec![write(
        Action::Create,
        "Patient/anna",
        Expect::Any,
        Some("anna"),
        "Anna",
    )]));
    world.accept(transaction(vec![delete("Patient/anna", Expect::Any)]));
    let reader = world.reader();
    let key = reader.verifier();
    let report = verify(reader.receipt(0).unwrap().as_bytes(), None).unwrap();
    assert_eq!(
        report.proved,
        [
            "Patient/anna was made: this is its version 1, 52 bytes, exactly as it was recorded."
                .to_owned(),
            "It is entry 0 of the ledger test.example/log, which says that it was recorded at \
             2026-01-01T00:00:01.000000Z by user/dana for the purpose treatment."
                .to_owned(),
            format!(
                "The ledger had 2 entries when it signed for this, with the key {key}: it cannot take this entry \
                 back, change it or move it without breaking that signature."
            ),
        ]
    );
    assert_eq!(
        report.not_proved,
        [
            "Whose ledger it is. The key was taken from the receipt itself: compare it with the one that the \
             programme published, or give that one with --key.",
            "That what it says is true, that this is the latest version, or that nothing else was recorded.",
            "That the time is right: it is the one of the ledger's own clock, and only its order is certain.",
            "Who wrote it: the name is asserted by the server, and no key of the author's own signed it.",
            "That everybody is shown the same ledger: no outside witness has signed this checkpoint.",
            "That the ledger's alias stands for this id: only the programme can show that. The content itself is \
             what was recorded.",
        ]
    );
    // A trusted key takes the first doubt away.
    let report = verify(reader.receipt(0).unwrap().as_bytes(), Some(key)).unwrap();
    assert!(
        !report
            .not_proved
            .iter()
            .any(|sentence| sentence.starts_with("Whose"))
    );
}
