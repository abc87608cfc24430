//! A million samples as the points of a chart.

use crate::clock::processor_time;
use crate::writes::median;
use crate::{Kept, judge};
use overseer_benches::host::{STEP, Samples, host_frame};
use overseer_engine::core::{Sample, Store, SummaryQuery, host};
use overseer_engine::host::store::{Retention, SqliteOptions};
use std::time::Duration;

const ROWS: usize = 1_000_000;
const POINTS: usize = 500;
const MOST_MS: f64 = 50.0;

pub(crate) fn of_a_million_rows() -> Kept {
    let place = tempfile::tempdir()?;
    let options = SqliteOptions::new().retention(Retention::forever());
    let mut store = options.open(&place.path().join("overseer.db"), &host::schema(), "bench")?;
    let first = host_frame(1, 1)?.timestamps()[0];
    let mut samples = Samples::after(&host_frame(1, 1)?, host_frame(5000, 2)?);
    let mut last = first;
    for _ in 0..ROWS / 5000 {
        let rows: Vec<Sample> = (0..5000).map(|_| samples.next_sample().clone()).collect();
        last = rows.last().map_or(last, |s| s.timestamp);
        store.append(STEP, &rows)?;
        store.maintain(last, Duration::from_secs(60))?;
    }
    let query = SummaryQuery::in_points(first, last, POINTS);
    let one = query.clone().of(vec!["system.cpu.utilization".to_owned()]);
    let mut kept = true;
    for (what, query) in [("13 features", &query), ("1 feature", &one)] {
        let mut times = Vec::new();
        for _ in 0..21 {
            let start = processor_time();
            let summary = store.summary(query)?;
            times.push(1e3 * (processor_time() - start).as_secs_f64());
            let counted: u64 = (0..summary.len()).map(|i| summary.point(i)[0].count).sum();
            if summary.len() > POINTS || counted != ROWS as u64 {
                return Err(format!("{counted} samples in {} points", summary.len()).into());
            }
        }
        let what = format!("a million samples in {POINTS} points, {what}");
        kept &= judge(&what, median(times.into_iter()), MOST_MS, "ms");
    }
    Ok(kept)
}
