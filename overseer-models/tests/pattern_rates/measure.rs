//! Rates over many series, on all processors.

use crate::analysis::{START, analyze, analyzer};
use crate::noise::Family;
use crate::signals::{Signal, claims, line};
use overseer_core::{PatternAnalyzer, Timestamp};
use overseer_models::pattern::ShapeAnalyzer;
use overseer_models::trend::RobustTrend;

/// Sums what `of` says of every seed.
fn sum<const K: usize>(series: u64, of: impl Fn(u64) -> [f64; K] + Sync) -> [f64; K] {
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    std::thread::scope(|scope| {
        let of = &of;
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    let mut sums = [0.0; K];
                    for seed in (worker..series).step_by(workers as usize) {
                        sums.iter_mut().zip(of(seed)).for_each(|(sum, v)| *sum += v);
                    }
                    sums
                })
            })
            .collect();
        handles.into_iter().fold([0.0; K], |mut sums, handle| {
            let part = handle.join().expect("a worker panicked");
            sums.iter_mut().zip(part).for_each(|(sum, v)| *sum += v);
            sums
        })
    })
}

fn share(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

/// The share of series of noise that each claim is made of.
pub(crate) fn false_claims(family: Family, n: usize, series: u64, significance: f64) -> [f64; 5] {
    let analyzer = analyzer(significance);
    let found = sum(series, |seed| {
        claims(&analyze(&analyzer, &family.series(n, 7_000_000 + seed))).map(share)
    });
    found.map(|f| f / series as f64)
}

/// The share of series with a signal in which it is found.
pub(crate) fn power(signal: &Signal, strength: f64, series: u64, significance: f64) -> f64 {
    let analyzer = analyzer(significance);
    let [found] = sum(series, |seed| {
        let (values, chance) = signal.series(strength, 3_000_000 + seed);
        [share(signal.is_found(&analyze(&analyzer, &values), chance))]
    });
    found / series as f64
}

/// Shares of 95 % intervals that hold the truth.
pub(crate) struct Coverage {
    /// Of all slopes, and the median width of theirs over that of the best line's under white noise.
    pub(crate) slope: f64,
    /// Of the moments at which a limit is reached, where the trend is significant and a crossing told; and how often.
    pub(crate) crossing: f64,
    pub(crate) told: f64,
}

/// A line that changes by eight deviations of its noise, with a limit half as far away again.
pub(crate) fn coverage(phi: f64, spiky: bool, n: usize, series: u64) -> Coverage {
    let deviation = if phi < 1.0 { 1.0 / (1.0 - phi * phi).sqrt() } else { (n as f64).sqrt() };
    let change = 8.0 * deviation;
    let analyzer =
        ShapeAnalyzer::builder().limit("x", 20.0 + 1.5 * change).build().expect("defaults");
    let minutes = (n - 1) as f64;
    let truth = change / minutes / 60.0;
    let reached = Timestamp::from_millis(START + (60_000.0 * 1.5 * minutes) as i64);
    let [slope, crossing, told] = sum(series, |seed| {
        let values = line(phi, spiky, n, change, 5_000_000 + seed);
        let frame = crate::analysis::frame_of(&values);
        let robust = RobustTrend::fit(frame.timestamps(), &values).expect("a line");
        let found = analyzer.analyze_column(&frame, 0).expect("a column").expect("enough");
        let crossing = found.trend.and_then(|t| t.crossing);
        let holds = crossing.is_some_and(|c| {
            c.earliest <= reached && c.latest.is_none_or(|latest| reached <= latest)
        });
        let inside = robust.interval.0 <= truth && truth <= robust.interval.1;
        [share(inside), share(holds), share(crossing.is_some())]
    });
    Coverage { slope: slope / series as f64, crossing: crossing / told, told: told / series as f64 }
}
