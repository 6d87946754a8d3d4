//! Tests of `--policy` and `--app-policy`: a calendar or a mirror beside clients of Graph. Rules P1 to P4, S3, S7.

use crate::support::{ADELE, BOB, OTHER, Response, Server, TEAMS};
use serde_json::{Value, json};

fn body(session: &str, pair: &str, lease: &str) -> Value {
    let (availability, activity) = pair.split_once('/').unwrap();
    json!({"sessionId": session, "availability": availability, "activity": activity, "expirationDuration": lease})
}

/// Sets a session with a token.
fn set(server: &Server, token: &str, session: &str, user: &str, pair: &str, lease: &str) -> Response {
    server.post(token, &format!("/v1.0/users/{user}/presence/setPresence"), &body(session, pair, lease))
}

#[track_caller]
fn assert_refused(response: &Response) {
    assert_eq!((response.status, response.error().as_str()), (400, "InvalidArgument"), "{response:?}");
}

#[test]
fn p1_without_options_every_caller_has_graphs_policy() {
    let server = Server::start();
    for token in ["dev", "teams", "adele"] {
        for pair in ["Busy/InAMeeting", "Offline/OffWork", "DoNotDisturb/Focusing"] {
            assert_refused(&set(&server, token, TEAMS, ADELE, pair, "PT5M"));
        }
        assert_refused(&set(&server, token, TEAMS, ADELE, "Away/Away", "PT4H1S"));
        assert_eq!(set(&server, token, TEAMS, ADELE, "Away/Away", "PT4H").status, 200, "{token}");
    }
}

#[test]
fn p2_an_applications_own_policy_is_that_of_nobody_else() {
    let server = Server::start_with(&["--virtual-clock", "--app-policy", &format!("{TEAMS}=mirror")]);
    // The application by itself, and for a signed-in user.
    for token in ["teams", "writer", "adele"] {
        for pair in ["Busy/InAMeeting", "Offline/OffWork", "Available/AvailableInactive", "Available/Available"] {
            let response = set(&server, token, TEAMS, ADELE, pair, "PT1S");
            assert_eq!(response.status, 200, "{token} {pair} {response:?}");
            assert_eq!(server.presence(ADELE)["activity"], pair.split_once('/').unwrap().1);
        }
        for pair in ["Offline/Offline", "PresenceUnknown/PresenceUnknown"] {
            assert_refused(&set(&server, token, TEAMS, ADELE, pair, "PT1H"));
        }
        assert_refused(&set(&server, token, TEAMS, ADELE, "Away/Away", "PT24H1S"));
    }
    let before = server.presence(ADELE);
    for (token, session) in [("other", OTHER), ("dev", TEAMS), ("dev", OTHER)] {
        assert_refused(&set(&server, token, session, ADELE, "Busy/InAMeeting", "PT5M"));
        assert_refused(&set(&server, token, session, ADELE, "Away/Away", "PT1S"));
    }
    assert_eq!(server.presence(ADELE), before, "a refused request changes nothing (S7)");
}

#[test]
fn p2_elements_of_a_batch_are_decided_under_the_callers_policy() {
    let server = Server::start_with(&["--virtual-clock", "--app-policy", &format!("{TEAMS}=desk")]);
    for (token, session, expected) in [("teams", TEAMS, 200), ("other", OTHER, 400)] {
        let request = json!({
            "id": "1", "method": "POST", "url": format!("/users/{BOB}/presence/setPresence"),
            "headers": {"Content-Type": "application/json"}, "body": body(session, "Busy/InAMeeting", "PT24H"),
        });
        let response = server.post(token, "/v1.0/$batch", &json!({"requests": [request]}));
        assert_eq!(response.json()["responses"][0]["status"], expected, "{token}");
    }
    assert_eq!(server.presence(BOB)["activity"], "InAMeeting");
}

#[test]
fn p2_the_servers_policy_is_that_of_all_others() {
    let options = ["--virtual-clock", "--policy", "desk", "--app-policy", &format!("{OTHER}=graph")];
    let server = Server::start_with(&options);
    for token in ["dev", "teams", "adele"] {
        assert_eq!(set(&server, token, TEAMS, ADELE, "Busy/InAMeeting", "PT24H").status, 200);
        assert_refused(&set(&server, token, TEAMS, ADELE, "Offline/OffWork", "PT5M"));
    }
    assert_refused(&set(&server, "other", OTHER, ADELE, "Busy/InAMeeting", "PT5M"));
}

/// What was set under a policy stays so: after a kill, and whatever the options of the next run are.
#[test]
fn p4_s3_what_does_not_fade_does_not_after_restarts_under_other_policies() {
    let app_mirror = format!("{TEAMS}=mirror");
    let app_graph = format!("{OTHER}=graph");
    let runs: [&[&str]; 4] = [
        &["--virtual-clock", "--app-policy", &app_mirror],
        &["--virtual-clock", "--policy", "mirror", "--app-policy", &app_graph],
        &["--virtual-clock"],
        &["--virtual-clock", "--policy", "desk"],
    ];
    let is_set_under_both = |number: usize| number < 2;
    for first in (0..runs.len()).filter(|number| is_set_under_both(*number)) {
        for second in 0..runs.len() {
            let server = Server::start_with(runs[first]);
            assert_eq!(set(&server, "teams", TEAMS, ADELE, "Available/Available", "PT24H").status, 200);
            assert_eq!(set(&server, "other", OTHER, BOB, "Available/Available", "PT4H").status, 200);
            server.advance(299);
            let server = server.kill_and_restart(runs[second]);
            let activities = || [ADELE, BOB].map(|user| server.activity(user).0);
            assert_eq!(activities(), ["Available", "Available"], "{first} {second}");
            server.advance(1);
            assert_eq!(activities(), ["Available", "AvailableInactive"], "{first} {second}");
            let server = server.kill_and_restart(runs[first]);
            server.advance(300);
            let activities = || [ADELE, BOB].map(|user| server.activity(user).0);
            assert_eq!(activities(), ["Available", "Away"], "{first} {second}");
            server.advance(24 * 3600 - 601);
            assert_eq!(activities(), ["Available", "Offline"], "{first} {second}");
            server.advance(1);
            assert_eq!(activities(), ["Offline", "Offline"], "{first} {second}");
        }
    }
}

/// Without a duration, the default of the caller's policy counts, and a kill changes nothing of it.
#[test]
fn s2_the_default_lease_of_a_mirror_survives() {
    let options = ["--virtual-clock", "--policy", "mirror"];
    let server = Server::start_with(&options);
    let body = json!({"sessionId": TEAMS, "availability": "Offline", "activity": "OffWork"});
    assert_eq!(server.post("dev", &format!("/users/{ADELE}/presence/setPresence"), &body).status, 200);
    server.advance(299);
    let server = server.kill_and_restart(&["--virtual-clock"]);
    assert_eq!(server.presence(ADELE)["activity"], "OffWork");
    server.advance(1);
    assert_eq!(server.presence(ADELE)["activity"], "Offline");
}
