//! The forms in which a file may give the time of a row.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use overseer_core::Timestamp;

/// Numbers below it are seconds (until the year 5138), above it milliseconds (since March 1973).
const SECONDS_BELOW: f64 = 1e11;
/// Larger numbers are neither.
const MILLIS_BELOW: f64 = 1e14;

/// Reads RFC 3339, a date and time without a zone, or Unix seconds or milliseconds.
///
/// A time without a zone is `zone`'s. Where clocks were set back it happened twice: the first one is taken unless
/// that lies before `after`, the row above. The error is what is wrong, in words that follow the text.
pub(crate) fn parse(
    text: &str,
    zone: &TimeZone,
    after: Option<Timestamp>,
) -> Result<Timestamp, &'static str> {
    const UNKNOWN: &str = "is not a time: RFC 3339, `YYYY-MM-DD HH:MM:SS`, Unix seconds or \
                           milliseconds are";
    if let Ok(number) = text.parse::<f64>() {
        return from_number(number);
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp::from_millis(moment.as_millisecond()));
    }
    let local: DateTime = text.parse().map_err(|_| UNKNOWN)?;
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let outside = |_| "is outside the years that can be told";
    let millis = |moment: jiff::Timestamp| Timestamp::from_millis(moment.as_millisecond());
    let first = millis(ambiguous.compatible().map_err(outside)?);
    if after.is_some_and(|above| first < above) {
        return Ok(millis(ambiguous.later().map_err(outside)?));
    }
    Ok(first)
}

fn from_number(number: f64) -> Result<Timestamp, &'static str> {
    let size = number.abs();
    if size < SECONDS_BELOW {
        Ok(Timestamp::from_millis((number * 1000.0).round() as i64))
    } else if size < MILLIS_BELOW {
        Ok(Timestamp::from_millis(number.round() as i64))
    } else {
        Err("is too large for Unix seconds or milliseconds")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utc(text: &str) -> Result<i64, &'static str> {
        parse(text, &TimeZone::UTC, None).map(Timestamp::as_millis)
    }

    #[test]
    fn the_forms_of_one_moment() {
        for text in [
            "2024-03-01T12:00:00Z",
            "2024-03-01T13:00:00+01:00",
            "2024-03-01 12:00:00+00:00",
            "2024-03-01 12:00:00",
            "2024-03-01T12:00:00",
            "2024-03-01T12:00:00.000Z",
            "1709294400",
            "1709294400.0",
            "1.7092944e9",
            "1709294400000",
        ] {
            assert_eq!(utc(text), Ok(1_709_294_400_000), "{text}");
        }
        assert_eq!(utc("2024-03-01"), Ok(1_709_251_200_000));
        assert_eq!(utc("1709294400.25"), Ok(1_709_294_400_250));
        assert_eq!(utc("2024-03-01 12:00:00.5"), Ok(1_709_294_400_500));
        assert_eq!(utc("0"), Ok(0));
        assert_eq!(utc("-60"), Ok(-60_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["", "noon", "NaN", "inf", "2024-13-01 00:00:00", "12:00:00", "1709294400000000"]
        {
            assert!(utc(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_repeated_hour_goes_on_rather_than_back() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let first = parse("2024-10-27 02:30:00", &berlin, None).unwrap();
        assert_eq!(first.as_millis(), 1_729_989_000_000);
        let above = parse("2024-10-27 02:59:00", &berlin, Some(first)).unwrap();
        let second = parse("2024-10-27 02:30:00", &berlin, Some(above)).unwrap();
        assert_eq!(second.since(first).as_millis(), 3_600_000);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-0-9TZ:+. e/a]{0,30}") {
            let _ = utc(&text);
        }
    }
}
