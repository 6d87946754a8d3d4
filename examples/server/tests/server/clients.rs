//! Tests of requests as Graph's clients write them: rules H7, H8 and H9, and content codings.

use crate::support::{ADELE, BOB, Server, TEAMS};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};

const GZIP: (&str, &str) = ("content-encoding", "gzip");
const JSON: (&str, &str) = ("content-type", "application/json");
const TOKEN: (&str, &str) = ("authorization", "Bearer teams");

fn session() -> Value {
    json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H"})
}

#[test]
fn h7_paths_as_clients_write_them() {
    let server = Server::start();
    for path in [
        format!("/v1.0/communications/presences/{ADELE}/microsoft.graph.setPresence"),
        format!("/beta/users('{ADELE}')/presence/setPresence"),
        format!("/Users(%27{ADELE}%27)/Presence/Microsoft.Graph.SetPresence/"),
        "/v1.0/users/ADELE.VANCE%2Bx@example.com/presence/microsoft.graph.setPresence".to_owned(),
        "/communications/presences('adele.vance+x@example.com')/setpresence".to_owned(),
    ] {
        assert_eq!(server.post("teams", &path, &session()).status, 200, "{path}");
        assert_eq!(server.activity(ADELE).0, "InACall", "{path}");
        let clear = format!("/communications/presences('{ADELE}')/microsoft.graph.clearPresence");
        assert_eq!(server.post("teams", &clear, &json!({"sessionId": TEAMS})).status, 200);
    }
    let metrics = server.get("dev", "/metrics").text;
    assert!(metrics.contains(r#"operation="setPresence",status="200"} 5"#), "{metrics}");
}

#[test]
fn h1_me_of_an_application_is_a_bad_request() {
    let server = Server::start();
    for (method, path) in [("GET", "/v1.0/me/presence"), ("POST", "/me/presence/microsoft.graph.clearLocation")] {
        let response = server.send(method, path, &[TOKEN], b"");
        assert_eq!((response.status, response.error().as_str()), (400, "BadRequest"), "{method} {path}");
        let message = "/me request is only valid with delegated authentication flow.";
        assert_eq!(response.json()["error"]["message"], message);
    }
    let batch = json!({"requests": [{"id": "1", "method": "GET", "url": "/me/presence"}]});
    let response = server.post("teams", "/v1.0/$batch", &batch).json();
    assert_eq!(response["responses"][0]["body"]["error"]["code"], "BadRequest");
    assert_eq!(server.get("adele", "/v1.0/me/presence").status, 200);
}

#[test]
fn h8_the_collection_answers_like_a_bulk_read() {
    // So many users that there are several shards.
    let server = Server::start_with(&["--virtual-clock", "--users", "100000"]);
    assert_eq!(server.post("teams", &format!("/users/{BOB}/presence/setPresence"), &session()).status, 200);
    let id = |number: usize| format!("{number:08x}-eca7-46b7-bad1-db199b62afc3");
    let ids: Vec<_> = (0..648).map(id).chain([BOB.to_owned(), ADELE.to_owned()]).collect();
    let bulk = server.post("teams", "/v1.0/communications/getPresencesByUserId", &json!({"ids": ids})).json();
    let spell = |quote: &str, comma: &str, space: &str| {
        let list: Vec<_> = ids.iter().map(|id| format!("{quote}{id}{quote}")).collect();
        format!("/v1.0/communications/presences?$filter=id{space}in{space}({})", list.join(comma))
    };
    for path in [spell("'", ",", "+"), spell("%27", "%2C%20", "%20")] {
        let response = server.get("teams", &path);
        assert_eq!(response.status, 200, "{} bytes: {}", path.len(), response.text);
        assert_eq!(response.json(), bulk);
        let selected = server.get("teams", &format!("{path}&$select=id,activity")).json();
        assert_eq!(selected["value"][648], json!({"id": BOB, "activity": "InACall"}));
        let more = path.replace("(", &format!("('{ADELE}',"));
        assert_eq!(server.get("teams", &more).error(), "InvalidArgument", "651 ids");
        let element = json!({"id": "1", "method": "GET", "url": path.replace('+', "%20")});
        // As .NET escapes it.
        let batch = json!({"requests": [element]}).to_string().replace('\'', "\\u0027");
        let response = server.send("POST", "/v1.0/$batch", &[TOKEN, JSON], batch.as_bytes()).json();
        assert_eq!(response["responses"][0]["body"], bulk);
    }
    for filter in ["", "?$filter=", "?$filter=id+eq+'x'", "?$filter=id+in+('x')", "?$filter=id+in+()"] {
        let response = server.get("teams", &format!("/v1.0/communications/presences{filter}"));
        assert_eq!((response.status, response.error().as_str()), (400, "InvalidArgument"), "{filter}");
    }
    let own = format!("/communications/presences?$filter=id+in+('{ADELE}')");
    assert_eq!(server.get("self", &own).status, 403, "like a bulk read");
    assert!(server.get("dev", "/metrics").text.contains(r#"operation="listPresences",status="200""#));
}

#[test]
fn h9_bodies_as_clients_write_them() {
    let server = Server::start();
    let set = format!("/users/{ADELE}/presence/setPresence");
    let marked = format!("\u{feff}{}", session());
    assert_eq!(server.send("POST", &set, &[TOKEN, JSON], marked.as_bytes()).status, 200);
    for action in ["clearUserPreferredPresence", "microsoft.graph.clearUserPreferredPresence"] {
        for body in ["null", "\u{feff}", "", "{}"] {
            let path = format!("/users/{ADELE}/presence/{action}");
            assert_eq!(server.send("POST", &path, &[TOKEN, JSON], body.as_bytes()).status, 200, "{body:?}");
        }
    }
}

/// Reads a response without a body from a connection: its status line and headers, in lower case.
fn read_head(stream: &mut impl BufRead) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).unwrap() > 0, "{head}");
    }
    head.to_ascii_lowercase()
}

fn content_length(head: &str) -> usize {
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    line.unwrap_or_else(|| panic!("no length: {head}")).parse().unwrap()
}

#[test]
fn h9_head_is_answered_like_get_without_its_body() {
    let server = Server::start();
    let collection = format!("/v1.0/communications/presences?$filter=id+in+('{ADELE}')");
    let mut connection = BufReader::new(server.connect());
    for (path, status) in [
        (format!("/v1.0/users/{ADELE}/presence"), 200),
        (collection, 200),
        ("/v1.0/me/presence".to_owned(), 400),
        ("/v1.0/nowhere".to_owned(), 404),
        (format!("/v1.0/users/{ADELE}/presence/setPresence"), 405),
        ("/openapi.json".to_owned(), 200),
        ("/metrics".to_owned(), 200),
    ] {
        // One connection for all: a body that was sent would be taken for the next response.
        let request =
            |method| format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer teams\r\n\r\n");
        connection.get_mut().write_all(request("HEAD").as_bytes()).unwrap();
        let head = read_head(&mut connection);
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{path}: {head}");
        connection.get_mut().write_all(request("GET").as_bytes()).unwrap();
        let get = read_head(&mut connection);
        let length = content_length(&get);
        connection.by_ref().take(length as u64).read_to_end(&mut Vec::new()).unwrap();
        let kind = |head: &str| head.lines().find(|line| line.starts_with("content-type")).map(str::to_owned);
        assert_eq!(kind(&head), kind(&get), "{path}");
        if path != "/metrics" {
            assert_eq!((&head[..12], content_length(&head)), (&get[..12], length), "{path}");
        }
    }
}

/// The Go SDK and kiota's TypeScript client compress every body, and send it as it is on exactly this status.
#[test]
fn h1_a_coded_body_is_refused_before_it_is_read() {
    let server = Server::start();
    let set = format!("/v1.0/users/{ADELE}/presence/setPresence");
    let small = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    for coding in ["gzip", "GZIP", "deflate", "br", "identity, gzip", "é"] {
        let response = server.send("POST", &set, &[TOKEN, JSON, ("content-encoding", coding)], small);
        assert_eq!((response.status, response.error().as_str()), (415, "UnsupportedMediaType"), "{coding}");
        assert_eq!(response.header("accept-encoding"), Some("identity"));
    }
    for coding in ["", "identity", "Identity, identity"] {
        let body = session().to_string();
        let response = server.send("POST", &set, &[TOKEN, JSON, ("content-encoding", coding)], body.as_bytes());
        assert_eq!(response.status, 200, "{coding}");
    }
    // The header tells clients which of the two is wrong (RFC 9110, section 12.5.3).
    let text = server.send("POST", &set, &[TOKEN, ("content-type", "text/plain")], b"{}");
    assert_eq!(
        (text.status, text.error().as_str(), text.header("accept-encoding")),
        (415, "UnsupportedMediaType", None)
    );
    // Several lines of the header are one list.
    let two = [TOKEN, JSON, ("content-encoding", "identity"), GZIP];
    assert_eq!(server.send("POST", &set, &two, small).status, 415);
    // Rule H2: size, token, path, user and method come first; a read has no body.
    let large = vec![b' '; (1 << 20) + 1];
    let unknown = ("authorization", "Bearer unknown");
    for (method, path, token, body, status) in [
        ("POST", set.as_str(), TOKEN, &large[..], 413),
        ("POST", &set, unknown, small, 401),
        ("POST", "/v1.0/nowhere", TOKEN, small, 404),
        ("POST", "/v1.0/me/presence/clearLocation", TOKEN, small, 400),
        ("PATCH", &set, TOKEN, small, 405),
        ("GET", &set.replace("/setPresence", ""), TOKEN, b"", 200),
        ("POST", &set.replace("setPresence", "clearUserPreferredPresence"), TOKEN, b"", 415),
        ("POST", "/v1.0/$batch", TOKEN, small, 415),
        ("POST", "/v1.0/communications/getPresencesByUserId", TOKEN, small, 415),
    ] {
        assert_eq!(server.send(method, path, &[token, JSON, GZIP], body).status, status, "{method} {path}");
    }
}

/// The response comes before the body does, and the plain request follows on the same connection.
#[test]
fn h1_the_connection_is_used_again_after_a_coded_body() {
    let server = Server::start();
    let set = format!("/v1.0/users/{ADELE}/presence/setPresence");
    let head = |extra: &str, length: usize| {
        format!(
            "POST {set} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer teams\r\ncontent-type: application/json\r\n{extra}content-length: {length}\r\n\r\n"
        )
    };
    let mut connection = BufReader::new(server.connect());
    for _ in 0..3 {
        connection.get_mut().write_all(head("content-encoding: gzip\r\n", 5000).as_bytes()).unwrap();
        let response = read_head(&mut connection);
        assert!(response.starts_with("http/1.1 415 "), "{response}");
        let mut body = vec![0; content_length(&response)];
        connection.read_exact(&mut body).unwrap();
        connection.get_mut().write_all(&[0x1f; 5000]).unwrap();
        let plain = session().to_string();
        connection.get_mut().write_all(head("", plain.len()).as_bytes()).unwrap();
        connection.get_mut().write_all(plain.as_bytes()).unwrap();
        let response = read_head(&mut connection);
        assert!(response.starts_with("http/1.1 200 ") && content_length(&response) == 0, "{response}");
    }
    assert_eq!(server.activity(ADELE).0, "InACall");
}

/// Windows PowerShell asks before it sends a body. The body of a rejected request may never come, so the connection ends.
#[test]
fn h1_a_body_that_was_asked_for_is_not_waited_for() {
    let server = Server::start();
    let head = |extra: &str, length: usize| {
        format!(
            "POST /v1.0/users/{ADELE}/presence/setPresence HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer teams\r\n\
             content-type: application/json\r\nexpect: 100-continue\r\n{extra}content-length: {length}\r\n\r\n"
        )
    };
    for (rejected, status) in [(head("content-encoding: gzip\r\n", 5000), 415), (head("", 2 << 20), 413)] {
        // Reads until the server closes the connection.
        let response = server.raw(rejected.as_bytes()).to_lowercase();
        assert!(response.starts_with(&format!("http/1.1 {status} ")), "{response}");
        assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
    }
    let mut connection = BufReader::new(server.connect());
    let body = session().to_string();
    for _ in 0..2 {
        connection.get_mut().write_all(head("", body.len()).as_bytes()).unwrap();
        assert!(read_head(&mut connection).starts_with("http/1.1 100 "));
        connection.get_mut().write_all(body.as_bytes()).unwrap();
        let response = read_head(&mut connection);
        assert!(response.starts_with("http/1.1 200 ") && content_length(&response) == 0, "{response}");
    }
}

#[test]
fn h1_a_content_coding_in_the_headers_of_an_element() {
    let server = Server::start();
    let element = |id: &str, coding: &str| {
        let headers = json!({"Content-Type": "application/json", "Content-Encoding": coding});
        let url = format!("/users('{ADELE}')/presence/microsoft.graph.setPresence");
        json!({"id": id, "method": "POST", "url": url, "headers": headers, "body": session()})
    };
    let batch = json!({"requests": [element("1", "gzip"), element("2", "identity")]});
    let response = server.post("teams", "/v1.0/$batch", &batch).json();
    assert_eq!((&response["responses"][0]["status"], &response["responses"][1]["status"]), (&json!(415), &json!(200)));
}
