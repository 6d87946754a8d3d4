//! Durations as text: ISO 8601 day-time durations, whole weeks, and the form of Python's `timedelta`.

use super::{Duration, DurationRange, divide};

#[cfg(test)]
mod tests;

/// The length of the longest text that is read as a duration, in bytes.
const MAX_TEXT: usize = 32;

/// The error for a text that is not a duration.
///
/// A duration is `PnDTnHnMn.nS`, `PnW` or `n days, h:mm:ss.f`, in at most 32 bytes ([H4](crate::rules#h4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ParseDurationError;

impl core::fmt::Display for ParseDurationError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not a duration")
    }
}

impl core::error::Error for ParseDurationError {}

/// A duration exactly as it was written, with its sign.
///
/// It is compared with a range before it is cut to whole milliseconds, so that no rounding helps a duration into the range.
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
/// assert_eq!(IsoDuration::parse("P1W"), IsoDuration::parse("P7D"));
/// assert!(IsoDuration::parse("P1M").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IsoDuration {
    negative: bool,
    /// The magnitude, cut to whole milliseconds; `Duration::MAX` if it does not fit.
    whole: Duration,
    /// True if something was cut off.
    finer: bool,
}

impl IsoDuration {
    /// Reads an ISO 8601 day-time duration, whole weeks, or what Python's `timedelta` prints ([H4](crate::rules#h4)).
    ///
    /// The first is an optional sign, `P`, `nD`, `T`, `nH`, `nM`, `n.fS`, with at least one part; the second an optional sign and
    /// `PnW` alone; the third `h:mm:ss.f` or `n days, h:mm:ss.f`.
    ///
    /// # Errors
    ///
    /// [`ParseDurationError`] for any other text, or more than 32 bytes. A duration too large to hold is no error: it is
    /// [within](Self::within) no range.
    pub fn parse(text: &str) -> Result<Self, ParseDurationError> {
        if text.len() > MAX_TEXT {
            return Err(ParseDurationError);
        }
        let mut parser = Parser::new(text);
        let is_negative = parser.accept(b'-');
        let _sign = is_negative || parser.accept(b'+');
        let is_read = if parser.accept(b'P') {
            parser.total.negative = is_negative;
            parser.day_time()
        } else {
            parser.rest = text.as_bytes();
            parser.timedelta()
        };
        if is_read && parser.is_at_end() { Ok(parser.total) } else { Err(ParseDurationError) }
    }

    /// Returns whole milliseconds if the duration, exactly as written, is within the range; `None` otherwise.
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

    /// Returns the magnitude, cut to whole milliseconds. Saturates at [`Duration::MAX`].
    #[must_use]
    pub const fn magnitude(self) -> Duration {
        self.whole
    }

    /// Reports whether the duration was written with a minus sign.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.negative
    }
}

/// Returns the product, if it fits. In halves: a checked 64-bit multiplication costs a small device 250 bytes.
fn scaled(number: u64, factor: u32) -> Option<u64> {
    let product = |half: u32| u64::from(half).saturating_mul(factor.into());
    let upper = u32::try_from(product((number >> 32) as u32)).ok()?;
    product(number as u32).checked_add(u64::from(upper) << 32)
}

// Units in milliseconds.
const SECOND: u32 = 1000;
const MINUTE: u32 = 60 * SECOND;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;

/// A decimal number: its whole part saturates, of its fraction three digits are kept.
#[derive(Clone, Copy)]
struct Number {
    whole: u64,
    /// The number of digits before the point.
    digits: u16,
    millis: u16,
    finer: bool,
    is_fraction: bool,
}

impl Number {
    const ZERO: Self = Self { whole: 0, digits: 0, millis: 0, finer: false, is_fraction: false };

    /// Appends a digit of the fraction, of which the first three count.
    fn push_decimal(&mut self, index: u8, digit: u8) {
        if index < 3 {
            self.millis = self.millis.saturating_mul(10).saturating_add(digit.into());
        } else {
            self.finer |= digit != 0;
        }
    }
}

/// A reader of a duration, part by part.
struct Parser<'a> {
    rest: &'a [u8],
    /// The latest number.
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

    /// Consumes this byte if it comes next, and reports whether it did.
    // Inlined at its many calls it would cost flash.
    #[inline(never)]
    fn accept(&mut self, expected: u8) -> bool {
        match self.rest {
            [byte, rest @ ..] if *byte == expected => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Consumes these bytes, and reports whether all of them came. If not, the text is no duration, so nothing is put back.
    fn accept_all(&mut self, expected: &[u8]) -> bool {
        expected.iter().all(|byte| self.accept(*byte))
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

    /// Reads a number; false without a digit before the point, or after it.
    fn number(&mut self) -> bool {
        let mut number = Number::ZERO;
        while let Some(digit) = self.digit() {
            number.whole = scaled(number.whole, 10).unwrap_or(u64::MAX).saturating_add(digit.into());
            number.digits = number.digits.saturating_add(1);
        }
        let mut is_number = number.digits > 0;
        if is_number && self.accept(b'.') {
            number.is_fraction = true;
            let mut decimals = 0u8;
            while let Some(digit) = self.digit() {
                number.push_decimal(decimals, digit);
                decimals = decimals.saturating_add(1);
            }
            is_number = decimals > 0;
            for index in decimals..3 {
                number.push_decimal(index, 0);
            }
        }
        self.part = number;
        is_number
    }

    /// Adds the latest number, in units of so many milliseconds.
    fn add(&mut self, unit: u32) {
        let (total, part) = (&mut self.total, &self.part);
        total.finer |= part.finer;
        let millis = scaled(part.whole, unit).and_then(|millis| millis.checked_add(part.millis.into()));
        // What does not fit is the largest duration, and a little more.
        total.whole.0 = millis.and_then(|millis| total.whole.0.checked_add(millis)).unwrap_or_else(|| {
            total.finer = true;
            u64::MAX
        });
    }

    /// Reads the rest after `P`.
    fn day_time(&mut self) -> bool {
        let has_days = self.number();
        // Also one that ended behind its point.
        if self.part.is_fraction {
            return false;
        }
        if has_days {
            // Weeks stand alone: what follows them is left over.
            if self.accept(b'W') {
                self.add(WEEK);
                return true;
            }
            if !self.accept(b'D') {
                return false;
            }
            self.add(DAY);
            if self.is_at_end() {
                return true;
            }
        }
        if !self.accept(b'T') || self.is_at_end() {
            return false;
        }
        let mut units: &[(u8, u32)] = &[(b'H', HOUR), (b'M', MINUTE), (b'S', SECOND)];
        while !self.is_at_end() {
            if !self.number() {
                return false;
            }
            // Units come in order: one that was passed over, or read, cannot follow.
            while let [(letter, unit), after @ ..] = units {
                units = after;
                if self.accept(*letter) {
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

    /// Reads the text of Python's `datetime.timedelta`: `1:00:00`, `0:05:30.5`, `1 day, 2:00:00`, `-1 day, 23:00:00`.
    fn timedelta(&mut self) -> bool {
        let is_negative = self.accept(b'-');
        if !self.number() {
            return false;
        }
        let mut days = 0;
        if self.accept(b' ') {
            days = self.part.whole;
            if self.part.is_fraction || !self.accept_all(b"day") {
                return false;
            }
            let _plural = self.accept(b's');
            if !self.accept_all(b", ") || !self.number() {
                return false;
            }
        } else if is_negative {
            // Only days are negative.
            return false;
        }
        for (unit, end) in [(HOUR, 24), (MINUTE, 60), (SECOND, 60)] {
            let is_first = unit == HOUR;
            if !(is_first || self.accept(b':') && self.number()) {
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

impl core::str::FromStr for IsoDuration {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, ParseDurationError> {
        Self::parse(text)
    }
}

impl From<Duration> for IsoDuration {
    fn from(duration: Duration) -> Self {
        Self { negative: false, whole: duration, finer: false }
    }
}

impl core::str::FromStr for Duration {
    type Err = ParseDurationError;

    /// Reads the texts that [`IsoDuration::parse`] reads, and cuts off anything finer than a millisecond.
    ///
    /// A negative duration, or one longer than [`Duration::MAX`], is an error.
    fn from_str(text: &str) -> Result<Self, ParseDurationError> {
        IsoDuration::parse(text)?
            .within(DurationRange { shortest: Self::ZERO, longest: Self::MAX })
            .ok_or(ParseDurationError)
    }
}

impl core::fmt::Display for Duration {
    /// Writes the shortest ISO 8601 text with days, hours, minutes and seconds: `P1DT2H`, `PT5M`, `PT0.5S`, `PT0S`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(core::str::from_utf8(&self.to_text()).unwrap_or_default())
    }
}

impl Duration {
    /// Returns the text that is displayed, made without formatting, which would link kilobytes into a small device.
    pub(crate) fn to_text(self) -> Text {
        let (seconds, millis) = divide::<1000>(self.0);
        let (minutes, second) = divide::<60>(seconds);
        let (hours, minute) = divide::<60>(minutes);
        let (days, hour) = divide::<24>(hours);
        let has_seconds = second > 0 || millis > 0 || self.is_zero();
        let mut text = Text::new();
        push(&mut text, b'P');
        push_part(&mut text, days, b'D');
        if hour > 0 || minute > 0 || has_seconds {
            push(&mut text, b'T');
        }
        push_part(&mut text, hour.into(), b'H');
        push_part(&mut text, minute.into(), b'M');
        if has_seconds {
            push_number(&mut text, second.into());
            push_fraction(&mut text, millis);
            push(&mut text, b'S');
        }
        text
    }
}

/// The text of a duration.
type Text = heapless::Vec<u8, MAX_TEXT>;

/// Appends a byte: the longest text, that of [`Duration::MAX`], leaves room.
fn push(text: &mut Text, byte: u8) {
    let _ = text.push(byte);
}

/// Appends a number and its unit, unless it is zero.
fn push_part(text: &mut Text, count: u64, unit: u8) {
    if count > 0 {
        push_number(text, count);
        push(text, unit);
    }
}

fn push_number(text: &mut Text, number: u64) {
    // As many as the most days have.
    let mut digits = [b'0'; 12];
    let mut rest = number;
    for place in digits.iter_mut().rev() {
        let (tens, digit) = divide::<10>(rest);
        *place = b'0'.saturating_add(digit as u8);
        rest = tens;
    }
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count().min(digits.len().saturating_sub(1));
    let _ = text.extend_from_slice(digits.get(zeros..).unwrap_or_default());
}

/// Appends thousandths, without zeros at the end.
fn push_fraction(text: &mut Text, millis: u32) {
    if millis > 0 {
        push(text, b'.');
    }
    let mut rest = millis;
    while rest > 0 {
        push(text, b'0'.saturating_add((rest / 100) as u8));
        rest = (rest % 100).saturating_mul(10);
    }
}
