//! Rule H6: a response that does not fit never hides a change.

use super::server::{ADELE, BOB, Server, TEAMS, user};
use presence_core::BufferFull;
use presence_core::graph::{
    Buffer, ChangeEvent, Context, Element, Error, Field, RawRequest, Trace, Writer, json::JsonError, serve,
};
use presence_core::{Instant, Policy, Presence, User, set_presence};
use serde_json::{Value, json};

fn element(id: &str, action: &str, body: &Value) -> Value {
    json!({"id": id, "method": "POST", "url": format!("/users/{ADELE}/presence/{action}"), "body": body})
}

fn set(id: &str) -> Value {
    element(id, "setPresence", &json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall"}))
}

fn get(id: &str) -> Value {
    json!({"id": id, "method": "GET", "url": format!("/users/{ADELE}/presence")})
}

#[test]
fn h6_an_action_runs_only_if_its_response_fits() {
    let line = set("1").to_string();
    let response = r#"{"id":"1","status":200}"#;
    for capacity in 0..response.len() {
        let mut server = Server::new();
        server.capacity = capacity;
        assert_eq!(server.line(&line), None);
        assert!(server.directory.is_empty() && server.changes.is_empty());
    }
    let mut server = Server::new();
    server.capacity = response.len();
    assert_eq!(server.line(&line).unwrap().to_string(), response);
    assert_eq!(server.changes.len(), 1);
}

#[test]
fn h6_an_error_that_does_not_fit_goes_without_its_body() {
    let line = element("1", "clearPresence", &json!({"sessionId": TEAMS})).to_string();
    let bare = r#"{"id":"1","status":404}"#;
    let full = Server::new().line(&line).unwrap().to_string();
    for capacity in bare.len()..full.len() {
        let mut server = Server::new();
        server.capacity = capacity;
        assert_eq!(server.line(&line).unwrap().to_string(), bare);
    }
}

#[test]
fn h6_a_read_that_does_not_fit_gives_507() {
    let full = Server::new().line(&get("1").to_string()).unwrap().to_string();
    for capacity in r#"{"id":"1","status":507}"#.len()..full.len() {
        let mut server = Server::new();
        server.capacity = capacity;
        assert_eq!(server.line(&get("1").to_string()).unwrap()["status"], 507, "{capacity}");
    }
    let mut server = Server::new();
    for capacity in 0..Error::MAX_LEN {
        server.capacity = capacity;
        let (status, _) = server.post("/communications/getPresencesByUserId", &json!({"ids": [ADELE, BOB]}));
        assert_eq!(status, 507, "{capacity}");
    }
}

/// In a buffer of any size: the whole batch fails and nothing is done, or every element has its status, and exactly those
/// with 200 were done.
#[test]
fn h6_the_status_of_every_element_of_a_batch_fits() {
    let clear = |id| element(id, "clearPresence", &json!({"sessionId": TEAMS}));
    let requests = [set("a"), get("b"), clear("c"), clear("d"), get("e")];
    let (status, full) = Server::new().post("/$batch", &json!({"requests": requests}));
    assert_eq!(status, 200);
    let full = full.to_string().len();
    let mut rejected = 0;
    for capacity in 0..=full {
        let mut server = Server::new();
        server.capacity = capacity;
        let (status, body) = server.post("/$batch", &json!({"requests": requests}));
        if status != 200 {
            assert_eq!(status, 507);
            assert!(server.directory.is_empty() && server.changes.is_empty());
            rejected += 1;
            continue;
        }
        let statuses: Vec<_> =
            body["responses"].as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect();
        assert_eq!((statuses[0], statuses[2], statuses[3]), (200, 200, 404), "{capacity}");
        assert!([200, 507].contains(&statuses[1]) && [200, 507].contains(&statuses[4]));
        assert_eq!(server.changes.len(), 2);
        if capacity == full {
            assert_eq!(statuses, [200, 200, 200, 404, 200]);
        }
    }
    assert_eq!(rejected, r#"{"responses":[{"id":"a","status":200}]}"#.len() + 4 * r#"{"id":"a","status":200},"#.len());
}

#[test]
fn the_largest_errors_are_as_large_as_documented() {
    let fields = [Field::ExpirationDuration, Field::Availability, Field::SessionId, Field::Requests, Field::DependsOn];
    let about = [Error::Duplicate, Error::Missing, Error::Malformed, Error::OutOfRange, Error::Count];
    let all = about.into_iter().flat_map(|error| fields.map(error)).chain([
        Error::TooLarge,
        Error::UnknownPath,
        Error::UnknownUser,
        Error::MethodNotAllowed,
        Error::UnsupportedMediaType,
        Error::Json(JsonError::NotUtf8),
        Error::Json(JsonError::Syntax),
        Error::Json(JsonError::TooDeep),
        Error::Json(JsonError::DuplicateMember),
        Error::NotAnObject,
        Error::LineTooLong,
        Error::Pair,
        Error::Repeated(Field::Id),
        Error::NestedBatch,
        Error::OutOfOrder,
        Error::Unauthenticated,
        Error::Throttled { retry_after: 1 },
        Error::OtherUser,
        Error::MissingPermission,
        Error::OtherSession,
        Error::SessionNotFound,
        Error::FailedDependency,
        Error::SessionsFull,
        Error::UsersFull,
        Error::ResponseTooLarge,
    ]);
    let len = |error: Error| {
        let mut bytes = [0; 1000];
        let mut buffer = Buffer::new(&mut bytes);
        error.write(&Trace::default(), &mut buffer).unwrap();
        let body: Value = serde_json::from_slice(buffer.written()).unwrap();
        assert_eq!(body["error"]["message"], error.to_string());
        1000 - buffer.remaining()
    };
    let longest = all.map(len).max();
    assert_eq!(longest, Some(Error::MAX_LEN));
    const { assert!(Element::MAX_RESPONSE >= Error::MAX_LEN + r#"{"id":,"status":200,"body":}"#.len()) };
}

#[test]
fn h1_an_error_has_the_trace_of_the_application() {
    let trace = Trace { date: Some("2026-11-23T22:00:00"), request_id: Some("7"), client_request_id: Some("a\"\n") };
    let mut bytes = [0; 1000];
    let mut buffer = Buffer::new(&mut bytes);
    Error::Pair.write(&trace, &mut buffer).unwrap();
    let body: Value = serde_json::from_slice(buffer.written()).unwrap();
    let expected = json!({"date": "2026-11-23T22:00:00", "request-id": "7", "client-request-id": "a\"\n"});
    assert_eq!(body["error"]["innerError"], expected);
}

#[test]
fn an_event_has_its_format_and_is_no_larger_than_documented() {
    let fresh: User = User::new();
    let policy = Policy { sessions: Presence::ALL.into_iter().collect(), ..Policy::GRAPH };
    let at = Instant::from_millis(300_125);
    let session = TEAMS.parse().unwrap();
    let transition = set_presence(fresh.at(at).unwrap(), session, Presence::InACall, None, &policy).unwrap();
    let mut bytes = [0; 1000];
    let mut buffer = Buffer::new(&mut bytes);
    ChangeEvent::new(Instant::from_millis(125), user(ADELE), &transition).write(&mut buffer).unwrap();
    assert_eq!(
        std::str::from_utf8(buffer.written()).unwrap(),
        format!(
            r#"{{"at":300,"user":"{ADELE}","from":{{"availability":"Offline","activity":"Offline"}},"to":{{"availability":"Busy","activity":"InACall"}},"cause":"set"}}"#
        )
    );
    // The longest names, the longest cause and the largest number.
    let longest = r#"{"at":18446744073709551.615,"user":"","from":{"availability":"DoNotDisturb","activity":"UrgentInterruptionsOnly"},"to":{"availability":"DoNotDisturb","activity":"UrgentInterruptionsOnly"},"cause":"preferredExpired"}"#;
    assert_eq!(ChangeEvent::MAX_LEN, longest.len() + ADELE.len());
}

/// A buffer accepts what fits, all of it or nothing, and may be used again.
#[test]
fn a_buffer_is_written_cleared_and_written_again() {
    let mut bytes = [0; 4];
    let mut buffer = Buffer::new(&mut bytes);
    assert_eq!((buffer.write(b"abc"), buffer.remaining()), (Ok(()), 1));
    assert_eq!((buffer.write(b"de"), buffer.written()), (Err(BufferFull), b"abc".as_slice()));
    buffer.discard_last(2);
    assert_eq!((buffer.write(b"xyz"), buffer.written()), (Ok(()), b"axyz".as_slice()));
    buffer.clear();
    assert_eq!((buffer.remaining(), buffer.written()), (4, b"".as_slice()));
    assert_eq!((buffer.write(b"next"), buffer.written()), (Ok(()), b"next".as_slice()));
}

/// A writer that streams accepts everything, and is never asked to discard what is gone.
#[test]
fn h6_a_writer_that_streams_discards_nothing() {
    struct Stream(Vec<u8>);
    impl Writer for Stream {
        fn remaining(&self) -> usize {
            usize::MAX
        }

        fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
            self.0.extend(bytes);
            Ok(())
        }

        fn discard_last(&mut self, count: usize) {
            panic!("{count} bytes are gone");
        }
    }
    let batch = json!({"requests": [set("a"), get("b"), element("c", "clearPresence", &json!({}))]}).to_string();
    for (target, body, expected) in
        [("/$batch", batch.as_str(), 200), ("/$batch", "[]", 400), ("/nowhere", "", 404), ("/$batch", "{", 400)]
    {
        let (mut server, mut stream) = (Server::new(), Stream(Vec::new()));
        let context = Context::new(server.now, server.caller);
        let raw = RawRequest::new("POST", target).with_body(body.as_bytes());
        let status = serve(&raw, &context, &mut server.directory, &mut stream, &mut |_, _| {});
        assert_eq!(status, expected, "{target} {body}");
        assert!(serde_json::from_slice::<Value>(&stream.0).is_ok());
    }
}

/// A response that turned out too long is discarded before the error is written, which has all of the space.
#[test]
fn h6_a_read_over_http_that_does_not_fit_gives_507() {
    let path = format!("/users/{ADELE}/presence");
    let full = Server::new().get(&path).1.to_string().len();
    for capacity in 180..full {
        let mut server = Server::new();
        server.capacity = capacity;
        let (status, body) = server.get(&path);
        assert_eq!((status, body["error"]["code"].as_str()), (507, Some("InsufficientStorage")), "{capacity} bytes");
    }
}
