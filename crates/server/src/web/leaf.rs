//! One leaf of the access log: who was shown what, its line, and the receipt that proves it.

use maud::{Markup, html};

use super::access::{self, About};
use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; with a banner if the leaf is about one person.
    pub shell: Shell,
    /// Its place in the access log.
    pub position: u64,
    /// When it was shown.
    pub at: RecordedAt,
    /// Whom it was shown to.
    pub who: String,
    /// What for, in words.
    pub purpose: String,
    /// What it was, in words; what the log still knows of it if the person was erased.
    pub what: String,
    /// The address that was asked for; `None` if the person was erased.
    pub address: Option<String>,
    /// Whom it told of.
    pub about: Vec<About>,
    /// How many more it told of.
    pub others: u64,
    /// Of how many entries of the record it was drawn.
    pub size: u64,
    /// How many there were, if it showed an earlier state.
    pub whole: Option<u64>,
    /// How many versions it gave out whole.
    pub versions: u64,
    /// The first of them, by position.
    pub positions: Vec<u64>,
    /// The first leaves of the access log that it gave out.
    pub leaves: Vec<u64>,
    /// Whether who looks may see what was shown.
    pub may_see: bool,
    /// Its line in the log.
    pub line: String,
    /// The receipt's file name.
    pub receipt_name: String,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let listed = (context.positions.len() + context.leaves.len()) as u64;
    let main = html! {
        div class="columns" {
            section class="panel" aria-labelledby="shown" {
                h2 id="shown" { "What was shown" }
                dl class="facts" {
                    dt { "Who" } dd { strong { bdi { (context.who) } } }
                    dt { span class="squaremark" aria-hidden="true" { "\u{25a0}" } "When" }
                    dd { strong { (when::time(context.at.0, &context.at.words())) } div class="sub" { code { (when::exact(context.at.0)) } } }
                    dt { "For" } dd { bdi { (context.purpose) } }
                    dt { "What" } dd { bdi { (context.what) } }
                    @match &context.address {
                        Some(address) => { dt { "Address" } dd { code class="hash" { (address) } } }
                        None => { dt { "Address" } dd { "It cannot be read any more: the key went with the person's record. That something was shown, to whom and when, stays." } }
                    }
                    dt { "About" } dd { (access::about(shell, &context.about, context.others)) }
                    dt { "Of" } dd {
                        "the first " (layout::counted(context.size, "entry", "entries")) " of the record"
                        @if let Some(whole) = context.whole { ", of " (layout::count(whole)) " that there were: it showed an earlier state" }
                    }
                }
                @if context.may_see && context.address.is_some() {
                    p { a class="usa-button" href=(path::seen(context.position)) { "See what they saw" } }
                    p class="hint" { "It is drawn again from the record as it stood. That you look is on this log, too." }
                }
            }
            section class="panel" aria-labelledby="much" {
                h2 id="much" { "How much" }
                p { (access::how_much(context.versions)) @if context.versions > 1 { " were" } @else { " was" } " given out." }
                @if !context.positions.is_empty() {
                    ul class="plain rows" { @for position in &context.positions { li { a href=(shell.to(&path::entry(*position))) { "Entry " (layout::count(*position)) } } } }
                }
                @if !context.leaves.is_empty() {
                    ul class="plain rows" { @for position in &context.leaves { li { a href=(shell.to(&path::leaf(*position))) { "Leaf " (layout::count(*position)) " of this log" } } } }
                }
                @if context.versions > listed { p { "And " (layout::count(context.versions - listed)) " more; the receipt lists them all." } }
            }
            section class="panel full receipt" aria-labelledby="receipt" {
                h2 id="receipt" { "Its receipt" }
                p { "The receipt holds this leaf and the proof that it stands under the access log's signed checkpoint. Whoever has it can check it without us." }
                p { a class="usa-button" href=(path::leaf_receipt(context.position)) download=(context.receipt_name) { "Download the receipt" } }
                p { "To check it, on any machine: " code { "homecoming verify " (context.receipt_name) } }
                h3 { "Its line in the access log" }
                (layout::scrolling("Line in the access log", html! { pre class="line" { (context.line) } }))
                p class="hint" { "The line names who looked and never what was looked at; the last two parts commit to that." }
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: &format!("Leaf {} of the access log", layout::count(context.position)),
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let line = "hca1 4711 2026-04-30T15:40:00.123456Z Practitioner/7k2m TREAT page 7021 3 p0h8k2m4q6s8v0x2zAAAAAA 3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8 3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8";
    let of_person = Context {
        shell: samples::about(samples::now(&path::leaf(4_711))),
        position: 4_711,
        at: samples::recorded(2026, 4, 30),
        who: "R. Osei".into(),
        purpose: "treatment".into(),
        what: "the person on one screen".into(),
        address: Some(path::person("0h8k2m4q6s8v0x2z")),
        about: vec![About {
            name: "Haddad, Samir".into(),
            id: Some("0h8k2m4q6s8v0x2z".into()),
        }],
        others: 0,
        size: 7_021,
        whole: None,
        versions: 212,
        positions: vec![3_010, 3_011, 3_012],
        leaves: Vec::new(),
        may_see: true,
        line: line.into(),
        receipt_name: "disclosure-4711.tlog-proof".into(),
    };
    vec![
        ("person", of_person.clone()),
        (
            "everybody",
            Context {
                shell: samples::now(&path::leaf(4_711)),
                what: "the caseload".into(),
                address: Some(path::CASELOAD.into()),
                others: 54,
                whole: Some(8_000),
                versions: 2,
                positions: Vec::new(),
                leaves: vec![7, 9],
                may_see: false,
                ..of_person.clone()
            },
        ),
        (
            "then",
            Context {
                shell: samples::about(samples::then(&path::leaf(4_711))),
                may_see: false,
                ..of_person.clone()
            },
        ),
        (
            "erased",
            Context {
                shell: samples::now(&path::leaf(4_711)),
                address: None,
                what: "a page".into(),
                about: vec![About {
                    name: "someone whose record was erased".into(),
                    id: None,
                }],
                positions: Vec::new(),
                ..of_person.clone()
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now("/access/1")),
                who: samples::HOSTILE.into(),
                purpose: samples::LONG.into(),
                what: samples::HOSTILE.into(),
                address: Some(samples::HOSTILE.into()),
                about: vec![About {
                    name: samples::HOSTILE.into(),
                    id: Some(samples::HOSTILE.into()),
                }],
                size: u64::MAX,
                versions: u64::MAX,
                positions: vec![u64::MAX],
                line: samples::HOSTILE.into(),
                receipt_name: samples::HOSTILE.into(),
                ..of_person
            },
        ),
    ]
}
