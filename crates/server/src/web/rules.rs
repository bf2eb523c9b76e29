//! The policy in force: who may see what, for whoever is signed in to read; and the form with which an officer
//! tries another.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// Each rule of the base policy: its name, and what it says when it decides.
    pub base: Vec<(String, String)>,
    /// The base policy itself.
    pub base_text: String,
    /// The rules that the programme adds.
    pub added: Vec<(String, String)>,
    /// Their text; empty: none.
    pub added_text: String,
    /// Every version, the newest first.
    pub versions: Vec<Row>,
    /// The form, for officers.
    pub form: Option<Form>,
}

/// One version of what the programme adds.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its entry, for whoever may see it.
    pub position: Option<u64>,
    /// When it came into force.
    pub at: RecordedAt,
    /// Who set it.
    pub who: String,
    /// Why.
    pub why: String,
    /// What trying it had shown.
    pub tried: String,
}

/// The form that tries another text.
#[derive(Clone, Debug)]
pub struct Form {
    /// What stands in it.
    pub text: String,
    /// What is wrong with it.
    pub flaws: Vec<String>,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        p class="lead" {
            "Who may see, write or take away what is decided each time, by these rules. A base comes with the program; "
            "the programme can add to it. What the base forbids stays forbidden."
        }
        @if let Some(form) = context.form.as_ref().filter(|form| !form.flaws.is_empty()) { (flaws(form)) }
        section class="panel" aria-labelledby="added" {
            h2 id="added" { "What this programme adds" }
            @if context.added.is_empty() {
                p { strong { "Nothing: the base policy alone is in force." } }
            } @else {
                (rules("Rules that this programme adds", &context.added))
                details { summary { "As text" } pre tabindex="0" { (context.added_text) } }
            }
            @if !context.versions.is_empty() { (versions(shell, &context.versions)) }
        }
        @if let Some(form) = &context.form { (change(form)) }
        section class="panel" aria-labelledby="base" {
            h2 id="base" { "The base policy" }
            (rules("Rules of the base policy", &context.base))
            details { summary { "As text" } pre tabindex="0" { (context.base_text) } }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Who may see what",
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

fn flaws(form: &Form) -> Markup {
    html! {
        div class="panel urgent" role="alert" {
            p { (layout::urgent_mark()) strong { "The text was not tried, because it is not right yet." } }
            ul { @for flaw in &form.flaws { li { bdi { (flaw) } } } }
            p { a href="#text" { "Back to the text" } }
        }
    }
}

fn rules(label: &str, rules: &[(String, String)]) -> Markup {
    layout::scrolling(
        label,
        html! { table class="usa-table usa-table--compact bare" {
            thead { tr { th scope="col" { "Rule" } th scope="col" { "What it says when it decides" } } }
            tbody { @for (name, sentence) in rules { tr {
                th scope="row" { code { (name) } }
                td { bdi { (sentence) } }
            } } }
        } },
    )
}

fn versions(shell: &Shell, versions: &[Row]) -> Markup {
    html! {
        h3 { "Each time it was set" }
        (layout::scrolling("Each time it was set", html! { table class="usa-table usa-table--compact bare" {
            thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "Why" } th scope="col" { "What trying it had shown" } } }
            tbody { @for row in versions { tr {
                th scope="row" {
                    @match row.position {
                        Some(position) => { a href=(shell.to(&path::entry(position))) { (when::time(row.at.0, &row.at.words())) } }
                        None => { (when::time(row.at.0, &row.at.words())) }
                    }
                }
                td { bdi { (row.who) } }
                td { bdi { (row.why) } }
                td { (row.tried) }
            } } }
        } }))
    }
}

fn change(form: &Form) -> Markup {
    html! {
        section class="panel" aria-labelledby="change" {
            h2 id="change" { "Change what this programme adds" }
            p {
                "Nothing changes by trying: the requests of the last " (path::POLICY_DAYS) " days are decided again under the new text, and you "
                "see what would have been refused. Then you can put it in force."
            }
            form class="stack" method="post" action=(path::POLICY_TRY) {
                label class="usa-label" for="text" { "The rules, in Cedar" }
                p class="hint" id="text-hint" {
                    "Each rule has a name (@id) and a sentence for whoever it decides about (@because). Empty: the base policy alone. "
                    "The words that can be used are those of the base policy below."
                }
                textarea class="usa-input code" id="text" name="text" rows="14" spellcheck="false" autocapitalize="off" aria-describedby="text-hint" { "\n" (form.text) }
                button class="usa-button" type="submit" { "Try it" }
            }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let base = |name: &str, sentence: &str| (name.to_owned(), sentence.to_owned());
    let row = |why: &str| {
        Row {
        position: Some(9_211),
        at: RecordedAt(samples::NOW - 20 * when::DAY),
        who: "R. Abara".into(),
        why: why.into(),
        tried: "Tried on 1204 disclosures of the last 30 days: 12 would have been refused, 0 would be allowed again.".into(),
    }
    };
    let plain = Context {
        shell: samples::now(path::POLICY),
        base: vec![
            base(
                "treating-team",
                "You care for this person: they are on your caseload.",
            ),
            base(
                "notes-never-evaluator",
                "An evaluator of fitness for duty never reads therapy notes.",
            ),
        ],
        base_text: "@id(\"treating-team\")\npermit (principal, action, resource);".into(),
        added: Vec::new(),
        added_text: String::new(),
        versions: Vec::new(),
        form: None,
    };
    let text = "@id(\"no-research-here\")\n@because(\"This programme does no research.\")\nforbid (principal, action, resource)\nwhen { context.purpose == Purpose::\"research\" };";
    let some = Context {
        added: vec![base("no-research-here", "This programme does no research.")],
        added_text: text.into(),
        versions: vec![row("The board decided so on 2 November.")],
        form: Some(Form {
            text: text.into(),
            flaws: Vec::new(),
        }),
        ..plain.clone()
    };
    vec![
        ("plain", plain.clone()),
        ("some", some.clone()),
        (
            "then",
            Context {
                shell: samples::then(path::POLICY),
                form: None,
                ..some.clone()
            },
        ),
        (
            "flawed",
            Context {
                form: Some(Form {
                    text: "permit".into(),
                    flaws: vec![
                        "This does not read as a policy: unexpected end of input.".into(),
                        samples::HOSTILE.into(),
                    ],
                }),
                ..some
            },
        ),
        (
            "hostile",
            Context {
                added: vec![base(samples::HOSTILE, samples::LONG)],
                added_text: samples::HOSTILE.into(),
                versions: vec![Row {
                    position: None,
                    who: samples::HOSTILE.into(),
                    tried: samples::LONG.into(),
                    ..row(samples::HOSTILE)
                }],
                form: Some(Form {
                    text: format!("</textarea>{}", samples::HOSTILE),
                    flaws: Vec::new(),
                }),
                ..plain
            },
        ),
    ]
}
