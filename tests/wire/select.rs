//! Section 7: every selection of properties, alone, in bulk, in the collection and in a batch.

use super::server::{ADELE, BOB, OTHER, Server, TEAMS};
use serde_json::{Value, json};

const PROPERTIES: [&str; 7] =
    ["id", "availability", "activity", "outOfOfficeSettings", "statusMessage", "sequenceNumber", "workLocation"];

#[test]
fn section_7_every_selection_is_answered_with_just_that() {
    let mut server = Server::new();
    server.set(ADELE, TEAMS, "Busy", "InACall");
    let ids = [BOB, ADELE, OTHER, ADELE];
    let mut whole = Vec::new();
    for id in ids {
        whole.push(server.get(&format!("/users/{id}/presence")).1);
    }
    for set in 0..1_u32 << PROPERTIES.len() {
        // In another order than they are written in.
        let names: Vec<_> = (0..PROPERTIES.len()).filter(|place| set >> place & 1 == 1).rev().collect();
        let names: Vec<_> = names.into_iter().map(|place| PROPERTIES[place]).collect();
        let query = format!("$select={}", names.join(","));
        let selected = |whole: &Value| {
            let mut object = whole.as_object().unwrap().clone();
            object.retain(|name, _| names.is_empty() || names.contains(&name.as_str()));
            Value::Object(object)
        };
        let expected: Vec<_> = whole.iter().map(selected).collect();
        assert_eq!(server.get(&format!("/users/{ADELE}/presence?{query}")), (200, expected[1].clone()), "{query}");
        let bulk = json!({"value": expected});
        let post = format!("/communications/getPresencesByUserId?{query}");
        assert_eq!(server.post(&post, &json!({"ids": ids})), (200, bulk.clone()), "{query}");
        let get = format!("/communications/presences?{query}&$filter=id in ('{}')", ids.join("','"));
        assert_eq!(server.get(&get), (200, bulk.clone()), "{query}");
        let requests = json!({"requests": [
            {"id": "1", "method": "GET", "url": format!("/users/{ADELE}/presence?{query}")},
            {"id": "2", "method": "POST", "url": post, "body": {"ids": ids}},
            {"id": "3", "method": "GET", "url": get},
        ]});
        let (_, responses) = server.post("/$batch", &requests);
        let bodies = [0, 1, 2].map(|place| &responses["responses"][place]["body"]);
        assert_eq!(bodies, [&expected[1], &bulk, &bulk], "{query}");
    }
}
