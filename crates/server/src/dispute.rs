//! Disputed entries, between the rules (`casework::dispute`) and the record.
//!
//! What a person says about an entry is a DocumentReference of their record: their own words, linked to
//! the version that they speak of (`context.related`), sealed under their key like the rest. That an
//! answer is owed, by whom and until when, and what became of it, is a Task with the disputed version in
//! `focus`. The Task is written by the programme alone ([`crate::programme::says_governance`]): nobody
//! can answer, or make a dispute go away, through the API. So whoever reads the entry finds both by
//! `_revinclude=Task:focus` and `_revinclude=DocumentReference:related`, and the entry itself is as it was.

use casework::dispute::{Dispute, Refusal, Step, Who};
use desk::User;
use ledger::Expect;
use record::json::{Doc, Value};
use record::reference::Reference;
use record::search::parse_criteria;

use crate::consent::{act::nobody, is_person};
use crate::error::{Error, ErrorKind, left};
use crate::programme::{Actor, Draft, Programme, Search, View, Work};
use crate::sign_in::SignedIn;

pub mod task;

pub use task::Text;

/// The most disputes of one person that a page lists.
const LISTED_MAX: usize = 200;

/// A dispute as the record has it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The Task's id.
    pub id: String,
    /// Its latest version.
    pub version: u32,
    /// The position of each version, oldest first.
    pub positions: Vec<u64>,
    /// What is disputed: type, id and version.
    pub disputed: (String, String, u32),
    /// Whose record it is.
    pub patient: String,
    /// Who owes the answer: a reference, and the name that the Task has for them.
    pub owner: Option<task::Owner>,
    /// Where it stands.
    pub dispute: Dispute,
    /// The ground of a disagreement, by code.
    pub ground: Option<String>,
    /// The version that puts it right.
    pub amended: Option<u32>,
    /// Everything that was written, oldest first.
    pub texts: Vec<Text>,
}

/// All disputes of a person, the newest first.
pub fn of_person(view: &View, patient: &str) -> Result<Vec<Found>, Error> {
    let params = [
        ("patient".to_owned(), patient.to_owned()),
        (
            "code".to_owned(),
            format!("{}|{}", evidence::erasure::GOVERNANCE, task::CODE),
        ),
    ];
    let (criteria, _) = parse_criteria("Task", &params, "");
    let page = view.search(&Search {
        criteria: &criteria,
        count: LISTED_MAX,
        after: None,
        total: false,
    })?;
    let mut found = Vec::with_capacity(page.hits.len());
    for hit in page.hits {
        found.extend(find(view, &hit.id)?);
    }
    found.sort_by_key(|found| std::cmp::Reverse(found.dispute.raised_at));
    Ok(found)
}

/// One dispute; nothing if there is no such Task, or it is something else.
pub fn find(view: &View, id: &str) -> Result<Option<Found>, Error> {
    let mut versions = view.history("Task", id)?;
    versions.reverse();
    let Some(last) = versions.last() else {
        return Ok(None);
    };
    let Ok(doc) = Doc::parse(&last.stored) else {
        return Ok(None);
    };
    let root = doc.root();
    if !task::is_dispute(root) {
        return Ok(None);
    }
    let focus = root.str_at(&["focus", "reference"]).map(Reference::parse);
    let Some(Reference::Relative(focus)) = focus else {
        return Ok(None);
    };
    let Some(patient) = last.person() else {
        return Ok(None);
    };
    let Some(first) = versions.first() else {
        return Ok(None);
    };
    let mut dispute = Dispute {
        raised_at: first.recorded_at.0,
        due: first
            .recorded_at
            .0
            .saturating_add(casework::dispute::ANSWER_DUE),
        extended: false,
        stage: casework::dispute::Stage::Open,
        ended_at: None,
    };
    for version in &versions[1..] {
        if let Some(step) = task::step(&version.stored) {
            dispute.take(&step, version.recorded_at.0);
        }
    }
    let mut texts = Vec::new();
    for (kind, id) in task::texts(root) {
        if let Some(version) = left(view.read("DocumentReference", id))? {
            texts.extend(Text::read(kind, &version));
        }
    }
    Ok(Some(Found {
        id: id.to_owned(),
        version: last.version,
        positions: versions.iter().map(|version| version.position).collect(),
        disputed: (
            focus.kind.to_owned(),
            focus.id.to_owned(),
            focus.version.and_then(|one| one.parse().ok()).unwrap_or(1),
        ),
        patient,
        owner: task::owner(root),
        dispute,
        ground: task::output(root, "ground")
            .and_then(|one| one.str_at(&["valueCode"]).map(str::to_owned)),
        amended: task::output(root, "amended").and_then(|one| {
            let number = one.get("valuePositiveInt")?.as_i64()?;
            u32::try_from(number).ok()
        }),
        texts,
    }))
}

/// Puts a person's account of a version on the record; gives the id of the dispute's Task.
pub async fn raise(
    programme: &Programme,
    user: &SignedIn,
    actor: Actor,
    position: u64,
    text: &str,
) -> Result<String, Error> {
    let (id, account) = (programme.new_id(), programme.new_id());
    let (given, user_) = (id.clone(), user.clone());
    let clock = programme.clock().clone();
    let users = programme.desk().users().map_err(Error::desk)?;
    let text = text.trim().to_owned();
    let decide = move |view: &View| {
        let version = view.at(position)?.ok_or_else(nothing)?;
        let patient = version.person().ok_or_else(nobody)?;
        let now = clock.now().0;
        let owner = owner(view, &users, &patient, now)?;
        let who = who(&user_, &patient, Some(version.actor.as_str()));
        let dispute = Dispute::raise(&who, &text, now).map_err(|r| refused(&r))?;
        let author = author(&who, &patient, &user_);
        let disputed = (version.kind.as_str(), version.id.as_str(), version.version);
        let document = task::document(
            &account, "account", &patient, &author, disputed, None, &text, now,
        );
        let raised = task::Raised {
            id: &id,
            patient: &patient,
            disputed,
            account: &account,
            owner: owner.as_ref(),
        };
        Ok(vec![
            Draft::stored("DocumentReference", &account, Expect::Absent, document)?,
            Draft::ours(
                "Task",
                &id,
                Expect::Absent,
                task::raised(&raised, &dispute, now),
            )?,
        ])
    };
    programme
        .submit(actor, Work::Deferred(Box::new(decide)))
        .await?;
    Ok(given)
}

/// Takes a step, if the rules allow it.
pub async fn take(
    programme: &Programme,
    user: &SignedIn,
    actor: Actor,
    id: &str,
    step: Step,
    text: &str,
) -> Result<(), Error> {
    let document = programme.new_id();
    let (task_id, user_) = (id.to_owned(), user.clone());
    let clock = programme.clock().clone();
    let text = text.trim().to_owned();
    let decide = move |view: &View| {
        let found = find(view, &task_id)?.ok_or_else(nothing)?;
        let (kind, id, version) = &found.disputed;
        // Its line names who recorded it, also if what it says was erased.
        let disputed = view.entry_of(kind, id, *version)?;
        let recorded_by = disputed.as_ref().map(|entry| entry.actor.as_str());
        let who = who(&user_, &found.patient, recorded_by);
        let now = clock.now().0;
        let mut step = step;
        if let Step::Agree { amended } = &mut step {
            // What stands now puts it right, if it is not what was disputed and can be read.
            let stands = left(view.read(kind, id))?.map(|one| one.version);
            *amended = stands.filter(|stands| stands > version);
        }
        let mut dispute = found.dispute.clone();
        dispute
            .decide(&step, &who, &text, now)
            .map_err(|r| refused(&r))?;
        dispute.take(&step, now);
        let stored = view.read("Task", &task_id)?.ok_or_else(nothing)?.stored;
        let written = (!text.is_empty()).then_some(document.as_str());
        let stored = task::stepped(&stored, &step, &dispute, written, now)
            .ok_or_else(|| Error::internal("a stored Task that is not JSON"))?;
        let mut drafts = vec![Draft::ours(
            "Task",
            &task_id,
            Expect::Version(found.version),
            stored,
        )?];
        if !text.is_empty() {
            let account = found.texts.iter().find(|text| text.kind == "account");
            let stored = task::document(
                &document,
                task::kind_of(&step),
                &found.patient,
                &author(&who, &found.patient, &user_),
                (kind, id, *version),
                account.map(|text| text.id.as_str()),
                &text,
                now,
            );
            drafts.push(Draft::stored(
                "DocumentReference",
                &document,
                Expect::Absent,
                stored,
            )?);
        }
        Ok(drafts)
    };
    programme
        .submit(actor, Work::Deferred(Box::new(decide)))
        .await?;
    Ok(())
}

/// What somebody is to a dispute of an entry that an actor recorded.
pub fn who(user: &SignedIn, patient: &str, recorded_by: Option<&str>) -> Who {
    let themself = is_person(user, patient);
    let staff = matches!(
        user.user.role.as_str(),
        "caseworker" | "prescriber" | "supervisor" | "officer"
    );
    Who {
        themself,
        answers: staff,
        wrote_it: recorded_by.is_some_and(|actor| actor == user.actor().name),
        for_person: staff,
    }
}

fn author(who: &Who, patient: &str, user: &SignedIn) -> task::Author {
    let actor = user.actor().name;
    task::Author {
        reference: match who.themself {
            true => format!("Patient/{patient}"),
            false => actor,
        },
        name: user.user.name.clone(),
    }
}

/// Who owes answers: the supervisor of whose case the person is, or else an officer; nobody who can no longer
/// sign in.
fn owner(
    view: &View,
    users: &[User],
    patient: &str,
    now: i64,
) -> Result<Option<task::Owner>, Error> {
    let staff = |reference: &String| {
        let id = reference.strip_prefix("Practitioner/")?;
        let mut all = users.iter();
        all.find(|user| user.practitioner.as_deref() == Some(id))
    };
    let supervisor = |user: &User| {
        let mut all = users.iter().filter(|one| Some(one.id) == user.supervisor);
        all.find(|one| one.role == "supervisor" && !one.disabled)
    };
    let carers = view.related(view.alias(patient))?.caseworkers(now);
    let found = carers.iter().filter_map(staff).find_map(supervisor);
    let officer = || {
        let mut all = users.iter();
        all.find(|user| user.role == "officer" && !user.disabled)
    };
    Ok(found.or_else(officer).map(|user| task::Owner {
        actor: crate::sign_in::actor_name(user),
        name: user.name.clone(),
    }))
}

/// A refusal by the rules, for whoever asked.
pub fn refused(refusal: &Refusal) -> Error {
    let kind = match refusal {
        Refusal::NotThePerson | Refusal::NotStaff | Refusal::OwnDispute | Refusal::OwnEntry => {
            ErrorKind::Forbidden
        }
        _ => ErrorKind::Refused,
    };
    Error::new(kind, casework::sentence(refusal))
}

fn nothing() -> Error {
    Error::new(ErrorKind::NotFound, "The record has no such entry.")
}

/// Whether a resource is the Task of a dispute.
pub fn is_dispute(root: Value<'_>) -> bool {
    task::is_dispute(root)
}
