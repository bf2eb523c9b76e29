//! A connection whose other end must take what it is sent.
//!
//! A client that asks for much and reads a byte now and then would hold the answer, and its place among the
//! connections, for as long as it likes. While a write waits, each span of grace must see
//! [`RATE_LEAST`](super::body::RATE_LEAST) bytes a second go.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::body::RATE_LEAST;

/// The connection.
pub(super) struct Paced<S> {
    inner: S,
    grace: Duration,
    /// Runs while writes wait.
    span: Option<Pin<Box<Sleep>>>,
    /// How much went in this span.
    written: u64,
}

impl<S> Paced<S> {
    pub(super) fn new(inner: S, grace: Duration) -> Paced<S> {
        Paced {
            inner,
            grace,
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

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
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
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
