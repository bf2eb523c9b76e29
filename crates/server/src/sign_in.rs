//! Who is looking at a page: sign-in by code, sessions in a cookie.
//!
//! A deliberately small sign-in: every person has one long random code, of which the desk keeps a
//! hash. Passkeys, organisations' sign-in and policy by role come later; until then everyone who
//! can sign in is staff of the programme and reads all of it, and says so on the page. Nothing is
//! open without signing in.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use desk::User;

use crate::chance::Chance;
use crate::error::{Error, ErrorKind};
use crate::programme::{Actor, Programme};

/// What people may be. Only staff so far.
pub const ROLES: [&str; 4] = ["caseworker", "prescriber", "supervisor", "officer"];

/// The cookie that holds the session's secret.
const COOKIE: &str = "homecoming-session";

/// A session ends after this long, in microseconds: a working day.
const SESSION_MICROS: i64 = 12 * 3_600_000_000;

/// Someone who has signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who it is.
    pub user: User,
}

impl SignedIn {
    /// Whether they look after who looks: may see everything that anybody was shown.
    pub fn oversees(&self) -> bool {
        matches!(self.user.role.as_str(), "supervisor" | "officer")
    }

    /// When they last showed that it is them, in microseconds.
    pub fn authenticated_us(&self) -> Option<i64> {
        None
    }

    /// As whom they act, and what for unless the page is for something else: those who care for
    /// people do so to treat them, the others to run the programme.
    pub fn actor(&self) -> Actor {
        let name = match &self.user.practitioner {
            Some(id) => format!("Practitioner/{id}"),
            None => format!("user/{}", self.user.id),
        };
        let purpose = match self.user.role.as_str() {
            "caseworker" | "prescriber" => "TREAT",
            _ => "HOPERAT",
        };
        Actor {
            name,
            purpose: purpose.to_owned(),
        }
    }
}

/// A new sign-in code: 100 random bits in four groups of five letters and digits.
pub fn new_code(chance: &Chance) -> String {
    let letters: String = (0..2).map(|_| chance.id()[..10].to_owned()).collect();
    [
        &letters[..5],
        &letters[5..10],
        &letters[10..15],
        &letters[15..],
    ]
    .join("-")
}

/// Checks a code and begins a session: the `Set-Cookie` value for the browser, or nothing if
/// nobody has this code.
pub fn begin(programme: &Programme, code: &str) -> Result<Option<String>, Error> {
    let now = programme.clock().now().0;
    let Some(user) = programme
        .desk()
        .user_by_code(code.trim())
        .map_err(Error::desk)?
    else {
        return Ok(None);
    };
    let mut secret = [0u8; 32];
    programme.chance().fill(&mut secret);
    let secret = URL_SAFE_NO_PAD.encode(secret);
    programme
        .desk()
        .begin_session(&secret, user.id, now, now + SESSION_MICROS)
        .map_err(Error::desk)?;
    Ok(Some(format!(
        "{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}",
        SESSION_MICROS / 1_000_000
    )))
}

/// Ends the session that a request came with: the `Set-Cookie` value that clears it.
pub fn end(programme: &Programme, headers: &HeaderMap) -> Result<String, Error> {
    if let Some(secret) = secret(headers) {
        programme.desk().end_session(&secret).map_err(Error::desk)?;
    }
    Ok(format!(
        "{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
    ))
}

fn secret(headers: &HeaderMap) -> Option<String> {
    headers.get_all(header::COOKIE).iter().find_map(|value| {
        value.to_str().ok()?.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == COOKIE && !value.is_empty()).then(|| value.to_owned())
        })
    })
}

fn who(programme: &Programme, headers: &HeaderMap) -> Result<Option<SignedIn>, Error> {
    let Some(secret) = secret(headers) else {
        return Ok(None);
    };
    let now = programme.clock().now().0;
    let user = programme
        .desk()
        .session_user(&secret, now)
        .map_err(Error::desk)?;
    Ok(user.map(|user| SignedIn { user }))
}

impl FromRequestParts<Programme> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(
        parts: &mut Parts,
        programme: &Programme,
    ) -> Result<SignedIn, Error> {
        who(programme, &parts.headers)?
            .ok_or_else(|| Error::new(ErrorKind::Unauthenticated, "Sign in to see this page."))
    }
}

impl OptionalFromRequestParts<Programme> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(
        parts: &mut Parts,
        programme: &Programme,
    ) -> Result<Option<SignedIn>, Error> {
        who(programme, &parts.headers)
    }
}
