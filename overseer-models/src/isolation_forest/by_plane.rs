//! Splits by random hyperplanes, as in the extended forest.

use super::divide::{Division, Extent, divide, draw_between};
use super::draw::below;
use super::grow::{Cutter, Front};
use super::sample::Sample;
use super::tree::{PlaneSplit, Term};
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;

/// Divides a node's rows by a hyperplane over so many columns drawn among those that vary there.
///
/// The coordinates of its normal are standard normal, for columns measured in standard deviations of the tree's sample:
/// no column counts for more because of its unit. As in the paper it goes through a point drawn evenly within the box
/// around the node's rows. Where the paper lets such a plane pass beside all rows, which tells none from another, it is
/// moved among them.
#[derive(Debug)]
pub(super) struct ByPlane {
    width: usize,
    min_span: f64,
    /// Where the rows of the tree's sample begin.
    rows: Vec<u32>,
    /// The spread of each column in the tree's sample; NaN until it is asked for.
    spreads: Vec<f64>,
    /// The values of a node's rows in one column.
    numbers: Vec<f32>,
    /// How far the columns of a hyperplane reach in a node.
    extents: Vec<Extent>,
    /// The sums of their terms.
    projections: Vec<f32>,
}

impl ByPlane {
    /// Hyperplanes over up to `width` of `d` columns, for samples of so many rows.
    pub(super) fn new(width: usize, d: usize, sample_size: usize, min_span: f64) -> Self {
        let numbers = vec![0.0; sample_size];
        let spreads = vec![f64::NAN; d];
        Self {
            width,
            min_span,
            rows: Vec::new(),
            extents: vec![Extent::NONE; width],
            spreads,
            projections: numbers.clone(),
            numbers,
        }
    }

    /// Draws the columns of a hyperplane, which are then the first ones in front, and says how many they are.
    fn draw_columns(
        &mut self,
        sample: &Sample<'_>,
        rows: &[u32],
        front: &mut Front<'_>,
        rng: &mut Pcg64Mcg,
    ) -> usize {
        let mut drawn = 0;
        while drawn < self.width.min(front.varying) {
            let at = drawn + below(rng, front.varying - drawn);
            let column = front.columns[at] as usize;
            let extent = sample.look(column, rows, &mut self.numbers[..rows.len()]);
            if extent.varies(self.min_span) {
                self.extents[drawn] = extent;
                front.columns.swap(drawn, at);
                drawn += 1;
            } else {
                front.drop_constant(at);
            }
        }
        drawn
    }

    /// A coordinate of the normal, for distances from the column's origin.
    fn draw_weight(&mut self, column: usize, sample: &Sample<'_>, rng: &mut Pcg64Mcg) -> f32 {
        let spread = &mut self.spreads[column];
        if spread.is_nan() {
            let numbers = &mut self.numbers[..self.rows.len()];
            sample.look(column, &self.rows, numbers);
            *spread = deviation(numbers);
        }
        let normal: f64 = StandardNormal.sample(rng);
        let weight = normal / *spread;
        // Not 0 even where `f32` ends, since every column of a split takes part in it.
        (weight.abs().clamp(f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX)) as f32)
            .copysign(weight as f32)
    }

    /// The sum that terms have at a point drawn evenly within the reach of their columns; one drawn evenly within the
    /// reach of the rows' sums if that point has all rows on one side.
    fn draw_threshold(&self, sums: Extent, terms: &[Term], rng: &mut Pcg64Mcg) -> f32 {
        let point = terms.iter().zip(&self.extents);
        let at = point.map(|(term, extent)| term.weight * draw_between(*extent, rng)).sum();
        if sums.low <= at && at < sums.high { at } else { draw_between(sums, rng) }
    }

    /// Puts the sums of the rows' terms into the projections, and says their extent.
    fn project(&mut self, sample: &Sample<'_>, rows: &[u32], terms: &[Term]) -> Extent {
        let projections = &mut self.projections[..rows.len()];
        projections.fill(0.0);
        // Term after term, as a score adds them up.
        for term in terms {
            let numbers = &mut self.numbers[..rows.len()];
            sample.look(term.column as usize, rows, numbers);
            for (sum, &mut number) in projections.iter_mut().zip(numbers) {
                *sum += term.weight * number;
            }
        }
        let mut extent = Extent::NONE;
        projections.iter().for_each(|&sum| extent.take(sum));
        extent
    }
}

impl Cutter for ByPlane {
    type Split = PlaneSplit;

    fn renew(&mut self, rows: &[u32]) {
        self.spreads.fill(f64::NAN);
        self.rows.clear();
        self.rows.extend(rows);
    }

    fn cut(
        &mut self,
        sample: &Sample<'_>,
        rows: &mut [u32],
        front: &mut Front<'_>,
        rng: &mut Pcg64Mcg,
        terms: &mut Vec<Term>,
    ) -> Option<(PlaneSplit, usize)> {
        let drawn = self.draw_columns(sample, rows, front, rng);
        let &column = front.columns[..drawn].first()?;
        let first = terms.len();
        for &column in &front.columns[..drawn] {
            let weight = self.draw_weight(column as usize, sample, rng);
            terms.push(Term { column, weight });
        }
        let mut extent = self.project(sample, rows, &terms[first..]);
        if !(extent.varies(0.0) && extent.high - extent.low <= f32::MAX) {
            // Values so far out that their sums are beyond `f32`, or hide each other: one column varies for certain.
            terms.truncate(first);
            terms.push(Term { column, weight: 1.0 });
            extent = self.project(sample, rows, &terms[first..]);
        }
        let threshold = self.draw_threshold(extent, &terms[first..], rng);
        let Division { middle, missing_right } =
            divide(&self.projections[..rows.len()], rows, threshold, true);
        let width = (terms.len() - first) as u32;
        Some((PlaneSplit { terms: first as u32, width, threshold, missing_right }, middle))
    }
}

/// The standard deviation of the known values.
fn deviation(values: &[f32]) -> f64 {
    let known = || values.iter().filter(|v| !v.is_nan()).map(|&v| f64::from(v));
    let count = known().count() as f64;
    let mean = known().sum::<f64>() / count;
    (known().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count).sqrt()
}
