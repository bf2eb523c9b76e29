//! `homecoming restore`: a backup becomes a data directory, or it is said why not.

use std::path::PathBuf;

use super::passphrase::Passphrase;
use super::{Data, Stop};
use crate::backup::restore::{self, Asked, Refused, Restored};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::cosigning::ask::ask;

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
    /// A witness, by its name in the policy, that is left out if it cannot be asked how far the record
    /// went; the record will tell
    #[arg(long, value_name = "NAME")]
    without_asking: Vec<String>,
    /// Give up what is known to have been there, or take over what is wrong: say what happened and who
    /// decided, and name it as the refusal does. It will be on the record for good
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
        without_asking: &args.without_asking,
        lose: args.lose_entries.as_deref(),
        passphrase: passphrase.as_deref(),
    };
    if let Some(meanwhile) = restore::put_back(&args.data.data)? {
        eprintln!(
            "A restore was interrupted before it was over. What lay in {} is there again; it was in {}.",
            args.data.data.display(),
            meanwhile.display()
        );
    }
    let restored = restore::restore(&asked, &Clock::System, &Chance::System, &mut ask);
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
    match args.json {
        true => say!("{}", json(&restored)),
        false => tell(args, &restored),
    }
    Ok(())
}

fn json(restored: &Restored) -> serde_json::Value {
    let losses = &restored.losses;
    let lost = losses.entries.iter().map(|lost| {
        serde_json::json!({
            "log": lost.log,
            "from": lost.from,
            "upto": lost.upto,
            "known_from": lost.source,
        })
    });
    let not_asked = restored
        .knowledge
        .not_asked
        .iter()
        .map(|not_asked| serde_json::json!({ "who": not_asked.who, "why": not_asked.why }));
    serde_json::json!({
        "entries": restored.size,
        "backup": restored.manifest,
        "known": restored.knowledge.farthest().map(|known| known.size),
        "not_asked": not_asked.collect::<Vec<_>>(),
        "lost": lost.collect::<Vec<_>>(),
        "persons_without_keys": losses.persons(),
        "contents_without_keys": losses.contents(),
        "fault_count": losses.beside.count,
        "faults": losses.beside.list.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "origin": restored.begun.as_ref().map(|begun| &begun.origin),
        "witnesses": restored.knowledge.witnesses.sentence(),
        "before": restored.before.as_ref().map(|before| &before.at),
    })
}

fn tell(args: &Args, restored: &Restored) {
    say!(
        "Restored the backup of {} with {} entries in {}, and recorded that it was restored.",
        restored.manifest.made_at,
        restored.manifest.size,
        args.data.data.display()
    );
    let knowledge = &restored.knowledge;
    match (&restored.begun, knowledge.farthest()) {
        (Some(begun), _) => say!(
            "Lost:\n- {}\nThe log {} has ended. The record goes on as {}, with a key of its own:\n  {}\nGive it to \
             the witnesses and to everybody who holds receipts.",
            restored.losses.sentences().join("\n- "),
            begun.old_origin,
            begun.origin,
            begun.verifier
        ),
        (None, _) if !restored.losses.is_empty() => say!(
            "Taken over:\n- {}\n{}",
            restored.losses.sentences().join("\n- "),
            restored.losses.nothing_else()
        ),
        (None, Some(known)) => say!(
            "Nothing that is known of is lost: {} has {} entries.",
            known.source,
            known.size
        ),
        (None, None) => say!(
            "Nobody was there to ask how far the record went. If somebody kept a checkpoint, hold \
             it against this record."
        ),
    }
    for not_asked in &knowledge.not_asked {
        say!(
            "{} was not asked how far the record went: {}.",
            not_asked.who,
            not_asked.why
        );
    }
    say!("{}", knowledge.witnesses.sentence());
    let Some(before) = &restored.before else {
        return;
    };
    say!("What lay there before is in {}.", before.at.display());
    match before.opens {
        false => say!(
            "Its keys open nothing without `programme.key` and `provider.key`, which are now in {} alone.",
            args.data.data.join("keys").display()
        ),
        true => say!(
            "Its keys are under a wrapping key of their own, or could not be overwritten: they are left, and nobody's \
             record can be erased while they are there. When nothing in there is needed any more: `homecoming keys \
             destroy-copies`."
        ),
    }
}
