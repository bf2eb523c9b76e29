//! A FHIR Consent, read into what the rules take (`casework::consent`).
//!
//! What is not understood is never passed over: it makes a permission void and a refusal apply.

use casework::Span;
use casework::consent::{Action, Actor, Consent, Effect, Provision, Scope, TREATING, offer, part2};
use policy::Role;
use record::json::{Doc, Value};

const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";

/// Classes of persons as recipients: roles of the programme, and those who treat the person.
pub const ROLE: &str = "urn:homecoming:consent-recipient";

/// Reads a stored Consent; nothing if it is not one.
pub fn read(stored: &[u8], version: u32, position: u64) -> Option<Consent> {
    let doc = Doc::parse(stored).ok()?;
    let root = doc.root();
    if root.str_at(&["resourceType"]) != Some("Consent") {
        return None;
    }
    let base = codes(root.get("policyRule")).find_map(|code| match code {
        "OPTIN" | "OPTINR" => Some(Effect::Permit),
        "OPTOUT" | "OPTOUTE" => Some(Effect::Deny),
        _ => None,
    });
    let mut provision = root.get("provision").map(|one| provision(one, base));
    let modified = root.get("modifierExtension").is_some() || root.get("implicitRules").is_some();
    if modified {
        provision.get_or_insert_default().unread = true;
    }
    let scope = root.get("scope").and_then(|scope| {
        let mut codings = scope.get("coding")?.items();
        codings.find(|coding| coding.str_at(&["system"]) == Some(SCOPE))
    });
    let given = root.str_at(&["dateTime"]).map(instant);
    let mut consent = Consent {
        id: root.str_at(&["id"]).unwrap_or_default().to_owned(),
        version,
        position,
        active: root.str_at(&["status"]) == Some("active"),
        scope: scope
            .and_then(|coding| coding.str_at(&["code"]))
            .map_or(Scope::Other, Scope::of),
        // What was given at no time that can be read was not given yet.
        given: given.map(|at| at.unwrap_or(i64::MAX)),
        base,
        provision,
        part2: false,
    };
    consent.part2 = part2::missing(&elements(root, &consent)).is_empty();
    Some(consent)
}

/// What a Consent has of what 42 CFR 2.31 requires.
pub fn elements(root: Value<'_>, consent: &Consent) -> part2::Elements {
    let mut found = Found::default();
    if let Some(provision) = &consent.provision {
        found.look(provision);
    }
    let form = root.get("policy").into_iter().flat_map(Value::items);
    let statements = form
        .filter_map(|policy| policy.str_at(&["uri"]))
        .any(offer::has_statements);
    let some = |name: &str| root.get(name).is_some_and(|list| !list.is_empty());
    part2::Elements {
        patient: root.str_at(&["patient", "reference"]).is_some(),
        discloser: some("organization"),
        information: found.information,
        recipient: found.recipient,
        purpose: !found.purposes.is_empty(),
        revocation: statements,
        expiry: consent.until().is_some(),
        signature: root.get("sourceAttachment").is_some() || root.get("sourceReference").is_some(),
        signed_on: root.str_at(&["dateTime"]).is_some(),
        is_tpo: !found.purposes.is_empty()
            && found.purposes.iter().all(|purpose| {
                ["TREAT", "HPAYMT", "HOPERAT"]
                    .iter()
                    .any(|of| casework::consent::is_or_within(purpose, of))
            }),
        statements,
    }
}

#[derive(Default)]
struct Found {
    information: bool,
    recipient: bool,
    purposes: Vec<String>,
}

impl Found {
    fn look(&mut self, provision: &Provision) {
        let about = |label: &String| casework::consent::label::is_part2(label);
        self.information |= provision.labels.iter().any(about);
        self.recipient |= !provision.actors.is_empty();
        self.purposes.extend(provision.purposes.iter().cloned());
        for inner in &provision.within {
            self.look(inner);
        }
    }
}

fn provision(value: Value<'_>, around: Option<Effect>) -> Provision {
    let effect = match value.str_at(&["type"]) {
        Some("permit") => Some(Effect::Permit),
        Some("deny") => Some(Effect::Deny),
        _ => None,
    };
    let acts = effect.or(around);
    let mut out = Provision {
        effect,
        unread: value.get("modifierExtension").is_some()
            || value.get("type").is_some() && effect.is_none(),
        ..Provision::default()
    };
    let items = |name: &str| value.get(name).into_iter().flat_map(Value::each);
    for (name, into) in [
        ("period", &mut out.period),
        ("dataPeriod", &mut out.data_period),
    ] {
        if let Some(period) = value.get(name) {
            match span(period) {
                Some(span) => *into = Some(span),
                None => out.unread = true,
            }
        }
    }
    for actor in items("actor") {
        let class = codes_in(actor.get("role"), ROLE)
            .find(|code| *code == TREATING || Role::parse(code).is_some());
        let reference = actor.str_at(&["reference", "reference"]);
        out.actors.push(match (reference, class) {
            (Some(reference), _) => Actor::Named(unversioned(reference).to_owned()),
            (None, Some(class)) => Actor::Class(class.to_owned()),
            (None, None) => {
                // Somebody is meant and nobody can say who: a refusal then holds for everybody.
                out.unread |= acts != Some(Effect::Permit);
                Actor::Named(String::new())
            }
        });
    }
    for action in items("action").flat_map(|one| codes(Some(one))) {
        match Action::of(action) {
            Some(action) => out.actions.push(action),
            None => out.unread = true,
        }
    }
    let coded = |name: &str| items(name).filter_map(|coding| coding.str_at(&["code"]));
    out.labels = coded("securityLabel").map(str::to_owned).collect();
    out.purposes = coded("purpose").map(str::to_owned).collect();
    for class in items("class") {
        match (class.str_at(&["system"]), class.str_at(&["code"])) {
            (Some(RESOURCE_TYPES), Some(code)) => out.classes.push(code.to_owned()),
            _ => out.unread = true,
        }
    }
    for coding in items("code").flat_map(|one| one.get("coding").into_iter().flat_map(Value::items))
    {
        let text = |name: &str| coding.str_at(&[name]).unwrap_or_default().to_owned();
        out.codes.push((text("system"), text("code")));
    }
    if value.get("code").is_some() && out.codes.is_empty() {
        out.unread = true;
    }
    for data in items("data") {
        match (
            data.str_at(&["meaning"]),
            data.str_at(&["reference", "reference"]),
        ) {
            (Some("instance"), Some(reference)) => out.data.push(unversioned(reference).to_owned()),
            _ => out.unread = true,
        }
    }
    // An exception without a type is none that can be read: it neither permits nor refuses.
    out.within = items("provision")
        .map(|inner| provision(inner, None))
        .collect();
    // A refusal that restricts itself in a way that nobody understands holds without the restriction.
    if out.unread && acts == Some(Effect::Deny) {
        let (actors, within) = (std::mem::take(&mut out.actors), Vec::new());
        out = Provision {
            effect,
            unread: true,
            within,
            ..Provision::default()
        };
        if actors
            .iter()
            .all(|actor| *actor != Actor::Named(String::new()))
        {
            out.actors = actors;
        }
    }
    out
}

/// A Period; an open end lies far off. Nothing if it cannot be read.
fn span(period: Value<'_>) -> Option<Span> {
    let time = |name: &str| match period.str_at(&[name]) {
        Some(text) => record::time::parse_interval(text).map(Some),
        None => period.get(name).is_none().then_some(None),
    };
    Some(Span {
        start: time("start")?.map_or(i64::MIN, |time| time.start),
        end: time("end")?.map_or(i64::MAX, |time| time.end),
    })
}

fn instant(text: &str) -> Option<i64> {
    Some(record::time::parse_interval(text)?.start)
}

fn unversioned(reference: &str) -> &str {
    reference.split("/_history/").next().unwrap_or(reference)
}

fn codes<'d>(concept: Option<Value<'d>>) -> impl Iterator<Item = &'d str> {
    codings(concept).filter_map(|coding| coding.str_at(&["code"]))
}

fn codes_in<'d>(concept: Option<Value<'d>>, system: &str) -> impl Iterator<Item = &'d str> {
    codings(concept)
        .filter(move |coding| coding.str_at(&["system"]) == Some(system))
        .filter_map(|coding| coding.str_at(&["code"]))
}

fn codings<'d>(concept: Option<Value<'d>>) -> impl Iterator<Item = Value<'d>> {
    concept
        .into_iter()
        .filter_map(|concept| concept.get("coding"))
        .flat_map(Value::items)
}

#[cfg(test)]
mod tests;
