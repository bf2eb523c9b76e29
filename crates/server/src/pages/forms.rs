//! Around every form: it stands on a page of ours, and what is sent too late is kept.
//!
//! One place for all of them, so that no handler can forget it. Browsers say where a request comes
//! from in two ways, `Sec-Fetch-Site` and `Origin`; a request that changes something and comes from
//! elsewhere by either is refused, whatever cookies it brings.
//!
//! Of what is sent too late the words are kept. What somebody signs in with is not ([`is_secret`]), nor a form that
//! asks for it, nor a file: that must be chosen again.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use serde::{Deserialize, Serialize};

use super::enrol::is_made_up;
use super::form::Form;
use super::see;
use crate::error::{Error, ErrorKind};
use crate::fhir::query::Pairs;
use crate::programme::Programme;
use crate::sign_in::{self, SignedIn};
use crate::web::path;

/// The most that is kept of a form, in bytes.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// Fields that hold what somebody signs in with, on whatever page.
const SECRETS: [&str; 3] = ["password", "again", "one-time"];

/// The layer.
pub async fn guard(State(programme): State<Programme>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    if let Err(error) = from_our_own_page(&programme, request.headers()) {
        return error.into_response();
    }
    match keep(&programme, request).await {
        Ok(Kept::Ended) => see(&path::with(path::SIGN_IN, &[("next", path::DRAFTS)])),
        Ok(Kept::Again) => see(&path::with(path::AGAIN, &[("next", path::DRAFTS)])),
        Ok(Kept::No(request)) => next.run(*request).await,
        Err(error) => error.into_response(),
    }
}

/// Refuses what was sent from another site.
fn from_our_own_page(programme: &Programme, headers: &HeaderMap) -> Result<(), Error> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = matches!(text("sec-fetch-site"), None | Some("same-origin" | "none"));
    let origin = match text("origin") {
        None => true,
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            let asked = host.is_some() && host == text("host");
            asked || origin == programme.site(headers).origin()
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

enum Kept {
    /// The session had ended.
    Ended,
    /// It has not, but what was sent takes that somebody has shown lately that it is them.
    Again,
    No(Box<Request>),
}

/// Where what is sent opens or closes records for many at once: nobody's who found a desk unattended.
const GRAVE: [&str; 2] = [path::WARRANTS, path::POLICY];

/// Refuses whoever has not shown lately that it is them: for what [`GRAVE`] names. The layer has kept the form already,
/// if it was one.
pub(super) fn must_be_fresh(programme: &Programme, who: &SignedIn) -> Result<(), Error> {
    if is_made_up(who) || who.is_fresh(programme.clock().now().0) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Forbidden,
        "This takes that you have shown in the last ten minutes that it is you. Open the page Account, show it \
         again, and send this again.",
    ))
}

/// What is kept of a form.
#[derive(Serialize, Deserialize)]
pub struct Draft {
    /// Its fields, but for secrets.
    pub fields: Pairs,
    /// The field of the file that came with it, or could have.
    pub file: Option<String>,
}

/// Whether a field holds what somebody signs in with.
pub fn is_secret(field: &str) -> bool {
    SECRETS.contains(&field)
}

/// Whether what is sent to an address may be kept: not where one shows that it is oneself, nor what is about
/// drafts.
fn may_be_kept(address: &str) -> bool {
    let own = [
        path::SIGN_IN,
        path::SIGN_OUT,
        path::ENROL,
        path::ACCOUNT,
        path::DRAFTS,
    ];
    let signs = address
        .strip_prefix("/entries/")
        .and_then(|rest| rest.split('/').nth(1))
        == Some("sign");
    !signs && !own.iter().any(|own| address.starts_with(own))
}

/// The most that is read of a form to keep its words; nothing for what is no form.
fn read_at_most(headers: &HeaderMap) -> Option<usize> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.split(';').next()?.trim();
    if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Some(KEPT_BYTES_MAX);
    }
    // It is read whole, for what stands behind the file.
    kind.eq_ignore_ascii_case("multipart/form-data")
        .then_some(super::WARRANT_BYTES_MAX)
}

/// Keeps a form whose writer's session has ended by itself, or that takes showing again that it is them; anything
/// else goes on unharmed.
async fn keep(programme: &Programme, request: Request) -> Result<Kept, Error> {
    let address = request.uri().path().to_owned();
    let at_most = read_at_most(request.headers()).filter(|_| may_be_kept(&address));
    let Some(at_most) = at_most else {
        return Ok(Kept::No(Box::new(request)));
    };
    let is_grave = GRAVE.contains(&address.as_str());
    let (user, kept) = match sign_in::current(programme, request.headers())? {
        Some(who) if is_grave && must_be_fresh(programme, &who).is_err() => {
            (who.user.id, Kept::Again)
        }
        Some(_) => return Ok(Kept::No(Box::new(request))),
        None => match sign_in::whose_ended(programme, request.headers())? {
            Some(user) => (user, Kept::Ended),
            None => return Ok(Kept::No(Box::new(request))),
        },
    };
    let too_large = || {
        Error::new(
            ErrorKind::Unauthenticated,
            "You must sign in or show that it is you before this is taken, and it is too large to be kept. Go back in \
             your browser, copy it, do that, and send it again.",
        )
    };
    let (head, body) = request.into_parts();
    let body = to_bytes(body, at_most).await.map_err(|_| too_large())?;
    let (mut fields, file) = Form::read(&head.headers, &body)?.into_parts();
    fields.retain(|(name, _)| !is_secret(name));
    let draft = serde_json::to_vec(&Draft { fields, file }).map_err(Error::internal)?;
    if draft.len() > KEPT_BYTES_MAX {
        return Err(too_large());
    }
    let sealer = programme.sealer();
    let sealed = sealer.seal_draft(user, &draft, programme.chance());
    let now = programme.clock().now().0;
    programme
        .desk()
        .keep_draft(user, &address, &sealed, now)
        .map_err(Error::desk)?;
    Ok(kept)
}

/// A form that was kept.
pub fn open(programme: &Programme, user: i64, sealed: &[u8]) -> Result<Draft, Error> {
    let kept = programme.sealer().open_draft(user, sealed)?;
    serde_json::from_slice(&kept).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_shows_that_it_is_oneself_nothing_is_kept() {
        for (address, kept) in [
            ("/entries/17/sign", false),
            ("/entries/17/sign/passkey", false),
            ("/entries/17/dispute", true),
            ("/account/again", false),
            ("/sign-in", false),
            ("/enrol/password", false),
            ("/erasures", true),
            ("/people/sign/consents", true),
        ] {
            assert_eq!(may_be_kept(address), kept, "{address}");
        }
    }

    #[test]
    fn a_form_with_a_file_is_read_whole_and_nothing_else_is_read() {
        for (kind, most) in [
            ("application/x-www-form-urlencoded", Some(KEPT_BYTES_MAX)),
            (
                "multipart/form-data; boundary=x",
                Some(super::super::WARRANT_BYTES_MAX),
            ),
            ("application/json", None),
            ("multipart/mixed; boundary=x", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().expect("a header"));
            assert_eq!(read_at_most(&headers), most, "{kind}");
        }
        assert_eq!(read_at_most(&HeaderMap::new()), None);
    }
}
