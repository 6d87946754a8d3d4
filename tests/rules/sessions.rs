//! Sessions: rules S1 to S9, V1 and V2, and the way the last one went (A5), of a lone user and of one in a directory.

use support::scenario;

use presence_core::Presence::{self, *};
use presence_core::{
    Absence, Cause, CommandError, Duration, Fade, Fades, Instant, Layer, Policy, User, next_due, set_presence,
};
use scenario::{at, minutes, play, play_graph};

#[test]
fn s1_setting_creates_or_replaces() {
    play_graph(|user| {
        assert_eq!(user.set(at(0), 7, Available, minutes(60)), Ok(()));
        assert_eq!(user.set(at(10), 7, InACall, minutes(10)), Ok(()));
        let sessions = user.user(at(10)).sessions().to_vec();
        assert_eq!(sessions.len(), 1);
        assert_eq!((sessions[0].id(), sessions[0].presence()), (7, InACall));
        assert_eq!((sessions[0].expires_at(), sessions[0].fades_at()), (at(610), None));
    });
}

/// The keep-alive restarts both clocks, and wakes up what has faded.
#[test]
fn s1_repeating_restarts_both_clocks() {
    play_graph(|user| {
        user.set(at(0), 1, Available, minutes(10)).unwrap();
        user.set(at(299), 1, Available, minutes(10)).unwrap();
        let session = user.user(at(299)).sessions()[0];
        assert_eq!((session.fades_at(), session.expires_at()), (Some(at(599)), at(899)));
        assert_eq!(user.shows(at(598)), Available);
        assert_eq!(user.shows(at(599)), AvailableInactive);
        user.set(at(700), 1, Available, minutes(10)).unwrap();
        assert_eq!(user.shows(at(700)), Available);
        assert_eq!(user.shows(at(1000)), AvailableInactive);
        assert_eq!(user.shows(at(1299)), AvailableInactive);
        assert_eq!(user.shows(at(1300)), Offline);
    });
}

#[test]
fn s1_leaving_out_the_duration_means_the_default_again() {
    play_graph(|user| {
        user.set(at(0), 1, Away, minutes(240)).unwrap();
        user.set(at(10), 1, Away, None).unwrap();
        assert_eq!(user.user(at(10)).sessions()[0].expires_at(), at(310));
    });
}

#[test]
fn s2_leases_are_rejected_never_clamped() {
    play_graph(|user| {
        for (lease, expected) in [
            (0, Err(CommandError::Lease)),
            (299_999, Err(CommandError::Lease)),
            (300_000, Ok(())),
            (14_400_000, Ok(())),
            (14_400_001, Err(CommandError::Lease)),
            (u64::MAX, Err(CommandError::Lease)),
        ] {
            assert_eq!(user.set(at(0), 1, Away, Some(Duration::from_millis(lease))), expected, "{lease} ms");
            if expected.is_ok() {
                assert_eq!(user.user(at(0)).sessions()[0].expires_at(), Instant::from_millis(lease));
            }
        }
    });
}

/// The table of rule S4: what a session set to Available at 0 says later, by lease.
#[test]
fn s3_s4_the_table_of_fades() {
    const GONE: Presence = Offline;
    let moments = [299, 300, 420, 600, 3599, 3600];
    let table = [
        (5, [Available, GONE, GONE, GONE, GONE, GONE]),
        (7, [Available, AvailableInactive, GONE, GONE, GONE, GONE]),
        (10, [Available, AvailableInactive, AvailableInactive, GONE, GONE, GONE]),
        (60, [Available, AvailableInactive, AvailableInactive, Away, Away, GONE]),
    ];
    for (lease, line) in table {
        play_graph(|user| {
            user.set(at(0), 1, Available, minutes(lease)).unwrap();
            for (seconds, presence) in moments.into_iter().zip(line) {
                assert_eq!(user.shows(at(seconds)), presence, "PT{lease}M at {seconds} s");
                let session = user.user(at(seconds)).session(1).map(|session| session.presence());
                assert_eq!(session, (presence != GONE).then_some(presence));
            }
        });
    }
}

#[test]
fn s3_available_fades_twice() {
    play_graph(|user| {
        user.set(at(100), 1, Available, minutes(60)).unwrap();
        let happened: Vec<_> = user.pass(at(5000)).iter().map(|one| (one.at(), one.cause(), one.after())).collect();
        assert_eq!(
            happened,
            [
                (at(400), Cause::Faded, AvailableInactive),
                (at(700), Cause::Faded, Away),
                (at(3700), Cause::Expired, Offline)
            ]
        );
    });
}

#[test]
fn s3_nothing_else_fades() {
    for presence in Policy::DESK.sessions.iter().filter(|presence| *presence != Available) {
        play(Policy::DESK, |user| {
            user.set(at(0), 1, presence, minutes(60)).unwrap();
            assert_eq!(user.user(at(0)).sessions()[0].fades_at(), None, "{presence}");
            assert_eq!(user.shows(at(3599)), presence);
        });
    }
}

/// Also under another policy than the one it was set under: one with a stronger fade, or with none.
#[test]
fn s3_fades_only_ever_weaken() {
    const fn after(seconds: u64, becomes: Presence) -> Fade {
        Fade { after: Duration::from_secs(seconds), becomes }
    }
    const QUICK: Policy =
        Policy { fades: Fades::new(&[after(100, Away), after(200, OffWork)]).unwrap(), ..Policy::GRAPH };
    const GENTLE: Policy = Policy {
        fades: Fades::new(&[after(100, AvailableInactive), after(200, BeRightBack)]).unwrap(),
        ..Policy::GRAPH
    };
    const NONE: Policy = Policy { fades: Fades::NONE, ..Policy::GRAPH };
    for (other, becomes) in [(QUICK, OffWork), (GENTLE, Away), (NONE, Away)] {
        let mut user: User<u8, 1> = User::new();
        let set = set_presence(user.at(at(0)).unwrap(), 1, Available, minutes(60), &QUICK).unwrap();
        user.apply(&set).unwrap();
        for (seconds, policy, presence) in [(100, QUICK, Away), (200, other, becomes)] {
            let fade = next_due(&user, at(seconds), &policy).unwrap();
            assert_eq!((fade.at(), fade.cause(), fade.after()), (at(seconds), Cause::Faded, presence));
            user.apply(&fade).unwrap();
        }
        assert_eq!(user.next_deadline(), Some(at(3600)));
    }
}

/// A session that has weakened is still there: it can be cleared, and keeps its lease.
#[test]
fn s3_a_faded_session_still_exists() {
    play_graph(|user| {
        user.set(at(0), 1, Available, minutes(60)).unwrap();
        assert_eq!(user.user(at(601)).sessions()[0].expires_at(), at(3600));
        assert_eq!(user.clear(at(601), 1), Ok(()));
        assert_eq!(user.shows(at(601)), Offline);
    });
}

#[test]
fn s4_a_deadline_has_happened_to_the_millisecond() {
    play_graph(|user| {
        user.set(at(0), 1, InACall, None).unwrap();
        assert_eq!(user.shows(Instant::from_millis(299_999)), InACall);
        assert_eq!(user.shows(Instant::from_millis(300_000)), Offline);
        assert_eq!(user.pass(Instant::from_millis(299_999)), []);
        assert_eq!(user.pass(Instant::from_millis(300_000)).len(), 1);
    });
}

/// When a fade and the expiry fall together, expiry wins: AvailableInactive is never seen.
#[test]
fn s4_expiry_wins_over_a_fade() {
    for (lease, seen) in [(5, &[Offline][..]), (10, &[AvailableInactive, Offline])] {
        play_graph(|user| {
            user.set(at(0), 1, Available, minutes(lease)).unwrap();
            let fade = user.user(at(0)).sessions()[0].fades_at();
            assert_eq!(
                fade,
                (lease > 5).then_some(at(300)),
                "PT{lease}M: a fade after the end of the lease is not announced"
            );
            let after: Vec<_> = user.pass(at(10_000)).iter().map(|transition| transition.after()).collect();
            assert_eq!(after, seen, "PT{lease}M");
        });
    }
}

#[test]
fn s5_clearing_removes_that_session_and_no_other() {
    play_graph(|user| {
        user.set(at(0), 1, Available, minutes(60)).unwrap();
        user.set(at(0), 2, InACall, minutes(60)).unwrap();
        user.prefer(at(0), BeRightBack, None).unwrap();
        let preferred = user.user(at(0)).preferred();
        assert_eq!(user.clear(at(1), 2), Ok(()));
        let left = user.user(at(1));
        assert_eq!(left.sessions().iter().map(|session| session.id()).collect::<Vec<_>>(), [1]);
        assert_eq!(left.preferred(), preferred);
    });
}

#[test]
fn s5_no_such_session_is_not_found() {
    play_graph(|user| {
        assert_eq!(user.clear(at(0), 1), Err(CommandError::NotFound), "never set");
        user.set(at(0), 1, Away, None).unwrap();
        assert_eq!(user.clear(at(0), 2), Err(CommandError::NotFound), "another's");
        assert_eq!(user.clear(at(1), 1), Ok(()));
        assert_eq!(user.clear(at(1), 1), Err(CommandError::NotFound), "a second time");
        user.set(at(2), 1, Away, None).unwrap();
        assert_eq!(user.clear(at(302), 1), Err(CommandError::NotFound), "expired");
    });
}

#[test]
fn s6_clearing_the_only_session_shows_offline() {
    for presence in Policy::GRAPH.sessions.iter() {
        play_graph(|user| {
            user.set(at(0), 1, presence, None).unwrap();
            assert_eq!(user.shows(at(0)), presence);
            user.clear(at(1), 1).unwrap();
            assert_eq!(user.shows(at(1)), Offline);
        });
    }
}

#[test]
fn s7_a_rejected_command_changes_nothing() {
    play_graph(|user| {
        for session in 1..=3 {
            user.set(at(0), session, Available, minutes(60)).unwrap();
        }
        let before = user.user(at(0));
        assert_eq!(user.set(at(0), 1, Busy, None), Err(CommandError::Presence));
        assert_eq!(user.set(at(0), 1, Away, minutes(4)), Err(CommandError::Lease));
        // Both at once: the range of the duration is checked first (H2).
        assert_eq!(user.set(at(0), 1, Busy, minutes(4)), Err(CommandError::Lease));
        assert_eq!(user.set(at(0), 4, Away, None), Err(CommandError::SessionsFull));
        assert_eq!(user.clear(at(0), 4), Err(CommandError::NotFound));
        assert_eq!(user.prefer(at(0), InACall, None), Err(CommandError::PreferredPresence));
        assert_eq!(user.prefer(at(0), InACall, Some(Duration::ZERO)), Err(CommandError::PreferredDuration));
        assert_eq!(user.user(at(0)), before);
    });
}

#[test]
fn s8_what_is_due_happens_before_a_command() {
    play_graph(|user| {
        user.set(at(0), 1, InACall, None).unwrap();
        user.set(at(0), 2, Available, minutes(60)).unwrap();
        let command = presence_core::Command::SetPresence { session: 1, presence: InACall, lease: None };
        let (happened, result) = user.command(at(300), command);
        assert_eq!(result, Ok(()));
        let changes: Vec<_> = happened.iter().map(|one| (one.at(), one.cause(), one.before(), one.after())).collect();
        assert_eq!(
            changes,
            [
                (at(300), Cause::Faded, InACall, InACall),
                (at(300), Cause::Expired, InACall, AvailableInactive),
                (at(300), Cause::Set, AvailableInactive, InACall),
            ]
        );
    });
}

/// At one instant the weakest goes first, so that only the last of them shows, and only once.
#[test]
fn s8_at_one_instant_the_weakest_goes_first() {
    for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
        play_graph(|user| {
            for session in order {
                let presence = [Presenting, Away, InACall][usize::from(session) - 1];
                user.set(at(0), session, presence, None).unwrap();
            }
            user.prefer(at(0), Busy, minutes(5)).unwrap();
            let happened = user.pass(at(300));
            let shown: Vec<_> = happened.iter().map(|one| (one.cause(), one.before(), one.after())).collect();
            assert_eq!(
                shown,
                [
                    (Cause::Expired, Busy, Busy),
                    (Cause::Expired, Busy, Busy),
                    (Cause::Expired, Busy, Offline),
                    (Cause::PreferredExpired, Offline, Offline),
                ]
            );
        });
    }
}

#[test]
fn s8_of_equal_sessions_the_smaller_id_goes_first() {
    play_graph(|user| {
        for session in [2, 3, 1] {
            user.set(at(0), session, Away, None).unwrap();
        }
        let expired = user.pass(at(300)).into_iter().map(|one| one.change());
        assert!(expired.eq([1, 2, 3].map(presence_core::Change::Expired)));
    });
}

/// Late or not, everything is stamped with its own deadline.
#[test]
fn s8_nothing_is_folded() {
    play_graph(|user| {
        user.set(at(0), 1, Available, minutes(60)).unwrap();
        user.set(at(0), 2, InACall, minutes(8)).unwrap();
        let happened: Vec<_> = user.pass(at(1_000_000)).iter().map(|one| (one.at(), one.is_visible())).collect();
        assert_eq!(happened, [(at(300), false), (at(480), true), (at(600), true), (at(3600), true)]);
    });
}

#[test]
fn s9_replacing_never_needs_room() {
    play_graph(|user| {
        for session in 1..=3 {
            user.set(at(0), session, Away, minutes(60)).unwrap();
        }
        assert_eq!(user.set(at(1), 4, Away, None), Err(CommandError::SessionsFull));
        for session in 1..=3 {
            assert_eq!(user.set(at(1), session, InACall, None), Ok(()));
        }
    });
}

#[test]
fn s9_what_is_due_frees_its_room_first() {
    play_graph(|user| {
        for session in 1..=3 {
            user.set(at(0), session, Away, minutes(if session == 2 { 5 } else { 60 })).unwrap();
        }
        assert_eq!(user.set(Instant::from_millis(299_999), 4, Away, None), Err(CommandError::SessionsFull));
        assert_eq!(user.set(at(300), 4, Away, None), Ok(()));
        let ids: Vec<_> = user.user(at(300)).sessions().iter().map(|session| session.id()).collect();
        assert_eq!(ids, [1, 3, 4]);
    });
}

#[test]
fn v1_the_version_counts_what_shows_and_v2_the_revision_everything() {
    play_graph(|user| {
        let counts = |user: &dyn scenario::Stage, seconds| {
            let user = user.user(at(seconds));
            (user.version(), user.revision())
        };
        assert_eq!(counts(user, 0), (0, 0));
        user.prefer(at(0), Away, None).unwrap();
        assert_eq!(counts(user, 0), (0, 1), "nothing to see without a session");
        user.set(at(0), 1, Away, None).unwrap();
        assert_eq!(counts(user, 0), (1, 2));
        user.set(at(1), 1, Away, None).unwrap();
        assert_eq!(counts(user, 1), (1, 3), "a keep-alive shows nothing");
        user.set(at(1), 1, Busy, None).unwrap_err();
        assert_eq!(counts(user, 1), (1, 3), "rejected");
        user.prefer_nothing(at(1)).unwrap();
        assert_eq!(counts(user, 1), (1, 4), "preferred what is shown anyway");
        user.prefer_nothing(at(1)).unwrap();
        assert_eq!(counts(user, 1), (1, 4), "nothing to clear");
        assert_eq!(counts(user, 301), (2, 5), "expired");
    });
}

#[test]
fn a5_how_the_last_session_ended() {
    play_graph(|user| {
        assert_eq!(user.layer(at(0)), Layer::Nothing(Absence::NeverSeen));
        user.set(at(0), 1, Away, None).unwrap();
        assert_eq!(user.user(at(0)).absence(), None);
        user.clear(at(1), 1).unwrap();
        assert_eq!(user.layer(at(1)), Layer::Nothing(Absence::Cleared));
        user.set(at(2), 1, Away, None).unwrap();
        assert_eq!(user.layer(at(302)), Layer::Nothing(Absence::Expired));
        // The last one to go counts.
        user.set(at(400), 1, Away, None).unwrap();
        user.set(at(401), 2, Away, minutes(60)).unwrap();
        user.clear(at(800), 2).unwrap();
        assert_eq!(user.user(at(800)).absence(), Some(Absence::Cleared));
    });
}
