//! Rules H3, M5, V1: presence objects, alone and in bulk.

use super::server::{ADELE, BOB, Server, TEAMS, session, user};
use presence_core::graph::{
    Buffer, Context, Element, Ids, RawRequest, Resource, SingleUserStore, Store, Writer, json::Value as Written, serve,
};
use presence_core::{Command, Instant, Policy, Presence};
use serde_json::{Value, json};

const BULK: &str = "/communications/getPresencesByUserId";

#[test]
fn h3_the_members_of_a_presence_object_in_order() {
    let mut bytes = [0; Resource::MAX_LEN];
    let mut buffer = Buffer::new(&mut bytes);
    Resource::new(user(ADELE), Presence::InACall, 129_311_063).write(&mut buffer).unwrap();
    assert_eq!(
        std::str::from_utf8(buffer.written()).unwrap(),
        format!(
            r#"{{"id":"{ADELE}","availability":"Busy","activity":"InACall","outOfOfficeSettings":null,"statusMessage":null,"sequenceNumber":"A0129311063","workLocation":null}}"#
        )
    );
}

#[test]
fn m5_a_user_without_a_record_reads_offline() {
    let mut server = Server::new();
    let (status, body) = server.get(&format!("/users/{ADELE}/presence"));
    assert_eq!((status, &body["availability"], &body["activity"]), (200, &json!("Offline"), &json!("Offline")));
    assert_eq!(body["sequenceNumber"], Value::Null);
    let (status, bulk) = server.post(BULK, &json!({"ids": [ADELE]}));
    assert_eq!((status, &bulk["value"][0]), (200, &body));
    assert!(server.directory.is_empty(), "reading occupies no slot");
}

#[test]
fn m5_a_user_that_does_not_exist_is_unknown() {
    let mut server = Server::new();
    let known = |id| id == user(ADELE);
    let context = Context::new(Instant::ZERO, server.caller).with_known_users(&known);
    let mut ask = |method, target: &str, body: &str| {
        let mut bytes = [0; 1000];
        let mut buffer = Buffer::new(&mut bytes);
        let raw = RawRequest::new(method, target).with_body(body.as_bytes());
        let status = serve(&raw, &context, &mut server.directory, &mut buffer, &mut |_, _| {});
        (status, serde_json::from_slice::<Value>(buffer.written()).unwrap())
    };
    let (status, body) = ask("POST", BULK, &json!({"ids": [BOB, ADELE]}).to_string());
    assert_eq!((status, &body["value"][0]["activity"]), (200, &json!("PresenceUnknown")));
    assert_eq!(body["value"][1]["activity"], "Offline");
    let (status, body) = ask("GET", &format!("/users/{BOB}/presence"), "");
    assert_eq!((status, &body["availability"]), (200, &json!("PresenceUnknown")));
    let clear = ask("POST", &format!("/users/{BOB}/presence/clearUserPreferredPresence"), "{}");
    assert_eq!(clear.0, 404, "a user that does not exist");
}

#[test]
fn v1_the_sequence_number_grows_with_what_is_visible() {
    let mut server = Server::new();
    let number = |server: &mut Server| server.get(&format!("/users/{ADELE}/presence")).1["sequenceNumber"].clone();
    let preferred = json!({"availability": "Busy", "activity": "Busy"});
    server.post(&format!("/users/{ADELE}/presence/setUserPreferredPresence"), &preferred);
    assert_eq!(number(&mut server), Value::Null, "nothing visible has changed (U3)");
    server.set(ADELE, TEAMS, "Available", "Available");
    assert_eq!(number(&mut server), "A0000000001");
    server.set(ADELE, TEAMS, "Available", "Available");
    server.set(ADELE, TEAMS, "Away", "Away");
    assert_eq!(number(&mut server), "A0000000001", "keep-alives and what preferred hides do not show");
    server.clear(ADELE, TEAMS);
    assert_eq!(number(&mut server), "A0000000002");
}

#[test]
fn m4_a_read_is_exact_without_advancing() {
    let mut server = Server::new();
    server.set(ADELE, TEAMS, "Available", "Available");
    for (secs, expected) in [(299, "Available"), (300, "Offline")] {
        server.now = Instant::from_secs(secs);
        assert_eq!(server.activity(ADELE), expected);
    }
    assert_eq!(server.changes.len(), 1, "a read applies nothing");
}

#[test]
fn h3_a_bulk_response_has_the_order_and_repetitions_of_the_request() {
    let mut server = Server::new();
    server.set(BOB, TEAMS, "Away", "Away");
    let (_, body) = server.post(BULK, &json!({"ids": [BOB, ADELE, BOB.to_uppercase()]}));
    let seen: Vec<_> = body["value"].as_array().unwrap().iter().map(|one| (&one["id"], &one["activity"])).collect();
    let (bob, adele) = (json!(BOB), json!(ADELE));
    assert_eq!(seen, [(&bob, &json!("Away")), (&adele, &json!("Offline")), (&bob, &json!("Away"))]);
}

/// A store that reads users one by one answers a bulk read of any size with all of them.
#[test]
fn h3_a_bulk_read_of_a_store_of_one_user() {
    let mut store = SingleUserStore::<2>::new(user(ADELE), Policy::GRAPH);
    let set = Command::SetPresence { session: session(TEAMS), presence: Presence::Away, lease: None };
    store.execute(Instant::ZERO, user(ADELE), set, &mut |_, _| {}).unwrap();
    let context = Context::new(Instant::ZERO, Server::new().caller);
    for count in 1..=70 {
        let ids: Vec<_> = (0..count).map(|number| if number % 3 == 0 { ADELE } else { BOB }).collect();
        let text = json!({"ids": ids}).to_string();
        let mut bytes = vec![0; 20_000];
        let mut buffer = Buffer::new(&mut bytes);
        let raw = RawRequest::new("POST", BULK).with_body(text.as_bytes());
        assert_eq!(serve(&raw, &context, &mut store, &mut buffer, &mut |_, _| {}), 200);
        let body: Value = serde_json::from_slice(buffer.written()).unwrap();
        let read = body["value"].as_array().unwrap().iter().map(|one| (&one["id"], &one["activity"]));
        let expected: Vec<_> =
            ids.iter().map(|id| (json!(id), json!(if *id == ADELE { "Away" } else { "Offline" }))).collect();
        assert!(read.eq(expected.iter().map(|(id, activity)| (id, activity))), "{count} users");
    }
}

#[test]
fn h2_bulk_takes_1_to_650_guids() {
    let ids = |count: usize| json!({"ids": vec![ADELE; count]});
    let mut server = Server::new();
    server.capacity = Ids::MAX_RESPONSE;
    for (body, expected) in [
        (ids(1), 200),
        (ids(Ids::MAX_COUNT), 200),
        (ids(Ids::MAX_COUNT + 1), 400),
        (ids(0), 400),
        (json!({}), 400),
        (json!({"ids": ADELE}), 400),
        (json!({"ids": [ADELE, "x"]}), 400),
        (json!({"ids": [ADELE, 5]}), 400),
        (json!({"ids": [ADELE, null]}), 400),
    ] {
        let (status, response) = server.post(BULK, &body);
        assert_eq!(status, expected);
        if status == 200 {
            assert_eq!(response["value"].as_array().unwrap().len(), body["ids"].as_array().unwrap().len());
        }
    }
}

#[test]
fn the_largest_responses_are_as_large_as_documented() {
    let longest = Presence::ALL.into_iter().map(|presence| {
        let mut bytes = [0; 1000];
        let mut buffer = Buffer::new(&mut bytes);
        Resource::new(user(ADELE), presence, u64::MAX).write(&mut buffer).unwrap();
        1000 - buffer.remaining()
    });
    assert_eq!(longest.max(), Some(Resource::MAX_LEN));
    let commas = Ids::MAX_COUNT - 1;
    assert_eq!(Ids::MAX_RESPONSE, r#"{"value":[]}"#.len() + Ids::MAX_COUNT * Resource::MAX_LEN + commas);
    let element = Element::parse(Written::parse(br#"{"id":"1"}"#).unwrap()).unwrap();
    let mut bytes = [0; 1000];
    let mut buffer = Buffer::new(&mut bytes);
    element.write_response(200, None, &[b'x'; Resource::MAX_LEN], &mut buffer).unwrap();
    assert_eq!(1000 - buffer.remaining(), Element::MAX_RESPONSE + element.id().as_str().len());
}
