//! What is written is valid FHIR, reads back, and means what the person was told that it means.

use casework::DAY;
use casework::consent::offer::{OFFERS, PARTS, part};
use casework::consent::{Action, Answer, Asked, Consent, Data, Recipient, consented};
use record::json::Doc;

use super::*;
use crate::consent::document;

const NOW: i64 = 1_772_323_200_000_000;

fn signed() -> Signed {
    Signed {
        name: "Samir Haddad".into(),
        at: NOW,
        paper: None,
    }
}

fn offer(code: &str, yes: bool) -> Said {
    Said::Offer {
        offer: casework::consent::offer::offer(code).expect("an offer"),
        yes,
        until: None,
        from: (code == KEEP_FROM).then(|| ("Practitioner/osei".to_owned(), "R. Osei".to_owned())),
    }
}

fn release(parts: &[&str]) -> Said {
    Said::Release(Release {
        organisation: "hospital".into(),
        name: "County Hospital".into(),
        address: "1 Main Street".into(),
        purpose: (ACT_REASON, "COC"),
        parts: parts.iter().map(|key| part(key).expect("a part")).collect(),
        from: None,
        until: NOW + 100 * DAY,
    })
}

fn read(stored: &[u8]) -> Consent {
    let doc = Doc::parse(stored).expect("JSON");
    let findings = record::validate::validate(doc.root());
    assert!(
        findings.is_empty(),
        "{findings:?}\n{}",
        String::from_utf8_lossy(stored)
    );
    document::read(stored, 1, 0).expect("a Consent")
}

fn written(said: &Said) -> Consent {
    read(&consent("c", "p", "The programme", said, &signed()))
}

/// Who asks what for, of what kind with which labels.
type Question = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

#[track_caller]
fn check(consent: &Consent, (who, purpose, class, labels): Question, expect: &str) {
    let classes = match who {
        "treating" => &["treating", "caseworker"][..],
        "evaluator" => &["evaluator"],
        _ => &[],
    };
    let asked = Asked {
        at: NOW + DAY,
        action: match who {
            "Organization/hospital" | "Organization/court" => Action::Disclose,
            _ => Action::Use,
        },
        purpose,
        recipient: Recipient {
            references: &[who],
            classes,
        },
        data: Data {
            class,
            labels,
            ..Data::default()
        },
    };
    let said = match consented([consent], &asked) {
        Answer::Permitted(_) => "permitted",
        Answer::Refused(_) => "refused",
        Answer::Silent => "silent",
    };
    assert_eq!(said, expect, "{who} {purpose} {class} {labels:?}");
}

#[test]
fn every_answer_is_valid_and_reads_back() {
    for offer_of in &OFFERS {
        for yes in [true, false] {
            let consent = written(&offer(offer_of.code, yes));
            assert!(consent.provision.is_some_and(|root| !root.unread));
            assert_eq!(consent.given, Some(NOW));
        }
    }
    for part in &PARTS {
        // It is a consent under Part 2 if it names what Part 2 is about.
        let names = part.key == casework::consent::offer::SUBSTANCE;
        assert_eq!(written(&release(&[part.key])).part2, names, "{}", part.key);
    }
}

#[test]
fn an_answer_means_what_the_page_says() {
    let sud = written(&offer(SUD, true));
    check(
        &sud,
        ("treating", "TREAT", "Condition", &["SUD"]),
        "permitted",
    );
    check(
        &sud,
        ("treating", "HPAYMT", "Condition", &["ETH"]),
        "permitted",
    );
    check(
        &sud,
        ("treating", "INVEST", "Condition", &["SUD"]),
        "silent",
    );
    check(
        &sud,
        ("treating", "HLEGAL", "Condition", &["SUD"]),
        "silent",
    );
    check(
        &sud,
        ("evaluator", "FITEVAL", "Condition", &["SUD"]),
        "silent",
    );
    check(
        &sud,
        ("evaluator", "TREAT", "Condition", &["SUD"]),
        "silent",
    );
    check(&sud, ("treating", "TREAT", "Condition", &[]), "silent");
    let no = written(&offer(SUD, false));
    check(&no, ("treating", "TREAT", "Condition", &["SUD"]), "silent");

    let research = written(&offer("research", true));
    check(
        &research,
        ("client/study", "HRESCH", "Observation", &[]),
        "permitted",
    );
    check(
        &research,
        ("client/study", "TREAT", "Observation", &[]),
        "silent",
    );
    check(
        &research,
        ("client/study", "HRESCH", "Observation", &["SUD"]),
        "silent",
    );
    check(
        &research,
        ("client/study", "HRESCH", "Observation", &["PSYTHPN"]),
        "silent",
    );

    let keep = written(&offer(KEEP_FROM, true));
    check(
        &keep,
        ("Practitioner/osei", "TREAT", "Observation", &["SUD"]),
        "refused",
    );
    check(
        &keep,
        ("Practitioner/other", "TREAT", "Observation", &[]),
        "silent",
    );

    // What is done to a person is no permission to tell of them.
    for code in ["programme", "recording"] {
        let consent = written(&offer(code, true));
        check(
            &consent,
            ("treating", "TREAT", "Observation", &[]),
            "silent",
        );
    }
}

#[test]
fn a_release_means_its_parts_its_purpose_and_its_recipient() {
    const HOSPITAL: &str = "Organization/hospital";
    let some = written(&release(&["scores", "substance"]));
    check(&some, (HOSPITAL, "COC", "Observation", &[]), "permitted");
    check(
        &some,
        (HOSPITAL, "COC", "Observation", &["SUD"]),
        "permitted",
    );
    check(&some, (HOSPITAL, "COC", "Condition", &["SUD"]), "permitted");
    check(&some, (HOSPITAL, "COC", "Condition", &[]), "silent");
    check(
        &some,
        (HOSPITAL, "COC", "DocumentReference", &["PSYTHPN"]),
        "silent",
    );
    check(&some, (HOSPITAL, "FITEVAL", "Observation", &[]), "silent");
    check(
        &some,
        ("Organization/court", "COC", "Observation", &[]),
        "silent",
    );
    let letters = written(&release(&["letters"]));
    check(
        &letters,
        (HOSPITAL, "COC", "DocumentReference", &[]),
        "permitted",
    );
    check(
        &letters,
        (HOSPITAL, "COC", "DocumentReference", &["PSYTHPN"]),
        "silent",
    );
    let notes = written(&release(&["notes"]));
    check(
        &notes,
        (HOSPITAL, "COC", "DocumentReference", &["PSYTHPN"]),
        "permitted",
    );
    check(
        &notes,
        (HOSPITAL, "COC", "DocumentReference", &[]),
        "silent",
    );
}

#[test]
fn narrowing_and_taking_back_take_away() {
    const HOSPITAL: &str = "Organization/hospital";
    let stored = consent(
        "c",
        "p",
        "The programme",
        &release(&["scores", "substance"]),
        &signed(),
    );
    let keep = ["scores".to_owned()];
    let until = Some(NOW + 2 * DAY);
    let less = read(&narrowed(&stored, &keep, until, &signed()).expect("less"));
    check(&less, (HOSPITAL, "COC", "Observation", &[]), "permitted");
    check(&less, (HOSPITAL, "COC", "Observation", &["SUD"]), "silent");
    assert_eq!(less.until(), until);
    assert_eq!(
        narrowed(&stored, &[], None, &signed()),
        None,
        "nothing would be left"
    );
    let gone = read(&withdrawn(&stored, &signed()).expect("a Consent"));
    check(&gone, (HOSPITAL, "COC", "Observation", &[]), "silent");
    // A refusal is not taken away by narrowing.
    let kept = consent(
        "c",
        "p",
        "The programme",
        &offer(KEEP_FROM, true),
        &signed(),
    );
    let kept = read(&narrowed(&kept, &[], until, &signed()).expect("a Consent"));
    check(
        &kept,
        ("Practitioner/osei", "TREAT", "Observation", &[]),
        "refused",
    );
}

#[test]
fn a_paper_says_who_saw_it_and_where_it_is() {
    let paper = Signed {
        paper: Some(Paper {
            witness: "M. Quintero".into(),
            kept: String::new(),
            scan: Some("s".into()),
        }),
        ..signed()
    };
    let stored = consent("c", "p", "The programme", &offer(SUD, true), &paper);
    let consent = read(&stored);
    assert!(consent.part2, "a scan is a signature");
    let text = String::from_utf8(stored).expect("text");
    assert!(
        text.contains("M. Quintero") && text.contains("DocumentReference/s"),
        "{text}"
    );
}
