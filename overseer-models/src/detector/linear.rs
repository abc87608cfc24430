//! What the detector needs of linear algebra: the inverse root of a covariance, and ridge regression.

use ndarray::Array2;

/// How near to 1 the least eigenvalue is brought before the iteration ends; it squares what is left each time.
const NEAR: f64 = 1e-9;
/// The most iterations, far beyond what any condition number below 1e12 takes.
const MOST: usize = 60;

/// The inverse of the symmetric root of a symmetric matrix with eigenvalues of at least `least` above 0.
///
/// Newton and Schulz's coupled iteration (N. J. Higham, *Functions of Matrices*, SIAM 2008, ch. 6.7) needs products
/// only. Scaling each step by what the least eigenvalue has become (J. Chen and E. Chow, *A Stable Scaling of
/// Newton-Schulz for Improving the Sign Function Computation of a Hermitian Matrix*, 2014) makes some eight of them
/// enough.
pub(super) fn inverse_root(matrix: &Array2<f64>, least: f64) -> Array2<f64> {
    let n = matrix.nrows();
    // Both bound the greatest eigenvalue.
    let frobenius = matrix.iter().map(|v| v * v).sum::<f64>().sqrt();
    let rows = matrix.rows().into_iter().map(|r| r.iter().map(|v| v.abs()).sum::<f64>());
    let bound = rows.fold(0.0, f64::max).min(frobenius).max(least);
    let mut root = matrix / bound;
    let mut inverse = Array2::<f64>::eye(n);
    // The least eigenvalue of the root, and how far from 1 it is.
    let mut low = (least / bound).sqrt().min(1.0);
    for step in 0..MOST {
        let is_last = 1.0 - low < NEAR;
        let rho = if is_last { 1.0 } else { (3.0 / (1.0 + low + low * low)).sqrt() };
        let mut turn = if step == 0 { root.clone() } else { inverse.dot(&root) };
        turn *= -0.5 * rho * rho * rho;
        turn.diag_mut().iter_mut().for_each(|v| *v += 1.5 * rho);
        inverse = turn.dot(&inverse);
        if is_last {
            break;
        }
        root = root.dot(&turn);
        low = 0.5 * rho * low * (3.0 - rho * rho * low * low);
    }
    let scale = 0.5 / bound.sqrt();
    let mut symmetric = &inverse + &inverse.t();
    symmetric *= scale;
    symmetric
}

/// Solves `gram * x = right` for a positive definite `gram` of `n` rows, of which the lower triangle is read, by
/// Cholesky's decomposition; `right` has rows of `width` and becomes the solution. Both are row-major; `gram` becomes
/// its factor.
///
/// Says whether it could: not where rounding has made the matrix indefinite.
pub(super) fn solve(gram: &mut [f64], n: usize, right: &mut [f64], width: usize) -> bool {
    let could = factor(gram, n);
    if could {
        substitute(gram, n, right, width);
    }
    could
}

/// The first half of [`solve`]: `gram` becomes its factor, unless rounding has made it indefinite.
pub(super) fn factor(gram: &mut [f64], n: usize) -> bool {
    for i in 0..n {
        let (above, row) = gram.split_at_mut(i * n);
        for j in 0..i {
            let other = &above[j * n..j * n + j];
            let dot: f64 = row[..j].iter().zip(other).map(|(a, b)| a * b).sum();
            row[j] = (row[j] - dot) / above[j * n + j];
        }
        let pivot = row[i] - row[..i].iter().map(|v| v * v).sum::<f64>();
        if !(pivot > 0.0 && pivot.is_finite()) {
            return false;
        }
        row[i] = pivot.sqrt();
    }
    true
}

/// The second half of [`solve`], with the factor.
pub(super) fn substitute(gram: &[f64], n: usize, right: &mut [f64], width: usize) {
    for i in 0..n {
        let (above, row) = right.split_at_mut(i * width);
        for j in 0..i {
            subtract(&mut row[..width], &above[j * width..(j + 1) * width], gram[i * n + j]);
        }
        row[..width].iter_mut().for_each(|v| *v /= gram[i * n + i]);
    }
    for i in (0..n).rev() {
        let (row, below) = right[i * width..].split_at_mut(width);
        for j in i + 1..n {
            let from = (j - i - 1) * width;
            subtract(row, &below[from..from + width], gram[j * n + i]);
        }
        row.iter_mut().for_each(|v| *v /= gram[i * n + i]);
    }
}

fn subtract(from: &mut [f64], row: &[f64], factor: f64) {
    for (a, b) in from.iter_mut().zip(row) {
        *a -= factor * b;
    }
}

/// Adds `weight * values * values'` to the lower triangle of a row-major square.
pub(super) fn add_outer(square: &mut [f64], values: &[f64], weight: f64) {
    let n = values.len();
    for (i, row) in square.chunks_exact_mut(n).enumerate() {
        let factor = weight * values[i];
        if factor == 0.0 {
            continue;
        }
        for (sum, value) in row[..=i].iter_mut().zip(values) {
            *sum += factor * value;
        }
    }
}

/// Adds `factors' * rows` to `out`, four rows at a time; `rows` is row-major with rows as long as `out`.
pub(super) fn add_product(out: &mut [f64], factors: &[f64], rows: &[f64]) {
    let n = out.len();
    let (four, rest) = factors.as_chunks::<4>();
    let (many, few) = rows.split_at(four.len() * 4 * n);
    for (&[a, b, c, d], block) in four.iter().zip(many.chunks_exact(4 * n)) {
        let (first, second) = block.split_at(2 * n);
        let ((p, q), (r, s)) = (first.split_at(n), second.split_at(n));
        for ((((out, p), q), r), s) in out.iter_mut().zip(p).zip(q).zip(r).zip(s) {
            *out += (a * p + b * q) + (c * r + d * s);
        }
    }
    for (&factor, row) in rest.iter().zip(few.chunks_exact(n)) {
        for (out, v) in out.iter_mut().zip(row) {
            *out += factor * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    fn positive(n: usize, seed: u64, ridge: f64) -> Array2<f64> {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        // Fewer vectors than rows, so that without the ridge it would be singular.
        let a = Array2::from_shape_fn((n, n / 2 + 1), |_| rng.random::<f64>() - 0.3);
        let mut m = a.dot(&a.t());
        m.diag_mut().iter_mut().for_each(|v| *v += ridge);
        m
    }

    #[test]
    fn the_inverse_root_undoes_the_matrix() {
        for (n, seed) in [(1, 1), (2, 2), (7, 3), (40, 4), (91, 5)] {
            let m = positive(n, seed, 0.05);
            let root = inverse_root(&m, 0.05);
            let one = root.dot(&m).dot(&root);
            let apart =
                (&one - &Array2::<f64>::eye(n)).iter().fold(0.0, |w: f64, v| w.max(v.abs()));
            assert!(apart < 1e-9, "{n}: {apart}");
        }
    }

    #[test]
    fn of_a_diagonal_it_is_the_roots_own_inverse() {
        let m = Array2::from_diag(&ndarray::arr1(&[0.05, 1.0, 4.0, 25.0]));
        let root = inverse_root(&m, 0.05);
        for (i, expected) in [0.05_f64.sqrt().recip(), 1.0, 0.5, 0.2].iter().enumerate() {
            assert!((root[(i, i)] - expected).abs() < 1e-10, "{root}");
        }
    }

    #[test]
    fn a_system_is_solved_and_an_indefinite_one_refused() {
        let (n, width) = (9, 3);
        let m = positive(n, 8, 0.1);
        let x = Array2::from_shape_fn((n, width), |(i, j)| (i * 5 + j * 3) as f64 % 7.0 - 3.0);
        let mut right = m.dot(&x).into_raw_vec_and_offset().0;
        let mut gram = m.into_raw_vec_and_offset().0;
        assert!(solve(&mut gram, n, &mut right, width));
        assert!(right.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-9));
        assert!(!solve(&mut [0.0, 0.0, 1.0, 0.0], 2, &mut [1.0, 1.0], 1));
    }

    #[test]
    fn products_are_those_of_the_plain_loops() {
        let rows: Vec<f64> = (0..7 * 5).map(|i| f64::from(i % 11) - 4.0).collect();
        let factors = [1.0, -2.0, 0.5, 3.0, 0.0, 1.5, -1.0];
        let mut out = vec![1.0; 5];
        add_product(&mut out, &factors, &rows);
        for (j, out) in out.iter().enumerate() {
            let plain: f64 = factors.iter().enumerate().map(|(i, f)| f * rows[i * 5 + j]).sum();
            assert!((out - 1.0 - plain).abs() < 1e-12);
        }
        let mut square = vec![0.0; 9];
        add_outer(&mut square, &[1.0, 2.0, 3.0], 2.0);
        assert_eq!(square, [2.0, 0.0, 0.0, 4.0, 8.0, 0.0, 6.0, 12.0, 18.0]);
    }
}
