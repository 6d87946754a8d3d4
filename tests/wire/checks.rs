//! Rules H1 and H2: errors, and the order of checks.

use super::server::{ADELE, BOB, OTHER, Server, TEAMS, message, user};
use presence_core::graph::json::JsonError;
use presence_core::graph::{Caller, Context, Error, Field, RawRequest, Request};
use presence_core::{CommandError, Instant, Policy};
use serde_json::{Value, json};

fn set_presence() -> String {
    format!("/users/{ADELE}/presence/setPresence")
}

/// A complete body.
fn good() -> Value {
    json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H"})
}

fn with(member: &str, value: Value) -> Value {
    let mut body = good();
    body[member] = value;
    body
}

fn without(member: &str) -> Value {
    let mut body = good();
    body.as_object_mut().unwrap().remove(member);
    body
}

#[test]
fn h1_an_error_has_code_message_and_inner_error() {
    let (status, body) = Server::new().clear(ADELE, TEAMS);
    assert_eq!(status, 404);
    let inner = json!({"date": null, "request-id": null, "client-request-id": null});
    let expected =
        json!({"error": {"code": "NotFound", "message": "Presence session not found.", "innerError": inner}});
    assert_eq!(body, expected);
}

#[test]
fn h1_actions_succeed_with_an_empty_body() {
    let mut server = Server::new();
    assert_eq!(server.post(&set_presence(), &good()), (200, Value::Null));
    assert_eq!(server.clear(ADELE, TEAMS), (200, Value::Null));
    let preferred = json!({"availability": "Busy", "activity": "Busy"});
    assert_eq!(server.post(&format!("/users/{ADELE}/presence/setUserPreferredPresence"), &preferred).0, 200);
    let clear = format!("/communications/presences/{ADELE}/clearUserPreferredPresence");
    assert_eq!(server.post(&clear, &json!({})), (200, Value::Null));
    assert_eq!(server.send("POST", &clear, None, b""), (200, Value::Null), "a client sends no body and no media type");
    assert_eq!(server.send("POST", &clear, Some("application/json"), b""), (200, Value::Null));
}

#[test]
fn h1_a_missing_field_is_named() {
    for (member, expected) in [
        ("sessionId", "[SessionId]: The SessionId field is required."),
        ("availability", "[Availability]: The Availability field is required."),
        ("activity", "[Activity]: The Activity field is required."),
    ] {
        for body in [without(member), with(member, Value::Null)] {
            let (status, response) = Server::new().post(&set_presence(), &body);
            assert_eq!((status, message(&response)), (400, expected));
            assert_eq!(response["error"]["code"], "InvalidArgument");
        }
    }
    let (status, response) = Server::new().send("POST", &set_presence(), None, b"");
    assert_eq!((status, message(&response)), (400, "[SessionId]: The SessionId field is required."));
}

#[test]
fn h1_a_duration_out_of_range_is_rejected_never_clamped() {
    for duration in ["PT4M59.999999S", "PT4H0.000001S", "-PT1H", "PT0S", "P999999999999999999D", "0:04:00", "P1W"] {
        let (status, response) = Server::new().post(&set_presence(), &with("expirationDuration", json!(duration)));
        let expected = "The provided [ExpirationDuration] is out of range.";
        assert_eq!((status, message(&response)), (400, expected), "{duration}");
    }
    for duration in ["PT5M", "PT4H", "PT5M0.0009S", "1:00:00", "0:05:30.5"] {
        let (status, _) = Server::new().post(&set_presence(), &with("expirationDuration", json!(duration)));
        assert_eq!(status, 200, "{duration}");
    }
}

/// Weeks as Go writes them: from one to 52, which is the last whole week of 366 days.
#[test]
fn h4_u2_a_preferred_presence_for_weeks() {
    for (duration, status) in [("P1W", 200), ("P52W", 200), ("P53W", 400), ("P0W", 400), ("P1W1D", 400)] {
        let mut server = Server::new();
        server.set(ADELE, TEAMS, "Away", "Away");
        let body = json!({"availability": "Busy", "activity": "Busy", "expirationDuration": duration});
        let target = format!("/users/{ADELE}/presence/setUserPreferredPresence");
        assert_eq!(server.post(&target, &body).0, status, "{duration}");
        assert_eq!(server.activity(ADELE), if status == 200 { "Busy" } else { "Away" }, "{duration}");
    }
}

/// Each request fails two neighbouring checks of rule H2; the first one gives the error.
#[test]
fn h2_checks_run_in_order() {
    let action = set_presence();
    let body = |value: Value| value.to_string().into_bytes();
    let json = Some("application/json");
    let text = Some("text/plain");
    let too_large = vec![b' '; RawRequest::MAX_BODY + 1];
    let mut foreign_and_bad_pair = with("activity", json!("Away"));
    foreign_and_bad_pair["sessionId"] = json!(OTHER);
    let mut bad_id_and_duration = with("sessionId", json!("7"));
    bad_id_and_duration["expirationDuration"] = json!("banana");
    let mut bad_range_and_pair = with("expirationDuration", json!("PT4M"));
    bad_range_and_pair["activity"] = json!("Away");
    let mut missing_and_bad_id = without("activity");
    missing_and_bad_id["sessionId"] = json!("7");
    for (name, method, target, media, bytes, expected) in [
        ("size before path", "POST", "/nowhere", json, too_large.clone(), 413),
        ("path before method", "PATCH", "/nowhere", json, vec![], 404),
        ("method before media type", "PATCH", action.as_str(), text, body(good()), 405),
        ("media type before syntax", "POST", action.as_str(), text, b"{".to_vec(), 415),
        ("syntax before fields", "POST", action.as_str(), json, b"{".to_vec(), 400),
        ("fields before ids", "POST", action.as_str(), json, body(missing_and_bad_id), 400),
        ("ids before durations", "POST", action.as_str(), json, body(bad_id_and_duration), 400),
        ("range before pair", "POST", action.as_str(), json, body(bad_range_and_pair), 400),
        ("pair before permission", "POST", action.as_str(), json, body(foreign_and_bad_pair), 400),
        ("permission before session", "POST", action.as_str(), json, body(with("sessionId", json!(OTHER))), 403),
    ] {
        let (status, response) = Server::application().send(method, target, media, &bytes);
        assert_eq!(status, expected, "{name}");
        let text = message(&response);
        match name {
            "syntax before fields" => assert!(text.contains("JSON"), "{text}"),
            "fields before ids" => assert!(text.contains("The Activity field is required"), "{text}"),
            "ids before durations" => assert!(text.contains("[SessionId]"), "{text}"),
            "range before pair" => assert!(text.contains("out of range"), "{text}"),
            "pair before permission" => assert!(text.contains("combination"), "{text}"),
            _ => {}
        }
    }
}

#[test]
fn h2_permission_before_session_and_session_before_capacity() {
    let mut server = Server::application();
    assert_eq!(server.clear(ADELE, OTHER).0, 403, "it does not tell whether there is such a session");
    assert_eq!(server.clear(ADELE, TEAMS).0, 404);
    let mut server = Server::new();
    for session in ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"] {
        assert_eq!(server.set(ADELE, session, "Away", "Away").0, 200);
    }
    let (status, response) = server.set(ADELE, TEAMS, "Away", "Away");
    assert_eq!((status, &response["error"]["code"]), (507, &json!("InsufficientStorage")));
    assert_eq!(server.clear(ADELE, TEAMS).0, 404);
}

#[test]
fn h1_another_user_and_another_session() {
    let mut server = Server::delegated();
    assert_eq!(server.set(ADELE, TEAMS, "Away", "Away").0, 200, "its own user");
    let (status, response) = server.set(BOB, TEAMS, "Away", "Away");
    assert_eq!((status, &response["error"]["code"]), (401, &json!("Unauthorized")), "another user");
    assert_eq!(server.set(ADELE, OTHER, "Away", "Away").0, 403, "another application's session");
    assert_eq!(server.get(&format!("/users/{BOB}/presence")).0, 200, "anyone's presence may be read");
    assert_eq!(server.get("/me/presence").0, 200);
}

#[test]
fn h2_paths_and_methods() {
    let mut server = Server::new();
    for (method, target, expected) in [
        ("GET", "/", 404),
        ("POST", "/users", 404),
        ("GET", "/me/presence", 400),
        ("GET", "/users/adele%40contoso.com/presence", 404),
        ("GET", "/users/adele/presence", 400),
        ("POST", &format!("/users/{ADELE}/presence"), 405),
        ("DELETE", &format!("/users/{ADELE}/presence"), 405),
        ("GET", &set_presence(), 405),
        ("GET", "/communications/getPresencesByUserId", 405),
        ("GET", "/$batch", 405),
        ("POST", &format!("/users/{ADELE}/presence/setPresenceX"), 404),
        ("GET", &format!("/v1.0/users/{ADELE}/presence?$select=id"), 200),
        ("GET", &format!("/beta/communications/presences/%7B{ADELE}%7D"), 200),
    ] {
        assert_eq!(server.send(method, target, None, b"").0, expected, "{method} {target}");
    }
}

#[test]
fn h2_bad_members() {
    for (body, expected) in [
        (r#"{"sessionId":"x","sessionId":"y"}"#, "[SessionId]: The field is given twice."),
        (r#"[]"#, "The request is not a JSON object."),
        (r#"{"sessionId":5,"availability":"Busy","activity":"InACall"}"#, "The provided [SessionId] is not valid."),
        (
            r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f87","availability":5,"activity":"InACall"}"#,
            "The provided combination of [Availability] and [Activity] is not supported.",
        ),
        (
            r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f87","availability":"Busy","activity":"InACall","expirationDuration":5}"#,
            "The provided [ExpirationDuration] is not valid.",
        ),
        ("\u{feff}\u{feff}{}", "The request is not well-formed JSON."),
    ] {
        let (status, response) = Server::new().send("POST", &set_presence(), Some("application/json"), body.as_bytes());
        assert_eq!((status, message(&response)), (400, expected), "{body}");
    }
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let (status, response) = Server::new().send("POST", &set_presence(), None, deep.as_bytes());
    assert_eq!((status, message(&response)), (400, "The request is nested too deeply."));
    let (status, response) = Server::new().send("POST", &set_presence(), None, b"{\"a\":\"\xff\"}");
    assert_eq!((status, message(&response)), (400, "The request is not UTF-8."));
}

#[test]
fn m2_ids_compare_by_value() {
    let mut server = Server::new();
    assert_eq!(server.set(ADELE, TEAMS, "Away", "Away").0, 200);
    let braced = format!("{{{}}}", TEAMS.to_uppercase());
    assert_eq!(server.clear(&ADELE.to_uppercase(), &braced).0, 200);
}

#[test]
fn p3_names_in_any_case_but_no_older_forms() {
    let mut server = Server::new();
    assert_eq!(server.set(ADELE, TEAMS, "BUSY", "inacall").0, 200);
    assert_eq!(server.activity(ADELE), "InACall", "written exactly");
    for (availability, activity) in [("BusyIdle", "InACall"), ("Away", "BeRightBack"), ("Busy", "Busy"), ("", "")] {
        assert_eq!(server.set(ADELE, TEAMS, availability, activity).0, 400, "{availability}/{activity}");
    }
}

#[test]
fn json_is_json_however_it_is_written() {
    let mut server = Server::new();
    let body = format!(
        " {{ \"odd\" : {{\"a\":[1e5,null]}} , \"sessionId\":\"{TEAMS}\",\r\n\"availability\":\"B\\u0075sy\",\"activity\":\"InACall\"}} "
    );
    assert_eq!(server.send("POST", &set_presence(), Some("application/json; charset=utf-8"), body.as_bytes()).0, 200);
    assert_eq!(server.activity(ADELE), "InACall");
}

#[test]
fn s7_a_rejected_request_changes_nothing() {
    let mut server = Server::new();
    server.set(ADELE, TEAMS, "Available", "Available");
    server.now = Instant::from_secs(100);
    let before = server.directory.get(ADELE.parse().unwrap()).cloned();
    server.changes.clear();
    for body in [
        with("expirationDuration", json!("PT4M")),
        with("activity", json!("Away")),
        with("sessionId", json!("x")),
        without("activity"),
    ] {
        assert_eq!(server.post(&set_presence(), &body).0, 400);
    }
    assert_eq!(server.clear(ADELE, OTHER).0, 404);
    assert_eq!(server.directory.get(ADELE.parse().unwrap()).cloned(), before);
    assert_eq!(server.changes, []);
}

/// The table of rule H1.
#[test]
fn h1_every_error_has_its_status_and_code() {
    let table: [(u16, &str, &[Error]); 11] = [
        (400, "BadRequest", &[Error::NoSignedInUser]),
        (
            400,
            "InvalidArgument",
            &[
                Error::Json(JsonError::Syntax),
                Error::NotAnObject,
                Error::LineTooLong,
                Error::Duplicate(Field::Id),
                Error::Missing(Field::Id),
                Error::Malformed(Field::Id),
                Error::OutOfRange(Field::ExpirationDuration),
                Error::Pair,
                Error::Count(Field::Ids),
                Error::Repeated(Field::Id),
                Error::NestedBatch,
                Error::OutOfOrder,
            ],
        ),
        (401, "Unauthorized", &[Error::Unauthenticated, Error::OtherUser]),
        (403, "Forbidden", &[Error::MissingPermission, Error::OtherSession]),
        (404, "NotFound", &[Error::UnknownPath, Error::UnknownUser, Error::SessionNotFound]),
        (405, "MethodNotAllowed", &[Error::MethodNotAllowed]),
        (413, "RequestEntityTooLarge", &[Error::TooLarge]),
        (415, "UnsupportedMediaType", &[Error::UnsupportedMediaType]),
        (424, "FailedDependency", &[Error::FailedDependency]),
        (429, "TooManyRequests", &[Error::Throttled { retry_after: 7 }]),
        (507, "InsufficientStorage", &[Error::SessionsFull, Error::UsersFull, Error::ResponseTooLarge]),
    ];
    for (status, code, errors) in table {
        for error in errors {
            assert_eq!((error.status(), error.code()), (status, code), "{error:?}");
            assert_eq!(error.retry_after(), (status == 429).then_some(7), "{error:?}");
        }
    }
}

#[test]
fn h1_errors_of_a_store_have_errors_of_the_wire() {
    for (cause, expected) in [
        (CommandError::NotFound, Error::SessionNotFound),
        (CommandError::Lease, Error::OutOfRange(Field::ExpirationDuration)),
        (CommandError::PreferredDuration, Error::OutOfRange(Field::ExpirationDuration)),
        (CommandError::Presence, Error::Pair),
        (CommandError::PreferredPresence, Error::Pair),
        (CommandError::SessionsFull, Error::SessionsFull),
        (CommandError::UsersFull, Error::UsersFull),
    ] {
        assert_eq!(Error::from(cause), expected);
    }
}

/// An unknown path is told first, then that nobody is signed in, then the method.
#[test]
fn h1_me_is_the_callers_user_and_a_bad_request_without_one() {
    let context = |me| Context::new(Instant::ZERO, Caller::Trusted { me });
    let raw = RawRequest::new("GET", "/me/presence");
    let me = user(ADELE);
    let parsed = Request::parse(&raw, &context(Some(me)), &Policy::GRAPH);
    assert!(matches!(parsed, Ok(Request::Get { user, .. }) if user == me));
    assert_eq!(Request::parse(&raw, &context(None), &Policy::GRAPH), Err(Error::NoSignedInUser));
    for mut server in [Server::new(), Server::application()] {
        for (method, path) in [
            ("GET", "/me/presence"),
            ("HEAD", "/me/presence"),
            ("DELETE", "/v1.0/me/presence"),
            ("POST", "/beta/me/presence/microsoft.graph.setPresence"),
            ("POST", "/me/presence/clearUserPreferredPresence"),
        ] {
            let (status, body) = server.send(method, path, Some("text/plain"), b"{");
            assert_eq!(status, 400, "{method} {path}");
            if method != "HEAD" {
                assert_eq!(body["error"]["code"], "BadRequest");
                assert_eq!(message(&body), "/me request is only valid with delegated authentication flow.");
            }
        }
        assert_eq!(server.get("/me/absence").0, 404);
    }
}
