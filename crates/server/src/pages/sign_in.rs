//! Signing in and out.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};

use super::{html, see};
use crate::error::{Error, ErrorKind};
use crate::fhir::query::{self, Pairs};
use crate::programme::Programme;
use crate::release;
use crate::router::Drawn;
use crate::sign_in::by_password::{self, Outcome};
use crate::sign_in::provider::{self, WhatFor};
use crate::sign_in::{self, How, SignedIn, Visitor, passkey};
use crate::web::layout::Shell;
use crate::web::onward;
use crate::web::path;
use crate::web::sign_in::{Context, Who, page};

/// The largest form body that signing in takes, in bytes.
const FORM_BYTES_MAX: usize = 16 << 10;

/// One sentence for everything that does not fit.
const WRONG: &str = "Name, password and one-time code do not fit together. Check all three; each code of \
                     the app works once, so wait for the next one. If you never set a password here, use your \
                     passkey or your organisation, or ask an officer for a code.";

/// The form.
pub async fn form(
    State(programme): State<Programme>,
    who: Option<SignedIn>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, Error> {
    let params = query::decode(uri.query().unwrap_or_default())?;
    let next = next(&params);
    if who.is_some() {
        return Ok(see(&next));
    }
    let mut context = context(&programme, &visitor, next)?;
    if context.next == path::DRAFTS {
        let words = "Your session had ended, so what you sent was not recorded. It is kept for you: sign in \
                     to go on with it.";
        context.notice = Some(words.to_owned());
    }
    let form = html(StatusCode::OK, page(&context));
    Ok(release::nothing(form, "nobody is signed in yet"))
}

/// Somebody tries, with a name, a password and a one-time code, or with a code.
pub async fn enter(
    State(programme): State<Programme>,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Error> {
    let params = read(&body)?;
    let field = |name: &str| field(&params, name);
    let next = next(&params);
    let code = field("code").trim();
    if !code.is_empty() {
        return by_code(&programme, &visitor, code, next).await;
    }
    let (name, password, one_time) = (field("name"), field("password"), field("one-time"));
    match by_password::check(&programme, &visitor, name, password, one_time).await? {
        Outcome::Is(user) => {
            let cookies = sign_in::begin(&programme, &user, How::Password, &visitor)?;
            Ok(entered(&next, &cookies))
        }
        Outcome::Wrong => again(&programme, &visitor, next, name, WRONG.to_owned(), None),
        Outcome::Wait(seconds) => {
            let words = format!(
                "Too many tries from here. The next one is taken in {}.",
                match seconds {
                    1 => "a second".to_owned(),
                    2..60 => format!("{seconds} seconds"),
                    _ => format!("{} minutes", (seconds + 59) / 60),
                }
            );
            again(&programme, &visitor, next, name, words, Some(seconds))
        }
    }
}

/// A code: of a made-up person of a demo, or to enrol with.
async fn by_code(
    programme: &Programme,
    visitor: &Visitor,
    code: &str,
    next: String,
) -> Result<Response, Error> {
    let demo = programme.demo_people();
    if let Some(person) = demo.iter().find(|person| person.code == code) {
        let user = programme.desk().user_named(&person.name);
        if let Some(user) = user.map_err(Error::desk)?.filter(|user| !user.disabled) {
            let cookies = sign_in::begin(programme, &user, How::Demo, visitor)?;
            return Ok(entered(&next, &cookies));
        }
    }
    super::enrol::by_code(programme, visitor, code)
}

/// The form once more, with what was wrong.
fn again(
    programme: &Programme,
    visitor: &Visitor,
    next: String,
    name: &str,
    problem: String,
    wait: Option<i64>,
) -> Result<Response, Error> {
    let mut context = context(programme, visitor, next)?;
    context.name = name.chars().take(100).collect();
    context.problem = Some(problem);
    let status = match wait {
        Some(_) => StatusCode::TOO_MANY_REQUESTS,
        None => StatusCode::FORBIDDEN,
    };
    let mut response = html(status, page(&context));
    if let Some(seconds) = wait {
        let value = HeaderValue::from(seconds.unsigned_abs());
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response.extensions_mut().insert(Drawn);
    Ok(response)
}

/// Signed in: cookies, and on to the page.
pub(super) fn entered(next: &str, cookies: &[String]) -> Response {
    let mut response = see(next);
    cookies.iter().for_each(|cookie| set(&mut response, cookie));
    response
}

/// Signing out: nothing of the pages stays in the browser. Cookies are not among it: one of them says that somebody
/// has signed in from here before, which keeps guessers from holding them up.
pub async fn leave(
    State(programme): State<Programme>,
    visitor: Visitor,
) -> Result<Response, Error> {
    let cookie = sign_in::end(&programme, &visitor)?;
    let mut response = entered(path::SIGN_IN, &[cookie]);
    let what = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert("clear-site-data", what);
    Ok(response)
}

/// Asks the browser for any passkey of this site.
pub async fn passkey(
    State(programme): State<Programme>,
    visitor: Visitor,
) -> Result<Response, Error> {
    let asked = passkey::begin_sign_in(&programme, &visitor)?;
    Ok(answer(&asked.options, &[asked.cookie]))
}

/// Takes what it said.
pub async fn passkey_done(
    State(programme): State<Programme>,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Error> {
    let said = Said::read(&body)?;
    let user = passkey::sign_in(&programme, &visitor, &said.answer)?;
    let cookies = sign_in::begin(&programme, &user, How::Passkey, &visitor)?;
    let next = ours(said.text("next"));
    Ok(answer(&json!({ "next": next }), &cookies))
}

/// Leads to an organisation's sign-in.
pub async fn to_provider(
    State(programme): State<Programme>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, Error> {
    let params = query::decode(uri.query().unwrap_or_default())?;
    let (name, next) = (field(&params, "name").to_owned(), next(&params));
    let sent = send(programme, visitor, name, next, WhatFor::SignIn).await?;
    Ok(entered(&sent.to, &[sent.cookie]))
}

/// Takes whoever comes back from there.
pub async fn from_provider(
    State(programme): State<Programme>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, Error> {
    let params = query::decode(uri.query().unwrap_or_default())?;
    let (there, asked) = (programme.clone(), visitor.clone());
    let back = tokio::task::spawn_blocking(move || {
        provider::take(&there, &asked, |name| {
            let found = params.iter().find(|(given, _)| given == name);
            found.map(|(_, value)| value.clone())
        })
    });
    let back = back.await.map_err(Error::internal)??;
    let next = ours(&back.next);
    match (back.what_for, &back.session) {
        (WhatFor::Link(_), Some(session)) => {
            super::enrol::linked(&programme, &visitor, session, &back).await
        }
        (WhatFor::Again(_), Some(session)) => {
            let cookie = sign_in::renew(&programme, &SignedIn::of(session), &visitor)?;
            Ok(entered(&next, &[cookie]))
        }
        _ => {
            let (user, at) = (&back.user, back.authenticated_us);
            let cookies = sign_in::begin_as_of(&programme, user, How::Provider, &visitor, at)?;
            Ok(entered(&next, &cookies))
        }
    }
}

/// The way to an organisation's sign-in; finding it may take asking the organisation.
async fn send(
    programme: Programme,
    visitor: Visitor,
    name: String,
    next: String,
    what_for: WhatFor,
) -> Result<provider::Sent, Error> {
    let sent = tokio::task::spawn_blocking(move || {
        provider::send(&programme, &visitor, &name, &next, what_for)
    });
    sent.await.map_err(Error::internal)?
}

/// A page that leads to an organisation's sign-in: browsers let no form of ours end there.
pub(super) async fn onward(
    programme: Programme,
    visitor: Visitor,
    name: &str,
    next: &str,
    what_for: WhatFor,
) -> Result<Response, Error> {
    let shell = outside(&programme, path::ENROL);
    let sent = send(
        programme,
        visitor,
        name.to_owned(),
        next.to_owned(),
        what_for,
    )
    .await?;
    let context = onward::Context {
        shell,
        organisation: name.to_owned(),
        to: sent.to.clone(),
    };
    let mut response = html(StatusCode::OK, onward::page(&context));
    if let Ok(value) = HeaderValue::from_str(&format!("0; url={}", sent.to)) {
        response.headers_mut().insert(header::REFRESH, value);
    }
    set(&mut response, &sent.cookie);
    Ok(release::nothing(response, "it leads to another address"))
}

/// What a passkey's module sent: the fields of its form, and the answer.
pub(super) struct Said {
    fields: Json,
    /// The authenticator's answer, as JSON.
    pub answer: Vec<u8>,
}

impl Said {
    pub(super) fn read(body: &Bytes) -> Result<Said, Error> {
        let malformed = || Error::new(ErrorKind::Malformed, "That is no answer of a passkey.");
        if body.len() > 4 * FORM_BYTES_MAX {
            return Err(malformed());
        }
        let mut fields: Json = serde_json::from_slice(body).map_err(|_| malformed())?;
        let answer = fields
            .get_mut("answer")
            .map(Json::take)
            .ok_or_else(malformed)?;
        Ok(Said {
            answer: answer.to_string().into_bytes(),
            fields,
        })
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.fields[name].as_str().unwrap_or_default()
    }
}

/// JSON for a module of ours.
pub(super) fn answer(value: &Json, cookies: &[String]) -> Response {
    let mut response = value.to_string().into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    cookies.iter().for_each(|cookie| set(&mut response, cookie));
    release::nothing(response, "a step of signing in")
}

pub(super) fn set(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// The fields of a form of signing in.
pub(super) fn read(body: &Bytes) -> Result<Pairs, Error> {
    match body.len() > FORM_BYTES_MAX {
        true => Err(Error::new(
            ErrorKind::TooLarge,
            "That is more than the form takes.",
        )),
        false => query::decode(&String::from_utf8_lossy(body)),
    }
}

pub(super) fn field<'f>(form: &'f Pairs, name: &str) -> &'f str {
    let found = form.iter().find(|(given, _)| given == name);
    found.map_or("", |(_, value)| value.as_str())
}

/// Where to go afterwards: a path of ours, never another site.
pub(super) fn next(params: &Pairs) -> String {
    ours(field(params, "next"))
}

/// A path of ours, or where their role begins.
pub(super) fn ours(address: &str) -> String {
    let is_ours = address.starts_with('/')
        && !address.starts_with("//")
        && !address.contains('\\')
        && !address.starts_with(path::SIGN_IN)
        && address.bytes().all(|byte| byte.is_ascii_graphic());
    match is_ours {
        true => address.to_owned(),
        false => path::HOME.to_owned(),
    }
}

/// What a page that nobody is signed in to is told.
pub(super) fn outside(programme: &Programme, path: &str) -> Shell {
    Shell {
        programme: programme.name().to_owned(),
        user: None,
        made_at: programme.clock().now().0,
        size: 0,
        as_of: None,
        path: path.to_owned(),
        keep: Vec::new(),
        banner: None,
        again: None,
        glass: Vec::new(),
        outside: None,
        reading: None,
    }
}

fn context(programme: &Programme, visitor: &Visitor, next: String) -> Result<Context, Error> {
    let providers = programme.desk().providers().map_err(Error::desk)?;
    Ok(Context {
        shell: outside(programme, path::SIGN_IN),
        next,
        name: String::new(),
        problem: None,
        notice: None,
        passkeys: visitor.site.takes_passkeys(),
        organisations: providers.into_iter().map(|one| one.name).collect(),
        demo: programme
            .demo_people()
            .iter()
            .map(|person| Who {
                name: person.name.clone(),
                role: person.role.clone(),
                code: person.code.clone(),
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_never_sent_to_another_site() {
        let check = |given: &str, goes: &str| {
            assert_eq!(
                next(&vec![("next".to_owned(), given.to_owned())]),
                goes,
                "{given}"
            );
        };
        check("/people/a?_asof=2026-01-01", "/people/a?_asof=2026-01-01");
        check("//evil.example/", path::HOME);
        check("https://evil.example/", path::HOME);
        check("/\\evil.example", path::HOME);
        check("/a\nb", path::HOME);
        check("/sign-in?next=/", path::HOME);
        check("", path::HOME);
    }
}
