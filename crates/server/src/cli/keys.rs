//! `homecoming keys`: how the keys of contents stand, changing them, escrow, and bringing them back.

use clap::Subcommand;
use serde_json::json;

use super::passphrase::Passphrase;
use super::{Data, Stop};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::error::Error;
use crate::programme::Offline;
use crate::programme::keys::{self, Standing};

mod escrow;
mod recover;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Say how the keys stand, and compare with the erasures on the record
    Status(StatusArgs),
    /// Begin a new epoch and change the wrapping key, or only one of the two
    Rotate(RotateArgs),
    /// Set, change or take away the passphrase; changes the wrapping key too
    Passphrase(PassphraseArgs),
    /// Put the wrapping key, or one person's keys, into shares
    Escrow(escrow::Args),
    /// Bring keys back from shares after they were lost, or destroyed against the law
    Recover(recover::Args),
    /// Destroy the copies of the wrapping key that restores left beside the data directory
    DestroyCopies(Data),
}

/// The programme, and what opens its keys.
#[derive(clap::Args)]
struct Opening {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl Opening {
    /// Opens the programme for this command alone: no server may be running.
    fn offline(&self) -> Result<Offline, Stop> {
        let keys = self.passphrase.open(&self.data.data)?;
        Ok(Offline::open(
            &self.data.data,
            keys,
            Clock::System,
            Chance::System,
            &mut |_, _| {},
        )?)
    }
}

#[derive(clap::Args)]
struct StatusArgs {
    #[command(flatten)]
    opening: Opening,
    /// For scripts
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct RotateArgs {
    #[command(flatten)]
    opening: Opening,
    /// Only begin a new epoch
    #[arg(long, conflicts_with = "wrapping")]
    epoch: bool,
    /// Only change the wrapping key
    #[arg(long)]
    wrapping: bool,
}

#[derive(clap::Args)]
struct PassphraseArgs {
    #[command(flatten)]
    opening: Opening,
    /// A file with the new passphrase
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "none",
        conflicts_with = "none"
    )]
    new_passphrase_file: Option<std::path::PathBuf>,
    /// Without a passphrase from now on
    #[arg(long)]
    none: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    match &args.act {
        Act::Status(args) => status(args),
        Act::Rotate(args) => {
            let both = args.epoch == args.wrapping;
            let mut offline = args.opening.offline()?;
            let said = keys::rotate(&mut offline, args.epoch || both, args.wrapping || both)?;
            say!("{said}\nMake a new backup of the keys: the older ones do not fit any more.");
            Ok(())
        }
        Act::Passphrase(args) => {
            let passphrase = Passphrase::in_file(args.new_passphrase_file.clone()).read()?;
            let mut offline = args.opening.offline()?;
            let said = keys::set_passphrase(&mut offline, passphrase.as_deref())?;
            say!("{said}\nMake a new backup of the keys: the older ones do not fit any more.");
            Ok(())
        }
        Act::Escrow(args) => escrow::run(args),
        Act::Recover(args) => recover::run(args),
        Act::DestroyCopies(data) => {
            let destroyed = crate::backup::copies::destroy(&data.data)?;
            for folder in &destroyed {
                say!(
                    "Overwrote `programme.key` and `provider.key` in {}.",
                    folder.join("keys").display()
                );
            }
            if destroyed.is_empty() {
                say!("There are no copies of the keys beside the data directory.");
            }
            Ok(())
        }
    }
}

fn status(args: &StatusArgs) -> Result<(), Stop> {
    let data = &args.opening.data.data;
    let keys = args.opening.passphrase.open(data)?;
    let ledger = ledger::Ledger::open(data, 1, keys.clone()).map_err(Error::open)?;
    let standing = Standing::of(&ledger)?;
    let wrapping: String = keys.wrapping().id()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if args.json {
        say!(
            "{}",
            json!({
                "programme": keys.programme(),
                "provider": keys.provider(),
                "wrapping": wrapping,
                "epoch": standing.epoch,
                "made": standing.made,
                "used": standing.used,
                "destroyed": standing.destroyed.len(),
                "unaccounted": standing.unaccounted,
                "restored": standing
                    .restored
                    .iter()
                    .map(|(slot, entry)| json!({ "slot": slot, "entry": entry }))
                    .collect::<Vec<_>>(),
                "returned": standing.returned,
                "access": keys.access().len(),
            })
        );
    } else {
        say!(
            "{}\nThe wrapping key {wrapping} is protected by {}.\n\
             Epoch {}; {} keys, {} of them in use, {} destroyed; {} for the access log.",
            keys.programme(),
            keys.provider(),
            standing.epoch,
            standing.made,
            standing.used,
            standing.destroyed.len(),
            keys.access().len(),
        );
        for (slot, entry) in &standing.restored {
            say!(
                "EXPLAINED: the key in slot {slot} was gone when the record was restored, as entry {entry} says; no \
                 erasure on the record says why"
            );
        }
        for slot in &standing.unaccounted {
            say!(
                "FINDING: the key in slot {slot} was destroyed, and no erasure on the record says so"
            );
        }
        for slot in &standing.returned {
            say!(
                "FINDING: the key in slot {slot} is there, though an erasure on the record says it is gone"
            );
        }
    }
    match standing.unaccounted.is_empty() && standing.returned.is_empty() {
        true => Ok(()),
        false => Err(Stop::Finding),
    }
}
