//! Lengths of time and how they are said.

/// Microseconds in an hour.
pub const HOUR: i64 = 3_600_000_000;
/// Microseconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// When something happened: half-open, microseconds since the Unix epoch. A date is the
/// whole day; something still going on ends at `i64::MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First microsecond.
    pub start: i64,
    /// First microsecond after it.
    pub end: i64,
}

impl Span {
    /// Whether the two share any time.
    pub fn overlaps(&self, other: &Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether it is known to better than a day, and so can be held against another.
    pub fn is_precise(&self) -> bool {
        self.end.saturating_sub(self.start) < DAY
    }
}

/// "3 days", "1 day", "5 hours", "less than an hour": rounded down, for a sentence.
pub fn length(micros: i64) -> String {
    let (count, unit) = match micros {
        m if m >= DAY => (m / DAY, "day"),
        m if m >= HOUR => (m / HOUR, "hour"),
        _ => return "less than an hour".into(),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// "3 days ago", "today": how long before `now` a moment was.
pub fn ago(moment: i64, now: i64) -> String {
    let gone = now.saturating_sub(moment);
    if gone < DAY {
        "today".into()
    } else {
        format!("{} ago", length(gone))
    }
}
