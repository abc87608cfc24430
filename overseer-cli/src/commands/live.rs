//! The commands that look at this host once and end.

use super::{json, print, progress_bar};
use crate::args::Format;
use crate::settings::Settings;
use crate::{Outcome, text};
use overseer_engine::core::{Error, Result, Severity, Span};
use overseer_engine::{Engine, Report, Role, TrainOutcome, host};

/// Opens the engine and takes the samples that a fresh look needs, with a progress bar on a first run.
fn look(settings: &Settings, purpose: &str) -> Result<Engine> {
    let mut engine = host::open(&settings.engine(purpose, true))?;
    let bar = engine
        .sampling_plan()
        .map(|plan| progress_bar(plan.samples as u64, "No history yet: getting to know this host"));
    host::look(&mut engine, |done, _| {
        if let Some(bar) = &bar {
            bar.set_position(done as u64);
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(engine)
}

/// Prints a report, or the part of it that a command is about.
fn show(settings: &Settings, engine: &mut Engine, report: &Report, parts: text::Parts) -> Outcome {
    for notice in engine.close() {
        tracing::warn!("{}", notice.message);
    }
    match settings.format {
        Format::Json => json(report)?,
        Format::Text => print(&text::report(report, parts, &text::Style::of_stdout()))?,
    }
    if report.current.is_none() {
        return Err(Error::unavailable("this host", "no sample could be had from it"));
    }
    Ok(report.anomaly.as_ref().map_or(Severity::None, |a| a.severity))
}

pub(crate) fn analyze(settings: &Settings) -> Outcome {
    let mut engine = look(settings, "analyze")?;
    let report = engine.analyze(host::now());
    show(settings, &mut engine, &report, text::Parts::ALL)
}

pub(crate) fn anomaly(settings: &Settings) -> Outcome {
    let mut engine = look(settings, "anomaly")?;
    let report = engine.anomaly_report(host::now());
    show(settings, &mut engine, &report, text::Parts::ANOMALY)
}

pub(crate) fn predict(settings: &Settings, horizon: Option<Span>) -> Outcome {
    let mut engine = look(settings, "predict")?;
    let horizon = horizon.unwrap_or_else(|| engine.default_horizon_span());
    let now = host::now();
    let predictions = engine.predict(horizon, now)?;
    let mut report = engine.anomaly_report(now);
    report.predictions = predictions;
    show(settings, &mut engine, &report, text::Parts::PREDICTION)?;
    Ok(Severity::None)
}

pub(crate) fn patterns(settings: &Settings) -> Outcome {
    let mut engine = look(settings, "patterns")?;
    let report = engine.analyze(host::now());
    show(settings, &mut engine, &report, text::Parts::PATTERNS)?;
    Ok(Severity::None)
}

pub(crate) fn recommend(settings: &Settings) -> Outcome {
    let mut engine = look(settings, "recommend")?;
    let report = engine.analyze(host::now());
    show(settings, &mut engine, &report, text::Parts::ADVICE)
}

pub(crate) fn train(settings: &Settings, force: bool) -> Outcome {
    let options = settings.engine("train", true);
    let mut engine = host::open(&options)?;
    let needs_samples = engine.sampling_plan().is_some();
    if engine.role() == Role::Reader {
        return Err(Error::unavailable(
            "training",
            "another process samples this host and trains its models itself",
        ));
    }
    let summary = if needs_samples {
        drop(engine);
        // The first look trains, so that nothing is left to do here but to say what came of it.
        engine = look(settings, "train")?;
        engine.train(false, host::now())
    } else {
        engine.train(force, host::now())
    };
    match settings.format {
        Format::Json => json(&summary)?,
        Format::Text => {
            print(&text::training(&summary, &engine.learned(), &text::Style::of_stdout()))?;
        }
    }
    engine.close();
    let detector_failed =
        |m: &TrainOutcome| matches!(m, TrainOutcome::Failed { name, .. } if name == "detector");
    match summary.models.iter().find(|m| detector_failed(m)) {
        Some(TrainOutcome::Failed { name, reason }) => {
            Err(Error::unavailable(format!("the model `{name}`"), reason))
        }
        _ => Ok(Severity::None),
    }
}

pub(crate) fn analytics(settings: &Settings) -> Outcome {
    let mut engine = host::open(&settings.engine("analytics", false))?;
    let analytics = engine.analytics(host::now());
    match settings.format {
        Format::Json => json(&analytics)?,
        Format::Text => print(&text::analytics(&analytics, &text::Style::of_stdout()))?,
    }
    Ok(Severity::None)
}
