//! The kinds of record that a warrant or a break-glass opens, by the words that the policy has for them.

/// A kind of what is recorded about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Who somebody is.
    Identity,
    /// That and when they are seen.
    Schedule,
    /// Everything that has no kind of its own.
    Care,
    /// Therapy notes.
    Notes,
    /// Substance use, as 42 CFR Part 2 protects it.
    Sud,
    /// Labelled as restricted.
    Restricted,
    /// Who looked.
    Access,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 7] = [
        Kind::Identity,
        Kind::Schedule,
        Kind::Care,
        Kind::Notes,
        Kind::Sud,
        Kind::Restricted,
        Kind::Access,
    ];

    /// The word on the record and in the policy.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Identity => "identity",
            Kind::Schedule => "schedule",
            Kind::Care => "care",
            Kind::Notes => "notes",
            Kind::Sud => "sud",
            Kind::Restricted => "restricted",
            Kind::Access => "access",
        }
    }

    /// From the word.
    pub fn parse(code: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// For a list to choose from.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Identity => "who they are: name, numbers, addresses, relatives",
            Kind::Schedule => "appointments, contacts and stays: that and when",
            Kind::Care => "care: plans, scores, conditions, medication, letters",
            Kind::Notes => "therapy notes",
            Kind::Sud => "substance use, as 42 CFR Part 2 protects it",
            Kind::Restricted => "what is labelled as restricted",
            Kind::Access => "who looked at the record",
        }
    }
}
