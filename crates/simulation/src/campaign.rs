//! Many seeds on several threads, until there are enough, something is found, or whoever asked has seen enough.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::play::{Counts, Finding, Options, play};
use crate::stage::Stage;

/// Which seeds to play, and how.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first seed.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// On how many threads.
    pub threads: usize,
    /// How each is played.
    pub options: Options,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How many seeds were played to their end.
    pub played: u64,
    /// What happened in them.
    pub counts: Counts,
    /// The finding with the smallest seed.
    pub finding: Option<Finding>,
}

impl Campaign {
    /// Plays the seeds in order until one finds something or `go_on` says no; it is told how many are done.
    ///
    /// # Panics
    /// If a place to play in cannot be made.
    pub fn run(&self, go_on: &(dyn Fn(u64) -> bool + Sync)) -> Outcome {
        let next = AtomicU64::new(self.from);
        let stop = AtomicBool::new(false);
        let outcome = Mutex::new(Outcome::default());
        std::thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| self.work(&next, &stop, &outcome, go_on));
            }
        });
        outcome.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(
        &self,
        next: &AtomicU64,
        stop: &AtomicBool,
        outcome: &Mutex<Outcome>,
        go_on: &(dyn Fn(u64) -> bool + Sync),
    ) {
        let stage = Stage::new().expect("a place to play in");
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed - self.from >= self.seeds {
                return;
            }
            let played = play_guarded(&stage, seed, self.options);
            let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
            match played {
                Ok(counts) => {
                    outcome.played += 1;
                    outcome.counts.add(&counts);
                }
                Err(finding) => {
                    let earlier = outcome.finding.as_ref().map(|finding| finding.seed);
                    if earlier.is_none_or(|earlier| finding.seed < earlier) {
                        outcome.finding = Some(finding);
                    }
                    stop.store(true, Ordering::Relaxed);
                }
            }
            if !go_on(outcome.played) {
                stop.store(true, Ordering::Relaxed);
            }
        }
    }
}

/// A panic is a finding too: production code must not panic because of a disk.
fn play_guarded(stage: &Stage, seed: u64, options: Options) -> Result<Counts, Finding> {
    let played = catch_unwind(AssertUnwindSafe(|| play(stage, seed, options)));
    match played {
        Ok(played) => played.map(|played| played.counts),
        Err(panic) => Err(Finding {
            seed,
            what: format!("a panic: {}", said(panic.as_ref())),
            trace: Vec::new(),
        }),
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}
