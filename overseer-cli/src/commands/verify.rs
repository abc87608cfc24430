//! Whether what is stored is still what was stored.

use super::{json, print};
use crate::args::Format;
use crate::settings::Settings;
use crate::{Outcome, text};
use overseer_engine::core::{Error, Severity};
use overseer_engine::host::open_store;
use overseer_engine::host::store::Verified;

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
        "{}; nothing was changed{}",
        damage(&verified),
        if verified.structure.is_empty() {
            ""
        } else {
            ", and a start that finds its structure damaged moves it aside and begins a fresh one"
        }
    );
    Err(Error::corrupt(store.path().display().to_string(), why))
}

/// How much of what is damaged, as far as anything is.
fn damage(verified: &Verified) -> String {
    let structure = (!verified.structure.is_empty()).then(|| "its structure is damaged".to_owned());
    let spans = match (verified.damaged.len(), verified.spans) {
        (0, _) => None,
        (1, all) => Some(format!("1 of the {all} spans of time that were checked is damaged")),
        (n, all) => Some(format!("{n} of the {all} spans of time that were checked are damaged")),
    };
    let parts: Vec<String> = structure.into_iter().chain(spans).collect();
    parts.join(", and ")
}
