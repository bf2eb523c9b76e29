//! The form that asks for an erasure.

use casework::erasure::{Basis, Scope};
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
    /// Whole days between telling and erasing, here.
    pub delay_days: i64,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let (id, name) = &context.person;
    let main = html! {
        div class="narrow wide" {
            p class="lead" { "The record of " strong { bdi { (name) } } "." }
            p {
                "Asking erases nothing. Two other officers must approve, the person is told, and "
                (layout::counted(context.delay_days.max(0) as u64, "day", "days"))
                " must pass after that. All of it stays on the record."
            }
            p {
                "HIPAA itself gives nobody a right to have a record erased, and most health records must be kept for "
                "years: look for a duty to keep it (the state\u{2019}s retention law, the records schedule, 42 CFR Part 2, a claim, "
                "an inspection) before you ask."
            }
            @if context.shell.is_then() {
                p { strong { "An erasure is asked for as of now, not in the past." } }
            } @else { form class="stack" method="post" action=(path::ERASURES) {
                input type="hidden" name="person" value=(id);
                fieldset {
                    legend { "How much" }
                    @for (at, scope) in Scope::ALL.into_iter().enumerate() {
                        div class="tick" {
                            input type="radio" name="scope" id={ "scope-" (at) } value=(scope.code()) required;
                            label for={ "scope-" (at) } { (scope.words()) }
                        }
                    }
                    p class="hint" { "What goes together lies under one key. One kind of thing alone cannot be erased." }
                }
                label class="usa-label" for="basis" { "Lawful basis" }
                select class="usa-input" id="basis" name="basis" required {
                    option value="" { "Choose one" }
                    @for basis in Basis::ALL { option value=(basis.code()) { (basis.words()) } }
                }
                label class="usa-label" for="citation" { "What it is in this case" }
                p class="hint" id="citation-hint" {
                    "Court, date and number of the order; the law with its section; the schedule and its item. No name, "
                    "number or date of birth of the person: this stays readable."
                }
                textarea class="usa-input" id="citation" name="citation" rows="3" maxlength="1000" required aria-describedby="citation-hint" {}
                div class="tick" {
                    input id="examined" type="checkbox" name="examined" value="yes" required;
                    label for="examined" {
                        "I have looked for a duty to keep this record, and for claims and inspections that need it (GDPR Article 17(3)), and found none."
                    }
                }
                button class="usa-button" type="submit" { "Ask for the erasure" }
            } }
            section class="panel" aria-labelledby="means" {
                h2 id="means" { "What erasing can do, and what not" }
                (super::erasure::promise(false))
            }
        }
    };
    layout::page(
        &context.shell,
        Page {
            title: "Ask for an erasure",
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let plain = Context {
        shell: samples::now("/erasures/new"),
        person: ("0h8k2m4q6s8v0x2z".into(), "Haddad, Samir".into()),
        delay_days: 30,
    };
    let hostile = Context {
        person: (samples::HOSTILE.into(), samples::HOSTILE.into()),
        ..plain.clone()
    };
    vec![("plain", plain), ("hostile", hostile)]
}
