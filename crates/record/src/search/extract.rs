//! From what a parameter selects to the values that it is searched by (FHIR R4 search, 3.1.1.4).
//!
//! A row of the conversion is a pair of parameter type and datatype. Pairs that R4 gives no meaning
//! to give no value: a SampledData has no one quantity, an Attachment no text.

use std::borrow::Cow;

use super::program::{Datatype, Selected};
use super::{Decimal, Indexed, ParamId, ParameterType, parameters};
use crate::json::Value;
use crate::reference::Reference;
use crate::{definitions, time};

/// Everything that `resource` can be found by, sorted by parameter, in the order of the resource
/// within one, without repetitions. Empty if its kind is unknown.
pub fn extract<'a>(resource: Value<'a>) -> Vec<(ParamId, Indexed<'a>)> {
    let registry = parameters();
    let kind = resource.str_at(&["resourceType"]).unwrap_or_default();
    let Some(program) = registry.program(kind) else {
        return Vec::new();
    };
    let mut out = Vec::with_capacity(24);
    program.run(resource, &mut |param, selected| {
        let Some(parameter) = registry.get(param) else {
            return;
        };
        let mut sink = |indexed| out.push((param, indexed));
        match selected {
            Selected::Node(value, datatype) => {
                convert(parameter.of_type, datatype, value, &mut sink);
            }
            Selected::Boolean(value) => sink(token(None, if value { "true" } else { "false" })),
        }
    });
    out.sort_by_key(|(param, _)| *param);
    drop_repeated(&mut out);
    out
}

/// Repeated values are harmless and rare; long lists (the codes of a value set) are left alone.
fn drop_repeated(values: &mut Vec<(ParamId, Indexed)>) {
    const WINDOW: usize = 32;
    let mut kept = 0usize;
    for at in 0..values.len() {
        let window = &values[kept.saturating_sub(WINDOW)..kept];
        if !window.contains(&values[at]) {
            values.swap(kept, at);
            kept += 1;
        }
    }
    values.truncate(kept);
}

/// Gives `sink` the search values of one selected node.
pub(super) fn convert<'a>(
    of_type: ParameterType,
    datatype: Datatype,
    value: Value<'a>,
    sink: &mut dyn FnMut(Indexed<'a>),
) {
    if datatype == Datatype::Extension {
        let inner = value.entries().find_map(|(key, inner)| {
            let name = key.strip_prefix("value").filter(|name| !name.is_empty())?;
            Some((Datatype::of_choice(name), inner))
        });
        if let Some((datatype, inner)) = inner {
            convert(of_type, datatype, inner, sink);
        }
        return;
    }
    match of_type {
        ParameterType::Token => tokens(datatype, value, sink),
        ParameterType::String => strings(datatype, value, sink),
        ParameterType::Date => {
            if let Some((start, end)) = interval(datatype, value) {
                sink(Indexed::Date { start, end });
            }
        }
        ParameterType::Number => numbers(datatype, value, sink),
        ParameterType::Quantity => quantities(datatype, value, sink),
        ParameterType::Reference => references(datatype, value, sink),
        ParameterType::Uri => {
            if let Some(text) = value.as_str() {
                sink(Indexed::Uri(Cow::Borrowed(text)));
            }
        }
        ParameterType::Composite | ParameterType::Special => {}
    }
}

fn token<'a>(system: Option<&'a str>, code: &'a str) -> Indexed<'a> {
    Indexed::Token {
        system: system.map(Cow::Borrowed),
        code: Some(Cow::Borrowed(code)),
    }
}

fn text<'a>(value: Value<'a>, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

fn tokens<'a>(datatype: Datatype, value: Value<'a>, sink: &mut dyn FnMut(Indexed<'a>)) {
    match datatype {
        Datatype::CodeableConcept => {
            let mut any = false;
            for coding in value.get("coding").into_iter().flat_map(Value::items) {
                any = true;
                tokens(Datatype::Coding, coding, sink);
            }
            if !any {
                sink(Indexed::Token {
                    system: None,
                    code: None,
                });
            }
        }
        Datatype::Coding | Datatype::Identifier => {
            let name = if datatype == Datatype::Coding {
                "code"
            } else {
                "value"
            };
            sink(Indexed::Token {
                system: Some(Cow::Borrowed(text(value, "system").unwrap_or_default())),
                code: text(value, name).map(Cow::Borrowed),
            });
        }
        Datatype::ContactPoint => {
            sink(Indexed::Token {
                system: None,
                code: text(value, "value").map(Cow::Borrowed),
            });
        }
        _ => match value.as_str() {
            Some(text) => sink(token(None, text)),
            None if value.is_object() => {}
            None => sink(token(None, value.raw_str())),
        },
    }
}

fn strings<'a>(datatype: Datatype, value: Value<'a>, sink: &mut dyn FnMut(Indexed<'a>)) {
    let mut each = |name: &str| {
        for part in value.get(name).into_iter().flat_map(Value::each) {
            if let Some(text) = part.as_str() {
                sink(Indexed::String(Cow::Borrowed(text)));
            }
        }
    };
    match datatype {
        Datatype::HumanName => {
            for name in ["text", "family", "given", "prefix", "suffix"] {
                each(name);
            }
            if value.get("text").is_none() {
                let given = value.get("given").into_iter().flat_map(Value::each);
                let parts = given.chain(value.get("family")).filter_map(Value::as_str);
                let whole = parts.collect::<Vec<_>>().join(" ");
                if whole.contains(' ') {
                    sink(Indexed::String(Cow::Owned(whole)));
                }
            }
        }
        Datatype::Address => {
            for name in [
                "text",
                "line",
                "city",
                "district",
                "state",
                "postalCode",
                "country",
            ] {
                each(name);
            }
        }
        Datatype::CodeableConcept => {
            each("text");
            for coding in value.get("coding").into_iter().flat_map(Value::items) {
                strings(Datatype::Coding, coding, sink);
            }
        }
        Datatype::Coding => each("display"),
        Datatype::Annotation => each("text"),
        _ => {
            if let Some(text) = value.as_str() {
                sink(Indexed::String(Cow::Borrowed(text)));
            }
        }
    }
}

/// Microseconds, `[start, end)`.
fn interval(datatype: Datatype, value: Value) -> Option<(i64, i64)> {
    match datatype {
        Datatype::Date | Datatype::DateTime | Datatype::Instant => {
            let happened = time::parse_interval(value.as_str()?)?;
            Some((happened.start, happened.end))
        }
        Datatype::Period => {
            let start = text(value, "start").and_then(time::parse_interval);
            let end = text(value, "end").and_then(time::parse_interval);
            if start.is_none() && end.is_none() {
                return None;
            }
            Some((
                start.map_or(i64::MIN, |at| at.start),
                end.map_or(i64::MAX, |at| at.end),
            ))
        }
        Datatype::Timing => {
            let events = value.get("event").into_iter().flat_map(Value::each);
            let bounds = value.at(&["repeat", "boundsPeriod"]);
            let parts = events
                .filter_map(|event| interval(Datatype::DateTime, event))
                .chain(bounds.and_then(|bounds| interval(Datatype::Period, bounds)));
            parts.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        }
        _ => None,
    }
}

fn decimal(value: Value, name: &str) -> Option<Decimal> {
    Decimal::parse(value.get(name)?.number_text()?)
}

fn numbers<'a>(datatype: Datatype, value: Value<'a>, sink: &mut dyn FnMut(Indexed<'a>)) {
    if datatype == Datatype::Range {
        range(value, ["", "", ""], sink);
    } else if let Some(number) = value.number_text().and_then(Decimal::parse) {
        sink(Indexed::Number(number));
    }
}

fn range<'a>(value: Value<'a>, unit: [&'a str; 3], sink: &mut dyn FnMut(Indexed<'a>)) {
    let end = |name| value.get(name).and_then(|end| decimal(end, "value"));
    let (low, high) = (end("low"), end("high"));
    if low.is_some() || high.is_some() {
        let [system, code, unit] = unit.map(Cow::Borrowed);
        sink(Indexed::Range {
            low,
            high,
            system,
            code,
            unit,
        });
    }
}

fn unit(value: Value<'_>) -> [&'_ str; 3] {
    ["system", "code", "unit"].map(|name| text(value, name).unwrap_or_default())
}

fn quantities<'a>(datatype: Datatype, value: Value<'a>, sink: &mut dyn FnMut(Indexed<'a>)) {
    match datatype {
        Datatype::Range => {
            let ends = ["low", "high"].into_iter().find_map(|name| value.get(name));
            range(value, ends.map_or(["", "", ""], unit), sink);
        }
        Datatype::Money => {
            let Some(amount) = decimal(value, "value") else {
                return;
            };
            let currency = text(value, "currency").unwrap_or_default();
            sink(Indexed::Quantity {
                value: amount,
                system: Cow::Borrowed("urn:iso:std:iso:4217"),
                code: Cow::Borrowed(currency),
                unit: Cow::Borrowed(currency),
            });
        }
        Datatype::Quantity
        | Datatype::Age
        | Datatype::Count
        | Datatype::Distance
        | Datatype::Duration => {
            let Some(amount) = decimal(value, "value") else {
                return;
            };
            let [system, code, unit] = unit(value).map(Cow::Borrowed);
            let (low, high) = match text(value, "comparator") {
                Some("<" | "<=") => (None, Some(amount)),
                Some(">" | ">=") => (Some(amount), None),
                _ => {
                    return sink(Indexed::Quantity {
                        value: amount,
                        system,
                        code,
                        unit,
                    });
                }
            };
            sink(Indexed::Range {
                low,
                high,
                system,
                code,
                unit,
            });
        }
        _ => {}
    }
}

fn references<'a>(datatype: Datatype, value: Value<'a>, sink: &mut dyn FnMut(Indexed<'a>)) {
    match datatype {
        Datatype::Reference => {
            let (reference, identifier) = (text(value, "reference"), value.get("identifier"));
            match reference {
                Some(text) => sink(reference_to(text)),
                // There is something, though nothing finds it (only a name, say).
                None if identifier.is_none() => {
                    sink(Indexed::Reference {
                        kind: None,
                        id: Cow::Borrowed(""),
                    });
                }
                None => {}
            }
            if let Some(identifier) = identifier {
                tokens(Datatype::Identifier, identifier, sink);
            }
        }
        // The resource itself, inside a bundle.
        Datatype::Resource => {
            let kind = text(value, "resourceType").and_then(definitions::kind_number);
            if let (Some(kind), Some(id)) = (kind, text(value, "id")) {
                let kind = definitions::kind_name(kind);
                sink(Indexed::Reference {
                    kind,
                    id: Cow::Borrowed(id),
                });
            }
        }
        Datatype::Canonical | Datatype::Uri | Datatype::Url | Datatype::Oid | Datatype::Uuid => {
            if let Some(text) = value.as_str() {
                sink(reference_to(text));
            }
        }
        _ => {}
    }
}

fn reference_to(text: &str) -> Indexed<'_> {
    match Reference::parse(text) {
        Reference::Relative(target) => Indexed::Reference {
            kind: Some(target.kind),
            id: Cow::Borrowed(target.id),
        },
        _ => Indexed::Reference {
            kind: None,
            id: Cow::Borrowed(text),
        },
    }
}

#[cfg(test)]
mod tests;
