//! Single samples and batches, in turns with bare SQLite.

use crate::bare::Bare;
use crate::clock::processor_time;
use crate::{Kept, judge};
use overseer_benches::host::{STEP, Samples, host_frame};
use overseer_engine::core::{Sample, Store, host};
use overseer_engine::host::store::SqliteStore;
use std::time::Duration;

/// How much slower than bare SQLite the store may be.
const MOST: f64 = 1.1;
const BATCH: usize = 1000;

pub(crate) fn beside_bare_sqlite() -> Kept {
    let place = tempfile::tempdir()?;
    let schema = host::schema();
    let mut store = SqliteStore::open(&place.path().join("overseer.db"), &schema, "bench")?;
    let mut bare = Bare::open(&place.path().join("bare.db"), &schema)?;
    let before = host_frame(1000, 1)?;
    let mut samples = Samples::after(&before, host_frame(5000, 2)?);
    // As a sampler does it: upkeep was done, and after it the store knows its marks.
    store.append(STEP, &[samples.next_sample().clone()])?;
    store.maintain(samples.next_sample().timestamp, Duration::from_secs(1))?;
    bare.append(STEP.as_millis(), &[samples.next_sample().clone()])?;

    let mut kept = true;
    for (what, batch, rounds, blocks) in [("1 sample", 1, 200, 61), ("1,000 samples", BATCH, 1, 61)]
    {
        let mut ratios = Vec::new();
        let mut times = Vec::new();
        for block in 0..blocks {
            // Whole blocks are timed, for a single write is shorter than the clock is sure of.
            let data: Vec<Vec<Sample>> = (0..rounds)
                .map(|_| (0..batch).map(|_| samples.next_sample().clone()).collect())
                .collect();
            let mut ours = || -> Result<Duration, Box<dyn std::error::Error>> {
                let start = processor_time();
                for rows in &data {
                    store.append(STEP, rows)?;
                }
                Ok(processor_time() - start)
            };
            let mut theirs = || -> Result<Duration, Box<dyn std::error::Error>> {
                let start = processor_time();
                for rows in &data {
                    bare.append(STEP.as_millis(), rows)?;
                }
                Ok(processor_time() - start)
            };
            let (ours, theirs) = if block % 2 == 0 {
                let ours = ours()?;
                (ours, theirs()?)
            } else {
                let theirs = theirs()?;
                (ours()?, theirs)
            };
            times.push((ours.as_secs_f64(), theirs.as_secs_f64()));
            ratios.push(ours.as_secs_f64() / theirs.as_secs_f64());
        }
        let ours = median(times.iter().map(|t| t.0)) / f64::from(rounds);
        let theirs = median(times.iter().map(|t| t.1)) / f64::from(rounds);
        println!("{what}: store {:.1} µs, bare rusqlite {:.1} µs", 1e6 * ours, 1e6 * theirs);
        kept &= judge(&format!("{what}, times bare rusqlite"), ours / theirs, MOST, "");
    }
    let stored = store.counts()?.samples;
    if stored != bare.count()?.unsigned_abs() {
        return Err(format!("{stored} rows beside {}: not the same work", bare.count()?).into());
    }
    Ok(kept)
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
