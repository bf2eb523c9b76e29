//! The server, as far as it is played: what it has open, in the order in which it opens it.

use std::path::Path;
use std::sync::Arc;

use ledger::access::{AccessLog, Recorder};
use ledger::witnessed::{Witnessed, WitnessedError};
use ledger::{Appender, Keys, Ledger, OpenError};

use crate::files::Files;

/// A server that runs. What holds the directory's lock comes last, so that it is let go last.
pub(crate) struct Server {
    /// Those who record disclosures and what witnesses have signed; not in every seed.
    pub(crate) beside: Option<Beside>,
    pub(crate) ledger: Ledger,
    pub(crate) appender: Appender,
}

/// The access log, and what witnesses have signed.
pub(crate) struct Beside {
    pub(crate) recorder: Recorder,
    pub(crate) access: AccessLog,
    pub(crate) witnessed: Witnessed,
}

/// Why it does not start.
#[derive(Debug)]
pub(crate) struct NotStarted(pub(crate) String);

impl From<OpenError> for NotStarted {
    fn from(error: OpenError) -> NotStarted {
        NotStarted(error.to_string())
    }
}

impl From<WitnessedError> for NotStarted {
    fn from(error: WitnessedError) -> NotStarted {
        NotStarted(error.to_string())
    }
}

impl Server {
    /// Starts from a folder, with the access log and what belongs to it if `beside` says so.
    pub(crate) fn start(
        folder: &Path,
        files: &Arc<Files>,
        beside: bool,
    ) -> Result<Server, NotStarted> {
        let keys = Keys::open_on(files.clone(), None).map_err(OpenError::from)?;
        let appender = Appender::open_on(files.clone(), folder, keys)?;
        // As the server does: all see the same keys.
        let keys = appender.keys().clone();
        let ledger = Ledger::open(folder, 1, keys.clone())?;
        let beside = match beside {
            true => Some(Beside {
                access: AccessLog::open(folder, keys)?,
                witnessed: Witnessed::open_on(&**files, folder)?,
                recorder: Recorder::open_on(files.clone(), folder, &appender)?,
            }),
            false => None,
        };
        Ok(Server {
            beside,
            ledger,
            appender,
        })
    }
}
