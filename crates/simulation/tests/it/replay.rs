//! The same seed, played again, does the same: on another thread, in another place, with a trace or without.

use simulation::{Options, Plant, Stage, play};

const SEEDS: u64 = 60;

#[test]
fn a_seed_replays_exactly() {
    let run = |trace: bool| {
        let stage = Stage::new().unwrap();
        let options = Options { plant: None, trace };
        (0..SEEDS)
            .map(|seed| {
                let played = play(&stage, seed, options).unwrap();
                (played.digest, played.counts)
            })
            .collect::<Vec<_>>()
    };
    let other = std::thread::spawn(move || run(true));
    assert_eq!(run(false), other.join().unwrap());
}

#[test]
fn a_finding_replays_exactly() {
    let find = || {
        let stage = Stage::new().unwrap();
        let options = Options {
            plant: Some(Plant::ReplyBeforeCommit),
            trace: false,
        };
        let finding = (0..1_000).find_map(|seed| play(&stage, seed, options).err());
        let finding = finding.expect("a planted bug is found");
        (finding.seed, finding.what)
    };
    assert_eq!(find(), find());
}

/// Seeds that found something once find nothing any more.
#[test]
fn what_was_found_stays_mended() {
    let stage = Stage::new().unwrap();
    for (seed, what) in [
        (19_464, "an erasure without the names of its keys"),
        (266_087, "a resource with two names in an index made anew"),
        (
            314_489,
            "a commit that failed for want of room, and was whole in the log",
        ),
    ] {
        let played = play(&stage, seed, Options::default());
        assert!(
            played.is_ok(),
            "seed {seed}, {what}: {:?}",
            played.err().map(|found| found.what)
        );
    }
}
