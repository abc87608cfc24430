//! Evidence on made-up disks whose future is known, and the cases that other tools are known to cry wolf at.

mod kinds;

use super::*;
use kinds::{Case, KINDS, case};

/// What was said of the cases of one kind.
#[derive(Debug, Default)]
struct Tally {
    cases: usize,
    /// Something was said, and of how many that the truth lay in the interval.
    claimed: usize,
    held: usize,
    /// Nothing like it came within 30 days.
    false_claims: usize,
    /// It was full within what "room" was said of.
    missed: usize,
    /// It was full within four times as long as it was seen, and 30 days.
    due: usize,
    /// Of those, how many were told an hour before at the latest.
    told: usize,
}

fn tally(kind: usize, seeds: std::ops::Range<u64>) -> Tally {
    let mut t = Tally::default();
    for seed in seeds {
        let case: Case = case(kind, seed);
        let truth = case.truth();
        t.cases += 1;
        if truth <= (4.0 * case.seen()).min(30.0 * 86_400.0) {
            t.due += 1;
            let hour_before = case.before_full(60);
            t.told += usize::from(hour_before.is_some_and(|c| {
                matches!(RisingFill::default().outlook(&c.kept()), FillOutlook::Filling(_))
            }));
        }
        match RisingFill::default().outlook(&case.kept()) {
            FillOutlook::Filling(f) => {
                t.claimed += 1;
                let latest = f.latest.map_or(f64::INFINITY, Span::as_secs_f64);
                t.held += usize::from((f.earliest.as_secs_f64()..=latest).contains(&truth));
                t.false_claims += usize::from(truth > 30.0 * 86_400.0);
            }
            FillOutlook::Room { within } => {
                t.missed += usize::from(truth <= within.as_secs_f64());
            }
            _ => {}
        }
    }
    t
}

/// From here on are cases that nothing was set by.
const FRESH: u64 = 7_000_000;

/// The table of `docs/time-to-full.md`:
/// `cargo test --release -p overseer-models time_to_full -- --ignored --nocapture`.
#[test]
#[ignore = "takes a minute; prints the figures of the documentation"]
fn print_how_well_it_does() {
    println!("| kind | cases | said | held | false | full | not said then | said an hour before |");
    for (kind, name) in KINDS.iter().enumerate() {
        let t = tally(kind, FRESH..FRESH + 400);
        println!(
            "| {name} | {} | {} | {:.0} % | {} | {} | {} | {} |",
            t.cases,
            t.claimed,
            100.0 * t.held as f64 / t.claimed.max(1) as f64,
            t.false_claims,
            t.due,
            t.missed,
            t.told,
        );
    }
}

/// The same in small: what the documentation says of every kind must go on being so.
#[test]
fn intervals_hold_and_nothing_is_said_of_what_only_looks_like_growth() {
    for (kind, name) in KINDS.iter().enumerate() {
        let t = tally(kind, 0..40);
        if kind < 5 {
            assert!(t.claimed >= 5, "{name}: {t:?}");
            assert!(t.held as f64 >= 0.55 * t.claimed as f64, "{name}: {t:?}");
            assert!(t.told as f64 >= 0.5 * t.due as f64, "{name}: {t:?}");
        } else {
            assert!(t.claimed <= 3, "{name}: {t:?}");
        }
    }
}

const MINUTE: i64 = 60_000;

fn by_minute(minutes: usize, value: impl Fn(usize) -> f64) -> Vec<(Timestamp, f64)> {
    (0..minutes).map(|m| (Timestamp::from_millis(MINUTE * m as i64), value(m))).collect()
}

/// A little noise that needs no generator.
fn noise(m: usize) -> f64 {
    0.002 * ((m as f64 * 0.618_034).fract() - 0.5)
}

fn said(history: &[(Timestamp, f64)]) -> Option<Filling> {
    match RisingFill::default().outlook(history) {
        FillOutlook::Filling(filling) => Some(filling),
        _ => None,
    }
}

/// As reported of netdata: each night a job writes a huge file for a quarter of an hour, and each night the disk was
/// said to be full in no time.
#[test]
fn a_nightly_job_never_fills_the_disk() {
    let day = 1440;
    let nightly = |m: usize| {
        let into = m % day;
        0.6 + noise(m) + if (180..195).contains(&into) { 0.02 * (into - 179) as f64 } else { 0.0 }
    };
    let all = by_minute(3 * day, nightly);
    for now in (400..3 * day).step_by(3) {
        assert_eq!(said(&all[..now]), None, "minute {now}");
    }
}

/// As reported of a rule of Prometheus: a small /var, an hour's logs, a rotation.
#[test]
fn log_rotation_on_a_small_disk_is_no_growth() {
    let hourly = |m: usize| 0.7 + noise(m) + 0.2 * (m % 120) as f64 / 120.0;
    let all = by_minute(1000, hourly);
    for now in (360..1000).step_by(7) {
        assert_eq!(said(&all[..now]), None, "minute {now}");
    }
}

#[test]
fn what_was_always_full_and_what_stands_still_is_nothing_to_say() {
    let room = FillOutlook::Room { within: Span::from_secs(4 * 999 * 60) };
    for level in [1.0, 0.97, 0.0] {
        assert_eq!(RisingFill::default().outlook(&by_minute(1000, |_| level)), room);
    }
}

#[test]
fn what_grew_until_it_was_full_is_full() {
    let filled = by_minute(1000, |m| (0.5 + m as f64 / 1500.0).min(1.0));
    assert!(said(&filled).unwrap().is_full());
}

#[test]
fn what_is_cleaned_up_ends_quietly_and_a_larger_disk_does_too() {
    let leak = |m: usize| 0.5 + noise(m) + m as f64 / 4000.0;
    assert!(said(&by_minute(1000, leak)).is_some());
    assert_eq!(said(&by_minute(1010, |m| leak(m) - if m > 1000 { 0.4 } else { 0.0 })), None);
    assert_eq!(said(&by_minute(1030, |m| leak(m) / if m > 1000 { 2.0 } else { 1.0 })), None);
}

#[test]
fn forty_minutes_are_too_few_and_a_gap_is_borne() {
    let needed = Span::from_secs(6 * 3600);
    let unknown = |seen| FillOutlook::Unknown { seen, needed };
    let leak = |m: usize| 0.5 + noise(m) + m as f64 / 4000.0;
    let looked = |h: &[(Timestamp, f64)]| RisingFill::default().outlook(h);
    assert_eq!(looked(&[]), unknown(Span::default()));
    assert_eq!(looked(&by_minute(41, leak)), unknown(Span::from_secs(40 * 60)));
    // A host that was off for two hours of sixteen.
    let mut holed = by_minute(1000, leak);
    holed.drain(300..420);
    assert!(said(&holed).is_some());
}

#[test]
fn the_same_seed_and_history_give_the_same_outlook() {
    let leak = by_minute(1000, |m| 0.5 + 30.0 * noise(m) + m as f64 / 4000.0);
    let of = |seed| RisingFill::with_seed(seed).outlook(&leak);
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
    let filling = said(&leak).unwrap();
    let seconds = [filling.earliest, filling.median.unwrap(), filling.latest.unwrap()]
        .map(|s| s.as_millis() / 1000);
    assert_eq!(seconds, [52_200, 53_550, 54_900]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn any_history_is_borne_and_bounds_are_in_order(
        times in proptest::collection::vec(0_i64..4_000_000_000, 0..300),
        scale in 1e-3..2.0_f64,
        odd in 0..6_usize,
        sorted: bool,
    ) {
        let mut times = times;
        if sorted {
            times.sort_unstable();
        }
        let odd = [f64::NAN, f64::INFINITY, -1.0, 1e300, 0.0, 0.5][odd];
        let history: Vec<_> = times.iter().enumerate().map(|(i, &t)| {
            let value = if i % 17 == 3 { odd } else { scale * t as f64 / 4e9 };
            (Timestamp::from_millis(t), value)
        }).collect();
        match RisingFill::default().outlook(&history) {
            FillOutlook::Filling(f) => {
                let median = f.median.unwrap_or(f.horizon);
                let latest = f.latest.unwrap_or(f.horizon.max(median));
                proptest::prop_assert!(f.earliest <= median && median <= latest);
                proptest::prop_assert!(f.horizon <= Span::from_secs(30 * 86_400));
                proptest::prop_assert!(f.horizon <= f.grown_for.times(4) || f.is_full());
            }
            FillOutlook::Room { within } => {
                proptest::prop_assert!(within <= Span::from_secs(30 * 86_400));
            }
            _ => {}
        }
    }
}
