//! The programs and apps that are registered.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples};

/// What the list shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// By name.
    pub rows: Vec<Row>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Who answers for it.
    pub organisation: String,
    /// What it may do.
    pub scope: String,
    /// How it proves who it is, in words.
    pub proof: &'static str,
    /// Nothing that it sends is answered.
    pub disabled: bool,
}

/// The list.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        p class="lead" {
            "Programs that use this record, and apps that people start. Each may do what is registered here and no more; "
            "each registration and each change of it is an entry of the record."
        }
        @if !shell.is_then() { p { a class="usa-button" href=(path::APP_NEW) { "Register one" } } }
        @if context.rows.is_empty() {
            p { strong { "None is registered." } }
        } @else {
            div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                caption class="unseen" { "Registered programs and apps" }
                thead { tr { th scope="col" { "Name" } th scope="col" { "Who answers for it" } th scope="col" { "What it may do" } th scope="col" { "How it proves who it is" } th scope="col" { "State" } } }
                tbody { @for row in &context.rows { tr {
                    th scope="row" { a href=(path::app(&row.name)) { bdi { (row.title) } } @if row.title != row.name { " (" (row.name) ")" } }
                    td data-label="Who answers for it" { span { @if row.organisation.is_empty() { "Not said" } @else { bdi { (row.organisation) } } } }
                    td data-label="What it may do" { span { code { (row.scope) } } }
                    td data-label="How it proves who it is" { span { (row.proof) } }
                    td data-label="State" { span { @if row.disabled { (layout::urgent_mark()) "Disabled" } @else { "Enabled" } } }
                } } }
            } }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Apps",
            place: Place::Apps,
            // The registrations are those of now; what they were is on the record.
            compares: true,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let row = |name: &str, title: &str, scope: &str, disabled| Row {
        name: name.into(),
        title: title.into(),
        organisation: "Example Clinic".into(),
        scope: scope.into(),
        proof: "by signing with a key of its own",
        disabled,
    };
    let with = |rows| Context {
        shell: samples::now(path::APPS),
        rows,
    };
    vec![
        (
            "plain",
            with(vec![
                row("scheduler", "scheduler", "system/Appointment.cruds", false),
                row(
                    "growth",
                    "Growth Chart",
                    "patient/Observation.rs launch/patient",
                    true,
                ),
            ]),
        ),
        ("none", with(Vec::new())),
        (
            "hostile",
            with(vec![row(
                samples::HOSTILE,
                samples::HOSTILE,
                samples::LONG,
                false,
            )]),
        ),
    ]
}
