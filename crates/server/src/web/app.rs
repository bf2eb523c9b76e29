//! One registered program or app, or a new one: the form, what it was given, and what became of it.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// What stands in the form.
    pub form: Form,
    /// It is registered already.
    pub known: Option<Known>,
    /// What was wrong with what was sent, as a sentence.
    pub problem: Option<String>,
    /// Its new secret, shown only now.
    pub secret: Option<String>,
}

/// What stands in the form.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Who answers for it.
    pub organisation: String,
    /// What it may do.
    pub scope: String,
    /// Code, words and whether it is chosen.
    pub purposes: Vec<(String, String, bool)>,
    /// Code, words and whether it is chosen.
    pub proofs: Vec<(String, String, bool)>,
    /// A line each.
    pub redirects: String,
    /// Where it is opened from a person's page.
    pub launch: String,
    /// Its public keys.
    pub keys: String,
    /// Where its public keys are.
    pub keys_url: String,
    /// The sensitive kinds of record: word, what it is called, whether it sees them.
    pub sees: Vec<(String, String, bool)>,
    /// It works for the programme itself.
    pub of_programme: bool,
}

/// What is known of one that is registered.
#[derive(Clone, Debug)]
pub struct Known {
    /// Nothing that it sends is answered.
    pub disabled: bool,
    /// It has a secret.
    pub has_secret: bool,
    /// Its versions on the record, the newest first.
    pub changes: Vec<Change>,
}

/// One version.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its entry.
    pub position: u64,
    /// When it was recorded.
    pub at: RecordedAt,
    /// Who made it.
    pub who: String,
    /// What it may do since.
    pub scope: String,
    /// `enabled`, `disabled` or `removed`.
    pub state: String,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let form = &context.form;
    let title = match context.known {
        Some(_) if form.title.is_empty() => form.name.clone(),
        Some(_) => form.title.clone(),
        None => "Register a program or an app".to_owned(),
    };
    let main = html! {
        div class="narrow wide" {
            @if let Some(secret) = &context.secret {
                section class="panel halted" role="status" aria-labelledby="secret" {
                    h2 id="secret" { "Its secret" }
                    p { "This is shown only now. Give it to whoever runs the app in a way that nobody else reads." }
                    p class="big" { code { (secret) } }
                }
            }
            @if let Some(problem) = &context.problem {
                p class="problem" role="alert" id="problem" { (layout::urgent_mark()) (problem) }
            }
            @if let Some(known) = &context.known {
                @if known.disabled {
                    p { (layout::urgent_mark()) strong { "It is disabled." } " Nothing that it sends is answered." }
                }
            }
            (fields(context))
            @if let Some(known) = &context.known { (steps(&form.name, known)) (changes(shell, known)) }
        }
    };
    layout::page(
        shell,
        Page {
            title: &title,
            place: Place::Apps,
            // The registrations are those of now; what they were is on the record.
            compares: true,
            main,
        },
    )
}

fn fields(context: &Context) -> Markup {
    let form = &context.form;
    let is_new = context.known.is_none();
    let action = match is_new {
        true => path::APPS.to_owned(),
        false => path::app(&form.name),
    };
    html! {
        form class="stack" method="post" action=(action) {
            @if is_new {
                label class="usa-label" for="name" { "Name" }
                p class="hint" id="name-hint" { "Its client_id: letters, digits, - and _. No personal data: it stands in the log." }
                input class="usa-input" id="name" name="name" value=(form.name) required maxlength="40" pattern="[A-Za-z0-9_\\-]+" aria-describedby="name-hint" autocapitalize="none" spellcheck="false";
            }
            label class="usa-label" for="title" { "What people call it" }
            input class="usa-input" id="title" name="title" value=(form.title) maxlength="100";
            label class="usa-label" for="organisation" { "Who answers for it" }
            input class="usa-input" id="organisation" name="organisation" value=(form.organisation) maxlength="100";
            label class="usa-label" for="there-for" { "What it is there for" }
            select class="usa-input" id="there-for" name="purpose" {
                @for (code, words, chosen) in &form.purposes { option value=(code) selected[*chosen] { (words) } }
            }
            label class="usa-label" for="scope" { "What it may do" }
            p class="hint" id="scope-hint" {
                "SMART scopes with spaces between them. " code { "patient/Observation.rs?category=laboratory" } ": of one person; "
                code { "user/*.rs" } ": whatever whoever starts it may see; " code { "system/*.cruds" } ": for itself. With "
                code { "launch/patient openid fhirUser offline_access" } " as needed."
            }
            textarea class="usa-input" id="scope" name="scope" rows="3" required aria-describedby="scope-hint" spellcheck="false" { (form.scope) }
            fieldset {
                legend { "What it sees beside the rest of the record" }
                @for (at, (word, words, ticked)) in form.sees.iter().enumerate() {
                    div class="tick" {
                        input type="checkbox" name="sees" id={ "sees-" (at) } value=(word) checked[*ticked];
                        label for={ "sees-" (at) } { (capital(words)) }
                    }
                }
                p class="hint" { "Substance use it sees of those who consented to it under 42 CFR Part 2, unless it works for the programme itself." }
                div class="tick" {
                    input type="checkbox" name="part_of_programme" id="part-of-programme" value="yes" checked[form.of_programme];
                    label for="part-of-programme" { "It works for the programme, under a qualified service organisation agreement (42 CFR 2.11)" }
                }
            }
            fieldset {
                legend { "How it proves who it is" }
                @for (at, (code, words, chosen)) in form.proofs.iter().enumerate() {
                    div class="tick" {
                        input type="radio" name="proof" id={ "proof-" (at) } value=(code) checked[*chosen] required;
                        label for={ "proof-" (at) } { (capital(words)) }
                    }
                }
            }
            label class="usa-label" for="redirects" { "Where people are sent back to" }
            p class="hint" id="redirects-hint" { "An exact address a line, for apps that people start." }
            textarea class="usa-input" id="redirects" name="redirects" rows="2" aria-describedby="redirects-hint" spellcheck="false" { (form.redirects) }
            label class="usa-label" for="launch" { "Where it is opened from a person\u{2019}s page" }
            input class="usa-input" id="launch" name="launch" type="url" value=(form.launch) spellcheck="false";
            label class="usa-label" for="keys_url" { "Where its public keys are" }
            p class="hint" id="keys-hint" { "For those that sign: the address of a JWK Set, or the set itself below. RSA of 2,048 bits or more (RS384), or P-384 (ES384)." }
            input class="usa-input" id="keys_url" name="keys_url" type="url" value=(form.keys_url) aria-describedby="keys-hint" spellcheck="false";
            label class="usa-label" for="keys" { "Its public keys" }
            textarea class="usa-input" id="keys" name="keys" rows="4" aria-describedby="keys-hint" spellcheck="false" { (form.keys) }
            button class="usa-button" type="submit" { @if is_new { "Register it" } @else { "Change it" } }
        }
    }
}

/// With a capital letter.
fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

fn steps(name: &str, known: &Known) -> Markup {
    let step = |step: &str, words: &str| {
        html! {
            form method="post" action=(path::app_step(name, step)) {
                button class="usa-button usa-button--outline" type="submit" { (words) }
            }
        }
    };
    html! {
        section class="panel" aria-labelledby="steps" {
            h2 id="steps" { "At once" }
            @if known.disabled {
                p { "What it was given before does not come back." }
                (step("enable", "Enable it"))
            } @else {
                p { "Disabling ends everything that it was given." }
                (step("disable", "Disable it"))
            }
            @if known.has_secret {
                p { "A new secret ends the old one and everything that it led to." }
                (step("secret", "Give it a new secret"))
            }
        }
    }
}

fn changes(shell: &Shell, known: &Known) -> Markup {
    html! {
        section aria-labelledby="changes" {
            h2 id="changes" { "On the record" }
            div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                caption class="unseen" { "Changes" }
                thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What it may do since" } th scope="col" { "State" } } }
                tbody { @for change in &known.changes { tr {
                    th scope="row" { a href=(shell.to(&path::entry(change.position))) { (when::time(change.at.0, &change.at.words())) } }
                    td data-label="Who" { span { bdi { (change.who) } } }
                    td data-label="What it may do since" { span { code { (change.scope) } } }
                    td data-label="State" { span { (change.state) } }
                } } }
            } }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let choices = |all: &[(&str, &str)]| {
        all.iter()
            .enumerate()
            .map(|(at, (code, words))| ((*code).to_owned(), (*words).to_owned(), at == 0))
            .collect::<Vec<_>>()
    };
    let form = Form {
        name: "growth".into(),
        title: "Growth Chart".into(),
        organisation: "Example Clinic".into(),
        scope: "patient/Observation.rs launch/patient openid fhirUser".into(),
        purposes: choices(&[("TREAT", "treatment"), ("COC", "care coordination")]),
        proofs: choices(&[
            (
                "public",
                "not at all: an app in a browser or on a telephone",
            ),
            ("key", "by signing with a key of its own"),
        ]),
        redirects: "https://app.example/back".into(),
        launch: "https://app.example/launch".into(),
        keys: String::new(),
        keys_url: String::new(),
        sees: choices(&[("sud", "substance use"), ("notes", "therapy notes")]),
        of_programme: true,
    };
    let known = Known {
        disabled: false,
        has_secret: true,
        changes: vec![Change {
            position: 4_711,
            at: RecordedAt(samples::NOW - when::DAY),
            who: "R. Abara".into(),
            scope: "patient/Observation.rs".into(),
            state: "enabled".into(),
        }],
    };
    let new = Context {
        shell: samples::now(path::APP_NEW),
        form: Form {
            name: String::new(),
            ..form.clone()
        },
        known: None,
        problem: None,
        secret: None,
    };
    let one = Context {
        known: Some(known.clone()),
        form: form.clone(),
        secret: Some("hcs_made-up".into()),
        ..new.clone()
    };
    let hostile = Context {
        form: Form {
            name: samples::HOSTILE.into(),
            title: samples::HOSTILE.into(),
            scope: samples::HOSTILE.into(),
            redirects: samples::HOSTILE.into(),
            ..form
        },
        problem: Some(samples::HOSTILE.into()),
        secret: Some(samples::HOSTILE.into()),
        known: Some(Known {
            disabled: true,
            changes: vec![Change {
                who: samples::LONG.into(),
                scope: samples::HOSTILE.into(),
                state: samples::HOSTILE.into(),
                ..known.changes[0].clone()
            }],
            ..known.clone()
        }),
        ..new.clone()
    };
    vec![
        ("new", new.clone()),
        (
            "refused",
            Context {
                problem: Some("A client needs a scope, such as `system/Observation.rs`.".into()),
                ..new
            },
        ),
        ("known", one),
        ("hostile", hostile),
    ]
}
