//! Tests of the memory that responses hold which nobody reads.

use crate::support::{ADELE, Server, TEAMS};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

/// Returns a request of a batch by the caller with this token.
pub fn batch_of(token: &str, elements: &[Value]) -> String {
    let body = json!({ "requests": elements }).to_string();
    format!(
        "POST /v1.0/$batch HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn batch(elements: &[Value]) -> String {
    batch_of("adele", elements)
}

/// A connection on which a response has come that is not read any further than its head.
pub struct Unread {
    _stream: TcpStream,
    head: String,
}

impl Unread {
    pub fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub fn length(&self) -> usize {
        let line = self.head.lines().find_map(|line| line.strip_prefix("content-length: "));
        line.unwrap_or_else(|| panic!("{}", self.head)).parse().unwrap()
    }
}

/// Sends a request on so many connections; returns them when the head of each response has come.
pub fn leave_unread(server: &Server, request: &str, connections: usize) -> Vec<Unread> {
    let send = |_| {
        let mut stream = server.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        Unread { _stream: stream, head: String::from_utf8(head).unwrap() }
    };
    (0..connections).map(send).collect()
}

/// The bytes that are reserved for bodies and responses.
pub fn reserved(server: &Server) -> usize {
    server.metric("presence_reserved_bytes") as usize
}

/// The most of all 128 MiB that a signed-in user gets while nobody else has any: a fifth of seven eighths.
const SHARE: usize = 22_937 << 10;

/// Returns a body's length in whole permits of memory.
fn in_permits(bytes: usize) -> usize {
    bytes.next_multiple_of(1024)
}

/// Sets Adele's longest status message: each of its characters takes six bytes where it is written.
pub fn set_longest_message(server: &Server) {
    let message = json!({"statusMessage": {"message": {"content": "\u{7f}".repeat(1120), "contentType": "text"}}});
    assert_eq!(server.post("adele", "/v1.0/me/presence/setStatusMessage", &message).status, 200);
}

pub fn bulk(id: &str, count: usize) -> Value {
    json!({"id": id, "method": "POST", "url": "/communications/getPresencesByUserId",
        "headers": {"content-type": "application/json"}, "body": {"ids": vec![ADELE; count]}})
}

/// Ids that a response would repeat cost their sender a response of some hundred bytes.
#[test]
fn h5_long_ids_of_unread_responses_hold_nothing() {
    let server = Server::start();
    let id = |number: usize| format!("{number}{}", "x".repeat(52_000));
    let element = |number| json!({"id": id(number), "method": "GET", "url": "/me/presence"});
    let request = batch(&(0..20).map(element).collect::<Vec<_>>());
    // What one request takes while it is served.
    drop(leave_unread(&server, &request, 1));
    let before = server.memory();
    let unread = leave_unread(&server, &request, 40);
    let grown = server.memory().saturating_sub(before);
    assert!(unread.iter().all(|unread| unread.status() == "400" && unread.length() <= 512));
    assert_eq!(reserved(&server), 0);
    // Their ids would take 41 MB.
    assert!(grown < 16 << 20, "{grown} bytes");
    assert_eq!(server.metric("presence_reserve_faults_total"), 0.0);
}

/// A user that asks for its own longest message again and again gets as many as fit a response, and 507 for the rest.
#[test]
fn h6_a_response_has_a_largest_size() {
    let server = Server::start();
    set_longest_message(&server);
    let clear = json!({"id": "e", "method": "POST", "url": "/me/presence/clearUserPreferredPresence"});
    let elements = [
        bulk("a", 650),
        bulk("b", 650),
        bulk("c", 650),
        json!({"id": "d", "method": "GET", "url": "/me/presence"}),
        clear,
        json!({"id": "f", "method": "GET", "url": "/me/presence", "dependsOn": ["c"]}),
    ];
    let response = server.post("adele", "/v1.0/$batch", &json!({ "requests": elements })).json();
    let statuses: Vec<_> =
        response["responses"].as_array().unwrap().iter().map(|response| &response["status"]).collect();
    assert_eq!(statuses, [200, 200, 507, 200, 200, 424]);
    assert_eq!(response["responses"][2]["body"]["error"]["code"], "InsufficientStorage");
    let unread = leave_unread(&server, &batch(&elements), 1);
    assert!(unread[0].length() <= 9 << 20);
    assert_eq!(reserved(&server), in_permits(unread[0].length()));
    assert_eq!(server.metric("presence_reserve_faults_total"), 0.0);
}

/// Unread responses hold what is counted, up to the share of a user; then elements are rejected, and their errors are counted too.
/// Most is left to others, to users of the same application too.
#[test]
fn h6_unread_responses_hold_what_is_reserved_for_them() {
    let server = Server::start();
    set_longest_message(&server);
    // More than the kernel takes for a client that reads nothing.
    let id = |letter: &str| format!("{letter}{}", "\u{7f}".repeat(127));
    let request = batch(&[bulk(&id("a"), 650), bulk(&id("b"), 450)]);
    let mut unread: Vec<Unread> = Vec::new();
    // An error is so short that the kernel takes it at once, or soon.
    let (mut held, mut soon_released) = (0, 0);
    // As many as fit, and then some.
    while unread.len() < 20 {
        unread.extend(leave_unread(&server, &request, 1));
        let Some(last) = unread.last() else { break };
        *if last.length() > 4 << 20 { &mut held } else { &mut soon_released } += in_permits(last.length());
        assert_eq!(last.status(), "200");
        let reserved = reserved(&server);
        assert!((held..=held + soon_released).contains(&reserved), "{reserved}, not {held}");
        assert!(reserved <= SHARE);
    }
    assert!(held > SHARE - (9 << 20), "{held}");
    assert!(unread.last().unwrap().length() < 4096, "its elements were rejected");
    assert!(server.metric("presence_throttled_total{limit=\"memory\",scope=\"user\"}") > 0.0);
    for token in ["bob", "teams", "other"] {
        let responses = leave_unread(&server, &batch_of(token, &[bulk("a", 650), bulk("b", 450)]), 1);
        assert!(responses[0].length() > 4 << 20, "{token}");
    }
    assert_eq!(server.metric("presence_reserve_faults_total"), 0.0);
    // Those who hang up release their memory.
    drop(unread);
    while reserved(&server) > 0 {
        std::thread::yield_now();
    }
}

/// What is rendered once is rendered again after a change.
#[test]
fn h5_reads_of_a_batch_show_the_writes_between_them() {
    let server = Server::start();
    let read = |id: &str| bulk(id, 3);
    let act = |id: &str, action: &str, body: Value| {
        let url = format!("/me/presence/{action}");
        json!({"id": id, "method": "POST", "url": url, "headers": {"content-type": "application/json"}, "body": body})
    };
    let message = json!({"statusMessage": {"message": {"content": "lunch", "contentType": "text"}}});
    let busy = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H"});
    let clear = json!({ "sessionId": TEAMS });
    let batch = json!({"requests": [
        read("0"), act("1", "setPresence", busy), read("2"), read("3"), act("4", "setStatusMessage", message), read("5"),
        act("6", "clearPresence", clear), read("7"),
        {"id": "8", "method": "GET", "url": "/me/presence?$select=activity"}, {"id": "9", "method": "GET", "url": "/me/presence"},
    ]});
    let response = server.post("adele", "/v1.0/$batch", &batch).json();
    let body = |element: usize| &response["responses"][element]["body"];
    let shown =
        |presence: &Value| (presence["activity"].clone(), presence["statusMessage"]["message"]["content"].clone());
    let expected = [
        (0, json!("Offline"), Value::Null),
        (2, json!("InACall"), Value::Null),
        (3, json!("InACall"), Value::Null),
        (5, json!("InACall"), json!("lunch")),
        (7, json!("Offline"), json!("lunch")),
    ];
    for (element, activity, text) in expected {
        let all = body(element)["value"].as_array().unwrap();
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|one| shown(one) == (activity.clone(), text.clone())), "{element}: {all:?}");
    }
    assert_eq!(body(8)["activity"], "Offline");
    assert_eq!(body(8).as_object().unwrap().len(), 1);
    assert_eq!(shown(body(9)), (json!("Offline"), json!("lunch")));
    assert_eq!(server.metric("presence_reserve_faults_total"), 0.0);
}
