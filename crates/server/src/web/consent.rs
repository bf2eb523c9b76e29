//! One consent: what it permits and refuses, how it was signed, every version, what was given out
//! because of it, and what can be done with it now.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{consent_new, path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; with a banner.
    pub shell: Shell,
    /// The Patient's id.
    pub person: String,
    /// The Consent's id.
    pub id: String,
    /// Whether the person looks at it themself.
    pub themself: bool,
    /// What it is about.
    pub title: String,
    /// How it stands.
    pub stands: String,
    /// What it says: name and words.
    pub facts: Vec<(String, String)>,
    /// The words that were signed.
    pub words: Option<String>,
    /// What a consent to disclose substance use records lacks, if it is meant to be one.
    pub lacks: Vec<String>,
    /// All versions, newest first.
    pub versions: Vec<Version>,
    /// What was given out because of it, newest first.
    pub given: Vec<Given>,
    /// Parts that it covers and that can be taken out: key, words.
    pub parts: Vec<(String, String)>,
    /// When it ends, if it does.
    pub until: Option<i64>,
    /// What can be done with it now.
    pub may: May,
}

/// What can be done.
#[derive(Clone, Copy, Debug, Default)]
pub struct May {
    /// Narrow it, or take it back.
    pub change: bool,
    /// Give out what it covers.
    pub release: bool,
}

/// A version.
#[derive(Clone, Debug)]
pub struct Version {
    /// From 1.
    pub version: u32,
    /// What it did: "Given", "Narrowed", "Taken back".
    pub what: String,
    /// How it was signed: "on this page by Samir Haddad".
    pub signed: String,
    /// When it says that it was signed.
    pub signed_at: Option<i64>,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// Its entry.
    pub position: u64,
    /// The entry with the scan of the paper.
    pub scan: Option<u64>,
}

/// Something that was given out.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its leaf in the access log.
    pub leaf: u64,
    /// When.
    pub at: RecordedAt,
    /// By whom.
    pub who: String,
    /// How many versions.
    pub versions: u64,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        p class="lead" { strong { (context.stands) "." } }
        @if !context.lacks.is_empty() {
            div class="problem" {
                p { (layout::urgent_mark()) "This does not allow anybody to be given what is written about alcohol and drugs. It does not say:" }
                ul { @for lack in &context.lacks { li { (lack) } } }
            }
        }
        div class="columns" {
            section class="panel" aria-labelledby="says" {
                h2 id="says" { "What it says" }
                dl class="facts" { @for (name, words) in &context.facts { dt { (name) } dd { bdi { (words) } } } }
                @if let Some(words) = &context.words {
                    details { summary { "The words that were signed" } p class="said" { (words) } }
                }
            }
            section class="panel" aria-labelledby="given" {
                h2 id="given" { "Given out because of it" }
                @if context.given.is_empty() { p { "Nothing" @if shell.is_then() { " until then" } "." } } @else {
                    ul class="plain rows" { @for given in &context.given { li {
                        a href=(shell.to(&path::leaf(given.leaf))) { (when::time(given.at.0, &given.at.words())) }
                        ", by " bdi { (given.who) } ": " (super::access::how_much(given.versions))
                    } } }
                }
                @if context.may.release { (packet(context)) }
            }
            @if context.may.change { (change(context)) }
            section class="panel full" aria-labelledby="versions" {
                h2 id="versions" { "How it came to be" }
                div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                    caption class="unseen" { "Versions" }
                    thead { tr { th scope="col" { "What" } th scope="col" { "Signed" } th scope="col" { "On" } th scope="col" { "Recorded" } th scope="col" { "Entry" } } }
                    tbody { @for version in &context.versions { tr {
                        th scope="row" { (version.what) }
                        td data-label="Signed" { span { bdi { (version.signed) } @if let Some(scan) = version.scan { " (" a href=(shell.to(&path::entry(scan))) { "scan" } ")" } } }
                        td data-label="On" { span { @if let Some(at) = version.signed_at { (when::time(at, &when::day(at))) } } }
                        td data-label="Recorded" { span { (when::time(version.recorded_at.0, &version.recorded_at.words())) } }
                        td data-label="Entry" { span { a href=(shell.to(&path::entry(version.position))) { (version.position) } } }
                    } } }
                } }
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: &context.title,
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

fn packet(context: &Context) -> Markup {
    html! {
        h3 { "Give it out" }
        p class="hint" {
            "What the release covers, as it stands now, with the notice and the copy of the release that must go with it. "
            "That it was made, by whom and for whom, is on the access log before you see it."
        }
        form method="post" class="inline" action=(path::consent_step(&context.person, &context.id, "packet")) {
            button class="usa-button small" type="submit" name="as" value="page" { "To print" }
            button class="usa-button usa-button--outline small" type="submit" name="as" value="bundle" { "As a FHIR file" }
        }
    }
}

fn change(context: &Context) -> Markup {
    let now = context.shell.made_at;
    html! {
        section class="panel full" aria-labelledby="change" {
            h2 id="change" { @if context.themself { "Change your mind" } @else { "Enter what the person signed" } }
            div class="acts" {
                div class="act" {
                    h3 { "Take it back" }
                    p {
                        "From the moment that it is recorded nothing more is done because of it. What was given out before stays given out, and stays listed here."
                    }
                    form class="stack" method="post" action=(path::consent_step(&context.person, &context.id, "withdraw")) enctype="multipart/form-data" {
                        (consent_new::signature(context.themself, "withdraw", now))
                        button class="usa-button" type="submit" { "Take it back" }
                    }
                }
                div class="act" {
                    h3 { "Allow less" }
                    form class="stack" method="post" action=(path::consent_step(&context.person, &context.id, "narrow")) enctype="multipart/form-data" {
                        @if !context.parts.is_empty() {
                            fieldset {
                                legend { "What stays" }
                                @for (at, (key, words)) in context.parts.iter().enumerate() {
                                    div class="tick" {
                                        input type="checkbox" id={ "n-part-" (at) } name="part" value=(key) checked;
                                        label for={ "n-part-" (at) } { (words) }
                                    }
                                }
                            }
                        }
                        label class="usa-label" for="n-until" { "The last day on which it holds" }
                        input class="usa-input" type="date" id="n-until" name="until" min=(when::iso_day(now)) value=(context.until.map(|until| when::iso_day(until - 1)).unwrap_or_default()) required[context.parts.is_empty()];
                        (consent_new::signature(context.themself, "narrow", now))
                        button class="usa-button" type="submit" { "Allow less" }
                    }
                }
            }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let version = |version: u32, what: &str| Version {
        version,
        what: what.into(),
        signed: "on this page by Samir Haddad".into(),
        signed_at: Some(samples::THEN),
        recorded_at: samples::recorded(2026, 5, 5),
        position: 9_000 + u64::from(version),
        scan: None,
    };
    let release = Context {
        shell: samples::about(samples::now("/people/0h8k2m4q6s8v0x2z/consents/r1")),
        person: "0h8k2m4q6s8v0x2z".into(),
        id: "r1".into(),
        themself: true,
        title: "Release of information to County Housing Office".into(),
        stands: "In force until 30 Nov 2026".into(),
        facts: vec![
            (
                "To".into(),
                "County Housing Office, 12 Harbour Street".into(),
            ),
            ("What for".into(), "care coordination".into()),
            ("What".into(), "Who I am and how to reach me".into()),
        ],
        words: Some("Release of information\n\nWhat for: care coordination.".into()),
        lacks: Vec::new(),
        versions: vec![version(2, "Narrowed"), version(1, "Given")],
        given: vec![Given {
            leaf: 4_711,
            at: samples::recorded(2026, 5, 6),
            who: "R. Osei".into(),
            versions: 12,
        }],
        parts: vec![
            ("identity".into(), "Who I am and how to reach me".into()),
            (
                "contacts".into(),
                "When I was seen, by whom, and what is planned".into(),
            ),
        ],
        until: Some(when::at_day(2026, 12, 1)),
        may: May {
            change: true,
            release: false,
        },
    };
    vec![
        ("own", release.clone()),
        (
            "staff",
            Context {
                themself: false,
                may: May {
                    change: true,
                    release: true,
                },
                ..release.clone()
            },
        ),
        (
            "lacking",
            Context {
                lacks: vec!["whose records it is about (42 CFR 2.31(a)(1))".into()],
                given: Vec::new(),
                parts: Vec::new(),
                until: None,
                words: None,
                ..release.clone()
            },
        ),
        (
            "then",
            Context {
                shell: samples::about(samples::then("/people/0h8k2m4q6s8v0x2z/consents/r1")),
                may: May::default(),
                ..release.clone()
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now("/people/x/consents/y")),
                person: samples::HOSTILE.into(),
                id: samples::HOSTILE.into(),
                title: samples::HOSTILE.into(),
                stands: samples::LONG.into(),
                facts: vec![(samples::HOSTILE.into(), samples::LONG.into())],
                words: Some(samples::HOSTILE.into()),
                lacks: vec![samples::HOSTILE.into()],
                versions: vec![Version {
                    what: samples::HOSTILE.into(),
                    signed: samples::LONG.into(),
                    signed_at: Some(i64::MAX),
                    recorded_at: RecordedAt(i64::MAX),
                    position: u64::MAX,
                    version: u32::MAX,
                    scan: Some(u64::MAX),
                }],
                given: vec![Given {
                    leaf: u64::MAX,
                    at: RecordedAt(i64::MAX),
                    who: samples::HOSTILE.into(),
                    versions: u64::MAX,
                }],
                parts: vec![(samples::HOSTILE.into(), samples::HOSTILE.into())],
                ..release
            },
        ),
    ]
}
