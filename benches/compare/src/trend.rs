//! Polynomials and autocorrelation.

use crate::clock::Bench;
use crate::data::{Data, POINTS};
use crate::{OURS, Result};
use overseer_core::{Span, Timestamp};
use overseer_models::pattern::Autocorrelation;
use overseer_models::trend::PolynomialTrend;
use realfft::{RealFftPlanner, num_complex::Complex};

/// Measures both rows. The window moves on by a point with each call.
pub fn run(bench: &Bench, data: &Data) {
    let (series, window) = (&data.series, |i: usize| i % POINTS..i % POINTS + POINTS);
    let times: Vec<Timestamp> =
        (0..series.len() as i64).map(|i| Timestamp::from_millis(60_000 * i)).collect();
    if let Ok(cubic) = PolynomialTrend::builder().degree(3).build() {
        let fit = |i: usize| Ok(cubic.fit(&times[window(i)], &series[window(i)])?);
        bench.time("trend.cubic_errors", OURS, fit);
        let step = Span::from_secs(60);
        let note = Some("with standard errors and criteria, but no test of its slope");
        bench.time_noted("trend.cubic", OURS, note, |i| {
            Ok(cubic.fit_uniform(times[i % POINTS], step, &series[window(i)])?)
        });
    }
    let (mut fft, ours) = (Correlator::new(POINTS), Autocorrelation::new(POINTS));
    let mut by_hand = |i: usize| fft.of(&series[window(i)]).map(drop);
    let mut planned = |i: usize| Ok(ours.of(&series[window(i)], POINTS - 1).map(drop)?);
    bench.by_turns(
        "trend.autocorrelation",
        &mut [("realfft", &mut by_hand), (OURS, &mut planned)],
    );
}

/// The autocorrelation of every lag through the power spectrum (Wiener and Khinchin), padded so that the ends do not
/// meet, with plans and buffers kept from call to call.
struct Correlator {
    forward: std::sync::Arc<dyn realfft::RealToComplex<f64>>,
    inverse: std::sync::Arc<dyn realfft::ComplexToReal<f64>>,
    padded: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    scratch: [Vec<Complex<f64>>; 2],
    points: usize,
}

impl Correlator {
    fn new(points: usize) -> Self {
        let length = (2 * points).next_power_of_two();
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) =
            (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
        let scratch = [forward.make_scratch_vec(), inverse.make_scratch_vec()];
        let (padded, spectrum) = (forward.make_input_vec(), forward.make_output_vec());
        Self { forward, inverse, padded, spectrum, scratch, points }
    }

    fn of(&mut self, values: &[f64]) -> Result<f64> {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        self.padded.fill(0.0);
        self.padded.iter_mut().zip(values).for_each(|(p, v)| *p = v - mean);
        let [a, b] = &mut self.scratch;
        self.forward.process_with_scratch(&mut self.padded, &mut self.spectrum, a)?;
        self.spectrum.iter_mut().for_each(|c| *c = Complex::new(c.norm_sqr(), 0.0));
        self.inverse.process_with_scratch(&mut self.spectrum, &mut self.padded, b)?;
        let variance = self.padded[0];
        self.padded[..self.points].iter_mut().for_each(|p| *p /= variance);
        Ok(self.padded[1])
    }
}
