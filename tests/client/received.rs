//! Presence objects as Graph writes them, read as serde_json reads them.

use presence_core::Presence;
use presence_core::client::{AnswerError, ErrorAnswer, PresenceObject, Presences};
use presence_core::details::{LocationLayer, WorkLocationType};
use presence_core::graph::DateTime;
use presence_core::graph::json::{JsonError, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Any JSON, to stand where a client does not look.
fn other() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::vec(("x[a-z]{0,4}", inner), 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

fn text() -> impl Strategy<Value = Json> {
    prop_oneof![Just(Json::Null), any::<String>().prop_map(Json::from), "\\PC{0,40}".prop_map(Json::from)]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(vec!["Available", "busy", "DoNotDisturb", "AWAY", "Offline", "BeRightBack", "InACall", "AvailableIdle"])
            .prop_map(String::from),
        1 => "[A-Za-z]{1,40}",
    ]
}

/// A presence object with members that Graph may add one day, in any order.
fn object() -> impl Strategy<Value = Vec<(String, Json)>> {
    let extra = proptest::collection::vec(("@?odata\\.[a-z]{1,8}|x[a-zA-Z]{1,8}", other()), 0..4);
    let settings = (text(), proptest::option::of(any::<bool>()))
        .prop_map(|(message, flag)| json!({"message": message, "isOutOfOffice": flag}));
    let zone = proptest::sample::select(vec!["UTC", "tzone://Microsoft/Utc", "Pacific Standard Time"]);
    let message = (text(), zone).prop_map(|(content, zone)| {
        json!({
            "message": {"content": content, "contentType": "text"}, "publishedDateTime": "2026-11-24T17:05:33.2079781Z",
            "expiryDateTime": {"dateTime": "2026-11-25T08:00:00.0000000", "timeZone": zone},
        })
    });
    let location = (proptest::sample::select(vec!["office", "remote", "timeOff", "unspecified", "moon"]), text())
        .prop_map(|(kind, place)| json!({"workLocationType": kind, "placeId": place, "source": "manual"}));
    let or_null = |value: BoxedStrategy<Json>| prop_oneof![1 => Just(Json::Null), 3 => value];
    (name(), name(), or_null(settings.boxed()), or_null(message.boxed()), or_null(location.boxed()), extra)
        .prop_map(|(availability, activity, settings, message, location, extra)| {
            let known = [
                ("id", json!("fa8bf3dc-eca7-46b7-bad1-db199b62afc3")),
                ("availability", json!(availability)),
                ("activity", json!(activity)),
                ("outOfOfficeSettings", settings),
                ("statusMessage", message),
                ("sequenceNumber", json!("A0129311063")),
                ("workLocation", location),
            ];
            let mut members: Vec<_> = known.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            for member in extra {
                if !members.iter().any(|(name, _)| *name == member.0) {
                    members.push(member);
                }
            }
            members
        })
        .prop_shuffle()
}

/// Writes JSON as the bits say: with white space, and with characters escaped that need not be.
fn write(value: &Json, bits: &mut impl Iterator<Item = u8>, text: &mut String) {
    let space = |bits: &mut dyn Iterator<Item = u8>| ["", "", " ", "\n\t"][usize::from(bits.next().unwrap() % 4)];
    text.push_str(space(bits));
    match value {
        Json::String(string) => write_string(string, bits, text),
        Json::Array(elements) => {
            text.push('[');
            for (position, element) in elements.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                write(element, bits, text);
            }
            text.push(']');
        }
        Json::Object(members) => write_members(members.iter(), bits, text),
        plain => text.push_str(&plain.to_string()),
    }
    text.push_str(space(bits));
}

fn write_members<'a>(
    members: impl Iterator<Item = (&'a String, &'a Json)>,
    bits: &mut impl Iterator<Item = u8>,
    text: &mut String,
) {
    text.push('{');
    for (position, (name, value)) in members.enumerate() {
        text.push_str(if position == 0 { "" } else { "," });
        write_string(name, bits, text);
        text.push(':');
        write(value, bits, text);
    }
    text.push('}');
}

fn write_string(string: &str, bits: &mut impl Iterator<Item = u8>, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        let must = character < ' ' || matches!(character, '"' | '\\');
        if must || bits.next().unwrap().is_multiple_of(8) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(character);
        }
    }
    text.push('"');
}

fn written(members: &[(String, Json)], bits: &[u8]) -> String {
    let mut text = String::new();
    write_members(members.iter().map(|(name, value)| (name, value)), &mut bits.iter().copied().cycle(), &mut text);
    text
}

fn bits() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 1..64)
}

/// Checks that a text is what serde_json reads.
fn assert_text(read: Option<Value<'_>>, expected: &Json) {
    match (read, expected.as_str()) {
        (Some(read), Some(text)) => {
            assert!(read.is_text(text));
            let mut buffer = vec![0; text.len()];
            assert_eq!(read.text_start(&mut buffer), Some(text));
            for len in 0..text.len().min(20) {
                let start = (0..=len).rev().find(|len| text.is_char_boundary(*len)).unwrap();
                assert_eq!(read.text_start(&mut buffer[..len]), Some(&text[..start]));
            }
        }
        (read, text) => assert_eq!((read, text), (None, None)),
    }
}

proptest! {
    #[test]
    fn f4_objects_are_read_as_serde_json_reads_them(members in object(), bits in bits(), has_mark: bool) {
        let text = format!("{}{}", if has_mark { "\u{feff}" } else { "" }, written(&members, &bits));
        let theirs: Json = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
        let ours = PresenceObject::parse(text.as_bytes()).unwrap();
        let (availability, activity) = (theirs["availability"].as_str().unwrap(), theirs["activity"].as_str().unwrap());
        prop_assert_eq!(ours.presence, Presence::read(availability, activity));
        prop_assert_eq!(ours.id.map(|id| id.to_string()), theirs["id"].as_str().map(String::from));
        prop_assert_eq!(ours.is_out_of_office, theirs["outOfOfficeSettings"]["isOutOfOffice"] == json!(true));
        assert_text(ours.out_of_office_message, &theirs["outOfOfficeSettings"]["message"]);
        assert_text(ours.sequence_number, &theirs["sequenceNumber"]);
        let message = &theirs["statusMessage"];
        assert_text(ours.status_message.map(|read| read.content), &message["message"]["content"]);
        if let Some(read) = ours.status_message {
            let expiry = DateTime { year: 2026, month: 11, day: 25, hour: 8, minute: 0, second: 0, millisecond: 0 };
            let (date_time, zone) = read.expiry.unwrap();
            prop_assert_eq!(date_time, expiry);
            let theirs = message["expiryDateTime"]["timeZone"].as_str().unwrap();
            prop_assert_eq!(zone.is_some_and(|zone| zone.is_text("Pacific Standard Time")), theirs == "Pacific Standard Time");
            prop_assert_eq!(zone.is_some(), theirs == "Pacific Standard Time");
            prop_assert_eq!(read.published.map(DateTime::to_unix_millis), Some(1_795_539_933_207));
        }
        let location = &theirs["workLocation"];
        let kind = location["workLocationType"].as_str().and_then(WorkLocationType::from_name);
        prop_assert_eq!(ours.work_location.map(|read| read.kind), kind);
        if let Some(read) = ours.work_location {
            assert_text(read.place_id, &location["placeId"]);
            prop_assert_eq!(read.source, Some(LocationLayer::Manual));
        }
    }

    #[test]
    fn f4_a_member_given_twice_is_no_answer(members in object(), bits in bits(), at in 0..7_usize) {
        let known = ["id", "availability", "activity", "outOfOfficeSettings", "statusMessage", "sequenceNumber", "workLocation"];
        let mut members = members;
        let again = members.iter().find(|(name, _)| name == known[at]).unwrap().clone();
        members.push(again);
        let text = written(&members, &bits);
        prop_assert_eq!(PresenceObject::parse(text.as_bytes()), Err(AnswerError::Duplicate(known[at])));
    }

    #[test]
    fn f4_a_part_of_an_answer_is_no_answer(members in object(), bits in bits(), cut in any::<prop::sample::Index>()) {
        let text = written(&members, &bits);
        let part = &text.as_bytes()[..cut.index(text.len())];
        prop_assert!(matches!(PresenceObject::parse(part), Err(AnswerError::Json(_))));
    }

    #[test]
    fn f4_no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), status: u16) {
        let _ = PresenceObject::parse(&bytes);
        let _ = Presences::parse(&bytes);
        prop_assert_eq!(ErrorAnswer::read(status, None, &bytes).status, status);
    }
}

#[test]
fn f4_depth_and_length_are_bounded() {
    let nested = |depth| {
        format!(r#"{{"x":{}1{},"availability":"Busy","activity":"Busy"}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    assert!(PresenceObject::parse(nested(31).as_bytes()).is_ok());
    assert_eq!(PresenceObject::parse(nested(32).as_bytes()), Err(AnswerError::Json(JsonError::TooDeep)));
    assert_eq!(PresenceObject::parse(nested(100_000).as_bytes()), Err(AnswerError::Json(JsonError::TooDeep)));
    // A message of 100 KB is cut where it is shown, and nothing else changes.
    let long = "é😀".repeat(17_000);
    let message = json!({"message": {"content": long, "contentType": "text"}});
    let text = json!({"statusMessage": message, "availability": "Busy", "activity": "InACall"}).to_string();
    let read = PresenceObject::parse(text.as_bytes()).unwrap();
    assert_eq!(read.presence, Presence::InACall);
    let content = read.status_message.unwrap().content;
    assert_eq!(content.text_start(&mut [0; 100]), Some(&long[..98]));
    assert!(content.is_text(&long));
}

#[test]
fn f4_half_a_surrogate_pair_is_a_replacement_character() {
    for (escaped, expected) in [
        (r"\ud83d", "\u{fffd}"),
        (r"a\ud83db", "a\u{fffd}b"),
        (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
        (r"\ud7ff\ue000", "\u{d7ff}\u{e000}"),
        ("\u{d7ff}", "\u{d7ff}"),
    ] {
        let text = format!("\"{escaped}\"");
        let value = Value::parse(text.as_bytes()).unwrap();
        assert_eq!(value.text_start(&mut [0; 16]), Some(expected), "{escaped}");
        let first = expected.chars().next().unwrap().len_utf8();
        assert_eq!(value.text_start(&mut [0; 16][..first - 1]), Some(""), "{escaped}");
    }
    assert_eq!(Value::parse(b"7").unwrap().text_start(&mut [0; 16]), None);
}

#[test]
fn f4_the_member_at_fault_is_named() {
    let plain = json!({"availability": "Busy", "activity": "Busy"});
    for (name, value, expected) in [
        ("availability", json!(null), AnswerError::Missing("availability")),
        ("activity", json!(7), AnswerError::Malformed("activity")),
        ("id", json!("7"), AnswerError::Malformed("id")),
        ("id", json!(7), AnswerError::Malformed("id")),
        ("sequenceNumber", json!(7), AnswerError::Malformed("sequenceNumber")),
        ("outOfOfficeSettings", json!(true), AnswerError::Malformed("outOfOfficeSettings")),
        ("outOfOfficeSettings", json!({"isOutOfOffice": 1}), AnswerError::Malformed("outOfOfficeSettings")),
        ("outOfOfficeSettings", json!({"message": 1}), AnswerError::Malformed("message")),
        ("statusMessage", json!("x"), AnswerError::Malformed("statusMessage")),
        ("statusMessage", json!({"message": "x"}), AnswerError::Malformed("message")),
        ("statusMessage", json!({"message": {"content": 7}}), AnswerError::Malformed("content")),
        (
            "statusMessage",
            json!({"message": {"content": "x"}, "publishedDateTime": "now"}),
            AnswerError::Malformed("publishedDateTime"),
        ),
        (
            "statusMessage",
            json!({"message": {"content": "x"}, "expiryDateTime": "now"}),
            AnswerError::Malformed("expiryDateTime"),
        ),
        (
            "statusMessage",
            json!({"message": {"content": "x"}, "expiryDateTime": {"dateTime": "now"}}),
            AnswerError::Malformed("dateTime"),
        ),
        ("workLocation", json!([]), AnswerError::Malformed("workLocation")),
        ("workLocation", json!({"placeId": 7}), AnswerError::Malformed("placeId")),
    ] {
        let mut object = plain.clone();
        object[name] = value.clone();
        assert_eq!(PresenceObject::parse(object.to_string().as_bytes()), Err(expected), "{name}: {value}");
        let many = json!({"value": [plain, object]}).to_string();
        let read: Vec<_> =
            Presences::parse(many.as_bytes()).unwrap().iter().map(|read| read.map(|read| read.presence)).collect();
        assert_eq!(read, [Ok(Presence::Busy), Err(expected)]);
    }
    assert_eq!(PresenceObject::parse(b"[]"), Err(AnswerError::NotAnObject));
    assert_eq!(Presences::parse(b"{}"), Err(AnswerError::Missing("value")));
    assert_eq!(Presences::parse(br#"{"value":{}}"#), Err(AnswerError::Malformed("value")));
    for (error, expected) in [
        (AnswerError::Json(JsonError::TooDeep), JsonError::TooDeep.to_string().as_str()),
        (AnswerError::NotAnObject, "not an object"),
        (AnswerError::Missing("id"), "id is missing"),
        (AnswerError::Malformed("id"), "id is not as it should be"),
        (AnswerError::Duplicate("id"), "id is given twice"),
        (AnswerError::TooLong("id"), "id is too long"),
    ] {
        assert_eq!(error.to_string(), expected);
    }
}

/// What has an offset is that instant, in both directions and in every form, and needs no zone.
#[test]
fn f4_times_with_offsets_are_read_in_utc() {
    let local = "2026-11-24T18:00:00";
    let expiry = |offset: &str| {
        let expiry = json!({"dateTime": format!("{local}{offset}"), "timeZone": "Anywhere"});
        let message =
            json!({"message": {"content": "x"}, "publishedDateTime": expiry["dateTime"], "expiryDateTime": expiry});
        let object = json!({"availability": "Busy", "activity": "Busy", "statusMessage": message}).to_string();
        let message = PresenceObject::parse(object.as_bytes()).unwrap().status_message.unwrap();
        let (at, zone) = message.expiry.unwrap();
        assert_eq!((message.published, zone.is_some()), (Some(at), offset.is_empty()), "{offset}");
        at.to_unix_millis()
    };
    let plain = expiry("");
    assert_eq!((expiry("Z"), expiry("z")), (plain, plain));
    for minutes in (-23 * 60 - 59..24 * 60_i64).step_by(7) {
        let (sign, hour, minute) = (if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60);
        let expected = plain.saturating_add_signed(-minutes * 60_000);
        for offset in [format!("{sign}{hour:02}:{minute:02}"), format!("{sign}{hour:02}{minute:02}")] {
            assert_eq!(expiry(&offset), expected, "{offset}");
        }
    }
    assert_eq!((expiry("-03"), expiry("+03")), (plain + 10_800_000, plain - 10_800_000));
}

/// The address of what is left, where a server answers page by page.
#[test]
fn f4_a_page_of_presences_tells_where_the_next_one_is() {
    for (member, next) in [
        ("", None),
        (r#","@odata.nextLink":null"#, None),
        (r#","@odata.nextLink":"https://a.b/?$skip=2""#, Some("https://a.b/?$skip=2")),
    ] {
        let body = format!(r#"{{"value":[]{member}}}"#);
        let read = Presences::parse(body.as_bytes()).unwrap();
        assert!(read.next_link.map_or(next.is_none(), |link| next.is_some_and(|next| link.is_text(next))), "{member}");
    }
    assert_eq!(
        Presences::parse(br#"{"value":[],"@odata.nextLink":7}"#),
        Err(AnswerError::Malformed("@odata.nextLink"))
    );
}

#[test]
fn f4_errors_of_proxies_have_a_status_alone() {
    for body in
        ["", "<html>", "[]", r#"{"error":"x"}"#, r#"{"error":{"code":7}}"#, r#"{"error":{"code":"a","code":"b"}}"#]
    {
        assert_eq!(ErrorAnswer::read(503, None, body.as_bytes()).code, None, "{body}");
    }
}
