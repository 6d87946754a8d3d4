//! From a user to bytes.

use super::bytes::Writer;
use super::{FORM, PREFERRED, SINCE_AFTER, SINCE_BEFORE, StoredId, id_len};
use crate::buffer::BufferFull;
use crate::time::Instant;
use crate::user::{Absence, UserAt};

/// Writes a user at a moment to the beginning of the buffer, and returns what it wrote. At that moment nothing is overdue,
/// so everything stored is still to come (rule S8). O(`SESSIONS`).
///
/// # Errors
///
/// [`BufferFull`] if it does not fit; never in [`max_len`](super::max_len) bytes.
pub fn save<'b, S: StoredId + Copy, const SESSIONS: usize>(
    user: UserAt<'_, S, SESSIONS>,
    buffer: &'b mut [u8],
) -> Result<&'b [u8], BufferFull> {
    let (user, now) = (user.user(), user.now());
    let mut writer = Writer::new(buffer);
    let (since_flag, since) = match user.since() {
        None => (0, None),
        Some(since) if since <= now => (SINCE_BEFORE, Some(now.saturating_duration_since(since))),
        // The clock was set back, which changes nothing else (rule C1).
        Some(since) => (SINCE_AFTER, Some(since.saturating_duration_since(now))),
    };
    let preferred = user.preferred();
    let preferred_flag = if preferred.is_some() { PREFERRED } else { 0 };
    writer.bytes(&[FORM, id_len::<S>(), absence_bits(user.latest_absence()) | since_flag | preferred_flag]);
    writer.number(user.revision());
    writer.number(user.version());
    if let Some(since) = since {
        writer.number(since.as_millis());
    }
    if let Some(preferred) = preferred {
        writer.byte(preferred.presence().as_byte());
        writer.number(left(preferred.expires_at(), now));
    }
    writer.number(user.sessions().len() as u64);
    for session in user.sessions() {
        writer.bytes(session.id.to_stored().as_ref());
        writer.bytes(&[session.presence.as_byte(), session.faded]);
        writer.number(left(session.expires_at, now));
        writer.number(left(session.fades_at, now));
    }
    writer.seal();
    writer.written()
}

/// What is left until a deadline, which is not due; 0 for one that never comes.
pub(super) fn left(deadline: Instant, now: Instant) -> u64 {
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
