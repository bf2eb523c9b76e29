//! The steps of an erasure, written as Tasks and read again.

use casework::erasure::{DELAY, Who};
use casework::proceeding::Proceeding as _;

use super::*;
use crate::erasure::Found;

fn who(actor: &str) -> Who {
    Who {
        actor: actor.to_owned(),
        officer: true,
        themself: false,
    }
}

/// Every step, written and read again, is what it was; the Tasks are valid FHIR, and name nobody.
#[test]
fn every_step_comes_back_as_it_was_written() {
    let why = || "Claim 12 is pending \"in court\"".to_owned();
    let request = Request {
        person: "BwcHBwcHBwcHBwcHBwcHBw".to_owned(),
        scope: Scope::Notes,
        basis: Some(Basis::StateLaw),
        citation: "RCW 19.373.040".to_owned(),
        examined: true,
        delay: DELAY,
    };
    let mut steps = vec![
        Step::Approve,
        Step::Tell {
            how: Told::Letter,
            happened: 1_700_000_000_000_000,
        },
        Step::LeaveUntold {
            ground: Untold::Law,
            why: why(),
        },
        Step::Hold { why: why() },
        Step::Release {
            hold: 1,
            why: why(),
        },
        Step::Refuse { why: why() },
        Step::Withdraw { why: why() },
        Step::CarryOut,
        Step::Done,
    ];
    let goes = Goes {
        below: 12,
        entries: 3,
        kinds: vec![("DocumentReference".to_owned(), 3)],
        slots: vec![1, 5],
        names: vec![[3; 32], [4; 32]],
    };
    let begun = Erasure::begin(request.clone(), &who("user/1"), 5, DELAY).expect("a request");
    let check = |erasure: &Erasure, step: &Step| {
        let stored = write("0123456789abcdef", erasure, Some(&goes));
        assert_eq!(super::step(&stored).as_ref(), Some(step));
        let act = evidence::erasure::Act::read(&stored).expect("an erasure");
        assert_eq!(act.step, step.code());
        assert_eq!(act.scope, "therapy-notes");
        assert_eq!(act.goes.as_ref(), Some(&goes));
        let telling = telling("fedcba9876543210", "0123456789abcdef", erasure);
        let told = matches!(step, Step::Tell { .. } | Step::LeaveUntold { .. });
        assert_eq!(telling.is_some(), told, "{step:?}");
        for stored in std::iter::once(stored).chain(telling) {
            let doc = Doc::parse(&stored).expect("JSON");
            let findings = record::validate::validate(doc.root());
            let errors: Vec<_> = findings.iter().filter(|f| f.is_error()).collect();
            assert!(errors.is_empty(), "{step:?}: {errors:?}");
            assert_eq!(record::person::person(doc.root()), None);
            assert!(crate::programme::says_governance(doc.root()), "{step:?}");
        }
    };
    check(&begun, &Step::Request(request));
    for step in steps.drain(..) {
        let mut erasure = begun.clone();
        erasure.take(step.clone(), &who("user/2"), 6);
        check(&erasure, &step);
    }
}

#[test]
fn the_steps_are_read_from_the_versions() {
    let request = Request {
        person: "BwcHBwcHBwcHBwcHBwcHBw".to_owned(),
        scope: Scope::Record,
        basis: Some(Basis::CourtOrder),
        citation: "Order 5".to_owned(),
        examined: true,
        delay: DELAY,
    };
    let mut erasure = Erasure::begin(request, &who("user/1"), 5, DELAY).expect("a request");
    let mut versions = vec![("user/1", write("a", &erasure, None))];
    for actor in ["user/2", "client/scheduler", "user/2"] {
        erasure.take(Step::Approve, &who(actor), 6);
        versions.push((actor, write("a", &erasure, None)));
    }
    let each = versions
        .iter()
        .zip(0i64..)
        .map(|((actor, stored), at)| (*actor, at, at as u64, stored.as_slice()));
    let found = Found::of(each, 0).expect("an erasure");
    assert_eq!((found.version, found.positions.len()), (4, 4));
    let unlawful: Vec<usize> = found
        .unlawful
        .iter()
        .map(|unlawful| unlawful.step)
        .collect();
    assert_eq!(unlawful, [3, 4], "a client is no officer; twice is once");
    assert!(Found::of([("user/1", 0, 0, &b"{}"[..])], 0).is_none());
}
