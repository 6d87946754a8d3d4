//! The state of a directory, and how it is made.

use super::change_list::ChangeList;
#[cfg(feature = "alloc")]
use super::memory::BoxedMemory;
use super::memory::{InlineMemory, Memory};
use super::slot::Slot;
use super::slot_index::SlotIndex;
use super::table::buckets::Fingerprint;
use super::table::hash::DefaultHasher;
use super::table::overflow::OverflowCell;
use super::timers::calendar::Calendar;
use super::timers::cell::TimerCell;
use crate::policy::Policy;
use core::hash::{BuildHasher, BuildHasherDefault, Hash};
use core::marker::PhantomData;

/// Many users, each with up to `SESSIONS` sessions, in memory that is handed over once.
///
/// An [`InlineDirectory`] holds its memory itself. A `BoxedDirectory`, with feature `alloc`, allocates it once, for a number of
/// users chosen at run time.
///
/// A command first brings its own user up to date: transitions that were overdue are applied and handed to the caller's
/// observer, each with its own time ([S8](crate::rules#s8)). Then the command is decided and applied. So the transitions of
/// one user form an unbroken chain, and neither how often nor how late time is advanced makes a difference
/// ([M4](crate::rules#m4)). A read is exact at its moment and changes nothing.
///
/// A user with nothing stored keeps its slot, and its presence history ([A5](crate::rules#a5)), until the slot is needed for
/// another user. The user whose presence has not changed for longest is evicted first; a [pinned](Self::pin) user, of whom the
/// application keeps something elsewhere, is not evicted.
///
/// ```
/// use presence_core::directory::InlineDirectory;
/// use presence_core::{Instant, Policy, Presence};
///
/// // Any small `Copy` ids will do: here numbers for users and letters for sessions. Two sessions a user, sixteen users.
/// let mut directory = InlineDirectory::<u32, char, 2, 16>::with_policy(Policy::GRAPH);
///
/// let now = Instant::ZERO;
/// directory.set_presence(now, 42, 'a', Presence::InACall, None, |_, _| {})?;
/// assert_eq!(directory.presence(now, 42), Presence::InACall);
/// directory.clear_presence(now, 42, 'a', |_, _| {})?;
/// assert_eq!(directory.presence(now, 42), Presence::Offline);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Costs
///
/// Looking up a user takes constant time on average, with one wait for memory. On top of that, for `s` = `SESSIONS` and
/// `n` users:
///
/// | operation | cost |
/// | --- | --- |
/// | `presence` | nothing more; O(s) where a deadline was extended and no `advance` came to it since; O(s²) if something is overdue |
/// | `read`, `version`, each user of `read_batch` | O(s); O(s²) if something is overdue |
/// | `explain` | O(s²) |
/// | `execute`, each command by a method of its own, each of `execute_batch` | O(s) to extend a lease; O(s + log n) if a deadline moves nearer, or nothing is stored of the user before or after; O(s² + log n) if something is overdue |
/// | the same for a new user while no slot is free and anything is due | O(n log n), because all that is due is applied first |
/// | `decide` | O(s) |
/// | `apply`, `insert` | O(s + log n) |
/// | `advance` | O(s + log n), however much is due |
/// | `pin`, `unpin` | O(log n); `pin` for a new user as `execute` |
/// | `erase` | O(s + log n); O(s² + log n) if something is overdue |
/// | `changes_since` | O(users returned), also to begin |
/// | `users` | O(capacity) |
/// | `users_from` | O(slots looked at) |
/// | `rebase` | O(capacity + n (s + log n)) |
///
/// A new user's cost is amortised while slots are free.
#[derive(Clone, Debug)]
pub struct Directory<U, S, M, H = BuildHasherDefault<DefaultHasher>, const SESSIONS: usize = 4> {
    pub(super) memory: M,
    pub(super) policy: Policy,
    pub(super) hasher: H,
    /// The number of slots taken so far.
    pub(super) len: u32,
    /// No slot before this one is free.
    pub(super) free_from: SlotIndex,
    /// Deadlines that are not near.
    pub(super) calendar: Calendar,
    /// Entries in the heap of near deadlines.
    pub(super) near: u32,
    /// Entries in the heap of users with nothing stored.
    pub(super) evictable: u32,
    pub(super) changes: ChangeList,
    /// A number above every revision and version of a user that was evicted.
    pub(super) version_floor: u64,
    /// A number above every revision of a user that could have been evicted.
    pub(super) evictable_floor: u64,
    ids: PhantomData<fn() -> (U, S)>,
}

/// A directory of up to `USERS` users in one value, for a `static` or a stack.
pub type InlineDirectory<U, S, const SESSIONS: usize, const USERS: usize, H = BuildHasherDefault<DefaultHasher>> =
    Directory<U, S, InlineMemory<U, S, SESSIONS, USERS>, H, SESSIONS>;

/// A directory of a number of users chosen at run time, created by `Directory::new(BoxedMemory::new(users), policy)`. Feature
/// `alloc`.
#[cfg(feature = "alloc")]
pub type BoxedDirectory<U, S, const SESSIONS: usize = 4, H = BuildHasherDefault<DefaultHasher>> =
    Directory<U, S, BoxedMemory<U, S, SESSIONS>, H, SESSIONS>;

impl<U, S, const SESSIONS: usize, const USERS: usize> InlineDirectory<U, S, SESSIONS, USERS> {
    /// Creates a directory without users, with its memory in it.
    ///
    /// ```
    /// use presence_core::directory::InlineDirectory;
    /// use presence_core::{Instant, Policy, Presence};
    ///
    /// static TEAM: InlineDirectory<u8, u8, 2, 100> = InlineDirectory::with_policy(Policy::DESK);
    /// assert_eq!(TEAM.presence(Instant::ZERO, 7), Presence::Offline);
    /// ```
    #[must_use]
    pub const fn with_policy(policy: Policy) -> Self {
        Self::new(InlineMemory::new(), policy)
    }
}

impl<U, S, M, const SESSIONS: usize> Directory<U, S, M, BuildHasherDefault<DefaultHasher>, SESSIONS> {
    /// Creates a directory without users in this memory, which must be new.
    #[must_use]
    pub const fn new(memory: M, policy: Policy) -> Self {
        Self::with_hasher(memory, policy, BuildHasherDefault::new())
    }
}

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS> {
    /// Creates a directory that hashes user ids with a hasher of the caller's: a keyed one where users choose their own ids.
    #[must_use]
    pub const fn with_hasher(memory: M, policy: Policy, hasher: H) -> Self {
        Self {
            memory,
            policy,
            hasher,
            len: 0,
            free_from: SlotIndex::new(0),
            calendar: Calendar::EMPTY,
            near: 0,
            evictable: 0,
            changes: ChangeList::EMPTY,
            version_floor: 0,
            evictable_floor: 0,
            ids: PhantomData,
        }
    }

    /// The size of a directory besides its memory, in bytes.
    pub const OWN_BYTES: usize = size_of::<Self>() - size_of::<M>();

    /// The size of one user in the memory of a directory, in bytes.
    pub const BYTES_PER_USER: usize = size_of::<Slot<U, S, SESSIONS>>()
        + size_of::<Fingerprint>()
        + size_of::<OverflowCell>()
        + size_of::<TimerCell>();

    /// Returns the policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Returns how many users fit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.memory.slots().len().min(u32::MAX as usize >> 1)
    }

    /// Returns how many users have a slot, users with nothing stored included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Returns how many of the users with a slot have nothing stored, as time was last [advanced](Self::advance).
    ///
    /// Their slots go to new users when no other is free ([S9](crate::rules#s9)). [Pinned](Self::pin) users are not among them.
    #[must_use]
    pub const fn evictable(&self) -> usize {
        self.evictable as usize
    }

    /// Reports whether no user has ever had a slot.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The number of slots taken; never the users themselves, because a log line is short.
#[cfg(feature = "defmt")]
impl<U, S, M, H, const SESSIONS: usize> defmt::Format for Directory<U, S, M, H, SESSIONS> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Directory({=u32} users)", self.len);
    }
}
