//! How an audit is done: beside a server, without keys, interrupted and gone on with. What it finds is in `damage`.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::audit::{How, Report, audit};
use ledger::{Action, Class, Expect, Write};
use rusqlite::Connection;

use crate::damage::{intruder, world_of_600};
use crate::world::{World, put, transaction, write};

/// So many windows are opened between two savings of the progress.
const SAVED_EVERY: u64 = 32 * 256;

fn sentences(report: &Report) -> Vec<String> {
    report.faults.iter().map(ToString::to_string).collect()
}

/// A ledger with so many entries, made fast.
fn world_of(entries: u64) -> World {
    let mut world = World::new(11);
    let mut made = 0;
    while made < entries {
        let part = (entries - made).min(2_000);
        world.accept(transaction(
            (made..made + part)
                .map(|n| {
                    let person = format!("p{}", n % 50);
                    write(
                        Action::Create,
                        &format!("Observation/{n:016}"),
                        Expect::Any,
                        Some(&person),
                        "x",
                    )
                })
                .collect(),
        ));
        made += part;
    }
    world
}

#[test]
fn an_audit_beside_a_writer_ends_at_what_the_ledger_has_and_lets_the_log_be_folded() {
    let mut world = world_of(20_000);
    let wal = world.dir.path().join("ledger.sqlite-wal");
    world.appender().checkpoint_truncate().unwrap();
    let dir = world.dir.path().to_owned();
    let keys = world.keys.clone();
    let how = How {
        threads: 1,
        ..How::with(&keys)
    };
    // The progress is told between two windows: there, somebody writes and folds.
    let mut written = 0;
    let report = audit(&dir, &how, &mut |progress| {
        if written < 40 && progress.reached % 512 == 0 {
            world.accept(transaction(
                (0..200)
                    .map(|n| put(&format!("Task/t{written}-{n}"), Expect::Any))
                    .collect(),
            ));
            written += 1;
            world.appender().checkpoint_truncate().unwrap();
            let left = std::fs::metadata(&wal).map_or(0, |about| about.len());
            let in_the_end = progress.size - progress.reached < 16 * 256;
            assert!(
                left == 0 || in_the_end,
                "{left} bytes could not be folded in at entry {}",
                progress.reached
            );
        }
    })
    .unwrap();
    assert_eq!(sentences(&report), [""; 0]);
    assert_eq!(written, 40);
    assert!(
        report.entries > 20_000,
        "it did not follow what was written"
    );
    assert!(!report.whole_file, "somebody holds the lock");
}

/// A step of the erasure of a person, with the keys that it takes and of how many contents.
fn step(world: &World, person: &str, contents: u64, code: &str) -> Write {
    let reader = world.reader();
    let below = reader.size().unwrap();
    let number = |code, number| {
        format!(
            r#"{{"type":{{"coding":[{{"system":"urn:homecoming:erasure","code":"{code}"}}]}},"valueInteger":{number}}}"#
        )
    };
    let mut output = [number("below", below), number("entries", contents)].join(",");
    for used in reader.slots_of(person).unwrap() {
        let name = ledger::erasure::key_name_text(&used.name);
        let key = number("key", used.slot.into());
        output.push_str(&format!(
            r#",{key},{{"type":{{"coding":[{{"system":"urn:homecoming:erasure","code":"key-name"}}]}},"valueString":"{name}"}}"#
        ));
    }
    let alias = reader.person(person);
    let stored = format!(
        r#"{{"resourceType":"Task","id":"erase","identifier":[{{"system":"urn:homecoming:person","value":"{alias}"}}],"businessStatus":{{"coding":[{{"system":"urn:homecoming:erasure-step","code":"{code}"}}]}},"code":{{"coding":[{{"system":"urn:homecoming:governance","code":"erasure"}}]}},"input":[{{"type":{{"coding":[{{"system":"urn:homecoming:erasure","code":"scope"}}]}},"valueCode":"record"}}],"output":[{output}]}}"#
    );
    let action = match code {
        ledger::erasure::CARRYING_OUT => Action::Create,
        _ => Action::Update,
    };
    let mut step = write(action, "Task/erase", Expect::Any, Some(person), "");
    step.class = Class::Programme;
    step.packed = ledger::content::compress(stored.as_bytes());
    step.stored = stored.into_bytes();
    let act = ledger::erasure::Act::read(&step.stored).expect("a step");
    assert!(act.goes.is_some_and(|goes| !goes.names.is_empty()));
    step
}

#[test]
fn an_audit_beside_a_server_has_the_keys_that_it_makes_and_misses_those_that_it_destroys() {
    let mut world = world_of(20_000);
    let dir = world.dir.path().to_owned();
    // Another process reads them from the disk.
    let keys = ledger::open_keys(&dir, None).unwrap();
    let how = How {
        threads: 1,
        ..How::with(&keys)
    };
    let mut did = 0;
    let report = audit(&dir, &how, &mut |progress| {
        if progress.reached < 2_560 || did > 0 {
            return;
        }
        did += 1;
        // More new people than keys were made ahead.
        let people = (0..6_000).map(|n| {
            let person = format!("new{n}");
            let name = format!("Patient/new{n}");
            write(Action::Create, &name, Expect::Any, Some(&person), "x")
        });
        world.accept(transaction(people.collect()));
        let carrying_out = step(&world, "p7", 400, ledger::erasure::CARRYING_OUT);
        let slots = world.reader().slots_of("p7").unwrap();
        let slots: Vec<u32> = slots.iter().map(|used| used.slot).collect();
        world.accept(transaction(vec![carrying_out]));
        let (keys, chance) = (world.keys.clone(), &mut world.chance);
        keys.destroy(&slots, &mut |bytes| chance.fill(bytes))
            .unwrap();
        let done = step(&world, "p7", 400, ledger::erasure::DONE);
        world.accept(transaction(vec![done]));
    })
    .unwrap();
    assert_eq!((did, sentences(&report)), (1, Vec::new()));
    assert_eq!(
        (report.entries, report.erased, report.erasures.len()),
        (26_002, 400, 2)
    );
}

/// Audits until so many entries are read, and is killed there; gives what it leaves.
fn killed(world: &World, how: &How, after: u64) -> String {
    let killed = catch_unwind(AssertUnwindSafe(|| {
        audit(world.dir.path(), how, &mut |progress| {
            assert!(progress.reached < after, "interrupted");
        })
    }));
    assert!(killed.is_err(), "it was to be interrupted");
    std::fs::read_to_string(world.dir.path().join("audit.progress")).expect("the progress is kept")
}

#[test]
fn what_was_not_opened_or_lies_elsewhere_is_opened() {
    let size = SAVED_EVERY + 5_000;
    let mut world = world_of(size);
    world.appender().checkpoint_truncate().unwrap();
    world.appender = None;
    let dir = world.dir.path();
    let file = dir.join("audit.progress");
    let with = How {
        threads: 1,
        ..How::with(&world.keys)
    };
    let without = How {
        threads: 1,
        ..How::default()
    };
    let resumed = |progress: &str, how: &How| {
        std::fs::write(&file, progress).unwrap();
        let report = audit(dir, how, &mut |_| {}).unwrap();
        (report.resumed_at > 0, sentences(&report))
    };
    // Without keys nothing is opened, so with keys nothing of that counts.
    let held = killed(&world, &without, size);
    assert!(held.contains("\nopened no\n"), "{held}");
    assert_eq!(resumed(&held, &with), (false, vec![]));
    assert_eq!(resumed(&held, &without), (true, vec![]));
    let opened = killed(&world, &with, size);
    assert!(opened.contains("\nopened yes\n"), "{opened}");
    assert_eq!(resumed(&opened, &with), (true, vec![]));
    assert_eq!(resumed(&opened, &without), (true, vec![]));
    // What goes on without keys has not opened what it adds.
    std::fs::write(&file, &opened).unwrap();
    let goes_on = How {
        goes_on: true,
        ..without.clone()
    };
    audit(dir, &goes_on, &mut |_| {}).unwrap();
    let left = std::fs::read_to_string(&file).unwrap();
    assert_eq!(resumed(&left, &with), (false, vec![]));
    // A content that is gone is missed, whoever was there before; its opening is the earlier run's.
    let delete = "DELETE FROM content WHERE position = 17";
    intruder(&world).execute_batch(delete).unwrap();
    let (on, found) = resumed(&opened, &with);
    let missing = |fault: &&String| *fault == "Entry 17: its content is missing";
    assert_eq!(
        (on, found.iter().filter(missing).count()),
        (true, 1),
        "{found:#?}"
    );
    // The same bytes in another file of the same name: somebody put a copy there.
    let (ledger, copy) = (dir.join("ledger.sqlite"), dir.join("copy"));
    std::fs::copy(&ledger, &copy).unwrap();
    std::fs::rename(&copy, &ledger).unwrap();
    assert!(!resumed(&opened, &with).0);
}

#[test]
fn an_interrupted_audit_goes_on_and_still_reads_every_line() {
    let world = world_of(2 * SAVED_EVERY + 5_000);
    let file = world.dir.path().join("audit.progress");
    let how = How::with(&world.keys);
    let interrupt = |after: u64| {
        let stopped = Cell::new(false);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            audit(world.dir.path(), &how, &mut |progress| {
                if progress.reached >= after {
                    stopped.set(true);
                    panic!("interrupted");
                }
            })
        }));
        assert!(stopped.get());
    };
    let size = 2 * SAVED_EVERY + 5_000;
    interrupt(size);
    let saved = std::fs::read_to_string(&file).expect("the progress is kept");
    let report = audit(world.dir.path(), &how, &mut |_| {}).unwrap();
    assert_eq!(sentences(&report), [""; 0]);
    assert!(report.resumed_at >= SAVED_EVERY, "{}", report.resumed_at);
    assert_eq!(report.entries, size);
    let fresh = How {
        fresh: true,
        ..how.clone()
    };
    let anew = audit(world.dir.path(), &fresh, &mut |_| {}).unwrap();
    assert_eq!((anew.resumed_at, anew.bytes), (0, report.bytes));
    assert!(
        !file.exists(),
        "an audit that ended leaves nothing to go on with"
    );

    // A line before the place is altered, consistently with its tile: the file does not help.
    std::fs::write(&file, &saved).unwrap();
    let db = intruder(&world);
    let alter = |sql: &str| {
        db.execute_batch(sql).unwrap();
        let report = audit(world.dir.path(), &how, &mut |_| {}).unwrap();
        (report.resumed_at, sentences(&report))
    };
    let (resumed, found) = alter(
        "UPDATE entry SET line = CAST(replace(CAST(line AS TEXT), 'treatment', 'teartment') AS BLOB) WHERE position = 17",
    );
    assert!(resumed > 0);
    assert!(
        found.iter().any(|fault| fault
            == "Entry 17: its line does not have the hash that the log's tile has for it"),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .any(|fault| fault.contains("are not those whose contents an earlier run opened")),
        "{found:#?}"
    );
    // A tile that does not give the root that the file names: the file is not used.
    std::fs::write(&file, &saved).unwrap();
    let (resumed, _) = alter(
        "UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0 AND idx = 3; UPDATE tile SET hashes = zeroblob(8192) WHERE level = 1",
    );
    assert_eq!(resumed, 0);
}

#[test]
fn a_progress_file_of_another_log_is_not_used() {
    let world = world_of(SAVED_EVERY + 5_000);
    let other = World::new(5);
    let file = world.dir.path().join("audit.progress");
    // What is opened lags behind what is read by a few windows for each thread.
    let how = How {
        threads: 1,
        ..How::with(&world.keys)
    };
    let _ = catch_unwind(AssertUnwindSafe(|| {
        audit(world.dir.path(), &how, &mut |progress| {
            assert!(progress.reached < progress.size, "interrupted")
        })
    }));
    assert!(file.exists());
    let elsewhere = How {
        resume: Some(file),
        ..How::with(&other.keys)
    };
    let report = audit(other.dir.path(), &elsewhere, &mut |_| {}).unwrap();
    assert_eq!((report.resumed_at, sentences(&report)), (0, Vec::new()));
}

#[test]
fn without_keys_lines_and_sealed_bodies_are_still_held_against_each_other() {
    let mut world = world_of_600();
    world.appender().checkpoint_truncate().unwrap();
    world.appender = None;
    let sound = audit(world.dir.path(), &How::default(), &mut |_| {}).unwrap();
    assert_eq!(
        (sentences(&sound), sound.opened, sound.bytes),
        (vec![], false, 0)
    );
    let db = intruder(&world);
    db.execute_batch("UPDATE content SET body = CAST(substr(body, 1, 60) || x'00' || substr(body, 62) AS BLOB) WHERE position = 9")
        .unwrap();
    let found = sentences(&audit(world.dir.path(), &How::default(), &mut |_| {}).unwrap());
    assert!(
        found.contains(
            &"Entry 9: its sealed content is not the one that its line covers".to_owned()
        ),
        "{found:#?}"
    );
}

#[test]
fn whose_key_a_content_is_sealed_under_is_part_of_the_record() {
    let mut world = world_of_600();
    world.appender().checkpoint_truncate().unwrap();
    world.appender = None;
    let sound = std::fs::read(world.dir.path().join("ledger.sqlite")).unwrap();
    let check = |sql: &str, expect: &str| {
        let db: Connection = intruder(&world);
        db.execute_batch(sql).unwrap();
        drop(db);
        let found = sentences(&world.audit());
        assert!(
            found.iter().any(|fault| fault == expect),
            "{sql}: {found:#?}"
        );
        std::fs::write(world.dir.path().join("ledger.sqlite"), &sound).unwrap();
    };
    let of = |position: u64| -> (i64, String) {
        let db = Connection::open(world.dir.path().join("ledger.sqlite")).unwrap();
        db.query_row(
            "SELECT c.slot, hex(k.person) FROM content c JOIN key_use k ON k.slot = c.slot WHERE c.position = ?1",
            [position as i64],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap()
    };
    let (slot, _) = of(0);
    let (others, _) = of(1);
    check(
        &format!("DELETE FROM key_use WHERE slot = {slot}"),
        &format!(
            "Entry 0: its content is sealed under the key {slot}, which `key_use` does not name"
        ),
    );
    check(
        "INSERT INTO key_use VALUES (zeroblob(16), 1, 1, 99, zeroblob(32))",
        "`key_use` names the key 99, under which nothing is sealed",
    );
    check(
        &format!("UPDATE key_use SET person = zeroblob(16) WHERE slot = {slot}"),
        &format!(
            "`key_use` gives the key {slot} to somebody or something else than entry 0, which is sealed under it"
        ),
    );
    check(
        &format!("UPDATE content SET slot = {slot} WHERE position = 1"),
        &format!(
            "Entry 1: its content is sealed under the key {slot}, which entry 0 uses for somebody or something else"
        ),
    );
    assert_ne!(slot, others);
    // The name of a key is the key's; when it is destroyed, what it sealed still tells.
    let another = format!("UPDATE key_use SET name = zeroblob(32) WHERE slot = {slot}");
    check(
        &another,
        &format!("`key_use` names the key {slot} as another one"),
    );
    let chance = &mut world.chance;
    let slots = [u32::try_from(slot).unwrap()];
    world
        .keys
        .destroy(&slots, &mut |bytes| chance.fill(bytes))
        .unwrap();
    let gone =
        "its sealed content is not under the key that `key_use` names for it, which was destroyed";
    let all = sentences(&world.audit());
    assert!(!all.iter().any(|fault| fault.contains(gone)), "{all:#?}");
    intruder(&world).execute_batch(&another).unwrap();
    let all = sentences(&world.audit());
    assert!(all.contains(&format!("Entry 0: {gone}")), "{all:#?}");
}
