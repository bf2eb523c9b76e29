//! The rules as tables: a row is a step, with the time it is recorded at and, where it has one, the
//! time it says it happened; the last column is the named outcome.

use super::*;
use crate::span::{DAY, HOUR};

fn who(actor: &str) -> Who {
    Who {
        actor: actor.into(),
        officer: actor.starts_with("officer") || actor == "themself",
        themself: actor == "themself",
    }
}

fn request() -> Request {
    Request {
        person: "pVnbB3nQ5TtyLS4dGmXQnYg".into(),
        scope: Scope::Record,
        basis: Some(Basis::ConsentWithdrawn),
        citation: "Letter of 2 January, no other ground".into(),
        examined: true,
        delay: DELAY,
    }
}

fn tell(happened: i64) -> Step {
    Step::Tell {
        how: Told::Letter,
        happened,
    }
}

fn why() -> String {
    "Claim 12-345 is pending".into()
}

#[test]
fn a_request_says_who_how_much_why_and_how_long() {
    let check = |change: &dyn Fn(&mut Request), by: &str, expect: Result<(), Refusal>| {
        let mut request = request();
        change(&mut request);
        let begun = Erasure::begin(request, &who(by), 0, DELAY_LEAST);
        assert_eq!(begun.map(|_| ()), expect);
    };
    check(&|_| {}, "officer 1", Ok(()));
    check(&|r| r.delay = DELAY_LEAST, "officer 1", Ok(()));
    check(&|r| r.scope = Scope::Notes, "officer 1", Ok(()));
    check(&|_| {}, "caseworker", Err(Refusal::NotAnOfficer));
    check(&|r| r.person.clear(), "officer 1", Err(Refusal::Nobody));
    check(&|r| r.basis = None, "officer 1", Err(Refusal::NoBasis));
    check(
        &|r| r.citation = "  ".into(),
        "officer 1",
        Err(Refusal::TextMissing {
            what: Basis::ConsentWithdrawn.wants(),
        }),
    );
    check(
        &|r| r.citation = "x".repeat(TEXT_MAX + 1),
        "officer 1",
        Err(Refusal::TextLong),
    );
    check(
        &|r| r.examined = false,
        "officer 1",
        Err(Refusal::NotExamined),
    );
    check(
        &|r| r.delay = DELAY_LEAST - 1,
        "officer 1",
        Err(Refusal::DelayTooShort { least: DELAY_LEAST }),
    );
}

/// Recorded at (hours), by whom, which step, what becomes of it.
type Row = (i64, &'static str, Step, Result<(), Refusal>);

/// Takes the steps that are allowed and goes on after those that are not.
fn check(rows: Vec<Row>) -> Erasure {
    let mut erasure =
        Erasure::begin(request(), &who("officer 1"), 0, DELAY_LEAST).expect("a request");
    for (at, (hours, by, step, expect)) in rows.into_iter().enumerate() {
        let (who, now) = (who(by), hours * HOUR);
        let decided = erasure.decide(&step, &who, now);
        assert_eq!(decided, expect, "row {}: {step:?} by {by}", at + 1);
        if decided.is_ok() {
            erasure.take(step, &who, now);
        }
    }
    // What was taken step by step is what a reader of the record finds, without a fault.
    let (again, found) = review(&erasure.steps, DELAY_LEAST).expect("steps");
    assert_eq!((again, found), (erasure.clone(), vec![]));
    erasure
}

#[test]
fn two_other_officers_approve() {
    use Step::Approve;
    let erasure = check(vec![
        (1, "caseworker", Approve, Err(Refusal::NotAnOfficer)),
        (1, "officer 1", Approve, Err(Refusal::OwnRequest)),
        (1, "themself", Approve, Err(Refusal::Themself)),
        (1, "officer 2", Approve, Ok(())),
        (2, "officer 2", Approve, Err(Refusal::ApprovedAlready)),
        (3, "officer 1", Approve, Err(Refusal::OwnRequest)),
        (4, "officer 3", Approve, Ok(())),
        (5, "officer 4", Approve, Err(Refusal::ApprovedByAll)),
    ]);
    assert_eq!(erasure.task_status(), "accepted");
}

#[test]
fn the_delay_counts_from_the_telling_as_it_was_recorded() {
    // Recorded at hour 24; said to have happened 40 days before: that shortens nothing.
    let earliest = 24 * HOUR + DELAY;
    let after = 24 + DELAY / HOUR;
    let erasure = check(vec![
        (1, "officer 2", Step::Approve, Ok(())),
        (
            2,
            "officer 3",
            Step::CarryOut,
            Err(Refusal::NotApproved { have: 1 }),
        ),
        (2, "officer 3", Step::Approve, Ok(())),
        (3, "officer 3", Step::CarryOut, Err(Refusal::NotTold)),
        (
            4,
            "officer 3",
            tell(5 * HOUR),
            Err(Refusal::ToldInTheFuture),
        ),
        (24, "officer 3", tell(-40 * DAY), Ok(())),
        (25, "officer 3", tell(25 * HOUR), Err(Refusal::ToldAlready)),
        (
            25,
            "officer 3",
            Step::CarryOut,
            Err(Refusal::TooEarly { earliest }),
        ),
        (
            after - 1,
            "officer 3",
            Step::CarryOut,
            Err(Refusal::TooEarly { earliest }),
        ),
        (
            after,
            "caseworker",
            Step::CarryOut,
            Err(Refusal::NotAnOfficer),
        ),
        (after, "themself", Step::CarryOut, Err(Refusal::Themself)),
        (after, "officer 1", Step::CarryOut, Ok(())),
        (after, "officer 2", Step::CarryOut, Err(Refusal::UnderWay)),
        (after, "officer 2", Step::Done, Err(Refusal::UnderWay)),
        (
            after,
            "officer 2",
            Step::Withdraw { why: why() },
            Err(Refusal::UnderWay),
        ),
        (after, PROGRAMME, Step::Done, Ok(())),
        (after, "officer 2", Step::Approve, Err(Refusal::Done)),
    ]);
    assert_eq!(
        (erasure.stage, erasure.task_status()),
        (Stage::Done, "completed")
    );
}

#[test]
fn who_is_not_told_is_so_for_a_reason_that_is_written_down() {
    let untold = |why: &str| Step::LeaveUntold {
        ground: Untold::CourtOrder,
        why: why.into(),
    };
    let earliest = 6 * HOUR + DELAY;
    check(vec![
        (1, "officer 2", Step::Approve, Ok(())),
        (2, "officer 3", Step::Approve, Ok(())),
        (
            5,
            "officer 3",
            untold(""),
            Err(Refusal::TextMissing {
                what: Untold::CourtOrder.wants(),
            }),
        ),
        (6, "officer 3", untold("District court, order 7"), Ok(())),
        (
            7,
            "officer 3",
            Step::CarryOut,
            Err(Refusal::TooEarly { earliest }),
        ),
    ]);
}

#[test]
fn a_hold_stands_in_the_way_until_it_is_lifted() {
    let held = |hold| {
        Err(Refusal::Held {
            hold,
            actor: "caseworker".into(),
            why: why(),
        })
    };
    let hold = || Step::Hold { why: why() };
    let release = |hold| Step::Release { hold, why: why() };
    let late = 2 + DELAY / HOUR;
    let erasure = check(vec![
        (1, "officer 2", Step::Approve, Ok(())),
        (1, "officer 3", Step::Approve, Ok(())),
        (2, "officer 3", tell(HOUR), Ok(())),
        (3, "caseworker", hold(), Ok(())),
        (4, "caseworker", hold(), Ok(())),
        (late, "officer 3", Step::CarryOut, held(1)),
        (late, "caseworker", release(1), Err(Refusal::NotAnOfficer)),
        (
            late,
            "officer 3",
            release(3),
            Err(Refusal::NoSuchHold { hold: 3 }),
        ),
        (late, "officer 3", release(1), Ok(())),
        (
            late,
            "officer 3",
            release(1),
            Err(Refusal::NoSuchHold { hold: 1 }),
        ),
        (late, "officer 3", Step::CarryOut, held(2)),
        (late, "officer 3", release(2), Ok(())),
        (late, "officer 3", Step::CarryOut, Ok(())),
    ]);
    assert_eq!(erasure.task_status(), "in-progress");
}

#[test]
fn what_is_over_stays_over() {
    for (ending, status) in [
        (Step::Refuse { why: why() }, "rejected"),
        (Step::Withdraw { why: why() }, "cancelled"),
    ] {
        let erasure = check(vec![
            (1, "caseworker", ending.clone(), Err(Refusal::NotAnOfficer)),
            (2, "officer 2", ending, Ok(())),
            (3, "officer 3", Step::Approve, Err(Refusal::Over)),
            (4, "officer 3", Step::CarryOut, Err(Refusal::Over)),
            (4, PROGRAMME, Step::Done, Err(Refusal::Over)),
        ]);
        assert_eq!(erasure.task_status(), status);
    }
}

#[test]
fn what_was_never_allowed_is_found_on_the_record() {
    let taken = |hours: i64, by: &str, step: Step| Taken {
        step,
        who: who(by),
        recorded_at: hours * HOUR,
    };
    let begin = || taken(0, "officer 1", Step::Request(request()));
    let late = 2 + DELAY / HOUR;
    let done = |steps: Vec<Taken>| {
        let mut all = vec![begin()];
        all.extend(steps);
        all.push(taken(late, "officer 1", Step::CarryOut));
        all.push(taken(late, PROGRAMME, Step::Done));
        all
    };
    let check = |steps: Vec<Taken>, expect: &[(usize, Refusal)]| {
        let (erasure, found) = review(&steps, DELAY_LEAST).expect("a request");
        assert_eq!(erasure.stage, Stage::Done);
        let found: Vec<_> = found.into_iter().map(|f| (f.step, f.refusal)).collect();
        assert_eq!(found, expect);
    };
    let approve = |by| taken(1, by, Step::Approve);
    let told = |hours| taken(hours, "officer 2", tell(0));
    check(
        done(vec![approve("officer 2"), approve("officer 3"), told(2)]),
        &[],
    );
    check(
        done(vec![approve("officer 2"), told(2)]),
        &[(4, Refusal::NotApproved { have: 1 })],
    );
    check(
        done(vec![approve("officer 2"), approve("officer 2"), told(2)]),
        &[(3, Refusal::ApprovedAlready)],
    );
    check(
        done(vec![approve("officer 2"), approve("officer 3")]),
        &[(4, Refusal::NotTold)],
    );
    check(
        done(vec![approve("officer 2"), approve("officer 3"), told(3)]),
        &[(
            5,
            Refusal::TooEarly {
                earliest: 3 * HOUR + DELAY,
            },
        )],
    );
    let mut no_basis = request();
    no_basis.basis = None;
    let steps = done(vec![approve("officer 2"), approve("officer 3"), told(2)]);
    let steps: Vec<_> = std::iter::once(taken(0, "officer 1", Step::Request(no_basis)))
        .chain(steps.into_iter().skip(1))
        .collect();
    check(steps, &[(1, Refusal::NoBasis)]);
    assert_eq!(review(&[], DELAY_LEAST), None);
    assert_eq!(review(&[approve("officer 2")], DELAY_LEAST), None);
    // Said to be done without anybody having begun it.
    let (_, found) = review(&[begin(), taken(1, PROGRAMME, Step::Done)], DELAY_LEAST).unwrap();
    assert_eq!(found[0].refusal, Refusal::NotBegun);
}

#[test]
fn a_text_may_not_say_who_it_is_about() {
    let words = ["Haddad", "Samir", "VR-26-1149", "1985-02-03", "a"];
    for (text, expect) in [
        ("At the wish of the person, letter of 2 January", None),
        ("At the wish of SAMIR", Some("Samir")),
        ("mr.haddad's letter", Some("Haddad")),
        ("Order 5, VR-26-1149", Some("VR-26-1149")),
        ("born 1985-02-03", Some("1985-02-03")),
        ("Samira and the haddads", None),
        ("", None),
    ] {
        assert_eq!(says_who(text, words), expect, "{text}");
    }
}

#[test]
fn every_refusal_is_a_sentence() {
    let all = [
        Refusal::NotAnOfficer,
        Refusal::Nobody,
        Refusal::NoBasis,
        Refusal::TextMissing { what: "why" },
        Refusal::TextLong,
        Refusal::SaysWho,
        Refusal::NotExamined,
        Refusal::DelayTooShort { least: 7 * DAY },
        Refusal::AnotherIsOpen,
        Refusal::NothingThere,
        Refusal::AskedAlready,
        Refusal::Themself,
        Refusal::OwnRequest,
        Refusal::ApprovedAlready,
        Refusal::ApprovedByAll,
        Refusal::ToldAlready,
        Refusal::ToldInTheFuture,
        Refusal::NoSuchHold { hold: 2 },
        Refusal::NotApproved { have: 1 },
        Refusal::NotTold,
        Refusal::TooEarly { earliest: DAY },
        Refusal::Held {
            hold: 1,
            actor: "user/3".into(),
            why: why(),
        },
        Refusal::Over,
        Refusal::UnderWay,
        Refusal::Done,
        Refusal::NotBegun,
    ];
    let mut sentences: Vec<String> = all.iter().map(Refusal::sentence).collect();
    for sentence in &sentences {
        let first = sentence.chars().next().unwrap();
        assert!(first.is_uppercase() || first.is_ascii_digit(), "{sentence}");
        assert!(
            sentence.ends_with('.') && !sentence.ends_with(".."),
            "{sentence}"
        );
        assert!(!sentence.contains("  "), "{sentence}");
    }
    sentences.sort();
    sentences.dedup();
    assert_eq!(sentences.len(), all.len());
}

#[test]
fn codes_are_each_used_once() {
    fn once(codes: Vec<&str>) {
        let mut unique = codes.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), codes.len(), "{codes:?}");
    }
    once(Basis::ALL.map(Basis::code).to_vec());
    once(Scope::ALL.map(Scope::code).to_vec());
    once(Told::ALL.map(Told::code).to_vec());
    once(Untold::ALL.map(Untold::code).to_vec());
}
