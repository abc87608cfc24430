//! Room left: a disk that fills is told in time, and what only looks like it is not.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod common;

use common::{CalmHost, engine_at, start};
use overseer_core::{
    Auxiliary, AuxiliaryQuery, Collector, PredictionType, Priority, ProcessUsage, ProgramMemory,
    Reading, Result, Schema, Span, Store, Timestamp, Unit, host,
};
use overseer_engine::{Config, Engine, Report, Role, host as wired};
use std::sync::{Arc, Mutex};

type Mounts = Arc<Mutex<Vec<(&'static str, f64)>>>;
type Programs = Arc<Mutex<Vec<ProgramMemory>>>;

/// A calm host with the mounts that a test gives it.
#[derive(Debug)]
struct WithMounts {
    host: CalmHost,
    mounts: Mounts,
    programs: Programs,
}

impl Collector for WithMounts {
    fn schema(&self) -> &Schema {
        self.host.schema()
    }
    fn collect(&mut self, now: Timestamp) -> Result<Reading> {
        self.host.collect(now)
    }
    fn auxiliary(&mut self) -> Result<Vec<Auxiliary>> {
        let mount = |&(point, used): &(&'static str, f64)| {
            let name = "system.filesystem.utilization";
            Auxiliary::new(name, point, Unit::Ratio, used).of_capacity(1.0)
        };
        let mut all: Vec<Auxiliary> = self.mounts.lock().unwrap().iter().map(mount).collect();
        all.push(Auxiliary::new("hw.temperature", "core", Unit::Celsius, 51.0));
        Ok(all)
    }
    fn processes(&mut self, top: usize) -> Result<Vec<ProcessUsage>> {
        self.host.processes(top)
    }
    fn memory(&mut self, _: usize) -> Result<Vec<ProgramMemory>> {
        Ok(self.programs.lock().unwrap().clone())
    }
}

const DAY: Span = Span::from_secs(86_400);

fn open_store(place: &std::path::Path) -> wired::store::SqliteStore {
    let path = place.join("overseer.db");
    wired::store::SqliteStore::open(&path, &host::schema(), "test").unwrap()
}

fn with_mounts(place: &std::path::Path) -> (Engine, Mounts) {
    let (engine, mounts, _) = with_programs(place);
    (engine, mounts)
}

fn with_programs(place: &std::path::Path) -> (Engine, Mounts, Programs) {
    let (mounts, programs) = (Mounts::default(), Programs::default());
    let (seen, known) = (Arc::clone(&mounts), Arc::clone(&programs));
    let host = WithMounts { host: CalmHost::new(), mounts: seen, programs: known };
    let store = open_store(place);
    // Ticks a minute apart would spend their time on models and patterns, which play no part here.
    let mut config = Config::default();
    (config.predict_every, config.patterns_every) = (DAY, DAY);
    config.training_rows = config.min_samples;
    let (host, store) = (Box::new(host), Box::new(store));
    let engine = wired::with_our_models(host, Some(store), None, config, Role::Sampler).unwrap();
    (engine, mounts, programs)
}

/// A tick a minute, so that hours pass quickly; what each report said of room is passed on.
fn minutes(
    engine: &mut Engine,
    mounts: &Mounts,
    minutes: std::ops::Range<i64>,
    at: impl Fn(i64) -> Vec<(&'static str, f64)>,
    mut see: impl FnMut(i64, &Report),
) -> Timestamp {
    let mut now = start();
    for minute in minutes {
        now = start() + Span::from_secs(60 * minute);
        *mounts.lock().unwrap() = at(minute);
        see(minute, &engine.tick(now));
    }
    now
}

fn filling(report: &Report) -> Vec<&str> {
    let instance = |kind: &PredictionType| match kind {
        PredictionType::TimeToFull { instance, .. } => Some(instance.as_str().to_owned()),
        _ => None,
    };
    let room = report.room.iter().flat_map(|room| &room.filling);
    room.filter_map(|p| instance(&p.prediction_type)).map(|s| &*s.leak()).collect()
}

#[test]
fn a_disk_that_fills_is_told_with_advice_and_a_cleanup_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut engine, mounts) = with_mounts(dir.path());
    let leak = |m: i64| 0.6 + 0.0005 * m as f64 + 0.001 * (m as f64 * 0.618).fract();
    let at = |m| vec![("/", 0.3), ("/var", leak(m)), ("/snap/core", 1.0)];
    let mut first = None;
    let now = minutes(&mut engine, &mounts, 0..480, at, |m, report| {
        if first.is_none() && !filling(report).is_empty() {
            first = Some(m);
        }
        if m < 360 {
            assert_eq!(filling(report), Vec::<&str>::new(), "minute {m}");
        }
    });
    assert!((360..=400).contains(&first.unwrap()), "{first:?}");
    let report = engine.analyze(now);
    let room = report.room.as_ref().unwrap();
    assert_eq!(filling(&report), ["/var"]);
    let p = &room.filling[0];
    // 16 percentage points are left at three an hour.
    assert!((4.5..6.5).contains(&(p.value / 3600.0)), "{p:?}");
    assert!(p.interval.contains(320.0 * 60.0), "{p:?}");
    assert!(p.explanation.contains("/var is at 84") && p.explanation.contains("an hour"), "{p:?}");
    let advice = report.recommendations.iter().find(|r| r.evidence.contains("/var")).unwrap();
    assert_eq!(advice.priority, Priority::High);
    assert!(!report.anomaly.unwrap().is_anomaly, "it is advice, not an anomaly");
    let others: Vec<&str> = room.with_room.iter().map(|w| w.what.as_str()).collect();
    assert_eq!(others, ["disk /", "disk /snap/core", "memory"]);
    assert!(report.auxiliary.iter().any(|a| a.auxiliary.unit == Unit::Celsius && a.median == 51.0));

    // A report is read back as it was, and the finding is stored.
    let text = serde_json::to_string(&engine.analyze(now).room).unwrap();
    let back: Option<overseer_engine::report::RoomLeft> = serde_json::from_str(&text).unwrap();
    assert_eq!(back, engine.analyze(now).room);

    let cleaned = |m| vec![("/", 0.3), ("/var", leak(m) - 0.4)];
    let mut last = Vec::new();
    minutes(&mut engine, &mounts, 480..500, cleaned, |_, report| {
        if report.room.is_some() {
            last = filling(report).iter().map(|s| (*s).to_owned()).collect();
        }
    });
    assert_eq!(last, Vec::<String>::new());
}

#[test]
fn a_burst_that_stops_and_a_disk_that_is_unmounted_say_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut engine, mounts) = with_mounts(dir.path());
    // Twenty minutes of a percentage point each; the other is gone while it grows.
    let at = |m: i64| {
        let burst = 0.01 * (m - 400).clamp(0, 20) as f64;
        let mut all = vec![("/", 0.6 + burst + 0.001 * (m as f64 * 0.618).fract())];
        if m < 450 {
            all.push(("/mnt/usb", 0.5 + 0.001 * m as f64));
        }
        all
    };
    let mut said = Vec::new();
    let now = minutes(&mut engine, &mounts, 0..520, at, |m, report| {
        assert!(!filling(report).contains(&"/"), "minute {m}");
        if report.room.is_some() {
            said = filling(report).iter().map(|s| (*s).to_owned()).collect();
        }
    });
    assert!(said.is_empty(), "{said:?}");
    let room = engine.analyze(now).room.unwrap();
    assert!(room.with_room.iter().all(|w| w.what != "disk /mnt/usb"), "{room:?}");
}

#[test]
fn what_was_kept_is_known_after_a_restart_and_forty_minutes_are_too_few() {
    let dir = tempfile::tempdir().unwrap();
    let (mut engine, mounts) = with_mounts(dir.path());
    let leak = |m: i64| vec![("/", 0.6 + 0.0005 * m as f64 + 0.001 * (m as f64 * 0.618).fract())];
    let now = minutes(&mut engine, &mounts, 0..41, leak, |_, _| {});
    let room = engine.analyze(now).room.unwrap();
    let unknown = room.not_known.iter().find(|n| n.what == "disk /").unwrap();
    assert_eq!((unknown.seen, unknown.needed), (Span::from_secs(2400), Span::from_secs(21_600)));
    minutes(&mut engine, &mounts, 41..420, leak, |_, _| {});
    drop(engine);

    let (mut engine, mounts) = with_mounts(dir.path());
    let now = minutes(&mut engine, &mounts, 420..421, leak, |_, _| {});
    let report = engine.analyze(now);
    assert_eq!(filling(&report), ["/"]);
    assert!(report.room.unwrap().with_room.iter().any(|w| w.what == "memory"));
    let mut store = open_store(dir.path());
    let all = store.auxiliary(&AuxiliaryQuery::new(start(), start(), now)).unwrap();
    let points: Vec<_> = all.iter().map(|s| (s.name.as_str(), s.points.len())).collect();
    assert_eq!(points, [("hw.temperature", 421), ("system.filesystem.utilization", 421)]);
}

#[test]
fn predictions_are_of_every_step_with_a_driver_and_of_every_feature() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = engine_at(dir.path(), CalmHost::new());
    let now = common::run(&mut engine, start(), 400, |_, _| {});
    let report = engine.prediction_report(Span::from_secs(300), now).unwrap();
    let scores: Vec<_> = report
        .predictions
        .iter()
        .filter(|p| p.prediction_type == PredictionType::PerformanceScore)
        .collect();
    let horizons: Vec<i64> = scores.iter().map(|p| p.horizon.as_millis() / 5000).collect();
    assert_eq!(horizons, (1..=60).collect::<Vec<_>>());
    // Memory is near 43 %, CPU and half the load near 8 and 13 %.
    for p in &scores {
        assert_eq!(p.driver.as_deref(), Some("system.memory.utilization"), "{p:?}");
    }
    let memory = report.predictions.iter().rfind(|p| {
        p.prediction_type == PredictionType::Feature("system.memory.utilization".to_owned())
    });
    let memory = memory.unwrap();
    assert_eq!(memory.horizon, Span::from_secs(300));
    assert!((0.41..0.45).contains(&memory.value), "{memory:?}");
    assert!(memory.confidence.get() > 0.75, "{memory:?}");
    assert!(memory.explanation.starts_with("In 5 min memory will be near 4"), "{memory:?}");
    // What each tick tells is a handful, for the features at the farthest horizon.
    let told = engine.analyze(now).predictions;
    assert!(told.len() < 20, "{}", told.len());
}

#[test]
fn a_leaking_service_is_told_with_its_limit_and_a_restart_proposed_and_a_steady_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (mut engine, mounts, programs) = with_programs(dir.path());
    let program = |name: &str, pid: u32, bytes: f64, left: f64| {
        let mut largest = ProcessUsage::new(pid, name);
        largest.memory_bytes = bytes;
        largest.unit = format!("{name}.service");
        largest.cgroup = format!("/system.slice/{name}.service");
        let mut p = ProgramMemory::new(largest.unit.clone(), largest);
        (p.left_bytes, p.limited_by) = (Some(left), p.largest.cgroup.clone());
        p
    };
    // 200 kB a minute is 12 MB an hour, of 900 MB that it may have; the other goes up and down by as much.
    let noise = |m: i64| 1e5 * (m as f64 * 0.618).fract();
    let leaking = |m: i64| 600e6 + 2e5 * m as f64 + noise(m);
    let mut first = None;
    let at = |m: i64| {
        *programs.lock().unwrap() = vec![
            program("batch", 4711, leaking(m), 900e6 - leaking(m)),
            program("web", 815, 300e6 + 20.0 * noise(m), 500e6),
        ];
        vec![("/", 0.3)]
    };
    let now = minutes(&mut engine, &mounts, 0..600, at, |m, report| {
        if first.is_none() && !filling(report).is_empty() {
            first = Some(m);
        }
    });
    assert!((480..=545).contains(&first.unwrap()), "{first:?}");
    let report = engine.analyze(now);
    assert_eq!(filling(&report), ["batch.service"]);
    let growing = &report.room.as_ref().unwrap().growing;
    assert_eq!((growing.len(), growing[0].limited_by.as_str()), (1, "/system.slice/batch.service"));
    let g = &growing[0];
    assert!(
        g.interval.contains(g.bytes_per_hour) && (11.9e6..12.1e6).contains(&g.bytes_per_hour),
        "{g:?}"
    );
    // 180 MB are left, at 12 an hour.
    assert!((14.5..15.5).contains(&(g.reached_in / 3600.0)), "{g:?}");
    let advice = report.recommendations.iter().find(|r| r.feature == "process.memory.usage");
    let advice = advice.unwrap();
    assert!(advice.action.starts_with("Restart batch.service"), "{advice:?}");
    assert!(
        advice.evidence.starts_with("Memory of batch.service (pid 4711) is ")
            && advice.evidence.contains(" MB an hour ("),
        "{}",
        advice.evidence
    );
    assert_eq!(advice.processes[0].pid, 4711);

    // Started anew, it holds what it held in the beginning, and nothing is said of it.
    let restarted = |m: i64| {
        *programs.lock().unwrap() = vec![program("batch", 5000, 600e6 + noise(m), 300e6)];
        vec![("/", 0.3)]
    };
    let now = minutes(&mut engine, &mounts, 600..620, restarted, |_, _| {});
    assert_eq!(filling(&engine.analyze(now)), Vec::<&str>::new());
}
