//! Bugs that are planted to see that they are found. The ledger's own code is the same with and without them.
//!
//! A simulation that finds nothing proves nothing until it has found what is known to be there. Each of these is a
//! mistake that somebody has made in some database: in the disk under the ledger (a sync that does nothing), or in
//! the server around it (a reply that comes too early). `tests/it/plants.rs` plays seeds until each is found.

use crate::disk::Lies;

/// A bug, planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// The write-ahead log is not synced when a group is committed.
    CommitNotSynced,
    /// The database is not synced before the write-ahead log that it was folded from is given up.
    FoldNotSynced,
    /// The folder is not synced after a new write-ahead log was made in it.
    FolderNotSynced,
    /// A sync that fails is taken for one that succeeded.
    SyncFailureIgnored,
    /// The beginning of the write-ahead log is lost in a power cut although it was synced.
    LogHeaderLost,
    /// The client has its answer before the group is committed.
    ReplyBeforeCommit,
    /// The writes of a transaction are committed one by one.
    TransactionSplit,
    /// A group that nobody knows the end of is told to have failed.
    UnknownToldAsRefused,
    /// The head of a person's chain is put back to an earlier one, so that the next entry skips a link.
    ChainLinkSkipped,
    /// After a crash the server is started from a copy of the disk as it was some time before.
    OldCopyRestored,
    /// The key of a content is made durable after the content.
    KeyringAfterCommit,
    /// What the process before left in the write-ahead log is believed as the system shows it.
    LogNotRenewed,
    /// A start does not make the write-ahead log's name durable.
    NamesNotSynced,
    /// The index says that it covers an entry more than it holds.
    IndexAheadOfItself,
    /// The witness signs before its new state is durable.
    WitnessSignsFirst,
    /// The witness remembers nothing when it starts.
    WitnessForgets,
    /// The witness relies on what it reads when it starts, durable or not.
    WitnessNotSettled,
    /// An answer is given before it is on the access log.
    AnswerBeforeLeaf,
    /// What the process before left in the access log's write-ahead log is believed as the system shows it.
    AccessLogNotRenewed,
    /// The same with what witnesses have signed.
    WitnessedNotRenewed,
    /// Keys are destroyed before it is on the record that they will be.
    KeysBeforeRecord,
    /// An erasure that was interrupted is not finished at the next start.
    ErasureNotFinished,
    /// After an erasure that was interrupted the index is gone on with instead of being made anew.
    IndexNotForgotten,
    /// What says how much the index holds is written before the maps.
    CoverBeforeMaps,
}

impl Plant {
    /// All of them.
    pub const ALL: [Plant; 24] = [
        Plant::CommitNotSynced,
        Plant::FoldNotSynced,
        Plant::FolderNotSynced,
        Plant::SyncFailureIgnored,
        Plant::LogHeaderLost,
        Plant::ReplyBeforeCommit,
        Plant::TransactionSplit,
        Plant::UnknownToldAsRefused,
        Plant::ChainLinkSkipped,
        Plant::OldCopyRestored,
        Plant::KeyringAfterCommit,
        Plant::LogNotRenewed,
        Plant::NamesNotSynced,
        Plant::IndexAheadOfItself,
        Plant::WitnessSignsFirst,
        Plant::WitnessForgets,
        Plant::WitnessNotSettled,
        Plant::AnswerBeforeLeaf,
        Plant::AccessLogNotRenewed,
        Plant::WitnessedNotRenewed,
        Plant::KeysBeforeRecord,
        Plant::ErasureNotFinished,
        Plant::IndexNotForgotten,
        Plant::CoverBeforeMaps,
    ];

    /// What must be played for it to be there at all, which not every seed plays.
    pub(crate) fn needs(self) -> Needs {
        let nothing = Needs::default();
        match self {
            Plant::AnswerBeforeLeaf | Plant::AccessLogNotRenewed | Plant::WitnessedNotRenewed => {
                Needs {
                    beside: true,
                    ..nothing
                }
            }
            Plant::KeysBeforeRecord | Plant::ErasureNotFinished | Plant::IndexNotForgotten => {
                Needs {
                    erasures: true,
                    ..nothing
                }
            }
            Plant::CoverBeforeMaps => Needs {
                real_index: true,
                ..nothing
            },
            _ => nothing,
        }
    }

    /// What the disk under the ledger does wrong, if it is the disk.
    pub(crate) fn lies(self) -> Lies {
        let honest = Lies::default();
        match self {
            Plant::CommitNotSynced => Lies {
                sync_ignored: Some("-wal"),
                ..honest
            },
            Plant::FoldNotSynced => Lies {
                sync_ignored: Some(".sqlite"),
                ..honest
            },
            Plant::FolderNotSynced => Lies {
                folder_sync_ignored: true,
                ..honest
            },
            Plant::SyncFailureIgnored => Lies {
                sync_failure_hidden: true,
                ..honest
            },
            Plant::LogHeaderLost => Lies {
                first_sector_lost: Some("-wal"),
                ..honest
            },
            _ => honest,
        }
    }
}

/// What a bug needs to be played.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Needs {
    /// The access log, and what witnesses have signed.
    pub(crate) beside: bool,
    /// Erasures.
    pub(crate) erasures: bool,
    /// The real index.
    pub(crate) real_index: bool,
}

/// The heads of persons' chains as the database has them: alias, then count, position and hash.
pub(crate) type StoredHeads = std::collections::BTreeMap<Vec<u8>, (i64, i64, Vec<u8>)>;

/// Reads the heads in a ledger's folder.
pub(crate) fn heads(folder: &std::path::Path) -> rusqlite::Result<StoredHeads> {
    let db = rusqlite::Connection::open(folder.join("ledger.sqlite"))?;
    let mut statement = db.prepare("SELECT person, count, position, hash FROM person")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)))
    })?;
    rows.collect()
}

/// Puts a head back to an earlier one, as somebody would who wants an entry forgotten.
pub(crate) fn put_back(
    folder: &std::path::Path,
    person: &[u8],
    (count, position, hash): &(i64, i64, Vec<u8>),
) -> rusqlite::Result<()> {
    let db = rusqlite::Connection::open(folder.join("ledger.sqlite"))?;
    db.execute(
        "UPDATE person SET count = ?2, position = ?3, hash = ?4 WHERE person = ?1",
        (person, count, position, hash),
    )?;
    Ok(())
}
