//! Tests of the limit of users per application.

use crate::support::{ADELE, BOB, Response, Server, TEAMS, numbered};
use serde_json::json;
use std::sync::Mutex;

const FEW: [&str; 5] = ["--virtual-clock", "--users", "20", "--users-per-application", "3"];

fn message(text: &str) -> serde_json::Value {
    json!({"statusMessage": {"message": {"content": text, "contentType": "text"}}})
}

fn set_message(server: &Server, token: &str, user: &str) -> Response {
    server.post(token, &format!("/v1.0/users/{user}/presence/setStatusMessage"), &message("here to stay"))
}

/// Sets a session of the token's application, Teams.
fn set_session(server: &Server, token: &str, user: &str) -> Response {
    let body = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall"});
    server.post(token, &format!("/v1.0/users/{user}/presence/setPresence"), &body)
}

fn assert_rejected(response: &Response) {
    assert_eq!((response.status, response.error().as_str()), (507, "InsufficientStorage"));
    assert!(response.json()["error"]["message"].as_str().unwrap().contains("per application"), "{response:?}");
}

#[test]
fn an_application_stores_something_of_so_many_users_only() {
    let server = Server::start_with(&FEW);
    for number in 0..3 {
        assert_eq!(set_message(&server, "teams", &numbered(number)).status, 200);
    }
    let fourth = numbered(3);
    let before = server.presence(&fourth);
    assert_rejected(&set_message(&server, "teams", &fourth));
    assert_rejected(&set_session(&server, "teams", &fourth));
    // Another token of the same application, by every path.
    assert_rejected(&set_session(&server, "writer", &fourth));
    let preferred = json!({"availability": "Busy", "activity": "Busy"});
    let path = format!("/beta/communications/presences/{fourth}/setUserPreferredPresence");
    assert_rejected(&server.post("writer", &path, &preferred));
    let url = |user: &str| format!("/users/{user}/presence/setStatusMessage");
    let element = |id: &str, user: &str| {
        json!({"id": id, "method": "POST", "url": url(user), "headers": {"content-type": "application/json"},
               "body": message("in a batch")})
    };
    let batch = json!({"requests": [element("1", &fourth), element("2", &numbered(2))]});
    let responses = server.post("teams", "/v1.0/$batch", &batch).json();
    assert_eq!(responses["responses"][0]["status"], 507, "{responses}");
    assert_eq!(responses["responses"][0]["body"]["error"]["code"], "InsufficientStorage", "{responses}");
    assert_eq!(responses["responses"][1]["status"], 200, "{responses}");
    assert_eq!(server.presence(&fourth), before, "nothing was changed");
    // What stores nothing needs no place, and an existing user none either.
    assert_eq!(server.post("teams", &format!("/v1.0{}", url(&fourth)), &message("")).status, 200);
    let clear = format!("/v1.0/users/{fourth}/presence/clearUserPreferredPresence");
    assert_eq!(server.post_empty("teams", &clear).status, 200);
    assert_eq!(set_session(&server, "teams", &numbered(0)).status, 200);
    // Other applications, signed-in users and developers.
    assert_eq!(set_message(&server, "other", &numbered(4)).status, 200);
    assert_eq!(set_message(&server, "adele", ADELE).status, 200);
    assert_eq!(set_message(&server, "dev", BOB).status, 200);
    for number in 5..15 {
        assert_eq!(set_message(&server, "dev", &numbered(number)).status, 200);
    }
    // A user that another has stored something of first is no new one.
    assert_eq!(set_session(&server, "teams", BOB).status, 200);
    assert_rejected(&set_message(&server, "teams", &fourth));
}

#[test]
fn a_user_counts_until_nothing_is_stored_and_across_restarts() {
    let server = Server::start_with(&FEW);
    assert_eq!(set_session(&server, "teams", &numbered(0)).status, 200);
    assert_eq!(set_message(&server, "teams", &numbered(1)).status, 200);
    assert_eq!(set_session(&server, "teams", &numbered(2)).status, 200);
    assert_eq!(set_message(&server, "other", &numbered(2)).status, 200);
    let server = server.kill_and_restart(&FEW);
    assert_rejected(&set_message(&server, "teams", &numbered(3)));
    // Rule S9: what is due frees its place, but for a user of whom something else is left.
    server.advance(300);
    assert_eq!(set_message(&server, "teams", &numbered(3)).status, 200);
    assert_rejected(&set_message(&server, "teams", &numbered(4)));
    // Clearing frees it, too. The next who stores something is the creator.
    for token in ["teams", "other"] {
        let path = format!("/v1.0/users/{}/presence/setStatusMessage", numbered(1));
        assert_eq!(server.post(token, &path, &message("")).status, 200);
        assert_eq!(set_message(&server, "other", &numbered(1)).status, 200);
    }
    assert_eq!(set_message(&server, "teams", &numbered(4)).status, 200);
    assert_rejected(&set_message(&server, "teams", &numbered(5)));
    let server = server.kill_and_restart(&FEW);
    assert_rejected(&set_message(&server, "teams", &numbered(5)));
    // With a smaller limit nobody is lost.
    let server = server.kill_and_restart(&["--virtual-clock", "--users-per-application", "1"]);
    assert_eq!(server.presence(&numbered(4))["statusMessage"]["message"]["content"], "here to stay");
    assert_rejected(&set_message(&server, "teams", &numbered(5)));
    assert_eq!(set_message(&server, "teams", &numbered(4)).status, 200);
}

#[test]
fn half_of_the_users_is_the_limit_when_nothing_is_said() {
    let server = Server::start_with(&["--virtual-clock", "--users", "5"]);
    for number in 0..3 {
        assert_eq!(set_message(&server, "teams", &numbered(number)).status, 200);
    }
    assert_rejected(&set_message(&server, "teams", &numbered(3)));
    assert_eq!(set_message(&server, "other", &numbered(3)).status, 200);
    assert_eq!(set_message(&server, "other", &numbered(4)).status, 200);
    // Now every slot is used, which is another error.
    let full = set_message(&server, "other", &numbered(5));
    assert_eq!((full.status, full.error().as_str()), (507, "InsufficientStorage"));
    assert!(!full.text.contains("per application"), "{full:?}");
}

#[test]
fn concurrent_requests_to_all_shards_do_not_pass_the_limit() {
    let many = ["--virtual-clock", "--users", "8192", "--users-per-application", "50"];
    let server = Server::start_with(&many);
    let stored = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (server, stored) = (&server, &stored);
            scope.spawn(move || {
                for number in 0..25 {
                    let user = numbered(thread * 25 + number);
                    match set_message(server, "teams", &user) {
                        response if response.status == 200 => stored.lock().unwrap().push(user),
                        response => assert_rejected(&response),
                    }
                }
            });
        }
    });
    let stored = stored.into_inner().unwrap();
    assert_eq!(stored.len(), 50);
    let server = server.kill_and_restart(&many);
    assert_rejected(&set_message(&server, "teams", &numbered(1000)));
    assert_eq!(server.presence(&stored[49])["statusMessage"]["message"]["content"], "here to stay");
}
