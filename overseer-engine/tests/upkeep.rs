//! What a tick does for its store besides storing.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, STEP, engine_at, run, start};
use overseer_core::{Span, Store, SummaryQuery, host};
use overseer_engine::host::store::SqliteStore;
use std::time::Duration;

const TICKS: usize = 400;

#[test]
fn ticks_summarise_what_they_store_and_store_what_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = engine_at(dir.path(), CalmHost::new());
    let mut made = 0;
    let now = run(&mut engine, start(), TICKS, |_, report| made += report.predictions.len());
    engine.close();

    let path = dir.path().join("overseer.db");
    let mut store = SqliteStore::open(&path, &host::schema(), "test").unwrap();
    assert_eq!(store.maintain(now, Duration::from_secs(9)).unwrap().summarised, 0, "all is done");
    let minutes = SummaryQuery::new(start(), now, Span::from_secs(60));
    let summary = store.summary(&minutes).unwrap();
    let counted: u64 = (0..summary.len()).map(|i| summary.point(i)[0].count).sum();
    assert_eq!(counted, TICKS as u64);
    assert!((TICKS / 12..=TICKS / 12 + 1).contains(&summary.len()), "{}", summary.len());

    let counts = store.counts().unwrap();
    assert!(counts.predictions > 0 && counts.predictions as usize <= made, "{counts:?} of {made}");
    // Thirteen features, each of which was looked at several times and hardly changed.
    assert!((13..=39).contains(&counts.patterns), "{counts:?}");
    assert_eq!(STEP.times(12), Span::from_secs(60));
}
