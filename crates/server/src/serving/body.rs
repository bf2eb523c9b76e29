//! A request's body that must come at some pace.
//!
//! The time that counts is the time in which we wait for the client; what we take over reading is not held against it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

/// The least that must come, and go, once the grace is over; in bytes a second.
pub const RATE_LEAST: u64 = 1_024;

/// The longest rest of a body that is read although nobody wants it, so that the connection stays good.
const REST_MAX: u64 = 256 << 10;
/// How long such a rest may take to come.
const REST_TIME_MAX: Duration = Duration::from_secs(2);

/// The client took too long over a body.
#[derive(Debug)]
pub struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body came too slowly")
    }
}

impl std::error::Error for TooSlow {}

/// Whether an error of a body says that it came too slowly.
pub fn was_too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<TooSlow>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// The body.
pub(super) struct Paced<B> {
    inner: B,
    grace: Duration,
    seen: u64,
    waited: Duration,
    /// Since when we wait, and when that has been too long.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> Paced<B> {
    pub(super) fn new(inner: B, grace: Duration) -> Paced<B> {
        Paced {
            inner,
            grace,
            seen: 0,
            waited: Duration::ZERO,
            waiting: None,
        }
    }

    /// How long one may have waited for what has come.
    fn allowed(&self) -> Duration {
        self.grace + Duration::from_millis(self.seen.saturating_mul(1_000) / RATE_LEAST)
    }
}

impl<B> HttpBody for Paced<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(context) {
            Poll::Pending => {
                let left = this.allowed().saturating_sub(this.waited);
                let (_, sleep) = this.waiting.get_or_insert_with(|| {
                    let now = Instant::now();
                    (now, Box::pin(tokio::time::sleep_until(now + left)))
                });
                match sleep.as_mut().poll(context) {
                    Poll::Ready(()) => Poll::Ready(Some(Err(Box::new(TooSlow)))),
                    Poll::Pending => Poll::Pending,
                }
            }
            Poll::Ready(frame) => {
                if let Some((since, _)) = this.waiting.take() {
                    this.waited += since.elapsed();
                }
                if let Some(Ok(frame)) = &frame
                    && let Some(data) = frame.data_ref()
                {
                    this.seen += data.len() as u64;
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A body that whoever answers may leave unread: what is left then goes to the [`Rest`].
///
/// An answer to half a request leaves the connection in a state that no client expects: the next request on it would
/// be lost. So the rest is read if there is little, and the client is told of the end of the connection if there is
/// more.
pub(super) struct Lent<B: HttpBody> {
    body: Option<B>,
    back: Option<oneshot::Sender<B>>,
}

/// What became of a body that was [`Lent`].
pub(super) struct Rest<B>(Option<oneshot::Receiver<B>>);

/// Lends a body.
pub(super) fn lend<B: HttpBody>(body: B) -> (Lent<B>, Rest<B>) {
    let (back, rest) = match body.is_end_stream() {
        true => (None, None),
        false => {
            let (back, rest) = oneshot::channel();
            (Some(back), Some(rest))
        }
    };
    let body = Some(body);
    (Lent { body, back }, Rest(rest))
}

impl<B: HttpBody> Drop for Lent<B> {
    fn drop(&mut self) {
        if let Some(body) = self.body.take()
            && let Some(back) = self.back.take()
            && !body.is_end_stream()
        {
            // Nobody waits for it where the connection itself has ended.
            let _ = back.send(body);
        }
    }
}

impl<B: HttpBody + Unpin> HttpBody for Lent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(context);
        if let Poll::Ready(None) = frame {
            self.back = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> Rest<B> {
    /// Whether the connection is good for another request: there is nothing left of the body, or little enough to be
    /// read now. With `unasked`, the client waits to be asked for the body, and is not.
    pub(super) async fn was_read(self, unasked: bool) -> bool {
        let Some(mut rest) = self.0 else {
            return true;
        };
        let mut body = match rest.try_recv() {
            Ok(body) => body,
            Err(oneshot::error::TryRecvError::Closed) => return true,
            Err(oneshot::error::TryRecvError::Empty) => return false,
        };
        let most = body.size_hint().upper();
        if unasked || most.is_some_and(|most| most > REST_MAX) {
            return false;
        }
        let all = async {
            let mut seen = 0;
            loop {
                let next = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
                match next.await {
                    None => return true,
                    Some(Err(_)) => return false,
                    Some(Ok(frame)) => {
                        seen += frame.data_ref().map_or(0, |data| data.len() as u64);
                        if seen > REST_MAX {
                            return false;
                        }
                    }
                }
            }
        };
        tokio::time::timeout(REST_TIME_MAX, all)
            .await
            .unwrap_or(false)
    }
}
