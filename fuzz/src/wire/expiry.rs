//! When a status message ends, read once more: JSON by serde_json, dates by a naive reader. Rule T1.

use super::tree::Tree;
use super::users::EPOCH;
use presence_core::Instant;
use presence_core::graph::{Context, DetailsAction, Error, Field, Request};
use support::model::date_time::{naive, unix_millis};

/// The longest text with escapes that is decoded, in bytes.
const LONGEST: usize = 128;
const EIGHT_HOURS: u64 = 8 * 3_600_000;

/// Returns the Unix time, in milliseconds, of an expiry, or the field at fault.
fn unix(expiry: &Tree, context: &Context<'_>) -> Result<u64, Field> {
    let date_time = expiry.member("dateTime").and_then(Tree::text).unwrap_or_default();
    let (local, offset) = naive(date_time).ok_or(Field::DateTime)?;
    let zone = match expiry.member("timeZone") {
        None => "utc".to_owned(),
        Some(Tree::Text(zone)) => zone.to_ascii_lowercase(),
        Some(_) => return Err(Field::TimeZone),
    };
    if context.environment.is_none() {
        return Err(Field::ExpiryDateTime);
    }
    match (offset, zone.as_str()) {
        (Some(offset), _) => Ok(unix_millis(local, offset)),
        (None, "utc" | "etc/utc" | "gmt" | "etc/gmt" | "tzone://microsoft/utc") => Ok(unix_millis(local, 0)),
        (None, _) if expiry.member("timeZone").and_then(Tree::text) == Some("Pacific Standard Time") => {
            Ok(unix_millis(local, 0) + EIGHT_HOURS)
        }
        (None, _) => Err(Field::TimeZone),
    }
}

/// Checks when the status message of a request's body ends, or why it was rejected, if it was for its expiry.
pub fn assert_ends(body: &Tree, context: &Context<'_>, outcome: &Result<Request<'_>, Error>) {
    let status = body.member("statusMessage");
    let expiry = status.and_then(|status| status.member("expiryDateTime"));
    let is_long = |name| expiry.and_then(|expiry| expiry.member(name)?.text()).is_some_and(|text| text.len() > LONGEST);
    if is_long("dateTime") || is_long("timeZone") {
        return;
    }
    let expected = expiry.map_or(Ok(u64::MAX), |expiry| unix(expiry, context).map(|unix| unix.saturating_sub(EPOCH)));
    match outcome {
        Ok(Request::ExecuteDetails { action: DetailsAction::SetStatusMessage { content, expires_at }, .. }) => {
            assert_eq!(Ok(*expires_at), expected.map(Instant::from_millis), "{body:?}");
            let message = status.and_then(|status| status.member("message"));
            let text = message.and_then(|message| message.member("content"));
            assert_eq!(content.is_some(), text.is_some(), "{body:?}");
        }
        Err(Error::Malformed(field @ (Field::DateTime | Field::TimeZone))) => {
            assert_eq!(expected, Err(*field), "{body:?}");
        }
        // Also an expiry that is no object.
        Err(Error::Malformed(Field::ExpiryDateTime)) if matches!(expiry, Some(Tree::Object(_))) => {
            assert_eq!(expected, Err(Field::ExpiryDateTime), "{body:?}");
        }
        _ => {}
    }
}
