//! A witness that cosigns checkpoints, with its own disk, its own crashes, and its state in one file.
//!
//! It keeps the size and root that it cosigned last, and cosigns a checkpoint only if the log signed it and proves
//! that it contains what was cosigned before. The new state is durable before the answer leaves.

use std::sync::Arc;

use tlog::checkpoint::Checkpoint;
use tlog::note::VerifierKey;
use tlog::{Hash, root_of_empty, verify_consistency};

use crate::chance::Chance;
use crate::disk::{Disk, Failed, Image, Lies, Survives};

/// What the server asks.
#[derive(Clone, Debug)]
pub struct Request {
    /// The size that the server believes was cosigned last.
    pub old: u64,
    /// From there to the checkpoint.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// What the witness answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It cosigned a tree of this size.
    Cosigned(u64),
    /// It cosigned another size last.
    Conflict(u64),
    /// It does not cosign: the log does not prove what it must.
    Refused,
}

/// A bug in it, planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// It answers, and makes its state durable at some other time.
    SignsFirst,
    /// It checks neither the size nor the proof.
    ChecksNothing,
}

/// The witness.
#[derive(Debug)]
pub struct Witness {
    disk: Arc<Disk>,
    key: VerifierKey,
    origin: String,
    last: Option<(u64, Hash)>,
    bug: Option<Bug>,
    /// Everything that it cosigned, in order: what the world has seen and it must stand by.
    pub cosigned: Vec<(u64, Hash)>,
}

const FILE: &str = "state";
const NEW: &str = "state.new";

impl Witness {
    /// A witness of a log that has cosigned nothing.
    pub fn new(key: VerifierKey, origin: &str, bug: Option<Bug>, chance: Chance) -> Witness {
        Witness {
            disk: Arc::new(Disk::new(&Image::default(), chance, Lies::default())),
            key,
            origin: origin.to_owned(),
            last: None,
            bug,
            cosigned: Vec::new(),
        }
    }

    /// Its disk, to make it fail.
    pub fn disk(&self) -> &Arc<Disk> {
        &self.disk
    }

    /// Starts it again from its disk; `cut` says what a power cut leaves, without it only the process died.
    pub fn restart(&mut self, cut: Option<Survives>) -> Result<(), String> {
        match cut {
            Some(survives) => self.disk.power_cut(survives),
            None => self.disk.kill(),
        }
        self.last = self
            .load()
            .map_err(|failed| format!("the witness cannot read its state: {failed:?}"))?;
        // What was read may be in the cache alone, and is about to be relied on.
        if let Some(state) = self.last {
            self.store(state)
                .map_err(|failed| format!("the witness cannot keep its state: {failed:?}"))?;
        }
        Ok(())
    }

    /// Decides on a request. `None`: it failed, and has to be started again.
    pub fn answer(&mut self, request: &Request) -> Option<Answer> {
        let Ok(checkpoint) = Checkpoint::open(&request.checkpoint, &self.key, &self.origin) else {
            return Some(Answer::Refused);
        };
        let (size, root) = self.last.unwrap_or((0, root_of_empty()));
        if self.bug != Some(Bug::ChecksNothing) {
            if request.old != size {
                return Some(Answer::Conflict(size));
            }
            if verify_consistency(
                size,
                &root,
                checkpoint.size,
                &checkpoint.root,
                &request.proof,
            )
            .is_err()
            {
                return Some(Answer::Refused);
            }
        }
        let new = (checkpoint.size, checkpoint.root);
        if self.bug == Some(Bug::SignsFirst) {
            self.last = Some(new);
            self.cosigned.push(new);
            // It means to do it well, but it has answered already.
            return self.store(new).ok().map(|()| Answer::Cosigned(new.0));
        }
        self.store(new).ok()?;
        self.last = Some(new);
        self.cosigned.push(new);
        Some(Answer::Cosigned(new.0))
    }

    /// Replaces the state: a new file, synced, renamed over the old one, and the name synced.
    fn store(&self, (size, root): (u64, Hash)) -> Result<(), Failed> {
        let mut bytes = size.to_le_bytes().to_vec();
        bytes.extend_from_slice(&root);
        let mut file = self.disk.open(NEW, true)?;
        file.truncate(0)?;
        file.write(0, &bytes)?;
        file.sync(false)?;
        self.disk.rename(NEW, FILE)?;
        self.disk.sync_folder()
    }

    fn load(&self) -> Result<Option<(u64, Hash)>, Failed> {
        let file = match self.disk.open(FILE, false) {
            Err(Failed::Missing) => return Ok(None),
            opened => opened?,
        };
        let mut bytes = [0; 40];
        if file.read(0, &mut bytes)? < bytes.len() {
            return Err(Failed::Io);
        }
        let (size, root) = bytes.split_at(8);
        let size = u64::from_le_bytes(*size.first_chunk().unwrap_or(&[0; 8]));
        Ok(Some((size, *root.first_chunk().unwrap_or(&[0; 32]))))
    }
}
