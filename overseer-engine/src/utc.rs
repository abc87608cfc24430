//! A moment as text that every reader of times takes: RFC 3339 in UTC, to the second.

use overseer_core::Timestamp;

/// `2023-11-14T22:13:20Z`.
///
/// The calendar is that of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
pub(crate) fn utc(at: Timestamp) -> String {
    let seconds = at.as_millis().div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Counted from 0000-03-01, so that a leap day ends its year.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, (month + 2) % 12 + 1);
    let year = year + 400 * era + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_days_ends_of_years_and_what_was_before_1970_are_right() {
        let of = |seconds: i64| utc(Timestamp::from_millis(1000 * seconds));
        assert_eq!(of(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(of(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(of(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(of(1_735_689_599), "2024-12-31T23:59:59Z");
        assert_eq!(of(-1), "1969-12-31T23:59:59Z");
        assert_eq!(utc(Timestamp::from_millis(1_700_000_000_999)), "2023-11-14T22:13:20Z");
        let _ = (utc(Timestamp::from_millis(i64::MIN)), utc(Timestamp::from_millis(i64::MAX)));
    }
}
