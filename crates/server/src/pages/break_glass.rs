//! Break-glass: the form, the list of what was opened, one of them, and its steps.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use casework::break_glass::{
    self as rules, BreakGlass, Need, Opening, Outcome, Refusal, Step, Who,
};
use casework::proceeding::Proceeding as _;
use ledger::Alias;
use policy::{Action, Kind, Purpose};

use super::form::Form;
use super::read_under::{Wanted, reads};
use super::warrants::{known_as, known_to, name, named_by_alias};
use super::{Asked, away, see};
use crate::break_glass::{self, Found, supervises};
use crate::case::{Case, Names, attention};
use crate::erasure::person;
use crate::error::{Error, ErrorKind};
use crate::fhir::query;
use crate::permit::{Reader, Thing};
use crate::programme::{AsOf, Programme};
use crate::release::Given;
use crate::sign_in::SignedIn;
use crate::sign_in::actor_name;
use crate::web::break_glasses::{self as list, State as Stands};
use crate::web::layout::Glass;
use crate::web::when::RecordedAt;
use crate::web::{break_glass as one, break_glass_new, path};

const MINUTE: i64 = 60_000_000;

/// `GET /people/{id}/break-glass`
pub async fn form(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        cares(&asked.who)?;
        let view = asked.unbound();
        let nobody = || {
            Error::new(
                ErrorKind::NotFound,
                "There is no such person in the record. Look for them by name under Find.",
            )
        };
        let alias = asked.programme.ledger().person(&id);
        may_open(&asked, alias)?;
        if known_as(&view, &id)?.is_none() {
            return Err(nobody());
        }
        // Who it is is told to whom it may be told; that the record can be opened in an emergency, to all
        // who care.
        let name = known_as(&asked.view, &id)?.map(|(name, _)| name);
        let case = Case::read(&view, &id)?.ok_or_else(nobody)?;
        let things = case.things();
        let state = attention::state(&things, &Names::new(&view), asked.moment());
        let me = actor_name(&asked.who.user);
        let now = asked.now();
        let standing = asked.programme.standing()?;
        let person = alias.to_string();
        let mut own = standing.glass_of(&person);
        let lasts = own.any(|(_, broken)| broken.reader == me && broken.lasts(now));
        let mut given = Given::new();
        given.person(alias);
        let context = break_glass_new::Context {
            shell: asked.shell(),
            caseworker: state
                .caseworker
                .filter(|_| name.is_some())
                .map(|(_, name)| name),
            person: (
                id,
                name.unwrap_or_else(|| "somebody whose name is not for you".to_owned()),
            ),
            reviewer: reviewer(&asked.programme, &asked.who)?,
            refused: match asked.view.facts(&asked.reader, alias)?.treats() {
                true => Some(
                    "You care for this person: their record is open to you, and nothing has to be \
                     opened."
                        .to_owned(),
                ),
                false => lasts.then(|| Refusal::OneLasts.sentence()),
            },
        };
        Ok(asked.answer(break_glass_new::page(&context), given))
    })
    .await
}

/// `POST /people/{id}/break-glass`
pub async fn open(
    State(programme): State<Programme>,
    who: SignedIn,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    let form = Form::read(&headers, &body)?;
    cares(&who)?;
    let alias = programme.ledger().person(&id);
    let asked = Asked::of(&programme, who.clone(), &path::break_glass(&id))?;
    may_open(&asked, alias)?;
    let minutes: i64 = form.field("minutes").parse().unwrap_or_default();
    let opening = Opening {
        person: String::new(),
        need: form.chosen("need", &Need::ALL, Need::code)?,
        why: form.field("why").to_owned(),
        length: minutes.saturating_mul(MINUTE),
    };
    break_glass::open(&programme, &who.user, &id, opening).await?;
    Ok(see(&path::person(&id)))
}

/// `GET /break-glass`
pub async fn list(asked: Asked) -> Result<Response, Error> {
    away(move || {
        let view = asked.unbound();
        if asked.who.user.role == "officer" {
            asked.must(Action::Read, &Thing::of(Kind::Governance))?;
        }
        let moment = asked.moment();
        let mut given = Given::new();
        let mut rows = Vec::new();
        for found in break_glass::all(&view, None)? {
            if !concerns(&asked, &found.broken)? {
                continue;
            }
            found
                .alias()
                .into_iter()
                .for_each(|alias| given.person(alias));
            let whose = match found.alias() {
                Some(alias) => known_to(&asked, alias)?.map(|(_, name)| name),
                None => None,
            };
            rows.push((
                found.broken.review.is_some(),
                found.broken.review_due(),
                list::Row {
                    who: name(&asked.programme, &found.broken.reader),
                    whose,
                    why: found.broken.opening.why.clone(),
                    need: found.broken.opening.need.words().to_owned(),
                    from: RecordedAt(found.broken.from),
                    state: stands(&found.broken, moment),
                    id: found.id,
                },
            ));
        }
        rows.sort_by_key(|(reviewed, due, row)| match reviewed {
            false => (false, *due),
            true => (true, -row.from.0),
        });
        let context = list::Context {
            shell: asked.shell(),
            reviews: matches!(asked.who.user.role.as_str(), "supervisor" | "officer"),
            rows: rows.into_iter().map(|(_, _, row)| row).collect(),
        };
        Ok(asked.answer(list::page(&context), given))
    })
    .await
}

/// `GET /break-glass/{id}`
pub async fn get(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let found = break_glass::find(&asked.unbound(), &id)?;
        let found = match found {
            Some(found) if concerns(&asked, &found.broken)? => found,
            _ => {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    "There is no such break-glass in the record. All that you have to do with are \
                     under Opened records.",
                ));
            }
        };
        let mut given = Given::new();
        for position in &found.positions {
            given.at(*position, found.alias());
        }
        let context = context(&asked, found, &mut given)?;
        Ok(asked.answer(one::page(&context), given))
    })
    .await
}

/// `POST /break-glass/{id}/{step}`
pub async fn step(
    State(programme): State<Programme>,
    who: SignedIn,
    Path((id, step)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    let form = Form::read(&headers, &body)?;
    let step = match step.as_str() {
        "end" => Step::End,
        "review" => Step::Review {
            outcome: form.chosen("outcome", &Outcome::ALL, Outcome::code)?,
            why: form.field("why").trim().to_owned(),
        },
        _ => {
            return Err(Error::new(
                ErrorKind::NotFound,
                "There is no such step of a break-glass.",
            ));
        }
    };
    break_glass::take(&programme, &who.user, &id, step).await?;
    Ok(see(&path::opened(&id)))
}

fn context(asked: &Asked, found: Found, given: &mut Given) -> Result<one::Context, Error> {
    let view = asked.unbound();
    let broken = &found.broken;
    let moment = asked.moment();
    let user = &asked.who.user;
    let alias = found.alias();
    let (person, whom) = match alias {
        Some(alias) => (known_to(asked, alias)?, named_by_alias(&view, alias)?),
        None => (None, None),
    };
    let stored = match &whom {
        Some((id, _)) => view.read("Patient", id)?.map(|version| version.stored),
        None => None,
    };
    let who = Who {
        actor: actor_name(user),
        cares: rules::ROLES.contains(&user.role.as_str()),
        reviews: supervises(&asked.programme, user, &broken.reader)?,
        themself: person::is_user(&view, user, stored.as_deref().unwrap_or_default())?,
    };
    let is_now = asked.view.is_now() && found.unlawful.is_empty();
    let now = asked.now();
    let review = Step::Review {
        outcome: Outcome::Justified,
        why: "as it will be written".to_owned(),
    };
    let (reads, _) = reads(
        asked,
        &Wanted {
            readers: std::slice::from_ref(&broken.reader),
            persons: &alias.into_iter().collect::<Vec<_>>(),
            from: broken.from,
            until: broken.end(),
            named: true,
            task: found.id.clone(),
        },
        given,
    )?;
    Ok(one::Context {
        shell: asked.shell(),
        who: name(&asked.programme, &broken.reader),
        person,
        need: broken.opening.need.words().to_owned(),
        why: broken.opening.why.clone(),
        term: (RecordedAt(broken.from), broken.end()),
        state: stands(broken, moment),
        review_due: broken.review_due(),
        review: broken.review.as_ref().map(|review| {
            (
                review.outcome,
                name(&asked.programme, &review.actor),
                RecordedAt(review.recorded_at),
                review.why.clone(),
            )
        }),
        reads,
        positions: found.positions.clone(),
        may_end: is_now && broken.decide(&Step::End, &who, now).is_ok(),
        may_review: (is_now && broken.review.is_none()).then(|| {
            let decided = broken.decide(&review, &who, now);
            decided.map_err(|refusal| refusal.sentence())
        }),
        unlawful: found.unlawful.iter().map(ToString::to_string).collect(),
        id: found.id,
    })
}

/// Whether whoever asks has to do with it: they opened it, they answer for whoever did, or they are an
/// officer.
fn concerns(asked: &Asked, broken: &BreakGlass) -> Result<bool, Error> {
    let user = &asked.who.user;
    let answers = user.role == "officer"
        || actor_name(user) == broken.reader
        || supervises(&asked.programme, user, &broken.reader)?;
    // That somebody is here is said to whom it may be said.
    let Some(alias) = Alias::parse(&broken.opening.person).filter(|_| answers) else {
        return Ok(answers);
    };
    let thing = Thing::about(alias, Kind::Identity);
    Ok(asked.decide(Action::Know, &thing)?.allowed)
}

/// Refuses whoever may not open this record in an emergency, as the policy stands.
fn may_open(asked: &Asked, person: Alias) -> Result<(), Error> {
    let asked = asked.read_for(Purpose::Emergency)?;
    asked.must(Action::BreakGlass, &Thing::about(person, Kind::Identity))
}

fn stands(broken: &BreakGlass, moment: i64) -> Stands {
    match &broken.review {
        Some(review) => Stands::Reviewed(review.outcome.words()),
        None if broken.lasts(moment) => Stands::Lasts(broken.end()),
        None if broken.is_overdue(moment) => Stands::Overdue(moment - broken.review_due()),
        None => Stands::Waits(broken.review_due()),
    }
}

/// Who reviews what somebody opens.
fn reviewer(programme: &Programme, who: &SignedIn) -> Result<String, Error> {
    let supervisor = match who.user.supervisor {
        Some(id) => programme.desk().user(id).map_err(Error::desk)?,
        None => None,
    };
    Ok(supervisor.map_or_else(|| "An officer".to_owned(), |one| one.name))
}

/// What whoever asks has open, for the top of every page.
pub(super) fn opened(asked: &Asked) -> Vec<Glass> {
    let me = [actor_name(&asked.who.user)];
    let Ok(standing) = asked.programme.standing() else {
        return Vec::new();
    };
    let view = asked.programme.view(AsOf::Now);
    let open = standing.open_by(&me, asked.programme.clock().now().0);
    open.filter_map(|(id, broken)| {
        let alias = Alias::parse(&broken.opening.person)?;
        let (person, name) = named_by_alias(&view, alias).ok().flatten()?;
        Some(Glass {
            id: id.to_owned(),
            person,
            name,
            until: broken.end(),
        })
    })
    .collect()
}

/// Whether a page is about somebody whose record whoever asks has opened, and for whom they have no
/// other relation: it is then read for the emergency that they gave as the reason.
pub(super) fn is_open(programme: &Programme, reader: &Reader, page: &str) -> Result<bool, Error> {
    let parts: Vec<&str> = page.split('/').skip(1).collect();
    let about = match parts.as_slice() {
        ["people", id, ..] => Some(programme.ledger().person(&query::decode_segment(id)?)),
        ["entries", position, ..] => {
            let position = position.parse().unwrap_or(u64::MAX);
            let entry = programme.view(AsOf::Now).entry(position)?;
            entry.and_then(|entry| entry.person)
        }
        _ => None,
    };
    let Some(about) = about else {
        return Ok(false);
    };
    let (standing, names) = (programme.standing()?, &reader.who().names);
    let open = standing.break_glass(names, &about.to_string(), None, false, reader.now());
    if open.is_err() {
        return Ok(false);
    }
    Ok(!programme.view(AsOf::Now).facts(reader, about)?.treats())
}

fn cares(who: &SignedIn) -> Result<(), Error> {
    match rules::ROLES.contains(&who.user.role.as_str()) {
        true => Ok(()),
        false => Err(break_glass::refused(&Refusal::NotForThisRole)),
    }
}
