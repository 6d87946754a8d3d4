//! Tests of what one caller can take from the others: its share, and no more.

use crate::memory::{batch_of, bulk, leave_unread, reserved, set_longest_message};
use crate::support::{ADELE, OTHER, Server, numbered};
use serde_json::json;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};

/// The most of all 128 MiB that an application gets while nobody else has any.
const SHARE: usize = 112 << 20;
const SLOW: usize = 27;
const HALF_SENT: usize = 500;
const WRITES: u32 = 780;

/// Announces a body, and sends half of it.
fn send_half(server: &Server, token: &str) -> TcpStream {
    let mut stream = server.connect();
    let head = format!(
        "POST /v1.0/users/{ADELE}/presence/setPresence HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 131072\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server may have said no already.
    let _ = stream.write_all(&[b' '; 65_536]);
    stream
}

/// A read-only token whose clients take nothing of large responses and send only half of large bodies holds what its application
/// may, and refuses no write of another application.
#[test]
fn slow_clients_of_one_application_refuse_nothing_to_another() {
    let server = Server::start();
    set_longest_message(&server);
    let request = batch_of("reader", &[bulk("a", 650), bulk("b", 450)]);
    let _slow = leave_unread(&server, &request, SLOW);
    let _half_sent: Vec<_> = (0..HALF_SENT).map(|_| send_half(&server, "reader")).collect();
    let beyond = || server.metric("presence_throttled_total{limit=\"memory\",scope=\"application\"}");
    let held = reserved(&server);
    assert!((SHARE / 2..=SHARE).contains(&held), "{held}");
    assert!(beyond() > 0.0);
    let (next, refused) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let number @ ..WRITES = next.fetch_add(1, Ordering::Relaxed) {
                    let path = format!("/v1.0/users/{}/presence/setPresence", numbered(number));
                    let body = json!({"sessionId": OTHER, "availability": "Busy", "activity": "InACall"});
                    let is_refused = server.post("other", &path, &body).status != 200;
                    refused.fetch_add(is_refused.into(), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(refused.into_inner(), 0, "of {WRITES}");
    let ids: Vec<_> = (0..WRITES.min(650)).map(numbered).collect();
    let read = server.post("other", "/v1.0/communications/getPresencesByUserId", &json!({ "ids": ids }));
    assert_eq!(read.status, 200);
    assert!(read.json()["value"].as_array().unwrap().iter().all(|user| user["activity"] == "InACall"));
}

/// The rates of the command line: 429 with the seconds to wait, which other applications and developers do not notice.
#[test]
fn h2_rates_are_those_of_the_command_line() {
    let server = Server::start_with(&["--virtual-clock", "--application-rate", "20/3600", "--user-rate", "3/360"]);
    let path = format!("/v1.0/users/{ADELE}/presence");
    let statuses = |token: &str, count| -> Vec<u16> { (0..count).map(|_| server.get(token, &path).status).collect() };
    assert_eq!(statuses("adele", 4), [200, 200, 200, 429]);
    assert_eq!(statuses("self", 1), [429], "the same user by another token of the application");
    assert_eq!(statuses("teams", 18)[16..], [200, 429]);
    assert_eq!(statuses("bob", 1), [429], "users count for their application");
    let rejected = server.get("reader", &path);
    let seconds: u16 = rejected.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=180).contains(&seconds), "{rejected:?}");
    assert_eq!(rejected.error(), "TooManyRequests");
    assert_eq!((statuses("other", 1), statuses("dev", 30)), (vec![200], vec![200; 30]));
    // A virtual clock does not move it.
    server.advance(7200);
    assert_eq!(statuses("teams", 1), [429]);
}
