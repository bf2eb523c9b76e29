//! A participant's own view: everything about them, in plain words. Made for a small screen first.

use maud::{Markup, html};

use super::access::{About, Row as Look};
use super::layout::{self, Page, Place, Shell};
use super::person::{Medication, Owed};
use super::when::{self, Happened, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; with a banner.
    pub shell: Shell,
    /// The Patient's id.
    pub person: String,
    /// Who their caseworker is.
    pub caseworker: Option<String>,
    /// What comes next: when, and what.
    pub next: Option<(i64, String)>,
    /// What the programme owes them, most urgent first.
    pub owed: Vec<Owed>,
    /// What was asked of them, what it means and how it went.
    pub measures: Vec<Measure>,
    /// What they take or took.
    pub medicines: Vec<Medication>,
    /// Notices to them, newest first.
    pub notices: Vec<Notice>,
    /// Who looked last, newest first.
    pub looks: Vec<Look>,
    /// Disputes whose answer is still owed, or is overdue.
    pub disputes: Vec<(String, String, bool)>,
    /// Everything in the order of time, newest first, in parts.
    pub events: Vec<Event>,
    /// How many newer ones are left out.
    pub skipped: u64,
    /// How many there are before these.
    pub earlier: u64,
    /// To whom outside of the programme they can complain, if the programme has said it.
    pub complaints: Option<String>,
    /// The file name of their export.
    pub export_name: String,
}

/// A questionnaire, in plain words.
#[derive(Clone, Debug)]
pub struct Measure {
    /// "PCL-5".
    pub name: String,
    /// What it asks about.
    pub asks: String,
    /// From what to what it goes, and which way is better.
    pub goes: String,
    /// How it was and how it is.
    pub went: String,
    /// What the difference means.
    pub means: Option<String>,
    /// Who says so.
    pub source: Option<String>,
}

/// Something that they were told.
#[derive(Clone, Debug)]
pub struct Notice {
    /// In words.
    pub what: String,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// Its entry.
    pub position: u64,
}

/// Something that is written about them.
#[derive(Clone, Debug)]
pub struct Event {
    /// In words.
    pub what: String,
    /// When it happened.
    pub happened: Option<Happened>,
    /// When it was written.
    pub recorded_at: RecordedAt,
    /// Who wrote it.
    pub author: String,
    /// Its entry.
    pub position: u64,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let id = &context.person;
    let main = html! {
        p class="lead" {
            "This is what is written about you here. You can read all of it, say what is wrong, see who else looked, "
            "decide who may, and take everything with you."
        }
        nav class="onpage" aria-label="On this page" {
            ul {
                li { a href="#next" { "What comes next" } }
                li { a href="#how" { "How you are" } }
                li { a href="#looked" { "Who looked" } }
                li { a href="#decide" { "What you decide" } }
                li { a href="#time" { "Everything in time" } }
                li { a href="#take" { "Take it with you" } }
                li { a href="#wrong" { "If something is wrong" } }
            }
        }
        (next(context))
        (how(context))
        (looked(context))
        section class="panel mine" aria-labelledby="decide" {
            h2 id="decide" { "What you decide" }
            p { "Who may read what, what may be recorded, and who outside may have something. Each answer can be changed at any time." }
            p { a class="usa-button" href=(shell.to(&path::consents(id))) { "Your consents" } }
        }
        (time(context))
        (take(context))
        (wrong(context))
    };
    layout::page(
        shell,
        Page {
            title: "My record",
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

fn next(context: &Context) -> Markup {
    let shell = &context.shell;
    html! {
        section class="panel mine" aria-labelledby="next" {
            h2 id="next" { "What comes next" }
            @match &context.next {
                Some((at, what)) => { p class="big" { (when::time(*at, &when::weekday_minute(*at))) } p { bdi { (what) } } }
                None => { p { strong { "Nothing is planned with you." } " That is for the programme to put right: somebody should be in touch." } }
            }
            p { "Your caseworker: " @match &context.caseworker { Some(name) => { strong { bdi { (name) } } } None => { "nobody yet" } } }
            @if !context.owed.is_empty() {
                h3 { "What the programme owes you" }
                ul class="plain rows" { @for owed in &context.owed { li {
                    @if owed.overdue { (layout::urgent_mark()) }
                    bdi { (owed.what) } ", from " bdi { (owed.owner) }
                    @if let Some(due) = owed.due { ", by " (when::time(due, &when::day(due))) @if owed.overdue { ". " strong { "It is late." } } }
                } } }
            }
            @if !context.notices.is_empty() {
                h3 { "What you were told" }
                ul class="plain rows" { @for notice in &context.notices { li {
                    a href=(shell.to(&path::entry(notice.position))) { bdi { (notice.what) } } ", " (when::time(notice.recorded_at.0, &when::day(notice.recorded_at.0)))
                } } }
            }
        }
    }
}

fn how(context: &Context) -> Markup {
    html! {
        section class="panel mine" aria-labelledby="how" {
            h2 id="how" { "How you are, as far as questionnaires can say" }
            @if context.measures.is_empty() { p { "No questionnaire has been scored." } }
            @for measure in &context.measures {
                h3 { (measure.name) }
                p { (measure.asks) " " (measure.goes) }
                p { strong { (measure.went) } }
                @if let Some(means) = &measure.means {
                    p { (means) @if let Some(source) = &measure.source { span class="hint" { " (" (source) ")" } } }
                }
            }
            @if !context.measures.is_empty() {
                p class="hint" { "A number says less than you do. If it does not fit how you are, say so to your caseworker, or dispute it." }
            }
            @if !context.medicines.is_empty() {
                h3 { "What you take, or took" }
                ul class="plain rows" { @for medicine in &context.medicines { li {
                    a href=(context.shell.to(&path::entry(medicine.position))) { bdi { (medicine.what) } } ": " (medicine.state)
                    @if !medicine.dose.is_empty() { ", " bdi { (medicine.dose) } }
                } } }
            }
        }
    }
}

fn looked(context: &Context) -> Markup {
    let shell = &context.shell;
    html! {
        section class="panel mine" aria-labelledby="looked" {
            h2 id="looked" { "Who looked at your record" }
            p { "Everybody who is shown something about you is written down before they see it, you included." }
            @if context.looks.is_empty() { p { "Nobody has" @if shell.is_then() { ", until then" } "." } } @else {
                ul class="plain rows" { @for look in &context.looks { li {
                    bdi { strong { (look.who) } } ", for " bdi { (look.purpose) } ": " bdi { (look.what) } ". "
                    a href=(shell.to(&path::leaf(look.position))) { (when::time(look.at.0, &look.at.words())) }
                } } }
            }
            p { a href=(shell.to(&path::person_access(&context.person))) { "All who looked" } }
            p { a href=(shell.to(&path::accounting(&context.person))) { "Who outside was told" } }
        }
    }
}

fn time(context: &Context) -> Markup {
    let shell = &context.shell;
    html! {
        section class="panel mine" aria-labelledby="time" {
            h2 id="time" { "Everything in time" }
            p { "When something happened, and when somebody wrote it down. Open one to read it, or to say that it is wrong." }
            @if context.events.is_empty() { p { "Nothing is written." } }
            ol class="plain rows" { @for event in &context.events { li {
                a href=(shell.to(&path::entry(event.position))) { bdi { (event.what) } }
                div class="sub" {
                    @if let Some(happened) = event.happened { "Happened " (happened.words()) ". " }
                    "Written " (when::time(event.recorded_at.0, &event.recorded_at.words())) " by " bdi { (event.author) }
                }
            } } }
            @if context.skipped > 0 || context.earlier > 0 {
                nav class="more" aria-label="More in time" {
                    @if context.skipped > 0 { p { a href={ (shell.to(path::ME)) "#time" } { "The newest" } } }
                    @if context.earlier > 0 {
                        p { a href={ (shell.to(&path::with(path::ME, &[("skip", &(context.skipped + context.events.len() as u64).to_string())]))) "#time" } {
                            (layout::counted(context.earlier, "more before these", "more before these"))
                        } }
                    }
                }
            }
            p { a href=(shell.to(&path::timelines(&context.person))) { "Both times, as a drawing" } }
        }
    }
}

fn take(context: &Context) -> Markup {
    html! {
        section class="panel mine" aria-labelledby="take" {
            h2 id="take" { "Take everything with you" }
            p { "One file with everything that is written about you, with who looked, and with the proof that nothing is missing and nothing was changed." }
            @if context.shell.is_then() { p { strong { "The file is made of what is recorded now." } " Go back to now to download it." } } @else {
                p { a class="usa-button" href=(path::person_export(&context.person)) download=(context.export_name) { "Download everything" } }
            }
            details {
                summary { "How to check it without us" }
                ol {
                    li { "Get the program " code { "homecoming" } " from somebody other than this programme. It is free, and anybody can build it from its source." }
                    li { "On any computer, without the internet: " code { "homecoming verify " (context.export_name) } }
                    li { "It says in plain words what the file proves: that each entry is in the record as it is in the file, that these are all the entries about you up to a day, and whether witnesses outside of the programme have signed that. It says as plainly what it does not prove: that what was written is true." }
                    li { "So that nobody can show you another record than everybody else, get the names and keys of the witnesses from them, not from us, and give them with " code { "--policy" } "." }
                }
            }
            p class="hint" { "Under each entry there is a receipt for that entry alone." }
        }
    }
}

fn wrong(context: &Context) -> Markup {
    let shell = &context.shell;
    html! {
        section class="panel mine" aria-labelledby="wrong" {
            h2 id="wrong" { "If something is wrong" }
            p { "Open the entry and choose " strong { "Say that this is wrong" } ". Your words then stand beside it for everybody who reads it, and the programme owes you an answer within 60 days." }
            @if !context.disputes.is_empty() {
                ul class="plain rows" { @for (id, what, overdue) in &context.disputes { li {
                    @if *overdue { (layout::urgent_mark()) }
                    a href=(shell.to(&path::dispute(id))) { bdi { (what) } }
                } } }
            }
            p { a href=(shell.to(&path::disputes(&context.person))) { "Everything that you dispute" } }
            h3 { "Complain to somebody outside the programme" }
            @match &context.complaints {
                Some(whom) => { p { bdi { (whom) } } }
                None => { p { (layout::urgent_mark()) strong { "This programme has not said to whom." } " Ask for it; it must be somebody who does not work for the programme." } }
            }
            p {
                "In the United States you can also write to the Office for Civil Rights of the Department of Health and Human Services, "
                "which looks after the law on health records (HIPAA and 42 CFR Part 2): hhs.gov/ocr/complaints. Nobody may treat you worse because you complain."
            }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let full = Context {
        shell: samples::about(samples::now(path::ME)),
        person: "0h8k2m4q6s8v0x2z".into(),
        caseworker: Some("Ruth Osei".into()),
        next: Some((
            samples::NOW + 3 * when::DAY,
            "Session 15, in person, with Ruth Osei".into(),
        )),
        owed: vec![Owed {
            what: "Housing letter".into(),
            owner: "Ruth Osei".into(),
            due: Some(samples::NOW - 4 * when::DAY),
            overdue: true,
            position: Some(4_711),
        }],
        measures: vec![Measure {
            name: "PCL-5".into(),
            asks: "It asks how much a very stressful experience still bothers you.".into(),
            goes: "It goes from 0 to 80; lower is better.".into(),
            went: "You were at 61 on 3 Feb 2026 and at 38 on 5 May 2026.".into(),
            means: Some("That is more than chance: you are better.".into()),
            source: Some("Marx 2022".into()),
        }],
        medicines: vec![Medication {
            what: "Prazosin 2 mg".into(),
            dose: "1 capsule at night".into(),
            state: "Taking".into(),
            happened: Some(samples::on(2026, 2, 3)),
            drawn: true,
            position: 4_712,
        }],
        notices: vec![Notice {
            what: "An inspector may read your record".into(),
            recorded_at: samples::recorded(2026, 5, 4),
            position: 4_713,
        }],
        looks: vec![Look {
            position: 4_711,
            at: samples::recorded(2026, 5, 4),
            who: "Ruth Osei".into(),
            purpose: "treatment".into(),
            what: "the person on one screen".into(),
            versions: 212,
            about: Vec::<About>::new(),
            others: 0,
            earlier: false,
        }],
        disputes: vec![(
            "d1".into(),
            "Session 4: an answer was owed by 3 Oct 2026".into(),
            true,
        )],
        events: vec![Event {
            what: "Session 14".into(),
            happened: Some(samples::on(2026, 11, 20)),
            recorded_at: samples::recorded(2026, 11, 21),
            author: "Ruth Osei".into(),
            position: 9_001,
        }],
        skipped: 40,
        earlier: 212,
        complaints: Some("The Ombudsperson for Veterans, 1 Assembly Square, 555-0100".into()),
        export_name: "0h8k2m4q6s8v0x2z.homecoming-export".into(),
    };
    vec![
        ("full", full.clone()),
        (
            "empty",
            Context {
                caseworker: None,
                next: None,
                owed: Vec::new(),
                measures: Vec::new(),
                medicines: Vec::new(),
                notices: Vec::new(),
                looks: Vec::new(),
                disputes: Vec::new(),
                events: Vec::new(),
                skipped: 0,
                earlier: 0,
                complaints: None,
                ..full.clone()
            },
        ),
        (
            "then",
            Context {
                shell: samples::about(samples::then(path::ME)),
                ..full.clone()
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now(path::ME)),
                person: samples::HOSTILE.into(),
                caseworker: Some(samples::HOSTILE.into()),
                next: Some((i64::MAX, samples::HOSTILE.into())),
                measures: vec![Measure {
                    name: samples::HOSTILE.into(),
                    asks: samples::LONG.into(),
                    goes: samples::HOSTILE.into(),
                    went: samples::HOSTILE.into(),
                    means: Some(samples::HOSTILE.into()),
                    source: Some(samples::LONG.into()),
                }],
                disputes: vec![(samples::HOSTILE.into(), samples::HOSTILE.into(), true)],
                events: vec![Event {
                    what: samples::HOSTILE.into(),
                    happened: None,
                    recorded_at: RecordedAt(i64::MAX),
                    author: samples::LONG.into(),
                    position: u64::MAX,
                }],
                notices: vec![Notice {
                    what: samples::HOSTILE.into(),
                    recorded_at: RecordedAt(i64::MAX),
                    position: u64::MAX,
                }],
                complaints: Some(samples::HOSTILE.into()),
                export_name: samples::HOSTILE.into(),
                ..full
            },
        ),
    ]
}
