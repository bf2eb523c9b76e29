//! `homecoming client` and `homecoming token`: who may call the API.

use std::path::Path;

use clap::Subcommand;
use desk::Desk;

use super::{Data, Stop};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::fhir::scope::Scopes;

#[derive(clap::Args)]
pub struct ClientArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Add a client
    Add {
        /// A name without personal data, such as `scheduler`; it appears in the ledger
        name: String,
        #[command(flatten)]
        data: Data,
        /// SMART scopes, separated by spaces: `system/*.cruds`, `system/Observation.rs`
        #[arg(long)]
        scope: String,
    },
    /// List the clients
    List {
        #[command(flatten)]
        data: Data,
        /// For scripts
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args)]
pub struct TokenArgs {
    #[command(flatten)]
    data: Data,
    /// The client that the token is for
    #[arg(long, value_name = "NAME")]
    client: String,
    /// How many days it works
    #[arg(long, default_value_t = 365)]
    days: u16,
}

pub fn run(args: &ClientArgs) -> Result<(), Stop> {
    match &args.what {
        What::Add { name, data, scope } => {
            if !is_name(name) {
                return Err(Stop::WrongUse(format!(
                    "a client's name is 1 to 40 letters, digits, - and _; `{name}` is not"
                )));
            }
            Scopes::parse(scope).map_err(|why| Stop::WrongUse(why.to_string()))?;
            let desk = open(&data.data)?;
            desk.add_client(name, scope, Clock::System.now().0)
                .map_err(|error| cannot(&error))?;
            say!(
                "Client {name} may {scope}. Its token: homecoming token --data {} --client {name}",
                data.data.display()
            );
            Ok(())
        }
        What::List { data, json } => {
            for client in open(&data.data)?
                .clients()
                .map_err(|error| cannot(&error))?
            {
                if *json {
                    say!(
                        "{}",
                        serde_json::json!({ "name": client.name, "scope": client.scope })
                    );
                } else {
                    say!("{}\t{}", client.name, client.scope);
                }
            }
            Ok(())
        }
    }
}

pub fn token(args: &TokenArgs) -> Result<(), Stop> {
    let desk = open(&args.data.data)?;
    let now = Clock::System.now().0;
    let until = now + i64::from(args.days) * 86_400_000_000;
    let token = desk
        .new_token(&args.client, now, until, &mut |bytes| {
            Chance::System.fill(bytes)
        })
        .map_err(|error| cannot(&error))?;
    say!("{token}");
    Ok(())
}

/// Opens the desk of an existing programme; never makes one where there is none.
pub(super) fn open(data: &Path) -> Result<Desk, Stop> {
    if !data.join("ledger.sqlite").exists() {
        return Err(Stop::CouldNotRun(format!(
            "there is no programme in {}. Make one with `homecoming init --data {0} --name NAME`.",
            data.display()
        )));
    }
    Desk::open(data).map_err(|error| cannot(&error))
}

pub(super) fn cannot(error: &desk::Error) -> Stop {
    Stop::CouldNotRun(error.to_string())
}

fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
