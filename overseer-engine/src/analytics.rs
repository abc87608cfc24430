//! What the stored history amounts to: features, correlations, models, and the host's health over time.

use crate::alarm_rate::AlarmRate;
use crate::engine::Engine;
use crate::prediction::scores;
use crate::report::{Notice, Stage};
use overseer_core::{
    AnomalyDetection, Frame, ModelMetadata, SampleQuery, Span, StoredCounts, Timestamp, Unit,
    missing,
};
use serde::{Deserialize, Serialize};

/// Correlations weaker than this are not reported.
const NOTABLE_CORRELATION: f64 = 0.7;
/// Fewer pairs of known values than this say nothing about a correlation.
const CORRELATION_PAIRS: usize = 30;
/// Into how many stretches of time the health of the host is divided at most.
const HEALTH_STRETCHES: i64 = 24;
/// How many of the newest samples are summarised.
const SUMMARISED: usize = 100_000;

/// One feature over the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeatureSummary {
    /// Its name.
    pub feature: String,
    /// Its unit.
    pub unit: Unit,
    /// How many values are known.
    pub known: usize,
    /// How many are missing.
    pub missing: usize,
    /// Mean, `null` where nothing is known, as for the rest.
    #[serde(with = "missing")]
    pub mean: f64,
    /// 5 % of the values are lower.
    #[serde(with = "missing")]
    pub p5: f64,
    /// Half of the values are lower.
    #[serde(with = "missing")]
    pub median: f64,
    /// 95 % of the values are lower.
    #[serde(with = "missing")]
    pub p95: f64,
    /// The largest value.
    #[serde(with = "missing")]
    pub max: f64,
}

/// Two features that move together, or against each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Correlation {
    /// The two features.
    pub features: (String, String),
    /// Pearson's coefficient, −1 to 1.
    pub r: f64,
    /// From how many samples.
    pub samples: usize,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Health {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// How many samples it holds.
    pub samples: usize,
    /// Mean performance score; `null` without samples.
    #[serde(with = "missing")]
    pub mean_score: f64,
    /// Highest performance score.
    #[serde(with = "missing")]
    pub max_score: f64,
    /// Anomalies that began in it.
    pub anomalies: usize,
}

/// A model in use, and its age.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelAge {
    /// What is known of it.
    pub metadata: ModelMetadata,
    /// Time since it was trained.
    pub age: Span,
}

/// What the stored history amounts to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Analytics {
    /// When this was made.
    pub timestamp: Timestamp,
    /// How much is stored in all; `null` without a store.
    pub stored: Option<StoredCounts>,
    /// How many samples are summarised here, and the time between them.
    pub samples: usize,
    /// Time between those samples.
    pub interval: Span,
    /// One entry a feature.
    pub features: Vec<FeatureSummary>,
    /// Notable correlations, the strongest first.
    pub correlations: Vec<Correlation>,
    /// The models in use.
    pub models: Vec<ModelAge>,
    /// The host over time, oldest first.
    pub health: Vec<Health>,
    /// How many alerts there really were, beside the budget; `null` where nothing could be measured.
    #[serde(default)]
    pub alarm_rate: Option<AlarmRate>,
    /// The newest anomalies, newest first.
    pub anomalies: Vec<AnomalyDetection>,
    /// What failed or is missing.
    pub notices: Vec<Notice>,
}

impl Engine {
    /// Summarises the stored history.
    pub fn analytics(&mut self, now: Timestamp) -> Analytics {
        let interval = self.active().interval();
        // What a wrong clock dated later than now is no part of what the host was like.
        let until = crate::storage::latest(now, self.config.step);
        let mut query = SampleQuery::latest(interval, SUMMARISED);
        query.to = until;
        let mut stored = None;
        let mut frame = None;
        let mut problem = None;
        if let Some(store) = &mut self.parts.store {
            match store.counts().and_then(|c| Ok((c, store.samples(&query)?))) {
                Ok((counts, samples)) => {
                    stored = Some(counts);
                    frame = Some(samples);
                }
                Err(e) => problem = Some(e.to_string()),
            }
        }
        if let Some(message) = problem {
            self.note(Notice::warning(Stage::Store, message));
        }
        let frame = frame.unwrap_or_else(|| {
            self.active()
                .frame(&self.schema, usize::MAX)
                .unwrap_or_else(|_| Frame::new(self.schema.clone()))
        });
        let earliest = Timestamp::from_millis(i64::MIN);
        let stored_anomalies = self
            .parts
            .store
            .as_mut()
            .and_then(|s| s.anomalies_between(earliest, until, SUMMARISED).ok());
        let mut anomalies =
            stored_anomalies.unwrap_or_else(|| self.anomalies.iter().rev().cloned().collect());
        let models = self
            .learned()
            .models
            .into_iter()
            .map(|metadata| ModelAge { age: now.since(metadata.trained_at), metadata })
            .collect();
        let alarm_rate = self.alarm_rate(&anomalies, now);
        Analytics {
            timestamp: now,
            stored,
            samples: frame.len(),
            interval,
            features: summaries(&frame),
            correlations: correlations(&frame),
            models,
            health: health(&frame, &anomalies),
            alarm_rate,
            anomalies: {
                anomalies.truncate(self.config.anomaly_capacity);
                anomalies
            },
            notices: std::mem::take(&mut self.notices),
        }
    }
}

fn summaries(frame: &Frame) -> Vec<FeatureSummary> {
    let one = |(column, feature): (usize, &overseer_core::Feature)| {
        let mut known: Vec<f64> = frame.column(column).filter(|v| !v.is_nan()).collect();
        known.sort_unstable_by(f64::total_cmp);
        let at = |q: f64| {
            let last = known.len().checked_sub(1)?;
            known.get((last as f64 * q).round() as usize).copied()
        };
        FeatureSummary {
            feature: feature.name.clone(),
            unit: feature.unit,
            known: known.len(),
            missing: frame.len() - known.len(),
            mean: known.iter().sum::<f64>() / known.len() as f64,
            p5: at(0.05).unwrap_or(f64::NAN),
            median: at(0.5).unwrap_or(f64::NAN),
            p95: at(0.95).unwrap_or(f64::NAN),
            max: at(1.0).unwrap_or(f64::NAN),
        }
    };
    frame.schema().features().iter().enumerate().map(one).collect()
}

fn correlations(frame: &Frame) -> Vec<Correlation> {
    let features = frame.schema().features();
    let mut found = Vec::new();
    for a in 0..features.len() {
        for b in a + 1..features.len() {
            let Some((r, samples)) = pearson(frame, a, b) else { continue };
            if r.abs() >= NOTABLE_CORRELATION {
                let names = (features[a].name.clone(), features[b].name.clone());
                found.push(Correlation { features: names, r, samples });
            }
        }
    }
    found.sort_by(|x, y| y.r.abs().total_cmp(&x.r.abs()));
    found
}

/// Pearson's correlation over the rows where both are known; `None` where it is not defined or from too little.
fn pearson(frame: &Frame, a: usize, b: usize) -> Option<(f64, usize)> {
    let (mut n, mut ma, mut mb, mut saa, mut sbb, mut sab) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for (_, row) in frame.rows() {
        let (x, y) = (row[a], row[b]);
        if x.is_nan() || y.is_nan() {
            continue;
        }
        n += 1.0;
        let (da, db) = (x - ma, y - mb);
        ma += da / n;
        mb += db / n;
        saa += da * (x - ma);
        sbb += db * (y - mb);
        sab += da * (y - mb);
    }
    let r = sab / (saa * sbb).sqrt();
    (n as usize >= CORRELATION_PAIRS && r.is_finite()).then(|| (r.clamp(-1.0, 1.0), n as usize))
}

fn health(frame: &Frame, anomalies: &[AnomalyDetection]) -> Vec<Health> {
    let (Some(&first), Some(&last)) = (frame.timestamps().first(), frame.timestamps().last())
    else {
        return Vec::new();
    };
    // Stretches have a length that a person would choose, and begin where a clock would strike.
    let lengths = [60, 300, 900, 3600, 3 * 3600, 6 * 3600, 86_400, 7 * 86_400, 30 * 86_400];
    let span = last.since(first).as_millis();
    let length = lengths
        .into_iter()
        .map(|s: i64| s * 1000)
        .find(|l| span / l < HEALTH_STRETCHES)
        .unwrap_or(span / HEALTH_STRETCHES + 1);
    let mut stretches = Vec::new();
    let mut from = first.as_millis().div_euclid(length) * length;
    let mut row = 0;
    while from <= last.as_millis() {
        let to = from + length;
        let begin = row;
        while row < frame.len() && frame.timestamps()[row].as_millis() < to {
            row += 1;
        }
        let known = scores(&frame.slice(begin, row));
        let within = |a: &&AnomalyDetection| (from..to).contains(&a.timestamp.as_millis());
        stretches.push(Health {
            from: Timestamp::from_millis(from),
            to: Timestamp::from_millis(to),
            samples: row - begin,
            mean_score: known.iter().sum::<f64>() / known.len() as f64,
            max_score: known.iter().copied().fold(f64::NAN, f64::max),
            anomalies: anomalies.iter().filter(within).count(),
        });
        from = to;
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::{Schema, Severity, host};

    fn frame(rows: &[[f64; 2]]) -> Frame {
        let mut f = Frame::new(Schema::from_names(["a", "b"]).unwrap());
        for (i, row) in rows.iter().enumerate() {
            f.push_row(Timestamp::from_millis(5000 * i as i64), row).unwrap();
        }
        f
    }

    #[test]
    fn correlations_need_enough_pairs_and_a_spread() {
        let rows: Vec<[f64; 2]> = (0..40).map(|i| [f64::from(i), -2.0 * f64::from(i)]).collect();
        assert!((correlations(&frame(&rows))[0].r + 1.0).abs() < 1e-9);
        assert!(correlations(&frame(&rows[..20])).is_empty());
        assert!(correlations(&frame(&[[1.0, 1.0]; 40])).is_empty());
    }

    #[test]
    fn missing_values_are_counted_not_averaged() {
        let s = summaries(&frame(&[[1.0, f64::NAN], [3.0, f64::NAN]]));
        assert_eq!((s[0].mean, s[0].known, s[0].max), (2.0, 2, 3.0));
        assert!(s[1].mean.is_nan() && s[1].missing == 2);
    }

    #[test]
    fn health_counts_anomalies_where_they_began() {
        let mut f = Frame::new(host::schema());
        for i in 0..120_i64 {
            let row = vec![if i < 60 { 0.1 } else { 0.9 }; 13];
            f.push_row(Timestamp::from_millis(60_000 * i), &row).unwrap();
        }
        let at = Timestamp::from_millis(61 * 60_000);
        let h = health(&f, &[AnomalyDetection::new(at, Severity::High, 0.9, 1e-9)]);
        assert!(h.len() <= 24 && h.iter().map(|x| x.samples).sum::<usize>() == 120);
        let hit = h.iter().find(|x| x.anomalies == 1).unwrap();
        assert!(hit.from <= at && at < hit.to && (hit.mean_score - 90.0).abs() < 1e-9);
    }
}
