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
