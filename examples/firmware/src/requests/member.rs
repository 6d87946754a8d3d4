//! The members of a body: found, and read as what they must be.

use super::rejection::Rejection;
use core::ops::RangeInclusive;
use presence_core::graph::json::Value;
use presence_core::{Duration, DurationRange, IsoDuration};

/// The text of a member: longer than any name or duration.
pub(super) type Text = heapless::String<40>;

/// Returns a member; `None` if it is missing or null. `field` is its name in messages.
fn member<'a>(body: Option<Value<'a>>, name: &str, field: &'static str) -> Result<Option<Value<'a>>, Rejection> {
    body.map_or(Ok(None), |body| body.member(name)).map_err(|_| Rejection::Duplicate(field))
}

/// Returns a text. One that is longer than anything valid is not valid.
pub(super) fn text(body: Option<Value<'_>>, name: &str, field: &'static str) -> Result<Option<Text>, Rejection> {
    let Some(value) = member(body, name, field)? else { return Ok(None) };
    let mut buffer = [0; 40];
    let text = value.text(&mut buffer).ok().flatten();
    let text = text.and_then(|text| Text::try_from(text).ok()).ok_or(Rejection::Malformed(field))?;
    Ok(Some(text))
}

/// Returns a text that must be there.
pub(super) fn required_text(body: Option<Value<'_>>, name: &str, field: &'static str) -> Result<Text, Rejection> {
    text(body, name, field)?.ok_or(Rejection::Missing(field))
}

/// Returns a duration in a range, compared exactly as it was written.
pub(super) fn duration(
    body: Option<Value<'_>>,
    name: &str,
    field: &'static str,
    range: DurationRange,
) -> Result<Option<Duration>, Rejection> {
    let Some(text) = text(body, name, field)? else { return Ok(None) };
    let written = IsoDuration::parse(&text).map_err(|_| Rejection::Malformed(field))?;
    written.within(range).map(Some).ok_or(Rejection::OutOfRange(field))
}

/// Returns a whole number in a range. A number with a fraction or an exponent is no whole one, whatever its value.
pub(super) fn number(
    body: Option<Value<'_>>,
    name: &str,
    field: &'static str,
    range: RangeInclusive<u16>,
) -> Result<Option<u16>, Rejection> {
    let Some(value) = member(body, name, field)? else { return Ok(None) };
    let text = value.as_str();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(Rejection::Malformed(field));
    }
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.map(Some).ok_or(Rejection::OutOfRange(field))
}
