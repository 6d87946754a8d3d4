//! Nothing that is written has a character in it that may end a line for some reader, and maximum sizes count its escape.

use super::server::{ADELE, Server, TEAMS};
use presence_core::Instant;
use presence_core::graph::{Buffer, Caller, Context, Element, Line, RawRequest, Trace, json, serve, serve_line};
use proptest::prelude::*;
use serde_json::Value;

/// Reports whether each reader takes a text for one line, and no terminal obeys anything in it.
pub fn is_one_line(text: &str) -> bool {
    !text.chars().any(|character| character.is_control() || "\u{2028}\u{2029}".contains(character))
}

/// Texts with many characters that end lines, in JSON as callers may write it: escaped only as far as JSON requires.
pub fn texts() -> impl Strategy<Value = String> {
    let characters = prop_oneof![
        4 => proptest::sample::select(&['\u{2028}', '\u{2029}', '\u{85}', '\u{80}', '\u{9f}', '\u{7f}', '\n', '\u{1f}', '\0'][..]),
        2 => proptest::sample::select(&['\u{2027}', '\u{202a}', '\u{a0}', '\u{c2}', '\u{7e}', '"', '\\', 'â', '\u{e2}', '\u{a8}'][..]),
        1 => any::<char>(),
    ];
    proptest::collection::vec(characters, 0..20).prop_map(|characters| characters.into_iter().collect())
}

fn set(id: &Value) -> String {
    format!(
        r#"{{"id":{id},"method":"POST","url":"/users/{ADELE}/presence/setPresence","body":{{"sessionId":"{TEAMS}","availability":"Busy","activity":"InACall"}}}}"#
    )
}

/// Serves a line with room for so many bytes; `None` if not even the bare status fits.
fn line(server: &mut Server, text: &str, capacity: usize) -> Option<String> {
    let mut bytes = vec![0; capacity];
    let mut buffer = Buffer::new(&mut bytes);
    let context = Context::new(Instant::ZERO, Caller::Trusted { me: None });
    let parsed = Line::parse(text.as_bytes());
    let served = serve_line(parsed, &context, &mut server.directory, &mut buffer, &mut |_, _| {});
    served.ok().map(|()| String::from_utf8(buffer.written().to_vec()).unwrap())
}

proptest! {
    /// An id comes back as the same text on one line; an action runs only if it fits with its escapes. Rules H5, H6.
    #[test]
    fn h6_an_id_counts_with_its_escapes(id in texts()) {
        let id = Value::from(id);
        let request = set(&id);
        let response = line(&mut Server::new(), &request, 1000).unwrap();
        prop_assert!(is_one_line(&response), "{response:?}");
        let parsed: Value = serde_json::from_str(&response).unwrap();
        prop_assert_eq!((&parsed["id"], &parsed["status"]), (&id, &Value::from(200)));
        let element = Element::parse(json::Value::parse(request.as_bytes()).unwrap()).unwrap();
        prop_assert_eq!(response.len(), element.id_len() + r#"{"id":,"status":200}"#.len());
        prop_assert!(element.id_len() <= 6 * element.id().as_str().len());
        let mut server = Server::new();
        prop_assert_eq!(line(&mut server, &request, response.len() - 1), None);
        prop_assert!(server.directory.is_empty());
        prop_assert_eq!(line(&mut server, &request, response.len()), Some(response));
    }

    /// The same of the elements of a batch, whose responses may be written by an application.
    #[test]
    fn h6_ids_of_a_batch_count_with_their_escapes(ids in proptest::collection::hash_set(texts(), 1..5)) {
        let ids: Vec<_> = ids.into_iter().map(Value::from).collect();
        let requests: Vec<_> = ids.iter().map(set).collect();
        let body = format!(r#"{{"requests":[{}]}}"#, requests.join(","));
        let run = |server: &mut Server, capacity| {
            let mut bytes = vec![0; capacity];
            let mut buffer = Buffer::new(&mut bytes);
            let context = Context::new(Instant::ZERO, Caller::Trusted { me: None });
            let raw = RawRequest::new("POST", "/$batch").with_body(body.as_bytes());
            let status = serve(&raw, &context, &mut server.directory, &mut buffer, &mut |_, _| {});
            (status, String::from_utf8(buffer.written().to_vec()).unwrap())
        };
        let (status, text) = run(&mut Server::new(), 10_000);
        prop_assert_eq!(status, 200);
        prop_assert!(is_one_line(&text), "{text:?}");
        let parsed: Value = serde_json::from_str(&text).unwrap();
        for (response, id) in parsed["responses"].as_array().unwrap().iter().zip(&ids) {
            prop_assert_eq!((&response["id"], &response["status"]), (id, &Value::from(200)));
        }
        let mut server = Server::new();
        prop_assert_eq!(run(&mut server, text.len() - 1).0, 507);
        prop_assert!(server.directory.is_empty());
        prop_assert_eq!(run(&mut server, text.len()), (200, text));
        for request in &requests {
            let element = Element::parse(json::Value::parse(request.as_bytes()).unwrap()).unwrap();
            let mut bytes = vec![0; element.id_len() + 2 + 110];
            let mut buffer = Buffer::new(&mut bytes);
            element.write_response(429, Some(255), b"{}", &mut buffer).unwrap();
            prop_assert!(is_one_line(std::str::from_utf8(buffer.written()).unwrap()));
        }
    }

    /// What an application hands in as well: ids of requests, and the names of users.
    #[test]
    fn h1_a_trace_is_one_line(date in texts(), request_id in texts(), client_request_id in texts()) {
        let trace = Trace { date: Some(&date), request_id: Some(&request_id), client_request_id: Some(&client_request_id) };
        let mut bytes = [0; 1000];
        let mut buffer = Buffer::new(&mut bytes);
        presence_core::graph::Error::Pair.write(&trace, &mut buffer).unwrap();
        let text = std::str::from_utf8(buffer.written()).unwrap();
        prop_assert!(is_one_line(text), "{text:?}");
        let error = &serde_json::from_str::<Value>(text).unwrap()["error"]["innerError"];
        prop_assert_eq!(error["date"].as_str(), Some(date.as_str()));
        prop_assert_eq!(error["request-id"].as_str(), Some(request_id.as_str()));
        prop_assert_eq!(error["client-request-id"].as_str(), Some(client_request_id.as_str()));
    }
}
