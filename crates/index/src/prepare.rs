//! What one version puts into the index, made on the caller's thread: the
//! packed row and the posting keys of its values.
//!
//! | value | posting |
//! |---|---|
//! | token | hash of the code, lower case; the system is left to the row |
//! | reference | hash of the id or the URL without its version |
//! | URI | hash |
//! | string | folded, its first [`key::TEXT_MAX`] bytes |
//! | date | 0, start; if longer than [`SHORT`]: 1, start and 2, end; if reversed: 3 too |
//! | number, quantity | 0, value; if a range: 1, low and 2, high; if reversed: 3 too |
//! | person | hash of the Patient's id, then the main date |
//! | person and code | both hashes, then the main date |
//!
//! A key without its number is a prefix of every posting of that value; the
//! number is added when the change is applied.

use std::sync::LazyLock;

use record::search::{Indexed, ParamId, Values, pack, parameters};

use crate::Error;
use crate::key::{self, Field, HASH};

/// Dates that last no longer are found by their start alone: a search looks
/// this much further back.
pub(crate) const SHORT: i64 = 31 * 86_400 * 1_000_000;

/// The class byte of a date or number: all of it in one place.
pub(crate) const POINT: u8 = 0;
/// The class byte of the start of something extended.
pub(crate) const LOW: u8 = 1;
/// The class byte of the end of something extended.
pub(crate) const HIGH: u8 = 2;

/// The class byte of what ends before it starts, which data does hold: found
/// wherever the other classes could miss it.
pub(crate) const REVERSED: u8 = 3;

/// In a person's posting: the main date follows.
pub(crate) const DATED: u8 = 0;
/// In a person's posting: the resource has no main date.
pub(crate) const UNDATED: u8 = 1;

/// Bytes of hash for the person and for the code in a combined posting.
pub(crate) const PERSON_HASH: usize = 5;
pub(crate) const CODE_HASH: usize = 4;

/// What one version puts into the index.
#[derive(Debug, Clone)]
pub struct Prepared {
    kind: u8,
    values: Vec<u8>,
    keys: Keys,
}

impl Prepared {
    /// From values that were packed before.
    pub(crate) fn stored(kind: u8, values: &[u8]) -> Result<Prepared, Error> {
        Ok(Prepared {
            kind,
            values: values.to_vec(),
            keys: keys_of(kind, values)?,
        })
    }

    pub(crate) fn kind(&self) -> u8 {
        self.kind
    }

    pub(crate) fn values(&self) -> &[u8] {
        &self.values
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }
}

/// Prepares one version from what `record::search::extract` found in it. For a
/// deletion, give no values.
pub fn prepare(kind: &str, values: &[(ParamId, Indexed)]) -> Prepared {
    let number = crate::kind_number(kind).unwrap_or(u8::MAX);
    Prepared {
        kind: number,
        values: pack(values),
        keys: keys(number, || {
            values.iter().map(|(id, value)| (*id, value.clone()))
        }),
    }
}

/// The posting keys of a version that was stored.
pub(crate) fn keys_of(kind: u8, packed: &[u8]) -> Result<Keys, Error> {
    let values = Values::new(packed);
    Ok(keys(kind, || values.iter()))
}

/// Posting keys without their numbers, sorted, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    bytes: Vec<u8>,
    /// Start and length of each.
    places: Vec<(u32, u32)>,
}

impl Keys {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.places
            .iter()
            .map(|(start, len)| &self.bytes[*start as usize..][..*len as usize])
    }

    /// Adds a key that `write` makes.
    fn add(&mut self, kind: u8, field: Field, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        key::put_field(&mut self.bytes, kind, field);
        write(&mut self.bytes);
        let len = self.bytes.len() - start;
        debug_assert!(len + key::U40 <= key::POSTING_MAX);
        self.places.push((start as u32, len as u32));
    }

    fn sort(&mut self) {
        let Keys { bytes, places } = self;
        let of = |(start, len): &(u32, u32)| &bytes[*start as usize..][..*len as usize];
        places.sort_unstable_by(|a, b| of(a).cmp(of(b)));
        places.dedup_by(|a, b| of(a) == of(b));
    }
}

fn keys<'a, I: Iterator<Item = (ParamId, Indexed<'a>)>>(kind: u8, values: impl Fn() -> I) -> Keys {
    let mut keys = Keys::default();
    let fields = combined(kind);
    let mut persons: Vec<u64> = Vec::new();
    let mut codes: Vec<u64> = Vec::new();
    let mut dates: Vec<i64> = Vec::new();
    for (id, value) in values() {
        let field = Field::param(id.0);
        match &value {
            Indexed::Token { code: None, .. } => {
                // It has a value, which `:missing=false` asks for.
                keys.add(kind, field, |out| key::put_hash(out, 0, HASH));
            }
            Indexed::Token {
                code: Some(code), ..
            } => {
                let hash = token_hash(code);
                if fields.code == Some(id) {
                    codes.push(hash);
                }
                keys.add(kind, field, |out| key::put_hash(out, hash, HASH));
            }
            Indexed::String(text) => {
                let folded = record::search::fold(text);
                keys.add(kind, field, |out| key::put_text(out, &folded));
            }
            Indexed::Date { start, end } => {
                if fields.date == Some(id) {
                    dates.push(*start);
                }
                let short = end.saturating_sub(*start) <= SHORT;
                let bytes = [key::date(*start), key::date(*end)];
                extent(&mut keys, kind, field, short, start > end, bytes);
            }
            Indexed::Number(_) | Indexed::Quantity { .. } | Indexed::Range { .. } => {
                let (low, high) = value.bounds().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
                let bytes = [key::float(low), key::float(high)];
                extent(&mut keys, kind, field, low == high, low > high, bytes);
            }
            Indexed::Reference {
                kind: to,
                id: target,
            } => {
                let hash = reference_hash(target);
                if fields.patient == Some(id)
                    || (fields.subject == Some(id) && matches!(to, None | Some("Patient")))
                {
                    persons.push(hash);
                }
                keys.add(kind, field, |out| key::put_hash(out, hash, HASH));
            }
            Indexed::Uri(uri) => {
                let hash = key::hash(uri.as_bytes());
                keys.add(kind, field, |out| key::put_hash(out, hash, HASH));
            }
        }
    }
    if !persons.is_empty() {
        combine(&mut keys, kind, &mut persons, &mut codes, &mut dates);
    }
    keys.sort();
    keys
}

fn combine(
    keys: &mut Keys,
    kind: u8,
    persons: &mut Vec<u64>,
    codes: &mut Vec<u64>,
    dates: &mut Vec<i64>,
) {
    for hashes in [&mut *persons, &mut *codes] {
        hashes.sort_unstable();
        hashes.dedup();
    }
    dates.sort_unstable();
    dates.dedup();
    if dates.len() > 2 {
        // An order asks for the first or the last.
        dates.drain(1..dates.len() - 1);
    }
    let put_date = |out: &mut Vec<u8>, date: Option<i64>| match date {
        Some(date) => put_class(out, DATED, key::date(date)),
        None => out.push(UNDATED),
    };
    let dates: Vec<Option<i64>> = match dates.is_empty() {
        true => vec![None],
        false => dates.iter().map(|date| Some(*date)).collect(),
    };
    for person in persons.iter() {
        for date in &dates {
            keys.add(kind, Field::PERSON, |out| {
                key::put_hash(out, *person, PERSON_HASH);
                put_date(out, *date);
            });
            for code in codes.iter() {
                keys.add(kind, Field::PERSON_CODE, |out| {
                    key::put_hash(out, *person, PERSON_HASH);
                    key::put_hash(out, *code, CODE_HASH);
                    put_date(out, *date);
                });
            }
        }
    }
}

/// Adds what lies between two ends.
fn extent(
    keys: &mut Keys,
    kind: u8,
    field: Field,
    short: bool,
    reversed: bool,
    ends: [[u8; 8]; 2],
) {
    let [low, high] = ends;
    if short && !reversed {
        return keys.add(kind, field, |out| put_class(out, POINT, low));
    }
    keys.add(kind, field, |out| put_class(out, LOW, low));
    keys.add(kind, field, |out| put_class(out, HIGH, high));
    if reversed {
        keys.add(kind, field, |out| put_class(out, REVERSED, low));
    }
}

fn put_class(out: &mut Vec<u8>, class: u8, value: [u8; 8]) {
    out.push(class);
    out.extend_from_slice(&value);
}

/// The hash of a code, whatever its case.
pub(crate) fn token_hash(code: &str) -> u64 {
    if !code.is_ascii() {
        return key::hash(code.to_lowercase().as_bytes());
    }
    if !code.bytes().any(|b| b.is_ascii_uppercase()) {
        return key::hash(code.as_bytes());
    }
    key::hash(code.to_ascii_lowercase().as_bytes())
}

/// The hash of where a reference leads: an id, or a URL without its version.
pub(crate) fn reference_hash(target: &str) -> u64 {
    let bare = target.split_once('|').map_or(target, |(bare, _)| bare);
    key::hash(bare.as_bytes())
}

/// The parameters of a kind that make its combined postings.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Combined {
    pub patient: Option<ParamId>,
    pub subject: Option<ParamId>,
    pub code: Option<ParamId>,
    /// The kind's main date.
    pub date: Option<ParamId>,
}

/// Names of main dates, the first that a kind has.
const DATES: [&str; 9] = [
    "date",
    "authoredon",
    "authored",
    "authored-on",
    "sent",
    "onset-date",
    "created",
    "period",
    "recorded-date",
];

/// The combined postings of a kind.
pub(crate) fn combined(kind: u8) -> Combined {
    static ALL: LazyLock<Vec<Combined>> = LazyLock::new(|| {
        (0..=u8::MAX)
            .map(|kind| {
                let Some(name) = crate::kind_name(kind) else {
                    return Combined::default();
                };
                let find = |code: &str, of_type| {
                    parameters()
                        .lookup(name, code)
                        .filter(|p| p.of_type == of_type)
                        .map(|p| p.id)
                };
                use record::search::ParameterType as T;
                Combined {
                    patient: find("patient", T::Reference),
                    subject: find("subject", T::Reference),
                    code: find("code", T::Token),
                    date: DATES.iter().find_map(|code| find(code, T::Date)),
                }
            })
            .collect()
    });
    ALL[usize::from(kind)]
}
