//! Our figures beside those that another implementation of the same metrics wrote as JSON.
//!
//! Every number and boolean of the other file must be in ours at the same place. What follows from counts must agree
//! to the digits that were written; areas and points, which depend on how ties and sums are rounded, to a tolerance.

use overseer_engine::core::{Error, Result};
use serde_json::Value;
use std::path::Path;

/// Half of the last digit, where that many were written.
const fn rounded(digits: i32) -> f64 {
    let mut unit = 0.505;
    let mut i = 0;
    while i < digits {
        unit /= 10.0;
        i += 1;
    }
    unit
}

/// How far a figure of this name may be off; `None` if it says nothing about quality.
fn tolerance(name: &str) -> Option<f64> {
    Some(match name {
        "seconds" => return None,
        "score" => 1e-3,
        "vus_pr" | "vus_pr_mean" | "auc_pr" | "auc_roc" | "f1" | "raw" | "threshold" => 1e-4,
        "recall" | "precision" | "recall_onset" | "recall_state" | "time_in_alarm" => rounded(4),
        "fa_per_day" | "fa_per_week_worst" => rounded(3),
        // Seven times a number that was rounded before.
        "fa_per_week" => 8.0 * rounded(3),
        "delay_mean" => rounded(2),
        // Counts and medians of counts.
        _ => 0.0,
    })
}

/// A figure that does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where it stands, both figures, and what was allowed.
    pub message: String,
}

/// How the comparison went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// How many figures were compared.
    pub compared: usize,
    /// Those that do not agree.
    pub differences: Vec<Difference>,
}

/// Compares our figures with those in a file.
///
/// # Errors
/// If the file cannot be read, is not JSON, or holds nothing to compare.
pub fn against(ours: &Value, path: &Path) -> Result<Comparison> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::other(format!("cannot read {name}"), e))?;
    let theirs: Value =
        serde_json::from_str(&text).map_err(|e| Error::other(format!("reading {name}"), e))?;
    let mut comparison = Comparison::default();
    compare("", ours, &theirs, &mut comparison);
    if comparison.compared == 0 {
        return Err(Error::invalid_value(name.to_string(), "there is no figure to compare"));
    }
    Ok(comparison)
}

fn compare(place: &str, ours: &Value, theirs: &Value, comparison: &mut Comparison) {
    if let Value::Object(fields) = theirs {
        for (name, theirs) in fields {
            let ours = ours.get(name).unwrap_or(&Value::Null);
            compare(&format!("{place}/{name}"), ours, theirs, comparison);
        }
        return;
    }
    let name = place.rsplit('/').next().unwrap_or_default();
    let Some(allowed) = tolerance(name) else { return };
    comparison.compared += 1;
    let agree = match (ours.as_f64(), theirs.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= allowed,
        _ => ours == theirs,
    };
    if !agree {
        let message = format!("{place}: ours {ours}, theirs {theirs}, {allowed} allowed");
        comparison.differences.push(Difference { message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn differences(ours: &Value, theirs: &Value) -> Vec<Difference> {
        let mut comparison = Comparison::default();
        compare("", ours, theirs, &mut comparison);
        comparison.differences
    }

    #[test]
    fn counts_agree_exactly_areas_nearly_and_times_need_not() {
        let ours =
            json!({"a": {"events": 3, "vus_pr": 0.50004, "recall": 2.0 / 3.0, "causal": true}});
        let theirs = json!({"a": {"events": 3, "vus_pr": 0.5, "recall": 0.6667, "causal": true, "seconds": 9}});
        assert!(differences(&ours, &theirs).is_empty());
        for wrong in [
            json!({"a": {"events": 4}}),
            json!({"a": {"vus_pr": 0.4999}}),
            json!({"a": {"recall": 0.6666}}),
            json!({"a": {"causal": false}}),
            json!({"a": {"n": 1}}),
            json!({"b": {"n": 1}}),
        ] {
            assert_eq!(differences(&ours, &wrong).len(), 1, "{wrong}");
        }
    }
}
