//! Bands of a made-up history whose hours are known.

use super::*;
use overseer_core::Sample;
use overseer_store::SqliteStore;
use proptest::prelude::*;

/// A Monday, at midnight UTC.
const START: i64 = 1_749_427_200_000 / HOUR;

/// A store with two samples in each of these hours: half and one and a half times the value of CPU utilisation.
fn store(hours: impl Iterator<Item = (i64, f64)>) -> SqliteStore {
    // On Unix a file that is removed stays open.
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&dir.path().join("db"), &host::schema(), "host").unwrap();
    store.set_step(Span::from_secs(600)).unwrap();
    let samples: Vec<Sample> = hours
        .flat_map(|(hour, value)| {
            [(0, 0.5), (1, 1.5)].map(|(minute, times)| {
                let mut row = vec![f64::NAN; host::schema().len()];
                row[host::CPU_UTILIZATION] = times * value;
                Sample::new(start_of(hour) + Span::from_secs(600 * minute), row)
            })
        })
        .collect();
    store.append(Span::from_secs(600), &samples).unwrap();
    store
}

fn of_hour(store: &mut SqliteStore, hour: i64) -> (Basis, Band) {
    let at = start_of(hour);
    let found = usual_hours(store, (at, at), 10, vec!["system.cpu.utilization".into()]).unwrap();
    assert_eq!((found.starts.len(), found.score.len()), (1, 0));
    (found.basis[0], found.row(0)[0])
}

/// Busy from 9 to 17, on working days only.
fn working(hour: i64) -> f64 {
    let (day, of_day) = ((hour - START).div_euclid(DAY), (hour - START).rem_euclid(DAY));
    if day.rem_euclid(7) < 5 && (9..17).contains(&of_day) { 0.5 } else { 0.02 }
}

#[test]
fn an_hour_is_compared_with_the_day_before_then_its_hour_of_the_day_then_that_of_the_week() {
    let mut store = store((START..START + 5 * WEEK).map(|h| (h, working(h))));
    let (basis, band) = of_hour(&mut store, START + 2);
    assert_eq!(basis, Basis::Unknown);
    assert!(band.low.is_nan() && band.high.is_nan());
    assert_eq!(of_hour(&mut store, START + 3).0, Basis::DayBefore);
    // The night of the fourth day: nights were quiet, and noons were not.
    let (basis, night) = of_hour(&mut store, START + 3 * DAY + 2);
    assert_eq!((basis, night.low, night.high), (Basis::HourOfDay, 0.01, 0.03));
    let (_, noon) = of_hour(&mut store, START + 3 * DAY + 12);
    assert_eq!((noon.low, noon.high), (0.25, 0.75));
    // On the second Saturday its hour of the day was busy on ten of twelve days; after four weeks Saturdays are known.
    assert_eq!(of_hour(&mut store, START + WEEK + 5 * DAY + 12).1.high, 0.75);
    let (basis, saturday) = of_hour(&mut store, START + 4 * WEEK + 5 * DAY + 12);
    assert_eq!((basis, saturday.low, saturday.high), (Basis::HourOfWeek, 0.01, 0.03));
}

#[test]
fn one_wild_day_in_a_fortnight_widens_nothing_and_half_of_them_do() {
    let wild = |days: i64| {
        let value = move |h: i64| if (h - START) / DAY < days { 5.0 } else { 0.2 };
        let mut store = store((START..START + 14 * DAY).map(|h| (h, value(h))));
        of_hour(&mut store, START + 14 * DAY + 12).1.high
    };
    assert!((wild(1) - 0.3).abs() < 1e-12, "{}", wild(1));
    assert_eq!(wild(7), 7.5);
}

#[test]
fn hours_that_come_are_answered_for_and_long_ranges_are_as_few_rows_as_asked() {
    let mut store = store((START..START + 3 * WEEK).map(|h| (h, working(h))));
    let end = START + 3 * WEEK;
    let ahead = usual_hours(&mut store, (start_of(end), start_of(end + 12)), 300, Vec::new());
    let ahead = ahead.unwrap();
    assert_eq!((ahead.starts.len(), ahead.score.len()), (13, 13));
    // Hundred times the utilisation, of which nothing else is known.
    assert_eq!((ahead.score[12].low, ahead.score[12].high), (1.0, 75.0));
    let long = usual_hours(&mut store, (start_of(START), start_of(end - 1)), 100, Vec::new());
    let long = long.unwrap();
    assert!(long.starts.len() <= 100 && long.resolution == Span::from_secs(6 * 3600));
    let at = |hour: i64| long.at(start_of(hour), |u, row| u.row(row)[host::CPU_UTILIZATION]);
    assert_eq!(at(START + 15 * DAY + 9).high, 0.75);
    assert!(at(START - 1).low.is_nan() && at(end + 5).low.is_nan());
}

#[test]
fn charts_draw_a_line_from_the_middle_of_an_hour_to_the_next() {
    let mut store = store((START..START + 4 * DAY).map(|h| (h, working(h))));
    let (from, to) = (START + 4 * DAY + 5, START + 4 * DAY + 12);
    let found = usual_hours(&mut store, (start_of(from), start_of(to)), 300, Vec::new()).unwrap();
    let high = |minute: i64| {
        let time = start_of(from) + Span::from_secs(60 * minute);
        found.at(time, |u, row| u.row(row)[host::CPU_UTILIZATION]).high
    };
    // 7:30 is the middle of the last hour without a busy one beside it.
    let (quiet, busy) = (high(150), high(210));
    assert_eq!((quiet, busy), (0.03, 0.75));
    assert!((high(180) - 0.39).abs() < 1e-12);
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let mut store = store(std::iter::empty());
    let mut ask = |from, to| {
        usual_hours(
            &mut store,
            (Timestamp::from_millis(from), Timestamp::from_millis(to)),
            9,
            vec![],
        )
    };
    assert!(ask(i64::MIN, i64::MAX).is_err() && ask(1, 0).is_err());
    assert!(ask(0, 401 * DAY * HOUR).is_err());
    let empty = ask(i64::MAX - 5, i64::MAX).unwrap();
    assert_eq!(empty.basis, [Basis::Unknown]);
    let none = vec!["none".to_owned()];
    assert!(usual_hours(&mut store, (start_of(0), start_of(1)), 9, none).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    /// What happens in an hour, or after it, says nothing of what was usual at it.
    #[test]
    fn nothing_later_is_looked_at(
        values in prop::collection::vec(0.0..1.0_f64, 30..120),
        part in 0.1..0.9_f64,
    ) {
        let cut = START + (values.len() as f64 * part) as i64;
        let hours: Vec<(i64, f64)> = (START..).zip(values).collect();
        let mut all = store(hours.iter().copied());
        let mut before = store(hours.iter().copied().filter(|(h, _)| *h < cut));
        let ((basis, a), (other, b)) = (of_hour(&mut all, cut), of_hour(&mut before, cut));
        prop_assert_eq!(basis, other);
        prop_assert!(a.low.to_bits() == b.low.to_bits() && a.high.to_bits() == b.high.to_bits());
        prop_assert!(a.low.is_nan() || a.low <= a.high);
    }
}
