//! The Task that tells a break-glass: written and read. The reason is its description, what the
//! supervisor found its `statusReason`, so that FHIR's readers show them.

use casework::break_glass::{BreakGlass, Need, Opening, Outcome, Step};
use evidence::erasure::code;
use record::json::Doc;
use serde_json::{Value as Json, json};

use super::BREAK_GLASS;
use crate::governing::{self, part, parts, text};

/// System of its steps.
const STEP: &str = "urn:homecoming:break-glass-step";
/// System of the names of its inputs.
const PART: &str = "urn:homecoming:break-glass";

const SECOND: i64 = 1_000_000;

/// The Task as of the last step, in the stored form.
pub fn write(id: &str, broken: &BreakGlass) -> Vec<u8> {
    let opening = &broken.opening;
    let step = broken.steps.last().map(|taken| &taken.step);
    let code = step.map(Step::code).unwrap_or_default();
    let mut task = governing::begin(id, BREAK_GLASS, STEP, code, broken.task_status());
    task["identifier"] = json!([governing::person(&opening.person)]);
    task["for"] = json!({ "identifier": governing::person(&opening.person) });
    task["description"] = json!(opening.why);
    task["requester"] = governing::actor(&broken.reader);
    if let Some(Step::Review { why, .. }) = step {
        task["statusReason"] = json!({ "text": why });
    }
    let own = |name: &str, kind: &str, value: Json| part(PART, name, kind, value);
    task["input"] = json!([
        own("need", "valueCode", json!(opening.need.code())),
        own(
            "length-seconds",
            "valueInteger",
            json!(opening.length / SECOND)
        ),
    ]);
    task.to_string().into_bytes()
}

/// The step that a stored version of the Task is; nothing if it does not read.
pub fn step(stored: &[u8]) -> Option<Step> {
    let doc = Doc::parse(stored).ok()?;
    let task = doc.root();
    let step = code(task.get("businessStatus"), STEP)?;
    if let Some(outcome) = Outcome::ALL.into_iter().find(|one| one.code() == step) {
        return Some(Step::Review {
            outcome,
            why: task.str_at(&["statusReason", "text"])?.to_owned(),
        });
    }
    match step {
        "opened" => {
            let need = text(task, PART, "need", "valueCode")?;
            let seconds = parts(task, PART, "length-seconds", "valueInteger").next()?;
            Some(Step::Open(Opening {
                person: task.str_at(&["for", "identifier", "value"])?.to_owned(),
                need: Need::ALL.into_iter().find(|one| one.code() == need)?,
                why: task.str_at(&["description"])?.to_owned(),
                length: seconds.as_i64()?.checked_mul(SECOND)?,
            }))
        }
        "ended" => Some(Step::End),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use casework::HOUR;
    use casework::break_glass::Who;
    use casework::proceeding::Proceeding as _;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let who = Who {
            actor: "Practitioner/7k2m".into(),
            cares: true,
            reviews: true,
            themself: false,
        };
        for (need, outcome) in Need::ALL.into_iter().zip(Outcome::ALL) {
            let opening = Opening {
                person: "BwcHBwcHBwcHBwcHBwcHBw".into(),
                need,
                why: "Called from the bridge, \u{201c}colleague\u{201d} not reachable".into(),
                length: 2 * HOUR,
            };
            let mut broken = BreakGlass::open(opening, &who, 0).expect("one");
            let review = Step::Review {
                outcome,
                why: "It was".into(),
            };
            for step in [broken.steps[0].step.clone(), Step::End, review] {
                if !matches!(step, Step::Open(_)) {
                    broken.take(step.clone(), &who, HOUR);
                }
                let stored = write("0123456789abcdef", &broken);
                assert_eq!(super::step(&stored), Some(step));
                let doc = Doc::parse(&stored).expect("JSON");
                assert!(crate::programme::says_governance(doc.root()));
                assert_eq!(record::validate::validate(doc.root()), Vec::new());
            }
        }
    }
}
