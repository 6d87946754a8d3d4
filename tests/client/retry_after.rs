//! The header `Retry-After`: seconds, or a date beside the header `Date`. Rule F1.

use jiff::Timestamp;
use jiff::fmt::{StdFmtWrite, rfc2822::DateTimePrinter};
use presence_core::Duration;
use presence_core::client::ErrorAnswer;
use proptest::prelude::*;

/// The first second of the year 1, and the last of the year 9999, in Unix time.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_207_200;

fn date(unix: i64) -> String {
    let mut text = String::new();
    let timestamp = Timestamp::from_second(unix).unwrap();
    DateTimePrinter::new().print_timestamp_rfc9110(&timestamp, StdFmtWrite(&mut text)).unwrap();
    text
}

proptest! {
    #[test]
    fn f1_a_date_counts_from_the_date_of_the_answer(
        now in prop_oneof![FIRST..=LAST, 1_700_000_000_i64..1_900_000_000],
        wait in prop_oneof![-100_000_i64..100_000, -5_000_000_000_i64..5_000_000_000],
    ) {
        let end = (now + wait).clamp(FIRST, LAST);
        let expected = Duration::from_secs(u64::try_from(end - now).unwrap_or(0));
        prop_assert_eq!(ErrorAnswer::parse_retry_after(&date(end), Some(&date(now))), Some(expected));
        // Without the other date it says nothing; a number of seconds needs none.
        prop_assert_eq!(ErrorAnswer::parse_retry_after(&date(end), None), None);
        let seconds = wait.unsigned_abs();
        prop_assert_eq!(ErrorAnswer::parse_retry_after(&seconds.to_string(), Some(&date(now))), Some(Duration::from_secs(seconds)));
    }

    #[test]
    fn f1_what_is_no_date_is_no_time_to_wait(
        unix in FIRST..=LAST, position in any::<prop::sample::Index>(), byte in prop_oneof![Just(b' '), b'!'..=b'~'],
    ) {
        let good = date(unix);
        let mut bytes = good.clone().into_bytes();
        let position = position.index(bytes.len());
        bytes[position] = byte;
        let text = String::from_utf8(bytes).unwrap();
        // The day of the week is not read, for it follows from the rest. Another digit may be another date.
        if position >= 3 && !good.as_bytes()[position].is_ascii_digit() && good.as_bytes()[position] != byte {
            let month = (8..11).contains(&position);
            let read = ErrorAnswer::parse_retry_after(&text, Some(&good));
            prop_assert!(read.is_none() || month, "{}", text);
            prop_assert_eq!(ErrorAnswer::parse_retry_after(&good, Some(&text)).is_some(), read.is_some());
        }
        prop_assert_eq!(ErrorAnswer::parse_retry_after(&good[..position], Some(&good)), None);
        prop_assert_eq!(ErrorAnswer::parse_retry_after(&format!("{good}x"), Some(&good)), None);
    }
}

#[test]
fn f1_the_time_to_wait_is_a_number_of_seconds_or_a_date() {
    const NOW: &str = "Wed, 21 Oct 2026 07:28:00 GMT";
    for (header, expected) in [
        ("120", Some(120)),
        (" 0 ", Some(0)),
        ("1.9", Some(1)),
        ("1.", Some(1)),
        ("99999999999999999999999999", Some(u64::MAX)),
        ("Wed, 21 Oct 2026 07:28:30 GMT", Some(30)),
        (" Wed, 21 Oct 2026 07:29:60 GMT\t", Some(120)),
        ("Fri, 23 Oct 2026 00:00:00 GMT", Some(145_920)),
        ("Sat, 01 Jan 2028 00:00:00 GMT", Some(37_729_920)),
        (NOW, Some(0)),
        ("Wed, 21 Oct 2026 07:27:59 GMT", Some(0)),
        ("Thu, 21 Oct 2027 07:28:00 UTC", None),
        ("Thu, 29 Feb 2027 07:28:00 GMT", None),
        ("Tue, 00 Dec 2027 07:28:00 GMT", None),
        ("Tue, 31 Nov 2027 07:28:00 GMT", None),
        ("Tue, 30 nov 2027 07:28:00 GMT", None),
        ("Tue, 30 Nov 2027 24:28:00 GMT", None),
        ("Tue, 30 Nov 2027 07:60:00 GMT", None),
        ("Tue, 30 Nov 2027 07:28:61 GMT", None),
        ("Sat, 30 Nov 0000 07:28:00 GMT", None),
        ("Tue, 30 Nov 27 07:28:00 GMT", None),
        // The obsolete forms.
        ("Sunday, 06-Nov-94 08:49:37 GMT", None),
        ("Sun Nov  6 08:49:37 1994", None),
        ("-1", None),
        (".5", None),
        ("1.x", None),
        ("", None),
        ("é, 21 Oct 2026 07:28:30 GMT", None),
    ] {
        let read = ErrorAnswer::parse_retry_after(header, Some(NOW));
        assert_eq!(read, expected.map(Duration::from_secs), "{header:?}");
    }
}
