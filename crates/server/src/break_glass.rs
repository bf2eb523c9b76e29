//! Break-glass, between the rules (`casework::break_glass`) and the record that its steps are entries
//! of. The Task lies in the chain of the person whose record is opened: they see who opened it, when,
//! why, and what the supervisor said, and an export has it.

use casework::break_glass::{
    self as rules, BreakGlass, Opening, Refusal, Step, Taken, Unlawful, Who,
};
use casework::proceeding::Proceeding as _;
use desk::User;
use ledger::Alias;

use crate::erasure::person;
use crate::error::{Error, ErrorKind};
use crate::governing;
use crate::programme::{Actor, Committed, Draft, Expect, Programme, Version, View, Work};
use crate::sign_in::actor_name;

pub mod task;

/// The code of its Task among what a programme does about its own record.
pub const BREAK_GLASS: &str = "break-glass";

/// Under which purpose of use a review stands: running the programme.
const REVIEW_PURPOSE: &str = "HOPERAT";

/// A break-glass as the record has it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The Task's id.
    pub id: String,
    /// Its latest version.
    pub version: u32,
    /// The position of each version, oldest first.
    pub positions: Vec<u64>,
    /// Where it stands.
    pub broken: BreakGlass,
    /// Steps that the rules would have refused.
    pub unlawful: Vec<Unlawful>,
}

impl Found {
    /// From the versions of a Task, oldest first. Nothing if they are not a break-glass's.
    pub fn of(versions: &[Version]) -> Option<Found> {
        let mut taken: Vec<Taken> = Vec::new();
        let first = versions.first()?;
        for version in versions {
            taken.push(Taken {
                step: task::step(&version.stored)?,
                who: Who {
                    actor: version.actor.clone(),
                    // What they were at the desk then is not on the record; that they did not
                    // review their own is.
                    cares: true,
                    reviews: true,
                    themself: false,
                },
                recorded_at: version.recorded_at.0,
            });
        }
        let (broken, unlawful) = rules::review(&taken)?;
        Some(Found {
            id: first.id.clone(),
            version: versions.last()?.version,
            positions: versions.iter().map(|version| version.position).collect(),
            broken,
            unlawful,
        })
    }

    /// Whose record it opens.
    pub fn alias(&self) -> Option<Alias> {
        Alias::parse(&self.broken.opening.person)
    }
}

/// One of them; nothing if there is no such Task, or it is something else.
pub fn find(view: &View, id: &str) -> Result<Option<Found>, Error> {
    let versions = governing::task(view, id, BREAK_GLASS)?;
    Ok(versions.and_then(|versions| Found::of(&versions)))
}

/// All of them, the newest first; of one person, if an alias is given.
pub fn all(view: &View, person: Option<Alias>) -> Result<Vec<Found>, Error> {
    let tasks = governing::tasks(view, BREAK_GLASS, person)?;
    let mut found: Vec<Found> = tasks.iter().filter_map(|one| Found::of(one)).collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.broken.from));
    Ok(found)
}

/// Opens a person's record; gives the id of the Task.
pub async fn open(
    programme: &Programme,
    user: &User,
    patient: &str,
    opening: Opening,
) -> Result<String, Error> {
    let id = programme.new_id();
    let alias = programme.ledger().person(patient);
    let opening = Opening {
        person: alias.to_string(),
        why: opening.why.trim().to_owned(),
        ..opening
    };
    let actor = Actor {
        name: actor_name(user),
        purpose: rules::PURPOSE.to_owned(),
    };
    let (task_id, patient, user) = (id.clone(), patient.to_owned(), user.clone());
    let clock = programme.clock().clone();
    let decide = move |view: &View| {
        let version = view.read("Patient", &patient)?;
        let Some(version) = version.filter(|version| !version.deleted) else {
            return Err(Error::new(
                ErrorKind::NotFound,
                "There is no such person in the record. Look for them by name under Find.",
            ));
        };
        let now = clock.now().0;
        let who = Who {
            actor: actor_name(&user),
            cares: rules::ROLES.contains(&user.role.as_str()),
            reviews: false,
            themself: person::is_user(view, &user, &version.stored)?,
        };
        let lasts = |other: &Found| other.broken.reader == who.actor && other.broken.lasts(now);
        if all(view, Some(alias))?.iter().any(lasts) {
            return Err(refused(&Refusal::OneLasts));
        }
        says_nothing_of(view, &patient, &opening.why)?;
        let broken = BreakGlass::open(opening, &who, now).map_err(|refusal| refused(&refusal))?;
        let stored = task::write(&task_id, &broken);
        let draft = crate::erasure::governance("Task", &task_id, Expect::Absent, stored, alias)?;
        Ok(vec![draft])
    };
    programme
        .submit(actor, Work::Deferred(Box::new(decide)))
        .await?;
    Ok(id)
}

/// Ends one, or reviews it.
pub async fn take(
    programme: &Programme,
    user: &User,
    id: &str,
    step: Step,
) -> Result<Committed, Error> {
    let actor = Actor {
        name: actor_name(user),
        purpose: REVIEW_PURPOSE.to_owned(),
    };
    let found = known(&programme.view(crate::programme::AsOf::Now), id)?;
    let reviews = supervises(programme, user, &found.broken.reader)?;
    let (task_id, user) = (id.to_owned(), user.clone());
    let clock = programme.clock().clone();
    let decide = move |view: &View| {
        let mut found = known(view, &task_id)?;
        let alias = found
            .alias()
            .ok_or_else(|| Error::internal("a break-glass without a person"))?;
        let patient = person::id(view, &format!("~{alias}"))?;
        let stored = match &patient {
            Some(patient) => view.read("Patient", patient)?.map(|version| version.stored),
            None => None,
        };
        let who = Who {
            actor: actor_name(&user),
            cares: rules::ROLES.contains(&user.role.as_str()),
            reviews,
            themself: person::is_user(view, &user, stored.as_deref().unwrap_or_default())?,
        };
        let now = clock.now().0;
        let decided = found.broken.decide(&step, &who, now);
        decided.map_err(|refusal| refused(&refusal))?;
        if let (Some(patient), Some(text)) = (&patient, step.text()) {
            says_nothing_of(view, patient, text)?;
        }
        found.broken.take(step, &who, now);
        let stored = task::write(&task_id, &found.broken);
        let expect = Expect::Version(found.version);
        let draft: Draft = crate::erasure::governance("Task", &task_id, expect, stored, alias)?;
        Ok(vec![draft])
    };
    programme
        .submit(actor, Work::Deferred(Box::new(decide)))
        .await
}

fn known(view: &View, id: &str) -> Result<Found, Error> {
    find(view, id)?.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "There is no such break-glass in the record.",
        )
    })
}

/// Whether a user judges what an actor does: as the supervisor whom the desk names for them, or, where
/// it names none, as an officer.
pub fn supervises(programme: &Programme, user: &User, actor: &str) -> Result<bool, Error> {
    let all = programme.desk().users().map_err(Error::desk)?;
    let of = all.iter().find(|one| actor_name(one) == actor);
    Ok(match of.and_then(|one| one.supervisor) {
        Some(supervisor) => supervisor == user.id,
        None => user.role == "officer",
    })
}

fn says_nothing_of(view: &View, patient: &str, text: &str) -> Result<(), Error> {
    let words = person::words(view, patient)?;
    match casework::erasure::says_who(text, words.iter().map(String::as_str)) {
        None => Ok(()),
        Some(_) => Err(refused(&Refusal::SaysWho)),
    }
}

/// A refusal by the rules, for whoever asked.
pub(crate) fn refused(refusal: &Refusal) -> Error {
    let kind = match refusal {
        Refusal::NotForThisRole
        | Refusal::Themself
        | Refusal::NotConcerned
        | Refusal::OwnReview
        | Refusal::NotTheirSupervisor => ErrorKind::Forbidden,
        _ => ErrorKind::Refused,
    };
    Error::new(kind, refusal.sentence())
}
