//! What a person is asked to decide, in plain words: what each thing means, what happens if they say
//! no, and what can be released to somebody outside.
//!
//! These are the words on the page and the words that are kept with the Consent, so that it can be
//! said for ever what somebody agreed to. Whoever changes the words of a form gives it a new [`Offer::form`].

/// Something to be decided.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer {
    /// Code of [`crate::codes::CONSENT`].
    pub code: &'static str,
    /// As a heading, to the person.
    pub title: &'static str,
    /// What saying yes means.
    pub means: &'static str,
    /// What happens if the answer is no, or is taken back.
    pub otherwise: &'static str,
    /// Which words these are.
    pub form: &'static str,
    /// Code of HL7's consentscope.
    pub scope: &'static str,
    /// Whether 42 CFR 2.31 says what must be in it.
    pub part2: bool,
}

/// The consent to treatment, payment and operations with substance use records.
pub const SUD: &str = "sud";
/// The refusal that one member of staff reads the record.
pub const KEEP_FROM: &str = "keep-from";
/// A release to an organisation.
pub const RELEASE: &str = "release";

/// The words of the revocation, in every written consent: 42 CFR 2.31(a)(6).
pub const REVOCATION: &str = "You can take this back at any time, on this page or in writing to the \
     programme. From that moment nothing more is given out because of it. What was given out before \
     cannot be called back; it stays listed under \u{201c}who was told\u{201d}.";

/// What somebody decides who is in the programme, in the order of the page.
pub const OFFERS: [Offer; 5] = [
    Offer {
        code: "programme",
        title: "Taking part in the programme",
        means: "You work with a caseworker, and the programme keeps a record about you.",
        otherwise: "You leave the programme. Nothing is taken from your benefits or your pay because of \
             it. The record that exists is kept; you can read it and take it with you.",
        form: "urn:homecoming:consent-form:programme:1",
        scope: "treatment",
        part2: false,
    },
    Offer {
        code: "recording",
        title: "Sound recordings of sessions",
        means: "Your caseworker may record the sound of a session. Only those who treat you can listen \
             to it, and you can.",
        otherwise: "Sessions go on without a recorder. Nothing else changes.",
        form: "urn:homecoming:consent-form:recording:1",
        scope: "patient-privacy",
        part2: false,
    },
    Offer {
        code: SUD,
        title: "What is written about alcohol and drugs",
        means: "Those who treat you, those who pay for it and those who run this programme may use what \
             is written here about alcohol and drugs, now and later, for treatment, payment and \
             running the programme. Someone who gets it that way may have to follow other rules than \
             this programme does, and could pass it on so that the special protection of 42 CFR Part 2 \
             no longer covers it. It may not be used against you in a court or by an authority without \
             another consent of yours or an order of a court.",
        otherwise: "Only those who treat you here can read it. You are treated all the same. Others who \
             treat you will not know about it, and what needs a payer\u{2019}s approval may have to wait.",
        form: "urn:homecoming:consent-form:part2-tpo:1",
        scope: "patient-privacy",
        part2: true,
    },
    Offer {
        code: "research",
        title: "Use for research",
        means: "Researchers who work under an agreement with the programme may read your record, \
             without what is written about alcohol and drugs and without therapy notes.",
        otherwise: "Your record is not used for research. Nothing else changes.",
        form: "urn:homecoming:consent-form:research:1",
        scope: "research",
        part2: false,
    },
    Offer {
        code: KEEP_FROM,
        title: "Keep my record from somebody who works here",
        means: "The person whom you name can no longer read your record, from this moment on. In an \
             emergency somebody can still open it, and you are told.",
        otherwise: "Whoever treats you or answers for it can read it.",
        form: "urn:homecoming:consent-form:keep-from:1",
        scope: "patient-privacy",
        part2: false,
    },
];

/// The offer with a code.
pub fn offer(code: &str) -> Option<&'static Offer> {
    OFFERS.iter().find(|offer| offer.code == code)
}

/// The words of a release.
pub const RELEASE_FORM: &str = "urn:homecoming:consent-form:release:1";

/// Whether the words of a form have what 42 CFR 2.31(a)(6) and (10) ask for.
pub fn has_statements(form: &str) -> bool {
    form == RELEASE_FORM || OFFERS.iter().any(|offer| offer.form == form && offer.part2)
}

/// A kind of information that can be released.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// Its word in the form.
    pub key: &'static str,
    /// In words, to the person.
    pub words: &'static str,
    /// FHIR resource types; none: all that have the label.
    pub classes: &'static [&'static str],
    /// The label that must be named for it to be covered.
    pub label: Option<&'static str>,
}

/// Therapy notes are released by themselves or not at all: 45 CFR 164.508(b)(3)(ii).
pub const NOTES: &str = "notes";
/// Records under 42 CFR Part 2.
pub const SUBSTANCE: &str = "substance";

/// What can be released.
pub const PARTS: [Part; 9] = [
    Part {
        key: "identity",
        words: "Who I am and how to reach me",
        classes: &["Patient", "RelatedPerson"],
        label: None,
    },
    Part {
        key: "contacts",
        words: "When I was seen, by whom, and what is planned",
        classes: &["Appointment", "CareTeam", "Encounter", "EpisodeOfCare"],
        label: None,
    },
    Part {
        key: "scores",
        words: "Questionnaires, scores, measurements and my service history",
        classes: &["DiagnosticReport", "Observation", "QuestionnaireResponse"],
        label: None,
    },
    Part {
        key: "medicines",
        words: "Medicines, allergies and vaccinations",
        classes: &[
            "AllergyIntolerance",
            "Immunization",
            "MedicationAdministration",
            "MedicationRequest",
            "MedicationStatement",
        ],
        label: None,
    },
    Part {
        key: "health",
        words: "Illnesses, injuries and what was done about them",
        classes: &["AdverseEvent", "Condition", "Procedure"],
        label: None,
    },
    Part {
        key: "plans",
        words: "Goals, plans and referrals",
        classes: &["CarePlan", "Goal", "ServiceRequest"],
        label: None,
    },
    Part {
        key: "letters",
        words: "Letters and reports, without therapy notes",
        classes: &["DocumentReference"],
        label: None,
    },
    Part {
        key: SUBSTANCE,
        words: "What is written about alcohol and drugs",
        classes: &[],
        label: Some("ETH"),
    },
    Part {
        key: NOTES,
        words: "Therapy notes: what was said in sessions",
        classes: &["DocumentReference"],
        label: Some("PSYTHPN"),
    },
];

/// The part with a key.
pub fn part(key: &str) -> Option<&'static Part> {
    PARTS.iter().find(|part| part.key == key)
}

/// Why a Consent is not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Neither the person nor staff with the paper.
    NotThePerson,
    /// On paper, and no witness is named.
    NoWitness,
    /// On paper, with neither a scan nor a place where it is.
    NoPaper,
    /// On paper, and the day of signing is missing, or lies ahead.
    NoDay,
    /// Not signed by name.
    NotSigned,
    /// A release of nothing.
    NoParts,
    /// Therapy notes together with other things.
    NotesNotAlone,
    /// A release to nobody.
    NoRecipient,
    /// A release to somebody whose address is not known.
    NoAddress,
    /// A release that does not say what for.
    NoPurpose,
    /// A release without an end, or one that is over.
    NoEnd,
    /// A release for longer than [`RELEASE_YEARS_MAX`].
    TooLong,
    /// Nobody is named whom the record is kept from.
    NobodyNamed,
    /// There is nothing to take back.
    NotInForce,
    /// A change that does not narrow.
    NotNarrower,
}

/// The longest that a release holds, in years; another can be signed then.
pub const RELEASE_YEARS_MAX: i64 = 2;

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Refusal::NotThePerson => {
                "only the person themself decides this, or staff who enter what the person signed on paper"
            }
            Refusal::NoWitness => "name who saw the person sign",
            Refusal::NoPaper => "add the scan of the paper, or say where the paper is kept",
            Refusal::NoDay => "the day when it was signed is missing, or has not come yet: write it as 2026-03-01",
            Refusal::NotSigned => "write your name to sign it",
            Refusal::NoParts => "nothing is ticked; say what may be given out",
            Refusal::NotesNotAlone => {
                "therapy notes need a release of their own (45 CFR 164.508(b)(3)(ii)); make one for the \
                 rest and one for the notes"
            }
            Refusal::NoRecipient => "say to whom: the name of the organisation",
            Refusal::NoAddress => {
                "say where the organisation is; the address belongs to what you are told about it later"
            }
            Refusal::NoPurpose => "say what it may be used for",
            Refusal::NoEnd => "say until when, and give a day that is still to come",
            Refusal::TooLong => "a release holds for two years at the most; sign a new one then",
            Refusal::NobodyNamed => "say who is not to read it",
            Refusal::NotInForce => "it is not in force, so there is nothing to change or to take back",
            Refusal::NotNarrower => {
                "that would allow more than before; narrowing only takes away. Sign a new one to allow more"
            }
        })
    }
}

impl std::error::Error for Refusal {}
