//! One warrant: what it orders, where it stands, whether the persons were told, and everything that was
//! read under it.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// The Task's id.
    pub id: String,
    /// The issuer's number.
    pub number: String,
    /// Who issued it; and whether that is a court.
    pub issuer: (String, bool),
    /// Who may read.
    pub inspector: String,
    /// Where it stands, as a sentence.
    pub stands: String,
    /// What may be read, in words.
    pub kinds: Vec<String>,
    /// Only what happened then: the first and the last day.
    pub happened: Option<(i64, i64)>,
    /// When it begins and ends.
    pub term: (i64, i64),
    /// When the persons are told, as a sentence; and why not at once.
    pub notice: (String, Option<String>),
    /// Whom it names; empty if it is about everybody.
    pub persons: Vec<Named>,
    /// The paper's SHA-256.
    pub paper: String,
    /// Whether the scan is here.
    pub scan: bool,
    /// What was read under it, newest first.
    pub reads: Vec<Read>,
    /// How many more there are.
    pub more: u64,
    /// What was done, from the first step.
    pub steps: Vec<Step>,
    /// Whether whoever looks can revoke it.
    pub may_revoke: bool,
    /// Steps that break the rules.
    pub unlawful: Vec<String>,
}

/// A person whom it names.
#[derive(Clone, Debug)]
pub struct Named {
    /// Id and name, if whoever looks may know them.
    pub person: Option<(String, String)>,
    /// The alias in the log.
    pub alias: String,
    /// When they were told; nothing: not yet.
    pub told: Option<i64>,
}

/// One reading.
#[derive(Clone, Debug)]
pub struct Read {
    /// Its leaf in the access log.
    pub position: u64,
    /// When.
    pub at: RecordedAt,
    /// "the person on one screen".
    pub what: String,
    /// Whose.
    pub whose: String,
    /// How many versions were given out whole.
    pub versions: u64,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// "Entered".
    pub what: &'static str,
    /// By whom.
    pub who: String,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// Why.
    pub why: String,
    /// Its entry.
    pub position: u64,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let (issuer, court) = &context.issuer;
    let (from, until) = context.term;
    let main = html! {
        @for unlawful in &context.unlawful {
            p class="problem" role="alert" { (layout::urgent_mark()) "This warrant opens nothing: " (unlawful) "." }
        }
        p class="lead" { strong { (context.stands) } }
        div class="columns" {
            section class="panel" aria-labelledby="what" {
                h2 id="what" { "What it orders" }
                dl class="facts" {
                    dt { "Number" } dd { bdi { (context.number) } }
                    dt { "Issued by" } dd { bdi { (issuer) } @if *court { " (a court)" } }
                    dt { "Who may read" } dd { bdi { (context.inspector) } }
                    dt { "What" } dd { ul { li { "who they are" } @for kind in &context.kinds { li { (kind) } } } }
                    @if let Some((first, last)) = context.happened {
                        dt { "Only what happened" } dd { "from " (when::day(first)) " to " (when::day(last)) }
                    }
                    dt { "In force" } dd { "from " (when::time(from, &when::minute(from))) " to " (when::time(until, &when::minute(until))) " UTC" }
                    dt { "The paper" }
                    dd {
                        @if context.scan { a href=(path::warrant_paper(&context.id)) { "The scan, as a file" } br; }
                        "SHA-256 " code class="hash" { (context.paper) }
                    }
                }
            }
            section class="panel" aria-labelledby="whose" {
                h2 id="whose" { "Whose records, and whether they know" }
                p { (context.notice.0) @if let Some(why) = &context.notice.1 { " Why later than at once: " bdi { (why) } } }
                @if context.persons.is_empty() { p { "It is about everybody in the programme." } } @else { ul {
                    @for named in &context.persons { li {
                        @match &named.person {
                            Some((id, name)) => { a href=(shell.to(&path::person(id))) { bdi { (name) } } }
                            None => { code class="hash" { "p" (named.alias) } }
                        }
                        @match named.told {
                            Some(at) => { ", told " (when::time(at, &when::minute(at))) }
                            None => { ", " strong { "not told yet" } }
                        }
                    } }
                } }
            }
            section class="panel full" aria-labelledby="reads" {
                h2 id="reads" { "Everything that was read under it" }
                @if context.reads.is_empty() { p { "Nothing" @if shell.is_then() { " until then" } "." } } @else {
                    div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                        caption class="unseen" { "Everything that was read under it" }
                        thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "Whose" } th scope="col" class="num" { "Versions" } } }
                        tbody { @for read in &context.reads { tr {
                            th scope="row" { a href=(shell.to(&path::leaf(read.position))) { (when::time(read.at.0, &read.at.words())) } }
                            td data-label="What" { span { bdi { (read.what) } } }
                            td data-label="Whose" { span { bdi { (read.whose) } } }
                            td class="num" data-label="Versions" { span { (layout::count(read.versions)) } }
                        } } }
                    } }
                    @if context.more > 0 { p { "And " (layout::counted(context.more, "reading", "readings")) " before these, on the access log." } }
                }
            }
            @if context.may_revoke {
                section class="panel full" aria-labelledby="acts" {
                    h2 id="acts" { "Revoke it" }
                    form class="stack" method="post" action=(path::warrant_step(&context.id, "revoke")) {
                        label class="usa-label" for="why" { "Why, and by whose decision" }
                        textarea class="usa-input" id="why" name="why" rows="2" maxlength="1000" required {}
                        button class="usa-button usa-button--secondary" type="submit" { "Revoke the warrant" }
                        p class="hint" { "It opens nothing from that moment on. What was read before stays listed." }
                    }
                }
            }
            section class="panel full" aria-labelledby="steps" {
                h2 id="steps" { "What was done, step by step" }
                div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                    caption class="unseen" { "Steps" }
                    thead { tr { th scope="col" { "Step" } th scope="col" { "By" } th scope="col" { "Recorded" } th scope="col" { "Why" } th scope="col" { "Entry" } } }
                    tbody { @for step in &context.steps { tr {
                        th scope="row" { (step.what) }
                        td data-label="By" { span { bdi { (step.who) } } }
                        td data-label="Recorded" { span { (when::time(step.recorded_at.0, &step.recorded_at.words())) } }
                        td data-label="Why" { span { bdi { (step.why) } } }
                        td data-label="Entry" { span { a href=(shell.to(&path::entry(step.position))) { (step.position) } } }
                    } } }
                } }
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Warrant",
            place: Place::Warrants,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let shell = samples::now(&path::warrant("5q0t7v9e2k4m8n1c"));
    let plain = Context {
        shell,
        id: "5q0t7v9e2k4m8n1c".into(),
        number: "IG-2026-117".into(),
        issuer: ("Inspector General, regional office".into(), false),
        inspector: "Solveig Aldana".into(),
        stands: "In force until 14 Dec 2026, 00:00 UTC.".into(),
        kinds: vec!["care: plans, scores, conditions, medication, letters".into()],
        happened: None,
        term: (samples::NOW - 9 * when::DAY, samples::NOW + 21 * when::DAY),
        notice: ("They are told at once.".into(), None),
        persons: vec![Named {
            person: Some(("0h8k2m4q6s8v0x2z".into(), "Haddad, Samir".into())),
            alias: "VnbB3nQ5TtyLS4dGmXQnYg".into(),
            told: Some(samples::NOW - 9 * when::DAY),
        }],
        paper: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        scan: true,
        reads: vec![Read {
            position: 4_711,
            at: RecordedAt(samples::NOW - when::DAY),
            what: "the person on one screen".into(),
            whose: "Haddad, Samir".into(),
            versions: 118,
        }],
        more: 0,
        steps: vec![Step {
            what: "Entered",
            who: "Imani Sandoval".into(),
            recorded_at: RecordedAt(samples::NOW - 9 * when::DAY),
            why: String::new(),
            position: 12_001,
        }],
        may_revoke: true,
        unlawful: Vec::new(),
    };
    let sealed = Context {
        shell: samples::then(&path::warrant("5q0t7v9e2k4m8n1c")),
        issuer: ("District Court, Eastern Division".into(), true),
        happened: Some((samples::THEN - 90 * when::DAY, samples::THEN)),
        notice: (
            "They are told when it ends.".into(),
            Some("Paragraph 4 of the order".into()),
        ),
        persons: vec![Named {
            person: None,
            alias: "VnbB3nQ5TtyLS4dGmXQnYg".into(),
            told: None,
        }],
        reads: Vec::new(),
        scan: false,
        may_revoke: false,
        ..plain.clone()
    };
    let hostile = Context {
        number: samples::HOSTILE.into(),
        issuer: (samples::LONG.into(), true),
        inspector: samples::HOSTILE.into(),
        kinds: vec![samples::LONG.into()],
        notice: (samples::LONG.into(), Some(samples::HOSTILE.into())),
        persons: vec![Named {
            person: Some((samples::HOSTILE.into(), samples::HOSTILE.into())),
            alias: samples::LONG.into(),
            told: None,
        }],
        reads: vec![Read {
            position: 1,
            at: RecordedAt(samples::NOW),
            what: samples::HOSTILE.into(),
            whose: samples::LONG.into(),
            versions: u64::MAX,
        }],
        more: 12,
        unlawful: vec![samples::HOSTILE.into()],
        ..plain.clone()
    };
    vec![
        ("in-force", plain),
        ("sealed", sealed),
        ("hostile", hostile),
    ]
}
