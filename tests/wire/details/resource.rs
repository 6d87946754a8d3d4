//! Permissions, `$select`, principal names and the presence object: section 7, rules H1, H3, M5.

use super::*;
use crate::examples::examples;
use crate::line_ends::{is_one_line, texts};
use presence_core::details::{DetailsView, LocationLayer, StatusMessage, WorkLocation, WorkLocationType, WorkPlace};
use presence_core::graph::TextBuffer;
use proptest::prelude::*;

#[test]
fn section_7_who_may_change_details() {
    let application = session(TEAMS);
    let path = format!("/users/{ADELE}/presence");
    let message = json!({"statusMessage": text("x")}).to_string();
    let place = r#"{"workLocationType":"office"}"#;
    let delegated = |user, permissions| Caller::Delegated { application, user, permissions };
    let read = Permissions::READ_ALL;
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
    for (length, status) in [(319, 404), (320, 200), (321, 404)] {
        let name = format!("{}@x.com", "x".repeat(length - "@x.com".len()));
        assert_eq!(wire.send("GET", &format!("/users/{name}/presence"), "").0, status, "{length} bytes");
    }
    wire.has_environment = false;
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
    let responses = body["responses"].as_array().unwrap();
    assert_eq!(
        responses.iter().map(|response| response["status"].as_u64().unwrap()).collect::<Vec<_>>(),
        [200, 200, 200, 400]
    );
    assert_eq!(responses[0]["body"], json!({"activity": "Offline"}));
    assert_eq!(responses[2]["body"]["statusMessage"]["message"]["content"], "x");
}

/// Rule H3: every member, in this order.
#[test]
fn h3_a_presence_object_with_all_details() {
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
    fullest["message"]["content"] = json!("\u{1}".repeat(TextBuffer::CAPACITY));
    assert_eq!(wire.say(&fullest).0, 200);
    let place = json!({"workLocationType": "timeOff", "placeId": "\u{1}".repeat(64)}).to_string();
    let filler = "\u{1}".repeat(TextBuffer::CAPACITY);
    let out = OutOfOffice { is_out_of_office: false, message: Some(&filler) };
    let command = DetailsCommand::SetOutOfOffice(out);
    wire.users.execute_details(Instant::ZERO, user(ADELE), command, &mut |_, _| {}).unwrap();
    assert_eq!(wire.send("POST", "/me/presence/setAutomaticLocation", &place).0, 200);
    let mut bytes = vec![0; Resource::max_len(TextBuffer::CAPACITY)];
    let mut buffer = Buffer::new(&mut bytes);
    let context = Context::new(wire.now, wire.caller).with_environment(&World);
    let raw = RawRequest::new("GET", "/me/presence");
    assert_eq!(serve(&raw, &context, &mut wire.users, &mut buffer, &mut |_, _| {}), 200);
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
}

/// The documentation's own examples, unchanged: every member that is read, and what a write leaves behind.
#[test]
fn the_examples_of_the_documentation_are_understood() {
    for example in examples() {
        let mut wire = Wire::new();
        for (owner, command) in example.before() {
            wire.users.store.execute_under(wire.now, owner, command, &Policy::MIRROR, |_, _| {}).unwrap();
        }
        for presence in example.presences() {
            let owner = user(presence["id"].as_str().unwrap());
            let is_out_of_office = presence["outOfOfficeSettings"]["isOutOfOffice"].as_bool().unwrap();
            let command = DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office, message: None });
            wire.users.execute_details(wire.now, owner, command, &mut |_, _| {}).unwrap();
            if !presence["statusMessage"].is_null() {
                wire.caller = Caller::Trusted { me: Some(owner) };
                assert_eq!(wire.say(&presence["statusMessage"]).0, 200);
            }
        }
        // What is cleared must exist.
        if example.operation().starts_with("clear") && example.is_about_details() {
            let set = format!("/me/presence/{}", example.operation().replace("clearLocation", "setManualLocation"));
            let body = r#"{"workLocationType":"office"}"#;
            assert_eq!(wire.send("POST", &set.replace("/clear", "/set"), body).0, 200);
            assert_eq!(wire.me()["workLocation"]["workLocationType"], "office");
        }
        // Another user reads a message; `/me` is Adele.
        let me = if example.is_about_details() && example.method() == "GET" { BOB } else { ADELE };
        wire.caller = Caller::Trusted { me: Some(user(me)) };
        let response = wire.send(example.method(), example.target(), &example.text());
        example.compare(response, &[]);
        if example.method() == "POST" && example.presences().is_empty() {
            let seen = wire.me();
            assert_eq!([&seen["availability"], &seen["activity"]], example.seen_after().each_ref());
            // A message that ended in 2022 is over at once.
            let message = match &example.body()["statusMessage"] {
                message if message["expiryDateTime"].is_null() => &message["message"],
                _ => &Value::Null,
            };
            assert_eq!(&seen["statusMessage"]["message"], message, "{}", example.name());
            let location = ["workLocationType", "placeId"].map(|name| &seen["workLocation"][name]);
            let expected = match example.operation() {
                "setManualLocation" | "setAutomaticLocation" => {
                    ["workLocationType", "placeId"].map(|name| &example.body()[name])
                }
                _ => [&json!("unspecified"), &Value::Null],
            };
            assert_eq!(location, expected, "{}", example.name());
        }
    }
}

/// A directory alone keeps no details: their paths are unknown, and their members null.
#[test]
fn a_store_without_details() {
    let mut server = super::super::server::Server::delegated();
    let (status, _) = server.post("/me/presence/setStatusMessage", &json!({"statusMessage": text("x")}));
    assert_eq!(status, 404);
    let (_, body) = server.get("/me/presence");
    assert_eq!(
        (&body["statusMessage"], &body["workLocation"], &body["outOfOfficeSettings"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    // Nor in a batch, where the error comes from the store.
    let (_, body) = server.post(
        "/$batch",
        &json!({"requests": [
            {"id": "1", "method": "POST", "url": "/me/presence/setStatusMessage", "body": {"statusMessage": text("x")}},
        ]}),
    );
    assert_eq!(body["responses"][0]["status"], 404);
}

/// Rule M5: no details are kept of users that do not exist.
#[test]
fn m5_details_of_a_user_that_does_not_exist() {
    let mut wire = Wire::new();
    let known = |id| id == user(BOB);
    let context = Context::new(Instant::ZERO, wire.caller).with_known_users(&known);
    let body = json!({"statusMessage": text("x")}).to_string();
    for (owner, status) in [(ADELE, 404), (BOB, 200)] {
        let mut bytes = [0; 500];
        let target = format!("/users/{owner}/presence/setStatusMessage");
        let raw = RawRequest::new("POST", &target).with_body(body.as_bytes());
        let response = serve(&raw, &context, &mut wire.users, &mut Buffer::new(&mut bytes), &mut |_, _| {});
        assert_eq!((response, wire.users.details.0.contains_key(&user(owner))), (status, status == 200));
    }
}

/// Rules H1, S9: errors of a store about details name the member that they are about.
#[test]
fn h1_errors_of_a_store_about_details() {
    for (cause, expected) in [
        (DetailsError::MessageTooLong, Error::OutOfRange(Field::Content)),
        (DetailsError::OutOfOfficeTooLong, Error::OutOfRange(Field::Message)),
        (DetailsError::PlaceTooLong, Error::OutOfRange(Field::PlaceId)),
        (DetailsError::UsersFull, Error::UsersFull),
        (DetailsError::Unsupported, Error::UnknownPath),
    ] {
        assert_eq!(Error::from(cause), expected);
    }
}

/// Every byte needs the longest escape, and everything else is as long as it can be.
#[test]
fn h3_the_longest_presence_object_is_as_long_as_documented() {
    let end = Instant::from_millis(u64::MAX - 1);
    for longest in [0, 1, 40, TextBuffer::CAPACITY] {
        for byte in ["\u{0}", "\u{7f}"] {
            let (text, place) = (byte.repeat(longest), byte.repeat(WorkPlace::MAX_ID_LEN));
            let view = DetailsView {
                status_message: Some(StatusMessage { text: &text, published_at: end, expires_at: end }),
                out_of_office: OutOfOffice { is_out_of_office: false, message: Some(&text) },
                work_location: Some(location(&place)),
                version: u64::MAX,
            };
            let presence = Presence::UrgentInterruptionsOnly;
            let resource = Resource::new(user(ADELE), presence, u64::MAX).with_details(view).for_owner(Some(EPOCH));
            let mut bytes = vec![0; Resource::max_len(longest)];
            let mut buffer = Buffer::new(&mut bytes);
            resource.write(&mut buffer).unwrap();
            assert_eq!(buffer.written().len(), Resource::max_len(longest));
        }
    }
}

const fn location(id: &str) -> WorkLocation<'_> {
    let place = WorkPlace { kind: WorkLocationType::TimeOff, id: Some(id) };
    WorkLocation { place, source: LocationLayer::Scheduled }
}

proptest! {
    /// Texts of the details are on one line, for the user and for others, and none is longer than documented. Rules T1, O1, W1.
    #[test]
    fn h3_texts_of_a_presence_object_are_one_line(message in texts(), out in texts(), place in texts()) {
        let view = DetailsView {
            status_message: Some(StatusMessage { text: &message, published_at: Instant::ZERO, expires_at: Instant::NEVER }),
            out_of_office: OutOfOffice { is_out_of_office: true, message: Some(&out) },
            work_location: Some(location(&place)),
            version: 1,
        };
        let resource = Resource::new(user(ADELE), Presence::Busy, 7).with_details(view);
        let mut bytes = vec![0; Resource::max_len(message.len().max(out.len()))];
        for resource in [resource, resource.for_owner(Some(EPOCH))] {
            let mut buffer = Buffer::new(&mut bytes);
            resource.write(&mut buffer).unwrap();
            let text = std::str::from_utf8(buffer.written()).unwrap();
            prop_assert!(is_one_line(text), "{text:?}");
            let body: Value = serde_json::from_str(text).unwrap();
            prop_assert_eq!(body["statusMessage"]["message"]["content"].as_str(), Some(message.as_str()));
            prop_assert_eq!(body["outOfOfficeSettings"]["message"].as_str(), Some(out.as_str()));
            prop_assert_eq!(body["workLocation"]["placeId"].as_str(), Some(place.as_str()));
        }
    }
}
