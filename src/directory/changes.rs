//! Which users changed visibly since a cursor, oldest first. Rule V2.
//!
//! The slots of users who have ever changed form a list in the order of their latest change, so that a walk costs what it
//! returns.

use super::Directory;
use super::memory::{Memory, Slot};
use crate::user::User;
use core::hash::{BuildHasher, Hash};

/// No slot.
const NONE: u32 = u32::MAX;

/// Where a slot is among the visible changes.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Changed {
    /// When it last changed, counted in visible changes of the directory; 0 when it never did.
    at: u64,
    /// The slots that changed just before and just after it.
    older: u32,
    newer: u32,
}

impl Changed {
    pub(super) const NEVER: Self = Self { at: 0, older: NONE, newer: NONE };
}

/// The list of changes: its ends, its newest number, and the newest one that was forgotten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changes {
    oldest: u32,
    newest: u32,
    count: u64,
    forgotten: u64,
}

impl Changes {
    pub(super) const NONE: Self = Self { oldest: NONE, newest: NONE, count: 0, forgotten: 0 };

    /// A slot has changed visibly: it is the newest.
    pub(super) fn note<U, S, const SESSIONS: usize>(&mut self, slots: &mut [Slot<U, S, SESSIONS>], number: u32) {
        self.unlink(slots, number);
        self.count = self.count.saturating_add(1);
        let older = self.newest;
        if let Some(slot) = slots.get_mut(number as usize) {
            slot.changed = Changed { at: self.count, older, newer: NONE };
        }
        match slots.get_mut(older as usize) {
            Some(slot) => slot.changed.newer = number,
            None => self.oldest = number,
        }
        self.newest = number;
    }

    /// A slot's user is forgotten, and with it that it ever changed.
    pub(super) fn forget<U, S, const SESSIONS: usize>(&mut self, slots: &mut [Slot<U, S, SESSIONS>], number: u32) {
        let at = slots.get(number as usize).map_or(0, |slot| slot.changed.at);
        self.forgotten = self.forgotten.max(at);
        self.unlink(slots, number);
    }

    fn unlink<U, S, const SESSIONS: usize>(&mut self, slots: &mut [Slot<U, S, SESSIONS>], number: u32) {
        let Some(slot) = slots.get_mut(number as usize).filter(|slot| slot.changed.at > 0) else { return };
        let Changed { older, newer, .. } = core::mem::replace(&mut slot.changed, Changed::NEVER);
        match slots.get_mut(older as usize) {
            Some(slot) => slot.changed.newer = newer,
            None => self.oldest = newer,
        }
        match slots.get_mut(newer as usize) {
            Some(slot) => slot.changed.older = older,
            None => self.newest = older,
        }
    }
}

/// A place in the order of a directory's visible changes. It says nothing of which directory: whoever hands cursors to clients
/// that outlive a restart sends along, and compares, which life of the directory they are of. Rule V2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cursor(u64);

impl Cursor {
    /// Before every change.
    pub const START: Self = Self(0);

    /// The number of visible changes up to here, for a wire that sends cursors as numbers. O(1).
    #[must_use]
    pub const fn to_number(self) -> u64 {
        self.0
    }

    /// The cursor of a number made by [`to_number`](Self::to_number). O(1).
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// Something changed after the cursor and was forgotten since, or the cursor is ahead of this directory, so that it must be
/// another's: read everything anew, and go on from [`Directory::cursor`]. Rule V2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CursorError;

impl core::fmt::Display for CursorError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a change was forgotten: start over")
    }
}

impl core::error::Error for CursorError {}

/// A user who changed visibly. See [`Directory::changes_since`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ChangedUser<'a, U, S, const SESSIONS: usize> {
    /// Whose presence changed.
    pub id: U,
    /// The user as time was last advanced.
    pub user: &'a User<S, SESSIONS>,
    /// Where to go on after this one.
    pub cursor: Cursor,
}

impl<U, S, const SESSIONS: usize, M, H> Directory<U, S, SESSIONS, M, H>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Behind the newest visible change. Rule V2. O(1).
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        Cursor(self.changes.count)
    }

    /// The users who changed visibly after a cursor, each once, the one whose latest change is oldest first. Rule V2.
    /// O(users returned), also to begin.
    ///
    /// # Errors
    ///
    /// [`CursorError`] when a user that would have to be reported has been forgotten: there is never a silent gap.
    ///
    /// ```
    /// use presence_core::directory::{Cursor, Directory, InlineMemory};
    /// use presence_core::{Instant, Policy, Presence};
    ///
    /// let mut directory = Directory::new(InlineMemory::<u8, u8, 2, 4>::new(), Policy::GRAPH);
    /// for user in [1, 2, 1] {
    ///     directory.clear_presence(Instant::ZERO, user, 9, |_, _| {}).ok();
    ///     directory.set_presence(Instant::ZERO, user, 9, Presence::Away, None, |_, _| {})?;
    /// }
    /// let changed = |cursor| directory.changes_since(cursor).map(|users| users.map(|user| user.id).collect::<Vec<_>>());
    /// assert_eq!(changed(Cursor::START), Ok(vec![2, 1]));
    /// assert_eq!(changed(directory.cursor()), Ok(vec![]));
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    pub fn changes_since(
        &self,
        cursor: Cursor,
    ) -> Result<impl Iterator<Item = ChangedUser<'_, U, S, SESSIONS>>, CursorError> {
        if cursor.0 < self.changes.forgotten || cursor.0 > self.changes.count {
            return Err(CursorError);
        }
        // Back to the oldest that is to be reported, then forward.
        let mut first = NONE;
        let mut place = self.changes.newest;
        while let Some(slot) = self.slot(place).filter(|slot| slot.changed.at > cursor.0) {
            (first, place) = (place, slot.changed.older);
        }
        let mut next = first;
        Ok(core::iter::from_fn(move || {
            let slot = self.slot(next)?;
            next = slot.changed.newer;
            Some(ChangedUser { id: slot.id?, user: &slot.user, cursor: Cursor(slot.changed.at) })
        }))
    }
}
