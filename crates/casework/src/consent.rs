//! What a person has consented to: Consents as FHIR R4 writes them, evaluated at the moment of reading.
//!
//! [`consented`] says whether a disclosure that is about to be made is permitted, refused, or not
//! spoken of. It never says that something *may* be done: that is for the policy, of which this is
//! one fact. Whoever asks hands in the Consents as they stand now; what was disclosed under an
//! earlier version stays disclosed, and what is asked next is judged by the newest.
//!
//! The rule, and where it comes from:
//!
//! 1. A Consent counts while its status is `active`, from its `dateTime` on, and inside its
//!    `provision.period` (R4, Consent.status, Consent.provision.period).
//! 2. Only Consents about information count: scope `patient-privacy`, and `research` for research.
//!    `treatment` and `adr` speak of what is done to a person, not of what is told about them (R4,
//!    value set consent-scope).
//! 3. `policyRule` is the base, opt-in or opt-out. A root provision without a type, or with the same
//!    effect, says what the base is about; one of the opposite effect is an exception to it, and
//!    nested provisions are exceptions to what they stand in (R4: "exceptions to the base rule or
//!    subrules"). The deepest provision that fits decides.
//! 4. Between provisions that do not stand in each other, a permission counts only against refusals
//!    that it is *more specific* than: at least as narrow as to recipient, data, purpose and data
//!    period, and narrower in one. Everything else is a refusal: R4 leaves this open, and of the two
//!    ways to be wrong only one can be put right afterwards.
//! 5. A permission covers what is labelled as sensitive only where it names the label: a general
//!    release is not one of substance use records (42 CFR 2.31(a)(3)) or of therapy notes (45 CFR
//!    164.508(b)(3)(ii)). A refusal needs to name none of several.
//! 6. `securityLabel` with a confidentiality is a mark that a permission reaches up to, and a refusal
//!    down to (R4, Consent.provision.securityLabel: "a high water mark").
//! 7. What cannot be read in a provision makes a permission void and a refusal apply.

use crate::span::Span;

pub mod label;
pub mod offer;
pub mod part2;
#[cfg(test)]
mod tests;

/// A Consent, as the rules read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// Its id.
    pub id: String,
    /// Which version this is.
    pub version: u32,
    /// Where that version is in the ledger.
    pub position: u64,
    /// Whether it is `active`.
    pub active: bool,
    /// What it is about.
    pub scope: Scope,
    /// When it was given (`dateTime`), if that is said.
    pub given: Option<i64>,
    /// The base: opt-in or opt-out.
    pub base: Option<Effect>,
    /// What it permits and refuses.
    pub provision: Option<Provision>,
    /// Whether it has what 42 CFR 2.31 requires, as [`part2::missing`] found.
    pub part2: bool,
}

/// What a Consent is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Information: `patient-privacy`.
    Privacy,
    /// Research: `research`.
    Research,
    /// Something that is done to the person (`treatment`, `adr`), or nothing that is known here.
    #[default]
    Other,
}

impl Scope {
    /// The scope of a code of HL7's consentscope.
    pub fn of(code: &str) -> Scope {
        match code {
            "patient-privacy" => Scope::Privacy,
            "research" => Scope::Research,
            _ => Scope::Other,
        }
    }
}

/// Permit or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It may be done.
    Permit,
    /// It may not.
    Deny,
}

/// What is done with information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is read inside the programme: `access`, `use`.
    Use,
    /// It is given to somebody outside: `disclose`.
    Disclose,
    /// It is written or changed: `collect`, `correct`.
    Write,
}

impl Action {
    /// The action of a code of HL7's consentaction.
    pub fn of(code: &str) -> Option<Action> {
        match code {
            "access" | "use" => Some(Action::Use),
            "disclose" => Some(Action::Disclose),
            "collect" | "correct" => Some(Action::Write),
            _ => None,
        }
    }
}

/// One rule of a Consent. An empty list restricts nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provision {
    /// What it does; nothing for a root that leaves it to the base.
    pub effect: Option<Effect>,
    /// When it applies.
    pub period: Option<Span>,
    /// To whom.
    pub actors: Vec<Actor>,
    /// What is done.
    pub actions: Vec<Action>,
    /// Labels of the information, by code.
    pub labels: Vec<String>,
    /// What for, by code.
    pub purposes: Vec<String>,
    /// Kinds of information, as FHIR resource types.
    pub classes: Vec<String>,
    /// What the information is about: system and code.
    pub codes: Vec<(String, String)>,
    /// When what the information tells of happened.
    pub data_period: Option<Span>,
    /// Single resources: "Observation/17".
    pub data: Vec<String>,
    /// Whether it restricts itself in a way that is not understood here.
    pub unread: bool,
    /// Exceptions to it.
    pub within: Vec<Provision>,
}

/// To whom a provision applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody by reference: "Practitioner/7k2m", "Organization/va".
    Named(String),
    /// A class of persons: a role of the programme, or [`TREATING`].
    Class(String),
}

/// The class of those who treat the person: caseload and care team.
pub const TREATING: &str = "treating";

/// What is about to be done.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The moment.
    pub at: i64,
    /// What is done.
    pub action: Action,
    /// What for: a code of HL7's PurposeOfUse, or the programme's own.
    pub purpose: &'a str,
    /// Who receives it.
    pub recipient: Recipient<'a>,
    /// What is received.
    pub data: Data<'a>,
}

/// Who receives information: everything that they are known as.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recipient<'a> {
    /// Themselves and what they belong to: "Practitioner/7k2m", "Organization/va", "CareTeam/3".
    pub references: &'a [&'a str],
    /// Classes that they are in: their role, and [`TREATING`] if they treat this person.
    pub classes: &'a [&'a str],
}

/// A piece of information.
#[derive(Clone, Copy, Debug, Default)]
pub struct Data<'a> {
    /// The FHIR resource type.
    pub class: &'a str,
    /// The resource itself: "Observation/17"; empty if it has no name yet.
    pub reference: &'a str,
    /// Its security labels, by code.
    pub labels: &'a [&'a str],
    /// What it is about: system and code.
    pub codes: &'a [(&'a str, &'a str)],
    /// When what it tells of happened.
    pub happened: Option<Span>,
}

/// What the person has said about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'c> {
    /// This Consent permits it.
    Permitted(&'c Consent),
    /// This Consent refuses it.
    Refused(&'c Consent),
    /// No Consent in force speaks of it.
    Silent,
}

impl<'c> Answer<'c> {
    /// The Consent that decided.
    pub fn basis(self) -> Option<&'c Consent> {
        match self {
            Answer::Permitted(consent) | Answer::Refused(consent) => Some(consent),
            Answer::Silent => None,
        }
    }

    /// Whether it is permitted.
    pub fn is_permitted(self) -> bool {
        matches!(self, Answer::Permitted(_))
    }

    /// Whether it is refused.
    pub fn is_refused(self) -> bool {
        matches!(self, Answer::Refused(_))
    }
}

/// What the person has said about what is asked.
pub fn consented<'c>(
    consents: impl IntoIterator<Item = &'c Consent>,
    asked: &Asked<'_>,
) -> Answer<'c> {
    let mut permits: Vec<(&Consent, Narrow)> = Vec::new();
    let mut denies: Vec<(&Consent, Narrow)> = Vec::new();
    for consent in consents {
        let mut found = Vec::new();
        consent.decide(asked, &mut found);
        for (effect, narrow) in found {
            match effect {
                Effect::Permit => permits.push((consent, narrow)),
                Effect::Deny => denies.push((consent, narrow)),
            }
        }
    }
    let stands = |permit: &Narrow| denies.iter().all(|(_, deny)| permit.narrower_than(deny));
    let newest = |(consent, narrow): &&(&Consent, Narrow)| (*narrow, consent.given);
    let permit = permits.iter().filter(|(_, narrow)| stands(narrow));
    if let Some((consent, _)) = permit.max_by_key(newest) {
        return Answer::Permitted(consent);
    }
    match denies.iter().max_by_key(newest) {
        Some((consent, _)) => Answer::Refused(consent),
        None => Answer::Silent,
    }
}

/// How narrow what decided is: to whom, which data, what for, from when. Each is larger the
/// narrower it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Narrow {
    recipient: u8,
    data: u8,
    purpose: u8,
    period: u8,
}

impl Narrow {
    fn narrower_than(&self, other: &Narrow) -> bool {
        self != other
            && self.recipient >= other.recipient
            && self.data >= other.data
            && self.purpose >= other.purpose
            && self.period >= other.period
    }

    fn and(self, other: Narrow) -> Narrow {
        Narrow {
            recipient: self.recipient.max(other.recipient),
            data: self.data.max(other.data),
            purpose: self.purpose.max(other.purpose),
            period: self.period.max(other.period),
        }
    }
}

impl Consent {
    /// Whether it counts at a moment; what it is about is another question.
    pub fn in_force(&self, at: i64) -> bool {
        self.active
            && self.given.is_none_or(|given| given <= at)
            && self.provision.as_ref().is_none_or(|root| root.covers(at))
    }

    /// When it ends by itself, if it says so.
    pub fn until(&self) -> Option<i64> {
        let end = self.provision.as_ref()?.period?.end;
        (end != i64::MAX).then_some(end)
    }

    fn decide(&self, asked: &Asked<'_>, found: &mut Vec<(Effect, Narrow)>) {
        let about = match self.scope {
            Scope::Privacy => true,
            Scope::Research => is_or_within(asked.purpose, "HRESCH"),
            Scope::Other => false,
        };
        let given = self.given.is_none_or(|given| given <= asked.at);
        if !self.active || !given || !about {
            return;
        }
        let whole = Provision::default();
        let root = self.provision.as_ref().unwrap_or(&whole);
        let path = Path {
            narrow: Narrow::default(),
            named: Vec::new(),
            part2: self.part2,
        };
        match (self.base, root.effect) {
            (Some(base), Some(effect)) if base != effect => {
                let before = found.len();
                root.decide(asked, Some(effect), &path, found);
                if found.len() == before && path.holds(base, asked) {
                    found.push((base, path.narrow));
                }
            }
            (base, effect) => root.decide(asked, effect.or(base), &path, found),
        }
    }
}

/// What the provisions around one have said.
struct Path<'p> {
    narrow: Narrow,
    /// Labels that they named.
    named: Vec<&'p str>,
    /// Whether the Consent has what 42 CFR 2.31 requires.
    part2: bool,
}

impl Path<'_> {
    /// Whether an effect may come of it: a permission of what is sensitive names it.
    fn holds(&self, effect: Effect, asked: &Asked<'_>) -> bool {
        let named = |label: &&str| self.named.iter().any(|name| label::covers(name, label));
        effect == Effect::Deny
            || asked
                .data
                .labels
                .iter()
                .filter(|label| label::is_sensitive(label))
                .all(|label| named(label) && (self.part2 || !label::is_part2(label)))
    }
}

impl Provision {
    fn covers(&self, at: i64) -> bool {
        self.period
            .is_none_or(|period| period.start <= at && at < period.end)
    }

    fn decide<'p>(
        &'p self,
        asked: &Asked<'_>,
        effect: Option<Effect>,
        path: &Path<'p>,
        found: &mut Vec<(Effect, Narrow)>,
    ) {
        let Some(narrow) = self.fits(asked, effect) else {
            return;
        };
        let mut named = path.named.clone();
        named.extend(self.labels.iter().map(String::as_str));
        let path = Path {
            narrow: path.narrow.and(narrow),
            named,
            part2: path.part2,
        };
        let before = found.len();
        for inner in &self.within {
            inner.decide(asked, inner.effect, &path, found);
        }
        // The deepest that fits decides.
        if found.len() == before
            && let Some(effect) = effect
            && path.holds(effect, asked)
        {
            found.push((effect, path.narrow));
        }
    }

    /// How narrowly it speaks of what is asked; nothing if it does not.
    fn fits(&self, asked: &Asked<'_>, effect: Option<Effect>) -> Option<Narrow> {
        let denies = effect == Some(Effect::Deny);
        if self.unread && !denies || !self.covers(asked.at) {
            return None;
        }
        if !self.actions.is_empty() && !self.actions.contains(&asked.action) {
            return None;
        }
        let recipient = match self.actors.as_slice() {
            [] => 0,
            actors => actors
                .iter()
                .filter_map(|actor| actor.fits(&asked.recipient))
                .max()?,
        };
        let purpose = match self.purposes.as_slice() {
            [] => 0,
            purposes => purposes
                .iter()
                .any(|purpose| is_or_within(asked.purpose, purpose))
                .then_some(1)?,
        };
        let period = match (self.data_period, asked.data.happened) {
            (None, _) => 0,
            (Some(period), Some(happened)) => period.overlaps(&happened).then_some(1)?,
            // Of what has no date nobody can say that it is outside.
            (Some(_), None) => denies.then_some(1)?,
        };
        Some(Narrow {
            recipient,
            data: self.fits_data(&asked.data, denies)?,
            purpose,
            period,
        })
    }

    fn fits_data(&self, data: &Data<'_>, denies: bool) -> Option<u8> {
        let mut narrow = 0;
        if !self.labels.is_empty() {
            let reached = |mark: &String| label::reaches(mark, data.labels, denies);
            self.labels.iter().any(reached).then_some(())?;
            narrow = 1;
        }
        if !self.classes.is_empty() {
            let fits = |class: &String| class == data.class;
            self.classes.iter().any(fits).then_some(())?;
            narrow = narrow.max(1);
        }
        if !self.codes.is_empty() {
            let among = |(system, code): &(String, String)| {
                // A refusal that names no system is of the code in any.
                let of = |s: &str| s == system || denies && (system.is_empty() || s.is_empty());
                let same = |(s, c): &(&str, &str)| of(s) && c == code;
                data.codes.iter().any(same)
            };
            self.codes.iter().any(among).then_some(())?;
            narrow = 2;
        }
        if !self.data.is_empty() {
            let fits = |one: &String| one == data.reference;
            self.data.iter().any(fits).then_some(())?;
            narrow = 3;
        }
        Some(narrow)
    }
}

impl Actor {
    /// How narrowly it names the recipient: 1 a class, 2 an organisation or team, 3 one person.
    fn fits(&self, recipient: &Recipient<'_>) -> Option<u8> {
        match self {
            Actor::Class(class) => recipient.classes.contains(&class.as_str()).then_some(1),
            Actor::Named(name) => {
                recipient
                    .references
                    .contains(&name.as_str())
                    .then_some(())?;
                let kind = name.split('/').next().unwrap_or_default();
                Some(match kind {
                    "Organization" | "CareTeam" | "Group" => 2,
                    _ => 3,
                })
            }
        }
    }
}

/// Whether a purpose is another, or a kind of it. HL7's v3-ActReason has more kinds of each; here are
/// those that the programme uses. `HLEGAL` is one of operations there and none here: nothing is
/// given to a court because somebody agreed to the running of a programme (42 CFR 2.12(d)(1)).
pub fn is_or_within(purpose: &str, of: &str) -> bool {
    purpose == of
        || match of {
            "TREAT" => matches!(purpose, "COC" | "ETREAT" | "BTG" | "CLINTRL"),
            "ETREAT" => purpose == "BTG",
            "HOPERAT" => matches!(purpose, "CAREMGT" | "HCOMPL" | "HQUALIMP" | "PATADMIN"),
            "HRESCH" => matches!(purpose, "BIORCH" | "CLINTRCH"),
            _ => false,
        }
}
