//! Status message, work location, out of office, `$select` and user principal names on the wire: rules T1, O1, W1, H3, V1.

use super::server::{ADELE, BOB, TEAMS, message, session, user};
use presence_core::details::{
    Details, DetailsCommand, DetailsError, DetailsView, OutOfOffice, decide_details, next_due_details,
};
use presence_core::directory::InlineDirectory;
use presence_core::graph::{
    Buffer, Caller, Context, DateTime, Environment, Error, Field, Permissions, RawRequest, Resource, Store, serve,
};
use presence_core::{Command, CommandError, Instant, Policy, Presence, SessionId, Transition, UserId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

mod location;
mod message;
mod resource;

/// A directory, and what its users tell beside their presence.
struct Users {
    directory: InlineDirectory<UserId, SessionId, 2, 4>,
    details: BTreeMap<UserId, Details>,
}

impl Store for Users {
    fn policy(&self) -> &Policy {
        self.directory.policy()
    }

    fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
        Store::read(&self.directory, now, user)
    }

    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        self.directory.execute(now, user, command, changes)
    }

    fn read_details(&self, now: Instant, user: UserId, read: &mut dyn FnMut(DetailsView<'_>)) {
        let mut details = self.details.get(&user).cloned().unwrap_or_default();
        while let Some(due) = next_due_details(&details, now) {
            details.apply(&due).unwrap();
        }
        read(details.view());
    }

    fn execute_details(&mut self, now: Instant, user: UserId, command: DetailsCommand<'_>) -> Result<(), DetailsError> {
        let details = self.details.entry(user).or_default();
        while let Some(due) = next_due_details(details, now) {
            details.apply(&due).unwrap();
        }
        if let Some(transition) = decide_details(details.at(now).unwrap(), command)? {
            details.apply(&transition).unwrap();
        }
        Ok(())
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
        // The longest there can be is somebody's, too.
        (principal_name == "a+b c@x.com/é" || principal_name.len() >= 320).then(|| user(ADELE))
    }
}

struct Wire {
    users: Users,
    now: Instant,
    caller: Caller,
    has_environment: bool,
}

impl Wire {
    fn new() -> Self {
        let directory = InlineDirectory::with_policy(Policy::GRAPH);
        let users = Users { directory, details: BTreeMap::new() };
        Self { users, now: Instant::ZERO, caller: Caller::Trusted { me: Some(user(ADELE)) }, has_environment: true }
    }

    fn send(&mut self, method: &str, target: &str, body: &str) -> (u16, Value) {
        let mut bytes = vec![0; 100_000];
        let mut buffer = Buffer::new(&mut bytes);
        let mut context = Context::new(self.now, self.caller);
        context.environment = self.has_environment.then_some(&World);
        let content_type = (!body.is_empty()).then_some("application/json");
        let raw = RawRequest::new(method, target).with_content_type(content_type).with_body(body.as_bytes());
        let status = serve(&raw, &context, &mut self.users, &mut buffer, &mut |_, _| {});
        let body = serde_json::from_slice(buffer.written()).unwrap_or(Value::Null);
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
