//! The parameters of a search, read: what is asked, how the answer is to look, what was ignored.
//!
//! Two things can be wrong with a parameter. One that is not known or not supported is left out
//! unless the client prefers `handling=strict`: FHIR asks for that, as proxies add their own. One
//! that is known and has a value that makes no sense is refused unless the client prefers
//! `handling=lenient`: leaving it out would find too much without anybody having asked for it.
//! What is left out is told in the answer and is not in its `self` link.

use std::collections::HashSet;

use index::Cursor;
use record::finding::Finding;
use record::search::Criteria;

use super::include::{INCLUDES_MAX, Include};
use crate::error::{Error, ErrorKind};
use crate::fhir::elements::Elements;
use crate::fhir::negotiate::{Handling, printable};
use crate::fhir::query::Pairs;
use crate::fhir::{Ask, audit_event};

/// How many matches a page has unless the client says.
const COUNT_DEFAULT: usize = 50;
/// The most matches that a page has.
pub const COUNT_MAX: usize = 1000;

/// Whether to count all matches.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Total {
    /// Only if it costs nothing.
    None,
    /// Yes. An estimate is made the same way.
    Accurate,
}

/// One search, understood.
#[derive(Debug)]
pub struct Wanted {
    /// What must hold, and the order.
    pub criteria: Criteria,
    /// How many matches on a page; 0 for the count alone.
    pub count: usize,
    count_max: usize,
    /// Where the page begins.
    pub after: Option<Cursor>,
    /// Whether to count.
    pub total: Total,
    /// What comes along.
    pub includes: Vec<Include>,
    /// Which elements are wanted, if not all.
    pub elements: Option<Elements>,
    /// The parameters that were used, for links; without the page's.
    pub used: Pairs,
    /// What was left out and why.
    pub ignored: Vec<Finding>,
}

/// Whether what was found wrong with a parameter refuses the search. Without a narrowing that was meant it would find
/// what nobody asked for, so only a name that FHIR does not know is left out unasked; a modifier never is (R4, 3.1.1.4.4).
fn is_refused(kind: &str, finding: &Finding, handling: Option<Handling>) -> bool {
    let name = finding.expression.strip_prefix("http.");
    let name = name.unwrap_or(&finding.expression);
    let narrows = !record::search::is_result_parameter(name);
    match (finding.code, handling) {
        (_, Some(Handling::Strict)) => true,
        ("not-supported", _) if narrows && name.contains(':') => true,
        (_, Some(Handling::Lenient)) => false,
        ("not-supported", None) => record::search::is_defined(kind, name),
        (_, None) => true,
    }
}

impl Wanted {
    /// Reads the parameters of a search of `kind`.
    pub fn read(ask: &Ask, kind: &str) -> Result<Wanted, Error> {
        let (criteria, findings) = record::search::parse_criteria(kind, &ask.params, &ask.base);
        let mut wanted = Wanted {
            criteria,
            count: COUNT_DEFAULT,
            count_max: COUNT_MAX,
            after: None,
            total: Total::None,
            includes: Vec::new(),
            elements: None,
            used: Vec::new(),
            ignored: findings,
        };
        for (name, value) in &ask.params {
            if let Err(finding) = wanted.result_parameter(kind, name, value) {
                wanted.ignored.push(finding);
            }
        }
        let refused: Vec<Finding> = wanted
            .ignored
            .iter()
            .filter(|finding| is_refused(kind, finding, ask.prefer.handling))
            .cloned()
            .collect();
        if let Some(first) = refused.first() {
            let kind = match first.code {
                "not-supported" => ErrorKind::Unsupported,
                _ => ErrorKind::Malformed,
            };
            let message = format!("The search was refused. {}", first.message);
            return Err(Error::new(kind, message).with(refused));
        }
        for finding in &mut wanted.ignored {
            finding.severity = record::finding::Severity::Warning;
            finding.message.push_str(" It was left out.");
        }
        let left_out: HashSet<&str> = wanted
            .ignored
            .iter()
            .map(|finding| {
                finding
                    .expression
                    .strip_prefix("http.")
                    .unwrap_or(&finding.expression)
            })
            .collect();
        wanted.used = ask
            .params
            .iter()
            .filter(|(name, _)| name != "_cursor" && !left_out.contains(name.as_str()))
            .cloned()
            .collect();
        Ok(wanted)
    }

    /// Takes a parameter that says how the answer is to look; leaves the others alone.
    fn result_parameter(&mut self, kind: &str, name: &str, value: &str) -> Result<(), Finding> {
        let place = || format!("http.{name}");
        let invalid = |is: &str| {
            Err(Finding::error(
                "invalid",
                place(),
                format!("`{name}={}` is not {is}.", printable(value)),
            ))
        };
        match name {
            "_count" => match value.parse::<usize>() {
                // `_summary=count` wins over a `_count` beside it.
                Ok(count) => self.count = count.min(self.count_max),
                Err(_) => return invalid("a number of matches"),
            },
            // Its pages have cursors of their own.
            "_cursor" if kind == audit_event::KIND => {}
            "_cursor" => match value.parse::<Cursor>() {
                Ok(cursor) => self.after = Some(cursor),
                Err(_) => return invalid("a page of this search; begin again without it"),
            },
            "_total" => match value {
                "none" => self.total = Total::None,
                "accurate" | "estimate" => self.total = Total::Accurate,
                _ => return invalid("`none`, `estimate` or `accurate`"),
            },
            "_summary" => match value {
                "count" => (self.count, self.count_max) = (0, 0),
                "false" => {}
                "true" | "text" | "data" => {
                    return Err(Finding::error(
                        "not-supported",
                        place(),
                        format!(
                            "`_summary={value}` is not supported; there are `count`, `false` and `_elements`."
                        ),
                    ));
                }
                _ => return invalid("`count` or `false`"),
            },
            "_elements" => match Elements::parse(value) {
                Ok(elements) => self.elements = Some(elements),
                Err(error) => return Err(Finding::error("invalid", place(), error.message)),
            },
            "_contained" if value == "false" => {}
            "_contained" | "_containedType" => {
                return Err(Finding::error(
                    "not-supported",
                    place(),
                    format!("`{name}` is not supported: contained resources are not searched."),
                ));
            }
            _ if name.starts_with("_include") || name.starts_with("_revinclude") => {
                let include = Include::parse(kind, name, value)?;
                if self.includes.iter().any(|known| known.is(&include)) {
                    return Ok(());
                }
                if self.includes.len() == INCLUDES_MAX {
                    return Err(Finding::error(
                        "too-costly",
                        place(),
                        format!("More than {INCLUDES_MAX} things are asked to come along."),
                    ));
                }
                self.includes.push(include);
            }
            _ => {}
        }
        Ok(())
    }
}
