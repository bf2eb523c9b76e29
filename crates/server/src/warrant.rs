//! Warrants, between the rules (`casework::warrant`), the record that they are entries of, and the
//! notices by which the persons whom they name are told.
//!
//! What is known of a warrant is read from the versions of its Task. Entering and revoking are decided
//! in the writer's thread. Notices that are due are written with the step that makes them due, or, when
//! a warrant defers them, by the programme itself ([`notice::due`]), which asks again each time and
//! writes only what is missing: stopped anywhere, it goes on from what is on the record.

use std::sync::Arc;

use casework::proceeding::Proceeding as _;
use casework::warrant::{self as rules, Order, Refusal, Step, Taken, Unlawful, Warrant, Who};
use desk::User;
use ledger::Alias;

use crate::erasure::person;
use crate::error::{Error, ErrorKind};
use crate::governing;
use crate::programme::{Actor, Committed, Draft, Expect, Programme, Version, View, Work};

pub mod notice;
pub mod task;

/// The code of its Task among what a programme does about its own record.
pub const WARRANT: &str = "warrant";

/// Under which purpose of use these entries stand: HL7's "healthcare legal".
pub const PURPOSE: &str = "HLEGAL";

/// The largest scan of a paper, in bytes.
pub const SCAN_BYTES_MAX: usize = 8 << 20;

/// A warrant as the record has it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The Task's id.
    pub id: String,
    /// Its latest version.
    pub version: u32,
    /// The position of each version, oldest first.
    pub positions: Vec<u64>,
    /// What it says and where it stands.
    pub warrant: Warrant,
    /// Steps that the rules would have refused.
    pub unlawful: Vec<Unlawful>,
    /// The id of the DocumentReference that has the paper's scan.
    pub scan: Option<String>,
}

impl Found {
    /// From the versions of a Task, oldest first. Nothing if they are not a warrant's.
    pub fn of(versions: &[Version]) -> Option<Found> {
        let first = versions.first()?;
        let mut taken: Vec<Taken> = Vec::new();
        for version in versions {
            taken.push(Taken {
                step: task::step(&version.stored)?,
                who: Who {
                    actor: version.actor.clone(),
                    // Only who signs in at the desk acts under such a name, and only officers may.
                    officer: version.actor.starts_with("user/"),
                },
                recorded_at: version.recorded_at.0,
            });
        }
        let (warrant, unlawful) = rules::review(&taken)?;
        Some(Found {
            id: first.id.clone(),
            version: versions.last()?.version,
            positions: versions.iter().map(|version| version.position).collect(),
            warrant,
            unlawful,
            scan: task::scan(&first.stored),
        })
    }

    /// Whom it names; nobody in particular if it is about everybody.
    pub fn aliases(&self) -> Vec<Alias> {
        match &self.warrant.order.persons {
            rules::Persons::All => Vec::new(),
            rules::Persons::Named(named) => {
                named.iter().filter_map(|one| Alias::parse(one)).collect()
            }
        }
    }
}

/// One warrant; nothing if there is no such Task, or it is something else.
pub fn find(view: &View, id: &str) -> Result<Option<Found>, Error> {
    let versions = governing::task(view, id, WARRANT)?;
    Ok(versions.and_then(|versions| Found::of(&versions)))
}

/// All warrants, the newest first.
pub fn all(view: &View) -> Result<Vec<Found>, Error> {
    let tasks = governing::tasks(view, WARRANT, None)?;
    let mut found: Vec<Found> = tasks.iter().filter_map(|one| Found::of(one)).collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.warrant.entered_at));
    Ok(found)
}

/// A paper's scan, as it is uploaded.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Its media type.
    pub media_type: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Enters a warrant and tells whoever is to be told at once; gives the id of its Task.
pub async fn enter(
    programme: &Programme,
    user: &User,
    order: Order,
    scan: Option<Scan>,
) -> Result<String, Error> {
    let who = who(user);
    let id = programme.new_id();
    let document = scan.as_ref().map(|_| programme.new_id());
    let (task_id, clock) = (id.clone(), programme.clock().clone());
    let name = programme.name().to_owned();
    let actor = actor(user);
    let decide = move |view: &View| {
        let now = clock.now().0;
        let warrant = Warrant::enter(order, &who, now).map_err(|refusal| refused(&refusal))?;
        names_known(view, &warrant)?;
        if all(view)?.iter().any(|other| is_same(other, &warrant, now)) {
            return Err(refused(&Refusal::SamePaper));
        }
        let stored = task::write(&task_id, &warrant, document.as_deref());
        let mut drafts = vec![governance("Task", &task_id, Expect::Absent, stored)?];
        if let (Some(scan), Some(document)) = (&scan, &document) {
            let stored = task::document(document, &task_id, &warrant, scan);
            let kind = "DocumentReference";
            drafts.push(governance(kind, document, Expect::Absent, stored)?);
        }
        if warrant.notice_due() <= now {
            drafts.extend(notice::drafts(&name, view, &task_id, &warrant, now)?);
        }
        Ok(drafts)
    };
    programme
        .submit(actor, Work::Deferred(Box::new(decide)))
        .await?;
    Ok(id)
}

/// Revokes one, at once.
pub async fn revoke(
    programme: &Programme,
    user: &User,
    id: &str,
    why: &str,
) -> Result<Committed, Error> {
    let who = who(user);
    let step = Step::Revoke {
        why: why.trim().to_owned(),
    };
    let (task_id, clock) = (id.to_owned(), programme.clock().clone());
    let name = programme.name().to_owned();
    let actor = actor(user);
    let decide = move |view: &View| {
        let now = clock.now().0;
        let mut found = lawful(view, &task_id)?;
        let decided = found.warrant.decide(&step, &who, now);
        decided.map_err(|refusal| refused(&refusal))?;
        says_nobody(view, &found, why_of(&step))?;
        found.warrant.take(step, &who, now);
        let stored = task::write(&task_id, &found.warrant, found.scan.as_deref());
        let expect = Expect::Version(found.version);
        let mut drafts = vec![governance("Task", &task_id, expect, stored)?];
        if found.warrant.notice_due() <= now {
            let warrant = &found.warrant;
            drafts.extend(notice::drafts(&name, view, &task_id, warrant, now)?);
        }
        Ok(drafts)
    };
    programme
        .submit(actor, Work::Deferred(Box::new(decide)))
        .await
}

fn why_of(step: &Step) -> &str {
    match step {
        Step::Revoke { why } => why,
        Step::Enter(_) => "",
    }
}

/// A warrant none of whose steps breaks the rules.
pub fn lawful(view: &View, id: &str) -> Result<Found, Error> {
    let found = find(view, id)?.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "There is no such warrant in the record. All of them are under Warrants.",
        )
    })?;
    match found.unlawful.first() {
        None => Ok(found),
        Some(unlawful) => Err(Error::new(
            ErrorKind::Refused,
            format!(
                "The warrant Task/{id} opens nothing and cannot go on: its {unlawful}. Somebody \
                 has put that on the record past these rules: tell whoever oversees the programme."
            ),
        )),
    }
}

/// Whoever is signed in, as the entries of warrants name them: always as a user, never as a member of
/// the staff who care for people.
pub fn actor(user: &User) -> Actor {
    Actor {
        name: format!("user/{}", user.id),
        purpose: PURPOSE.to_owned(),
    }
}

fn who(user: &User) -> Who {
    Who {
        actor: actor(user).name,
        officer: user.role == "officer",
    }
}

/// Whether another warrant stands on the same paper for the same inspector.
fn is_same(other: &Found, warrant: &Warrant, now: i64) -> bool {
    let (one, two) = (&other.warrant.order, &warrant.order);
    one.paper == two.paper && one.inspector == two.inspector && other.warrant.end() > now
}

/// Refuses a warrant about somebody whom the record does not know, or whose texts say who they are.
fn names_known(view: &View, warrant: &Warrant) -> Result<(), Error> {
    let order = &warrant.order;
    let mut texts = vec![order.issuer.as_str(), order.number.as_str()];
    if let rules::Notice::At { why, .. } | rules::Notice::AtTheEnd { why } = &order.notice {
        texts.push(why);
    }
    let rules::Persons::Named(named) = &order.persons else {
        return Ok(());
    };
    for alias in named {
        let Some(patient) = person::id(view, &format!("~{alias}"))? else {
            return Err(Error::new(
                ErrorKind::NotFound,
                "One of the persons is not in the record. Look for them by name under Find, and take \
                 the id from their page's address.",
            ));
        };
        let words = person::words(view, &patient)?;
        let words = || words.iter().map(String::as_str);
        if texts
            .iter()
            .any(|text| casework::erasure::says_who(text, words()).is_some())
        {
            return Err(refused(&Refusal::SaysWho));
        }
    }
    Ok(())
}

fn says_nobody(view: &View, found: &Found, text: &str) -> Result<(), Error> {
    for alias in found.aliases() {
        let Some(patient) = person::id(view, &format!("~{alias}"))? else {
            continue;
        };
        let words = person::words(view, &patient)?;
        if casework::erasure::says_who(text, words.iter().map(String::as_str)).is_some() {
            return Err(refused(&Refusal::SaysWho));
        }
    }
    Ok(())
}

/// An entry of the programme, about nobody in particular.
fn governance(kind: &str, id: &str, expect: Expect, stored: Vec<u8>) -> Result<Draft, Error> {
    Draft::governance(kind, id, expect, stored, None)
}

/// A refusal by the rules, for whoever asked.
pub(crate) fn refused(refusal: &Refusal) -> Error {
    let kind = match refusal {
        Refusal::NotAnOfficer | Refusal::OwnWarrant => ErrorKind::Forbidden,
        _ => ErrorKind::Refused,
    };
    Error::new(kind, refusal.sentence())
}

/// The warrants of those found that the rules allow.
pub fn of_rules(found: Vec<Found>) -> Vec<(Arc<str>, Warrant)> {
    let lawful = found.into_iter().filter(|found| {
        if !found.unlawful.is_empty() {
            tracing::error!(
                task = found.id,
                "a warrant that breaks the rules opens nothing"
            );
        }
        found.unlawful.is_empty()
    });
    lawful
        .map(|found| (found.id.into(), found.warrant))
        .collect()
}
