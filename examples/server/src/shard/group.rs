//! What is made durable together, and who is told when it is.

use super::job::Answer;
use super::journal::Marks;
use presence_core::directory::Cursor;
use presence_core::{Instant, UserId};

/// What a row of the journal is a record of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Record {
    /// A user's sessions and preferred presence: the library's snapshot.
    User = 0,
    /// What a user tells beside that: the library's snapshot of details.
    Told = 1,
}

impl Record {
    /// The record with this number.
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::User),
            1 => Some(Self::Told),
            _ => None,
        }
    }
}

/// What a row says of the rest of the journal, as it is when it has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// The oldest row that is still needed.
    pub oldest: i64,
    /// The number of the marks.
    pub marks: u64,
}

impl Default for Rest {
    fn default() -> Self {
        Self { oldest: 1, marks: 0 }
    }
}

/// A row to be written; where its bytes end in the group's.
#[derive(Debug)]
struct Row {
    row: i64,
    record: Record,
    user: UserId,
    taken_at: Instant,
    end: usize,
}

/// A row to be written, with its bytes.
#[derive(Clone, Copy, Debug)]
pub struct NewRow<'a> {
    /// Its place in the log.
    pub row: i64,
    /// What it is a record of.
    pub record: Record,
    /// Whose.
    pub user: UserId,
    /// The moment that it is of.
    pub taken_at: Instant,
    /// The record; nothing if there is nothing any more.
    pub bytes: &'a [u8],
}

/// What is made durable in one transaction, and the answers that wait for it.
#[derive(Debug, Default)]
pub struct Group {
    rows: Vec<Row>,
    bytes: Vec<u8>,
    /// The marks, if they changed.
    pub marks: Option<Marks>,
    /// What its rows say of the rest. Rows before the oldest go with it, if it has any.
    pub rest: Rest,
    /// How many of the oldest rows the writer wants to look at next.
    pub look_at: usize,
    /// Where the directory's changes were when it was closed.
    pub cursor: Cursor,
    /// Who waits for it.
    pub answers: Vec<Answer>,
}

impl Group {
    /// Adds a row with these bytes, none if there is nothing any more.
    pub fn push(&mut self, row: i64, record: Record, user: UserId, taken_at: Instant, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.rows.push(Row { row, record, user, taken_at, end: self.bytes.len() });
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = NewRow<'_>> {
        let mut start = 0;
        self.rows.iter().map(move |row| {
            let bytes = self.bytes.get(start..row.end).unwrap_or_default();
            start = row.end;
            let Row { row, record, user, taken_at, .. } = *row;
            NewRow { row, record, user, taken_at, bytes }
        })
    }

    /// How many rows it has.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the disk need not be touched for it.
    pub const fn writes_nothing(&self) -> bool {
        self.rows.is_empty() && self.marks.is_none()
    }

    /// Empties it, and keeps its memory.
    pub fn clear(&mut self) {
        let (mut rows, mut bytes, mut answers) =
            (std::mem::take(&mut self.rows), std::mem::take(&mut self.bytes), std::mem::take(&mut self.answers));
        rows.clear();
        bytes.clear();
        answers.clear();
        *self = Self { rows, bytes, answers, ..Self::default() };
    }
}
