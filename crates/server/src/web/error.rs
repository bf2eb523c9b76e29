//! The page of something that could not be done: what happened, to which thing, what to do next.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples};

/// What the page shows. Nothing in it is personal, a path or a cause from inside.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; without a banner.
    pub shell: Shell,
    /// The HTTP status.
    pub status: u16,
    /// In a few words: "Not found".
    pub title: String,
    /// For a tired person: what happened, to which thing, what to do next.
    pub message: String,
    /// What is wrong with what was sent, place by place.
    pub findings: Vec<Finding>,
    /// What to tell whoever runs the server.
    pub request: Option<String>,
}

/// One thing wrong with what was sent.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The place: "_asof", "Patient.birthDate".
    pub place: String,
    /// What is wrong there.
    pub words: String,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let main = html! {
        div class="narrow" {
            p class="lead" { (context.message) }
            @if !context.findings.is_empty() {
                ul {
                    @for finding in &context.findings { li { code { (finding.place) } ": " (finding.words) } }
                }
            }
            p {
                @if context.shell.user.is_some() {
                    a href=(context.shell.to(path::HOME)) { "To the first page" } " \u{b7} "
                    a href=(context.shell.to(path::FIND)) { "Find a person" }
                } @else {
                    a href=(path::SIGN_IN) { "Sign in" }
                }
            }
            p class="hint" {
                "Status " (context.status) "."
                @if let Some(request) = &context.request {
                    " If it happens again, tell whoever runs the server this number: " code { (request) } "."
                }
            }
        }
    };
    layout::page(
        &context.shell,
        Page {
            title: &context.title,
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let plain = Context {
        shell: samples::now("/people/0000"),
        status: 404,
        title: "Not found".into(),
        message: "There is no page at this address, or it is not for you to see. Check the address, or find the person by name.".into(),
        findings: Vec::new(),
        request: Some("8f3k2m9q".into()),
    };
    let asked = Finding {
        place: "_asof".into(),
        words: "\"yesterday\" is not a date. Write it as 2026-05-05, or as 2026-05-05T14:30:00Z."
            .into(),
    };
    vec![
        ("not-found", plain.clone()),
        ("not-found-then", Context { shell: samples::then("/people/0000"), ..plain.clone() }),
        (
            "bad-instant",
            Context {
                status: 400,
                title: "This cannot be understood".into(),
                message: "One part of the address cannot be used. Go back and change it.".into(),
                findings: vec![asked],
                request: None,
                ..plain.clone()
            },
        ),
        ("signed-out", Context { shell: samples::signed_out("/people/0000"), status: 401, title: "Sign in first".into(), message: "You were signed out after a while without use. Nothing is lost: sign in and go on.".into(), ..plain.clone() }),
        ("hostile", Context { title: samples::HOSTILE.into(), message: samples::HOSTILE.into(), findings: vec![Finding { place: samples::HOSTILE.into(), words: samples::LONG.into() }], request: Some(samples::HOSTILE.into()), ..plain }),
    ]
}
