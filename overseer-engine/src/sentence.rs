//! What has changed, in one sentence for a person who was just woken by it.

use crate::level::level_word;
use overseer_core::{ChangeKind, FeatureEvidence, ProcessUsage, Schema, Timestamp, Unit, host};

/// Features beside the first that a sentence names at most, and the least share of the score that each has.
const COMPANIONS: usize = 2;
const COMPANION_SHARE: f64 = 0.08;
/// A value is far off if it is so many widths of the usual range outside it.
const FAR: f64 = 1.0;

/// `CPU has been far above its usual 2–8 % for 3 min (now 97 %, critical); with it disk writes rose; busiest: sh
/// (98 % of a core)`, without a full stop.
pub(crate) fn sentence(
    features: &[FeatureEvidence],
    schema: &Schema,
    now: Timestamp,
    processes: &[ProcessUsage],
) -> String {
    let Some(first) = features.first() else { return String::new() };
    let mut text = change(first, schema, now);
    let with: Vec<String> = features[1..]
        .iter()
        .filter(|f| f.contribution >= COMPANION_SHARE && !f.observed.is_nan())
        .filter_map(companion)
        .take(COMPANIONS)
        .collect();
    if !with.is_empty() {
        let it = if is_plural(&first.feature) { "them" } else { "it" };
        text = format!("{text}; with {it} {}", with.join(" and "));
    }
    // The next feature's processes where the first has none to blame, such as a pressure or a load.
    let busiest = features.iter().take(1 + COMPANIONS).find_map(|f| busiest(&f.feature, processes));
    match busiest {
        Some(busiest) => format!("{text}; busiest: {busiest}"),
        None => text,
    }
}

/// What has become of the feature that leads.
fn change(f: &FeatureEvidence, schema: &Schema, now: Timestamp) -> String {
    let unit =
        schema.index_of(&f.feature).and_then(|i| schema.get(i)).map_or(Unit::Unknown, |f| f.unit);
    let name = host::plain_name(&f.feature);
    let (has, is, its) =
        if is_plural(&f.feature) { ("have", "are", "their") } else { ("has", "is", "its") };
    let lasted = f.since.map(|since| now.since(since)).filter(|d| d.as_millis() > 0);
    let lasting = lasted.map(|d| format!(" for {d}"));
    let during = lasting.clone().unwrap_or_default();
    let been = if lasting.is_some() { format!("{has} been") } else { is.to_owned() };
    if f.observed.is_nan() {
        return format!("{name} {has} had no value{during}");
    }
    let value = short(unit, f.observed);
    let word = level_word(&f.feature, f.observed).map(|w| format!(", {w}")).unwrap_or_default();
    let (low, high) = f.expected;
    if !(low.is_finite() && high.is_finite()) {
        return format!("{name} {is} at {value}{word}");
    }
    let usual = range(unit, low, high);
    let off = if f.observed > high { f.observed - high } else { low - f.observed };
    let far = if off > FAR * (high - low) { "far " } else { "" };
    let side = if f.observed > high { "above" } else { "below" };
    match f.kind {
        Some(ChangeKind::Frozen) => format!("{name} {has} stood still at {value}{word}{during}"),
        Some(ChangeKind::Trend) => {
            let way = match off > 0.0 {
                true if f.observed > high => "rising",
                true => "falling",
                false => "drifting",
            };
            format!("{name} {has} been {way}{during} (now {value}{word}; usually {usual})")
        }
        Some(ChangeKind::Variance) => {
            format!(
                "{name} {been} more restless than usual{during} (now {value}{word}; usually {usual})"
            )
        }
        Some(ChangeKind::SeasonalSurprise) => {
            format!(
                "{name} {been} unusual for this time of day{during} (now {value}{word}; {its} whole range is {usual})"
            )
        }
        Some(ChangeKind::CorrelationBroken) if off <= 0.0 => {
            format!(
                "{name} {has} not gone along with the rest as usual{during} (now {value}{word}; {its} own range is {usual})"
            )
        }
        Some(ChangeKind::Spike) if off > 0.0 => {
            format!("{name} {has} jumped {far}{side} {its} usual {usual} (now {value}{word})")
        }
        Some(ChangeKind::Spike) => {
            format!("{name} {has} jumped and {is} back (now {value}{word}; usually {usual})")
        }
        _ if off > 0.0 => {
            format!("{name} {been} {far}{side} {its} usual {usual}{during} (now {value}{word})")
        }
        Some(ChangeKind::Level) => {
            format!(
                "{name} {been} at another level than before{during} (now {value}{word}; {its} whole range is {usual})"
            )
        }
        _ => format!("{name} {is} at {value}{word}, within {its} usual {usual}"),
    }
}

/// `disk writes rose`, if a feature did anything that can be said so shortly.
fn companion(f: &FeatureEvidence) -> Option<String> {
    let name = host::plain_name(&f.feature);
    let verb = match f.kind {
        Some(ChangeKind::Frozen) => "stood still",
        _ if f.observed > f.expected.1 => "rose",
        _ if f.observed < f.expected.0 => "fell",
        Some(ChangeKind::Variance) => "became restless",
        Some(ChangeKind::Spike | ChangeKind::Level | ChangeKind::Trend) => "changed",
        _ => return None,
    };
    Some(format!("{name} {verb}"))
}

/// The process that uses the most of what a feature measures: `sh (98 % of a core)`.
fn busiest(feature: &str, processes: &[ProcessUsage]) -> Option<String> {
    let p = crate::recommendation::responsible(feature, processes).into_iter().next()?;
    let use_of = match feature {
        "system.memory.utilization" | "system.paging.utilization" | "linux.pressure.memory" => {
            Unit::Bytes.humanize(p.memory_bytes)
        }
        "system.disk.io.read"
        | "system.disk.io.write"
        | "linux.pressure.io"
        | "system.filesystem.utilization" => {
            format!("{} of I/O", Unit::BytesPerSecond.humanize(p.io_bytes_per_second))
        }
        _ if p.cpu_cores >= 1.05 => format!("{:.1} cores", p.cpu_cores),
        _ => format!("{:.0} % of a core", 100.0 * p.cpu_cores),
    };
    Some(format!("`{}` ({use_of})", p.name))
}

fn is_plural(feature: &str) -> bool {
    matches!(feature, "system.disk.io.read" | "system.disk.io.write" | "system.process.count")
}

/// A value without a decimal that says nothing: `97 %`, `4.2 %`.
fn short(unit: Unit, value: f64) -> String {
    let text = unit.humanize(value);
    // Host features are counted in processes, whose name says so already.
    let text = text.trim_end_matches(" processes");
    text.replacen(".0 ", " ", 1)
}

/// A range of values as a person says it: `2–8 %`, `20 kB/s to 1.5 MB/s`.
#[must_use]
pub fn range(unit: Unit, low: f64, high: f64) -> String {
    let (from, to) = (short(unit, low), short(unit, high));
    if from == to {
        return from;
    }
    if low < 0.0 {
        return format!("{from} to {to}");
    }
    match (from.split_once(' '), to.split_once(' ')) {
        (Some((number, a)), Some((_, b))) if a == b => format!("{number}–{to}"),
        (None, None) => format!("{from}–{to}"),
        _ => format!("{from} to {to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: &str = "system.cpu.utilization";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1000 * seconds)
    }

    fn said(features: &[FeatureEvidence], processes: &[ProcessUsage]) -> String {
        sentence(features, &host::schema(), at(1000), processes)
    }

    fn cpu(observed: f64, kind: ChangeKind, since: i64) -> FeatureEvidence {
        FeatureEvidence::new(CPU, observed, (0.02, 0.08), 0.7).changed(kind, Some(at(since)))
    }

    #[test]
    fn a_level_says_how_far_for_how_long_with_what_and_by_whom() {
        let writes = FeatureEvidence::new("system.disk.io.write", 9e7, (0.0, 2e6), 0.2);
        let mut process = ProcessUsage::new(7, "sh");
        process.cpu_cores = 0.98;
        assert_eq!(
            said(&[cpu(0.97, ChangeKind::Level, 820), writes], &[process]),
            "CPU has been far above its usual 2–8 % for 3 min (now 97 %, critical); with it disk writes rose; \
             busiest: `sh` (98 % of a core)"
        );
        assert_eq!(
            said(&[cpu(0.1, ChangeKind::Level, 1000)], &[]),
            "CPU is above its usual 2–8 % (now 10 %)"
        );
    }

    #[test]
    fn each_kind_has_its_words() {
        let of = |kind, observed| said(&[cpu(observed, kind, 400)], &[]);
        assert_eq!(
            of(ChangeKind::Spike, 0.5),
            "CPU has jumped far above its usual 2–8 % (now 50 %)"
        );
        assert_eq!(
            of(ChangeKind::Trend, 0.12),
            "CPU has been rising for 10 min (now 12 %; usually 2–8 %)"
        );
        assert_eq!(
            of(ChangeKind::Variance, 0.05),
            "CPU has been more restless than usual for 10 min (now 5 %; usually 2–8 %)"
        );
        assert_eq!(of(ChangeKind::Frozen, 0.05), "CPU has stood still at 5 % for 10 min");
        assert_eq!(
            of(ChangeKind::SeasonalSurprise, 0.07),
            "CPU has been unusual for this time of day for 10 min (now 7 %; its whole range is 2–8 %)"
        );
        assert_eq!(
            of(ChangeKind::CorrelationBroken, 0.05),
            "CPU has not gone along with the rest as usual for 10 min (now 5 %; its own range is 2–8 %)"
        );
        assert_eq!(of(ChangeKind::Missing, f64::NAN), "CPU has had no value for 10 min");
    }

    #[test]
    fn plural_names_and_old_findings_are_said_well() {
        let processes = FeatureEvidence::new("system.process.count", 400.0, (180.0, 220.0), 0.9);
        assert_eq!(
            said(&[processes], &[]),
            "processes are far above their usual 180–220 (now 400)"
        );
        let load = FeatureEvidence::new("overseer.cpu.load_per_core", 0.3, (0.1, 0.5), 0.9);
        assert_eq!(said(&[load], &[]), "load per core is at 0.30, within its usual 0.10–0.50");
        assert_eq!(said(&[], &[]), "");
    }

    #[test]
    fn ranges_share_their_unit_where_they_have_the_same() {
        assert_eq!(range(Unit::BytesPerSecond, 2e4, 1.5e6), "20 kB/s to 1.5 MB/s");
        assert_eq!(range(Unit::Unknown, -3.0, 5.0), "-3 to 5");
        assert_eq!(range(Unit::Ratio, 0.5, 0.5), "50 %");
    }
}
