//! `homecoming witness`: an outside witness of other people's logs. It needs no programme, and sees none.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use tlog::note::VerifierKey;
use witness::{Folder, Memory, OpenError, Witness};

use super::Stop;
use super::serve::{listen, told_to_stop};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::witnessing::{self, Ended};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    run: Option<Run>,
}

#[derive(Subcommand)]
enum What {
    /// Make a witness: its keys; prints what logs need to know of it
    Init {
        #[command(flatten)]
        folder: At,
        /// Its name for ever, by custom an address without https://, such as `witness.example.org/w1`
        #[arg(long)]
        name: String,
    },
    /// Have it follow a log, given that log's public key
    AddLog {
        #[command(flatten)]
        folder: At,
        /// The log's public key, `name+id+base64`, from someone you trust
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Say its keys, its logs and what it last cosigned of each
    Show {
        #[command(flatten)]
        folder: At,
        /// For scripts
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args)]
struct At {
    /// The witness's own directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(clap::Args)]
struct Run {
    /// The witness's own directory; made if it is not there and a name is given
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8181")]
    listen: SocketAddr,
    /// The name of a witness that is to be made
    #[arg(long)]
    name: Option<String>,
    /// The public key of a log to follow, besides those followed already; may be given several times
    #[arg(long, value_name = "KEY")]
    log: Vec<String>,
    /// End when standard input ends: for whoever starts it as a part of something else
    #[arg(long)]
    until_input_ends: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    match (&args.what, &args.run) {
        (Some(What::Init { folder, name }), _) => init(folder, name),
        (Some(What::AddLog { folder, key }), _) => {
            let folder = Folder::at(&folder.data).map_err(|error| cannot(&error))?;
            let _held = folder.hold().map_err(|error| cannot(&error))?;
            let key = log_key(key)?;
            witness::follow(&folder, &key).map_err(|error| cannot(&error))?;
            say!("This witness now follows the log {}.", key.name());
            Ok(())
        }
        (Some(What::Show { folder, json }), _) => show(folder, *json),
        (None, Some(run)) => serve(run),
        (None, None) => Err(Stop::WrongUse(
            "say where the witness's directory is, with --data DIR".to_owned(),
        )),
    }
}

fn init(at: &At, name: &str) -> Result<(), Stop> {
    let folder = Folder::at(&at.data).map_err(|error| cannot(&error))?;
    let _held = folder.hold().map_err(|error| cannot(&error))?;
    let keys = witness::create(&folder, name, &mut |bytes| Chance::System.fill(bytes))
        .map_err(|error| cannot(&error))?;
    say!("Made the witness {name} in {}.", at.data.display());
    say!("\nIts public keys, one for small receipts and one that withstands quantum computers:");
    for key in &keys {
        say!("{key}");
    }
    say!(
        "\nA log that is to be cosigned needs one of them, and the address where this witness is reached, in \
         its `witness.policy`:\n  witness NAME KEY https://ADDRESS\n  quorum NAME\n\nNext:\n  homecoming witness \
         add-log --data {0} LOG-KEY\n  homecoming witness --data {0} --listen ADDRESS:PORT",
        at.data.display()
    );
    Ok(())
}

fn show(at: &At, json: bool) -> Result<(), Stop> {
    let folder = Folder::at(&at.data).map_err(|error| cannot(&error))?;
    let witness = Witness::open(Box::new(folder)).map_err(|error| cannot(&error))?;
    if json {
        let keys: Vec<String> = witness.keys().map(ToString::to_string).collect();
        let logs: Vec<_> = witness
            .logs()
            .map(|(origin, size)| serde_json::json!({ "origin": origin, "size": size }))
            .collect();
        say!("{}", serde_json::json!({ "keys": keys, "logs": logs }));
        return Ok(());
    }
    for key in witness.keys() {
        say!("{key}");
    }
    for (origin, size) in witness.logs() {
        say!("{origin}\tcosigned {size}");
    }
    Ok(())
}

fn serve(run: &Run) -> Result<(), Stop> {
    crate::log::start();
    let listener = listen(run.listen)?;
    let folder = Folder::at(&run.data).map_err(|error| cannot(&error))?;
    let _held = folder.hold().map_err(|error| cannot(&error))?;
    if let Some(name) = &run.name
        && folder
            .read("witness.key")
            .map_err(|error| cannot(&error))?
            .is_none()
    {
        witness::create(&folder, name, &mut |bytes| Chance::System.fill(bytes))
            .map_err(|error| cannot(&error))?;
    }
    for key in &run.log {
        match witness::follow(&folder, &log_key(key)?) {
            Ok(()) | Err(OpenError::Followed(_)) => {}
            Err(error) => return Err(cannot(&error)),
        }
    }
    let witness = Witness::open(Box::new(folder)).map_err(|error| cannot(&error))?;
    witness.settle().map_err(|error| cannot(&error))?;
    let could_not = |error: std::io::Error| Stop::CouldNotRun(format!("the witness: {error}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(could_not)?;
    let ended = runtime.block_on(async {
        let address = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let name = witness
            .keys()
            .next()
            .map(|key| key.name().to_owned())
            .unwrap_or_default();
        say!(
            "The witness {name} listens at http://{address}/ and follows {} logs.",
            witness.logs().count()
        );
        for key in witness.keys() {
            say!("{key}");
        }
        let input = run.until_input_ends;
        let told = async move {
            tokio::select! {
                () = told_to_stop() => {}
                () = input_ended(input) => {}
            }
        };
        Ok(witnessing::serve(listener, Arc::new(witness), Clock::System, told).await)
    });
    // What is under way need not be waited for: it was answered, or it was not.
    runtime.shutdown_background();
    match ended.map_err(could_not)? {
        Ended::Told => Ok(()),
        Ended::Failed => Err(Stop::CouldNotRun(
            "the witness could not store what it decided. Whether the disk has it is not known: look at the \
             disk, then start again."
                .to_owned(),
        )),
    }
}

/// Ready when standard input ends, which it does when whoever started us is gone, however it went.
async fn input_ended(is_asked: bool) {
    if !is_asked {
        return std::future::pending().await;
    }
    let (ended, waiting) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = waiting.await;
}

fn log_key(text: &str) -> Result<VerifierKey, Stop> {
    VerifierKey::parse(text.trim())
        .map_err(|error| Stop::WrongUse(format!("`{text}` is not the key of a log: {error}")))
}

fn cannot(error: &dyn std::fmt::Display) -> Stop {
    Stop::CouldNotRun(error.to_string())
}
