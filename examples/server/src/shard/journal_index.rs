//! Which rows of the journal count: the newest of every record. What is needed to append, and to take old rows away.

use super::group::{Group, Record, Rest};
use super::journal::{Marks, Old};
use super::state::State;
use super::users::{SESSIONS, Users};
use presence_core::graph::TextBuffer;
use presence_core::{Instant, SessionId, User, UserId, snapshot};
use std::collections::HashSet;

/// Rows that may pile up before old ones are taken away.
const SLACK: usize = if cfg!(test) { 4 } else { 4096 };
/// Most rows that are looked at after one commit, unless it was of more than half as many.
const LOOK_AT: usize = if cfg!(test) { 64 } else { 1024 };
/// How far a clock may go before it is noted, in milliseconds.
const NOTE_CLOCK: u64 = 1000;

const USER_LEN: usize = snapshot::max_len::<SessionId, SESSIONS>();
const TOLD_LEN: usize = snapshot::max_details_len::<{ TextBuffer::CAPACITY }>();

/// The state of a shard's journal, as its writer knows it.
#[derive(Debug)]
pub struct Book {
    /// The newest row of the user in each place of the directory, 0 if there is none, and whose it is.
    newest: Box<[(i64, UserId)]>,
    /// The oldest row there is.
    pub first_row: i64,
    /// The row that comes next.
    pub next_row: i64,
    /// The marks as they are durable, or about to be.
    pub marks: Marks,
}

impl Book {
    /// A book about a journal without rows.
    pub fn new(capacity: usize) -> Self {
        let newest = vec![(0, UserId::from_bytes([0; 16])); capacity].into_boxed_slice();
        Self { newest, first_row: 1, next_row: 1, marks: Marks::default() }
    }

    /// Notes that this is the newest row of a user, if it has a place.
    pub fn note(&mut self, users: &Users, user: UserId, row: i64) {
        if let Some(newest) = users.handle(user).and_then(|handle| self.newest.get_mut(handle.index())) {
            *newest = (row, user);
        }
    }

    /// Who has lost its place to this user since the newest row of whoever has it.
    pub fn lost_to(&self, users: &Users, user: UserId) -> Option<UserId> {
        let (row, old) = *self.newest.get(users.handle(user)?.index())?;
        (row != 0 && old != user && users.handle(old).is_none()).then_some(old)
    }

    fn take_row(&mut self) -> i64 {
        let row = self.next_row;
        self.next_row += 1;
        row
    }

    /// Appends the record of a user as it is now; an empty one for a user who has lost its place.
    pub fn append_user(&mut self, group: &mut Group, state: &State, user: UserId, now: Instant) {
        let row = self.take_row();
        let mut buffer = [0; USER_LEN];
        let mut taken = None;
        if state.users.handle(user).is_some() {
            // What is overdue was carried out on what is read, so nothing is; and the buffer is as long as a snapshot can be.
            let take = |found: &User<SessionId, SESSIONS>| {
                snapshot::save(found.at(now).ok()?, &mut buffer).ok().map(<[u8]>::len)
            };
            taken = state.users.read(now, user, take);
            self.note(&state.users, user, row);
        }
        group.push(row, Record::User, user, now, taken.and_then(|len| buffer.get(..len)).unwrap_or_default());
    }

    /// Appends what a user tells, of which nothing is overdue; an empty record if it is nothing any more.
    pub fn append_told(&mut self, group: &mut Group, state: &mut State, user: UserId, now: Instant) {
        let row = self.take_row();
        let mut buffer = [0; TOLD_LEN];
        let taken = state.kept.get(user).and_then(|told| {
            // The buffer is as long as it can be.
            snapshot::save_details(told.at(now).ok()?, &mut buffer).ok().map(<[u8]>::len)
        });
        group.push(row, Record::Told, user, now, taken.and_then(|len| buffer.get(..len)).unwrap_or_default());
        state.kept.note_row(user, row);
    }

    /// Looks at one of the oldest rows, which is about to go: what still counts is written anew.
    pub fn look_at_old(&mut self, old: &Old, state: &State, touched: &mut HashSet<UserId>, told: &mut HashSet<UserId>) {
        self.first_row = old.row + 1;
        let counts = match old.record {
            Record::User => {
                let handle = state.users.handle(old.user);
                handle.is_some_and(|handle| self.newest.get(handle.index()).is_some_and(|newest| newest.0 == old.row))
            }
            Record::Told => state.kept.row(old.user) == Some(old.row),
        };
        if counts && !old.is_empty {
            match old.record {
                Record::User => touched.insert(old.user),
                Record::Told => told.insert(old.user),
            };
        }
    }

    /// How many of the oldest rows are to be looked at after this group: more than it appends, so that there are never
    /// much more than two rows for each record. None after a group without rows: nothing goes with it.
    pub fn look_at(&self, state: &State, group: &Group) -> usize {
        let rows = usize::try_from(self.next_row - self.first_row).unwrap_or(usize::MAX);
        let wanted = 2 * (state.users.len() + state.kept.len()) + SLACK;
        if rows > wanted && group.len() > 0 { (3 * group.len() + 64).min(LOOK_AT.max(2 * group.len())) } else { 0 }
    }

    /// What rows say of the rest that are written now.
    pub const fn rest(&self) -> Rest {
        Rest { oldest: self.first_row, marks: self.marks.number }
    }

    /// The marks, if they must be written: something in them changed that is promised, or the clock has gone on.
    pub fn changed_marks(&mut self, now: Instant, virtual_now: u64, forgotten: u64) -> Option<Marks> {
        let is_promised = virtual_now != self.marks.virtual_now || forgotten != self.marks.forgotten;
        if !is_promised && now.as_millis() < self.marks.newest.saturating_add(NOTE_CLOCK) {
            return None;
        }
        self.marks = Marks { number: self.marks.number + 1, forgotten, virtual_now, newest: now.as_millis() };
        Some(self.marks)
    }
}
