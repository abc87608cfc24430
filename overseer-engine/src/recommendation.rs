//! Advice that follows from what was found: the feature, the evidence, the processes that matter, and the action.

use crate::engine::Engine;
use crate::level::level_word;
use crate::report::{RoomLeft, Stage};
use crate::room::PROCESS_MEMORY;
use overseer_core::{
    AnomalyDetection, Prediction, PredictionType, Priority, ProcessUsage, Recommendation, Schema,
    Severity, Unit, host,
};

const FILESYSTEM: &str = "system.filesystem.utilization";
const INODES: &str = "overseer.filesystem.inode_utilization";

const DISK_IS: &str = " The disk is ";

/// What to do about a disk that is nearly full; [`Advice::stored`] finds the mount in it again.
fn free_disk(mount: Option<&str>) -> String {
    let place = mount.map(|mount| format!(" on {mount}")).unwrap_or_default();
    format!("Delete or move what is not needed{place}, or enlarge the volume.")
}

impl Engine {
    /// Advice from the newest findings, the most urgent first.
    pub fn recommend(&mut self, anomaly: Option<&AnomalyDetection>) -> Vec<Recommendation> {
        self.timed(Stage::Recommend, |e| {
            let newest = e.newest().map(|s| s.values.clone()).unwrap_or_default();
            let mut advice = Vec::new();
            advice.extend(anomaly.and_then(|a| from_anomaly(a, &e.processes)));
            let fullest = e.reading.as_ref().and_then(|r| r.fullest_mount.clone());
            advice.extend(from_levels(&newest, &e.schema, fullest.as_deref(), &e.processes));
            advice.extend(from_prediction(&e.predictions));
            let mut advice: Vec<Advice> =
                advice.into_iter().map(|r| Advice::of(r, fullest.as_deref())).collect();
            advice.extend(from_mounts(&e.room.fullness(), fullest.as_deref(), &e.processes));
            advice.extend(e.room.left.iter().flat_map(|room| from_room(room, &e.processes)));
            let mut advice = distinct(advice);
            e.complete(&mut advice);
            advice.into_iter().map(|a| a.said).collect()
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

/// The mount that what to do about a disk is about; empty where it names none.
fn mount_in(action: &str) -> &str {
    if let Some((_, mount)) = action.rsplit_once(DISK_IS) {
        return mount.trim_end_matches('.');
    }
    let place = action.split_once(" on ").map_or("", |(_, rest)| rest);
    let end = place.find(", or enlarge").or_else(|| place.find(": their number"));
    end.map_or("", |end| &place[..end])
}

/// A recommendation, and of which of several things of its kind it is: two disks need two pieces of advice.
#[derive(Debug, Clone)]
pub(crate) struct Advice {
    /// A mount, a program; empty where there is but one.
    pub(crate) instance: String,
    pub(crate) said: Recommendation,
}

impl Advice {
    /// What is said of the fullest disk is of that mount, and says so.
    fn of(mut said: Recommendation, fullest: Option<&str>) -> Self {
        let mount = fullest.filter(|_| said.feature == FILESYSTEM).unwrap_or_default();
        if mount != mount_in(&said.action) {
            said.action = format!("{}{DISK_IS}{mount}.", said.action);
        }
        Self { instance: mount.to_owned(), said }
    }

    /// The same of one that was stored: a mount is in what to do, a program is the process that leads.
    pub(crate) fn stored(said: Recommendation) -> Self {
        let instance = match said.feature.as_str() {
            FILESYSTEM | INODES => mount_in(&said.action).to_owned(),
            PROCESS_MEMORY => said.processes.first().map(|p| p.name.clone()).unwrap_or_default(),
            _ => String::new(),
        };
        Self { instance, said }
    }
}

/// Keeps the most urgent advice about each thing, the most urgent first.
fn distinct(mut advice: Vec<Advice>) -> Vec<Advice> {
    advice.sort_by_key(|a| std::cmp::Reverse(a.said.priority));
    let mut seen = std::collections::HashSet::new();
    advice.retain(|a| seen.insert((resource(&a.said.feature).to_owned(), a.instance.clone())));
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

fn from_levels(
    values: &[f64],
    schema: &Schema,
    fullest: Option<&str>,
    processes: &[ProcessUsage],
) -> Vec<Recommendation> {
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
            "system.filesystem.utilization" => &free_disk(fullest),
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

/// The mounts that are nearly full beside the fullest, which the newest sample tells.
fn from_mounts(
    mounts: &[(&str, f64)],
    fullest: Option<&str>,
    processes: &[ProcessUsage],
) -> Vec<Advice> {
    let others = mounts
        .iter()
        .filter(|(mount, _)| !mount.is_empty() && fullest.is_some_and(|f| f != *mount));
    let advice = others.filter_map(|&(mount, used)| {
        let word = level_word(FILESYSTEM, used)?;
        let priority = if word == "critical" { Priority::High } else { Priority::Medium };
        let evidence = format!("disk {mount} is {word} at {}", Unit::Ratio.humanize(used));
        let mut said = Recommendation::new(FILESYSTEM, priority, evidence, free_disk(Some(mount)));
        said.processes = responsible(FILESYSTEM, processes);
        Some(Advice { instance: mount.to_owned(), said })
    });
    advice.collect()
}

/// What will be full, with the processes that may be why.
fn from_room(room: &RoomLeft, processes: &[ProcessUsage]) -> Vec<Advice> {
    let advice = room.filling.iter().filter_map(|p| {
        let PredictionType::TimeToFull { feature, instance } = &p.prediction_type else {
            return None;
        };
        let mut said = crate::room::advice(p)?;
        let leaks =
            room.growing.iter().find(|g| feature == PROCESS_MEMORY && g.program == *instance);
        said.processes = match leaks {
            Some(growing) => growing.largest.iter().cloned().collect(),
            None => responsible(feature, processes),
        };
        let said = Advice::stored(said);
        // Another version may have said it in other words.
        Some(Advice {
            instance: if feature == PROCESS_MEMORY { said.instance } else { instance.clone() },
            ..said
        })
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

    #[test]
    fn the_mount_of_stored_advice_is_known_again_and_a_second_full_disk_has_advice_of_its_own() {
        let mounts = [("/var", 0.99), ("/my data", 0.97), ("/", 0.4)];
        let others = from_mounts(&mounts, Some("/var"), &[]);
        assert_eq!(others.len(), 1);
        assert_eq!(others[0].instance, "/my data");
        assert_eq!(others[0].said.evidence, "disk /my data is critical at 97.0 %");
        let row = row(host::FILESYSTEM_UTILIZATION, 0.99);
        let fullest = from_levels(&row, &host::schema(), Some("/var"), &[]).remove(0);
        assert_eq!(Advice::stored(fullest.clone()).instance, "/var");
        let both = distinct(vec![Advice::of(fullest, Some("/var")), others[0].clone()]);
        assert_eq!(both.len(), 2);
        assert!(from_mounts(&mounts, None, &[]).is_empty(), "one of them is the fullest");
    }

    fn row(index: usize, value: f64) -> Vec<f64> {
        let mut v = vec![f64::NAN; host::schema().len()];
        v[index] = value;
        v
    }

    #[test]
    fn a_full_disk_is_named_with_its_number() {
        let r = from_levels(&row(host::FILESYSTEM_UTILIZATION, 0.97), &host::schema(), None, &[]);
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
            Advice::of(Recommendation::new(feature, priority, "", ""), None)
        };
        let advice = distinct(vec![
            of("overseer.cpu.load_per_core", Priority::Low),
            of("b", Priority::Medium),
            of("system.cpu.utilization", Priority::High),
        ]);
        let got: Vec<_> =
            advice.iter().map(|r| (r.said.feature.as_str(), r.said.priority)).collect();
        assert_eq!(got, [("system.cpu.utilization", Priority::High), ("b", Priority::Medium)]);
    }
}
