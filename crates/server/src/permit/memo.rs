//! What is remembered of persons and of decisions, and when it is forgotten.
//!
//! | what | until |
//! |---|---|
//! | how people stand to a person ([`Related`]) | something is recorded that it was read from, or that could have been read |
//! | a decision | the policy changes |
//!
//! A fact that was read while something was being recorded could be stale before it is kept. So a
//! reader notes the memo's generation, reads, and keeps what it read only if the generation is still the
//! same; the writer lets everybody see its entries first, and then forgets and moves the generation on,
//! both under one lock. Whoever is answered that a consent was withdrawn finds it withdrawn.
//!
//! Beside them stands what never becomes untrue again until the next start: that a kind of resource ever
//! had a label, that a consent was ever recorded ([`Permits::is_particular`]). Where neither is so, a
//! program that is registered for everything is let through without looking.
//!
//! Nothing here depends on the time: periods are kept as they are and compared when somebody asks.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use index::{Index, Search};
use ledger::Alias;
use policy::{Action, Facts, Kind, Policy, Purpose, Request, Role, Verdict};
use record::definitions::{kind_number, kinds};
use record::search::{Criteria, parameters};

use super::Who;
use super::related::{self, Record, Related};
use crate::error::Error;

/// How many persons are remembered; beyond that all are forgotten.
const PERSONS_MAX: usize = 50_000;

/// How many decisions are remembered; beyond that all are forgotten.
const DECISIONS_MAX: usize = 20_000;

/// The policy in force, and what is remembered.
pub struct Permits {
    policy: RwLock<Arc<Policy>>,
    /// How often another policy was put in force since the start.
    generation: AtomicU64,
    decisions: Mutex<HashMap<Asked, Arc<Verdict>>>,
    known: Mutex<Known>,
    /// By the number of each resource type, whether any of it ever had a label.
    labelled: Vec<AtomicBool>,
    /// Whether a consent was ever recorded.
    consents: AtomicBool,
}

/// Everything that a decision depends on.
#[derive(PartialEq, Eq, Hash)]
struct Asked {
    role: Role,
    name: Box<str>,
    purpose: Purpose,
    action: Action,
    kind: Kind,
    labels: Box<[Box<str>]>,
    facts: Facts,
}

#[derive(Default)]
struct Known {
    generation: u64,
    persons: HashMap<Alias, Arc<Related>>,
    /// From each resource that something was read from to the persons it was read for.
    sources: HashMap<(String, String), HashSet<Alias>>,
}

/// What was recorded, as far as it decides what is forgotten.
pub struct Recorded<'a> {
    /// FHIR resource type.
    pub kind: &'a str,
    /// Resource id.
    pub id: &'a str,
    /// Whom it is about.
    pub about: Option<Alias>,
    /// Whether it has a label.
    pub is_labelled: bool,
}

impl Permits {
    /// Under a policy, over the record behind an index.
    pub fn new(policy: Policy, index: &Index) -> Result<Permits, Error> {
        let permits = Permits {
            policy: RwLock::new(Arc::new(policy)),
            generation: AtomicU64::new(0),
            decisions: Mutex::default(),
            known: Mutex::default(),
            labelled: kinds().map(|_| AtomicBool::new(false)).collect(),
            consents: AtomicBool::new(false),
        };
        for (kind, labelled) in kinds().zip(&permits.labelled) {
            if let Some(parameter) = parameters().lookup(kind, "_security") {
                let has = index.has_values(kind, parameter.id).map_err(Error::index)?;
                labelled.store(has, Ordering::Relaxed);
            }
        }
        let all = Criteria::all("Consent");
        let found = index
            .search(&Search {
                criteria: &all,
                as_of: u64::MAX,
                count: 1,
                after: None,
                total: false,
            })
            .map_err(Error::index)?;
        permits
            .consents
            .store(!found.hits.is_empty(), Ordering::Relaxed);
        Ok(permits)
    }

    /// Whether single resources of a kind can be for fewer people than others: some had a label, or
    /// somebody has consented or refused.
    pub(crate) fn is_particular(&self, kind: &str) -> bool {
        let labelled = kind_number(kind).and_then(|number| self.labelled.get(usize::from(number)));
        self.has_consents() || labelled.is_none_or(|labelled| labelled.load(Ordering::Acquire))
    }

    /// Whether a consent was ever recorded.
    pub(super) fn has_consents(&self) -> bool {
        self.consents.load(Ordering::Acquire)
    }

    /// Notes what is about to be made visible, if it makes single resources be for fewer people: before
    /// anybody can see it.
    pub fn recording(&self, entry: &Recorded<'_>) {
        if entry.kind == "Consent" {
            self.consents.store(true, Ordering::Release);
        }
        if entry.is_labelled
            && let Some(number) = kind_number(entry.kind)
            && let Some(labelled) = self.labelled.get(usize::from(number))
        {
            labelled.store(true, Ordering::Release);
        }
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        let policy = self.policy.read();
        policy.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often another policy was put in force since the start: what was worked out under an older one is
    /// not for anybody.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Puts another policy in force. Nothing that the old one decided is remembered.
    pub fn set_policy(&self, policy: Policy) {
        let mut held = self.policy.write().unwrap_or_else(PoisonError::into_inner);
        *held = Arc::new(policy);
        self.generation.fetch_add(1, Ordering::AcqRel);
        // Under the lock, so that no decision of the old policy is kept after this.
        lock(&self.decisions).clear();
    }

    /// A decision, remembered or made.
    pub(super) fn decided(&self, request: &Request<'_>) -> Arc<Verdict> {
        let asked = Asked {
            role: request.subject.role,
            name: request.subject.name.into(),
            purpose: request.purpose,
            action: request.action,
            kind: request.kind,
            labels: request.labels.iter().map(|label| (*label).into()).collect(),
            facts: request.facts,
        };
        // Held until the decision is kept: a policy that is put in force meanwhile waits.
        let policy = self.policy.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdict) = lock(&self.decisions).get(&asked) {
            return verdict.clone();
        }
        let verdict = Arc::new(policy.decide(request));
        let mut decisions = lock(&self.decisions);
        if decisions.len() >= DECISIONS_MAX {
            decisions.clear();
        }
        decisions.insert(asked, verdict.clone());
        verdict
    }

    /// What is so of a person for somebody, at a moment in microseconds.
    pub(crate) fn facts(
        &self,
        record: &dyn Record,
        who: &Who,
        about: Option<Alias>,
        now: i64,
    ) -> Result<Facts, Error> {
        let mut facts = Facts {
            // A session, a token and a record of another programme are at another desk, under other
            // keys: what is asked here is asked of this one.
            same_programme: true,
            ..Facts::default()
        };
        let Some(about) = about else {
            return Ok(facts);
        };
        if let Some(patient) = &who.patient {
            facts.is_self = record.alias(patient) == about;
        }
        if related::matters(who.role) {
            let related = self.related(record, about)?;
            let standing = record.standing()?;
            related.tell(who, &about.to_string(), &standing, now, &mut facts);
        }
        Ok(facts)
    }

    /// How people stand to a person.
    pub(crate) fn related(&self, record: &dyn Record, about: Alias) -> Result<Arc<Related>, Error> {
        let generation = {
            let known = lock(&self.known);
            if let Some(related) = known.persons.get(&about) {
                return Ok(related.clone());
            }
            known.generation
        };
        let related = Arc::new(Related::read(record, about)?);
        let mut known = lock(&self.known);
        if known.generation == generation {
            if known.persons.len() >= PERSONS_MAX {
                known.persons.clear();
                known.sources.clear();
            }
            for source in &related.sources {
                known
                    .sources
                    .entry(source.clone())
                    .or_default()
                    .insert(about);
            }
            known.persons.insert(about, related.clone());
        }
        Ok(related)
    }

    /// Forgets what entries that were just made visible can have changed.
    pub fn recorded<'a>(&self, entries: impl Iterator<Item = Recorded<'a>>) {
        let mut entries = entries
            .filter(|entry| related::KINDS.contains(&entry.kind))
            .peekable();
        if entries.peek().is_none() {
            return;
        }
        let mut known = lock(&self.known);
        known.generation += 1;
        for entry in entries {
            if let Some(about) = entry.about {
                known.persons.remove(&about);
            }
            let key = (entry.kind.to_owned(), entry.id.to_owned());
            for about in known.sources.remove(&key).into_iter().flatten() {
                known.persons.remove(&about);
            }
        }
    }

    /// Forgets everybody.
    pub fn forget_all(&self) {
        let mut known = lock(&self.known);
        known.generation += 1;
        known.persons.clear();
        known.sources.clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
