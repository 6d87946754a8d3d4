//! What a client reads, compared with serde_json, and what it writes out of any text. Rule F4.

use presence_core::client::{
    AnswerError, BatchAnswer, Call, DeviceAnswer, ErrorAnswer, Form, PresenceObject, Presences, Principal, TokenAnswer,
};
use presence_core::graph::json::Value;
use presence_core::graph::{Caller, Context, Environment, RawRequest, Request};
use presence_core::{Instant, Policy, Presence, UserId};
use serde_json::Value as Json;
use std::cell::RefCell;

/// Checks an answer, or a text to write, as the first byte says.
pub fn client(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 8 {
        0 => presence(rest),
        1 => presences(rest),
        2 => batch(rest),
        3 => tokens(rest),
        4 => drop(DeviceAnswer::read(200, rest)),
        5 => failure(rest),
        6 => principal(rest),
        _ => texts(rest),
    }
}

/// Reads an answer as serde_json does; `None` where that reads nothing, or not the same: of two members of one name it takes
/// the last one.
fn theirs(body: &[u8]) -> Option<Json> {
    serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok()
}

fn presence(body: &[u8]) {
    let theirs = theirs(body);
    match (PresenceObject::parse(body), theirs) {
        (Ok(read), Some(theirs)) => assert_same(&read, &theirs),
        (Ok(read), None) => {
            // A number that is too large, or half a surrogate pair, stood where it is not looked at, or in a text.
            assert!(body.windows(2).any(|pair| pair == b"\\u") || body.iter().any(u8::is_ascii_digit), "{read:?}");
        }
        (Err(AnswerError::Missing(name)), Some(theirs)) => assert!(theirs[name].is_null(), "{name}: {theirs}"),
        (Err(AnswerError::NotAnObject), Some(theirs)) => assert!(!theirs.is_object(), "{theirs}"),
        (Err(AnswerError::Json(error)), Some(theirs)) => {
            assert_eq!(error, presence_core::graph::json::JsonError::TooDeep, "{theirs}");
        }
        (Err(_), _) => {}
    }
}

fn assert_same(read: &PresenceObject<'_>, theirs: &Json) {
    let name = |name: &str| theirs[name].as_str().expect("a name").to_owned();
    let (availability, activity) = (name("availability"), name("activity"));
    assert_eq!(read.presence, Presence::read(&availability, &activity));
    assert_eq!(read.id, theirs["id"].as_str().map(|id| UserId::parse(id).expect("an id")));
    if let Some(message) = read.status_message {
        let content = theirs["statusMessage"]["message"]["content"].as_str().expect("a text");
        assert!(message.content.is_text(content));
        for len in [0, 1, 7, content.len()] {
            let mut buffer = vec![0; len];
            assert!(content.starts_with(message.content.text_start(&mut buffer).expect("a text")));
        }
    }
}

fn presences(body: &[u8]) {
    let Ok(read) = Presences::parse(body) else { return };
    let read: Vec<_> = read.iter().collect();
    if let Some(theirs) = theirs(body) {
        let theirs = theirs["value"].as_array().expect("an array");
        assert_eq!(read.len(), theirs.len());
        for (read, theirs) in read.iter().zip(theirs) {
            if let Ok(read) = read {
                assert_same(read, theirs);
            }
        }
    }
}

fn batch(body: &[u8]) {
    let Ok(read) = BatchAnswer::parse(body) else { return };
    let theirs = theirs(body);
    for (position, read) in read.iter().enumerate() {
        let Ok(read) = read else { continue };
        assert_eq!(read.error().is_some(), read.status >= 400);
        if let Some(theirs) = &theirs {
            let theirs = &theirs["responses"][position];
            assert!(read.id.is_text(theirs["id"].as_str().expect("an id")));
            assert_eq!(theirs["status"], read.status);
        }
    }
}

fn tokens(body: &[u8]) {
    let Ok(read) = TokenAnswer::read(200, body) else { return };
    let mut buffer = [0; TokenAnswer::MAX_AUTHORIZATION_LEN];
    let header = read.authorization(&mut buffer).expect("room for the longest");
    assert!(header.strip_prefix("Bearer ").is_some_and(|token| read.access_token.is_text(token)));
    assert!(header.len() > "Bearer ".len() && header.bytes().skip("Bearer ".len()).all(|byte| byte.is_ascii_graphic()));
}

fn failure(body: &[u8]) {
    let text = std::str::from_utf8(body).ok();
    let retry_after = text.and_then(|text| ErrorAnswer::parse_retry_after(text, Some(text)));
    let read = ErrorAnswer::read(429, retry_after, body);
    assert_eq!(read.retry_after, retry_after);
    if let (Some(code), Some(theirs)) = (read.code, theirs(body)) {
        assert!(code.is_text(theirs["error"]["code"].as_str().expect("a code")));
    }
}

/// Remembers the name that a server looks up.
struct Names(RefCell<String>);

impl Environment for Names {
    fn user(&self, principal_name: &str) -> Option<UserId> {
        principal_name.clone_into(&mut self.0.borrow_mut());
        Some(UserId::from_bytes([1; 16]))
    }
}

/// Checks that a name arrives as it was.
fn principal(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(user) = Principal::name(text) else { return };
    let target = Call::presence(user).target().to_string();
    let names = Names(RefCell::new(String::new()));
    let context = Context::new(Instant::ZERO, Caller::Trusted { me: None }).with_environment(&names);
    let request = Request::parse(&RawRequest::new("GET", &target), &context, &Policy::GRAPH);
    assert!(matches!(request, Ok(Request::Get { .. })), "{target}");
    assert_eq!(*names.0.borrow(), text);
}

/// Checks that a text arrives as it was, in a body and in a form.
fn texts(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(call) = Call::set_status_message(Principal::ME, text, None) {
        let mut buffer = vec![0; 180 + 6 * text.len()];
        let body = call.write_body(&mut buffer).expect("room for escapes");
        let theirs: Json = serde_json::from_slice(body).expect("JSON");
        assert_eq!(theirs["statusMessage"]["message"]["content"], text);
        assert!(Value::parse(body).is_ok());
    }
    let form = Form::Refresh { client_id: text, refresh_token: "x", scope: "" }.to_string();
    assert!(form.bytes().all(|byte| byte.is_ascii_graphic()));
    let len = "client_id=".len() + "&grant_type=refresh_token&refresh_token=x".len();
    let expected: usize =
        text.bytes().map(|byte| if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) { 1 } else { 3 }).sum();
    assert_eq!(
        form.len(),
        if text.is_empty() { "grant_type=refresh_token&refresh_token=x".len() } else { len + expected }
    );
}
