//! The features of an event over all its samples.

use overseer_core::{FeatureEvidence, Incident};

/// More features than a host has; those of a wider schema beyond it are not merged.
const MOST: usize = 256;

/// The evidence of each feature at its farthest, and the sum of its contributions.
#[derive(Debug, Clone, Default)]
pub(super) struct Merged {
    features: Vec<(FeatureEvidence, f64)>,
    samples: f64,
}

impl Merged {
    /// As an incident tells it that was stored.
    pub(super) fn of(incident: &Incident) -> Self {
        let samples = if incident.features.is_empty() { 0.0 } else { incident.samples as f64 };
        let known = incident.features.iter();
        Self { features: known.map(|f| (f.clone(), f.contribution * samples)).collect(), samples }
    }

    /// Adds what a sample says.
    pub(super) fn add(&mut self, features: &[FeatureEvidence]) {
        self.samples += 1.0;
        for f in features.iter().filter(|f| f.contribution > 0.0) {
            let has_room = self.features.len() < MOST;
            match self.features.iter_mut().find(|(known, _)| known.feature == f.feature) {
                Some((known, sum)) => {
                    *sum += f.contribution;
                    let since = known.since.into_iter().chain(f.since).min();
                    if off(f) > off(known) {
                        known.clone_from(f);
                    }
                    known.since = since;
                }
                None if has_room => {
                    self.features.push((f.clone(), f.contribution));
                }
                None => {}
            }
        }
    }

    /// The first of them in the order of their contribution, which is the mean over the samples.
    pub(super) fn features(&self, most: usize) -> Vec<FeatureEvidence> {
        let mean = |(f, sum): &(FeatureEvidence, f64)| {
            let mut f = f.clone();
            f.contribution = sum / self.samples.max(1.0);
            f
        };
        let mut all: Vec<FeatureEvidence> = self.features.iter().map(mean).collect();
        all.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
        all.truncate(most);
        all
    }
}

/// How far a value is outside what is expected, negative within; a missing one is nowhere.
fn off(f: &FeatureEvidence) -> f64 {
    let off = (f.observed - f.expected.1).max(f.expected.0 - f.observed);
    if off.is_nan() { f64::NEG_INFINITY } else { off }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::{IncidentKind, Peak, Severity, Timestamp};

    fn feature(name: &str, observed: f64, share: f64) -> FeatureEvidence {
        FeatureEvidence::new(name, observed, (0.2, 0.8), share)
    }

    #[test]
    fn features_are_in_order_of_their_mean_share_and_at_their_farthest_also_after_a_restart() {
        let mut merged = Merged::default();
        merged.add(&[feature("cpu", 0.9, 0.9), feature("disk", 0.1, 0.1)]);
        merged.add(&[feature("disk", 0.0, 0.5), feature("cpu", 0.85, 0.1)]);
        let features = merged.features(9);
        assert_eq!(features, [feature("cpu", 0.9, 0.5), feature("disk", 0.0, 0.3)]);
        assert_eq!(merged.features(1).len(), 1);

        let peak = Peak::new(Timestamp::default(), Severity::High, 0.9, 1e-9);
        let mut incident = Incident::new(IncidentKind::Anomaly, peak);
        (incident.samples, incident.features) = (2, features);
        let mut again = Merged::of(&incident);
        again.add(&[feature("cpu", 0.95, 0.2)]);
        let features = again.features(9);
        assert_eq!((features[0].observed, features[0].contribution), (0.95, 1.2 / 3.0));
    }
}
