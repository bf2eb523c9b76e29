//! Attack 17: therapy notes are read by whoever has the rest of the record. Here by way of the files and the keys;
//! who may ask for what over HTTP is decided elsewhere.

use super::{NOTE, audit, copy, forger, put, recorded, says};
use crate::served::{Folder, Served, get, homecoming};

const ADDRESS: &str = "/fhir/DocumentReference/5eepab00000000nt";

fn position(data: &str, name: &str) -> u64 {
    let lines = forger::lines(data);
    let at = lines.iter().position(|line| line.contains(name));
    at.unwrap_or_else(|| panic!("{name} is not there")) as u64
}

/// The note is said to be sealed under the key of the record, which somebody was given for another purpose.
#[test]
fn a_therapy_note_does_not_open_with_the_key_of_the_record() {
    let folder = Folder::new("purpose");
    let (data, token) = recorded(&folder);
    let note = position(&data, "DocumentReference/5eepab00000000nt/1");
    let score = position(&data, "Observation/5eepab0000000001/1");
    let (of_notes, of_record) = (
        forger::sealed_under(&data, note),
        forger::sealed_under(&data, score),
    );
    assert_ne!(of_notes.0, of_record.0, "another class");
    assert_ne!(of_notes.1, of_record.1, "another key");
    let served = Served::start(&data);
    let (status, said) = get(&served.url(ADDRESS), Some(&token));
    assert!(
        status == 200 && said.contains("what was confided"),
        "{said}"
    );
    for (class, slot) in [
        of_record,
        (of_record.0, of_notes.1),
        (of_notes.0, of_record.1),
    ] {
        forger::without_triggers(&data, |db| {
            db.execute(
                "UPDATE content SET class = ?2, slot = ?3 WHERE position = ?1",
                (note as i64, class, slot),
            )
            .expect("relabelled");
        });
        let (status, said) = get(&served.url(ADDRESS), Some(&token));
        assert_eq!(status, 500, "{said}");
        assert!(!said.contains("confided"), "{said}");
        says(
            &audit(&data),
            &[&format!(
                "Entry {note}: its content is sealed under another key, or for another place"
            )],
        );
    }
}

/// Whoever was handed keys for another purpose was not handed this one: with it destroyed in their copy, all but
/// the notes opens, and nothing brings those back.
#[test]
fn keys_without_those_of_the_notes_open_everything_but_the_notes() {
    let folder = Folder::new("purpose-keys");
    let (data, token) = recorded(&folder);
    // Taking the label off a later version does not take the earlier one out from under its key.
    {
        let served = Served::start(&data);
        let plain = NOTE.replace("PSYTHPN", "MH");
        put(
            &served,
            &token,
            "DocumentReference/5eepab00000000nt",
            &plain,
        );
    }
    let evaluator = folder.join("evaluator");
    copy(&data, &evaluator);
    let note = position(&data, "DocumentReference/5eepab00000000nt/1");
    let (_, slot) = forger::sealed_under(&evaluator, note);
    let keys = ledger::open_keys(evaluator.as_ref(), None).expect("keys");
    let mut last = 1u8;
    keys.destroy(&[slot as u32], &mut |bytes: &mut [u8]| {
        bytes.fill_with(|| {
            last = last.wrapping_mul(29).wrapping_add(11);
            last
        })
    })
    .expect("left out");
    let reader = ledger::Ledger::open(evaluator.as_ref(), 1, keys).expect("the ledger");
    let mut opened = 0;
    for at in 0..reader.size().expect("a size") {
        match reader.content(at) {
            Ok(content) => {
                opened += 1;
                assert!(at != note, "{content:?}");
            }
            Err(error) => assert!(at == note, "{at}: {error}"),
        }
    }
    assert_eq!(opened, reader.size().expect("a size") - 1);
    // The search values of notes are not in what is sealed: an index that is made there has none of it either.
    let output = homecoming(&["rebuild", "--data", &evaluator]);
    assert!(output.status.success());
    says(
        &audit(&evaluator),
        &["was destroyed, and no erasure on the record says so"],
    );
}
