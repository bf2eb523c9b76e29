//! One value of a parameter: escapes, prefixes, and what each type is written like.

use super::{Prefix, Problem, ReferenceTest, SystemTest, Test, invalid, not_supported};
use crate::reference::{Reference, is_id};
use crate::search::{Decimal, Parameter};
use crate::time;

/// The parts between separators that are not escaped; the escapes stay.
pub(super) fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    text.split(move |letter| {
        let splits = letter == separator && !escaped;
        escaped = letter == '\\' && !escaped;
        splits
    })
}

/// `\,` `\$` `\|` `\\` to the letters that they stand for.
pub(super) fn unescape(text: &str) -> Result<String, Problem> {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some(letter @ (',' | '$' | '|' | '\\')) => out.push(letter),
            _ => {
                return Err(invalid(
                    "A backslash in a value must stand before `,`, `$`, `|` or `\\`.",
                ));
            }
        }
    }
    Ok(out)
}

fn prefix(text: &str) -> (Prefix, &str) {
    let known = [
        ("eq", Prefix::Eq),
        ("ne", Prefix::Ne),
        ("gt", Prefix::Gt),
        ("lt", Prefix::Lt),
        ("ge", Prefix::Ge),
        ("le", Prefix::Le),
        ("sa", Prefix::Sa),
        ("eb", Prefix::Eb),
        ("ap", Prefix::Ap),
    ];
    known
        .into_iter()
        .find_map(|(word, prefix)| Some((prefix, text.strip_prefix(word)?)))
        .unwrap_or((Prefix::Eq, text))
}

pub(super) fn token(name: &str, part: &str) -> Result<Test, Problem> {
    let parts = split(part, '|')
        .map(unescape)
        .collect::<Result<Vec<_>, _>>()?;
    let (system, code) = match <[String; 2]>::try_from(parts) {
        Ok([system, code]) if system.is_empty() => (SystemTest::Absent, code),
        Ok([system, code]) => (SystemTest::Is(system), code),
        Err(parts) => match <[String; 1]>::try_from(parts) {
            Ok([code]) => (SystemTest::Any, code),
            Err(_) => {
                return Err(invalid(format!(
                    "`{name}` is written `code`, `system|code`, `system|` or `|code`."
                )));
            }
        },
    };
    if code.is_empty() && !matches!(system, SystemTest::Is(_)) {
        return Err(invalid(format!(
            "`{name}` has neither a system nor a code."
        )));
    }
    // Letter by letter: the lower case of a letter must not depend on its neighbours.
    let code: String = code.chars().flat_map(char::to_lowercase).collect();
    Ok(Test::Token {
        system,
        code: (!code.is_empty()).then_some(code),
    })
}

pub(super) fn date(name: &str, part: &str) -> Result<Test, Problem> {
    let (prefix, text) = prefix(part);
    // A plus that a URL turned into a space.
    let at =
        time::parse_interval(text).or_else(|| time::parse_interval(&text.replacen(' ', "+", 1)));
    match at {
        Some(at) => Ok(Test::Date {
            prefix,
            start: at.start,
            end: at.end,
        }),
        None => Err(invalid(format!(
            "`{name}` is a date: `2026`, `2026-03`, `2026-03-01`, `2026-03-01T08:15:00Z`, with a prefix such as `ge` if wanted."
        ))),
    }
}

pub(super) fn number(name: &str, part: &str) -> Result<Test, Problem> {
    let (prefix, text) = prefix(part);
    match Decimal::parse(text) {
        Some(value) => Ok(Test::Number { prefix, value }),
        None => Err(invalid(format!(
            "`{name}` is a number, with a prefix such as `gt` if wanted."
        ))),
    }
}

pub(super) fn quantity(name: &str, part: &str) -> Result<Test, Problem> {
    let wrong = || {
        invalid(format!(
            "`{name}` is written `5.4`, `5.4|system|code` or `5.4||unit`, with a prefix such as `gt` if wanted."
        ))
    };
    let mut parts = split(part, '|');
    let (prefix, text) = prefix(parts.next().unwrap_or_default());
    let value = Decimal::parse(text).ok_or_else(wrong)?;
    let mut next = || parts.next().map(unescape).transpose();
    let (system, code) = (next()?, next()?);
    if parts.next().is_some() || (system.is_some() && code.is_none()) {
        return Err(wrong());
    }
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(Test::Quantity {
        prefix,
        value,
        system: given(system),
        code: given(code),
    })
}

pub(super) fn reference(
    name: &str,
    part: &str,
    parameter: &Parameter,
    of_kind: Option<&'static str>,
    base_url: &str,
) -> Result<Test, Problem> {
    let text = unescape(part)?;
    let read = Reference::parse(&text);
    if let Some(target) = read.local_target(base_url) {
        if target.version.is_some() {
            return Err(not_supported(format!(
                "`{name}` cannot search for references to one version; leave out `/_history`."
            )));
        }
        if of_kind.is_some_and(|kind| kind != target.kind) {
            return Err(invalid(format!(
                "`{name}` says one resource type and its value another."
            )));
        }
        let (kind, id) = (Some(target.kind), target.id.to_owned());
        return Ok(Test::Reference(ReferenceTest::Local { kind, id }));
    }
    if is_id(&text) {
        let only = match *parameter.targets() {
            [only] => Some(only),
            _ => None,
        };
        let kind = of_kind.or(only);
        return Ok(Test::Reference(ReferenceTest::Local { kind, id: text }));
    }
    if of_kind.is_some() {
        return Err(invalid(format!("`{name}` needs an id.")));
    }
    if !text.contains(':') && !text.starts_with('#') {
        return Err(invalid(format!(
            "`{name}` is written `id`, `Kind/id` or as a URL."
        )));
    }
    Ok(Test::Reference(ReferenceTest::Url(text)))
}
