//! Writing a snapshot of a user.

use super::bytes::Writer;
use super::version::FORMAT_VERSION;
use super::{PREFERRED, SINCE_AFTER, SINCE_BEFORE, StoredId, id_len};
use crate::buffer::BufferFull;
use crate::time::Instant;
use crate::user::{Absence, UserAt};

/// Writes a snapshot of a user to the beginning of the buffer, and returns the bytes written.
///
/// Nothing of a [`UserAt`] is overdue, so every deadline in a snapshot lies after the moment at which it was saved.
/// O(`SESSIONS`).
///
/// # Errors
///
/// [`BufferFull`] if the snapshot does not fit; [`max_len`](super::max_len) bytes are always enough.
pub fn save<'b, S: StoredId + Copy, const SESSIONS: usize>(
    user: UserAt<'_, S, SESSIONS>,
    buffer: &'b mut [u8],
) -> Result<&'b [u8], BufferFull> {
    let (user, now) = (user.user(), user.now());
    let mut writer = Writer::new(buffer);
    let (since_flag, since) = match user.since() {
        None => (0, None),
        Some(since) if since <= now => (SINCE_BEFORE, Some(now.saturating_duration_since(since))),
        // The clock was set back since (rule C1).
        Some(since) => (SINCE_AFTER, Some(since.saturating_duration_since(now))),
    };
    let preferred = user.preferred();
    let preferred_flag = if preferred.is_some() { PREFERRED } else { 0 };
    writer.bytes(&[FORMAT_VERSION, id_len::<S>(), absence_bits(user.latest_absence()) | since_flag | preferred_flag]);
    writer.number(user.revision());
    writer.number(user.version());
    if let Some(since) = since {
        writer.number(since.as_millis());
    }
    if let Some(preferred) = preferred {
        writer.byte(preferred.presence().as_byte());
        writer.number(remaining(preferred.expires_at(), now));
    }
    writer.number(user.sessions().len() as u64);
    for session in user.sessions() {
        writer.bytes(session.id.to_stored().as_ref());
        writer.bytes(&[session.presence.as_byte(), session.faded]);
        writer.number(remaining(session.expires_at, now));
        writer.number(remaining(session.fades_at, now));
    }
    writer.finish()
}

/// Returns the milliseconds until a deadline that is not due, or 0 if it never comes.
pub(super) fn remaining(deadline: Instant, now: Instant) -> u64 {
    if deadline == Instant::NEVER { 0 } else { deadline.saturating_duration_since(now).as_millis() }
}

const fn absence_bits(absence: Absence) -> u8 {
    match absence {
        Absence::NeverSeen => 0,
        Absence::Cleared => 1,
        Absence::Expired => 2,
        Absence::Lost => 3,
    }
}
