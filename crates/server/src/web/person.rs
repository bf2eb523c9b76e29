//! The person on one screen: what comes next, what is owed, how they are, what they take, what
//! was said last.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, Happened, RecordedAt};
use super::{disputes, path, samples};
use crate::chart::score::{self, Band, Course, Cut, Drawing, Score, Series, Standing};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page, with its banner.
    pub shell: Shell,
    /// What is to happen next with this person.
    pub next: Next,
    /// What we owe the person, most urgent first.
    pub owed: Vec<Owed>,
    /// What the person agreed to: "Recording of sessions", "No, since 18 Apr 2026".
    pub consents: Vec<(String, String)>,
    /// What the person says is wrong.
    pub disputed: Vec<disputes::Row>,
    /// The instruments, the leading one first. Those without points are left out.
    pub scores: Vec<Series>,
    /// First and last microsecond of the charts' axis.
    pub span: (i64, i64),
    /// Medications, those being taken first.
    pub medications: Vec<Medication>,
    /// The latest notes, newest first.
    pub notes: Vec<Note>,
    /// Conditions and other problems: words, since when, position of the entry.
    pub problems: Vec<Fact>,
    /// Service, newest first, if it is known.
    pub service: Vec<Fact>,
    /// Number of events on the timelines, and of conflicts among them.
    pub events: (u64, u64),
    /// What of the record is not for whoever looks, and why.
    pub closed: Closed,
}

/// What is not for whoever looks.
#[derive(Clone, Debug, Default)]
pub struct Closed {
    /// That and when the person is seen.
    pub schedule: bool,
    /// Their care.
    pub care: bool,
    /// Their therapy notes.
    pub notes: bool,
    /// Each thing that is closed, and the sentence that says why: "Therapy notes".
    pub why: Vec<(String, String)>,
    /// Whose case it is, for whoever may know no more.
    pub whose: Vec<String>,
    /// Whether whoever looks may open it in an emergency.
    pub may_break_glass: bool,
}

/// What is to happen next.
#[derive(Clone, Debug)]
pub enum Next {
    /// A contact is planned.
    Planned {
        /// Microseconds.
        at: i64,
        /// "Office, session 12".
        how: String,
        /// Whose it is.
        owner: String,
        /// How long ago it should have been, in days; `None`: it is still to come.
        overdue_days: Option<i64>,
    },
    /// Nothing is planned.
    Nothing {
        /// Who has to plan it.
        owner: String,
        /// When the person was last in contact: microseconds.
        last: Option<i64>,
    },
    /// The person has left the programme: "Discharged 4 Mar 2026".
    Ended(String),
}

/// Something we owe.
#[derive(Clone, Debug)]
pub struct Owed {
    /// "Housing letter".
    pub what: String,
    /// Whose it is.
    pub owner: String,
    /// The last day: microseconds.
    pub due: Option<i64>,
    /// Whether that day is past.
    pub overdue: bool,
    /// Position of its entry.
    pub position: Option<u64>,
}

/// A medication.
#[derive(Clone, Debug)]
pub struct Medication {
    /// "Prazosin 2 mg".
    pub what: String,
    /// "1 capsule at night".
    pub dose: String,
    /// "Taking", "Stopped", "On hold".
    pub state: String,
    /// From when to when.
    pub happened: Option<Happened>,
    /// Whether it is drawn under the first chart.
    pub drawn: bool,
    /// Position of its entry.
    pub position: u64,
}

/// A note.
#[derive(Clone, Debug)]
pub struct Note {
    /// "Session note".
    pub title: String,
    /// When what it tells of happened.
    pub happened: Option<Happened>,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// Who wrote it.
    pub author: String,
    /// Its text, or the beginning of it.
    pub text: String,
    /// Whether the text goes on.
    pub goes_on: bool,
    /// "version 2", "entered in error".
    pub remark: Option<String>,
    /// Position of its entry.
    pub position: u64,
}

/// A fact in one line.
#[derive(Clone, Debug)]
pub struct Fact {
    /// In words.
    pub what: String,
    /// When it is or was so.
    pub happened: Option<Happened>,
    /// Position of its entry.
    pub position: u64,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let name = shell
        .banner
        .as_ref()
        .map_or("", |banner| banner.name.as_str());
    let main = html! {
        (disputes::listed(shell, &context.disputed))
        (closed(context))
        div class="person" {
            @if !context.closed.schedule {
                div class="first-things" {
                    section class="panel next" aria-labelledby="next" { (next(context)) }
                    @if !context.closed.care { (owed(context)) }
                }
            }
            @if !context.closed.care {
                div class="how-they-are" {
                    (scores(context))
                    // What is a therapy note is left out of these.
                    (notes(context))
                }
                div class="around" {
                    (medications(context))
                    (aside(context))
                }
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: name,
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

/// What is not for whoever looks, and why; never whether there is any of it.
fn closed(context: &Context) -> Markup {
    let closed = &context.closed;
    html! {
        @if !closed.why.is_empty() {
            section class="panel closed" aria-labelledby="closed" {
                h2 id="closed" { "Not for you to see" }
                @if !closed.whose.is_empty() {
                    p { "Whose case it is: " @for (index, name) in closed.whose.iter().enumerate() { @if index > 0 { ", " } strong { bdi { (name) } } } "." }
                }
                dl class="facts" {
                    @for (what, why) in &closed.why { dt { (what) } dd { (why) } }
                }
                @if let (true, Some(banner)) = (closed.may_break_glass, &context.shell.banner) {
                    p {
                        a href=(path::break_glass(&banner.id)) { "Open this record in an emergency" }
                        " for a short time, with your reason. The person sees it, and a supervisor reviews it."
                    }
                }
            }
        }
    }
}

fn next(context: &Context) -> Markup {
    html! {
        h2 id="next" { "Next contact" }
        @match &context.next {
            Next::Planned { at, how, owner, overdue_days } => {
                p class="big" { (when::time(*at, &when::weekday_minute(*at))) }
                p { bdi { (how) } ". Owner: " bdi { (owner) } "." }
                @if let Some(days) = overdue_days {
                    p class="overdue" { (layout::urgent_mark()) "Should have been " (layout::counted(days.unsigned_abs(), "day", "days")) " ago, and no outcome is recorded." }
                }
            }
            Next::Nothing { owner, last } => {
                p class="big overdue" { (layout::urgent_mark()) "None planned" }
                p {
                    @match last { Some(at) => { "Last in contact " (when::time(*at, &when::day(*at))) ". " } None => { "Never yet in contact. " } }
                    "To plan it: " bdi { (owner) } "."
                }
            }
            Next::Ended(words) => { p class="big" { bdi { (words) } } p { "No next contact is due." } }
        }
    }
}

fn owed(context: &Context) -> Markup {
    let shell = &context.shell;
    html! {
        section class="panel owed" aria-labelledby="owed" {
            h2 id="owed" { "What we owe" }
            @if context.owed.is_empty() { p { span aria-hidden="true" { "\u{2713} " } "Nothing open." } } @else {
                ul class="plain rows" {
                    @for owed in &context.owed {
                        li {
                            @if owed.overdue { (layout::urgent_mark()) }
                            (linked(shell, owed.position, &owed.what))
                            span class="sub" {
                                " " bdi { (owed.owner) }
                                @if let Some(due) = owed.due {
                                    ", " span class=[owed.overdue.then_some("overdue")] { (if owed.overdue { "was due " } else { "due " }) (when::time(due, &when::day(due))) }
                                } @else { ", no date" }
                            }
                        }
                    }
                }
            }
            @if !context.consents.is_empty() {
                h3 { "Consents" }
                dl class="facts tight" { @for (what, words) in &context.consents { dt { (what) } dd { (words) } } }
            }
        }
    }
}

fn linked(shell: &Shell, position: Option<u64>, words: &str) -> Markup {
    html! {
        @match position {
            Some(position) => { a href=(shell.to(&path::entry(position))) { bdi { (words) } } }
            None => { bdi { (words) } }
        }
    }
}

fn scores(context: &Context) -> Markup {
    let courses: Vec<Course> = context
        .medications
        .iter()
        .filter(|medication| medication.drawn)
        .filter_map(|medication| {
            Some(Course {
                what: medication.what.clone(),
                happened: medication.happened?,
            })
        })
        .collect();
    html! {
        section class="panel scores" aria-labelledby="scores" {
            h2 id="scores" { "Scores" @if !courses.is_empty() { " and medication" } }
            @if context.scores.is_empty() { p { "No score is recorded" @if context.shell.is_then() { " as known then" } "." } } @else {
                div class="charts" {
                    @for (index, series) in context.scores.iter().enumerate() {
                        (instrument(context, series, index, if index == 0 { &courses } else { &[] }))
                    }
                }
                (legend(context.shell.is_then()))
                div class="tables" { @for series in &context.scores { (table(context, series)) } }
            }
        }
    }
}

fn instrument(context: &Context, series: &Series, index: usize, courses: &[Course]) -> Markup {
    let id = format!("score-{index}");
    let drawing = Drawing {
        id: &id,
        span: context.span,
        small: index > 0,
        then: context.shell.is_then(),
    };
    html! {
        figure class=(if index == 0 { "first" } else { "further" }) {
            figcaption {
                h3 { (series.name) span class="sub" { " " (series.long_name) } }
                @if let Some(change) = &series.change { p { (change) } }
            }
            (layout::scrolling(&format!("Chart of {}", series.name), score::draw(series, courses, drawing)))
        }
    }
}

/// What the shapes mean, once for all the charts.
fn legend(then: bool) -> Markup {
    let key = |standing, words: &str| {
        html! {
            li {
                svg class="chart key" viewBox="0 0 18 18" width="18" height="18" aria-hidden="true" focusable="false" {
                    (score::mark(standing, then, 9.0, 9.0))
                }
                (words)
            }
        }
    };
    html! {
        ul class="legend" {
            (key(Standing::Within, "within the band: no reliable change"))
            (key(Standing::Better, "beyond it: better"))
            (key(Standing::Worse, "beyond it: worse"))
        }
    }
}

fn table(context: &Context, series: &Series) -> Markup {
    html! {
        details {
            summary { (series.name) " as a table (" (layout::counted(series.points.len() as u64, "score", "scores")) ")" }
            (layout::scrolling(&format!("{} as a table", series.name), html! { table class="usa-table usa-table--compact" {
                caption {
                    (series.name) ", " (score_range(series))
                    @if let Some(band) = &series.band { ". Reliable change: " (band.by) " points or more from " (band.baseline) " (" (band.says) ")" }
                    @if let Some(cut) = &series.cut { ". Cut-off: " (cut.value) " (" (cut.says) ")" }
                    "."
                }
                thead { tr { th scope="col" { "Answered" } th scope="col" class="num" { "Score" } th scope="col" { "Since the first" } th scope="col" { "Recorded" } } }
                tbody {
                    @for point in &series.points {
                        tr {
                            th scope="row" { a href=(context.shell.to(&path::entry(point.position))) { (point.happened.words()) } }
                            td class="num" { (point.words) }
                            td { (series.standing_words(point.value)) @if let Some(remark) = &point.remark { div class="sub" { (remark) } } }
                            td { (when::time(point.recorded_at.0, &point.recorded_at.words())) }
                        }
                    }
                }
            } }))
        }
    }
}

fn score_range(series: &Series) -> String {
    let worse = if series.higher_is_worse {
        "higher is worse"
    } else {
        "higher is better"
    };
    format!("{} to {}, {worse}", series.scale.0, series.scale.1)
}

fn medications(context: &Context) -> Markup {
    html! {
        section class="panel medications" aria-labelledby="medications" {
            h2 id="medications" { "Medications" }
            @if context.medications.is_empty() { p { "None recorded." } } @else {
                ul class="plain rows" {
                    @for medication in &context.medications {
                        li {
                            (linked(&context.shell, Some(medication.position), &medication.what))
                            " " strong class="state" { (medication.state) }
                            div class="sub" {
                                bdi { (medication.dose) }
                                @if let Some(happened) = medication.happened { @if !medication.dose.is_empty() { " \u{b7} " } (happened.words()) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn notes(context: &Context) -> Markup {
    html! {
        section class="panel notes" aria-labelledby="notes" {
            h2 id="notes" { "Latest notes" }
            @if context.notes.is_empty() { p { "No note is recorded" @if context.shell.is_then() { " as known then" } "." } }
            @for note in &context.notes {
                article {
                    h3 {
                        a href=(context.shell.to(&path::entry(note.position))) { bdi { (note.title) } }
                        @if let Some(happened) = note.happened { " " span class="sub" { (happened.words()) } }
                        @if let Some(remark) = &note.remark { " " span class="remark" { (remark) } }
                    }
                    p class="notetext" { bdi { (note.text) @if note.goes_on { "\u{2026}" } } }
                    p class="sub" {
                        bdi { (note.author) } ", recorded " (when::time(note.recorded_at.0, &note.recorded_at.words()))
                        @if let Some(days) = note.happened.map(|happened| when::delay_days(happened, note.recorded_at)) { @if days > 0 { ", " strong { (when::delay(days)) } } }
                    }
                }
            }
        }
    }
}

fn aside(context: &Context) -> Markup {
    let list = |id: &str, title: &str, facts: &[Fact]| {
        html! {
            @if !facts.is_empty() {
                h2 id=(id) { (title) }
                ul class="plain rows" {
                    @for fact in facts {
                        li {
                            (linked(&context.shell, Some(fact.position), &fact.what))
                            @if let Some(happened) = fact.happened { div class="sub" { (happened.words()) } }
                        }
                    }
                }
            }
        }
    };
    html! {
        div class="panel aside" {
            @if let Some(banner) = &context.shell.banner {
                h2 { "Two timelines" }
                p {
                    a href=(context.shell.to(&path::timelines(&banner.id))) { (layout::counted(context.events.0, "event", "events")) }
                    @if context.events.1 > 0 { ", " strong { (layout::counted(context.events.1, "conflict", "conflicts")) } " between what happened and what was recorded" }
                    "."
                }
                // The file holds all there is now, so a page of the past does not offer it.
                @if context.shell.as_of.is_none() {
                    p { a href=(path::person_export(&banner.id)) download { "All entries, as a file that proves it is all" } }
                    p { a href=(path::person_apps(&banner.id)) { "Open an app" } }
                }
            }
            (list("problems", "Conditions", &context.problems))
            (list("service", "Service", &context.service))
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let address = path::person("0h8k2m4q6s8v0x2z");
    let shell = samples::about(samples::now(&address));
    let busy = Context {
        shell: shell.clone(),
        next: Next::Planned {
            at: samples::NOW + when::DAY + 18 * 60 * when::SECOND,
            how: "Office, session 12".into(),
            owner: "R. Osei".into(),
            overdue_days: None,
        },
        owed: vec![
            Owed {
                what: "Housing letter".into(),
                owner: "R. Osei".into(),
                due: Some(samples::NOW - 2 * when::DAY),
                overdue: true,
                position: Some(8_121),
            },
            Owed {
                what: "Reply about the driving licence".into(),
                owner: "M. Lindqvist".into(),
                due: Some(samples::NOW + 6 * when::DAY),
                overdue: false,
                position: Some(8_130),
            },
        ],
        disputed: disputes::sample_rows(),
        consents: vec![
            ("Treatment".into(), "Yes, 2 Mar 2026".into()),
            (
                "Recording of sessions".into(),
                "No, since 18 Apr 2026".into(),
            ),
        ],
        scores: vec![
            series(
                "PCL-5",
                "PTSD Checklist for DSM-5",
                80.0,
                &[58, 55, 56, 51, 47, 44, 41, 38, 36],
                Some((15.0, "Marx 2022")),
                Some((33.0, "National Center for PTSD")),
            ),
            series(
                "PHQ-9",
                "Patient Health Questionnaire",
                27.0,
                &[14, 15, 13, 12, 14, 20, 9, 8],
                Some((5.0, "Kroenke 2012")),
                Some((10.0, "Kroenke 2001")),
            ),
            series(
                "NSI",
                "Neurobehavioral Symptom Inventory",
                88.0,
                &[41, 44, 39, 36, 30],
                Some((8.0, "Belanger 2016")),
                None,
            ),
        ],
        span: (when::at_day(2026, 2, 20), samples::NOW),
        medications: vec![
            medication(
                "Sertraline 100 mg",
                "1 tablet in the morning",
                "Taking",
                Happened::since(when::at_day(2026, 5, 20)),
                900,
            ),
            medication(
                "Prazosin 2 mg",
                "1 capsule at night",
                "Taking",
                Happened::since(when::at_day(2026, 3, 24)),
                901,
            ),
            medication(
                "Sertraline 50 mg",
                "1 tablet in the morning",
                "Stopped",
                Happened {
                    start: when::at_day(2026, 3, 4),
                    end: when::at_day(2026, 5, 20),
                },
                902,
            ),
        ],
        notes: vec![
            note(
                "Session note",
                samples::on(2026, 11, 19),
                samples::recorded(2026, 11, 19),
                "Slept five nights of seven. The plan for the evenings holds; he walks with the dog instead of checking the doors.\nNext: the bus, two stops, with his brother.",
                None,
            ),
            note(
                "Telephone call",
                samples::on(2026, 11, 2),
                samples::recorded(2026, 11, 14),
                "He rang from the housing office. They want the letter by the 20th.",
                Some("version 2"),
            ),
        ],
        problems: vec![
            Fact {
                what: "Posttraumatic stress disorder".into(),
                happened: Some(Happened::since(when::at_day(2025, 11, 3))),
                position: 300,
            },
            Fact {
                what: "Insomnia".into(),
                happened: Some(Happened {
                    start: when::at_day(2025, 1, 1),
                    end: when::at_day(2026, 1, 1),
                }),
                position: 301,
            },
        ],
        service: vec![Fact {
            what: "Army, sergeant (E-5), 2 deployments".into(),
            happened: Some(Happened {
                start: when::at_day(2006, 6, 1),
                end: when::at_day(2018, 9, 1),
            }),
            position: 12,
        }],
        events: (64, 3),
        closed: Closed::default(),
    };
    let outsider = Context {
        closed: Closed {
            schedule: true,
            care: true,
            notes: true,
            why: vec![
                (
                    "Appointments, care".into(),
                    "To read it you need the person on your caseload, a place on their care team, or to \
                     cover for somebody who has one of these."
                        .into(),
                ),
                (
                    "Therapy notes".into(),
                    "Therapy notes are for their author, those who treat the person, and the person."
                        .into(),
                ),
            ],
            whose: vec!["R. Osei".into()],
            may_break_glass: true,
        },
        ..busy.clone()
    };
    let supervised = Context {
        closed: Closed {
            notes: true,
            why: vec![(
                "Therapy notes".into(),
                "Therapy notes are for their author, those who treat the person, and the person."
                    .into(),
            )],
            ..Closed::default()
        },
        notes: Vec::new(),
        ..busy.clone()
    };
    let empty = Context {
        next: Next::Nothing {
            owner: "R. Osei".into(),
            last: None,
        },
        owed: Vec::new(),
        consents: Vec::new(),
        disputed: Vec::new(),
        scores: Vec::new(),
        medications: Vec::new(),
        notes: Vec::new(),
        problems: Vec::new(),
        service: Vec::new(),
        events: (1, 0),
        ..busy.clone()
    };
    let dense = Context {
        scores: vec![
            series(
                "PCL-5",
                "PTSD Checklist for DSM-5",
                80.0,
                &(0..60)
                    .map(|step| 40 + (step * 37 % 23) - step / 4)
                    .collect::<Vec<_>>(),
                Some((18.0, "Marx 2022, sample 2")),
                Some((33.0, "VA NCPTSD")),
            ),
            series(
                "PHQ-9",
                "Patient Health Questionnaire",
                27.0,
                &[14],
                Some((5.0, "Kroenke 2012")),
                Some((10.0, "Kroenke 2001")),
            ),
        ],
        medications: (0..14)
            .map(|index| {
                medication(
                    &format!("Medication number {index} 25 mg"),
                    "",
                    if index < 6 { "Taking" } else { "Stopped" },
                    Happened {
                        start: when::at_day(2026, 1 + index % 9, 3),
                        end: if index < 6 {
                            i64::MAX
                        } else {
                            when::at_day(2026, 4 + index % 9, 9)
                        },
                    },
                    900 + index as u64,
                )
            })
            .collect(),
        ..busy.clone()
    };
    let hostile = Context {
        shell: samples::about_hostile(samples::now(&address)),
        next: Next::Ended(samples::HOSTILE.into()),
        owed: vec![Owed {
            what: samples::HOSTILE.into(),
            owner: samples::LONG.into(),
            due: Some(i64::MIN),
            overdue: true,
            position: Some(u64::MAX),
        }],
        closed: Closed {
            why: vec![(samples::HOSTILE.into(), samples::LONG.into())],
            whose: vec![samples::HOSTILE.into(), samples::LONG.into()],
            may_break_glass: true,
            ..Closed::default()
        },
        consents: vec![(samples::HOSTILE.into(), samples::LONG.into())],
        disputed: disputes::sample_rows(),
        scores: vec![Series {
            name: samples::HOSTILE.into(),
            long_name: samples::LONG.into(),
            change: Some(samples::HOSTILE.into()),
            points: vec![Score {
                happened: Happened::on(0),
                recorded_at: RecordedAt(0),
                value: f64::NAN,
                words: samples::LONG.into(),
                remark: Some(samples::HOSTILE.into()),
                position: 1,
            }],
            ..series(
                "",
                "",
                0.0,
                &[],
                Some((f64::INFINITY, samples::HOSTILE)),
                Some((-5.0, samples::HOSTILE)),
            )
        }],
        span: (i64::MIN / 4, i64::MAX / 4),
        medications: vec![medication(
            samples::HOSTILE,
            samples::LONG,
            samples::HOSTILE,
            Happened {
                start: i64::MIN / 4,
                end: i64::MAX,
            },
            1,
        )],
        notes: vec![
            note(
                samples::HOSTILE,
                Happened::on(0),
                samples::recorded(2026, 1, 1),
                samples::HOSTILE,
                Some(samples::LONG),
            ),
            note(
                "Long",
                Happened::on(0),
                samples::recorded(2026, 1, 1),
                &"nospaces".repeat(200),
                None,
            ),
        ],
        problems: vec![Fact {
            what: samples::LONG.into(),
            happened: None,
            position: 1,
        }],
        service: vec![Fact {
            what: samples::HOSTILE.into(),
            happened: None,
            position: 1,
        }],
        events: (u64::MAX, u64::MAX),
    };
    let overdue = Context {
        next: Next::Planned {
            at: samples::NOW - 3 * when::DAY,
            how: "Telephone".into(),
            owner: "R. Osei".into(),
            overdue_days: Some(3),
        },
        ..busy.clone()
    };
    let lost = Context {
        next: Next::Nothing {
            owner: "R. Osei".into(),
            last: Some(samples::NOW - 40 * when::DAY),
        },
        ..busy.clone()
    };
    let then = Context {
        shell: samples::about(samples::then(&address)),
        span: (when::at_day(2026, 2, 20), samples::THEN),
        next: Next::Planned {
            at: when::at_day(2026, 5, 11) + 9 * when::HOUR,
            how: "Office, session 6".into(),
            owner: "R. Osei".into(),
            overdue_days: None,
        },
        owed: Vec::new(),
        disputed: disputes::sample_rows(),
        consents: vec![
            ("Treatment".into(), "Yes, 2 Mar 2026".into()),
            ("Recording of sessions".into(), "Yes, 2 Mar 2026".into()),
        ],
        scores: busy
            .scores
            .iter()
            .map(|series| Series {
                points: series
                    .points
                    .iter()
                    .filter(|point| point.recorded_at.0 <= samples::THEN)
                    .cloned()
                    .collect(),
                change: Some("No reliable change since the first.".into()),
                ..series.clone()
            })
            .collect(),
        medications: busy.medications[1..]
            .iter()
            .map(|one| Medication {
                state: "Taking".into(),
                happened: one.happened.map(|happened| Happened::since(happened.start)),
                ..one.clone()
            })
            .collect(),
        notes: vec![note(
            "Session note",
            samples::on(2026, 4, 28),
            samples::recorded(2026, 4, 28),
            "Session recorded on tape. Nightmares most nights; agreed to keep the light on and to write down the time.",
            None,
        )],
        service: Vec::new(),
        events: (6, 1),
        ..busy.clone()
    };
    vec![
        ("busy", busy),
        ("then", then),
        ("empty", empty.clone()),
        (
            "empty-then",
            Context {
                shell: samples::about(samples::then(&address)),
                ..empty
            },
        ),
        ("dense", dense),
        ("outsider", outsider),
        ("supervised", supervised),
        ("overdue", overdue),
        ("lost", lost),
        ("hostile", hostile),
    ]
}

fn series(
    name: &str,
    long_name: &str,
    high: f64,
    values: &[i64],
    band: Option<(f64, &str)>,
    cut: Option<(f64, &str)>,
) -> Series {
    let step = 250 / values.len().max(1) as i64;
    Series {
        name: name.into(),
        long_name: long_name.into(),
        scale: (0.0, high),
        higher_is_worse: true,
        points: values
            .iter()
            .enumerate()
            .map(|(index, value)| {
                let day = when::at_day(2026, 3, 6) + index as i64 * step * when::DAY;
                Score {
                    happened: Happened::on(day),
                    recorded_at: RecordedAt(day + 15 * when::HOUR),
                    value: *value as f64,
                    words: value.to_string(),
                    remark: (index == 2).then(|| "corrected from 65".into()),
                    position: 400 + index as u64,
                }
            })
            .collect(),
        band: band.map(|(by, source)| Band {
            baseline: values.first().copied().unwrap_or(0) as f64,
            by,
            source: source.into(),
            says: format!("Reliable change: {source}"),
        }),
        cut: cut.map(|(value, source)| Cut {
            value,
            source: source.into(),
            says: format!("A screening line: {source}"),
        }),
        change: Some(match (values.first(), values.last(), band) {
            (Some(first), Some(last), Some((by, source))) if values.len() > 1 => format!(
                "{first} to {last}: {} ({} points or more, {source}).",
                if ((first - last) as f64).abs() >= by {
                    "a reliable change"
                } else {
                    "no reliable change"
                },
                by
            ),
            _ => "Nothing to compare with yet.".into(),
        }),
    }
}

fn medication(
    what: &str,
    dose: &str,
    state: &str,
    happened: Happened,
    position: u64,
) -> Medication {
    Medication {
        what: what.into(),
        dose: dose.into(),
        state: state.into(),
        happened: Some(happened),
        drawn: true,
        position,
    }
}

fn note(
    title: &str,
    happened: Happened,
    recorded_at: RecordedAt,
    text: &str,
    remark: Option<&str>,
) -> Note {
    Note {
        title: title.into(),
        happened: Some(happened),
        recorded_at,
        author: "R. Osei".into(),
        text: text.into(),
        goes_on: false,
        remark: remark.map(str::to_owned),
        position: 7_000,
    }
}
