//! `homecoming restore`: a backup becomes a data directory, or it is said why not.

use std::path::PathBuf;

use ledger::backup::Standing;
use tlog::policy::Policy;

use super::passphrase::Passphrase;
use super::{Data, Stop};
use crate::backup::restore::{self, Asked, Known, Refused};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::cosigning::ask::ask;
use crate::error::{Error, ErrorKind};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    passphrase: Passphrase,
    /// The backup of the record
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The backup of the keys, or a data directory whose keys are still there
    #[arg(long, value_name = "DIR")]
    keys_from: Option<PathBuf>,
    /// A checkpoint of this log that somebody kept: nothing that it covers may be lost
    #[arg(long, value_name = "FILE")]
    cosigned: Vec<PathBuf>,
    /// Give up entries that are known to have been there: say what happened and who decided. It
    /// will be on the record for good
    #[arg(long, value_name = "WORDS")]
    lose_entries: Option<String>,
    /// For scripts
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let passphrase = args.passphrase.read()?;
    let asked = Asked {
        from: &args.from,
        keys_from: args.keys_from.as_deref(),
        data: &args.data.data,
        cosigned: &args.cosigned,
        lose: args.lose_entries.as_deref(),
        passphrase: passphrase.as_deref(),
    };
    let restored = restore::restore(&asked, &Clock::System, &Chance::System, &mut ask_witnesses);
    let restored = match restored {
        Ok(restored) => restored,
        Err(Refused::Error(error)) => return Err(error.into()),
        Err(Refused::Faults(faults)) => {
            for fault in &faults {
                say!("FAULT: {fault}");
            }
            say!(
                "\n{} faults. This backup is not restored; nothing was changed.",
                faults.len()
            );
            return Err(Stop::Finding);
        }
    };
    if args.json {
        say!(
            "{}",
            serde_json::json!({
                "entries": restored.size,
                "backup": restored.manifest,
                "known": restored.known.as_ref().map(|known| known.size),
                "origin": restored.begun.as_ref().map(|begun| &begun.origin),
                "before": restored.before,
            })
        );
        return Ok(());
    }
    say!(
        "Restored the backup of {} with {} entries in {}, and recorded that it was restored.",
        restored.manifest.made_at,
        restored.manifest.size,
        args.data.data.display()
    );
    match (&restored.known, &restored.begun) {
        (Some(known), Some(begun)) => say!(
            "Entries {} to {} are lost: {} had {}.\nThe log {} has ended. The record goes on as {}, \
             with a key of its own:\n  {}\nGive it to the witnesses and to everybody who holds receipts.",
            restored.manifest.size,
            known.size - 1,
            known.source,
            known.size,
            begun.old_origin,
            begun.origin,
            begun.verifier
        ),
        (Some(known), None) => say!(
            "Nothing that is known of is lost: {} has {} entries.",
            known.source,
            known.size
        ),
        (None, _) => say!(
            "Nobody was there to ask how far the record went. If somebody kept a checkpoint, hold \
             it against this record."
        ),
    }
    if let Some(before) = &restored.before {
        say!("What lay there before is in {}.", before.display());
    }
    Ok(())
}

/// Asks the policy's witnesses what they last cosigned of the log. One that cannot be asked is said and left
/// out: the others and what is noted here count all the same.
fn ask_witnesses(standing: &Standing, policy: &[u8]) -> Result<Vec<Known>, Error> {
    let policy = Policy::parse(policy).map_err(|error| {
        Error::new(
            ErrorKind::Unavailable,
            format!("The witness policy cannot be read: {error}. Correct it, or remove it."),
        )
    })?;
    let mut known = Vec::new();
    for shown in ask(&policy, &standing.origin, &standing.verifier) {
        match shown {
            Ok(shown) => known.push(Known {
                source: format!("the witness {}", shown.witness),
                size: shown.size,
                root: Some(shown.root),
                note: Some(shown.note),
            }),
            Err((witness, why)) => {
                eprintln!("The witness {witness} could not be asked: {why}.");
            }
        }
    }
    Ok(known)
}
