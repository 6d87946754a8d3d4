//! When a status message ends: the forms of `expiryDateTime`, and how it is written. Rule T1.

use super::*;
use presence_core::Duration;
use presence_core::graph::{Request, TextBuffer};
use proptest::prelude::*;
use support::model;
use support::model::date_time::{naive, unix_millis};

/// Returns the Unix time, in milliseconds, at which a message with this expiry ends, or the message of the error.
fn end(expiry: &Value) -> Result<u64, String> {
    end_as_written(&json!({"message": {"content": "x"}, "expiryDateTime": expiry}).to_string())
}

fn end_as_written(status_message: &str) -> Result<u64, String> {
    let body = format!(r#"{{"statusMessage":{status_message}}}"#);
    let raw = RawRequest::new("POST", "/me/presence/setStatusMessage").with_body(body.as_bytes());
    // Instants are Unix milliseconds, so that none is before the first.
    let context = Context::new(Instant::ZERO, Caller::Trusted { me: Some(user(ADELE)) }).with_environment(&Unix);
    match Request::parse(&raw, &context, &Policy::GRAPH) {
        Ok(Request::ExecuteDetails { action, .. }) => match action.command(&mut TextBuffer::new()) {
            DetailsCommand::SetStatusMessage { expires_at, .. } => Ok(expires_at.as_millis()),
            command => panic!("{command:?}"),
        },
        Ok(request) => panic!("{request:?}"),
        Err(error) => Err(error.to_string()),
    }
}

fn at(date_time: &str) -> Result<u64, String> {
    end(&json!({"dateTime": date_time, "timeZone": "UTC"}))
}

struct Unix;

impl Environment for Unix {
    fn epoch(&self) -> Option<u64> {
        Some(0)
    }

    fn zone(&self, local: DateTime, zone: &str) -> Option<u64> {
        // Summer time begins in March and ends in November, in which there is no summer here.
        let hours = if (4..=10).contains(&local.month) { 7 } else { 8 };
        (zone == "Pacific Standard Time").then(|| local.to_unix_millis() + hours * 3_600_000)
    }
}

/// 2026-11-24T17:05:33.207Z
const MOMENT: u64 = EPOCH;

/// Those of the documentation, those that clients were seen to send, and what was decided about the rest.
#[test]
fn t1_the_recorded_examples() {
    let examples: Value = serde_json::from_str(include_str!("../../vectors/expiries.json")).unwrap();
    for example in examples.as_array().unwrap() {
        let end = end(&example["expiryDateTime"]);
        match example["unixMillis"].as_u64() {
            Some(unix) => assert_eq!(end, Ok(unix), "{example}"),
            None => {
                let field = example["rejected"].as_str().unwrap();
                assert_eq!(end, Err(format!("The provided [{field}] is not valid.")), "{example}");
            }
        }
    }
    assert!(examples.as_array().unwrap().len() > 20);
}

/// What .NET, Python, JavaScript, Java and `date` write, and how JSON may escape it.
#[test]
fn t1_every_form_that_clients_write() {
    for date_time in [
        "2026-11-24T17:05:33.207",
        "2026-11-24T17:05:33.2070000",
        "2026-11-24T17:05:33.2079781",
        "2026-11-24T17:05:33.207Z",
        "2026-11-24T17:05:33.2079781Z",
        "2026-11-24T18:05:33.2079781+01:00",
        "2026-11-24T17:05:33.207978+00:00",
        "2026-11-24T13:35:33.207-03:30",
        "2026-11-24T13:35:33.207-0330",
        "2026-11-24T22:50:33.207+05:45",
        "2026-11-25T05:05:33.207+12",
        "2026-11-24t17:05:33.207z",
    ] {
        for escaped in [date_time.to_owned(), date_time.replace('+', "\\u002B"), date_time.replace('-', "\\u002d")] {
            let expiry = format!(r#"{{"dateTime":"{escaped}","timeZone":"UTC"}}"#);
            let message = format!(r#"{{"message":{{"content":"x"}},"expiryDateTime":{expiry}}}"#);
            assert_eq!(end_as_written(&message), Ok(MOMENT), "{expiry}");
        }
    }
    let minute = MOMENT - 33_207;
    for date_time in ["2026-11-24T17:05", "2026-11-24T17:05Z", "2026-11-24T18:05+01:00"] {
        assert_eq!(at(date_time), Ok(minute), "{date_time}");
    }
    for (digits, millis) in [("2", 200), ("20", 200), ("207", 207), ("2079", 207), ("9999999", 999), ("0009", 0)] {
        assert_eq!(at(&format!("2026-11-24T17:05:33.{digits}")), Ok(minute + 33_000 + millis), "{digits}");
        assert_eq!(at(&format!("2026-11-24T17:05:33.{digits:0<400}Z")), Ok(minute + 33_000 + millis), "{digits}");
    }
}

/// A time with an offset is that instant, whatever zone stands beside it; one without is a local time of the zone.
#[test]
fn t1_the_zone_beside_a_time() {
    let long = "x".repeat(1000);
    let pacific = 8 * 3_600_000;
    for (zone, local) in [
        (json!("UTC"), Some(0)),
        (json!("utc"), Some(0)),
        (json!("Etc/UTC"), Some(0)),
        (json!("etc/utc"), Some(0)),
        (json!("GMT"), Some(0)),
        (json!("Etc/GMT"), Some(0)),
        (json!("tzone://Microsoft/Utc"), Some(0)),
        (json!("TZONE://MICROSOFT/UTC"), Some(0)),
        (Value::Null, Some(0)),
        (json!("Pacific Standard Time"), Some(pacific)),
        (json!("Mars"), None),
        (json!(""), None),
        (json!("Z"), None),
        (json!(" UTC"), None),
        (json!("UTC\0"), None),
        (json!("tzone://Microsoft/Custom"), None),
        (json!("☕"), None),
        (json!(long), None),
        // Escaped, and longer than anything that is decoded.
        (json!("\u{1}".repeat(1000)), None),
    ] {
        for date_time in ["2026-11-24T17:05:33.207Z", "2026-11-24T18:05:33.207+01:00"] {
            assert_eq!(end(&json!({"dateTime": date_time, "timeZone": zone})), Ok(MOMENT), "{date_time} {zone}");
        }
        let expected = local.map(|ahead| MOMENT + ahead).ok_or("The provided [TimeZone] is not valid.".to_owned());
        assert_eq!(end(&json!({"dateTime": "2026-11-24T17:05:33.207", "timeZone": zone})), expected, "{zone}");
    }
    for date_time in ["2026-11-24T17:05:33.207", "2026-11-24T17:05:33.207Z", "2026-11-24T18:05:33.207+01:00"] {
        assert_eq!(end(&json!({"dateTime": date_time})), Ok(MOMENT), "{date_time}");
        // Not even the name of a zone.
        for zone in [json!(7), json!({}), json!([])] {
            let malformed = Err("The provided [TimeZone] is not valid.".to_owned());
            assert_eq!(end(&json!({"dateTime": date_time, "timeZone": zone})), malformed, "{date_time}");
        }
    }
    let escaped = r#"{"message":null,"expiryDateTime":{"dateTime":"2026-11-24T17:05:33.207","timeZone":"\u0055TC"}}"#;
    assert_eq!(end_as_written(escaped), Ok(MOMENT));
}

#[test]
fn t1_a_date_that_does_not_exist_is_rejected() {
    for date_time in [
        "2026-02-29T10:00:00Z",
        "2026-02-30T10:00:00+01:00",
        "2026-04-31T10:00:00",
        "2026-13-01T10:00:00",
        "2026-00-01T10:00:00",
        "2026-01-00T10:00:00",
        "0000-01-01T00:00:00Z",
        "2026-11-24T24:00:00",
        "2026-11-24T23:60:00",
        "2026-11-24T23:59:60Z",
        "2026-11-24T10:00:00+24:00",
        "2026-11-24T10:00:00+01:60",
        "2026-11-24T10:00:00+1:00",
        "2026-11-24T10:00:00.",
        "2026-11-24T10:00:00,5",
        "2026-11-24 10:00:00",
        "2026-11-24",
        "2026-11-24T10:00:00 Z",
        "2026-11-24T10:00:00ZZ",
        "20261124T100000Z",
        "24.11.2026 10:00",
        "tomorrow",
        "",
    ] {
        assert_eq!(at(date_time), Err("The provided [DateTime] is not valid.".to_owned()), "{date_time}");
        assert_eq!(naive(date_time), None, "{date_time}");
    }
}

/// Without a wall clock no expiry can be kept, whatever its zone.
#[test]
fn t1_an_expiry_without_a_wall_clock_names_the_expiry() {
    let mut wire = Wire::new();
    wire.has_environment = false;
    for (date_time, zone) in [("2026-11-25T10:00:00", "UTC"), ("2026-11-25T10:00:00Z", "Mars")] {
        let (status, body) = wire.say(&until(date_time, zone));
        assert_eq!((status, message(&body)), (400, "The provided [ExpiryDateTime] is not valid."), "{date_time}");
    }
}

/// Every shape that removes a message, and those that do not.
#[test]
fn t1_the_shapes_that_remove_a_message() {
    let ends = json!({"dateTime": "2026-11-25T10:00:00", "timeZone": "UTC"});
    let mut wire = Wire::new();
    for (body, expected) in [
        (json!({"statusMessage": null}), None),
        (json!({"statusMessage": {"message": null}}), None),
        (json!({"statusMessage": {"message": {}}}), None),
        (json!({"statusMessage": {"message": {"content": null}}}), None),
        (json!({"statusMessage": {"message": {"content": null, "contentType": null}}}), None),
        (json!({"statusMessage": {"message": {"content": ""}}}), None),
        (json!({"statusMessage": {"message": {"content": "", "contentType": "text"}}}), None),
        (json!({"statusMessage": {"message": null, "expiryDateTime": null}}), None),
        (json!({"statusMessage": {"message": null, "expiryDateTime": ends}}), None),
        (json!({"statusMessage": {"message": {"content": ""}, "expiryDateTime": ends}}), None),
        (json!({"STATUSMESSAGE": null}), Some("[StatusMessage]: The StatusMessage field is required.")),
        (json!({}), Some("[StatusMessage]: The StatusMessage field is required.")),
        (json!({"statusMessage": {}}), Some("[Message]: The Message field is required.")),
        (json!({"statusMessage": {"expiryDateTime": ends}}), Some("[Message]: The Message field is required.")),
        (json!({"statusMessage": ""}), Some("The provided [StatusMessage] is not valid.")),
        (json!({"statusMessage": []}), Some("The provided [StatusMessage] is not valid.")),
        (json!({"statusMessage": false}), Some("The provided [StatusMessage] is not valid.")),
    ] {
        assert_eq!(wire.say(&text("x")).0, 200);
        let (status, response) = wire.send("POST", "/me/presence/setStatusMessage", &body.to_string());
        let shown = wire.me()["statusMessage"]["message"]["content"].clone();
        match expected {
            None => assert_eq!((status, response, shown), (200, Value::Null, Value::Null), "{body}"),
            Some(text) => assert_eq!((status, message(&response), shown), (400, text, json!("x")), "{body}"),
        }
    }
    // In any spelling of the name, and twice in none.
    assert_eq!(wire.say(&text("x")).0, 200);
    let mut send = |body: &str| wire.send("POST", "/me/presence/setStatusMessage", body);
    assert_eq!(send(r#"{"status\u004dessage":null}"#), (200, Value::Null));
    let (status, body) = send(r#"{"statusMessage":null,"statusMessage":null}"#);
    assert_eq!((status, message(&body)), (400, "[StatusMessage]: The field is given twice."));
    assert_eq!(wire.me()["statusMessage"], Value::Null);
}

/// What is written is read back as the same instant, and so it is with the `Z` that JavaScript clients append.
#[test]
fn t1_what_is_written_is_read_back() {
    let mut wire = Wire::new();
    for local in
        ["2026-11-24T17:05:33.208", "2027-02-28T23:59:59.999", "2028-02-29T12:30:00.5", "9999-12-31T23:59:59.999"]
    {
        assert_eq!(wire.say(&until(local, "UTC")).0, 200);
        let expiry = wire.me()["statusMessage"]["expiryDateTime"].clone();
        let written = expiry["dateTime"].as_str().unwrap();
        assert_eq!(written, format!("{}0000", format!("{local}00").get(..23).unwrap()));
        assert_eq!(expiry["timeZone"], "UTC");
        for suffix in ["", "Z"] {
            assert_eq!(wire.say(&until(&format!("{written}{suffix}"), "UTC")).0, 200);
            assert_eq!(wire.me()["statusMessage"]["expiryDateTime"], expiry);
        }
    }
}

/// The last days of months, of years and of Februaries, and any day.
fn dates() -> impl Strategy<Value = (i32, i32, i32)> {
    let years = prop_oneof![1..=9999, Just(1), 1968..=1972, Just(2000), 2024..=2028, Just(2100), 9998..=9999];
    (years, 1..=12, prop_oneof![1..=31, Just(1), 28..=31])
}

proptest! {
    #![proptest_config(model::cases(4096))]

    /// Offsets from −23:59 to +23:59, at the ends of days, months, years and leap years.
    #[test]
    fn t1_offsets_against_jiff(
        (year, month, day) in dates(),
        (hour, minute, second) in (prop_oneof![0..24, Just(0), Just(23)], prop_oneof![0..60, Just(59)], 0..60),
        millis in 0u64..1000,
        offset in -1439i32..=1439,
        colon in prop_oneof![Just(":"), Just("")],
    ) {
        let local = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}");
        let sign = if offset < 0 { '-' } else { '+' };
        let text = format!("{local}{sign}{:02}{colon}{:02}", offset.abs() / 60, offset.abs() % 60);
        let (seen, expected) = (at(&text), naive(&text));
        prop_assert_eq!(seen.is_ok(), expected.is_some(), "{}", text);
        if let (Ok(seen), Some((civil, ahead))) = (seen, expected) {
            prop_assert_eq!(ahead, Some(offset));
            prop_assert_eq!(seen, unix_millis(civil, offset), "{}", text);
            // jiff's own reading of the whole text, but for a range that ends a day earlier than the year.
            if let Ok(theirs) = text.parse::<jiff::Timestamp>() {
                prop_assert_eq!(seen, theirs.as_millisecond().max(0) as u64, "{}", text);
            }
        }
    }

    /// What looks like a date and time is read as the naive reader reads it.
    #[test]
    fn t1_what_looks_like_a_date_and_time(
        text in "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ]?[0-2][0-9]:[0-6][0-9](:[0-6][0-9]([.,][0-9]{0,9})?)?([Zz+-]([0-2][0-9])?(:?[0-6][0-9])?)?",
    ) {
        let expected = naive(&text).map(|(local, offset)| unix_millis(local, offset.unwrap_or(0)));
        prop_assert_eq!(at(&text).ok(), expected, "{}", text);
    }

    /// Any instant is written and read back, from 1970 to 9999.
    #[test]
    fn t1_any_instant_is_written_and_read_back(unix in 1u64..=253_402_300_799_999) {
        let mut details: Details = Details::new();
        let expires_at = Instant::from_millis(unix);
        let command = DetailsCommand::SetStatusMessage { text: "x", expires_at };
        let set = decide_details(details.at(Instant::ZERO).unwrap(), command).unwrap().unwrap();
        details.apply(&set).unwrap();
        let mut bytes = vec![0; Resource::max_len(1)];
        let mut buffer = Buffer::new(&mut bytes);
        Resource::new(user(ADELE), Presence::Away, 1).with_details(details.view()).for_owner(Some(0)).write(&mut buffer).unwrap();
        let written: Value = serde_json::from_slice(buffer.written()).unwrap();
        let expiry = &written["statusMessage"]["expiryDateTime"];
        prop_assert_eq!(end(expiry), Ok(unix), "{}", expiry);
        let text = expiry["dateTime"].as_str().unwrap();
        prop_assert_eq!(text.len(), "2026-11-24T17:05:33.2070000".len());
        prop_assert_eq!(at(&format!("{text}Z")), Ok(unix));
        // As .NET and JavaScript read it, by another implementation.
        prop_assert_eq!(format!("{text}Z").parse::<jiff::Timestamp>().map_or(unix, |read| read.as_millisecond() as u64), unix);
        prop_assert!(expires_at - Instant::ZERO == Duration::from_millis(unix));
    }
}
