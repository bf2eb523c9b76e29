//! The scores of a person: which Observations are scores of which scale, in order of time.

use instruments::{Direction, Instrument, Scale};
use record::json::Value;
use record::time::Happened;

use super::{Telling, Thing};

/// One score in an Observation, of the Observation's own code or of one of its components.
pub struct Found {
    /// Whose score.
    pub instrument: &'static Instrument,
    /// Which of its scales.
    pub scale: &'static Scale,
    /// The score.
    pub value: u16,
    /// Its digits as written.
    pub written: String,
}

impl Found {
    /// "PCL-5", or "NSI cognitive" for a part of it.
    pub fn scale_name(&self) -> String {
        if self.scale.key == self.instrument.total().key {
            self.instrument.name.to_owned()
        } else if self.scale.name.starts_with(self.instrument.name) {
            self.scale.name.to_owned()
        } else {
            // Most scales are named with their instrument already.
            let part = self
                .scale
                .name
                .trim_start_matches(self.instrument.name)
                .trim_start();
            format!("{} {}", self.instrument.name, part.to_lowercase())
        }
    }
}

fn found(of: Value<'_>) -> Option<Found> {
    let (instrument, scale) = of.get("code")?.get("coding")?.items().find_map(|coding| {
        instruments::by_score(coding.str_at(&["system"])?, coding.str_at(&["code"])?)
    })?;
    let written = of
        .get("valueQuantity")
        .and_then(|quantity| quantity.get("value"))
        .or_else(|| of.get("valueInteger"))?
        .number_text()?
        .to_owned();
    let value = written
        .parse::<f64>()
        .ok()
        .filter(|value| (0.0..=1_000.0).contains(value))?;
    Some(Found {
        instrument,
        scale,
        value: value.round() as u16,
        written,
    })
}

/// The score that an Observation is.
pub fn score_of(observation: Value<'_>) -> Option<Found> {
    found(observation)
}

/// Which question an Observation answers, if it is one answer of a form: "PHQ-9, question 9".
pub fn item_of(observation: Value<'_>) -> Option<String> {
    observation
        .get("code")?
        .get("coding")?
        .items()
        .find_map(|coding| {
            let (system, code) = (coding.str_at(&["system"])?, coding.str_at(&["code"])?);
            instruments::all().iter().find_map(|instrument| {
                let item = instrument.item_by_code(system, code)?;
                Some(format!("{}, question {}", instrument.name, item.number))
            })
        })
}

/// One score with when it was and where it stands.
pub struct Dated<'t, 'c> {
    /// The score.
    pub score: Found,
    /// When.
    pub happened: Happened,
    /// The version that says it.
    pub telling: &'t Telling<'c>,
    /// How many versions there are of it.
    pub versions: usize,
}

/// All scores of one scale, oldest first.
pub fn of_scale<'t, 'c>(
    things: &'t [Thing<'c>],
    instrument: &Instrument,
    scale: &Scale,
) -> Vec<Dated<'t, 'c>> {
    let mut dated: Vec<Dated<'t, 'c>> = things
        .iter()
        .filter(|thing| thing.kind == "Observation")
        .filter_map(|thing| {
            let telling = thing.current()?;
            let resource = telling.resource();
            let parts = resource
                .get("component")
                .into_iter()
                .flat_map(|parts| parts.items());
            let score = std::iter::once(resource)
                .chain(parts)
                .filter_map(found)
                .find(|found| {
                    found.instrument.key == instrument.key && found.scale.key == scale.key
                })?;
            let happened = telling.happened()?;
            Some(Dated {
                score,
                happened,
                telling,
                versions: thing.tellings.len(),
            })
        })
        .collect();
    dated.sort_by_key(|dated| dated.happened.start);
    dated
}

/// Whether more points are worse on this scale.
pub fn higher_is_worse(instrument: &Instrument) -> bool {
    instrument.direction == Direction::HigherIsWorse
}
