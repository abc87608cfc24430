//! What a configuration would have alerted on.

use super::{json, print, progress_bar};
use crate::args::Format;
use crate::settings::Settings;
use crate::{Outcome, args, text};
use overseer_engine::core::{DetectorTrainer, Result, Severity};
use overseer_engine::host;
use overseer_engine::replay::Replay;

pub(crate) fn replay(settings: &Settings, args: &args::Replay) -> Outcome {
    let now = host::now();
    let until = args.until.map_or(now, |m| m.given(now));
    let since = args.since.given(now);
    let trainer = |settings: &Settings| -> Result<Box<dyn DetectorTrainer>> {
        let clocks = host::clocks(settings.time_zone())?;
        Ok(Box::new(host::detector_trainer_within(clocks, settings.max_detector_bytes())?))
    };
    let old = settings.in_force.as_deref().unwrap_or(settings);
    let (by_old, by_new) = (|| trainer(old), || trainer(settings));
    let mut replay =
        Replay::new(since, until, &by_old, old.alarm_budget)?.zones(host::zone_by_name);
    if settings.in_force.is_some() {
        // Only the zone and the memory change what the detector learns; the rest is the policy's.
        let is_other = old.time_zone() != settings.time_zone()
            || old.max_detector_bytes() != settings.max_detector_bytes();
        let detector: Option<overseer_engine::replay::MakeTrainer<'_>> =
            if is_other { Some(&by_new) } else { None };
        replay = replay.beside(settings.alarm_budget, detector);
    }
    replay = replay.min_durations(old.min_duration(), settings.min_duration());
    let mut store = host::open_store(&settings.engine("replay", false), false)?;
    let bar = progress_bar(0, "Replaying");
    let report = replay.run(&mut store, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    match settings.format {
        Format::Json => json(&report)?,
        Format::Text => print(&text::replay(&report, &text::Style::of_stdout()))?,
    }
    Ok(Severity::None)
}
