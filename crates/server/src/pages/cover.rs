//! Who covers for whom: the list with its form, and its steps.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use casework::DAY;
use casework::break_glass::ROLES;
use casework::delegation::{Cover, Stage, Step, Who, Whose};
use desk::User;

use super::form::Form;
use super::warrants::{name, persons};
use super::{Asked, away, see};
use crate::delegation;
use crate::error::{Error, ErrorKind};
use crate::programme::{AsOf, Programme};
use crate::release::Given;
use crate::sign_in::SignedIn;
use crate::sign_in::actor_name;
use crate::web::cover::{Context, Row, page};
use crate::web::path;

/// `GET /cover`
pub async fn list(asked: Asked) -> Result<Response, Error> {
    away(move || {
        staff(&asked.who)?;
        let context = context(&asked)?;
        // Who covers for whom is about the staff, and tells of nobody in care.
        Ok(asked.answer(page(&context), Given::new()))
    })
    .await
}

/// `POST /cover`
pub async fn enter(
    State(programme): State<Programme>,
    who: SignedIn,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    let form = Form::read(&headers, &body)?;
    staff(&who)?;
    let whose = match form.field("whose") {
        "named" => {
            let view = programme.view(AsOf::Now);
            Whose::Named(persons(&programme, &view, form.field("persons"))?)
        }
        _ => Whose::All,
    };
    let cover = Cover {
        owner: form.field("owner").to_owned(),
        delegate: form.field("delegate").to_owned(),
        whose,
        from: form.must_day("from", "The first day")?,
        until: form.must_day("to", "The last day")? + DAY,
        why: form.field("why").trim().to_owned(),
    };
    delegation::enter(&programme, &who.user, cover).await?;
    Ok(see(path::COVER))
}

/// `POST /cover/{id}/{step}`
pub async fn step(
    State(programme): State<Programme>,
    who: SignedIn,
    Path((id, step)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    Form::read(&headers, &body)?;
    staff(&who)?;
    if step != "end" {
        return Err(Error::new(
            ErrorKind::NotFound,
            "There is no such step of a delegation.",
        ));
    }
    delegation::end(&programme, &who.user, &id).await?;
    Ok(see(path::COVER))
}

fn context(asked: &Asked) -> Result<Context, Error> {
    let users = asked.programme.desk().users().map_err(Error::desk)?;
    let user = &asked.who.user;
    let me = actor_name(user);
    let cares = |one: &&User| ROLES.contains(&one.role.as_str()) && !one.disabled;
    let is_mine = |one: &User| one.supervisor == Some(user.id);
    let moment = asked.moment();
    let mut rows = Vec::new();
    for found in delegation::all(&asked.unbound())? {
        let cover = &found.delegation.cover;
        let supervises = users
            .iter()
            .any(|one| actor_name(one) == cover.owner && is_mine(one));
        let own = cover.owner == me || cover.delegate == me;
        if !own && !supervises && user.role != "officer" {
            continue;
        }
        let who = Who {
            actor: me.clone(),
            supervises,
        };
        let stage = found.delegation.stage(moment);
        let may_end = found
            .delegation
            .decide(&Step::End, &who, asked.now())
            .is_ok();
        rows.push((
            stage,
            Row {
                owner: name(&asked.programme, &cover.owner),
                delegate: name(&asked.programme, &cover.delegate),
                whose: match &cover.whose {
                    Whose::All => "the whole caseload".to_owned(),
                    Whose::Named(named) if named.len() == 1 => "1 person".to_owned(),
                    Whose::Named(named) => format!("{} persons", named.len()),
                },
                term: (cover.from, found.delegation.end()),
                why: cover.why.clone(),
                stands: match stage {
                    Stage::InForce => "in force",
                    Stage::NotYet => "to come",
                    Stage::Over => "over",
                },
                may_end: may_end && asked.view.is_now(),
                id: found.id,
            },
        ));
    }
    rows.sort_by_key(|(stage, row)| {
        let order = match stage {
            Stage::InForce => 0,
            Stage::NotYet => 1,
            Stage::Over => 2,
        };
        (order, -row.term.0)
    });
    let both = |one: &User| (actor_name(one), one.name.clone());
    let own = users.iter().filter(cares).filter(|one| one.id == user.id);
    let staff = users.iter().filter(cares).filter(|one| is_mine(one));
    Ok(Context {
        shell: asked.shell(),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        owners: own.chain(staff).map(both).collect(),
        colleagues: users
            .iter()
            .filter(cares)
            .filter(|one| one.id != user.id || user.role == "supervisor")
            .map(both)
            .collect(),
    })
}

fn staff(who: &SignedIn) -> Result<(), Error> {
    let role = who.user.role.as_str();
    match ROLES.contains(&role) || role == "officer" {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Forbidden,
            "Who covers for whom is for those who care for people, and for officers.",
        )),
    }
}
