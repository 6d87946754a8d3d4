//! Status message, work location, out of office, `$select` and user principal names on the wire: rules T1, O1, W1, H3, V1.

use super::server::{ADELE, BOB, TEAMS, message, session, user};
use presence_core::details::{Details, DetailsCommand, DetailsError, OutOfOffice, decide_details};
use presence_core::directory::InlineDirectory;
use presence_core::graph::{
    Buffer, Caller, Context, DateTime, DetailsMap, Environment, Error, Field, Permissions, RawRequest, Resource, Store,
    WithDetails, serve,
};
use presence_core::{Instant, Policy, Presence, SessionId, UserId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

mod expiry;
mod histories;
mod location;
mod message;
mod resource;
mod store;
mod user;

/// A directory, and a map of the details of its users.
type Users = WithDetails<InlineDirectory<UserId, SessionId, 2, 4>, Map>;

#[derive(Clone, Debug, Default, PartialEq)]
struct Map(BTreeMap<UserId, Details>);

impl DetailsMap for Map {
    fn get(&self, user: UserId) -> Option<&Details> {
        self.0.get(&user)
    }

    fn get_or_insert(&mut self, user: UserId) -> Option<&mut Details> {
        Some(self.0.entry(user).or_default())
    }

    fn remove(&mut self, user: UserId) {
        self.0.remove(&user);
    }

    fn next_deadline(&self) -> Option<(Instant, UserId)> {
        self.0.iter().filter_map(|(user, details)| Some((details.next_deadline()?, *user))).min()
    }
}

/// 2026-11-24T17:05:33.207Z
const EPOCH: u64 = 1_795_539_933_207;

struct World;

impl Environment for World {
    fn epoch(&self) -> Option<u64> {
        Some(EPOCH)
    }

    fn zone(&self, local: DateTime, zone: &str) -> Option<u64> {
        (zone == "Pacific Standard Time").then(|| local.to_unix_millis() + 8 * 3_600_000)
    }

    fn user(&self, principal_name: &str) -> Option<UserId> {
        // The longest name there can be exists, too.
        (principal_name == "a+b c@x.com/é" || principal_name.len() >= 320).then(|| user(ADELE))
    }
}

pub struct Wire {
    users: Users,
    now: Instant,
    pub caller: Caller,
    has_environment: bool,
}

impl Wire {
    pub fn new() -> Self {
        let users = Users::new(InlineDirectory::with_policy(Policy::GRAPH), Map::default());
        Self { users, now: Instant::ZERO, caller: Caller::Trusted { me: Some(user(ADELE)) }, has_environment: true }
    }

    pub fn send(&mut self, method: &str, target: &str, body: &str) -> (u16, Value) {
        let mut bytes = vec![0; 100_000];
        let mut buffer = Buffer::new(&mut bytes);
        let mut context = Context::new(self.now, self.caller);
        context.environment = self.has_environment.then_some(&World);
        let content_type = (!body.is_empty()).then_some("application/json");
        let raw = RawRequest::new(method, target).with_content_type(content_type).with_body(body.as_bytes());
        let status = serve(&raw, &context, &mut self.users, &mut buffer, &mut |_, _| {});
        let body = match buffer.written() {
            b"" => Value::Null,
            text => serde_json::from_slice(text).expect("a response is JSON"),
        };
        (status, body)
    }

    fn say(&mut self, status_message: &Value) -> (u16, Value) {
        let body = json!({"statusMessage": status_message}).to_string();
        self.send("POST", "/me/presence/setStatusMessage", &body)
    }

    fn me(&mut self) -> Value {
        let (status, body) = self.send("GET", "/me/presence", "");
        assert_eq!(status, 200);
        body
    }
}

fn text(content: &str) -> Value {
    json!({"message": {"content": content, "contentType": "text"}})
}

fn until(date_time: &str, zone: &str) -> Value {
    let mut message = text("lunch");
    message["expiryDateTime"] = json!({"dateTime": date_time, "timeZone": zone});
    message
}
