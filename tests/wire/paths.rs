//! Rule H7: paths as clients write them.

use super::server::{ADELE, Server, TEAMS};
use presence_core::graph::json::Value as Written;
use presence_core::graph::{Caller, Context, Element, Error, Operation, RawRequest, Request, Target, UserRef};
use presence_core::{Instant, Policy};
use serde_json::json;

/// The operations, with the names of those that are actions.
const OPERATIONS: &[(Option<&str>, Operation)] = &[
    (None, Operation::Get),
    (Some("setPresence"), Operation::SetPresence),
    (Some("clearPresence"), Operation::ClearPresence),
    (Some("setUserPreferredPresence"), Operation::SetUserPreferredPresence),
    (Some("clearUserPreferredPresence"), Operation::ClearUserPreferredPresence),
    #[cfg(feature = "details")]
    (Some("setStatusMessage"), Operation::SetStatusMessage),
    #[cfg(feature = "details")]
    (Some("setManualLocation"), Operation::SetManualLocation),
    #[cfg(feature = "details")]
    (Some("setAutomaticLocation"), Operation::SetAutomaticLocation),
    #[cfg(feature = "details")]
    (Some("clearAutomaticLocation"), Operation::ClearAutomaticLocation),
    #[cfg(feature = "details")]
    (Some("clearLocation"), Operation::ClearLocation),
];

/// Ways to write a name that mean the same.
const SPELLINGS: [fn(&str) -> String; 5] = [
    str::to_owned,
    str::to_lowercase,
    str::to_uppercase,
    |name| name.bytes().map(|byte| format!("%{byte:02x}")).collect(),
    |name| name.replace(['e', 'E'], "%65").replace(['s', 'S'], "%53").replace('.', "%2E"),
];

/// Ways to write a key that mean the same.
const KEYS: [fn(&str) -> String; 4] = [
    |id| format!("('{id}')"),
    |id| format!("(%27{id}%27)"),
    |id| format!("%28%27{id}%27%29"),
    |id| format!("('{id}%27%29"),
];

/// Returns every way in which a path that names a user by id can be written, of those that are combined here.
fn spellings(id: &str, action: Option<&str>) -> Vec<String> {
    let mut paths = Vec::new();
    for spell in SPELLINGS {
        let collections = [(spell("users"), format!("/{}", spell("presence"))), {
            (format!("{}/{}", spell("communications"), spell("presences")), String::new())
        }];
        let mut actions: Vec<String> = action.iter().map(|name| format!("/{}", spell(name))).collect();
        actions.extend(action.iter().map(|name| format!("/{}", spell(&format!("microsoft.graph.{name}")))));
        if action.is_none() {
            actions.push(String::new());
        }
        for (collection, behind) in &collections {
            let owners = KEYS.iter().map(|key| key(id)).chain([format!("/{id}")]);
            for owner in owners {
                for action in &actions {
                    for prefix in ["/", "V1.0/", "/%62eta/"] {
                        for end in ["", "/", "?$select=id", "/?x=/y('z')"] {
                            paths.push(format!("{prefix}{collection}{owner}{behind}{action}{end}"));
                        }
                    }
                }
            }
        }
    }
    paths
}

/// A path and all its variants mean the same, over HTTP and in an element of a batch.
#[test]
fn h7_every_way_to_write_a_path_means_the_same() {
    let context = Context::new(Instant::ZERO, Caller::Trusted { me: None });
    for &(action, operation) in OPERATIONS {
        let method = if action.is_none() { "GET" } else { "POST" };
        let canonical =
            action.map_or(format!("/users/{ADELE}/presence"), |name| format!("/users/{ADELE}/presence/{name}"));
        let expected = Request::parse(&RawRequest::new(method, &canonical), &context, &Policy::GRAPH);
        for path in spellings(ADELE, action) {
            let target = Target::parse(&path);
            assert_eq!(target, Ok(Target::Presence(UserRef::Named(ADELE), operation)), "{path}");
            // `$select` is read with feature `details`, and part of the request.
            if path.contains("$select") {
                continue;
            }
            assert_eq!(Request::parse(&RawRequest::new(method, &path), &context, &Policy::GRAPH), expected, "{path}");
            let element = json!({"id": "1", "method": method, "url": path}).to_string();
            let element = Element::parse(Written::parse(element.as_bytes()).unwrap()).unwrap();
            assert_eq!(element.request(&context, &Policy::GRAPH), expected, "{path}");
        }
    }
}

#[test]
fn h7_me_the_collection_bulk_reads_and_batches() {
    for spell in SPELLINGS {
        for end in ["", "/", "/?x"] {
            let [me, presence, communications] = ["me", "presence", "communications"].map(spell);
            for &(action, operation) in OPERATIONS {
                let names = action.map_or(vec![String::new()], |name| {
                    vec![format!("/{}", spell(name)), format!("/{}", spell(&format!("microsoft.graph.{name}")))]
                });
                for name in names {
                    let path = format!("/{me}/{presence}{name}{end}");
                    assert_eq!(Target::parse(&path), Ok(Target::Presence(UserRef::Me, operation)), "{path}");
                }
            }
            for (name, expected) in [
                ("presences", Target::Presences),
                ("getPresencesByUserId", Target::PresencesByUserId),
                ("microsoft.graph.getPresencesByUserId", Target::PresencesByUserId),
            ] {
                let path = format!("/v1.0/{communications}/{}{end}", spell(name));
                assert_eq!(Target::parse(&path), Ok(expected), "{path}");
            }
            let batch = format!("/{}{end}", spell("$batch"));
            assert_eq!(Target::parse(&batch), Ok(Target::Batch), "{batch}");
        }
    }
}

#[test]
fn h7_what_is_no_key_no_action_and_no_path() {
    for path in [
        "/users('7/presence",
        "/users('7'/presence",
        "/users(7)/presence",
        "/users(id='7')/presence",
        "/users('')/presence",
        "/users('7')presence",
        "/users('7')/7/presence",
        "/users/('7')/presence/",
        "/me('7')/presence",
        "/users/7/presence('setPresence')",
        "/users/7/microsoft.graph.presence",
        "/microsoft.graph.users/7/presence",
        "/communications/microsoft.graph.presences",
        "/users/7/presence/graph.setPresence",
        "/users/7/presence/microsoft.graph.",
        "/users/7/presence/microsoft.graph.presence",
        "/users/7/presence//",
        "//users/7/presence",
        "/communications/getPresencesByUserId('7')",
    ] {
        let target = Target::parse(path);
        if path == "/users/('7')/presence/" {
            // A segment of its own is an id as it stands, and no GUID.
            assert_eq!(target, Ok(Target::Presence(UserRef::Named("('7')"), Operation::Get)));
        } else {
            assert_eq!(target, Err(Error::UnknownPath), "{path}");
        }
    }
}

/// A key ends with its segment, whatever it has inside.
#[test]
fn h7_keys_end_with_their_segment() {
    for (path, id) in [
        ("/users('a')')/presence", "a')"),
        ("/users('a%27%29%27)/presence", "a%27%29"),
        ("/users('%27')/presence", "%27"),
        ("/users('é')/presence", "é"),
        ("/users('a%2Fb')/presence", "a%2Fb"),
    ] {
        let Ok(Target::Presence(user, Operation::Get)) = Target::parse(path) else { panic!("{path}") };
        match user {
            UserRef::Named(text) => assert_eq!(text, id),
            #[cfg(feature = "details")]
            UserRef::Quoted(text) => assert_eq!(text, id),
            _ => panic!("{path}"),
        }
    }
}

#[cfg(feature = "details")]
#[test]
fn h7_a_principal_name_keeps_its_case_and_its_quotation_marks() {
    use presence_core::UserId;
    use presence_core::graph::Environment;
    use std::cell::RefCell;

    #[derive(Default)]
    struct Asked(RefCell<Vec<String>>);

    impl Environment for Asked {
        fn user(&self, principal_name: &str) -> Option<UserId> {
            self.0.borrow_mut().push(principal_name.to_owned());
            ADELE.parse().ok()
        }
    }

    for (path, name) in [
        ("/USERS/Adele.V@Contoso.com/Presence/", "Adele.V@Contoso.com"),
        ("/USERS('Adele.V@Contoso.com')/Presence", "Adele.V@Contoso.com"),
        ("/communications/presences(%27Adele.V%40Contoso.com%27)", "Adele.V@Contoso.com"),
        ("/users('o''brien@contoso.com')/presence", "o'brien@contoso.com"),
        ("/users('o%27%27brien@contoso.com')/presence", "o'brien@contoso.com"),
        ("/users('o'%27brien@contoso.com')/presence", "o'brien@contoso.com"),
        ("/users('o''''brien@contoso.com')/presence", "o''brien@contoso.com"),
        ("/users('''o@contoso.com''')/presence", "'o@contoso.com'"),
        // One that is not written twice stands for itself.
        ("/users('o'brien@contoso.com')/presence", "o'brien@contoso.com"),
        ("/users('o'''brien@contoso.com')/presence", "o''brien@contoso.com"),
        // In a segment of its own, each stands for itself.
        ("/users/o'brien@contoso.com/presence", "o'brien@contoso.com"),
        ("/users/o''brien@contoso.com/presence", "o''brien@contoso.com"),
    ] {
        let asked = Asked::default();
        let context = Context::new(Instant::ZERO, Caller::Trusted { me: None }).with_environment(&asked);
        let request = Request::parse(&RawRequest::new("GET", path), &context, &Policy::GRAPH);
        assert!(matches!(request, Ok(Request::Get { .. })), "{path}: {request:?}");
        let asked = asked.0.into_inner();
        assert!(!asked.is_empty() && asked.iter().all(|asked| asked == name), "{path}: {asked:?}");
    }
}

/// What PowerShell's cmdlets and whoever follows a notification's `resource` send.
#[test]
fn h7_a_session_set_on_one_path_is_read_on_every_other() {
    let mut server = Server::new();
    let body = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H"});
    let set = format!("/v1.0/communications/presences/{ADELE}/microsoft.graph.setPresence");
    assert_eq!(server.post(&set, &body).0, 200);
    for path in [
        format!("/v1.0/communications/presences('{ADELE}')"),
        format!("/beta/users(%27{ADELE}%27)/presence"),
        format!("/Communications/Presences/{}/", ADELE.to_uppercase()),
    ] {
        let (status, presence) = server.get(&path);
        assert_eq!((status, &presence["activity"]), (200, &json!("InACall")), "{path}");
    }
    let line = json!({"id": "1", "method": "GET", "url": format!("communications/presences('{ADELE}')")});
    assert_eq!(server.line(&line.to_string()).unwrap()["body"]["activity"], "InACall");
}
