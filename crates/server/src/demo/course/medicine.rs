//! Prescriptions: each dose is ordered at a visit to the prescriber, taken from that day on, and
//! ended when the next one begins or the medicine is stopped.

use super::*;

impl<'a> Course<'a> {
    pub(super) fn medicines(&mut self) {
        let plans = std::mem::take(&mut self.plans);
        for plan in &plans {
            self.medicine(plan);
        }
        self.plans = plans;
    }

    fn medicine(&mut self, plan: &Plan) {
        let (person, prescriber) = (self.person, self.team.prescriber());
        let mut running: Option<(Value, Value)> = None;
        for (number, (day, dose)) in plan.doses.iter().enumerate() {
            let day = self.visiting(*day);
            let Some(at) = self.review(plan, day, dose, number) else {
                return;
            };
            let mut written = Vec::new();
            if let Some((request, course)) = running.take() {
                written.extend(ended(request, course, "completed", day));
            }
            if plan.given && number == 0 {
                self.notice(day, at);
            }
            let (request_id, course_id) = (self.chance.id(), self.chance.id());
            let make = |dose: &str| {
                (
                    fhir::prescription(
                        &request_id,
                        &plan.medicine,
                        dose,
                        at - 4 * MINUTE,
                        prescriber,
                        person,
                    ),
                    fhir::course(
                        &course_id,
                        &request_id,
                        &plan.medicine,
                        dose,
                        day,
                        at,
                        person,
                    ),
                )
            };
            let right = make(dose);
            let wrong = plan.wrong.filter(|_| number == 0);
            let first = wrong.map_or_else(|| right.clone(), |(wrong, _)| make(wrong));
            written.extend([first.0, first.1]);
            if !self.journal.put(at, prescriber, written) {
                return;
            }
            if let Some((_, days)) = wrong {
                let later = at_desk(at + days * DAY, &mut self.chance);
                let put_right = vec![right.0.clone(), right.1.clone()];
                self.journal.put(later, prescriber, put_right);
            }
            if plan.given {
                self.given.push((at, request_id, dose));
            }
            running = Some(right);
        }
        let (Some(stop), Some((request, course))) = (plan.stop, running) else {
            return;
        };
        let stop = working(stop);
        let at = at_desk(
            moment(stop + plan.stop_delay, 10 * 60 + 15),
            &mut self.chance,
        );
        self.journal.put(
            at,
            prescriber,
            ended(request, course, "stopped", stop).into(),
        );
    }

    /// The next working day on which the person has neither a session nor another visit.
    fn visiting(&mut self, day: i64) -> i64 {
        let mut day = working(day);
        while super::super::calendar::weekday(day) == self.person.weekday
            || self.visits.contains(&day)
        {
            day = working(day + 1);
        }
        self.visits.push(day);
        day
    }

    /// The visit at which a dose is ordered. Gives back when it was written down.
    fn review(&mut self, plan: &Plan, day: i64, dose: &str, number: usize) -> Option<i64> {
        let prescriber = self.team.prescriber();
        let start = moment(day, 8 * 60 + 30 + (self.person.place as i64 % 15) * 13);
        let id = self.chance.id();
        let contact = Contact {
            id: &id,
            kind: "medication-review",
            mode: if self.chance.percent(75) {
                "in-person"
            } else {
                "video"
            },
            title: "Medication review",
            start,
            end: start + 25 * MINUTE,
            attended: true,
            with: prescriber,
            appointment: None,
        };
        let encounter = self.encounter(&contact);
        let at = at_desk(
            contact.end + self.chance.between(2, 15) * MINUTE,
            &mut self.chance,
        );
        if !self.journal.put(at, prescriber, vec![encounter]) {
            return None;
        }
        let name = plan.medicine.name;
        let what = match number {
            0 => format!("{name} {dose} mg begun, {}.", plan.medicine.when),
            _ => format!("{name} changed to {dose} mg."),
        };
        let text = self.notes.medication(&what);
        self.write_note(
            &contact,
            &text,
            prescriber,
            at + 6 * MINUTE,
            Signing::AtOnce,
        );
        Some(at + 2 * MINUTE)
    }

    /// Notice and consent before the first dose of the study medicine; once written down late.
    fn notice(&mut self, day: i64, at: i64) {
        let late = if self.person.place % 8 == 2 { 9 } else { 0 };
        let at = match late {
            0 => at - 20 * MINUTE,
            days => at_desk(at + days * DAY, &mut self.chance),
        };
        let id = self.chance.id();
        let consent = fhir::consent(
            &id,
            "study-medicine",
            true,
            day,
            self.person,
            &self.places.programme,
        );
        self.journal.put(at, self.team.prescriber(), vec![consent]);
    }

    /// The weekly dose of the study medicine, if one is due at this session. The office goes by
    /// what is written down: a stop that nobody has recorded yet does not stop it.
    pub(super) fn give_dose(&mut self, start: i64) {
        let Some(plan) = self.plans.iter().find(|p| p.given) else {
            return;
        };
        let day = day_of(start);
        let stop_known = plan
            .stop
            .map_or(i64::MAX, |stop| working(stop) + plan.stop_delay);
        let medicine = plan.medicine;
        let current = self
            .given
            .iter()
            .rev()
            .find(|(written, ..)| *written < start - 10 * MINUTE)
            .cloned();
        let Some((_, request, dose)) = current.filter(|_| day < stop_known) else {
            return;
        };
        let id = self.chance.id();
        let given = start - 6 * MINUTE;
        let prescriber = self.team.prescriber();
        let dose = fhir::dose(
            &id,
            &request,
            &medicine,
            dose,
            given,
            prescriber,
            self.person,
        );
        let at = at_desk(given + 2 * MINUTE, &mut self.chance);
        self.journal.put(at, prescriber, vec![dose]);
    }
}

/// A prescription and its course at their end.
fn ended(mut request: Value, mut course: Value, how: &str, day: i64) -> [Value; 2] {
    request["status"] = json!(how);
    course["status"] = json!(how);
    course["effectivePeriod"]["end"] = json!(super::super::calendar::date(day));
    [request, course]
}
