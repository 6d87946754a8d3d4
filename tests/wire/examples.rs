//! The examples of the documentation, unchanged.

use super::server::Server;
use presence_core::graph::Caller;
use serde_json::Value;

#[test]
fn the_examples_of_the_documentation_are_understood() {
    let examples: Value = serde_json::from_str(include_str!("../vectors/examples.json")).unwrap();
    let mut seen = 0;
    for example in examples.as_array().unwrap() {
        let operation = example["operation"].as_str().unwrap();
        // These are sent to a store with details.
        if operation.contains("StatusMessage") || operation.contains("Location") {
            continue;
        }
        seen += 1;
        let mut server = Server::new();
        let url = example["url"].as_str().unwrap();
        let target = url.strip_prefix("https://graph.microsoft.com").unwrap();
        server.caller = Caller::Trusted { me: Some(super::server::user(super::server::ADELE)) };
        if operation == "clearPresence" {
            // A session to be cleared must exist: the documentation sets the same one of the same user.
            let body = serde_json::json!({
                "sessionId": example["body"]["sessionId"], "availability": "Available", "activity": "Available",
            });
            assert_eq!(server.post(&target.replace("clearPresence", "setPresence"), &body).0, 200);
        }
        let body = match &example["body"] {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let content_type = example["headers"]["Content-Type"].as_str();
        let method = example["method"].as_str().unwrap();
        let (status, response) = server.send(method, target, content_type, body.as_bytes());
        assert_eq!(Some(u64::from(status)), example["expected_status"].as_u64(), "{}", example["id"]);
        match &example["expected_body"] {
            Value::Null => assert_eq!(response, Value::Null),
            expected => {
                let named = |body: &Value| match &body["value"] {
                    Value::Array(presences) => presences.iter().map(|one| one["id"].clone()).collect(),
                    _ => vec![body["id"].clone()],
                };
                assert_eq!(named(&response), named(expected), "{}", example["id"]);
            }
        }
    }
    assert!(seen >= 12, "{seen}");
}
