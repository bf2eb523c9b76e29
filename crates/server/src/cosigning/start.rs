//! Before anything is written: is the ledger at least as far as what outside witnesses have signed, and the same?
//!
//! This is what finds an older copy that was put back in the ledger's place, a log that was cut off and
//! signed again, and one whose past was rewritten: the log's own key can sign anything, but not take back
//! what others have signed.

use std::path::Path;

use ledger::log::Log;
use ledger::witnessed::{LogName, Witnessed};
use tlog::checkpoint::Checkpoint;

use crate::error::{Error, ErrorKind};

/// What to do, at the end of every refusal.
const WHAT_TO_DO: &str = "Nothing was changed and nothing is served. Put the ledger back that belongs here: \
    restore the newest backup with `homecoming restore`. If what is missing is lost for good, `homecoming \
    restore` says how to go on without it, on the record.";

/// Checks all of a programme's logs.
pub fn check_all(data: &Path, logs: &[(LogName, &dyn Log)]) -> Result<(), Error> {
    let witnessed = Witnessed::open(data).map_err(Error::internal)?;
    logs.iter()
        .try_for_each(|(name, log)| check(&witnessed, *name, *log))
}

/// Refuses a log that is behind what witnesses signed of it, or does not begin with that.
pub fn check(witnessed: &Witnessed, name: LogName, log: &dyn Log) -> Result<(), Error> {
    let size = log.newest().map_err(Error::ledger)?.size;
    if let Some(cosigned) = witnessed.latest(name).map_err(Error::internal)? {
        let checkpoint = Checkpoint::open(&cosigned.note, log.verifier(), log.origin());
        let checkpoint = checkpoint.map_err(|why| {
            refused(&format!(
                "The last cosigned checkpoint that is noted here is not one of this {name} ({why}): this is another \
                 ledger than the one that the witnesses saw, or `{}` was altered.",
                ledger::witnessed::FILE
            ))
        })?;
        let day = record::time::RecordedAt(cosigned.at_us);
        if size < checkpoint.size {
            return Err(behind(
                name,
                size,
                checkpoint.size,
                &format!(
                    "Outside witnesses cosigned {} entries of the {name} on {day}",
                    checkpoint.size
                ),
            ));
        }
        let root = log.root_of(checkpoint.size).map_err(Error::ledger)?;
        if root != checkpoint.root {
            return Err(refused(&format!(
                "The {name} was changed: outside witnesses cosigned its first {} entries on {day}, and the first {0} \
                 entries that are here now give another root, although their signature is this log's own. Somebody \
                 who has the log's key rewrote the past.",
                checkpoint.size
            )));
        }
    }
    for seen in witnessed.seen(name).map_err(Error::internal)? {
        if size < seen.size {
            return Err(behind(
                name,
                size,
                seen.size,
                &format!(
                    "The witness {} has said that it cosigned {} entries of the {name}",
                    seen.witness, seen.size
                ),
            ));
        }
    }
    Ok(())
}

fn behind(name: LogName, size: u64, cosigned: u64, who: &str) -> Error {
    refused(&format!(
        "{who}, but there are only {size} here: {} entries at the end of the {name} are missing. They were cut off, \
         or an older copy was put in the ledger's place.",
        cosigned - size
    ))
}

fn refused(what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{what} {WHAT_TO_DO}"))
}
