//! Advice that follows from what was found: the feature, the evidence, the processes that matter, and the action.

use crate::detection::level_word;
use crate::engine::Engine;
use crate::report::{RoomLeft, Stage};
use crate::room::PROCESS_MEMORY;
use overseer_core::{
    AnomalyDetection, Prediction, PredictionType, Priority, ProcessUsage, Recommendation, Schema,
    Severity, host,
};

impl Engine {
    /// Advice from the newest findings, the most urgent first.
    pub fn recommend(&mut self, anomaly: Option<&AnomalyDetection>) -> Vec<Recommendation> {
        self.timed(Stage::Recommend, |e| {
            let newest = e.newest().map(|s| s.values.clone()).unwrap_or_default();
            let mut advice = Vec::new();
            advice.extend(anomaly.and_then(|a| from_anomaly(a, &e.processes)));
            advice.extend(from_levels(&newest, &e.schema, &e.processes));
            advice.extend(from_prediction(&e.predictions));
            let mut advice: Vec<(String, Recommendation)> =
                advice.into_iter().map(|r| (resource(&r.feature).to_owned(), r)).collect();
            advice.extend(e.room.left.iter().flat_map(|room| from_room(room, &e.processes)));
            let mut advice = distinct(advice);
            e.complete(&mut advice);
            advice
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

/// Keeps the most urgent advice about each resource, which is named before it, the most urgent first.
fn distinct(mut advice: Vec<(String, Recommendation)>) -> Vec<Recommendation> {
    advice.sort_by_key(|(_, a)| std::cmp::Reverse(a.priority));
    let mut seen = std::collections::HashSet::new();
    advice.retain(|(resource, _)| seen.insert(resource.clone()));
    advice.into_iter().map(|(_, a)| a).collect()
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
    let scores =
        predictions.iter().filter(|p| p.prediction_type == PredictionType::PerformanceScore);
    let worst = scores.max_by(|a, b| a.value.total_cmp(&b.value))?;
    let action = worst.recommendations.first()?;
    let priority =
        if worst.value > host::SATURATION_WARNING { Priority::High } else { Priority::Medium };
    let now = worst.features.first().map(|f| f.feature.as_str());
    let feature = worst.driver.as_deref().or(now).unwrap_or("performance_score");
    Some(Recommendation::new(feature, priority, &worst.explanation, action))
}

/// What will be full, with the processes that may be why.
fn from_room(room: &RoomLeft, processes: &[ProcessUsage]) -> Vec<(String, Recommendation)> {
    let advice = room.filling.iter().filter_map(|p| {
        let PredictionType::TimeToFull { feature, instance } = &p.prediction_type else {
            return None;
        };
        let mut r = crate::room::advice(p)?;
        let leaks =
            room.growing.iter().find(|g| feature == PROCESS_MEMORY && g.program == *instance);
        r.processes = match leaks {
            Some(growing) => growing.largest.iter().cloned().collect(),
            None => responsible(feature, processes),
        };
        // Two disks need two pieces of advice.
        Some((format!("{}{instance}", resource(feature)), r))
    });
    advice.collect()
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
        let of = |feature: &str, priority| {
            (resource(feature).to_owned(), Recommendation::new(feature, priority, "", ""))
        };
        let advice = distinct(vec![
            of("overseer.cpu.load_per_core", Priority::Low),
            of("b", Priority::Medium),
            of("system.cpu.utilization", Priority::High),
        ]);
        let got: Vec<_> = advice.iter().map(|r| (r.feature.as_str(), r.priority)).collect();
        assert_eq!(got, [("system.cpu.utilization", Priority::High), ("b", Priority::Medium)]);
    }
}
