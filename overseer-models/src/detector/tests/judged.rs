//! What is judged to be unusual, and what is not.

use super::*;
use overseer_core::host;
use rand::RngExt;

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
    // Rows follow each other in the windows, so small p-values come in runs and one host is little evidence.
    let hosts = [21, 22, 23];
    let mut p_values = Vec::new();
    for seed in hosts {
        let rows = noise(9000, 6, seed);
        let mut detector = trainer().fit(&frame(&unknown(6), &rows[..3000])).unwrap();
        let judged = observe_all(&mut *detector, 3000, &rows[3000..]);
        p_values.extend(judged.iter().map(|j| j.p_value));
        assert!(detector.metadata().quality["flagged_share"].0 < 0.005);
    }
    for p in [0.1, 0.01, 0.001] {
        let below = p_values.iter().filter(|&&v| v <= p).count();
        let share = below as f64 / p_values.len() as f64;
        assert!(share <= 1.6 * p + 0.0015, "{share} of the rows have a p-value up to {p}");
    }
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
    let golden = [0.315_724_699_321_927_2, 0.387_612_163_115_407_4, 0.670_715_478_807_337_3];
    for (s, g) in scores.iter().zip(golden) {
        assert!((s - g).abs() < 1e-9, "{scores:?}");
    }
}
