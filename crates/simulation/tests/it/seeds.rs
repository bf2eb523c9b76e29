//! As many seeds as there is time for.

use simulation::campaign::Campaign;
use simulation::{Options, Stage, play};

#[test]
fn nothing_is_found() {
    let campaign = Campaign {
        from: 0,
        seeds: 2_000,
        threads: 2,
        options: Options::default(),
    };
    let outcome = campaign.run(&|_| true);
    println!("{} seeds: {:?}", outcome.played, outcome.counts);
    if let Some(finding) = outcome.finding {
        let stage = Stage::new().unwrap();
        let again = play(
            &stage,
            finding.seed,
            Options {
                trace: true,
                ..Options::default()
            },
        );
        if let Err(again) = again {
            for line in &again.trace {
                println!("{line}");
            }
            println!("{}", again.what);
        }
        panic!("seed {}: {}", finding.seed, finding.what);
    }
}
