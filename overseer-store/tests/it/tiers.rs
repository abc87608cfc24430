//! Samples by the minute and the hour: what they say, how they come about, and what goes when.

use crate::contents::{HOST, STEP, at, open, pattern, prediction, sample, schema};
use overseer_core::{
    Appended, Maintenance, Sample, SampleQuery, Span, Store, Summary, SummaryCell, SummaryQuery,
    Timestamp,
};
use overseer_store::{Retention, SqliteOptions, SqliteStore};
use std::path::Path;
use std::time::Duration;

const NAN: f64 = f64::NAN;
const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// A multiple of an hour, in the seconds of [`at`], so that minutes and hours are easy to name.
const START: i64 = HOUR - 1_700_000_000 % HOUR;

fn all(from: i64, to: i64, resolution: i64) -> SummaryQuery {
    SummaryQuery::new(at(from), at(to), Span::from_secs(resolution))
}

/// Upkeep until there is nothing to do.
fn maintain(store: &mut SqliteStore, now: Timestamp) -> Maintenance {
    let mut sum = Maintenance::default();
    loop {
        let done = store.maintain(now, Duration::from_secs(60)).unwrap();
        sum.summarised += done.summarised;
        sum.expired += done.expired;
        sum.pages_given_back += done.pages_given_back;
        sum.too_large = done.too_large;
        for dropped in done.dropped {
            sum.note_dropped(dropped);
        }
        if !done.behind {
            return sum;
        }
    }
}

/// A store that keeps samples for two hours, minutes for two days and hours for ever.
fn open_briefly(path: &Path) -> SqliteStore {
    let mut keep = Retention::default();
    keep.samples = Some(Span::from_secs(2 * HOUR));
    keep.minutes = Some(Span::from_secs(2 * DAY));
    keep.findings = Some(Span::from_secs(DAY));
    SqliteOptions::new().retention(keep).open(path, &schema(), HOST).unwrap()
}

/// A sample each minute, with a value that tells it from all others.
fn each_minute(from: i64, to: i64) -> Vec<Sample> {
    (from..to)
        .step_by(MINUTE as usize)
        .map(|s| sample(s, [(s % 10_007) as f64 / 7.0, NAN, s as f64]))
        .collect()
}

fn rows(path: &Path, table: &str) -> i64 {
    let person = rusqlite::Connection::open(path).unwrap();
    person.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).unwrap()
}

/// The same summary, its means equal up to the order of additions.
fn assert_alike(a: &Summary, b: &Summary) {
    assert_eq!((&a.starts, &a.features), (&b.starts, &b.features));
    for (x, y) in a.cells.iter().zip(&b.cells) {
        assert!(
            (x.mean - y.mean).abs() <= 1e-12 * x.mean.abs() || x.mean.is_nan() && y.mean.is_nan()
        );
        assert_eq!(
            (x.count, x.min.to_bits(), x.max.to_bits()),
            (y.count, y.min.to_bits(), y.max.to_bits())
        );
    }
}

#[test]
fn a_minute_says_mean_least_most_and_how_many_and_of_none_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open(&path);
    let given = [
        sample(START, [1.0, NAN, -1.0]),
        sample(START + 5, [2.0, NAN, NAN]),
        sample(START + 59, [6.0, NAN, 3.0]),
    ];
    store.append(STEP, &given).unwrap();
    assert_eq!(maintain(&mut store, at(START + 59)), Maintenance::default(), "it is not over yet");
    assert_eq!(maintain(&mut store, at(START + 60)).summarised, 1);

    let person = rusqlite::Connection::open(&path).unwrap();
    let sql = r#"SELECT timestamp, "cpu", "cpu:min", "cpu:max", "cpu:count", "memory" IS NULL,
                 "memory:min" IS NULL, "memory:count", "a ""quoted"" name:count" FROM metrics_1m"#;
    let seen: (i64, f64, f64, f64, i64, bool, bool, i64, i64) = person
        .query_row(sql, [], |r| {
            Ok((
                r.get(0)?,
                r.get(1)?,
                r.get(2)?,
                r.get(3)?,
                r.get(4)?,
                r.get(5)?,
                r.get(6)?,
                r.get(7)?,
                r.get(8)?,
            ))
        })
        .unwrap();
    assert_eq!(seen, (at(START).as_millis(), 3.0, 1.0, 6.0, 3, true, true, 0, 2));

    let summary = store.summary(&all(START, START + 59, MINUTE)).unwrap();
    assert_eq!(summary.starts, [at(START)]);
    let expected = [
        SummaryCell::new(3.0, 1.0, 6.0, 3),
        SummaryCell::EMPTY,
        SummaryCell::new(1.0, -1.0, 3.0, 2),
    ];
    assert_eq!(summary.point(0), expected);
}

#[test]
fn every_resolution_says_the_same_before_and_after_summarising_and_after_samples_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open_briefly(&path);
    let end = START + 5 * HOUR;
    for chunk in each_minute(START, end).chunks(100) {
        store.append(STEP, chunk).unwrap();
    }
    let ask = |store: &mut SqliteStore| {
        [MINUTE, 600, HOUR, 3 * HOUR].map(|r| store.summary(&all(START - HOUR, end, r)).unwrap())
    };
    let before = ask(&mut store);
    assert_eq!(before[0].len(), 300);
    let done = maintain(&mut store, at(end));
    assert_eq!((done.summarised, done.expired), (305, 3 * 60));
    assert_eq!(store.counts().unwrap().samples, 2 * 60);
    for (a, b) in before.iter().zip(&ask(&mut store)) {
        assert_alike(a, b);
    }
    // Finer than what is left, the coarser stands in; and the newest samples are still there.
    let fine = store.summary(&all(START, end, 5)).unwrap();
    assert_alike(&fine, &{
        let mut as_stored = before[0].clone();
        as_stored.resolution = Span::from_secs(5);
        as_stored
    });
    // Minutes go too, and the hours remain.
    store.append(STEP, &each_minute(end + 3 * DAY, end + 3 * DAY + HOUR)).unwrap();
    maintain(&mut store, at(end + 3 * DAY + HOUR));
    assert_alike(&before[2], &store.summary(&all(START, end, HOUR)).unwrap());
    let fallback = store.summary(&all(START, end, MINUTE)).unwrap();
    assert_eq!(fallback.starts, before[2].starts);
    assert_eq!(rows(&path, "metrics_1h"), 6);
}

#[test]
fn a_summary_is_of_the_features_asked_for_and_an_unknown_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    store.append(STEP, &each_minute(START, START + HOUR)).unwrap();
    let two = vec!["a \"quoted\" name".to_owned(), "cpu".to_owned()];
    for _ in 0..2 {
        let summary = store.summary(&all(START, START + HOUR, HOUR).of(two.clone())).unwrap();
        assert_eq!(summary.features, two);
        assert_eq!(summary.point(0)[0].max, (START + 59 * MINUTE) as f64);
        maintain(&mut store, at(START + HOUR));
    }
    let e = store.summary(&all(0, 1, 1).of(vec!["gpu".into()])).unwrap_err();
    assert!(e.is_invalid_input() && e.to_string().contains("`gpu`"), "{e}");
    assert!(store.summary(&all(9, 3, 1)).unwrap().is_empty());
}

#[test]
fn what_comes_late_takes_its_place_and_its_minute_and_hour_are_summarised_once_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let (first, rest): (Vec<_>, Vec<_>) =
        each_minute(START, START + 3 * HOUR).into_iter().enumerate().partition(|(i, _)| i % 7 < 3);
    let strip = |v: Vec<(usize, Sample)>| v.into_iter().map(|(_, s)| s).collect::<Vec<_>>();
    store.append(STEP, &strip(first)).unwrap();
    maintain(&mut store, at(START + 3 * HOUR));
    // Backwards, one at a time, and by another process that knows nothing of the summaries.
    let mut other = open(store.path());
    for late in strip(rest).iter().rev() {
        assert_eq!(other.append(STEP, std::slice::from_ref(late)).unwrap(), Appended::new(1, 0, 0));
    }
    let whole = store.samples(&SampleQuery::latest(STEP, 999)).unwrap();
    assert_eq!(whole.len(), 180);
    maintain(&mut store, at(START + 3 * HOUR + MINUTE));

    let mut fresh = open(&dir.path().join("fresh.db"));
    fresh.append(STEP, &each_minute(START, START + 3 * HOUR)).unwrap();
    for resolution in [MINUTE, HOUR] {
        let query = all(START, START + 4 * HOUR, resolution);
        assert_alike(&store.summary(&query).unwrap(), &fresh.summary(&query).unwrap());
    }
}

#[test]
fn a_clock_that_jumps_a_year_ahead_and_back_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open_briefly(&path);
    let year = 365 * DAY;
    let mut given = each_minute(START, START + 3 * HOUR);
    store.append(STEP, &given).unwrap();
    maintain(&mut store, at(START + 3 * HOUR));
    let kept = store.counts().unwrap().samples;

    let ahead = each_minute(START + year, START + year + HOUR);
    for one in &ahead {
        store.append(STEP, std::slice::from_ref(one)).unwrap();
        assert_eq!(maintain(&mut store, one.timestamp).expired, 0, "the clock may be wrong");
    }
    let back = each_minute(START + 3 * HOUR, START + 5 * HOUR);
    for one in &back {
        assert_eq!(store.append(STEP, std::slice::from_ref(one)).unwrap().stored, 1);
        maintain(&mut store, one.timestamp);
    }
    assert_eq!(store.counts().unwrap().samples, kept + 60 + 120);
    given.extend(back);
    let mut fresh = open(&dir.path().join("fresh.db"));
    fresh.append(STEP, &given).unwrap();
    maintain(&mut store, at(START + 5 * HOUR));
    for resolution in [MINUTE, HOUR] {
        let query = all(START, START + 5 * HOUR - 1, resolution);
        assert_alike(&store.summary(&query).unwrap(), &fresh.summary(&query).unwrap());
    }
    // A day later time is trusted again, and what is old goes, although the minute of now waits to be over; what lies
    // ahead stays.
    let now = START + 6 * HOUR + DAY;
    store.append(STEP, &[sample(now, [1.0; 3])]).unwrap();
    assert!(maintain(&mut store, at(now)).expired > 0);
    let left = store.samples(&SampleQuery::latest(STEP, 9999)).unwrap();
    assert_eq!(left.len(), 61);
    assert_eq!(left.timestamps()[..2], [at(now), at(START + year)]);
}

#[test]
fn a_sample_of_a_minute_whose_samples_are_gone_is_counted_as_late_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open_briefly(&path);
    let given = each_minute(START, START + 5 * HOUR);
    store.append(STEP, &given).unwrap();
    maintain(&mut store, at(START + 5 * HOUR));
    let query = all(START, START + 5 * HOUR, MINUTE);
    let before = store.summary(&query).unwrap();
    // The same history once more, as from a backup: nothing is counted twice.
    let mut again = Appended::new(0, 120, 0);
    again.late = 180;
    assert_eq!(store.append(STEP, &given).unwrap(), again);
    assert_eq!(open_briefly(&path).append(STEP, &given).unwrap(), again);
    maintain(&mut store, at(START + 5 * HOUR + MINUTE));
    assert_eq!(store.summary(&query).unwrap(), before);
    // Of a minute of which nothing was known, it is not too late.
    let older = each_minute(START - 2 * HOUR, START);
    assert_eq!(store.append(STEP, &older).unwrap(), Appended::new(120, 0, 0));
    maintain(&mut store, at(START + 5 * HOUR + 2 * MINUTE));
    assert_eq!(
        store.summary(&all(START - 2 * HOUR, START - 1, HOUR)).unwrap().point(0)[0].count,
        60
    );
}

#[test]
fn times_that_no_calendar_has_are_kept_and_not_summarised() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_briefly(&dir.path().join("overseer.db"));
    let times = [i64::MIN, i64::MIN / 2 - 1, -1, 0, i64::MAX / 2 + 1, i64::MAX];
    let odd = times.map(|t| Sample::new(Timestamp::from_millis(t), vec![1.0; 3]));
    assert_eq!(store.append(STEP, &odd).unwrap().stored, 6);
    assert_eq!(maintain(&mut store, at(0)).summarised, 4, "two minutes and their hours");
    let mut again = Appended::new(0, 4, 0);
    again.late = 2;
    assert_eq!(store.append(STEP, &odd).unwrap(), again);
    maintain(&mut store, Timestamp::from_millis(i64::MAX));
    maintain(&mut store, Timestamp::from_millis(i64::MIN));
    assert_eq!(store.samples(&SampleQuery::latest(STEP, 9)).unwrap().len(), 4);
}

#[test]
fn upkeep_stops_when_its_time_is_over_and_goes_on_with_the_next_call() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    for chunk in each_minute(START, START + 10 * HOUR).chunks(200) {
        store.append(STEP, chunk).unwrap();
    }
    let now = at(START + 10 * HOUR);
    let mut calls = 0;
    while store.maintain(now, Duration::ZERO).unwrap().behind {
        calls += 1;
        assert!(calls < 2000);
    }
    assert!(calls > 10, "{calls}");
    assert_eq!(store.summary(&all(START, START + 10 * HOUR, HOUR)).unwrap().len(), 10);
    // Until the next minute there is nothing to do, which is known without looking.
    let path = store.path().to_owned();
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(store.maintain(now, Duration::ZERO).unwrap(), Maintenance::default());
}

#[test]
fn predictions_and_patterns_expire_and_anomalies_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open_briefly(&path);
    for hour in 0..48 {
        let t = START + hour * HOUR;
        store.record(&[crate::contents::anomaly(t)], &[prediction(t)], &[pattern(t)]).unwrap();
        store.append(STEP, &[sample(t, [1.0; 3])]).unwrap();
        maintain(&mut store, at(t));
    }
    let counts = store.counts().unwrap();
    assert_eq!((counts.anomalies, counts.predictions, counts.patterns), (48, 25, 25));
}

#[test]
fn a_database_stays_within_its_size_and_says_what_was_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let most = 8 << 20;
    let mut keep = Retention::forever();
    keep.most_bytes = Some(most);
    let mut store = SqliteOptions::new().retention(keep).open(&path, &schema(), HOST).unwrap();
    let mut dropped = Maintenance::default();
    for day in 0..20 {
        let from = START + day * DAY;
        for hour in 0..24 {
            let at_hour = from + hour * HOUR;
            let samples: Vec<_> = (0..720)
                .map(|i| sample(at_hour + 5 * i, [i as f64 / 7.0, 0.3, i as f64 / 3.0]))
                .collect();
            store.append(STEP, &samples).unwrap();
            for more in maintain(&mut store, at(at_hour + HOUR)).dropped {
                dropped.note_dropped(more);
            }
        }
    }
    drop(store);
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size <= most, "{size}");
    let samples = dropped.dropped.iter().find(|d| d.what == "samples").unwrap();
    assert!(samples.rows > 100_000 && samples.before > at(START + DAY), "{samples:?}");
    assert_eq!(rows(&path, "system_metrics") + samples.rows as i64, 20 * 24 * 720);
    assert_eq!(rows(&path, "metrics_1h"), 20 * 24, "what is left of the days that were dropped");
}

/// Two months brought at once, such as by an import, into a database that may not hold them: what they take never
/// becomes more, and each sample is in an hour or was told as given up.
#[test]
fn a_long_history_brought_at_once_never_makes_a_full_database_larger() {
    const ROWS: i64 = 60 * 1440;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let most = 8 << 20;
    let mut keep = Retention::default();
    (keep.samples, keep.most_bytes) = (Some(Span::from_secs(2 * DAY)), Some(most));
    let schema = overseer_core::host::schema();
    let mut store = SqliteOptions::new().retention(keep).open(&path, &schema, HOST).unwrap();
    // Whole hours, so that all of it is in some hour.
    let start = 19_000 * DAY - at(0).as_millis() / 1000 % HOUR;
    let sample = |i: i64| {
        let values = (1..=schema.len()).map(|j| (i as f64 * j as f64 / 13.1).sin()).collect();
        Sample::new(at(start + MINUTE * i), values)
    };
    let samples: Vec<Sample> = (0..ROWS).map(sample).collect();
    store.append(Span::from_secs(MINUTE), &samples).unwrap();
    let size = || {
        let person = rusqlite::Connection::open(&path).unwrap();
        let pages: i64 = person.query_row("PRAGMA page_count", [], |r| r.get(0)).unwrap();
        4096 * pages.unsigned_abs()
    };
    let (before, now) = (size(), at(start + MINUTE * ROWS));
    assert!(before > most, "{before}");

    let (mut given_up, mut told) = (0, Vec::new());
    loop {
        let done = store.maintain(now, Duration::from_millis(20)).unwrap();
        let of = |d: &&overseer_core::Dropped| d.what.contains("not summarised yet");
        given_up += done.dropped.iter().find(of).map_or(0, |d| d.rows);
        told.extend(done.told);
        assert!(size() <= before + (256 << 10), "{} after {before}", size());
        if !done.behind {
            break;
        }
    }
    assert!(size() <= most, "{}", size());
    assert!(told.first().is_some_and(|said| said.contains("more than the 8.4 MB")), "{told:?}");
    let person = rusqlite::Connection::open(&path).unwrap();
    let sql = "SELECT sum(\"system.cpu.utilization:count\") FROM metrics_1h";
    let in_hours: i64 = person.query_row(sql, [], |r| r.get(0)).unwrap();
    assert_eq!(in_hours + i64::try_from(given_up).unwrap(), ROWS, "{given_up} given up");
    assert!(given_up < 36_000, "only what did not fit at first: {given_up}");
}

#[test]
fn retention_that_cannot_work_is_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let refused = |keep: Retention| {
        let e = SqliteOptions::new().retention(keep).open(&path, &schema(), HOST).unwrap_err();
        assert!(e.is_invalid_input(), "{e}");
        e.to_string()
    };
    let mut keep = Retention::default();
    keep.samples = Some(Span::from_secs(60));
    assert!(refused(keep).contains("samples"));
    let mut keep = Retention::default();
    keep.most_bytes = Some(1000);
    assert!(refused(keep).contains("8 MiB"));
    assert!(!path.exists());
}
