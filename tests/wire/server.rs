//! A minimal server for tests.

use presence_core::directory::InlineDirectory;
use presence_core::graph::{Buffer, Caller, Context, Line, Permissions, RawRequest, serve, serve_line};
use presence_core::{Instant, Policy, SessionId, Transition, UserId};
use serde_json::{Value, json};

pub const ADELE: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";
pub const BOB: &str = "66825e03-7ef5-42da-9069-724602c31f6b";
pub const TEAMS: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
pub const OTHER: &str = "33553876-f5ab-4529-bffb-cfe50aa89f87";

pub fn user(text: &str) -> UserId {
    text.parse().unwrap()
}

pub fn session(text: &str) -> SessionId {
    text.parse().unwrap()
}

pub struct Server {
    pub directory: InlineDirectory<UserId, SessionId, 2, 4>,
    pub now: Instant,
    pub caller: Caller,
    pub capacity: usize,
    pub changes: Vec<(UserId, Transition<SessionId>)>,
}

impl Server {
    pub fn new() -> Self {
        Self {
            directory: InlineDirectory::with_policy(Policy::GRAPH),
            now: Instant::ZERO,
            caller: Caller::Trusted { me: None },
            capacity: 100_000,
            changes: Vec::new(),
        }
    }

    pub fn application() -> Self {
        let caller = Caller::Application { application: session(TEAMS), permissions: Permissions::ALL };
        Self { caller, ..Self::new() }
    }

    pub fn delegated() -> Self {
        let caller =
            Caller::Delegated { application: session(TEAMS), user: user(ADELE), permissions: Permissions::ALL };
        Self { caller, ..Self::new() }
    }

    /// Serves a request. Returns status and body; an empty body is null.
    pub fn send(&mut self, method: &str, target: &str, content_type: Option<&str>, body: &[u8]) -> (u16, Value) {
        let mut bytes = vec![0; self.capacity];
        let mut buffer = Buffer::new(&mut bytes);
        let context = Context::new(self.now, self.caller);
        let raw = RawRequest::new(method, target).with_content_type(content_type).with_body(body);
        let changes = &mut self.changes;
        let status = serve(&raw, &context, &mut self.directory, &mut buffer, &mut |user, transition| {
            changes.push((user, *transition));
        });
        let body = match buffer.written() {
            b"" => Value::Null,
            text => serde_json::from_slice(text).expect("a response is JSON"),
        };
        (status, body)
    }

    pub fn post(&mut self, target: &str, body: &Value) -> (u16, Value) {
        self.send("POST", target, Some("application/json"), body.to_string().as_bytes())
    }

    pub fn get(&mut self, target: &str) -> (u16, Value) {
        self.send("GET", target, None, b"")
    }

    pub fn set(&mut self, owner: &str, session: &str, availability: &str, activity: &str) -> (u16, Value) {
        let body = json!({"sessionId": session, "availability": availability, "activity": activity});
        self.post(&format!("/users/{owner}/presence/setPresence"), &body)
    }

    pub fn clear(&mut self, owner: &str, session: &str) -> (u16, Value) {
        self.post(&format!("/users/{owner}/presence/clearPresence"), &json!({"sessionId": session}))
    }

    pub fn activity(&mut self, owner: &str) -> String {
        let (status, body) = self.get(&format!("/users/{owner}/presence"));
        assert_eq!(status, 200);
        body["activity"].as_str().unwrap().to_owned()
    }

    /// Serves a line. Returns `None` if not even the bare status fits.
    pub fn line(&mut self, line: &str) -> Option<Value> {
        let mut bytes = vec![0; self.capacity];
        let mut buffer = Buffer::new(&mut bytes);
        let context = Context::new(self.now, self.caller);
        let changes = &mut self.changes;
        let served = serve_line(
            Line::parse(line.as_bytes()),
            &context,
            &mut self.directory,
            &mut buffer,
            &mut |user, transition| changes.push((user, *transition)),
        );
        served.ok().map(|()| serde_json::from_slice(buffer.written()).expect("a response is JSON"))
    }
}

/// Returns the message of an error body.
pub fn message(body: &Value) -> &str {
    body["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {body}"))
}
