//! A promise at intake, signed with the log's key: see [`evidence::promise`].

use std::path::Path;

use evidence::promise::Promise;
use record::time::RecordedAt;
use tlog::Hash;

use crate::read::Ledger;
use crate::store::{self, Identity, OpenError};

/// Signs that what has this fingerprint was received for a person, and by when it is on the record.
///
/// Works beside the process that appends: nothing is written.
pub fn promise(
    dir: &Path,
    ledger: &Ledger,
    patient: &str,
    content: Hash,
    received: RecordedAt,
    due: RecordedAt,
) -> Result<String, OpenError> {
    let identity = Identity {
        origin: ledger.origin().to_owned(),
        programme: String::new(),
        verifier: ledger.verifier().clone(),
    };
    let key = store::signing_key(dir, &identity)?;
    let promise = Promise {
        key: key.verifier().clone(),
        person: ledger.person(patient),
        received,
        due,
        content,
    };
    promise
        .sign(&key)
        .map_err(|error| OpenError::Damaged(error.to_string()))
}
