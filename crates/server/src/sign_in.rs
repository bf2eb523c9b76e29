//! Who is looking at a page: how people show that it is them, and sessions in a cookie.
//!
//! Three ways in: a passkey; an account at an organisation's OpenID Connect provider; where neither is
//! there, a name with a password and a one-time password. Each is set up with a code that an officer
//! gives, once ([`enrolment`]). The made-up people of a demo sign in with the short codes that are in
//! its `programme.json`, which only `homecoming demo` writes. Nothing is open without signing in.
//!
//! | part | what it does |
//! |---|---|
//! | [`password`], [`one_time`] | what is kept of a password, which may be chosen; RFC 6238 |
//! | [`passkey`] | WebAuthn's ceremonies |
//! | [`provider`] | signing in through an organisation |
//! | [`throttle`] | guessing gets slow, and strangers lock nobody out |
//! | [`limits`] | how long a session lasts |
//! | [`sealed`] | what the desk keeps and must read again |

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use desk::{NewSession, Session, User};
use policy::{Purpose, Role};

use crate::chance::Chance;
use crate::error::{Error, ErrorKind};
use crate::permit::{Reader, Who, purpose};
use crate::programme::{Actor, Programme};
use crate::site::Site;

pub mod agent;
pub mod by_password;
pub mod enrolment;
pub mod limits;
pub mod one_time;
pub mod passkey;
pub mod password;
pub mod picture;
pub mod provider;
pub mod sealed;
pub mod throttle;

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

/// The cookie by which a browser is known again.
const DEVICE: &str = "homecoming-device";

/// What the cookies begin with that bind ceremonies to the browser that began them, one for each kind.
const CEREMONY: &str = "homecoming-";

/// A ceremony that is not finished by then has ended, in microseconds.
const CEREMONY_MICROS: i64 = 600_000_000;

/// A use is noted when the last one noted is this old: not every request writes.
const NOTED_MICROS: i64 = 60_000_000;

/// How a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// A passkey.
    Passkey,
    /// A password and a one-time password.
    Password,
    /// An organisation's provider.
    Provider,
    /// The code of a made-up person.
    Demo,
    /// A code to enrol with: opens nothing but the pages for that.
    Enrolment,
}

impl How {
    /// As the desk keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            How::Passkey => "passkey",
            How::Password => "password",
            How::Provider => "provider",
            How::Demo => "demo",
            How::Enrolment => desk::ENROLMENT,
        }
    }

    /// As people read it.
    pub fn words(text: &str) -> &'static str {
        match text {
            "passkey" => "with a passkey",
            "password" => "with a password and a one-time code",
            "provider" => "through an organisation",
            "demo" => "as one of the demonstration's people",
            "enrolment" => "with an enrolment code",
            _ => "in a way that is not known",
        }
    }
}

/// Someone who has signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who it is.
    pub user: User,
    /// Their session; `None` where somebody's page is drawn again and nobody of that name is here.
    pub session: Option<Session>,
}

impl SignedIn {
    /// Whoever is in a session.
    pub fn of(session: &Session) -> SignedIn {
        SignedIn {
            user: session.user.clone(),
            session: Some(session.clone()),
        }
    }

    /// Whether they look after who looks: may see everything that anybody was shown.
    pub fn oversees(&self) -> bool {
        matches!(self.user.role.as_str(), "supervisor" | "officer")
    }

    /// When they last showed that it is them, in microseconds.
    pub fn authenticated_us(&self) -> Option<i64> {
        self.session
            .as_ref()
            .map(|session| session.authenticated_us)
    }

    /// Whether they may see and change who may sign in.
    pub fn administers(&self) -> bool {
        matches!(self.user.role.as_str(), "officer" | "administrator")
    }

    /// As whom they act, and what for unless the page or they themselves say otherwise.
    pub fn actor(&self) -> Actor {
        let role = Role::parse(&self.user.role);
        let purpose = role.map_or(Purpose::Operations, Role::usual_purpose);
        Actor {
            name: actor_name(&self.user),
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
                "Your role is none that this programme knows, so nothing is open to you. Ask an \
                 officer to give you one.",
            )
        })
    }

    /// Whose eyes a page is read with, and what for.
    pub fn reader(&self, programme: &Programme, page: &str) -> Result<Reader, Error> {
        let who = self.permitted_as(programme)?;
        let chosen = self
            .session
            .as_ref()
            .and_then(|session| session.purpose.as_deref());
        let purpose = purpose::of(who.role, page, chosen.and_then(Purpose::from_code));
        Reader::new(Arc::new(who), purpose, programme.clock().now().0)
    }

    /// Whether they have shown that it is them so lately that it need not be asked again.
    pub fn is_fresh(&self, now_us: i64) -> bool {
        let session = self.session.as_ref();
        session.is_some_and(|session| now_us - session.authenticated_us < limits::FRESH_US)
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

/// Who asks, before anybody knows who it is: where from, with what.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Where we are reached.
    pub site: Site,
    /// Where from, as failures are counted.
    pub counted: String,
    agent: String,
    place: String,
    cookies: HeaderMap,
}

impl Visitor {
    fn of(programme: &Programme, parts: &Parts) -> Visitor {
        let site = programme.site(&parts.headers);
        let address = address(parts);
        let mut cookies = HeaderMap::new();
        for cookie in parts.headers.get_all(header::COOKIE) {
            cookies.append(header::COOKIE, cookie.clone());
        }
        Visitor {
            counted: agent::counted(address),
            agent: agent::family(&parts.headers),
            place: agent::place(address),
            cookies,
            site,
        }
    }

    /// The secret of a browser that was known before, whoever's.
    pub fn device(&self) -> Option<String> {
        self.site.read_cookie(&self.cookies, DEVICE)
    }

    fn session(&self) -> Option<String> {
        self.site.read_cookie(&self.cookies, COOKIE)
    }

    /// Its cookies, as it sent them.
    pub fn cookies(&self) -> &HeaderMap {
        &self.cookies
    }

    /// Whoever sits at the machine itself.
    pub fn at_the_machine() -> Visitor {
        Visitor {
            site: Site::asked_for(&HeaderMap::new()),
            counted: "the machine itself".to_owned(),
            agent: "the command line".to_owned(),
            place: "this machine".to_owned(),
            cookies: HeaderMap::new(),
        }
    }

    /// The same browser, once it has this cookie of ours.
    pub fn with(&self, cookie: &str) -> Visitor {
        let mut visitor = self.clone();
        let pair = cookie.split(';').next().unwrap_or_default();
        if let Ok(first) = HeaderValue::from_str(pair) {
            visitor.cookies.insert(header::COOKIE, first);
            for old in self.cookies.get_all(header::COOKIE) {
                visitor.cookies.append(header::COOKIE, old.clone());
            }
        }
        visitor
    }

    /// Begins a ceremony in this browser: the cookie that binds it.
    pub(crate) fn begin_ceremony(
        &self,
        programme: &Programme,
        kind: &str,
        state: &[u8],
    ) -> Result<String, Error> {
        let (now, chance) = (programme.clock().now().0, programme.chance());
        let secret = secret(chance);
        let sealed = programme.sealer().seal(kind, "ceremony", state, chance);
        programme
            .desk()
            .begin_ceremony(&secret, kind, &sealed, now, now + CEREMONY_MICROS)
            .map_err(Error::desk)?;
        let seconds = CEREMONY_MICROS / 1_000_000;
        Ok(self.site.set_cookie(&bound_by(kind), &secret, seconds))
    }

    /// Takes the state of a ceremony that this browser began.
    pub(crate) fn take_ceremony(
        &self,
        programme: &Programme,
        kind: &str,
    ) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, Error> {
        let Some(secret) = self.site.read_cookie(&self.cookies, &bound_by(kind)) else {
            return Ok(None);
        };
        let now = programme.clock().now().0;
        let sealed = programme.desk().take_ceremony(&secret, kind, now);
        match sealed.map_err(Error::desk)? {
            Some(sealed) => programme.sealer().open(kind, "ceremony", &sealed).map(Some),
            None => Ok(None),
        }
    }
}

/// The cookie of a kind of ceremony: its first word, without whom it is for.
fn bound_by(kind: &str) -> String {
    let word = kind.split(' ').next().unwrap_or_default();
    format!("{CEREMONY}{word}")
}

/// Where a request came from, as far as the connection says.
fn address(parts: &Parts) -> Option<IpAddr> {
    let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    connected.map(|ConnectInfo(address)| address.ip())
}

/// 32 random bytes as text.
fn secret(chance: &Chance) -> String {
    let mut secret = [0u8; 32];
    chance.fill(&mut secret);
    URL_SAFE_NO_PAD.encode(secret)
}

/// Begins a session: the `Set-Cookie` values for the browser. Whatever session it had before ends, so
/// nobody goes on under an id that was there before they signed in.
pub fn begin(
    programme: &Programme,
    user: &User,
    how: How,
    visitor: &Visitor,
) -> Result<Vec<String>, Error> {
    begin_as_of(programme, user, how, visitor, programme.clock().now().0)
}

/// The same, of somebody who showed that it is them at another time than now.
pub fn begin_as_of(
    programme: &Programme,
    user: &User,
    how: How,
    visitor: &Visitor,
    authenticated_us: i64,
) -> Result<Vec<String>, Error> {
    let (now, desk) = (programme.clock().now().0, programme.desk());
    if let Some(old) = visitor.session() {
        desk.end_session(&old).map_err(Error::desk)?;
    }
    let limits = match how {
        How::Enrolment => limits::ENROLMENT,
        _ => limits::of(&user.role),
    };
    let secret = secret(programme.chance());
    let new = NewSession {
        secret: &secret,
        user: user.id,
        how: how.as_str(),
        agent: &visitor.agent,
        place: &visitor.place,
        authenticated_us: authenticated_us.min(now),
        idle_us: limits.idle_us,
        expires_us: now + limits.absolute_us,
    };
    let session = desk.begin_session(&new, now).map_err(Error::desk)?;
    tracing::info!(user = user.id, session, how = how.as_str(), "signed in");
    let seconds = limits.absolute_us / 1_000_000;
    // Longer than the session, so that a form which comes too late still says whose it is.
    let kept = seconds + 24 * 3_600;
    let mut cookies = vec![visitor.site.set_cookie(COOKIE, &secret, kept)];
    if how != How::Enrolment {
        cookies.push(remember(programme, user, visitor)?);
    }
    Ok(cookies)
}

/// Remembers the browser, and tells its owner if it is a new one.
fn remember(programme: &Programme, user: &User, visitor: &Visitor) -> Result<String, Error> {
    let (now, desk) = (programme.clock().now().0, programme.desk());
    let device = visitor.device();
    let known = match &device {
        Some(device) => desk
            .knows_device(user.id, device, now, throttle::KNOWN_MICROS)
            .map_err(Error::desk)?,
        None => false,
    };
    if !known && desk.has_devices(user.id).map_err(Error::desk)? {
        let words = format!(
            "You signed in from a browser that you had not used here before: {}, {}. If this was not \
             you, sign out everywhere and tell an officer of the programme.",
            visitor.agent, visitor.place
        );
        desk.tell(user.id, &words, now).map_err(Error::desk)?;
    }
    let device = match (device, known) {
        (Some(device), true) => device,
        _ => secret(programme.chance()),
    };
    desk.remember_device(user.id, &device, now)
        .map_err(Error::desk)?;
    let seconds = throttle::KNOWN_MICROS / 1_000_000;
    Ok(visitor.site.set_cookie(DEVICE, &device, seconds))
}

/// Gives a session another secret, because whoever is in it has shown again that it is them: the
/// `Set-Cookie` value for the browser.
pub fn renew(programme: &Programme, who: &SignedIn, visitor: &Visitor) -> Result<String, Error> {
    let now = programme.clock().now().0;
    let secret = secret(programme.chance());
    let Some(session) = &who.session else {
        return Err(Error::internal(
            "somebody without a session showed that it is them",
        ));
    };
    let renewed = programme.desk().renew_session(session.id, &secret, now);
    renewed.map_err(Error::desk)?;
    let kept = (session.expires_us - now) / 1_000_000 + 24 * 3_600;
    Ok(visitor.site.set_cookie(COOKIE, &secret, kept))
}

/// Ends the session that a request came with: the `Set-Cookie` value that clears it.
pub fn end(programme: &Programme, visitor: &Visitor) -> Result<String, Error> {
    if let Some(secret) = visitor.session() {
        programme.desk().end_session(&secret).map_err(Error::desk)?;
        tracing::info!("signed out");
    }
    Ok(visitor.site.set_cookie(COOKIE, "", 0))
}

/// Whose session a request came with, if it ended by itself not long ago.
pub fn whose_ended(programme: &Programme, headers: &HeaderMap) -> Result<Option<i64>, Error> {
    let site = programme.site(headers);
    let Some(secret) = site.read_cookie(headers, COOKIE) else {
        return Ok(None);
    };
    let now = programme.clock().now().0;
    programme
        .desk()
        .ended_session(&secret, now)
        .map_err(Error::desk)
}

/// The session that a request came with. Not noted as used.
fn session(programme: &Programme, headers: &HeaderMap) -> Result<Option<Session>, Error> {
    let site = programme.site(headers);
    let Some(secret) = site.read_cookie(headers, COOKIE) else {
        return Ok(None);
    };
    let now = programme.clock().now().0;
    programme.desk().session(&secret, now).map_err(Error::desk)
}

/// Who sent a request, if their session has not ended. Not noted as used.
pub fn current(programme: &Programme, headers: &HeaderMap) -> Result<Option<SignedIn>, Error> {
    Ok(session(programme, headers)?.map(|found| SignedIn::of(&found)))
}

/// The session that a browser is in, if it is still this one and has not ended.
pub(crate) fn still_in(
    programme: &Programme,
    visitor: &Visitor,
    id: i64,
) -> Result<Option<Session>, Error> {
    let found = session(programme, visitor.cookies())?;
    Ok(found.filter(|session| session.id == id))
}

fn who(programme: &Programme, headers: &HeaderMap) -> Result<Option<SignedIn>, Error> {
    let found = session(programme, headers)?;
    let Some(mut session) = found.filter(|session| session.how != How::Enrolment.as_str()) else {
        return Ok(None);
    };
    let now = programme.clock().now().0;
    if now - session.used_us >= NOTED_MICROS {
        let desk = programme.desk();
        desk.session_used(session.id, now).map_err(Error::desk)?;
        session.used_us = now;
    }
    Ok(Some(SignedIn::of(&session)))
}

/// Someone who is setting up how they will sign in: opens nothing else.
#[derive(Clone, Debug)]
pub struct Enrolling {
    /// Who it is.
    pub user: User,
    /// The session that they are in for it.
    pub session: i64,
}

impl FromRequestParts<Programme> for Visitor {
    type Rejection = Error;

    async fn from_request_parts(
        parts: &mut Parts,
        programme: &Programme,
    ) -> Result<Visitor, Error> {
        Ok(Visitor::of(programme, parts))
    }
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

impl OptionalFromRequestParts<Programme> for Enrolling {
    type Rejection = Error;

    async fn from_request_parts(
        parts: &mut Parts,
        programme: &Programme,
    ) -> Result<Option<Enrolling>, Error> {
        let found = session(programme, &parts.headers)?;
        let found = found.filter(|session| session.how == How::Enrolment.as_str());
        Ok(found.map(|session| Enrolling {
            session: session.id,
            user: session.user,
        }))
    }
}
