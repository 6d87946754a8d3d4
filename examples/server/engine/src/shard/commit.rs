//! Commits: groups on their way to the journal, with the responses that wait for them.

use super::job::Response;
use crate::journal::copying::CopyOrder;
use crate::journal::{Group, Position};
use presence_core::directory::Cursor;

/// A group of rows to append to the journal, and what happens when it is durable.
#[derive(Debug, Default)]
pub struct Commit {
    /// The position at which the journal is before it.
    pub expected: Position,
    /// The rows and the metadata.
    pub group: Group,
    /// The first row that may still count when the group is durable; those before it are trimmed.
    pub first_row: i64,
    /// The number of rows, from that one on, to return for review.
    pub review_count: usize,
    /// The cursor of the latest change in the group.
    pub cursor: Cursor,
    /// The order to copy the journal after it.
    pub copy: Option<Box<CopyOrder>>,
    /// The responses to send.
    pub responses: Vec<Response>,
}

impl Commit {
    /// Empties the commit, and keeps its memory for the next one.
    pub fn clear(&mut self) {
        let (mut group, mut responses) = (std::mem::take(&mut self.group), std::mem::take(&mut self.responses));
        group.clear();
        responses.clear();
        *self = Self { group, responses, ..Self::default() };
    }
}
