//! One bit of one byte of the ledger's file is other than it was: the audit says so, or no reader could tell.

use ledger::Action;
use ledger::Expect;
use ledger::audit::flips::Sound;

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
    world.appender().checkpoint_truncate().unwrap();
    world.appender = None;
    world
}

#[test]
fn a_flipped_bit_is_found_wherever_it_says_anything() {
    let world = world_of_10_000();
    let before = std::fs::read(world.dir.path().join("ledger.sqlite")).unwrap();
    let mut sound = Sound::read(world.dir.path(), &world.keys).unwrap();
    let (page, pages) = (sound.page(), sound.length() / sound.page());
    // Some pages from one end of the file to the other: of most a few bytes, of three all.
    let spread = (0..40).map(|n| n * (pages - 1) / 39);
    let few = spread
        .clone()
        .flat_map(|number| (0..50).map(move |n| number * page + n * 163 + number % 7));
    let mut flipped = sound.flip(few, &mut |_| {}).unwrap();
    let whole =
        [pages / 3, pages / 2, pages * 2 / 3].map(|number| number * page..(number + 1) * page);
    for range in whole {
        let more = sound.flip(range, &mut |_| {}).unwrap();
        flipped.bytes += more.bytes;
        flipped.found += more.found;
        flipped.escaped.extend(more.escaped);
        for (what, count) in more.silent {
            *flipped.silent.entry(what).or_default() += count;
        }
        flipped.silent_at.extend(more.silent_at);
    }
    assert_eq!(flipped.escaped, []);
    assert_eq!(flipped.bytes, 2_000 + 3 * page);
    let silent: u64 = flipped.silent.values().sum();
    assert_eq!(flipped.found + silent, flipped.bytes);
    assert!(flipped.found > flipped.bytes / 2, "{flipped:?}");
    for what in flipped.silent.keys() {
        assert!(!what.contains("UNEXPLAINED"), "{flipped:?}");
    }
    assert_eq!(
        before,
        std::fs::read(world.dir.path().join("ledger.sqlite")).unwrap()
    );
    assert_eq!(world.audit().faults, []);
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
