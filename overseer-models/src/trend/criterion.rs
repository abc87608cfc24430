//! Which degree is worth its coefficients?

/// What a degree is chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Criterion {
    /// Akaike's, corrected for short series: predicts well, at times with a degree too many.
    Aicc,
    /// Schwarz's: settles on the true degree as data grow.
    #[default]
    Bic,
}

impl Criterion {
    /// The criterion of a polynomial of `degree` that leaves `deviance` over; lower is better.
    pub(super) fn value(self, deviance: f64, points: usize, degree: usize) -> f64 {
        let n = points as f64;
        // The variance of the residuals is a parameter too.
        let k = (degree + 2) as f64;
        match self {
            Self::Aicc => {
                let spare = n - k - 1.0;
                if spare > 0.0 {
                    deviance + 2.0 * k + 2.0 * k * (k + 1.0) / spare
                } else {
                    f64::INFINITY
                }
            }
            Self::Bic => deviance + k * n.ln(),
        }
    }

    /// The degree from 0 to `most` with the lowest criterion, the lower of equals. `squares` gives the sum of squared
    /// residuals that a degree leaves, more than 0.
    pub(super) fn choose(
        self,
        most: usize,
        points: usize,
        squares: impl Fn(usize) -> f64,
    ) -> usize {
        let mut best = (0, f64::INFINITY);
        for degree in 0..=most {
            let value = self.value(deviance(squares(degree), points), points, degree);
            if value < best.1 {
                best = (degree, value);
            }
        }
        best.0
    }
}

/// Minus twice the logarithm of the likelihood of normal residuals with this sum of squares, but for a constant.
pub(super) fn deviance(squares: f64, points: usize) -> f64 {
    let n = points as f64;
    n * (squares / n).ln()
}
