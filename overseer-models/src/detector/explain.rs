//! Which feature it was, how it has changed, and since when. Worked out when asked for, and never while scoring.

use super::combine::{DISTANCE, FOREST, FROZEN, LATELY, NOVELTY, RANGE, SPIKE};
use super::conditional::{gains, own_distance};
use super::evidence::PER_FEATURE;
use super::inputs::{LONG, STATISTICS, UNSEASONAL};
use super::kind::Course;
use super::model::ForestDetector;
use overseer_core::{ChangeKind, FeatureEvidence, Span, Timestamp};

/// A feature with this share of a score has its change named even if its own evidence is hardly above its usual one.
const NOTABLE: f64 = 0.1;
/// A feature is unusual beside others if that makes it so many times as unusual as it is by itself.
const BESIDE: f64 = 1.2;
/// The least squared distance of a feature's inputs from what the others would have them be that means anything: the
/// 90 % quantile of as many squared normal numbers.
const APART: f64 = 14.7;
/// So many past rows tell what a feature's evidence usually is.
const PAST: usize = 256;
/// Added to a feature's usual evidence, so that a very calm one is not blamed for a little.
const CALM: f64 = 0.1;
/// The time of day tells much where it leaves at most this share of a feature's deviation.
const SEASONAL: f64 = 0.8;
/// The block of the deviation within the middle window.
const DEVIATION: usize = 5;

impl ForestDetector {
    /// Every feature's part in the newest row's score, the largest first.
    pub(super) fn explanation(&self) -> Vec<FeatureEvidence> {
        if self.last.is_empty() {
            return Vec::new();
        }
        let state = &self.state;
        let d = self.order.len();
        let mut beside = vec![0.0; d];
        for group in &state.evidence.groups {
            gains(group, state.inputs.statistics(), d, &mut beside);
        }
        let parts = if self.is_blank(&self.last) { vec![0.0; d] } else { self.parts(&beside) };
        let total: f64 = parts.iter().sum();
        let mut all: Vec<FeatureEvidence> = (0..d)
            .map(|j| {
                let at = self.order[j];
                let name = self.schema.features()[at].name.as_str();
                let share = if total > 0.0 { parts[j] / total } else { 0.0 };
                let expected = self.scales[j].expected;
                let evidence = FeatureEvidence::new(name, self.last[at], expected, share);
                match self.change(j, share, beside[j]) {
                    Some((kind, since)) => evidence.changed(kind, Some(since)),
                    None => evidence,
                }
            })
            .collect();
        all.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
        all
    }

    /// What each feature added to the evidence, never negative, in the order of names; `beside` is how much each says
    /// beyond what the others do.
    fn parts(&self, beside: &[f64]) -> Vec<f64> {
        let state = &self.state;
        let d = self.order.len();
        let shares = self.weights.parts(&state.found);
        let mut total = vec![0.0; d];
        let mut add = |branch: usize, parts: &[f64]| {
            let known = parts
                .iter()
                .zip(state.inputs.units())
                .map(|(part, unit)| if unit.is_nan() { 0.0 } else { *part });
            let sum: f64 = known.clone().sum();
            if sum > 0.0 {
                for (total, part) in total.iter_mut().zip(known) {
                    *total += shares[branch] * part / sum;
                }
            }
        };
        let usual = self.usual_evidence();
        // What is far out in a feature that often is says less.
        let gains = beside.iter().zip(usual).map(|(gain, usual)| gain / (usual + CALM).sqrt());
        let gains: Vec<f64> = gains.collect();
        add(FOREST, &gains);
        add(DISTANCE, &gains);
        let spikes: Vec<f64> = state.evidence.residuals().iter().map(|r| r * r).collect();
        add(SPIKE, &spikes);
        add(RANGE, state.ranges.lately());
        add(NOVELTY, &state.novelty);
        add(LATELY, &state.lately);
        add(FROZEN, &state.frozen.parts().collect::<Vec<f64>>());
        total
    }

    /// The mean square of each feature's whitened inputs in the sample of past rows.
    fn usual_evidence(&self) -> Vec<f64> {
        let d = self.order.len();
        let width = d * PER_FEATURE;
        let rows = self.state.reservoir.rows();
        let every = (rows.len() / width / PAST).max(1);
        let mut sums = vec![0.0; d];
        let mut count = 0.0;
        for row in rows.chunks_exact(width).step_by(every) {
            count += STATISTICS as f64;
            for block in row[..d * STATISTICS].chunks_exact(d) {
                for (sum, value) in sums.iter_mut().zip(block) {
                    *sum += f64::from(value * value);
                }
            }
        }
        sums.iter().map(|sum| if count > 0.0 { sum / count } else { 1.0 }).collect()
    }

    /// How a feature has changed and since when; none where it has not.
    fn change(&self, j: usize, share: f64, beside: f64) -> Option<(ChangeKind, Timestamp)> {
        let state = &self.state;
        let now = self.last_time?;
        let absent = state.excursions.absent_since(j);
        let begun = state.excursions.since(j);
        if self.last[self.order[j]].is_nan() {
            return absent.map(|since| (ChangeKind::Missing, since));
        }
        if state.inputs.units()[j].is_nan() {
            // What recurs at this hour of the week is hidden from the branches; it has a value and has not changed.
            return None;
        }
        let is_frozen = state.frozen.rows(j) > 0.0;
        if begun.is_none() && share < NOTABLE {
            return None;
        }
        let since = begun.unwrap_or(now);
        let (kind, ago) = self.course(j, since, beside, is_frozen).kind();
        let before = |rows: usize| now - self.step().times(rows);
        let since = match (kind, ago) {
            (ChangeKind::Frozen, _) => before(state.frozen.rows(j) as usize),
            (_, Some(rows)) if since >= before(LONG) => since.min(before(rows)),
            _ => since,
        };
        Some((kind, since))
    }

    fn course(&self, j: usize, since: Timestamp, beside: f64, is_frozen: bool) -> Course {
        let state = &self.state;
        let now = self.last_time.unwrap_or(since);
        let step = self.step();
        let rows = if step > Span::default() { now.since(since).steps(step) + 1 } else { 1 };
        let group = state.evidence.groups.iter().find(|g| g.features.contains(&j));
        let place = group.and_then(|g| g.features.iter().position(|&f| f == j));
        let moment = |statistic: usize| {
            group.zip(place).map_or((0.0, 1.0), |(g, place)| {
                let at = statistic * g.features.len() + place;
                (g.means[at], 1.0 / g.inverse_deviations[at])
            })
        };
        let (_, deviation) = moment(UNSEASONAL);
        let own = || {
            let (group, place) = group.zip(place)?;
            own_distance(group, place, state.inputs.statistics(), self.order.len())
        };
        let scale = &self.scales[j];
        Course {
            recent: state.inputs.recent(j),
            rows,
            range: (scale.units(scale.expected.0), scale.units(scale.expected.1)),
            noise: moment(DEVIATION).0,
            unseasonal: state.excursions.unseasonal(j).abs() / deviation,
            // A unit is the deviation of the values themselves.
            is_seasonal: deviation < SEASONAL,
            is_unlike_others: beside > APART && own().is_some_and(|own| beside > BESIDE * own),
            is_missing: false,
            is_frozen,
        }
    }
}
