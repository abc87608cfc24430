//! How exactly findings tell measured values.

use overseer_core::{FeatureEvidence, PatternAnalysis, Periodicity};

/// The nearest number of seven digits. Nothing measured of a host is known better, and all of an `f64` is three times as
/// long to read, to send and to keep for ever.
pub(crate) fn seven_digits(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

/// The same for each number of what a feature has to do with an anomaly.
pub(crate) fn short(mut evidence: FeatureEvidence) -> FeatureEvidence {
    let (low, high) = evidence.expected;
    evidence.observed = seven_digits(evidence.observed);
    evidence.expected = (seven_digits(low), seven_digits(high));
    evidence.contribution = seven_digits(evidence.contribution);
    evidence
}

/// The same for each number of a pattern. Its confidence and the limit of a crossing are few digits already.
pub(crate) fn short_pattern(mut pattern: PatternAnalysis) -> PatternAnalysis {
    let short = |x: &mut f64| *x = seven_digits(*x);
    let short_rhythm = |rhythm: &mut Periodicity| {
        short(&mut rhythm.strength);
        rhythm.p_value.iter_mut().for_each(short);
    };
    short(&mut pattern.pattern_strength);
    pattern.volatility.iter_mut().for_each(short);
    pattern.periodicity.iter_mut().for_each(short_rhythm);
    pattern.further_rhythms.iter_mut().for_each(short_rhythm);
    if let Some(trend) = &mut pattern.trend {
        trend.coefficients.iter_mut().for_each(short);
        short(&mut trend.slope_per_hour);
        short(&mut trend.r_squared);
        short(&mut trend.p_value);
        if let Some(robust) = &mut trend.robust {
            short(&mut robust.slope_per_hour);
            short(&mut robust.interval.0);
            short(&mut robust.interval.1);
            short(&mut robust.p_value);
        }
    }
    for change in &mut pattern.change_points {
        short(&mut change.levels.0);
        short(&mut change.levels.1);
        if let Some(sizes) = &mut change.sizes {
            short(&mut sizes.0);
            short(&mut sizes.1);
        }
        change.p_value.iter_mut().for_each(short);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_number_stays_none() {
        assert!(seven_digits(f64::NAN).is_nan());
        assert_eq!(seven_digits(f64::NEG_INFINITY), f64::NEG_INFINITY);
        assert_eq!(seven_digits(0.673_085_117_076_091_5), 0.673_085_1);
        assert_eq!(seven_digits(123_456_789_012.0), 123_456_800_000.0);
    }

    proptest! {
        #[test]
        fn it_is_near_and_stays_what_it_is(x in proptest::num::f64::NORMAL) {
            let y = seven_digits(x);
            prop_assert!((y - x).abs() <= 5e-7 * x.abs() * 1.001 || y.is_infinite());
            prop_assert_eq!(seven_digits(y), y);
        }
    }
}
