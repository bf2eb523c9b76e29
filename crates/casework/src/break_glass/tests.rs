//! The rules as tables: a row is a step or a question; the last column is the named outcome.

use super::*;
use crate::span::HOUR;

const ONE: &str = "pVnbB3nQ5TtyLS4dGmXQnYg";
const WHY: &str = "Called from the bridge, colleague not reachable";

fn who(actor: &str) -> Who {
    let role = actor.split(' ').next().unwrap_or_default();
    Who {
        actor: actor.into(),
        cares: ROLES.contains(&role),
        reviews: actor == "supervisor 2",
        themself: actor.ends_with("themself"),
    }
}

fn opening() -> Opening {
    Opening {
        person: ONE.into(),
        need: Need::Emergency,
        why: WHY.into(),
        length: LENGTH_MAX,
    }
}

#[test]
fn it_is_for_those_who_care_short_and_says_why() {
    let check = |change: &dyn Fn(&mut Opening), by: &str, expect: Result<(), Refusal>| {
        let mut opening = opening();
        change(&mut opening);
        let opened = BreakGlass::open(opening, &who(by), HOUR);
        assert_eq!(opened.map(|_| ()), expect, "{by}");
    };
    for by in ["caseworker 3", "prescriber 4", "supervisor 2"] {
        check(&|_| {}, by, Ok(()));
    }
    for by in [
        "evaluator 5",
        "sponsor 6",
        "inspector 9",
        "officer 1",
        "administrator 7",
        "participant 8",
        "client 10",
    ] {
        check(&|_| {}, by, Err(Refusal::NotForThisRole));
    }
    check(&|o| o.person.clear(), "caseworker 3", Err(Refusal::Nobody));
    check(&|_| {}, "caseworker themself", Err(Refusal::Themself));
    for why in ["", "help", "one two three four", "- - . . ! ?"] {
        check(
            &|o| o.why = why.into(),
            "caseworker 3",
            Err(Refusal::FewWords),
        );
    }
    check(
        &|o| o.why = "word ".repeat(TEXT_MAX),
        "caseworker 3",
        Err(Refusal::TextLong),
    );
    for length in [0, LENGTH_LEAST - 1, LENGTH_MAX + 1, -HOUR, i64::MAX] {
        check(&|o| o.length = length, "caseworker 3", Err(Refusal::Length));
    }
    check(&|o| o.length = LENGTH_LEAST, "caseworker 3", Ok(()));
}

/// Recorded at (quarters of an hour), by whom, which step, what becomes of it.
type Row = (i64, &'static str, Step, Result<(), Refusal>);

fn check(rows: Vec<Row>) -> BreakGlass {
    let mut broken = BreakGlass::open(opening(), &who("caseworker 3"), 0).expect("one");
    for (at, (quarters, by, step, expect)) in rows.into_iter().enumerate() {
        let (who, now) = (who(by), quarters * HOUR / 4);
        let decided = broken.decide(&step, &who, now);
        assert_eq!(decided, expect, "row {}: {step:?} by {by}", at + 1);
        if decided.is_ok() {
            broken.take(step, &who, now);
        }
    }
    assert_eq!(review(&broken.steps), Some((broken.clone(), vec![])));
    broken
}

fn reviewed(why: &str) -> Step {
    Step::Review {
        outcome: Outcome::Justified,
        why: why.into(),
    }
}

#[test]
fn the_supervisor_judges_it_when_it_is_over_and_nobody_else() {
    let broken = check(vec![
        (
            1,
            "supervisor 2",
            reviewed(WHY),
            Err(Refusal::StillOpen { until: LENGTH_MAX }),
        ),
        (1, "caseworker 4", Step::End, Err(Refusal::NotConcerned)),
        (
            2,
            "caseworker 3",
            Step::Open(opening()),
            Err(Refusal::OpenedAlready),
        ),
        (2, "caseworker 3", Step::End, Ok(())),
        (3, "supervisor 2", Step::End, Err(Refusal::OverAlready)),
        (3, "caseworker 3", reviewed(WHY), Err(Refusal::OwnReview)),
        (
            3,
            "caseworker 4",
            reviewed(WHY),
            Err(Refusal::NotTheirSupervisor),
        ),
        (
            3,
            "supervisor themself",
            reviewed(WHY),
            Err(Refusal::Themself),
        ),
        (
            3,
            "supervisor 2",
            reviewed("  "),
            Err(Refusal::ReviewWithoutWords),
        ),
        (3, "supervisor 2", reviewed(WHY), Ok(())),
        (
            4,
            "supervisor 2",
            reviewed(WHY),
            Err(Refusal::ReviewedAlready),
        ),
    ]);
    assert_eq!(broken.task_status(), "completed");
    assert_eq!(broken.end(), HOUR / 2);
    assert!(!broken.is_overdue(REVIEW_DUE));
}

#[test]
fn whoever_supervises_can_end_it() {
    let broken = check(vec![(1, "supervisor 2", Step::End, Ok(()))]);
    assert!(broken.lasts(HOUR / 4 - 1) && !broken.lasts(HOUR / 4));
    assert_eq!(broken.task_status(), "on-hold");
}

#[test]
fn a_review_is_overdue_when_its_clock_has_run_out() {
    let broken = check(vec![]);
    assert!(!broken.is_overdue(REVIEW_DUE - 1));
    assert!(broken.is_overdue(REVIEW_DUE));
}

#[test]
fn it_opens_one_record_for_one_reader_while_it_lasts_and_takes_nothing_away() {
    let broken = check(vec![]);
    let ask = |kind, now| Asked {
        reader: "caseworker 3",
        person: ONE,
        kind: Some(kind),
        export: false,
        now,
    };
    for (asked, expect) in [
        (ask(Kind::Care, 0), Ok(())),
        (ask(Kind::Notes, HOUR), Ok(())),
        (ask(Kind::Sud, LENGTH_MAX - 1), Ok(())),
        (
            ask(Kind::Care, LENGTH_MAX),
            Err(Closed::Over { end: LENGTH_MAX }),
        ),
        (ask(Kind::Care, -1), Err(Closed::Over { end: LENGTH_MAX })),
        (
            ask(Kind::Access, HOUR),
            Err(Closed::OtherKind { kind: Kind::Access }),
        ),
        (
            Asked {
                reader: "caseworker 4",
                ..ask(Kind::Care, HOUR)
            },
            Err(Closed::Nothing),
        ),
        (
            Asked {
                person: "pQ3kV0mXc1uT8rB5nZ2yWaA",
                ..ask(Kind::Care, HOUR)
            },
            Err(Closed::Nothing),
        ),
        (
            Asked {
                export: true,
                ..ask(Kind::Care, HOUR)
            },
            Err(Closed::Export),
        ),
        (
            Asked {
                export: true,
                kind: None,
                ..ask(Kind::Care, HOUR)
            },
            Err(Closed::Export),
        ),
    ] {
        assert_eq!(broken.opens(&asked), expect, "{asked:?}");
        assert_eq!(in_force([&broken], &asked).map(|_| ()), expect);
    }
}

#[test]
fn what_is_protected_stays_closed_unless_somebody_is_in_danger() {
    for kind in Kind::ALL {
        let protected = matches!(kind, Kind::Notes | Kind::Sud | Kind::Restricted);
        assert_eq!(
            Need::Emergency.opens(kind),
            kind != Kind::Access,
            "{kind:?}"
        );
        assert_eq!(
            Need::Care.opens(kind),
            kind != Kind::Access && !protected,
            "{kind:?}"
        );
    }
}

#[test]
fn a_length_on_the_record_that_is_too_long_lasts_no_longer_than_the_longest() {
    let mut broken = check(vec![]);
    broken.steps[0].step = Step::Open(Opening {
        length: i64::MAX,
        ..opening()
    });
    let (again, found) = review(&broken.steps).expect("steps");
    assert_eq!(again.end(), LENGTH_MAX);
    assert_eq!(found[0].refusal, Refusal::Length);
}
