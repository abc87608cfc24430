//! What the rules say of made-up values.

use super::*;

/// What a rule says after each of these values of a feature, all others being fine.
fn states(feature: usize, values: &[f64]) -> Vec<Severity> {
    let schema = host::schema();
    let mut rules = Rules::default();
    let says = |value: &f64| {
        let mut row = vec![0.1; schema.len()];
        row[feature] = *value;
        let (at, step) = (Timestamp::default(), Span::from_secs(20));
        let look = Look { at, schema: &schema, values: &row, mount: Some("/var"), step };
        rules.look(look).iter().map(|s| s.peak.severity).max().unwrap()
    };
    values.iter().map(says).collect()
}

#[test]
fn a_full_mount_counts_after_a_minute_and_until_it_is_clearly_below() {
    use Severity::{Critical, High, None};
    let values = [0.98, 0.96, 0.98, 0.98, 0.995, 0.96, f64::NAN, 0.96, 0.94, 0.96];
    let said = states(host::FILESYSTEM_UTILIZATION, &values);
    assert_eq!(said, [None, None, None, None, Critical, High, None, High, None, None]);
    assert_eq!(states(host::MEMORY_UTILIZATION, &[0.969; 9]), [None; 9]);
    assert_eq!(states(host::MEMORY_UTILIZATION, &[0.971; 4])[2..], [High; 2]);
}

#[test]
fn only_what_was_there_is_missed_after_minutes_and_for_a_day() {
    let of = |there: usize, gone: usize| {
        let mut values = vec![0.1; there];
        values.extend(vec![f64::NAN; gone]);
        states(host::PRESSURE_IO, &values)
    };
    assert_eq!(of(59, 100).iter().max(), Some(&Severity::None));
    let said = of(60, 5000);
    let missed: Vec<usize> = (0..said.len()).filter(|&i| said[i] > Severity::None).collect();
    assert_eq!((missed.first(), missed.last()), (Some(&(60 + 14)), Some(&(60 + 4318))));
}

/// Minutes of twelve samples with a look at the mounts after each, and who was said to be full in each minute.
fn full_mounts(minutes: &[&[(&str, f64)]], fullest: Option<&str>) -> Vec<Vec<String>> {
    let schema = host::schema();
    let feature = &schema.get(host::FILESYSTEM_UTILIZATION).unwrap().name;
    let mut rules = Rules::default();
    let mut row = vec![0.1; schema.len()];
    minutes
        .iter()
        .map(|mounts| {
            let of = |&(name, used): &(&str, f64)| {
                Auxiliary::new(feature, name, overseer_core::Unit::Ratio, used)
            };
            let all: Vec<Auxiliary> = mounts.iter().map(of).collect();
            rules.take_mounts(&all, &schema);
            let value = mounts.iter().find(|m| Some(m.0) == fullest).map_or(0.1, |m| m.1);
            row[host::FILESYSTEM_UTILIZATION] = value;
            let mut said = Vec::new();
            for _ in 0..12 {
                let (at, step) = (Timestamp::default(), Span::from_secs(5));
                let look = Look { at, schema: &schema, values: &row, mount: fullest, step };
                said = rules.look(look);
            }
            let full = said.iter().filter(|s| s.peak.severity > Severity::None);
            full.map(|s| s.subject.clone()).collect()
        })
        .collect()
}

#[test]
fn each_mount_that_is_full_is_told_by_its_own_name_also_where_another_is_fuller() {
    let (var, data) = ("system.filesystem.utilization /var", "system.filesystem.utilization /data");
    let both: &[(&str, f64)] = &[("/var", 0.995), ("/data", 0.98), ("/", 0.5)];
    let said = full_mounts(&[both, both, both], Some("/var"));
    assert_eq!(said, [vec![var], vec![var, data], vec![var, data]], "two looks are a minute");
    let one_look = full_mounts(&[both, &[("/var", 0.995), ("/data", 0.9)]], Some("/var"));
    assert_eq!(one_look[1], [var]);
    let nameless = full_mounts(&[both, both, both], None);
    assert_eq!(nameless[2], [var, data], "what has no name is one of those that have");
    let unmounted: &[(&str, f64)] = &[("/var", 0.995)];
    let mut minutes = vec![both; 3];
    minutes.extend([unmounted; 5]);
    let said = full_mounts(&minutes, Some("/var"));
    assert_eq!(said[4], [var, data], "two looks may have missed it");
    assert_eq!(said[5], [var], "three did not list it");
}

#[test]
fn a_host_with_more_full_mounts_than_people_can_look_after_is_bounded() {
    let names: Vec<String> = (0..50).map(|i| format!("/m{i}")).collect();
    let all: Vec<(&str, f64)> = names.iter().map(|n| (n.as_str(), 0.98)).collect();
    let said = full_mounts(&[&all, &all, &all], None);
    assert_eq!(said[2].len(), 8);
}

#[test]
fn a_mount_that_fills_fast_is_told_before_it_is_full_by_samples_or_looks_and_not_once_it_stopped() {
    let filling: Vec<f64> = (0..20).map(|i| 0.58 + 0.02 * f64::from(i)).collect();
    // It stops at 96 %, which is told no longer than five minutes.
    let values: Vec<f64> = filling.into_iter().chain([0.96; 15]).collect();
    let minutes: Vec<[(&str, f64); 1]> = values.iter().map(|&v| [("/var", v)]).collect();
    let minutes: Vec<&[(&str, f64)]> = minutes.iter().map(|m| &m[..]).collect();
    for fullest in [Some("/var"), Some("/other")] {
        let said = full_mounts(&minutes, fullest);
        let told: Vec<usize> = (0..said.len()).filter(|&m| !said[m].is_empty()).collect();
        let (first, last) = (told[0], told[told.len() - 1]);
        assert!((16..=18).contains(&first), "{fullest:?}: {told:?}");
        assert!((22..=26).contains(&last), "{fullest:?}: {told:?}");
        assert!(told.len() == last - first + 1, "once and not again: {told:?}");
    }
}

#[test]
fn after_a_restart_what_was_full_stays_so_and_what_only_filled_ends_once_it_does_not() {
    let schema = host::schema();
    let name = &schema.get(host::FILESYSTEM_UTILIZATION).unwrap().name;
    let after = |highest: f64| {
        let peak = Peak::new(Timestamp::default(), Severity::High, f64::NAN, f64::NAN);
        let mut incident = Incident::new(IncidentKind::Full, peak);
        incident.subject = format!("{name} /var");
        incident.features = vec![FeatureEvidence::new(name, highest, (0.0, 0.9), 1.0)];
        let mut rules = Rules::default();
        let step = Span::from_secs(5);
        rules.resume(&incident, &schema, step);
        let mut row = vec![0.1; schema.len()];
        row[host::FILESYSTEM_UTILIZATION] = 0.955;
        let at = Timestamp::default();
        let mut says = || {
            let look = Look { at, schema: &schema, values: &row, mount: Some("/var"), step };
            rules.look(look).iter().map(|s| s.peak.severity).max().unwrap()
        };
        let first = says();
        for _ in 0..70 {
            says();
        }
        (first, says())
    };
    assert_eq!(after(0.98), (Severity::High, Severity::High));
    assert_eq!(after(0.93), (Severity::Medium, Severity::None));
}
