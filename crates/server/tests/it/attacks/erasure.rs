//! Attacks 6 and 13: what was recorded is made to vanish, without an erasure or with one that the
//! rules do not allow. Whoever does it has the files, the keys, and this programme's own code.

use casework::DAY;
use casework::erasure::{Basis, Erasure, Request, Scope, Step, Told, Who};
use casework::proceeding::Proceeding as _;
use evidence::erasure::Goes;
use ledger::{Action, Appender, Class, Expect, Head, Heads, RecordedAt, Transaction, Write};
use server::erasure::task;

use super::{audit as found, says};
use crate::erasing::{PERSON, World};
use crate::served::{Folder, homecoming};

#[test]
fn a_content_that_was_deleted_is_missed() {
    let folder = Folder::new("attack-6-content");
    let data = folder.join("data");
    World::new(data.as_ref()).close();
    let db =
        rusqlite::Connection::open(folder.path().join("data/ledger.sqlite")).expect("the file");
    db.execute_batch("DROP TRIGGER content_remains; DELETE FROM content WHERE position = 2;")
        .expect("deleted");
    drop(db);
    says(&found(&data), &["Entry 2", "content is missing"]);
}

#[test]
fn a_key_that_is_destroyed_without_an_erasure_is_missed() {
    let folder = Folder::new("attack-6-key");
    let data = folder.join("data");
    World::new(data.as_ref()).close();
    let keys = ledger::open_keys(data.as_ref(), None).expect("keys");
    let reader = ledger::Ledger::open(data.as_ref(), 1, keys.clone()).expect("the ledger");
    let slots: Vec<u32> = reader
        .slots_of(PERSON)
        .expect("keys")
        .iter()
        .map(|key| key.slot)
        .collect();
    assert_eq!(slots.len(), 2);
    let mut n = 0u8;
    let chance = &mut |bytes: &mut [u8]| {
        bytes.fill_with(|| {
            n = n.wrapping_add(7);
            n
        })
    };
    keys.destroy(&slots, chance).expect("destroyed");
    says(
        &found(&data),
        &["was destroyed, and no erasure on the record says so"],
    );
    // Nor does a page pass it off as lawful.
    let world = World::open(data.as_ref(), 1_790_000_000_000_000);
    let view = world.programme.view(server::programme::AsOf::Now);
    let error = view.read("Patient", PERSON).map(|_| ()).expect_err("gone");
    says(
        &error.message,
        &["No erasure on the record accounts for it"],
    );
}

/// Answers the appender for a ledger without an index: one resource alone is ever changed here.
struct Versions(std::cell::Cell<Option<Head>>);

impl Heads for Versions {
    fn head(&self, _: &str, _: &str) -> Option<Head> {
        self.0.get()
    }
}

/// Puts an erasure's steps on the record past every rule, and destroys the keys.
pub(crate) fn forge(data: &str, steps: Vec<(&str, i64, Step)>, change: impl Fn(&mut Request)) {
    let keys = ledger::open_keys(data.as_ref(), None).expect("keys");
    let mut appender = Appender::open(data.as_ref(), keys.clone()).expect("the ledger");
    let reader = ledger::Ledger::open(data.as_ref(), 1, keys.clone()).expect("the ledger");
    let mut uses = reader.slots_of(PERSON).expect("keys");
    uses.sort_unstable_by_key(|key| key.slot);
    let slots: Vec<u32> = uses.iter().map(|key| key.slot).collect();
    let alias = reader.person(PERSON);
    let who = |actor: &str| Who {
        actor: actor.to_owned(),
        officer: true,
        themself: false,
    };
    let mut request = Request {
        person: alias.to_string(),
        scope: Scope::Record,
        basis: Some(Basis::CourtOrder),
        citation: "Order 5".to_owned(),
        examined: true,
        delay: casework::erasure::DELAY,
    };
    let mut erasure = Erasure::begin(request.clone(), &who("user/1"), 0, 0).expect("a request");
    change(&mut request);
    erasure.request = request.clone();
    erasure.steps[0].step = Step::Request(request);
    let goes = Goes {
        below: reader.size().expect("a size"),
        entries: 6,
        kinds: vec![
            ("Patient".to_owned(), 1),
            ("Observation".to_owned(), 4),
            ("DocumentReference".to_owned(), 1),
        ],
        slots: slots.clone(),
        names: uses.iter().map(|key| key.name).collect(),
    };
    let begin = 1_780_000_000_000_000;
    let heads = Versions(std::cell::Cell::new(None));
    let mut random = 1u8;
    let mut chance = |bytes: &mut [u8]| {
        bytes.fill_with(|| {
            random = random.wrapping_mul(5).wrapping_add(3);
            random
        })
    };
    let id = "0123456789abcdef";
    let mut write = |appender: &mut Appender, actor: &str, at: i64, stored: Vec<u8>| {
        let transaction = Transaction {
            actor: actor.to_owned(),
            purpose: "HLEGAL".to_owned(),
            writes: vec![Write {
                kind: "Task".to_owned(),
                id: id.to_owned(),
                action: Action::Update,
                expect: Expect::Any,
                person: Some(PERSON.to_owned()),
                class: Class::Programme,
                packed: ledger::content::compress(&stored),
                stored,
            }],
            source: None,
        };
        let outcome = appender
            .commit(
                &[transaction],
                &mut || RecordedAt(begin + at),
                &mut chance,
                &heads,
            )
            .expect("committed")
            .remove(0)
            .expect("taken");
        let written = &outcome.writes[0];
        heads.0.set(Some(Head {
            number: written.number,
            version: written.version,
            position: written.position,
            deleted: false,
        }));
    };
    write(&mut appender, "user/1", 0, task::write(id, &erasure, None));
    for (actor, at, step) in steps {
        let goes = matches!(step, Step::CarryOut | Step::Done).then_some(&goes);
        erasure.take(step, &who(actor), begin + at);
        write(&mut appender, actor, at, task::write(id, &erasure, goes));
    }
    keys.destroy(&slots, &mut |bytes: &mut [u8]| bytes.fill(9))
        .expect("destroyed");
}

/// An erasure of the therapy notes alone names the key of the whole record, too, and both go.
#[test]
fn an_erasure_of_therapy_notes_excuses_nothing_else() {
    let folder = Folder::new("attack-6-scope");
    let data = folder.join("data");
    World::new(data.as_ref()).close();
    let told = Step::Tell {
        how: Told::Letter,
        happened: 0,
    };
    let steps = vec![
        ("user/2", DAY, Step::Approve),
        ("user/3", DAY, Step::Approve),
        ("user/2", DAY, told),
        ("user/1", 40 * DAY, Step::CarryOut),
        ("homecoming", 40 * DAY, Step::Done),
    ];
    forge(&data, steps, |request| request.scope = Scope::Notes);
    says(&found(&data), &["takes something else"]);

    let status = homecoming(&["keys", "status", "--data", &data, "--json"]);
    assert_eq!(status.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&status.stdout).expect("JSON");
    let keys = ledger::open_keys(data.as_ref(), None).expect("keys");
    let reader = ledger::Ledger::open(data.as_ref(), 1, keys).expect("the ledger");
    let uses = reader.slots_of(PERSON).expect("keys");
    let of_record: Vec<u32> = uses
        .iter()
        .filter(|key| key.class == Class::Record)
        .map(|key| key.slot)
        .collect();
    assert_eq!(said["unaccounted"], serde_json::json!(of_record));
    drop(reader);

    let world = World::open(data.as_ref(), 1_790_000_000_000_000);
    let view = world.programme.view(server::programme::AsOf::Now);
    for (kind, id, expect) in [
        (
            "DocumentReference",
            format!("{PERSON}-note"),
            "Task/0123456789abcdef",
        ),
        (
            "Patient",
            PERSON.to_owned(),
            "No erasure on the record accounts for it",
        ),
        (
            "Observation",
            format!("{PERSON}-score-1"),
            "No erasure on the record accounts for it",
        ),
    ] {
        let error = view.read(kind, &id).map(|_| ()).expect_err("gone");
        says(&error.message, &[expect]);
    }
}

#[test]
fn an_erasure_past_the_rules_is_found_by_what_is_wrong_with_it() {
    let told = || Step::Tell {
        how: Told::Letter,
        happened: 0,
    };
    let late = 40 * DAY;
    let end = |at: i64| {
        vec![
            ("user/1", at, Step::CarryOut),
            ("homecoming", at, Step::Done),
        ]
    };
    let with = |steps: Vec<(&'static str, i64, Step)>, at: i64| [steps, end(at)].concat();
    let approve = |actor: &'static str| (actor, DAY, Step::Approve);
    type Change = fn(&mut Request);
    let same: Change = |_| {};
    for (what, steps, change, sentence) in [
        (
            "one officer",
            with(vec![approve("user/2"), ("user/2", DAY, told())], late),
            same,
            "2 officers must have approved it, and 1 has",
        ),
        (
            "the same officer twice",
            with(
                vec![
                    approve("user/2"),
                    approve("user/2"),
                    ("user/2", DAY, told()),
                ],
                late,
            ),
            same,
            "the same officer has approved it before",
        ),
        (
            "the requester approves",
            with(
                vec![
                    approve("user/1"),
                    approve("user/2"),
                    ("user/2", DAY, told()),
                ],
                late,
            ),
            same,
            "whoever asked for an erasure does not approve it",
        ),
        (
            "an approval by a program",
            with(
                vec![
                    approve("client/x"),
                    approve("user/2"),
                    ("user/2", DAY, told()),
                ],
                late,
            ),
            same,
            "only an officer",
        ),
        (
            "nobody was told",
            with(vec![approve("user/2"), approve("user/3")], late),
            same,
            "the person has not been told",
        ),
        (
            "too early",
            with(
                vec![
                    approve("user/2"),
                    approve("user/3"),
                    ("user/2", DAY, told()),
                ],
                20 * DAY,
            ),
            same,
            "the delay is still running",
        ),
        (
            "no basis",
            with(
                vec![
                    approve("user/2"),
                    approve("user/3"),
                    ("user/2", DAY, told()),
                ],
                late,
            ),
            |request| request.basis = None,
            "no lawful basis is named",
        ),
        (
            "a delay of nothing",
            with(
                vec![
                    approve("user/2"),
                    approve("user/3"),
                    ("user/2", DAY, told()),
                ],
                late,
            ),
            |request| request.delay = 0,
            "must be at least 7 days",
        ),
    ] {
        let folder = Folder::new("attack-13");
        let data = folder.join("data");
        World::new(data.as_ref()).close();
        forge(&data, steps, change);
        let said = found(&data);
        says(
            &said,
            &["the erasure Task/0123456789abcdef is unlawful", sentence],
        );
        assert!(said.contains("FAULT"), "{what}: {said}");
    }
}
