//! The parts of a directory's memory, and how they are reached.

use super::slot::Slot;
use super::table::buckets::Fingerprint;
use super::table::overflow::OverflowCell;
use super::timers::cell::TimerCell;

/// Access to the four parts of a memory, one element of each for every user. The directory asks for them at every step.
pub trait Cells<U, S, const SESSIONS: usize> {
    /// Returns the slots, one for each user.
    fn slots(&self) -> &[Slot<U, S, SESSIONS>];
    /// Returns the fingerprints of users in their buckets.
    fn fingerprints(&self) -> &[Fingerprint];
    /// Returns the overflow table, for users in neither of their buckets.
    fn overflow(&self) -> &[OverflowCell];
    /// Returns the cells of the timers.
    fn timers(&self) -> &[TimerCell];
    /// Returns all four, to write.
    fn parts(&mut self) -> Parts<'_, U, S, SESSIONS>;
}

/// The four parts of a memory, to write.
#[derive(Debug)]
pub struct Parts<'a, U, S, const SESSIONS: usize> {
    pub(super) slots: &'a mut [Slot<U, S, SESSIONS>],
    pub(super) fingerprints: &'a mut [Fingerprint],
    pub(super) overflow: &'a mut [OverflowCell],
    pub(super) timers: &'a mut [TimerCell],
}

impl<U, S, const SESSIONS: usize, M: Cells<U, S, SESSIONS>> Cells<U, S, SESSIONS> for &mut M {
    fn slots(&self) -> &[Slot<U, S, SESSIONS>] {
        (**self).slots()
    }

    fn fingerprints(&self) -> &[Fingerprint] {
        (**self).fingerprints()
    }

    fn overflow(&self) -> &[OverflowCell] {
        (**self).overflow()
    }

    fn timers(&self) -> &[TimerCell] {
        (**self).timers()
    }

    fn parts(&mut self) -> Parts<'_, U, S, SESSIONS> {
        (**self).parts()
    }
}
