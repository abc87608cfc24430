//! A row of numbers as a row of keys: unsigned integers in the order of the values.
//!
//! A key is the bit pattern of an `f32`, rearranged so that integers compare as the numbers do. What is rounded is not
//! the value but its distance from the column's *origin*, a typical value: so a column of timestamps or of bytes loses
//! no detail that its own spread could show.

/// The key of a missing value that goes left at every split.
const BELOW_ALL: u32 = 0;
/// The key of a missing value that goes right at every split; no key of a known value reaches it.
pub(crate) const ABOVE_ALL: u32 = 0xFF80_0000;

/// The first column of a row that holds an infinite value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Infinite {
    pub(crate) column: usize,
}

/// The columns that a forest was fitted to, each with its origin.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Columns {
    origins: Vec<f64>,
}

impl Columns {
    /// Columns with these origins, which are finite.
    pub(crate) fn new(origins: Vec<f64>) -> Self {
        Self { origins }
    }

    /// How many columns there are.
    pub(crate) fn len(&self) -> usize {
        self.origins.len()
    }

    /// Their origins.
    pub(crate) fn origins(&self) -> &[f64] {
        &self.origins
    }

    /// How many keys a row has: every column has two places, which differ where its value is missing.
    pub(crate) fn slots(&self) -> usize {
        2 * self.len()
    }

    /// The place of a column's key for a split that sends missing values this way. Half of it is the column: so a row
    /// without missing values can do with one key a column ([`Columns::known_keys`]).
    pub(crate) fn slot(&self, column: usize, missing_right: bool) -> usize {
        2 * column + usize::from(missing_right)
    }

    /// The column of a place, and whether missing values are above all there.
    pub(crate) fn column_of(&self, slot: usize) -> (usize, bool) {
        (slot / 2, slot % 2 == 1)
    }

    /// The number of a place in stored forests, where those with missing values below all come first.
    pub(crate) fn stored(&self, slot: usize) -> usize {
        slot / 2 + slot % 2 * self.len()
    }

    /// The place that has this number in stored forests, if one has.
    pub(crate) fn slot_stored_as(&self, number: usize) -> Option<usize> {
        let (column, right) =
            if number < self.len() { (number, false) } else { (number - self.len(), true) };
        (column < self.len()).then(|| self.slot(column, right))
    }

    /// The key of a known, finite value of a column.
    pub(crate) fn key(&self, column: usize, value: f64) -> u32 {
        key(value - self.origins[column])
    }

    /// The value of a key, to the precision that the key has.
    pub(crate) fn value(&self, column: usize, key: u32) -> f64 {
        let bits = if key >> 31 == 1 { key & !SIGN } else { !key };
        self.origins[column] + f64::from(f32::from_bits(bits))
    }

    /// A row's distances from the columns' origins, rounded as keys are, into `distances`; NaN stays NaN, and what is
    /// infinite becomes the end of `f32`.
    #[inline]
    pub(crate) fn distances(&self, row: &[f64], distances: &mut [f32]) {
        for ((distance, &value), &origin) in distances.iter_mut().zip(row).zip(&self.origins) {
            *distance = round(value - origin);
        }
    }

    /// The key of a known value at this [distance](Columns::distances).
    #[inline]
    pub(crate) fn key_at(distance: f32) -> u32 {
        // Negative numbers grow downwards: all their bits are turned over. Others get a place above them.
        let bits = distance.to_bits();
        bits ^ (((bits as i32 >> 31) as u32) | SIGN)
    }

    /// Whether some known value has this key.
    pub(crate) fn is_known(key: u32) -> bool {
        (Self::key_at(-f32::MAX)..=Self::key_at(f32::MAX)).contains(&key)
    }

    /// Puts a row's keys into `keys`, which has [`Columns::slots`] places.
    pub(crate) fn keys(&self, row: &[f64], keys: &mut [u32]) -> Result<(), Infinite> {
        let mut finite = true;
        let (pairs, _) = keys.as_chunks_mut::<2>();
        for ((&value, &origin), pair) in row.iter().zip(&self.origins).zip(pairs) {
            finite &= value.abs() != f64::INFINITY;
            let known = key(value - origin);
            let missing = value.is_nan();
            pair[0] = if missing { BELOW_ALL } else { known };
            pair[1] = if missing { ABOVE_ALL } else { known };
        }
        if finite { Ok(()) } else { Err(first_infinite(row)) }
    }

    /// Puts the keys of a row without missing values into `keys`, one a column; says whether there were none missing.
    pub(crate) fn known_keys(&self, row: &[f64], keys: &mut [u32]) -> Result<bool, Infinite> {
        let (mut finite, mut known) = (true, true);
        for ((&value, &origin), place) in row.iter().zip(&self.origins).zip(keys) {
            finite &= value.abs() != f64::INFINITY;
            known &= !value.is_nan();
            *place = key(value - origin);
        }
        if finite { Ok(known) } else { Err(first_infinite(row)) }
    }
}

fn first_infinite(row: &[f64]) -> Infinite {
    Infinite { column: row.iter().position(|v| v.is_infinite()).unwrap_or_default() }
}

const SIGN: u32 = 1 << 31;

/// The key of a distance; what is beyond the range of `f32` becomes its end.
#[inline]
fn key(distance: f64) -> u32 {
    Columns::key_at(round(distance))
}

/// A distance as `f32`; what is beyond the range becomes its end.
#[inline]
fn round(distance: f64) -> f32 {
    // Adding zero turns the negative zero into the positive one, which it equals.
    (distance as f32 + 0.0).clamp(-f32::MAX, f32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn missing_values_are_outermost_on_either_side() {
        let columns = Columns::new(vec![0.0, 5.0]);
        let mut keys = [0; 4];
        columns.keys(&[f64::NAN, 7.0], &mut keys).unwrap();
        assert_eq!((keys[0], keys[1]), (BELOW_ALL, ABOVE_ALL));
        assert_eq!(keys[2], keys[3]);
        for extreme in [f64::MAX, f64::MIN, 0.0, -0.0, f64::MIN_POSITIVE] {
            let known = columns.key(1, extreme);
            assert!(BELOW_ALL < known && known < ABOVE_ALL, "{extreme}");
            assert!(Columns::is_known(known));
        }
        assert!(!Columns::is_known(BELOW_ALL) && !Columns::is_known(ABOVE_ALL));
        let mut distances = [0.0; 2];
        columns.distances(&[f64::NAN, f64::INFINITY], &mut distances);
        assert!(distances[0].is_nan() && distances[1] == f32::MAX);
        assert_eq!(columns.keys(&[1.0, f64::INFINITY], &mut keys), Err(Infinite { column: 1 }));
        assert_eq!(columns.column_of(columns.slot(1, true)), (1, true));
        for slot in 0..4 {
            assert_eq!(columns.slot_stored_as(columns.stored(slot)), Some(slot));
        }
        assert_eq!(columns.slot_stored_as(4), None);
        let mut known = [0; 2];
        assert_eq!(columns.known_keys(&[f64::NAN, 7.0], &mut known), Ok(false));
        assert_eq!(columns.known_keys(&[1.0, 7.0], &mut known), Ok(true));
        assert_eq!(known, [columns.key(0, 1.0), columns.key(1, 7.0)]);
    }

    #[test]
    fn small_differences_of_large_values_survive() {
        // Times in milliseconds a second apart, and one of 64 GiB with a page more.
        let columns = Columns::new(vec![1.7e12, 68_719_476_736.0]);
        assert!(columns.key(0, 1.7e12 + 1_000.0) < columns.key(0, 1.7e12 + 2_000.0));
        assert!(columns.key(1, 68_719_476_736.0) < columns.key(1, 68_719_480_832.0));
    }

    proptest! {
        #[test]
        fn keys_are_in_the_order_of_the_values(a in -1e30..1e30f64, b in -1e30..1e30f64, origin in -1e3..1e3f64) {
            let columns = Columns::new(vec![origin]);
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            prop_assert!(columns.key(0, low) <= columns.key(0, high));
            let mut distances = [0.0];
            columns.distances(&[a], &mut distances);
            prop_assert_eq!(Columns::key_at(distances[0]), columns.key(0, a));
            prop_assert!(Columns::is_known(columns.key(0, a)));
            let back = columns.value(0, columns.key(0, a));
            prop_assert!((back - a).abs() <= 1e-7 * (a - origin).abs() + 1e-12);
        }
    }
}
