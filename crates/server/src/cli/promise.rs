//! `homecoming promise`: a signed word for whoever hands something in, that it will be on the record.

use std::path::PathBuf;

use ledger::Ledger;

use super::passphrase::Passphrase;
use super::{Data, Stop};
use crate::clock::Clock;
use crate::error::Error;

/// Microseconds in an hour.
const HOUR: i64 = 3_600_000_000;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    passphrase: Passphrase,
    /// The person for whom it was handed in, by the id of their Patient resource
    #[arg(long, value_name = "ID")]
    person: String,
    /// What was handed in: a FHIR resource in JSON
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// By when it is on the record, in hours from now
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..))]
    hours: u16,
    /// The file to write; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let data = &args.data.data;
    let handed_in = std::fs::read(&args.file).map_err(|error| {
        Stop::CouldNotRun(format!("{} cannot be read: {error}", args.file.display()))
    })?;
    let content = evidence::promise::fingerprint(&handed_in).ok_or_else(|| {
        Stop::WrongUse(format!("{} is not a resource in JSON", args.file.display()))
    })?;
    let keys = args.passphrase.open(data)?;
    let ledger = Ledger::open(data, 1, keys).map_err(Error::open)?;
    let received = Clock::System.now();
    let due = record::time::RecordedAt(received.0 + i64::from(args.hours) * HOUR);
    let promise = ledger::promise(data, &ledger, &args.person, content, received, due)
        .map_err(Error::open)?;
    super::export::write(&args.out, promise.as_bytes()).map_err(|error| {
        Stop::CouldNotRun(format!("{} cannot be written: {error}", args.out.display()))
    })?;
    say!(
        "Promised: on the record by {due}, and counted in every map of heads after that.\nGive {} to whoever handed \
         it in. To check it, on any machine:\n  homecoming verify {} --with EXPORT_OR_RECEIPT",
        args.out.display(),
        args.out.display()
    );
    Ok(())
}
