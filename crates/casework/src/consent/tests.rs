//! The rule as tables: what the person said, what is asked, what follows.

use super::*;
use crate::span::DAY;

const HOSPITAL: &str = "Organization/hospital";
const OSEI: &str = "Practitioner/osei";

fn provision(effect: Effect) -> Provision {
    Provision {
        effect: Some(effect),
        ..Provision::default()
    }
}

fn permit() -> Provision {
    provision(Effect::Permit)
}

fn deny() -> Provision {
    provision(Effect::Deny)
}

fn to(name: &str) -> Vec<Actor> {
    vec![Actor::Named(name.into())]
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A Consent about information with this root, in force since the first day.
fn consent(id: &str, base: Effect, root: Provision) -> Consent {
    Consent {
        id: id.into(),
        version: 1,
        active: true,
        scope: Scope::Privacy,
        given: Some(0),
        base: Some(base),
        provision: Some(root),
        part2: true,
        ..Consent::default()
    }
}

/// The hospital asks for a score on the tenth day, to treat.
fn asked() -> Asked<'static> {
    Asked {
        at: 10 * DAY,
        action: Action::Disclose,
        purpose: "TREAT",
        recipient: Recipient {
            references: &[HOSPITAL],
            classes: &[],
        },
        data: Data {
            class: "Observation",
            reference: "Observation/17",
            labels: &[],
            codes: &[("http://loinc.org", "70221-5")],
            happened: Some(Span {
                start: 5 * DAY,
                end: 6 * DAY,
            }),
        },
    }
}

#[track_caller]
fn check(consents: &[Consent], asked: &Asked<'_>, expect: &str) {
    let said = match consented(consents, asked) {
        Answer::Permitted(consent) => format!("permitted by {}", consent.id),
        Answer::Refused(consent) => format!("refused by {}", consent.id),
        Answer::Silent => "silent".to_owned(),
    };
    assert_eq!(said, expect);
}

#[test]
fn a_consent_counts_while_it_is_in_force() {
    let given = consent("a", Effect::Permit, Provision::default());
    check(&[], &asked(), "silent");
    check(std::slice::from_ref(&given), &asked(), "permitted by a");
    type Change = fn(&mut Consent);
    let rows: [(&str, Change, &str); 7] = [
        ("withdrawn", |c| c.active = false, "silent"),
        ("given later", |c| c.given = Some(11 * DAY), "silent"),
        ("given now", |c| c.given = Some(10 * DAY), "permitted by a"),
        ("without a day", |c| c.given = None, "permitted by a"),
        ("about treatment", |c| c.scope = Scope::Other, "silent"),
        ("about research", |c| c.scope = Scope::Research, "silent"),
        ("without a base", |c| c.base = None, "silent"),
    ];
    for (what, change, expect) in rows {
        let mut changed = given.clone();
        change(&mut changed);
        println!("{what}");
        check(&[changed], &asked(), expect);
    }
    // The instant at which it ends is the first at which it does not count.
    for (end, expect) in [(10 * DAY, "silent"), (10 * DAY + 1, "permitted by a")] {
        let period = Some(Span { start: 0, end });
        let root = Provision {
            period,
            ..Provision::default()
        };
        check(&[consent("a", Effect::Permit, root)], &asked(), expect);
    }
}

#[test]
fn a_provision_speaks_of_what_it_names() {
    let rows: Vec<(&str, Provision, &str)> = vec![
        ("nothing", permit(), "permitted by a"),
        (
            "this recipient",
            Provision {
                actors: to(HOSPITAL),
                ..permit()
            },
            "permitted by a",
        ),
        (
            "another recipient",
            Provision {
                actors: to("Organization/court"),
                ..permit()
            },
            "silent",
        ),
        (
            "a class",
            Provision {
                actors: vec![Actor::Class(TREATING.into())],
                ..permit()
            },
            "silent",
        ),
        (
            "this purpose",
            Provision {
                purposes: words(&["HPAYMT", "TREAT"]),
                ..permit()
            },
            "permitted by a",
        ),
        (
            "another purpose",
            Provision {
                purposes: words(&["HRESCH"]),
                ..permit()
            },
            "silent",
        ),
        (
            "this action",
            Provision {
                actions: vec![Action::Disclose],
                ..permit()
            },
            "permitted by a",
        ),
        (
            "another action",
            Provision {
                actions: vec![Action::Use],
                ..permit()
            },
            "silent",
        ),
        (
            "this class",
            Provision {
                classes: words(&["Observation"]),
                ..permit()
            },
            "permitted by a",
        ),
        (
            "another class",
            Provision {
                classes: words(&["Condition"]),
                ..permit()
            },
            "silent",
        ),
        (
            "this code",
            Provision {
                codes: vec![("http://loinc.org".into(), "70221-5".into())],
                ..permit()
            },
            "permitted by a",
        ),
        (
            "this code of another system",
            Provision {
                codes: vec![("urn:x".into(), "70221-5".into())],
                ..permit()
            },
            "silent",
        ),
        (
            "this thing",
            Provision {
                data: words(&["Observation/17"]),
                ..permit()
            },
            "permitted by a",
        ),
        (
            "another thing",
            Provision {
                data: words(&["Observation/18"]),
                ..permit()
            },
            "silent",
        ),
        (
            "days before",
            Provision {
                data_period: Some(Span {
                    start: 0,
                    end: 5 * DAY,
                }),
                ..permit()
            },
            "silent",
        ),
        (
            "these days",
            Provision {
                data_period: Some(Span {
                    start: 0,
                    end: 5 * DAY + 1,
                }),
                ..permit()
            },
            "permitted by a",
        ),
        (
            "a label that is not there",
            Provision {
                labels: words(&["HIV"]),
                ..permit()
            },
            "silent",
        ),
        (
            "a lower mark",
            Provision {
                labels: words(&["L"]),
                ..permit()
            },
            "silent",
        ),
        (
            "a higher mark",
            Provision {
                labels: words(&["R"]),
                ..permit()
            },
            "permitted by a",
        ),
        (
            "something that is not read",
            Provision {
                unread: true,
                ..permit()
            },
            "silent",
        ),
        (
            "a refusal that is not read",
            Provision {
                unread: true,
                ..deny()
            },
            "refused by a",
        ),
    ];
    for (what, root, expect) in rows {
        println!("{what}");
        let mut only = consent("a", Effect::Permit, root);
        only.base = None;
        check(&[only], &asked(), expect);
    }
}

#[test]
fn the_base_and_its_exceptions() {
    let hospital = |effect| Provision {
        actors: to(HOSPITAL),
        ..provision(effect)
    };
    let court = |effect| Provision {
        actors: to("Organization/court"),
        ..provision(effect)
    };
    let untyped = |actors| Provision {
        actors,
        ..Provision::default()
    };
    use Effect::{Deny, Permit};
    let rows = vec![
        // Base, root; what the hospital gets.
        (Permit, Provision::default(), "permitted by a"),
        (Deny, Provision::default(), "refused by a"),
        (Permit, untyped(to(HOSPITAL)), "permitted by a"),
        (Permit, untyped(to("Organization/court")), "silent"),
        (Permit, hospital(Permit), "permitted by a"),
        (Permit, hospital(Deny), "refused by a"),
        (Permit, court(Deny), "permitted by a"),
        (Deny, hospital(Permit), "permitted by a"),
        (Deny, court(Permit), "refused by a"),
        (Deny, court(Deny), "silent"),
        // Nested.
        (
            Permit,
            Provision {
                within: vec![hospital(Deny)],
                ..Provision::default()
            },
            "refused by a",
        ),
        (
            Permit,
            Provision {
                within: vec![court(Deny)],
                ..Provision::default()
            },
            "permitted by a",
        ),
        (
            Deny,
            Provision {
                within: vec![Provision {
                    within: vec![Provision {
                        classes: words(&["Observation"]),
                        ..deny()
                    }],
                    ..hospital(Permit)
                }],
                ..Provision::default()
            },
            "refused by a",
        ),
        (
            Deny,
            Provision {
                within: vec![Provision {
                    within: vec![Provision {
                        classes: words(&["Condition"]),
                        ..deny()
                    }],
                    ..hospital(Permit)
                }],
                ..Provision::default()
            },
            "permitted by a",
        ),
    ];
    for (base, root, expect) in rows {
        println!("{base:?} {root:?}");
        check(&[consent("a", base, root)], &asked(), expect);
    }
}

#[test]
fn a_permission_stands_against_a_refusal_that_it_is_narrower_than() {
    let whole = |id, effect| consent(id, effect, Provision::default());
    let root = |id, effect, root: Provision| {
        consent(
            id,
            effect,
            Provision {
                effect: Some(effect),
                ..root
            },
        )
    };
    let actor = |name| Provision {
        actors: to(name),
        ..Provision::default()
    };
    let class = |class| Provision {
        classes: words(&[class]),
        ..Provision::default()
    };
    use Effect::{Deny, Permit};
    let rows = vec![
        (vec![whole("p", Permit), whole("d", Deny)], "refused by d"),
        (
            vec![root("p", Permit, actor(HOSPITAL)), whole("d", Deny)],
            "permitted by p",
        ),
        (
            vec![whole("p", Permit), root("d", Deny, actor(HOSPITAL))],
            "refused by d",
        ),
        (
            vec![
                root("p", Permit, actor(HOSPITAL)),
                root("d", Deny, actor(HOSPITAL)),
            ],
            "refused by d",
        ),
        // Neither is narrower in everything: to whom here, of what there.
        (
            vec![
                root("p", Permit, actor(HOSPITAL)),
                root("d", Deny, class("Observation")),
            ],
            "refused by d",
        ),
        (
            vec![
                root(
                    "p",
                    Permit,
                    Provision {
                        classes: words(&["Observation"]),
                        ..actor(HOSPITAL)
                    },
                ),
                root("d", Deny, class("Observation")),
            ],
            "permitted by p",
        ),
        // One refusal that stands is enough.
        (
            vec![
                root("p", Permit, actor(HOSPITAL)),
                whole("d", Deny),
                root("e", Deny, class("Observation")),
            ],
            "refused by e",
        ),
        // A refusal of somebody else is none.
        (
            vec![whole("p", Permit), root("d", Deny, actor(OSEI))],
            "permitted by p",
        ),
    ];
    for (consents, expect) in rows {
        println!("{expect}");
        check(&consents, &asked(), expect);
        let turned: Vec<Consent> = consents.into_iter().rev().collect();
        check(&turned, &asked(), expect);
    }
}

#[test]
fn what_is_sensitive_must_be_named_to_be_permitted_and_need_not_be_to_be_refused() {
    let with = |labels: &[&str], effect| {
        consent(
            "a",
            effect,
            Provision {
                labels: words(labels),
                ..provision(effect)
            },
        )
    };
    use Effect::{Deny, Permit};
    let rows: Vec<(&[&str], Effect, &[&str], &str)> = vec![
        // Named, effect; on the information.
        (&[], Permit, &["N"], "permitted by a"),
        (&[], Permit, &["SUD"], "silent"),
        (&["SUD"], Permit, &["SUD"], "permitted by a"),
        (&["ETH"], Permit, &["SUD"], "permitted by a"),
        (&["42CFRPart2"], Permit, &["ETH"], "permitted by a"),
        (&["ALC"], Permit, &["SUD"], "silent"),
        (&["HIV"], Permit, &["SUD"], "silent"),
        (&["SUD"], Permit, &["SUD", "HIV"], "silent"),
        (&["SUD", "HIV"], Permit, &["SUD", "HIV"], "permitted by a"),
        (&["SUD"], Permit, &["SUD", "R"], "silent"),
        (&["SUD", "R"], Permit, &["SUD", "R"], "permitted by a"),
        (&["R"], Permit, &["V"], "silent"),
        (&[], Permit, &["PSYTHPN"], "silent"),
        (&["PSYTHPN"], Permit, &["PSYTHPN"], "permitted by a"),
        // It speaks of what is labelled so, and of nothing else.
        (&["SUD"], Permit, &[], "silent"),
        (&[], Deny, &["SUD", "HIV"], "refused by a"),
        (&["SUD"], Deny, &["SUD", "HIV"], "refused by a"),
        (&["SUD"], Deny, &["HIV"], "silent"),
        (&["R"], Deny, &["N"], "silent"),
        (&["R"], Deny, &["V"], "refused by a"),
    ];
    for (named, effect, labels, expect) in rows {
        println!("{named:?} {effect:?} {labels:?}");
        let asked = Asked {
            data: Data {
                labels,
                ..asked().data
            },
            ..asked()
        };
        check(&[with(named, effect)], &asked, expect);
    }
    // Without what 42 CFR 2.31 requires it is no consent to disclose these.
    let mut bare = with(&["SUD"], Permit);
    bare.part2 = false;
    let of_use = Asked {
        data: Data {
            labels: &["SUD"],
            ..asked().data
        },
        ..asked()
    };
    check(&[bare], &of_use, "silent");
}

#[test]
fn a_kind_of_a_purpose_is_that_purpose() {
    let rows = [
        ("TREAT", "TREAT", true),
        ("COC", "TREAT", true),
        ("TREAT", "COC", false),
        ("CAREMGT", "HOPERAT", true),
        ("HLEGAL", "HOPERAT", false),
        ("HRESCH", "HOPERAT", false),
        ("HRESCH", "TREAT", false),
    ];
    for (purpose, of, expect) in rows {
        assert_eq!(is_or_within(purpose, of), expect, "{purpose} {of}");
    }
    let mut research = consent("a", Effect::Permit, Provision::default());
    research.scope = Scope::Research;
    let for_research = Asked {
        purpose: "HRESCH",
        ..asked()
    };
    check(&[research], &for_research, "permitted by a");
}

/// A permission is of the code that it names; a refusal that names no system, of the code in any.
#[test]
fn a_refusal_by_a_code_alone_holds_in_every_system() {
    for (effect, system, code, expect) in [
        (Effect::Permit, "", "70221-5", "silent"),
        (Effect::Deny, "", "70221-5", "refused by a"),
        (Effect::Deny, "", "70221-6", "silent"),
        (Effect::Deny, "urn:x", "70221-5", "silent"),
    ] {
        let root = Provision {
            codes: vec![(system.into(), code.into())],
            ..provision(effect)
        };
        check(&[consent("a", effect, root)], &asked(), expect);
    }
}

#[test]
fn of_what_has_no_date_a_refusal_of_some_days_holds() {
    let undated = Asked {
        data: Data {
            happened: None,
            ..asked().data
        },
        ..asked()
    };
    let days = Some(Span { start: 0, end: DAY });
    for (effect, expect) in [(Effect::Permit, "silent"), (Effect::Deny, "refused by a")] {
        let root = Provision {
            data_period: days,
            ..provision(effect)
        };
        check(&[consent("a", effect, root)], &undated, expect);
    }
}

#[test]
fn more_refusals_never_permit_more() {
    // Every pair of a permission and a refusal out of a small world, asked everything in it.
    let actors = [
        vec![],
        to(HOSPITAL),
        to(OSEI),
        vec![Actor::Class(TREATING.into())],
    ];
    let classes = [vec![], words(&["Observation"]), words(&["Condition"])];
    let labels = [vec![], words(&["SUD"]), words(&["R"])];
    let mut provisions = Vec::new();
    for actors in &actors {
        for classes in &classes {
            for labels in &labels {
                provisions.push(Provision {
                    actors: actors.clone(),
                    classes: classes.clone(),
                    labels: labels.clone(),
                    ..Provision::default()
                });
            }
        }
    }
    let recipients: [Recipient<'_>; 3] = [
        Recipient {
            references: &[HOSPITAL],
            classes: &[],
        },
        Recipient {
            references: &[OSEI, HOSPITAL],
            classes: &[TREATING],
        },
        Recipient::default(),
    ];
    let mut permitted = 0;
    for one in &provisions {
        for other in &provisions {
            let a = consent("p", Effect::Permit, one.clone());
            let b = consent("d", Effect::Deny, other.clone());
            for recipient in recipients {
                for labels in [&[][..], &["SUD"], &["R", "SUD"]] {
                    let asked = Asked {
                        recipient,
                        data: Data {
                            labels,
                            ..asked().data
                        },
                        ..asked()
                    };
                    let alone = consented([&a], &asked).is_permitted();
                    let both = consented([&a, &b], &asked);
                    assert!(alone || !both.is_permitted(), "{one:?} {other:?} {asked:?}");
                    let denied = consented([&b], &asked).is_refused();
                    assert!(
                        !denied || both != Answer::Silent,
                        "{one:?} {other:?} {asked:?}"
                    );
                    permitted += usize::from(denied && both.is_permitted());
                }
            }
        }
    }
    assert!(
        permitted > 100,
        "{permitted} permissions were narrower than a refusal"
    );
}

#[test]
fn a_written_consent_under_part_2_has_ten_things() {
    use part2::{Elements, Missing, missing};
    let whole = Elements {
        patient: true,
        discloser: true,
        information: true,
        recipient: true,
        purpose: true,
        revocation: true,
        expiry: true,
        signature: true,
        signed_on: true,
        is_tpo: true,
        statements: true,
    };
    assert_eq!(missing(&whole), []);
    assert_eq!(missing(&Elements::default()).len(), 9);
    type Change = fn(&mut Elements);
    let rows: [(Change, &[Missing]); 7] = [
        (|e| e.information = false, &[Missing::Information]),
        (|e| e.signature = false, &[Missing::Signature]),
        (|e| e.statements = false, &[Missing::Statements]),
        (|e| e.expiry = false, &[]),
        (
            |e| (e.expiry, e.is_tpo) = (false, false),
            &[Missing::Expiry],
        ),
        (|e| (e.statements, e.is_tpo) = (false, false), &[]),
        (|e| e.revocation = false, &[Missing::Revocation]),
    ];
    for (change, expect) in rows {
        let mut changed = whole;
        change(&mut changed);
        assert_eq!(missing(&changed), expect);
    }
}
