//! Tests of section 7: every operation of the table, on all its paths.

use crate::support::{ADELE, BOB, OTHER, Response, Server, TEAMS, numbered};
use serde_json::{Value, json};

/// Returns every path of one user's presence, with a token that may use it.
fn paths() -> Vec<(String, &'static str)> {
    let mut paths = Vec::new();
    for version in ["/v1.0", "/beta"] {
        paths.push((format!("{version}/users/{ADELE}/presence"), "teams"));
        paths.push((format!("{version}/communications/presences/{ADELE}"), "teams"));
        paths.push((format!("{version}/me/presence"), "adele"));
    }
    paths.push((format!("/v1.0/users/%7B{}%7D/presence", ADELE.to_uppercase()), "teams"));
    paths
}

fn assert_empty(response: &Response) {
    assert_eq!((response.status, response.text.as_str()), (200, ""), "{response:?}");
    assert_eq!(response.header("content-type"), None);
    assert_eq!(response.header("content-length"), Some("0"));
}

#[test]
fn section_7_sessions_and_preferred_presence_on_every_path() {
    let server = Server::start();
    let call = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall"});
    let hidden = json!({"availability": "Offline", "activity": "OffWork", "expirationDuration": "PT8H"});
    for (path, token) in paths() {
        let activity = || server.get(token, &path).json()["activity"].as_str().unwrap().to_owned();
        assert_empty(&server.post(token, &format!("{path}/setPresence"), &call));
        assert_eq!(activity(), "InACall", "{path}");
        assert_empty(&server.post(token, &format!("{path}/setUserPreferredPresence"), &hidden));
        assert_eq!(activity(), "OffWork", "A2 {path}");
        assert_empty(&server.post_empty(token, &format!("{path}/clearUserPreferredPresence")));
        assert_empty(&server.post(token, &format!("{path}/clearUserPreferredPresence"), &json!({})));
        assert_eq!(activity(), "InACall", "U4 {path}");
        let session = json!({"sessionId": TEAMS});
        assert_empty(&server.post(token, &format!("{path}/clearPresence"), &session));
        assert_eq!(activity(), "Offline", "S6 {path}");
        let again = server.post(token, &format!("{path}/clearPresence"), &session);
        assert_eq!((again.status, again.error().as_str()), (404, "NotFound"), "S5 {path}");
    }
}

#[test]
fn h3_a_presence_object_has_its_members_in_order() {
    let server = Server::start();
    server.set(ADELE, TEAMS, "InACall", "PT1H");
    let response = server.get("teams", &format!("/v1.0/users/{ADELE}/presence"));
    let names =
        ["id", "availability", "activity", "outOfOfficeSettings", "statusMessage", "sequenceNumber", "workLocation"];
    let positions: Vec<_> = names.iter().map(|name| response.text.find(&format!("\"{name}\":"))).collect();
    assert!(positions.iter().all(Option::is_some) && positions.is_sorted(), "{response:?}");
    assert_eq!(response.json()["sequenceNumber"], "A0000000001", "V1");
}

#[test]
fn h3_a_bulk_read_keeps_the_order_of_its_ids() {
    let server = Server::start();
    let users: Vec<String> = (0..325).map(numbered).collect();
    for user in users.iter().step_by(50) {
        server.set(user, TEAMS, "Presenting", "PT1H");
    }
    // Rule H2: each id twice.
    let ids: Vec<&String> = users.iter().chain(users.iter().rev()).collect();
    for path in ["/v1.0/communications/getPresencesByUserId", "/beta/communications/getPresencesByUserId"] {
        let response = server.post("teams", path, &json!({"ids": ids})).json();
        let value = response["value"].as_array().unwrap();
        assert_eq!(value.len(), 650);
        for (presence, user) in value.iter().zip(&ids) {
            assert_eq!(presence["id"].as_str(), Some(user.as_str()));
            let number = users.iter().position(|other| other == *user).unwrap();
            let expected = if number % 50 == 0 { "Presenting" } else { "Offline" };
            assert_eq!(presence["activity"], expected);
        }
    }
    let more: Vec<String> = (0..651).map(numbered).collect();
    let rejected = server.post("teams", "/v1.0/communications/getPresencesByUserId", &json!({"ids": more}));
    assert_eq!((rejected.status, rejected.error().as_str()), (400, "InvalidArgument"));
}

fn set(id: &str, user: &str, session: &str) -> Value {
    json!({"id": id, "method": "POST", "url": format!("/users/{user}/presence/setPresence"),
        "headers": {"Content-Type": "application/json"},
        "body": {"sessionId": session, "availability": "Busy", "activity": "InACall"}})
}

fn get(id: &str, user: &str) -> Value {
    json!({"id": id, "method": "GET", "url": format!("/users/{user}/presence")})
}

#[test]
fn h5_the_elements_of_a_batch_are_independent_and_in_order() {
    let server = Server::start();
    let mut missing = get("6", BOB);
    missing["dependsOn"] = json!(["2"]);
    let mut after = get("7", BOB);
    after["dependsOn"] = json!(["1", "3"]);
    let mut unknown = get("8", BOB);
    unknown["dependsOn"] = json!(["9"]);
    let many = json!({"id": "9", "method": "POST", "url": "/communications/getPresencesByUserId",
        "headers": {"Content-Type": "application/json"}, "body": {"ids": [BOB, ADELE]}});
    let requests = json!([
        get("0", ADELE), set("1", ADELE, TEAMS), set("2", ADELE, OTHER), get("3", ADELE),
        {"id": "4", "method": "GET", "url": "/nowhere"},
        {"id": "5", "method": "DELETE", "url": format!("/users/{ADELE}/presence")},
        missing, after, unknown, many,
    ]);
    let response = server.post("teams", "/v1.0/$batch", &json!({ "requests": requests })).json();
    let responses = response["responses"].as_array().unwrap();
    let statuses: Vec<_> = responses
        .iter()
        .map(|response| (response["id"].as_str().unwrap(), response["status"].as_u64().unwrap()))
        .collect();
    let expected = [
        ("0", 200),
        ("1", 200),
        ("2", 403),
        ("3", 200),
        ("4", 404),
        ("5", 405),
        ("6", 424),
        ("7", 200),
        ("8", 400),
        ("9", 200),
    ];
    assert_eq!(statuses, expected);
    assert_eq!(responses[0]["body"]["activity"], "Offline");
    assert_eq!(responses[1].get("body"), None);
    assert_eq!(responses[2]["body"]["error"]["code"], "Forbidden");
    assert_eq!(responses[3]["body"]["activity"], "InACall", "elements about one user are executed in order");
    assert_eq!(responses[9]["body"]["value"][1]["activity"], "InACall");
    for response in responses {
        // The Python client ignores a body without it.
        let is_json = response["headers"]["Content-Type"] == "application/json";
        assert_eq!(is_json, response.get("body").is_some(), "{response}");
    }
}

#[test]
fn h5_a_malformed_batch_is_rejected_as_a_whole() {
    let server = Server::start();
    let many: Vec<Value> = (0..21).map(|number| get(&number.to_string(), ADELE)).collect();
    for requests in [
        json!([]),
        json!(many),
        json!([get("1", ADELE), get("1", BOB)]),
        json!([{"method": "GET", "url": "/me/presence"}]),
        json!([{"id": "1", "method": "POST", "url": "/$batch", "body": {"requests": []}}]),
    ] {
        let response = server.post("teams", "/v1.0/$batch", &json!({ "requests": requests }));
        assert_eq!((response.status, response.error().as_str()), (400, "InvalidArgument"), "{requests}");
    }
}

#[test]
fn s3_an_available_session_fades_and_expires() {
    let server = Server::start();
    server.set(ADELE, TEAMS, "Available", "PT1H");
    let mut seen = vec![server.activity(ADELE)];
    for seconds in [299, 1, 300, 3000] {
        server.advance(seconds);
        seen.push(server.activity(ADELE));
    }
    let expected = [
        ("Available", "A0000000001"),
        ("Available", "A0000000001"),
        ("AvailableInactive", "A0000000002"),
        ("Away", "A0000000003"),
        ("Offline", "A0000000004"),
    ];
    assert_eq!(seen, expected.map(|(activity, number)| (activity.to_owned(), number.to_owned())));
}

#[test]
fn only_a_virtual_clock_can_be_advanced() {
    let server = Server::start_with(&[]);
    server.set(ADELE, TEAMS, "Available", "PT1H");
    assert_eq!(server.activity(ADELE).0, "Available");
    let rejected = server.post_empty("dev", "/dev/advance?seconds=1");
    assert_eq!(rejected.error(), "NotFound");
}

#[test]
fn the_description_names_every_action_on_every_path() {
    let server = Server::start();
    let description = server.send("GET", "/openapi.json", &[], b"").json();
    let paths = description["paths"].as_object().unwrap();
    for prefix in ["/v1.0/users/{user}/presence", "/v1.0/communications/presences/{user}", "/v1.0/me/presence"] {
        assert!(paths[prefix]["get"].is_object());
        let actions = paths.keys().filter(|path| path.starts_with(&format!("{prefix}/"))).count();
        // Nine of Graph's, and explain.
        assert_eq!(actions, 10, "{prefix}");
    }
    for (path, operations) in paths {
        // Every described path exists: without a token the response is 401.
        let method = operations.as_object().unwrap().keys().next().unwrap().to_uppercase();
        let path = path.replace("{user}", ADELE);
        let status = server.send(&method, &path, &[("content-type", "application/json")], b"").status;
        let is_open = matches!(path.as_str(), "/metrics" | "/openapi.json" | "/health/live" | "/health/ready");
        assert_eq!(status, if is_open { 200 } else { 401 }, "{method} {path}");
        let wrong = server.send("PATCH", &path, &[("authorization", "Bearer adele")], b"");
        assert_eq!(wrong.status, 405, "{path}");
    }
}

#[test]
fn section_7_what_is_known_of_a_user() {
    let server = Server::start();
    let adele = json!({"id": ADELE, "userPrincipalName": "Adele.Vance+x@example.com", "displayName": null});
    let bob = json!({"id": BOB, "userPrincipalName": null, "displayName": null});
    for version in ["", "/v1.0", "/beta"] {
        for token in ["teams", "reader", "writer", "adele", "self", "dev"] {
            for (path, expected) in [
                (format!("/users/{ADELE}"), &adele),
                ("/users/adele.vance%2BX@example.com".to_owned(), &adele),
                (format!("/users/{BOB}/"), &bob),
            ] {
                let response = server.get(token, &format!("{version}{path}"));
                assert_eq!((response.status, &response.json()), (200, expected), "{token} {path}");
            }
        }
        assert_eq!(server.get("adele", &format!("{version}/me")).json(), adele);
        assert_eq!(server.get("adele", &format!("{version}/me?$select=id,mail")).json(), json!({"id": ADELE}));
        assert_eq!(server.get("teams", &format!("{version}/me")).status, 400);
        assert_eq!(server.get("explainer", &format!("{version}/users/{ADELE}")).status, 403);
        assert_eq!(server.get("teams", &format!("{version}/users/nobody@example.com")).status, 404);
    }
    let post = server.post_empty("adele", "/v1.0/me");
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
    // A light's first batch, which an error would stop.
    let batch = json!({"requests": [
        {"id": "1", "method": "GET", "url": "/me"},
        {"id": "2", "method": "GET", "url": "/me/presence"},
    ]});
    let responses = server.post("adele", "/v1.0/$batch", &batch).json();
    assert_eq!((&responses["responses"][0]["body"], &responses["responses"][1]["status"]), (&adele, &json!(200)));
}
