//! The difference between two users without revision, version and since: those only grow, and no rule asks
//! more of them than how they grow, which is checked at every step.

use presence_core::snapshot::{self, StoredId};
use presence_core::{Instant, User};

/// A user's stored form at a moment, without those three. Times are distances in it, so that a state is the same whenever it
/// is reached. It holds everything else, so that nothing hidden is overlooked: equal snapshots are equal users.
pub fn without_counters<S: StoredId + Copy + Ord, const SESSIONS: usize>(
    user: &User<S, SESSIONS>,
    now: Instant,
) -> Option<Vec<u8>> {
    const ABSENCE: u8 = 0b11;
    const SINCE: u8 = 0b1100;
    let mut buffer = [0; 256];
    let bytes = snapshot::save(user.at(now).ok()?, &mut buffer).ok()?;
    let (header, rest) = bytes.split_first_chunk::<3>()?;
    let (rest, _checksum) = rest.split_last_chunk::<4>()?;
    let [form, id_length, flags] = *header;
    let numbers = if flags & SINCE == 0 { 2 } else { 3 };
    let rest = (0..numbers).fold(rest, |rest, _| after_number(rest));
    // How an earlier session ended matters only while there is none (rule A5): the next to go overwrites it.
    let dead = if user.sessions().is_empty() { SINCE } else { SINCE | ABSENCE };
    let mut stored = Vec::with_capacity(3 + rest.len());
    stored.extend([form, id_length, flags & !dead]);
    stored.extend(rest);
    Some(stored)
}

/// What comes after a number in base 128.
fn after_number(bytes: &[u8]) -> &[u8] {
    let last = bytes.iter().position(|byte| byte & 0x80 == 0).expect("a number ends");
    &bytes[last + 1..]
}
