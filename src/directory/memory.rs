//! The memory that a directory lives in, handed over once: in one value of fixed size, or in boxes sized at run time.

use super::cells::{Cells, Parts};
use super::slot::Slot;
#[cfg(feature = "alloc")]
use super::slot_index::SlotIndex;
use super::table::buckets::Fingerprint;
use super::table::overflow::OverflowCell;
use super::timers::cell::TimerCell;
#[cfg(feature = "alloc")]
use alloc::boxed::Box;

/// The memory that a [`Directory`](super::Directory) lives in: one of this module's, or `&mut` of one.
///
/// It must be new when the directory is created. This trait is sealed.
pub trait Memory<U, S, const SESSIONS: usize>: Cells<U, S, SESSIONS> {}

impl<U, S, const SESSIONS: usize, M: Memory<U, S, SESSIONS>> Memory<U, S, SESSIONS> for &mut M {}

/// Memory for `USERS` users in one value, for a `static` or a stack. It holds no pointer.
#[derive(Clone, Debug)]
pub struct InlineMemory<U, S, const SESSIONS: usize, const USERS: usize> {
    slots: [Slot<U, S, SESSIONS>; USERS],
    fingerprints: [Fingerprint; USERS],
    overflow: [OverflowCell; USERS],
    timers: [TimerCell; USERS],
}

impl<U, S, const SESSIONS: usize, const USERS: usize> InlineMemory<U, S, SESSIONS, USERS> {
    /// Creates memory without users. In a `static` nothing is left to do at run time.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: [const { Slot::EMPTY }; USERS],
            fingerprints: [Fingerprint::FREE; USERS],
            overflow: [OverflowCell::EMPTY; USERS],
            timers: [TimerCell::EMPTY; USERS],
        }
    }
}

impl<U, S, const SESSIONS: usize, const USERS: usize> Default for InlineMemory<U, S, SESSIONS, USERS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<U, S, const SESSIONS: usize, const USERS: usize> Memory<U, S, SESSIONS> for InlineMemory<U, S, SESSIONS, USERS> {}

impl<U, S, const SESSIONS: usize, const USERS: usize> Cells<U, S, SESSIONS> for InlineMemory<U, S, SESSIONS, USERS> {
    fn slots(&self) -> &[Slot<U, S, SESSIONS>] {
        &self.slots
    }

    fn fingerprints(&self) -> &[Fingerprint] {
        &self.fingerprints
    }

    fn overflow(&self) -> &[OverflowCell] {
        &self.overflow
    }

    fn timers(&self) -> &[TimerCell] {
        &self.timers
    }

    fn parts(&mut self) -> Parts<'_, U, S, SESSIONS> {
        let Self { slots, fingerprints, overflow, timers } = self;
        Parts { slots, fingerprints, overflow, timers }
    }
}

/// Memory for a number of users chosen at run time, allocated once. Feature `alloc`.
///
/// ```
/// use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory};
/// use presence_core::{Policy, SessionId, UserId};
///
/// let directory: BoxedDirectory<UserId, SessionId, 3> = Directory::new(BoxedMemory::new(1000), Policy::GRAPH);
/// assert_eq!(directory.capacity(), 1000);
/// ```
#[cfg(feature = "alloc")]
#[derive(Debug)]
pub struct BoxedMemory<U, S, const SESSIONS: usize = 4> {
    slots: Box<[Slot<U, S, SESSIONS>]>,
    fingerprints: Box<[Fingerprint]>,
    overflow: Box<[OverflowCell]>,
    timers: Box<[TimerCell]>,
}

#[cfg(feature = "alloc")]
impl<U, S, const SESSIONS: usize> BoxedMemory<U, S, SESSIONS> {
    /// Allocates memory for so many users: the only function of this crate that allocates.
    #[must_use]
    pub fn new(users: usize) -> Self {
        // As many as slots can be told apart.
        let users = users.min(usize::try_from(SlotIndex::MAX_SLOTS).unwrap_or(usize::MAX));
        Self {
            slots: core::iter::repeat_with(|| Slot::EMPTY).take(users).collect(),
            fingerprints: core::iter::repeat_n(Fingerprint::FREE, users).collect(),
            overflow: core::iter::repeat_n(OverflowCell::EMPTY, users).collect(),
            timers: core::iter::repeat_n(TimerCell::EMPTY, users).collect(),
        }
    }
}

#[cfg(feature = "alloc")]
impl<U, S, const SESSIONS: usize> Memory<U, S, SESSIONS> for BoxedMemory<U, S, SESSIONS> {}

#[cfg(feature = "alloc")]
impl<U, S, const SESSIONS: usize> Cells<U, S, SESSIONS> for BoxedMemory<U, S, SESSIONS> {
    fn slots(&self) -> &[Slot<U, S, SESSIONS>] {
        &self.slots
    }

    fn fingerprints(&self) -> &[Fingerprint] {
        &self.fingerprints
    }

    fn overflow(&self) -> &[OverflowCell] {
        &self.overflow
    }

    fn timers(&self) -> &[TimerCell] {
        &self.timers
    }

    fn parts(&mut self) -> Parts<'_, U, S, SESSIONS> {
        let Self { slots, fingerprints, overflow, timers } = self;
        Parts { slots, fingerprints, overflow, timers }
    }
}

/// The number of users that fit; never the users themselves, because a log line is short.
#[cfg(feature = "defmt")]
impl<U, S, const SESSIONS: usize, const USERS: usize> defmt::Format for InlineMemory<U, S, SESSIONS, USERS> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "InlineMemory({=usize} users)", USERS);
    }
}

/// The number of users that fit; never the users themselves, because a log line is short.
#[cfg(all(feature = "defmt", feature = "alloc"))]
impl<U, S, const SESSIONS: usize> defmt::Format for BoxedMemory<U, S, SESSIONS> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "BoxedMemory({=usize} users)", self.slots.len());
    }
}
