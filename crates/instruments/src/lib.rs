//! Questionnaires as data, scoring, and change rules with their citations.
//!
//! An [`Instrument`] holds its items as they are worded, the answers and their
//! values, the window it asks about, its licence, its scales, the rules by which
//! others have said that a difference matters, and the answers that need somebody
//! today whatever the total is. Nothing here knows FHIR, a page or a clock.
//!
//! Three rules hold for all of them:
//!
//! - A score is a pure function of the answers. It is never repaired: where the
//!   published rule wants every item, a missing one means no score.
//! - A change has no meaning without a named [`ChangeRule`], and a rule has no
//!   standing without its [`Citation`] and its [`Evidence`]. Where published rules
//!   disagree, all are kept.
//! - A panel's code is never a score's code.
//!
//! ```
//! let phq9 = instruments::by_key("phq-9").expect("shipped");
//! let answers = [1, 2, 2, 1, 0, 1, 1, 0, 1].map(Some);
//! let scores = instruments::score(phq9, &answers).expect("nine answers from 0 to 3");
//! assert_eq!(scores.total(), Some(9));
//! assert_eq!(instruments::critical(phq9, &answers).count(), 1);
//! ```

pub mod change;
mod nsi;
mod pcl5;
mod phq9;
pub mod score;

pub use change::{Change, ChangeRule, Citation, Evidence, Verdict};
pub use pcl5::provisional_ptsd;
pub use score::{ScoreError, Scores, critical, score};

/// The code system of LOINC.
pub const LOINC: &str = "http://loinc.org";
/// Our code system for scores that have no LOINC code, or none that was verified.
pub const LOCAL_SCORE: &str = "urn:homecoming:score";
/// Our code system for items and panels that have no LOINC code, or none that was verified.
pub const LOCAL_ITEM: &str = "urn:homecoming:item";

/// One code in one code system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// URI of the code system: [`LOINC`] or one of ours.
    pub system: &'static str,
    /// The code itself.
    pub code: &'static str,
    /// What it stands for.
    pub display: &'static str,
}

/// One possible answer and what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// What it adds to a score.
    pub value: u8,
    /// The words on the form.
    pub text: &'static str,
    /// Code system and code.
    pub code: Code,
}

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Its number on the form, from 1.
    pub number: u8,
    /// `linkId` in a Questionnaire and its responses.
    pub link: &'static str,
    /// The words on the form.
    pub text: &'static str,
    /// The item's own code.
    pub code: Code,
    /// The answers; those of the instrument unless the item has its own.
    pub answers: &'static [Answer],
    /// Whether it counts in any scale.
    pub scored: bool,
}

/// Whether a larger number is a better or a worse state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More is worse: symptoms.
    HigherIsWorse,
    /// More is better: functioning, wellbeing.
    HigherIsBetter,
}

/// What happens to a scale when an item was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// No score: every item is needed.
    AllRequired,
}

/// A set of items added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Unique in the instrument: `total`, `cognitive`...
    pub key: &'static str,
    /// For a heading.
    pub name: &'static str,
    /// The score's code; never the panel's.
    pub code: Code,
    /// Numbers of the items that are added up.
    pub items: &'static [u8],
    /// The largest possible sum.
    pub max: u16,
    /// What a missing item does.
    pub missing: Missing,
}

/// A named range of a scale. Only where it has been published for this instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// Lowest score in the band.
    pub from: u16,
    /// Its name.
    pub name: &'static str,
}

/// A line above which a total is taken to say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Which scale.
    pub scale: &'static str,
    /// Reached at this score and above.
    pub at_least: u16,
    /// What it says.
    pub says: &'static str,
    /// Who says so.
    pub citation: Citation,
}

/// An answer that needs somebody today, whatever the total is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Critical {
    /// Item number.
    pub item: u8,
    /// Reached at this answer and above.
    pub at_least: u8,
    /// What is owed.
    pub says: &'static str,
}

/// Whether the words may be in this repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextLicence {
    /// In the public domain, or a work of the United States Government.
    PublicDomain,
    /// Free to use with the notice shown.
    FreeWithNotice,
    /// Taken to be public; no explicit statement has been found.
    PresumedPublic,
}

/// A questionnaire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instrument {
    /// Short and stable: `pcl-5`.
    pub key: &'static str,
    /// As people say it: `PCL-5`.
    pub name: &'static str,
    /// In full.
    pub title: &'static str,
    /// Canonical URI of the questionnaire.
    pub url: &'static str,
    /// Which wording and window this is; part of what makes two scores comparable.
    pub version: &'static str,
    /// The panel's code.
    pub panel: Code,
    /// What is read before the items.
    pub stem: &'static str,
    /// What span of time it asks about, in words.
    pub window: &'static str,
    /// The answers most items share.
    pub answers: &'static [Answer],
    /// The questions in order.
    pub items: &'static [Item],
    /// The scales; the first is the total.
    pub scales: &'static [Scale],
    /// Whether more is worse.
    pub direction: Direction,
    /// Published bands of the total; empty where there are none, and then a page shows none.
    pub bands: &'static [Band],
    /// Published lines.
    pub cuts: &'static [Cut],
    /// Rules of change; the first for a scale is the default.
    pub rules: &'static [ChangeRule],
    /// Answers that need somebody today.
    pub critical: &'static [Critical],
    /// May the words be here?
    pub licence: TextLicence,
    /// What must be shown, or what is known of the terms.
    pub notice: &'static str,
    /// Where wording and scoring were taken from.
    pub sources: &'static [&'static str],
}

/// Every instrument that is shipped.
pub fn all() -> &'static [Instrument] {
    static ALL: [Instrument; 3] = [pcl5::PCL5, phq9::PHQ9, nsi::NSI];
    &ALL
}

/// The instrument with this key (`pcl-5`, `phq-9`, `nsi`).
pub fn by_key(key: &str) -> Option<&'static Instrument> {
    all().iter().find(|i| i.key == key)
}

/// The instrument whose questionnaire has this canonical; a `|version` is ignored.
pub fn by_url(canonical: &str) -> Option<&'static Instrument> {
    let url = canonical.split('|').next().unwrap_or(canonical);
    all().iter().find(|i| i.url == url)
}

/// The scale that a score's code stands for.
pub fn by_score(system: &str, code: &str) -> Option<(&'static Instrument, &'static Scale)> {
    all()
        .iter()
        .flat_map(|i| i.scales.iter().map(move |s| (i, s)))
        .find(|(_, s)| s.code.system == system && s.code.code == code)
}

impl Instrument {
    /// The scale that adds up everything.
    pub fn total(&self) -> &'static Scale {
        &self.scales[0]
    }

    /// The scale with this key.
    pub fn scale(&self, key: &str) -> Option<&'static Scale> {
        self.scales.iter().find(|s| s.key == key)
    }

    /// The rules for one scale, the default first.
    pub fn rules_for(&self, scale: &str) -> impl Iterator<Item = &'static ChangeRule> {
        let rules = self.rules;
        rules.iter().filter(move |r| r.scale == scale)
    }

    /// The rule with this key.
    pub fn rule(&self, key: &str) -> Option<&'static ChangeRule> {
        self.rules.iter().find(|r| r.key == key)
    }

    /// The items that count, in order.
    pub fn scored_items(&self) -> impl Iterator<Item = &'static Item> {
        self.items.iter().filter(|i| i.scored)
    }

    /// The item with this `linkId`.
    pub fn item_by_link(&self, link: &str) -> Option<&'static Item> {
        self.items.iter().find(|i| i.link == link)
    }

    /// The item with this code.
    pub fn item_by_code(&self, system: &str, code: &str) -> Option<&'static Item> {
        self.items
            .iter()
            .find(|i| i.code.system == system && i.code.code == code)
    }

    /// The published band that a total falls in.
    pub fn band(&self, total: u16) -> Option<&'static Band> {
        self.bands.iter().rev().find(|b| total >= b.from)
    }
}

impl Item {
    /// What an answer's code counts.
    pub fn value_of(&self, system: &str, code: &str) -> Option<u8> {
        self.answers
            .iter()
            .find(|a| a.code.system == system && a.code.code == code)
            .map(|a| a.value)
    }
}

#[cfg(test)]
mod tests;
