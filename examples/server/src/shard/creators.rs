//! Creators: the application that each user counts for, and how many users count for an application.
//!
//! A user counts for the application that stored something of it when nothing was stored: a session, a preferred presence or
//! details. It does so until nothing is stored any more, whoever has changed it meanwhile; then its slot may be reused. So
//! ids that an application makes up cannot fill the server. Users of callers without a limit count for nobody.
//!
//! The creator is part of the user's record in the journal. Users whose record names none count for nobody.

use presence_core::{SessionId, UserId};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The number of users that count for each application, in all shards.
#[derive(Debug)]
pub struct Quota {
    limit: usize,
    counts: Mutex<HashMap<SessionId, usize>>,
}

impl Quota {
    /// Creates a quota of `limit` users for each application.
    pub fn new(limit: usize) -> Self {
        Self { limit, counts: Mutex::default() }
    }

    /// Counts one more user for an application, unless the application is at the limit. Reports whether it was counted.
    fn try_add(&self, application: SessionId) -> bool {
        let mut counts = self.counts();
        let count = counts.get(&application).copied().unwrap_or(0);
        if count < self.limit {
            counts.insert(application, count + 1);
        }
        count < self.limit
    }

    /// Counts one more user for an application, whatever the limit.
    fn add(&self, application: SessionId) {
        *self.counts().entry(application).or_default() += 1;
    }

    fn remove(&self, application: SessionId) {
        if let Entry::Occupied(mut count) = self.counts().entry(application) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<SessionId, usize>> {
        // Each change is a single step, so a panic leaves none half done.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of an application that would store something of more users than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApplicationFullError;

/// The creators of a shard's users.
#[derive(Debug)]
pub struct Creators {
    of: HashMap<UserId, SessionId>,
    /// Those before the state was replaced, until it is loaded. They still count, so that nobody takes their places.
    earlier: HashMap<UserId, SessionId>,
    quota: Arc<Quota>,
}

impl Creators {
    /// Creates an empty map that counts in this quota.
    pub fn new(quota: Arc<Quota>) -> Self {
        Self { of: HashMap::new(), earlier: HashMap::new(), quota }
    }

    /// Empties the map. Its users count until [`end_restoring`](Self::end_restoring).
    pub fn begin_restoring(&mut self) {
        self.earlier.extend(self.of.drain());
    }

    /// Returns the application that a user counts for.
    pub fn get(&self, user: UserId) -> Option<SessionId> {
        self.of.get(&user).copied()
    }

    /// Reserves a user for an application, before anything of the user is stored.
    ///
    /// The reservation becomes the user's by [`set`](Self::set), or ends by [`cancel`](Self::cancel). Without a creator
    /// nothing is reserved.
    pub fn reserve(&self, creator: Option<SessionId>) -> Result<(), ApplicationFullError> {
        let has_place = creator.is_none_or(|application| self.quota.try_add(application));
        if has_place { Ok(()) } else { Err(ApplicationFullError) }
    }

    /// Ends a reservation.
    pub fn cancel(&self, creator: Option<SessionId>) {
        creator.into_iter().for_each(|application| self.quota.remove(application));
    }

    /// Makes the reserved creator that of a user, in place of an earlier one.
    pub fn set(&mut self, user: UserId, creator: Option<SessionId>) {
        let earlier = match creator {
            Some(application) => self.of.insert(user, application),
            None => self.of.remove(&user),
        };
        self.cancel(earlier);
    }

    /// Restores the creator of a stored user, which counts also beyond the limit.
    pub fn restore(&mut self, user: UserId, application: SessionId) {
        let earlier = self.earlier.remove(&user);
        if earlier != Some(application) {
            self.quota.add(application);
            self.cancel(earlier);
        }
        self.set(user, Some(application));
    }

    /// Ends the counting of the earlier users that were not restored.
    pub fn end_restoring(&mut self) {
        let earlier = std::mem::take(&mut self.earlier);
        earlier.into_values().for_each(|application| self.quota.remove(application));
    }
}

impl Drop for Creators {
    /// Ends the counting of all users.
    fn drop(&mut self) {
        self.end_restoring();
        self.of.values().for_each(|application| self.quota.remove(*application));
    }
}
