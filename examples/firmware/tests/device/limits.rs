//! The numbers that the README promises, spelled out.

use super::fixture::{DONE, Fixture, set};
use firmware::{
    Button, CAPACITY, Clock, FIRST_TICK, MAX_BRIGHTNESS, MAX_LINE, MAX_OUTPUT, MAX_RESPONSE, QUEUE_LEN, Rate, SESSIONS,
};
use presence_core::{Duration, Instant, Presence};

#[test]
fn the_line_the_queue_and_the_sessions() {
    assert_eq!((MAX_LINE, QUEUE_LEN, SESSIONS, CAPACITY), (1024, 512, 8, 11));
    assert_eq!((MAX_OUTPUT - MAX_RESPONSE, MAX_BRIGHTNESS), (1 + 36 * 252, 9));
}

#[test]
fn a_line_of_1024_bytes_is_served_and_one_more_is_rejected() {
    let mut fixture = Fixture::new();
    let request = r#"{"id":"1","method":"GET","url":"/me/presence"}"#;
    for (len, status) in [(1023, "200"), (1024, "200"), (1025, "400"), (2048, "400"), (2049, "400"), (46, "200")] {
        let response = fixture.send(&format!("{request}{}\n", " ".repeat(len - request.len())));
        assert!(response.contains(&format!("\"status\":{status}")), "{len}: {response}");
    }
}

#[test]
fn the_tick_begins_five_minutes_before_it_wraps() {
    assert_eq!(FIRST_TICK, 4_294_667_296);
    assert_eq!(Clock::START, Instant::from_millis(4_294_667_296));
    assert!(Rate::new(0, 1).is_none() && Rate::new(1, 0).is_none() && Rate::new(1, 1).is_some());
}

#[test]
fn button_a_prefers_do_not_disturb_for_two_hours_and_b_clears_it() {
    assert_eq!(Button::DURATION, Duration::from_hours(2));
    let mut fixture = Fixture::new();
    fixture.press(Button::A);
    let preferred = fixture.presence_light.app().user().preferred().unwrap();
    assert_eq!(preferred.presence(), Presence::DoNotDisturb);
    assert_eq!(preferred.expires_at(), Clock::at_uptime(7_200_000));
    fixture.press(Button::B);
    assert_eq!(fixture.presence_light.app().user().preferred(), None);
}

#[test]
fn leases_last_from_a_second_to_a_day() {
    let mut fixture = Fixture::new();
    for (duration, is_served) in
        [("PT0.5S", false), ("PT1S", true), ("PT24H", true), ("PT24H1S", false), ("PT0S", false)]
    {
        let response = fixture.send(&set(super::fixture::CALLS, "Busy", "Busy", duration));
        assert_eq!(response.ends_with(DONE), is_served, "{duration}: {response}");
    }
}
