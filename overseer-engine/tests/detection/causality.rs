//! What is said of a row uses nothing that comes later, also while the scorer trains anew as it goes.

use crate::scene::{calm_columns, judge, schema_of, scorer};
use overseer_core::Sample;
use overseer_engine::offline::ScoreRow;

/// What is said of each row without any history.
fn judge_all(samples: &[Sample]) -> Vec<ScoreRow> {
    let mut scorer = scorer(schema_of(samples));
    samples.iter().map(|s| scorer.observe(s).unwrap()).collect()
}

/// Rows as they print, so that what is not known yet equals itself.
fn said(rows: &[ScoreRow]) -> Vec<String> {
    rows.iter().map(|r| format!("{r:?}")).collect()
}

#[test]
fn rows_that_come_later_change_nothing() {
    let samples = calm_columns(3, 700, 3);
    // Before, at and after rows at which it trains anew.
    for cut in [59, 60, 61, 300, 501] {
        let mut changed = samples.clone();
        changed[cut..].iter_mut().for_each(|s| s.values.fill(1e6));
        let (whole, other) = (judge_all(&samples), judge_all(&changed));
        assert_eq!(said(&whole[..cut]), said(&other[..cut]), "changed from row {cut} on");
        assert_eq!(said(&whole[..cut]), said(&judge_all(&samples[..cut])), "cut at row {cut}");
        assert_ne!(said(&whole[cut..]), said(&other[cut..]), "row {cut} on says nothing");
        if cut > 200 {
            let of = |s: &[Sample]| said(&judge(s, 100)[..cut - 100]);
            assert_eq!(of(&samples), of(&changed), "with a history, from row {cut} on");
        }
    }
}
