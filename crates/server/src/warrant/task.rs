//! The Task that tells a warrant, and the DocumentReference that has its paper: written and read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use casework::Span;
use casework::kind::Kind;
use casework::warrant::{Notice, Order, Persons, Step, Warrant};
use evidence::erasure::{GOVERNANCE, code};
use record::json::{Doc, Value};
use record::time::RecordedAt;
use serde_json::{Value as Json, json};

use super::{Scan, WARRANT};
use crate::governing::{self, actor_at, coded, part, parts, period_at, text};

/// System of a warrant's steps.
const STEP: &str = "urn:homecoming:warrant-step";
/// System of the names of its inputs.
const PART: &str = "urn:homecoming:warrant";

/// The Task as of a warrant's last step, in the stored form.
pub fn write(id: &str, warrant: &Warrant, scan: Option<&str>) -> Vec<u8> {
    let order = &warrant.order;
    let step = warrant.steps.last().map(|taken| &taken.step);
    let code = step.map(Step::code).unwrap_or_default();
    let mut task = governing::begin(id, WARRANT, STEP, code, warrant.task_status());
    if let Some(Step::Revoke { why }) = step {
        task["statusReason"] = json!({ "text": why });
    }
    task["owner"] = governing::actor(&order.inspector);
    task["restriction"] = json!({ "period": governing::period(order.from, order.until) });
    let own = |name: &str, kind: &str, value: Json| part(PART, name, kind, value);
    let mut input = vec![
        own("issuer", "valueString", json!(order.issuer)),
        own("court", "valueBoolean", json!(order.court)),
        own("number", "valueString", json!(order.number)),
    ];
    match &order.persons {
        Persons::All => input.push(own("everybody", "valueBoolean", json!(true))),
        Persons::Named(named) => input.extend(
            named
                .iter()
                .map(|alias| own("person", "valueIdentifier", governing::person(alias))),
        ),
    }
    for kind in &order.kinds {
        input.push(own("kind", "valueCode", json!(kind.code())));
    }
    if let Some(happened) = &order.happened {
        let period = governing::period(happened.start, happened.end);
        input.push(own("happened", "valuePeriod", period));
    }
    input.push(own("notice", "valueCode", json!(order.notice.code())));
    if let Notice::At { instant, .. } = &order.notice {
        let at = json!(RecordedAt(*instant).to_string());
        input.push(own("notice-at", "valueInstant", at));
    }
    if let Notice::At { why, .. } | Notice::AtTheEnd { why } = &order.notice {
        input.push(own("notice-why", "valueString", json!(why)));
    }
    input.push(own("paper-sha256", "valueString", json!(order.paper)));
    if let Some(scan) = scan {
        let reference = json!({ "reference": format!("DocumentReference/{scan}") });
        input.push(own("paper", "valueReference", reference));
    }
    task["input"] = Json::Array(input);
    task.to_string().into_bytes()
}

/// The step that a stored version of the Task is; nothing if it does not read.
pub fn step(stored: &[u8]) -> Option<Step> {
    let doc = Doc::parse(stored).ok()?;
    let task = doc.root();
    match code(task.get("businessStatus"), STEP)? {
        "entered" => Some(Step::Enter(order(task)?)),
        "revoked" => Some(Step::Revoke {
            why: task.str_at(&["statusReason", "text"])?.to_owned(),
        }),
        _ => None,
    }
}

fn order(task: Value<'_>) -> Option<Order> {
    let own = |name, kind| text(task, PART, name, kind);
    let flag = |name| {
        let value = parts(task, PART, name, "valueBoolean").next();
        value.and_then(Value::as_bool).unwrap_or_default()
    };
    let (from, until) = period_at(task.at(&["restriction", "period"])?)?;
    let named = parts(task, PART, "person", "valueIdentifier")
        .map(|one| Some(one.str_at(&["value"])?.to_owned()))
        .collect::<Option<Vec<String>>>()?;
    let kinds = parts(task, PART, "kind", "valueCode")
        .map(|one| Kind::parse(one.as_str()?))
        .collect::<Option<Vec<Kind>>>()?;
    let why = || Some(own("notice-why", "valueString")?.to_owned());
    Some(Order {
        inspector: actor_at(task, "owner")?.to_owned(),
        issuer: own("issuer", "valueString")?.to_owned(),
        court: flag("court"),
        number: own("number", "valueString")?.to_owned(),
        persons: match flag("everybody") {
            true => Persons::All,
            false => Persons::Named(named),
        },
        kinds,
        happened: match parts(task, PART, "happened", "valuePeriod").next() {
            Some(period) => {
                let (start, end) = period_at(period)?;
                Some(Span { start, end })
            }
            None => None,
        },
        from,
        until,
        notice: match own("notice", "valueCode")? {
            "at-once" => Notice::AtOnce,
            "at" => Notice::At {
                instant: RecordedAt::parse(own("notice-at", "valueInstant")?)?.0,
                why: why()?,
            },
            "at-the-end" => Notice::AtTheEnd { why: why()? },
            _ => return None,
        },
        paper: own("paper-sha256", "valueString")?.to_owned(),
    })
}

/// The id of the DocumentReference with the paper's scan.
pub fn scan(stored: &[u8]) -> Option<String> {
    let doc = Doc::parse(stored).ok()?;
    let reference = parts(doc.root(), PART, "paper", "valueReference").next()?;
    let id = reference
        .str_at(&["reference"])?
        .strip_prefix("DocumentReference/")?;
    Some(id.to_owned())
}

/// The DocumentReference that has the paper's scan, in the stored form.
pub fn document(id: &str, task: &str, warrant: &Warrant, scan: &Scan) -> Vec<u8> {
    json!({
        "resourceType": "DocumentReference",
        "id": id,
        "status": "current",
        "category": [coded(GOVERNANCE, WARRANT)],
        "description": format!("The paper of warrant {}", warrant.order.number),
        "content": [{
            "attachment": {
                "contentType": scan.media_type,
                "data": STANDARD.encode(&scan.bytes),
                "size": scan.bytes.len(),
            }
        }],
        "context": { "related": [{ "reference": format!("Task/{task}") }] },
    })
    .to_string()
    .into_bytes()
}

/// Media type and bytes of a scan that is stored.
pub fn scanned(stored: &[u8]) -> Option<Scan> {
    let doc = Doc::parse(stored).ok()?;
    let content = doc.root().get("content")?.items().next()?;
    let attachment = content.get("attachment")?;
    Some(Scan {
        media_type: attachment.str_at(&["contentType"])?.to_owned(),
        bytes: STANDARD.decode(attachment.str_at(&["data"])?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use casework::DAY;
    use casework::proceeding::Proceeding as _;
    use casework::warrant::Who;

    use super::*;

    fn order() -> Order {
        Order {
            inspector: "user/9".into(),
            issuer: "District Court, \"Eastern\" division".into(),
            court: true,
            number: "5:26-mj-117".into(),
            persons: Persons::Named(vec!["BwcHBwcHBwcHBwcHBwcHBw".into()]),
            kinds: vec![Kind::Care, Kind::Sud],
            happened: Some(Span {
                start: 0,
                end: 30 * DAY,
            }),
            from: 100 * DAY,
            until: 130 * DAY,
            notice: Notice::At {
                instant: 140 * DAY,
                why: "Paragraph 4 of the order".into(),
            },
            paper: "0".repeat(64),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let who = Who {
            actor: "user/2".into(),
            officer: true,
        };
        let every = [
            Notice::AtOnce,
            Notice::AtTheEnd {
                why: "Paragraph 4".into(),
            },
            order().notice,
        ];
        for (notice, persons) in
            every
                .into_iter()
                .zip([Persons::All, order().persons, order().persons])
        {
            let order = Order {
                notice,
                persons,
                ..order()
            };
            let mut warrant = Warrant::enter(order.clone(), &who, 110 * DAY).expect("a warrant");
            let stored = write("0123456789abcdef", &warrant, Some("paper"));
            assert_eq!(step(&stored), Some(Step::Enter(order)));
            assert_eq!(scan(&stored), Some("paper".to_owned()));
            let revoked = Step::Revoke {
                why: "Set aside".into(),
            };
            warrant.take(revoked.clone(), &who, 111 * DAY);
            let stored = write("0123456789abcdef", &warrant, None);
            assert_eq!(step(&stored), Some(revoked));
            assert_eq!(scan(&stored), None);
            let doc = Doc::parse(&stored).expect("JSON");
            assert!(crate::programme::says_governance(doc.root()));
            assert_eq!(record::validate::validate(doc.root()), Vec::new());
        }
    }

    #[test]
    fn what_does_not_read_in_full_opens_nothing() {
        let who = Who {
            actor: "user/2".into(),
            officer: true,
        };
        let warrant = Warrant::enter(order(), &who, 110 * DAY).expect("a warrant");
        let stored = String::from_utf8(write("a", &warrant, None)).expect("text");
        for (from, to) in [
            ("\"sud\"", "\"everything\""),
            (
                "urn:homecoming:actor",
                "urn:homecoming:actor\",\"value\":5,\"x\":\"",
            ),
            ("\"entered\"", "\"granted\""),
            ("\"at\"", "\"never\""),
            ("notice-at", "notice-on"),
            ("\"number\"", "\"numbers\""),
            ("1970-01-31", "1970-02-31"),
        ] {
            let changed = stored.replacen(from, to, 1);
            assert_ne!(changed, stored, "{from}");
            assert_eq!(step(changed.as_bytes()), None, "{from}");
        }
    }

    #[test]
    fn a_scan_comes_out_as_it_went_in() {
        let who = Who {
            actor: "user/2".into(),
            officer: true,
        };
        let warrant = Warrant::enter(order(), &who, 110 * DAY).expect("a warrant");
        let scan = Scan {
            media_type: "application/pdf".into(),
            bytes: (0..=255).collect(),
        };
        let stored = document("0123456789abcdef", "task", &warrant, &scan);
        let again = scanned(&stored).expect("a scan");
        assert_eq!(
            (again.media_type, again.bytes),
            (scan.media_type, scan.bytes)
        );
        let doc = Doc::parse(&stored).expect("JSON");
        assert!(crate::programme::says_governance(doc.root()));
        assert_eq!(record::validate::validate(doc.root()), Vec::new());
    }
}
