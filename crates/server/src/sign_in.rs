//! Who is looking at a page: sign-in by code, sessions in a cookie.
//!
//! A deliberately small sign-in: every person has one long random code, of which the desk keeps a
//! hash. Passkeys, organisations' sign-in and policy by role come later; until then everyone who
//! can sign in is staff of the programme and reads all of it, and says so on the page. Nothing is
//! open without signing in.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use desk::User;
use policy::{Purpose, Role};

use crate::chance::Chance;
use crate::error::{Error, ErrorKind};
use crate::permit::{Reader, Who, purpose};
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
    /// What for, if they chose.
    pub purpose: Option<Purpose>,
}

impl SignedIn {
    /// Whether they look after who looks: may see everything that anybody was shown.
    pub fn oversees(&self) -> bool {
        matches!(self.user.role.as_str(), "supervisor" | "officer")
    }

    /// As whom they act, and what for unless the page or they themselves say otherwise.
    pub fn actor(&self) -> Actor {
        let name = match &self.user.practitioner {
            Some(id) => format!("Practitioner/{id}"),
            None => format!("user/{}", self.user.id),
        };
        let role = Role::parse(&self.user.role);
        let purpose = role.map_or(Purpose::Operations, Role::usual_purpose);
        Actor {
            name,
            purpose: purpose.code().to_owned(),
        }
    }

    /// Who they are to the policy.
    pub fn permitted_as(&self, programme: &Programme) -> Result<Who, Error> {
        // Only of supervisors others matter.
        let others = match self.user.role.as_str() {
            "supervisor" => programme.desk().users().map_err(Error::desk)?,
            _ => Vec::new(),
        };
        Who::of_user(&self.user, &others).ok_or_else(|| {
            Error::new(
                ErrorKind::Forbidden,
                "Your role is none that this programme knows, so nothing is open to you. Ask an                  officer to give you one.",
            )
        })
    }

    /// Whose eyes a page is read with, and what for.
    pub fn reader(&self, programme: &Programme, page: &str) -> Result<Reader, Error> {
        let who = self.permitted_as(programme)?;
        let purpose = purpose::of(who.role, page, self.purpose);
        Reader::new(Arc::new(who), purpose, programme.clock().now().0)
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
    Ok(user.map(|user| SignedIn {
        user,
        purpose: None,
    }))
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
