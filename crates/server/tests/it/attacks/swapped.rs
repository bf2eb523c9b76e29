//! Attack 7: an old version in the place of a new one, or one person's content in the place of another's.

use super::{audit, forger, observation, put, recorded, says};
use crate::served::{Folder, Served, get};

const ID: &str = "5eepab0000000002";

/// A score that was corrected: positions of both versions, and the server.
fn corrected(data: &str, token: &str) -> (Served, i64, i64) {
    let served = Served::start(data);
    put(
        &served,
        token,
        &format!("Observation/{ID}"),
        &observation(ID, 38),
    );
    let lines = forger::lines(data);
    let at = |version: u32| {
        let name = format!("Observation/{ID}/{version} ");
        let at = lines.iter().position(|line| line.contains(&name));
        at.expect("it is there") as i64
    };
    (served, at(1), at(2))
}

/// Replay: the first version, line and body, where the correction is, as if it had never been.
#[test]
fn an_old_version_is_not_taken_for_the_newest() {
    let folder = Folder::new("replayed");
    let (data, token) = recorded(&folder);
    let (served, old, new) = corrected(&data, &token);
    forger::without_triggers(&data, |db| {
        for sql in [
            "UPDATE content SET (class, slot, body) = (SELECT class, slot, body FROM content WHERE position = ?1) WHERE position = ?2",
            "UPDATE entry SET line = (SELECT line FROM entry WHERE position = ?1) WHERE position = ?2",
        ] {
            db.execute(sql, [old, new]).expect("replayed");
        }
    });
    let (status, said) = get(
        &served.url(&format!("/fhir/Observation/{ID}")),
        Some(&token),
    );
    assert_eq!(status, 500, "{said}");
    says(
        &audit(&data),
        &[
            &format!("Entry {new}: its line says position {old}"),
            "do not give the root that the checkpoint signs",
        ],
    );
    drop(served);
    // The place is made to fit as well: it is said to be the first version once more, and does not open there.
    let lines = forger::lines(&data);
    let forged = forger::rechained(&lines, |line, before| line.position = before.len() as u64);
    forger::replace(&data, &forged);
    says(
        &audit(&data),
        &[
            &format!("Entry {new}: it is version 1 of"),
            &format!("Entry {new}: its content is sealed under another key, or for another place"),
        ],
    );
}

/// What is sealed for one person is put where another's is.
#[test]
fn one_persons_content_is_not_another_ones() {
    let folder = Folder::new("other-person");
    let (data, token) = recorded(&folder);
    let served = Served::start(&data);
    let lines = forger::lines(&data);
    let of = |name: &str| {
        let at = lines.iter().position(|line| line.contains(name));
        at.expect("it is there") as i64
    };
    let (annas, ottos) = (
        of("Observation/5eepab0000000001/"),
        of("Observation/5eepab0000000009/"),
    );
    forger::without_triggers(&data, |db| {
        db.execute(
            "UPDATE content SET (class, slot, body) = (SELECT class, slot, body FROM content WHERE position = ?1) WHERE position = ?2",
            [annas, ottos],
        )
        .expect("replaced");
    });
    let (status, said) = get(
        &served.url("/fhir/Observation/5eepab0000000009"),
        Some(&token),
    );
    assert_eq!(status, 500, "{said}");
    says(
        &audit(&data),
        &[
            &format!("Entry {ottos}: its sealed content is not the one that its line covers"),
            &format!(
                "Entry {ottos}: its content is sealed under another key, or for another place"
            ),
        ],
    );
}
