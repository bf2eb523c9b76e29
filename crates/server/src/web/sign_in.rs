//! Signing in.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// Nobody is signed in yet: `shell.user` is `None`.
    pub shell: Shell,
    /// Where to go afterwards: a path of ours.
    pub next: String,
    /// What was wrong with the last try, as a sentence.
    pub problem: Option<String>,
    /// On a demonstration: whom to sign in as. Empty on a real programme.
    pub demo: Vec<Who>,
}

/// Someone made up, to sign in as.
#[derive(Clone, Debug)]
pub struct Who {
    /// "R. Osei".
    pub name: String,
    /// "caseworker, 14 people".
    pub role: String,
    /// The sign-in code.
    pub code: String,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let main = html! {
        div class="narrow" {
            @if let Some(problem) = &context.problem {
                p class="problem" role="alert" id="problem" { (layout::urgent_mark()) (problem) }
            }
            form action=(path::SIGN_IN) method="post" class="stack" {
                input type="hidden" name="next" value=(context.next);
                label class="usa-label" for="code" { "Sign-in code" }
                p class="hint" id="code-hint" { "From whoever runs the programme. A password manager may fill it in." }
                input class="usa-input" id="code" name="code" type="password" autocomplete="current-password"
                    required aria-describedby=(if context.problem.is_some() { "problem code-hint" } else { "code-hint" })
                    aria-invalid=[context.problem.as_ref().map(|_| "true")] spellcheck="false" autocapitalize="none";
                button class="usa-button" type="submit" { "Sign in" }
            }
            @if !context.demo.is_empty() {
                section class="panel" aria-labelledby="demo" {
                    h2 id="demo" { "A demonstration" }
                    p { "Every person in it is made up. Sign in as:" }
                    ul class="plain rows" {
                        @for who in &context.demo {
                            li {
                                form action=(path::SIGN_IN) method="post" {
                                    input type="hidden" name="next" value=(context.next);
                                    input type="hidden" name="code" value=(who.code);
                                    button class="usa-button usa-button--outline small" type="submit" { bdi { (who.name) } }
                                    " " (who.role)
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    layout::page(
        &context.shell,
        Page {
            title: "Sign in",
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let plain = Context {
        shell: samples::signed_out(path::SIGN_IN),
        next: path::CASELOAD.into(),
        problem: None,
        demo: Vec::new(),
    };
    let who = |name: &str, role: &str| Who {
        name: name.into(),
        role: role.into(),
        code: "made-up-code".into(),
    };
    vec![
        ("plain", plain.clone()),
        (
            "refused",
            Context {
                problem: Some("This code is not known here. Check it for missing letters, or ask for a new one.".into()),
                ..plain.clone()
            },
        ),
        (
            "demo",
            Context {
                demo: vec![who("R. Osei", "caseworker, 14 people"), who("M. Lindqvist", "supervisor, everyone")],
                ..plain.clone()
            },
        ),
        ("hostile", Context { next: samples::HOSTILE.into(), problem: Some(samples::HOSTILE.into()), demo: vec![who(samples::HOSTILE, samples::LONG)], ..plain }),
    ]
}
