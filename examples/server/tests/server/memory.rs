//! Tests of the memory that responses hold which nobody reads.

use crate::support::{ADELE, Server};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

fn batch(elements: &[Value]) -> String {
    let body = json!({ "requests": elements }).to_string();
    format!(
        "POST /v1.0/$batch HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer adele\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends a request on so many connections; returns them when each response has begun, and its first bytes.
fn leave_unread(server: &Server, request: &str, connections: usize) -> Vec<(TcpStream, [u8; 12])> {
    let send = |_| {
        let mut stream = server.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        (stream, status)
    };
    (0..connections).map(send).collect()
}

fn bulk(id: &str) -> Value {
    json!({"id": id, "method": "POST", "url": "/communications/getPresencesByUserId",
        "headers": {"content-type": "application/json"}, "body": {"ids": vec![ADELE; 650]}})
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
    assert!(unread.iter().all(|(_, status)| status == b"HTTP/1.1 400"));
    // Their ids would take 41 MB.
    assert!(grown < 16 << 20, "{grown} bytes");
    assert_eq!(server.metric("presence_reserve_faults_total"), 0.0);
}

/// A user that asks for its own longest message again and again gets as many as fit a response, and 507 for the rest.
#[test]
fn h6_a_response_has_a_largest_size() {
    let server = Server::start();
    // DEL takes six bytes where it is written.
    let message = json!({"statusMessage": {"message": {"content": "\u{7f}".repeat(1120), "contentType": "text"}}});
    assert_eq!(server.post("adele", "/v1.0/me/presence/setStatusMessage", &message).status, 200);
    let clear = json!({"id": "e", "method": "POST", "url": "/me/presence/clearUserPreferredPresence"});
    let elements = [bulk("a"), bulk("b"), bulk("c"), json!({"id": "d", "method": "GET", "url": "/me/presence"}), clear];
    let response = server.post("adele", "/v1.0/$batch", &json!({ "requests": elements })).json();
    let statuses: Vec<_> =
        response["responses"].as_array().unwrap().iter().map(|response| &response["status"]).collect();
    assert_eq!(statuses, [200, 507, 507, 200, 200]);
    assert_eq!(response["responses"][1]["body"]["error"]["code"], "InsufficientStorage");
    let before = server.memory();
    let unread = leave_unread(&server, &batch(&elements), 8);
    let grown = server.memory().saturating_sub(before);
    assert!(unread.iter().all(|(_, status)| status == b"HTTP/1.1 200"));
    // Eight responses of at most 8 MiB each, and what one batch takes while it is served.
    assert!(grown < 96 << 20, "{grown} bytes");
    assert_eq!(server.metric("presence_reserve_faults_total"), 0.0);
}
