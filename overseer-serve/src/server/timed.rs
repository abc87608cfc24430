//! Connections of bounded number, which end when the other side takes nothing.

use axum_server::accept::Accept;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// How many connections may be open.
const CONNECTIONS: usize = 512;
/// A client that takes nothing for so long while there is something for it is dropped.
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes connections while there is room.
#[derive(Debug, Clone)]
pub(super) struct Patient {
    places: Arc<Semaphore>,
}

impl Default for Patient {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(CONNECTIONS)) }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin, S> Accept<I, S> for Patient {
    type Stream = Timed<I>;
    type Service = S;
    type Future = Ready<io::Result<(Timed<I>, S)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        ready(match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => Ok((Timed { stream, waiting: None, _place: place }, service)),
            Err(_) => Err(io::Error::other("too many connections")),
        })
    }
}

/// A connection whose writes do not wait for ever.
#[derive(Debug)]
pub(super) struct Timed<I> {
    stream: I,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl<I: AsyncWrite + Unpin> Timed<I> {
    /// Passes on what a write came to, unless it has been waiting for too long.
    fn timed<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.waiting = None;
            return done;
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
        if waiting.deadline() <= Instant::now() || waiting.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Timed<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Timed<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.timed(cx, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.timed(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_flush(cx);
        self.timed(cx, done)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.timed(cx, done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_dropped_and_who_is_merely_slow_is_not() {
        let (ours, mut theirs) = duplex(16);
        let (mut ours, ()) = Patient::default().accept(ours, ()).await.unwrap();
        let start = Instant::now();
        let writing =
            tokio::spawn(async move { ours.write_all(&[7; 64]).await.map_err(|e| e.kind()) });
        for _ in 0..3 {
            tokio::time::sleep(PATIENCE / 2).await;
            theirs.read_exact(&mut [0; 8]).await.unwrap();
        }
        // From here on nothing is taken any more.
        assert_eq!(writing.await.unwrap(), Err(io::ErrorKind::TimedOut));
        let took = start.elapsed();
        assert!(took >= PATIENCE * 2 && took < PATIENCE * 3, "{took:?}");
    }

    #[tokio::test]
    async fn there_are_so_many_connections_and_one_that_ends_makes_room() {
        let patient = Patient::default();
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            open.push(patient.accept(duplex(1).0, ()).await.unwrap());
        }
        assert!(patient.accept(duplex(1).0, ()).await.is_err());
        open.pop();
        assert!(patient.accept(duplex(1).0, ()).await.is_ok());
    }
}
