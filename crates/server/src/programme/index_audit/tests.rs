//! An audit of the index that was interrupted: what it goes on with, and what it does not.

use std::collections::BTreeSet;

use index::Forgotten;
use ledger::{Action, Appender, Class, Expect, Head, Heads, Transaction, Write};
use record::time::RecordedAt;

use super::*;

/// Entries of a ledger here.
const ENTRIES: u64 = 3_000;

/// Little is lost, so that a small index can be interrupted.
const HOW: IndexHow = IndexHow {
    fresh: false,
    runs: Limits {
        changes: 500,
        bytes: 96 << 20,
    },
    stride: Stride(5_000),
};

struct Nothing;

impl Heads for Nothing {
    fn head(&self, _: &str, _: &str) -> Option<Head> {
        None
    }
}

/// A data directory with a ledger and its index.
struct World {
    data: PathBuf,
    keys: Keys,
    now: i64,
    chance: u64,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.data);
    }
}

impl World {
    fn new(name: &str, seed: u64) -> World {
        let name = format!("homecoming-index-audit-{}-{name}", std::process::id());
        let data = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&data);
        let mut chance = seed;
        let keys = ledger::create(&data, "test.example/log", None, &mut |bytes| {
            fill(&mut chance, bytes)
        })
        .expect("a ledger");
        let mut world = World {
            data,
            keys,
            now: 1_767_225_600_000_000,
            chance,
        };
        for part in 0..3 {
            let writes = (part * 1_000..(part + 1) * 1_000)
                .map(observation)
                .collect();
            world.write(writes);
        }
        world.rebuild();
        world
    }

    fn write(&mut self, writes: Vec<Write>) {
        let mut appender = Appender::open(&self.data, self.keys.clone()).expect("it opens");
        let transaction = Transaction {
            actor: "Practitioner/7k2m".to_owned(),
            purpose: "TREAT".to_owned(),
            writes,
            source: None,
        };
        let (now, chance) = (&mut self.now, &mut self.chance);
        appender
            .commit(
                &[transaction],
                &mut || {
                    *now += 1_000;
                    RecordedAt(*now)
                },
                &mut |bytes| fill(chance, bytes),
                &Nothing,
            )
            .expect("the disk is fine")
            .remove(0)
            .expect("accepted");
        // Those that were made for new persons are among them.
        self.keys = appender.keys().clone();
    }

    fn rebuild(&self) {
        remove(&self.data.join("index")).expect("removed");
        let ledger = Ledger::open(&self.data, 1, self.keys.clone()).expect("it opens");
        let size = ledger.size().expect("a size");
        replay::catch_up(&ledger, &self.index(), 2, size, &mut |_| {}).expect("an index");
    }

    fn index(&self) -> Index {
        let fingerprint = record::search::parameters().fingerprint();
        Index::open(&self.data.join("index"), fingerprint).expect("the index")
    }

    /// Whoever has the files hides one of the scores.
    fn hide(&self, number: u64) {
        let index = self.index();
        let ledger = Ledger::open(&self.data, 1, self.keys.clone()).expect("it opens");
        let entry = ledger.entry(number).expect("read").expect("there");
        let (id, erased) = (entry.id, BTreeSet::from([number]));
        let hidden = Forgotten {
            kind: "Observation",
            id: &id,
            erased: &erased,
        };
        assert_eq!(index.forget(&[hidden]).expect("hidden"), 1);
        index.purge().expect("written");
    }

    fn audit(&self, how: IndexHow) -> Audited {
        audited(audit_index(
            &self.data,
            self.keys.clone(),
            how,
            &mut |_, _| {},
        ))
    }

    /// Leaves the folder as an audit does that is killed when its progress is told for the `nth` time with every
    /// entry read: the first time they are read, then the index is made, and then it is compared.
    fn killed(&self, nth: usize) {
        let (folder, kept) = (self.data.join(FOLDER), self.data.join("kept"));
        let mut times = 0;
        let whole = audited(audit_index(
            &self.data,
            self.keys.clone(),
            HOW,
            &mut |reached, size| {
                times += usize::from(reached == size);
                if times == nth && !kept.exists() {
                    copy(&folder, &kept);
                }
            },
        ));
        assert!(kept.exists(), "it ended before: {whole:?}");
        assert!(!folder.exists(), "it came to its end");
        fs::rename(kept, folder).expect("put back");
    }
}

/// What came of one.
#[derive(Debug)]
struct Audited {
    size: u64,
    keys: u64,
    resumed_at: u64,
    part_compared: bool,
    differences: Vec<String>,
}

fn audited(outcome: Result<Indexed, Error>) -> Audited {
    match outcome.expect("a ledger that reads") {
        Indexed::Compared {
            size,
            keys,
            resumed_at,
            part_compared,
            differences,
            more,
            ..
        } => {
            assert_eq!(more, 0);
            Audited {
                size,
                keys,
                resumed_at,
                part_compared,
                differences,
            }
        }
        Indexed::Not(why) => panic!("{why}"),
    }
}

fn fill(state: &mut u64, bytes: &mut [u8]) {
    for b in bytes {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *b = (*state >> 56) as u8;
    }
}

fn id(number: u64) -> String {
    format!("score-{number:05}")
}

fn observation(number: u64) -> Write {
    let id = id(number);
    let stored = format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"sleep"}},"subject":{{"reference":"Patient/p{}"}},"valueInteger":{number}}}"#,
        number % 50
    );
    put("Observation", id, Some(format!("p{}", number % 50)), stored)
}

fn put(kind: &str, id: String, person: Option<String>, stored: String) -> Write {
    let stored = stored.into_bytes();
    Write {
        kind: kind.to_owned(),
        id,
        action: Action::Create,
        expect: Expect::Any,
        class: match person {
            Some(_) => Class::Record,
            None => Class::Programme,
        },
        person,
        packed: ledger::content::compress(&stored),
        stored,
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let at = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &at),
            false => {
                fs::copy(entry.path(), at).expect("copied");
            }
        }
    }
}

/// The times at which every entry is read and told: when it was read, when the index is made, and each place.
const READ: usize = 1;
const MADE: usize = 2;
const COMPARED_SOME: usize = 5;

#[test]
fn an_interrupted_audit_of_the_index_goes_on_with_what_it_had_made() {
    let mut world = World::new("made", 1);
    world.killed(READ);
    // What it is compared with is as it was; what is planted after the interruption is found.
    world.hide(7);
    let report = world.audit(HOW);
    assert!(
        report.resumed_at >= 2_000 && report.resumed_at < ENTRIES,
        "{report:?}"
    );
    assert!(!report.part_compared);
    assert!(!report.differences.is_empty(), "{report:?}");
    let entry = "that began with entry 7";
    assert!(report.differences.iter().all(|one| one.contains(entry)));
    // So is what was planted before it, and what is behind the place.
    world.hide(ENTRIES - 3);
    world.killed(MADE);
    let report = world.audit(HOW);
    assert_eq!(report.resumed_at, ENTRIES);
    for entry in [7, ENTRIES - 3] {
        let entry = format!("that began with entry {entry} ");
        assert!(
            report.differences.iter().any(|one| one.contains(&entry)),
            "{report:#?}"
        );
    }
    world.rebuild();
    // The ledger goes on meanwhile: the rest is made from what came in.
    world.killed(MADE);
    world.write(vec![observation(ENTRIES)]);
    let report = world.audit(HOW);
    assert_eq!((report.resumed_at, report.size), (ENTRIES, ENTRIES + 1));
    assert_eq!(report.differences, [""; 0]);
    // And --fresh takes nobody's word.
    world.killed(MADE);
    let fresh = IndexHow { fresh: true, ..HOW };
    assert_eq!(world.audit(fresh).resumed_at, 0);
}

#[test]
fn an_interrupted_comparison_goes_on_and_loses_nothing_that_it_found() {
    let mut world = World::new("compared", 2);
    let all = world.audit(HOW);
    assert_eq!((&all.differences[..], all.resumed_at), (&[][..], 0));
    world.hide(7);
    let whole = world.audit(HOW);
    assert!(whole.differences.len() > 3, "{whole:#?}");
    world.killed(COMPARED_SOME);
    let report = world.audit(HOW);
    assert!(report.part_compared);
    assert_eq!(report.resumed_at, ENTRIES);
    assert!(
        report.keys > 0 && report.keys < whole.keys,
        "{} of {}",
        report.keys,
        whole.keys
    );
    assert_eq!(report.differences, whole.differences);
    // The index was made anew since, so nothing of the comparison is true.
    world.killed(COMPARED_SOME);
    world.rebuild();
    let report = world.audit(HOW);
    assert!(!report.part_compared, "{report:?}");
    assert_eq!((report.resumed_at, report.keys), (ENTRIES, all.keys));
    assert_eq!(report.differences, [""; 0]);
    // Something was hidden since: its files are others.
    world.killed(COMPARED_SOME);
    world.hide(9);
    let report = world.audit(HOW);
    assert!(!report.part_compared, "{report:?}");
    assert_eq!(report.differences.len(), whole.differences.len());
    // A table is another file of the same name, length and bytes.
    world.rebuild();
    world.killed(COMPARED_SOME);
    let tables = world.data.join("index/row/tables");
    let table = fs::read_dir(tables).expect("a folder").next();
    let table = table.expect("a table").expect("a table").path();
    let bytes = fs::read(&table).expect("a table");
    fs::rename(&table, world.data.join("before")).expect("moved");
    fs::write(&table, bytes).expect("written");
    let report = world.audit(HOW);
    assert!(!report.part_compared, "{report:?}");
    assert_eq!(report.differences, [""; 0]);
    // An entry more was recorded since.
    world.rebuild();
    world.killed(COMPARED_SOME);
    world.write(vec![observation(ENTRIES)]);
    let report = world.audit(HOW);
    assert!(!report.part_compared, "{report:?}");
    assert_eq!(report.differences, [""; 0]);
}

#[test]
fn the_keys_are_those_that_are_there_when_the_audit_of_the_index_begins() {
    let mut world = World::new("keys", 5);
    // Opened before an erasure; the audit of the record, which takes long, comes between.
    let stale = ledger::open_keys(&world.data, None).expect("keys");
    let ledger = Ledger::open(&world.data, 1, world.keys.clone()).expect("it opens");
    let slots = ledger.slots_of("p7").expect("slots");
    let slots: Vec<u32> = slots.iter().map(|used| used.slot).collect();
    let chance = &mut world.chance;
    let destroyed = world.keys.destroy(&slots, &mut |bytes| fill(chance, bytes));
    destroyed.expect("destroyed");
    world.rebuild();
    let report = audited(audit_index(&world.data, stale, HOW, &mut |_, _| {}));
    assert_eq!((report.size, &report.differences[..]), (ENTRIES, &[][..]));
}

#[test]
fn nothing_of_an_audit_outlives_an_erasure() {
    let world = World::new("forgotten", 6);
    let (data, folder) = (world.data.clone(), world.data.join(FOLDER));
    for nth in [READ, MADE, COMPARED_SOME] {
        let mut times = 0;
        let outcome = audit_index(&data, world.keys.clone(), HOW, &mut |reached, size| {
            times += usize::from(reached == size);
            if times == nth {
                forget(&data).expect("taken away");
            }
        });
        match outcome.expect("a ledger that reads") {
            Indexed::Not(why) => assert_eq!(why, ERASED),
            compared => panic!("{compared:?}"),
        }
        assert!(!folder.exists(), "{nth}");
    }
    // Somebody makes a folder where it was, as whoever opens an index does.
    let scratch = Scratch::take(&data, false).expect("a folder");
    assert_eq!(scratch.still(&data), Ok(()));
    forget(&data).expect("taken away");
    fs::create_dir_all(folder.join(EXPECTED)).expect("a folder");
    assert_eq!(scratch.still(&data), Err(ERASED.to_owned()));
    assert!(!folder.exists());
    // But what another audit has begun since is that one's.
    let other = Scratch::take(&data, false).expect("a folder");
    assert_eq!(scratch.still(&data), Err(ERASED.to_owned()));
    assert_eq!(other.still(&data), Ok(()));
    // A taking away that was stopped is finished.
    let aside = data.join(ASIDE);
    copy(&folder, &aside);
    forget(&data).expect("taken away");
    assert!(!folder.exists() && !aside.exists());
}

#[test]
fn what_is_of_another_log_or_of_before_an_erasure_is_not_gone_on_with() {
    let mut world = World::new("mine", 3);
    let other = World::new("other", 4);
    world.killed(COMPARED_SOME);
    copy(&world.data.join(FOLDER), &other.data.join(FOLDER));
    let report = other.audit(HOW);
    assert_eq!((report.resumed_at, report.part_compared), (0, false));
    assert_eq!(report.differences, [""; 0]);
    // A Task of any other sort is nobody's erasure.
    let task = |id: &str, code: &str, more: &str| {
        let stored = format!(
            r#"{{"resourceType":"Task","id":"{id}","status":"requested","intent":"order","code":{{"coding":[{{"system":"urn:homecoming:governance","code":"{code}"}}]}}{more}}}"#
        );
        put("Task", id.to_owned(), None, stored)
    };
    world.write(vec![task("call", "call", "")]);
    assert_eq!(world.audit(HOW).resumed_at, ENTRIES);
    let alias = "AAAAAAAAAAAAAAAAAAAAAA";
    let more = format!(
        r#","identifier":[{{"system":"urn:homecoming:person","value":"{alias}"}}],"businessStatus":{{"coding":[{{"system":"urn:homecoming:erasure-step","code":"requested"}}]}},"input":[{{"type":{{"coding":[{{"system":"urn:homecoming:erasure","code":"scope"}}]}},"valueCode":"record"}}]"#
    );
    let erasure = task("erase", "erasure", &more);
    assert!(ledger::erasure::Act::read(&erasure.stored).is_some());
    world.killed(MADE);
    world.write(vec![erasure]);
    let report = world.audit(HOW);
    assert_eq!((report.resumed_at, report.size), (0, ENTRIES + 2));
}
