//! What is drawn where. Each part of the screen is a module; none of them changes what is known.

mod about;
mod detail;
mod features;
mod foot;
mod found;
mod head;
mod help;
mod incidents;
mod panels;
mod processes;

use super::state::{Focus, State};
use super::theme::Theme;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span as Piece};

/// Columns and rows below which nothing is shown but that there is too little room.
const LEAST: (u16, u16) = (60, 16);
/// From so many columns and rows on, panels stand beside the features.
const WIDE: (u16, u16) = (118, 30);
/// So many rows a panel has at least.
const PANEL: u16 = 3;

/// Draws everything.
pub(super) fn all(frame: &mut Frame<'_>, state: &mut State, theme: &Theme) {
    let (area, buf) = (frame.area(), frame.buffer_mut());
    if area.width < LEAST.0 || area.height < LEAST.1 {
        too_small(buf, area);
        return;
    }
    let head = head::draw(buf, area, state, *theme);
    let (foot, rest) = (area.height - 1, area.height - 1 - head);
    foot::draw(buf, row(area, foot), state, *theme);
    let body = Rect { y: area.y + head, height: rest, ..area };
    if state.is_help {
        help::draw(buf, body, *theme);
    } else if state.is_detail && state.focus == Focus::Features {
        detail::draw(buf, body, state, *theme);
    } else if state.is_detail {
        panels::draw(buf, body, state.panel, state, *theme);
    } else if area.width >= WIDE.0 && area.height >= WIDE.1 {
        wide(buf, body, state, *theme);
    } else {
        narrow(buf, body, state, *theme);
    }
    theme.finish(buf);
}

/// The features, and below them the panel of choice, which has most of the room while it has the focus.
fn narrow(buf: &mut Buffer, body: Rect, state: &mut State, theme: Theme) {
    let all = features::rows() + 1;
    let panel = match state.focus {
        Focus::Features => body.height.saturating_sub(all).max(PANEL),
        Focus::Panel => {
            let wanted = panels::rows(state, state.panel, body.width, theme).saturating_add(1);
            wanted.clamp(body.height.saturating_sub(all).max(PANEL), body.height * 2 / 3)
        }
    };
    let (above, below) = split(body, body.height - panel.min(body.height));
    features::draw(buf, above, state, theme);
    panels::draw(buf, below, state.panel, state, theme);
}

/// The features and everything about the chosen one at the left, all panels at the right.
fn wide(buf: &mut Buffer, body: Rect, state: &mut State, theme: Theme) {
    let left = Rect { width: body.width * 3 / 5, ..body };
    let right = Rect { x: left.x + left.width + 1, width: body.width - left.width - 1, ..body };
    let (list, chosen) = split(left, (features::rows() + 1).min(left.height));
    features::draw(buf, list, state, theme);
    if chosen.height > 4 {
        detail::draw(buf, chosen, state, theme);
    }
    panels::stack(buf, right, state, theme);
}

fn too_small(buf: &mut Buffer, area: Rect) {
    let (columns, rows) = LEAST;
    let said = format!(
        "This terminal is too small: it has {}x{}, and {columns}x{rows} are needed. q leaves.",
        area.width, area.height
    );
    let lines = crate::text::wrap(&said, "", usize::from(area.width).max(1));
    for (y, text) in lines.lines().enumerate().take(usize::from(area.height)) {
        put(buf, row(area, y as u16), Line::from(text));
    }
}

/// The upper rows of an area, and the rest.
fn split(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let upper = Rect { height: rows, ..area };
    (upper, Rect { y: area.y + rows, height: area.height - rows, ..area })
}

/// One row of an area; empty where it has none so far down.
fn row(area: Rect, y: u16) -> Rect {
    Rect { y: area.y + y.min(area.height), height: u16::from(y < area.height), ..area }
}

/// Writes a line into the first row of an area, cut where it ends.
fn put(buf: &mut Buffer, area: Rect, line: Line<'_>) {
    if area.height > 0 && area.width > 0 {
        buf.set_line(area.x, area.y, &line, area.width);
    }
}

/// A heading with a rule to the right edge, and something short at its end.
fn title(buf: &mut Buffer, area: Rect, text: &str, end: &str, is_chosen: bool, theme: Theme) {
    if area.height == 0 {
        return;
    }
    let rule = theme.rule().repeat(usize::from(area.width));
    put(buf, area, Line::from(Piece::styled(rule, theme.band())));
    let style = if is_chosen { theme.title().patch(theme.chosen()) } else { theme.title() };
    let from = area.x + 1;
    buf.set_stringn(from, area.y, format!(" {text} "), usize::from(area.width) - 1, style);
    // Where there is no room for all of it, there is none.
    let end = theme.text(end);
    let long = end.chars().count() as u16 + 2;
    if !end.is_empty() && long + 3 + text.chars().count() as u16 + 2 < area.width {
        let x = area.x + area.width - long - 1;
        buf.set_stringn(x, area.y, format!(" {end} "), usize::from(long), theme.dim());
    }
}

/// Text broken into lines of a width, each in a style and after an indent.
fn wrapped(
    text: &str,
    indent: usize,
    width: u16,
    style: Style,
    theme: Theme,
) -> Vec<Line<'static>> {
    let room = usize::from(width).saturating_sub(indent + 1).max(10);
    let text = theme.text(text);
    // A word longer than a line, such as a path, is cut by the edge and not by us.
    let lines = crate::text::wrap(&text, &" ".repeat(indent), room);
    lines.lines().map(|l| Line::from(Piece::styled(l.to_owned(), style))).collect()
}

/// Text cut to so many characters, the last of them saying so.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(width.saturating_sub(1)).collect();
    if width > 0 {
        out.push('~');
    }
    out
}
