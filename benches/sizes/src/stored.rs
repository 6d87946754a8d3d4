//! One user of four sessions and its stored form.

use crate::machine::Person;
use core::hint::black_box;
use presence_core::{Duration, Instant, SessionId, snapshot};

pub(crate) type UserRef = Person<SessionId>;

#[inline(never)]
pub(crate) fn probe_take(user: &UserRef, now: Instant, buffer: &mut [u8]) -> usize {
    let Ok(at) = user.at(now) else { return 0 };
    snapshot::save(at, buffer).map_or(0, |stored| stored.len())
}

#[inline(never)]
pub(crate) fn probe_restore(bytes: &[u8], now: Instant, elapsed: Option<Duration>, user: &mut UserRef) -> bool {
    match snapshot::restore(bytes, now, elapsed) {
        Ok(restored) => {
            *user = restored;
            true
        }
        Err(_) => false,
    }
}

#[inline(never)]
pub(crate) fn probe_rebase(user: &mut UserRef, from: Instant, to: Instant) -> bool {
    user.rebase(from, to).is_ok()
}

type Probes = (
    fn(&UserRef, Instant, &mut [u8]) -> usize,
    fn(&[u8], Instant, Option<Duration>, &mut UserRef) -> bool,
    fn(&mut UserRef, Instant, Instant) -> bool,
);

/// Keeps every probe, for nobody can tell whether it is called, nor with what.
#[inline(always)]
pub fn drive() -> bool {
    let probes: &Probes = &(probe_take, probe_restore, probe_rebase);
    black_box(probes);
    true
}
