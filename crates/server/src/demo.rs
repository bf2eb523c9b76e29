//! A generated programme: sixty people, eight staff, eighteen months. Nobody in it exists.
//!
//! [`generate`] is a pure function of a seed and of the moment at which the programme is made;
//! everything is laid out backwards from that moment, so that next contacts lie ahead of it and
//! overdue notes just behind. It gives transactions in the order in which they were recorded,
//! as FHIR R4 resources with their ids; it knows nothing of ledger, index or server.
//!
//! What it is for: to be looked at, so the people are varied, their notes read like notes, and
//! what programmes get wrong is in it: entries written late, moved back, corrected, entered
//! twice, two contacts at once, a session recorded after consent had been withdrawn, a dose after
//! the stop. And one thing that nobody in it has seen yet: those who take the study medicine are
//! less and less distressed, and forget.

mod calendar;
mod chance;
mod course;
mod journal;
mod measures;
mod medicines;
mod names;
mod notes;
mod outsiders;
mod person;
mod resource;
mod staff;

use calendar::{MINUTE, at_desk, day_of, moment, working};
use chance::Chance;
use course::{Course, Places};
use journal::Journal;
use outsiders::Outsiders;
use staff::{Staff, Team};

/// The seed that is used unless somebody asks for another.
pub const SEED: u64 = 2018;

/// One transaction: all of its writes or none, at one moment, by one actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoTransaction {
    /// Microseconds since the Unix epoch, UTC; strictly increasing from one to the next.
    pub recorded_at: i64,
    /// `Practitioner/<id>`, or `Patient/<id>` for what a participant entered.
    pub actor: String,
    /// Code of HL7's purposes of use: `CAREMGT`, `TREAT`, `HOPERAT`, `PATRQT`.
    pub purpose: &'static str,
    /// What is written, in order.
    pub writes: Vec<DemoWrite>,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoWrite {
    /// Create or update, or delete.
    pub method: Method,
    /// The FHIR resource with its id; of a deletion, what is deleted.
    pub json: String,
}

/// What is done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Create it, or write its next version.
    Put,
    /// Delete it.
    Delete,
}

/// Somebody who can sign in to the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoUser {
    /// "Ruth Osei".
    pub name: String,
    /// Their role for signing in, as `caseworker`.
    pub role: &'static str,
    /// Id of the Practitioner, if the record names them.
    pub practitioner_id: Option<String>,
    /// Id of the Patient, of a participant.
    pub patient_id: Option<String>,
    /// For whom they work, if not for the programme.
    pub organisation: Option<&'static str>,
    /// What to sign in with: `demo-caseworker-1`.
    pub sign_in_code: &'static str,
}

impl DemoUser {
    fn staff(member: &Staff, role: &'static str, organisation: Option<&'static str>) -> DemoUser {
        DemoUser {
            name: member.name(),
            role,
            practitioner_id: Some(member.id.clone()),
            patient_id: None,
            organisation,
            sign_in_code: member.code,
        }
    }
}

/// The staff of the programme with this seed, the first caseworker first.
pub fn staff(seed: u64) -> Vec<DemoUser> {
    let team = Team::new(seed);
    let mut users: Vec<DemoUser> = team
        .all()
        .iter()
        .map(|member| {
            let role = match member.role {
                "prescriber" | "supervisor" => member.role,
                _ => "caseworker",
            };
            DemoUser::staff(member, role, None)
        })
        .collect();
    users.sort_by_key(|u| !u.sign_in_code.starts_with("demo-caseworker"));
    users
}

/// Everybody who can sign in to the demo that is made at `end`: the staff, two participants, and
/// somebody in each of the other roles.
pub fn users(seed: u64, end: i64) -> Vec<DemoUser> {
    let mut users = staff(seed);
    let people = person::people(seed, end);
    let participants = [
        (person::FEATURED, "demo-participant-1"),
        (person::FEATURED + 12, "demo-participant-2"),
    ];
    users.extend(participants.into_iter().filter_map(|(place, code)| {
        let person = people.get(place)?;
        Some(DemoUser {
            name: format!("{} {}", person.given, person.family),
            role: "participant",
            practitioner_id: None,
            patient_id: Some(person.id.clone()),
            organisation: None,
            sign_in_code: code,
        })
    }));
    let unnamed = outsiders::unnamed().into_iter();
    users.extend(unnamed.map(|(name, role, code, organisation)| DemoUser {
        name: name.to_owned(),
        role,
        practitioner_id: None,
        patient_id: None,
        organisation,
        sign_in_code: code,
    }));
    let evaluator = Outsiders::new(seed).evaluator;
    users.push(DemoUser::staff(
        &evaluator,
        "evaluator",
        Some(outsiders::BOARD),
    ));
    users
}

/// Id of the Patient whose two times disagree most: the first to look at.
pub fn featured(seed: u64, end: i64) -> Option<String> {
    let people = person::people(seed, end);
    people.get(person::FEATURED).map(|p| p.id.clone())
}

/// Id of the Practitioner whose case a person is, by id of the Patient.
pub fn caseworker_of(seed: u64, end: i64, patient: &str) -> Option<String> {
    let people = person::people(seed, end);
    let person = people.iter().find(|person| person.id == patient)?;
    Some(Team::new(seed).caseworker(person.caseworker).id.clone())
}

/// The whole programme. `end`: the moment it is made, microseconds since the Unix epoch; nothing
/// is recorded at or after it.
pub fn generate(seed: u64, end: i64) -> impl Iterator<Item = DemoTransaction> {
    let team = Team::new(seed);
    let people = person::people(seed, end);
    let mut journal = Journal::new(end);
    let places = open_programme(seed, end, &team, &mut journal);
    let written = std::cell::RefCell::default();
    for person in &people {
        Course::new(seed, end, &team, &places, person, &mut journal, &written).run();
    }
    journal.in_order().into_iter()
}

/// Before the first person comes: the organisations, the staff, the questionnaires.
fn open_programme(seed: u64, end: i64, team: &Team, journal: &mut Journal) -> Places {
    let mut chance = Chance::new(seed, 3);
    let day = working(day_of(end) - person::SPAN - 9);
    let at = at_desk(moment(day, 9 * 60), &mut chance);
    let supervisor = team.supervisor();
    let programme = chance.id();
    let provider = ("prov", "Healthcare Provider");
    let (government, other) = (("govt", "Government"), ("cg", "Community Group"));
    let mut organizations = vec![resource::organization(
        &programme,
        resource::PROGRAMME,
        provider,
    )];
    let mut agencies = Vec::new();
    for (name, kind) in [
        ("County Housing Office", government),
        ("Regional Benefits Office", government),
        ("Second Start Job Center", other),
        ("Lakeland Legal Aid", other),
    ] {
        let id = chance.id();
        organizations.push(resource::organization(&id, name, kind));
        agencies.push(id);
    }
    journal.put(at, supervisor, organizations);
    let staff = team
        .all()
        .iter()
        .enumerate()
        .flat_map(|(number, member)| {
            let phone = format!("555-019{number}");
            resource::staff(member, &chance.id(), &programme, &phone)
        })
        .collect();
    journal.put(at + 10 * MINUTE, supervisor, staff);
    let outside = Outsiders::new(seed);
    let board = resource::organization(&outside.board, outsiders::BOARD, government);
    let (role, phone) = (&outside.evaluator_role, "555-0198");
    let evaluator = resource::staff(&outside.evaluator, role, &outside.board, phone);
    let from_outside = [board].into_iter().chain(evaluator).collect();
    journal.put(at + 15 * MINUTE, supervisor, from_outside);
    let questionnaires = instruments::all()
        .iter()
        .map(|instrument| resource::questionnaire(&chance.id(), instrument, at))
        .collect();
    journal.put(at + 25 * MINUTE, supervisor, questionnaires);
    Places {
        programme,
        agencies,
        board: outside.board,
        evaluator: outside.evaluator,
    }
}

#[cfg(test)]
mod tests;
