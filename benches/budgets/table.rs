//! What each bench may take.

/// Microseconds of processor time: five times the median measured when this was last set, on a 2-core machine, and for
/// [`PARTS`] never more than [`WHOLE`]. To set it anew:
///
/// ```text
/// OVERSEER_BENCH_PRINT_BUDGETS=1 cargo bench -p overseer-benches
/// ```
///
/// prints these lines with the medians of that run, and those it did not measure as they are.
#[rustfmt::skip]
pub(crate) const BUDGETS: &[(&str, f64)] = &[
    ("detect", 80.0),
    ("predict", 1_000.0),
    ("time_to_full_20", 95_000.0),
    ("patterns", 20_000.0),
    ("analyze", 20_000.0),
    ("tick", 2_000.0),
    ("collect", 140.0),
    ("train", 590_000.0),
    ("store_1", 67.0),
    ("store_1k", 6_500.0),
    ("detector.save", 1_300.0),
    ("detector.load", 3_400.0),
    ("forecaster.save", 2_600.0),
    ("forecaster.load", 3_800.0),
    ("isolation_forest.train_1k", 3_600.0),
    ("isolation_forest.train_100k", 5_200.0),
    ("isolation_forest.score_1", 3.4),
    ("isolation_forest.score_1k", 1_800.0),
    ("isolation_forest.score_100k", 180_000.0),
    ("isolation_forest.contributions_1", 7.1),
    ("random_forest.train_1k_third", 390_000.0),
    ("random_forest.train_1k_all", 880_000.0),
    ("random_forest.predict_1", 13.0),
    ("random_forest.predict_10k", 77_000.0),
    ("random_forest.quantiles_1", 36.0),
    ("random_forest.train_20k_third", 11_000_000.0),
    ("random_forest.train_20k_min_leaf_5", 8_500_000.0),
    ("random_forest.predict_10k_of_20k", 170_000.0),
    ("trend.degree_3", 50.0),
    ("trend.degree_3_uneven", 78.0),
    ("trend.degree_by_criterion", 50.0),
    ("pattern.rhythm", 2_000.0),
];

/// Parts of the comprehensive analysis, and all of it: what was asked to stay under [`WHOLE`].
pub(crate) const PARTS: [&str; 5] = ["detect", "predict", "patterns", "analyze", "tick"];

/// Microseconds.
pub(crate) const WHOLE: f64 = 20_000.0;

/// The budget that a median of so many microseconds sets: two digits, rounded up.
pub(crate) fn budget_of(name: &str, median: f64) -> f64 {
    let wanted = 5.0 * median;
    let digit = 10.0_f64.powf(wanted.log10().floor() - 1.0);
    let rounded = (wanted / digit).ceil() * digit;
    if PARTS.contains(&name) { rounded.min(WHOLE) } else { rounded }
}

/// A line of the table.
pub(crate) fn line(name: &str, budget: f64) -> String {
    let (whole, tenths) = ((budget as u64).to_string(), (10.0 * budget.fract()).round());
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    format!("    (\"{name}\", {grouped}.{tenths}),")
}
