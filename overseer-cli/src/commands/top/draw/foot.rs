//! The bottom line: a question, what was said last, or the keys.

use super::put;
use crate::commands::top::keys;
use crate::commands::top::state::State;
use crate::commands::top::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span as Piece};

/// The keys, the most needed first: as many as there is room for.
const SHOWN: [(&str, &str); 11] = [
    ("q", "quit"),
    ("?", "help"),
    ("↑↓", "choose"),
    ("Enter", "detail"),
    ("Tab", "panel"),
    ("+-", "range"),
    ("a", "ack"),
    ("l", "label"),
    ("s", "silence"),
    ("w", "write"),
    ("o", "order"),
];

pub(super) fn draw(buf: &mut Buffer, area: Rect, state: &State, theme: Theme) {
    let width = usize::from(area.width);
    if let Some(question) = &state.question {
        let text = format!(" {:<width$}", keys::asked(question));
        put(buf, area, Line::from(Piece::styled(text, theme.chosen())));
        return;
    }
    if let Some(said) = state.said() {
        let style = if said.is_warning { theme.outside() } else { theme.strong() };
        put(buf, area, Line::from(Piece::styled(format!(" {}", theme.text(&said.text)), style)));
        return;
    }
    let mut line = Line::default();
    let mut used = 1;
    for (key, does) in SHOWN {
        let key =
            if key == "↑↓" { theme.text("↑↓").replace("??", "jk") } else { key.to_owned() };
        let long = key.chars().count() + does.chars().count() + 3;
        if used + long > width {
            break;
        }
        line.push_span(Piece::styled(format!(" {key}"), theme.key()));
        line.push_span(Piece::raw(format!(" {does} ")));
        used += long;
    }
    put(buf, area, line);
}
