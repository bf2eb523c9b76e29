//! Erasures: the list, the form that asks for one, one of them, and its steps.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use casework::erasure::{Basis, Erasure, Scope, Stage, Step, Taken, Told, Untold, Who};
use casework::proceeding::Proceeding as _;

use super::forms::must_be_fresh;
use super::{Asked, away, see};
use crate::case::words;
use crate::erasure::{self, Found, person, plan};
use crate::error::{Error, ErrorKind, left};
use crate::fhir::query::{self, Pairs};
use crate::programme::{Programme, View};
use crate::release::Given;
use crate::sign_in::SignedIn;
use crate::web::layout::Shell;
use crate::web::when::{self, RecordedAt};
use crate::web::{erasure as one, erasure_new, erasures, path};

/// The largest form, in bytes.
const FORM_BYTES_MAX: usize = 16 << 10;

pub async fn list(asked: Asked) -> Result<Response, Error> {
    away(move || {
        let found = erasure::all(&asked.view, None, asked.programme.erasure_delay_least())?;
        let mut rows = Vec::with_capacity(found.len());
        let mut given = Given::new();
        for found in found {
            found
                .alias()
                .into_iter()
                .for_each(|alias| given.person(alias));
            let person = readable(&asked.view, &found)?;
            rows.push(erasures::Row {
                person: person.map(|(_, name)| name),
                scope: found.erasure.request.scope,
                stands: stands(&found.erasure),
                requested_at: RecordedAt(found.erasure.requested_at),
                requester: name(&asked.programme, &found.erasure.requester),
                id: found.id,
            });
        }
        let shell = asked.shell();
        let markup = erasures::page(&erasures::Context { shell, rows });
        Ok(asked.answer(markup, given))
    })
    .await
}

pub async fn form(asked: Asked) -> Result<Response, Error> {
    away(move || {
        officer(&asked.who)?;
        let id = asked.param("person").unwrap_or_default();
        let named = named(&asked.view, id)?.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "There is no such person in the record. Look for them by name under Find.",
            )
        })?;
        let context = erasure_new::Context {
            shell: asked.shell(),
            person: (id.to_owned(), named),
            delay_days: asked.programme.erasure_delay() / casework::DAY,
        };
        let mut given = Given::new();
        given.person(asked.programme.ledger().person(id));
        Ok(asked.answer(erasure_new::page(&context), given))
    })
    .await
}

pub async fn ask(
    State(programme): State<Programme>,
    who: SignedIn,
    body: Bytes,
) -> Result<Response, Error> {
    let form = read(&body)?;
    officer(&who)?;
    let scope = chosen(&Scope::ALL, Scope::code, field(&form, "scope"))?;
    let basis = field(&form, "basis");
    let basis = Basis::ALL.into_iter().find(|one| one.code() == basis);
    let id = erasure::request(
        &programme,
        &who.user,
        field(&form, "person"),
        scope,
        basis,
        field(&form, "citation"),
        field(&form, "examined") == "yes",
    )
    .await?;
    Ok(see(&path::erasure(&id)))
}

pub async fn get(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let least = asked.programme.erasure_delay_least();
        let found = erasure::find(&asked.view, &id, least)?.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "There is no such erasure in the record. All of them are under Erasures.",
            )
        })?;
        let mut given = Given::new();
        found
            .alias()
            .into_iter()
            .for_each(|alias| given.person(alias));
        for position in &found.positions {
            given.at(*position, found.alias());
        }
        Ok(asked.answer(one::page(&context(&asked, found)?), given))
    })
    .await
}

pub async fn step(
    State(programme): State<Programme>,
    who: SignedIn,
    Path((id, step)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Error> {
    let form = read(&body)?;
    let step = of_form(&step, &form)?;
    // What cannot be undone is nobody's who found a desk unattended.
    if matches!(step, Step::Approve | Step::CarryOut) && must_be_fresh(&programme, &who).is_err() {
        return Ok(see(&path::with(
            path::AGAIN,
            &[("next", &path::erasure(&id))],
        )));
    }
    erasure::take(&programme, &who.user, &id, step).await?;
    Ok(see(&path::erasure(&id)))
}

/// A step from the words of an address and a form; the command line says it with the same words.
pub(crate) fn of_form(step: &str, form: &Pairs) -> Result<Step, Error> {
    let why = || field(form, "why").trim().to_owned();
    Ok(match step {
        "approve" => Step::Approve,
        "tell" => Step::Tell {
            how: chosen(&Told::ALL, Told::code, field(form, "how"))?,
            happened: day(field(form, "happened"))?,
        },
        "leave-untold" => Step::LeaveUntold {
            ground: chosen(&Untold::ALL, Untold::code, field(form, "ground"))?,
            why: why(),
        },
        "hold" => Step::Hold { why: why() },
        "release" => Step::Release {
            hold: field(form, "hold").parse().unwrap_or_default(),
            why: why(),
        },
        "refuse" => Step::Refuse { why: why() },
        "withdraw" => Step::Withdraw { why: why() },
        "carry-out" => match field(form, "sure") {
            "yes" => Step::CarryOut,
            _ => {
                return Err(Error::new(
                    ErrorKind::Refused,
                    "Carrying it out needs the tick that says that you are sure.",
                ));
            }
        },
        _ => {
            return Err(Error::new(
                ErrorKind::NotFound,
                "There is no such step of an erasure.",
            ));
        }
    })
}

fn read(body: &Bytes) -> Result<Pairs, Error> {
    if body.len() > FORM_BYTES_MAX {
        return Err(Error::new(
            ErrorKind::TooLarge,
            "That is more than the form takes.",
        ));
    }
    query::decode(&String::from_utf8_lossy(body))
}

fn field<'f>(form: &'f Pairs, name: &str) -> &'f str {
    let found = form.iter().find(|(given, _)| given == name);
    found.map_or("", |(_, value)| value.as_str())
}

fn chosen<T: Copy>(all: &[T], code: fn(T) -> &'static str, given: &str) -> Result<T, Error> {
    let found = all.iter().copied().find(|one| code(*one) == given);
    found.ok_or_else(|| {
        let codes: Vec<&str> = all.iter().copied().map(code).collect();
        Error::new(
            ErrorKind::Malformed,
            format!(
                "Something must be chosen there, one of: {}.",
                codes.join(", ")
            ),
        )
    })
}

/// The beginning of a day, in UTC.
fn day(text: &str) -> Result<i64, Error> {
    let parsed = record::time::parse_interval(text).filter(|_| record::time::is_date(text));
    parsed.map(|at| at.start).ok_or_else(|| {
        Error::new(
            ErrorKind::Malformed,
            "The day when the person was told is missing or malformed: write it as 2026-03-01.",
        )
    })
}

fn officer(who: &SignedIn) -> Result<(), Error> {
    match who.user.role.as_str() {
        "officer" => Ok(()),
        _ => Err(Error::new(
            ErrorKind::Forbidden,
            "Only an officer of the programme may ask for an erasure; ask one of them.",
        )),
    }
}

fn context(asked: &Asked, found: Found) -> Result<one::Context, Error> {
    let (view, programme) = (&asked.view, &asked.programme);
    let plan = plan::of(view, &found.person(), found.erasure.request.scope)?;
    let steps = found.erasure.steps.iter().zip(&found.positions);
    let steps = steps.map(|(taken, position)| one::Row {
        what: said(&taken.step),
        who: name(programme, &taken.who.actor),
        recorded_at: RecordedAt(taken.recorded_at),
        position: *position,
        why: taken.step.text().unwrap_or_default().to_owned(),
    });
    let request = &found.erasure.request;
    Ok(one::Context {
        shell: asked.shell(),
        person: readable(view, &found)?,
        alias: request.person.clone(),
        scope: request.scope,
        basis: request.basis,
        citation: request.citation.clone(),
        delay_days: request.delay / casework::DAY,
        stands: stands(&found.erasure),
        done: found.erasure.stage == Stage::Done,
        earliest: found.erasure.earliest(),
        goes: match &found.goes {
            Some(goes) => goes.kinds.clone(),
            None => plan.goes.kinds,
        },
        stays: plan.stays,
        steps: steps.collect(),
        holds: match found.erasure.stage {
            Stage::Open => found
                .erasure
                .open_holds()
                .map(|hold| (hold.number, hold.why.clone()))
                .collect(),
            _ => Vec::new(),
        },
        may: may(asked, &found)?,
        unlawful: found.unlawful.iter().map(ToString::to_string).collect(),
        id: found.id,
    })
}

/// What whoever looks can do now. Nothing in the past, nothing when it is over.
fn may(asked: &Asked, found: &Found) -> Result<one::May, Error> {
    let erasure = &found.erasure;
    if !asked.view.is_now() || erasure.stage != Stage::Open || !found.unlawful.is_empty() {
        return Ok(one::May::default());
    }
    let patient = match person::id(&asked.view, &found.person())? {
        Some(id) => asked.view.read("Patient", &id)?,
        None => None,
    };
    let stored = patient.map(|version| version.stored).unwrap_or_default();
    let who = Who {
        actor: erasure::actor(&asked.who.user).name,
        officer: asked.who.user.role == "officer",
        themself: person::is_user(&asked.view, &asked.who.user, &stored)?,
    };
    let now = asked.programme.clock().now().0;
    let decide = |step: &Step| {
        let decided = erasure.decide(step, &who, now);
        decided.map_err(|refusal| refusal.sentence())
    };
    let why = || "as it will be written".to_owned();
    let tell = Step::Tell {
        how: Told::Letter,
        happened: now,
    };
    let officer = |outcome| who.officer.then_some(outcome);
    Ok(one::May {
        approve: officer(decide(&Step::Approve)),
        tell: officer(decide(&tell)).filter(Result::is_ok),
        hold: Some(decide(&Step::Hold { why: why() })),
        decide: who.officer,
        carry_out: officer(decide(&Step::CarryOut)),
    })
}

/// Where an erasure stands, as a sentence.
pub(crate) fn stands(erasure: &Erasure) -> String {
    let last = erasure.steps.last().map_or(0, |taken| taken.recorded_at);
    let on = |at: i64| when::day(at);
    let over = |taken: &Taken| matches!(taken.step, Step::Refuse { .. });
    match erasure.stage {
        Stage::Done => format!(
            "Carried out on {}. What its keys opened can no longer be read here.",
            on(last)
        ),
        Stage::CarryingOut => {
            "It is being carried out; if it was interrupted, the next start of the server finishes it."
                .to_owned()
        }
        Stage::Over if erasure.steps.last().is_some_and(over) => {
            format!("Refused on {}. Nothing was erased.", on(last))
        }
        Stage::Over => format!("Withdrawn on {}. Nothing was erased.", on(last)),
        Stage::Open => {
            let approved = match erasure.approvals.len() {
                0 => "No officer has approved it yet",
                1 => "One officer has approved it, and another must",
                _ => "Both officers have approved it",
            };
            let told = match erasure.earliest() {
                None => "the person has not been told".to_owned(),
                Some(at) => format!("it may be carried out from {} UTC on", when::minute(at)),
            };
            let holds = erasure.open_holds().count() as u64;
            let held = match holds {
                0 => String::new(),
                _ => format!(
                    " {} in the way.",
                    match holds {
                        1 => "A hold stands".to_owned(),
                        many => format!("{many} holds stand"),
                    }
                ),
            };
            format!("{approved}; {told}.{held}")
        }
    }
}

fn said(step: &Step) -> String {
    match step {
        Step::Request(_) => "Asked for".to_owned(),
        Step::Approve => "Approved".to_owned(),
        Step::Tell { how, happened } => {
            format!("Told {}, on {}", how.words(), when::day(*happened))
        }
        Step::LeaveUntold { ground, .. } => format!("Not told: {}", ground.words()),
        Step::Hold { .. } => "Held".to_owned(),
        Step::Release { hold, .. } => format!("Hold {hold} lifted"),
        Step::Refuse { .. } => "Refused".to_owned(),
        Step::Withdraw { .. } => "Withdrawn".to_owned(),
        Step::CarryOut => "Begun to carry it out".to_owned(),
        Step::Done => "Done".to_owned(),
    }
}

/// Who an actor is, as colleagues know them.
pub(crate) fn name(programme: &Programme, actor: &str) -> String {
    let user = actor
        .strip_prefix("user/")
        .and_then(|id| id.parse().ok())
        .and_then(|id| programme.desk().user(id).ok().flatten());
    match user {
        Some(user) => user.name,
        None if actor == casework::erasure::PROGRAMME => "the server".to_owned(),
        None => actor.to_owned(),
    }
}

/// Id and name of the person of an erasure, as long as they can be read.
fn readable(view: &View, found: &Found) -> Result<Option<(String, String)>, Error> {
    let Some(id) = person::id(view, &found.person())? else {
        return Ok(None);
    };
    Ok(named(view, &id)?.map(|name| (id, name)))
}

fn named(view: &View, id: &str) -> Result<Option<String>, Error> {
    let version = left(view.read("Patient", id))?;
    let Some(version) = version.filter(|version| !version.deleted) else {
        return Ok(None);
    };
    let doc = record::json::Doc::parse(&version.stored).map_err(Error::internal)?;
    let name = words::name(doc.root());
    Ok(Some(
        name.unwrap_or_else(|| "(no name recorded)".to_owned()),
    ))
}

/// Says on a page about a person that the erasure of their record is asked for.
pub(super) fn mark(asked: &Asked, shell: &mut Shell) -> Result<(), Error> {
    if let Some(banner) = &mut shell.banner {
        let alias = asked.programme.ledger().person(&banner.id);
        let least = asked.programme.erasure_delay_least();
        let all = erasure::all(&asked.view, Some(alias), least)?;
        let open = all.into_iter().find(Found::is_open);
        banner.erasure = open.map(|found| (found.id.clone(), stands(&found.erasure)));
    }
    Ok(())
}
