//! Numbers that Python and Rust make alike to the last bit: the twin of the first half of `sklearn/data.py`, which says
//! why so little arithmetic is used.

/// SplitMix64 (Steele, Lea and Flood 2014, *Fast Splittable Pseudorandom Number Generators*).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// 0 to `n - 1`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.uniform() * n as f64) as usize
    }

    /// About a standard normal: the sum of twelve uniform numbers.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).fold(-6.0, |total, _| total + self.uniform())
    }

    pub(crate) fn sign(&mut self) -> f64 {
        if self.uniform() < 0.5 { 1.0 } else { -1.0 }
    }

    /// At least 1; its tail is a power law so heavy that it has no variance.
    pub(crate) fn tail(&mut self) -> f64 {
        1.0 / (1.0 - self.uniform()).sqrt()
    }

    pub(crate) fn uniforms<const N: usize>(&mut self) -> [f64; N] {
        std::array::from_fn(|_| self.uniform())
    }

    pub(crate) fn normals<const N: usize>(&mut self) -> [f64; N] {
        std::array::from_fn(|_| self.normal())
    }
}

/// About the sine of so many turns, made of two parabolas.
pub(crate) fn wave(turns: f64) -> f64 {
    let part = turns - turns.floor();
    let half = if part < 0.5 { part } else { part - 0.5 };
    let bump = 16.0 * half * (0.5 - half);
    if part < 0.5 { bump } else { -bump }
}

/// Its series, to 1e-9 up to a quarter of a turn either way.
pub(crate) fn cosine(angle: f64) -> f64 {
    let s = angle * angle;
    [240.0, 182.0, 132.0, 90.0, 56.0, 30.0, 12.0, 2.0]
        .iter()
        .fold(1.0, |series, denominator| 1.0 - s / denominator * series)
}

/// Noise of standard deviation 1 that keeps nine tenths of itself from row to row.
pub(crate) struct Autoregression(f64);

impl Autoregression {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        Self(chance.normal())
    }

    pub(crate) fn next(&mut self, chance: &mut Chance) -> f64 {
        self.0 = 0.9 * self.0 + 0.19_f64.sqrt() * chance.normal();
        self.0
    }
}

/// The nearest 32-bit float, which is what scikit-learn learns from.
pub(crate) fn single(value: f64) -> f64 {
    f64::from(value as f32)
}

/// CRC-32 of all inputs and then of all answers as little-endian doubles; a missing value is the usual quiet NaN.
pub(crate) fn checksum(rows: &[f64], answers: &[f64]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    for v in rows.iter().chain(answers) {
        let bits = if v.is_nan() { 0x7FF8_0000_0000_0000 } else { v.to_bits() };
        crc.update(&bits.to_le_bytes());
    }
    crc.finalize()
}
