//! A made-up host, drawn on screens of several sizes and compared with what they were; `OVERSEER_UPDATE=1` writes them anew.

use super::desk::Answer;
use super::draw;
use super::series::{Line, Point};
use super::state::{Focus, Host, Panel, RANGES, State};
use super::theme::Theme;
use overseer_engine::Report;
use overseer_engine::core::{
    ProcessUsage, Sample, Span, Store, Summary, SummaryQuery, Timestamp, host as host_schema,
};
use overseer_engine::host::{Options, open_store};
use overseer_engine::usual::{UsualHours, usual_hours};
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};
use ratatui::{Terminal, buffer::Buffer};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

pub(super) const NOW: i64 = 1_700_000_000_000;

fn report() -> Report {
    let schema = host_schema::schema();
    let values =
        [0.97, 1.9, 0.46, f64::NAN, 0.71, 120e3, 45.2e6, 900.0, 1_300.0, 214.0, 0.61, 0.02, 0.0];
    let usual = [
        (0.02, 0.08),
        (0.1, 0.6),
        (0.4, 0.5),
        (0.0, 0.0),
        (0.7, 0.72),
        (0.0, 2e6),
        (0.0, 5e6),
        (0.0, 40e3),
        (0.0, 60e3),
        (200.0, 220.0),
        (0.0, 0.05),
        (0.0, 0.05),
        (0.0, 0.01),
    ];
    let current: Vec<Value> = schema
        .features()
        .iter()
        .zip(values.iter().zip(usual))
        .map(|(f, (&v, u))| {
            let usual = if v.is_nan() { Value::Null } else { json!([u.0, u.1]) };
            json!({"feature": f.name, "value": v, "unit": f.unit, "usual": usual})
        })
        .collect();
    let evidence = json!([
        {"feature": "system.cpu.utilization", "observed": 0.97, "expected": [0.02, 0.08],
         "contribution": 0.62, "kind": "level", "since": NOW - 180_000},
        {"feature": "system.disk.io.write", "observed": 45.2e6, "expected": [0.0, 5e6],
         "contribution": 0.21, "kind": "spike", "since": NOW - 60_000},
    ]);
    let said = "CPU has been far above its usual 2–8 % for 3 min (now 97 %, critical); with it disk \
        writes rose; busiest: sh (98 % of a core).";
    let incident = json!({
        "id": 12, "kind": "anomaly", "subject": "", "state": "firing", "severity": "high",
        "began_at": NOW - 180_000, "since": null, "fired_at": NOW - 175_000,
        "peak": {"at": NOW, "severity": "high", "score": 0.99, "p_value": 1e-7},
        "last_seen": NOW, "ended_at": null, "samples": 36, "alert": true, "silenced": false,
        "told": null, "acknowledged": null, "label": null, "features": evidence, "processes": [],
        "description": said, "suggested_actions": ["Look at sh (pid 4242)."],
    });
    let prediction = |kind: Value, value: f64, low: f64, high: f64, horizon: i64| {
        json!({"prediction_type": kind, "value": value, "horizon": horizon, "confidence": 0.91,
            "interval": {"lower": low, "upper": high, "level": 0.9}, "timestamp": NOW,
            "features": [], "explanation": "It goes on.", "recommendations": []})
    };
    let cpu = json!({"feature": "system.cpu.utilization"});
    let pattern = |feature: &str, kind: &str, insights: Value| {
        json!({"pattern_type": kind, "pattern_strength": 0.8, "periodicity": null, "trend": null,
            "confidence": 0.99, "features": [feature], "insights": insights, "change_points": [],
            "window": [NOW - 3_600_000, NOW], "points": 700})
    };
    let report = json!({
        "version": 1, "timestamp": NOW,
        "host": {"name": "web-1", "system": "Debian 12", "logical_cpus": 8,
            "memory_bytes": 16_000_000_000_u64},
        "learned": {"samples": 1000, "interval": 5000, "span": [NOW - 5_000_000, NOW],
            "provisional": false, "readiness": 0.4, "data_dir": "/var/lib/overseer", "models": [{
                "name": "detector", "kind": "detector", "algorithm": "isolation forest",
                "trained_at": NOW - 600_000, "trained_on": [NOW - 5_000_000, NOW - 600_000],
                "rows": 880, "interval_ms": 5000, "duration_ms": 31.0, "provisional": false,
                "schema_fingerprint": 1, "bytes": 1000,
                "quality": {"weekly_readiness": 0.25, "flagged_share": 0.002}}]},
        "current": {"timestamp": NOW, "values": current, "performance_score": 97.0,
            "driver": "system.cpu.utilization", "fullest_mount": "/var",
            "missing": [{"feature": "system.paging.utilization", "reason": "there is no swap"}]},
        "anomaly": {"is_anomaly": true, "severity": "high", "confidence": 0.4, "timestamp": NOW,
            "features": evidence, "description": said, "suggested_actions": [], "score": 0.99,
            "p_value": 1e-7},
        "alert": false, "incidents": [incident],
        "predictions": [prediction(json!("performance_score"), 90.0, 70.0, 99.0, 300_000),
            prediction(cpu, 0.9, 0.7, 0.99, 300_000)],
        "room": {"timestamp": NOW, "filling": [], "not_known": [],
            "with_room": [{"what": "/var", "within": 86_400_000 * 7}]},
        "patterns": [
            pattern("system.memory.utilization", "trending", json!(["Memory rises by 1 % an hour."])),
            pattern("system.process.count", "stable", json!([]))],
        "recommendations": [{"feature": "system.cpu.utilization", "priority": "high",
            "evidence": "CPU is at 97 %.", "action": "Lower the priority of sh.", "processes": []}],
        "processes": [],
        "notices": [{"stage": "store", "warning": true, "message": "the disk is slow"}],
        "timings": [], "tick_ms": 1.2,
    });
    serde_json::from_value(report).unwrap()
}

fn processes() -> Vec<ProcessUsage> {
    let mut burn = ProcessUsage::new(4242, "sh");
    burn.command = "sh -c while :; do :; done".to_owned();
    (burn.cpu_cores, burn.memory_bytes, burn.io_bytes_per_second) = (0.98, 3.1e6, f64::NAN);
    burn.unit = "cron.service".to_owned();
    // A name that would steer the terminal, or write a line of its own.
    let mut evil = ProcessUsage::new(666, "\x1b[2J\r\nevil");
    (evil.cpu_cores, evil.memory_bytes) = (0.02, 1e9);
    vec![burn, evil]
}

/// A host of which an hour is known, with a gap in it, in trouble for three minutes.
pub(super) fn scene() -> State {
    let report = report();
    let host = Host { is_sampler: true, step: Span::from_secs(5), budget: "1/week".to_owned() };
    let now = Timestamp::from_millis(NOW);
    let mut state = State::new(report.host.clone(), host.clone(), now);
    let current = report.current.clone().unwrap();
    let series = |index: usize, last: f64| -> Vec<Point> {
        let point = |n: i64| {
            let wave = 0.5 + 0.4 * (n as f64 / (3.0 + index as f64)).sin();
            let v = if n >= 285 { last } else { last * 0.1 * wave };
            Point {
                start: NOW - (300 - n) * 12_000,
                length: 12_000,
                mean: v,
                min: 0.8 * v,
                max: 1.2 * v,
            }
        };
        (0..300).filter(|n| !(120..150).contains(n)).map(point).collect()
    };
    state.series.features = current
        .values
        .iter()
        .enumerate()
        .map(|(i, v)| Line { feature: v.value.feature.clone(), points: series(i, v.value.value) })
        .collect();
    state.series.score = series(0, 97.0);
    state.ticked(report, host);
    state.processes = processes();
    state.alerts_last_week = Some(1);
    state.wants_history = false;
    state
}

fn drawn(state: &mut State, (width, height): (u16, u16), theme: &Theme) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw::all(frame, state, theme)).unwrap();
    terminal.backend().buffer().clone()
}

fn seen(state: &mut State, size: (u16, u16)) -> String {
    without_clocks(&super::screen::text(&drawn(state, size, &Theme::plain())))
}

/// Times and dates are those of the zone that the test runs in.
fn without_clocks(text: &str) -> String {
    let word = |word: &str| {
        let is_time = word.chars().all(|c| c.is_ascii_digit() || ":.,-".contains(c))
            && (word.contains(':') || word.matches('-').count() == 2);
        let hidden = |c: char| if c.is_ascii_digit() { '#' } else { c };
        if is_time { word.chars().map(hidden).collect() } else { word.to_owned() }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn check(name: &str, text: &str) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands/top/snapshots");
    let path = dir.join(format!("{name}.txt"));
    if std::env::var_os("OVERSEER_UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "{name} is no longer what it was; it is now:\n{text}");
}

#[test]
fn a_host_in_trouble_is_drawn_as_it_was() {
    check("80x24", &seen(&mut scene(), (80, 24)));
    check("140x40", &seen(&mut scene(), (140, 40)));
    let mut detail = scene();
    (detail.feature, detail.is_detail) = (1, true);
    check("80x24_detail", &seen(&mut detail, (80, 24)));
    let mut help = scene();
    help.is_help = true;
    check("80x24_help", &seen(&mut help, (80, 24)));
    let mut processes = scene();
    (processes.focus, processes.panel) = (Focus::Panel, Panel::Processes);
    check("80x24_processes", &seen(&mut processes, (80, 24)));
    let mut incident = scene();
    (incident.focus, incident.panel, incident.is_detail) = (Focus::Panel, Panel::Incidents, true);
    check("80x24_incident", &seen(&mut incident, (80, 24)));
}

#[test]
fn what_matters_is_on_the_smallest_screen_that_is_promised() {
    let text = seen(&mut scene(), (80, 24));
    for said in [
        "web-1",
        "HIGH",
        "CPU has been far above its usual",
        "Performance 97",
        "90 % interval",
        "70 to 99",
        "91 % held",
        "Learned 42 of 168 hours of the week",
        "budget 1/week",
        "97.0 %!",
        "usual 2–8 %",
        "there is no swap",
        "1 open",
        "#12",
        "firing",
        "q quit",
        "? help",
        "last 60 min",
    ] {
        assert!(text.contains(said), "no {said:?} in\n{text}");
    }
    let all = seen(&mut scene(), (140, 50));
    for said in [
        "Lower the priority of sh",
        "/var",
        "Memory rises",
        "isolation forest",
        "the disk is slow",
        "cron.service",
        "in 5 min",
    ] {
        assert!(all.contains(said), "no {said:?} in\n{all}");
    }
}

#[test]
fn a_missing_value_is_never_a_zero_and_a_gap_is_blank() {
    let text = seen(&mut scene(), (140, 40));
    let swap = text.lines().find(|l| l.contains("swap")).unwrap();
    assert!(swap.contains("no value") && swap.contains("there is no swap"), "{swap}");
    let memory = text.lines().find(|l| l.contains(" memory  ")).unwrap();
    let bars: String = memory.chars().skip(31).take(20).collect();
    assert!(bars.trim().contains(' '), "half an hour's gap shows: {memory}");
    let mut empty = scene();
    (empty.report, empty.series, empty.incidents) = (None, Default::default(), Vec::new());
    empty.processes.clear();
    empty.alerts_last_week = None;
    let text = seen(&mut empty, (140, 40));
    assert!(text.contains("no value") && text.contains("7-day alerts not known"), "{text}");
    assert!(!text.contains("0 %") && !text.contains(" 0 B"), "{text}");
}

#[test]
fn a_tick_that_looked_for_less_leaves_what_was_found() {
    let mut state = scene();
    let mut report = report();
    report.predictions.clear();
    report.patterns.clear();
    report.room = None;
    report.notices.clear();
    let host = state.host.clone();
    state.ticked(report, host);
    let text = seen(&mut state, (140, 50));
    for said in ["in 5 min", "Memory rises", "/var", "the disk is slow"] {
        assert!(text.contains(said), "no {said:?} in\n{text}");
    }
}

#[test]
fn samples_that_are_old_or_not_ours_say_so() {
    let mut state = scene();
    state.now = state.now + Span::from_secs(180);
    assert!(seen(&mut state, (80, 24)).contains("newest sample 3 min ago"));
    state.host.is_sampler = false;
    assert!(seen(&mut state, (80, 24)).contains("stored samples, newest 3 min ago"));
    state.now = Timestamp::from_millis(NOW);
    assert!(seen(&mut state, (80, 24)).contains("stored samples, every 5 s"));
}

#[test]
fn without_colour_nothing_is_coloured_and_outside_is_marked_all_the_same() {
    for theme in [Theme::plain(), Theme::ascii()] {
        let buffer = drawn(&mut scene(), (140, 40), &theme);
        assert!(buffer.content().iter().all(|c| c.fg == Color::Reset && c.bg == Color::Reset));
        assert!(buffer.content().iter().any(|c| c.symbol() == "!"));
    }
    let buffer = drawn(&mut scene(), (140, 40), &Theme::colored());
    let red = buffer.content().iter().filter(|c| c.fg == Color::Red);
    assert!(red.filter(|c| c.modifier.contains(Modifier::BOLD)).count() > 5);
    let plain = drawn(&mut scene(), (140, 40), &Theme::ascii());
    assert!(plain.content().iter().all(|c| c.symbol().is_ascii()));
}

#[test]
fn every_size_is_drawn_and_a_small_one_says_so() {
    for (width, height) in [(1, 1), (10, 3), (59, 24), (60, 15)] {
        let text = seen(&mut scene(), (width, height));
        assert!(!text.contains("web-1"), "{width}x{height}\n{text}");
    }
    assert!(seen(&mut scene(), (40, 10)).contains("too small"));
    for (width, height) in [(60, 16), (72, 20), (100, 24), (118, 30), (300, 90), (119, 29)] {
        let mut state = scene();
        for panel in Panel::ALL {
            (state.focus, state.panel) = (Focus::Panel, panel);
            for is_detail in [false, true] {
                state.is_detail = is_detail;
                let text = seen(&mut state, (width, height));
                assert!(text.contains("web-1"), "{width}x{height}\n{text}");
            }
        }
    }
}

#[test]
fn a_name_that_would_steer_the_terminal_does_not() {
    let buffer = drawn(&mut scene(), (140, 40), &Theme::plain());
    assert!(buffer.content().iter().all(|c| !c.symbol().contains(char::is_control)));
    assert!(super::screen::text(&buffer).contains("evil"));
}

#[test]
fn what_the_store_has_replaces_what_it_covers_and_newer_ticks_stay() {
    let mut state = scene();
    let schema = host_schema::schema();
    let now = Timestamp::from_millis(NOW);
    let query = SummaryQuery::in_points(now - RANGES[2], now - Span::from_secs(60), 300);
    let mut builder = overseer_engine::core::SummaryBuilder::new(
        schema.features().iter().map(|f| f.name.clone()).collect(),
        query.resolution,
    );
    let cells = schema.features().iter().map(|_| overseer_engine::core::SummaryCell::of(0.5));
    builder.add(now - Span::from_secs(120), cells);
    let summary: Summary = builder.build();
    state.series.read(&summary);
    let cpu = state.series.of("system.cpu.utilization");
    assert_eq!(cpu[0].mean, 0.5);
    assert_eq!(cpu.last().unwrap().mean, 0.97, "the newest tick is not in the store yet");
    assert!(cpu.windows(2).all(|w| w[0].start < w[1].start));
}

#[test]
fn what_was_like_an_incident_before_is_asked_for_once_and_told() {
    let mut state = scene();
    assert_eq!(state.wants_similar(), None, "nobody looks at an incident yet");
    (state.focus, state.panel, state.is_detail) = (Focus::Panel, Panel::Incidents, true);
    assert_eq!((state.wants_similar(), state.wants_similar()), (Some(12), None));
    assert!(!seen(&mut state, (100, 40)).contains("like"));
    state.answered(Answer::Similar(12, Vec::new()));
    let text = seen(&mut state, (100, 40));
    assert!(text.contains("Nothing like it is among the stored incidents."), "{text}");
    let mut before = state.incidents[0].clone();
    before.id = 7;
    state.answered(Answer::Similar(12, vec![before.clone()]));
    let text = seen(&mut state, (100, 40));
    assert!(text.contains("It was like this before: #7 of"), "{text}");
    state.answered(Answer::Similar(11, vec![before]));
    assert!(!seen(&mut state, (100, 40)).contains("like"), "that is of another one");
}

/// Four days of a CPU that is idle but for three hours of each, the last of which is now.
fn usual() -> Arc<UsualHours> {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.data_dir = Some(dir.path().to_owned());
    let mut store = open_store(&options, true).unwrap();
    let hour = Span::from_secs(3600);
    let now = Timestamp::from_millis(NOW);
    let sample = |ago: usize| {
        let mut values = vec![0.2; host_schema::schema().len()];
        values[0] = if ago % 24 < 3 { 0.9 } else { 0.05 };
        Sample::new(now - hour.times(ago), values)
    };
    let samples: Vec<Sample> = (1..97).rev().map(sample).collect();
    store.append(hour, &samples).unwrap();
    let range = (now - hour.times(24), now + hour.times(6));
    Arc::new(usual_hours(&mut store, range, 300, Vec::new()).unwrap())
}

#[test]
fn what_is_usual_at_an_hour_is_told_and_marks_what_was_not() {
    let mut state = scene();
    // An hour, six, a day: with the CPU at 90 % in all of it, far above what is usual now.
    state.change_range(true);
    state.change_range(true);
    let point = |n: i64| {
        let start = NOW - n * 300_000;
        Point { start, length: 300_000, mean: 0.9, min: 0.9, max: 0.9 }
    };
    state.series.features[0].points = (0..288).rev().map(point).collect();
    (state.feature, state.is_detail) = (1, true);
    assert!(!seen(&mut state, (100, 30)).contains("at this hour"));
    let red = |state: &mut State| {
        state.is_detail = false;
        let buffer = drawn(state, (100, 30), &Theme::colored());
        let row = buffer.content().chunks(100).find(|row| row[1].symbol() == "C").unwrap();
        row[31..].iter().filter(|c| c.fg == Color::Red && c.symbol() != " ").count()
    };
    let all = red(&mut state);
    state.usual = Some(usual());
    let some = red(&mut state);
    // Three hours of 24 are usual at that, and those on the way there.
    assert!(some > all / 2 && some < all, "{some} of {all}");
    state.is_detail = true;
    let text = seen(&mut state, (100, 30));
    // Between two hours it is on the way from one to the other.
    assert!(text.contains("Usual now: 2–8 %; at this hour: 28.6–90 %"), "{text}");
}
