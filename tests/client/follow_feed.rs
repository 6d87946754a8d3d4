//! A follower of a feed of many users.

use presence_core::client::{FeedEvent, Follower, Link, Reply, Step};
use presence_core::{Command, Duration, Instant, Policy, Presence, UserId};

const MIRROR: u8 = 1;
const LEASE: Option<Duration> = Some(Duration::from_secs(90));
const ME: UserId = UserId::from_bytes([0x11; 16]);
const OTHER: UserId = UserId::from_bytes([0x22; 16]);

fn at(secs: u64) -> Instant {
    Instant::from_secs(secs)
}

fn object(user: UserId, presence: Presence) -> String {
    let (availability, activity) = (presence.availability().name(), presence.activity().name());
    format!(r#"{{"id":"{user}","availability":"{availability}","activity":"{activity}"}}"#)
}

/// A follower whose stream was opened at zero.
fn opened() -> Follower<u8> {
    let mut follower = Follower::new(MIRROR, &Policy::MIRROR).with_feed(ME);
    assert_eq!(follower.next(at(0), 0), Step::Ask { resumes: false });
    assert_eq!(follower.answered(at(0), Reply::Opened).command, None);
    follower
}

fn hear(follower: &mut Follower<u8>, secs: u64, event: FeedEvent<'_>) -> Option<Command<u8>> {
    follower.heard(at(secs), &event).command
}

fn hear_of(follower: &mut Follower<u8>, secs: u64, user: UserId, presence: Presence) -> Option<Command<u8>> {
    hear(follower, secs, FeedEvent::Presence(object(user, presence).as_bytes()))
}

fn set(presence: Presence) -> Option<Command<u8>> {
    Some(Command::SetPresence { session: MIRROR, presence, lease: LEASE })
}

/// A follower that knows of a call at zero, and of all changes.
fn live() -> Follower<u8> {
    let mut follower = opened();
    assert_eq!(hear(&mut follower, 0, FeedEvent::StartOver), None);
    assert_eq!(hear_of(&mut follower, 0, ME, Presence::InACall), set(Presence::InACall));
    assert_eq!(hear(&mut follower, 0, FeedEvent::UpToDate), set(Presence::InACall));
    follower
}

#[test]
fn f1_events_of_the_user_count_and_no_others() {
    let mut follower = live();
    assert_eq!(hear_of(&mut follower, 1, OTHER, Presence::Busy), None);
    assert_eq!(hear_of(&mut follower, 2, ME, Presence::Away), set(Presence::Away));
    assert_eq!(hear_of(&mut follower, 3, ME, Presence::Offline), Some(Command::ClearPresence { session: MIRROR }));
    assert_eq!(follower.link(at(3)), Link::Ok);
}

#[test]
fn f1_a_lease_is_renewed_while_anything_is_heard() {
    let mut follower = live();
    for secs in 1..30 {
        assert_eq!(hear(&mut follower, secs, FeedEvent::Comment), None, "{secs}");
    }
    assert_eq!(hear(&mut follower, 30, FeedEvent::Comment), set(Presence::InACall));
    assert_eq!(hear_of(&mut follower, 45, OTHER, Presence::Busy), None);
    assert_eq!(hear_of(&mut follower, 60, OTHER, Presence::Busy), set(Presence::InACall));
    assert_eq!(hear(&mut follower, 90, FeedEvent::Other), set(Presence::InACall));
}

#[test]
fn f1_a_silent_feed_is_opened_again_before_the_lease_ends() {
    let mut follower = live();
    assert_eq!(hear(&mut follower, 15, FeedEvent::Comment), None);
    assert_eq!(follower.next(at(15), 0), Step::Wait(at(60)));
    assert_eq!(follower.next(at(60), 0), Step::Wait(at(63)));
    assert_eq!(follower.next(at(63), 0), Step::Ask { resumes: true });
    let _ = follower.answered(at(64), Reply::Opened);
    // The server sends what has changed since, which is nothing.
    assert_eq!(hear(&mut follower, 65, FeedEvent::Comment), set(Presence::InACall));
    assert_eq!(follower.link(at(65)), Link::Ok);
}

#[test]
fn f1_a_feed_that_ends_is_opened_again_after_what_the_server_says() {
    let mut follower = live();
    assert_eq!(hear(&mut follower, 1, FeedEvent::Retry(Duration::from_millis(2345))), None);
    follower.failed(at(10));
    assert_eq!(follower.next(at(10), 0), Step::Wait(Instant::from_millis(12_345)));
    // Absurd times are bounded.
    for (said, kept) in [(Duration::ZERO, 1), (Duration::MAX, 300)] {
        let mut follower = live();
        let _ = hear(&mut follower, 1, FeedEvent::Retry(said));
        follower.failed(at(10));
        assert_eq!(follower.next(at(10), 0), Step::Wait(at(10 + kept)));
    }
    // Failures in a row, and Retry-After.
    let mut now = 12_345;
    for pause in [4690, 9380, 18_760] {
        let moment = Instant::from_millis(now);
        assert_eq!(follower.next(moment, 0), Step::Ask { resumes: true });
        let _ = follower.answered(moment, Reply::Failed { retry_after: None });
        now += pause;
        assert_eq!(follower.next(moment, 0), Step::Wait(Instant::from_millis(now)));
    }
    let moment = Instant::from_millis(now);
    assert_eq!(follower.next(moment, 0), Step::Ask { resumes: true });
    let _ = follower.answered(moment, Reply::Failed { retry_after: Some(Duration::from_hours(2)) });
    assert_eq!(follower.next(moment, 0), Step::Wait(moment + Duration::from_hours(2)));
    assert_eq!(follower.link(moment), Link::Down);
}

#[test]
fn f2_nothing_is_renewed_before_all_users_were_sent() {
    let mut follower = live();
    assert_eq!(hear(&mut follower, 10, FeedEvent::StartOver), None);
    assert_eq!(hear(&mut follower, 50, FeedEvent::Comment), None);
    assert_eq!(hear_of(&mut follower, 60, OTHER, Presence::Busy), None);
    // The user's own presence may be older than a change that is still to come.
    let mut scanned = follower;
    assert_eq!(hear_of(&mut scanned, 60, ME, Presence::Busy), set(Presence::Busy));
    assert_eq!(hear(&mut scanned, 91, FeedEvent::Comment), None);
    assert_eq!(hear(&mut scanned, 92, FeedEvent::UpToDate), set(Presence::Busy));
    // A user who was not sent has nothing to show.
    assert_eq!(hear(&mut follower, 70, FeedEvent::UpToDate), Some(Command::ClearPresence { session: MIRROR }));
}

#[test]
fn f2_a_scan_without_a_beginning_says_nothing() {
    let mut follower = opened();
    assert_eq!(hear(&mut follower, 0, FeedEvent::UpToDate), None);
    assert_eq!(hear(&mut follower, 1, FeedEvent::Comment), None);
    assert_eq!(follower.link(at(1)), Link::NoAnswer);
    follower.failed(at(2));
    assert_eq!(follower.next(at(5), 0), Step::Ask { resumes: false });
}

#[test]
fn f2_a_presence_that_is_not_understood_starts_over() {
    let long = object(ME, Presence::Busy);
    let of_other = object(OTHER, Presence::Busy);
    for (event, is_bad) in [
        (FeedEvent::Presence(b"{}"), true),
        (FeedEvent::Presence(b"not JSON"), true),
        (FeedEvent::Presence(br#"{"id":"11111111-1111-1111-1111-111111111111"}"#), true),
        (FeedEvent::TooLong(&long.as_bytes()[..60]), true),
        (FeedEvent::TooLong(&of_other.as_bytes()[..60]), false),
        // Too short to tell whose it is.
        (FeedEvent::TooLong(&of_other.as_bytes()[..20]), true),
    ] {
        let mut follower = live();
        assert_eq!(hear(&mut follower, 10, event), None);
        // What the rest of a stream says that was given up changes nothing.
        let renewed = hear(&mut follower, 40, FeedEvent::Comment);
        assert_eq!(renewed.is_none(), is_bad, "{event:?}");
        if is_bad {
            assert_eq!(follower.next(at(10), 0), Step::Wait(at(13)));
            assert_eq!(follower.next(at(13), 0), Step::Ask { resumes: false });
        }
    }
}

#[test]
fn f1_a_resumed_scan_remembers_whom_it_has_seen() {
    let mut follower = opened();
    let _ = hear(&mut follower, 0, FeedEvent::StartOver);
    assert_eq!(hear_of(&mut follower, 0, ME, Presence::Busy), set(Presence::Busy));
    follower.failed(at(1));
    assert_eq!(follower.next(at(4), 0), Step::Ask { resumes: true });
    let _ = follower.answered(at(4), Reply::Opened);
    assert_eq!(hear(&mut follower, 5, FeedEvent::UpToDate), set(Presence::Busy));
}

#[test]
fn f1_a_follower_that_asks_again_and_again_hears_nothing() {
    let mut follower: Follower<u8> = Follower::new(MIRROR, &Policy::MIRROR);
    assert_eq!(follower.next(at(0), 0), Step::Ask { resumes: false });
    assert_eq!(hear_of(&mut follower, 0, ME, Presence::Busy), None);
}
