//! Silences that recur: at a time of the day, on days of the week, by the clocks of a time zone.

use overseer_core::{Error, LocalTime, Result, Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

const DAY: i64 = 86_400_000;
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// A silence that recurs lasts no longer than until it recurs.
const LONGEST: Span = Span::from_millis(7 * DAY);

/// Every week on some days at a time of the day.
///
/// It begins when the clocks of its zone show that time, and lasts as long as it says, however the clocks are set
/// meanwhile. Where they skip the time it begins as much later as they skip, and where they show it twice, at the first.
///
/// ```
/// use overseer_engine::core::{Span, Timestamp, Utc};
/// use overseer_engine::incident::Weekly;
///
/// let weekly = Weekly::new("sat,sun 02:00", "UTC")?;
/// let saturday = Timestamp::from_millis(1_704_506_400_000); // 2024-01-06 02:00
/// let (from, to) = weekly.next(saturday - Span::from_secs(1), Span::from_secs(7200), &Utc).unwrap();
/// assert_eq!((from, to), (saturday, saturday + Span::from_secs(7200)));
/// # Ok::<(), overseer_engine::core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Weekly {
    days: [bool; 7],
    minute: i64,
    zone: String,
}

/// The form in the database.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    every: String,
    days: Vec<String>,
    at: String,
    zone: String,
}

impl Weekly {
    /// Days and a time of the day such as `sat,sun 02:00`, by the clocks of a zone such as `Europe/Berlin`; `daily` is
    /// every day.
    ///
    /// # Errors
    /// If it is written otherwise. Whether the zone exists is for whoever reads time zones.
    pub fn new(text: &str, zone: &str) -> Result<Self> {
        let wrong = |what: &str| {
            Error::invalid_parameter(
                "weekly",
                format!(
                    "`{text}`: {what}; write days of {} or `daily`, and a time, such as `sat,sun 02:00`",
                    NAMES.join(", ")
                ),
            )
        };
        let (days, at) =
            text.trim().rsplit_once(' ').ok_or_else(|| wrong("days or time are missing"))?;
        let minute = minute(at.trim()).ok_or_else(|| wrong("the time is not of the form 02:00"))?;
        let mut chosen = [days.trim() == "daily"; 7];
        if !chosen[0] {
            for day in days.split(',') {
                let day = day.trim().to_lowercase();
                let index = NAMES.iter().position(|&name| name == day);
                chosen[index.ok_or_else(|| wrong(&format!("`{day}` is no day")))?] = true;
            }
        }
        Ok(Self { days: chosen, minute, zone: zone.to_owned() })
    }

    /// As [`Silence::recurrence`](overseer_core::Silence::recurrence) holds it, JSON.
    ///
    /// # Errors
    /// If it is not of that form.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|e| Error::invalid_value("recurrence", e.to_string()))
    }

    /// The form that [`Weekly::from_json`] reads.
    ///
    /// # Errors
    /// Never, with text and numbers; it is what the writer of JSON returns.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::other("writing a recurrence", e))
    }

    /// The name of the time zone.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// The occurrence that goes on at `now`, if one does: each lasts `lasting`, at most a week.
    #[must_use]
    pub fn current(
        &self,
        now: Timestamp,
        lasting: Span,
        clocks: &dyn LocalTime,
    ) -> Option<(Timestamp, Timestamp)> {
        let lasting = lasting.min(LONGEST);
        let today = self.day_of(now, clocks);
        let before = lasting.as_millis() / DAY + 2;
        let mut occurrences = (today - before..=today + 1)
            .rev()
            .filter_map(|day| self.on(day, clocks))
            .map(|from| (from, from + lasting));
        occurrences.find(|&(from, to)| from <= now && now < to)
    }

    /// The first occurrence that is not over at `now`.
    #[must_use]
    pub fn next(
        &self,
        now: Timestamp,
        lasting: Span,
        clocks: &dyn LocalTime,
    ) -> Option<(Timestamp, Timestamp)> {
        let lasting = lasting.min(LONGEST);
        self.current(now, lasting, clocks).or_else(|| {
            let today = self.day_of(now, clocks);
            (today - 1..=today + 8)
                .filter_map(|day| self.on(day, clocks))
                .find(|&from| from >= now)
                .map(|from| (from, from + lasting))
        })
    }

    /// The day that the clocks show, counted from 1970-01-01.
    fn day_of(&self, now: Timestamp, clocks: &dyn LocalTime) -> i64 {
        let offset = 1000 * i64::from(clocks.utc_offset_seconds(now));
        now.as_millis().saturating_add(offset).div_euclid(DAY)
    }

    /// When it begins on a day, if it does on that day of the week.
    fn on(&self, day: i64, clocks: &dyn LocalTime) -> Option<Timestamp> {
        // 1970-01-01 was a Thursday.
        let weekday = usize::try_from((day + 3).rem_euclid(7)).ok()?;
        if !self.days.get(weekday).copied()? {
            return None;
        }
        let shown = day.checked_mul(DAY)?.checked_add(self.minute * 60_000)?;
        let offset =
            |at: i64| 1000 * i64::from(clocks.utc_offset_seconds(Timestamp::from_millis(at)));
        // What the clocks are ahead by a day before and a day after: they differ where the clocks are set in between.
        let (before, after) = (offset(shown.checked_sub(DAY)?), offset(shown.checked_add(DAY)?));
        let at =
            [before, after].into_iter().map(|o| (shown - o, o)).find(|&(at, o)| offset(at) == o);
        Some(Timestamp::from_millis(at.map_or(shown - before, |(at, _)| at)))
    }
}

/// The minute of the day.
fn minute(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, below: i64| {
        let is_short = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|&n: &i64| is_short && n < below)
    };
    Some(60 * number(hour, 24)? + number(minute, 60)?)
}

impl fmt::Display for Weekly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = NAMES.iter().zip(self.days).filter(|(_, chosen)| *chosen);
        let days: Vec<&str> = days.map(|(name, _)| *name).collect();
        let days = if days.len() == 7 { "daily".to_owned() } else { days.join(",") };
        write!(f, "{days} {:02}:{:02} {}", self.minute / 60, self.minute % 60, self.zone)
    }
}

impl TryFrom<Written> for Weekly {
    type Error = Error;
    fn try_from(w: Written) -> Result<Self> {
        if w.every != "week" {
            return Err(Error::invalid_value("every", format!("`{}` is not `week`", w.every)));
        }
        Self::new(&format!("{} {}", w.days.join(","), w.at), &w.zone)
    }
}

impl From<Weekly> for Written {
    fn from(w: Weekly) -> Self {
        let days = NAMES.iter().zip(w.days).filter(|(_, chosen)| *chosen);
        Self {
            every: "week".to_owned(),
            days: days.map(|(name, _)| (*name).to_owned()).collect(),
            at: format!("{:02}:{:02}", w.minute / 60, w.minute % 60),
            zone: w.zone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_collect::SystemZone;
    use overseer_core::Utc;
    use proptest::prelude::*;

    const HOUR: Span = Span::from_secs(3600);

    fn berlin() -> SystemZone {
        SystemZone::named("Europe/Berlin").unwrap()
    }

    fn next(text: &str, now: i64, lasting: Span) -> (i64, i64) {
        let weekly = Weekly::new(text, "Europe/Berlin").unwrap();
        let found = weekly.next(Timestamp::from_millis(1000 * now), lasting, &berlin()).unwrap();
        (found.0.as_millis() / 1000, found.1.as_millis() / 1000)
    }

    #[test]
    fn it_follows_the_clocks_and_lasts_as_long_as_it_says() {
        // 2024-03-30T01:00Z is Saturday 02:00 in winter; on Sunday 02:00 does not exist, and 03:00 is 01:00Z.
        let saturday = 1_711_760_400;
        assert_eq!(next("sat 02:00", saturday - 1, HOUR.times(3)).0, saturday);
        let (from, to) = next("sun 02:00", saturday, HOUR.times(3));
        assert_eq!((from, to), (1_711_846_800, 1_711_846_800 + 3 * 3600));
        assert_eq!(next("sun 02:30", saturday, HOUR).0, 1_711_846_800 + 1800, "03:30 by the clock");
        assert_eq!(next("mon 02:00", saturday, HOUR).0, 1_711_929_600, "summer: 00:00Z");
        // 2024-10-27: 02:30 is shown twice, first at 00:30Z.
        assert_eq!(next("sun 02:30", 1_729_987_200 - 1, HOUR).0, 1_729_989_000);
    }

    #[test]
    fn an_occurrence_that_began_yesterday_goes_on() {
        let weekly = Weekly::new("sat 23:00", "UTC").unwrap();
        let sunday = Timestamp::from_millis(1_704_589_200_000); // 2024-01-07 01:00
        let found = weekly.current(sunday, HOUR.times(3), &Utc);
        assert_eq!(found, Some((sunday - HOUR.times(2), sunday + HOUR)));
        assert_eq!(weekly.current(sunday + HOUR, HOUR.times(3), &Utc), None);
    }

    #[test]
    fn it_is_written_as_people_do_and_read_again() {
        let weekly = Weekly::new("Sat, sun 2:05", "Asia/Tokyo").unwrap();
        assert_eq!(weekly.to_string(), "sat,sun 02:05 Asia/Tokyo");
        let json = weekly.to_json().unwrap();
        assert_eq!(
            json,
            r#"{"every":"week","days":["sat","sun"],"at":"02:05","zone":"Asia/Tokyo"}"#
        );
        assert_eq!(Weekly::from_json(&json).unwrap(), weekly);
        assert_eq!(Weekly::new("daily 00:00", "UTC").unwrap().to_string(), "daily 00:00 UTC");
        for wrong in ["", "sat", "02:00", "sat 25:00", "sat 2:60", "caturday 02:00", "sat 002:00"] {
            let e = Weekly::new(wrong, "UTC").unwrap_err().to_string();
            assert!(e.contains("such as `sat,sun 02:00`"), "{e}");
        }
        for wrong in ["", "{}", r#"{"every":"year","days":[],"at":"02:00","zone":"UTC"}"#] {
            assert!(Weekly::from_json(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_moment_is_in_an_occurrence_exactly_when_one_that_began_is_not_over(
            now in 1_700_000_000_000_i64..1_760_000_000_000,
            lasting in 60_000_i64..604_800_000,
            minute in 0_i64..1440,
            days in 1_u8..128,
        ) {
            let days: Vec<&str> = (0..7).filter(|i| days >> i & 1 == 1).map(|i| NAMES[i]).collect();
            let text = format!("{} {:02}:{:02}", days.join(","), minute / 60, minute % 60);
            let weekly = Weekly::new(&text, "Europe/Berlin").unwrap();
            let (now, lasting) = (Timestamp::from_millis(now), Span::from_millis(lasting));
            let (from, to) = weekly.next(now, lasting, &berlin()).unwrap();
            prop_assert!(to > now && to == from + lasting);
            prop_assert_eq!(weekly.current(now, lasting, &berlin()).is_some(), from <= now);
            let at = berlin().utc_offset_seconds(from);
            let shown = (from.as_millis() + 1000 * i64::from(at)).rem_euclid(DAY) / 60_000;
            prop_assert!((shown - minute).rem_euclid(1440) <= 60, "{} shown for {}", shown, minute);
        }

        #[test]
        fn no_moment_and_no_text_makes_it_panic(now: i64, lasting in 0_i64..i64::MAX, text in ".{0,40}") {
            let _ = Weekly::new(&text, "UTC");
            let _ = Weekly::from_json(&text);
            let weekly = Weekly::new("daily 02:00", "Europe/Berlin").unwrap();
            let _ = weekly.next(Timestamp::from_millis(now), Span::from_millis(lasting), &berlin());
        }
    }
}
