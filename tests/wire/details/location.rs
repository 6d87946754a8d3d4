//! Work locations on the wire: rule W1.

use super::*;

/// The application knows when a user's day ends; an end that has passed is ignored.
#[test]
fn w1_the_application_knows_the_end_of_the_day() {
    struct Day(Instant);
    impl Environment for Day {
        fn end_of_day(&self, _: Instant, _: UserId) -> Option<Instant> {
            Some(self.0)
        }
    }
    let body = json!({"workLocationType": "office"}).to_string();
    for (end, until) in [(99, 100 + 24 * 3600), (100, 100 + 24 * 3600), (101, 101), (5000, 5000)] {
        let mut wire = Wire::new();
        let day = Day(Instant::from_secs(end));
        let context = Context::new(Instant::from_secs(100), wire.caller).with_environment(&day);
        let target = "/me/presence/setManualLocation";
        let raw = RawRequest::new("POST", target).with_body(body.as_bytes());
        let mut bytes = [0; 500];
        let status = serve(&raw, &context, &mut wire.users, &mut Buffer::new(&mut bytes), &mut |_, _| {});
        let deadline = wire.users.details.0[&user(ADELE)].next_deadline();
        assert_eq!((status, deadline), (200, Some(Instant::from_secs(until))), "a day that ends at {end} s");
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
    // Without an end of the day: at midnight UTC.
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
        let (status, response) = wire.send("POST", "/me/presence/setManualLocation", body);
        assert_eq!((status, message(&response)), (400, expected));
    }
    let long = json!({"workLocationType": "office", "placeId": "x".repeat(65)}).to_string();
    let (status, response) = wire.send("POST", "/me/presence/setManualLocation", &long);
    assert_eq!((status, message(&response)), (400, "The provided [PlaceId] is out of range."));
}
