//! Days, working hours and how FHIR writes them. Everything in UTC, as the pages show it.

use super::chance::Chance;

/// Microseconds in a minute.
pub const MINUTE: i64 = 60_000_000;
/// Microseconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// The office is open from here (minutes of the day)...
const OPENS: i64 = 8 * 60;
/// ...to here.
const CLOSES: i64 = 17 * 60 + 30;

/// Days since the epoch of a moment.
pub fn day_of(at: i64) -> i64 {
    at.div_euclid(DAY)
}

/// The moment at so many minutes of a day.
pub fn moment(day: i64, minutes: i64) -> i64 {
    day * DAY + minutes * MINUTE
}

/// 0 Monday to 6 Sunday.
pub fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

/// This day, or the next Monday if it falls on a weekend.
pub fn working(day: i64) -> i64 {
    match weekday(day) {
        5 => day + 2,
        6 => day + 1,
        _ => day,
    }
}

/// When somebody in the office writes something down that they could write from `earliest` on.
pub fn at_desk(earliest: i64, chance: &mut Chance) -> i64 {
    let day = day_of(earliest);
    let minute = (earliest - day * DAY) / MINUTE;
    let jitter = chance.below(MINUTE as usize) as i64;
    if working(day) != day || minute >= CLOSES {
        let next = working(day + i64::from(working(day) == day));
        moment(next, OPENS + chance.between(5, 100)) + jitter
    } else if minute < OPENS {
        moment(day, OPENS + chance.between(5, 60)) + jitter
    } else {
        earliest + jitter
    }
}

/// Year, month, day.
pub fn civil(day: i64) -> (i64, i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

/// "2026-05-05".
pub fn date(day: i64) -> String {
    let (y, m, d) = civil(day);
    format!("{y:04}-{m:02}-{d:02}")
}

/// "2026-05-05T14:30:00Z".
pub fn instant(at: i64) -> String {
    let seconds = at.rem_euclid(DAY) / 1_000_000;
    format!(
        "{}T{:02}:{:02}:{:02}Z",
        date(day_of(at)),
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_and_named() {
        let table = [
            (0, "1970-01-01", 3),
            (19_782, "2024-02-29", 3),
            (20_579, "2026-05-06", 2),
            (-1, "1969-12-31", 2),
        ];
        for (day, text, name) in table {
            assert_eq!(date(day), text);
            assert_eq!(weekday(day), name, "{text}");
        }
        assert_eq!(
            instant(moment(20_579, 870) + 5_000_000),
            "2026-05-06T14:30:05Z"
        );
    }

    #[test]
    fn nobody_writes_outside_the_office_hours() {
        let mut chance = Chance::new(1, 1);
        for hour in 0..24 * 14 {
            let earliest = 20_579 * DAY + hour * HOUR;
            let at = at_desk(earliest, &mut chance);
            let minute = at.rem_euclid(DAY) / MINUTE;
            assert!(at >= earliest && at - earliest < 4 * DAY);
            assert!(weekday(day_of(at)) < 5 && (OPENS..=CLOSES).contains(&minute));
        }
    }
}
