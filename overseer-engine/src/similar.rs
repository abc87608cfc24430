//! Past anomalies and incidents that looked like this one.

use overseer_core::{
    AnomalyDetection, FeatureEvidence, Incident, IncidentKind, Result, Span, Store, Timestamp,
    WhichIncidents,
};

/// How many are named at most.
const NAMED: usize = 3;
/// The cosine of the angle between two anomalies' contributions from which on they are alike.
const ALIKE: f64 = 0.8;
/// Anomalies nearer in time than this belong to one event.
const APART: Span = Span::from_secs(3600);
/// So many of the newest incidents are looked through.
const LOOKED_AT: usize = 2000;

/// When the newest events began that were made by about the same features as `anomaly`, in the same direction, newest
/// first: at most three, of as many as are given.
///
/// `past` are earlier anomalies, newest first.
#[must_use]
pub fn similar<'a>(
    anomaly: &AnomalyDetection,
    past: impl Iterator<Item = &'a AnomalyDetection>,
) -> Vec<Timestamp> {
    let mut found: Vec<Timestamp> = Vec::new();
    let mut event = anomaly.timestamp;
    let begun = anomaly.features.iter().filter_map(|f| f.since).min();
    for other in past {
        let is_same_event = event.since(other.timestamp) < APART
            || begun.is_some_and(|begun| other.timestamp >= begun);
        if is_same_event || !is_like(&anomaly.features, &other.features) {
            continue;
        }
        event = other.timestamp;
        found.push(other.timestamp);
        if found.len() == NAMED {
            break;
        }
    }
    found
}

/// The newest stored incidents before `incident` that were made by about the same features as it, in the same direction,
/// newest first: at most three.
///
/// # Errors
/// If the store cannot be read.
pub fn similar_incidents(store: &mut dyn Store, incident: &Incident) -> Result<Vec<Incident>> {
    let mut past = store.incidents(WhichIncidents::All, LOOKED_AT)?;
    past.retain(|i| i.began_at < incident.began_at && i.kind == IncidentKind::Anomaly);
    let seen: Vec<AnomalyDetection> = past.iter().map(as_anomaly).collect();
    let times = similar(&as_anomaly(incident), seen.iter());
    past.retain(|i| times.contains(&i.began_at));
    Ok(past)
}

/// What made an incident, as a detector would tell it.
fn as_anomaly(incident: &Incident) -> AnomalyDetection {
    let peak = &incident.peak;
    let mut anomaly =
        AnomalyDetection::new(incident.began_at, incident.severity, peak.score, peak.p_value);
    anomaly.features.clone_from(&incident.features);
    anomaly
}

/// Whether two events were made by about the same features, the one that leads the first in the same direction.
pub(crate) fn is_like(a: &[FeatureEvidence], b: &[FeatureEvidence]) -> bool {
    let find = |list: &'_ [FeatureEvidence], name: &str| -> Option<FeatureEvidence> {
        list.iter().find(|f| f.feature == name).cloned()
    };
    let Some(first) = a.first() else { return false };
    let same_way = find(b, &first.feature).is_some_and(|f| direction(&f) == direction(first));
    let product: f64 =
        a.iter().filter_map(|f| Some(f.contribution * find(b, &f.feature)?.contribution)).sum();
    let length = |list: &[FeatureEvidence]| {
        list.iter().map(|f| f.contribution * f.contribution).sum::<f64>().sqrt()
    };
    let lengths = length(a) * length(b);
    same_way && lengths > 0.0 && product / lengths >= ALIKE
}

/// Whether a value is below what is expected, within it, or above; a missing one is within.
pub(crate) fn direction(f: &FeatureEvidence) -> i8 {
    i8::from(f.observed > f.expected.1) - i8::from(f.observed < f.expected.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::Severity;

    fn anomaly(hour: i64, features: &[(&str, f64, f64)]) -> AnomalyDetection {
        let at = Timestamp::from_millis(3_600_000 * hour);
        let mut a = AnomalyDetection::new(at, Severity::High, 0.9, 1e-6);
        a.features = features
            .iter()
            .map(|&(name, observed, share)| FeatureEvidence::new(name, observed, (0.2, 0.8), share))
            .collect();
        a
    }

    fn hours(of: &AnomalyDetection, past: &[AnomalyDetection]) -> Vec<i64> {
        similar(of, past.iter()).iter().map(|t| t.as_millis() / 3_600_000).collect()
    }

    #[test]
    fn the_same_features_in_the_same_direction_are_alike() {
        let now = anomaly(500, &[("cpu", 1.0, 0.7), ("load", 2.0, 0.3)]);
        let past = [
            anomaly(400, &[("cpu", 0.9, 0.6), ("load", 1.5, 0.4)]),
            anomaly(300, &[("cpu", 0.1, 0.7), ("load", 0.1, 0.3)]),
            anomaly(200, &[("disk", 1.0, 0.9), ("cpu", 1.0, 0.1)]),
            anomaly(100, &[("cpu", 1.0, 0.9)]),
        ];
        assert_eq!(hours(&now, &past), [400, 100]);
    }

    #[test]
    fn alerts_of_one_event_count_once_and_only_three_are_named() {
        let cpu = |hour| anomaly(hour, &[("cpu", 1.0, 0.9)]);
        let past = [cpu(500), cpu(90), cpu(90), cpu(70), cpu(50), cpu(30)];
        assert_eq!(hours(&cpu(500), &past), [90, 70, 50]);
        let mut long = cpu(500);
        long.features[0].since = Some(Timestamp::from_millis(3_600_000 * 80));
        assert_eq!(hours(&long, &past), [70, 50, 30]);
        assert!(hours(&anomaly(500, &[]), &past).is_empty());
    }
}
