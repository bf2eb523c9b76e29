//! Attack 8: something is recorded now, as if it had been there for days.

use server::clock::Clock;

use super::{forger, observation, put, recorded};
use crate::served::{Folder, Served};

/// Nobody says when something is recorded but the ledger: not a client, not by the file's own rules.
#[test]
fn a_client_does_not_choose_when_something_is_recorded() {
    let folder = Folder::new("backdated-client");
    let (data, token) = recorded(&folder);
    let begun = Clock::System.now().0;
    let served = Served::start(&data);
    let body = observation("5eepab0000000005", 3).replace(
        r#","status""#,
        r#","meta":{"lastUpdated":"2001-01-01T00:00:00Z","versionId":"9"},"issued":"2001-01-01T00:00:00Z","status""#,
    );
    let answer = put(&served, &token, "Observation/5eepab0000000005", &body);
    assert!(!answer.contains("\"lastUpdated\":\"2001"), "{answer}");
    assert!(answer.contains("\"issued\":\"2001"), "{answer}");
    drop(served);
    let line = forger::lines(&data).pop().expect("a line");
    let entry = ledger::Entry::parse(line.as_bytes()).expect("it reads");
    assert!(entry.recorded_at.0 >= begun, "{line}");
    // In between there is no place.
    let db = rusqlite::Connection::open(format!("{data}/ledger.sqlite")).expect("the ledger");
    for sql in [
        "INSERT INTO entry SELECT 100, line FROM entry WHERE position = 1",
        "UPDATE entry SET line = line WHERE position = 1",
        "DELETE FROM entry WHERE position = 1",
    ] {
        let refused = db.execute(sql, []).expect_err(sql).to_string();
        assert!(
            refused.contains("entry") || refused.contains("changed"),
            "{refused}"
        );
    }
}
