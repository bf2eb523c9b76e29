//! Who was shown what: of one person, or of everybody.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; with a banner if it is about one person.
    pub shell: Shell,
    /// How often it was looked at in all, as far as is shown.
    pub total: u64,
    /// Who looked how often, most first.
    pub readers: Vec<Reader>,
    /// What was shown, newest first.
    pub rows: Vec<Row>,
    /// Address of the rows before these.
    pub more: Option<String>,
    /// Who opened the person's record though it was closed to them, newest first.
    pub opened: Vec<Opened>,
    /// What the person was told of warrants, newest first.
    pub notices: Vec<Notice>,
}

/// A record that somebody opened though it was closed to them.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Who.
    pub who: String,
    /// Why, in their words.
    pub why: String,
    /// "Life or health is in danger now".
    pub need: String,
    /// From when.
    pub from: RecordedAt,
    /// Until when.
    pub until: i64,
    /// What their supervisor says of it, and why.
    pub review: Option<(&'static str, String)>,
    /// By when that is due.
    pub review_due: i64,
}

/// What a person was told of a warrant.
#[derive(Clone, Debug)]
pub struct Notice {
    /// When.
    pub at: RecordedAt,
    /// The words.
    pub text: String,
    /// Its entry.
    pub position: u64,
}

/// Somebody who looked.
#[derive(Clone, Debug)]
pub struct Reader {
    /// "R. Osei", "the program scheduler".
    pub who: String,
    /// How often.
    pub times: u64,
    /// When last.
    pub last: RecordedAt,
}

/// One thing that was shown.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its leaf in the access log.
    pub position: u64,
    /// When it was shown.
    pub at: RecordedAt,
    /// Whom it was shown to.
    pub who: String,
    /// What for, in words: "treatment".
    pub purpose: String,
    /// What it was: "the caseload", "a search among Observation".
    pub what: String,
    /// How many versions it gave out whole.
    pub versions: u64,
    /// Whom it told of.
    pub about: Vec<About>,
    /// How many more it told of.
    pub others: u64,
    /// Whether it showed an earlier state.
    pub earlier: bool,
}

/// A person who was told of.
#[derive(Clone, Debug)]
pub struct About {
    /// "Haddad, Samir"; or that they were erased.
    pub name: String,
    /// Id of the Patient, if the record still knows them.
    pub id: Option<String>,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let person = shell.banner.is_some();
    let main = html! {
        p class="lead" {
            @if person { "Everybody who was shown something of this person, and what for. " } @else { "Everything that anybody was shown, and what for. " }
            "Each was written down before it was shown, on a log that cannot be changed quietly. That you look here is on it, too."
        }
        div class="columns" {
            @if !context.readers.is_empty() {
                section class="panel full" aria-labelledby="readers" {
                    h2 id="readers" { "Who, and how often" }
                    (layout::scrolling("Who looked, and how often", html! { table class="usa-table usa-table--compact bare" {
                        thead { tr { th scope="col" { "Who" } th scope="col" class="num" { "Times" } th scope="col" { "Last" } } }
                        tbody { @for reader in &context.readers { tr {
                            th scope="row" { bdi { (reader.who) } }
                            td class="num" { (layout::count(reader.times)) }
                            td { (when::time(reader.last.0, &reader.last.words())) }
                        } } }
                    } }))
                }
            }
        }
        div class="columns" {
        @if !context.notices.is_empty() {
            section class="panel full" aria-labelledby="notices" {
                h2 id="notices" { "Warrants" }
                ul { @for notice in &context.notices {
                    li {
                        a href=(shell.to(&path::entry(notice.position))) { (when::time(notice.at.0, &notice.at.words())) } ": "
                        bdi { (notice.text) }
                    }
                } }
            }
        }
        @if !context.opened.is_empty() {
            section class="panel full" aria-labelledby="opened" {
                h2 id="opened" { "Opened though it was closed to them" }
                p class="hint" { "Somebody who does not care for the person may open the record for a short time if it cannot wait. They say why, and their supervisor says whether it was justified." }
                ul { @for one in &context.opened { li {
                    strong { bdi { (one.who) } } ", " (when::time(one.from.0, &one.from.words())) " to " (when::time(one.until, &when::minute(one.until))) " UTC: "
                    bdi { (one.why) } " (" (one.need) "). "
                    @match &one.review {
                        Some((outcome, why)) => { "Reviewed: " strong { (outcome) } ". " bdi { (why) } }
                        None => { "The review is due " (when::time(one.review_due, &when::minute(one.review_due))) " UTC." }
                    }
                } } }
            }
        }
        }
        @if context.rows.is_empty() {
            p { "Nothing was shown to anybody" @if shell.is_then() { " until then" } "." }
        } @else {
            div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                caption { (layout::counted(context.total, "time", "times")) " in all" @if shell.is_then() { " until then" } ", newest first" }
                thead { tr {
                    th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "For" } th scope="col" { "What" }
                    @if !person { th scope="col" { "About" } }
                    th scope="col" { "How much" }
                } }
                tbody { @for row in &context.rows { (one(shell, row, person)) } }
            } }
            @if let Some(more) = &context.more { p { a href=(shell.to(more)) { "Earlier" } } }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Who looked",
            place: if person {
                Place::Elsewhere
            } else {
                Place::Access
            },
            compares: false,
            main,
        },
    )
}

fn one(shell: &Shell, row: &Row, person: bool) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(shell.to(&path::leaf(row.position))) { (when::time(row.at.0, &row.at.words())) } }
            td data-label="Who" { bdi { (row.who) } }
            td data-label="For" { bdi { (row.purpose) } }
            td data-label="What" { span { bdi { (row.what) } @if row.earlier { " " span class="sub" { "(as known earlier)" } } } }
            @if !person { td data-label="About" { span { (about(shell, &row.about, row.others)) } } }
            td data-label="How much" { (how_much(row.versions)) }
        }
    }
}

/// Names, with links where there is somewhere to go.
pub fn about(shell: &Shell, about: &[About], others: u64) -> Markup {
    html! {
        @if about.is_empty() && others == 0 { "nobody in particular" }
        @for (place, one) in about.iter().enumerate() {
            @if place > 0 { "; " }
            @match &one.id {
                Some(id) => { a href=(shell.to(&path::person(id))) { bdi { (one.name) } } }
                None => { bdi { (one.name) } }
            }
        }
        @if others > 0 { @if !about.is_empty() { " and " } (layout::counted(others, "more", "more")) }
    }
}

/// "3 versions", or that it summed up.
pub fn how_much(versions: u64) -> String {
    match versions {
        0 => "no version whole".into(),
        many => layout::counted(many, "version", "versions"),
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let row = |position: u64, what: &str, versions: u64, about: &[(&str, Option<&str>)]| Row {
        position,
        at: samples::recorded(2026, 4, 30),
        who: "R. Osei".into(),
        purpose: "treatment".into(),
        what: what.into(),
        versions,
        about: about
            .iter()
            .map(|(name, id)| About {
                name: (*name).into(),
                id: id.map(str::to_owned),
            })
            .collect(),
        others: 0,
        earlier: false,
    };
    let samir = ("Haddad, Samir", Some("0h8k2m4q6s8v0x2z"));
    let everybody = Context {
        shell: samples::now(path::ACCESS),
        total: 4_713,
        readers: Vec::new(),
        rows: vec![
            row(4_712, "a search among Observation", 50, &[samir]),
            Row {
                others: 54,
                ..row(
                    4_711,
                    "the caseload",
                    0,
                    &[samir, ("Hadley, Ruth", Some("a2"))],
                )
            },
            Row {
                earlier: true,
                ..row(4_710, "the person on one screen", 212, &[samir])
            },
            row(
                4_709,
                "the person on one screen",
                12,
                &[("someone whose record was erased", None)],
            ),
            row(4_708, "about this record", 0, &[]),
        ],
        more: Some(path::with(path::ACCESS, &[("before", "4708")])),
        opened: Vec::new(),
        notices: Vec::new(),
    };
    let person = Context {
        shell: samples::about(samples::now(&path::person_access("0h8k2m4q6s8v0x2z"))),
        total: 3,
        readers: vec![
            Reader {
                who: "R. Osei".into(),
                times: 2,
                last: samples::recorded(2026, 4, 30),
            },
            Reader {
                who: "the program scheduler".into(),
                times: 1,
                last: samples::recorded(2026, 4, 29),
            },
        ],
        rows: everybody.rows[..3].to_vec(),
        more: None,
        opened: vec![
            Opened {
                who: "Priya Raghunathan".into(),
                why: "Called from the bridge, colleague not reachable".into(),
                need: "Life or health is in danger now".into(),
                from: samples::recorded(2026, 4, 28),
                until: samples::THEN,
                review: Some(("justified", "It could not wait".into())),
                review_due: samples::THEN,
            },
            Opened {
                who: samples::HOSTILE.into(),
                why: samples::LONG.into(),
                need: "Life or health is in danger now".into(),
                from: samples::recorded(2026, 4, 29),
                until: samples::THEN,
                review: None,
                review_due: samples::THEN,
            },
        ],
        notices: vec![Notice {
            at: samples::recorded(2026, 4, 20),
            text: samples::HOSTILE.into(),
            position: 4_100,
        }],
    };
    vec![
        ("person", person.clone()),
        ("everybody", everybody.clone()),
        (
            "person-then",
            Context {
                shell: samples::about(samples::then(&path::person_access("0h8k2m4q6s8v0x2z"))),
                ..person.clone()
            },
        ),
        (
            "again",
            Context {
                shell: samples::about(samples::again(&path::person_access("0h8k2m4q6s8v0x2z"))),
                ..person
            },
        ),
        (
            "nothing",
            Context {
                total: 0,
                rows: Vec::new(),
                more: None,
                ..everybody.clone()
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now("/access")),
                readers: vec![Reader {
                    who: samples::HOSTILE.into(),
                    times: u64::MAX,
                    last: RecordedAt(i64::MAX),
                }],
                rows: vec![Row {
                    who: samples::HOSTILE.into(),
                    purpose: samples::LONG.into(),
                    what: samples::HOSTILE.into(),
                    ..row(
                        u64::MAX,
                        "",
                        u64::MAX,
                        &[(samples::HOSTILE, Some(samples::HOSTILE))],
                    )
                }],
                ..everybody
            },
        ),
    ]
}
