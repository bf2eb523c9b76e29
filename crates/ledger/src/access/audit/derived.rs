//! What is kept beside the leaves so that they are found and opened: whom each is about, which key is which month's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use record::time::RecordedAt;
use rusqlite::Connection;

use crate::audit::faults::Faults;
use crate::store;

/// A person and a leaf that told of them.
pub(in crate::access) type Pair = ([u8; 16], u64);

/// `about` holds exactly what the leaves that it covers say.
///
/// What is covered once stays, so each pair of a leaf is looked up when the leaf is read, or soon after if it is not
/// covered yet. If every pair is there, and there are no more rows than pairs, there are no others.
#[derive(Default)]
pub(super) struct About {
    /// Of leaves that were not covered when they were read, in the order of the leaves.
    waiting: VecDeque<Pair>,
    /// How many leaves were covered when that was asked last.
    covered: u64,
    /// How many pairs were looked up and are there.
    there: u64,
}

impl About {
    /// Takes the pairs of a window's leaves.
    pub(super) fn leaves(&mut self, db: &Connection, pairs: Vec<Pair>, faults: &mut Faults) {
        self.waiting.extend(pairs);
        // Whether it reads at all is asked at the end.
        if let Ok(Some(covered)) = store::state(db, "covered")
            && let Ok(covered) = covered.parse::<u64>()
        {
            self.look_up(db, covered, faults);
        }
    }

    fn look_up(&mut self, db: &Connection, covered: u64, faults: &mut Faults) {
        self.covered = self.covered.max(covered);
        let mut due = Vec::new();
        while let Some(pair) = self
            .waiting
            .pop_front_if(|(_, position)| *position < covered)
        {
            due.push(pair);
        }
        // In the order of the table.
        due.sort_unstable();
        for (person, position) in due {
            match is_about(db, &person, position) {
                Ok(true) => self.there += 1,
                Ok(false) => faults.at(
                    position,
                    "the access log's index of persons does not lead to it from each whom it told of",
                ),
                Err(e) => {
                    return faults.say(format!("The index of persons cannot be read: {e}"));
                }
            }
        }
    }

    /// At the end of a log of this size, in one moment.
    pub(super) fn end(mut self, db: &Connection, size: u64, faults: &mut Faults) {
        let text = store::state(db, "covered").ok().flatten();
        let text = text.unwrap_or_default();
        let covered = match text.parse::<u64>() {
            // One number has one text, and nothing is covered that is not there, or was and is not any more.
            Ok(number)
                if number <= size && number >= self.covered && number.to_string() == text =>
            {
                number
            }
            _ => {
                return faults.say(format!(
                    "The access log's index of persons does not say how many of the {size} leaves it covers"
                ));
            }
        };
        self.look_up(db, covered, faults);
        about_besides(db, self.there, faults);
    }
}

/// Rows of `about` that no leaf gives, where so many that leaves do are there.
pub(in crate::access) fn about_besides(db: &Connection, there: u64, faults: &mut Faults) {
    match db.query_row(COUNT_ABOUT, [], |row| row.get::<_, i64>(0)) {
        Ok(count) if count as u64 == there => {}
        Ok(count) => faults.say(format!(
            "The access log's index of persons has {count} rows, of which its leaves give {there}"
        )),
        Err(e) => faults.say(format!("The index of persons cannot be read: {e}")),
    }
}

/// How many rows `about` has.
pub(in crate::access) const COUNT_ABOUT: &str = "SELECT count(*) FROM about";

/// Whether `about` leads from a person to a leaf.
pub(in crate::access) fn is_about(
    db: &Connection,
    person: &[u8; 16],
    position: u64,
) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM about WHERE person = ?1 AND position = ?2")?
        .exists((&person[..], position as i64))
}

/// Each month of a leaf, and the slots of the month's key that its leaves are sealed under.
#[derive(Default)]
pub(in crate::access) struct Months {
    used: BTreeMap<String, BTreeSet<u32>>,
    /// The day of the leaf before, and its month's name.
    day: Option<(i64, String)>,
}

impl Months {
    /// Takes a leaf in: when it was recorded, and under which slot if it is sealed under a month's.
    pub(in crate::access) fn leaf(&mut self, at: RecordedAt, slot: Option<u32>) {
        let day = at.0.div_euclid(DAY_US);
        if self.day.as_ref().is_none_or(|(known, _)| *known != day) {
            let month = at.to_string()[..7].to_owned();
            self.used.entry(month.clone()).or_default();
            self.day = Some((day, month));
        }
        if let (Some(slot), Some((_, month))) = (slot, &self.day)
            && let Some(slots) = self.used.get_mut(month)
        {
            slots.insert(slot);
        }
    }

    /// Every month that a leaf is of has its key, and the leaves that are sealed under a month's are under that one.
    pub(in crate::access) fn check(&self, db: &Connection, faults: &mut Faults) {
        let found = db
            .prepare("SELECT month, slot FROM month_key")
            .and_then(|mut select| {
                select
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<rusqlite::Result<BTreeMap<String, u32>>>()
            });
        let found = match found {
            Ok(found) => found,
            Err(e) => return faults.say(format!("The months' keys cannot be read: {e}")),
        };
        let fits = self.used.iter().all(|(month, used)| {
            let slot = found.get(month);
            slot.is_some_and(|slot| used.iter().all(|used| used == slot))
        });
        if !fits {
            faults.say(
                "The access log does not have the months' keys that its leaves are sealed under",
            );
        }
    }
}

const DAY_US: i64 = 24 * 3_600 * 1_000_000;
