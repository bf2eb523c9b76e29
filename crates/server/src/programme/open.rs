//! Making and opening a data directory.
//!
//! ```text
//! DIR/programme.json  the programme's name
//! DIR/lock            held by whoever writes
//! DIR/ledger.sqlite   the record
//! DIR/access.sqlite   who was told what of it
//! DIR/witnessed.sqlite  what outside witnesses have signed of it
//! DIR/witness.policy  which witnesses there are, if any (C2SP tlog-policy)
//! DIR/desk.sqlite     users, sessions, API clients: not the record
//! DIR/keys/           what signs the log, makes aliases and opens contents, mode 0600
//! DIR/index/          made from the ledger; may be deleted at any time
//! ```

use std::path::Path;

use casework::erasure as rules;
use index::Index;
use ledger::access::{AccessLog, Recorder};
use ledger::witnessed::LogName;
use ledger::{Appender, Keys, Ledger};

use super::{erase, replay};
use crate::chance::Chance;
use crate::erasure::Found;
use crate::error::{Error, ErrorKind};

/// What an open programme consists of.
pub(super) struct Opened {
    pub about: About,
    pub ledger: Ledger,
    pub appender: Appender,
    pub index: Index,
    /// Erasures that were interrupted: their keys are gone, and the index knows nothing of them.
    pub unfinished: Vec<Found>,
    pub access: AccessLog,
    pub recorder: Recorder,
}

/// Makes a new programme in an empty or missing folder; gives its keys. The passphrase, if there
/// is one, is needed from then on to open it.
pub fn create(
    data: &Path,
    about: &About,
    passphrase: Option<&[u8]>,
    chance: &Chance,
) -> Result<Keys, Error> {
    let origin = origin(&about.name, !about.demo.is_empty())?;
    let keys = ledger::create(data, &origin, passphrase, &mut |bytes| chance.fill(bytes))
        .map_err(Error::open)?;
    let text = serde_json::to_vec_pretty(about).map_err(Error::internal)?;
    std::fs::write(data.join(ABOUT), text).map_err(|error| {
        Error::new(ErrorKind::Internal, "The data directory cannot be written.").because(error)
    })?;
    Ok(keys)
}

/// What a programme says of itself outside of the record.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct About {
    /// Its name, as people see it.
    pub name: String,
    /// Whom anybody may sign in as. Only a demo has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demo: Vec<DemoPerson>,
    /// Days between telling a person and erasing their record, if not 30. At least 7; in a demo, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure_delay_days: Option<u32>,
    /// To whom outside of the programme a participant can complain: name, address, telephone. Until it
    /// is filled in, their page says that it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complaints: Option<String>,
}

/// One of the generated people of a demo.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct DemoPerson {
    /// Name.
    pub name: String,
    /// Role.
    pub role: String,
    /// Sign-in code, which opens nothing but this demo.
    pub code: String,
}

const ABOUT: &str = "programme.json";

impl About {
    /// Microseconds between telling a person and erasing.
    pub fn erasure_delay(&self, origin: &str) -> i64 {
        let set = self
            .erasure_delay_days
            .map(|days| i64::from(days) * casework::DAY);
        set.unwrap_or(match is_demo(origin) {
            true => 0,
            false => rules::DELAY,
        })
    }

    /// Refuses the made-up people of a demo, whom anybody may sign in as, where the log's name says that it is none.
    pub(super) fn fits(&self, origin: &str) -> Result<(), Error> {
        if self.demo.is_empty() || is_demo(origin) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            format!(
                "`programme.json` names people of a demo, whom anybody may sign in as, but the log {origin:?} is not \
                 one of a demo. Nothing was changed: take `demo` out of `programme.json`, and find out who put it \
                 there."
            ),
        ))
    }

    /// Reads it from a data directory.
    pub fn read(data: &Path) -> Result<About, Error> {
        let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(
                ErrorKind::Internal,
                "`programme.json` in the data directory cannot be read. It holds the programme's \
                 name: {\"name\": \"...\"}.",
            )
            .because(error)
        };
        let text = std::fs::read(data.join(ABOUT)).map_err(|error| unreadable(error.into()))?;
        serde_json::from_slice(&text).map_err(|error| unreadable(error.into()))
    }
}

/// What the name of a demo's log begins with. It is in each signed checkpoint and with the witnesses, so no
/// programme becomes a demo later.
const DEMO: &str = "homecoming-demo/";

/// Whether a log is that of a demo, where every person is made up.
fn is_demo(origin: &str) -> bool {
    origin.starts_with(DEMO)
}

/// The least time between telling a person and erasing that the rules allow, in microseconds: in a demo none.
pub fn erasure_delay_least(origin: &str) -> i64 {
    match is_demo(origin) {
        true => 0,
        false => rules::DELAY_LEAST,
    }
}

/// The log's origin: what checkpoints call it. Lower-case letters, digits and hyphens.
fn origin(name: &str, is_demo: bool) -> Result<String, Error> {
    let mut origin = String::from(match is_demo {
        true => DEMO,
        false => "homecoming/",
    });
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            origin.push(character.to_ascii_lowercase());
        } else if !origin.ends_with(['-', '/']) {
            origin.push('-');
        }
    }
    let origin = origin.trim_end_matches('-').to_owned();
    if origin.ends_with('/') || name.len() > 100 {
        return Err(Error::new(
            ErrorKind::Malformed,
            "A programme's name has 1 to 100 characters, with a letter or digit among them.",
        ));
    }
    Ok(origin)
}

/// Takes the lock, opens ledger and index, and brings the index up to the ledger.
/// `progress` is told the entries reached and the entries in all.
pub(super) fn open(
    data: &Path,
    keys: Keys,
    chance: &Chance,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Opened, Error> {
    let mut appender = Appender::open(data, keys).map_err(Error::open)?;
    let keys = appender.keys().clone();
    let readers = std::thread::available_parallelism().map_or(2, usize::from) * 2;
    let ledger = Ledger::open(data, readers, keys.clone()).map_err(Error::open)?;
    let access = AccessLog::open(data, keys).map_err(Error::open)?;
    // Before anything is changed, the index included.
    let about = About::read(data)?;
    about.fits(ledger.origin())?;
    crate::cosigning::start::check_all(
        data,
        &[(LogName::Record, &ledger), (LogName::Access, &access)],
    )?;
    let mut index = bring_up(data, &ledger, appender.size(), progress)?;
    let unfinished = erase::unfinished(&ledger, &index, erasure_delay_least(ledger.origin()))?;
    if !unfinished.is_empty() {
        super::index_audit::forget(data).map_err(Error::internal)?;
        erase::destroy_again(&mut appender, &unfinished, &mut |bytes| chance.fill(bytes))?;
        drop(index);
        remove(&data.join("index"))?;
        // An audit that began meanwhile may have linked files of that index.
        super::index_audit::forget(data).map_err(Error::internal)?;
        index = bring_up(data, &ledger, appender.size(), progress)?;
    }
    Ok(Opened {
        about,
        access,
        recorder: Recorder::open(data, &appender).map_err(Error::open)?,
        ledger,
        appender,
        index,
        unfinished,
    })
}

fn bring_up(
    data: &Path,
    ledger: &Ledger,
    size: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Index, Error> {
    let folder = data.join("index");
    let fingerprint = record::search::parameters().fingerprint();
    let mut index = Index::open(&folder, fingerprint).map_err(Error::index)?;
    if let index::Opened::Replaced { why } = index.opened() {
        tracing::warn!(why, "the index could not be used and is made anew");
    }
    if index.applied() > size {
        // The ledger was restored from an older copy: what the index holds beyond it never was.
        drop(index);
        remove(&folder)?;
        index = Index::open(&folder, fingerprint).map_err(Error::index)?;
    }
    if index.applied() < size {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        replay::catch_up(ledger, &index, cores, size, &mut |reached| {
            progress(reached, size)
        })?;
    }
    Ok(index)
}

fn remove(folder: &Path) -> Result<(), Error> {
    if !folder.exists() {
        return Ok(());
    }
    std::fs::remove_dir_all(folder).map_err(|error| {
        Error::new(ErrorKind::Internal, "The old index cannot be removed.").because(error)
    })
}

/// Makes the index anew; gives the number of entries. `progress` is told the entries
/// reached and the entries in all.
pub fn rebuild(data: &Path, keys: Keys, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, Error> {
    // Holding the appender holds the lock: nobody writes meanwhile.
    let appender = Appender::open(data, keys).map_err(Error::open)?;
    let ledger = Ledger::open(data, 1, appender.keys().clone()).map_err(Error::open)?;
    remove(&data.join("index"))?;
    bring_up(data, &ledger, appender.size(), progress)?;
    Ok(appender.size())
}
