//! The kinds of rows there are, by the words that files and commands use.

use overseer_core::{Error, Result};
use std::fmt;

/// What can be exported and imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The sampling step, and the names of all features that there ever were. Import it first.
    Settings,
    /// Samples of all features, at whatever interval they were taken.
    Metrics,
    /// Means, minima, maxima and counts by the minute.
    Minutes,
    /// The same by the hour.
    Hours,
    /// What auxiliary series there are.
    Series,
    /// Their values by the minute.
    Auxiliary,
    /// Their means, minima, maxima and counts by the hour.
    AuxiliaryHours,
    /// Anomalies.
    Anomalies,
    /// Predictions.
    Predictions,
    /// Patterns.
    Patterns,
    /// Events as one, with what became of them.
    Incidents,
    /// What people said of anomalies.
    Labels,
    /// Times in which nothing is sent.
    Silences,
    /// The outbox, with what became of each message.
    Alerts,
    /// Advice.
    Recommendations,
    /// What came of advice, which must be there: import recommendations first.
    Outcomes,
    /// The journal of applied actions; of advice, as outcomes are. A line that was open is imported as stuck: no file
    /// makes a host set anything back.
    Applied,
    /// What is known of the models, whose files are not exported.
    Models,
}

impl Kind {
    /// Every kind, in an order in which they can be imported.
    pub const ALL: [Self; 18] = [
        Self::Settings,
        Self::Metrics,
        Self::Minutes,
        Self::Hours,
        Self::Series,
        Self::Auxiliary,
        Self::AuxiliaryHours,
        Self::Anomalies,
        Self::Predictions,
        Self::Patterns,
        Self::Incidents,
        Self::Labels,
        Self::Silences,
        Self::Alerts,
        Self::Recommendations,
        Self::Outcomes,
        Self::Applied,
        Self::Models,
    ];

    /// The word used on the command line and in JSON Lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Metrics => "metrics",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Series => "series",
            Self::Auxiliary => "auxiliary",
            Self::AuxiliaryHours => "auxiliary_hours",
            Self::Anomalies => "anomalies",
            Self::Predictions => "predictions",
            Self::Patterns => "patterns",
            Self::Incidents => "incidents",
            Self::Labels => "labels",
            Self::Silences => "silences",
            Self::Alerts => "alerts",
            Self::Recommendations => "recommendations",
            Self::Outcomes => "outcomes",
            Self::Applied => "applied",
            Self::Models => "models",
        }
    }

    /// The kind called `word`, if it is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What kind of rows a file with these columns has; the interval tells summaries by the minute from those by the hour.
pub(crate) fn kind_of<'a>(columns: impl IntoIterator<Item = &'a str>, place: &str) -> Result<Kind> {
    let columns: Vec<&str> = columns.into_iter().collect();
    let has = |name: &str| columns.contains(&name);
    // Of what has no column `timestamp`: a column that no other kind has, or none of those below it.
    let timeless = [
        ("setting", Kind::Settings),
        ("capacity", Kind::Series),
        ("algorithm", Kind::Models),
        ("began_at", Kind::Incidents),
        ("knobs_before", Kind::Applied),
        ("starts_at", Kind::Silences),
        ("sink", Kind::Alerts),
        ("evidence", Kind::Recommendations),
        ("advised_at", Kind::Outcomes),
        ("anomaly", Kind::Labels),
    ];
    if !has("timestamp") {
        let found = timeless.into_iter().find(|(name, _)| has(name));
        return found.map(|(_, kind)| kind).ok_or_else(|| {
            Error::invalid_value(place, "there is no column `timestamp`, nor one that tells a kind")
        });
    }
    // Of what has no interval; a feature may be called like any of these.
    let findings = [
        ("severity", Kind::Anomalies),
        ("prediction_type", Kind::Predictions),
        ("pattern_type", Kind::Patterns),
    ];
    let found = findings.into_iter().find(|(name, _)| has(name) && !has("interval_ms"));
    Ok(match found {
        Some((_, kind)) => kind,
        None if has("name") && has("instance") && has("mean") => Kind::AuxiliaryHours,
        None if has("name") && has("instance") => Kind::Auxiliary,
        // Which of the two tiers, each row's interval tells.
        None if columns.iter().any(|c| c.ends_with(":count")) => Kind::Minutes,
        None => Kind::Metrics,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_word() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.as_str()), Some(kind));
        }
    }
}
