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

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 3;

    fn user(number: u8) -> UserId {
        UserId::from_bytes([number; 16])
    }

    fn application(number: u8) -> Option<SessionId> {
        Some(SessionId::from_bytes([number; 16]))
    }

    /// Returns how many users count for an application.
    fn count(quota: &Arc<Quota>, number: u8) -> usize {
        let others = Creators::new(quota.clone());
        let left = (0..=LIMIT).take_while(|_| others.reserve(application(number)).is_ok()).count();
        (0..left).for_each(|_| others.cancel(application(number)));
        LIMIT - left
    }

    #[test]
    fn reservations_end_at_the_limit_of_each_application() {
        let quota = Arc::new(Quota::new(LIMIT));
        let [mut one, mut other] = [(); 2].map(|()| Creators::new(quota.clone()));
        for number in 1..=LIMIT as u8 {
            assert_eq!(count(&quota, 1), usize::from(number) - 1);
            let shard = if number == 2 { &mut other } else { &mut one };
            shard.reserve(application(1)).unwrap();
            shard.set(user(number), application(1));
            assert_eq!(shard.get(user(number)), application(1));
        }
        assert_eq!(
            (one.reserve(application(1)), other.reserve(application(1))),
            (Err(ApplicationFullError), Err(ApplicationFullError))
        );
        assert_eq!(
            (one.reserve(application(2)), one.reserve(None)),
            (Ok(()), Ok(())),
            "others have a limit of their own"
        );
        one.cancel(application(2));
        one.cancel(None);
        assert_eq!((count(&quota, 1), count(&quota, 2)), (LIMIT, 0));
        // A user counts once, for the last that is set; and for nobody in the end.
        one.reserve(application(2)).unwrap();
        one.set(user(1), application(2));
        assert_eq!((one.get(user(1)), count(&quota, 1), count(&quota, 2)), (application(2), LIMIT - 1, 1));
        one.set(user(1), None);
        one.set(user(9), None);
        assert_eq!((one.get(user(1)), count(&quota, 1), count(&quota, 2)), (None, LIMIT - 1, 0));
        // An application of which no user is left takes no memory.
        assert_eq!(quota.counts().len(), 1);
        drop(one);
        assert_eq!(count(&quota, 1), 1);
        drop(other);
        assert!(quota.counts().is_empty());
    }

    #[test]
    fn what_is_restored_counts_beyond_the_limit_and_once() {
        let quota = Arc::new(Quota::new(LIMIT));
        let mut creators = Creators::new(quota.clone());
        (1..=5).for_each(|number| creators.restore(user(number), application(1).unwrap()));
        assert_eq!(quota.counts().get(&application(1).unwrap()), Some(&5));
        // Loaded anew: the first for the same application, the second for another, and three are not stored.
        creators.begin_restoring();
        assert_eq!((creators.get(user(1)), quota.counts().get(&application(1).unwrap())), (None, Some(&5)));
        creators.restore(user(1), application(1).unwrap());
        creators.restore(user(2), application(2).unwrap());
        assert_eq!((creators.get(user(1)), creators.get(user(2))), (application(1), application(2)));
        assert_eq!(quota.counts().get(&application(1).unwrap()), Some(&4), "the others still count");
        creators.end_restoring();
        assert_eq!((count(&quota, 1), count(&quota, 2)), (1, 1));
        // Dropped in the middle of loading, nothing counts.
        creators.begin_restoring();
        drop(creators);
        assert!(quota.counts().is_empty());
    }
}
