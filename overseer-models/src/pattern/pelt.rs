//! The division of a series into stretches that costs the least.
//!
//! PELT (Killick, Fearnhead and Eckley, J. Am. Stat. Assoc. 107, 2012): the best division up to each index follows from
//! the best ones before it, and beginnings of a last stretch that can never win again are dropped on the way.

/// The bounds, 0 and `n` included, of stretches of at least `shortest` whose costs and a `penalty` for each add up to
/// the least. `cost` is asked for `from..to` and must never gain by joining two stretches.
pub(super) fn divide(
    n: usize,
    shortest: usize,
    penalty: f64,
    cost: impl Fn(usize, usize) -> f64,
) -> Vec<usize> {
    let shortest = shortest.max(1);
    if n < 2 * shortest {
        return vec![0, n];
    }
    let mut least = vec![f64::INFINITY; n + 1];
    let mut before = vec![0; n + 1];
    least[0] = -penalty;
    // Where a last stretch may begin, what all before it costs, and when that was found to be no better than a later one.
    let (mut starts, mut costs, mut beaten) = (vec![0], vec![-penalty], vec![usize::MAX]);
    let mut totals = Vec::with_capacity(n);
    for to in shortest..=n {
        totals.clear();
        totals.extend(starts.iter().zip(&costs).map(|(&from, before)| before + cost(from, to)));
        let mut best = (f64::INFINITY, 0);
        for (&from, total) in starts.iter().zip(&totals) {
            let total = total + penalty;
            if total < best.0 {
                best = (total, from);
            }
        }
        (least[to], before[to]) = best;
        // The later one can begin a stretch only once that is long enough.
        let mut kept = 0;
        for i in 0..starts.len() {
            if totals[i] >= best.0 {
                beaten[i] = beaten[i].min(to);
            }
            if to + 1 < beaten[i].saturating_add(shortest) {
                (starts[kept], costs[kept], beaten[kept]) = (starts[i], costs[i], beaten[i]);
                kept += 1;
            }
        }
        starts.truncate(kept);
        costs.truncate(kept);
        beaten.truncate(kept);
        if to + 1 >= 2 * shortest {
            let from = to + 1 - shortest;
            starts.push(from);
            costs.push(least[from]);
            beaten.push(usize::MAX);
        }
    }
    let mut bounds = vec![n];
    let mut at = n;
    while at > 0 {
        at = before[at];
        bounds.push(at);
    }
    bounds.reverse();
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn squares(values: &[f64], from: usize, to: usize) -> f64 {
        let mean = values[from..to].iter().sum::<f64>() / (to - from) as f64;
        values[from..to].iter().map(|v| (v - mean).powi(2)).sum()
    }

    /// All costs, the total of the best division.
    fn total(values: &[f64], bounds: &[usize], penalty: f64) -> f64 {
        bounds.windows(2).map(|w| squares(values, w[0], w[1]) + penalty).sum()
    }

    /// Every division, tried.
    fn least(values: &[f64], from: usize, shortest: usize, penalty: f64) -> f64 {
        let n = values.len();
        let whole = squares(values, from, n) + penalty;
        (from + shortest..(n + 1).saturating_sub(shortest))
            .map(|at| squares(values, from, at) + penalty + least(values, at, shortest, penalty))
            .fold(whole, f64::min)
    }

    #[test]
    fn a_bump_in_the_middle_is_cut_out_at_once() {
        let values: Vec<f64> =
            (0..60).map(|i| if (25..35).contains(&i) { 1.0 } else { 0.0 }).collect();
        assert_eq!(divide(60, 5, 0.1, |a, b| squares(&values, a, b)), [0, 25, 35, 60]);
        assert_eq!(divide(60, 5, 100.0, |a, b| squares(&values, a, b)), [0, 60]);
        assert_eq!(divide(9, 5, 0.0, |a, b| squares(&values, a, b)), [0, 9]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_costs_no_more_than_any_other_division(
            values in proptest::collection::vec(-5.0..5.0f64, 2..16), shortest in 1_usize..4,
            penalty in 0.0..20.0f64,
        ) {
            let bounds = divide(values.len(), shortest, penalty, |a, b| squares(&values, a, b));
            prop_assert!(bounds.windows(2).all(|w| w[1] - w[0] >= shortest.min(values.len())));
            let found = total(&values, &bounds, penalty);
            let best = least(&values, 0, shortest, penalty);
            prop_assert!((found - best).abs() < 1e-9, "{bounds:?}: {found} {best}");
        }
    }
}
