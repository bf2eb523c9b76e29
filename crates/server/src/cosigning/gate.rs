//! When what witnesses say means that nothing more may be written. Pure.
//!
//! | a witness says | it means | writes are taken again |
//! |---|---|---|
//! | it cosigned more entries than there are, and shows it | entries were lost, or an older copy was put back, or somebody else signs with the log's key | never in this process |
//! | the same, and shows nothing that the log and it have signed | the same, or somebody on the way to it says so | when it cosigns again |
//! | our checkpoint does not follow from what it cosigned | the past was changed | when it cosigns again |
//! | a time that is not ours | this machine's clock is wrong (or its) | when a clock within the limit is heard, as many as not |
//! | nothing since the clock was moved ahead | this machine's clock is wrong, or it slept | when it cosigns again |
//!
//! While this machine's clock is ahead nothing is shown either: what is shown is recorded as shown, and later
//! entries could not be earlier than that.

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
        /// Whether it showed a checkpoint of that size which our own key and it have signed.
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
        let is_shown = matches!(
            self.halts.get(&key),
            Some((_, Halt::Behind { is_shown: true, .. }))
        );
        if !is_shown {
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

    /// Why nothing is shown at present: what is recorded as shown would have a time to come. `moved_s` is how far our
    /// clock has moved ahead of the time that has passed since a witness was last heard, in seconds.
    pub fn refusal_to_show(&self, moved_s: i64) -> Option<String> {
        if moved_s > SKEW_MAX_S {
            return Some(format!(
                "Nothing is shown or recorded at present: this server's clock was moved {moved_s} seconds ahead since a witness \
                 was last heard, and the limit is {SKEW_MAX_S}. It goes on as soon as a witness agrees with the clock; if \
                 no witness can be reached and the clock is right, start the server again."
            ));
        }
        let (witness, skew) = self.contradicted()?;
        (skew < 0).then(|| {
            format!(
                "Nothing is shown or recorded at present: this server's clock is {} seconds ahead of the clock of the \
                 witness {witness}, and the limit is {SKEW_MAX_S}. That something was shown would be recorded with a time \
                 to come. Set the clock right; it goes on when a witness agrees.",
                skew.abs()
            )
        })
    }

    /// The witness whose clock is farthest from ours, and how far it is ahead, where most are too far.
    fn contradicted(&self) -> Option<(&str, i64)> {
        let off: Vec<_> = self
            .skews
            .iter()
            .filter(|(_, skew)| skew.abs() > SKEW_MAX_S)
            .collect();
        // As many that agree with us as do not: then it is more likely theirs.
        if off.len() * 2 <= self.skews.len() {
            return None;
        }
        let (witness, skew) = off.into_iter().max_by_key(|(_, skew)| skew.abs())?;
        Some((witness, *skew))
    }

    /// Why nothing is written at present, for whoever wants to write; `None` if it is.
    /// `moved_s` is as in [`Gate::refusal_to_show`].
    pub fn refusal(&self, moved_s: i64) -> Option<String> {
        if let Some(((witness, _), (log, halt))) = self.halts.iter().next() {
            return Some(match halt {
                Halt::Behind {
                    cosigned,
                    ours,
                    is_shown,
                } => {
                    let shown = match is_shown {
                        true => {
                            ", and shows a checkpoint of that size, signed with this log's own key and by that witness"
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
        if let Some(why) = self.refusal_to_show(moved_s) {
            return Some(why);
        }
        let (witness, skew) = self.contradicted()?;
        Some(format!(
            "Nothing is recorded at present: this server's clock is {skew} seconds behind the clock of the witness \
             {witness}, and the limit is {SKEW_MAX_S}. What is recorded now would have a wrong time. Set the clock \
             right; recording goes on when a witness agrees."
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
        assert_eq!(gate.refusal(0).is_none(), is_open, "{skews:?}");
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
    fn while_the_clock_is_ahead_nothing_is_shown_either() {
        // The witness's clock against ours, how far ours was moved, and what goes on.
        for (skew, moved, shows, records) in [
            (0, 0, true, true),
            (120, 120, true, true),
            (121, 0, true, false),
            (-121, 0, false, false),
            (0, 121, false, false),
            (0, -5_000, true, true),
        ] {
            let mut gate = Gate::default();
            gate.cosigned(LogName::Record, "w", skew);
            let what = format!("{skew} {moved}");
            assert_eq!(gate.refusal_to_show(moved).is_none(), shows, "{what}");
            assert_eq!(gate.refusal(moved).is_none(), records, "{what}");
        }
        assert_eq!(Gate::default().refusal_to_show(0), None);
    }

    #[test]
    fn what_a_witness_says_without_showing_it_is_taken_back_by_its_signature() {
        for (is_shown, opens) in [(false, true), (true, false)] {
            let mut gate = Gate::default();
            let behind = Halt::Behind {
                cosigned: 9,
                ours: 7,
                is_shown,
            };
            gate.halt(LogName::Record, "w", behind);
            assert!(gate.refusal(0).is_some());
            gate.cosigned(LogName::Record, "w", 0);
            assert_eq!(gate.refusal(0).is_none(), opens, "shown: {is_shown}");
        }
    }

    #[test]
    fn writing_goes_on_when_the_witness_agrees_again() {
        let mut gate = Gate::default();
        gate.cosigned(LogName::Record, "w", 3600);
        let refusal = gate.refusal(0).expect("it is an hour behind");
        assert!(refusal.contains("3600 seconds behind"), "{refusal}");
        gate.cosigned(LogName::Record, "w", 1);
        assert_eq!(gate.refusal(0), None);
    }

    #[test]
    fn a_ledger_that_is_behind_stays_shut_and_one_that_agrees_again_opens() {
        let mut gate = Gate::default();
        gate.halt(LogName::Record, "w", Halt::Inconsistent { cosigned: 7 });
        assert!(gate.refusal(0).expect("shut").contains("does not begin"));
        gate.cosigned(LogName::Access, "w", 0);
        assert!(gate.refusal(0).is_some(), "the other log says nothing here");
        gate.cosigned(LogName::Record, "w", 0);
        assert_eq!(gate.refusal(0), None);
        let behind = Halt::Behind {
            cosigned: 9,
            ours: 7,
            is_shown: true,
        };
        gate.halt(LogName::Record, "w", behind);
        gate.cosigned(LogName::Record, "w", 0);
        let refusal = gate.refusal(0).expect("shut");
        for part in ["cosigned 9 entries", "only 7 here", "own key"] {
            assert!(refusal.contains(part), "{part}: {refusal}");
        }
    }
}
