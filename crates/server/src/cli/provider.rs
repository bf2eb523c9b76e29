//! `homecoming provider`: organisations through which people sign in (OpenID Connect).

use std::path::PathBuf;

use clap::Subcommand;
use desk::Provider;
use zeroize::Zeroizing;

use super::client::{cannot, open};
use super::passphrase::Passphrase;
use super::user::OPERATOR;
use super::{Data, Stop};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::sign_in::provider::{SEALED_KIND, is_reachable};
use crate::sign_in::sealed::Sealer;
use crate::users::Hand;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Let people sign in through an organisation; its redirect address is BASE/sign-in/organisation/back
    Add {
        /// What people know it by
        name: String,
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        passphrase: Passphrase,
        /// Its issuer, exactly as its tokens say it
        #[arg(long, value_name = "URL")]
        issuer: String,
        /// What it calls us
        #[arg(long, value_name = "ID")]
        client_id: String,
        /// A file with the client secret, if it gave one
        #[arg(long, value_name = "FILE")]
        client_secret_file: Option<PathBuf>,
    },
    /// Stop it; who has enrolled through it cannot sign in that way until it is added again
    Remove {
        /// Its name
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// List them
    List {
        #[command(flatten)]
        data: Data,
    },
}

pub fn run(args: &Args) -> Result<(), Stop> {
    match &args.what {
        What::Add {
            name,
            data,
            passphrase,
            issuer,
            client_id,
            client_secret_file,
        } => {
            if !is_reachable(issuer) {
                return Err(Stop::WrongUse(
                    "an issuer is an address that begins with https://".to_owned(),
                ));
            }
            let secret = match client_secret_file {
                None => None,
                Some(file) => {
                    let text = std::fs::read_to_string(file).map_err(|error| {
                        Stop::CouldNotRun(format!(
                            "the client secret cannot be read from {}: {error}",
                            file.display()
                        ))
                    })?;
                    let text = Zeroizing::new(text);
                    let keys = passphrase.open(&data.data)?;
                    let key = keys.desk(&mut |bytes| Chance::System.fill(bytes));
                    let key = key.map_err(|error| Stop::CouldNotRun(error.to_string()))?;
                    let sealer = Sealer::new(key, keys.programme());
                    let text = text.trim().as_bytes();
                    Some(sealer.seal(SEALED_KIND, issuer, text, &Chance::System))
                }
            };
            let provider = Provider {
                name: name.clone(),
                issuer: issuer.clone(),
                client_id: client_id.clone(),
                secret,
                created_us: Clock::System.now().0,
            };
            let owed = hand().owed_of_provider(name, issuer, true, OPERATOR);
            open(&data.data)?
                .add_provider(&provider, Some(&owed))
                .map_err(|error| cannot(&error))?;
            say!(
                "People with an account at {name} can enrol with it: give them a code as to anybody."
            );
        }
        What::Remove { name, data } => {
            let desk = open(&data.data)?;
            let all = desk.providers().map_err(|error| cannot(&error))?;
            let one = all.iter().find(|one| one.name == *name);
            let issuer = one.map_or("", |one| one.issuer.as_str());
            let owed = hand().owed_of_provider(name, issuer, false, OPERATOR);
            desk.remove_provider(name, Some(&owed))
                .map_err(|error| cannot(&error))?;
        }
        What::List { data } => {
            for provider in open(&data.data)?
                .providers()
                .map_err(|error| cannot(&error))?
            {
                say!("{}\t{}", provider.name, provider.issuer);
            }
        }
    }
    Ok(())
}

/// The operator, now.
fn hand() -> Hand<'static> {
    Hand {
        now_us: Clock::System.now().0,
        chance: &Chance::System,
    }
}
