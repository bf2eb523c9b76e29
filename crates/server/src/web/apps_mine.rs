//! The apps that act for whoever is signed in, and those that can be opened on a person.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// On a person's page: the apps that can be opened there.
    pub open: Option<(String, Vec<Opens>)>,
    /// What was allowed, the newest first.
    pub allowed: Vec<Allowed>,
}

/// An app that can be opened.
#[derive(Clone, Debug)]
pub struct Opens {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Who answers for it.
    pub organisation: String,
}

/// One that was allowed something.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// The grant's number.
    pub id: i64,
    /// What people call it.
    pub title: String,
    /// What it may do.
    pub scope: String,
    /// The name of the one person whom it is about.
    pub person: Option<String>,
    /// Since when.
    pub since: RecordedAt,
    /// Until when at the latest.
    pub until: RecordedAt,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        div class="narrow wide" {
            @if let Some((id, apps)) = &context.open { (open(shell, id, apps)) }
            @else {
                p class="lead" { "What you have allowed, and nobody else sees here. An app gets no more than you may see yourself." }
                (allowed(context))
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: match context.open {
                Some(_) => "Open an app",
                None => "Apps that act for you",
            },
            place: Place::Elsewhere,
            // The registrations are those of now; what they were is on the record.
            compares: true,
            main,
        },
    )
}

fn open(shell: &Shell, id: &str, apps: &[Opens]) -> Markup {
    html! {
        p class="lead" { "An app that is opened here starts with this person\u{2019}s record, asks what it may do, and leaves this site." }
        @if shell.is_then() {
            p { strong { "An app is opened as of now, not in the past." } }
        } @else if apps.is_empty() {
            p { strong { "No app that can be opened is registered." } }
        } @else {
            ul class="plain rows" { @for app in apps { li {
                form method="post" action=(path::person_app(id, &app.name)) {
                    button class="usa-button usa-button--outline" type="submit" { span { "Open " bdi { (app.title) } } }
                    @if !app.organisation.is_empty() { " " bdi { (app.organisation) } }
                }
            } } }
        }
        p { a href=(path::APPS_MINE) { "Apps that act for you" } }
    }
}

fn allowed(context: &Context) -> Markup {
    html! {
        @if context.allowed.is_empty() {
            p { strong { "No app acts for you." } }
        } @else {
            ul class="plain rows" { @for one in &context.allowed { li {
                h2 { bdi { (one.title) } }
                p {
                    "May " code { (one.scope) }
                    @if let Some(person) = &one.person { ", on the record of " bdi { (person) } }
                    ". Since " (when::time(one.since.0, &one.since.words())) ", until " (when::time(one.until.0, &one.until.words())) " at the latest."
                }
                form method="post" action=(path::app_end(one.id)) {
                    button class="usa-button usa-button--outline" type="submit" { "End it" }
                }
            } } }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let one = Allowed {
        id: 7,
        title: "Growth Chart".into(),
        scope: "patient/Observation.rs launch/patient".into(),
        person: Some("Haddad, Samir".into()),
        since: RecordedAt(samples::NOW - when::DAY),
        until: RecordedAt(samples::NOW + 90 * when::DAY),
    };
    let app = Opens {
        name: "growth".into(),
        title: "Growth Chart".into(),
        organisation: "Example Clinic".into(),
    };
    let plain = Context {
        shell: samples::now(path::APPS_MINE),
        open: None,
        allowed: vec![one.clone()],
    };
    let open = |apps: Vec<Opens>| Context {
        open: Some(("0h8k2m4q6s8v0x2z".into(), apps)),
        allowed: Vec::new(),
        ..plain.clone()
    };
    vec![
        ("plain", plain.clone()),
        (
            "none",
            Context {
                allowed: Vec::new(),
                ..plain.clone()
            },
        ),
        ("open", open(vec![app.clone()])),
        ("open-none", open(Vec::new())),
        (
            "hostile",
            Context {
                allowed: vec![Allowed {
                    title: samples::HOSTILE.into(),
                    scope: samples::LONG.into(),
                    person: Some(samples::HOSTILE.into()),
                    ..one
                }],
                ..plain.clone()
            },
        ),
        (
            "open-hostile",
            open(vec![Opens {
                name: samples::HOSTILE.into(),
                title: samples::HOSTILE.into(),
                organisation: samples::LONG.into(),
            }]),
        ),
    ]
}
