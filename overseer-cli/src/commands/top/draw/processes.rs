//! The processes that use the most, as they are now.

use super::{cut, wrapped};
use crate::commands::top::state::State;
use crate::commands::top::theme::Theme;
use overseer_engine::core::{ProcessUsage, Unit};
use ratatui::text::{Line, Span as Piece};

pub(super) fn lines(state: &State, width: u16, theme: Theme) -> Vec<Line<'static>> {
    if let Some(why) = &state.no_processes {
        return wrapped(&format!("Not known: {why}."), 1, width, theme.warning(), theme);
    }
    if state.processes.is_empty() {
        return wrapped("Not measured yet.", 1, width, theme.dim(), theme);
    }
    let head = format!(" {:>7} {:>6} {:>9} {:>10}  process", "pid", "CPU", "memory", "I/O");
    let mut out = vec![Line::from(Piece::styled(head, theme.dim()))];
    out.extend(state.processes.iter().map(|p| one(p, width, theme)));
    out
}

fn one(p: &ProcessUsage, width: u16, theme: Theme) -> Line<'static> {
    let unknown = || "?".to_owned();
    let cpu =
        if p.cpu_cores.is_finite() { format!("{:.0} %", 100.0 * p.cpu_cores) } else { unknown() };
    let amount = |unit: Unit, v: f64| if v.is_finite() { unit.humanize(v) } else { unknown() };
    let numbers = format!(
        " {:>7} {cpu:>6} {:>9} {:>10}  ",
        p.pid,
        amount(Unit::Bytes, p.memory_bytes),
        amount(Unit::BytesPerSecond, p.io_bytes_per_second)
    );
    let used = numbers.chars().count();
    let unit = if p.unit.is_empty() { String::new() } else { format!(" [{}]", p.unit) };
    let room = usize::from(width).saturating_sub(used + p.name.chars().count());
    let command = if p.command.is_empty() { String::new() } else { format!("  {}", p.command) };
    let name = theme.text(&p.name);
    Line::from(vec![
        Piece::raw(numbers),
        Piece::styled(name, theme.strong()),
        Piece::styled(cut(&theme.text(&format!("{unit}{command}")), room), theme.dim()),
    ])
}
