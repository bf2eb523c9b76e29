//! Delegations, between the rules (`casework::delegation`) and the record that they are entries of.
//!
//! They are entries of the programme and of nobody's chain: who covers for whom is about the staff. Who
//! looked at a person, and that it was under a delegation, is on the access log.

use std::collections::BTreeSet;

use casework::break_glass::ROLES;
use casework::delegation::{Cover, Delegation, Facts, Refusal, Step, Taken, Who};
use desk::User;
use record::search::parse_criteria;

use crate::error::{Error, ErrorKind};
use crate::governing;
use crate::programme::{
    Actor, AsOf, Committed, Draft, Expect, Programme, Search, Version, View, Work,
};
use crate::sign_in::actor_name;

pub mod task;

/// The code of its Task among what a programme does about its own record.
pub const DELEGATION: &str = "delegation";

/// Under which purpose of use these entries stand: running the programme.
const PURPOSE: &str = "HOPERAT";

/// A delegation as the record has it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The Task's id.
    pub id: String,
    /// Its latest version.
    pub version: u32,
    /// The position of each version, oldest first.
    pub positions: Vec<u64>,
    /// Where it stands.
    pub delegation: Delegation,
}

impl Found {
    /// From the versions of a Task, oldest first. Nothing if they are not a delegation's.
    pub fn of(versions: &[Version]) -> Option<Found> {
        let first = versions.first()?;
        let mut taken: Vec<Taken> = Vec::new();
        for version in versions {
            taken.push(Taken {
                step: task::step(&version.stored)?,
                who: Who {
                    actor: version.actor.clone(),
                    supervises: false,
                },
                recorded_at: version.recorded_at.0,
            });
        }
        Some(Found {
            id: first.id.clone(),
            version: versions.last()?.version,
            positions: versions.iter().map(|version| version.position).collect(),
            delegation: Delegation::of(&taken)?,
        })
    }
}

/// One of them; nothing if there is no such Task, or it is something else.
pub fn find(view: &View, id: &str) -> Result<Option<Found>, Error> {
    let versions = governing::task(view, id, DELEGATION)?;
    Ok(versions.and_then(|versions| Found::of(&versions)))
}

/// All of them, the newest first.
pub fn all(view: &View) -> Result<Vec<Found>, Error> {
    let tasks = governing::tasks(view, DELEGATION, None)?;
    let mut found: Vec<Found> = tasks.iter().filter_map(|one| Found::of(one)).collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.delegation.entered_at));
    Ok(found)
}

/// Hands people over; gives the id of the Task. `persons` of the cover are aliases.
pub async fn enter(programme: &Programme, user: &User, cover: Cover) -> Result<String, Error> {
    let users = programme.desk().users().map_err(Error::desk)?;
    let named = |actor: &str| users.iter().find(|one| actor_name(one) == actor);
    let delegate_cares = named(&cover.delegate)
        .is_some_and(|one| ROLES.contains(&one.role.as_str()) && !one.disabled);
    let who = Who {
        actor: actor_name(user),
        supervises: named(&cover.owner).is_some_and(|one| one.supervisor == Some(user.id)),
    };
    let id = programme.new_id();
    let (task_id, clock) = (id.clone(), programme.clock().clone());
    let ledger = programme.ledger().clone();
    let decide = move |view: &View| {
        let own = caseload(view, &cover.owner)?;
        let facts = Facts {
            delegate_cares,
            own: own
                .iter()
                .map(|patient| ledger.person(patient).to_string())
                .collect(),
        };
        let delegation = Delegation::enter(cover, &who, &facts, clock.now().0)
            .map_err(|refusal| refused(&refusal))?;
        let stored = task::write(&task_id, &delegation);
        let draft = Draft::governance("Task", &task_id, Expect::Absent, stored, None)?;
        Ok(vec![draft])
    };
    programme
        .submit(actor(user), Work::Deferred(Box::new(decide)))
        .await?;
    Ok(id)
}

/// Ends one before its time.
pub async fn end(programme: &Programme, user: &User, id: &str) -> Result<Committed, Error> {
    let found = known(&programme.view(AsOf::Now), id)?;
    let users = programme.desk().users().map_err(Error::desk)?;
    let owner = users
        .iter()
        .find(|one| actor_name(one) == found.delegation.cover.owner);
    let who = Who {
        actor: actor_name(user),
        supervises: owner.is_some_and(|one| one.supervisor == Some(user.id)),
    };
    let (task_id, clock) = (id.to_owned(), programme.clock().clone());
    let decide = move |view: &View| {
        let mut found = known(view, &task_id)?;
        let now = clock.now().0;
        let decided = found.delegation.decide(&Step::End, &who, now);
        decided.map_err(|refusal| refused(&refusal))?;
        found.delegation.take(Step::End, &who, now);
        let stored = task::write(&task_id, &found.delegation);
        let expect = Expect::Version(found.version);
        let draft = Draft::governance("Task", &task_id, expect, stored, None)?;
        Ok(vec![draft])
    };
    programme
        .submit(actor(user), Work::Deferred(Box::new(decide)))
        .await
}

fn known(view: &View, id: &str) -> Result<Found, Error> {
    find(view, id)?.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "There is no such delegation in the record. All of them are under Cover.",
        )
    })
}

fn actor(user: &User) -> Actor {
    Actor {
        name: actor_name(user),
        purpose: PURPOSE.to_owned(),
    }
}

/// The ids of everybody on somebody's own caseload: whose doctor or counsellor they are, and whose
/// episode of care they manage while it is under way.
pub fn caseload(view: &View, owner: &str) -> Result<BTreeSet<String>, Error> {
    let mut patients = BTreeSet::new();
    for (kind, name) in [
        ("Patient", "general-practitioner"),
        ("EpisodeOfCare", "care-manager"),
    ] {
        let params = [(name.to_owned(), owner.to_owned())];
        let (criteria, _) = parse_criteria(kind, &params, "");
        let mut after = None;
        loop {
            let page = view.search(&Search {
                criteria: &criteria,
                count: 1_000,
                after,
                total: false,
            })?;
            for version in page.hits {
                if kind == "Patient" || is_under_way(&version) {
                    patients.extend(version.person());
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(patients)
}

fn is_under_way(episode: &Version) -> bool {
    record::json::Doc::parse(&episode.stored).is_ok_and(|doc| {
        matches!(
            doc.root().str_at(&["status"]),
            Some("planned" | "waitlist" | "active" | "onhold")
        )
    })
}

/// A refusal by the rules, for whoever asked.
pub(crate) fn refused(refusal: &Refusal) -> Error {
    let kind = match refusal {
        Refusal::NotYours | Refusal::NotTheirOwn { .. } | Refusal::NotConcerned => {
            ErrorKind::Forbidden
        }
        _ => ErrorKind::Refused,
    };
    Error::new(kind, refusal.sentence())
}
