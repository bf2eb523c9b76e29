//! The rules as tables: a row is a delegation, a step or a question; the last column is the outcome.

use super::*;

const MINE: &str = "pVnbB3nQ5TtyLS4dGmXQnYg";
const COVERED: &str = "pQ3kV0mXc1uT8rB5nZ2yWaA";

fn who(actor: &str) -> Who {
    Who {
        actor: actor.into(),
        supervises: actor == "supervisor",
    }
}

fn facts() -> Facts {
    Facts {
        delegate_cares: true,
        own: BTreeSet::from([MINE.to_owned()]),
    }
}

fn cover() -> Cover {
    Cover {
        owner: "osei".into(),
        delegate: "lindqvist".into(),
        whose: Whose::All,
        from: 10 * DAY,
        until: 24 * DAY,
        why: "Annual leave".into(),
    }
}

#[test]
fn people_are_handed_over_by_whoever_they_belong_to() {
    let check = |change: &dyn Fn(&mut Cover, &mut Facts), by: &str, expect: Result<(), Refusal>| {
        let (mut cover, mut facts) = (cover(), facts());
        change(&mut cover, &mut facts);
        let entered = Delegation::enter(cover.clone(), &who(by), &facts, 9 * DAY);
        assert_eq!(entered.map(|_| ()), expect, "{cover:?} by {by}");
    };
    let named = |named: &[&str]| Whose::Named(named.iter().map(|one| (*one).into()).collect());
    check(&|_, _| {}, "osei", Ok(()));
    check(&|_, _| {}, "supervisor", Ok(()));
    check(&|_, _| {}, "lindqvist", Err(Refusal::NotYours));
    check(&|_, _| {}, "stranger", Err(Refusal::NotYours));
    check(&|c, _| c.delegate.clear(), "osei", Err(Refusal::Nobody));
    check(
        &|c, _| c.delegate = "osei".into(),
        "osei",
        Err(Refusal::ToThemself),
    );
    check(
        &|_, f| f.delegate_cares = false,
        "osei",
        Err(Refusal::NotForThisRole),
    );
    check(&|c, _| c.whose = named(&[MINE]), "osei", Ok(()));
    check(
        &|c, _| c.whose = named(&[]),
        "osei",
        Err(Refusal::NobodyNamed),
    );
    // A delegate passes on what is not theirs.
    check(
        &|c, _| c.whose = named(&[MINE, COVERED]),
        "osei",
        Err(Refusal::NotTheirOwn { others: 1 }),
    );
    check(
        &|c, _| c.until = c.from,
        "osei",
        Err(Refusal::EndsBeforeItBegins),
    );
    check(
        &|c, _| (c.from, c.until) = (DAY, 9 * DAY),
        "osei",
        Err(Refusal::OverAlready { until: 9 * DAY }),
    );
    check(&|c, _| c.until = c.from + LENGTH_MAX, "osei", Ok(()));
    check(
        &|c, _| c.until = c.from + LENGTH_MAX + 1,
        "osei",
        Err(Refusal::TooLong),
    );
    check(
        &|c, _| c.why = " ".into(),
        "osei",
        Err(Refusal::TextMissing),
    );
    check(
        &|c, _| c.why = "x".repeat(TEXT_MAX + 1),
        "osei",
        Err(Refusal::TextLong),
    );
}

fn entered(change: impl Fn(&mut Cover)) -> Delegation {
    let mut cover = cover();
    change(&mut cover);
    let owner = who(&cover.owner);
    Delegation::enter(cover, &owner, &facts(), 9 * DAY).expect("a delegation")
}

#[test]
fn it_covers_the_owners_people_while_it_lasts() {
    let all = entered(|_| {});
    let one = entered(|c| c.whose = Whose::Named(vec![MINE.into()]));
    let mut ended = entered(|_| {});
    ended.take(Step::End, &who("lindqvist"), 12 * DAY);
    for (delegation, delegate, owner, person, now, expect) in [
        (&all, "lindqvist", "osei", MINE, 10 * DAY, true),
        (&all, "lindqvist", "osei", COVERED, 10 * DAY, true),
        (&all, "lindqvist", "osei", MINE, 24 * DAY - 1, true),
        (&all, "lindqvist", "osei", MINE, 10 * DAY - 1, false),
        (&all, "lindqvist", "osei", MINE, 24 * DAY, false),
        (&all, "abara", "osei", MINE, 10 * DAY, false),
        (&all, "lindqvist", "abara", MINE, 10 * DAY, false),
        (&one, "lindqvist", "osei", MINE, 10 * DAY, true),
        (&one, "lindqvist", "osei", COVERED, 10 * DAY, false),
        (&ended, "lindqvist", "osei", MINE, 12 * DAY - 1, true),
        (&ended, "lindqvist", "osei", MINE, 12 * DAY, false),
    ] {
        assert_eq!(
            covers([delegation], delegate, owner, person, now).is_some(),
            expect,
            "{delegate} for {owner} at {now}"
        );
    }
    // One that is entered late opens nothing of before.
    let late = Delegation::enter(cover(), &who("osei"), &facts(), 15 * DAY).expect("one");
    assert!(covers([&late], "lindqvist", "osei", MINE, 14 * DAY).is_none());
}

#[test]
fn what_one_covers_for_another_is_not_handed_on_with_all_of_ones_own() {
    // Osei hands over to Lindqvist, who hands over all of hers to Abara.
    let first = entered(|_| {});
    let second = entered(|c| (c.owner, c.delegate) = ("lindqvist".into(), "abara".into()));
    let all = [first, second];
    let now = 12 * DAY;
    assert!(covers(&all, "lindqvist", "osei", MINE, now).is_some());
    assert!(covers(&all, "abara", "lindqvist", COVERED, now).is_some());
    assert!(covers(&all, "abara", "osei", MINE, now).is_none());
}

#[test]
fn it_is_ended_by_those_whom_it_concerns() {
    let mut delegation = entered(|_| {});
    for (by, now, expect) in [
        ("stranger", 11 * DAY, Err(Refusal::NotConcerned)),
        (
            "osei",
            24 * DAY,
            Err(Refusal::OverAlready { until: 24 * DAY }),
        ),
        ("supervisor", 11 * DAY, Ok(())),
        (
            "osei",
            12 * DAY,
            Err(Refusal::OverAlready { until: 11 * DAY }),
        ),
    ] {
        let decided = delegation.decide(&Step::End, &who(by), now);
        assert_eq!(decided, expect, "{by}");
        if decided.is_ok() {
            delegation.take(Step::End, &who(by), now);
        }
    }
    assert_eq!(
        delegation.decide(&Step::Enter(cover()), &who("osei"), 11 * DAY),
        Err(Refusal::EnteredAlready)
    );
    assert_eq!(delegation.stage(11 * DAY), Stage::Over);
    assert_eq!(delegation.task_status(), "cancelled");
    assert_eq!(Delegation::of(&delegation.steps), Some(delegation));
}
