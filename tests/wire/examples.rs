//! The examples of the documentation, unchanged: every member of an answer is as there, and every write does what it says.

use super::server::{ADELE, BOB, Server, TEAMS, session, user};
use presence_core::graph::{Caller, Resource, json};
use presence_core::{Command, Instant, Policy, Presence, UserId};
use serde_json::{Value, json};

/// An example of the documentation.
pub struct Example(Value);

/// Returns the examples.
pub fn examples() -> Vec<Example> {
    let examples: Vec<Value> = serde_json::from_str(include_str!("../vectors/examples.json")).unwrap();
    assert_eq!(examples.len(), 24);
    examples.into_iter().map(Example).collect()
}

impl Example {
    pub fn name(&self) -> &str {
        self.0["id"].as_str().unwrap()
    }

    pub fn operation(&self) -> &str {
        self.0["operation"].as_str().unwrap()
    }

    pub fn method(&self) -> &str {
        self.0["method"].as_str().unwrap()
    }

    pub fn target(&self) -> &str {
        self.0["url"].as_str().unwrap().strip_prefix("https://graph.microsoft.com").unwrap()
    }

    pub fn body(&self) -> &Value {
        &self.0["body"]
    }

    /// Returns the body as it is sent.
    pub fn text(&self) -> String {
        if self.body().is_null() { String::new() } else { self.body().to_string() }
    }

    pub fn content_type(&self) -> Option<&str> {
        self.0["headers"]["Content-Type"].as_str()
    }

    /// Whether it is about a status message or a location.
    pub fn is_about_details(&self) -> bool {
        self.name().contains("StatusMessage") || self.name().contains("Location")
    }

    /// Returns the presences that the answer has, in order.
    pub fn presences(&self) -> Vec<&Value> {
        presences(&self.0["expected_body"])
    }

    /// Returns the commands after which a directory under [`Policy::MIRROR`] is as the example assumes it.
    pub fn before(&self) -> Vec<(UserId, Command)> {
        let shown = |presence: &&Value| {
            let text = presence.to_string();
            let (presence_shown, _) = Resource::read(json::Value::parse(text.as_bytes()).unwrap()).unwrap();
            let owner = user(presence["id"].as_str().unwrap());
            (owner, Command::mirror(session(TEAMS), presence_shown, None).unwrap())
        };
        let mut before: Vec<_> = self.presences().iter().map(shown).collect();
        // What is cleared must exist, and a preferred presence shows beside a session.
        let available = Command::SetPresence { session: session(TEAMS), presence: Presence::Available, lease: None };
        let preferred = Command::SetPreferredPresence { presence: Presence::DoNotDisturb, duration: None };
        match self.operation() {
            "clearPresence" | "setUserPreferredPresence" => before.push((user(ADELE), available)),
            "clearUserPreferredPresence" => before.extend([(user(ADELE), available), (user(ADELE), preferred)]),
            _ => {}
        }
        before
    }

    /// Compares an answer with that of the documentation, apart from the members that the store does not keep.
    pub fn compare(&self, (status, response): (u16, Value), not_kept: &[&str]) {
        assert_eq!(Some(u64::from(status)), self.0["expected_status"].as_u64(), "{}", self.name());
        let expected = self.presences();
        if expected.is_empty() {
            assert_eq!(response, Value::Null, "{}", self.name());
            return;
        }
        let answered = presences(&response);
        assert_eq!(answered.len(), expected.len(), "{}", self.name());
        for (answered, expected) in answered.into_iter().zip(expected) {
            let members = answered.as_object().unwrap();
            for name in members.keys().chain(expected.as_object().unwrap().keys()) {
                let nowhere = json!({"placeId": null, "source": "none", "workLocationType": "unspecified"});
                let kept = match name.as_str() {
                    name if not_kept.contains(&name) => &Value::Null,
                    // No example has one.
                    "workLocation" => &nowhere,
                    name => &expected[name],
                };
                match name.as_str() {
                    // Numbers of Graph's own.
                    "sequenceNumber" => assert!(answered[name].is_string(), "{}: {answered}", self.name()),
                    // One example shows a pair that Graph's own list does not have: rule P1 has one availability for it.
                    "availability" if expected["activity"] == "BeRightBack" => {
                        assert_eq!((&expected[name], &answered[name]), (&json!("Away"), &json!("BeRightBack")));
                    }
                    _ => assert_eq!(&answered[name], kept, "{}: {name}", self.name()),
                }
            }
        }
    }

    /// Returns the availability and the activity that are seen after a write.
    pub fn seen_after(&self) -> [Value; 2] {
        match self.operation() {
            "setPresence" | "setUserPreferredPresence" => {
                ["availability", "activity"].map(|name| self.body()[name].clone())
            }
            "clearUserPreferredPresence" => [json!("Available"), json!("Available")],
            _ => [json!("Offline"), json!("Offline")],
        }
    }
}

fn presences(body: &Value) -> Vec<&Value> {
    match &body["value"] {
        Value::Array(presences) => presences.iter().collect(),
        _ if body.is_null() => Vec::new(),
        _ => vec![body],
    }
}

#[test]
fn the_examples_of_the_documentation_are_understood() {
    let mut seen = 0;
    for example in examples().iter().filter(|example| !example.is_about_details()) {
        seen += 1;
        let mut server = Server::new();
        server.caller = Caller::Trusted { me: Some(user(ADELE)) };
        for (owner, command) in example.before() {
            server.directory.execute_under(Instant::ZERO, owner, command, &Policy::MIRROR, |_, _| {}).unwrap();
        }
        let (target, body) = (example.target(), example.text());
        let response = server.send(example.method(), target, example.content_type(), body.as_bytes());
        example.compare(response, &["outOfOfficeSettings", "statusMessage", "workLocation"]);
        if example.presences().is_empty() {
            let (_, seen) = server.get(&format!("/users/{ADELE}/presence"));
            assert_eq!(["availability", "activity"].map(|name| seen[name].clone()), example.seen_after());
            let (_, other) = server.get(&format!("/users/{BOB}/presence"));
            assert_eq!(other["activity"], "Offline");
        }
    }
    assert_eq!(seen, 13);
}
