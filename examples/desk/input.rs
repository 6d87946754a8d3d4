//! Reading lines of bounded length, and instants from numbers of seconds.

use presence_core::Instant;
use presence_core::graph::Line;
use presence_core::lines::LineBuffer;
use std::io::{self, BufRead};

/// A line as long as the library takes it.
pub(crate) type DeskLine = LineBuffer<{ Line::MAX_LEN }>;

/// A reader of lines.
pub(crate) struct Lines<R, C> {
    input: R,
    /// The clock that tells how long the input was silent.
    clock: C,
    line: DeskLine,
    /// The time of the newest bytes.
    now: Instant,
}

impl<R: BufRead, C: FnMut() -> Instant> Lines<R, C> {
    pub(crate) const fn new(input: R, clock: C) -> Self {
        Self { input, clock, line: DeskLine::new(), now: Instant::ZERO }
    }

    /// Reads the next line; `None` at the end of the input, which also ends a line.
    pub(crate) fn next(&mut self) -> io::Result<Option<&DeskLine>> {
        let Self { input, clock, line, now } = self;
        loop {
            let chunk = match input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                return Ok(line.push(b'\n', *now).then_some(line));
            }
            *now = clock();
            let end = chunk.iter().position(|byte| line.push(*byte, *now));
            let used = end.map_or(chunk.len(), |end| end + 1);
            input.consume(used);
            if end.is_some() {
                return Ok(Some(line));
            }
        }
    }
}

/// Returns the instant so many seconds after the start, from a JSON number, cut to milliseconds.
///
/// `None` for a negative number, one that is too large, and anything else. Exact: it uses no floating point.
pub(crate) fn seconds(number: &str) -> Option<Instant> {
    serde_json::from_str::<serde_json::value::Number>(number).ok()?;
    let (is_negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.bytes().all(|digit| digit == b'0') {
        return Some(Instant::ZERO);
    }
    // The number of digits before the decimal point of the milliseconds.
    let exponent: i64 = exponent.parse().ok()?;
    let count = exponent.checked_add(i64::try_from(whole.len()).ok()?)?.checked_add(3)?;
    let Ok(count) = usize::try_from(count) else { return (!is_negative).then_some(Instant::ZERO) };
    let leading_zeros = digits.bytes().take_while(|&digit| digit == b'0').count();
    if is_negative || count > leading_zeros + 20 {
        return None;
    }
    let millis: String = digits.chars().chain(std::iter::repeat('0')).take(count).collect();
    if millis.is_empty() { Some(Instant::ZERO) } else { millis.parse().ok().map(Instant::from_millis) }
}
