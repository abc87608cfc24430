//! Colours and signs: those of the terminal's own sixteen, so that every palette fits, and none where `NO_COLOR` says so.

use overseer_engine::core::Severity;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;

/// How things look. Whatever a colour says, a sign or a word says too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    has_color: bool,
    has_unicode: bool,
}

/// The eight heights of a bar, the lowest first.
const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const PLAIN_BARS: [&str; 8] = ["_", "_", ".", "-", "-", "=", "=", "#"];

impl Theme {
    /// As `NO_COLOR` (no-color.org), `TERM` and the locale want it.
    pub(super) fn of_environment() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let has_color = set("NO_COLOR").is_none() && set("TERM").is_none_or(|t| t != "dumb");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        // Where nothing is set, as in containers, today's terminals take UTF-8.
        let is_utf8 = |l: String| l.to_lowercase().replace('-', "").contains("utf8");
        Self { has_color, has_unicode: locale.is_none_or(is_utf8) }
    }

    #[cfg(test)]
    pub(super) fn plain() -> Self {
        Self { has_color: false, has_unicode: true }
    }

    #[cfg(test)]
    pub(super) fn colored() -> Self {
        Self { has_color: true, has_unicode: true }
    }

    #[cfg(test)]
    pub(super) fn ascii() -> Self {
        Self { has_color: false, has_unicode: false }
    }

    fn color(self, color: Color, else_: Modifier) -> Style {
        if self.has_color { Style::new().fg(color) } else { Style::new().add_modifier(else_) }
    }

    pub(super) fn title(self) -> Style {
        self.color(Color::Cyan, Modifier::BOLD).add_modifier(Modifier::BOLD)
    }

    pub(super) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is chosen, or asks for a key.
    pub(super) fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(super) fn key(self) -> Style {
        self.color(Color::Yellow, Modifier::BOLD).add_modifier(Modifier::BOLD)
    }

    /// What lies outside its usual range.
    pub(super) fn outside(self) -> Style {
        self.color(Color::Red, Modifier::UNDERLINED).add_modifier(Modifier::BOLD)
    }

    /// What lies within.
    pub(super) fn line(self) -> Style {
        self.color(Color::Green, Modifier::empty())
    }

    pub(super) fn band(self) -> Style {
        self.color(Color::DarkGray, Modifier::DIM)
    }

    pub(super) fn forecast(self) -> Style {
        self.color(Color::Magenta, Modifier::empty())
    }

    pub(super) fn warning(self) -> Style {
        self.color(Color::Yellow, Modifier::BOLD)
    }

    pub(super) fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::None => self.color(Color::Green, Modifier::empty()),
            Severity::Medium => self.color(Color::Yellow, Modifier::BOLD),
            Severity::High => self.color(Color::Red, Modifier::BOLD),
            Severity::Critical => {
                self.color(Color::Red, Modifier::REVERSED).add_modifier(Modifier::BOLD)
            }
        }
    }

    /// The bar of a share, 0–1, of the full height.
    pub(super) fn bar(self, share: f64) -> &'static str {
        let index = (share.clamp(0.0, 1.0) * 7.0).round() as usize;
        let bars = if self.has_unicode { BARS } else { PLAIN_BARS };
        bars.get(index).copied().unwrap_or(" ")
    }

    pub(super) fn rule(self) -> &'static str {
        if self.has_unicode { "─" } else { "-" }
    }

    pub(super) fn pointer(self) -> &'static str {
        if self.has_unicode { "▸" } else { ">" }
    }

    pub(super) fn arrow(self) -> &'static str {
        if self.has_unicode { "→" } else { "->" }
    }

    pub(super) fn dots(self) -> Marker {
        if self.has_unicode { Marker::Braille } else { Marker::Dot }
    }

    /// Leaves nothing on the screen that the terminal cannot show.
    pub(super) fn finish(self, buf: &mut Buffer) {
        if self.has_unicode {
            return;
        }
        for cell in &mut buf.content {
            let sign = match cell.symbol() {
                s if s.is_ascii() => continue,
                "│" => "|",
                "─" => "-",
                "└" => "+",
                "•" => "*",
                _ => "?",
            };
            cell.set_symbol(sign);
        }
    }

    /// The text as the terminal can show it.
    pub(super) fn text(self, text: &str) -> String {
        if self.has_unicode {
            return text.to_owned();
        }
        let plain = |c: char| match c {
            '–' => "-".to_owned(),
            '→' => "->".to_owned(),
            '°' => String::new(),
            c if c.is_ascii() => c.to_string(),
            _ => "?".to_owned(),
        };
        text.chars().map(plain).collect()
    }
}
