//! Attack 5: a value is edited in the database, while the server runs, with as many hashes made to fit as the operator
//! likes.

use rusqlite::params;

use super::{Ward, audit, forger, observation, put, recorded, refused, says};
use crate::served::{Folder, Served, get, homecoming_done};

const SCORE: &str = "/fhir/Observation/5eepab0000000002";

/// The position of the score's only entry.
fn place(data: &str) -> u64 {
    let lines = forger::lines(data);
    let at = lines
        .iter()
        .position(|line| line.contains("Observation/5eepab0000000002/1"));
    at.expect("it is there") as u64
}

/// immudb #2063 and #2091: the value was edited and the hashes beside it were not, and the audit read only these.
#[test]
fn a_value_that_was_edited_while_the_server_runs_is_not_shown_and_is_found() {
    let folder = Folder::new("edited");
    let (data, token) = recorded(&folder);
    let at = place(&data);
    let served = Served::start(&data);
    let read = || get(&served.url(SCORE), Some(&token));
    let (status, sound) = read();
    assert_eq!(status, 200, "{sound}");
    for byte in [20, 70] {
        let edit = |db: &rusqlite::Connection| {
            let body: Vec<u8> = db
                .query_row(
                    "SELECT body FROM content WHERE position = ?1",
                    [at as i64],
                    |row| row.get(0),
                )
                .expect("its body");
            let mut edited = body.clone();
            edited[byte] ^= 1;
            db.execute(
                "UPDATE content SET body = ?2 WHERE position = ?1",
                params![at as i64, edited],
            )
            .expect("edited");
        };
        forger::without_triggers(&data, edit);
        let (status, said) = read();
        assert_eq!(status, 500, "{said}");
        assert!(!said.contains("valueQuantity"), "{said}");
        // The rest is served on.
        let (status, _) = get(&served.url("/fhir/Patient/anna"), Some(&token));
        assert_eq!(status, 200);
        // Found while it is served.
        says(
            &audit(&data),
            &[&format!(
                "Entry {at}: its sealed content is not the one that its line covers"
            )],
        );
        forger::without_triggers(&data, edit);
        assert_eq!(read(), (200, sound.clone()));
    }
    // With the line's hash made to fit, the root does not; and what is sealed still does not open.
    forger::without_triggers(&data, |db| {
        db.execute(
            "UPDATE content SET body = CAST(substr(body, 1, 70) || x'2a2a' || substr(body, 73) AS BLOB) WHERE position = ?1",
            [at as i64],
        )
        .expect("edited");
        let body: Vec<u8> = db
            .query_row(
                "SELECT body FROM content WHERE position = ?1",
                [at as i64],
                |row| row.get(0),
            )
            .expect("its body");
        let lines = forger::lines(&data);
        let mut line = evidence::entry::Line::parse(lines[at as usize].as_bytes()).expect("a line");
        line.sealed = evidence::content::sealed(&body);
        let mut written = Vec::new();
        line.write(&mut written);
        db.execute(
            "UPDATE entry SET line = ?2 WHERE position = ?1",
            params![at as i64, written],
        )
        .expect("edited");
    });
    let (status, said) = read();
    assert_eq!(status, 500, "{said}");
    says(
        &audit(&data),
        &[
            &format!("Entry {at}: its sealed content was changed"),
            "do not give the root that the checkpoint signs",
        ],
    );
}

/// Sealed anew with the programme's own key, committed to, hashed, chained, counted and signed again: all that is left
/// are the witnesses, and what was handed out.
#[test]
fn an_edit_with_everything_made_to_fit_is_found_by_what_witnesses_signed() {
    let ward = Ward::new("edited-whole");
    let served = Served::start(&ward.data);
    put(&served, &ward.token, "Patient/anna", super::PATIENT);
    put(
        &served,
        &ward.token,
        "Observation/5eepab0000000002",
        &observation("5eepab0000000002", 51),
    );
    put(
        &served,
        &ward.token,
        "Observation/5eepab0000000003",
        &observation("5eepab0000000003", 7),
    );
    served.until_cosigned(3);
    let address = served.url(&format!("{SCORE}/$receipt"));
    let (_, receipt) = get(&address, Some(&ward.token));
    drop(served);
    homecoming_done(&["rebuild", "--data", &ward.data]);

    let lines = forger::lines(&ward.data);
    let forged = forger::rechained(&lines, |line, _| {
        if line.position == 1 {
            forger::reseal(
                &ward.data,
                line,
                observation("5eepab0000000002", 12).as_bytes(),
            );
        }
    });
    forger::replace(&ward.data, &forged);
    says(
        &audit(&ward.data),
        &[
            "The first 3 entries are not those that witnesses have signed for",
            "The index: the newest version of the resource that began with entry 1 has other values than the ledger gives",
        ],
    );
    says(
        &refused(&ward.data),
        &[
            "The record was changed",
            "first 3 entries",
            "rewrote the past",
        ],
    );
    // With what was noted of the witnesses gone, too, it is served: and the witness itself shuts it.
    forger::forget_witnesses(&ward.data);
    let served = Served::start(&ward.data);
    let (_, lie) = get(&served.url(SCORE), Some(&ward.token));
    assert!(lie.contains("\"value\":12"), "{lie}");
    served.until("homecoming_writes_refused", |value| value == 1.0);
    // Who holds a receipt has what was said, signed by this very log and cosigned.
    let key = forger::key(&ward.data);
    let held =
        ledger::receipt::verify(receipt.as_bytes(), Some(key.verifier())).expect("it stands");
    let stored = String::from_utf8(held.stored).expect("text");
    assert!(stored.contains("\"value\":51"), "{stored}");
    assert!(receipt.contains("\u{2014} outside.example/w "), "{receipt}");
}
