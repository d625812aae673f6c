//! Times in seconds since 1970, and days as `YYYY-MM-DD`, which sort as text.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::Date;

/// The present time, in seconds since 1970.
pub(crate) fn now() -> i64 {
    now_ms() / 1000
}

/// The present time, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as i64)
}

/// The day, in UTC, of a time in seconds since 1970-01-01; the last day there is for times beyond it.
pub(crate) fn day_of(seconds: i64) -> String {
    timestamp(seconds).strftime("%Y-%m-%d").to_string()
}

/// As [`day_of`], with the time of day.
pub(crate) fn second_of(seconds: i64) -> String {
    timestamp(seconds).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

/// Whether `text` is a day that exists, written as `YYYY-MM-DD`.
pub(crate) fn is_day(text: &str) -> bool {
    // The parser takes other ways to write a day, too.
    Date::strptime("%Y-%m-%d", text).is_ok_and(|day| day.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        // `date -u -d @SECONDS +%F`
        let days = [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_767_225_599, "2025-12-31"),
            (4_107_542_400, "2100-03-01"),
            (-1, "1969-12-31"),
        ];
        for (seconds, day) in days {
            assert_eq!(day_of(seconds), day);
            assert!(is_day(day));
        }
        assert_eq!(second_of(951_782_399), "2000-02-28 23:59:59 UTC");
        assert_eq!(day_of(i64::MAX), "9999-12-30");
    }

    #[test]
    fn what_is_no_day_is_none() {
        for text in [
            "",
            "2030",
            "2030-1-1",
            "2030-13-01",
            "2030-02-29",
            "2030-04-31",
            "soon-ok-no",
            "+030-01-01",
        ] {
            assert!(!is_day(text), "{text}");
        }
    }
}
