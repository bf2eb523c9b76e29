//! The whole URL space, on one page.
//!
//! Every request gets an id, which its answer carries as `X-Request-Id` and the log repeats. An
//! error leaves a handler as [`Error`] and becomes an OperationOutcome under `/fhir` and a page
//! elsewhere, here and nowhere else; what only programs ask for (`/log/`) gets it as text. A panic
//! becomes an error like any other. What an answer gives out of the record is recorded before it is
//! let go ([`crate::release`]). Whoever asks too often is not let in ([`crate::rate`]), and every answer
//! tells browsers what they may do with it ([`crate::headers`]).

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::error::{Error, ErrorKind};
use crate::fhir::negotiate::FHIR_JSON;
use crate::fhir::{
    self, Api, batch, capabilities, create, delete, history, outcome, promise, read, receipt,
    search, update, validate, vread,
};

use crate::release;
use crate::serving::Peer;
use crate::{headers, oauth, web};

/// Renders an error for people; given by the pages.
pub type ErrorPage = fn(&Error) -> Response;

/// Marks an answer that is no error though its status says that something is gone: it is let through
/// as it was drawn.
#[derive(Clone, Copy)]
pub struct Drawn;

/// FHIR's address space.
pub fn fhir(api: Api) -> Router {
    Router::new()
        .route("/fhir", post(batch::post))
        .route("/fhir/", post(batch::post))
        .route("/fhir/metadata", get(capabilities::get))
        .route(
            "/fhir/{kind}",
            get(search::get)
                .post(create::post)
                .put(update::put_where)
                .delete(delete::delete_where),
        )
        .route("/fhir/{kind}/_search", post(search::post))
        .route("/fhir/{kind}/$validate", post(validate::of_kind))
        .route("/fhir/{kind}/{id}/$validate", post(validate::of_one))
        .route("/fhir/{kind}/$promise", post(promise::post))
        .route(
            "/fhir/{kind}/{id}",
            get(read::get).put(update::put).delete(delete::delete_one),
        )
        .route("/fhir/{kind}/{id}/_history", get(history::get))
        .route("/fhir/{kind}/{id}/_history/{version}", get(vread::get))
        .route("/fhir/{kind}/{id}/$receipt", get(receipt::of_current))
        .route(
            "/fhir/{kind}/{id}/_history/{version}/$receipt",
            get(receipt::of_version),
        )
        .with_state(api)
}

/// Everything that is served: FHIR, and the given pages beside it.
pub fn router(api: Api, pages: Router, error_page: ErrorPage) -> Router {
    Router::new()
        .merge(fhir(api.clone()))
        .merge(crate::transparency::routes(api.clone()))
        .merge(crate::metrics::routes(api.clone()))
        .merge(oauth::routes(api.clone()))
        .merge(pages)
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_allowed)
        .layer(Extension(api.clone()))
        .layer(middleware::from_fn_with_state((api, error_page), around))
}

async fn nothing_here() -> Error {
    Error::new(ErrorKind::NotFound, "There is nothing at this address.")
}

async fn not_allowed(request: Request) -> Error {
    Error::new(
        ErrorKind::MethodNotAllowed,
        format!(
            "{} is not possible here; the `Allow` header says what is.",
            fhir::negotiate::printable(request.method().as_str())
        ),
    )
}

/// What is around every request: its id, its panics, its errors.
async fn around(
    State((api, error_page)): State<(Api, ErrorPage)>,
    request: Request,
    next: Next,
) -> Response {
    let id = request_id(&api, &request);
    let under_fhir = {
        let path = request.uri().path();
        path == "/fhir" || path.starts_with("/fhir/")
    };
    let path = request.uri().path().to_owned();
    let is_for_tools = is_for_tools(&path);
    let method = request.method().clone();
    let peer = request.extensions().get::<Peer>().copied();
    let origin = request.headers().get(header::ORIGIN).cloned();
    let brought = request.headers().contains_key(header::AUTHORIZATION);
    let (rates, now) = (api.rates(), api.now());
    let brings = request.headers();
    let is_known = || api.remembers(brings);
    let admitted = rates.admit(peer.as_ref(), &method, &path, brings, is_known, now);
    let mut response = if headers::is_preflight(&method, &path, request.headers()) {
        headers::preflight()
    } else if let Err(error) = admitted {
        error.into_response()
    } else {
        match Caught(Box::pin(next.run(request))).await {
            Ok(response) => response,
            Err(panic) => Error::internal(format!("a panic: {panic}")).into_response(),
        }
    };
    response = release::let_go(api.programme(), &method, response).await;
    let status = response.status();
    let drawn = response.extensions_mut().remove::<Drawn>().is_some();
    if drawn {
        // It says itself what there is to say.
        if status == StatusCode::UNAUTHORIZED {
            rates.refused(peer.as_ref(), now);
        }
    } else if status.is_client_error() || status.is_server_error() {
        let error = match response.extensions_mut().remove::<Arc<Error>>() {
            Some(error) => error,
            None => Arc::new(of_status(status)),
        };
        fhir::log(&error, &id);
        let given = std::mem::take(response.headers_mut());
        if status == StatusCode::UNAUTHORIZED && brought {
            rates.refused(peer.as_ref(), now);
        }
        response = if under_fhir {
            as_outcome(&error)
        } else if path.starts_with("/oauth/") && path != web::path::AUTHORIZE {
            oauth::of_error(&error)
        } else if is_for_tools {
            as_text(&error)
        } else {
            error_page(&error)
        };
        *response.status_mut() = status;
        for (name, value) in &given {
            if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
                response.headers_mut().append(name, value.clone());
            }
        }
        if method == axum::http::Method::HEAD {
            *response.body_mut() = Body::empty();
        }
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-request-id"), value);
    }
    let is_encrypted = peer.is_some_and(|peer| peer.is_encrypted);
    headers::secure(response.headers_mut(), is_encrypted);
    headers::share(response.headers_mut(), &path, origin.as_ref(), |origin| {
        api.is_registered_origin(origin)
    });
    response
}

/// The id that the client gave the request, if it can be logged, or a new one.
fn request_id(api: &Api, request: &Request) -> String {
    let given = request
        .headers()
        .get("x-request-id")
        .and_then(|id| id.to_str().ok());
    match given {
        Some(id)
            if (1..=64).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) =>
        {
            id.to_owned()
        }
        _ => api.next_request_id(),
    }
}

/// Whether a path is one that only programs ask for.
fn is_for_tools(path: &str) -> bool {
    let is_module = path.ends_with("/passkey") || path.ends_with("/passkey/done");
    path.starts_with("/log/") || path == "/metrics" || is_module
}

fn as_text(error: &Error) -> Response {
    let mut response = Response::new(Body::from(format!("{}\n", error.message)));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

fn as_outcome(error: &Error) -> Response {
    let mut response = Response::new(Body::from(outcome::of_error(error)));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON));
    response
}

/// An error for a refusal that came from the framework and not from a handler.
fn of_status(status: StatusCode) -> Error {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            Error::new(ErrorKind::MethodNotAllowed, "This is not possible here.")
        }
        StatusCode::NOT_FOUND => {
            Error::new(ErrorKind::NotFound, "There is nothing at this address.")
        }
        StatusCode::REQUEST_TIMEOUT => Error::new(
            ErrorKind::TooSlow,
            "The body did not come within the time that there is for it.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => Error::new(ErrorKind::TooLarge, "The body is too large."),
        status if status.is_client_error() => {
            Error::new(ErrorKind::Malformed, "The request could not be understood.")
        }
        _ => Error::internal("an answer of the framework"),
    }
}

/// A future whose panic is a value, so that it ends one request and not its connection.
struct Caught<F>(Pin<Box<F>>);

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = &mut self.0;
        match catch_unwind(AssertUnwindSafe(|| inner.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => {
                let text = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied())
                    .unwrap_or("without a message");
                Poll::Ready(Err(text.to_owned()))
            }
        }
    }
}
