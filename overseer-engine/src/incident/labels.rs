//! What people said of past events, and which of them a sample is like.

use crate::similar::direction;
use crate::utc::utc;
use overseer_core::{
    AnomalyDetection, FeatureEvidence, Incident, IncidentKind, Label, LabelKind, Result, Span,
    Store, Timestamp,
};

/// The feature that leads a sample had at least this share of what the leading one had in the labelled event.
const LEADING: f64 = 0.5;
/// The features of a sample together had at least this share of the labelled event.
const COVERED: f64 = 0.5;
/// Less than this share of a score says nothing of a feature.
const SAID: f64 = 0.05;
/// A feature with at least this share of a score must have been in the labelled event too.
const NOTABLE: f64 = 0.15;
/// How much farther a value may be outside what was usual then, as a share of how far it was, or of the usual range's
/// width where that is more.
const FARTHER: f64 = 0.5;
/// Labels of events before this long ago do not move the threshold any more.
pub(crate) const REMEMBERED: Span = Span::from_secs(90 * 86_400);

/// The labelled anomalies since `from` that are part of no labelled incident, with each label of theirs, as far as both
/// are stored; at most `most`.
///
/// # Errors
/// If the store cannot be read.
pub(crate) fn loose(
    store: &mut dyn Store,
    from: Timestamp,
    most: usize,
    incidents: &[Incident],
) -> Result<Vec<Labelled>> {
    let is_part = |at: Timestamp| {
        incidents.iter().any(|i| {
            let last = if i.kind == IncidentKind::Anomaly { i.last_seen } else { i.began_at };
            i.began_at <= at && at <= last
        })
    };
    let labels = store.labels(from)?;
    let mut found = Vec::new();
    for label in labels.iter().rev().filter(|l| !is_part(l.anomaly)).take(most) {
        if let Some(anomaly) = store.anomalies_between(label.anomaly, label.anomaly, 1)?.first() {
            found.push(Labelled::of_anomaly(anomaly, label));
        }
    }
    Ok(found)
}

/// A labelled event.
#[derive(Debug, Clone)]
pub(crate) struct Labelled {
    pub(crate) id: i64,
    pub(crate) kind: LabelKind,
    /// Whether it was found by what is unusual, and not by a hard rule, which learns nothing from labels either.
    pub(crate) is_anomaly: bool,
    pub(crate) began_at: Timestamp,
    /// From the change behind it to its last sample.
    pub(crate) span: (Timestamp, Timestamp),
    made_at: Timestamp,
    features: Vec<FeatureEvidence>,
}

impl Labelled {
    pub(crate) fn of(incident: &Incident) -> Option<Self> {
        Some(Self::said(incident, incident.label.as_ref()?))
    }

    /// What one label says of an incident, which may have a newer one.
    pub(crate) fn said(incident: &Incident, label: &Label) -> Self {
        let since = incident.since.map_or(incident.began_at, |s| s.min(incident.began_at));
        Self {
            id: incident.id,
            kind: label.kind,
            is_anomaly: incident.kind == IncidentKind::Anomaly,
            began_at: incident.began_at,
            span: (since, incident.last_seen),
            made_at: label.made_at,
            features: incident.features.clone(),
        }
    }

    /// What a label says of an anomaly that is part of no incident, which has no number.
    pub(crate) fn of_anomaly(anomaly: &AnomalyDetection, label: &Label) -> Self {
        let at = anomaly.timestamp;
        let since = anomaly.features.iter().filter_map(|f| f.since).min();
        Self {
            id: 0,
            kind: label.kind,
            is_anomaly: true,
            began_at: at,
            span: (since.map_or(at, |since| since.min(at)), at),
            made_at: label.made_at,
            features: anomaly.features.clone(),
        }
    }

    /// How a sentence names it.
    pub(crate) fn name(&self) -> String {
        match self.id {
            0 => format!("the anomaly of {}", utc(self.began_at)),
            id => format!("incident #{id}"),
        }
    }

    /// When it was said.
    pub(crate) fn made_at(&self) -> Timestamp {
        self.made_at
    }
}

/// The labelled event that a sample is like; of several the one that was labelled last, for people change their minds.
pub(crate) fn like<'a>(
    features: &[FeatureEvidence],
    labelled: &'a [Labelled],
) -> Option<&'a Labelled> {
    let anomalies = labelled.iter().filter(|l| l.is_anomaly);
    anomalies.filter(|l| is_like_event(features, &l.features)).max_by_key(|l| l.made_at)
}

/// Whether what makes a sample made the event: its leading feature was among those that led, all of its notable features
/// were in it, in the same direction and not much farther off, and together they were the better part of it. Not every
/// sample of such an event has all of its features, nor in the same order.
fn is_like_event(sample: &[FeatureEvidence], event: &[FeatureEvidence]) -> bool {
    let then = |f: &FeatureEvidence| event.iter().find(|e| e.feature == f.feature);
    let Some(first) = sample.first().and_then(then) else { return false };
    let most = event.iter().map(|e| e.contribution).fold(0.0, f64::max);
    let mut notable =
        sample.iter().enumerate().filter(|(i, f)| *i == 0 || f.contribution >= NOTABLE);
    let said = sample.iter().filter(|f| f.contribution >= SAID);
    let covered: f64 = said.filter_map(then).map(|e| e.contribution).sum();
    let whole: f64 = event.iter().map(|e| e.contribution).sum();
    first.contribution > 0.0
        && first.contribution >= LEADING * most
        && covered >= COVERED * whole
        && notable.all(|(_, f)| then(f).is_some_and(|e| is_near(f, e)))
}

fn is_near(now: &FeatureEvidence, then: &FeatureEvidence) -> bool {
    if direction(now) != direction(then) {
        return false;
    }
    let (low, high) = then.expected;
    let off = |value: f64| if direction(then) > 0 { value - high } else { low - value };
    match direction(then) {
        // Within its range it is how it moves that is unusual.
        0 => now.kind == then.kind,
        _ => {
            let farther = FARTHER * off(then.observed).max(high - low);
            off(now.observed) <= off(then.observed) + farther
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::ChangeKind;

    fn f(name: &str, observed: f64, share: f64) -> FeatureEvidence {
        FeatureEvidence::new(name, observed, (0.1, 0.2), share)
    }

    #[test]
    fn a_sample_is_like_an_event_of_the_same_features_direction_and_magnitude() {
        let event = [f("writes", 0.6, 0.6), f("cpu", 0.4, 0.2), f("memory", 0.15, 0.05)];
        let like = |sample: &[FeatureEvidence]| is_like_event(sample, &event);
        assert!(like(&[f("writes", 0.5, 0.7), f("cpu", 0.3, 0.2)]));
        assert!(like(&[f("writes", 0.79, 0.7)]), "half as much farther");
        assert!(!like(&[f("writes", 0.81, 0.7)]), "much stronger");
        assert!(!like(&[f("writes", 0.0, 0.7)]), "the other way");
        assert!(!like(&[f("cpu", 0.4, 0.7), f("writes", 0.3, 0.1)]), "another feature leads");
        assert!(!like(&[f("writes", 0.6, 0.7), f("cpu", 0.9, 0.2)]), "a companion much stronger");
        assert!(!like(&[f("writes", 0.6, 0.7), f("network", 0.9, 0.2)]), "another beside it");
        assert!(!like(&[]));
        let turned = [f("cpu", 0.4, 0.4), f("writes", 0.6, 0.35), f("memory", 0.15, 0.1)];
        assert!(is_like_event(&[f("writes", 0.5, 0.9), f("cpu", 0.3, 0.1)], &turned));
        assert!(!is_like_event(&[f("writes", 0.5, 0.9)], &turned), "less than half of it");
    }

    #[test]
    fn within_the_usual_range_it_must_move_in_the_same_way() {
        let frozen = [f("cpu", 0.15, 0.8).changed(ChangeKind::Frozen, None)];
        let restless = [f("cpu", 0.15, 0.8).changed(ChangeKind::Variance, None)];
        assert!(is_like_event(&frozen, &frozen));
        assert!(!is_like_event(&restless, &frozen));
    }
}
