//! Which client asks, and whether it is the one that it says.
//!
//! Each client proves it in the one way that it is registered for. That it is not known and that it did not prove it are
//! told in the same words.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::assertion::{self, Assertion};
use super::{Form, Refused, issuer, jwks};
use crate::clients::{Proof, Registered, is_secret, settle};
use crate::error::Error;
use crate::fhir::{Api, away, query};

/// What is said to whoever is not known, or did not prove who they are.
const UNKNOWN: &str = "There is no such client, it is not enabled, or this is not its proof.";

/// The client that a request is from, proven and on the record.
pub async fn of_request(
    api: &Api,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Registered, Refused> {
    let basic = basic(headers)?;
    let signed = form.get("client_assertion");
    if basic.is_some() && signed.is_some() || form.get("client_secret").is_some() {
        return Err(Refused::request(
            "A client proves who it is in one way: `Authorization: Basic`, or a signed assertion. A secret does \
             not stand in the form.",
        ));
    }
    let client = match (basic, signed) {
        (Some((name, secret)), _) => by_secret(api, &name, &secret)?,
        (None, Some(text)) => by_key(api, headers, form, text).await?,
        (None, None) => by_name(api, form.need("client_id")?)?,
    };
    if form
        .get("client_id")
        .is_some_and(|name| name != client.name)
    {
        return Err(Refused::client(UNKNOWN));
    }
    if !client.is_recorded {
        settle(api.programme()).await?;
    }
    Ok(client)
}

/// Whether a request says at all who it is from.
pub fn says_who(headers: &HeaderMap, form: &Form) -> bool {
    headers.contains_key(header::AUTHORIZATION)
        || ["client_id", "client_assertion", "client_secret"]
            .iter()
            .any(|name| form.get(name).is_some())
}

/// Whether a request brings an access token (`Authorization: Bearer`).
pub fn brings_token(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::AUTHORIZATION);
    values.iter().any(|value| {
        let scheme = value.to_str().unwrap_or_default().trim().split(' ').next();
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
    })
}

/// An enabled client of that name, if that is how it proves who it is.
fn known(api: &Api, name: &str, proof: Proof) -> Result<Registered, Refused> {
    let found = api.programme().desk().client(name).map_err(Error::desk)?;
    let found = match found {
        Some(client) => Some(Registered::read(&client)?),
        None => None,
    };
    found
        .filter(|client| !client.disabled && client.registration.proof == proof)
        .ok_or_else(|| Refused::client(UNKNOWN))
}

fn by_name(api: &Api, name: &str) -> Result<Registered, Refused> {
    known(api, name, Proof::Public)
}

fn by_secret(api: &Api, name: &str, secret: &str) -> Result<Registered, Refused> {
    let client = known(api, name, Proof::Secret)?;
    match client.secret.is_some() && is_secret(client.secret.as_ref(), secret) {
        true => Ok(client),
        false => Err(Refused::client(UNKNOWN)),
    }
}

async fn by_key(
    api: &Api,
    headers: &HeaderMap,
    form: &Form,
    text: &str,
) -> Result<Registered, Refused> {
    if form.get("client_assertion_type") != Some(assertion::TYPE) {
        return Err(Refused::request(format!(
            "`client_assertion_type` must be `{}`.",
            assertion::TYPE
        )));
    }
    let refused = |why: &str| Refused::client(format!("The client is not believed: {why}."));
    let read = Assertion::read(text).map_err(refused)?;
    let name = read.issuer().ok_or_else(|| Refused::client(UNKNOWN))?;
    let client = known(api, name, Proof::Key)?;
    if let Some(jku) = &read.jku
        && client.registration.keys_url.as_ref() != Some(jku)
    {
        return Err(refused(
            "the assertion says that its key is elsewhere (`jku`) than was registered",
        ));
    }
    let now = api.now();
    let keys = match (&client.registration.keys, &client.registration.keys_url) {
        (Some(keys), _) => inline(keys)?,
        (None, Some(address)) => {
            let (api, address, kid) = (api.clone(), address.clone(), read.kid.clone());
            let fetched = away(move || Ok(api.smart().fetched.keys(&address, &kid, now))).await?;
            fetched.map_err(|why| refused(&why))?.to_vec()
        }
        (None, None) => Vec::new(),
    };
    let audience = format!("{}/oauth/token", issuer(api, headers)?);
    let proven = read
        .check(&client.name, &keys, &audience, now)
        .map_err(refused)?;
    let is_new = api
        .programme()
        .desk()
        .first_use(&client.name, &proven.jti, now, proven.until)
        .map_err(Error::desk)?;
    match is_new {
        true => Ok(client),
        false => Err(refused("the assertion was used before (`jti`)")),
    }
}

fn inline(keys: &Json) -> Result<Vec<jwks::Key>, Refused> {
    jwks::read(keys).map_err(|why| Refused::Other(Error::internal(why)))
}

/// Name and secret of `Authorization: Basic`, as RFC 6749 writes them there.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Refused> {
    let wrong =
        || Refused::request("The `Authorization` header is not `Basic` with a name and a secret.");
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().map_err(|_| wrong())?,
        (Some(_), Some(_)) => return Err(wrong()),
    };
    let (scheme, encoded) = value.trim().split_once(' ').ok_or_else(wrong)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| wrong())?;
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    let (name, secret) = text.split_once(':').ok_or_else(wrong)?;
    let plain = |part: &str| match query::decode(&format!("x={part}")) {
        Ok(pairs) if pairs.len() == 1 => Ok(pairs[0].1.clone()),
        _ => Err(wrong()),
    };
    Ok(Some((plain(name)?, plain(secret)?)))
}
