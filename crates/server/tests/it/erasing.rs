//! Erasures, from the request to the last byte, and every way around the rules that was thought of.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use casework::DAY;
use casework::erasure::{Basis, Scope, Stage, Step, Told};
use desk::User;
use evidence::Trust;
use evidence::export::{Content, Export, Item};
use ledger::receipt;
use server::chance::Chance;
use server::clock::Clock;
use server::erasure::{self, Found};
use server::error::{Error, ErrorKind};
use server::programme::{self, About, Actor, AsOf, Draft, Expect, Programme, Search, Whose, Work};
use tokio::runtime::Runtime;

use crate::permits::Ward;
use crate::served::{Folder, homecoming};

/// 1 March 2026.
const BEGIN: i64 = 1_772_323_200_000_000;

/// A programme with a person to erase, one beside them, and four officers.
pub struct World {
    pub runtime: Runtime,
    pub programme: Programme,
    pub clock: Clock,
    pub officers: Vec<User>,
}

pub const PERSON: &str = "qvortek-erasme";
pub const OTHER: &str = "someone-else";

impl World {
    /// Makes one in a folder.
    pub fn new(data: &Path) -> World {
        let about = About {
            name: "Erasing".to_owned(),
            demo: Vec::new(),
            erasure_delay_days: None,
            complaints: None,
        };
        programme::create(data, &about, None, &Chance::seeded(7)).expect("a programme");
        let desk = desk::Desk::open(data).expect("a desk");
        for (name, role) in [
            ("O. One", "officer"),
            ("O. Two", "officer"),
            ("O. Three", "officer"),
            ("Jarnbek Zwyntholm", "officer"),
            ("C. Caseworker", "caseworker"),
        ] {
            let new = desk::NewUser {
                name,
                role,
                ..desk::NewUser::default()
            };
            desk.add_user(&new, BEGIN, |_| None).expect("a user");
        }
        drop(desk);
        let world = World::open(data, BEGIN);
        world.fill();
        world
    }

    /// Opens one that is there.
    pub fn open(data: &Path, now: i64) -> World {
        let clock = Clock::standing_at(now);
        let keys = ledger::open_keys(data, None).expect("keys");
        let programme = Programme::open(
            data,
            keys,
            clock.clone(),
            Chance::seeded(11),
            &mut |_, _| {},
            Box::new(|why| panic!("the writer stopped: {why}")),
        )
        .expect("the programme opens");
        let officers = programme.desk().users().expect("users");
        World {
            runtime: Runtime::new().expect("a runtime"),
            programme,
            clock,
            officers,
        }
    }

    fn fill(&self) {
        for person in [PERSON, OTHER] {
            let (family, given) = match person {
                PERSON => ("Zwyntholm", "Jarnbek"),
                _ => ("Plain", "Ordinary"),
            };
            self.put("Patient", person, &format!(r#""name":[{{"family":"{family}","given":["{given}"]}}],"identifier":[{{"system":"urn:n","value":"{given}-77-Kx"}}],"birthDate":"1985-02-03""#));
            for at in 0..3 {
                self.put("Observation", &format!("{person}-score-{at}"), &format!(r#""status":"final","code":{{"text":"{family}scale{at}"}},"subject":{{"reference":"Patient/{person}"}},"valueInteger":{at}"#));
            }
            self.put("Observation", &format!("{person}-score-0"), &format!(r#""status":"final","code":{{"text":"{family}scalechanged"}},"subject":{{"reference":"Patient/{person}"}},"valueInteger":9"#));
            self.put("DocumentReference", &format!("{person}-note"), &format!(r#""meta":{{"security":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSYTHPN"}}]}},"status":"current","subject":{{"reference":"Patient/{person}"}},"description":"{family}confides","content":[{{"attachment":{{"title":"{given}says"}}}}]"#));
        }
    }

    pub fn put(&self, kind: &str, id: &str, rest: &str) {
        self.write(kind, id, rest).expect("written");
    }

    pub fn write(&self, kind: &str, id: &str, rest: &str) -> Result<(), Error> {
        let stored = format!(r#"{{"resourceType":"{kind}","id":"{id}",{rest}}}"#).into_bytes();
        let draft = Draft::stored(kind, id, Expect::Any, stored)?;
        let actor = Actor {
            name: "client/tests".to_owned(),
            purpose: "TREAT".to_owned(),
        };
        let work = Work::Ready(vec![draft]);
        self.runtime
            .block_on(self.programme.submit(actor, work))
            .map(|_| ())
    }

    pub fn ask(&self, officer: usize, scope: Scope) -> Result<String, Error> {
        self.ask_with(
            officer,
            scope,
            Some(Basis::CourtOrder),
            "District court, order 5",
        )
    }

    fn ask_with(
        &self,
        officer: usize,
        scope: Scope,
        basis: Option<Basis>,
        citation: &str,
    ) -> Result<String, Error> {
        let user = &self.officers[officer];
        let asked = erasure::request(&self.programme, user, PERSON, scope, basis, citation, true);
        self.runtime.block_on(asked)
    }

    pub fn take(&self, officer: usize, id: &str, step: Step) -> Result<(), Error> {
        let user = &self.officers[officer];
        let taken = erasure::take(&self.programme, user, id, step);
        self.runtime.block_on(taken).map(|_| ())
    }

    pub fn tell(&self) -> Step {
        Step::Tell {
            how: Told::Letter,
            happened: self.clock.now().0,
        }
    }

    /// Up to the point where it may be carried out.
    pub fn ready(&self, scope: Scope) -> String {
        let id = self.ask(0, scope).expect("asked for");
        self.take(1, &id, Step::Approve).expect("approved");
        self.take(2, &id, Step::Approve).expect("approved twice");
        self.take(2, &id, self.tell()).expect("told");
        self.clock.set(self.clock.now().0 + 31 * DAY);
        id
    }

    /// Closes it, and waits until its writer has let the files go.
    pub fn close(self) {
        let data = self.programme.data().to_owned();
        drop(self);
        for _ in 0..1_000 {
            let index = std::fs::File::open(data.join("index/lock")).expect("the index's lock");
            if ledger::lock::Lock::take(&data).is_ok() && index.try_lock().is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("the writer holds on to its files");
    }

    fn found(&self, id: &str) -> Found {
        let view = self.programme.view(AsOf::Now);
        erasure::find(&view, id, self.programme.erasure_delay_least())
            .expect("it reads")
            .expect("it is there")
    }

    pub fn read(&self, kind: &str, id: &str) -> Result<bool, ErrorKind> {
        let view = self.programme.view(AsOf::Now);
        view.read(kind, id)
            .map(|version| version.is_some_and(|version| !version.deleted))
            .map_err(|error| error.kind)
    }
}

/// What holds of a person whose whole record was erased, and of the one beside them.
fn is_erased(world: &World, id: &str) {
    let found = world.found(id);
    assert_eq!(
        (found.erasure.stage, found.unlawful.len()),
        (Stage::Done, 0)
    );
    let goes = found.goes.expect("it says what went");
    assert_eq!(goes.entries, 6);
    let kinds = [("DocumentReference", 1), ("Observation", 4), ("Patient", 1)];
    assert_eq!(
        goes.kinds,
        kinds.map(|(kind, count)| (kind.to_owned(), count))
    );
    assert_eq!(
        goes.slots.len(),
        2,
        "the record's key and the therapy notes'"
    );
    for (kind, name) in [
        ("Patient", PERSON.to_owned()),
        ("Observation", format!("{PERSON}-score-0")),
        ("DocumentReference", format!("{PERSON}-note")),
    ] {
        assert_eq!(world.read(kind, &name), Err(ErrorKind::Erased), "{kind}");
        let view = world.programme.view(AsOf::Now);
        for error in [
            view.vread(kind, &name, 1).map(|_| ()).expect_err("vread"),
            view.history(kind, &name).map(|_| ()).expect_err("history"),
            world
                .programme
                .view(AsOf::Size(7))
                .read(kind, &name)
                .map(|_| ())
                .expect_err("then"),
        ] {
            assert_eq!(error.kind, ErrorKind::Erased);
            assert!(error.message.contains(id), "it names the erasure: {error}");
        }
        let other = name.replace(PERSON, OTHER);
        assert_eq!(world.read(kind, &other), Ok(true), "{other}");
    }
    // Nothing is added to an erased record.
    let error = world
        .write("Observation", "late", &format!(r#""status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{PERSON}"}}"#))
        .expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Erased);
}

pub fn audit_finds_nothing(data: &Path) {
    let output = homecoming(&["audit", "--data", &data.display().to_string()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
}

#[test]
fn a_record_is_erased_by_the_full_procedure_and_by_nothing_less() {
    let folder = Folder::new("erasing");
    let data = folder.path().join("data");
    let world = World::new(&data);
    let refused = |outcome: Result<(), Error>, says: &str| {
        let error = outcome.expect_err(says);
        assert!(error.message.contains(says), "{error} does not say: {says}");
    };
    let asked = |outcome: Result<String, Error>| outcome.map(|_| ());
    // No basis, no citation, a caseworker, the person's own name in the text.
    refused(
        asked(world.ask_with(0, Scope::Record, None, "x y z")),
        "No lawful basis",
    );
    let order = Some(Basis::CourtOrder);
    refused(
        asked(world.ask_with(0, Scope::Record, order, "")),
        "court, date and number",
    );
    refused(
        asked(world.ask_with(4, Scope::Record, order, "Order 5")),
        "Only an officer",
    );
    refused(
        asked(world.ask_with(0, Scope::Record, order, "Order about ZWYNTHOLM")),
        "names the person",
    );

    let id = world.ask(0, Scope::Record).expect("asked for");
    refused(
        asked(world.ask(1, Scope::Notes)),
        "has been asked for already",
    );
    let carry = || Step::CarryOut;
    refused(
        world.take(0, &id, carry()),
        "2 officers must have approved it, and 0 have",
    );
    refused(world.take(0, &id, Step::Approve), "does not approve it");
    refused(world.take(3, &id, Step::Approve), "their own record");
    refused(world.take(4, &id, Step::Approve), "Only an officer");
    world.take(1, &id, Step::Approve).expect("approved");
    refused(world.take(1, &id, Step::Approve), "The same officer");
    refused(world.take(1, &id, carry()), "and 1 has");
    world.take(2, &id, Step::Approve).expect("approved twice");
    refused(world.take(1, &id, carry()), "has not been told");
    world.take(1, &id, world.tell()).expect("told");
    refused(world.take(1, &id, carry()), "The delay is still running");
    world
        .clock
        .set(world.clock.now().0 + 30 * DAY - 3_600_000_000);
    refused(world.take(1, &id, carry()), "The delay is still running");
    world
        .take(
            4,
            &id,
            Step::Hold {
                why: "Claim 12 pending".to_owned(),
            },
        )
        .expect("anybody holds");
    world.clock.set(world.clock.now().0 + DAY);
    refused(world.take(1, &id, carry()), "Hold 1 by user/5");
    let why = "Claim 12 is settled".to_owned();
    world
        .take(1, &id, Step::Release { hold: 1, why })
        .expect("lifted");
    // Until here nothing is gone.
    assert_eq!(world.read("Patient", PERSON), Ok(true));
    world.take(1, &id, carry()).expect("carried out");
    is_erased(&world, &id);
    refused(world.take(1, &id, carry()), "It has been carried out");
    world.close();
    // It is the same after another start, and with an index that is made anew.
    let world = World::open(&data, BEGIN + 100 * DAY);
    is_erased(&world, &id);
    world.close();
    let output = homecoming(&["rebuild", "--data", &data.display().to_string()]);
    assert!(output.status.success());
    let world = World::open(&data, BEGIN + 101 * DAY);
    is_erased(&world, &id);
    // An id that is free again may be taken for somebody else: its versions go on, and it is made anew.
    world.put(
        "Observation",
        &format!("{PERSON}-score-1"),
        &format!(
            r#""status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{OTHER}"}}"#
        ),
    );
    world.close();
    audit_finds_nothing(&data);
}

/// Nobody approves an erasure at a desk that somebody else left.
#[test]
fn approving_takes_a_session_that_has_shown_lately_whose_it_is() {
    let ward = Ward::open("erasing-fresh");
    let form = [
        ("person", "a"),
        ("scope", "record"),
        ("basis", "gdpr-17-1-b"),
        ("citation", "GDPR Article 17(1)(b), request of 3 May"),
        ("examined", "yes"),
    ];
    let (status, at) = ward.post("officer", "/erasures", &form);
    assert!(
        status == 303 && at.starts_with("/erasures/"),
        "{status} {at}"
    );
    let desk =
        rusqlite::Connection::open(format!("{}/desk.sqlite", ward.data())).expect("the desk");
    desk.execute(
        "UPDATE session SET authenticated_us = authenticated_us - 660000000",
        [],
    )
    .expect("the sessions are older");
    for (step, field) in [("approve", ("why", "")), ("carry-out", ("sure", "yes"))] {
        let (status, to) = ward.post("officer", &format!("{at}/{step}"), &[field]);
        assert!(
            status == 303 && to.starts_with("/account/again?next="),
            "{step}: {status} {to}"
        );
    }
    desk.execute(
        "UPDATE session SET authenticated_us = authenticated_us + 660000000",
        [],
    )
    .expect("the sessions are as they were");
    // The officer who asked does not approve it: that is the rules' to say, now that it is them.
    let (status, to) = ward.post("officer", &format!("{at}/approve"), &[]);
    assert!(!to.starts_with("/account/again"), "{status} {to}");
    assert!(status == 422 || status == 403, "{status} {to}");
}

#[test]
fn therapy_notes_are_erased_alone_and_new_ones_can_be_written() {
    let folder = Folder::new("erasing-notes");
    let data = folder.path().join("data");
    let world = World::new(&data);
    let id = world.ready(Scope::Notes);
    world.take(0, &id, Step::CarryOut).expect("carried out");
    let goes = world.found(&id).goes.expect("it says what went");
    assert_eq!(goes.kinds, [("DocumentReference".to_owned(), 1)]);
    assert_eq!(
        world.read("DocumentReference", &format!("{PERSON}-note")),
        Err(ErrorKind::Erased)
    );
    assert_eq!(world.read("Patient", PERSON), Ok(true));
    assert_eq!(
        world.read("DocumentReference", &format!("{OTHER}-note")),
        Ok(true)
    );
    world.put("DocumentReference", "new-note", &format!(r#""meta":{{"security":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSYTHPN"}}]}},"status":"current","subject":{{"reference":"Patient/{PERSON}"}},"content":[{{"attachment":{{"title":"later"}}}}]"#));
    assert_eq!(world.read("DocumentReference", "new-note"), Ok(true));
    world.close();
    audit_finds_nothing(&data);
}

#[test]
fn whoever_has_nothing_but_erased_notes_for_long_is_still_known() {
    let folder = Folder::new("erasing-many-notes");
    let data = folder.path().join("data");
    let world = World::new(&data);
    for at in 0..300 {
        world.put("DocumentReference", &format!("note-{at}"), &format!(r#""meta":{{"security":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSYTHPN"}}]}},"status":"current","subject":{{"reference":"Patient/{PERSON}"}},"content":[{{"attachment":{{"title":"note {at}"}}}}]"#));
    }
    let id = world.ready(Scope::Notes);
    world.take(0, &id, Step::CarryOut).expect("carried out");
    world.close();
    let world = World::open(&data, BEGIN + 40 * DAY);
    let alias = world.programme.ledger().person(PERSON);
    let whose = world.programme.whose(alias).expect("read");
    assert_eq!(whose, Whose::Patient(PERSON.to_owned()));
    world.close();
}

/// A resource of which some versions were erased and some were not: what is left of it, and what is written after that,
/// is the same resource, also in an index that was made anew from what can still be opened.
#[test]
fn a_resource_of_which_some_versions_were_erased_stays_one_resource() {
    let folder = Folder::new("erasing-some-versions");
    let data = folder.path().join("data");
    let world = World::new(&data);
    let of = |person: &str, value: u32| {
        format!(
            r#""status":"final","code":{{"text":"scale"}},"subject":{{"reference":"Patient/{person}"}},"valueInteger":{value}"#
        )
    };
    // Its first version was about somebody else, by mistake: nobody asked for that one to be erased.
    world.put("Observation", "mistaken", &of(OTHER, 1));
    world.put("Observation", "mistaken", &of(PERSON, 2));
    // And the other way round.
    world.put("Observation", "corrected", &of(PERSON, 1));
    world.put("Observation", "corrected", &of(OTHER, 2));
    let id = world.ready(Scope::Record);
    world.take(0, &id, Step::CarryOut).expect("carried out");

    let holds = |world: &World| {
        let view = world.programme.view(AsOf::Now);
        assert_eq!(
            world.read("Observation", "mistaken"),
            Err(ErrorKind::Erased)
        );
        let first = view.vread("Observation", "mistaken", 1).expect("read");
        assert_eq!(first.map(|first| first.version), Some(1));
        let history = view
            .history("Observation", "mistaken")
            .expect("some is left");
        let versions: Vec<u32> = history.iter().map(|version| version.version).collect();
        assert_eq!(versions, [1], "mistaken");

        assert_eq!(world.read("Observation", "corrected"), Ok(true));
        let stands = view.stands("Observation", "corrected").expect("read");
        assert_eq!(stands, Some(2));
        let first = view.vread("Observation", "corrected", 1);
        assert_eq!(
            first.map(|_| ()).map_err(|error| error.kind),
            Err(ErrorKind::Erased)
        );
        let by_id = [("_id".to_owned(), "mistaken,corrected".to_owned())];
        let (criteria, _) = record::search::parse_criteria("Observation", &by_id, "");
        let search = Search {
            criteria: &criteria,
            count: 10,
            after: None,
            total: true,
        };
        let page = view.search(&search).expect("searched");
        let found: Vec<(&str, u32)> = page
            .hits
            .iter()
            .map(|hit| (hit.id.as_str(), hit.version))
            .collect();
        assert_eq!(found, [("corrected", 2)]);
    };
    holds(&world);
    world.close();
    audit_finds_nothing(&data);

    let output = homecoming(&["rebuild", "--data", &data.display().to_string()]);
    assert!(output.status.success(), "{output:?}");
    let world = World::open(&data, BEGIN + 40 * DAY);
    holds(&world);
    // The next versions are the next ones.
    world.put("Observation", "mistaken", &of(OTHER, 3));
    world.put("Observation", "corrected", &of(OTHER, 3));
    let view = world.programme.view(AsOf::Now);
    for name in ["mistaken", "corrected"] {
        let version = view
            .read("Observation", name)
            .expect("read")
            .expect("there");
        assert_eq!(version.version, 3, "{name}");
        let history = view.history("Observation", name).expect("some is left");
        let versions: Vec<u32> = history.iter().map(|version| version.version).collect();
        let left = if name == "mistaken" { [3, 1] } else { [3, 2] };
        assert_eq!(versions, left, "{name}");
    }
    drop(view);
    world.close();
    audit_finds_nothing(&data);
}

/// The file of somebody whose therapy notes were erased, and then their record, holds what is left, and the erasures
/// account for just what is missing.
#[test]
fn an_export_of_somebody_who_was_erased_is_accounted_for() {
    let folder = Folder::new("erasing-export");
    let data = folder.path().join("data");
    let world = World::new(&data);
    let export = || {
        let counted = world.programme.count(PERSON);
        world.runtime.block_on(counted).expect("counted");
        let disclosures = ledger::Disclosures {
            log: world.programme.access(),
            cosigned: None,
            wanted: &|_| true,
        };
        let ledger = world.programme.ledger();
        let export = ledger.export(PERSON, None, Some(disclosures));
        export.expect("it reads").expect("they are counted")
    };
    let verified = |export: &Export| export.verify(&Trust::default());
    let missing = |export: &Export| {
        let report = verified(export).expect("it verifies");
        report
            .entries
            .iter()
            .filter(|(_, stored)| stored.is_none())
            .count()
    };
    assert_eq!(missing(&export()), 0);
    let mut erased = 0;
    for scope in [Scope::Notes, Scope::Record] {
        let id = world.ready(scope);
        world.take(0, &id, Step::CarryOut).expect("carried out");
        erased += world.found(&id).goes.expect("it says what went").entries;
        let whole = export();
        assert_eq!(missing(&whole) as u64, erased, "{scope:?}");
        // Another one that is missing as well is missed, and one that is missing instead of one, whatever the erasure
        // was of; though what is left of each is shown as it is.
        let is_erased = |item: &Item| matches!(item.content, Content::Erased(_));
        let gone = whole.record.items.iter().position(is_erased);
        let gone = gone.expect("something is erased");
        for at in 0..whole.record.items.len() {
            let mut less = whole.clone();
            let item = &mut less.record.items[at];
            if is_erased(item) {
                continue;
            }
            item.content = Content::Erased(left(&data, &item.line));
            assert!(verified(&less).is_err(), "{}", less.record.items[at].line);
            // The verifier does not look at what is here instead before that.
            less.record.items[gone].content = whole.record.items[at].content.clone();
            assert!(verified(&less).is_err(), "{}", less.record.items[at].line);
        }
    }
    assert!(erased > 2, "{erased}");
    world.close();
}

/// What is kept of the content beside a line.
fn left(data: &Path, line: &str) -> evidence::content::Sealed {
    let position = line.split(' ').nth(1).expect("a position");
    let db = rusqlite::Connection::open(data.join("ledger.sqlite")).expect("the ledger");
    let sql = format!("SELECT body FROM content WHERE position = {position}");
    let body: Vec<u8> = db.query_row(&sql, [], |row| row.get(0)).expect("a content");
    evidence::content::Sealed::of(&body).expect("long enough")
}

const FOLDER: &str = "HOMECOMING_ERASING_FOLDER";
const STEP: &str = "HOMECOMING_ERASING_STEP";

/// The process that is killed: carries an erasure out up to a step. Runs only when the test below
/// starts it.
#[test]
fn the_process_that_is_killed() {
    let (Some(folder), Ok(step)) = (std::env::var_os(FOLDER), std::env::var(STEP)) else {
        return;
    };
    let world = World::open(folder.as_ref(), BEGIN + 40 * DAY);
    let view = world.programme.view(AsOf::Now);
    let open = erasure::all(&view, None, 0).expect("erasures");
    let step = step.parse().expect("a number");
    programme::erase::STOP_AFTER.store(step, Ordering::Relaxed);
    let _ = world.take(0, &open[0].id, Step::CarryOut);
}

#[test]
fn an_erasure_that_is_interrupted_anywhere_is_finished_at_the_next_start() {
    for step in 1..=5 {
        let folder = Folder::new("erasing-killed");
        let data = folder.path().join("data");
        let world = World::new(&data);
        let id = world.ready(Scope::Record);
        world.close();
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["erasing::the_process_that_is_killed", "--exact"])
            .env(FOLDER, &data)
            .env(STEP, step.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), None, "step {step}: it was to be killed");
        // What the next start finds: nobody can tell that it was interrupted.
        let world = World::open(&data, BEGIN + 41 * DAY);
        is_erased(&world, &id);
        for trace in [
            "zwyntholm",
            "Zwyntholm",
            "jarnbek",
            "Jarnbek",
            "lmconfides",
            PERSON,
        ] {
            assert_eq!(
                traces(&data, trace.as_bytes()),
                Vec::<String>::new(),
                "step {step}"
            );
        }
        world.close();
        audit_finds_nothing(&data);
    }
}

/// The files below a folder that hold these bytes, the desk's apart: an officer has the person's name.
fn traces(folder: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = traces_everywhere(folder, needle);
    found.retain(|file| !file.contains("/desk.sqlite"));
    found
}

/// The files below a folder that hold these bytes.
pub fn traces_everywhere(folder: &Path, needle: &[u8]) -> Vec<String> {
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path)
                && bytes.windows(needle.len()).any(|window| window == needle)
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn drafts_that_tell_of_whom_is_erased_go_with_the_record() {
    let folder = Folder::new("erasing-drafts");
    let data = folder.path().join("data");
    let world = World::new(&data);
    let desk = world.programme.desk();
    let keep = |user: i64, path: &str, body: &str| {
        let (sealer, chance) = (world.programme.sealer(), world.programme.chance());
        let sealed = sealer.seal_draft(user, body.as_bytes(), chance);
        desk.keep_draft(user, path, &sealed, world.clock.now().0)
            .expect("kept");
    };
    let id = world.ready(Scope::Record);
    let note = world.programme.view(AsOf::Now);
    let note = note.read("DocumentReference", &format!("{PERSON}-note"));
    let note = note.expect("it reads").expect("it is there").position;
    keep(
        1,
        &format!("/people/{PERSON}/consents"),
        r#"{"fields":[["code","x"]]}"#,
    );
    keep(
        5,
        &format!("/entries/{note}/dispute"),
        r#"{"fields":[["text","not so"]]}"#,
    );
    keep(
        5,
        "/warrants",
        &format!(r#"{{"fields":[["persons","{PERSON} {OTHER}"]]}}"#),
    );
    keep(
        5,
        &format!("/people/{OTHER}/consents"),
        &format!(r#"{{"fields":[["score","{note}"]]}}"#),
    );
    let named = || traces_everywhere(&data, format!("/people/{PERSON}/cons").as_bytes());
    assert!(!named().is_empty(), "the test can fail");
    world.take(1, &id, Step::CarryOut).expect("carried out");
    let left: Vec<String> = [1, 5]
        .iter()
        .flat_map(|user| desk.drafts(*user).expect("drafts"))
        .map(|draft| draft.path)
        .collect();
    assert_eq!(left, [format!("/people/{OTHER}/consents")]);
    assert!(named().is_empty(), "{:?}", named());
}

#[test]
fn no_client_writes_what_only_the_programme_says() {
    let folder = Folder::new("erasing-claims");
    let data = folder.path().join("data");
    let world = World::new(&data);
    let id = world.ask(0, Scope::Record).expect("asked for");
    let found = world.found(&id);
    let view = world.programme.view(AsOf::Now);
    let task = view
        .read("Task", &id)
        .expect("it reads")
        .expect("it is there")
        .stored;
    let task = String::from_utf8(task).expect("text");
    let rest = task.split_once(",\"identifier\"").expect("an identifier").1;
    let rest = format!("\"identifier\"{}", rest.trim_end_matches('}'));
    let rest = format!(
        "{rest}{}",
        "}".repeat(rest.matches('{').count() - rest.matches('}').count())
    );
    let approved = rest.replace("\"requested\"", "\"approved\"");
    for (what, kind, id, rest) in [
        (
            "an approval by a client",
            "Task",
            id.as_str(),
            approved.as_str(),
        ),
        ("a whole erasure", "Task", "0123456789abcdef", rest.as_str()),
        (
            "another Task in its place",
            "Task",
            id.as_str(),
            r#""status":"requested","intent":"order""#,
        ),
        (
            "a notice",
            "Communication",
            "told",
            r#""status":"completed","category":[{"coding":[{"system":"urn:homecoming:governance","code":"erasure"}]}]"#,
        ),
        (
            "a head map",
            "Basic",
            "heads",
            r#""code":{"coding":[{"system":"urn:homecoming:governance","code":"person-heads"}]}"#,
        ),
    ] {
        let error = world.write(kind, id, rest).expect_err(what);
        assert_eq!(error.kind, ErrorKind::Forbidden, "{what}: {error}");
    }
    let deletion = Work::Ready(vec![Draft::delete("Task", &id, Expect::Present)]);
    let actor = Actor {
        name: "client/tests".to_owned(),
        purpose: "TREAT".to_owned(),
    };
    let outcome = world
        .runtime
        .block_on(world.programme.submit(actor, deletion));
    assert_eq!(outcome.expect_err("a deletion").kind, ErrorKind::Forbidden);
    assert_eq!(world.found(&id).version, found.version);
    drop(view);
    world.close();
    // Nor does an import.
    let file = folder.join("task.json");
    std::fs::write(&file, task).expect("a file");
    let output = homecoming(&["import", "--data", &data.display().to_string(), &file]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("Nobody writes that but the server"), "{said}");
}

#[test]
fn receipts_of_before_still_verify_after() {
    let folder = Folder::new("erasing-receipts");
    let data = folder.path().join("data");
    let world = World::new(&data);
    let before = world
        .programme
        .view(AsOf::Now)
        .receipt(0)
        .expect("a receipt");
    let id = world.ready(Scope::Record);
    world.take(0, &id, Step::CarryOut).expect("carried out");
    // Whoever has one keeps a copy that nobody here can take back: the page says so.
    let report = receipt::verify(before.as_bytes(), None).expect("it verifies");
    assert!(String::from_utf8_lossy(&report.stored).contains("Zwyntholm"));
    // After it, a receipt proves that there was something, and says that it cannot say what.
    let after = world
        .programme
        .view(AsOf::Now)
        .receipt(0)
        .expect("a receipt");
    assert!(!after.contains("Zwyntholm"));
    let report = receipt::verify(after.as_bytes(), None).expect("it verifies");
    assert!(report.stored.is_empty());
    assert!(
        report.proved[0].contains("there was a version 1 of it"),
        "{:?}",
        report.proved
    );
    assert!(
        report.not_proved[0].contains("content was erased"),
        "{:?}",
        report.not_proved
    );
}
