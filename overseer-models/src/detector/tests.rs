use super::*;
use crate::file;
use overseer_core::{
    Detector, DetectorTrainer, Feature, Frame, Judgement, LocalTime, Sample, Schema, Timestamp,
    Unit, host,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_pcg::Pcg64Mcg;
use std::sync::Arc;

fn trainer() -> ForestDetectorTrainer {
    ForestDetectorTrainer::builder().seed(3).build().unwrap()
}

fn at(row: usize) -> Timestamp {
    Timestamp::from_millis(row as i64 * 5000)
}

fn frame(schema: &Schema, rows: &[Vec<f64>]) -> Frame {
    frame_from(0, schema, rows)
}

fn frame_from(from: usize, schema: &Schema, rows: &[Vec<f64>]) -> Frame {
    let mut frame = Frame::new(schema.clone());
    for (i, row) in rows.iter().enumerate() {
        frame.push_row(at(from + i), row).unwrap();
    }
    frame
}

fn unknown(features: usize) -> Schema {
    Schema::from_names((0..features).map(|i| format!("column {i}"))).unwrap()
}

/// A host at rest: a little CPU with bursts, slow load, bursts of disk and network, memory that creeps.
fn calm_host(rows: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut load = 0.05;
    let mut memory = 0.4;
    (0..rows)
        .map(|_| {
            let mut burst = |mean: f64| -> f64 {
                let e: f64 = Exp1.sample(&mut rng);
                mean * e
            };
            let cpu = (0.01 + burst(0.012)).min(1.0);
            load += 0.08 * (cpu * 1.5 - load);
            memory += 2e-4 * (burst(1.0) - 1.0);
            vec![
                cpu,
                load,
                memory,
                0.0,
                0.61,
                burst(2e4),
                burst(1.5e5),
                burst(3e3),
                burst(2e3),
                212.0 + burst(1.0).floor(),
                0.2 * cpu,
                burst(2e-4),
                0.0,
            ]
        })
        .collect()
}

/// Normal noise, half of it shared by all features.
fn noise(rows: usize, features: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut normal = move || -> f64 { StandardNormal.sample(&mut rng) };
    (0..rows)
        .map(|_| {
            let shared = normal();
            (0..features).map(|_| shared + normal()).collect()
        })
        .collect()
}

fn observe_all(detector: &mut dyn Detector, from: usize, rows: &[Vec<f64>]) -> Vec<Judgement> {
    let sample = |(i, row): (usize, &Vec<f64>)| Sample::new(at(from + i), row.clone());
    rows.iter().enumerate().map(sample).map(|s| detector.observe(&s).unwrap()).collect()
}

#[test]
fn a_saturated_cpu_is_noticed_and_named_after_a_minute_of_calm() {
    for seed in 0..5 {
        let mut rows = calm_host(80, seed);
        let mut detector = trainer().fit(&frame(&host::schema(), &rows[..60])).unwrap();
        let busy = &mut rows[60..];
        for (i, row) in busy.iter_mut().enumerate() {
            row[host::CPU_UTILIZATION] = 1.0;
            row[host::LOAD_PER_CORE] = 2.0 * (1.0 - (-(i as f64 + 1.0) / 12.0).exp());
            row[host::PRESSURE_CPU] = 0.6;
        }
        for (i, row) in busy.iter().enumerate() {
            let judged = detector.observe(&Sample::new(at(60 + i), row.clone())).unwrap();
            if i < 9 {
                assert!(judged.p_value <= 1e-6, "seed {seed}, row {i}: {judged:?}");
            }
            let why = detector.explain();
            // The processes that wait for it are as clear a sign, and both say the same.
            let cpu =
                ["system.cpu.utilization", "linux.pressure.cpu", "overseer.cpu.load_per_core"];
            assert!(cpu.contains(&why[0].feature.as_str()), "seed {seed}, row {i}: {why:?}");
            let first = why.iter().position(|e| e.feature == cpu[0]).unwrap();
            assert!(first < 3 && why[first].is_outside() && why[first].observed == 1.0);
            let total: f64 = why.iter().map(|e| e.contribution).sum();
            assert!(total <= 1.0 + 1e-9 && why.len() == 13);
        }
    }
}

#[test]
fn a_saturated_cpu_alone_is_enough() {
    for seed in 0..5 {
        let mut rows = calm_host(63, 500 + seed);
        // A host that is less quiet, seen by fewer features.
        rows.iter_mut().for_each(|row| {
            row[host::CPU_UTILIZATION] *= 2.0;
            row[host::PRESSURE_CPU..].fill(f64::NAN);
        });
        let mut detector = trainer().fit(&frame(&host::schema(), &rows[..60])).unwrap();
        rows[60..].iter_mut().for_each(|row| row[host::CPU_UTILIZATION] = 1.0);
        let judged = observe_all(&mut *detector, 60, &rows[60..]);
        assert!(judged.iter().any(|j| j.p_value <= 1e-6), "seed {seed}: {judged:?}");
        assert_eq!(detector.explain()[0].feature, "system.cpu.utilization");
    }
}

#[test]
fn jitter_of_a_few_resolutions_is_never_anomalous() {
    let schema = host::schema();
    for (trained, seed) in [(60, 1), (60, 2), (2000, 3)] {
        let rows = calm_host(trained, seed);
        let mut detector = trainer().fit(&frame(&schema, &rows)).unwrap();
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let jitter: Vec<Vec<f64>> = calm_host(300, seed + 50)
            .into_iter()
            .map(|row| {
                let moved = row.iter().zip(schema.features());
                moved.map(|(v, f)| v + 3.0 * f.resolution.unwrap() * rng.random::<f64>()).collect()
            })
            .collect();
        let least = observe_all(&mut *detector, trained, &jitter)
            .iter()
            .fold(1.0, |p: f64, j| p.min(j.p_value));
        assert!(least >= 1e-5, "{trained} rows: {least}");
    }
}

#[test]
fn a_calm_hour_passes_without_a_word() {
    for (trained, seed) in [(60, 11), (720, 12), (3000, 13)] {
        let rows = calm_host(trained + 720, seed);
        let history = frame(&host::schema(), &rows[..trained]);
        let mut detector = trainer().fit(&history).unwrap();
        let judged = observe_all(&mut *detector, trained, &rows[trained..]);
        let below = |p: f64| judged.iter().filter(|j| j.p_value < p).count();
        assert!(below(1e-4) <= 7 && below(1e-6) == 0, "{trained}: {} below 1e-4", below(1e-4));
    }
}

#[test]
fn p_values_of_normal_rows_are_not_too_small() {
    let rows = noise(9000, 6, 21);
    let mut detector = trainer().fit(&frame(&unknown(6), &rows[..3000])).unwrap();
    let judged = observe_all(&mut *detector, 3000, &rows[3000..]);
    for p in [0.1, 0.01, 0.001] {
        let share = judged.iter().filter(|j| j.p_value <= p).count() as f64 / 6000.0;
        assert!(share <= 1.6 * p + 0.0015, "{share} of the rows have a p-value up to {p}");
    }
    assert!(detector.metadata().quality["flagged_share"].0 < 0.005);
}

#[test]
fn an_injected_feature_is_named_first() {
    let rows = noise(1000, 8, 31);
    let detector = trainer().fit(&frame(&unknown(8), &rows[..800])).unwrap();
    let mut named = 0;
    for (i, row) in rows[800..].iter().enumerate() {
        let mut detector = detector.boxed_clone();
        let mut row = row.clone();
        row[i % 8] += if i % 2 == 0 { 12.0 } else { -12.0 };
        detector.observe(&Sample::new(at(900), row)).unwrap();
        named += usize::from(detector.explain()[0].feature == format!("column {}", i % 8));
    }
    assert!(named >= 190, "{named} of 200");
}

#[test]
fn a_score_sees_nothing_that_comes_later() {
    let rows = noise(700, 3, 41);
    let detector = trainer().fit(&frame(&unknown(3), &rows[..400])).unwrap();
    let mut other = rows.clone();
    other[600..].iter_mut().for_each(|row| row.fill(99.0));
    let score = |rows: &[Vec<f64>]| detector.score(&frame(&unknown(3), rows)).unwrap();
    // All at once is where a later row could be looked at: truncated, and with other rows after it.
    let (whole, changed) = (score(&rows), score(&other));
    assert_eq!(whole[..600], score(&rows[..600]));
    assert_eq!(whole[..600], changed[..600]);
    assert_ne!(whole[600..], changed[600..]);
}

#[test]
fn a_gap_or_going_back_in_time_restarts_the_averages() {
    let rows = noise(400, 2, 45);
    let mut shaken = trainer().fit_detector(&frame(&unknown(2), &rows[..300])).unwrap();
    let high = vec![9.0, 9.0];
    observe_all(&mut shaken, 300, &[high.clone(), high.clone(), high]);
    let mut told = shaken.clone();
    told.reset_lags();
    let next = |detector: &ForestDetector, millis: i64| {
        let sample = Sample::new(Timestamp::from_millis(millis), vec![2.0, -1.0]);
        detector.clone().observe(&sample).unwrap()
    };
    let last = at(302).as_millis();
    assert_eq!(next(&shaken, last + 15_000), next(&shaken, last + 5_000));
    assert_ne!(next(&shaken, last + 15_000), next(&told, last + 15_000));
    for millis in [last + 15_001, last - 1] {
        assert_eq!(next(&shaken, millis), next(&told, last + 5_000));
    }
    // All at once and one by one see the same gap, also after the detector was stored between the rows.
    let mut frame = Frame::new(unknown(2));
    frame.push_row(Timestamp::from_millis(last + 60_000), &[2.0, -1.0]).unwrap();
    assert_eq!(shaken.score(&frame).unwrap(), [next(&told, last)]);
    let stored = trainer().load(&shaken.to_bytes().unwrap(), &unknown(2)).unwrap();
    assert_eq!(stored.score(&frame).unwrap(), [next(&told, last)]);
}

#[test]
fn one_by_one_and_all_at_once_score_the_same() {
    let rows = noise(600, 4, 51);
    let mut detector = trainer().fit(&frame(&unknown(4), &rows[..300])).unwrap();
    let batch = detector.score(&frame_from(300, &unknown(4), &rows[300..])).unwrap();
    assert_eq!(batch, observe_all(&mut *detector, 300, &rows[300..]));
}

#[test]
fn a_stored_detector_goes_on_as_if_it_had_never_stopped() {
    let rows = noise(700, 3, 61);
    let mut detector = trainer().fit(&frame(&unknown(3), &rows[..300])).unwrap();
    observe_all(&mut *detector, 300, &rows[300..450]);
    let bytes = detector.to_bytes().unwrap();
    let mut loaded = trainer().load(&bytes, &unknown(3)).unwrap();
    assert_eq!(loaded.explain(), detector.explain());
    assert_eq!(loaded.metadata(), detector.metadata());
    let a = observe_all(&mut *detector, 450, &rows[450..]);
    assert_eq!(a, observe_all(&mut *loaded, 450, &rows[450..]));
    assert_eq!(loaded.to_bytes().unwrap(), detector.to_bytes().unwrap());
    assert!(trainer().load(&bytes, &unknown(2)).unwrap_err().is_schema_mismatch());
}

#[test]
fn one_spike_does_not_move_what_is_normal() {
    let rows = noise(1200, 3, 71);
    let detector = trainer().fit(&frame(&unknown(3), &rows[..1000])).unwrap();
    let (mut calm, mut hit) = (detector.boxed_clone(), detector.boxed_clone());
    let spike = hit.observe(&Sample::new(at(1000), vec![40.0, 0.0, 0.0])).unwrap();
    assert!(spike.p_value < 1e-4, "{spike:?}");
    calm.observe(&Sample::new(at(1000), vec![0.0, 0.0, 0.0])).unwrap();
    // Once the averages have forgotten it, rows score as if it had not been.
    observe_all(&mut *calm, 1001, &rows[1000..1100]);
    observe_all(&mut *hit, 1001, &rows[1000..1100]);
    let a = observe_all(&mut *calm, 1101, &rows[1100..]);
    let b = observe_all(&mut *hit, 1101, &rows[1100..]);
    let apart: Vec<f64> = a.iter().zip(&b).map(|(a, b)| (a.score - b.score).abs()).collect();
    let mean = apart.iter().sum::<f64>() / 100.0;
    assert!(mean < 0.03 && apart.iter().all(|&x| x < 0.2), "{mean}");
    let again = hit.observe(&Sample::new(at(1201), vec![40.0, 0.0, 0.0])).unwrap();
    // It is not new any more, and one row says less than a stretch of them, but it is still among the rarest.
    assert!(again.p_value < 0.01 && again.score > 0.5, "{again:?}");
}

#[test]
fn a_level_that_lasts_becomes_normal() {
    let mut rows = noise(3000, 3, 81);
    rows[1000..].iter_mut().for_each(|row| row[1] += 30.0);
    let mut detector = trainer().fit(&frame(&unknown(3), &rows[..1000])).unwrap();
    let judged = observe_all(&mut *detector, 1000, &rows[1000..]);
    assert!(judged[..5].iter().all(|j| j.p_value < 1e-3), "{:?}", &judged[..5]);
    let rare = judged[1000..].iter().filter(|j| j.p_value < 1e-3).count();
    assert!(rare <= 5, "{rare} of the last 1000 rows");
}

#[test]
fn a_feature_that_never_varied_is_judged_in_proportion() {
    let mut rows = noise(500, 2, 91);
    rows.iter_mut().for_each(|row| row[1] = 100.0);
    let detector = trainer().fit(&frame(&unknown(2), &rows)).unwrap();
    let judge = |value: f64| {
        let mut d = detector.boxed_clone();
        d.observe(&Sample::new(at(500), vec![0.0, value])).unwrap().p_value
    };
    assert!(judge(100.0) > 0.01 && judge(101.5) > judge(140.0), "{}", judge(101.5));
    assert!(judge(140.0) < 1e-4);
}

#[test]
fn missing_features_and_gaps_do_not_break_it() {
    let mut rows = calm_host(900, 101);
    for (i, row) in rows.iter_mut().enumerate() {
        row[host::PRESSURE_CPU] = f64::NAN;
        if i % 7 == 0 {
            row[host::CPU_UTILIZATION] = f64::NAN;
        }
    }
    let mut history = Frame::new(host::schema());
    for (i, row) in rows[..600].iter().enumerate() {
        let pause = if i > 300 { 3_600_000 } else { 0 };
        history.push_row(at(i) + overseer_core::Span::from_millis(pause), row).unwrap();
    }
    let mut detector = trainer().fit(&history).unwrap();
    assert_eq!(detector.metadata().interval_ms, 5000);
    detector.reset_lags();
    let judged = observe_all(&mut *detector, 2000, &rows[600..]);
    assert!(judged.iter().all(|j| j.p_value > 1e-5 && (0.0..1.0).contains(&j.score)));
    // What was never known in training says nothing when it appears; a row without any value is not unusual.
    let mut row = rows[0].clone();
    row[host::PRESSURE_CPU] = 0.9;
    assert!(detector.observe(&Sample::new(at(2300), row)).unwrap().p_value > 1e-4);
    let blank = detector.observe(&Sample::new(at(2301), vec![f64::NAN; 13])).unwrap();
    assert_eq!((blank.score, blank.p_value), (0.0, 1.0));
    assert!(detector.explain().iter().all(|e| e.contribution == 0.0 && e.observed.is_nan()));
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let rows = noise(100, 2, 111);
    let mut detector = trainer().fit(&frame(&unknown(2), &rows)).unwrap();
    let before = detector.to_bytes().unwrap();
    assert!(detector.explain().is_empty());
    assert!(detector.observe(&Sample::new(at(100), vec![1.0])).unwrap_err().is_schema_mismatch());
    let e = detector.observe(&Sample::new(at(100), vec![0.0, f64::INFINITY])).unwrap_err();
    assert_eq!(e.to_string(), "column `column 1`: the value is infinite");
    assert_eq!(detector.to_bytes().unwrap(), before);
    let few = frame(&unknown(2), &rows[..29]);
    assert!(trainer().fit(&few).unwrap_err().is_not_enough_data());
    let nothing = frame(&unknown(2), &vec![vec![f64::NAN; 2]; 50]);
    assert!(trainer().fit(&nothing).unwrap_err().is_not_enough_data());
    assert!(ForestDetectorTrainer::builder().trees(0).build().is_err());
}

#[test]
fn readiness_grows_with_the_rows_seen() {
    let rows = noise(1100, 1, 121);
    let mut detector = trainer().fit(&frame(&unknown(1), &rows[..100])).unwrap();
    let judged = observe_all(&mut *detector, 100, &rows[100..]);
    assert!((judged[0].readiness.get() - 0.05).abs() < 1e-9);
    assert_eq!(judged[999].readiness.get(), 1.0);
    assert!(judged.iter().any(|j| j.rank.get() > 0.9) && judged.iter().any(|j| j.rank.get() < 0.1));
}

#[test]
fn scores_are_stable_for_a_seed() {
    let rows: Vec<Vec<f64>> = (0..200_u32)
        .map(|i| vec![f64::from(i * 37 % 11), f64::from(i * 53 % 17), f64::from(i * 29 % 7)])
        .collect();
    let mut detector = trainer().fit(&frame(&unknown(3), &rows)).unwrap();
    let later = [vec![5.0, 8.0, 3.0], vec![10.0, 16.0, 6.0], vec![5.0, 60.0, 3.0]];
    let scores: Vec<f64> =
        observe_all(&mut *detector, 200, &later).iter().map(|j| j.score).collect();
    let golden = [0.325_712_130_216_658_5, 0.414_628_227_335_902_3, 0.650_060_792_565_376_1];
    for (s, g) in scores.iter().zip(golden) {
        assert!((s - g).abs() < 1e-9, "{scores:?}");
    }
}

/// Clocks so many hours ahead of UTC.
#[derive(Debug)]
struct Ahead(i32);

impl LocalTime for Ahead {
    fn name(&self) -> &str {
        if self.0 == 0 { "here" } else { "elsewhere" }
    }

    fn utc_offset_seconds(&self, _: Timestamp) -> i32 {
        3600 * self.0
    }
}

#[test]
fn what_recurs_every_week_is_kept_by_the_same_clocks_and_forgotten_by_others() {
    let by = |hours| {
        let clocks = Arc::new(Ahead(hours));
        ForestDetectorTrainer::builder().seed(3).trees(5).local_time(clocks).build().unwrap()
    };
    // Half an hour apart, for two weeks and three days.
    let mut history = Frame::new(unknown(1));
    let half_hour = |row: i64| Timestamp::from_millis(row * 1_800_000);
    for (row, value) in noise(17 * 48, 1, 161).iter().enumerate() {
        history.push_row(half_hour(row as i64), value).unwrap();
    }
    let detector = by(0).fit_detector(&history).unwrap();
    let readiness = detector.weekly_readiness().get();
    assert!((0.99..=1.0).contains(&readiness), "{readiness}");
    assert_eq!(detector.metadata().quality["weekly_readiness"].0, readiness);
    let bytes = detector.to_bytes().unwrap();
    let weekly = |trainer: ForestDetectorTrainer| {
        let mut loaded = ForestDetector::decode(&bytes, &unknown(1), &trainer.local_time).unwrap();
        let judged = loaded.observe(&Sample::new(half_hour(17 * 48), vec![0.5])).unwrap();
        (loaded.weekly_readiness().get(), judged.readiness)
    };
    let (same, other) = (weekly(by(0)), weekly(by(2)));
    assert_eq!((same.0, other.0), (readiness, 0.0));
    // All else is kept.
    assert_eq!(same.1, other.1);
}

#[test]
fn damaged_bytes_are_refused() {
    let rows = noise(60, 2, 131);
    let small = ForestDetectorTrainer::builder().trees(2).build().unwrap();
    let detector = small.fit(&frame(&unknown(2), &rows)).unwrap();
    let bytes = detector.to_bytes().unwrap();
    let kind = "isolation_forest_detector";
    let (metadata, payload) = file::decode(&bytes, kind, &unknown(2)).unwrap();
    for i in 0..payload.len() {
        // With a checksum that fits, so that what the payload claims is checked as well.
        let mut damaged = payload.to_vec();
        damaged[i] ^= 1 << (i % 8);
        let again = file::encode(kind, &metadata, &damaged).unwrap();
        if let Ok(mut read) = small.load(&again, &unknown(2)) {
            let judged = read.observe(&Sample::new(at(60), vec![0.5, 0.5])).unwrap();
            assert!((0.0..=1.0).contains(&judged.score), "byte {i}: {judged:?}");
        }
        let cut = file::encode(kind, &metadata, &payload[..i]).unwrap();
        assert!(small.load(&cut, &unknown(2)).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn scale_and_offset_of_an_unknown_unit_do_not_matter(
        seed in any::<u64>(), factor in 1e-3..1e3f64, offset in -20.0..20.0f64,
    ) {
        let rows = noise(400, 3, seed);
        let other: Vec<Vec<f64>> = rows
            .iter()
            .map(|row| vec![row[0], factor * (row[1] + offset), row[2]])
            .collect();
        let scores = |rows: &[Vec<f64>]| {
            let mut detector = trainer().fit(&frame(&unknown(3), &rows[..300])).unwrap();
            observe_all(&mut *detector, 300, &rows[300..])
        };
        for (a, b) in scores(&rows).iter().zip(scores(&other)) {
            prop_assert!((a.score - b.score).abs() < 1e-6, "{:?} {:?}", a, b);
        }
    }

    #[test]
    fn the_order_of_features_does_not_matter(seed in any::<u64>()) {
        let mut rows = noise(600, 4, seed);
        rows[590][2] = 30.0;
        let names = ["d", "a", "c", "b"];
        let turned: Vec<Vec<f64>> =
            rows.iter().map(|row| row.iter().rev().copied().collect()).collect();
        let scores = |rows: &[Vec<f64>], names: Vec<&str>| {
            let schema = Schema::from_names(names).unwrap();
            let mut detector = trainer().fit(&frame(&schema, &rows[..500])).unwrap();
            observe_all(&mut *detector, 500, &rows[500..])
        };
        let a = scores(&rows, names.to_vec());
        prop_assert_eq!(a, scores(&turned, names.into_iter().rev().collect()));
    }

    #[test]
    fn a_constant_feature_more_changes_nothing(seed in any::<u64>(), value in -1e3..1e3f64) {
        let mut rows = noise(600, 4, seed);
        rows[590][2] = 30.0;
        let more: Vec<Vec<f64>> = rows
            .iter()
            .map(|row| row.iter().copied().chain([value]).collect())
            .collect();
        let scores = |rows: &[Vec<f64>], d: usize| {
            let mut detector = trainer().fit(&frame(&unknown(d), &rows[..500])).unwrap();
            observe_all(&mut *detector, 500, &rows[500..])
        };
        for (a, b) in scores(&rows, 4).iter().zip(scores(&more, 5)) {
            prop_assert!((a.score - b.score).abs() < 1e-6, "{:?} {:?}", a, b);
        }
    }

    #[test]
    fn contributions_are_shares_and_what_is_missing_has_none(
        seed in any::<u64>(), size in -30.0..30.0f64, column in 0..4_usize, lost in 0..4_usize,
    ) {
        let mut rows = noise(325, 4, seed);
        for row in &mut rows[300..] {
            row[column] += size;
            row[lost] = f64::NAN;
        }
        let mut detector = trainer().fit(&frame(&unknown(4), &rows[..300])).unwrap();
        for (i, row) in rows[300..].iter().enumerate() {
            detector.observe(&Sample::new(at(300 + i), row.clone())).unwrap();
            let why = detector.explain();
            prop_assert!(why.iter().all(|e| (0.0..=1.0).contains(&e.contribution)), "{:?}", why);
            let sum: f64 = why.iter().map(|e| e.contribution).sum();
            prop_assert!(sum == 0.0 || (sum - 1.0).abs() < 1e-9, "{}", sum);
            let name = format!("column {lost}");
            let gone = why.iter().find(|e| e.feature == name).unwrap();
            prop_assert_eq!(gone.contribution, 0.0);
            prop_assert_eq!(gone.kind, Some(overseer_core::ChangeKind::Missing));
            prop_assert_eq!(gone.since, Some(at(300)));
        }
    }

    #[test]
    fn no_finite_or_missing_value_breaks_it(
        values in proptest::collection::vec(
            prop_oneof![3 => -5.0..5.0f64, 1 => Just(f64::NAN), 1 => Just(0.0), 1 => Just(f64::MAX), 1 => Just(f64::MIN)],
            160,
        ),
    ) {
        let rows: Vec<Vec<f64>> = values.chunks(2).map(<[f64]>::to_vec).collect();
        let unit = Feature::new("b", Unit::BytesPerSecond).with_resolution(1.0);
        let schema = Schema::new(vec![Feature::new("a", Unit::Unknown), unit]).unwrap();
        let mut detector = trainer().fit(&frame(&schema, &rows[..40])).unwrap();
        for judged in observe_all(&mut *detector, 40, &rows[40..]) {
            prop_assert!((0.0..1.0).contains(&judged.score), "{:?}", judged);
            prop_assert!(judged.p_value > 0.0 && judged.p_value <= 1.0);
        }
        let bytes = detector.to_bytes().unwrap();
        prop_assert!(trainer().load(&bytes, &schema).is_ok());
    }
}
