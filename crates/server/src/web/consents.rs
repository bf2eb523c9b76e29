//! What a person has decided about their record, and what they can decide: yes, no, less, no more.

use casework::consent::offer::Offer;
use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when;
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; with a banner.
    pub shell: Shell,
    /// The Patient's id.
    pub person: String,
    /// Whether the person looks at it themself.
    pub themself: bool,
    /// Whether something can be decided here: now, and by whoever looks.
    pub may: bool,
    /// What everybody is asked.
    pub decisions: Vec<Decision>,
    /// What was released to others, or can be.
    pub releases: Vec<Row>,
    /// Other consents, such as programs wrote.
    pub others: Vec<Row>,
}

/// Something that everybody is asked.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What.
    pub offer: &'static Offer,
    /// The answers that stand; more than one where it is asked of several people.
    pub answers: Vec<Row>,
}

/// A consent.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// What it is about, or to whom.
    pub what: String,
    /// How it stands, with its day: "Yes, since 3 May 2026".
    pub stands: String,
    /// Whether it permits or refuses something now.
    pub in_force: bool,
    /// Its newest entry.
    pub position: u64,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let decide = |about: &str, words: &str| {
        let address = path::with(&path::consent_new(&context.person), &[("about", about)]);
        html! { @if context.may { p { a class="usa-button usa-button--outline small" href=(address) { (words) } } } }
    };
    let main = html! {
        p class="lead" {
            @if context.themself {
                "You decide what is done with what is written about you. Each answer holds from the moment it is "
                "recorded, and you can change it at any time."
            } @else {
                "What the person has decided. The words are those that they read. You can enter what they signed on paper, "
                "and nothing else."
            }
        }
        section class="panel full" aria-labelledby="asked" {
            h2 id="asked" { "What everybody is asked" }
            ul class="plain rows" {
                @for decision in &context.decisions {
                    li {
                        h3 { (decision.offer.title) }
                        @if decision.answers.is_empty() { p { strong { "No answer yet." } } }
                        @for row in &decision.answers { (answer(context, row, decision.answers.len() > 1 || decision.offer.code == casework::consent::offer::KEEP_FROM)) }
                        details {
                            summary { "What it means" }
                            p { b { "Yes: " } (decision.offer.means) }
                            p { b { "No: " } (decision.offer.otherwise) }
                        }
                        (decide(decision.offer.code, match (decision.offer.code, decision.answers.is_empty()) {
                            (casework::consent::offer::KEEP_FROM, _) => "Name somebody",
                            (_, true) => "Answer",
                            (_, false) => "Change the answer",
                        }))
                    }
                }
            }
        }
        section class="panel full" aria-labelledby="releases" {
            h2 id="releases" { "Given to others" }
            p {
                "Nothing is given to anybody outside the programme without a release that says to whom, what, what for and until when, "
                "unless a law demands it. What was given is listed under "
                a href=(shell.to(&path::accounting(&context.person))) { "who was told" } "."
            }
            @if context.releases.is_empty() { p { "There is no release." } } @else {
                ul class="plain rows" { @for row in &context.releases { li { (answer(context, row, true)) } } }
            }
            (decide(casework::consent::offer::RELEASE, "Let somebody outside have information"))
        }
        @if !context.others.is_empty() {
            section class="panel full" aria-labelledby="others" {
                h2 id="others" { "Other consents" }
                ul class="plain rows" { @for row in &context.others { li { (answer(context, row, true)) } } }
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Consents",
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

fn answer(context: &Context, row: &Row, named: bool) -> Markup {
    html! {
        p {
            @if named { bdi { (row.what) } ": " }
            @if row.in_force { strong { (row.stands) } } @else { (row.stands) }
            ". "
            a href=(context.shell.to(&path::consent(&context.person, &row.id))) { "What it says" span class="unseen" { ": " (row.what) } }
        }
    }
}

/// How a consent stands, in a few words.
pub fn stands(answer: &str, at: Option<i64>) -> String {
    match at {
        Some(at) => format!("{answer}, since {}", when::day(at)),
        None => answer.to_owned(),
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let row = |id: &str, what: &str, stands: &str, in_force| Row {
        id: id.into(),
        what: what.into(),
        stands: stands.into(),
        in_force,
        position: 4_711,
    };
    let answers = |code: &str| match code {
        "programme" => vec![row(
            "c1",
            "Taking part in the programme",
            "Yes, since 3 Feb 2026",
            true,
        )],
        "recording" => vec![row(
            "c2",
            "Sound recordings of sessions",
            "No, since 4 May 2026",
            true,
        )],
        "keep-from" => vec![row("c3", "T. Borkowicz", "Yes, since 4 May 2026", true)],
        "research" => vec![row(
            "c4",
            "Use for research",
            "Taken back on 9 Jun 2026",
            false,
        )],
        _ => Vec::new(),
    };
    let decisions = || {
        casework::consent::offer::OFFERS
            .iter()
            .map(|offer| Decision {
                offer,
                answers: answers(offer.code),
            })
            .collect()
    };
    let own = Context {
        shell: samples::about(samples::now("/people/0h8k2m4q6s8v0x2z/consents")),
        person: "0h8k2m4q6s8v0x2z".into(),
        themself: true,
        may: true,
        decisions: decisions(),
        releases: vec![
            row(
                "r1",
                "County Housing Office",
                "In force until 30 Nov 2026",
                true,
            ),
            row(
                "r2",
                "Lakeland Legal Aid",
                "Taken back on 9 Jun 2026",
                false,
            ),
        ],
        others: vec![row(
            "o1",
            "Notice and consent: study medicine",
            "Yes, since 3 Mar 2026",
            true,
        )],
    };
    vec![
        ("own", own.clone()),
        (
            "staff",
            Context {
                themself: false,
                ..own.clone()
            },
        ),
        (
            "then",
            Context {
                shell: samples::about(samples::then("/people/0h8k2m4q6s8v0x2z/consents")),
                may: false,
                releases: Vec::new(),
                others: Vec::new(),
                ..own.clone()
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now("/people/x/consents")),
                person: samples::HOSTILE.into(),
                releases: vec![row(samples::HOSTILE, samples::HOSTILE, samples::LONG, true)],
                others: vec![row(
                    samples::HOSTILE,
                    samples::LONG,
                    samples::HOSTILE,
                    false,
                )],
                ..own
            },
        ),
    ]
}
