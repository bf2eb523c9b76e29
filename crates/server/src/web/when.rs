//! The two times, in words. Everything is shown in UTC, and the pages say so.
//!
//! [`RecordedAt`] is when the ledger took something in; [`Happened`] is when it was so in the
//! world. The two are never written alike: a recorded time always has its hour, a happened time
//! is only as exact as what was said.

/// When the ledger recorded something: microseconds since the Unix epoch, UTC.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordedAt(pub i64);

/// When something happened: microseconds since the Unix epoch, half-open. A day is 24 hours long,
/// a year as long as it was; what has not ended has `end == i64::MAX`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happened {
    /// First microsecond.
    pub start: i64,
    /// First microsecond after it.
    pub end: i64,
}

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in an hour.
pub const HOUR: i64 = 3600 * SECOND;
/// Microseconds in a day.
pub const DAY: i64 = 24 * HOUR;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// A point of time on the calendar, UTC.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Gregorian year.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59.
    pub second: i64,
    /// 0 to 999,999.
    pub micro: i64,
    days: i64,
}

/// Where on the calendar a time lies.
pub fn civil(micros: i64) -> Civil {
    let days = micros.div_euclid(DAY);
    let rest = micros.rem_euclid(DAY);
    // Years are counted from 1 March, so that the leap day comes last.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    Civil {
        year: era * 400 + year_of_era + i64::from(month <= 2),
        month,
        day: of_year - (153 * march_month + 2) / 5 + 1,
        hour: rest / HOUR,
        minute: rest % HOUR / (60 * SECOND),
        second: rest % (60 * SECOND) / SECOND,
        micro: rest % SECOND,
        days,
    }
}

/// Microseconds at the first moment of a day. `month` may lie outside 1 to 12: it carries over.
pub fn at_day(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    let shifted_year = year - i64::from(month <= 2);
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let march_month = (month + 9) % 12;
    let of_year = (153 * march_month + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    (era * 146_097 + of_era - 719_468) * DAY
}

/// "5 May 2026".
pub fn day(micros: i64) -> String {
    let it = civil(micros);
    format!("{} {} {}", it.day, month_name(it.month), it.year)
}

/// "5 May".
pub fn day_short(micros: i64) -> String {
    let it = civil(micros);
    format!("{} {}", it.day, month_name(it.month))
}

/// "May 2026".
pub fn month(micros: i64) -> String {
    let it = civil(micros);
    format!("{} {}", month_name(it.month), it.year)
}

/// "5 May 2026, 23:59".
pub fn minute(micros: i64) -> String {
    let it = civil(micros);
    format!("{}, {:02}:{:02}", day(micros), it.hour, it.minute)
}

/// "Tue 5 May 2026, 09:00".
pub fn weekday_minute(micros: i64) -> String {
    format!("{} {}", weekday(micros), minute(micros))
}

/// "Tue 5 May, 09:00": for lists of what comes next, where the year is plain.
pub fn weekday_short(micros: i64) -> String {
    let it = civil(micros);
    format!(
        "{} {}, {:02}:{:02}",
        weekday(micros),
        day_short(micros),
        it.hour,
        it.minute
    )
}

fn weekday(micros: i64) -> &'static str {
    WEEKDAYS[civil(micros).days.rem_euclid(7) as usize]
}

/// The name of month 1 to 12, in three letters.
pub fn month_name(month: i64) -> &'static str {
    MONTHS[(month - 1).rem_euclid(12) as usize]
}

/// "2026-05-05", as a date field wants it.
pub fn iso_day(micros: i64) -> String {
    let it = civil(micros);
    format!("{:04}-{:02}-{:02}", it.year, it.month, it.day)
}

/// "2026-05-05T23:59:59.123456Z".
pub fn exact(micros: i64) -> String {
    let it = civil(micros);
    format!(
        "{}T{:02}:{:02}:{:02}.{:06}Z",
        iso_day(micros),
        it.hour,
        it.minute,
        it.second,
        it.micro
    )
}

impl RecordedAt {
    /// "5 May 2026, 23:59".
    pub fn words(self) -> String {
        minute(self.0)
    }
}

impl Happened {
    /// A whole day.
    pub fn on(start: i64) -> Happened {
        let start = start.div_euclid(DAY) * DAY;
        Happened {
            start,
            end: start + DAY,
        }
    }

    /// A moment.
    pub fn at(start: i64) -> Happened {
        Happened {
            start,
            end: start + SECOND,
        }
    }

    /// From a moment on, not ended.
    pub fn since(start: i64) -> Happened {
        Happened {
            start,
            end: i64::MAX,
        }
    }

    /// Longer than a month: something that went on, and is drawn as a bar.
    pub fn is_period(self) -> bool {
        self.end.saturating_sub(self.start) > DAY && self.unit().is_none()
    }

    /// The words for a whole day, month or year, if it is exactly that.
    fn unit(self) -> Option<String> {
        let it = civil(self.start);
        if self.start != at_day(it.year, it.month, it.day) {
            return None;
        }
        if self.end == self.start + DAY {
            return Some(day(self.start));
        }
        if it.day == 1 && self.end == at_day(it.year, it.month + 1, 1) {
            return Some(month(self.start));
        }
        if it.day == 1 && it.month == 1 && self.end == at_day(it.year + 1, 1, 1) {
            return Some(it.year.to_string());
        }
        None
    }

    /// As exact as it was said: "2026", "May 2026", "5 May 2026", "5 May 2026, 14:30",
    /// "5 May to 9 Jun 2026", "since 5 May 2026".
    pub fn words(self) -> String {
        if let Some(unit) = self.unit() {
            return unit;
        }
        if self.end == i64::MAX {
            return format!("since {}", day(self.start));
        }
        if self.end.saturating_sub(self.start) <= 60 * SECOND {
            return minute(self.start);
        }
        let (from, to) = (civil(self.start), civil(self.end - 1));
        if from.days == to.days {
            let end = civil(self.end);
            return format!(
                "{} to {:02}:{:02}",
                minute(self.start),
                end.hour,
                end.minute
            );
        }
        if from.year == to.year {
            return format!("{} to {}", day_short(self.start), day(self.end - 1));
        }
        format!("{} to {}", day(self.start), day(self.end - 1))
    }
}

/// How long recording took: days from when it happened to when it was recorded, negative when
/// recorded ahead. Within what was said (any time on the day itself) it is 0.
pub fn delay_days(happened: Happened, recorded: RecordedAt) -> i64 {
    let recorded_day = recorded.0.div_euclid(DAY);
    let first = happened.start.div_euclid(DAY);
    // A period is recorded in time on the day when it begins; a month known only as a month is
    // recorded in time until it ends.
    let last = if happened.is_period() || happened.end == i64::MAX {
        first
    } else {
        (happened.end - 1).div_euclid(DAY)
    };
    if recorded_day < first {
        recorded_day - first
    } else {
        (recorded_day - last).max(0)
    }
}

/// "same day", "1 day later", "32 days later", "3 days ahead", "2 years later".
pub fn delay(days: i64) -> String {
    let count = days.unsigned_abs();
    let long = match count {
        0 => return "same day".into(),
        1 => "1 day".into(),
        2..=120 => format!("{count} days"),
        121..=729 => format!("{} months", (count as f64 / 30.44).round()),
        _ => format!("{} years", (count as f64 / 365.25).round()),
    };
    format!("{long} {}", if days > 0 { "later" } else { "ahead" })
}

/// Whole years from a birth to a day.
pub fn age(born: i64, on: i64) -> i64 {
    let (born, on) = (civil(born), civil(on));
    on.year - born.year - i64::from((on.month, on.day) < (born.month, born.day))
}

/// A time whose machine form stands in `datetime`.
pub fn time(micros: i64, words: &str) -> maud::Markup {
    maud::html! { time datetime=(exact(micros)) { (words) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_days_come_back() {
        for (micros, words) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_778_025_599_123_456, "2026-05-05T23:59:59.123456Z"),
        ] {
            assert_eq!(exact(micros), words);
            let it = civil(micros);
            assert_eq!(
                at_day(it.year, it.month, it.day),
                micros.div_euclid(DAY) * DAY
            );
        }
        assert_eq!(
            weekday_minute(1_778_025_599_000_000),
            "Tue 5 May 2026, 23:59"
        );
        civil(i64::MAX);
        civil(i64::MIN);
    }

    #[test]
    fn what_happened_is_told_as_exactly_as_it_is_known() {
        let may = at_day(2026, 5, 5);
        for (happened, words, period) in [
            (Happened::on(may), "5 May 2026", false),
            (
                Happened {
                    start: at_day(2026, 5, 1),
                    end: at_day(2026, 6, 1),
                },
                "May 2026",
                false,
            ),
            (
                Happened {
                    start: at_day(2026, 1, 1),
                    end: at_day(2027, 1, 1),
                },
                "2026",
                false,
            ),
            (Happened::at(may + 14 * HOUR), "5 May 2026, 14:00", false),
            (
                Happened {
                    start: may + HOUR,
                    end: may + 2 * HOUR,
                },
                "5 May 2026, 01:00 to 02:00",
                false,
            ),
            (
                Happened {
                    start: may,
                    end: at_day(2026, 6, 10),
                },
                "5 May to 9 Jun 2026",
                true,
            ),
            (
                Happened {
                    start: may,
                    end: at_day(2027, 6, 10),
                },
                "5 May 2026 to 9 Jun 2027",
                true,
            ),
            (Happened::since(may), "since 5 May 2026", true),
        ] {
            assert_eq!(happened.words(), words);
            assert_eq!(happened.is_period(), period, "{words}");
        }
    }

    #[test]
    fn a_delay_counts_from_the_end_of_what_was_said() {
        let may = at_day(2026, 5, 5);
        for (happened, recorded, days, words) in [
            (Happened::on(may), may + 23 * HOUR, 0, "same day"),
            (Happened::on(may), may + 25 * HOUR, 1, "1 day later"),
            (Happened::at(may), may - 3 * DAY, -3, "3 days ahead"),
            (Happened::on(may), may + 32 * DAY, 32, "32 days later"),
            (
                Happened {
                    start: at_day(2026, 5, 1),
                    end: at_day(2026, 6, 1),
                },
                may,
                0,
                "same day",
            ),
            (
                Happened::since(may),
                may + 400 * DAY,
                400,
                "13 months later",
            ),
            (Happened::on(may), may + 731 * DAY, 731, "2 years later"),
        ] {
            let found = delay_days(happened, RecordedAt(recorded));
            assert_eq!((found, delay(found).as_str()), (days, words));
        }
    }
}
