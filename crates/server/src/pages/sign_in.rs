//! Signing in and out.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;

use super::{html, see};
use crate::error::{Error, ErrorKind};
use crate::fhir::query::{self, Pairs};
use crate::programme::Programme;
use crate::release;
use crate::sign_in::{self, SignedIn};
use crate::web::layout::Shell;
use crate::web::path;
use crate::web::sign_in::{Context, Who, page};

/// The largest form body that signing in takes, in bytes.
const FORM_BYTES_MAX: usize = 4_096;

/// The form.
pub async fn form(
    State(programme): State<Programme>,
    who: Option<SignedIn>,
    uri: Uri,
) -> Result<Response, Error> {
    let params = query::decode(uri.query().unwrap_or_default())?;
    let next = next(&params);
    if who.is_some() {
        return Ok(see(&next));
    }
    let form = html(StatusCode::OK, page(&context(&programme, next, None)));
    Ok(release::nothing(form, "nobody is signed in yet"))
}

/// Somebody tries.
pub async fn enter(
    State(programme): State<Programme>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    refuse_other_sites(&headers)?;
    if body.len() > FORM_BYTES_MAX {
        return Err(Error::new(ErrorKind::TooLarge, "That is more than a code."));
    }
    let params = query::decode(&String::from_utf8_lossy(&body))?;
    let code = params
        .iter()
        .find(|(given, _)| given == "code")
        .map(|(_, value)| value.as_str());
    let next = next(&params);
    match sign_in::begin(&programme, code.unwrap_or_default())? {
        Some(cookie) => {
            let mut response = see(&next);
            set(&mut response, &cookie);
            Ok(response)
        }
        None => {
            let problem = "Nobody has this code. Check it for missing letters, or ask whoever runs \
                           the programme for a new one.";
            let context = context(&programme, next, Some(problem.to_owned()));
            Ok(html(StatusCode::FORBIDDEN, page(&context)))
        }
    }
}

/// Signing out.
pub async fn leave(
    State(programme): State<Programme>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    refuse_other_sites(&headers)?;
    let cookie = sign_in::end(&programme, &headers)?;
    let mut response = see(path::SIGN_IN);
    set(&mut response, &cookie);
    Ok(response)
}

fn set(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// A form on another site may not act here; browsers say where a form stands, each in one of two ways.
pub(super) fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Error> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let site = matches!(text("sec-fetch-site"), None | Some("same-origin" | "none"));
    let origin = match text("origin") {
        None => true,
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text("host")
        }
    };
    match site && origin {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Forbidden,
            "This was sent from another site. Open Homecoming itself and try again.",
        )),
    }
}

/// Where to go afterwards: a path of ours, never another site.
pub(super) fn next(params: &Pairs) -> String {
    params
        .iter()
        .find(|(name, _)| name == "next")
        .map(|(_, value)| value.as_str())
        .filter(|value| {
            value.starts_with('/')
                && !value.starts_with("//")
                && !value.contains('\\')
                && !value.starts_with(path::SIGN_IN)
                && value.bytes().all(|byte| byte.is_ascii_graphic())
        })
        .unwrap_or(path::CASELOAD)
        .to_owned()
}

fn context(programme: &Programme, next: String, problem: Option<String>) -> Context {
    Context {
        shell: Shell {
            programme: programme.name().to_owned(),
            user: None,
            made_at: programme.clock().now().0,
            size: 0,
            as_of: None,
            path: path::SIGN_IN.to_owned(),
            keep: Vec::new(),
            banner: None,
            again: None,
            outside: None,
            reading: None,
        },
        next,
        problem,
        demo: programme
            .demo_people()
            .iter()
            .map(|person| Who {
                name: person.name.clone(),
                role: person.role.clone(),
                code: person.code.clone(),
            })
            .collect(),
    }
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
        check("//evil.example/", path::CASELOAD);
        check("https://evil.example/", path::CASELOAD);
        check("/\\evil.example", path::CASELOAD);
        check("/a\nb", path::CASELOAD);
        check("/sign-in?next=/", path::CASELOAD);
        check("", path::CASELOAD);
    }
}
