//! The closed lists: how much is erased, on which ground, how the person was told or why not.

/// How much of a person's record. What is erased together lies under one key, so there is nothing
/// in between: one kind of thing alone cannot be erased and the rest be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything about the person.
    Record,
    /// The therapy notes alone, which have a key of their own.
    Notes,
}

impl Scope {
    /// All.
    pub const ALL: [Scope; 2] = [Scope::Record, Scope::Notes];

    /// Its code on the record.
    pub fn code(self) -> &'static str {
        match self {
            Scope::Record => "record",
            Scope::Notes => "therapy-notes",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Scope::Record => "the whole record of the person",
            Scope::Notes => "the therapy notes of the person",
        }
    }
}

/// A ground that the law gives for erasing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// GDPR Article 17(1)(a).
    NotNecessary,
    /// GDPR Article 17(1)(b).
    ConsentWithdrawn,
    /// GDPR Article 17(1)(c).
    Objection,
    /// GDPR Article 17(1)(d).
    UnlawfullyHeld,
    /// GDPR Article 17(1)(e).
    DutyToErase,
    /// A court's order.
    CourtOrder,
    /// 5 U.S.C. 552a(d), (g).
    PrivacyAct,
    /// A state's law.
    StateLaw,
    /// The time for which it had to be kept has passed.
    RetentionOver,
}

impl Basis {
    /// All, in the order in which they are offered.
    pub const ALL: [Basis; 9] = [
        Basis::NotNecessary,
        Basis::ConsentWithdrawn,
        Basis::Objection,
        Basis::UnlawfullyHeld,
        Basis::DutyToErase,
        Basis::CourtOrder,
        Basis::PrivacyAct,
        Basis::StateLaw,
        Basis::RetentionOver,
    ];

    /// Its code on the record.
    pub fn code(self) -> &'static str {
        match self {
            Basis::NotNecessary => "gdpr-17-1-a",
            Basis::ConsentWithdrawn => "gdpr-17-1-b",
            Basis::Objection => "gdpr-17-1-c",
            Basis::UnlawfullyHeld => "gdpr-17-1-d",
            Basis::DutyToErase => "gdpr-17-1-e",
            Basis::CourtOrder => "court-order",
            Basis::PrivacyAct => "privacy-act",
            Basis::StateLaw => "state-law",
            Basis::RetentionOver => "retention-over",
        }
    }

    /// In words, with its citation.
    pub fn words(self) -> &'static str {
        match self {
            Basis::NotNecessary => {
                "No longer needed for what it was collected for: GDPR Article 17(1)(a)"
            }
            Basis::ConsentWithdrawn => {
                "Consent withdrawn, and no other ground to hold it: GDPR Article 17(1)(b)"
            }
            Basis::Objection => "The person objects under Article 21: GDPR Article 17(1)(c)",
            Basis::UnlawfullyHeld => "It was unlawfully held: GDPR Article 17(1)(d)",
            Basis::DutyToErase => "A law requires that it be erased: GDPR Article 17(1)(e)",
            Basis::CourtOrder => "A court ordered it",
            Basis::PrivacyAct => {
                "Amendment by removal under the Privacy Act: 5 U.S.C. 552a(d), (g)"
            }
            Basis::StateLaw => "A state's law gives the person the right",
            Basis::RetentionOver => {
                "The records schedule that applies has run out and allows disposal"
            }
        }
    }

    /// What must be written beside it.
    pub fn wants(self) -> &'static str {
        match self {
            Basis::CourtOrder => "court, date and number of the order",
            Basis::DutyToErase | Basis::StateLaw => "the law, with its section",
            Basis::PrivacyAct => "the decision on the request, with its date",
            Basis::RetentionOver => "the schedule and the item, and when it ran out",
            _ => "how the ground applies here",
        }
    }
}

/// How the person was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Told {
    /// Face to face.
    InPerson,
    /// By letter.
    Letter,
    /// On the telephone.
    Telephone,
    /// By e-mail.
    Email,
    /// Through the person's lawyer, guardian or representative.
    Representative,
}

impl Told {
    /// All.
    pub const ALL: [Told; 5] = [
        Told::InPerson,
        Told::Letter,
        Told::Telephone,
        Told::Email,
        Told::Representative,
    ];

    /// Its code on the record.
    pub fn code(self) -> &'static str {
        match self {
            Told::InPerson => "in-person",
            Told::Letter => "letter",
            Told::Telephone => "telephone",
            Told::Email => "e-mail",
            Told::Representative => "representative",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Told::InPerson => "face to face",
            Told::Letter => "by letter",
            Told::Telephone => "on the telephone",
            Told::Email => "by e-mail",
            Told::Representative => "through a representative",
        }
    }
}

/// Why the person is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Untold {
    /// The person has died, and nobody represents them.
    Died,
    /// Nobody could reach the person.
    Unreachable,
    /// A court forbids it.
    CourtOrder,
    /// A law forbids or lifts it: GDPR Article 23.
    Law,
}

impl Untold {
    /// All.
    pub const ALL: [Untold; 4] = [
        Untold::Died,
        Untold::Unreachable,
        Untold::CourtOrder,
        Untold::Law,
    ];

    /// Its code on the record.
    pub fn code(self) -> &'static str {
        match self {
            Untold::Died => "died",
            Untold::Unreachable => "unreachable",
            Untold::CourtOrder => "court-order",
            Untold::Law => "law",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Untold::Died => "the person has died and nobody represents them",
            Untold::Unreachable => "the person could not be reached (GDPR Article 14(5)(b))",
            Untold::CourtOrder => "a court forbids telling",
            Untold::Law => "a law forbids telling or lifts the duty (GDPR Article 23)",
        }
    }

    /// What must be written beside it.
    pub fn wants(self) -> &'static str {
        match self {
            Untold::Died => "how this is known",
            Untold::Unreachable => "which attempts were made, and when",
            Untold::CourtOrder => "court, date and number of the order",
            Untold::Law => "the law, with its section",
        }
    }
}
