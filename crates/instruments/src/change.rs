//! When a difference between two scores means something: rules as data, each with
//! who says so and how well that has been checked.
//!
//! A page that shows a change names the rule. Rules that disagree are all kept; the
//! first for a scale is the one that is used unless a programme chooses another.

use crate::Direction;

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Citation {
    /// Short, for beside a number: "Marx 2022".
    pub short: &'static str,
    /// Enough to find it.
    pub full: &'static str,
    /// How far we have checked it.
    pub evidence: Evidence,
}

/// How far a rule has been checked against its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The number is in the source that is cited.
    Checked,
    /// In common use; no primary source has been read for it.
    Unchecked,
    /// This project's own line, for want of a published one.
    Own,
}

/// How the two scores are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// A difference of so many tenths of a point, either way. Steps from small to large.
    /// With `recovered_at_most`, the largest step that also ends there is a recovery.
    Points {
        /// The steps from small to large.
        steps: &'static [Step],
        /// The score at or below which the largest step is a recovery.
        recovered_at_most: Option<u16>,
    },
    /// A difference of at least so many percent of the baseline, either way.
    Percent {
        /// Percent of the baseline score.
        at_least: u16,
        /// The word for it.
        says: &'static str,
    },
    /// Improved if the score is at most half of the baseline, or below a line.
    HalfOrBelow {
        /// Improved below this score.
        below: u16,
    },
    /// Only for those who began above a line: in remission below another.
    Remission {
        /// Applies if the baseline is above this.
        baseline_above: u16,
        /// In remission below this.
        below: u16,
    },
}

/// A size of difference and the word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// At least so many tenths of a point.
    pub tenths: u16,
    /// "possible", "reliable"...
    pub says: &'static str,
}

/// One rule of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeRule {
    /// Unique in the instrument; it is what a page or an export names.
    pub key: &'static str,
    /// For a label.
    pub name: &'static str,
    /// Which scale it is about.
    pub scale: &'static str,
    /// The comparison.
    pub test: Test,
    /// Whether it can also say that somebody got worse.
    pub both_ways: bool,
    /// Who says so.
    pub citation: Citation,
}

/// What a rule says about two scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Improved by the rule's largest step, and ended where the rule says a recovery is.
    Recovered,
    /// Better, with the rule's word for how surely.
    Better(&'static str),
    /// Less than the rule asks for.
    NoChange,
    /// Worse, with the rule's word for how surely.
    Worse(&'static str),
    /// The rule does not apply to this baseline.
    NotApplicable,
}

/// Two scores compared under one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The rule that was used.
    pub rule: &'static ChangeRule,
    /// Latest minus baseline, in points.
    pub difference: i32,
    /// What the rule says.
    pub verdict: Verdict,
}

/// The scores at which a rule's largest step begins, for the lines of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// At or below this the fall is the rule's largest step; `None` where no score reaches it.
    pub at_most: Option<u16>,
    /// At or above this the rise is the rule's largest step; `None` where no score reaches it.
    pub at_least: Option<u16>,
}

impl ChangeRule {
    /// Compares `latest` with `baseline`, both scores of the rule's scale.
    pub fn judge(&'static self, direction: Direction, baseline: u16, latest: u16) -> Change {
        let difference = i32::from(latest) - i32::from(baseline);
        let better = match direction {
            Direction::HigherIsWorse => difference < 0,
            Direction::HigherIsBetter => difference > 0,
        };
        let graded = |says| match (better, self.both_ways) {
            (true, _) => Verdict::Better(says),
            (false, true) => Verdict::Worse(says),
            (false, false) => Verdict::NoChange,
        };
        let size = difference.unsigned_abs();
        let verdict = match self.test {
            Test::Points {
                steps,
                recovered_at_most,
            } => {
                let reached = steps
                    .iter()
                    .rev()
                    .find(|s| size * 10 >= u32::from(s.tenths));
                let largest = steps.last().map(|s| s.says);
                match (reached, recovered_at_most) {
                    (None, _) => Verdict::NoChange,
                    (Some(step), Some(line))
                        if better && latest <= line && Some(step.says) == largest =>
                    {
                        Verdict::Recovered
                    }
                    (Some(step), _) => graded(step.says),
                }
            }
            Test::Percent { at_least, says } => {
                if baseline == 0 {
                    Verdict::NotApplicable
                } else if size * 100 >= u32::from(at_least) * u32::from(baseline) && size > 0 {
                    graded(says)
                } else {
                    Verdict::NoChange
                }
            }
            Test::HalfOrBelow { below } => {
                if better && (latest * 2 <= baseline || latest < below) {
                    Verdict::Better("improved")
                } else {
                    Verdict::NoChange
                }
            }
            Test::Remission {
                baseline_above,
                below,
            } => {
                if baseline <= baseline_above {
                    Verdict::NotApplicable
                } else if latest < below {
                    Verdict::Recovered
                } else {
                    Verdict::NoChange
                }
            }
        };
        Change {
            rule: self,
            difference,
            verdict,
        }
    }

    /// Where the rule's largest step begins around a baseline; nothing for rules that have no such lines.
    pub fn lines(&self, baseline: u16, max: u16) -> Option<Lines> {
        let points = match self.test {
            Test::Points { steps, .. } => steps.last()?.tenths.div_ceil(10),
            Test::Percent { at_least, .. } => {
                (u32::from(at_least) * u32::from(baseline)).div_ceil(100) as u16
            }
            Test::HalfOrBelow { .. } | Test::Remission { .. } => return None,
        };
        let at_least = baseline + points;
        Some(Lines {
            at_most: baseline.checked_sub(points),
            at_least: (at_least <= max && self.both_ways).then_some(at_least),
        })
    }
}

impl Change {
    /// "Reliable fall (-24)", "No reliable change (+3)": what a tired person reads. The
    /// direction is said as fall or rise, because whether that is good is the instrument's to say.
    pub fn sentence(&self) -> String {
        let way = if self.difference < 0 { "fall" } else { "rise" };
        let signed = self.difference;
        let word = |says: &str| {
            let mut letters = says.chars();
            let first = letters.next().map(|c| c.to_uppercase().to_string());
            format!("{}{}", first.unwrap_or_default(), letters.as_str())
        };
        match (self.verdict, self.rule.test) {
            (Verdict::NotApplicable, _) => {
                format!("{} does not apply ({signed:+})", self.rule.name)
            }
            (
                Verdict::Recovered,
                Test::Points {
                    recovered_at_most: Some(line),
                    steps,
                },
            ) => format!(
                "{} {way} to {line} or less ({signed:+})",
                word(steps.last().map_or("", |s| s.says))
            ),
            (Verdict::Recovered, _) => format!("In remission ({signed:+})"),
            (Verdict::Better("improved"), _) => format!("Improved ({signed:+})"),
            (Verdict::Better(says) | Verdict::Worse(says), _) => {
                format!("{} {way} ({signed:+})", word(says))
            }
            (Verdict::NoChange, Test::Points { steps, .. }) => format!(
                "No {} change ({signed:+})",
                steps.last().map_or("such", |s| s.says)
            ),
            (Verdict::NoChange, Test::Percent { says, .. }) => {
                format!("No {says} change ({signed:+})")
            }
            (Verdict::NoChange, _) => format!("Not improved ({signed:+})"),
        }
    }
}
