//! The record as a [`Log`], and receipts under a checkpoint that others have signed.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tlog::TileSource;
use tlog::checkpoint::{Checkpoint, CheckpointError};
use tlog::note::VerifierKey;

use super::{Ledger, Moment, ReadError, StoredTiles, checkpoint, damaged, entry_of, line_at};
use crate::log::Log;
use crate::receipt;

impl Log for Ledger {
    fn origin(&self) -> &str {
        Ledger::origin(self)
    }

    fn verifier(&self) -> &VerifierKey {
        Ledger::verifier(self)
    }

    fn checkpoint(&self) -> Result<String, ReadError> {
        Ledger::checkpoint(self)
    }

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, ReadError> {
        let db = self.connection();
        let _moment = Moment::begin(&db)?;
        Ok(StoredTiles::new(&db, &self.0.edge)
            .tile(level, index, width)?
            .into_owned())
    }

    fn leaves(&self, from: u64, to: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        let db = self.connection();
        let mut statement = db.prepare_cached(
            "SELECT line FROM entry WHERE position >= ?1 AND position < ?2 ORDER BY position",
        )?;
        let lines = statement.query_map((from as i64, to as i64), |row| row.get(0))?;
        Ok(lines.collect::<Result<_, _>>()?)
    }
}

/// How many checkpoints are kept that were verified: the newest ones, and the cosigned one.
const VERIFIED_MAX: usize = 4;

/// Signed checkpoints whose signature was found right, by their whole text: the same text is signed the same. Many
/// receipts are made under one checkpoint.
#[derive(Debug, Default)]
pub(super) struct Verified(Mutex<VecDeque<(String, Checkpoint)>>);

impl Verified {
    fn known(&self) -> MutexGuard<'_, VecDeque<(String, Checkpoint)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    fn signed(&self, text: &str) -> Result<Checkpoint, CheckpointError> {
        let found = |(known, _): &&(String, Checkpoint)| known == text;
        if let Some((_, checkpoint)) = self.0.verified.known().iter().find(found) {
            return Ok(checkpoint.clone());
        }
        let checkpoint = Checkpoint::open(text, self.verifier(), self.origin())?;
        let mut known = self.0.verified.known();
        if known.len() >= VERIFIED_MAX {
            known.pop_front();
        }
        known.push_back((text.to_owned(), checkpoint.clone()));
        Ok(checkpoint)
    }

    /// The receipt of an entry under a cosigned checkpoint if that covers it, else under the newest one.
    ///
    /// `cosigned` must be a checkpoint of this log; one that does not read, or that the log's key has not
    /// signed, is damage.
    pub fn receipt_under(
        &self,
        position: u64,
        cosigned: Option<&str>,
    ) -> Result<String, ReadError> {
        let db = self.connection();
        let _moment = Moment::begin(&db)?;
        let (entry, content) = match self.version_at(&db, position) {
            Ok((entry, content)) => (entry, Some(content)),
            // What was erased keeps its place, and the proof of it.
            Err(ReadError::Erased { .. }) => (entry_of(position, &line_at(&db, position)?)?, None),
            Err(error) => return Err(error),
        };
        let read = |text: &str| {
            self.signed(text)
                .map_err(|e| damaged(position, &e.to_string()))
        };
        let covering = match cosigned {
            Some(text) => Some((read(text)?, text.to_owned())).filter(|(c, _)| position < c.size),
            None => None,
        };
        let (checkpoint, text) = match covering {
            Some(covering) => covering,
            None => {
                let text = checkpoint(&db)?;
                (read(&text)?, text)
            }
        };
        let tiles = StoredTiles::new(&db, &self.0.edge);
        let hashes = tlog::prove_inclusion(position, checkpoint.size, &tiles)
            .map_err(|e| damaged(position, &e.to_string()))?;
        Ok(receipt::make(
            self.verifier(),
            &entry.line,
            content.as_ref(),
            hashes,
            text,
            position,
        ))
    }
}
