//! Dates and times of day, in the format of the wire.

use crate::graph::calendar::{days_before, days_of_month, number, number_after, seconds_before};

/// A date and a time of day, in any zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DateTime {
    /// The year, 1 to 9999.
    pub year: u16,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
    /// The hour, 0 to 23.
    pub hour: u8,
    /// The minute, 0 to 59.
    pub minute: u8,
    /// The second, 0 to 59.
    pub second: u8,
    /// The millisecond, 0 to 999.
    pub millisecond: u16,
}

const MILLIS_OF_DAY: u64 = 86_400_000;
const MILLIS_OF_MINUTE: i32 = 60_000;
const FIRST_YEAR: u32 = 1970;
/// The last millisecond of the year 9999, which is the last that can be written.
const LAST_MOMENT: u64 = 253_402_300_799_999;
/// From the beginning of the year 1 to that of 1970, by the calendar of today.
const BEFORE_1970: u64 = days_before(FIRST_YEAR) as u64 * MILLIS_OF_DAY;

impl DateTime {
    /// Parses `2026-11-24T17:05:33.2079781`, and the offset from UTC behind it, in minutes, if there is one.
    ///
    /// The offset is `Z`, `+01:00`, or as `strftime` writes it, `+0100`; `t` and `z` are letters of RFC 3339 as well.
    /// Seconds and their fraction may be missing. Digits after milliseconds are dropped.
    pub(crate) fn parse(text: &str) -> Option<(Self, Option<i16>)> {
        let mut rest = text.as_bytes();
        let year = number(&mut rest, 4)?;
        let month = number_after(&mut rest, b'-', 2)?;
        let day = number_after(&mut rest, b'-', 2)?;
        let hour = number_after(&mut rest, b'T', 2)?;
        let minute = number_after(&mut rest, b':', 2)?;
        let mut second = 0;
        let mut millisecond = 0;
        if rest.first() == Some(&b':') {
            second = number_after(&mut rest, b':', 2)?;
            millisecond = fraction(&mut rest)?;
        }
        let offset = offset(rest)?;
        let (month, day, hour) = (month as u8, day as u8, hour as u8);
        let exists = year > 0
            && (1..=12).contains(&month)
            && (1..=days_of_month(u32::from(year), month)).contains(&u32::from(day))
            && hour < 24
            && minute < 60
            && second < 60;
        let date_time = Self { year, month, day, hour, minute: minute as u8, second: second as u8, millisecond };
        exists.then_some((date_time, offset))
    }

    /// Returns the Unix time in milliseconds, as if this were UTC; 0 before 1970.
    #[must_use]
    pub fn to_unix_millis(self) -> u64 {
        self.since_year_1().saturating_sub(BEFORE_1970)
    }

    /// Returns the Unix time in milliseconds of a time that is so many minutes ahead of UTC.
    ///
    /// Instants before 1970 are 0, those after the year 9999 its last millisecond.
    pub(crate) fn to_unix_millis_at(self, offset: i16) -> u64 {
        let behind = i32::from(offset).saturating_neg().saturating_mul(MILLIS_OF_MINUTE);
        let utc = self.since_year_1().saturating_add_signed(behind.into());
        utc.saturating_sub(BEFORE_1970).min(LAST_MOMENT)
    }

    /// Returns the milliseconds since the year 1 began: before 1970 as well, an offset leads to another day.
    fn since_year_1(self) -> u64 {
        let Self { year, month, day, hour, minute, second, millisecond } = self;
        let seconds = seconds_before([year, month.into(), day.into()], [hour.into(), minute.into(), second.into()]);
        seconds.saturating_mul(1000).saturating_add(millisecond.into())
    }

    /// Converts Unix time in milliseconds to UTC; the last millisecond of the year 9999 for times after it.
    #[must_use]
    pub fn from_unix_millis(unix: u64) -> Self {
        let unix = unix.min(LAST_MOMENT);
        let mut days = (unix / MILLIS_OF_DAY) as u32;
        // At most seven years too early, because a year is a little shorter than 366 days.
        let mut year = FIRST_YEAR.saturating_add(days / 366);
        days = days.saturating_add(days_before(FIRST_YEAR));
        while days >= days_before(year.saturating_add(1)) {
            year = year.saturating_add(1);
        }
        days = days.saturating_sub(days_before(year));
        let mut month = 1;
        while days >= days_of_month(year, month) {
            days = days.saturating_sub(days_of_month(year, month));
            month = month.saturating_add(1);
        }
        let seconds = (unix % MILLIS_OF_DAY / 1000) as u32;
        Self {
            year: year as u16,
            month,
            day: days.saturating_add(1) as u8,
            hour: (seconds / 3600) as u8,
            minute: (seconds / 60 % 60) as u8,
            second: (seconds % 60) as u8,
            millisecond: (unix % 1000) as u16,
        }
    }
}

/// Reads the fraction of a second, if there is one, in milliseconds.
fn fraction(rest: &mut &[u8]) -> Option<u16> {
    let [b'.', digits @ ..] = *rest else { return Some(0) };
    let count = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    let (fraction, others) = digits.split_at_checked(count)?;
    *rest = others;
    if fraction.is_empty() {
        return None;
    }
    let mut worth = 100;
    let mut milliseconds = 0_u16;
    for digit in fraction.iter().take(3) {
        milliseconds = u16::from(digit.wrapping_sub(b'0')).saturating_mul(worth).saturating_add(milliseconds);
        worth /= 10;
    }
    Some(milliseconds)
}

/// Reads the rest of a text as an offset from UTC, in minutes; `None` in it where nothing is left.
fn offset(mut rest: &[u8]) -> Option<Option<i16>> {
    let is_west = match rest {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [b'+', ..] => false,
        [b'-', ..] => true,
        _ => return None,
    };
    let hours = number_after(&mut rest, if is_west { b'-' } else { b'+' }, 2)?;
    let minutes = match rest {
        [] => 0,
        [b':', ..] => number_after(&mut rest, b':', 2)?,
        _ => number(&mut rest, 2)?,
    };
    let exists = rest.is_empty() && hours < 24 && minutes < 60;
    let offset = i16::try_from(hours.saturating_mul(60).saturating_add(minutes)).ok().filter(|_| exists)?;
    Some(Some(if is_west { offset.saturating_neg() } else { offset }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(text: &str) -> Option<u64> {
        DateTime::parse(text).map(|(date_time, offset)| date_time.to_unix_millis_at(offset.unwrap_or(0)))
    }

    #[test]
    fn t1_known_moments() {
        for (text, expected) in [
            ("1970-01-01T00:00", 0),
            ("1970-01-01T00:00:00.0019999", 1),
            ("1969-12-31T23:59:59", 0),
            ("0001-01-01T00:00:00", 0),
            ("2000-02-29T12:00:00", 951_825_600_000),
            ("2022-10-18T17:05:33.2079781", 1_666_112_733_207),
            ("2026-11-24T17:05:33.2079781Z", 1_795_539_933_207),
            ("2038-01-19T03:14:08", 2_147_483_648_000),
            ("2100-03-01T00:00:00", 4_107_542_400_000),
            ("9999-12-31T23:59:59.999", 253_402_300_799_999),
        ] {
            assert_eq!(unix(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "2026-11-24",
            "2026-11-24 17:05",
            "2026-11-24T17",
            "2026-11-24T17:05:33.",
            "2026-11-24T17:05:33,2",
            "2026-11-24T17:05:60",
            "2026-11-24T17:60:00",
            "2026-11-24T24:00:00",
            "2026-11-31T00:00:00",
            "2026-02-29T00:00:00",
            "2100-02-29T00:00:00",
            "2026-13-01T00:00:00",
            "2026-00-01T00:00:00",
            "2026-01-00T00:00:00",
            "0000-01-01T00:00:00",
            "-026-01-01T00:00:00",
            "2026-1-1T00:00:00",
            "2026-11-24T17:05:33Zx",
            "2026-11-24T17:05:33ZZ",
            "2026-11-24T17:05:33 Z",
            "2026-11-24T17:05:33+",
            "2026-11-24T17:05:33+1",
            "2026-11-24T17:05:33+1:00",
            "2026-11-24T17:05:33+010",
            "2026-11-24T17:05:33+01:0",
            "2026-11-24T17:05:33+01:",
            "2026-11-24T17:05:33+24:00",
            "2026-11-24T17:05:33+01:60",
            "2026-11-24T17:05:33+01:00Z",
            "2026-11-24T17:05:33+01:00:00",
            "2026-11-24T17:05:33+01-00",
            "2026-11-24T17:05:33++1:00",
            "2026-11-24T17:05:33\u{2212}01:00",
            "2026-11-24T17:05:33UTC",
            "2026-11-24T17:05.5",
            "2026-11-24U17:05:33",
            "2026-02-30T10:00:00+01:00",
            "12026-11-24T17:05:33",
        ] {
            assert_eq!(unix(text), None, "{text}");
        }
    }

    #[test]
    fn t1_offsets_and_their_spellings() {
        let offset = |text| DateTime::parse(text).map(|(_, offset)| offset);
        for (text, expected) in [
            ("2026-11-24T17:05", None),
            ("2026-11-24t17:05:33", None),
            ("2026-11-24T17:05Z", Some(0)),
            ("2026-11-24t17:05:33.2z", Some(0)),
            ("2026-11-24T17:05:33.2+00:00", Some(0)),
            ("2026-11-24T17:05:33-00:00", Some(0)),
            ("2026-11-24T17:05+01:00", Some(60)),
            ("2026-11-24T17:05:33.2079781-03:30", Some(-210)),
            ("2026-11-24T17:05:33-0330", Some(-210)),
            ("2026-11-24T17:05:33+14", Some(840)),
            ("2026-11-24T17:05:33+23:59", Some(1439)),
            ("2026-11-24T17:05:33-23:59", Some(-1439)),
        ] {
            assert_eq!(offset(text), Some(expected), "{text}");
        }
        for (text, same) in [
            ("2026-11-24T18:05:33+01:00", "2026-11-24T17:05:33Z"),
            ("2026-11-24T13:35:33-03:30", "2026-11-24T17:05:33Z"),
            ("2024-02-29T23:59:00-00:01", "2024-03-01T00:00:00Z"),
            ("2025-03-01T00:00:00+00:01", "2025-02-28T23:59:00Z"),
            ("2027-01-01T12:00:00+14:00", "2026-12-31T22:00:00Z"),
            // Local times on the other side of 1970, of the year 1 and of 9999.
            ("1969-12-31T23:30:00-01:00", "1970-01-01T00:30:00Z"),
            ("1970-01-01T00:30:00+01:00", "1970-01-01T00:00:00Z"),
            ("0001-01-01T00:00:00+01:00", "1970-01-01T00:00:00Z"),
            ("9999-12-31T23:30:00-01:00", "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(unix(text), unix(same), "{text}");
        }
    }

    /// Every day of the first 400 years, after which the calendar repeats itself, and of the last 400.
    #[test]
    fn every_day_there_and_back() {
        for (first, last) in [(FIRST_YEAR, FIRST_YEAR + 400), (9600, 9999)] {
            let year = first as u16;
            let mut expected = DateTime { year, month: 1, day: 1, hour: 7, minute: 8, second: 9, millisecond: 10 };
            let of_day = expected.to_unix_millis() % MILLIS_OF_DAY;
            for day in days_before(first)..days_before(last + 1) {
                let unix = u64::from(day - days_before(FIRST_YEAR)) * MILLIS_OF_DAY + of_day;
                assert_eq!(DateTime::from_unix_millis(unix), expected);
                assert_eq!(expected.to_unix_millis(), unix);
                expected.day += 1;
                if u32::from(expected.day) > days_of_month(expected.year.into(), expected.month) {
                    (expected.day, expected.month) = (1, expected.month + 1);
                }
                if expected.month > 12 {
                    (expected.month, expected.year) = (1, expected.year + 1);
                }
            }
        }
        let last = DateTime { year: 9999, month: 12, day: 31, hour: 23, minute: 59, second: 59, millisecond: 999 };
        assert_eq!((DateTime::from_unix_millis(u64::MAX), last.to_unix_millis()), (last, LAST_MOMENT));
    }

    /// The fields are public: a month after the last one begins where the year ends.
    #[test]
    fn a_date_that_does_not_exist_is_some_moment() {
        let new_year = DateTime { year: 2027, month: 1, day: 1, hour: 0, minute: 0, second: 0, millisecond: 0 };
        for month in [13, 14, u8::MAX] {
            let date_time = DateTime { year: 2026, month, ..new_year };
            assert_eq!(date_time.to_unix_millis(), new_year.to_unix_millis());
        }
    }
}
