//! How alike a series and its own past are.

/// The autocorrelation of lags 0 to `max_lag` of a series with missing values (NaN), about its mean.
///
/// Each lag's mean product is over the pairs that are known, divided by the variance; a lag without any pair and a
/// series without variance give 0. A lag costs one pass over the series.
pub(super) fn autocorrelation(values: &[f64], max_lag: usize) -> Vec<f64> {
    let n = values.len();
    let known = values.iter().filter(|v| !v.is_nan()).count();
    let mean = values.iter().filter(|v| !v.is_nan()).sum::<f64>() / known.max(1) as f64;
    let centered: Vec<f64> =
        values.iter().map(|v| if v.is_nan() { 0.0 } else { v - mean }).collect();
    // Which pairs are known matters only if something is missing.
    let present: Option<Vec<f64>> =
        (known < n).then(|| values.iter().map(|v| f64::from(u8::from(!v.is_nan()))).collect());
    let variance = dot(&centered, &centered) / known.max(1) as f64;
    (0..=max_lag)
        .map(|lag| {
            let Some(later) = centered.get(lag..) else { return 0.0 };
            let pairs = match &present {
                None => later.len() as f64,
                Some(p) => p.get(lag..).map_or(0.0, |l| dot(p, l)),
            };
            let mean_product = dot(&centered, later) / pairs;
            if pairs > 0.0 && variance > 0.0 { mean_product / variance } else { 0.0 }
        })
        .collect()
}

/// The sum of products of the leading elements, in eight sums that the processor can run side by side.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (a[..n].chunks_exact(8), b[..n].chunks_exact(8));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    let mut sums = [0.0; 8];
    for (x, y) in a.zip(b) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    rest + sums.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_alternation_agrees_with_every_second_value() {
        let v: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
        let r = autocorrelation(&v, 3);
        assert_eq!(r[0], 1.0);
        assert!((r[1] + 1.0).abs() < 1e-12 && (r[2] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn missing_values_take_no_part() {
        let mut v: Vec<f64> = (0..400).map(|i| f64::from(i % 4)).collect();
        for i in (0..400).step_by(7) {
            v[i] = f64::NAN;
        }
        let r = autocorrelation(&v, 4);
        assert!((r[4] - 1.0).abs() < 0.02, "{r:?}");
    }

    #[test]
    fn nothing_known_and_constants_give_zero() {
        assert_eq!(autocorrelation(&[f64::NAN; 5], 2), [0.0; 3]);
        assert_eq!(autocorrelation(&[2.0; 5], 9), [0.0; 10]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_is_the_plain_definition(
            v in proptest::collection::vec(prop_oneof![9 => -5.0..5.0f64, 1 => Just(f64::NAN)], 2..60),
        ) {
            let known: Vec<f64> = v.iter().copied().filter(|x| !x.is_nan()).collect();
            let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
            let variance = known.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / known.len().max(1) as f64;
            for (lag, r) in autocorrelation(&v, v.len()).into_iter().enumerate() {
                let products: Vec<f64> = v.iter().zip(v.iter().skip(lag))
                    .map(|(a, b)| (a - mean) * (b - mean)).filter(|p| !p.is_nan()).collect();
                let plain = products.iter().sum::<f64>() / products.len() as f64 / variance;
                let plain = if plain.is_finite() { plain } else { 0.0 };
                prop_assert!((r - plain).abs() < 1e-9, "lag {lag}: {r} {plain}");
            }
        }
    }
}
