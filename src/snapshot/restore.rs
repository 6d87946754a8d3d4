//! From bytes to a user.

use super::bytes::Reader;
use super::{ABSENCE, FORM, Field, PREFERRED, RestoreError, SINCE_AFTER, SINCE_BEFORE, StoredId, VERSION_GAP, id_len};
use crate::presence::Presence;
use crate::time::{Duration, Instant};
use crate::user::{Absence, Preferred, Session, Untrusted, User};

/// Reads a user back, at `now` on whatever clock there is now. Nothing is believed before the whole of it is checked.
/// O(`SESSIONS`), and O(bytes) for the checksum.
///
/// If it is known how much time has `elapsed` since the snapshot was taken, the user is exactly what it was, on the new
/// clock: revision and version, and each deadline when it always was. Those that have passed are overdue: [`next_due`] hands
/// them out with their own times, as if the power had never gone (rules S8, M4). A transition stays applicable to it as it
/// was, so whoever keeps transitions, in a journal, keeps the clock as well.
///
/// If nobody knows that, what is not known is not shown:
///
/// - Sessions are leases, and any of them may have run out: they are lost (rule A5, [`Absence::Lost`]). An application that
///   is still there renews its session before long. How the last session of a user without any ended is still true.
/// - What is preferred is the user's own word, which no one will repeat: it is kept, with what was left of it. It shows
///   nothing without a session (rule A1), so nobody appears to be there for it; and to forget “appear offline” would show
///   someone who did not want to be seen. At worst it ends late, by the length of the gap.
/// - Revision and version grow by [`VERSION_GAP`], so that neither an old transition nor an old version gets a second meaning (rules
///   V1, V2), even if something happened after the snapshot.
/// - If the loss changed what is published, that is so since `now`; if not, for at least as long as the snapshot says.
///
/// [`next_due`]: crate::next_due
///
/// # Errors
///
/// [`RestoreError`], which says what is wrong. [`RestoreError::BeforeEpoch`] if something fell due before the instant 0 of the
/// new clock; then restore with `now` and `elapsed` both the time elapsed, [`next_due`], and
/// [`rebase`](User::rebase) to the new clock:
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
/// // Seven minutes without power. The new clock began when it came back: the first fade was two minutes before.
/// let elapsed = Duration::from_mins(7);
/// let refused = snapshot::restore::<u8, 1>(stored, Instant::ZERO, Some(elapsed));
/// assert_eq!(refused, Err(RestoreError::BeforeEpoch));
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
    let mut reader = Reader::unsealed(bytes)?;
    match reader.byte() {
        FORM => {}
        // Memory that is all zeros or all ones is no form, whatever its checksum.
        0 | u8::MAX => reader.refuse(RestoreError::Invalid(Field::Form)),
        newer => reader.refuse(RestoreError::NewerForm(newer)),
    }
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
        reader.refuse(RestoreError::Invalid(Field::IdLength));
    }
    let flags = reader.byte();
    if flags & !(ABSENCE | SINCE_BEFORE | SINCE_AFTER | PREFERRED) != 0 {
        reader.refuse(RestoreError::Invalid(Field::Flags));
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
        reader.refuse(RestoreError::Full);
        count = 0;
    }
    for _ in 0..count {
        let bytes = reader.bytes(id_len::<S>().into());
        let Some(id) = S::Bytes::try_from(bytes).ok().and_then(S::from_stored) else {
            reader.refuse(RestoreError::Invalid(Field::SessionIds));
            break;
        };
        let (presence, faded) = (read_presence(reader), reader.byte());
        let (expires_at, until_fade) = (read_deadline(reader, clock), reader.number());
        // Before the clock is asked, for on a late one a fade never comes (rule C3).
        if until_fade != 0 && faded == 0 && presence != Presence::Available {
            reader.refuse(RestoreError::Invalid(Field::Fades));
        }
        user.push(Session { id, presence, faded, expires_at, fades_at: deadline_in(until_fade, reader, clock) });
    }
    user
}

fn read_presence(reader: &mut Reader<'_>) -> Presence {
    Presence::from_byte(reader.byte()).unwrap_or_else(|| {
        reader.refuse(RestoreError::Invalid(Field::Presence));
        Presence::Unknown
    })
}

pub(super) fn read_deadline(reader: &mut Reader<'_>, clock: Clock) -> Instant {
    deadline_in(reader.number(), reader, clock)
}

/// The deadline so many milliseconds after the snapshot was taken; never in 0.
fn deadline_in(left: u64, reader: &mut Reader<'_>, clock: Clock) -> Instant {
    match left {
        0 => Instant::NEVER,
        left => clock.future(left).unwrap_or_else(|| {
            reader.refuse(RestoreError::BeforeEpoch);
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
            // After the moment, by nothing, would be a second form of before.
            if ahead == 0 || both_or_after != SINCE_AFTER {
                reader.refuse(RestoreError::Invalid(Field::Flags));
            }
            clock.future(ahead).unwrap_or(Instant::ZERO)
        }
    }
}

/// The clock of today, and how long ago on it the snapshot was taken.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) now: Instant,
    pub(super) elapsed: Duration,
}

impl Clock {
    /// The instant so many milliseconds after the snapshot was taken; `None` before the epoch. It saturates (rule C3).
    pub(super) fn future(self, left: u64) -> Option<Instant> {
        match left.checked_sub(self.elapsed.as_millis()) {
            Some(left) => Some(self.now.saturating_add(Duration::from_millis(left))),
            None => {
                let ago = self.elapsed.as_millis().saturating_sub(left);
                self.now.as_millis().checked_sub(ago).map(Instant::from_millis)
            }
        }
    }

    /// The instant so many milliseconds before that, or the epoch: as early as can be said.
    pub(super) const fn past(self, ago: u64) -> Instant {
        self.now.saturating_sub(self.elapsed).saturating_sub(Duration::from_millis(ago))
    }
}
