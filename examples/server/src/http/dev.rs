//! Requests for development, which need a development token.
//!
//! `POST /dev/advance?seconds=N` advances a virtual clock. `POST /dev/users/{id}/outOfOffice` sets what Graph takes from
//! mailboxes ([O1](../../../../docs/behaviour.md#o1)).

use super::App;
use super::account::Account;
use super::audit::{Act, Trail};
use super::body::is_too_large;
use super::dispatch::receive;
use super::response::{Ids, OperationName, RequestError, empty, json};
use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::{HeaderMap, Uri};
use presence_core::Duration;
use presence_core::graph::json::Value;
use presence_core::graph::{Error, Field};
use presence_engine::clock::date;
use presence_engine::shard::job::{Job, OwnedDetailsCommand};
use std::sync::Arc;
use tokio::sync::oneshot::channel;

/// Advances the clock. Responds when all due transitions are applied, and the clock is durable.
pub async fn advance(
    State(app): State<Arc<App>>,
    Extension(ids): Extension<Ids>,
    Extension(trail): Extension<Trail>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let response = match advance_clock(&app, &uri, &headers, &trail).await {
        Ok(body) => json(body.into_bytes()),
        Err(error) => error.response(&ids, &app.clock),
    };
    OperationName::attach("advance", response)
}

async fn advance_clock(app: &Arc<App>, uri: &Uri, headers: &HeaderMap, trail: &Trail) -> Result<String, RequestError> {
    let identity = app.identify(headers)?;
    if !app.clock.is_virtual() {
        return Err(Error::UnknownPath.into());
    }
    if !identity.is_trusted() {
        return Err(Error::MissingPermission.into());
    }
    let seconds = parse_seconds(uri.query().unwrap_or_default()).ok_or(Error::Malformed(Field::ExpirationDuration))?;
    trail.note(|| Act::new("advance", None));
    // A task of its own, because an advance that ends when the client hangs up would leave the shards at different times.
    let app = app.clone();
    let advanced = tokio::spawn(async move {
        let _guard = app.limits.advance.lock().await;
        let now = app.clock.now().saturating_add(seconds);
        let mut responses = Vec::new();
        for shard in 0..app.shards.len() {
            let (to, response) = channel();
            let mut job = Job::Advance(now, to);
            // A full queue empties soon.
            while let Err(rejected) = app.shards.try_send(shard, job) {
                job = rejected;
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            responses.push(response);
        }
        for response in responses {
            receive(response).await?;
        }
        app.clock.set(now);
        Ok(format!("{{\"now\":{},\"date\":\"{}\"}}", now.as_millis(), date(now)))
    });
    advanced.await.unwrap_or(Err(RequestError::Internal))
}

/// Sets a user's out-of-office settings from a body of `{"isOutOfOffice":true,"message":"…"}`.
pub async fn out_of_office(
    State(app): State<Arc<App>>,
    Extension(ids): Extension<Ids>,
    user: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let response = match set_out_of_office(&app, user.ok(), request).await {
        Ok(()) => empty(),
        Err(error) => error.response(&ids, &app.clock),
    };
    OperationName::attach("outOfOffice", response)
}

async fn set_out_of_office(app: &App, user: Option<Path<String>>, request: Request) -> Result<(), RequestError> {
    let (parts, mut body) = request.into_parts();
    if is_too_large(&parts.headers) {
        return Err(Error::TooLarge.into());
    }
    let identity = app.identify(&parts.headers)?;
    if !identity.is_trusted() {
        return Err(Error::MissingPermission.into());
    }
    let account = Account::from(&identity.caller);
    let body = app.read_body(account, &mut body, &parts.headers).await?;
    let user = user.and_then(|Path(id)| id.parse().ok()).ok_or(Error::Malformed(Field::User))?;
    // Decoded, a text is not longer than it was written.
    let _memory = app.reserve(account, body.bytes.len())?;
    let mut text = vec![0; body.bytes.len()];
    let (flag, message) = parse_out_of_office(&body.bytes, &mut text).ok_or(Error::NotAnObject)?;
    let command = OwnedDetailsCommand::SetOutOfOffice(flag, message);
    Trail::of(&parts.extensions).note(|| Act::new("outOfOffice", Some(user)));
    app.dispatch_details(user, command, app.clock.time().shift, None)?.receive().await.map(|_| ())
}

/// Parses the settings: whether a user is out of office, and the message, for which `text` has room.
fn parse_out_of_office(body: &[u8], text: &mut [u8]) -> Option<(bool, Option<String>)> {
    let value = Value::parse(body).ok()?;
    let is_out_of_office = value.member("isOutOfOffice").ok()??.as_bool()?;
    let message = match value.member("message").ok()? {
        Some(message) => Some(message.text(text).ok()??.to_owned()),
        None => None,
    };
    Some((is_out_of_office, message))
}

/// Parses `seconds=N` with up to three decimals.
fn parse_seconds(query: &str) -> Option<Duration> {
    let text = query.split('&').find_map(|pair| pair.strip_prefix("seconds="))?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 3 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let millis: u64 = format!("{fraction:0<3}").parse().ok()?;
    Some(Duration::from_millis(whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(millis)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_up_to_three_decimals() {
        assert_eq!(parse_seconds("seconds=300"), Some(Duration::from_secs(300)));
        assert_eq!(parse_seconds("x=1&seconds=0.25"), Some(Duration::from_millis(250)));
        assert_eq!(parse_seconds("seconds=0012.5&x"), Some(Duration::from_millis(12_500)));
        // Beyond the last number of milliseconds.
        let most = u64::MAX / 1000;
        let millis = u64::MAX % 1000;
        assert_eq!(parse_seconds(&format!("seconds={most}.{millis}")), Some(Duration::from_millis(u64::MAX)));
        assert_eq!(parse_seconds(&format!("seconds={most}.{}", millis + 1)), None);
        assert_eq!(parse_seconds(&format!("seconds={}", most + 1)), None);
        let none = [
            "",
            "seconds",
            "seconds=",
            "seconds=.",
            "seconds=.5",
            "seconds= 1",
            "seconds=1 ",
            "seconds=%31",
            "seconds=\0",
            "xseconds=1",
        ];
        let wrong =
            ["-1", "+1", "-012", "--1", "1.-2", "1.+2", "1e3", "0x1", "1.2345", "1.2.3", "1,5", "99999999999999999999"];
        let wrong = wrong.map(|number| format!("seconds={number}"));
        for query in none.into_iter().chain(wrong.iter().map(String::as_str)) {
            assert_eq!(parse_seconds(query), None, "{query}");
        }
    }
    /// As everywhere where JSON comes in: what is no JSON is rejected whole, wherever in the body it is.
    #[test]
    fn settings_are_whole_json() {
        let parse = |body: &str| parse_out_of_office(body.as_bytes(), &mut vec![0; body.len()]);
        let set = Some((true, Some("x".to_owned())));
        for number in ["0", "-0", "-12", "0.5", "1e5", "1E-2", "-0.0e+00", "123456789012345678901234567890"] {
            let body = format!(r#"{{"n":{number},"isOutOfOffice":true,"message":"x","m":[{number}]}}"#);
            assert_eq!(parse(&body), set, "{body}");
        }
        let numbers = [
            "-012", "012", "00", "-", "+1", "1.", ".5", "1e", "1e+", "1.e5", "0x1", "--1", "1-", "1_0", "NaN", "\0", "",
        ];
        for number in numbers {
            for body in [
                format!(r#"{{"n":{number},"isOutOfOffice":true,"message":"x"}}"#),
                format!(r#"{{"isOutOfOffice":true,"message":"x","m":[1,{number}]}}"#),
            ] {
                assert_eq!(parse(&body), None, "{body:?}");
            }
        }
        let body = r#"{"isOutOfOffice":true,"message":"x"}"#;
        for space in ["", " ", "\r\n", "\t"] {
            assert_eq!(parse(&format!("{space}{body}{space}")), set, "{space:?}");
        }
        for other in ["\0", "\0\0\0\0", "\u{b}", "\u{a0}", ",", "}", "null", body] {
            assert_eq!(parse(&format!("{body}{other}")), None, "{other:?} behind");
            assert_eq!(parse(&format!("{other}{body}")), None, "{other:?} in front");
        }
        for body in ["", "\0", "\0\0\0\0\0\0\0\0", "[]", "null", "true", "{}", r#"{"isOutOfOffice":true"#] {
            assert_eq!(parse(body), None, "{body:?}");
        }
        for end in 0..body.len() {
            assert_eq!(parse(&body[..end]), None, "cut off at {end}");
        }
    }

    #[test]
    fn settings_of_other_types_are_rejected() {
        let parse = |body: &str| parse_out_of_office(body.as_bytes(), &mut vec![0; body.len()]);
        assert_eq!(parse(r#"{"isOutOfOffice":false}"#), Some((false, None)));
        assert_eq!(parse(r#"{"isOutOfOffice":true,"message":null}"#), Some((true, None)));
        for flag in ["null", "0", "1", r#""true""#, "[true]", "{}", "TRUE"] {
            assert_eq!(parse(&format!(r#"{{"isOutOfOffice":{flag},"message":"x"}}"#)), None, "{flag}");
        }
        for message in ["0", "-12", "true", "[]", r#"["x"]"#, r#"{"content":"x"}"#] {
            assert_eq!(parse(&format!(r#"{{"isOutOfOffice":true,"message":{message}}}"#)), None, "{message}");
        }
        assert_eq!(parse(r#"{"message":"x"}"#), None);
    }
}
