//! The memory a directory lives in: handed over once, as arrays of a `static` or as slices sized at start-up.

use super::slot::Slot;
use super::table::buckets::TagCell;
use super::table::overflow::IndexCell;
use super::timers::cell::QueueCell;

/// What a [`Directory`](super::Directory) needs of memory: as many [`Slot`]s, [`TagCell`]s, [`IndexCell`]s and
/// [`QueueCell`]s as it is to hold users. When the directory is made, every one of them must be `EMPTY`. Where the four
/// differ in length, the shortest counts; but more tags than slots make finding slow. A directory asks for them at every step:
/// its costs hold where they are at hand, O(1).
pub trait Memory<U, S, const SESSIONS: usize> {
    /// The users. O(1).
    fn slots(&self) -> &[Slot<U, S, SESSIONS>];
    /// Who is at home where. O(1).
    fn tags(&self) -> &[TagCell];
    /// The index of those who are not at home. O(1).
    fn index(&self) -> &[IndexCell];
    /// The queue of deadlines. O(1).
    fn queue(&self) -> &[QueueCell];
    /// All four, to write. O(1).
    fn parts(&mut self) -> Parts<'_, U, S, SESSIONS>;
}

/// The four parts of a [`Memory`], to write.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Parts<'a, U, S, const SESSIONS: usize> {
    /// The users.
    pub slots: &'a mut [Slot<U, S, SESSIONS>],
    /// Who is at home where.
    pub tags: &'a mut [TagCell],
    /// The index of those who are not at home.
    pub index: &'a mut [IndexCell],
    /// The queue of deadlines.
    pub queue: &'a mut [QueueCell],
}

/// Memory for `USERS` users in one value, for a `static` or a stack. Everything is inline; no pointer is stored.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct InlineMemory<U, S, const SESSIONS: usize, const USERS: usize> {
    slots: [Slot<U, S, SESSIONS>; USERS],
    tags: [TagCell; USERS],
    index: [IndexCell; USERS],
    queue: [QueueCell; USERS],
}

impl<U, S, const SESSIONS: usize, const USERS: usize> InlineMemory<U, S, SESSIONS, USERS> {
    /// Memory in which nobody has a place yet. O(`USERS`); nothing at run time in a `static`.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: [const { Slot::EMPTY }; USERS],
            tags: [TagCell::EMPTY; USERS],
            index: [IndexCell::EMPTY; USERS],
            queue: [QueueCell::EMPTY; USERS],
        }
    }
}

impl<U, S, const SESSIONS: usize, const USERS: usize> Default for InlineMemory<U, S, SESSIONS, USERS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<U, S, const SESSIONS: usize, const USERS: usize> Memory<U, S, SESSIONS> for InlineMemory<U, S, SESSIONS, USERS> {
    fn slots(&self) -> &[Slot<U, S, SESSIONS>] {
        &self.slots
    }

    fn tags(&self) -> &[TagCell] {
        &self.tags
    }

    fn index(&self) -> &[IndexCell] {
        &self.index
    }

    fn queue(&self) -> &[QueueCell] {
        &self.queue
    }

    fn parts(&mut self) -> Parts<'_, U, S, SESSIONS> {
        let Self { slots, tags, index, queue } = self;
        Parts { slots, tags, index, queue }
    }
}

/// Memory in four slices of whatever owns or borrows them: `Box<[_]>`, `Vec<_>`, `&'static mut [_]`.
///
/// ```
/// use presence_core::directory::{Directory, IndexCell, QueueCell, SliceMemory, Slot, TagCell};
/// use presence_core::{Policy, SessionId, UserId};
///
/// let users = 1000;
/// let memory = SliceMemory {
///     slots: vec![Slot::EMPTY; users].into_boxed_slice(),
///     tags: vec![TagCell::EMPTY; users].into_boxed_slice(),
///     index: vec![IndexCell::EMPTY; users].into_boxed_slice(),
///     queue: vec![QueueCell::EMPTY; users].into_boxed_slice(),
/// };
/// let directory: Directory<UserId, SessionId, 3, _> = Directory::new(memory, Policy::GRAPH);
/// assert_eq!(directory.capacity(), 1000);
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SliceMemory<Slots, Tags, Index, Queue> {
    /// One [`Slot`] a user, all [`Slot::EMPTY`].
    pub slots: Slots,
    /// One [`TagCell`] a user, all [`TagCell::EMPTY`].
    pub tags: Tags,
    /// One [`IndexCell`] a user, all [`IndexCell::EMPTY`].
    pub index: Index,
    /// One [`QueueCell`] a user, all [`QueueCell::EMPTY`].
    pub queue: Queue,
}

impl<U, S, const SESSIONS: usize, Slots, Tags, Index, Queue> Memory<U, S, SESSIONS>
    for SliceMemory<Slots, Tags, Index, Queue>
where
    Slots: AsRef<[Slot<U, S, SESSIONS>]> + AsMut<[Slot<U, S, SESSIONS>]>,
    Tags: AsRef<[TagCell]> + AsMut<[TagCell]>,
    Index: AsRef<[IndexCell]> + AsMut<[IndexCell]>,
    Queue: AsRef<[QueueCell]> + AsMut<[QueueCell]>,
{
    fn slots(&self) -> &[Slot<U, S, SESSIONS>] {
        self.slots.as_ref()
    }

    fn tags(&self) -> &[TagCell] {
        self.tags.as_ref()
    }

    fn index(&self) -> &[IndexCell] {
        self.index.as_ref()
    }

    fn queue(&self) -> &[QueueCell] {
        self.queue.as_ref()
    }

    fn parts(&mut self) -> Parts<'_, U, S, SESSIONS> {
        let Self { slots, tags, index, queue } = self;
        Parts { slots: slots.as_mut(), tags: tags.as_mut(), index: index.as_mut(), queue: queue.as_mut() }
    }
}

impl<U, S, const SESSIONS: usize, M: Memory<U, S, SESSIONS>> Memory<U, S, SESSIONS> for &mut M {
    fn slots(&self) -> &[Slot<U, S, SESSIONS>] {
        (**self).slots()
    }

    fn tags(&self) -> &[TagCell] {
        (**self).tags()
    }

    fn index(&self) -> &[IndexCell] {
        (**self).index()
    }

    fn queue(&self) -> &[QueueCell] {
        (**self).queue()
    }

    fn parts(&mut self) -> Parts<'_, U, S, SESSIONS> {
        (**self).parts()
    }
}
