//! Cursors: the users who changed visibly since one, oldest change first.

use super::memory::Memory;
use super::slot_index::SlotIndex;
use super::state::Directory;
use crate::user::User;
use core::hash::{BuildHasher, Hash};

/// A position in the order of a directory's visible changes ([V2](crate::rules#v2)).
///
/// A cursor does not name its directory. An application whose clients keep cursors over a restart sends an id of the
/// directory's lifetime with them, and compares it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cursor(u64);

impl Cursor {
    /// The cursor before every change.
    pub const START: Self = Self(0);

    /// Returns the number of visible changes up to here, for a wire that sends cursors as numbers.
    #[must_use]
    pub const fn to_number(self) -> u64 {
        self.0
    }

    /// Creates the cursor of a number that [`to_number`](Self::to_number) returned.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// The error of a cursor that this directory cannot continue from.
///
/// A user who changed after this cursor has been evicted, or the cursor is ahead of this directory and must be another's.
/// Read all users anew, and go on from [`Directory::cursor`]; [`Cursor::START`] would fail again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct CursorError;

impl core::fmt::Display for CursorError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(
            "this directory cannot continue from that cursor: read all users, then go on from Directory::cursor",
        )
    }
}

impl core::error::Error for CursorError {}

/// A user who changed visibly, as [`Directory::changes_since`] returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ChangedUser<'a, U, S, const SESSIONS: usize> {
    /// The id of the user.
    pub id: U,
    /// The user as time was last advanced.
    pub user: &'a User<S, SESSIONS>,
    /// The cursor to go on from after this user.
    pub cursor: Cursor,
}

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Returns the cursor behind the newest visible change.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        Cursor(self.changes.count)
    }

    /// Returns the users who changed visibly after a cursor, each once, oldest change first.
    ///
    /// [Advance](Self::advance) first: a change that is overdue is not among them yet.
    ///
    /// # Errors
    ///
    /// [`CursorError`] when a user who would have to be reported was evicted, or the cursor is another directory's.
    ///
    /// ```
    /// use presence_core::directory::{Cursor, Directory, InlineDirectory};
    /// use presence_core::{Instant, Policy, Presence};
    ///
    /// let mut directory = InlineDirectory::<u8, u8, 2, 4>::with_policy(Policy::GRAPH);
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
        if cursor.0 < self.changes.evicted || cursor.0 > self.changes.count {
            return Err(CursorError);
        }
        // Back to the oldest that is to be reported, then forward.
        let mut first = SlotIndex::NONE;
        let mut index = self.changes.newest;
        while let Some(slot) = self.slot(index).filter(|slot| slot.change.number > cursor.0) {
            (first, index) = (index, slot.change.older);
        }
        let mut next = first;
        Ok(core::iter::from_fn(move || {
            let slot = self.slot(next)?;
            next = slot.change.newer;
            Some(ChangedUser { id: slot.id?, user: &slot.user, cursor: Cursor(slot.change.number) })
        }))
    }
}
