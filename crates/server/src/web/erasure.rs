//! One erasure: where it stands, what goes and what stays, and what an officer can do about it.

use casework::erasure::{Basis, Scope, Told, Untold};
use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// The Task's id.
    pub id: String,
    /// Id and name of the person, as long as they can be read.
    pub person: Option<(String, String)>,
    /// What stands for the person in the log.
    pub alias: String,
    /// How much.
    pub scope: Scope,
    /// On which ground.
    pub basis: Option<Basis>,
    /// What the ground is in this case.
    pub citation: String,
    /// Whole days between telling and erasing.
    pub delay_days: i64,
    /// Where it stands, as a sentence.
    pub stands: String,
    /// Whether it has been carried out.
    pub done: bool,
    /// When it may be carried out at the earliest.
    pub earliest: Option<i64>,
    /// Kind and number of what goes, or is gone.
    pub goes: Vec<(String, u64)>,
    /// Kind and number of what stays about the person.
    pub stays: Vec<(String, u64)>,
    /// All steps, oldest first.
    pub steps: Vec<Row>,
    /// Open holds: number, and what it is.
    pub holds: Vec<(u32, String)>,
    /// What can be done now, and why not.
    pub may: May,
    /// Steps that the rules would have refused, as sentences.
    pub unlawful: Vec<String>,
}

/// One step, as it was taken.
#[derive(Clone, Debug)]
pub struct Row {
    /// What: "Approved".
    pub what: String,
    /// Who.
    pub who: String,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// Where it is in the log.
    pub position: u64,
    /// What they wrote.
    pub why: String,
}

/// For each thing that can be done: nothing if it can, or the sentence that says why not. `None`: it
/// is not offered.
#[derive(Clone, Debug, Default)]
pub struct May {
    /// Approve.
    pub approve: Option<Result<(), String>>,
    /// Record that the person was told, or why not.
    pub tell: Option<Result<(), String>>,
    /// Put a hold on it.
    pub hold: Option<Result<(), String>>,
    /// Lift holds, refuse, withdraw.
    pub decide: bool,
    /// Carry it out.
    pub carry_out: Option<Result<(), String>>,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        @for unlawful in &context.unlawful {
            p class="problem" role="alert" { (layout::urgent_mark()) "This erasure must not go on: " (unlawful) "." }
        }
        p class="lead" { strong { (context.stands) } }
        div class="columns" {
            section class="panel" aria-labelledby="what" {
                h2 id="what" { "What is asked for" }
                dl class="facts" {
                    dt { "Whose record" }
                    dd {
                        @match &context.person {
                            Some((id, name)) => { a href=(shell.to(&path::person(id))) { bdi { (name) } } }
                            None => { "It can no longer be said here." }
                        }
                        br;
                        span class="hint" { "In the log: " code class="hash" { "p" (context.alias) } }
                    }
                    dt { "How much" } dd { (context.scope.words()) }
                    dt { "On which ground" } dd { (context.basis.map_or("none is named", Basis::words)) }
                    dt { "In this case" } dd { bdi { (context.citation) } }
                    dt { "Delay" } dd { (layout::counted(context.delay_days.max(0) as u64, "day", "days")) " after the person was told" }
                    dt { "Duties to keep" } dd { "looked for; none was found" }
                    @if let Some(earliest) = context.earliest {
                        dt { "At the earliest" } dd { (when::time(earliest, &when::minute(earliest))) " UTC" }
                    }
                }
            }
            section class="panel" aria-labelledby="goes" {
                h2 id="goes" { @if context.done { "What is gone" } @else { "What goes" } }
                (kinds("What goes", &context.goes, "Nothing."))
                h3 { "What stays" }
                @if !context.stays.is_empty() { (kinds("What stays", &context.stays, "")) }
                ul {
                    li { "The lines of the log: that there was something of which kind, when it was recorded, and by whom. They name the person by an alias." }
                    li { "This erasure, with everybody who decided on it." }
                    li { "Whatever is about somebody else, or nobody, and mentions the person." }
                }
            }
            section class="panel full" aria-labelledby="means" {
                h2 id="means" { "What erasing can do, and what not" }
                (promise(context.done))
            }
            (acts(context))
            section class="panel full" aria-labelledby="steps" {
                h2 id="steps" { "What was done, step by step" }
                (layout::scrolling("Steps", html! { table class="usa-table usa-table--compact bare" {
                    thead { tr { th scope="col" { "Step" } th scope="col" { "By" } th scope="col" { "Recorded" } th scope="col" { "Why" } th scope="col" { "Entry" } } }
                    tbody { @for row in &context.steps { tr {
                        th scope="row" { (row.what) }
                        td { bdi { (row.who) } }
                        td { (when::time(row.recorded_at.0, &row.recorded_at.words())) }
                        td { bdi { (row.why) } }
                        td { a href=(shell.to(&path::entry(row.position))) { (row.position) } }
                    } } }
                } }))
            }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Erasure",
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

/// No more than the cryptography gives.
pub fn promise(done: bool) -> Markup {
    html! {
        p {
            @if done {
                "Erased to the extent that the keys which opened these contents were destroyed here, the key that "
                "wrapped them was changed, and the search index was written anew without them. "
            } @else {
                "The keys that open these contents are destroyed here, the key that wraps them is changed, and the "
                "search index is written anew without them. "
            }
            "The sealed contents stay where they are; without their keys nobody can read them as far as anybody "
            "knows how to. A copy of the keys that was made before opens nothing with the programme\u{2019}s new key."
        }
        p { "Nobody can prove that a key is gone. It does not reach:" }
        ul {
            li { "copies of the old keys together with the old key of the programme and whatever unwrapped it; whoever keeps those must destroy them too;" }
            li { "shares of the person\u{2019}s key in escrow, while enough of them are together;" }
            li { "exports, receipts, printouts and what somebody wrote down or another system was sent;" }
            li { "what the access log keeps of an answer about several people or about nobody in particular, as the words of a search, and of whatever is asked after the erasure;" }
            li { "what is in the records of others, or about nobody, and mentions the person;" }
            li { "what a disk keeps of bytes that were overwritten, and what was in this computer\u{2019}s memory or swap." }
        }
    }
}

fn kinds(label: &str, kinds: &[(String, u64)], nothing: &str) -> Markup {
    html! {
        @if kinds.is_empty() { p { (nothing) } } @else {
            (layout::scrolling(label, html! { table class="usa-table usa-table--compact bare" {
                thead { tr { th scope="col" { "Kind" } th scope="col" class="num" { "Entries" } } }
                tbody { @for (kind, count) in kinds { tr { th scope="row" { bdi { (kind) } } td class="num" { (layout::count(*count)) } } } }
            } }))
        }
    }
}

fn acts(context: &Context) -> Markup {
    let May {
        approve,
        tell,
        hold,
        decide,
        carry_out,
    } = &context.may;
    let offered = approve.is_some() || tell.is_some() || hold.is_some() || carry_out.is_some();
    html! {
        @if offered {
            section class="panel full" aria-labelledby="acts" {
                h2 id="acts" { "What can be done now" }
                p class="hint" { "What you write stays readable when everything else is gone: leave out names, numbers and dates of birth." }
                div class="acts" {
                    @if let Some(may) = approve {
                        (act(context, "approve", "Approve", may, html! { p { "You have seen the ground, and what goes." } }))
                    }
                    @if let Some(may) = tell {
                        (act(context, "tell", "Record that the person was told", may, html! {
                            label class="usa-label" for="how" { "How" }
                            select class="usa-input" id="how" name="how" { @for told in Told::ALL { option value=(told.code()) { (told.words()) } } }
                            label class="usa-label" for="happened" { "On which day" }
                            input class="usa-input" id="happened" name="happened" type="date" max=(when::iso_day(context.shell.made_at)) value=(when::iso_day(context.shell.made_at)) required;
                            p class="hint" { "The delay counts from when you record it." }
                        }))
                        (act(context, "leave-untold", "Record why the person is not told", may, html! {
                            label class="usa-label" for="ground" { "Lawful reason" }
                            select class="usa-input" id="ground" name="ground" { @for ground in Untold::ALL { option value=(ground.code()) { (ground.words()) } } }
                            (why("untold-why", "Which order, which attempts"))
                        }))
                    }
                    @if let Some(may) = hold {
                        (act(context, "hold", "Hold it", may, why("hold-why", "What stands in the way, and who says so")))
                    }
                    @for (number, what) in context.holds.iter().filter(|_| *decide) {
                        (act(context, "release", &format!("Lift hold {number}"), &Ok(()), html! {
                            p { bdi { (what) } }
                            input type="hidden" name="hold" value=(number);
                            (why(&format!("release-{number}"), "Why it no longer stands in the way"))
                        }))
                    }
                    @if *decide {
                        (act(context, "refuse", "Refuse it", &Ok(()), why("refuse-why", "Why")))
                        (act(context, "withdraw", "Withdraw it", &Ok(()), why("withdraw-why", "Why, and at whose wish")))
                    }
                    @if let Some(may) = carry_out {
                        (act(context, "carry-out", "Carry it out", may, html! {
                            p { (layout::urgent_mark()) "There is no way back from this. Nobody can, not even with a backup." }
                            div class="tick" {
                                input id="sure" type="checkbox" name="sure" value="yes" required;
                                label for="sure" { "Erase it for good" }
                            }
                        }))
                    }
                }
            }
        }
    }
}

fn act(
    context: &Context,
    step: &str,
    words: &str,
    may: &Result<(), String>,
    fields: Markup,
) -> Markup {
    html! {
        div class="act" {
            h3 { (words) }
            @match may {
                Ok(()) => {
                    form class="stack" method="post" action=(path::erasure_step(&context.id, step)) {
                        (fields)
                        button class={ "usa-button usa-button--" @if step == "carry-out" { "secondary" } @else { "outline" } } type="submit" { (words) }
                    }
                }
                Err(why) => { p { "Not now: " (why) } }
            }
        }
    }
}

fn why(id: &str, words: &str) -> Markup {
    html! {
        label class="usa-label" for=(id) { (words) }
        textarea class="usa-input" id=(id) name="why" rows="2" maxlength="1000" required {}
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let row = |what: &str, who: &str, days: i64, why: &str| Row {
        what: what.into(),
        who: who.into(),
        recorded_at: RecordedAt(samples::NOW - days * when::DAY),
        position: (60_110 - days) as u64,
        why: why.into(),
    };
    let open = Context {
        shell: samples::now("/erasures/5q0t7v9e2k4m8n1c"),
        id: "5q0t7v9e2k4m8n1c".into(),
        person: Some(("0h8k2m4q6s8v0x2z".into(), "Haddad, Samir".into())),
        alias: "VnbB3nQ5TtyLS4dGmXQnYg".into(),
        scope: Scope::Record,
        basis: Some(Basis::CourtOrder),
        citation: "District court, 3 October 2026, order 26-1044".into(),
        delay_days: 30,
        stands: "Approved by both officers; the person was told on 2 Nov 2026. It may be carried out from 2 Dec 2026, 08:00 UTC on.".into(),
        done: false,
        earliest: Some(samples::NOW + 10 * when::DAY),
        goes: vec![("DocumentReference".into(), 61), ("Observation".into(), 1_210), ("Patient".into(), 4)],
        stays: vec![("Task".into(), 4)],
        steps: vec![
            row("Asked for", "R. Abara", 25, "District court, 3 October 2026, order 26-1044"),
            row("Approved", "T. Lindqvist", 24, ""),
            row("Approved", "M. Okafor", 21, ""),
            row("Told, by letter", "M. Okafor", 20, ""),
        ],
        holds: vec![(1, "Claim 12-345 is pending".into())],
        may: May {
            approve: Some(Err("Two officers have approved it already.".into())),
            tell: Some(Ok(())),
            hold: Some(Ok(())),
            decide: true,
            carry_out: Some(Ok(())),
        },
        unlawful: Vec::new(),
    };
    vec![
        ("open", open.clone()),
        (
            "done",
            Context {
                person: None,
                stands: "Carried out on 22 Nov 2026. What the keys of this erasure opened can no longer be read here.".into(),
                done: true,
                may: May::default(),
                holds: Vec::new(),
                ..open.clone()
            },
        ),
        (
            "unlawful",
            Context {
                shell: samples::then("/erasures/5q0t7v9e2k4m8n1c"),
                unlawful: vec!["step 3 (approved) breaks the rules of erasure: the same officer has approved it before".into()],
                may: May::default(),
                goes: Vec::new(),
                basis: None,
                ..open.clone()
            },
        ),
        (
            "hostile",
            Context {
                id: samples::HOSTILE.into(),
                person: Some((samples::HOSTILE.into(), samples::LONG.into())),
                alias: samples::LONG.into(),
                citation: samples::HOSTILE.into(),
                goes: vec![(samples::HOSTILE.into(), u64::MAX)],
                stays: vec![(samples::LONG.into(), 0)],
                steps: vec![row(samples::HOSTILE, samples::LONG, 0, samples::HOSTILE)],
                holds: vec![(1, samples::HOSTILE.into())],
                unlawful: vec![samples::HOSTILE.into()],
                ..open
            },
        ),
    ]
}
