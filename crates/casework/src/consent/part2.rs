//! What a written consent to disclose substance use records must have: 42 CFR 2.31(a), as in force
//! since 16 April 2024 (89 FR 12472), and the notice that goes with each disclosure: 2.32.

use std::fmt;

/// What a Consent has of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elements {
    /// Whose records: (1).
    pub patient: bool,
    /// Who may disclose: (2).
    pub discloser: bool,
    /// Which information, in a way that says that it is of substance use: (3).
    pub information: bool,
    /// To whom: (4).
    pub recipient: bool,
    /// What for: (5).
    pub purpose: bool,
    /// That it can be revoked in writing, and how: (6).
    pub revocation: bool,
    /// Until when; or that it has no end, which only a consent for treatment, payment and
    /// operations may have: (7).
    pub expiry: bool,
    /// The person's signature: (8).
    pub signature: bool,
    /// When they signed: (9).
    pub signed_on: bool,
    /// Whether it is for all future treatment, payment and operations.
    pub is_tpo: bool,
    /// For such a one: that recipients may disclose further what is then no longer protected, and
    /// what follows if the person does not sign: (10).
    pub statements: bool,
}

/// Something that is required and is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// (1)
    Patient,
    /// (2)
    Discloser,
    /// (3)
    Information,
    /// (4)
    Recipient,
    /// (5)
    Purpose,
    /// (6)
    Revocation,
    /// (7)
    Expiry,
    /// (8)
    Signature,
    /// (9)
    SignedOn,
    /// (10)
    Statements,
}

/// What is missing, in the order of the rule.
pub fn missing(has: &Elements) -> Vec<Missing> {
    [
        (has.patient, Missing::Patient),
        (has.discloser, Missing::Discloser),
        (has.information, Missing::Information),
        (has.recipient, Missing::Recipient),
        (has.purpose, Missing::Purpose),
        (has.revocation, Missing::Revocation),
        (has.expiry || has.is_tpo, Missing::Expiry),
        (has.signature, Missing::Signature),
        (has.signed_on, Missing::SignedOn),
        (has.statements || !has.is_tpo, Missing::Statements),
    ]
    .into_iter()
    .filter_map(|(there, missing)| (!there).then_some(missing))
    .collect()
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Missing::Patient => "whose records it is about (42 CFR 2.31(a)(1))",
            Missing::Discloser => "who may disclose them (42 CFR 2.31(a)(2))",
            Missing::Information => {
                "which information, naming that it is about substance use (42 CFR 2.31(a)(3))"
            }
            Missing::Recipient => "to whom (42 CFR 2.31(a)(4))",
            Missing::Purpose => "what for (42 CFR 2.31(a)(5))",
            Missing::Revocation => "that it can be revoked in writing, and how (42 CFR 2.31(a)(6))",
            Missing::Expiry => "when or on what event it ends (42 CFR 2.31(a)(7))",
            Missing::Signature => "the person\u{2019}s signature (42 CFR 2.31(a)(8))",
            Missing::SignedOn => "the day when they signed (42 CFR 2.31(a)(9))",
            Missing::Statements => {
                "what recipients may do with it, and what follows from not signing (42 CFR \
                 2.31(a)(10))"
            }
        })
    }
}
