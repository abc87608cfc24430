//! The stored predictions.

use super::ask::{Asked, Which};
use super::page::{Page, Turn};
use super::{Answer, answer, shapes};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::core::{Prediction, Store};

/// Predictions by when they were made, a page at a time, the newest first. Those in force are in the status.
#[utoipa::path(get, path = "/api/v1/predictions", tag = "history", params(Which), responses(
    (status = 200, body = Page<shapes::Prediction>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn predictions(
    State(handle): State<Handle>,
    Asked(which): Asked<Which>,
) -> Answer {
    let turn = Turn::of(&which)?;
    let page = handle.readers.read(move |store| {
        turn.read(
            |p: &Prediction| p.timestamp,
            |from, to, limit| store.predictions_between(from, to, limit),
        )
    });
    answer::json(&page.await?)
}
