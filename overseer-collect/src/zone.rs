//! The time zones of the system's database.

use jiff::tz::TimeZone;
use overseer_core::{Error, LocalTime, Result, Timestamp};

/// A time zone that the system knows.
///
/// ```
/// use overseer_collect::SystemZone;
/// use overseer_core::{LocalTime, Timestamp};
///
/// let berlin = SystemZone::named("Europe/Berlin")?;
/// let july = Timestamp::from_millis(1_720_000_000_000);
/// assert_eq!((berlin.name(), berlin.utc_offset_seconds(july)), ("Europe/Berlin", 7200));
/// # Ok::<(), overseer_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SystemZone {
    zone: TimeZone,
    name: String,
}

impl SystemZone {
    /// A zone by its IANA name, such as `Europe/Berlin`.
    ///
    /// # Errors
    /// If no such zone is known here ([`Error::is_invalid_input`]).
    pub fn named(name: &str) -> Result<Self> {
        TimeZone::get(name)
            .map(Self::of)
            .map_err(|_| Error::invalid_parameter("time zone", format!("`{name}` is not known")))
    }

    /// The zone this host's clocks are set to: that of the variable `TZ`, or else the system's.
    ///
    /// # Errors
    /// If it is not set, or to something that is no zone.
    pub fn local() -> Result<Self> {
        TimeZone::try_system()
            .map(Self::of)
            .map_err(|e| Error::unavailable("the time zone", e.to_string()))
    }

    fn of(zone: TimeZone) -> Self {
        let name = match zone.iana_name() {
            Some(name) => name.to_owned(),
            // A rule without a name is told from others by what it does in winter and in summer.
            None => {
                let at = |ms| offset(&zone, Timestamp::from_millis(ms));
                format!("unnamed {} {}", at(1_704_067_200_000), at(1_719_792_000_000))
            }
        };
        Self { zone, name }
    }

    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

impl LocalTime for SystemZone {
    fn name(&self) -> &str {
        &self.name
    }

    fn utc_offset_seconds(&self, at: Timestamp) -> i32 {
        offset(&self.zone, at)
    }
}

/// Seconds ahead of UTC; of a moment beyond the years that can be told, those of the last one that can.
fn offset(zone: &TimeZone, at: Timestamp) -> i32 {
    let (first, last) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
    let nearest = if at.as_millis() < 0 { first } else { last };
    let moment = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(nearest);
    zone.to_offset(moment).seconds()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_set_forward_and_back() {
        let berlin = SystemZone::named("Europe/Berlin").unwrap();
        let at = |ms| berlin.utc_offset_seconds(Timestamp::from_millis(ms));
        // 2024-03-31T01:00Z and 2024-10-27T01:00Z.
        assert_eq!((at(1_711_846_799_999), at(1_711_846_800_000)), (3600, 7200));
        assert_eq!((at(1_729_990_799_999), at(1_729_990_800_000)), (7200, 3600));
    }

    #[test]
    fn moments_beyond_the_calendar_have_an_offset() {
        let berlin = SystemZone::named("Europe/Berlin").unwrap();
        for ms in [i64::MIN, i64::MAX] {
            assert!(berlin.utc_offset_seconds(Timestamp::from_millis(ms)).abs() <= 7200);
        }
    }

    #[test]
    fn an_unknown_zone_is_named() {
        let error = SystemZone::named("Mars/Olympus").unwrap_err();
        assert!(error.is_invalid_input() && error.to_string().contains("Mars/Olympus"));
    }

    #[test]
    fn a_rule_without_a_name_is_told_from_others() {
        let of = |rule| SystemZone::of(TimeZone::posix(rule).unwrap());
        assert_eq!(of("CET-1CEST,M3.5.0,M10.5.0/3").name(), "unnamed 3600 7200");
        assert_eq!(of("EST5").name(), "unnamed -18000 -18000");
    }
}
