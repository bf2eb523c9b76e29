//! The programme's own codes, for what FHIR has no code of its own: the words that whoever
//! writes the record and whoever reads it back must share.
//!
//! | what | where in the record |
//! |---|---|
//! | participant's number | `Patient.identifier`, system [`PARTICIPANT_NUMBER`] |
//! | stage | `EpisodeOfCare.type`, system [`STAGE`]; a change of stage is a new version |
//! | caseworker | `EpisodeOfCare.careManager` |
//! | next contact | the earliest `Appointment` with status `booked`; past and still booked: no outcome yet |
//! | contact | `Encounter`: `finished` = attended, `cancelled` = missed; `type` carries [`CONTACT`] and [`MODE`] |
//! | note | `DocumentReference` with `context.encounter`; `docStatus` `preliminary` until it is signed |
//! | score | `Observation`, code from `instruments`, `derivedFrom` the QuestionnaireResponse |
//! | what is owed | `Task` with `for`, `owner`, and its due time in `restriction.period.end` |
//! | consent | `Consent`, `category` from [`CONSENT`], `dateTime`; what it permits and refuses: [`crate::consent`] |
//! | dispute | `Task` whose code says so, `focus` what is disputed; its texts are DocumentReferences with a type from [`DISPUTE`] |
//! | medicine | `MedicationStatement.effectivePeriod`; doses given by staff: `MedicationAdministration` |
//! | recording of a session | `Media` with `encounter` |

/// Identifier system of the participant's number ("VR-25-1107").
pub const PARTICIPANT_NUMBER: &str = "urn:homecoming:participant-number";
/// Identifier system of a staff member's number.
pub const STAFF_NUMBER: &str = "urn:homecoming:staff-number";
/// Code system of [`STAGES`].
pub const STAGE: &str = "urn:homecoming:stage";
/// Code system of [`CONTACTS`].
pub const CONTACT: &str = "urn:homecoming:contact";
/// Code system of [`MODES`].
pub const MODE: &str = "urn:homecoming:mode";
/// Code system of [`CONSENTS`].
pub const CONSENT: &str = "urn:homecoming:consent";
/// Code system of the texts of a dispute (`DocumentReference.type`): account, answer, statement.
pub const DISPUTE: &str = "urn:homecoming:dispute";
/// Code system of what is owed (`Task.code`).
pub const OWED: &str = "urn:homecoming:owed";
/// Code system of staff roles (`PractitionerRole.code`).
pub const ROLE: &str = "urn:homecoming:role";
/// Code system of medicines that have no RxNorm code.
pub const MEDICINE: &str = "urn:homecoming:medicine";

/// A code and how it is shown.
pub type Word = (&'static str, &'static str);

/// Where a person is in the programme, in order.
pub const STAGES: [Word; 4] = [
    ("intake", "Intake"),
    ("goal-work", "Goal work"),
    ("vocational", "Vocational"),
    ("discharge-plan", "Discharge plan"),
];

/// What a contact is for.
pub const CONTACTS: [Word; 6] = [
    ("intake", "Intake"),
    ("session", "Session"),
    ("check-in", "Check-in"),
    ("medication-review", "Medication review"),
    ("safety-check", "Safety check"),
    ("outreach", "Outreach"),
];

/// How a contact is held.
pub const MODES: [Word; 4] = [
    ("in-person", "In person"),
    ("video", "Video"),
    ("phone", "Phone"),
    ("home", "Home visit"),
];

/// What consent is asked for.
pub const CONSENTS: [Word; 8] = [
    ("programme", "Taking part in the programme"),
    ("recording", "Audio recording of sessions"),
    ("sharing", "Sharing with named agencies"),
    ("study-medicine", "Notice and consent: study medicine"),
    (
        "sud",
        "Substance use records for treatment, payment and operations",
    ),
    ("research", "Use for research"),
    ("keep-from", "Kept from a member of staff"),
    ("release", "Release of information"),
];

/// How a code of one of these lists is shown.
pub fn shown(words: &[Word], code: &str) -> Option<&'static str> {
    words.iter().find(|(c, _)| *c == code).map(|(_, d)| *d)
}
