//! One entry of the ledger: both its times, who made it and what for, what it says, what every
//! version changed, and the receipt that proves it.

use maud::{Markup, html};

use super::dispute::{self, Beside};
use super::layout::{self, Page, Place, Shell};
use super::when::{self, Happened, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; with a banner if the entry is about a person.
    pub shell: Shell,
    /// What it is, in words: "Session note".
    pub title: String,
    /// "DocumentReference/0h8k2m4q6s8v0x2z".
    pub reference: String,
    /// Place in the ledger.
    pub position: u64,
    /// Which of the versions below this is.
    pub version: u32,
    /// When what it tells of happened.
    pub happened: Option<Happened>,
    /// All versions known, newest first.
    pub versions: Vec<Version>,
    /// Number and place in the ledger of those that were erased, newest first.
    pub erased: Vec<(u32, u64)>,
    /// What it says, element by element: ("status", "final").
    pub facts: Vec<(String, String)>,
    /// Who signed it, or another version of it, the oldest first.
    pub signatures: Vec<Signature>,
    /// Whether it can be signed from here.
    pub may_sign: bool,
    /// The JSON as it is stored.
    pub json: String,
    /// The entry's line in the ledger.
    pub line: String,
    /// Whether outside witnesses have cosigned the checkpoint of the receipt; `None`: there are none.
    pub is_cosigned: Option<bool>,
    /// The commands that check the receipt: the file's name in them.
    pub receipt_name: String,
    /// What the person says is wrong with it.
    pub disputes: Vec<Beside>,
}

/// One electronic signature.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Whether it is of the version that is shown.
    pub this: bool,
    /// The entry that it lies in.
    pub position: u64,
    /// The entry that it is of.
    pub of: u64,
    /// What it means: "authored".
    pub meaning: &'static str,
    /// The printed name.
    pub name: String,
    /// The signer, as lines name them.
    pub actor: String,
    /// When.
    pub at: i64,
    /// What the signer's own key is recognised by; `None`: the server stands for it.
    pub passkey: Option<String>,
    /// Why it does not fit, if it does not.
    pub flaw: Option<String>,
}

/// One version.
#[derive(Clone, Debug)]
pub struct Version {
    /// From 1.
    pub version: u32,
    /// Place in the ledger.
    pub position: u64,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// Who recorded it, as far as is known: "R. Osei".
    pub author: String,
    /// What for, in words: "treatment".
    pub purpose: String,
    /// What it did.
    pub action: Action,
    /// Whether the version right before it is not there, so that nobody can say here what it changed.
    pub gap: bool,
    /// What it changed against the version before; empty for the first.
    pub differences: Vec<Difference>,
}

/// What an entry did.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Said it for the first time.
    Created,
    /// Said something else.
    Changed,
    /// Said something, and what was said before is not there.
    Recorded,
    /// Took it back.
    Deleted,
}

impl Action {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Action::Created => "first recorded",
            Action::Changed => "changed",
            Action::Recorded => "recorded",
            Action::Deleted => "deleted",
        }
    }
}

/// One element that differs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// "Encounter.status".
    pub place: String,
    /// What was said before; `None`: nothing.
    pub before: Option<String>,
    /// What is said after; `None`: nothing.
    pub after: Option<String>,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let current = context
        .versions
        .iter()
        .find(|version| version.position == context.position);
    let erased = context.erased.iter().map(|(version, _)| *version);
    let newest = context
        .versions
        .iter()
        .map(|version| version.version)
        .chain(erased)
        .max()
        .unwrap_or(context.version);
    let title = if newest > 1 {
        format!("{}, version {} of {newest}", context.title, context.version)
    } else {
        context.title.clone()
    };
    let main = html! {
        @if context.version < newest {
            p class="lead" { (layout::urgent_mark()) "This is not the newest version"
                @if shell.is_then() { " known then" } ". "
                @if let Some(latest) = context.versions.iter().find(|version| version.version == newest) {
                    a href=(shell.to(&path::entry(latest.position))) { "Version " (newest) } " was recorded " (when::time(latest.recorded_at.0, &latest.recorded_at.words())) "."
                } @else if let Some((_, position)) = context.erased.iter().find(|(version, _)| *version == newest) {
                    a href=(shell.to(&path::entry(*position))) { "Version " (newest) } " was recorded since, and was erased."
                }
            }
        }
        (dispute::beside(shell, &context.disputes))
        div class="columns" {
            section class="panel times" aria-labelledby="times" {
                h2 id="times" { "Its two times" }
                dl class="facts" {
                    dt { span class="dotmark" aria-hidden="true" { "\u{25cf}" } "Happened" }
                    dd { @match context.happened { Some(happened) => { strong { (happened.words()) } } None => { "Not said." } } }
                    @if let Some(current) = current {
                        dt { span class="squaremark" aria-hidden="true" { "\u{25a0}" } "Recorded" }
                        dd { strong { (when::time(current.recorded_at.0, &current.recorded_at.words())) } div class="sub" { code { (when::exact(current.recorded_at.0)) } } }
                        @if let Some(happened) = context.happened { dt { "Between them" } dd { (when::delay(when::delay_days(happened, current.recorded_at))) } }
                        dt { "By" } dd { bdi { (current.author) } }
                        dt { "For" } dd { (current.purpose) }
                        dt { "What it did" } dd { (current.action.words()) }
                    }
                    dt { "Entry" } dd { "number " (layout::count(context.position)) " of the record" }
                    dt { "Thing" } dd { code class="hash" { (context.reference) } }
                }
                @if let Some(current) = current {
                    p {
                        "See " (if shell.banner.is_some() { "the person" } else { "the caseload" }) " as known "
                        a href=(around(shell, current.recorded_at.0.saturating_sub(1))) { "just before it was recorded" }
                        " or "
                        a href=(around(shell, current.recorded_at.0)) { "just after" } "."
                    }
                }
            }
            section class="panel" aria-labelledby="says" {
                h2 id="says" { "What it says" }
                @if context.facts.is_empty() { p { "Nothing: this version takes the thing back." } } @else {
                    dl class="facts" { @for (name, words) in &context.facts { dt { (name) } dd class="said" { bdi { (words) } } } }
                }
                @if shell.banner.is_some() && !shell.is_then() {
                    p { a href=(path::dispute_new(context.position)) { "Say that this is wrong" } }
                }
                details { summary { "As it is stored" } (layout::scrolling("Stored JSON", html! { pre { (context.json) } })) }
            }
            section class="panel full" aria-labelledby="versions" {
                h2 id="versions" { "Versions" }
                ol class="versions" { @for version in &context.versions { (one(shell, context, version)) } }
                @if !context.erased.is_empty() {
                    ul class="plain rows" { @for (version, position) in &context.erased { li { a href=(shell.to(&path::entry(*position))) { "Version " (version) } " was erased." } } }
                }
            }
            (signatures(shell, context))
            section class="panel full receipt" aria-labelledby="receipt" {
                h2 id="receipt" { "Its receipt" }
                p {
                    "The receipt holds this version, its line in the ledger, and the proof that the line stands under the signed checkpoint. "
                    "Whoever has it can check it without us, for ever."
                }
                @match context.is_cosigned {
                    Some(true) => { p { "Outside witnesses have cosigned that checkpoint, so it can no longer be taken back or shown to others differently." } }
                    Some(false) => { p { strong { "Nobody outside has cosigned it yet." } " Download the receipt again later to have the witnesses\u{2019} signatures in it." } }
                    None => { p { "Nobody outside has cosigned it: no witnesses are set up." } }
                }
                p { a class="usa-button" href=(path::receipt(context.position)) download=(context.receipt_name) { "Download the receipt" } }
                @if let Some(banner) = &shell.banner {
                    p { "Who has seen this person's record: " a href=(shell.to(&path::person_access(&banner.id))) { "who looked" } "." }
                }
                p { "To check it, on any machine: " code { "homecoming verify " (context.receipt_name) } }
                p { "It proves that this content was recorded as this entry, in this place, before the checkpoint was signed, and that no byte of it was changed since. It does not prove that what it says is true." }
                h3 { "Its line in the ledger" }
                (layout::scrolling("Line in the ledger", html! { pre class="line" { (context.line) } }))
                p class="hint" { "The line holds no personal data; the last part commits to the content." }
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: &title,
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

/// Who signed, when, what it means, and whether it fits what is here.
fn signatures(shell: &Shell, context: &Context) -> Markup {
    html! {
        section class="panel full" aria-labelledby="signatures" {
            h2 id="signatures" { "Signatures" }
            @if context.signatures.is_empty() { p { "Nobody has signed it." } } @else {
                ul class="plain rows" {
                    @for one in &context.signatures { li {
                        strong { "Signed as " (one.meaning) } " by " strong { bdi { (one.name) } } " (" bdi { (one.actor) } ") "
                        (when::time(one.at, &RecordedAt(one.at).words()))
                        @match &one.passkey {
                            Some(key) => { ", with their own passkey " code class="hash" { (key) } ". " }
                            None => { ", with a password and a one-time code, as this server says. " }
                        }
                        @match &one.flaw {
                            Some(flaw) => { (layout::urgent_mark()) strong { "The signature does not fit: " } (flaw) ". " }
                            None if one.this => { "The signature fits this version. " }
                            None => { "It is of " a href=(shell.to(&path::entry(one.of))) { "another version" } ", and fits that one. " }
                        }
                        a href=(shell.to(&path::entry(one.position))) { "The signature's own entry" }
                    } }
                }
            }
            @if context.may_sign { p { a class="usa-button usa-button--outline small" href=(shell.to(&path::sign(context.position))) { "Sign this version" } } }
        }
    }
}

/// What the entry is part of, as known at an instant.
fn around(shell: &Shell, at: i64) -> String {
    let address = shell.banner.as_ref().map_or_else(
        || path::CASELOAD.to_owned(),
        |banner| path::person(&banner.id),
    );
    path::with(&address, &[(path::AS_OF, &when::exact(at))])
}

fn one(shell: &Shell, context: &Context, version: &Version) -> Markup {
    let current = version.position == context.position;
    html! {
        li class=[current.then_some("current")] {
            h3 {
                @if current { "Version " (version.version) " (this one)" } @else { a href=(shell.to(&path::entry(version.position))) { "Version " (version.version) } }
            }
            p class="sub" {
                (version.action.words()) " " (when::time(version.recorded_at.0, &version.recorded_at.words())) " by " bdi { (version.author) } " for " (version.purpose)
            }
            @if version.gap {
                p class="sub" {
                    "The version before it "
                    @if context.erased.iter().any(|(erased, _)| erased + 1 == version.version) { "was erased" } @else { "is not for you to see" }
                    ", so it is not said here what this one changed."
                }
            }
            @if !version.differences.is_empty() {
                div class="tablebox" { table class="usa-table usa-table--compact stacks differences" {
                    caption class="unseen" { "What version " (version.version) " changed" }
                    thead { tr { th scope="col" { "Element" } th scope="col" { "Before" } th scope="col" { "After" } } }
                    tbody {
                        @for difference in &version.differences {
                            tr {
                                th scope="row" { code { (difference.place) } }
                                td data-label="Before" { @match &difference.before { Some(words) => { del { bdi { (words) } } } None => { span class="sub" { "nothing" } } } }
                                td data-label="After" { @match &difference.after { Some(words) => { ins { bdi { (words) } } } None => { span class="sub" { "nothing" } } } }
                            }
                        }
                    }
                } }
            }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let line = "hc1 8121 2026-06-18T15:40:00.123456Z user/7k2m TREAT update Encounter/0h8k2m4q6s8v0x2z/2 pQ2VjaG8gdGhlIHBlcnNvbi 8120:qINS1GRFHWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs 3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8";
    let version = |version: u32, recorded_at, action, differences| Version {
        version,
        position: 8_119 + u64::from(version),
        recorded_at,
        author: "R. Osei".into(),
        purpose: "treatment".into(),
        action,
        gap: false,
        differences,
    };
    let difference = |place: &str, before: Option<&str>, after: Option<&str>| Difference {
        place: place.into(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    let two = vec![
        version(
            2,
            samples::recorded(2026, 6, 18),
            Action::Changed,
            vec![
                difference("Encounter.status", Some("finished"), Some("cancelled")),
                difference(
                    "Encounter.reasonCode[0].text",
                    None,
                    Some("Did not come; rang the next day"),
                ),
                difference("Encounter.length", Some("50 min"), None),
            ],
        ),
        version(
            1,
            samples::recorded(2026, 5, 27),
            Action::Created,
            Vec::new(),
        ),
    ];
    let changed = Context {
        shell: samples::about(samples::now(&path::entry(8_121))),
        title: "Office visit".into(),
        reference: "Encounter/0h8k2m4q6s8v0x2z".into(),
        position: 8_121,
        version: 2,
        happened: Some(Happened {
            start: when::at_day(2026, 5, 27) + 9 * when::HOUR,
            end: when::at_day(2026, 5, 27) + 10 * when::HOUR,
        }),
        versions: two.clone(),
        erased: Vec::new(),
        facts: vec![
            ("Status".into(), "cancelled".into()),
            ("Kind".into(), "ambulatory".into()),
            ("Reason".into(), "Did not come; rang the next day".into()),
        ],
        signatures: vec![
            Signature {
                this: true,
                position: 8_130,
                of: 8_121,
                meaning: "authored",
                name: "R. Osei".into(),
                actor: "Practitioner/7k2m".into(),
                at: samples::recorded(2026, 6, 18).0,
                passkey: Some("3f0a9c11d2e45b6708192a3b4c5d6e7f".into()),
                flaw: None,
            },
            Signature {
                this: false,
                position: 8_131,
                of: 8_120,
                meaning: "reviewed",
                name: "D. Marsh".into(),
                actor: "user/2".into(),
                at: samples::recorded(2026, 6, 19).0,
                passkey: None,
                flaw: None,
            },
        ],
        may_sign: true,
        json:
            "{\"resourceType\":\"Encounter\",\"id\":\"0h8k2m4q6s8v0x2z\",\"status\":\"cancelled\"}"
                .into(),
        line: line.into(),
        is_cosigned: Some(true),
        receipt_name: "homecoming-receipt-8121.txt".into(),
        disputes: Vec::new(),
    };
    vec![
        ("changed", changed.clone()),
        (
            "disputed",
            Context {
                disputes: vec![Beside {
                    id: "d1".into(),
                    of_version: Some(1),
                    stands: "An answer is owed by 3 Oct 2026".into(),
                    texts: vec![dispute::Text {
                        kind: "account".into(),
                        author: "Haddad, Samir".into(),
                        recorded_at: samples::recorded(2026, 8, 4),
                        words: "I was not there that day.".into(),
                        position: 9_001,
                    }],
                }],
                ..changed.clone()
            },
        ),
        (
            "older",
            Context {
                version: 1,
                position: 8_120,
                ..changed.clone()
            },
        ),
        (
            "first",
            Context {
                title: "PCL-5 score".into(),
                version: 1,
                position: 8_120,
                versions: vec![two[1].clone()],
                ..changed.clone()
            },
        ),
        (
            "then",
            Context {
                shell: samples::about(samples::then(&path::entry(8_120))),
                signatures: Vec::new(),
                may_sign: false,
                version: 1,
                position: 8_120,
                versions: vec![two[1].clone()],
                ..changed.clone()
            },
        ),
        (
            "erased",
            Context {
                version: 3,
                position: 8_122,
                versions: vec![
                    Version {
                        gap: true,
                        ..version(
                            3,
                            samples::recorded(2026, 7, 1),
                            Action::Recorded,
                            Vec::new(),
                        )
                    },
                    two[1].clone(),
                ],
                erased: vec![(2, 8_121)],
                ..changed.clone()
            },
        ),
        (
            "erased-since",
            Context {
                version: 1,
                position: 8_120,
                versions: vec![two[1].clone()],
                erased: vec![(2, 8_121)],
                may_sign: false,
                ..changed.clone()
            },
        ),
        (
            "deleted",
            Context {
                version: 3,
                position: 8_122,
                facts: Vec::new(),
                happened: None,
                versions: std::iter::once(version(
                    3,
                    samples::recorded(2026, 7, 1),
                    Action::Deleted,
                    Vec::new(),
                ))
                .chain(two)
                .collect(),
                ..changed.clone()
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now("/entries/1")),
                title: samples::HOSTILE.into(),
                reference: samples::LONG.into(),
                facts: vec![(samples::HOSTILE.into(), samples::LONG.into())],
                json: samples::HOSTILE.into(),
                signatures: vec![Signature {
                    this: true,
                    position: 2,
                    of: 1,
                    meaning: "approved",
                    name: samples::HOSTILE.into(),
                    actor: samples::LONG.into(),
                    at: 0,
                    passkey: Some(samples::LONG.into()),
                    flaw: Some(samples::HOSTILE.into()),
                }],
                line: samples::HOSTILE.into(),
                is_cosigned: Some(false),
                receipt_name: samples::HOSTILE.into(),
                versions: vec![Version {
                    author: samples::HOSTILE.into(),
                    purpose: samples::LONG.into(),
                    ..version(
                        2,
                        RecordedAt(i64::MAX),
                        Action::Changed,
                        vec![difference(
                            samples::HOSTILE,
                            Some(samples::HOSTILE),
                            Some(samples::LONG),
                        )],
                    )
                }],
                ..changed
            },
        ),
    ]
}
