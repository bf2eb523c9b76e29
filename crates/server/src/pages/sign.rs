//! Signing an entry.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use evidence::signature::{Meaning, Proof};
use record::json::Doc;
use serde_json::json;

use super::account::by_password_again;
use super::enrol::is_made_up;
use super::sign_in::{Said, answer, field, read};
use super::{Asked, entry, html, see};
use crate::case::words;
use crate::error::{Error, ErrorKind};
use crate::programme::Version;
use crate::release::{self, Given, What};
use crate::router::Drawn;
use crate::sign_in::Visitor;
use crate::signature::{self, Offered};
use crate::web::{path, sign};

fn meaning(word: &str) -> Result<Meaning, Error> {
    match word {
        "" => Ok(Meaning::Reviewed),
        word => Meaning::parse(word).ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                "A signature means authored, reviewed, approved or witnessed.",
            )
        }),
    }
}

/// The form.
pub async fn form(
    asked: Asked,
    visitor: Visitor,
    Path(position): Path<String>,
) -> Result<Response, Error> {
    let version = entry::at(&asked, &position)?;
    let word = asked.param("meaning").unwrap_or_default();
    let meaning = match word {
        "" if version.actor == asked.who.actor().name => Meaning::Authored,
        word => meaning(word)?,
    };
    draw(&asked, &visitor, &version, meaning, None)
}

fn draw(
    asked: &Asked,
    visitor: &Visitor,
    version: &Version,
    meaning: Meaning,
    problem: Option<String>,
) -> Result<Response, Error> {
    let offered = offer(asked, version, meaning, asked.now());
    let (statement, refusal) = match offered {
        Ok(offered) => (offered.statement.text(), None),
        Err(error) if error.kind == ErrorKind::Refused => (String::new(), Some(error.message)),
        Err(error) => return Err(error),
    };
    let (desk, user) = (asked.programme.desk(), asked.who.user.id);
    let keys = desk.passkeys(user).map_err(Error::desk)?;
    let doc = Doc::parse(&version.stored).map_err(Error::internal)?;
    let status = match problem {
        Some(_) => StatusCode::FORBIDDEN,
        None => StatusCode::OK,
    };
    let context = sign::Context {
        shell: asked.shell(),
        title: words::words(&version.kind, doc.root()).what,
        position: version.position,
        meaning: meaning.word(),
        others: Meaning::ALL
            .into_iter()
            .filter(|other| *other != meaning)
            .map(Meaning::word)
            .collect(),
        refusal: refusal.or_else(|| {
            is_made_up(&asked.who).then(|| {
                "The demonstration's people have nothing of their own to sign with; on a real programme this is \
                 where a passkey or a password is asked for."
                    .to_owned()
            })
        }),
        statement,
        problem,
        passkey: !keys.is_empty() && visitor.site.takes_passkeys(),
        password: desk.password(user).map_err(Error::desk)?.is_some(),
    };
    let mut response = html(status, sign::page(&context));
    response.extensions_mut().insert(Drawn);
    Ok(asked.gives(response, What::Page, Given::of(version)))
}

fn offer(asked: &Asked, version: &Version, meaning: Meaning, at: i64) -> Result<Offered, Error> {
    let (programme, user) = (&asked.programme, &asked.who.user);
    signature::offer(programme, &asked.view, user, version, meaning, at)
}

/// Signs with a password and a one-time code.
pub async fn password(
    asked: Asked,
    visitor: Visitor,
    Path(position): Path<String>,
    body: Bytes,
) -> Result<Response, Error> {
    let form = read(&body)?;
    let version = entry::at(&asked, &position)?;
    let meaning = meaning(field(&form, "meaning"))?;
    // First whether it may be signed at all: a code is not used up for nothing.
    offer(&asked, &version, meaning, asked.now())?;
    let who = &asked.who;
    let wrong = by_password_again(&asked.programme, who, &visitor, |name| field(&form, name));
    if let Some(problem) = wrong.await? {
        return draw(&asked, &visitor, &version, meaning, Some(problem));
    }
    let offered = offer(&asked, &version, meaning, asked.now())?;
    signature::record(&asked.programme, who.actor(), &offered, &Proof::Server).await?;
    Ok(see(&path::entry(version.position)))
}

/// Asks a passkey to sign.
pub async fn passkey(
    asked: Asked,
    visitor: Visitor,
    Path(position): Path<String>,
    body: Bytes,
) -> Result<Response, Error> {
    let fields: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let version = entry::at(&asked, &position)?;
    let meaning = meaning(fields["meaning"].as_str().unwrap_or_default())?;
    let offered = offer(&asked, &version, meaning, asked.now())?;
    let asks = signature::ask(&asked.programme, &asked.who.user, &visitor, &offered)?;
    let mut response = answer(&asks.options, &[asks.cookie]);
    response.extensions_mut().remove::<release::Release>();
    Ok(asked.gives(response, What::Page, Given::that(&version)))
}

/// Takes what it signed.
pub async fn passkey_done(
    asked: Asked,
    visitor: Visitor,
    Path(position): Path<String>,
    body: Bytes,
) -> Result<Response, Error> {
    let said = Said::read(&body)?;
    let (programme, user) = (&asked.programme, &asked.who.user);
    let (kept, meaning, at) = signature::asked_for(programme, user, &visitor)?;
    let version = entry::at(&asked, &position)?;
    if version.position != kept {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "Another entry was asked about. Reload the page and try again.",
        ));
    }
    let offered = offer(&asked, &version, meaning, at)?;
    let statement = &offered.statement;
    let proof = signature::believe(programme, user, &visitor, statement, &said.answer)?;
    signature::record(programme, asked.who.actor(), &offered, &proof).await?;
    Ok(answer(
        &json!({ "next": path::entry(version.position) }),
        &[],
    ))
}
