//! The host now.

use super::ask::{Asked, Nothing};
use super::{Answer, answer, shapes};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::{AlarmRate, Report};
use serde::Serialize;
use utoipa::ToSchema;

/// The service and the newest report.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    /// Of this service.
    pub serving: Serving,
    /// The newest report, with the predictions, patterns, processes and room that were found last; `null` before the first
    /// tick.
    #[schema(value_type = Option<shapes::Report>)]
    pub report: Option<Report>,
}

/// What this service does.
#[derive(Debug, Serialize, ToSchema)]
pub struct Serving {
    /// Its version.
    pub version: String,
    /// For how many seconds it has been running.
    pub uptime_s: u64,
    /// `sampler` where it takes samples itself, `reader` where another process does or none, `none` before the first tick.
    pub role: String,
    /// The time between ticks, in milliseconds; `null` before the first.
    pub step: Option<u64>,
    /// How many ticks there were.
    pub ticks: u64,
    /// How many alerts a healthy host may raise in a week; `null` before the first tick.
    pub alarm_budget_per_week: Option<f64>,
    /// How many alerts were raised in the last seven days; `null` before the first tick.
    pub alerts_last_week: Option<u64>,
    /// How many alerts on normal behaviour there really were in the last 90 days, and how long was watched; `null` before
    /// that was looked at.
    #[schema(value_type = Option<shapes::AlarmRate>)]
    pub alarm_rate: Option<AlarmRate>,
}

/// The host now: the newest report, and how it is watched.
#[utoipa::path(get, path = "/api/v1/status", tag = "now", responses(
    (status = 200, body = Status),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn status(State(handle): State<Handle>, _: Asked<Nothing>) -> Answer {
    let latest = handle.latest();
    let known = latest.as_deref();
    let role = known.map_or("none", |l| if l.is_sampler { "sampler" } else { "reader" });
    answer::json(&Status {
        serving: Serving {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: handle.started.elapsed().as_secs(),
            role: role.to_owned(),
            step: known.and_then(|l| u64::try_from(l.step.as_millis()).ok()),
            ticks: known.map_or(0, |l| l.ticks),
            alarm_budget_per_week: known.map(|l| l.alerts_per_week),
            alerts_last_week: known.map(|l| l.alerts_last_week as u64),
            alarm_rate: known.and_then(|l| l.alarm_rate.clone()),
        },
        report: known.map(|l| (*l.report).clone()),
    })
}
