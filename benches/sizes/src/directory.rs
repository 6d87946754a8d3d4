//! A directory of eight users with four sessions each.

use core::hint::black_box;
use presence_core::directory::{DefaultHasher, Directory, InlineMemory, Progress};
use presence_core::{Command, Instant, Presence, SessionId, UserId};

pub(crate) const USERS: usize = 8;

pub(crate) type Household = Directory<UserId, SessionId, 4, InlineMemory<UserId, SessionId, 4, USERS>, DefaultHasher>;

#[inline(never)]
pub(crate) fn probe_execute(users: &mut Household, now: Instant, user: UserId, command: &Command<SessionId>) -> bool {
    users
        .execute(now, user, *command, |user, transition| {
            black_box((user, transition));
        })
        .is_ok()
}

/// What is left to do: nothing, or something else.
#[inline(never)]
pub(crate) fn probe_advance(users: &mut Household, now: Instant) -> bool {
    let progress = users.advance(now);
    black_box(&progress);
    !matches!(progress, Progress::Idle { .. })
}

#[inline(never)]
pub(crate) fn probe_next_deadline(users: &Household) -> u64 {
    users.next_deadline().map_or(0, Instant::as_millis)
}

#[inline(never)]
pub(crate) fn probe_presence(users: &Household, now: Instant, user: UserId) -> Presence {
    users.presence(now, user)
}

#[inline(never)]
pub(crate) fn probe_version(users: &Household, now: Instant, user: UserId) -> u64 {
    users.version(now, user)
}

type Probes = (
    fn(&mut Household, Instant, UserId, &Command<SessionId>) -> bool,
    fn(&mut Household, Instant) -> bool,
    fn(&Household) -> u64,
    fn(&Household, Instant, UserId) -> Presence,
    fn(&Household, Instant, UserId) -> u64,
);

/// Keeps every probe, for nobody can tell whether it is called, nor with what.
#[inline(always)]
pub fn drive() -> bool {
    let probes: &Probes = &(probe_execute, probe_advance, probe_next_deadline, probe_presence, probe_version);
    black_box(probes);
    true
}
