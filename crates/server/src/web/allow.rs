//! What an app asks to do, for the person who decides: whose record, what of it, for how long.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// What people call the app.
    pub title: String,
    /// Who answers for it, if that was said.
    pub organisation: Option<String>,
    /// What it is there for, in words.
    pub purpose: String,
    /// Where the answer goes: a host, or an app on this device.
    pub goes_to: String,
    /// What the app sent, to be sent again with the decision.
    pub request: Vec<(String, String)>,
    /// What is to be decided now.
    pub stage: Stage,
}

/// What is to be decided.
#[derive(Clone, Debug)]
pub enum Stage {
    /// Whose record.
    Whose {
        /// What was looked for.
        query: String,
        /// Those whom it found; nothing was looked for yet if there is no query.
        found: Vec<Found>,
        /// What is wrong, if something is.
        problem: Option<String>,
    },
    /// What of it.
    What {
        /// Id and name of the person.
        person: Option<(String, String)>,
        /// What it asks for on the record.
        rows: Vec<Row>,
        /// What else it asks for.
        extras: Vec<Row>,
    },
}

/// Somebody who was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The Patient's id.
    pub id: String,
    /// The name.
    pub name: String,
    /// What tells them from others.
    pub facts: String,
}

/// One thing that is asked for.
#[derive(Clone, Debug)]
pub struct Row {
    /// As it is asked: `patient/Observation.rs`.
    pub scope: String,
    /// In words.
    pub words: String,
    /// Whether it lets something be changed.
    pub writes: bool,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let title = match &context.stage {
        Stage::Whose { .. } => "Choose a person for an app",
        Stage::What { .. } => "What an app may do",
    };
    let main = html! {
        div class="narrow wide" {
            p class="lead" {
                strong { bdi { (context.title) } }
                @if let Some(organisation) = &context.organisation { " (" bdi { (organisation) } ")" }
                " asks to use this record for you. An officer has registered it for " (context.purpose) "."
            }
            @match &context.stage {
                Stage::Whose { query, found, problem } => { (whose(context, query, found, problem.as_deref())) }
                Stage::What { person, rows, extras } => { (what(context, person.as_ref(), rows, extras)) }
            }
            p class="hint" { "Your answer goes to " bdi { (context.goes_to) } ". If you did not just start this app, refuse." }
        }
    };
    layout::page(
        &context.shell,
        Page {
            title,
            place: Place::Elsewhere,
            // What an app may do is decided as of now.
            compares: true,
            main,
        },
    )
}

fn again(request: &[(String, String)]) -> Markup {
    html! { @for (name, value) in request { input type="hidden" name=(name) value=(value); } }
}

fn refuse(context: &Context) -> Markup {
    html! {
        form method="post" action=(path::AUTHORIZE) {
            (again(&context.request))
            button class="usa-button usa-button--outline" type="submit" name="decision" value="refuse" { "Refuse" }
        }
    }
}

fn whose(context: &Context, query: &str, found: &[Found], problem: Option<&str>) -> Markup {
    html! {
        @if let Some(problem) = problem {
            p class="problem" role="alert" { (layout::urgent_mark()) (problem) }
        }
        p { "It works with one person\u{2019}s record at a time. Choose whose." }
        form class="stack" method="get" action=(path::AUTHORIZE) {
            (again(&context.request))
            label class="usa-label" for="q" { "Name, number or date of birth" }
            input class="usa-input" id="q" name="q" type="search" value=(query) autocomplete="off" spellcheck="false";
            button class="usa-button" type="submit" { "Find" }
        }
        @if !query.is_empty() {
            section aria-labelledby="found" {
                h2 id="found" { "Found" }
                @if found.is_empty() {
                    p { "Nobody whom you may know of answers to that." }
                } @else {
                    ul class="plain rows" { @for one in found { li {
                        form method="get" action=(path::AUTHORIZE) {
                            (again(&context.request))
                            input type="hidden" name="person" value=(one.id);
                            button class="usa-button usa-button--outline small" type="submit" { bdi { (one.name) } }
                            " " (one.facts)
                        }
                    } } }
                }
            }
        }
        (refuse(context))
    }
}

fn what(
    context: &Context,
    person: Option<&(String, String)>,
    rows: &[Row],
    extras: &[Row],
) -> Markup {
    html! {
        @if let Some((_, name)) = person {
            p { "It is about the record of " strong { bdi { (name) } } "." }
        }
        p { "It gets no more than you may see yourself. What you do not want it to do, take away." }
        form class="stack" method="post" action=(path::AUTHORIZE) {
            (again(&context.request))
            @if let Some((id, _)) = person { input type="hidden" name="person" value=(id); }
            @if !rows.is_empty() {
                fieldset {
                    legend { "On the record" }
                    @for (at, row) in rows.iter().enumerate() { (tick("r", at, row)) }
                }
            }
            @if !extras.is_empty() {
                fieldset {
                    legend { "Besides" }
                    @for (at, row) in extras.iter().enumerate() { (tick("e", at, row)) }
                }
            }
            p class="hint" { "What you allow is on the record, and you can end it at any time under Apps that act for you." }
            button class="usa-button" type="submit" name="decision" value="allow" { "Allow what is ticked" }
        }
        (refuse(context))
    }
}

fn tick(group: &str, at: usize, row: &Row) -> Markup {
    let id = format!("{group}-{at}");
    html! {
        div class="tick" {
            input id=(id) type="checkbox" name="keep" value=(row.scope) checked;
            label for=(id) {
                @if row.writes { (layout::urgent_mark()) }
                (row.words) " " code { (row.scope) }
            }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let row = |scope: &str, words: &str, writes| Row {
        scope: scope.into(),
        words: words.into(),
        writes,
    };
    let plain = Context {
        shell: samples::now(path::AUTHORIZE),
        title: "Growth Chart".into(),
        organisation: Some("Example Clinic".into()),
        purpose: "treatment".into(),
        goes_to: "app.example".into(),
        request: vec![("client_id".into(), "growth".into())],
        stage: Stage::What {
            person: Some(("0h8k2m4q6s8v0x2z".into(), "Haddad, Samir".into())),
            rows: vec![
                row(
                    "patient/Observation.rs?category=laboratory",
                    "See observation of this one person, only where category is laboratory",
                    false,
                ),
                row(
                    "patient/QuestionnaireResponse.crus",
                    "See, add and change questionnaire response of this one person",
                    true,
                ),
            ],
            extras: vec![
                row("openid", "Learn that it is you", false),
                row(
                    "offline_access",
                    "Go on when you have signed out, for 90 days",
                    false,
                ),
            ],
        },
    };
    let found = Found {
        id: "0h8k2m4q6s8v0x2z".into(),
        name: "Haddad, Samir".into(),
        facts: "born 3 Feb 1985".into(),
    };
    let whose = |query: &str, found: Vec<Found>, problem: Option<&str>| Context {
        stage: Stage::Whose {
            query: query.into(),
            found,
            problem: problem.map(str::to_owned),
        },
        ..plain.clone()
    };
    let hostile = Context {
        title: samples::HOSTILE.into(),
        organisation: Some(samples::HOSTILE.into()),
        goes_to: samples::HOSTILE.into(),
        request: vec![(samples::HOSTILE.into(), samples::HOSTILE.into())],
        stage: Stage::What {
            person: Some((samples::HOSTILE.into(), samples::HOSTILE.into())),
            rows: vec![row(samples::HOSTILE, samples::HOSTILE, true)],
            extras: vec![row(samples::LONG, samples::LONG, false)],
        },
        ..plain.clone()
    };
    vec![
        ("plain", plain.clone()),
        ("whose", whose("", Vec::new(), None)),
        ("found", whose("haddad", vec![found], None)),
        (
            "nobody",
            whose(
                "x",
                Vec::new(),
                Some("Choose one of those whom you find here."),
            ),
        ),
        ("hostile", hostile),
    ]
}
