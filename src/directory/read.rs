//! Reading a user: exact at a moment, without changing anything.

use super::memory::Memory;
use super::state::Directory;
use crate::presence::Presence;
use crate::time::Instant;
use crate::user::{Explanation, User, next_due};
use core::hash::{BuildHasher, Hash};

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Returns a user as time was last advanced; `None` for one without a slot.
    #[must_use]
    pub fn get(&self, user: U) -> Option<&User<S, SESSIONS>> {
        self.find(user).map(|(_, slot)| &slot.user)
    }

    /// Reads a user as it is at `now`, exact however long ago time was advanced.
    ///
    /// Transitions that are overdue are applied to a copy. A user without a slot reads like [`User::new`]
    /// ([M5](crate::rules#m5)).
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineDirectory};
    /// use presence_core::{Absence, Instant, Policy, Presence};
    ///
    /// let mut directory = InlineDirectory::<u8, u8, 2, 4>::with_policy(Policy::GRAPH);
    /// directory.set_presence(Instant::ZERO, 7, 1, Presence::Away, None, |_, _| {})?;
    /// let read = |secs| directory.read(Instant::from_secs(secs), 7, |user| (user.presence(), user.absence()));
    /// assert_eq!(read(299), (Presence::Away, None));
    /// assert_eq!(read(300), (Presence::Offline, Some(Absence::Expired))); // without a call of `advance`
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    pub fn read<R>(&self, now: Instant, user: U, read: impl FnOnce(&User<S, SESSIONS>) -> R) -> R {
        self.read_found(self.get(user), now, read)
    }

    pub(super) fn read_found<R>(
        &self,
        found: Option<&User<S, SESSIONS>>,
        now: Instant,
        read: impl FnOnce(&User<S, SESSIONS>) -> R,
    ) -> R {
        let Some(found) = found else { return read(&const { User::new() }) };
        if found.at(now).is_ok() { read(found) } else { read(&self.advanced_copy(found, now)) }
    }

    /// Returns a copy to which overdue transitions were applied.
    #[cold]
    #[inline(never)]
    fn advanced_copy(&self, user: &User<S, SESSIONS>, now: Instant) -> User<S, SESSIONS> {
        let mut copy = user.clone();
        while let Some(due) = next_due(&copy, now, &self.policy) {
            copy.apply_unchecked(&due);
        }
        copy
    }

    /// Returns the presence that a user publishes at `now`.
    #[must_use]
    #[inline]
    pub fn presence(&self, now: Instant, user: U) -> Presence {
        match self.find(user) {
            None => Presence::Offline,
            // It is scheduled for no later deadline than the user's own.
            Some((_, slot)) if !slot.scheduled.is_due(now) => slot.published,
            Some((_, slot)) => self.presence_if_overdue(&slot.user, now),
        }
    }

    // Out of line: nearly always nothing is overdue.
    #[inline(never)]
    fn presence_if_overdue(&self, user: &User<S, SESSIONS>, now: Instant) -> Presence {
        self.read_found(Some(user), now, User::presence)
    }

    /// Returns a user's version at `now`, which grows exactly when something visible changes.
    ///
    /// It is 0 as long as nothing ever has, but a new user starts at [`version_floor`](Self::version_floor)
    /// ([V1](crate::rules#v1)).
    #[must_use]
    pub fn version(&self, now: Instant, user: U) -> u64 {
        self.read(now, user, User::version)
    }

    /// Explains why a user is seen as it is at `now`, since when, and what comes next by itself.
    #[must_use]
    pub fn explain(&self, now: Instant, user: U) -> Explanation<S> {
        self.read(now, user, |user| user.explain(&self.policy))
    }
}
