//! Rows to the left and rows to the right, in order on either side: so a node's rows stay ascending, and reading their
//! targets and bins goes forward through memory.

use super::targets::Packed;

/// Brings the items that go left to the front without changing the order on either side; says how many they are.
#[inline(always)]
pub(super) fn partition<T: Copy>(
    items: &mut [T],
    spare: &mut [T],
    goes_left: impl Fn(&T) -> bool,
) -> usize {
    let (mut left, mut right) = (0, 0);
    for i in 0..items.len() {
        // Both places are written and one is passed by: which way a row goes cannot be predicted.
        let item = items[i];
        let is_left = goes_left(&item);
        items[left] = item;
        spare[right] = item;
        left += usize::from(is_left);
        right += usize::from(!is_left);
    }
    items[left..].copy_from_slice(&spare[..right]);
    left
}

/// [`partition`] of rows together with one value each.
#[inline(always)]
pub(super) fn partition_with(
    rows: &mut [u32],
    values: &mut [Packed],
    spare_rows: &mut [u32],
    spare_values: &mut [Packed],
    goes_left: impl Fn(u32) -> bool,
) -> usize {
    let (mut left, mut right) = (0, 0);
    for i in 0..rows.len() {
        let (row, value) = (rows[i], values[i]);
        let is_left = goes_left(row);
        (rows[left], values[left]) = (row, value);
        (spare_rows[right], spare_values[right]) = (row, value);
        left += usize::from(is_left);
        right += usize::from(!is_left);
    }
    rows[left..].copy_from_slice(&spare_rows[..right]);
    values[left..].copy_from_slice(&spare_values[..right]);
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_keep_their_order() {
        let (mut rows, mut values) = ([4, 1, 3, 8, 2], [40, 10, 30, 80, 20]);
        let even = |row: u32| row.is_multiple_of(2);
        let left = partition_with(&mut rows, &mut values, &mut [0; 5], &mut [0; 5], even);
        assert_eq!((left, rows, values), (3, [4, 8, 2, 1, 3], [40, 80, 20, 10, 30]));
        let left = partition(&mut rows, &mut [0; 5], |&row| row < 4);
        assert_eq!((left, rows), (3, [2, 1, 3, 4, 8]));
    }
}
