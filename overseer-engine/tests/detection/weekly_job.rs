//! A job every Monday at six in the morning where the host stands, across the changes to and from daylight saving
//! time.

use crate::scene::{DAY, HOUR, STEP, WEEK, calm_host, schema_of};
use overseer_core::{
    ChangeKind, DetectorTrainer, Frame, LocalTime, Sample, Schema, Severity, Span, Timestamp, host,
};
use overseer_engine::host::collect::SystemZone;
use overseer_engine::host::models::detector::ForestDetectorTrainer;
use overseer_engine::offline::{ScoreRow, Scorer};
use overseer_engine::policy::AlarmBudget;
use std::sync::Arc;

/// How long the job takes, in rows.
const LASTS: usize = 2 * HOUR;

/// Four weeks in Berlin, of which the last Monday is the first after clocks were set.
#[derive(Debug, Clone, Copy)]
struct Season {
    /// Midnight in Berlin on the first Monday.
    start: Timestamp,
    /// How many rows earlier the fourth Monday comes than without the change; negative for later.
    earlier: isize,
}

/// 2024-03-11 to 2024-04-07: clocks go from two to three on 2024-03-31.
const SPRING: Season =
    Season { start: Timestamp::from_millis(1_710_111_600_000), earlier: HOUR as isize };
/// 2024-10-07 to 2024-11-03: clocks go from three to two on 2024-10-27.
const AUTUMN: Season =
    Season { start: Timestamp::from_millis(1_728_252_000_000), earlier: -(HOUR as isize) };

impl Season {
    /// The row of Berlin's local time: so many hours after midnight of so many days after the start, no Sunday.
    fn row_of(self, day: usize, hour: usize) -> usize {
        let row = day * DAY + hour * HOUR;
        if day < 21 { row } else { row.strict_sub_signed(self.earlier) }
    }
}

fn berlin() -> SystemZone {
    SystemZone::named("Europe/Berlin").unwrap()
}

/// A scorer that knows by which clocks the host's people live.
fn scorer_by(zone: SystemZone, schema: Schema) -> Scorer {
    let trainer = ForestDetectorTrainer::builder().seed(1).local_time(Arc::new(zone));
    let trainer = trainer.build().unwrap();
    Scorer::new(schema, Box::new(trainer), AlarmBudget::default(), STEP).unwrap()
}

/// A run of the job: its day, its hour, and how much there is to do.
type Run = (usize, usize, f64);

/// The job as it is on most days.
const MONDAYS: [Run; 4] = [(0, 6, 1.0), (7, 6, 1.0), (14, 6, 1.0), (21, 6, 1.0)];

/// Four weeks of a calm host with those runs.
fn four_weeks(season: Season, seed: u64, runs: &[Run]) -> Vec<Sample> {
    let mut samples = calm_host(4 * WEEK, seed);
    for (i, sample) in samples.iter_mut().enumerate() {
        sample.timestamp = season.start + STEP.times(i);
    }
    for &(day, hour, size) in runs {
        for sample in &mut samples[season.row_of(day, hour)..][..LASTS] {
            sample.values[host::CPU_UTILIZATION] += 0.6;
            sample.values[host::LOAD_PER_CORE] += 0.7 * size;
            sample.values[host::DISK_WRITE] += 8e7 * size;
            sample.values[host::PRESSURE_IO] += 0.2 * size;
        }
    }
    samples
}

/// What is said from the second week on, after the first was learned from.
fn judge(samples: &[Sample]) -> Vec<ScoreRow> {
    judge_by(berlin(), samples)
}

fn judge_by(zone: SystemZone, samples: &[Sample]) -> Vec<ScoreRow> {
    let history = Frame::from_samples(schema_of(samples), &samples[..WEEK]).unwrap();
    let mut scorer = scorer_by(zone, schema_of(samples));
    scorer.learn(&history).unwrap();
    samples[WEEK..].iter().map(|s| scorer.observe(s).unwrap()).collect()
}

/// Alerts while the job runs on that day, or shortly before and after.
fn alerts_at(rows: &[ScoreRow], season: Season, day: usize, hour: usize) -> usize {
    let from = season.row_of(day, hour) - WEEK;
    rows[from - 2..from + LASTS + HOUR].iter().filter(|r| r.is_anomaly).count()
}

#[test]
fn the_clock_of_this_test_is_berlins() {
    for season in [SPRING, AUTUMN] {
        for day in [0, 7, 14, 21, 24] {
            let at = season.start + STEP.times(season.row_of(day, 6));
            let local = at + Span::from_secs(berlin().utc_offset_seconds(at).into());
            // 1970 began on a Thursday.
            let since_monday = (local.as_millis() / 1000 - 4 * 86_400) % (7 * 86_400);
            assert_eq!(since_monday, (day as i64 % 7) * 86_400 + 6 * 3600, "{season:?}, {day}");
        }
    }
}

#[test]
fn a_weekly_job_is_normal_from_its_third_run_on_even_when_the_clocks_change() {
    let mut late = 0;
    for (seed, season) in (0..3).flat_map(|seed| [(seed, SPRING), (seed, AUTUMN)]) {
        let rows = judge(&four_weeks(season, seed, &MONDAYS));
        let second = alerts_at(&rows, season, 7, 6);
        assert!(second <= 1, "seed {seed}, {season:?}: {second} alerts at the second run");
        late += alerts_at(&rows, season, 14, 6) + alerts_at(&rows, season, 21, 6);
    }
    // Twelve runs at hosts that had been quiet; more than one would be no chance.
    assert!(late <= 2, "{late} alerts at third and fourth runs");
}

/// An hour's shift leaves most of the job where it was, and what is left of it need be no alert: its state tells.
#[test]
fn the_first_run_after_the_clocks_change_shows_more_to_clocks_that_do_not() {
    let shown_by = |zone: &str| -> usize {
        let shown = |(seed, season): (u64, Season)| {
            let zone = SystemZone::named(zone).unwrap();
            let rows = judge_by(zone, &four_weeks(season, seed, &MONDAYS));
            let run = &rows[season.row_of(21, 6) - WEEK..][..LASTS];
            run.iter().filter(|r| r.severity > Severity::None).count()
        };
        [(0, SPRING), (0, AUTUMN), (1, SPRING), (1, AUTUMN)].into_iter().map(shown).sum()
    };
    // Clocks an hour east of Greenwich, as Berlin's are in winter, but always; and Berlin's summer's.
    let (right, winter, summer) =
        (shown_by("Europe/Berlin"), shown_by("Etc/GMT-1"), shown_by("Etc/GMT-2"));
    // What of the job is not excused, such as its edges, shows to all.
    assert!(2 * winter.min(summer) >= 3 * right, "{right} rows, and {winter} and {summer}");
}

#[test]
fn the_same_job_at_another_hour_of_the_week_shows() {
    for seed in 0..3 {
        let mut runs = MONDAYS.to_vec();
        runs.push((24, 15, 1.0));
        let rows = judge(&four_weeks(SPRING, seed, &runs));
        let from = SPRING.row_of(24, 15) - WEEK;
        let shown = rows[from..from + LASTS].iter().filter(|r| r.severity > Severity::None).count();
        assert!(shown >= LASTS / 2, "seed {seed}: {shown} rows");
    }
}

#[test]
fn a_much_bigger_job_at_its_usual_time_is_an_alert() {
    for seed in 0..3 {
        let mut runs = MONDAYS;
        runs[3].2 = 4.0;
        let rows = judge(&four_weeks(SPRING, seed, &runs));
        assert!(alerts_at(&rows, SPRING, 21, 6) >= 1, "seed {seed}");
    }
}

/// What the hour of the week makes usual is hidden from the judgement, yet it was measured.
#[test]
fn nothing_that_was_measured_is_called_missing_while_the_job_runs() {
    let samples = four_weeks(SPRING, 0, &MONDAYS);
    let trainer = ForestDetectorTrainer::builder().seed(1).local_time(Arc::new(berlin()));
    let history = Frame::from_samples(schema_of(&samples), &samples[..WEEK]).unwrap();
    let mut detector = trainer.build().unwrap().fit(&history).unwrap();
    for sample in &samples[WEEK..] {
        detector.observe(sample).unwrap();
        for e in detector.explain() {
            let missing = e.kind == Some(ChangeKind::Missing);
            assert!(!missing || e.observed.is_nan(), "{e:?} at {:?}", sample.timestamp);
        }
    }
}

/// A job that has run every night for weeks is as usual after the change as before it.
#[test]
fn a_daily_job_is_normal_in_the_week_after_the_clocks_change() {
    let mut found = Vec::new();
    for seed in 0..4 {
        let mut samples = calm_host(4 * WEEK, seed);
        for (i, sample) in samples.iter_mut().enumerate() {
            sample.timestamp = SPRING.start + STEP.times(i);
        }
        for day in 0..28 {
            for sample in &mut samples[SPRING.row_of(day, 6)..][..LASTS] {
                sample.values[host::CPU_UTILIZATION] += 0.5;
                sample.values[host::DISK_WRITE] += 5e7;
            }
        }
        let rows = judge(&samples);
        // The change is on the Sunday before day 21.
        let near = (21..28).map(|day| alerts_at(&rows, SPRING, day, 6)).sum::<usize>();
        found.push(near);
    }
    // Over four weeks of nights at one a week chance alone is less than one.
    assert!(found.iter().sum::<usize>() <= 2, "alerts while the job runs, by host: {found:?}");
}
