//! Sees to it that persons are told of warrants when it is time, on a thread of its own.
//!
//! It asks the record what is due and not there, and has the writer ask again and write it. So it may
//! be stopped anywhere and run twice: what is there is not written again.

use std::sync::Arc;
use std::sync::Weak;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::writer::Submission;
use super::{AsOf, Inner, View, Work};
use crate::error::Error;
use crate::warrant::notice;

/// How often it is looked whether a notice is due.
const LOOK: Duration = Duration::from_secs(5);

/// Sees to it until the programme is let go.
pub(super) fn see_to_it(
    inner: Weak<Inner>,
    submissions: mpsc::WeakSender<Submission>,
) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("notices".to_owned())
        .spawn(move || {
            loop {
                {
                    let (Some(inner), Some(submissions)) = (inner.upgrade(), submissions.upgrade())
                    else {
                        return;
                    };
                    if let Err(error) = look(&inner, &submissions) {
                        tracing::warn!(
                            error = error.for_operator(),
                            "notices of warrants are not written; tried again soon"
                        );
                    }
                }
                std::thread::sleep(LOOK);
            }
        })
        .map(|_| ())
}

/// Writes what is due.
fn look(inner: &Arc<Inner>, submissions: &mpsc::Sender<Submission>) -> Result<(), Error> {
    let name = inner.about.name.clone();
    let clock = inner.clock.clone();
    let due = move |view: &View| notice::due(&name, view, clock.now().0);
    if due(&View::new(inner, AsOf::Now))?.is_empty() {
        return Ok(());
    }
    let (answer, answered) = oneshot::channel();
    let submission = Submission {
        actor: notice::actor(),
        work: Work::Deferred(Box::new(due)),
        answer,
    };
    // If the writer has ended, so does the programme.
    if submissions.blocking_send(submission).is_ok()
        && let Ok(outcome) = answered.blocking_recv()
    {
        outcome?;
    }
    Ok(())
}
