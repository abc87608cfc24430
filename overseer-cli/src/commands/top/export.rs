//! What is seen, as a file in the current directory. A file that is there already is never written over.

use super::series::Series;
use super::state::State;
use overseer_engine::Report;
use overseer_engine::core::{Error, Incident, ProcessUsage, Result, Timestamp};
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// The form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The screen as it is.
    Text,
    /// What is behind it.
    Json,
}

/// Version of the JSON; it changes when a field changes its meaning or goes away.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Shown<'a> {
    version: u32,
    written_at: Timestamp,
    from: Timestamp,
    to: Timestamp,
    report: Option<&'a Report>,
    incidents: &'a [Incident],
    processes: &'a [ProcessUsage],
    series: &'a Series,
}

/// Writes it and gives the file's name.
///
/// # Errors
/// If it cannot be written here.
pub(super) fn write(form: Form, screen: &str, state: &State) -> Result<String> {
    write_in(Path::new("."), form, screen, state)
}

fn write_in(dir: &Path, form: Form, screen: &str, state: &State) -> Result<String> {
    let (end, content) = match form {
        Form::Text => ("txt", screen.to_owned()),
        Form::Json => ("json", json(state)?),
    };
    let stamp = crate::text::stamp(state.now);
    for copy in 1..100 {
        let copy = if copy == 1 { String::new() } else { format!("-{copy}") };
        let name = format!("overseer-top-{stamp}{copy}.{end}");
        let failed = |e| Error::other(format!("writing {name}"), e);
        match OpenOptions::new().write(true).create_new(true).open(dir.join(&name)) {
            Ok(mut file) => {
                file.write_all(content.as_bytes()).map_err(failed)?;
                return Ok(name);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(e)),
        }
    }
    Err(Error::unavailable("a new file", "there are a hundred of this second already"))
}

fn json(state: &State) -> Result<String> {
    let (from, to) = state.span();
    let shown = Shown {
        version: VERSION,
        written_at: state.now,
        from,
        to,
        report: state.report.as_ref(),
        incidents: &state.incidents,
        processes: &state.processes,
        series: &state.series,
    };
    let mut text = serde_json::to_string(&shown).map_err(|e| Error::other("writing JSON", e))?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::top::tests::scene;

    #[test]
    fn what_is_seen_becomes_files_and_none_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let state = scene();
        let first = write_in(dir.path(), Form::Text, "screen\n", &state).unwrap();
        let second = write_in(dir.path(), Form::Text, "other\n", &state).unwrap();
        assert_ne!(first, second);
        assert_eq!(std::fs::read_to_string(dir.path().join(&first)).unwrap(), "screen\n");
        let name = write_in(dir.path(), Form::Json, "", &state).unwrap();
        let text = std::fs::read_to_string(dir.path().join(name)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["version"], 1);
        assert_eq!(value["report"]["host"]["name"], "web-1");
        assert!(value["series"]["features"][0]["points"][0]["mean"].is_number());
        let missing = value["series"]["features"].as_array().unwrap();
        let swap = missing.iter().find(|f| f["feature"] == "system.paging.utilization").unwrap();
        assert!(swap["points"][0]["mean"].is_null(), "missing is null, not zero: {swap}");
        assert!(write_in(&dir.path().join("none"), Form::Text, "", &state).is_err());
    }
}
