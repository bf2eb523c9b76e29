//! Warrants, opened records and cover in the demo: entries of the programme, by the same rules as
//! everybody's, at times that lie in the generated past.

use std::path::Path;

use casework::break_glass::{self, BreakGlass, Need, Opening, Outcome};
use casework::delegation::{self, Cover, Delegation, Facts, Whose};
use casework::kind::Kind;
use casework::proceeding::Proceeding as _;
use casework::warrant::{self, Notice, Order, Persons, Warrant};
use casework::{DAY, HOUR};
use desk::User;
use ledger::Ledger;
use record::time::RecordedAt;

use super::super::Stop;
use super::super::client::cannot;
use super::NAME;
use crate::demo;
use crate::error::Error;
use crate::programme::{Actor, Batch, Draft, Expect};
use crate::sign_in::actor_name;

/// SHA-256 of the papers, which are as made up as everything else.
const PAPERS: [&str; 2] = [
    "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35",
];

/// Everybody who has a part in it.
struct Cast {
    officer: User,
    inspector: User,
    supervisor: User,
    /// Who opens records: those whose case they are not.
    strangers: [User; 2],
    away: User,
    covers: User,
    /// The two whom the warrant in force names, by alias.
    persons: [String; 2],
}

/// The batches, in the order of their times.
pub fn batches(data: &Path, ledger: &Ledger, seed: u64, now: i64) -> Result<Vec<Batch>, Stop> {
    let users = desk::Desk::open(data)
        .and_then(|desk| desk.users())
        .map_err(|error| cannot(&error))?;
    let cast = cast(&users, ledger, seed, now)
        .ok_or_else(|| Stop::CouldNotRun("the demo lacks somebody it is made with".to_owned()))?;
    let mut batches = past_warrant(&cast, now)?;
    batches.extend(opened(&cast, now)?);
    batches.extend(warrant_in_force(&cast, now)?);
    batches.push(cover(&cast, now)?);
    batches.sort_by_key(|batch| batch.at);
    Ok(batches)
}

fn cast(users: &[User], ledger: &Ledger, seed: u64, now: i64) -> Option<Cast> {
    let role = |role: &str| users.iter().find(|user| user.role == role).cloned();
    let mut participants = users.iter().filter_map(|user| user.patient.as_deref());
    let patients = [participants.next()?, participants.next()?];
    let theirs: Vec<Option<String>> = patients
        .iter()
        .map(|patient| demo::caseworker_of(seed, now, patient))
        .collect();
    // Caseworkers whose case neither of the two is, and then those whose case one is.
    let caseworkers = || users.iter().filter(|user| user.role == "caseworker");
    let mut free = caseworkers().filter(|user| !theirs.contains(&user.practitioner));
    let (one, other) = (free.next()?.clone(), free.next()?.clone());
    let mut all = caseworkers();
    let covers = all.next()?.clone();
    Some(Cast {
        officer: role("officer")?,
        inspector: role("inspector")?,
        supervisor: role("supervisor")?,
        strangers: [one, other],
        away: all.next()?.clone(),
        covers,
        persons: patients.map(|patient| ledger.person(patient).to_string()),
    })
}

fn refused(why: impl std::fmt::Display) -> Error {
    Error::internal(format!("the demo breaks a rule: {why}"))
}

/// An id that depends on nothing but the name.
fn id(name: &str) -> String {
    crate::warrant::notice::id(name, "everybody")
}

fn batch(at: i64, name: String, purpose: &str, drafts: Vec<Draft>) -> Batch {
    Batch {
        actor: Actor {
            name,
            purpose: purpose.to_owned(),
        },
        at: Some(RecordedAt(at)),
        drafts,
        mark: None,
    }
}

fn order(cast: &Cast, number: &str, at: i64, days: i64) -> Order {
    let day = at - at.rem_euclid(DAY);
    Order {
        inspector: actor_name(&cast.inspector),
        issuer: "Office of the Inspector General, regional office".to_owned(),
        court: false,
        number: number.to_owned(),
        persons: Persons::Named(cast.persons.to_vec()),
        kinds: vec![Kind::Schedule, Kind::Care, Kind::Access],
        happened: None,
        from: day,
        until: day + days * DAY,
        notice: Notice::AtOnce,
        paper: PAPERS[0].to_owned(),
    }
}

fn warrant_in_force(cast: &Cast, now: i64) -> Result<Vec<Batch>, Error> {
    let (id, at) = (id("warrant in force"), now - 6 * DAY);
    let who = warrant::Who {
        actor: crate::warrant::actor(&cast.officer).name,
        officer: true,
    };
    let order = order(cast, "IG-117", at, 30);
    let warrant = Warrant::enter(order, &who, at).map_err(refused)?;
    let stored = crate::warrant::task::write(&id, &warrant, None);
    let mut drafts = vec![Draft::governance(
        "Task",
        &id,
        Expect::Absent,
        stored,
        None,
    )?];
    drafts.extend(crate::warrant::notice::all(NAME, &id, &warrant, at)?);
    let actor = crate::warrant::actor(&cast.officer);
    Ok(vec![batch(at, actor.name, &actor.purpose, drafts)])
}

/// The order of a court that ended; the person was told when it did.
fn past_warrant(cast: &Cast, now: i64) -> Result<Vec<Batch>, Error> {
    let (id, at) = (id("warrant of the past"), now - 200 * DAY);
    let who = warrant::Who {
        actor: crate::warrant::actor(&cast.officer).name,
        officer: true,
    };
    let order = Order {
        issuer: "District Court, Eastern Division".to_owned(),
        court: true,
        persons: Persons::Named(vec![cast.persons[0].clone()]),
        kinds: vec![Kind::Care],
        notice: Notice::AtTheEnd {
            why: "Paragraph 4 of the order".to_owned(),
        },
        paper: PAPERS[1].to_owned(),
        ..order(cast, "5:26-mj-041", at, 30)
    };
    let warrant = Warrant::enter(order, &who, at).map_err(refused)?;
    let stored = crate::warrant::task::write(&id, &warrant, None);
    let draft = Draft::governance("Task", &id, Expect::Absent, stored, None)?;
    let actor = crate::warrant::actor(&cast.officer);
    let ended = warrant.notice_due();
    let told = crate::warrant::notice::all(NAME, &id, &warrant, ended)?;
    let programme = crate::warrant::notice::actor();
    Ok(vec![
        batch(at, actor.name, &actor.purpose, vec![draft]),
        batch(ended, programme.name, &programme.purpose, told),
    ])
}

/// One that was reviewed, and one that waits.
fn opened(cast: &Cast, now: i64) -> Result<Vec<Batch>, Error> {
    let reviewed = Opening {
        person: cast.persons[1].clone(),
        need: Need::Emergency,
        why: "Called the line at night from a parking deck, own caseworker not reachable"
            .to_owned(),
        length: HOUR,
    };
    let waits = Opening {
        person: cast.persons[0].clone(),
        need: Need::Care,
        why: "At the front desk without a bed for tonight, and the caseworker is in court"
            .to_owned(),
        length: HOUR / 2,
    };
    let begun = now - 20 * DAY;
    let steps = [
        (begun + 40 * HOUR / 60, 0, break_glass::Step::End),
        (
            begun + 26 * HOUR,
            1,
            break_glass::Step::Review {
                outcome: Outcome::Justified,
                why: "The safety plan was needed, and nothing else was looked at".to_owned(),
            },
        ),
    ];
    let mut batches = one_opened(cast, "opened and reviewed", 0, reviewed, begun, &steps)?;
    let begun = now - 60 * HOUR;
    batches.extend(one_opened(cast, "opened", 1, waits, begun, &[])?);
    Ok(batches)
}

fn one_opened(
    cast: &Cast,
    name: &str,
    stranger: usize,
    opening: Opening,
    begun: i64,
    steps: &[(i64, usize, break_glass::Step)],
) -> Result<Vec<Batch>, Error> {
    let id = id(name);
    let who = |user: &User| break_glass::Who {
        actor: actor_name(user),
        cares: true,
        reviews: user.id == cast.supervisor.id,
        themself: false,
    };
    let reader = &cast.strangers[stranger];
    let person = format!("~{}", opening.person);
    let mut broken = BreakGlass::open(opening, &who(reader), begun).map_err(refused)?;
    let draft = |broken: &BreakGlass, expect| {
        let stored = crate::break_glass::task::write(&id, broken);
        Draft::governance("Task", &id, expect, stored, Some(&person))
    };
    let first = vec![draft(&broken, Expect::Absent)?];
    let mut batches = vec![batch(
        begun,
        actor_name(reader),
        break_glass::PURPOSE,
        first,
    )];
    for (version, (at, by, step)) in (1..).zip(steps) {
        let user = [reader, &cast.supervisor][*by];
        broken.decide(step, &who(user), *at).map_err(refused)?;
        broken.take(step.clone(), &who(user), *at);
        let next = vec![draft(&broken, Expect::Version(version))?];
        batches.push(batch(*at, actor_name(user), "HOPERAT", next));
    }
    Ok(batches)
}

fn cover(cast: &Cast, now: i64) -> Result<Batch, Error> {
    let (id, at) = (id("cover"), now - 3 * DAY);
    let day = at - at.rem_euclid(DAY);
    let cover = Cover {
        owner: actor_name(&cast.away),
        delegate: actor_name(&cast.covers),
        whose: Whose::All,
        from: day,
        until: day + 15 * DAY,
        why: "Annual leave".to_owned(),
    };
    let who = delegation::Who {
        actor: actor_name(&cast.away),
        supervises: false,
    };
    let facts = Facts {
        delegate_cares: true,
        ..Facts::default()
    };
    let delegation = Delegation::enter(cover, &who, &facts, at).map_err(refused)?;
    let stored = crate::delegation::task::write(&id, &delegation);
    let draft = Draft::governance("Task", &id, Expect::Absent, stored, None)?;
    Ok(batch(at, actor_name(&cast.away), "HOPERAT", vec![draft]))
}
