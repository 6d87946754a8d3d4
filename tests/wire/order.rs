//! Rule H2: of several things that are wrong with a request, the first in the order of the rule is told, whatever the others.

use super::server::{ADELE, OTHER, Server, TEAMS, message, session, user};
use presence_core::graph::{Caller, Permissions, RawRequest};
use presence_core::{Command, Presence};
use serde_json::{Value, json};

/// What may be wrong, in the order of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    Size,
    Path,
    Method,
    MediaType,
    Syntax,
    NoSession,
    NoAvailability,
    NoActivity,
    User,
    Session,
    DurationSyntax,
    DurationRange,
    UnknownPair,
    PairNotAllowed,
    Permission,
    OtherSession,
    NoSuchSession,
    NoRoom,
}

use Wrong::*;

const ALL: [Wrong; 18] = [
    Size,
    Path,
    Method,
    MediaType,
    Syntax,
    NoSession,
    NoAvailability,
    NoActivity,
    User,
    Session,
    DurationSyntax,
    DurationRange,
    UnknownPair,
    PairNotAllowed,
    Permission,
    OtherSession,
    NoSuchSession,
    NoRoom,
];

impl Wrong {
    /// Status and message, from the text of rules H1 and H2.
    fn told(self) -> (u16, &'static str) {
        match self {
            Size => (413, "The request is too large."),
            Path => (404, "Resource not found."),
            Method => (405, "The method is not allowed for this resource."),
            MediaType => (415, "The body must be uncompressed application/json."),
            Syntax => (400, "The request is not well-formed JSON."),
            NoSession => (400, "[SessionId]: The SessionId field is required."),
            NoAvailability => (400, "[Availability]: The Availability field is required."),
            NoActivity => (400, "[Activity]: The Activity field is required."),
            User => (400, "The provided [User] is not valid."),
            Session => (400, "The provided [SessionId] is not valid."),
            DurationSyntax => (400, "The provided [ExpirationDuration] is not valid."),
            DurationRange => (400, "The provided [ExpirationDuration] is out of range."),
            UnknownPair | PairNotAllowed => {
                (400, "The provided combination of [Availability] and [Activity] is not supported.")
            }
            Permission => (403, "The caller lacks the permission."),
            OtherSession => (403, "An application may name its own session only."),
            NoSuchSession => (404, "Presence session not found."),
            NoRoom => (507, "There is no room for another user."),
        }
    }

    /// Reports whether it can be wrong with this action.
    fn concerns(self, action: &str) -> bool {
        let names_session = matches!(action, "setPresence" | "clearPresence");
        let sets = matches!(action, "setPresence" | "setUserPreferredPresence");
        match self {
            NoSession | Session | OtherSession => names_session,
            NoAvailability | NoActivity | DurationSyntax | DurationRange | UnknownPair | PairNotAllowed | NoRoom => {
                sets
            }
            NoSuchSession => action == "clearPresence",
            _ => true,
        }
    }

    /// Two ways for the same thing to be wrong cannot be in one request.
    fn excludes(self, other: Self) -> bool {
        let pairs: &[&[Self]] = &[
            &[NoSession, Session, OtherSession],
            &[DurationSyntax, DurationRange],
            &[UnknownPair, PairNotAllowed, NoAvailability],
            &[UnknownPair, PairNotAllowed, NoActivity],
            &[User, NoRoom],
        ];
        pairs.iter().any(|pair| pair.contains(&self) && pair.contains(&other))
    }
}

/// Sends an action with which these things are wrong, and returns status and message.
fn send(action: &str, wrong: &[Wrong]) -> (u16, String) {
    let is = |one| wrong.contains(&one);
    let mut server = Server::application();
    server.caller = Caller::Application {
        application: session(if is(OtherSession) { OTHER } else { TEAMS }),
        permissions: if is(Permission) { Permissions::READ_ALL } else { Permissions::ALL },
    };
    let set = Command::SetPresence { session: session(TEAMS), presence: Presence::Away, lease: None };
    if is(NoRoom) {
        for other in 1..=4 {
            let other = presence_core::UserId::from_bytes([other; 16]);
            server.directory.execute(server.now, other, set, |_, _| {}).unwrap();
        }
    } else if !is(NoSuchSession) {
        server.directory.execute(server.now, user(ADELE), set, |_, _| {}).unwrap();
    }
    let before: Vec<_> = server.directory.users().map(|(id, user)| (id, user.clone())).collect();

    let mut body = json!({"sessionId": TEAMS, "availability": "Available", "activity": "Available"});
    if is(PairNotAllowed) {
        // Of those that may be set, some may not be preferred, and the other way round.
        (body["availability"], body["activity"]) = if action == "setPresence" {
            (json!("DoNotDisturb"), json!("DoNotDisturb"))
        } else {
            (json!("Busy"), json!("InACall"))
        };
    }
    for (one, member, value) in [
        (Session, "sessionId", json!("7")),
        (NoSession, "sessionId", Value::Null),
        (NoAvailability, "availability", Value::Null),
        (NoActivity, "activity", Value::Null),
        (UnknownPair, "activity", json!("Sleeping")),
        (DurationSyntax, "expirationDuration", json!("soon")),
        (DurationRange, "expirationDuration", json!("P367D")),
    ] {
        if is(one) {
            body[member] = value;
        }
    }
    let mut text = body.to_string();
    if is(Syntax) {
        text.push('}');
    }
    if is(Size) {
        text.push_str(&" ".repeat(RawRequest::MAX_BODY + 1));
    }
    let id = if is(User) { "7" } else { ADELE };
    let resource = if is(Path) { "presences" } else { "presence" };
    let (status, answer) = server.send(
        if is(Method) { "PUT" } else { "POST" },
        &format!("/users/{id}/{resource}/{action}"),
        Some(if is(MediaType) { "text/plain" } else { "application/json" }),
        text.as_bytes(),
    );
    if status != 200 {
        let after: Vec<_> = server.directory.users().map(|(id, user)| (id, user.clone())).collect();
        assert_eq!(after, before, "nothing is changed: {action} {wrong:?}");
    }
    (status, if status == 200 { String::new() } else { message(&answer).to_owned() })
}

#[test]
fn h2_the_first_of_several_faults_is_told() {
    let mut told = 0;
    for action in ["setPresence", "clearPresence", "setUserPreferredPresence", "clearUserPreferredPresence"] {
        assert_eq!(send(action, &[]).0, 200);
        let possible: Vec<_> = ALL.into_iter().filter(|wrong| wrong.concerns(action)).collect();
        for (place, first) in possible.iter().enumerate() {
            // Alone, with one more, and with two more.
            let behind: Vec<_> = possible[place + 1..].iter().filter(|other| !first.excludes(**other)).collect();
            let mut sets = vec![vec![*first]];
            for (place, second) in behind.iter().enumerate() {
                sets.push(vec![*first, **second]);
                let third = behind[place + 1..].iter().filter(|third| !second.excludes(***third));
                sets.extend(third.map(|third| vec![*first, **second, **third]));
            }
            // A megabyte is not scanned a hundred times.
            sets.truncate(if *first == Size { 20 } else { usize::MAX });
            for wrong in sets {
                let (status, message) = first.told();
                assert_eq!(send(action, &wrong), (status, message.to_owned()), "{action} {wrong:?}");
                told += 1;
            }
        }
    }
    assert!(told > 800, "{told}");
}
