//! Brings the index up to the ledger: after a crash, for `homecoming rebuild`, for a new index.
//!
//! The index reaches the disk in the background, some thousand entries at a time, so a crash loses
//! its newest part; the ledger has everything.
//! Entries are read in order, unpacked and prepared on all cores, and written in sorted runs.

use std::ops::ControlFlow;

use index::{Bulk, Change, Index, Prepared};
use ledger::{Action, Entry, Ledger};

use crate::error::{Error, ErrorKind};

/// How many entries are prepared at a time.
const PART: usize = 8_192;

/// An entry as it was read, still packed.
struct Packed {
    line: Vec<u8>,
    body: Vec<u8>,
    format: i64,
}

/// What the index is told of an entry.
struct Ready {
    entry: Entry,
    id: String,
    prepared: Prepared,
}

/// Indexes everything that the ledger has and the index has not. `progress` is told the size
/// reached.
pub fn catch_up(
    ledger: &Ledger,
    index: &Index,
    cores: usize,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let mut bulk = index.bulk();
    let mut part: Vec<Packed> = Vec::with_capacity(PART);
    // The transaction that a part ends with may go on in the next one: its last entry waits.
    let mut held: Option<Ready> = None;
    let mut reached = index.applied();
    let failed = ledger
        .scan(reached, |raw| {
            part.push(Packed {
                line: raw.line.to_vec(),
                body: raw.body.to_vec(),
                format: raw.format,
            });
            if part.len() < PART {
                return ControlFlow::Continue(());
            }
            reached += part.len() as u64;
            let full = std::mem::replace(&mut part, Vec::with_capacity(PART));
            match push(index, &mut bulk, &full, &mut held, cores) {
                Ok(()) => {
                    progress(reached);
                    ControlFlow::Continue(())
                }
                Err(error) => ControlFlow::Break(error),
            }
        })
        .map_err(Error::ledger)?;
    if let Some(error) = failed {
        return Err(error);
    }
    push(index, &mut bulk, &part, &mut held, cores)?;
    if let Some(last) = held {
        tell(index, &mut bulk, &last, true)?;
    }
    bulk.finish().map_err(Error::index)?;
    progress(index.applied());
    Ok(())
}

fn push(
    index: &Index,
    bulk: &mut Bulk<'_>,
    part: &[Packed],
    held: &mut Option<Ready>,
    cores: usize,
) -> Result<(), Error> {
    let mut ready: Vec<Option<Ready>> = Vec::new();
    ready.resize_with(part.len(), || None);
    let share = part.len().div_ceil(cores.max(1)).max(1);
    std::thread::scope(|scope| {
        for (packed, out) in part.chunks(share).zip(ready.chunks_mut(share)) {
            scope.spawn(move || {
                for (packed, out) in packed.iter().zip(out) {
                    *out = prepare(packed);
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

fn prepare(packed: &Packed) -> Option<Ready> {
    let entry = Entry::parse(&packed.line).ok()?;
    let stored = ledger::content::decompress(packed.format, &packed.body).ok()?;
    let (kind, id) = ledger::content::name(&stored)?;
    let prepared = if entry.action == Action::Delete {
        index::prepare(kind, &[])
    } else {
        let doc = record::json::Doc::parse(&stored).ok()?;
        index::prepare(kind, &record::search::extract(doc.root()))
    };
    let id = id.to_owned();
    Some(Ready {
        entry,
        id,
        prepared,
    })
}

fn tell(index: &Index, bulk: &mut Bulk<'_>, ready: &Ready, last: bool) -> Result<(), Error> {
    let entry = &ready.entry;
    let number = if entry.version == 1 {
        entry.position
    } else {
        index
            .head(&entry.kind, &ready.id)
            .map_err(Error::index)?
            .map_or(entry.position, |head| head.number)
    };
    bulk.push(&Change {
        position: entry.position,
        recorded_at: entry.recorded_at,
        number,
        id: &ready.id,
        version: entry.version,
        deleted: entry.action == Action::Delete,
        prepared: &ready.prepared,
        last_in_transaction: last,
    })
    .map_err(Error::index)
}
