//! Incidents, everything about one, and saying that somebody looks after it.

use super::ask::{Asked, Nothing, Number, Said, always, range, within};
use super::feedback::{check_text, created};
use super::{Answer, answer, shapes};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::core::{
    Incident, IncidentKind, Result as CoreResult, Store, Timestamp, WhichIncidents,
};
use overseer_engine::host::now;
use overseer_engine::host::store::SqliteStore;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Among so many of the newest incidents those of a time are looked for.
const LOOKED_AT: usize = 2000;

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
    /// Only those that went on at or after this time, in milliseconds since 1970 UTC. With it or `to`, the newest 2000 are
    /// looked at.
    #[param(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    from: Option<i64>,
    /// Only those that began at or before this time.
    #[param(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    to: Option<i64>,
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

/// An incident, and those that were like it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentInFull {
    /// The incident.
    #[schema(value_type = shapes::Incident)]
    incident: Incident,
    /// Earlier ones that were made by about the same features in the same direction, the newest first; at most three.
    #[schema(value_type = Vec<shapes::Incident>)]
    similar: Vec<Incident>,
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
    let (from, to) = range(chosen.from, chosen.to, always())?;
    let is_of_all_times = chosen.from.is_none() && chosen.to.is_none();
    let read = move |store: &mut SqliteStore| {
        if is_of_all_times {
            return store.incidents(which, limit);
        }
        let mut items = store.incidents(which, LOOKED_AT)?;
        items.retain(|i| i.began_at <= to && (i.is_open() || i.last_seen >= from));
        items.truncate(limit);
        Ok(items)
    };
    answer::json(&Incidents { items: handle.readers.read(read).await? })
}

/// One incident: why, what was like it, and what people said of it.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "history",
    params(("id" = i64, Path, description = "Its number", minimum = 1, maximum = 9_007_199_254_740_991_i64)),
    responses(
        (status = 200, body = IncidentInFull),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn incident(
    State(handle): State<Handle>,
    Number(id): Number,
    _: Asked<Nothing>,
) -> Answer {
    let found = handle.readers.read(move |store| in_full(store, id)).await?;
    answer::json(&found.ok_or_else(|| no_incident(id))?)
}

pub(super) fn no_incident(id: i64) -> Problem {
    Problem::not_found(format!("there is no incident of the number {id}"))
}

fn in_full(store: &mut SqliteStore, id: i64) -> CoreResult<Option<IncidentInFull>> {
    let Some(incident) = store.incident(id)? else { return Ok(None) };
    let similar = overseer_engine::similar_incidents(store, &incident)?;
    Ok(Some(IncidentInFull { incident, similar }))
}

/// The incident that a sample of this time belongs to.
pub(super) fn incident_at(
    store: &mut SqliteStore,
    time: Timestamp,
) -> CoreResult<Option<Incident>> {
    let all = store.incidents(WhichIncidents::All, LOOKED_AT)?;
    let is_of =
        |i: &Incident| i.kind == IncidentKind::Anomaly && i.began_at <= time && time <= i.last_seen;
    Ok(all.into_iter().find(is_of))
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
