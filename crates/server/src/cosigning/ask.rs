//! What witnesses show of a log to anybody who asks: the last checkpoint that each of them cosigned.
//!
//! For whoever restores a backup, before anything of the server runs. What a witness shows counts only if
//! both the log and that witness have signed it.

use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::note::{SignedNote, VerifierKey};
use tlog::policy::Policy;
use tlog::witness::checkpoint_path;

use super::reached;
use super::submit::{ANSWER_BYTES_MAX, Reached, agent};

/// What one witness shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What the policy calls it.
    pub witness: String,
    /// The size that it cosigned last.
    pub size: u64,
    /// The root at that size.
    pub root: Hash,
    /// The checkpoint, with the log's signature and the witness's.
    pub note: String,
}

/// Asks the policy's witnesses for the log of this name and key; for each what it shows, or its name and why
/// nothing is known of it. A witness that never cosigned the log shows nothing and is left out.
pub fn ask(
    policy: &Policy,
    origin: &str,
    log: &VerifierKey,
) -> Vec<Result<Shown, (String, String)>> {
    reached(policy)
        .iter()
        .filter_map(|witness| {
            ask_one(witness, origin, log)
                .map_err(|why| (witness.name.clone(), why))
                .transpose()
        })
        .collect()
}

/// What one witness shows.
pub(super) fn ask_one(
    witness: &Reached,
    origin: &str,
    log: &VerifierKey,
) -> Result<Option<Shown>, String> {
    let url = format!("{}/{}", witness.url, checkpoint_path(origin));
    let mut answer = agent(&witness.url)
        .get(&url)
        .call()
        .map_err(|error| format!("it cannot be reached: {error}"))?;
    match answer.status().as_u16() {
        200 => {}
        404 => return Ok(None),
        status => return Err(format!("it answered {status}")),
    }
    let text = answer
        .body_mut()
        .with_config()
        .limit(ANSWER_BYTES_MAX)
        .read_to_string()
        .map_err(|error| format!("its answer broke off: {error}"))?;
    let checkpoint = Checkpoint::open(&text, log, origin)
        .map_err(|error| format!("what it shows is not this log's: {error}"))?;
    let note = SignedNote::parse(&text).map_err(|error| error.to_string())?;
    if !witness.keys.iter().any(|key| key.verify(&note).is_ok()) {
        return Err("what it shows is not signed by it".to_owned());
    }
    Ok(Some(Shown {
        witness: witness.name.clone(),
        size: checkpoint.size,
        root: checkpoint.root,
        note: text,
    }))
}
