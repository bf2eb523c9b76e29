//! Whether a version answers to a clause: the one meaning of a search.
//!
//! An index may propose candidates in any way that loses none; this decides. A naive search is this
//! function over every row.

use super::criteria::{Clause, Modifier, Prefix, ReferenceTest, SystemTest, Test};
use super::{Decimal, Indexed, Values, fold};

/// Whether the values of a version satisfy a clause.
pub fn matches(values: &Values, clause: &Clause) -> bool {
    let param = clause.parameter.id;
    let any = || {
        values.of(param).any(|value| {
            clause
                .tests
                .iter()
                .any(|test| matches_value(&value, test, clause.modifier))
        })
    };
    match clause.modifier {
        Modifier::Missing(missing) => values.has(param) != missing,
        Modifier::Not => !any(),
        _ => any(),
    }
}

/// Whether an instant (one microsecond) satisfies a date test. Other tests never hold.
pub fn matches_date(test: &Test, at: i64) -> bool {
    let value = Indexed::Date {
        start: at,
        end: at.saturating_add(1),
    };
    matches_value(&value, test, Modifier::Plain)
}

fn matches_value(value: &Indexed, test: &Test, modifier: Modifier) -> bool {
    match (value, test) {
        (
            Indexed::Token { system, code },
            Test::Token {
                system: wanted_system,
                code: wanted,
            },
        ) => {
            let system_fits = match (wanted_system, system.as_deref()) {
                (SystemTest::Any, _) | (_, None) => true,
                (SystemTest::Absent, Some(system)) => system.is_empty(),
                (SystemTest::Is(wanted), Some(system)) => wanted == system,
            };
            system_fits
                && match (wanted, code.as_deref()) {
                    (Some(wanted), Some(code)) => is_lower_of(wanted, code),
                    (Some(_), None) => false,
                    // `system|` asks for a system that the element has.
                    (None, _) => system.is_some(),
                }
        }
        (Indexed::String(text), Test::String(wanted)) => match modifier {
            Modifier::Exact => text == wanted,
            Modifier::Contains => fold(text).contains(wanted.as_str()),
            _ => fold::starts_with(text, wanted),
        },
        (
            Indexed::Date { start, end },
            Test::Date {
                prefix,
                start: from,
                end: to,
            },
        ) => date(*prefix, (*from, *to), (*start, *end)),
        (
            _,
            Test::Number {
                prefix,
                value: wanted,
            },
        ) => ends(value).is_some_and(|ends| number(*prefix, *wanted, ends)),
        (
            Indexed::Quantity {
                system, code, unit, ..
            }
            | Indexed::Range {
                system, code, unit, ..
            },
            Test::Quantity {
                prefix,
                value: wanted,
                system: wanted_system,
                code: wanted_code,
            },
        ) => {
            let unit_fits = match (wanted_system, wanted_code) {
                (None, None) => true,
                (None, Some(wanted)) => wanted == code || wanted == unit,
                (Some(wanted), None) => wanted == system,
                (Some(wanted), Some(wanted_code)) => wanted == system && wanted_code == code,
            };
            unit_fits && ends(value).is_some_and(|ends| number(*prefix, *wanted, ends))
        }
        (Indexed::Reference { kind, id }, Test::Reference(wanted)) => reference(*kind, id, wanted),
        (Indexed::Uri(uri), Test::Uri(wanted)) => match modifier {
            Modifier::Below => is_below(uri, wanted),
            Modifier::Above => is_below(wanted, uri),
            _ => uri == wanted,
        },
        _ => false,
    }
}

fn is_lower_of(lower: &str, text: &str) -> bool {
    if text.is_ascii() {
        return lower.eq_ignore_ascii_case(text);
    }
    text.chars().flat_map(char::to_lowercase).eq(lower.chars())
}

/// `asked` and `found` are `[start, end)`.
fn date(prefix: Prefix, asked: (i64, i64), found: (i64, i64)) -> bool {
    let contains = asked.0 <= found.0 && found.1 <= asked.1;
    match prefix {
        Prefix::Eq => contains,
        Prefix::Ne => !contains,
        Prefix::Gt => found.1 > asked.1,
        Prefix::Lt => found.0 < asked.0,
        Prefix::Ge => contains || found.1 > asked.1,
        Prefix::Le => contains || found.0 < asked.0,
        Prefix::Sa => found.0 >= asked.1,
        Prefix::Eb => found.1 <= asked.0,
        // About: within its own precision before and after; `ap2013` is 2012 to 2014.
        Prefix::Ap => {
            let width = asked.1.saturating_sub(asked.0);
            found.0 < asked.1.saturating_add(width) && asked.0.saturating_sub(width) < found.1
        }
    }
}

/// `(least, most)`, both included; open ends are `None`.
fn ends(value: &Indexed) -> Option<(Option<Decimal>, Option<Decimal>)> {
    match value {
        Indexed::Number(value) | Indexed::Quantity { value, .. } => {
            Some((Some(*value), Some(*value)))
        }
        Indexed::Range { low, high, .. } => Some((*low, *high)),
        _ => None,
    }
}

fn number(prefix: Prefix, asked: Decimal, (low, high): (Option<Decimal>, Option<Decimal>)) -> bool {
    let equal = || {
        let (from, to) = asked.implied_range();
        low.is_some_and(|low| from <= low) && high.is_some_and(|high| high < to)
    };
    let above = || high.is_none_or(|high| high > asked);
    let below = || low.is_none_or(|low| low < asked);
    let is_it = || low == Some(asked) && high == Some(asked);
    match prefix {
        Prefix::Eq => equal(),
        Prefix::Ne => !equal(),
        Prefix::Gt => above(),
        Prefix::Lt => below(),
        Prefix::Ge => above() || is_it(),
        Prefix::Le => below() || is_it(),
        Prefix::Sa => low.is_some_and(|low| low > asked),
        Prefix::Eb => high.is_some_and(|high| high < asked),
        Prefix::Ap => {
            let (from, to) = asked.tenth_around();
            low.is_none_or(|low| low <= to) && high.is_none_or(|high| high >= from)
        }
    }
}

fn reference(kind: Option<&'static str>, id: &str, wanted: &ReferenceTest) -> bool {
    match wanted {
        // An id may also be the whole of a canonical that is no URL.
        ReferenceTest::Local {
            kind: wanted_kind,
            id: wanted_id,
        } => wanted_id == id && (kind.is_none() || wanted_kind.is_none() || *wanted_kind == kind),
        // A canonical without a version is asked for in any version.
        ReferenceTest::Url(wanted) => {
            kind.is_none()
                && match id.strip_prefix(wanted.as_str()) {
                    Some("") => true,
                    Some(rest) => rest.starts_with('|'),
                    None => false,
                }
        }
    }
}

/// Whether `uri` is `top` or lies below it, a whole step of its path at a time.
fn is_below(uri: &str, top: &str) -> bool {
    match uri.strip_prefix(top) {
        Some("") => true,
        Some(rest) => top.ends_with('/') || rest.starts_with(['/', '?', '#', '|']),
        None => false,
    }
}

#[cfg(test)]
mod tests;
