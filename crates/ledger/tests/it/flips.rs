//! One bit of one byte of the ledger's file is other than it was: the audit says so, or no reader could tell.

use std::path::Path;

use ledger::access::{Draft, Recorder};
use ledger::audit::flips::Sound;
use ledger::disclosure::{Told, What};
use ledger::witnessed::{LogName, Witnessed};
use ledger::{Action, Expect, RecordedAt};
use rusqlite::Connection;

use crate::vouching;
use crate::world::{World, transaction, write};

/// A store of 10,000 entries about 40 persons, with versions, at rest.
pub fn world_of_10_000() -> World {
    let mut world = World::new(23);
    for part in 0..10u64 {
        world.accept(transaction(
            (0..1_000)
                .map(|n| {
                    let number = part * 1_000 + n;
                    let person = format!("p{}", number % 40);
                    write(
                        Action::Create,
                        &format!("Observation/{:016}", number % 7_000),
                        Expect::Any,
                        Some(&person),
                        &format!(
                            "score {number}, {}",
                            "as before ".repeat((number % 9) as usize)
                        ),
                    )
                })
                .collect(),
        ));
    }
    at_rest(&mut world);
    world
}

fn at_rest(world: &mut World) {
    world.appender().checkpoint_truncate().unwrap();
    world.appender = None;
}

/// As many leaves of the access log: of somebody, of several, of nobody, over two months.
fn leaves_of_10_000(world: &mut World) {
    let dir = world.dir.path().to_owned();
    let mut recorder = Recorder::open(&dir, world.appender()).unwrap();
    let persons: Vec<_> = (0..40)
        .map(|n| world.reader().person(&format!("p{n}")))
        .collect();
    let now_us = &world.now_us;
    for part in 0..40u64 {
        let group: Vec<Draft> = (0..250)
            .map(|n| {
                let number = part * 250 + n;
                let at = (number % 40) as usize;
                let about = match number % 5 {
                    0 => Vec::new(),
                    1 => vec![persons[at], persons[(at + 1) % 40]],
                    _ => vec![persons[at]],
                };
                let told = Told {
                    address: format!("/people/{number}"),
                    versions: vec![number, number + 1],
                    ..Told::default()
                };
                Draft::new("Practitioner/7k2m", "TREAT", What::Page, 9, about, told)
            })
            .collect();
        let mut now = || {
            now_us.set(now_us.get() + 500_000_000);
            RecordedAt(now_us.get())
        };
        let chance = &mut world.chance;
        recorder
            .commit(&group, &mut now, &mut |bytes| chance.fill(bytes))
            .unwrap()
            .unwrap();
    }
    drop(recorder);
    let db = Connection::open(dir.join("access.sqlite")).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
}

/// Flips some bytes on pages from one end of the file to the other, and three pages whole; with
/// `HOMECOMING_FLIPS=all` every byte, which takes the better part of an hour, and tells what became of them.
fn flip(world: &World, file: &str, mut sound: Sound<'_>) {
    let path = world.dir.path().join(file);
    let before = std::fs::read(&path).unwrap();
    let (page, pages) = (sound.page(), sound.length() / sound.page());
    let flipped = if std::env::var("HOMECOMING_FLIPS").is_ok_and(|which| which == "all") {
        let length = sound.length();
        let flipped = sound.flip(0..length, &mut |_| {}).unwrap();
        println!("{file}: {flipped}");
        assert_eq!(flipped.bytes, length);
        flipped
    } else {
        let spread = (0..40).map(|n| n * (pages - 1) / 39);
        let few = spread
            .flat_map(|number| (0..50).map(move |n| number * page + n * 163 % page + number % 7));
        let mut flipped = sound.flip(few, &mut |_| {}).unwrap();
        // The tables as they are described, what the log says of itself, and three more.
        let state = before.windows(9).position(|word| word == b"programme");
        let state = state.expect("it says for whom") as u64 / page;
        for number in [0, state, pages / 3, pages / 2, pages * 2 / 3] {
            let whole = number * page..(number + 1) * page;
            flipped.add(sound.flip(whole, &mut |_| {}).unwrap());
        }
        assert_eq!(flipped.bytes, 2_000 + 5 * page);
        flipped
    };
    assert_eq!(flipped.escaped, []);
    let silent: u64 = flipped.silent.values().sum();
    assert_eq!(flipped.found + silent, flipped.bytes);
    assert!(flipped.found > flipped.bytes / 2, "{flipped}");
    for what in flipped.silent.keys() {
        assert!(!what.contains("UNEXPLAINED"), "{flipped}");
    }
    assert_eq!(before, std::fs::read(&path).unwrap());
    assert_eq!(world.audit().faults, []);
}

#[test]
fn a_flipped_bit_is_found_wherever_it_says_anything() {
    let world = world_of_10_000();
    let sound = Sound::read(world.dir.path(), &world.keys).unwrap();
    flip(&world, "ledger.sqlite", sound);
}

#[test]
fn a_flipped_bit_of_the_access_log_is_found_wherever_it_says_anything() {
    let mut world = world_of_10_000();
    world.reopen();
    leaves_of_10_000(&mut world);
    at_rest(&mut world);
    let sound = ledger::access::flips::read(world.dir.path(), &world.keys).unwrap();
    flip(&world, "access.sqlite", sound);
}

/// The short way says of a byte of the access log what a whole audit says.
#[test]
fn what_the_short_way_finds_in_the_access_log_a_whole_audit_finds() {
    let mut world = world_of_10_000();
    world.reopen();
    leaves_of_10_000(&mut world);
    at_rest(&mut world);
    let file = world.dir.path().join("access.sqlite");
    let before = std::fs::read(&file).unwrap();
    let mut sound = ledger::access::flips::read(world.dir.path(), &world.keys).unwrap();
    let offsets: Vec<u64> = (0..12).map(|n| n * (sound.length() - 1) / 11).collect();
    let mut silent = 0;
    for at in offsets {
        let flipped = sound.flip([at].into_iter(), &mut |_| {}).unwrap();
        let mut altered = before.clone();
        altered[at as usize] ^= 1 << (at % 8);
        std::fs::write(&file, &altered).unwrap();
        let how = ledger::audit::How::with(&world.keys);
        let whole = ledger::access::audit(world.dir.path(), &how, &mut |_| {})
            .map_or(1, |report| report.faults.len());
        match flipped.found {
            1 => assert!(whole > 0, "byte {at}"),
            _ => silent += 1,
        }
        std::fs::write(&file, &before).unwrap();
    }
    assert!(silent < 6, "most bytes say something");
}

/// The short way says of a byte what a whole audit says.
#[test]
fn what_the_short_way_finds_a_whole_audit_finds_and_nothing_else() {
    let world = world_of_10_000();
    let file = world.dir.path().join("ledger.sqlite");
    let before = std::fs::read(&file).unwrap();
    let mut sound = Sound::read(world.dir.path(), &world.keys).unwrap();
    let offsets: Vec<u64> = (0..24).map(|n| n * (sound.length() - 1) / 23).collect();
    let mut compared = (0, 0);
    for at in offsets {
        let flipped = sound.flip([at].into_iter(), &mut |_| {}).unwrap();
        let mut altered = before.clone();
        altered[at as usize] ^= 1 << (at % 8);
        std::fs::write(&file, &altered).unwrap();
        let how = ledger::audit::How::with(&world.keys);
        let whole = ledger::audit::audit(world.dir.path(), &how, &mut |_| {})
            .map_or(1, |report| report.faults.len());
        match flipped.found {
            1 => assert!(whole > 0, "byte {at}"),
            // SQLite's check of the pages may find what no reader sees.
            _ => compared.1 += 1,
        }
        compared.0 += 1;
        std::fs::write(&file, &before).unwrap();
    }
    assert_eq!(compared.0, 24);
    assert!(compared.1 < 12, "most bytes say something");
}

/// All bytes with `HOMECOMING_FLIPS=all`, otherwise each `step`th.
fn offsets(length: usize, step: usize) -> impl Iterator<Item = usize> {
    let all = std::env::var("HOMECOMING_FLIPS").is_ok_and(|which| which == "all");
    (0..length).step_by(if all { 1 } else { step.max(1) })
}

#[test]
fn a_flipped_bit_of_a_key_is_found() {
    let mut world = World::new(29);
    world.accept(transaction(vec![write(
        Action::Create,
        "Observation/7",
        Expect::Any,
        Some("anna"),
        "a score",
    )]));
    let chance = &mut world.chance;
    world
        .keys
        .desk(&mut |bytes| chance.fill(bytes))
        .expect("a key");
    at_rest(&mut world);
    let dir = world.dir.path();
    // As the server starts: it opens the keys, takes the record and the access log over, and asks for the desk's key.
    let start = || -> Result<(), String> {
        let keys = ledger::open_keys(dir, None).map_err(|e| e.to_string())?;
        let held = ledger::Appender::open(dir, keys).map_err(|e| e.to_string())?;
        Recorder::open(dir, &held).map_err(|e| e.to_string())?;
        let desk = held.keys().desk(&mut |_| panic!("there is one"));
        desk.map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(start(), Ok(()));
    let mut names: Vec<_> = std::fs::read_dir(dir.join("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let known = [
        "access.key",
        "access.keyring",
        "alias.key",
        "desk.keyring",
        "ledger.keyring",
        "log.key",
        "programme.key",
        "provider.key",
    ];
    assert_eq!(names, known);
    for name in known {
        let file = dir.join("keys").join(name);
        let sound = std::fs::read(&file).unwrap();
        let mut flipped = 0;
        for at in offsets(sound.len(), sound.len() / 60) {
            let mut altered = sound.clone();
            altered[at] ^= 1 << (at % 8);
            std::fs::write(&file, &altered).unwrap();
            flipped += 1;
            match start() {
                // The provider's secret and what it wraps are two halves: either may be the one that is wrong.
                Err(e) => assert!(
                    e.contains(&format!("keys/{name}")) || e.contains("programme"),
                    "{name}, byte {at}: {e}"
                ),
                // The line's end of a text says nothing.
                Ok(()) => assert!(
                    sound[at] == b'\n' && at + 1 == sound.len(),
                    "{name}, byte {at}"
                ),
            }
        }
        println!("{name}: {flipped} of {} bytes flipped", sound.len());
        std::fs::write(&file, &sound).unwrap();
    }
    assert_eq!(start(), Ok(()));
    assert_eq!(world.audit().faults, []);
}

/// What anybody can be told of the file: how the server opens it and asks, and what a backup is asked.
fn told(dir: &Path) -> Result<String, String> {
    let opened = Witnessed::open(dir).map_err(|e| e.to_string())?;
    let mut told = String::new();
    for log in LogName::ALL {
        let latest = opened.latest(log).map_err(|e| e.to_string())?;
        let history = opened.history(log).map_err(|e| e.to_string())?;
        let seen = opened.seen(log).map_err(|e| e.to_string())?;
        let noted = ledger::backup::noted(dir, log).map_err(|e| e.to_string())?;
        told += &format!("{latest:?} {history:?} {seen:?} {noted:?}\n");
    }
    Ok(told)
}

#[test]
fn a_flipped_bit_of_what_witnesses_signed_is_found_wherever_it_says_anything() {
    let mut world = World::new(37);
    // Enough for a tree of pages.
    for number in 0..16 {
        world.accept(transaction(vec![write(
            Action::Create,
            &format!("Observation/{number}"),
            Expect::Any,
            Some("anna"),
            "a score",
        )]));
        let note = world.reader().checkpoint().unwrap();
        let at_us = world.now_us.get() + 60_000_000 * number;
        vouching::note_down(
            &world,
            LogName::Record,
            &vouching::signed(&note, Some(("w", at_us))),
            at_us,
        );
    }
    let dir = world.dir.path().to_owned();
    let opened = Witnessed::open(&dir).unwrap();
    for (log, witness, size) in [
        (LogName::Record, "w", 5),
        (LogName::Record, "court", 16),
        (LogName::Access, "w", 0),
    ] {
        opened.note_seen(log, witness, size).unwrap();
    }
    drop(opened);
    at_rest(&mut world);
    assert_eq!(world.audit().faults, []);
    let sound_told = told(&dir);
    assert!(sound_told.as_ref().is_ok_and(|told| told.contains("court")));

    let file = dir.join(ledger::witnessed::FILE);
    let sound = std::fs::read(&file).unwrap();
    let (mut flipped, mut found) = (0, 0);
    // An odd step, so that all bits have their turn.
    for at in offsets(sound.len(), 131) {
        let mut altered = sound.clone();
        altered[at] ^= 1 << (at % 8);
        std::fs::write(&file, &altered).unwrap();
        flipped += 1;
        let report = world.audit();
        match report.faults.is_empty() {
            false => found += 1,
            true => assert_eq!(told(&dir), sound_told, "byte {at}"),
        }
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(dir.join(format!("{}{end}", ledger::witnessed::FILE)));
        }
    }
    println!("{}: {flipped} flipped, {found} found", file.display());
    assert!(found > flipped / 8, "{found} of {flipped}");
    std::fs::write(&file, &sound).unwrap();
    assert_eq!(world.audit().faults, []);
}
