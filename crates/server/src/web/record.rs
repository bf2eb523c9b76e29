//! About this record: how large it is, what stands signed, and how anyone can check it.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows, as of the size that the shell names.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// The log's origin line.
    pub origin: String,
    /// Root hash of the tree of the entries shown, in base64.
    pub root: String,
    /// When the first entry was recorded, and the last one shown; `None`: the record is empty.
    pub recorded: Option<(RecordedAt, RecordedAt)>,
    /// The public key, in the form of C2SP signed notes.
    pub key: String,
    /// The latest signed checkpoint, whole, as text. It may be of a later size than is shown.
    pub checkpoint: String,
    /// The size that the checkpoint signs.
    pub checkpoint_size: u64,
    /// How many of each kind of thing there are, most first: ("Observation", 8210).
    pub kinds: Vec<(String, u64)>,
    /// Version of the software.
    pub software: String,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        p class="lead" {
            "Every entry that was ever made here stays: nothing is overwritten and nothing is removed. "
            "The entries are the leaves of one hash tree; whoever keeps a copy of a signed checkpoint can tell, "
            "later and without us, whether anything before it was changed."
        }
        div class="columns" {
            section class="panel" aria-labelledby="state" {
                h2 id="state" { "Its state" @if shell.is_then() { ", as known then" } }
                dl class="facts" {
                    dt { "Programme" } dd { bdi { (shell.programme) } }
                    dt { "Entries" } dd { strong { (layout::count(shell.size)) } }
                    @match context.recorded {
                        Some((first, last)) => {
                            dt { "First recorded" } dd { (when::time(first.0, &first.words())) }
                            dt { "Last recorded" } dd { (when::time(last.0, &last.words())) }
                        }
                        None => { dt { "Recorded" } dd { "Nothing yet." } }
                    }
                    dt { "Root hash" } dd { code class="hash" { (context.root) } }
                    dt { "Origin" } dd { code class="hash" { (context.origin) } }
                    dt { "Software" } dd { (context.software) }
                }
            }
            section class="panel" aria-labelledby="kinds" {
                h2 id="kinds" { "What is in it" }
                @if context.kinds.is_empty() {
                    p { "Nothing yet." }
                } @else {
                    (layout::scrolling("How many of each kind", html! { table class="usa-table usa-table--compact bare" {
                        thead { tr { th scope="col" { "Kind" } th scope="col" class="num" { "How many" } } }
                        tbody { @for (kind, number) in &context.kinds { tr { th scope="row" { (kind) } td class="num" { (layout::count(*number)) } } } }
                    } }))
                }
            }
            section class="panel full" aria-labelledby="checkpoint" {
                h2 id="checkpoint" { "The latest signed checkpoint" }
                p {
                    "It signs the first " (layout::counted(context.checkpoint_size, "entry", "entries")) ". Keep a copy somewhere else: "
                    a href=(path::CHECKPOINT) download="checkpoint.txt" { "download the checkpoint" } ", "
                    a href=(path::KEY) download="key.txt" { "download the key" } "."
                }
                (layout::scrolling("Checkpoint", html! { pre { (context.checkpoint) } }))
                h3 { "Key" }
                p { code class="hash" { (context.key) } }
            }
            section class="panel full" aria-labelledby="check" {
                h2 id="check" { "How to check it" }
                ul {
                    li { "One entry: download its receipt from the entry's page, then run " code { "homecoming verify FILE" } " on any machine. No network, no account." }
                    li { "All of it, where the data is: " code { "homecoming audit --data DIR" } " reads every entry and every content back and checks each one." }
                }
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: "About this record",
            place: Place::Record,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let checkpoint = "homecoming.example/vr-26\n12345\nqINS1GRFHWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n\u{2014} homecoming.example/vr-26 Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let busy = Context {
        shell: samples::now(path::RECORD),
        origin: "homecoming.example/vr-26".into(),
        root: "qINS1GRFHWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=".into(),
        recorded: Some((
            RecordedAt(samples::NOW - 500 * when::DAY),
            RecordedAt(samples::NOW - 4 * when::HOUR),
        )),
        key: "homecoming.example/vr-26+0ea7b0a3+AZ3grlgtzPICa5OS8npVmf1Myq5IZniMpZJurmRDeOo="
            .into(),
        checkpoint: checkpoint.into(),
        checkpoint_size: 12_345,
        kinds: vec![
            ("Observation".into(), 8_210),
            ("Encounter".into(), 2_004),
            ("DocumentReference".into(), 1_204),
            ("Patient".into(), 61),
        ],
        software: "Homecoming 0.1.0".into(),
    };
    vec![
        ("busy", busy.clone()),
        (
            "then",
            Context {
                shell: samples::then(path::RECORD),
                ..busy.clone()
            },
        ),
        (
            "empty",
            Context {
                shell: Shell {
                    size: 0,
                    ..samples::now(path::RECORD)
                },
                recorded: None,
                kinds: Vec::new(),
                checkpoint_size: 0,
                ..busy.clone()
            },
        ),
        (
            "hostile",
            Context {
                origin: samples::HOSTILE.into(),
                checkpoint: samples::HOSTILE.into(),
                key: samples::LONG.into(),
                kinds: vec![(samples::HOSTILE.into(), u64::MAX)],
                ..busy
            },
        ),
    ]
}
