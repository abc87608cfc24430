//! Advice that follows from what was found: the feature, the evidence, the processes that matter, and the action.

use crate::detection::level_word;
use crate::engine::Engine;
use crate::report::Stage;
use overseer_core::{
    AnomalyDetection, PatternAnalysis, PatternType, Prediction, Priority, ProcessUsage,
    Recommendation, Schema, Severity, Span, Timestamp, host,
};

/// A full resource farther away than this is nobody's concern today.
const FAR: Span = Span::from_secs(30 * 86_400);

impl Engine {
    /// Advice from the newest findings, the most urgent first.
    pub fn recommend(&mut self, anomaly: Option<&AnomalyDetection>) -> Vec<Recommendation> {
        self.timed(Stage::Recommend, |e| {
            let newest = e.newest().map(|s| s.values.clone()).unwrap_or_default();
            let mut advice = Vec::new();
            advice.extend(anomaly.and_then(|a| from_anomaly(a, &e.processes)));
            advice.extend(from_levels(&newest, &e.schema, &e.processes));
            advice.extend(from_prediction(&e.predictions));
            advice.extend(from_patterns(&e.patterns, &newest, &e.schema, &e.processes));
            distinct(advice)
        })
    }
}

/// The resource a feature speaks of: several features of one resource have one cause and need one piece of advice.
fn resource(feature: &str) -> &str {
    match feature {
        "overseer.cpu.load_per_core" | "linux.pressure.cpu" => "system.cpu.utilization",
        "system.paging.utilization" | "linux.pressure.memory" => "system.memory.utilization",
        "system.disk.io.read" | "system.disk.io.write" => "linux.pressure.io",
        other => other,
    }
}

/// Keeps the most urgent advice about each resource, the most urgent first.
fn distinct(mut advice: Vec<Recommendation>) -> Vec<Recommendation> {
    advice.sort_by_key(|a| std::cmp::Reverse(a.priority));
    let mut seen = std::collections::HashSet::new();
    advice.retain(|a| seen.insert(resource(&a.feature).to_owned()));
    advice
}

fn from_anomaly(anomaly: &AnomalyDetection, processes: &[ProcessUsage]) -> Option<Recommendation> {
    let first = anomaly.features.first().filter(|_| anomaly.is_anomaly)?;
    let priority = match anomaly.severity {
        Severity::None => return None,
        Severity::Medium => Priority::Medium,
        Severity::High => Priority::High,
        Severity::Critical => Priority::Critical,
    };
    let action = anomaly
        .suggested_actions
        .first()
        .cloned()
        .unwrap_or_else(|| "Compare with what was changed or started at that time.".to_owned());
    let mut r = Recommendation::new(&first.feature, priority, &anomaly.description, action);
    r.processes = responsible(&first.feature, processes);
    if let Some(p) = r.processes.first() {
        r.action = format!("{} {} leads.", r.action, said(p));
    }
    Some(r)
}

fn from_levels(values: &[f64], schema: &Schema, processes: &[ProcessUsage]) -> Vec<Recommendation> {
    let mut advice = Vec::new();
    for (feature, &value) in schema.features().iter().zip(values) {
        let Some(word) = level_word(&feature.name, value) else { continue };
        let priority = if word == "critical" { Priority::High } else { Priority::Medium };
        let action = match feature.name.as_str() {
            "system.cpu.utilization" | "overseer.cpu.load_per_core" => {
                "Move work elsewhere, or to quieter hours, or give this host more CPUs."
            }
            "system.memory.utilization" => {
                "Lower the heaviest processes' limits or caches, or add memory."
            }
            "system.paging.utilization" => {
                "Memory is short: what is swapped out comes back slowly."
            }
            "system.filesystem.utilization" => {
                "Delete or move what is not needed, or enlarge the volume."
            }
            _ => continue,
        };
        let evidence = format!(
            "{} is {word} at {}",
            host::plain_name(&feature.name),
            feature.unit.humanize(value)
        );
        let mut r = Recommendation::new(&feature.name, priority, evidence, action);
        r.processes = responsible(&feature.name, processes);
        advice.push(r);
    }
    advice
}

fn from_prediction(predictions: &[Prediction]) -> Option<Recommendation> {
    let worst = predictions.iter().max_by(|a, b| a.value.total_cmp(&b.value))?;
    let action = worst.recommendations.first()?;
    let priority =
        if worst.value > host::SATURATION_WARNING { Priority::High } else { Priority::Medium };
    let feature = worst.features.first().map_or("performance_score", |f| f.feature.as_str());
    Some(Recommendation::new(feature, priority, &worst.explanation, action))
}

/// A resource that fills: how long until it is full, if it goes on as it did.
fn from_patterns(
    patterns: &[PatternAnalysis],
    values: &[f64],
    schema: &Schema,
    processes: &[ProcessUsage],
) -> Vec<Recommendation> {
    const FILLING: [&str; 3] =
        ["system.memory.utilization", "system.paging.utilization", "system.filesystem.utilization"];
    let mut advice = Vec::new();
    for pattern in patterns.iter().filter(|p| p.pattern_type == PatternType::Trending) {
        let Some(feature) = pattern.features.first().filter(|f| FILLING.contains(&f.as_str()))
        else {
            continue;
        };
        let Some(trend) = &pattern.trend else { continue };
        // The window must be long enough to speak for that future: a minute's rise says nothing about a week.
        let seen = pattern.window.1.since(pattern.window.0);
        let (left, evidence) = match &trend.crossing {
            Some(crossing) if crossing.limit >= 1.0 => {
                let ahead = |t: Timestamp| t.since(pattern.window.1);
                let left = ahead(crossing.expected);
                let earliest = ahead(crossing.earliest);
                let interval = crossing.latest.map_or_else(
                    || format!("{earliest} at the earliest"),
                    |latest| format!("{earliest} to {}", ahead(latest)),
                );
                let name = host::plain_name(feature);
                let evidence = format!(
                    "{name} rises: if it goes on as over the last {seen}, it is full in about {left} ({interval})"
                );
                (left, evidence)
            }
            Some(_) => continue,
            // An analyzer that projects nothing.
            None => {
                let now = schema.index_of(feature).and_then(|i| values.get(i));
                let hours = (1.0 - now.copied().unwrap_or(f64::NAN)) / trend.slope_per_hour;
                if !(hours.is_finite() && trend.slope_per_hour > 0.0) {
                    continue;
                }
                let left = Span::from_secs((hours * 3600.0).min(1e12) as i64);
                let evidence = format!(
                    "{} rises by {:.2} percentage points an hour over the last {seen}: at that rate it is full in about {left}",
                    host::plain_name(feature),
                    100.0 * trend.slope_per_hour,
                );
                (left, evidence)
            }
        };
        if left > FAR || left > seen.times(10) {
            continue;
        }
        let action = "Find what grows and stop it, or make room before then.";
        let priority = if left < Span::from_secs(86_400) { Priority::High } else { Priority::Low };
        let mut r = Recommendation::new(feature, priority, evidence, action);
        r.processes = responsible(feature, processes);
        advice.push(r);
    }
    advice
}

/// The processes that use what the feature measures, the heaviest first, without those that use next to none.
pub(crate) fn responsible(feature: &str, processes: &[ProcessUsage]) -> Vec<ProcessUsage> {
    let (usage, floor): (fn(&ProcessUsage) -> f64, f64) = match feature {
        "system.cpu.utilization" | "overseer.cpu.load_per_core" | "linux.pressure.cpu" => {
            (|p| p.cpu_cores, 0.05)
        }
        "system.memory.utilization" | "system.paging.utilization" | "linux.pressure.memory" => {
            (|p| p.memory_bytes, 50e6)
        }
        "system.disk.io.read"
        | "system.disk.io.write"
        | "linux.pressure.io"
        | "system.filesystem.utilization" => (|p| p.io_bytes_per_second, 100e3),
        _ => return Vec::new(),
    };
    let mut heavy: Vec<ProcessUsage> =
        processes.iter().filter(|p| usage(p) >= floor).cloned().collect();
    heavy.sort_by(|a, b| usage(b).total_cmp(&usage(a)));
    heavy.truncate(3);
    heavy
}

/// A process in a few words: `stress (pid 4711 of batch.service, 1.98 CPUs, 12.0 MB)`.
#[must_use]
pub fn said(p: &ProcessUsage) -> String {
    use overseer_core::Unit;
    let unit = if p.unit.is_empty() { String::new() } else { format!(" of {}", p.unit) };
    let mut parts = vec![format!("pid {}{unit}", p.pid)];
    if p.cpu_cores.is_finite() {
        parts.push(format!("{:.2} CPUs", p.cpu_cores));
    }
    if p.memory_bytes.is_finite() {
        parts.push(Unit::Bytes.humanize(p.memory_bytes));
    }
    if p.io_bytes_per_second >= 1000.0 {
        parts.push(format!("{} of I/O", Unit::BytesPerSecond.humanize(p.io_bytes_per_second)));
    }
    format!("{} ({})", p.name, parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::{Crossing, Probability, Trend};

    #[test]
    fn a_process_is_said_with_its_unit_where_it_has_one() {
        let mut p = ProcessUsage::new(7, "stress");
        (p.cpu_cores, p.memory_bytes) = (1.98, 12.0e6);
        assert_eq!(said(&p), "stress (pid 7, 1.98 CPUs, 12.0 MB)");
        p.unit = "batch.service".to_owned();
        assert_eq!(said(&p), "stress (pid 7 of batch.service, 1.98 CPUs, 12.0 MB)");
    }

    fn row(index: usize, value: f64) -> Vec<f64> {
        let mut v = vec![f64::NAN; host::schema().len()];
        v[index] = value;
        v
    }

    #[test]
    fn a_full_disk_is_named_with_its_number() {
        let r = from_levels(&row(host::FILESYSTEM_UTILIZATION, 0.97), &host::schema(), &[]);
        assert_eq!(r.len(), 1);
        assert_eq!(r[0].priority, Priority::High);
        assert_eq!(r[0].evidence, "fullest disk is critical at 97.0 %");
    }

    #[test]
    fn a_leak_says_when_memory_is_full_and_a_short_window_does_not() {
        let mut p = PatternAnalysis::new(
            "system.memory.utilization",
            PatternType::Trending,
            0.9,
            Probability::ONE,
        );
        p.trend = Some(Trend::new(vec![0.5, 0.1], 0.05, 0.9, 1e-6));
        p.window = (Timestamp::from_millis(0), Timestamp::from_millis(6 * 3_600_000));
        let now = row(host::MEMORY_UTILIZATION, 0.7);
        let r = from_patterns(std::slice::from_ref(&p), &now, &host::schema(), &[]);
        assert!(r[0].evidence.contains("full in about 6 h"), "{}", r[0].evidence);
        let hours = |h: i64| Timestamp::from_millis(h * 3_600_000);
        if let Some(trend) = &mut p.trend {
            trend.crossing = Some(Crossing::new(1.0, hours(14), hours(13), Some(hours(16))));
        }
        let r = from_patterns(std::slice::from_ref(&p), &now, &host::schema(), &[]);
        assert_eq!(
            r[0].evidence,
            "memory rises: if it goes on as over the last 6 h, it is full in about 8 h (7 h to 10 h)"
        );
        p.trend = Some(Trend::new(vec![0.5, 0.1], 0.05, 0.9, 1e-6));
        p.window.1 = Timestamp::from_millis(60_000);
        assert!(from_patterns(&[p], &now, &host::schema(), &[]).is_empty());
    }

    #[test]
    fn the_busy_process_is_responsible_for_the_cpu_and_the_idle_one_is_not() {
        let mut busy = ProcessUsage::new(7, "stress");
        busy.cpu_cores = 1.9;
        let mut idle = ProcessUsage::new(8, "sleep");
        idle.cpu_cores = 0.0;
        let found = responsible("system.cpu.utilization", &[idle, busy.clone()]);
        assert_eq!(found, [busy]);
    }

    #[test]
    fn one_resource_gets_one_piece_of_advice_the_most_urgent() {
        let advice = distinct(vec![
            Recommendation::new("overseer.cpu.load_per_core", Priority::Low, "", ""),
            Recommendation::new("b", Priority::Medium, "", ""),
            Recommendation::new("system.cpu.utilization", Priority::High, "", ""),
        ]);
        let got: Vec<_> = advice.iter().map(|r| (r.feature.as_str(), r.priority)).collect();
        assert_eq!(got, [("system.cpu.utilization", Priority::High), ("b", Priority::Medium)]);
    }
}
