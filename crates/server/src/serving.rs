//! The loop that accepts connections, and what one client may take up of it.
//!
//! | what | limit |
//! |---|---|
//! | connections at once | [`Limits::connections_max`]; more wait to be accepted |
//! | connections of one address | [`Limits::connections_per_address_max`]; more are closed at once |
//! | a head (request line and headers) | [`HEAD_BYTES_MAX`] and [`HEADERS_MAX`], [`Limits::head_max`] to arrive; the same for a connection that is idle |
//! | a body | grows by [`body::RATE_LEAST`] bytes a second after [`Limits::grace`], or the request ends (408) |
//! | an answer | is taken by as much, or the connection ends |
//! | a body that the answer did not wait for | is read if little is left of it; else the answer says `Connection: close` |
//! | stopping | what is under way has [`STOPPING_MAX`] |
//!
//! Who a client is, is decided here once ([`peer`]): headers that only a proxy may write are taken away unless one of the
//! configured proxies sent them, so that nothing further in can believe a stranger.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

pub mod body;
mod counted;
mod paced;
pub mod peer;
pub mod tls;

use counted::Counted;
use paced::{Lingers, Paced};
pub use peer::{Network, Peer, Proxies};
pub use tls::Tls;

/// The most bytes that a request line and its headers may have.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// The most headers that a request may have.
const HEADERS_MAX: usize = 100;
/// How long requests under way may take when the server is told to stop.
const STOPPING_MAX: Duration = Duration::from_secs(20);
/// How long a client may take over the handshake of TLS.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// What one client may take up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections_max: usize,
    /// Connections of one address at once; neither the machine itself nor a configured proxy is counted.
    pub connections_per_address_max: usize,
    /// How long a head may take to arrive, and how long a connection may be idle.
    pub head_max: Duration,
    /// How long a body or an answer may stand still before its rate counts.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 512,
            connections_per_address_max: 64,
            head_max: Duration::from_secs(20),
            grace: Duration::from_secs(20),
        }
    }
}

/// How connections are to be taken.
#[derive(Clone, Default)]
pub struct Serving {
    /// What one client may take up.
    pub limits: Limits,
    /// Whose forwarding headers are believed.
    pub proxies: Proxies,
    /// The certificate, if this server speaks TLS itself.
    pub tls: Option<Tls>,
}

/// Serves until `told` is ready, then lets what is under way finish.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    serving: Serving,
    told: impl Future<Output = ()>,
) {
    let room = Arc::new(Semaphore::new(serving.limits.connections_max));
    let counted = Counted::default();
    let (stop, stopping) = watch::channel(false);
    let serving = Arc::new(serving);
    let mut told = pin!(told);
    loop {
        let accepted = async {
            let place = room.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut told => break,
        };
        // A client that is gone already, or no file handle left: the next one may fare better.
        let (Ok(place), Ok((stream, address))) = (place, accepted) else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let address = peer::canonical(address.ip());
        let exempt = address.is_loopback() || serving.proxies.hold(address);
        let most = serving.limits.connections_per_address_max;
        let share = match exempt {
            true => None,
            false => match counted.enter(address, most) {
                Some(share) => Some(share),
                // Closed without a word: an answer would cost what the limit is to save.
                None => continue,
            },
        };
        let router = router.clone();
        let (serving, stopping) = (serving.clone(), stopping.clone());
        tokio::spawn(async move {
            let _held = (place, share);
            connection(stream, address, router, serving, stopping).await;
        });
    }
    drop(listener);
    let _ = stop.send(true);
    let most = u32::try_from(serving.limits.connections_max).unwrap_or(u32::MAX);
    let all_gone =
        async { drop::<Option<OwnedSemaphorePermit>>(room.acquire_many_owned(most).await.ok()) };
    let _ = tokio::time::timeout(STOPPING_MAX, all_gone).await;
}

async fn connection(
    stream: TcpStream,
    address: IpAddr,
    router: Router,
    serving: Arc<Serving>,
    stopping: watch::Receiver<bool>,
) {
    // An answer is written in one piece; waiting for more of it only delays it.
    let _ = stream.set_nodelay(true);
    let lingers = Lingers::default();
    let stream = Paced::new(stream, serving.limits.grace, lingers.clone());
    let service = |is_tls| Introduced {
        inner: TowerToHyperService::new(router),
        address,
        is_tls,
        proxies: serving.proxies.clone(),
        grace: serving.limits.grace,
        lingers,
    };
    match &serving.tls {
        None => requests(stream, service(false), &serving, stopping).await,
        Some(tls) => {
            let shaken = tokio::time::timeout(HANDSHAKE_MAX, tls.acceptor().accept(stream)).await;
            // How a stranger's handshake fails is nobody's business.
            if let Ok(Ok(stream)) = shaken {
                requests(stream, service(true), &serving, stopping).await;
            }
        }
    }
}

async fn requests<S>(
    stream: S,
    service: Introduced,
    serving: &Serving,
    mut stopping: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(serving.limits.head_max)
            .max_headers(HEADERS_MAX)
            .max_header_size(HEAD_BYTES_MAX)
            .max_buf_size(HEAD_BYTES_MAX.max(128 << 10))
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        // How a stranger's connection ends is nobody's business.
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|told| *told) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// The router behind the introduction of whoever asks.
struct Introduced {
    inner: TowerToHyperService<Router>,
    address: IpAddr,
    is_tls: bool,
    proxies: Proxies,
    grace: Duration,
    lingers: Lingers,
}

impl Service<Request<Incoming>> for Introduced {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let grace = self.grace;
        let unasked = request.headers().contains_key(header::EXPECT);
        let (request, body) = request.into_parts();
        let (body, rest) = body::lend(body::Paced::new(body, grace));
        let mut request = Request::from_parts(request, Body::new(body));
        let peer = peer::introduce(&mut request, self.address, self.is_tls, &self.proxies);
        request.extensions_mut().insert(peer);
        // Whoever asks axum for the other end gets the one that counts.
        let address = SocketAddr::new(peer.address, 0);
        request.extensions_mut().insert(ConnectInfo(address));
        let answering = self.inner.call(request);
        let lingers = self.lingers.clone();
        Box::pin(async move {
            let Ok(mut answer) = answering.await;
            if !rest.was_read(unasked).await {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(header::CONNECTION, close);
                lingers.set();
            }
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests;
