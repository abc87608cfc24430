//! Does a feature repeat, and after how long?
//!
//! The autocorrelation proposes a period and the spectrum decides. A period is stated only if at least three full
//! cycles of it fit the window, its autocorrelation is a peak above the bound for white noise, its first
//! harmonics stand out of the spectrum around it after correction for all the frequencies that might have, and the
//! means by phase explain a share of the variance that a person would see. All of it happens on values whose straight
//! line has been taken away. Proposing by autocorrelation and deciding by spectrum follows Vlachos, Yu and Castelli,
//! On periodicity detection and structural periodic similarity (SIAM SDM 2005).

use super::autocorrelation::Autocorrelation;
use super::spectrum::{LocalNoise, Tapered, around, phase};
use crate::trend::distribution::chi_square_at_most;

/// The fewest full cycles that count as repetition.
const FEWEST_CYCLES: usize = 3;
/// A peak at a fraction of the best lag is taken instead if it is at least this share as high.
const AS_GOOD: f64 = 0.7;
/// Harmonics that locate a period.
const HARMONICS: usize = 3;
/// So many first harmonics are tested together: one for a sine, more for pulses.
const TESTED_TOGETHER: [usize; 3] = [1, 3, 8];
const MOST_PHASES: usize = 64;

/// A rhythm on a grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rhythm {
    /// In cells of the grid.
    pub(super) period: f64,
    /// Share of the variance that the means by phase explain, corrected for their number, 0–1.
    pub(super) strength: f64,
    pub(super) p_value: f64,
    /// The mean of each phase, about zero.
    pub(super) profile: Vec<f64>,
}

impl Rhythm {
    /// What the rhythm adds in a cell of the grid.
    pub(super) fn at(&self, cell: usize) -> f64 {
        let phase = phase_index(cell, self.period, self.profile.len());
        self.profile.get(phase).copied().unwrap_or(0.0)
    }

    /// The lowest and the highest phase.
    pub(super) fn swing(&self) -> (f64, f64) {
        self.profile
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)))
    }
}

/// Looks for the strongest rhythm of detrended values on an even grid (NaN is missing).
pub(super) fn find_rhythm(
    correlator: &Autocorrelation,
    cells: &[f64],
    significance: f64,
    min_strength: f64,
) -> Option<Rhythm> {
    let known = cells.iter().filter(|v| !v.is_nan()).count();
    let longest = cells.len() / FEWEST_CYCLES;
    if longest < 2 || known < 12 {
        return None;
    }
    // A tenth more than the longest lag, so that a peak there can be told from a slope.
    let r = correlator.of(cells, longest + longest / 10 + 1).ok()?;
    let bound = (3.0 / (known as f64).sqrt()).max(0.5 * min_strength).min(0.9);
    let lag = propose(&r, bound)?;

    let n = cells.len() as f64;
    let tapered = Tapered::new(cells);
    let frequency = refine(&tapered, 1.0 / refine_by_multiples(&r, lag), n);
    if frequency * n < FEWEST_CYCLES as f64 - 0.1 {
        return None;
    }
    let rhythm = fold(cells, 1.0 / frequency)?;
    if rhythm.strength < min_strength {
        return None;
    }
    let p_value = test(cells, &tapered, &rhythm)?;
    (p_value < significance).then_some(Rhythm { p_value, ..rhythm })
}

/// The probability of so much power at the rhythm's harmonics from noise alone; `None` if the noise cannot be told.
///
/// The noise is what is left at the frequencies around them once the rhythm is taken away. P-values of harmonics are
/// combined by Fisher's method, and the smallest one is corrected for how many periods and combinations were possible.
fn test(cells: &[f64], tapered: &Tapered, rhythm: &Rhythm) -> Option<f64> {
    let rest: Vec<f64> = cells.iter().enumerate().map(|(i, v)| v - rhythm.at(i)).collect();
    let noise = LocalNoise::new(&rest, rhythm.period);
    let frequencies: Vec<f64> = (1..=TESTED_TOGETHER[2])
        .map(|h| h as f64 / rhythm.period)
        .filter(|&f| f <= 0.5 + 1.0e-9)
        .collect();
    let mut sum = 0.0;
    let mut smallest: Option<f64> = None;
    for (i, (f, power)) in frequencies.iter().zip(tapered.powers(&frequencies)).enumerate() {
        let Some(p) = noise.p_value(*f, power) else { break };
        sum -= 2.0 * p.max(1.0e-300).ln();
        let together = i + 1;
        if TESTED_TOGETHER.contains(&together) || together == frequencies.len() {
            let p = 1.0 - chi_square_at_most(sum, 2.0 * together as f64);
            smallest = Some(smallest.map_or(p, |s| s.min(p)));
        }
    }
    let tests = 0.5 * cells.len() as f64 * TESTED_TOGETHER.len() as f64;
    smallest.map(|p| (p * tests).min(1.0))
}

/// The lag of the highest peak after the autocorrelation first falls below zero, or of a fraction of it as high.
fn propose(r: &[f64], bound: f64) -> Option<usize> {
    let first = r.iter().position(|&x| x < 0.0)?.max(2);
    let is_peak = |k: usize| {
        let at = |i: usize| r.get(i).copied();
        match (at(k.wrapping_sub(1)), at(k), at(k + 1)) {
            (Some(a), Some(b), Some(c)) => b >= a && b >= c,
            _ => false,
        }
    };
    let best = (first..r.len())
        .filter(|&k| is_peak(k) && r[k] > bound)
        .max_by(|&a, &b| r[a].total_cmp(&r[b]))?;
    (2..=best / 2)
        .rev()
        .find_map(|part| {
            let center = best as f64 / part as f64;
            let reach = (0.05 * center).max(0.6);
            let low = ((center - reach).ceil() as usize).max(first);
            let high = (center + reach).floor() as usize;
            (low..=high)
                .filter(|&k| is_peak(k) && r[k] >= AS_GOOD * r[best])
                .max_by(|&a, &b| r[a].total_cmp(&r[b]))
        })
        .or(Some(best))
}

/// The period that the peaks at multiples of a lag agree on: a peak at ten periods tells it ten times as well.
fn refine_by_multiples(r: &[f64], lag: usize) -> f64 {
    let mut period = lag as f64;
    let reach = (0.1 * period).max(1.0) as usize;
    for multiple in 2.. {
        let center = (multiple as f64 * period).round() as usize;
        if center + reach >= r.len() {
            break;
        }
        let near = center.saturating_sub(reach)..=center + reach;
        let Some(peak) = near.max_by(|&a, &b| r[a].total_cmp(&r[b])) else { break };
        if r[peak] < 0.5 * r[lag] {
            break;
        }
        period = peak as f64 / multiple as f64;
    }
    period
}

/// The frequency close by with the most power in its first harmonics.
fn refine(tapered: &Tapered, frequency: f64, n: f64) -> f64 {
    let reach = (1.5 / n).min(0.15 * frequency);
    let candidates: Vec<f64> = around(frequency, reach, 0.1 / n).collect();
    let mut total = vec![0.0; candidates.len()];
    for h in 1..=HARMONICS {
        let multiples: Vec<f64> = candidates.iter().map(|f| h as f64 * f).collect();
        for ((sum, power), f) in total.iter_mut().zip(tapered.powers(&multiples)).zip(&multiples) {
            *sum += if *f <= 0.5 { power } else { 0.0 };
        }
    }
    candidates
        .into_iter()
        .zip(total)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(frequency, |(f, _)| f)
}

fn phase_index(cell: usize, period: f64, phases: usize) -> usize {
    // Half a phase is added so that whole cells fall into the middle of phases rather than on their borders.
    let shifted = phase(cell as f64, period) * phases as f64 + 0.5;
    shifted as usize % phases.max(1)
}

/// The means by phase and what they explain.
fn fold(cells: &[f64], period: f64) -> Option<Rhythm> {
    let phases = (period.round() as usize).clamp(2, MOST_PHASES);
    let (mut sums, mut counts) = (vec![0.0; phases], vec![0_usize; phases]);
    let (mut sum, mut squares, mut known) = (0.0, 0.0, 0_usize);
    for (i, v) in cells.iter().enumerate().filter(|(_, v)| !v.is_nan()) {
        let p = phase_index(i, period, phases);
        sums[p] += v;
        counts[p] += 1;
        sum += v;
        squares += v * v;
        known += 1;
    }
    let mean = sum / known as f64;
    let total = squares - sum * mean;
    let profile: Vec<f64> = sums
        .iter()
        .zip(&counts)
        .map(|(s, &c)| if c == 0 { 0.0 } else { s / c as f64 - mean })
        .collect();
    let explained: f64 = profile.iter().zip(&counts).map(|(m, &c)| m * m * c as f64).sum();
    let spare = known.checked_sub(phases).filter(|&s| s > 0)?;
    // Adjusted R²: means by phase explain something of any noise.
    let unexplained = (1.0 - explained / total).max(0.0) * (known - 1) as f64 / spare as f64;
    let strength = (1.0 - unexplained).clamp(0.0, 1.0);
    Some(Rhythm { period, strength, p_value: 1.0, profile })
}

#[cfg(test)]
mod tests {
    use super::super::spectrum::sine;
    use super::*;

    fn rhythm_of(v: &[f64]) -> Option<Rhythm> {
        find_rhythm(&Autocorrelation::new(v.len()), v, 0.01, 0.2)
    }

    #[test]
    fn clean_shapes_of_any_period_are_found_exactly() {
        for period in [2.0, 3.0, 5.0, 12.0, 12.5, 60.0, 131.7] {
            let v: Vec<f64> = (0..1000).map(|i| sine(f64::from(i) + 0.25, period)).collect();
            let found = rhythm_of(&v).unwrap_or_else(|| panic!("period {period}"));
            assert!((found.period / period - 1.0).abs() < 0.02, "{period}: {}", found.period);
            assert!(found.strength > 0.9 && found.p_value < 1e-3, "{period}: {found:?}");
        }
        for period in [3, 12, 60, 100] {
            let v: Vec<f64> = (0..1000).map(|i| f64::from(u8::from(i % period == 1))).collect();
            let found = rhythm_of(&v).unwrap_or_else(|| panic!("pulses every {period}"));
            assert!((found.period / f64::from(period) - 1.0).abs() < 0.02, "{found:?}");
        }
    }

    #[test]
    fn less_than_three_cycles_are_no_repetition() {
        let v: Vec<f64> = (0..1000).map(|i| sine(f64::from(i), 400.0)).collect();
        assert_eq!(rhythm_of(&v), None);
    }

    #[test]
    fn half_the_values_missing_hide_no_strong_rhythm() {
        let mut v: Vec<f64> = (0..600).map(|i| sine(f64::from(i), 24.0)).collect();
        v.iter_mut()
            .enumerate()
            .filter(|(i, _)| (i * 37) % 101 < 50)
            .for_each(|(_, x)| *x = f64::NAN);
        assert!((rhythm_of(&v).unwrap().period - 24.0).abs() < 0.5);
    }

    #[test]
    fn constants_and_short_series_have_none() {
        assert_eq!(rhythm_of(&[1.0; 500]), None);
        assert_eq!(rhythm_of(&[f64::NAN; 500]), None);
        assert_eq!(rhythm_of(&[1.0, 2.0, 1.0, 2.0]), None);
    }

    #[test]
    fn the_profile_is_the_shape_of_one_cycle() {
        let v: Vec<f64> = (0..240).map(|i| if i % 12 == 0 { 11.0 } else { -1.0 }).collect();
        let rhythm = fold(&v, 12.0).unwrap();
        assert_eq!((rhythm.at(24), rhythm.at(7), rhythm.swing()), (11.0, -1.0, (-1.0, 11.0)));
        assert!((rhythm.strength - 1.0).abs() < 1e-12);
    }
}
