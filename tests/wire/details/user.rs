//! `GET /me` and `GET /users/{id}`: section 7.

use super::*;
use crate::line_ends::{is_one_line, texts};
use presence_core::graph::{Element, Line, Select, serve_line};
use proptest::prelude::*;

/// An environment that knows the names of one user.
struct Names<'a>(&'a str, &'a str);

impl Environment for Names<'_> {
    fn user(&self, principal_name: &str) -> Option<UserId> {
        (principal_name == self.0).then(|| user(ADELE))
    }

    fn principal_name(&self, asked: UserId, read: &mut dyn FnMut(&str)) {
        if asked == user(ADELE) {
            read(self.0);
            read("only the first call counts");
        }
    }

    fn display_name(&self, asked: UserId, read: &mut dyn FnMut(&str)) {
        if asked == user(ADELE) {
            read(self.1);
        }
    }
}

/// Serves a GET, and returns its status and the text of its body.
fn get(names: Option<&Names<'_>>, caller: Caller, target: &str) -> (u16, String) {
    let mut context = Context::new(Instant::ZERO, caller);
    context.environment = names.map(|names| names as &dyn Environment);
    let mut bytes = vec![0; Context::MAX_USER_LEN];
    let mut buffer = Buffer::new(&mut bytes);
    let raw = RawRequest::new("GET", target);
    let status = serve(&raw, &context, &mut Wire::new().users, &mut buffer, &mut |_, _| {});
    (status, String::from_utf8(buffer.written().to_vec()).unwrap())
}

const ME: Caller =
    Caller::Trusted { me: Some(UserId::from_bytes(0xfa8b_f3dc_eca7_46b7_bad1_db19_9b62_afc3_u128.to_be_bytes())) };

#[test]
fn section_7_what_is_known_of_a_user() {
    let names = Names("o'brien@x.com", "Adele \"Vance\"\n\\ é😀");
    let all = json!({"id": ADELE, "userPrincipalName": names.0, "displayName": names.1});
    for target in [
        "/me",
        "/v1.0/me/",
        "/beta/Me?$expand=x",
        &format!("/users/{ADELE}"),
        &format!("/v1.0/users('{ADELE}')"),
        "/users/o'brien%40x.com",
        "/users('o''brien@x.com')/",
    ] {
        let (status, text) = get(Some(&names), ME, target);
        assert_eq!((status, serde_json::from_str::<Value>(&text).unwrap()), (200, all.clone()), "{target}");
    }
    let (_, text) = get(Some(&names), ME, "/me");
    let places = ["\"id\"", "\"userPrincipalName\"", "\"displayName\""].map(|name| text.find(name).unwrap());
    assert!(places.is_sorted());
    let unknown = json!({"id": BOB, "userPrincipalName": null, "displayName": null});
    for names in [Some(&names), None] {
        let (status, text) = get(names, ME, &format!("/users/{BOB}"));
        assert_eq!((status, serde_json::from_str::<Value>(&text).unwrap()), (200, unknown.clone()));
    }
}

#[test]
fn section_7_select_of_a_user() {
    let names = Names("a@x.com", "A");
    for (query, expected) in [
        ("$select=displayName", r#"{"displayName":"A"}"#),
        ("$select=displayname,ID", &format!(r#"{{"id":"{ADELE}","displayName":"A"}}"#)),
        ("%24select=userPrincipalName%2Cmail,jobTitle", r#"{"userPrincipalName":"a@x.com"}"#),
        ("$select=mail,availability", "{}"),
    ] {
        assert_eq!(get(Some(&names), ME, &format!("/me?{query}")), (200, expected.to_owned()), "{query}");
    }
    assert!(Select::ALL.contains("displayName") && !Select::ALL.contains("mail"));
    let presence = Select::parse("?$select=id").unwrap();
    assert!(!presence.contains("userPrincipalName") && !presence.contains("displayName"));
    assert!(Select::parse("?$select=displayName").is_err(), "a presence has none");
}

#[test]
fn section_7_names_are_bounded() {
    for (principal_name, display_name, is_written) in
        [("x".repeat(320), "\u{1}".repeat(1024), true), ("x".repeat(321), "x".repeat(1025), false)]
    {
        let (status, text) = get(Some(&Names(&principal_name, &display_name)), ME, "/me");
        let body: Value = serde_json::from_str(&text).unwrap();
        let expected = |name: &str| if is_written { json!(name) } else { Value::Null };
        assert_eq!(status, 200);
        assert_eq!(body["displayName"], expected(&display_name));
        // One that is too long is nobody's, and is passed over for the next that the environment hands out.
        assert!(!is_written || body["userPrincipalName"] == principal_name);
    }
    for escaped in ["\u{1}", "\u{7f}"] {
        let (status, text) = get(Some(&Names(&escaped.repeat(320), &escaped.repeat(1024))), ME, "/me");
        assert_eq!((status, text.len()), (200, Context::MAX_USER_LEN));
    }
}

#[test]
fn section_7_who_may_read_a_user() {
    let application = session(TEAMS);
    let others = format!("/users/{BOB}");
    for permission in [Permissions::READ, Permissions::READ_ALL, Permissions::READ_WRITE, Permissions::READ_WRITE_ALL] {
        let delegated = Caller::Delegated { application, user: user(ADELE), permissions: permission };
        assert_eq!((get(None, delegated, "/me").0, get(None, delegated, &others).0), (200, 200), "{permission:?}");
        let alone = Caller::Application { application, permissions: permission };
        assert_eq!((get(None, alone, "/me").0, get(None, alone, &others).0), (400, 200), "{permission:?}");
    }
    let delegated = Caller::Delegated { application, user: user(ADELE), permissions: Permissions::EMPTY };
    let alone = Caller::Application { application, permissions: Permissions::EMPTY };
    assert_eq!([get(None, delegated, "/me").0, get(None, alone, &others).0], [403, 403]);
    assert_eq!(get(None, Caller::Trusted { me: None }, "/me").0, 400);
}

/// Rule M5: unknown users, and names that are nobody's, are not found. Rule H2: the path, then the method, then the id.
#[test]
fn m5_unknown_users_are_not_found() {
    let known = |id| id == user(BOB);
    let mut users = Wire::new().users;
    for (method, target, expected) in [
        ("GET", format!("/users/{ADELE}"), 404),
        ("GET", format!("/users/{BOB}"), 200),
        ("GET", "/me".to_owned(), 404),
        ("GET", "/users/nobody@x.com".to_owned(), 404),
        ("POST", "/users/nobody@x.com".to_owned(), 404),
        ("POST", "/users/7".to_owned(), 405),
        ("GET", "/users/7".to_owned(), 400),
        ("PATCH", "/me".to_owned(), 405),
    ] {
        let context = Context::new(Instant::ZERO, ME).with_known_users(&known).with_environment(&World);
        let mut bytes = [0; 500];
        let mut buffer = Buffer::new(&mut bytes);
        let raw = RawRequest::new(method, &target);
        assert_eq!(serve(&raw, &context, &mut users, &mut buffer, &mut |_, _| {}), expected, "{method} {target}");
    }
}

/// What a light's first batch is; an error in it would stop the light.
#[test]
fn h5_the_user_and_the_presence_in_a_batch() {
    let mut wire = Wire::new();
    let batch = json!({"requests": [
        {"id": "1", "method": "GET", "url": "/me"},
        {"id": "2", "method": "GET", "url": "/me/presence", "dependsOn": ["1"]},
        {"id": "3", "method": "GET", "url": "/users/nobody@x.com?$select=id"},
        {"id": "4", "method": "GET", "url": format!("/users/{BOB}?$select=id")},
    ]});
    let (status, body) = wire.send("POST", "/v1.0/$batch", &batch.to_string());
    let responses = body["responses"].as_array().unwrap();
    let statuses: Vec<_> = responses.iter().map(|response| response["status"].as_u64().unwrap()).collect();
    assert_eq!((status, &statuses[..]), (200, &[200, 200, 404, 200][..]));
    assert_eq!((&responses[0]["body"]["id"], &responses[3]["body"]), (&json!(ADELE), &json!({"id": BOB})));

    // Rule H6: what does not fit is 507 in its place, on a line too.
    let known = |id| id == user(BOB);
    let context = Context::new(Instant::ZERO, ME).with_known_users(&known);
    for (owner, capacity, expected) in [(BOB, 200, 200), (BOB, 60, 507), (ADELE, 200, 404)] {
        let text = json!({"id": "1", "method": "GET", "url": format!("/users/{owner}")}).to_string();
        let line = presence_core::graph::Line::parse(text.as_bytes());
        let mut bytes = vec![0; capacity];
        let mut buffer = Buffer::new(&mut bytes);
        presence_core::graph::serve_line(line, &context, &mut wire.users, &mut buffer, &mut |_, _| {}).unwrap();
        let response: Value = serde_json::from_slice(buffer.written()).unwrap();
        assert_eq!(response["status"], expected, "{response}");
    }
    let element = presence_core::graph::json::Value::parse(br#"{"id":"1","method":"GET","url":"/me?$select=id"}"#);
    let element = Element::parse(element.unwrap()).unwrap();
    let request = element.request(&context, &Policy::GRAPH);
    assert!(matches!(request, Ok(presence_core::graph::Request::GetUser { select, .. }) if select.contains("id")));
}

proptest! {
    #[test]
    fn section_7_names_are_one_line(principal_name in texts(), display_name in texts()) {
        let (_, text) = get(Some(&Names(&principal_name, &display_name)), ME, "/me");
        prop_assert!(is_one_line(&text), "{text:?}");
        let body: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(body["userPrincipalName"].as_str(), Some(principal_name.as_str()));
        prop_assert_eq!(body["displayName"].as_str(), Some(display_name.as_str()));
    }
}

/// A user who does not exist is 404, whoever asks how: over HTTP, for the head alone, in a batch and on a line.
#[test]
fn section_7_an_unknown_user_is_not_found() {
    let is_known = |id: UserId| id == user(ADELE);
    let context = Context::new(Instant::ZERO, ME).with_known_users(&is_known);
    for (id, expected) in [(ADELE, 200), (BOB, 404)] {
        let written = |serve: &mut dyn FnMut(&mut Wire, &mut Buffer<'_>) -> u16| {
            let mut bytes = [0; 1000];
            let mut buffer = Buffer::new(&mut bytes);
            let status = serve(&mut Wire::new(), &mut buffer);
            (status, String::from_utf8(buffer.written().to_vec()).unwrap())
        };
        let target = format!("/users/{id}");
        for method in ["GET", "HEAD"] {
            let raw = RawRequest::new(method, &target);
            let (status, body) = written(&mut |wire, out| serve(&raw, &context, &mut wire.users, out, &mut |_, _| {}));
            assert_eq!((status, body.is_empty()), (expected, method == "HEAD"), "{method} {id}");
        }
        let element = format!(r#"{{"id":"1","method":"GET","url":"{target}"}}"#);
        let batch = format!(r#"{{"id":"0","method":"POST","url":"/$batch","body":{{"requests":[{element}]}}}}"#);
        for line in [element, batch] {
            let line = Line::parse(line.as_bytes());
            let mut serve = |wire: &mut Wire, out: &mut Buffer<'_>| {
                serve_line(line, &context, &mut wire.users, out, &mut |_, _| {}).unwrap();
                0
            };
            let (_, text) = written(&mut serve);
            assert!(text.contains(&format!(r#""id":"1","status":{expected}"#)), "{text}");
        }
    }
}
