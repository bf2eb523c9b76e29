//! The rules as tables: a row is a step, when it is recorded and by whom; the last column is the
//! named outcome.

use super::*;

const PERSON: Who = Who {
    themself: true,
    answers: false,
    wrote_it: false,
    for_person: false,
};
const SUPERVISOR: Who = Who {
    themself: false,
    answers: true,
    wrote_it: false,
    for_person: false,
};
const AUTHOR: Who = Who {
    wrote_it: true,
    ..SUPERVISOR
};
const CLERK: Who = Who {
    for_person: true,
    ..SUPERVISOR
};
const STRANGER: Who = Who {
    answers: false,
    ..SUPERVISOR
};

const DISAGREE: Step = Step::Disagree {
    ground: Ground::Accurate,
};
const AGREE: Step = Step::Agree { amended: None };

type Row = (i64, Who, Step, &'static str, Result<(), Refusal>);

/// Takes the steps that are allowed and goes on after those that are not.
#[track_caller]
fn check(rows: Vec<Row>) -> Dispute {
    let mut dispute = Dispute::raise(&PERSON, "I was not there", 0).expect("a dispute");
    for (day, who, step, text, expect) in rows {
        let decided = dispute.decide(&step, &who, text, day * DAY);
        assert_eq!(decided, expect, "day {day}: {step:?} by {who:?}");
        if decided.is_ok() {
            dispute.take(&step, day * DAY);
        }
    }
    dispute
}

#[test]
fn a_dispute_is_the_persons_or_written_down_for_them() {
    let long = "x".repeat(TEXT_MAX + 1);
    let wants = Step::Raise.wants().expect("words");
    let rows = [
        (PERSON, "I was not there", Ok(())),
        (CLERK, "said on the telephone: I was not there", Ok(())),
        (SUPERVISOR, "he was not there", Err(Refusal::NotThePerson)),
        (PERSON, "  ", Err(Refusal::TextMissing { what: wants })),
        (PERSON, long.as_str(), Err(Refusal::TextLong)),
    ];
    for (who, text, expect) in rows {
        assert_eq!(Dispute::raise(&who, text, 0).map(|_| ()), expect);
    }
}

#[test]
fn an_answer_is_owed_by_somebody_else_than_the_author() {
    let dispute = check(vec![
        (1, STRANGER, AGREE, "", Err(Refusal::NotStaff)),
        (1, PERSON, AGREE, "", Err(Refusal::OwnDispute)),
        (1, AUTHOR, AGREE, "", Err(Refusal::OwnEntry)),
        (1, AUTHOR, DISAGREE, "No", Err(Refusal::OwnEntry)),
        (1, SUPERVISOR, AGREE, "", Ok(())),
        (2, SUPERVISOR, DISAGREE, "No", Err(Refusal::Over)),
        (
            2,
            PERSON,
            Step::State,
            "But",
            Err(Refusal::NothingToDisagreeWith),
        ),
        (2, PERSON, Step::Withdraw, "", Err(Refusal::Over)),
    ]);
    assert_eq!(
        (dispute.stage, dispute.task_status()),
        (Stage::Agreed, "completed")
    );
    assert_eq!(dispute.ended_at, Some(DAY));
}

#[test]
fn whoever_is_not_agreed_with_has_the_last_word_once() {
    let wants = DISAGREE.wants().expect("words");
    let dispute = check(vec![
        (
            1,
            PERSON,
            Step::State,
            "But",
            Err(Refusal::NothingToDisagreeWith),
        ),
        (
            1,
            SUPERVISOR,
            DISAGREE,
            "",
            Err(Refusal::TextMissing { what: wants }),
        ),
        (1, SUPERVISOR, DISAGREE, "The sign-in sheet has you", Ok(())),
        (
            2,
            SUPERVISOR,
            Step::State,
            "But",
            Err(Refusal::NotThePerson),
        ),
        (2, PERSON, Step::State, "It is not my hand", Ok(())),
        (3, PERSON, Step::State, "And", Err(Refusal::StatedAlready)),
        (3, SUPERVISOR, AGREE, "", Err(Refusal::Over)),
    ]);
    assert_eq!(
        (dispute.stage, dispute.task_status()),
        (Stage::Stated, "rejected")
    );
    assert_eq!(dispute.ended_at, Some(DAY));
}

#[test]
fn the_clock_is_sixty_days_and_once_thirty_more() {
    let dispute = check(vec![
        (59, SUPERVISOR, Step::Extend, "The author is away", Ok(())),
        (
            60,
            SUPERVISOR,
            Step::Extend,
            "Still",
            Err(Refusal::ExtendedAlready),
        ),
    ]);
    assert_eq!(dispute.due, 90 * DAY);
    assert!(!dispute.is_overdue(90 * DAY - 1));
    assert!(dispute.is_overdue(90 * DAY));
    let late = check(vec![(
        60,
        SUPERVISOR,
        Step::Extend,
        "Late",
        Err(Refusal::TooLateToExtend),
    )]);
    assert!(late.is_overdue(60 * DAY));
    // An answer that comes late is an answer.
    let answered = check(vec![(300, SUPERVISOR, AGREE, "", Ok(()))]);
    assert!(!answered.is_overdue(400 * DAY));
}

#[test]
fn what_is_taken_back_needs_no_answer() {
    let dispute = check(vec![
        (
            1,
            SUPERVISOR,
            Step::Withdraw,
            "",
            Err(Refusal::NotThePerson),
        ),
        (1, CLERK, Step::Withdraw, "", Ok(())),
        (2, SUPERVISOR, AGREE, "", Err(Refusal::Over)),
    ]);
    assert_eq!(
        (dispute.stage, dispute.task_status()),
        (Stage::Withdrawn, "cancelled")
    );
    assert!(!dispute.is_overdue(400 * DAY));
}
