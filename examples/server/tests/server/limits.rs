//! Tests of the limits: hostile and fast clients get the right status, and cost bounded memory.

use crate::support::{ADELE, BOB, Server, TEAMS};
use serde_json::json;
use std::io::{Read, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

fn post(path: &str, headers: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n{headers}\r\n{body}")
}

fn path() -> String {
    format!("/v1.0/users/{ADELE}/presence/setPresence")
}

fn status(response: &str) -> u16 {
    response
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("no response: {response:?}"))
}

/// Returns the error code in the body of the first response.
fn code(response: &str) -> String {
    let body = response.split("\r\n\r\n").nth(1).unwrap_or_default();
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {response:?}"));
    body["error"]["code"].as_str().unwrap().to_owned()
}

#[test]
fn h1_requests_beyond_the_limit_get_a_time_to_retry() {
    let server = Server::start_with(&["--virtual-clock", "--requests", "1"]);
    let rejected = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let began = Instant::now();
                while rejected.lock().unwrap().is_none() {
                    let response = server.set(ADELE, TEAMS, "InACall", "PT5M");
                    match response.status {
                        200 => assert!(began.elapsed() < Duration::from_secs(60), "never throttled"),
                        _ => *rejected.lock().unwrap() = Some(response),
                    }
                }
            });
        }
    });
    let rejected = rejected.into_inner().unwrap().unwrap();
    let seconds: u8 = rejected.header("retry-after").unwrap().parse().unwrap();
    assert!(rejected.status == 429 && (1..=180).contains(&seconds), "{rejected:?}");
    assert_eq!(rejected.error(), "TooManyRequests");
    let metrics = server.get("dev", "/metrics").text;
    let mut counts = metrics.lines().filter(|line| line.starts_with("presence_throttled_total{limit=\"requests\""));
    assert!(counts.any(|line| !line.ends_with(" 0")), "{metrics}");
    // The permit is released.
    assert_eq!(server.set(ADELE, TEAMS, "InACall", "PT5M").status, 200);
}

/// Opens connections that announce a body of this length, and send none of it.
fn announce(server: &Server, token: &str, clients: usize, length: usize) -> Vec<std::net::TcpStream> {
    let headers = format!("content-type: application/json\r\ncontent-length: {length}\r\n");
    let head = post(&path(), &headers, "").replace("Bearer dev", &format!("Bearer {token}"));
    let silent: Vec<_> = (0..clients).map(|_| server.connect()).collect();
    silent.iter().for_each(|mut stream| stream.write_all(head.as_bytes()).unwrap());
    // Let the server read all of them first.
    std::thread::sleep(Duration::from_millis(300));
    silent
}

/// Asserts that other clients are served.
fn assert_served(server: &Server) {
    let ids = json!({"ids": vec![ADELE; 650]});
    for _ in 0..4 {
        assert_eq!(server.set(ADELE, TEAMS, "InACall", "PT5M").status, 200);
        assert_eq!(server.post("dev", "/v1.0/communications/getPresencesByUserId", &ids).status, 200);
    }
}

#[test]
fn announced_bodies_reserve_no_memory() {
    let server = Server::start();
    let silent = announce(&server, "dev", 200, 1 << 20);
    assert_served(&server);
    drop(silent);
}

#[test]
fn a_request_holds_no_permit_while_its_body_comes() {
    let server = Server::start_with(&["--virtual-clock", "--requests", "4"]);
    let mut silent = [announce(&server, "unknown", 100, 10), announce(&server, "dev", 100, 10)];
    assert_served(&server);
    // They get their response in the end.
    for (silent, expected) in silent.iter_mut().zip([b"HTTP/1.1 401", b"HTTP/1.1 400"]) {
        let mut response = [0; 12];
        silent[0].write_all(b"0123456789").unwrap();
        silent[0].read_exact(&mut response).unwrap();
        assert_eq!(&response, expected);
    }
}

#[test]
fn a_large_body_that_comes_in_pieces_is_read_whole() {
    let server = Server::start();
    let ids = format!("{{\"ids\":[\"{ADELE}\"{}]}}", " ".repeat(1_000_000));
    let url = "/v1.0/communications/getPresencesByUserId";
    let known = format!("content-length: {}\r\n", ids.len());
    let unknown: String = ids
        .as_bytes()
        .chunks(9000)
        .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), std::str::from_utf8(chunk).unwrap()))
        .collect();
    let unknown = unknown + "0\r\n\r\n";
    for (headers, body) in [(known.as_str(), &ids), ("transfer-encoding: chunked\r\n", &unknown)] {
        let headers = format!("{headers}content-type: application/json\r\nconnection: close\r\n");
        let response = server.raw(post(url, &headers, body).as_bytes());
        assert_eq!(status(&response), 200, "{response}");
        assert!(response.contains(ADELE));
    }
}

#[test]
fn a_slow_body_times_out() {
    let server = Server::start();
    let began = Instant::now();
    let response =
        server.raw(post(&path(), "content-type: application/json\r\ncontent-length: 10\r\n", "{").as_bytes());
    assert_eq!((status(&response), code(&response).as_str()), (408, "RequestTimeout"));
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_slow_head_times_out() {
    let server = Server::start();
    let mut stream = server.connect();
    let began = Instant::now();
    // Single bytes do not extend the time.
    let mut writer = stream.try_clone().unwrap();
    let head = post(&path(), &format!("x: {}\r\n", "y".repeat(100)), "");
    let bytes = head.len();
    let sending = std::thread::spawn(move || {
        head.bytes().position(|byte| {
            std::thread::sleep(Duration::from_millis(500));
            writer.write_all(&[byte]).is_err()
        })
    });
    let mut response = String::new();
    let _ = stream.read_to_string(&mut response);
    assert_eq!((status(&response), code(&response).as_str()), (408, "RequestTimeout"));
    assert!(response.contains("\r\nrequest-id: ") && response.contains("\r\nclient-request-id: "), "{response}");
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
    // It ended long before the head did, however busy this machine is.
    let sent = sending.join().unwrap().unwrap_or(bytes);
    assert!(sent < bytes / 2, "{sent} of {bytes} bytes");
}

/// Returns a read whose head has exactly this many bytes, with a token of another provider's length.
fn head_of(bytes: usize) -> String {
    let head = format!("GET /v1.0/users/{ADELE}/presence HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    let token = "y".repeat(bytes - head.len() - "authorization: Bearer \r\n\r\n".len());
    format!("{head}authorization: Bearer {token}\r\n\r\n")
}

#[test]
fn a_head_has_up_to_64_kib_and_100_headers() {
    let server = Server::start();
    for (bytes, expected) in [(60 << 10, 401), (64 << 10, 401), ((64 << 10) + 1, 431), (100_000, 431)] {
        assert_eq!(status(&server.raw(head_of(bytes).as_bytes())), expected, "{bytes}");
    }
    // As `encodeURIComponent` and as cautious clients escape 650 ids, with a token as long as those of large organisations.
    for (quote, hyphen) in [("'", "-"), ("%27", "-"), ("%27", "%2D")] {
        let id = format!("{quote}{}{quote}", ADELE.replace('-', hyphen));
        let filter = format!("id%20in%20%28{}%29", [id.as_str(); 650].join("%2C%20"));
        let head = format!(
            "GET /communications/presences?%24filter={filter} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        );
        let rejected = format!("{head}authorization: Bearer {}\r\n\r\n", "y".repeat(20_000));
        assert_eq!(status(&server.raw(rejected.as_bytes())), 401);
        assert_eq!(status(&server.raw(format!("{head}authorization: Bearer dev\r\n\r\n").as_bytes())), 200);
    }
    // Five headers are there already.
    for (more, expected) in [(95, 400), (96, 431), (200, 431)] {
        let headers: String = (0..more).map(|number| format!("x-{number}: y\r\n")).collect();
        let headers = format!("content-type: application/json\r\ncontent-length: 0\r\nconnection: close\r\n{headers}");
        assert_eq!(status(&server.raw(post(&path(), &headers, "").as_bytes())), expected, "{more}");
    }
}

#[test]
fn a_too_large_body_is_rejected_and_not_buffered() {
    let server = Server::start();
    let before = server.memory();
    for _ in 0..5 {
        let large = vec![b' '; 10 << 20];
        let response = server.send("POST", &path(), &[("content-type", "application/json")], &large);
        assert_eq!((response.status, response.error().as_str()), (413, "RequestEntityTooLarge"));
        // Chunked, so that the length is not known before.
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        let chunked = post(&path(), "connection: close\r\ntransfer-encoding: chunked\r\n", &chunk.repeat(17));
        let response = server.raw(format!("{chunked}0\r\n\r\n").as_bytes());
        assert_eq!((status(&response), code(&response).as_str()), (413, "RequestEntityTooLarge"));
        let unknown = format!("{chunked}0\r\n\r\n").replace("Bearer dev", "Bearer unknown");
        assert_eq!(status(&server.raw(unknown.as_bytes())), 413, "H2: the size comes before the token");
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 32 << 20, "{grown} bytes more");
}

#[test]
fn malformed_bodies_are_rejected() {
    let server = Server::start();
    let deep = "[".repeat(100_000);
    let nested = format!("{}1{}", "{\"a\":".repeat(1000), "}".repeat(1000));
    for body in [
        b"\xff\xfe{}".as_slice(),
        b"{\"sessionId\":\"\xff\"}",
        deep.as_bytes(),
        nested.as_bytes(),
        b"{",
        b"null",
        b"[]",
    ] {
        let headers = [("authorization", "Bearer dev"), ("content-type", "application/json")];
        let response = server.send("POST", &path(), &headers, body);
        assert_eq!((response.status, response.error().as_str()), (400, "InvalidArgument"));
    }
}

#[test]
fn unusual_spellings_of_paths_are_unknown() {
    let server = Server::start();
    for path in [
        "/v1.0/../v1.0/me/presence",
        "//v1.0/me/presence",
        "/v1.0//me/presence",
        "/v1.0/me%2Fpresence",
        "/v1.0/users/%2e%2e/presence/../presence",
        "/v1.0/users/a%2Fb/presence/x",
        "/metrics/..",
        "/presence/changes/",
        "/",
        "/v1.0/users//presence",
        "/%00",
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer adele\r\n\r\n"
        );
        let response = server.raw(request.as_bytes());
        assert_eq!((status(&response), code(&response).as_str()), (404, "NotFound"), "{path}");
    }
}

#[test]
fn requests_on_one_connection_are_answered_in_order() {
    let server = Server::start();
    let set = r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f87","availability":"Busy","activity":"InACall"}"#;
    let headers = format!("content-type: application/json\r\ncontent-length: {}\r\n", set.len());
    let get = format!(
        "GET /v1.0/users/{ADELE}/presence HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\nconnection: close\r\n\r\n"
    );
    let response = server.raw(format!("{}{get}", post(&path(), &headers, set)).as_bytes());
    let responses: Vec<_> = response.split("HTTP/1.1 200 OK").collect();
    assert_eq!(responses.len(), 3, "{response}");
    assert!(responses[2].contains("InACall"));
}

#[test]
fn malformed_http_is_rejected_and_affects_no_other_client() {
    let server = Server::start();
    for request in [
        "GET\r\n\r\n".to_owned(),
        "\x00\x01\x02\r\n\r\n".to_owned(),
        post(&path(), "content-length: x\r\n", ""),
        post(&path(), "content-length: 5\r\ncontent-length: 6\r\n", "hello"),
        post(&path(), "transfer-encoding: chunked\r\n", "zz\r\nx\r\n0\r\n\r\n"),
    ] {
        let response = server.raw(request.as_bytes());
        assert_eq!(status(&response), 400, "{request:?}");
    }
    assert_eq!(server.set(BOB, TEAMS, "InACall", "PT5M").status, 200);
}

#[test]
fn m5_a_full_server_rejects_new_users_and_keeps_its_users() {
    let server = Server::start_with(&["--virtual-clock", "--users", "1"]);
    assert_eq!(server.set(ADELE, TEAMS, "InACall", "PT5M").status, 200);
    let rejected = server.set(BOB, TEAMS, "InACall", "PT5M");
    assert_eq!((rejected.status, rejected.error().as_str()), (507, "InsufficientStorage"));
    assert_eq!(server.activity(ADELE).0, "InACall");
    for number in 1..8 {
        let session = format!("{number:08x}-0000-4000-8000-000000000000");
        assert_eq!(server.set(ADELE, &session, "Away", "PT5M").status, 200);
    }
    let rejected = server.set(ADELE, BOB, "Away", "PT5M");
    assert_eq!((rejected.status, rejected.error().as_str()), (507, "InsufficientStorage"));
    assert_eq!(server.set(ADELE, TEAMS, "Away", "PT5M").status, 200, "S9: replacing needs no slot");
}

#[test]
fn metrics_count_requests() {
    let server = Server::start();
    server.set(ADELE, TEAMS, "InACall", "PT5M");
    server.get("unknown", "/v1.0/me/presence");
    server.post("dev", &path(), &json!({}));
    let set = |status: u16| {
        server.metric(&format!("presence_requests_total{{operation=\"setPresence\",status=\"{status}\"}}"))
    };
    assert_eq!((set(200), set(400)), (1.0, 1.0));
    assert_eq!(server.metric("presence_requests_total{operation=\"getPresence\",status=\"401\"}"), 1.0);
    assert!(server.metric("presence_journal_flush_seconds_count") >= 1.0);
}

#[test]
fn m5_s9_a_user_with_a_message_keeps_its_slot_until_the_message_is_removed_or_expires() {
    let server = Server::start_with(&["--virtual-clock", "--users", "1"]);
    let path = |user: &str| format!("/v1.0/users/{user}/presence/setStatusMessage");
    let message = |text: &str| json!({"statusMessage": {"message": {"content": text, "contentType": "text"}}});
    let brief = json!({"statusMessage": {"message": {"content": "brief", "contentType": "text"},
        "expiryDateTime": {"dateTime": "2100-01-01T00:00:00", "timeZone": "UTC"}}});
    assert_eq!(server.post("dev", &path(ADELE), &message("here")).status, 200);
    assert_eq!(server.set(BOB, TEAMS, "InACall", "PT4H").status, 507);
    assert_eq!(server.post("dev", &path(BOB), &message("me too")).status, 507);
    // Changing or removing it needs no slot.
    for text in ["there", ""] {
        assert_eq!(server.post("dev", &path(ADELE), &message(text)).status, 200, "{text}");
        assert_eq!(server.presence(ADELE)["statusMessage"]["message"]["content"].as_str().unwrap_or_default(), text);
    }
    assert_eq!(server.post("dev", &path(BOB), &brief).status, 200);
    assert_eq!(server.set(ADELE, TEAMS, "InACall", "PT4H").status, 507);
    // Due transitions free slots, be it of a message or of a session.
    server.advance(100 * 366 * 86_400);
    assert_eq!(server.set(ADELE, TEAMS, "InACall", "PT4H").status, 200);
    server.advance(5 * 3600);
    assert_eq!(server.post("dev", &path(BOB), &message("here")).status, 200);
}

#[test]
fn a_user_without_details_takes_no_slot() {
    let server = Server::start_with(&["--virtual-clock", "--users", "1"]);
    let nothing = json!({"isOutOfOffice": false});
    assert_eq!(server.post("dev", &format!("/dev/users/{ADELE}/outOfOffice"), &nothing).status, 200);
    let message = json!({"statusMessage": {"message": {"content": "here", "contentType": "text"}}});
    assert_eq!(server.post("dev", &format!("/v1.0/users/{BOB}/presence/setStatusMessage"), &message).status, 200);
}

#[test]
fn an_out_of_office_message_is_a_string() {
    let server = Server::start();
    let body = json!({"isOutOfOffice": false, "message": {}});
    assert_eq!(server.post("dev", &format!("/dev/users/{ADELE}/outOfOffice"), &body).status, 400);
}

#[test]
fn unread_responses_to_batches_hold_bounded_memory() {
    let server = Server::start();
    let ids = vec![ADELE; 650];
    let read = json!({"ids": ids});
    let elements: Vec<_> = (0..20)
        .map(|number| {
            json!({"id": number.to_string(), "method": "POST", "url": "/communications/getPresencesByUserId",
                "headers": {"content-type": "application/json"}, "body": read})
        })
        .collect();
    let batch = json!({ "requests": elements }).to_string();
    let headers = format!("content-type: application/json\r\ncontent-length: {}\r\n", batch.len());
    let request = post("/v1.0/$batch", &headers, &batch);
    // They would take 400 MB; the limit for all responses is 128 MiB.
    let unread: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(request.as_bytes()).unwrap();
            // The response has begun.
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            stream
        })
        .collect();
    let resident = server.memory();
    assert!(resident < 220 << 20, "{resident} bytes");
    drop(unread);
}
