//! The policy in force, trying another, and putting it in force.
//!
//! Whoever signs in may read the policy: it says what is done with their record, or what they may do with
//! others'. So it is read from the whole record, and gives out nothing of anybody's.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use policy::truth;
use policy::{Action, Kind, Policy, Reason, Role};

use super::access::Lookup;
use super::forms::must_be_fresh;
use super::sign_in::field;
use super::{Asked, away, see};
use crate::amendment::{self, trial::Trial};
use crate::error::{Error, ErrorKind};
use crate::fhir::query::{self, Pairs};
use crate::permit::Thing;
use crate::programme::{AsOf, Programme};
use crate::release::Given;
use crate::sign_in::SignedIn;
use crate::web::rules::{Context, Form, Row, page};
use crate::web::when::RecordedAt;
use crate::web::{path, rules_trial as tried};

/// The largest form, in bytes: a text of the longest that is taken, with every byte escaped.
const FORM_BYTES_MAX: usize = 3 * policy::ADDED_MAX + (16 << 10);

/// How many rows of changes a page shows.
const ROWS_MAX: usize = 200;

/// `GET /policy`
pub async fn get(asked: Asked) -> Result<Response, Error> {
    away(move || {
        let form = None;
        let (context, given) = context(&asked, form)?;
        Ok(asked.answer(page(&context), given))
    })
    .await
}

/// `POST /policy/edit`: the form with a text that was tried.
pub async fn edit(asked: Asked, body: Bytes) -> Result<Response, Error> {
    must_govern(&asked)?;
    let form = fields(&body)?;
    let text = field(&form, "text").to_owned();
    away(move || {
        let flaws = Vec::new();
        let (context, given) = context(&asked, Some(Form { text, flaws }))?;
        Ok(asked.answer(page(&context), given))
    })
    .await
}

/// `POST /policy/try`
pub async fn attempt(asked: Asked, body: Bytes) -> Result<Response, Error> {
    must_govern(&asked)?;
    let form = fields(&body)?;
    let text = unix_lines(field(&form, "text"));
    away(move || match amendment::parse(&text) {
        Err(error) => {
            let flaws = match Policy::with(&text) {
                Err(flaws) => flaws.iter().map(ToString::to_string).collect(),
                Ok(_) => vec![error.message.to_string()],
            };
            let (context, given) = context(&asked, Some(Form { text, flaws }))?;
            Ok(asked.answer(page(&context), given))
        }
        Ok(candidate) => {
            let view = asked.programme.view(AsOf::Now);
            let against = amendment::standing(&view)?.map_or(0, |standing| standing.version);
            let trial = amendment::trial::of(&asked.programme, candidate, path::POLICY_DAYS)?;
            let context = shown(&asked, text, against, &trial);
            Ok(asked.answer(tried::page(&context), Given::new()))
        }
    })
    .await
}

/// `POST /policy`
pub async fn set(
    State(programme): State<Programme>,
    who: SignedIn,
    body: Bytes,
) -> Result<Response, Error> {
    amendment::must_be_officer(&who.user)?;
    must_be_fresh(&programme, &who)?;
    let form = fields(&body)?;
    let text = unix_lines(field(&form, "text"));
    let against = field(&form, "against").parse().map_err(|_| {
        Error::new(
            ErrorKind::Malformed,
            "The form does not say which version it was tried against. Try the text again.",
        )
    })?;
    // What is kept of the trial is what it shows now, not what a form says that it had shown.
    let (tries, candidate) = (programme.clone(), amendment::parse(&text)?);
    let tried = tokio::task::spawn_blocking(move || {
        amendment::trial::of(&tries, candidate, path::POLICY_DAYS)
    });
    let sentence = tried
        .await
        .map_err(Error::internal)??
        .sentence(path::POLICY_DAYS);
    let why = field(&form, "why");
    amendment::set(&programme, &who.user, &text, why, against, &sentence).await?;
    Ok(see(path::POLICY))
}

fn fields(body: &Bytes) -> Result<Pairs, Error> {
    if body.len() > FORM_BYTES_MAX {
        return Err(Error::new(
            ErrorKind::TooLarge,
            "That is more text than is taken as a policy: 64 KiB.",
        ));
    }
    query::decode(&String::from_utf8_lossy(body))
}

fn must_govern(asked: &Asked) -> Result<(), Error> {
    amendment::must_be_officer(&asked.who.user)?;
    asked.must(Action::Govern, &Thing::of(Kind::Governance))
}

/// Browsers send the ends of lines as two characters.
fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

fn context(asked: &Asked, form: Option<Form>) -> Result<(Context, Given), Error> {
    let as_of = match asked.view.instant() {
        Some(at) => AsOf::Instant(at),
        None => AsOf::Size(asked.view.size()),
    };
    let view = asked.programme.view(as_of);
    let versions = amendment::all(&view)?;
    let added_text = versions.first().map_or("", |version| version.text.as_str());
    let pairs = |reasons: Vec<Reason>| -> Vec<(String, String)> {
        let pair = |reason: Reason| (reason.policy.to_string(), reason.sentence.to_string());
        reasons.into_iter().map(pair).collect()
    };
    let in_force = asked.programme.permits().policy();
    let policy = match in_force.added() == added_text {
        true => in_force,
        false => Arc::new(Policy::with(added_text).unwrap_or_else(|_| Policy::closed())),
    };
    let added = policy.added_policies();
    let mut base = policy.policies();
    base.truncate(base.len() - added.len());
    let entries = asked.decide(Action::Read, &Thing::of(Kind::Governance))?;
    let mut given = Given::new();
    let mut whom = Lookup::new(asked);
    let rows = versions.iter().map(|version| {
        given.at(version.position, None);
        Row {
            position: entries.allowed.then_some(version.position),
            at: RecordedAt(version.recorded_at.0),
            who: whom.actor(&version.actor),
            why: version.why.clone(),
            tried: version.tried.clone(),
        }
    });
    let rows = rows.collect();
    let officer = asked.reader.who().role == Role::Officer && asked.view.is_now();
    let form = form.or(Some(Form {
        text: added_text.to_owned(),
        flaws: Vec::new(),
    }));
    let context = Context {
        shell: asked.shell(),
        base: pairs(base),
        base_text: policy::BASE.to_owned(),
        added: pairs(added),
        added_text: added_text.to_owned(),
        versions: rows,
        form: form.filter(|_| officer),
    };
    Ok((context, given))
}

fn shown(asked: &Asked, text: String, against: u32, trial: &Trial) -> tried::Context {
    let flips = |allowed: bool| -> Vec<tried::Flip> {
        let some = trial.flips.iter().filter(|flip| flip.allowed == allowed);
        some.map(|flip| tried::Flip {
            role: flip.role.as_str().to_owned(),
            what: what(flip.action, flip.kind, flip.purpose.words()),
            disclosures: flip.disclosures,
            readers: flip.readers,
            people: flip.people,
            because: flip.because.clone(),
        })
        .collect()
    };
    let mut changes = gathered(&trial.changes);
    let changes_in_all = changes.len() as u64;
    changes.truncate(ROWS_MAX);
    tried::Context {
        shell: asked.shell(),
        text,
        against,
        disclosures: trial.disclosures,
        versions: trial.versions,
        unknown: trial.unknown,
        more: trial.more,
        closed: flips(false),
        opened: flips(true),
        changes,
        changes_in_all,
        asked: trial.asked,
    }
}

/// Changes that differ in nothing but the situation in one row, what opens first.
pub(crate) fn gathered(changes: &[truth::Change]) -> Vec<tried::Change> {
    let mut rows: Vec<(_, tried::Change)> = Vec::new();
    for change in changes {
        let (role, action, kind) = (change.role, change.action, change.kind);
        let key = (role, change.purpose, action, kind, change.allowed);
        let mut situation = change.situation.to_owned();
        if let Some(label) = &change.label {
            situation.push_str(&format!(" (labelled {label})"));
        }
        match rows.iter_mut().find(|(other, _)| *other == key) {
            Some((_, row)) => {
                row.situations.push_str("; ");
                row.situations.push_str(&situation);
            }
            None => rows.push((
                key,
                tried::Change {
                    role: role.as_str().to_owned(),
                    what: what(action, kind, change.purpose.words()),
                    situations: situation,
                    allowed: change.allowed,
                },
            )),
        }
    }
    rows.sort_by_key(|(_, row)| !row.allowed);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn what(action: Action, kind: Kind, purpose: &str) -> String {
    format!("{} {} for {purpose}", action.as_str(), kind.as_str())
}
