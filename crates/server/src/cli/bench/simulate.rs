//! `homecoming bench simulate`: the ledger played on a disk, a network and a clock that fail, by seeds.
//!
//! Every seed is a world of its own that its number decides; see the crate `simulation`. The first
//! seed that finds something ends the run with exit code 1 and the words that play it again.

use std::sync::Mutex;

use serde_json::json;
use simulation::campaign::Campaign;
use simulation::{Options, Plant, Stage, play};

use super::Stop;
use crate::clock::Stopwatch;

/// How often the count is said, in seconds.
const SAY_EVERY_S: f64 = 10.0;

/// What `homecoming bench simulate` takes.
#[derive(clap::Args)]
pub struct Args {
    /// How many seeds to play
    #[arg(long, default_value_t = 1_000_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    from: u64,
    /// Play this seed alone
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// With --seed: print every step, and every operation of the disk
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Plant a bug, to see it found; its name as the crate `simulation` has it
    #[arg(long, value_name = "BUG")]
    plant: Option<String>,
    /// On how many threads [default: one for each processor]
    #[arg(long)]
    threads: Option<usize>,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// Plays, says what happened, and stops with a finding if there is one.
pub fn run(args: &Args) -> Result<(), Stop> {
    let plant = args.plant.as_deref().map(planted).transpose()?;
    match args.seed {
        Some(seed) => one(args, seed, plant),
        None => many(args, plant),
    }
}

fn planted(name: &str) -> Result<Plant, Stop> {
    let known = Plant::ALL.map(|plant| format!("{plant:?}"));
    match known.iter().position(|known| known == name) {
        Some(place) => Ok(Plant::ALL[place]),
        None => Err(Stop::WrongUse(format!(
            "no bug is called {name}; there are {}",
            known.join(", ")
        ))),
    }
}

fn one(args: &Args, seed: u64, plant: Option<Plant>) -> Result<(), Stop> {
    let stage = Stage::new().map_err(Stop::CouldNotRun)?;
    let options = Options {
        plant,
        trace: args.trace,
    };
    let (trace, words, found) = match play(&stage, seed, options) {
        Ok(played) => (played.trace, played.counts.to_string(), None),
        Err(finding) => (finding.trace, finding.what.clone(), Some(finding.what)),
    };
    if args.json {
        say!(
            "{}",
            json!({ "seed": seed, "found": found, "trace": trace })
        );
    } else {
        for line in &trace {
            say!("{line}");
        }
        say!("seed {seed}: {words}");
    }
    match found {
        None => Ok(()),
        Some(_) => Err(Stop::Finding),
    }
}

fn many(args: &Args, plant: Option<Plant>) -> Result<(), Stop> {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let campaign = Campaign {
        from: args.from,
        seeds: args.seeds,
        threads: args.threads.unwrap_or_else(processors),
        options: Options {
            plant,
            trace: false,
        },
    };
    let watch = Stopwatch::start();
    let said = Mutex::new(0.0);
    let outcome = campaign.run(&|played| {
        let now = watch.seconds();
        let due = said.lock().is_ok_and(|mut said| {
            let due = now - *said >= SAY_EVERY_S;
            if due {
                *said = now;
            }
            due
        });
        if due && !args.json {
            say!("{played} seeds after {now:.0} s");
        }
        true
    });
    let seconds = watch.seconds();
    let (played, finding) = (outcome.played, outcome.finding);
    if args.json {
        say!(
            "{}",
            json!({
                "seeds": played,
                "from": args.from,
                "seconds": super::round(seconds, 1),
                "seeds_per_s": super::round(played as f64 / seconds, 0),
                "operations": outcome.counts.operations,
                "power_cuts": outcome.counts.power_cuts,
                "found": finding.as_ref().map(|finding| json!({
                    "seed": finding.seed,
                    "what": finding.what,
                })),
            })
        );
    } else {
        say!(
            "{played} seeds in {seconds:.1} s, {:.0} a second",
            played as f64 / seconds
        );
        say!("{}", outcome.counts);
    }
    let Some(finding) = finding else {
        return Ok(());
    };
    if !args.json {
        say!("seed {} finds: {}", finding.seed, finding.what);
        let plant = args.plant.as_ref();
        let plant = plant.map_or(String::new(), |name| format!(" --plant {name}"));
        say!(
            "see it again: homecoming bench simulate --seed {} --trace{plant}",
            finding.seed
        );
    }
    Err(Stop::Finding)
}
