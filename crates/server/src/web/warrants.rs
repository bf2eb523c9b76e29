//! All warrants, for officers.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the list shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// The newest first.
    pub rows: Vec<Row>,
}

/// One warrant.
#[derive(Clone, Debug)]
pub struct Row {
    /// The Task's id.
    pub id: String,
    /// The issuer's number.
    pub number: String,
    /// Who issued it.
    pub issuer: String,
    /// Who may read under it.
    pub inspector: String,
    /// "2 persons", "everybody".
    pub about: String,
    /// Where it stands.
    pub stands: String,
    /// Whether it opens something now.
    pub in_force: bool,
    /// When it was entered.
    pub entered_at: RecordedAt,
}

/// The list.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        p class="lead" {
            "An inspector reads nothing of anybody but under a warrant that is entered here. Each is an entry of "
            "the record, nothing of it can be changed, and every person whom it names is told: at once, or when the paper says."
        }
        @if !shell.is_then() { p { a class="usa-button" href=(path::WARRANT_NEW) { "Enter a warrant" } } }
        @if context.rows.is_empty() {
            p { strong { "No warrant was ever entered" @if shell.is_then() { " until then" } "." } }
        } @else {
            div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                caption { (layout::counted(context.rows.len() as u64, "warrant", "warrants")) ", newest first" }
                thead { tr { th scope="col" { "Number" } th scope="col" { "Issued by" } th scope="col" { "Inspector" } th scope="col" { "About" } th scope="col" { "Where it stands" } th scope="col" { "Entered" } } }
                tbody { @for row in &context.rows { tr {
                    th scope="row" { a href=(shell.to(&path::warrant(&row.id))) { bdi { (row.number) } } }
                    td data-label="Issued by" { bdi { (row.issuer) } }
                    td data-label="Inspector" { bdi { (row.inspector) } }
                    td data-label="About" { (row.about) }
                    td data-label="Where it stands" { span { @if row.in_force { (layout::urgent_mark()) } (row.stands) } }
                    td data-label="Entered" { (when::time(row.entered_at.0, &row.entered_at.words())) }
                } } }
            } }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Warrants",
            place: Place::Warrants,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let row = |number: &str, stands: &str, in_force| Row {
        id: "5q0t7v9e2k4m8n1c".into(),
        number: number.into(),
        issuer: "Inspector General, regional office".into(),
        inspector: "S. Aldana".into(),
        about: "2 persons".into(),
        stands: stands.into(),
        in_force,
        entered_at: RecordedAt(samples::NOW - 20 * when::DAY),
    };
    let shell = samples::now(path::WARRANTS);
    vec![
        (
            "some",
            Context {
                shell: shell.clone(),
                rows: vec![
                    row(
                        "IG-2026-117",
                        "In force until 14 Dec 2026, 00:00 UTC.",
                        true,
                    ),
                    row("IG-2026-004", "Ended on 3 Mar 2026.", false),
                ],
            },
        ),
        (
            "none",
            Context {
                shell: samples::then(path::WARRANTS),
                rows: Vec::new(),
            },
        ),
        (
            "hostile",
            Context {
                shell,
                rows: vec![Row {
                    issuer: samples::HOSTILE.into(),
                    inspector: samples::LONG.into(),
                    about: samples::HOSTILE.into(),
                    ..row(samples::HOSTILE, samples::LONG, true)
                }],
            },
        ),
    ]
}
