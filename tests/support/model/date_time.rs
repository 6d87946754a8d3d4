//! A second, naive reader of a status message's expiry. Rule T1.

use jiff::civil::DateTime;

/// The last millisecond of the year 9999, in Unix time.
const LAST: i128 = 253_402_300_799_999;

fn number(digits: &str, length: usize) -> Option<i32> {
    let is_number = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().expect("few digits"))
}

/// Minutes ahead of UTC: `Z`, `+01:00`, `+0100`, `+01`.
fn offset(text: &str) -> Option<i32> {
    if text.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() == 2 => (digits, "00"),
        None => digits.split_at_checked(2)?,
    };
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some(sign * (60 * hours + minutes))
}

/// Reads a `dateTime`: the local time in whole milliseconds, and the offset behind it.
pub fn naive(text: &str) -> Option<(DateTime, Option<i32>)> {
    let (date, time) = text.split_once(['T', 't'])?;
    let [year, month, day] = date.split('-').collect::<Vec<_>>().try_into().ok()?;
    let end = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (time, rest) = time.split_at(end);
    let offset = if rest.is_empty() { None } else { Some(offset(rest)?) };
    let (hour, minute, second) = match time.split(':').collect::<Vec<_>>()[..] {
        [hour, minute] => (hour, minute, "00"),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis = number(format!("{fraction:0<3}").get(..3)?, 3)?;
    let [year, month, day] = [number(year, 4)?, number(month, 2)?, number(day, 2)?];
    let [hour, minute, second] = [hour, minute, second].map(|digits| number(digits, 2));
    let local = DateTime::new(
        year as i16,
        month as i8,
        day as i8,
        hour? as i8,
        minute? as i8,
        second? as i8,
        millis * 1_000_000,
    );
    local.ok().filter(|_| year > 0).map(|local| (local, offset))
}

/// Returns the Unix time, in milliseconds, of a local time with an offset: within 1970 to 9999.
pub fn unix_millis(local: DateTime, offset: i32) -> u64 {
    let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    let millis = local.duration_since(epoch).as_millis() - i128::from(offset) * 60_000;
    millis.clamp(0, LAST) as u64
}
