use super::*;
use crate::file::{Reader, Writer};
use overseer_core::{Feature, Unit};
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const WEEK: i64 = 7 * 24 * HOUR;
const STEP: i64 = 10 * MINUTE;
/// Monday six o'clock of the first whole week since 1970.
const MONDAY_SIX: i64 = (4 * 24 + 6) * HOUR;

/// The ordinary range of the feature.
const LOW: f64 = -1.5;
const HIGH: f64 = 1.5;

fn scales(features: usize) -> Vec<FeatureScale> {
    let unknown = Feature::new("a", Unit::Unknown);
    let mut scale = FeatureScale::learn([-1.0, 1.0], &unknown);
    scale.ordinary = (LOW, HIGH);
    vec![scale; features]
}

/// A week that has seen nothing and whose ordinary range stays what it is.
fn fixed() -> Week {
    Week { pace: 0.0, ..Week::new(&scales(1), 600.0) }
}

fn push(week: &mut Week, at: i64, value: f64) -> f64 {
    let mut row = [value];
    week.push(at, &mut row);
    row[0]
}

/// A day from midnight on that Monday, with a value for the hour from `begin` on and 0 else. Returns what became
/// of that value.
fn day(week: &mut Week, midnight: i64, begin: i64, value: f64) -> Vec<f64> {
    let rows = (midnight..midnight + 24 * HOUR).step_by(STEP as usize);
    let busy = begin..begin + HOUR;
    let out: Vec<(bool, f64)> = rows
        .map(|at| {
            (busy.contains(&at), push(week, at, if busy.contains(&at) { value } else { 0.0 }))
        })
        .collect();
    out.into_iter().filter(|(is_busy, _)| *is_busy).map(|(_, v)| v).collect()
}

/// The Monday of that week, with a value for the hour from six on.
fn monday(week: &mut Week, number: i64, value: f64) -> Vec<f64> {
    let six = MONDAY_SIX + number * WEEK;
    day(week, six - 6 * HOUR, six, value)
}

#[test]
fn what_two_weeks_reached_is_excused_from_the_third_on() {
    let mut week = fixed();
    assert_eq!(monday(&mut week, 0, 10.0), [10.0; 6]);
    assert_eq!(monday(&mut week, 1, 9.0), [9.0; 6]);
    assert_eq!(monday(&mut week, 2, 9.0), [HIGH; 6]);
    // What goes beyond counts by how much, and what goes the other way in full.
    assert_eq!(monday(&mut week, 3, 12.0), [HIGH + 3.0; 6]);
    assert_eq!(monday(&mut week, 4, -9.0), [-9.0; 6]);
}

#[test]
fn falls_are_excused_as_rises_are() {
    let mut week = fixed();
    (0..2).for_each(|n| assert_eq!(monday(&mut week, n, -7.0), [-7.0; 6]));
    assert_eq!(monday(&mut week, 2, -8.0), [LOW - 1.0; 6]);
}

#[test]
fn another_hour_or_day_is_not_excused() {
    let mut week = fixed();
    (0..4).for_each(|n| drop(monday(&mut week, n, 10.0)));
    let six = MONDAY_SIX + 4 * WEEK;
    assert_eq!(day(&mut week, six - 6 * HOUR, six + 8 * HOUR, 10.0), [10.0; 6]);
    assert_eq!(day(&mut week, six + 18 * HOUR, six + 24 * HOUR, 10.0), [10.0; 6]);
}

#[test]
fn a_job_that_comes_half_an_hour_early_or_late_is_the_same() {
    let mut week = fixed();
    for (number, late) in [(0, 0), (1, 25), (2, 0), (3, -25)] {
        let six = MONDAY_SIX + number * WEEK;
        let seen = day(&mut week, six - 6 * HOUR, six + late * MINUTE, 10.0);
        assert!(number < 2 || seen == [HIGH; 6], "{seen:?}");
    }
}

#[test]
fn a_second_excursion_within_hours_confirms_nothing() {
    let mut week = fixed();
    let six = MONDAY_SIX;
    // Also not where clocks are set back and the same hour comes twice.
    for at in [six, six + HOUR, six, six + HOUR, six + 2 * HOUR] {
        (at..at + HOUR).step_by(STEP as usize).for_each(|at| {
            assert_eq!(push(&mut week, at, 10.0), 10.0);
        });
    }
    assert_eq!(monday(&mut week, 1, 10.0), [10.0; 6]);
}

#[test]
fn a_holiday_changes_nothing_and_four_missing_weeks_all() {
    let mut week = fixed();
    (0..3).for_each(|n| drop(monday(&mut week, n, 10.0)));
    monday(&mut week, 3, 0.0);
    assert_eq!(monday(&mut week, 4, 10.0), [HIGH; 6]);
    (5..9).for_each(|n| drop(monday(&mut week, n, 0.0)));
    assert_eq!(monday(&mut week, 9, 10.0), [10.0; 6]);
}

#[test]
fn an_excursion_that_grows_smaller_is_excused_less_by_and_by() {
    let mut week = fixed();
    (0..2).for_each(|n| drop(monday(&mut week, n, 12.0)));
    (2..12).for_each(|n| drop(monday(&mut week, n, 6.0)));
    let seen = monday(&mut week, 12, 12.0)[0];
    assert!((7.0..8.1).contains(&seen), "{seen}");
}

#[test]
fn a_missing_value_is_no_missed_excursion() {
    let mut week = fixed();
    (0..2).for_each(|n| drop(monday(&mut week, n, 10.0)));
    (2..9).for_each(|n| assert!(monday(&mut week, n, f64::NAN)[0].is_nan()));
    assert_eq!(monday(&mut week, 9, 10.0), [HIGH; 6]);
}

#[test]
fn the_ordinary_range_follows_a_level_that_stays() {
    let mut week = Week::new(&scales(1), 600.0);
    for row in 0..144 * 20 {
        push(&mut week, row * STEP, 20.0 + if row % 2 == 0 { 1.0 } else { -1.0 });
    }
    // Its other end only shrinks back, slowly: a range too wide excuses too little.
    let (low, high) = week.rows[0];
    assert!((0.0..19.0).contains(&low) && (20.5..21.5).contains(&high), "{low} to {high}");
}

#[test]
fn what_happens_at_any_time_is_ordinary() {
    let mut week = fixed();
    // A short burst in every half hour.
    let burst = |row: i64| if row % 3 == 0 { 8.0 } else { 0.0 };
    for row in 0..3 * WEEK / STEP {
        assert_eq!(push(&mut week, row * STEP, burst(row)), burst(row));
    }
}

#[test]
fn readiness_is_the_share_of_half_hours_seen_in_two_weeks() {
    let mut week = fixed();
    (0..2 * WEEK).step_by(STEP as usize).for_each(|at| {
        push(&mut week, at, 0.0);
    });
    // The last two half hours are not kept yet.
    assert!((0.99..1.0).contains(&week.readiness()));
    let mut new = fixed();
    (0..WEEK).step_by(STEP as usize).for_each(|at| {
        push(&mut new, at, 0.0);
    });
    assert_eq!(new.readiness(), 0.0);
}

#[test]
fn a_stored_week_goes_on_as_if_it_had_never_stopped() {
    let mut week = Week::new(&scales(1), 600.0);
    (0..3).for_each(|n| drop(monday(&mut week, n, 10.0)));
    let mut w = Writer::default();
    week.write_to(&mut w);
    let bytes = w.into_bytes();
    let mut r = Reader::new(&bytes);
    let mut read = Week::read_from(&mut r, &scales(1)).unwrap();
    r.finish().unwrap();
    assert_eq!(monday(&mut read, 3, 11.0), monday(&mut week, 3, 11.0));
    read.forget();
    assert_eq!(monday(&mut read, 4, 11.0), [11.0; 6]);
}

proptest! {
    #[test]
    fn nothing_is_changed_before_a_second_week(
        values in proptest::collection::vec(prop_oneof![9 => -20.0..20.0f64, 1 => Just(f64::NAN)], 1..300),
    ) {
        let mut week = Week::new(&scales(1), 600.0);
        for (row, value) in (0_i64..).zip(values) {
            let seen = push(&mut week, row * 3 * STEP, value);
            prop_assert!(seen == value || (seen.is_nan() && value.is_nan()));
        }
    }

    #[test]
    fn what_is_excused_keeps_the_order_and_jumps_nowhere(
        reached in (-12.0..12.0f64, -12.0..12.0f64), value in -20.0..20.0f64, more in 0.0..3.0f64,
    ) {
        let mut week = fixed();
        monday(&mut week, 0, reached.0);
        monday(&mut week, 1, reached.1);
        let (lower, higher) = (
            monday(&mut week.clone(), 2, value)[0], monday(&mut week, 2, value + more)[0],
        );
        prop_assert!(lower <= higher + 1e-9 && higher - lower <= more + 1e-5);
        if (LOW..=HIGH).contains(&value) {
            prop_assert_eq!(lower, value);
        }
        // Nothing is drawn further than to the end of the ordinary range, nor past it.
        prop_assert!(lower.abs() <= value.abs() && (lower == value || lower.abs() >= HIGH - 1e-9));
    }
}
