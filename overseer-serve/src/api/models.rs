//! What is known of the models.

use super::ask::{Asked, Nothing};
use super::{Answer, answer, shapes};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::core::{ModelMetadata, Span, Store};
use overseer_engine::host::now;
use serde::Serialize;
use utoipa::ToSchema;

/// Models with their ages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Models {
    /// By name.
    #[schema(value_type = Vec<shapes::ModelAge>)]
    models: Vec<Aged>,
}

#[derive(Debug, Serialize)]
struct Aged {
    metadata: ModelMetadata,
    age: Span,
}

/// The stored models: what they learned from, how good they proved, how old they are.
#[utoipa::path(get, path = "/api/v1/models", tag = "now", responses(
    (status = 200, body = Models),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn models(State(handle): State<Handle>, _: Asked<Nothing>) -> Answer {
    let known = handle.readers.read(Store::model_metadata).await?;
    let now = now();
    let aged = |metadata: ModelMetadata| Aged { age: now.since(metadata.trained_at), metadata };
    answer::json(&Models { models: known.into_iter().map(aged).collect() })
}
