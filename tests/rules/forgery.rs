//! Transitions that no decision about this user, as it is now, has made: outdated ones, other users', forged ones. They
//! are rejected and nothing changes. Rules V2, S7.

use support::model;

use model::check::is_decided;
use model::life::{Life, commands, life, policy};
use presence_core::directory::InlineDirectory;
use presence_core::{
    ApplyError, Change, Command, Duration, Instant, Policy, Presence, SetPresenceError, Transition, User,
    clear_presence, decide, next_due, set_presence,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(model::cases(512))]

    /// Whatever two users have been through: what was decided about one applies to the other exactly if it would have been
    /// decided about the other as well.
    #[test]
    fn v2_another_users_transitions_apply_only_if_they_might_be_ones_own(
        policy in proptest::sample::select(vec![model::ANYTHING, model::WEARY, model::STEADY]),
        one in commands(12),
        other in commands(12),
    ) {
        let other: Life<3> = Life::of(policy, &other);
        let mut one_at_a_time = Life::<3>::new(policy);
        for (clock, command) in one {
            one_at_a_time.turn(clock);
            let _ = one_at_a_time.command(command);
            for transition in &other.transitions {
                let mut user = one_at_a_time.user.clone();
                let result = user.apply(transition);
                if transition.revision() != one_at_a_time.user.revision() {
                    prop_assert_eq!(result, Err(ApplyError::Stale));
                } else if is_decided(&one_at_a_time.user, transition, &policy) {
                    prop_assert_eq!(result, Ok(()));
                    prop_assert_eq!(user.presence(), transition.after());
                    prop_assert_eq!(user.revision(), transition.revision() + 1);
                    continue;
                } else {
                    prop_assert_eq!(result, Err(ApplyError::Invalid));
                }
                prop_assert_eq!(&user, &one_at_a_time.user);
            }
        }
    }

    /// Replaying a journal from the beginning makes the same user; replaying any part of it twice is rejected.
    #[test]
    fn v2_a_journal_is_replayed_once_and_in_order(life in life(), twice in any::<proptest::sample::Index>()) {
        let mut user: User<u8, 3> = User::new();
        for transition in &life.transitions {
            prop_assert_eq!(user.apply(transition), Ok(()));
            prop_assert_eq!(user.apply(transition), Err(ApplyError::Stale));
        }
        prop_assert_eq!(&user, &life.user);
        if !life.transitions.is_empty() {
            let outdated = twice.get(&life.transitions);
            prop_assert_eq!(user.apply(outdated), Err(ApplyError::Stale));
            prop_assert_eq!(&user, &life.user);
        }
    }

    /// A transition that needs room for more sessions is rejected, never half applied.
    #[test]
    fn s9_a_smaller_user_takes_what_fits(policy in policy(), commands in commands(15)) {
        let life: Life<3> = Life::of(policy, &commands);
        let mut small: User<u8, 1> = User::new();
        for transition in &life.transitions {
            let before = small.clone();
            match small.apply(transition) {
                Err(_) => prop_assert_eq!(&small, &before),
                Ok(()) => prop_assert_eq!(small.presence(), transition.after()),
            }
        }
    }
}

fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

fn decided(user: &User<u8, 2>, seconds: u64, session: u8, presence: Presence) -> Transition<u8> {
    set_presence(user.at(at(seconds)).unwrap(), session, presence, None, &Policy::GRAPH).unwrap()
}

#[test]
fn v2_of_two_decisions_about_one_state_the_second_is_stale() {
    let mut user: User<u8, 2> = User::new();
    let (first, second) = (decided(&user, 0, 1, Presence::Away), decided(&user, 0, 2, Presence::InACall));
    assert_eq!(user.apply(&first), Ok(()));
    let before = user.clone();
    assert_eq!(user.apply(&second), Err(ApplyError::Stale));
    assert_eq!(user, before);
    // Decided again, it goes through.
    let again = decided(&user, 0, 2, Presence::InACall);
    assert_eq!(user.apply(&again), Ok(()));
    assert_eq!(user.presence(), Presence::InACall);
}

/// Two users at the same revision: another's transition, and what it says was before, does not follow.
#[test]
fn v2_what_does_not_follow_is_invalid() {
    let (mut one, mut other): (User<u8, 2>, User<u8, 2>) = (User::new(), User::new());
    one.apply(&decided(&one, 0, 1, Presence::Away)).unwrap();
    other.apply(&decided(&other, 0, 1, Presence::InACall)).unwrap();
    let before = one.clone();
    let others = [
        decided(&other, 1, 2, Presence::Presenting),
        clear_presence(other.at(at(1)).unwrap(), 1).unwrap(),
        next_due(&other, at(300), &Policy::GRAPH).unwrap(),
    ];
    for transition in others {
        assert_eq!(transition.revision(), one.revision());
        assert_eq!(one.apply(&transition), Err(ApplyError::Invalid));
        assert_eq!(one, before);
    }
}

/// A user in a call for an hour, whose second session is set to a presence for some minutes.
fn in_a_call(session: u8, presence: Presence, minutes: u64) -> Life<3> {
    let mut life = Life::new(Policy::GRAPH);
    life.now = at(0);
    for (session, presence, minutes) in [(3, Presence::Presenting, 60), (session, presence, minutes)] {
        let lease = Some(Duration::from_mins(minutes));
        life.command(Command::SetPresence { session, presence, lease }).unwrap();
    }
    life
}

/// A command decided at a moment by which something else is due was not decided about this user.
#[test]
fn s8_a_command_does_not_overtake_what_is_due() {
    let (mut one, mut other) = (in_a_call(1, Presence::Away, 5), in_a_call(1, Presence::Away, 60));
    for life in [&mut one, &mut other] {
        life.command(Command::SetPreferredPresence { presence: Presence::Busy, duration: None }).unwrap();
    }
    let commands = [
        Command::SetPresence { session: 2, presence: Presence::InACall, lease: None },
        Command::SetPresence { session: 3, presence: Presence::Away, lease: None },
        Command::ClearPresence { session: 3 },
        Command::SetPreferredPresence { presence: Presence::Away, duration: None },
        Command::ClearPreferredPresence,
    ];
    for (seconds, result) in [(299, Ok(())), (300, Err(ApplyError::Invalid))] {
        for command in commands {
            let late = decide(other.user.at(at(seconds)).unwrap(), command, &Policy::GRAPH).unwrap().unwrap();
            assert_eq!(one.user.clone().apply(&late), result, "{command:?} at {seconds} s");
        }
    }
}

/// Due transitions are applied in their order only: of two sessions that end together, the weaker first. Neither end shows
/// behind the third, so that nothing but the order is wrong.
#[test]
fn s8_time_is_applied_in_order() {
    let (mut one, mut other) = (in_a_call(1, Presence::InACall, 5), in_a_call(1, Presence::Away, 5));
    one.command(Command::SetPresence { session: 2, presence: Presence::Away, lease: None }).unwrap();
    other.command(Command::SetPresence { session: 2, presence: Presence::InACall, lease: None }).unwrap();
    let due = |life: &Life<3>| next_due(&life.user, at(300), &Policy::GRAPH).unwrap();
    assert!(matches!((due(&one).change(), due(&other).change()), (Change::Expired(2), Change::Expired(1))));
    assert_eq!(one.user.clone().apply(&due(&other)), Err(ApplyError::Invalid));
    assert_eq!(one.user.apply(&due(&one)), Ok(()));
}

/// Nothing happens before its time, or after it: a due transition has the moment of its deadline.
#[test]
fn s8_time_is_applied_at_its_own_instant() {
    for (presence, minutes) in [(Presence::Available, 60), (Presence::Away, 7)] {
        let (mut life, mut later) = (in_a_call(1, presence, minutes), Life::<3>::new(Policy::GRAPH));
        // The other clock is shifted by a second; this one by nothing, so that the revisions are the same.
        life.user.rebase(at(0), at(0)).unwrap();
        later.now = at(0);
        later.command(Command::SetPresence { session: 3, presence: Presence::Presenting, lease: None }).unwrap();
        later.user.rebase(at(0), at(1)).unwrap();
        later.now = at(1);
        let lease = Some(Duration::from_mins(minutes));
        later.command(Command::SetPresence { session: 1, presence, lease }).unwrap();
        let late = next_due(&later.user, at(1000), &Policy::GRAPH).unwrap();
        assert_eq!(late.revision(), life.user.revision());
        assert_eq!(life.user.clone().apply(&late), Err(ApplyError::Invalid));
    }
}

/// Applying needs no policy, and so does not know what one would reject: the policy itself checks that.
#[test]
fn p2_an_untrusted_transition_may_follow_another_policy() {
    let mut user: User<u8, 2> = User::new();
    let (presence, lease) = (Presence::Focusing, Duration::from_days(1000));
    let set = set_presence(user.at(at(5)).unwrap(), 1, presence, Some(lease), &model::ANYTHING).unwrap();
    let Change::Set(session) = set.change() else { panic!("{set:?}") };
    let asked = session.expires_at().saturating_duration_since(set.at());
    for (policy, result) in [
        (Policy::GRAPH, Err(SetPresenceError::Lease { allowed: Policy::GRAPH.leases })),
        (
            Policy { leases: model::ANYTHING.leases, ..Policy::GRAPH },
            Err(SetPresenceError::Presence { presence, allowed: Policy::GRAPH.sessions }),
        ),
        (model::ANYTHING, Ok(lease)),
    ] {
        assert_eq!(policy.check_session(session.presence(), Some(asked)), result);
    }
    assert_eq!(user.apply(&set), Ok(()));
}

#[test]
fn s9_a_full_user_takes_no_other_session() {
    let mut full: User<u8, 1> = User::new();
    let set = |user: &User<u8, 2>, session| decided(user, 0, session, Presence::Away);
    let mut roomy: User<u8, 2> = User::new();
    let first = set(&roomy, 1);
    roomy.apply(&first).unwrap();
    full.apply(&first).unwrap();
    for session in [0, 2] {
        let before = full.clone();
        assert_eq!(full.apply(&set(&roomy, session)), Err(ApplyError::Invalid));
        assert_eq!(full, before);
    }
    assert_eq!(full.apply(&set(&roomy, 1)), Ok(()));
}

#[test]
fn s9_a_directory_rejects_what_a_user_rejects() {
    let mut directory = InlineDirectory::<u8, u8, 2, 1>::with_policy(Policy::GRAPH);
    let set = |session| Command::SetPresence { session, presence: Presence::Away, lease: None };
    let first = directory.decide(at(0), 7, set(1)).unwrap().unwrap();
    let second = directory.decide(at(0), 7, set(2)).unwrap().unwrap();
    let other = directory.decide(at(0), 8, set(1)).unwrap().unwrap();
    assert!(directory.is_empty(), "deciding gives no user a slot");
    assert_eq!(directory.apply(7, &first), Ok(()));
    assert_eq!(directory.apply(7, &second), Err(ApplyError::Stale));
    assert_eq!(directory.apply(8, &other), Err(ApplyError::Full));
    assert_eq!((directory.len(), directory.get(7).unwrap().sessions().len()), (1, 1));
    assert!(directory.get(8).is_none());
}
