//! Connections of bounded number, which end when the other side says nothing at first, or takes nothing later.

use axum_server::accept::{Accept, DefaultAcceptor};
use std::future::Future;
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
/// A client has this long to say which protocol it speaks; it has as long again for its first request's head.
const GREETING: Duration = Duration::from_secs(10);
/// So many bytes tell that: HTTP/2 begins with a preface as long. Until then nothing else measures time, and who says
/// nothing would keep a place for ever.
const PREFACE: usize = 24;

/// Takes connections while there is room, those that `inner` makes of what comes.
#[derive(Debug, Clone)]
pub(super) struct Patient<A = DefaultAcceptor> {
    places: Arc<Semaphore>,
    inner: A,
}

impl<A> Patient<A> {
    pub(super) fn new(inner: A) -> Self {
        Self { places: Arc::new(Semaphore::new(CONNECTIONS)), inner }
    }
}

impl<A, I, S> Accept<I, S> for Patient<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Timed<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, A::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        // Taken first: what `inner` does, such as TLS, takes time and memory too.
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Box::pin(async { Err(io::Error::other("too many connections")) });
        };
        let accepted = self.inner.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            let greeting = Some(Box::pin(sleep(GREETING)));
            Ok((Timed { stream, heard: 0, greeting, waiting: None, _place: place }, service))
        })
    }
}

/// A connection whose first words and whose writes do not wait for ever.
#[derive(Debug)]
pub(super) struct Timed<I> {
    stream: I,
    /// How many bytes were read, up to [`PREFACE`].
    heard: usize,
    /// Runs until it is known what the client speaks.
    greeting: Option<Pin<Box<Sleep>>>,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl<I: AsyncWrite + Unpin> Timed<I> {
    /// Passes on what a write came to, unless it has been waiting for too long.
    fn timed<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.waiting = None;
            // Whoever is answered has said what it speaks.
            self.greeting = None;
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
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.heard = PREFACE.min(self.heard + buffer.filled().len() - before);
        if self.heard >= PREFACE {
            self.greeting = None;
        }
        let is_over = |greeting: &mut Pin<Box<Sleep>>| greeting.as_mut().poll(cx).is_ready();
        if read.is_pending() && self.greeting.as_mut().is_some_and(is_over) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
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
        let (mut ours, ()) = Patient::new(DefaultAcceptor::new()).accept(ours, ()).await.unwrap();
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

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_at_first_is_dropped_and_who_asks_later_again_is_not() {
        for said in ["", "P", "PRI * HTTP/2.0"] {
            let (ours, mut theirs) = duplex(64);
            let (mut ours, ()) =
                Patient::new(DefaultAcceptor::new()).accept(ours, ()).await.unwrap();
            theirs.write_all(said.as_bytes()).await.unwrap();
            let start = Instant::now();
            let read = async { ours.read_exact(&mut [0; PREFACE]).await.map_err(|e| e.kind()) };
            assert_eq!(read.await, Err(io::ErrorKind::TimedOut), "{said}");
            assert!(start.elapsed() >= GREETING && start.elapsed() < 2 * GREETING);
        }
        let (ours, mut theirs) = duplex(64);
        let (mut ours, ()) = Patient::new(DefaultAcceptor::new()).accept(ours, ()).await.unwrap();
        theirs.write_all(&[b'x'; PREFACE]).await.unwrap();
        ours.read_exact(&mut [0; PREFACE]).await.unwrap();
        let later = tokio::spawn(async move { ours.read_u8().await.map_err(|e| e.kind()) });
        tokio::time::sleep(3 * GREETING).await;
        theirs.write_u8(7).await.unwrap();
        assert_eq!(later.await.unwrap(), Ok(7));
    }

    #[tokio::test]
    async fn there_are_so_many_connections_and_one_that_ends_makes_room() {
        let patient = Patient::new(DefaultAcceptor::new());
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            open.push(patient.accept(duplex(1).0, ()).await.unwrap());
        }
        assert!(patient.accept(duplex(1).0, ()).await.is_err());
        open.pop();
        assert!(patient.accept(duplex(1).0, ()).await.is_ok());
    }
}
