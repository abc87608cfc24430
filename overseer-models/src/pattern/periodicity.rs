//! Does a feature repeat, and after how long?
//!
//! The autocorrelation proposes a period and the spectrum decides. A period is stated only if at least three full
//! cycles of it fit the window, its autocorrelation is a peak above the bound for white noise, its first
//! harmonics stand out of the spectrum around it after correction for all the frequencies that might have, and the
//! means by phase explain a share of the variance that a person would see. All of it happens on values whose straight
//! line has been taken away. Proposing by autocorrelation and deciding by spectrum follows Vlachos, Yu and Castelli,
//! On periodicity detection and structural periodic similarity (SIAM SDM 2005).
//!
//! What one rhythm leaves over is asked for the next. One that is a harmonic of another is no second rhythm: it is part
//! of that one's shape.

use super::autocorrelation::Autocorrelation;
use super::spectrum::{LocalNoise, Taper, Tapered, around, phase};
use crate::trend::distribution::chi_square_at_most;
use std::f64::consts::TAU;

/// The fewest full cycles that count as repetition.
const FEWEST_CYCLES: usize = 3;
/// A peak at a fraction of the best lag is taken instead if it is at least this share as high.
const AS_GOOD: f64 = 0.7;
/// Frequencies are tried so far apart, in bins of one over the window.
const STEP_OF_BIN: f64 = 0.1;
/// Harmonics that locate a period.
const HARMONICS: usize = 3;
/// Values beyond this are brought nearer to one first.
const LARGE: f64 = 1e100;
/// So many first harmonics are tested together: one for a sine, more for pulses.
const TESTED_TOGETHER: [usize; 3] = [1, 3, 8];
const MOST_PHASES: usize = 64;
const MOST_RHYTHMS: usize = 3;
/// A further rhythm must explain this share of all that varies.
const LEAST_SHARE: f64 = 0.05;
/// Of a rhythm found already, so many harmonics may be left over.
const LEFT_OVER: usize = 8;
/// A rhythm that goes round so many times in another is part of that one's shape.
const PART_OF_SHAPE: usize = 4;
/// Periods that people and their schedulers use, in milliseconds: minutes, hours, a day and a week.
const OF_CLOCKS: [f64; 17] = [
    60e3, 120e3, 300e3, 600e3, 900e3, 1_200e3, 1_800e3, 3_600e3, 7_200e3, 10_800e3, 14_400e3,
    21_600e3, 28_800e3, 43_200e3, 86_400e3, 172_800e3, 604_800e3,
];

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
    /// So many first harmonics showed it most clearly.
    harmonics: usize,
}

impl Rhythm {
    /// What the rhythm adds in a cell of the grid.
    pub(super) fn at(&self, cell: usize) -> f64 {
        let phase = phase_index(cell, self.period, self.profile.len());
        self.profile.get(phase).copied().unwrap_or(0.0)
    }

    /// The last cell before `cells` in which it stands highest, between cells; `None` if that was before the first.
    ///
    /// The harmonics that showed it tell where, for the means of single phases are noisy.
    pub(super) fn last_peak(&self, cells: usize) -> Option<f64> {
        let phases = self.profile.len();
        let circle: Vec<(f64, f64)> =
            (0..phases).map(|k| (TAU * k as f64 / phases as f64).sin_cos()).collect();
        let at = |h: usize, k: usize| circle.get(h * k % phases).copied().unwrap_or_default();
        let mut smooth = vec![0.0; phases];
        for h in 1..=self.harmonics.min(phases / 2) {
            let (mut a, mut b) = (0.0, 0.0);
            for (k, v) in self.profile.iter().enumerate() {
                let (sin, cos) = at(h, k);
                a += v * cos;
                b += v * sin;
            }
            for (k, s) in smooth.iter_mut().enumerate() {
                let (sin, cos) = at(h, k);
                *s += a * cos + b * sin;
            }
        }
        let (top, _) = smooth.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        let near = |offset: usize| smooth.get((top + offset) % phases).copied().unwrap_or(0.0);
        let phase = (top as f64 + summit(near(phases - 1), near(0), near(1))) / phases as f64;
        let last = cells.checked_sub(1)? as f64;
        let place = ((last / self.period - phase).floor() + phase) * self.period;
        (place >= 0.0).then_some(place)
    }

    /// The lowest and the highest phase.
    pub(super) fn swing(&self) -> (f64, f64) {
        self.profile
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)))
    }
}

/// Where a parabola through three even points is highest, from the middle one, at most half a step away.
fn summit(left: f64, middle: f64, right: f64) -> f64 {
    let bend = left - 2.0 * middle + right;
    if bend < 0.0 { (0.5 * (left - right) / bend).clamp(-0.5, 0.5) } else { 0.0 }
}

/// What is looked for in cells of a grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) correlator: &'a Autocorrelation,
    pub(super) significance: f64,
    /// The least share of the variance that is worth a word.
    pub(super) min_strength: f64,
    /// Milliseconds from cell to cell.
    pub(super) step_ms: f64,
}

/// Looks for rhythms of detrended values on an even grid (NaN is missing), the strongest first.
pub(super) fn find_rhythms(search: &Search<'_>, cells: &[f64]) -> Vec<Rhythm> {
    let bin = 1.0 / cells.len().max(1) as f64;
    // Whether the first goes round so many times in the second, as far as the window can tell.
    let goes_round =
        |short: f64, long: f64, times: usize| (times as f64 / long - 1.0 / short).abs() <= bin;
    let mut found: Vec<Rhythm> = Vec::new();
    // Squares of values near the largest there are would be infinite; a power of two changes no digit.
    let largest = cells.iter().filter(|v| !v.is_nan()).fold(0.0_f64, |m, v| m.max(v.abs()));
    let scale = if largest > LARGE { largest.log2().floor().exp2() } else { 1.0 };
    let mut rest: Vec<f64> = cells.iter().map(|v| v / scale).collect();
    let total = squares(&rest);
    let taper = Taper::new(rest.len());
    while found.len() < MOST_RHYTHMS {
        let Some(mut next) = find_rhythm(search, &taper, &rest) else { break };
        // Of all that varies, not of what earlier ones left over.
        let share = squares(&rest) / total;
        if next.strength * share < LEAST_SHARE {
            break;
        }
        let is_left_over =
            |f: &Rhythm| (1..=LEFT_OVER).any(|times| goes_round(next.period, f.period, times));
        if found.iter().any(is_left_over) {
            break;
        }
        let part = found.iter().position(|f| {
            (2..=PART_OF_SHAPE).any(|times| goes_round(f.period, next.period, times))
        });
        if let Some(part) = part {
            let part = found.remove(part);
            rest.iter_mut().enumerate().for_each(|(i, v)| *v += part.at(i));
            if let Some(whole) = fold(&rest, next.period) {
                let p_value = next.p_value.min(part.p_value);
                next = Rhythm { p_value, harmonics: next.harmonics.max(part.harmonics), ..whole };
            }
        }
        next.strength *= squares(&rest) / total;
        rest.iter_mut().enumerate().for_each(|(i, v)| *v -= next.at(i));
        found.push(next);
    }
    found.iter_mut().flat_map(|f| &mut f.profile).for_each(|v| *v *= scale);
    found.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    found
}

/// The sum of squares about the mean of what is known.
fn squares(cells: &[f64]) -> f64 {
    let (mut sum, mut squares, mut known) = (0.0, 0.0, 0.0);
    for v in cells.iter().filter(|v| !v.is_nan()) {
        sum += v;
        squares += v * v;
        known += 1.0;
    }
    squares - sum * sum / known
}

/// Looks for the strongest rhythm.
fn find_rhythm(search: &Search<'_>, taper: &Taper, cells: &[f64]) -> Option<Rhythm> {
    let Search { correlator, significance, min_strength, step_ms } = *search;
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
    let tapered = taper.of(cells);
    let frequency = refine(&tapered, 1.0 / refine_by_multiples(&r, lag), n);
    if frequency * n < FEWEST_CYCLES as f64 - 0.1 {
        return None;
    }
    let rhythm = fold(cells, by_the_clock(frequency, n, step_ms))?;
    if rhythm.strength < min_strength {
        return None;
    }
    let (p_value, harmonics) = test(cells, taper, correlator, &tapered, &rhythm)?;
    (p_value < significance).then_some(Rhythm { p_value, harmonics, ..rhythm })
}

/// The period of a frequency, or one of those that clocks make if it is as near as the window can tell.
fn by_the_clock(frequency: f64, n: f64, step_ms: f64) -> f64 {
    OF_CLOCKS
        .iter()
        .map(|ms| ms / step_ms)
        .find(|period| (1.0 / period - frequency).abs() <= STEP_OF_BIN / n)
        .unwrap_or(1.0 / frequency)
}

/// The probability of so much power at the rhythm's harmonics from noise alone; `None` if the noise cannot be told.
///
/// The noise is what is left at the frequencies around them once the rhythm is taken away. P-values of harmonics are
/// combined by Fisher's method, and the smallest one is corrected for how many periods and combinations were possible.
/// With it comes how many harmonics it is of.
fn test(
    cells: &[f64],
    taper: &Taper,
    correlator: &Autocorrelation,
    tapered: &Tapered,
    rhythm: &Rhythm,
) -> Option<(f64, usize)> {
    let rest: Vec<f64> = cells.iter().enumerate().map(|(i, v)| v - rhythm.at(i)).collect();
    let noise = LocalNoise::new(taper, correlator, &rest, rhythm.period)?;
    let frequencies: Vec<f64> = (1..=TESTED_TOGETHER[2])
        .map(|h| h as f64 / rhythm.period)
        .filter(|&f| f <= 0.5 + 1.0e-9)
        .collect();
    let mut sum = 0.0;
    let mut smallest: Option<(f64, usize)> = None;
    for (i, (f, power)) in frequencies.iter().zip(tapered.powers(&frequencies)).enumerate() {
        let Some(p) = noise.p_value(*f, power) else { break };
        sum -= 2.0 * p.max(1.0e-300).ln();
        let together = i + 1;
        if TESTED_TOGETHER.contains(&together) || together == frequencies.len() {
            let p = 1.0 - chi_square_at_most(sum, 2.0 * together as f64);
            smallest = Some(smallest.filter(|s| s.0 <= p).unwrap_or((p, together)));
        }
    }
    let tests = 0.5 * cells.len() as f64 * TESTED_TOGETHER.len() as f64;
    smallest.map(|(p, harmonics)| ((p * tests).min(1.0), harmonics))
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
    let mut last = lag;
    let reach = (0.1 * period).max(1.0) as usize;
    for multiple in 2.. {
        let center = (multiple as f64 * period).round() as usize;
        if center + reach >= r.len() {
            break;
        }
        let near = center.saturating_sub(reach)..=center + reach;
        let Some(peak) = near.max_by(|&a, &b| r[a].total_cmp(&r[b])) else { break };
        // Where the period would shrink as fast as its multiples grow, there is no end.
        if r[peak] < 0.5 * r[lag] || peak <= last {
            break;
        }
        last = peak;
        period = peak as f64 / multiple as f64;
    }
    period
}

/// The frequency close by with the most power in its first harmonics.
///
/// A high harmonic tells a frequency as many times as well, if there is one: the first few find about where it is, and
/// then each counts by how strong it is there.
fn refine(tapered: &Tapered, frequency: f64, n: f64) -> f64 {
    let powers = |candidates: &[f64], harmonics: usize| -> Vec<f64> {
        let all: Vec<f64> =
            candidates.iter().flat_map(|f| (1..=harmonics).map(move |h| h as f64 * f)).collect();
        let mut powers = tapered.powers(&all);
        powers.iter_mut().zip(&all).filter(|(_, f)| **f > 0.5).for_each(|(p, _)| *p = 0.0);
        powers
    };
    let highest = |totals: &[f64]| {
        totals.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i)
    };
    let reach = (1.5 / n).min(0.15 * frequency);
    let roughly: Vec<f64> = around(frequency, reach, 3.0 * STEP_OF_BIN / n).collect();
    let totals: Vec<f64> =
        powers(&roughly, HARMONICS).chunks(HARMONICS).map(|p| p.iter().sum()).collect();
    let Some(&frequency) = roughly.get(highest(&totals)) else { return frequency };

    let step = STEP_OF_BIN / n;
    let nearby: Vec<f64> = (-2..=2).map(|i| frequency + f64::from(i) * step).collect();
    let all = powers(&nearby, TESTED_TOGETHER[2]);
    let mut by_candidate = all.chunks(TESTED_TOGETHER[2]);
    let weights = by_candidate.nth(2).unwrap_or(&[]);
    let totals: Vec<f64> = all
        .chunks(TESTED_TOGETHER[2])
        .map(|p| p.iter().zip(weights).map(|(p, w)| p * w).sum())
        .collect();
    let best = highest(&totals);
    let between = match totals.get(best.saturating_sub(1)..best + 2) {
        Some([left, middle, right]) if best > 0 => summit(*left, *middle, *right),
        _ => 0.0,
    };
    nearby.get(best).map_or(frequency, |f| f + between * step)
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
    Some(Rhythm { period, strength, p_value: 1.0, profile, harmonics: 1 })
}

#[cfg(test)]
mod tests {
    use super::super::spectrum::sine;
    use super::*;
    use crate::simulated::autoregression;

    fn rhythms_of(v: &[f64]) -> Vec<Rhythm> {
        let correlator = Autocorrelation::new(v.len());
        let search = Search {
            correlator: &correlator,
            significance: 0.01,
            min_strength: 0.2,
            step_ms: 1234.5,
        };
        find_rhythms(&search, v)
    }

    fn rhythm_of(v: &[f64]) -> Option<Rhythm> {
        rhythms_of(v).into_iter().next()
    }

    #[test]
    fn several_rhythms_are_found_each_once_and_harmonics_belong_to_their_own() {
        let e = autoregression(0.0, 1000, 3);
        let two: Vec<f64> = (0..1000)
            .map(|i| {
                3.0 * sine(f64::from(i), 24.0) + 2.0 * sine(f64::from(i), 125.0) + e[i as usize]
            })
            .collect();
        let periods: Vec<f64> = rhythms_of(&two).iter().map(|r| r.period.round()).collect();
        assert_eq!(periods, [24.0, 125.0]);
        // A square wave, and a sine with its second and third harmonic above it.
        for strengths in [[1.0, 0.0, 0.33], [1.0, 1.5, 1.2]] {
            let shape: Vec<f64> = (0..1000)
                .map(|i| {
                    let part =
                        |k: usize| strengths[k - 1] * sine(k as f64 * (f64::from(i) + 3.0), 100.0);
                    2.0 * (1..=3).map(part).sum::<f64>() + 0.3 * e[i as usize]
                })
                .collect();
            let found = rhythms_of(&shape);
            assert!(matches!(&found[..], [r] if (r.period - 100.0).abs() < 1.0), "{found:?}");
        }
    }

    #[test]
    fn the_peak_is_where_the_rhythm_is_highest() {
        let e = autoregression(0.0, 960, 9);
        let v: Vec<f64> =
            (0..960).map(|i| 2.0 * sine(f64::from(i) - 7.0, 96.0) + e[i as usize]).collect();
        // A quarter of a period after 7: 31, and the last of those before 960 is 895.
        let peak = rhythm_of(&v).unwrap().last_peak(960).unwrap();
        assert!((peak - 895.0).abs() < 2.0, "{peak}");
        let pulses: Vec<f64> =
            (0..960).map(|i| if i % 48 == 11 { 9.0 } else { 0.0 } + e[i as usize]).collect();
        let peak = rhythm_of(&pulses).unwrap().last_peak(960).unwrap();
        assert!((peak - 923.0).abs() < 1.5, "{peak}");
    }

    #[test]
    fn a_period_near_a_clocks_is_taken_for_it_and_one_in_between_is_not() {
        // Cells of ten minutes over a week: a tenth of a bin about a day is 20 minutes.
        assert_eq!(by_the_clock(1.0 / 144.5, 1008.0, 600e3), 144.0);
        assert_eq!(by_the_clock(1.0 / 140.0, 1008.0, 600e3), 140.0);
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
    fn a_flat_autocorrelation_is_no_endless_search() {
        let mut r = vec![0.9; 300];
        (r[0], r[1]) = (1.0, -0.1);
        (r[3], r[4]) = (0.95, 0.96);
        assert!(refine_by_multiples(&r, 2) > 0.0);
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
