//! How many requests are worked on at a time, and for how long.

use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// So many requests wait or are worked on; who comes then is told to come back.
const AT_ONCE: usize = 64;
/// So many of those that change something, which have places of their own: whoever sends their bodies slowly keeps nobody
/// from reading.
const CHANGES: usize = 8;
/// An answer begins within this time. Streams may go on for longer.
const LONGEST: Duration = Duration::from_secs(30);

/// The places there are.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    reads: Arc<Semaphore>,
    changes: Arc<Semaphore>,
}

impl Limits {
    pub(crate) fn new() -> Self {
        let [reads, changes] = [AT_ONCE, CHANGES].map(|places| Arc::new(Semaphore::new(places)));
        Self { reads, changes }
    }
}

/// Lets a request through if there is a place, and gives it up when it takes too long.
pub(crate) async fn limited(
    State(limits): State<Limits>,
    request: Request,
    next: Next,
) -> Response {
    let places = if request.method() == Method::POST { limits.changes } else { limits.reads };
    let Ok(_place) = places.try_acquire() else {
        return Problem::busy("too many requests at a time").into_response();
    };
    tokio::time::timeout(LONGEST, next.run(request)).await.unwrap_or_else(|_| {
        Problem::unavailable("the answer took too long; ask for less").into_response()
    })
}
