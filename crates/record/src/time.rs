//! The two times. [`RecordedAt`] is the ledger's: one instant. [`Happened`] is the resource's: an interval, because
//! FHIR's dates say how precisely they are known. They share no type.
//!
//! All are microseconds since 1970-01-01T00:00:00Z, in the proleptic Gregorian calendar, years 1 to 9999. A date or
//! time without a zone is read as UTC. Nothing here asks what time it is.

use std::fmt;

#[cfg(test)]
mod tests;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// When the ledger recorded something: microseconds since the Unix epoch, UTC.
///
/// Displays as RFC 3339 with six decimals: `2026-03-01T08:15:30.250000Z`, always 27 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RecordedAt(pub i64);

impl RecordedAt {
    /// Reads an instant: date, time with seconds and zone. Decimals past the sixth are cut off.
    pub fn parse(text: &str) -> Option<RecordedAt> {
        let time = parse(text)?;
        (time.precision >= Precision::Second && time.has_zone)
            .then_some(RecordedAt(time.happened.start))
    }

    /// RFC 3339 with three decimals, rounded down.
    pub fn to_millis_text(self) -> String {
        let mut text = self.to_string();
        text.replace_range(23..26, "");
        text
    }

    /// As HTTP writes dates, rounded down to the second: `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub fn to_http_date(self) -> String {
        let (days, micros) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        let seconds = micros / SECOND;
        format!(
            "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
            WEEKDAYS[weekday(days)],
            MONTHS[usize::from(month) - 1],
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    }

    /// Reads a date as HTTP writes it (the preferred form of RFC 9110, which RFC 7089 asks for); the weekday must be
    /// right.
    pub fn parse_http_date(text: &str) -> Option<RecordedAt> {
        let b: &[u8; 29] = text.as_bytes().try_into().ok()?;
        let shape_is_right = &b[3..5] == b", "
            && b[7] == b' '
            && b[11] == b' '
            && b[16] == b' '
            && &b[25..] == b" GMT";
        if !shape_is_right || b[19] != b':' || b[22] != b':' {
            return None;
        }
        let month = 1 + MONTHS.iter().position(|m| m.as_bytes() == &b[8..11])?;
        let days = days_of_date(
            digits(&b[12..16])?,
            u32::try_from(month).ok()?,
            digits(&b[5..7])?,
        )?;
        if WEEKDAYS[weekday(days)].as_bytes() != &b[..3] {
            return None;
        }
        let (hour, minute, second) = (
            digits(&b[17..19])?,
            digits(&b[20..22])?,
            digits(&b[23..25])?,
        );
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        Some(RecordedAt(days * DAY + seconds * SECOND))
    }
}

impl fmt::Display for RecordedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, micros) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        let seconds = micros / SECOND;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            micros % SECOND
        )
    }
}

/// When something happened: microseconds since the Unix epoch, from `start` up to and without `end`.
/// A point in time is as long as its precision. An open side is [`Happened::MIN`] or [`Happened::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Happened {
    /// The first microsecond.
    pub start: i64,
    /// The first microsecond after it.
    pub end: i64,
}

impl Happened {
    /// The start of what has no known beginning.
    pub const MIN: i64 = i64::MIN;
    /// The end of what has no known end.
    pub const MAX: i64 = i64::MAX;

    /// Is the end known?
    pub fn has_end(self) -> bool {
        self.end != Self::MAX
    }
}

/// How precisely a date or time was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// `2026`
    Year,
    /// `2026-03`
    Month,
    /// `2026-03-01`
    Day,
    /// `2026-03-01T08:15`: allowed in searches only
    Minute,
    /// `2026-03-01T08:15:30`
    Second,
    /// `2026-03-01T08:15:30.25`
    Fraction,
}

/// A date, dateTime or instant that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed {
    /// The interval that it means.
    pub happened: Happened,
    /// How precisely it was written.
    pub precision: Precision,
    /// Was a zone given? Without one it was read as UTC.
    pub has_zone: bool,
}

/// Reads a FHIR date, dateTime or instant, or what a search accepts in their place (seconds or zone left out). The
/// interval is as long as the precision: a year, a day, a second, the last decimal, at least a microsecond.
pub fn parse(text: &str) -> Option<Parsed> {
    let b = text.as_bytes();
    let year = digits(b.get(..4)?)?;
    if year == 0 {
        return None;
    }
    let day_start = |y, m, d| Some(days_of_date(y, m, d)? * DAY);
    let whole = |start: i64, end: i64, precision| Parsed {
        happened: Happened { start, end },
        precision,
        has_zone: false,
    };
    if b.len() == 4 {
        let end = days_from_civil(i64::from(year) + 1, 1, 1) * DAY;
        return Some(whole(day_start(year, 1, 1)?, end, Precision::Year));
    }
    let month = digits(b.get(5..7)?)?;
    if b[4] != b'-' {
        return None;
    }
    if b.len() == 7 {
        let (next_year, next_month) = if month == 12 {
            (year + 1, 1)
        } else {
            (year, month + 1)
        };
        let end = days_from_civil(i64::from(next_year), next_month, 1) * DAY;
        return Some(whole(day_start(year, month, 1)?, end, Precision::Month));
    }
    let midnight = day_start(year, month, digits(b.get(8..10)?)?)?;
    if b[7] != b'-' {
        return None;
    }
    if b.len() == 10 {
        return Some(whole(midnight, midnight + DAY, Precision::Day));
    }
    if b[10] != b'T' {
        return None;
    }
    let (clock, zone) = split_zone(&b[11..])?;
    let (offset, length, precision) = parse_clock(clock)?;
    let start = midnight + offset - zone.unwrap_or(0);
    Some(Parsed {
        happened: Happened {
            start,
            end: start + length,
        },
        precision,
        has_zone: zone.is_some(),
    })
}

/// As [`parse`], the interval alone.
pub fn parse_interval(text: &str) -> Option<Happened> {
    Some(parse(text)?.happened)
}

/// Reads a FHIR time (`08:15:30`, `08:15:30.25`): microseconds since midnight, as long as its precision.
pub fn parse_time(text: &str) -> Option<Happened> {
    let (start, length, precision) = parse_clock(text.as_bytes())?;
    (precision >= Precision::Second).then_some(Happened {
        start,
        end: start + length,
    })
}

/// Is it a FHIR `date`: year, month or day?
pub fn is_date(text: &str) -> bool {
    parse(text).is_some_and(|p| p.precision <= Precision::Day)
}

/// Is it a FHIR `dateTime`: a date, or date and time with seconds and zone?
pub fn is_date_time(text: &str) -> bool {
    parse(text).is_some_and(|p| {
        p.precision <= Precision::Day || (p.precision >= Precision::Second && p.has_zone)
    })
}

/// Is it a FHIR `instant`: date and time with seconds and zone?
pub fn is_instant(text: &str) -> bool {
    parse(text).is_some_and(|p| p.precision >= Precision::Second && p.has_zone)
}

/// Is it a FHIR `time`: hours, minutes, seconds?
pub fn is_time(text: &str) -> bool {
    parse_time(text).is_some()
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.f...`: offset from midnight and length, in microseconds.
fn parse_clock(b: &[u8]) -> Option<(i64, i64, Precision)> {
    let hour = digits(b.get(..2)?)?;
    let minute = digits(b.get(3..5)?)?;
    if b[2] != b':' || hour > 23 || minute > 59 {
        return None;
    }
    let minutes = (i64::from(hour) * 60 + i64::from(minute)) * 60 * SECOND;
    if b.len() == 5 {
        return Some((minutes, 60 * SECOND, Precision::Minute));
    }
    let second = digits(b.get(6..8)?)?;
    // 60 is a leap second: it is read as the first of the next minute.
    if b[5] != b':' || second > 60 {
        return None;
    }
    let seconds = minutes + i64::from(second) * SECOND;
    if b.len() == 8 {
        return Some((seconds, SECOND, Precision::Second));
    }
    if b[8] != b'.' || b.len() == 9 || !b[9..].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut unit = SECOND;
    let mut fraction = 0;
    for d in b[9..].iter().take(6) {
        unit /= 10;
        fraction += i64::from(d - b'0') * unit;
    }
    Some((seconds + fraction, unit, Precision::Fraction))
}

/// Splits a zone off the end of a time: its offset east of UTC in microseconds, `None` if there is none.
fn split_zone(b: &[u8]) -> Option<(&[u8], Option<i64>)> {
    if let [clock @ .., b'Z'] = b {
        return Some((clock, Some(0)));
    }
    let Some(at) = b.iter().rposition(|c| matches!(c, b'+' | b'-')) else {
        return Some((b, None));
    };
    let (clock, zone) = b.split_at(at);
    if zone.len() != 6 || zone[3] != b':' {
        return None;
    }
    let (hours, minutes) = (digits(&zone[1..3])?, digits(&zone[4..6])?);
    if hours > 14 || minutes > 59 || (hours == 14 && minutes != 0) {
        return None;
    }
    let east = (i64::from(hours) * 60 + i64::from(minutes)) * 60 * SECOND;
    Some((clock, Some(if zone[0] == b'-' { -east } else { east })))
}

fn digits(b: &[u8]) -> Option<u32> {
    b.iter().try_fold(0_u32, |n, d| {
        d.is_ascii_digit().then(|| n * 10 + u32::from(d - b'0'))
    })
}

/// Days since the epoch of a date that exists.
fn days_of_date(year: u32, month: u32, day: u32) -> Option<i64> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=length)
        .contains(&day)
        .then(|| days_from_civil(i64::from(year), month, day))
}

/// Days since the epoch. Years are counted from March, so that the leap day is the last day of a year, and in eras of
/// 400 years (146,097 days).
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month as u8, day as u8)
}

/// The year, month and day (UTC) in which an instant lies.
pub fn date_of(micros: i64) -> (i64, u8, u8) {
    civil_from_days(micros.div_euclid(DAY))
}

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// 0 is Monday; the epoch was a Thursday.
fn weekday(days: i64) -> usize {
    (days + 3).rem_euclid(7) as usize
}
