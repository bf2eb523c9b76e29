//! What a release covers, made to be given out: a page to print, or a FHIR document.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum::{Extension, http::StatusCode};
use ledger::disclosure::What;
use policy::{Action, Kind};
use record::json::Doc;

use super::scanned::Form;
use super::{Asked, away, consents, entry, html, person};
use crate::case::words;
use crate::consent::packet::{self, NOTICE, Packet};
use crate::consent::{is_person, purpose_words};
use crate::error::{Error, ErrorKind};
use crate::fhir::Api;
use crate::permit;
use crate::release::{Basis, Given, Release};
use crate::web::packet::{Context, Thing, page};
use crate::web::path;
use crate::web::when::{Happened, RecordedAt};

/// `POST /people/{id}/consents/{consent}/{step}`
pub async fn step(
    Extension(api): Extension<Api>,
    asked: Asked,
    Path((id, consent, step)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let form = Form::read(&headers, body).await?;
    if step != "packet" {
        return consents::change(asked, (id, consent, step), form).await;
    }
    let base = api.base(&headers);
    away(move || make(&asked, &id, &consent, &base, form.text("as") == "bundle")).await
}

fn make(
    asked: &Asked,
    id: &str,
    consent: &str,
    base: &str,
    as_bundle: bool,
) -> Result<Response, Error> {
    let staff = matches!(
        asked.who.user.role.as_str(),
        "caseworker" | "prescriber" | "supervisor" | "officer"
    );
    if !staff || is_person(&asked.who, id) {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "What a release covers is given out by staff of the programme. Your own record is yours \
             to take: see \u{201c}Take everything with you\u{201d}.",
        ));
    }
    asked.reader.not_taken_away()?;
    if !asked.view.is_now() {
        return Err(Error::new(
            ErrorKind::Refused,
            "A packet is made of what is released now, not of what was released then. Go back to now first.",
        ));
    }
    let now = asked.programme.clock().now().0;
    let (mut shell, mut given) = person::about(asked, id)?;
    // It is made once; whoever moves to another instant sees the release.
    shell.path = path::consent(id, consent);
    let packet = packet::of(&asked.programme, &asked.view, id, consent, now)?;
    must_give(asked, &packet)?;
    given.version(&packet.release);
    packet
        .versions
        .iter()
        .for_each(|version| given.version(version));
    let file = asked.programme.new_id();
    let response = match as_bundle {
        true => bundle(
            packet::document(&packet, &file, base, asked.programme.name(), id, now),
            &file,
        ),
        false => {
            let doc = Doc::parse(&packet.release.stored).map_err(Error::internal)?;
            let context = Context {
                recipient: packet.recipient.1.clone(),
                address: packet.recipient.2.clone(),
                purpose: purpose_words(&packet.purpose),
                notice: packet.part2.then(|| NOTICE.0.to_owned()),
                release: consents::facts(doc.root()),
                things: things(&packet)?,
                shell,
            };
            html(StatusCode::OK, page(&context))
        }
    };
    Ok(recorded(asked, response, given, &packet))
}

/// Refuses whoever may not give out all of it. That the person released it to whom it goes is one fact of
/// that; what is said of an entry goes with it by law, and is nobody's to keep back.
fn must_give(asked: &Asked, packet: &Packet) -> Result<(), Error> {
    for version in &packet.versions {
        let doc = Doc::parse(&version.stored).map_err(Error::internal)?;
        let thing = permit::Thing {
            about: version.about,
            author: &version.actor,
            released: true,
            ..permit::Thing::from(doc.root())
        };
        if thing.kinds.each().all(|kind| kind != Kind::Governance) {
            asked.must(Action::Export, &thing)?;
        }
    }
    Ok(())
}

/// Says on the access log for whom, what for, on which release and with which notice.
fn recorded(asked: &Asked, response: Response, given: Given, packet: &Packet) -> Response {
    let basis = Basis {
        recipient: packet.recipient.1.clone(),
        address: packet.recipient.2.clone(),
        consent: packet.basis(),
        notice: match packet.part2 {
            true => NOTICE.1.to_owned(),
            false => String::new(),
        },
        ..Basis::default()
    };
    let mut response = asked.gives_on(basis, response, What::Export, given);
    if let Some(Release::Of(disclosure)) = response.extensions_mut().get_mut::<Release>() {
        disclosure.actor.purpose = packet.purpose.clone();
    }
    response
}

fn bundle(bytes: Vec<u8>, id: &str) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/fhir+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"release-{id}.json\""))
    {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

fn things(packet: &Packet) -> Result<Vec<Thing>, Error> {
    let mut out = Vec::with_capacity(packet.versions.len());
    for version in &packet.versions {
        let doc = Doc::parse(&version.stored).map_err(Error::internal)?;
        let root = doc.root();
        out.push(Thing {
            what: words::words(&version.kind, root).what,
            happened: record::happened::happened(root).map(|at| Happened {
                start: at.start,
                end: at.end,
            }),
            recorded_at: RecordedAt(version.recorded_at.0),
            facts: entry::leaves(root),
        });
    }
    Ok(out)
}
