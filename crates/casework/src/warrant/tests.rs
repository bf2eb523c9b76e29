//! The rules as tables: a row is an order, a step or a question; the last column is the outcome.

use super::*;
use crate::span::{DAY, HOUR};

const COURT_PAPER: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const ONE: &str = "pVnbB3nQ5TtyLS4dGmXQnYg";
const OTHER: &str = "pQ3kV0mXc1uT8rB5nZ2yWaA";

fn who(actor: &str) -> Who {
    Who {
        actor: actor.into(),
        officer: actor.starts_with("officer"),
    }
}

fn order() -> Order {
    Order {
        inspector: "inspector 9".into(),
        issuer: "Inspector General, regional office".into(),
        court: false,
        number: "IG-2026-117".into(),
        persons: Persons::Named(vec![ONE.into()]),
        kinds: vec![Kind::Schedule, Kind::Care],
        happened: None,
        from: 10 * DAY,
        until: 40 * DAY,
        notice: Notice::AtOnce,
        paper: COURT_PAPER.into(),
    }
}

fn later(instant: i64) -> Notice {
    Notice::At {
        instant,
        why: "Section 5 of the order".into(),
    }
}

#[test]
fn what_is_entered_says_who_whom_what_and_until_when() {
    let check = |change: &dyn Fn(&mut Order), by: &str, expect: Result<(), Refusal>| {
        let mut order = order();
        change(&mut order);
        assert_eq!(
            Warrant::enter(order.clone(), &who(by), 12 * DAY).map(|_| ()),
            expect,
            "{order:?}"
        );
    };
    let missing = |what| Err(Refusal::TextMissing { what });
    check(&|_| {}, "officer 1", Ok(()));
    check(&|_| {}, "caseworker 3", Err(Refusal::NotAnOfficer));
    check(&|_| {}, "inspector 9", Err(Refusal::NotAnOfficer));
    check(
        &|o| o.inspector = "officer 1".into(),
        "officer 1",
        Err(Refusal::OwnWarrant),
    );
    check(
        &|o| o.inspector.clear(),
        "officer 1",
        Err(Refusal::NoInspector),
    );
    check(
        &|o| o.issuer = " \n ".into(),
        "officer 1",
        missing("who issued it: the court or office, and its place"),
    );
    check(
        &|o| o.number.clear(),
        "officer 1",
        missing("the number that the issuer gave it"),
    );
    check(
        &|o| o.issuer = "x".repeat(TEXT_MAX + 1),
        "officer 1",
        Err(Refusal::TextLong),
    );
    check(&|o| o.persons = Persons::All, "officer 1", Ok(()));
    check(
        &|o| o.persons = Persons::Named(vec![]),
        "officer 1",
        Err(Refusal::NobodyNamed),
    );
    check(
        &|o| o.persons = Persons::Named(vec![ONE.into(); PERSONS_MAX + 1]),
        "officer 1",
        Err(Refusal::TooManyNamed),
    );
    check(&|o| o.kinds.clear(), "officer 1", Err(Refusal::NoKind));
    for kind in [Kind::Notes, Kind::Sud] {
        check(
            &|o| o.kinds.push(kind),
            "officer 1",
            Err(Refusal::NeedsCourt { kind }),
        );
        check(
            &|o| {
                o.kinds.push(kind);
                o.court = true;
            },
            "officer 1",
            Ok(()),
        );
    }
    check(
        &|o| o.happened = Some(Span { start: 5, end: 5 }),
        "officer 1",
        Err(Refusal::NoTimeBetween),
    );
    check(
        &|o| o.until = o.from,
        "officer 1",
        Err(Refusal::EndsBeforeItBegins),
    );
    check(
        &|o| o.until = 12 * DAY,
        "officer 1",
        Err(Refusal::OverAlready { until: 12 * DAY }),
    );
    check(&|o| o.until = o.from + TERM_MAX, "officer 1", Ok(()));
    check(
        &|o| o.until = o.from + TERM_MAX + 1,
        "officer 1",
        Err(Refusal::TermTooLong),
    );
    check(
        &|o| o.notice = later(40 * DAY + NOTICE_MAX),
        "officer 1",
        Ok(()),
    );
    check(
        &|o| o.notice = later(40 * DAY + NOTICE_MAX + 1),
        "officer 1",
        Err(Refusal::NoticeTooLate),
    );
    check(
        &|o| o.notice = Notice::AtTheEnd { why: "no".into() },
        "officer 1",
        missing(WHY_LATER),
    );
    for paper in ["", "9F86", &COURT_PAPER[1..], &COURT_PAPER.to_uppercase()] {
        check(
            &|o| o.paper = paper.into(),
            "officer 1",
            Err(Refusal::NoPaper),
        );
    }
}

/// Enters the usual order at day 12 with a change.
fn entered(change: impl Fn(&mut Order)) -> Warrant {
    let mut order = order();
    change(&mut order);
    Warrant::enter(order, &who("officer 1"), 12 * DAY).expect("a warrant")
}

fn ask(person: &'static str, kind: Kind, now: i64) -> Asked<'static> {
    Asked {
        inspector: "inspector 9",
        person,
        kind: Some(kind),
        happened: When::Unknown,
        now,
    }
}

#[test]
fn it_opens_what_it_names_while_it_is_in_force() {
    let warrant = entered(|_| {});
    let over = Closed::Expired { until: 40 * DAY };
    for (person, kind, now, expect) in [
        (ONE, Kind::Care, 12 * DAY, Ok(())),
        (ONE, Kind::Schedule, 40 * DAY - 1, Ok(())),
        // Who a named person is, always.
        (ONE, Kind::Identity, 13 * DAY, Ok(())),
        // It bears an earlier date, and opens nothing before it was entered.
        (
            ONE,
            Kind::Care,
            11 * DAY,
            Err(Closed::NotYet { from: 12 * DAY }),
        ),
        (ONE, Kind::Care, 40 * DAY, Err(over)),
        (ONE, Kind::Identity, 40 * DAY, Err(over)),
        (OTHER, Kind::Care, 13 * DAY, Err(Closed::OtherPerson)),
        (OTHER, Kind::Identity, 13 * DAY, Err(Closed::OtherPerson)),
        (
            ONE,
            Kind::Notes,
            13 * DAY,
            Err(Closed::OtherKind { kind: Kind::Notes }),
        ),
    ] {
        assert_eq!(
            warrant.opens(&ask(person, kind, now)),
            expect,
            "{person} {kind:?} at {now}"
        );
    }
    let asked = Asked {
        inspector: "inspector 10",
        ..ask(ONE, Kind::Care, 13 * DAY)
    };
    assert_eq!(warrant.opens(&asked), Err(Closed::OtherInspector));
    let asked = Asked {
        kind: None,
        ..ask(ONE, Kind::Care, 13 * DAY)
    };
    assert_eq!(warrant.opens(&asked), Ok(()));
}

#[test]
fn what_happened_outside_its_time_stays_closed() {
    let (start, end) = (2 * DAY, 5 * DAY);
    let warrant = entered(|o| o.happened = Some(Span { start, end }));
    for (happened, expect) in [
        (Some((start, end)), Ok(())),
        (Some((3 * DAY, 3 * DAY + 1)), Ok(())),
        (Some((start - 1, 3 * DAY)), Err(Closed::OutsideTime)),
        (Some((3 * DAY, end + 1)), Err(Closed::OutsideTime)),
        (Some((3 * DAY, i64::MAX)), Err(Closed::OutsideTime)),
        (Some((6 * DAY, 7 * DAY)), Err(Closed::OutsideTime)),
        (None, Err(Closed::OutsideTime)),
    ] {
        let asked = Asked {
            happened: happened.map_or(When::Unknown, |(start, end)| When::At(Span { start, end })),
            ..ask(ONE, Kind::Care, 13 * DAY)
        };
        assert_eq!(warrant.opens(&asked), expect, "{happened:?}");
    }
    let asked = Asked {
        happened: When::Any,
        ..ask(ONE, Kind::Care, 13 * DAY)
    };
    assert_eq!(
        warrant.opens(&asked),
        Ok(()),
        "something of the kind is open"
    );
    assert_eq!(
        warrant.opens(&ask(ONE, Kind::Identity, 13 * DAY)),
        Ok(()),
        "who somebody is has no time"
    );
}

#[test]
fn a_revoked_one_opens_nothing_from_that_moment_on() {
    let mut warrant = entered(|o| {
        o.notice = Notice::AtTheEnd {
            why: "Sealed until then".into(),
        }
    });
    let revoke = || Step::Revoke {
        why: "Set aside on appeal".into(),
    };
    let silent = Step::Revoke { why: " ".into() };
    let what = "why it is revoked, and by whose decision";
    assert_eq!(warrant.notice_due(), 40 * DAY);
    for (by, step, now, expect) in [
        (
            "inspector 9",
            revoke(),
            13 * DAY,
            Err(Refusal::NotAnOfficer),
        ),
        (
            "officer 2",
            silent,
            13 * DAY,
            Err(Refusal::TextMissing { what }),
        ),
        (
            "officer 2",
            revoke(),
            40 * DAY,
            Err(Refusal::OverAlready { until: 40 * DAY }),
        ),
        (
            "officer 2",
            Step::Enter(order()),
            13 * DAY,
            Err(Refusal::EnteredAlready),
        ),
        ("officer 2", revoke(), 14 * DAY, Ok(())),
        (
            "officer 1",
            revoke(),
            15 * DAY,
            Err(Refusal::RevokedAlready),
        ),
    ] {
        let decided = warrant.decide(&step, &who(by), now);
        assert_eq!(decided, expect, "{step:?} by {by}");
        if decided.is_ok() {
            warrant.take(step, &who(by), now);
        }
    }
    assert_eq!(warrant.opens(&ask(ONE, Kind::Care, 14 * DAY - 1)), Ok(()));
    assert_eq!(
        warrant.opens(&ask(ONE, Kind::Care, 14 * DAY)),
        Err(Closed::Revoked { at: 14 * DAY })
    );
    assert_eq!(
        warrant.notice_due(),
        14 * DAY,
        "whoever is told at the end is told when it is revoked"
    );
    assert_eq!(review(&warrant.steps), Some((warrant.clone(), vec![])));
}

#[test]
fn of_several_the_one_that_opens_it_counts_and_else_the_nearest_reason() {
    let narrow = entered(|o| o.persons = Persons::Named(vec![OTHER.into()]));
    let short = entered(|o| o.until = 13 * DAY);
    let wide = entered(|o| o.persons = Persons::All);
    let asked = ask(ONE, Kind::Care, 14 * DAY);
    assert_eq!(in_force([&narrow, &short, &wide], &asked), Ok(&wide));
    assert_eq!(
        in_force([&short, &narrow], &asked),
        Err(Closed::Expired { until: 13 * DAY })
    );
    assert_eq!(in_force([&narrow], &asked), Err(Closed::OtherPerson));
    assert_eq!(in_force([], &asked), Err(Closed::OtherInspector));
    let notes = ask(ONE, Kind::Notes, 14 * DAY);
    assert_eq!(
        in_force([&short, &wide], &notes),
        Err(Closed::OtherKind { kind: Kind::Notes })
    );
}

#[test]
fn a_step_that_the_rules_would_have_refused_is_found_on_the_record() {
    let mut warrant = entered(|_| {});
    let step = Step::Revoke {
        why: "Because I say so".into(),
    };
    warrant.take(step, &who("inspector 9"), 13 * DAY);
    warrant.steps[0].who = who("caseworker 3");
    let (again, found) = review(&warrant.steps).expect("steps");
    assert_eq!(again.revoked, warrant.revoked);
    let found: Vec<(usize, &str, Refusal)> = found
        .into_iter()
        .map(|unlawful| (unlawful.step, unlawful.code, unlawful.refusal))
        .collect();
    assert_eq!(
        found,
        [
            (1, "entered", Refusal::NotAnOfficer),
            (2, "revoked", Refusal::NotAnOfficer)
        ]
    );
}

#[test]
fn every_reason_is_a_sentence() {
    let from = 1_795_338_720_000_000;
    for closed in [
        Closed::OtherInspector,
        Closed::OtherPerson,
        Closed::Expired { until: from },
        Closed::Revoked { at: from },
        Closed::NotYet { from: from + HOUR },
        Closed::OtherKind { kind: Kind::Sud },
        Closed::OutsideTime,
    ] {
        let sentence = closed.sentence();
        assert!(
            sentence.ends_with('.') && sentence.starts_with(char::is_uppercase),
            "{sentence}"
        );
    }
    assert_eq!(
        Closed::NotYet { from }.sentence(),
        "The warrant opens nothing before 2026-11-22 09:12 UTC."
    );
}
