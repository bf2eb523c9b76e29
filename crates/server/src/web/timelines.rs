//! The two timelines of a person: what happened, as understood now, beside what was recorded, as
//! known on a day that can be moved. Each frame is labelled, not the page, for the page compares.
//!
//! The instant can be moved in three ways: by its date, step by step to the next or the previous
//! recording about this person, and to just before or just after each conflict came to be known.

use maud::{Markup, html};

use super::layout::{self, AsKnown, Page, Place, Shell};
use super::when::{self, Happened, RecordedAt};
use super::{disputes, path, samples};
use crate::chart::event::{Conflict, Disagreement, Event, Knowledge, Row, Telling, tags};
use crate::chart::{square, wide};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page, with its banner. Always of now (`as_of: None`): the page compares. Its
    /// `keep` holds `from` and `to` if the span was chosen.
    pub shell: Shell,
    /// What the square frame shows; `None`: everything that is recorded.
    pub as_of: Option<AsKnown>,
    /// First and last microsecond of both frames.
    pub window: (i64, i64),
    /// Other spans to choose: "All", "12 months", "3 months".
    pub spans: Vec<Span>,
    /// Every event of the person, in any order.
    pub events: Vec<Event>,
    /// Every conflict, in the order of their tags.
    pub conflicts: Vec<Conflict>,
    /// What the person says is wrong.
    pub disputed: Vec<disputes::Row>,
}

/// A span to choose.
#[derive(Clone, Debug)]
pub struct Span {
    /// In words.
    pub words: String,
    /// Values of `from` and `to` (days), or none for the usual span.
    pub parameters: Option<(String, String)>,
    /// Whether it is the one in force.
    pub current: bool,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let at = context.as_of.map(|then| then.at);
    let title = match at {
        Some(at) => format!("Two timelines: now, and AS KNOWN ON {}", when::minute(at.0)),
        None => "Two timelines".to_owned(),
    };
    let wide = wide::draw(&wide::Wide {
        id: "wide",
        window: context.window,
        as_of: at,
        now: shell.made_at,
        events: &context.events,
        conflicts: &context.conflicts,
    });
    let square = square::draw(&square::Square {
        id: "square",
        window: context.window,
        as_of: at,
        events: &context.events,
        conflicts: &context.conflicts,
    });
    let main = html! {
        (comparing(context))
        div class="frames" {
            section class="frame wide" aria-labelledby="frame-wide" {
                header {
                    (layout::frame_mark(false))
                    div {
                        h2 id="frame-wide" { "What happened" }
                        p { "As understood now \u{b7} wide frame \u{b7} round marks" }
                    }
                }
                (layout::scrolling("What happened, as understood now", wide.markup))
                (wide_key(wide.marked, wide.worded))
            }
            section class="frame square" aria-labelledby="frame-square" {
                header {
                    (layout::frame_mark(true))
                    div {
                        h2 id="frame-square" { "What was recorded" }
                        p {
                            @match at { Some(at) => { strong { "AS KNOWN ON " (when::minute(at.0)) } } None => { "As known now" } }
                            " \u{b7} square frame \u{b7} square marks"
                        }
                    }
                }
                (layout::scrolling("What was recorded, and when", square.markup))
                (square_key(context, square.untagged))
            }
        }
        (conflicts(context))
        (disputes::listed(shell, &context.disputed))
        (table(context))
    };
    layout::page(
        shell,
        Page {
            title: &title,
            place: Place::Elsewhere,
            compares: true,
            main,
        },
    )
}

/// What is compared, in words, and the ways to move the instant.
fn comparing(context: &Context) -> Markup {
    let shell = &context.shell;
    let at = context.as_of.map(|then| then.at);
    let (earlier, later) = steps(context);
    html! {
        section class="compare" aria-label="The instant of the square frame" {
            div class="compare-words" {
                (layout::frame_mark(true))
                p {
                    @match context.as_of {
                        Some(then) => {
                            strong { "Left: as understood now. Right: AS KNOWN ON " (when::time(then.at.0, &when::minute(then.at.0))) " UTC." }
                            " " (unknown_words(context, then.at))
                        }
                        None => {
                            strong { "Both frames show everything that is recorded." }
                            " Move the right one back to see what was known on a day."
                        }
                    }
                }
            }
            form class="move" action=(shell.path) method="get" aria-label="Instant" {
                @for (name, value) in &shell.keep { input type="hidden" name=(name) value=(value); }
                label for="asof" { "As of" }
                input class="usa-input" id="asof" type="date" name=(path::AS_OF) value=(when::iso_day(at.map_or(shell.made_at, |at| at.0))) max=(when::iso_day(shell.made_at)) required;
                button class="usa-button small" type="submit" { "Move" }
                @if at.is_some() { a class="usa-button usa-button--outline small" href=(shell.here(None)) { "Back to now" } }
            }
            ul class="steps" {
                @if let Some((at, what)) = earlier {
                    li { a href=(shell.here(Some(at))) rel="prev" { "\u{2190} One recording back" } span class="sub" { " to " (at.words()) ": " bdi { (what) } } }
                }
                @if let Some((at, what)) = later {
                    li { a href=(shell.here(Some(at))) rel="next" { "One recording on \u{2192}" } span class="sub" { " to " (at.words()) ": " bdi { (what) } } }
                }
                @if let (Some(then), Some(banner)) = (context.as_of, &shell.banner) {
                    li { a href=(path::with(&path::person(&banner.id), &[(path::AS_OF, &when::exact(then.at.0))])) { "The whole page of this person as known then" } }
                }
                @if context.spans.len() > 1 {
                    li class="spans" {
                        "Span: "
                        @for (index, span) in context.spans.iter().enumerate() {
                            @if index > 0 { " \u{b7} " }
                            @if span.current { strong { (span.words) } } @else { a href=(spanned(shell, span, at)) { (span.words) } }
                        }
                    }
                }
            }
        }
    }
}

fn spanned(shell: &Shell, span: &Span, at: Option<RecordedAt>) -> String {
    let instant = at.map(|at| when::exact(at.0));
    let mut parameters = Vec::new();
    if let Some((from, to)) = &span.parameters {
        parameters.extend([("from", from.as_str()), ("to", to.as_str())]);
    }
    if let Some(instant) = &instant {
        parameters.push((path::AS_OF, instant));
    }
    path::with(&shell.path, &parameters)
}

/// A recording to step to, and what it says.
type Step<'a> = (RecordedAt, &'a str);

/// The recordings about this person before and after the instant, and what each said.
fn steps(context: &Context) -> (Option<Step<'_>>, Option<Step<'_>>) {
    let at = context.as_of.map_or(RecordedAt(i64::MAX), |then| then.at);
    let tellings = || context.events.iter().flat_map(Event::tellings);
    // The newest recording that is seen now is left by stepping to the one before it.
    let seen = tellings()
        .map(|telling| telling.recorded_at)
        .filter(|recorded| *recorded <= at)
        .max();
    let earlier = tellings()
        .filter(|telling| Some(telling.recorded_at) < seen)
        .max_by_key(|telling| telling.recorded_at);
    let later = tellings()
        .filter(|telling| telling.recorded_at > at)
        .min_by_key(|telling| telling.recorded_at);
    (
        earlier.map(|telling| (telling.recorded_at, telling.what.as_str())),
        later.map(|telling| (telling.recorded_at, telling.what.as_str())),
    )
}

/// "On that day 1 event had happened but was not yet recorded; 3 had not happened."
fn unknown_words(context: &Context, at: RecordedAt) -> String {
    let count = |wanted: Knowledge| {
        context
            .events
            .iter()
            .filter(|event| event.known(at) == wanted)
            .count() as u64
    };
    let mut parts = Vec::new();
    let unrecorded = count(Knowledge::NotRecorded);
    if unrecorded > 0 {
        parts.push(format!(
            "{} had happened but {} not yet recorded",
            layout::counted(unrecorded, "event", "events"),
            if unrecorded == 1 { "was" } else { "were" }
        ));
    }
    let otherwise = count(Knowledge::KnownOtherwise);
    if otherwise > 0 {
        parts.push(format!(
            "{} known otherwise than now",
            if otherwise == 1 {
                "1 was".to_owned()
            } else {
                format!("{} were", layout::count(otherwise))
            }
        ));
    }
    let not_yet = count(Knowledge::NotYet);
    if not_yet > 0 {
        parts.push(format!("{} had not happened", layout::count(not_yet)));
    }
    if parts.is_empty() {
        return "Everything that is known now was known then.".into();
    }
    format!("At that moment {}.", parts.join("; "))
}

fn wide_key(marked: usize, worded: usize) -> Markup {
    html! {
        p class="key" {
            "\u{25cf} an event \u{b7} bar: it went on \u{b7} "
            span class="tagword" { "C1" } " a conflict \u{b7} "
            @if marked == 0 { "No event in this span." }
            @else if worded == 0 { "There are too many events for words; all have them in the table." }
            @else if worded < marked { (worded) " of " (marked) " events have words here; all have them in the table." }
            @else { "All " (marked) " events of this span." }
        }
    }
}

fn square_key(context: &Context, untagged: usize) -> Markup {
    html! {
        p class="key" {
            "\u{25a0} recorded \u{b7} "
            @if context.as_of.is_some() { "\u{25a1} not yet recorded (hatched) \u{b7} " }
            "small \u{25aa}: said otherwise since \u{b7} on the line: same day; above it: later, by the length of the stroke; below: ahead"
            @if untagged > 0 { " \u{b7} " (layout::counted(untagged as u64, "tag", "tags")) " only in the table, for want of room" }
            "."
        }
    }
}

fn conflicts(context: &Context) -> Markup {
    html! {
        section class="conflicts" aria-labelledby="conflicts" {
            h2 id="conflicts" { (layout::counted(context.conflicts.len() as u64, "conflict", "conflicts")) " between what happened and what was recorded" }
            @if context.conflicts.is_empty() { p { "None was found." } } @else {
                ol class="plain" {
                    @for (index, conflict) in context.conflicts.iter().enumerate() {
                        li id={ "c" (index + 1) } {
                            span class="tagword" { "C" (index + 1) }
                            " " strong { (conflict.kind.words()) ": " }
                            @for (place, event) in conflict.events.iter().filter_map(|event| context.events.get(*event)).take(3).enumerate() {
                                @if place > 0 { ", " }
                                a href=(path::entry(event.now().position)) { bdi { (event.now().what) } }
                                " " span class="sub" { (event.happened().map_or(String::new(), |happened| happened.words())) }
                            }
                            @if conflict.events.len() > 3 { " and " (conflict.events.len() - 3) " more" }
                            ". " bdi { (conflict.words) }
                            @if let Some(known) = known_since(context, conflict) {
                                " " span class="sub" {
                                    "The square frame "
                                    a href=(context.shell.here(Some(RecordedAt(known.0.saturating_sub(1))))) { "before" span class="unseen" { " C" (index + 1) } }
                                    " and "
                                    a href=(context.shell.here(Some(known))) { "after" span class="unseen" { " C" (index + 1) } }
                                    " it was known."
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// When the last telling that makes the conflict was recorded.
fn known_since(context: &Context, conflict: &Conflict) -> Option<RecordedAt> {
    conflict
        .events
        .iter()
        .filter_map(|index| context.events.get(*index))
        .map(|event| event.now().recorded_at)
        .max()
}

fn table(context: &Context) -> Markup {
    let at = context.as_of.map(|then| then.at);
    let of_event = tags(context.events.len(), &context.conflicts);
    let mut order: Vec<usize> = (0..context.events.len()).collect();
    order.sort_by_key(|index| {
        (
            context.events[*index].place(),
            context.events[*index].first.position,
        )
    });
    html! {
        section aria-labelledby="facts" {
            h2 id="facts" { "The same facts as a table" }
            @if order.is_empty() { p { "No event is recorded, so there is no table." } } @else {
                div class="tablebox" { table class="usa-table usa-table--compact stacks facts-table" {
                    caption class="unseen" { "Every event, when it happened and when it was recorded" }
                    thead {
                        tr {
                            th scope="col" { "Conflict" }
                            th scope="col" { "Event" }
                            th scope="col" { span aria-hidden="true" { "\u{25cf} " } "Happened" }
                            th scope="col" { span aria-hidden="true" { "\u{25a0} " } "Recorded" }
                            th scope="col" { "Delay" }
                            @if let Some(at) = at { th scope="col" class="thencell" { "AS KNOWN ON " (when::minute(at.0)) } }
                        }
                    }
                    tbody { @for index in order { (row(&context.events[index], &of_event[index], at)) } }
                } }
            }
        }
    }
}

fn row(event: &Event, tags: &[usize], at: Option<RecordedAt>) -> Markup {
    let now = event.now();
    html! {
        tr {
            td data-label="Conflict" class=[tags.is_empty().then_some("none")] {
                @for number in tags { a class="tagword" href={ "#c" (number) } { "C" (number) } " " }
            }
            th scope="row" {
                a href=(path::entry(now.position)) { bdi { (now.what) } }
                " " span class="sub" { (event.row.words()) @if now.withdrawn { ", taken back" } }
                @for (index, telling) in event.tellings().take(event.later.len()).enumerate() {
                    @if telling.what != now.what || telling.happened != now.happened && !now.withdrawn {
                        div class="sub" {
                            (if index == 0 { "first said: " } else { "then said: " }) bdi { (telling.what) }
                            @if let Some(happened) = telling.happened { @if event.happened() != Some(happened) { ", " (happened.words()) } }
                        }
                    }
                }
            }
            td data-label="Happened" { (event.happened().map_or("not said".to_owned(), |happened| happened.words())) }
            td data-label="Recorded" {
                (when::time(event.first.recorded_at.0, &event.first.recorded_at.words()))
                @for telling in &event.later { div class="sub" { (if telling.withdrawn { "taken back " } else { "changed " }) (when::time(telling.recorded_at.0, &telling.recorded_at.words())) } }
            }
            td data-label="Delay" { (event.delay_days().map_or(String::new(), when::delay)) }
            @if let Some(at) = at {
                @let known = event.known(at);
                td data-label="Then" class="thencell" {
                    span aria-hidden="true" { (known.mark()) " " } (known.words())
                    @if known == Knowledge::Known && now.withdrawn { ", and taken back" }
                    @if let (Knowledge::KnownOtherwise, Some(then)) = (known, event.then(at)) { div class="sub" { "as: " bdi { (then.what) } } }
                }
            }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let told =
        |recorded: (i64, i64, i64), happened: (i64, i64, i64), what: &str, position: u64| Telling {
            recorded_at: samples::recorded(recorded.0, recorded.1, recorded.2),
            happened: Some(samples::on(happened.0, happened.1, happened.2)),
            what: what.into(),
            withdrawn: false,
            position,
        };
    let once = |row, month: i64, day: i64, recorded: (i64, i64), what: &str| Event {
        row,
        first: told(
            (2026, recorded.0, recorded.1),
            (2026, month, day),
            what,
            (month * 100 + day) as u64,
        ),
        later: Vec::new(),
    };
    let mut events = vec![
        once(Row::Contact, 3, 6, (3, 6), "Session 4: sleep plan agreed"),
        once(Row::Care, 3, 14, (3, 22), "Fall at home; hospital visit"),
        Event {
            row: Row::Medicine,
            first: Telling {
                happened: Some(Happened::since(when::at_day(2026, 3, 24))),
                ..told((2026, 3, 25), (2026, 3, 24), "Prazosin 2 mg", 2)
            },
            later: Vec::new(),
        },
        once(Row::Score, 4, 9, (4, 9), "PCL-5 = 51"),
        once(
            Row::Programme,
            4,
            18,
            (5, 20),
            "Consent to recording withdrawn",
        ),
        once(Row::Contact, 4, 28, (4, 28), "Session recorded (audio)"),
        once(Row::Programme, 5, 12, (5, 13), "Housing referral sent"),
        Event {
            row: Row::Contact,
            first: told((2026, 5, 27), (2026, 5, 27), "Visit: attended", 3),
            later: vec![told((2026, 6, 18), (2026, 5, 27), "Visit: missed", 4)],
        },
        once(Row::Score, 6, 11, (6, 11), "PCL-5 = 38"),
        once(Row::Contact, 6, 20, (6, 2), "Visit planned"),
        Event {
            row: Row::Note,
            first: told((2026, 4, 3), (2026, 4, 2), "Note on the wrong person", 5),
            later: vec![Telling {
                withdrawn: true,
                happened: None,
                ..told((2026, 4, 6), (2026, 4, 2), "Note on the wrong person", 6)
            }],
        },
    ];
    let conflict = |kind, words: &str, events: &[usize]| Conflict {
        kind,
        words: words.into(),
        events: events.to_vec(),
    };
    let conflicts = vec![
        conflict(
            Disagreement::Late,
            "Recorded 8 days after it happened.",
            &[1],
        ),
        conflict(
            Disagreement::Conflicting,
            "A session was recorded on tape after the consent to it was withdrawn, and before the withdrawal was recorded.",
            &[4, 5],
        ),
        conflict(
            Disagreement::Corrected,
            "Entered as attended; changed to missed 22 days later.",
            &[7],
        ),
        conflict(
            Disagreement::Withdrawn,
            "Taken back 3 days after it was recorded.",
            &[10],
        ),
    ];
    let address = path::timelines("0h8k2m4q6s8v0x2z");
    let span = |words: &str, current: bool| Span {
        words: words.into(),
        parameters: (!current).then(|| ("2024-01-01".into(), "2026-11-22".into())),
        current,
    };
    let known = Some(AsKnown {
        at: RecordedAt(samples::THEN),
        since: 5_324,
    });
    let drawn = Context {
        shell: samples::about(samples::now(&address)),
        as_of: known,
        window: (when::at_day(2026, 3, 1), when::at_day(2026, 7, 4)),
        spans: vec![
            span("this stay", true),
            span("12 months", false),
            span("all", false),
        ],
        events: events.clone(),
        conflicts: conflicts.clone(),
        disputed: disputes::sample_rows(),
    };
    let many: Vec<Event> = (0..180)
        .map(|step: i64| {
            let day = when::at_day(2025, 6, 1) + step * 3 * when::DAY;
            let late = if step % 4 == 0 { step % 40 } else { 0 };
            Event {
                row: [
                    Row::Contact,
                    Row::Score,
                    Row::Note,
                    Row::Contact,
                    Row::Care,
                    Row::Programme,
                ][(step % 6) as usize],
                first: Telling {
                    recorded_at: RecordedAt(day + late * when::DAY + 16 * when::HOUR),
                    happened: Some(Happened::on(day)),
                    what: format!("Session {step}: what was spoken about, in some words"),
                    withdrawn: false,
                    position: step as u64,
                },
                later: if step % 30 == 7 {
                    vec![Telling {
                        recorded_at: RecordedAt(day + 50 * when::DAY),
                        happened: Some(Happened::on(day - 9 * when::DAY)),
                        what: format!("Session {step}: corrected"),
                        withdrawn: false,
                        position: 1_000 + step as u64,
                    }]
                } else {
                    Vec::new()
                },
            }
        })
        .chain((0..7).map(|step| Event {
            row: Row::Medicine,
            first: Telling {
                recorded_at: RecordedAt(when::at_day(2025, 7 + step, 4)),
                happened: Some(Happened {
                    start: when::at_day(2025, 7 + step, 3),
                    end: when::at_day(2025, 9 + 2 * step, 3),
                }),
                what: format!("Medicine {step} 50 mg"),
                withdrawn: false,
                position: 2_000 + step as u64,
            },
            later: Vec::new(),
        }))
        .collect();
    let many_conflicts = (0..44)
        .map(|step| {
            conflict(
                Disagreement::Late,
                "Recorded long after it happened.",
                &[step * 4],
            )
        })
        .collect();
    events.truncate(1);
    let old = Context {
        window: (when::at_day(1950, 1, 1), samples::NOW),
        events: (0..60)
            .map(|step: i64| Event {
                row: Row::Care,
                first: Telling {
                    recorded_at: RecordedAt(samples::NOW - 9 * when::DAY),
                    happened: Some(Happened::on(when::at_day(1951 + step, 1 + step % 12, 7))),
                    what: format!("Condition {step}"),
                    withdrawn: false,
                    position: step as u64,
                },
                later: Vec::new(),
            })
            .collect(),
        conflicts: Vec::new(),
        as_of: None,
        ..drawn.clone()
    };
    vec![
        ("then", drawn.clone()),
        (
            "now",
            Context {
                as_of: None,
                ..drawn.clone()
            },
        ),
        (
            "many",
            Context {
                window: (when::at_day(2025, 6, 1), samples::NOW),
                events: many.clone(),
                conflicts: many_conflicts,
                ..drawn.clone()
            },
        ),
        (
            "many-now",
            Context {
                window: (when::at_day(2025, 6, 1), samples::NOW),
                events: many,
                conflicts: Vec::new(),
                as_of: None,
                ..drawn.clone()
            },
        ),
        ("imported", old),
        (
            "one",
            Context {
                events,
                conflicts: Vec::new(),
                window: (when::at_day(2026, 3, 1), when::at_day(2026, 3, 9)),
                ..drawn.clone()
            },
        ),
        (
            "empty",
            Context {
                events: Vec::new(),
                conflicts: Vec::new(),
                as_of: None,
                ..drawn.clone()
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now(&address)),
                window: (i64::MIN / 4, i64::MAX / 4),
                spans: vec![span(samples::HOSTILE, true), span(samples::LONG, false)],
                events: vec![
                    Event {
                        row: Row::Contact,
                        first: Telling {
                            happened: None,
                            ..told((2026, 1, 1), (2026, 1, 1), samples::HOSTILE, 1)
                        },
                        later: vec![told((2026, 2, 1), (1900, 1, 1), samples::LONG, 2)],
                    },
                    Event {
                        row: Row::Service,
                        first: Telling {
                            happened: Some(Happened {
                                start: i64::MIN / 2,
                                end: i64::MAX,
                            }),
                            ..told((2026, 1, 1), (2026, 1, 1), samples::HOSTILE, 1)
                        },
                        later: Vec::new(),
                    },
                ],
                conflicts: vec![conflict(
                    Disagreement::Backdated,
                    samples::HOSTILE,
                    &[0, 1, 99],
                )],
                ..drawn
            },
        ),
    ]
}
