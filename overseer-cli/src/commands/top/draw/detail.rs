//! Everything about the chosen feature: its past and what comes as a chart, what is usual, its part in an anomaly.

use super::features::{Row, at, scale};
use super::{put, row, split, title, wrapped};
use crate::commands::top::series::Point;
use crate::commands::top::state::State;
use crate::commands::top::theme::Theme;
use crate::text;
use overseer_engine::core::{FeatureEvidence, PatternAnalysis, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span as Piece};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Widget};

/// What comes has at most this share of the chart's width.
const AHEAD: f64 = 0.25;
/// So many rows of text there are at most below the chart.
const TEXT: u16 = 12;

pub(super) fn draw(buf: &mut Buffer, area: Rect, state: &State, theme: Theme) {
    let r = at(state, state.feature);
    let name = state.chosen_feature();
    let full = name.as_deref().unwrap_or("performance score, 0 idle to 100 saturated");
    title(buf, row(area, 0), &r.name, full, state.is_detail, theme);
    let facts = facts(state, &r, area.width, theme);
    let (_, rest) = split(area, 1);
    let text = (facts.len() as u16).min(TEXT).min(rest.height / 2);
    let (above, below) = split(rest, rest.height - text);
    chart(buf, above, state, &r, theme);
    for (y, line) in facts.into_iter().enumerate().take(usize::from(below.height)) {
        put(buf, row(below, y as u16), line);
    }
}

type Xy = Vec<(f64, f64)>;

/// The past, its lowest and highest, the usual range, and the forecast with its interval; times are seconds from now.
fn chart(buf: &mut Buffer, area: Rect, state: &State, r: &Row<'_>, theme: Theme) {
    let (from, now) = state.span();
    let length = now.since(from).as_secs_f64();
    let x = |millis: i64| (millis.saturating_sub(now.as_millis())) as f64 / 1000.0;
    let inside = || r.points.iter().filter(|p| p.mean.is_finite() && p.start >= from.as_millis());
    if inside().next().is_none() && r.ahead.is_empty() {
        let why = match (&r.reason, &state.no_history) {
            (Some(reason), _) => format!("No value: {reason}."),
            (_, Some(why)) => format!("The past cannot be read: {why}."),
            _ => "Nothing is known of this time yet.".to_owned(),
        };
        put(
            buf,
            row(area, area.height / 2),
            Line::from(Piece::styled(format!("  {why}"), theme.dim())),
        );
        return;
    }
    let middle = |p: &Point| Timestamp::from_millis(p.start.saturating_add(p.length / 2));
    let (outside, within): (Vec<&Point>, Vec<&Point>) =
        inside().partition(|p| r.was_outside(middle(p), p.mean));
    let [outside, within] =
        [outside, within].map(|points| points.iter().map(|p| (x(p.start), p.mean)).collect::<Xy>());
    let spread: Xy = inside()
        .filter(|p| p.max > p.min)
        .flat_map(|p| [(x(p.start), p.min), (x(p.start), p.max)])
        .collect();
    let mut ahead: Xy = Vec::new();
    let (mut low, mut high): (Xy, Xy) = (Vec::new(), Vec::new());
    for p in r.ahead.iter().filter(|p| p.value.is_finite()) {
        let at = x((p.timestamp + p.horizon).as_millis());
        if at > 0.0 && at <= AHEAD * length {
            ahead.push((at, p.value));
            low.extend(p.interval.lower.is_finite().then_some((at, p.interval.lower)));
            high.extend(p.interval.upper.is_finite().then_some((at, p.interval.upper)));
        }
    }
    let end = ahead.iter().map(|p| p.0).fold(0.0, f64::max);
    if let Some(start) = ahead.first().map(|_| (0.0, r.value)).filter(|p| p.1.is_finite()) {
        [&mut ahead, &mut low, &mut high].into_iter().for_each(|line| line.insert(0, start));
    }
    let seen = || inside().flat_map(|p| [p.min, p.max]);
    let (usual_low, usual_high) = edges(r, now, (-length, end), area.width);
    let most = seen().fold(0.0, f64::max);
    // An edge far above all that was seen would make that a flat line.
    let edges = usual_high.iter().map(|p| p.1).filter(|v| *v <= 2.0 * most);
    let (bottom, top) = scale(r, seen().chain(high.iter().map(|p| p.1)).chain(edges));
    let lowest = seen().chain(usual_low.iter().chain(&low).map(|p| p.1));
    let bottom = raised(bottom, top, lowest.fold(f64::INFINITY, f64::min));
    let border = if end > 0.0 { vec![(0.0, bottom), (0.0, top)] } else { Vec::new() };
    let set = |data, kind, style| {
        Dataset::default().marker(theme.dots()).graph_type(kind).style(style).data(data)
    };
    let sets = vec![
        // Where the past ends.
        set(&border, GraphType::Line, theme.band()),
        set(&usual_low, GraphType::Scatter, theme.band()),
        set(&usual_high, GraphType::Scatter, theme.band()),
        set(&spread, GraphType::Scatter, theme.dim()),
        set(&within, GraphType::Scatter, theme.line()),
        set(&low, GraphType::Line, theme.dim().patch(theme.forecast())),
        set(&high, GraphType::Line, theme.dim().patch(theme.forecast())),
        set(&ahead, GraphType::Line, theme.forecast()),
        set(&outside, GraphType::Scatter, theme.outside()),
    ];
    let label = |v: f64| Line::from(Piece::styled(theme.text(&r.said(v)), theme.dim()));
    let begin = format!("{} ago", super::super::since(now, from));
    let future = Timestamp::from_millis(now.as_millis().saturating_add((1000.0 * end) as i64));
    let last = if end > 0.0 {
        format!("in {}", super::super::since(future, now))
    } else {
        "now".to_owned()
    };
    let times = [begin, last].map(|t| Line::from(Piece::styled(t, theme.dim())));
    Chart::new(sets)
        .legend_position(None)
        .x_axis(Axis::default().bounds([-length, end.max(1e-3)]).labels(times).style(theme.band()))
        .y_axis(
            Axis::default()
                .bounds([bottom, top])
                .labels([label(bottom), label((bottom + top) / 2.0), label(top)])
                .style(theme.band()),
        )
        .render(area, buf);
}

/// The edges of what was usual at each hour or, where that is not known, of what is usual now: as dots, for there may be a
/// gap between two of them.
fn edges(r: &Row<'_>, now: Timestamp, (from, to): (f64, f64), columns: u16) -> (Xy, Xy) {
    // A column has two dots beside each other.
    let count = 2 * u32::from(columns.max(1));
    let at = |i: u32| from + (to - from) * f64::from(i) / f64::from(count);
    let known = (0..=count).filter_map(|i| {
        let time = now.as_millis().saturating_add((1000.0 * at(i)) as i64);
        let (low, high) = r.usual_at(Timestamp::from_millis(time))?;
        Some(((at(i), low), (at(i), high)))
    });
    known.unzip()
}

/// A chart begins at zero, unless all that is in it lies far above: then what moves would be a flat line.
fn raised(bottom: f64, top: f64, lowest: f64) -> f64 {
    let room = (0.25 * (top - lowest)).max(0.02 * top);
    let raised = lowest - room;
    if lowest.is_finite() && raised > 0.3 * top { raised } else { bottom }
}

fn facts(state: &State, r: &Row<'_>, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    let mut say = |text: &str, style: Style| out.extend(wrapped(text, 1, width, style, theme));
    let report = state.report.as_ref();
    let now = match (&r.reason, r.value.is_nan()) {
        (Some(reason), true) => format!("Now no value: {reason}."),
        _ => format!("Now {}.", r.said(r.value)),
    };
    let said = |(low, high): (f64, f64)| r.between(low, high);
    let at_hour = r.at_hour(state.now).map(said);
    let usual = match (r.usual.map(said), at_hour, r.unit) {
        (Some(now), Some(hour), _) => format!(" Usual now: {now}; at this hour: {hour}."),
        (Some(now), None, _) => format!(" Usual now: {now}."),
        (None, Some(hour), _) => format!(" Usual at this hour: {hour}."),
        (None, None, None) => String::new(),
        (None, None, Some(_)) => " What is usual is not known yet.".to_owned(),
    };
    let style = if r.is_outside(r.value) { theme.outside() } else { theme.strong() };
    say(&format!("{now}{usual}"), style);
    let name = state.chosen_feature();
    let mount = report.and_then(|r| r.current.as_ref()).and_then(|c| c.fullest_mount.as_deref());
    if let Some(mount) = mount.filter(|_| name.as_deref() == Some("system.filesystem.utilization"))
    {
        say(&format!("The fullest is {mount}."), theme.dim());
    }
    let anomaly = report.and_then(|r| r.anomaly.as_ref());
    let part = anomaly
        .and_then(|a| a.features.iter().find(|f| Some(&f.feature) == name.as_ref()))
        .map(|f| part(f, r));
    if let Some(part) = part {
        say(&part, Style::new());
    }
    for p in &r.ahead {
        let held = if p.confidence.get() > 0.0 {
            format!("{} held lately", p.confidence)
        } else {
            "none checked yet".to_owned()
        };
        let between = r.between(p.interval.lower, p.interval.upper);
        let text = format!(
            "In {}: {}, {} interval {between}, {held}.",
            p.horizon,
            r.said(p.value),
            p.interval.level
        );
        say(&text, theme.forecast());
    }
    if r.ahead.is_empty() {
        say("There is no forecast of it yet.", theme.dim());
    }
    let patterns = report.map(|r| r.patterns.as_slice()).unwrap_or_default();
    let is_of = |p: &&PatternAnalysis| p.features.first() == name.as_ref();
    for p in patterns.iter().filter(is_of) {
        let insights = p.insights.join(" ");
        say(
            &format!("Pattern: {}, confidence {}. {insights}", p.pattern_type, p.confidence),
            theme.dim(),
        );
    }
    out
}

/// Its share of the newest score, and how it has changed.
fn part(f: &FeatureEvidence, r: &Row<'_>) -> String {
    let share = format!("{:.0} % of the newest score comes from it", 100.0 * f.contribution);
    let (low, high) = f.expected;
    let expected = if low.is_finite() && high.is_finite() {
        format!("; expected {}, seen {}", r.between(low, high), r.said(f.observed))
    } else {
        String::new()
    };
    let kind = f.kind.map(|k| format!("; {k}")).unwrap_or_default();
    let since = f.since.map(|t| format!(" since {}", text::clock(t))).unwrap_or_default();
    format!("{share}{expected}{kind}{since}.")
}
