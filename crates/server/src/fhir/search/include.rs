//! `_include` and `_revinclude`: what comes along with the matches of a page.
//!
//! What comes along is read from the same view as the matches, each resource once, at most
//! [`ALONG_MAX`] of them; if there are more, the answer says so. What the client may not search
//! does not come along.

use std::collections::HashSet;

use record::finding::Finding;
use record::json::Doc;
use record::search::{Indexed, Parameter, ParameterType, extract, parameters, parse_criteria};

use super::wanted::Wanted;
use crate::error::{Error, left};
use crate::fhir::Ask;
use crate::fhir::negotiate::printable;
use crate::fhir::scope::Verb;
use crate::programme::{Search, Version, View};

/// The most resources that come along with a page.
pub const ALONG_MAX: usize = 2000;
/// How many steps `:iterate` goes.
const STEPS_MAX: usize = 8;

/// The most different things that may be asked to come along.
pub const INCLUDES_MAX: usize = 64;

/// One thing that is to come along.
#[derive(Clone, Debug)]
pub struct Include {
    /// The kind whose references are followed.
    source: String,
    /// Which of its parameters; none for all (`*`).
    parameter: Option<&'static Parameter>,
    /// Only references to this kind.
    target: Option<String>,
    /// What refers to the matches, instead of what they refer to.
    reverse: bool,
    /// Also from what came along.
    iterate: bool,
}

impl Include {
    /// Whether it asks for the same as another.
    pub fn is(&self, other: &Include) -> bool {
        let key = |one: &Include| {
            (
                one.parameter.map(|found| found.id),
                one.reverse,
                one.iterate,
            )
        };
        key(self) == key(other) && self.source == other.source && self.target == other.target
    }

    /// Reads `Kind:parameter`, `Kind:parameter:Target`, `Kind:*` or `*`.
    pub fn parse(kind: &str, name: &str, value: &str) -> Result<Include, Finding> {
        let place = || format!("http.{name}");
        let (word, modifier) = match name.split_once(':') {
            Some((word, modifier)) => (word, Some(modifier)),
            None => (name, None),
        };
        let reverse = match word {
            "_include" => false,
            "_revinclude" => true,
            _ => {
                return Err(Finding::error(
                    "not-supported",
                    place(),
                    format!("`{}` is not known.", printable(name)),
                ));
            }
        };
        let iterate = match modifier {
            None => false,
            Some("iterate" | "recurse") => true,
            Some(other) => {
                return Err(Finding::error(
                    "not-supported",
                    place(),
                    format!(
                        "The modifier `:{}` is not supported for `{word}`.",
                        printable(other)
                    ),
                ));
            }
        };
        let invalid = |why: String| Err(Finding::error("invalid", place(), why));
        let mut parts = value.split(':');
        let source = parts.next().unwrap_or("");
        let code = parts.next();
        let target = parts.next().filter(|target| !target.is_empty());
        if parts.next().is_some() {
            return invalid(format!("`{name}={}` has too many parts.", printable(value)));
        }
        let (source, code) = match (source, code) {
            ("*", None) if !reverse => (kind, "*"),
            (source, Some(code)) => (source, code),
            _ => {
                return invalid(format!(
                    "`{name}={}` is not of the form `Kind:parameter`.",
                    printable(value)
                ));
            }
        };
        for kind in [Some(source), target].into_iter().flatten() {
            if record::definitions::kind_number(kind).is_none() {
                return invalid(format!(
                    "`{name}`: there is no resource type `{}` in FHIR R4.",
                    printable(kind)
                ));
            }
        }
        let parameter = match code {
            "*" if reverse => {
                return Err(Finding::error(
                    "not-supported",
                    place(),
                    "`_revinclude` needs a parameter; `*` is not supported for it.",
                ));
            }
            "*" => None,
            code => match parameters().lookup(source, code) {
                Some(parameter) if parameter.of_type == ParameterType::Reference => Some(parameter),
                _ => {
                    return invalid(format!(
                        "`{name}`: {source} has no reference parameter `{}`.",
                        printable(code)
                    ));
                }
            },
        };
        Ok(Include {
            source: source.to_owned(),
            parameter,
            target: target.map(str::to_owned),
            reverse,
            iterate,
        })
    }
}

/// What comes along with a page.
#[derive(Default)]
pub struct Along {
    /// In the order they were met.
    pub versions: Vec<Version>,
    /// What was left out.
    pub findings: Vec<Finding>,
}

/// Collects what comes along with `hits`.
pub fn along(ask: &Ask, view: &View, wanted: &Wanted, hits: &[Version]) -> Result<Along, Error> {
    let mut along = Along::default();
    if wanted.includes.is_empty() {
        return Ok(along);
    }
    let mut met: HashSet<(String, String)> = hits
        .iter()
        .map(|hit| (hit.kind.clone(), hit.id.clone()))
        .collect();
    let mut step = follow(
        ask,
        view,
        &wanted.includes,
        hits,
        false,
        &mut met,
        &mut along,
    )?;
    for _ in 1..STEPS_MAX {
        if step.is_empty() {
            break;
        }
        let next = follow(
            ask,
            view,
            &wanted.includes,
            &step,
            true,
            &mut met,
            &mut along,
        )?;
        along.versions.extend(std::mem::replace(&mut step, next));
    }
    along.versions.extend(step);
    Ok(along)
}

/// One step from `from`; past the first only of what iterates.
fn follow(
    ask: &Ask,
    view: &View,
    includes: &[Include],
    from: &[Version],
    iterating: bool,
    met: &mut HashSet<(String, String)>,
    along: &mut Along,
) -> Result<Vec<Version>, Error> {
    let mut found = Vec::new();
    for include in includes
        .iter()
        .filter(|include| include.iterate || !iterating)
    {
        let room = ALONG_MAX.saturating_sub(along.versions.len() + found.len());
        let complete = if include.reverse {
            backwards(ask, view, include, from, met, &mut found, room)?
        } else {
            forwards(ask, view, include, from, met, &mut found, room)?
        };
        if !complete {
            if along.findings.is_empty() {
                along.findings.push(Finding::warning(
                    "too-costly",
                    "",
                    format!("More than {ALONG_MAX} resources would come along; the rest was left out. Ask for smaller pages."),
                ));
            }
            break;
        }
    }
    Ok(found)
}

/// What `from` refers to. False if there was no room for all.
fn forwards(
    ask: &Ask,
    view: &View,
    include: &Include,
    from: &[Version],
    met: &mut HashSet<(String, String)>,
    found: &mut Vec<Version>,
    room: usize,
) -> Result<bool, Error> {
    let view = view.clone().to(Verb::Search);
    let mut taken = 0;
    for version in from.iter().filter(|version| version.kind == include.source) {
        let doc = Doc::parse(&version.stored).map_err(Error::internal)?;
        for (id, value) in extract(doc.root()) {
            if include
                .parameter
                .is_some_and(|parameter| parameter.id != id)
            {
                continue;
            }
            let Indexed::Reference {
                kind: Some(kind),
                id,
            } = value
            else {
                continue;
            };
            if include
                .target
                .as_deref()
                .is_some_and(|target| target != kind)
                || !ask.grant.scopes.allow(kind, Verb::Search)
                || !met.insert((kind.to_owned(), id.clone().into_owned()))
            {
                continue;
            }
            let target = left(view.read(kind, &id))?;
            let Some(target) = target.filter(|version| !version.deleted) else {
                continue;
            };
            if taken == room {
                return Ok(false);
            }
            taken += 1;
            found.push(target);
        }
    }
    Ok(true)
}

/// What refers to `from`. False if there was no room for all.
fn backwards(
    ask: &Ask,
    view: &View,
    include: &Include,
    from: &[Version],
    met: &mut HashSet<(String, String)>,
    found: &mut Vec<Version>,
    room: usize,
) -> Result<bool, Error> {
    let Some(parameter) = include.parameter else {
        return Ok(true);
    };
    if !ask.grant.scopes.allow(&include.source, Verb::Search) {
        return Ok(true);
    }
    let targets: Vec<String> = from
        .iter()
        .filter(|version| {
            include
                .target
                .as_ref()
                .is_none_or(|target| *target == version.kind)
        })
        .map(|version| format!("{}/{}", version.kind, version.id))
        .collect();
    if targets.is_empty() {
        return Ok(true);
    }
    let params = [(parameter.code.to_owned(), targets.join(","))];
    let (criteria, findings) = parse_criteria(&include.source, &params, &ask.base);
    if !findings.is_empty() {
        return Ok(true);
    }
    let page = view.search(&Search {
        criteria: &criteria,
        count: room + 1,
        after: None,
        total: false,
    })?;
    let mut taken = 0;
    for version in page.hits {
        if !met.insert((version.kind.clone(), version.id.clone())) {
            continue;
        }
        if taken == room {
            return Ok(false);
        }
        taken += 1;
        found.push(version);
    }
    Ok(page.next.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_are_read() {
        for (name, value, expected) in [
            ("_include", "Observation:subject", "ok"),
            ("_include", "Observation:subject:Patient", "ok"),
            ("_include", "Observation:*", "ok"),
            ("_include", "*", "ok"),
            ("_include:iterate", "Patient:organization", "ok"),
            ("_revinclude", "Provenance:target", "ok"),
            ("_include", "Observation", "invalid"),
            ("_include", "Observation:code", "invalid"),
            ("_include", "Soldier:subject", "invalid"),
            ("_include", "Observation:subject:Soldier", "invalid"),
            ("_include", "Observation:subject:Patient:x", "invalid"),
            ("_include:logical", "Observation:subject", "not-supported"),
            ("_revinclude", "Observation:*", "not-supported"),
        ] {
            let seen = match Include::parse("Observation", name, value) {
                Ok(_) => "ok",
                Err(finding) => finding.code,
            };
            assert_eq!(seen, expected, "{name}={value}");
        }
    }
}
