//! What somebody asks: the parameters of one search, read into clauses (FHIR R4 search, 3.1.1).
//!
//! Nothing is ignored silently. What is unknown, unsupported or malformed gives a finding that names
//! the parameter (`http.name`), and is left out of the criteria: a caller that is asked to be strict
//! refuses the search, a lenient one runs what is left and tells. Parameters that shape the result
//! rather than choose it ([`is_result_parameter`]) are the caller's, except `_sort`.
//!
//! Every clause must hold; in a clause any one of the tests (`a,b`).

mod value;

use super::{Decimal, Parameter, ParameterType, parameters};
use crate::finding::Finding;

/// The criteria of one search.
#[derive(Debug, Clone)]
pub struct Criteria {
    /// The kind that is searched.
    pub kind: &'static str,
    /// `_id`: the id must be in every list.
    pub ids: Vec<Vec<String>>,
    /// `_lastUpdated`: one test of every list must hold for the instant of recording.
    pub last_updated: Vec<Vec<Test>>,
    /// Everything that is asked of the values of a version.
    pub clauses: Vec<Clause>,
    /// In which order, first word first; empty if not said.
    pub sort: Vec<Sort>,
}

/// One parameter with its value or values.
#[derive(Debug, Clone)]
pub struct Clause {
    /// The parameter.
    pub parameter: &'static Parameter,
    /// How it is asked.
    pub modifier: Modifier,
    /// One of them must hold ([`Modifier::Not`]: none). Empty with [`Modifier::Missing`].
    pub tests: Vec<Test>,
}

/// How the values of a clause are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    /// None was given; or one whose meaning is in the tests (`:Patient`, `:identifier`).
    Plain,
    /// `:missing=true`: there is no value; `false`: there is one.
    Missing(bool),
    /// `:not`: none of the tests holds.
    Not,
    /// `:exact`: the whole string, with case and accents.
    Exact,
    /// `:contains`: anywhere in the string.
    Contains,
    /// `:below`: this URI or one further down.
    Below,
    /// `:above`: this URI or one further up.
    Above,
}

/// One value that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// A code or an identifier.
    Token {
        /// What its system must be.
        system: SystemTest,
        /// Lower-cased; `None`: any (`system|`).
        code: Option<String>,
    },
    /// Folded, or as written under [`Modifier::Exact`].
    String(String),
    /// A point in time or a span of it, `[start, end)` in microseconds.
    Date {
        /// How it is compared.
        prefix: Prefix,
        /// The first microsecond.
        start: i64,
        /// The first microsecond after it.
        end: i64,
    },
    /// A number.
    Number {
        /// How it is compared.
        prefix: Prefix,
        /// With the digits that were written.
        value: Decimal,
    },
    /// An amount.
    Quantity {
        /// How it is compared.
        prefix: Prefix,
        /// With the digits that were written.
        value: Decimal,
        /// Of the code; `None`: any.
        system: Option<String>,
        /// The coded unit, or without a system the unit as shown; `None`: any.
        code: Option<String>,
    },
    /// Another resource.
    Reference(ReferenceTest),
    /// As written.
    Uri(String),
}

/// What a reference must lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceTest {
    /// A resource of this server; of any kind if none was given.
    Local {
        /// The kind.
        kind: Option<&'static str>,
        /// The id.
        id: String,
    },
    /// A URL elsewhere, a canonical (with its version, or of any), or a `urn:`.
    Url(String),
}

/// What the system of a token must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SystemTest {
    /// `code`: anything.
    Any,
    /// `|code`: there is none.
    Absent,
    /// `system|code`.
    Is(String),
}

/// How an ordered value is compared with the one asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// Equal, within the precision that was written.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Less.
    Lt,
    /// Greater or equal.
    Ge,
    /// Less or equal.
    Le,
    /// Starts after.
    Sa,
    /// Ends before.
    Eb,
    /// About.
    Ap,
}

/// One word of `_sort`.
#[derive(Debug, Clone, Copy)]
pub struct Sort {
    /// What it is sorted by.
    pub by: SortBy,
    /// Largest first.
    pub descending: bool,
}

/// What results can be sorted by.
#[derive(Debug, Clone, Copy)]
pub enum SortBy {
    /// The values of a parameter.
    Parameter(&'static Parameter),
    /// When the version was recorded.
    LastUpdated,
}

impl Criteria {
    /// Of everything of a kind.
    pub fn all(kind: &'static str) -> Criteria {
        Criteria {
            kind,
            ids: vec![],
            last_updated: vec![],
            clauses: vec![],
            sort: vec![],
        }
    }

    /// Whether `_id` holds.
    pub fn id_matches(&self, id: &str) -> bool {
        self.ids
            .iter()
            .all(|any| any.iter().any(|wanted| wanted == id))
    }

    /// Whether `_lastUpdated` holds for a version recorded at this microsecond.
    pub fn last_updated_matches(&self, recorded_at: i64) -> bool {
        self.last_updated.iter().all(|any| {
            any.iter()
                .any(|test| super::matches_date(test, recorded_at))
        })
    }
}

/// Whether a parameter says how the result is to look, not what is in it.
pub fn is_result_parameter(name: &str) -> bool {
    let name = name.split(':').next().unwrap_or(name);
    matches!(
        name,
        "_sort"
            | "_count"
            | "_include"
            | "_revinclude"
            | "_summary"
            | "_elements"
            | "_total"
            | "_contained"
            | "_containedType"
            | "_format"
            | "_pretty"
            | "_asof"
            | "_cursor"
    )
}

/// Reads the (name, value) pairs of a search of `kind`, already decoded from the URL. `base_url` is
/// this server's (`https://example.org/fhir`): references under it are to its own resources.
///
/// # Panics
/// Never; a kind that does not exist gives a finding and criteria that nothing answers to.
pub fn parse_criteria(
    kind: &str,
    params: &[(String, String)],
    base_url: &str,
) -> (Criteria, Vec<Finding>) {
    let registry = parameters();
    let Some(kind) = registry
        .of_kind(kind)
        .first()
        .map(|parameter| parameter.kind)
    else {
        let mut nothing = Criteria::all("");
        nothing.ids.push(Vec::new());
        let message = format!("`{kind}` is not a resource type of FHIR R4.");
        return (nothing, vec![Finding::error("not-supported", "", message)]);
    };
    let mut criteria = Criteria::all(kind);
    let mut findings = Vec::new();
    for (name, text) in params {
        let result = if name == "_sort" {
            sort(kind, text).map(|sort| criteria.sort = sort)
        } else if is_result_parameter(name) {
            Ok(())
        } else {
            read(&mut criteria, name, text, base_url)
        };
        if let Err(Problem { code, message }) = result {
            findings.push(Finding::error(code, format!("http.{name}"), message));
        }
    }
    (criteria, findings)
}

/// Why a parameter is left out.
struct Problem {
    code: &'static str,
    message: String,
}

fn not_supported(message: impl Into<String>) -> Problem {
    Problem {
        code: "not-supported",
        message: message.into(),
    }
}

fn invalid(message: impl Into<String>) -> Problem {
    Problem {
        code: "invalid",
        message: message.into(),
    }
}

fn read(criteria: &mut Criteria, name: &str, text: &str, base_url: &str) -> Result<(), Problem> {
    if let Some(sentence) = refused_by_name(name) {
        return Err(not_supported(sentence));
    }
    let (code, modifier) = match name.split_once(':') {
        Some((code, modifier)) => (code, Some(modifier)),
        None => (name, None),
    };
    if text.is_empty() {
        return Err(invalid(format!("`{name}` has no value.")));
    }
    match code {
        "_id" => {
            refuse_modifier(name, modifier)?;
            let ids = value::split(text, ',')
                .map(value::unescape)
                .collect::<Result<_, _>>()?;
            criteria.ids.push(ids);
            return Ok(());
        }
        "_lastUpdated" => {
            refuse_modifier(name, modifier)?;
            let tests = value::split(text, ',').map(|part| value::date(name, part));
            criteria.last_updated.push(tests.collect::<Result<_, _>>()?);
            return Ok(());
        }
        _ => {}
    }
    let parameter = find(criteria.kind, code)?;
    let clause = clause(parameter, name, modifier, text, base_url)?;
    criteria.clauses.push(clause);
    Ok(())
}

fn find(kind: &'static str, code: &str) -> Result<&'static Parameter, Problem> {
    let Some(parameter) = parameters().lookup(kind, code) else {
        return Err(not_supported(format!(
            "{kind} has no search parameter `{code}`."
        )));
    };
    match parameter.of_type {
        ParameterType::Composite => Err(not_supported(format!(
            "`{code}` is a composite parameter; these are not supported yet."
        ))),
        ParameterType::Special => Err(not_supported(format!("`{code}` is not supported yet."))),
        _ => Ok(parameter),
    }
}

/// Whether FHIR defines a parameter of this name for this kind, supported here or not; a modifier or a chain makes it
/// one that is meant.
pub fn is_defined(kind: &str, name: &str) -> bool {
    name.contains([':', '.'])
        || refused_by_name(name).is_some()
        || parameters().lookup(kind, name).is_some()
}

/// Parameters that FHIR knows and that are not HL7's expressions.
fn refused_by_name(name: &str) -> Option<String> {
    let code = name.split(':').next().unwrap_or(name);
    if matches!(
        code,
        "_text" | "_content" | "_filter" | "_query" | "_list" | "_type"
    ) {
        return Some(format!("`{code}` is not supported yet."));
    }
    if code == "_has" {
        return Some("Reverse chained searches (`_has`) are not supported yet.".to_owned());
    }
    if name.contains('.') {
        return Some(format!(
            "`{name}` is a chained search; these are not supported yet."
        ));
    }
    None
}

fn refuse_modifier(name: &str, modifier: Option<&str>) -> Result<(), Problem> {
    match modifier {
        None => Ok(()),
        Some(modifier) => {
            let code = name.split(':').next().unwrap_or(name);
            Err(not_supported(format!(
                "The modifier `:{modifier}` is not supported for `{code}`."
            )))
        }
    }
}

/// What the modifier of a clause changes about its values.
enum Reading {
    Usual(Modifier),
    Missing,
    OfKind(&'static str),
    Identifier,
}

fn reading(parameter: &'static Parameter, modifier: Option<&str>) -> Result<Reading, Problem> {
    use ParameterType as T;
    let Some(modifier) = modifier else {
        return Ok(Reading::Usual(Modifier::Plain));
    };
    Ok(match (parameter.of_type, modifier) {
        (_, "missing") => Reading::Missing,
        (T::Token, "not") => Reading::Usual(Modifier::Not),
        (T::String, "exact") => Reading::Usual(Modifier::Exact),
        (T::String, "contains") => Reading::Usual(Modifier::Contains),
        (T::Uri, "below") => Reading::Usual(Modifier::Below),
        (T::Uri, "above") => Reading::Usual(Modifier::Above),
        (T::Reference, "identifier") => Reading::Identifier,
        (T::Reference, kind) if kind.starts_with(|letter: char| letter.is_ascii_uppercase()) => {
            let known = parameters()
                .of_kind(kind)
                .first()
                .map(|parameter| parameter.kind);
            let code = parameter.code;
            match known {
                None => {
                    return Err(invalid(format!(
                        "`{kind}` is not a resource type of FHIR R4."
                    )));
                }
                Some(kind)
                    if !parameter.targets().is_empty() && !parameter.targets().contains(&kind) =>
                {
                    return Err(invalid(format!("`{code}` never refers to a {kind}.")));
                }
                Some(kind) => Reading::OfKind(kind),
            }
        }
        _ => {
            let (code, of_type) = (parameter.code, parameter.of_type.name());
            return Err(not_supported(format!(
                "The modifier `:{modifier}` is not supported for `{code}`, a {of_type} parameter."
            )));
        }
    })
}

fn clause(
    parameter: &'static Parameter,
    name: &str,
    modifier: Option<&str>,
    text: &str,
    base_url: &str,
) -> Result<Clause, Problem> {
    let reading = reading(parameter, modifier)?;
    if let Reading::Missing = reading {
        let missing = match text {
            "true" => true,
            "false" => false,
            _ => return Err(invalid(format!("`{name}` is `true` or `false`."))),
        };
        return Ok(Clause {
            parameter,
            modifier: Modifier::Missing(missing),
            tests: vec![],
        });
    }
    let mut tests = Vec::new();
    for part in value::split(text, ',') {
        if part.is_empty() {
            return Err(invalid(format!(
                "`{name}` has an empty value among others."
            )));
        }
        tests.push(match (&reading, parameter.of_type) {
            (Reading::Identifier, _) | (_, ParameterType::Token) => value::token(name, part)?,
            (Reading::Usual(Modifier::Exact), _) => Test::String(value::unescape(part)?),
            (_, ParameterType::String) => Test::String(super::fold(&value::unescape(part)?)),
            (_, ParameterType::Uri) => Test::Uri(value::unescape(part)?),
            (_, ParameterType::Date) => value::date(name, part)?,
            (_, ParameterType::Number) => value::number(name, part)?,
            (_, ParameterType::Quantity) => value::quantity(name, part)?,
            (Reading::OfKind(kind), _) => {
                value::reference(name, part, parameter, Some(kind), base_url)?
            }
            _ => value::reference(name, part, parameter, None, base_url)?,
        });
    }
    let modifier = match reading {
        Reading::Usual(modifier) => modifier,
        _ => Modifier::Plain,
    };
    Ok(Clause {
        parameter,
        modifier,
        tests,
    })
}

fn sort(kind: &'static str, text: &str) -> Result<Vec<Sort>, Problem> {
    let word = |word: &str| {
        let (descending, code) = match word.strip_prefix('-') {
            Some(code) => (true, code),
            None => (false, word),
        };
        let by = match code {
            "_lastUpdated" => SortBy::LastUpdated,
            // An index may know ids by aliases alone, whose order is no order of ids.
            "_id" => {
                return Err(not_supported(
                    "`_sort` by `_id` is not supported. Pages follow each other in a fixed order \
                     also without it.",
                ));
            }
            _ => SortBy::Parameter(find(kind, code)?),
        };
        Ok(Sort { by, descending })
    };
    text.split(',').map(word).collect()
}

#[cfg(test)]
mod tests;
