//! Little-endian numbers and arrays of them, read without trust.

use overseer_core::{Error, Result};

/// Appends little-endian values to a growing buffer.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Bytes as they are, without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// One byte.
    pub fn u8(&mut self, v: u8) {
        self.0.push(v);
    }

    /// Four bytes.
    pub fn u32(&mut self, v: u32) {
        self.raw(&v.to_le_bytes());
    }

    /// The lowest `bytes` bytes, at most four; what is above is lost.
    pub fn uint(&mut self, v: u32, bytes: u8) {
        self.raw(&v.to_le_bytes()[..usize::from(bytes).min(4)]);
    }

    /// Eight bytes.
    pub fn u64(&mut self, v: u64) {
        self.raw(&v.to_le_bytes());
    }

    /// Eight bytes; NaN keeps its bits.
    pub fn f64(&mut self, v: f64) {
        self.raw(&v.to_le_bytes());
    }

    /// Four bytes; NaN keeps its bits.
    pub fn f32(&mut self, v: f32) {
        self.raw(&v.to_le_bytes());
    }

    /// A length, then the values.
    pub fn f64s(&mut self, values: impl ExactSizeIterator<Item = f64>) {
        self.u64(values.len() as u64);
        values.for_each(|v| self.f64(v));
    }

    /// A length, then the values.
    pub fn f32s(&mut self, values: impl ExactSizeIterator<Item = f32>) {
        self.u64(values.len() as u64);
        values.for_each(|v| self.f32(v));
    }

    /// A length, then the values.
    pub fn u32s(&mut self, values: impl ExactSizeIterator<Item = u32>) {
        self.u64(values.len() as u64);
        values.for_each(|v| self.u32(v));
    }

    /// For so many bytes, so that nothing is moved or kept for more.
    pub(super) fn of_length(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// What was written so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        // A buffer that grew may have room for as much again, and models are megabytes.
        self.0.shrink_to_fit();
        self.0
    }
}

/// Reads what a [`Writer`] wrote. A length is believed only as far as the remaining bytes bear it out, so no input
/// can make it allocate more than its own size.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn short() -> Error {
        Error::corrupt("the model file", "it ends early")
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn raw(&mut self, n: usize) -> Result<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n).ok_or_else(Self::short)?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or_else(Self::short)?;
        self.0 = tail;
        Ok(*head)
    }

    /// One byte.
    ///
    /// # Errors
    /// At the end.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// Four bytes.
    ///
    /// # Errors
    /// Near the end.
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// A number of so many bytes, one to four.
    ///
    /// # Errors
    /// Near the end, or if a number cannot have so many bytes.
    pub fn uint(&mut self, bytes: u8) -> Result<u32> {
        if !(1..=4).contains(&bytes) {
            return Err(Error::corrupt("the model file", format!("numbers of {bytes} bytes")));
        }
        let raw = self.raw(usize::from(bytes))?;
        Ok(raw.iter().rev().fold(0, |v, &byte| v << 8 | u32::from(byte)))
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// Near the end.
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// Near the end.
    pub fn f64(&mut self) -> Result<f64> {
        self.array().map(f64::from_le_bytes)
    }

    /// Four bytes.
    ///
    /// # Errors
    /// Near the end.
    pub fn f32(&mut self) -> Result<f32> {
        self.array().map(f32::from_le_bytes)
    }

    /// A number that must be finite.
    ///
    /// # Errors
    /// Near the end, or if it is infinite or NaN.
    pub fn finite(&mut self) -> Result<f64> {
        let v = self.f64()?;
        if v.is_finite() {
            Ok(v)
        } else {
            Err(Error::corrupt("the model file", format!("{v} where a finite number belongs")))
        }
    }

    /// A length of something that takes at least one byte each.
    ///
    /// # Errors
    /// If more is announced than bytes are left.
    pub fn length(&mut self) -> Result<usize> {
        self.length_of(1)
    }

    fn length_of(&mut self, size: usize) -> Result<usize> {
        let n = usize::try_from(self.u64()?).map_err(|_| Self::short())?;
        if n.checked_mul(size).is_none_or(|total| total > self.0.len()) {
            return Err(Self::short());
        }
        Ok(n)
    }

    /// A length and as many numbers; NaN is allowed.
    ///
    /// # Errors
    /// If there are fewer than announced.
    pub fn f64s(&mut self) -> Result<Vec<f64>> {
        (0..self.length_of(8)?).map(|_| self.f64()).collect()
    }

    /// A length and as many numbers; NaN is allowed.
    ///
    /// # Errors
    /// If there are fewer than announced.
    pub fn f32s(&mut self) -> Result<Vec<f32>> {
        (0..self.length_of(4)?).map(|_| self.f32()).collect()
    }

    /// A length and as many numbers.
    ///
    /// # Errors
    /// If there are fewer than announced.
    pub fn u32s(&mut self) -> Result<Vec<u32>> {
        (0..self.length_of(4)?).map(|_| self.u32()).collect()
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// If something is.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::corrupt("the model file", format!("{} bytes too many", self.0.len())))
        }
    }
}
