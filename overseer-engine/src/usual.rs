//! What was usual at an hour: the range that hours like it kept before. Charts draw it behind what was seen then.
//!
//! This is said of any hour from what is stored, long after it and after a restart, and of hours to come. It is not what
//! the detector goes by, whose one range of each feature changes when it is trained.

use overseer_core::{Result, Span, Store, Summary, SummaryCell, SummaryQuery, Timestamp, host};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24;
const WEEK: i64 = 7 * DAY;
/// So far back hours are compared: weeks to the hour of the week, days to the hour of the day.
const WEEKS: i64 = 8;
const DAYS: i64 = 14;
/// So many of those weeks and days, or hours of the last day, must have been seen at all.
const LEAST_WEEKS: usize = 4;
const LEAST_DAYS: usize = 3;
const LEAST_HOURS: usize = 3;
/// One in so many hours may reach beyond each edge.
const BEYOND: usize = 10;
/// The longest range that is answered: its hours are held in memory.
const LONGEST: Span = Span::from_secs(400 * 86_400);

/// Which hours an hour was compared with. All of them were over before it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Basis {
    /// The same hour of the week and the two beside it, in the eight weeks before; at least four were seen.
    HourOfWeek,
    /// The same hour of the day and the two beside it, in the 14 days before; at least three were seen.
    HourOfDay,
    /// The 24 hours before; at least three were seen.
    DayBefore,
    /// Too little was seen.
    Unknown,
}

impl Basis {
    /// Its name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HourOfWeek => "hour_of_week",
            Self::HourOfDay => "hour_of_day",
            Self::DayBefore => "day_before",
            Self::Unknown => "unknown",
        }
    }
}

/// A range; NaN where it is not known.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Band {
    /// At least nine in ten of the hours compared with never fell below it.
    pub low: f64,
    /// At least nine in ten of the hours compared with never rose above it.
    pub high: f64,
}

impl Band {
    const UNKNOWN: Self = Self { low: f64::NAN, high: f64::NAN };

    /// Of the lowest and the highest values that hours had, in any order.
    fn of(lows: &mut [f64], highs: &mut [f64], least: usize) -> Self {
        let count = lows.len();
        if count < least.max(1) {
            return Self::UNKNOWN;
        }
        let beyond = (count - 1) / BEYOND;
        let low = *lows.select_nth_unstable_by(beyond, f64::total_cmp).1;
        let high = *highs.select_nth_unstable_by(count - 1 - beyond, f64::total_cmp).1;
        Self { low, high }
    }

    /// From the lower of both lower edges to the higher of both upper ones; what is known, if one is not.
    fn over(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

/// What was usual over a stretch of time, one row for each `resolution`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UsualHours {
    /// The features, in the order of the columns.
    pub features: Vec<String>,
    /// The length of time of each row: whole hours.
    pub resolution: Span,
    /// When each row begins, the oldest first, without a gap.
    pub starts: Vec<Timestamp>,
    /// What each row's last hour was compared with.
    pub basis: Vec<Basis>,
    /// The performance score's band of each row, where the features are those of the host's schema; else empty. Its lower
    /// edge may be too low, for what is stored of an hour does not tell which lows came together.
    pub score: Vec<Band>,
    bands: Vec<Band>,
}

impl UsualHours {
    /// The bands of row `index`, in the order of the features; empty if there is no such row.
    #[must_use]
    pub fn row(&self, index: usize) -> &[Band] {
        let d = self.features.len();
        self.bands.get(index * d..(index + 1) * d).unwrap_or_default()
    }

    /// The band of a column at a time, on the line from the middle of one row to the middle of the next, which is how
    /// charts draw it; unknown outside of what was asked for.
    #[must_use]
    pub fn at(&self, time: Timestamp, band: impl Fn(&Self, usize) -> Band) -> Band {
        let Some(first) = self.starts.first() else { return Band::UNKNOWN };
        let length = self.resolution.as_millis() as f64;
        let rows = (time.as_millis() as f64 - first.as_millis() as f64) / length - 0.5;
        if !(-0.5..self.starts.len() as f64 - 0.5).contains(&rows) {
            return Band::UNKNOWN;
        }
        let last = self.starts.len() - 1;
        let before = (rows.floor().max(0.0) as usize).min(last);
        let after = (rows.ceil().max(0.0) as usize).min(last);
        let (a, b) = (band(self, before), band(self, after));
        let part = rows.clamp(0.0, last as f64).fract();
        // Where only one side is known, that is what is known.
        if a.low.is_nan() || b.low.is_nan() {
            return if (part < 0.5) == a.low.is_nan() { Band::UNKNOWN } else { a.over(b) };
        }
        Band { low: a.low + part * (b.low - a.low), high: a.high + part * (b.high - a.high) }
    }
}

/// What was usual from `from` to `to`, which may be to come, in at most `points` rows of whole hours; all features of the
/// schema if none are named. Each row of several hours spans the bands of all of them.
///
/// # Errors
/// If the range is longer than 400 days or ends before it begins, a feature is not known, or the store cannot be read.
pub fn usual_hours(
    store: &mut dyn Store,
    (from, to): (Timestamp, Timestamp),
    points: usize,
    features: Vec<String>,
) -> Result<UsualHours> {
    if to < from || to.since(from) > LONGEST {
        let why = "must not be later than `to`, nor more than 400 days before it";
        return Err(overseer_core::Error::invalid_parameter("from", why));
    }
    let (first, last) = (hour_of(from), hour_of(to));
    let longest = first - WEEKS * WEEK - 1;
    let known = SummaryQuery::new(start_of(longest), to, Span::from_millis(HOUR)).of(features);
    let known = Hours::new(longest, last, store.summary(&known)?);
    let count = (last - first + 1) as usize;
    let each = count.div_ceil(points.max(1)) as i64;
    let mut found = UsualHours {
        features: known.summary.features.clone(),
        resolution: Span::from_millis(HOUR * each),
        starts: Vec::new(),
        basis: Vec::new(),
        score: Vec::new(),
        bands: Vec::new(),
    };
    let (mut like, mut edges) = (Vec::new(), Edges::default());
    for hour in first..=last {
        let basis = known.like(hour, &mut like);
        let is_row = (hour - first) % each == 0;
        match found.basis.last_mut().filter(|_| !is_row) {
            Some(known) => *known = basis,
            None => {
                found.starts.push(start_of(hour));
                found.basis.push(basis);
            }
        }
        let bands = (0..known.summary.features.len()).map(|f| known.band(&like, f, &mut edges));
        join(&mut found.bands, is_row, known.summary.features.len(), bands);
        if known.is_host {
            let band = known.score_band(&like, &mut edges);
            join(&mut found.score, is_row, 1, std::iter::once(band));
        }
    }
    Ok(found)
}

/// Adds a row, or widens the last one.
fn join(rows: &mut Vec<Band>, is_row: bool, width: usize, bands: impl Iterator<Item = Band>) {
    if is_row {
        rows.extend(bands);
        return;
    }
    let at = rows.len() - width;
    for (known, band) in rows[at..].iter_mut().zip(bands) {
        *known = known.over(band);
    }
}

fn hour_of(time: Timestamp) -> i64 {
    time.as_millis().div_euclid(HOUR)
}

fn start_of(hour: i64) -> Timestamp {
    Timestamp::from_millis(hour.saturating_mul(HOUR))
}

/// Summaries by the hour, each found by its number.
struct Hours {
    first: i64,
    /// Which point of the summary an hour is.
    points: Vec<Option<u32>>,
    summary: Summary,
    /// The score of each point's lows and of its highs.
    scores: Vec<(f64, f64)>,
    is_host: bool,
}

impl Hours {
    fn new(first: i64, last: i64, summary: Summary) -> Self {
        let mut points = vec![None; (last - first + 1) as usize];
        for (point, start) in (0..).zip(&summary.starts) {
            let at = usize::try_from(hour_of(*start) - first).ok();
            if let Some(place) = at.and_then(|at| points.get_mut(at)) {
                *place = Some(point);
            }
        }
        let is_host = host::schema().features().iter().map(|f| &f.name).eq(&summary.features);
        let score = |point: usize, part: fn(&SummaryCell) -> f64| {
            let values: Vec<f64> = summary.point(point).iter().map(part).collect();
            host::performance_score(&values).map_or(f64::NAN, |s| s.value)
        };
        let of_hosts = if is_host { summary.len() } else { 0 };
        let scores = (0..of_hosts).map(|p| (score(p, |c| c.min), score(p, |c| c.max))).collect();
        Self { first, points, summary, scores, is_host }
    }

    fn point(&self, hour: i64) -> Option<usize> {
        let at = usize::try_from(hour - self.first).ok()?;
        self.points.get(at).copied().flatten().map(|p| p as usize)
    }

    /// The points of the hours that one is compared with.
    fn like(&self, hour: i64, like: &mut Vec<usize>) -> Basis {
        let mut rhythm = |period: i64, times: i64| {
            like.clear();
            (1..=times)
                .filter(|n| {
                    let centre = hour - n * period;
                    let before = like.len();
                    like.extend((centre - 1..=centre + 1).filter_map(|h| self.point(h)));
                    like.len() > before
                })
                .count()
        };
        if rhythm(WEEK, WEEKS) >= LEAST_WEEKS {
            return Basis::HourOfWeek;
        }
        if rhythm(DAY, DAYS) >= LEAST_DAYS {
            return Basis::HourOfDay;
        }
        like.clear();
        like.extend((hour - DAY..hour).filter_map(|h| self.point(h)));
        if like.len() >= LEAST_HOURS {
            return Basis::DayBefore;
        }
        like.clear();
        Basis::Unknown
    }

    fn band(&self, like: &[usize], feature: usize, edges: &mut Edges) -> Band {
        let cells = like.iter().map(|p| &self.summary.point(*p)[feature]).filter(|c| c.count > 0);
        edges.band(cells.map(|c| (c.min, c.max)))
    }

    fn score_band(&self, like: &[usize], edges: &mut Edges) -> Band {
        edges.band(like.iter().map(|p| self.scores[*p]).filter(|(_, high)| high.is_finite()))
    }
}

/// The lowest and the highest values of hours that one is compared with; kept for the next, for there are a hundred
/// thousand of them in a year.
#[derive(Default)]
struct Edges {
    lows: Vec<f64>,
    highs: Vec<f64>,
}

impl Edges {
    fn band(&mut self, hours: impl Iterator<Item = (f64, f64)>) -> Band {
        self.lows.clear();
        self.highs.clear();
        for (low, high) in hours {
            self.lows.push(low);
            self.highs.push(high);
        }
        Band::of(&mut self.lows, &mut self.highs, LEAST_HOURS)
    }
}

#[cfg(test)]
mod tests;
