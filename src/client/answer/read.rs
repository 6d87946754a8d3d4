//! Members of answers, by name.

use super::error::AnswerError;
use crate::graph::json::{Value, without_mark};
use crate::time::Duration;

/// Validates the text of an answer: an object, behind a byte order mark or not.
pub(super) fn object(body: &[u8]) -> Result<Value<'_>, AnswerError> {
    let value = Value::parse(without_mark(body))?;
    if value.is_object() { Ok(value) } else { Err(AnswerError::NotAnObject) }
}

/// Returns a member; `None` if it is missing or null.
pub(super) fn member<'a>(object: Value<'a>, name: &'static str) -> Result<Option<Value<'a>>, AnswerError> {
    object.member(name).map_err(|_| AnswerError::Duplicate(name))
}

/// Returns a member that is a string.
pub(super) fn string<'a>(object: Value<'a>, name: &'static str) -> Result<Option<Value<'a>>, AnswerError> {
    match member(object, name)? {
        Some(value) if !value.is_string() => Err(AnswerError::Malformed(name)),
        found => Ok(found),
    }
}

/// Returns a member that is an object.
#[cfg(feature = "details")]
pub(super) fn inner<'a>(object: Value<'a>, name: &'static str) -> Result<Option<Value<'a>>, AnswerError> {
    match member(object, name)? {
        Some(value) if !value.is_object() => Err(AnswerError::Malformed(name)),
        found => Ok(found),
    }
}

/// Returns a member that is an array.
#[cfg(feature = "batch")]
pub(super) fn array<'a>(object: Value<'a>, name: &'static str) -> Result<Value<'a>, AnswerError> {
    let value = member(object, name)?.ok_or(AnswerError::Missing(name))?;
    if value.is_array() { Ok(value) } else { Err(AnswerError::Malformed(name)) }
}

/// Returns a member that is a number of seconds, or the text of one, as some servers write it; parts of a second are cut off.
pub(super) fn seconds(object: Value<'_>, name: &'static str) -> Result<Option<Duration>, AnswerError> {
    let Some(value) = member(object, name)? else { return Ok(None) };
    let text = value.as_str();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    parse_seconds(text).map(Some).ok_or(AnswerError::Malformed(name))
}

/// Reads a number of seconds in decimal digits; a number too large to hold is the longest duration.
pub(super) fn parse_seconds(text: &str) -> Option<Duration> {
    let whole = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, fraction) = text.split_at_checked(whole)?;
    let is_fraction = |text: &[u8]| matches!(text, [b'.', digits @ ..] if digits.iter().all(u8::is_ascii_digit));
    if digits.is_empty() || !(fraction.is_empty() || is_fraction(fraction.as_bytes())) {
        return None;
    }
    let seconds = digits
        .bytes()
        .fold(0_u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit.wrapping_sub(b'0'))));
    Some(Duration::from_secs(seconds))
}
