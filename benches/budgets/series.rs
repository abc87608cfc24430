//! One series at a time: its trend and its rhythm.

use crate::harness::Benches;
use overseer_benches::data::host_rows;
use overseer_benches::host::{START, STEP};
use overseer_engine::core::{Frame, PatternAnalyzer, Result, Schema, Span, Timestamp};
use overseer_engine::host::models::pattern::ShapeAnalyzer;
use overseer_engine::host::models::trend::PolynomialTrend;
use std::hint::black_box;

/// The points of a window.
const POINTS: usize = 1000;

/// A series and its times, of which every call sees a window that begins a point later.
struct Series {
    times: Vec<Timestamp>,
    values: Vec<f64>,
    start: usize,
}

impl Series {
    /// Sampled to the millisecond, or as irregularly as `jitter` milliseconds make it.
    fn new(jitter: i64) -> Self {
        let values: Vec<f64> = host_rows(2 * POINTS, 3).column(0).to_vec();
        let late = |i: usize| Span::from_millis((i as i64 * 7919) % jitter.max(1));
        let times = (0..values.len()).map(|i| START + STEP.times(i) + late(i)).collect();
        Self { times, values, start: 0 }
    }

    fn next(&mut self) -> (&[Timestamp], &[f64]) {
        self.start = (self.start + 1) % POINTS;
        let window = self.start..self.start + POINTS;
        (&self.times[window.clone()], &self.values[window])
    }
}

/// Polynomials through 1,000 points.
pub(crate) fn trends(benches: &mut Benches) -> Result<()> {
    let cubic = PolynomialTrend::builder().degree(3);
    for (name, trend, jitter) in [
        ("trend.degree_3", cubic, 0),
        ("trend.degree_3_uneven", cubic, 4000),
        ("trend.degree_by_criterion", cubic.degree_by_criterion(3), 0),
    ] {
        let prepare = || Ok((trend.build()?, Series::new(jitter)));
        benches.bench(name, prepare, |(trend, series)| {
            let (times, values) = black_box(series.next());
            let fitted = trend.fit(times, values)?;
            Ok(black_box(&fitted).residual_variance)
        })?;
    }
    Ok(())
}

/// All that is asked of one column of 1,000 points, whose rhythm takes autocorrelations and spectra to find.
pub(crate) fn rhythm(benches: &mut Benches) -> Result<()> {
    let windows = || {
        let noise = host_rows(2 * POINTS, 4);
        (0..8)
            .map(|window| {
                let mut frame = Frame::new(Schema::from_names(["jobs"])?);
                for i in window * 100..window * 100 + POINTS {
                    let job = if i % 60 < 5 { 6.0 } else { 0.0 };
                    frame.push_row(START + STEP.times(i), &[job + noise[(i, 0)]])?;
                }
                Ok(frame)
            })
            .collect::<Result<Vec<_>>>()
    };
    let prepare = || Ok((ShapeAnalyzer::builder().build()?, windows()?, 0));
    benches.bench("pattern.rhythm", prepare, |(analyzer, windows, next)| {
        *next = (*next + 1) % windows.len();
        let found = analyzer.analyze_column(black_box(&windows[*next]), 0)?;
        let strength = black_box(&found).as_ref().map(|p| p.pattern_strength);
        Ok(strength.unwrap_or(f64::NAN))
    })
}
