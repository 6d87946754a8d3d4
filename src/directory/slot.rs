//! The memory of one user: its record, and what a directory keeps about it.

use super::slot_index::SlotIndex;
use super::timers::cell::{Link, Linked};
use crate::presence::Presence;
use crate::time::Instant;
use crate::user::User;

/// The state of a slot: whether its user may be evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotState {
    /// Something is stored of the user, or the slot is free.
    InUse,
    /// Nothing is stored: the user is in the heap of evictable ones.
    Evictable,
    /// The application keeps something of the user elsewhere, whatever is stored here.
    Pinned,
}

/// The position of a slot in the list of visible changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChangeLink {
    /// The number of its latest change, counted over the directory; 0 when it never changed.
    pub(super) number: u64,
    /// The slots that changed just before and just after it.
    pub(super) older: SlotIndex,
    pub(super) newer: SlotIndex,
}

impl ChangeLink {
    pub(super) const NONE: Self = Self { number: 0, older: SlotIndex::NONE, newer: SlotIndex::NONE };
}

/// The slot of one user.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Slot<U, S, const SESSIONS: usize> {
    // What a read needs comes first, so that it takes one cache line.
    pub(super) id: Option<U>,
    /// The published presence, as time was last advanced.
    pub(super) published: Presence,
    pub(super) state: SlotState,
    /// The number of users who have had this slot before.
    pub(super) generation: u32,
    /// The deadline it is scheduled for: never later than the user's own, never when it is not scheduled.
    pub(super) scheduled: Instant,
    /// Its position among the timers.
    pub(super) link: Link,
    pub(super) user: User<S, SESSIONS>,
    /// Its position among the visible changes.
    pub(super) change: ChangeLink,
}

impl<U, S, const SESSIONS: usize> Slot<U, S, SESSIONS> {
    /// A free slot.
    pub(super) const EMPTY: Self = Self {
        id: None,
        published: Presence::Offline,
        state: SlotState::InUse,
        generation: 0,
        scheduled: Instant::NEVER,
        link: Link::NONE,
        user: User::new(),
        change: ChangeLink::NONE,
    };

    /// Reports whether nothing is stored of the user, here or elsewhere.
    pub(super) fn is_evictable(&self) -> bool {
        self.state != SlotState::Pinned && self.user.is_empty()
    }

    /// Returns since when the user has shown nothing. A user who never showed anything is the first to be evicted.
    pub(super) fn evictable_since(&self) -> Instant {
        self.user.since().unwrap_or(Instant::ZERO)
    }
}

impl<U: Copy + Ord, S, const SESSIONS: usize> Linked for [Slot<U, S, SESSIONS>] {
    fn link(&self, slot: SlotIndex) -> Option<&Link> {
        self.get(slot.as_usize()).map(|slot| &slot.link)
    }

    fn link_mut(&mut self, slot: SlotIndex) -> Option<&mut Link> {
        self.get_mut(slot.as_usize()).map(|slot| &mut slot.link)
    }

    /// The smaller user id comes first, as rule S8 says.
    fn is_before(&self, one: SlotIndex, other: SlotIndex) -> bool {
        let id = |slot: SlotIndex| self.get(slot.as_usize()).and_then(|slot| slot.id);
        id(one) < id(other)
    }
}
