//! Showing again that it is oneself, before something that a stolen session must not do.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// Where to go afterwards.
    pub next: String,
    /// What was wrong with the last try.
    pub problem: Option<String>,
    /// Whether one has a passkey that can be asked for here.
    pub passkey: bool,
    /// Whether one has a password.
    pub password: bool,
    /// The organisations at which one has an account.
    pub organisations: Vec<String>,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let main = html! {
        div class="narrow" {
            p { "This changes how you sign in, or speaks in your name. Show once more that it is you." }
            @if let Some(problem) = &context.problem { p class="problem" role="alert" id="problem" { (layout::urgent_mark()) (problem) } }
            (ways(&Ways { passkey: context.passkey.then_some(path::AGAIN_PASSKEY), password: context.password.then_some(path::AGAIN), fields: &[("next", &context.next)], words: "Go on", elsewhere: !context.organisations.is_empty() }))
            @if !context.organisations.is_empty() {
                form action=(path::AGAIN_PROVIDER) method="post" class="stack" {
                    p { "Your organisation can ask you to sign in there once more." }
                    input type="hidden" name="next" value=(context.next);
                    @for name in &context.organisations {
                        button class="usa-button usa-button--outline" type="submit" name="name" value=(name) { "Go on with " bdi { (name) } }
                    }
                }
            }
            p { a href=(path::ACCOUNT) { "Back to your account" } }
        }
        @if context.passkey { (layout::script("passkey.js")) }
    };
    layout::page(
        &context.shell,
        Page {
            title: "Is it you?",
            place: Place::Elsewhere,
            compares: true,
            main,
        },
    )
}

/// How somebody who is signed in can show again that it is them.
pub struct Ways<'a> {
    /// The address that asks for a passkey, if they have one.
    pub passkey: Option<&'a str>,
    /// The address that takes a password and a one-time code, if they have one.
    pub password: Option<&'a str>,
    /// What is sent along either way.
    pub fields: &'a [(&'a str, &'a str)],
    /// What the buttons say.
    pub words: &'a str,
    /// Whether there is another way beside these.
    pub elsewhere: bool,
}

/// The forms for it.
pub fn ways(ways: &Ways<'_>) -> Markup {
    let hidden = html! { @for (name, value) in ways.fields { input type="hidden" name=(name) value=(value); } };
    html! {
        @if let Some(address) = ways.passkey {
            section data-passkey-part="" hidden aria-label="With your passkey" {
                p id="passkey-problem" class="problem" role="alert" hidden {}
                form class="stack" { (hidden) button class="usa-button" type="button" data-passkey=(address) { (ways.words) " with your passkey" } }
            }
        }
        @if let Some(address) = ways.password {
            form action=(address) method="post" class="stack" {
                (hidden)
                label class="usa-label" for="password" { "Your password" }
                input class="usa-input" id="password" name="password" type="password" required autocomplete="current-password";
                label class="usa-label" for="one-time" { "One-time code" }
                input class="usa-input" id="one-time" name="one-time" required inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,7}";
                button class="usa-button usa-button--outline" type="submit" { (ways.words) }
            }
        }
        @if ways.passkey.is_none() && ways.password.is_none() && !ways.elsewhere {
            p { "You have neither a passkey nor a password here. Add one under " a href=(path::ACCOUNT) { "your account" } ", and come back." }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let both = Context {
        shell: samples::now(path::AGAIN),
        next: path::ACCOUNT.into(),
        problem: None,
        passkey: true,
        password: true,
        organisations: Vec::new(),
    };
    let organisation = Context {
        passkey: false,
        password: false,
        organisations: vec!["County of Lakeland".into()],
        ..both.clone()
    };
    let hostile = Context {
        shell: samples::about_hostile(samples::now(path::AGAIN)),
        next: samples::HOSTILE.into(),
        problem: Some(samples::HOSTILE.into()),
        organisations: vec![samples::HOSTILE.into()],
        ..both.clone()
    };
    let neither = Context {
        passkey: false,
        password: false,
        ..both.clone()
    };
    vec![
        ("both", both),
        ("organisation", organisation),
        ("neither", neither),
        ("hostile", hostile),
    ]
}
