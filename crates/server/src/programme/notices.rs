//! Sees to it that persons are told of warrants when it is time, on a thread of its own.
//!
//! It asks the record what is due and not there, and has the writer write what is still not there. So it
//! may be stopped anywhere and run twice: what is there is not written again.

use std::sync::Arc;
use std::sync::Weak;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::writer::Submission;
use super::{AsOf, Inner, View, Work};
use crate::error::Error;
use crate::warrant::notice::{self, Told};

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
            let mut told = Told::default();
            loop {
                {
                    let (Some(inner), Some(submissions)) = (inner.upgrade(), submissions.upgrade())
                    else {
                        return;
                    };
                    if let Err(error) = look(&inner, &submissions, &mut told) {
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

/// Writes what is due, until nothing is.
fn look(
    inner: &Arc<Inner>,
    submissions: &mpsc::Sender<Submission>,
    told: &mut Told,
) -> Result<(), Error> {
    loop {
        let now = inner.clock.now().0;
        let view = View::new(inner, AsOf::Now);
        let due = notice::due_beside(&inner.about.name, &view, now, told)?;
        if due.is_empty() {
            return Ok(());
        }
        let (answer, answered) = oneshot::channel();
        let submission = Submission {
            actor: notice::actor(),
            work: Work::Deferred(Box::new(move |view| notice::still(view, due))),
            answer,
        };
        // If the writer has ended, so does the programme.
        if submissions.blocking_send(submission).is_err() {
            return Ok(());
        }
        match answered.blocking_recv() {
            Ok(outcome) => outcome?,
            Err(_) => return Ok(()),
        };
    }
}
