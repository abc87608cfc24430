//! What counts as a lot by itself, whatever is usual on this host.

/// What counts as a lot, whatever is usual: warning and alarm level.
fn levels(feature: &str) -> Option<(f64, f64)> {
    match feature {
        "system.cpu.utilization" => Some((0.8, 0.9)),
        "system.memory.utilization" => Some((0.85, 0.95)),
        "system.filesystem.utilization" => Some((0.9, 0.95)),
        "system.paging.utilization" => Some((0.5, 0.9)),
        "overseer.cpu.load_per_core" => Some((1.0, 2.0)),
        _ => None,
    }
}

/// A level word for a value that is a lot by itself.
pub(crate) fn level_word(feature: &str, value: f64) -> Option<&'static str> {
    let (warning, alarm) = levels(feature)?;
    match value {
        v if v >= alarm => Some("critical"),
        v if v >= warning => Some("high"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_word_from_its_warning_on_and_only_where_full_means_something() {
        let disk = |value| level_word("system.filesystem.utilization", value);
        assert_eq!([disk(0.89), disk(0.9), disk(0.95)], [None, Some("high"), Some("critical")]);
        assert_eq!(disk(f64::NAN), None);
        assert_eq!(level_word("system.network.io.receive", 1e12), None);
    }
}
