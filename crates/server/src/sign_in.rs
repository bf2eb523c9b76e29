//! Who is looking at a page: sign-in by name and code, sessions in a cookie.
//!
//! A deliberately small sign-in: every person has a name and one long random code, of which the
//! desk keeps a hash. Passkeys, organisations' sign-in and policy by role come later; until then everyone who
//! can sign in is staff of the programme and reads all of it, and says so on the page. Nothing is
//! open without signing in.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use desk::{SignIn, User};

use crate::error::{Error, ErrorKind};
use crate::programme::Programme;

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

/// What came of a try to sign in.
pub enum Tried {
    /// The `Set-Cookie` value for the browser.
    In(String),
    /// Why not, as a sentence.
    Not(String),
}

/// Checks a name and a code and begins a session.
pub fn begin(programme: &Programme, name: &str, code: &str) -> Result<Tried, Error> {
    let now = programme.clock().now().0;
    match programme.desk().sign_in(name.trim(), code.trim(), now).map_err(Error::desk)? {
        SignIn::Welcome(user) => {
            let secret = programme
                .desk()
                .begin_session(&user.name, now, now + SESSION_MICROS, &mut |bytes| {
                    programme.chance().fill(bytes);
                })
                .map_err(Error::desk)?;
            Ok(Tried::In(format!(
                "{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}",
                SESSION_MICROS / 1_000_000
            )))
        }
        SignIn::Refused => Ok(Tried::Not(
            "That name and code do not belong together. Check both, or ask whoever runs the \
             programme for a new code."
                .to_owned(),
        )),
        SignIn::Wait { until_us } => {
            let seconds = (until_us - now).div_euclid(1_000_000) + 1;
            Ok(Tried::Not(format!(
                "There were several wrong codes for this name. Try again in {seconds} seconds."
            )))
        }
    }
}

/// Ends the session that a request came with: the `Set-Cookie` value that clears it.
pub fn end(programme: &Programme, headers: &HeaderMap) -> Result<String, Error> {
    if let Some(secret) = secret(headers) {
        programme.desk().end_session(&secret).map_err(Error::desk)?;
    }
    Ok(format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"))
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
    let Some(secret) = secret(headers) else { return Ok(None) };
    let now = programme.clock().now().0;
    let session = programme.desk().session(&secret, now).map_err(Error::desk)?;
    Ok(session.map(|session| SignedIn { user: session.user }))
}

impl FromRequestParts<Programme> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(
        parts: &mut Parts,
        programme: &Programme,
    ) -> Result<SignedIn, Error> {
        who(programme, &parts.headers)?.ok_or_else(|| {
            Error::new(ErrorKind::Unauthenticated, "Sign in to see this page.")
        })
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
