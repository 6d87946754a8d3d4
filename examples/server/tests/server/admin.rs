//! Tests of operators' requests: to list, erase and sign out users.

use crate::support::{ADELE, BOB, OTHER, Server, TEAMS, numbered};
use serde_json::{Value, json};
use std::collections::HashSet;

/// An operator, an application that may do everything else, and one that pretends for a signed-in user.
const OPERATORS: [&str; 7] = [
    "--virtual-clock",
    "--app-token",
    "operator=44553876-f5ab-4529-bffb-cfe50aa89f87:Presence.Admin.All",
    "--user-token",
    "pretender=22553876-f5ab-4529-bffb-cfe50aa89f87/fa8bf3dc-eca7-46b7-bad1-db199b62afc3:Presence.Admin.All",
    "--users",
    "8192",
];

const ADELES_NAME: &str = "adele.vance%2Bx@example.com";

fn delete(server: &Server, token: &str, user: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let response = server.send("DELETE", &format!("/admin/users/{user}"), &[("authorization", &bearer)], b"");
    if response.status >= 400 {
        response.error();
    } else {
        assert_eq!(response.text, "");
    }
    response.status
}

fn sign_out(server: &Server, token: &str, user: &str) -> u16 {
    server.post_empty(token, &format!("/admin/users/{user}/signOut")).status
}

fn set_message(server: &Server, user: &str, text: &str) {
    let body = json!({"statusMessage": {"message": {"content": text, "contentType": "text"}}});
    let response = server.post("dev", &format!("/v1.0/users/{user}/presence/setStatusMessage"), &body);
    assert_eq!(response.status, 200, "{response:?}");
}

/// Walks over all pages of the list, and calls `between` before each but the first.
fn walk(server: &Server, top: usize, mut between: impl FnMut()) -> Vec<Value> {
    let (mut users, mut path) = (Vec::new(), format!("/admin/users?$top={top}"));
    loop {
        let response = server.get("operator", &path);
        assert_eq!(response.status, 200, "{response:?}");
        let page = response.json();
        let listed = page["value"].as_array().unwrap();
        assert!(listed.len() <= top);
        users.extend(listed.iter().cloned());
        match page["@odata.nextLink"].as_str() {
            Some(link) => path = link.to_owned(),
            None => return users,
        }
        between();
    }
}

fn version(server: &Server, user: &str) -> String {
    server.presence(user)["sequenceNumber"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn only_operators_list_erase_and_sign_out() {
    let server = Server::start_with(&OPERATORS);
    server.set(ADELE, TEAMS, "InACall", "PT1H");
    for (token, status) in [("unknown", 401), ("teams", 403), ("adele", 403), ("pretender", 403)] {
        assert_eq!(server.get(token, "/admin/users").status, status, "{token}");
        assert_eq!(delete(&server, token, ADELE), status, "{token}");
        assert_eq!(sign_out(&server, token, ADELE), status, "{token}");
    }
    assert_eq!(server.send("GET", "/admin/users", &[], b"").error(), "Unauthorized");
    assert_eq!(server.activity(ADELE).0, "InACall");
    for token in ["operator", "dev"] {
        server.set(ADELE, TEAMS, "InACall", "PT1H");
        assert_eq!(server.get(token, "/admin/users").status, 200, "{token}");
        assert_eq!(sign_out(&server, token, ADELE), 204, "{token}");
        assert_eq!(delete(&server, token, ADELE), 204, "{token}");
    }
    // An operator reads no presence, and no text.
    assert_eq!(server.get("operator", &format!("/v1.0/users/{ADELE}/presence")).error(), "Forbidden");
    let user = format!("/admin/users/{ADELE}");
    let sign_out = format!("{user}/signOut");
    for (method, path, allowed) in
        [("POST", "/admin/users", "GET, HEAD"), ("GET", &user, "DELETE"), ("DELETE", &sign_out, "POST")]
    {
        let response = server.send(method, path, &[("authorization", "Bearer operator")], b"");
        assert_eq!((response.status, response.header("allow")), (405, Some(allowed)), "{method} {path}");
    }
}

#[test]
fn the_list_shows_who_is_stored_and_no_text() {
    let server = Server::start_with(&OPERATORS);
    assert_eq!(server.get("operator", "/admin/users").json(), json!({"value": []}));
    server.set(ADELE, TEAMS, "Available", "PT1H");
    server.set(ADELE, OTHER, "InACall", "PT1H");
    let preferred = json!({"availability": "Busy", "activity": "Busy"});
    let set_preferred = |user: &str| {
        server.post("teams", &format!("/v1.0/users/{user}/presence/setUserPreferredPresence"), &preferred).status
    };
    assert_eq!((set_preferred(ADELE), set_preferred(BOB)), (200, 200));
    set_message(&server, ADELE, "a secret text");
    let response = server.get("operator", "/admin/users");
    assert!(!response.text.contains("secret"), "{response:?}");
    let mut users = response.json()["value"].as_array().unwrap().clone();
    users.sort_by_key(|user| user["id"].to_string());
    let bob = json!({"id": BOB, "availability": "Offline", "activity": "Offline", "sequenceNumber": null, "sessions": 0,
                     "hasPreferredPresence": true, "hasDetails": false, "createdBy": TEAMS});
    let adele = json!({"id": ADELE, "availability": "Busy", "activity": "Busy", "sequenceNumber": "A0000000004",
                       "sessions": 2, "hasPreferredPresence": true, "hasDetails": true, "createdBy": null});
    assert_eq!(users, [bob, adele]);
    // A user of whom nothing is left is not listed, though it has its slot still.
    server.advance(8 * 86_400);
    set_message(&server, ADELE, "");
    assert_eq!(server.get("operator", "/admin/users").json(), json!({"value": []}));
}

#[test]
fn a_walk_misses_nobody_who_stays() {
    let server = Server::start_with(&OPERATORS);
    let stay: Vec<_> = (0..150).map(numbered).collect();
    let go: Vec<_> = (150..300).map(numbered).collect();
    stay.iter().zip(&go).for_each(|(stay, go)| {
        assert_eq!(server.set(stay, TEAMS, "InACall", "PT1H").status, 200);
        assert_eq!(server.set(go, TEAMS, "InACall", "PT1H").status, 200);
    });
    let mut round = 0;
    let listed = walk(&server, 13, || {
        let user = &go[round * 6 % go.len()];
        server.set(&numbered(1000 + round as u32), TEAMS, "InACall", "PT1H");
        assert_eq!(delete(&server, "operator", user), 204);
        server.set(&stay[round * 7 % stay.len()], OTHER, "Away", "PT1H");
        round += 1;
    });
    let ids: Vec<_> = listed.iter().map(|user| user["id"].as_str().unwrap()).collect();
    let unique: HashSet<_> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "nobody twice");
    assert!(stay.iter().all(|user| unique.contains(user.as_str())));
    assert!(round >= 11, "{round}");
    for top in [1, 999] {
        assert!(walk(&server, top, || ()).len() >= 150);
    }
    let page = server.get("operator", "/admin/users?$top=1").json();
    let link = page["@odata.nextLink"].as_str().unwrap();
    assert_eq!(server.get("operator", &link.replace('$', "%24")).status, 200, "{link}");
    let server = server.kill_and_restart(&OPERATORS);
    for path in
        [link, "/admin/users?$top=0", "/admin/users?$top=1000", "/admin/users?$top=x", "/admin/users?$skiptoken=0"]
    {
        assert_eq!(server.get("operator", path).error(), "InvalidArgument", "{path}");
    }
}

#[test]
fn v1_nothing_but_the_version_is_left_of_an_erased_user() {
    let limited = [&OPERATORS[..], &["--users-per-application", "1"]].concat();
    let server = Server::start_with(&limited);
    let path = |action: &str| format!("/v1.0/users/{ADELE}/presence/{action}");
    let body = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall"});
    assert_eq!(server.post("teams", &path("setPresence"), &body).status, 200);
    let preferred = json!({"availability": "DoNotDisturb", "activity": "DoNotDisturb"});
    assert_eq!(server.post("teams", &path("setUserPreferredPresence"), &preferred).status, 200);
    set_message(&server, ADELE, "a text");
    let location = json!({"workLocationType": "office", "placeId": "building 7"});
    assert_eq!(server.post("adele", &path("setManualLocation"), &location).status, 200);
    let out = json!({"isOutOfOffice": true, "message": "in the mountains"});
    assert_eq!(server.post("dev", &format!("/dev/users/{ADELE}/outOfOffice"), &out).status, 200);
    // The application's only place is taken.
    let other = format!("/v1.0/users/{BOB}/presence/setPresence");
    assert_eq!(server.post("teams", &other, &body).status, 507);
    let before = version(&server, ADELE);
    assert_eq!(delete(&server, "operator", ADELES_NAME), 204);
    let after = version(&server, ADELE);
    assert_eq!((before.as_str(), after.as_str()), ("A0000000005", "A0000000006"), "one change");
    let mut nobody = server.presence(&numbered(7));
    nobody["id"] = json!(ADELE);
    nobody["sequenceNumber"] = json!(after);
    assert_eq!(server.presence(ADELE), nobody);
    assert_eq!(server.get("operator", "/admin/users").json(), json!({"value": []}));
    assert_eq!(server.post("teams", &other, &body).status, 200, "the place is free");
    // Again, for users never heard of, and for what is no id.
    for user in [ADELE, &numbered(8)] {
        assert_eq!(delete(&server, "operator", user), 204);
    }
    assert_eq!(delete(&server, "operator", "seven"), 400);
    assert_eq!(delete(&server, "operator", "unknown@example.com"), 404);
    assert_eq!(version(&server, ADELE), after, "nothing was visible any more");
    let server = server.kill_and_restart(&limited);
    assert_eq!(server.presence(ADELE), nobody);
    assert_eq!(server.set(ADELE, OTHER, "Away", "PT1H").status, 200);
    assert!(version(&server, ADELE) > after);
    assert_eq!(server.activity(ADELE).0, "Away", "no preferred presence comes back");
}

#[test]
fn signing_out_ends_all_sessions_at_once_and_keeps_what_the_user_has_said() {
    let server = Server::start_with(&OPERATORS);
    assert_eq!(sign_out(&server, "operator", ADELE), 404);
    assert_eq!(sign_out(&server, "operator", "seven"), 400);
    server.set(ADELE, TEAMS, "Available", "PT1H");
    server.set(ADELE, OTHER, "InACall", "PT1H");
    server.set(ADELE, &numbered(9), "Away", "PT1H");
    set_message(&server, ADELE, "a text");
    let before = version(&server, ADELE);
    assert_eq!(sign_out(&server, "operator", ADELES_NAME), 204);
    let presence = server.presence(ADELE);
    assert_eq!((presence["activity"].as_str(), before.as_str()), (Some("Offline"), "A0000000003"));
    assert_eq!(presence["statusMessage"]["message"]["content"], "a text");
    assert_eq!(presence["sequenceNumber"], "A0000000004", "one change, though three sessions ended");
    assert_eq!(sign_out(&server, "operator", ADELE), 204, "nothing to end");
    let clear = json!({"sessionId": TEAMS});
    assert_eq!(server.post("teams", &format!("/v1.0/users/{ADELE}/presence/clearPresence"), &clear).status, 404);
    // Rule U3: a preferred presence waits for the next session.
    let preferred = json!({"availability": "Busy", "activity": "Busy"});
    let path = format!("/v1.0/users/{ADELE}/presence/setUserPreferredPresence");
    assert_eq!(server.post("teams", &path, &preferred).status, 200);
    let server = server.kill_and_restart(&OPERATORS);
    assert_eq!(server.activity(ADELE), ("Offline".to_owned(), "A0000000004".to_owned()));
    server.set(ADELE, TEAMS, "Available", "PT1H");
    assert_eq!(server.activity(ADELE).0, "Busy");
}
