//! Attack 3: entries about a person are left out of what they are given, or taken away from them in the record.

use super::{PATIENT, Ward, audit, export, forger, put, recorded, refused, says, verify};
use crate::served::{Folder, Served, get, homecoming, homecoming_done};

/// The position of a resource's first entry.
fn position(lines: &[String], name: &str) -> usize {
    lines
        .iter()
        .position(|line| line.contains(&format!(" {name}/1 ")))
        .unwrap_or_else(|| panic!("no {name} in {lines:#?}"))
}

/// The entry is said to be about nobody, and the person's chain is closed over the gap. Only what was counted before
/// does not fit any more.
#[test]
fn an_entry_that_is_taken_away_from_a_person_is_missed_by_whoever_counts() {
    let folder = Folder::new("withheld");
    let (data, _) = recorded(&folder);
    let key = crate::served::log_key(&data);
    let whole = export(&folder, &data, "whole");
    let (code, said) = verify(&[&whole, "--key", &key]);
    assert_eq!(code, 0, "{said}");
    let lines = forger::lines(&data);
    let taken = position(&lines, "Observation/5eepab0000000001");
    let forged = forger::rechained(&lines, |line, _| {
        if line.position == taken as u64 {
            line.person = None;
        }
    });
    forger::replace(&data, &forged);
    says(
        &audit(&data),
        &[
            "its map of heads is not the one that the first",
            "somebody's entries are withheld from it",
            &format!(
                "Entry {taken}: it is about nobody, but its content is sealed under somebody's key"
            ),
        ],
    );
    // The program itself makes no export of it.
    let output = homecoming(&[
        "export",
        "--data",
        &data,
        "--person",
        "anna",
        "--out",
        &folder.join("less"),
    ]);
    assert_eq!(output.status.code(), Some(3));
    says(
        &String::from_utf8_lossy(&output.stderr),
        &["the ends of the chains are not those that it says"],
    );
    // The export from before stands.
    assert_eq!(verify(&[&whole, "--key", &key]).0, 0);
}

/// The programme counts again as well, and everything fits. That stands against whatever was handed out before, and
/// against the witnesses.
#[test]
fn a_programme_that_counts_again_is_contradicted_by_what_it_handed_out_and_by_its_witness() {
    let ward = Ward::new("counted-again");
    let bundle = super::bundle(&ward.folder);
    homecoming_done(&["import", "--data", &ward.data, &bundle]);
    let receipt = {
        let served = Served::start(&ward.data);
        put(&served, &ward.token, "Patient/anna", PATIENT);
        served.until_cosigned(5);
        let address = served.url("/fhir/Observation/5eepab0000000001/$receipt");
        get(&address, Some(&ward.token)).1
    };
    let lines = forger::lines(&ward.data);
    let taken = position(&lines, "Observation/5eepab0000000001");
    let map = lines.iter().position(|line| line.contains(" Basic/~"));
    let map = map.expect("a map of heads") as u64;
    let forged = forger::rechained(&lines, |line, before| {
        if line.position == taken as u64 {
            line.person = None;
        }
        if line.position == map {
            forger::count_again(&ward.data, line, before, map);
        }
    });
    forger::replace(&ward.data, &forged);
    says(
        &audit(&ward.data),
        &["are not those that witnesses have signed for"],
    );
    says(
        &refused(&ward.data),
        &["The record was changed", "rewrote the past"],
    );
    // Whoever has no witness has their receipt: signed by the log, of an entry that this export does not know.
    forger::forget_witnesses(&ward.data);
    let less = export(&ward.folder, &ward.data, "less");
    let key = forger::key(&ward.data);
    let (code, said) = verify(&[&less, "--key", &key.verifier().to_string()]);
    assert_eq!(code, 0, "without both, nobody can tell: {said}");
    let held =
        ledger::receipt::verify(receipt.as_bytes(), Some(key.verifier())).expect("it stands");
    assert_eq!(held.entry.position, taken as u64);
    let shown = std::fs::read_to_string(&less).expect("text");
    assert!(!shown.contains(&held.entry.line), "{shown}");
}
