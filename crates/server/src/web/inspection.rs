//! An inspector's first page: their warrants, whose records these open, and until when.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples, when};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// Those in force, the one that ends first at the top.
    pub in_force: Vec<Warrant>,
    /// Those that are to begin or are over.
    pub others: Vec<Other>,
}

/// A warrant in force.
#[derive(Clone, Debug)]
pub struct Warrant {
    /// The Task's id.
    pub id: String,
    /// The issuer's number.
    pub number: String,
    /// Who issued it.
    pub issuer: String,
    /// What may be read, in words.
    pub kinds: Vec<String>,
    /// Only what happened then: the first and the last day.
    pub happened: Option<(i64, i64)>,
    /// Until when.
    pub until: i64,
    /// Whom it names: id, name and number; nothing if it is about everybody.
    pub persons: Option<Vec<(String, String, String)>>,
    /// When the persons are told, as a sentence.
    pub notice: String,
}

/// One that opens nothing now.
#[derive(Clone, Debug)]
pub struct Other {
    /// The Task's id.
    pub id: String,
    /// The issuer's number.
    pub number: String,
    /// Where it stands, as a sentence.
    pub stands: String,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        p class="lead" {
            @match context.in_force.len() {
                0 => { strong { "No warrant lets you read anything at present." } " When an officer of the programme has entered one for you, it is here." }
                count => { "You may read under " strong { (layout::counted(count as u64, "warrant", "warrants")) } ". Whatever you read is on the access log with the warrant that lets you, and the persons are told of it." }
            }
        }
        div class="columns" {
        @for warrant in &context.in_force {
            article class="panel full" {
                h2 { a href=(shell.to(&path::warrant(&warrant.id))) { "Warrant " bdi { (warrant.number) } } }
                dl class="facts" {
                    dt { "Issued by" } dd { bdi { (warrant.issuer) } }
                    dt { "Ends" } dd { strong { (when::time(warrant.until, &when::minute(warrant.until))) " UTC" } ", " (when_ends(warrant.until - shell.made_at)) }
                    dt { "What" } dd { ul { li { "who they are" } @for kind in &warrant.kinds { li { (kind) } } } }
                    @if let Some((first, last)) = warrant.happened {
                        dt { "Only what happened" } dd { "from " (when::day(first)) " to " (when::day(last)) }
                    }
                    dt { "Notice" } dd { (warrant.notice) }
                    dt { "Whose records" }
                    dd {
                        @match &warrant.persons {
                            None => { "Everybody in the programme. " a href=(shell.to(path::FIND)) { "Find a person" } }
                            Some(persons) if persons.is_empty() => { "Nobody of those whom it names is in the record any more." }
                            Some(persons) => { ul {
                                @for (id, name, number) in persons { li { a href=(shell.to(&path::person(id))) { bdi { (name) } } " " span class="sub" { bdi { (number) } } } }
                            } }
                        }
                    }
                }
            }
        }
        @if !context.others.is_empty() {
            section class="panel full" aria-labelledby="others" {
                h2 id="others" { "Others of yours" }
                ul { @for other in &context.others { li {
                    a href=(shell.to(&path::warrant(&other.id))) { bdi { (other.number) } } ": " (other.stands)
                } } }
            }
        }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Your warrants",
            place: Place::Warrants,
            compares: false,
            main,
        },
    )
}

fn when_ends(left: i64) -> String {
    match left {
        left if left <= 0 => "over".to_owned(),
        left => format!("in {}", casework::length(left)),
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let mut shell = samples::now(path::INSPECTION);
    if let Some(user) = &mut shell.user {
        user.name = "Solveig Aldana".into();
        user.role = "inspector".into();
    }
    let warrant = Warrant {
        id: "5q0t7v9e2k4m8n1c".into(),
        number: "IG-2026-117".into(),
        issuer: "Inspector General, regional office".into(),
        kinds: vec![
            "appointments, contacts and stays: that and when".into(),
            "care: plans, scores, conditions, medication, letters".into(),
        ],
        happened: Some((samples::NOW - 200 * when::DAY, samples::NOW - when::DAY)),
        until: samples::NOW + 21 * when::DAY,
        persons: Some(vec![(
            "0h8k2m4q6s8v0x2z".into(),
            "Haddad, Samir".into(),
            "VR-26-1149".into(),
        )]),
        notice: "They were told at once.".into(),
    };
    let other = Other {
        id: "6r1u8w0f3m5n9p2d".into(),
        number: "IG-2026-004".into(),
        stands: "Ended on 3 Mar 2026.".into(),
    };
    let some = Context {
        shell: shell.clone(),
        in_force: vec![
            warrant.clone(),
            Warrant {
                id: "7s2v9x1g4n6p0q3e".into(),
                persons: None,
                happened: None,
                ..warrant.clone()
            },
        ],
        others: vec![other],
    };
    let none = Context {
        shell: samples::then(path::INSPECTION),
        in_force: Vec::new(),
        others: Vec::new(),
    };
    let hostile = Context {
        shell,
        in_force: vec![Warrant {
            id: samples::HOSTILE.into(),
            number: samples::LONG.into(),
            issuer: samples::HOSTILE.into(),
            kinds: vec![samples::LONG.into()],
            persons: Some(vec![(
                samples::HOSTILE.into(),
                samples::LONG.into(),
                samples::HOSTILE.into(),
            )]),
            notice: samples::HOSTILE.into(),
            ..warrant
        }],
        others: Vec::new(),
    };
    vec![("some", some), ("none", none), ("hostile", hostile)]
}
