//! How people stand to a person: whose caseload and care team, as the record says now.
//!
//! - **Caseload**: whom `Patient.generalPractitioner` names, and the care manager of an episode of care
//!   that is under way.
//! - **Care team**: the members of an active CareTeam, each in their period and the team's.
//!
//! - **Referred**: whom a ServiceRequest that is under way names as performer, or a Task as its owner. It
//!   matters for evaluators alone.
//!
//! - **Consent**: what the person has permitted and refused; it is weighed for each thing that is read.
//!
//! A PractitionerRole stands for its practitioner. An organisation is not on anybody's team here:
//! everybody who works there would be.

use std::sync::Arc;

use casework::consent::Consent;
use ledger::Alias;
use policy::{Facts, Role};
use record::json::{Doc, Value};
use record::search::parse_criteria;

use super::Who;
use crate::error::Error;
use crate::programme::{Page, Search, Version};
use crate::standing::Standing;

/// The kinds of resource that anything here is read from.
pub(super) const KINDS: [&str; 7] = [
    "CareTeam",
    "Consent",
    "EpisodeOfCare",
    "Patient",
    "PractitionerRole",
    "ServiceRequest",
    "Task",
];

/// Whether anything here is read from resources of a kind.
pub(crate) fn is_read(kind: &str) -> bool {
    KINDS.contains(&kind)
}

/// How many resources of one kind are looked at for a person.
const LOOKED_AT_MAX: usize = 200;

/// How many Consents of a person are weighed.
const CONSENTS_MAX: usize = 500;

/// The record as it stands now, whole: what facts are read from.
pub(crate) trait Record {
    /// The alias of a Patient.
    fn alias(&self, patient: &str) -> Alias;
    /// The id of the Patient behind an alias, if that can still be read.
    fn patient(&self, person: Alias) -> Result<Option<String>, Error>;
    /// One resource; nothing if it never was, was deleted or erased.
    fn current(&self, kind: &str, id: &str) -> Result<Option<Version>, Error>;
    /// A page of what a search finds.
    fn page(&self, search: &Search<'_>) -> Result<Page, Error>;
    /// The warrants, delegations and break-glasses that are on it.
    fn standing(&self) -> Result<Arc<Standing>, Error>;
}

/// How somebody stands to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The person is on their caseload.
    Caseload,
    /// They are on the person's care team.
    CareTeam,
    /// The person is referred to them.
    Referred,
}

/// Somebody, how they stand to the person, and from when to when: microseconds, the end excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// "Practitioner/7k2m".
    pub who: String,
    /// How.
    pub how: How,
    /// From when.
    pub from: i64,
    /// Until when.
    pub until: i64,
}

impl Tie {
    fn holds(&self, now: i64) -> bool {
        (self.from..self.until).contains(&now)
    }
}

/// Everybody who stands to a person in some way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Related {
    /// Whether there is such a person.
    pub is_here: bool,
    /// Each tie.
    pub ties: Vec<Tie>,
    /// Kind and id of every resource that this was read from.
    pub sources: Vec<(String, String)>,
    /// What the person has permitted and refused, the newest version of each.
    pub consents: Vec<Consent>,
}

/// Whether how people stand to each other decides for a role.
pub(super) fn matters(role: Role) -> bool {
    matches!(
        role,
        Role::Caseworker | Role::Prescriber | Role::Supervisor | Role::Officer | Role::Evaluator
    )
}

impl Related {
    /// Reads it.
    pub(crate) fn read(record: &dyn Record, about: Alias) -> Result<Related, Error> {
        let mut related = Related::default();
        let found = record.patient(about)?;
        let is_here = found.is_some();
        // For nobody the same is looked up, so that it takes as long.
        let patient = found.unwrap_or_else(|| "nobody".to_owned());
        if let Some(version) = record.current("Patient", &patient)? {
            related.add(record, &version, patient_ties)?;
        }
        for (kind, ties) in [
            ("CareTeam", team_ties as Ties),
            ("EpisodeOfCare", episode_ties),
            ("ServiceRequest", request_ties),
            ("Task", task_ties),
        ] {
            let params = [("patient".to_owned(), patient.clone())];
            let (criteria, _) = parse_criteria(kind, &params, "");
            let page = record.page(&Search {
                criteria: &criteria,
                count: LOOKED_AT_MAX,
                after: None,
                total: false,
            })?;
            for version in page.hits {
                related.add(record, &version, ties)?;
            }
        }
        related.read_consents(record, &patient)?;
        Ok(match is_here {
            true => Related { is_here, ..related },
            false => Related::default(),
        })
    }

    fn read_consents(&mut self, record: &dyn Record, patient: &str) -> Result<(), Error> {
        let params = [("patient".to_owned(), patient.to_owned())];
        let (criteria, _) = parse_criteria("Consent", &params, "");
        let page = record.page(&Search {
            criteria: &criteria,
            count: CONSENTS_MAX,
            after: None,
            total: false,
        })?;
        if page.next.is_some() {
            // What is not weighed could be a refusal.
            return Err(Error::internal(
                "more Consents of one person than can be weighed",
            ));
        }
        for version in page.hits {
            self.sources
                .push((version.kind.clone(), version.id.clone()));
            self.consents.extend(crate::consent::read(&version));
        }
        Ok(())
    }

    fn add(&mut self, record: &dyn Record, version: &Version, ties: Ties) -> Result<(), Error> {
        self.sources
            .push((version.kind.clone(), version.id.clone()));
        let Ok(doc) = Doc::parse(&version.stored) else {
            return Ok(());
        };
        let mut found = Vec::new();
        ties(doc.root(), &mut found);
        for mut tie in found {
            if let Some(id) = tie.who.strip_prefix("PractitionerRole/") {
                let id = id.to_owned();
                self.sources
                    .push(("PractitionerRole".to_owned(), id.clone()));
                let Some(practitioner) = practitioner_of(record, &id)? else {
                    continue;
                };
                tie.who = practitioner;
            }
            self.ties.push(tie);
        }
        Ok(())
    }

    /// Those whose case the person is at a moment.
    pub(crate) fn caseworkers(&self, now: i64) -> Vec<String> {
        let ties = self.ties.iter().filter(|tie| tie.holds(now));
        let mut names: Vec<String> = ties
            .filter(|tie| tie.how == How::Caseload)
            .map(|tie| tie.who.clone())
            .collect();
        names.dedup();
        names
    }

    /// What of this is so for somebody at a moment.
    pub(super) fn tell(
        &self,
        who: &Who,
        person: &str,
        standing: &Standing,
        now: i64,
        facts: &mut Facts,
    ) {
        facts.newcomer = self.is_here;
        for tie in self.ties.iter().filter(|tie| tie.holds(now)) {
            let theirs = who.names.contains(&tie.who);
            match tie.how {
                How::Referred => {
                    facts.referred |= theirs;
                    continue;
                }
                How::Caseload => facts.on_caseload |= theirs,
                How::CareTeam => facts.on_care_team |= theirs,
            }
            facts.newcomer = false;
            facts.supervises |= who.staff.contains(&tie.who);
            facts.delegated |= standing.covers(&who.names, &tie.who, person, now).is_some();
        }
    }
}

type Ties = fn(Value<'_>, &mut Vec<Tie>);

fn practitioner_of(record: &dyn Record, role: &str) -> Result<Option<String>, Error> {
    let Some(version) = record.current("PractitionerRole", role)? else {
        return Ok(None);
    };
    let doc = Doc::parse(&version.stored).map_err(Error::internal)?;
    let ended = doc.root().get("active").and_then(Value::as_bool) == Some(false);
    let found = doc.root().str_at(&["practitioner", "reference"]);
    Ok(found.filter(|_| !ended).map(str::to_owned))
}

fn patient_ties(patient: Value<'_>, out: &mut Vec<Tie>) {
    let named = patient.get("generalPractitioner");
    for one in named.into_iter().flat_map(Value::items) {
        out.extend(tie(Some(one), How::Caseload, (i64::MIN, i64::MAX)));
    }
}

fn episode_ties(episode: Value<'_>, out: &mut Vec<Tie>) {
    let under_way = matches!(
        episode.str_at(&["status"]),
        Some("planned" | "waitlist" | "active" | "onhold")
    );
    if under_way {
        out.extend(tie(
            episode.get("careManager"),
            How::Caseload,
            period(episode),
        ));
    }
}

fn team_ties(team: Value<'_>, out: &mut Vec<Tie>) {
    if team.str_at(&["status"]) != Some("active") {
        return;
    }
    let (from, until) = period(team);
    let members = team.get("participant");
    for member in members.into_iter().flat_map(Value::items) {
        let own = period(member);
        let both = (from.max(own.0), until.min(own.1));
        out.extend(tie(member.get("member"), How::CareTeam, both));
    }
}

fn request_ties(request: Value<'_>, out: &mut Vec<Tie>) {
    if request.str_at(&["status"]) != Some("active") {
        return;
    }
    let performers = request.get("performer");
    for one in performers.into_iter().flat_map(Value::items) {
        out.extend(tie(Some(one), How::Referred, (i64::MIN, i64::MAX)));
    }
}

fn task_ties(task: Value<'_>, out: &mut Vec<Tie>) {
    let under_way = matches!(
        task.str_at(&["status"]),
        Some("requested" | "received" | "accepted" | "ready" | "in-progress" | "on-hold")
    );
    if under_way {
        out.extend(tie(task.get("owner"), How::Referred, (i64::MIN, i64::MAX)));
    }
}

/// A tie to whom a reference names: a practitioner, or one in a role.
fn tie(reference: Option<Value<'_>>, how: How, (from, until): (i64, i64)) -> Option<Tie> {
    use record::reference::Reference;
    let text = reference?.str_at(&["reference"])?;
    let Reference::Relative(target) = Reference::parse(text) else {
        return None;
    };
    matches!(target.kind, "Practitioner" | "PractitionerRole").then(|| Tie {
        who: format!("{}/{}", target.kind, target.id),
        how,
        from,
        until,
    })
}

/// The period of something, from its start to after its end; without one, always. What cannot be read
/// opens nothing.
fn period(value: Value<'_>) -> (i64, i64) {
    let Some(period) = value.get("period") else {
        return (i64::MIN, i64::MAX);
    };
    let at = |name: &str| match period.str_at(&[name]) {
        None => Ok(None),
        Some(text) => record::time::parse_interval(text).map(Some).ok_or(()),
    };
    match (at("start"), at("end")) {
        (Ok(start), Ok(end)) => (
            start.map_or(i64::MIN, |at| at.start),
            end.map_or(i64::MAX, |at| at.end),
        ),
        _ => (i64::MAX, i64::MIN),
    }
}
