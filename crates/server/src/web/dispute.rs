//! One dispute: the entry, what the person says of it, the answer, and what can be done now. And the
//! same words in short, to stand beside the entry wherever it is shown.

use casework::dispute::Ground;
use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; with a banner.
    pub shell: Shell,
    /// The Task's id; empty: it is about to be raised.
    pub id: String,
    /// Whether the person looks at it themself.
    pub themself: bool,
    /// What is disputed.
    pub entry: Entry,
    /// How it stands.
    pub stands: String,
    /// Whether the answer is overdue.
    pub overdue: bool,
    /// Who owes the answer.
    pub owner: Option<String>,
    /// The ground of a disagreement.
    pub ground: Option<String>,
    /// Everything that was written, oldest first.
    pub texts: Vec<Text>,
    /// What can be done now, and why not.
    pub may: May,
}

/// The entry that is disputed.
#[derive(Clone, Debug)]
pub struct Entry {
    /// In words.
    pub what: String,
    /// Its place in the ledger.
    pub position: u64,
    /// Which version is disputed.
    pub version: u32,
    /// Whether it was erased.
    pub erased: bool,
    /// What it says.
    pub facts: Vec<(String, String)>,
    /// A later version that puts it right, by its place.
    pub amended: Option<u64>,
}

/// Something that was written.
#[derive(Clone, Debug)]
pub struct Text {
    /// `account`, `answer`, `statement`, `reason`.
    pub kind: String,
    /// Who wrote it.
    pub author: String,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// The words.
    pub words: String,
    /// Its entry.
    pub position: u64,
}

impl Text {
    fn heading(&self) -> &'static str {
        match self.kind.as_str() {
            "account" => "What the person says",
            "statement" => "What the person says to the answer",
            "reason" => "Why the answer takes longer",
            _ => "The answer",
        }
    }
}

/// What can be done: nothing if it can, or the sentence that says why not. `None`: it is not offered.
#[derive(Clone, Debug, Default)]
pub struct May {
    /// Raise it.
    pub raise: Option<Result<(), String>>,
    /// Answer it.
    pub answer: Option<Result<(), String>>,
    /// Take more time.
    pub extend: Option<Result<(), String>>,
    /// Add a statement of disagreement.
    pub state: Option<Result<(), String>>,
    /// Take it back.
    pub withdraw: Option<Result<(), String>>,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let new = context.id.is_empty();
    let main = html! {
        @if !new {
            p class="lead" {
                @if context.overdue { (layout::urgent_mark()) }
                strong class=[context.overdue.then_some("overdue")] { (context.stands) "." }
                @if let Some(owner) = &context.owner { " Owed by " bdi { (owner) } "." }
            }
        }
        div class="columns" {
            section class="panel" aria-labelledby="entry" {
                h2 id="entry" { "The entry" }
                p { a href=(shell.to(&path::entry(context.entry.position))) { bdi { (context.entry.what) } } ", version " (context.entry.version) @if context.entry.erased { ". What it said can no longer be read." } @else { ". It stays as it is." } }
                @if let Some(amended) = context.entry.amended { p { a href=(shell.to(&path::entry(amended))) { "A later version" } " puts it right." } }
                dl class="facts" { @for (name, words) in &context.entry.facts { dt { (name) } dd class="said" { bdi { (words) } } } }
            }
            @if !context.texts.is_empty() {
                section class="panel" aria-labelledby="said" {
                    h2 id="said" { "What is said of it" }
                    @for text in &context.texts { (said(shell, text)) }
                    @if let Some(ground) = &context.ground { p class="hint" { (ground) "." } }
                }
            }
            (acts(context))
            section class="panel full" aria-labelledby="rights" {
                h2 id="rights" { "How it goes" }
                ul {
                    li { "What the person writes stands beside the entry from the moment that it is recorded, in their own words, and goes with it wherever the entry goes." }
                    li { "The programme owes an answer within 60 days (45 CFR 164.526). It may take 30 days more, once, and must say why before the 60 days are over." }
                    li { "Whoever recorded the entry does not answer." }
                    li { "If the programme does not agree, it says why, and the person can have a statement of their own put beside that. They can complain to somebody outside the programme at any time." }
                }
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: if new {
                "Say that an entry is wrong"
            } else {
                "A disputed entry"
            },
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

fn said(shell: &Shell, text: &Text) -> Markup {
    html! {
        article class="saidbox" {
            h3 { (text.heading()) }
            p class="said" { bdi { (text.words) } }
            p class="sub" { bdi { (text.author) } ", " a href=(shell.to(&path::entry(text.position))) { (when::time(text.recorded_at.0, &text.recorded_at.words())) } }
        }
    }
}

/// What is said of an entry, to stand beside it.
pub fn beside(shell: &Shell, disputes: &[Beside]) -> Markup {
    html! {
        @for one in disputes {
            section class="panel full disputed" aria-label="What the person says of this entry" {
                h2 { (layout::urgent_mark()) "The person says that this is wrong" @if let Some(version) = one.of_version { " (of version " (version) ")" } }
                @for text in &one.texts { (said(shell, text)) }
                p { (one.stands) ". " a href=(shell.to(&path::dispute(&one.id))) { "The dispute" } }
            }
        }
    }
}

/// A dispute in short.
#[derive(Clone, Debug)]
pub struct Beside {
    /// The Task's id.
    pub id: String,
    /// The version that it is about, if another one is shown.
    pub of_version: Option<u32>,
    /// How it stands.
    pub stands: String,
    /// Everything that was written.
    pub texts: Vec<Text>,
}

fn acts(context: &Context) -> Markup {
    let May {
        raise,
        answer,
        extend,
        state,
        withdraw,
    } = &context.may;
    let any = [raise, answer, extend, state, withdraw]
        .iter()
        .any(|one| one.is_some());
    html! {
        @if any {
            section class="panel full" aria-labelledby="acts" {
                h2 id="acts" { "What can be done now" }
                div class="acts" {
                    @if let Some(may) = raise {
                        (act(&path::dispute_new(context.entry.position), "Say that it is wrong", may, html! {
                            label class="usa-label" for="account" { @if context.themself { "What is wrong with it, and how it was" } @else { "What the person said, in their words" } }
                            textarea class="usa-input" id="account" name="text" rows="8" maxlength="20000" required {}
                            p class="hint" { "It becomes part of the record and stands beside the entry. It cannot be changed afterwards; you can add to it." }
                        }))
                    }
                    @if let Some(may) = answer {
                        (act(&path::dispute_step(&context.id, "agree"), "Agree", may, html! {
                            p { "The account stands as the correction. If the entry itself has a later version, it is linked." }
                            label class="usa-label" for="agreed" { "What you say to the person (optional)" }
                            textarea class="usa-input" id="agreed" name="text" rows="3" maxlength="20000" {}
                        }))
                        (act(&path::dispute_step(&context.id, "disagree"), "Disagree", may, html! {
                            label class="usa-label" for="ground" { "On which ground" }
                            select class="usa-input" id="ground" name="ground" required {
                                @for ground in Ground::ALL { option value=(ground.code()) { (ground.words()) } }
                            }
                            label class="usa-label" for="disagreed" { "Why, in words that the person can read" }
                            textarea class="usa-input" id="disagreed" name="text" rows="5" maxlength="20000" required {}
                        }))
                    }
                    @if let Some(may) = extend {
                        (act(&path::dispute_step(&context.id, "extend"), "Take 30 days more, once", may, html! {
                            label class="usa-label" for="reason" { "Why, in words that the person can read" }
                            textarea class="usa-input" id="reason" name="text" rows="3" maxlength="20000" required {}
                        }))
                    }
                    @if let Some(may) = state {
                        (act(&path::dispute_step(&context.id, "state"), "Add a statement", may, html! {
                            label class="usa-label" for="statement" { @if context.themself { "What you want to stand beside the answer" } @else { "What the person wants to stand beside the answer" } }
                            textarea class="usa-input" id="statement" name="text" rows="5" maxlength="20000" required {}
                        }))
                    }
                    @if let Some(may) = withdraw {
                        (act(&path::dispute_step(&context.id, "withdraw"), "Take it back", may, html! {
                            p { "No answer is owed any more. What was said stays on the record." }
                        }))
                    }
                }
            }
        }
    }
}

fn act(address: &str, words: &str, may: &Result<(), String>, fields: Markup) -> Markup {
    html! {
        div class="act" {
            h3 { (words) }
            @match may {
                Ok(()) => { form class="stack" method="post" action=(address) {
                    (fields)
                    button class="usa-button" type="submit" { (words) }
                } }
                Err(why) => { p { (why) } }
            }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let text = |kind: &str, author: &str, words: &str| Text {
        kind: kind.into(),
        author: author.into(),
        recorded_at: samples::recorded(2026, 8, 4),
        words: words.into(),
        position: 9_001,
    };
    let account = text(
        "account",
        "Haddad, Samir",
        "I was not there that day. I rang in the morning and said so.\n\nThe note says that I was quiet.",
    );
    let open = Context {
        shell: samples::about(samples::now("/disputes/d1")),
        id: "d1".into(),
        themself: false,
        entry: Entry {
            what: "Session 4".into(),
            position: 8_120,
            version: 1,
            erased: false,
            facts: vec![("status".into(), "finished".into())],
            amended: None,
        },
        stands: "An answer was owed by 3 Oct 2026".into(),
        overdue: true,
        owner: Some("L. Baptiste".into()),
        ground: None,
        texts: vec![account.clone()],
        may: May {
            answer: Some(Ok(())),
            extend: Some(Err(
                "The answer is due now, and it is too late to ask for more time.".into(),
            )),
            ..May::default()
        },
    };
    let answered = Context {
        themself: true,
        stands: "The programme did not agree on 9 Sep 2026".into(),
        overdue: false,
        owner: None,
        ground: Some(Ground::Accurate.words().into()),
        texts: vec![
            account,
            text(
                "answer",
                "L. Baptiste",
                "The sign-in sheet of that day has your name.",
            ),
            text("statement", "Haddad, Samir", "It is not my hand."),
        ],
        may: May {
            state: Some(Ok(())),
            ..May::default()
        },
        entry: Entry {
            amended: Some(8_200),
            ..open.entry.clone()
        },
        ..open.clone()
    };
    vec![
        ("open", open.clone()),
        ("answered", answered.clone()),
        (
            "erased",
            Context {
                entry: Entry {
                    what: "An entry that was erased".into(),
                    erased: true,
                    facts: Vec::new(),
                    ..open.entry.clone()
                },
                ..open.clone()
            },
        ),
        (
            "new",
            Context {
                id: String::new(),
                themself: true,
                texts: Vec::new(),
                overdue: false,
                may: May {
                    raise: Some(Ok(())),
                    ..May::default()
                },
                ..open.clone()
            },
        ),
        (
            "then",
            Context {
                shell: samples::about(samples::then("/disputes/d1")),
                may: May::default(),
                ..answered
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now("/disputes/x")),
                id: samples::HOSTILE.into(),
                stands: samples::HOSTILE.into(),
                owner: Some(samples::LONG.into()),
                ground: Some(samples::HOSTILE.into()),
                entry: Entry {
                    what: samples::HOSTILE.into(),
                    position: u64::MAX,
                    version: u32::MAX,
                    erased: false,
                    facts: vec![(samples::HOSTILE.into(), samples::LONG.into())],
                    amended: Some(u64::MAX),
                },
                texts: vec![Text {
                    kind: samples::HOSTILE.into(),
                    author: samples::HOSTILE.into(),
                    recorded_at: RecordedAt(i64::MAX),
                    words: samples::HOSTILE.into(),
                    position: u64::MAX,
                }],
                may: May {
                    raise: Some(Ok(())),
                    answer: Some(Ok(())),
                    extend: Some(Err(samples::HOSTILE.into())),
                    state: Some(Ok(())),
                    withdraw: Some(Ok(())),
                },
                ..open
            },
        ),
    ]
}
