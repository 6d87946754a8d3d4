//! Loads journals as a start does, without serving them.

use super::creators::Quota;
use super::restore::LoadError;
use super::state::State;
use super::user_limit::UserLimit;
use super::{load, stored_clock, users};
use crate::clock::Time;
use crate::data::spread::Spread;
use crate::journal::Journal;
use presence_core::UserId;
use presence_core::snapshot::RestoreError;
use std::sync::Arc;

/// Loads all journals as a start does, and serves nothing. Returns the number of users of whom something was stored.
pub(crate) fn verify(journals: &[Box<dyn Journal>], spread: Spread) -> Result<usize, LoadError> {
    let stored = stored_clock(&journals.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
    let time = Time { now: stored.virtual_now.unwrap_or_default().max(stored.newest), shift: stored.shift };
    let mut users = 0;
    for (shard, journal) in journals.iter().enumerate() {
        let belongs = |user| spread.of(user) == shard;
        users += match verify_sized::<8>(&**journal, belongs, time) {
            Err(LoadError::Record(_, RestoreError::Full)) => {
                verify_sized::<{ users::MAX_SESSIONS }>(&**journal, belongs, time)
            }
            outcome => outcome,
        }?;
    }
    Ok(users)
}

fn verify_sized<const SESSIONS: usize>(
    journal: &dyn Journal,
    belongs: impl Fn(UserId) -> bool,
    time: Time,
) -> Result<usize, LoadError> {
    // The directory gets as many slots as it needs.
    let (limit, quota) = (Arc::new(UserLimit::new(1)), Arc::new(Quota::new(usize::MAX)));
    let (state, _) = load(journal, State::<SESSIONS>::new(1, limit, quota), belongs, time)?;
    Ok(state.stored_users())
}
