//! The report of a look at the host.

use super::ahead;
use super::style::{Style, before, clock, local, quality, took, wrap};
use overseer_engine::Report;
use overseer_engine::core::{
    AnomalyDetection, Origin, PatternAnalysis, PatternType, Prediction, PredictionType,
    Recommendation, Severity, Unit, host,
};
use overseer_engine::report::{Current, Learned};
use overseer_engine::sentence::range;
use overseer_engine::{said, shown_horizons};
use std::fmt::Write;

pub(super) const WIDTH: usize = 92;
/// A feature is called stable if it is as sure as this.
const CERTAIN: f64 = 0.95;

/// Which parts of a report a command prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    anomaly: bool,
    predictions: bool,
    features: bool,
    room: bool,
    patterns: bool,
    advice: bool,
}

impl Parts {
    const NONE: Self = Self {
        anomaly: false,
        predictions: false,
        features: false,
        room: false,
        patterns: false,
        advice: false,
    };
    pub(crate) const ALL: Self = Self {
        anomaly: true,
        predictions: true,
        features: false,
        room: true,
        patterns: true,
        advice: true,
    };
    pub(crate) const ANOMALY: Self = Self { anomaly: true, ..Self::NONE };
    pub(crate) const PREDICTION: Self =
        Self { predictions: true, features: true, room: true, ..Self::NONE };
    pub(crate) const PATTERNS: Self = Self { patterns: true, ..Self::NONE };
    pub(crate) const ADVICE: Self = Self { advice: true, ..Self::NONE };
}

/// Writes the parts of a report that were asked for.
pub(crate) fn report(report: &Report, parts: Parts, style: &Style) -> String {
    let mut out = String::new();
    title(&mut out, report, *style);
    if parts.anomaly {
        now(&mut out, report, *style);
    }
    if parts.predictions {
        next(&mut out, report, *style);
    }
    if parts.features {
        ahead::features(&mut out, report, *style);
    }
    if parts.room {
        ahead::room(&mut out, report, *style);
    }
    if parts.patterns {
        shapes(&mut out, &report.patterns, *style);
    }
    if parts.advice {
        advice(&mut out, &report.recommendations, *style);
    }
    learned(&mut out, &report.learned, *style);
    notes(&mut out, report, *style);
    out
}

pub(super) fn heading(out: &mut String, style: Style, text: &str) {
    let _ = writeln!(out, "\n{}", style.heading(text));
}

fn title(out: &mut String, report: &Report, style: Style) {
    let host = &report.host;
    let mut facts = Vec::new();
    if !host.system.is_empty() {
        facts.push(host.system.clone());
    }
    if host.logical_cpus > 0 {
        facts.push(format!("{} CPUs", host.logical_cpus));
    }
    if host.memory_bytes > 0 {
        facts.push(format!("{} of memory", Unit::Bytes.humanize(host.memory_bytes as f64)));
    }
    let name = if host.name.is_empty() { "this host" } else { &host.name };
    let _ = writeln!(
        out,
        "{}  {}",
        style.heading(name),
        style.dim(&format!("{}  {}", facts.join(", "), local(report.timestamp)))
    );
}

fn now(out: &mut String, report: &Report, style: Style) {
    heading(out, style, "Now");
    match &report.anomaly {
        Some(anomaly) => {
            verdict(out, anomaly, style);
            incidents(out, report);
        }
        None => out.push_str(
            "  No detector could be trained yet, so nothing is known to be unusual or usual.\n",
        ),
    }
    if let Some(current) = &report.current {
        values(out, current, report.anomaly.as_ref(), style);
    }
    if !report.processes.is_empty() {
        let mut busiest = report.processes.clone();
        busiest.sort_by(|a, b| b.cpu_cores.total_cmp(&a.cpu_cores));
        let list: Vec<String> =
            busiest.iter().filter(|p| p.cpu_cores >= 0.01).take(3).map(said).collect();
        if list.is_empty() {
            out.push_str("  No process keeps even a hundredth of a CPU busy.\n");
        } else {
            out.push_str(&wrap(&format!("Busiest: {}", list.join(", ")), "  ", WIDTH));
        }
    }
}

/// The incidents that go on, with the numbers that `acknowledge` and `label` take.
fn incidents(out: &mut String, report: &Report) {
    for i in report.incidents.iter().filter(|i| i.is_open() && i.id > 0) {
        let since = clock(i.began_at);
        let text = format!("Incident #{}, {}, since {since}: {}", i.id, i.state, i.description);
        out.push_str(&wrap(&text, "  ", WIDTH));
    }
}

fn verdict(out: &mut String, anomaly: &AnomalyDetection, style: Style) {
    let word = match anomaly.severity {
        Severity::None => "normal".to_owned(),
        s => s.as_str().to_uppercase(),
    };
    let text = wrap(&format!("{}{}", anomaly.description, before(anomaly)), "  ", WIDTH);
    let _ = write!(out, "  {}\n{text}", style.severity(anomaly.severity, &word));
    for action in &anomaly.suggested_actions {
        let _ = writeln!(out, "  → {action}");
    }
}

fn values(out: &mut String, current: &Current, anomaly: Option<&AnomalyDetection>, style: Style) {
    if current.performance_score.is_finite() {
        let driver = current.driver.as_deref().map(host::plain_name).unwrap_or_default();
        let _ = writeln!(
            out,
            "  performance score {:.0} of 100 (0 idle, 100 saturated), set by {driver}",
            current.performance_score
        );
    }
    if let Origin::Container { .. } = current.origin {
        let _ = writeln!(out, "  {}", style.dim(&format!("seen from {}", current.origin)));
    }
    for v in &current.values {
        let name = host::plain_name(&v.value.feature);
        if v.value.value.is_nan() {
            let reason = current.missing.iter().find(|m| m.feature == v.value.feature);
            let reason = reason.map(|m| format!(" ({})", m.reason)).unwrap_or_default();
            let _ = writeln!(out, "    {}", style.dim(&format!("{name:<16} no value{reason}")));
            continue;
        }
        let shown = v.unit.humanize(v.value.value);
        let usual = v.usual.map_or_else(String::new, |(low, high)| {
            format!("usually {}", range(v.unit, low, high))
        });
        let mount = current
            .fullest_mount
            .as_deref()
            .filter(|_| v.value.feature == "system.filesystem.utilization")
            .map(|m| format!("  ({m})"))
            .unwrap_or_default();
        let outside = anomaly.is_some_and(|a| {
            a.is_anomaly
                && a.features.iter().any(|f| f.feature == v.value.feature && f.is_outside())
        });
        let line = format!("{name:<16} {shown:>14}");
        let line = if outside { style.warning(&line) } else { line };
        let _ = writeln!(out, "    {line}   {}{mount}", style.dim(&usual));
    }
}

fn next(out: &mut String, report: &Report, style: Style) {
    heading(out, style, "Next");
    let scores = || {
        let is_score = |p: &&Prediction| p.prediction_type == PredictionType::PerformanceScore;
        report.predictions.iter().filter(is_score)
    };
    let farthest = scores().map(|p| p.horizon).max().unwrap_or_default();
    let shown = shown_horizons(farthest, report.learned.interval);
    let predictions: Vec<&Prediction> = scores().filter(|p| shown.contains(&p.horizon)).collect();
    if predictions.is_empty() {
        out.push_str("  No prediction yet; see the notes below.\n");
        return;
    }
    for p in &predictions {
        let driver = p.driver.as_deref().map(|d| format!("set by {}", host::plain_name(d)));
        let held = if p.confidence.get() > 0.0 {
            format!("{} held lately", p.confidence)
        } else {
            "none checked yet".to_owned()
        };
        let _ = writeln!(
            out,
            "  in {:<8} performance score {:>3.0}   {} interval {:>3.0} to {:<3.0}  {:<17} {}",
            p.horizon.to_string(),
            p.value,
            p.interval.level,
            p.interval.lower,
            p.interval.upper,
            driver.unwrap_or_default(),
            style.dim(&held)
        );
    }
    if let Some(last) = predictions.last() {
        out.push_str(&wrap(&last.explanation, "  ", WIDTH));
        for r in &last.recommendations {
            let _ = writeln!(out, "  → {r}");
        }
    }
}

fn shapes(out: &mut String, patterns: &[PatternAnalysis], style: Style) {
    heading(out, style, "Patterns");
    if patterns.is_empty() {
        out.push_str("  Too few values yet to speak of any.\n");
        return;
    }
    let (quiet, others): (Vec<_>, Vec<_>) = patterns
        .iter()
        .partition(|p| p.pattern_type == PatternType::Stable && p.change_points.is_empty());
    for p in &others {
        let name = p.features.first().map_or("", |f| host::plain_name(f));
        let _ = writeln!(
            out,
            "  {name:<16} {:<9} strength {:.2}, confidence {}",
            p.pattern_type, p.pattern_strength, p.confidence
        );
        for insight in &p.insights {
            out.push_str(&wrap(insight, "      ", WIDTH));
        }
    }
    // To be stable is a statement with a test of its own; what it does not hold of has no name.
    let (stable, unclear): (Vec<_>, Vec<_>) =
        quiet.into_iter().partition(|p| p.confidence.get() >= CERTAIN);
    for (word, list) in [("Stable", stable), ("Neither stable nor moving for certain", unclear)] {
        let names: Vec<&str> =
            list.iter().filter_map(|p| p.features.first()).map(|f| host::plain_name(f)).collect();
        if !names.is_empty() {
            out.push_str(&wrap(&format!("{word}: {}", names.join(", ")), "  ", WIDTH));
        }
    }
    if let Some(p) = patterns.first() {
        let span = p.window.1.since(p.window.0);
        let _ = writeln!(
            out,
            "  {}",
            style.dim(&format!(
                "from {} samples over {span}, until {}",
                p.points,
                clock(p.window.1)
            ))
        );
    }
}

fn advice(out: &mut String, recommendations: &[Recommendation], style: Style) {
    heading(out, style, "Advice");
    if recommendations.is_empty() {
        out.push_str("  Nothing needs doing.\n");
    }
    for r in recommendations {
        let name = match r.feature.as_str() {
            // Advice may be about any of them, and says about which.
            "system.filesystem.utilization" => "disk",
            "overseer.filesystem.inode_utilization" => "inodes",
            "overseer.files.open" => "open files",
            feature => host::plain_name(feature),
        };
        let _ = writeln!(out, "  {} {name}", style.priority(r.priority));
        out.push_str(&wrap(&r.evidence, "      ", WIDTH));
        out.push_str(&wrap(&format!("→ {}", r.action), "      ", WIDTH));
        for p in &r.processes {
            let command =
                if p.command.is_empty() { String::new() } else { format!(": {}", p.command) };
            let line: String = format!("{}{command}", said(p)).chars().take(WIDTH).collect();
            let _ = writeln!(out, "        {}", style.dim(&line));
        }
        super::action::proposed(out, r, style);
    }
}

fn learned(out: &mut String, learned: &Learned, style: Style) {
    heading(out, style, "Learned");
    let span = learned.span.map_or_else(String::new, |(a, b)| format!(" over {}", b.since(a)));
    let word = if learned.provisional {
        "; provisional: `overseer watch` learns from longer ones"
    } else {
        ""
    };
    let _ = writeln!(out, "  {} samples {} apart{span}{word}", learned.samples, learned.interval);
    for m in &learned.models {
        let name = m.name.replace('_', " ");
        let text = format!(
            "{name}: {} of {} samples, trained {} in {}; {}",
            m.algorithm,
            m.rows,
            local(m.trained_at),
            took(m, 0),
            quality(m)
        );
        out.push_str(&style.dim(wrap(&text, "  ", WIDTH).trim_end()));
        out.push('\n');
    }
    match &learned.data_dir {
        Some(dir) => {
            let _ = writeln!(out, "  {}", style.dim(&format!("kept in {dir}")));
        }
        None => out.push_str("  kept nowhere\n"),
    }
}

fn notes(out: &mut String, report: &Report, style: Style) {
    if report.notices.is_empty() {
        return;
    }
    heading(out, style, "Notes");
    for n in &report.notices {
        let text = wrap(&n.message, "    ", WIDTH);
        let text = text.trim_start();
        if n.warning {
            let _ = write!(out, "  {} {text}", style.warning("!"));
        } else {
            let _ = write!(out, "  - {text}");
        }
    }
}
