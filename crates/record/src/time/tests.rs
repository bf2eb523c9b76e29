//! Tables of what dates mean.

use super::*;

fn at(text: &str) -> i64 {
    RecordedAt::parse(text)
        .unwrap_or_else(|| panic!("{text}"))
        .0
}

#[test]
fn a_date_means_the_interval_of_its_precision() {
    let rows = [
        ("2026", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("9999", "9999-01-01T00:00:00Z", "9999-12-31T23:59:60Z"),
        ("2026-02", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("2025-12", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
        ("1950-06-25", "1950-06-25T00:00:00Z", "1950-06-26T00:00:00Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z"),
        (
            "2026-03-01T08:15",
            "2026-03-01T08:15:00Z",
            "2026-03-01T08:16:00Z",
        ),
        (
            "2026-03-01T08:15Z",
            "2026-03-01T08:15:00Z",
            "2026-03-01T08:16:00Z",
        ),
        (
            "2026-03-01T08:15:30",
            "2026-03-01T08:15:30Z",
            "2026-03-01T08:15:31Z",
        ),
        (
            "2026-03-01T00:15:30+01:00",
            "2026-02-28T23:15:30Z",
            "2026-02-28T23:15:31Z",
        ),
        (
            "2026-02-28T23:15:30-05:30",
            "2026-03-01T04:45:30Z",
            "2026-03-01T04:45:31Z",
        ),
        (
            "2026-03-01T08:15:30.2Z",
            "2026-03-01T08:15:30.2Z",
            "2026-03-01T08:15:30.3Z",
        ),
        (
            "2026-03-01T08:15:30.250Z",
            "2026-03-01T08:15:30.25Z",
            "2026-03-01T08:15:30.251Z",
        ),
        (
            "2026-03-01T08:15:30.123456789Z",
            "2026-03-01T08:15:30.123456Z",
            "2026-03-01T08:15:30.123457Z",
        ),
        (
            "2016-12-31T23:59:60Z",
            "2017-01-01T00:00:00Z",
            "2017-01-01T00:00:01Z",
        ),
    ];
    for (text, start, end) in rows {
        let parsed = parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(
            (parsed.happened.start, parsed.happened.end),
            (at(start), at(end)),
            "{text}"
        );
    }
}

#[test]
fn each_type_takes_its_own_form() {
    // text, date, dateTime, instant, time
    let rows = [
        ("2026", true, true, false, false),
        ("2026-03", true, true, false, false),
        ("2026-03-01", true, true, false, false),
        ("2026-03-01T08:15Z", false, false, false, false),
        ("2026-03-01T08:15:30", false, false, false, false),
        ("2026-03-01T08:15:30Z", false, true, true, false),
        ("2026-03-01T08:15:30.5+14:00", false, true, true, false),
        ("08:15:30", false, false, false, true),
        ("08:15:30.123", false, false, false, true),
        ("08:15", false, false, false, false),
        ("24:00:00", false, false, false, false),
        ("08:15:30Z", false, false, false, false),
        ("0000", false, false, false, false),
        ("26-03-01", false, false, false, false),
        ("2026-13", false, false, false, false),
        ("2026-00", false, false, false, false),
        ("2026-02-29", false, false, false, false),
        ("2026-02-00", false, false, false, false),
        ("2026/02/01", false, false, false, false),
        ("2026-2-1", false, false, false, false),
        ("2026-02-01 08:15:30Z", false, false, false, false),
        ("2026-02-01T08:15:30z", false, false, false, false),
        ("2026-02-01T08:15:30.Z", false, false, false, false),
        ("2026-02-01T08:15:30,5Z", false, false, false, false),
        ("2026-02-01T08:15:30+15:00", false, false, false, false),
        ("2026-02-01T08:15:30+14:01", false, false, false, false),
        ("2026-02-01T08:15:30+0100", false, false, false, false),
        ("2026-02-01T24:15:30Z", false, false, false, false),
        ("2026-02-01T08:60:30Z", false, false, false, false),
        ("2026-02-01T08:15:61Z", false, false, false, false),
        ("2026-02-01T", false, false, false, false),
        ("2026-02-01Z", false, false, false, false),
        ("é026", false, false, false, false),
        ("", false, false, false, false),
    ];
    for (text, date, date_time, instant, time) in rows {
        assert_eq!(
            (
                is_date(text),
                is_date_time(text),
                is_instant(text),
                is_time(text)
            ),
            (date, date_time, instant, time),
            "{text}"
        );
    }
}

#[test]
fn recorded_at_is_written_as_it_is_read() {
    let rows = [
        (
            0,
            "1970-01-01T00:00:00.000000Z",
            "Thu, 01 Jan 1970 00:00:00 GMT",
        ),
        (
            784_111_777_000_000,
            "1994-11-06T08:49:37.000000Z",
            "Sun, 06 Nov 1994 08:49:37 GMT",
        ),
        (
            -1,
            "1969-12-31T23:59:59.999999Z",
            "Wed, 31 Dec 1969 23:59:59 GMT",
        ),
        (
            1_772_352_930_250_001,
            "2026-03-01T08:15:30.250001Z",
            "Sun, 01 Mar 2026 08:15:30 GMT",
        ),
    ];
    for (micros, text, http) in rows {
        let recorded_at = RecordedAt(micros);
        assert_eq!(recorded_at.to_string(), text);
        assert_eq!(RecordedAt::parse(text), Some(recorded_at));
        assert_eq!(recorded_at.to_http_date(), http);
        assert_eq!(
            RecordedAt::parse_http_date(http),
            Some(RecordedAt(micros.div_euclid(SECOND) * SECOND))
        );
    }
    assert_eq!(
        RecordedAt(1_772_352_930_250_001).to_millis_text(),
        "2026-03-01T08:15:30.250Z"
    );
    let refused = [
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "1994-11-06",
        "",
    ];
    for text in refused {
        assert_eq!(RecordedAt::parse_http_date(text), None, "{text}");
    }
}

#[test]
fn every_day_of_ten_thousand_years_is_counted_once() {
    let mut days = days_from_civil(1, 1, 1);
    for year in 1..=9999 {
        for month in 1..=12 {
            for day in 1..=31 {
                let Some(found) = days_of_date(year, month, day) else {
                    continue;
                };
                assert_eq!(found, days);
                let (y, m, d) = civil_from_days(days);
                assert_eq!(
                    (y, u32::from(m), u32::from(d)),
                    (i64::from(year), month, day)
                );
                days += 1;
            }
        }
    }
    assert_eq!(days, days_from_civil(10_000, 1, 1));
}
