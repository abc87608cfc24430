//! What is usual at this time of day.
//!
//! Each half hour of the day, by the clocks of the host's time zone, keeps a running mean of each feature; how far it is trusted grows with the rows it
//! has seen, and before that the mean of all rows stands in for it.

use super::memory::bytes_of;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

const BUCKETS: usize = 48;
const BUCKET_MS: i64 = 1_800_000;

/// The newest row's share of a bucket's mean, per this many seconds between rows, and at most [`FASTEST`].
const SHARE: f64 = 0.05 / 300.0;
const FASTEST: f64 = 0.3;

/// A bucket is half trusted once its rows cover this many seconds.
const HALF_TRUST: f64 = 3000.0;

/// The daily course of every feature.
#[derive(Debug, Clone)]
pub(super) struct Season {
    /// The newest row's share of a bucket that has seen many.
    share: f64,
    /// The rows that make a bucket half trusted.
    half: f64,
    /// Per feature: the mean of all rows, and how many there were.
    overall: Vec<(f64, f64)>,
    /// Per bucket and feature.
    buckets: Vec<(f64, f64)>,
}

impl Season {
    /// Of rows `step` seconds apart.
    pub(super) fn new(features: usize, step: f64) -> Self {
        Self {
            share: (SHARE * step).min(FASTEST),
            half: HALF_TRUST / step,
            overall: vec![(0.0, 0.0); features],
            buckets: vec![(0.0, 0.0); features * BUCKETS],
        }
    }

    /// Subtracts from each value what is usual at that local time, into `out`, and then learns the values. A missing
    /// value is left missing.
    pub(super) fn push(&mut self, local_ms: i64, values: &[f64], out: &mut [f64]) {
        let bucket = local_ms.rem_euclid(BUCKET_MS * BUCKETS as i64) / BUCKET_MS;
        let d = self.overall.len();
        let buckets = &mut self.buckets[bucket as usize * d..][..d];
        for (((overall, bucket), &value), out) in
            self.overall.iter_mut().zip(buckets).zip(values).zip(out)
        {
            *out = value;
            if value.is_nan() {
                continue;
            }
            let trust = bucket.1 / (bucket.1 + self.half);
            *out = value - (overall.0 + trust * (bucket.0 - overall.0));
            learn(bucket, value, self.share);
            learn(overall, value, self.share / BUCKETS as f64);
        }
    }

    /// The bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        bytes_of(&self.overall) + bytes_of(&self.buckets)
    }

    /// Forgets what belongs to times of the day, for they are others now.
    pub(super) fn forget(&mut self) {
        self.buckets.fill((0.0, 0.0));
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        w.f64(self.share);
        w.f64(self.half);
        for list in [&self.overall, &self.buckets] {
            w.f64s(list.iter().map(|m| m.0));
            w.f64s(list.iter().map(|m| m.1));
        }
    }

    pub(super) fn read_from(r: &mut Reader<'_>, features: usize) -> Result<Self> {
        let (share, half) = (r.finite()?, r.finite()?);
        let mut list = |n: usize| -> Result<Vec<(f64, f64)>> {
            let (means, counts) = (r.f64s()?, r.f64s()?);
            let known = means.iter().chain(&counts).all(|v| v.is_finite());
            if means.len() != n || counts.len() != n || !known || counts.iter().any(|c| *c < 0.0) {
                return Err(Error::corrupt("the detector's season", "a value is out of range"));
            }
            Ok(means.into_iter().zip(counts).collect())
        };
        let (overall, buckets) = (list(features)?, list(features * BUCKETS)?);
        if !(0.0..=FASTEST).contains(&share) || half <= 0.0 {
            return Err(Error::corrupt("the detector's season", "a rate is out of range"));
        }
        Ok(Self { share, half, overall, buckets })
    }
}

/// Takes a value into a running mean whose newest value counts for at least `share`.
fn learn(mean: &mut (f64, f64), value: f64, share: f64) {
    mean.1 += 1.0;
    mean.0 += (1.0 / mean.1).max(share) * (value - mean.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_recurs_at_the_same_hour_is_learned_and_another_hour_is_not_excused() {
        let mut season = Season::new(1, 300.0);
        let at = |row: i64| row * 300_000;
        let mut out = [0.0];
        for row in 0..288 * 20 {
            let busy = (72..84).contains(&(row % 288));
            season.push(at(row), &[if busy { 10.0 } else { 0.0 }], &mut out);
        }
        season.push(at(288 * 20 + 75), &[10.0], &mut out);
        assert!(out[0].abs() < 2.0, "{out:?}");
        season.push(at(288 * 20 + 150), &[10.0], &mut out);
        assert!(out[0] > 9.0, "{out:?}");
        season.push(at(288 * 20 + 151), &[f64::NAN], &mut out);
        assert!(out[0].is_nan());
    }
}
