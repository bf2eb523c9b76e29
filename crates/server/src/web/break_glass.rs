//! One break-glass: who opened whose record and why, what they read, and what their supervisor says.

use casework::break_glass::{Outcome, TEXT_MAX};
use maud::{Markup, html};

use super::break_glasses::State;
use super::layout::{self, Page, Place, Shell};
use super::warrant::Read;
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// The Task's id.
    pub id: String,
    /// Who opened it.
    pub who: String,
    /// Id and name of the person, as long as they can be read by whoever looks.
    pub person: Option<(String, String)>,
    /// Why it could not wait: "Life or health is in danger now".
    pub need: String,
    /// The same in the words of whoever opened it.
    pub why: String,
    /// When it began and ended, or ends.
    pub term: (RecordedAt, i64),
    /// Where it stands.
    pub state: State,
    /// By when it must be reviewed.
    pub review_due: i64,
    /// What was found, by whom and why.
    pub review: Option<(Outcome, String, RecordedAt, String)>,
    /// What was read, newest first.
    pub reads: Vec<Read>,
    /// Entries of its steps.
    pub positions: Vec<u64>,
    /// Whether whoever looks may end it.
    pub may_end: bool,
    /// Whether whoever looks may review it; or why not, if they might expect to.
    pub may_review: Option<Result<(), String>>,
    /// Steps that break the rules.
    pub unlawful: Vec<String>,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let (from, until) = context.term;
    let main = html! {
        @for unlawful in &context.unlawful {
            p class="problem" role="alert" { (layout::urgent_mark()) "This opens nothing: " (unlawful) "." }
        }
        p class="lead" { (context.state.words()) }
        @if context.may_end {
            form class="inline" method="post" action=(path::opened_step(&context.id, "end")) {
                button class="usa-button usa-button--secondary" type="submit" { "End it now" }
            }
        }
        div class="columns" {
            section class="panel" aria-labelledby="what" {
                h2 id="what" { "What happened" }
                dl class="facts" {
                    dt { "Who" } dd { bdi { (context.who) } }
                    dt { "Whose record" }
                    dd { @match &context.person {
                        Some((id, name)) => { a href=(shell.to(&path::person(id))) { bdi { (name) } } }
                        None => { "somebody who is not known to you" }
                    } }
                    dt { "Why" } dd { bdi { (context.why) } br; span class="hint" { (context.need) } }
                    dt { "From" } dd { (when::time(from.0, &from.words())) }
                    dt { "Until" } dd { (when::time(until, &when::minute(until))) " UTC" }
                    dt { "Entries" } dd { @for (place, position) in context.positions.iter().enumerate() {
                        @if place > 0 { ", " } a href=(shell.to(&path::entry(*position))) { (position) }
                    } }
                }
            }
            section class="panel" aria-labelledby="review" {
                h2 id="review" { "The review" }
                @match &context.review {
                    Some((outcome, who, at, why)) => {
                        p { strong { (capital(outcome.words())) } ", says " bdi { (who) } ", " (when::time(at.0, &at.words())) ":" }
                        blockquote { bdi { (why) } }
                    }
                    None => {
                        p { "Due " (when::time(context.review_due, &when::minute(context.review_due))) " UTC." }
                        @match &context.may_review {
                            Some(Ok(())) => { form class="stack" method="post" action=(path::opened_step(&context.id, "review")) {
                                fieldset {
                                    legend { "It was" }
                                    @for outcome in Outcome::ALL { div class="tick" {
                                        input type="radio" name="outcome" id={ "outcome-" (outcome.code()) } value=(outcome.code()) required;
                                        label for={ "outcome-" (outcome.code()) } { (outcome.words()) }
                                    } }
                                }
                                label class="usa-label" for="why" { "Why" }
                                p class="hint" id="why-hint" { "The person and whoever opened the record read it. Without names." }
                                textarea class="usa-input" id="why" name="why" rows="3" maxlength=(TEXT_MAX) required aria-describedby="why-hint" {}
                                button class="usa-button" type="submit" { "Record the review" }
                            } }
                            Some(Err(why)) => { p { (why) } }
                            None => {}
                        }
                    }
                }
            }
            section class="panel full" aria-labelledby="reads" {
                h2 id="reads" { "What was read meanwhile" }
                @if context.reads.is_empty() { p { "Nothing" @if shell.is_then() { " until then" } "." } } @else {
                    (layout::scrolling("What was read", html! { table class="usa-table usa-table--compact bare" {
                        thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" class="num" { "Versions" } } }
                        tbody { @for read in &context.reads { tr {
                            th scope="row" { a href=(shell.to(&path::leaf(read.position))) { (when::time(read.at.0, &read.at.words())) } }
                            td { bdi { (read.what) } }
                            td class="num" { (layout::count(read.versions)) }
                        } } }
                    } }))
                }
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Opened record",
            place: Place::Opened,
            compares: false,
            main,
        },
    )
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}", first.to_uppercase(), letters.as_str())
    })
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let at = path::opened("5q0t7v9e2k4m8n1c");
    let plain = Context {
        shell: samples::now(&at),
        id: "5q0t7v9e2k4m8n1c".into(),
        who: "Priya Raghunathan".into(),
        person: Some(("0h8k2m4q6s8v0x2z".into(), "Haddad, Samir".into())),
        need: "Life or health is in danger now".into(),
        why: "Called from the bridge, colleague not reachable".into(),
        term: (
            RecordedAt(samples::NOW - 2 * when::DAY),
            samples::NOW - 2 * when::DAY + when::HOUR,
        ),
        state: State::Waits(samples::NOW + when::DAY),
        review_due: samples::NOW + when::DAY,
        review: None,
        reads: vec![Read {
            position: 4_711,
            at: RecordedAt(samples::NOW - 2 * when::DAY + 60 * when::SECOND),
            what: "the person on one screen".into(),
            whose: "Haddad, Samir".into(),
            versions: 118,
        }],
        positions: vec![12_001, 12_002],
        may_end: false,
        may_review: Some(Ok(())),
        unlawful: Vec::new(),
    };
    let lasts = Context {
        state: State::Lasts(samples::NOW + when::HOUR),
        may_end: true,
        may_review: Some(Err(
            "Nobody reviews their own break-glass; your supervisor must.".into(),
        )),
        reads: Vec::new(),
        ..plain.clone()
    };
    let reviewed = Context {
        shell: samples::then(&at),
        state: State::Reviewed("not justified"),
        review: Some((
            Outcome::NotJustified,
            "Lorraine Baptiste".into(),
            RecordedAt(samples::THEN),
            "The caseworker was in the next room".into(),
        )),
        ..plain.clone()
    };
    let hostile = Context {
        who: samples::HOSTILE.into(),
        person: Some((samples::HOSTILE.into(), samples::LONG.into())),
        need: samples::LONG.into(),
        why: samples::HOSTILE.into(),
        review: Some((
            Outcome::Justified,
            samples::HOSTILE.into(),
            RecordedAt(samples::NOW),
            samples::LONG.into(),
        )),
        unlawful: vec![samples::LONG.into()],
        ..plain.clone()
    };
    vec![
        ("waits", plain),
        ("lasts", lasts),
        ("reviewed", reviewed),
        ("hostile", hostile),
    ]
}
