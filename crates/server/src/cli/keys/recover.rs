//! `homecoming keys recover`: brings keys back from a file of escrowed keys and enough shares.

use std::path::PathBuf;

use ledger::{Alias, Keys};
use seal::escrow::{Bundle, Escrowed};
use seal::shamir::Share;

use super::{Opening, Stop};
use crate::chance::Chance;
use crate::error::Error;
use crate::programme::{self, keys};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    opening: Opening,
    /// The file of escrowed keys
    #[arg(value_name = "ESCROWED.KEYS")]
    file: PathBuf,
    /// Enough of its shares, a file each
    #[arg(required = true, value_name = "SHARE")]
    shares: Vec<PathBuf>,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let bundle = Bundle::parse(&read(&args.file)?)
        .map_err(|error| Stop::WrongUse(format!("{}: {error}", args.file.display())))?;
    let mut shares = Vec::new();
    for file in &args.shares {
        let share = Share::parse(&read(file)?)
            .map_err(|error| Stop::WrongUse(format!("{}: {error}", file.display())))?;
        shares.push(share);
    }
    let escrowed = bundle
        .open(&shares)
        .map_err(|error| Stop::WrongUse(error.to_string()))?;
    let data = &args.opening.data.data;
    match escrowed {
        Escrowed::Person(alias, slots) => {
            let mut offline = args.opening.offline()?;
            if offline.keys().programme() != bundle.programme {
                return Err(other_programme(&bundle));
            }
            let said = keys::recover(&mut offline, Alias(alias), &slots)?;
            drop(offline);
            // What was gone is not in the index, or only as gone.
            programme::rebuild(data, args.opening.passphrase.open(data)?, &mut |_, _| {})?;
            say!("{said}");
        }
        Escrowed::Wrapping(key) => {
            let passphrase = args.opening.passphrase.read()?;
            let chance = Chance::System;
            {
                let _lock = ledger::lock::Lock::take(data)
                    .map_err(|error| Stop::CouldNotRun(error.to_string()))?;
                Keys::recover(
                    data,
                    &bundle.programme,
                    key,
                    passphrase.as_deref(),
                    &mut |bytes| chance.fill(bytes),
                )
                .map_err(|error| Error::open(error.into()))?;
            }
            let mut offline = args.opening.offline()?;
            let said = keys::taken_over(&mut offline)?;
            say!(
                "{said}\nThe folder of the keys has a new provider.key, {}. Change the wrapping key \
                 now (`homecoming keys rotate`): whoever held the shares has seen this one.",
                match passphrase {
                    Some(_) => "and the passphrase that you gave",
                    None => "and no passphrase",
                }
            );
        }
    }
    Ok(())
}

fn read(file: &PathBuf) -> Result<String, Stop> {
    std::fs::read_to_string(file)
        .map_err(|error| Stop::WrongUse(format!("{} cannot be read: {error}", file.display())))
}

fn other_programme(bundle: &Bundle) -> Stop {
    Stop::WrongUse(format!(
        "the escrowed keys are of {}, and this is another programme",
        bundle.programme
    ))
}
