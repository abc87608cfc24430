//! Advice: of now, and what was stored.

use super::ask::{Asked, within};
use super::{Answer, answer, shapes};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::core::{Recommendation, Store, StoredRecommendation};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Newest {
    /// How many at most, the newest first; 100 if not given.
    #[param(minimum = 1, maximum = 1000)]
    pub(super) limit: Option<u64>,
}

/// Advice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Advice {
    /// What is advised now.
    #[schema(value_type = Vec<shapes::Recommendation>)]
    current: Vec<Recommendation>,
    /// What was advised and stored, the newest first.
    #[schema(value_type = Vec<shapes::StoredRecommendation>)]
    items: Vec<StoredRecommendation>,
}

/// What is advised now, and what was advised before.
#[utoipa::path(get, path = "/api/v1/recommendations", tag = "now", params(Newest), responses(
    (status = 200, body = Advice),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn recommendations(
    State(handle): State<Handle>,
    Asked(newest): Asked<Newest>,
) -> Answer {
    let limit = within("limit", newest.limit, 100, 1, 1000)?;
    let items = handle.readers.read(move |store| store.recommendations(limit)).await?;
    let current = handle.latest().map(|l| l.report.recommendations.clone()).unwrap_or_default();
    answer::json(&Advice { current, items })
}
