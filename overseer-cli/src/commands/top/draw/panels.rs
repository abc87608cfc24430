//! The panels below or beside the features: each is a list of lines, of which as many are shown as there is room for.

use super::{about, found, incidents, processes, put, row, title};
use crate::commands::top::state::{Focus, Panel, State};
use crate::commands::top::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// In a stack a panel without the focus has at most so many rows, its heading among them.
const SHARE: u16 = 9;
/// One with the focus has at most this part of the height.
const FOCUSED: (u16, u16) = (1, 2);
/// So many rows it has before any other has more.
const LEAST: u16 = 3;

fn lines(state: &State, panel: Panel, width: u16, theme: Theme) -> Vec<Line<'static>> {
    match panel {
        Panel::Incidents => incidents::lines(state, width, theme),
        Panel::Processes => processes::lines(state, width, theme),
        Panel::Advice => found::advice(state, width, theme),
        Panel::Room => found::room(state, width, theme),
        Panel::Patterns => found::patterns(state, width, theme),
        Panel::Models => about::models(state, width, theme),
        Panel::Notes => about::notes(state, width, theme),
    }
}

/// How many rows a panel would fill.
pub(super) fn rows(state: &State, panel: Panel, width: u16, theme: Theme) -> u16 {
    u16::try_from(lines(state, panel, width, theme).len()).unwrap_or(u16::MAX)
}

/// One panel, with the names of the others in its heading where there is room.
pub(super) fn draw(buf: &mut Buffer, area: Rect, panel: Panel, state: &mut State, theme: Theme) {
    let others: Vec<String> = Panel::ALL
        .iter()
        .enumerate()
        .filter(|(_, p)| **p != panel)
        .map(|(i, p)| format!("{} {}", i + 1, p.name()))
        .collect();
    content(buf, area, panel, &others.join(" "), state, theme);
}

/// Every panel there is room for, one above the other; the one with the focus has the most.
pub(super) fn stack(buf: &mut Buffer, area: Rect, state: &mut State, theme: Theme) {
    let is_focused = |p: Panel| state.focus == Focus::Panel && state.panel == p;
    let want = |p: Panel| {
        let lines = rows(state, p, area.width, theme).saturating_add(1);
        let (part, whole) = FOCUSED;
        if is_focused(p) { lines.min(area.height * part / whole) } else { lines.min(SHARE) }
    };
    // Each has a few rows first, as far as there is room; the rest goes to the one with the focus, then in order.
    let mut left = area.height;
    let mut heights = Vec::new();
    for panel in Panel::ALL {
        let height = want(panel).min(LEAST);
        if height <= left {
            heights.push((panel, height));
            left -= height;
        }
    }
    let is_first = |wanted: bool| move |(p, _): &&mut (Panel, u16)| is_focused(*p) == wanted;
    for wanted in [true, false] {
        for (panel, height) in heights.iter_mut().filter(is_first(wanted)) {
            let given = want(*panel).saturating_sub(*height).min(left);
            *height += given;
            left -= given;
        }
    }
    // What is left over goes to those that have more to say.
    for (panel, height) in &mut heights {
        let more = rows(state, *panel, area.width, theme).saturating_add(1).saturating_sub(*height);
        let given = more.min(left);
        *height += given;
        left -= given;
    }
    let mut y = area.y;
    for (panel, height) in heights {
        let place = Panel::ALL.iter().position(|p| *p == panel).map_or(0, |i| i + 1);
        content(buf, Rect { y, height, ..area }, panel, &place.to_string(), state, theme);
        y += height;
    }
}

fn content(buf: &mut Buffer, area: Rect, panel: Panel, end: &str, state: &mut State, theme: Theme) {
    let is_chosen = state.focus == Focus::Panel && state.panel == panel;
    let lines = lines(state, panel, area.width, theme);
    let room = usize::from(area.height.saturating_sub(1));
    let first = if panel == Panel::Incidents {
        // The chosen one stays in sight.
        let at = incidents::line_of_chosen(state);
        at.saturating_sub(room.saturating_sub(1)).min(lines.len().saturating_sub(room))
    } else {
        state.scrolled(panel, lines.len(), room)
    };
    let hidden = lines.len().saturating_sub(first + room);
    let mut name = heading(state, panel);
    if hidden > 0 {
        name.push_str(&format!(", {hidden} more lines"));
    }
    title(buf, row(area, 0), &name, end, is_chosen, theme);
    for (y, line) in lines.into_iter().skip(first).take(room).enumerate() {
        put(buf, row(area, y as u16 + 1), line);
    }
}

fn heading(state: &State, panel: Panel) -> String {
    let name = panel.name();
    match panel {
        Panel::Incidents => {
            let open = state.incidents.iter().filter(|i| i.is_open()).count();
            format!("{name}: {open} open")
        }
        Panel::Processes => format!("{name} by {}", state.order.name()),
        Panel::Advice => {
            let count = state.report.as_ref().map_or(0, |r| r.recommendations.len());
            if count == 0 { name.to_owned() } else { format!("{name}: {count}") }
        }
        _ => name.to_owned(),
    }
}
