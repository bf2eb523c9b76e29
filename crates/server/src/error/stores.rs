//! What the stores below say, as what people are told.

use super::{Error, ErrorKind};

impl Error {
    /// The ledger could not be read.
    pub fn ledger(error: ledger::ReadError) -> Error {
        match error {
            ledger::ReadError::Damaged { position, .. } => Error::new(
                ErrorKind::Internal,
                format!(
                    "Entry {position} of the record is not what was written. It is not shown. \
                     Tell whoever runs this server to run `homecoming audit`."
                ),
            )
            .because(error),
            ledger::ReadError::Erased { position } => Error::new(
                ErrorKind::Erased,
                format!(
                    "Entry {position} of the record was erased by law: its key was destroyed, and \
                     nobody can read it any more. That it was there stands in the log, and so does \
                     the erasure."
                ),
            ),
            _ => Error::internal(error),
        }
    }

    /// A data directory could not be opened. The ledger's sentences are for the operator already.
    pub fn open(error: ledger::OpenError) -> Error {
        Error::new(ErrorKind::Unavailable, error.to_string()).because(error)
    }
}
