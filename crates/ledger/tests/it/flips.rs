//! One bit of one byte of the ledger's file is other than it was: the audit says so, or no reader could tell.

use ledger::access::{Draft, Recorder};
use ledger::audit::flips::Sound;
use ledger::disclosure::{Told, What};
use ledger::{Action, Expect, RecordedAt};
use rusqlite::Connection;

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
        let whole = ledger::access::audit(world.dir.path(), &how, &mut |_, _| {})
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

#[test]
fn a_flipped_bit_of_a_key_is_found() {
    let world = world_of_10_000();
    let keys = world.dir.path().join("keys");
    for name in [
        "log.key",
        "alias.key",
        "provider.key",
        "programme.key",
        "ledger.keyring",
        "access.key",
        "access.keyring",
    ] {
        let file = keys.join(name);
        let sound = std::fs::read(&file).unwrap();
        let step = (sound.len() / 60).max(1);
        for at in (0..sound.len()).step_by(step) {
            let mut altered = sound.clone();
            altered[at] ^= 1 << (at % 8);
            std::fs::write(&file, &altered).unwrap();
            let found = match ledger::open_keys(world.dir.path(), None) {
                Err(_) => true,
                // Signing and alias keys are looked at by the audit.
                Ok(_) if name == "log.key" || name == "alias.key" => {
                    ledger::Appender::open(world.dir.path(), world.keys.clone()).is_err()
                }
                Ok(_) if name == "access.key" => {
                    let how = ledger::audit::How::with(&world.keys);
                    ledger::access::audit(world.dir.path(), &how, &mut |_, _| {})
                        .is_ok_and(|report| !report.faults.is_empty())
                }
                Ok(_) => false,
            };
            // The line's end of a text says nothing.
            let is_end = sound[at] == b'\n' && at + 1 == sound.len();
            assert!(found || is_end, "{name}, byte {at}");
        }
        std::fs::write(&file, &sound).unwrap();
    }
    assert_eq!(world.audit().faults, []);
}
