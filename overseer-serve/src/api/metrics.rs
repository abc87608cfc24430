//! Samples over a range of time, summarised to as many points as a chart can show.

use super::ask::{Asked, range, span, within};
use super::{Answer, answer};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::core::{
    Schema, Span, Store, Summary, SummaryCell, SummaryQuery, Timestamp, Unit, host as host_schema,
};
use overseer_engine::host::now;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The most points of one answer.
pub(super) const MOST_POINTS: usize = 2000;
/// How many there are if nobody says.
pub(super) const POINTS: usize = 300;
/// How long a range is if nobody says.
pub(super) const LENGTH: Span = Span::from_secs(3600);
/// The most features that can be named; the list may be as long as its parameter says.
const MOST_NAMES: usize = 100;
/// The longest range.
const LONGEST: Span = Span::from_secs(20 * 365 * 86_400);

/// Which samples.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// From this time, in milliseconds since 1970 UTC; an hour before `to` if not given.
    #[param(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    from: Option<i64>,
    /// Until this time; now if not given.
    #[param(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    to: Option<i64>,
    /// In at most so many points; 300 if not given. Not together with `resolution`.
    #[param(minimum = 1, maximum = 2000)]
    points: Option<u64>,
    /// A point for each so many milliseconds, of which the range may hold 2000.
    #[param(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    resolution: Option<u64>,
    /// Only these features, separated by commas; all if not given.
    #[param(max_length = 4096)]
    features: Option<String>,
}

/// Samples of each feature, summarised over equal lengths of time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Points {
    /// The start of the range.
    pub from: i64,
    /// The end of the range.
    pub to: i64,
    /// The length of time of each point.
    pub resolution: i64,
    /// When each point begins, the oldest first. Points without any known value are left out.
    pub starts: Vec<i64>,
    /// The performance score of each point's means, where all features were asked for; else `null`.
    pub performance_score: Option<Vec<Option<f64>>>,
    /// One entry a feature, each list as long as `starts`.
    pub features: Vec<FeaturePoints>,
}

/// The points of one feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeaturePoints {
    /// Its name.
    pub feature: String,
    /// Its unit.
    pub unit: String,
    /// The mean of the known values; `null` of none, as for the next two.
    pub mean: Vec<Option<f64>>,
    /// The smallest.
    pub min: Vec<Option<f64>>,
    /// The largest.
    pub max: Vec<Option<f64>>,
    /// How many there are.
    pub count: Vec<u64>,
}

impl Wanted {
    fn query(&self, now: Timestamp) -> Result<SummaryQuery, Problem> {
        let to = self.to.map_or(now, Timestamp::from_millis);
        let (from, to) = range(self.from, self.to, (to - LENGTH, to))?;
        if to.since(from) > LONGEST {
            return Err(Problem::invalid_parameter("a range is at most 20 years long"));
        }
        let points = within("points", self.points, POINTS, 1, MOST_POINTS)?;
        let mut query = SummaryQuery::in_points(from, to, points);
        if let Some(millis) = self.resolution {
            if self.points.is_some() {
                let why = "`points` and `resolution` do not go together";
                return Err(Problem::invalid_parameter(why));
            }
            let resolution = span("resolution", millis)?;
            if to.since(from).as_millis() / resolution.as_millis() >= MOST_POINTS as i64 {
                let why = format!(
                    "a range may hold {MOST_POINTS} points: ask for a coarser `resolution`"
                );
                return Err(Problem::invalid_parameter(why));
            }
            query = SummaryQuery::new(from, to, resolution);
        }
        Ok(query.of(named(self.features.as_deref())?))
    }
}

/// The features of a list with commas; none if there is no list.
pub(super) fn named(list: Option<&str>) -> Result<Vec<String>, Problem> {
    let mut distinct: Vec<String> = Vec::new();
    for name in list.unwrap_or_default().split(',').map(str::trim).filter(|n| !n.is_empty()) {
        // Named twice, a feature is given once.
        if !distinct.iter().any(|known| known == name) {
            distinct.push(name.to_owned());
        }
        if distinct.len() > MOST_NAMES {
            let why = format!("`features` may name at most {MOST_NAMES}");
            return Err(Problem::invalid_parameter(why));
        }
    }
    Ok(distinct)
}

/// Samples over a range, at a resolution: from the samples themselves or, where those are gone or too many, from the
/// stored summaries by the minute and the hour.
#[utoipa::path(get, path = "/api/v1/metrics", tag = "history", params(Wanted), responses(
    (status = 200, body = Points),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn metrics(State(handle): State<Handle>, Asked(wanted): Asked<Wanted>) -> Answer {
    let query = wanted.query(now())?;
    let (from, to) = (query.from, query.to);
    let (schema, summary) = handle
        .readers
        .read(move |store| Ok((store.schema().clone(), store.summary(&query)?)))
        .await?;
    answer::json(&points(from, to, &schema, &summary))
}

fn points(from: Timestamp, to: Timestamp, schema: &Schema, summary: &Summary) -> Points {
    let known = |value: f64| value.is_finite().then_some(value);
    let column = |index: usize, part: fn(&SummaryCell) -> f64| -> Vec<Option<f64>> {
        (0..summary.len()).map(|p| known(part(&summary.point(p)[index]))).collect()
    };
    let features = summary.features.iter().enumerate().map(|(index, name)| FeaturePoints {
        feature: name.clone(),
        unit: unit_of(schema, name),
        mean: column(index, |c| c.mean),
        min: column(index, |c| c.min),
        max: column(index, |c| c.max),
        count: (0..summary.len()).map(|p| summary.point(p)[index].count).collect(),
    });
    let host = host_schema::schema();
    let is_host = host.features().iter().map(|f| &f.name).eq(&summary.features);
    let scores = is_host.then(|| {
        let score = |p| {
            let means: Vec<f64> = summary.point(p).iter().map(|c| c.mean).collect();
            host_schema::performance_score(&means).map(|s| s.value)
        };
        (0..summary.len()).map(score).collect()
    });
    Points {
        from: from.as_millis(),
        to: to.as_millis(),
        resolution: summary.resolution.as_millis(),
        starts: summary.starts.iter().map(|t| t.as_millis()).collect(),
        performance_score: scores,
        features: features.collect(),
    }
}

/// A feature's unit as findings write it.
pub(super) fn unit_of(schema: &Schema, name: &str) -> String {
    let feature = schema.index_of(name).and_then(|i| schema.get(i));
    match serde_json::to_value(feature.map_or(Unit::Unknown, |f| f.unit)) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "unknown".to_owned(),
    }
}
