//! Incidents, and saying that somebody looks after one.

use super::ask::{Asked, Nothing, Said, within};
use super::feedback::{check_text, created};
use super::{Answer, answer, shapes};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::core::{Incident, Store, WhichIncidents};
use overseer_engine::host::now;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which incidents.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Which {
    Open,
    #[default]
    Notable,
    All,
}

/// Which incidents, and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Chosen {
    /// `open` for those that go on, `notable` (the default) for those that fired as well, `all` for every one.
    #[serde(default)]
    #[param(value_type = Option<String>, pattern = "^(open|notable|all)$")]
    which: Which,
    /// At most so many, 1–1000; 100 if not given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

/// Incidents.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Incidents {
    /// The incidents, the newest first.
    #[schema(value_type = Vec<shapes::Incident>)]
    items: Vec<Incident>,
}

/// Who looks after which incident.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAcknowledgement {
    /// The incident's `id`.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    incident: i64,
    /// For whoever reads it later.
    #[serde(default)]
    #[schema(max_length = 4096)]
    note: String,
}

/// What happened on this host, each event once.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "history", params(Chosen), responses(
    (status = 200, body = Incidents),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn incidents(
    State(handle): State<Handle>,
    Asked(chosen): Asked<Chosen>,
) -> Answer {
    let limit = within("limit", chosen.limit, 100, 1, 1000)?;
    let which = match chosen.which {
        Which::Open => WhichIncidents::Open,
        Which::Notable => WhichIncidents::Notable,
        Which::All => WhichIncidents::All,
    };
    let items = handle.readers.read(move |store| store.incidents(which, limit)).await?;
    answer::json(&Incidents { items })
}

/// Says that somebody looks after an incident: nobody is reminded of it any more. The engine learns of it by its next
/// tick.
#[utoipa::path(post, path = "/api/v1/acknowledge", tag = "actions", request_body = NewAcknowledgement,
    params(("X-Overseer" = String, Header, description = "`1`", pattern = "^1$")),
    responses(
        (status = 201, body = shapes::Incident),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn acknowledge(
    State(handle): State<Handle>,
    _: Asked<Nothing>,
    Said(new): Said<NewAcknowledgement>,
) -> Answer {
    check_text("note", &new.note)?;
    let id = new.incident;
    let stored = handle.readers.write(move |store| {
        let goes_on =
            store.acknowledge_incident(id, now(), &new.note).map_err(|e| Problem::of_body(&e))?;
        let incident = store.incident(id).map_err(|e| Problem::of_body(&e))?;
        incident
            .filter(|_| goes_on)
            .ok_or_else(|| Problem::not_found(format!("no incident of the number {id} goes on")))
    });
    created(&stored.await?)
}
