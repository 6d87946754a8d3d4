//! Durations as text, compared with a naive reader and with jiff, which reads ISO 8601 like Temporal. Rules H4, S2.

use jiff::fmt::temporal::SpanParser;
use presence_core::{Duration, DurationRange, IsoDuration};
use support::model::duration::{Exact, assert_read, iso_8601, naive};

/// Checks that any text is read as by the naive reader and, except for the listed differences, by jiff.
///
/// All three read back every duration that is written.
pub fn duration(data: &[u8]) {
    if let Some((millis, _)) = data.split_first_chunk() {
        round_trip(Duration::from_millis(u64::from_le_bytes(*millis)));
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert_read(text);
    match (IsoDuration::parse(text).ok(), theirs(text)) {
        (None, None) => {}
        (Some(ours), Some(theirs)) => {
            assert_eq!(u128::from(ours.magnitude().as_millis()), theirs.millis, "{text:?}");
            let any = DurationRange { shortest: Duration::ZERO, longest: Duration::MAX };
            let whole = DurationRange { shortest: ours.magnitude(), longest: ours.magnitude() };
            let is_negative = theirs.is_negative && (theirs.millis, theirs.is_finer) != (0, false);
            assert_eq!(ours.within(any).is_none(), is_negative, "{text:?}");
            assert_eq!(ours.within(whole).is_none(), is_negative || theirs.is_finer, "{text:?}");
        }
        (Some(_), None) => assert!(Ours::of(text).is_some(), "{text:?} is rejected by jiff"),
        (None, Some(_)) => assert!(Theirs::of(text).is_some(), "{text:?} is accepted by jiff"),
    }
}

/// Checks that a duration is written in the standard's notation and read back. Rule H4.
fn round_trip(duration: Duration) {
    let text = duration.to_string();
    let exact = Exact { is_negative: false, millis: duration.as_millis().into(), is_finer: false };
    let only = DurationRange { shortest: duration, longest: duration };
    assert_eq!(IsoDuration::parse(&text).ok().and_then(|read| read.within(only)), Some(duration), "{text}");
    assert_eq!((iso_8601(&text), naive(&text)), (Some(exact), Some(exact)), "{text}");
    assert!(theirs(&text) == Some(exact) || Ours::of(&text) == Some(Ours::Long), "{text}");
}

/// Reads a text with jiff: a day has 24 hours, and calendar units have no length.
fn theirs(text: &str) -> Option<Exact> {
    let span = SpanParser::new().parse_span(text).ok()?;
    let (calendar, weeks) = ((span.get_years(), span.get_months()), i128::from(span.get_weeks()));
    let hours = (weeks * 7 + i128::from(span.get_days())) * 24 + i128::from(span.get_hours());
    let seconds = (hours * 60 + i128::from(span.get_minutes())) * 60 + i128::from(span.get_seconds());
    let micros = (seconds * 1000 + i128::from(span.get_milliseconds())) * 1000 + i128::from(span.get_microseconds());
    let nanos = micros * 1000 + i128::from(span.get_nanoseconds());
    let is_finer = nanos % 1_000_000 != 0 || calendar != (0, 0);
    Some(Exact { is_negative: nanos < 0, millis: nanos.unsigned_abs() / 1_000_000, is_finer })
}

/// A text that the library reads and jiff does not.
#[derive(Debug, PartialEq)]
enum Ours {
    /// Python's `timedelta`: `1 day, 2:00:00`.
    Timedelta,
    /// Longer than jiff's spans, 19,998 years.
    Long,
    /// More than nine digits of a fraction.
    Fine,
    /// More than so many digits of a number, most of them zeros.
    Zeros,
}

impl Ours {
    fn of(text: &str) -> Option<Self> {
        if text.contains(':') {
            return Some(Self::Timedelta);
        }
        if text.split_once('.').is_some_and(|(_, fraction)| fraction.len() > "123456789S".len()) {
            return Some(Self::Fine);
        }
        let numbers = text.split(|byte: char| !byte.is_ascii_digit());
        let most =
            [('W', 1_043_497), ('D', 7_304_484), ('H', 175_307_616), ('M', 10_518_456_960), ('S', 631_107_417_600)];
        let mut parts =
            numbers.filter(|number| !number.is_empty()).zip(text.chars().filter(|one| "WDHMS".contains(*one)));
        let is_too_long = |(number, letter): (&str, char)| {
            let (_, most) = most.into_iter().find(|(unit, _)| *unit == letter).expect("one of five");
            number.parse::<u128>().expect("at most 32 digits") > most
        };
        if parts.any(is_too_long) {
            return Some(Self::Long);
        }
        text.split(|byte: char| !byte.is_ascii_digit()).any(|number| number.len() > 20).then_some(Self::Zeros)
    }
}

/// A text that jiff reads and the library does not.
#[derive(Debug, PartialEq)]
enum Theirs {
    /// More than 32 bytes.
    Long,
    /// `pt5m`
    LowerCase,
    /// `P1Y2M`, and weeks beside other parts: `P3W2D`.
    Calendar,
    /// `PT1,5S`
    Comma,
    /// `PT1.5H`
    FractionOfHours,
}

impl Theirs {
    fn of(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('T').unwrap_or((text, ""));
        if text.len() > 32 {
            Some(Self::Long)
        } else if text.contains(|byte: char| byte.is_ascii_lowercase()) {
            Some(Self::LowerCase)
        } else if date.contains(['Y', 'M']) || date.contains('W') && !text.ends_with('W') {
            Some(Self::Calendar)
        } else if text.contains(',') {
            Some(Self::Comma)
        } else if time.split_once('.').is_some_and(|(_, fraction)| fraction.ends_with(['H', 'M'])) {
            Some(Self::FractionOfHours)
        } else {
            None
        }
    }
}
