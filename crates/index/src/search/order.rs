//! Order: what results are sorted by, as bytes that compare.
//!
//! * A resource with several values sorts by its least, or, descending, by its
//!   greatest. Dates and ranges sort by where they start.
//! * A resource without a value comes last, in either direction.
//! * Ties fall in the order of creation; in its reverse if the first word is
//!   descending. So the order is total, and pages never overlap.

use std::cmp::Ordering;

use record::search::{Indexed, ParamId, ParameterType, Sort, SortBy, Values, fold};

use crate::key::{self, Field};
use crate::prepare::{LOW, POINT};
use crate::read::Version;
use crate::search::candidates::Range;

/// The order of a search.
pub(crate) struct Order<'a> {
    words: &'a [Sort],
}

/// Where a resource stands in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    keys: Vec<Option<Vec<u8>>>,
    pub number: u64,
}

impl<'a> Order<'a> {
    pub(crate) fn new(words: &'a [Sort]) -> Order<'a> {
        Order { words }
    }

    /// By creation only.
    pub(crate) fn is_plain(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether ties, and a walk, go from the last to the first.
    pub(crate) fn descending(&self) -> bool {
        self.words.first().is_some_and(|word| word.descending)
    }

    /// The first word, if it is the only one.
    pub(crate) fn only(&self) -> Option<&Sort> {
        match self.words {
            [word] => Some(word),
            _ => None,
        }
    }

    pub(crate) fn first(&self) -> Option<&Sort> {
        self.words.first()
    }

    pub(crate) fn place(&self, version: &Version) -> Place {
        Place {
            keys: self
                .words
                .iter()
                .map(|word| key_of(version, word))
                .collect(),
            number: version.number,
        }
    }

    pub(crate) fn compare(&self, a: &Place, b: &Place) -> Ordering {
        for (word, (x, y)) in self.words.iter().zip(a.keys.iter().zip(&b.keys)) {
            let ordering = match (x, y) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(x), Some(y)) if word.descending => y.cmp(x),
                (Some(x), Some(y)) => x.cmp(y),
            };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        match self.descending() {
            false => a.number.cmp(&b.number),
            true => b.number.cmp(&a.number),
        }
    }
}

impl Place {
    /// Whether the first word has a value.
    pub(crate) fn has_value(&self) -> bool {
        matches!(self.keys.first(), Some(Some(_)))
    }

    /// The first word's value as postings hold it.
    pub(crate) fn walked(&self, word: &Sort) -> Option<Vec<u8>> {
        let key = self.keys.first()?.as_ref()?;
        match word.by {
            SortBy::Parameter(parameter) if parameter.of_type == ParameterType::String => {
                let mut out = Vec::new();
                key::put_text(&mut out, std::str::from_utf8(key).ok()?);
                Some(out)
            }
            _ => Some(key.clone()),
        }
    }
}

/// Posting keys that are in the order of a word, without those that have no
/// value: the prefixes of the ranges. `None` if its postings are not ordered.
pub(crate) fn walkable(kind: u8, word: &Sort) -> Option<Vec<Vec<u8>>> {
    let prefix = |field: Field, class: Option<u8>| {
        let mut out = Vec::with_capacity(4);
        key::put_field(&mut out, kind, field);
        out.extend(class);
        out
    };
    match word.by {
        SortBy::LastUpdated => Some(vec![prefix(Field::CHANGED, None)]),
        SortBy::Parameter(parameter) => {
            let field = Field::param(parameter.id.0);
            match parameter.of_type {
                ParameterType::Date | ParameterType::Number | ParameterType::Quantity => {
                    Some(vec![prefix(field, Some(POINT)), prefix(field, Some(LOW))])
                }
                ParameterType::String => Some(vec![prefix(field, None)]),
                _ => None,
            }
        }
    }
}

/// The range of a walk from `start` on (what [`Place::walked`] says), or whole.
pub(crate) fn range_from(prefix: &[u8], start: Option<&[u8]>, descending: bool) -> Range {
    match (start, descending) {
        (None, _) => Range::prefix(prefix),
        (Some(start), false) => Range::within(prefix, start, &[]),
        (Some(start), true) => Range::within(prefix, &[], start),
    }
}

fn key_of(version: &Version, word: &Sort) -> Option<Vec<u8>> {
    match word.by {
        SortBy::LastUpdated => Some(key::u40(version.position).to_vec()),
        SortBy::Parameter(parameter) => value_of(version.values(), parameter.id, word.descending),
    }
}

fn value_of(packed: &[u8], param: ParamId, greatest: bool) -> Option<Vec<u8>> {
    let keys = Values::new(packed)
        .of(param)
        .filter_map(|value| value_key(&value));
    match greatest {
        false => keys.min(),
        true => keys.max(),
    }
}

fn value_key(value: &Indexed) -> Option<Vec<u8>> {
    match value {
        Indexed::Token { system, code } => {
            let code = code.as_deref()?.to_lowercase();
            let system = system.as_deref().unwrap_or_default();
            Some([code.as_bytes(), &[0], system.as_bytes()].concat())
        }
        Indexed::String(text) => Some(fold(text).into_bytes()),
        Indexed::Date { start, .. } => Some(key::date(*start).to_vec()),
        Indexed::Number(_) | Indexed::Quantity { .. } | Indexed::Range { .. } => {
            value.bounds().map(|(low, _)| key::float(low).to_vec())
        }
        Indexed::Reference { id, .. } => Some(id.as_bytes().to_vec()),
        Indexed::Uri(uri) => Some(uri.as_bytes().to_vec()),
    }
}
