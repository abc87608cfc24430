//! What is stored, out to files and in again.

use super::{NewFile, counter, progress_bar};
use crate::settings::Settings;
use crate::{Outcome, args, text};
use overseer_engine::core::{Error, Result, Severity, Span};
use overseer_engine::host::store::transfer::{self, Form, Selection};
use overseer_engine::host::{now, open_store, other_history};
use std::path::Path;

pub(crate) fn export(settings: &Settings, args: &args::Export) -> Outcome {
    let is_stdout = args.output == Path::new("-");
    let form = if is_stdout { Form::JsonLines } else { form_of("output", &args.output)? };
    let mut selection = Selection::all_of(args.what.0.clone());
    let now = now();
    selection.from = args.since.map_or(selection.from, |m| m.given(now));
    selection.to = args.until.map_or(selection.to, |m| m.given(now));
    if selection.from > selection.to {
        return Err(Error::invalid_parameter("until", "must be later than `since`"));
    }
    let store = open_store(&settings.engine("export", false), false)?;
    if let Some(other) = other_history(&store) {
        crate::logging::warn(&other);
    }
    let bar = progress_bar(0, "Exporting");
    let mut progress = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let rows = if is_stdout {
        let to = std::io::stdout();
        transfer::export(&store, &selection, form, "stdout", to, &mut progress)?
    } else {
        let mut file = NewFile::create(&args.output)?;
        let name = file.place.clone();
        let rows = transfer::export(&store, &selection, form, &name, &mut file, &mut progress)?;
        file.finish()?;
        rows
    };
    bar.finish_and_clear();
    tell(&format!("{rows} rows exported"));
    Ok(Severity::None)
}

pub(crate) fn import(settings: &Settings, args: &args::Import) -> Outcome {
    let form = form_of("FILE", &args.file)?;
    let mut store = open_store(&settings.engine("import", false), true)?;
    let bar = counter("Importing");
    let imported =
        transfer::import(&mut store, &args.file, form, &mut |rows| bar.set_position(rows))?;
    bar.finish_and_clear();
    let mut said = format!("{} rows stored", imported.stored);
    let others = [
        (imported.duplicates, "were there already"),
        (imported.blank, "hold no value"),
        (imported.late, "are of a time that was summarised before, and were left out"),
    ];
    for (rows, what) in others.into_iter().filter(|(rows, _)| *rows > 0) {
        said.push_str(&format!(", {rows} {what}"));
    }
    tell(&said);
    if let Some(step) = imported.assumed_step {
        tell(&format!("The samples are taken to be {step} apart, as most of the first are."));
    }
    let row = |(at, row)| format!("row {row} is of {}", text::local(at));
    let now = now();
    if let Some(latest) = imported.latest.filter(|(at, _)| *at > now + Span::from_secs(60)) {
        let said = format!(
            "{}, which is after now: what is dated so is kept, and left out until then",
            row(latest)
        );
        crate::logging::warn(&said);
    }
    if let Some(earliest) = imported.earliest.filter(|(at, _)| at.as_millis() < EARLIEST_LIKELY) {
        let said = format!(
            "{}: where a column `interval_ms` is, times are milliseconds since 1970",
            row(earliest)
        );
        crate::logging::warn(&said);
    }
    Ok(Severity::None)
}

/// The start of the year 2000: hardly any host has history of before.
const EARLIEST_LIKELY: i64 = 946_684_800_000;

fn form_of(argument: &'static str, path: &Path) -> Result<Form> {
    Form::of_name(path).ok_or_else(|| {
        let name = path.display();
        let why = format!("the name `{name}` must end in .csv, .jsonl, .ndjson or .parquet");
        Error::invalid_parameter(argument, why)
    })
}

#[allow(clippy::print_stderr, reason = "for the person who waits; stdout is for data")]
fn tell(said: &str) {
    eprintln!("{said}");
}
