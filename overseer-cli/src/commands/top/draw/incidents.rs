//! Incidents: those that go on, then the newest that are over. The keys `a`, `l` and `s` are about the chosen one.

use super::{cut, wrapped};
use crate::commands::top::state::{Focus, Panel, State};
use crate::commands::top::theme::Theme;
use crate::text;
use overseer_engine::core::{AlertState, Incident, host as host_schema};
use overseer_engine::said as said_of;
use ratatui::text::{Line, Span as Piece};

pub(super) fn lines(state: &State, width: u16, theme: Theme) -> Vec<Line<'static>> {
    if state.is_detail
        && (state.focus, state.panel) == (Focus::Panel, Panel::Incidents)
        && let Some(incident) = state.chosen_incident()
    {
        return in_full(incident, state, width, theme);
    }
    if state.incidents.is_empty() {
        return wrapped("None goes on, and none is stored.", 1, width, theme.dim(), theme);
    }
    let list = state.incidents.iter().enumerate();
    list.map(|(index, i)| one(i, index == state.incident, state, width, theme)).collect()
}

/// The line of the chosen incident.
pub(super) fn line_of_chosen(state: &State) -> usize {
    if state.is_detail { 0 } else { state.incident }
}

fn one(i: &Incident, is_chosen: bool, state: &State, width: u16, theme: Theme) -> Line<'static> {
    let pointer = if is_chosen { theme.pointer() } else { " " };
    let lasted = i.ended_at.map_or_else(
        || format!("for {}", state.now.since(i.began_at)),
        |_| text::short(i.began_at),
    );
    let head = format!("{:<5}", number(i));
    let word = format!("{:<9}", i.severity.as_str().to_uppercase());
    let stands = format!("{:<13} {lasted:<13} ", standing(i));
    let used = 1 + 5 + 9 + 14 + 14;
    let what = cut(&theme.text(&i.description), usize::from(width).saturating_sub(used));
    let head_style = if is_chosen { theme.chosen() } else { theme.strong() };
    let severity = if i.is_open() { theme.severity(i.severity) } else { theme.dim() };
    Line::from(vec![
        Piece::styled(pointer, theme.key()),
        Piece::styled(head, head_style),
        Piece::styled(word, severity),
        Piece::raw(stands),
        Piece::styled(what, if i.is_open() { theme.strong() } else { theme.dim() }),
    ])
}

fn number(i: &Incident) -> String {
    if i.id > 0 { format!("#{}", i.id) } else { "new".to_owned() }
}

fn standing(i: &Incident) -> String {
    let state = match (i.state, i.fired_at) {
        (AlertState::Resolved, None) => "never fired",
        (AlertState::Acknowledged, _) => "looked after",
        (AlertState::Resolved, _) => "over",
        (state, _) => state.as_str(),
    };
    if i.is_open() && i.silenced { format!("{state}, sil.") } else { state.to_owned() }
}

/// Everything about one.
fn in_full(i: &Incident, state: &State, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let lasted = match i.ended_at {
        Some(_) => format!("lasted {}", i.last_seen.since(i.began_at)),
        None => format!("for {}", state.now.since(i.began_at)),
    };
    let severity = i.severity.as_str().to_uppercase();
    let head = format!(
        "{} {severity}, {}, since {}, {lasted}",
        number(i),
        standing(i),
        text::local(i.began_at)
    );
    let mut out = wrapped(&head, 1, width, theme.severity(i.severity), theme);
    out.extend(wrapped(&i.description, 1, width, theme.strong(), theme));
    let facts = text::facts(i);
    if !facts.is_empty() {
        out.extend(wrapped(&format!("{}.", facts.join("; ")), 1, width, theme.dim(), theme));
    }
    for f in i.features.iter().filter(|f| f.contribution >= 0.01) {
        let schema = host_schema::schema();
        let unit = schema.index_of(&f.feature).and_then(|i| schema.get(i)).map(|f| f.unit);
        let said = |v: f64| unit.unwrap_or(overseer_engine::core::Unit::Unknown).humanize(v);
        let name = host_schema::plain_name(&f.feature);
        let kind = f.kind.map(|k| format!(", {k}")).unwrap_or_default();
        let text = format!(
            "{name}: {:.0} % of the score, seen {}, expected {} to {}{kind}",
            100.0 * f.contribution,
            said(f.observed),
            said(f.expected.0),
            said(f.expected.1)
        );
        out.extend(wrapped(&text, 3, width, ratatui::style::Style::new(), theme));
    }
    let busiest: Vec<String> = i.processes.iter().take(3).map(said_of).collect();
    if !busiest.is_empty() {
        let text = format!("Processes: {}", busiest.join(", "));
        out.extend(wrapped(&text, 1, width, theme.dim(), theme));
    }
    for action in &i.suggested_actions {
        out.extend(wrapped(&format!("→ {action}"), 1, width, theme.warning(), theme));
    }
    if let Some((_, similar)) = state.similar.as_ref().filter(|(id, _)| *id == i.id) {
        out.extend(wrapped(&before(similar), 1, width, theme.dim(), theme));
    }
    out
}

/// What was like it before.
fn before(similar: &[Incident]) -> String {
    if similar.is_empty() {
        return "Nothing like it is among the stored incidents.".to_owned();
    }
    let one = |i: &Incident| {
        let called = i.label.as_ref().map(|l| l.kind.as_str().replace('_', " "));
        let called = called.map(|word| format!(" (labelled {word})")).unwrap_or_default();
        format!("#{} of {}{called}", i.id, text::local(i.began_at))
    };
    let all: Vec<String> = similar.iter().map(one).collect();
    format!("It was like this before: {}.", all.join("; "))
}
