//! The caseload: everyone, those who need something first, with what they need and a small trend.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when;
use super::{path, samples};
use crate::chart::spark;

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; `keep` holds the filters.
    pub shell: Shell,
    /// "My caseload", "Everyone in the programme".
    pub title: String,
    /// Whose people: "Mine", "Everyone", "Without a caseworker".
    pub shown: Vec<Choice>,
    /// In what order: "Needs attention first", "By name", "By next contact".
    pub orders: Vec<Choice>,
    /// In the order in which they are shown; those with attention need not be first.
    pub people: Vec<Row>,
    /// Whether whoever looks is told what people need; who is not sees no word of it.
    pub says_needs: bool,
    /// Whether to part those who need something from the others (the order is by attention).
    pub parted: bool,
    /// How many there are on all pages.
    pub total: u64,
    /// Address of the next page of them.
    pub more: Option<String>,
    /// Opened records that wait for a review by whoever looks, and how many of them are overdue.
    pub reviews: (u64, u64),
}

/// One of several ways to see the list.
#[derive(Clone, Debug)]
pub struct Choice {
    /// In words.
    pub words: String,
    /// Its address, with every parameter but `_asof`.
    pub address: String,
    /// Whether it is the one in force.
    pub current: bool,
}

/// One person.
#[derive(Clone, Debug)]
pub struct Row {
    /// Id of the Patient.
    pub id: String,
    /// "Haddad, Samir".
    pub name: String,
    /// "VR-26-1149".
    pub number: String,
    /// "Goal work"; with whom, if it is not one's own list.
    pub stage: String,
    /// For whom whoever looks covers here, and until when.
    pub cover: Option<(String, i64)>,
    /// What they need, most urgent first. Empty: in order.
    pub needs: Vec<Need>,
    /// Not in the programme, or no longer: no clock runs for them, which is not the same as being
    /// in order.
    pub outside: bool,
    /// The next contact, if there is one.
    pub next: Option<NextContact>,
    /// When they were last in contact, and how: microseconds, "session".
    pub last: Option<(i64, String)>,
    /// The leading instrument, if it was ever used.
    pub trend: Option<Trend>,
    /// Oddities of their record: "2 late entries", "1 conflict".
    pub oddities: Vec<String>,
    /// Whoever looks may know that they are here, and no more.
    pub is_closed: bool,
}

/// Something that a person needs of us.
#[derive(Clone, Debug)]
pub struct Need {
    /// "No contact planned", "Note overdue 3 days".
    pub words: String,
    /// Whether it should have been done already.
    pub overdue: bool,
}

/// The next contact.
#[derive(Clone, Debug)]
pub struct NextContact {
    /// Microseconds.
    pub at: i64,
    /// "office", "telephone".
    pub how: String,
}

/// One instrument in small.
#[derive(Clone, Debug)]
pub struct Trend {
    /// "PCL-5".
    pub instrument: String,
    /// The latest score as written.
    pub latest: String,
    /// All of them: microseconds and score.
    pub points: Vec<spark::Point>,
    /// Lowest and highest possible.
    pub scale: (f64, f64),
    /// What the change means: "No reliable change (-9)"; `None`: there is nothing to compare.
    pub change: Option<String>,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let needing = context
        .people
        .iter()
        .filter(|row| !row.needs.is_empty())
        .count() as u64;
    let overdue = context
        .people
        .iter()
        .filter(|row| row.needs.iter().any(|need| need.overdue))
        .count() as u64;
    let main = html! {
        p class="lead" {
            (layout::counted(context.total, "person", "people"))
            @if context.total == 0 || !context.says_needs {
                "."
            } @else {
                @if needing == 0 {
                    ". Nobody needs anything " (if shell.is_then() { "then" } else { "today" }) "."
                } @else {
                    ": " strong { (layout::count(needing)) (if needing == 1 { " needs something" } else { " need something" }) }
                    @if overdue > 0 { ", " (layout::urgent_mark()) strong { (layout::count(overdue)) " overdue" } }
                    "."
                }
            }
        }
        @if context.reviews.0 > 0 {
            p class=[(context.reviews.1 > 0).then_some("problem")] {
                @if context.reviews.1 > 0 { (layout::urgent_mark()) }
                a href=(shell.to(path::BREAK_GLASS)) { (layout::counted(context.reviews.0, "opened record", "opened records")) }
                (if context.reviews.0 == 1 { " waits" } else { " wait" }) " for your review"
                @if context.reviews.1 > 0 { ", " (layout::count(context.reviews.1)) " overdue" }
                "."
            }
        }
        div class="choices" {
            (choices("Show", shell, &context.shown))
            (choices("Order", shell, &context.orders))
        }
        @if context.people.is_empty() {
            p {
                "Nobody is on this list" @if shell.is_then() { " as known then" } ". "
                @if shell.leads_to(Place::Find) { a href=(shell.to(path::FIND)) { "Find a person" } "." }
            }
        } @else {
            div class="tablebox" {
                table class="usa-table usa-table--compact stacks caseload" {
                    caption class="unseen" { (context.title) }
                    thead {
                        tr {
                            th scope="col" { "Person" }
                            @if context.says_needs { th scope="col" { "Needs" } }
                            th scope="col" { "Next contact" }
                            th scope="col" { "Last contact" }
                            th scope="col" { "Score and trend" }
                            th scope="col" { "Record" }
                        }
                    }
                    @if context.parted && needing > 0 {
                        tbody {
                            (part("Needs something", needing))
                            @for row in context.people.iter().filter(|row| !row.needs.is_empty()) { (person(shell, row, context.says_needs)) }
                        }
                        @if needing < context.people.len() as u64 {
                            tbody {
                                (part("Nothing needed", context.people.len() as u64 - needing))
                                @for row in context.people.iter().filter(|row| row.needs.is_empty()) { (person(shell, row, context.says_needs)) }
                            }
                        }
                    } @else {
                        tbody { @for row in &context.people { (person(shell, row, context.says_needs)) } }
                    }
                }
            }
            @if let Some(more) = &context.more { p { a href=(shell.to(more)) { "More people" } } }
        }
    };
    layout::page(
        shell,
        Page {
            title: &context.title,
            place: Place::Caseload,
            compares: false,
            main,
        },
    )
}

fn part(words: &str, number: u64) -> Markup {
    html! { tr class="part" { th scope="rowgroup" colspan="6" { (words) " (" (layout::count(number)) ")" } } }
}

fn choices(label: &str, shell: &Shell, choices: &[Choice]) -> Markup {
    html! {
        @if choices.len() > 1 {
            nav aria-label=(label) {
                span aria-hidden="true" { (label) ":" }
                ul {
                    @for choice in choices {
                        li { a href=(shell.to(&choice.address)) aria-current=[choice.current.then_some("true")] { (choice.words) } }
                    }
                }
            }
        }
    }
}

fn person(shell: &Shell, row: &Row, says_needs: bool) -> Markup {
    if row.is_closed {
        return html! {
            tr {
                th scope="row" {
                    a href=(shell.to(&path::person(&row.id))) { bdi { (row.name) } }
                    div class="sub" { bdi { (row.number) } }
                }
                td colspan=(if says_needs { "5" } else { "4" }) { span class="sub" { "Their care is not for your role." } }
            }
        };
    }
    html! {
        tr {
            th scope="row" {
                a href=(shell.to(&path::person(&row.id))) { bdi { (row.name) } }
                div class="sub" { bdi { (row.number) } " \u{b7} " bdi { (row.stage) } }
                @if let Some((owner, until)) = &row.cover {
                    div class="sub" { strong { "You cover for " bdi { (owner) } } " until " (when::time(*until, &when::day(*until - 1))) }
                }
            }
            @if says_needs {
                td data-label="Needs" {
                    @if row.needs.is_empty() && row.outside {
                        span class="sub" { "No clock runs" }
                    } @else if row.needs.is_empty() {
                        span class="fine" { span aria-hidden="true" { "\u{2713} " } "In order" }
                    } @else {
                        ul class="plain" {
                            @for need in &row.needs {
                                li class=[need.overdue.then_some("overdue")] {
                                    @if need.overdue { (layout::urgent_mark()) } @else { span class="soon" aria-hidden="true" { "\u{25cb}" } }
                                    (need.words)
                                }
                            }
                        }
                    }
                }
            }
            td data-label="Next contact" {
                @match &row.next {
                    Some(next) => { (when::time(next.at, &when::weekday_short(next.at))) div class="sub" { (next.how) } }
                    None => { "None planned" }
                }
            }
            td data-label="Last contact" {
                @match &row.last {
                    Some((at, how)) => { (when::time(*at, &when::day(*at))) div class="sub" { (how) } }
                    None => { "Never" }
                }
            }
            td data-label="Score" {
                @match &row.trend {
                    Some(trend) => {
                        div class="trend" {
                            div { span class="sub" { (trend.instrument) } " " strong { (trend.latest) } }
                            (spark::draw(&trend.points, trend.scale, shell.is_then()))
                        }
                        @if let Some(change) = &trend.change { div class="sub" { (change) } }
                    }
                    None => { span class="sub" { "No score" } }
                }
            }
            td data-label="Record" {
                @if row.oddities.is_empty() { span class="sub" { span aria-hidden="true" { "\u{2013}" } span class="unseen" { "Nothing to note" } } } @else {
                    ul class="plain" {
                        @for oddity in &row.oddities {
                            li { a href=(shell.to(&path::timelines(&row.id))) { (oddity) span class="unseen" { " in the record of " (row.name) } } }
                        }
                    }
                }
            }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let need = |words: &str, overdue| Need {
        words: words.into(),
        overdue,
    };
    let choice = |words: &str, address: &str, current| Choice {
        words: words.into(),
        address: address.into(),
        current,
    };
    let names = [
        ("Brandt, Jonas", "Intake", 28),
        ("Egan, Patricia", "Goal work", 18),
        ("Jamison, Robert", "Intake", 14),
        ("Alvarez, Miguel", "Goal work", 49),
        ("Chukwu, Daniel", "Vocational", 34),
        ("Delacroix, Anne", "Discharge plan", 19),
        ("Fitzgerald, Thomas", "Intake", 50),
        ("Gutierrez, Luis", "Vocational", 19),
        ("Haddad, Samir", "Goal work", 38),
        ("Iverson, Karin", "Goal work", 62),
        ("Kowalski, Beata", "Vocational", 36),
        ("Lindqvist, Erik", "Discharge plan", 32),
        ("Moreno, Clara", "Goal work", 9),
        ("Novak, Petr", "Intake", 44),
    ];
    let rows_at = |now: i64| -> Vec<Row> {
        names
            .iter()
            .enumerate()
            .map(|(index, (name, stage, latest))| {
                let day = index as i64;
                let points = (0..8 + day % 5)
                    .map(|step| {
                        (
                            now - (60 - 7 * step) * when::DAY,
                            f64::from(*latest)
                                + ((11 - step) * (day % 4)) as f64
                                + (step * 7 % 5) as f64,
                        )
                    })
                    .chain([(now - 3 * when::DAY, f64::from(*latest))])
                    .collect();
                Row {
                    id: format!("p{index}"),
                    name: (*name).into(),
                    number: format!("VR-26-{}", 1100 + 7 * index),
                    stage: (*stage).into(),
                    cover: (index == 3).then(|| ("Desmond Whitcomb".into(), now + 9 * when::DAY)),
                    outside: index == 5,
                    is_closed: index == 6,
                    needs: match index {
                        0 => vec![
                            need("Lost contact: no reply in 14 days", true),
                            need("Note of the last session not signed", true),
                        ],
                        1 => vec![need("Housing letter owed, 2 days late", true)],
                        2 => vec![need("No contact planned", false)],
                        3 => vec![need("PCL-5 due this week", false)],
                        _ => Vec::new(),
                    },
                    next: (index != 2).then(|| NextContact {
                        at: now + (day - 1) * when::DAY + 30 * 60 * when::SECOND,
                        how: ["office", "telephone", "home visit"][index % 3].into(),
                    }),
                    last: (index != 13)
                        .then(|| (now - (day + 2) * when::DAY, "session".to_owned())),
                    trend: (index != 6).then(|| Trend {
                        instrument: "PCL-5".into(),
                        latest: latest.to_string(),
                        points,
                        scale: (0.0, 80.0),
                        change: Some(
                            if index % 3 == 0 {
                                "Reliable fall (\u{2212}19)"
                            } else {
                                "No reliable change (\u{2212}6)"
                            }
                            .into(),
                        ),
                    }),
                    oddities: match index {
                        8 => vec!["3 conflicts".into()],
                        1 => vec!["1 late entry".into()],
                        _ => Vec::new(),
                    },
                }
            })
            .collect()
    };
    let rows = rows_at(samples::NOW);
    let busy = Context {
        shell: samples::now(path::CASELOAD),
        title: "My caseload".into(),
        shown: vec![
            choice("Mine", "/caseload", true),
            choice("Everyone", "/caseload?show=everyone", false),
        ],
        orders: vec![
            choice("Needs attention first", "/caseload", true),
            choice("By name", "/caseload?order=name", false),
            choice("By next contact", "/caseload?order=next", false),
        ],
        says_needs: true,
        parted: true,
        total: rows.len() as u64,
        people: rows.clone(),
        more: None,
        reviews: (2, 1),
    };
    let hostile = Row {
        id: samples::HOSTILE.into(),
        name: samples::HOSTILE.into(),
        number: samples::LONG.into(),
        stage: samples::HOSTILE.into(),
        cover: Some((samples::LONG.into(), samples::NOW)),
        outside: false,
        is_closed: false,
        needs: vec![need(samples::HOSTILE, true), need(samples::LONG, false)],
        next: Some(NextContact {
            at: i64::MAX,
            how: samples::HOSTILE.into(),
        }),
        last: Some((i64::MIN, samples::LONG.into())),
        trend: Some(Trend {
            instrument: samples::HOSTILE.into(),
            latest: samples::LONG.into(),
            points: vec![(i64::MIN, f64::NAN), (i64::MAX, f64::INFINITY)],
            scale: (0.0, 0.0),
            change: Some(samples::HOSTILE.into()),
        }),
        oddities: vec![samples::HOSTILE.into()],
    };
    vec![
        ("busy", busy.clone()),
        (
            "then",
            Context {
                shell: samples::then(path::CASELOAD),
                people: rows_at(samples::THEN)[..9].to_vec(),
                total: 9,
                ..busy.clone()
            },
        ),
        (
            "by-name",
            Context {
                parted: false,
                title: "Everyone in the programme".into(),
                total: 61,
                more: Some("/caseload?show=everyone&page=2".into()),
                ..busy.clone()
            },
        ),
        (
            "referred",
            Context {
                title: "People referred to me".into(),
                shown: Vec::new(),
                orders: busy.orders[1..].to_vec(),
                says_needs: false,
                parted: false,
                people: rows[5..8].to_vec(),
                total: 3,
                reviews: (0, 0),
                ..busy.clone()
            },
        ),
        (
            "quiet",
            Context {
                people: rows[4..].to_vec(),
                total: 10,
                ..busy.clone()
            },
        ),
        (
            "empty",
            Context {
                people: Vec::new(),
                total: 0,
                ..busy.clone()
            },
        ),
        (
            "empty-then",
            Context {
                shell: samples::then(path::CASELOAD),
                people: Vec::new(),
                total: 0,
                ..busy.clone()
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now(path::CASELOAD)),
                title: samples::HOSTILE.into(),
                people: vec![hostile],
                total: u64::MAX,
                ..busy
            },
        ),
    ]
}
