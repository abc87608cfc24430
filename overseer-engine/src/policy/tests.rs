//! The policy over made-up p-values, with examples of each rule.

use super::*;
use proptest::prelude::*;

fn at(secs: i64, p: f64) -> Evidence<'static> {
    Evidence::new(Timestamp::from_millis(1000 * secs), 1.0 - p, p)
}

fn policy() -> AlarmPolicy {
    AlarmPolicy::new(AlarmBudget::default(), Span::from_secs(60))
}

#[test]
fn severity_follows_the_budget() {
    let p = policy();
    let t = p.threshold();
    assert_eq!(p.classify(&at(0, 8.1 * t)), Severity::None);
    assert_eq!(p.classify(&at(0, 7.9 * t)), Severity::Medium);
    assert_eq!(p.classify(&at(0, t / 10.0)), Severity::High);
    assert_eq!(p.classify(&at(0, t / 100.0)), Severity::Critical);
    assert_eq!(p.classify(&at(0, f64::NAN)), Severity::None);
}

#[test]
fn a_host_that_alerts_often_needs_more_and_one_that_was_quiet_less() {
    let mut p = policy();
    let t = p.threshold();
    let day = 86_400;
    assert!(!p.observe(&at(0, 0.9 * t)).alert, "nobody knows this host yet");
    assert!(p.observe(&at(4 * 7 * day, 0.7 * t)).alert, "quiet for four weeks");
    assert!(!p.observe(&at(29 * day, 0.5 * t)).alert, "a day later");
    assert_eq!(p.observe(&at(30 * day, 3.0 * t)).severity, Severity::Medium, "but it shows");
    assert!(p.observe(&at(31 * day, 0.15 * t)).alert, "what is rarer always alerts");
}

#[test]
fn where_events_are_long_less_rare_samples_alert_than_where_they_are_single() {
    let hour = 3600;
    let alerts_at = |samples: i64, part: f64| {
        let mut p = policy();
        let t = p.threshold();
        for event in 0..40 {
            for minute in 0..samples {
                p.observe(&at(10 * hour * event + 60 * minute, 7.0 * t));
            }
        }
        p.observe(&at(30 * 24 * hour, part * t)).alert
    };
    assert!(alerts_at(30, 2.5) && !alerts_at(30, 3.5), "it goes no farther than three times");
    assert!(!alerts_at(1, 0.5) && alerts_at(1, 0.3));
}

#[test]
fn cpu_memory_and_load_all_saturated_is_critical_whatever_was_learned() {
    let mut row = vec![f64::NAN; host::schema().len()];
    row[host::CPU_UTILIZATION] = 1.0;
    row[host::MEMORY_UTILIZATION] = 0.99;
    row[host::LOAD_PER_CORE] = 0.96;
    assert_eq!(policy().classify(&at(0, 1.0).of_host(&row, true)), Severity::Critical);
}

#[test]
fn a_rare_thing_on_an_idle_host_is_at_most_medium() {
    let mut row = vec![0.0; host::schema().len()];
    row[host::CPU_UTILIZATION] = 0.3;
    assert_eq!(policy().classify(&at(0, 1e-30).of_host(&row, false)), Severity::Medium);
}

#[test]
fn an_event_is_one_alert_and_a_rise_is_another() {
    let mut p = policy();
    let t = p.threshold();
    let s = 0.2 * t;
    let alerts: Vec<bool> = [1.0, s, s, 0.9 * s, 1.0, 1.0, 1.0, s, t / 10.0, t / 100.0]
        .iter()
        .enumerate()
        .map(|(i, &x)| p.observe(&at(60 * i as i64, x)).alert)
        .collect();
    assert_eq!(alerts, [false, true, false, false, false, false, false, false, true, true]);
}

#[test]
fn a_clock_that_is_set_neither_ends_an_event_nor_opens_one() {
    const YEAR: i64 = 365 * 86_400;
    let mut p = policy();
    let rare = p.threshold() / 1e6;
    assert!(p.observe(&at(0, rare)).alert);
    p.clock_was_set(true, Span::from_secs(YEAR));
    let ahead = p.observe(&at(YEAR + 60, rare));
    assert!(!ahead.alert && ahead.severity == Severity::Critical);
    assert!(p.observe(&at(YEAR + 120, 0.02)).lingering, "hysteresis goes on");
    p.clock_was_set(false, Span::from_secs(YEAR));
    let back = p.observe(&at(180, rare));
    assert!(!back.alert && back.severity == Severity::Critical);
}

#[test]
fn an_alert_of_a_clock_that_was_ahead_silences_nothing_after_a_restart() {
    let mut p = policy();
    let ahead = Timestamp::from_millis(365 * 86_400_000);
    p.resume(Severity::Critical, ahead);
    let rare = p.threshold() / 1e6;
    assert!(p.observe(&at(0, rare)).alert);
    let mut p = policy();
    p.resume(Severity::Critical, ahead);
    p.observe(&at(0, 0.5));
    let spent = p.limit(Timestamp::from_millis(0));
    assert!(p.limit(Timestamp::from_millis(8 * 7 * 86_400_000)) > 2.5 * spent, "it fades");
}

#[test]
fn after_the_refractory_period_a_new_event_alerts() {
    let mut p = policy();
    let t = p.threshold() / 10.0;
    assert!(p.observe(&at(0, t)).alert);
    for i in 1..144 {
        p.observe(&at(60 * i, 1.0));
    }
    assert!(p.observe(&at(8640, t)).alert);
}

#[test]
fn what_recurs_within_the_period_alerts_again_when_the_period_is_over() {
    let mut p = policy();
    let t = p.threshold() / 10.0;
    let alerts = (0..400)
        .filter(|i| {
            let rare = if i % 50 == 0 { t } else { 1.0 };
            p.observe(&at(60 * i, rare)).alert
        })
        .count();
    assert_eq!(alerts, 4, "at minutes 0, 100, 200 and 300");
}

#[test]
fn an_event_does_not_stay_open_over_a_gap_and_a_clock_set_back_hides_nothing() {
    let mut p = policy();
    let t = p.threshold() / 10.0;
    assert!(p.observe(&at(0, t)).alert);
    assert!(p.observe(&at(36_000, t)).alert, "after ten hours of sleep");
    assert!(p.observe(&at(0, t)).alert, "after the clock went back");
}

#[test]
fn another_process_goes_on_where_the_last_stopped() {
    let mut p = policy();
    let t = p.threshold() / 10.0;
    p.resume(Severity::High, Timestamp::from_millis(0));
    assert!(!p.observe(&at(600, t)).alert);
    assert!(p.observe(&at(660, t / 11.0)).alert, "but a rise is told");
}

#[test]
fn the_state_outlasts_a_flicker_and_then_ends() {
    let mut p = policy();
    let t = p.threshold();
    assert!(!p.observe(&at(0, t)).lingering);
    assert!(p.observe(&at(60, 1.0)).lingering);
    assert_eq!(p.observe(&at(120, 1.0)).severity, Severity::Medium);
    assert_eq!(p.observe(&at(180, 1.0)).severity, Severity::None);
}

#[test]
fn what_people_say_of_one_event_decides_about_those_like_it_and_moves_the_rest_within_bounds() {
    use LabelKind::{Expected, FalseAlarm, Incident};
    let mut p = policy();
    let t = p.threshold();
    for label in [FalseAlarm, Expected] {
        let verdict = p.observe(&at(0, t / 1e6).like(Some(label)));
        assert!(verdict.excused && !verdict.alert && verdict.severity == Severity::None);
    }
    let mut row = vec![f64::NAN; host::schema().len()];
    (row[host::CPU_UTILIZATION], row[host::LOAD_PER_CORE]) = (1.0, 1.0);
    row[host::MEMORY_UTILIZATION] = 1.0;
    let saturated = at(60, t / 1e6).of_host(&row, false).like(Some(Expected));
    assert!(p.clone().observe(&saturated).alert, "saturation hurts whatever was said");
    assert!(!p.clone().observe(&at(60, 0.6 * t)).alert);
    assert!(p.observe(&at(60, 0.6 * t).like(Some(Incident))).alert, "sooner");

    let mut p = policy();
    for (incidents, false_alarms, moved) in
        [(1, 0, 1.25), (0, 1, 0.8), (9, 0, 2.0), (0, 99, 0.5), (7, 7, 1.0)]
    {
        p.heed(incidents, false_alarms);
        assert!((p.threshold() / t - moved).abs() < 1e-12, "{incidents} {false_alarms}");
    }
}

#[test]
fn an_event_that_turns_out_to_be_excused_is_over_after_three_samples() {
    let mut p = policy();
    let rare = p.threshold() / 1e6;
    assert!(p.observe(&at(0, rare)).alert);
    let excused = |i: i64| at(60 * i, rare).like(Some(LabelKind::Expected));
    let states: Vec<_> = (1..4).map(|i| p.observe(&excused(i)).severity).collect();
    assert_eq!(states, [Severity::Critical, Severity::Critical, Severity::None]);
}

proptest! {
    #[test]
    fn onset_is_the_score_exactly_when_it_tops_the_refractory_period(
        scores in proptest::collection::vec(0.0..1.0f64, 1..200)
    ) {
        let mut p = policy();
        for (i, &score) in scores.iter().enumerate() {
            let e = Evidence::new(Timestamp::from_millis(60_000 * i as i64), score, 1.0);
            let onset = p.observe(&e).onset;
            let tops = scores[i.saturating_sub(144)..i].iter().all(|&s| s < score);
            prop_assert_eq!(onset, if tops { score } else { 0.0 });
        }
    }
}
