//! The stored patterns.

use super::ask::{Asked, Which};
use super::page::{Page, Turn};
use super::{Answer, answer, shapes};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::core::{PatternAnalysis, Store};

/// Patterns by the end of their window, a page at a time, the newest first. Those in force are in the status.
#[utoipa::path(get, path = "/api/v1/patterns", tag = "history", params(Which), responses(
    (status = 200, body = Page<shapes::Pattern>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn patterns(State(handle): State<Handle>, Asked(which): Asked<Which>) -> Answer {
    let turn = Turn::of(&which)?;
    let page = handle.readers.read(move |store| {
        turn.read(
            |p: &PatternAnalysis| p.window.1,
            |from, to, limit| store.patterns_between(from, to, limit),
        )
    });
    answer::json(&page.await?)
}
