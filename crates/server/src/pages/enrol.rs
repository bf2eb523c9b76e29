//! Setting up how one signs in: with a code, or from one's own account.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use desk::Session;
use serde_json::json;

use super::forms::must_be_fresh;
use super::sign_in::{Said, answer, entered, field, onward, outside, read, set};
use super::{Asked, html, see};
use crate::error::{Error, ErrorKind};
use crate::programme::Programme;
use crate::release;
use crate::router::Drawn;
use crate::sign_in::enrolment::{self, Chosen};
use crate::sign_in::provider::{self, WhatFor};
use crate::sign_in::throttle::Tries;
use crate::sign_in::{self, Enrolling, How, SignedIn, Visitor, one_time, passkey, picture};
use crate::users::{self, Event, Way};
use crate::web::enrol::{Choice, Context, page};
use crate::web::layout::Shell;
use crate::web::path;

/// Who sets something up: with a code, or signed in and lately shown to be themself.
struct Setting {
    user: desk::User,
    /// Whether they are signed in already.
    adds: bool,
    /// The session that they are in.
    session: i64,
}

fn setting(
    programme: &Programme,
    enrolling: Option<Enrolling>,
    who: Option<&SignedIn>,
) -> Result<Option<Setting>, Error> {
    if let Some(Enrolling { user, session }) = enrolling {
        return Ok(Some(Setting {
            user,
            adds: false,
            session,
        }));
    }
    let now = programme.clock().now().0;
    match who {
        None => Ok(None),
        Some(who) if is_made_up(who) => Err(Error::new(
            ErrorKind::Forbidden,
            "The demonstration's people sign in with one click; nothing is set up for them.",
        )),
        Some(SignedIn {
            user,
            session: Some(session),
        }) if who.is_some_and(|who| who.is_fresh(now)) => Ok(Some(Setting {
            user: user.clone(),
            adds: true,
            session: session.id,
        })),
        Some(_) => Err(Error::new(
            ErrorKind::Forbidden,
            "Show again that it is you, under your name, before you change how you sign in.",
        )),
    }
}

/// Whether somebody is signed in as one of the demonstration's people.
pub(super) fn is_made_up(who: &SignedIn) -> bool {
    let session = who.session.as_ref();
    session.is_some_and(|session| session.how == How::Demo.as_str())
}

fn must(setting: Option<Setting>) -> Result<Setting, Error> {
    setting.ok_or_else(|| {
        Error::new(
            ErrorKind::Unauthenticated,
            "Enrol with your code first, or sign in.",
        )
    })
}

/// The form for the code, or what can be chosen once it was right.
pub async fn form(
    State(programme): State<Programme>,
    enrolling: Option<Enrolling>,
    who: Option<SignedIn>,
    visitor: Visitor,
) -> Result<Response, Error> {
    if let Some(who) = &who
        && enrolling.is_none()
        && must_be_fresh(&programme, who).is_err()
    {
        return Ok(see(&path::with(path::AGAIN, &[("next", path::ENROL)])));
    }
    let setting = setting(&programme, enrolling, who.as_ref())?;
    draw(&programme, &visitor, setting.as_ref(), who, None)
}

fn draw(
    programme: &Programme,
    visitor: &Visitor,
    setting: Option<&Setting>,
    who: Option<SignedIn>,
    problem: Option<String>,
) -> Result<Response, Error> {
    let mut cookies = Vec::new();
    let choice = match setting {
        None => None,
        Some(setting) => {
            let (secret, cookie) = enrolment::secret(programme, &setting.user, visitor)?;
            cookies.push(cookie);
            let address = one_time::address(&secret, programme.name(), &setting.user.name);
            let spelled = one_time::spelled(&secret);
            let groups: Vec<&str> = (0..spelled.len())
                .step_by(4)
                .map(|at| &spelled[at..(at + 4).min(spelled.len())])
                .collect();
            let providers = programme.desk().providers().map_err(Error::desk)?;
            Some(Choice {
                name: setting.user.name.clone(),
                passkeys: visitor.site.takes_passkeys(),
                organisations: providers.into_iter().map(|one| one.name).collect(),
                secret: groups.join(" "),
                picture: picture::qr(&address),
                adds: setting.adds,
            })
        }
    };
    let shell = match who {
        Some(who) => Asked::of(programme, who, path::ENROL)?.shell(),
        None => outside(programme, path::ENROL),
    };
    let status = match problem {
        Some(_) => StatusCode::FORBIDDEN,
        None => StatusCode::OK,
    };
    Ok(drawn(shell, status, problem, choice, &cookies))
}

fn drawn(
    shell: Shell,
    status: StatusCode,
    problem: Option<String>,
    choice: Option<Choice>,
    cookies: &[String],
) -> Response {
    let context = Context {
        shell,
        problem,
        choice,
    };
    let mut response = html(status, page(&context));
    cookies.iter().for_each(|cookie| set(&mut response, cookie));
    response.extensions_mut().insert(Drawn);
    release::nothing(response, "setting up how somebody signs in")
}

/// Takes a code.
pub async fn enter(
    State(programme): State<Programme>,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Error> {
    let form = read(&body)?;
    by_code(&programme, &visitor, field(&form, "code"))
}

/// Uses a code up, and begins half an hour of setting up.
pub(super) fn by_code(
    programme: &Programme,
    visitor: &Visitor,
    code: &str,
) -> Result<Response, Error> {
    let (desk, now) = (programme.desk(), programme.clock().now().0);
    let tries = Tries::of(desk, "code", None, &visitor.counted, None, now)?;
    let wait = tries.wait(desk, now)?;
    let user = match wait {
        0 => desk.take_code(code, now).map_err(Error::desk)?,
        _ => None,
    };
    let Some(user) = user else {
        let problem = match wait {
            0 => {
                tries.failed(desk, false, now)?;
                "Nobody has this code. Check it for missing letters. A code works once and for a while; an \
                 officer of the programme can give you another."
                    .to_owned()
            }
            wait => format!(
                "Too many tries from here. The next one is taken in {} seconds.",
                wait.div_euclid(1_000_000) + 1
            ),
        };
        return draw(programme, visitor, None, None, Some(problem));
    };
    tries.succeeded(desk)?;
    let cookies = sign_in::begin(programme, &user, How::Enrolment, visitor)?;
    Ok(entered(path::ENROL, &cookies))
}

/// Takes a password and the first one-time code.
pub async fn password(
    State(programme): State<Programme>,
    enrolling: Option<Enrolling>,
    who: Option<SignedIn>,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Error> {
    let form = read(&body)?;
    let setting = must(setting(&programme, enrolling, who.as_ref())?)?;
    let (there, asked, user) = (programme.clone(), visitor.clone(), setting.user.clone());
    let chosen = tokio::task::spawn_blocking(move || {
        let field = |name: &str| field(&form, name);
        enrolment::choose_password(
            &there,
            &user,
            &asked,
            field("password"),
            field("again"),
            field("one-time"),
        )
    });
    match chosen.await.map_err(Error::internal)?? {
        Chosen::Set => done(&programme, &setting, &visitor, &Way::Password).await,
        Chosen::Refused(why, cookie) => {
            // The secret that the app has read is shown again, not another one.
            let kept = cookie.map(|cookie| visitor.with(&cookie));
            let visitor = kept.unwrap_or(visitor);
            draw(
                &programme,
                &visitor,
                Some(&setting),
                who,
                Some(why.to_owned()),
            )
        }
    }
}

/// Asks the browser to make a passkey.
pub async fn passkey(
    State(programme): State<Programme>,
    enrolling: Option<Enrolling>,
    who: Option<SignedIn>,
    visitor: Visitor,
) -> Result<Response, Error> {
    let setting = must(setting(&programme, enrolling, who.as_ref())?)?;
    let asked = passkey::begin_adding(&programme, &setting.user, &visitor)?;
    Ok(answer(&asked.options, &[asked.cookie]))
}

/// Takes it.
pub async fn passkey_done(
    State(programme): State<Programme>,
    enrolling: Option<Enrolling>,
    who: Option<SignedIn>,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Error> {
    let said = Said::read(&body)?;
    let setting = must(setting(&programme, enrolling, who.as_ref())?)?;
    let name: String = said.text("name").trim().chars().take(60).collect();
    let name = match name.chars().any(char::is_control) || name.is_empty() {
        true => "Passkey".to_owned(),
        false => name,
    };
    let added = passkey::add(&programme, &setting.user, &visitor, &name, &said.answer)?;
    let way = Way::Passkey(&added);
    let response = done(&programme, &setting, &visitor, &way).await?;
    let next = response.headers().get(axum::http::header::LOCATION);
    let next = next
        .and_then(|next| next.to_str().ok())
        .unwrap_or(path::ACCOUNT);
    let mut answer = answer(&json!({ "next": next }), &[]);
    for cookie in response.headers().get_all(axum::http::header::SET_COOKIE) {
        let name = axum::http::header::SET_COOKIE;
        answer.headers_mut().append(name, cookie.clone());
    }
    Ok(answer)
}

/// Leads to an organisation's sign-in, to link an account there.
pub async fn to_provider(
    State(programme): State<Programme>,
    enrolling: Option<Enrolling>,
    who: Option<SignedIn>,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Error> {
    let setting = must(setting(&programme, enrolling, who.as_ref())?)?;
    let form = read(&body)?;
    let what_for = WhatFor::Link(setting.session);
    onward(
        programme,
        visitor,
        field(&form, "name"),
        path::ACCOUNT,
        what_for,
    )
    .await
}

/// An account at an organisation's was linked, in this session.
pub(super) async fn linked(
    programme: &Programme,
    visitor: &Visitor,
    session: &Session,
    back: &provider::Back,
) -> Result<Response, Error> {
    let setting = Setting {
        user: back.user.clone(),
        adds: session.how != How::Enrolment.as_str(),
        session: session.id,
    };
    done(programme, &setting, visitor, &Way::Provider(&back.provider)).await
}

/// A way in is there: on the record, told to its owner, and they are signed in.
async fn done(
    programme: &Programme,
    setting: &Setting,
    visitor: &Visitor,
    way: &Way<'_>,
) -> Result<Response, Error> {
    let actor = sign_in::actor_name(&setting.user);
    users::note(programme, &setting.user, &Event::WayAdded(*way), &actor).await?;
    // Of an organisation's account somebody hears even when it is their first: it is not made here.
    if setting.adds || matches!(way, Way::Provider(_)) {
        let words = format!("{} was added to your account.", way.words());
        let now = programme.clock().now().0;
        let told = programme.desk().tell(setting.user.id, &words, now);
        told.map_err(Error::desk)?;
    }
    if setting.adds {
        return Ok(see(path::ACCOUNT));
    }
    let how = match way {
        Way::Passkey(_) => How::Passkey,
        Way::Password => How::Password,
        Way::Provider(_) => How::Provider,
    };
    let cookies = sign_in::begin(programme, &setting.user, how, visitor)?;
    Ok(entered(path::ACCOUNT, &cookies))
}
