//! Brings the index up to the ledger: after a crash, for `homecoming rebuild`, for a new index.
//!
//! The index is never fsynced, so it may have lost its newest part; the ledger has everything.
//! Entries are read in order, prepared on all cores, and written in sorted runs.

use index::{Bulk, Change, Index, Prepared};
use ledger::{Ledger, Stored};

use crate::error::{Error, ErrorKind};

/// How many entries are prepared at a time.
const PART: u64 = 8_192;

/// Indexes everything from what the index holds to `size`. `progress` is told the size reached.
pub fn catch_up(
    ledger: &Ledger,
    index: &Index,
    size: u64,
    cores: usize,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let mut from = index.applied();
    let mut bulk = index.bulk();
    while from < size {
        let to = size.min(from + PART);
        let part = ledger.stored(from..to).map_err(Error::ledger)?;
        let mut prepared: Vec<Option<(Identity, Prepared)>> = Vec::new();
        prepared.resize_with(part.len(), || None);
        let share = part.len().div_ceil(cores.max(1)).max(1);
        std::thread::scope(|scope| {
            for (stored, out) in part.chunks(share).zip(prepared.chunks_mut(share)) {
                scope.spawn(move || {
                    for (stored, out) in stored.iter().zip(out) {
                        *out = prepare(stored);
                    }
                });
            }
        });
        push(&mut bulk, index, &part, &prepared)?;
        from = to;
        progress(from);
    }
    bulk.finish().map_err(Error::index)
}

struct Identity {
    kind: String,
    id: String,
}

fn prepare(stored: &Stored) -> Option<(Identity, Prepared)> {
    let json = stored.json().ok()?;
    let doc = record::json::Doc::parse(&json).ok()?;
    let root = doc.root();
    let kind = root.get("resourceType")?.as_str()?.into_owned();
    let id = root.get("id")?.as_str()?.into_owned();
    let prepared = if stored.entry.action == ledger::Action::Delete {
        Prepared::nothing()
    } else {
        index::prepare(&kind, &record::search::extract(root))
    };
    Some((Identity { kind, id }, prepared))
}

fn push(
    bulk: &mut Bulk<'_>,
    index: &Index,
    part: &[Stored],
    prepared: &[Option<(Identity, Prepared)>],
) -> Result<(), Error> {
    for (place, (stored, prepared)) in part.iter().zip(prepared).enumerate() {
        let position = stored.entry.position;
        let Some((identity, prepared)) = prepared else {
            return Err(Error::new(
                ErrorKind::Internal,
                format!(
                    "The content of entry {position} cannot be read back. Run `homecoming audit` \
                     to see what is wrong with the record."
                ),
            ));
        };
        let number = if stored.entry.version == 1 {
            position
        } else {
            match bulk.head(&identity.kind, &identity.id).map_err(Error::index)? {
                Some(head) => head.number,
                None => position,
            }
        };
        let last_in_transaction = part
            .get(place + 1)
            .is_none_or(|next| next.entry.recorded_at != stored.entry.recorded_at);
        bulk.push(&Change {
            position,
            recorded_at: stored.entry.recorded_at,
            number,
            kind: &identity.kind,
            id: &identity.id,
            version: stored.entry.version,
            deleted: stored.entry.action == ledger::Action::Delete,
            prepared,
            last_in_transaction,
        })
        .map_err(Error::index)?;
    }
    let _ = index;
    Ok(())
}
