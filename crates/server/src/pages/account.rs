//! One's own account: notices, ways in, sessions, drafts, and showing again that it is oneself.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::enrol::is_made_up;
use super::sign_in::{Said, answer, entered, field, onward, ours, read};
use super::{Asked, forms, html, see};
use crate::error::{Error, ErrorKind};
use crate::programme::Programme;
use crate::release;
use crate::router::Drawn;
use crate::sign_in::by_password::{self, Outcome};
use crate::sign_in::provider::WhatFor;
use crate::sign_in::{self, How, SignedIn, Visitor, passkey};
use crate::users::{self, Event, Way};
use crate::web::{account, again, drafts, path};

/// Why a page of one's own account is not on the access log.
const OWN: &str = "one's own account is not part of the record";

/// The page.
pub async fn get(asked: Asked) -> Result<Response, Error> {
    let (desk, user) = (asked.programme.desk(), &asked.who.user);
    let now = asked.now();
    let this = asked.who.session.as_ref().map(|session| session.id);
    let passkeys = desk.passkeys(user.id).map_err(Error::desk)?;
    let sessions = desk.sessions(user.id, now).map_err(Error::desk)?;
    let notices = desk.notices(user.id).map_err(Error::desk)?;
    if let Some(newest) = notices.first() {
        desk.notices_seen(user.id, newest.id).map_err(Error::desk)?;
    }
    let context = account::Context {
        shell: asked.shell(),
        notices: notices
            .into_iter()
            .map(|notice| account::Notice {
                id: notice.id,
                at: notice.created_us,
                words: notice.words,
            })
            .collect(),
        drafts: desk.drafts(user.id).map_err(Error::desk)?.len() as u64,
        passkeys: passkeys
            .into_iter()
            .map(|one| account::Passkey {
                id: URL_SAFE_NO_PAD.encode(&one.id),
                fingerprint: passkey::fingerprint(&one.id, &one.body),
                name: one.name,
                added: one.created_us,
                used: one.used_us,
            })
            .collect(),
        password: desk
            .password(user.id)
            .map_err(Error::desk)?
            .map(|password| password.created_us),
        accounts: accounts(&asked.programme, user.id)?,
        sessions: sessions
            .into_iter()
            .map(|session| account::Session {
                this: Some(session.id) == this,
                how: How::words(&session.how).to_owned(),
                ends: session.ends_us(),
                id: session.id,
                agent: session.agent,
                place: session.place,
                began: session.created_us,
                used: session.used_us,
            })
            .collect(),
        real: !is_made_up(&asked.who),
    };
    let page = html(StatusCode::OK, account::page(&context));
    Ok(release::nothing(page, OWN))
}

/// Somebody's accounts at organisations, each with what the organisation is called here.
fn accounts(programme: &Programme, user: i64) -> Result<Vec<account::Account>, Error> {
    let desk = programme.desk();
    let providers = desk.providers().map_err(Error::desk)?;
    let name = |issuer: &str| {
        let found = providers.iter().find(|one| one.issuer == issuer);
        found.map(|one| one.name.clone())
    };
    let accounts = desk.accounts(user).map_err(Error::desk)?;
    let shown = accounts.into_iter().map(|one| account::Account {
        name: name(&one.issuer),
        since: one.created_us,
        issuer: one.issuer,
    });
    Ok(shown.collect())
}

/// Puts notices away.
pub async fn notices(
    State(programme): State<Programme>,
    who: SignedIn,
    body: Bytes,
) -> Result<Response, Error> {
    let form = read(&body)?;
    let upto = field(&form, "upto").parse().unwrap_or_default();
    let put_away = programme.desk().put_away(who.user.id, upto);
    put_away.map_err(Error::desk)?;
    Ok(see(path::ACCOUNT))
}

/// Ends a session of one's own, all others, or all.
pub async fn sessions(
    State(programme): State<Programme>,
    who: SignedIn,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Error> {
    let form = read(&body)?;
    let (desk, user) = (programme.desk(), who.user.id);
    let this = who.session.as_ref().map(|session| session.id);
    match field(&form, "session") {
        "others" => desk.end_sessions(user, this).map(|_| ()),
        "all" => desk.end_sessions(user, None).map(|_| ()),
        one => {
            let id = one.parse().map_err(|_| {
                Error::new(ErrorKind::Malformed, "Choose a session to sign out of.")
            })?;
            desk.end_session_of(user, id).map(|_| ())
        }
    }
    .map_err(Error::desk)?;
    let ended = sign_in::current(&programme, visitor.cookies())?.is_none();
    match ended {
        true => Ok(entered(
            path::SIGN_IN,
            &[sign_in::end(&programme, &visitor)?],
        )),
        false => Ok(see(path::ACCOUNT)),
    }
}

/// Takes a way in away; never the last one.
pub async fn ways(
    State(programme): State<Programme>,
    who: SignedIn,
    body: Bytes,
) -> Result<Response, Error> {
    let form = read(&body)?;
    let (desk, user) = (programme.desk(), &who.user);
    if !who.is_fresh(programme.clock().now().0) {
        return Ok(see(&path::with(path::AGAIN, &[("next", path::ACCOUNT)])));
    }
    if desk.ways_in(user.id).map_err(Error::desk)? < 2 {
        return Err(Error::new(
            ErrorKind::Refused,
            "That is the only way in which you can sign in. Add another before you remove it.",
        ));
    }
    let key = URL_SAFE_NO_PAD
        .decode(field(&form, "passkey"))
        .unwrap_or_default();
    let passkeys = desk.passkeys(user.id).map_err(Error::desk)?;
    let named = passkeys.iter().find(|one| one.id == key);
    let named = named.map(|one| passkey::fingerprint(&one.id, &one.body));
    let named = named.unwrap_or_default();
    let issuer = field(&form, "account");
    let since = field(&form, "since").parse().unwrap_or_default();
    let accounts = accounts(&programme, user.id)?;
    let organisation = accounts.iter().find(|one| one.issuer == issuer);
    let organisation = organisation.and_then(|one| one.name.as_deref());
    let (removed, way) = match (field(&form, "password"), issuer) {
        ("remove", _) => (desk.remove_password(user.id), Way::Password),
        (_, "") => (desk.remove_passkey(user.id, &key), Way::Passkey(&named)),
        (_, issuer) => (
            desk.remove_account(user.id, issuer, since),
            Way::Provider(organisation.unwrap_or(issuer)),
        ),
    };
    if removed.map_err(Error::desk)? {
        let actor = sign_in::actor_name(user);
        users::note(&programme, user, &Event::WayRemoved(way), &actor).await?;
        let words = format!("{} was removed from your account.", way.words());
        let told = desk.tell(user.id, &words, programme.clock().now().0);
        told.map_err(Error::desk)?;
    }
    Ok(see(path::ACCOUNT))
}

/// Goes on with the session; a module of ours gets the seconds that are left.
pub async fn session(
    State(programme): State<Programme>,
    who: SignedIn,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let now = programme.clock().now().0;
    let mut left = 0;
    if let Some(session) = &who.session {
        let used = programme.desk().session_used(session.id, now);
        used.map_err(Error::desk)?;
        left = session.expires_us.min(now + session.idle_us) - now;
    }
    let json = headers.get(header::ACCEPT).is_some_and(|accept| {
        let accept = accept.to_str().unwrap_or_default();
        accept.contains("application/json")
    });
    match json {
        true => Ok(answer(&json!({ "left": left / 1_000_000 }), &[])),
        false => Ok(see(path::ACCOUNT)),
    }
}

/// The form that asks whether it is still them.
pub async fn again(asked: Asked, visitor: Visitor) -> Result<Response, Error> {
    let next = ours(asked.param("next").unwrap_or(path::ACCOUNT));
    draw_again(&asked, &visitor, next, None)
}

fn draw_again(
    asked: &Asked,
    visitor: &Visitor,
    next: String,
    problem: Option<String>,
) -> Result<Response, Error> {
    let (desk, user) = (asked.programme.desk(), asked.who.user.id);
    let has_passkeys = !desk.passkeys(user).map_err(Error::desk)?.is_empty();
    let status = match problem {
        Some(_) => StatusCode::FORBIDDEN,
        None => StatusCode::OK,
    };
    let context = again::Context {
        shell: asked.shell(),
        next,
        problem,
        passkey: has_passkeys && visitor.site.takes_passkeys(),
        password: desk.password(user).map_err(Error::desk)?.is_some(),
        organisations: accounts(&asked.programme, user)?
            .into_iter()
            .filter_map(|one| one.name)
            .collect(),
    };
    let mut response = html(status, again::page(&context));
    response.extensions_mut().insert(Drawn);
    Ok(release::nothing(response, OWN))
}

/// Takes a password and a one-time code of whoever is signed in.
pub async fn again_password(
    State(programme): State<Programme>,
    who: SignedIn,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Error> {
    let form = read(&body)?;
    let next = ours(field(&form, "next"));
    match by_password_again(&programme, &who, &visitor, |name| field(&form, name)).await? {
        None => Ok(entered(
            &next,
            &[authenticated(&programme, &who, &visitor)?],
        )),
        Some(problem) => {
            let asked = Asked::of(&programme, who, path::AGAIN)?;
            draw_again(&asked, &visitor, next, Some(problem))
        }
    }
}

/// Whether password and one-time code are those of whoever is signed in; if not, why.
pub(super) async fn by_password_again<'f>(
    programme: &Programme,
    who: &SignedIn,
    visitor: &Visitor,
    field: impl Fn(&str) -> &'f str,
) -> Result<Option<String>, Error> {
    let name = &who.user.name;
    let (password, code) = (field("password"), field("one-time"));
    let outcome = by_password::check(programme, visitor, name, password, code).await?;
    Ok(match outcome {
        Outcome::Is(user) if user.id == who.user.id => None,
        Outcome::Is(_) | Outcome::Wrong => Some(
            "Password and one-time code do not fit. Each code of the app works once: wait for the next one."
                .to_owned(),
        ),
        Outcome::Wait(seconds) => Some(format!(
            "Too many tries. The next one is taken in {seconds} seconds."
        )),
    })
}

/// Asks for a passkey of whoever is signed in.
pub async fn again_passkey(
    State(programme): State<Programme>,
    who: SignedIn,
    visitor: Visitor,
) -> Result<Response, Error> {
    let asked = passkey::begin_again(&programme, &who.user, &visitor)?;
    Ok(answer(&asked.options, &[asked.cookie]))
}

/// Takes its answer.
pub async fn again_passkey_done(
    State(programme): State<Programme>,
    who: SignedIn,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Error> {
    let said = Said::read(&body)?;
    passkey::again(&programme, &who.user, &visitor, &said.answer)?;
    let cookie = authenticated(&programme, &who, &visitor)?;
    Ok(answer(
        &json!({ "next": ours(said.text("next")) }),
        &[cookie],
    ))
}

/// Leads to an organisation's sign-in, to have whoever is signed in sign in there once more.
pub async fn again_provider(
    State(programme): State<Programme>,
    who: SignedIn,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Error> {
    let form = read(&body)?;
    let Some(session) = who.session.map(|session| session.id) else {
        return Ok(see(path::SIGN_IN));
    };
    let next = ours(field(&form, "next"));
    onward(
        programme,
        visitor,
        field(&form, "name"),
        &next,
        WhatFor::Again(session),
    )
    .await
}

/// They have shown that it is them: from here on the session goes by another secret.
fn authenticated(
    programme: &Programme,
    who: &SignedIn,
    visitor: &Visitor,
) -> Result<String, Error> {
    sign_in::renew(programme, who, visitor)
}

/// Forms that came too late.
pub async fn drafts(asked: Asked) -> Result<Response, Error> {
    let (programme, user) = (&asked.programme, asked.who.user.id);
    let kept = programme.desk().drafts(user).map_err(Error::desk)?;
    let drafts = kept
        .into_iter()
        .map(|draft| {
            let form = forms::open(programme, user, &draft.body)?;
            Ok(drafts::Draft {
                id: draft.id,
                at: draft.created_us,
                fields: form.fields,
                file: form.file,
                path: draft.path,
            })
        })
        .collect::<Result<_, Error>>()?;
    let context = drafts::Context {
        shell: asked.shell(),
        drafts,
    };
    let page = html(StatusCode::OK, drafts::page(&context));
    let why = "what somebody wrote themself and what was not recorded";
    Ok(release::nothing(page, why))
}

/// Throws one away.
pub async fn drop_draft(
    State(programme): State<Programme>,
    who: SignedIn,
    body: Bytes,
) -> Result<Response, Error> {
    let form = read(&body)?;
    let id = field(&form, "draft").parse().unwrap_or_default();
    let dropped = programme.desk().drop_draft(who.user.id, id);
    dropped.map_err(Error::desk)?;
    Ok(see(path::DRAFTS))
}
