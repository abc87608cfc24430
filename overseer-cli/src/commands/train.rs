//! Training on demand, and choosing among forecasters.

use super::live::{first_look_bar, warn};
use super::{json, print, progress_bar};
use crate::args::{Format, Train};
use crate::settings::Settings;
use crate::{Outcome, text};
use overseer_engine::core::{Error, Result, Selection, Severity, Span};
use overseer_engine::{Engine, Role, TrainOutcome, host};
use std::time::{Duration, Instant};

pub(crate) fn train(settings: &Settings, args: &Train) -> Outcome {
    let options = settings.engine("train", true);
    let mut engine = host::open(&options)?;
    if engine.role() == Role::Reader {
        return Err(Error::unavailable(
            "training",
            "another process samples this host and trains its models itself",
        ));
    }
    if let Some(plan) = engine.sampling_plan() {
        let bar = first_look_bar(plan.samples);
        host::sample(&mut engine, |done, _| {
            bar.set_position(done as u64);
            true
        });
        bar.finish_and_clear();
    }
    let chosen = args.auto.then(|| choose(&mut engine, args.budget)).transpose()?;
    let summary = match &chosen {
        Some(_) if !args.force => engine.train_forecaster_now(host::now()),
        _ => engine.train(args.force, host::now()),
    };
    match settings.format {
        Format::Json => json(&summary)?,
        Format::Text => {
            let style = text::Style::of_stdout();
            if let Some(outcome) = &chosen {
                let in_force = engine.selection().map_or(&outcome.chosen, |s| &s.chosen);
                print(&text::selection(outcome, in_force, engine.config().step, &style))?;
            }
            print(&text::training(&summary, &engine.learned(), &style))?;
        }
    }
    let mut at_the_end = engine.close();
    // A model that another has replaced was told with what was trained.
    at_the_end.retain(|notice| !notice.is_of_replaced_model());
    warn(&at_the_end);
    let needed = |name: &str| name == "detector" || args.auto;
    let failed = |m: &&TrainOutcome| matches!(m, TrainOutcome::Failed { name, .. } if needed(name));
    match summary.models.iter().find(failed) {
        Some(TrainOutcome::Failed { name, reason }) => {
            Err(Error::unavailable(format!("the model `{name}`"), reason))
        }
        // What was learned is gone with this process.
        _ if at_the_end.iter().any(|n| n.warning) => {
            Err(Error::unavailable("training", "what was learned is not kept"))
        }
        _ => Ok(Severity::None),
    }
}

/// Lets the forecasters compete for as long as the budget lasts; what comes of it is in force from now on.
fn choose(engine: &mut Engine, budget: Span) -> Result<Selection> {
    let (start, budget) = (Instant::now(), Duration::from(budget));
    let bar = progress_bar(1, "Comparing forecasters");
    let outcome = engine.choose_forecaster(|progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        start.elapsed() < budget
    });
    bar.finish_and_clear();
    let outcome = outcome?;
    engine.adopt(outcome.clone(), host::now());
    Ok(outcome)
}
