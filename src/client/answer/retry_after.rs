//! The header `Retry-After`.

use super::failure::ErrorAnswer;
use super::read::parse_seconds;
use crate::graph::{days_of_month, number, number_after, seconds_before};
use crate::time::Duration;

impl ErrorAnswer<'_> {
    /// Reads the header `Retry-After`: a number of seconds, or a date, which needs the header `Date` of the same answer.
    ///
    /// The time to wait is the difference of the two dates, so that it takes no clock, and nothing is wrong if the server's is.
    /// A date in the past is no time to wait. A date alone, or one of the two forms that [RFC 9110] calls obsolete, is read as no
    /// header: the client waits as long as after any other failure.
    ///
    /// ```
    /// use presence_core::Duration;
    /// use presence_core::client::ErrorAnswer;
    ///
    /// assert_eq!(ErrorAnswer::parse_retry_after("30", None), Some(Duration::from_secs(30)));
    /// let (header, date) = ("Mon, 30 Nov 2026 00:01:30 GMT", "Sun, 29 Nov 2026 23:59:00 GMT");
    /// assert_eq!(ErrorAnswer::parse_retry_after(header, Some(date)), Some(Duration::from_secs(150)));
    /// ```
    ///
    /// [RFC 9110]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
    #[must_use]
    pub fn parse_retry_after(header: &str, date: Option<&str>) -> Option<Duration> {
        let header = header.trim_ascii();
        if let Some(seconds) = parse_seconds(header) {
            return Some(seconds);
        }
        let (end, now) = (seconds(header)?, seconds(date?.trim_ascii())?);
        Some(Duration::from_secs(end.saturating_sub(now)))
    }
}

const MONTHS: [&[u8; 5]; 12] = [
    b" Jan ", b" Feb ", b" Mar ", b" Apr ", b" May ", b" Jun ", b" Jul ", b" Aug ", b" Sep ", b" Oct ", b" Nov ",
    b" Dec ",
];

/// Reads a date such as `Sun, 06 Nov 1994 08:49:37 GMT`, in seconds since the year 1 began.
fn seconds(date: &str) -> Option<u64> {
    // The day of the week follows from the rest.
    let [_, _, _, b',', b' ', rest @ ..] = date.as_bytes() else { return None };
    let mut rest = rest;
    let day = number(&mut rest, 2)?;
    let (name, others) = rest.split_first_chunk()?;
    rest = others;
    let month = (1..).zip(MONTHS).find_map(|(month, other)| (name == other).then_some(month))?;
    let year = number(&mut rest, 4)?;
    let hour = number_after(&mut rest, b' ', 2)?;
    let minute = number_after(&mut rest, b':', 2)?;
    let second = number_after(&mut rest, b':', 2)?;
    // A minute may have a leap second.
    let exists = year > 0
        && (1..=days_of_month(year.into(), month)).contains(&day.into())
        && hour < 24
        && minute < 60
        && second <= 60
        && rest == b" GMT";
    exists.then(|| seconds_before([year, month.into(), day], [hour, minute, second]))
}
