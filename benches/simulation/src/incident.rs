//! What would be noticed: a budget is easily kept by saying nothing.
//!
//! When a host has been measured, each kind of incident is made to some of its features in turn, each on a copy of the
//! detector and on the same rows to come. Sizes are in deviations of what the host has shown in the weeks learned.

use crate::draw::Draw;
use crate::hosts::Host;
use overseer_engine::core::{Detector, Frame, Result, Sample, Schema, Severity, host};
use overseer_engine::policy::{AlarmPolicy, Evidence};

/// Something that goes wrong with one feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incident {
    /// Nothing: what is noticed then is chance.
    Nothing,
    /// One row eight deviations up.
    Spike,
    /// A level eight deviations up for two hours.
    Level,
    /// The same, reached in a straight line.
    Trend,
    /// A value that never was 0 is 0.
    Stop,
    /// The last value again and again, of a feature that always changes.
    Frozen,
    /// Noise of four deviations more.
    Turmoil,
}

impl Incident {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Nothing,
        Self::Spike,
        Self::Level,
        Self::Trend,
        Self::Stop,
        Self::Frozen,
        Self::Turmoil,
    ];

    /// Rows it lasts and may take to be noticed.
    fn rows(self) -> usize {
        if self == Self::Spike { 1 } else { ROWS }
    }

    /// The value in place of `value` in its row `row`, if this incident can befall such a feature.
    fn value(self, past: &Past, row: usize, value: f64, draw: &mut Draw) -> Option<f64> {
        let size = 8.0 * past.deviation;
        match self {
            Self::Nothing => Some(value),
            Self::Spike | Self::Level => past.varies.then_some(value + size),
            Self::Trend => past.varies.then_some(value + size * (row + 1) as f64 / ROWS as f64),
            Self::Stop => (past.least > 2.0 * past.deviation).then_some(0.0),
            Self::Frozen => past.always_changes.then_some(past.last),
            Self::Turmoil => past.varies.then(|| value + 4.0 * past.deviation * draw.normal()),
        }
    }
}

/// Rows that incidents last.
const ROWS: usize = 24;
/// Features of a host that incidents are made to, at most.
const FEATURES: usize = 5;

/// What became of one incident.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What happened.
    pub incident: Incident,
    /// Whether the state was not none in one of its rows, by the budget of one a week.
    pub noticed: bool,
    /// Whether its feature was named first in its rarest row.
    pub named: bool,
}

/// What a feature has been like.
#[derive(Debug)]
struct Past {
    feature: usize,
    /// The standard deviation, or the change that matters if that is larger.
    deviation: f64,
    varies: bool,
    always_changes: bool,
    least: f64,
    last: f64,
}

impl Past {
    fn of(history: &Frame, feature: usize, last: f64) -> Self {
        let known: Vec<f64> = history.column(feature).filter(|v| !v.is_nan()).collect();
        let n = known.len() as f64;
        let mean = known.iter().sum::<f64>() / n;
        let variance = known.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let changes = known.windows(2).filter(|w| w[0] != w[1]).count() as f64;
        let resolution =
            history.schema().get(feature).and_then(|f| f.resolution).unwrap_or_default();
        Self {
            feature,
            deviation: variance.sqrt().max(resolution),
            varies: variance > 0.0,
            always_changes: changes > 0.95 * n,
            least: known.iter().fold(f64::INFINITY, |a, &b| a.min(b)),
            last,
        }
    }
}

/// Makes each incident to some features of a host that goes on, and says what is noticed.
///
/// # Errors
/// If a sample does not fit its schema, which would be a fault of the simulation.
pub fn probe(
    detector: &dyn Detector,
    host: &mut Host,
    history: &Frame,
    policy: &AlarmPolicy,
    draw: &mut Draw,
) -> Result<Vec<Case>> {
    let last = host.sample();
    let mut begun = detector.boxed_clone();
    begun.observe(&last)?;
    let future: Vec<Sample> = (0..ROWS).map(|_| host.sample()).collect();
    let schema = history.schema();
    let mut cases = Vec::new();
    for feature in (0..schema.len()).step_by(schema.len().div_ceil(FEATURES)) {
        let past = Past::of(history, feature, last.values[feature]);
        for incident in Incident::ALL {
            let changed: Option<Vec<Sample>> = future[..incident.rows()]
                .iter()
                .enumerate()
                .map(|(row, sample)| {
                    let mut sample = sample.clone();
                    let value = &mut sample.values[feature];
                    *value = incident.value(&past, row, *value, draw)?;
                    Some(sample)
                })
                .collect();
            if let Some(changed) = changed {
                cases.push(judge(&*begun, &past, incident, &changed, policy, schema)?);
            }
        }
    }
    Ok(cases)
}

fn judge(
    begun: &dyn Detector,
    past: &Past,
    incident: Incident,
    changed: &[Sample],
    policy: &AlarmPolicy,
    schema: &Schema,
) -> Result<Case> {
    let mut detector = begun.boxed_clone();
    let mut case = Case { incident, noticed: false, named: false };
    let mut rarest = f64::INFINITY;
    for sample in changed {
        let judged = detector.observe(sample)?;
        let mut evidence = Evidence::new(sample.timestamp, judged.score, judged.p_value);
        if *schema == host::schema() {
            evidence = evidence.of_host(&sample.values, false);
        }
        case.noticed |= policy.classify(&evidence) > Severity::None;
        if judged.p_value < rarest {
            rarest = judged.p_value;
            let why = detector.explain();
            let feature = schema.get(past.feature).map(|f| f.name.as_str());
            case.named = why.first().map(|e| e.feature.as_str()) == feature;
        }
    }
    Ok(case)
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_engine::core::Timestamp;

    #[test]
    fn incidents_befall_only_features_that_can_have_them() {
        let mut history = Frame::new(Schema::from_names(["constant", "noise", "steps"]).unwrap());
        for i in 0..100_i32 {
            let noise = 50.0 + f64::from(i * 37 % 11);
            let row = [4.0, noise, f64::from(i / 50)];
            history.push_row(Timestamp::from_millis(i.into()), &row).unwrap();
        }
        let can = |feature: usize| -> Vec<Incident> {
            let past = Past::of(&history, feature, 1.0);
            let mut draw = Draw::new(1, 0);
            let all = Incident::ALL.into_iter();
            all.filter(|i| i.value(&past, 0, 1.0, &mut draw).is_some()).collect()
        };
        assert_eq!(can(0), [Incident::Nothing, Incident::Stop]);
        assert_eq!(can(1), Incident::ALL);
        assert!(!can(2).contains(&Incident::Frozen) && !can(2).contains(&Incident::Stop));
        let noise = Past::of(&history, 1, 7.0);
        let mut draw = Draw::new(1, 0);
        let mut value = |incident: Incident, row| incident.value(&noise, row, 55.0, &mut draw);
        assert_eq!(value(Incident::Frozen, 3), Some(7.0));
        assert_eq!(value(Incident::Trend, ROWS - 1), value(Incident::Level, 0));
        let size = value(Incident::Level, 0).unwrap() - 55.0;
        assert!((size / 8.0 - 10.0_f64.sqrt()).abs() < 0.1, "{size}");
    }
}
