//! The top: which host, its state and why, the performance score and what it will be, how much was learned.

use super::{cut, put, row, wrapped};
use crate::commands::top::state::State;
use crate::commands::top::theme::Theme;
use crate::text;
use overseer_engine::Report;
use overseer_engine::core::{Prediction, PredictionType, Severity, Unit, host as host_schema};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span as Piece};

/// A week has so many hours.
const HOURS: f64 = 168.0;
/// A sample older than so many steps is said to be old.
const STALE: usize = 3;
/// So many rows the sentence about the state has at most.
const SENTENCE: usize = 2;

/// Draws it and gives how many rows it took.
pub(super) fn draw(buf: &mut Buffer, area: Rect, state: &State, theme: Theme) -> u16 {
    who(buf, row(area, 0), state, theme);
    let mut y = 1;
    for line in verdict(state, area.width, theme) {
        put(buf, row(area, y), line);
        y += 1;
    }
    for line in [score(state, area.width, theme), learned(state, theme)] {
        put(buf, row(area, y), line);
        y += 1;
    }
    y
}

fn who(buf: &mut Buffer, area: Rect, state: &State, theme: Theme) {
    let info = &state.info;
    let mut facts = Vec::new();
    if !info.system.is_empty() {
        facts.push(info.system.clone());
    }
    if info.logical_cpus > 0 {
        facts.push(format!("{} CPUs", info.logical_cpus));
    }
    if info.memory_bytes > 0 {
        facts.push(Unit::Bytes.humanize(info.memory_bytes as f64));
    }
    let newest = state.report.as_ref().and_then(|r| r.current.as_ref()).map(|c| c.timestamp);
    let age = newest.map(|at| state.now.since(at));
    let is_old = age.is_some_and(|age| age > state.host.step.times(STALE));
    let how = match (state.host.is_sampler, age) {
        (true, Some(age)) if is_old => format!("newest sample {age} ago"),
        (true, _) => format!("every {}", state.host.step),
        // Of another process, or of an earlier one.
        (false, Some(age)) if is_old => format!("stored samples, newest {age} ago"),
        (false, _) => format!("stored samples, every {}", state.host.step),
    };
    let end = format!("{how}  {} ", text::clock(state.now));
    let name = if info.name.is_empty() { "this host" } else { &info.name };
    let room = usize::from(area.width).saturating_sub(end.chars().count() + 3);
    let name = cut(name, room.min(30));
    // What does not fit is left out, the least telling first.
    let has_room = |text: &str| text.chars().count() + name.chars().count() + 2 <= room;
    while facts.len() > 1 && !has_room(&facts.join(", ")) {
        facts.remove(0);
    }
    let facts = Some(facts.join(", ")).filter(|text| has_room(text)).unwrap_or_default();
    let line = Line::from(vec![
        Piece::styled(format!(" {name}"), theme.title()),
        Piece::styled(format!("  {facts}"), theme.dim()),
    ]);
    put(buf, area, line);
    let long = end.chars().count() as u16;
    if long < area.width {
        let at = Rect { x: area.x + area.width - long, width: long, ..area };
        put(buf, at, Line::from(end));
    }
}

/// The word for the state, and the sentence why, in one or two lines.
fn verdict(state: &State, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let (word, style, sentence) = said(state, theme);
    let indent = word.chars().count() + 3;
    let mut lines = wrapped(&sentence, indent, width, Style::new(), theme);
    if lines.len() > SENTENCE {
        lines.truncate(SENTENCE);
        if let Some(last) = lines.last_mut() {
            let text: String = last.iter().map(|p| p.content.as_ref()).collect();
            let room = usize::from(width).saturating_sub(5);
            let kept: String = text.chars().take(room).collect();
            *last = Line::from(format!("{} ...", kept.trim_end()));
        }
    }
    if let Some(first) = lines.first_mut() {
        let rest: String = first.iter().map(|p| p.content.as_ref()).collect();
        let rest = rest.trim_start().to_owned();
        *first = Line::from(vec![
            Piece::raw(" "),
            Piece::styled(word, style),
            Piece::raw(format!("  {rest}")),
        ]);
    }
    lines
}

fn said(state: &State, theme: Theme) -> (String, Style, String) {
    let learning = |sentence: String| ("LEARNING".to_owned(), theme.warning(), sentence);
    let Some(report) = &state.report else {
        return learning(match state.first_look {
            Some((done, total)) => {
                format!("Getting to know this host: {done} of {total} samples are taken.")
            }
            None => "Waiting for the first look at this host.".to_owned(),
        });
    };
    if report.current.is_none() {
        return ("NO DATA".to_owned(), theme.warning(), "No sample could be had yet.".to_owned());
    }
    let Some(anomaly) = &report.anomaly else {
        return learning("Too little is known yet to say what is usual here.".to_owned());
    };
    let word = match anomaly.severity {
        Severity::None => "NORMAL".to_owned(),
        severity => severity.as_str().to_uppercase(),
    };
    let sentence = format!("{}{}", anomaly.description, text::before(anomaly));
    (word, theme.severity(anomaly.severity), sentence)
}

fn score(state: &State, width: u16, theme: Theme) -> Line<'static> {
    let current = state.report.as_ref().and_then(|r| r.current.as_ref());
    let mut line = Line::from(" Performance ");
    match current.filter(|c| c.performance_score.is_finite()) {
        Some(current) => {
            let value = current.performance_score;
            let style = if value > host_schema::SATURATION_WARNING {
                theme.outside()
            } else {
                theme.strong()
            };
            line.push_span(Piece::styled(format!("{value:.0}"), style));
            let driver = current.driver.as_deref().map(host_schema::plain_name);
            let driver = driver.map(|d| format!(" of 100 ({d})"));
            line.push_span(driver.unwrap_or_else(|| " of 100".to_owned()));
        }
        None => line.push_span(Piece::styled("no value", theme.dim())),
    }
    let ahead = state.report.as_ref().map(scores).unwrap_or_default();
    if ahead.is_empty() {
        line.push_span(Piece::styled("; no forecast yet", theme.dim()));
    }
    // The farthest, and on a wide terminal one that is near.
    let near = ahead.first().filter(|_| width >= 120 && ahead.len() > 1);
    for p in near.into_iter().chain(ahead.last()) {
        line.push_span(Piece::styled(theme.text(&foretold(p)), theme.forecast()));
    }
    line
}

/// `; in 10 min 36, 90 % interval 30 to 44 (91 % held)`
fn foretold(p: &Prediction) -> String {
    let held = if p.confidence.get() > 0.0 {
        format!("{} held", p.confidence)
    } else {
        "none checked yet".to_owned()
    };
    let bound = |x: f64| if x.is_finite() { format!("{x:.0}") } else { "?".to_owned() };
    let value = if p.value.is_finite() { format!("{:.0}", p.value) } else { "?".to_owned() };
    let (low, high) = (bound(p.interval.lower), bound(p.interval.upper));
    format!("; in {} {value}, {} interval {low} to {high} ({held})", p.horizon, p.interval.level)
}

/// The forecasts of the score that a person is shown, the nearest first.
pub(super) fn scores(report: &Report) -> Vec<&Prediction> {
    let is_score = |p: &&Prediction| p.prediction_type == PredictionType::PerformanceScore;
    let all = || report.predictions.iter().filter(is_score);
    let farthest = all().map(|p| p.horizon).max().unwrap_or_default();
    let shown = overseer_engine::shown_horizons(farthest, report.learned.interval);
    all().filter(|p| shown.contains(&p.horizon)).collect()
}

fn learned(state: &State, theme: Theme) -> Line<'static> {
    let mut parts = Vec::new();
    if let Some(report) = &state.report {
        let learned = &report.learned;
        let weekly = learned.models.iter().find_map(|m| m.quality.get("weekly_readiness"));
        let known = match weekly.map(|q| q.0).filter(|q| q.is_finite()) {
            Some(share) => format!("Learned {:.0} of 168 hours of the week", HOURS * share),
            None => format!("Learned {} samples", learned.samples),
        };
        parts.push(format!("{known}, {:.0} % ready", 100.0 * learned.readiness));
    }
    let alerts = state.alerts_last_week.map_or("not known".to_owned(), |n| n.to_string());
    parts.push(format!("7-day alerts {alerts}, budget {}", state.host.budget));
    if state.report.as_ref().is_some_and(|r| r.learned.provisional) {
        parts.push("what is known is provisional".to_owned());
    }
    let text = parts.join("; ");
    Line::from(vec![Piece::raw(" "), Piece::styled(text, theme.dim())])
}
