//! The stored anomalies, and everything about one.

use super::ask::{Asked, At, Nothing, Which};
use super::incidents::incident_at;
use super::page::{Page, Turn};
use super::{Answer, answer, shapes};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::core::{
    AnomalyDetection, Incident, Label, Result as CoreResult, Store, Timestamp,
};
use overseer_engine::host::store::SqliteStore;
use serde::Serialize;
use utoipa::ToSchema;

/// In how many of the earlier anomalies similar ones are looked for.
const LOOKED_AT: usize = 1000;

/// An anomaly, and what people said of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnomalyInFull {
    /// The anomaly; its `similar` are looked for anew.
    #[schema(value_type = shapes::Anomaly)]
    anomaly: AnomalyDetection,
    /// What was said of it, the newest last.
    #[schema(value_type = Vec<shapes::Label>)]
    labels: Vec<Label>,
    /// The incident that it is a sample of, with the processes that used the most then; `null` where none is stored.
    #[schema(value_type = Option<shapes::Incident>)]
    incident: Option<Incident>,
}

/// Events, a page at a time, the newest first.
#[utoipa::path(get, path = "/api/v1/anomalies", tag = "history", params(Which), responses(
    (status = 200, body = Page<shapes::Anomaly>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn anomalies(State(handle): State<Handle>, Asked(which): Asked<Which>) -> Answer {
    let turn = Turn::of(&which)?;
    let read = move |store: &mut SqliteStore| {
        turn.read(
            |a: &AnomalyDetection| a.timestamp,
            |from, to, limit| store.anomalies_between(from, to, limit),
        )
    };
    answer::json(&handle.readers.read(read).await?)
}

/// One event: why, what was like it, and what people said of it.
#[utoipa::path(get, path = "/api/v1/anomalies/{time}", tag = "history",
    params(("time" = i64, Path, description = "Its `timestamp`",
        minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)),
    responses(
        (status = 200, body = AnomalyInFull),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn anomaly(
    State(handle): State<Handle>,
    At(time): At,
    _: Asked<Nothing>,
) -> Answer {
    let found = handle.readers.read(move |store| in_full(store, time)).await?;
    answer::json(&found.ok_or_else(|| no_anomaly(time))?)
}

pub(super) fn no_anomaly(time: Timestamp) -> Problem {
    Problem::not_found(format!("no anomaly of the time {} is stored", time.as_millis()))
}

fn in_full(store: &mut SqliteStore, time: Timestamp) -> CoreResult<Option<AnomalyInFull>> {
    let Some(mut anomaly) = store.anomalies_between(time, time, 1)?.pop() else { return Ok(None) };
    let before = Timestamp::from_millis(time.as_millis().saturating_sub(1));
    let start = Timestamp::from_millis(i64::MIN);
    let past = store.anomalies_between(start, before, LOOKED_AT)?;
    anomaly.similar = overseer_engine::similar(&anomaly, past.iter());
    let labels = store.labels(time)?.into_iter().filter(|l| l.anomaly == time).collect();
    let incident = incident_at(store, time)?;
    Ok(Some(AnomalyInFull { anomaly, labels, incident }))
}
