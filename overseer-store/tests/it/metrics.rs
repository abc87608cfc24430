//! Samples in and out.

use crate::contents::{HOST, STEP, at, metadata, open, sample, schema};
use overseer_core::{Appended, Sample, SampleQuery, Schema, Span, Store, Timestamp};
use overseer_store::SqliteStore;
use proptest::prelude::*;

const NAN: f64 = f64::NAN;

#[test]
fn samples_come_back_oldest_first_with_missing_as_missing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let given = [sample(5, [0.5, NAN, 3.0]), sample(0, [0.0, 0.25, NAN])];
    assert_eq!(store.append(STEP, &given).unwrap(), Appended::new(2, 0, 0));

    let frame = store.samples(&SampleQuery::latest(STEP, 10)).unwrap();
    assert_eq!(frame.timestamps(), [at(0), at(5)]);
    let back: Vec<_> = frame.rows().map(|(t, v)| Sample::new(t, v.to_vec())).collect();
    assert_eq!(back, [given[1].clone(), given[0].clone()]);
}

#[test]
fn a_missing_value_is_null_to_whoever_looks_and_never_zero() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    open(&path).append(STEP, &[sample(0, [NAN, 0.0, 1.0])]).unwrap();
    let person = rusqlite::Connection::open(&path).unwrap();
    let sql = r#"SELECT "cpu" IS NULL, "memory", "a ""quoted"" name" FROM system_metrics"#;
    let seen: (bool, f64, f64) =
        person.query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap();
    assert_eq!(seen, (true, 0.0, 1.0));
}

#[test]
fn duplicates_are_counted_and_the_first_is_kept_and_blanks_are_never_stored() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    store.append(STEP, &[sample(0, [1.0, 1.0, 1.0])]).unwrap();
    let more =
        [sample(0, [2.0; 3]), sample(5, [NAN; 3]), sample(10, [3.0; 3]), sample(10, [4.0; 3])];
    assert_eq!(store.append(STEP, &more).unwrap(), Appended::new(1, 2, 1));
    let frame = store.samples(&SampleQuery::latest(STEP, 10)).unwrap();
    assert_eq!(frame.values(), [1.0, 1.0, 1.0, 3.0, 3.0, 3.0]);
}

#[test]
fn a_batch_with_a_bad_sample_is_refused_whole_and_the_place_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let infinite = [sample(0, [1.0; 3]), sample(5, [0.0, f64::INFINITY, 0.0])];
    let e = store.append(STEP, &infinite).unwrap_err();
    assert_eq!(e.to_string(), "row 1, column `memory`: the value is infinite");
    let short = [sample(0, [1.0; 3]), Sample::new(at(5), vec![1.0])];
    assert!(store.append(STEP, &short).unwrap_err().is_schema_mismatch());
    assert!(store.append(Span::default(), &[]).unwrap_err().is_invalid_input());
    assert_eq!(store.counts().unwrap().samples, 0);
}

#[test]
fn a_query_gives_the_newest_of_its_range_and_interval() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    let fast = Span::from_millis(500);
    store.append(STEP, &(0..10).map(|i| sample(5 * i, [1.0; 3])).collect::<Vec<_>>()).unwrap();
    store.append(fast, &(0..7).map(|i| sample(i, [2.0; 3])).collect::<Vec<_>>()).unwrap();

    let mut query = SampleQuery::latest(STEP, 2);
    assert_eq!(store.samples(&query).unwrap().timestamps(), [at(40), at(45)]);
    (query.from, query.to) = (at(10), at(20));
    assert_eq!(store.samples(&query).unwrap().timestamps(), [at(15), at(20)]);
    query.limit = usize::MAX;
    assert_eq!(store.samples(&query).unwrap().timestamps(), [at(10), at(15), at(20)]);
    query.limit = 0;
    assert!(store.samples(&query).unwrap().is_empty());

    let counts = store.counts().unwrap();
    assert_eq!((counts.samples, counts.span), (17, Some((at(0), at(45)))));
    assert_eq!(store.remove_samples(fast).unwrap(), 7);
    assert_eq!(store.remove_samples(fast).unwrap(), 0);
    assert_eq!(store.samples(&SampleQuery::latest(STEP, 99)).unwrap().len(), 10);
}

#[test]
fn the_step_is_none_until_chosen_and_survives_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    assert_eq!(open(&path).step().unwrap(), None);
    open(&path).set_step(STEP).unwrap();
    open(&path).set_step(Span::from_secs(10)).unwrap();
    assert_eq!(open(&path).step().unwrap(), Some(Span::from_secs(10)));
    assert!(open(&path).set_step(Span::default()).unwrap_err().is_invalid_input());
}

#[test]
fn hosts_in_one_database_do_not_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut one = open(&path);
    let mut two = SqliteStore::open(&path, &schema(), "web-2").unwrap();
    one.append(STEP, &[sample(0, [1.0; 3])]).unwrap();
    one.set_step(STEP).unwrap();
    one.put_model_metadata(&metadata("detector", 0)).unwrap();
    one.record(&[crate::contents::anomaly(0)], &[], &[]).unwrap();
    assert_eq!(two.counts().unwrap(), overseer_core::StoredCounts::default());
    assert_eq!(two.step().unwrap(), None);
    assert!(two.anomalies(9).unwrap().is_empty() && two.model_metadata().unwrap().is_empty());
    assert_eq!(two.append(STEP, &[sample(0, [2.0; 3])]).unwrap().stored, 1);
    assert_eq!(two.remove_samples(STEP).unwrap(), 1);
    assert_eq!(one.counts().unwrap().samples, 1);
}

#[test]
fn a_new_feature_is_a_new_column_and_old_samples_lack_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    open(&path).append(STEP, &[sample(0, [1.0, 2.0, 3.0])]).unwrap();
    let wider = Schema::from_names(["new \" one", "memory", "cpu"]).unwrap();
    let mut store = SqliteStore::open(&path, &wider, HOST).unwrap();
    store.append(STEP, &[Sample::new(at(5), vec![9.0, 8.0, 7.0])]).unwrap();
    let frame = store.samples(&SampleQuery::latest(STEP, 9)).unwrap();
    assert!(frame.row(0)[0].is_nan());
    assert_eq!(frame.row(0)[1..], [2.0, 1.0]);
    assert_eq!(frame.row(1), [9.0, 8.0, 7.0]);
    // And the old features still read as before.
    let frame = open(&path).samples(&SampleQuery::latest(STEP, 9)).unwrap();
    assert_eq!(frame.row(0), [1.0, 2.0, 3.0]);
}

#[test]
fn metadata_of_a_model_replaces_what_was_known_instead_of_appending() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("overseer.db"));
    store.put_model_metadata(&metadata("performance_score", 0)).unwrap();
    store.put_model_metadata(&metadata("detector", 1)).unwrap();
    let newer = metadata("performance_score", 100);
    store.put_model_metadata(&newer).unwrap();
    assert_eq!(store.model_metadata().unwrap(), [metadata("detector", 1), newer]);
    assert_eq!(store.counts().unwrap().models, 2);

    let mut unknown = metadata("detector", 2);
    unknown.set_quality("flagged_share", f64::NAN);
    unknown.duration_ms = f64::NAN;
    store.put_model_metadata(&unknown).unwrap();
    assert_eq!(format!("{:?}", store.model_metadata().unwrap()[0]), format!("{unknown:?}"));
}

/// A value, sometimes missing. SQLite does not keep the sign of zero, which no comparison sees.
pub(crate) fn value() -> impl Strategy<Value = f64> {
    prop_oneof![6 => prop::num::f64::NORMAL, 1 => Just(0.0), 2 => Just(NAN)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_is_appended_reads_back_to_the_bit(
        rows in prop::collection::btree_map(any::<i64>(), prop::array::uniform3(value()), 0..20),
        limit in 0_usize..25,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(&dir.path().join("overseer.db"));
        let samples: Vec<_> = rows
            .iter()
            .map(|(&t, v)| Sample::new(Timestamp::from_millis(t), v.to_vec()))
            .collect();
        let kept: Vec<_> = samples.iter().filter(|s| !s.is_blank()).cloned().collect();
        let blank = samples.len() - kept.len();
        prop_assert_eq!(store.append(STEP, &samples).unwrap(), Appended::new(kept.len(), 0, blank));
        prop_assert_eq!(
            store.append(STEP, &samples).unwrap(),
            Appended::new(0, kept.len(), blank)
        );
        let frame = store.samples(&SampleQuery::latest(STEP, limit)).unwrap();
        let back: Vec<_> = frame.rows().map(|(t, v)| Sample::new(t, v.to_vec())).collect();
        prop_assert_eq!(&back[..], &kept[kept.len().saturating_sub(limit)..]);
    }
}
