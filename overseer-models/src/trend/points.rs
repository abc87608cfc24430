//! The known points of a window, checked.

use super::basis::Scale;
use overseer_core::{Error, Result, Timestamp};

/// The known points of a window with their weights.
#[derive(Debug)]
pub(super) struct Points {
    pub(super) scale: Scale,
    /// Times scaled to −1…+1.
    pub(super) x: Vec<f64>,
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
        if let Some(i) = values.iter().position(|v| v.is_infinite()) {
            return Err(Error::invalid_value(format!("row {i}"), "the value is infinite"));
        }
        let scale = Scale { start, end };
        let known = |i: &usize| !values[*i].is_nan() && weights.is_none_or(|w| w[*i] != 0.0);
        let rows: Vec<usize> = (0..values.len()).filter(known).collect();
        let root_weights = match weights {
            None => None,
            Some(w) => {
                if let Some(i) = w.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
                    let why = format!("the weight must be finite and not negative, was {}", w[i]);
                    return Err(Error::invalid_value(format!("row {i}"), why));
                }
                Some(rows.iter().map(|&i| w[i].sqrt()).collect())
            }
        };
        let largest = rows.iter().fold(0.0, |most: f64, &i| most.max(values[i].abs()));
        let unit = power_of_two(largest);
        Ok(Self {
            scale,
            x: rows.iter().map(|&i| scale.scaled(times[i])).collect(),
            y: rows.iter().map(|&i| values[i] / unit).collect(),
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
        let distinct = 1 + self.x.windows(2).filter(|w| w[1] > w[0]).count();
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

/// The largest power of two that is at most `x`, so that dividing by it loses no digit; 1 of 0.
fn power_of_two(x: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    let power = f64::from_bits(x.to_bits() & EXPONENT);
    // The smallest numbers have no exponent of their own.
    if power > 0.0 { power } else if x > 0.0 { f64::MIN_POSITIVE } else { 1.0 }
}
