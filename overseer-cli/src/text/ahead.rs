//! What comes next beside the performance score: each feature, what is kept beside the samples, and room left.

use super::report::{WIDTH, heading};
use super::style::{Style, wrap};
use overseer_engine::core::{Interval, Prediction, PredictionType, Probability, Unit, host};
use overseer_engine::report::RoomLeft;
use overseer_engine::sentence::range;
use overseer_engine::{Report, series_name, time_to_full};
use std::fmt::Write;

/// More lines of what is kept beside the samples than this are for machines: the JSON has all.
const MOST_BESIDE: usize = 10;
/// So many things with room are named; of more, only how many there are.
const MOST_NAMED: usize = 4;

/// A table of what each feature will do at the farthest horizon, and what is kept beside them will in an hour.
pub(super) fn features(out: &mut String, report: &Report, style: Style) {
    let of_feature = |p: &&Prediction| matches!(p.prediction_type, PredictionType::Feature(_));
    let all = || report.predictions.iter().filter(of_feature);
    let Some(farthest) = all().map(|p| p.horizon).max() else { return };
    let asked = report.predictions.iter().map(|p| p.horizon).max().unwrap_or(farthest);
    let why = if asked > farthest {
        format!(" (too little is known of them for {asked})")
    } else {
        String::new()
    };
    heading(out, style, &format!("Features in {farthest}{why}"));
    title(out, style);
    for p in all().filter(|p| p.horizon == farthest) {
        let PredictionType::Feature(name) = &p.prediction_type else { continue };
        let current = report.current.as_ref();
        let unit = current.and_then(|c| c.values.iter().find(|v| v.value.feature == *name));
        let unit = unit.map_or(Unit::Unknown, |v| v.unit);
        let now = p.features.first().map_or(f64::NAN, |f| f.value);
        row(out, host::plain_name(name), unit, (now, p.value), p.interval, p.confidence, style);
    }
    let told = |name: &str| {
        let is_it = |p: &Prediction| {
            p.horizon == farthest
                && matches!(&p.prediction_type, PredictionType::Feature(n) if n == name)
        };
        report.predictions.iter().any(is_it)
    };
    let current = report.current.iter().flat_map(|c| &c.values).map(|v| &v.value);
    let untold: Vec<&str> = current
        .filter(|v| v.value.is_finite() && !told(&v.feature))
        .map(|v| host::plain_name(&v.feature))
        .collect();
    if !untold.is_empty() {
        let text = format!(
            "Not known yet, for too little is kept or no range so far ahead held what it claims: {}.",
            untold.join(", ")
        );
        out.push_str(&wrap(&text, "  ", WIDTH));
    }
    let known = || report.auxiliary.iter().filter_map(|a| Some((a, a.interval?)));
    let Some((first, _)) = known().next() else { return };
    heading(out, style, &format!("Beside them, in {}", first.horizon));
    title(out, style);
    for (a, interval) in known().take(MOST_BESIDE) {
        let name = series_name(&a.auxiliary.name, &a.auxiliary.instance);
        let values = (a.auxiliary.value, a.median);
        row(out, &name, a.auxiliary.unit, values, interval, a.confidence, style);
    }
    let more = known().count().saturating_sub(MOST_BESIDE);
    if more > 0 {
        let _ =
            writeln!(out, "  {}", style.dim(&format!("and {more} more: --format json has all")));
    }
}

fn title(out: &mut String, style: Style) {
    let text = format!("{:<24} {:>14} {:>14}   {:<24} held", "", "now", "median", "90 % interval");
    let _ = writeln!(out, "  {}", style.dim(&text));
}

fn row(
    out: &mut String,
    name: &str,
    unit: Unit,
    (now, median): (f64, f64),
    interval: Interval,
    held: Probability,
    style: Style,
) {
    let held = if held.get() > 0.0 { held.to_string() } else { "not checked".to_owned() };
    let name: String = name.chars().take(24).collect();
    let _ = writeln!(
        out,
        "  {name:<24} {:>14} {:>14}   {:<24} {}",
        unit.humanize(now),
        unit.humanize(median),
        range(unit, interval.lower, interval.upper),
        style.dim(&held)
    );
}

/// What fills, the nearest first, and in one line each that the rest does not, or that it is not known yet.
pub(super) fn room(out: &mut String, report: &Report, style: Style) {
    let Some(room) = &report.room else { return };
    heading(out, style, "Room left");
    for p in &room.filling {
        filling(out, p, style);
    }
    out.push_str(&rest(room));
}

fn filling(out: &mut String, p: &Prediction, style: Style) {
    let PredictionType::TimeToFull { feature, instance } = &p.prediction_type else { return };
    let name = series_name(feature, instance);
    let line = format!("{name:<16} {}", time_to_full(p));
    let soon = p.value <= 86_400.0;
    let _ = writeln!(out, "  {}", if soon { style.warning(&line) } else { line });
    out.push_str(&wrap(&p.explanation, "      ", WIDTH));
    for r in &p.recommendations {
        out.push_str(&wrap(&format!("→ {r}"), "      ", WIDTH));
    }
}

fn rest(room: &RoomLeft) -> String {
    let mut out = String::new();
    let names = |all: &[&str]| {
        let others = if room.filling.is_empty() { " things" } else { " others" };
        match all {
            few if few.len() <= MOST_NAMED => few.join(", "),
            many => format!("{}{others}", many.len()),
        }
    };
    if let Some(within) = room.with_room.iter().map(|w| w.within).min() {
        let all: Vec<&str> = room.with_room.iter().map(|w| w.what.as_str()).collect();
        out.push_str(&wrap(&format!("Not full within {within}: {}.", names(&all)), "  ", WIDTH));
    }
    if let Some(least) = room.not_known.first() {
        let all: Vec<&str> = room.not_known.iter().map(|n| n.what.as_str()).collect();
        let text = format!(
            "Not known yet, with {} of history; {} are needed, which `overseer watch` keeps: {}.",
            room.seen_for(),
            least.needed,
            names(&all)
        );
        out.push_str(&wrap(&text, "  ", WIDTH));
    }
    if out.is_empty() && room.filling.is_empty() {
        out.push_str("  Nothing is known that could be full.\n");
    }
    out
}
