//! Work on demand: a comprehensive analysis, a training.

use super::ask::{Asked, Nothing, Said};
use super::{Answer, answer, shapes};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::host::{now, open};
use serde::Deserialize;
use utoipa::ToSchema;

/// Nothing to say: `{}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Analyze {}

/// How to train.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Train {
    /// Whether models that are fresh are trained anew as well.
    #[serde(default)]
    force: bool,
}

/// The comprehensive analysis of what was sampled last. One request at a time works on it, and no tick waits for it.
#[utoipa::path(post, path = "/api/v1/analyze", tag = "actions", request_body = Analyze,
    params(("X-Overseer" = String, Header, description = "`1`", pattern = "^1$")),
    responses(
        (status = 200, body = shapes::Report),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn analyze(
    State(handle): State<Handle>,
    _: Asked<Nothing>,
    Said(Analyze {}): Said<Analyze>,
) -> Answer {
    let report = handle.readers.heavy(|options| {
        let mut options = options.clone();
        options.sample = false;
        let mut engine = open(&options)?;
        engine.collect(now())?;
        Ok(engine.analyze(now()))
    });
    let report = report.await?;
    if report.current.is_none() {
        return Err(Problem::unavailable("nothing was sampled yet").retry_after(5));
    }
    answer::json(&report)
}

/// Trains what is due, or everything, between two ticks of the engine, as the training that falls due by itself.
#[utoipa::path(post, path = "/api/v1/train", tag = "actions", request_body = Train,
    params(("X-Overseer" = String, Header, description = "`1`", pattern = "^1$")),
    responses(
        (status = 200, body = shapes::TrainSummary),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn train(
    State(handle): State<Handle>,
    _: Asked<Nothing>,
    Said(train): Said<Train>,
) -> Answer {
    answer::json(&handle.train(train.force).await?)
}
