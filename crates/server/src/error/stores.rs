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
            _ => Error::internal(error),
        }
    }

    /// A data directory could not be opened. The ledger's sentences are for the operator already.
    pub fn open(error: ledger::OpenError) -> Error {
        Error::new(ErrorKind::Unavailable, error.to_string()).because(error)
    }
}
