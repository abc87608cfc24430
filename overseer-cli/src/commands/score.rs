//! Offline detection over CSV files.

use super::{DEFAULT_STEP, Output, check_apart, counter, field};
use crate::settings::Settings;
use crate::{Outcome, args};
use overseer_engine::core::{LocalTime, Sample, Severity, Timestamp, Utc};
use overseer_engine::host;
use overseer_engine::host::collect::{CsvRows, ReadOptions, SystemZone, read_frame};
use overseer_engine::offline::{Scorer, usual_interval};
use std::path::Path;
use std::sync::Arc;

/// Rows looked at to find the usual time between rows. Without a history none of them is scored, so that no score
/// depends on a later row; with one, its rows tell.
const INTERVAL_ROWS: usize = 60;

pub(crate) fn score(settings: &Settings, args: &args::Score) -> Outcome {
    check_apart(&args.output, &[Some(&args.input), args.history.as_deref()])?;
    let spacing = args.step.unwrap_or(DEFAULT_STEP);
    let mut options = ReadOptions::default().with_step(spacing);
    let mut clocks: Arc<dyn LocalTime> = Arc::new(Utc);
    if let Some(zone) = &args.tz {
        options = options.with_time_zone(zone)?;
        clocks = Arc::new(SystemZone::named(zone)?);
    }
    let history = args.history.as_ref().map(|path| read_frame(path, &options)).transpose()?;
    if let Some(&last) = history.as_ref().and_then(|h| h.timestamps().last()) {
        options = options.with_start(last + spacing);
    }
    let mut rows = CsvRows::open(piped(&args.input), &options)?;
    let schema = rows.schema().clone();
    let mut head: Vec<Sample> = Vec::new();
    for row in rows.by_ref().take(INTERVAL_ROWS) {
        head.push(row?);
    }
    let times: Vec<Timestamp> = head.iter().map(|s| s.timestamp).collect();
    let step = args
        .step
        .or_else(|| usual_interval(history.as_ref().map_or(&times, |h| h.timestamps())))
        .unwrap_or(spacing);
    let trainer = Box::new(host::detector_trainer_within(clocks, settings.max_detector_bytes())?);
    let mut scorer = Scorer::new(schema, trainer, settings.alarm_budget, step)?;
    if let Some(history) = &history {
        scorer.learn(history)?;
    }
    let header = ["index", "score", "onset", "p_value", "is_anomaly", "severity"];
    let mut output = Output::create(&args.output, &header)?;
    let bar = counter("Scoring");
    let mut alerts = 0_u64;
    let mut worst = Severity::None;
    let mut count = 0_usize;
    for row in head.into_iter().map(Ok).chain(rows.by_ref()) {
        let scored = scorer.observe(&row?)?;
        worst = worst.max(scored.severity);
        alerts += u64::from(scored.is_anomaly);
        output.row(&[
            count.to_string(),
            field(scored.score),
            field(scored.onset),
            field(scored.p_value),
            u8::from(scored.is_anomaly).to_string(),
            scored.severity.to_string(),
        ])?;
        count += 1;
        if count.is_multiple_of(1000) {
            bar.set_position(count as u64);
        }
    }
    bar.finish_and_clear();
    output.finish()?;
    report(count, alerts, scorer.known_from());
    Ok(worst)
}

/// The file to read: `-` is what is piped in.
fn piped(path: &Path) -> &Path {
    if cfg!(unix) && path == Path::new("-") { Path::new("/dev/stdin") } else { path }
}

#[allow(
    clippy::print_stderr,
    reason = "the data goes to a file; this is for the person who waits for it"
)]
fn report(rows: usize, alerts: u64, known_from: Option<usize>) {
    eprintln!("{rows} rows scored, {alerts} {}", if alerts == 1 { "alert" } else { "alerts" });
    match known_from {
        Some(0) => {}
        Some(row) => eprintln!("without a history, scores are known from row {row} on"),
        None => eprintln!("too few rows to learn from: no score is known"),
    }
}
