//! Roles, purposes, kinds of record and actions: the words that a policy decides over.

/// Declares an enum whose variants have one word each.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word that policies, the desk and the record have for it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            /// What a word stands for; nothing if it is no such word.
            pub fn parse(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// What somebody is in the programme. One person has one role; whoever has two has two sign-ins.
    Role {
        /// The person whose record it is.
        Participant = "participant",
        /// Counsels and accompanies.
        Caseworker = "caseworker",
        /// Prescribes.
        Prescriber = "prescriber",
        /// Answers for caseworkers' work.
        Supervisor = "supervisor",
        /// Investigates, under a warrant.
        Inspector = "inspector",
        /// Evaluates fitness for duty.
        Evaluator = "evaluator",
        /// Pays; sees aggregates.
        Sponsor = "sponsor",
        /// Keeps the records: erasures, warrants, releases, clients, who looked.
        Officer = "officer",
        /// Runs the machine; reads no content.
        Administrator = "administrator",
        /// A program, registered by an officer.
        Client = "client",
    }
}

words! {
    /// What something is asked for. Stated with every disclosure.
    Purpose {
        /// Caring for the person.
        Treatment = "treatment",
        /// Arranging care with others.
        Coordination = "coordination",
        /// Having it paid.
        Payment = "payment",
        /// Running the programme: quality, supervision, planning.
        Operations = "operations",
        /// Judging whether somebody is fit for duty.
        Fitness = "fitness",
        /// Finding out what was done, under a warrant.
        Investigation = "investigation",
        /// Research.
        Research = "research",
        /// Because the person asks for it.
        OwnRequest = "own-request",
        /// Life or health is at risk now.
        Emergency = "emergency",
        /// Looking at who looked.
        Compliance = "compliance",
        /// What the law demands of the record: erasures, holds, orders.
        Legal = "legal",
        /// Keeping the machine going.
        Administration = "administration",
    }
}

words! {
    /// What kind of record something is. The most sensitive that fits counts.
    Kind {
        /// Who somebody is: Patient, RelatedPerson.
        Identity = "identity",
        /// That and when somebody is seen, without content: appointments, episodes, care team.
        Schedule = "schedule",
        /// Everything else about a person.
        Care = "care",
        /// Therapy notes.
        Notes = "notes",
        /// About substance use disorder, under 42 CFR Part 2.
        Sud = "sud",
        /// Labelled restricted or very restricted, or with another sensitivity that is named.
        Restricted = "restricted",
        /// The programme's own entries about the record: erasures, warrants, consents.
        Governance = "governance",
        /// About nobody in care: practitioners, organisations, questionnaires.
        Staff = "staff",
        /// Who looked at what.
        Access = "access",
        /// Sums over many people, with small cells suppressed.
        Aggregate = "aggregate",
    }
}

words! {
    /// What is asked to be done.
    Action {
        /// To learn that a person is here: find them by name, see whose case it is.
        Know = "know",
        /// To see it.
        Read = "read",
        /// To record something.
        Write = "write",
        /// To take it away as a file, or send it to somebody.
        Export = "export",
        /// To see who looked.
        SeeAccess = "see-access",
        /// To open a record in an emergency, for a short time, with a reason that is reviewed.
        BreakGlass = "break-glass",
        /// To decide about the record: warrants, erasures, releases, clients, this policy.
        Govern = "govern",
        /// To run the machine: users' accounts, keys, backups.
        Administer = "administer",
    }
}

/// HL7's code system of purposes of use.
pub const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// Our own purposes, where HL7 has none that fits.
pub const OWN_PURPOSES: &str = "urn:homecoming:purpose-of-use";

impl Purpose {
    /// The code in an entry's or a leaf's line, and in FHIR.
    ///
    /// Two are ours. HL7's `MILCDM` (military command) is for whatever a command needs, and would
    /// make of an evaluation of fitness, which one person orders for one person, a door to the rest. Its
    /// `HLEGAL` is for legal proceedings; an inspector looks into the programme, and 42 CFR Part 2 keeps
    /// the two apart (2.53 and 2.61 to 2.67). `HLEGAL` stays for what the law demands of the record itself.
    pub const fn code(self) -> &'static str {
        match self {
            Purpose::Treatment => "TREAT",
            Purpose::Coordination => "COC",
            Purpose::Payment => "HPAYMT",
            Purpose::Operations => "HOPERAT",
            Purpose::Fitness => "FITEVAL",
            Purpose::Investigation => "INVEST",
            Purpose::Research => "HRESCH",
            Purpose::OwnRequest => "PATRQT",
            Purpose::Emergency => "ETREAT",
            Purpose::Compliance => "HCOMPL",
            Purpose::Legal => "HLEGAL",
            Purpose::Administration => "HSYSADMIN",
        }
    }

    /// The system of the code.
    pub const fn system(self) -> &'static str {
        match self {
            Purpose::Fitness | Purpose::Investigation => OWN_PURPOSES,
            _ => ACT_REASON,
        }
    }

    /// The purpose with this code.
    pub fn from_code(code: &str) -> Option<Purpose> {
        Purpose::ALL.iter().copied().find(|one| one.code() == code)
    }

    /// In words, after "for".
    pub const fn words(self) -> &'static str {
        match self {
            Purpose::Treatment => "treatment",
            Purpose::Coordination => "care coordination",
            Purpose::Payment => "payment",
            Purpose::Operations => "running the programme",
            Purpose::Fitness => "evaluating fitness for duty",
            Purpose::Investigation => "an investigation",
            Purpose::Research => "research",
            Purpose::OwnRequest => "the person’s own request",
            Purpose::Emergency => "an emergency",
            Purpose::Compliance => "checking who looked",
            Purpose::Legal => "a legal duty",
            Purpose::Administration => "running the system",
        }
    }
}

impl Role {
    /// What this role may ask for at all, the usual purpose first.
    pub const fn purposes(self) -> &'static [Purpose] {
        use Purpose as For;
        match self {
            Role::Participant => &[For::OwnRequest],
            Role::Caseworker | Role::Prescriber => &[
                For::Treatment,
                For::Coordination,
                For::Operations,
                For::Payment,
                For::Research,
                For::OwnRequest,
                For::Emergency,
                For::Compliance,
            ],
            Role::Supervisor => &[
                For::Operations,
                For::Treatment,
                For::Coordination,
                For::Payment,
                For::Research,
                For::OwnRequest,
                For::Emergency,
                For::Compliance,
            ],
            Role::Inspector => &[For::Investigation],
            Role::Evaluator => &[For::Fitness],
            Role::Sponsor => &[For::Operations, For::Payment, For::Research],
            Role::Officer => &[
                For::Operations,
                For::Legal,
                For::OwnRequest,
                For::Compliance,
                For::Payment,
                For::Research,
                For::Coordination,
                For::Fitness,
            ],
            Role::Administrator => &[For::Administration],
            Role::Client => &[
                For::Treatment,
                For::Coordination,
                For::Operations,
                For::Payment,
                For::Research,
                For::OwnRequest,
                For::Compliance,
                For::Legal,
                For::Administration,
            ],
        }
    }

    /// What this role asks for unless something else is said.
    pub const fn usual_purpose(self) -> Purpose {
        self.purposes()[0]
    }

    /// The groups that it belongs to.
    pub(crate) const fn groups(self) -> &'static [&'static str] {
        match self {
            Role::Caseworker | Role::Prescriber | Role::Supervisor => &["clinical", "staff"],
            Role::Officer => &["staff"],
            _ => &[],
        }
    }
}

impl Kind {
    /// The classes that it belongs to.
    pub(crate) const fn classes(self) -> &'static [&'static str] {
        match self {
            Kind::Identity => &["person", "ordinary"],
            Kind::Schedule | Kind::Care => &["person", "clinical", "ordinary"],
            Kind::Notes | Kind::Sud | Kind::Restricted => &["person", "clinical"],
            Kind::Governance | Kind::Access => &["person"],
            Kind::Staff | Kind::Aggregate => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_and_code_leads_back() {
        for one in Role::ALL {
            assert_eq!(Role::parse(one.as_str()), Some(*one));
        }
        for one in Purpose::ALL {
            assert_eq!(Purpose::parse(one.as_str()), Some(*one));
            assert_eq!(Purpose::from_code(one.code()), Some(*one));
        }
        for one in Kind::ALL {
            assert_eq!(Kind::parse(one.as_str()), Some(*one));
        }
        for one in Action::ALL {
            assert_eq!(Action::parse(one.as_str()), Some(*one));
        }
        assert_eq!(Role::parse("Caseworker"), None);
        assert_eq!(Purpose::from_code("CAREMGT"), None);
    }
}
