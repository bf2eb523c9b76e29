//! Setting up how one will sign in: the code, and then the choice.

use maud::{Markup, PreEscaped, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// What was wrong with the last try, as a sentence.
    pub problem: Option<String>,
    /// The choice, once the code was right; before that, its form.
    pub choice: Option<Choice>,
}

/// The ways in that can be set up.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Who is setting it up.
    pub name: String,
    /// Whether browsers can have passkeys for this address.
    pub passkeys: bool,
    /// Organisations through which one can sign in, by name.
    pub organisations: Vec<String>,
    /// The secret of the one-time codes, as it is typed: "ABCD EFGH ...".
    pub secret: String,
    /// The address that an authenticator app reads, as the `d` of an SVG path, and the code's width.
    pub picture: (String, u32),
    /// Whether there are ways in already, and one is added or changed.
    pub adds: bool,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let title = match &context.choice {
        Some(choice) if choice.adds => "Another way to sign in",
        Some(_) => "How you will sign in",
        None => "Enrol",
    };
    let main = html! {
        div class="narrow" {
            @if let Some(problem) = &context.problem {
                p class="problem" role="alert" id="problem" { (layout::urgent_mark()) (problem) }
            }
            @match &context.choice {
                None => { (code(context)) }
                Some(choice) => { (choices(choice)) }
            }
        }
        (layout::script(if context.choice.is_some() { "passkey.js" } else { "enrol.js" }))
    };
    layout::page(
        &context.shell,
        Page {
            title,
            place: Place::Elsewhere,
            compares: true,
            main,
        },
    )
}

fn code(context: &Context) -> Markup {
    html! {
        p { "An officer of the programme gave you a code. It works once, and only for a while; with it you set up how you will sign in from then on." }
        form action=(path::ENROL) method="post" class="stack" {
            label class="usa-label" for="code" { "Your code" }
            p class="hint" id="code-hint" { "Letters and digits; capitals and hyphens do not matter." }
            input class="usa-input" id="code" name="code" required autocomplete="off" spellcheck="false" autocapitalize="none" maxlength="60"
                aria-describedby=(if context.problem.is_some() { "problem code-hint" } else { "code-hint" })
                aria-invalid=[context.problem.as_ref().map(|_| "true")];
            button class="usa-button" type="submit" { "Go on" }
        }
        p { "Already set up? " a href=(path::SIGN_IN) { "Sign in" } "." }
    }
}

fn choices(choice: &Choice) -> Markup {
    html! {
        @if choice.adds {
            p { "You stay able to sign in the ways that you do now. A new password replaces the one before." }
        } @else {
            p { "Welcome, " bdi { (choice.name) } ". Choose one; you can add others later under your name." }
        }
        @if choice.passkeys {
            section class="panel" data-passkey-part="" hidden aria-labelledby="passkey" {
                h2 id="passkey" { "A passkey" }
                p { "Best: nothing to remember and nothing that can be stolen from us. Your phone, your computer or a security key keeps it, and asks for your finger, your face or a PIN." }
                p id="passkey-problem" class="problem" role="alert" hidden {}
                form class="stack" {
                    label class="usa-label" for="passkey-name" { "What to call it" }
                    input class="usa-input" id="passkey-name" name="name" maxlength="60" autocomplete="off" placeholder="My phone";
                    button class="usa-button" type="button" data-passkey=(path::ENROL_PASSKEY) { "Make a passkey" }
                }
            }
        }
        @if !choice.organisations.is_empty() {
            section class="panel" aria-labelledby="organisation" {
                h2 id="organisation" { "Your organisation's sign-in" }
                p { "You sign in there, and that account is yours here from then on." }
                form action=(path::ENROL_PROVIDER) method="post" {
                    ul class="plain rows" {
                        @for name in &choice.organisations { li {
                            button class="usa-button usa-button--outline small" type="submit" name="name" value=(name) { bdi { (name) } }
                        } }
                    }
                }
            }
        }
        section class="panel" aria-labelledby="password-choice" {
            h2 id="password-choice" { "A password and one-time codes" }
            ol {
                li { "Read this into an authenticator app, with its camera or by typing the secret." }
                li { "Choose a password." }
                li { "Type the six digits that the app shows." }
            }
            (picture(&choice.picture))
            p { "Secret: " code class="hash" { (choice.secret) } }
            form action=(path::ENROL_PASSWORD) method="post" class="stack" {
                input type="hidden" name="username" value=(choice.name) autocomplete="username";
                label class="usa-label" for="password" { "Password" }
                p class="hint" id="password-hint" { "At least 15 characters. Four or five words that do not belong together are easy to keep and hard to guess." }
                input class="usa-input" id="password" name="password" type="password" required minlength="15" autocomplete="new-password" aria-describedby="password-hint";
                label class="usa-label" for="again" { "The same password again" }
                input class="usa-input" id="again" name="again" type="password" required minlength="15" autocomplete="new-password";
                label class="usa-label" for="one-time" { "One-time code" }
                input class="usa-input" id="one-time" name="one-time" required inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,7}";
                button class="usa-button" type="submit" { "Set them up" }
            }
        }
    }
}

/// The QR code: four modules of quiet around it, black on white whatever the theme.
fn picture((path, width): &(String, u32)) -> Markup {
    let whole = width + 8;
    html! {
        svg class="qr" role="img" aria-labelledby="qr-title" viewBox=(format!("0 0 {whole} {whole}")) width="196" height="196" {
            title id="qr-title" { "QR code of the secret below" }
            rect class="qr-light" width=(whole) height=(whole) {}
            path class="qr-dark" d=(PreEscaped(path)) {}
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let shell = samples::signed_out(path::ENROL);
    let choice = Choice {
        name: "R. Osei".into(),
        passkeys: true,
        organisations: vec!["County of Lakeland".into()],
        secret: "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP".into(),
        picture: crate::sign_in::picture::qr(
            "otpauth://totp/Sample:R.%20Osei?secret=JBSWY3DPEHPK3PXP",
        ),
        adds: false,
    };
    let with = |choice: Option<Choice>, problem: Option<&str>| Context {
        shell: shell.clone(),
        problem: problem.map(str::to_owned),
        choice,
    };
    let own = Context {
        shell: samples::now(path::ENROL),
        problem: None,
        choice: Some(Choice {
            adds: true,
            organisations: Vec::new(),
            ..choice.clone()
        }),
    };
    let hostile = Choice {
        name: samples::HOSTILE.into(),
        organisations: vec![samples::HOSTILE.into(), samples::LONG.into()],
        ..choice.clone()
    };
    vec![
        ("code", with(None, None)),
        ("unknown", with(None, Some("Nobody has this code."))),
        ("choice", with(Some(choice), None)),
        ("adds", own),
        ("hostile", with(Some(hostile), Some(samples::HOSTILE))),
    ]
}
