//! Tests of rules H1 and H2: the errors of requests, and the order of the checks.

use crate::support::{ADELE, BOB, OTHER, Server, TEAMS};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};

const SET: &str = "/v1.0/users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence/setPresence";

#[test]
fn h1_a_token_is_required_and_decides_what_is_allowed() {
    let server = Server::start();
    let path = format!("/v1.0/users/{ADELE}/presence");
    for header in ["Bearer unknown", "Bearer", "Basic teams", "teams", "Bearer teams2", "Bearer team"] {
        let response = server.send("GET", &path, &[("authorization", header)], b"");
        assert_eq!((response.status, response.error().as_str()), (401, "Unauthorized"), "{header}");
        assert_eq!(response.header("www-authenticate"), Some("Bearer"));
    }
    assert_eq!(server.send("GET", &path, &[], b"").status, 401);
    let own = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall"});
    let other = json!({"sessionId": OTHER, "availability": "Busy", "activity": "InACall"});
    let of_bob = SET.replace(ADELE, BOB);
    for (token, path, body, status) in [
        ("teams", SET, &own, 200),
        ("teams", SET, &other, 403),
        ("other", SET, &other, 200),
        ("reader", SET, &own, 403),
        ("writer", SET, &own, 200),
        ("self", SET, &own, 403),
        ("self", of_bob.as_str(), &own, 401),
        ("adele", SET, &own, 200),
        ("adele", SET, &other, 403),
        ("adele", of_bob.as_str(), &own, 401),
        ("dev", of_bob.as_str(), &other, 200),
    ] {
        let response = server.post(token, path, body);
        assert_eq!(response.status, status, "{token} {path} {body}");
        match status {
            401 => assert_eq!(response.error(), "Unauthorized"),
            403 => assert_eq!(response.error(), "Forbidden"),
            _ => assert_eq!(response.text, ""),
        }
    }
    let bob = path.replace(ADELE, BOB);
    for (token, adele, status) in [("writer", 200, 200), ("reader", 200, 200), ("adele", 200, 200), ("self", 200, 403)]
    {
        assert_eq!((server.get(token, &path).status, server.get(token, &bob).status), (adele, status), "{token}");
        let bulk = server.post(token, "/v1.0/communications/getPresencesByUserId", &json!({"ids": [ADELE]}));
        assert_eq!(bulk.status, status, "{token}");
        let request =
            format!("GET /presence/changes HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n");
        let mut head = String::new();
        let mut stream = server.connect();
        stream.write_all(request.as_bytes()).unwrap();
        BufReader::new(stream).read_line(&mut head).unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{token}: {head}");
    }
}

#[test]
fn h1_the_ids_of_a_request_come_back() {
    let server = Server::start();
    let path = format!("/v1.0/users/{ADELE}/presence");
    let ids = |client: &str| {
        let response = server.send("GET", &path, &[("client-request-id", client)], b"");
        let inner = response.json()["error"]["innerError"]["client-request-id"].as_str().map(str::to_owned);
        assert_eq!(response.header("client-request-id"), inner.as_deref());
        assert_eq!(response.header("request-id").map(str::len), Some(36));
        inner
    };
    assert_eq!(ids("7d5ad8c6-9f5c-4d52-8f34-ee9fb7a3f0a1").as_deref(), Some("7d5ad8c6-9f5c-4d52-8f34-ee9fb7a3f0a1"));
    for client in ["x", "a-_.{}:Z", &"x".repeat(127), &"x".repeat(128)] {
        assert_eq!(ids(client).as_deref(), Some(client));
    }
    // Ids that need escapes, or are too long, are ignored.
    for client in ["a\"b", "a b", "a\\b", &"x".repeat(129), &"x".repeat(256), &"x".repeat(257)] {
        assert_ne!(ids(client).as_deref(), Some(client));
    }
    // Rule H9: it is the request's id then, and if there is none.
    for headers in [&[("client-request-id", "a b")] as &[_], &[]] {
        let response = server.send("GET", &path, headers, b"");
        assert_eq!(response.header("request-id").map(str::len), Some(36));
        assert_eq!(response.header("client-request-id"), response.header("request-id"));
        let inner = response.json()["error"]["innerError"].clone();
        assert_eq!(inner["client-request-id"], inner["request-id"]);
    }
    let response = server.get("teams", &path);
    assert_eq!(response.header("request-id").map(str::len), Some(36));
    assert_eq!(response.header("client-request-id"), response.header("request-id"));
}

#[test]
fn h2_the_first_error_is_reported() {
    let server = Server::start();
    let large = vec![b' '; (1 << 20) + 1];
    let nowhere = "/v1.0/nowhere";
    let json = ("content-type", "application/json");
    let token = ("authorization", "Bearer teams");
    let send = |method, path, headers: &[_], body: &[u8]| {
        let response = server.send(method, path, headers, body);
        response.error();
        response.status
    };
    assert_eq!(send("PUT", nowhere, &[], &large), 413);
    assert_eq!(send("PUT", nowhere, &[], b"x"), 401);
    assert_eq!(send("PUT", nowhere, &[token], b"x"), 404);
    assert_eq!(send("PUT", SET, &[token], b"x"), 405);
    assert_eq!(send("POST", SET, &[token, ("content-type", "text/plain")], b"x"), 415);
    assert_eq!(send("POST", SET, &[token, json], b"x"), 400);
    let message = |body: serde_json::Value| {
        let response = server.post("other", SET, &body);
        assert_eq!(response.error(), "InvalidArgument");
        response.json()["error"]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(message(json!({})), "[SessionId]: The SessionId field is required.");
    let all = |session: &str, activity: &str, duration: &str| json!({"sessionId": session, "availability": "Busy", "activity": activity, "expirationDuration": duration});
    assert_eq!(message(all("7", "Busy", "PT")), "The provided [SessionId] is not valid.");
    assert_eq!(message(all(TEAMS, "Busy", "PT")), "The provided [ExpirationDuration] is not valid.");
    assert_eq!(message(all(TEAMS, "Busy", "PT4M")), "The provided [ExpirationDuration] is out of range.");
    assert!(message(all(TEAMS, "Busy", "PT5M")).contains("combination"));
    assert_eq!(server.post("other", SET, &all(TEAMS, "InACall", "PT5M")).status, 403);
    assert_eq!(server.activity(ADELE).0, "Offline", "S7");
}

#[test]
fn h1_a_wrong_method_is_answered_with_the_allowed_one() {
    let server = Server::start();
    let token = ("authorization", "Bearer teams");
    let presence = format!("/v1.0/users/{ADELE}/presence");
    for (method, path, allowed) in [
        ("POST", presence.as_str(), "GET, HEAD"),
        ("PATCH", &presence, "GET, HEAD"),
        ("DELETE", &presence, "GET, HEAD"),
        ("POST", "/v1.0/communications/presences", "GET, HEAD"),
        ("GET", SET, "POST"),
        ("GET", "/v1.0/$batch", "POST"),
        ("GET", "/v1.0/communications/getPresencesByUserId", "POST"),
        ("GET", "/dev/advance", "POST"),
        ("DELETE", "/presence/changes", "GET, HEAD"),
        ("DELETE", "/metrics", "GET, HEAD"),
    ] {
        let response = server.send(method, path, &[token], b"");
        assert_eq!((response.status, response.header("allow")), (405, Some(allowed)), "{method} {path}");
        assert_eq!(response.error(), "MethodNotAllowed");
    }
}

#[test]
fn only_a_development_token_advances_time() {
    let server = Server::start();
    for (token, status) in [("teams", 403), ("adele", 403), ("unknown", 401), ("dev", 200)] {
        assert_eq!(server.post_empty(token, "/dev/advance?seconds=1").status, status, "{token}");
    }
    for query in ["", "?seconds=", "?seconds=-1", "?seconds=x", "?minutes=1"] {
        let response = server.post_empty("dev", &format!("/dev/advance{query}"));
        assert_eq!(response.error(), "InvalidArgument", "{query}");
    }
}

/// Rule H2: wherever JSON comes in, what is none is rejected whole, and changes nothing.
#[test]
fn h2_what_is_no_json_changes_nothing() {
    let server = Server::start();
    let out = format!("/dev/users/{ADELE}/outOfOffice");
    let message = SET.replace("setPresence", "setStatusMessage");
    let set = format!(r#"{{"sessionId":"{TEAMS}","availability":"Busy","activity":"InACall""#);
    let element = format!(
        r#"{{"id":"1","method":"POST","url":"{}","headers":{{"content-type":"application/json"}},"body":"#,
        &SET[5..]
    );
    let places = [
        (SET, format!("{set},\"n\":"), "}".to_owned()),
        (
            &message,
            r#"{"statusMessage":{"message":{"content":"x","contentType":"text"},"n":"#.to_owned(),
            "}}".to_owned(),
        ),
        (&out, r#"{"isOutOfOffice":true,"n":"#.to_owned(), "}".to_owned()),
        ("/v1.0/$batch", format!("{{\"requests\":[{element}{set},\"n\":"), "}}]}".to_owned()),
        ("/v1.0/communications/getPresencesByUserId", format!("{{\"ids\":[\"{ADELE}\"],\"n\":"), "}".to_owned()),
    ];
    let headers = [("authorization", "Bearer dev"), ("content-type", "application/json")];
    let before = server.presence(ADELE);
    for (path, head, tail) in &places {
        for number in ["-012", "012", "-", "+1", "1.", ".5", "1e", "0x1", "NaN", "\0", ""] {
            let body = format!("{head}{number}{tail}");
            let response = server.send("POST", path, &headers, body.as_bytes());
            assert_eq!((response.status, response.error().as_str()), (400, "InvalidArgument"), "{path} {body:?}");
        }
        let body = format!("{head}-12{tail}");
        for body in [format!("\0{body}"), format!("{body}\0"), format!("{body}{body}"), "\0".repeat(64), String::new()]
        {
            let response = server.send("POST", path, &headers, body.as_bytes());
            assert_eq!((response.status, response.error().as_str()), (400, "InvalidArgument"), "{path} {body:?}");
        }
    }
    assert_eq!(server.presence(ADELE), before);
    for (path, head, tail) in &places {
        let response = server.send("POST", path, &headers, format!("{head}-12{tail}").as_bytes());
        assert_eq!(response.status, 200, "{path}: {response:?}");
    }
    let after = server.presence(ADELE);
    assert_eq!((&after["activity"], &after["outOfOfficeSettings"]["isOutOfOffice"]), (&json!("InACall"), &json!(true)));
}
