//! Keeping users over a restart: listing them, inserting them, and the versions that no user may have again.

use super::memory::Memory;
use super::state::Directory;
use crate::user::{ApplyError, User};
use core::hash::{BuildHasher, Hash};

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Returns every user with a slot, as time was last advanced, in no particular order.
    pub fn users(&self) -> impl Iterator<Item = (U, &User<S, SESSIONS>)> {
        self.memory.slots().iter().filter_map(|slot| Some((slot.id?, &slot.user)))
    }

    /// Returns the users in `count` slots from one slot index on, and the index to go on from.
    ///
    /// That index is `None` behind the last slot, and if `count` is 0. A caller that lists all users a bounded piece at a time
    /// starts at 0. A user who gets or loses a slot in between may be missed, but not in
    /// [`changes_since`](Self::changes_since) a cursor read before.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineDirectory};
    /// use presence_core::{Instant, Policy, Presence};
    ///
    /// let mut directory = InlineDirectory::<u8, u8, 2, 100>::with_policy(Policy::GRAPH);
    /// for user in 0..10 {
    ///     directory.set_presence(Instant::ZERO, user, 1, Presence::Away, None, |_, _| {})?;
    /// }
    /// let (mut listed, mut next) = (0, Some(0));
    /// while let Some(from) = next {
    ///     let (users, behind) = directory.users_from(from, 16);
    ///     listed += users.count();
    ///     next = behind;
    /// }
    /// assert_eq!(listed, 10);
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    pub fn users_from(
        &self,
        from: usize,
        count: usize,
    ) -> (impl Iterator<Item = (U, &User<S, SESSIONS>)>, Option<usize>) {
        let rest = self.memory.slots().get(from..).unwrap_or_default();
        let slots = rest.get(..count).unwrap_or(rest);
        let behind = from.saturating_add(slots.len());
        let next = (!slots.is_empty() && behind < self.memory.slots().len()).then_some(behind);
        (slots.iter().filter_map(|slot| Some((slot.id?, &slot.user))), next)
    }

    /// Returns the first revision and version of a new user: above those of every user that was evicted.
    ///
    /// It is 0 as long as no user was evicted and the clock was never [shifted](Self::rebase). An application that keeps
    /// users over a restart stores it with them, and hands it to [`raise_version_floor`](Self::raise_version_floor)
    /// ([V1](crate::rules#v1)).
    #[must_use]
    pub const fn version_floor(&self) -> u64 {
        self.version_floor
    }

    /// Raises [`version_floor`](Self::version_floor) above the versions of users evicted elsewhere, or before a restart.
    pub const fn raise_version_floor(&mut self, floor: u64) {
        if floor > self.version_floor {
            self.version_floor = floor;
        }
    }

    /// Inserts a user from a store or another directory, and replaces the record it had here.
    ///
    /// This counts as a visible change. Whatever is overdue of the user is due at the next [`advance`](Self::advance). Its
    /// revision and version are accepted as they are: the caller makes sure that they do not fall behind those it had here.
    /// A user who gets its slot later starts above them, however high they are ([V1](crate::rules#v1)).
    ///
    /// # Errors
    ///
    /// [`ApplyError::Full`] when there is no slot for a new user. Nothing is changed then.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineDirectory};
    /// use presence_core::{Absence, Instant, Layer, Policy, User};
    ///
    /// let mut directory = InlineDirectory::<u8, u8, 2, 4>::with_policy(Policy::GRAPH);
    /// directory.insert(7, User::after_restart(12))?;
    /// assert_eq!(directory.explain(Instant::ZERO, 7).layer, Layer::Nothing(Absence::Lost));
    /// # Ok::<(), presence_core::ApplyError>(())
    /// ```
    pub fn insert(&mut self, id: U, user: User<S, SESSIONS>) -> Result<(), ApplyError> {
        let index = match self.find(id) {
            Some((index, _)) => index,
            None => {
                let vacancy = self.vacancy().ok_or(ApplyError::Full)?;
                self.occupy(vacancy, id)
            }
        };
        self.replace(index, user);
        Ok(())
    }
}
