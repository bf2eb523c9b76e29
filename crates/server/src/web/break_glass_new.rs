//! The form by which somebody opens a record that is closed to them, because it cannot wait.

use casework::break_glass::{LENGTH_MAX, Need, REVIEW_DUE, TEXT_MAX};
use casework::{DAY, HOUR};
use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// Id and name of the person.
    pub person: (String, String),
    /// Whose case it is, if that is known.
    pub caseworker: Option<String>,
    /// Who answers for whoever looks, and reviews it.
    pub reviewer: String,
    /// Why whoever looks cannot do it: a sentence.
    pub refused: Option<String>,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let (id, name) = &context.person;
    let hours = LENGTH_MAX / HOUR;
    let main = html! {
        div class="narrow wide" {
            p class="lead" { "The record of " strong { bdi { (name) } } " is closed to you." }
            p {
                @match &context.caseworker {
                    Some(caseworker) => { "It is the case of " strong { bdi { (caseworker) } } ". If it can wait for a call to them, call them." }
                    None => { "It is nobody\u{2019}s case at present. If it can wait, ask a supervisor." }
                }
            }
            section class="panel halted" aria-labelledby="follows" {
                h2 id="follows" { (layout::urgent_mark()) "If you open it all the same" }
                ul {
                    li { (upper(name)) " sees on their own page that you did, when, and the reason in your words." }
                    li { bdi { (context.reviewer) } " reviews it within " (REVIEW_DUE / HOUR) " hours (" (REVIEW_DUE / DAY) " days) and says whether it was justified." }
                    li { "It lasts as long as you choose, at most " (hours) " hours. Until then every page says so." }
                    li { "Everything you look at is on the access log under this reason." }
                    li { "You read on the screen. Nothing can be exported." }
                    li { "Therapy notes stay closed. Records of substance use and what is labelled as restricted stay closed unless life or health is in danger (42 CFR 2.51)." }
                }
            }
            @match &context.refused {
                Some(why) => { p class="problem" { (why) } }
                None if context.shell.is_then() => { p { strong { "A record is opened now, not in the past." } } }
                None => { form class="stack" method="post" action=(path::break_glass(id)) {
                    fieldset {
                        legend { "Why it cannot wait" }
                        @for need in Need::ALL {
                            div class="tick" {
                                input type="radio" name="need" id={ "need-" (need.code()) } value=(need.code()) required;
                                label for={ "need-" (need.code()) } { (need.words()) }
                            }
                        }
                    }
                    label class="usa-label" for="why" { "What happened, in your words" }
                    p class="hint" id="why-hint" { "At least five words, for the person and your supervisor to read. Without the person\u{2019}s name: this stays when everything else is gone." }
                    textarea class="usa-input" id="why" name="why" rows="3" maxlength=(TEXT_MAX) required aria-describedby="why-hint" {}
                    label class="usa-label" for="minutes" { "For how long" }
                    select class="usa-input" id="minutes" name="minutes" {
                        option value="30" { "Half an hour" }
                        option value="60" selected { "One hour" }
                        option value="120" { "Two hours" }
                        option value="240" { "Four hours" }
                    }
                    button class="usa-button usa-button--secondary" type="submit" { "Open the record" }
                } }
            }
        }
    };
    layout::page(
        &context.shell,
        Page {
            title: "Open a closed record",
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

fn upper(name: &str) -> Markup {
    html! { bdi { (name) } }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let plain = Context {
        shell: samples::now("/people/0h8k2m4q6s8v0x2z/break-glass"),
        person: ("0h8k2m4q6s8v0x2z".into(), "Haddad, Samir".into()),
        caseworker: Some("Desmond Whitcomb".into()),
        reviewer: "Lorraine Baptiste".into(),
        refused: None,
    };
    let refused = Context {
        caseworker: None,
        refused: Some("You have opened this record already, and it lasts.".into()),
        ..plain.clone()
    };
    let hostile = Context {
        person: (samples::HOSTILE.into(), samples::LONG.into()),
        caseworker: Some(samples::HOSTILE.into()),
        reviewer: samples::LONG.into(),
        ..plain.clone()
    };
    let then = Context {
        shell: samples::then("/people/0h8k2m4q6s8v0x2z/break-glass"),
        ..plain.clone()
    };
    vec![
        ("plain", plain),
        ("refused", refused),
        ("hostile", hostile),
        ("then", then),
    ]
}
