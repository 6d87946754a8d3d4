//! Restoring a user from a snapshot.

use super::bytes::Reader;
use super::{ABSENCE, PREFERRED, RestoreError, SINCE_AFTER, SINCE_BEFORE, StoredId, VERSION_GAP};
use super::{id_len, read_format_version};
use crate::presence::Presence;
use crate::time::{Duration, Instant};
use crate::user::{Absence, Preferred, Session, Untrusted, User};

/// Restores a user from a snapshot, on a clock that now reads `now`.
///
/// `elapsed` is the time since the snapshot was saved. If it is known, the user is exactly the one that was saved: with its
/// revision and version, and with the same time left of each deadline. Deadlines that have passed are overdue:
/// [`next_due`] returns them one by one, each at its own time, as if the power had never been off. Transitions decided
/// before still apply, so an application that keeps transitions in a journal must keep the clock as well.
///
/// If `elapsed` is `None`, the length of the gap is unknown, and so is whether the user is still there:
///
/// - Sessions are leases, and any of them may have run out: they are dropped, and the user's absence
///   is [`Absence::Lost`]. An application that still runs soon renews its session. A user without sessions keeps the
///   absence of the snapshot.
/// - The preferred presence is the user's own choice, which no application repeats: it is kept, with the time that remained.
///   It has no effect without a session (rule [A1](crate::rules#a1)), so the user does not seem to be there; dropping
///   “appear offline”, on the other hand, would show a user who does not want to be seen. At worst it ends late, by the
///   length of the gap.
/// - Revision and version grow by 65,536, so that no old transition applies and no old version is used again, even
///   if something happened after the snapshot.
/// - [`User::since`] is `now` if the published presence changed, and otherwise what the snapshot says.
///
/// O(`SESSIONS`), and O(bytes) for the checksum.
///
/// [`next_due`]: crate::next_due
///
/// # Errors
///
/// [`RestoreError`] says why the bytes were rejected. [`RestoreError::BeforeEpoch`] means that a deadline fell before instant
/// 0 of the new clock. Then restore with `now` and `elapsed` both set to the time elapsed, apply what is due, and
/// [`rebase`](User::rebase) the user to the new clock:
///
/// ```
/// use presence_core::snapshot::{self, RestoreError};
/// use presence_core::{Duration, Instant, Policy, Presence, User, next_due, set_presence};
///
/// let mut user: User<u8, 1> = User::new();
/// let lease = Some(Duration::from_hours(1));
/// let set = set_presence(user.at(Instant::ZERO)?, 1, Presence::Available, lease, &Policy::GRAPH)?;
/// user.apply(&set)?;
/// let mut buffer = [0; snapshot::max_len::<u8, 1>()];
/// let stored = snapshot::save(user.at(Instant::ZERO)?, &mut buffer)?;
///
/// // Seven minutes without power. The new clock starts at zero, two minutes after the first fade.
/// let elapsed = Duration::from_mins(7);
/// let too_early = snapshot::restore::<u8, 1>(stored, Instant::ZERO, Some(elapsed));
/// assert_eq!(too_early, Err(RestoreError::BeforeEpoch));
///
/// let now = Instant::ZERO.saturating_add(elapsed);
/// let mut user: User<u8, 1> = snapshot::restore(stored, now, Some(elapsed))?;
/// while let Some(due) = next_due(&user, now, &Policy::GRAPH) {
///     user.apply(&due)?;
/// }
/// user.rebase(now, Instant::ZERO)?;
/// assert_eq!(user.presence(), Presence::AvailableInactive);
/// assert_eq!(user.next_deadline(), Some(Instant::from_secs(180))); // ten minutes after it was set: the second fade
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn restore<S: StoredId + Copy + Ord, const SESSIONS: usize>(
    bytes: &[u8],
    now: Instant,
    elapsed: Option<Duration>,
) -> Result<User<S, SESSIONS>, RestoreError> {
    let mut reader = Reader::verify(bytes)?;
    read_format_version(&mut reader);
    let clock = Clock { now, elapsed: elapsed.unwrap_or(Duration::ZERO) };
    let mut user = read_user(&mut reader, clock);
    reader.finish()?;
    let checked = user.check()?;
    if elapsed.is_none() {
        user.lose_sessions(now, VERSION_GAP);
    }
    Ok(user.into_user(checked))
}

fn read_user<S: StoredId, const SESSIONS: usize>(reader: &mut Reader<'_>, clock: Clock) -> Untrusted<S, SESSIONS> {
    if reader.byte() != id_len::<S>() {
        reader.fail(RestoreError::IdLength);
    }
    let flags = reader.byte();
    if flags & !(ABSENCE | SINCE_BEFORE | SINCE_AFTER | PREFERRED) != 0 {
        reader.fail(RestoreError::Flags);
    }
    let absence = match flags & ABSENCE {
        0 => Absence::NeverSeen,
        1 => Absence::Cleared,
        2 => Absence::Expired,
        _ => Absence::Lost,
    };
    let revision = reader.number();
    let version = reader.number();
    let mut user = Untrusted::new(revision, version, read_since(reader, flags, clock), absence);
    if flags & PREFERRED != 0 {
        user.prefer(Some(Preferred { presence: read_presence(reader), expires_at: read_deadline(reader, clock) }));
    }
    let mut count = reader.number();
    if count > SESSIONS as u64 {
        reader.fail(RestoreError::Full);
        count = 0;
    }
    for _ in 0..count {
        let bytes = reader.bytes(id_len::<S>().into());
        let Some(id) = S::Bytes::try_from(bytes).ok().and_then(S::from_stored) else {
            reader.fail(RestoreError::SessionIds);
            break;
        };
        let (presence, faded) = (read_presence(reader), reader.byte());
        let (expires_at, until_fade) = (read_deadline(reader, clock), reader.number());
        // Checked before the conversion to the clock: on a clock near its end a fade saturates to never (rule C3).
        if until_fade != 0 && faded == 0 && presence != Presence::Available {
            reader.fail(RestoreError::Fades);
        }
        user.push(Session { id, presence, faded, expires_at, fades_at: deadline_in(until_fade, reader, clock) });
    }
    user
}

fn read_presence(reader: &mut Reader<'_>) -> Presence {
    Presence::from_byte(reader.byte()).unwrap_or_else(|| {
        reader.fail(RestoreError::Presence);
        Presence::Unknown
    })
}

pub(super) fn read_deadline(reader: &mut Reader<'_>, clock: Clock) -> Instant {
    deadline_in(reader.number(), reader, clock)
}

/// Returns the deadline so many milliseconds after the snapshot was saved, or never for 0.
fn deadline_in(remaining: u64, reader: &mut Reader<'_>, clock: Clock) -> Instant {
    match remaining {
        0 => Instant::NEVER,
        remaining => clock.future(remaining).unwrap_or_else(|| {
            reader.fail(RestoreError::BeforeEpoch);
            Instant::NEVER
        }),
    }
}

fn read_since(reader: &mut Reader<'_>, flags: u8, clock: Clock) -> Instant {
    match flags & (SINCE_BEFORE | SINCE_AFTER) {
        0 => Instant::NEVER,
        SINCE_BEFORE => clock.past(reader.number()),
        both_or_after => {
            let ahead = reader.number();
            // Zero after the moment would be a second encoding of zero before it.
            if ahead == 0 || both_or_after != SINCE_AFTER {
                reader.fail(RestoreError::Flags);
            }
            clock.future(ahead).unwrap_or(Instant::ZERO)
        }
    }
}

/// The present clock, and the time since the snapshot was saved.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) now: Instant,
    pub(super) elapsed: Duration,
}

impl Clock {
    /// Returns the instant so many milliseconds after the snapshot was saved, or `None` if it lies before the epoch.
    /// It saturates (rule C3).
    pub(super) fn future(self, remaining: u64) -> Option<Instant> {
        match remaining.checked_sub(self.elapsed.as_millis()) {
            Some(remaining) => Some(self.now.saturating_add(Duration::from_millis(remaining))),
            None => {
                let ago = self.elapsed.as_millis().saturating_sub(remaining);
                self.now.as_millis().checked_sub(ago).map(Instant::from_millis)
            }
        }
    }

    /// Returns the instant so many milliseconds before the snapshot was saved, or the epoch if that is later.
    pub(super) const fn past(self, ago: u64) -> Instant {
        self.now.saturating_sub(self.elapsed).saturating_sub(Duration::from_millis(ago))
    }
}
