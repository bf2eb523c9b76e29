//! What a person says is wrong on their record, and how each stands.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; with a banner.
    pub shell: Shell,
    /// Whether the person looks at it themself.
    pub themself: bool,
    /// All disputes, the newest first.
    pub rows: Vec<Row>,
}

/// One dispute.
#[derive(Clone, Debug)]
pub struct Row {
    /// The Task's id.
    pub id: String,
    /// What is disputed, in words.
    pub what: String,
    /// What the person says, the beginning of it.
    pub account: String,
    /// When they said it.
    pub raised_at: RecordedAt,
    /// How it stands.
    pub stands: String,
    /// Whether the answer is overdue.
    pub overdue: bool,
}

/// The same in short, to stand on a page that shows what is disputed.
pub fn listed(shell: &Shell, rows: &[Row]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section class="panel full disputed" aria-labelledby="disputed" {
                h2 id="disputed" { (layout::urgent_mark()) "What the person says is wrong" }
                ul class="plain rows" { @for row in rows { li {
                    a href=(shell.to(&path::dispute(&row.id))) { bdi { (row.what) } }
                    ": \u{201c}" bdi { (row.account) } "\u{201d} "
                    span class=(if row.overdue { "overdue" } else { "sub" }) { (row.stands) "." }
                } } }
            }
        }
    }
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        p class="lead" {
            @if context.themself {
                "What you say is wrong. It stands beside the entry wherever the entry is shown, in your words, whatever the answer is. "
                "The programme owes you an answer within 60 days, and may take 30 more once if it tells you why."
            } @else {
                "What the person says is wrong, in their words. It stands beside each entry. An answer is owed within 60 days."
            }
        }
        @if context.rows.is_empty() { p { "Nothing is disputed" @if shell.is_then() { " until then" } "." } } @else {
            div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                caption { (layout::counted(context.rows.len() as u64, "disputed entry", "disputed entries")) }
                thead { tr { th scope="col" { "Entry" } th scope="col" { @if context.themself { "What you say" } @else { "What the person says" } } th scope="col" { "Said" } th scope="col" { "Stands" } } }
                tbody { @for row in &context.rows { tr {
                    th scope="row" { a href=(shell.to(&path::dispute(&row.id))) { bdi { (row.what) } } }
                    td data-label="Says" { bdi { (row.account) } }
                    td data-label="Said" { (when::time(row.raised_at.0, &row.raised_at.words())) }
                    td data-label="Stands" { span class=[row.overdue.then_some("overdue")] { @if row.overdue { (layout::urgent_mark()) } (row.stands) } }
                } } }
            } }
        }
        p class="hint" {
            "To dispute an entry, open it and choose " strong { "Say that this is wrong" } "."
        }
    };
    layout::page(
        shell,
        Page {
            title: "Disputed entries",
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

/// Two for the samples of other pages.
pub fn sample_rows() -> Vec<Row> {
    samples()
        .into_iter()
        .next()
        .map(|(_, context)| context.rows)
        .unwrap_or_default()
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let row = |id: &str, what: &str, stands: &str, overdue: bool| Row {
        id: id.into(),
        what: what.into(),
        account: "I was not there that day. I rang in the morning and said so.".into(),
        raised_at: samples::recorded(2026, 8, 4),
        stands: stands.into(),
        overdue,
    };
    let own = Context {
        shell: samples::about(samples::now("/people/0h8k2m4q6s8v0x2z/disputes")),
        themself: true,
        rows: vec![
            row("d1", "Session 4", "An answer was owed by 3 Oct 2026", true),
            row(
                "d2",
                "PCL-5 = 61",
                "The programme agreed on 9 Jun 2026",
                false,
            ),
        ],
    };
    vec![
        ("own", own.clone()),
        (
            "staff",
            Context {
                themself: false,
                ..own.clone()
            },
        ),
        (
            "then",
            Context {
                shell: samples::about(samples::then("/people/0h8k2m4q6s8v0x2z/disputes")),
                rows: Vec::new(),
                ..own.clone()
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now("/people/x/disputes")),
                rows: vec![Row {
                    account: samples::HOSTILE.into(),
                    raised_at: RecordedAt(i64::MAX),
                    ..row(samples::HOSTILE, samples::HOSTILE, samples::LONG, true)
                }],
                ..own
            },
        ),
    ]
}
