use super::*;
use crate::simulated::autoregression as noise;
use overseer_core::{ChangeKind, Feature, Schema, Span, Timestamp, host};
use proptest::prelude::*;
use std::f64::consts::TAU;

fn frame_of(feature: Feature, step: Span, values: &[f64]) -> Frame {
    let mut frame = Frame::new(Schema::new(vec![feature]).unwrap());
    let start = Timestamp::from_millis(1_700_000_000_000);
    for (i, &v) in values.iter().enumerate() {
        frame.push_row(start + step.times(i), &[v]).unwrap();
    }
    frame
}

fn analyze(frame: &Frame) -> PatternAnalysis {
    ShapeAnalyzer::builder().build().unwrap().analyze_column(frame, 0).unwrap().unwrap()
}

fn unknown(values: &[f64]) -> PatternAnalysis {
    analyze(&frame_of(Feature::new("x", Unit::Unknown), Span::from_secs(5), values))
}

fn host_feature(index: usize) -> Feature {
    host::schema().features()[index].clone()
}

#[test]
fn a_memory_leak_is_a_trend_and_says_how_fast() {
    // Ten hours of minutes: 40 % to 52 %, with a percent of noise.
    let values: Vec<f64> = noise(0.5, 601, 1)
        .iter()
        .enumerate()
        .map(|(i, e)| 0.40 + 0.12 * i as f64 / 600.0 + 0.005 * e)
        .collect();
    let a =
        analyze(&frame_of(host_feature(host::MEMORY_UTILIZATION), Span::from_secs(60), &values));
    assert_eq!(a.pattern_type, PatternType::Trending);
    assert_eq!(
        a.insights,
        [
            "Memory rose from 39.9 % to 51.8 % over 10 h, about 1.2 points an hour.",
            "At that pace it reaches 100.0 % in about 42.8 h (38.8 h to 47.8 h)."
        ]
    );
    let trend = a.trend.unwrap();
    assert!((trend.slope_per_hour - 0.012).abs() < 0.0005 && trend.p_value < 1e-6, "{trend:?}");
    assert!(a.pattern_strength > 0.9 && a.confidence.get() > 0.999 && a.change_points.is_empty());
    assert_eq!(
        (a.points, a.features.as_slice()),
        (601, &["system.memory.utilization".to_owned()][..])
    );
}

#[test]
fn growth_that_quickens_is_a_trend_too() {
    let values: Vec<f64> = noise(0.0, 300, 2)
        .iter()
        .enumerate()
        .map(|(i, e)| 5.0 + (i as f64 / 60.0).powi(2) + 0.3 * e)
        .collect();
    let a = unknown(&values);
    assert_eq!((a.pattern_type, a.trend.unwrap().coefficients.len()), (PatternType::Trending, 3));
}

#[test]
fn a_day_is_found_in_five_days_of_five_minute_samples() {
    let found = (0..50)
        .filter(|&seed| {
            let values: Vec<f64> = noise(0.6, 1440, seed)
                .iter()
                .enumerate()
                .map(|(i, e)| 0.4 + 0.2 * (TAU * i as f64 / 288.0).sin() + 0.06 * e)
                .collect();
            let a = analyze(&frame_of(
                host_feature(host::CPU_UTILIZATION),
                Span::from_secs(300),
                &values,
            ));
            let hours = a.periodicity.map_or(0.0, |p| p.period.as_secs_f64() / 3600.0);
            a.pattern_type == PatternType::Periodic && (hours - 24.0).abs() < 0.72
        })
        .count();
    assert!(found >= 48, "{found} of 50");
}

#[test]
fn a_day_starting_anywhere_in_it_over_a_part_of_a_day_more_is_found() {
    for (start, days) in [(0.1, 3.2), (0.5, 3.5), (0.8, 4.4), (0.25, 7.9)] {
        let n = (288.0 * days) as usize;
        let values: Vec<f64> = noise(0.0, n, 3)
            .iter()
            .enumerate()
            .map(|(i, e)| 0.4 + 0.2 * (TAU * (start + i as f64 / 288.0)).sin() + 0.05 * e)
            .collect();
        let a =
            analyze(&frame_of(host_feature(host::CPU_UTILIZATION), Span::from_secs(300), &values));
        let hours = a.periodicity.map_or(0.0, |p| p.period.as_secs_f64() / 3600.0);
        assert!((hours - 24.0).abs() < 0.72, "{days} days from {start}: {hours} h, {a:?}");
    }
}

#[test]
fn a_short_rhythm_and_a_job_that_runs_now_and_then_are_found() {
    let (mut waves, mut pulses) = (0, 0);
    for seed in 0..50 {
        let e = noise(0.3, 1000, seed);
        let wave: Vec<f64> =
            (0..1000).map(|i| 10.0 + 2.0 * (TAU * i as f64 / 60.0).sin() + e[i]).collect();
        let pulse: Vec<f64> =
            (0..1000).map(|i| 10.0 + if i % 12 == 5 { 8.0 } else { 0.0 } + e[i]).collect();
        let period = |a: PatternAnalysis| {
            let seconds = a.periodicity.map_or(0.0, |p| p.period.as_secs_f64());
            if a.pattern_type == PatternType::Periodic { seconds } else { 0.0 }
        };
        waves += usize::from((period(unknown(&wave)) / 300.0 - 1.0).abs() < 0.03);
        pulses += usize::from((period(unknown(&pulse)) / 60.0 - 1.0).abs() < 0.03);
    }
    assert!(waves >= 48 && pulses >= 48, "{waves} and {pulses} of 50");
}

#[test]
fn a_rhythm_on_a_slope_is_both_and_the_stronger_names_the_shape() {
    let values = |slope: f64| -> Vec<f64> {
        let e = noise(0.0, 720, 4);
        (0..720)
            .map(|i| 50.0 + slope * i as f64 + 5.0 * (TAU * i as f64 / 48.0).sin() + e[i])
            .collect()
    };
    let steep = unknown(&values(0.05));
    assert_eq!(steep.pattern_type, PatternType::Trending);
    assert_eq!(steep.insights.len(), 2);
    let shallow = unknown(&values(0.004));
    assert_eq!((shallow.pattern_type, shallow.insights.len()), (PatternType::Periodic, 2));
    for a in [steep, shallow] {
        assert!((a.periodicity.unwrap().period.as_secs_f64() / 240.0 - 1.0).abs() < 0.03);
        assert!(a.trend.unwrap().p_value < 0.01);
    }
}

#[test]
fn a_step_is_a_change_of_level_and_not_a_trend() {
    let values: Vec<f64> = noise(0.4, 600, 5)
        .iter()
        .enumerate()
        .map(|(i, e)| if i < 420 { 0.2 } else { 0.6 } + 0.02 * e)
        .collect();
    let a = analyze(&frame_of(host_feature(host::CPU_UTILIZATION), Span::from_secs(60), &values));
    assert_eq!(a.pattern_type, PatternType::Stable);
    assert_eq!(
        a.insights,
        [
            "CPU stepped up from 20.0 % to 60.1 %, 3 h before the end of the window.",
            "CPU is stable between its steps, not across them."
        ]
    );
    assert_eq!(a.change_points.len(), 1);
    assert_eq!(a.change_points[0].timestamp, a.window.0 + Span::from_secs(420 * 60));
}

#[test]
fn wide_swings_without_direction_are_volatile_and_small_ones_stable() {
    let bursts: Vec<f64> = noise(0.0, 400, 6).iter().map(|e| 1.0e6 * (1.5 * e).exp()).collect();
    let a = analyze(&frame_of(host_feature(host::NETWORK_RECEIVE), Span::from_secs(5), &bursts));
    assert_eq!(a.pattern_type, PatternType::Volatile);
    assert!(a.confidence.get() > 0.99 && a.insights[0].starts_with("Network in swings widely"));
    let calm: Vec<f64> = noise(0.0, 400, 6).iter().map(|e| 0.03 + 0.01 * e).collect();
    let a = analyze(&frame_of(host_feature(host::CPU_UTILIZATION), Span::from_secs(5), &calm));
    assert_eq!(a.pattern_type, PatternType::Stable);
    assert!(
        a.confidence.get() > 0.99 && a.insights[0].starts_with("CPU keeps its level of 3.0 %"),
        "{a:?}"
    );
}

#[test]
fn a_constant_is_stable_for_certain() {
    for level in [0.0, 42.0, -1.0e12, 1.0e-9, 0.1] {
        let a = unknown(&[level; 100]);
        assert_eq!((a.pattern_type, a.pattern_strength), (PatternType::Stable, 1.0), "{level}");
        assert_eq!(a.confidence, Probability::ONE);
        assert!(a.periodicity.is_none() && a.change_points.is_empty());
        assert_eq!(a.trend.unwrap().p_value, 1.0);
    }
    assert_eq!(unknown(&[42.0; 100]).insights, ["x stayed at 42."]);
}

#[test]
fn too_few_known_values_say_nothing_and_a_wrong_column_is_an_error() {
    let mut values = vec![f64::NAN; 50];
    let analyzer = ShapeAnalyzer::builder().build().unwrap();
    values[..11].fill(1.0);
    let frame = frame_of(Feature::new("x", Unit::Unknown), Span::from_secs(5), &values);
    assert_eq!(analyzer.analyze_column(&frame, 0).unwrap(), None);
    assert!(analyzer.analyze_column(&frame, 1).unwrap_err().is_invalid_input());
    assert_eq!(analyzer.analyze(&Frame::new(host::schema())).unwrap(), []);
    assert!(ShapeAnalyzer::builder().significance(0.0).build().is_err());
    assert!(ShapeAnalyzer::builder().min_points(7).build().is_err());
    assert!(ShapeAnalyzer::builder().max_degree(0).build().is_err());
    assert!(ShapeAnalyzer::builder().min_rhythm_strength(f64::NAN).build().is_err());
    assert!(ShapeAnalyzer::builder().volatile_spread(0.0).build().is_err());
}

#[test]
fn missing_rows_and_uneven_times_hide_no_rhythm() {
    let mut frame = Frame::new(Schema::from_names(["x"]).unwrap());
    let e = noise(0.0, 1200, 8);
    for i in 0..1200_i64 {
        // Up to 400 ms late, an hour never sampled, every eleventh row without a value.
        let late = (i * 7919) % 400;
        if (500..620).contains(&i) {
            continue;
        }
        let v = 10.0 + 2.0 * (TAU * i as f64 / 60.0).sin() + 0.5 * e[i as usize];
        let v = if i % 11 == 0 { f64::NAN } else { v };
        frame.push_row(Timestamp::from_millis(30_000 * i + late), &[v]).unwrap();
    }
    let a = analyze(&frame);
    assert_eq!(a.pattern_type, PatternType::Periodic);
    assert!((a.periodicity.unwrap().period.as_secs_f64() / 1800.0 - 1.0).abs() < 0.03, "{a:?}");
}

#[test]
fn noise_seldom_has_a_shape() {
    for n in [60, 300, 1000] {
        for phi in [0.0, 0.9, 1.0] {
            let (mut trends, mut rhythms, mut steps) = (0, 0, 0);
            for seed in 0..200 {
                let a = unknown(&noise(phi, n, 1000 + seed));
                trends += usize::from(a.pattern_type == PatternType::Trending);
                rhythms += usize::from(a.periodicity.is_some());
                steps += usize::from(!a.change_points.is_empty());
            }
            assert!(trends <= 10, "{trends} of 200 trends at phi {phi}, {n} values");
            assert!(rhythms <= 10, "{rhythms} of 200 rhythms at phi {phi}, {n} values");
            assert!(steps <= 10, "{steps} of 200 steps at phi {phi}, {n} values");
        }
    }
}

#[test]
fn a_random_walk_seen_through_noise_seldom_has_a_shape() {
    for blur in [1.0, 5.0, 20.0] {
        let (mut trends, mut rhythms) = (0, 0);
        for seed in 0..200 {
            let (walk, white) = (noise(1.0, 1000, seed), noise(0.0, 1000, 5000 + seed));
            let values: Vec<f64> = walk.iter().zip(white).map(|(w, e)| w + blur * e).collect();
            let a = unknown(&values);
            trends += usize::from(a.pattern_type == PatternType::Trending);
            rhythms += usize::from(a.periodicity.is_some());
        }
        assert!(trends <= 20 && rhythms <= 10, "{trends} trends, {rhythms} rhythms at {blur}");
    }
}

#[test]
fn an_analysis_keeps_its_numbers() {
    let values: Vec<f64> = noise(0.5, 200, 42)
        .iter()
        .enumerate()
        .map(|(i, e)| 20.0 + 3.0 * (TAU * i as f64 / 20.0).sin() + e)
        .collect();
    let a = unknown(&values);
    let (p, t) = (a.periodicity.unwrap(), a.trend.unwrap());
    let found = [
        a.pattern_strength,
        a.confidence.get(),
        p.period.as_secs_f64(),
        t.slope_per_hour,
        t.p_value,
    ];
    let golden =
        [0.748_215_446_266, 0.999_999_424_919, 99.701, 2.083_122_264_136, 0.283_225_625_544];
    assert!(found.iter().zip(golden).all(|(a, b): (&f64, f64)| (a - b).abs() < 1e-9), "{found:?}");
}

#[test]
fn the_largest_and_smallest_numbers_are_said_in_few_words() {
    let e = noise(0.0, 300, 8);
    type Series = (&'static str, fn(usize, f64) -> f64);
    let kinds: [Series; 9] = [
        ("noise", |_, e| 1e300 * (1.0 + 0.1 * e)),
        ("both signs", |i, e| if i % 2 == 0 { 1.7e308 } else { -1.7e308 * e.abs().min(1.0) }),
        ("negative", |_, e| -1e300 * (1.0 + 0.1 * e)),
        ("rising", |i, _| i as f64 * 1e305),
        ("rhythm", |i, e| 1e300 * ((i as f64 / 4.0).sin() + 0.1 * e)),
        ("constant, then huge", |i, _| if i < 290 { 5.0 } else { 1e300 }),
        ("a step", |i, e| if i < 150 { e } else { 1e308 }),
        ("tiny", |_, e| 1e-300 * (1.0 + 0.1 * e)),
        ("tiny and rising", |i, _| i as f64 * -1e-310),
    ];
    for unit in [Unit::Unknown, Unit::Ratio, Unit::Bytes, Unit::Processes] {
        for (kind, of) in kinds {
            let values: Vec<f64> = e.iter().enumerate().map(|(i, e)| of(i, *e)).collect();
            let a = analyze(&frame_of(Feature::new("x", unit), Span::from_secs(60), &values));
            for said in &a.insights {
                let is_plain = !["inf", "NaN", "no value", "-0"].iter().any(|w| said.contains(w));
                assert!(is_plain && said.len() < 250, "{kind}, {unit:?}: {said}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn nothing_panics_and_answers_are_in_range(
        rows in proptest::collection::vec(
            (prop_oneof![6 => -1e3..1e3f64, 2 => Just(f64::NAN), 2 => Just(1.0),
                         1 => any::<f64>().prop_filter("finite", |v| !v.is_infinite())],
             prop_oneof![6 => Just(5000_i64), 2 => 0..20_000_i64, 1 => any::<i64>()]),
            0..150),
    ) {
        let mut frame = Frame::new(Schema::from_names(["x"]).unwrap());
        let mut now = Timestamp::default();
        for (v, gap) in rows {
            now = now + Span::from_millis(gap);
            frame.push_row(now, &[v]).unwrap();
        }
        for a in ShapeAnalyzer::builder().build().unwrap().analyze(&frame).unwrap() {
            prop_assert!((0.0..=1.0).contains(&a.pattern_strength), "{a:?}");
            if let Some(p) = a.periodicity {
                prop_assert!((0.0..=1.0).contains(&p.strength) && p.period > Span::default());
            }
            if let Some(t) = a.trend {
                prop_assert!((0.0..=1.0).contains(&t.p_value) && (0.0..=1.0).contains(&t.r_squared));
            }
            prop_assert!(!a.insights.is_empty());
        }
    }
}

#[test]
fn growth_that_sets_in_is_a_bend_and_says_when_it_is_over() {
    let values: Vec<f64> = noise(0.3, 600, 12)
        .iter()
        .enumerate()
        .map(|(i, e)| 0.40 + 0.0006 * (i as f64 - 300.0).max(0.0) + 0.01 * e)
        .collect();
    let a =
        analyze(&frame_of(host_feature(host::MEMORY_UTILIZATION), Span::from_secs(60), &values));
    assert_eq!(a.pattern_type, PatternType::Trending);
    let [change] = a.change_points.as_slice() else { panic!("{a:?}") };
    assert_eq!(change.kind, ChangeKind::Trend);
    let (before, after) = change.sizes.unwrap();
    assert!(before.abs() < 0.006 && (after - 0.036).abs() < 0.006, "{change:?}");
    // 0.58 at the end, and 0.036 an hour.
    let crossing = a.trend.as_ref().unwrap().crossing.unwrap();
    let hours = |t: Timestamp| t.since(a.window.1).as_secs_f64() / 3600.0;
    assert!((9.0..15.0).contains(&hours(crossing.expected)), "{crossing:?}");
    assert!(hours(crossing.earliest) < 11.7 && hours(crossing.latest.unwrap()) > 11.7);
    assert!(a.insights.iter().any(|i| i.starts_with("Memory changed its direction")), "{a:?}");
}

#[test]
fn a_limit_that_was_told_is_projected_and_one_far_away_is_not() {
    let values: Vec<f64> =
        noise(0.0, 300, 13).iter().enumerate().map(|(i, e)| 10.0 + 0.1 * i as f64 + e).collect();
    let frame = frame_of(Feature::new("queue", Unit::Unknown), Span::from_secs(60), &values);
    let crossing = |limit: f64| {
        let analyzer = ShapeAnalyzer::builder().limit("queue", limit).build().unwrap();
        analyzer.analyze_column(&frame, 0).unwrap().unwrap().trend.unwrap().crossing
    };
    let minutes =
        crossing(60.0).unwrap().expected.since(frame.timestamps()[299]).as_secs_f64() / 60.0;
    assert!((minutes - 200.0).abs() < 20.0, "{minutes}");
    assert_eq!(crossing(1e6), None);
    assert_eq!(crossing(5.0), None, "it leads away from it");
    assert!(ShapeAnalyzer::builder().limit("queue", f64::NAN).build().is_err());
}

#[test]
fn a_spread_that_grows_is_said_and_volatility_has_a_number() {
    let mut values = noise(0.0, 600, 14);
    values[400..].iter_mut().for_each(|v| *v *= 4.0);
    values.iter_mut().for_each(|v| *v = 0.3 + 0.01 * *v);
    let a = analyze(&frame_of(host_feature(host::CPU_UTILIZATION), Span::from_secs(60), &values));
    let [change] = a.change_points.as_slice() else { panic!("{a:?}") };
    assert_eq!(change.kind, ChangeKind::Variance);
    let (before, after) = change.sizes.unwrap();
    assert!((before - 0.01).abs() < 0.003 && (after - 0.04).abs() < 0.008, "{change:?}");
    assert!(a.insights[0].starts_with("CPU varies more since"), "{:?}", a.insights);
    let calm: Vec<f64> = noise(0.0, 600, 15).iter().map(|e| 50.0 + 5.0 * e).collect();
    let volatility = unknown(&calm).volatility.unwrap();
    assert!((volatility - 0.1).abs() < 0.01, "{volatility}");
    assert_eq!(unknown(&[3.0; 50]).volatility, Some(0.0));
}

#[test]
fn what_may_have_drifted_is_not_called_stable_for_certain() {
    // A walk that could be anywhere, though it spreads little about its level.
    let sure = (0..100)
        .filter(|&seed| {
            let walk: Vec<f64> = noise(1.0, 200, seed).iter().map(|v| 60.0 + v).collect();
            let a = unknown(&walk);
            a.pattern_type == PatternType::Stable && a.confidence.get() > 0.95
        })
        .count();
    assert!(sure <= 10, "{sure} of 100");
}
