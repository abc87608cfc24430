//! From a judgement to a finding: severity, the features behind it, a sentence, and what to do.

use crate::digits::short;
use crate::engine::Engine;
use crate::incident::{Labelled, like};
use crate::level::level_word;
use crate::policy::{CALM_SAMPLES, Evidence};
use crate::sentence::sentence;
use crate::similar::similar;
use overseer_core::{
    AnomalyDetection, FeatureEvidence, Judgement, Probability, ProcessUsage, Schema, Severity,
    Unit, host,
};

/// How many features a finding names at most.
const NAMED_FEATURES: usize = 5;
/// Shares of a score below this are not worth naming.
const NAMED_SHARE: f64 = 0.05;

impl Engine {
    /// Judges the newest sample. `None` if there is no detector or no sample.
    ///
    /// Deciding about the same sample twice changes nothing: its event is opened once.
    pub fn detect(&mut self) -> Option<AnomalyDetection> {
        self.timed(crate::Stage::Detect, Self::detect_newest)
    }

    fn detect_newest(&mut self) -> Option<AnomalyDetection> {
        self.explained.clear();
        let (timestamp, judgement) = self.judgement?;
        let detector = self.detector.as_ref()?;
        let provisional = detector.metadata.provisional || self.is_glance;
        let explained = detector.model.explain();
        self.explained.clone_from(&explained);
        let newest = self.newest().filter(|s| s.timestamp == timestamp).map(|s| s.values.clone());
        let values = newest.filter(|_| self.schema == host::schema());
        let mut evidence = Evidence::new(timestamp, judgement.score, judgement.p_value);
        if let Some(values) = &values {
            evidence = evidence.of_host(values, provisional);
        }
        let like = like(&explained, self.incidents.labelled()).cloned();
        evidence = evidence.like(like.as_ref().map(|l| l.kind));
        if provisional && !is_harmful(&explained, &self.schema, values.as_deref()) {
            // Fifteen seconds cannot tell what is rare, only what hurts.
            evidence.p_value = evidence.p_value.max(0.5);
            evidence.score = evidence.score.min(0.4);
        }
        let verdict = match self.verdict {
            Some((t, verdict)) if t == timestamp => verdict,
            _ => {
                let verdict = self.policy.observe(&evidence);
                self.verdict = Some((timestamp, verdict));
                verdict
            }
        };
        let mut anomaly =
            AnomalyDetection::new(timestamp, verdict.severity, evidence.score, evidence.p_value);
        anomaly.confidence =
            Probability::saturating(judgement.rank.get() * judgement.readiness.get());
        anomaly.features = named(explained);
        let seen = self.active().len().max(detector.metadata.rows);
        // An alert says who is behind it, and is given once.
        if verdict.alert && self.alerted != Some(timestamp) && self.processes.is_empty() {
            self.look_at_processes();
        }
        anomaly.description = if verdict.lingering {
            format!("The event counts as over after {CALM_SAMPLES} calm samples in a row.")
        } else if let Some(like) = like.filter(|_| verdict.excused) {
            excused(&anomaly, &self.schema, &like)
        } else {
            describe(&anomaly, &self.schema, values.as_deref(), &judgement, seen, &self.processes)
        };
        if anomaly.is_anomaly && !verdict.lingering {
            anomaly.suggested_actions = suggested_actions(&anomaly);
            anomaly.similar = similar(&anomaly, self.anomalies.iter().rev());
        }
        Some(anomaly)
    }
}

/// The features of an explanation that a finding names: those that have a part in it, at least the first.
pub(crate) fn named(mut explained: Vec<FeatureEvidence>) -> Vec<FeatureEvidence> {
    let worth = explained.iter().filter(|f| f.contribution >= NAMED_SHARE).count();
    if worth == 0 {
        explained.truncate(1);
    } else {
        explained.retain(|f| f.contribution >= NAMED_SHARE);
        explained.truncate(NAMED_FEATURES);
    }
    explained.into_iter().map(short).collect()
}

/// Whether what a provisional model finds unusual would matter: the feature that leads is a resource at least half
/// used, and more than usual.
fn is_harmful(explained: &[FeatureEvidence], schema: &Schema, values: Option<&[f64]>) -> bool {
    let Some(values) = values else { return true };
    if host::is_saturated(values) {
        return true;
    }
    let first =
        explained.first().and_then(|f| Some((f, schema.get(schema.index_of(&f.feature)?)?)));
    first.is_some_and(|(f, feature)| {
        let used = match feature.unit {
            Unit::Ratio => f.observed,
            Unit::Dimensionless => 0.5 * f.observed,
            _ => 0.0,
        };
        used >= 0.5 && f.observed > f.expected.1
    })
}

pub(crate) fn describe(
    anomaly: &AnomalyDetection,
    schema: &Schema,
    values: Option<&[f64]>,
    judgement: &Judgement,
    seen: usize,
    processes: &[ProcessUsage],
) -> String {
    let learned = if judgement.readiness < Probability::ONE {
        format!(" Only {} of a full calibration has been seen.", judgement.readiness)
    } else {
        String::new()
    };
    if !anomaly.is_anomaly {
        let high: Vec<String> = schema
            .features()
            .iter()
            .zip(values.unwrap_or_default())
            .filter_map(|(f, &v)| {
                let word = level_word(&f.name, v)?;
                Some(format!("{} is {word} at {}", host::plain_name(&f.name), f.unit.humanize(v)))
            })
            .collect();
        // That it is a lot says nothing of how often it is so: the disk may have filled for the first time.
        let high = match high.is_empty() {
            true => String::new(),
            false => format!(" {}, whatever is usual here.", capitalized(&high.join("; "))),
        };
        return format!("Nothing unusual.{high}{learned}");
    }
    let sentence = sentence(&anomaly.features, schema, anomaly.timestamp, processes);
    let rarity = if values.is_some_and(host::is_saturated) {
        " CPU, memory and load are all saturated.".to_owned()
    } else {
        rarity(anomaly.p_value, seen)
    };
    format!("{}.{rarity}{learned}", capitalized(&sentence))
}

/// What would be unusual if nobody had said of one like it that it need not be told.
fn excused(anomaly: &AnomalyDetection, schema: &Schema, like: &Labelled) -> String {
    let sentence = sentence(&anomaly.features, schema, anomaly.timestamp, &[]);
    let label = like.kind.as_str().replace('_', " ");
    format!("{}, like {}, which was labelled {label}.", capitalized(&sentence), like.name())
}

/// A sentence begins with a capital letter, but a name that means nothing with another one stays as it is.
fn capitalized(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first_word = sentence.split(' ').next().unwrap_or_default();
    match letters.next() {
        Some(first) if first_word.chars().all(|c| c.is_ascii_lowercase()) => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => sentence.to_owned(),
    }
}

/// How rare that is, in numbers only as far as the samples seen bear them out.
fn rarity(p_value: f64, seen: usize) -> String {
    match 1.0 / p_value {
        rare if rare.is_nan() => String::new(),
        rare if rare > 10.0 * seen as f64 => {
            format!(" Nothing like it is in the {seen} samples seen.")
        }
        rare => {
            // Two digits are all that such an estimate is good for.
            let digits = 10_f64.powf(rare.log10().floor() - 1.0);
            format!(
                " About one normal sample in {:.0} looks like this.",
                (rare / digits).round() * digits
            )
        }
    }
}

/// What a person could do about an anomaly, by the features that lead it.
fn suggested_actions(anomaly: &AnomalyDetection) -> Vec<String> {
    let mut actions: Vec<String> = Vec::new();
    for feature in anomaly.features.iter().take(3) {
        let above = feature.observed > feature.expected.1;
        let below = feature.observed < feature.expected.0;
        let action = match feature.feature.as_str() {
            "system.cpu.utilization" | "overseer.cpu.load_per_core" | "linux.pressure.cpu"
                if above =>
            {
                "See which process is using the CPU, and whether it should be."
            }
            "system.memory.utilization" | "linux.pressure.memory" if above => {
                "See which process grew, and whether it gives the memory back."
            }
            "system.paging.utilization" if above => {
                "Memory is short: find what grew before it swaps more."
            }
            "system.filesystem.utilization" if above => {
                "See what was written last, and free or add space."
            }
            "system.disk.io.read" | "system.disk.io.write" | "linux.pressure.io" if above => {
                "See which process reads or writes so much, such as a backup or a compaction."
            }
            "system.network.io.receive" | "system.network.io.transmit" if above => {
                "See which connection carries the traffic, and whether it is expected."
            }
            "system.process.count" if above => "See which program starts so many processes.",
            "system.process.count" if below => "See which service stopped.",
            _ if below => {
                "Less than usual: see whether something that should be working has stopped."
            }
            _ => continue,
        };
        if !actions.iter().any(|a| a == action) {
            actions.push(action.to_owned());
        }
    }
    if anomaly.severity >= Severity::High && actions.is_empty() {
        actions.push("Compare with what was changed or started at that time.".to_owned());
    }
    actions
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::Timestamp;

    fn cpu(observed: f64) -> FeatureEvidence {
        FeatureEvidence::new("system.cpu.utilization", observed, (0.01, 0.06), 0.8)
    }

    #[test]
    fn a_sentence_begins_with_a_capital_and_names_stay_as_they_are() {
        assert_eq!(capitalized("memory is at 3 %"), "Memory is at 3 %");
        assert_eq!(capitalized("CPU is at 3 %"), "CPU is at 3 %");
        assert_eq!(capitalized("rq.p99 is at 3"), "rq.p99 is at 3");
    }

    #[test]
    fn a_lot_is_told_where_nothing_is_unusual_and_nobody_says_that_it_is_usual() {
        let schema = host::schema();
        let calm = Judgement::new(0.1, 0.5, Probability::ONE, Probability::saturating(0.5));
        let nothing = AnomalyDetection::new(Timestamp::default(), Severity::None, 0.1, 0.5);
        let mut row = vec![0.1; schema.len()];
        assert_eq!(describe(&nothing, &schema, Some(&row), &calm, 100, &[]), "Nothing unusual.");
        row[host::FILESYSTEM_UTILIZATION] = 0.97;
        assert_eq!(
            describe(&nothing, &schema, Some(&row), &calm, 100, &[]),
            "Nothing unusual. Fullest disk is critical at 97.0 %, whatever is usual here."
        );
    }

    #[test]
    fn rarity_is_a_number_only_where_enough_was_seen() {
        assert_eq!(rarity(1.0 / 1234.0, 1000), " About one normal sample in 1200 looks like this.");
        assert_eq!(rarity(1e-9, 1000), " Nothing like it is in the 1000 samples seen.");
        assert_eq!(rarity(f64::NAN, 1000), "");
    }

    #[test]
    fn actions_follow_the_features_and_are_not_repeated() {
        let mut a = AnomalyDetection::new(Timestamp::default(), Severity::High, 0.9, 1e-9);
        let load = FeatureEvidence::new("overseer.cpu.load_per_core", 2.0, (0.0, 0.5), 0.2);
        a.features = vec![cpu(1.0), load];
        assert_eq!(suggested_actions(&a).len(), 1);
    }

    #[test]
    fn fifteen_seconds_cannot_call_an_idle_host_unusual() {
        let schema = host::schema();
        let mut row = vec![0.0; schema.len()];
        row[host::CPU_UTILIZATION] = 0.3;
        row[host::MEMORY_UTILIZATION] = 0.6; // Another resource's use is no harm of this one.
        assert!(!is_harmful(&[cpu(0.3)], &schema, Some(&row)));
        row[host::CPU_UTILIZATION] = 1.0;
        assert!(is_harmful(&[cpu(1.0)], &schema, Some(&row)));
    }
}
