//! Brings the index up to the ledger: after a crash, for `homecoming rebuild`, for a new index.
//!
//! The index reaches the disk in the background, some thousand entries at a time, so a crash loses
//! its newest part; the ledger has everything.
//! Entries are read in order, opened, unpacked and prepared on all cores, and written in sorted runs.
//!
//! What was erased has no values: it is indexed as deleted, which keeps the versions before and after it in their
//! places. The index calls every resource as its lines do, so nothing else depends on what can be opened.

use std::ops::ControlFlow;

use index::{Bulk, Change, Index, Limits, Prepared};
use ledger::{Action, Entry, Ledger, Raw, ReadError};

use crate::error::{Error, ErrorKind};

/// How many entries are prepared at a time.
const PART: u64 = 8_192;

/// An entry as it was read, still sealed.
struct Sealed {
    position: u64,
    line: Vec<u8>,
    format: i64,
    class: i64,
    slot: i64,
    body: Vec<u8>,
}

/// What the index is told of an entry.
struct Ready {
    entry: Entry,
    deleted: bool,
    prepared: Prepared,
}

/// Indexes the first `until` entries, which end with a transaction, as far as the index has them not.
/// `progress` is told the size reached.
pub fn catch_up(
    ledger: &Ledger,
    index: &Index,
    cores: usize,
    until: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    catch_up_within(ledger, index, cores, until, Limits::default(), progress)
}

/// [`catch_up`], with sorted runs of a size of one's own: what was not written as one is lost if it is interrupted.
pub fn catch_up_within(
    ledger: &Ledger,
    index: &Index,
    cores: usize,
    until: u64,
    runs: Limits,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let mut bulk = index.bulk_within(runs);
    // The transaction that a part ends with may go on in the next one: its last entry waits.
    let mut held: Option<Ready> = None;
    let mut reached = index.applied();
    while reached < until {
        // A moment for each part: one over all would keep a server's write-ahead log from being folded in.
        let wanted = until.saturating_sub(reached).min(PART);
        let part = read(ledger, reached, wanted)?;
        if part.is_empty() {
            break;
        }
        reached += part.len() as u64;
        push(ledger, index, &mut bulk, &part, &mut held, cores)?;
        progress(reached);
    }
    if let Some(last) = held {
        tell(index, &mut bulk, &last, true)?;
    }
    bulk.finish().map_err(Error::index)?;
    progress(index.applied());
    Ok(())
}

/// So many entries from a position on, or as many as there are.
fn read(ledger: &Ledger, from: u64, wanted: u64) -> Result<Vec<Sealed>, Error> {
    let mut part = Vec::new();
    ledger
        .scan(from, |raw| {
            part.push(Sealed {
                position: raw.position,
                line: raw.line.to_vec(),
                format: raw.format,
                class: raw.class,
                slot: raw.slot,
                body: raw.body.to_vec(),
            });
            match (part.len() as u64) < wanted {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })
        .map_err(Error::ledger)?;
    Ok(part)
}

fn push(
    ledger: &Ledger,
    index: &Index,
    bulk: &mut Bulk<'_>,
    part: &[Sealed],
    held: &mut Option<Ready>,
    cores: usize,
) -> Result<(), Error> {
    let mut ready: Vec<Option<Ready>> = Vec::new();
    ready.resize_with(part.len(), || None);
    let share = part.len().div_ceil(cores.max(1)).max(1);
    std::thread::scope(|scope| {
        for (sealed, out) in part.chunks(share).zip(ready.chunks_mut(share)) {
            scope.spawn(move || {
                for (sealed, out) in sealed.iter().zip(out) {
                    *out = prepare(ledger, sealed);
                }
            });
        }
    });
    for ready in ready {
        let Some(ready) = ready else {
            return Err(Error::new(
                ErrorKind::Internal,
                "A content of the ledger cannot be read back, so the index cannot be brought up. \
                 Run `homecoming audit` to see which.",
            ));
        };
        if let Some(before) = held.take() {
            let last = before.entry.recorded_at != ready.entry.recorded_at;
            tell(index, bulk, &before, last)?;
        }
        *held = Some(ready);
    }
    Ok(())
}

fn prepare(ledger: &Ledger, sealed: &Sealed) -> Option<Ready> {
    let raw = Raw {
        position: sealed.position,
        line: &sealed.line,
        format: sealed.format,
        class: sealed.class,
        slot: sealed.slot,
        body: &sealed.body,
    };
    let entry = raw.entry().ok()?;
    let content = match ledger.unseal(&raw) {
        Ok(content) => content,
        Err(ReadError::Erased { .. }) => {
            return Some(Ready {
                deleted: true,
                prepared: index::prepare(&entry.kind, &[]),
                entry,
            });
        }
        Err(error) => {
            tracing::error!(%error, "an entry cannot be indexed");
            return None;
        }
    };
    let deleted = entry.action == Action::Delete;
    let prepared = if deleted {
        index::prepare(&entry.kind, &[])
    } else {
        let doc = record::json::Doc::parse(&content.stored).ok()?;
        index::prepare(&entry.kind, &record::search::extract(doc.root()))
    };
    Some(Ready {
        deleted,
        prepared,
        entry,
    })
}

fn tell(index: &Index, bulk: &mut Bulk<'_>, ready: &Ready, last: bool) -> Result<(), Error> {
    let entry = &ready.entry;
    let number = if entry.version == 1 {
        entry.position
    } else {
        let head = index.head(&entry.kind, &entry.id).map_err(Error::index)?;
        let Some(head) = head else {
            return Err(Error::new(
                ErrorKind::Internal,
                format!(
                    "Entry {} changes what no entry before it made, so the index cannot be brought up. \
                     Run `homecoming audit`.",
                    entry.position
                ),
            ));
        };
        head.number
    };
    bulk.push(&Change {
        position: entry.position,
        recorded_at: entry.recorded_at,
        number,
        id: entry.id.as_str().into(),
        version: entry.version,
        deleted: ready.deleted,
        prepared: &ready.prepared,
        last_in_transaction: last,
    })
    .map_err(Error::index)
}
