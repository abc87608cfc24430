//! What was found: advice, room left, patterns.

use super::wrapped;
use crate::commands::top::state::State;
use crate::commands::top::theme::Theme;
use overseer_engine::core::{
    PatternAnalysis, PatternType, PredictionType, Priority, Recommendation, Severity,
    host as host_schema,
};
use overseer_engine::{said, series_name, time_to_full};
use ratatui::style::Style;
use ratatui::text::Line;

/// A day, in seconds: what is full within one is marked.
const SOON: f64 = 86_400.0;
/// A feature is called stable if it is as sure as this.
const CERTAIN: f64 = 0.95;

pub(super) fn advice(state: &State, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let given = state.report.as_ref().map(|r| r.recommendations.as_slice()).unwrap_or_default();
    if given.is_empty() {
        return wrapped("Nothing needs doing.", 1, width, theme.dim(), theme);
    }
    given.iter().flat_map(|r| one(r, width, theme)).collect()
}

fn one(r: &Recommendation, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let style = match r.priority {
        Priority::Critical => theme.severity(Severity::Critical),
        Priority::High => theme.severity(Severity::High),
        Priority::Medium => theme.severity(Severity::Medium),
        _ => theme.strong(),
    };
    let head = format!("{}: {}", r.priority.as_str().to_uppercase(), r.action);
    let mut out = wrapped(&head, 1, width, style, theme);
    out.extend(wrapped(&r.evidence, 3, width, theme.dim(), theme));
    if !r.processes.is_empty() {
        let names: Vec<String> = r.processes.iter().take(3).map(said).collect();
        let text = format!("Processes: {}", names.join(", "));
        out.extend(wrapped(&text, 3, width, theme.dim(), theme));
    }
    out
}

pub(super) fn room(state: &State, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let Some(room) = state.report.as_ref().and_then(|r| r.room.as_ref()) else {
        let text = "Looked at every five minutes; not yet.";
        return wrapped(text, 1, width, theme.dim(), theme);
    };
    let mut out = Vec::new();
    for p in &room.filling {
        let PredictionType::TimeToFull { feature, instance } = &p.prediction_type else { continue };
        let text = format!("{}: {}", series_name(feature, instance), time_to_full(p));
        let style = if p.value <= SOON { theme.outside() } else { theme.strong() };
        out.extend(wrapped(&text, 1, width, style, theme));
        out.extend(wrapped(&p.explanation, 3, width, theme.dim(), theme));
    }
    let names: Vec<&str> = room.with_room.iter().map(|w| w.what.as_str()).collect();
    if let Some(within) = room.with_room.iter().map(|w| w.within).min() {
        let text = format!("Not full within {within}: {}.", names.join(", "));
        out.extend(wrapped(&text, 1, width, Style::new(), theme));
    }
    if let Some(least) = room.not_known.first() {
        let names: Vec<&str> = room.not_known.iter().map(|n| n.what.as_str()).collect();
        let text = format!(
            "Not known yet, with {} of history of the {} that are needed: {}.",
            room.seen_for(),
            least.needed,
            names.join(", ")
        );
        out.extend(wrapped(&text, 1, width, theme.dim(), theme));
    }
    if out.is_empty() {
        out = wrapped("Nothing is known that could be full.", 1, width, theme.dim(), theme);
    }
    out
}

pub(super) fn patterns(state: &State, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let all = state.report.as_ref().map(|r| r.patterns.as_slice()).unwrap_or_default();
    if all.is_empty() {
        let text = "Too few values yet to speak of any.";
        return wrapped(text, 1, width, theme.dim(), theme);
    }
    let is_quiet =
        |p: &&PatternAnalysis| p.pattern_type == PatternType::Stable && p.change_points.is_empty();
    let mut out = Vec::new();
    for p in all.iter().filter(|p| !is_quiet(p)) {
        let insights = p.insights.join(" ");
        let text = format!("{}: {}. {insights}", name(p), p.pattern_type);
        out.extend(wrapped(&text, 1, width, Style::new(), theme));
    }
    // To be stable is a statement with a test of its own; what it does not hold of has no name.
    let (stable, unclear): (Vec<_>, Vec<_>) =
        all.iter().filter(is_quiet).partition(|p| p.confidence.get() >= CERTAIN);
    for (word, list) in [("Stable", stable), ("Neither stable nor moving for certain", unclear)] {
        let names: Vec<&str> = list.into_iter().map(name).collect();
        if !names.is_empty() {
            let text = format!("{word}: {}.", names.join(", "));
            out.extend(wrapped(&text, 1, width, theme.dim(), theme));
        }
    }
    out
}

fn name(p: &PatternAnalysis) -> &str {
    p.features.first().map_or("", |f| host_schema::plain_name(f))
}
