//! How an audit of the access log is done: beside a recorder, interrupted and gone on with. What it finds is in `access`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use evidence::disclosure::{Told, What};
use evidence::trust::SKEW_MAX_US;
use ledger::access::{AccessLog, Draft, Recorder, Report, audit};
use ledger::audit::How;
use ledger::{Action, Alias, Expect, RecordedAt};
use rusqlite::Connection;

use crate::world::{World, transaction, write};

/// So many leaves are opened between two savings of the progress.
const SAVED_EVERY: u64 = 32 * 256;

fn sentences(report: &Report) -> Vec<String> {
    report.faults.iter().map(ToString::to_string).collect()
}

/// Records so many leaves, of nobody, of one and of two.
fn record(world: &mut World, recorder: &mut Recorder, leaves: u64) {
    let mut made = 0;
    while made < leaves {
        let part = (leaves - made).min(2_000);
        let group: Vec<Draft> = (made..made + part)
            .map(|n| {
                let persons = match n % 4 {
                    0 => vec![],
                    1 => vec![Alias([2; 16]), Alias([1; 16])],
                    _ => vec![Alias([(n % 50) as u8; 16])],
                };
                draft(n, persons)
            })
            .collect();
        commit(world, recorder, &group);
        made += part;
    }
}

fn draft(n: u64, persons: Vec<Alias>) -> Draft {
    let told = Told {
        address: format!("/people/{n}"),
        versions: vec![n, n + 1],
        ..Told::default()
    };
    Draft::new("Practitioner/7k2m", "TREAT", What::Search, 9, persons, told)
}

fn commit(world: &mut World, recorder: &mut Recorder, group: &[Draft]) {
    let (chance, now_us) = (&mut world.chance, &world.now_us);
    let mut now = || {
        now_us.set(now_us.get() + 1_000);
        RecordedAt(now_us.get())
    };
    recorder
        .commit(group, &mut now, &mut |bytes| chance.fill(bytes))
        .expect("the disk is fine")
        .expect("the clock is fine");
}

fn recorder(world: &mut World) -> Recorder {
    let dir = world.dir.path().to_owned();
    Recorder::open(&dir, world.appender()).expect("the access log opens")
}

/// An access log with so many leaves, at rest.
fn world_of(seed: u64, leaves: u64) -> World {
    let mut world = World::new(seed);
    let mut recorder = recorder(&mut world);
    record(&mut world, &mut recorder, leaves);
    drop(recorder);
    world.appender = None;
    world
}

/// Whoever has the file can take the triggers away, and put them back.
fn alter(world: &World, sql: &str) {
    let db = Connection::open(world.dir.path().join("access.sqlite")).expect("it opens");
    let triggers: Vec<(String, String)> = db
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .and_then(|mut select| {
            select
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .expect("the triggers");
    for (name, _) in &triggers {
        db.execute_batch(&format!("DROP TRIGGER {name}"))
            .expect("dropped");
    }
    db.execute_batch(sql).expect(sql);
    for (_, sql) in &triggers {
        db.execute_batch(sql).expect("made again");
    }
}

/// Audits until so many leaves are read, and is killed there.
fn interrupted(world: &World, how: &How, after: u64) {
    let audited = catch_unwind(AssertUnwindSafe(|| {
        audit(world.dir.path(), how, &mut |progress| {
            assert!(progress.reached < after, "interrupted");
        })
    }));
    assert!(audited.is_err(), "it was to be interrupted");
}

#[test]
fn an_audit_beside_a_recorder_ends_at_what_the_log_has_and_lets_it_be_folded() {
    let mut world = World::new(21);
    let mut recorder = recorder(&mut world);
    record(&mut world, &mut recorder, 20_000);
    let dir = world.dir.path().to_owned();
    let how = How {
        threads: 1,
        ..How::with(&world.keys)
    };
    let fold = Connection::open(dir.join("access.sqlite")).unwrap();
    fold.busy_timeout(std::time::Duration::ZERO).unwrap();
    // The progress is told between two windows: there, somebody records and folds.
    let mut recorded = 0;
    let report = audit(&dir, &how, &mut |progress| {
        if recorded < 30 && progress.reached % 512 == 0 {
            record(&mut world, &mut recorder, 200);
            recorded += 1;
            let busy: i64 = fold
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
                .unwrap();
            let in_the_end = progress.size - progress.reached < 16 * 256;
            assert!(
                busy == 0 || in_the_end,
                "the write-ahead log could not be folded in at leaf {}",
                progress.reached
            );
        }
    })
    .unwrap();
    assert_eq!(sentences(&report), [""; 0]);
    assert_eq!(recorded, 30);
    assert!(
        report.leaves > 20_000,
        "it did not follow what was recorded"
    );
    assert!(!report.whole_file, "somebody holds the lock");
}

#[test]
fn an_audit_beside_a_recorder_has_the_keys_of_people_who_come_meanwhile() {
    let mut world = World::new(25);
    let mut recorder = recorder(&mut world);
    record(&mut world, &mut recorder, 6_000);
    let dir = world.dir.path().to_owned();
    // Another process reads them from the disk.
    let how = How::with(&ledger::open_keys(&dir, None).unwrap());
    let mut came = false;
    let report = audit(&dir, &how, &mut |_| {
        if std::mem::replace(&mut came, true) {
            return;
        }
        // More than keys were made ahead.
        let people = (0..600).map(|n| {
            let (person, name) = (format!("new{n}"), format!("Patient/new{n}"));
            write(Action::Create, &name, Expect::Any, Some(&person), "x")
        });
        world.accept(transaction(people.collect()));
        let last = world.reader().person("new599");
        commit(&mut world, &mut recorder, &[draft(1, vec![last])]);
    })
    .unwrap();
    assert_eq!(sentences(&report), [""; 0]);
    assert_eq!(report.leaves, 6_001);
}

#[test]
fn an_interrupted_audit_of_the_access_log_goes_on_and_loses_nothing_that_it_found() {
    let size = 2 * SAVED_EVERY + 5_000;
    let world = world_of(22, size);
    let (dir, how) = (world.dir.path(), How::with(&world.keys));
    let body = |of: u64, from: u64| {
        format!(
            "UPDATE entry SET body = (SELECT body FROM entry WHERE position = {from}) WHERE position = {of}"
        )
    };
    let fault = |of: u64| {
        format!("Leaf {of}: its content in the access log is not what its line commits to")
    };
    let whole = audit(dir, &how, &mut |_| {}).unwrap();
    assert_eq!((sentences(&whole), whole.resumed_at), (vec![], 0));

    // One before the place, which is put right again before the audit goes on: it was seen.
    let sound = std::fs::read(dir.join("access.sqlite")).unwrap();
    alter(&world, &body(100, 101));
    interrupted(&world, &how, size);
    let file = dir.join("audit.progress.access");
    let saved = std::fs::read(&file).expect("the progress is kept");
    std::fs::write(dir.join("access.sqlite"), &sound).unwrap();
    // And one behind it.
    alter(&world, &body(size - 10, size - 11));
    let report = audit(dir, &how, &mut |_| {}).unwrap();
    assert!(report.resumed_at >= SAVED_EVERY, "{}", report.resumed_at);
    assert!(report.resumed_at < size - 10, "{}", report.resumed_at);
    assert_eq!(report.leaves, size);
    let found = sentences(&report);
    assert_eq!(found, [fault(100), fault(size - 10)]);
    assert!(report.bytes < whole.bytes + 1_000);
    assert!(
        !file.exists(),
        "an audit that ended leaves nothing to go on with"
    );

    // What is not a content is looked at again, whatever the file says.
    let again = |sql: &str, expected: &str| {
        std::fs::write(dir.join("access.sqlite"), &sound).unwrap();
        std::fs::write(&file, &saved).unwrap();
        alter(&world, sql);
        let report = audit(dir, &how, &mut |_| {}).unwrap();
        let found = sentences(&report);
        assert!(
            found.iter().any(|fault| fault.contains(expected)),
            "{sql}: {found:#?}"
        );
        report.resumed_at
    };
    let line = "UPDATE entry SET line = CAST(replace(CAST(line AS TEXT), 'TREAT', 'TRAET') AS BLOB) WHERE position = 17";
    assert!(again(line, "are not those whose contents an earlier run opened") > 0);
    // The line says only that they were two.
    let another = "UPDATE entry SET persons = CAST(zeroblob(16) || substr(persons, 17) AS BLOB) WHERE position = 17";
    assert!(again(another, "Leaf 17: the persons beside it") > 0);
    let persons = "UPDATE entry SET persons = x'' WHERE position = 17";
    assert!(again(persons, "Leaf 17: the persons beside it") > 0);
    let about = "DELETE FROM about WHERE position = 17";
    assert!(again(about, "index of persons does not lead to it") > 0);
    let besides = "INSERT INTO about VALUES (zeroblob(16), 17)";
    assert!(again(besides, "index of persons has") > 0);
    // A tile that does not give the root that the file names: the file is not used.
    let tiles = "UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0 AND idx = 3; \
                 UPDATE tile SET hashes = zeroblob(8192) WHERE level = 1";
    assert_eq!(
        again(tiles, "does not have the hash that the log's tile has"),
        0
    );
}

#[test]
fn progress_of_another_access_log_or_of_the_record_is_not_used() {
    let size = SAVED_EVERY + 5_000;
    let (world, other) = (world_of(23, size), world_of(24, size));
    let file = world.dir.path().join("audit.progress.access");
    interrupted(&world, &How::with(&world.keys), size);
    let progress = std::fs::read(&file).expect("the progress is kept");
    let own = How {
        goes_on: true,
        ..How::with(&world.keys)
    };
    let report = audit(world.dir.path(), &own, &mut |_| {}).unwrap();
    assert!(report.resumed_at >= SAVED_EVERY);
    // At the end of this part everything was opened, and is not opened again while the other parts go on.
    let report = audit(world.dir.path(), &own, &mut |_| {}).unwrap();
    assert_eq!((sentences(&report), report.resumed_at), (vec![], size));
    ledger::audit::finished(world.dir.path(), &own);
    assert!(!file.exists());

    let elsewhere = other.dir.path().join("audit.progress");
    for name in ["audit.progress", "audit.progress.access"] {
        std::fs::write(other.dir.path().join(name), &progress).unwrap();
    }
    let how = How {
        resume: Some(elsewhere),
        ..How::with(&other.keys)
    };
    let report = audit(other.dir.path(), &how, &mut |_| {}).unwrap();
    assert_eq!((sentences(&report), report.resumed_at), (vec![], 0));
    let record = ledger::audit::audit(other.dir.path(), &how, &mut |_| {}).unwrap();
    assert_eq!(record.resumed_at, 0);
}

/// What a row says of its key is in no hash; so what is called erased must have lain under a key that went.
#[test]
fn what_is_said_to_be_erased_lay_under_the_key_that_went_and_before_it_went() {
    let mut world = World::new(24);
    let about = |person: &str| {
        let name = format!("Patient/{person}");
        write(Action::Update, &name, Expect::Any, Some(person), "words")
    };
    world.accept(transaction(vec![about("anna"), about("omar")]));
    let reader = world.reader();
    let (anna, omar) = (reader.person("anna"), reader.person("omar"));
    let slot = reader.slots_of("anna").unwrap()[0].slot;
    let told = |persons: &[Alias]| {
        let told = Told {
            address: "/people".to_owned(),
            ..Told::default()
        };
        Draft::new(
            "Practitioner/7k2m",
            "TREAT",
            What::Search,
            9,
            persons.to_vec(),
            told,
        )
    };
    let mut recorder = recorder(&mut world);
    let group = [told(&[anna]), told(&[omar]), told(&[anna, omar]), told(&[])];
    let (chance, now_us) = (&mut world.chance, &world.now_us);
    let logged = recorder.commit(&group, &mut || RecordedAt(now_us.get()), &mut |bytes| {
        chance.fill(bytes)
    });
    logged
        .expect("the disk is fine")
        .expect("the clock is fine");
    drop(recorder);
    let chance = &mut world.chance;
    let destroyed = world.keys.destroy(&[slot], &mut |bytes| chance.fill(bytes));
    destroyed.unwrap();
    let dir = world.dir.path();
    let sound = audit(dir, &How::with(&world.keys), &mut |_| {}).unwrap();
    assert_eq!((sentences(&sound), sound.erased), (vec![], 1));
    let several = "did not tell of one person alone";
    for (position, expected) in [
        (1, "its sealed content is not under the destroyed key"),
        (2, several),
        (3, several),
    ] {
        let file = dir.join("access.sqlite");
        let before: (i64, i64) = Connection::open(&file)
            .unwrap()
            .query_row(
                "SELECT class, slot FROM entry WHERE position = ?1",
                [position],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        let set = |(class, slot): (i64, i64)| {
            let sql = format!(
                "UPDATE entry SET class = {class}, slot = {slot} WHERE position = {position}"
            );
            alter(&world, &sql);
        };
        set((1, i64::from(slot)));
        let found = sentences(&audit(dir, &How::with(&world.keys), &mut |_| {}).unwrap());
        let leaf = format!("Leaf {position}: ");
        assert!(
            found
                .iter()
                .any(|fault| fault.starts_with(&leaf) && fault.contains(expected)),
            "{found:#?}"
        );
        set(before);
    }
    let log = AccessLog::open(dir, world.keys.clone()).unwrap();
    let recorded = log.leaf(0).unwrap().expect("it is there").leaf.recorded_at;
    for (early, expect) in [
        (0, vec![]),
        (
            1,
            vec![
                "Leaf 0: its content is said to lie under a key that was destroyed before it was recorded",
            ],
        ),
    ] {
        let gone = RecordedAt(recorded.0 - SKEW_MAX_US - early);
        let how = How {
            gone_by: [(slot, gone)].into_iter().collect(),
            ..How::with(&world.keys)
        };
        assert_eq!(sentences(&audit(dir, &how, &mut |_| {}).unwrap()), expect);
    }
}

#[test]
fn no_erasure_takes_a_key_of_the_access_log_itself() {
    let world = world_of(25, 40);
    let dir = world.dir.path();
    let ring = world.keys.access();
    // Nobody whom it told of is on the record, so all of it lies under the month's key.
    ring.destroy(&[0], &world.keys.wrapping())
        .expect("destroyed");
    let report = audit(dir, &How::with(&world.keys), &mut |_| {}).unwrap();
    let found = sentences(&report);
    let of_leaves: Vec<&String> = found
        .iter()
        .filter(|fault| fault.contains("a key of the access log's own that was destroyed"))
        .collect();
    assert_eq!(of_leaves.len(), 40, "{found:#?}");
    assert!(of_leaves.iter().all(|fault| fault.starts_with("Leaf ")));
    assert_eq!(report.fault_count, found.len() as u64);
}
