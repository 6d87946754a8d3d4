//! As many sessions as the device holds, which is eight, and one more.

use super::fixture::{DONE, Fixture, clear, set};
use firmware::{Button, MAX_LINE, MAX_OUTPUT, SESSIONS};
use presence_core::{Duration, Presence};

fn session(number: usize) -> String {
    format!("7f3a5b1c-0000-4000-8000-{number:012}")
}

/// From the weakest to the strongest.
const STRONGER_AND_STRONGER: [(&str, &str, Presence); SESSIONS] = [
    ("Away", "Away", Presence::Away),
    ("BeRightBack", "BeRightBack", Presence::BeRightBack),
    ("Available", "Available", Presence::Available),
    ("Busy", "Busy", Presence::Busy),
    ("Busy", "InAMeeting", Presence::InAMeeting),
    ("Busy", "InACall", Presence::InACall),
    ("DoNotDisturb", "Focusing", Presence::Focusing),
    ("DoNotDisturb", "Presenting", Presence::Presenting),
];

/// Sets eight sessions in an order, each with a lease of its own: the weaker, the longer.
fn with_eight(order: impl Iterator<Item = usize>) -> Fixture {
    let mut fixture = Fixture::new();
    for number in order {
        let (availability, activity, _) = STRONGER_AND_STRONGER[number];
        let response =
            fixture.send(&set(&session(number), availability, activity, &format!("PT{}S", 290 - 10 * number)));
        assert!(response.ends_with(DONE), "{response}");
    }
    fixture
}

/// Every session is shown while it is the strongest one left, in whatever order they were set, up to the last.
#[test]
fn a3_the_strongest_of_eight_is_shown_until_none_is_left() {
    let in_order: Vec<usize> = (0..SESSIONS).collect();
    let orders = (0..SESSIONS).flat_map(|start| {
        let mut order = in_order.clone();
        order.rotate_left(start);
        let reversed = order.iter().rev().copied().collect();
        [order, reversed]
    });
    for order in orders {
        let mut fixture = with_eight(order.iter().copied());
        for number in (0..SESSIONS).rev() {
            let left = fixture.presence_light.app().user().sessions().len();
            assert_eq!((left, fixture.light().presence), (number + 1, STRONGER_AND_STRONGER[number].2), "{order:?}");
            let events = fixture.after(if number == SESSIONS - 1 { 220_000 } else { 10_000 });
            assert!(events.ends_with("\"cause\":\"expired\"}\n") && events.matches('\n').count() == 1, "{events}");
        }
        assert_eq!(fixture.light().presence, Presence::Unknown, "no news");
        assert_eq!(fixture.presence_light.app().user().next_deadline(), None);
    }
}

#[test]
fn a_ninth_session_is_rejected_and_changes_nothing_until_one_of_eight_ends() {
    let mut fixture = with_eight(0..SESSIONS);
    let before = fixture.presence_light.app().user().clone();
    let ninth = set(&session(SESSIONS), "DoNotDisturb", "DoNotDisturb", "PT1H");
    let response = fixture.send(&ninth);
    assert!(
        response.starts_with(r#"{"id":"1","status":507,"body":{"error":{"code":"InsufficientStorage""#),
        "{response}"
    );
    assert_eq!(*fixture.presence_light.app().user(), before);
    for (number, (availability, activity, _)) in STRONGER_AND_STRONGER.into_iter().enumerate() {
        // Each of the eight is still served, and there is room again when it has ended.
        let mut fixture = with_eight(0..SESSIONS);
        assert!(fixture.send(&set(&session(number), availability, activity, "PT2H")).ends_with(DONE), "{number}");
        assert!(fixture.send(&clear(&session(number))).ends_with(DONE), "{number}");
        assert!(fixture.send(&ninth).ends_with(DONE), "{number}");
        let strongest = if number == SESSIONS - 1 { Presence::Focusing } else { Presence::Presenting };
        assert_eq!(fixture.light().presence, strongest);
        assert!(fixture.send(&set(&session(number), availability, activity, "PT2H")).contains("\"status\":"));
        assert_eq!(fixture.presence_light.app().user().sessions().len(), SESSIONS);
    }
}

/// What a board must have room for: whatever is due at once, a request and a press in the same turn.
#[test]
fn a_turn_writes_no_more_than_the_most_that_it_may() {
    let mut longest = 0;
    let fading = || {
        let mut fixture = Fixture::new();
        for number in 0..SESSIONS {
            fixture.send(&set(&session(number), "Available", "Available", &format!("PT{}S", 3600 + number)));
            fixture.after(900);
        }
        fixture
    };
    for mut fixture in [with_eight(0..SESSIONS), with_eight((0..SESSIONS).rev()), fading()] {
        fixture.press(Button::A);
        fixture.press(Button::B);
        fixture.now = fixture.now.saturating_add(Duration::from_days(2));
        let around = r#"{"id":"","method":"GET","url":"/me/presence"}"#.len();
        let id = "x".repeat(MAX_LINE - around);
        let mut said = fixture.send(&format!("{{\"id\":\"{id}\",\"method\":\"GET\",\"url\":\"/me/presence\"}}\n"));
        said += &fixture.press(Button::A);
        longest = longest.max(said.len());
        assert!(said.len() <= MAX_OUTPUT, "{} bytes", said.len());
    }
    assert!(longest > 5 * MAX_LINE / 2, "{longest} bytes are few");
}
