//! One user of four sessions and its stored form.

use crate::machine::DeviceUser;
use core::hint::black_box;
use presence_core::{Duration, Instant, SessionId, snapshot};

pub(crate) type StoredUser = DeviceUser<SessionId>;

#[inline(never)]
pub(crate) fn probe_save(user: &StoredUser, now: Instant, buffer: &mut [u8]) -> usize {
    let Ok(at) = user.at(now) else { return 0 };
    snapshot::save(at, buffer).map_or(0, |stored| stored.len())
}

#[inline(never)]
pub(crate) fn probe_restore(bytes: &[u8], now: Instant, elapsed: Option<Duration>, user: &mut StoredUser) -> bool {
    match snapshot::restore(bytes, now, elapsed) {
        Ok(restored) => {
            *user = restored;
            true
        }
        Err(_) => false,
    }
}

#[inline(never)]
pub(crate) fn probe_rebase(user: &mut StoredUser, from: Instant, to: Instant) -> bool {
    user.rebase(from, to).is_ok()
}

type Probes = (
    fn(&StoredUser, Instant, &mut [u8]) -> usize,
    fn(&[u8], Instant, Option<Duration>, &mut StoredUser) -> bool,
    fn(&mut StoredUser, Instant, Instant) -> bool,
);

/// Links every probe: the compiler cannot tell whether any is called, nor with which arguments.
#[inline(always)]
pub fn drive() -> bool {
    let probes: &Probes = &(probe_save, probe_restore, probe_rebase);
    black_box(probes);
    true
}
