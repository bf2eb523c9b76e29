//! What witnesses say of logs to anybody who asks: how far each of them has cosigned.
//!
//! For whoever restores a backup, before anything of the server runs, and for an audit.
//!
//! | asked | what is learnt |
//! |---|---|
//! | `GET …/checkpoint` | the checkpoint that it shows; it counts only if the witness has signed it, and the log too, where its key is known |
//! | `POST add-checkpoint`, the log's newest checkpoint that is here, as if it had that already | 409: the size that it cosigned last; 200: it has just this; 422: it has another of this size; 404: it does not follow the log |
//! | the same with a checkpoint that no log signed, where none is here | 403: it follows the log; 404: it does not |
//!
//! A witness need not show what it cosigned, may do so at another address than it is asked to cosign at, and an hour
//! late (C2SP tlog-witness). So that it shows nothing, or no more than is here, does not say how far it went. What it
//! is asked teaches it nothing: a checkpoint that it has not it does not take without a proof.

use tlog::checkpoint::Checkpoint;
use tlog::note::{SignedNote, SigningKey, VerifierKey};
use tlog::policy::Policy;
use tlog::witness::{Request, checkpoint_path, parse_size, take_answer};
use tlog::{Hash, root_of_empty};

use super::reached;
use super::submit::{ANSWER_BYTES_MAX, Reached, Unanswered, add_checkpoint, agent, line, signed};

/// A log that witnesses are asked about.
#[derive(Clone, Debug)]
pub struct Sought {
    /// Its name.
    pub origin: String,
    /// Its key. Without, the witness's word is taken for it: it knew the key when it signed.
    pub verifier: Option<VerifierKey>,
    /// The newest checkpoint that is here, signed by the log.
    pub checkpoint: Option<String>,
    /// Checkpoints of it that are noted. A witness that signed one of them cannot know nothing of the log.
    pub noted: Vec<String>,
}

/// What one witness says of one log.
#[derive(Clone, Debug)]
pub struct Said {
    /// What the policy calls the witness.
    pub witness: String,
    /// Which log.
    pub origin: String,
    /// The size that it cosigned last.
    pub size: u64,
    /// What it shows of that size. Without, the size is its word alone, which can forbid and never allow.
    pub shown: Option<Shown>,
}

/// What a witness shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The root at that size.
    pub root: Hash,
    /// The checkpoint, with the log's signature and the witness's.
    pub note: String,
}

/// Asks the policy's witnesses for these logs; what they say, and for each witness that could not be asked for all of
/// them its name and why. Of a log that a witness does not follow, it says nothing.
pub fn ask(policy: &Policy, sought: &[Sought]) -> Vec<Result<Said, (String, String)>> {
    let nowhere = policy.witnesses().iter().filter(|one| one.url.is_none());
    let mut answers: Vec<_> = nowhere
        .map(|one| {
            let why = "its address is not in the policy".to_owned();
            Err((one.name.clone(), why))
        })
        .collect();
    for witness in reached(policy) {
        let mut amiss = None;
        for log in sought {
            let asked = ask_about(&witness, log, &mut |said| answers.push(Ok(said)));
            // Of another log it may say more; where it is away, every question would wait.
            let is_away = matches!(&asked, Err(unanswered) if unanswered.is_away);
            amiss = amiss.or(asked.err());
            if is_away {
                break;
            }
        }
        answers.extend(amiss.map(|unanswered| Err((witness.name.clone(), unanswered.why))));
    }
    answers
}

/// Asks one witness about one log. What it said counts, even if it then does not answer any more.
fn ask_about(
    witness: &Reached,
    log: &Sought,
    says: &mut dyn FnMut(Said),
) -> Result<(), Unanswered> {
    let shown = ask_one(witness, &log.origin, log.verifier.as_ref())?;
    let most = shown.as_ref().map(|shown| shown.size);
    if let Some(shown) = shown {
        says(shown);
    }
    let here = log.checkpoint.as_deref().map(signed).transpose()?;
    let told = match (most, here) {
        // That is enough to know.
        (Some(most), Some((_, here))) if most > here.size => None,
        (_, Some((note, here))) => size_told(witness, note, here.size)?,
        (Some(_), None) => None,
        (None, None) => {
            if follows(witness, &log.origin)? {
                return Err(format!(
                    "it follows the log {} and does not show how far that went",
                    log.origin
                )
                .into());
            }
            None
        }
    };
    if let Some(size) = told.filter(|told| most.is_none_or(|most| *told > most)) {
        says(Said {
            witness: witness.name.clone(),
            origin: log.origin.clone(),
            size,
            shown: None,
        });
    }
    let has_signed = |note: &String| {
        signed(note).is_ok_and(|(note, checkpoint)| {
            checkpoint.size > 0 && witness.keys.iter().any(|key| key.verify(&note).is_ok())
        })
    };
    match most.or(told).is_none() && log.noted.iter().any(has_signed) {
        true => Err(format!(
            "it says that it knows nothing of the log {}, which it has signed",
            log.origin
        )
        .into()),
        false => Ok(()),
    }
}

/// What one witness shows of a log; without its key, the witness's word is taken for who signed.
pub(super) fn ask_one(
    witness: &Reached,
    origin: &str,
    log: Option<&VerifierKey>,
) -> Result<Option<Said>, Unanswered> {
    let url = format!("{}/{}", witness.url, checkpoint_path(origin));
    let mut answer = agent(&witness.url)
        .get(&url)
        .call()
        .map_err(Unanswered::away)?;
    match answer.status().as_u16() {
        200 => {}
        404 => return Ok(None),
        status => return Err(format!("it answered {status}").into()),
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
        return Err(format!("what it shows is not signed by the log {origin}").into());
    }
    if !witness.keys.iter().any(|key| key.verify(&note).is_ok()) {
        return Err("what it shows is not signed by it".to_owned().into());
    }
    Ok(Some(Said {
        witness: witness.name.clone(),
        origin: origin.to_owned(),
        size: checkpoint.size,
        shown: Some(Shown {
            root: checkpoint.root,
            note: text,
        }),
    }))
}

/// The size that a witness says it cosigned last, when it is given a checkpoint of the log as the one that it has.
fn size_told(
    witness: &Reached,
    checkpoint: SignedNote,
    size: u64,
) -> Result<Option<u64>, Unanswered> {
    let (status, body) = give(witness, checkpoint.clone(), size)?;
    match status {
        409 => match parse_size(&body) {
            Some(0) => Ok(None),
            Some(size) => Ok(Some(size)),
            None => Err("it answered 409 without a size".to_owned().into()),
        },
        404 => Ok(None),
        200 => {
            let mut note = checkpoint;
            let mut keys = witness.keys.iter();
            match keys.any(|key| take_answer(&body, &mut note, key).is_ok()) {
                true => Ok(Some(size).filter(|size| *size > 0)),
                false => Err("what it answered is not signed by it".to_owned().into()),
            }
        }
        422 => Err(format!(
            "it has cosigned another checkpoint of {size} entries than the one that is here"
        )
        .into()),
        status => Err(format!("it answered {status}: {}", line(&body)).into()),
    }
}

/// Whether a witness follows a log of which nothing signed is here. It looks whether it knows the log first, and then
/// who signed: a key that everybody can make is no log's.
fn follows(witness: &Reached, origin: &str) -> Result<bool, Unanswered> {
    let nobody = SigningKey::from_seed(origin, &[0; 32]).map_err(|error| error.to_string())?;
    let empty = Checkpoint {
        origin: origin.to_owned(),
        size: 0,
        root: root_of_empty(),
        extensions: Vec::new(),
    };
    let note = empty.sign(&nobody).map_err(|error| error.to_string())?;
    let (note, _) = signed(&note)?;
    match give(witness, note, 0)? {
        (404, _) => Ok(false),
        (403 | 409, _) => Ok(true),
        (status, body) => Err(format!("it answered {status}: {}", line(&body)).into()),
    }
}

/// Gives a witness a checkpoint of a log of which it is to have the first `old` entries; status and body of the answer.
fn give(witness: &Reached, checkpoint: SignedNote, old: u64) -> Result<(u16, String), Unanswered> {
    let request = Request {
        old,
        proof: Vec::new(),
        checkpoint,
    };
    add_checkpoint(&agent(&witness.url), witness, &request)
}
