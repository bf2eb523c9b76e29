//! Who may sign in: the list, adding somebody, one of them, and the steps that change them.
//!
//! For officers, and for the administrator, who sees nobody in care: participants are not on their list.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use desk::{NewUser, RecoveryState, User};

use super::sign_in::{field, read};
use super::{Asked, html, see};
use crate::error::{Error, ErrorKind};
use crate::fhir::query::Pairs;
use crate::programme::Programme;
use crate::release::{self, Given};
use crate::sign_in::{ROLES, SignedIn, actor_name};
use crate::users::{self, Event, Hand};
use crate::web::{path, user as one, users as list};

/// Why a page that names nobody in care is not on the access log.
const NO_RECORD: &str = "who may sign in is not part of anybody's record";

/// Who may see and change users.
fn must_administer(who: &SignedIn) -> Result<(), Error> {
    match who.user.role.as_str() {
        "officer" | "administrator" => Ok(()),
        _ => Err(Error::new(
            ErrorKind::Forbidden,
            "Who may sign in is for officers and the administrator of the programme.",
        )),
    }
}

/// Whether somebody may know of a user at all.
fn may_know(who: &SignedIn, user: &User) -> bool {
    who.user.role == "officer" || user.role != "participant"
}

pub async fn get(asked: Asked) -> Result<Response, Error> {
    must_administer(&asked.who)?;
    draw(&asked, None)
}

fn draw(asked: &Asked, code: Option<(String, String)>) -> Result<Response, Error> {
    let (desk, now) = (asked.programme.desk(), asked.now());
    let all = desk.users().map_err(Error::desk)?;
    let name = |id: i64| {
        let found = all.iter().find(|user| user.id == id);
        found.map_or_else(|| format!("user/{id}"), |user| user.name.clone())
    };
    let known = all.iter().filter(|user| may_know(&asked.who, user));
    let mut rows = Vec::new();
    for user in known {
        rows.push(list::Row {
            id: user.id,
            name: user.name.clone(),
            role: user.role.clone(),
            organisation: user.organisation.clone(),
            supervisor: user.supervisor.map(name),
            stands: stands(asked, user, now)?,
        });
    }
    let recoveries = desk.recoveries().map_err(Error::desk)?;
    let open = recoveries
        .into_iter()
        .filter(|one| one.state == RecoveryState::Asked);
    let open = open.filter(|one| {
        let user = all.iter().find(|user| user.id == one.user);
        user.is_some_and(|user| may_know(&asked.who, user))
    });
    let context = list::Context {
        shell: asked.shell(),
        rows,
        roles: ROLES
            .into_iter()
            .filter(|role| asked.who.user.role == "officer" || *role != "participant")
            .collect(),
        supervisors: all
            .iter()
            .filter(|user| user.role == "supervisor" && !user.disabled)
            .map(|user| (user.id, user.name.clone()))
            .collect(),
        recoveries: open
            .map(|one| list::Recovery {
                user: one.user,
                name: name(one.user),
                asker: name(one.asked_by),
                at: one.asked_us,
            })
            .collect(),
        code,
    };
    let participants = all.iter().filter(|user| may_know(&asked.who, user));
    let patients: Vec<&str> = participants
        .filter_map(|user| user.patient.as_deref())
        .collect();
    Ok(given(
        asked,
        html(StatusCode::OK, list::page(&context)),
        &patients,
    ))
}

/// A list with participants on it says who is in care: that is a disclosure.
fn given(asked: &Asked, response: Response, patients: &[&str]) -> Response {
    if patients.is_empty() {
        return release::nothing(response, NO_RECORD);
    }
    let mut given = Given::new();
    for patient in patients {
        given.person(asked.programme.ledger().person(patient));
    }
    asked.gives(response, crate::release::What::Page, given)
}

/// "can sign in", "has not enrolled yet; the code is good until ...".
fn stands(asked: &Asked, user: &User, now: i64) -> Result<String, Error> {
    let desk = asked.programme.desk();
    if user.disabled {
        return Ok("cannot sign in: disabled".to_owned());
    }
    let is_demo = asked
        .programme
        .demo_people()
        .iter()
        .any(|person| person.name == user.name);
    let ways = desk.ways_in(user.id).map_err(Error::desk)?;
    let code = desk.code_expires(user.id, now).map_err(Error::desk)?;
    Ok(match (ways, code, is_demo) {
        (0, None, true) => "one of the demonstration's people".to_owned(),
        (0, None, false) => "has no way to sign in, and no code".to_owned(),
        (0, Some(until), _) => format!(
            "has a code to enrol with, good until {} UTC",
            crate::web::when::minute(until)
        ),
        (1, _, _) => "signs in one way".to_owned(),
        (many, _, _) => format!("signs in {many} ways"),
    })
}

pub async fn add(
    State(programme): State<Programme>,
    who: SignedIn,
    body: Bytes,
) -> Result<Response, Error> {
    must_administer(&who)?;
    let form = read(&body)?;
    let said = Place::read(&form);
    let name = field(&form, "name").trim();
    let new = said.new_user(name);
    if new.role == "participant" && who.user.role != "officer" {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "Only an officer adds participants.",
        ));
    }
    let hand = hand(&programme);
    let actor = actor_name(&who.user);
    let (_, code) = users::add(programme.desk(), &hand, &new, &actor, false)?;
    users::settle(&programme).await?;
    let asked = Asked::of(&programme, who, path::USERS)?;
    draw(&asked, Some((name.to_owned(), code)))
}

fn hand(programme: &Programme) -> Hand<'_> {
    Hand {
        now_us: programme.clock().now().0,
        chance: programme.chance(),
    }
}

/// What a form says about somebody's place.
struct Place<'f> {
    role: &'f str,
    practitioner: Option<&'f str>,
    patient: Option<&'f str>,
    organisation: Option<&'f str>,
    supervisor: Option<i64>,
}

impl<'f> Place<'f> {
    fn read(form: &'f Pairs) -> Place<'f> {
        let given = |name: &str| Some(field(form, name).trim()).filter(|text| !text.is_empty());
        Place {
            role: field(form, "role"),
            practitioner: given("practitioner"),
            patient: given("patient"),
            organisation: given("organisation"),
            supervisor: given("supervisor").and_then(|id| id.parse().ok()),
        }
    }

    fn new_user(&self, name: &'f str) -> NewUser<'f> {
        NewUser {
            name,
            role: self.role,
            practitioner: self.practitioner,
            patient: self.patient,
            organisation: self.organisation,
            supervisor: self.supervisor,
        }
    }
}

fn known(programme: &Programme, who: &SignedIn, id: i64) -> Result<User, Error> {
    let found = programme.desk().user(id).map_err(Error::desk)?;
    found
        .filter(|user| may_know(who, user))
        .ok_or_else(|| Error::new(ErrorKind::NotFound, "There is no such user."))
}

pub async fn one(asked: Asked, Path(id): Path<i64>) -> Result<Response, Error> {
    must_administer(&asked.who)?;
    let user = known(&asked.programme, &asked.who, id)?;
    draw_one(&asked, &user, None)
}

fn draw_one(asked: &Asked, user: &User, code: Option<String>) -> Result<Response, Error> {
    let (desk, now) = (asked.programme.desk(), asked.now());
    let all = desk.users().map_err(Error::desk)?;
    let name = |id: i64| {
        let found = all.iter().find(|user| user.id == id);
        found.map_or_else(|| format!("user/{id}"), |user| user.name.clone())
    };
    let recoveries = desk.recoveries().map_err(Error::desk)?;
    let context = one::Context {
        shell: asked.shell(),
        id: user.id,
        name: user.name.clone(),
        role: user.role.clone(),
        practitioner: user.practitioner.clone(),
        patient: user.patient.clone(),
        organisation: user.organisation.clone(),
        supervisor: user.supervisor,
        supervisors: all
            .iter()
            .filter(|user| user.role == "supervisor" && !user.disabled)
            .map(|user| (user.id, user.name.clone()))
            .collect(),
        roles: ROLES.to_vec(),
        stands: stands(asked, user, now)?,
        disabled: user.disabled,
        enrolled: desk.ways_in(user.id).map_err(Error::desk)? > 0,
        themself: user.id == asked.who.user.id,
        officer: asked.who.user.role == "officer",
        code,
        recoveries: recoveries
            .into_iter()
            .filter(|one| one.user == user.id)
            .map(|one| one::Recovery {
                why: one.why,
                asker: name(one.asked_by),
                asked: one.asked_us,
                closer: one.closed_by.map(name),
                closed: one.closed_us,
                state: one.state,
                mine: one.asked_by == asked.who.user.id,
            })
            .collect(),
    };
    let page = html(StatusCode::OK, one::page(&context));
    let patients: Vec<&str> = user.patient.as_deref().into_iter().collect();
    Ok(given(asked, page, &patients))
}

pub async fn step(
    State(programme): State<Programme>,
    who: SignedIn,
    Path((id, step)): Path<(i64, String)>,
    body: Bytes,
) -> Result<Response, Error> {
    must_administer(&who)?;
    let form = read(&body)?;
    let user = known(&programme, &who, id)?;
    let (desk, hand) = (programme.desk(), hand(&programme));
    let actor = actor_name(&who.user);
    if user.id == who.user.id {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "This is about yourself; another officer must do it.",
        ));
    }
    let mut code = None;
    match step.as_str() {
        "place" => {
            let said = Place::read(&form);
            let new = said.new_user(&user.name);
            users::check(desk, &new)?;
            let changed = User {
                role: new.role.to_owned(),
                practitioner: new.practitioner.map(str::to_owned),
                patient: new.patient.map(str::to_owned),
                organisation: new.organisation.map(str::to_owned),
                supervisor: new.supervisor,
                ..user.clone()
            };
            let owed = hand.owed(&changed, &Event::Changed, &actor);
            desk.change_user(user.id, &new, Some(&owed))
                .map_err(users::told)?;
        }
        "disable" | "enable" => {
            let disable = step == "disable";
            let event = match disable {
                true => Event::Disabled,
                false => Event::Enabled,
            };
            let owed = hand.owed(&user, &event, &actor);
            desk.disable_user(user.id, disable, Some(&owed))
                .map_err(users::told)?;
        }
        "code" => {
            if desk.ways_in(user.id).map_err(Error::desk)? > 0 {
                return Err(Error::new(
                    ErrorKind::Refused,
                    "They have enrolled already. If they have lost how they sign in, ask for a recovery, \
                     which another officer approves.",
                ));
            }
            code = Some(users::give_code(desk, &hand, &user, &actor)?);
        }
        "recover" | "approve" | "refuse" => {
            code = recover(&programme, &who, &user, &step, &form)?;
        }
        _ => {
            return Err(Error::new(
                ErrorKind::NotFound,
                "There is no such step with a user.",
            ));
        }
    }
    users::settle(&programme).await?;
    match code {
        None => Ok(see(&path::user(id))),
        Some(code) => {
            let user = known(&programme, &who, id)?;
            let asked = Asked::of(&programme, who, &path::user_step(id, &step))?;
            draw_one(&asked, &user, Some(code))
        }
    }
}

/// The steps of a recovery, which are officers' alone.
fn recover(
    programme: &Programme,
    who: &SignedIn,
    user: &User,
    step: &str,
    form: &Pairs,
) -> Result<Option<String>, Error> {
    if who.user.role != "officer" {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "A new way to sign in is asked for by an officer and approved by another one.",
        ));
    }
    let (desk, hand) = (programme.desk(), hand(programme));
    let actor = actor_name(&who.user);
    let open = desk.recoveries().map_err(Error::desk)?;
    let open = open
        .into_iter()
        .find(|one| one.user == user.id && one.state == RecoveryState::Asked);
    match (step, open) {
        ("recover", _) => {
            let why = field(form, "why").trim();
            if why.chars().count() < 10 {
                return Err(Error::new(
                    ErrorKind::Refused,
                    "Say in words why they need a new way to sign in, and how you know that it is them.",
                ));
            }
            let why: String = why.chars().take(1_000).collect();
            let owed = hand.owed(user, &Event::RecoveryAsked(&why), &actor);
            desk.ask_recovery(user.id, &why, who.user.id, hand.now_us, Some(&owed))
                .map_err(users::told)?;
            Ok(None)
        }
        (_, None) => Err(Error::new(
            ErrorKind::Refused,
            "No recovery is asked for, or it was decided meanwhile. Reload the page.",
        )),
        ("approve", Some(open)) => {
            users::approve_recovery(programme, &open, user, &who.user).map(Some)
        }
        (_, Some(open)) => {
            let owed = hand.owed(user, &Event::RecoveryRefused, &actor);
            desk.refuse_recovery(open.id, who.user.id, hand.now_us, Some(&owed))
                .map_err(users::told)?;
            Ok(None)
        }
    }
}
