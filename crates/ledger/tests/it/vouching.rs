//! Who vouches for the logs besides their own keys, and what an audit makes of somebody who took that away: notes
//! of what witnesses signed that nobody signed, an emptied file, another policy, another access log.

use evidence::disclosure::{Told, What};
use ledger::access::{Draft, Recorder};
use ledger::audit::{How, Kept, Outside, audit};
use ledger::witnessed::{FILE, LogName, Witnessed};
use ledger::{Action, Alias, Expect, RecordedAt};
use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Algorithm, CosignerKey};
use tlog::note::{SignedNote, SigningKey};
use tlog::policy::Policy;

use crate::world::{START_US, World, transaction, write};

const DAY_US: i64 = 86_400_000_000;

fn witness(name: &str) -> CosignerKey {
    CosignerKey::from_seed(name, Algorithm::Ed25519, &[8; 32]).expect("a name")
}

fn policy(name: &str) -> String {
    format!(
        "witness {name} {}\nquorum {name}\n",
        witness(name).witness()
    )
}

/// A policy of one witness lies in the directory.
fn ask_for(world: &World, name: &str) {
    std::fs::write(world.dir.path().join("witness.policy"), policy(name)).expect("written");
}

/// A note with a witness's signature of that time; nobody's without one.
pub fn signed(note: &str, by: Option<(&str, i64)>) -> (u64, String) {
    let mut note = SignedNote::parse(note).expect("a note");
    let size = Checkpoint::parse(note.text()).expect("a checkpoint").size;
    if let Some((name, at_us)) = by {
        let seconds = u64::try_from(at_us / 1_000_000).expect("after 1970");
        let line = witness(name).cosign(&note, seconds).expect("cosigned");
        note.put(line).expect("room");
    }
    (size, note.to_string())
}

pub fn note_down(world: &World, log: LogName, (size, note): &(u64, String), at_us: i64) {
    let witnessed = Witnessed::open(world.dir.path()).expect("opened");
    witnessed.add(log, *size, note, at_us).expect("noted");
}

fn entry(world: &mut World, number: u64) {
    world.accept(transaction(vec![write(
        Action::Create,
        &format!("Observation/{number:016}"),
        Expect::Any,
        Some("anna"),
        "a score",
    )]));
}

/// Ten entries now, and ten of two days later.
fn two_days() -> World {
    let mut world = World::new(31);
    (0..10).for_each(|number| entry(&mut world, number));
    world.now_us.set(START_US + 2 * DAY_US);
    (10..20).for_each(|number| entry(&mut world, number));
    world
}

/// Faults, and what is amiss with the witnesses.
fn audited(world: &World, how: How) -> (Vec<String>, Vec<String>, Outside) {
    let how = How {
        keys: Some(world.keys.clone()),
        ..how
    };
    let report = audit(world.dir.path(), &how, &mut |_| {}).expect("it can be read");
    let faults = report.faults.iter().map(ToString::to_string).collect();
    let amiss = report.outside.amiss(LogName::Record, report.restored());
    (faults, amiss, report.outside)
}

fn newest(world: &World) -> String {
    world.reader().checkpoint().expect("it reads")
}

#[test]
fn what_enough_witnesses_signed_is_counted_and_named() {
    let world = two_days();
    ask_for(&world, "w");
    let at_us = START_US + 2 * DAY_US + 60_000_000;
    note_down(
        &world,
        LogName::Record,
        &signed(&newest(&world), Some(("w", at_us))),
        at_us,
    );
    let (faults, amiss, outside) = audited(&world, How::default());
    assert_eq!((faults, amiss), (vec![], vec![]));
    assert_eq!((outside.cosigned, outside.below), (1, 0));
    let newest = outside.newest.expect("it is cosigned");
    assert_eq!(newest.size, 20);
    assert_eq!(
        (newest.at, newest.by),
        (RecordedAt(at_us), vec!["w".to_owned()])
    );
}

#[test]
fn a_file_that_was_emptied_is_missed_unless_the_log_is_young() {
    let mut young = World::new(32);
    (0..10).for_each(|number| entry(&mut young, number));
    ask_for(&young, "w");
    let (faults, amiss, _) = audited(&young, How::default());
    assert_eq!((faults, amiss), (vec![], vec![]));

    let world = two_days();
    let (_, amiss, outside) = audited(&world, How::default());
    assert_eq!(
        (amiss, outside.asked),
        (vec![], None),
        "nobody asks for any"
    );
    ask_for(&world, "w");
    let (faults, amiss, _) = audited(&world, How::default());
    assert_eq!(faults, [""; 0]);
    assert_eq!(amiss.len(), 1, "{amiss:?}");
    for part in ["asks for w", "no checkpoint of the record is noted", FILE] {
        assert!(amiss[0].contains(part), "{part}: {}", amiss[0]);
    }
    // Of an earlier one, what came after it is alone.
    let mut world = World::new(33);
    (0..10).for_each(|number| entry(&mut world, number));
    ask_for(&world, "w");
    let early = signed(&newest(&world), Some(("w", START_US + 60_000_000)));
    note_down(&world, LogName::Record, &early, START_US + 60_000_000);
    for (after, is_amiss) in [(0, false), (DAY_US / 2, false), (2 * DAY_US, true)] {
        world.now_us.set(START_US + DAY_US + after);
        entry(&mut world, 100 + after as u64);
        let (faults, amiss, _) = audited(&world, How::default());
        assert_eq!(faults, [""; 0]);
        assert_eq!(amiss.len(), usize::from(is_amiss), "{amiss:?}");
    }
    let (_, amiss, _) = audited(&world, How::default());
    assert!(amiss[0].contains("of more than 10 entries"), "{}", amiss[0]);
}

#[test]
fn a_log_that_began_anew_has_a_day_from_then_on() {
    let check = |since: Option<i64>, restored: Option<i64>, is_amiss: bool| {
        let at = |hours: i64| RecordedAt(START_US + hours * DAY_US / 24);
        let outside = Outside {
            asked: Some("w".to_owned()),
            since: since.map(at),
            last: Some(at(100)),
            ..Outside::default()
        };
        let amiss = outside.amiss(LogName::Record, restored.map(at));
        assert_eq!(!amiss.is_empty(), is_amiss, "{since:?}, {restored:?}");
    };
    check(Some(76), None, false);
    check(Some(75), None, true);
    check(Some(0), Some(76), false);
    check(Some(0), Some(75), true);
    check(Some(80), Some(0), false);
    // All of it is cosigned.
    check(None, Some(0), false);
    check(None, None, false);
}

#[test]
fn a_note_that_the_log_alone_signed_is_a_fault_and_one_of_another_witness_counts_for_nothing() {
    let world = two_days();
    ask_for(&world, "w");
    let alone = signed(&newest(&world), None);
    note_down(&world, LogName::Record, &alone, START_US);
    let (faults, amiss, outside) = audited(&world, How::default());
    let what = "`witnessed.sqlite` notes a checkpoint of 20 entries as cosigned that no witness has signed";
    assert_eq!(faults, [what]);
    assert_eq!((amiss.len(), outside.cosigned, outside.below), (1, 0, 1));

    let world = two_days();
    ask_for(&world, "w");
    let at_us = START_US + 2 * DAY_US + 60_000_000;
    let theirs = signed(&newest(&world), Some(("made-up", at_us)));
    note_down(&world, LogName::Record, &theirs, at_us);
    let (faults, amiss, outside) = audited(&world, How::default());
    assert_eq!(faults, [""; 0]);
    assert_eq!((amiss.len(), outside.cosigned, outside.below), (1, 0, 1));
    // By a policy that was put there to fit it counts, but not by the reader's own.
    ask_for(&world, "made-up");
    let (_, amiss, outside) = audited(&world, How::default());
    assert_eq!((amiss.len(), outside.cosigned), (0, 1));
    let ours = How {
        policy: Some(Policy::parse(policy("w").as_bytes()).expect("a policy")),
        ..How::default()
    };
    let (_, amiss, outside) = audited(&world, ours);
    assert_eq!((amiss.len(), outside.cosigned, outside.below), (1, 0, 1));
    // One that does not read vouches for nobody.
    std::fs::write(
        world.dir.path().join("witness.policy"),
        "quorum everybody\n",
    )
    .expect("written");
    let (_, amiss, _) = audited(&world, How::default());
    assert!(amiss[0].contains("cannot be used"), "{amiss:?}");
}

#[test]
fn a_checkpoint_that_was_kept_must_be_how_the_log_begins() {
    let mut world = World::new(34);
    let mut other = World::new(35);
    (0..10).for_each(|number| entry(&mut world, number));
    (0..10).for_each(|number| entry(&mut other, 50 + number));
    let kept = |note: String| How {
        kept: vec![Kept {
            source: "the checkpoint in old.txt".to_owned(),
            note,
        }],
        ..How::default()
    };
    let old = newest(&world);
    entry(&mut world, 10);
    let (faults, _, outside) = audited(&world, kept(old.clone()));
    assert_eq!((faults, outside.kept), (vec![], 1));
    // Of another history, of more than is there, of another key.
    let secret = std::fs::read_to_string(world.dir.path().join("keys/log.key")).expect("a key");
    let key = SigningKey::parse(secret.trim_end()).expect("a key");
    let (_, theirs) = signed(&newest(&other), None);
    let theirs = SignedNote::parse(&theirs).expect("a note");
    let resigned = SignedNote::sign(theirs.text(), &key).expect("a text");
    let (faults, _, _) = audited(&world, kept(resigned.to_string()));
    let what = "The first 10 entries are not those that the checkpoint in old.txt vouches for";
    assert_eq!(faults, [what]);
    let more = Checkpoint {
        size: 12,
        ..Checkpoint::parse(theirs.text()).expect("a checkpoint")
    };
    let (faults, _, _) = audited(&world, kept(more.sign(&key).expect("signed")));
    let what = "The first 12 entries are not those that the checkpoint in old.txt vouches for (12 entries, of which \
                only 11 are there)";
    assert_eq!(faults, [what]);
    let stranger = SigningKey::from_seed(key.name(), &[77; 32]).expect("a key");
    let (faults, _, _) = audited(&world, kept(more.sign(&stranger).expect("signed")));
    assert!(
        faults[0].starts_with(
            "What the checkpoint in old.txt holds is not signed by the key of this log"
        ),
        "{faults:?}"
    );
    // Another log's is not this one's to say.
    let elsewhere = SigningKey::from_seed("elsewhere.example/log", &[77; 32]).expect("a key");
    let elsewhere = Checkpoint {
        origin: "elsewhere.example/log".to_owned(),
        ..more
    }
    .sign(&elsewhere)
    .expect("signed");
    let (faults, _, outside) = audited(&world, kept(elsewhere));
    assert_eq!((faults, outside.kept), (vec![], 0));
}

fn disclose(world: &mut World, count: u64) {
    let dir = world.dir.path().to_owned();
    let mut recorder = Recorder::open(&dir, world.appender()).expect("it opens");
    for number in 0..count {
        let told = Told {
            address: format!("/people/{number}"),
            ..Told::default()
        };
        let draft = Draft::new("user/9", "TREAT", What::Page, 1, vec![Alias([1; 16])], told);
        let (chance, now_us) = (&mut world.chance, &world.now_us);
        let mut now = || {
            now_us.set(now_us.get() + 1_000);
            RecordedAt(now_us.get())
        };
        recorder
            .commit(&[draft], &mut now, &mut |bytes| chance.fill(bytes))
            .expect("the disk is fine")
            .expect("the clock is fine");
    }
}

fn access_checkpoint(world: &World) -> String {
    let log = ledger::access::AccessLog::open(world.dir.path(), world.keys.clone());
    log.expect("it opens").checkpoint().expect("it reads")
}

fn access_audited(world: &World) -> (Vec<String>, Vec<String>, Outside) {
    let report = ledger::access::audit(world.dir.path(), &How::with(&world.keys), &mut |_| {})
        .expect("it can be read");
    let faults = report.faults.iter().map(ToString::to_string).collect();
    let amiss = report.outside.amiss(LogName::Access, None);
    (faults, amiss, report.outside)
}

/// Attack 8 on the access log: what was told today stands there as if it had been told before.
#[test]
fn a_leaf_is_not_older_than_the_signature_that_does_not_cover_it() {
    let mut world = World::new(36);
    entry(&mut world, 0);
    disclose(&mut world, 3);
    ask_for(&world, "w");
    let at_us = START_US + 7 * DAY_US;
    let noted = signed(&access_checkpoint(&world), Some(("w", at_us)));
    note_down(&world, LogName::Access, &noted, at_us);
    let (faults, amiss, outside) = access_audited(&world);
    assert_eq!((faults, amiss, outside.cosigned), (vec![], vec![], 1));
    world.now_us.set(START_US + 2 * DAY_US);
    disclose(&mut world, 1);
    let (faults, _, _) = access_audited(&world);
    assert_eq!(faults.len(), 1, "{faults:?}");
    for part in [
        "Leaf 3 of the access log",
        "was not there yet",
        "it is backdated",
    ] {
        assert!(faults[0].contains(part), "{part}: {}", faults[0]);
    }
    // And the other way round.
    let mut world = World::new(37);
    entry(&mut world, 0);
    disclose(&mut world, 3);
    ask_for(&world, "w");
    let at_us = START_US - DAY_US;
    let noted = signed(&access_checkpoint(&world), Some(("w", at_us)));
    note_down(&world, LogName::Access, &noted, at_us);
    let (faults, _, _) = access_audited(&world);
    assert!(
        faults[0].contains("Leaf 2 of the access log") && faults[0].contains("had signed for it"),
        "{faults:?}"
    );
}

#[test]
fn every_root_that_is_signed_of_one_size_of_the_access_log_is_compared() {
    let mut world = World::new(38);
    entry(&mut world, 0);
    disclose(&mut world, 3);
    ask_for(&world, "w");
    let at_us = world.now_us.get();
    let sound = access_checkpoint(&world);
    let secret = std::fs::read_to_string(world.dir.path().join("keys/access.key")).expect("a key");
    let key = SigningKey::parse(secret.trim_end()).expect("a key");
    let forked = Checkpoint {
        root: [5; 32],
        ..Checkpoint::parse(SignedNote::parse(&sound).expect("a note").text()).expect("it reads")
    };
    let forked = forked.sign(&key).expect("signed");
    for note in [&forked, &sound] {
        note_down(
            &world,
            LogName::Access,
            &signed(note, Some(("w", at_us))),
            at_us,
        );
    }
    let (faults, _, outside) = access_audited(&world);
    let what = "The first 3 leaves of the access log are not those that witnesses have signed for";
    assert_eq!((faults, outside.cosigned), (vec![what.to_owned()], 2));
}

#[test]
fn an_access_log_that_goes_on_for_two_days_alone_is_missed_too() {
    let mut world = World::new(39);
    entry(&mut world, 0);
    disclose(&mut world, 2);
    world.now_us.set(START_US + 2 * DAY_US);
    disclose(&mut world, 2);
    ask_for(&world, "w");
    let (faults, amiss, _) = access_audited(&world);
    assert_eq!(faults, [""; 0]);
    assert!(amiss[0].contains("of the access log is noted"), "{amiss:?}");
}

#[test]
fn the_record_misses_an_access_log_that_was_put_in_the_place_of_its_own() {
    let mut world = World::new(40);
    entry(&mut world, 0);
    let secret = std::fs::read_to_string(world.dir.path().join("keys/access.key")).expect("a key");
    let own = SigningKey::parse(secret.trim_end()).expect("a key");
    let other = SigningKey::from_seed(own.name(), &[9; 32]).expect("a key");
    world.record_heads(None);
    assert_eq!(audited(&world, How::default()).0, [""; 0]);

    let mut world = World::new(41);
    entry(&mut world, 0);
    let secret = std::fs::read_to_string(world.dir.path().join("keys/access.key")).expect("a key");
    let own = SigningKey::parse(secret.trim_end()).unwrap_or(own);
    world.record_heads(Some(&own));
    world.record_heads(Some(&own));
    assert_eq!(audited(&world, How::default()).0, [""; 0]);
    for (map, expect) in [
        (Some(&other), 2),
        // Nor is it left out from then on.
        (None, 1),
    ] {
        world.record_heads(map);
        let (faults, _, _) = audited(&world, How::default());
        assert!(faults.len() >= expect, "{faults:#?}");
        let changed = "its map of heads names another access log than the one before it";
        assert!(
            faults.iter().any(|fault| fault.contains(changed)),
            "{faults:#?}"
        );
        if map.is_some() {
            let replaced = "the access log was replaced";
            assert!(
                faults.iter().any(|fault| fault.contains(replaced)),
                "{faults:#?}"
            );
        }
    }
}
