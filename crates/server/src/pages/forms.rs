//! Around every form: it stands on a page of ours, and what is sent too late is kept.
//!
//! One place for all of them, so that no handler can forget it. Browsers say where a request comes
//! from in two ways, `Sec-Fetch-Site` and `Origin`; a request that changes something and comes from
//! elsewhere by either is refused, whatever cookies it brings.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::see;
use crate::error::{Error, ErrorKind};
use crate::fhir::query::{self, Pairs};
use crate::programme::Programme;
use crate::sign_in;
use crate::web::path;

/// The largest form that is kept, in bytes.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// What a kept form is, where it is sealed.
const SEALED_KIND: &str = "draft";

/// The layer.
pub async fn guard(State(programme): State<Programme>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    if let Err(error) = from_our_own_page(&programme, request.headers()) {
        return error.into_response();
    }
    match keep(&programme, request).await {
        Ok(Kept::Yes) => see(&path::with(path::SIGN_IN, &[("next", path::DRAFTS)])),
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
    Yes,
    No(Box<Request>),
}

/// Keeps a form whose writer's session has ended by itself; anything else goes on unharmed.
async fn keep(programme: &Programme, request: Request) -> Result<Kept, Error> {
    let address = request.uri().path().to_owned();
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| {
            kind.as_bytes()
                .starts_with(b"application/x-www-form-urlencoded")
        });
    let is_own = [
        path::SIGN_IN,
        path::SIGN_OUT,
        path::ENROL,
        path::ACCOUNT,
        path::DRAFTS,
    ]
    .iter()
    .any(|own| address.starts_with(own));
    if !is_form || is_own || sign_in::is_signed_in(programme, request.headers())? {
        return Ok(Kept::No(Box::new(request)));
    }
    let Some(user) = sign_in::whose_ended(programme, request.headers())? else {
        return Ok(Kept::No(Box::new(request)));
    };
    let body = request.into_body();
    let body = to_bytes(body, KEPT_BYTES_MAX).await.map_err(|_| {
        Error::new(
            ErrorKind::Unauthenticated,
            "Your session has ended, and what you sent is too large to be kept. Go back in your browser, copy \
             it, sign in, and send it again.",
        )
    })?;
    let whose = format!("user/{user}");
    let chance = programme.chance();
    let sealed = programme.sealer().seal(SEALED_KIND, &whose, &body, chance);
    let now = programme.clock().now().0;
    programme
        .desk()
        .keep_draft(user, &address, &sealed, now)
        .map_err(Error::desk)?;
    Ok(Kept::Yes)
}

/// The fields of a kept form.
pub fn open(programme: &Programme, user: i64, sealed: &[u8]) -> Result<Pairs, Error> {
    let whose = format!("user/{user}");
    let body = programme.sealer().open(SEALED_KIND, &whose, sealed)?;
    query::decode(&String::from_utf8_lossy(&body))
}
