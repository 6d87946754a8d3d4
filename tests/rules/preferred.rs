//! The preferred presence: rules U1 to U5, A1 and A2, of a lone user and of one in a directory.

use support::scenario;

use presence_core::Presence::*;
use presence_core::{Cause, CommandError, Duration, Instant, Layer, Policy};
use scenario::{at, minutes, play_graph};

const DAY: u64 = 86_400;

#[test]
fn u1_the_last_one_wins_and_its_clock_restarts() {
    play_graph(|user| {
        user.set(at(0), 1, Away, minutes(240)).unwrap();
        user.prefer(at(0), DoNotDisturb, minutes(60)).unwrap();
        user.prefer(at(10), BeRightBack, minutes(1)).unwrap();
        assert_eq!(user.shows(at(10)), BeRightBack);
        assert_eq!(user.user(at(10)).preferred().map(|preferred| preferred.expires_at()), Some(at(70)));
        assert_eq!(user.shows(at(69)), BeRightBack);
        assert_eq!(user.shows(at(70)), Away);
        user.prefer(at(20), BeRightBack, minutes(1)).unwrap();
        assert_eq!(user.shows(at(79)), BeRightBack);
        assert_eq!(user.shows(at(80)), Away);
    });
}

#[test]
fn u2_a_day_for_busy_and_do_not_disturb_a_week_for_the_rest() {
    for presence in Policy::GRAPH.preferred.iter() {
        let days = if [Busy, DoNotDisturb].contains(&presence) { 1 } else { 7 };
        play_graph(|user| {
            user.prefer(at(5), presence, None).unwrap();
            let preferred = user.user(at(5)).preferred().unwrap();
            assert_eq!((preferred.presence(), preferred.expires_at()), (presence, at(days * DAY + 5)));
        });
    }
}

#[test]
fn u2_from_a_millisecond_to_366_days() {
    play_graph(|user| {
        let year = 366 * DAY * 1000;
        for (millis, expected) in [
            (0, Err(CommandError::PreferredDuration)),
            (1, Ok(())),
            (year, Ok(())),
            (year + 1, Err(CommandError::PreferredDuration)),
            (u64::MAX, Err(CommandError::PreferredDuration)),
        ] {
            assert_eq!(user.prefer(at(0), Away, Some(Duration::from_millis(millis))), expected, "{millis} ms");
        }
        assert_eq!(user.user(at(0)).preferred().map(|preferred| preferred.expires_at()), Some(at(366 * DAY)));
    });
}

/// Without a session it shows nothing; it waits for the first, and again for the next.
#[test]
fn u3_it_waits_for_a_session() {
    play_graph(|user| {
        assert_eq!(user.prefer(at(0), Busy, minutes(60)), Ok(()));
        assert_eq!((user.shows(at(0)), user.why(at(0)).next), (Offline, None));
        user.set(at(10), 1, Available, None).unwrap();
        assert_eq!((user.shows(at(10)), user.layer(at(10))), (Busy, Layer::Preferred));
        assert_eq!(user.shows(at(310)), Offline);
        assert!(user.user(at(310)).preferred().is_some(), "stored");
        user.set(at(400), 2, Available, minutes(240)).unwrap();
        assert_eq!(user.shows(at(3599)), Busy);
        // Its clock has run all the time.
        assert_eq!(user.shows(at(3600)), Away);
    });
}

#[test]
fn u3_its_clock_runs_without_a_session() {
    play_graph(|user| {
        user.prefer(at(0), Busy, minutes(1)).unwrap();
        let happened: Vec<_> = user.pass(at(100)).iter().map(|one| (one.at(), one.cause(), one.is_visible())).collect();
        assert_eq!(happened, [(at(60), Cause::PreferredExpired, false)]);
        user.set(at(100), 1, InACall, None).unwrap();
        assert_eq!(user.shows(at(100)), InACall);
    });
}

#[test]
fn u4_clearing_succeeds_also_when_nothing_was_set() {
    play_graph(|user| {
        let before = user.user(at(0));
        assert_eq!(user.prefer_nothing(at(0)), Ok(()));
        assert_eq!(user.user(at(0)), before);
        user.set(at(0), 1, Away, None).unwrap();
        user.prefer(at(0), Busy, None).unwrap();
        assert_eq!(user.prefer_nothing(at(1)), Ok(()));
        assert_eq!((user.shows(at(1)), user.user(at(1)).preferred()), (Away, None));
        assert_eq!(user.prefer_nothing(at(1)), Ok(()));
    });
}

/// Preferred, Available stays Available while the session below it fades.
#[test]
fn u5_it_does_not_fade() {
    play_graph(|user| {
        user.set(at(0), 1, Available, minutes(240)).unwrap();
        user.prefer(at(0), Available, minutes(60)).unwrap();
        assert_eq!(user.why(at(0)).next, Some((at(3600), Away)));
        for seconds in [0, 300, 600, 3599] {
            assert_eq!(user.shows(at(seconds)), Available, "at {seconds} s");
        }
        assert_eq!(user.user(at(600)).sessions()[0].presence(), Away);
        assert_eq!(user.shows(at(3600)), Away);
    });
}

#[test]
fn u5_at_its_expiry_the_sessions_decide_again() {
    play_graph(|user| {
        user.set(at(0), 1, InACall, minutes(240)).unwrap();
        user.prefer(at(0), OffWork, Some(Duration::from_millis(1))).unwrap();
        assert_eq!(user.shows(at(0)), OffWork);
        assert_eq!(user.shows(Instant::from_millis(1)), InACall);
        assert_eq!(user.why(Instant::from_millis(1)).since, Some(Instant::from_millis(1)));
    });
}

#[test]
fn a1_no_session_is_offline_whatever_is_preferred() {
    for presence in Policy::GRAPH.preferred.iter() {
        play_graph(|user| {
            user.prefer(at(0), presence, None).unwrap();
            assert_eq!(user.shows(at(0)), Offline);
            user.set(at(0), 1, Away, None).unwrap();
            user.clear(at(1), 1).unwrap();
            assert_eq!(user.shows(at(1)), Offline);
        });
    }
}

#[test]
fn a2_it_is_shown_over_every_session() {
    for presence in Policy::GRAPH.preferred.iter() {
        for below in Policy::GRAPH.sessions.iter() {
            play_graph(|user| {
                user.set(at(0), 1, below, None).unwrap();
                user.set(at(0), 2, Presenting, None).unwrap();
                user.prefer(at(0), presence, None).unwrap();
                assert_eq!((user.shows(at(0)), user.layer(at(0))), (presence, Layer::Preferred));
            });
        }
    }
}
