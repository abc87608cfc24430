//! One module for each kind of command.

pub(crate) mod alerts;
mod background;
pub(crate) mod backtest;
pub(crate) mod decisions;
mod incident_log;
pub(crate) mod live;
pub(crate) mod models;
pub(crate) mod recommend;
pub(crate) mod replay;
pub(crate) mod score;
#[cfg(feature = "serve")]
pub(crate) mod serve;
pub(crate) mod sinks;
#[cfg(any(feature = "serve", feature = "top"))]
mod ticking;
#[cfg(feature = "top")]
pub(crate) mod top;
pub(crate) mod train;
pub(crate) mod transfer;
pub(crate) mod verify;
pub(crate) mod watch;

use overseer_engine::core::Span;
use overseer_engine::core::{Error, Result, Schema};
use serde::Serialize;
use std::fs::File;
use std::io::{Stdout, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

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

/// A file that appears under its name only when it is complete; a pipe or device is written as it comes, and so is
/// standard output, which `-` stands for.
struct NewFile {
    place: String,
    path: PathBuf,
    sink: Sink,
}

/// A CSV file made as [`NewFile`] makes one.
struct Output {
    place: String,
    writer: csv::Writer<NewFile>,
}

enum Sink {
    /// Removed when it is dropped before it was given its name.
    Temporary(NamedTempFile),
    Direct(File),
    Stdout(Stdout),
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.sink {
            Sink::Temporary(file) => file.write(bytes),
            Sink::Direct(file) => file.write(bytes),
            Sink::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match &mut self.sink {
            Sink::Temporary(file) => file.flush(),
            Sink::Direct(file) => file.flush(),
            Sink::Stdout(stdout) => stdout.flush(),
        }
    }
}

impl NewFile {
    fn create(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            let sink = Sink::Stdout(std::io::stdout());
            return Ok(Self { place: "stdout".to_owned(), path: path.to_owned(), sink });
        }
        let place = path.display().to_string();
        let is_device = std::fs::metadata(path).is_ok_and(|m| !m.is_file());
        let sink = if is_device {
            File::create(path).map(Sink::Direct)
        } else {
            let directory = path.parent().filter(|p| !p.as_os_str().is_empty());
            let directory = directory.unwrap_or(Path::new("."));
            if !directory.is_dir() {
                let why = format!("`{}` is no directory", directory.display());
                return Err(Error::unavailable(place, why));
            }
            // The permissions that a file made by name would have.
            let mut builder = tempfile::Builder::new();
            #[cfg(unix)]
            let builder = {
                use std::os::unix::fs::PermissionsExt;
                builder.permissions(std::fs::Permissions::from_mode(0o666))
            };
            builder.tempfile_in(directory).map(Sink::Temporary)
        };
        let sink = sink.map_err(|e| Error::other(format!("creating {place}"), e))?;
        Ok(Self { place, path: path.to_owned(), sink })
    }

    fn finish(self) -> Result<()> {
        match self.sink {
            Sink::Temporary(file) => file
                .persist(&self.path)
                .map(drop)
                .map_err(|e| Error::other(format!("writing {}", self.place), e.error)),
            Sink::Direct(_) => Ok(()),
            Sink::Stdout(mut stdout) => {
                stdout.flush().map_err(|e| Error::other("writing stdout", e))
            }
        }
    }
}

impl Output {
    fn create(path: &Path, header: &[&str]) -> Result<Self> {
        let file = NewFile::create(path)?;
        let mut output = Self { place: file.place.clone(), writer: csv::Writer::from_writer(file) };
        output.row(header)?;
        Ok(output)
    }

    fn row<T: AsRef<[u8]>>(&mut self, fields: &[T]) -> Result<()> {
        self.writer
            .write_record(fields)
            .map_err(|e| Error::other(format!("writing {}", self.place), e))
    }

    fn finish(self) -> Result<()> {
        let failed = |e| Error::other(format!("writing {}", self.place), e);
        self.writer.into_inner().map_err(|e| failed(e.into_error()))?.finish()
    }
}

/// Refuses to write over a file that is read: what a person has must not be lost to a slip.
///
/// # Errors
/// If `output` is one of `inputs`, by whatever name.
fn check_apart(output: &Path, inputs: &[Option<&Path>]) -> Result<()> {
    let real = |path: &Path| std::fs::canonicalize(path).ok().filter(|path| path.is_file());
    let Some(output) = real(output) else { return Ok(()) };
    match inputs.iter().flatten().find(|path| real(path).as_ref() == Some(&output)) {
        None => Ok(()),
        Some(path) => {
            let why = format!("`{}` is read, and would be overwritten", path.display());
            Err(Error::invalid_parameter("output", why))
        }
    }
}

/// A number as CSV holds it, to the last digit: a missing one is an empty field, and one with hundreds of digits before
/// or behind the point is told by its power of ten.
fn field(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => String::new(),
        size if size == 0.0 || (1e-9..1e16).contains(&size) => value.to_string(),
        _ => format!("{value:e}"),
    }
}

/// The place of a column, or an error that names those there are.
fn column(schema: &Schema, name: &str) -> Result<usize> {
    schema.index_of(name).ok_or_else(|| {
        let names: Vec<&str> = schema.features().iter().map(|f| f.name.as_str()).take(20).collect();
        Error::invalid_parameter("column", format!("`{name}` is not one of {}", names.join(", ")))
    })
}
