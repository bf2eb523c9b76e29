//! A witness that cosigns checkpoints: the real one, with its memory on a disk of its own that fails.
//!
//! The crate `witness` decides, stores and signs as it does anywhere; here is only where it remembers, when it falls,
//! and what the world has seen it sign. It has one key, an Ed25519 one: the other kind signs the same a hundred times
//! slower.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::witnessed::LogName;
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Algorithm, CosignerKey, WitnessKey};
use tlog::note::{SignedNote, VerifierKey};
use tlog::witness::{parse_size, take_answer};

use crate::chance::Chance;
use crate::disk::{Disk, Failed, Handle, Image, Lies, Survives};
use crate::files::Late;

/// What the server asks.
#[derive(Clone, Debug)]
pub struct Request {
    /// Of which of its logs.
    pub log: LogName,
    /// The size that the server believes was cosigned last.
    pub old: u64,
    /// From there to the checkpoint.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// What the witness answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It cosigned a tree of a log.
    Cosigned {
        /// Which log.
        log: LogName,
        /// The tree's size.
        size: u64,
        /// The checkpoint with the cosignature.
        note: String,
    },
    /// It cosigned another size last.
    Conflict(LogName, u64),
    /// It does not cosign: the log does not prove what it must.
    Refused(String),
}

/// A bug in it, planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// It answers, and makes its state durable at some other time.
    SignsFirst,
    /// When it starts it remembers nothing.
    Forgets,
    /// When it starts it relies on what it reads, durable or not.
    NotSettled,
}

/// The witness.
pub struct Witness {
    disk: Arc<Disk>,
    memory: Memory,
    real: Option<::witness::Witness>,
    /// The record's log, and the access log if it follows that too.
    logs: Vec<VerifierKey>,
    key: WitnessKey,
    now: u64,
    /// Everything that it cosigned of each log, in order: what the world has seen and it must stand by.
    pub cosigned: [Vec<(u64, Hash)>; 2],
}

/// Where it remembers.
#[derive(Clone)]
struct Memory {
    disk: Arc<Disk>,
    bug: Option<Bug>,
    /// What is to be stored at some other time.
    late: Arc<Mutex<Late>>,
}

const NEVER: &[u8] = b"never\n";

/// Its name.
pub(crate) const NAME: &str = "witness.example";

fn key() -> Result<CosignerKey, String> {
    CosignerKey::from_seed(NAME, Algorithm::Ed25519, &[9; 32])
        .map_err(|e| format!("the witness's key: {e}"))
}

/// The disk of a witness that follows some logs and has cosigned nothing.
pub(crate) fn new_image(logs: &[VerifierKey]) -> Result<Image, String> {
    let disk = Arc::new(Disk::new(
        &Image::default(),
        Chance::new(0),
        Lies::default(),
    ));
    let memory = Memory::new(disk.clone(), None);
    let secret = format!("{}\n", key()?.secret_text());
    memory
        .store("witness.key", secret.as_bytes())
        .map_err(|failed| format!("the witness's key: {failed:?}"))?;
    for log in logs {
        ::witness::follow(&memory, log).map_err(|e| format!("the witness: {e}"))?;
    }
    Ok(disk.image())
}

impl Witness {
    /// A witness that starts from a disk like this.
    pub(crate) fn new(
        image: &Image,
        logs: Vec<VerifierKey>,
        bug: Option<Bug>,
        chance: Chance,
    ) -> Result<Witness, String> {
        let disk = Arc::new(Disk::new(image, chance, Lies::default()));
        let memory = Memory::new(disk.clone(), bug);
        let mut witness = Witness {
            disk,
            memory,
            real: None,
            logs,
            key: key()?.witness().clone(),
            now: 1_767_225_600,
            cosigned: Default::default(),
        };
        witness.start()?;
        Ok(witness)
    }

    /// Its disk, to make it fail.
    pub fn disk(&self) -> &Arc<Disk> {
        &self.disk
    }

    /// Starts it again from its disk; `cut` says what a power cut leaves, without it only the process died.
    pub fn restart(&mut self, cut: Option<Survives>) -> Result<(), String> {
        self.real = None;
        *self.memory.late() = None;
        match cut {
            Some(survives) => self.disk.power_cut(survives),
            None => self.disk.kill(),
        }
        if self.memory.bug == Some(Bug::Forgets) {
            let path = tlog::witness::checkpoint_path(self.logs[0].name());
            let name = path.split('/').next().unwrap_or_default();
            // If the disk fails just now, the bug is not there this time.
            let _ = self.memory.store(&format!("{name}.seen"), NEVER);
        }
        self.start()
    }

    fn start(&mut self) -> Result<(), String> {
        let memory = Box::new(self.memory.clone());
        let real = ::witness::Witness::open(memory)
            .map_err(|e| format!("the witness does not start: {e}"))?;
        if self.memory.bug != Some(Bug::NotSettled) {
            real.settle()
                .map_err(|e| format!("the witness does not start: {e}"))?;
        }
        self.real = Some(real);
        Ok(())
    }

    /// Decides on a request. `None`: it failed, and has to be started again.
    pub fn answer(&mut self, request: &Request) -> Result<Option<Answer>, String> {
        self.memory.store_late();
        let Some(real) = &self.real else {
            return Ok(None);
        };
        let mut note = SignedNote::parse(&request.checkpoint)
            .map_err(|e| format!("the checkpoint that was sent: {e}"))?;
        let body = tlog::witness::Request {
            old: request.old,
            proof: request.proof.clone(),
            checkpoint: note.clone(),
        }
        .to_string();
        self.now += 1;
        let answer = real.add_checkpoint(body.as_bytes(), self.now);
        if !self.disk.is_powered() {
            // Whoever would have answered is gone.
            return Ok(None);
        }
        Ok(Some(match answer.status {
            200 => {
                take_answer(&answer.body, &mut note, &self.key)
                    .map_err(|e| format!("the witness's answer: {e}"))?;
                let checkpoint = Checkpoint::parse(note.text())
                    .map_err(|e| format!("the cosigned checkpoint: {e}"))?;
                self.cosigned[place(request.log)].push((checkpoint.size, checkpoint.root));
                Answer::Cosigned {
                    log: request.log,
                    size: checkpoint.size,
                    note: note.to_string(),
                }
            }
            409 => match parse_size(&answer.body) {
                Some(size) => Answer::Conflict(request.log, size),
                None => return Err("the witness says no size".to_owned()),
            },
            500.. => return Ok(None),
            _ => Answer::Refused(answer.body),
        }))
    }
}

/// Where what is kept for each log is kept for this one.
pub(crate) fn place(log: LogName) -> usize {
    match log {
        LogName::Record => 0,
        LogName::Access => 1,
    }
}

impl Memory {
    fn new(disk: Arc<Disk>, bug: Option<Bug>) -> Memory {
        Memory {
            disk,
            bug,
            late: Arc::default(),
        }
    }

    fn late(&self) -> std::sync::MutexGuard<'_, Late> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store_late(&self) {
        if let Some((name, bytes)) = self.late().take() {
            // It means to do it well, but it has answered already.
            let _ = self.store(&name, &bytes);
        }
    }

    /// As the real one does in a folder: a new file, flushed, renamed over the old one, and the name flushed.
    fn store(&self, name: &str, bytes: &[u8]) -> Result<(), Failed> {
        let new = format!("{name}.new");
        match self.disk.delete(&new) {
            Ok(()) | Err(Failed::Missing) => {}
            Err(failed) => return Err(failed),
        }
        let mut file = self.disk.open(&new, true)?;
        file.write(0, bytes)?;
        file.sync(false)?;
        self.disk.rename(&new, name)?;
        self.disk.sync_folder()
    }
}

fn error(failed: Failed) -> io::Error {
    io::Error::other(format!("{failed:?}"))
}

fn whole(file: &Handle) -> Result<Vec<u8>, Failed> {
    let mut bytes = vec![0; file.size()? as usize];
    let length = file.read(0, &mut bytes)?;
    bytes.truncate(length);
    Ok(bytes)
}

impl ::witness::Memory for Memory {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match self.disk.open(name, false) {
            Err(Failed::Missing) => Ok(None),
            opened => opened
                .and_then(|file| whole(&file))
                .map(Some)
                .map_err(error),
        }
    }

    fn replace(&self, name: &str, bytes: &[u8], _secret: bool) -> io::Result<()> {
        if self.bug == Some(Bug::SignsFirst) {
            *self.late() = Some((name.to_owned(), bytes.to_vec()));
            return Ok(());
        }
        self.store(name, bytes).map_err(error)
    }
}
