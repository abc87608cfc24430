//! One module for each kind of command.

pub(crate) mod backtest;
pub(crate) mod live;
pub(crate) mod score;
pub(crate) mod watch;

use overseer_engine::core::Span;
use overseer_engine::core::{Error, Result, Schema};
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// Time between the rows of a file where nothing says otherwise.
const DEFAULT_STEP: Span = Span::from_secs(60);

/// Prints a value as one line of JSON.
fn json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|e| Error::other("writing JSON", e))?;
    print(&format!("{text}\n"))
}

/// Prints text to stdout.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|e| Error::other("writing to stdout", e))
}

/// A progress bar on stderr, drawn only where a person sees it.
fn progress_bar(length: u64, message: &'static str) -> indicatif::ProgressBar {
    let style = indicatif::ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}  {eta} left")
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
    indicatif::ProgressBar::new(length).with_style(style).with_message(message)
}

/// The same where nobody knows how much is to come.
fn counter(message: &'static str) -> indicatif::ProgressBar {
    let style = indicatif::ProgressStyle::with_template("{msg} {spinner} {pos} rows, {per_sec}")
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_spinner());
    indicatif::ProgressBar::no_length().with_style(style).with_message(message)
}

/// A file that appears under its name only when it is complete.
struct Output {
    place: String,
    path: std::path::PathBuf,
    temporary: std::path::PathBuf,
    writer: csv::Writer<std::fs::File>,
}

impl Output {
    fn create(path: &Path, header: &[&str]) -> Result<Self> {
        let place = path.display().to_string();
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".partial");
        let temporary = path.with_file_name(name);
        let file = std::fs::File::create(&temporary)
            .map_err(|e| Error::other(format!("creating {}", temporary.display()), e))?;
        let mut output = Self {
            place,
            path: path.to_owned(),
            temporary,
            writer: csv::Writer::from_writer(file),
        };
        output.row(header)?;
        Ok(output)
    }

    fn row<T: AsRef<[u8]>>(&mut self, fields: &[T]) -> Result<()> {
        self.writer
            .write_record(fields)
            .map_err(|e| Error::other(format!("writing {}", self.place), e))
    }

    fn finish(mut self) -> Result<()> {
        self.writer
            .flush()
            .and_then(|()| std::fs::rename(&self.temporary, &self.path))
            .map_err(|e| Error::other(format!("writing {}", self.place), e))
    }
}

/// A number as CSV holds it: a missing one is an empty field.
fn field(value: f64) -> String {
    if value.is_finite() { value.to_string() } else { String::new() }
}

/// The place of a column, or an error that names those there are.
fn column(schema: &Schema, name: &str) -> Result<usize> {
    schema.index_of(name).ok_or_else(|| {
        let names: Vec<&str> = schema.features().iter().map(|f| f.name.as_str()).take(20).collect();
        Error::invalid_parameter("column", format!("`{name}` is not one of {}", names.join(", ")))
    })
}
