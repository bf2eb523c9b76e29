//! Who may sign in: the list, adding somebody, one of them, and the steps that change them.
//!
//! For officers, and for the administrator, who sees nobody in care: participants are not on their list.
//!
//! The administrator adds and places those who read and govern nothing of people's records
//! ([`users::is_officers_to_give`]); they may disable anybody whom they see. An officer does not make another, nor
//! an account for somebody who had one, alone ([`users::needs_two`]): such an account waits, by the way of a
//! recovery, for a second officer.

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

/// Refuses what only an officer does with somebody of these roles.
fn must_give(who: &SignedIn, roles: &[&str]) -> Result<(), Error> {
    let officers = roles.iter().any(|role| users::is_officers_to_give(role));
    match who.user.role == "officer" || !officers {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Forbidden,
            "Only an officer adds, places and lets in whoever reads or governs records. The administrator adds \
             sponsors and administrators, and disables anybody.",
        )),
    }
}

/// What somebody may make of a user who is a `role` now.
fn roles(who: &SignedIn, role: Option<&str>) -> Vec<&'static str> {
    let may = |to: &&'static str| match (who.user.role.as_str(), role) {
        ("officer", None) => true,
        ("officer", Some(role)) => *to != "officer" || role == "officer",
        _ => !users::is_officers_to_give(to),
    };
    ROLES.into_iter().filter(may).collect()
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
        roles: roles(&asked.who, None),
        officer: asked.who.user.role == "officer",
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
    must_give(&who, &[new.role])?;
    let hand = hand(&programme);
    if users::needs_two(programme.desk(), &new, None)? {
        let id = users::add_waiting(programme.desk(), &hand, &new, &who.user)?;
        users::settle(&programme).await?;
        return Ok(see(&path::user(id)));
    }
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

/// Somebody who is there, as if they were added.
fn as_new(user: &User) -> NewUser<'_> {
    NewUser {
        name: &user.name,
        role: &user.role,
        practitioner: user.practitioner.as_deref(),
        patient: user.patient.as_deref(),
        organisation: user.organisation.as_deref(),
        supervisor: user.supervisor,
    }
}

/// Refuses a place that would let somebody go on as an officer, or as somebody else.
fn may_be_placed(desk: &desk::Desk, user: &User, new: &NewUser<'_>) -> Result<(), Error> {
    let refused = |words: &str| Err(Error::new(ErrorKind::Refused, words));
    if new.role == "officer" && user.role != "officer" {
        return refused(
            "Nobody becomes an officer by a change of role. Add an account for them as an officer; a second \
             officer approves it. If it is for the same Practitioner, disable this one first.",
        );
    }
    let moved = |is: Option<&str>, will: Option<&str>| is.is_some() && is != will;
    let other = moved(user.practitioner.as_deref(), new.practitioner)
        || moved(user.patient.as_deref(), new.patient);
    if other && desk.ways_in(user.id).map_err(Error::desk)? > 0 {
        return refused(
            "Whom somebody acts as stays, once they have enrolled. Disable this account and add another.",
        );
    }
    if new.role != "officer" && users::needs_two(desk, new, Some(user.id))? {
        return refused(
            "Somebody had an account for this Practitioner or Patient before. Enable that one, or add a new \
             account, which a second officer approves.",
        );
    }
    Ok(())
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
    let officer = asked.who.user.role == "officer";
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
        roles: roles(&asked.who, Some(&user.role)),
        gives: officer || !users::is_officers_to_give(&user.role),
        two: users::needs_two(desk, &as_new(user), Some(user.id))?,
        stands: stands(asked, user, now)?,
        disabled: user.disabled,
        enrolled: desk.ways_in(user.id).map_err(Error::desk)? > 0,
        themself: user.id == asked.who.user.id,
        officer,
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
            must_give(&who, &[&user.role, new.role])?;
            users::check(desk, &new)?;
            may_be_placed(desk, &user, &new)?;
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
            if !disable {
                must_give(&who, &[&user.role])?;
            }
            let event = match disable {
                true => Event::Disabled,
                false => Event::Enabled,
            };
            let owed = hand.owed(&user, &event, &actor);
            desk.disable_user(user.id, disable, Some(&owed))
                .map_err(users::told)?;
        }
        "code" => {
            must_give(&who, &[&user.role])?;
            if users::needs_two(desk, &as_new(&user), Some(user.id))? {
                return Err(Error::new(
                    ErrorKind::Refused,
                    "Two officers see to this account: ask for a code here, which another officer approves.",
                ));
            }
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
