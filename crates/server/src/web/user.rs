//! One user, and what can be changed about them.

use desk::RecoveryState;
use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::users::{Standing, code_once, place};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// Their number.
    pub id: i64,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: String,
    /// The Practitioner's id.
    pub practitioner: Option<String>,
    /// The Patient's id.
    pub patient: Option<String>,
    /// For whom they work, if not for the programme.
    pub organisation: Option<String>,
    /// Whom they answer to.
    pub supervisor: Option<i64>,
    /// Whom they may answer to: number and name.
    pub supervisors: Vec<(i64, String)>,
    /// What they may be.
    pub roles: Vec<&'static str>,
    /// Whether whoever looks may place them and let them in.
    pub gives: bool,
    /// Whether it takes two officers to let them in.
    pub two: bool,
    /// How they stand, in words.
    pub stands: String,
    /// Whether they are disabled.
    pub disabled: bool,
    /// Whether they have a way to sign in.
    pub enrolled: bool,
    /// Whether it is whoever looks.
    pub themself: bool,
    /// Whether an officer looks.
    pub officer: bool,
    /// A code that was just made, shown this once.
    pub code: Option<String>,
    /// The newest first.
    pub recoveries: Vec<Recovery>,
}

/// One recovery.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// Why.
    pub why: String,
    /// Who asked.
    pub asker: String,
    /// When.
    pub asked: i64,
    /// Who decided.
    pub closer: Option<String>,
    /// When.
    pub closed: Option<i64>,
    /// Where it stands.
    pub state: RecoveryState,
    /// Whether whoever looks asked for it.
    pub mine: bool,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let open = context
        .recoveries
        .iter()
        .find(|one| one.state == RecoveryState::Asked);
    let main = html! {
        p class="lead" { (context.role) ", " code { "user/" (context.id) } ": " (context.stands) "." }
        @if let Some(code) = &context.code { (code_once(&context.name, code)) }
        @if context.themself {
            p { "This is you. What concerns yourself another officer changes; how you sign in is under " a href=(path::ACCOUNT) { "your account" } "." }
        } @else {
            div class="acts" {
                @if context.gives { (standing(context)) }
                @else { p { "Only an officer gives a " (context.role) " another role or place, or lets them in again." } }
                section class="act" aria-labelledby="access" {
                    h2 id="access" { "Signing in" }
                    @if context.disabled && !context.gives {
                        p { "They cannot sign in." }
                    } @else if context.disabled {
                        (button(context.id, "enable", "Enable again", "Once enabled, they sign in the way they did before."))
                    } @else {
                        (button(context.id, "disable", "Disable", "Once disabled, they are signed out at once and cannot sign in until they are enabled again."))
                        @if !context.enrolled && context.gives && !context.two { (button(context.id, "code", "Give a new code", "Once they have a new one, the code that they have now stops working.")) }
                    }
                }
                @if context.officer && (context.enrolled || context.two) && !context.disabled { (recovery(context, open)) }
            }
        }
        @if !context.recoveries.is_empty() {
            section aria-labelledby="before" {
                h2 id="before" { "Recoveries" }
                ul class="plain rows" { @for one in &context.recoveries { li {
                    "Asked for by " bdi { (one.asker) } " " (time(one.asked)) ": " span class="said" { bdi { (one.why) } } " "
                    @match one.state {
                        RecoveryState::Asked => { "It waits for a second officer." }
                        RecoveryState::Done => { "Approved" (closed(one)) "." }
                        RecoveryState::Refused => { "Refused" (closed(one)) "." }
                    }
                } } }
            }
        }
        p { a href=(path::USERS) { "All users" } }
    };
    layout::page(
        &context.shell,
        Page {
            title: &context.name,
            place: Place::Elsewhere,
            compares: true,
            main,
        },
    )
}

fn standing(context: &Context) -> Markup {
    let text = |of: &'_ Option<String>| of.clone().unwrap_or_default();
    html! {
        section class="act" aria-labelledby="place" {
            h2 id="place" { "Role and place" }
            form action=(path::user_step(context.id, "place")) method="post" class="stack" {
                (place(&Standing {
                    roles: &context.roles,
                    role: &context.role,
                    practitioner: &text(&context.practitioner),
                    patient: &text(&context.patient),
                    organisation: &text(&context.organisation),
                    supervisor: context.supervisor,
                    supervisors: &context.supervisors,
                }))
                p class="hint" { "They are signed out at once, and go on under the new role when they sign in again." }
                button class="usa-button usa-button--outline" type="submit" { "Change" }
            }
        }
    }
}

fn recovery(context: &Context, open: Option<&Recovery>) -> Markup {
    html! {
        section class="act" aria-labelledby="recovery" {
            h2 id="recovery" { @if context.enrolled { "They have lost how they sign in" } @else { "A code to enrol with" } }
            @match open {
                None => {
                    p {
                        "You ask, and another officer approves. Then "
                        @if context.enrolled { "everything that they signed in with is taken away, and " }
                        "there is one new code for them. They are told who did it."
                    }
                    form action=(path::user_step(context.id, "recover")) method="post" class="stack" {
                        label class="usa-label" for="why" { "Why, and how you know that it is them" }
                        textarea class="usa-input" id="why" name="why" required minlength="10" maxlength="1000" {}
                        button class="usa-button usa-button--outline" type="submit" { "Ask for a new way in" }
                    }
                }
                Some(one) => {
                    @if one.mine { p { "You asked for it; another officer must approve it." } }
                    @else { (button(context.id, "approve", "Approve, and show the code", "Make sure that it is them: by a call to a number that was known before, or in person.")) }
                    (button(context.id, "refuse", if one.mine { "Take it back" } else { "Refuse" }, "Nothing changes for them."))
                }
            }
        }
    }
}

fn button(id: i64, step: &str, words: &str, hint: &str) -> Markup {
    html! {
        form action=(path::user_step(id, step)) method="post" class="stack" {
            p class="hint" { (hint) }
            button class="usa-button usa-button--outline" type="submit" { (words) }
        }
    }
}

fn closed(one: &Recovery) -> Markup {
    html! {
        @if let Some(who) = &one.closer { " by " bdi { (who) } }
        @if let Some(at) = one.closed { " " (time(at)) }
    }
}

fn time(at: i64) -> Markup {
    when::time(at, &RecordedAt(at).words())
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let recovery = |state: RecoveryState, mine: bool| Recovery {
        why: "Lost the phone on Tuesday; called back on the number that we had.".into(),
        asker: "R. Abara".into(),
        asked: samples::NOW - when::HOUR,
        closer: None,
        closed: None,
        state,
        mine,
    };
    let base = Context {
        shell: samples::now(&path::user(3)),
        id: 3,
        name: "R. Osei".into(),
        role: "caseworker".into(),
        practitioner: Some("5q0t7v9e2k4m8n1c".into()),
        patient: None,
        organisation: None,
        supervisor: Some(2),
        supervisors: vec![(2, "D. Marsh".into())],
        roles: crate::sign_in::ROLES.to_vec(),
        gives: true,
        two: false,
        stands: "signs in 2 ways".into(),
        disabled: false,
        enrolled: true,
        themself: false,
        officer: true,
        code: None,
        recoveries: Vec::new(),
    };
    let asked = Context {
        recoveries: vec![recovery(RecoveryState::Asked, false)],
        ..base.clone()
    };
    let done = Context {
        code: Some("ab12c-de34f-gh56j-km78n".into()),
        recoveries: vec![Recovery {
            closer: Some("H. Lindqvist".into()),
            closed: Some(samples::NOW),
            ..recovery(RecoveryState::Done, true)
        }],
        ..base.clone()
    };
    let new = Context {
        enrolled: false,
        officer: false,
        gives: false,
        ..base.clone()
    };
    let waiting = Context {
        role: "officer".into(),
        enrolled: false,
        two: true,
        ..asked.clone()
    };
    let own = Context {
        themself: true,
        ..base.clone()
    };
    let hostile = Context {
        shell: samples::about_hostile(samples::now(&path::user(3))),
        name: samples::HOSTILE.into(),
        role: samples::LONG.into(),
        practitioner: Some(samples::HOSTILE.into()),
        organisation: Some(samples::HOSTILE.into()),
        supervisors: vec![(2, samples::HOSTILE.into())],
        stands: samples::HOSTILE.into(),
        code: Some(samples::HOSTILE.into()),
        recoveries: vec![Recovery {
            why: samples::HOSTILE.into(),
            asker: samples::LONG.into(),
            ..recovery(RecoveryState::Asked, true)
        }],
        ..base.clone()
    };
    vec![
        ("usual", base),
        ("asked", asked),
        ("recovered", done),
        ("new", new),
        ("waiting", waiting),
        ("own", own),
        ("hostile", hostile),
    ]
}
