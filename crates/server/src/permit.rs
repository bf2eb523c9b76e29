//! Who may see what: nothing of the record leaves without a decision.
//!
//! A [`Reader`] is whoever reads, for one request: who they are, what for, at which moment. A view of
//! the record that is bound to one (`View::seen_by`) gives only what they may see; what they may not is
//! to them as if it were not there. So permission is the price of a lookup, and no handler can forget
//! it.
//!
//! What is decided over is a [`Thing`]: whom a version is about, who wrote it, and which kinds of
//! record it is. A version can be several at once, as a therapy note that tells of drinking is: it is
//! seen only by who may see each of them. The decision is `policy`'s; here are the facts, read from the
//! record as it stands now, whatever instant is looked at: who looks at the past looks with the
//! permissions of today.
//!
//! Facts of persons and decisions are remembered ([`memo`]): facts until something is recorded that
//! can change them, decisions until the policy changes. The words of a refusal are the policy's.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use desk::User;
use ledger::Alias;
use policy::{
    Action, Consent, Facts, Kind, Obligation, Purpose, Reason, Request, Role, Subject, Verdict,
};
use record::json::Value;
use record::sensitivity::{Sensitivity, Tells, sensitivity};

use crate::error::{Error, ErrorKind};
use crate::fhir::scope::{Context, Scopes, Verb};
use crate::programme::says_governance;
use crate::release::{Basis, Given};

mod consent;
pub mod leaf;
pub mod memo;
pub(crate) mod ordered;
pub(crate) mod people;
pub mod purpose;
pub mod related;
pub mod write;

pub use memo::Permits;

/// Who reads or writes, whatever the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Their role.
    pub role: Role,
    /// Their opaque name, as lines have it.
    pub name: String,
    /// Everything that entries and resources call them: `user/7`, `Practitioner/7k2m`.
    pub names: Vec<String>,
    /// The Patient whom they are, for participants.
    pub patient: Option<String>,
    /// What resources call those whom they supervise.
    pub staff: Vec<String>,
    /// Which kinds of record a client is registered for; of people, none.
    pub registered: Vec<Kind>,
    /// Whether a client works for the programme itself (42 CFR 2.11); of people, no.
    pub of_programme: bool,
}

/// Whoever reads or writes, in one request. Cheap to clone.
#[derive(Clone)]
pub struct Reader(Arc<Inner>);

struct Inner {
    who: Arc<Who>,
    purpose: Purpose,
    /// The moment of the request, in microseconds.
    now: i64,
    /// What is so of the persons that were met in this request.
    met: Mutex<HashMap<Option<Alias>, Facts>>,
    /// The organisations that they work for, once they were looked up.
    organisations: OnceLock<Vec<String>>,
    /// Refusals that the log was told of in this request.
    refused: Mutex<HashSet<(Action, Kind, Arc<str>)>>,
    /// By their positions, the versions that they see only on a consent, or with a notice; whatever for they
    /// read them in this request.
    owed: Arc<Mutex<HashMap<u64, Owed>>>,
    /// What an app leaves of it.
    narrow: Option<Narrow>,
}

/// A verdict, and the Consent without which it would be a no.
pub(crate) struct Decided {
    /// The verdict.
    pub verdict: Arc<Verdict>,
    /// The version of the Consent: `Consent/9x…/_history/2`.
    pub consent: Option<String>,
}

/// What must be said when a version is given out.
struct Owed {
    consent: Option<String>,
    notice: bool,
}

/// What a client leaves of what may be seen: what is about one person, what answers to a query of its scopes, the
/// kinds of record that it is registered for.
#[derive(Clone)]
pub struct Narrow {
    /// Its scopes.
    pub scopes: Scopes,
    /// The person whom it was started on.
    pub launched: Option<Alias>,
    /// The kinds of record that it is registered for; nothing if that leaves none out.
    pub kinds: Option<Vec<Kind>>,
}

impl Narrow {
    /// Whether it is left. What nobody has the words of is judged by its person alone.
    fn leaves(&self, does: Action, thing: &Thing<'_>) -> bool {
        if let Some(kinds) = &self.kinds
            && thing.kinds.each().any(|kind| !kinds.contains(&kind))
        {
            return false;
        }
        let is_theirs = thing
            .about
            .is_none_or(|person| self.launched == Some(person));
        let Some(resource) = thing.resource else {
            return is_theirs || !self.scopes.is_for(Context::Patient);
        };
        let kind = resource.str_at(&["resourceType"]).unwrap_or_default();
        let verbs: &[Verb] = match (&thing.verb, does) {
            (Some(verb), _) => std::slice::from_ref(verb),
            (None, Action::Write) => &[Verb::Create, Verb::Update, Verb::Delete],
            (None, _) => &[Verb::Read, Verb::Search],
        };
        verbs
            .iter()
            .any(|verb| self.scopes.admit(kind, *verb, is_theirs, resource))
    }
}

/// What is decided over: a version, or what would become one.
#[derive(Clone, Debug)]
pub struct Thing<'a> {
    /// Whom it is about.
    pub about: Option<Alias>,
    /// Who recorded it; empty if nobody has.
    pub author: &'a str,
    /// What kinds of record it is, at least one.
    pub kinds: Kinds,
    /// Its security labels, as `policy` writes them.
    pub labels: Vec<Cow<'a, str>>,
    /// What it says, if that is known.
    pub resource: Option<Value<'a>>,
    /// Whether the person is lawfully not told of it yet.
    pub untold: bool,
    /// Of what is to be written: it is the role's own part.
    pub own_part: bool,
    /// Of what is to be given out: the person released it to whoever is to get it, who is not the one
    /// who asks.
    pub released: bool,
    /// As what a client's scopes must allow it; nothing if any of theirs will do that reads or that writes.
    pub verb: Option<Verb>,
}

impl<'a> Thing<'a> {
    /// Something of a kind, of nobody.
    pub fn of(kind: Kind) -> Thing<'a> {
        Thing {
            about: None,
            author: "",
            kinds: Kinds::one(kind),
            labels: Vec::new(),
            resource: None,
            untold: false,
            own_part: false,
            released: false,
            verb: None,
        }
    }

    /// Something of a kind about a person.
    pub fn about(person: Alias, kind: Kind) -> Thing<'a> {
        Thing {
            about: Some(person),
            ..Thing::of(kind)
        }
    }

    /// As a resource says itself; of nobody, by nobody.
    pub fn from(resource: Value<'a>) -> Thing<'a> {
        let found = sensitivity(resource);
        Thing {
            about: None,
            author: "",
            kinds: Kinds::of(resource, &found),
            labels: found.labels,
            resource: Some(resource),
            untold: false,
            own_part: false,
            released: false,
            verb: None,
        }
    }
}

/// One to three kinds, all of which decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kinds([Option<Kind>; 3]);

impl Kinds {
    /// One.
    pub fn one(kind: Kind) -> Kinds {
        Kinds([Some(kind), None, None])
    }

    /// Those of a resource.
    pub fn of(resource: Value<'_>, found: &Sensitivity<'_>) -> Kinds {
        // A consent governs the record: who may disclose what of it.
        if says_governance(resource) || resource.str_at(&["resourceType"]) == Some("Consent") {
            return Kinds::one(Kind::Governance);
        }
        if found.is_plain() {
            return Kinds::one(plain(found.tells));
        }
        Kinds([
            found.therapy_note.then_some(Kind::Notes),
            found.substance_use.then_some(Kind::Sud),
            found.restricted.then_some(Kind::Restricted),
        ])
    }

    /// Each of them.
    pub fn each(self) -> impl Iterator<Item = Kind> {
        self.0.into_iter().flatten()
    }
}

/// The kind of a resource that nothing but its type speaks for.
pub fn plain(tells: Tells) -> Kind {
    match tells {
        Tells::Identity => Kind::Identity,
        Tells::Schedule => Kind::Schedule,
        Tells::Care => Kind::Care,
        Tells::Nobody => Kind::Staff,
        Tells::Access => Kind::Access,
    }
}

impl Reader {
    /// Whoever it is, what for, and the moment in microseconds. A purpose that is not one of the
    /// role's is refused, so that nothing is read for it.
    pub fn new(who: Arc<Who>, purpose: Purpose, now: i64) -> Result<Reader, Error> {
        if !who.role.purposes().contains(&purpose) {
            let may = who.role.purposes().iter().map(|one| one.words());
            return Err(Error::new(
                ErrorKind::Forbidden,
                format!(
                    "Nothing is read here for {} by a {}. There is: {}.",
                    purpose.words(),
                    who.role.as_str(),
                    may.collect::<Vec<_>>().join("; ")
                ),
            ));
        }
        Ok(Reader(Arc::new(Inner {
            who,
            purpose,
            now,
            met: Mutex::default(),
            organisations: OnceLock::new(),
            refused: Mutex::default(),
            owed: Arc::default(),
            narrow: None,
        })))
    }

    /// The same, who sees no more than a client leaves of it.
    pub fn narrowed(&self, narrow: Narrow) -> Reader {
        Reader(Arc::new(Inner {
            who: self.0.who.clone(),
            purpose: self.0.purpose,
            now: self.0.now,
            met: Mutex::default(),
            organisations: OnceLock::new(),
            refused: Mutex::default(),
            owed: self.0.owed.clone(),
            narrow: Some(narrow),
        }))
    }

    /// Whether what a client leaves has a resource in it that is about all of these, to do this with it.
    pub fn admits(&self, kind: &str, verb: Verb, about: &[Alias], resource: Value<'_>) -> bool {
        self.0.narrow.as_ref().is_none_or(|narrow| {
            let is_theirs = about.iter().all(|one| narrow.launched == Some(*one));
            narrow.scopes.admit(kind, verb, is_theirs, resource)
        })
    }

    /// Whether a client leaves less than what the policy says.
    pub fn is_narrow(&self) -> bool {
        self.0.narrow.is_some()
    }

    /// Who it is.
    pub fn who(&self) -> &Who {
        &self.0.who
    }

    /// What for.
    pub fn purpose(&self) -> Purpose {
        self.0.purpose
    }

    /// The moment of the request, in microseconds.
    pub fn now(&self) -> i64 {
        self.0.now
    }

    /// The same person, asking for something else.
    pub fn for_purpose(&self, purpose: Purpose) -> Result<Reader, Error> {
        let other = Reader::new(self.0.who.clone(), purpose, self.0.now)?;
        Ok(Reader(Arc::new(Inner {
            who: self.0.who.clone(),
            purpose: other.0.purpose,
            now: self.0.now,
            met: Mutex::default(),
            organisations: OnceLock::new(),
            refused: Mutex::default(),
            owed: self.0.owed.clone(),
            narrow: self.0.narrow.clone(),
        })))
    }

    /// Refuses to hand out as a file what is open for an emergency alone: it is read and not taken away.
    pub fn not_taken_away(&self) -> Result<(), Error> {
        match self.0.purpose {
            Purpose::Emergency => Err(Error::new(
                ErrorKind::Forbidden,
                "What was opened for an emergency is read and not taken away: it leaves neither as a packet \
                 nor as a receipt. Somebody who cares for the person can make it.",
            )),
            _ => Ok(()),
        }
    }

    /// The facts about a person, as they stand now.
    pub(crate) fn facts(
        &self,
        permits: &Permits,
        record: &dyn related::Record,
        about: Option<Alias>,
    ) -> Result<Facts, Error> {
        let lock = || self.0.met.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(facts) = lock().get(&about) {
            return Ok(*facts);
        }
        let facts = permits.facts(record, &self.0.who, about, self.0.now)?;
        lock().insert(about, facts);
        Ok(facts)
    }

    /// Whether they may do something with a thing, and why or why not: the verdict of the first of its
    /// kinds that is refused, or else of the last.
    pub(crate) fn decide(
        &self,
        permits: &Permits,
        record: &dyn related::Record,
        action: Action,
        thing: &Thing<'_>,
    ) -> Result<Arc<Verdict>, Error> {
        Ok(self.decided(permits, record, action, thing)?.verdict)
    }

    /// The same, with the consent that it rests on; what is to be done with it is what any of its kinds
    /// obliges to.
    pub(crate) fn decided(
        &self,
        permits: &Permits,
        record: &dyn related::Record,
        action: Action,
        thing: &Thing<'_>,
    ) -> Result<Decided, Error> {
        let alone = |verdict| Decided {
            verdict,
            consent: None,
        };
        if self
            .0
            .narrow
            .as_ref()
            .is_some_and(|narrow| !narrow.leaves(action, thing))
        {
            return Ok(alone(Arc::new(Verdict {
                allowed: false,
                reasons: vec![Reason {
                    policy: "scope".into(),
                    sentence: "This app was not allowed that: its scopes or the kinds of record that it is \
                               registered for do not reach so far."
                        .into(),
                }],
                obligations: Vec::new(),
            })));
        }
        let facts = self.facts(permits, record, thing.about)?;
        let ordered = match thing.about {
            Some(person) => Some((record.standing()?, person.to_string())),
            None => None,
        };
        let labels: Vec<&str> = thing.labels.iter().map(|label| &**label).collect();
        let said = match thing.released {
            true => consent::Said::only(Consent::Permitted),
            false => self.consent(permits, record, action, thing, &facts)?,
        };
        let mut last: Option<Arc<Verdict>> = None;
        let mut obligations: BTreeSet<Obligation> = BTreeSet::new();
        let mut rests = false;
        for kind in thing.kinds.each() {
            let mut facts = Facts {
                own_part: thing.own_part,
                consent: said.consent,
                wrote_it: !thing.author.is_empty() && self.is(thing.author),
                registered: self.0.who.registered.contains(&kind),
                of_programme: self.0.who.of_programme,
                ..facts
            };
            if let Some((standing, person)) = &ordered {
                ordered::tell(
                    &self.0.who,
                    standing,
                    person,
                    thing,
                    kind,
                    self.0.now,
                    &mut facts,
                );
            }
            let verdict = self.verdict(permits, action, kind, &labels, facts);
            if !verdict.allowed {
                self.note(action, kind, &verdict);
                return Ok(alone(verdict));
            }
            // It rests on the consent if it would be a no without it.
            if said.by.is_some() && !rests {
                let without = Facts {
                    consent: Consent::Silent,
                    ..facts
                };
                rests = !self
                    .verdict(permits, action, kind, &labels, without)
                    .allowed;
            }
            obligations.extend(&verdict.obligations);
            last = Some(verdict);
        }
        let mut verdict =
            last.ok_or_else(|| Error::internal("a thing of no kind was decided over"))?;
        if verdict.obligations.len() < obligations.len() {
            verdict = Arc::new(Verdict {
                obligations: obligations.into_iter().collect(),
                ..(*verdict).clone()
            });
        }
        Ok(Decided {
            verdict,
            consent: said.by.filter(|_| rests),
        })
    }

    /// Remembers for this request what must be said of a version if it is given out. That the person is
    /// told, and that somebody reviews it, is seen to by warrants and break-glasses themselves.
    pub(crate) fn owes(&self, position: u64, decided: Decided) {
        let notice = decided
            .verdict
            .obligations
            .contains(&Obligation::RedisclosureNotice);
        if !decided.verdict.allowed || decided.consent.is_none() && !notice {
            return;
        }
        let mut owed = self.0.owed.lock().unwrap_or_else(PoisonError::into_inner);
        let one = owed.entry(position).or_insert(Owed {
            consent: None,
            notice: false,
        });
        one.notice |= notice;
        one.consent = decided.consent.or(one.consent.take());
    }

    /// On which Consents it rests that this is given out, and whether the notice of 42 CFR 2.32 goes with it.
    pub(crate) fn basis(&self, given: &Given) -> Basis {
        let owed = self.0.owed.lock().unwrap_or_else(PoisonError::into_inner);
        if owed.is_empty() {
            return Basis::default();
        }
        let given = given.versions();
        let owed = || given.iter().filter_map(|position| owed.get(position));
        let consents: BTreeSet<&str> = owed().filter_map(|one| one.consent.as_deref()).collect();
        let notice = match owed().any(|one| one.notice) {
            true => crate::consent::packet::NOTICE.1.to_owned(),
            false => String::new(),
        };
        Basis {
            consent: consents.into_iter().collect::<Vec<_>>().join(", "),
            notice,
            ..Basis::default()
        }
    }

    /// Tells the log of a refusal, once a request: to whom, what, and which policy decided; never of whom.
    fn note(&self, action: Action, kind: Kind, verdict: &Verdict) {
        let policy = verdict.reasons.first().map(|reason| reason.policy.clone());
        let key = (action, kind, policy.unwrap_or_else(|| Arc::from("")));
        let lock = || {
            self.0
                .refused
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if lock().insert(key.clone()) {
            tracing::info!(
                actor = self.0.who.name,
                purpose = self.0.purpose.code(),
                action = action.as_str(),
                kind = kind.as_str(),
                policy = &*key.2,
                "refused"
            );
        }
    }

    /// A decision over facts that are known.
    pub(crate) fn verdict(
        &self,
        permits: &Permits,
        action: Action,
        kind: Kind,
        labels: &[&str],
        facts: Facts,
    ) -> Arc<Verdict> {
        permits.decided(&Request {
            subject: Subject {
                role: self.0.who.role,
                name: &self.0.who.name,
            },
            purpose: self.0.purpose,
            action,
            kind,
            labels,
            facts,
        })
    }

    /// Whether it is a program.
    pub fn is_program(&self) -> bool {
        self.0.who.role == Role::Client
    }

    /// Whether an actor's name is theirs.
    pub fn is(&self, actor: &str) -> bool {
        self.0.who.is(actor)
    }
}

impl Who {
    /// Somebody who signs in, with everybody who does: whom they supervise is said by these. Nothing if
    /// their role is none that is known.
    pub fn of_user(user: &User, all: &[User]) -> Option<Who> {
        let role = Role::parse(&user.role).filter(|role| *role != Role::Client)?;
        let mut who = Who {
            role,
            name: named(user).remove(0),
            names: named(user),
            patient: user.patient.clone().filter(|_| role == Role::Participant),
            staff: Vec::new(),
            registered: Vec::new(),
            of_programme: false,
        };
        if role == Role::Supervisor {
            let theirs = all.iter().filter(|other| other.supervisor == Some(user.id));
            who.staff = theirs.flat_map(named).collect();
        }
        Some(who)
    }

    /// A program that is registered for some kinds of record.
    pub fn program(name: &str, registered: Vec<Kind>) -> Who {
        Who {
            role: Role::Client,
            name: name.to_owned(),
            names: vec![name.to_owned()],
            patient: None,
            staff: Vec::new(),
            registered,
            of_programme: false,
        }
    }

    /// The same program, which works for the programme itself or does not.
    pub fn of_programme(self, of_programme: bool) -> Who {
        Who {
            of_programme,
            ..self
        }
    }

    /// Whether an actor's name is theirs.
    pub fn is(&self, actor: &str) -> bool {
        self.name == actor || self.names.iter().any(|name| name == actor)
    }
}

/// What entries and resources call a user, as lines name them first.
fn named(user: &User) -> Vec<String> {
    let practitioner = user
        .practitioner
        .iter()
        .map(|id| format!("Practitioner/{id}"));
    let patient = user.patient.iter().map(|id| format!("Patient/{id}"));
    practitioner
        .chain(patient)
        .chain([format!("user/{}", user.id)])
        .collect()
}

/// What a verdict says, in sentences.
pub fn words(verdict: &Verdict) -> String {
    let sentences = verdict.reasons.iter().map(|reason| &*reason.sentence);
    sentences.collect::<Vec<_>>().join(" ")
}

/// The error for what may not be done.
pub fn refused(verdict: &Verdict) -> Error {
    Error::new(ErrorKind::Forbidden, words(verdict))
}
