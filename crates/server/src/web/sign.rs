//! Signing an entry: what is signed, what it means, and showing that it is oneself.

use maud::{Markup, html};

use super::again::{Ways, ways};
use super::layout::{self, Page, Place, Shell};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// What is signed, in words: "Session note".
    pub title: String,
    /// The entry's place.
    pub position: u64,
    /// What the signature means: "authored".
    pub meaning: &'static str,
    /// What else it could mean.
    pub others: Vec<&'static str>,
    /// Why it cannot be signed as that, as a sentence; then there is no statement.
    pub refusal: Option<String>,
    /// The text that is signed.
    pub statement: String,
    /// What was wrong with the last try.
    pub problem: Option<String>,
    /// Whether one has a passkey that can sign here.
    pub passkey: bool,
    /// Whether one has a password.
    pub password: bool,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let address = path::sign(context.position);
    let by_passkey = format!("{address}/passkey");
    let main = html! {
        div class="narrow wide" {
            p { "Your signature stands in your name beside this version of " a href=(path::entry(context.position)) { (context.title) } ", for good. It counts as your handwritten one." }
            nav aria-label="What it means" {
                ul class="plain rows" {
                    li { strong { "Signed as " (context.meaning) } }
                    @for other in &context.others { li { a href=(path::with(&address, &[("meaning", other)])) { "Sign as " (other) " instead" } } }
                }
            }
            @if let Some(refusal) = &context.refusal {
                p class="problem" role="alert" { (layout::urgent_mark()) (refusal) }
            } @else {
                section class="panel" aria-labelledby="statement" {
                    h2 id="statement" { "What you sign" }
                    pre { (context.statement) }
                    p class="hint" { "The hash stands for the entry's line in the log, and with it for the content, its time and its place. The instant is set anew when you sign." }
                }
                @if let Some(problem) = &context.problem { p class="problem" role="alert" id="problem" { (layout::urgent_mark()) (problem) } }
                (ways(&Ways {
                    passkey: context.passkey.then_some(&by_passkey),
                    password: context.password.then_some(&address),
                    fields: &[("meaning", context.meaning)],
                    words: "Sign",
                    elsewhere: false,
                }))
                @if context.password {
                    p class="hint" { "With a passkey, your own key signs, and anybody can check it without this server. With a password, this server says that it was you." }
                }
            }
        }
        @if context.passkey { (layout::script("passkey.js")) }
    };
    layout::page(
        &context.shell,
        Page {
            title: "Sign",
            place: Place::Elsewhere,
            compares: true,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let usual = Context {
        shell: samples::about(samples::now(&path::sign(48_211))),
        title: "Session note".into(),
        position: 48_211,
        meaning: "authored",
        others: vec!["reviewed", "approved", "witnessed"],
        refusal: None,
        statement: "homecoming-signature/1\nhomecoming/ward-7\nentry 48211 kP0x…\nmeaning authored\nby user/7\nname R. Osei\nat 2026-11-22T09:12:00Z\n".into(),
        problem: None,
        passkey: true,
        password: true,
    };
    let refused = Context {
        refusal: Some("You did not record this, so you cannot sign it as its author.".into()),
        ..usual.clone()
    };
    let hostile = Context {
        shell: samples::about_hostile(samples::now(&path::sign(1))),
        title: samples::HOSTILE.into(),
        statement: samples::HOSTILE.into(),
        problem: Some(samples::HOSTILE.into()),
        ..usual.clone()
    };
    vec![("usual", usual), ("refused", refused), ("hostile", hostile)]
}
