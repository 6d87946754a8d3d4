//! The whole presence light on a host: bytes and simulated time in, lines and light out.

use super::fixture::{CALENDAR, CALLS, DONE, Fixture, clear, set};
use firmware::{Button, Frame, MAX_LINE, MAX_RESPONSE, QUEUE_LEN, ReceivedByte};
use presence_core::Presence;
use presence_core::indicator::Palette;

#[test]
fn a3_the_strongest_session_decides_and_the_light_follows() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.light(), Frame::new(Presence::Unknown, Palette::DEFAULT.no_news.frame_at(0)));
    fixture.send(&set(CALENDAR, "Busy", "InAMeeting", "PT1H"));
    let response = fixture.send(&set(CALLS, "DoNotDisturb", "Presenting", "PT30M"));
    assert!(
        response.contains(r#""to":{"availability":"DoNotDisturb","activity":"Presenting"},"cause":"set"}"#),
        "{response}"
    );
    assert!(response.ends_with(DONE), "{response}");
    assert_eq!(fixture.light().presence, Presence::Presenting);
    let events = fixture.after(30 * 60_000);
    assert!(events.contains(r#""at":1800,"#) && events.contains(r#""cause":"expired""#), "{events}");
    assert_eq!(fixture.light(), Frame::new(Presence::InAMeeting, Palette::DEFAULT.in_a_meeting.frame_at(0)));
}

#[test]
fn a5_a_host_that_dies_is_no_news_and_one_that_clears_its_session_is_dark() {
    let mut fixture = Fixture::new();
    fixture.send(&set(CALLS, "Busy", "InACall", "PT5M"));
    fixture.after(299_999);
    assert_eq!(fixture.light().presence, Presence::InACall);
    fixture.after(1);
    assert_eq!(fixture.light(), Frame::new(Presence::Unknown, Palette::DEFAULT.no_news.frame_at(0)));
    fixture.send(&set(CALLS, "Busy", "InACall", "PT5M"));
    fixture.send(&clear(CALLS));
    assert_eq!(fixture.light(), Frame::new(Presence::Offline, Palette::DEFAULT.offline.frame_at(0)));
    fixture.after(500);
    assert_eq!(fixture.presence_light.wake_at(fixture.now), None, "nothing is due: it sleeps");
}

#[test]
fn a2_one_button_prefers_and_the_other_clears() {
    let mut fixture = Fixture::new();
    fixture.send(&set(CALLS, "Available", "Available", "PT8H"));
    assert!(fixture.press(Button::A).contains(r#""cause":"preferredSet""#));
    assert_eq!(fixture.light().presence, Presence::DoNotDisturb);
    assert!(fixture.press(Button::B).contains(r#""cause":"preferredCleared""#));
    assert_eq!(fixture.light().presence, Presence::Available);
    assert_eq!(fixture.press(Button::B), "", "U4");
    fixture.press(Button::A);
    let events = fixture.after(Button::DURATION.as_millis());
    assert!(events.ends_with("\"cause\":\"preferredExpired\"}\n"), "{events}");
    assert_eq!(fixture.light().presence, Presence::Away, "it faded meanwhile");
}

#[test]
fn a_line_that_is_too_long_is_rejected_and_the_next_one_works() {
    let mut fixture = Fixture::new();
    let long = set(CALLS, "Busy", "InACall", &format!("PT{}5M", "0".repeat(MAX_LINE)));
    let response = fixture.send(&long);
    assert!(response.starts_with(r#"{"id":null,"status":400,"#), "{response}");
    assert_eq!(fixture.light().presence, Presence::Unknown);
    assert!(fixture.send(&set(CALLS, "Busy", "InACall", "PT5M")).ends_with(DONE));
}

#[test]
fn a_line_that_lost_a_byte_is_rejected() {
    let mut fixture = Fixture::new();
    let line = clear(CALLS);
    let mut bytes = line.bytes().enumerate().map(|(index, byte)| ReceivedByte { byte, after_loss: index == 40 });
    assert!(fixture.receive(&mut bytes).starts_with(r#"{"id":null,"status":400,"#));
    assert!(fixture.send(&set(CALLS, "Busy", "InACall", "PT5M")).ends_with(DONE));
}

#[test]
fn the_longest_line_has_a_response() {
    let mut fixture = Fixture::new();
    let around = r#"{"id":"","method":"GET","url":"/me/presence"}"#.len();
    let id = "x".repeat(MAX_LINE - around);
    let response = fixture.send(&format!("{{\"id\":\"{id}\",\"method\":\"GET\",\"url\":\"/me/presence\"}}\n"));
    assert!(response.contains(r#""status":200,"body":{"#) && response.len() <= MAX_RESPONSE + 1);
}

#[test]
fn invalid_requests_change_nothing() {
    let mut fixture = Fixture::new();
    for (line, status) in [
        ("not json\n", 400),
        ("[1]\n", 400),
        ("{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/users/11111111-2222-3333-4444-555555555555/presence\"}\n", 200),
        (
            "{\"id\":\"1\",\"method\":\"POST\",\"url\":\"/users/11111111-2222-3333-4444-555555555555/presence/clearUserPreferredPresence\"}\n",
            404,
        ),
    ] {
        let response = fixture.send(line);
        assert!(response.contains(&format!("\"status\":{status}")), "{response}");
    }
    assert_eq!(fixture.send("\r\n"), "", "a blank line has no response");
    assert_eq!(fixture.presence_light.app().user().revision(), 0);
}

/// Rule L2: a terminal that echoes sends everything back. That is not answered, and changes nothing.
#[test]
fn l2_an_echo_is_not_answered() {
    let mut fixture = Fixture::new();
    let (mut said, mut lines) = (String::new(), 0);
    for request in [
        &set(CALENDAR, "Available", "Available", "PT1H"),
        &set(CALLS, "Busy", "InACall", "PT5M"),
        &set(CALLS, "Busy", "Sleeping", "PT5M"),
        &clear(CALLS),
        "{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/me/presence\"}\n",
        "not json\n",
        &format!("{}\n", "x".repeat(MAX_LINE + 1)),
    ] {
        said += &fixture.send(request);
    }
    said += &fixture.press(Button::A);
    said += &fixture.after(60_000);
    let before = fixture.presence_light.app().user().clone();
    for line in said.split_inclusive('\n') {
        lines += 1;
        assert_eq!(fixture.send(line), "", "{line}");
    }
    assert_eq!(lines, 11, "seven responses and four changes: {said}");
    assert_eq!(*fixture.presence_light.app().user(), before);
}

/// Responses to long lines are longer than the longest line. They are known by how they begin; where the id alone fills the line,
/// the echo is answered once, and that answer's echo is not.
#[test]
fn l2_an_echo_that_does_not_fit_is_known_by_its_start_or_ends_soon() {
    let mut fixture = Fixture::new();
    let with_id = |rest: &str| {
        let around = format!(r#"{{"id":""{rest}}}"#).len();
        format!("{{\"id\":\"{}\"{rest}}}\n", "x".repeat(MAX_LINE - around))
    };
    let mut said = fixture.send(&with_id(r#","method":"GET","url":"/me/presence""#));
    assert!(said.len() > MAX_LINE + 1 && said.contains("\"status\":200"), "{said}");
    assert_eq!(fixture.send(&said), "");
    said = fixture.send(&with_id(""));
    assert!(said.len() > MAX_LINE + 1 && said.contains("\"status\":400"), "{said}");
    said = fixture.send(&said);
    assert!(said.starts_with(r#"{"id":null,"status":400,"#) && said.lines().count() == 1, "{said}");
    assert_eq!(fixture.send(&said), "");
}

/// Escapes make an id longer than the line it came in.
#[test]
fn an_id_that_does_not_fit_with_its_escapes_is_rejected_and_nothing_is_done() {
    let mut fixture = Fixture::new();
    let with_id = |id: &str| set(CALLS, "Busy", "InACall", "PT5M").replacen("\"1\"", &format!("\"{id}\""), 1);
    let response = fixture.send(&with_id(&"\u{7f}".repeat(700)));
    assert!(response.starts_with(r#"{"id":null,"status":400,"#) && response.ends_with("}\n"), "{response}");
    assert_eq!(fixture.presence_light.app().user().revision(), 0);
    let response = fixture.send(&with_id("\u{7f}\u{85}\u{2028}"));
    assert!(response.ends_with("{\"id\":\"\\u007f\\u0085\\u2028\",\"status\":200}\n"), "{response}");
}

/// Rule L3: bytes that keep coming and end no line, and lines that keep coming.
#[test]
fn l3_no_more_than_a_line_is_taken_at_once() {
    let mut fixture = Fixture::new();
    let mut out = Vec::new();
    let mut endless = std::iter::repeat_n(ReceivedByte::new(b'x'), 1_000_000);
    fixture.presence_light.receive(&mut endless, fixture.now, &mut out).unwrap();
    assert_eq!((endless.len(), out.len()), (1_000_000 - QUEUE_LEN, 0));
    let mut fixture = Fixture::new();
    let lines = "not json\n".repeat(1000);
    let mut bytes = lines.bytes().map(ReceivedByte::new);
    fixture.presence_light.receive(&mut bytes, fixture.now, &mut out).unwrap();
    assert_eq!(bytes.len(), 999 * "not json\n".len());
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
}

/// A change that nobody sees is answered, and not reported.
#[test]
fn only_visible_changes_are_reported() {
    let mut fixture = Fixture::new();
    assert!(fixture.send(&set(CALLS, "DoNotDisturb", "Presenting", "PT1H")).contains("\"cause\":\"set\""));
    assert_eq!(fixture.send(&set(CALENDAR, "Available", "Available", "PT30M")), DONE);
    assert_eq!(fixture.send(&set(CALENDAR, "Busy", "Busy", "PT10M")), DONE);
    assert_eq!(fixture.after(30 * 60_000), "", "an expiry, too");
    assert_eq!(fixture.presence_light.app().user().sessions().len(), 1);
}

/// A call breathes while its lease runs: it wakes for whichever comes first.
#[test]
fn it_wakes_for_the_light_and_for_the_deadline() {
    let mut fixture = Fixture::new();
    fixture.send(&set(CALLS, "Busy", "InACall", "PT5M"));
    let before = fixture.presence_light.light().0.len();
    let next = fixture.presence_light.wake_at(fixture.now).unwrap();
    assert!(next.saturating_duration_since(fixture.now) < presence_core::Duration::from_secs(1), "the next frame");
    fixture.after(60_000);
    assert!(fixture.presence_light.light().0.len() > before + 60, "it breathes");
    assert!(fixture.after(240_000).contains("\"cause\":\"expired\""));
    fixture.send(&set(CALLS, "Busy", "Busy", "PT5M"));
    let deadline = fixture.now.saturating_add(presence_core::Duration::from_mins(5));
    fixture.after(500);
    assert_eq!(fixture.presence_light.wake_at(fixture.now), Some(deadline), "a steady light");
}

/// Button B with nothing to clear: the light blinks once, whatever it shows, and says nothing.
#[test]
fn a_press_that_changes_nothing_blinks() {
    for lines in [vec![set(CALLS, "Busy", "Busy", "PT8H")], vec![set(CALLS, "Busy", "Busy", "PT8H"), clear(CALLS)]] {
        let mut fixture = Fixture::new();
        lines.iter().for_each(|line| _ = fixture.send(line));
        fixture.after(5_000);
        let before = fixture.light().colour;
        fixture.presence_light.light().0.clear();
        assert_eq!(fixture.press(Button::B), "");
        assert_eq!(fixture.after(5_000), "");
        let shown: Vec<_> = fixture.presence_light.light().0.iter().map(|frame| frame.colour == before).collect();
        assert_eq!(shown, [false, true]);
    }
}
