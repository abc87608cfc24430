//! The rows that a tree is grown on, as distances from the columns' origins.

use super::divide::Extent;
use super::draw::Drawer;
use crate::walk::Columns;
use rand::Rng;

/// So many rows are converted at once.
const AT_ONCE: usize = 16;

/// Up to so many times the rows of a sample, all rows are converted once for all trees. More would not stay in the
/// processor's nearer memory, where a tree wants its rows.
const CONVERTED_ONCE: usize = 8;

/// All rows, from which samples are drawn.
#[derive(Debug)]
pub(super) struct Source<'a> {
    /// Row after row, finite or missing.
    values: &'a [f64],
    columns: &'a Columns,
    /// The columns of several rows in a row, which are converted at once.
    repeated: Columns,
    /// All rows converted, if they are few.
    whole: Option<Distances>,
}

/// Rows as distances.
#[derive(Debug)]
struct Distances {
    /// Row after row.
    values: Vec<f32>,
    some_missing: bool,
}

impl Distances {
    fn of_rows(rows: usize, columns: &Columns) -> Self {
        Self { values: vec![0.0; rows * columns.len()], some_missing: false }
    }

    fn look_for_missing(&mut self) {
        // Without stopping at the first, which takes several at a time.
        self.some_missing = self.values.iter().fold(false, |some, v| some | v.is_nan());
    }
}

impl<'a> Source<'a> {
    /// The source of samples of so many rows.
    pub(super) fn new(values: &'a [f64], columns: &'a Columns, sample_size: usize) -> Self {
        let repeated = Columns::new(columns.origins().repeat(AT_ONCE));
        let mut source = Self { values, columns, repeated, whole: None };
        let places = u32::try_from(values.len()).is_ok();
        if places && source.rows() <= CONVERTED_ONCE * sample_size {
            let mut whole = Distances::of_rows(source.rows(), columns);
            let block = source.repeated.len();
            for (distances, values) in whole.values.chunks_mut(block).zip(values.chunks(block)) {
                source.repeated.distances(values, distances);
            }
            whole.look_for_missing();
            source.whole = Some(whole);
        }
        source
    }

    fn rows(&self) -> usize {
        self.values.len() / self.columns.len()
    }
}

/// The sample of one tree.
#[derive(Debug)]
pub(super) struct Sample<'a> {
    source: &'a Source<'a>,
    drawer: Drawer,
    drawn: Vec<usize>,
    /// The values of some rows, to be converted.
    gathered: Vec<f64>,
    /// The rows drawn, unless the source has them converted.
    own: Distances,
}

impl<'a> Sample<'a> {
    /// Samples of `size` rows.
    pub(super) fn new(source: &'a Source<'a>, size: usize) -> Self {
        let own = if source.whole.is_some() { 0 } else { size };
        Self {
            source,
            drawer: Drawer::new(source.rows()),
            drawn: Vec::with_capacity(size),
            gathered: vec![0.0; source.repeated.len()],
            own: Distances::of_rows(own, source.columns),
        }
    }

    /// Draws other rows, and says in `rows` where they begin.
    pub(super) fn draw(&mut self, rng: &mut impl Rng, size: usize, rows: &mut Vec<u32>) {
        let d = self.source.columns.len();
        self.drawer.draw(rng, size, &mut self.drawn);
        rows.clear();
        if self.source.whole.is_some() {
            rows.extend(self.drawn.iter().map(|row| (row * d) as u32));
            return;
        }
        rows.extend((0..size).map(|row| (row * d) as u32));
        let blocks = self.own.values.chunks_mut(AT_ONCE * d).zip(self.drawn.chunks(AT_ONCE));
        for (distances, rows) in blocks {
            for (gathered, &row) in self.gathered.chunks_exact_mut(d).zip(rows) {
                gathered.copy_from_slice(&self.source.values[row * d..][..d]);
            }
            self.source.repeated.distances(&self.gathered, distances);
        }
        self.own.look_for_missing();
    }

    /// The columns of the rows.
    pub(super) fn columns(&self) -> &'a Columns {
        self.source.columns
    }

    fn distances(&self) -> &Distances {
        self.source.whole.as_ref().unwrap_or(&self.own)
    }

    /// Whether a value of some row may be missing.
    pub(super) fn some_missing(&self) -> bool {
        self.distances().some_missing
    }

    /// The distances in one column of the rows that begin at these places, into `numbers`, which has as many, and how
    /// far they reach.
    #[inline]
    pub(super) fn look(&self, column: usize, rows: &[u32], numbers: &mut [f32]) -> Extent {
        let Distances { values, some_missing } = self.distances();
        let values = &values[column..];
        let mut extent = Extent::NONE;
        if *some_missing {
            for (number, &row) in numbers.iter_mut().zip(rows) {
                *number = values[row as usize];
                extent.take(*number);
            }
        } else {
            for (number, &row) in numbers.iter_mut().zip(rows) {
                *number = values[row as usize];
                extent.take_known(*number);
            }
        }
        extent
    }
}
