//! Moments in time as RFC 3339 text in UTC, to the microsecond: `2026-05-14T09:30:00.000250Z`.
//!
//! One fixed form, written and read by two short functions, so that the core needs no calendar crate.
//! A program that works with dates takes jiff or time.

use std::fmt::Write;

const MICROS_A_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Appends the time that lies `micros` microseconds after 1970-01-01T00:00:00Z.
pub(crate) fn write(out: &mut String, micros: i64) {
    let (year, month, day) =
        civil_from_days(micros.div_euclid(MICROS_A_DAY));
    let of_day = micros.rem_euclid(MICROS_A_DAY);
    let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let (hour, minute, second) =
        (seconds / 3600, seconds / 60 % 60, seconds % 60);
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z"
    );
}

/// Microseconds after 1970-01-01T00:00:00Z; none when the text is not in the form that [`write`] gives.
/// The fraction may be missing or shorter.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let separators =
        [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let right_form = whole.len() == 19
        && separators
            .iter()
            .all(|&(at, byte)| whole.as_bytes()[at] == byte)
        && fraction.len() <= 6;
    if !right_form {
        return None;
    }
    let number = |digits: &str| -> Option<i64> {
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let part = |from: usize, to: usize| number(whole.get(from..to)?);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) =
        (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return None;
    }
    let fraction = number(&format!("{fraction:0<6}"))?;
    let seconds = hour * 3600 + minute * 60 + second;
    Some(
        days_from_civil(year, month, day) * MICROS_A_DAY
            + seconds * 1_000_000
            + fraction,
    )
}

/// Days since 1970-01-01 of a day of the Gregorian calendar.
///
/// Years begin in March, so that the leap day is a year's last: Howard Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms".
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4
        - year_of_era / 100
        + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The reverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460
        + day_of_era / 36_524
        - day_of_era / 146_096)
        / 365;
    let day_of_year = day_of_era
        - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(micros: i64) -> String {
        let mut out = String::new();
        write(&mut out, micros);
        out
    }

    #[test]
    fn known_days() {
        assert_eq!(text(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(
            text(951_782_400_000_000),
            "2000-02-29T00:00:00.000000Z"
        );
        assert_eq!(
            text(1_709_251_199_999_999),
            "2024-02-29T23:59:59.999999Z"
        );
        assert_eq!(
            parse("2024-02-29T23:59:59.5Z"),
            Some(1_709_251_199_500_000)
        );
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "Z",
            "2024-02-29 23:59:59Z",
            "2024-13-01T00:00:00Z",
            "2024-02-29T23:59:59+01:00",
            "2024-02-29T23:59:+9Z",
            "2024-02-29T23:59:59.1234567Z",
            "ééééééééé1Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(micros in 0_i64..253_402_300_799_999_999) {
            prop_assert_eq!(parse(&text(micros)), Some(micros));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = parse(&text);
        }
    }
}
