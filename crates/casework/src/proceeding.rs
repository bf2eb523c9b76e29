//! What goes on in steps on the record: an erasure, a warrant, a break-glass.
//!
//! The rules decide over each step before it is recorded. Whoever could write past them leaves steps that they would
//! have refused, so the state is always drawn again from all steps that are there, and [`follow`] names the unlawful
//! ones.

use std::fmt;

/// Something that goes on in steps, each by somebody at a moment.
pub trait Proceeding {
    /// What may be done.
    type Step: Clone;
    /// By whom, and what of them the rules must know.
    type Who;
    /// Why not.
    type Refusal;

    /// What the rules are of, as in "the rules of erasure".
    const RULES: &'static str;

    /// A step's code on the record.
    fn code(step: &Self::Step) -> &'static str;

    /// Whether `who` may take `step` at `now` (microseconds since the Unix epoch).
    fn decide(&self, step: &Self::Step, who: &Self::Who, now: i64) -> Result<(), Self::Refusal>;

    /// Takes a step that is on the record, lawful or not.
    fn take(&mut self, step: Self::Step, who: &Self::Who, now: i64);
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken<S, W> {
    /// What.
    pub step: S,
    /// By whom.
    pub who: W,
    /// When it was recorded, in microseconds since the Unix epoch.
    pub recorded_at: i64,
}

/// A step on the record that the rules would have refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlawful<R> {
    /// Which step, from 1.
    pub step: usize,
    /// Its code.
    pub code: &'static str,
    /// What the rules are of.
    pub rules: &'static str,
    /// Why it should not be there.
    pub refusal: R,
}

impl<R: fmt::Display> fmt::Display for Unlawful<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unlawful {
            step,
            code,
            rules,
            refusal,
        } = self;
        write!(
            f,
            "step {step} ({code}) breaks the rules of {rules}: {refusal}"
        )
    }
}

/// The steps of a proceeding.
pub(crate) type Steps<P> = [Taken<<P as Proceeding>::Step, <P as Proceeding>::Who>];

/// The state that steps on the record lead to, and which of them break the rules. `lawful` begins with the first step
/// by the rules, `anyway` without them.
pub(crate) fn follow<P: Proceeding>(
    steps: &Steps<P>,
    lawful: impl FnOnce() -> Result<P, P::Refusal>,
    anyway: impl FnOnce() -> P,
) -> (P, Vec<Unlawful<P::Refusal>>) {
    let mut found = Vec::new();
    let mut unlawful = |at: usize, refusal| {
        found.push(Unlawful {
            step: at + 1,
            code: P::code(&steps[at].step),
            rules: P::RULES,
            refusal,
        });
    };
    let mut state = lawful().unwrap_or_else(|refusal| {
        unlawful(0, refusal);
        anyway()
    });
    for (at, taken) in steps.iter().enumerate().skip(1) {
        if let Err(refusal) = state.decide(&taken.step, &taken.who, taken.recorded_at) {
            unlawful(at, refusal);
        }
        state.take(taken.step.clone(), &taken.who, taken.recorded_at);
    }
    (state, found)
}
