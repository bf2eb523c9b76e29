//! A tombstone: an entry whose content was erased.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// Its place in the ledger.
    pub position: u64,
    /// What kind of thing it was.
    pub kind: String,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// Which erasure took it; `None`: none on the record accounts for it.
    pub erasure: Option<Erasure>,
    /// The ledger's line.
    pub line: String,
}

/// The erasure that took it.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// The Task's id.
    pub id: String,
    /// On which ground.
    pub basis: String,
    /// Who approved it.
    pub approved: Vec<String>,
    /// When it was done; nothing while it is under way.
    pub done_at: Option<RecordedAt>,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        @match &context.erasure {
            Some(erasure) => {
                p class="lead" {
                    "There was something of the kind " strong { bdi { (context.kind) } } " here. It was erased by law; "
                    "the key that opened it was destroyed, and nobody can read it here any more."
                }
                dl class="facts" {
                    dt { "Recorded" } dd { (when::time(context.recorded_at.0, &context.recorded_at.words())) }
                    dt { "On which ground" } dd { bdi { (erasure.basis) } }
                    dt { "Approved by" } dd { bdi { (erasure.approved.join(" and ")) } }
                    @if let Some(done) = erasure.done_at { dt { "Erased" } dd { (when::time(done.0, &done.words())) } }
                }
                p { a href=(shell.to(&path::erasure(&erasure.id))) { "The whole erasure, and what it can and cannot do" } }
            }
            None => {
                p class="problem" role="alert" {
                    (layout::urgent_mark())
                    "The key of this content was destroyed, and no erasure on the record accounts for it. "
                    "Tell whoever oversees this programme: run " code { "homecoming audit" } "."
                }
            }
        }
        section class="panel" aria-labelledby="line" {
            h2 id="line" { "What the log still says" }
            p { "That there was this entry is proven by the log as before: the line commits to what stood here without saying it." }
            (layout::scrolling("Line", html! { pre { (context.line) } }))
        }
    };
    layout::page(
        shell,
        Page {
            title: &format!("Entry {}: erased", context.position),
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let plain = Context {
        shell: samples::now("/entries/48211"),
        position: 48_211,
        kind: "Observation".into(),
        recorded_at: RecordedAt(samples::NOW - 200 * when::DAY),
        erasure: Some(Erasure {
            id: "5q0t7v9e2k4m8n1c".into(),
            basis: "A court ordered it".into(),
            approved: vec!["T. Lindqvist".into(), "M. Okafor".into()],
            done_at: Some(RecordedAt(samples::NOW - when::DAY)),
        }),
        line: "hc2 48211 2026-05-05T09:12:41.300112Z user/7 TREAT create Observation/5q0t7v9e2k4m8n1c/1 pVnbB3nQ5TtyLS4dGmXQnYg 12:48190:kP0 6y1 q7c".into(),
    };
    let nobody = Context {
        erasure: None,
        shell: samples::then("/entries/48211"),
        ..plain.clone()
    };
    let hostile = Context {
        kind: samples::HOSTILE.into(),
        line: samples::HOSTILE.into(),
        erasure: Some(Erasure {
            id: samples::HOSTILE.into(),
            basis: samples::LONG.into(),
            approved: vec![samples::HOSTILE.into()],
            done_at: None,
        }),
        ..plain.clone()
    };
    vec![("plain", plain), ("nobody", nobody), ("hostile", hostile)]
}
