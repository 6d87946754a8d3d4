//! Status message, work location, out of office, `$select` and user principal names on the wire: rules T1, O1, W1, H3, V1.

use super::server::{ADELE, BOB, TEAMS, message, session, user};
use presence_core::details::{
    Details, DetailsCommand, DetailsError, OutOfOffice, ShownDetails, advance_details, decide_details,
};
use presence_core::directory::{Directory, InlineMemory};
use presence_core::graph::{
    Body, Buffer, Caller, DateTime, DetailsField, Exchange, Field, Hooks, Incoming, MAX_MESSAGE, Permissions, Refusal,
    Store, max_presence, serve,
};
use presence_core::{Command, CommandError, Instant, Policy, Presence, SessionId, Transition, UserId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A directory, and what its users tell beside their presence.
struct Users {
    directory: Directory<UserId, SessionId, 2, InlineMemory<UserId, SessionId, 2, 4>>,
    details: BTreeMap<UserId, Details<MAX_MESSAGE>>,
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

    fn read_details(&self, now: Instant, user: UserId, read: &mut dyn FnMut(ShownDetails<'_>)) {
        let mut details = self.details.get(&user).cloned().unwrap_or_default();
        while let Some(due) = advance_details(&details, now) {
            details.apply(&due).unwrap();
        }
        read(details.shown());
    }

    fn execute_on_details(
        &mut self,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
    ) -> Result<(), DetailsError> {
        let details = self.details.entry(user).or_default();
        while let Some(due) = advance_details(details, now) {
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

impl Hooks for World {
    fn epoch(&self) -> Option<u64> {
        Some(EPOCH)
    }

    fn zone(&self, local: DateTime, zone: &str) -> Option<u64> {
        (zone == "Pacific Standard Time").then(|| local.to_unix_millis() + 8 * 3_600_000)
    }

    fn user(&self, principal_name: &str) -> Option<UserId> {
        (principal_name == "a+b c@x.com/é").then(|| user(ADELE))
    }
}

struct Wire {
    users: Users,
    now: Instant,
    caller: Caller,
    has_hooks: bool,
}

impl Wire {
    fn new() -> Self {
        let directory = Directory::new(InlineMemory::new(), Policy::GRAPH);
        let users = Users { directory, details: BTreeMap::new() };
        Self { users, now: Instant::ZERO, caller: Caller::Trusted { me: Some(user(ADELE)) }, has_hooks: true }
    }

    fn send(&mut self, method: &str, target: &str, body: &str) -> (u16, Value) {
        let mut bytes = vec![0; 100_000];
        let mut buffer = Buffer::new(&mut bytes);
        let hooks = self.has_hooks.then_some(&World as &dyn Hooks);
        let exchange = Exchange { hooks, ..Exchange::new(self.now, self.caller) };
        let content_type = (!body.is_empty()).then_some("application/json");
        let incoming = Incoming { method, target, content_type, body: Body::Bytes(body.as_bytes()) };
        let status = serve(&incoming, &exchange, &mut self.users, &mut buffer, &mut |_, _| {});
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

#[test]
fn t1_a_status_message_with_emoji_escapes_and_all() {
    let mut wire = Wire::new();
    for content in ["Hey I am available now", "☕🤷‍♀️", "a\"b\\c\n\u{1}", &"🙂".repeat(280)] {
        assert_eq!(wire.say(&text(content)), (200, Value::Null));
        assert_eq!(wire.me()["statusMessage"]["message"], json!({"content": content, "contentType": "text"}));
    }
    // As Python writes it.
    let escaped = r#"{"statusMessage": {"message": {"content": "\u2615 \ud83d\ude42", "contentType": "text"}}}"#;
    assert_eq!(wire.send("POST", "/me/presence/setStatusMessage", escaped).0, 200);
    assert_eq!(wire.me()["statusMessage"]["message"]["content"], "☕ 🙂");
    for removal in [text(""), json!({"message": {"content": null}}), json!({"message": null}), json!({"message": {}})] {
        assert_eq!(wire.say(&text("x")).0, 200);
        assert_eq!(wire.say(&removal), (200, Value::Null), "{removal}");
        assert_eq!(wire.me()["statusMessage"], Value::Null);
    }
}

#[test]
fn t1_times_are_utc_and_for_the_user_alone() {
    let mut wire = Wire::new();
    wire.say(&until("2026-11-24T10:00:00.1239999", "Pacific Standard Time"));
    assert_eq!(
        wire.me()["statusMessage"],
        json!({
            "message": {"content": "lunch", "contentType": "text"},
            "publishedDateTime": "2026-11-24T17:05:33.2070000Z",
            "expiryDateTime": {"dateTime": "2026-11-24T18:00:00.1230000Z", "timeZone": "UTC"},
        })
    );
    // What is written can be sent back.
    assert_eq!(wire.say(&until("2026-11-24T18:00:00.1230000Z", "UTC")).0, 200);
    wire.caller = Caller::Trusted { me: Some(user(BOB)) };
    let (_, seen) = wire.send("GET", &format!("/users/{ADELE}/presence"), "");
    assert_eq!(seen["statusMessage"], text("lunch"));
    wire.caller = Caller::Trusted { me: Some(user(ADELE)) };
    wire.now = Instant::from_millis(1_795_543_200_122 - EPOCH);
    assert_eq!(wire.me()["statusMessage"]["message"]["content"], "lunch");
    wire.now = Instant::from_millis(1_795_543_200_123 - EPOCH);
    assert_eq!(wire.me()["statusMessage"], Value::Null);
    // Saying the same again at the same moment was seen by nobody.
    assert_eq!(wire.me()["sequenceNumber"], "A0000000002");
}

#[test]
fn t1_zones_without_a_hook_are_refused_and_times_without_a_clock() {
    let mut wire = Wire::new();
    for (zone, status) in [("UTC", 200), ("utc", 200), ("Etc/UTC", 200), ("Pacific Standard Time", 200), ("Mars", 400)]
    {
        let (answer, body) = wire.say(&until("2026-11-25T10:00:00", zone));
        assert_eq!(answer, status, "{zone}");
        if status == 400 {
            assert_eq!(message(&body), "The provided [TimeZone] is not valid.");
        }
    }
    wire.has_hooks = false;
    assert_eq!(wire.say(&until("2026-11-25T10:00:00", "UTC")).0, 400);
    assert_eq!(wire.say(&text("x")).0, 200);
    assert_eq!(
        wire.me()["statusMessage"],
        json!({"message": {"content": "x", "contentType": "text"}, "publishedDateTime": null, "expiryDateTime": null})
    );
}

/// Hooks that say nothing are as good as none.
#[test]
fn t1_w1_an_embedder_who_knows_nothing_of_the_world() {
    struct Nothing;
    impl Hooks for Nothing {}
    let mut wire = Wire::new();
    let mut ask = |hooks: Option<&dyn Hooks>, method, target: &str, body: &str| {
        let mut bytes = [0; 2000];
        let mut buffer = Buffer::new(&mut bytes);
        let exchange = Exchange { hooks, ..Exchange::new(Instant::from_secs(5), wire.caller) };
        let incoming = Incoming { method, target, content_type: None, body: Body::Bytes(body.as_bytes()) };
        let status = serve(&incoming, &exchange, &mut wire.users, &mut buffer, &mut |_, _| {});
        (status, String::from_utf8(buffer.written().to_vec()).unwrap())
    };
    for (method, target, body, status) in [
        ("POST", "/me/presence/setStatusMessage", json!({"statusMessage": until("2026-11-25T10:00:00", "UTC")}), 400),
        ("POST", "/me/presence/setStatusMessage", json!({"statusMessage": until("2026-11-25T10:00:00", "Mars")}), 400),
        ("POST", "/me/presence/setStatusMessage", json!({"statusMessage": text("x")}), 200),
        ("POST", "/me/presence/setManualLocation", json!({"workLocationType": "office"}), 200),
        ("GET", "/users/adele@contoso.com/presence", Value::Null, 404),
        ("GET", "/me/presence", Value::Null, 200),
    ] {
        let answer = ask(Some(&Nothing), method, target, &body.to_string());
        assert_eq!(answer.0, status, "{target} {body}");
        assert_eq!(answer, ask(None, method, target, &body.to_string()), "{target} {body}");
    }
    // Nobody knows the time of day: the place is good for 24 hours.
    let details = &wire.users.details[&user(ADELE)];
    assert_eq!(details.next_deadline(), Some(Instant::from_secs(5 + 24 * 3600)));
}

/// Who knows the time and no zones understands UTC, and nothing else.
#[test]
fn t1_an_embedder_who_knows_the_time_alone() {
    struct Clock;
    impl Hooks for Clock {
        fn epoch(&self) -> Option<u64> {
            Some(EPOCH)
        }
    }
    let mut wire = Wire::new();
    for (zone, expected) in [("UTC", 200), ("Pacific Standard Time", 400), ("Europe/Berlin", 400)] {
        let body = json!({"statusMessage": until("2026-11-25T10:00:00", zone)}).to_string();
        let mut bytes = [0; 500];
        let exchange = Exchange { hooks: Some(&Clock), ..Exchange::new(Instant::ZERO, wire.caller) };
        let target = "/me/presence/setStatusMessage";
        let incoming = Incoming { method: "POST", target, content_type: None, body: Body::Bytes(body.as_bytes()) };
        let status = serve(&incoming, &exchange, &mut wire.users, &mut Buffer::new(&mut bytes), &mut |_, _| {});
        assert_eq!(status, expected, "{zone}");
    }
    assert_eq!(Clock.end_of_day(Instant::ZERO, user(ADELE)), None);
}

/// Whoever knows when a user's day ends says so; an end that is over is none, for the day goes on.
#[test]
fn w1_the_end_of_the_day_is_the_embedders_word() {
    struct Day(Instant);
    impl Hooks for Day {
        fn end_of_day(&self, _: Instant, _: UserId) -> Option<Instant> {
            Some(self.0)
        }
    }
    let body = json!({"workLocationType": "office"}).to_string();
    for (end, until) in [(99, 100 + 24 * 3600), (100, 100 + 24 * 3600), (101, 101), (5000, 5000)] {
        let mut wire = Wire::new();
        let day = Day(Instant::from_secs(end));
        let exchange = Exchange { hooks: Some(&day), ..Exchange::new(Instant::from_secs(100), wire.caller) };
        let target = "/me/presence/setManualLocation";
        let incoming = Incoming { method: "POST", target, content_type: None, body: Body::Bytes(body.as_bytes()) };
        let mut bytes = [0; 500];
        let status = serve(&incoming, &exchange, &mut wire.users, &mut Buffer::new(&mut bytes), &mut |_, _| {});
        let deadline = wire.users.details[&user(ADELE)].next_deadline();
        assert_eq!((status, deadline), (200, Some(Instant::from_secs(until))), "a day that ends at {end} s");
    }
}

#[test]
fn h2_what_a_status_message_lacks() {
    let mut wire = Wire::new();
    let mut refused = |body: &str, expected: &str| {
        let (status, body) = wire.send("POST", "/me/presence/setStatusMessage", body);
        assert_eq!((status, message(&body)), (400, expected));
    };
    refused("{}", "[StatusMessage]: The StatusMessage field is required.");
    refused("", "[StatusMessage]: The StatusMessage field is required.");
    refused(r#"{"statusMessage":1}"#, "The provided [StatusMessage] is not valid.");
    refused(r#"{"statusMessage":{}}"#, "[Message]: The Message field is required.");
    refused(r#"{"statusMessage":{"messages":null}}"#, "[Message]: The Message field is required.");
    refused(r#"{"statusMessage":{"message":"x"}}"#, "The provided [Message] is not valid.");
    refused(r#"{"statusMessage":{"message":{"content":5}}}"#, "The provided [Content] is not valid.");
    refused(r#"{"statusMessage":{"message":{"content":"\ud83d"}}}"#, "The provided [Content] is not valid.");
    refused(
        r#"{"statusMessage":{"message":{"content":"x","contentType":"html"}}}"#,
        "The provided [ContentType] is not valid.",
    );
    refused(r#"{"statusMessage":{"message":{"content":"x","content":"y"}}}"#, "[Content]: The field is given twice.");
    for letter in ["x", "\\u0078"] {
        let long = letter.repeat(MAX_MESSAGE + 1);
        let long = format!(r#"{{"statusMessage":{{"message":{{"content":"{long}"}}}}}}"#);
        refused(&long, "The provided [Content] is out of range.");
    }
    let mut expiring = |expiry: &str, expected: &str| {
        refused(&format!(r#"{{"statusMessage":{{"message":{{"content":"x"}},"expiryDateTime":{expiry}}}}}"#), expected);
    };
    expiring("5", "The provided [ExpiryDateTime] is not valid.");
    expiring("{}", "[DateTime]: The DateTime field is required.");
    expiring(r#"{"dateTime":"2026-11-25T10:00:00"}"#, "[TimeZone]: The TimeZone field is required.");
    expiring(r#"{"dateTime":"tomorrow","timeZone":"UTC"}"#, "The provided [DateTime] is not valid.");
    expiring(r#"{"dateTime":"2026-11-25T10:00:00","timeZone":7}"#, "The provided [TimeZone] is not valid.");
    // What is missing comes before what is wrong.
    refused(
        r#"{"statusMessage":{"message":{"content":5},"expiryDateTime":{"dateTime":7}}}"#,
        "[TimeZone]: The TimeZone field is required.",
    );
}

/// Rule H2: required fields before the form of ids.
#[test]
fn h2_required_fields_before_the_users_id() {
    let mut wire = Wire::new();
    for (action, expected) in [
        ("setStatusMessage", "[StatusMessage]: The StatusMessage field is required."),
        ("setManualLocation", "[WorkLocationType]: The WorkLocationType field is required."),
        ("clearLocation", "The provided [User] is not valid."),
    ] {
        let (status, answer) = wire.send("POST", &format!("/users/7/presence/{action}"), "{}");
        assert_eq!((status, message(&answer)), (400, expected));
    }
}

#[test]
fn w1_locations_their_sources_and_the_end_of_the_day() {
    let mut wire = Wire::new();
    let location = |wire: &mut Wire| wire.me()["workLocation"].clone();
    let said =
        |kind: &str, place: Value, source: &str| json!({"workLocationType": kind, "placeId": place, "source": source});
    assert_eq!(location(&mut wire), said("unspecified", Value::Null, "none"));
    let office = r#"{"workLocationType":"office","placeId":"eb706f15-137e-4722-b4d1-b601481d9251"}"#;
    assert_eq!(wire.send("POST", "/me/presence/setAutomaticLocation", office), (200, Value::Null));
    assert_eq!(location(&mut wire), said("office", json!("eb706f15-137e-4722-b4d1-b601481d9251"), "automatic"));
    assert_eq!(wire.send("POST", "/me/presence/setManualLocation", r#"{"workLocationType":"TIMEOFF"}"#).0, 200);
    assert_eq!(location(&mut wire), said("timeOff", Value::Null, "manual"));
    assert_eq!(wire.send("POST", "/me/presence/clearAutomaticLocation", "").0, 200);
    assert_eq!(location(&mut wire), said("timeOff", Value::Null, "manual"));
    assert_eq!(wire.send("POST", "/me/presence/clearLocation", "").0, 200);
    assert_eq!(wire.send("POST", "/me/presence/clearLocation", "{}").0, 200, "again");
    assert_eq!(location(&mut wire), said("unspecified", Value::Null, "none"));
    // Nobody says when the day ends: at midnight UTC.
    wire.send("POST", "/me/presence/setManualLocation", r#"{"workLocationType":"remote","placeId":null}"#);
    let midnight = 1_795_564_800_000 - EPOCH;
    wire.now = Instant::from_millis(midnight - 1);
    assert_eq!(location(&mut wire)["source"], "manual");
    wire.now = Instant::from_millis(midnight);
    assert_eq!(location(&mut wire)["source"], "none");

    for (body, expected) in [
        ("{}", "[WorkLocationType]: The WorkLocationType field is required."),
        (r#"{"workLocationType":"unspecified"}"#, "The provided [WorkLocationType] is not valid."),
        (r#"{"workLocationType":"moon"}"#, "The provided [WorkLocationType] is not valid."),
        (r#"{"workLocationType":["office"]}"#, "The provided [WorkLocationType] is not valid."),
        (r#"{"workLocationType":"office","placeId":1}"#, "The provided [PlaceId] is not valid."),
    ] {
        let (status, answer) = wire.send("POST", "/me/presence/setManualLocation", body);
        assert_eq!((status, message(&answer)), (400, expected));
    }
    let long = json!({"workLocationType": "office", "placeId": "x".repeat(65)}).to_string();
    let (status, answer) = wire.send("POST", "/me/presence/setManualLocation", &long);
    assert_eq!((status, message(&answer)), (400, "The provided [PlaceId] is out of range."));
}

#[test]
fn section_7_who_may_change_details() {
    let application = session(TEAMS);
    let path = format!("/users/{ADELE}/presence");
    let message = json!({"statusMessage": text("x")}).to_string();
    let place = r#"{"workLocationType":"office"}"#;
    let delegated = |user, permissions| Caller::Delegated { application, user, permissions };
    let read = Permissions { read_all: true, read_write_all: false };
    for (caller, on_message, on_location) in [
        (Caller::Application { application, permissions: Permissions::ALL }, 200, 403),
        (Caller::Application { application, permissions: read }, 403, 403),
        (delegated(user(ADELE), Permissions::ALL), 200, 200),
        (delegated(user(ADELE), read), 403, 403),
        (delegated(user(BOB), Permissions::ALL), 401, 401),
        (Caller::Trusted { me: None }, 200, 200),
    ] {
        let mut wire = Wire { caller, ..Wire::new() };
        assert_eq!(wire.send("POST", &format!("{path}/setStatusMessage"), &message).0, on_message, "{caller:?}");
        for (action, body) in [
            ("setManualLocation", place),
            ("setAutomaticLocation", place),
            ("clearLocation", ""),
            ("clearAutomaticLocation", ""),
        ] {
            assert_eq!(wire.send("POST", &format!("{path}/{action}"), body).0, on_location, "{caller:?} {action}");
        }
    }
}

#[test]
fn section_7_user_principal_names_are_decoded_after_splitting() {
    let mut wire = Wire::new();
    let path = "/v1.0/users/a%2Bb%20c%40x.com%2F%C3%A9/presence";
    let (status, body) = wire.send("GET", path, "");
    assert_eq!((status, &body["id"]), (200, &json!(ADELE)));
    assert_eq!(
        wire.send("POST", &format!("{path}/setStatusMessage"), &json!({"statusMessage": text("x")}).to_string()).0,
        200
    );
    let prefer = r#"{"availability":"Busy","activity":"Busy"}"#;
    assert_eq!(wire.send("POST", &format!("{path}/setUserPreferredPresence"), prefer).0, 200);
    assert_eq!(wire.send("GET", "/users/nobody@x.com/presence", "").0, 404);
    assert_eq!(wire.send("GET", "/users/a+b c@x.com%2F%ff/presence", "").0, 404, "no text");
    assert_eq!(wire.send("GET", &format!("/users/{}@x.com/presence", "x".repeat(400)), "").0, 404);
    wire.has_hooks = false;
    assert_eq!(wire.send("GET", path, "").0, 404);
    assert_eq!(wire.send("POST", path, "").0, 404, "the path is looked at before the method");
}

#[test]
fn section_7_select_on_reads() {
    let mut wire = Wire::new();
    let (_, body) = wire.send("GET", "/me/presence?$select=availability,activity", "");
    assert_eq!(body, json!({"availability": "Offline", "activity": "Offline"}));
    let (_, body) = wire.send("GET", &format!("/communications/presences/{ADELE}?%24select=workLocation%2Cid"), "");
    assert_eq!(
        body,
        json!({
            "id": ADELE, "workLocation": {"workLocationType": "unspecified", "placeId": null, "source": "none"},
        })
    );
    let (status, body) = wire.send("GET", "/me/presence?$select=mood", "");
    assert_eq!((status, message(&body)), (400, "The provided [Select] is not valid."));
    let ids = json!({"ids": [ADELE, BOB]}).to_string();
    let (_, body) = wire.send("POST", "/communications/getPresencesByUserId?$select=id", &ids);
    assert_eq!(body, json!({"value": [{"id": ADELE}, {"id": BOB}]}));
    let batch = json!({"requests": [
        {"id": "1", "method": "GET", "url": "/me/presence?$select=activity"},
        {"id": "2", "method": "POST", "url": "/me/presence/setStatusMessage", "headers": {"Content-Type": "application/json"},
         "body": {"statusMessage": text("x")}, "dependsOn": ["1"]},
        {"id": "3", "method": "GET", "url": "/me/presence?$select=statusMessage", "dependsOn": ["2"]},
        {"id": "4", "method": "POST", "url": "/me/presence/setStatusMessage", "headers": {"Content-Type": "application/json"},
         "body": {}},
    ]});
    let (_, body) = wire.send("POST", "/$batch", &batch.to_string());
    let answers = body["responses"].as_array().unwrap();
    assert_eq!(
        answers.iter().map(|answer| answer["status"].as_u64().unwrap()).collect::<Vec<_>>(),
        [200, 200, 200, 400]
    );
    assert_eq!(answers[0]["body"], json!({"activity": "Offline"}));
    assert_eq!(answers[2]["body"]["statusMessage"]["message"]["content"], "x");
}

/// Rule H3: every member, in this order; the longest there can be is as long as is said.
#[test]
fn h3_a_presence_object_with_everything_in_it() {
    let mut wire = Wire::new();
    assert_eq!(
        wire.me(),
        json!({
            "id": ADELE, "availability": "Offline", "activity": "Offline",
            "outOfOfficeSettings": {"message": null, "isOutOfOffice": false}, "statusMessage": null, "sequenceNumber": null,
            "workLocation": {"workLocationType": "unspecified", "placeId": null, "source": "none"},
        })
    );
    let mut fullest = until("2026-11-25T10:00:00", "UTC");
    fullest["message"]["content"] = json!("\u{1}".repeat(MAX_MESSAGE));
    assert_eq!(wire.say(&fullest).0, 200);
    let place = json!({"workLocationType": "timeOff", "placeId": "\u{1}".repeat(64)}).to_string();
    let details = wire.users.details.get_mut(&user(ADELE)).unwrap();
    let filler = "\u{1}".repeat(MAX_MESSAGE);
    let out = OutOfOffice { is_out_of_office: false, message: Some(&filler) };
    let transition =
        decide_details(details.at(Instant::ZERO).unwrap(), DetailsCommand::SetOutOfOffice(out)).unwrap().unwrap();
    details.apply(&transition).unwrap();
    assert_eq!(wire.send("POST", "/me/presence/setAutomaticLocation", &place).0, 200);
    let mut bytes = vec![0; max_presence(MAX_MESSAGE)];
    let mut buffer = Buffer::new(&mut bytes);
    let exchange = Exchange { hooks: Some(&World), ..Exchange::new(wire.now, wire.caller) };
    let incoming = Incoming { method: "GET", target: "/me/presence", content_type: None, body: Body::Bytes(b"") };
    assert_eq!(serve(&incoming, &exchange, &mut wire.users, &mut buffer, &mut |_, _| {}), 200);
    let written = std::str::from_utf8(buffer.written()).unwrap();
    let places = [
        "\"id\"",
        "\"availability\"",
        "\"activity\"",
        "\"outOfOfficeSettings\"",
        "\"statusMessage\"",
        "\"sequenceNumber\"",
        "\"workLocation\"",
    ]
    .map(|name| written.find(name).unwrap());
    assert!(places.is_sorted());
    assert!(written.len() > max_presence(MAX_MESSAGE) - 100, "{} of {}", written.len(), max_presence(MAX_MESSAGE));
}

/// The documentation's own examples about details, sent as they stand there, and what another user then sees.
#[test]
fn the_examples_of_the_documentation_are_understood() {
    let examples: Value = serde_json::from_str(include_str!("../vectors/examples.json")).unwrap();
    let mut wire = Wire::new();
    let mut seen = 0;
    for example in examples.as_array().unwrap() {
        let name = example["id"].as_str().unwrap();
        if !name.contains("StatusMessage") && !name.contains("Location") {
            continue;
        }
        seen += 1;
        let target = example["url"].as_str().unwrap().strip_prefix("https://graph.microsoft.com").unwrap();
        let is_read = example["method"] == "GET";
        wire.caller = Caller::Trusted { me: Some(user(if is_read { BOB } else { ADELE })) };
        let body = if example["body"].is_null() { String::new() } else { example["body"].to_string() };
        let (status, answer) = wire.send(example["method"].as_str().unwrap(), target, &body);
        assert_eq!(Some(u64::from(status)), example["expected_status"].as_u64(), "{}", example["id"]);
        if is_read {
            let expected = &example["expected_body"];
            assert_eq!(answer["statusMessage"], expected["statusMessage"], "{}", example["id"]);
            assert_eq!(answer["outOfOfficeSettings"], expected["outOfOfficeSettings"], "{}", example["id"]);
        } else {
            assert_eq!(answer, Value::Null);
        }
    }
    assert_eq!(seen, 11);
}

/// A store that keeps no details, a directory alone, has no such resources, and writes null.
#[test]
fn a_store_without_details() {
    let mut server = super::server::Server::delegated();
    let (status, _) = server.post("/me/presence/setStatusMessage", &json!({"statusMessage": text("x")}));
    assert_eq!(status, 404);
    let (_, body) = server.get("/me/presence");
    assert_eq!(
        (&body["statusMessage"], &body["workLocation"], &body["outOfOfficeSettings"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    // Nor in a batch: an element that is refused when it is carried out.
    let (_, body) = server.post(
        "/$batch",
        &json!({"requests": [
            {"id": "1", "method": "POST", "url": "/me/presence/setStatusMessage", "body": {"statusMessage": text("x")}},
        ]}),
    );
    assert_eq!(body["responses"][0]["status"], 404);
}

/// Rule M5: nobody keeps what a user tells whom the embedder does not know.
#[test]
fn m5_details_of_a_user_nobody_knows() {
    let mut wire = Wire::new();
    let known = |id| id == user(BOB);
    let exchange = Exchange { known: Some(&known), ..Exchange::new(Instant::ZERO, wire.caller) };
    let body = json!({"statusMessage": text("x")}).to_string();
    for (owner, status) in [(ADELE, 404), (BOB, 200)] {
        let mut bytes = [0; 500];
        let target = format!("/users/{owner}/presence/setStatusMessage");
        let incoming =
            Incoming { method: "POST", target: &target, content_type: None, body: Body::Bytes(body.as_bytes()) };
        let answer = serve(&incoming, &exchange, &mut wire.users, &mut Buffer::new(&mut bytes), &mut |_, _| {});
        assert_eq!((answer, wire.users.details.contains_key(&user(owner))), (status, status == 200));
    }
}

/// Rules H1, S9: what a store refuses about details names the member that it is about.
#[test]
fn h1_what_a_store_refuses_about_details() {
    for (error, refusal) in [
        (DetailsError::MessageTooLong, Refusal::OutOfRange(Field::Details(DetailsField::Content))),
        (DetailsError::OutOfOfficeTooLong, Refusal::OutOfRange(Field::Details(DetailsField::Message))),
        (DetailsError::PlaceTooLong, Refusal::OutOfRange(Field::Details(DetailsField::PlaceId))),
        (DetailsError::UsersFull, Refusal::UsersFull),
        (DetailsError::NotKept, Refusal::UnknownPath),
    ] {
        assert_eq!(Refusal::from(error), refusal);
    }
}
