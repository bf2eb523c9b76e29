use super::*;
use crate::span::HOUR;

const NOW: i64 = 20_000 * DAY + 12 * HOUR;

fn quiet<'a>() -> Facts<'a> {
    Facts {
        now: NOW,
        in_programme: true,
        next_contact: Some(NOW + 5 * DAY),
        last_contact: Some(NOW - 4 * DAY),
        enrolled: Some(NOW - 200 * DAY),
        ..Facts::default()
    }
}

fn measure(instrument: &str, rule: &str, baseline: u16, latest: u16) -> Measure {
    let instrument = instruments::by_key(instrument).unwrap();
    Measure {
        instrument,
        rule: instrument.rule(rule).unwrap(),
        baseline,
        latest,
        latest_at: NOW - 10 * DAY,
        count: 4,
    }
}

/// Facts in, one line a finding: severity, sentence, what is owed.
fn check(facts: Facts, expect: &[&str]) {
    let got: Vec<String> = attention(&facts)
        .iter()
        .map(|f| {
            format!(
                "{:?}: {}{}",
                f.severity,
                f.sentence,
                f.owed
                    .as_ref()
                    .map(|o| format!(" -> {o}"))
                    .unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(got, expect);
}

#[test]
fn a_person_with_everything_in_order_needs_nothing() {
    check(quiet(), &[]);
}

#[test]
fn nobody_goes_nowhere() {
    check(
        Facts {
            next_contact: None,
            ..quiet()
        },
        &["Overdue: No next contact -> Set the next contact"],
    );
    check(
        Facts {
            next_contact: None,
            last_contact: Some(NOW - 45 * DAY),
            ..quiet()
        },
        &[
            "Urgent: Not reached for 45 days and no next contact -> Start an outreach and set the next contact",
        ],
    );
    check(
        Facts {
            next_contact: None,
            last_contact: None,
            enrolled: Some(NOW - 31 * DAY),
            ..quiet()
        },
        &[
            "Urgent: Not reached for 31 days and no next contact -> Start an outreach and set the next contact",
        ],
    );
    check(
        Facts {
            next_contact: Some(NOW - 3 * DAY),
            ..quiet()
        },
        &[
            "Overdue: Contact was due 3 days ago and has no outcome -> Record what came of it and set the next contact",
        ],
    );
    check(
        Facts {
            next_contact: Some(NOW - 2 * HOUR),
            ..quiet()
        },
        &[
            "Overdue: Contact was due earlier today and has no outcome -> Record what came of it and set the next contact",
        ],
    );
    check(
        Facts {
            last_contact: Some(NOW - 33 * DAY),
            missed_since: 2,
            ..quiet()
        },
        &[
            "Overdue: Missed the last 2 contacts -> Reach out another way",
            "Watch: Not reached for 33 days",
        ],
    );
}

#[test]
fn who_has_left_is_not_chased_but_item_nine_is() {
    let gone = || Facts {
        in_programme: false,
        next_contact: None,
        last_contact: Some(NOW - 300 * DAY),
        ..quiet()
    };
    check(gone(), &[]);
    check(
        Facts {
            item_nine: Some(ItemNine {
                value: 2,
                at: NOW - DAY,
                followed_up: None,
            }),
            ..gone()
        },
        &[
            "Urgent: PHQ-9 item 9 answered \u{201c}More than half the days\u{201d} 1 day ago; nobody has spoken with them since -> Speak with the person today and review the safety plan",
        ],
    );
}

#[test]
fn item_nine_stays_in_view_after_it_was_followed_up() {
    let answered = |value, days, followed_up: Option<i64>| Facts {
        item_nine: Some(ItemNine {
            value,
            at: NOW - days * DAY,
            followed_up: followed_up.map(|d| NOW - d * DAY),
        }),
        ..quiet()
    };
    check(answered(0, 1, None), &[]);
    check(
        answered(1, 6, Some(5)),
        &[
            "Watch: PHQ-9 item 9 answered \u{201c}Several days\u{201d} 6 days ago; followed up 5 days ago",
        ],
    );
    check(answered(1, 31, Some(30)), &[]);
}

#[test]
fn clocks_run_out() {
    let clock = |owner, due: Option<i64>| Facts {
        clocks: vec![Clock {
            what: "Housing letter",
            owner,
            due: due.map(|d| NOW + d),
        }],
        ..quiet()
    };
    let r = Some("R. Osei");
    check(
        clock(r, Some(-2 * DAY)),
        &["Overdue: Housing letter: 2 days overdue -> Housing letter (R. Osei)"],
    );
    check(
        clock(r, Some(-HOUR)),
        &["Overdue: Housing letter: due today -> Housing letter (R. Osei)"],
    );
    check(
        clock(None, Some(-2 * DAY)),
        &["Overdue: Housing letter: 2 days overdue -> Housing letter (nobody owns it)"],
    );
    check(
        clock(r, Some(2 * DAY)),
        &["Watch: Housing letter: due in 2 days -> Housing letter"],
    );
    check(clock(r, Some(4 * DAY)), &[]);
    check(
        clock(None, Some(9 * DAY)),
        &["Overdue: Housing letter: no owner -> Give it an owner and a date: Housing letter"],
    );
    check(
        clock(r, None),
        &["Overdue: Housing letter: no due date -> Give it an owner and a date: Housing letter"],
    );
}

#[test]
fn sessions_want_their_notes() {
    let session = |ended: i64, note| Facts {
        sessions: vec![Session {
            what: "Session 14",
            ended: NOW - ended,
            note,
        }],
        ..quiet()
    };
    check(
        session(2 * DAY, Note::Missing),
        &["Watch: Session 14 has no note yet -> Sign the note of Session 14"],
    );
    check(
        session(6 * DAY, Note::Missing),
        &["Overdue: Note overdue 3 days: Session 14 has no note -> Sign the note of Session 14"],
    );
    check(
        session(6 * DAY, Note::Draft),
        &[
            "Overdue: Note overdue 3 days: Session 14 has a note that is not signed -> Sign the note of Session 14",
        ],
    );
    check(
        session(
            6 * DAY,
            Note::Kept {
                recorded_at: NOW - 5 * DAY,
            },
        ),
        &[],
    );
    check(
        session(
            20 * DAY,
            Note::Kept {
                recorded_at: NOW - 5 * DAY,
            },
        ),
        &["Note: 1 note of the last 90 days written more than 3 days after the session"],
    );
}

#[test]
fn a_score_is_worse_only_by_a_named_rule() {
    let with = |m| Facts {
        measures: vec![m],
        ..quiet()
    };
    check(with(measure("pcl-5", "reliable-15", 40, 49)), &[]);
    check(with(measure("pcl-5", "reliable-15", 60, 20)), &[]);
    check(
        with(measure("pcl-5", "reliable-15", 40, 51)),
        &["Watch: PCL-5: possible rise (+11) since the first score, by Marx 2022, sample 1"],
    );
    check(
        with(measure("pcl-5", "reliable-15", 40, 56)),
        &[
            "Overdue: PCL-5: reliable rise (+16) since the first score, by Marx 2022, sample 1 -> Review the treatment with the person",
        ],
    );
    check(
        with(measure("nsi", "cognitive-watch-4", 4, 9)),
        &[
            "Overdue: NSI memory and concentration: notable rise (+5) since the first score, by Homecoming's own line -> Review the treatment with the person",
        ],
    );
    check(
        with(Measure {
            latest_at: NOW - 70 * DAY,
            ..measure("pcl-5", "reliable-15", 40, 40)
        }),
        &["Watch: PCL-5 last asked 70 days ago -> Ask the PCL-5 again"],
    );
}

#[test]
fn the_caseload_begins_with_who_needs_it_most() {
    let people = [
        ("quiet, next week", quiet()),
        (
            "quiet, tomorrow",
            Facts {
                next_contact: Some(NOW + DAY),
                ..quiet()
            },
        ),
        (
            "no next contact",
            Facts {
                next_contact: None,
                ..quiet()
            },
        ),
        (
            "no next contact for longer",
            Facts {
                next_contact: None,
                last_contact: Some(NOW - 20 * DAY),
                ..quiet()
            },
        ),
        (
            "two things overdue",
            Facts {
                next_contact: None,
                missed_since: 3,
                ..quiet()
            },
        ),
        (
            "item nine",
            Facts {
                item_nine: Some(ItemNine {
                    value: 1,
                    at: NOW - HOUR,
                    followed_up: None,
                }),
                ..quiet()
            },
        ),
        (
            "to watch",
            Facts {
                last_contact: Some(NOW - 40 * DAY),
                ..quiet()
            },
        ),
    ];
    let mut order: Vec<_> = people
        .iter()
        .map(|(name, facts)| (Standing::of(&attention(facts), facts.next_contact), *name))
        .collect();
    order.sort();
    let names: Vec<_> = order.iter().map(|(_, name)| *name).collect();
    assert_eq!(
        names,
        [
            "item nine",
            "two things overdue",
            "no next contact for longer",
            "no next contact",
            "to watch",
            "quiet, tomorrow",
            "quiet, next week",
        ]
    );
    assert_eq!(order.iter().filter(|(s, _)| s.needs_something()).count(), 4);
}
