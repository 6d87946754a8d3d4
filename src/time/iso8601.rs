//! Durations as text: ISO 8601 day-time durations, and the way a typed Python client writes its own. Rule H4.

use super::{Duration, DurationRange};

/// The longest text that is read as a duration, in bytes.
const MAX_TEXT: usize = 32;

/// The text is not a duration: neither `PnDTnHnMn.nS` nor `n days, h:mm:ss.f`, or longer than 32 bytes. Rule H4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ParseDurationError;

impl core::fmt::Display for ParseDurationError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not a duration")
    }
}

impl core::error::Error for ParseDurationError {}

/// A duration exactly as it was written: signed, and fine enough to be compared with a range before it is cut to whole
/// milliseconds. Rules S2, H4.
///
/// ```
/// use presence_core::{Duration, DurationRange, IsoDuration};
///
/// let leases = DurationRange { shortest: Duration::from_mins(5), longest: Duration::from_hours(4) };
/// let within = |text| IsoDuration::parse(text).unwrap().within(leases);
/// assert_eq!(within("PT1H30M"), Some(Duration::from_mins(90)));
/// assert_eq!(within("1:30:00"), Some(Duration::from_mins(90)));
/// assert_eq!(within("PT5M0.0009S"), Some(Duration::from_mins(5)));
/// assert_eq!(within("PT4H0.0001S"), None);
/// assert_eq!(within("P999999999999999999D"), None);
/// assert!(IsoDuration::parse("P1W").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IsoDuration {
    negative: bool,
    /// The magnitude in whole milliseconds, cut; `Duration::MAX` when it does not fit.
    whole: Duration,
    /// Whether something was cut off.
    finer: bool,
}

impl IsoDuration {
    /// Reads a duration: an ISO 8601 day-time duration (optional sign, `P`, `nD`, `T`, `nH`, `nM`, `n.fS`, at least one
    /// part), or `h:mm:ss.f` and `n days, h:mm:ss.f` as Python's `timedelta` prints itself. Rule H4. O(bytes), at most 32.
    ///
    /// # Errors
    ///
    /// [`ParseDurationError`] for anything else. A duration too large to hold is none: it is read, and lies within no range.
    pub fn parse(text: &str) -> Result<Self, ParseDurationError> {
        if text.len() > MAX_TEXT {
            return Err(ParseDurationError);
        }
        let mut parser = Parser::new(text);
        let is_negative = parser.take(b'-');
        let _sign = is_negative || parser.take(b'+');
        let is_read = if parser.take(b'P') {
            parser.total.negative = is_negative;
            parser.day_time()
        } else {
            parser.rest = text.as_bytes();
            parser.timedelta()
        };
        if is_read && parser.is_at_end() { Ok(parser.total) } else { Err(ParseDurationError) }
    }

    /// This duration in whole milliseconds, if it lies, exactly as written, within the range. Rule S2. O(1).
    #[must_use]
    pub const fn within(self, range: DurationRange) -> Option<Duration> {
        let Some(rounded_up) = self.whole.0.checked_add(self.finer as u64) else { return None };
        let is_zero = rounded_up == 0;
        if (is_zero || !self.negative) && range.contains(self.whole) && range.contains(Duration(rounded_up)) {
            Some(self.whole)
        } else {
            None
        }
    }

    /// The magnitude in whole milliseconds, cut, and saturated at [`Duration::MAX`]. O(1).
    #[must_use]
    pub const fn magnitude(self) -> Duration {
        self.whole
    }

    /// Whether it was written with a minus sign. O(1).
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.negative
    }
}

/// The product, if it fits. In halves: a checked 64-bit multiplication is a quarter of a kilobyte on a small device.
fn scaled(number: u64, factor: u32) -> Option<u64> {
    let product = |half: u32| u64::from(half).saturating_mul(factor.into());
    let upper = u32::try_from(product((number >> 32) as u32)).ok()?;
    product(number as u32).checked_add(u64::from(upper) << 32)
}

/// Milliseconds.
const SECOND: u32 = 1000;
const MINUTE: u32 = 60 * SECOND;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;

/// A decimal number, saturating, with up to three digits of its fraction kept.
#[derive(Clone, Copy)]
struct Number {
    whole: u64,
    /// How many digits stand before the point.
    digits: u16,
    millis: u16,
    finer: bool,
    is_fraction: bool,
}

impl Number {
    const ZERO: Self = Self { whole: 0, digits: 0, millis: 0, finer: false, is_fraction: false };

    /// One digit more behind the point; only three count.
    fn push_decimal(&mut self, place: u8, digit: u8) {
        if place < 3 {
            self.millis = self.millis.saturating_mul(10).saturating_add(digit.into());
        } else {
            self.finer |= digit != 0;
        }
    }
}

/// Reads a duration part by part.
struct Parser<'a> {
    rest: &'a [u8],
    /// The number that was read last.
    part: Number,
    total: IsoDuration,
}

impl<'a> Parser<'a> {
    const fn new(text: &'a str) -> Self {
        let total = IsoDuration { negative: false, whole: Duration::ZERO, finer: false };
        Self { rest: text.as_bytes(), part: Number::ZERO, total }
    }

    const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes this byte, if it comes next. Never inlined: it is called at every turn.
    #[inline(never)]
    fn take(&mut self, expected: u8) -> bool {
        match self.rest {
            [byte, rest @ ..] if *byte == expected => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes these bytes, as far as they come: whoever does not find all has found nothing that is a duration.
    fn word(&mut self, expected: &[u8]) -> bool {
        expected.iter().all(|byte| self.take(*byte))
    }

    fn digit(&mut self) -> Option<u8> {
        match self.rest {
            [digit @ b'0'..=b'9', rest @ ..] => {
                self.rest = rest;
                Some(digit & 15)
            }
            _ => None,
        }
    }

    /// The number in front; false without a digit before the point, or without one after it.
    fn number(&mut self) -> bool {
        let mut number = Number::ZERO;
        while let Some(digit) = self.digit() {
            number.whole = scaled(number.whole, 10).unwrap_or(u64::MAX).saturating_add(digit.into());
            number.digits = number.digits.saturating_add(1);
        }
        let mut is_number = number.digits > 0;
        if is_number && self.take(b'.') {
            number.is_fraction = true;
            let mut decimals = 0u8;
            while let Some(digit) = self.digit() {
                number.push_decimal(decimals, digit);
                decimals = decimals.saturating_add(1);
            }
            is_number = decimals > 0;
            for place in decimals..3 {
                number.push_decimal(place, 0);
            }
        }
        self.part = number;
        is_number
    }

    /// Adds the number that was read last, of units of so many milliseconds.
    fn add(&mut self, unit: u32) {
        let (total, part) = (&mut self.total, &self.part);
        total.finer |= part.finer;
        let millis = scaled(part.whole, unit).and_then(|millis| millis.checked_add(part.millis.into()));
        // More than fits: the largest that does, and a little more.
        total.whole.0 = millis.and_then(|millis| total.whole.0.checked_add(millis)).unwrap_or_else(|| {
            total.finer = true;
            u64::MAX
        });
    }

    /// What follows the `P`.
    fn day_time(&mut self) -> bool {
        let has_days = self.number();
        // Also one that ended behind its point.
        if self.part.is_fraction {
            return false;
        }
        if has_days {
            if !self.take(b'D') {
                return false;
            }
            self.add(DAY);
            if self.is_at_end() {
                return true;
            }
        }
        if !self.take(b'T') || self.is_at_end() {
            return false;
        }
        let mut units: &[(u8, u32)] = &[(b'H', HOUR), (b'M', MINUTE), (b'S', SECOND)];
        while !self.is_at_end() {
            if !self.number() {
                return false;
            }
            // The units that were passed over, or had their turn, do not come any more.
            while let [(letter, unit), after @ ..] = units {
                units = after;
                if self.take(*letter) {
                    if self.part.is_fraction && *unit != SECOND {
                        return false;
                    }
                    self.add(*unit);
                    self.part.digits = 0;
                    break;
                }
            }
            // No unit took it.
            if self.part.digits > 0 {
                return false;
            }
        }
        true
    }

    /// `str(datetime.timedelta)`: `1:00:00`, `0:05:30.5`, `1 day, 2:00:00`, `-1 day, 23:00:00`.
    fn timedelta(&mut self) -> bool {
        let is_negative = self.take(b'-');
        if !self.number() {
            return false;
        }
        let mut days = 0;
        if self.take(b' ') {
            days = self.part.whole;
            if self.part.is_fraction || !self.word(b"day") {
                return false;
            }
            let _plural = self.take(b's');
            if !self.word(b", ") || !self.number() {
                return false;
            }
        } else if is_negative {
            // Only days are negative.
            return false;
        }
        for (unit, end) in [(HOUR, 24), (MINUTE, 60), (SECOND, 60)] {
            let is_first = unit == HOUR;
            if !(is_first || self.take(b':') && self.number()) {
                return false;
            }
            let digits = self.part.digits;
            if digits != 2 && !(is_first && digits == 1) {
                return false;
            }
            // Of two digits: nothing is truncated.
            if self.part.whole as u8 >= end || self.part.is_fraction && unit != SECOND {
                return false;
            }
            self.add(unit);
        }
        if is_negative && days > 0 {
            // Python's days go down where the time goes up: -1 day, 23:00:00 is an hour before zero.
            let cut = self.total.whole.0.saturating_add(self.total.finer.into());
            self.total.negative = true;
            match scaled(days, DAY) {
                Some(back) => self.total.whole.0 = back.saturating_sub(cut),
                None => (self.total.whole.0, self.total.finer) = (u64::MAX, true),
            }
        } else {
            self.part = Number { whole: days, ..Number::ZERO };
            self.add(DAY);
        }
        true
    }
}

/// ISO 8601, the shortest spelling with days, hours, minutes and seconds: `P1DT2H`, `PT5M`, `PT0.5S`, `PT0S`.
impl core::fmt::Display for Duration {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let whole = |unit: u32| self.0.checked_div(unit.into()).unwrap_or_default();
        let part = |unit: u32, next: u32| {
            whole(unit).checked_rem(next.checked_div(unit).unwrap_or(1).into()).unwrap_or_default()
        };
        let (days, hours, minutes, seconds) = (whole(DAY), part(HOUR, DAY), part(MINUTE, HOUR), part(SECOND, MINUTE));
        let rest = part(1, SECOND);
        f.write_str("P")?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        if (hours, minutes, seconds, rest) != (0, 0, 0, 0) || days == 0 {
            f.write_str("T")?;
        }
        for (count, letter) in [(hours, 'H'), (minutes, 'M')] {
            if count > 0 {
                write!(f, "{count}{letter}")?;
            }
        }
        match rest {
            0 if seconds > 0 || self.0 == 0 => write!(f, "{seconds}S"),
            0 => Ok(()),
            millis => {
                let (mut fraction, mut digits) = (millis, 3);
                while fraction % 10 == 0 {
                    fraction /= 10;
                    digits = usize::saturating_sub(digits, 1);
                }
                write!(f, "{seconds}.{fraction:0digits$}S")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    fn read(text: &str) -> Option<(bool, u64, bool)> {
        IsoDuration::parse(text).ok().map(|read| (read.negative, read.whole.0, read.finer))
    }

    #[test]
    fn h4_iso_8601_day_time() {
        for (text, millis) in [
            ("PT5M", 300_000),
            ("PT300S", 300_000),
            ("P0DT5M", 300_000),
            ("P1D", 86_400_000),
            ("P1DT1S", 86_401_000),
            ("PT1H2M3.045S", 3_723_045),
            ("+PT1S", 1_000),
            ("PT0.5S", 500),
            ("PT01H", 3_600_000),
            ("PT1H1S", 3_601_000),
        ] {
            assert_eq!(read(text), Some((false, millis, false)), "{text}");
        }
        assert_eq!(read("-PT1H"), Some((true, 3_600_000, false)));
        assert_eq!(read("PT0.0010009S"), Some((false, 1, true)));
        assert_eq!(read("P99999999999999999999999D"), Some((false, u64::MAX, true)));
        for text in [
            "",
            "P",
            "PT",
            "P1DT",
            "PTH",
            "PT1",
            "P1",
            "1HPT",
            "PT1X",
            "PT1M1H",
            "PT1H1H",
            "P1W",
            "P1M",
            "P1Y",
            "pt1h",
            "PT1h",
            "PT1,5S",
            "PT1.5M",
            "P1.5D",
            "PT.5S",
            "PT1.S",
            "--PT1S",
            "PT-1S",
            " PT1S",
            "PT1S ",
            "P1DT1D",
            "PT1S1S",
            "P1D1H",
            "PT000000000000000000000000000001S",
            "banana",
            "1h",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(IsoDuration::parse("PT00000000000000000000000000001S").is_ok(), "32 bytes");
    }

    #[test]
    fn h4_python_timedelta() {
        for (text, expected) in [
            ("1:00:00", (false, 3_600_000, false)),
            ("0:05:30.5", (false, 330_500, false)),
            ("0:00:05.500000", (false, 5_500, false)),
            ("1 day, 2:00:00", (false, 93_600_000, false)),
            ("3 days, 23:59:59", (false, 345_599_000, false)),
            ("-1 day, 23:00:00", (true, 3_600_000, false)),
            ("-0 days, 1:00:00", (false, 3_600_000, false)),
            ("-1 day, 23:59:59.999999", (true, 0, true)),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in [
            "1:00",
            "1:0:00",
            "1:00:0",
            "1:60:00",
            "1:00:60",
            "24:00:00",
            "1:00:000",
            "1:000:00",
            "-1:00:00",
            "+1:00:00",
            "1 day",
            "1 day,2:00:00",
            "1 dayss, 2:00:00",
            "1.5 day, 2:00:00",
            "1.5:00:00",
            "001:00:00",
            ":00:00",
            "1 day, 1 day, 2:00:00",
            "1:00:00.",
            "+1 day, 2:00:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for millis in [0, 1, 10, 500, 999, 1000, 1001, 60_000, 61_000, 3_600_000, 86_400_000, 90_061_007, u64::MAX] {
            let text = Duration(millis).to_string();
            assert_eq!(read(&text), Some((false, millis, false)), "{text}");
        }
        assert_eq!(Duration::from_days(1).to_string(), "P1D");
        assert_eq!(Duration::ZERO.to_string(), "PT0S");
    }
}
