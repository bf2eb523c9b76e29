//! Warrants: the list, the form that enters one, one of them with everything that was read under it, its
//! paper, and the inspector's own first page.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use casework::kind::Kind;
use casework::warrant::{Notice, Order, Persons, Stage, Step, Warrant};
use casework::{DAY, Span};
use ledger::Alias;
use policy::Action;
use record::search::parse_criteria;
use sha2::{Digest, Sha256};

use super::form::Form;
use super::forms::must_be_fresh;
use super::read_under::{Wanted, reads};
use super::{Asked, away, see};
use crate::erasure::person;
use crate::error::{Error, ErrorKind, left};
use crate::permit::Thing;
use crate::programme::{AsOf, Programme, Search, View};
use crate::release::{Given, What};
use crate::sign_in::SignedIn;
use crate::warrant::{self, Found, SCAN_BYTES_MAX, Scan, notice};
use crate::web::when::{self, RecordedAt};
use crate::web::{inspection, path, warrant as one, warrant_new, warrants as list};

/// The media types of a paper's scan.
const SCANS: [&str; 4] = ["application/pdf", "image/png", "image/jpeg", "image/tiff"];

/// `GET /warrants`
pub async fn list(asked: Asked) -> Result<Response, Error> {
    away(move || {
        reads_all(&asked)?;
        let view = asked.unbound();
        let now = asked.moment();
        let mut given = Given::new();
        let rows = warrant::all(&view)?.into_iter().map(|found| {
            found
                .aliases()
                .into_iter()
                .for_each(|alias| given.person(alias));
            let order = &found.warrant.order;
            list::Row {
                number: order.number.clone(),
                issuer: order.issuer.clone(),
                inspector: name(&asked.programme, &order.inspector),
                about: about(&order.persons),
                stands: stands(&found.warrant, now),
                in_force: found.warrant.stage(now) == Stage::InForce,
                entered_at: RecordedAt(found.warrant.entered_at),
                id: found.id,
            }
        });
        let rows = rows.collect();
        let context = list::Context {
            shell: asked.shell(),
            rows,
        };
        Ok(asked.answer(list::page(&context), given))
    })
    .await
}

/// `GET /warrants/new`
pub async fn form(asked: Asked) -> Result<Response, Error> {
    // Before anything is written, so that a scan need not be chosen twice.
    if must_be_fresh(&asked.programme, &asked.who).is_err() {
        reads_all(&asked)?;
        let person = asked.param("person").unwrap_or_default();
        let next = match person {
            "" => path::WARRANT_NEW.to_owned(),
            person => path::with(path::WARRANT_NEW, &[("person", person)]),
        };
        return Ok(see(&path::with(path::AGAIN, &[("next", &next)])));
    }
    away(move || {
        reads_all(&asked)?;
        let users = asked.programme.desk().users().map_err(Error::desk)?;
        let inspectors = users
            .iter()
            .filter(|user| user.role == "inspector" && !user.disabled);
        let context = warrant_new::Context {
            shell: asked.shell(),
            inspectors: inspectors
                .map(|user| (crate::sign_in::actor_name(user), user.name.clone()))
                .collect(),
            persons: asked.param("person").unwrap_or_default().to_owned(),
        };
        Ok(asked.answer(warrant_new::page(&context), Given::new()))
    })
    .await
}

/// `POST /warrants`
pub async fn enter(
    State(programme): State<Programme>,
    who: SignedIn,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    let form = Form::read(&headers, &body)?;
    governs(&programme, &who)?;
    must_be_fresh(&programme, &who)?;
    let (order, scan) = order(&programme, &form)?;
    let id = warrant::enter(&programme, &who.user, order, scan).await?;
    Ok(see(&path::warrant(&id)))
}

/// What the form says, as an order.
fn order(programme: &Programme, form: &Form) -> Result<(Order, Option<Scan>), Error> {
    let kinds = form.all("kind").map(|code| {
        Kind::parse(code).ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                "There is no such kind of record. Choose from the list.",
            )
        })
    });
    let kinds = kinds.collect::<Result<Vec<Kind>, Error>>()?;
    let view = programme.view(AsOf::Now);
    let persons = match form.field("whose") {
        "all" => Persons::All,
        _ => Persons::Named(persons(programme, &view, form.field("persons"))?),
    };
    let first = form.day("happened-from", "The first day of what may be read")?;
    let last = form.day("happened-to", "The last day of what may be read")?;
    let happened = match (first, last) {
        (None, None) => None,
        (first, last) => Some(Span {
            start: first.unwrap_or(0),
            end: last.map_or(i64::MAX, |last| last + DAY),
        }),
    };
    let why = || form.field("notice-why").trim().to_owned();
    let notice = match form.field("notice") {
        "at" => Notice::At {
            instant: form.must_day("notice-day", "The day on which the persons are told")?,
            why: why(),
        },
        "at-the-end" => Notice::AtTheEnd { why: why() },
        _ => Notice::AtOnce,
    };
    let scan = form.file().map(|file| Scan {
        media_type: file.media_type.clone(),
        bytes: file.bytes.clone(),
    });
    let given = form.field("sha256").trim().to_lowercase();
    let paper = match &scan {
        None => given,
        Some(scan) => {
            let wrong = |words: &str| Err(Error::new(ErrorKind::Refused, words));
            if !SCANS.contains(&scan.media_type.as_str()) {
                return wrong("The scan must be a PDF, PNG, JPEG or TIFF file.");
            }
            if scan.bytes.len() > SCAN_BYTES_MAX {
                return wrong(
                    "The scan is larger than 8 MB. Scan it in black and white, or enter its SHA-256.",
                );
            }
            let hash = hex(&Sha256::digest(&scan.bytes));
            if !given.is_empty() && given != hash {
                return wrong(
                    "The scan has another SHA-256 than the one that you entered. Look which of the two is the paper.",
                );
            }
            hash
        }
    };
    let order = Order {
        inspector: inspector(programme, form.field("inspector"))?,
        issuer: form.field("issuer").trim().to_owned(),
        court: form.field("court") == "yes",
        number: form.field("number").trim().to_owned(),
        persons,
        kinds,
        happened,
        from: form.must_day("from", "The day from which it is in force")?,
        until: form.must_day("to", "The last day on which it is in force")? + DAY,
        notice,
        paper,
    };
    Ok((order, scan))
}

/// The actor's name of an inspector who can sign in.
fn inspector(programme: &Programme, given: &str) -> Result<String, Error> {
    let users = programme.desk().users().map_err(Error::desk)?;
    let mut inspectors = users
        .iter()
        .filter(|user| user.role == "inspector" && !user.disabled);
    match inspectors.any(|user| crate::sign_in::actor_name(user) == given) {
        true => Ok(given.to_owned()),
        false if given.is_empty() => Ok(String::new()),
        false => Err(Error::new(
            ErrorKind::Refused,
            "Whoever may read under a warrant must sign in here as an inspector. Choose one from the list.",
        )),
    }
}

/// The aliases of persons who are named by their numbers or ids, one on a line.
pub(super) fn persons(
    programme: &Programme,
    view: &View,
    text: &str,
) -> Result<Vec<String>, Error> {
    let mut aliases = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let ids = named(view, line)?;
        let [id] = ids.as_slice() else {
            return Err(Error::new(
                ErrorKind::Refused,
                match ids.len() {
                    0 => {
                        "One of the numbers is nobody's here. Look at each again; the id in the address \
                          of their page does as well."
                    }
                    _ => {
                        "One of the numbers is several people's. Name that person by the id in the \
                          address of their page."
                    }
                },
            ));
        };
        let alias = programme.ledger().person(id).to_string();
        if !aliases.contains(&alias) {
            aliases.push(alias);
        }
    }
    Ok(aliases)
}

fn named(view: &View, text: &str) -> Result<Vec<String>, Error> {
    let stands = left(view.read("Patient", text))?;
    if stands.is_some_and(|version| !version.deleted) {
        return Ok(vec![text.to_owned()]);
    }
    let escaped = text
        .replace('\\', "\\\\")
        .replace(',', "\\,")
        .replace('|', "\\|");
    let params = [("identifier".to_owned(), escaped)];
    let (criteria, _) = parse_criteria("Patient", &params, "");
    let page = view.search(&Search {
        criteria: &criteria,
        count: 2,
        after: None,
        total: false,
    })?;
    Ok(page.hits.into_iter().map(|version| version.id).collect())
}

/// `GET /warrants/{id}`
pub async fn get(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let found = readable(&asked, &id)?;
        let mut given = Given::new();
        for position in &found.positions {
            given.at(*position, None);
        }
        found
            .aliases()
            .into_iter()
            .for_each(|alias| given.person(alias));
        let context = context(&asked, found, &mut given)?;
        Ok(asked.answer(one::page(&context), given))
    })
    .await
}

/// `GET /warrants/{id}/paper`
pub async fn paper(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let found = readable(&asked, &id)?;
        let none = || Error::new(ErrorKind::NotFound, "The scan of this paper is not here.");
        let scan = found.scan.as_ref().ok_or_else(none)?;
        let version = asked
            .unbound()
            .read("DocumentReference", scan)?
            .ok_or_else(none)?;
        let scan = warrant::task::scanned(&version.stored).ok_or_else(none)?;
        // The form lets nothing else in; nothing else goes out, either.
        let kind = SCANS.into_iter().find(|kind| *kind == scan.media_type);
        let kind = kind.unwrap_or("application/octet-stream");
        let mut response = (StatusCode::OK, scan.bytes).into_response();
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, kind),
            (
                header::CONTENT_DISPOSITION,
                "attachment; filename=\"warrant\"",
            ),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let mut given = Given::of(&version);
        found
            .aliases()
            .into_iter()
            .for_each(|alias| given.person(alias));
        Ok(asked.gives(response, What::Page, given))
    })
    .await
}

/// `POST /warrants/{id}/{step}`
pub async fn step(
    State(programme): State<Programme>,
    who: SignedIn,
    Path((id, step)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    let form = Form::read(&headers, &body)?;
    governs(&programme, &who)?;
    if step != "revoke" {
        return Err(Error::new(
            ErrorKind::NotFound,
            "There is no such step of a warrant.",
        ));
    }
    warrant::revoke(&programme, &who.user, &id, form.field("why")).await?;
    Ok(see(&path::warrant(&id)))
}

/// `GET /inspection`
pub async fn inspection(asked: Asked) -> Result<Response, Error> {
    away(move || {
        if asked.who.user.role != "inspector" {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "This page is for inspectors. Officers find all warrants under Warrants.",
            ));
        }
        let mut given = Given::new();
        let context = own(&asked, &mut given)?;
        Ok(asked.answer(inspection::page(&context), given))
    })
    .await
}

fn own(asked: &Asked, given: &mut Given) -> Result<inspection::Context, Error> {
    let view = asked.unbound();
    let now = asked.moment();
    let me = names(asked);
    let (mut in_force, mut others) = (Vec::new(), Vec::new());
    for found in warrant::all(&view)? {
        let order = &found.warrant.order;
        if !me.contains(&order.inspector) || !found.unlawful.is_empty() {
            continue;
        }
        // Whom it names is told only as long as it lets them be read, now.
        if found.warrant.stage(asked.now()) != Stage::InForce
            || found.warrant.stage(now) != Stage::InForce
        {
            others.push(inspection::Other {
                number: order.number.clone(),
                stands: stands(&found.warrant, now),
                id: found.id,
            });
            continue;
        }
        let mut persons = Vec::new();
        for alias in found.aliases() {
            let Some(id) = person::id(&view, &format!("~{alias}"))? else {
                continue;
            };
            if let Some((name, number)) = known_as(&asked.view, &id)? {
                given.person(alias);
                persons.push((id, name, number));
            }
        }
        in_force.push(inspection::Warrant {
            number: order.number.clone(),
            issuer: order.issuer.clone(),
            kinds: order
                .kinds
                .iter()
                .map(|kind| kind.words().to_owned())
                .collect(),
            happened: order.happened.map(days),
            until: found.warrant.end(),
            persons: matches!(order.persons, Persons::Named(_)).then_some(persons),
            notice: told(&found.warrant, now),
            id: found.id,
        });
    }
    in_force.sort_by_key(|warrant| warrant.until);
    Ok(inspection::Context {
        shell: asked.shell(),
        in_force,
        others,
    })
}

/// Refuses whoever may not see all warrants: that is for officers, as far as the policy lets them.
fn reads_all(asked: &Asked) -> Result<(), Error> {
    officer(&asked.who)?;
    asked.must(Action::Read, &Thing::of(policy::Kind::Governance))
}

/// Refuses whoever may not enter or revoke one.
fn governs(programme: &Programme, who: &SignedIn) -> Result<(), Error> {
    officer(who)?;
    let asked = Asked::of(programme, who.clone(), path::WARRANTS)?;
    asked.must(Action::Govern, &Thing::of(policy::Kind::Governance))
}

/// A warrant that whoever asks may see: officers all of them, an inspector their own. To everybody
/// else there is none.
fn readable(asked: &Asked, id: &str) -> Result<Found, Error> {
    if asked.who.user.role == "officer" {
        reads_all(asked)?;
    }
    let found = warrant::find(&asked.unbound(), id)?.filter(|found| {
        asked.who.user.role == "officer" || names(asked).contains(&found.warrant.order.inspector)
    });
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "There is no such warrant in the record. All of them are under Warrants.",
        )
    })
}

fn names(asked: &Asked) -> [String; 2] {
    let user = &asked.who.user;
    [
        format!("user/{}", user.id),
        crate::sign_in::actor_name(user),
    ]
}

fn context(asked: &Asked, found: Found, given: &mut Given) -> Result<one::Context, Error> {
    let view = asked.unbound();
    let now = asked.moment();
    let is_officer = asked.who.user.role == "officer";
    let Warrant { order, .. } = &found.warrant;
    let may_name = is_officer || found.warrant.stage(asked.now()) == Stage::InForce;
    let mut persons = Vec::new();
    for alias in found.aliases() {
        let id = match may_name {
            true => person::id(&view, &format!("~{alias}"))?,
            false => None,
        };
        let name = match &id {
            Some(id) => known_as(&view, id)?,
            None => None,
        };
        let told_by = notice::id(&found.id, &alias.to_string());
        let told = view.vread("Communication", &told_by, 1)?;
        persons.push(one::Named {
            person: id.zip(name.map(|(name, _)| name)),
            alias: alias.to_string(),
            told: told.map(|version| version.recorded_at.0),
        });
    }
    let inspector = [order.inspector.clone()];
    let wanted = Wanted {
        readers: &inspector,
        persons: &found.aliases(),
        from: order.from.max(found.warrant.entered_at),
        until: found.warrant.end(),
        named: may_name,
        task: found.id.clone(),
    };
    let (reads, more) = match found.unlawful.is_empty() {
        true => reads(asked, &wanted, given)?,
        false => (Vec::new(), 0),
    };
    let steps = found.warrant.steps.iter().zip(&found.positions);
    let why = match &order.notice {
        Notice::AtOnce => None,
        Notice::At { why, .. } | Notice::AtTheEnd { why } => Some(why.clone()),
    };
    Ok(one::Context {
        shell: asked.shell(),
        number: order.number.clone(),
        issuer: (order.issuer.clone(), order.court),
        inspector: name(&asked.programme, &order.inspector),
        stands: stands(&found.warrant, now),
        kinds: order
            .kinds
            .iter()
            .map(|kind| kind.words().to_owned())
            .collect(),
        happened: order.happened.map(days),
        term: (order.from, order.until),
        notice: (told(&found.warrant, now), why),
        persons,
        paper: order.paper.clone(),
        scan: found.scan.is_some(),
        reads,
        more,
        steps: steps
            .map(|(taken, position)| one::Step {
                what: match taken.step {
                    Step::Enter(_) => "Entered",
                    Step::Revoke { .. } => "Revoked",
                },
                who: name(&asked.programme, &taken.who.actor),
                recorded_at: RecordedAt(taken.recorded_at),
                why: match &taken.step {
                    Step::Revoke { why } => why.clone(),
                    Step::Enter(_) => String::new(),
                },
                position: *position,
            })
            .collect(),
        may_revoke: is_officer
            && asked.view.is_now()
            && found.unlawful.is_empty()
            && matches!(found.warrant.stage(now), Stage::InForce | Stage::NotYet),
        unlawful: found.unlawful.iter().map(ToString::to_string).collect(),
        id: found.id,
    })
}

/// Name and number of a person, as long as they can be read.
pub(super) fn known_as(view: &View, id: &str) -> Result<Option<(String, String)>, Error> {
    let version = left(view.read("Patient", id))?;
    let Some(version) = version.filter(|version| !version.deleted) else {
        return Ok(None);
    };
    let doc = record::json::Doc::parse(&version.stored).map_err(Error::internal)?;
    let root = doc.root();
    let name = crate::case::words::name(root);
    let numbers = root
        .get("identifier")
        .into_iter()
        .flat_map(|all| all.items());
    let number = numbers
        .filter(|one| one.str_at(&["system"]) == Some(casework::codes::PARTICIPANT_NUMBER))
        .find_map(|one| one.str_at(&["value"]));
    Ok(Some((
        name.unwrap_or_else(|| "(no name recorded)".to_owned()),
        number.unwrap_or_default().to_owned(),
    )))
}

/// The name and the alias of whom an entry is about: nothing if nobody may be named any more.
pub(super) fn named_by_alias(view: &View, alias: Alias) -> Result<Option<(String, String)>, Error> {
    let Some(id) = person::id(view, &format!("~{alias}"))? else {
        return Ok(None);
    };
    Ok(known_as(view, &id)?.map(|(name, _)| (id, name)))
}

/// The same, as far as whoever asks may know who it is.
pub(super) fn known_to(asked: &Asked, alias: Alias) -> Result<Option<(String, String)>, Error> {
    let Some(id) = person::id(&asked.unbound(), &format!("~{alias}"))? else {
        return Ok(None);
    };
    Ok(known_as(&asked.view, &id)?.map(|(name, _)| (id, name)))
}

/// Who an actor is, as colleagues know them.
pub(crate) fn name(programme: &Programme, actor: &str) -> String {
    let users = programme.desk().users().unwrap_or_default();
    let user = users.into_iter().find(|user| {
        crate::sign_in::actor_name(user) == actor || format!("user/{}", user.id) == actor
    });
    match user {
        Some(user) => user.name,
        None if actor == casework::erasure::PROGRAMME => "the server".to_owned(),
        None => actor.to_owned(),
    }
}

/// Where a warrant stands at a moment, as a sentence.
pub(crate) fn stands(warrant: &Warrant, now: i64) -> String {
    match warrant.stage(now) {
        Stage::InForce => format!("In force until {} UTC.", when::minute(warrant.end())),
        Stage::NotYet => format!(
            "It opens nothing before {} UTC.",
            when::minute(warrant.order.from.max(warrant.entered_at))
        ),
        Stage::Expired => format!("Ended on {}.", when::day(warrant.end())),
        Stage::Revoked => format!("Revoked on {}.", when::day(warrant.end())),
    }
}

/// When the persons are told, as a sentence.
fn told(warrant: &Warrant, now: i64) -> String {
    let due = warrant.notice_due();
    match &warrant.order.notice {
        Notice::AtOnce => "They were told at once.".to_owned(),
        _ if due <= now => format!("They were to be told on {}.", when::day(due)),
        Notice::At { .. } => format!(
            "They are told on {}, and do not know before.",
            when::day(due)
        ),
        Notice::AtTheEnd { .. } => format!(
            "They are told when it ends ({} at the latest), and do not know before.",
            when::day(due)
        ),
    }
}

/// "2 persons", "everybody".
pub(crate) fn about(persons: &Persons) -> String {
    match persons {
        Persons::All => "everybody".to_owned(),
        Persons::Named(named) if named.len() == 1 => "1 person".to_owned(),
        Persons::Named(named) => format!("{} persons", named.len()),
    }
}

/// The first and the last day of a time.
fn days(happened: Span) -> (i64, i64) {
    (happened.start, happened.end.saturating_sub(1))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn officer(who: &SignedIn) -> Result<(), Error> {
    match who.user.role.as_str() {
        "officer" => Ok(()),
        _ => Err(Error::new(
            ErrorKind::Forbidden,
            "Warrants are for officers of the programme; ask one of them. Inspectors find their own \
             under Your warrants.",
        )),
    }
}
