//! `homecoming export`: everything on the record about one person, in one file that proves it is everything.

use std::io::Write as _;
use std::path::PathBuf;

use ledger::access::Draft;
use ledger::disclosure::{Told, What};
use ledger::witnessed::{LogName, Witnessed};

use super::passphrase::Passphrase;
use super::{Data, Stop};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::handing_out::{self, Cosigned};
use crate::programme::Offline;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    passphrase: Passphrase,
    /// The person, by the id of their Patient resource
    #[arg(long, value_name = "ID")]
    person: String,
    /// The file to write; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// For scripts
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    crate::log::start();
    let data = &args.data.data;
    let keys = args.passphrase.open(data)?;
    let opened = Offline::open(data, keys, Clock::System, Chance::System, &mut |_, _| {});
    let mut programme = opened.map_err(|error| {
        Stop::CouldNotRun(format!(
            "{} While the programme is being served, download the export from the person's page: there, too, it is \
             on the record before it is given out.",
            error.for_operator()
        ))
    })?;
    // So that the export is complete as of now: where every chain ends is recorded first.
    programme.writing().finish()?;
    let latest = |log| {
        Witnessed::open(data)
            .and_then(|witnessed| witnessed.latest(log))
            .map_err(|error| Stop::CouldNotRun(error.to_string()))
    };
    let (record, access) = (latest(LogName::Record)?, latest(LogName::Access)?);
    let cosigned = Cosigned {
        record: record.as_ref().map(|one| one.note.as_str()),
        access: access.as_ref().map(|one| one.note.as_str()),
    };
    let (export, given) = handing_out::export(
        programme.ledger(),
        programme.access(),
        cosigned,
        &args.person,
        &|_| true,
    )?;
    let file = export.write();
    let size = programme
        .ledger()
        .size()
        .map_err(crate::error::Error::ledger)?;
    let told = Told {
        address: "homecoming export".to_owned(),
        versions: given.versions(),
        leaves: given.leaves(),
        ..Told::default()
    };
    let disclosure = Draft::new(
        "operator",
        "PATRQT",
        What::Export,
        size,
        given.persons(),
        told,
    );
    programme.disclose(disclosure)?;
    write(&args.out, &file).map_err(|error| {
        Stop::CouldNotRun(format!("{} cannot be written: {error}", args.out.display()))
    })?;
    let entries = export.record.items.len();
    if args.json {
        let line = serde_json::json!({
            "entries": entries, "bytes": file.len(), "person": export.person.to_string(),
        });
        say!("{line}");
    } else {
        say!(
            "{entries} entries, {:.1} kB: {}\n\nNext:\n  homecoming verify {}",
            file.len() as f64 / 1e3,
            args.out.display(),
            args.out.display()
        );
    }
    Ok(())
}

/// The file is somebody's record: nobody else on the machine reads it.
pub(super) fn write(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
