//! Whether what is stored is still what was stored.

use super::{json, print};
use crate::args::Format;
use crate::settings::Settings;
use crate::{Outcome, text};
use overseer_engine::core::{Error, Severity};
use overseer_engine::host::open_store;

/// Reads the whole database through and changes nothing; damage is what ends it with an error.
pub(crate) fn verify(settings: &Settings) -> Outcome {
    let store = open_store(&settings.engine("verify", false), false)?;
    let verified = store.verify()?;
    match settings.format {
        Format::Json => json(&verified)?,
        Format::Text => print(&text::database_verified(&verified, &text::Style::of_stdout()))?,
    }
    if verified.is_sound() {
        return Ok(Severity::None);
    }
    let why = format!(
        "{} of its {} spans and {} parts of its structure are damaged; nothing was changed",
        verified.damaged.len(),
        verified.spans,
        verified.structure.len()
    );
    Err(Error::corrupt(store.path().display().to_string(), why))
}
