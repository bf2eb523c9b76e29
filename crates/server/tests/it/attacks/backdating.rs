//! Attack 8: something is recorded now, as if it had been there for days.

use server::chance::Chance;
use server::clock::Clock;
use server::programme::{self, About, Actor, Draft, Expect, Programme, RecordedAt, Work};

use super::{audit, forger, observation, put, recorded, says};
use crate::served::{
    Folder, Outside, Served, access_log_key, homecoming_done, log_key, registered, set_witnesses,
};

const DAY_US: i64 = 86_400_000_000;

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

/// A programme that was begun a week ago, with three facts from then.
pub(super) fn begun_a_week_ago(data: &str) {
    let about = About {
        name: "Backdating".to_owned(),
        demo: Vec::new(),
        erasure_delay_days: None,
        complaints: None,
    };
    programme::create(data.as_ref(), &about, None, &Chance::System).expect("made");
    let programme = Programme::open(
        data.as_ref(),
        ledger::open_keys(data.as_ref(), None).expect("keys"),
        Clock::standing_at(Clock::System.now().0 - 7 * DAY_US),
        Chance::System,
        &mut |_, _| {},
        Box::new(|why| panic!("{why}")),
    )
    .expect("opened");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for number in 0..3 {
        let id = format!("5eepab000000000{number}");
        let stored = observation(&id, number).into_bytes();
        let draft = Draft::stored("Observation", &id, Expect::Any, stored).expect("a draft");
        let actor = Actor {
            name: "tests".to_owned(),
            purpose: "TREAT".to_owned(),
        };
        runtime
            .block_on(programme.submit(actor, Work::Ready(vec![draft])))
            .expect("taken");
    }
    drop(programme);
    // Its writer lets the files go when it has ended.
    let folder = std::path::Path::new(data);
    for _ in 0..1_000 {
        let index = std::fs::File::open(folder.join("index/lock")).expect("the index's lock");
        if ledger::lock::Lock::take(folder).is_ok() && index.try_lock().is_ok() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("the writer holds on to its files");
}

#[test]
fn an_entry_that_is_dated_back_contradicts_the_witness_that_had_not_seen_it() {
    let folder = Folder::new("backdated");
    let data = folder.join("data");
    begun_a_week_ago(&data);
    let token = registered(&data);
    let logs = [log_key(&data), access_log_key(&data)];
    let witness = Outside::start(&folder.join("witness"), &[&logs[0], &logs[1]]);
    set_witnesses(&data, &[&witness], "1");
    let served = Served::start(&data);
    served.until_cosigned(4);
    // From here on nobody outside sees the log grow.
    drop(witness);
    put(
        &served,
        &token,
        "Observation/5eepab0000000007",
        &observation("5eepab0000000007", 9),
    );
    drop(served);
    homecoming_done(&["audit", "--data", &data]);

    let lines = forger::lines(&data);
    let dated = Clock::System.now().0 - 5 * DAY_US;
    let last = lines.len() as u64 - 1;
    let forged = forger::rechained(&lines, |line, _| {
        // The client was registered today: an older entry cannot come after that one.
        if line.position == last - 1 {
            line.recorded_at = RecordedAt(dated - 1_000_000);
        }
        if line.position == last {
            line.recorded_at = RecordedAt(dated);
        }
    });
    forger::replace(&data, &forged);
    says(
        &audit(&data),
        &[
            &format!(
                "Entry {last}: it says it was recorded at {}, but was not there yet when a witness signed at",
                RecordedAt(dated)
            ),
            "it is backdated",
        ],
    );
    // Put before what was recorded earlier, it is out of order as well.
    let forged = forger::rechained(&lines, |line, _| {
        if line.position == last {
            line.recorded_at = RecordedAt(dated - 9 * DAY_US);
        }
    });
    forger::replace(&data, &forged);
    says(
        &audit(&data),
        &[
            &format!("Entry {last}: it says it was recorded at"),
            "before the entry before it",
        ],
    );
}
