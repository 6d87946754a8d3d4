//! Tests of `GET …/presence/explain`: rules A4, A5, and who may ask.

use crate::support::{ADELE, BOB, OTHER, Server, TEAMS};
use serde_json::{Value, json};

const PATH: &str = "/v1.0/users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence/explain";

/// Advances the clock, and returns the moment that it tells.
fn advance(server: &Server, seconds: u32) -> jiff::Timestamp {
    let response = server.post_empty("dev", &format!("/dev/advance?seconds={seconds}"));
    jiff::Timestamp::from_millisecond(response.json()["now"].as_i64().unwrap()).unwrap()
}

fn after(moment: jiff::Timestamp, seconds: i64) -> Value {
    json!((moment + jiff::SignedDuration::from_secs(seconds)).to_string())
}

fn explain(server: &Server) -> Value {
    let response = server.get("adele", "/me/presence/explain");
    assert_eq!(response.status, 200, "{response:?}");
    response.json()
}

#[test]
fn a4_the_layer_its_beginning_and_the_next_change() {
    let server = Server::start();
    let body = explain(&server);
    let nothing = json!({
        "id": ADELE, "availability": "Offline", "activity": "Offline", "layer": "nothing", "sessionId": null,
        "since": null, "next": null, "lastEnded": "neverSeen", "preferred": null, "sessions": [],
    });
    assert_eq!(body, nothing);

    let began = advance(&server, 0);
    server.set(ADELE, TEAMS, "Available", "PT1H");
    let since = advance(&server, 60);
    server.set(ADELE, OTHER, "InACall", "PT5M");
    let renewed = advance(&server, 30);
    // A keep-alive does not move the beginning.
    server.set(ADELE, OTHER, "InACall", "PT5M");
    let now = advance(&server, 30);
    let body = explain(&server);
    assert_eq!(
        (&body["layer"], &body["sessionId"], &body["since"], &body["lastEnded"], &body["activity"]),
        (&json!("session"), &json!(OTHER), &after(since, 0), &Value::Null, &json!("InACall"))
    );
    let sessions = json!([
        {"sessionId": TEAMS, "availability": "Available", "activity": "Available",
         "expiresAt": after(began, 3600), "remaining": "PT58M"},
        {"sessionId": OTHER, "availability": "Busy", "activity": "InACall",
         "expiresAt": after(renewed, 300), "remaining": "PT4M30S"},
    ]);
    assert_eq!(body["sessions"], sessions);
    // When the call ends, the other session has faded meanwhile.
    let next = json!({"at": after(renewed, 300), "availability": "Available", "activity": "AvailableInactive"});
    assert_eq!(body["next"], next);

    let hidden = json!({"availability": "Offline", "activity": "OffWork", "expirationDuration": "PT8H"});
    assert_eq!(server.post("adele", "/me/presence/setUserPreferredPresence", &hidden).status, 200);
    let body = explain(&server);
    assert_eq!(
        (&body["layer"], &body["sessionId"], &body["activity"]),
        (&json!("preferred"), &Value::Null, &json!("OffWork"))
    );
    assert_eq!((&body["preferred"]["activity"], &body["preferred"]["remaining"]), (&json!("OffWork"), &json!("PT8H")));
    assert_eq!(body["since"], after(now, 0));
    assert_eq!((&body["next"]["activity"], &body["sessions"][0]["remaining"]), (&json!("Offline"), &json!("PT58M")));
}

#[test]
fn a5_how_the_last_session_ended() {
    let server = Server::start();
    let session = json!({"sessionId": TEAMS});
    server.set(ADELE, TEAMS, "InACall", "PT5M");
    assert_eq!(server.post("adele", "/me/presence/clearPresence", &session).status, 200);
    assert_eq!(explain(&server)["lastEnded"], "cleared");
    server.set(ADELE, TEAMS, "InACall", "PT5M");
    advance(&server, 300);
    let body = explain(&server);
    assert_eq!(
        (&body["lastEnded"], &body["layer"], &body["sessions"]),
        (&json!("expired"), &json!("nothing"), &json!([]))
    );
}

#[test]
fn an_explanation_is_for_the_user_and_for_those_who_were_given_it() {
    let server = Server::start();
    for (token, own, other) in [
        ("adele", 200, 403),
        ("self", 200, 403),
        ("bob", 403, 200),
        ("teams", 403, 403),
        ("reader", 403, 403),
        ("writer", 403, 403),
        ("explainer", 200, 200),
        ("dev", 200, 200),
        ("nobody", 401, 401),
    ] {
        let response = server.get(token, PATH);
        assert_eq!((response.status, server.get(token, &PATH.replace(ADELE, BOB)).status), (own, other), "{token}");
        match response.status {
            200 => assert_eq!(response.json()["id"], ADELE),
            403 => assert_eq!(response.error(), "Forbidden"),
            _ => {}
        }
        if token != "nobody" {
            let batch = json!({"requests": [{"id": "1", "method": "GET", "url": PATH}]});
            let response = server.post(token, "/v1.0/$batch", &batch).json();
            assert_eq!(response["responses"][0]["status"], own, "{token}");
        }
    }
    // Whoever explains everybody reads nobody with that.
    assert_eq!(server.get("explainer", PATH.strip_suffix("/explain").unwrap()).status, 403);
}

#[test]
fn section_7_explain_on_every_path() {
    let server = Server::start();
    server.set(ADELE, TEAMS, "InACall", "PT1H");
    let me = ["/v1.0/me/presence/explain", "/beta/me/presence/explain?$select=x", "/me/presence/explain"];
    let others = [
        PATH.to_owned(),
        format!("/communications/presences/{ADELE}/explain"),
        format!("/v1.0/users/%7B{}%7D/presence/explain", ADELE.to_uppercase()),
        "/v1.0/users/adele.vance%2Bx@example.com/presence/explain".to_owned(),
        // H7: as clients write paths.
        format!("/beta/Users('{ADELE}')/PRESENCE/microsoft.graph.explain/"),
        format!("/v1.0/communications/presences(%27{ADELE}%27)/Explain"),
    ];
    for path in me.iter().copied().chain(others.iter().map(String::as_str)) {
        let response = server.get("adele", path);
        assert_eq!((response.status, &response.json()["activity"]), (200, &json!("InACall")), "{path}");
        let head = server.send("HEAD", path, &[("authorization", "Bearer adele")], b"");
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
        let batch = json!({"requests": [{"id": "1", "method": "HEAD", "url": path}]});
        assert_eq!(server.post("adele", "/v1.0/$batch", &batch).json()["responses"][0]["status"], 405, "{path}");
        let post = server.post_empty("adele", path);
        assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")), "{path}");
        let batch = json!({"requests": [{"id": "1", "method": "GET", "url": path}]});
        let response = server.post("adele", "/v1.0/$batch", &batch).json();
        assert_eq!(response["responses"][0]["body"]["sessions"][0]["sessionId"], TEAMS, "{path}");
    }
    for (path, status) in [
        ("/v1.0/me/explain", 404),
        ("/v1.0/explain", 404),
        ("/v1.0/me/presence/explain/explain", 404),
        ("/v1.0/me/presence/setPresence/explain", 404),
        ("/v1.0/me/presence/explainx", 404),
        ("/v1.0/me/presence//explain", 404),
        ("/v1.0/users/x/presence/explain", 400),
        ("/v1.0/users/nobody@example.com/presence/explain", 404),
    ] {
        assert_eq!(server.get("adele", path).status, status, "{path}");
    }
    let metrics = server.send("GET", "/metrics", &[], b"").text;
    assert!(metrics.contains("explainPresence"), "{metrics}");
}
