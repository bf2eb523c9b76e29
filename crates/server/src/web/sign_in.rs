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
    /// The name that was typed before.
    pub name: String,
    /// What was wrong with the last try, as a sentence.
    pub problem: Option<String>,
    /// What just happened, as a sentence: a session ended, a form was kept.
    pub notice: Option<String>,
    /// Whether browsers can have passkeys for this address.
    pub passkeys: bool,
    /// Organisations through which one can sign in, by name.
    pub organisations: Vec<String>,
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
    let described = context.problem.as_ref().map(|_| "problem");
    let invalid = context.problem.as_ref().map(|_| "true");
    let main = html! {
        div class="narrow" {
            @if let Some(notice) = &context.notice { p class="panel" role="status" { (notice) } }
            @if let Some(problem) = &context.problem {
                p class="problem" role="alert" id="problem" { (layout::urgent_mark()) (problem) }
            }
            @if !context.demo.is_empty() { (demo(context)) }
            @if context.passkeys {
                section data-passkey-part="" hidden aria-labelledby="by-passkey" {
                    h2 id="by-passkey" { "With a passkey" }
                    p id="passkey-problem" class="problem" role="alert" hidden {}
                    form class="stack" {
                        input type="hidden" name="next" value=(context.next);
                        button class="usa-button" type="button" data-passkey=(path::SIGN_IN_PASSKEY) data-conditional="" { "Sign in with a passkey" }
                    }
                }
            }
            @if !context.organisations.is_empty() {
                section aria-labelledby="by-organisation" {
                    h2 id="by-organisation" { "Through your organisation" }
                    ul class="plain rows" {
                        @for name in &context.organisations { li {
                            a class="usa-button usa-button--outline small" href=(path::with(path::PROVIDER, &[("name", name), ("next", &context.next)])) { bdi { (name) } }
                        } }
                    }
                }
            }
            section aria-labelledby="by-password" {
                h2 id="by-password" { "With a password and a one-time code" }
                form action=(path::SIGN_IN) method="post" class="stack" {
                    input type="hidden" name="next" value=(context.next);
                    label class="usa-label" for="name" { "Name" }
                    input class="usa-input" id="name" name="name" value=(context.name) required maxlength="100" spellcheck="false"
                        autocomplete=(if context.passkeys { "username webauthn" } else { "username" })
                        aria-describedby=[described] aria-invalid=[invalid];
                    label class="usa-label" for="password" { "Password" }
                    input class="usa-input" id="password" name="password" type="password" required autocomplete="current-password"
                        aria-describedby=[described] aria-invalid=[invalid];
                    label class="usa-label" for="one-time" { "One-time code" }
                    p class="hint" id="one-time-hint" { "Six digits from your authenticator app." }
                    input class="usa-input" id="one-time" name="one-time" required inputmode="numeric" autocomplete="one-time-code"
                        pattern="[0-9 ]{6,7}" aria-describedby="one-time-hint" aria-invalid=[invalid];
                    button class="usa-button" type="submit" { "Sign in" }
                }
            }
            p { "New here, or given a new code? " a href=(path::ENROL) { "Enrol with your code" } "." }
            p class="hint" {
                "Lost your phone or your passkey? An officer of the programme asks for a new code for you, and a second one approves it."
            }
        }
        @if context.passkeys { (layout::script("passkey.js")) }
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

fn demo(context: &Context) -> Markup {
    html! {
        section class="panel" aria-labelledby="demo" {
            h2 id="demo" { "A demonstration" }
            p { "Every person in it is made up. Sign in as:" }
            form action=(path::SIGN_IN) method="post" {
                input type="hidden" name="next" value=(context.next);
                ul class="plain rows" {
                    @for who in &context.demo {
                        li {
                            button class="usa-button usa-button--outline small" type="submit" name="code" value=(who.code) { bdi { (who.name) } }
                            " " (who.role)
                        }
                    }
                }
            }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let plain = Context {
        shell: samples::signed_out(path::SIGN_IN),
        next: path::HOME.into(),
        name: String::new(),
        problem: None,
        notice: None,
        passkeys: true,
        organisations: Vec::new(),
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
                name: "R. Osei".into(),
                problem: Some("Name, password and one-time code do not fit together.".into()),
                passkeys: false,
                ..plain.clone()
            },
        ),
        (
            "organisations",
            Context {
                notice: Some(
                    "Your session had ended. What you sent was kept; sign in to go on with it."
                        .into(),
                ),
                organisations: vec![
                    "County of Lakeland".into(),
                    "Regional Benefits Office".into(),
                ],
                ..plain.clone()
            },
        ),
        (
            "demo",
            Context {
                demo: vec![
                    who("R. Osei", "caseworker, 14 people"),
                    who("M. Lindqvist", "supervisor, everyone"),
                ],
                ..plain.clone()
            },
        ),
        (
            "hostile",
            Context {
                next: samples::HOSTILE.into(),
                name: samples::HOSTILE.into(),
                problem: Some(samples::HOSTILE.into()),
                notice: Some(samples::HOSTILE.into()),
                organisations: vec![samples::HOSTILE.into(), samples::LONG.into()],
                demo: vec![who(samples::HOSTILE, samples::LONG)],
                ..plain
            },
        ),
    ]
}
