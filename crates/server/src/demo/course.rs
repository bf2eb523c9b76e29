//! One person's course through the programme: what happens, and what is written of it when.
//!
//! The two times are kept apart on purpose. Every step first decides what happens and at what
//! moment, then when somebody gets to write it down. What would be written after the end of the
//! demo is not written; so the last days leave open what a real programme's last days leave open.

mod decisions;
mod intake;
mod medicine;
mod session;

use super::calendar::{DAY, HOUR, MINUTE, at_desk, day_of, instant, moment, working};
use super::chance::Chance;
use super::journal::Journal;
use super::measures::{EVERY, Trajectory};
use super::medicines::{self, Plan};
use super::notes::{Notes, Text, Tide};
use super::person::{Ending, FEATURED, Mishap, Person};
use super::resource::{self as fhir, Contact, Form, Note};
use super::staff::{Staff, Team};
use casework::codes;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashSet;

/// The organisations' ids: the programme first, then the agencies.
pub struct Places {
    /// The programme.
    pub programme: String,
    /// Housing, benefits, work, legal aid.
    pub agencies: Vec<String>,
    /// For whom the evaluator works.
    pub board: String,
    /// Judges fitness for duty.
    pub evaluator: Staff,
}

/// When a note is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signing {
    /// As it is written.
    AtOnce,
    /// A draft first, signed on the next day.
    NextDay,
    /// Left as a draft.
    Never,
}

/// Everything that is known while one person's course is made.
pub struct Course<'a> {
    end: i64,
    team: &'a Team,
    places: &'a Places,
    person: &'a Person,
    journal: &'a mut Journal,
    chance: Chance,
    notes: Notes<'a>,
    scores: Trajectory,
    plans: Vec<Plan>,
    episode: Value,
    care_team: Value,
    stage: usize,
    /// Consent to recording as it stands on the record: its resource while it permits.
    recording: Option<Value>,
    /// When the office will have heard that it is withdrawn.
    withdrawal_known: i64,
    /// Days on which each form was last filled in.
    asked: [i64; 3],
    /// A form could be filled in at home last evening.
    item_nine_flag: Option<String>,
    last_task: i64,
    /// Days of the visits to the prescriber.
    visits: Vec<i64>,
    goals: Vec<(Value, i64)>,
    /// Requests for what is being given at sessions: when written, id, dose.
    given: Vec<(i64, String, &'static str)>,
}

impl<'a> Course<'a> {
    /// Begins the course of one person. `end`: the moment the programme is made.
    pub fn new(
        seed: u64,
        end: i64,
        team: &'a Team,
        places: &'a Places,
        person: &'a Person,
        journal: &'a mut Journal,
        written: &'a RefCell<HashSet<String>>,
    ) -> Course<'a> {
        let mut chance = person.chance.clone();
        let plans = medicines::plans(person, day_of(end), &mut chance);
        let scores = Trajectory::new(person, medicines::study(&plans), &mut chance);
        Course {
            end,
            team,
            places,
            person,
            journal,
            notes: Notes::new(person, seed, written),
            scores,
            plans,
            episode: Value::Null,
            care_team: Value::Null,
            stage: 0,
            recording: None,
            withdrawal_known: i64::MAX,
            asked: [i64::MIN / 2; 3],
            item_nine_flag: None,
            last_task: 0,
            visits: Vec::new(),
            goals: Vec::new(),
            given: Vec::new(),
            chance,
        }
    }

    /// Lives through it.
    pub fn run(mut self) {
        let first_booked = self.intake();
        self.medicines();
        self.adverse_events();
        self.withdrawal();
        self.sessions(first_booked);
        if let Some(day) = self.person.leaves {
            self.leave(day);
        }
        if self.person.ending == Ending::ItemNine {
            self.item_nine_at_home();
        }
        self.decisions();
    }

    fn caseworker(&self) -> &'a Staff {
        self.team.caseworker(self.person.caseworker)
    }

    fn tide(&self, day: i64) -> Tide {
        match self.scores.tide(day) {
            -1 => Tide::Better,
            0 => Tide::Same,
            _ => Tide::Worse,
        }
    }

    /// The last moment at which the person is in the programme.
    fn until(&self) -> i64 {
        self.person.leaves.map_or(i64::MAX, |day| day * DAY)
    }

    fn encounter(&self, contact: &Contact) -> Value {
        let episode = self.episode["id"].as_str().unwrap_or_default();
        fhir::encounter(contact, self.person, episode, &self.places.programme)
    }

    /// Writes a note, perhaps first as a draft. Gives back the signed version, if it was written.
    fn write_note(
        &mut self,
        contact: &Contact,
        text: &Text,
        author: &Staff,
        at: i64,
        signing: Signing,
    ) -> Option<Value> {
        let id = self.chance.id();
        let title = match contact.title == text.topic {
            true => contact.title.to_owned(),
            false => format!("{}: {}", contact.title, text.topic.to_lowercase()),
        };
        let mut note = Note {
            id: &id,
            title: &title,
            body: &text.body,
            encounter: contact.id,
            period: (contact.start, contact.end),
            written: at,
            author,
            signed: signing == Signing::AtOnce,
            therapy: contact.kind == "session" && contact.attended,
        };
        let person = self.person;
        let mut made = fhir::note(&note, person, &self.places.programme);
        let mut kept = self.journal.put(at, author, vec![made.clone()]);
        if signing == Signing::NextDay {
            note.signed = true;
            let signed = at_desk(at + 20 * HOUR, &mut self.chance);
            made = fhir::note(&note, person, &self.places.programme);
            kept = self.journal.put(signed, author, vec![made.clone()]);
        }
        kept.then_some(made)
    }

    fn adverse_events(&mut self) {
        let (week, text, delay) = match self.person.place {
            FEATURED => (22, "Fall at home; seen at the hospital and sent home", 8),
            5 => (
                9,
                "Dizzy after the first dose; rested, passed within an hour",
                0,
            ),
            13 => (
                17,
                "Car accident without injury on the way to the session",
                1,
            ),
            24 => (11, "Fainted at work; checked, nothing found", 15),
            39 => (
                8,
                "Allergic rash; the new medicine was stopped for three days",
                2,
            ),
            _ => return,
        };
        let day = self.person.enrolled + week * 7 + 2;
        let at = at_desk(moment(day + delay, 16 * 60 + 5), &mut self.chance);
        let recorder = self.caseworker();
        let id = self.chance.id();
        let event = fhir::adverse_event(&id, text, day, at, recorder, self.person);
        self.journal.put(at, recorder, vec![event]);
    }

    /// Consent to recording withdrawn: known to the office only when it is written down.
    fn withdrawal(&mut self) {
        let Some((week, delay)) = self.person.withdraws else {
            return;
        };
        let Some(mut given) = self.recording.clone() else {
            return;
        };
        let day = working(self.person.enrolled + week * 7 + 4);
        let at = at_desk(moment(day + delay, 11 * 60 + 20), &mut self.chance);
        self.withdrawal_known = at;
        given["status"] = json!("inactive");
        let id = self.chance.id();
        let denied = fhir::consent(
            &id,
            "recording",
            false,
            day,
            self.person,
            &self.places.programme,
        );
        self.journal
            .put(at, self.team.coordinator(), vec![given, denied]);
    }

    fn leave(&mut self, day: i64) {
        let at = at_desk(moment(day, 15 * 60), &mut self.chance);
        self.episode["status"] = json!("finished");
        self.episode["period"]["end"] = json!(super::calendar::date(day));
        self.care_team["status"] = json!("inactive");
        self.care_team["period"]["end"] = json!(super::calendar::date(day));
        let closing = vec![self.episode.clone(), self.care_team.clone()];
        self.journal.put(at, self.caseworker(), closing);
    }

    /// The PHQ-9 filled in at home last evening, with an answer that nobody has seen yet.
    fn item_nine_at_home(&mut self) {
        let at = moment(day_of(self.end) - 1, 21 * 60 + 42);
        let answers = self.scores.phq9(day_of(at), 2, &mut self.chance);
        let id = self.chance.id();
        let Some(instrument) = instruments::by_key("phq-9") else {
            return;
        };
        let form = Form {
            instrument,
            id: &id,
            answers: &answers,
            difficulty: Some(2),
            at,
            encounter: None,
            asked_by: None,
        };
        let written = at + 9 * MINUTE;
        let mut resources = vec![fhir::response(&form, self.person)];
        resources.extend(self.observations(&form, written, None));
        self.journal
            .put_by_patient(written, &self.person.id, resources);
    }

    /// The Observations of a form: totals, the memory scale, the answer to item 9. `copied`: a
    /// total that was copied wrongly.
    fn observations(&mut self, form: &Form, issued: i64, copied: Option<u16>) -> Vec<Value> {
        let answers: Vec<Option<u8>> = form.answers.iter().copied().map(Some).collect();
        let Ok(scores) = instruments::score(form.instrument, &answers) else {
            return Vec::new();
        };
        let person = self.person;
        let own = |key: &str| matches!(key, "total" | "cognitive");
        let parts: Vec<_> = scores
            .iter()
            .filter(|s| !own(s.scale.key))
            .filter_map(|s| Some((s.scale.code, s.value?)))
            .collect();
        let mut out = Vec::new();
        for score in scores.iter().filter(|s| own(s.scale.key)) {
            let Some(value) = score.value else { continue };
            let id = self.chance.id();
            let total = score.scale.key == "total";
            let value = copied.filter(|_| total).unwrap_or(value);
            let parts = if total { parts.as_slice() } else { &[] };
            out.push(fhir::score(
                &id,
                form,
                score.scale.code,
                value,
                parts,
                issued,
                person,
            ));
        }
        for critical in form.instrument.critical {
            let id = self.chance.id();
            out.push(fhir::answer(
                &id,
                form,
                usize::from(critical.item) - 1,
                issued,
                person,
            ));
        }
        out
    }
}
