//! A directory of eight users with four sessions each.

use core::hint::black_box;
use presence_core::directory::{InlineDirectory, Progress};
use presence_core::{Command, Instant, Presence, SessionId, UserId};

pub(crate) const USERS: usize = 8;

pub(crate) type Users = InlineDirectory<UserId, SessionId, 4, USERS>;

#[inline(never)]
pub(crate) fn probe_execute(users: &mut Users, now: Instant, user: UserId, command: &Command<SessionId>) -> bool {
    users
        .execute(now, user, *command, |user, transition| {
            black_box((user, transition));
        })
        .is_ok()
}

/// Advances by one step, and reports whether anything is left to do.
#[inline(never)]
pub(crate) fn probe_advance(users: &mut Users, now: Instant) -> bool {
    let progress = users.advance(now);
    black_box(&progress);
    !matches!(progress, Progress::Idle { .. })
}

#[inline(never)]
pub(crate) fn probe_next_deadline(users: &Users) -> u64 {
    users.next_deadline().map_or(0, Instant::as_millis)
}

#[inline(never)]
pub(crate) fn probe_presence(users: &Users, now: Instant, user: UserId) -> Presence {
    users.presence(now, user)
}

#[inline(never)]
pub(crate) fn probe_version(users: &Users, now: Instant, user: UserId) -> u64 {
    users.version(now, user)
}

type Probes = (
    fn(&mut Users, Instant, UserId, &Command<SessionId>) -> bool,
    fn(&mut Users, Instant) -> bool,
    fn(&Users) -> u64,
    fn(&Users, Instant, UserId) -> Presence,
    fn(&Users, Instant, UserId) -> u64,
);

/// Links every probe: the compiler cannot tell whether any is called, nor with which arguments.
#[inline(always)]
pub fn drive() -> bool {
    let probes: &Probes = &(probe_execute, probe_advance, probe_next_deadline, probe_presence, probe_version);
    black_box(probes);
    true
}
