//! A connection whose other end must take what it is sent.
//!
//! A client that asks for much and reads a byte now and then would hold the answer, and its place among the
//! connections, for as long as it likes. While a write waits, each span of grace must see
//! [`RATE_LEAST`](super::body::RATE_LEAST) bytes a second go.
//!
//! A connection that is closed while there is more to read is reset, and the client may lose the answer that says why.
//! So where a request was answered before it was read to its end, the connection [`Lingers`]: what still comes is
//! read away for a moment after our own end was closed.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::body::RATE_LEAST;

/// How long, and for how many bytes, a connection lingers.
const LINGER_MAX: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: u64 = 16 << 20;

/// Whether a connection is to linger when it ends.
#[derive(Clone, Default)]
pub(super) struct Lingers(Arc<AtomicBool>);

impl Lingers {
    /// From now on it is.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The connection.
pub(super) struct Paced<S> {
    inner: S,
    grace: Duration,
    lingers: Lingers,
    /// Runs once our end is closed, with the bytes read away since.
    lingering: Option<(Pin<Box<Sleep>>, u64)>,
    /// Runs while writes wait.
    span: Option<Pin<Box<Sleep>>>,
    /// How much went in this span.
    written: u64,
}

impl<S> Paced<S> {
    pub(super) fn new(inner: S, grace: Duration, lingers: Lingers) -> Paced<S> {
        Paced {
            inner,
            grace,
            lingers,
            lingering: None,
            span: None,
            written: 0,
        }
    }

    /// A write waits: whether it may go on waiting.
    fn waits(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let until = Instant::now() + self.grace;
        let span = self
            .span
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        while span.as_mut().poll(context).is_ready() {
            if self.written < self.grace.as_secs().max(1) * RATE_LEAST {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the client does not take its answer",
                )));
            }
            self.written = 0;
            span.as_mut().reset(Instant::now() + self.grace);
        }
        Poll::Pending
    }

    /// A write went through at once: if no span runs out unseen meanwhile, the client keeps pace.
    fn went(&mut self, bytes: usize) {
        self.written += bytes as u64;
        if self.span.as_ref().is_some_and(|span| span.is_elapsed()) {
            self.span = None;
            self.written = 0;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.inner).poll_write(context, bytes) {
            Poll::Ready(Ok(count)) => {
                self.went(count);
                Poll::Ready(Ok(count))
            }
            Poll::Pending => self.waits(context),
            failed => failed,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.inner).poll_write_vectored(context, parts) {
            Poll::Ready(Ok(count)) => {
                self.went(count);
                Poll::Ready(Ok(count))
            }
            Poll::Pending => self.waits(context),
            failed => failed,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            std::task::ready!(Pin::new(&mut this.inner).poll_shutdown(context))?;
            if !this.lingers.0.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        let (until, seen) = this
            .lingering
            .get_or_insert_with(|| (Box::pin(tokio::time::sleep(LINGER_MAX)), 0));
        let mut away = [0; 8 << 10];
        loop {
            if *seen > LINGER_BYTES_MAX || until.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut away);
            match std::task::ready!(Pin::new(&mut this.inner).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => *seen += buffer.filled().len() as u64,
                // The other end is closed, or gone.
                Ok(()) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}
