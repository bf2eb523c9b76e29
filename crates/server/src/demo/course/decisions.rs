//! What the people decide about their record, and what they say is wrong with it.
//!
//! Two of them use their own page: one agreed that what is about alcohol may be used by others and took
//! it back, released something to the housing office, and disputes two entries, one answered and one
//! whose answer is overdue; the other agreed to research, keeps the record from somebody, and waits for
//! an answer that takes longer.

use casework::consent::offer::{self, KEEP_FROM, SUD};
use casework::dispute::{Dispute, Ground, Step, Who};
use serde_json::Value;

use super::{Course, DAY, FEATURED, HOUR, at_desk, fhir, moment};
use crate::consent::write::{self, Release, Said, Signed};
use crate::demo::outsiders::BOARD;
use crate::dispute::task::{self, Author, Raised};

/// Who else uses their own page.
pub const OTHER: usize = FEATURED + 12;

/// Who is to be judged fit for duty or not.
const EVALUATED: usize = FEATURED + 6;

impl Course<'_> {
    /// After everything else, so that there is something to dispute.
    pub(super) fn decisions(&mut self) {
        let day = self.person.enrolled;
        match self.person.place {
            FEATURED => {
                let agreed = self.decide(SUD, None, moment(day + 15, 19 * 60 + 40));
                self.take_back(agreed, moment(day + 140, 20 * 60 + 5));
                if let Some(housing) = self.places.agencies.first().cloned() {
                    self.release(
                        (&housing, "County Housing Office", "12 Harbour Street"),
                        (policy::ACT_REASON, "COC"),
                        &["identity", "contacts", "plans"],
                        moment(day + 70, 18 * 60 + 20),
                    );
                }
                let end = self.end;
                let answered = self.dispute(
                    "Encounter",
                    3,
                    end - 150 * DAY,
                    "I did not come late. The bus was late, and I rang from the stop. Please write that down.",
                );
                if let Some((mut open, dispute)) = answered {
                    self.disagree(&mut open, dispute, end - 118 * DAY);
                }
                self.dispute(
                    "DocumentReference",
                    9,
                    end - 75 * DAY,
                    "It says that I was calm. I was not calm. I could not remember why I had come, and I said so.",
                );
            }
            OTHER => {
                self.decide("research", None, moment(day + 20, 17 * 60 + 10));
                let from = self.team.caseworker(self.person.caseworker + 1);
                let from = (format!("Practitioner/{}", from.id), from.name());
                self.decide(KEEP_FROM, Some(from), moment(day + 44, 21 * 60 + 3));
                let at = self.end - 52 * DAY;
                let raised = self.dispute(
                    "Observation",
                    6,
                    at,
                    "I ticked the wrong column on the second page and noticed at home. The sum is too high.",
                );
                if let Some((open, mut dispute)) = raised {
                    let step = Step::Extend;
                    let at = at_desk(at + 30 * DAY, &mut self.chance);
                    dispute.take(&step, at);
                    let why = "The paper form is in the archive, and the archive is closed until the end of next month.";
                    let text = self.text(&open, &step, why, at);
                    let id = text["id"].as_str().unwrap_or_default().to_owned();
                    if let Some(task) = self.stepped(&open.task, &step, &dispute, &id, at) {
                        self.journal
                            .put(at, self.team.supervisor(), vec![text, task]);
                    }
                }
            }
            EVALUATED => self.refer(),
            _ => {}
        }
    }

    /// Refers the person for an evaluation, and has them release what it needs.
    fn refer(&mut self) {
        let (board, evaluator) = (self.places.board.clone(), &self.places.evaluator);
        let caseworker = self.team.caseworker(self.person.caseworker);
        let at = at_desk(self.end - 40 * DAY, &mut self.chance);
        let order = fhir::referral(
            &self.chance.id(),
            "Evaluation of fitness for duty",
            (caseworker, evaluator),
            at,
            self.person,
        );
        self.journal.put(at, caseworker, vec![order]);
        let parts = ["identity", "contacts", "scores", "health"];
        self.release(
            (&board, BOARD, "40 Parade Road"),
            (policy::OWN_PURPOSES, "FITEVAL"),
            &parts,
            self.end - 38 * DAY,
        );
    }

    fn signed(&self, at: i64) -> Signed {
        Signed {
            name: format!("{} {}", self.person.given, self.person.family),
            at,
            paper: None,
        }
    }

    fn decide(&mut self, code: &str, from: Option<(String, String)>, at: i64) -> Option<Value> {
        let said = Said::Offer {
            offer: offer::offer(code)?,
            yes: true,
            until: None,
            from,
        };
        self.say(&said, at)
    }

    fn say(&mut self, said: &Said, at: i64) -> Option<Value> {
        let (id, patient) = (self.chance.id(), self.person.id.clone());
        let programme = fhir::PROGRAMME;
        let consent = write::consent(&id, &patient, programme, said, &self.signed(at));
        let consent: Value = serde_json::from_slice(&consent).ok()?;
        self.journal
            .put_by_patient(at, &patient, vec![consent.clone()])
            .then_some(consent)
    }

    fn take_back(&mut self, given: Option<Value>, at: i64) {
        let taken = given.and_then(|given| {
            let stored = given.to_string().into_bytes();
            serde_json::from_slice(&write::withdrawn(&stored, &self.signed(at))?).ok()
        });
        if let Some(taken) = taken {
            let patient = self.person.id.clone();
            self.journal.put_by_patient(at, &patient, vec![taken]);
        }
    }

    /// Releases parts of the record to an organisation (id, name, address).
    fn release(
        &mut self,
        (organisation, name, address): (&str, &str, &str),
        purpose: (&'static str, &'static str),
        parts: &[&str],
        at: i64,
    ) {
        self.say(
            &Said::Release(Release {
                organisation: organisation.to_owned(),
                name: name.to_owned(),
                address: address.to_owned(),
                purpose,
                parts: parts.iter().copied().filter_map(offer::part).collect(),
                from: None,
                until: at + 700 * DAY,
            }),
            at,
        );
    }

    /// Disputes the so-and-so-many-th thing of a kind that was written before a moment.
    fn dispute(
        &mut self,
        kind: &str,
        number: usize,
        at: i64,
        words: &str,
    ) -> Option<(Open, Dispute)> {
        let written = self.journal.written_about(kind, &self.person.id, at);
        let (id, version) = written.into_iter().nth(number)?;
        let person = Who {
            themself: true,
            ..Who::default()
        };
        let dispute = Dispute::raise(&person, words, at).ok()?;
        let (task, account) = (self.chance.id(), self.chance.id());
        let disputed = (kind, id.as_str(), version);
        let supervisor = self.team.supervisor();
        let owner = task::Owner {
            actor: supervisor.actor(),
            name: supervisor.name(),
        };
        let raised = Raised {
            id: &task,
            patient: &self.person.id,
            disputed,
            account: &account,
            owner: Some(&owner),
        };
        let author = Author {
            reference: format!("Patient/{}", self.person.id),
            name: format!("{} {}", self.person.given, self.person.family),
        };
        let patient = self.person.id.clone();
        let document = task::document(
            &account, "account", &patient, &author, disputed, None, words, at,
        );
        let document = serde_json::from_slice(&document).ok()?;
        let task: Value = serde_json::from_slice(&task::raised(&raised, &dispute, at)).ok()?;
        let open = Open {
            kind: kind.to_owned(),
            id,
            version,
            account,
            task: task.clone(),
        };
        self.journal
            .put_by_patient(at, &patient, vec![document, task])
            .then_some((open, dispute))
    }

    fn disagree(&mut self, open: &mut Open, mut dispute: Dispute, at: i64) {
        let at = at_desk(at, &mut self.chance);
        let step = Step::Disagree {
            ground: Ground::Accurate,
        };
        dispute.take(&step, at);
        let why = "The sign-in sheet of that day says 14:25, and nobody has a note of a call. We keep the \
                   entry, and your words stand beside it.";
        let text = self.text(open, &step, why, at);
        let id = text["id"].as_str().unwrap_or_default().to_owned();
        let Some(task) = self.stepped(&open.task, &step, &dispute, &id, at) else {
            return;
        };
        open.task = task.clone();
        self.journal
            .put(at, self.team.supervisor(), vec![text, task]);
        let at = at + 3 * DAY + 4 * HOUR;
        dispute.take(&Step::State, at);
        let words = "Nobody writes down who rings. That is the point.";
        let text = self.text(open, &Step::State, words, at);
        let id = text["id"].as_str().unwrap_or_default().to_owned();
        if let Some(task) = self.stepped(&open.task, &Step::State, &dispute, &id, at) {
            let patient = self.person.id.clone();
            self.journal.put_by_patient(at, &patient, vec![text, task]);
        }
    }

    fn text(&mut self, open: &Open, step: &Step, words: &str, at: i64) -> Value {
        let id = self.chance.id();
        let supervisor = self.team.supervisor();
        let author = match step {
            Step::State => Author {
                reference: format!("Patient/{}", self.person.id),
                name: format!("{} {}", self.person.given, self.person.family),
            },
            _ => Author {
                reference: supervisor.actor(),
                name: supervisor.name(),
            },
        };
        let disputed = (open.kind.as_str(), open.id.as_str(), open.version);
        let document = task::document(
            &id,
            task::kind_of(step),
            &self.person.id,
            &author,
            disputed,
            Some(&open.account),
            words,
            at,
        );
        serde_json::from_slice(&document).unwrap_or_default()
    }

    fn stepped(
        &self,
        task: &Value,
        step: &Step,
        dispute: &Dispute,
        text: &str,
        at: i64,
    ) -> Option<Value> {
        let stored = task.to_string().into_bytes();
        let stepped = task::stepped(&stored, step, dispute, Some(text), at)?;
        serde_json::from_slice(&stepped).ok()
    }
}

/// A dispute while it is made.
struct Open {
    kind: String,
    id: String,
    version: u32,
    account: String,
    task: Value,
}
