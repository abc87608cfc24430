//! One drawing for each corpus that shows where the detector wins and loses: a line a series, with how well its rows
//! are ranked, what became of each event, and how often it cried wolf.

use super::svg::{Anchor, Svg};
use crate::measure::OfSeries;
use crate::metrics::shipped::Fate;

const ROW: f64 = 20.0;
const TOP: f64 = 74.0;
/// About the width of a letter of a name, and of the smaller ones of a note.
const LETTER: f64 = 7.0;
const SMALL: f64 = 6.0;
const PAD: f64 = 14.0;
const GAP: f64 = 26.0;
const SQUARE: f64 = 9.0;
const PITCH: f64 = 12.0;
/// So many events stand beside each other in a line.
const PER_LINE: usize = 15;
const QUALITY: f64 = 160.0;
const FALSE_ALARMS: f64 = 140.0;
/// What a number beside a bar takes.
const NUMBER: f64 = 34.0;

/// What the first panel shows of each series.
#[derive(Debug, Clone, Copy)]
pub(super) enum Quality {
    /// VUS-PR, with the mean of the best peer where one is known.
    VusPr { best_peer: Option<f64> },
    /// Points of the Numenta Anomaly Benchmark.
    Points,
}

/// Draws a corpus.
pub(super) fn plot(corpus: &str, series: &[OfSeries], quality: Quality) -> String {
    let letters = series.iter().map(|s| short(&s.name).chars().count()).max().unwrap_or(0);
    let names = PAD + letters as f64 * LETTER;
    let most = series.iter().map(|s| s.fates.len()).max().unwrap_or(0);
    let squares = (most.clamp(1, PER_LINE) as f64 * PITCH).max(150.0);
    let first = names + GAP / 2.0;
    let second = first + QUALITY + NUMBER + GAP;
    let third = second + squares + GAP;
    let width = third + FALSE_ALARMS + NUMBER + PAD;
    let heights: Vec<f64> = series
        .iter()
        .map(|s| ROW + (s.fates.len().div_ceil(PER_LINE).max(1) - 1) as f64 * PITCH)
        .collect();
    let bottom = TOP + heights.iter().sum::<f64>();
    let title = format!("{corpus}: quality, events found and false alarms of each series");
    let mut svg = Svg::new(width, bottom + 58.0, &title);

    svg.text("head", PAD, 24.0, Anchor::Start, corpus);
    let axis = Axis::of(series, quality, first);
    axis.draw(&mut svg, bottom);
    svg.text("head", second, 24.0, Anchor::Start, "events, as shipped");
    svg.text("note", second, 40.0, Anchor::Start, "in the order of their times");
    let noisy = FalseAlarms::of(series, third);
    noisy.draw(&mut svg, bottom);

    let mut y = TOP;
    for (one, height) in series.iter().zip(&heights) {
        svg.text("", names, y + 14.0, Anchor::End, short(&one.name));
        axis.bar(&mut svg, one, y);
        for (i, fate) in one.fates.iter().enumerate() {
            let (column, line) = (i % PER_LINE, i / PER_LINE);
            let at = (second + column as f64 * PITCH, y + 5.0 + line as f64 * PITCH);
            square(&mut svg, *fate, at);
        }
        if one.fates.is_empty() {
            svg.text("note", second, y + 14.0, Anchor::Start, "none");
        }
        noisy.bar(&mut svg, one, y);
        y += height;
    }
    // What was measured lies over the bars.
    axis.goal(&mut svg, bottom);
    noisy.goal(&mut svg, bottom);
    legend(&mut svg, bottom + 26.0, quality);
    svg.finish()
}

/// A series' name without its folder and ending.
fn short(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.strip_suffix(".csv").unwrap_or(file)
}

/// A number with the minus sign of print.
fn signed(number: &str) -> String {
    number.replace('-', "−")
}

/// The first panel.
#[derive(Debug)]
struct Axis {
    quality: Quality,
    left: f64,
    /// The values at its ends.
    low: f64,
    high: f64,
}

impl Axis {
    fn of(series: &[OfSeries], quality: Quality, left: f64) -> Self {
        let (low, high) = match quality {
            Quality::VusPr { .. } => (0.0, 1.0),
            Quality::Points => {
                let points = series.iter().filter_map(|s| s.points);
                let widest = points.map(|p| p.abs().ceil()).fold(1.0, f64::max);
                (-widest, widest)
            }
        };
        Self { quality, left, low, high }
    }

    fn x(&self, value: f64) -> f64 {
        let share = (value.clamp(self.low, self.high) - self.low) / (self.high - self.low);
        self.left + share * QUALITY
    }

    fn draw(&self, svg: &mut Svg, bottom: f64) {
        let (title, about) = match self.quality {
            Quality::VusPr { .. } => ("VUS-PR", "1: every event above all else"),
            Quality::Points => ("NAB points", "at the other files' threshold"),
        };
        svg.text("head", self.left, 24.0, Anchor::Start, title);
        svg.text("note", self.left, 40.0, Anchor::Start, about);
        for i in 0..=4 {
            let value = self.low + f64::from(i) * (self.high - self.low) / 4.0;
            let x = self.x(value);
            svg.line(if value == 0.0 { "zero" } else { "grid" }, (x, TOP - 4.0), (x, bottom));
            if i % 2 == 0 {
                svg.text("note", x, TOP - 10.0, Anchor::Middle, &signed(&value.to_string()));
            }
        }
    }

    fn bar(&self, svg: &mut Svg, one: &OfSeries, y: f64) {
        let value = match self.quality {
            Quality::VusPr { .. } => one.vus_pr,
            Quality::Points => one.points,
        };
        let end = self.left + QUALITY + 6.0;
        let Some(value) = value else {
            svg.text("note", end, y + 14.0, Anchor::Start, "–");
            return;
        };
        let (zero, x) = (self.x(0.0), self.x(value));
        let class = if value < 0.0 { "loss" } else { "bar" };
        svg.rect(class, zero.min(x), y + 4.0, (x - zero).abs(), ROW - 8.0);
        svg.text("note", end, y + 14.0, Anchor::Start, &signed(&format!("{value:.2}")));
    }

    fn goal(&self, svg: &mut Svg, bottom: f64) {
        if let Quality::VusPr { best_peer: Some(value) } = self.quality {
            let x = self.x(value);
            svg.line("goal", (x, TOP - 4.0), (x, bottom));
        }
    }
}

/// The last panel.
#[derive(Debug)]
struct FalseAlarms {
    left: f64,
    high: f64,
}

impl FalseAlarms {
    fn of(series: &[OfSeries], left: f64) -> Self {
        let worst = series.iter().map(|s| s.fa_per_week).fold(1.0, f64::max);
        Self { left, high: (worst / 2.0).ceil() * 2.0 }
    }

    fn x(&self, value: f64) -> f64 {
        self.left + value.clamp(0.0, self.high) / self.high * FALSE_ALARMS
    }

    fn draw(&self, svg: &mut Svg, bottom: f64) {
        svg.text("head", self.left, 24.0, Anchor::Start, "false alarms a week");
        svg.text("note", self.left, 40.0, Anchor::Start, "as shipped, at a budget of 1");
        for i in 0..=2 {
            let value = f64::from(i) * self.high / 2.0;
            let x = self.x(value);
            svg.line(if i == 0 { "zero" } else { "grid" }, (x, TOP - 4.0), (x, bottom));
            svg.text("note", x, TOP - 10.0, Anchor::Middle, &value.to_string());
        }
    }

    fn bar(&self, svg: &mut Svg, one: &OfSeries, y: f64) {
        let x = self.x(one.fa_per_week);
        svg.rect("bar", self.left, y + 4.0, x - self.left, ROW - 8.0);
        let number = format!("{:.1}", one.fa_per_week);
        svg.text("note", self.left + FALSE_ALARMS + 6.0, y + 14.0, Anchor::Start, &number);
    }

    fn goal(&self, svg: &mut Svg, bottom: f64) {
        let x = self.x(1.0);
        svg.line("goal", (x, TOP - 4.0), (x, bottom));
    }
}

/// One event; what became of it can be told without its colour.
fn square(svg: &mut Svg, fate: Fate, (x, y): (f64, f64)) {
    match fate {
        Fate::Alerted => svg.rect("found", x, y, SQUARE, SQUARE),
        Fate::Ongoing => {
            let (right, bottom) = (x + SQUARE, y + SQUARE);
            svg.path("half", &format!("M{x:.1} {bottom:.1}H{right:.1}V{y:.1}Z"));
        }
        Fate::Missed => svg.rect("open", x + 0.75, y + 0.75, SQUARE - 1.5, SQUARE - 1.5),
    }
}

fn legend(svg: &mut Svg, y: f64, quality: Quality) {
    let mut x = PAD;
    for (fate, words) in [
        (Fate::Alerted, "alert raised inside"),
        (Fate::Ongoing, "inside an alert raised before"),
        (Fate::Missed, "missed"),
    ] {
        square(svg, fate, (x, y - SQUARE));
        svg.text("note", x + SQUARE + 6.0, y, Anchor::Start, words);
        x += SQUARE + 24.0 + words.chars().count() as f64 * SMALL;
    }
    let (y, mut x) = (y + 20.0, PAD);
    let peer = match quality {
        Quality::VusPr { best_peer: Some(value) } => {
            format!("left: the best peer's mean, {value:.2}; ")
        }
        _ => String::new(),
    };
    svg.line("goal", (x, y - 4.0), (x + 24.0, y - 4.0));
    x += 30.0;
    svg.text("note", x, y, Anchor::Start, &format!("{peer}right: the budget"));
}
