//! What people say: labels of anomalies, and times in which nothing is to be sent.

use super::anomalies::no_anomaly;
use super::ask::{Asked, FARTHEST, Nothing, Number, Said};
use super::incidents::no_incident;
use super::{Answer, answer, shapes};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use overseer_engine::core::{
    Label, LabelKind, Silence, SilenceKind, Span, Store, Timestamp, host as host_schema,
};
use overseer_engine::host::now;
use overseer_engine::host::store::SqliteStore;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The longest note or reason, in bytes.
const LONGEST_TEXT: usize = 4096;
/// How many features a silence may name.
const MOST_FEATURES: usize = 100;
/// What the newest of are given.
const SHOWN: usize = 1000;

/// What is said of an anomaly, named by its time, or of an incident, named by its number: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLabel {
    /// The anomaly's `timestamp`.
    #[serde(default)]
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    anomaly: Option<i64>,
    /// The incident's `id`.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    incident: Option<i64>,
    /// `false_alarm`, `incident` or `expected`.
    #[schema(value_type = String, pattern = "^(false_alarm|incident|expected)$")]
    kind: LabelKind,
    /// Why, for whoever reads it later.
    #[serde(default)]
    #[schema(max_length = 4096)]
    note: String,
}

/// A time in which nothing is to be sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSilence {
    /// `silence` or `maintenance`; the former if not given.
    #[serde(default = "silence_kind")]
    #[schema(value_type = String, pattern = "^(silence|maintenance)$")]
    kind: SilenceKind,
    /// When it begins, in milliseconds since 1970 UTC; now if not given.
    #[serde(default)]
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    starts_at: Option<i64>,
    /// How long it lasts, in milliseconds.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    duration: i64,
    /// The features it is about; all if none is named.
    #[serde(default)]
    #[schema(max_items = 100)]
    features: Vec<String>,
    /// Why, for a person.
    #[serde(default)]
    #[schema(max_length = 4096)]
    reason: String,
}

fn silence_kind() -> SilenceKind {
    SilenceKind::Silence
}

/// Nothing to say: `{}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lift {}

/// Since when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Since {
    /// Only of anomalies at or after this time, in milliseconds since 1970 UTC.
    #[param(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    from: Option<i64>,
}

/// Labels.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Labels {
    /// By the anomaly's time; of several about one anomaly the last counts. At most the newest 1000.
    #[schema(value_type = Vec<shapes::Label>)]
    items: Vec<Label>,
}

/// Silences.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Silences {
    /// Those that hold or may hold from now on. At most 1000.
    #[schema(value_type = Vec<shapes::Silence>)]
    items: Vec<Silence>,
}

/// What was said of anomalies.
#[utoipa::path(get, path = "/api/v1/label", tag = "history", params(Since), responses(
    (status = 200, body = Labels),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn labels(State(handle): State<Handle>, Asked(since): Asked<Since>) -> Answer {
    let from = since
        .from
        .map_or(Ok(Timestamp::from_millis(-FARTHEST)), |t| super::ask::time("from", t))?;
    let mut items = handle.readers.read(move |store| store.labels(from)).await?;
    items.drain(..items.len().saturating_sub(SHOWN));
    answer::json(&Labels { items })
}

/// Says what an anomaly was. The engine learns of it by its next tick.
#[utoipa::path(post, path = "/api/v1/label", tag = "actions", request_body = NewLabel,
    params(("X-Overseer" = String, Header, description = "`1`", pattern = "^1$")),
    responses(
        (status = 201, body = shapes::Label),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn label(
    State(handle): State<Handle>,
    _: Asked<Nothing>,
    Said(new): Said<NewLabel>,
) -> Answer {
    check_text("note", &new.note)?;
    let of = match (new.anomaly, new.incident) {
        (Some(time), None) => Labelled::Anomaly(body_time("anomaly", time)?),
        (None, Some(id)) => Labelled::Incident(id),
        _ => return Err(Problem::invalid_body("say either `anomaly` or `incident`")),
    };
    let stored = handle.readers.write(move |store| {
        let mut label = Label::new(of.time(store)?, new.kind, now());
        label.note = new.note;
        store.put_label(&label).map_err(|e| Problem::of_body(&e))?;
        Ok(label)
    });
    created(&stored.await?)
}

/// What a label is of.
enum Labelled {
    Anomaly(Timestamp),
    Incident(i64),
}

impl Labelled {
    /// The time by which a label names it.
    fn time(&self, store: &mut SqliteStore) -> Result<Timestamp, Problem> {
        match *self {
            Self::Anomaly(time) if store.anomalies_between(time, time, 1)?.is_empty() => {
                Err(no_anomaly(time))
            }
            Self::Anomaly(time) => Ok(time),
            // As the command line does it: an incident is named by its first sample.
            Self::Incident(id) => Ok(store.incident(id)?.ok_or_else(|| no_incident(id))?.began_at),
        }
    }
}

/// The silences that hold or may hold from now on.
#[utoipa::path(get, path = "/api/v1/silence", tag = "now", responses(
    (status = 200, body = Silences),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn silences(State(handle): State<Handle>, _: Asked<Nothing>) -> Answer {
    let mut items = handle.readers.read(|store| store.silences(now())).await?;
    items.truncate(SHOWN);
    answer::json(&Silences { items })
}

/// Sends nothing for a time. What happens meanwhile is recorded all the same.
#[utoipa::path(post, path = "/api/v1/silence", tag = "actions", request_body = NewSilence,
    params(("X-Overseer" = String, Header, description = "`1`", pattern = "^1$")),
    responses(
        (status = 201, body = shapes::Silence),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn silence(
    State(handle): State<Handle>,
    _: Asked<Nothing>,
    Said(new): Said<NewSilence>,
) -> Answer {
    let now = now();
    let starts_at = new.starts_at.map_or(Ok(now), |t| body_time("starts_at", t))?;
    if !(1..=FARTHEST).contains(&new.duration) {
        return Err(Problem::invalid_body("`duration` must be at least 1 ms"));
    }
    let ends_at = starts_at + Span::from_millis(new.duration);
    body_time("duration", ends_at.as_millis())?;
    check_text("reason", &new.reason)?;
    if new.features.len() > MOST_FEATURES {
        let why = format!("`features` may name at most {MOST_FEATURES}");
        return Err(Problem::invalid_body(why));
    }
    if let Some(unknown) = new.features.iter().find(|f| host_schema::schema().index_of(f).is_none())
    {
        return Err(Problem::invalid_body(format!("`features`: `{unknown}` is unknown")));
    }
    let mut silence = Silence::new(new.kind, starts_at, ends_at, now);
    silence.features = new.features;
    silence.reason = new.reason;
    let stored = handle.readers.write(move |store| {
        silence.id = store.put_silence(&silence).map_err(|e| Problem::of_body(&e))?;
        Ok(silence)
    });
    created(&stored.await?)
}

/// Ends a silence that holds or is to come.
#[utoipa::path(post, path = "/api/v1/silence/{id}/lift", tag = "actions", request_body = Lift,
    params(
        ("id" = i64, Path, description = "Its number", minimum = 1, maximum = 9_007_199_254_740_991_i64),
        ("X-Overseer" = String, Header, description = "`1`", pattern = "^1$"),
    ),
    responses(
        (status = 200, description = "The silences that are left", body = Silences),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn lift(
    State(handle): State<Handle>,
    Number(id): Number,
    _: Asked<Nothing>,
    Said(Lift {}): Said<Lift>,
) -> Answer {
    let left = handle.readers.write(move |store| {
        if !store.lift_silence(id, now())? {
            return Err(Problem::not_found(format!("no silence of the number {id} holds")));
        }
        Ok(store.silences(now())?)
    });
    let mut items = left.await?;
    items.truncate(SHOWN);
    answer::json(&Silences { items })
}

pub(super) fn created<T: Serialize>(value: &T) -> Answer {
    let mut response = answer::json(value)?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

fn body_time(name: &str, millis: i64) -> Result<Timestamp, Problem> {
    super::ask::time(name, millis).map_err(|p| Problem::invalid_body(p.detail))
}

pub(super) fn check_text(name: &str, text: &str) -> Result<(), Problem> {
    if text.len() <= LONGEST_TEXT {
        return Ok(());
    }
    Err(Problem::invalid_body(format!("`{name}` may have at most {LONGEST_TEXT} bytes")))
}
