//! Lawful erasure, between the rules (`casework::erasure`), the record that its steps are entries
//! of, and the writer that carries it out.
//!
//! Everything that is known of an erasure is read from the versions of its Task: who took a step
//! and when is what the version's line says. A step is decided in the writer's thread, when
//! everything before it is recorded, so two officers who click at once get one approval each.

use casework::erasure::{
    self as rules, Erasure, Refusal, Request, Scope, Step, Taken, Unlawful, Who,
};
use casework::proceeding::Proceeding as _;
use desk::User;
use ledger::Alias;
use record::search::parse_criteria;

use crate::error::{Error, ErrorKind};
use crate::programme::{Actor, Committed, Draft, Expect, Programme, Search, Version, View, Work};

pub mod person;
pub mod plan;
pub mod review;
pub mod task;

/// Under which purpose of use these entries stand: HL7's "healthcare legal".
pub const PURPOSE: &str = "HLEGAL";

/// The most erasures that a page lists.
const LISTED_MAX: usize = 500;

/// An erasure as the record has it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The Task's id.
    pub id: String,
    /// Its latest version.
    pub version: u32,
    /// The position of each version, oldest first.
    pub positions: Vec<u64>,
    /// Where it stands.
    pub erasure: Erasure,
    /// Steps that the rules would have refused.
    pub unlawful: Vec<Unlawful>,
    /// What goes, once it is being carried out.
    pub goes: Option<evidence::erasure::Goes>,
}

impl Found {
    /// From the versions of a Task, oldest first: actor, instant, position, stored JSON. Nothing if
    /// they are not an erasure's.
    pub fn of<'v>(
        versions: impl IntoIterator<Item = (&'v str, i64, u64, &'v [u8])>,
        least_delay: i64,
    ) -> Option<Found> {
        let mut taken: Vec<Taken> = Vec::new();
        let mut positions = Vec::new();
        let mut last = None;
        for (actor, recorded_at, position, stored) in versions {
            taken.push(Taken {
                step: task::step(stored)?,
                who: Who {
                    actor: actor.to_owned(),
                    // Only who signs in at the desk acts under such a name, and only officers may.
                    officer: actor.starts_with("user/"),
                    themself: false,
                },
                recorded_at,
            });
            positions.push(position);
            last = evidence::erasure::Act::read(stored);
        }
        let act = last?;
        let (erasure, unlawful) = rules::review(&taken, least_delay)?;
        Some(Found {
            id: act.id,
            version: taken.len() as u32,
            positions,
            erasure,
            unlawful,
            goes: act.goes,
        })
    }

    /// The person, as the ledger takes whoever is left with an alias alone.
    pub fn person(&self) -> String {
        format!("~{}", self.erasure.request.person)
    }

    /// The alias itself.
    pub fn alias(&self) -> Option<Alias> {
        Alias::parse(&self.erasure.request.person)
    }

    /// Whether it can still come to an erasure, or is coming to one.
    pub fn is_open(&self) -> bool {
        use rules::Stage::{CarryingOut, Open};
        matches!(self.erasure.stage, Open | CarryingOut)
    }
}

/// One erasure; nothing if there is no such Task, or it is something else.
pub fn find(view: &View, id: &str, least_delay: i64) -> Result<Option<Found>, Error> {
    let mut versions = view.history("Task", id)?;
    versions.reverse();
    Ok(of_versions(&versions, least_delay))
}

fn of_versions(versions: &[Version], least_delay: i64) -> Option<Found> {
    let each = versions.iter().map(|version| {
        let Version {
            actor,
            recorded_at,
            position,
            stored,
            ..
        } = version;
        (actor.as_str(), recorded_at.0, *position, stored.as_slice())
    });
    Found::of(each, least_delay)
}

/// All erasures, the newest first; of one person, if an alias is given.
pub fn all(view: &View, person: Option<Alias>, least_delay: i64) -> Result<Vec<Found>, Error> {
    let mut params = vec![(
        "code".to_owned(),
        format!(
            "{}|{}",
            evidence::erasure::GOVERNANCE,
            evidence::erasure::ERASURE
        ),
    )];
    if let Some(alias) = person {
        let value = format!("{}|{alias}", evidence::erasure::PERSON);
        params.push(("identifier".to_owned(), value));
    }
    let (criteria, _) = parse_criteria("Task", &params, "");
    let page = view.search(&Search {
        criteria: &criteria,
        count: LISTED_MAX,
        after: None,
        total: false,
    })?;
    let mut found = Vec::new();
    for hit in page.hits {
        found.extend(find(view, &hit.id, least_delay)?);
    }
    found.sort_by_key(|found| std::cmp::Reverse(found.erasure.requested_at));
    Ok(found)
}

/// Asks for an erasure of a person's record; gives the id of its Task.
pub async fn request(
    programme: &Programme,
    user: &User,
    patient: &str,
    scope: Scope,
    basis: Option<rules::Basis>,
    citation: &str,
    examined: bool,
) -> Result<String, Error> {
    let id = programme.new_id();
    let delay = programme.erasure_delay();
    let (least, clock) = (programme.erasure_delay_least(), programme.clock().clone());
    let alias = programme.ledger().person(patient);
    let request = Request {
        person: alias.to_string(),
        scope,
        basis,
        citation: citation.trim().to_owned(),
        examined,
        delay,
    };
    let (task, patient, user) = (id.clone(), patient.to_owned(), user.clone());
    let actor = actor(&user);
    let decide = move |view: &View| {
        let Some(version) = view.read("Patient", &patient)? else {
            return Err(Error::new(
                ErrorKind::NotFound,
                "There is no such person in the record. Look for them by name under Find.",
            ));
        };
        if version.deleted {
            return Err(refused(&Refusal::NothingThere));
        }
        let who = who(view, &user, &version.stored)?;
        let erasure =
            Erasure::begin(request, &who, clock.now().0, least).map_err(|r| refused(&r))?;
        says_nothing_of(view, &patient, &erasure.request.citation)?;
        let earlier = all(view, Some(alias), least)?;
        if earlier.iter().any(Found::is_open) {
            return Err(refused(&Refusal::AnotherIsOpen));
        }
        if plan::of(view, &format!("~{alias}"), scope)?.goes.entries == 0 {
            return Err(refused(&Refusal::NothingThere));
        }
        let stored = task::write(&task, &erasure, None);
        let draft = governance("Task", &task, Expect::Absent, stored, alias)?;
        Ok(vec![draft])
    };
    programme
        .submit(actor, Work::Deferred(Box::new(decide)))
        .await?;
    Ok(id)
}

/// Takes a step, if the rules allow it.
pub async fn take(
    programme: &Programme,
    user: &User,
    id: &str,
    step: Step,
) -> Result<Committed, Error> {
    let actor = actor(user);
    let (least, clock) = (programme.erasure_delay_least(), programme.clock().clone());
    let telling = programme.new_id();
    let (user, task) = (user.clone(), id.to_owned());
    let carries_out = step == Step::CarryOut;
    let decide = move |view: &View| {
        let mut found = lawful(view, &task, least)?;
        let alias = found
            .alias()
            .ok_or_else(|| Error::internal("an erasure without a person"))?;
        let patient = person::id(view, &found.person())?;
        let stored = match &patient {
            Some(patient) => view.read("Patient", patient)?.map(|version| version.stored),
            None => None,
        };
        let who = who(view, &user, stored.as_deref().unwrap_or_default())?;
        let now = clock.now().0;
        let erasure = &mut found.erasure;
        erasure.decide(&step, &who, now).map_err(|r| refused(&r))?;
        if let (Some(patient), Some(text)) = (&patient, step.text()) {
            says_nothing_of(view, patient, text)?;
        }
        erasure.take(step.clone(), &who, now);
        let goes = match carries_out {
            true => Some(plan::of(view, &format!("~{alias}"), erasure.request.scope)?.goes),
            false => None,
        };
        let stored = task::write(&task, erasure, goes.as_ref());
        let expect = Expect::Version(found.version);
        let mut drafts = vec![governance("Task", &task, expect, stored, alias)?];
        if let Some(stored) = task::telling(&telling, &task, erasure) {
            let draft = governance("Communication", &telling, Expect::Absent, stored, alias)?;
            drafts.push(draft);
        }
        Ok(drafts)
    };
    let decide = Box::new(decide);
    let work = match carries_out {
        true => Work::Erase(id.to_owned(), decide),
        false => Work::Deferred(decide),
    };
    programme.submit(actor, work).await
}

/// An erasure none of whose steps breaks the rules.
pub fn lawful(view: &View, id: &str, least_delay: i64) -> Result<Found, Error> {
    let found = find(view, id, least_delay)?.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "There is no such erasure in the record.",
        )
    })?;
    match found.unlawful.first() {
        None => Ok(found),
        Some(unlawful) => Err(Error::new(
            ErrorKind::Refused,
            format!(
                "The erasure Task/{id} cannot go on: its {unlawful}. Somebody has put that on the \
                 record past these rules: tell whoever oversees the programme."
            ),
        )),
    }
}

/// A step's draft, with the person in its line.
pub(crate) fn governance(
    kind: &str,
    id: &str,
    expect: Expect,
    stored: Vec<u8>,
    person: Alias,
) -> Result<Draft, Error> {
    Draft::governance(kind, id, expect, stored, Some(&format!("~{person}")))
}

/// Whoever is signed in, as the entries name them.
pub fn actor(user: &User) -> Actor {
    Actor {
        name: format!("user/{}", user.id),
        purpose: PURPOSE.to_owned(),
    }
}

/// A refusal by the rules, for whoever asked.
pub(crate) fn refused(refusal: &Refusal) -> Error {
    let kind = match refusal {
        Refusal::NotAnOfficer | Refusal::Themself => ErrorKind::Forbidden,
        _ => ErrorKind::Refused,
    };
    Error::new(kind, refusal.sentence())
}

fn who(view: &View, user: &User, patient: &[u8]) -> Result<Who, Error> {
    Ok(Who {
        actor: actor(user).name,
        officer: user.role == "officer",
        themself: person::is_user(view, user, patient)?,
    })
}

/// Refuses a text that says who the person is.
fn says_nothing_of(view: &View, patient: &str, text: &str) -> Result<(), Error> {
    let words = person::words(view, patient)?;
    match rules::says_who(text, words.iter().map(String::as_str)) {
        None => Ok(()),
        Some(_) => Err(refused(&Refusal::SaysWho)),
    }
}
