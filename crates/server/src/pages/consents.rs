//! Consents: what a person decided, the forms that decide, and one consent with what came of it.

use axum::body::Body;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use casework::DAY;
use casework::consent::offer::{self, KEEP_FROM, OFFERS, RELEASE};
use casework::consent::part2;
use policy::{Action, Kind, Purpose};
use record::json::{Doc, Value};
use record::search::parse_criteria;

use super::scanned::Form;
use super::{Asked, away, person, see};
use crate::case::{Names, words};
use crate::consent::act::{self, Act, Scan};
use crate::consent::write::{self, Paper, Release, Said, Signed};
use crate::consent::{self, document, is_person};
use crate::error::{Error, ErrorKind};
use crate::permit::Thing;
use crate::programme::{Programme, Search, Version, View};
use crate::release::Given;
use crate::sign_in::SignedIn;
use crate::web::consents::{Context, Decision, Row, page, stands};
use crate::web::when::{self, RecordedAt};
use crate::web::{consent as one, consent_new, path};

/// How many members of staff and organisations a form lists.
const LISTED_MAX: usize = 200;

/// What something may be released for to somebody outside.
const PURPOSES: [Purpose; 6] = [
    Purpose::Coordination,
    Purpose::Treatment,
    Purpose::Payment,
    Purpose::Fitness,
    Purpose::Legal,
    Purpose::OwnRequest,
];

/// `GET /people/{id}/consents`
pub async fn list(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let (shell, mut given) = person::about(&asked, &id)?;
        must_see(&asked, &id)?;
        let now = asked.moment();
        let mut found: Vec<(Option<&'static str>, Row, i64)> = Vec::new();
        for version in consent::versions(&asked.view, &id)? {
            given.version(&version);
            let Ok(doc) = Doc::parse(&version.stored) else {
                continue;
            };
            let about = words::consent_about(doc.root());
            let known = OFFERS.iter().map(|offer| offer.code).chain([RELEASE]);
            let row = row(&version, doc.root(), now);
            let at = consent::read(&version).and_then(|one| one.given);
            found.push((
                known.into_iter().find(|code| about == Some(code)),
                row,
                at.unwrap_or(i64::MIN),
            ));
        }
        found.sort_by_key(|(_, row, at)| std::cmp::Reverse((row.in_force, *at, row.position)));
        let of = |code: Option<&str>| -> Vec<Row> {
            let rows = found.iter().filter(|(about, _, _)| *about == code);
            rows.map(|(_, row, _)| row.clone()).collect()
        };
        let decisions = OFFERS.iter().map(|offer| {
            let mut answers = of(Some(offer.code));
            if offer.code != KEEP_FROM {
                // The newest answer is the one that stands, whichever way it went.
                answers.sort_by_key(|row| std::cmp::Reverse(row.position));
                answers.truncate(1);
            }
            Decision { offer, answers }
        });
        let context = Context {
            themself: is_person(&asked.who, &id),
            may: asked.view.is_now() && act::may_enter(&asked.who, &id).is_ok(),
            decisions: decisions.collect(),
            releases: of(Some(RELEASE)),
            others: of(None),
            person: id,
            shell,
        };
        Ok(asked.answer(page(&context), given))
    })
    .await
}

/// `GET /people/{id}/consents/new`
pub async fn form(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let (shell, given) = person::about(&asked, &id)?;
        must_see(&asked, &id)?;
        let themself = act::may_enter(&asked.who, &id)?;
        let about = asked.param("about").unwrap_or_default();
        let offer = match about {
            RELEASE => None,
            about => Some(offer::offer(about).ok_or_else(unknown)?),
        };
        let people = |kind| named(&asked.view, kind);
        let context = consent_new::Context {
            person: id,
            themself,
            staff: match about {
                KEEP_FROM => people("Practitioner")?
                    .into_iter()
                    .map(|(id, name)| (format!("Practitioner/{id}"), name))
                    .collect(),
                _ => Vec::new(),
            },
            organisations: match about {
                RELEASE => people("Organization")?,
                _ => Vec::new(),
            },
            offer,
            purposes: PURPOSES
                .iter()
                .map(|purpose| (purpose.code(), purpose.words()))
                .collect(),
            now: asked.now(),
            shell,
        };
        Ok(asked.answer(consent_new::page(&context), given))
    })
    .await
}

/// `POST /people/{id}/consents`
pub async fn decide(
    asked: Asked,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let form = Form::read(&headers, body).await?;
    let asked = known(asked, &id, Some(Kind::Governance)).await?;
    let (programme, who) = (asked.programme.clone(), asked.who.clone());
    let actor = asked.actor();
    let until = ends(&form)?;
    let act = match form.text("about") {
        RELEASE => release(&programme, &form, until)?,
        about => {
            let offer = offer::offer(about).ok_or_else(unknown)?;
            let from = match offer.code {
                KEEP_FROM => Some(kept_from(&programme, form.text("from"))?),
                _ => None,
            };
            Act::Decide(Said::Offer {
                offer,
                yes: chosen(form.text("answer"))?,
                until,
                from,
            })
        }
    };
    let (signed, scan) = signed(&programme, &who, &id, form);
    act::take(&programme, &who, actor, &id, act, signed, scan).await?;
    Ok(see(&path::consents(&id)))
}

/// Refuses whoever may not see what governs a person's record: to them it would look as if nothing
/// had been decided.
pub(super) fn must_see(asked: &Asked, id: &str) -> Result<(), Error> {
    let alias = asked.programme.ledger().person(id);
    asked.must(Action::Read, &Thing::about(alias, Kind::Governance))
}

/// Goes on only with a person whom whoever asks may see; and if they are to write something of a kind in
/// that person's record, only if they may. What the person says of themself is theirs to write.
pub(super) async fn known(asked: Asked, id: &str, writes: Option<Kind>) -> Result<Asked, Error> {
    let id = id.to_owned();
    let check = move || {
        person::about(&asked, &id)?;
        if let Some(kind) = writes.filter(|_| !is_person(&asked.who, &id)) {
            let alias = asked.programme.ledger().person(&id);
            asked.must(Action::Write, &Thing::about(alias, kind))?;
        }
        Ok(asked)
    };
    tokio::task::spawn_blocking(check)
        .await
        .map_err(Error::internal)?
}

/// `POST /people/{id}/consents/{consent}/{step}`: withdraw or narrow.
pub(super) async fn change(
    asked: Asked,
    (id, consent, step): (String, String, String),
    form: Form,
) -> Result<Response, Error> {
    let act = match step.as_str() {
        "withdraw" => Act::Withdraw {
            id: consent.clone(),
        },
        "narrow" => Act::Narrow {
            id: consent.clone(),
            keep: form.all("part").map(str::to_owned).collect(),
            until: ends(&form)?,
        },
        _ => {
            return Err(Error::new(
                ErrorKind::NotFound,
                "There is nothing of this name to do with a consent.",
            ));
        }
    };
    let asked = known(asked, &id, Some(Kind::Governance)).await?;
    let (programme, who) = (&asked.programme, &asked.who);
    let (signed, scan) = signed(programme, who, &id, form);
    act::take(programme, who, asked.actor(), &id, act, signed, scan).await?;
    Ok(see(&path::consent(&id, &consent)))
}

/// `GET /people/{id}/consents/{consent}`
pub async fn get(
    asked: Asked,
    Path((id, consent)): Path<(String, String)>,
) -> Result<Response, Error> {
    away(move || {
        let (shell, mut given) = person::about(&asked, &id)?;
        let history = asked.view.history("Consent", &consent)?;
        let newest = history
            .first()
            .filter(|newest| !newest.deleted && newest.person().as_deref() == Some(id.as_str()));
        let newest = newest.ok_or_else(missing)?;
        history.iter().for_each(|version| given.version(version));
        // Nothing rests on it that is older than it.
        let since = history.last().map_or(i64::MIN, |first| first.recorded_at.0);
        let doc = Doc::parse(&newest.stored).map_err(Error::internal)?;
        let root = doc.root();
        let now = asked.moment();
        let row = row(newest, root, now);
        let read = consent::read(newest).ok_or_else(missing)?;
        let about = words::consent_about(root);
        let part2 = part2::missing(&document::elements(root, &read));
        let changes = asked.view.is_now()
            && read.active
            && read.until().is_none_or(|end| end > now)
            && act::may_enter(&asked.who, &id).is_ok();
        let context = one::Context {
            person: id.clone(),
            themself: is_person(&asked.who, &id),
            title: match about {
                Some(RELEASE) => format!("Release of information to {}", row.what),
                _ => row.what,
            },
            stands: row.stands,
            facts: facts(root),
            words: text(root),
            lacks: match speaks_of_substances(&read.provision) {
                true => part2.iter().map(ToString::to_string).collect(),
                false => Vec::new(),
            },
            versions: versions(&asked.view, &history)?,
            given: given_out(&asked, &id, &consent, since, &mut given)?,
            parts: parts(root),
            until: read.until(),
            may: one::May {
                change: changes,
                release: changes && about == Some(RELEASE) && !is_person(&asked.who, &id),
            },
            id: consent,
            shell,
        };
        Ok(asked.answer(one::page(&context), given))
    })
    .await
}

fn row(version: &Version, root: Value<'_>, now: i64) -> Row {
    let read = consent::read(version);
    let signed_at = signature(root).and_then(|(_, at)| at);
    let at = signed_at.or_else(|| read.as_ref().and_then(|one| one.given));
    let at = at.filter(|at| *at != i64::MAX);
    let about = words::consent_about(root);
    let recipient = actor(root).and_then(|actor| Names::display(actor.get("reference")));
    let what = match about {
        Some(RELEASE | KEEP_FROM) => recipient,
        Some(code) => offer::offer(code).map(|offer| offer.title.to_owned()),
        None => None,
    };
    let denies = root.str_at(&["provision", "type"]) == Some("deny");
    let until = read.as_ref().and_then(|one| one.until());
    let (words, in_force) = match root.str_at(&["status"]) {
        Some("active") => match until {
            Some(until) if until <= now => (format!("Ended on {}", when::day(until - 1)), false),
            Some(until) if !denies => (format!("In force until {}", when::day(until - 1)), true),
            _ => (stands(if denies { "No" } else { "Yes" }, at), true),
        },
        Some("rejected") => (stands("No", at), false),
        Some("inactive") => (
            at.map_or_else(
                || "Taken back".to_owned(),
                |at| format!("Taken back on {}", when::day(at)),
            ),
            false,
        ),
        Some("entered-in-error") => ("Entered in error".to_owned(), false),
        other => (words::plain(other.unwrap_or("unknown")), false),
    };
    Row {
        id: version.id.clone(),
        what: what
            .or_else(|| words::consent_matter(root))
            .unwrap_or_else(|| "Consent".to_owned()),
        stands: words,
        in_force,
        position: version.position,
    }
}

/// What a Consent says, for a person to read.
pub(super) fn facts(root: Value<'_>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut add = |name: &str, words: String| {
        if !words.is_empty() {
            out.push((name.to_owned(), words));
        }
    };
    let provision = root.get("provision");
    if let Some(actor) = actor(root) {
        let name = Names::display(actor.get("reference")).unwrap_or_default();
        let address = address(actor).unwrap_or_default();
        let comma = if address.is_empty() { "" } else { ", " };
        let label = match words::consent_about(root) {
            Some(KEEP_FROM) => "Kept from",
            _ => "To",
        };
        add(label, format!("{name}{comma}{address}"));
    }
    let purposes = provision.and_then(|one| one.get("purpose"));
    let purposes: Vec<String> = purposes
        .into_iter()
        .flat_map(Value::items)
        .filter_map(|one| one.str_at(&["code"]))
        .map(consent::purpose_words)
        .collect();
    add("What for", purposes.join(", "));
    let parts = parts(root).into_iter().map(|(_, words)| words);
    add("What", parts.collect::<Vec<_>>().join("; "));
    let text = |path: &[&str]| {
        let micros = provision?
            .str_at(path)
            .and_then(record::time::parse_interval)?;
        Some(when::day(micros.start))
    };
    if let Some(from) = text(&["dataPeriod", "start"]) {
        add("Only what happened", format!("from {from} on"));
    }
    add("From", text(&["period", "start"]).unwrap_or_default());
    add(
        "Until",
        text(&["period", "end"]).unwrap_or_else(|| "it has no end of its own".to_owned()),
    );
    let who = root.get("organization").and_then(|all| all.items().next());
    add("Who may give it", Names::display(who).unwrap_or_default());
    out
}

/// The parts of a release that can be taken out: key and words.
fn parts(root: Value<'_>) -> Vec<(String, String)> {
    let within = root.at(&["provision", "provision"]);
    let permits = within.into_iter().flat_map(Value::items);
    permits
        .filter(|one| one.str_at(&["type"]) == Some("permit"))
        .filter_map(|one| {
            let key = one.str_at(&["id"])?;
            let words = offer::part(key)
                .map_or("Everything that is not protected by a label", |part| {
                    part.words
                });
            Some((key.to_owned(), words.to_owned()))
        })
        .collect()
}

/// Whom a Consent names, at its root or in the first provision within.
pub(super) fn actor(root: Value<'_>) -> Option<Value<'_>> {
    let provision = root.get("provision")?;
    let inner = provision
        .get("provision")
        .into_iter()
        .flat_map(Value::items);
    let mut actors = std::iter::once(provision)
        .chain(inner)
        .filter_map(|one| one.get("actor"));
    actors.next()?.items().next()
}

/// The address that a Consent has of whom it names.
pub(super) fn address(actor: Value<'_>) -> Option<String> {
    let mut extensions = actor.get("extension")?.items();
    let found = extensions.find(|one| one.str_at(&["url"]) == Some(write::ADDRESS))?;
    Some(found.str_at(&["valueString"])?.to_owned())
}

fn speaks_of_substances(provision: &Option<casework::consent::Provision>) -> bool {
    provision.as_ref().is_some_and(|one| {
        let label = |label: &String| casework::consent::label::is_part2(label);
        one.labels.iter().any(label)
            || one
                .within
                .iter()
                .any(|inner| speaks_of_substances(&Some(inner.clone())))
    })
}

/// The words that were signed, if they are in the Consent itself.
fn text(root: Value<'_>) -> Option<String> {
    use base64::Engine;
    let data = root.str_at(&["sourceAttachment", "data"])?;
    let kind = root.str_at(&["sourceAttachment", "contentType"])?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(data)
        .ok()?;
    kind.starts_with("text/plain")
        .then(|| String::from_utf8(bytes).ok())?
}

/// A part of what a version says of how it was signed.
fn signed_part<'d>(root: Value<'d>, url: &str) -> Option<Value<'d>> {
    let mut extensions = root.get("extension")?.items();
    let signed = extensions.find(|one| one.str_at(&["url"]) == Some(write::SIGNED))?;
    let mut parts = signed.get("extension")?.items();
    parts.find(|one| one.str_at(&["url"]) == Some(url))
}

/// How a version was signed, in words, and when.
fn signature(root: Value<'_>) -> Option<(String, Option<i64>)> {
    let part = |url: &str| signed_part(root, url);
    let name = part("name")?.str_at(&["valueString"])?;
    let at = part("when")
        .and_then(|one| one.str_at(&["valueInstant"]))
        .and_then(record::time::parse_interval)
        .map(|at| at.start);
    let words = match part("witness").and_then(|one| one.str_at(&["valueString"])) {
        Some(witness) => {
            let kept = part("kept").and_then(|one| one.str_at(&["valueString"]));
            let kept = kept
                .map(|kept| format!("; kept: {kept}"))
                .unwrap_or_default();
            format!("on paper by {name}, seen by {witness}{kept}")
        }
        None => format!("on this page by {name}"),
    };
    Some((words, at))
}

fn versions(view: &View, history: &[Version]) -> Result<Vec<one::Version>, Error> {
    let mut out = Vec::with_capacity(history.len());
    for (place, version) in history.iter().enumerate() {
        let doc = Doc::parse(&version.stored).map_err(Error::internal)?;
        let root = doc.root();
        let before = history.get(place + 1);
        let was_active = before
            .and_then(consent::read)
            .is_some_and(|before| before.active);
        let signed = signature(root);
        // The paper of this version; what it was first given on is its source for good.
        let scan =
            signed_part(root, "scan").and_then(|one| one.str_at(&["valueReference", "reference"]));
        let scan = scan.and_then(|scan| scan.strip_prefix("DocumentReference/"));
        let scan = match scan {
            Some(id) => view.read("DocumentReference", id)?,
            None => None,
        };
        out.push(one::Version {
            version: version.version,
            what: match (root.str_at(&["status"]), before.is_some(), was_active) {
                _ if version.deleted => "Deleted",
                (Some("inactive"), _, _) => "Taken back",
                (Some("rejected"), _, _) => "Refused",
                (Some("active"), false, _) => "Given",
                (Some("active"), true, true) => "Changed",
                (Some("active"), true, false) => "Given again",
                _ => "Recorded",
            }
            .to_owned(),
            signed: signed
                .as_ref()
                .map(|(words, _)| words.clone())
                .unwrap_or_default(),
            signed_at: signed.and_then(|(_, at)| at),
            recorded_at: RecordedAt(version.recorded_at.0),
            position: version.position,
            scan: scan.map(|scan| scan.position),
        });
    }
    Ok(out)
}

/// What was given out because of a consent.
fn given_out(
    asked: &Asked,
    person: &str,
    consent: &str,
    since: i64,
    given: &mut Given,
) -> Result<Vec<one::Given>, Error> {
    let log = asked.programme.access();
    let alias = asked.programme.ledger().person(person);
    let positions = super::access::about_since(asked, alias, since)?;
    let positions = super::access::told_to(asked, person, positions)?;
    let of = format!("Consent/{consent}/_history/");
    let mut names = super::access::Lookup::new(asked);
    let mut out = Vec::new();
    for position in positions {
        let Some(one) = log.leaf(position).map_err(Error::ledger)? else {
            continue;
        };
        if one.told.as_ref().is_some_and(|told| {
            let mut rests = told.basis.consent.split(", ");
            rests.any(|version| version.starts_with(&of))
        }) {
            given.leaf(position, &[alias]);
            out.push(one::Given {
                leaf: position,
                at: RecordedAt(one.leaf.recorded_at.0),
                who: names.actor(&one.leaf.actor),
                versions: one.leaf.versions,
            });
        }
    }
    Ok(out)
}

/// Everything of a kind that has a name: id and name, by name.
fn named(view: &View, kind: &str) -> Result<Vec<(String, String)>, Error> {
    let (criteria, _) = parse_criteria(kind, &[], "");
    let page = view.search(&Search {
        criteria: &criteria,
        count: LISTED_MAX,
        after: None,
        total: false,
    })?;
    let mut out: Vec<(String, String)> = Vec::new();
    for hit in page.hits {
        let doc = Doc::parse(&hit.stored).map_err(Error::internal)?;
        if let Some(name) = words::name(doc.root()) {
            out.push((hit.id, name));
        }
    }
    out.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(out)
}

fn release(programme: &Programme, form: &Form, until: Option<i64>) -> Result<Act, Error> {
    let view = programme.view(crate::programme::AsOf::Now);
    let chosen = form.text("organisation");
    let name = match chosen {
        "" => form.text("recipient").to_owned(),
        id => {
            let found = view
                .read("Organization", id)?
                .filter(|found| !found.deleted);
            let found = found.ok_or_else(|| {
                Error::new(
                    ErrorKind::NotFound,
                    "There is no such organisation; choose another.",
                )
            })?;
            let doc = Doc::parse(&found.stored).map_err(Error::internal)?;
            words::name(doc.root()).unwrap_or_default()
        }
    };
    let purpose = PURPOSES
        .iter()
        .find(|purpose| purpose.code() == form.text("purpose"));
    let parts = offer::PARTS
        .iter()
        .filter(|part| form.all("part").any(|key| key == part.key))
        .collect();
    let release = Release {
        organisation: match chosen {
            "" => programme.new_id(),
            id => id.to_owned(),
        },
        name,
        address: form.text("address").to_owned(),
        purpose: purpose.map_or(("", ""), |purpose| (purpose.system(), purpose.code())),
        parts,
        from: form.day("from"),
        // Without a day it is over already, and the rule says so.
        until: until.unwrap_or(i64::MIN),
    };
    Ok(match chosen {
        "" => Act::Release(release),
        _ => Act::Decide(Said::Release(release)),
    })
}

fn kept_from(programme: &Programme, reference: &str) -> Result<(String, String), Error> {
    let view = programme.view(crate::programme::AsOf::Now);
    let found = match reference.strip_prefix("Practitioner/") {
        Some(id) => view
            .read("Practitioner", id)?
            .filter(|found| !found.deleted),
        None => None,
    };
    let found = found.ok_or_else(|| act::refused(&offer::Refusal::NobodyNamed))?;
    let doc = Doc::parse(&found.stored).map_err(Error::internal)?;
    let name = words::name(doc.root()).unwrap_or_else(|| reference.to_owned());
    Ok((reference.to_owned(), name))
}

/// The first microsecond after the last day that a form names.
fn ends(form: &Form) -> Result<Option<i64>, Error> {
    match (form.text("until"), form.day("until")) {
        ("", _) => Ok(None),
        (_, Some(day)) => Ok(Some(day + DAY)),
        (_, None) => Err(act::refused(&offer::Refusal::NoEnd)),
    }
}

fn chosen(answer: &str) -> Result<bool, Error> {
    match answer {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(Error::new(ErrorKind::Malformed, "Choose yes or no.")),
    }
}

/// How the form is signed, and the scan that came with it.
fn signed(
    programme: &Programme,
    who: &SignedIn,
    patient: &str,
    form: Form,
) -> (Signed, Option<Scan>) {
    let themself = is_person(who, patient);
    let paper = (!themself).then(|| Paper {
        witness: form.text("witness").to_owned(),
        kept: form.text("kept").to_owned(),
        scan: None,
    });
    let signed = Signed {
        name: form.text("name").to_owned(),
        at: match themself {
            true => programme.clock().now().0,
            false => form.day("signed").unwrap_or(i64::MIN),
        },
        paper,
    };
    let scan = form.scan.filter(|_| !themself).map(|file| Scan {
        media: file.media,
        bytes: file.bytes,
    });
    (signed, scan)
}

fn unknown() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "There is nothing of this name to decide. Go back to the list of consents.",
    )
}

fn missing() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "There is no such consent of this person.",
    )
}
