//! A witness of transparency logs (C2SP tlog-witness): what it cosigned is on its disk before it says so.
//!
//! A witness remembers one thing for each log that it follows: the last tree that it cosigned. It cosigns a
//! checkpoint only if its tree begins with that one, so a log that forgets, or that shows others another
//! past, gets no cosignature from it. Everything rests on the memory never going back; hence the order in
//! [`Witness::add_checkpoint`]: decide, store, flush, answer, with nothing of the same log in between.
//!
//! It is a crate of its own because it must not be able to read a record: whoever runs a witness is another
//! organisation, holds neither ledger nor keys of the programmes that it watches, and sees sizes, roots and
//! signatures alone. It has no HTTP and no clock; both are given to it.
//!
//! ```text
//! DIR/witness.key       its secret keys, a line each (mode 0600)
//! DIR/logs              the public keys of the logs that it follows, a line each
//! DIR/<log>.seen        by log: the checkpoint that it cosigned last, or `never`
//! DIR/<log>-<n>.fork    a request that shows that a log signed two pasts
//! DIR/lock              held by the one process that cosigns
//! ```
//!
//! `<log>` is the SHA-256 of the log's origin in hex, as in the protocol's own addresses. A `.seen` that is
//! missing, altered or not signed by this witness stops the start: an empty memory would cosign anything.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Algorithm, CosignerKey, WitnessKey};
use tlog::note::{KeyError, SignedNote, VerifierKey};
use tlog::witness::{Refusal, Request, Seen, decide};

mod folder;

pub use folder::{Folder, Held, HeldError};

/// The file with the secret keys.
const KEYS: &str = "witness.key";
/// The file with the public keys of the logs.
const LOGS: &str = "logs";
/// What a `.seen` says before the first cosignature.
const NEVER: &[u8] = b"never\n";
/// How many requests that show a fork are kept for each log.
const FORKS_MAX: u32 = 16;

/// Where a witness remembers. Names are flat file names.
///
/// `replace` returns only when the new bytes will be read after a crash at any later moment; if it fails,
/// either the old or the new bytes will be, and nothing else.
pub trait Memory: Send + Sync {
    /// The bytes under a name; `None` if there are none.
    fn read(&self, name: &str) -> std::io::Result<Option<Vec<u8>>>;

    /// Puts other bytes under a name, wholly or not at all, and flushes them to the disk. What is `secret`
    /// is for nobody else to read.
    fn replace(&self, name: &str, bytes: &[u8], secret: bool) -> std::io::Result<()>;
}

/// Why a witness cannot be made or started.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none.
    #[error("there is no witness in this directory; make one with `homecoming witness init`")]
    Missing,
    /// There is one.
    #[error("there is a witness in this directory already")]
    AlreadyThere,
    /// The name or a key does not read.
    #[error("`{file}`: {source}")]
    Key {
        /// Which file.
        file: &'static str,
        /// What is wrong.
        source: KeyError,
    },
    /// The name cannot be a key's.
    #[error("{0:?} cannot name a witness: a name is one word without `+`")]
    Name(String),
    /// The log is followed already, with this key.
    #[error("the log {0} is followed already, with this key")]
    Followed(String),
    /// What was remembered of a log is gone.
    #[error(
        "this witness follows the log {origin}, but what it last cosigned of it is gone. Without it, it would \
         cosign whatever it is shown first: put `{file}` back from a copy"
    )]
    Forgotten {
        /// Which log.
        origin: String,
        /// The missing file.
        file: String,
    },
    /// What is remembered of a log is not what was stored.
    #[error(
        "what this witness remembers of the log {origin} was altered: {what}. Put `{file}` back from a copy"
    )]
    Altered {
        /// Which log.
        origin: String,
        /// The file.
        file: String,
        /// What does not fit.
        what: String,
    },
    /// The directory cannot be read or written.
    #[error("the witness's directory cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
}

/// An answer to a request: HTTP status, content type, body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Content type.
    pub content_type: &'static str,
    /// Body.
    pub body: String,
}

const TEXT: &str = "text/plain; charset=utf-8";

impl Answer {
    fn text(status: u16, body: impl Into<String>) -> Answer {
        Answer {
            status,
            content_type: TEXT,
            body: body.into(),
        }
    }
}

/// A witness at work.
pub struct Witness {
    memory: Box<dyn Memory>,
    keys: Vec<CosignerKey>,
    logs: BTreeMap<String, Followed>,
    /// Set when something could not be stored: nobody knows what the disk holds, so nothing is cosigned any more.
    failed: AtomicBool,
}

/// One log.
struct Followed {
    keys: Vec<VerifierKey>,
    /// The name of its files and its address, without ending.
    name: String,
    known: Mutex<Known>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    seen: Option<Seen>,
    /// The checkpoint with the log's signatures and ours.
    note: Option<String>,
    forks: u32,
}

/// Makes a witness: its keys, and no logs yet. Gives its public keys, Ed25519 first.
///
/// It signs with both kinds: ML-DSA-44 as the specification asks, and Ed25519, which is short enough for a
/// receipt that somebody prints. Each has 32 bytes of chance.
pub fn create(
    memory: &dyn Memory,
    name: &str,
    chance: &mut dyn FnMut(&mut [u8]),
) -> Result<Vec<WitnessKey>, OpenError> {
    if memory.read(KEYS)?.is_some() {
        return Err(OpenError::AlreadyThere);
    }
    let mut text = String::new();
    let mut public = Vec::new();
    for algorithm in [Algorithm::Ed25519, Algorithm::MlDsa44] {
        let mut seed = [0; 32];
        chance(&mut seed);
        let key = CosignerKey::from_seed(name, algorithm, &seed)
            .map_err(|_| OpenError::Name(name.to_owned()))?;
        text.push_str(&key.secret_text());
        text.push('\n');
        public.push(key.witness().clone());
    }
    memory.replace(LOGS, b"", false)?;
    // The keys last: a witness without them is none, and making it can be begun again.
    memory.replace(KEYS, text.as_bytes(), true)?;
    Ok(public)
}

/// Has a witness follow a log, which its public key names. The witness must not be at work.
pub fn follow(memory: &dyn Memory, key: &VerifierKey) -> Result<(), OpenError> {
    let mut keys = followed(memory)?;
    if keys.contains(key) {
        return Err(OpenError::Followed(key.name().to_owned()));
    }
    let is_known = keys.iter().any(|known| known.name() == key.name());
    let file = seen_file(&file_name(key.name()));
    if !is_known && memory.read(&file)?.is_none() {
        memory.replace(&file, NEVER, false)?;
    }
    keys.push(key.clone());
    let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
    memory.replace(LOGS, text.as_bytes(), false)?;
    Ok(())
}

impl Witness {
    /// Opens one with what it remembers. Before it answers anybody, [`settle`](Witness::settle) it.
    pub fn open(memory: Box<dyn Memory>) -> Result<Witness, OpenError> {
        let keys = secret_keys(memory.as_ref())?;
        let mut logs: BTreeMap<String, Followed> = BTreeMap::new();
        for key in followed(memory.as_ref())? {
            let origin = key.name().to_owned();
            let log = logs.entry(origin.clone()).or_insert_with(|| Followed {
                keys: Vec::new(),
                name: file_name(&origin),
                known: Mutex::default(),
            });
            log.keys.push(key);
        }
        for (origin, log) in &mut logs {
            let known = remembered(memory.as_ref(), origin, log, &keys)?;
            log.known = Mutex::new(known);
        }
        Ok(Witness {
            memory,
            keys,
            logs,
            failed: AtomicBool::new(false),
        })
    }

    /// Stores what it remembers anew; for the one process that cosigns, before its first answer.
    ///
    /// The process before may have died before the name of what it stored was durable: what was read could then be
    /// gone after a loss of power, although this one has answered by it.
    pub fn settle(&self) -> Result<(), OpenError> {
        for log in self.logs.values() {
            if let Some(note) = &log.known().note {
                self.memory
                    .replace(&seen_file(&log.name), note.as_bytes(), false)?;
            }
        }
        Ok(())
    }

    /// Its public keys.
    pub fn keys(&self) -> impl Iterator<Item = &WitnessKey> {
        self.keys.iter().map(CosignerKey::witness)
    }

    /// The logs that it follows, each with the size that it cosigned last.
    pub fn logs(&self) -> impl Iterator<Item = (&str, u64)> {
        self.logs.iter().map(|(origin, log)| {
            let size = log.known().seen.map_or(0, |seen| seen.size);
            (origin.as_str(), size)
        })
    }

    /// Whether it could not store something, and so cosigns nothing any more: the process must end.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Answers `add-checkpoint`. `now` is the time in seconds since 1970.
    pub fn add_checkpoint(&self, body: &[u8], now: u64) -> Answer {
        let request = match Request::parse(body) {
            Ok(request) => request,
            Err(error) => return refused(&Refusal::Malformed(error)),
        };
        let Some(log) = self.logs.get(request.origin()) else {
            return refused(&Refusal::UnknownLog {
                origin: request.origin().to_owned(),
            });
        };
        // Held until what was decided is stored, so that no other request is decided in between.
        let mut known = log.known();
        if self.has_failed() {
            return stopping();
        }
        let seen = match decide(&request, known.seen, &log.keys) {
            Ok(seen) => seen,
            Err(refusal) => {
                if refusal.is_misbehaviour() {
                    self.keep_fork(log, &mut known, body);
                }
                return refused(&refusal);
            }
        };
        let signed = self
            .keys
            .iter()
            .map(|key| key.cosign(&request.checkpoint, now).map(|s| s.to_string()))
            .collect::<Result<String, _>>();
        let signatures = match signed {
            Ok(signatures) => signatures,
            Err(error) => return Answer::text(500, format!("{error}\n")),
        };
        let note = format!(
            "{}\n{}{signatures}",
            request.checkpoint.text(),
            signatures_of(&request.checkpoint, &log.keys)
        );
        // Who asks again about the same tree gets a new time, and costs no flush.
        if known.seen != Some(seen)
            && let Err(error) = self
                .memory
                .replace(&seen_file(&log.name), note.as_bytes(), false)
        {
            self.failed.store(true, Ordering::Release);
            return Answer::text(
                500,
                format!("the witness could not store what it decided ({error}) and is stopping\n"),
            );
        }
        known.seen = Some(seen);
        known.note = Some(note);
        Answer::text(200, signatures)
    }

    /// The checkpoint that it cosigned last of the log whose origin has this SHA-256 in hex.
    pub fn checkpoint(&self, name: &str) -> Option<String> {
        let log = self.logs.values().find(|log| log.name == name)?;
        log.known().note.clone()
    }

    /// A request that proves a fork is worth more than the disk it takes; if it cannot be kept, the refusal stands.
    fn keep_fork(&self, log: &Followed, known: &mut Known, body: &[u8]) {
        if known.forks < FORKS_MAX {
            let file = format!("{}-{}.fork", log.name, known.forks);
            if self.memory.replace(&file, body, false).is_ok() {
                known.forks += 1;
            }
        }
    }
}

impl Followed {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(refusal: &Refusal) -> Answer {
    let (content_type, body) = refusal.answer();
    Answer {
        status: refusal.status(),
        content_type,
        body,
    }
}

fn stopping() -> Answer {
    Answer::text(503, "the witness is stopping\n")
}

/// The signature lines of a note that are by one of these keys.
fn signatures_of(note: &SignedNote, keys: &[VerifierKey]) -> String {
    note.signatures()
        .iter()
        .filter(|signature| {
            keys.iter()
                .any(|key| signature.name() == key.name() && signature.id() == key.id())
        })
        .map(ToString::to_string)
        .collect()
}

/// The SHA-256 of an origin in hex, as the protocol's addresses have it.
fn file_name(origin: &str) -> String {
    let path = tlog::witness::checkpoint_path(origin);
    path.split('/').next().unwrap_or_default().to_owned()
}

fn seen_file(name: &str) -> String {
    format!("{name}.seen")
}

fn secret_keys(memory: &dyn Memory) -> Result<Vec<CosignerKey>, OpenError> {
    let text = memory.read(KEYS)?.ok_or(OpenError::Missing)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let keys: Result<Vec<_>, _> = text.lines().map(CosignerKey::parse).collect();
    let keys = keys.map_err(|source| OpenError::Key { file: KEYS, source })?;
    match keys.is_empty() {
        true => Err(OpenError::Missing),
        false => Ok(keys),
    }
}

fn followed(memory: &dyn Memory) -> Result<Vec<VerifierKey>, OpenError> {
    if memory.read(KEYS)?.is_none() {
        return Err(OpenError::Missing);
    }
    let text = memory.read(LOGS)?.unwrap_or_default();
    String::from_utf8_lossy(&text)
        .lines()
        .map(VerifierKey::parse)
        .collect::<Result<_, _>>()
        .map_err(|source| OpenError::Key { file: LOGS, source })
}

/// Reads what was last cosigned of a log. It is believed because the log and this witness signed it.
fn remembered(
    memory: &dyn Memory,
    origin: &str,
    log: &Followed,
    keys: &[CosignerKey],
) -> Result<Known, OpenError> {
    let file = seen_file(&log.name);
    let mut forks = 0;
    while forks < FORKS_MAX
        && memory
            .read(&format!("{}-{forks}.fork", log.name))?
            .is_some()
    {
        forks += 1;
    }
    let bytes = memory.read(&file)?.ok_or_else(|| OpenError::Forgotten {
        origin: origin.to_owned(),
        file: file.clone(),
    })?;
    if bytes == NEVER {
        return Ok(Known {
            forks,
            ..Known::default()
        });
    }
    let altered = |what: String| OpenError::Altered {
        origin: origin.to_owned(),
        file: file.clone(),
        what,
    };
    let text = String::from_utf8(bytes).map_err(|_| altered("it is not text".to_owned()))?;
    let note = SignedNote::parse(&text).map_err(|e| altered(e.to_string()))?;
    let checkpoint = Checkpoint::parse(note.text()).map_err(|e| altered(e.to_string()))?;
    if checkpoint.origin != origin {
        return Err(altered(format!("it is of the log {}", checkpoint.origin)));
    }
    for key in keys {
        key.witness()
            .verify(&note)
            .map_err(|e| altered(e.to_string()))?;
    }
    Ok(Known {
        seen: Some(Seen {
            size: checkpoint.size,
            root: checkpoint.root,
        }),
        note: Some(text),
        forks,
    })
}
