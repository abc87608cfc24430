//! The one knob for noise.

use overseer_core::{Error, Result, Span};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const WEEK: Span = Span::from_secs(7 * 86_400);

/// So many samples are one chance of a false alert: what is unusual on a healthy host stays so for about as long as the
/// detector's windows, which count samples. Measured on simulated hosts.
const CHANCE: f64 = 4.5;
/// The rarer an alert may be, the fewer rows the tail that says so was fitted to, and the more it promises: a budget a
/// tenth as large asks for a p-value 13 times as small. Measured on the same hosts.
const CAUTION: f64 = 1.1;
/// Samples closer than this are no chances of their own either: host metrics taken that fast repeat themselves.
const INDEPENDENT: Span = Span::from_secs(5);

/// How many alerts a healthy host may raise: the user's one knob for noise.
///
/// Written `1/week`, `2/day`, `0.5/month`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AlarmBudget {
    alerts: f64,
    per: Span,
}

impl AlarmBudget {
    /// A budget of `alerts` in every span of length `per`.
    ///
    /// # Errors
    /// If either is not positive and finite, or the alerts a week are more than can be written.
    pub fn new(alerts: f64, per: Span) -> Result<Self> {
        let budget = Self { alerts, per };
        if alerts > 0.0 && per > Span::default() && budget.per_week().is_finite() {
            Ok(budget)
        } else {
            Err(Error::invalid_parameter("alarm budget", "must be a positive number of alerts"))
        }
    }

    /// Alerts a week.
    #[must_use]
    pub fn per_week(&self) -> f64 {
        self.alerts * WEEK.as_secs_f64() / self.per.as_secs_f64()
    }

    /// The p-value per sample that spends the budget when samples are `step` apart, at most 0.01: for B alerts a week
    /// that is B to the power of 1.1, times 4.5 steps, over a week. Steps under 5 s count as 5 s.
    #[must_use]
    pub fn threshold(&self, step: Span) -> f64 {
        let chance = CHANCE * step.max(INDEPENDENT).as_secs_f64();
        (self.per_week().powf(CAUTION) * chance / WEEK.as_secs_f64()).clamp(1e-12, 0.01)
    }

    /// The time in which one alert is allowed.
    #[must_use]
    pub fn period(&self) -> Span {
        Span::from_millis((self.per.as_millis() as f64 / self.alerts).clamp(1.0, 1e15) as i64)
    }
}

impl Default for AlarmBudget {
    fn default() -> Self {
        Self { alerts: 1.0, per: WEEK }
    }
}

impl FromStr for AlarmBudget {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid_parameter(
                "alarm budget",
                format!(
                    "`{text}` is not a number of alerts per hour, day, week or month, such as 1/week"
                ),
            )
        };
        let (alerts, per) = text.split_once('/').ok_or_else(wrong)?;
        let alerts: f64 = alerts.trim().parse().map_err(|_| wrong())?;
        let per = match per.trim() {
            "hour" => Span::from_secs(3600),
            "day" => Span::from_secs(86_400),
            "week" => WEEK,
            "month" => Span::from_secs(30 * 86_400),
            _ => return Err(wrong()),
        };
        Self::new(alerts, per).map_err(|_| wrong())
    }
}

impl fmt::Display for AlarmBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per.as_millis() {
            3_600_000 => "hour",
            86_400_000 => "day",
            604_800_000 => "week",
            2_592_000_000 => "month",
            _ => return write!(f, "{}/week", self.per_week()),
        };
        write!(f, "{}/{per}", self.alerts)
    }
}

impl TryFrom<String> for AlarmBudget {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<AlarmBudget> for String {
    fn from(budget: AlarmBudget) -> Self {
        budget.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_written_as_people_say_them() {
        let b: AlarmBudget = "2/day".parse().unwrap();
        assert_eq!((b.per_week(), b.to_string().as_str()), (14.0, "2/day"));
        assert_eq!(b.period(), Span::from_secs(43_200));
        for wrong in ["", "1", "-1/week", "1/fortnight", "inf/day", "0/week"] {
            assert!(wrong.parse::<AlarmBudget>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_threshold_spends_the_budget() {
        let week = AlarmBudget::default();
        assert!((week.threshold(Span::from_secs(100)) - 450.0 / 604_800.0).abs() < 1e-12);
        assert_eq!(week.threshold(Span::from_secs(1)), week.threshold(Span::from_secs(5)));
    }
}
