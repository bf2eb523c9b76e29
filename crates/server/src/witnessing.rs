//! A witness over HTTP (C2SP tlog-witness): what outsiders reach, and what keeps them from holding it up.
//!
//! ```text
//! POST /add-checkpoint               asks for a cosignature
//! GET  /<SHA-256 of origin>/checkpoint   the last one that was cosigned
//! ```
//!
//! Anybody may ask, so nothing that anybody sends may last: a head has ten seconds, a body another ten and a
//! small size, a connection ten minutes, and there are only so many of them at once. All that costs a flush
//! is a checkpoint that a known log signed and that is new.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Notify, Semaphore};
use witness::{Answer, Witness};

use crate::clock::Clock;

/// No request that makes sense is longer, in bytes: a checkpoint with a dozen large signatures is half of it.
const BODY_BYTES_MAX: usize = 128 * 1024;
/// How long a client may take over a head, and over a body.
const SLOW_MAX: Duration = Duration::from_secs(10);
/// How long a connection may last, however busy it is.
const CONNECTION_MAX: Duration = Duration::from_secs(600);
/// How many connections there may be at once.
const CONNECTIONS_MAX: usize = 256;

#[derive(Clone)]
struct Shared {
    witness: Arc<Witness>,
    clock: Clock,
    failed: Arc<Notify>,
}

/// What ended the serving of a witness.
pub enum Ended {
    /// It was told to stop.
    Told,
    /// Something could not be stored; it must not go on.
    Failed,
}

/// Serves a witness until `told` is ready or it fails.
pub async fn serve(
    listener: tokio::net::TcpListener,
    witness: Arc<Witness>,
    clock: Clock,
    told: impl Future<Output = ()>,
) -> Ended {
    let failed = Arc::new(Notify::new());
    let shared = Shared {
        witness,
        clock,
        failed: failed.clone(),
    };
    let routes = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin}/checkpoint", get(checkpoint))
        .with_state(shared);
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut told = std::pin::pin!(told);
    loop {
        let accepted = async {
            let place = room.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut told => return Ended::Told,
            () = failed.notified() => return Ended::Failed,
        };
        // A client that is gone already, or no file handle left: the next one may fare better.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let service = TowerToHyperService::new(routes.clone());
        tokio::spawn(async move {
            let _place = place;
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(SLOW_MAX)
                .serve_connection(TokioIo::new(stream), service);
            // How a stranger's connection ends is nobody's business.
            let _ = tokio::time::timeout(CONNECTION_MAX, connection).await;
        });
    }
}

async fn add_checkpoint(State(shared): State<Shared>, request: Request<Body>) -> Response {
    let body = tokio::time::timeout(SLOW_MAX, to_bytes(request.into_body(), BODY_BYTES_MAX));
    let body = match body.await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            return refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is too large or broke off\n",
            );
        }
        Err(_) => return refused(StatusCode::REQUEST_TIMEOUT, "the body did not come\n"),
    };
    let now = shared.clock.now().0.div_euclid(1_000_000);
    let witness = shared.witness.clone();
    // It may wait for the disk.
    let answer = tokio::task::spawn_blocking(move || {
        witness.add_checkpoint(&body, u64::try_from(now).unwrap_or_default())
    });
    let Ok(Answer {
        status,
        content_type,
        body,
    }) = answer.await
    else {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed\n");
    };
    if shared.witness.has_failed() {
        shared.failed.notify_one();
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, body).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

async fn checkpoint(State(shared): State<Shared>, Path(origin): Path<String>) -> Response {
    match shared.witness.checkpoint(&origin) {
        Some(note) => (
            [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                (header::CACHE_CONTROL, "no-store"),
            ],
            note,
        )
            .into_response(),
        None => refused(
            StatusCode::NOT_FOUND,
            "no checkpoint of that log was ever cosigned here\n",
        ),
    }
}

fn refused(status: StatusCode, why: &'static str) -> Response {
    (status, why).into_response()
}
