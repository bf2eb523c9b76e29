//! The form by which an officer enters a warrant.

use casework::DAY;
use casework::kind::Kind;
use casework::warrant::{NOTICE_MAX, TERM_MAX};
use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples, when};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// Those who may be named: their name as an actor, and as people call them.
    pub inspectors: Vec<(String, String)>,
    /// Numbers or ids of persons that are filled in already, one on a line.
    pub persons: String,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let today = when::iso_day(shell.made_at);
    let main = html! {
        div class="narrow wide" {
            p class="lead" { "Enter what the paper says, no more and no less. It cannot be changed afterwards, only revoked." }
            @if shell.is_then() {
                p { strong { "A warrant is entered as of now, not in the past." } }
            } @else if context.inspectors.is_empty() {
                p { strong { "Nobody signs in here as an inspector." } " An officer adds them first, under Users." }
            } @else { form class="stack" method="post" action=(path::WARRANTS) enctype="multipart/form-data" {
                label class="usa-label" for="inspector" { "Who may read under it" }
                select class="usa-input" id="inspector" name="inspector" required {
                    option value="" { "Choose the inspector" }
                    @for (actor, name) in &context.inspectors { option value=(actor) { (name) } }
                }
                label class="usa-label" for="issuer" { "Who issued it" }
                p class="hint" id="issuer-hint" { "The court or office, with its place. No name of a person whom it is about." }
                input class="usa-input" id="issuer" name="issuer" required maxlength="1000" aria-describedby="issuer-hint";
                div class="tick" {
                    input id="court" type="checkbox" name="court" value="yes" aria-describedby="court-hint";
                    label for="court" { "It is the order of a court" }
                }
                p class="hint" id="court-hint" { "Therapy notes and records of substance use are opened by a court\u{2019}s order alone (42 CFR 2.61 to 2.67)." }
                label class="usa-label" for="number" { "Its number" }
                input class="usa-input" id="number" name="number" required maxlength="1000";
                fieldset {
                    legend { "Whose records" }
                    div class="tick" { input type="radio" name="whose" id="whose-named" value="named" required checked; label for="whose-named" { "These persons" } }
                    label class="usa-label" for="persons" { "Participant numbers, one on a line" }
                    textarea class="usa-input" id="persons" name="persons" rows="4" aria-describedby="persons-hint" { (context.persons) }
                    p class="hint" id="persons-hint" { "As VR-26-1149; the id in the address of their page does as well." }
                    div class="tick" { input type="radio" name="whose" id="whose-all" value="all"; label for="whose-all" { "Everybody in the programme" } }
                }
                fieldset {
                    legend { "What may be read" }
                    @for kind in Kind::ALL { @if kind != Kind::Identity {
                        div class="tick" {
                            input type="checkbox" name="kind" id={ "kind-" (kind.code()) } value=(kind.code());
                            label for={ "kind-" (kind.code()) } { (sentence(kind.words())) }
                        }
                    } }
                    p class="hint" { "Who a named person is can always be read." }
                }
                fieldset {
                    legend { "Only what happened in a time, if the paper says so" }
                    label class="usa-label" for="happened-from" { "First day" }
                    input class="usa-input" id="happened-from" name="happened-from" type="date";
                    label class="usa-label" for="happened-to" { "Last day" }
                    input class="usa-input" id="happened-to" name="happened-to" type="date" aria-describedby="happened-hint";
                    p class="hint" id="happened-hint" { "What is not known to have happened wholly within it then stays closed." }
                }
                fieldset {
                    legend { "In force" }
                    label class="usa-label" for="from" { "From the beginning of" }
                    input class="usa-input" id="from" name="from" type="date" value=(today) required;
                    label class="usa-label" for="to" { "To the end of" }
                    input class="usa-input" id="to" name="to" type="date" required aria-describedby="to-hint";
                    p class="hint" id="to-hint" { "Days in UTC, at most " (TERM_MAX / DAY) " of them. It opens nothing before you enter it, whatever date it bears." }
                }
                fieldset {
                    legend { "When the persons are told" }
                    div class="tick" { input type="radio" name="notice" id="notice-at-once" value="at-once" checked; label for="notice-at-once" { "At once" } }
                    div class="tick" { input type="radio" name="notice" id="notice-at" value="at"; label for="notice-at" { "On a day that the paper sets" } }
                    label class="usa-label" for="notice-day" { "That day" }
                    input class="usa-input" id="notice-day" name="notice-day" type="date" aria-describedby="notice-hint";
                    div class="tick" { input type="radio" name="notice" id="notice-at-the-end" value="at-the-end"; label for="notice-at-the-end" { "When it ends" } }
                    label class="usa-label" for="notice-why" { "If not at once: what lets them be told later" }
                    input class="usa-input" id="notice-why" name="notice-why" maxlength="1000" aria-describedby="notice-hint";
                    p class="hint" id="notice-hint" { "The order and its paragraph. They are told at the latest " (NOTICE_MAX / DAY) " days after it ends; there is no never." }
                }
                fieldset {
                    legend { "The paper" }
                    label class="usa-label" for="paper" { "Its scan" }
                    input class="usa-input" id="paper" name="paper" type="file" accept="application/pdf,image/png,image/jpeg,image/tiff" aria-describedby="paper-hint";
                    label class="usa-label" for="sha256" { "Or, if the scan is kept elsewhere, its SHA-256" }
                    input class="usa-input" id="sha256" name="sha256" maxlength="64" pattern="[0-9a-fA-F]{64}" autocomplete="off" aria-describedby="paper-hint";
                    p class="hint" id="paper-hint" { "One of the two. The scan goes on the record with the warrant; PDF, PNG, JPEG or TIFF, at most 8 MB." }
                }
                button class="usa-button" type="submit" { "Enter the warrant" }
            } }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Enter a warrant",
            place: Place::Warrants,
            compares: false,
            main,
        },
    )
}

/// With a capital letter at its beginning.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => format!("{}{}", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let plain = Context {
        shell: samples::now(path::WARRANT_NEW),
        inspectors: vec![("user/9".into(), "Solveig Aldana".into())],
        persons: "VR-26-1149".into(),
    };
    let nobody = Context {
        inspectors: Vec::new(),
        ..plain.clone()
    };
    let hostile = Context {
        inspectors: vec![(samples::HOSTILE.into(), samples::LONG.into())],
        persons: samples::HOSTILE.into(),
        ..plain.clone()
    };
    let then = Context {
        shell: samples::then(path::WARRANT_NEW),
        ..plain.clone()
    };
    vec![
        ("plain", plain),
        ("nobody", nobody),
        ("hostile", hostile),
        ("then", then),
    ]
}
