//! A drawing of forecasts beside what came: series forecast well, in the middle and badly, one panel each.

use super::Outcome;
use crate::report::svg::{Anchor, Svg};
use overseer_engine::offline::BacktestRow;

/// Forecasts are drawn at least so many rows apart, so that they do not lie over each other.
const APART: usize = 12;
/// So many of them are drawn.
const FORECASTS: usize = 12;
/// So many rows before the first of them are drawn.
const BEFORE: usize = 12;

const PANEL: (f64, f64) = (430.0, 150.0);
const PAD: f64 = 14.0;
const HEAD: f64 = 46.0;
const LEGEND: f64 = 34.0;
const COLUMNS: usize = 2;
/// A band may reach so many times the height of all that is drawn else, beyond that it is cut.
const CUT: f64 = 0.5;

/// One value that was forecast, as `BacktestRow` has it.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    /// The last row known.
    pub origin: usize,
    /// How many rows ahead.
    pub step: usize,
    /// The median.
    pub median: f64,
    /// The 90 % interval.
    pub lower: f64,
    /// See [`Said::lower`].
    pub upper: f64,
}

impl From<&BacktestRow> for Said {
    fn from(row: &BacktestRow) -> Self {
        let &BacktestRow { origin, step, median, lower, upper, .. } = row;
        Self { origin, step, median, lower, upper }
    }
}

/// A stretch of a series with the forecasts that were made in it.
#[derive(Debug, Clone, Default)]
pub struct Stretch {
    /// The row of the first value.
    first: usize,
    /// What was.
    truth: Vec<f64>,
    /// What was said, by origin and step.
    said: Vec<Said>,
}

impl Stretch {
    /// The forecasts in the middle of all that were made: nobody chose where they look good.
    #[must_use]
    pub fn middle(truth: &[f64], rows: &[Said]) -> Self {
        let mut origins: Vec<usize> = Vec::new();
        for row in rows {
            if origins.last().is_none_or(|last| row.origin >= last + APART) {
                origins.push(row.origin);
            }
        }
        let from = origins.len().saturating_sub(FORECASTS) / 2;
        let shown = origins.get(from..(from + FORECASTS).min(origins.len())).unwrap_or_default();
        let (Some(&first), Some(&last)) = (shown.first(), shown.last()) else {
            return Self::default();
        };
        let first = first.saturating_sub(BEFORE);
        let said = rows.iter().filter(|row| shown.contains(&row.origin)).copied().collect();
        let end = (last + APART).min(truth.len());
        Self { first, truth: truth[first..end].to_vec(), said }
    }

    /// The lowest and the highest value to draw.
    fn range(&self) -> (f64, f64) {
        let wider = |(low, high): (f64, f64), v: f64| (low.min(v), high.max(v));
        let known = self.truth.iter().chain(self.said.iter().map(|row| &row.median));
        let (low, high) = known
            .copied()
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), wider);
        if low > high {
            return (0.0, 1.0);
        }
        let most = (CUT * (high - low)).max(f64::MIN_POSITIVE);
        let bounds = self.said.iter().flat_map(|row| [row.lower, row.upper]);
        let (low, high) = bounds.map(|v| v.clamp(low - most, high + most)).fold((low, high), wider);
        if high > low { (low, high) } else { (low - 0.5, high + 0.5) }
    }
}

/// Which of the series are drawn, with the reason: spread from the best to the worst of `rel`, and the one whose
/// intervals held least.
#[must_use]
pub fn chosen(outcomes: &[Outcome]) -> Vec<(&'static str, &Outcome)> {
    let mut order: Vec<&Outcome> = outcomes.iter().filter(|o| !o.stretch.said.is_empty()).collect();
    order.sort_by(|a, b| a.all.rel.total_cmp(&b.all.rel));
    let at = |share: f64| (share * order.len().saturating_sub(1) as f64).round() as usize;
    let places = [
        ("forecast best", at(0.0)),
        ("a quarter are better", at(0.25)),
        ("in the middle", at(0.5)),
        ("three quarters are better", at(0.75)),
        ("forecast worst", at(1.0)),
    ];
    let mut found: Vec<(&'static str, &Outcome)> = Vec::new();
    let least = order.iter().min_by(|a, b| a.all.cov90.total_cmp(&b.all.cov90)).copied();
    let placed = places.into_iter().filter_map(|(why, at)| Some((why, *order.get(at)?)));
    for (why, outcome) in placed.chain(least.map(|o| ("intervals held least", o))) {
        if found.iter().all(|(_, o)| (&o.corpus, &o.name) != (&outcome.corpus, &outcome.name)) {
            found.push((why, outcome));
        }
    }
    found
}

/// Draws the chosen series.
#[must_use]
pub fn plot(outcomes: &[Outcome]) -> String {
    let panels = chosen(outcomes);
    let rows = panels.len().div_ceil(COLUMNS).max(1) as f64;
    let (width, height) = PANEL;
    let page = (COLUMNS as f64 * (width + 2.0 * PAD), rows * (height + HEAD + PAD) + LEGEND);
    let title = "Forecasts of ten rows with their 90 % intervals, and what came";
    let mut svg = Svg::new(page.0, page.1, title).with_style(STYLE);
    for (i, (why, outcome)) in panels.into_iter().enumerate() {
        let left = PAD + (i % COLUMNS) as f64 * (width + 2.0 * PAD);
        let top = (i / COLUMNS) as f64 * (height + HEAD + PAD);
        let name = format!("{}/{}", outcome.corpus, outcome.name);
        svg.text("head", left, top + 22.0, Anchor::Start, &name);
        let note =
            format!("{why}: rel {:.2}, {:.0} % within", outcome.all.rel, 100.0 * outcome.all.cov90);
        svg.text("note", left, top + 38.0, Anchor::Start, &note);
        panel(&mut svg, &outcome.stretch, (left, top + HEAD));
    }
    legend(&mut svg, page.1 - 12.0);
    svg.finish()
}

fn panel(svg: &mut Svg, stretch: &Stretch, (left, top): (f64, f64)) {
    let (width, height) = PANEL;
    let (low, high) = stretch.range();
    let rows = stretch.truth.len().saturating_sub(1).max(1) as f64;
    let x = |row: usize| left + row.saturating_sub(stretch.first) as f64 / rows * width;
    let y = |value: f64| {
        let share = (value.clamp(low, high) - low) / (high - low);
        top + height - share * height
    };
    for edge in [top, top + height] {
        svg.line("grid", (left, edge), (left + width, edge));
    }
    for said in stretch.said.chunk_by(|a, b| a.origin == b.origin) {
        let known: Vec<&Said> = said.iter().filter(|r| r.median.is_finite()).collect();
        let at = |row: &Said| x(row.origin + row.step);
        let upper = known.iter().map(|r| (at(r), y(r.upper)));
        let lower = known.iter().rev().map(|r| (at(r), y(r.lower)));
        svg.path("band", &format!("{}Z", drawn(upper.chain(lower))));
        svg.path("median", &drawn(known.iter().map(|r| (at(r), y(r.median)))));
    }
    for known in stretch.truth.iter().enumerate().collect::<Vec<_>>().chunk_by(|a, b| {
        // A missing value interrupts the line.
        a.1.is_nan() == b.1.is_nan()
    }) {
        let points = known.iter().filter(|(_, v)| !v.is_nan());
        let path = drawn(points.map(|(i, v)| (x(stretch.first + i), y(**v))));
        if !path.is_empty() {
            svg.path("truth", &path);
        }
    }
    svg.text("note", left + width, top - 4.0, Anchor::End, &short(high));
    svg.text("note", left + width, top + height + 12.0, Anchor::End, &short(low));
}

/// A line through points.
fn drawn(points: impl Iterator<Item = (f64, f64)>) -> String {
    points
        .enumerate()
        .map(|(i, (x, y))| format!("{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' }))
        .collect()
}

/// A number of about three digits.
fn short(value: f64) -> String {
    let digits = if value.abs() >= 100.0 || value.abs() < 0.005 { 0 } else { 2 };
    // What rounds to nothing has no sign.
    let value = if value.abs() < 0.005 { 0.0 } else { value };
    format!("{value:.digits$}").replace('-', "−")
}

fn legend(svg: &mut Svg, y: f64) {
    svg.path("truth", &format!("M{PAD:.1} {:.1}h24", y - 4.0));
    svg.text("note", PAD + 30.0, y, Anchor::Start, "what came");
    svg.path("median", &format!("M{:.1} {:.1}h24", PAD + 110.0, y - 4.0));
    svg.text("note", PAD + 140.0, y, Anchor::Start, "said up to ten rows before");
    svg.rect("band", PAD + 310.0, y - 10.0, 24.0, 12.0);
    svg.text(
        "note",
        PAD + 340.0,
        y,
        Anchor::Start,
        "its 90 % interval, cut where it is far wider than all else",
    );
}

/// Colours of lines and bands, on a light page and on a dark one.
const STYLE: &str = "\
.truth{fill:none;stroke:#1f2328;stroke-width:1.2}.median{fill:none;stroke:#0969da;stroke-width:1.8}
.band{fill:#0969da;fill-opacity:.22}
@media(prefers-color-scheme:dark){
.truth{stroke:#e6edf3}.median{stroke:#4493f8}.band{fill:#4493f8;fill-opacity:.3}}
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::figures::Figures;

    fn outcome(name: &str, rel: f64, cov90: f64) -> Outcome {
        let truth: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
        let rows: Vec<Said> = (0..30)
            .flat_map(|i| {
                let origin = 100 + 5 * i;
                (1..=10).map(move |step| Said { origin, step, median: 7.0, lower: 3.0, upper: 1e9 })
            })
            .collect();
        let all = Figures { rel, crps3: 1.0, cov90, msis: 9.0 };
        Outcome {
            corpus: "hosts".to_owned(),
            name: name.to_owned(),
            h1: all,
            h10: all,
            all,
            causal: None,
            stretch: Stretch::middle(&truth, &rows),
        }
    }

    #[test]
    fn forecasts_are_taken_from_the_middle_without_lying_over_each_other() {
        let stretch = outcome("a:cpu", 1.0, 0.9).stretch;
        let origins: Vec<usize> =
            stretch.said.chunk_by(|a, b| a.origin == b.origin).map(|c| c[0].origin).collect();
        assert_eq!(origins, [100, 115, 130, 145, 160, 175, 190, 205, 220, 235]);
        assert_eq!((stretch.first, stretch.truth.len()), (88, 159));
        assert_eq!(stretch.range(), (0.0, 28.5), "a band is cut at half the height of the rest");
    }

    #[test]
    fn numbers_are_short_and_nothing_has_no_sign() {
        let told = [-0.001, 0.0, -3.456, 1_516.2].map(short);
        assert_eq!(told, ["0", "0", "−3.46", "1516"]);
    }

    #[test]
    fn the_worst_and_the_least_sure_are_shown_beside_the_best() {
        let all = [("a", 0.5, 0.9), ("b", 0.7, 0.8), ("c", 1.3, 0.95), ("d", 0.6, 0.9)]
            .map(|(name, rel, cov)| outcome(name, rel, cov));
        let names: Vec<(&str, &str)> =
            chosen(&all).into_iter().map(|(why, o)| (why, o.name.as_str())).collect();
        assert_eq!(names[0], ("forecast best", "a"));
        assert!(names.contains(&("forecast worst", "c")), "{names:?}");
        assert!(names.iter().any(|(_, name)| *name == "b"), "{names:?}");
        let svg = plot(&all);
        assert!(svg.contains("hosts/c") && svg.contains("rel 1.30") && !svg.contains("NaN"));
        assert_eq!(plot(&[]).matches("class=\"band\"").count(), 1, "the legend alone");
    }
}
