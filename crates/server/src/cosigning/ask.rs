//! What witnesses show of logs to anybody who asks: the last checkpoint that each of them cosigned.
//!
//! For whoever restores a backup, before anything of the server runs. What a witness shows counts only if
//! that witness has signed it, and the log too, where its key is known.

use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::note::{SignedNote, VerifierKey};
use tlog::policy::Policy;
use tlog::witness::checkpoint_path;

use super::reached;
use super::submit::{ANSWER_BYTES_MAX, Reached, agent};

/// A log that witnesses are asked about.
#[derive(Clone, Debug)]
pub struct Sought {
    /// Its name.
    pub origin: String,
    /// Its key. Without, the witness's word is taken for it: it knew the key when it signed.
    pub verifier: Option<VerifierKey>,
}

/// What one witness shows of one log.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What the policy calls the witness.
    pub witness: String,
    /// Which log.
    pub origin: String,
    /// The size that it cosigned last.
    pub size: u64,
    /// The root at that size.
    pub root: Hash,
    /// The checkpoint, with the log's signature and the witness's.
    pub note: String,
}

/// Asks the policy's witnesses for these logs; what they show, and for each witness that could not be asked for all of
/// them its name and why. A witness that never cosigned a log shows nothing of it.
pub fn ask(policy: &Policy, sought: &[Sought]) -> Vec<Result<Shown, (String, String)>> {
    let mut answers = Vec::new();
    for witness in reached(policy) {
        for log in sought {
            match ask_one(&witness, &log.origin, log.verifier.as_ref()) {
                Ok(shown) => answers.extend(shown.map(Ok)),
                Err(why) => {
                    answers.push(Err((witness.name.clone(), why)));
                    break;
                }
            }
        }
    }
    answers
}

/// What one witness shows of a log; without its key, the witness's word is taken for who signed.
pub(super) fn ask_one(
    witness: &Reached,
    origin: &str,
    log: Option<&VerifierKey>,
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
    let note = SignedNote::parse(&text).map_err(|error| error.to_string())?;
    let checkpoint = Checkpoint::parse(note.text())
        .map_err(|error| format!("what it shows is no checkpoint: {error}"))?;
    let signed = log.is_none_or(|key| note.verify(key).is_ok());
    if checkpoint.origin != origin || !signed {
        return Err(format!("what it shows is not signed by the log {origin}"));
    }
    if !witness.keys.iter().any(|key| key.verify(&note).is_ok()) {
        return Err("what it shows is not signed by it".to_owned());
    }
    Ok(Some(Shown {
        witness: witness.name.clone(),
        origin: origin.to_owned(),
        size: checkpoint.size,
        root: checkpoint.root,
        note: text,
    }))
}
