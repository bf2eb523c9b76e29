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
    /// What outside witnesses have signed, log by log; empty: nothing is submitted to any.
    pub logs: Vec<Log>,
    /// How many of which witnesses it takes, in words: "2 of (court, veterans, university)".
    pub quorum: Option<String>,
    /// How many of each kind of thing there are, most first: ("Observation", 8210).
    pub kinds: Vec<(String, u64)>,
    /// Version of the software.
    pub software: String,
}

/// How one log does with its witnesses.
#[derive(Clone, Debug)]
pub struct Log {
    /// "record", "access log".
    pub name: String,
    /// How many entries it has.
    pub size: u64,
    /// How many of them enough witnesses have cosigned, and when.
    pub cosigned: Option<(u64, i64)>,
    /// Its witnesses.
    pub witnesses: Vec<Witness>,
}

/// One witness.
#[derive(Clone, Debug)]
pub struct Witness {
    /// What the policy calls it.
    pub name: String,
    /// The size that it last cosigned, and when, since the server started.
    pub cosigned: Option<(u64, i64)>,
    /// How far its clock was ahead, in seconds.
    pub ahead_s: Option<i64>,
    /// Why it did not the last time.
    pub failure: Option<String>,
}

/// What outside witnesses have signed, and how far that is behind.
fn outside(context: &Context) -> Markup {
    html! {
        section class="panel full" aria-labelledby="outside" {
            h2 id="outside" { "Signed by outside witnesses" }
            @if context.logs.is_empty() {
                p { "Nobody outside signs anything of this record: no witnesses are set up. Whoever runs this server and has its keys could rewrite it and sign it anew, and only those who kept a checkpoint would notice." }
            } @else {
                p {
                    "A witness is another organisation\u{2019}s server. It signs a checkpoint only if everything that it signed before is still in it, in the same order. "
                    @if let Some(quorum) = &context.quorum { "It takes " bdi { (quorum) } "." }
                }
            }
            @for log in &context.logs {
                h3 { "The " (log.name) }
                p {
                    @match log.cosigned {
                        Some((size, at)) => {
                            "Cosigned up to " strong { (layout::counted(size, "entry", "entries")) } ", "
                            (when::time(at, &when::minute(at))) ". "
                            @match log.size.saturating_sub(size) {
                                0 => { "That is all of it." }
                                behind => { (layout::counted(behind, "entry", "entries")) " behind." }
                            }
                        }
                        None => { "Not cosigned yet: all " (layout::counted(log.size, "entry", "entries")) " are behind." }
                    }
                }
                (layout::scrolling(&format!("Witnesses of the {}", log.name), html! { table class="usa-table usa-table--compact bare" {
                    thead { tr { th scope="col" { "Witness" } th scope="col" class="num" { "Cosigned" } th scope="col" { "When" } th scope="col" { "Its clock" } th scope="col" { "Now" } } }
                    tbody { @for witness in &log.witnesses { tr {
                        th scope="row" { bdi { (witness.name) } }
                        @match witness.cosigned {
                            Some((size, at)) => { td class="num" { (layout::count(size)) } td { (when::time(at, &when::minute(at))) } }
                            None => { td class="num" { "\u{2013}" } td { "not since the server started" } }
                        }
                        td { @match witness.ahead_s { None => { "\u{2013}" } Some(0) => { "as ours" } Some(ahead @ 1..) => { (ahead) " s ahead" } Some(behind) => { (behind.unsigned_abs()) " s behind" } } }
                        td { @match &witness.failure { None if witness.cosigned.is_some() => { "answers" } None => { "asked" } Some(why) => { bdi { (why) } } } }
                    } } }
                } }))
            }
        }
    }
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        p class="lead" {
            "Every entry that was ever made here stays: nothing is overwritten and nothing is removed. What is lawfully erased leaves its entry behind. "
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
            (outside(context))
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
                    li { "That what you hand in is recorded: ask for a signed promise first. A program gets one from " code { "POST /fhir/KIND/$promise" } ", an officer from " code { "homecoming promise" } ". Once it is due, " code { "homecoming verify PROMISE --with RECEIPT" } " (or an export) shows whether it was kept." }
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
        logs: vec![Log {
            name: "record".into(),
            size: 12_345,
            cosigned: Some((12_340, samples::NOW - 3 * when::SECOND)),
            witnesses: vec![
                Witness {
                    name: "veterans".into(),
                    cosigned: Some((12_340, samples::NOW - 3 * when::SECOND)),
                    ahead_s: Some(0),
                    failure: None,
                },
                Witness {
                    name: "court".into(),
                    cosigned: None,
                    ahead_s: None,
                    failure: Some("it cannot be reached".into()),
                },
            ],
        }],
        quorum: Some("1 of (veterans, court)".into()),
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
                logs: Vec::new(),
                quorum: None,
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
                logs: vec![Log {
                    name: "record".into(),
                    size: u64::MAX,
                    cosigned: None,
                    witnesses: vec![Witness {
                        name: samples::HOSTILE.into(),
                        cosigned: Some((u64::MAX, samples::NOW)),
                        ahead_s: Some(i64::MIN),
                        failure: Some(samples::HOSTILE.into()),
                    }],
                }],
                quorum: Some(samples::LONG.into()),
                kinds: vec![(samples::HOSTILE.into(), u64::MAX)],
                ..busy
            },
        ),
    ]
}
