//! The page with all figures.

use crate::measure::{coverage, false_claims, power};
use crate::noise::Family;
use crate::signals::signals;
use std::fmt::Write;

const SERIES: u64 = 1000;

pub(crate) fn page() -> String {
    let mut out = HEAD.to_owned();
    out.push_str("\n| series | values | trend | period | step | bend | spread |\n|---|---|---|---|---|---|---|\n");
    for family in Family::ALL {
        for n in [100, 300, 1000] {
            let rates = false_claims(family, n, SERIES, 0.05);
            let _ = write!(out, "| {} | {n}", family.name());
            for (i, rate) in rates.into_iter().enumerate() {
                let earned = if family == Family::Step && i == 2 { " (is there)" } else { "" };
                let _ = write!(out, " | {:.1} %{earned}", 100.0 * rate);
            }
            out.push_str(" |\n");
        }
    }
    out.push_str(FOUND);
    out.push_str("\n| what | strengths are | found at |\n|---|---|---|\n");
    for signal in signals() {
        let found: Vec<String> = signal
            .strengths
            .iter()
            .map(|&s| format!("{s}: {:.0} %", 100.0 * power(&signal, s, SERIES / 2, 0.01)))
            .collect();
        let _ = writeln!(
            out,
            "| {}, {} values | {} | {} |",
            signal.what,
            signal.n,
            signal.unit,
            found.join(", ")
        );
    }
    out.push_str(INTERVALS);
    out.push_str(
        "\n| noise | values | slopes | crossings | crossings told |\n|---|---|---|---|---|\n",
    );
    for (name, phi, spiky) in [
        ("white", 0.0, false),
        ("white, 2 % spikes", 0.0, true),
        ("AR(1) 0.5", 0.5, false),
        ("AR(1) 0.9", 0.9, false),
        ("random walk", 1.0, false),
    ] {
        for n in [100, 300, 1000] {
            let c = coverage(phi, spiky, n, SERIES);
            let _ = write!(out, "| {name} | {n} | {:.1} % |", 100.0 * c.slope);
            // Where a walk crosses is not where its drift would have.
            out.push_str(&if phi < 1.0 {
                format!(" {:.1} % | {:.0} % |\n", 100.0 * c.crossing, 100.0 * c.told)
            } else {
                format!(" – | {:.0} % |\n", 100.0 * c.told)
            });
        }
    }
    out.push_str(TAIL);
    out
}

const HEAD: &str = include_str!("head.md");
const FOUND: &str = include_str!("found.md");
const INTERVALS: &str = include_str!("intervals.md");
const TAIL: &str = include_str!("tail.md");
