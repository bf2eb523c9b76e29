//! Who is looking at a page: sign-in by code, sessions in a cookie.
//!
//! Every person has one long random code, of which the desk keeps a hash; the made-up people of a
//! demo have short ones, which are in its `programme.json` and nowhere else. Nothing is open without
//! signing in.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use desk::{NewSession, Session, User};

use crate::chance::Chance;
use crate::error::{Error, ErrorKind};
use crate::programme::{Actor, Programme};

/// What people may be.
pub const ROLES: [&str; 9] = [
    "participant",
    "caseworker",
    "prescriber",
    "supervisor",
    "inspector",
    "evaluator",
    "sponsor",
    "officer",
    "administrator",
];

/// The cookie that holds the session's secret.
const COOKIE: &str = "homecoming-session";

/// A session ends after this long without use, in microseconds.
const IDLE_MICROS: i64 = 3_600_000_000;

/// A session ends after this long in any case: a working day.
const SESSION_MICROS: i64 = 12 * IDLE_MICROS;

/// A use is noted when the last one noted is this old: not every request writes.
const NOTED_MICROS: i64 = 60_000_000;

/// Codes are good for this long.
pub const CODE_MICROS: i64 = 14 * 24 * 3_600_000_000;

/// Someone who has signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who it is.
    pub user: User,
    /// Their session; `None` where somebody's page is drawn again and nobody of that name is here.
    pub session: Option<Session>,
}

impl SignedIn {
    /// Whether they look after who looks: may see everything that anybody was shown.
    pub fn oversees(&self) -> bool {
        matches!(self.user.role.as_str(), "supervisor" | "officer")
    }

    /// As whom they act, and what for unless the page is for something else: those who care for
    /// people do so to treat them, a participant asks for themself, the others run the programme.
    pub fn actor(&self) -> Actor {
        let purpose = match self.user.role.as_str() {
            "caseworker" | "prescriber" => "TREAT",
            "participant" => "PATRQT",
            _ => "HOPERAT",
        };
        Actor {
            name: actor_name(&self.user),
            purpose: purpose.to_owned(),
        }
    }
}

/// How lines name a user: by the resource that says who they are, if there is one.
pub fn actor_name(user: &User) -> String {
    match (&user.practitioner, &user.patient) {
        (Some(id), _) => format!("Practitioner/{id}"),
        (None, Some(id)) => format!("Patient/{id}"),
        (None, None) => format!("user/{}", user.id),
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
    let (desk, code) = (programme.desk(), code.trim());
    // The people of a demo are in its `programme.json`, which only `homecoming demo` makes so.
    let person = programme
        .demo_people()
        .iter()
        .find(|person| person.code == code);
    let (how, user) = match person {
        Some(person) => ("demo", desk.user_named(&person.name)),
        None => ("code", desk.user_by_code(code, now)),
    };
    let user = user.map_err(Error::desk)?.filter(|user| !user.disabled);
    let Some(user) = user else {
        return Ok(None);
    };
    let mut secret = [0u8; 32];
    programme.chance().fill(&mut secret);
    let secret = URL_SAFE_NO_PAD.encode(secret);
    let new = NewSession {
        secret: &secret,
        user: user.id,
        how,
        agent: "",
        place: "",
        idle_us: IDLE_MICROS,
        expires_us: now + SESSION_MICROS,
    };
    desk.begin_session(&new, now).map_err(Error::desk)?;
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
    let desk = programme.desk();
    let Some(session) = desk.session(&secret, now).map_err(Error::desk)? else {
        return Ok(None);
    };
    if now - session.used_us >= NOTED_MICROS {
        desk.session_used(session.id, now).map_err(Error::desk)?;
    }
    Ok(Some(SignedIn {
        user: session.user.clone(),
        session: Some(session),
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
