//! Whole random histories, over directories so small that everything collides, against the model: the same results, the
//! same transitions at the same instants in the same order, the same versions, explanations and deadlines.

use support::model;

use core::hash::{BuildHasher, BuildHasherDefault};
use model::both::{Both, SameHash};
use model::policies;
use model::random::{
    Step, actions, actions_beside, actions_under, any_lease, any_moment, clock, forwards, full_history, history,
};
use presence_core::directory::DefaultHasher;
use proptest::prelude::*;

/// Runs a history under every policy.
fn run<const USERS: usize, const SESSIONS: usize, H: BuildHasher + Clone>(steps: &[Step], hasher: H) {
    for (policy, rules) in policies() {
        let mut both: Both<USERS, SESSIONS, H> = Both::new(policy, rules, hasher.clone());
        for step in steps {
            both.step(step);
            both.assert_same();
        }
    }
}

/// Histories with one user more than there are slots and one session more than fits.
fn steps<const USERS: usize, const SESSIONS: usize>() -> impl Strategy<Value = Vec<Step>> {
    history(40, clock(), actions(USERS as u8 + 1, SESSIONS as u8 + 1))
}

proptest! {
    #![proptest_config(model::cases(256))]

    #[test]
    fn one_user_with_one_session(steps in steps::<1, 1>()) {
        run::<1, 1, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    #[test]
    fn one_user_with_many_sessions(steps in steps::<1, 4>()) {
        run::<1, 4, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    #[test]
    fn two_users(steps in steps::<2, 2>()) {
        run::<2, 2, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    #[test]
    fn three_users(steps in steps::<3, 3>()) {
        run::<3, 3, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    #[test]
    fn many_users_with_one_session(steps in steps::<7, 1>()) {
        run::<7, 1, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    #[test]
    fn no_room_at_all(steps in steps::<0, 1>()) {
        run::<0, 1, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    #[test]
    fn no_room_for_sessions(steps in steps::<2, 0>()) {
        run::<2, 0, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    /// Rules C1, C3: no instant and no duration makes anything wrap, or panic.
    #[test]
    fn any_instant_and_any_duration(steps in history(40, any_moment(), any_lease(3, 3))) {
        run::<2, 3, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    /// Rules P2, P4: applications under policies of their own, on the same users, with any other's sessions beside theirs.
    #[test]
    fn applications_under_policies_of_their_own(steps in history(40, clock(), actions_under(3, 4))) {
        run::<2, 3, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    /// A pinned user is not evicted, and changes that were recorded for it count.
    #[test]
    fn something_is_kept_elsewhere(steps in history(60, clock(), actions_beside(4, 2))) {
        run::<3, 1, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    /// The worst hash there is costs time, and nothing else.
    #[test]
    fn every_hash_the_same(steps in steps::<5, 2>()) {
        run::<5, 2, _>(&steps, SameHash);
    }
}

proptest! {
    #![proptest_config(model::cases(64))]

    /// As many sessions as a small device has room for, several of which fade, end and decide together.
    #[test]
    fn eight_sessions_and_one_more(steps in full_history(24, 2, 8)) {
        run::<2, 8, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    #[test]
    fn three_to_six_sessions_and_one_more((three, five) in (full_history(24, 2, 3), full_history(24, 2, 5))) {
        run::<2, 3, _>(&three, BuildHasherDefault::<DefaultHasher>::new());
        run::<2, 5, _>(&five, BuildHasherDefault::<DefaultHasher>::new());
    }
}

proptest! {
    #![proptest_config(model::cases(24))]

    /// And as many as the example server has.
    #[test]
    fn sixteen_sessions_and_one_more(steps in full_history(24, 2, 16)) {
        run::<2, 16, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    #[test]
    fn three_users_who_come_and_go(steps in history(120, forwards(), actions(5, 2))) {
        run::<3, 2, _>(&steps, BuildHasherDefault::<DefaultHasher>::new());
    }

    /// A crowd: an overflow table and timers that are deep enough to go wrong, with slots for all but a few.
    #[test]
    fn a_crowd(steps in history(400, forwards(), actions(70, 2)), policy in 0usize..policies().len()) {
        let (policy, rules) = policies()[policy].clone();
        let mut both: Both<64, 1, _> = Both::new(policy, rules, BuildHasherDefault::<DefaultHasher>::new());
        for (number, step) in steps.iter().enumerate() {
            both.step(step);
            // Everyone is compared now and then; everything that happens, at every step.
            if number % 50 == 0 {
                both.assert_same();
            }
        }
        both.assert_same();
    }

    /// A crowd whose buckets are all the same, in a number of slots that makes no whole buckets, while the clock jumps to and
    /// fro, further than the calendar reaches.
    #[test]
    fn a_crowd_under_one_hash_and_a_clock_that_jumps(steps in history(300, clock(), actions(40, 2))) {
        let (policy, rules) = policies()[0].clone();
        let mut both: Both<37, 1, _> = Both::new(policy, rules, SameHash);
        for (number, step) in steps.iter().enumerate() {
            both.step(step);
            if number % 50 == 0 {
                both.assert_same();
            }
        }
        both.assert_same();
    }
}
