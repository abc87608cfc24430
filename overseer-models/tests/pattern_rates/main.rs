//! How often patterns are stated that are not there, and how often those that are there are found.
//!
//! The tests hold a few thousand series to it. All of the figures, in `docs/patterns.md`, are written by
//!
//! ```text
//! cargo test -p overseer-models --test pattern_rates -- --ignored
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

mod analysis;
mod measure;
mod noise;
mod page;
mod signals;

use measure::{coverage, false_claims, power};
use noise::Family;
use signals::signals;

const CLAIMS: [&str; 5] = ["trend", "period", "step", "bend", "spread"];

/// The largest share of `series` that claims of probability 5 % are made of, but for one measurement in a thousand.
fn tolerance(series: u64) -> f64 {
    0.05 + 3.1 * (0.05 * 0.95 / series as f64).sqrt()
}

#[test]
fn noise_of_fifteen_kinds_is_seldom_given_a_pattern() {
    const SERIES: u64 = 120;
    for family in Family::ALL {
        for n in [100, 300, 1000] {
            let rates = false_claims(family, n, SERIES, 0.05);
            for (rate, claim) in rates.into_iter().zip(CLAIMS) {
                if family == Family::Step && claim == "step" {
                    assert!(rate > 0.9, "{rate} of {n} values each were found to step");
                    continue;
                }
                // Where it fails, and the page says so.
                let hidden = matches!(family, Family::HiddenWalk(_));
                let most = if hidden { 0.3 } else { tolerance(SERIES) };
                assert!(rate <= most, "{}, {n} values: {claim} in {rate}", family.name());
            }
        }
    }
}

#[test]
fn what_is_clear_is_found() {
    for signal in signals() {
        let [.., strong] = signal.strengths;
        let found = power(&signal, strong, 40, 0.01);
        let least = if signal.what == "linear trend, AR(1) 0.9" { 0.35 } else { 0.85 };
        assert!(found >= least, "{} of {strong}: {found}", signal.what);
    }
}

#[test]
fn intervals_hold_the_truth_about_as_often_as_they_say() {
    for (phi, spiky) in [(0.0, false), (0.0, true), (0.5, false)] {
        let c = coverage(phi, spiky, 300, 100);
        assert!(c.slope >= 0.88, "slope: {} at phi {phi}", c.slope);
        assert!(c.crossing >= 0.85, "crossing: {} at phi {phi}", c.crossing);
    }
}

#[test]
#[ignore = "takes minutes and writes docs/patterns.md"]
fn the_page_is_written() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/patterns.md");
    std::fs::write(path, page::page()).unwrap();
}
