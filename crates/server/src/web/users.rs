//! Who may sign in.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the list shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// In the order in which they were added.
    pub rows: Vec<Row>,
    /// What somebody may be added as.
    pub roles: Vec<&'static str>,
    /// Whether an officer looks.
    pub officer: bool,
    /// Whom somebody may answer to: number and name.
    pub supervisors: Vec<(i64, String)>,
    /// Recoveries that wait for a second officer.
    pub recoveries: Vec<Recovery>,
    /// Somebody was just added: their name, and the code, which is shown this once.
    pub code: Option<(String, String)>,
}

/// One user.
#[derive(Clone, Debug)]
pub struct Row {
    /// Their number.
    pub id: i64,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: String,
    /// For whom they work, if not for the programme.
    pub organisation: Option<String>,
    /// Whom they answer to.
    pub supervisor: Option<String>,
    /// How they stand, in words.
    pub stands: String,
}

/// A recovery that waits.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// Whose number.
    pub user: i64,
    /// Whose.
    pub name: String,
    /// Who asked.
    pub asker: String,
    /// When.
    pub at: i64,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let main = html! {
        p class="lead" { "Every change here is an entry of the record. A role decides what somebody may see; whose record, the caseload and the care team do." }
        @if let Some((name, code)) = &context.code { (code_once(name, code)) }
        @if !context.recoveries.is_empty() {
            section class="panel halted" aria-labelledby="recoveries" {
                h2 id="recoveries" { "Waiting for a second officer" }
                ul class="plain rows" { @for one in &context.recoveries { li {
                    "A new way to sign in for " a href=(path::user(one.user)) { bdi { (one.name) } } ", asked for by " bdi { (one.asker) } " " (when::time(one.at, &RecordedAt(one.at).words()))
                } } }
            }
        }
        div class="tablebox" { table class="usa-table usa-table--compact stacks" {
            caption class="unseen" { "Users" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Role" } th scope="col" { "Answers to" } th scope="col" { "Signing in" } } }
            tbody { @for row in &context.rows { tr {
                th scope="row" { a href=(path::user(row.id)) { bdi { (row.name) } } }
                td data-label="Role" { span { (row.role) @if let Some(organisation) = &row.organisation { ", " bdi { (organisation) } } } }
                td data-label="Answers to" class=[row.supervisor.is_none().then_some("none")] { span { @if let Some(supervisor) = &row.supervisor { bdi { (supervisor) } } } }
                td data-label="Signing in" { span { (row.stands) } }
            } } }
        } }
        section class="panel narrow wide" aria-labelledby="add" {
            h2 id="add" { "Add somebody" }
            @if context.officer {
                p class="hint" { "A new officer, or another account for somebody who had one, gets a code when a second officer has approved it." }
            } @else {
                p class="hint" { "You add sponsors and administrators, and can disable anybody. Only an officer adds, places or lets in whoever reads or governs records." }
            }
            form action=(path::USERS) method="post" class="stack" {
                label class="usa-label" for="name" { "Name" }
                p class="hint" id="name-hint" { "As colleagues know them; they sign in with it." }
                input class="usa-input" id="name" name="name" required maxlength="100" autocomplete="off" aria-describedby="name-hint";
                (place(&Standing { roles: &context.roles, role: "", practitioner: "", patient: "", organisation: "", supervisor: None, supervisors: &context.supervisors }))
                button class="usa-button" type="submit" { "Add them" }
            }
        }
    };
    layout::page(
        &context.shell,
        Page {
            title: "Users",
            place: Place::Elsewhere,
            compares: true,
            main,
        },
    )
}

/// A code, shown this once.
pub fn code_once(name: &str, code: &str) -> Markup {
    html! {
        section class="panel halted" role="status" aria-labelledby="code" {
            h2 id="code" { "The code for " bdi { (name) } }
            p class="big" { code { (code) } }
            p { "It is shown only now. Give it to them in person or by telephone; with it they set up how they sign in, at " code { (path::ENROL) } ". It works once." }
        }
    }
}

/// What a form says about somebody's place, as it stands.
pub struct Standing<'a> {
    /// What can be chosen.
    pub roles: &'a [&'static str],
    /// What they are.
    pub role: &'a str,
    /// The Practitioner's id.
    pub practitioner: &'a str,
    /// The Patient's id.
    pub patient: &'a str,
    /// For whom they work.
    pub organisation: &'a str,
    /// Whom they answer to.
    pub supervisor: Option<i64>,
    /// Whom they may answer to.
    pub supervisors: &'a [(i64, String)],
}

/// The fields of somebody's place.
pub fn place(place: &Standing<'_>) -> Markup {
    html! {
        label class="usa-label" for="role" { "Role" }
        select class="usa-input" id="role" name="role" required {
            @for role in place.roles { option value=(role) selected[*role == place.role] { (role) } }
        }
        label class="usa-label" for="supervisor" { "Answers to" }
        select class="usa-input" id="supervisor" name="supervisor" {
            option value="" { "nobody" }
            @for (id, name) in place.supervisors { option value=(id) selected[Some(*id) == place.supervisor] { (name) } }
        }
        label class="usa-label" for="practitioner" { "Practitioner" }
        p class="hint" id="practitioner-hint" { "The id of their Practitioner in the record, of those who care for people." }
        input class="usa-input" id="practitioner" name="practitioner" value=(place.practitioner) autocomplete="off" spellcheck="false" aria-describedby="practitioner-hint";
        @if place.roles.contains(&"participant") {
            label class="usa-label" for="patient" { "Patient" }
            p class="hint" id="patient-hint" { "Of a participant: the id of the Patient whom they are." }
            input class="usa-input" id="patient" name="patient" value=(place.patient) autocomplete="off" spellcheck="false" aria-describedby="patient-hint";
        }
        label class="usa-label" for="organisation" { "Organisation" }
        p class="hint" id="organisation-hint" { "Of those who do not work for the programme: for whom." }
        input class="usa-input" id="organisation" name="organisation" value=(place.organisation) autocomplete="off" aria-describedby="organisation-hint";
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let row = |id: i64, name: &str, stands: &str| Row {
        id,
        name: name.into(),
        role: "caseworker".into(),
        organisation: None,
        supervisor: Some("D. Marsh".into()),
        stands: stands.into(),
    };
    let some = Context {
        shell: samples::now(path::USERS),
        rows: vec![
            row(3, "R. Osei", "signs in 2 ways"),
            Row {
                organisation: Some("Office of the Inspector General".into()),
                supervisor: None,
                role: "inspector".into(),
                ..row(
                    9,
                    "S. Aldana",
                    "has a code to enrol with, good until 3 Dec 2026, 09:12 UTC",
                )
            },
        ],
        roles: crate::sign_in::ROLES.to_vec(),
        officer: true,
        supervisors: vec![(2, "D. Marsh".into())],
        recoveries: vec![Recovery {
            user: 3,
            name: "R. Osei".into(),
            asker: "R. Abara".into(),
            at: samples::NOW - when::HOUR,
        }],
        code: Some(("S. Aldana".into(), "ab12c-de34f-gh56j-km78n".into())),
    };
    let hostile = Context {
        shell: samples::about_hostile(samples::now(path::USERS)),
        rows: vec![Row {
            role: samples::LONG.into(),
            organisation: Some(samples::HOSTILE.into()),
            supervisor: Some(samples::HOSTILE.into()),
            ..row(1, samples::HOSTILE, samples::LONG)
        }],
        supervisors: vec![(1, samples::HOSTILE.into())],
        recoveries: vec![Recovery {
            user: 1,
            name: samples::HOSTILE.into(),
            asker: samples::LONG.into(),
            at: 0,
        }],
        code: Some((samples::HOSTILE.into(), samples::LONG.into())),
        ..some.clone()
    };
    let administrator = Context {
        roles: vec!["sponsor", "administrator"],
        officer: false,
        recoveries: Vec::new(),
        code: None,
        ..some.clone()
    };
    vec![
        ("some", some),
        ("administrator", administrator),
        ("hostile", hostile),
    ]
}
