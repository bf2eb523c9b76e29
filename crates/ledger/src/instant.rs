//! Instants as the line writes them: `2024-05-06T07:08:09.123456Z`, always 27 bytes, UTC.
//!
//! One instant has one text, so a line that was parsed and written again is the
//! same line. Days are counted in the proleptic Gregorian calendar; there are no
//! leap seconds, as in Unix time.

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const DAYS_PER_ERA: i64 = 146_097;

/// The first and last instants that have a text: the years 0000 to 9999.
const MIN: i64 = -62_167_219_200 * MICROS_PER_SECOND;
const MAX: i64 = 253_402_300_800 * MICROS_PER_SECOND - 1;

/// Appends the text of an instant, in microseconds since the Unix epoch.
///
/// Instants outside the years 0000 to 9999 are written as the nearest one inside.
pub(crate) fn write(micros: i64, out: &mut Vec<u8>) {
    let micros = micros.clamp(MIN, MAX);
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let (year, month, day) = date_of(seconds.div_euclid(SECONDS_PER_DAY));
    let second = seconds.rem_euclid(SECONDS_PER_DAY);
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    digits(&mut text[0..4], year);
    digits(&mut text[5..7], month);
    digits(&mut text[8..10], day);
    digits(&mut text[11..13], second / 3600);
    digits(&mut text[14..16], second / 60 % 60);
    digits(&mut text[17..19], second % 60);
    digits(&mut text[20..26], micros.rem_euclid(MICROS_PER_SECOND));
    out.extend_from_slice(&text);
}

/// Reads exactly what [`write`] writes.
pub(crate) fn parse(text: &[u8]) -> Option<i64> {
    let form = b"0000-00-00T00:00:00.000000Z";
    let fits = text.len() == form.len()
        && text.iter().zip(form).all(|(b, f)| match f {
            b'0' => b.is_ascii_digit(),
            _ => b == f,
        });
    if !fits {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to].iter().fold(0, |n, b| n * 10 + i64::from(b - b'0'))
    };
    let days = days_until(number(0, 4), number(5, 7), number(8, 10));
    let seconds = number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19);
    let micros = (days * SECONDS_PER_DAY + seconds) * MICROS_PER_SECOND + number(20, 26);
    // A day that does not exist, an hour past 23: the instant has another text.
    let mut again = Vec::with_capacity(form.len());
    write(micros, &mut again);
    (again == text).then_some(micros)
}

fn digits(out: &mut [u8], mut number: i64) {
    for b in out.iter_mut().rev() {
        *b = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Year, month and day of a day counted from 1970-01-01. Years begin in March here, so that leap days end them.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(DAYS_PER_ERA);
    let day_of_era = days.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524
        - day_of_era / (DAYS_PER_ERA - 1))
        / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The inverse of [`date_of`]; for a day that does not exist, that of a neighbouring one.
fn days_until(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_one_text() {
        let check = |micros: i64, expect: &str| {
            let mut text = Vec::new();
            write(micros, &mut text);
            assert_eq!(std::str::from_utf8(&text), Ok(expect));
            assert_eq!(parse(&text), Some(micros.clamp(MIN, MAX)));
        };
        check(0, "1970-01-01T00:00:00.000000Z");
        check(-1, "1969-12-31T23:59:59.999999Z");
        check(951_782_400_000_000, "2000-02-29T00:00:00.000000Z");
        check(951_868_799_999_999, "2000-02-29T23:59:59.999999Z");
        check(1_714_979_289_123_456, "2024-05-06T07:08:09.123456Z");
        check(4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z");
        check(MIN, "0000-01-01T00:00:00.000000Z");
        check(MAX, "9999-12-31T23:59:59.999999Z");
        check(i64::MAX, "9999-12-31T23:59:59.999999Z");
        check(i64::MIN, "0000-01-01T00:00:00.000000Z");
    }

    #[test]
    fn every_day_of_four_centuries_is_read_back() {
        for day in -150_000..150_000 {
            let mut text = Vec::new();
            write(day * SECONDS_PER_DAY * MICROS_PER_SECOND, &mut text);
            assert_eq!(parse(&text), Some(day * SECONDS_PER_DAY * MICROS_PER_SECOND));
        }
    }

    #[test]
    fn another_text_is_refused() {
        for text in [
            "",
            "2024-05-06T07:08:09.123456",
            "2024-05-06T07:08:09.123Z",
            "2024-05-06T07:08:09.123456z",
            "2024-05-06 07:08:09.123456Z",
            "2024-05-06T24:08:09.123456Z",
            "2024-05-06T07:60:09.123456Z",
            "2024-05-06T07:08:60.123456Z",
            "2024-13-06T07:08:09.123456Z",
            "2024-00-06T07:08:09.123456Z",
            "2023-02-29T07:08:09.123456Z",
            "2023-02-00T07:08:09.123456Z",
            "+024-05-06T07:08:09.123456Z",
            "2024-05-06T07:08:09.123456Z ",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
