//! What is asked, with the facts that the answer depends on; and the answer.

use std::sync::Arc;

use crate::words::{Action, Kind, Purpose, Role};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subject<'a> {
    /// Their role.
    pub role: Role,
    /// The opaque name that entries and leaves have for them: `user/7`, `client/intake`.
    pub name: &'a str,
}

/// What the person's consents say about exactly this: purpose, recipient, kind and labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Consent {
    /// Nothing.
    #[default]
    Silent,
    /// It is permitted. Therapy notes and substance-use records only if the consent names them.
    Permitted,
    /// It is refused, or was withdrawn.
    Refused,
}

/// What the warrants of whoever asks say about exactly this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Warrant {
    /// They have none in force.
    #[default]
    None,
    /// They have one in force, for other persons, kinds or times.
    Elsewhere,
    /// One in force covers it. Therapy notes and substance-use records only if it names them.
    Covers,
    /// One in force covers it, and it is the order of a court (42 CFR 2.61 to 2.67).
    CourtOrder,
}

/// What is so about the one who asks, the person and the record, as of now. The default is the least:
/// no relation, nothing allowed, another programme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Facts {
    /// The record is of the programme that the one who asks belongs to.
    pub same_programme: bool,
    /// The record is about whoever asks.
    pub is_self: bool,
    /// The person is on their caseload.
    pub on_caseload: bool,
    /// They are on the person's care team, now.
    pub on_care_team: bool,
    /// They cover for somebody who has the person on their caseload or is on the care team.
    pub delegated: bool,
    /// They supervise somebody who has the person on their caseload or is on the care team.
    pub supervises: bool,
    /// They wrote it.
    pub wrote_it: bool,
    /// The person is new here, or nobody's case yet.
    pub newcomer: bool,
    /// What is written is the role's own part: a person's account, consent or dispute; an
    /// evaluator's evaluation.
    pub own_part: bool,
    /// The person was referred to them for evaluation, and that is still open.
    pub referred: bool,
    /// What the person's consents say.
    pub consent: Consent,
    /// What warrants say.
    pub warrant: Warrant,
    /// They have broken the glass for this person, and the time is not over.
    pub break_glass: bool,
    /// The person is lawfully not told of this yet: a warrant whose notice is not due, or what was
    /// read under it.
    pub untold: bool,
    /// The registration of this API client names this kind of record.
    pub registered: bool,
    /// This API client works for the programme itself, under a qualified service organisation agreement
    /// (42 CFR 2.11).
    pub of_programme: bool,
}

impl Facts {
    /// Whether they treat the person: on the caseload, on the care team, or covering for one who is.
    pub fn treats(&self) -> bool {
        self.on_caseload || self.on_care_team || self.delegated
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request<'a> {
    /// Who asks.
    pub subject: Subject<'a>,
    /// What for.
    pub purpose: Purpose,
    /// To do what.
    pub action: Action,
    /// With which kind of record.
    pub kind: Kind,
    /// Its security labels: the code alone for HL7's v3-Confidentiality and v3-ActCode, `system|code`
    /// for any other.
    pub labels: &'a [&'a str],
    /// What is so.
    pub facts: Facts,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// The policy's id; empty where no policy allows it and none forbids it.
    pub policy: Arc<str>,
    /// A sentence that a caseworker can read.
    pub sentence: Arc<str>,
}

/// What must be done when it is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Obligation {
    /// The notice of 42 CFR 2.32 ([`REDISCLOSURE`]) goes with it.
    RedisclosureNotice,
    /// The person is told, at once or when the warrant says.
    TellPerson,
    /// A supervisor reviews it, within a clock.
    Review,
}

impl Obligation {
    /// All of them.
    pub const ALL: [Obligation; 3] = [
        Obligation::RedisclosureNotice,
        Obligation::TellPerson,
        Obligation::Review,
    ];

    /// The word in a policy's `@obliges`, and in what the access log tells.
    pub const fn as_str(self) -> &'static str {
        match self {
            Obligation::RedisclosureNotice => "redisclosure-notice",
            Obligation::TellPerson => "tell-person",
            Obligation::Review => "review",
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<Obligation> {
        Obligation::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// The notice that goes with a disclosure of records under 42 CFR Part 2: the short form that 2.32(a)(2)
/// gives (as amended 2024).
pub const REDISCLOSURE: &str =
    "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may be done.
    pub allowed: bool,
    /// Why, or why not; never empty.
    pub reasons: Vec<Reason>,
    /// What must be done with it; empty if it is not allowed.
    pub obligations: Vec<Obligation>,
}
