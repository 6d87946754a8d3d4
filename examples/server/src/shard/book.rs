//! Which rows of the journal count: the newest of every record. What is needed to append, and to take old rows away.

use super::group::{Group, Record};
use super::journal::{Marks, Old};
use super::users::{SESSIONS, Users};
use presence_core::{Instant, SessionId, UserId, snapshot};

/// Rows that may pile up before old ones are taken away.
const SLACK: i64 = 4096;
/// Most rows that are looked at after one commit.
const LOOK_AT: usize = 1024;
/// How far a clock may go before it is noted, in milliseconds.
const NOTE_CLOCK: u64 = 1000;

/// The state of a shard's journal, as its writer knows it.
#[derive(Debug)]
pub struct Book {
    /// The newest row of the user in each place of the directory.
    newest: Box<[i64]>,
    /// The oldest row there is.
    pub first_row: i64,
    /// The row that comes next.
    pub next_row: i64,
    /// The marks as they are durable, or about to be.
    pub marks: Marks,
    buffer: [u8; snapshot::max_len::<SessionId, SESSIONS>()],
}

impl Book {
    /// A book about a journal without rows.
    pub fn new(capacity: usize) -> Self {
        Self {
            newest: vec![0; capacity].into_boxed_slice(),
            first_row: 1,
            next_row: 1,
            marks: Marks::default(),
            buffer: [0; _],
        }
    }

    /// Notes that this is the newest row of a user who has a place.
    pub fn note(&mut self, users: &Users, user: UserId, row: i64) {
        if let Some(newest) = users.handle(user).and_then(|handle| self.newest.get_mut(handle.index())) {
            *newest = row;
        }
    }

    /// Appends the record of a user as it is now; an empty one for a user who has lost its place.
    pub fn append(&mut self, group: &mut Group, users: &Users, user: UserId, now: Instant) {
        let row = self.next_row;
        self.next_row += 1;
        if users.handle(user).is_none() {
            return group.push(row, Record::User, user, now, &[]);
        }
        self.note(users, user, row);
        let buffer = &mut self.buffer;
        // What is overdue was carried out on what is read, so nothing is; and the buffer is as long as a snapshot can be.
        let bytes = users.read(user, now, |found| {
            found.at(now).ok().and_then(|found| snapshot::take(found, buffer).ok().map(<[u8]>::len))
        });
        let bytes = bytes.and_then(|len| self.buffer.get(..len)).unwrap_or_default();
        group.push(row, Record::User, user, now, bytes);
    }

    /// Whether a row is the newest of its record, and says something.
    pub fn counts(&self, users: &Users, old: &Old) -> bool {
        match old.record {
            Record::User => {
                let handle = users.handle(old.user);
                !old.is_empty && handle.is_some_and(|handle| self.newest.get(handle.index()) == Some(&old.row))
            }
        }
    }

    /// How many of the oldest rows are to be looked at, after a group with so many rows: more than it appends, so that
    /// there are never much more than two rows for each user.
    pub fn look_at(&self, users: &Users, appended: usize) -> usize {
        let rows = self.next_row - self.first_row;
        let wanted = 2 * i64::try_from(users.len()).unwrap_or(i64::MAX / 2) + SLACK;
        if rows > wanted { (3 * appended + 64).min(LOOK_AT) } else { 0 }
    }

    /// The marks, if they must be written: something in them changed that is promised, or the clock has gone on.
    pub fn changed_marks(&mut self, now: Instant, virtual_now: u64, forgotten: u64) -> Option<Marks> {
        let is_promised = virtual_now != self.marks.virtual_now || forgotten != self.marks.forgotten;
        if !is_promised && now.as_millis() < self.marks.newest.saturating_add(NOTE_CLOCK) {
            return None;
        }
        self.marks = Marks { forgotten, virtual_now, newest: now.as_millis() };
        Some(self.marks)
    }
}
