//! The rule as tables: what was shown, and what is said of it.

use super::*;

const NOW: i64 = 10_000 * DAY;

fn shown(purpose: &str) -> Shown<'_> {
    Shown {
        at: NOW - DAY,
        purpose,
        ..Shown::default()
    }
}

#[test]
fn the_rule_asks_for_what_is_neither_care_nor_agreed_to_nor_old() {
    let rows = [
        (shown("TREAT"), Some(Exempt::Care)),
        (shown("HPAYMT"), Some(Exempt::Care)),
        (shown("HOPERAT"), Some(Exempt::Care)),
        (shown("COC"), Some(Exempt::Care)),
        (shown("INVEST"), None),
        (shown("HLEGAL"), None),
        (shown("FITEVAL"), None),
        (shown("HRESCH"), None),
        // A purpose that nobody knows is asked for.
        (shown("SOMETHING"), None),
        (shown(""), None),
        (
            Shown {
                themself: true,
                ..shown("PATRQT")
            },
            Some(Exempt::Themself),
        ),
        (
            Shown {
                authorised: true,
                ..shown("FITEVAL")
            },
            Some(Exempt::Authorised),
        ),
        (
            Shown {
                at: NOW - REACH,
                ..shown("INVEST")
            },
            None,
        ),
        (
            Shown {
                at: NOW - REACH - 1,
                ..shown("INVEST")
            },
            Some(Exempt::Old),
        ),
    ];
    for (shown, expect) in rows {
        assert_eq!(exempt(&shown, NOW), expect, "{shown:?}");
    }
}

fn suspension() -> Suspension {
    Suspension {
        agency: "Office of the Inspector General".into(),
        official: "Special Agent in charge".into(),
        statement: Statement::Written,
        citation: "Letter 26-114: the interviews would be impeded".into(),
        stated: NOW - DAY,
        until: NOW + 90 * DAY,
        recorded_at: NOW,
        lifted: None,
    }
}

#[test]
fn a_suspension_needs_an_agency_an_official_a_statement_and_an_end() {
    type Change = fn(&mut Suspension);
    let rows: Vec<(Change, bool, Result<(), Refusal>)> = vec![
        (|_| {}, true, Ok(())),
        (|_| {}, false, Err(Refusal::NotAnOfficer)),
        (
            |s| s.agency = " ".into(),
            true,
            Err(Refusal::TextMissing {
                what: "which agency asks for it",
            }),
        ),
        (
            |s| s.official.clear(),
            true,
            Err(Refusal::TextMissing {
                what: "who of it made the statement",
            }),
        ),
        (
            |s| s.citation = "x".repeat(TEXT_MAX + 1),
            true,
            Err(Refusal::TextLong),
        ),
        (
            |s| s.stated = NOW + 1,
            true,
            Err(Refusal::StatedInTheFuture),
        ),
        (|s| s.until = NOW, true, Err(Refusal::OverAlready)),
        (
            |s| s.statement = Statement::Oral,
            true,
            Err(Refusal::OralTooLong),
        ),
        (
            |s| (s.statement, s.until) = (Statement::Oral, s.stated + ORAL_MAX),
            true,
            Ok(()),
        ),
        (
            |s| (s.statement, s.until) = (Statement::Oral, s.stated + ORAL_MAX + 1),
            true,
            Err(Refusal::OralTooLong),
        ),
    ];
    for (change, officer, expect) in rows {
        let mut changed = suspension();
        change(&mut changed);
        assert_eq!(changed.check(officer, NOW), expect, "{changed:?}");
    }
}

#[test]
fn a_suspension_hides_its_agency_and_nobody_else_and_only_for_its_time() {
    let of = |agency| Shown {
        agency,
        ..shown("INVEST")
    };
    let own = of(Some("office of the  Inspector General "));
    let rows = [
        (own, NOW, true),
        (own, NOW - 1, false),
        (own, NOW + 90 * DAY - 1, true),
        (own, NOW + 90 * DAY, false),
        (of(Some("Office of the Inspector")), NOW, false),
        (of(Some("Office of the InspectorGeneral")), NOW, false),
        (of(None), NOW, false),
    ];
    for (shown, now, expect) in rows {
        assert_eq!(suspension().hides(&shown, now), expect, "{shown:?} {now}");
    }
    let lifted = Suspension {
        lifted: Some(NOW + DAY),
        ..suspension()
    };
    assert!(lifted.hides(&own, NOW + DAY - 1));
    assert!(!lifted.hides(&own, NOW + DAY));
}
