//! Reading the records of a journal: the library's snapshots.
//!
//! A snapshot holds what remained of each deadline at the unshifted instant of its row, and no instants. So what remains now
//! is exact, whatever shifts of the clock there were since.

use super::details::UserDetails;
use crate::clock::Time;
use presence_core::details::next_due_details;
use presence_core::snapshot::{self, RestoreError};
use presence_core::{Duration, Instant, Policy, SessionId, User, next_due};

/// A user as its record holds it.
pub type StoredUser<const SESSIONS: usize> = User<SessionId, SESSIONS>;

/// Reads a user's record, taken at an unshifted instant, on a clock that now shows this time.
///
/// # Errors
///
/// That of the snapshot.
pub fn read_user<const SESSIONS: usize>(
    bytes: &[u8],
    taken_at: Instant,
    time: Time,
    policy: &Policy,
) -> Result<StoredUser<SESSIONS>, RestoreError> {
    let (now, unshifted, elapsed) = since(taken_at, time);
    match snapshot::restore(bytes, now, elapsed) {
        Err(RestoreError::BeforeEpoch) => {
            // After a shift by decades, a deadline that has passed may have been before 1970.
            let mut user: StoredUser<SESSIONS> = snapshot::restore(bytes, unshifted, elapsed)?;
            while next_due(&user, unshifted, policy).is_some_and(|due| user.apply(&due).is_ok()) {}
            user.rebase(unshifted, now).map_err(|_| RestoreError::BeforeEpoch)?;
            Ok(user)
        }
        restored => restored,
    }
}

/// Reads a record of details, likewise.
///
/// # Errors
///
/// That of the snapshot.
pub fn read_details(bytes: &[u8], taken_at: Instant, time: Time) -> Result<UserDetails, RestoreError> {
    let (now, unshifted, elapsed) = since(taken_at, time);
    match snapshot::restore_details(bytes, now, elapsed) {
        Err(RestoreError::BeforeEpoch) => {
            let mut details: UserDetails = snapshot::restore_details(bytes, unshifted, elapsed)?;
            while next_due_details(&details, unshifted).is_some_and(|due| details.apply(&due).is_ok()) {}
            details.rebase(unshifted, now).map_err(|_| RestoreError::BeforeEpoch)?;
            Ok(details)
        }
        restored => restored,
    }
}

/// Returns the current instant, the same unshifted, and the time since a record was taken.
fn since(taken_at: Instant, time: Time) -> (Instant, Instant, Option<Duration>) {
    (time.now, time.unshifted(), Some(time.unshifted().saturating_duration_since(taken_at)))
}
