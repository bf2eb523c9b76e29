//! The one that records disclosures: many in one flush, each before its answer is let go.
//!
//! A thread of its own with a file of its own, so that reading waits for no write and writing for
//! no reader. While one group is being flushed the next gathers in the channel, and under load a
//! little longer: see `super::gathering`.

use std::sync::Arc;

use ledger::CommitError;
use ledger::access::{Draft, Logged, Recorder};
use tokio::sync::{mpsc, oneshot};

use super::Inner;
use super::gathering::Gathering;
use super::writer::refusal;
use crate::error::{Error, ErrorKind};

/// How many disclosures are flushed together at the most.
const GROUP_MAX: usize = 1_024;

/// How many may wait before answers are made to wait themselves.
pub(super) const WAITING_MAX: usize = 4_096;

/// A disclosure on its way to the log, and where to say that it is there.
pub(super) struct Submission {
    pub draft: Draft,
    pub answer: oneshot::Sender<Result<Logged, Error>>,
}

/// Runs until every [`super::Programme`] handle is gone or the log has failed for good.
pub(super) fn run(
    inner: &Arc<Inner>,
    recorder: &mut Recorder,
    mut submissions: mpsc::Receiver<Submission>,
) {
    let mut drafts = Vec::new();
    let mut answers = Vec::new();
    let mut gathering = Gathering::default();
    while let Some(first) = submissions.blocking_recv() {
        let mut next = Some(first);
        while let Some(submission) = next {
            drafts.push(submission.draft);
            answers.push(submission.answer);
            next = match drafts.len() < GROUP_MAX {
                true => gathering.next(&mut submissions, drafts.len()),
                false => None,
            };
        }
        gathering.gathered(drafts.len());
        if let Some(why) = inner.cosigning.refusal_to_show() {
            drafts.clear();
            refuse_all(&mut answers, || {
                Error::new(ErrorKind::Unavailable, why.clone())
            });
            continue;
        }
        let outcome = recorder.commit(&drafts, &mut || inner.clock.now(), &mut |bytes| {
            inner.chance.fill(bytes)
        });
        drafts.clear();
        let refuse: Box<dyn Fn() -> Error> = match outcome {
            Ok(Ok(logged)) => {
                inner.disclosed();
                for (answer, logged) in answers.drain(..).zip(logged) {
                    // Who asked may have gone; that they were to be answered stays recorded.
                    let _ = answer.send(Ok(logged));
                }
                continue;
            }
            Ok(Err(refused)) => Box::new(move || refusal(&refused)),
            Err(fatal @ CommitError::Fatal(_)) => {
                refuse_all(&mut answers, || unrecorded("The server is stopping."));
                (inner.on_fatal)(&fatal);
                return;
            }
            Err(CommitError::Full(_)) => Box::new(|| unrecorded("The disk is full: make room.")),
            Err(CommitError::Keys(error)) => {
                tracing::error!(%error, "the keys of the access log cannot be used");
                Box::new(|| unrecorded("Tell whoever runs this server to run `homecoming audit`."))
            }
            Err(CommitError::Io(_)) => Box::new(|| unrecorded("Ask again.")),
        };
        refuse_all(&mut answers, refuse);
    }
}

/// Answers everybody in a group with an error. Who asked may have gone.
fn refuse_all(
    answers: &mut Vec<oneshot::Sender<Result<Logged, Error>>>,
    error: impl Fn() -> Error,
) {
    for answer in answers.drain(..) {
        let _ = answer.send(Err(error()));
    }
}

/// The error for an answer that is not given because it could not be recorded that it is.
pub(super) fn unrecorded(next: &str) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("Nothing is shown that cannot be recorded as shown, and that failed. {next}"),
    )
}
