//! Rule H6: an answer that does not fit never leaves a change unreported.

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
fn h6_an_action_runs_only_when_its_answer_has_room() {
    let line = set("1").to_string();
    let answer = r#"{"id":"1","status":200}"#;
    for room in 0..answer.len() {
        let mut server = Server::new();
        server.room = room;
        assert_eq!(server.line(&line), None);
        assert!(server.directory.is_empty() && server.changes.is_empty());
    }
    let mut server = Server::new();
    server.room = answer.len();
    assert_eq!(server.line(&line).unwrap().to_string(), answer);
    assert_eq!(server.changes.len(), 1);
}

#[test]
fn h6_an_error_that_does_not_fit_goes_without_its_body() {
    let line = element("1", "clearPresence", &json!({"sessionId": TEAMS})).to_string();
    let bare = r#"{"id":"1","status":404}"#;
    let full = Server::new().line(&line).unwrap().to_string();
    for room in bare.len()..full.len() {
        let mut server = Server::new();
        server.room = room;
        assert_eq!(server.line(&line).unwrap().to_string(), bare);
    }
}

#[test]
fn h6_a_read_that_does_not_fit_is_answered_507() {
    let full = Server::new().line(&get("1").to_string()).unwrap().to_string();
    for room in r#"{"id":"1","status":507}"#.len()..full.len() {
        let mut server = Server::new();
        server.room = room;
        assert_eq!(server.line(&get("1").to_string()).unwrap()["status"], 507, "{room}");
    }
    let mut server = Server::new();
    for room in 0..Error::MAX_LEN {
        server.room = room;
        let (status, _) = server.post("/communications/getPresencesByUserId", &json!({"ids": [ADELE, BOB]}));
        assert_eq!(status, 507, "{room}");
    }
}

/// In whatever room: the batch is refused whole and nothing is done, or every element has its status, and exactly those
/// with 200 were done.
#[test]
fn h6_every_element_of_a_batch_has_room_for_its_status() {
    let clear = |id| element(id, "clearPresence", &json!({"sessionId": TEAMS}));
    let requests = [set("a"), get("b"), clear("c"), clear("d"), get("e")];
    let (status, full) = Server::new().post("/$batch", &json!({"requests": requests}));
    assert_eq!(status, 200);
    let full = full.to_string().len();
    let mut refused = 0;
    for room in 0..=full {
        let mut server = Server::new();
        server.room = room;
        let (status, body) = server.post("/$batch", &json!({"requests": requests}));
        if status != 200 {
            assert_eq!(status, 507);
            assert!(server.directory.is_empty() && server.changes.is_empty());
            refused += 1;
            continue;
        }
        let statuses: Vec<_> =
            body["responses"].as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect();
        assert_eq!((statuses[0], statuses[2], statuses[3]), (200, 200, 404), "{room}");
        assert!([200, 507].contains(&statuses[1]) && [200, 507].contains(&statuses[4]));
        assert_eq!(server.changes.len(), 2);
        if room == full {
            assert_eq!(statuses, [200, 200, 200, 404, 200]);
        }
    }
    assert_eq!(refused, r#"{"responses":[{"id":"a","status":200}]}"#.len() + 4 * r#"{"id":"a","status":200},"#.len());
}

#[test]
fn the_largest_errors_are_as_large_as_promised() {
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
fn h1_an_error_tells_what_the_embedder_knows() {
    let trace = Trace { date: Some("2026-11-23T22:00:00"), request_id: Some("7"), client_request_id: Some("a\"\n") };
    let mut bytes = [0; 1000];
    let mut buffer = Buffer::new(&mut bytes);
    Error::Pair.write(&trace, &mut buffer).unwrap();
    let body: Value = serde_json::from_slice(buffer.written()).unwrap();
    let expected = json!({"date": "2026-11-23T22:00:00", "request-id": "7", "client-request-id": "a\"\n"});
    assert_eq!(body["error"]["innerError"], expected);
}

#[test]
fn an_event_is_as_the_format_says_and_no_larger_than_promised() {
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

/// A buffer takes what has room, all of it or nothing, and may be used for the next answer.
#[test]
fn a_buffer_is_filled_emptied_and_filled_again() {
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

/// A sink that streams has room for everything, and cannot take back what is gone: nobody asks it to.
#[test]
fn h6_a_sink_that_streams_takes_nothing_back() {
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

/// What there is of an answer that turned out too long is taken back before it is said so, and leaves all of the room for that.
#[test]
fn h6_a_read_over_http_that_does_not_fit_says_so() {
    let path = format!("/users/{ADELE}/presence");
    let full = Server::new().get(&path).1.to_string().len();
    for room in 180..full {
        let mut server = Server::new();
        server.room = room;
        let (status, body) = server.get(&path);
        assert_eq!((status, body["error"]["code"].as_str()), (507, Some("InsufficientStorage")), "{room} bytes");
    }
}
