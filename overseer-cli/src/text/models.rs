//! The model registry as tables.

use super::style::{Style, local, quality, took};
use overseer_engine::core::{Timestamp, Unit};
use overseer_engine::host::{ModelState, Pruned, StoredModel, StoredVersion};
use std::fmt::Write;
use std::path::Path;

const NONE: &str = "No models are stored: `overseer analyze` and `overseer watch` train them.\n";

/// All models, a line each.
pub(crate) fn models(models: &[StoredModel], now: Timestamp, style: &Style) -> String {
    if models.is_empty() {
        return NONE.to_owned();
    }
    let mut out = style.heading(&format!(
        "{:<18} {:<10} {:>7} {:>7}  {:<43} {:>8} {:>8}  state",
        "name", "kind", "age", "samples", "from", "size", "versions"
    ));
    out.push('\n');
    for model in models {
        let unknown = || "–".to_owned();
        let metadata = model.metadata();
        let from = |(from, to)| format!("{} to {}", local(from), local(to));
        let _ = writeln!(
            out,
            "{:<18} {:<10} {:>7} {:>7}  {:<43} {:>8} {:>8}  {}",
            model.name,
            metadata.map_or_else(unknown, |m| m.kind.to_string()),
            metadata.map_or_else(unknown, |m| now.since(m.trained_at).to_string()),
            metadata.map_or_else(unknown, |m| m.rows.to_string()),
            metadata.map_or_else(unknown, |m| from(m.trained_on)),
            model.usable().map_or_else(unknown, |v| size(v.bytes)),
            model.versions.len(),
            state(model, *style),
        );
        disagreements(&mut out, model);
    }
    out
}

/// Everything about one.
pub(crate) fn one_model(model: &StoredModel, now: Timestamp, style: &Style) -> String {
    let mut out = format!("{}, {}\n", style.heading(&model.name), state(model, *style));
    disagreements(&mut out, model);
    if let Some(m) = model.metadata() {
        let provisional = if m.provisional { ", provisional" } else { "" };
        let apart = m.interval_ms as f64 / 1000.0;
        let lines = [
            ("what", format!("{}, {}{provisional}", m.kind, m.algorithm)),
            ("trained", format!("{}, {} ago", local(m.trained_at), now.since(m.trained_at))),
            ("on", format!("{} samples {apart} s apart", m.rows)),
            ("from", format!("{} to {}", local(m.trained_on.0), local(m.trained_on.1))),
            ("took", took(m, 1)),
            ("quality", quality(m)),
            ("schema", format!("{:016x}", m.schema_fingerprint)),
        ];
        for (what, said) in lines {
            let _ = writeln!(out, "  {what:<8} {said}");
        }
    }
    let _ = writeln!(out, "{}", style.heading("Versions"));
    for version in &model.versions {
        let saved = version.saved_at.map_or_else(|| "at a time not known".to_owned(), local);
        let _ = writeln!(
            out,
            "  {:<32} {:>8}  saved {saved}  {}",
            file_name(&version.file),
            size(version.bytes),
            learned(version)
        );
    }
    if !model.set_aside.is_empty() {
        let _ = writeln!(out, "{}", style.heading("Moved aside, for they could not be read"));
        for file in &model.set_aside {
            let _ = writeln!(out, "  {}", file.display());
        }
    }
    out
}

/// Every version with whether it could be read, and what the database says of it.
pub(crate) fn verified(models: &[StoredModel], style: &Style) -> String {
    if models.is_empty() {
        return NONE.to_owned();
    }
    let mut out = String::new();
    for model in models {
        let _ = writeln!(out, "{}  {}", style.heading(&model.name), state(model, *style));
        for version in &model.versions {
            let _ = writeln!(
                out,
                "  {:<32} {:>8}  {}",
                file_name(&version.file),
                size(version.bytes),
                learned(version)
            );
        }
        disagreements(&mut out, model);
    }
    out
}

/// What was removed.
pub(crate) fn pruned(models: &[Pruned]) -> String {
    let mut out = String::new();
    for model in models {
        for version in &model.removed {
            let file = version.file.display();
            let _ = writeln!(out, "removed {file}, {}, {}", size(version.bytes), learned(version));
        }
    }
    let removed: usize = models.iter().map(|m| m.removed.len()).sum();
    let kept: usize = models.iter().map(|m| m.kept).sum();
    let bytes: u64 = models.iter().flat_map(|m| &m.removed).map(|v| v.bytes).sum();
    let _ = writeln!(out, "{removed} files removed ({}), {kept} kept", size(bytes));
    out
}

fn state(model: &StoredModel, style: Style) -> String {
    match model.state {
        ModelState::Unreadable if model.versions.is_empty() => style.warning("its file is missing"),
        ModelState::Sound => model.state.as_str().to_owned(),
        _ => style.warning(model.state.as_str()),
    }
}

fn disagreements(out: &mut String, model: &StoredModel) {
    for said in &model.disagreements {
        let _ = writeln!(out, "  the database: {said}");
    }
}

fn learned(version: &StoredVersion) -> String {
    match (&version.problem, &version.metadata) {
        (Some(problem), _) => format!("cannot be used: {problem}"),
        (None, Some(m)) => format!("{} samples until {}", m.rows, local(m.trained_on.1)),
        (None, None) => String::new(),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn size(bytes: u64) -> String {
    Unit::Bytes.humanize(bytes as f64)
}
