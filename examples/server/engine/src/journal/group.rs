//! Groups: rows that become durable in one transaction, with the responses that wait for it.

use super::sqlite::copying::CopyOrder;
use crate::journal::sqlite::Metadata;
use crate::shard::job::Response;
use presence_core::directory::Cursor;
use presence_core::{Instant, SessionId, UserId};

/// The kind of record in a row of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Record {
    /// A user's sessions and preferred presence: the library's snapshot.
    User = 0,
    /// A user's details: the library's snapshot of details.
    Details = 1,
    /// As [`User`](Self::User), after the id of the application that the user counts for.
    CreatedUser = 2,
    /// What no longer counts, overwritten. Instead of an instant the row has the number of the newest row at that time, without
    /// which it could not be told from a record that was lost.
    Scrubbed = 3,
    /// A mark without content: the earlier rows of an erased user hold nothing that counts, and are to be overwritten.
    Erased = 4,
}

impl Record {
    /// Returns the kind with this number.
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::User),
            1 => Some(Self::Details),
            2 => Some(Self::CreatedUser),
            3 => Some(Self::Scrubbed),
            4 => Some(Self::Erased),
            _ => None,
        }
    }

    /// Returns the record that a row of this kind holds; the newest row of each record counts.
    pub const fn kind(self) -> Self {
        match self {
            Self::User | Self::CreatedUser => Self::User,
            Self::Details | Self::Scrubbed | Self::Erased => self,
        }
    }
}

/// The state of the journal after a row was written. Each row holds it, so that missing rows are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalState {
    /// The oldest row that is still needed.
    pub oldest: i64,
    /// The number of the metadata.
    pub metadata: u64,
}

impl Default for JournalState {
    fn default() -> Self {
        Self { oldest: 1, metadata: 0 }
    }
}

/// A row to write, and the end of its bytes in the group's.
#[derive(Debug)]
struct Row {
    row: i64,
    record: Record,
    user: UserId,
    taken_at: Instant,
    end: usize,
}

/// A row to write, with its bytes.
#[derive(Clone, Copy, Debug)]
pub struct NewRow<'a> {
    /// The row's number.
    pub row: i64,
    /// The kind of its record.
    pub record: Record,
    /// The user that the record belongs to.
    pub user: UserId,
    /// The unshifted instant at which the record was taken.
    pub taken_at: Instant,
    /// The record; empty if nothing is left to store.
    pub bytes: &'a [u8],
}

/// Rows that become durable in one transaction, and the responses that wait for it.
#[derive(Debug, Default)]
pub struct Group {
    rows: Vec<Row>,
    bytes: Vec<u8>,
    /// The metadata, if it changed.
    pub metadata: Option<Metadata>,
    /// The state that each row records. If the group has rows, those before the oldest are deleted with it.
    pub journal_state: JournalState,
    /// The rows to overwrite, because they hold texts and newer rows count.
    pub stale_texts: Vec<i64>,
    /// The users who are erased: their rows before those of this group are overwritten later.
    pub erased: Vec<UserId>,
    /// The number of the newest row, after the commit.
    pub last_row: i64,
    /// The first row to return for review after the commit.
    pub review_from: i64,
    /// The number of rows to return for review after the commit.
    pub review_count: usize,
    /// The cursor of the latest change in the group.
    pub cursor: Cursor,
    /// The responses to send after the commit.
    pub responses: Vec<Response>,
    /// An order to copy the journal after the commit.
    pub copy: Option<Box<CopyOrder>>,
}

impl Group {
    /// Adds the record of a user that counts for an application.
    pub fn push_created(&mut self, row: i64, user: UserId, taken_at: Instant, creator: SessionId, bytes: &[u8]) {
        self.bytes.extend_from_slice(&creator.to_bytes());
        self.push(row, Record::CreatedUser, user, taken_at, bytes);
    }

    /// Adds a row, taken at this unshifted instant; empty bytes record that nothing is left to store.
    pub fn push(&mut self, row: i64, record: Record, user: UserId, taken_at: Instant, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.rows.push(Row { row, record, user, taken_at, end: self.bytes.len() });
    }

    /// Returns the rows in order.
    pub fn rows(&self) -> impl Iterator<Item = NewRow<'_>> {
        let mut start = 0;
        self.rows.iter().map(move |row| {
            let bytes = self.bytes.get(start..row.end).unwrap_or_default();
            start = row.end;
            let Row { row, record, user, taken_at, .. } = *row;
            NewRow { row, record, user, taken_at, bytes }
        })
    }

    /// Returns the number of rows.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Reports whether committing the group would write nothing.
    pub fn writes_nothing(&self) -> bool {
        self.rows.is_empty() && self.metadata.is_none() && self.stale_texts.is_empty()
    }

    /// Empties the group, and keeps its memory for the next one.
    pub fn clear(&mut self) {
        let (mut rows, mut bytes, mut responses) =
            (std::mem::take(&mut self.rows), std::mem::take(&mut self.bytes), std::mem::take(&mut self.responses));
        rows.clear();
        bytes.clear();
        responses.clear();
        *self = Self { rows, bytes, responses, ..Self::default() };
    }
}
