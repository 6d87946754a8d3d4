//! Requests that the device itself answers: rules L5 and L6.

use super::fixture::{CALENDAR, CALLS, DONE, Fixture, set};
use firmware::{App, Button, Identity, Link, MAX_LINE, MAX_RESPONSE, SESSIONS, Settings, Sign};
use presence_core::Presence;
use presence_core::graph::{Buffer, Error, Field, Trace};
use serde_json::{Value, json};

/// Sends a request, and returns its status and its body.
fn ask(fixture: &mut Fixture, method: &str, url: &str, body: &str) -> (u16, Value) {
    let body = if body.is_empty() { String::new() } else { format!(",\"body\":{body}") };
    let said = fixture.send(&format!("{{\"id\":\"1\",\"method\":\"{method}\",\"url\":\"{url}\"{body}}}\n"));
    let response: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(response["id"], "1");
    (response["status"].as_u64().unwrap() as u16, response["body"].clone())
}

fn get(fixture: &mut Fixture, url: &str) -> Value {
    let (status, body) = ask(fixture, "GET", url, "");
    assert_eq!(status, 200, "{url}: {body}");
    body
}

/// Posts a body that must be accepted.
fn post(fixture: &mut Fixture, url: &str, body: &Value) {
    assert_eq!(ask(fixture, "POST", url, &body.to_string()), (200, Value::Null), "{body}");
}

/// Posts a body that must be rejected, and returns the message.
fn rejected(fixture: &mut Fixture, url: &str, body: &str) -> String {
    let (status, body) = ask(fixture, "POST", url, body);
    assert_eq!((status, &body["error"]["code"]), (400, &json!("InvalidArgument")), "{body}");
    body["error"]["message"].as_str().unwrap().to_owned()
}

fn defaults() -> Value {
    json!({
        "brightness": 255, "nightBrightness": 24, "night": "PT0S", "palette": "default", "leds": 1, "noNewsDimsAfter": "PT1H",
    })
}

/// A settings body with one member.
fn one(name: &str, value: impl Into<Value>) -> Value {
    json!({ name: value.into() })
}

#[test]
fn l5_a_device_tells_what_it_is() {
    let mut fixture = Fixture::new();
    for (serial_number, expected) in [(None, Value::Null), (Some(0xABC), json!("0000000000000abc"))] {
        fixture.presence_light.restore(Identity { board: "pico", serial_number }, App::new(), Settings::new());
        let expected = json!({"version": env!("CARGO_PKG_VERSION"), "board": "pico", "serialNumber": expected});
        assert_eq!(get(&mut fixture, "/device"), expected);
    }
}

#[test]
fn l5_sessions_are_listed_with_what_is_left_of_each() {
    let mut fixture = Fixture::new();
    assert_eq!(get(&mut fixture, "/me/presence/sessions"), json!({"value": []}));
    fixture.send(&set(CALLS, "Available", "Available", "PT1H"));
    fixture.after(1500);
    fixture.send(&set(CALENDAR, "Busy", "InAMeeting", "PT24H"));
    let listed = |left: &str, availability: &str, activity: &str, other: &str| {
        json!({"value": [
            {"sessionId": CALENDAR, "availability": "Busy", "activity": "InAMeeting", "expiresAt": null, "remaining": other},
            {"sessionId": CALLS, "availability": availability, "activity": activity, "expiresAt": null, "remaining": left},
        ]})
    };
    let sessions = get(&mut fixture, "/me/presence/sessions");
    assert_eq!(sessions, listed("PT59M58.5S", "Available", "Available", "P1D"));
    // As the example server writes durations; both faded by now.
    fixture.after(600_000);
    let sessions = get(&mut fixture, "/me/presence/sessions");
    assert_eq!(sessions, listed("PT49M58.5S", "Away", "Away", "PT23H50M"));
    // What is due is applied, and reported, before.
    let said = fixture.after(0);
    assert_eq!(said, "");
    fixture.now = fixture.now.saturating_add(presence_core::Duration::from_hours(2));
    let said = fixture.send("{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/me/presence/sessions\"}\n");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(CALENDAR) && !said.contains(CALLS), "{said}");
}

/// Rule H7, and users by their id.
#[test]
fn h7_paths_are_read_as_all_others() {
    let mut fixture = Fixture::new();
    let owner = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";
    for url in [
        "/Me/presence/sessions/?x=y",
        "/v1.0/me/presence/sessions",
        "/me/presence/microsoft.graph.sessions",
        &format!("/users/{owner}/presence/sessions"),
        &format!("/users('{owner}')/presence/sessions"),
        &format!("/communications/presences/{owner}/sessions"),
        "\\/me\\/presence\\/s\\u0065ssions",
        "/DEVICE/",
        "/beta/device",
        "/%64evice",
        "/device/Settings?x",
    ] {
        get(&mut fixture, url);
    }
    for url in [
        "/device/x",
        "/device/settings/x",
        "/device/link/state",
        "/devices",
        "/device/network",
        "/device/sessions",
        "/sessions",
        "/me/sessions",
        "/me/presence/sessions/x",
        "/me/presence/setPresence/sessions",
    ] {
        for method in ["GET", "POST", "PATCH"] {
            assert_eq!(ask(&mut fixture, method, url, "").0, 404, "{method} {url}");
        }
    }
    // As of a presence: first the method, then the user.
    let someone = "/users/11111111-2222-3333-4444-555555555555/presence";
    for (method, status) in [("GET", 404), ("POST", 405)] {
        assert_eq!(ask(&mut fixture, method, &format!("{someone}/sessions"), "").0, status);
    }
    assert_eq!(ask(&mut fixture, "POST", someone, "").0, 405);
    assert_eq!(ask(&mut fixture, "GET", "/users/adele/presence/sessions", "").0, 400, "no GUID");
}

#[test]
fn h2_methods_and_bodies_are_checked_in_the_order_of_all_requests() {
    let mut fixture = Fixture::new();
    let before = fixture.presence_light.app().user().clone();
    for (method, url) in [
        ("POST", "/device"),
        ("DELETE", "/device/settings"),
        ("PATCH", "/device/settings"),
        ("GET", "/device/link"),
        ("GET", "/device/forget"),
        ("HEAD", "/device"),
        ("HEAD", "/me/presence/sessions"),
        ("POST", "/me/presence/sessions"),
        ("Ge\\u0054\\u0054", "/device"),
        (&"x".repeat(300), "/device"),
    ] {
        assert_eq!(ask(&mut fixture, method, url, "\"no object\"").0, 405, "{method} {url}");
    }
    assert_eq!(ask(&mut fixture, "get", "/device", "\"not looked at\"").0, 200);
    for url in ["/device/settings", "/device/link", "/device/forget"] {
        assert!(rejected(&mut fixture, url, "[]").contains("not a JSON object"), "{url}");
        let with = |headers: &str| format!("{{}},\"headers\":{headers}");
        assert_eq!(ask(&mut fixture, "POST", url, &with(r#"{"content-type":"text/plain"}"#)).0, 415, "{url}");
        assert_eq!(ask(&mut fixture, "POST", url, &with(r#"{"content-encoding":"gzip"}"#)).0, 415, "{url}");
        assert_eq!(ask(&mut fixture, "POST", url, &with("7")).0, 400, "{url}");
        let twice = format!("{{\"id\":\"1\",\"method\":\"POST\",\"url\":\"{url}\",\"body\":{{}},\"body\":{{}}}}\n");
        assert!(fixture.send(&twice).contains("[Body]: The field is given twice."), "{url}");
    }
    // What is no request at all is the library's.
    for (line, message) in [
        (r#"{"id":"1","url":"/device"}"#, "[Method]: The Method field is required."),
        (r#"{"id":"1","method":"GET","url":"/device","url":"/device"}"#, "[Url]: The field is given twice."),
        (r#"{"id":1,"method":"GET","url":"/device"}"#, "The provided [Id] is not valid."),
        (r#"{"id":"1","method":"GET","url":["/device"]}"#, "The provided [Url] is not valid."),
    ] {
        let said = fixture.send(&format!("{line}\n"));
        assert!(said.contains(message), "{said}");
    }
    // A line is an element; what is inside a batch is the library's, which knows none of these paths.
    let batch = r#"{"requests":[{"id":"a","method":"GET","url":"/device"}]}"#;
    let (status, body) = ask(&mut fixture, "POST", "/$batch", batch);
    assert_eq!((status, &body["responses"][0]["status"]), (200, &json!(404)));
    assert_eq!(*fixture.presence_light.app().user(), before);
}

#[test]
fn l5_settings_are_set_one_by_one_and_told() {
    let mut fixture = Fixture::new();
    assert_eq!(get(&mut fixture, "/device/settings"), defaults());
    let mut expected = defaults();
    for (name, value, told) in [
        ("brightness", json!(1), json!(1)),
        ("brightness", json!(96), json!(96)),
        ("nightBrightness", json!(255), json!(255)),
        ("palette", json!("colourBlind"), json!("colourBlind")),
        ("palette", json!("HOME"), json!("home")),
        ("leds", json!(1), json!(1)),
        ("noNewsDimsAfter", json!("PT90S"), json!("PT1M30S")),
        ("noNewsDimsAfter", json!("1 day, 0:00:00.9"), json!("P1D")),
        ("noNewsDimsAfter", json!("PT0S"), json!("PT0S")),
        ("night", json!("PT10H"), json!("PT10H")),
        ("night", json!("PT0S"), json!("PT0S")),
    ] {
        post(&mut fixture, "/device/settings", &one(name, value.clone()));
        expected[name] = told;
        assert_eq!(get(&mut fixture, "/device/settings"), expected, "{name}: {value}");
    }
    // What it tells changes nothing, and neither does nothing.
    post(&mut fixture, "/device/settings", &expected);
    for body in ["", "{}", "null", r#"{"brightness":null,"network":{"brightness":7}}"#] {
        assert_eq!(ask(&mut fixture, "POST", "/device/settings", body).0, 200, "{body}");
    }
    assert_eq!(get(&mut fixture, "/device/settings"), expected);
    assert_eq!(fixture.presence_light.app().user().revision(), 0);
}

/// Each message names the field, and nothing changes, not even what is valid beside it.
#[test]
fn l5_settings_that_are_not_valid_change_nothing() {
    let mut fixture = Fixture::new();
    let (not_valid, out_of_range) = ("is not valid.", "is out of range.");
    for (body, field, what) in [
        (r#"{"night":"PT1H","brightness":0}"#, "Brightness", out_of_range),
        (r#"{"palette":"home","brightness":256}"#, "Brightness", out_of_range),
        (r#"{"brightness":-1}"#, "Brightness", out_of_range),
        (r#"{"brightness":99999999999999999999}"#, "Brightness", out_of_range),
        (r#"{"brightness":"96"}"#, "Brightness", not_valid),
        (r#"{"brightness":9.6e1}"#, "Brightness", not_valid),
        (r#"{"brightness":96.0}"#, "Brightness", not_valid),
        (r#"{"brightness":true}"#, "Brightness", not_valid),
        (r#"{"brightness":[96]}"#, "Brightness", not_valid),
        (r#"{"brightness":5,"nightBrightness":1000}"#, "NightBrightness", out_of_range),
        (r#"{"brightness":5,"palette":"mauve"}"#, "Palette", not_valid),
        (r#"{"brightness":5,"palette":2}"#, "Palette", not_valid),
        (r#"{"palette":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#, "Palette", not_valid),
        (r#"{"brightness":5,"leds":0}"#, "Leds", out_of_range),
        (r#"{"brightness":5,"leds":2}"#, "Leds", out_of_range),
        (r#"{"leds":null,"brightness":5,"noNewsDimsAfter":60}"#, "NoNewsDimsAfter", not_valid),
        (r#"{"brightness":5,"noNewsDimsAfter":"P366DT0.001S"}"#, "NoNewsDimsAfter", out_of_range),
        (r#"{"brightness":5,"noNewsDimsAfter":"-PT1S"}"#, "NoNewsDimsAfter", out_of_range),
        (r#"{"brightness":5,"night":"tonight"}"#, "Night", not_valid),
        (r#"{"brightness":5,"night":"PT24H0.0001S"}"#, "Night", out_of_range),
        (r#"{"brightness":5,"night":"\ud800"}"#, "Night", not_valid),
    ] {
        let message = rejected(&mut fixture, "/device/settings", body);
        assert_eq!(message, format!("The provided [{field}] {what}"), "{body}");
    }
    let twice = rejected(&mut fixture, "/device/settings", r#"{"brightness":5,"bright\u006eess":6}"#);
    assert_eq!(twice, "[Brightness]: The field is given twice.");
    assert_eq!(get(&mut fixture, "/device/settings"), defaults());
}

/// Numbers, judged by serde_json: the same texts are whole numbers of a byte.
#[test]
fn numbers_are_those_that_serde_json_reads() {
    let mut fixture = Fixture::new();
    let pieces = ["-", "0", "1", "2", "5", "9", "255", "256", ".", "e", "+", "E1", " ", "\0", "\u{7f}", "01", "_", "x"];
    let texts = pieces
        .iter()
        .flat_map(|one| pieces.iter().flat_map(move |two| pieces.map(|three| [*one, two, three].concat())));
    let mut accepted = 0;
    for text in texts.chain(["-012".to_owned(), "12\0".to_owned(), "\"12\"".to_owned(), "1_2".to_owned()]) {
        let body = format!("{{\"brightness\":{text}}}");
        let judged = serde_json::from_str::<Value>(&body).ok().and_then(|body| body["brightness"].as_u64());
        let is_valid = judged.is_some_and(|number| (1..=255).contains(&number));
        let said = fixture
            .send(&format!("{{\"id\":\"1\",\"method\":\"POST\",\"url\":\"/device/settings\",\"body\":{body}}}\n"));
        assert_eq!(said == DONE, is_valid, "{body:?}: {said}");
        if let Some(judged) = judged.filter(|_| is_valid) {
            assert_eq!(get(&mut fixture, "/device/settings")["brightness"], judged, "{body:?}");
            accepted += 1;
        }
    }
    assert!(accepted > 100, "{accepted}");
}

/// The device's own errors read as the library's do, but for the field.
#[test]
fn h1_errors_have_the_form_of_all_errors() {
    let mut fixture = Fixture::new();
    let field = Field::ExpirationDuration;
    for (body, url, name, error) in [
        (r#"{"leds":"x"}"#, "/device/settings", "Leds", Error::Malformed(field)),
        (r#"{"leds":9}"#, "/device/settings", "Leds", Error::OutOfRange(field)),
        (r#"{"leds":1,"leds":1}"#, "/device/settings", "Leds", Error::Duplicate(field)),
        ("{}", "/device/link", "State", Error::Missing(field)),
    ] {
        let mut bytes = [0; 512];
        let mut expected = Buffer::new(&mut bytes);
        error.write(&Trace::default(), &mut expected).unwrap();
        let expected = std::str::from_utf8(expected.written()).unwrap().replace("ExpirationDuration", name);
        let said = fixture.send(&format!("{{\"id\":\"é\",\"method\":\"POST\",\"url\":\"{url}\",\"body\":{body}}}\n"));
        assert_eq!(said, format!("{{\"id\":\"é\",\"status\":400,\"body\":{expected}}}\n"));
    }
}

#[test]
fn l5_brightness_is_that_of_the_night_until_it_ends() {
    let mut fixture = Fixture::new();
    post(&mut fixture, "/device/settings", &json!({"brightness": 200, "nightBrightness": 20}));
    fixture.send(&set(CALLS, "Busy", "Busy", "PT24H"));
    assert_eq!(fixture.light().brightness, 200);
    post(&mut fixture, "/device/settings", &json!({"night": "PT8H"}));
    assert_eq!(fixture.light().brightness, 20);
    fixture.after(8 * 3_600_000 - 1);
    assert_eq!((fixture.light().brightness, &get(&mut fixture, "/device/settings")["night"]), (20, &json!("PT0.001S")));
    fixture.after(1);
    assert_eq!((fixture.light().brightness, &get(&mut fixture, "/device/settings")["night"]), (200, &json!("PT0S")));
    post(&mut fixture, "/device/settings", &json!({"night": "PT8H"}));
    post(&mut fixture, "/device/settings", &json!({"night": "PT0S"}));
    assert_eq!(fixture.light().brightness, 200);
}

/// The device wakes for the end of the night, also while nothing else happens.
#[test]
fn l5_the_end_of_the_night_wakes_the_device() {
    let mut fixture = Fixture::new();
    fixture.send(&set(CALLS, "Busy", "Busy", "PT24H"));
    post(&mut fixture, "/device/settings", &json!({"night": "PT1.5S"}));
    let end = fixture.now.saturating_add(presence_core::Duration::from_millis(1500));
    fixture.after(1499);
    assert_eq!(fixture.presence_light.wake_at(fixture.now), Some(end));
}

#[test]
fn l5_the_palette_is_the_lights() {
    let mut fixture = Fixture::new();
    fixture.send(&set(CALLS, "Busy", "InAMeeting", "PT24H"));
    let before = fixture.light().colour;
    post(&mut fixture, "/device/settings", &one("palette", "home"));
    fixture.after(1000);
    assert_ne!(fixture.light().colour, before);
    post(&mut fixture, "/device/settings", &one("palette", "default"));
    fixture.after(1000);
    assert_eq!(fixture.light().colour, before);
}

#[test]
fn l6_the_links_state_is_shown_and_ends_by_itself() {
    let mut fixture = Fixture::new();
    for (state, link) in [("offline", Link::Offline), ("signIn", Link::SignIn), ("FAULT", Link::Fault)] {
        post(&mut fixture, "/device/link", &json!({"state": state, "expirationDuration": "PT7S"}));
        fixture.after(1000);
        assert_eq!(fixture.light().sign, Sign::Link(link), "in place of no news");
        fixture.after(5_999);
        assert_eq!(fixture.light().sign, Sign::Link(link));
        fixture.after(1_000);
        assert_eq!(fixture.light().sign, Sign::Presence, "{state}");
    }
    // Five minutes when nothing is said, as a session's; and it can be renewed, and ended.
    post(&mut fixture, "/device/link", &json!({"state": "offline"}));
    fixture.after(299_000);
    assert_eq!(fixture.light().sign, Sign::Link(Link::Offline));
    post(&mut fixture, "/device/link", &json!({"state": "offline", "expirationDuration": null}));
    fixture.after(299_000);
    assert_eq!(fixture.light().sign, Sign::Link(Link::Offline));
    fixture.after(3_000);
    assert_eq!(fixture.light().sign, Sign::Presence);
    post(&mut fixture, "/device/link", &json!({"state": "fault"}));
    fixture.after(1_000);
    post(&mut fixture, "/device/link", &json!({"state": "ok"}));
    fixture.after(1_000);
    assert_eq!(fixture.light().sign, Sign::Presence);
    assert_eq!(fixture.presence_light.app().user().revision(), 0, "it is no presence");
}

#[test]
fn l6_a_state_that_is_not_valid_changes_nothing() {
    let mut fixture = Fixture::new();
    for (body, message) in [
        ("{}", "[State]: The State field is required."),
        ("", "[State]: The State field is required."),
        (r#"{"state":null}"#, "[State]: The State field is required."),
        (r#"{"state":"down"}"#, "The provided [State] is not valid."),
        (r#"{"state":1}"#, "The provided [State] is not valid."),
        (r#"{"state":"offline","state":"ok"}"#, "[State]: The field is given twice."),
        (r#"{"state":"offline","expirationDuration":"soon"}"#, "The provided [ExpirationDuration] is not valid."),
        (r#"{"state":"offline","expirationDuration":5}"#, "The provided [ExpirationDuration] is not valid."),
        (r#"{"state":"offline","expirationDuration":"PT0.9S"}"#, "The provided [ExpirationDuration] is out of range."),
        (r#"{"state":"offline","expirationDuration":"PT25H"}"#, "The provided [ExpirationDuration] is out of range."),
    ] {
        assert_eq!(rejected(&mut fixture, "/device/link", body), message, "{body}");
    }
    fixture.after(1_000);
    assert_eq!(fixture.light().sign, Sign::Presence);
}

#[test]
fn l5_a_device_that_forgets_is_as_new() {
    let mut fixture = Fixture::new();
    fixture.send(&set(CALENDAR, "Available", "Available", "PT1H"));
    fixture.send(&set(CALLS, "Busy", "InACall", "PT1H"));
    fixture.send("{\"availability\":\"Offline\",\"activity\":\"OutOfOffice\",\"expirationDuration\":\"PT1H\"}\n");
    fixture.press(Button::A);
    post(&mut fixture, "/device/settings", &json!({"brightness": 9, "palette": "home", "night": "PT1H"}));
    post(&mut fixture, "/device/link", &json!({"state": "fault"}));
    let said = fixture.send("{\"id\":\"1\",\"method\":\"POST\",\"url\":\"/device/forget\"}\n");
    let [change, answer] = said.lines().collect::<Vec<_>>().try_into().unwrap();
    assert!(change.contains(r#""from":{"availability":"DoNotDisturb""#), "{change}");
    assert!(change.contains(r#""to":{"availability":"Offline""#), "one change is visible: {change}");
    assert_eq!(answer, DONE.trim_end());
    fixture.after(1_000);
    let new = Fixture::new();
    assert_eq!(fixture.presence_light.app().user(), new.presence_light.app().user());
    assert_eq!(get(&mut fixture, "/device/settings"), defaults());
    assert_eq!((fixture.light().sign, fixture.light().presence), (Sign::Presence, Presence::Unknown));
    assert_eq!(fixture.light().brightness, 255);
    assert_eq!(ask(&mut fixture, "POST", "/device/forget", "{}"), (200, Value::Null), "again");
}

/// Without a preferred presence the weakest session ends first, so that the strongest one is shown until nothing is.
#[test]
fn l5_forgetting_many_sessions_is_one_visible_change() {
    let mut fixture = Fixture::new();
    for (number, activity) in ["InACall", "Presenting", "Focusing", "InAMeeting"].iter().enumerate() {
        let availability = if matches!(*activity, "Presenting" | "Focusing") { "DoNotDisturb" } else { "Busy" };
        fixture.send(&set(&format!("7f3a5b1c-0000-4000-8000-00000000000{number}"), availability, activity, "PT1H"));
    }
    let said = fixture.send("{\"id\":\"1\",\"method\":\"POST\",\"url\":\"/device/forget\"}\n");
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains(r#""activity":"Presenting"},"to":{"availability":"Offline""#), "{said}");
}

/// All sessions that there is room for, with the longest names, and an id that is as long as a line allows.
#[test]
fn h6_the_longest_answer_fits_and_what_does_not_fit_is_told() {
    let mut fixture = Fixture::new();
    for number in 0..SESSIONS {
        fixture.send(&set(
            &format!("7f3a5b1c-0000-4000-8000-{number:012}"),
            "DoNotDisturb",
            "UrgentInterruptionsOnly",
            "PT24H",
        ));
    }
    fixture.press(Button::A);
    fixture.send("InAConferenceCall PT24H\n");
    fixture.send("{\"availability\":\"DoNotDisturb\",\"activity\":\"UrgentInterruptionsOnly\",\"expirationDuration\":\"PT24H\"}\n");
    fixture.now = fixture.now.saturating_add(presence_core::Duration::from_millis(1));
    let around = r#"{"id":"","method":"GET","url":"/me/presence/sessions"}"#.len();
    let line = |id: &str| format!("{{\"id\":\"{id}\",\"method\":\"GET\",\"url\":\"/me/presence/sessions\"}}\n");
    let said = fixture.send(&line(&"x".repeat(MAX_LINE - around)));
    let response: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&response["status"], response["body"]["value"].as_array().unwrap().len()), (&json!(200), SESSIONS + 3));
    assert!(said.len() <= MAX_RESPONSE + 1 && said.len() > 2400, "{}", said.len());
    // With escapes an id is longer: first the answer has no room beside it, then not even the status.
    let mut statuses = Vec::new();
    for count in 0..MAX_LINE - around {
        let said = fixture.send(&line(&"\u{7f}".repeat(count)));
        let response: Value = serde_json::from_str(&said).unwrap();
        let status = response["status"].as_u64().unwrap();
        assert_eq!(response["id"].is_null(), status == 400, "{said}");
        assert!(said.len() <= MAX_RESPONSE + 1);
        if statuses.last() != Some(&status) {
            statuses.push(status);
        }
    }
    assert_eq!(statuses, [200, 507, 400]);
}

/// An action whose answer does not fit is not carried out.
#[test]
fn h6_an_action_without_room_for_its_answer_does_nothing() {
    let mut fixture = Fixture::new();
    fixture.send(&set(CALLS, "Busy", "InACall", "PT1H"));
    let before = fixture.presence_light.app().user().clone();
    let id = "\u{7f}".repeat(900);
    for (url, body) in
        [("forget", "{}"), ("settings", r#"{"leds":9}"#), ("settings", r#"{"brightness":9}"#), ("link", "{}")]
    {
        let line = format!("{{\"id\":\"{id}\",\"method\":\"POST\",\"url\":\"/device/{url}\",\"body\":{body}}}\n");
        let said = fixture.send(&line);
        assert!(said.starts_with("{\"id\":null,\"status\":400,"), "{said}");
    }
    assert_eq!(*fixture.presence_light.app().user(), before);
    assert_eq!(get(&mut fixture, "/device/settings"), defaults());
}
