//! When what witnesses say means that nothing more may be written. Pure.
//!
//! | a witness says | it means | writes are taken again |
//! |---|---|---|
//! | it cosigned more entries than there are | entries were lost, or an older copy was put back, or somebody else signs with the log's key | never in this process |
//! | our checkpoint does not follow from what it cosigned | the past was changed | when it cosigns again |
//! | a time that is not ours | this machine's clock is wrong (or its) | when a clock within the limit is heard, as many as not |

use std::collections::BTreeMap;

use ledger::witnessed::LogName;

/// How far our clock may be from a witness's, in seconds.
pub const SKEW_MAX_S: i64 = 120;

/// Why nothing is written because of one witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// It cosigned more than there is.
    Behind {
        /// What it cosigned.
        cosigned: u64,
        /// What there is.
        ours: u64,
        /// Whether it showed a checkpoint of that size which our own key signed.
        is_shown: bool,
    },
    /// Our checkpoint does not begin with what it cosigned.
    Inconsistent {
        /// The size that it cosigned last.
        cosigned: u64,
    },
}

/// What all witnesses said last.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    halts: BTreeMap<(String, u8), (LogName, Halt)>,
    /// Witness time less ours when it last answered, in seconds.
    skews: BTreeMap<String, i64>,
}

impl Gate {
    /// A witness cosigned, and its clock was so far ahead of ours.
    pub fn cosigned(&mut self, log: LogName, witness: &str, skew_s: i64) {
        let key = (witness.to_owned(), log as u8);
        if matches!(self.halts.get(&key), Some((_, Halt::Inconsistent { .. }))) {
            self.halts.remove(&key);
        }
        self.skews.insert(witness.to_owned(), skew_s);
    }

    /// A witness will not cosign, for a reason that stops writing.
    pub fn halt(&mut self, log: LogName, witness: &str, halt: Halt) {
        self.halts
            .insert((witness.to_owned(), log as u8), (log, halt));
    }

    /// How far a witness's clock was ahead of ours, in seconds.
    pub fn skew(&self, witness: &str) -> Option<i64> {
        self.skews.get(witness).copied()
    }

    /// Why nothing is written at present, for whoever wants to write; `None` if it is.
    pub fn refusal(&self) -> Option<String> {
        if let Some(((witness, _), (log, halt))) = self.halts.iter().next() {
            return Some(match halt {
                Halt::Behind {
                    cosigned,
                    ours,
                    is_shown,
                } => {
                    let shown = match is_shown {
                        true => {
                            ", and shows a checkpoint of that size, signed with this log's own key"
                        }
                        false => "",
                    };
                    format!(
                        "Nothing more is recorded: the witness {witness} has cosigned {cosigned} entries of the \
                         {log}{shown}, but there are only {ours} here. Entries at its end were lost or cut off, an \
                         older copy was put in its place, or somebody else signs with its key. Whoever runs this \
                         server must find out which, and restore the newest backup."
                    )
                }
                Halt::Inconsistent { cosigned } => format!(
                    "Nothing more is recorded: the witness {witness} cosigned {cosigned} entries of the {log}, and \
                     what is here does not begin with them. The past was changed, or another log is served under \
                     this name. Whoever runs this server must run `homecoming audit` and restore a backup."
                ),
            });
        }
        let off: Vec<_> = self
            .skews
            .iter()
            .filter(|(_, skew)| skew.abs() > SKEW_MAX_S)
            .collect();
        // As many that agree with us as do not: then it is more likely theirs.
        if off.len() * 2 <= self.skews.len() {
            return None;
        }
        let (witness, skew) = off.iter().max_by_key(|(_, skew)| skew.abs())?;
        let word = if **skew > 0 { "behind" } else { "ahead of" };
        Some(format!(
            "Nothing is recorded at present: this server's clock is {} seconds {word} the clock of the witness \
             {witness}, and the limit is {SKEW_MAX_S}. What is recorded now would have a wrong time. Set the clock \
             right; recording goes on when a witness agrees.",
            skew.abs()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Skews of witnesses in order, and whether writes are taken.
    fn check(skews: &[i64], is_open: bool) {
        let mut gate = Gate::default();
        for (number, skew) in skews.iter().enumerate() {
            gate.cosigned(LogName::Record, &format!("w{number}"), *skew);
        }
        assert_eq!(gate.refusal().is_none(), is_open, "{skews:?}");
    }

    #[test]
    fn a_clock_that_most_witnesses_contradict_stops_writing() {
        check(&[], true);
        check(&[0], true);
        check(&[120], true);
        check(&[121], false);
        check(&[-121], false);
        check(&[500, 0], true);
        check(&[500, 500, 0], false);
        check(&[500, 0, 0], true);
        check(&[500, -500], false);
    }

    #[test]
    fn writing_goes_on_when_the_witness_agrees_again() {
        let mut gate = Gate::default();
        gate.cosigned(LogName::Record, "w", 3600);
        let refusal = gate.refusal().expect("it is an hour behind");
        assert!(refusal.contains("3600 seconds behind"), "{refusal}");
        gate.cosigned(LogName::Record, "w", 1);
        assert_eq!(gate.refusal(), None);
    }

    #[test]
    fn a_ledger_that_is_behind_stays_shut_and_one_that_agrees_again_opens() {
        let mut gate = Gate::default();
        gate.halt(LogName::Record, "w", Halt::Inconsistent { cosigned: 7 });
        assert!(gate.refusal().expect("shut").contains("does not begin"));
        gate.cosigned(LogName::Access, "w", 0);
        assert!(gate.refusal().is_some(), "the other log says nothing here");
        gate.cosigned(LogName::Record, "w", 0);
        assert_eq!(gate.refusal(), None);
        let behind = Halt::Behind {
            cosigned: 9,
            ours: 7,
            is_shown: true,
        };
        gate.halt(LogName::Record, "w", behind);
        gate.cosigned(LogName::Record, "w", 0);
        let refusal = gate.refusal().expect("shut");
        for part in ["cosigned 9 entries", "only 7 here", "own key"] {
            assert!(refusal.contains(part), "{part}: {refusal}");
        }
    }
}
