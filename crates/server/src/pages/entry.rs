//! One entry of the ledger.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use evidence::signature::{Proof, Signed};
use maud::Markup;
use record::json::{Doc, Value};

use super::{Asked, away, download, person};
use crate::case::{Case, Names, attention, words};
use crate::error::{Error, ErrorKind, left};
use crate::programme::Version;
use crate::release::{Given, What};
use crate::router::Drawn;
use crate::signature;
use crate::web::entry::{Action, Context, Difference, Signature, Version as Shown, page};
use crate::web::erased;
use crate::web::when::{Happened, RecordedAt};

/// How long a value is shown before it is cut, in characters.
const VALUE_CHARACTERS: usize = 600;

pub async fn get(asked: Asked, Path(position): Path<String>) -> Result<Response, Error> {
    away(move || match at(&asked, &position) {
        Ok(version) => {
            let (context, given) = context(&asked, &version)?;
            Ok(asked.answer(page(&context), given))
        }
        Err(error) if error.kind == ErrorKind::Erased => tombstone(&asked, &position, error),
        Err(error) => Err(error),
    })
    .await
}

pub(super) fn draw(asked: &Asked, position: &str) -> Result<(Markup, Given), Error> {
    let version = at(asked, position)?;
    let (context, given) = context(asked, &version)?;
    Ok((page(&context), given))
}

pub async fn receipt(asked: Asked, Path(position): Path<String>) -> Result<Response, Error> {
    asked.reader.not_taken_away()?;
    away(move || match at(&asked, &position) {
        Ok(version) => {
            let text = asked.view.receipt(version.position)?;
            let file = download(&name(&version), text);
            Ok(asked.gives(file, What::Receipt, Given::of(&version)))
        }
        // What was erased keeps its place in the log, and the proof of it.
        Err(error) if error.kind == ErrorKind::Erased => {
            let position = position.parse().map_err(|_| error)?;
            let file = download(
                &format!("entry-{position}-erased.tlog-proof"),
                asked.view.receipt(position)?,
            );
            let mut given = Given::new();
            given.at(
                position,
                asked.view.entry(position)?.and_then(|entry| entry.person),
            );
            Ok(asked.gives(file, What::Receipt, given))
        }
        Err(error) => Err(error),
    })
    .await
}

pub(super) fn at(asked: &Asked, position: &str) -> Result<Version, Error> {
    let found = match position.parse() {
        Ok(position) => asked.view.at(position)?,
        Err(_) => None,
    };
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            if asked.view.is_now() {
                "The record has no such entry, or none that you may see."
            } else {
                "The record had no such entry at that instant, or none that you may see. Go back to now to see whether it \
                 came later."
            },
        )
    })
}

/// What is shown in the place of an erased entry. It is gone, and says so.
fn tombstone(asked: &Asked, position: &str, error: Error) -> Result<Response, Error> {
    let Some(entry) = position
        .parse()
        .ok()
        .and_then(|at| asked.view.entry(at).ok().flatten())
    else {
        return Err(error);
    };
    let found = asked.view.erasure_of(&entry)?;
    let context = erased::Context {
        shell: asked.shell(),
        position: entry.position,
        kind: entry.kind,
        recorded_at: RecordedAt(entry.recorded_at.0),
        line: entry.line,
        erasure: found.map(|found| erased::Erasure {
            basis: found
                .erasure
                .request
                .basis
                .map_or("", |basis| basis.words())
                .to_owned(),
            approved: found
                .erasure
                .approvals
                .iter()
                .map(|(actor, _)| super::erasures::name(&asked.programme, actor))
                .collect(),
            done_at: (found.erasure.stage == casework::erasure::Stage::Done)
                .then(|| {
                    found
                        .erasure
                        .steps
                        .last()
                        .map(|taken| RecordedAt(taken.recorded_at))
                })
                .flatten(),
            id: found.id,
        }),
    };
    let mut response = super::html(StatusCode::GONE, erased::page(&context));
    // The router renders errors from this; here the page is drawn already.
    response.extensions_mut().insert(Drawn);
    Ok(response)
}

fn name(version: &Version) -> String {
    format!(
        "{}-{}-{}.tlog-proof",
        version.kind, version.id, version.version
    )
}

/// Versions that were erased: number and place of each.
type Erased = Vec<(u32, u64)>;

/// What is left of the versions of what a version is of, and those that were erased, both newest first: as far as
/// whoever looks may know of them.
fn versions(asked: &Asked, of: &Version) -> Result<(Vec<Version>, Erased), Error> {
    let (view, kind, id) = (&asked.view, &of.kind, &of.id);
    let stands = view.stands(kind, id)?.unwrap_or(of.version);
    match view.history(kind, id) {
        Ok(all) if all.len() == stands as usize => return Ok((all, Vec::new())),
        Ok(_) => {}
        // Nothing is left but deletions.
        Err(error) if error.kind == ErrorKind::Erased => {}
        Err(error) => return Err(error),
    }
    let (mut there, mut erased) = (Vec::new(), Vec::new());
    for number in (1..=stands).rev() {
        match view.vread(kind, id, number) {
            Ok(version) => there.extend(version),
            Err(error) if error.kind == ErrorKind::Erased => {
                let entry = view.entry_of(kind, id, number)?;
                erased.extend(entry.map(|entry| (number, entry.position)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((there, erased))
}

fn context(asked: &Asked, version: &Version) -> Result<(Context, Given), Error> {
    let mut given = Given::of(version);
    let mut shell = asked.shell();
    let mut disputes = Vec::new();
    let names = Names::new(&asked.view);
    let (history, erased) = versions(asked, version)?;
    // A deletion says nothing but that it is one: what it is about is told by the version before.
    let telling = if version.deleted {
        history
            .iter()
            .find(|other| !other.deleted)
            .unwrap_or(version)
    } else {
        version
    };
    if let Some(patient) = telling.person()
        && let Some(case) = left(Case::read(&asked.view, &patient))?
    {
        given.person(asked.programme.ledger().person(&patient));
        let things = case.things();
        let state = attention::state(&things, &names, asked.moment());
        shell.banner = person::banner(&case, &things, &state, asked.moment());
        super::erasures::mark(asked, &mut shell)?;
        disputes = super::disputes::beside(asked, &patient, version, &mut given)?;
    }
    let doc = Doc::parse(&version.stored).map_err(Error::internal)?;
    let told = Doc::parse(&telling.stored).map_err(Error::internal)?;
    let entry = asked.view.entry(version.position)?;
    let mut rows = Vec::with_capacity(history.len());
    for (place, one) in history.iter().enumerate() {
        given.version(one);
        // What a version changed is told by the one right before it, and by no other.
        let before = history.get(place + 1);
        let before = before.filter(|before| before.version + 1 == one.version);
        let gap = !one.deleted && one.version > 1 && before.is_none();
        let differences = match before {
            Some(before) if !one.deleted && !before.deleted => differences(before, one)?,
            _ => Vec::new(),
        };
        rows.push(Shown {
            version: one.version,
            position: one.position,
            recorded_at: RecordedAt(one.recorded_at.0),
            author: author(&names, one),
            purpose: purpose(asked.view.entry(one.position)?.map(|entry| entry.purpose)),
            action: match before {
                _ if one.deleted => Action::Deleted,
                _ if gap => Action::Recorded,
                Some(before) if !before.deleted => Action::Changed,
                _ => Action::Created,
            },
            gap,
            differences,
        });
    }
    let context = Context {
        shell,
        title: words::words(&version.kind, told.root()).what,
        reference: format!("{}/{}", version.kind, version.id),
        position: version.position,
        version: version.version,
        happened: record::happened::happened(told.root()).map(|at| Happened {
            start: at.start,
            end: at.end,
        }),
        versions: rows,
        facts: leaves(doc.root()),
        signatures: signatures(asked, version, &mut given)?,
        may_sign: (asked.view.is_now() || asked.again.is_some())
            && history.first().map(|one| one.version) == Some(version.version)
            && erased
                .first()
                .is_none_or(|(newest, _)| *newest < version.version)
            && !version.deleted
            && version.kind != "Provenance",
        json: String::from_utf8_lossy(&version.stored).into_owned(),
        line: entry.map(|entry| entry.line).unwrap_or_default(),
        is_cosigned: asked
            .outside()
            .map(|outside| version.position < outside.cosigned),
        receipt_name: name(version),
        disputes,
        erased,
    };
    Ok((context, given))
}

/// The signatures on any version of what is shown, each checked anew.
fn signatures(
    asked: &Asked,
    version: &Version,
    given: &mut Given,
) -> Result<Vec<Signature>, Error> {
    let (programme, view) = (&asked.programme, &asked.view);
    let found = signature::of(programme, view, &version.kind, &version.id)?;
    Ok(found
        .into_iter()
        .map(|one| {
            given.version(&one.version);
            let Signed { statement, proof } = one.signed;
            Signature {
                this: statement.position == version.position,
                position: one.version.position,
                of: statement.position,
                meaning: statement.meaning.word(),
                name: statement.name,
                actor: statement.actor,
                at: statement.at.0,
                passkey: match proof {
                    Proof::Passkey(assertion) => Some(assertion.fingerprint()),
                    Proof::Server => None,
                },
                flaw: one.fits.err().map(|flaw| flaw.to_string()),
            }
        })
        .collect())
}

/// Who recorded a version: the member of staff behind the actor, or the actor's own name.
fn author(names: &Names<'_>, version: &Version) -> String {
    if let Some(name) = names.at(&version.actor) {
        return name;
    }
    match version.actor.split_once('/') {
        Some(("client", client)) => format!("the program {client}"),
        _ if version.actor == "import" => "an import".to_owned(),
        _ => version.actor.clone(),
    }
}

fn purpose(code: Option<String>) -> String {
    match code {
        Some(code) => super::access::purpose(&code),
        None => "not recorded".to_owned(),
    }
}

/// What a document says, element by element, as a person would read it: a coding is its display
/// and code, a reference its name, a period its two ends.
pub(super) fn leaves(root: Value<'_>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    walk(root, String::new(), &mut out);
    out
}

fn walk(value: Value<'_>, place: String, out: &mut Vec<(String, String)>) {
    if let Some(whole) = in_one(value) {
        out.push((place, whole));
    } else if value.is_object() {
        for (key, inner) in value.entries() {
            if place.is_empty() && matches!(key, "resourceType" | "id") {
                continue;
            }
            // The text of an attachment is what was written, not its encoding.
            if key == "data"
                && value
                    .str_at(&["contentType"])
                    .is_some_and(|kind| kind.starts_with("text/plain"))
                && let Some(text) = inner.as_str().and_then(|data| STANDARD.decode(data).ok())
                && let Ok(text) = String::from_utf8(text)
            {
                out.push((format!("{place}.{key}"), text));
                continue;
            }
            let place = if place.is_empty() {
                key.to_owned()
            } else {
                format!("{place}.{key}")
            };
            walk(inner, place, out);
        }
    } else if value.is_array() {
        let one = value.len() == 1;
        for (number, inner) in value.items().enumerate() {
            let place = if one {
                place.clone()
            } else {
                format!("{place}[{number}]")
            };
            walk(inner, place, out);
        }
    } else {
        let whole = value.as_str().unwrap_or_else(|| value.raw_str());
        let mut shown: String = whole.chars().take(VALUE_CHARACTERS).collect();
        if shown.len() < whole.len() {
            shown.push('\u{2026}');
        }
        out.push((place, shown));
    }
}

/// An object that is read as one thing.
fn in_one(value: Value<'_>) -> Option<String> {
    let text = |key: &str| value.str_at(&[key]);
    let only =
        |keys: &[&str]| value.is_object() && value.entries().all(|(key, _)| keys.contains(&key));
    if only(&["system", "version", "code", "display", "userSelected"]) && text("code").is_some() {
        let code = text("code")?;
        let of = text("system")
            .map(|system| format!(", {system}"))
            .unwrap_or_default();
        return Some(match text("display") {
            Some(display) => format!("{display} ({code}{of})"),
            None => format!("{code}{of}"),
        });
    }
    if only(&["reference", "display", "type"]) && text("reference").is_some() {
        let reference = text("reference")?;
        return Some(match text("display") {
            Some(display) => format!("{display} ({reference})"),
            None => reference.to_owned(),
        });
    }
    if only(&["start", "end"]) && (text("start").is_some() || text("end").is_some()) {
        return Some(match (text("start"), text("end")) {
            (Some(start), Some(end)) => format!("{start} to {end}"),
            (Some(start), None) => format!("since {start}"),
            (None, end) => format!("until {}", end.unwrap_or_default()),
        });
    }
    if only(&["value", "unit", "system", "code", "comparator"]) {
        let number = value.get("value")?.number_text()?;
        let unit = text("unit").or_else(|| text("code")).unwrap_or_default();
        let comparator = text("comparator").unwrap_or_default();
        return Some(format!("{comparator}{number} {unit}").trim_end().to_owned());
    }
    None
}

fn differences(before: &Version, after: &Version) -> Result<Vec<Difference>, Error> {
    let before_doc = Doc::parse(&before.stored).map_err(Error::internal)?;
    let after_doc = Doc::parse(&after.stored).map_err(Error::internal)?;
    let (before, after_leaves) = (leaves(before_doc.root()), leaves(after_doc.root()));
    let kind = &after.kind;
    let find = |list: &[(String, String)], place: &str| {
        list.iter()
            .find(|(known, _)| known == place)
            .map(|(_, value)| value.clone())
    };
    let mut out = Vec::new();
    for (place, value) in &after_leaves {
        let was = find(&before, place);
        if was.as_ref() != Some(value) {
            out.push(Difference {
                place: format!("{kind}.{place}"),
                before: was,
                after: Some(value.clone()),
            });
        }
    }
    for (place, value) in before {
        if find(&after_leaves, &place).is_none() {
            out.push(Difference {
                place: format!("{kind}.{place}"),
                before: Some(value),
                after: None,
            });
        }
    }
    Ok(out)
}
