//! Every bug that is planted is found, by what it breaks, and how many seeds that takes.

use simulation::campaign::Campaign;
use simulation::{Options, Plant};

/// No plant may need more.
const SEEDS_MAX: u64 = 4_000;

/// What was acknowledged of the record is not there.
const RECORD: &str = "were acknowledged or known to be in";
/// The same of the access log.
const LEAVES: &str = "were answered or known to be in";
/// The same of what witnesses have signed.
const NOTED: &str = "that is noted is of";
/// The witness was told more than it says.
const SEEN: &str = "was noted to have cosigned";
/// What is on the disk does not fit together.
const SHUT: &str = "the ledger does not open";
const UNREADABLE: &str = "the ledger does not read";
/// A content cannot be opened.
const KEY: &str = "is gone, and no erasure on the record says so";
/// A leaf of the access log cannot be opened, or can be and must not.
const LEAF: &str = "of the access log tells";
/// The server says something else than what was to be expected.
const OUTCOME: &str = "was answered, expected";
/// There are fewer entries than there must be, or more, before any start.
const LINES: &str = "entries can be read from";
const NO_RECEIPT: &str = "no receipt for entry";
/// An entry, or a receipt of it, has what it must not have.
const OTHER: &str = "has another content";
/// The index.
const INDEX: &str = "the index is not what the ledger gives";
const VERSIONS: &str = "the index lists the versions";
const SEARCH: &str = "a search for";
/// The witness forgot what it signed: it signs less, another tree, or nothing any more.
const WITNESS: [&str; 3] = [
    "the witness cosigned",
    "the witness does not catch up",
    "the witness refuses an honest server",
];

/// Parts of the sentences that a bug may be found by: of what it breaks, and of nothing else.
fn found_by(plant: Plant) -> &'static [&'static str] {
    match plant {
        // What was not synced, or not under its name, is lost in a power cut: of any of the three logs.
        Plant::CommitNotSynced | Plant::LogHeaderLost => {
            &[RECORD, LEAVES, NOTED, SEEN, SHUT, UNREADABLE]
        }
        // A database of old pages and new ones.
        Plant::FoldNotSynced => &[
            RECORD,
            LEAVES,
            NOTED,
            SEEN,
            SHUT,
            UNREADABLE,
            LINES,
            "the checkpoint is not that of the lines",
            "the access log does not read",
            "what was cosigned does not read",
            "the audit finds: The file is damaged",
        ],
        // Key files, too.
        Plant::FolderNotSynced | Plant::SyncFailureIgnored => {
            &[RECORD, LEAVES, NOTED, SEEN, SHUT, UNREADABLE, KEY]
        }
        Plant::ReplyBeforeCommit => &[RECORD, OUTCOME, LINES, NO_RECEIPT],
        Plant::TransactionSplit => &[
            RECORD,
            LINES,
            NO_RECEIPT,
            "is not what was acknowledged",
            OTHER,
        ],
        Plant::UnknownToldAsRefused => &[RECORD],
        Plant::ChainLinkSkipped => &["as its person's entry before, which is", "the audit finds"],
        Plant::OldCopyRestored => &[RECORD, LEAVES, NOTED, SEEN, SHUT, KEY],
        Plant::KeyringAfterCommit => &[KEY, LEAF, SHUT, UNREADABLE, "was erased and can be read"],
        Plant::LogNotRenewed | Plant::NamesNotSynced => &[RECORD, LEAVES, NOTED, SEEN],
        Plant::IndexAheadOfItself => &[INDEX, "the index has resources"],
        Plant::WitnessSignsFirst | Plant::WitnessForgets | Plant::WitnessNotSettled => &WITNESS,
        Plant::AnswerBeforeLeaf => &[LEAVES, "was answered of leaves from"],
        // With pages of two times it may not open any more.
        Plant::AccessLogNotRenewed => &[LEAVES, SHUT],
        Plant::WitnessedNotRenewed => &[NOTED, SEEN],
        Plant::KeysBeforeRecord => &[KEY, LEAF, OUTCOME, OTHER],
        Plant::ErasureNotFinished => &["was begun and is not finished", OUTCOME, INDEX, SEARCH],
        Plant::IndexNotForgotten => &[INDEX, VERSIONS, SEARCH],
        Plant::CoverBeforeMaps => &[
            INDEX,
            VERSIONS,
            SEARCH,
            "the index has nothing of what entry",
            "the index covers",
            "the index cannot be used after a crash",
        ],
    }
}

#[test]
fn every_planted_bug_is_found() {
    let mut missed = Vec::new();
    let mut otherwise = Vec::new();
    for plant in Plant::ALL {
        let campaign = Campaign {
            from: 0,
            seeds: SEEDS_MAX,
            threads: super::threads(),
            options: Options {
                plant: Some(plant),
                ..Options::default()
            },
        };
        let outcome = campaign.run(&|_| true);
        match outcome.finding {
            Some(finding) => {
                println!("{plant:?}: seed {}: {}", finding.seed, finding.what);
                let fits = found_by(plant)
                    .iter()
                    .any(|part| finding.what.contains(part));
                // A panic is found too, but it is another bug than the one that was planted.
                if !fits || finding.what.starts_with("a panic") {
                    otherwise.push((plant, finding.seed, finding.what));
                }
            }
            None => missed.push(plant),
        }
    }
    assert_eq!(missed, []);
    assert!(
        otherwise.is_empty(),
        "found by something else: {otherwise:#?}"
    );
}
