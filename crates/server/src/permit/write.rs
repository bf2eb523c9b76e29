//! Who may write what: every draft of a transaction is decided over before the writer gets it.
//!
//! A write is of what it says, and of what it replaces: whoever moves a note from one person to
//! another must be one who may write in both records. What is not for somebody is to them as if it
//! were not there, here too: it cannot be changed or deleted, because it "does not exist". Only a
//! create under an id that is taken by something hidden has to be refused as what it is.
//!
//! The scopes of a client must allow a write as what it is: who may create everything and delete what is
//! preliminary deletes nothing that is final.

use policy::{Action, Role};
use record::json::{Doc, Value};

use super::{Reader, Thing, refused};
use crate::error::{Error, ErrorKind, left};
use crate::fhir::scope::Verb;
use crate::programme::{Draft, Version, View, Work};

/// The same work, refused if somebody may not make one of its writes. What it looks for while it is
/// decided, it finds with their eyes.
pub fn checked(whole: &View, reader: &Reader, work: Work) -> Result<Work, Error> {
    Ok(match work {
        Work::Ready(drafts) => {
            check(whole, reader, &drafts)?;
            Work::Ready(drafts)
        }
        Work::Deferred(decide) => {
            let reader = reader.clone();
            Work::Deferred(Box::new(move |view: &View| {
                let drafts = decide(&view.clone().seen_by(&reader))?;
                check(view, &reader, &drafts)?;
                Ok(drafts)
            }))
        }
        Work::Erase(..) => {
            return Err(Error::internal(
                "an erasure is decided by its own rules, not here",
            ));
        }
    })
}

/// What an evaluation of somebody is written as.
const EVALUATION: [&str; 4] = [
    "ClinicalImpression",
    "DocumentReference",
    "Observation",
    "QuestionnaireResponse",
];

/// Whether something is a role's own part: an evaluator's evaluation. What participants say
/// themselves, and what they consent to, has pages of its own.
fn is_own_part(reader: &Reader, resource: Value<'_>) -> bool {
    let kind = resource.str_at(&["resourceType"]).unwrap_or_default();
    reader.who().role == Role::Evaluator && EVALUATION.contains(&kind)
}

/// Refuses what somebody may not write.
fn check(whole: &View, reader: &Reader, drafts: &[Draft]) -> Result<(), Error> {
    for draft in drafts {
        if !draft.is_labelled() && whole.is_open(reader, &draft.kind, Action::Write) {
            continue;
        }
        one(whole, reader, draft)?;
    }
    Ok(())
}

fn one(whole: &View, reader: &Reader, draft: &Draft) -> Result<(), Error> {
    let read = whole.read(&draft.kind, &draft.id);
    let erased = matches!(&read, Err(error) if error.kind == ErrorKind::Erased);
    if erased && draft.must_be_there() {
        // To who may not know of the erasure there is nothing here that could be changed.
        match whole.clone().seen_by(reader).read(&draft.kind, &draft.id) {
            Ok(None) => return Err(not_there(draft)),
            Err(error) if error.kind != ErrorKind::Erased => return Err(error),
            Ok(Some(_)) | Err(_) => {}
        }
    }
    let last = left(read)?;
    let stands = last.as_ref().is_some_and(|version| !version.deleted);
    let verb = draft.asked().unwrap_or(match stands {
        true => Verb::Update,
        false => Verb::Create,
    });
    let before = match last {
        // A deletion says nothing: it is as sensitive as what was deleted. Nor does what was erased: then it is what
        // is left that is replaced.
        Some(version) if version.deleted => whole.says_last(&draft.kind, &draft.id)?,
        None if erased => whole.says_last(&draft.kind, &draft.id)?,
        other => other,
    };
    if let Some(stored) = draft.says() {
        let doc = Doc::parse(stored).map_err(Error::internal)?;
        let thing = Thing {
            about: draft.person().map(|id| whole.alias(id)),
            own_part: is_own_part(reader, doc.root()),
            verb: Some(verb),
            ..Thing::from(doc.root())
        };
        let verdict = whole.decide(reader, Action::Write, &thing)?;
        if !verdict.allowed {
            return Err(refused(&verdict));
        }
    }
    // What must be there and is not, the writer refuses.
    let Some(before) = before else {
        return Ok(());
    };
    let doc = Doc::parse(&before.stored).map_err(Error::internal)?;
    let own_part = reader.is(&before.actor) && is_own_part(reader, doc.root());
    let thing = of(
        &before,
        Thing {
            own_part,
            verb: Some(verb),
            ..Thing::from(doc.root())
        },
    );
    let verdict = whole.decide(reader, Action::Write, &thing)?;
    if verdict.allowed {
        return Ok(());
    }
    let thing = Thing {
        verb: None,
        ..thing
    };
    let seen = whole.decide(reader, Action::Read, &thing)?.allowed;
    if !seen && draft.must_be_there() {
        return Err(not_there(draft));
    }
    Err(refused(&verdict))
}

/// The error for what cannot be changed because, to whoever writes, it is not there.
fn not_there(draft: &Draft) -> Error {
    let (kind, id) = (&draft.kind, &draft.id);
    Error::new(
        ErrorKind::NotFound,
        format!("{kind}/{id} does not exist, so it cannot be changed."),
    )
}

fn of<'a>(version: &'a Version, thing: Thing<'a>) -> Thing<'a> {
    Thing {
        about: version.about,
        author: &version.actor,
        ..thing
    }
}
