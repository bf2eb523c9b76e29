//! The persons whom a warrant names are told when it says: once, whatever is stopped or run twice.

use std::path::Path;
use std::time::Duration;

use casework::DAY;
use casework::kind::Kind;
use casework::warrant::{Notice, Order, Persons};
use desk::{NewUser, User};
use server::chance::Chance;
use server::clock::Clock;
use server::programme::{self, About, Actor, AsOf, Draft, Expect, Programme, Work};
use server::warrant::{self, notice};
use tokio::runtime::Runtime;

use crate::served::Folder;

/// 1 March 2026.
const BEGIN: i64 = 1_772_323_200_000_000;

struct World {
    runtime: Runtime,
    programme: Programme,
    clock: Clock,
    officer: User,
}

impl World {
    fn new(data: &Path) -> World {
        let about = About {
            name: "Notices".to_owned(),
            demo: Vec::new(),
            erasure_delay_days: None,
            complaints: None,
        };
        programme::create(data, &about, None, &Chance::seeded(3)).expect("a programme");
        let desk = desk::Desk::open(data).expect("a desk");
        let officer = NewUser {
            name: "O. One",
            role: "officer",
            ..NewUser::default()
        };
        desk.add_user(&officer, BEGIN, |_| None).expect("a user");
        drop(desk);
        let world = World::open(data, BEGIN);
        world.come(&["one", "two"]);
        world
    }

    /// Puts people on the record.
    fn come(&self, persons: &[&str]) {
        let draft = |person: &&str| {
            let stored = format!(r#"{{"resourceType":"Patient","id":"{person}"}}"#).into_bytes();
            Draft::stored("Patient", person, Expect::Any, stored).expect("a draft")
        };
        let actor = Actor {
            name: "client/tests".to_owned(),
            purpose: "TREAT".to_owned(),
        };
        let work = Work::Ready(persons.iter().map(draft).collect());
        let written = self.programme.submit(actor, work);
        self.runtime.block_on(written).expect("written");
    }

    fn open(data: &Path, now: i64) -> World {
        let clock = Clock::standing_at(now);
        let keys = ledger::open_keys(data, None).expect("keys");
        let programme = Programme::open(
            data,
            keys,
            clock.clone(),
            Chance::seeded(now as u64),
            &mut |_, _| {},
            Box::new(|why| panic!("the writer stopped: {why}")),
        )
        .expect("the programme opens");
        let officer = programme.desk().users().expect("users").remove(0);
        World {
            runtime: Runtime::new().expect("a runtime"),
            programme,
            clock,
            officer,
        }
    }

    fn close(self) {
        let data = self.programme.data().to_owned();
        drop(self);
        for _ in 0..1_000 {
            let index = std::fs::File::open(data.join("index/lock")).expect("the index's lock");
            if ledger::lock::Lock::take(&data).is_ok() && index.try_lock().is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the writer holds on to its files");
    }

    fn enter(&self, notice: Notice) -> String {
        let alias = |person: &str| self.programme.ledger().person(person).to_string();
        let named = Persons::Named(vec![alias("one"), alias("two")]);
        self.enter_over(named, notice)
    }

    fn enter_over(&self, persons: Persons, notice: Notice) -> String {
        let order = Order {
            inspector: "user/9".to_owned(),
            issuer: "District Court".to_owned(),
            court: true,
            number: "5:26-mj-1".to_owned(),
            persons,
            kinds: vec![Kind::Care],
            happened: None,
            from: BEGIN,
            until: BEGIN + 30 * DAY,
            notice,
            paper: "0".repeat(64),
        };
        let entered = warrant::enter(&self.programme, &self.officer, order, None);
        self.runtime.block_on(entered).expect("entered")
    }

    /// How many entries about a person are notices.
    fn told(&self, person: &str) -> usize {
        let view = self.programme.view(AsOf::Now);
        let chain = view.chain(person, |kind| kind == "Communication");
        chain.expect("it reads").len()
    }

    /// Waits until nothing is due.
    fn wait(&self) {
        for _ in 0..600 {
            let view = self.programme.view(AsOf::Now);
            let due = notice::due("Notices", &view, self.clock.now().0);
            if due.expect("it reads").is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("a notice that is due is not written");
    }
}

fn later(instant: i64) -> Notice {
    Notice::At {
        instant,
        why: "Paragraph 4 of the order".to_owned(),
    }
}

#[test]
fn whoever_is_told_at_once_is_told_in_the_same_transaction() {
    let folder = Folder::new("notices-at-once");
    let world = World::new(&folder.path().join("data"));
    world.enter(Notice::AtOnce);
    assert_eq!((world.told("one"), world.told("two")), (1, 1));
    let view = world.programme.view(AsOf::Now);
    let alias = world.programme.ledger().person("one");
    let told = notice::told(&view, alias).expect("it reads");
    let [(version, words)] = told.as_slice() else {
        panic!("one notice: {told:?}");
    };
    assert_eq!(version.about, Some(alias));
    assert!(
        words.contains("issued by District Court (number 5:26-mj-1)"),
        "{words}"
    );
}

#[test]
fn a_notice_that_is_due_later_is_written_then_and_once_whatever_is_stopped() {
    let folder = Folder::new("notices-later");
    let data = folder.path().join("data");
    let world = World::new(&data);
    let due = BEGIN + 10 * DAY;
    let id = world.enter(later(due));
    world.clock.set(due - 1);
    let nothing = notice::due("Notices", &world.programme.view(AsOf::Now), due - 1);
    assert!(nothing.expect("it reads").is_empty());
    assert_eq!((world.told("one"), world.told("two")), (0, 0));
    // It stops before anybody has looked; the next start finds it due.
    world.close();
    let world = World::open(&data, due);
    world.wait();
    assert_eq!((world.told("one"), world.told("two")), (1, 1));
    // Again, and again after another start: nothing is written twice.
    let size = world.programme.view(AsOf::Now).size();
    world.close();
    let world = World::open(&data, due + DAY);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((world.told("one"), world.told("two")), (1, 1));
    assert_eq!(world.programme.view(AsOf::Now).size(), size);
    // Two who write the same notice at once: one of them is refused, whole.
    let found = warrant::lawful(&world.programme.view(AsOf::Now), &id).expect("it stands");
    let twice = notice::all("Notices", &id, &found.warrant, due).expect("drafts");
    let written = world.programme.submit(notice::actor(), Work::Ready(twice));
    world.runtime.block_on(written).expect_err("it is there");
    assert_eq!(world.told("one"), 1);
}

#[test]
fn whoever_is_told_at_the_end_is_told_with_its_revocation() {
    let folder = Folder::new("notices-end");
    let world = World::new(&folder.path().join("data"));
    let id = world.enter(Notice::AtTheEnd {
        why: "Paragraph 4 of the order".to_owned(),
    });
    world.clock.set(BEGIN + DAY);
    assert_eq!(world.told("one"), 0);
    let revoked = warrant::revoke(&world.programme, &world.officer, &id, "The case is closed");
    let committed = world.runtime.block_on(revoked).expect("revoked");
    assert_eq!(
        committed.writes.len(),
        3,
        "the step and two notices, together"
    );
    assert_eq!((world.told("one"), world.told("two")), (1, 1));
}

#[test]
fn whoever_is_here_is_told_of_a_warrant_over_everybody_once_and_in_their_own_record() {
    let folder = Folder::new("notices-everybody");
    let data = folder.path().join("data");
    let world = World::new(&data);
    // More than are told in one transaction.
    let many: Vec<String> = (0..240).map(|number| format!("more-{number}")).collect();
    world.come(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let due = BEGIN + 10 * DAY;
    world.enter_over(Persons::All, later(due));
    assert_eq!((world.told("one"), world.told("more-239")), (0, 0));
    world.close();
    let world = World::open(&data, due);
    let first = notice::due("Notices", &world.programme.view(AsOf::Now), due);
    let first = first.expect("it reads").len();
    assert!(first <= 100, "{first} in one transaction");
    world.wait();
    let all = || many.iter().map(String::as_str).chain(["one", "two"]);
    for person in all() {
        assert_eq!(world.told(person), 1, "{person}");
    }
    let alias = world.programme.ledger().person("two");
    let told = notice::told(&world.programme.view(AsOf::Now), alias).expect("it reads");
    let [(version, words)] = told.as_slice() else {
        panic!("one notice: {told:?}");
    };
    assert_eq!(version.about, Some(alias), "it is in their own chain");
    assert!(words.contains("the records of everybody"), "{words}");
    // Whoever comes later, while it lasts, is told as well; nobody is told twice, and nobody once it is over.
    world.come(&["later"]);
    world.wait();
    assert_eq!((world.told("later"), world.told("one")), (1, 1));
    world.close();
    let world = World::open(&data, BEGIN + 40 * DAY);
    let size = world.programme.view(AsOf::Now).size();
    world.come(&["too-late"]);
    world.wait();
    assert_eq!(world.told("too-late"), 0);
    assert_eq!(world.programme.view(AsOf::Now).size(), size + 1);
}
