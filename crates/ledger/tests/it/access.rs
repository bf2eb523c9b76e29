//! The access log: what is recorded is found, proven, and not changed unnoticed.

use evidence::disclosure::{self, Told, What, Whom};
use ledger::access::{AccessLog, COVERED_AT_ONCE, Draft, Recorder};
use ledger::{Alias, RecordedAt};
use rusqlite::Connection;

use crate::world::{START_US, World};

/// A disclosure about persons named by a number each.
fn draft(address: &str, persons: &[u8], versions: &[u64]) -> Draft {
    let persons = persons.iter().map(|b| Alias([*b; 16])).collect();
    let told = Told {
        address: address.to_owned(),
        versions: versions.to_vec(),
        ..Told::default()
    };
    Draft::new("Practitioner/7k2m", "TREAT", What::Search, 9, persons, told)
}

fn record(world: &mut World, recorder: &mut Recorder, group: &[Draft]) {
    let chance = &mut world.chance;
    let now_us = &world.now_us;
    let mut now = || {
        now_us.set(now_us.get() + 1_000);
        RecordedAt(now_us.get())
    };
    let logged = recorder
        .commit(group, &mut now, &mut |bytes| chance.fill(bytes))
        .expect("the disk is fine")
        .expect("the clock is fine");
    assert_eq!(logged.len(), group.len());
}

fn open(world: &mut World) -> Recorder {
    let dir = world.dir.path().to_owned();
    Recorder::open(&dir, world.appender()).expect("the access log opens")
}

/// Some hundred leaves of three persons, in groups of uneven size.
fn filled(world: &mut World) -> u64 {
    let mut recorder = open(world);
    let mut all = 0;
    for size in [1, 7, 64, COVERED_AT_ONCE, 1, 30] {
        let group: Vec<Draft> = (all..all + size)
            .map(|n| {
                let persons: &[u8] = match n % 4 {
                    0 => &[],
                    1 => &[1],
                    2 => &[2, 1],
                    _ => &[3],
                };
                draft(&format!("/people/{n}"), persons, &[n, n + 1])
            })
            .collect();
        record(world, &mut recorder, &group);
        all += size;
    }
    assert_eq!(recorder.size(), all);
    all
}

#[test]
fn what_is_recorded_is_found_by_person_and_by_place() {
    let mut world = World::new(1);
    let all = filled(&mut world);
    let log = AccessLog::open(world.dir.path(), world.keys.clone()).expect("it opens for reading");
    assert_eq!(log.size().unwrap(), all);
    for (person, fits) in [
        (1u8, (|n| n % 4 == 1 || n % 4 == 2) as fn(u64) -> bool),
        (2, |n| n % 4 == 2),
        (3, |n| n % 4 == 3),
        (4, |_| false),
    ] {
        let mut expected: Vec<u64> = (0..all).filter(|n| fits(*n)).collect();
        let alias = Alias([person; 16]);
        assert_eq!(log.count_about(alias).unwrap(), expected.len() as u64);
        let (_, proven) = log.about_under(alias, None).unwrap();
        let found: Vec<u64> = proven
            .iter()
            .map(|one| one.disclosed.leaf.position)
            .collect();
        assert_eq!(found, expected);
        expected.reverse();
        let page: Vec<u64> = expected
            .iter()
            .filter(|n| **n < 300)
            .take(5)
            .copied()
            .collect();
        assert_eq!(log.positions_about(alias, 300, 5).unwrap(), page);
    }
    let newest = log.before(u64::MAX, 3).unwrap();
    let positions: Vec<u64> = newest.iter().map(|one| one.leaf.position).collect();
    assert_eq!(positions, [all - 1, all - 2, all - 3]);
    let one = log.leaf(6).unwrap().expect("it is there");
    assert_eq!(one.leaf.whom, Whom::Many(2));
    assert_eq!(one.persons, [Alias([1; 16]), Alias([2; 16])]);
    assert_eq!(one.told.expect("it opens").address, "/people/6");
    assert_eq!(log.leaf(all).unwrap(), None);
    let at = log.leaf(10).unwrap().expect("it is there").leaf.recorded_at;
    assert_eq!(log.size_at(at).unwrap(), 11);
    assert_eq!(log.size_at(RecordedAt(at.0 - 1)).unwrap(), 10);
    assert_eq!(log.size_at(RecordedAt(0)).unwrap(), 0);
}

#[test]
fn it_goes_on_where_it_ended() {
    let mut world = World::new(2);
    let all = filled(&mut world);
    let mut recorder = open(&mut world);
    assert_eq!(recorder.size(), all);
    record(&mut world, &mut recorder, &[draft("/caseload", &[1], &[])]);
    let report = ledger::access::audit(
        world.dir.path(),
        &ledger::audit::How::with(&world.keys),
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(report.faults, []);
    assert_eq!(report.leaves, all + 1);
}

#[test]
fn a_clock_far_behind_records_nothing() {
    let mut world = World::new(3);
    let mut recorder = open(&mut world);
    record(&mut world, &mut recorder, &[draft("/caseload", &[], &[])]);
    let mut long_ago = || RecordedAt(START_US - 600 * 1_000_000);
    let refused = recorder
        .commit(&[draft("/caseload", &[], &[])], &mut long_ago, &mut |_| {})
        .expect("the disk is fine");
    assert!(refused.is_err());
    assert_eq!(recorder.size(), 1);
}

#[test]
fn every_receipt_verifies_and_no_altered_one_does() {
    let mut world = World::new(4);
    let all = filled(&mut world);
    let log = AccessLog::open(world.dir.path(), world.keys.clone()).unwrap();
    for position in (0..all).step_by(37) {
        let receipt = log.receipt(position).unwrap();
        let report = disclosure::receipt::verify(receipt.as_bytes(), Some(log.verifier()))
            .unwrap_or_else(|problem| panic!("{position}: {problem}"));
        assert_eq!(report.leaf.position, position);
        assert_eq!(
            report.told.expect("it is in it").address,
            format!("/people/{position}")
        );
    }
    let receipt = log.receipt(5).unwrap();
    assert!(disclosure::receipt::is_one(receipt.as_bytes()));
    for at in 0..receipt.len() {
        let mut altered = receipt.clone().into_bytes();
        altered[at] ^= 1;
        assert!(
            disclosure::receipt::verify(&altered, Some(log.verifier())).is_err(),
            "byte {at}"
        );
    }
}

#[test]
fn the_file_itself_refuses_to_be_changed() {
    let mut world = World::new(5);
    filled(&mut world);
    let db = Connection::open(world.dir.path().join("access.sqlite")).unwrap();
    for sql in [
        "UPDATE entry SET line = x'00' WHERE position = 3",
        "DELETE FROM entry WHERE position = 3",
        "INSERT INTO entry (position, line, persons, class, slot, body) VALUES (100000, x'', x'', 4, 0, x'')",
        "UPDATE tile SET hashes = x'00'",
        "DELETE FROM tile",
    ] {
        assert!(db.execute(sql, []).is_err(), "{sql}");
    }
}

/// Whoever has the file can take the triggers away first; what they then do is found.
#[test]
fn an_altered_dropped_or_reordered_leaf_is_found() {
    type Attack = fn(&Connection, u64);
    let attacks: [(&str, Attack, &str); 9] = [
        (
            "another reader in the line",
            |db, _| {
                let line: Vec<u8> = db
                    .query_row("SELECT line FROM entry WHERE position = 5", [], |row| {
                        row.get(0)
                    })
                    .unwrap();
                let line = String::from_utf8(line).unwrap().replace("7k2m", "7k2n");
                db.execute(
                    "UPDATE entry SET line = ?1 WHERE position = 5",
                    [line.as_bytes()],
                )
                .unwrap();
            },
            "root",
        ),
        (
            "another content",
            |db, _| {
                db.execute(
                    "UPDATE entry SET body = (SELECT body FROM entry WHERE position = 9) WHERE position = 5",
                    [],
                )
                .unwrap();
            },
            "commits to",
        ),
        (
            "one dropped in the middle",
            |db, _| {
                db.execute("DELETE FROM entry WHERE position = 5", [])
                    .unwrap();
            },
            "missing",
        ),
        (
            "the last one dropped",
            |db, all| {
                db.execute("DELETE FROM entry WHERE position = ?1", [all as i64 - 1])
                    .unwrap();
            },
            "missing",
        ),
        (
            "two in each other's place",
            |db, _| {
                db.execute_batch(
                    "UPDATE entry SET position = -1 WHERE position = 5;
                     UPDATE entry SET position = 5 WHERE position = 9;
                     UPDATE entry SET position = 9 WHERE position = -1;",
                )
                .unwrap();
            },
            "another's",
        ),
        (
            "a person left out of the index",
            |db, _| {
                db.execute("DELETE FROM about WHERE position = 5", [])
                    .unwrap();
            },
            "index of persons",
        ),
        (
            "a person put into the index besides",
            |db, _| {
                db.execute("INSERT INTO about VALUES (zeroblob(16), 5)", [])
                    .unwrap();
            },
            "index of persons has",
        ),
        (
            "a person put out of sight beside a leaf",
            |db, _| {
                db.execute("UPDATE entry SET persons = x'' WHERE position = 5", [])
                    .unwrap();
            },
            "persons beside it",
        ),
        (
            "a trigger taken away",
            |_, _| {},
            "not as this version makes it",
        ),
    ];
    for (what, attack, expected) in attacks {
        let mut world = World::new(6);
        let all = filled(&mut world);
        let db = Connection::open(world.dir.path().join("access.sqlite")).unwrap();
        let triggers: Vec<(String, String)> = db
            .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for (name, _) in &triggers {
            db.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        attack(&db, all);
        if !expected.starts_with("not as") {
            for (_, sql) in &triggers {
                db.execute_batch(sql).unwrap();
            }
        }
        drop(db);
        let report = ledger::access::audit(
            world.dir.path(),
            &ledger::audit::How::with(&world.keys),
            &mut |_| {},
        )
        .unwrap();
        let said: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
        assert!(
            said.iter().any(|fault| fault.contains(expected)),
            "{what}: {said:?}"
        );
    }
}

#[test]
fn a_log_whose_end_was_cut_off_is_not_gone_on_with() {
    let mut world = World::new(7);
    let all = filled(&mut world);
    let db = Connection::open(world.dir.path().join("access.sqlite")).unwrap();
    db.execute_batch("DROP TRIGGER entry_remains").unwrap();
    db.execute("DELETE FROM entry WHERE position = ?1", [all as i64 - 1])
        .unwrap();
    drop(db);
    let dir = world.dir.path().to_owned();
    let refused = Recorder::open(&dir, world.appender())
        .err()
        .expect("it is refused");
    assert!(
        refused.to_string().contains("its checkpoint says"),
        "{refused}"
    );
}

#[test]
fn a_log_of_an_older_format_is_refused_as_one() {
    let mut world = World::new(9);
    filled(&mut world);
    let db = Connection::open(world.dir.path().join("access.sqlite")).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    drop(db);
    let refused = AccessLog::open(world.dir.path(), world.keys.clone())
        .err()
        .expect("it is refused")
        .to_string();
    let says = "the access log of this directory has format 1, from before the first release";
    assert!(refused.starts_with(says), "{refused}");
}
