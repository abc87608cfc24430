//! A number that is known to lie between 0 and 1.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A probability, share or confidence: finite and in 0–1, checked when it is made and when it is read back.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Probability(f64);

impl Probability {
    /// Impossible.
    pub const ZERO: Self = Self(0.0);
    /// Certain.
    pub const ONE: Self = Self(1.0);

    /// Checks and wraps `value`.
    ///
    /// # Errors
    /// If `value` is NaN or outside 0–1.
    pub fn new(value: f64) -> Result<Self> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(Error::invalid_parameter("probability", format!("must be in 0–1, was {value}")))
        }
    }

    /// The nearest probability to a computed number; NaN becomes 0, for nothing is known then.
    #[must_use]
    pub fn saturating(value: f64) -> Self {
        if value.is_nan() { Self::ZERO } else { Self(value.clamp(0.0, 1.0)) }
    }

    /// The share `part / whole`; 0 of nothing is 0.
    #[must_use]
    pub fn share(part: usize, whole: usize) -> Self {
        if whole == 0 { Self::ZERO } else { Self::saturating(part as f64 / whole as f64) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Probability {
    type Error = Error;
    fn try_from(value: f64) -> Result<Self> {
        Self::new(value)
    }
}

impl From<Probability> for f64 {
    fn from(p: Probability) -> Self {
        p.0
    }
}

/// Prints as a whole percentage: `87 %`.
impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} %", 100.0 * self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn exactly_the_unit_interval_is_accepted(x in prop_oneof![-2.0..3.0f64, Just(f64::NAN), Just(f64::INFINITY)]) {
            prop_assert_eq!(Probability::new(x).is_ok(), (0.0..=1.0).contains(&x));
            let s = Probability::saturating(x).get();
            prop_assert!((0.0..=1.0).contains(&s));
        }
    }

    #[test]
    fn an_impossible_stored_value_is_refused() {
        assert!(serde_json::from_str::<Probability>("1.5").is_err());
        assert_eq!(serde_json::from_str::<Probability>("0.5").unwrap().to_string(), "50 %");
    }
}
