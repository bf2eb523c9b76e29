//! Why an export proves nothing, in sentences that say what was done to it.

use tlog::ProofError;

use crate::signature::Flaw;
use crate::trust::Distrust;

/// Why an export proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is not an export, or not as one is written.
    #[error(
        "this is not an export as a programme writes it: line {line}, where {expected} should be"
    )]
    Form {
        /// The line's number, from 1; lines of contents count too.
        line: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// The log's checkpoint is not believed.
    #[error("the {log} does not vouch for this: {why}")]
    Distrust {
        /// Which log: the record's or the access log.
        log: &'static str,
        /// Why not.
        why: Distrust,
    },
    /// A line does not read.
    #[error("entry number {number} of the file does not read: {what}")]
    Line {
        /// Its number in the file, from 1.
        number: usize,
        /// What is wrong.
        what: String,
    },
    /// There are no entries.
    #[error("the export has no entries")]
    Empty,
    /// An entry about somebody else.
    #[error("entry {position} was put in: it is not about this person")]
    OtherPerson {
        /// Its position in the log.
        position: u64,
    },
    /// Entries are missing before one that is there.
    #[error(
        "{count} entries were left out before entry {position}, which says that it is number {number} about this \
         person"
    )]
    LeftOut {
        /// How many.
        count: u64,
        /// The position of the entry that gives it away.
        position: u64,
        /// Its number in the chain, from 1.
        number: u64,
    },
    /// An entry is not where its chain has it.
    #[error("entry {position} is out of order or there twice")]
    Order {
        /// Its position in the log.
        position: u64,
    },
    /// The entry before one is not the one it names.
    #[error(
        "entry {position} was altered or replaced: entry {next}, which follows it, vouches for another one"
    )]
    Link {
        /// The entry that is not what it was.
        position: u64,
        /// The one that says so.
        next: u64,
    },
    /// The map of heads is not one.
    #[error("the map of heads is not one: {0}")]
    Map(&'static str),
    /// The map does not have this head, so the end of the chain is not what the programme recorded.
    #[error(
        "the end of the chain does not fit the map of heads: the last entries were left out, altered or put in. The \
         file has {entries} entries and ends with entry {last}"
    )]
    Head {
        /// How many entries there are in the file.
        entries: usize,
        /// The position of the last one.
        last: u64,
    },
    /// The access log is not the one that the record names.
    #[error(
        "what is said of disclosures is of another access log than the record's: it is signed with {found}, and the \
         map of heads names {named}"
    )]
    OtherAccessLog {
        /// The key in the file.
        found: String,
        /// The key in the record.
        named: String,
    },
    /// The lines are not in the log under its checkpoint.
    #[error(
        "the {log} does not hold these lines as they are here: something was altered, left out or put in ({why})"
    )]
    Inclusion {
        /// Which log: the record's or the access log.
        log: &'static str,
        /// What did not fit.
        why: ProofError,
    },
    /// A content is not what its line commits to.
    #[error("the content of entry {position} was altered: it is not what the entry commits to")]
    Content {
        /// The entry's position in its log.
        position: u64,
    },
    /// A content is of another resource than its line.
    #[error("the content of entry {position} is of {content}, and the entry of {entry}")]
    Resource {
        /// The entry's position.
        position: u64,
        /// What the content says it is.
        content: String,
        /// What the line says it is.
        entry: String,
    },
    /// A content is missing, and no erasure on the record accounts for it.
    #[error(
        "the content of entry {position} is missing, and no erasure on the record accounts for it"
    )]
    Missing {
        /// The entry's position in its log.
        position: u64,
    },
    /// An erasure was carried out past the rules, so it accounts for nothing.
    #[error(
        "the erasure that entry {position} carries out {what}; it accounts for nothing that is missing"
    )]
    Unlawful {
        /// The position of the step that carries it out.
        position: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// What is missing is not what the erasures on the record say went.
    #[error("what is missing is not what the erasures on the record took: {what}")]
    Counts {
        /// What does not fit.
        what: String,
    },
    /// A signature does not fit the entry that it is of.
    #[error(
        "the signature in entry {signature} does not fit entry {position}: {flaw}. The programme records no signature \
         that does not fit, so one of the two was forged by whoever holds the log's key: who is named in it, when it \
         was, or what it says"
    )]
    Signature {
        /// The entry that was signed.
        position: u64,
        /// The entry that the signature lies in.
        signature: u64,
        /// What does not fit.
        flaw: Flaw,
    },
}
