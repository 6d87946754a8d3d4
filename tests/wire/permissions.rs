//! Permissions: every set of them, for every kind of caller, on every target and action of section 7.

use crate::server::{ADELE, BOB, OTHER, TEAMS, session, user};
use presence_core::graph::{Caller, Permissions};
use serde_json::{Value, json};

const NAMES: [&str; 4] = ["Presence.Read", "Presence.Read.All", "Presence.ReadWrite", "Presence.ReadWrite.All"];

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Read,
    ReadUser,
    ReadMany,
    WriteSession(&'static str),
    Write,
    WriteLocation,
}

/// The requests, and the status of each that is allowed.
fn requests() -> Vec<(Act, &'static str, &'static str, Value, u16)> {
    let set = |session| json!({"sessionId": session, "availability": "Away", "activity": "Away"});
    let mut requests = vec![
        (Act::Read, "GET", "", Value::Null, 200),
        (Act::WriteSession(TEAMS), "POST", "/setPresence", set(TEAMS), 200),
        (Act::WriteSession(OTHER), "POST", "/setPresence", set(OTHER), 200),
        (Act::WriteSession(TEAMS), "POST", "/clearPresence", json!({"sessionId": TEAMS}), 404),
        (Act::WriteSession(OTHER), "POST", "/clearPresence", json!({"sessionId": OTHER}), 404),
        (Act::Write, "POST", "/setUserPreferredPresence", json!({"availability": "Away", "activity": "Away"}), 200),
        (Act::Write, "POST", "/clearUserPreferredPresence", json!({}), 200),
    ];
    if cfg!(feature = "details") {
        let message = json!({"statusMessage": {"message": {"content": "x"}}});
        requests.push((Act::Write, "POST", "/setStatusMessage", message, 200));
        let place = json!({"workLocationType": "office"});
        for (action, body) in [
            ("/setManualLocation", &place),
            ("/setAutomaticLocation", &place),
            ("/clearAutomaticLocation", &Value::Null),
            ("/clearLocation", &Value::Null),
        ] {
            requests.push((Act::WriteLocation, "POST", action, body.clone(), 200));
        }
    }
    requests
}

/// The kinds of callers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Trusted,
    Application,
    Delegated,
}

impl Kind {
    fn caller(self, permissions: Permissions) -> Caller {
        let (application, user) = (session(TEAMS), user(ADELE));
        match self {
            Self::Trusted => Caller::Trusted { me: Some(user) },
            Self::Application => Caller::Application { application, permissions },
            Self::Delegated => Caller::Delegated { application, user, permissions },
        }
    }
}

/// Returns the status of a request that is not allowed, by the text of section 7 and rule H1.
fn rejection(kind: Kind, held: &[&str], act: Act, is_own: bool) -> Option<u16> {
    let holds = |names: &[&str]| names.iter().any(|name| held.contains(name));
    let is_write = !matches!(act, Act::Read | Act::ReadUser | Act::ReadMany);
    let is_permitted = match kind {
        Kind::Trusted => return None,
        _ if act == Act::ReadUser => !held.is_empty(),
        Kind::Delegated if is_write && !is_own => return Some(401),
        Kind::Application if act == Act::WriteLocation => return Some(403),
        Kind::Application if is_write => holds(&["Presence.ReadWrite.All"]),
        Kind::Application => holds(&["Presence.Read.All", "Presence.ReadWrite.All"]),
        Kind::Delegated if is_write => holds(&["Presence.ReadWrite", "Presence.ReadWrite.All"]),
        Kind::Delegated if act == Act::ReadMany || !is_own => holds(&["Presence.Read.All"]),
        Kind::Delegated => !held.is_empty(),
    };
    let is_own_session = !matches!(act, Act::WriteSession(session) if session != TEAMS);
    (!(is_permitted && is_own_session)).then_some(403)
}

/// Serves a request on a store that keeps details, if there are any.
fn send(caller: Caller, method: &str, target: &str, body: &str) -> (u16, Value) {
    #[cfg(feature = "details")]
    {
        let mut wire = crate::details::Wire::new();
        wire.caller = caller;
        wire.send(method, target, body)
    }
    #[cfg(not(feature = "details"))]
    {
        let media = (!body.is_empty()).then_some("application/json");
        crate::server::Server { caller, ..crate::server::Server::new() }.send(method, target, media, body.as_bytes())
    }
}

/// Serves a request alone and in a batch, and returns its status.
fn status(caller: Caller, method: &str, target: &str, body: &Value) -> u16 {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let (alone, _) = send(caller, method, target, &text);
    let mut element = json!({"id": "1", "method": method, "url": target});
    if !body.is_null() {
        element["body"] = body.clone();
        element["headers"] = json!({"Content-Type": "application/json"});
    }
    let (_, responses) = send(caller, "POST", "/$batch", &json!({"requests": [element]}).to_string());
    assert_eq!(responses["responses"][0]["status"], alone, "{method} {target}");
    alone
}

#[test]
fn section_7_every_permission_caller_target_and_action() {
    let mut checked = 0;
    // A path of a user, whether it is the signed-in user's, and whether it needs one.
    let targets = [
        ("/me/presence".to_owned(), true, true),
        (format!("/users/{ADELE}/presence"), true, false),
        (format!("/v1.0/users/%7B{}%7D/presence", ADELE.to_uppercase()), true, false),
        (format!("/communications/presences/{ADELE}"), true, false),
        (format!("/users/{BOB}/presence"), false, false),
        (format!("/communications/presences/{BOB}"), false, false),
    ];
    // For `/me` without a user, permissions do not matter.
    let without_user = 400;
    assert_eq!(status(Caller::Trusted { me: None }, "GET", "/me/presence", &Value::Null), without_user);
    for bits in 0..16_usize {
        let held: Vec<&str> = (0..4).filter(|bit| bits >> bit & 1 == 1).map(|bit| NAMES[bit]).collect();
        let permissions = held.iter().map(|name| Permissions::from_name(name).unwrap());
        let permissions = permissions.fold(Permissions::EMPTY, Permissions::union);
        for kind in [Kind::Trusted, Kind::Application, Kind::Delegated] {
            let caller = kind.caller(permissions);
            for (path, is_own, is_me) in &targets {
                for (act, method, action, body, allowed) in requests() {
                    let expected = if *is_me && kind == Kind::Application {
                        without_user
                    } else {
                        rejection(kind, &held, act, *is_own).unwrap_or(allowed)
                    };
                    let found = status(caller, method, &format!("{path}{action}"), &body);
                    assert_eq!(found, expected, "{caller:?}: {method} {path}{action} {body}");
                    checked += 1;
                }
            }
            // A bulk read needs reading everybody, also when it asks for the signed-in user alone.
            for ids in [json!([ADELE]), json!([BOB, ADELE])] {
                let body = json!({"ids": ids});
                let expected = rejection(kind, &held, Act::ReadMany, false).unwrap_or(200);
                let found = status(caller, "POST", "/communications/getPresencesByUserId", &body);
                assert_eq!(found, expected, "{caller:?}: {body}");
            }
            // What is known of a user: any permission suffices, whoever the user is.
            for (path, is_own) in [("/me".to_owned(), true), (format!("/users/{BOB}"), false)] {
                let expected = match rejection(kind, &held, Act::ReadUser, is_own) {
                    _ if !cfg!(feature = "details") => 404,
                    _ if is_own && kind == Kind::Application => without_user,
                    rejection => rejection.unwrap_or(200),
                };
                assert_eq!(status(caller, "GET", &path, &Value::Null), expected, "{caller:?}: {path}");
            }
            let may_read = |user| caller.may_read(user);
            assert_eq!(may_read(user(ADELE)), rejection(kind, &held, Act::Read, true).is_none());
            assert_eq!(may_read(user(BOB)), rejection(kind, &held, Act::Read, false).is_none());
            assert_eq!(caller.may_read_all(), may_read(user(BOB)));
        }
    }
    assert_eq!(checked, 16 * 3 * targets.len() * requests().len());
}

#[test]
fn permissions_are_sets() {
    let one = |name| Permissions::from_name(name).unwrap();
    assert_eq!(
        NAMES.map(one),
        [Permissions::READ, Permissions::READ_ALL, Permissions::READ_WRITE, Permissions::READ_WRITE_ALL]
    );
    assert_eq!(NAMES.map(one).into_iter().fold(Permissions::EMPTY, Permissions::union), Permissions::ALL);
    for unknown in ["", "Presence", "presence.read", "Presence.Read.All ", "Presence.Write.All"] {
        assert_eq!(Permissions::from_name(unknown), None, "{unknown}");
    }
    for (place, permission) in NAMES.map(one).into_iter().enumerate() {
        let others = NAMES.map(one).into_iter().enumerate().filter(|(other, _)| *other != place);
        let others = others.fold(Permissions::EMPTY, |set, (_, other)| set.union(other));
        assert!(Permissions::ALL.contains(permission) && !permission.is_empty());
        assert!(!others.contains(permission) && !others.intersects(permission) && !others.contains(Permissions::ALL));
        assert!(Permissions::ALL.intersects(permission) && permission.contains(Permissions::EMPTY));
        assert_eq!(format!("{permission:?}"), format!("{{{:?}}}", NAMES[place]));
    }
    assert!(Permissions::default().is_empty() && !Permissions::ALL.is_empty());
    assert!(!Permissions::ALL.intersects(Permissions::EMPTY));
}
