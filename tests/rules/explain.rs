//! Rule A4: which layer decides, since when, and what comes next by itself; rule A5: how a user came to have no session.

use support::scenario;

use presence_core::Presence::*;
use presence_core::{Absence, Explanation, Instant, Layer, Policy, User};
use scenario::{at, minutes, play_graph};

#[test]
fn a4_a_user_never_heard_of() {
    play_graph(|user| {
        let nothing = Layer::Nothing(Absence::NeverSeen);
        assert_eq!(user.why(at(0)), Explanation { presence: Offline, layer: nothing, since: None, next: None });
    });
}

#[test]
fn a4_the_strongest_session_decides() {
    play_graph(|user| {
        user.set(at(0), 1, Away, minutes(240)).unwrap();
        user.set(at(0), 2, InACall, None).unwrap();
        assert_eq!(user.layer(at(0)), Layer::Session(2));
        assert_eq!(user.layer(at(300)), Layer::Session(1));
    });
}

#[test]
fn a4_of_equals_the_one_that_lasts_longest_decides() {
    play_graph(|user| {
        user.set(at(0), 1, Away, minutes(5)).unwrap();
        user.set(at(0), 2, Away, minutes(7)).unwrap();
        user.set(at(0), 3, Away, minutes(6)).unwrap();
        assert_eq!(user.layer(at(0)), Layer::Session(2));
    });
}

#[test]
fn a4_then_the_smaller_id() {
    for order in [[1, 2, 3], [3, 2, 1]] {
        play_graph(|user| {
            for session in order {
                user.set(at(0), session, Away, None).unwrap();
            }
            assert_eq!(user.layer(at(0)), Layer::Session(1));
        });
    }
}

/// Strength is that of the present presence: a session that has faded gives way.
#[test]
fn a4_a_faded_session_gives_way() {
    play_graph(|user| {
        user.set(at(0), 1, Available, minutes(240)).unwrap();
        user.set(at(200), 2, Available, minutes(60)).unwrap();
        assert_eq!(user.layer(at(200)), Layer::Session(1));
        assert_eq!((user.shows(at(300)), user.layer(at(300))), (Available, Layer::Session(2)));
        assert_eq!((user.shows(at(500)), user.layer(at(500))), (AvailableInactive, Layer::Session(1)));
    });
}

#[test]
fn a4_keep_alives_do_not_move_since() {
    play_graph(|user| {
        user.set(at(10), 1, InACall, None).unwrap();
        user.set(at(200), 1, InACall, None).unwrap();
        user.set(at(250), 2, InACall, minutes(60)).unwrap();
        assert_eq!(user.why(at(250)).since, Some(at(10)));
        // The first session ends, the second says the same: nothing has changed.
        assert_eq!(user.why(at(500)).since, Some(at(10)));
        assert_eq!(user.why(at(3850)).since, Some(at(3850)));
    });
}

/// Since is the deadline at which it changed, however late anyone looks.
#[test]
fn a4_since_is_exact_however_late() {
    play_graph(|user| {
        user.set(at(0), 1, Available, minutes(60)).unwrap();
        assert_eq!(user.why(at(599)).since, Some(at(300)));
        user.pass(at(3000));
        assert_eq!(user.why(at(3000)).since, Some(at(600)));
    });
}

#[test]
fn a4_next_is_the_first_deadline_that_shows() {
    play_graph(|user| {
        user.set(at(0), 1, Available, minutes(60)).unwrap();
        assert_eq!(user.why(at(0)).next, Some((at(300), AvailableInactive)));
        assert_eq!(user.why(at(300)).next, Some((at(600), Away)));
        assert_eq!(user.why(at(600)).next, Some((at(3600), Offline)));
        assert_eq!(user.why(at(3600)).next, None);
        // Behind a call, neither fade shows.
        user.set(at(0), 2, InACall, minutes(20)).unwrap();
        assert_eq!(user.why(at(0)).next, Some((at(1200), Away)));
        // Nor behind a preferred presence; a stronger session below it does not either.
        user.prefer(at(0), Busy, minutes(10)).unwrap();
        assert_eq!(user.why(at(0)).next, Some((at(600), InACall)));
    });
}

/// The sessions may lead to the preferred presence as well: then its end is no visible change.
#[test]
fn a4_an_end_that_does_not_show_does_not_count() {
    play_graph(|user| {
        user.set(at(0), 1, Away, minutes(60)).unwrap();
        user.prefer(at(0), Away, minutes(10)).unwrap();
        assert_eq!(user.layer(at(0)), Layer::Preferred);
        assert_eq!(user.why(at(0)).next, Some((at(3600), Offline)));
        assert_eq!(user.layer(at(600)), Layer::Session(1));
        assert_eq!(user.why(at(600)).since, Some(at(0)));
    });
}

/// Everything ends at once: one change, straight to what is left.
#[test]
fn a4_what_ends_together_shows_once() {
    play_graph(|user| {
        user.set(at(0), 1, Presenting, None).unwrap();
        user.set(at(0), 2, InACall, None).unwrap();
        user.set(at(0), 3, Available, minutes(6)).unwrap();
        user.prefer(at(0), DoNotDisturb, minutes(5)).unwrap();
        assert_eq!(user.why(at(0)).next, Some((at(300), AvailableInactive)));
    });
}

/// Rules M4, V1: what a read at a moment sees is what time will have made of the user by then, and it changes nothing.
#[test]
fn m4_a_read_needs_no_advance() {
    play_graph(|user| {
        user.set(at(0), 1, Available, minutes(60)).unwrap();
        user.set(at(0), 2, InACall, minutes(8)).unwrap();
        let now = user.user(at(0));
        let seen = [0, 479, 480, 599, 600, 3599, 3600, 9999].map(|seconds| now.read_at(at(seconds), &Policy::GRAPH));
        assert_eq!(seen[..2], [(InACall, 2); 2], "the first fade is hidden by the call");
        assert_eq!(seen[2..4], [(AvailableInactive, 3); 2]);
        assert_eq!(seen[4..6], [(Away, 4); 2]);
        assert_eq!(seen[6..], [(Offline, 5); 2]);
        assert_eq!(user.user(at(0)), now);
    });
}

#[test]
fn a5_lost_in_a_restart() {
    let user: User<u8, 1> = User::after_restart(0);
    assert_eq!((user.presence(), user.absence()), (Offline, Some(Absence::Lost)));
    assert_eq!(user.explain(&Policy::GRAPH).layer, Layer::Nothing(Absence::Lost));
    assert!(user.is_empty());
    assert_eq!((user.since(), user.next_deadline()), (None::<Instant>, None));
}

#[test]
fn a5_only_a_cleared_session_is_news() {
    let stale = [Absence::NeverSeen, Absence::Cleared, Absence::Expired, Absence::Lost].map(Absence::is_stale);
    assert_eq!(stale, [true, false, true, true]);
}
