//! The naive model: every version in a list, searched by looking at all of
//! them. It shares nothing with the index but `record::search`.

use std::cmp::Ordering;

use index::{Change, Found, Hit, Prepared, prepare};
use record::search::{
    Criteria, Indexed, ParamId, SortBy, Values, fold, matches, pack, parameters, parse_criteria,
};
use record::time::RecordedAt;

use crate::scratch::Random;

/// One entry of the ledger.
pub struct Entry {
    pub number: u64,
    pub recorded_at: i64,
    pub kind: &'static str,
    pub id: String,
    pub version: u32,
    pub deleted: bool,
    pub last_in_transaction: bool,
    pub values: Vec<u8>,
    pub prepared: Prepared,
}

#[derive(Default)]
pub struct Model {
    pub entries: Vec<Entry>,
}

pub type Value = (ParamId, Indexed<'static>);

/// The parameter of a kind.
pub fn param(kind: &str, code: &str) -> ParamId {
    parameters()
        .lookup(kind, code)
        .unwrap_or_else(|| panic!("{kind} has no {code}"))
        .id
}

/// The criteria of a query such as `patient=p1&_sort=-date`; all of it must be understood.
pub fn criteria(kind: &str, query: &str) -> Criteria {
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or_else(|| panic!("{query}"));
            (name.to_owned(), value.to_owned())
        })
        .collect();
    let (criteria, findings) = parse_criteria(kind, &pairs, "http://here/fhir");
    assert!(findings.is_empty(), "{kind}?{query}: {findings:?}");
    criteria
}

impl Model {
    pub fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Adds an entry; a resource deleted or new gets its number and version by itself.
    pub fn add(
        &mut self,
        kind: &'static str,
        id: &str,
        values: Option<Vec<Value>>,
        recorded_at: i64,
        last_in_transaction: bool,
    ) {
        let position = self.size();
        let before = self.entries.iter().rfind(|e| e.kind == kind && e.id == id);
        let (number, version) = before.map_or((position, 1), |e| (e.number, e.version + 1));
        let deleted = values.is_none();
        let mut values = values.unwrap_or_default();
        values.sort_by_key(|(id, _)| *id);
        self.entries.push(Entry {
            number,
            recorded_at,
            kind,
            id: id.to_owned(),
            version,
            deleted,
            last_in_transaction,
            prepared: prepare(kind, &values),
            values: pack(&values),
        });
    }

    pub fn changes<'m>(&'m self) -> Vec<Change<'m>> {
        let change = |(position, e): (usize, &'m Entry)| Change {
            position: position as u64,
            recorded_at: RecordedAt(e.recorded_at),
            number: e.number,
            id: e.id.as_str().into(),
            version: e.version,
            deleted: e.deleted,
            prepared: &e.prepared,
            last_in_transaction: e.last_in_transaction,
        };
        self.entries.iter().enumerate().map(change).collect()
    }

    /// Sizes at which a transaction ends.
    pub fn ends(&self) -> Vec<u64> {
        let ends = self
            .entries
            .iter()
            .enumerate()
            .filter(|(_, e)| e.last_in_transaction);
        ends.map(|(at, _)| at as u64 + 1).collect()
    }

    fn found(&self, position: usize) -> Found {
        let e = &self.entries[position];
        Found {
            number: e.number,
            position: position as u64,
            version: e.version,
            deleted: e.deleted,
        }
    }

    /// The versions of a resource as of a size, newest first.
    pub fn history(&self, kind: &str, id: &str, size: u64) -> Vec<Found> {
        (0..size as usize)
            .rev()
            .filter(|at| self.entries[*at].kind == kind && self.entries[*at].id == id)
            .map(|at| self.found(at))
            .collect()
    }

    pub fn size_at(&self, instant: i64) -> u64 {
        self.entries
            .iter()
            .filter(|e| e.recorded_at <= instant)
            .count() as u64
    }

    /// All hits of a search, in order.
    pub fn search(&self, criteria: &Criteria, size: u64) -> Vec<Hit> {
        let mut found = Vec::new();
        for number in 0..size as usize {
            if self.entries[number].number != number as u64 {
                continue;
            }
            let last = (0..size as usize)
                .rev()
                .find(|at| self.entries[*at].number == number as u64)
                .expect("it has a version");
            let e = &self.entries[last];
            let values = Values::new(&e.values);
            if e.kind == criteria.kind
                && !e.deleted
                && criteria.id_matches(&e.id)
                && criteria.last_updated_matches(e.recorded_at)
                && criteria
                    .clauses
                    .iter()
                    .all(|clause| matches(&values, clause))
            {
                found.push(last);
            }
        }
        found.sort_by(|a, b| self.compare(criteria, *a, *b));
        found
            .into_iter()
            .map(|at| {
                let found = self.found(at);
                Hit {
                    number: found.number,
                    position: found.position,
                    version: found.version,
                }
            })
            .collect()
    }

    fn compare(&self, criteria: &Criteria, a: usize, b: usize) -> Ordering {
        for word in &criteria.sort {
            let (x, y) = (
                self.key(a, word.by, word.descending),
                self.key(b, word.by, word.descending),
            );
            let ordering = match (x, y) {
                (None, None) => Ordering::Equal,
                (None, _) => Ordering::Greater,
                (_, None) => Ordering::Less,
                (Some(x), Some(y)) => {
                    let ordering = x.partial_cmp(&y).expect("the same type");
                    if word.descending {
                        ordering.reverse()
                    } else {
                        ordering
                    }
                }
            };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        let ordering = self.entries[a].number.cmp(&self.entries[b].number);
        match criteria.sort.first().is_some_and(|word| word.descending) {
            true => ordering.reverse(),
            false => ordering,
        }
    }

    fn key(&self, at: usize, by: SortBy, greatest: bool) -> Option<Key> {
        let e = &self.entries[at];
        let parameter = match by {
            SortBy::LastUpdated => return Some(Key::Date(at as i64)),
            SortBy::Parameter(parameter) => parameter,
        };
        let keys = Values::new(&e.values)
            .of(parameter.id)
            .filter_map(|value| match value {
                Indexed::Token { code, system } => {
                    let code = code?.to_lowercase();
                    Some(Key::Pair(code, system.unwrap_or_default().into_owned()))
                }
                Indexed::String(text) => Some(Key::Text(fold(&text))),
                Indexed::Date { start, .. } => Some(Key::Date(start)),
                Indexed::Reference { id, .. } | Indexed::Uri(id) => {
                    Some(Key::Text(id.into_owned()))
                }
                other => other.bounds().map(|(low, _)| Key::Number(low)),
            });
        let better = |a: Key, b: Key| match (a < b) == greatest {
            true => b,
            false => a,
        };
        keys.reduce(better)
    }
}

#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Key {
    Text(String),
    Pair(String, String),
    Date(i64),
    Number(f64),
}

/// Random values of a kind; small ranges, so that they meet.
pub fn values(random: &mut Random, kind: &str) -> Vec<Value> {
    let r = random;
    let mut out: Vec<Value> = Vec::new();
    let mut put = |code: &str, value: Indexed<'static>| out.push((param(kind, code), value));
    match kind {
        "Observation" => {
            for _ in 0..r.below(3) {
                put("code", token(r));
            }
            for _ in 0..r.below(3) {
                put("category", token(r));
            }
            if !r.one_in(5) {
                let to = reference(r);
                if matches!(
                    to,
                    Indexed::Reference {
                        kind: Some("Patient"),
                        ..
                    }
                ) {
                    put("patient", to.clone());
                }
                put("subject", to);
            }
            for _ in 0..[0, 1, 1, 1, 3][r.below(5)] {
                put("date", date(r));
            }
            match r.below(4) {
                0 => put("value-quantity", quantity(r)),
                1 => put("value-date", date(r)),
                2 => put("value-string", Indexed::String((*r.pick(TEXTS)).into())),
                _ => {}
            }
            put(
                "status",
                Indexed::Token {
                    system: None,
                    code: Some((*r.pick(&["final", "amended"])).into()),
                },
            );
        }
        "Patient" => {
            for _ in 0..r.below(3) {
                put("family", Indexed::String((*r.pick(TEXTS)).into()));
            }
            put(
                "gender",
                Indexed::Token {
                    system: None,
                    code: Some((*r.pick(&["male", "female"])).into()),
                },
            );
            if !r.one_in(3) {
                put("birthdate", date(r));
            }
            if r.one_in(3) {
                put("general-practitioner", reference(r));
            }
        }
        "RiskAssessment" => {
            put(
                "probability",
                match r.below(4) {
                    0 => Indexed::Range {
                        low: decimal(r),
                        high: decimal(r),
                        system: "".into(),
                        code: "".into(),
                        unit: "".into(),
                    },
                    _ => Indexed::Number(decimal_text(r.pick::<&str>(DECIMALS))),
                },
            );
        }
        "ValueSet" => {
            put("url", Indexed::Uri((*r.pick(URIS)).into()));
            if r.one_in(2) {
                put("name", Indexed::String((*r.pick(TEXTS)).into()));
            }
        }
        _ => panic!("{kind}"),
    }
    out
}

pub const KINDS: &[&str] = &["Observation", "Patient", "RiskAssessment", "ValueSet"];
pub const TEXTS: &[&str] = &[
    "Smith",
    "smithers",
    "Šmíd",
    "Müller",
    "MULLER",
    "van der Berg, the longer one",
    "van der Berg, the longer two",
    "Ng",
    "O'Brien",
    "-",
];
pub const URIS: &[&str] = &[
    "http://a/x",
    "http://a/x/y",
    "http://a",
    "urn:oid:1.2",
    "http://a/x|2",
];
const CODES: &[&str] = &["8867-4", "29463-7", "A", "a", "b"];
const SYSTEMS: &[Option<&str>] = &[None, Some(""), Some("http://loinc.org"), Some("http://s")];
const DECIMALS: &[&str] = &["0", "-1.5", "5.4", "5.40", "100", "1e2", "99.5", "0.25"];
const DAY: i64 = 86_400_000_000;

fn token(r: &mut Random) -> Indexed<'static> {
    Indexed::Token {
        system: r.pick(SYSTEMS).map(Into::into),
        code: (!r.one_in(8)).then(|| (*r.pick(CODES)).into()),
    }
}

fn reference(r: &mut Random) -> Indexed<'static> {
    match r.below(6) {
        0 => Indexed::Reference {
            kind: Some("Group"),
            id: "p1".into(),
        },
        1 => Indexed::Reference {
            kind: None,
            id: (*r.pick(URIS)).into(),
        },
        n => Indexed::Reference {
            kind: Some("Patient"),
            id: format!("p{}", n % 3).into(),
        },
    }
}

fn date(r: &mut Random) -> Indexed<'static> {
    let start = (18_262 + r.below(60) as i64) * DAY;
    let (start, end) = match r.below(8) {
        0 => (start, start + 40 * DAY),
        1 => (i64::MIN, start),
        2 => (start, i64::MAX),
        3 => (start, start - 20 * DAY),
        4 => (start + 123_456, start + 123_457),
        _ => (start, start + DAY),
    };
    Indexed::Date { start, end }
}

fn decimal_text(text: &str) -> record::search::Decimal {
    record::search::Decimal::parse(text).expect("a number")
}

fn decimal(r: &mut Random) -> Option<record::search::Decimal> {
    (!r.one_in(4)).then(|| decimal_text(r.pick::<&str>(DECIMALS)))
}

fn quantity(r: &mut Random) -> Indexed<'static> {
    let unit = *r.pick(&["mg", "kg"]);
    match r.below(3) {
        0 => Indexed::Range {
            low: decimal(r),
            high: decimal(r),
            system: "http://u".into(),
            code: unit.into(),
            unit: unit.into(),
        },
        _ => Indexed::Quantity {
            value: decimal_text(r.pick::<&str>(DECIMALS)),
            system: "http://u".into(),
            code: unit.into(),
            unit: unit.into(),
        },
    }
}
