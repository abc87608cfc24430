//! Scores a series row by row with what `overseer score` runs.

use crate::data::Series;
use overseer_engine::core::{DetectorTrainer, Error, Result, Sample, Severity};
use overseer_engine::offline::{ScoreRow, Scorer};
use overseer_engine::policy::AlarmBudget;

/// What is said about each row, at the default alarm budget.
#[derive(Debug, Clone, Default)]
pub struct Detection {
    /// 0–1, higher is more anomalous; rows of which nothing is known yet have the lowest score of the others.
    pub score: Vec<f64>,
    /// The score where it would open an event at that level, else 0.
    pub onset: Vec<f64>,
    /// The share of normal rows that score as high; NaN while nothing is known.
    pub p_value: Vec<f64>,
    /// Whether the row raises an alert.
    pub alert: Vec<bool>,
    /// Whether the row is in an alert's state.
    pub state: Vec<bool>,
}

/// Scores the whole series.
///
/// # Errors
/// If the history is too short to learn from, or the detector says something that is no score.
pub fn detect<T>(series: &Series, trainer: &T) -> Result<Detection>
where
    T: DetectorTrainer + Clone + 'static,
{
    detect_start(series, trainer, series.rows.len())
}

/// Whether the first 60 % of the rows alone get what they get in `whole`, to the last bit: nothing is said of a row
/// that the rows after it decide.
///
/// # Errors
/// As [`detect`].
pub fn is_causal<T>(series: &Series, trainer: &T, whole: &Detection) -> Result<bool>
where
    T: DetectorTrainer + Clone + 'static,
{
    let rows = series.rows.len() * 3 / 5;
    let start = detect_start(series, trainer, rows)?;
    let same = |a: &[f64], b: &[f64]| {
        a.len() == rows && a.iter().zip(b).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
    };
    // What stands in for a score while nothing is known is the lowest of all, also of later rows: those rows' p-values
    // are NaN, and they say nothing.
    let known = start.p_value.iter().map(|p| !p.is_nan());
    let scores = start.score.iter().zip(&whole.score).zip(known);
    Ok(scores.into_iter().all(|((a, b), known)| a == b || !known)
        && same(&start.onset, &whole.onset)
        && same(&start.p_value, &whole.p_value)
        && start.alert.iter().eq(&whole.alert[..rows])
        && start.state.iter().eq(&whole.state[..rows]))
}

/// Scores the first rows of a series, which nothing after them is seen by.
fn detect_start<T>(series: &Series, trainer: &T, rows: usize) -> Result<Detection>
where
    T: DetectorTrainer + Clone + 'static,
{
    let frame = series.rows.slice(0, rows);
    let trainer = Box::new(trainer.clone());
    let budget = AlarmBudget::default();
    let mut scorer = Scorer::new(frame.schema().clone(), trainer, budget, series.step)?;
    if let Some(history) = &series.history {
        scorer.learn(history)?;
    }
    let mut detection = Detection::default();
    for (row, (time, values)) in frame.rows().enumerate() {
        let scored = scorer.observe(&Sample::new(time, values.to_vec()))?;
        if let Some(what) = wrong(&scored) {
            let message = format!("the detector's {what} is not in 0–1");
            return Err(Error::invalid_value(format!("row {row}"), message));
        }
        detection.score.push(scored.score);
        detection.onset.push(if scored.onset.is_nan() { 0.0 } else { scored.onset });
        detection.p_value.push(scored.p_value);
        detection.alert.push(scored.is_anomaly);
        detection.state.push(scored.severity != Severity::None);
    }
    let lowest = detection.score.iter().copied().fold(f64::INFINITY, f64::min);
    let lowest = if lowest.is_finite() { lowest } else { 0.0 };
    for score in detection.score.iter_mut().filter(|s| s.is_nan()) {
        *score = lowest;
    }
    Ok(detection)
}

/// The name of a value outside 0–1.
fn wrong(row: &ScoreRow) -> Option<&'static str> {
    [("score", row.score), ("onset", row.onset), ("p-value", row.p_value)]
        .into_iter()
        .find(|(_, v)| !v.is_nan() && !(0.0..=1.0).contains(v))
        .map(|(name, _)| name)
}
