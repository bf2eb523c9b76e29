//! All erasures.

use casework::erasure::Scope;
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

/// One erasure.
#[derive(Clone, Debug)]
pub struct Row {
    /// The Task's id.
    pub id: String,
    /// The person's name, as long as it can be read.
    pub person: Option<String>,
    /// How much.
    pub scope: Scope,
    /// Where it stands.
    pub stands: String,
    /// When it was asked for.
    pub requested_at: RecordedAt,
    /// By whom.
    pub requester: String,
}

/// The list.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        p class="lead" {
            "Nothing of this record is removed but by an erasure: on a ground that the law gives, approved by two "
            "officers, told to the person, after a delay. Each step of it stays on the record."
        }
        p { "An erasure is asked for from the page of the person whom it is about." }
        @if context.rows.is_empty() {
            p { strong { "No erasure was ever asked for." } }
        } @else {
            div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                caption class="unseen" { "Erasures" }
                thead { tr { th scope="col" { "Whose record" } th scope="col" { "How much" } th scope="col" { "Where it stands" } th scope="col" { "Asked for" } } }
                tbody { @for row in &context.rows { tr {
                    th scope="row" { a href=(shell.to(&path::erasure(&row.id))) {
                        @match &row.person { Some(name) => { bdi { (name) } } None => { "No longer known" } }
                    } }
                    td data-label="How much" { span { (row.scope.words()) } }
                    td data-label="Where it stands" { span { (row.stands) } }
                    td data-label="Asked for" { span { (when::time(row.requested_at.0, &row.requested_at.words())) ", " bdi { (row.requester) } } }
                } } }
            } }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Erasures",
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let row = |person: Option<&str>, stands: &str| Row {
        id: "5q0t7v9e2k4m8n1c".into(),
        person: person.map(str::to_owned),
        scope: Scope::Notes,
        stands: stands.into(),
        requested_at: RecordedAt(samples::NOW - 20 * when::DAY),
        requester: "R. Abara".into(),
    };
    let shell = samples::now(path::ERASURES);
    vec![
        (
            "some",
            Context {
                shell: shell.clone(),
                rows: vec![
                    row(Some("Haddad, Samir"), "One officer has approved it."),
                    row(None, "Carried out on 3 Mar 2026."),
                ],
            },
        ),
        (
            "none",
            Context {
                shell: samples::then(path::ERASURES),
                rows: Vec::new(),
            },
        ),
        (
            "hostile",
            Context {
                shell,
                rows: vec![row(Some(samples::HOSTILE), samples::LONG)],
            },
        ),
    ]
}
