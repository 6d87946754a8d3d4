//! The index of a journal: the newest row of every record. The writer needs it to append rows and to drop stale ones.

use super::details::UserDetails;
use super::state::State;
use super::users::{MAX_SESSIONS, Users};
use crate::clock::Shift;
use crate::journal::{Group, Metadata, Position, Record, Row};
use presence_core::graph::TextBuffer;
use presence_core::{Instant, SessionId, User, UserId, snapshot};
use std::collections::HashSet;

/// The number of stale rows that may pile up before they are dropped.
const SLACK: usize = if cfg!(test) { 4 } else { 4096 };
/// The most rows to review after one commit, unless the commit itself is large.
const MAX_REVIEW: usize = if cfg!(test) { 64 } else { 1024 };
/// The longest time, in milliseconds, for which the clock's progress stays out of the metadata.
const CLOCK_INTERVAL: u64 = 1000;

const USER_LEN: usize = snapshot::max_len::<SessionId, MAX_SESSIONS>();
const DETAILS_LEN: usize = snapshot::max_details_len::<{ TextBuffer::CAPACITY }>();

/// A stored row without its bytes, to be dropped once a newer row holds its record.
#[derive(Clone, Copy, Debug)]
pub struct StaleRow {
    /// The row's number.
    pub row: i64,
    /// The kind of its record.
    pub record: Record,
    /// The user that the record belongs to.
    pub user: UserId,
    /// True if nothing was left to store.
    pub is_empty: bool,
}

impl StaleRow {
    /// Returns a row without its bytes.
    pub const fn of(row: &Row<'_>) -> Self {
        Self { row: row.number, record: row.record, user: row.user, is_empty: row.bytes.is_empty() }
    }
}

/// The contents of a shard's journal, as its writer knows them.
#[derive(Debug)]
pub struct JournalIndex {
    /// The newest row of the user in each slot of the directory, 0 if there is none, and that user.
    newest: Box<[(i64, UserId)]>,
    /// The first row that may still count; those before it were reviewed.
    pub first_row: i64,
    /// The number of the next row.
    pub next_row: i64,
    /// The metadata that is durable, or about to be.
    pub metadata: Metadata,
    /// Rows that hold texts and no longer count, to be overwritten.
    pub stale_texts: Vec<i64>,
    /// The shift of the state, which the metadata gets with the next group.
    pub shift: Shift,
}

impl JournalIndex {
    /// Creates the index of an empty journal, for a directory of this capacity.
    pub fn new(capacity: usize) -> Self {
        let newest = vec![(0, UserId::from_bytes([0; 16])); capacity].into_boxed_slice();
        Self {
            newest,
            first_row: 1,
            next_row: 1,
            metadata: Metadata::default(),
            stale_texts: Vec::new(),
            shift: Shift::default(),
        }
    }

    /// Follows the users of a directory to their slots in another one, which has more.
    pub fn move_slots<const SESSIONS: usize>(&mut self, from: &Users<SESSIONS>, to: &Users<SESSIONS>) {
        let Self { newest, .. } = Self::new(to.capacity());
        let earlier = std::mem::replace(&mut self.newest, newest);
        for (user, _) in from.users_from(0, from.capacity()).0 {
            let slots = from.handle(user).zip(to.handle(user)).map(|(from, to)| (from.index(), to.index()));
            // The row of a user that this one has evicted goes with it, until it is written.
            let rows = slots.and_then(|(from, to)| earlier.get(from).zip(self.newest.get_mut(to)));
            if let Some((earlier, newest)) = rows {
                *newest = *earlier;
            }
        }
    }

    /// Records the newest row of a user, if the user is in the directory.
    pub fn set_newest<const SESSIONS: usize>(&mut self, users: &Users<SESSIONS>, user: UserId, row: i64) {
        if let Some(newest) = users.handle(user).and_then(|handle| self.newest.get_mut(handle.index())) {
            *newest = (row, user);
        }
    }

    /// Returns the user that `user` has evicted, if the journal still has a record of it.
    pub fn evicted_by<const SESSIONS: usize>(&self, users: &Users<SESSIONS>, user: UserId) -> Option<UserId> {
        let (row, earlier) = *self.newest.get(users.handle(user)?.index())?;
        (row != 0 && earlier != user && users.handle(earlier).is_none()).then_some(earlier)
    }

    fn allocate_row(&mut self) -> i64 {
        let row = self.next_row;
        self.next_row += 1;
        row
    }

    /// Appends a user's current record; an empty one for a user that was evicted.
    pub fn append_user<const SESSIONS: usize>(
        &mut self,
        group: &mut Group,
        state: &State<SESSIONS>,
        user: UserId,
        now: Instant,
    ) {
        let row = self.allocate_row();
        let mut buffer = [0; USER_LEN];
        let mut saved = None;
        if state.users.handle(user).is_some() {
            // A read has applied all that is due, so `at` succeeds; and the buffer holds the longest snapshot.
            let save = |found: &User<SessionId, SESSIONS>| {
                snapshot::save(found.at(now).ok()?, &mut buffer).ok().map(<[u8]>::len)
            };
            saved = state.users.read(now, user, save);
            self.set_newest(&state.users, user, row);
        }
        let taken_at = self.shift.to_unshifted(now);
        let bytes = saved.and_then(|len| buffer.get(..len)).unwrap_or_default();
        match state.creators.get(user).filter(|_| !bytes.is_empty()) {
            Some(creator) => group.push_created(user, taken_at, creator, bytes),
            None => group.push(Record::User, user, taken_at, bytes),
        }
    }

    /// Appends a mark that a user is erased. The user's current record must follow in the same group.
    pub fn append_erased(&mut self, group: &mut Group, user: UserId, now: Instant) {
        self.allocate_row();
        group.push(Record::Erased, user, self.shift.to_unshifted(now), &[]);
        group.erased.push(user);
    }

    /// Appends a user's details, of which nothing may be due; an empty record if none are left. Their earlier row is scrubbed.
    pub fn append_details<const SESSIONS: usize>(
        &mut self,
        group: &mut Group,
        state: &mut State<SESSIONS>,
        user: UserId,
        now: Instant,
    ) {
        let row = self.allocate_row();
        let mut buffer = [0; DETAILS_LEN];
        let save = |details: &UserDetails| {
            // The buffer holds the longest snapshot.
            snapshot::save_details(details.at(now).ok()?, &mut buffer).ok().map(<[u8]>::len)
        };
        let saved = state.details.get(user).and_then(save);
        let taken_at = self.shift.to_unshifted(now);
        group.push(Record::Details, user, taken_at, saved.and_then(|len| buffer.get(..len)).unwrap_or_default());
        group.removed.extend(state.details.newest_row(user).filter(|earlier| *earlier != 0));
        state.details.set_newest_row(user, row);
    }

    /// Reviews one of the oldest rows before it is dropped. A record without a newer row is marked to be written again.
    pub fn review<const SESSIONS: usize>(
        &mut self,
        stale: &StaleRow,
        state: &State<SESSIONS>,
        dirty_users: &mut HashSet<UserId>,
        dirty_details: &mut HashSet<UserId>,
    ) {
        self.first_row = stale.row + 1;
        let is_newest = match stale.record {
            Record::User | Record::CreatedUser => {
                let handle = state.users.handle(stale.user);
                handle.is_some_and(|handle| self.newest.get(handle.index()).is_some_and(|newest| newest.0 == stale.row))
            }
            Record::Details => state.details.newest_row(stale.user) == Some(stale.row),
            Record::Scrubbed | Record::Erased => false,
        };
        if is_newest && !stale.is_empty {
            match stale.record {
                Record::User | Record::CreatedUser => dirty_users.insert(stale.user),
                Record::Details => dirty_details.insert(stale.user),
                Record::Scrubbed | Record::Erased => false,
            };
        }
    }

    /// Returns how many of the oldest rows to review after this group.
    ///
    /// That is more than the group appends, so that the journal never has much more than two rows for each record. It is 0
    /// for a group without rows, because such a group deletes none.
    pub fn review_count<const SESSIONS: usize>(&self, state: &State<SESSIONS>, group: &Group) -> usize {
        let rows = usize::try_from(self.next_row - self.first_row).unwrap_or(usize::MAX);
        let wanted = 2 * (state.users.len() + state.details.len()) + SLACK;
        if rows > wanted && group.count() > 0 {
            (3 * group.count() + 64).min(MAX_REVIEW.max(2 * group.count()))
        } else {
            0
        }
    }

    /// Returns the position behind all rows and metadata so far.
    pub const fn position(&self) -> Position {
        Position { row: self.next_row - 1, metadata: self.metadata.number }
    }

    /// Reports whether the state has a shift that the metadata lacks.
    pub fn is_shifted(&self) -> bool {
        self.shift != self.metadata.shift
    }

    /// Updates the metadata and returns it, if it must be written.
    ///
    /// A changed virtual clock, version floor or shift must be written at once, since responses rely on them; the progress of
    /// the clock alone once an interval.
    pub fn changed_metadata(&mut self, now: Instant, virtual_now: u64, version_floor: u64) -> Option<Metadata> {
        let is_required = virtual_now != self.metadata.virtual_now
            || version_floor != self.metadata.version_floor
            || self.is_shifted();
        let newest = self.shift.to_unshifted(now).as_millis();
        if !is_required && newest < self.metadata.newest.saturating_add(CLOCK_INTERVAL) {
            return None;
        }
        let (number, shift) = (self.metadata.number + 1, self.shift);
        self.metadata = Metadata { number, version_floor, virtual_now, newest, shift };
        Some(self.metadata)
    }
}
