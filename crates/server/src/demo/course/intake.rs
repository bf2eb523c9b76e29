//! The first day: who the person is, what they consent to, where they served.

use super::*;
use crate::demo::resource::BRANCHES;

const TOWNS: [(&str, &str); 6] = [
    ("Fairview", "OH"),
    ("Lakeland", "OH"),
    ("Riverside", "OH"),
    ("Millbrook", "OH"),
    ("Cedar Grove", "OH"),
    ("Oak Hill", "OH"),
];
const STREETS: [&str; 12] = [
    "Maple Street",
    "Second Avenue",
    "Mill Road",
    "Elm Street",
    "Station Street",
    "Hillside Drive",
    "Orchard Lane",
    "Lake Street",
    "Church Street",
    "Depot Road",
    "Park Avenue",
    "Willow Court",
];
const COUNTRIES: [(&str, &str); 5] = [
    ("AFG", "Afghanistan"),
    ("IRQ", "Iraq"),
    ("KWT", "Kuwait"),
    ("SYR", "Syrian Arab Republic"),
    ("DJI", "Djibouti"),
];
const PROBLEMS: [(&str, &str); 4] = [
    ("193462001", "Insomnia"),
    ("35489007", "Depressive disorder"),
    ("82423001", "Chronic pain"),
    ("60862001", "Tinnitus"),
];

impl<'a> Course<'a> {
    /// Takes the person in. Gives back when the first session was booked.
    pub(super) fn intake(&mut self) -> i64 {
        let (person, team, places) = (self.person, self.team, self.places);
        let coordinator = team.coordinator();
        let caseworker = self.caseworker();
        let at = at_desk(
            moment(person.enrolled, 8 * 60 + 40 + self.chance.between(0, 30)),
            &mut self.chance,
        );

        let phone = format!("555-01{:02}", self.chance.below(100));
        let (town, state) = self.chance.pick(&TOWNS);
        let street = format!(
            "{} {}",
            self.chance.between(12, 990),
            self.chance.pick(&STREETS)
        );
        let patient = fhir::patient(person, &places.programme, &phone, (street, town, state));
        let members = [caseworker, team.prescriber(), team.vocational()];
        let members = &members[..if person.place % 3 == 0 { 3 } else { 2 }];
        let id = self.chance.id();
        self.care_team = fhir::care_team(&id, person, members, person.enrolled, &places.programme);
        let episode = self.chance.id();
        self.episode = fhir::episode(&episode, person, 0, caseworker, &id, &places.programme);
        let first = vec![patient, self.care_team.clone(), self.episode.clone()];
        self.journal.put(at, coordinator, first);

        self.consents(at + 25 * MINUTE);
        let encounter = self.first_meeting(at + 40 * MINUTE);
        self.history(at + 50 * MINUTE);
        encounter
    }

    fn consents(&mut self, at: i64) {
        let (person, programme) = (self.person, &self.places.programme);
        let day = person.enrolled;
        let mut given = Vec::new();
        let id = self.chance.id();
        given.push(fhir::consent(
            &id,
            "programme",
            true,
            day,
            person,
            programme,
        ));
        let id = self.chance.id();
        let shares = self.chance.percent(82);
        given.push(fhir::consent(
            &id, "sharing", shares, day, person, programme,
        ));
        let id = self.chance.id();
        let records = self.chance.percent(72) || person.withdraws.is_some();
        let recording = fhir::consent(&id, "recording", records, day, person, programme);
        given.push(recording.clone());
        let kept = self.journal.put(at, self.team.coordinator(), given);
        self.recording = (records && kept).then_some(recording);
    }

    fn first_meeting(&mut self, start: i64) -> i64 {
        let caseworker = self.caseworker();
        let start = start - start % (5 * MINUTE);
        let id = self.chance.id();
        let contact = Contact {
            id: &id,
            kind: "intake",
            mode: "in-person",
            title: "Intake",
            start,
            end: start + 75 * MINUTE,
            attended: true,
            with: caseworker,
            appointment: None,
        };
        let encounter = self.encounter(&contact);
        let at = at_desk(
            contact.end + self.chance.between(5, 30) * MINUTE,
            &mut self.chance,
        );
        if self.journal.put(at, caseworker, vec![encounter]) {
            let text = self.notes.session(0, Tide::Same, 0);
            let text = Text {
                topic: "Intake",
                body: text.body,
            };
            self.write_note(
                &contact,
                &text,
                caseworker,
                at + 24 * MINUTE,
                Signing::AtOnce,
            );
            self.fill_in(&contact, at + 3 * MINUTE, None);
        }
        at + 30 * MINUTE
    }

    /// Service, diagnoses and what must be known: brought in over the first days.
    fn history(&mut self, from: i64) {
        let (person, coordinator) = (self.person, self.team.coordinator());
        if self.chance.percent(78) {
            let branch = &BRANCHES[self.chance.below(BRANCHES.len())];
            let out = person.enrolled - self.chance.between(200, 2_400);
            let (year, day_of_birth) = (365, person.born);
            let joined =
                (out - self.chance.between(4, 12) * year).max(day_of_birth + 18 * year + 120);
            let out = out.max(joined + 2 * year).min(person.enrolled - 60);
            let joined = joined.min(out - year);
            let mut history = Vec::new();
            let deployed = self.chance.percent(70).then(|| self.chance.id());
            if let Some(id) = &deployed {
                let span = (out - joined - 330).max(30);
                let start = joined + 90 + self.chance.between(0, span - 1) * 2 / 3;
                let end = (start + self.chance.between(150, 330)).min(out - 10);
                let country = self.chance.pick(&COUNTRIES);
                history.push(fhir::deployment(id, country, (start, end), branch, person));
            }
            let id = self.chance.id();
            history.push(fhir::service(
                &id,
                branch,
                (joined, out),
                deployed.as_deref(),
                person,
            ));
            let at = at_desk(from + self.chance.between(0, 60) * HOUR, &mut self.chance);
            self.journal.put(at, coordinator, history);
        }
        let prescriber = self.team.prescriber();
        let at = at_desk(from + self.chance.between(20, 120) * HOUR, &mut self.chance);
        let mut problems = Vec::new();
        let id = self.chance.id();
        let ptsd = ("47505003", "Posttraumatic stress disorder");
        problems.push(fhir::condition(&id, ptsd, at, prescriber, person));
        if person.injury {
            let id = self.chance.id();
            let injury = ("127295002", "Traumatic brain injury");
            problems.push(fhir::condition(&id, injury, at, prescriber, person));
        }
        if self.chance.percent(60) {
            let id = self.chance.id();
            let problem = self.chance.pick(&PROBLEMS);
            problems.push(fhir::condition(&id, problem, at, prescriber, person));
        }
        self.journal.put(at, prescriber, problems);
        if self.chance.percent(20) {
            let text = self.chance.pick(&[
                "Please do not stand behind; come from the front",
                "Call before visiting; do not ring after dark",
                "Door stays open during sessions",
                "Leave no details on the answering machine",
                "Hears badly on the left side",
            ]);
            let id = self.chance.id();
            let known = fhir::flag(
                &id,
                ("contact", "Subject Contact"),
                text,
                person.enrolled,
                coordinator,
                person,
            );
            let at = at_desk(from + 2 * HOUR, &mut self.chance);
            self.journal.put(at, coordinator, vec![known]);
        }
    }
}
