//! Many users in fixed memory: an index, a queue of deadlines and the users themselves, in memory handed over once.
//!
//! Reading order: [`Memory`] is what it lives in; [`Directory`] reads, decides and applies; `advance` hands out what time
//! does, a bounded piece of work a call.

mod advance;
mod batch;
mod changes;
mod handle;
mod memory;
mod persist;
mod retain;
mod slots;
mod table;
mod timers;

pub use advance::Progress;
pub use changes::{ChangedUser, Cursor, CursorError};
pub use handle::UserHandle;
pub use memory::{InlineMemory, Memory, Parts, SliceMemory, Slot};
pub use table::buckets::TagCell;
pub use table::hash::{DefaultHasher, MultiplyHasher};
pub use table::overflow::IndexCell;
pub use timers::heap::QueueCell;

use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::{Duration, Instant};
use changes::Changes;
use slots::Vacancy;
use timers::calendar::Calendar;

use crate::user::{
    ApplyError, Command, CommandError, Explanation, NotFound, OverdueError, Transition, User, UserAt, decide, next_due,
};
use core::hash::{BuildHasher, Hash};
use core::marker::PhantomData;

/// Many users, each with up to `SESSIONS` sessions inline, in memory of any size that is handed over once. No allocation,
/// ever after.
///
/// A command first brings its own user up to date: what was overdue is applied and handed to the caller's sink, each
/// transition with its own time (rule S8), then the command is decided and applied. So the transitions of one user form an
/// unbroken chain, and neither how often nor how late time is advanced makes a difference (rule M4). A read is exact at
/// its moment without changing anything.
///
/// A user with nothing stored keeps its place, and what it remembers (rule A5), until the place is needed for another; one
/// that is [held](Self::pin), because something is kept of it elsewhere, for longer.
///
/// ```
/// use presence_core::directory::{Directory, InlineMemory};
/// use presence_core::{Instant, Policy, Presence};
///
/// // Ids of one's own: users are numbers here, sessions letters. A static of a device holds it as well.
/// let memory = InlineMemory::<u32, char, 2, 16>::new();
/// let mut directory = Directory::new(memory, Policy::GRAPH);
///
/// let now = Instant::ZERO;
/// directory.set_presence(now, 42, 'a', Presence::InACall, None, |_, _| {})?;
/// assert_eq!(directory.presence(now, 42), Presence::InACall);
/// directory.clear_presence(now, 42, 'a', |_, _| {})?;
/// assert_eq!(directory.presence(now, 42), Presence::Offline);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Directory<U, S, const SESSIONS: usize, M, H = DefaultHasher> {
    memory: M,
    policy: Policy,
    hasher: H,
    /// How many places have been taken so far.
    taken: u32,
    /// No place before this one is unused.
    unused_from: u32,
    /// Deadlines that are not near.
    calendar: Calendar,
    /// Entries in the heap of deadlines.
    queued: u32,
    /// Entries in the queue of users with nothing stored.
    forgettable: u32,
    changes: Changes,
    /// Above every revision and version of a user that was forgotten. Rules V1, V2.
    forgotten: u64,
    ids: PhantomData<fn() -> (U, S)>,
}

impl<U, S, const SESSIONS: usize, M> Directory<U, S, SESSIONS, M> {
    /// A directory without users, in this memory, which must be as new: every slot and cell `EMPTY`. O(1), besides moving the
    /// memory where it is inline.
    #[must_use]
    pub const fn new(memory: M, policy: Policy) -> Self {
        Self::with_hasher(memory, policy, DefaultHasher::new())
    }
}

impl<U, S, const SESSIONS: usize, M, H> Directory<U, S, SESSIONS, M, H> {
    /// A directory that hashes user ids with a hasher of the caller's: a keyed one where users choose their own ids.
    /// O(1), besides moving the memory where it is inline.
    #[must_use]
    pub const fn with_hasher(memory: M, policy: Policy, hasher: H) -> Self {
        Self {
            memory,
            policy,
            hasher,
            taken: 0,
            unused_from: 0,
            calendar: Calendar::EMPTY,
            queued: 0,
            forgettable: 0,
            changes: Changes::NONE,
            forgotten: 0,
            ids: PhantomData,
        }
    }

    /// What a directory takes besides its memory, in bytes.
    pub const OWN_BYTES: usize = size_of::<Self>() - size_of::<M>();

    /// The policy. O(1).
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl<U, S, const SESSIONS: usize, M, H> Directory<U, S, SESSIONS, M, H>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// How many users fit. O(1).
    #[must_use]
    pub fn capacity(&self) -> usize {
        let cells = self.memory.index().len().min(self.memory.queue().len());
        self.memory.slots().len().min(self.memory.tags().len()).min(cells).min(u32::MAX as usize >> 1)
    }

    /// How many users have a place, those with nothing stored included. O(1).
    #[must_use]
    pub const fn len(&self) -> usize {
        self.taken as usize
    }

    /// Whether no user has ever had a place. O(1).
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// A user as time was last advanced; `None` for one never heard of, or forgotten. Rule M5. O(1) expected.
    #[must_use]
    pub fn get(&self, user: U) -> Option<&User<S, SESSIONS>> {
        self.find(user).map(|(_, slot)| &slot.user)
    }

    /// Reads a user as it is at `now`, exact however long ago time was advanced: if something is overdue, it is carried
    /// out on a copy. A user never heard of is [`User::new`] (rule M5). O(`SESSIONS`), O(`SESSIONS`²) if something is
    /// overdue.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineMemory};
    /// use presence_core::{Absence, Instant, Policy, Presence};
    ///
    /// let mut directory = Directory::new(InlineMemory::<u8, u8, 2, 4>::new(), Policy::GRAPH);
    /// directory.set_presence(Instant::ZERO, 7, 1, Presence::Away, None, |_, _| {})?;
    /// let read = |secs| directory.read(Instant::from_secs(secs), 7, |user| (user.presence(), user.absence()));
    /// assert_eq!(read(299), (Presence::Away, None));
    /// assert_eq!(read(300), (Presence::Offline, Some(Absence::Expired))); // though nobody has advanced
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    pub fn read<R>(&self, now: Instant, user: U, read: impl FnOnce(&User<S, SESSIONS>) -> R) -> R {
        self.read_found(self.get(user), now, read)
    }

    fn read_found<R>(
        &self,
        found: Option<&User<S, SESSIONS>>,
        now: Instant,
        read: impl FnOnce(&User<S, SESSIONS>) -> R,
    ) -> R {
        let Some(found) = found else { return read(&const { User::new() }) };
        if found.at(now).is_ok() { read(found) } else { read(&self.brought_up_to_date(found, now)) }
    }

    /// A copy on which what is overdue was carried out.
    #[cold]
    #[inline(never)]
    fn brought_up_to_date(&self, user: &User<S, SESSIONS>, now: Instant) -> User<S, SESSIONS> {
        let mut copy = user.clone();
        while let Some(due) = next_due(&copy, now, &self.policy) {
            copy.apply_unchecked(&due);
        }
        copy
    }

    /// What a user publishes at `now`. Rules M4, A1 to A3. O(1) expected; O(`SESSIONS`) where a deadline was put off and no
    /// [`advance`](Self::advance) came to it since; O(`SESSIONS`²) if something is overdue.
    #[must_use]
    #[inline]
    pub fn presence(&self, now: Instant, user: U) -> Presence {
        match self.find(user) {
            None => Presence::Offline,
            // The queue knows of no later deadline than the user's own.
            Some((_, slot)) if !slot.queued.is_due(now) => slot.published,
            Some((_, slot)) => self.presence_if_overdue(&slot.user, now),
        }
    }

    // Out of line: nearly always nothing is overdue.
    #[inline(never)]
    fn presence_if_overdue(&self, user: &User<S, SESSIONS>, now: Instant) -> Presence {
        self.read_found(Some(user), now, User::presence)
    }

    /// A user's version at `now`: it grows exactly when what is visible changes, and 0 means nothing ever has. A new user
    /// starts at [`version_floor`](Self::version_floor), though. Rule V1. O(`SESSIONS`), O(`SESSIONS`²) if something is overdue.
    #[must_use]
    pub fn version(&self, now: Instant, user: U) -> u64 {
        self.read(now, user, User::version)
    }

    /// Why a user is shown as it is at `now`, since when, and what comes next by itself. Rule A4. O(`SESSIONS`²).
    #[must_use]
    pub fn explain(&self, now: Instant, user: U) -> Explanation<S> {
        self.read(now, user, |user| user.explain(&self.policy))
    }

    /// Carries out a command at `now`: brings the user up to date, decides, applies. Every transition that was applied is
    /// handed to `sink`, in order: what time did first, the command's own last; a command that succeeds without changing
    /// anything (rule U4) has none. A new user who finds no unused place makes the directory carry out all that is due
    /// first, so that what is due frees its room (rule S9).
    ///
    /// O(`SESSIONS`), and O(log users) when a deadline moves nearer, or when the user comes to have nothing stored or has
    /// something again; O(`SESSIONS`² + log users) if something of the user is overdue. A new user takes O(1) amortised
    /// more, O(log users) in the place of another; one who finds no unused place while anything is due takes
    /// O(users log users) for a given `SESSIONS`, for any of the users may be due. Only what sets something needs a place.
    ///
    /// # Errors
    ///
    /// Those of the command's decision, and [`CommandError::UsersFull`]. The command has changed nothing then; what time
    /// did stands.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineMemory};
    /// use presence_core::{Cause, Command, Instant, Policy, Presence};
    ///
    /// let mut directory = Directory::new(InlineMemory::<u8, u8, 2, 4>::new(), Policy::GRAPH);
    /// let set = Command::SetPresence { session: 1, presence: Presence::Away, lease: None };
    /// directory.execute(Instant::ZERO, 7, set, |_, _| {})?;
    /// // Its lease is over before it is set again: both are told, each with its own time.
    /// let mut told = Vec::new();
    /// directory.execute(Instant::from_secs(400), 7, set, |user, transition| {
    ///     told.push((user, transition.at(), transition.cause()));
    /// })?;
    /// let expected = [(7, Instant::from_secs(300), Cause::Expired), (7, Instant::from_secs(400), Cause::Set)];
    /// assert_eq!(told, expected);
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    pub fn execute(
        &mut self,
        now: Instant,
        user: U,
        command: Command<S>,
        mut sink: impl FnMut(U, &Transition<S>),
    ) -> Result<(), CommandError> {
        let found = self.find(user).map(|(number, _)| number);
        self.execute_found(found, now, user, command, &mut sink)
    }

    /// [`execute`](Self::execute) for a user who was looked up already.
    fn execute_found(
        &mut self,
        found: Option<u32>,
        now: Instant,
        user: U,
        command: Command<S>,
        sink: &mut impl FnMut(U, &Transition<S>),
    ) -> Result<(), CommandError> {
        if let Some(slot) = found {
            // The queue knows of no later deadline than the user's own.
            if self.slot(slot).is_some_and(|slot| slot.queued.is_due(now)) {
                self.catch_up(slot, now, sink);
            }
            let Some(found) = self.slot(slot) else { return Err(CommandError::UsersFull) };
            let current = UserAt::new_unchecked(&found.user, now, found.published);
            if let Some(transition) = decide(current, command, &self.policy)? {
                self.apply_unchecked(slot, &transition);
                sink(user, &transition);
            }
            return Ok(());
        }
        let mut decided = self.decide_new(now, command);
        if let Err(DecideError::Overdue(_)) = decided {
            self.catch_up_all(now, sink);
            decided = self.decide_new(now, command);
        }
        match decided {
            Ok(None) => Ok(()),
            Ok(Some((room, transition))) => {
                self.settle(room, user, &transition);
                sink(user, &transition);
                Ok(())
            }
            Err(DecideError::Refused(error)) => Err(error),
            // All that was due has been carried out.
            Err(DecideError::Overdue(_)) => Err(CommandError::UsersFull),
        }
    }

    /// [`set_presence`](crate::set_presence) for a user of the directory; see [`execute`](Self::execute). Rules S1 to S3,
    /// S9. O(`SESSIONS`), and whatever more [`execute`](Self::execute) may take.
    ///
    /// # Errors
    ///
    /// [`CommandError::Duration`], [`CommandError::Presence`], [`CommandError::SessionsFull`],
    /// [`CommandError::UsersFull`].
    pub fn set_presence(
        &mut self,
        now: Instant,
        user: U,
        session: S,
        presence: Presence,
        lease: Option<Duration>,
        sink: impl FnMut(U, &Transition<S>),
    ) -> Result<(), CommandError> {
        self.execute(now, user, Command::SetPresence { session, presence, lease }, sink)
    }

    /// [`clear_presence`](crate::clear_presence) for a user of the directory; see [`execute`](Self::execute). It never
    /// needs a place. Rules S5, S6. O(`SESSIONS`), O(`SESSIONS` + log users) for the last session, O(`SESSIONS`² + log
    /// users) if something of the user is overdue.
    ///
    /// # Errors
    ///
    /// [`NotFound`] when the user has no such session.
    pub fn clear_presence(
        &mut self,
        now: Instant,
        user: U,
        session: S,
        sink: impl FnMut(U, &Transition<S>),
    ) -> Result<(), NotFound> {
        self.execute(now, user, Command::ClearPresence { session }, sink).map_err(|_| NotFound)
    }

    /// [`set_preferred_presence`](crate::set_preferred_presence) for a user of the directory; see
    /// [`execute`](Self::execute). Rules U1 to U3. O(`SESSIONS`), and whatever more `execute` may take.
    ///
    /// # Errors
    ///
    /// [`CommandError::Duration`], [`CommandError::Presence`], [`CommandError::UsersFull`].
    pub fn set_preferred_presence(
        &mut self,
        now: Instant,
        user: U,
        presence: Presence,
        duration: Option<Duration>,
        sink: impl FnMut(U, &Transition<S>),
    ) -> Result<(), CommandError> {
        self.execute(now, user, Command::SetPreferredPresence { presence, duration }, sink)
    }

    /// [`clear_preferred_presence`](crate::clear_preferred_presence) for a user of the directory; see
    /// [`execute`](Self::execute). It always succeeds (rule U4), and never needs a place. O(`SESSIONS`),
    /// O(`SESSIONS` + log users) if nothing else is stored, O(`SESSIONS`² + log users) if something of the user is overdue.
    pub fn clear_preferred_presence(&mut self, now: Instant, user: U, sink: impl FnMut(U, &Transition<S>)) {
        // The only command that no decision refuses, and that never needs a place.
        let _ = self.execute(now, user, Command::ClearPreferredPresence, sink);
    }

    /// Decides a command without applying anything, for those who write to a journal in between; `None` when it succeeds
    /// without anything to apply. What is due is left to [`advance`](Self::advance). Rules S7 to S9, M4. O(`SESSIONS`).
    ///
    /// # Errors
    ///
    /// [`DecideError::Overdue`] when the user, or room for a new one, waits for something that is due at `now`:
    /// [`advance`](Self::advance) first. [`DecideError::Refused`] as [`execute`](Self::execute).
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineMemory};
    /// use presence_core::{Command, Instant, Policy, Presence};
    ///
    /// let mut directory = Directory::new(InlineMemory::<u8, u8, 2, 4>::new(), Policy::GRAPH);
    /// let mut journal = Vec::new();
    /// let command = Command::SetPresence { session: 1, presence: Presence::Away, lease: None };
    /// if let Some(transition) = directory.decide(Instant::ZERO, 7, command)? {
    ///     assert_eq!(directory.presence(Instant::ZERO, 7), Presence::Offline);
    ///     journal.push((7, transition)); // written first, then applied
    ///     directory.apply(7, &transition)?;
    /// }
    /// assert_eq!(directory.presence(Instant::ZERO, 7), Presence::Away);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn decide(&self, now: Instant, user: U, command: Command<S>) -> Result<Option<Transition<S>>, DecideError> {
        match self.get(user) {
            Some(found) => Ok(decide(found.at(now)?, command, &self.policy)?),
            None => Ok(self.decide_new(now, command)?.map(|(_, transition)| transition)),
        }
    }

    /// Decides a command for a user without a place, and which place it will be.
    fn decide_new(&self, now: Instant, command: Command<S>) -> Result<Option<(Vacancy, Transition<S>)>, DecideError> {
        let room = self.vacancy();
        let start: User<S, SESSIONS> = User::with_version(room.map_or(0, |room| self.number_for(room)));
        let Some(transition) = decide(start.at(now)?, command, &self.policy)? else { return Ok(None) };
        match (room, self.next_deadline()) {
            (Some(Vacancy::Unused), _) => Ok(Some((Vacancy::Unused, transition))),
            // Which place is given away must not depend on how late time is advanced (rule M4).
            (_, Some(deadline)) if deadline.is_due(now) => Err(OverdueError { deadline }.into()),
            (Some(room), _) => Ok(Some((room, transition))),
            (None, _) => Err(CommandError::UsersFull.into()),
        }
    }

    /// Applies a transition that [`decide`](Self::decide) made, and gives a new user its place. Rules S7, V2.
    /// O(`SESSIONS`), and O(log users) when a deadline moves nearer, or when the user comes to have nothing stored or has
    /// something again. A new user takes O(1) amortised more, O(log users) in the place of another.
    ///
    /// # Errors
    ///
    /// As [`User::apply`], and [`ApplyError::Full`] when a new user finds no place. Nothing is changed then.
    pub fn apply(&mut self, user: U, transition: &Transition<S>) -> Result<(), ApplyError> {
        if let Some((number, _)) = self.find(user) {
            return self.apply_at(number, transition);
        }
        let room = self.vacancy().ok_or(ApplyError::Full)?;
        let mut fresh: User<S, SESSIONS> = User::with_version(self.number_for(room));
        fresh.apply(transition)?;
        self.settle(room, user, transition);
        Ok(())
    }

    /// Shifts every stored instant of every user: the moment the clock called `from` is now called `to`. Rule C2.
    /// O(capacity + users × (`SESSIONS` + log users)).
    ///
    /// What was decided before is stale, also about users without a place: new ones start above the revision it tells.
    ///
    /// # Errors
    ///
    /// [`OverdueError`] while something is due at `from`: [`advance`](Self::advance) first. Nothing is changed then.
    pub fn rebase(&mut self, from: Instant, to: Instant) -> Result<(), OverdueError> {
        for (_, user) in self.users() {
            user.at(from)?;
        }
        for slot in self.memory.parts().slots.iter_mut().filter(|slot| slot.id.is_some()) {
            slot.user.rebase(from, to)?;
        }
        self.forgotten = self.forgotten.saturating_add(1);
        self.queue_all_anew(to);
        self.reorder_forgettable();
        Ok(())
    }
}

/// How many of its places are taken; never the users themselves, for a log line has an end.
#[cfg(feature = "defmt")]
impl<U, S, const SESSIONS: usize, M, H> defmt::Format for Directory<U, S, SESSIONS, M, H> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Directory({=u32} users)", self.taken);
    }
}

/// Why [`Directory::decide`] decided nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DecideError {
    /// Something is due first, or may be: [`Directory::advance`] until it is idle.
    Overdue(OverdueError),
    /// The command was refused.
    Refused(CommandError),
}

impl From<OverdueError> for DecideError {
    fn from(error: OverdueError) -> Self {
        Self::Overdue(error)
    }
}

impl From<CommandError> for DecideError {
    fn from(error: CommandError) -> Self {
        Self::Refused(error)
    }
}

impl core::fmt::Display for DecideError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Overdue(error) => error.fmt(f),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for DecideError {}
