//! Tests of probes: who may ask, and when the server is ready.

use crate::support::{ADELE, Server, TEAMS, numbered};
use serde_json::json;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// Sends a request with these headers and returns the response.
fn ask(server: &Server, line: &str, headers: &[&str]) -> (u16, String, String) {
    let mut stream = server.connect();
    let headers = headers.iter().map(|header| format!("{header}\r\n")).collect::<String>();
    stream.write_all(format!("{line}\r\n{headers}connection: close\r\n\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, head.to_ascii_lowercase(), body.to_owned())
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn probes_need_no_token_and_are_not_kept() {
    let server = Server::start();
    for (path, body) in [("/health/live", json!({"status": "live"})), ("/health/ready", json!({"status": "ready"}))] {
        for token in ["", "unknown", "dev", "adele"] {
            let response = server.get(token, path);
            assert_eq!((response.status, response.json()), (200, body.clone()), "{path} {token}");
            assert_eq!(response.header("cache-control"), Some("no-store"));
            let head = server.send("HEAD", path, &[], b"");
            assert_eq!((head.status, head.text.as_str()), (200, ""));
        }
        let wrong = server.send("POST", path, &[], b"");
        assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET, HEAD")));
    }
    assert_eq!(server.send("GET", "/health", &[], b"").status, 401);
}

/// A probe knows an address; a page in a browser has a name.
#[test]
fn probes_may_ask_under_any_address_and_no_other_name() {
    let own = tempfile::TempDir::new().unwrap();
    for options in [&[] as &[&str], &["--host", "presence.example"]] {
        let server = Server::start_on(&own.path().join(options.len().to_string()), options);
        for (host, probe, page) in [
            ("host: 127.0.0.1:1", 200, 200),
            ("host: 10.0.0.7:8080", 200, 421),
            ("host: 192.0.2.1", 200, 421),
            ("host: [2001:db8::7]:8080", 200, 421),
            ("host: evil.example", 421, 421),
            ("host: 10.0.0.7.evil.example", 421, 421),
            ("host: 10.0.0", 421, 421),
            ("host: 0x7f.1", 421, 421),
            ("host: a@b", 400, 400),
            ("x: y", 400, 400),
        ] {
            for (path, expected) in [("/health/live", probe), ("/health/ready", probe), ("/metrics", page)] {
                let (status, head, _) = ask(&server, &format!("GET {path} HTTP/1.1"), &[host]);
                assert_eq!(status, expected, "{path} {host}: {head}");
            }
        }
        assert_eq!(ask(&server, "GET /health/ready HTTP/1.0", &[]).0, 200);
    }
}

#[test]
fn a_server_on_a_full_disk_lives_and_is_not_ready() {
    let own = tempfile::TempDir::new().unwrap();
    let server = Server::start_on_full_disk(256, own.path(), &["--virtual-clock", "--users", "4000"]);
    assert_eq!(server.get("", "/health/ready").status, 200);
    let mut numbers = 0..;
    until("the disk is never full", || {
        server.set(&numbered(numbers.next().unwrap()), TEAMS, "Away", "PT1H").status == 503
    });
    let response = server.get("", "/health/ready");
    assert_eq!((response.status, response.json()), (503, json!({"status": "notReady", "reasons": ["diskFull"]})));
    assert_eq!(server.send("HEAD", "/health/ready", &[], b"").status, 503);
    assert_eq!(server.get("", "/health/live").status, 200);
    server.remove_size_limit();
    until("it is never ready again", || server.get("", "/health/ready").status == 200);
    assert_eq!(server.set(ADELE, TEAMS, "Away", "PT1H").status, 200);
}

#[test]
fn an_ending_server_is_not_ready_and_goes_on_serving_for_a_time() {
    let mut server = Server::start_with(&["--virtual-clock", "--drain-seconds", "300"]);
    server.terminate();
    until("it is always ready", || server.get("", "/health/ready").status == 503);
    let response = server.get("", "/health/ready");
    assert_eq!(response.json(), json!({"status": "notReady", "reasons": ["ending"]}));
    assert_eq!(response.header("connection"), Some("close"));
    assert_eq!(server.get("", "/health/live").status, 200);
    assert_eq!(server.set(ADELE, TEAMS, "Away", "PT1H").status, 200);
    server.kill();
    let mut server = Server::start_with(&["--drain-seconds", "1"]);
    server.terminate();
    assert!(server.wait().success());
}
