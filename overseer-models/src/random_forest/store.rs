//! The stored form of a forest.
//!
//! | what | how |
//! |---|---|
//! | targets, rows | `u64` each |
//! | training targets, out-of-bag predictions, their errors, importances | `f64` arrays |
//! | the trees | as below |
//! | how many rows each leaf holds | a whole number of as many bytes as the largest takes, a byte that says so first |
//! | those rows | the same |
//! | with several targets, the means of each leaf | `f64` array, leaf after leaf |
//!
//! With one target the means follow from the rows. With several they do too, but are stored all the same: so a forest
//! takes memory in proportion to its file, whatever numbers of leaves and targets the file claims.
//!
//! The trees, by themselves the form of a [`Structure`](super::Structure):
//!
//! | what | how |
//! |---|---|
//! | origins of the columns | `f64` array |
//! | for each column the thresholds in use, as keys | `u32` array |
//! | bytes of a split's first number, bytes of its threshold's number | `u8` each |
//! | number of trees | `u64` |
//! | each tree, a node before its left side before its right side | of a split its column, plus the number of columns if missing values go right, plus 1, and its threshold's number; of a leaf 0 |

use super::RandomForest;
use super::predict::ranges;
use super::trees::{Step, Trees};
use crate::file::{Reader, Writer};
use crate::walk::{Columns, NO_THRESHOLD};
use overseer_core::{Error, Result};

pub(super) fn corrupt(why: &str) -> Error {
    Error::corrupt("the stored forest", why)
}

/// How many bytes the largest of these takes.
fn bytes_for(largest: u32) -> u8 {
    (u32::BITS - largest.leading_zeros()).div_ceil(8).max(1) as u8
}

fn write_small(w: &mut Writer, values: &[u32]) {
    let bytes = bytes_for(values.iter().copied().max().unwrap_or(0));
    w.u8(bytes);
    w.u64(values.len() as u64);
    values.iter().for_each(|&v| w.uint(v, bytes));
}

fn read_small(r: &mut Reader<'_>) -> Result<Vec<u32>> {
    let bytes = r.u8()?;
    (0..r.length()?).map(|_| r.uint(bytes)).collect()
}

impl RandomForest {
    /// Appends the forest to `w`.
    pub fn write_to(&self, w: &mut Writer) {
        w.u64(self.targets as u64);
        for values in [&self.y, &self.oob, &self.oob_mse, &self.importances] {
            w.f64s(values.iter().copied());
        }
        self.trees.write_to(w);
        let sizes: Vec<u32> = self.leaf_starts.windows(2).map(|w| w[1] - w[0]).collect();
        write_small(w, &sizes);
        write_small(w, &self.leaf_rows);
        if self.targets > 1 {
            w.f64s(self.leaf_means.iter().copied());
        }
    }

    /// Reads a forest that [`RandomForest::write_to`] wrote, checking that no row can make it fail or never end.
    ///
    /// # Errors
    /// [`Error::is_corrupt`] if anything is out of range.
    pub fn read_from(r: &mut Reader<'_>) -> Result<Self> {
        let targets = usize::try_from(r.u64()?).unwrap_or(0);
        let y = r.f64s()?;
        let oob = r.f64s()?;
        let oob_mse = r.f64s()?;
        let importances = r.f64s()?;
        if targets == 0 || y.is_empty() || y.len() % targets != 0 || oob.len() != y.len() {
            return Err(corrupt("the number of its training targets"));
        }
        if !y.iter().chain(&importances).all(|v| v.is_finite()) {
            return Err(corrupt("a training target or importance is not finite"));
        }
        let trees = Trees::read_from(r)?;
        if oob_mse.len() != targets || importances.len() != trees.columns.len() {
            return Err(corrupt("the number of its errors or importances"));
        }
        let leaf_starts = starts(&read_small(r)?)?;
        let leaf_rows = read_small(r)?;
        let rows = y.len() / targets;
        if leaf_starts.len() != trees.leaf_count() + 1
            || leaf_starts.last().map(|&end| end as usize) != Some(leaf_rows.len())
            || leaf_rows.iter().any(|&row| row as usize >= rows)
        {
            return Err(corrupt("the rows of its leaves"));
        }
        let mut forest = Self {
            targets,
            trees,
            leaf_starts,
            leaf_rows,
            leaf_means: Vec::new(),
            ranges: ranges(&y, targets),
            y,
            oob,
            oob_mse,
            importances,
        };
        if targets == 1 {
            let means = (0..forest.leaf_count())
                .map(|leaf| mean(forest.leaf_rows(leaf), |row| forest.y[row]));
            forest.leaf_means = means.collect();
        } else {
            forest.leaf_means = r.f64s()?;
        }
        let all = forest.leaf_count().checked_mul(targets) == Some(forest.leaf_means.len());
        if !all || !forest.leaf_means.iter().all(|v| v.is_finite()) {
            return Err(corrupt("the means of its leaves"));
        }
        Ok(forest)
    }
}

/// Where each leaf's rows begin and the last one's end; every leaf has rows.
fn starts(sizes: &[u32]) -> Result<Vec<u32>> {
    let mut starts = Vec::with_capacity(sizes.len() + 1);
    starts.push(0);
    let mut end = 0_u32;
    for &size in sizes {
        let next = end.checked_add(size).filter(|&next| next > end);
        end = next.ok_or_else(|| corrupt("the number of rows in a leaf"))?;
        starts.push(end);
    }
    Ok(starts)
}

/// The mean of a target over the rows of a leaf, repetitions counted, within the range of its values.
pub(super) fn mean(rows: &[u32], y: impl Fn(usize) -> f64) -> f64 {
    let (mut sum, mut low, mut high) = (0.0, f64::INFINITY, f64::NEG_INFINITY);
    for &row in rows {
        let value = y(row as usize);
        sum += value;
        low = value.min(low);
        high = value.max(high);
    }
    // Rounding must not lead out of the range of what was seen.
    (sum / rows.len() as f64).max(low).min(high)
}

impl Trees {
    pub(super) fn write_to(&self, w: &mut Writer) {
        w.f64s(self.columns.origins().iter().copied());
        let steps: Vec<Step> = self.steps().collect();
        let mut thresholds = vec![Vec::new(); self.columns.len()];
        for step in &steps {
            if let Step::Split { slot, threshold } = *step {
                thresholds[self.columns.column_of(slot).0].push(threshold);
            }
        }
        for thresholds in &mut thresholds {
            thresholds.sort_unstable();
            thresholds.dedup();
            w.u32s(thresholds.iter().copied());
        }
        let most = thresholds.iter().map(Vec::len).max().unwrap_or(0);
        let slot_bytes = bytes_for(self.columns.slots() as u32);
        let threshold_bytes = bytes_for(most.saturating_sub(1) as u32);
        w.u8(slot_bytes);
        w.u8(threshold_bytes);
        w.u64(self.len() as u64);
        for step in steps {
            match step {
                Step::Leaf => w.uint(0, slot_bytes),
                Step::Split { slot, threshold } => {
                    let (column, _) = self.columns.column_of(slot);
                    let number = thresholds[column].partition_point(|&t| t < threshold);
                    w.uint(self.columns.stored(slot) as u32 + 1, slot_bytes);
                    w.uint(number as u32, threshold_bytes);
                }
            }
        }
    }

    /// Reads trees that no row can fail to walk down: every split has two sides, and every walk ends.
    pub(super) fn read_from(r: &mut Reader<'_>) -> Result<Self> {
        let origins = r.f64s()?;
        if origins.is_empty() || !origins.iter().all(|v| v.is_finite()) {
            return Err(corrupt("the origins of its columns"));
        }
        let columns = Columns::new(origins);
        let thresholds = (0..columns.len()).map(|_| r.u32s()).collect::<Result<Vec<Vec<u32>>>>()?;
        if thresholds.iter().flatten().any(|&t| t >= NO_THRESHOLD) {
            return Err(corrupt("a threshold is out of range"));
        }
        let (slot_bytes, threshold_bytes) = (r.u8()?, r.u8()?);
        let count = r.length()?;
        let sides = columns.clone();
        Self::build(columns, count, || {
            let code = r.uint(slot_bytes)? as usize;
            let Some(stored) = code.checked_sub(1) else { return Ok(Step::Leaf) };
            let Some(slot) = sides.slot_stored_as(stored) else {
                return Err(corrupt("a split looks at a column that does not exist"));
            };
            let number = r.uint(threshold_bytes)? as usize;
            match thresholds[sides.column_of(slot).0].get(number) {
                Some(&threshold) => Ok(Step::Split { slot, threshold }),
                None => Err(corrupt("a split has no threshold")),
            }
        })
    }
}
