//! Every bug that is planted is found, and how many seeds that takes.

use simulation::campaign::Campaign;
use simulation::{Options, Plant};

/// No plant may need more.
const SEEDS_MAX: u64 = 4_000;

#[test]
fn every_planted_bug_is_found() {
    let mut missed = Vec::new();
    for plant in Plant::ALL {
        let campaign = Campaign {
            from: 0,
            seeds: SEEDS_MAX,
            threads: super::threads(),
            options: Options {
                plant: Some(plant),
                ..Options::default()
            },
        };
        let outcome = campaign.run(&|_| true);
        match outcome.finding {
            Some(finding) => {
                println!("{plant:?}: seed {}: {}", finding.seed, finding.what);
            }
            None => missed.push(plant),
        }
    }
    assert_eq!(missed, []);
}
