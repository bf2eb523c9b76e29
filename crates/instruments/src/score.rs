//! From answers to scores. Pure: the same answers always give the same scores.

use crate::{Answer, Critical, Instrument, Item, Missing, Scale};

/// Why answers cannot be scored at all. (A missing answer is not an error: see [`Scores`].)
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// Too few or too many answers.
    #[error("{instrument} has {expected} scored items; {got} answers were given")]
    Count {
        /// Name of the instrument.
        instrument: &'static str,
        /// How many answers it wants.
        expected: usize,
        /// How many came.
        got: usize,
    },
    /// An answer that is not on the form.
    #[error("{instrument} item {item} is answered from {lowest} to {highest}; {got} was given")]
    Range {
        /// Name of the instrument.
        instrument: &'static str,
        /// Number of the item.
        item: u8,
        /// Lowest answer on the form.
        lowest: u8,
        /// Highest answer on the form.
        highest: u8,
        /// What came.
        got: u8,
    },
}

/// One scale's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Which scale.
    pub scale: &'static Scale,
    /// The sum, or nothing where an answer that is needed is missing.
    pub value: Option<u16>,
    /// How many of its items were not answered.
    pub missing: u8,
}

/// All scales of one instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scores(Vec<Score>);

impl Scores {
    /// Every scale in the instrument's order.
    pub fn iter(&self) -> impl Iterator<Item = &Score> {
        self.0.iter()
    }

    /// The total, if it may be given.
    pub fn total(&self) -> Option<u16> {
        self.0.first().and_then(|s| s.value)
    }

    /// One scale's value, if it may be given.
    pub fn value(&self, scale: &str) -> Option<u16> {
        self.0
            .iter()
            .find(|s| s.scale.key == scale)
            .and_then(|s| s.value)
    }
}

/// Scores one filled-in form.
///
/// `answers` has one place for every scored item in order of its number; `None` was not answered.
pub fn score(instrument: &Instrument, answers: &[Option<u8>]) -> Result<Scores, ScoreError> {
    let items: Vec<&Item> = instrument.scored_items().collect();
    if items.len() != answers.len() {
        return Err(ScoreError::Count {
            instrument: instrument.name,
            expected: items.len(),
            got: answers.len(),
        });
    }
    for (item, answer) in items.iter().zip(answers) {
        let Some(got) = *answer else { continue };
        if !item.answers.iter().any(|a| a.value == got) {
            let values = || item.answers.iter().map(|a: &Answer| a.value);
            return Err(ScoreError::Range {
                instrument: instrument.name,
                item: item.number,
                lowest: values().min().unwrap_or(0),
                highest: values().max().unwrap_or(0),
                got,
            });
        }
    }
    let scores = instrument.scales.iter().map(|scale| {
        let of_scale = || {
            items
                .iter()
                .zip(answers)
                .filter(|(item, _)| scale.items.contains(&item.number))
                .map(|(_, answer)| *answer)
        };
        let missing = of_scale().filter(Option::is_none).count() as u8;
        let value = match scale.missing {
            Missing::AllRequired if missing > 0 => None,
            Missing::AllRequired => Some(of_scale().flatten().map(u16::from).sum()),
        };
        Score {
            scale,
            value,
            missing,
        }
    });
    Ok(Scores(scores.collect()))
}

/// The answers of one form that need somebody today, whatever the total is, and even if there is none.
///
/// `answers` as for [`score`].
pub fn critical<'a>(
    instrument: &'a Instrument,
    answers: &'a [Option<u8>],
) -> impl Iterator<Item = (&'static Critical, u8)> + 'a {
    let rules: &'static [Critical] = instrument.critical;
    rules.iter().filter_map(move |critical| {
        let place = instrument
            .scored_items()
            .position(|item| item.number == critical.item)?;
        let value = (*answers.get(place)?)?;
        (value >= critical.at_least).then_some((critical, value))
    })
}
