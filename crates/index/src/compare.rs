//! Two indexes held against each other: the one that was found, and the one that the ledger gives.
//!
//! Every key and value of every map is compared, in both ways: what is missing, what is there besides,
//! and what is other than it must be. Both must cover the same size, and then they are the same to the
//! byte: however changes came in (one by one, in sorted runs, again after a crash, with what was
//! forgotten), the maps hold the same.
//!
//! A difference names positions of the ledger, kinds and search parameters, never an id or a value:
//! those may say who somebody is.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Bound;

use record::search::{ParamId, parameters};
use record::time::RecordedAt;

use crate::key::{self, Field, U40, take_varint};
use crate::row::{Head, Past, Row};
use crate::store::{Bytes, SPACES, Scan, Space};
use crate::{Error, Index, kind_name};

/// A place in which an index is not what the ledger gives: a sentence without its full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference(String);

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a comparison has come: every map before its map was compared, and of that one every key up to its key, if
/// it has one.
///
/// The key is made of what somebody is found by, so a place is kept only where the index itself may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which of the maps, in their order.
    map: u8,
    key: Vec<u8>,
}

impl Place {
    /// As bytes, to be kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[self.map], &self.key[..]].concat()
    }

    /// The place that [`to_bytes`](Place::to_bytes) gave.
    pub fn from_bytes(bytes: &[u8]) -> Option<Place> {
        let (map, key) = bytes.split_first()?;
        let place = Place {
            map: *map,
            key: key.to_vec(),
        };
        (usize::from(*map) <= SPACES.len()).then_some(place)
    }
}

/// What a comparison tells while it goes on.
#[derive(Debug)]
pub enum Told {
    /// Something is not as it must be.
    Difference(Difference),
    /// So many keys more were compared, up to this place.
    Reached(Place, u64),
}

/// How many keys are compared from one [`Told::Reached`] to the next.
#[derive(Debug, Clone, Copy)]
pub struct Stride(pub u64);

impl Default for Stride {
    fn default() -> Stride {
        Stride(1 << 18)
    }
}

impl Index {
    /// Holds this index against the one that the ledger gives, from a place on or from the beginning, and tells
    /// every difference. An error is of `expected`; what cannot be read of this one is a difference.
    pub fn compare(
        &self,
        expected: &Index,
        from: Option<&Place>,
        stride: Stride,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), Error> {
        let begin = from.map_or(0, |place| place.map);
        for (map, space) in (0u8..).zip(SPACES).skip(usize::from(begin)) {
            let after = from.filter(|place| place.map == map && !place.key.is_empty());
            let rest = |index: &Index| {
                let from = match after {
                    Some(place) => Bound::Excluded(&place.key[..]),
                    None => Bound::Unbounded,
                };
                index.store().scan(space, from, Bound::Unbounded)
            };
            let mut compared = Compared {
                map,
                space,
                found: rest(self),
                expected: rest(expected),
                stride,
                since: 0,
                tell: &mut *tell,
            };
            compared.run()?;
        }
        Ok(())
    }
}

struct Compared<'t> {
    map: u8,
    space: Space,
    found: Scan,
    expected: Scan,
    stride: Stride,
    /// Keys compared since the last place was told.
    since: u64,
    tell: &'t mut dyn FnMut(Told),
}

impl Compared<'_> {
    fn run(&mut self) -> Result<(), Error> {
        let mut found = self.next_found();
        let mut expected = self.expected.next().transpose()?;
        loop {
            let order = match (&found, &expected) {
                (None, None) => {
                    self.reached(self.map + 1, &[]);
                    return Ok(());
                }
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((found, _)), Some((expected, _))) => found.cmp(expected),
            };
            let amiss = match (order, &found, &expected) {
                (Ordering::Less, Some((key, value)), _) => Some((key, Amiss::Besides { value })),
                (Ordering::Greater, _, Some((key, value))) => Some((key, Amiss::Missing { value })),
                (_, Some((key, value)), Some((_, expected))) if value != expected => {
                    Some((key, Amiss::Other { value, expected }))
                }
                _ => None,
            };
            if let Some((key, amiss)) = amiss {
                let difference = Difference(sentence(self.space, key, amiss));
                (self.tell)(Told::Difference(difference));
            }
            self.since += 1;
            if self.since >= self.stride.0 {
                let lesser = match order {
                    Ordering::Greater => &expected,
                    _ => &found,
                };
                if let Some((key, _)) = lesser {
                    let key = key.to_vec();
                    self.reached(self.map, &key);
                }
            }
            if order != Ordering::Greater {
                found = self.next_found();
            }
            if order != Ordering::Less {
                expected = self.expected.next().transpose()?;
            }
        }
    }

    fn reached(&mut self, map: u8, key: &[u8]) {
        let place = Place {
            map,
            key: key.to_vec(),
        };
        (self.tell)(Told::Reached(place, std::mem::take(&mut self.since)));
    }

    /// What cannot be read ends the map.
    fn next_found(&mut self) -> Option<(Bytes, Bytes)> {
        let next = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.found.next()));
        match next {
            Ok(None) => None,
            Ok(Some(Ok(entry))) => Some(entry),
            // The engine panics on some damage.
            Ok(Some(Err(_))) | Err(_) => {
                (self.tell)(Told::Difference(Difference(format!(
                    "its map `{}` is damaged and cannot be read to the end",
                    self.space.name()
                ))));
                None
            }
        }
    }
}

/// How a key is amiss.
#[derive(Clone, Copy)]
enum Amiss<'v> {
    Missing { value: &'v [u8] },
    Besides { value: &'v [u8] },
    Other { value: &'v [u8], expected: &'v [u8] },
}

impl<'v> Amiss<'v> {
    fn value(self) -> &'v [u8] {
        match self {
            Amiss::Missing { value } | Amiss::Besides { value } | Amiss::Other { value, .. } => {
                value
            }
        }
    }
}

fn sentence(space: Space, key: &[u8], amiss: Amiss<'_>) -> String {
    let said = match space {
        Space::Head => head(key, amiss),
        Space::Row => Some(row(key::read_u40(key), amiss)),
        Space::Past => Some(past(key, amiss)),
        Space::Posting => posting(key, amiss),
        Space::Time => Some(time(key, amiss)),
    };
    said.unwrap_or_else(|| {
        format!(
            "its map `{}` has a key or a value that nothing ever writes",
            space.name()
        )
    })
}

fn kind_of(key: &[u8]) -> Option<&'static str> {
    kind_name(*key.first()?)
}

fn head(key: &[u8], amiss: Amiss<'_>) -> Option<String> {
    let kind = kind_of(key)?;
    let of = Head::read(amiss.value())?;
    Some(match amiss {
        Amiss::Missing { .. } => format!(
            "the {kind} that began with entry {} is not found by its id",
            of.number
        ),
        Amiss::Besides { .. } => format!(
            "an id leads to the {kind} that began with entry {}, and the ledger gives no such id",
            of.number
        ),
        Amiss::Other { expected, .. } => {
            let right = Head::read(expected)?;
            format!(
                "the {kind} that began with entry {} is found by its id as {}, not as {}",
                right.number,
                stands(of),
                stands(right)
            )
        }
    })
}

fn stands(head: Head) -> String {
    let deleted = if head.deleted { ", deleted" } else { "" };
    format!(
        "version {} of entry {}{deleted}",
        head.version, head.position
    )
}

fn row(number: u64, amiss: Amiss<'_>) -> String {
    let of = format!("of the resource that began with entry {number}");
    match amiss {
        Amiss::Missing { .. } => format!("the newest version {of} is not there"),
        Amiss::Besides { .. } => {
            format!("there is a newest version {of}, and the ledger gives no such resource")
        }
        Amiss::Other { value, expected } => {
            let what = match (Row::read(number, value), Row::read(number, expected)) {
                (Some(is), Some(right)) if is.head(number) != right.head(number) => format!(
                    "is said to be {}, not {}",
                    stands(is.head(number)),
                    stands(right.head(number))
                ),
                (Some(is), Some(right)) if is.id != right.id => "has another id".to_owned(),
                (Some(is), Some(right)) if is.values != right.values => {
                    "has other values than the ledger gives".to_owned()
                }
                (Some(_), Some(_)) => "lists other versions before it".to_owned(),
                _ => "does not read".to_owned(),
            };
            format!("the newest version {of} {what}")
        }
    }
}

fn past(key: &[u8], amiss: Amiss<'_>) -> String {
    let position = key::read_u40(&key[U40.min(key.len())..]);
    let of = format!(
        "the earlier version at entry {position} of the resource that began with entry {}",
        key::read_u40(key)
    );
    match amiss {
        Amiss::Missing { .. } => format!("{of} is not there"),
        Amiss::Besides { .. } => format!("{of} is there, and the ledger gives no such version"),
        Amiss::Other { value, expected } => match (Past::read(value), Past::read(expected)) {
            (Some(is), Some(right)) if is.values != right.values => {
                format!("{of} has other values than the ledger gives")
            }
            (Some(_), Some(_)) => format!("{of} has another number, or was not deleted as it says"),
            _ => format!("{of} does not read"),
        },
    }
}

fn posting(key: &[u8], amiss: Amiss<'_>) -> Option<String> {
    let kind = kind_of(key)?;
    let field = Field(u16::from_be_bytes([*key.get(1)?, *key.get(2)?]));
    let number = key::number_of(key);
    let by = match field {
        Field::EXISTS => "a search for all of its kind".to_owned(),
        Field::CHANGED => "`_lastUpdated`".to_owned(),
        Field::PERSON => "its person and date".to_owned(),
        Field::PERSON_CODE => "its person, code and date".to_owned(),
        Field(param) => {
            let id = ParamId(param.checked_sub(Field::param(0).0)?);
            format!("`{}`", parameters().get(id)?.code)
        }
    };
    let resource = format!("the {kind} that began with entry {number}");
    Some(match amiss {
        Amiss::Missing { value } => format!(
            "{resource} is not found by {by}, under a value that it had {}",
            when(value, number)
        ),
        Amiss::Besides { value } => format!(
            "{resource} is found by {by}, under a value that it never had, {}",
            when(value, number)
        ),
        Amiss::Other { value, expected } => format!(
            "{resource} is found by {by} {}, and had the value {}",
            when(value, number),
            when(expected, number)
        ),
    })
}

/// When a posting held, in words.
fn when(mut bytes: &[u8], number: u64) -> String {
    if bytes.is_empty() {
        return format!("since entry {number}");
    }
    let mut bounds = Vec::new();
    let mut at = number;
    while let Some(step) = take_varint(&mut bytes) {
        at = at.saturating_add(step);
        bounds.push(at);
    }
    if !bytes.is_empty() {
        return "at times that do not read".to_owned();
    }
    let spans: Vec<String> = bounds
        .chunks(2)
        .map(|span| match span {
            [from, to] => format!("from entry {from} to entry {to}"),
            [from, ..] => format!("since entry {from}"),
            [] => String::new(),
        })
        .collect();
    spans.join(", ")
}

fn time(key: &[u8], amiss: Amiss<'_>) -> String {
    let at = RecordedAt(key::read_time(key));
    let size = key::read_u40(amiss.value());
    match amiss {
        Amiss::Missing { .. } => {
            format!("it does not know that {size} entries were recorded by {at}")
        }
        Amiss::Besides { .. } => format!("it says that something was recorded at {at}"),
        Amiss::Other { expected, .. } => format!(
            "it says that {size} entries were recorded by {at}, and there were {}",
            key::read_u40(expected)
        ),
    }
}

#[cfg(test)]
mod tests;
