//! The model registry: what is stored, whether it can be read, and removing what is old.

use super::{json, print};
use crate::args::{Format, Models};
use crate::settings::Settings;
use crate::{Outcome, text};
use overseer_engine::core::{Error, Severity};
use overseer_engine::host::{self, ModelState, Pruned, StoredModel};
use serde::Serialize;

pub(crate) fn models(settings: &Settings, what: &Models) -> Outcome {
    match what {
        Models::List => list(settings),
        Models::Show { name } => show(settings, name),
        Models::Verify => verify(settings),
        Models::Prune { keep } => prune(settings, *keep),
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    models: &'a [StoredModel],
}

fn list(settings: &Settings) -> Outcome {
    let models = host::stored_models(&settings.engine("models list", false))?;
    match settings.format {
        Format::Json => json(&Listed { models: &models })?,
        Format::Text => print(&text::models(&models, host::now(), &text::Style::of_stdout()))?,
    }
    Ok(Severity::None)
}

fn show(settings: &Settings, name: &str) -> Outcome {
    let models = host::stored_models(&settings.engine("models show", false))?;
    let Some(model) = models.iter().find(|m| m.name == name) else {
        let names: Vec<&str> = models.iter().map(|m| m.name.as_str()).collect();
        let why = match names.as_slice() {
            [] => format!("there is no model `{name}`, nor any other yet"),
            names => format!("there is no model `{name}`; there are {}", names.join(", ")),
        };
        return Err(Error::invalid_value("the stored models", why));
    };
    match settings.format {
        Format::Json => json(model)?,
        Format::Text => print(&text::one_model(model, host::now(), &text::Style::of_stdout()))?,
    }
    Ok(Severity::None)
}

#[derive(Serialize)]
struct Verified<'a> {
    sound: bool,
    models: &'a [StoredModel],
}

fn verify(settings: &Settings) -> Outcome {
    let models = host::stored_models(&settings.engine("models verify", false))?;
    let wrong = models.iter().filter(|m| m.state != ModelState::Sound).count();
    match settings.format {
        Format::Json => json(&Verified { sound: wrong == 0, models: &models })?,
        Format::Text => print(&text::verified(&models, &text::Style::of_stdout()))?,
    }
    if wrong > 0 {
        let why = format!("{wrong} of {} are not as they should be", models.len());
        return Err(Error::invalid_value("the stored models", why));
    }
    Ok(Severity::None)
}

#[derive(Serialize)]
struct Removed<'a> {
    models: &'a [Pruned],
}

fn prune(settings: &Settings, keep: Option<usize>) -> Outcome {
    let options = settings.engine("models prune", true);
    let models = host::prune_models(&options, keep.unwrap_or(options.keep_models))?;
    match settings.format {
        Format::Json => json(&Removed { models: &models })?,
        Format::Text => print(&text::pruned(&models))?,
    }
    Ok(Severity::None)
}
