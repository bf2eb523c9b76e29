//! A run: what a stretch of the ledger puts into the index, gathered in memory
//! before it is written.
//!
//! Live writes and bulk writes gather the same way and differ only in how the
//! run reaches the store (through memory, or as one sorted run per map), so that
//! they cannot give different answers.
//!
//! A run remembers each posting event (opened or closed at a position) and
//! works out the posting's value when it is written: what is not new is read
//! from the store first. Writing the same run again, over a store that holds
//! it in part or whole, leaves the same bytes.

use std::collections::BTreeMap;

use crate::interval::History;
use crate::key::{self, Field, POSTING_MAX};
use crate::prepare::{self, Keys};
use crate::read;
use crate::row::{Head, NewRow, Past, Row};
use crate::store::{Put, SPACES, Space, Store};
use crate::{Change, Error};

/// One posting event. Ordered by key, then position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    /// The posting key, padded with zeroes, as big-endian words.
    key: [u64; POSTING_MAX / 8],
    /// Position × 256 + key length × 2 + opened.
    at: u64,
}

impl Event {
    fn new(key: &[u8], position: u64, opened: bool) -> Event {
        let mut padded = [0u8; POSTING_MAX];
        padded[..key.len()].copy_from_slice(key);
        let mut words = [0u64; POSTING_MAX / 8];
        for (word, bytes) in words.iter_mut().zip(padded.chunks_exact(8)) {
            *word = bytes.iter().fold(0, |n, b| (n << 8) | u64::from(*b));
        }
        Event {
            key: words,
            at: (position << 8) | ((key.len() as u64) << 1) | u64::from(opened),
        }
    }

    fn position(&self) -> u64 {
        self.at >> 8
    }

    fn len(&self) -> usize {
        ((self.at >> 1) & 0x7f) as usize
    }

    fn opened(&self) -> bool {
        self.at & 1 == 1
    }

    fn bytes(&self) -> [u8; POSTING_MAX] {
        let mut out = [0; POSTING_MAX];
        for (bytes, word) in out.chunks_exact_mut(8).zip(self.key) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        out
    }
}

/// Changes gathered and not yet in the store.
#[derive(Default)]
pub(crate) struct Run {
    events: Vec<Event>,
    rows: BTreeMap<u64, Vec<u8>>,
    past: Vec<([u8; 2 * key::U40], Vec<u8>)>,
    heads: BTreeMap<Vec<u8>, Head>,
    times: Vec<(i64, u64)>,
    changes: usize,
    row_bytes: usize,
    size: Option<u64>,
    scratch: Vec<u8>,
    /// Every resource in it comes whole: what the store holds of them does not count.
    afresh: bool,
}

impl Run {
    /// A run that says all there is of each of its resources.
    pub(crate) fn afresh() -> Run {
        Run {
            afresh: true,
            ..Run::default()
        }
    }

    /// Changes gathered.
    pub(crate) fn len(&self) -> usize {
        self.changes
    }

    /// Memory held, in bytes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.events.len() * size_of::<Event>() + self.row_bytes + self.changes * 160
    }

    /// The size that the index covers once the run is written, if a
    /// transaction ended in it.
    pub(crate) fn size(&self) -> Option<u64> {
        self.size
    }

    /// The head of a resource that the run changes.
    pub(crate) fn head(&self, key: &[u8]) -> Option<Head> {
        self.heads.get(key).copied()
    }

    /// Gathers one change. Changes come in the order of their positions.
    pub(crate) fn push(&mut self, store: &Store, change: &Change) -> Result<(), Error> {
        let Change {
            number, position, ..
        } = *change;
        let kind = change.prepared.kind();
        let mut id = Vec::with_capacity(24);
        key::put_id(&mut id, &change.id);

        let mut earlier = Vec::new();
        let mut old_keys = None;
        let mut old_position = None;
        if number != position {
            let stored;
            let bytes: &[u8] = match self.rows.get(&number) {
                Some(bytes) => bytes,
                None => match store.get(Space::Row, &key::u40(number))? {
                    Some(bytes) => {
                        stored = bytes;
                        &stored
                    }
                    None => return Err(Error::Unknown { position, number }),
                },
            };
            let row = Row::read(number, bytes).ok_or(Error::Corrupt("row"))?;
            // A row that is already further (a crash between maps) gives
            // its list; what lies before this change is what matters.
            let before = read::as_of(store, number, row, position)?
                .ok_or(Error::Unknown { position, number })?;
            earlier.extend(
                std::iter::once((row.position, row.deleted))
                    .chain(row.earlier())
                    .filter(|(at, _)| *at < position),
            );
            if !before.deleted {
                old_keys = Some(prepare::keys_of(kind, before.values())?);
                old_position = Some(before.position);
            }
            let past = Past {
                version: before.version,
                deleted: before.deleted,
                values: before.values(),
            }
            .write();
            self.row_bytes += past.len() + 48;
            self.past.push((key::past(number, before.position), past));
        }

        let values = if change.deleted {
            &[][..]
        } else {
            change.prepared.values()
        };
        let new_keys = (!change.deleted).then(|| change.prepared.keys());
        self.diff(kind, change, old_position.zip(old_keys.as_ref()), new_keys);
        let head = Head {
            number,
            position,
            version: change.version,
            deleted: change.deleted,
        };
        let row = NewRow {
            head,
            earlier: &earlier,
            id: &id,
            values,
        }
        .write();
        self.row_bytes += row.len();
        self.rows.insert(number, row);
        id.insert(0, kind);
        self.heads.insert(id, head);
        if change.last_in_transaction {
            self.times.push((change.recorded_at.0, position + 1));
            self.size = Some(position + 1);
        }
        self.changes += 1;
        Ok(())
    }

    /// Closes what no longer holds and opens what is new.
    fn diff(&mut self, kind: u8, change: &Change, old: Option<(u64, &Keys)>, new: Option<&Keys>) {
        if old.is_some() != new.is_some() {
            self.event(kind, Field::EXISTS, &[], change, new.is_some());
        }
        if let Some((position, _)) = old {
            self.event(kind, Field::CHANGED, &key::u40(position), change, false);
        }
        if new.is_some() {
            self.event(
                kind,
                Field::CHANGED,
                &key::u40(change.position),
                change,
                true,
            );
        }
        let none = Keys::default();
        let mut old = old.map_or(&none, |(_, keys)| keys).iter().peekable();
        let mut new = new.unwrap_or(&none).iter().peekable();
        loop {
            match (old.peek(), new.peek()) {
                (None, None) => return,
                (Some(a), Some(b)) if a == b => {
                    old.next();
                    new.next();
                }
                (Some(a), b) if b.is_none_or(|b| a < b) => {
                    self.key_event(a, change, false);
                    old.next();
                }
                (_, Some(b)) => {
                    self.key_event(b, change, true);
                    new.next();
                }
                (Some(_), None) => return,
            }
        }
    }

    fn event(&mut self, kind: u8, field: Field, value: &[u8], change: &Change, opened: bool) {
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        key::put_field(&mut bytes, kind, field);
        bytes.extend_from_slice(value);
        self.key_event(&bytes, change, opened);
        self.scratch = bytes;
    }

    fn key_event(&mut self, key: &[u8], change: &Change, opened: bool) {
        let mut full = [0; POSTING_MAX];
        let end = key.len() + key::U40;
        full[..key.len()].copy_from_slice(key);
        full[key.len()..end].copy_from_slice(&key::u40(change.number));
        self.events
            .push(Event::new(&full[..end], change.position, opened));
    }

    /// Writes everything live; the store then holds the first `size` entries.
    pub(crate) fn write_live(mut self, store: &Store, size: u64) -> Result<(), Error> {
        let mut batch = store.batch()?;
        for space in SPACES {
            self.emit(store, space, &mut |key, value| {
                batch.put(space, key, value);
                Ok(())
            })?;
        }
        batch.finish(size);
        Ok(())
    }

    /// Writes everything as sorted runs. A crash in between leaves what the
    /// store covers where it was, and the same changes may come again.
    pub(crate) fn write_sorted(&mut self, store: &Store, size: u64) -> Result<(), Error> {
        store.ingest(size, |space, put| self.emit(store, space, put))
    }

    /// Gives the keys and values of one map in order.
    pub(crate) fn emit(&mut self, store: &Store, space: Space, put: Put<'_>) -> Result<(), Error> {
        match space {
            Space::Past => {
                self.past.sort_unstable_by_key(|(key, _)| *key);
                for (key, value) in self.past.drain(..) {
                    put(&key, &value)?;
                }
            }
            Space::Posting => {
                self.events.sort_unstable();
                for group in self.events.chunk_by(|a, b| a.key == b.key) {
                    let first = &group[0];
                    let bytes = first.bytes();
                    let key = &bytes[..first.len()];
                    let number = key::number_of(key);
                    if group.len() == 1 && first.opened() && first.position() == number {
                        put(key, &[])?;
                        continue;
                    }
                    let mut history = if first.position() == number || self.afresh {
                        History::default()
                    } else {
                        match store.get(Space::Posting, key)? {
                            Some(value) => History::read(&value, number),
                            None => History::default(),
                        }
                    };
                    for event in group {
                        history.set(number, event.position(), event.opened());
                    }
                    put(key, history.bytes())?;
                }
                self.events = Vec::new();
            }
            Space::Time => {
                // In a ledger that was tampered with times may run backwards or come twice; a sorted run may
                // not. The last word on an instant stands, as if they had been put one by one.
                self.times.sort_unstable();
                for group in self.times.chunk_by(|a, b| a.0 == b.0) {
                    if let Some((at, size)) = group.last() {
                        put(&key::time(*at), &key::u40(*size))?;
                    }
                }
                self.times = Vec::new();
            }
            Space::Head => {
                let mut value = Vec::with_capacity(16);
                for (key, head) in &self.heads {
                    value.clear();
                    head.write(&mut value);
                    put(key, &value)?;
                }
            }
            Space::Row => {
                for (number, row) in &self.rows {
                    put(&key::u40(*number), row)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Bound;
    use std::path::PathBuf;

    use record::search::{Indexed, ParamId, parameters};
    use record::time::RecordedAt;

    use super::*;
    use crate::{Index, Prepared, prepare};

    /// Five observations, changed in turn: codes move, persons stay.
    fn prepared() -> Vec<Prepared> {
        let param = |code: &str| parameters().lookup("Observation", code).map(|p| p.id);
        let (code, patient, date) = (param("code"), param("patient"), param("date"));
        (0..40usize)
            .map(|at| {
                let token = Indexed::Token {
                    system: None,
                    code: Some(format!("c{}", at % 7).into()),
                };
                let person = Indexed::Reference {
                    kind: Some("Patient"),
                    id: "p".into(),
                };
                let day = at as i64 * 86_400_000_000;
                let date_value = Indexed::Date {
                    start: day,
                    end: day + 86_400_000_000,
                };
                let mut values: Vec<(ParamId, Indexed)> =
                    [(code, token), (patient, person), (date, date_value)]
                        .into_iter()
                        .filter_map(|(id, value)| Some((id?, value)))
                        .collect();
                values.sort_by_key(|(id, _)| *id);
                if at % 11 == 10 {
                    prepare("Observation", &[])
                } else {
                    prepare("Observation", &values)
                }
            })
            .collect()
    }

    fn changes(prepared: &[Prepared]) -> Vec<Change<'_>> {
        const IDS: [&str; 5] = ["a", "b", "c", "d", "e"];
        let mut out = Vec::new();
        for (at, prepared) in prepared.iter().enumerate() {
            out.push(Change {
                position: at as u64,
                recorded_at: RecordedAt(at as i64),
                number: at as u64 % 5,
                id: IDS[at % 5].into(),
                version: 1 + at as u32 / 5,
                deleted: at % 11 == 10,
                prepared,
                last_in_transaction: at % 2 == 1,
            });
        }
        out
    }

    fn scratch(name: &str) -> PathBuf {
        let dir =
            std::env::temp_dir().join(format!("homecoming-run-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        dir
    }

    fn everything(index: &Index) -> Vec<(Space, Vec<u8>, Vec<u8>)> {
        let mut out = Vec::new();
        for space in SPACES {
            for entry in index
                .store()
                .scan(space, Bound::Unbounded, Bound::Unbounded)
            {
                let (key, value) = entry.unwrap();
                out.push((space, key.to_vec(), value.to_vec()));
            }
        }
        out
    }

    /// A sorted run is cut off after each map in turn, the index opened
    /// again, and the changes applied again from where it says, live or sorted.
    #[test]
    fn a_run_cut_off_between_maps_is_made_whole() {
        let prepared = prepared();
        let changes = changes(&prepared);
        let dir = scratch("whole");
        let whole = Index::open(&dir, 1).unwrap();
        for change in changes.chunks(2) {
            whole.apply(change).unwrap();
        }
        let expect = everything(&whole);
        drop(whole);
        std::fs::remove_dir_all(&dir).unwrap();
        for cut in 0..=SPACES.len() {
            for live in [true, false] {
                let dir = scratch("cut");
                let index = Index::open(&dir, 1).unwrap();
                index.apply(&changes[..10]).unwrap();
                let mut run = Run::default();
                for change in &changes[10..30] {
                    run.push(index.store(), change).unwrap();
                }
                index.store().checkpoint().unwrap();
                for space in &SPACES[..cut] {
                    let fill = |put: Put<'_>| run.emit(index.store(), *space, put);
                    index.store().ingest_one(*space, fill).unwrap();
                }
                drop(index);
                let index = Index::open(&dir, 1).unwrap();
                assert_eq!(index.applied(), 10, "{cut} written");
                if live {
                    for change in changes[4..].chunks(2) {
                        index.apply(change).unwrap();
                    }
                } else {
                    let mut bulk = index.bulk();
                    for change in &changes[4..] {
                        bulk.push(change).unwrap();
                    }
                    bulk.finish().unwrap();
                }
                assert!(everything(&index) == expect, "{cut} written, live {live}");
                drop(index);
                std::fs::remove_dir_all(&dir).unwrap();
            }
        }
    }
}
