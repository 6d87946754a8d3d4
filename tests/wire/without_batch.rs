//! The wire without feature `batch`: single requests are served, batches and bulk reads are unknown paths.

use presence_core::directory::InlineDirectory;
use presence_core::graph::{Buffer, Caller, Context, Line, RawRequest, serve, serve_line};
use presence_core::{Instant, Policy, SessionId, UserId};

const ADELE: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";

type Store = InlineDirectory<UserId, SessionId, 4, 4>;

fn store() -> Store {
    InlineDirectory::with_policy(Policy::GRAPH)
}

fn context() -> Context<'static> {
    Context::new(Instant::ZERO, Caller::Trusted { me: UserId::parse(ADELE).ok() })
}

fn send(store: &mut Store, method: &str, target: &str, body: &str) -> (u16, String) {
    let request = RawRequest::new(method, target).with_content_type("application/json").with_body(body.as_bytes());
    let mut bytes = [0; 512];
    let mut response = Buffer::new(&mut bytes);
    let status = serve(&request, &context(), store, &mut response, &mut |_, _| {});
    (status, String::from_utf8(response.written().to_vec()).unwrap())
}

#[test]
fn h2_a_batch_and_a_bulk_read_are_unknown_paths() {
    let mut store = store();
    let bulk = format!(r#"{{"ids":["{ADELE}"]}}"#);
    let batch = r#"{"requests":[{"id":"1","method":"GET","url":"/me/presence"}]}"#;
    for (method, target, body) in [
        ("POST", "/communications/getPresencesByUserId", bulk.as_str()),
        ("GET", "/communications/getPresencesByUserId", ""),
        ("POST", "/v1.0/$batch", batch),
        ("GET", "/$batch", ""),
        ("GET", "/communications/presences?$filter=id in ('')", ""),
    ] {
        let (status, body) = send(&mut store, method, target, body);
        assert_eq!(status, 404, "{method} {target}");
        assert!(body.contains("Resource not found."), "{body}");
    }
}

#[test]
fn section_7_single_requests_are_served() {
    let mut store = store();
    let session = r#""sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f87""#;
    let set = format!(r#"{{{session},"availability":"Busy","activity":"InACall","expirationDuration":"PT1H"}}"#);
    assert_eq!(send(&mut store, "POST", "/me/presence/setPresence", &set), (200, String::new()));
    let (status, presence) =
        send(&mut store, "GET", "/communications/presences/FA8BF3DC-ECA7-46B7-BAD1-DB199B62AFC3", "");
    assert_eq!(status, 200);
    assert!(presence.contains(r#""availability":"Busy","activity":"InACall""#), "{presence}");
    let preferred = r#"{"availability":"Away","activity":"Away"}"#;
    assert_eq!(send(&mut store, "POST", "/me/presence/setUserPreferredPresence", preferred).0, 200);
    assert_eq!(send(&mut store, "POST", "/me/presence/clearUserPreferredPresence", "").0, 200);
    assert_eq!(send(&mut store, "POST", "/me/presence/clearPresence", &format!("{{{session}}}")).0, 200);
    assert_eq!(send(&mut store, "POST", "/me/presence/clearPresence", &format!("{{{session}}}")).0, 404);
}

#[test]
fn h7_paths_and_h9_bodies_as_clients_write_them() {
    let mut store = store();
    for (method, target, body, expected) in [
        ("POST", format!("/Users('{ADELE}')/presence/microsoft.graph.clearUserPreferredPresence/"), "null", 200),
        ("POST", format!("/communications/presences(%27{ADELE}%27)/CLEARUSERPREFERREDPRESENCE"), "\u{feff}{}", 200),
        ("GET", format!("/users('{ADELE}')/presence"), "", 200),
        ("HEAD", "/me/presence/".to_owned(), "", 200),
        ("GET", format!("/users({ADELE})/presence"), "", 404),
        ("GET", "/users('o''brien')/presence".to_owned(), "", 400),
    ] {
        let (status, response) = send(&mut store, method, &target, body);
        assert_eq!(status, expected, "{method} {target}");
        assert_eq!(response.is_empty(), method != "GET", "{method} {target}: {response}");
    }
    let raw = RawRequest::new("POST", "/me/presence/setPresence").with_content_encoding("gzip").with_body(b"\x1f");
    let mut bytes = [0; 512];
    assert_eq!(serve(&raw, &context(), &mut store, &mut Buffer::new(&mut bytes), &mut |_, _| {}), 415);
    let nobody = Context::new(Instant::ZERO, Caller::Trusted { me: None });
    assert_eq!(serve(&raw, &nobody, &mut store, &mut Buffer::new(&mut bytes), &mut |_, _| {}), 400);
}

#[test]
fn h5_a_line_is_still_an_element_of_a_batch() {
    let mut store = store();
    for (line, expected) in [
        (r#"{"id":"1","method":"POST","url":"/me/presence/clearUserPreferredPresence"}"#, r#"{"id":"1","status":200}"#),
        (r#"{"id":"2","method":"POST","url":"/$batch","body":{"requests":[]}}"#, r#"{"id":"2","status":404,"#),
    ] {
        let mut bytes = [0; 512];
        let mut response = Buffer::new(&mut bytes);
        serve_line(Line::parse(line.as_bytes()), &context(), &mut store, &mut response, &mut |_, _| {}).unwrap();
        let written = String::from_utf8(response.written().to_vec()).unwrap();
        assert!(written.starts_with(expected), "{written}");
    }
}
