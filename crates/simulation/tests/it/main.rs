//! The simulation, played: nothing is found in the ledger, everything planted is, and a seed replays.

use simulation::{Options, Stage, play};

mod plants;
mod replay;
mod seeds;

/// How many threads play: one for each processor.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// What a seed noted, to be read when it found something.
fn trace(seed: u64, options: Options) -> String {
    let stage = Stage::new().unwrap();
    let options = Options {
        trace: true,
        ..options
    };
    let (trace, what) = match play(&stage, seed, options) {
        Ok(played) => (played.trace, "it does not find it again".to_owned()),
        Err(finding) => (finding.trace, finding.what),
    };
    format!("{}\n{what}", trace.join("\n"))
}
