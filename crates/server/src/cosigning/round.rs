//! Which checkpoint the witnesses are asked about at present, and what they have said. No clock, no network.
//!
//! Witnesses answer at different speeds, and a quorum means that enough of them signed the *same* checkpoint.
//! So all are asked about one, the round's, until there are enough or nobody has patience left; only then
//! does the newest take its place. A witness that missed a round is asked in the next one.

use std::sync::Arc;

use tlog::checkpoint::Checkpoint;
use tlog::cosignature::WitnessKey;
use tlog::note::SignedNote;
use tlog::policy::{Policy, Quorum};
use tlog::witness::{AnswerError, take_answer};

/// A round that is met is not followed by another one sooner, in microseconds: a witness flushes its disk for
/// each, and so do we.
pub const PACE_US: u64 = 250_000;

/// A round that is not met gives way to a newer checkpoint after this, in microseconds.
pub const PATIENCE_US: u64 = 5_000_000;

/// The same size is submitted again after this, in microseconds: the cosignatures tell the time.
pub const HEARTBEAT_US: u64 = 60_000_000;

/// The same while nothing is written because of what the witnesses say, in microseconds: the sooner they agree
/// again, the sooner it goes on.
pub const HEARTBEAT_SHUT_US: u64 = 3_000_000;

/// One checkpoint that all witnesses are asked about.
#[derive(Clone, Debug)]
pub struct Round {
    /// Its number, from 1.
    pub number: u64,
    /// What is submitted: signed by the log alone.
    pub submitted: Arc<SignedNote>,
    /// Its size.
    pub size: u64,
    /// The same with the cosignatures so far.
    pub note: SignedNote,
    /// When it began, in microseconds of a clock that never runs backwards.
    pub began_us: u64,
    /// Whether there are enough cosignatures.
    pub is_met: bool,
}

/// What an answer came to.
#[derive(Clone, Debug)]
pub struct Taken {
    /// When the witness cosigned by its own clock, in seconds since 1970.
    pub time: u64,
    /// The checkpoint with its cosignatures, if there are enough of them.
    pub cosigned: Option<(String, Quorum)>,
}

/// The rounds of one log.
#[derive(Debug)]
pub struct Rounds {
    policy: Arc<Policy>,
    current: Option<Round>,
    heartbeat_us: u64,
}

impl Rounds {
    /// Rounds under a policy; none has begun.
    pub fn new(policy: Arc<Policy>) -> Rounds {
        Rounds {
            policy,
            current: None,
            heartbeat_us: HEARTBEAT_US,
        }
    }

    /// Whether writing is stopped at present: then the witnesses are asked more often.
    pub fn set_shut(&mut self, is_shut: bool) {
        self.heartbeat_us = match is_shut {
            true => HEARTBEAT_SHUT_US,
            false => HEARTBEAT_US,
        };
    }

    /// The round at this moment, a new one if it is time for that. `newest` is asked only then.
    pub fn at<E>(
        &mut self,
        now_us: u64,
        newest_size: u64,
        newest: impl FnOnce() -> Result<(SignedNote, Checkpoint), E>,
    ) -> Result<&Round, E> {
        let is_over = match &self.current {
            None => true,
            Some(round) => {
                let age = now_us.saturating_sub(round.began_us);
                let is_newer = newest_size != round.size;
                age >= self.heartbeat_us
                    || (is_newer && age >= if round.is_met { PACE_US } else { PATIENCE_US })
            }
        };
        if is_over {
            let (note, checkpoint) = newest()?;
            self.current = Some(Round {
                number: self.current.as_ref().map_or(1, |round| round.number + 1),
                submitted: Arc::new(note.clone()),
                size: checkpoint.size,
                note,
                began_us: now_us,
                is_met: false,
            });
        }
        Ok(self.current.as_ref().expect("a round has just begun"))
    }

    /// How long until [`at`](Rounds::at) may give another round, in microseconds.
    pub fn until_next_us(&self, now_us: u64, newest_size: u64) -> u64 {
        let Some(round) = &self.current else { return 0 };
        let age = now_us.saturating_sub(round.began_us);
        let end = match (newest_size == round.size, round.is_met) {
            (true, _) => self.heartbeat_us,
            (false, true) => PACE_US,
            (false, false) => PATIENCE_US,
        };
        end.saturating_sub(age)
    }

    /// Takes a witness's answer. One for an earlier round tells the time and nothing else.
    pub fn take(
        &mut self,
        round: &Round,
        key: &WitnessKey,
        body: &str,
    ) -> Result<Taken, AnswerError> {
        let mut alone = (*round.submitted).clone();
        let time = take_answer(body, &mut alone, key)?;
        let mut cosigned = None;
        if let Some(current) = &mut self.current
            && current.number == round.number
        {
            take_answer(body, &mut current.note, key)?;
            if let Ok(quorum) = self.policy.check_quorum(&current.note) {
                current.is_met = true;
                cosigned = Some((current.note.to_string(), quorum));
            }
        }
        Ok(Taken { time, cosigned })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tlog::cosignature::{Algorithm, CosignerKey};
    use tlog::note::SigningKey;

    use super::*;

    fn witnesses() -> Vec<CosignerKey> {
        (0..3)
            .map(|n| {
                CosignerKey::from_seed(&format!("w{n}"), Algorithm::Ed25519, &[n; 32])
                    .expect("a key")
            })
            .collect()
    }

    fn policy(quorum: usize) -> Arc<Policy> {
        let mut text = String::new();
        for key in witnesses() {
            text += &format!("witness {} {}\n", key.witness().name(), key.witness());
        }
        text += &format!("group enough {quorum} w0 w1 w2\nquorum enough\n");
        Arc::new(Policy::parse(text.as_bytes()).expect("a policy"))
    }

    fn newest(size: u64) -> Result<(SignedNote, Checkpoint), Infallible> {
        let key = SigningKey::from_seed("ward", &[9; 32]).expect("a key");
        let checkpoint = Checkpoint {
            origin: "ward".to_owned(),
            size,
            root: [7; 32],
            extensions: Vec::new(),
        };
        let note = checkpoint.sign(&key).expect("signed");
        Ok((SignedNote::parse(&note).expect("a note"), checkpoint))
    }

    fn round(rounds: &mut Rounds, second: f64, size: u64) -> Round {
        let now_us = (second * 1e6) as u64;
        let Ok(round) = rounds.at(now_us, size, || newest(size));
        round.clone()
    }

    fn answer(rounds: &mut Rounds, round: &Round, witness: usize, time: u64) -> bool {
        let key = &witnesses()[witness];
        let line = key.cosign(&round.submitted, time).expect("cosigned");
        let taken = rounds
            .take(round, key.witness(), &line.to_string())
            .expect("taken");
        assert_eq!(taken.time, time);
        taken.cosigned.is_some()
    }

    #[test]
    fn witnesses_of_different_speed_sign_the_same_checkpoint() {
        let mut rounds = Rounds::new(policy(2));
        let first = round(&mut rounds, 0.0, 10);
        assert!(!answer(&mut rounds, &first, 0, 100));
        // The log has grown, but the second witness is still asked about the same size.
        let same = round(&mut rounds, 1.0, 14);
        assert_eq!((same.number, same.size), (1, 10));
        assert!(answer(&mut rounds, &same, 1, 101));
        let next = round(&mut rounds, 1.3, 14);
        assert_eq!((next.number, next.size), (2, 14));
        // The third was too slow; its answer is no longer counted, and it is asked again.
        assert!(!answer(&mut rounds, &first, 2, 102));
        assert!(!answer(&mut rounds, &next, 2, 103));
        assert!(answer(&mut rounds, &next, 0, 103));
    }

    #[test]
    fn a_round_lasts_until_it_is_met_or_patience_ends() {
        for (met, second, size, expected) in [
            (false, 0.1, 10, 1),
            (false, 4.9, 11, 1),
            (false, 5.0, 11, 2),
            (true, 0.2, 11, 1),
            (true, 0.25, 11, 2),
            (true, 59.9, 10, 1),
            (true, 60.0, 10, 2),
            (false, 60.0, 10, 2),
        ] {
            let mut rounds = Rounds::new(policy(1));
            let first = round(&mut rounds, 0.0, 10);
            if met {
                assert!(answer(&mut rounds, &first, 0, 100));
            }
            let until = rounds.until_next_us((second * 1e6) as u64, size);
            let number = round(&mut rounds, second, size).number;
            assert_eq!(
                (number, until == 0),
                (expected, expected == 2),
                "{met} {second} {size}"
            );
        }
    }

    #[test]
    fn an_answer_by_another_key_is_not_taken() {
        let mut rounds = Rounds::new(policy(1));
        let first = round(&mut rounds, 0.0, 10);
        let [a, b, _] = &witnesses()[..] else {
            panic!()
        };
        let line = a.cosign(&first.submitted, 5).expect("cosigned").to_string();
        assert!(rounds.take(&first, b.witness(), &line).is_err());
        assert!(rounds.take(&first, b.witness(), "nonsense").is_err());
        assert!(!rounds.current.expect("a round").is_met);
    }
}
