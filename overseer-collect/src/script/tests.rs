//! The same script plays the same, and each fault does what it says, where it says.

use super::*;
use overseer_core::Unit;
use proptest::prelude::*;

const STEP: Span = Span::from_secs(5);

fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000) + Span::from_secs(secs)
}

fn play(seed: u64, fault: Option<(Fault, i64, i64)>, rows: usize) -> Vec<Reading> {
    let mut builder = ScriptedHost::builder(seed);
    if let Some((fault, from, to)) = fault {
        builder = builder.fault(fault, at(from), at(to));
    }
    let mut h = builder.build().unwrap();
    (0..rows).map(|i| h.collect(at(0) + STEP.times(i)).unwrap()).collect()
}

fn column(readings: &[Reading], feature: usize) -> Vec<f64> {
    readings.iter().map(|r| r.sample.values[feature]).collect()
}

const FAULTS: [Fault; 12] = [
    Fault::CpuSaturation,
    Fault::MemoryLeak,
    Fault::DiskFill,
    Fault::NetworkBurst,
    Fault::Spike { feature: host::DISK_READ, size: 5.0e7 },
    Fault::LevelShift { feature: host::MEMORY_UTILIZATION, size: 0.2 },
    Fault::Frozen,
    Fault::Gap,
    Fault::CounterReset,
    Fault::NoisyNeighbour,
    Fault::CronJob,
    Fault::Reboot,
];

#[test]
fn the_same_seed_and_calls_give_the_same_values_and_another_seed_others() {
    assert_eq!(play(1, None, 50), play(1, None, 50));
    assert_ne!(play(1, None, 50), play(2, None, 50));
}

#[test]
fn a_seeds_values_do_not_change_from_version_to_version() {
    let readings = play(42, None, 3);
    let cpu: Vec<String> =
        column(&readings, host::CPU_UTILIZATION).iter().map(|x| format!("{x:.9}")).collect();
    assert_eq!(cpu, GOLDEN_CPU);
}

const GOLDEN_CPU: [&str; 3] = ["0.177670040", "0.175675107", "0.176664341"];

#[test]
fn a_fault_changes_something_and_only_while_it_lasts() {
    let usual = play(3, None, 100);
    for fault in FAULTS {
        let faulty = play(3, Some((fault, 200, 300)), 100);
        for (i, (a, b)) in usual.iter().zip(&faulty).enumerate() {
            if !(40..60).contains(&i) {
                assert_eq!(a, b, "{fault} at row {i}");
            }
        }
        // The job of this one comes at full hours.
        let silent = fault == Fault::CronJob;
        assert_eq!(usual[40..60] == faulty[40..60], silent, "{fault}");
    }
}

#[test]
fn every_fault_does_what_its_name_says() {
    let during = |fault| play(5, Some((fault, 100, 600)), 120).split_off(20);
    let of = |fault, feature| column(&during(fault), feature);

    assert!(of(Fault::CpuSaturation, host::CPU_UTILIZATION).iter().all(|&x| x > 0.95));
    assert!(of(Fault::CpuSaturation, host::LOAD_PER_CORE)[99] > 2.0);
    let memory = of(Fault::MemoryLeak, host::MEMORY_UTILIZATION);
    assert!(memory[0] < 0.6 && memory[99] > 0.95);
    assert!(of(Fault::MemoryLeak, host::PAGING_UTILIZATION)[99] > 0.3);
    assert!(of(Fault::DiskFill, host::FILESYSTEM_UTILIZATION)[99] > 0.97);
    assert!(of(Fault::NetworkBurst, host::NETWORK_RECEIVE).iter().all(|&x| x > 40.0e6));

    let spike =
        of(Fault::Spike { feature: host::CPU_UTILIZATION, size: 0.5 }, host::CPU_UTILIZATION);
    let usual = column(&play(5, None, 120), host::CPU_UTILIZATION).split_off(20);
    assert!((spike[0] - usual[0] - 0.5).abs() < 1e-9);
    assert_eq!(spike[1..], usual[1..]);

    let frozen = during(Fault::Frozen);
    let before = &play(5, None, 20)[19].sample.values;
    assert!(frozen.iter().all(|r| r.sample.values == *before));

    let gap = during(Fault::Gap);
    assert!(gap.iter().all(|r| r.sample.is_blank() && r.missing.len() == 13));
    let reset = during(Fault::CounterReset);
    assert_eq!((reset[0].missing.len(), reset[1].missing.len()), (4, 0));
    assert!(reset[0].sample.values[host::NETWORK_RECEIVE].is_nan());

    assert!(of(Fault::NoisyNeighbour, host::CPU_UTILIZATION).iter().all(|&x| x > 0.5));
    let usual = column(&play(5, None, 120), host::DISK_READ).split_off(20);
    assert_eq!(of(Fault::NoisyNeighbour, host::DISK_READ)[9], 0.5 * usual[9]);

    let reboot = during(Fault::Reboot);
    assert!(reboot[..6].iter().all(|r| r.sample.is_blank()));
    assert_eq!((reboot[6].missing.len(), reboot[7].missing.len()), (4, 0));
    let (early, late) = (&reboot[7].sample.values, &reboot[99].sample.values);
    assert!(early[host::MEMORY_UTILIZATION] < 0.25 && late[host::MEMORY_UTILIZATION] > 0.4);
    assert!(early[host::PROCESS_COUNT] < 160.0 && late[host::PROCESS_COUNT] > 190.0);
    assert!(early[host::CPU_UTILIZATION] > late[host::CPU_UTILIZATION] + 0.1);
}

#[test]
fn a_cron_job_comes_each_hour_with_its_process() {
    // The script's first moment is 13 minutes and 20 seconds after an hour.
    let hour = |n: i64| 3600 * n - 800;
    let mut h = ScriptedHost::builder(1).fault(Fault::CronJob, at(0), at(hour(9))).build().unwrap();
    let mut read = |t| {
        let row = h.collect(at(t)).unwrap().sample.values;
        let named = h.processes(5).unwrap().iter().any(|p| p.name == "restic");
        (row[host::DISK_READ] > 40.0e6, named)
    };
    for n in [1, 2, 8] {
        assert_eq!(read(hour(n) - 5), (false, false));
        assert_eq!(read(hour(n)), (true, true));
        assert_eq!(read(hour(n) + 299), (true, true));
        assert_eq!(read(hour(n) + 300), (false, false));
    }
    assert_eq!(read(hour(9)), (false, false));
}

#[test]
fn the_culprit_is_among_the_processes() {
    let cases = [
        (Fault::CpuSaturation, "stress"),
        (Fault::MemoryLeak, "java"),
        (Fault::DiskFill, "rsync"),
        (Fault::NetworkBurst, "curl"),
    ];
    for (fault, name) in cases {
        let mut h = ScriptedHost::builder(1).fault(fault, at(100), at(200)).build().unwrap();
        assert!(h.processes(5).unwrap().is_empty());
        let mut names = |t| {
            h.collect(at(t)).unwrap();
            h.processes(5).unwrap()
        };
        assert!(names(0).iter().all(|p| p.name != name));
        let list = names(190);
        assert!(list.iter().any(|p| p.name == name), "{fault}");
        assert!(list.windows(2).all(|w| w[0].cpu_cores >= w[1].cpu_cores));
        if fault == Fault::CpuSaturation {
            assert_eq!(list[0].name, "stress");
            assert!(list.iter().map(|p| p.cpu_cores).sum::<f64>() <= LOGICAL_CPUS as f64 + 1e-9);
        }
        assert!(names(300).iter().all(|p| p.name != name));
    }
}

#[test]
fn days_have_a_rhythm_and_noise_has_memory() {
    let mut h = ScriptedHost::builder(9).build().unwrap();
    let frame = h.frame(Timestamp::default(), Span::from_secs(60), 3 * 1440).unwrap();
    let cpu: Vec<f64> = frame.column(host::CPU_UTILIZATION).collect();
    let mean = |hour: usize| -> f64 {
        (0..3).flat_map(|day| &cpu[day * 1440 + hour * 60..][..60]).sum::<f64>() / 180.0
    };
    assert!(mean(15) > mean(3) + 0.1, "{} {}", mean(15), mean(3));
    // Neighbours are more alike than strangers.
    let difference = |lag: usize| -> f64 {
        let pairs = cpu.iter().zip(&cpu[lag..]);
        pairs.map(|(a, b)| (a - b).abs()).sum::<f64>() / (cpu.len() - lag) as f64
    };
    assert!(difference(1) < difference(15));
}

#[test]
fn impossible_faults_are_refused() {
    let build = |fault, from, to| ScriptedHost::builder(1).fault(fault, at(from), at(to)).build();
    assert!(build(Fault::Gap, 10, 10).unwrap_err().is_invalid_input());
    assert!(build(Fault::Spike { feature: 13, size: 1.0 }, 0, 1).is_err());
    assert!(build(Fault::LevelShift { feature: 0, size: f64::NAN }, 0, 1).is_err());
    for fault in FAULTS {
        assert_eq!(fault.to_string().parse::<Fault>().unwrap().as_str(), fault.as_str());
    }
    assert!("flood".parse::<Fault>().unwrap_err().to_string().contains("disk_fill"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_seed_times_and_faults_keep_every_value_in_its_range(
        seed in any::<u64>(),
        times in prop::collection::vec(prop_oneof![-1000..200_000_i64, any::<i64>()], 1..40),
        which in prop::collection::vec((0..FAULTS.len(), 0..100_000_i64, 1..100_000_i64), 0..4),
    ) {
        let mut builder = ScriptedHost::builder(seed);
        for (i, from, length) in which {
            let from = Timestamp::from_millis(from);
            builder = builder.fault(FAULTS[i], from, from + Span::from_millis(length));
        }
        let mut h = builder.build().unwrap();
        for t in times {
            let reading = h.collect(Timestamp::from_millis(t)).unwrap();
            let missing = reading.sample.values.iter().filter(|v| v.is_nan()).count();
            prop_assert_eq!(missing, reading.missing.len());
            for (feature, &v) in h.schema().features().iter().zip(&reading.sample.values) {
                prop_assert!(v.is_nan() || (v.is_finite() && v >= 0.0), "{} {}", feature, v);
                prop_assert!(feature.unit != Unit::Ratio || v.is_nan() || v <= 1.0);
            }
            prop_assert!(h.processes(3).unwrap().len() <= 9);
        }
    }
}
