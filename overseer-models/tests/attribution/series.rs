//! Many features of one host: made up or read.

use overseer_core::{Frame, Sample, Schema, Span, Timestamp};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;
use std::f64::consts::TAU;
use std::path::Path;

/// A recording of several features, evenly in time.
#[derive(Debug)]
pub(crate) struct Series {
    names: Vec<String>,
    step: Span,
    rows: Vec<Vec<f64>>,
}

impl Series {
    /// Three weeks of nine features every five minutes: four follow the day and one another, three another hidden
    /// load, and two go their own way.
    pub(crate) fn simulated(seed: u64) -> Self {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut normal = move || -> f64 { StandardNormal.sample(&mut rng) };
        let (mut users, mut jobs) = (0.0, 0.0);
        let mut own = [0.0; 9];
        let row = |i: usize| {
            users = 0.9 * users + 0.44 * normal();
            jobs = 0.8 * jobs + 0.6 * normal();
            own.iter_mut().for_each(|o| *o = 0.6 * *o + 0.8 * normal());
            let day = (TAU * i as f64 / 288.0).sin();
            let busy = 1.5 * day + 0.5 * users;
            let values = own.iter().enumerate().map(|(j, o)| match j {
                0..4 => 20.0 + busy + 0.3 * o,
                4..7 => 1e6 * (5.0 + jobs + 0.3 * o),
                _ => 0.1 * o,
            });
            values.collect()
        };
        let names = (0..9).map(|j| format!("feature {j}")).collect();
        Self { names, step: Span::from_secs(300), rows: (0..3 * 2016).map(row).collect() }
    }

    /// Reads a file of comma-separated numbers, with a header or without; what is no number is missing.
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut lines = text.lines().map(|line| line.split(',').map(str::trim)).peekable();
        let first: Vec<&str> = lines.peek().unwrap().clone().collect();
        let has_header = first.iter().any(|word| word.parse::<f64>().is_err());
        let mut names: Vec<String> = match has_header {
            true => lines.next().unwrap().map(str::to_owned).collect(),
            false => (0..first.len()).map(|j| format!("column {j:02}")).collect(),
        };
        let mut rows: Vec<Vec<f64>> =
            lines.map(|line| line.map(|v| v.parse().unwrap_or(f64::NAN)).collect()).collect();
        if names[0] == "timestamp" {
            names.remove(0);
            for row in &mut rows {
                row.remove(0);
            }
        }
        // Machines are sampled every minute, applications every five; a day has to be known in rows.
        let seconds = if names.len() > 30 { 60 } else { 300 };
        Self { names, step: Span::from_secs(seconds), rows }
    }

    pub(crate) fn step(&self) -> Span {
        self.step
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn columns(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// A day in rows.
    pub(crate) fn day(&self) -> usize {
        Span::from_secs(86_400).steps(self.step)
    }

    pub(crate) fn value(&self, row: usize, column: usize) -> f64 {
        self.rows[row][column]
    }

    pub(crate) fn sample(&self, row: usize) -> Sample {
        let start = Timestamp::from_millis(1_704_067_200_000);
        Sample::new(start + self.step.times(row), self.rows[row].clone())
    }

    /// The first rows as a frame.
    pub(crate) fn frame(&self, rows: usize) -> Frame {
        let schema = Schema::from_names(self.names.iter().cloned()).unwrap();
        let samples: Vec<Sample> = (0..rows).map(|row| self.sample(row)).collect();
        Frame::from_samples(schema, &samples).unwrap()
    }

    fn column(&self, rows: usize, column: usize) -> impl Iterator<Item = f64> + '_ {
        self.rows[..rows].iter().map(move |row| row[column])
    }

    /// The standard deviation of a column's first rows.
    pub(crate) fn deviation(&self, rows: usize, column: usize) -> f64 {
        let x: Vec<f64> = self.column(rows, column).filter(|v| !v.is_nan()).collect();
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / x.len() as f64).sqrt()
    }

    /// The second-largest correlation with another column: of two that go together and then do not, nobody can say
    /// which has changed.
    pub(crate) fn kinship(&self, rows: usize, column: usize) -> f64 {
        let x: Vec<f64> = self.column(rows, column).collect();
        let others = (0..self.columns()).filter(|&j| j != column);
        let mut kin: Vec<f64> = others
            .map(|j| correlation(x.iter().copied().zip(self.column(rows, j))).abs())
            .collect();
        kin.sort_by(f64::total_cmp);
        kin.iter().rev().nth(1).copied().unwrap_or(0.0)
    }

    /// The correlation with itself a day before.
    pub(crate) fn rhythm(&self, rows: usize, column: usize) -> f64 {
        let x: Vec<f64> = self.column(rows, column).collect();
        match x.get(self.day()..) {
            Some(later) => correlation(x.iter().copied().zip(later.iter().copied())),
            None => 0.0,
        }
    }
}

/// Pearson's; 0 where one side never varies.
fn correlation(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let known: Vec<(f64, f64)> = pairs.filter(|(a, b)| !a.is_nan() && !b.is_nan()).collect();
    let n = known.len() as f64;
    let (a, b) = known.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let sums = known.iter().fold((0.0, 0.0, 0.0), |(xx, yy, xy), (x, y)| {
        (xx + (x - a).powi(2), yy + (y - b).powi(2), xy + (x - a) * (y - b))
    });
    if sums.0 > 0.0 && sums.1 > 0.0 { sums.2 / (sums.0 * sums.1).sqrt() } else { 0.0 }
}
