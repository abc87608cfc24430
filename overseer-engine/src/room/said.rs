//! When something is full, in words, and what to do about it.

use super::PROCESS_MEMORY;
use super::checked::Checked;
use super::series::Watched;
use overseer_core::{
    FeatureValue, Filling, Interval, Prediction, PredictionType, Priority, Probability,
    Recommendation, Span, host,
};

const FILESYSTEM: &str = "system.filesystem.utilization";
const INODES: &str = "overseer.filesystem.inode_utilization";
const OPEN_FILES: &str = "overseer.files.open";

/// A series as a person calls it: `disk /var`, `inodes of /var`, `memory`, `memory of db.service`.
#[must_use]
pub fn series_name(name: &str, instance: &str) -> String {
    match (name, instance) {
        (FILESYSTEM, "") => "fullest disk".to_owned(),
        (FILESYSTEM, point) => format!("disk {point}"),
        (INODES, point) => format!("inodes of {point}"),
        (OPEN_FILES, _) => "open files".to_owned(),
        (PROCESS_MEMORY, program) => format!("memory of {program}"),
        ("hw.temperature", sensor) => format!("temperature of {sensor}"),
        (name, "") => host::plain_name(name).to_owned(),
        (name, instance) => format!("{} of {instance}", host::plain_name(name)),
    }
}

/// `full in 9 h to 3 days (80 %)`, `full in 22 days or later (80 %)`, `full`; a program is `at its limit`.
#[must_use]
pub fn time_to_full(p: &Prediction) -> String {
    let span = |seconds: f64| Span::from_millis((1000.0 * seconds) as i64).to_string();
    let full = match &p.prediction_type {
        PredictionType::TimeToFull { feature, .. } if feature == PROCESS_MEMORY => "at its limit",
        _ => "full",
    };
    let (lower, upper) = (p.interval.lower, p.interval.upper);
    if upper == 0.0 {
        return full.to_owned();
    }
    let level = p.interval.level;
    if upper.is_nan() {
        return format!("{full} in {} or later ({level})", span(lower));
    }
    let (from, to) = (span(lower), span(upper));
    if from == to {
        format!("{full} in {from}")
    } else {
        format!("{full} in {from} to {to} ({level})")
    }
}

/// The finding that `watched` fills, and whether such ranges held before.
pub(super) fn finding(
    watched: &Watched,
    filling: &Filling,
    checked: Checked,
) -> Option<Prediction> {
    let (timestamp, value) = watched.newest()?;
    let seconds = |span: Option<Span>| span.map_or(f64::NAN, Span::as_secs_f64);
    let lower = filling.earliest.as_secs_f64();
    let interval = match filling.latest {
        Some(latest) => Interval::new(lower, latest.as_secs_f64(), filling.level),
        None => Interval::at_least(lower, filling.level),
    };
    let kind = PredictionType::TimeToFull {
        feature: watched.name.clone(),
        instance: watched.instance.clone(),
    };
    let median = seconds(filling.median);
    let mut p = Prediction::new(kind, median, interval, filling.horizon, timestamp);
    p.features.push(FeatureValue::new(&watched.name, value));
    let name = series_name(&watched.name, &watched.instance);
    let now = watched.unit.humanize(value);
    p.explanation = if filling.is_full() {
        format!("{name} grew until it was full, and is at {now}.")
    } else {
        let points = 100.0 * filling.per_hour;
        let rate = if points >= 0.1 {
            format!("{points:.1} percentage points an hour")
        } else {
            format!("{:.2} percentage points a day", 24.0 * points)
        };
        let likely = filling.median.map_or_else(String::new, |m| format!(", most likely in {m}"));
        format!(
            "{name} is at {now} and has grown by {rate} for {}: {}{likely}, if it goes on so; {}.",
            filling.grown_for,
            time_to_full(&p),
            held(checked),
        )
    };
    p.confidence = checked.share().unwrap_or(Probability::ZERO);
    p.recommendations = vec![action(&watched.name, &watched.instance)];
    Some(p)
}

/// How often such ranges held, in words.
pub(super) fn held(checked: Checked) -> String {
    let Checked { held, of, since, .. } = checked;
    match checked.share() {
        Some(_) => {
            format!(
                "of {of} such ranges that it would have told of itself in the last {since}, {held} held"
            )
        }
        None => "how often such a range holds on this host could not be checked yet".to_owned(),
    }
}

fn action(name: &str, instance: &str) -> String {
    match (name, instance) {
        (FILESYSTEM, "") => "Free space on the fullest disk, or enlarge it.".to_owned(),
        (FILESYSTEM, point) => {
            format!("Free space on {point}, or enlarge it: `du -xh {point} | sort -h` tells what is large.")
        }
        (INODES, point) => {
            format!("Remove small files on {point}: their number is what runs out, not their size.")
        }
        (OPEN_FILES, _) => {
            "Find the process that opens files and does not close them (`lsof`), or raise fs.file-max."
                .to_owned()
        }
        ("system.memory.utilization", _) => {
            "Find the process that grows and restart or limit it before the kernel swaps or kills."
                .to_owned()
        }
        ("system.paging.utilization", _) => {
            "Memory is short and swap fills: once both are full, the kernel kills processes.".to_owned()
        }
        _ => "Find what grows and stop it, or make room before then.".to_owned(),
    }
}

/// How soon something should be done about what is full after these seconds.
fn priority(seconds: f64) -> Priority {
    const HOUR: f64 = 3600.0;
    match seconds {
        s if s <= HOUR => Priority::Critical,
        s if s <= 24.0 * HOUR => Priority::High,
        s if s <= 7.0 * 24.0 * HOUR => Priority::Medium,
        _ => Priority::Low,
    }
}

/// The advice that follows from something that fills.
pub(crate) fn advice(p: &Prediction) -> Option<Recommendation> {
    let PredictionType::TimeToFull { feature, .. } = &p.prediction_type else { return None };
    let seconds = if p.value.is_nan() { p.interval.lower } else { p.value };
    let action = p.recommendations.first()?;
    Some(Recommendation::new(feature, priority(seconds), &p.explanation, action))
}
