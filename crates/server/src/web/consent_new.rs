//! The form that decides one thing: an answer, or a release to somebody outside.

use casework::consent::offer::{self, KEEP_FROM, Offer, PARTS};
use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when;
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; with a banner.
    pub shell: Shell,
    /// The Patient's id.
    pub person: String,
    /// Whether the person decides themself; if not, what they signed on paper is entered.
    pub themself: bool,
    /// What is decided; nothing: a release.
    pub offer: Option<&'static Offer>,
    /// Those from whom the record can be kept: reference and name.
    pub staff: Vec<(String, String)>,
    /// Organisations that are known: id and name.
    pub organisations: Vec<(String, String)>,
    /// What something may be released for: code and words.
    pub purposes: Vec<(&'static str, &'static str)>,
    /// Now, in microseconds.
    pub now: i64,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let title = context
        .offer
        .map_or("Let somebody outside have information", |offer| offer.title);
    let main = html! {
        div class="narrow wide" {
            @if context.shell.is_then() {
                p { strong { "Nothing is decided in the past." } " Go back to now." }
            } @else {
                form class="stack" method="post" action=(path::consents(&context.person)) enctype="multipart/form-data" {
                    @match context.offer {
                        Some(offer) => { (answer(context, offer)) }
                        None => { (release(context)) }
                    }
                    (signature(context.themself, "sign", context.now))
                    button class="usa-button" type="submit" { @if context.themself { "Sign" } @else { "Record what was signed" } }
                    p { a href=(path::consents(&context.person)) { "Leave everything as it is" } }
                }
            }
        }
    };
    layout::page(
        &context.shell,
        Page {
            title,
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

fn answer(context: &Context, offer: &Offer) -> Markup {
    html! {
        input type="hidden" name="about" value=(offer.code);
        h2 { "What it means" }
        p { (offer.means) }
        h2 { "If you say no, or take it back" }
        p { (offer.otherwise) }
        p { (offer::REVOCATION) }
        @if offer.code == KEEP_FROM {
            input type="hidden" name="answer" value="yes";
            label class="usa-label" for="from" { "Who is not to read it" }
            select class="usa-input" id="from" name="from" required {
                option value="" { "Choose one" }
                @for (reference, name) in &context.staff { option value=(reference) { (name) } }
            }
        } @else {
            fieldset {
                legend { "Your answer" }
                div class="tick" { input type="radio" id="yes" name="answer" value="yes" required; label for="yes" { "Yes" } }
                div class="tick" { input type="radio" id="no" name="answer" value="no" required; label for="no" { "No" } }
            }
        }
        label class="usa-label" for="until" { "Until when (optional)" }
        p class="hint" id="until-hint" { "The last day on which the answer holds. Without one it holds until you change it." }
        input class="usa-input" type="date" id="until" name="until" min=(when::iso_day(context.now)) aria-describedby="until-hint";
    }
}

fn release(context: &Context) -> Markup {
    html! {
        input type="hidden" name="about" value=(offer::RELEASE);
        p class="lead" {
            "You say who may have what, what for, and until when. Nothing else is given to them because of it. If you do not sign, nothing is given out, "
            "and you are treated all the same."
        }
        fieldset {
            legend { "To whom" }
            @if !context.organisations.is_empty() {
                label class="usa-label" for="organisation" { "An organisation that the programme knows" }
                select class="usa-input" id="organisation" name="organisation" {
                    option value="" { "None of these" }
                    @for (id, name) in &context.organisations { option value=(id) { (name) } }
                }
            }
            label class="usa-label" for="recipient" { "Or another: its name" }
            input class="usa-input" type="text" id="recipient" name="recipient" maxlength="200" autocomplete="off";
            label class="usa-label" for="address" { "Its address" }
            input class="usa-input" type="text" id="address" name="address" maxlength="400" required autocomplete="off";
        }
        label class="usa-label" for="what-for" { "What for" }
        select class="usa-input" id="what-for" name="purpose" required {
            option value="" { "Choose one" }
            @for (code, words) in &context.purposes { option value=(code) { (words) } }
        }
        fieldset {
            legend { "What" }
            @for part in &PARTS {
                div class="tick" {
                    input type="checkbox" id={ "part-" (part.key) } name="part" value=(part.key);
                    label for={ "part-" (part.key) } { (part.words) }
                }
            }
            p class="hint" { "Therapy notes need a release of their own: tick nothing else with them." }
        }
        label class="usa-label" for="from" { "Only from this day on (optional)" }
        input class="usa-input" type="date" id="from" name="from" max=(when::iso_day(context.now));
        label class="usa-label" for="until" { "Until when: the last day" }
        input class="usa-input" type="date" id="until" name="until" required min=(when::iso_day(context.now));
        p { (offer::REVOCATION) }
        p {
            "Who receives it may have to follow other rules than this programme does, and could pass it on. What is about alcohol and drugs stays "
            "protected by 42 CFR Part 2, and a notice that says so goes with it."
        }
    }
}

/// The fields that sign: a name, or what is on the paper. `form` tells the forms of one page apart.
pub fn signature(themself: bool, form: &str, now: i64) -> Markup {
    let id = |field: &str| format!("{form}-{field}");
    html! {
        @if !themself {
            fieldset {
                legend { "The paper" }
                label class="usa-label" for=(id("signed")) { "The day when it was signed" }
                input class="usa-input" type="date" id=(id("signed")) name="signed" required max=(when::iso_day(now));
                p class="hint" { "It counts from when it is recorded, which is now; the day on the paper is kept beside it." }
                label class="usa-label" for=(id("witness")) { "Who saw the person sign" }
                input class="usa-input" type="text" id=(id("witness")) name="witness" maxlength="200" required autocomplete="off";
                label class="usa-label" for=(id("scan")) { "The scan: PDF, JPEG or PNG, at most 4 MB" }
                input type="file" id=(id("scan")) name="scan" accept="application/pdf,image/jpeg,image/png";
                label class="usa-label" for=(id("kept")) { "Where the paper is kept, if there is no scan" }
                input class="usa-input" type="text" id=(id("kept")) name="kept" maxlength="200" autocomplete="off";
            }
        }
        label class="usa-label" for=(id("name")) { @if themself { "Write your name to sign" } @else { "The name that is signed on the paper" } }
        input class="usa-input" type="text" id=(id("name")) name="name" maxlength="200" required autocomplete=(if themself { "name" } else { "off" });
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let own = Context {
        shell: samples::about(samples::now("/people/0h8k2m4q6s8v0x2z/consents/new")),
        person: "0h8k2m4q6s8v0x2z".into(),
        themself: true,
        offer: offer::offer(offer::SUD),
        staff: vec![
            ("Practitioner/1".into(), "R. Osei".into()),
            ("Practitioner/2".into(), "T. Borkowicz".into()),
        ],
        organisations: vec![("o1".into(), "County Housing Office".into())],
        purposes: vec![
            ("COC", "care coordination"),
            ("FITEVAL", "evaluating fitness for duty"),
        ],
        now: samples::NOW,
    };
    vec![
        ("own", own.clone()),
        (
            "paper",
            Context {
                themself: false,
                ..own.clone()
            },
        ),
        (
            "keep-from",
            Context {
                offer: offer::offer(KEEP_FROM),
                ..own.clone()
            },
        ),
        (
            "release",
            Context {
                offer: None,
                ..own.clone()
            },
        ),
        (
            "then",
            Context {
                shell: samples::about(samples::then("/people/0h8k2m4q6s8v0x2z/consents/new")),
                ..own.clone()
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now("/people/x/consents/new")),
                person: samples::HOSTILE.into(),
                offer: None,
                organisations: vec![(samples::HOSTILE.into(), samples::LONG.into())],
                ..own
            },
        ),
    ]
}
