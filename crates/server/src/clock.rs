//! The one place that asks the machine for the time.
//!
//! Everything else takes the time as a parameter, so that a test or a seeded run decides what
//! time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use record::time::RecordedAt;

/// Tells the time: microseconds since the Unix epoch, UTC.
#[derive(Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands where it was last set; for generated programmes and tests.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `micros` until it is set.
    pub fn standing_at(micros: i64) -> Clock {
        Clock::Set(Arc::new(AtomicI64::new(micros)))
    }

    /// The time now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one source of the time"
    )]
    pub fn now(&self) -> RecordedAt {
        match self {
            Clock::System => {
                let since = std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap_or_default();
                RecordedAt(since.as_micros() as i64)
            }
            Clock::Set(micros) => RecordedAt(micros.load(Ordering::Relaxed)),
        }
    }

    /// Moves a standing clock; the machine's clock is left alone.
    pub fn set(&self, micros: i64) {
        if let Clock::Set(at) = self {
            at.store(micros, Ordering::Relaxed);
        }
    }
}

/// Measures how long something took, for progress bars, benchmarks and logs; never for the record.
#[derive(Copy, Clone)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one source of the time"
    )]
    pub fn start() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> std::time::Duration {
        self.0.elapsed()
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.elapsed().as_secs_f64()
    }
}
