//! Live updates: one server-sent event a tick.

use super::ask::{Asked, Nothing};
use crate::live::Handle;
use crate::problem::Problem;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// How often something is sent where nothing happens, so that a broken connection is noticed.
const ALIVE: Duration = Duration::from_secs(15);

/// Server-sent events: one `tick` a tick, whose `data` is the report of that tick alone and whose `id` is its time. Who
/// falls 16 ticks behind is disconnected, and asks anew.
#[utoipa::path(get, path = "/api/v1/events", tag = "now", responses(
    (status = 200, body = String, content_type = "text/event-stream"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn events(
    State(handle): State<Handle>,
    _: Asked<Nothing>,
) -> Result<Response, Problem> {
    let place = Arc::clone(&handle.listeners).try_acquire_owned();
    let place = place.map_err(|_| Problem::busy("too many listen already").retry_after(30))?;
    let ticks = stream::unfold((handle.listen(), place), |(mut ticks, place)| async move {
        let event = match tokio::time::timeout(ALIVE, ticks.recv()).await {
            Ok(Ok(event)) => event,
            // Behind by more than the ring holds, or nobody ticks any more: the stream ends, and nothing was kept for it.
            Ok(Err(_)) => return None,
            Err(_) => Bytes::from_static(b":\n\n"),
        };
        Some((Ok::<_, Infallible>(event), (ticks, place)))
    });
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(ticks.fuse())).into_response())
}
