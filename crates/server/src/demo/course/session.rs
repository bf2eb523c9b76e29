//! Sessions, calls, and what is written of them.

use super::*;
use crate::demo::measures::miscopied;

const GOALS: [&str; 14] = [
    "Sleep through four nights of seven",
    "Shop for the week alone, at a time of my choosing",
    "Dinner with the family on Sundays, to the end",
    "A place of my own with a door that locks",
    "Be at work two half days a week",
    "Finish the first module of the course",
    "Drive on the highway again",
    "Call one friend from the unit a month",
    "Two weeks without alcohol",
    "Walk twenty minutes on five days",
    "Read to my child three evenings a week",
    "All papers in one folder, in order",
    "Say no without shouting",
    "Go to the game with my brother",
];

/// What we come to owe: code, words, days until it is due, and whether a letter goes out.
const OWED: [(&str, &str, i64, bool); 9] = [
    ("housing-letter", "Housing letter", 10, true),
    (
        "benefits-appeal",
        "Statement for the benefits appeal",
        14,
        true,
    ),
    ("employer-letter", "Letter for the employer", 7, true),
    ("records-request", "Request for service records", 14, true),
    ("bus-pass", "Bus pass", 7, false),
    ("school-waiver", "Papers for the fee waiver", 10, true),
    ("legal-aid", "Referral to legal aid", 7, true),
    (
        "emergency-fund",
        "Application to the emergency fund",
        5,
        false,
    ),
    ("summary", "Summary for the family doctor", 12, true),
];

impl<'a> Course<'a> {
    /// All sessions from the first. `booked`: when the first was booked.
    pub(super) fn sessions(&mut self, booked: i64) {
        let person = self.person;
        let days = self.session_days();
        let Some(last) = days
            .iter()
            .rposition(|d| moment(*d, person.minute) < self.end)
        else {
            let _ = self.book(1, days.first().copied(), booked);
            return;
        };
        let mut appointment = self.book(1, days.first().copied(), booked);
        for (index, day) in days.iter().copied().enumerate().take(last + 1) {
            let number = index + 1;
            let Some((id, value)) = appointment.take() else {
                return;
            };
            let ending = (index == last).then_some(person.ending);
            let lost = person.ending == Ending::Lost && index + 3 > last;
            if ending == Some(Ending::NoOutcome) {
                return;
            }
            let Some(at) = self.session(number, day, (&id, value), ending, lost) else {
                return;
            };
            let next = days.get(index + 1).copied();
            if let Some(next) = next {
                self.between(number, day, next);
            }
            let no_next = ending == Some(Ending::NoNextContact)
                || (ending == Some(Ending::Lost) && person.place == 33);
            if no_next {
                return;
            }
            appointment = self.book(number + 1, next, at);
        }
    }

    /// Weekly, then every second week, then every third, until the person leaves.
    fn session_days(&self) -> Vec<i64> {
        let mut day = self.person.enrolled + 3;
        while super::super::calendar::weekday(day) != self.person.weekday {
            day += 1;
        }
        let mut out = Vec::new();
        let horizon = day_of(self.end) + 40;
        while day < horizon && day * DAY < self.until() {
            out.push(day);
            day += match self.person.week(day) {
                0..=10 => 7,
                11..=48 => 14,
                _ => 21,
            };
        }
        out
    }

    /// Books a session. Gives back the Appointment, if it was written.
    fn book(&mut self, number: usize, day: Option<i64>, at: i64) -> Option<(String, Value)> {
        let day = day?;
        let id = self.chance.id();
        let start = moment(day, self.person.minute);
        let contact = Contact {
            id: "",
            kind: "session",
            mode: if self.chance.percent(78) {
                "in-person"
            } else {
                "video"
            },
            title: &format!("Session {number}"),
            start,
            end: start + 50 * MINUTE,
            attended: true,
            with: self.caseworker(),
            appointment: Some(&id),
        };
        let value = fhir::appointment(&contact, self.person, at);
        let caseworker = self.caseworker();
        self.journal
            .put(at, caseworker, vec![value.clone()])
            .then_some((id, value))
    }

    /// One session. Gives back when the last of the day's entries was made; nothing if it could not
    /// be written any more.
    fn session(
        &mut self,
        number: usize,
        day: i64,
        (appointment, mut booked): (&str, Value),
        ending: Option<Ending>,
        lost: bool,
    ) -> Option<i64> {
        let person = self.person;
        let caseworker = self.caseworker();
        let mishap = person
            .mishaps
            .iter()
            .find(|(n, _)| *n == number)
            .map(|(_, m)| *m);
        let start = moment(day, person.minute);
        let keeps = number <= 2
            || mishap.is_some()
            || ending.is_some_and(|e| e != Ending::Regular)
            || self.withdrawn_unheard(start);
        let fate = if lost {
            8
        } else if keeps {
            50
        } else {
            self.chance.below(100)
        };
        let id = self.chance.id();
        let title = format!("Session {number}");
        let mode = match booked["serviceType"][1]["coding"][0]["code"].as_str() {
            Some("video") => "video",
            _ if self.chance.percent(4) && !self.withdrawn_unheard(start) => "home",
            _ => "in-person",
        };
        let mut contact = Contact {
            id: &id,
            kind: "session",
            mode,
            title: &title,
            start,
            end: start + (45 + self.chance.between(0, 3) * 5) * MINUTE,
            attended: true,
            with: caseworker,
            appointment: Some(appointment),
        };
        if fate < 4 {
            // Called off by the person the day before.
            let at = at_desk(start - self.chance.between(5, 26) * HOUR, &mut self.chance)
                .min(start - HOUR);
            booked["status"] = json!("cancelled");
            booked["cancelationReason"] = json!({ "text": "Called off by the participant" });
            return self
                .journal
                .put(at, self.team.coordinator(), vec![booked])
                .then_some(at);
        }
        // What must be booked and planned is so at once, even where the session is written down late.
        let in_time = at_desk(contact.end + 3 * MINUTE, &mut self.chance);
        let late = match mishap {
            Some(Mishap::Late(days)) => days * DAY,
            _ if fate == 99 => self.chance.between(4, 9) * DAY,
            _ => 0,
        };
        contact.attended = fate >= 11;
        if !contact.attended {
            contact.end = start + 50 * MINUTE;
        }
        let slack = self.chance.between(4, 35);
        let at = at_desk(contact.end + slack * MINUTE + late, &mut self.chance);
        booked["status"] = json!(if contact.attended {
            "fulfilled"
        } else {
            "noshow"
        });
        let encounter = self.encounter(&contact);
        let spoilt = matches!(mishap, Some(Mishap::NotAttended(_) | Mishap::MovedBack(..)));
        if contact.attended && !spoilt {
            self.give_dose(start);
        }
        if !self
            .journal
            .put(at, caseworker, vec![encounter.clone(), booked.clone()])
        {
            return None;
        }
        if !contact.attended {
            let text = self.notes.missed();
            self.write_note(
                &contact,
                &text,
                caseworker,
                at + 12 * MINUTE,
                Signing::AtOnce,
            );
            return Some(in_time);
        }

        self.record(&contact, at, mishap);
        if !matches!(mishap, Some(Mishap::NotAttended(_) | Mishap::MovedBack(..))) {
            let copied = match mishap {
                Some(Mishap::WrongScore(days)) => Some(days),
                _ => None,
            };
            self.fill_in(&contact, at + 3 * MINUTE, copied);
        }
        let note = match ending {
            Some(Ending::NoteMissing) => None,
            _ => self.session_note(&contact, at, ending),
        };
        self.go_wrong(&contact, mishap, (encounter, booked, note), at);
        self.plan_ahead(day, in_time);
        Some(in_time)
    }

    /// Whether consent to recording has been withdrawn, and the office does not know it yet.
    fn withdrawn_unheard(&self, at: i64) -> bool {
        let withdrawn = self
            .person
            .withdraws
            .map(|(week, _)| self.person.enrolled + week * 7 + 4);
        withdrawn.is_some_and(|day| day_of(at) > day + 2) && at < self.withdrawal_known
    }

    /// The audio recording, as long as the office knows of no withdrawal.
    fn record(&mut self, contact: &Contact, at: i64, mishap: Option<Mishap>) {
        let often = match self.person.withdraws {
            Some(_) if self.withdrawn_unheard(contact.start) => 100,
            Some(_) => 75,
            None => 26,
        };
        let wanted = self.chance.percent(often);
        let spoilt = matches!(mishap, Some(Mishap::NotAttended(_) | Mishap::MovedBack(..)));
        let may = self.recording.is_some() && contact.end < self.withdrawal_known;
        if wanted && may && !spoilt && contact.mode != "home" {
            let id = self.chance.id();
            let media = fhir::recording(&id, contact, self.person);
            self.journal.put(at + MINUTE, contact.with, vec![media]);
        }
    }

    fn session_note(
        &mut self,
        contact: &Contact,
        at: i64,
        ending: Option<Ending>,
    ) -> Option<Value> {
        let day = day_of(contact.start);
        let (tide, forgets) = (self.tide(day), self.scores.forgets(day));
        let text = self.notes.session(self.stage, tide, forgets);
        // One caseworker is behind with the notes; the others seldom are.
        let behind = if self.person.caseworker == 2 { 22 } else { 3 };
        let wait = match self.chance.below(100) {
            n if n < behind => self.chance.between(4, 13) * DAY,
            n if n < 75 => self.chance.between(8, 80) * MINUTE,
            _ => self.chance.between(15, 22) * HOUR,
        };
        let signing = match ending {
            Some(Ending::NoteDraft) => Signing::Never,
            _ if self.chance.percent(7) => Signing::NextDay,
            _ => Signing::AtOnce,
        };
        let written = match ending {
            Some(Ending::NoteDraft) => at + 20 * MINUTE,
            _ => at_desk(at + wait, &mut self.chance),
        };
        self.write_note(contact, &text, contact.with, written, signing)
    }

    /// Makes the entries of a session disagree with each other or with the calendar.
    fn go_wrong(
        &mut self,
        contact: &Contact,
        mishap: Option<Mishap>,
        (mut encounter, mut booked, note): (Value, Value, Option<Value>),
        at: i64,
    ) {
        let supervisor = self.team.supervisor();
        match mishap {
            Some(Mishap::NotAttended(days)) => {
                let later = at_desk(at + days * DAY, &mut self.chance);
                encounter["status"] = json!("cancelled");
                booked["status"] = json!("noshow");
                let mut mended = vec![encounter, booked];
                if let Some(mut note) = note {
                    note["status"] = json!("entered-in-error");
                    mended.push(note);
                }
                self.journal.put(later, supervisor, mended);
            }
            Some(Mishap::MovedBack(by, after)) => {
                let later = at_desk(at + after * DAY, &mut self.chance);
                let (start, end) = (contact.start - by * DAY, contact.end - by * DAY);
                let period = json!({ "start": instant(start), "end": instant(end) });
                encounter["period"] = period.clone();
                let mut mended = vec![encounter];
                if let Some(mut note) = note {
                    note["context"]["period"] = period;
                    mended.push(note);
                }
                self.journal.put(later, contact.with, mended);
            }
            Some(Mishap::Twin) => {
                let id = self.chance.id();
                let other = self.team.vocational();
                let twin = Contact {
                    id: &id,
                    kind: "check-in",
                    mode: "phone",
                    title: "Call about work",
                    start: contact.start + 10 * MINUTE,
                    end: contact.start + 35 * MINUTE,
                    attended: true,
                    with: other,
                    appointment: None,
                };
                let value = self.encounter(&twin);
                let later = at_desk(at + 20 * HOUR, &mut self.chance);
                self.journal.put(later, other, vec![value]);
            }
            Some(Mishap::Duplicate) => {
                encounter["id"] = json!(self.chance.id());
                let again = at + 2 * MINUTE;
                self.journal
                    .put(again, contact.with, vec![encounter.clone()]);
                let later = at_desk(again + 21 * HOUR, &mut self.chance);
                self.journal.delete(later, contact.with, &encounter);
            }
            Some(Mishap::Late(_) | Mishap::WrongScore(_)) | None => {}
        }
    }

    /// The forms that are due at a contact. `copied`: copy the PCL-5's total wrongly, to be put
    /// right so many days later.
    pub(super) fn fill_in(&mut self, contact: &Contact, at: i64, copied: Option<i64>) {
        let person = self.person;
        let day = day_of(contact.start);
        for (place, (key, every)) in EVERY.into_iter().enumerate() {
            // Fourteen days after the intake the PHQ-9 begins its own rhythm.
            let shift = if place == 1 && self.person.week(day) == 2 {
                14
            } else {
                0
            };
            let forced = copied.is_some() && place == 0;
            let due = day - self.asked[place] >= every - shift || forced;
            if !due || (key == "nsi" && !person.injury) {
                continue;
            }
            let Some(instrument) = instruments::by_key(key) else {
                continue;
            };
            self.asked[place] = day;
            let troubled = person.place % 8 == 3 && place == 1 && self.chance.percent(28);
            let ninth = if troubled {
                1 + u8::from(self.chance.percent(15))
            } else {
                0
            };
            let answers = match key {
                "pcl-5" => self.scores.pcl5(day, &mut self.chance),
                "phq-9" => self.scores.phq9(day, ninth, &mut self.chance),
                _ => self.scores.nsi(day, &mut self.chance),
            };
            let sum: u16 = answers.iter().map(|a| u16::from(*a)).sum();
            let id = self.chance.id();
            let form = Form {
                instrument,
                id: &id,
                answers: &answers,
                difficulty: (key == "phq-9").then_some((sum / 7).min(3) as u8),
                at: contact.start + (4 + 6 * place as i64) * MINUTE,
                encounter: Some(contact.id),
                asked_by: Some(contact.with),
            };
            let written = at + place as i64 * MINUTE;
            let wrong = copied.filter(|_| place == 0).map(|_| miscopied(sum));
            let response = fhir::response(&form, person);
            let observations = self.observations(&form, written, wrong);
            let mut resources = vec![response];
            resources.extend(observations.iter().cloned());
            if !self.journal.put(written, contact.with, resources) {
                return;
            }
            if let (Some(days), 0) = (copied, place) {
                let mut right = observations[0].clone();
                let later = at_desk(written + days * DAY, &mut self.chance);
                right["status"] = json!("amended");
                right["valueQuantity"]["value"] = json!(sum);
                right["issued"] = json!(instant(later));
                self.journal.put(later, self.team.supervisor(), vec![right]);
            }
            if ninth > 0 {
                self.follow_up(contact);
            }
        }
    }

    /// Somebody answered item 9 above zero: spoken to again on the same day, by telephone.
    fn follow_up(&mut self, after: &Contact) {
        let person = self.person;
        let caseworker = self.caseworker();
        let day = day_of(after.start);
        let start = moment(day, 16 * 60 + 40);
        let id = self.chance.id();
        let contact = Contact {
            id: &id,
            kind: "safety-check",
            mode: "phone",
            title: "Safety check",
            start,
            end: start + 18 * MINUTE,
            attended: true,
            with: caseworker,
            appointment: None,
        };
        let encounter = self.encounter(&contact);
        let at = at_desk(contact.end + 6 * MINUTE, &mut self.chance);
        if !self.journal.put(at, caseworker, vec![encounter]) {
            return;
        }
        let text = self.notes.safety();
        self.write_note(
            &contact,
            &text,
            caseworker,
            at + 9 * MINUTE,
            Signing::AtOnce,
        );
        if self.item_nine_flag.is_none() {
            let id = self.chance.id();
            let text = "Safety plan in force; ask about suicide at every contact";
            let flag = fhir::flag(&id, ("safety", "Safety"), text, day, caseworker, person);
            self.journal.put(at + 10 * MINUTE, caseworker, vec![flag]);
            self.item_nine_flag = Some(id);
        }
    }

    /// A call between two sessions that lie far apart, and now and then one earlier on.
    fn between(&mut self, number: usize, day: i64, next: i64) {
        let caseworker = self.caseworker();
        let (wait, wanted) = match next - day {
            ..=7 => (3, 14),
            _ => (8, 62),
        };
        if !self.chance.percent(wanted) {
            return;
        }
        let day = working(day + wait);
        let start = moment(day, 15 * 60 + 10 + self.chance.between(0, 18) * 5);
        if start > self.until() {
            return;
        }
        let id = self.chance.id();
        let contact = Contact {
            id: &id,
            kind: "check-in",
            mode: "phone",
            title: "Check-in",
            start,
            end: start + (8 + self.chance.between(0, 10)) * MINUTE,
            attended: self.chance.percent(88),
            with: caseworker,
            appointment: None,
        };
        let lost = self.person.ending == Ending::Lost && start > self.end - 45 * DAY;
        if lost || number == 0 {
            return;
        }
        let encounter = self.encounter(&contact);
        let late = if self.chance.percent(3) {
            self.chance.between(4, 16) * DAY
        } else {
            0
        };
        let at = at_desk(
            contact.end + self.chance.between(2, 25) * MINUTE + late,
            &mut self.chance,
        );
        if self.journal.put(at, caseworker, vec![encounter])
            && contact.attended
            && self.chance.percent(70)
        {
            let text = self.notes.call(self.scores.forgets(day));
            self.write_note(
                &contact,
                &text,
                caseworker,
                at + 4 * MINUTE,
                Signing::AtOnce,
            );
        }
    }

    /// Stage, goals, and what we owe.
    fn plan_ahead(&mut self, day: i64, at: i64) {
        let person = self.person;
        let caseworker = self.caseworker();
        let week = person.week(day);
        let pace = 80 + (person.place as i64 * 13) % 50;
        let by_week = [4, 25, 43]
            .iter()
            .filter(|w| week * 100 >= **w * pace)
            .count();
        let leaving = person.leaves.is_some_and(|leaves| leaves - day < 50);
        let stage = if leaving { 3 } else { by_week };
        if stage > self.stage {
            self.stage = stage;
            let (code, shown) = codes::STAGES[stage];
            self.episode["type"] =
                json!([{ "coding": [{ "system": codes::STAGE, "code": code, "display": shown }] }]);
            self.journal
                .put(at + 5 * MINUTE, caseworker, vec![self.episode.clone()]);
        }
        if week >= 3 && self.goals.is_empty() {
            let count = 2 + self.chance.below(3);
            let childless = person.life.child.is_none();
            let mut places: Vec<usize> = (0..GOALS.len())
                .filter(|n| !(childless && GOALS[*n].contains("my child")))
                .collect();
            self.chance.shuffle(&mut places);
            let goals: Vec<Value> = places[..count]
                .iter()
                .map(|place| {
                    let id = self.chance.id();
                    let due = day + self.chance.between(8, 40) * 7;
                    let goal = fhir::goal(&id, GOALS[*place], day, due, person);
                    self.goals.push((goal.clone(), due));
                    goal
                })
                .collect();
            self.journal.put(at + 7 * MINUTE, caseworker, goals);
        }
        let met = self.goals.iter().position(|(_, due)| *due <= day);
        if let Some(place) = met {
            let (mut goal, _) = self.goals.swap_remove(place);
            if self.chance.percent(if self.tide(day) == Tide::Worse {
                30
            } else {
                75
            }) {
                goal["lifecycleStatus"] = json!("completed");
                goal["achievementStatus"] = fhir::achievement("achieved", "Achieved");
            } else {
                goal["achievementStatus"] = fhir::achievement("no-progress", "No Progress");
            }
            goal["statusDate"] = json!(super::super::calendar::date(day));
            self.journal.put(at + 8 * MINUTE, caseworker, vec![goal]);
        }
        if day - self.last_task > 34 && self.chance.percent(55) {
            self.last_task = day;
            self.owe(day, at + 9 * MINUTE);
        }
    }

    fn owe(&mut self, day: i64, at: i64) {
        let person = self.person;
        let (code, text, days, letter) = self.chance.pick(&OWED);
        let owner = match code {
            "bus-pass" | "emergency-fund" => self.team.coordinator(),
            "employer-letter" | "school-waiver" => self.team.vocational(),
            _ => self.caseworker(),
        };
        let id = self.chance.id();
        let due = moment(working(day + days + self.chance.between(0, 7)), 17 * 60);
        let mut task = fhir::task(&id, (code, text), owner, at, due, person);
        if !self.journal.put(at, self.caseworker(), vec![task.clone()]) {
            return;
        }
        // Done in time as a rule; what was forgotten long ago has been done by now.
        let done = match self.chance.below(100) {
            0..84 => due - self.chance.between(3, 90) * HOUR,
            84..95 => due + self.chance.between(1, 7) * DAY,
            _ => due + 55 * DAY,
        };
        let done = at_desk(done.max(at + 2 * HOUR), &mut self.chance);
        task["status"] = json!("completed");
        task["lastModified"] = json!(instant(done));
        let mut written = vec![task];
        if letter {
            let id = self.chance.id();
            let places = self.places;
            let agency = &places.agencies[self.chance.below(places.agencies.len())];
            written.push(fhir::communication(
                &id,
                text,
                agency,
                done - 5 * MINUTE,
                owner,
                person,
            ));
        }
        self.journal.put(done, owner, written);
    }
}
