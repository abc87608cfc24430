//! The known points of a window, checked.

use super::basis::Scale;
use overseer_core::{Error, Result, Timestamp};

/// The known points of a window with their weights.
#[derive(Debug)]
pub(super) struct Points {
    pub(super) scale: Scale,
    /// Times scaled to −1…+1.
    pub(super) x: Vec<f64>,
    /// How many moments those are.
    distinct: usize,
    /// Values in units, above no level yet.
    pub(super) y: Vec<f64>,
    /// A power of two near the largest value, for values near the largest number would overflow when squared.
    pub(super) unit: f64,
    /// The largest value in units.
    pub(super) largest: f64,
    /// Square roots of the weights, or none if all weigh the same.
    pub(super) root_weights: Option<Vec<f64>>,
}

impl Points {
    /// Leaves out missing values and points of weight zero.
    pub(super) fn new(
        times: &[Timestamp],
        values: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        if times.len() != values.len() || weights.is_some_and(|w| w.len() != values.len()) {
            return Err(Error::schema_mismatch(
                format!("{} values and weights, one for each time", times.len()),
                format!("{} values", values.len()),
            ));
        }
        let (Some(&start), Some(&end)) = (times.first(), times.last()) else {
            return Err(Error::not_enough_data("a trend", 2, 0));
        };
        if let Some(i) = times.windows(2).position(|w| w[1] < w[0]) {
            return Err(Error::invalid_value(
                format!("row {}", i + 1),
                "its time is before the row above",
            ));
        }
        let is_finite = values.iter().all(|v| v.is_finite());
        if !is_finite && let Some(i) = values.iter().position(|v| v.is_infinite()) {
            return Err(Error::invalid_value(format!("row {i}"), "the value is infinite"));
        }
        if let Some((i, w)) =
            weights.into_iter().flatten().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.0))
        {
            let why = format!("the weight must be finite and not negative, was {w}");
            return Err(Error::invalid_value(format!("row {i}"), why));
        }
        let scale = Scale { start, end };
        let (x, mut y, root_weights) = if is_finite && weights.is_none() {
            (scale.all_scaled(times.iter().copied()), values.to_vec(), None)
        } else {
            let is_known = |i: &usize| !values[*i].is_nan() && weights.is_none_or(|w| w[*i] != 0.0);
            let rows: Vec<usize> = (0..values.len()).filter(is_known).collect();
            (
                scale.all_scaled(rows.iter().map(|&i| times[i])),
                rows.iter().map(|&i| values[i]).collect(),
                weights.map(|w| rows.iter().map(|&i| w[i].sqrt()).collect()),
            )
        };
        let largest = largest(&y);
        let unit = power_of_two(largest);
        y.iter_mut().for_each(|v| *v /= unit);
        Ok(Self {
            scale,
            distinct: x.len().min(1) + x.windows(2).filter(|w| w[1] > w[0]).count(),
            x,
            y,
            unit,
            // Nothing but zeros is exact to a share of one.
            largest: if largest > 0.0 { largest / unit } else { 1.0 },
            root_weights,
        })
    }

    /// Checks that a polynomial of `degree` can be fitted with a residual left over.
    pub(super) fn check(&self, degree: usize) -> Result<()> {
        let what = || format!("a polynomial of degree {degree} and its error");
        if self.x.len() < degree + 2 {
            return Err(Error::not_enough_data(what(), degree + 2, self.x.len()));
        }
        let distinct = self.distinct;
        if degree > 0 && distinct == 1 {
            return Err(Error::invalid_value(
                "the times",
                "all known values are of one moment, so no slope can be told",
            ));
        }
        if distinct < degree + 1 {
            return Err(Error::not_enough_data(
                format!("{}, in distinct moments", what()),
                degree + 1,
                distinct,
            ));
        }
        Ok(())
    }
}

/// The largest distance of a known value from zero.
pub(super) fn largest(values: &[f64]) -> f64 {
    // Each lane waits for itself only.
    let mut lanes = [0.0; 8];
    for block in values.chunks(lanes.len()) {
        for (most, v) in lanes.iter_mut().zip(block) {
            *most = if v.abs() > *most { v.abs() } else { *most };
        }
    }
    lanes.iter().fold(0.0, |most, lane| most.max(*lane))
}

/// The largest power of two that is at most `x`, so that dividing by it loses no digit; 1 of 0.
fn power_of_two(x: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    let power = f64::from_bits(x.to_bits() & EXPONENT);
    // The smallest numbers have no exponent of their own.
    if power > 0.0 {
        power
    } else if x > 0.0 {
        f64::MIN_POSITIVE
    } else {
        1.0
    }
}
