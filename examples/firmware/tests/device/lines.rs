//! Rules L1 and L4 on a device: broken lines in time, short forms, mirrored objects, and room for their sessions.

use super::fixture::{CALLS, DONE, Fixture, clear, set};
use firmware::{CAPACITY, SESSIONS, Sign};
use presence_core::lines::{BUTTON_SESSION, MIRROR_SESSION, OWN_SESSION};
use presence_core::{Duration, Presence};

const SAID: &str = "{\"id\":null,\"status\":200}\n";

fn mirrored(availability: &str, activity: &str) -> String {
    format!("{{\"id\":\"x\",\"availability\":\"{availability}\",\"activity\":\"{activity}\"}}\n")
}

#[test]
fn l1_half_a_line_is_dropped_after_silence() {
    let mut fixture = Fixture::new();
    let line = set(CALLS, "Busy", "InACall", "PT5M");
    let (begun, rest) = line.split_at(40);
    for (millis, is_rejected) in [(1_999, true), (2_000, false)] {
        assert_eq!(fixture.send(begun), "");
        assert_eq!(fixture.after(millis), "");
        let response = fixture.send(&line);
        assert_eq!(response.contains("\"status\":400"), is_rejected, "{millis} ms: {response}");
        assert_eq!(response.ends_with(DONE), !is_rejected, "{millis} ms: {response}");
    }
    // A hand that types takes its time, but not half a minute.
    for (millis, is_served) in [(29_999, true), (30_000, false)] {
        assert_eq!(fixture.send(begun), "");
        fixture.after(millis);
        assert_eq!(fixture.send(rest).ends_with(DONE), is_served, "{millis} ms");
    }
    assert_eq!(fixture.send(begun), "");
    fixture.after(30_000);
    assert_eq!(fixture.send("\n"), "", "silently");
}

#[test]
fn l1_a_port_that_is_opened_anew_begins_a_new_line() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.send("{\"id\":\"1\",\"met"), "");
    fixture.presence_light.reopen();
    assert!(fixture.send("\0\u{feff}InACall\r").ends_with(SAID));
}

#[test]
fn l4_short_forms_set_a_session_of_their_own() {
    let mut fixture = Fixture::new();
    assert!(fixture.send("Busy\n").ends_with(SAID));
    assert_eq!(fixture.light().presence, Presence::Busy);
    assert!(fixture.send("busy/inacall PT1H\r\n").ends_with(SAID));
    assert_eq!(fixture.light().presence, Presence::InACall);
    fixture.after(3_599_999);
    assert_eq!(fixture.light().presence, Presence::InACall);
    assert!(fixture.after(1).contains("\"cause\":\"expired\""));
    fixture.send("Away\n");
    fixture.after(299_999);
    assert_eq!(fixture.light().presence, Presence::Away, "5 minutes");
    fixture.after(1);
    assert_eq!(fixture.light().presence, Presence::Unknown);
    fixture.send("Away\n");
    assert!(fixture.send("Offline\n").ends_with(SAID));
    assert_eq!(fixture.light().presence, Presence::Offline, "gone");
    for (line, status) in [("Offline", 404), ("Away PT25H", 400), ("Away/Busy", 400), ("OffWork", 400), ("Awya", 400)] {
        let response = fixture.send(&format!("{line}\n"));
        assert!(response.starts_with(&format!("{{\"id\":null,\"status\":{status},")), "{line}: {response}");
    }
}

/// A feeder that speaks only on change says for how long; what it mirrors does not fade.
#[test]
fn l4_what_is_mirrored_does_not_fade() {
    let mut fixture = Fixture::new();
    let available = "{\"availability\":\"Available\",\"activity\":\"Available\",\"expirationDuration\":\"PT8H\"}\n";
    assert!(fixture.send(available).ends_with(SAID));
    assert_eq!(fixture.after(8 * 3_600_000 - 1), "");
    assert_eq!(fixture.light().presence, Presence::Available);
    assert!(fixture.after(1).contains("\"cause\":\"expired\""));
    assert!(fixture.send(&mirrored("Offline", "OffWork")).ends_with(SAID));
    assert_eq!(fixture.presence_light.app().user().presence(), Presence::OffWork, "more than a session may be set to");
    assert_eq!(fixture.send(&mirrored("PresenceUnknown", "PresenceUnknown")), SAID, "no news");
    assert!(fixture.send(&mirrored("Offline", "Offline")).contains("\"cause\":\"cleared\""));
    assert_eq!(fixture.send(&mirrored("Offline", "Offline")), SAID, "gone already");
}

/// As many sessions as applications may hold leave room for the device's own, and for no other.
#[test]
fn l4_there_is_room_for_the_devices_own_sessions() {
    let mut fixture = Fixture::new();
    let session = |number: usize| format!("7f3a5b1c-0000-4000-8000-{number:012}");
    for number in 0..SESSIONS {
        assert!(fixture.send(&set(&session(number), "Away", "Away", "PT1H")).ends_with(DONE));
    }
    let full = |fixture: &mut Fixture| fixture.send(&set(&session(SESSIONS), "Busy", "Busy", "PT1H"));
    assert!(full(&mut fixture).contains("\"status\":507"));
    assert!(fixture.send("Busy\n").ends_with(SAID));
    assert!(fixture.send(&mirrored("Busy", "InACall")).ends_with(SAID));
    assert!(fixture.send(&set(&BUTTON_SESSION.to_string(), "DoNotDisturb", "DoNotDisturb", "PT1H")).ends_with(DONE));
    assert_eq!(fixture.presence_light.app().user().sessions().len(), CAPACITY);
    assert!(full(&mut fixture).contains("\"status\":507"));
    // They are renewed, and what they leave is for none else.
    assert!(fixture.send(&set(&session(0), "Busy", "Busy", "PT1H")).ends_with(DONE));
    for own in [OWN_SESSION, MIRROR_SESSION, BUTTON_SESSION] {
        assert!(fixture.send(&clear(&own.to_string())).ends_with(DONE), "{own}");
    }
    assert!(full(&mut fixture).contains("\"status\":507"));
    // What has ended takes no room.
    fixture.now = fixture.now.saturating_add(Duration::from_hours(1));
    assert!(full(&mut fixture).ends_with(DONE));
}

/// What is mirrored beside the presence shows while the user is not there, for as long as it is said.
#[test]
fn p4_out_of_office_shows_while_it_is_mirrored() {
    let mut fixture = Fixture::new();
    let away = "{\"availability\":\"Away\",\"activity\":\"OutOfOffice\",\"expirationDuration\":\"PT1H\"}\n";
    fixture.send(away);
    fixture.after(1_000);
    assert_eq!(fixture.light().sign, Sign::OutOfOffice);
    assert_eq!(fixture.send(&mirrored("PresenceUnknown", "PresenceUnknown")), SAID);
    assert_eq!(fixture.send(&away.replace("PT1H", "PT25H")).matches("400").count(), 1);
    fixture.after(3_598_999);
    assert_eq!(fixture.light().sign, Sign::OutOfOffice, "neither no news nor an error ends it");
    fixture.after(1_001);
    assert_eq!(fixture.light().sign, Sign::Presence);
    fixture.send(away);
    fixture.after(1_000);
    fixture.send(&mirrored("Away", "Away"));
    fixture.after(1_000);
    assert_eq!(fixture.light().sign, Sign::Presence, "back");
}

/// What ends by itself is a moment to wake at, whatever else there is: a session, being out of office, a link, a night.
#[test]
fn what_ends_by_itself_wakes_the_device_at_that_moment() {
    // No period of a pattern ends then.
    let lasts = Duration::from_millis(61_777);
    let requests =
        [("link", r#""state":"signIn","expirationDuration":"PT61.777S""#), ("settings", r#""night":"PT61.777S""#)];
    let requests = requests.map(|(path, members)| {
        format!("{{\"id\":\"1\",\"method\":\"POST\",\"url\":\"/device/{path}\",\"body\":{{{members}}}}}\n")
    });
    let gone =
        r#"{"availability":"Offline","activity":"OutOfOffice","expirationDuration":"PT61.777S"}"#.to_owned() + "\n";
    for line in ["Busy PT61.777S\n".to_owned(), gone].into_iter().chain(requests) {
        let mut fixture = Fixture::new();
        assert!(fixture.send(&line).contains("\"status\":200"), "{line}");
        let end = fixture.now.saturating_add(lasts);
        let mut wakes = Vec::new();
        while let Some(next) = fixture.presence_light.wake_at(fixture.now).filter(|next| *next <= end) {
            fixture.after(next.saturating_duration_since(fixture.now).as_millis());
            wakes.push(next);
        }
        assert_eq!(wakes.last(), Some(&end), "{line}");
    }
}
