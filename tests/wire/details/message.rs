//! Status messages on the wire: rules T1, H2.

use super::*;

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
            "expiryDateTime": {"dateTime": "2026-11-24T18:00:00.1230000", "timeZone": "UTC"},
        })
    );
    // The written form can be sent back.
    assert_eq!(wire.say(&until("2026-11-24T18:00:00.1230000", "UTC")).0, 200);
    wire.caller = Caller::Trusted { me: Some(user(BOB)) };
    let (_, seen) = wire.send("GET", &format!("/users/{ADELE}/presence"), "");
    assert_eq!(seen["statusMessage"], text("lunch"));
    wire.caller = Caller::Trusted { me: Some(user(ADELE)) };
    wire.now = Instant::from_millis(1_795_543_200_122 - EPOCH);
    assert_eq!(wire.me()["statusMessage"]["message"]["content"], "lunch");
    wire.now = Instant::from_millis(1_795_543_200_123 - EPOCH);
    assert_eq!(wire.me()["statusMessage"], Value::Null);
    // The same message at the same moment is no visible change.
    assert_eq!(wire.me()["sequenceNumber"], "A0000000002");
}

#[test]
fn t1_a_presence_object_has_the_times_for_its_owner() {
    let mut details: Details = Details::new();
    let command = DetailsCommand::SetStatusMessage { text: "lunch", expires_at: Instant::from_secs(60) };
    let set = decide_details(details.at(Instant::ZERO).unwrap(), command).unwrap().unwrap();
    details.apply(&set).unwrap();
    let others = Resource::new(user(ADELE), Presence::Away, 1).with_details(details.view());
    let ends = json!({"dateTime": "2026-11-24T17:06:33.2070000", "timeZone": "UTC"});
    for (resource, expiry) in
        [(others, None), (others.for_owner(None), Some(&Value::Null)), (others.for_owner(Some(EPOCH)), Some(&ends))]
    {
        let mut bytes = vec![0; Resource::max_len(5)];
        let mut buffer = Buffer::new(&mut bytes);
        resource.write(&mut buffer).unwrap();
        let written: Value = serde_json::from_slice(buffer.written()).unwrap();
        assert_eq!(written["statusMessage"].get("expiryDateTime"), expiry);
    }
}

#[test]
fn t1_zones_without_an_environment_are_rejected_and_times_without_a_clock() {
    let mut wire = Wire::new();
    for (zone, status) in [("UTC", 200), ("utc", 200), ("Etc/UTC", 200), ("Pacific Standard Time", 200), ("Mars", 400)]
    {
        let (response, body) = wire.say(&until("2026-11-25T10:00:00", zone));
        assert_eq!(response, status, "{zone}");
        if status == 400 {
            assert_eq!(message(&body), "The provided [TimeZone] is not valid.");
        }
    }
    wire.has_environment = false;
    assert_eq!(wire.say(&until("2026-11-25T10:00:00", "UTC")).0, 400);
    assert_eq!(wire.say(&text("x")).0, 200);
    assert_eq!(
        wire.me()["statusMessage"],
        json!({"message": {"content": "x", "contentType": "text"}, "publishedDateTime": null, "expiryDateTime": null})
    );
}

/// An environment that knows nothing is as good as none.
#[test]
fn t1_w1_an_environment_that_knows_nothing() {
    struct Nothing;
    impl Environment for Nothing {}
    let mut wire = Wire::new();
    let mut ask = |environment, method, target: &str, body: &str| {
        let mut bytes = [0; 2000];
        let mut buffer = Buffer::new(&mut bytes);
        let mut context = Context::new(Instant::from_secs(5), wire.caller);
        context.environment = environment;
        let raw = RawRequest::new(method, target).with_body(body.as_bytes());
        let status = serve(&raw, &context, &mut wire.users, &mut buffer, &mut |_, _| {});
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
        let response = ask(Some(&Nothing), method, target, &body.to_string());
        assert_eq!(response.0, status, "{target} {body}");
        assert_eq!(response, ask(None, method, target, &body.to_string()), "{target} {body}");
    }
    // The time of day is unknown: the place lasts for 24 hours.
    let details = &wire.users.details.0[&user(ADELE)];
    assert_eq!(details.next_deadline(), Some(Instant::from_secs(5 + 24 * 3600)));
}

/// An environment that knows the time and no zones accepts UTC only.
#[test]
fn t1_an_environment_that_knows_the_time_only() {
    struct Clock;
    impl Environment for Clock {
        fn epoch(&self) -> Option<u64> {
            Some(EPOCH)
        }
    }
    let mut wire = Wire::new();
    for (zone, expected) in [("UTC", 200), ("Pacific Standard Time", 400), ("Europe/Berlin", 400)] {
        let body = json!({"statusMessage": until("2026-11-25T10:00:00", zone)}).to_string();
        let mut bytes = [0; 500];
        let context = Context::new(Instant::ZERO, wire.caller).with_environment(&Clock);
        let target = "/me/presence/setStatusMessage";
        let raw = RawRequest::new("POST", target).with_body(body.as_bytes());
        let status = serve(&raw, &context, &mut wire.users, &mut Buffer::new(&mut bytes), &mut |_, _| {});
        assert_eq!(status, expected, "{zone}");
    }
    assert_eq!(Clock.end_of_day(Instant::ZERO, user(ADELE)), None);
}

#[test]
fn h2_missing_members_of_a_status_message() {
    let mut wire = Wire::new();
    let mut rejected = |body: &str, expected: &str| {
        let (status, body) = wire.send("POST", "/me/presence/setStatusMessage", body);
        assert_eq!((status, message(&body)), (400, expected));
    };
    rejected("{}", "[StatusMessage]: The StatusMessage field is required.");
    rejected("", "[StatusMessage]: The StatusMessage field is required.");
    rejected(r#"{"statusMessage":1}"#, "The provided [StatusMessage] is not valid.");
    rejected(r#"{"statusMessage":{}}"#, "[Message]: The Message field is required.");
    rejected(r#"{"statusMessage":{"messages":null}}"#, "[Message]: The Message field is required.");
    rejected(r#"{"statusMessage":{"message":"x"}}"#, "The provided [Message] is not valid.");
    rejected(r#"{"statusMessage":{"message":{"content":5}}}"#, "The provided [Content] is not valid.");
    rejected(r#"{"statusMessage":{"message":{"content":"\ud83d"}}}"#, "The provided [Content] is not valid.");
    rejected(
        r#"{"statusMessage":{"message":{"content":"x","contentType":"html"}}}"#,
        "The provided [ContentType] is not valid.",
    );
    rejected(r#"{"statusMessage":{"message":{"content":"x","content":"y"}}}"#, "[Content]: The field is given twice.");
    for letter in ["x", "\\u0078"] {
        let long = letter.repeat(280 * '😀'.len_utf8() + 1);
        let long = format!(r#"{{"statusMessage":{{"message":{{"content":"{long}"}}}}}}"#);
        rejected(&long, "The provided [Content] is out of range.");
    }
    let mut expiring = |expiry: &str, expected: &str| {
        rejected(
            &format!(r#"{{"statusMessage":{{"message":{{"content":"x"}},"expiryDateTime":{expiry}}}}}"#),
            expected,
        );
    };
    expiring("5", "The provided [ExpiryDateTime] is not valid.");
    expiring("{}", "[DateTime]: The DateTime field is required.");
    expiring(r#"{"timeZone":"UTC"}"#, "[DateTime]: The DateTime field is required.");
    expiring(r#"{"dateTime":"tomorrow","timeZone":"UTC"}"#, "The provided [DateTime] is not valid.");
    expiring(r#"{"dateTime":"2026-11-25T10:00:00","timeZone":7}"#, "The provided [TimeZone] is not valid.");
    // Missing members come before malformed ones.
    rejected(
        r#"{"statusMessage":{"message":{"content":5},"expiryDateTime":{"timeZone":7}}}"#,
        "[DateTime]: The DateTime field is required.",
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
        let (status, response) = wire.send("POST", &format!("/users/7/presence/{action}"), "{}");
        assert_eq!((status, message(&response)), (400, expected));
    }
}
