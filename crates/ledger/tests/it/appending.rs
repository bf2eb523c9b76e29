//! One row an operation, the last column its named outcome.

use ledger::append::CLOCK_BEHIND_MAX_US;
use ledger::{
    Action, CommitError, Committed, Expect, Head, Heads, ImportMark, Refused, Transaction,
};
use ledger::{Write, receipt};
use record::time::RecordedAt;

use crate::world::{START_US, World, delete, put, transaction, write};

#[test]
fn what_went_in_comes_out_with_a_receipt_that_verifies() {
    let mut world = World::new(1);
    let committed = world.accept(transaction(vec![
        write(
            Action::Create,
            "Patient/anna",
            Expect::Absent,
            Some("anna"),
            "Anna",
        ),
        write(
            Action::Create,
            "Observation/0123456789abcdef",
            Expect::Absent,
            Some("anna"),
            "1.50",
        ),
    ]));
    assert_eq!(committed.first_position, 0);
    let reader = world.reader();
    let (entry, content) = reader.version(1).unwrap();
    assert_eq!(
        content.stored,
        br#"{"resourceType":"Observation","id":"0123456789abcdef","text":"1.50"}"#
    );
    assert_eq!(
        (entry.kind.as_str(), entry.id.as_str()),
        ("Observation", "0123456789abcdef")
    );
    assert_eq!(
        (entry.version, entry.recorded_at),
        (1, committed.recorded_at)
    );
    assert_eq!(
        (entry.actor.as_str(), entry.purpose.as_str()),
        ("user/dana", "treatment")
    );
    assert_eq!(entry.previous.map(|previous| previous.position), Some(0));
    assert!(!entry.line.contains("anna"), "{}", entry.line);
    let receipt = reader.receipt(1).unwrap();
    let report = receipt::verify(receipt.as_bytes(), Some(reader.verifier())).unwrap();
    assert_eq!(report.entry, entry);
    assert_eq!(report.stored, content.stored);
    assert_eq!(
        reader.chain("anna", 10).unwrap(),
        [entry, reader.entry(0).unwrap().unwrap()]
    );
}

/// What became of a transaction, in a word.
fn outcome(outcome: &Result<Committed, Refused>) -> String {
    match outcome {
        Ok(committed) => {
            let version = |written: &ledger::Written| {
                let new = if written.created { "new " } else { "" };
                format!(
                    "{new}version {} of number {}",
                    written.version, written.number
                )
            };
            committed
                .writes
                .iter()
                .map(version)
                .collect::<Vec<_>>()
                .join(", ")
        }
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn each_expectation_has_its_outcome() {
    let mut world = World::new(1);
    let mut check = |write: Write, expect: &str| {
        let outcomes = world.commit(&[transaction(vec![write])]).unwrap();
        assert_eq!(outcome(&outcomes[0]), expect);
    };
    use Expect::{Absent, Any, Present, Version};
    check(put("Task/t", Present), "Task/t does not exist");
    check(put("Task/t", Version(1)), "Task/t does not exist");
    check(delete("Task/t", Any), "Task/t does not exist");
    check(delete("Task/t", Absent), "Task/t does not exist");
    check(put("Task/t", Absent), "new version 1 of number 0");
    check(put("Task/t", Absent), "Task/t exists already");
    check(put("Task/t", Any), "version 2 of number 0");
    check(put("Task/t", Present), "version 3 of number 0");
    check(
        put("Task/t", Version(2)),
        "Task/t is at version 3; you sent version 2. Reload it and try again",
    );
    check(put("Task/t", Version(3)), "version 4 of number 0");
    check(
        delete("Task/t", Version(3)),
        "Task/t is at version 4; you sent version 3. Reload it and try again",
    );
    check(delete("Task/t", Absent), "Task/t exists already");
    check(delete("Task/t", Version(4)), "version 5 of number 0");
    check(delete("Task/t", Any), "Task/t was deleted");
    check(delete("Task/t", Version(5)), "Task/t was deleted");
    check(put("Task/t", Present), "Task/t was deleted");
    check(put("Task/t", Version(4)), "Task/t was deleted");
    check(put("Task/t", Version(5)), "new version 6 of number 0");
    check(delete("Task/t", Present), "version 7 of number 0");
    check(put("Task/t", Absent), "new version 8 of number 0");
    check(put("Task/u", Any), "new version 1 of number 8");
    // The line says what it came to.
    let actions: Vec<&str> = (0..9)
        .map(|position| {
            world
                .reader()
                .entry(position)
                .unwrap()
                .unwrap()
                .action
                .as_str()
        })
        .collect();
    assert_eq!(
        actions.join(" "),
        "create update update update delete create delete create create"
    );
}

#[test]
fn a_refused_transaction_leaves_no_trace_and_the_others_go_on() {
    let mut world = World::new(1);
    let mark = |part| {
        Some(ImportMark {
            source: b"file".to_vec(),
            part,
        })
    };
    let marked = |name, part| Transaction {
        source: mark(part),
        ..transaction(vec![put(name, Expect::Any)])
    };
    let group = [
        transaction(vec![put("Task/a", Expect::Absent)]),
        // The second write is refused: neither is in.
        transaction(vec![
            put("Task/b", Expect::Absent),
            put("Task/a", Expect::Absent),
        ]),
        // So `b` is still to be made, and `a` is known from this group.
        transaction(vec![
            put("Task/b", Expect::Absent),
            put("Task/a", Expect::Version(1)),
        ]),
        // A later write of a transaction sees the earlier ones.
        transaction(vec![
            delete("Task/b", Expect::Any),
            put("Task/b", Expect::Any),
            put("Task/b", Expect::Version(3)),
        ]),
        transaction(vec![
            put("Task/b", Expect::Any),
            delete("Task/c", Expect::Any),
        ]),
        marked("Task/d", 0),
        marked("Task/e", 0),
        marked("Task/f", 1),
        transaction(vec![]),
        Transaction {
            source: mark(2),
            ..transaction(vec![])
        },
    ];
    let outcomes: Vec<String> = world.commit(&group).unwrap().iter().map(outcome).collect();
    assert_eq!(
        outcomes,
        [
            "new version 1 of number 0",
            "Task/a exists already",
            "new version 1 of number 1, version 2 of number 0",
            "version 2 of number 1, new version 3 of number 1, version 4 of number 1",
            "Task/c does not exist",
            "new version 1 of number 6",
            "part 0 of this source has been imported already",
            "new version 1 of number 7",
            "",
            "",
        ]
    );
    assert_eq!(world.appender().size(), 8);
    assert_eq!(world.reader().imported(b"file").unwrap(), [0, 1, 2]);
    assert_eq!(world.reader().imported(b"other").unwrap(), [0; 0]);
    let again = world.commit(&group[5..8]).unwrap();
    assert!(
        again
            .iter()
            .all(|outcome| matches!(outcome, Err(Refused::AlreadyImported { .. })))
    );
    assert_eq!(world.appender().size(), 8);
    assert_eq!(world.audit().faults, []);
}

#[test]
fn what_a_ledger_cannot_take_is_refused() {
    let mut world = World::new(1);
    let good = || put("Task/t", Expect::Any);
    let mut check = |write: Write, expect: &str| {
        let outcomes = world
            .commit(&[transaction(vec![put("Task/s", Expect::Any), write])])
            .unwrap();
        assert_eq!(
            outcome(&outcomes[0]),
            format!("write 1 of the transaction {expect}")
        );
    };
    let kind = |kind: &str| Write {
        kind: kind.to_owned(),
        ..good()
    };
    let id = |id: &str| Write {
        id: id.to_owned(),
        ..good()
    };
    check(kind(""), "has a kind that is not a resource type");
    check(kind("Ta sk"), "has a kind that is not a resource type");
    check(kind("Task/t"), "has a kind that is not a resource type");
    check(id(""), "has an id that FHIR does not allow");
    check(id("a b"), "has an id that FHIR does not allow");
    check(
        id("~aaaaaaaaaaaaaaaaaaaaaa"),
        "has an id that FHIR does not allow",
    );
    check(id(&"i".repeat(65)), "has an id that FHIR does not allow");
    check(
        kind("Patient"),
        "has content that does not begin with its kind and id",
    );
    check(
        id("u"),
        "has content that does not begin with its kind and id",
    );
    assert_eq!(world.appender().size(), 0);
}

#[test]
fn recorded_time_only_goes_forwards() {
    let mut world = World::new(1);
    let mut check = |now_us: i64, expect: Option<i64>| {
        world.now_us.set(now_us - 1_000_000);
        let outcome = world
            .commit(&[transaction(vec![put("Task/t", Expect::Any)])])
            .unwrap()
            .remove(0);
        assert_eq!(
            outcome
                .as_ref()
                .ok()
                .map(|committed| committed.recorded_at.0),
            expect,
            "{outcome:?}"
        );
    };
    let limit = CLOCK_BEHIND_MAX_US;
    check(-1, None);
    check(i64::MAX, None);
    check(START_US, Some(START_US));
    check(START_US, Some(START_US + 1));
    check(START_US + 10, Some(START_US + 10));
    check(START_US + 9, Some(START_US + 11));
    check(START_US + 11 - limit, Some(START_US + 12));
    check(START_US + 11 - limit, None);
    check(START_US, Some(START_US + 13));
    world.reopen();
    let mut check = |now_us: i64, expect: &str| {
        world.now_us.set(now_us - 1_000_000);
        let outcomes = world
            .commit(&[transaction(vec![put("Task/t", Expect::Any)])])
            .unwrap();
        assert_eq!(outcome(&outcomes[0]), expect);
    };
    check(
        START_US + 12 - limit,
        "the clock of this machine says 2025-12-31T23:55:00.000012Z, but the ledger's last entry was recorded at \
         2026-01-01T00:00:00.000013Z; set the clock right and try again",
    );
    check(START_US, "version 7 of number 0");
    let at = |position| {
        world
            .reader()
            .entry(position)
            .unwrap()
            .unwrap()
            .recorded_at
            .0
            - START_US
    };
    assert_eq!([0, 1, 2, 3, 4, 5, 6].map(at), [0, 1, 10, 11, 12, 13, 14]);
}

#[test]
fn no_personal_data_is_in_a_line() {
    let mut world = World::new(1);
    world.accept(Transaction {
        actor: "Dana Whitfield".to_owned(),
        purpose: String::new(),
        writes: vec![
            write(
                Action::Create,
                "Patient/john.smith",
                Expect::Any,
                Some("john.smith"),
                "Smith",
            ),
            write(
                Action::Update,
                "Observation/4111111111111111",
                Expect::Any,
                Some("john.smith"),
                "x",
            ),
        ],
        source: None,
    });
    let entry = world.reader().entry(1).unwrap().unwrap();
    for secret in ["smith", "4111"] {
        assert!(!entry.line.contains(secret), "{}", entry.line);
    }
    assert!(entry.id.starts_with('~'));
    assert_eq!(
        (entry.actor.as_str(), entry.purpose.as_str()),
        ("Dana Whitfield", "")
    );
    assert!(
        entry.line.contains(" Dana%20Whitfield - update ")
            || entry.line.contains(" Dana%20Whitfield - create ")
    );
}

/// Never asked: everything is new.
struct Nothing;

impl Heads for Nothing {
    fn head(&self, _: &str, _: &str) -> Option<Head> {
        None
    }
}

#[test]
fn a_full_disk_takes_nothing_and_later_commits_work() {
    let mut world = World::new(1);
    let tasks = |from: usize, count: usize| {
        let writes = (from..from + count)
            .map(|i| {
                write(
                    Action::Create,
                    &format!("Task/{i}"),
                    Expect::Absent,
                    Some("anna"),
                    &"noise ".repeat(i % 90),
                )
            })
            .collect();
        transaction(writes)
    };
    world.accept(tasks(0, 300));
    let checkpoint = world.appender().checkpoint().to_owned();
    let pages = world_pages(&world);
    world.appender().set_pages_max(pages + 6).unwrap();
    // More than fits, in groups that cross the boundary of a tile.
    let refused = world.commit(&[tasks(1_000, 10), tasks(2_000, 600)]);
    assert!(matches!(refused, Err(CommitError::Full(_))), "{refused:?}");
    assert_eq!(world.appender().size(), 300);
    assert_eq!(world.appender().checkpoint(), checkpoint);
    assert_eq!(world.reader().size().unwrap(), 300);
    assert_eq!(world.audit().faults, []);
    // A small one still fits; chains, tiles and heads go on where they were.
    let small = world.accept(tasks(3_000, 1));
    assert_eq!((small.first_position, small.writes[0].number), (300, 300));
    world.appender().set_pages_max(1_000_000).unwrap();
    let large = world.accept(tasks(2_000, 600));
    assert_eq!(large.first_position, 301);
    assert_eq!(world.audit().faults, []);
    assert_eq!(world.reader().chain("anna", 10_000).unwrap().len(), 901);
    world.reopen();
    assert_eq!(world.appender().size(), 901);
}

fn world_pages(world: &World) -> u32 {
    let db = rusqlite::Connection::open(world.dir.path().join("ledger.sqlite")).unwrap();
    db.query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn another_writer_of_the_file_is_waited_for_and_then_named_as_trouble() {
    let mut world = World::new(1);
    let db = rusqlite::Connection::open(world.dir.path().join("ledger.sqlite")).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = world.commit(&[transaction(vec![put("Task/t", Expect::Any)])]);
    assert!(matches!(refused, Err(CommitError::Io(_))), "{refused:?}");
    db.execute_batch("ROLLBACK").unwrap();
    world.accept(transaction(vec![put("Task/t", Expect::Absent)]));
}

#[test]
fn a_group_that_is_refused_as_a_whole_touches_nothing() {
    let mut world = World::new(1);
    let checkpoint = world.appender().checkpoint().to_owned();
    let outcomes = world
        .commit(&[transaction(vec![delete("Task/t", Expect::Any)])])
        .unwrap();
    assert!(matches!(outcomes[0], Err(Refused::NotFound { .. })));
    assert_eq!(world.commit(&[]).unwrap(), []);
    assert_eq!(world.appender().checkpoint(), checkpoint);
    let nothing = world
        .appender()
        .commit(&[], &mut || RecordedAt(0), &mut |_| {}, &Nothing)
        .unwrap();
    assert_eq!(nothing, []);
}
