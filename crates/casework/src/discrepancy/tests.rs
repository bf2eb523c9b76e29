use super::*;
use crate::span::HOUR;

/// Day and hour of a small calendar.
const fn at(day: i64, hour: i64) -> i64 {
    day * DAY + hour * HOUR
}

const fn hour(day: i64, hour: i64) -> Option<Span> {
    Some(Span {
        start: at(day, hour),
        end: at(day, hour + 1),
    })
}

const fn day(day: i64) -> Option<Span> {
    Some(Span {
        start: at(day, 0),
        end: at(day + 1, 0),
    })
}

/// recorded_at, happened, what it says, what changed.
type Row<'a> = (i64, Option<Span>, Act<'a>, &'a [&'a str]);

const GONE: &[&str] = &["gone"];

fn fact<'a>(kind: &'a str, what: &str, rows: &[Row<'a>]) -> Fact<'a> {
    Fact {
        kind,
        what: what.into(),
        versions: rows
            .iter()
            .map(|(recorded_at, happened, act, changed)| Version {
                recorded_at: *recorded_at,
                happened: *happened,
                act: *act,
                changed: changed.to_vec(),
                withdrawn: *changed == GONE,
            })
            .collect(),
    }
}

/// Reads them for a person who has been on the record since day 0.
fn read(facts: &[Fact]) -> Reading {
    let mut all = facts.to_vec();
    all.push(fact("Patient", "Person", &[(0, None, Act::Other, &[])]));
    discrepancies(&all)
}

fn check(facts: &[Fact], expect: &[&str]) {
    let got: Vec<String> = read(facts)
        .conflicts
        .iter()
        .map(|c| format!("{} {}: {}", c.tag, facts[c.fact].what, c.sentence))
        .collect();
    assert_eq!(got, expect);
}

#[test]
fn what_is_recorded_in_time_and_stands_has_no_tag() {
    let facts = [
        fact(
            "Encounter",
            "Session 1",
            &[(at(1, 12), hour(1, 10), Act::Attended, &[])],
        ),
        fact(
            "Encounter",
            "Session 2",
            &[(at(10, 9), hour(8, 10), Act::Missed, &[])],
        ),
        fact(
            "Patient",
            "Address",
            &[
                (at(1, 9), None, Act::Other, &[]),
                (at(9, 9), None, Act::Other, &["address"]),
            ],
        ),
        fact(
            "Appointment",
            "Visit",
            &[
                (at(1, 9), hour(8, 10), Act::Other, &[]),
                (at(8, 12), hour(8, 10), Act::Other, &["status"]),
            ],
        ),
        fact(
            "Task",
            "Housing letter",
            &[
                (at(1, 9), None, Act::Other, &[]),
                (at(30, 9), None, Act::Other, &["status", "lastModified"]),
            ],
        ),
        fact(
            "Observation",
            "Service",
            &[(at(1, 9), day(-5000), Act::History, &[])],
        ),
    ];
    check(&facts, &[]);
    let delays = read(&facts).delays;
    assert_eq!(delays[..3], [Some(HOUR), Some(DAY + 22 * HOUR), None]);
    assert_eq!(delays[3..6], [Some(0), None, None]);
}

#[test]
fn late_by_the_limit_of_its_kind() {
    // kind, day recorded (of what happened on day 1 at 10), late or not
    let table = [
        ("Encounter", 4, false),
        ("Encounter", 5, true),
        ("Consent", 2, false),
        ("Consent", 3, true),
        ("MedicationStatement", 8, false),
        ("MedicationStatement", 9, true),
        ("Appointment", 90, false),
    ];
    for (kind, recorded, late) in table {
        let facts = [fact(
            kind,
            "It",
            &[(at(recorded, 11), hour(1, 10), Act::Other, &[])],
        )];
        let said = format!(
            "C1 It: Recorded {} after it happened.",
            length((recorded - 1) * DAY)
        );
        let expect = [said.as_str()];
        check(&facts, &expect[..usize::from(late)]);
    }
}

#[test]
fn something_long_is_counted_from_its_beginning() {
    let open = Some(Span {
        start: at(1, 0),
        end: i64::MAX,
    });
    let facts = [fact(
        "MedicationStatement",
        "Prazosin",
        &[(at(20, 0), open, Act::Other, &[])],
    )];
    check(
        &facts,
        &["C1 Prazosin: Recorded 19 days after it happened."],
    );
}

#[test]
fn versions_against_each_other() {
    let session = |rows: &[Row<'static>]| [fact("Encounter", "Session 9", rows)];
    check(
        &session(&[
            (at(9, 12), hour(9, 10), Act::Attended, &[]),
            (at(31, 9), hour(9, 10), Act::Missed, &["status"]),
        ]),
        &["C1 Session 9: Recorded as attended; version 2 says that it was missed."],
    );
    check(
        &session(&[
            (at(9, 12), hour(9, 10), Act::Missed, &[]),
            (at(10, 9), hour(9, 10), Act::Attended, &["status"]),
        ]),
        &["C1 Session 9: Recorded as missed; version 2 says that it was attended."],
    );
    check(
        &session(&[
            (at(9, 12), hour(9, 10), Act::Attended, &[]),
            (at(20, 9), hour(6, 10), Act::Attended, &["period"]),
        ]),
        &["C1 Session 9: Version 2 moved it back by 3 days."],
    );
    check(
        &session(&[
            (at(9, 12), hour(9, 10), Act::Attended, &[]),
            (
                at(20, 9),
                hour(9, 10),
                Act::Attended,
                &["participant", "type", "meta"],
            ),
        ]),
        &["C1 Session 9: Version 2 changed participant and type."],
    );
    check(
        &session(&[
            (at(9, 12), hour(9, 10), Act::Attended, &[]),
            (at(9, 13), None, Act::Other, GONE),
        ]),
        &["C1 Session 9: Taken out of the record by version 2."],
    );
    // A date that is only made more exact is neither moved nor changed; a later one is changed.
    let mut rows: Vec<Row<'static>> = vec![
        (at(10, 12), day(9), Act::Attended, &[]),
        (at(11, 9), hour(9, 10), Act::Attended, &["period"]),
    ];
    check(&session(&rows), &[]);
    rows.push((at(12, 9), hour(9, 14), Act::Attended, &["period"]));
    check(
        &session(&rows),
        &["C1 Session 9: Version 3 changed period."],
    );
}

#[test]
fn a_wrong_dose_put_right_names_the_element() {
    let facts = [fact(
        "MedicationRequest",
        "Prazosin 20 mg",
        &[
            (at(1, 9), hour(1, 9), Act::Other, &[]),
            (at(3, 9), hour(1, 9), Act::Other, &["dosageInstruction"]),
            (at(90, 9), hour(1, 9), Act::Other, &["status"]),
        ],
    )];
    check(
        &facts,
        &["C1 Prazosin 20 mg: Version 2 changed dosageInstruction."],
    );
}

#[test]
fn two_contacts_at_once_tag_the_one_recorded_later() {
    let facts = [
        fact(
            "Encounter",
            "Call",
            &[(at(5, 18), hour(5, 10), Act::Attended, &[])],
        ),
        fact(
            "Encounter",
            "Session",
            &[(at(5, 12), hour(5, 10), Act::Attended, &[])],
        ),
        fact(
            "Encounter",
            "After it",
            &[(at(5, 12), hour(5, 11), Act::Attended, &[])],
        ),
        fact(
            "Encounter",
            "Missed",
            &[(at(5, 12), hour(5, 10), Act::Missed, &[])],
        ),
        fact(
            "Encounter",
            "Some time that day",
            &[(at(6, 9), day(5), Act::Attended, &[])],
        ),
    ];
    check(
        &facts,
        &["C1 Call: At the same time as \u{201c}Session\u{201d}; both cannot be so."],
    );
    let reading = read(&facts);
    assert_eq!(reading.tags(1).collect::<Vec<_>>(), ["C1"]);
    assert_eq!(reading.tags(2).count(), 0);
    // Once one of the two is known to be an error, only that is left to say.
    let mut mended = facts;
    mended[0].versions.push(Version {
        recorded_at: at(9, 9),
        happened: None,
        act: Act::Other,
        changed: vec![],
        withdrawn: true,
    });
    check(&mended, &["C1 Call: Taken out of the record by version 2."]);
}

#[test]
fn a_dose_after_the_stop() {
    let course = |until, recorded| -> Vec<Row<'static>> {
        let open = Some(Span {
            start: at(1, 0),
            end: i64::MAX,
        });
        vec![
            (
                at(1, 9),
                open,
                Act::Taken {
                    medicine: "HT",
                    until: None,
                },
                &[],
            ),
            (
                recorded,
                open,
                Act::Taken {
                    medicine: "HT",
                    until,
                },
                &["status"],
            ),
        ]
    };
    let dose = |d| {
        fact(
            "MedicationAdministration",
            "Dose",
            &[(at(d, 12), hour(d, 10), Act::Given("HT"), &[])],
        )
    };
    let table = [
        // stopped on day 20; recorded on; dose on; what is found
        (at(20, 9), 15, ""),
        (
            at(20, 9),
            22,
            "C1 Dose: Given 2 days after it was stopped; the stop was recorded then.",
        ),
        (
            at(25, 9),
            22,
            "C1 Dose: Given 2 days after it was stopped; the stop was not yet recorded then.",
        ),
    ];
    for (recorded, given, expect) in table {
        let facts = [
            fact(
                "MedicationStatement",
                "HT",
                &course(Some(at(20, 0)), recorded),
            ),
            dose(given),
        ];
        check(&facts, &[expect][..usize::from(!expect.is_empty())]);
    }
    // Started again on day 21: the dose of day 22 is in order.
    let again = Some(Span {
        start: at(21, 0),
        end: i64::MAX,
    });
    let facts = [
        fact(
            "MedicationStatement",
            "HT",
            &course(Some(at(20, 0)), at(20, 9)),
        ),
        fact(
            "MedicationStatement",
            "HT again",
            &[(
                at(21, 9),
                again,
                Act::Taken {
                    medicine: "HT",
                    until: None,
                },
                &[],
            )],
        ),
        dose(22),
    ];
    check(&facts, &[]);
}

#[test]
fn sessions_recorded_after_consent_was_withdrawn() {
    let tape = |what: &str, d| {
        fact(
            "Media",
            what,
            &[(at(d, 12), hour(d, 10), Act::NeedsConsent("recording"), &[])],
        )
    };
    let consent = fact(
        "Consent",
        "Consent",
        &[(at(1, 9), day(1), Act::Consented("recording"), &[])],
    );
    let withdrawn = |recorded| {
        fact(
            "Consent",
            "Consent to recording withdrawn",
            &[(recorded, day(18), Act::Withdrew("recording"), &[])],
        )
    };
    let facts = [
        consent.clone(),
        tape("Tape 1", 10),
        tape("Tape 2", 28),
        tape("Tape 3", 18),
        withdrawn(at(50, 9)),
    ];
    check(
        &facts,
        &[
            "C1 Consent to recording withdrawn: Recorded 31 days after it happened. Tape 2 done after it, before it was on the record.",
        ],
    );
    let reading = read(&facts);
    assert_eq!(reading.tags(2).collect::<Vec<_>>(), ["C1"]);
    assert_eq!(reading.tags(1).count(), 0);

    let facts = [tape("Tape 2", 28), withdrawn(at(18, 9))];
    check(
        &facts,
        &["C1 Consent to recording withdrawn: Tape 2 done after it, though it was on the record."],
    );
    let anew = fact(
        "Consent",
        "Consent again",
        &[(at(20, 9), day(20), Act::Consented("recording"), &[])],
    );
    check(&[tape("Tape 2", 28), withdrawn(at(18, 9)), anew], &[]);
}

#[test]
fn tags_follow_the_order_of_what_happened() {
    let facts = [
        fact(
            "Encounter",
            "C",
            &[(at(40, 9), hour(30, 10), Act::Attended, &[])],
        ),
        fact(
            "AdverseEvent",
            "A",
            &[(at(22, 9), day(14), Act::Other, &[])],
        ),
        fact(
            "Consent",
            "B",
            &[(at(50, 9), day(18), Act::Withdrew("recording"), &[])],
        ),
    ];
    check(
        &facts,
        &[
            "C1 A: Recorded 7 days after it happened.",
            "C2 B: Recorded 31 days after it happened.",
            "C3 C: Recorded 9 days after it happened.",
        ],
    );
}

#[test]
fn leaving_out_what_came_later_gives_what_could_be_known_then() {
    let session = fact(
        "Encounter",
        "Session",
        &[
            (at(9, 12), hour(9, 10), Act::Attended, &[]),
            (at(31, 9), hour(9, 10), Act::Missed, &["status"]),
        ],
    );
    let mut then = session.clone();
    then.versions.retain(|v| v.recorded_at < at(20, 0));
    check(&[then], &[]);
    assert_eq!(read(&[session]).conflicts.len(), 1);
}

#[test]
fn what_happened_before_the_person_was_known_is_not_late() {
    let facts = [
        fact(
            "Observation",
            "Deployment",
            &[(at(100, 9), day(20), Act::Other, &[])],
        ),
        fact(
            "Encounter",
            "Session",
            &[(at(130, 9), hour(101, 10), Act::Attended, &[])],
        ),
    ];
    let reading = discrepancies(&facts);
    let late: Vec<usize> = reading.conflicts.iter().map(|c| c.fact).collect();
    assert_eq!(late, [1]);
    assert_eq!(reading.delays[0], Some(79 * DAY + 9 * HOUR));
}

#[test]
fn a_session_with_all_that_was_written_of_it_is_late_once() {
    let facts = [
        fact(
            "Observation",
            "PCL-5",
            &[(at(20, 10), hour(9, 10), Act::Other, &[])],
        ),
        fact(
            "Encounter",
            "Session 4",
            &[(at(20, 9), hour(9, 10), Act::Attended, &[])],
        ),
        fact(
            "DocumentReference",
            "Note",
            &[
                (at(20, 11), hour(9, 10), Act::Other, &[]),
                (at(21, 11), hour(9, 10), Act::Other, &["content"]),
            ],
        ),
        fact(
            "Observation",
            "PHQ-9",
            &[(at(20, 10), hour(9, 10), Act::Other, &[])],
        ),
        fact(
            "Observation",
            "NSI",
            &[(at(25, 10), hour(9, 10), Act::Other, &[])],
        ),
    ];
    check(
        &facts,
        &[
            "C1 Session 4: Recorded 10 days after it happened, with 2 more entries of that day.",
            "C2 Note: Recorded 11 days after it happened. Version 2 changed content.",
            "C3 NSI: Recorded 15 days after it happened.",
        ],
    );
    assert_eq!(read(&facts).tags(3).collect::<Vec<_>>(), ["C1"]);
}

#[test]
fn what_follows_a_draft_corrects_nothing() {
    let facts = [fact(
        "DocumentReference",
        "Note",
        &[
            (at(9, 12), hour(9, 10), Act::Draft, &[]),
            (
                at(10, 12),
                hour(9, 9),
                Act::Other,
                &["docStatus", "content", "context"],
            ),
            (at(11, 12), hour(9, 9), Act::Other, &["content"]),
        ],
    )];
    check(&facts, &["C1 Note: Version 3 changed content."]);
}
