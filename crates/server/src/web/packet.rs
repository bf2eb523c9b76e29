//! What a release covers, to be printed and given out: to whom, what for, the notice, the release that it
//! rests on, and then everything.

use maud::html;

use super::layout::{self, Page, Place, Shell};
use super::samples;
use super::when::{self, Happened, RecordedAt};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; with a banner.
    pub shell: Shell,
    /// To whom.
    pub recipient: String,
    /// Where they are.
    pub address: String,
    /// What for, in words.
    pub purpose: String,
    /// The notice that must go with it.
    pub notice: Option<String>,
    /// What the release says.
    pub release: Vec<(String, String)>,
    /// What it covers.
    pub things: Vec<Thing>,
}

/// One thing that is given out.
#[derive(Clone, Debug)]
pub struct Thing {
    /// In words.
    pub what: String,
    /// When it happened.
    pub happened: Option<Happened>,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// What it says, element by element.
    pub facts: Vec<(String, String)>,
}

/// The page.
pub fn page(context: &Context) -> maud::Markup {
    let main = html! {
        @if let Some(notice) = &context.notice {
            section class="panel notice" aria-labelledby="notice" {
                h2 id="notice" { "Notice that goes with these records" }
                p { strong { (notice) } }
                p { "Among them are records about alcohol and drugs that 42 CFR Part 2 protects. A general authorisation to release medical records does not allow passing them on." }
            }
        }
        section class="panel" aria-labelledby="to" {
            h2 id="to" { "Released" }
            dl class="facts" {
                dt { "To" } dd { bdi { (context.recipient) } ", " bdi { (context.address) } }
                dt { "What for" } dd { (context.purpose) }
                dt { "How much" } dd { (layout::counted(context.things.len() as u64, "entry", "entries")) ", as they stand now" }
            }
        }
        section class="panel" aria-labelledby="release" {
            h2 id="release" { "The release that it rests on" }
            dl class="facts" { @for (name, words) in &context.release { dt { (name) } dd { bdi { (words) } } } }
        }
        @if context.things.is_empty() { p { "The record has nothing that the release covers." } }
        @for thing in &context.things {
            section class="panel" {
                h2 { bdi { (thing.what) } }
                p class="sub" {
                    @if let Some(happened) = thing.happened { "Happened " (happened.words()) "; recorded " } @else { "Recorded " }
                    (when::time(thing.recorded_at.0, &thing.recorded_at.words()))
                }
                dl class="facts" { @for (name, words) in &thing.facts { dt { (name) } dd class="said" { bdi { (words) } } } }
            }
        }
        @if let Some(notice) = &context.notice { p { strong { (notice) } } }
    };
    layout::page(
        &context.shell,
        Page {
            title: &format!("Released to {}", context.recipient),
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let plain = Context {
        shell: samples::about(samples::now("/people/0h8k2m4q6s8v0x2z/consents/r1/packet")),
        recipient: "County Housing Office".into(),
        address: "12 Harbour Street".into(),
        purpose: "care coordination".into(),
        notice: Some(
            "42 CFR part 2 prohibits unauthorized use or disclosure of these records.".into(),
        ),
        release: vec![
            (
                "To".into(),
                "County Housing Office, 12 Harbour Street".into(),
            ),
            ("Until".into(), "30 Nov 2026".into()),
        ],
        things: vec![Thing {
            what: "PCL-5 = 38".into(),
            happened: Some(samples::on(2026, 5, 4)),
            recorded_at: samples::recorded(2026, 5, 5),
            facts: vec![
                ("status".into(), "final".into()),
                ("valueInteger".into(), "38".into()),
            ],
        }],
    };
    vec![
        ("plain", plain.clone()),
        (
            "nothing",
            Context {
                notice: None,
                things: Vec::new(),
                ..plain.clone()
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now("/people/x/consents/y/packet")),
                recipient: samples::HOSTILE.into(),
                address: samples::LONG.into(),
                purpose: samples::HOSTILE.into(),
                release: vec![(samples::HOSTILE.into(), samples::LONG.into())],
                things: vec![Thing {
                    what: samples::HOSTILE.into(),
                    happened: None,
                    recorded_at: RecordedAt(i64::MAX),
                    facts: vec![(samples::HOSTILE.into(), samples::LONG.into())],
                }],
                ..plain
            },
        ),
    ]
}
