//! `homecoming client` and `homecoming token`: which programs may call the API.
//!
//! A change is kept at the desk and owed to the record: a server that runs writes it there before the client is let
//! in, one that does not run at its next start.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use desk::{ClientState, Desk};

use super::{Data, Stop};
use crate::chance::Chance;
use crate::clients::{self, Proof, Registered, Registration};
use crate::clock::Clock;
use crate::fhir::scope::Scopes;

/// Whoever has the machine, as entries name them.
const OPERATOR: &str = "operator";

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
        /// SMART scopes, separated by spaces: `system/*.cruds`, `patient/Observation.rs`
        #[arg(long)]
        scope: String,
        #[command(flatten)]
        rest: Rest,
    },
    /// Change what is said of a client; what is not given stays
    Change {
        /// The client
        name: String,
        #[command(flatten)]
        data: Data,
        /// SMART scopes, separated by spaces
        #[arg(long)]
        scope: Option<String>,
        #[command(flatten)]
        rest: Rest,
    },
    /// Answer nothing that a client sends any more, and take back all that it was given
    Disable {
        /// The client
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// Answer a client again
    Enable {
        /// The client
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// Give a client that has a secret another one, and print it
    Secret {
        /// The client
        name: String,
        #[command(flatten)]
        data: Data,
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

/// What is registered beside name and scope.
#[derive(clap::Args)]
struct Rest {
    /// What people call it
    #[arg(long)]
    title: Option<String>,
    /// Who answers for it
    #[arg(long)]
    organisation: Option<String>,
    /// What it is there for
    #[arg(long, value_parser = purposes())]
    purpose: Option<String>,
    /// How it proves who it is: by a token of `homecoming token`, not at all (an app in a browser), by a secret, by
    /// signing with a key
    #[arg(long, value_parser = Proof::ALL.map(Proof::code))]
    proof: Option<String>,
    /// Where people are sent back to; may be given several times
    #[arg(long, value_name = "URL")]
    redirect: Vec<String>,
    /// Where it is opened from a person's page
    #[arg(long, value_name = "URL")]
    launch: Option<String>,
    /// Its public keys (a JWK Set)
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Where its public keys are
    #[arg(long, value_name = "URL")]
    keys_url: Option<String>,
    /// Which sensitive kinds of record it sees beside all others: therapy notes, substance use, what is
    /// labelled as restricted. None of them, unless it is said here; `nothing` takes them back. Substance use it
    /// sees of those who consented to it
    #[arg(long, value_name = "KIND,...", value_delimiter = ',',
        value_parser = ["notes", "sud", "restricted", "nothing"])]
    sees: Vec<String>,
    /// Whether it works for the programme itself, under a qualified service organisation agreement (42 CFR 2.11):
    /// then it sees substance use without the person's consent
    #[arg(long, value_name = "YES-OR-NO", num_args = 0..=1, default_missing_value = "yes",
        value_parser = ["yes", "no"])]
    part_of_programme: Option<String>,
}

/// The codes of what a client may be there for.
fn purposes() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(clients::purposes().iter().map(|one| one.code()))
}

impl Rest {
    /// Takes what is given.
    fn over(&self, registration: &mut Registration) -> Result<(), Stop> {
        if let Some(title) = &self.title {
            registration.title.clone_from(title);
        }
        if let Some(organisation) = &self.organisation {
            registration.organisation.clone_from(organisation);
        }
        if let Some(purpose) = &self.purpose {
            registration.purpose.clone_from(purpose);
        }
        if let Some(proof) = &self.proof {
            let found = Proof::ALL.into_iter().find(|one| one.code() == proof);
            registration.proof = found.unwrap_or_default();
        }
        if !self.redirect.is_empty() {
            registration.redirects.clone_from(&self.redirect);
        }
        if self.launch.is_some() {
            registration.launch.clone_from(&self.launch);
        }
        if let Some(file) = &self.keys {
            let cannot = |why: String| {
                Stop::CouldNotRun(format!("{} cannot be read: {why}", file.display()))
            };
            let text = std::fs::read(file).map_err(|error| cannot(error.to_string()))?;
            let keys = serde_json::from_slice(&text).map_err(|error| cannot(error.to_string()))?;
            (registration.keys, registration.keys_url) = (Some(keys), None);
        }
        if !self.sees.is_empty() {
            let sees = self.sees.iter().filter(|word| *word != "nothing");
            registration.sees = sees.cloned().collect();
        }
        if let Some(answer) = &self.part_of_programme {
            registration.of_programme = answer == "yes";
        }
        if self.keys_url.is_some() {
            registration.keys_url.clone_from(&self.keys_url);
            registration.keys = None;
        }
        Ok(())
    }
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
        What::Add {
            name,
            data,
            scope,
            rest,
        } => {
            let mut registration = Registration::default();
            rest.over(&mut registration)?;
            let scopes = Scopes::parse(scope).map_err(Stop::WrongUse)?;
            let document = checked(name, &scopes, &registration)?;
            let state = ClientState {
                scope: &scopes.to_string(),
                document: &document,
                disabled: false,
                reproves: false,
            };
            let desk = open(&data.data)?;
            let secret =
                (registration.proof == Proof::Secret).then(|| clients::new_secret(&Chance::System));
            let hash = secret.as_ref().map(|(_, hash)| hash);
            desk.register_client(name, &state, hash, OPERATOR, Clock::System.now().0)
                .map_err(|error| cannot(&error))?;
            say!("Client {name} may {scopes}. {}", sees(&registration));
            match (registration.proof, secret) {
                (Proof::Token, _) => say!(
                    "Its token: homecoming token --data {} --client {name}",
                    data.data.display()
                ),
                (_, Some((secret, _))) => {
                    say!("Its secret, which is shown only now:\n{secret}");
                }
                _ => {}
            }
            Ok(())
        }
        What::Change {
            name,
            data,
            scope,
            rest,
        } => change(name, data, |client| {
            if let Some(scope) = scope {
                client.scopes = Scopes::parse(scope).map_err(Stop::WrongUse)?;
            }
            rest.over(&mut client.registration)
        }),
        What::Disable { name, data } => change(name, data, |client| {
            client.disabled = true;
            Ok(())
        }),
        What::Enable { name, data } => change(name, data, |client| {
            client.disabled = false;
            Ok(())
        }),
        What::Secret { name, data } => {
            let desk = open(&data.data)?;
            let (client, _) = known(&desk, name)?;
            if client.registration.proof != Proof::Secret {
                return Err(Stop::WrongUse(format!(
                    "{name} proves who it is {}; it has no secret",
                    client.registration.proof.words()
                )));
            }
            let (secret, hash) = clients::new_secret(&Chance::System);
            desk.set_client_secret(name, Some(&hash), OPERATOR, Clock::System.now().0)
                .map_err(|error| cannot(&error))?;
            say!("{secret}");
            Ok(())
        }
        What::List { data, json } => list(&open(&data.data)?, *json),
    }
}

fn list(desk: &Desk, json: bool) -> Result<(), Stop> {
    for client in desk.clients().map_err(|error| cannot(&error))? {
        let read = Registered::read(&client)?;
        let registration = &read.registration;
        if json {
            say!(
                "{}",
                serde_json::json!({
                    "name": client.name,
                    "scope": client.scope,
                    "title": registration.title,
                    "organisation": registration.organisation,
                    "purpose": registration.purpose(),
                    "proof": registration.proof.code(),
                    "redirects": registration.redirects,
                    "launch": registration.launch,
                    "keys": registration.keys,
                    "keys_url": registration.keys_url,
                    "sees": registration.kinds().iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
                    "part_of_programme": registration.of_programme,
                    "disabled": client.disabled,
                    "on_record": client.is_recorded(),
                })
            );
        } else {
            let state = if client.disabled { "\tdisabled" } else { "" };
            say!("{}\t{}{state}", client.name, client.scope);
        }
    }
    Ok(())
}

/// Changes a client, if what comes of it fits together.
fn change(
    name: &str,
    data: &Data,
    what: impl FnOnce(&mut Registered) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let desk = open(&data.data)?;
    let (mut client, _) = known(&desk, name)?;
    let before = client.clone();
    what(&mut client)?;
    let document = checked(name, &client.scopes, &client.registration)?;
    let state = ClientState {
        scope: &client.scopes.to_string(),
        document: &document,
        disabled: client.disabled,
        reproves: before.reproves(&client.registration),
    };
    desk.change_client(name, &state, OPERATOR, Clock::System.now().0)
        .map_err(|error| cannot(&error))?;
    let may = if client.disabled {
        "is disabled; it was allowed"
    } else {
        "may"
    };
    say!(
        "Client {name} {may} {}. {}",
        client.scopes,
        sees(&client.registration)
    );
    Ok(())
}

/// What a client sees of the sensitive kinds of record, and what to say for more.
fn sees(registration: &Registration) -> String {
    let mut words = format!(
        "Beside the rest of the record it sees {}.",
        registration.sees_words()
    );
    if registration.sees.is_empty() {
        words += " Which of them it sees is said with --sees notes,sud,restricted.";
    }
    if registration.sees_substance_use() {
        words += match registration.of_programme {
            true => {
                " As a part of the programme it sees substance use without the person's consent."
            }
            false => {
                " Substance use it sees of those who consented to it; --part-of-programme is for one that works \
                 for the programme under a qualified service organisation agreement."
            }
        };
    }
    words
}

fn known(desk: &Desk, name: &str) -> Result<(Registered, desk::Client), Stop> {
    let found = desk.client(name).map_err(|error| cannot(&error))?;
    let client = found.ok_or_else(|| {
        Stop::WrongUse(format!(
            "there is no client named {name}; `homecoming client list` has them"
        ))
    })?;
    Ok((Registered::read(&client)?, client))
}

/// The registration as it is kept, if it fits together.
fn checked(name: &str, scopes: &Scopes, registration: &Registration) -> Result<String, Stop> {
    registration.check(name, scopes).map_err(Stop::WrongUse)?;
    serde_json::to_string(registration)
        .map_err(|error| Stop::CouldNotRun(format!("the registration cannot be written: {error}")))
}

pub fn token(args: &TokenArgs) -> Result<(), Stop> {
    let desk = open(&args.data.data)?;
    let now = Clock::System.now().0;
    let until = now + i64::from(args.days) * 86_400_000_000;
    if let Some(client) = desk.client(&args.client).map_err(|error| cannot(&error))? {
        let proof = Registered::read(&client)?.registration.proof;
        if proof != Proof::Token {
            return Err(Stop::WrongUse(format!(
                "{} proves who it is {}; it gets its tokens at /oauth/token",
                args.client,
                proof.words()
            )));
        }
    }
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
