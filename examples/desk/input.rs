//! Reading lines of bounded length, and instants from numbers of seconds.

use presence_core::Instant;
use presence_core::graph::Line;
use std::io::{self, BufRead};

/// Reads the next line into `line`, without its line end, and reports whether there was one.
///
/// Of a line that is too long, it stores only enough to detect that.
pub(crate) fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    // A carriage return belongs to the line end.
    const KEPT: usize = Line::MAX_LEN + 2;
    line.clear();
    let mut any = false;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        any |= !chunk.is_empty();
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let content = &chunk[..end.unwrap_or(chunk.len())];
        line.extend_from_slice(&content[..content.len().min(KEPT - line.len())]);
        let (used, is_last) = (content.len() + usize::from(end.is_some()), end.is_some() || chunk.is_empty());
        input.consume(used);
        if is_last {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(any);
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
