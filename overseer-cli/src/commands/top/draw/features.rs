//! The performance score and each feature: what it is now, its past as a line of bars, what is usual.

use super::{put, row, title};
use crate::commands::top::series::{Point, columns};
use crate::commands::top::state::{Focus, State};
use crate::commands::top::theme::Theme;
use overseer_engine::Report;
use overseer_engine::core::{
    Prediction, PredictionType, Span, Timestamp, Unit, host as host_schema,
};
use overseer_engine::sentence::range;
use overseer_engine::usual::UsualHours;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span as Piece};

/// Columns of the name, the value and what is usual; the bars have the rest.
const NAME: usize = 15;
const VALUE: usize = 13;
const USUAL: usize = 27;
const AHEAD: usize = 26;
/// From so many columns on, what comes is there too.
const WITH_AHEAD: u16 = 104;
/// Below so many columns, what is usual is left to the details.
const WITH_USUAL: u16 = 72;

/// What was usual of one row at each hour, by hours like it before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hours<'a> {
    usual: &'a UsualHours,
    /// The feature's column; `None` for the score.
    column: Option<usize>,
}

impl<'a> Hours<'a> {
    fn of(usual: &'a UsualHours, feature: Option<&str>) -> Option<Self> {
        let column = feature.map(|name| usual.features.iter().position(|f| f == name));
        match column {
            None => (!usual.score.is_empty()).then_some(Self { usual, column: None }),
            Some(column) => column.map(|c| Self { usual, column: Some(c) }),
        }
    }

    fn at(self, time: Timestamp) -> Option<(f64, f64)> {
        let band = self.usual.at(time, |usual, row| match self.column {
            None => usual.score[row],
            Some(column) => usual.row(row)[column],
        });
        (band.low.is_finite() && band.high.is_finite()).then_some((band.low, band.high))
    }
}

/// One row of the list.
pub(super) struct Row<'a> {
    pub(super) name: String,
    pub(super) unit: Option<Unit>,
    pub(super) value: f64,
    /// What the detector calls usual now.
    pub(super) usual: Option<(f64, f64)>,
    pub(super) hours: Option<Hours<'a>>,
    pub(super) points: &'a [Point],
    pub(super) ahead: Vec<&'a Prediction>,
    /// Why there is no value.
    pub(super) reason: Option<String>,
}

impl Row<'_> {
    /// A value as the row's unit has it; that of the score has none.
    pub(super) fn said(&self, value: f64) -> String {
        match self.unit {
            Some(Unit::Processes) => Unit::Count.humanize(value),
            Some(unit) => unit.humanize(value),
            None if value.is_finite() => format!("{value:.0}"),
            None => "no value".to_owned(),
        }
    }

    /// A range in few characters: `0–734.3 MB/s`.
    fn tight(&self, low: f64, high: f64) -> String {
        match low {
            0.0 if high > 0.0 => format!("0–{}", self.said(high)),
            low if low < 0.0 => self.between(low, high),
            _ => self.between(low, high).replace(" to ", "–"),
        }
    }

    pub(super) fn between(&self, low: f64, high: f64) -> String {
        match self.unit {
            Some(Unit::Processes) => range(Unit::Count, low, high),
            Some(unit) => range(unit, low, high),
            None => format!("{} to {}", self.said(low), self.said(high)),
        }
    }

    /// Whether a value lies outside what is usual now; a missing one does not.
    pub(super) fn is_outside(&self, value: f64) -> bool {
        self.usual.is_some_and(|(low, high)| value < low || value > high)
    }

    /// What was usual at that hour; `None` where too little is known of hours like it.
    pub(super) fn at_hour(&self, time: Timestamp) -> Option<(f64, f64)> {
        self.hours.and_then(|hours| hours.at(time))
    }

    /// What was usual at that hour or, where that is not known, what is usual now.
    pub(super) fn usual_at(&self, time: Timestamp) -> Option<(f64, f64)> {
        self.at_hour(time).or(self.usual)
    }

    /// Whether a value lay outside what was usual then.
    pub(super) fn was_outside(&self, time: Timestamp, value: f64) -> bool {
        self.usual_at(time).is_some_and(|(low, high)| value < low || value > high)
    }
}

/// How many rows there are: the score and each feature.
pub(super) fn rows() -> u16 {
    host_schema::schema().len() as u16 + 1
}

/// The row of this place: 0 is the score.
pub(super) fn at(state: &State, index: usize) -> Row<'_> {
    let report = state.report.as_ref();
    let current = report.and_then(|r| r.current.as_ref());
    let schema = host_schema::schema();
    let Some(feature) = index.checked_sub(1).and_then(|i| schema.get(i)) else {
        return Row {
            name: "score".to_owned(),
            unit: None,
            value: current.map_or(f64::NAN, |c| c.performance_score),
            usual: None,
            hours: state.usual.as_deref().and_then(|usual| Hours::of(usual, None)),
            points: &state.series.score,
            ahead: report.map(super::head::scores).unwrap_or_default(),
            reason: None,
        };
    };
    let known = current.and_then(|c| c.values.iter().find(|v| v.value.feature == feature.name));
    let missing = current.and_then(|c| c.missing.iter().find(|m| m.feature == feature.name));
    Row {
        name: host_schema::plain_name(&feature.name).to_owned(),
        unit: Some(feature.unit),
        value: known.map_or(f64::NAN, |v| v.value.value),
        usual: known.and_then(|v| v.usual),
        hours: state.usual.as_deref().and_then(|usual| Hours::of(usual, Some(&feature.name))),
        points: state.series.of(&feature.name),
        ahead: report.map(|r| ahead_of(r, &feature.name)).unwrap_or_default(),
        reason: missing.map(|m| m.reason.clone()),
    }
}

fn ahead_of<'a>(report: &'a Report, feature: &str) -> Vec<&'a Prediction> {
    let is_of =
        |p: &&Prediction| matches!(&p.prediction_type, PredictionType::Feature(f) if f == feature);
    report.predictions.iter().filter(is_of).collect()
}

pub(super) fn draw(buf: &mut Buffer, area: Rect, state: &State, theme: Theme) {
    let is_chosen = state.focus == Focus::Features;
    let past = match &state.no_history {
        Some(_) => format!("last {}, from this run only", state.range()),
        None => format!("last {}", state.range()),
    };
    title(buf, row(area, 0), "Features", &past, is_chosen, theme);
    let room = usize::from(area.height.saturating_sub(1));
    let count = usize::from(rows());
    let first =
        state.feature.saturating_sub(room.saturating_sub(1)).min(count.saturating_sub(room));
    for (y, index) in (first..count).take(room).enumerate() {
        let line = line(&at(state, index), index == state.feature, area.width, state, theme);
        put(buf, row(area, y as u16 + 1), line);
    }
}

fn line(r: &Row<'_>, is_chosen: bool, width: u16, state: &State, theme: Theme) -> Line<'static> {
    let pointer = if is_chosen { theme.pointer() } else { " " };
    let name = format!("{:<NAME$}", r.name);
    let name_style = if is_chosen { theme.chosen() } else { theme.strong() };
    let mut line =
        Line::from(vec![Piece::styled(pointer, theme.key()), Piece::styled(name, name_style)]);
    let is_outside = r.is_outside(r.value);
    let value = theme.text(&format!("{:>VALUE$}", r.said(r.value)));
    line.push_span(match () {
        () if is_outside => Piece::styled(value, theme.outside()),
        () if r.value.is_nan() => Piece::styled(value, theme.dim()),
        () => Piece::raw(value),
    });
    line.push_span(Piece::styled(if is_outside { "! " } else { "  " }, theme.outside()));
    let usual = if width >= WITH_USUAL { USUAL } else { 0 };
    let ahead = if width >= WITH_AHEAD { AHEAD } else { 0 };
    let bars = usize::from(width).saturating_sub(1 + NAME + VALUE + 2 + usual + ahead);
    let has_points = r.points.iter().any(|p| p.mean.is_finite());
    if let Some(reason) = r.reason.as_ref().filter(|_| r.value.is_nan() && !has_points) {
        line.push_span(Piece::styled(theme.text(reason), theme.dim()));
        return line;
    }
    spark(&mut line, r, bars, state, theme);
    if usual > 0 {
        let said = r.usual.map(|(low, high)| format!("usual {}", r.tight(low, high)));
        let said = said.unwrap_or_default();
        let said = format!(" {:<1$}", super::cut(&theme.text(&said), usual - 1), usual - 1);
        line.push_span(Piece::styled(said, theme.dim()));
    }
    if let Some(p) = r.ahead.last().filter(|_| ahead > 0) {
        let value = r.said(p.value);
        let said = format!(
            "{} {value} ({}) in {}",
            theme.arrow(),
            r.tight(p.interval.lower, p.interval.upper),
            p.horizon
        );
        let said = super::cut(&theme.text(&said), ahead);
        line.push_span(Piece::styled(said, theme.forecast()));
    }
    line
}

/// The past as bars from zero to the largest that was seen or is usual; what was outside the usual of its hour is marked,
/// and where nothing is known there is nothing.
fn spark(line: &mut Line<'static>, r: &Row<'_>, width: usize, state: &State, theme: Theme) {
    let (from, to) = state.span();
    let cells = columns(r.points, (from.as_millis(), to.as_millis()), width);
    let (_, top) = scale(r, cells.iter().flatten().map(|c| c.2));
    let length = to.since(from).as_millis() as f64 / width.max(1) as f64;
    for (index, cell) in cells.into_iter().enumerate() {
        let middle = from + Span::from_millis((length * (index as f64 + 0.5)) as i64);
        line.push_span(match cell {
            None => Piece::raw(" "),
            Some((mean, ..)) => {
                let is_outside = r.was_outside(middle, mean);
                let style = if is_outside { theme.outside() } else { theme.line() };
                Piece::styled(theme.bar(mean / top), style)
            }
        });
    }
}

/// From zero, or below where values are, to the largest that was seen or is usual.
pub(super) fn scale(r: &Row<'_>, seen: impl Iterator<Item = f64>) -> (f64, f64) {
    let usual = r.usual.map(|u| u.1);
    let (mut low, mut top) = (0.0_f64, 0.0_f64);
    for v in seen.chain(usual).chain([r.value]).filter(|v| v.is_finite()) {
        (low, top) = (low.min(v), top.max(v));
    }
    let least = match r.unit {
        None => 10.0,
        Some(Unit::Ratio) => 0.05,
        Some(Unit::BytesPerSecond) => 10e3,
        _ => 1.0,
    };
    (low, top.max(least))
}
