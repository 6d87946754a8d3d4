//! Tests of who is let in: the names of the server, proxies, methods, and what may be kept of responses.

use crate::support::{ADELE, Server, TEAMS, program};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

/// Splits a response into its status, its head in small letters, and its body.
fn parse(text: &str) -> (u16, String, String) {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no response: {text:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
}

/// Sends a request with these lines, and returns the status, the head and the body.
fn ask(server: &Server, line: &str, headers: &[&str]) -> (u16, String, String) {
    let lines: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    parse(&server.raw(format!("{line}\r\n{lines}connection: close\r\n\r\n").as_bytes()))
}

/// Returns the code of an error, whose body has Graph's shape.
fn code(body: &str) -> String {
    let json: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    assert!(json["error"]["message"].is_string() && json["error"]["innerError"]["request-id"].is_string(), "{body}");
    json["error"]["code"].as_str().unwrap().to_owned()
}

const DEV: &str = "authorization: Bearer dev";

/// A page whose name means 127.0.0.1 by now still sends its name.
#[test]
fn on_loopback_only_names_of_this_machine_are_served() {
    let server = Server::start_with(&["--host", "presence.example", "--host", "Other.example"]);
    let port = server.base.rsplit(':').next().unwrap();
    let here = format!("host: localhost:{port}");
    let paths = [format!("/v1.0/users/{ADELE}/presence"), "/metrics".to_owned(), "/openapi.json".to_owned()];
    for path in &paths {
        for (version, hosts, status) in [
            ("1.1", &["host: localhost"] as &[&str], 200),
            ("1.1", &[here.as_str()], 200),
            ("1.1", &["HOST: LOCALHOST:1"], 200),
            ("1.1", &["host: 127.0.0.1:65535"], 200),
            ("1.1", &["host: 127.9.9.9"], 200),
            ("1.1", &["host: [::1]:80"], 200),
            ("1.1", &["host: presence.example:8080"], 200),
            ("1.1", &["host: OTHER.example"], 200),
            ("1.1", &["host: evil.example"], 421),
            ("1.1", &["host: localhost.evil.example:80"], 421),
            ("1.1", &["host: 10.0.0.1"], 421),
            ("1.1", &["host: 0.0.0.0"], 421),
            ("1.1", &[], 400),
            ("1.1", &["host:"], 400),
            ("1.1", &["host: localhost", "host: localhost"], 400),
            ("1.1", &["host: localhost", "host: evil.example"], 400),
            ("1.1", &["host: a@localhost"], 400),
            ("1.1", &["host: localhost:x"], 400),
            ("1.1", &["host: http://localhost/"], 400),
            // Proxies speak HTTP/1.0, in which there need be none.
            ("1.0", &[], 200),
            ("1.0", &["host: 127.0.0.1"], 200),
            ("1.0", &["host: evil.example"], 421),
            ("1.0", &["host: localhost", "host: localhost"], 400),
        ] {
            let line = format!("GET {path} HTTP/{version}");
            let (found, _, body) = ask(&server, &line, &[hosts, &[DEV]].concat());
            assert_eq!(found, status, "{line} {hosts:?}");
            match status {
                400 => assert_eq!(code(&body), "BadRequest"),
                421 => assert_eq!(code(&body), "MisdirectedRequest"),
                _ => {}
            }
        }
        // The authority of a target in absolute form counts. RFC 9112, section 3.2.2.
        for (authority, host, status) in [
            ("localhost:80", "host: evil.example", 200),
            ("presence.example", "host: localhost", 200),
            ("evil.example", "host: localhost", 421),
            ("localhost@evil.example", "host: localhost", 400),
            ("localhost", "x: no host", 400),
        ] {
            let line = format!("GET http://{authority}{path} HTTP/1.1");
            assert_eq!(ask(&server, &line, &[host, DEV]).0, status, "{line} {host}");
        }
    }
    assert_eq!(ask(&server, "GET evil.example HTTP/1.1", &["host: localhost", DEV]).0, 404, "it is no absolute form");
    // The name is checked before the token and the path, and a body does not end the connection.
    let mut stream = server.connect();
    let body = "{}".repeat(40_000);
    let head = format!("host: evil.example\r\ncontent-length: {}\r\n", body.len());
    stream.write_all(format!("POST /nowhere HTTP/1.1\r\n{head}\r\n{body}").as_bytes()).unwrap();
    let last = format!("GET {} HTTP/1.1\r\nhost: localhost\r\n{DEV}\r\nconnection: close\r\n\r\n", paths[0]);
    stream.write_all(last.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 421 ") && text.contains("HTTP/1.1 200 OK"), "{text}");
}

/// Browsers cannot connect to a Unix socket, and its clients send what they like: its names are only those that are given, if any.
#[test]
fn a_unix_socket_is_asked_under_any_name() {
    for (options, other) in [(&[] as &[&str], 200), (&["--host", "presence.example"], 421)] {
        let own = tempfile::TempDir::new().unwrap();
        let path = own.path().join("presence.sock");
        let place = format!("unix:{}", path.display());
        let mut command = program();
        command
            .args(["--listen", &place, "--dev-token", "dev"])
            .args(options)
            .arg("--data")
            .arg(own.path().join("data"));
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let statuses = ["localhost", "presence.example", "upstream", "a@b"].map(|host| {
            let mut stream = UnixStream::connect(&path).unwrap();
            let request = format!("GET /metrics HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            parse(&text).0
        });
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(statuses, [200, 200, other, 400], "{options:?}");
    }
}

#[test]
fn what_is_for_this_machine_is_refused_to_those_whom_a_proxy_asks_for() {
    let server = Server::start();
    let presence = format!("GET /v1.0/users/{ADELE}/presence HTTP/1.1");
    let advance = "POST /dev/advance?seconds=1 HTTP/1.1";
    let metrics = "GET /metrics HTTP/1.1";
    for header in [
        "Forwarded: for=192.0.2.1",
        "X-Forwarded-For: 192.0.2.1",
        "x-forwarded-host: presence.example",
        "X-Real-IP: 127.0.0.1",
        "Via: 1.1 proxy",
        "Via:",
    ] {
        for (line, token, direct, through) in [
            (presence.as_str(), "dev", 200, 403),
            (presence.as_str(), "teams", 200, 200),
            (presence.as_str(), "unknown", 401, 401),
            (advance, "dev", 200, 403),
            (advance, "teams", 403, 403),
            ("GET /admin/users HTTP/1.1", "dev", 200, 403),
            ("DELETE /presence/changes HTTP/1.1", "dev", 405, 403),
            (metrics, "", 200, 401),
            (metrics, "unknown", 200, 401),
            (metrics, "dev", 200, 403),
            (metrics, "self", 200, 403),
            (metrics, "reader", 200, 200),
            ("GET /openapi.json HTTP/1.1", "", 200, 401),
            ("GET /openapi.json HTTP/1.1", "dev", 200, 403),
            ("GET /openapi.json HTTP/1.1", "self", 200, 200),
            ("GET /health/ready HTTP/1.1", "", 200, 200),
        ] {
            let token = format!("authorization: Bearer {token}");
            let common = ["host: localhost", token.as_str(), "content-length: 0"];
            assert_eq!(ask(&server, line, &common).0, direct, "{line} {token}");
            let (status, _, body) = ask(&server, line, &[&common as &[_], &[header]].concat());
            assert_eq!(status, through, "{line} {token} {header}");
            match status {
                401 => assert_eq!(code(&body), "Unauthorized"),
                403 => assert_eq!(code(&body), "Forbidden"),
                _ => {}
            }
        }
    }
}

#[test]
fn nothing_is_kept_of_responses() {
    let server = Server::start();
    let presence = format!("/v1.0/users/{ADELE}/presence");
    let batch = format!(r#"{{"requests":[{{"id":"1","method":"get","url":"/users/{ADELE}/presence"}}]}}"#);
    for (method, path, body, status) in [
        ("GET", presence.clone(), "", 200),
        ("HEAD", presence.clone(), "", 200),
        ("GET", format!("{presence}/explain"), "", 200),
        ("GET", format!("/v1.0/users/{ADELE}"), "", 200),
        ("GET", format!("/communications/presences?$filter=id+in+('{ADELE}')"), "", 200),
        ("GET", "/admin/users".to_owned(), "", 200),
        ("GET", "/metrics".to_owned(), "", 200),
        ("POST", "/v1.0/$batch".to_owned(), &batch, 200),
        ("POST", format!("{presence}/clearUserPreferredPresence"), "", 200),
        ("POST", format!("{presence}/clearPresence"), &format!(r#"{{"sessionId":"{TEAMS}"}}"#), 404),
        ("DELETE", format!("/admin/users/{ADELE}"), "", 204),
        ("GET", "/nowhere".to_owned(), "", 404),
    ] {
        let headers = [("authorization", "Bearer dev"), ("content-type", "application/json")];
        let response = server.send(method, &path, &headers, body.as_bytes());
        let kept = (response.header("cache-control"), response.header("x-content-type-options"));
        assert_eq!((response.status, kept), (status, (Some("no-store"), Some("nosniff"))), "{method} {path}");
    }
    // Methods of a batch's elements are in any case, other than those below.
    let element = server.post("dev", "/v1.0/$batch", &serde_json::from_str(&batch).unwrap()).json();
    assert_eq!(element["responses"][0]["status"], 200);
}

/// RFC 9110, section 9.1.
#[test]
fn methods_are_case_sensitive() {
    let server = Server::start();
    let presence = format!("/v1.0/users/{ADELE}/presence");
    for (methods, path, allowed) in [
        (&["get", "Get", "head", "gET"] as &[&str], presence.as_str(), "GET, HEAD"),
        (&["get"], &format!("{presence}/explain"), "GET, HEAD"),
        (&["get"], "/v1.0/me", "GET, HEAD"),
        (&["post", "Post"], &format!("{presence}/setPresence"), "POST"),
        (&["post"], "/v1.0/$batch", "POST"),
        (&["get"], "/metrics", "GET, HEAD"),
        (&["get"], "/presence/changes", "GET, HEAD"),
        (&["delete"], &format!("/admin/users/{ADELE}"), "DELETE"),
        (&["post"], "/dev/advance", "POST"),
    ] {
        for method in methods {
            let line = format!("{method} {path} HTTP/1.1");
            let (status, head, body) =
                ask(&server, &line, &["host: localhost", "authorization: Bearer adele", "content-length: 0"]);
            assert_eq!((status, code(&body).as_str()), (405, "MethodNotAllowed"), "{line}");
            assert!(head.contains(&format!("allow: {}\r\n", allowed.to_lowercase())), "{line}: {head}");
        }
    }
    let nowhere = ask(&server, "get /nowhere HTTP/1.1", &["host: localhost", DEV]);
    assert_eq!(nowhere.0, 404, "rule H2: the path comes first");
}
