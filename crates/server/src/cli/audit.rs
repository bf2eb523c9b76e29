//! `homecoming audit`: reads every entry and content back and checks all of it.

use super::passphrase::Passphrase;
use super::{Data, Stop};
use crate::clock::Stopwatch;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    passphrase: Passphrase,
    /// For scripts
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let watch = Stopwatch::start();
    let bar = super::import::bar(0, "entries");
    let keys = args.passphrase.open(&args.data.data)?;
    let report = ledger::audit::audit(&args.data.data, &keys, &mut |reached, size| {
        bar.set_length(size);
        bar.set_position(reached);
    })
    .map_err(|error| Stop::CouldNotRun(error.to_string()))?;
    bar.finish_and_clear();
    let seconds = watch.seconds();
    if args.json {
        let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
        say!(
            "{}",
            serde_json::json!({
                "entries": report.entries,
                "bytes": report.bytes,
                "erased": report.erased,
                "seconds": seconds,
                "faults": faults,
            })
        );
    } else {
        say!(
            "Read back {} entries and {:.1} MB of content in {seconds:.1} s.",
            report.entries,
            report.bytes as f64 / 1e6,
        );
        if report.erased > 0 {
            say!(
                "{} contents were erased: their keys are destroyed.",
                report.erased
            );
        }
        for fault in &report.faults {
            say!("FAULT: {fault}");
        }
        if report.faults.is_empty() {
            say!(
                "Every entry, content, tile and chain is as the signed checkpoint says:\n\n{}",
                report.checkpoint
            );
        } else {
            say!(
                "\n{} faults. Keep this directory as it is, and compare it with a backup.",
                report.faults.len()
            );
        }
    }
    if report.faults.is_empty() {
        Ok(())
    } else {
        Err(Stop::Finding)
    }
}
