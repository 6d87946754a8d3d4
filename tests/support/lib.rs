//! Shared by the tests and the fuzz targets: the model, a second opinion on every rule; and scenarios, played by a lone user
//! and by one of a directory.

pub mod model;
pub mod scenario;

use core::hash::{BuildHasher, Hash};
use presence_core::directory::{Directory, Memory, Progress};
use presence_core::{Instant, Policy, Transition, User, next_due};

/// Advances a directory until it is idle, hands every transition to `on_change`, and returns the next deadline.
///
/// A directory that never becomes idle fails the test at once, instead of running out of time.
pub fn advance_until_idle<U, S, M, H, const SESSIONS: usize>(
    directory: &mut Directory<U, S, M, H, SESSIONS>,
    now: Instant,
    mut on_change: impl FnMut(U, Transition<S>),
) -> Option<Instant>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    for _ in 0..100_000 {
        match directory.advance(now) {
            Progress::Changed { user, transition } => on_change(user, transition),
            Progress::Working => {}
            Progress::Idle { until } => return until,
        }
    }
    panic!("the directory never becomes idle");
}

/// Applies all that is due of a user, and returns it; fails the test if there is no end to it.
pub fn apply_due<S: Copy + Ord, const SESSIONS: usize>(
    user: &mut User<S, SESSIONS>,
    now: Instant,
    policy: &Policy,
) -> Vec<Transition<S>> {
    let mut happened = Vec::new();
    while let Some(due) = next_due(user, now, policy) {
        user.apply(&due).expect("what is due");
        happened.push(due);
        // A session fades six times at most, and ends.
        assert!(happened.len() <= 7 * SESSIONS + 1, "there is no end to what is due");
    }
    happened
}
