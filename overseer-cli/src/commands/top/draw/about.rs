//! What is behind it: the models, and what failed or is missing.

use super::wrapped;
use crate::commands::top::state::State;
use crate::commands::top::theme::Theme;
use crate::text;
use overseer_engine::core::host as host_schema;
use ratatui::style::Style;
use ratatui::text::Line;

pub(super) fn models(state: &State, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let Some(report) = &state.report else {
        return wrapped("None yet.", 1, width, theme.dim(), theme);
    };
    let learned = &report.learned;
    let mut out = Vec::new();
    for m in &learned.models {
        let provisional = if m.provisional { ", provisional" } else { "" };
        let text = format!(
            "{} ({}{provisional}): {} rows, trained {} ago, {}.",
            m.name.replace('_', " "),
            m.algorithm,
            m.rows,
            state.now.since(m.trained_at),
            text::quality(m)
        );
        out.extend(wrapped(&text, 1, width, Style::new(), theme));
    }
    if out.is_empty() {
        out = wrapped("None yet.", 1, width, theme.dim(), theme);
    }
    let kept = match &learned.data_dir {
        Some(dir) => format!("Kept in {dir}."),
        None => "Kept nowhere.".to_owned(),
    };
    out.extend(wrapped(&kept, 1, width, theme.dim(), theme));
    out
}

pub(super) fn notes(state: &State, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    if let Some(why) = &state.no_history {
        let text = format!("! The past cannot be read: {why}.");
        out.extend(wrapped(&text, 1, width, theme.warning(), theme));
    }
    for notice in state.report.iter().flat_map(|r| &r.notices) {
        let (sign, style) =
            if notice.warning { ("!", theme.warning()) } else { ("-", Style::new()) };
        out.extend(wrapped(&format!("{sign} {}", notice.message), 1, width, style, theme));
    }
    let missing = state.report.iter().filter_map(|r| r.current.as_ref()).flat_map(|c| &c.missing);
    for m in missing {
        let text = format!("{}: no value, {}", host_schema::plain_name(&m.feature), m.reason);
        out.extend(wrapped(&text, 1, width, theme.dim(), theme));
    }
    if out.is_empty() {
        out = wrapped("Nothing to note.", 1, width, theme.dim(), theme);
    }
    out
}
