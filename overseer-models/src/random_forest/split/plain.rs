//! The plain way, which the fast ones must agree with: sort the node's rows by their bins and try every place between
//! two of them.

use super::{Best, Finder, Judge, Part, Place};
use crate::random_forest::bins::{Bins, Code};
use crate::random_forest::targets::Packed;

/// Memory of the plain way.
#[derive(Debug, Default)]
pub(in crate::random_forest) struct Plain {
    /// Bin and position of each row.
    order: Vec<(usize, usize)>,
    left: Vec<Packed>,
    with_missing: Vec<Packed>,
}

impl<C: Code> Finder<C> for Plain {
    fn look(
        &mut self,
        bins: &Bins<C>,
        part: Part<'_>,
        judge: &Judge<'_>,
        column: u32,
        best: &mut Best,
    ) {
        let width = part.values.len() / part.rows.len();
        let codes = bins.column(column);
        let missing_bin = C::MISSING.number();
        self.order.clear();
        self.order.extend(
            part.rows.iter().enumerate().map(|(i, &row)| (codes[row as usize].number(), i)),
        );
        self.order.sort_unstable();
        let add = |sums: &mut Vec<Packed>, i: usize| {
            sums.iter_mut().zip(&part.values[i * width..]).for_each(|(s, v)| *s += v);
        };
        let mut own = Best::NONE;
        let known = self.order.partition_point(|&(bin, _)| bin < missing_bin);
        let (known, missing) = self.order.split_at(known);
        self.left.clear();
        self.left.resize(width, 0);
        for (k, &(bin, i)) in known.iter().enumerate() {
            add(&mut self.left, i);
            let next = known.get(k + 1).map(|&(next, _)| next);
            if next == Some(bin) {
                continue;
            }
            let place = |missing_left| Place { column, left: bin, right: next, missing_left };
            if missing.is_empty() {
                // Where nothing was missing, the larger side is the likelier one.
                if next.is_some() {
                    judge.consider(&self.left, &mut own, place);
                }
                continue;
            }
            judge.consider(&self.left, &mut own, |_| place(false));
            if next.is_some() {
                self.with_missing.clone_from(&self.left);
                missing.iter().for_each(|&(_, i)| add(&mut self.with_missing, i));
                judge.consider(&self.with_missing, &mut own, |_| place(true));
            }
        }
        best.take(own);
    }
}
