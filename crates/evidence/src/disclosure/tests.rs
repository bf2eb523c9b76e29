//! The line of a disclosure and its content: written, read back, and refused when altered.

use super::*;

fn example() -> Line<'static> {
    Line {
        position: 42,
        recorded_at: RecordedAt(1_714_979_289_123_456),
        actor: "Practitioner/7k2m",
        purpose: "TREAT",
        what: What::Search,
        size: 812,
        versions: 3,
        whom: Whom::One(Alias([7; 16])),
        commitment: [8; 32],
        sealed: [9; 32],
    }
}

const EXAMPLE: &str = "hca1 42 2024-05-06T07:08:09.123456Z Practitioner/7k2m TREAT search 812 3 \
    pBwcHBwcHBwcHBwcHBwcHBw CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg \
    CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk";

fn text(line: &Line<'_>) -> String {
    let mut out = Vec::new();
    line.write(&mut out);
    String::from_utf8(out).expect("a line is text")
}

#[test]
fn a_line_has_one_text() {
    assert_eq!(text(&example()), EXAMPLE);
    assert_eq!(Line::parse(EXAMPLE.as_bytes()), Ok(example()));
    for what in What::ALL {
        for whom in [Whom::Nobody, Whom::One(Alias([0; 16])), Whom::Many(2)] {
            let line = Line {
                what,
                whom,
                ..example()
            };
            assert_eq!(Line::parse(text(&line).as_bytes()), Ok(line));
        }
    }
}

#[test]
fn a_line_with_a_field_more_is_refused() {
    let more = format!("{EXAMPLE} more");
    assert_eq!(Line::parse(more.as_bytes()), Err(LineError("end")));
}

#[test]
fn a_changed_line_is_refused_or_reads_as_what_it_says() {
    let mut read = 0;
    for at in 0..EXAMPLE.len() {
        for b in [b' ', b'-', b'+', b'0', b'A', b'a', b'%', b'/', b'\n', 0x80] {
            let mut bytes = EXAMPLE.as_bytes().to_vec();
            bytes[at] = b;
            if let Ok(line) = Line::parse(&bytes) {
                read += 1;
                assert_eq!(text(&line).as_bytes(), bytes);
            }
        }
    }
    assert!(read > 100);
}

#[test]
fn each_part_is_named_when_it_does_not_read() {
    let check = |from: &str, to: &str, expect: &'static str| {
        let line = EXAMPLE.replacen(from, to, 1);
        assert_ne!(line, EXAMPLE);
        let read = Line::parse(line.as_bytes());
        assert_eq!(read, Err(LineError(expect)), "{line}");
    };
    check("hca1", "hc1", "format");
    check(" 42 ", " 042 ", "position");
    check(".123456Z", ".123Z", "recorded time");
    check("Practitioner/7k2m", "", "actor");
    check("TREAT", "TR=AT", "purpose");
    check("search", "sought", "what was done");
    check(" 812 ", " +812 ", "record size");
    check(" 3 p", " 03 p", "number of versions");
    check("pBwcHB", "BwcHB", "person");
    check("pBwcHBwcHBwcHBwcHBwcHBw", "+1", "person");
    check("pBwcHBwcHBwcHBwcHBwcHBw", "+02", "person");
    check(" CAgI", " AgI", "commitment");
    check(" CQkJ", " QkJ", "sealed hash");
    check("CQk", "CQk CQk", "sealed hash");
}

#[test]
fn what_was_told_reads_back_and_has_one_text() {
    let check = |told: Told, text: &str| {
        assert_eq!(String::from_utf8_lossy(&told.write()), text);
        assert_eq!(Told::parse(text.as_bytes()), Some(told), "{text}");
    };
    check(
        Told {
            address: "/caseload".to_owned(),
            ..Told::default()
        },
        r#"{"address":"/caseload"}"#,
    );
    check(
        Told {
            address: "/fhir/Patient?name=\"x\"".to_owned(),
            scope: "system/*.rs".to_owned(),
            whole: Some(9),
            versions: vec![0, 1, 2, 5, 7, 8],
            leaves: vec![u64::MAX],
            persons: vec![Alias([0; 16]), Alias([7; 16])],
            basis: Basis::default(),
        },
        r#"{"address":"/fhir/Patient?name=\"x\"","scope":"system/*.rs","whole":9,"versions":"0-2,5,7-8","leaves":"18446744073709551615","persons":["AAAAAAAAAAAAAAAAAAAAAA","BwcHBwcHBwcHBwcHBwcHBw"]}"#,
    );
    check(
        Told {
            address: "/a".to_owned(),
            basis: Basis {
                recipient: "County \"General\"".to_owned(),
                consent: "Consent/c/_history/2".to_owned(),
                notice: "42 CFR 2.32(a)(2)".to_owned(),
                ..Basis::default()
            },
            ..Told::default()
        },
        r#"{"address":"/a","basis":{"recipient":"County \"General\"","consent":"Consent/c/_history/2","notice":"42 CFR 2.32(a)(2)"}}"#,
    );
    check(
        Told {
            address: "/a".to_owned(),
            basis: Basis {
                warrant: "Task/w".to_owned(),
                break_glass: "Task/b".to_owned(),
                kept: "Task/w, Task/x".to_owned(),
                ..Basis::default()
            },
            ..Told::default()
        },
        r#"{"address":"/a","basis":{"warrant":"Task/w","break-glass":"Task/b","kept":"Task/w, Task/x"}}"#,
    );
    for wrong in [
        r#"{"address":"/a","basis":{}}"#,
        r#"{"address":"/a","basis":{"consent":""}}"#,
        r#"{"address":"/a","basis":{"who":"x"}}"#,
        r#"{"address":"/a","basis":{"consent":"x","recipient":"y"}}"#,
        r#"{"address":"/a","versions":"1,2"}"#,
        r#"{"address":"/a","versions":"2-1"}"#,
        r#"{"address":"/a","versions":"0-99999999999"}"#,
        r#"{"address":"/a","versions":"01"}"#,
        r#"{"address":"/a","persons":["x"]}"#,
        r#"{"address":"/a","more":1}"#,
        r#"{"address": "/a"}"#,
        r#"[]"#,
    ] {
        assert_eq!(Told::parse(wrong.as_bytes()), None, "{wrong}");
    }
}
