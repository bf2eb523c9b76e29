//! Every break-glass that somebody answers for, those that wait for a review first.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the list shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// Whether whoever looks reviews; else these are their own.
    pub reviews: bool,
    /// Those that wait first, the one that is due first at the top; then the others, newest first.
    pub rows: Vec<Row>,
}

/// One break-glass.
#[derive(Clone, Debug)]
pub struct Row {
    /// The Task's id.
    pub id: String,
    /// Who opened it.
    pub who: String,
    /// Whose record: their name, as long as it can be read by whoever looks.
    pub whose: Option<String>,
    /// Why, in words.
    pub why: String,
    /// "Life or health is in danger now".
    pub need: String,
    /// When.
    pub from: RecordedAt,
    /// Where it stands.
    pub state: State,
}

/// Where a break-glass stands at the moment of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It lasts until then.
    Lasts(i64),
    /// It waits for its review, due then.
    Waits(i64),
    /// Its review is overdue by so long.
    Overdue(i64),
    /// It was reviewed: "justified".
    Reviewed(&'static str),
}

impl State {
    /// In words.
    pub fn words(&self) -> Markup {
        html! {
            @match self {
                State::Lasts(until) => { (layout::urgent_mark()) strong { "Open now, until " (when::time(*until, &when::minute(*until))) " UTC" } }
                State::Waits(due) => { "Waits for a review, due " (when::time(*due, &when::minute(*due))) " UTC" }
                State::Overdue(by) => { (layout::urgent_mark()) strong { "Review overdue by " (casework::length(*by)) } }
                State::Reviewed(outcome) => { "Reviewed: " strong { (outcome) } }
            }
        }
    }
}

/// The list.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let waiting = context
        .rows
        .iter()
        .filter(|row| matches!(row.state, State::Waits(_) | State::Overdue(_)))
        .count() as u64;
    let main = html! {
        p class="lead" {
            @if context.reviews {
                @match waiting {
                    0 => "Nothing waits for your review.",
                    count => { strong { (layout::counted(count, "record", "records")) " opened without a relation " (if count == 1 { "waits" } else { "wait" }) " for your review." } }
                }
                " Whoever opens a record that is closed to them says why, and their supervisor says within three days whether it was justified."
            } @else { "Records that you opened though they were closed to you." }
        }
        @if context.rows.is_empty() { p { "No record was opened in this way" @if shell.is_then() { " until then" } "." } } @else {
            div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                caption class="unseen" { "Records that were opened" }
                thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "Whose record" } th scope="col" { "Why" } th scope="col" { "Where it stands" } } }
                tbody { @for row in &context.rows { tr {
                    th scope="row" { a href=(shell.to(&path::opened(&row.id))) { (when::time(row.from.0, &row.from.words())) } }
                    td data-label="Who" { bdi { (row.who) } }
                    td data-label="Whose record" { @match &row.whose { Some(name) => { bdi { (name) } } None => { "not known to you" } } }
                    td data-label="Why" { span { bdi { (row.why) } " " span class="sub" { (row.need) } } }
                    td data-label="Where it stands" { span { (row.state.words()) } }
                } } }
            } }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Opened records",
            place: Place::Opened,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let row = |state| Row {
        id: "5q0t7v9e2k4m8n1c".into(),
        who: "Priya Raghunathan".into(),
        whose: Some("Haddad, Samir".into()),
        why: "Called from the bridge, colleague not reachable".into(),
        need: "Life or health is in danger now".into(),
        from: RecordedAt(samples::NOW - 3 * when::DAY),
        state,
    };
    let shell = samples::now(path::BREAK_GLASS);
    vec![
        (
            "some",
            Context {
                shell: shell.clone(),
                reviews: true,
                rows: vec![
                    row(State::Overdue(5 * when::HOUR)),
                    row(State::Waits(samples::NOW + when::DAY)),
                    row(State::Lasts(samples::NOW + when::HOUR)),
                    row(State::Reviewed("justified")),
                ],
            },
        ),
        (
            "none",
            Context {
                shell: samples::then(path::BREAK_GLASS),
                reviews: false,
                rows: Vec::new(),
            },
        ),
        (
            "hostile",
            Context {
                shell,
                reviews: true,
                rows: vec![Row {
                    who: samples::LONG.into(),
                    whose: None,
                    why: samples::HOSTILE.into(),
                    need: samples::LONG.into(),
                    ..row(State::Reviewed("not justified"))
                }],
            },
        ),
    ]
}
