//! Limits, as numbers: a test fails if a constant of the library changes. Rules H1, H2, H5, section 7.

use super::server::{ADELE, Server, TEAMS, message};
use serde_json::{Value, json};

/// A line is an element of a batch.
fn status(line: &str) -> Value {
    Server::new().line(line).unwrap()["status"].take()
}

#[test]
fn h2_a_bulk_read_has_650_ids_at_most() {
    let mut server = Server::new();
    server.capacity = 1 << 20;
    for (count, expected) in [(0, 400), (1, 200), (650, 200), (651, 400)] {
        let (status, _) = server.post("/communications/getPresencesByUserId", &json!({"ids": vec![ADELE; count]}));
        assert_eq!(status, expected, "{count} ids");
    }
}

#[test]
fn h5_a_batch_has_20_elements_at_most() {
    let element = |place| json!({"id": format!("{place}"), "method": "GET", "url": format!("/users/{ADELE}/presence")});
    for (count, expected) in [(0, 400), (1, 200), (20, 200), (21, 400)] {
        let elements: Vec<_> = (0..count).map(element).collect();
        assert_eq!(Server::new().post("/$batch", &json!({"requests": elements})).0, expected, "{count} elements");
    }
}

#[test]
fn h2_a_body_has_a_mebibyte_at_most() {
    let clear = format!("/users/{ADELE}/presence/clearUserPreferredPresence");
    for (length, expected) in [(1_048_576, 200), (1_048_577, 413)] {
        let body = format!("{{}}{}", " ".repeat(length - 2));
        assert_eq!(Server::new().send("POST", &clear, None, body.as_bytes()).0, expected, "{length} bytes");
    }
}

#[test]
fn h2_a_line_has_4096_bytes_at_most() {
    let line = format!(r#"{{"id":"1","method":"GET","url":"/users/{ADELE}/presence"}}"#);
    for (length, expected) in [(4096, 200), (4097, 400)] {
        assert_eq!(status(&format!("{line}{}", " ".repeat(length - line.len()))), expected, "{length} bytes");
    }
}

/// Everything is accepted in its longest spelling: an escape for every byte.
#[test]
fn h2_everything_may_be_escaped() {
    let escaped = |text: &str| -> String { text.bytes().map(|byte| format!("\\u{byte:04x}")).collect() };
    let member = |name: &str, value: &str| format!(r#""{}":"{}""#, escaped(name), escaped(value));
    let body = [
        member("sessionId", &format!("{{{TEAMS}}}")),
        member("availability", "DoNotDisturb"),
        member("activity", "Presenting"),
        member("expirationDuration", &format!("PT{:0>29}S", 300)),
    ];
    let url = format!("/users/%7B{ADELE}%7D/presence/setPresence");
    let outside = [member("id", "1"), member("method", "POST"), member("url", &url)];
    let line = format!("{{{},\"{}\":{{{}}}}}", outside.join(","), escaped("body"), body.join(","));
    assert_eq!(status(&line), 200, "{line}");
}

/// The limit of a path that has escapes, after decoding.
#[test]
fn h5_an_escaped_url_has_256_bytes_at_most() {
    let path = format!("/users/{ADELE}/presence");
    for (length, expected) in [(256, 200), (257, 404)] {
        let host = "x".repeat(length - path.len() - "https://".len());
        let line = format!(r#"{{"id":"1","method":"GET","url":"https:\/\/{host}{path}"}}"#);
        assert_eq!(status(&line), expected, "{length} bytes");
    }
}

#[test]
fn m2_a_guid_has_hexadecimal_digits() {
    let mut server = Server::new();
    for place in [0, 7, 35] {
        for (digit, expected) in [("f", 200), ("F", 200), ("9", 200), ("g", 400), ("G", 400), (":", 400), ("@", 404)] {
            let mut id = ADELE.to_owned();
            id.replace_range(place..=place, digit);
            let (status, body) = server.get(&format!("/users/{id}/presence"));
            assert_eq!(status, expected, "{id}");
            assert!(status != 400 || message(&body) == "The provided [User] is not valid.");
        }
    }
}
