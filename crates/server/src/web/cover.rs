//! Who covers for whom while somebody is away, and the form that says so.

use casework::DAY;
use casework::delegation::LENGTH_MAX;
use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples, when};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// Those that whoever looks has to do with, the ones in force first.
    pub rows: Vec<Row>,
    /// Whose people may be handed over here: name as an actor, and as people call them; oneself first.
    pub owners: Vec<(String, String)>,
    /// Who may cover.
    pub colleagues: Vec<(String, String)>,
}

/// One delegation.
#[derive(Clone, Debug)]
pub struct Row {
    /// The Task's id.
    pub id: String,
    /// Who is away.
    pub owner: String,
    /// Who covers.
    pub delegate: String,
    /// "the whole caseload", "3 persons".
    pub whose: String,
    /// When it begins and ends.
    pub term: (i64, i64),
    /// Why.
    pub why: String,
    /// Where it stands, in a word or a few.
    pub stands: &'static str,
    /// Whether whoever looks can end it now.
    pub may_end: bool,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        p class="lead" { "While somebody is away, a colleague does for their people what they would do. It ends by itself, and it cannot be passed on." }
        @if context.rows.is_empty() { p { "Nobody covers for you, and you cover for nobody" @if shell.is_then() { ", as known then" } "." } } @else {
            div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                caption class="unseen" { "Who covers for whom" }
                thead { tr { th scope="col" { "Away" } th scope="col" { "Covers" } th scope="col" { "For" } th scope="col" { "From" } th scope="col" { "To" } th scope="col" { "Why" } th scope="col" { "Now" } } }
                tbody { @for row in &context.rows { tr {
                    th scope="row" { bdi { (row.owner) } }
                    td data-label="Covers" { bdi { (row.delegate) } }
                    td data-label="For" { (row.whose) }
                    td data-label="From" { (when::time(row.term.0, &when::day(row.term.0))) }
                    td data-label="To" { (when::time(row.term.1 - 1, &when::day(row.term.1 - 1))) }
                    td data-label="Why" { bdi { (row.why) } }
                    td data-label="Now" { span {
                        (row.stands)
                        @if row.may_end { form class="inline" method="post" action=(path::cover_step(&row.id, "end")) {
                            button class="usa-button usa-button--outline small" type="submit" { "End it" }
                        } }
                    } }
                } } }
            } }
        }
        @if !shell.is_then() && !context.owners.is_empty() {
            section class="panel" aria-labelledby="new" {
                h2 id="new" { "Have somebody cover" }
                @if context.colleagues.is_empty() { p { "There is no colleague who could." } } @else {
                form class="stack" method="post" action=(path::COVER) {
                    label class="usa-label" for="owner" { "Who is away" }
                    select class="usa-input" id="owner" name="owner" { @for (actor, name) in &context.owners { option value=(actor) { (name) } } }
                    label class="usa-label" for="delegate" { "Who covers" }
                    select class="usa-input" id="delegate" name="delegate" required {
                        option value="" { "Choose a colleague" }
                        @for (actor, name) in &context.colleagues { option value=(actor) { (name) } }
                    }
                    label class="usa-label" for="from" { "First day" }
                    input class="usa-input" id="from" name="from" type="date" value=(when::iso_day(shell.made_at)) required;
                    label class="usa-label" for="to" { "Last day" }
                    input class="usa-input" id="to" name="to" type="date" required aria-describedby="to-hint";
                    p class="hint" id="to-hint" { "Days in UTC, at most " (LENGTH_MAX / DAY) " of them." }
                    fieldset {
                        legend { "For whom" }
                        div class="tick" { input type="radio" name="whose" id="whose-all" value="all" checked; label for="whose-all" { "The whole caseload" } }
                        div class="tick" { input type="radio" name="whose" id="whose-named" value="named"; label for="whose-named" { "These of them" } }
                        label class="usa-label" for="persons" { "Participant numbers, one on a line" }
                        textarea class="usa-input" id="persons" name="persons" rows="3" {}
                    }
                    label class="usa-label" for="why" { "Why" }
                    input class="usa-input" id="why" name="why" maxlength="500" required placeholder="Annual leave";
                    button class="usa-button" type="submit" { "Hand over" }
                } }
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Cover",
            place: Place::Cover,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let row = |stands, may_end| Row {
        id: "5q0t7v9e2k4m8n1c".into(),
        owner: "Desmond Whitcomb".into(),
        delegate: "Ruth Osei".into(),
        whose: "the whole caseload".into(),
        term: (samples::NOW - 3 * when::DAY, samples::NOW + 11 * when::DAY),
        why: "Annual leave".into(),
        stands,
        may_end,
    };
    let person = |name: &str| ("Practitioner/7k2m".to_owned(), name.to_owned());
    let shell = samples::now(path::COVER);
    let some = Context {
        shell: shell.clone(),
        rows: vec![row("in force", true), row("over", false)],
        owners: vec![person("Ruth Osei")],
        colleagues: vec![person("Desmond Whitcomb"), person("Priya Raghunathan")],
    };
    let none = Context {
        shell: samples::then(path::COVER),
        rows: Vec::new(),
        owners: Vec::new(),
        colleagues: Vec::new(),
    };
    let hostile = Context {
        rows: vec![Row {
            owner: samples::HOSTILE.into(),
            delegate: samples::LONG.into(),
            whose: samples::HOSTILE.into(),
            why: samples::LONG.into(),
            ..row("to come", true)
        }],
        owners: vec![(samples::HOSTILE.into(), samples::HOSTILE.into())],
        colleagues: vec![(samples::HOSTILE.into(), samples::LONG.into())],
        shell,
    };
    vec![("some", some), ("none", none), ("hostile", hostile)]
}
