//! `homecoming rebuild`: makes the index anew from the ledger.

use super::passphrase::Passphrase;
use super::{Data, Stop};
use crate::clock::Stopwatch;
use crate::programme;

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
    let entries = programme::rebuild(&args.data.data, keys, &mut |reached, size| {
        bar.set_length(size);
        bar.set_position(reached);
    })?;
    bar.finish_and_clear();
    let seconds = watch.seconds();
    if args.json {
        say!(
            "{}",
            serde_json::json!({ "entries": entries, "seconds": seconds })
        );
    } else {
        say!(
            "Indexed {entries} entries in {seconds:.1} s ({:.0} per second).",
            entries as f64 / seconds.max(1e-9)
        );
    }
    Ok(())
}
