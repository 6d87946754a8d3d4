//! For those who keep users through a restart: listing them, taking them in, and the numbers that nobody may have again.

use super::Directory;
use super::memory::Memory;
use crate::user::{ApplyError, User};
use core::hash::{BuildHasher, Hash};

impl<U, S, const SESSIONS: usize, M, H> Directory<U, S, SESSIONS, M, H>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Every user with a place, as time was last advanced, in no order that means anything. O(capacity) to exhaust.
    pub fn users(&self) -> impl Iterator<Item = (U, &User<S, SESSIONS>)> {
        self.memory.slots().iter().filter_map(|slot| Some((slot.id?, &slot.user)))
    }

    /// Up to so many users with a place, from a place on, and the place to go on from; `None` behind the last, and if none
    /// are asked for. Whoever lists everybody a bounded piece at a time starts at 0; who comes or goes in between may be missed,
    /// but not in [`changes_since`](Self::changes_since) a cursor taken before. O(`places` looked at).
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineMemory};
    /// use presence_core::{Instant, Policy, Presence};
    ///
    /// let mut directory = Directory::new(InlineMemory::<u8, u8, 2, 100>::new(), Policy::GRAPH);
    /// for user in 0..10 {
    ///     directory.set_presence(Instant::ZERO, user, 1, Presence::Away, None, |_, _| {})?;
    /// }
    /// let (mut listed, mut next) = (0, Some(0));
    /// while let Some(place) = next {
    ///     let (users, behind) = directory.users_from(place, 16);
    ///     listed += users.count();
    ///     next = behind;
    /// }
    /// assert_eq!(listed, 10);
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    pub fn users_from(
        &self,
        place: usize,
        places: usize,
    ) -> (impl Iterator<Item = (U, &User<S, SESSIONS>)>, Option<usize>) {
        let rest = self.memory.slots().get(place..).unwrap_or_default();
        let slots = rest.get(..places).unwrap_or(rest);
        let behind = place.saturating_add(slots.len());
        let next = (!slots.is_empty() && behind < self.memory.slots().len()).then_some(behind);
        (slots.iter().filter_map(|slot| Some((slot.id?, &slot.user))), next)
    }

    /// Where the revision and version of a new user start: above those of every user that was forgotten, and at 0 as long as
    /// nobody was and the clock was never [shifted](Self::rebase). Whoever keeps users through a restart keeps this beside
    /// them, and says so to [`raise_version_floor`](Self::raise_version_floor). Rules V1, V2. O(1).
    #[must_use]
    pub const fn version_floor(&self) -> u64 {
        self.forgotten
    }

    /// Users forgotten elsewhere, or in an earlier life of this directory, had revisions and versions below this.
    /// Rules V1, V2. O(1).
    pub const fn raise_version_floor(&mut self, number: u64) {
        if number > self.forgotten {
            self.forgotten = number;
        }
    }

    /// Takes in a user from elsewhere, a store or another directory, in place of what is known of it here. It counts as a
    /// visible change. What is overdue of it is due at the next [`advance`](Self::advance). Its revision and version are
    /// taken as they are: that they do not fall behind those it had here is the caller's to see to, and whoever starts in its
    /// place later starts above them, however high they are. Rules V1, V2. O(`SESSIONS` + log users); for a new user
    /// amortised.
    ///
    /// # Errors
    ///
    /// [`ApplyError::Full`] when a new user finds no place. Nothing is changed then.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineMemory};
    /// use presence_core::{Absence, Instant, Layer, Policy, User};
    ///
    /// let mut directory = Directory::new(InlineMemory::<u8, u8, 2, 4>::new(), Policy::GRAPH);
    /// directory.insert(7, User::after_restart(12))?;
    /// assert_eq!(directory.explain(Instant::ZERO, 7).layer, Layer::Nothing(Absence::Lost));
    /// # Ok::<(), presence_core::ApplyError>(())
    /// ```
    pub fn insert(&mut self, id: U, user: User<S, SESSIONS>) -> Result<(), ApplyError> {
        let slot = match self.find(id) {
            Some((number, _)) => number,
            None => {
                let room = self.vacancy().ok_or(ApplyError::Full)?;
                self.take_place(room, id)
            }
        };
        self.replace(slot, user);
        Ok(())
    }
}
