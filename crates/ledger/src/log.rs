//! A log as others see it: checkpoint, tiles, leaves and proofs, whichever log it is.
//!
//! A programme has two: the record, and who was shown what. Whatever is served under `/log/`, submitted to
//! witnesses and checked at the start is written against [`Log`] alone.

use std::borrow::Cow;

use tlog::checkpoint::Checkpoint;
use tlog::note::VerifierKey;
use tlog::{Hash, TileSource};

use crate::read::ReadError;

/// One append-only log.
pub trait Log: Send + Sync {
    /// The name of the log, as its checkpoints have it.
    fn origin(&self) -> &str;

    /// The public key of the log.
    fn verifier(&self) -> &VerifierKey;

    /// The newest checkpoint, signed by the log: of what is on the disk.
    fn checkpoint(&self) -> Result<String, ReadError>;

    /// The first `width` hashes of a tile; the log must be large enough to have them.
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, ReadError>;

    /// The leaves from position `from` up to but without `to`, at most as many as there are.
    fn leaves(&self, from: u64, to: u64) -> Result<Vec<Vec<u8>>, ReadError>;

    /// The newest checkpoint, read. The log's own signature is checked.
    fn newest(&self) -> Result<Checkpoint, ReadError> {
        Checkpoint::open(&self.checkpoint()?, self.verifier(), self.origin())
            .map_err(|e| damaged(0, &e))
    }

    /// The root of the tree over the first so many leaves, at most all of them.
    fn root_of(&self, size: u64) -> Result<Hash, ReadError> {
        tlog::root_at(size, &Tiles(self)).map_err(|e| damaged(size.saturating_sub(1), &e))
    }

    /// The hashes that show that the log of `new` leaves begins with the log of `old` leaves.
    fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, ReadError> {
        tlog::prove_consistency(old, new, &Tiles(self))
            .map_err(|e| damaged(new.saturating_sub(1), &e))
    }

    /// The hashes that lead from a leaf to the root of the log of `size` leaves.
    fn inclusion(&self, position: u64, size: u64) -> Result<Vec<Hash>, ReadError> {
        tlog::prove_inclusion(position, size, &Tiles(self)).map_err(|e| damaged(position, &e))
    }
}

struct Tiles<'l, L: ?Sized>(&'l L);

impl<L: Log + ?Sized> TileSource for Tiles<'_, L> {
    type Error = ReadError;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Cow<'_, [u8]>, ReadError> {
        self.0.tile(level, index, width).map(Cow::Owned)
    }
}

fn damaged(position: u64, what: &dyn std::fmt::Display) -> ReadError {
    ReadError::Damaged {
        position,
        what: what.to_string(),
    }
}
