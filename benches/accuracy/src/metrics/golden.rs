//! Made-up series for tests. The figures that the tests expect of them come from another implementation of the same
//! definitions, in Python with NumPy, which in turn agrees with the published tables of NAB and with the package `vus`.

use super::Event;

pub(super) const ROWS: usize = 600;

/// Events at both ends, two whose buffers meet, one of a single row.
pub(super) fn events() -> Vec<Event> {
    vec![0..=3, 100..=119, 300..=304, 312..=312, 590..=599]
}

/// Scores with many ties that are higher in events, three rows late, and once without cause.
pub(super) fn score() -> Vec<f64> {
    let mut score: Vec<f64> =
        (0..ROWS).map(|i| ((((i * 37 + 11) % 101) as f64 / 101.0) * 20.0).floor() / 20.0).collect();
    for (rows, more) in [(103..125, 0.5), (301..305, 0.3), (450..453, 0.9), (592..600, 0.2)] {
        for row in rows {
            score[row] += more;
        }
    }
    score
}

/// Fails unless two figures are the same but for rounding.
#[track_caller]
pub(super) fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} is not {b}");
}
