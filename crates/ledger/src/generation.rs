//! A log that begins anew under another name and key, over the same entries.
//!
//! When entries are lost that outside witnesses have signed for, no witness will ever sign that log
//! again: for them it has run backwards. The record goes on as another log, whose name says that it
//! is the second (`.2` behind the first name), with a key of its own; the old key signs nothing any
//! more. The entries that are left are in it at the positions that they had, so receipts of the old
//! log for them still show the same leaves. What contents are sealed for does not change: that is
//! the programme's first name, whatever the log is called later.
//!
//! Done only to a directory that is being restored and has not got its place yet: stopped in the
//! middle, the directory is thrown away.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tlog::checkpoint::Checkpoint;
use tlog::note::{SigningKey, VerifierKey};

use crate::lock::Lock;
use crate::store::{self, OpenError};

/// The log that ended and the one that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The name of the log that ended.
    pub old_origin: String,
    /// Its public key.
    pub old_verifier: VerifierKey,
    /// The name of the log that begins.
    pub origin: String,
    /// Its public key.
    pub verifier: VerifierKey,
    /// How many entries it begins with.
    pub size: u64,
}

/// Gives the ledger of a directory another name and another key; its access log, if there is one, too.
///
/// The name is the next behind the ledger's own and behind the number `known`, that of the latest log which anybody
/// is known to know: no second log begins under a name that there was.
pub fn begin(
    dir: &Path,
    known: u32,
    chance: &mut dyn FnMut(&mut [u8]),
) -> Result<Begun, OpenError> {
    let lock = Lock::take(dir)?;
    let db = store::open_to_write(dir, &lock)?;
    let old = store::identity(&db)?;
    let now = number(&old.programme, &old.origin).unwrap_or(1).max(known);
    let origin = now
        .checked_add(1)
        .map(|next| name(&old.programme, next))
        .ok_or_else(|| OpenError::Origin(old.origin.clone()))?;
    let (verifier, size) = rename(dir, &db, "log.key", &origin, chance)?;
    let access = dir.join("access.sqlite");
    if access.try_exists()? {
        let db = Connection::open(access)?;
        rename(dir, &db, "access.key", &format!("{origin}/access"), chance)?;
    }
    Ok(Begun {
        old_origin: old.origin,
        old_verifier: old.verifier,
        origin,
        verifier,
        size,
    })
}

/// The name of a programme's log by its number: `name`, `name.2`, `name.3`. No name that is made from a programme's
/// name has a full stop in it.
pub fn name(first: &str, number: u32) -> String {
    match number {
        0 | 1 => first.to_owned(),
        number => format!("{first}.{number}"),
    }
}

/// Which of a programme's logs has this name, from 1; nothing if it is another programme's.
pub fn number(first: &str, origin: &str) -> Option<u32> {
    let number = match origin.strip_prefix(first)? {
        "" => 1,
        rest => rest.strip_prefix('.')?.parse().ok()?,
    };
    // One number has one name.
    (name(first, number) == origin).then_some(number)
}

fn rename(
    dir: &Path,
    db: &Connection,
    file: &str,
    origin: &str,
    chance: &mut dyn FnMut(&mut [u8]),
) -> Result<(VerifierKey, u64), OpenError> {
    let damaged = |what: &str| OpenError::Damaged(what.to_owned());
    let identity_of = |key| store::state(db, key);
    let (old_origin, verifier) = (
        identity_of("origin")?.ok_or_else(|| damaged("it does not say which log it is"))?,
        identity_of("verifier")?
            .and_then(|text| VerifierKey::parse(&text).ok())
            .ok_or_else(|| damaged("its public key does not read"))?,
    );
    let text = identity_of("checkpoint")?.ok_or_else(|| damaged("it has no checkpoint"))?;
    let checkpoint = Checkpoint::open(&text, &verifier, &old_origin)
        .map_err(|_| damaged("its checkpoint is not signed by its key"))?;
    let mut seed = [0; 32];
    chance(&mut seed);
    let key =
        SigningKey::from_seed(origin, &seed).map_err(|_| OpenError::Origin(origin.to_owned()))?;
    let size = checkpoint.size;
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        ..checkpoint
    }
    .sign(&key)
    .map_err(|_| OpenError::Origin(origin.to_owned()))?;
    let path = dir.join("keys").join(file);
    match fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    store::write_key(&path, format!("{}\n", key.secret_text()).as_bytes())?;
    store::sync_directory(&dir.join("keys"))?;
    let tx = db.unchecked_transaction()?;
    store::set_state(&tx, "origin", origin)?;
    store::set_state(&tx, "verifier", &key.verifier().to_string())?;
    store::set_state(&tx, "checkpoint", &checkpoint)?;
    tx.commit()?;
    Ok((key.verifier().clone(), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_log_is_named_after_the_first() {
        let check = |origin, expect| assert_eq!(number("homecoming/east", origin), expect);
        check("homecoming/east", Some(1));
        check("homecoming/east.2", Some(2));
        check("homecoming/east.41", Some(41));
        for other in [
            "another",
            "homecoming/eastern",
            "homecoming/east.x",
            "homecoming/east.02",
            "homecoming/east.1",
            "homecoming/east.0",
            "homecoming/east.",
            "homecoming/east.99999999999",
        ] {
            check(other, None);
        }
        assert_eq!(name("homecoming/east", 1), "homecoming/east");
        assert_eq!(name("homecoming/east", 3), "homecoming/east.3");
    }
}
