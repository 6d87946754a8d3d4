//! What is sent, and when, to lamps whose answers are the test's.

use super::super::conversation::{Conversation, Notice, Step};
use super::super::says::Says;
use presence_core::client::Link;
use presence_core::{Duration, Instant, Presence};

const GREETING: &str = "\n{\"id\":\"follow-7\",\"method\":\"GET\",\"url\":\"/device\"}\n";
const UNKNOWN: &str =
    "{\"id\":\"follow-7\",\"status\":404,\"body\":{\"error\":{\"code\":\"NotFound\",\"message\":\"No.\"}}}\n";
const DEVICE: &str = "{\"id\":\"follow-7\",\"status\":200,\"body\":{\"version\":\"0.2.0\",\"board\":\"pico\",\"serialNumber\":\"E6\"}}\n";
const DONE: &str = "{\"id\":null,\"status\":200}\n";
const CALL: &str = "{\"availability\":\"Busy\",\"activity\":\"InACall\",\"expirationDuration\":\"PT1M30S\"}\n";

fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

fn says(presence: Presence) -> Option<Says> {
    Some(Says::new(presence, false))
}

fn sent(step: Step) -> String {
    match step {
        Step::Send(line) => line,
        other => panic!("{other:?}"),
    }
}

/// Returns a conversation with a lamp that has answered the greeting.
fn greeted(answer: &str) -> Conversation {
    let mut conversation = Conversation::new(7);
    assert_eq!(sent(conversation.next(at(0))), GREETING);
    conversation.received(at(0), answer.as_bytes(), |_| {});
    conversation
}

#[test]
fn a_presence_is_sent_once_answered_and_renewed_before_its_lease_ends() {
    let mut lamp = greeted(DEVICE);
    assert_eq!(lamp.notices(), [Notice::Answers(Some("pico, firmware 0.2.0".to_owned()))]);
    lamp.show(says(Presence::InACall), None);
    assert_eq!(sent(lamp.next(at(1))), CALL);
    // Nothing more before the answer, whatever else there is to show.
    lamp.show(says(Presence::Away), None);
    assert_eq!(lamp.next(at(1)), Step::Wait(at(4)));
    lamp.show(says(Presence::InACall), None);
    lamp.received(at(2), DONE.as_bytes(), |_| {});
    assert_eq!(lamp.next(at(2)), Step::Wait(at(62)));
    assert_eq!(sent(lamp.next(at(62))), CALL);
    lamp.received(at(62), DONE.as_bytes(), |_| {});
    // A change goes out at once.
    lamp.show(says(Presence::Available), None);
    assert_eq!(
        sent(lamp.next(at(70))),
        "{\"availability\":\"Available\",\"activity\":\"Available\",\"expirationDuration\":\"PT1M30S\"}\n"
    );
    assert!(lamp.notices().is_empty());
}

#[test]
fn what_is_not_known_is_not_said() {
    let mut lamp = greeted(UNKNOWN);
    assert_eq!(lamp.notices(), [Notice::Answers(None)]);
    lamp.show(says(Presence::Busy), None);
    sent(lamp.next(at(0)));
    lamp.received(at(0), DONE.as_bytes(), |_| {});
    // What it was told holds no longer, so that it shows that nothing is known; once, without a renewal.
    lamp.show(None, None);
    let end = "{\"availability\":\"Busy\",\"activity\":\"Busy\",\"expirationDuration\":\"PT1S\"}\n";
    assert_eq!(sent(lamp.next(at(1))), end);
    lamp.received(at(1), DONE.as_bytes(), |_| {});
    assert_eq!(lamp.next(at(1)), Step::Wait(Instant::NEVER));
    lamp.show(says(Presence::Offline), None);
    assert_eq!(
        sent(lamp.next(at(2))),
        "{\"availability\":\"Offline\",\"activity\":\"Offline\",\"expirationDuration\":\"PT1M30S\"}\n"
    );
    // It was gone already.
    lamp.received(
        at(2),
        b"{\"id\":null,\"status\":404,\"body\":{\"error\":{\"code\":\"NotFound\",\"message\":\"No.\"}}}\n",
        |_| {},
    );
    assert_eq!((lamp.next(at(2)), lamp.notices()), (Step::Wait(at(62)), vec![]));
}

#[test]
fn every_line_is_short() {
    for presence in Presence::ALL {
        for is_out_of_office in [false, true] {
            let says = Says::new(presence, is_out_of_office);
            assert!(says.last_line().len() < 160, "{}", says.last_line());
        }
    }
    let line = Says::new(Presence::Away, true).line();
    assert_eq!(
        line,
        r#"{"availability":"Away","activity":"Away","outOfOfficeSettings":{"isOutOfOffice":true},"expirationDuration":"PT1M30S"}"#
    );
}

#[test]
fn l6_the_link_is_shown_while_it_is_down_and_not_to_a_lamp_that_shows_none() {
    let mut lamp = greeted(DEVICE);
    lamp.show(None, Some(Link::Down));
    let down = "{\"id\":\"link\",\"method\":\"POST\",\"url\":\"/device/link\",\"body\":{\"state\":\"offline\",\"expirationDuration\":\"PT1M30S\"}}\n";
    assert_eq!(sent(lamp.next(at(0))), down);
    lamp.received(at(0), b"{\"id\":\"link\",\"status\":200}\n", |_| {});
    assert_eq!(lamp.next(at(0)), Step::Wait(at(60)));
    assert_eq!(sent(lamp.next(at(60))), down);
    lamp.received(at(60), b"{\"id\":\"link\",\"status\":200}\n", |_| {});
    lamp.show(None, Some(Link::SignIn));
    assert!(sent(lamp.next(at(61))).contains("\"signIn\""));
    lamp.received(at(61), b"{\"id\":\"link\",\"status\":200}\n", |_| {});
    // What is as it should be is said once.
    lamp.show(None, Some(Link::Ok));
    assert!(sent(lamp.next(at(62))).contains("\"ok\""));
    lamp.received(at(62), b"{\"id\":\"link\",\"status\":200}\n", |_| {});
    assert_eq!(lamp.next(at(64)), Step::Wait(Instant::NEVER));

    let mut old = greeted(UNKNOWN);
    old.show(says(Presence::Busy), Some(Link::Down));
    sent(old.next(at(0)));
    old.received(at(0), DONE.as_bytes(), |_| {});
    assert_eq!(sent(old.next(at(0))), down);
    old.received(
        at(0),
        b"{\"id\":\"link\",\"status\":404,\"body\":{\"error\":{\"code\":\"NotFound\",\"message\":\"No.\"}}}\n",
        |_| {},
    );
    assert_eq!(old.next(at(0)), Step::Wait(at(60)));
    assert_eq!(old.notices(), [Notice::Answers(None)]);
}

#[test]
fn an_answer_is_told_from_everything_else_on_the_line() {
    let mut lamp = Conversation::new(7);
    sent(lamp.next(at(0)));
    // What was begun before, an answer to another opening, an echo, changes, and what is no JSON.
    lamp.received(
        at(0),
        b"1\",\"status\":200}\r\n{\"id\":null,\"status\":400}\r\n{\"id\":\"follow-6\",\"status\":200}\n",
        |_| {},
    );
    lamp.received(at(0), GREETING.as_bytes(), |_| {});
    lamp.received(
        at(0),
        b"{\"at\":12.5,\"user\":\"u\",\"from\":{},\"to\":{},\"cause\":\"set\"}\n\xff\xfe\n[1]\n",
        |_| {},
    );
    assert_eq!(lamp.next(at(0)), Step::Wait(at(3)));
    let (first, second) = DEVICE.split_at(20);
    lamp.received(at(0), first.as_bytes(), |_| {});
    assert_eq!(lamp.next(at(0)), Step::Wait(at(3)));
    lamp.received(at(1), second.as_bytes(), |_| {});
    assert_eq!(lamp.next(at(1)), Step::Wait(Instant::NEVER));
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again() {
    let mut lamp = greeted(DEVICE);
    lamp.show(says(Presence::InACall), None);
    assert_eq!(sent(lamp.next(at(10))), CALL);
    // The newline ends a line that lost its end.
    assert_eq!(sent(lamp.next(at(13))), GREETING);
    lamp.received(at(13), b"{\"id\":null,\"status\":400}\n", |_| {});
    lamp.received(at(13), DEVICE.as_bytes(), |_| {});
    assert_eq!(sent(lamp.next(at(13))), CALL);
    lamp.received(at(13), DONE.as_bytes(), |_| {});
    assert_eq!(lamp.next(at(14)), Step::Wait(at(73)));
    // The same lamp: nothing to tell twice.
    assert_eq!(lamp.notices().len(), 2);
}

#[test]
fn silence_opens_the_line_anew() {
    let mut lamp = Conversation::new(7);
    lamp.show(says(Presence::Busy), None);
    for seconds in [0, 3, 6] {
        assert_eq!(sent(lamp.next(at(seconds))), GREETING);
        // A device that only echoes is silent, too.
        lamp.received(at(seconds), GREETING.as_bytes(), |_| {});
        assert_eq!(lamp.next(at(seconds)), Step::Wait(at(seconds + 3)));
    }
    assert_eq!(lamp.next(at(9)), Step::Reopen);
}

#[test]
fn an_error_is_told_once_and_followed_by_growing_pauses() {
    let mut lamp = greeted(UNKNOWN);
    lamp.notices();
    lamp.show(says(Presence::InACall), None);
    let full = b"{\"id\":null,\"status\":507,\"body\":{\"error\":{\"code\":\"InsufficientStorage\",\"message\":\"The user has no room.\"}}}\n";
    let mut now = at(0);
    for pause in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        assert_eq!(sent(lamp.next(now)), CALL);
        lamp.received(now, full, |_| {});
        let end = now.saturating_add(Duration::from_secs(pause));
        assert_eq!(lamp.next(now), Step::Wait(end));
        now = end;
    }
    assert_eq!(lamp.notices(), [Notice::Rejects("status 507, The user has no room.".to_owned())]);
    sent(lamp.next(now));
    lamp.received(now, DONE.as_bytes(), |_| {});
    assert_eq!(lamp.notices(), [Notice::Accepts]);
}

/// Only a lamp that does not know the link's path is never told of it again; and the answer to another line is no answer to this one.
#[test]
fn l6_a_link_that_was_rejected_is_told_again() {
    for status in [400, 500, 503, 507] {
        let mut lamp = greeted(DEVICE);
        lamp.show(None, Some(Link::Down));
        let down = sent(lamp.next(at(0)));
        lamp.received(at(0), DONE.as_bytes(), |_| {});
        lamp.received(at(0), DEVICE.as_bytes(), |_| {});
        assert_eq!(lamp.next(at(0)), Step::Wait(at(3)), "not answered yet");
        lamp.received(at(0), format!("{{\"id\":\"link\",\"status\":{status}}}\n").as_bytes(), |_| {});
        assert_eq!(lamp.next(at(0)), Step::Wait(at(1)), "{status}");
        assert_eq!(sent(lamp.next(at(1))), down, "{status}");
        lamp.received(at(1), b"{\"id\":\"link\",\"status\":200}\n", |_| {});
        assert_eq!(lamp.next(at(1)), Step::Wait(at(61)));
        // Nor is the answer about the link one about a presence.
        lamp.show(says(Presence::InACall), Some(Link::Down));
        assert_eq!(sent(lamp.next(at(2))), CALL);
        lamp.received(at(2), b"{\"id\":\"link\",\"status\":200}\n", |_| {});
        assert_eq!(lamp.next(at(2)), Step::Wait(at(5)));
    }
}
