//! The plan: which postings can propose candidates for a clause.
//!
//! What is proposed must contain everything that `record::search::matches`
//! accepts; it may contain more. A clause for which that cannot be had (`:not`,
//! `:missing=true`) proposes nothing and is only judged by.

use record::search::{
    Clause, Criteria, Indexed, Modifier, Prefix, ReferenceTest, Sort, SortBy, Test,
};

use crate::key::{self, Field, HASH};
use crate::prepare::{
    self, CODE_HASH, DATED, HIGH, LOW, PERSON_HASH, POINT, REVERSED, SHORT, UNDATED, reference_hash,
};
use crate::search::candidates::Range;

/// The most combinations of persons and codes that are looked up together.
const COMBINED_MAX: usize = 64;

/// Where one clause's candidates are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    pub ranges: Vec<Range>,
    /// The length of the ranges' common prefix, if each is in the order of
    /// creation after it.
    pub ordered: Option<usize>,
}

/// The postings of a person, or a person and code: prefixes without the date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Combined {
    pub prefixes: Vec<Vec<u8>>,
    /// Which clauses they stand for.
    pub clauses: Vec<usize>,
}

impl Combined {
    /// The prefixes of those that have a main date, or have none.
    pub(crate) fn dated(&self, dated: bool) -> Vec<Vec<u8>> {
        let class = if dated { DATED } else { UNDATED };
        self.prefixes
            .iter()
            .map(|prefix| [&prefix[..], &[class]].concat())
            .collect()
    }

    pub(crate) fn access(&self) -> Access {
        Access {
            ranges: self
                .prefixes
                .iter()
                .map(|prefix| Range::prefix(prefix))
                .collect(),
            ordered: None,
        }
    }
}

/// Whether a word of the order is the kind's main date.
pub(crate) fn is_main_date(kind: u8, word: &Sort) -> bool {
    match word.by {
        SortBy::Parameter(parameter) => prepare::combined(kind).date == Some(parameter.id),
        _ => false,
    }
}

/// The combined postings that a search can use, if it asks for a person.
pub(crate) fn combined(kind: u8, criteria: &Criteria) -> Option<Combined> {
    let fields = prepare::combined(kind);
    let mut persons: Option<(usize, Vec<u64>)> = None;
    let mut codes: Option<(usize, Vec<u64>)> = None;
    for (at, clause) in criteria.clauses.iter().enumerate() {
        if clause.modifier != Modifier::Plain {
            continue;
        }
        let id = Some(clause.parameter.id);
        if persons.is_none() && (id == fields.patient || id == fields.subject) {
            let hashes = clause.tests.iter().map(|test| match test {
                Test::Reference(ReferenceTest::Local { kind, id: target })
                    if id == fields.patient || *kind == Some("Patient") =>
                {
                    Some(reference_hash(target))
                }
                _ => None,
            });
            persons = hashes
                .collect::<Option<Vec<_>>>()
                .map(|hashes| (at, hashes));
        } else if codes.is_none() && id == fields.code {
            let hashes = clause.tests.iter().map(|test| match test {
                Test::Token {
                    code: Some(code), ..
                } => Some(key::hash(code.as_bytes())),
                _ => None,
            });
            codes = hashes
                .collect::<Option<Vec<_>>>()
                .map(|hashes| (at, hashes));
        }
    }
    let (person_clause, mut persons) = persons?;
    persons.sort_unstable();
    persons.dedup();
    if persons.len() > COMBINED_MAX {
        return None;
    }
    let mut prefixes = Vec::new();
    let mut clauses = vec![person_clause];
    match codes.filter(|(_, codes)| persons.len() * codes.len() <= COMBINED_MAX) {
        Some((code_clause, mut codes)) => {
            codes.sort_unstable();
            codes.dedup();
            clauses.push(code_clause);
            for person in &persons {
                for code in &codes {
                    let mut prefix = field(kind, Field::PERSON_CODE);
                    key::put_hash(&mut prefix, *person, PERSON_HASH);
                    key::put_hash(&mut prefix, *code, CODE_HASH);
                    prefixes.push(prefix);
                }
            }
        }
        None => {
            for person in &persons {
                let mut prefix = field(kind, Field::PERSON);
                key::put_hash(&mut prefix, *person, PERSON_HASH);
                prefixes.push(prefix);
            }
        }
    }
    prefixes.sort_unstable();
    prefixes.dedup();
    Some(Combined { prefixes, clauses })
}

/// Everything of a kind, in the order of creation.
pub(crate) fn everything(kind: u8) -> Access {
    let prefix = everything_prefix(kind);
    Access {
        ranges: vec![Range::prefix(&prefix)],
        ordered: Some(prefix.len()),
    }
}

/// What the postings of everything of a kind start with.
pub(crate) fn everything_prefix(kind: u8) -> Vec<u8> {
    field(kind, Field::EXISTS)
}

/// Versions of a kind whose positions are in one of these (start, end).
pub(crate) fn changed(kind: u8, positions: &[(u64, u64)]) -> Access {
    let prefix = field(kind, Field::CHANGED);
    let ranges = positions
        .iter()
        .filter(|(start, end)| start < end)
        .map(|(start, end)| Range::within(&prefix, &key::u40(*start), &key::u40(*end - 1)))
        .collect();
    Access {
        ranges,
        ordered: None,
    }
}

/// The candidates of a clause; `None` if postings cannot propose them.
pub(crate) fn access(kind: u8, clause: &Clause) -> Option<Access> {
    let prefix = field(kind, Field::param(clause.parameter.id.0));
    let all = || Access {
        ranges: vec![Range::prefix(&prefix)],
        ordered: None,
    };
    match clause.modifier {
        Modifier::Missing(true) | Modifier::Not => return None,
        Modifier::Missing(false) | Modifier::Contains | Modifier::Below | Modifier::Above => {
            return Some(all());
        }
        Modifier::Plain | Modifier::Exact => {}
    }
    let mut ranges = Vec::new();
    let mut hashed = true;
    for test in &clause.tests {
        let hash = |ranges: &mut Vec<Range>, hash: u64| {
            let mut exact = prefix.clone();
            key::put_hash(&mut exact, hash, HASH);
            ranges.push(Range::prefix(&exact));
        };
        match test {
            Test::Token {
                code: Some(code), ..
            } => hash(&mut ranges, key::hash(code.as_bytes())),
            Test::Token { code: None, .. } => return Some(all()),
            Test::Reference(ReferenceTest::Local { id, .. }) => {
                hash(&mut ranges, reference_hash(id))
            }
            Test::Reference(ReferenceTest::Url(url)) => hash(&mut ranges, reference_hash(url)),
            Test::Uri(uri) => hash(&mut ranges, key::hash(uri.as_bytes())),
            Test::String(text) => {
                hashed = false;
                ranges.push(string(&prefix, text, clause.modifier));
            }
            Test::Date {
                prefix: Prefix::Ne, ..
            }
            | Test::Number {
                prefix: Prefix::Ne, ..
            }
            | Test::Quantity {
                prefix: Prefix::Ne, ..
            } => return Some(all()),
            Test::Date {
                prefix: how,
                start,
                end,
            } => {
                hashed = false;
                dates(&prefix, *how, *start, *end, &mut ranges);
            }
            Test::Number { prefix: how, value }
            | Test::Quantity {
                prefix: how, value, ..
            } => {
                hashed = false;
                numbers(&prefix, *how, *value, &mut ranges);
            }
        }
    }
    ranges.sort_unstable();
    ranges.dedup();
    Some(Access {
        ranges,
        ordered: hashed.then_some(prefix.len() + HASH),
    })
}

fn field(kind: u8, field: Field) -> Vec<u8> {
    let mut out = Vec::with_capacity(key::POSTING_MAX);
    key::put_field(&mut out, kind, field);
    out
}

fn string(prefix: &[u8], text: &str, modifier: Modifier) -> Range {
    if modifier == Modifier::Exact {
        let mut whole = Vec::new();
        key::put_text(&mut whole, &record::search::fold(text));
        return Range::within(prefix, &whole, &whole);
    }
    let start = key::cut(text).as_bytes();
    Range::within(prefix, start, start)
}

/// Bounds of one class: from and to, both included; `None` is open.
fn class<T>(
    prefix: &[u8],
    class: u8,
    low: Option<T>,
    high: Option<T>,
    encode: impl Fn(T) -> [u8; 8],
    ranges: &mut Vec<Range>,
) {
    let prefix = [prefix, &[class]].concat();
    let bytes = |end: Option<T>| end.map_or(Vec::new(), |end| encode(end).to_vec());
    ranges.push(Range::within(&prefix, &bytes(low), &bytes(high)));
}

fn dates(prefix: &[u8], how: Prefix, start: i64, end: i64, ranges: &mut Vec<Range>) {
    let mut put = |of: u8, low: Option<i64>, high: Option<i64>| {
        class(prefix, of, low, high, key::date, ranges);
    };
    match how {
        // What starts in it.
        Prefix::Eq => {
            put(POINT, Some(start), Some(end));
            put(LOW, Some(start), Some(end));
            put(REVERSED, None, None);
        }
        // What ends after it; short ones are found by where they start.
        Prefix::Gt => {
            put(POINT, Some(end.saturating_sub(SHORT)), None);
            put(HIGH, Some(end), None);
        }
        Prefix::Ge => {
            put(POINT, Some(start.min(end.saturating_sub(SHORT))), None);
            put(HIGH, Some(start), None);
            put(REVERSED, None, None);
        }
        Prefix::Lt => {
            put(POINT, None, Some(start));
            put(LOW, None, Some(start));
        }
        Prefix::Le => {
            put(POINT, None, Some(end));
            put(LOW, None, Some(end));
            put(REVERSED, None, None);
        }
        Prefix::Sa => {
            put(POINT, Some(end), None);
            put(LOW, Some(end), None);
        }
        Prefix::Eb => {
            put(POINT, None, Some(start));
            put(HIGH, None, Some(start));
        }
        Prefix::Ap => {
            let width = end.saturating_sub(start);
            let (low, high) = (start.saturating_sub(width), end.saturating_add(width));
            put(POINT, Some(low.saturating_sub(SHORT)), Some(high));
            put(LOW, None, Some(high));
        }
        Prefix::Ne => {
            put(POINT, None, None);
            put(LOW, None, None);
        }
    }
}

fn numbers(prefix: &[u8], how: Prefix, value: record::search::Decimal, ranges: &mut Vec<Range>) {
    let at = |value: record::search::Decimal| {
        Indexed::Number(value).bounds().map_or(0.0, |(low, _)| low)
    };
    let asked = Some(at(value));
    let mut put = |of: u8, low: Option<f64>, high: Option<f64>| {
        class(prefix, of, low, high, key::float, ranges);
    };
    match how {
        Prefix::Eq => {
            let (low, high) = value.implied_range();
            put(POINT, Some(at(low)), Some(at(high)));
            put(LOW, Some(at(low)), Some(at(high)));
            put(REVERSED, None, None);
        }
        Prefix::Gt | Prefix::Ge => {
            put(POINT, asked, None);
            put(HIGH, asked, None);
        }
        Prefix::Lt | Prefix::Le => {
            put(POINT, None, asked);
            put(LOW, None, asked);
        }
        Prefix::Sa => {
            put(POINT, asked, None);
            put(LOW, asked, None);
        }
        Prefix::Eb => {
            put(POINT, None, asked);
            put(HIGH, None, asked);
        }
        Prefix::Ap => {
            let (low, high) = value.tenth_around();
            put(POINT, Some(at(low)), Some(at(high)));
            put(LOW, None, Some(at(high)));
        }
        Prefix::Ne => {
            put(POINT, None, None);
            put(LOW, None, None);
        }
    }
}
