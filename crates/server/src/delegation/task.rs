//! The Task that tells a delegation: written and read.

use casework::delegation::{Cover, Delegation, Step, Whose};
use evidence::erasure::code;
use record::json::Doc;
use serde_json::{Value as Json, json};

use super::DELEGATION;
use crate::governing::{self, actor_at, part, parts, period_at};

/// System of its steps.
const STEP: &str = "urn:homecoming:delegation-step";
/// System of the names of its inputs.
const PART: &str = "urn:homecoming:delegation";

/// The Task as of the last step, in the stored form.
pub fn write(id: &str, delegation: &Delegation) -> Vec<u8> {
    let cover = &delegation.cover;
    let step = delegation.steps.last().map(|taken| taken.step.code());
    let step = step.unwrap_or_default();
    let mut task = governing::begin(id, DELEGATION, STEP, step, delegation.task_status());
    task["description"] = json!(cover.why);
    task["requester"] = governing::actor(&cover.owner);
    task["owner"] = governing::actor(&cover.delegate);
    task["restriction"] = json!({ "period": governing::period(cover.from, cover.until) });
    let own = |name: &str, kind: &str, value: Json| part(PART, name, kind, value);
    task["input"] = match &cover.whose {
        Whose::All => json!([own("whole-caseload", "valueBoolean", json!(true))]),
        Whose::Named(named) => named
            .iter()
            .map(|alias| own("person", "valueIdentifier", governing::person(alias)))
            .collect(),
    };
    task.to_string().into_bytes()
}

/// The step that a stored version of the Task is; nothing if it does not read.
pub fn step(stored: &[u8]) -> Option<Step> {
    let doc = Doc::parse(stored).ok()?;
    let task = doc.root();
    match code(task.get("businessStatus"), STEP)? {
        "entered" => {
            let (from, until) = period_at(task.at(&["restriction", "period"])?)?;
            let all = parts(task, PART, "whole-caseload", "valueBoolean").next();
            let named = parts(task, PART, "person", "valueIdentifier")
                .map(|one| Some(one.str_at(&["value"])?.to_owned()))
                .collect::<Option<Vec<String>>>()?;
            Some(Step::Enter(Cover {
                owner: actor_at(task, "requester")?.to_owned(),
                delegate: actor_at(task, "owner")?.to_owned(),
                whose: match all.and_then(|all| all.as_bool()) {
                    Some(true) => Whose::All,
                    _ => Whose::Named(named),
                },
                from,
                until,
                why: task.str_at(&["description"])?.to_owned(),
            }))
        }
        "ended" => Some(Step::End),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use casework::DAY;
    use casework::delegation::{Facts, Who};

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let alias = "BwcHBwcHBwcHBwcHBwcHBw".to_owned();
        let facts = Facts {
            delegate_cares: true,
            own: BTreeSet::from([alias.clone()]),
        };
        let who = Who {
            actor: "Practitioner/7k2m".into(),
            supervises: false,
        };
        for whose in [Whose::All, Whose::Named(vec![alias])] {
            let cover = Cover {
                owner: "Practitioner/7k2m".into(),
                delegate: "Practitioner/9x8y".into(),
                whose,
                from: DAY,
                until: 15 * DAY,
                why: "Annual leave".into(),
            };
            let mut delegation =
                Delegation::enter(cover.clone(), &who, &facts, 0).expect("a delegation");
            for step in [Step::Enter(cover), Step::End] {
                if step == Step::End {
                    delegation.take(Step::End, &who, 2 * DAY);
                }
                let stored = write("0123456789abcdef", &delegation);
                assert_eq!(super::step(&stored), Some(step));
                let doc = Doc::parse(&stored).expect("JSON");
                assert!(crate::programme::says_governance(doc.root()));
                assert_eq!(record::validate::validate(doc.root()), Vec::new());
            }
        }
    }
}
