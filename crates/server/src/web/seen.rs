//! What a program was sent, shown again: an answer that was not a page, as text.
//!
//! A page that is drawn again is the page itself, with what was shown to whom above it
//! ([`layout::Again`]).

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples};

/// What the page shows, in the frame of then.
#[derive(Clone, Debug)]
pub struct Context {
    /// As of then, with whom it was shown to.
    pub shell: Shell,
    /// The address that was asked for.
    pub address: String,
    /// What is to be said first, if the answer itself cannot be drawn.
    pub note: Option<String>,
    /// Headings and texts.
    pub parts: Vec<(String, String)>,
    /// How many parts are left out.
    pub left_out: u64,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let main = html! {
        p { "Asked for: " code class="hash" { (context.address) } }
        @if let Some(note) = &context.note { p class="lead" { (note) } }
        @for (heading, text) in &context.parts {
            div class="panel" {
                h2 { bdi { (heading) } }
                (layout::scrolling(heading, html! { pre { (text) } }))
            }
        }
        @if context.left_out > 0 { p { "And " (layout::count(context.left_out)) " more; the leaf lists them." } }
    };
    layout::page(
        &context.shell,
        Page {
            title: "what was sent",
            place: Place::Elsewhere,
            compares: true,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let json = "{\n  \"resourceType\": \"Observation\",\n  \"id\": \"5q0t7v9e2k4m8n1c\"\n}";
    let read = Context {
        shell: samples::again(&path::seen(4_711)),
        address: "/fhir/Observation/5q0t7v9e2k4m8n1c".into(),
        note: None,
        parts: vec![("The answer".into(), json.into())],
        left_out: 0,
    };
    vec![
        ("read", read.clone()),
        (
            "bundle",
            Context {
                note: Some("The request was a bundle, which is not kept. These are the versions that its answer gave out.".into()),
                parts: vec![("Entry 12".into(), json.into()), ("Entry 13".into(), json.into())],
                left_out: 1_200,
                ..read.clone()
            },
        ),
        (
            "unchanged",
            Context {
                note: Some("Only that nothing had changed was told.".into()),
                parts: Vec::new(),
                ..read.clone()
            },
        ),
        (
            "hostile",
            Context {
                address: samples::HOSTILE.into(),
                note: Some(samples::HOSTILE.into()),
                parts: vec![(samples::HOSTILE.into(), samples::HOSTILE.into())],
                ..read
            },
        ),
    ]
}
