//! One thread for each log and witness: submits the round's checkpoint, waits, submits the next.
//!
//! Nothing waits for it. A witness that is away is asked again after one second, two, four, up to a minute;
//! the others, and the record, go on.

use std::sync::Arc;
use std::time::Duration;

use tlog::checkpoint::Checkpoint;
use tlog::cosignature::WitnessKey;
use tlog::note::SignedNote;
use tlog::witness::{ADD_CHECKPOINT, Request, parse_size};

use super::ask::ask_one;
use super::gate::Halt;
use super::round::Round;
use super::{Cosigning, Watched};

/// How long a witness may take to answer, in all.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// The longest wait between two attempts.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// No answer that makes sense is longer, in bytes.
pub(super) const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// A witness as it is reached: one address, the keys that it answers with.
#[derive(Clone, Debug)]
pub struct Reached {
    /// What the policy calls it.
    pub name: String,
    /// Where, without a slash at the end.
    pub url: String,
    /// Its keys in the policy.
    pub keys: Vec<WitnessKey>,
}

/// What one submission came to.
enum Outcome {
    /// It cosigned.
    Cosigned,
    /// It remembers another size; try again at once.
    OtherSize,
    /// It did not cosign; the sentence says why.
    Not(String),
}

/// The thread of one log and one witness.
pub struct Submitter {
    cosigning: Arc<Cosigning>,
    log: Arc<Watched>,
    witness: Reached,
    agent: ureq::Agent,
    /// The size that the witness remembers, as far as we know.
    known: u64,
}

impl Submitter {
    /// For one log and one witness.
    pub fn new(cosigning: Arc<Cosigning>, log: Arc<Watched>, witness: Reached) -> Submitter {
        let known = known(&cosigning, &log, &witness);
        Submitter {
            cosigning,
            log,
            agent: agent(&witness.url),
            witness,
            known,
        }
    }

    /// Runs until the server stops.
    pub fn run(mut self) {
        let mut done = 0;
        let mut failures = 0_u32;
        while let Some(round) = self.log.next_round(&self.cosigning, done) {
            match self.submit(&round) {
                Outcome::Cosigned => {
                    done = round.number;
                    failures = 0;
                }
                Outcome::OtherSize if failures == 0 => failures = 1,
                Outcome::OtherSize => {
                    self.wait(failures);
                    failures += 1;
                }
                Outcome::Not(why) => {
                    tracing::warn!(log = %self.log.name, witness = self.witness.name, why, "a witness did not cosign");
                    self.log.note_failure(&self.witness.name, why);
                    self.wait(failures);
                    failures += 1;
                }
            }
        }
    }

    fn wait(&self, failures: u32) {
        let wait = Duration::from_secs(1 << failures.min(6)).min(WAIT_MAX);
        self.cosigning.sleep(wait);
    }

    fn submit(&mut self, round: &Round) -> Outcome {
        if self.known > round.size {
            // It has cosigned a later one already, before we started.
            return match self.newest_size() {
                Ok(newest) if self.known > newest => self.behind(newest),
                Ok(_) => Outcome::Cosigned,
                Err(why) => Outcome::Not(why),
            };
        }
        let proof = match self.log.source.consistency(self.known, round.size) {
            Ok(proof) => proof,
            Err(error) => return Outcome::Not(error.to_string()),
        };
        let request = Request {
            old: self.known,
            proof,
            checkpoint: (*round.submitted).clone(),
        };
        let (status, body) = match add_checkpoint(&self.agent, &self.witness, &request) {
            Ok(answer) => answer,
            Err(unanswered) => return Outcome::Not(unanswered.why),
        };
        match status {
            200 => self.taken(round, &body),
            409 => match parse_size(&body) {
                None => Outcome::Not("it answered 409 without a size".to_owned()),
                // What it signs from now on is worth nothing; the policy's quorum must do without it.
                Some(size) if size < self.known => Outcome::Not(format!(
                    "it says that it last cosigned {size} entries, but it had cosigned {}: it has forgotten what it \
                     signed, and its signatures are not taken until that is put right",
                    self.known
                )),
                Some(size) => {
                    self.known = size;
                    match self.newest_size() {
                        Ok(newest) if size > newest => self.behind(newest),
                        Ok(_) => Outcome::OtherSize,
                        Err(why) => Outcome::Not(why),
                    }
                }
            },
            422 => {
                let halt = Halt::Inconsistent {
                    cosigned: self.known,
                };
                self.cosigning.halt(&self.log, &self.witness.name, halt);
                Outcome::Not(format!("it refuses (422): {}", line(&body)))
            }
            status => Outcome::Not(format!("it answered {status}: {}", line(&body))),
        }
    }

    fn taken(&mut self, round: &Round, body: &str) -> Outcome {
        let mut last = None;
        let mut problem = String::new();
        for key in &self.witness.keys {
            match self.log.take(&self.cosigning, round, key, body) {
                Ok(time) => last = last.max(Some(time)),
                Err(error) => problem = error.to_string(),
            }
        }
        let Some(time) = last else {
            return Outcome::Not(problem);
        };
        self.known = round.size;
        self.cosigning
            .heard(&self.log, &self.witness.name, round.size, time);
        Outcome::Cosigned
    }

    fn newest_size(&self) -> Result<u64, String> {
        let newest = self
            .log
            .source
            .newest()
            .map_err(|error| error.to_string())?;
        Ok(newest.size)
    }

    /// The witness remembers more than there is: nothing is written any more, and if it shows what it remembers,
    /// that is noted for the next start.
    fn behind(&mut self, ours: u64) -> Outcome {
        let source = &self.log.source;
        let shown = ask_one(&self.witness, source.origin(), Some(source.verifier()));
        let shown = shown
            .ok()
            .flatten()
            .map(|shown| shown.size)
            .filter(|size| *size > ours);
        let cosigned = shown.unwrap_or(self.known);
        let halt = Halt::Behind {
            cosigned,
            ours,
            is_shown: shown.is_some(),
        };
        self.cosigning.halt(&self.log, &self.witness.name, halt);
        // Not shown, it may have been said by somebody on the way: it is asked again as if for the first time.
        self.known = shown.unwrap_or(0);
        Outcome::Not(format!(
            "it has cosigned {cosigned} entries, and there are only {ours} here"
        ))
    }
}

/// The size that a witness is known to have cosigned last: so one that has forgotten it since is found even if this
/// server was started anew. 0 if it has not signed the latest that is kept.
fn known(cosigning: &Cosigning, log: &Watched, witness: &Reached) -> u64 {
    let latest = cosigning.witnessed.latest(log.name).ok().flatten();
    let signed = latest.filter(|latest| {
        SignedNote::parse(&latest.note)
            .is_ok_and(|note| witness.keys.iter().any(|key| key.verify(&note).is_ok()))
    });
    signed.map_or(0, |latest| latest.size)
}

/// What speaks to the witness at an address: patient for a while, and for nobody who sends it elsewhere.
pub(super) fn agent(url: &str) -> ureq::Agent {
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(ANSWER_MAX))
        .user_agent(concat!("homecoming/", env!("CARGO_PKG_VERSION")));
    if is_here(url) {
        config = config.proxy(None);
    }
    config.build().into()
}

/// Why a witness gave no answer that counts.
pub(super) struct Unanswered {
    /// The reason, in words.
    pub why: String,
    /// It does not answer at all.
    pub is_away: bool,
}

impl Unanswered {
    pub(super) fn away(error: ureq::Error) -> Unanswered {
        Unanswered {
            why: format!("it cannot be reached: {error}"),
            is_away: true,
        }
    }
}

impl From<String> for Unanswered {
    fn from(why: String) -> Unanswered {
        let is_away = false;
        Unanswered { why, is_away }
    }
}

/// Submits a checkpoint; status and body of the answer.
pub(super) fn add_checkpoint(
    agent: &ureq::Agent,
    witness: &Reached,
    request: &Request,
) -> Result<(u16, String), Unanswered> {
    let mut answer = agent
        .post(format!("{}/{ADD_CHECKPOINT}", witness.url))
        .header("Content-Type", "text/plain; charset=utf-8")
        .send(request.to_string())
        .map_err(Unanswered::away)?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
    match body.read_to_string() {
        Ok(body) => Ok((status, body)),
        Err(error) => Err(format!("its answer broke off: {error}").into()),
    }
}

/// Reads a checkpoint that the log signed for submission.
pub fn signed(note: &str) -> Result<(SignedNote, Checkpoint), String> {
    let note = SignedNote::parse(note).map_err(|error| error.to_string())?;
    let checkpoint = Checkpoint::parse(note.text()).map_err(|error| error.to_string())?;
    Ok((note, checkpoint))
}

/// Whether an address is on this machine: then no proxy is between.
fn is_here(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url);
    ["127.", "localhost", "[::1]"]
        .iter()
        .any(|here| host.starts_with(here))
}

/// The first line of what a stranger answered, shortened, for the log.
pub(super) fn line(body: &str) -> String {
    let first = body.lines().next().unwrap_or_default();
    first
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect()
}
