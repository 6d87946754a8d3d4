//! Groups: rows that are stored together or not at all.

use super::Metadata;
use presence_core::{Instant, SessionId, UserId};

/// The kind of record in a row of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Record {
    /// A user's sessions and preferred presence: the library's snapshot.
    User = 0,
    /// A user's details: the library's snapshot of details.
    Details = 1,
    /// As [`User`](Self::User), after the id of the application that the user counts for.
    CreatedUser = 2,
    /// What no longer counts, overwritten.
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

/// A row of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The row's number.
    pub number: i64,
    /// The kind of its record.
    pub record: Record,
    /// The user that the record belongs to; of no meaning in a scrubbed row.
    pub user: UserId,
    /// The unshifted instant at which the record was taken; of no meaning in a scrubbed row.
    pub taken_at: Instant,
    /// The record; empty if nothing is left to store.
    pub bytes: &'a [u8],
}

/// The head of a row, and the end of its bytes in the group's.
#[derive(Debug)]
struct Head {
    record: Record,
    user: UserId,
    taken_at: Instant,
    end: usize,
}

/// Rows and metadata that are stored together or not at all.
#[derive(Debug, Default)]
pub struct Group {
    heads: Vec<Head>,
    bytes: Vec<u8>,
    /// The metadata, if it changed. Its number is that of the earlier one and 1.
    pub metadata: Option<Metadata>,
    /// The rows whose bytes must not be left anywhere, because newer rows count and they hold texts.
    ///
    /// When they are gone, and whether such a row is passed to readers as it was or as [`Record::Scrubbed`] meanwhile, is the
    /// journal's matter.
    pub removed: Vec<i64>,
    /// The users who are erased: the same holds for all their rows before those of this group.
    pub erased: Vec<UserId>,
}

impl Group {
    /// Adds the record of a user that counts for an application.
    pub fn push_created(&mut self, user: UserId, taken_at: Instant, creator: SessionId, bytes: &[u8]) {
        self.bytes.extend_from_slice(&creator.to_bytes());
        self.push(Record::CreatedUser, user, taken_at, bytes);
    }

    /// Adds a row, taken at this unshifted instant; empty bytes record that nothing is left to store.
    pub fn push(&mut self, record: Record, user: UserId, taken_at: Instant, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.heads.push(Head { record, user, taken_at, end: self.bytes.len() });
    }

    /// Returns the rows in order, the first with this number.
    pub fn rows(&self, first: i64) -> impl Iterator<Item = Row<'_>> {
        let mut start = 0;
        self.heads.iter().zip(first..).map(move |(head, number)| {
            let bytes = self.bytes.get(start..head.end).unwrap_or_default();
            start = head.end;
            let Head { record, user, taken_at, .. } = *head;
            Row { number, record, user, taken_at, bytes }
        })
    }

    /// Returns the number of rows.
    pub const fn count(&self) -> usize {
        self.heads.len()
    }

    /// Reports whether the group would store and remove nothing.
    pub fn writes_nothing(&self) -> bool {
        self.heads.is_empty() && self.metadata.is_none() && self.removed.is_empty()
    }

    /// Empties the group, and keeps its memory for the next one.
    pub fn clear(&mut self) {
        let Self { heads, bytes, metadata, removed, erased } = self;
        heads.clear();
        bytes.clear();
        *metadata = None;
        removed.clear();
        erased.clear();
    }
}
