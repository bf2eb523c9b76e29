//! As many seeds as there is time for.
//!
//! `HOMECOMING_SIMULATION_S` gives other seconds than three minutes; 0 is for as long as it takes.
#![expect(
    clippy::disallowed_methods,
    reason = "the time that a test may take is the machine's"
)]

use std::time::{Duration, Instant};

use simulation::Options;
use simulation::campaign::Campaign;

const SEEDS: u64 = 100_000;
const SECONDS: u64 = 180;

#[test]
fn nothing_is_found() {
    let given = std::env::var("HOMECOMING_SIMULATION_S");
    let seconds = given.map_or(SECONDS, |text| text.parse().expect("seconds"));
    let begun = Instant::now();
    let campaign = Campaign {
        from: 0,
        seeds: SEEDS,
        threads: super::threads(),
        options: Options::default(),
    };
    let outcome = campaign.run(&|_| seconds == 0 || begun.elapsed() < Duration::from_secs(seconds));
    // Written past the test's own output, so that every run says how many there were.
    use std::io::Write as _;
    let _ = writeln!(
        std::io::stderr(),
        "simulation: {} seeds in {:.0} s; {}",
        outcome.played,
        begun.elapsed().as_secs_f64(),
        outcome.counts
    );
    if let Some(finding) = outcome.finding {
        panic!(
            "{}\nseed {}: {}",
            super::trace(finding.seed, campaign.options),
            finding.seed,
            finding.what
        );
    }
    assert!(outcome.played > 100, "{} seeds", outcome.played);
    let counts = outcome.counts;
    let happened = [
        counts.troubles,
        counts.power_cuts,
        counts.unknown_in,
        counts.unknown_out,
        counts.receipts,
        counts.cosigned,
        counts.disclosures,
        counts.erasures,
    ];
    assert!(happened.iter().all(|count| *count > 0), "{counts:?}");
    // One seed of 128 plays it.
    assert!(
        counts.real_indexes > 0 || outcome.played < 2_000,
        "{counts:?}"
    );
}
