//! Rule H9, and content codings: bodies as clients send them, and requests that have none.

use super::server::{ADELE, OTHER, Server, TEAMS, message};
use presence_core::graph::{Buffer, Context, Error, Line, RawRequest, Trace, serve};
use serde_json::{Value, json};

const MARK: &str = "\u{feff}";

fn preferred(action: &str) -> String {
    format!("/users/{ADELE}/presence/{action}")
}

/// The actions that need no body.
fn bare_actions() -> Vec<String> {
    vec![
        preferred("clearUserPreferredPresence"),
        format!("/communications/presences('{ADELE}')/clearUserPreferredPresence/"),
    ]
}

#[test]
fn h9_a_byte_order_mark_is_skipped() {
    let mut server = Server::new();
    let body = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall"}).to_string();
    let set = preferred("setPresence");
    assert_eq!(server.send("POST", &set, Some("application/json"), format!("{MARK}{body}").as_bytes()).0, 200);
    assert_eq!(server.send("POST", &set, None, format!("{MARK}\r\n {body}").as_bytes()).0, 200);
    for body in [format!("{MARK}{MARK}{body}"), format!(" {MARK}{body}"), format!("{body}{MARK}")] {
        let (status, response) = server.send("POST", &set, None, body.as_bytes());
        assert_eq!((status, message(&response)), (400, "The request is not well-formed JSON."), "{body:?}");
    }
    // Half a mark is none.
    assert_eq!(server.send("POST", &set, None, b"\xEF\xBB{}").1["error"]["message"], "The request is not UTF-8.");
    for action in bare_actions() {
        for body in [MARK.to_owned(), format!("{MARK}{{}}"), format!("{MARK}null")] {
            assert_eq!(
                server.send("POST", &action, Some("application/json"), body.as_bytes()).0,
                200,
                "{action} {body:?}"
            );
        }
    }
    let line = json!({"id": "1", "method": "GET", "url": preferred("")}).to_string();
    assert_eq!(server.line(&format!("{MARK}{line}")).unwrap()["body"]["activity"], "InACall");
    for blank in [MARK.to_owned(), format!("{MARK} \r")] {
        assert_eq!(Line::parse(blank.as_bytes()), Line::Blank);
    }
    let invalid = Line::parse(b"\xEF\xBB\xBF\xEF\xBB\xBF{}");
    assert!(matches!(invalid, Line::Invalid { error: Error::Json(_), .. }));
}

#[test]
fn h9_null_is_no_body() {
    let mut server = Server::new();
    for action in bare_actions() {
        for body in ["null", " null\r\n", "", "{}"] {
            assert_eq!(
                server.send("POST", &action, Some("application/json"), body.as_bytes()).0,
                200,
                "{action} {body:?}"
            );
        }
        for body in ["0", "[]", "\"\"", "nul", "null null", "false"] {
            assert_eq!(
                server.send("POST", &action, Some("application/json"), body.as_bytes()).0,
                400,
                "{action} {body:?}"
            );
        }
        assert_eq!(server.send("POST", &action, Some("text/plain"), b"null").0, 415);
        let line = json!({"id": "1", "method": "POST", "url": action, "body": null}).to_string();
        assert_eq!(server.line(&line).unwrap()["status"], 200);
    }
    // Where a body is needed, its first member is missing.
    for (action, field) in
        [("setPresence", "SessionId"), ("clearPresence", "SessionId"), ("setUserPreferredPresence", "Availability")]
    {
        let (status, body) = server.send("POST", &preferred(action), None, b"null");
        assert_eq!((status, message(&body)), (400, format!("[{field}]: The {field} field is required.").as_str()));
    }
    assert_eq!(
        server.send("POST", "/$batch", None, b"null").1["error"]["message"],
        "[Requests]: The Requests field is required."
    );
}

#[test]
fn h9_the_clients_id_of_a_request_is_the_requests_id_if_it_sent_none() {
    let mut server = Server::new();
    let ids = |server: &mut Server, request_id, client_request_id| {
        let trace = Trace { request_id, client_request_id, ..Trace::default() };
        let context = Context::new(server.now, server.caller).with_trace(trace);
        let mut bytes = [0; 512];
        let mut buffer = Buffer::new(&mut bytes);
        serve(&RawRequest::new("GET", "/nowhere"), &context, &mut server.directory, &mut buffer, &mut |_, _| {});
        let body: Value = serde_json::from_slice(buffer.written()).unwrap();
        let inner = &body["error"]["innerError"];
        (inner["request-id"].clone(), inner["client-request-id"].clone())
    };
    assert_eq!(ids(&mut server, Some("1"), Some("2")), (json!("1"), json!("2")));
    assert_eq!(ids(&mut server, Some("1"), None), (json!("1"), json!("1")));
    assert_eq!(ids(&mut server, None, Some("2")), (Value::Null, json!("2")));
    assert_eq!(ids(&mut server, None, None), (Value::Null, Value::Null));
}

#[test]
fn h9_head_is_answered_like_get_without_its_body() {
    for mut server in [Server::new(), Server::application(), Server::delegated()] {
        server.set(ADELE, TEAMS, "Away", "Away");
        for path in [
            format!("/users/{ADELE}/presence"),
            format!("/communications/presences/{ADELE}"),
            format!("/communications/presences?$filter=id in ('{ADELE}')"),
            "/communications/presences".to_owned(),
            "/me/presence".to_owned(),
            "/users/7/presence".to_owned(),
            "/users/a@b/presence".to_owned(),
            "/nowhere".to_owned(),
            preferred("setPresence"),
            "/communications/getPresencesByUserId".to_owned(),
            "/$batch".to_owned(),
        ] {
            let (expected, _) = server.get(&path);
            for method in ["HEAD", "head"] {
                assert_eq!(server.send(method, &path, None, b""), (expected, Value::Null), "{method} {path}");
            }
        }
        // It needs no room.
        server.capacity = 0;
        assert_eq!(server.send("HEAD", &format!("/users/{ADELE}/presence"), None, b""), (200, Value::Null));
    }
}

/// OData's batches in JSON know no `HEAD`.
#[test]
fn h9_head_is_no_method_of_an_element() {
    let line = json!({"id": "1", "method": "HEAD", "url": preferred("")}).to_string();
    assert_eq!(Server::new().line(&line).unwrap()["status"], 405);
}

/// Sends a request with these content codings.
fn coded(
    server: &mut Server,
    method: &str,
    target: &str,
    coding: Option<&str>,
    content_type: &str,
    body: &[u8],
) -> (u16, Value) {
    let mut bytes = vec![0; 4096];
    let mut buffer = Buffer::new(&mut bytes);
    let context = Context::new(server.now, server.caller);
    let raw =
        RawRequest::new(method, target).with_content_type(content_type).with_content_encoding(coding).with_body(body);
    let status = serve(&raw, &context, &mut server.directory, &mut buffer, &mut |_, _| {});
    (status, serde_json::from_slice(buffer.written()).unwrap_or_default())
}

#[test]
fn h1_a_content_coding_other_than_identity_is_an_unsupported_media_type() {
    let set = preferred("setPresence");
    let body = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall"}).to_string();
    let plain = [
        None,
        Some(""),
        Some(" "),
        Some("identity"),
        Some("Identity"),
        Some("IDENTITY, identity"),
        Some(",, identity\t,"),
    ];
    for coding in plain {
        let (status, _) = coded(&mut Server::new(), "POST", &set, coding, "application/json", body.as_bytes());
        assert_eq!(status, 200, "{coding:?}");
    }
    let other = [
        "gzip",
        "GZIP",
        "deflate",
        "br",
        "identity, gzip",
        "gzip,identity",
        "x-gzip",
        "identit",
        "identity2",
        "identity gzip",
        ";",
        "é",
    ];
    for coding in other {
        for body in [body.as_bytes(), b"\x1f\x8b\x08", b"", b"{", b"null"] {
            let mut server = Server::new();
            let (status, response) = coded(&mut server, "POST", &set, Some(coding), "application/json", body);
            assert_eq!((status, &response["error"]["code"]), (415, &json!("UnsupportedMediaType")), "{coding:?}");
            assert!(server.directory.is_empty(), "nothing was changed");
        }
        let bare = preferred("clearUserPreferredPresence");
        assert_eq!(coded(&mut Server::new(), "POST", &bare, Some(coding), "application/json", b"").0, 415);
        // Rule H2: path and method come first, and a read has no body.
        for (method, path, expected) in [
            ("POST", "/nowhere", 404),
            ("POST", "/me/presence/setPresence", 400),
            ("PUT", &set, 405),
            ("GET", &preferred(""), 200),
        ] {
            let (status, _) = coded(&mut Server::new(), method, path, Some(coding), "text/plain", b"{");
            assert_eq!(status, expected, "{method} {path}");
        }
        for path in ["/$batch", "/communications/getPresencesByUserId"] {
            assert_eq!(coded(&mut Server::new(), "POST", path, Some(coding), "application/json", b"{}").0, 415);
        }
    }
}

/// A coding is found wherever it is in a list.
#[test]
fn h1_every_coding_of_a_list_counts() {
    let set = preferred("setPresence");
    let body = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall"}).to_string();
    for count in 1..=9 {
        for place in (0..count).map(Some).chain([None]) {
            let codings: Vec<_> = (0..count).map(|at| if Some(at) == place { "gzip" } else { "identity" }).collect();
            let codings = codings.join(if count % 2 == 0 { "," } else { " , " });
            let (status, _) =
                coded(&mut Server::new(), "POST", &set, Some(&codings), "application/json", body.as_bytes());
            assert_eq!(status, if place.is_some() { 415 } else { 200 }, "{codings}");
        }
    }
}

#[test]
fn h1_a_content_coding_in_the_headers_of_an_element() {
    let body = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall"});
    let status = |coding: Value| {
        let headers = json!({"Content-Type": "application/json", "content-ENCODING": coding});
        let element =
            json!({"id": "1", "method": "POST", "url": preferred("setPresence"), "headers": headers, "body": body});
        Server::new().line(&element.to_string()).unwrap()["status"].clone()
    };
    for coding in [json!(null), json!(""), json!("identity"), json!("Identity")] {
        assert_eq!(status(coding.clone()), 200, "{coding}");
    }
    for coding in [json!("gzip"), json!("identity, gzip"), json!(5), json!(["identity"]), json!("x".repeat(100))] {
        assert_eq!(status(coding.clone()), 415, "{coding}");
    }
    // Escapes are read, in a value of any sensible length.
    let text = format!(
        r#"{{"id":"1","method":"POST","url":"{}","headers":{{"Content-Encoding":"\u0069dentity"}},"body":{{"sessionId":"{OTHER}"}}}}"#,
        preferred("clearPresence")
    );
    assert_eq!(Server::new().line(&text).unwrap()["status"], 404, "there is no such session");
    let get = json!({"id": "1", "method": "GET", "url": preferred(""), "headers": {"Content-Encoding": "gzip"}});
    assert_eq!(Server::new().line(&get.to_string()).unwrap()["status"], 200, "a read has no body");
}
