//! Consents as they are written in FHIR, and what the hospital is told when it asks for a score.

use casework::consent::{Answer, Asked, Data, Recipient, consented};
use casework::{DAY, HOUR};

use super::*;

/// 2026-03-01, noon.
const MARCH: i64 = 1_772_323_200_000_000 + 12 * HOUR;

fn consent(rest: &str) -> Consent {
    let text = format!(
        r#"{{"resourceType":"Consent","id":"c","status":"active",
        "scope":{{"coding":[{{"system":"{SCOPE}","code":"patient-privacy"}}]}},
        "category":[{{"coding":[{{"system":"http://loinc.org","code":"59284-0"}}]}}],
        "patient":{{"reference":"Patient/p"}},"dateTime":"2026-01-01",{rest}}}"#
    );
    read(text.as_bytes(), 3, 77).unwrap_or_else(|| panic!("{text}"))
}

fn asked() -> Asked<'static> {
    Asked {
        at: MARCH,
        action: Action::Disclose,
        purpose: "TREAT",
        recipient: Recipient {
            references: &["Organization/hospital"],
            classes: &["evaluator"],
        },
        data: Data {
            class: "Observation",
            reference: "Observation/17",
            happened: Some(Span {
                start: MARCH - 30 * DAY,
                end: MARCH - 29 * DAY,
            }),
            ..Data::default()
        },
    }
}

#[track_caller]
fn check(rest: &str, expect: &str) {
    let consent = consent(rest);
    let said = match consented([&consent], &asked()) {
        Answer::Permitted(_) => "permitted",
        Answer::Refused(_) => "refused",
        Answer::Silent => "silent",
    };
    assert_eq!(said, expect, "{rest}");
}

#[test]
fn what_is_written_is_what_is_weighed() {
    let hospital = r#""actor":[{"role":{"text":"recipient"},"reference":{"reference":"Organization/hospital/_history/2"}}]"#;
    let rows = [
        // As this programme writes consent to something: root and rule say the same.
        (r#""policyRule":{"coding":[{"code":"OPTIN"}]},"provision":{"type":"permit"}"#.to_owned(), "permitted"),
        (r#""policyRule":{"coding":[{"code":"OPTOUT"}]},"provision":{"type":"deny"}"#.to_owned(), "refused"),
        (r#""policyRule":{"coding":[{"code":"OPTOUT"}]},"provision":{"type":"deny","code":[{"coding":[{"system":"urn:homecoming:consent","code":"recording"}]}]}"#.to_owned(), "silent"),
        // As R4 has it: no type at the root, exceptions within.
        (r#""policyRule":{"coding":[{"code":"OPTIN"}]}"#.to_owned(), "permitted"),
        (format!(r#""policyRule":{{"coding":[{{"code":"OPTIN"}}]}},"provision":{{"provision":[{{"type":"deny",{hospital}}}]}}"#), "refused"),
        (format!(r#""policyRule":{{"coding":[{{"code":"OPTOUT"}}]}},"provision":{{"provision":[{{"type":"permit",{hospital}}}]}}"#), "permitted"),
        (format!(r#""policy":[{{"uri":"urn:x"}}],"provision":{{{hospital},"provision":[{{"type":"permit","class":[{{"system":"{RESOURCE_TYPES}","code":"Observation"}}]}}]}}"#), "permitted"),
        (format!(r#""policy":[{{"uri":"urn:x"}}],"provision":{{{hospital},"provision":[{{"type":"permit","class":[{{"system":"{RESOURCE_TYPES}","code":"Condition"}}]}}]}}"#), "silent"),
        (r#""policy":[{"uri":"urn:x"}]"#.to_owned(), "silent"),
        // Every restriction there is.
        (r#""provision":{"type":"permit","period":{"start":"2026-03","end":"2026-03-01"}}"#.to_owned(), "permitted"),
        (r#""provision":{"type":"permit","period":{"end":"2026-02-28"}}"#.to_owned(), "silent"),
        (r#""provision":{"type":"permit","purpose":[{"code":"HRESCH"}]}"#.to_owned(), "silent"),
        (r#""provision":{"type":"permit","action":[{"coding":[{"code":"disclose"}]}]}"#.to_owned(), "permitted"),
        (r#""provision":{"type":"permit","action":[{"coding":[{"code":"collect"}]}]}"#.to_owned(), "silent"),
        (r#""provision":{"type":"permit","dataPeriod":{"start":"2026-01-15"}}"#.to_owned(), "permitted"),
        (r#""provision":{"type":"permit","dataPeriod":{"end":"2026-01-15"}}"#.to_owned(), "silent"),
        (r#""provision":{"type":"permit","data":[{"meaning":"instance","reference":{"reference":"Observation/17/_history/1"}}]}"#.to_owned(), "permitted"),
        (format!(r#""provision":{{"type":"deny","actor":[{{"role":{{"coding":[{{"system":"{ROLE}","code":"evaluator"}}]}},"reference":{{"display":"evaluators"}}}}]}}"#), "refused"),
    ];
    for (rest, expect) in rows {
        check(&rest, expect);
    }
}

#[test]
fn what_is_not_understood_voids_a_permission_and_widens_a_refusal() {
    let odd = [
        r#""modifierExtension":[{"url":"urn:x","valueBoolean":true}]"#,
        r#""action":[{"coding":[{"code":"burn"}]}]"#,
        r#""class":[{"system":"urn:ietf:bcp:13","code":"application/hl7-cda+xml"}]"#,
        r#""code":[{"text":"only about my back"}]"#,
        r#""data":[{"meaning":"dependents","reference":{"reference":"Observation/99"}}]"#,
        r#""period":{"start":"last spring"}"#,
        r#""dataPeriod":{"end":"the summer"}"#,
    ];
    for odd in odd {
        check(
            &format!(r#""provision":{{"type":"permit",{odd}}}"#),
            "silent",
        );
        check(
            &format!(r#""provision":{{"type":"deny",{odd}}}"#),
            "refused",
        );
        let rule = r#""policyRule":{"coding":[{"code":"OPTOUT"}]}"#;
        check(&format!(r#"{rule},"provision":{{{odd}}}"#), "refused");
    }
    let nobody =
        r#""actor":[{"role":{"text":"?"},"reference":{"display":"the hospital in town"}}]"#;
    check(
        &format!(r#""provision":{{"type":"permit",{nobody}}}"#),
        "silent",
    );
    check(
        &format!(r#""provision":{{"type":"deny",{nobody}}}"#),
        "refused",
    );
    check(
        r#""implicitRules":"urn:x","provision":{"type":"permit"}"#,
        "silent",
    );
    let whole =
        br#"{"resourceType":"Consent","dateTime":"some day","provision":{"type":"permit"}}"#;
    let undated = read(whole, 1, 0).expect("a Consent");
    assert!(!undated.in_force(MARCH));
}

#[test]
fn a_consent_is_read_with_its_place() {
    let given = consent(r#""provision":{"type":"permit"}"#);
    assert_eq!(
        (given.id.as_str(), given.version, given.position),
        ("c", 3, 77)
    );
    assert_eq!(read(br#"{"resourceType":"Patient","id":"p"}"#, 1, 0), None);
    assert_eq!(read(b"{", 1, 0), None);
}

#[test]
fn a_consent_under_part_2_has_all_that_the_rule_asks_for() {
    let whole = r#""organization":[{"display":"The programme"}],
        "sourceAttachment":{"title":"as signed"},"policy":[{"uri":"urn:homecoming:consent-form:part2-tpo:1"}],
        "provision":{"actor":[{"role":{"text":"x"},"reference":{"reference":"Organization/hospital"}}],
        "purpose":[{"code":"TREAT"},{"code":"HPAYMT"}],
        "provision":[{"type":"permit","securityLabel":[{"code":"ETH"}]}]}"#;
    assert!(consent(whole).part2);
    let labelled = Asked {
        data: Data {
            labels: &["SUD"],
            ..asked().data
        },
        ..asked()
    };
    let decide = |rest: &str| consented([&consent(rest)], &labelled).is_permitted();
    assert!(decide(whole));
    for gone in [
        r#""organization":[{"display":"The programme"}],"#,
        r#""sourceAttachment":{"title":"as signed"},"#,
        r#""policy":[{"uri":"urn:homecoming:consent-form:part2-tpo:1"}],"#,
        r#""purpose":[{"code":"TREAT"},{"code":"HPAYMT"}],"#,
    ] {
        let without = whole.replace(gone, "");
        assert_ne!(without, whole);
        assert!(!decide(&without), "without {gone}");
    }
    // For anything but treatment, payment and operations it must end.
    let research = whole.replace("HPAYMT", "HRESCH");
    assert!(!decide(&research));
    let ends = research.replacen(
        r#""provision":{"#,
        r#""provision":{"period":{"end":"2027-01-01"},"#,
        1,
    );
    assert!(decide(&ends));
}
