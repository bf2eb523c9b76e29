//! Whose key seals what, what is left when one is destroyed, and that no key is without its row.

use std::collections::BTreeMap;

use evidence::erasure::key_name_text;
use evidence::heads::{self, Head};
use ledger::{Action, Appender, Class, Expect, KeyUse, ReadError, Refused, Write, receipt};
use rusqlite::Connection;

use crate::damage::world_of_600;
use crate::world::{World, put, transaction, write};

fn about(person: &str, name: &str) -> Write {
    write(Action::Update, name, Expect::Any, Some(person), "words")
}

/// The class, epoch and slot of each content, in order.
fn rows(world: &World) -> Vec<(u8, u32)> {
    let db = Connection::open(world.dir.path().join("ledger.sqlite")).unwrap();
    let mut statement = db
        .prepare("SELECT class, slot FROM content ORDER BY position")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn each_person_class_and_epoch_has_a_key_of_its_own() {
    let mut world = World::new(1);
    let note = |person, name| Write {
        class: Class::Notes,
        ..about(person, name)
    };
    let of_the_programme = Write {
        class: Class::Programme,
        ..about("anna", "Task/erasure")
    };
    world.accept(transaction(vec![
        about("anna", "Patient/anna"),
        put("Location/l", Expect::Any),
        note("anna", "DocumentReference/d"),
        about("omar", "Patient/omar"),
        about("anna", "Task/t"),
        of_the_programme,
        put("Location/m", Expect::Any),
    ]));
    let (record, notes, programme) = (1, 2, 3);
    let first = [
        (record, 0),
        (programme, 1),
        (notes, 2),
        (record, 3),
        (record, 0),
        (programme, 1),
        (programme, 1),
    ];
    assert_eq!(rows(&world), first);
    world.reopen();
    world.accept(transaction(vec![note("anna", "DocumentReference/e")]));
    assert_eq!(world.appender().begin_epoch().unwrap(), 2);
    world.accept(transaction(vec![about("anna", "Task/t")]));
    world.reopen();
    world.accept(transaction(vec![about("anna", "Task/t")]));
    assert_eq!(rows(&world)[7..], [(notes, 2), (record, 4), (record, 4)]);
    let keys = world.appender().keys().clone();
    let used = |class, epoch, slot| KeyUse {
        class,
        epoch,
        slot,
        name: keys.ledger().key(slot).unwrap().name(),
    };
    assert_eq!(
        world.reader().slots_of("anna").unwrap(),
        [
            used(Class::Record, 1, 0),
            used(Class::Record, 2, 4),
            used(Class::Notes, 1, 2)
        ]
    );
    assert_eq!(world.reader().slots_of("nobody").unwrap(), []);
    assert_eq!(world.audit().faults, []);
}

#[test]
fn what_a_destroyed_key_sealed_is_erased_and_the_rest_is_not() {
    let mut world = World::new(1);
    world.accept(transaction(vec![
        about("anna", "Patient/anna"),
        about("omar", "Patient/omar"),
        about("anna", "Task/t"),
        put("Location/l", Expect::Any),
    ]));
    let reader = world.reader();
    let slots: Vec<u32> = reader
        .slots_of("anna")
        .unwrap()
        .iter()
        .map(|used| used.slot)
        .collect();
    let chance = &mut world.chance;
    world
        .keys
        .destroy(&slots, &mut |bytes| chance.fill(bytes))
        .unwrap();
    for opened_anew in [false, true] {
        if opened_anew {
            world.reopen();
        }
        // One that was open before sees it, too.
        for reader in [reader.clone(), world.reader()] {
            let erased = |position| matches!(reader.version(position), Err(ReadError::Erased { position: at }) if at == position);
            assert_eq!([0, 1, 2, 3].map(erased), [true, false, true, false]);
            // A receipt proves that there was something, and has nothing of it.
            let receipt = reader.receipt(0).unwrap();
            assert!(receipt::verify(receipt.as_bytes(), Some(reader.verifier())).is_ok());
            let proof = tlog::proof::Proof::parse(&receipt).unwrap();
            let extra = String::from_utf8_lossy(&proof.extra.unwrap()).into_owned();
            assert!(!extra.contains("resourceType"), "{extra}");
            let left = reader.contents_left(&[0, 1, 2, 3]).unwrap();
            let left: Vec<u64> = left.iter().flatten().map(|left| left.position).collect();
            assert_eq!(left, [1, 3]);
            // The lines stay, and so does the chain.
            assert_eq!(reader.chain("anna", 9).unwrap().len(), 2);
        }
        let group = [
            transaction(vec![
                put("Location/m", Expect::Any),
                about("anna", "Task/u"),
            ]),
            transaction(vec![about("omar", "Task/u")]),
        ];
        let outcomes = world.commit(&group).unwrap();
        assert!(
            matches!(&outcomes[0], Err(Refused::Erased { kind, id }) if (kind.as_str(), id.as_str()) == ("Task", "u")),
            "{outcomes:?}"
        );
        assert!(outcomes[1].is_ok());
        // What the refused one would have written is not thought to be there.
        let absent = transaction(vec![put("Location/m", Expect::Present)]);
        assert!(world.commit(&[absent]).unwrap()[0].is_err());
        assert_eq!(world.audit().erased, 2);
    }
    // Nor does she get a key in another epoch, or of another class.
    world.appender().begin_epoch().unwrap();
    for class in [Class::Record, Class::Notes] {
        let later = Write {
            class,
            ..about("anna", "Task/v")
        };
        let outcomes = world.commit(&[transaction(vec![later])]).unwrap();
        assert!(
            matches!(outcomes[0], Err(Refused::Erased { .. })),
            "{outcomes:?}"
        );
    }
    world.accept(transaction(vec![about("omar", "Task/v")]));
}

#[test]
fn keys_are_durable_ahead_of_their_use_and_none_is_used_twice() {
    let mut world = World::new(1);
    let reserved = |world: &World| world.keys.ledger().len();
    let mut newest = 0;
    for round in 0..4 {
        let persons: Vec<String> = (0..200).map(|i| format!("p{round}-{i}")).collect();
        let writes = persons
            .iter()
            .map(|person| about(person, &format!("Patient/{person}")))
            .collect();
        world.accept(transaction(writes));
        newest += 200;
        assert!(reserved(&world) >= newest);
        if round % 2 == 1 {
            world.reopen();
        }
    }
    let mut uses: BTreeMap<u32, usize> = BTreeMap::new();
    for (_, slot) in rows(&world) {
        *uses.entry(slot).or_default() += 1;
    }
    assert_eq!(uses.len(), 800);
    assert!(uses.values().all(|uses| *uses == 1));
    assert_eq!(world.audit().faults, []);
}

#[test]
fn an_older_keyring_is_not_written_over() {
    let mut world = World::new(1);
    let keyring = world.dir.path().join("keys/ledger.keyring");
    let before = std::fs::read(&keyring).unwrap();
    world.accept(transaction(vec![about("anna", "Patient/anna")]));
    world.appender = None;
    std::fs::write(&keyring, &before).unwrap();
    let refused = Appender::open(world.dir.path(), world.keys.clone()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the key `keys/ledger.keyring` has fewer keys than this ledger uses: it is an older copy. \
         Restore the newest backup of the keys"
    );
    assert_eq!(std::fs::read(&keyring).unwrap(), before);
}

#[test]
fn the_heads_of_all_chains_are_known_as_of_every_size() {
    let world = world_of_600();
    let reader = world.reader();
    let mut naive: BTreeMap<_, Head> = BTreeMap::new();
    for size in 0..=600 {
        let expect: Vec<Head> = naive.values().copied().collect();
        assert_eq!(reader.heads_at(size).unwrap(), expect, "{size}");
        assert!(heads::root(&expect).is_some());
        let Some(entry) = reader.entry(size).unwrap() else {
            continue;
        };
        if let Some(person) = entry.person {
            let count = naive.get(&person).map_or(0, |head| head.count);
            assert_eq!(entry.previous.map_or(0, |before| before.number), count);
            let head = Head {
                person,
                count: count + 1,
                position: size,
                hash: tlog::leaf_hash(entry.line.as_bytes()),
            };
            naive.insert(person, head);
        }
    }
    assert_eq!(naive.len(), 3);
}

/// A step of an erasure of what is about anna: which keys go, and how much.
fn step(world: &World, step: &str, goes: &Goes, uses: &[KeyUse]) -> Write {
    let coded = |system: &str, code: &str| {
        format!(r#"{{"coding":[{{"system":"urn:homecoming:{system}","code":"{code}"}}]}}"#)
    };
    let number = |system: &str, code: &str, value: u64| {
        let of = coded(system, code);
        format!(r#"{{"type":{of},"valueInteger":{value}}}"#)
    };
    let mut output = vec![
        number("erasure", "below", goes.below),
        number("erasure", "entries", goes.entries),
    ];
    for used in uses {
        let name = key_name_text(&used.name);
        output.push(number("erasure", "key", used.slot.into()));
        output.push(format!(
            r#"{{"type":{},"valueString":"{name}"}}"#,
            coded("erasure", "key-name")
        ));
    }
    let stored = format!(
        r#"{{"resourceType":"Task","id":"e","identifier":[{{"system":"urn:homecoming:person","value":"{}"}}],"businessStatus":{},"code":{},"input":[{{"type":{},"valueCode":"{}"}}],"output":[{}]}}"#,
        world.reader().person("anna"),
        coded("erasure-step", step),
        coded("governance", "erasure"),
        coded("erasure", "scope"),
        goes.scope,
        output.join(",")
    )
    .into_bytes();
    Write {
        class: Class::Programme,
        packed: ledger::content::compress(&stored),
        stored,
        ..about("anna", "Task/e")
    }
}

struct Goes {
    scope: &'static str,
    below: u64,
    entries: u64,
    /// Whether it is done, or goes on.
    done: bool,
}

#[test]
fn an_erasure_takes_what_its_scope_covers_and_what_came_before_and_as_much_as_it_says() {
    let check = |goes: Goes, classes: &[Class], expect: &[&str], unsaid: u64| {
        let mut world = World::new(1);
        world.accept(transaction(vec![
            about("anna", "Patient/anna"),
            about("omar", "Patient/omar"),
            about("anna", "Task/t"),
            Write {
                class: Class::Notes,
                ..about("anna", "DocumentReference/d")
            },
        ]));
        let mut uses = world.reader().slots_of("anna").unwrap();
        uses.retain(|used| classes.contains(&used.class));
        let begun = step(&world, "carrying-out", &goes, &uses);
        world.accept(transaction(vec![begun]));
        if goes.done {
            let done = step(&world, "done", &goes, &uses);
            world.accept(transaction(vec![done]));
        }
        let slots: Vec<u32> = uses.iter().map(|used| used.slot).collect();
        let chance = &mut world.chance;
        world
            .keys
            .destroy(&slots, &mut |bytes| chance.fill(bytes))
            .unwrap();
        let report = world.audit();
        let found: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), expect.len(), "{found:#?}");
        for (found, expect) in found.iter().zip(expect) {
            assert!(found.contains(expect), "{found}");
        }
        // A restore may take these over in words; not what does not fit.
        assert_eq!(report.destroyed_unsaid.len() as u64, unsaid);
        assert_eq!(report.other_faults, expect.len() as u64 - unsaid);
    };
    let goes = |scope, below, entries| Goes {
        scope,
        below,
        entries,
        done: true,
    };
    let both = &[Class::Record, Class::Notes][..];
    check(goes("record", 4, 3), both, &[], 0);
    check(goes("therapy-notes", 4, 1), &[Class::Notes], &[], 0);
    // One of the therapy notes that names the key of the record.
    let other = "Entry 0: the key 0 of its content and of 1 others was destroyed, the last of them entry 2, and no \
                 erasure on the record may take that: the one of entry 4 takes something else";
    check(goes("therapy-notes", 4, 1), both, &[other], 1);
    // What came later, under the same key.
    let later = "the one of entry 4 takes only what came before it";
    check(goes("record", 3, 2), both, &[later], 1);
    check(goes("record", 2, 1), &[Class::Record], &[later], 1);
    // More or less than it says.
    let more = "Entry 4: it says that 2 contents go, and 3 lay under the keys that it took";
    check(goes("record", 4, 2), both, &[more], 0);
    let less = "Entry 4: it says that 4 contents go, and 3 lay under the keys that it took";
    check(goes("record", 4, 4), both, &[less], 0);
    let begun = |entries| Goes {
        done: false,
        ..goes("record", 4, entries)
    };
    check(begun(4), both, &[], 0);
    check(begun(2), both, &[more], 0);
}
