//! The one writer: orders transactions, commits many with one fsync, indexes them, answers.
//!
//! While one group is being synced the next one gathers in the channel, so that the number of
//! transactions in an fsync grows with the load and one alone waits for nobody. Under load a group
//! waits a little for those who are about to send again: see `super::gathering`.
//!
//! A transaction that depends on a search (conditional create and the like) is decided here, when
//! everything before it is committed and indexed and nothing after it is: two clients that create
//! "unless there is one" at the same moment get one resource.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ledger::{Appender, CommitError, Refused, Transaction};
use tokio::sync::{mpsc, oneshot};

use super::draft::{GOVERNANCE_KINDS, Governance};
use super::gathering::Gathering;
use super::{Actor, AsOf, Committed, Decide, Draft, Inner, View, Work, Written, erase};
use crate::amendment;
use crate::error::{Error, ErrorKind};
use crate::permit::memo::Recorded;
use crate::permit::related;

/// A group is committed when it holds this many writes, even if more are waiting.
const GROUP_WRITES_MAX: usize = 4_096;

/// How many transactions may wait before senders are made to wait themselves.
pub(super) const WAITING_MAX: usize = 1_024;

/// A transaction on its way to the writer, and where to send what became of it.
pub(super) struct Submission {
    pub actor: Actor,
    pub work: Work,
    pub answer: oneshot::Sender<Result<Committed, Error>>,
}

struct Pending {
    transaction: Transaction,
    drafts: Vec<Draft>,
    answer: oneshot::Sender<Result<Committed, Error>>,
}

/// Runs until every [`Programme`] handle is gone or the ledger has failed for good.
pub(super) fn run(
    inner: &Arc<Inner>,
    appender: &mut Appender,
    mut submissions: mpsc::Receiver<Submission>,
) {
    let mut held: Option<Submission> = None;
    let mut gathering = Gathering::default();
    loop {
        let Some(first) = held.take().or_else(|| submissions.blocking_recv()) else {
            return;
        };
        if let Work::Erase(id, decide) = first.work {
            match erase::carry_out(inner, appender, first.actor, &id, decide) {
                // The client may have gone; what is erased stays erased.
                Ok(outcome) => drop(first.answer.send(outcome)),
                Err(fatal) => {
                    (inner.on_fatal)(&fatal);
                    return;
                }
            }
            continue;
        }
        let mut group = Vec::new();
        let mut writes = 0;
        let mut next = Some(first);
        while let Some(submission) = next {
            if must_wait(&submission.work, &group) {
                held = Some(submission);
                break;
            }
            if let Some(pending) = decide(inner, submission) {
                writes += pending.drafts.len();
                group.push(pending);
            }
            if writes >= GROUP_WRITES_MAX {
                break;
            }
            next = gathering.next(&mut submissions, group.len());
        }
        if group.is_empty() {
            continue;
        }
        gathering.gathered(group.len());
        if let Err(fatal) = commit(inner, appender, group) {
            (inner.on_fatal)(&fatal);
            return;
        }
    }
}

/// Whether a transaction must see what is in `group` before it can be decided: one that depends on
/// a search, or that deletes what the group writes (whose record it is taken from is read back).
fn must_wait(work: &Work, group: &[Pending]) -> bool {
    if group.is_empty() {
        return false;
    }
    let Work::Ready(drafts) = work else {
        return true;
    };
    let mut deleted = drafts.iter().filter(|draft| draft.is_deletion()).peekable();
    if deleted.peek().is_none() {
        return false;
    }
    let written: HashSet<(&str, &str)> = group
        .iter()
        .flat_map(|pending| &pending.drafts)
        .map(|draft| (draft.kind.as_str(), draft.id.as_str()))
        .collect();
    deleted.any(|draft| written.contains(&(draft.kind.as_str(), draft.id.as_str())))
}

/// Asks a transaction that depends on the record what it comes to. It has written nothing yet, so a
/// panic in it is one client's trouble, not the writer's.
pub(super) fn decided(inner: &Arc<Inner>, decide: Decide) -> Result<Vec<Draft>, Error> {
    let view = View::new(inner, AsOf::Now);
    catch_unwind(AssertUnwindSafe(|| decide(&view)))
        .unwrap_or_else(|_| Err(Error::internal("deciding a transaction panicked")))
}

/// Refuses what reads as if the programme itself said it, and what would change what it said.
fn from_outside(inner: &Arc<Inner>, drafts: Vec<Draft>) -> Result<Vec<Draft>, Error> {
    for draft in &drafts {
        let refused = match draft.says_for_programme() {
            Governance::Ours => false,
            Governance::Claims => true,
            Governance::No if GOVERNANCE_KINDS.contains(&draft.kind.as_str()) => {
                View::new(inner, AsOf::Now).is_governance(&draft.kind, &draft.id)?
            }
            Governance::No => false,
        };
        if refused {
            return Err(governance_refused(&draft.kind, &draft.id));
        }
    }
    Ok(drafts)
}

/// The sentence for a write that only the programme itself makes.
pub(super) fn governance_refused(kind: &str, id: &str) -> Error {
    Error::new(
        ErrorKind::Forbidden,
        format!(
            "{kind}/{id} is what the programme itself records about its own record (erasures, \
             restores and the like). Nobody writes that but the server, when officers do what it is \
             about on its pages or command line."
        ),
    )
}

/// Commits one transaction by itself: for the writer's own.
pub(super) fn commit_alone(
    inner: &Arc<Inner>,
    appender: &mut Appender,
    actor: Actor,
    mut drafts: Vec<Draft>,
) -> Result<Result<Committed, Error>, CommitError> {
    let (answer, mut answered) = oneshot::channel();
    let transaction = Transaction {
        actor: actor.name,
        purpose: actor.purpose,
        writes: drafts.iter_mut().filter_map(Draft::take_write).collect(),
        source: None,
    };
    let pending = Pending {
        transaction,
        drafts,
        answer,
    };
    commit(inner, appender, vec![pending])?;
    Ok(answered
        .try_recv()
        .unwrap_or_else(|_| Err(Error::internal("a commit without an answer"))))
}

/// Turns a submission into a transaction; one that fails here is answered at once.
fn decide(inner: &Arc<Inner>, submission: Submission) -> Option<Pending> {
    let Submission {
        actor,
        work,
        answer,
    } = submission;
    // Here, so that nothing passes it: what the server records of itself neither.
    if let Some(why) = inner.cosigning.refusal() {
        let _ = answer.send(Err(Error::new(ErrorKind::Unavailable, why)));
        return None;
    }
    let drafts = match work {
        Work::Ready(drafts) => Ok(drafts),
        Work::Deferred(decide) | Work::Erase(_, decide) => decided(inner, decide),
    };
    let drafts = drafts.and_then(|drafts| from_outside(inner, drafts));
    match drafts {
        Ok(mut drafts) => {
            for draft in drafts.iter_mut().filter(|draft| draft.is_deletion()) {
                let view = View::new(inner, AsOf::Now);
                if let Ok(Some(last)) = view.read(&draft.kind, &draft.id) {
                    draft.taken_from(last.person());
                }
            }
            let writes = drafts.iter_mut().filter_map(Draft::take_write).collect();
            let transaction = Transaction {
                actor: actor.name,
                purpose: actor.purpose,
                writes,
                source: None,
            };
            Some(Pending {
                transaction,
                drafts,
                answer,
            })
        }
        Err(error) => {
            // The client may have gone; then nobody needs the answer.
            let _ = answer.send(Err(error));
            None
        }
    }
}

/// Commits a group, brings it into the index, makes it visible, and answers everyone.
///
/// An error means that the ledger cannot go on: whether the group is on disk is not known, so
/// nobody is told that it is, and the process must stop.
fn commit(
    inner: &Arc<Inner>,
    appender: &mut Appender,
    group: Vec<Pending>,
) -> Result<(), CommitError> {
    let (transactions, rest): (Vec<_>, Vec<_>) = group
        .into_iter()
        .map(|pending| (pending.transaction, (pending.drafts, pending.answer)))
        .unzip();
    let outcomes = appender.commit(
        &transactions,
        &mut || inner.clock.now(),
        &mut |bytes| inner.chance.fill(bytes),
        &inner.named(),
    );
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(error @ CommitError::Fatal(_)) => {
            for (_, answer) in rest {
                let _ = answer.send(Err(Error::new(
                    ErrorKind::Unavailable,
                    "The ledger could not be written and the server is stopping. Whether this \
                     was recorded is not known: read it back when the server runs again.",
                )));
            }
            return Err(error);
        }
        Err(error) => {
            for (_, answer) in rest {
                let _ = answer.send(Err(refused_whole(&error)));
            }
            return Ok(());
        }
    };

    let mut changes = Vec::new();
    for (outcome, (drafts, _)) in outcomes.iter().zip(&rest) {
        if let Ok(committed) = outcome {
            let last = drafts.len().saturating_sub(1);
            for (place, (draft, written)) in drafts.iter().zip(&committed.writes).enumerate() {
                changes.push(draft.change(
                    &inner.ledger,
                    committed.recorded_at,
                    written,
                    place == last,
                ));
            }
        }
    }
    if let Err(error) = inner.index.apply(&changes) {
        // The ledger has it, so it is recorded; the index is caught up at the next start.
        tracing::error!(%error, "the index could not be written; stopping to catch up");
        for (_, answer) in rest {
            let _ = answer.send(Err(Error::new(
                ErrorKind::Unavailable,
                "This was recorded, but cannot be found until the server has started again.",
            )));
        }
        return Err(CommitError::Fatal(None));
    }
    let recorded = recorded(inner, &outcomes, &transactions, &rest);
    recorded.iter().for_each(|one| inner.permits.recording(one));
    let amends = recorded
        .iter()
        .any(|one| one.kind == amendment::KIND && one.id == amendment::ID);
    inner.make_visible(appender.size());
    let governs =
        |draft: &Draft| draft.kind == "Task" && draft.says_for_programme() == Governance::Ours;
    if rest.iter().any(|(drafts, _)| drafts.iter().any(governs)) {
        inner.standing.forget();
    }
    inner.permits.recorded(recorded.into_iter());
    if amends {
        put_policy_in_force(inner);
    }
    inner.commits.fetch_add(1, Ordering::Relaxed);

    for (outcome, (drafts, answer)) in outcomes.into_iter().zip(rest) {
        let answered = match outcome {
            Ok(committed) => Ok(Committed {
                recorded_at: committed.recorded_at,
                writes: drafts
                    .into_iter()
                    .zip(committed.writes)
                    .map(|(draft, written)| Written {
                        kind: draft.kind,
                        id: draft.id,
                        version: written.version,
                        position: written.position,
                        created: written.created,
                    })
                    .collect(),
            }),
            Err(refused) => Err(refusal(&refused)),
        };
        // The client may have gone; what is recorded stays recorded.
        let _ = answer.send(answered);
    }
    Ok(())
}

/// Puts the policy that the record now has in force; one that cannot be read closes everything.
fn put_policy_in_force(inner: &Arc<Inner>) {
    let policy = amendment::in_force(&View::new(inner, AsOf::Now)).unwrap_or_else(|error| {
        tracing::error!(
            error = error.for_operator(),
            "the policy cannot be read; nothing is open to anybody"
        );
        policy::Policy::closed()
    });
    inner.permits.set_policy(policy);
}

/// A transaction's drafts, and who is told what became of them.
type Answered = (Vec<Draft>, oneshot::Sender<Result<Committed, Error>>);

/// What became part of the record, as far as it decides who may see what.
fn recorded<'g>(
    inner: &Inner,
    outcomes: &[Result<ledger::Committed, Refused>],
    transactions: &'g [Transaction],
    drafts: &'g [Answered],
) -> Vec<Recorded<'g>> {
    let mut recorded = Vec::new();
    for ((outcome, transaction), (drafts, _)) in outcomes.iter().zip(transactions).zip(drafts) {
        if outcome.is_err() {
            continue;
        }
        for (write, draft) in transaction.writes.iter().zip(drafts) {
            recorded.push(Recorded {
                kind: &write.kind,
                id: &write.id,
                about: write
                    .person
                    .as_deref()
                    .filter(|_| related::is_read(&write.kind))
                    .map(|id| inner.ledger.person(id)),
                is_labelled: draft.is_labelled(),
            });
        }
    }
    recorded
}

/// The sentence for a transaction whose expectation did not hold.
pub(super) fn refusal(refused: &Refused) -> Error {
    let (kind, message) = match refused {
        Refused::VersionConflict {
            kind,
            id,
            expected,
            found,
        } => (
            ErrorKind::Stale,
            format!(
                "{kind}/{id} is at version {found}; you sent version {expected}. \
                 Reload it and try again."
            ),
        ),
        Refused::AlreadyExists { kind, id } => (
            ErrorKind::Conflict,
            format!("{kind}/{id} already exists. Update it instead, or choose another id."),
        ),
        Refused::NotFound { kind, id } => (
            ErrorKind::NotFound,
            format!("{kind}/{id} does not exist, so it cannot be changed."),
        ),
        Refused::Deleted { kind, id } => (
            ErrorKind::Deleted,
            format!("{kind}/{id} was deleted, so it cannot be changed."),
        ),
        Refused::Erased { kind, id } => (
            ErrorKind::Erased,
            format!(
                "{kind}/{id} is about a person whose record was erased, so nothing can be added to \
                 it. If the person came back, register them anew, under another id."
            ),
        ),
        Refused::AlreadyImported { .. } => (
            ErrorKind::Conflict,
            "This part of the file has been imported already.".to_owned(),
        ),
        Refused::ClockBehind { last, .. } => (
            ErrorKind::Unavailable,
            format!(
                "The server's clock is behind the record, whose last entry is of {last}. Nothing \
                 was written: set the clock right and send it again."
            ),
        ),
        Refused::ClockFarOff => (
            ErrorKind::Unavailable,
            "The server's clock tells no possible time. Nothing was written: set the clock right \
             and send it again."
                .to_owned(),
        ),
        Refused::Malformed { .. } => return Error::internal(refused.clone()),
    };
    Error::new(kind, message)
}

/// The sentence for a group that was rolled back and can be tried again.
pub(super) fn refused_whole(error: &CommitError) -> Error {
    match error {
        CommitError::Full(_) => Error::new(
            ErrorKind::Full,
            "The disk that holds the record is full. Nothing of this was written: make room and \
             send it again.",
        ),
        CommitError::Fatal(_) => Error::new(
            ErrorKind::Unavailable,
            "The ledger could not be written to the disk. Whether the last group is there is not \
             known: look at the disk, then start again.",
        ),
        CommitError::Keys(_) => Error::new(
            ErrorKind::Unavailable,
            "The keys that the record is sealed under cannot be used. Nothing of this was recorded: \
             tell whoever runs this server to run `homecoming audit`.",
        ),
        CommitError::Io(_) => Error::new(
            ErrorKind::Unavailable,
            "The ledger could not be written. Nothing of this was recorded: send it again.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use ledger::Expect;

    use super::*;

    #[test]
    fn what_depends_on_the_group_waits_for_it() {
        let put = |id: &str| {
            let stored = format!("{{\"resourceType\":\"Basic\",\"id\":\"{id}\"}}").into_bytes();
            Draft::stored("Basic", id, Expect::Any, stored).expect("a draft")
        };
        let delete = |id: &str| Draft::delete("Basic", id, Expect::Present);
        let pending = |drafts| Pending {
            transaction: Transaction::default(),
            drafts,
            answer: oneshot::channel().0,
        };
        let decide = || Work::Deferred(Box::new(|_| Ok(Vec::new())));
        for (work, group, expected) in [
            (decide(), vec![], false),
            (decide(), vec![pending(vec![put("a")])], true),
            (
                Work::Ready(vec![put("a")]),
                vec![pending(vec![put("a")])],
                false,
            ),
            (Work::Ready(vec![delete("a")]), vec![], false),
            (
                Work::Ready(vec![delete("a")]),
                vec![pending(vec![put("b")])],
                false,
            ),
            (
                Work::Ready(vec![put("b"), delete("a")]),
                vec![pending(vec![put("a")])],
                true,
            ),
        ] {
            assert_eq!(must_wait(&work, &group), expected);
        }
    }
}
