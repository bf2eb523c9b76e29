//! What is wrong with a policy's text.

/// Why a text is not taken as a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is too long.
    #[error("The text is longer than 64 KiB. Say it shorter, or ask why it takes so many rules.")]
    TooLong,
    /// It is not Cedar.
    #[error("This does not read as a policy: {what}.")]
    Syntax {
        /// What the reader says.
        what: String,
    },
    /// A policy with slots.
    #[error("Templates (?principal, ?resource) are not taken. Write the policy out.")]
    Template,
    /// A policy without a name of its own.
    #[error(
        "Policy number {number} has no @id(\"...\") of small letters, digits and hyphens. Give it one: it stands \
         in every decision that it makes."
    )]
    Unnamed {
        /// Which, from 1.
        number: usize,
    },
    /// Two policies of one name.
    #[error("There are two policies {id}. Give one of them another @id.")]
    NamedTwice {
        /// The name.
        id: String,
    },
    /// A policy without a reason.
    #[error(
        "The policy {id} has no @because(\"...\"). Say in a sentence why it decides so: it is what people are told."
    )]
    NoReason {
        /// Its name.
        id: String,
    },
    /// An obligation that there is not.
    #[error(
        "The policy {id} obliges to {word}, which there is not. There are: redisclosure-notice, tell-person, review."
    )]
    Obligation {
        /// The policy's name.
        id: String,
        /// The word.
        word: String,
    },
    /// A role, kind, group or class that there is not.
    #[error("The policy {id} speaks of {word}, which there is not.")]
    Unknown {
        /// The policy's name.
        id: String,
        /// What it names.
        word: String,
    },
    /// It does not fit the schema.
    #[error("This does not fit the schema: {what}.")]
    Invalid {
        /// What the validator says.
        what: String,
    },
}
