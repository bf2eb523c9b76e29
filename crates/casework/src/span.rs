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

/// "2026-03-01 08:00 UTC", rounded up to the minute, so that the time said is not too early.
pub(crate) fn instant(micros: i64) -> String {
    const MINUTE: i64 = 60_000_000;
    let minutes = micros.div_euclid(MINUTE) + i64::from(micros.rem_euclid(MINUTE) > 0);
    let days = (minutes * MINUTE).div_euclid(DAY);
    let minute = (minutes * MINUTE).rem_euclid(DAY) / MINUTE;
    // Days to a date: the civil calendar, counted in eras of 400 years from 1 March of year 0.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02} UTC",
        minute / 60,
        minute % 60
    )
}

/// A refusal as a sentence of its own: with a capital and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_instant_is_said_to_the_minute_and_never_too_early() {
        for (micros, said) in [
            (0, "1970-01-01 00:00 UTC"),
            (1, "1970-01-01 00:01 UTC"),
            (951_782_400_000_000, "2000-02-29 00:00 UTC"),
            (1_795_338_720_000_000, "2026-11-22 09:12 UTC"),
            (-1, "1970-01-01 00:00 UTC"),
        ] {
            assert_eq!(super::instant(micros), said, "{micros}");
        }
    }
}
