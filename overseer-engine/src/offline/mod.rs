//! Detection and forecasting over recordings, strictly causal: what `overseer score` and `overseer backtest` run.

mod backtest;
pub(crate) mod learner;
pub(crate) mod score;

pub use backtest::{Backtest, BacktestRow};
pub use score::{ScoreRow, Scorer};

use overseer_core::{Span, Timestamp};

/// The usual time between rows: the median difference; `None` of fewer than two rows, or if no time passes.
#[must_use]
pub fn usual_interval(timestamps: &[Timestamp]) -> Option<Span> {
    let mut gaps: Vec<i64> =
        timestamps.windows(2).map(|w| w[1].since(w[0]).as_millis()).filter(|&g| g > 0).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).map(|&g| Span::from_millis(g))
}
