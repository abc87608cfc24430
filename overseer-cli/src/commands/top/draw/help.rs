//! The keys, and what the signs mean.

use super::{put, row, title};
use crate::commands::top::keys::KEYS;
use crate::commands::top::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span as Piece};

pub(super) fn draw(buf: &mut Buffer, area: Rect, theme: Theme) {
    title(buf, row(area, 0), "Help", "any key goes back", true, theme);
    let signs: [Line<'_>; 3] = [
        Line::from(vec![
            Piece::styled(" !", theme.outside()),
            Piece::raw(" and bars in this look: outside what is usual now"),
        ]),
        Line::from(vec![
            Piece::styled(format!(" {} ", theme.arrow()), theme.forecast()),
            Piece::raw("what is predicted, with the range that holds it in nine of ten cases"),
        ]),
        Line::from(" A blank among the bars: nothing is known of that time."),
    ];
    let mut y = 1;
    for (key, does) in KEYS {
        let key = theme.text(key).replace("? ?,", "arrows,");
        let line =
            Line::from(vec![Piece::styled(format!(" {key:<12}"), theme.key()), Piece::raw(does)]);
        put(buf, row(area, y), line);
        y += 1;
    }
    for line in signs {
        put(buf, row(area, y), line);
        y += 1;
    }
}
