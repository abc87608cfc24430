//! What was usual at each hour of a range, to be drawn behind what was seen.

use super::ask::{Asked, range, within};
use super::metrics::{LENGTH, MOST_POINTS, POINTS, named, unit_of};
use super::{Answer, answer};
use crate::live::Handle;
use crate::problem::Problem;
use axum::extract::State;
use overseer_engine::core::{Schema, Timestamp};
use overseer_engine::host::now;
use overseer_engine::host::store::SqliteStore;
use overseer_engine::usual::{Band, UsualHours, usual_hours};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use utoipa::{IntoParams, ToSchema};

/// Which hours.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// From this time, in milliseconds since 1970 UTC; an hour before `to` if not given. At most 400 days before it.
    #[param(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    from: Option<i64>,
    /// Until this time, which may be to come; now if not given.
    #[param(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    to: Option<i64>,
    /// In at most so many points, each of whole hours; 300 if not given.
    #[param(minimum = 1, maximum = 2000)]
    points: Option<u64>,
    /// Only these features, separated by commas; all if not given.
    #[param(max_length = 4096)]
    features: Option<String>,
}

/// The range that hours like each hour kept before it: nine in ten of them never left it on either side.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usual {
    /// The start of the range.
    pub from: i64,
    /// The end of the range.
    pub to: i64,
    /// The length of time of each point: whole hours. One of several spans the ranges of all of them.
    pub resolution: i64,
    /// When each point begins, the oldest first, without a gap.
    pub starts: Vec<i64>,
    /// With which earlier hours each point was compared: `hour_of_week`, the same hour of the week and the two beside it in
    /// the eight weeks before, of which at least four were seen; `hour_of_day`, the same of the day in the 14 days before,
    /// of which at least three were seen; `day_before`, the 24 hours before, of which at least three were seen; `unknown`.
    pub basis: Vec<String>,
    /// The same for the performance score, where all features were asked for; else `null`.
    pub performance_score: Option<UsualRange>,
    /// One entry a feature.
    pub features: Vec<UsualFeature>,
}

/// A range at each point, `null` where it is not known.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsualRange {
    /// The lower edge.
    pub lower: Vec<Option<f64>>,
    /// The upper edge.
    pub upper: Vec<Option<f64>>,
}

/// The range of one feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsualFeature {
    /// Its name.
    pub feature: String,
    /// Its unit.
    pub unit: String,
    /// The range at each point.
    #[serde(flatten)]
    pub range: UsualRange,
}

/// How many ranges are kept, and the most points that one of them may have: together less than a megabyte.
const KEPT: usize = 8;
const KEPT_POINTS: usize = 400;
/// A range is worked out anew after so long in any case: history may have been imported, or an hour been summed up.
const FRESH: Duration = Duration::from_secs(600);
const HOUR: i64 = 3_600_000;

type Found = Arc<(Schema, UsualHours)>;

/// What one range depends on: the hours of its ends, into how many points, of which features.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    hours: (i64, i64),
    points: usize,
    features: Vec<String>,
}

/// What was worked out lately, the newest last: eight weeks of hours are read for each range, and what comes of it changes
/// by the hour.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Vec<(Key, i64, Instant, Found)>>);

impl Kept {
    /// `hour` is the hour that it is now.
    fn get(&self, key: &Key, hour: i64) -> Option<Found> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, of, at, _)| *of == hour && at.elapsed() < FRESH);
        all.iter().find(|(known, ..)| known == key).map(|(.., found)| Arc::clone(found))
    }

    fn put(&self, key: Key, hour: i64, found: &Found) {
        if found.1.starts.len() > KEPT_POINTS {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(known, ..)| *known != key);
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push((key, hour, Instant::now(), Arc::clone(found)));
    }
}

/// What was usual at each hour of a range, by what was stored of hours like it before. It is worked out once an hour, or
/// every ten minutes, and kept meanwhile.
#[utoipa::path(get, path = "/api/v1/usual", tag = "history", params(Wanted), responses(
    (status = 200, body = Usual),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn usual(State(handle): State<Handle>, Asked(wanted): Asked<Wanted>) -> Answer {
    let to = wanted.to.unwrap_or_else(|| now().as_millis());
    let before = to.saturating_sub(LENGTH.as_millis());
    let (from, to) = range(Some(wanted.from.unwrap_or(before)), Some(to), (now(), now()))?;
    let points = within("points", wanted.points, POINTS, 1, MOST_POINTS)?;
    let features = named(wanted.features.as_deref())?;
    let hour = |t: Timestamp| t.as_millis().div_euclid(HOUR);
    let key = Key { hours: (hour(from), hour(to)), points, features };
    let this_hour = hour(now());
    let found = match handle.usual.get(&key, this_hour) {
        Some(found) => found,
        None => {
            let features = key.features.clone();
            let read = move |store: &mut SqliteStore| {
                let found = usual_hours(store, (from, to), points, features)?;
                Ok(Arc::new((store.schema().clone(), found)))
            };
            let found = handle.readers.read(read).await?;
            handle.usual.put(key, this_hour, &found);
            found
        }
    };
    answer::json(&answered((from.as_millis(), to.as_millis()), &found.0, &found.1))
}

fn answered((from, to): (i64, i64), schema: &Schema, found: &UsualHours) -> Usual {
    let known = |value: f64| value.is_finite().then_some(value);
    let rows = found.starts.len();
    let range = |band: &dyn Fn(usize) -> Band| UsualRange {
        lower: (0..rows).map(|row| known(band(row).low)).collect(),
        upper: (0..rows).map(|row| known(band(row).high)).collect(),
    };
    let features = found.features.iter().enumerate().map(|(column, name)| UsualFeature {
        feature: name.clone(),
        unit: unit_of(schema, name),
        range: range(&|row| found.row(row)[column]),
    });
    Usual {
        from,
        to,
        resolution: found.resolution.as_millis(),
        starts: found.starts.iter().map(|t| t.as_millis()).collect(),
        basis: found.basis.iter().map(|basis| basis.as_str().to_owned()).collect(),
        features: features.collect(),
        performance_score: (found.score.len() == rows && rows > 0)
            .then(|| range(&|row| found.score[row])),
    }
}
