//! Where each person's chain of entries ends is itself recorded, at intervals.
//!
//! The map ([`ledger::heads`]) is what proves that an entry at the end of somebody's chain was
//! withheld. It is written when as many entries are not covered by one as there are persons (so that
//! making it costs a constant for each entry), at least [`UNCOVERED_LEAST`]; or else a minute after
//! the first entry that is not covered; and at the end of an import.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ledger::Ledger;
use ledger::access::AccessLog;
use ledger::heads::{self, Map};
use tokio::sync::{mpsc, oneshot};

use super::named::Named;
use super::writer::Submission;
use super::{Actor, Draft, Expect, Inner, Work};
use crate::error::Error;

/// A map is not made for fewer entries than this, unless they have waited.
const UNCOVERED_LEAST: u64 = 1_024;

/// How long an entry waits for a map to cover it, at most, in microseconds.
const WAIT_US: i64 = 60_000_000;

/// How often it is looked whether a map is due.
const LOOK: Duration = Duration::from_millis(500);

/// Who records it, and what for.
pub(super) fn actor() -> Actor {
    Actor {
        name: "homecoming".to_owned(),
        purpose: "HOPERAT".to_owned(),
    }
}

/// How many entries need no map any more: those that the last one covers, and itself.
pub(super) fn covered(named: Named<'_>) -> Result<u64, Error> {
    let head = named.latest(heads::KIND, heads::ID)?;
    Ok(head.map_or(0, |head| head.position + 1))
}

/// The map of the first `size` entries, and how many persons are in it.
pub(super) fn draft(ledger: &Ledger, access: &AccessLog, size: u64) -> Result<(Draft, u64), Error> {
    let heads = ledger.heads_at(size).map_err(Error::ledger)?;
    let map = Map {
        size,
        persons: heads.len() as u64,
        root: heads::root(&heads)
            .ok_or_else(|| Error::internal("the heads of the chains are out of order"))?,
        access: Some(access.verifier().clone()),
    };
    let draft = Draft::governance(heads::KIND, heads::ID, Expect::Any, map.stored(), None)?;
    Ok((draft, map.persons))
}

/// The map that would cover a person's latest entry, if none does.
pub(super) fn owed_to(inner: &Inner, patient: &str) -> Result<Option<Draft>, Error> {
    let last = inner.ledger.chain_head(patient).map_err(Error::ledger)?;
    if last.is_none_or(|last| covered(inner.named()).is_ok_and(|covered| last < covered)) {
        return Ok(None);
    }
    let size = inner.visible.load(Ordering::Acquire);
    draft(&inner.ledger, &inner.access, size).map(|(draft, _)| Some(draft))
}

/// Sees to it, on a thread of its own, until the programme is let go.
pub(super) fn see_to_it(
    inner: Weak<Inner>,
    submissions: mpsc::WeakSender<Submission>,
) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("heads".to_owned())
        .spawn(move || {
            let mut since = None;
            let mut persons = 0;
            loop {
                std::thread::sleep(LOOK);
                let (Some(inner), Some(submissions)) = (inner.upgrade(), submissions.upgrade())
                else {
                    return;
                };
                match look(&inner, &submissions, &mut since, persons) {
                    Ok(Some(found)) => persons = found,
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(error = error.for_operator(), "no map of the heads");
                        since = Some(inner.clock.now().0);
                    }
                }
            }
        })
        .map(|_| ())
}

/// Records a map if one is due; gives how many persons are in it.
fn look(
    inner: &Arc<Inner>,
    submissions: &mpsc::Sender<Submission>,
    since: &mut Option<i64>,
    persons: u64,
) -> Result<Option<u64>, Error> {
    let size = inner.visible.load(Ordering::Acquire);
    let uncovered = size.saturating_sub(covered(inner.named())?);
    if uncovered == 0 {
        *since = None;
        return Ok(None);
    }
    let now = inner.clock.now().0;
    let waited = now - *since.get_or_insert(now);
    if uncovered < UNCOVERED_LEAST.max(persons) && waited < WAIT_US {
        return Ok(None);
    }
    let (draft, persons) = draft(&inner.ledger, &inner.access, size)?;
    let (answer, answered) = oneshot::channel();
    let submission = Submission {
        actor: actor(),
        work: Work::Ready(vec![draft]),
        answer,
    };
    // If the writer has ended, so does the programme.
    if submissions.blocking_send(submission).is_ok()
        && let Ok(outcome) = answered.blocking_recv()
    {
        outcome?;
    }
    *since = None;
    Ok(Some(persons))
}
