//! One write of a transaction, wholly prepared on the thread of whoever asks for it.
//!
//! Writing the stored form, reading out what can be searched, and compressing are most of the
//! work of a write; none of it needs the writer.

use index::{Change, Prepared};
use ledger::{Action, Class, Expect, Ledger, Write, Written};
use record::json::{Doc, Value};
use record::time::RecordedAt;

use crate::error::{Error, ErrorKind};
use crate::fhir::scope::Verb;

/// A create, update or deletion that is ready to be committed.
pub struct Draft {
    /// FHIR resource type.
    pub kind: String,
    /// Resource id.
    pub id: String,
    write: Option<Write>,
    prepared: Prepared,
    deleted: bool,
    governance: Governance,
    /// Whether it has a security label.
    labelled: bool,
    /// As what a client asked for it, if it did.
    asked: Option<Verb>,
}

/// How a draft stands to what the programme itself says about its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Governance {
    /// It has nothing to do with it.
    No,
    /// It reads as if the programme said it, and comes from outside.
    Claims,
    /// The programme says it.
    Ours,
}

impl Draft {
    /// A create or update: `resource`, already validated, is stored under `id`; every reference
    /// in it goes through `rewrite`.
    pub fn put(
        id: &str,
        expect: Expect,
        kind: &str,
        resource: Value<'_>,
        rewrite: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<Draft, Error> {
        let stored = record::stored::write(resource, id, rewrite);
        Draft::stored(kind, id, expect, stored)
    }

    /// The same from bytes that are in the stored form already.
    pub fn stored(kind: &str, id: &str, expect: Expect, stored: Vec<u8>) -> Result<Draft, Error> {
        let (prepared, person, therapy, claims, labelled) = {
            // What is indexed is what is stored: references are the rewritten ones.
            let doc = Doc::parse(&stored).map_err(|error| {
                Error::new(
                    ErrorKind::Internal,
                    "The resource could not be stored as it is.",
                )
                .because(error)
            })?;
            let root = doc.root();
            let prepared = index::prepare(kind, &record::search::extract(root));
            (
                prepared,
                record::person::person(root).map(|id| id.to_string()),
                record::sensitivity::is_therapy_note(root),
                says_governance(root),
                root.at(&["meta", "security"]).is_some(),
            )
        };
        let packed = ledger::content::compress(&stored);
        let write = Write {
            kind: kind.to_owned(),
            id: id.to_owned(),
            action: Action::Update,
            expect,
            class: match (&person, therapy) {
                (None, _) => Class::Programme,
                (Some(_), true) => Class::Notes,
                (Some(_), false) => Class::Record,
            },
            person,
            stored,
            packed,
        };
        Ok(Draft {
            kind: kind.to_owned(),
            id: id.to_owned(),
            write: Some(write),
            prepared,
            deleted: false,
            governance: match claims {
                true => Governance::Claims,
                false => Governance::No,
            },
            labelled,
            asked: None,
        })
    }

    /// An act of the programme's own about its record (an erasure, a head map, a restore). It is
    /// sealed under the programme's key, so it outlives the keys of the person whom its entry names.
    pub fn governance(
        kind: &str,
        id: &str,
        expect: Expect,
        stored: Vec<u8>,
        person: Option<&str>,
    ) -> Result<Draft, Error> {
        let mut draft = Draft::stored(kind, id, expect, stored)?;
        if let Some(write) = &mut draft.write {
            write.class = Class::Programme;
            write.person = person.map(str::to_owned);
        }
        draft.governance = Governance::Ours;
        Ok(draft)
    }

    /// What the programme says about a part of somebody's record, such as that an entry is disputed.
    /// It is theirs and goes with their record; but nobody else can say it.
    pub fn ours(kind: &str, id: &str, expect: Expect, stored: Vec<u8>) -> Result<Draft, Error> {
        let mut draft = Draft::stored(kind, id, expect, stored)?;
        draft.governance = Governance::Ours;
        Ok(draft)
    }

    /// A deletion.
    pub fn delete(kind: &str, id: &str, expect: Expect) -> Draft {
        let stored = record::stored::deleted(kind, id);
        let packed = ledger::content::compress(&stored);
        let write = Write {
            kind: kind.to_owned(),
            id: id.to_owned(),
            action: Action::Delete,
            expect,
            person: None,
            class: Class::Programme,
            stored,
            packed,
        };
        Draft {
            kind: kind.to_owned(),
            id: id.to_owned(),
            write: Some(write),
            prepared: index::prepare(kind, &[]),
            deleted: true,
            governance: Governance::No,
            labelled: false,
            asked: Some(Verb::Delete),
        }
    }

    /// The same, asked for by a client as this: FHIR's update makes what is not there yet, too.
    pub fn asked_as(mut self, verb: Verb) -> Draft {
        self.asked = Some(verb);
        self
    }

    /// As what a client asked for it, if it did.
    pub(crate) fn asked(&self) -> Option<Verb> {
        self.asked
    }

    /// Says whose record a deletion is taken from: whoever the deleted version was about.
    pub(crate) fn taken_from(&mut self, person: Option<String>) {
        if let Some(write) = &mut self.write {
            // That there was something is part of the record, even if it was a therapy note.
            write.class = match person {
                None => Class::Programme,
                Some(_) => Class::Record,
            };
            write.person = person;
        }
    }

    /// Whether the programme says it, or somebody else as if it did.
    pub(super) fn says_for_programme(&self) -> Governance {
        self.governance
    }

    /// What it says, unless it deletes or was handed on.
    pub(crate) fn says(&self) -> Option<&[u8]> {
        let write = self.write.as_ref().filter(|_| !self.deleted);
        write.map(|write| write.stored.as_slice())
    }

    /// The id of the Patient whom it is about, if it says so.
    pub(crate) fn person(&self) -> Option<&str> {
        self.write.as_ref()?.person.as_deref()
    }

    /// Whether it is only for something that is there.
    pub(crate) fn must_be_there(&self) -> bool {
        let expect = self.write.as_ref().map(|write| write.expect);
        self.deleted || matches!(expect, Some(Expect::Present | Expect::Version(_)))
    }

    /// Whether it has a security label.
    pub(crate) fn is_labelled(&self) -> bool {
        self.labelled
    }

    /// Whether this is a deletion.
    pub(super) fn is_deletion(&self) -> bool {
        self.deleted
    }

    /// What the ledger writes; there once.
    pub(super) fn take_write(&mut self) -> Option<Write> {
        self.write.take()
    }

    /// What the index is told once it is written.
    pub(super) fn change<'a>(
        &'a self,
        ledger: &Ledger,
        recorded_at: RecordedAt,
        written: &Written,
        last_in_transaction: bool,
    ) -> Change<'a> {
        Change {
            position: written.position,
            recorded_at,
            number: written.number,
            id: ledger.id_in_line(&self.kind, &self.id),
            version: written.version,
            deleted: self.deleted,
            prepared: &self.prepared,
            last_in_transaction,
        }
    }
}

/// The kinds of which some are the programme's own words about its record.
pub(super) const GOVERNANCE_KINDS: [&str; 6] = [
    "AuditEvent",
    "Basic",
    "Communication",
    "DocumentReference",
    "Provenance",
    "Task",
];

/// Whether a resource has one of the codes of what the programme does about its own record.
pub fn says_governance(root: Value<'_>) -> bool {
    let kind = root.str_at(&["resourceType"]).unwrap_or_default();
    let has = |concept: Value<'_>| {
        let coded = concept.get("coding").into_iter().flat_map(Value::items);
        let plain = concept.str_at(&["system"]);
        coded
            .filter_map(|coding| coding.str_at(&["system"]))
            .chain(plain)
            .any(|system| system == evidence::erasure::GOVERNANCE)
    };
    GOVERNANCE_KINDS.contains(&kind)
        && ["activity", "code", "category", "type", "subtype"]
            .into_iter()
            .filter_map(|name| root.get(name))
            .any(|value| match value.is_array() {
                true => value.items().any(has),
                false => has(value),
            })
}
