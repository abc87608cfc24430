//! The outbox: who was told what, and how far that got.

use super::ask::{Asked, within};
use super::recommendations::Newest;
use super::{Answer, answer, shapes};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::core::{Alert, Store};
use serde::Serialize;
use utoipa::ToSchema;

/// Messages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Outbox {
    /// The messages, the newest first.
    #[schema(value_type = Vec<shapes::Alert>)]
    items: Vec<Alert>,
}

/// The newest messages of the outbox, delivered or not.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "history", params(Newest), responses(
    (status = 200, body = Outbox),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn alerts(State(handle): State<Handle>, Asked(newest): Asked<Newest>) -> Answer {
    let limit = within("limit", newest.limit, 100, 1, 1000)?;
    let items = handle.readers.read(move |store| store.alerts(limit)).await?;
    answer::json(&Outbox { items })
}
