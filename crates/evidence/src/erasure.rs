//! What an erasure says of itself on the record, as an auditor reads it: the Task that tells it.
//!
//! An erasure is one Task resource, sealed under the programme's key, so that it outlives what it
//! erases; its line names the person by alias. Each version is one step, and who took it and when is
//! in the version's line and nowhere else. The parts that matter to a machine:
//!
//! | where | what |
//! |---|---|
//! | `code.coding` | `urn:homecoming:governance` \| `erasure` |
//! | `identifier` | `urn:homecoming:person` \| the person's alias, 22 characters |
//! | `businessStatus.coding` | `urn:homecoming:erasure-step` \| the step: `requested`, `approved`, `told`, `not-told`, `held`, `released`, `refused`, `withdrawn`, `carrying-out`, `done` |
//! | `input` of type `urn:homecoming:erasure` \| `scope` | `record` or `therapy-notes` |
//! | `input` of type `urn:homecoming:erasure` \| `delay-seconds` | what lies at least between telling the person and carrying it out |
//! | `output` of type `urn:homecoming:erasure` \| ... | from `carrying-out` on: what goes ([`Goes`]) |
//!
//! The step `carrying-out` is recorded before the first key is destroyed, so a destroyed key without
//! it is a fault; `done` repeats what goes, and is recorded when nothing of it is left.

use record::json::{Doc, Value};

use crate::content::KeyName;
use crate::entry::{Alias, hash_from_text, write_hash};

/// System of the codes of what a programme does about its own record.
pub const GOVERNANCE: &str = "urn:homecoming:governance";
/// The code of an erasure, in [`GOVERNANCE`].
pub const ERASURE: &str = "erasure";
/// System of a person's alias as an identifier.
pub const PERSON: &str = "urn:homecoming:person";
/// System of an erasure's steps.
pub const STEP: &str = "urn:homecoming:erasure-step";
/// System of the names of an erasure's inputs and outputs.
pub const PART: &str = "urn:homecoming:erasure";
/// System of the kinds of what goes, in an erasure's outputs.
pub const KIND: &str = "urn:homecoming:erasure-kind";

/// The step that is recorded before the first key is destroyed.
pub const CARRYING_OUT: &str = "carrying-out";
/// The step that is recorded when nothing is left.
pub const DONE: &str = "done";

/// The scope of an erasure of the whole record; the other one is of the therapy notes alone.
pub const RECORD: &str = "record";

/// One version of an erasure's Task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The Task's id.
    pub id: String,
    /// Whose record.
    pub person: Alias,
    /// The step that the version is.
    pub step: String,
    /// How much is erased, by its code.
    pub scope: String,
    /// How long after telling the person it may be carried out, in microseconds.
    pub delay: Option<i64>,
    /// What goes, once it is being carried out.
    pub goes: Option<Goes>,
}

/// What an erasure takes away: contents of entries about the person, under these keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Goes {
    /// Only entries before this position (`below`).
    pub below: u64,
    /// How many entries lose their content (`entries`).
    pub entries: u64,
    /// How many of each kind (a type of the system [`KIND`] each), by name.
    pub kinds: Vec<(String, u64)>,
    /// The keys' slots in the keyring (`key`, one output each), ascending.
    pub slots: Vec<u32>,
    /// The keys' names in the same order (`key-name`, one output each, base64 without padding): whoever has one can tell
    /// which contents lay under that key.
    pub names: Vec<KeyName>,
}

impl Act {
    /// Reads a stored Task; nothing if it is not an erasure's.
    pub fn read(stored: &[u8]) -> Option<Act> {
        let doc = Doc::parse(stored).ok()?;
        let root = doc.root();
        if root.str_at(&["resourceType"]) != Some("Task")
            || code(root.get("code"), GOVERNANCE) != Some(ERASURE)
        {
            return None;
        }
        let alias = items(root, "identifier")
            .find(|identifier| identifier.str_at(&["system"]) == Some(PERSON))?
            .str_at(&["value"])
            .and_then(Alias::parse)?;
        let step = code(root.get("businessStatus"), STEP)?;
        let input = |name: &str| {
            items(root, "input").find(|input| code(input.get("type"), PART) == Some(name))
        };
        let scope = input("scope")?.str_at(&["valueCode"])?;
        let delay = input("delay-seconds")
            .and_then(|input| input.get("valueInteger")?.as_i64())
            .and_then(|seconds| seconds.checked_mul(1_000_000));
        Some(Act {
            id: root.str_at(&["id"])?.to_owned(),
            person: alias,
            step: step.to_owned(),
            scope: scope.to_owned(),
            delay,
            goes: goes(root),
        })
    }
}

impl Goes {
    /// How many of a kind.
    pub fn of_kind(&self, kind: &str) -> u64 {
        let of_it = self.kinds.iter().filter(|(name, _)| name == kind);
        of_it.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

fn goes(root: Value<'_>) -> Option<Goes> {
    let mut goes = Goes::default();
    let mut any = false;
    for output in items(root, "output") {
        let kind = output.get("type");
        let number = || u64::try_from(output.get("valueInteger")?.as_i64()?).ok();
        if let Some(name) = code(kind, KIND) {
            goes.kinds.push((name.to_owned(), number()?));
        }
        match code(kind, PART) {
            Some("below") => goes.below = number()?,
            Some("entries") => {
                goes.entries = number()?;
                any = true;
            }
            Some("key") => goes.slots.push(u32::try_from(number()?).ok()?),
            Some("key-name") => goes.names.push(key_name(output.str_at(&["valueString"])?)?),
            _ => {}
        }
    }
    any.then_some(goes)
}

/// A key's name as an erasure and a restoration write it.
pub fn key_name(text: &str) -> Option<KeyName> {
    hash_from_text(text)
}

/// Writes what [`key_name`] reads.
pub fn key_name_text(name: &KeyName) -> String {
    let mut out = Vec::new();
    write_hash(name, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

fn items<'d>(root: Value<'d>, name: &str) -> impl Iterator<Item = Value<'d>> {
    root.get(name).into_iter().flat_map(Value::items)
}

/// The code that a CodeableConcept has in a system.
pub fn code<'d>(concept: Option<Value<'d>>, system: &str) -> Option<&'d str> {
    concept?
        .get("coding")?
        .items()
        .find(|coding| coding.str_at(&["system"]) == Some(system))?
        .str_at(&["code"])
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONE_TASK: &str = r#"{"resourceType":"Task","id":"0123456789abcdef","identifier":[{"system":"urn:homecoming:person","value":"BwcHBwcHBwcHBwcHBwcHBw"}],"status":"completed","businessStatus":{"coding":[{"system":"urn:homecoming:erasure-step","code":"done"}]},"intent":"order","code":{"coding":[{"system":"urn:homecoming:governance","code":"erasure"}]},"input":[{"type":{"coding":[{"system":"urn:homecoming:erasure","code":"scope"}]},"valueCode":"record"}],"output":[{"type":{"coding":[{"system":"urn:homecoming:erasure","code":"below"}]},"valueInteger":42},{"type":{"coding":[{"system":"urn:homecoming:erasure","code":"entries"}]},"valueInteger":7},{"type":{"coding":[{"system":"urn:homecoming:erasure-kind","code":"Observation"}]},"valueInteger":6},{"type":{"coding":[{"system":"urn:homecoming:erasure-kind","code":"Patient"}]},"valueInteger":1},{"type":{"coding":[{"system":"urn:homecoming:erasure","code":"key"}]},"valueInteger":3},{"type":{"coding":[{"system":"urn:homecoming:erasure","code":"key-name"}]},"valueString":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}]}"#;

    #[test]
    fn a_task_says_what_goes() {
        let act = Act::read(DONE_TASK.as_bytes()).expect("an erasure");
        assert_eq!(act.person, Alias([7; 16]));
        assert_eq!((act.step.as_str(), act.scope.as_str()), (DONE, "record"));
        let goes = Goes {
            below: 42,
            entries: 7,
            kinds: vec![("Observation".into(), 6), ("Patient".into(), 1)],
            slots: vec![3],
            names: vec![[7; 32]],
        };
        assert_eq!(act.goes, Some(goes));
    }

    #[test]
    fn what_is_not_an_erasure_is_not_read_as_one() {
        for (from, to) in [
            ("\"erasure\"}", "\"restore\"}"),
            ("urn:homecoming:governance", "urn:example"),
            ("urn:homecoming:person", "urn:example"),
            ("BwcHBwcHBwcHBwcHBwcHBw", "john-smith"),
            ("\"Task\"", "\"Basic\""),
            ("urn:homecoming:erasure-step", "urn:example"),
            ("\"scope\"", "\"scape\""),
        ] {
            let changed = DONE_TASK.replacen(from, to, 1);
            assert_ne!(changed, DONE_TASK);
            assert_eq!(Act::read(changed.as_bytes()), None, "{from}");
        }
        let open = DONE_TASK.replace("\"entries\"", "\"other\"");
        assert_eq!(Act::read(open.as_bytes()).expect("an erasure").goes, None);
        for (from, to) in [
            (":42}", ":-1}"),
            ("BwcHBwc\"", "BwcHBwB\""),
            ("valueString", "valueCode"),
        ] {
            let wrong = DONE_TASK.replace(from, to);
            assert_ne!(wrong, DONE_TASK);
            assert_eq!(Act::read(wrong.as_bytes()).expect("an erasure").goes, None);
        }
        assert_eq!(key_name(&key_name_text(&[7; 32])), Some([7; 32]));
    }
}
