//! What witnesses remember of a log, asked without submitting anything: for a restore.

use tlog::checkpoint::Checkpoint;
use tlog::note::VerifierKey;
use tlog::policy::Policy;
use tlog::witness::checkpoint_path;

use super::submit::{ANSWER_BYTES_MAX, agent};

/// What a witness answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remembered {
    /// The last checkpoint that it cosigned.
    This {
        /// The signed note.
        note: String,
        /// What it says.
        checkpoint: Checkpoint,
    },
    /// It has never seen the log.
    Nothing,
    /// It did not answer, or not what can be read; the sentence says why.
    Unknown(String),
}

/// Asks every witness of a policy that has an address.
pub fn remembered(policy: &Policy, origin: &str, key: &VerifierKey) -> Vec<(String, Remembered)> {
    let mut asked = Vec::new();
    for witness in policy.witnesses() {
        let Some(url) = witness.url.as_deref().map(|url| url.trim_end_matches('/')) else {
            continue;
        };
        asked.push((witness.name.clone(), ask(url, origin, key)));
    }
    asked
}

fn ask(url: &str, origin: &str, key: &VerifierKey) -> Remembered {
    let address = format!("{url}/{}", checkpoint_path(origin));
    let mut answer = match agent(url).get(&address).call() {
        Ok(answer) => answer,
        Err(error) => return Remembered::Unknown(format!("it cannot be reached: {error}")),
    };
    match answer.status().as_u16() {
        200 => {}
        404 => return Remembered::Nothing,
        status => return Remembered::Unknown(format!("it answered {status}")),
    }
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
    let note = match body.read_to_string() {
        Ok(note) => note,
        Err(error) => return Remembered::Unknown(format!("its answer broke off: {error}")),
    };
    match Checkpoint::open(&note, key, origin) {
        Ok(checkpoint) => Remembered::This { note, checkpoint },
        Err(error) => Remembered::Unknown(format!("its checkpoint does not read: {error}")),
    }
}
