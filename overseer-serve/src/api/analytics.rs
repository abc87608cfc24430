//! What the stored history amounts to.

use super::ask::{Asked, Nothing};
use super::{Answer, answer, shapes};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::host::{now, open};

/// The stored history summarised: features, correlations, models, the host over time. One request at a time works on it.
#[utoipa::path(get, path = "/api/v1/analytics", tag = "history", responses(
    (status = 200, body = shapes::Analytics),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn analytics(State(handle): State<Handle>, _: Asked<Nothing>) -> Answer {
    // By an engine of its own that only reads: the one that ticks waits for nobody.
    let found = handle.readers.heavy(|options| {
        let mut options = options.clone();
        options.sample = false;
        Ok(open(&options)?.analytics(now()))
    });
    answer::json(&found.await?)
}
