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

    /// The index could not be read or written.
    pub fn index(error: index::Error) -> Error {
        match error {
            index::Error::Cursor => Error::new(
                ErrorKind::Malformed,
                "The page in this address is not one of this search. Begin again at its first page.",
            ),
            index::Error::Busy => {
                Error::new(ErrorKind::Unavailable, "The index is in use by another process.")
            }
            error => Error::internal(error),
        }
    }

    /// Users, sessions or clients could not be read or written.
    pub fn desk(error: desk::DeskError) -> Error {
        Error::internal(error)
    }

    /// The message with all findings and what lies behind it, for the command line.
    pub fn in_full(&self) -> String {
        let mut text = self.message.clone();
        for finding in &self.findings {
            text.push_str(&format!("\n    {}: {}", finding.expression, finding.message));
        }
        if let Some(source) = &self.source {
            let source = source.to_string();
            if !text.contains(&source) {
                text.push_str(&format!("\n    ({source})"));
            }
        }
        text
    }
}
