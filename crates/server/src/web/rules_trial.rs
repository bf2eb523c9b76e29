//! What a policy would have changed, before it is put in force.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// The text that was tried.
    pub text: String,
    /// The version that it was tried against; 0: there was none.
    pub against: u32,
    /// How many disclosures were decided again.
    pub disclosures: u64,
    /// How many versions these gave out.
    pub versions: u64,
    /// How many could not be decided again.
    pub unknown: u64,
    /// Whether there were more than are looked at.
    pub more: bool,
    /// What would have been refused.
    pub closed: Vec<Flip>,
    /// What was given out then, is refused today, and would be allowed.
    pub opened: Vec<Flip>,
    /// What the truth table answers otherwise.
    pub changes: Vec<Change>,
    /// How many changes there are in all.
    pub changes_in_all: u64,
    /// How many questions were asked.
    pub asked: u64,
}

/// Disclosures of one sort.
#[derive(Clone, Debug)]
pub struct Flip {
    /// The role of those who were answered.
    pub role: String,
    /// What for, what was done with which kind, in words.
    pub what: String,
    /// How many disclosures.
    pub disclosures: u64,
    /// To how many readers.
    pub readers: u64,
    /// About how many people.
    pub people: u64,
    /// What they would be told.
    pub because: String,
}

/// Questions that are answered otherwise, of one role, purpose, action and kind.
#[derive(Clone, Debug)]
pub struct Change {
    /// The role.
    pub role: String,
    /// What for, what is done with which kind, in words.
    pub what: String,
    /// In which situations, and under which label.
    pub situations: String,
    /// Whether it becomes a yes.
    pub allowed: bool,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let days = path::POLICY_DAYS;
    let main = html! {
        p class="lead" { "Nothing has changed yet. This is what would change." }
        section class="panel" aria-labelledby="recorded" {
            h2 id="recorded" { "What was given out in the last " (days) " days" }
            p {
                (layout::counted(context.disclosures, "disclosure", "disclosures")) " with "
                (layout::counted(context.versions, "version", "versions")) " of the record were decided again, as people stand to each other now."
                @if context.unknown > 0 {
                    " " (layout::counted(context.unknown, "other", "others")) " could not be: whoever asked is no longer known, or the purpose is none of today\u{2019}s."
                }
                @if context.more { " There were more; the newest were taken." }
            }
            @if context.closed.is_empty() { p { strong { "None of them would have been refused." } } }
            @else { h3 { "Would have been refused" } (flips("Would have been refused", &context.closed)) }
            @if !context.opened.is_empty() {
                h3 { "Refused today, and would be allowed again" }
                (flips("Refused today, and would be allowed again", &context.opened))
            }
        }
        section class="panel" aria-labelledby="table" {
            h2 id="table" { "What nobody has asked yet" }
            p {
                "The log shows only what was given out. So every role, purpose, kind of record and situation was asked about as well: "
                (layout::counted(context.asked, "question", "questions")) "."
            }
            @if context.changes.is_empty() { p { strong { "None is answered otherwise." } } }
            @else {
                (changes(&context.changes))
                @if context.changes_in_all > context.changes.len() as u64 {
                    p { "These are the first " (layout::count(context.changes.len() as u64)) " of " (layout::count(context.changes_in_all)) " rows; "
                        code { "homecoming policy try" } " lists all." }
                }
            }
        }
        section class="panel" aria-labelledby="force" {
            h2 id="force" { "Put it in force" }
            p { "It counts from the next request on, for everybody. The text, your reason and what you see here stay on the record." }
            details open[context.text.len() < 2_000] {
                summary { "The text" }
                @if context.text.is_empty() { p { "Empty: the base policy alone." } } @else { pre tabindex="0" { (context.text) } }
            }
            form class="stack" method="post" action=(path::POLICY) {
                input type="hidden" name="text" value=(context.text);
                input type="hidden" name="against" value=(context.against);
                label class="usa-label" for="why" { "Why" }
                p class="hint" id="why-hint" { "Who decided it, and when. No name of anybody in care: everybody who signs in can read it." }
                textarea class="usa-input" id="why" name="why" rows="3" maxlength="1000" required aria-describedby="why-hint" {}
                button class="usa-button" type="submit" { "Put it in force" }
            }
            form method="post" action=(path::POLICY_EDIT) {
                input type="hidden" name="text" value=(context.text);
                button class="usa-button usa-button--outline" type="submit" { "Change the text" }
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: "What would change",
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

fn flips(label: &str, flips: &[Flip]) -> Markup {
    layout::scrolling(
        label,
        html! { table class="usa-table usa-table--compact bare" {
            thead { tr {
                th scope="col" { "To" } th scope="col" { "What" } th scope="col" { "Disclosures" }
                th scope="col" { "Readers" } th scope="col" { "People" } th scope="col" { "What they would be told" }
            } }
            tbody { @for flip in flips { tr {
                th scope="row" { (flip.role) }
                td { (flip.what) }
                td { (layout::count(flip.disclosures)) }
                td { (layout::count(flip.readers)) }
                td { (layout::count(flip.people)) }
                td { bdi { (flip.because) } }
            } } }
        } },
    )
}

fn changes(changes: &[Change]) -> Markup {
    layout::scrolling(
        "What is answered otherwise",
        html! { table class="usa-table usa-table--compact bare" {
            thead { tr { th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "Becomes" } th scope="col" { "When" } } }
            tbody { @for change in changes { tr {
                th scope="row" { (change.role) }
                td { (change.what) }
                td { @if change.allowed { strong { "allowed" } } @else { "refused" } }
                td { bdi { (change.situations) } }
            } } }
        } },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let flip = |because: &str| Flip {
        role: "caseworker".into(),
        what: "read care for research".into(),
        disclosures: 12,
        readers: 2,
        people: 7,
        because: because.into(),
    };
    let nothing = Context {
        shell: samples::now(path::POLICY_TRY),
        text: String::new(),
        against: 0,
        disclosures: 1_204,
        versions: 20_411,
        unknown: 0,
        more: false,
        closed: Vec::new(),
        opened: Vec::new(),
        changes: Vec::new(),
        changes_in_all: 0,
        asked: 0,
    };
    let some = Context {
        text: "@id(\"no-research-here\")\n@because(\"This programme does no research.\")\nforbid (principal, action, resource);".into(),
        against: 3,
        unknown: 4,
        more: true,
        closed: vec![flip("This programme does no research.")],
        opened: vec![flip("You wrote this.")],
        changes: vec![
            Change {
                role: "caseworker".into(),
                what: "read care for research".into(),
                situations: "consent; caseload, consent".into(),
                allowed: false,
            },
            Change {
                role: "officer".into(),
                what: "read schedule for running the programme".into(),
                situations: "no relation".into(),
                allowed: true,
            },
        ],
        changes_in_all: 230,
        asked: 41_200,
        ..nothing.clone()
    };
    let hostile = Context {
        text: samples::HOSTILE.into(),
        closed: vec![flip(samples::HOSTILE), flip(samples::LONG)],
        changes: vec![Change {
            role: samples::HOSTILE.into(),
            what: samples::LONG.into(),
            situations: samples::HOSTILE.into(),
            allowed: true,
        }],
        ..nothing.clone()
    };
    vec![("nothing", nothing), ("some", some), ("hostile", hostile)]
}
