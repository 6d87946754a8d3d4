//! A journal in memory, for tests and for those who need no disk: it lives as long as the last of its handles.

use super::{Group, Journal, JournalError, Metadata, Position, Record, Row};
use presence_core::{Instant, UserId};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A journal in memory. Clones are handles of the same journal, as several connections to one log are.
///
/// ```
/// use presence_engine::journal::memory::MemoryJournal;
/// use presence_engine::journal::{Group, Journal, JournalError, Position};
///
/// let owner = MemoryJournal::default();
/// let other = owner.clone();
/// let mut group = Group::default();
/// group.metadata = Some(presence_engine::journal::Metadata { number: 1, ..Default::default() });
/// assert_eq!(other.append(Position::START, &group)?, Position { row: 0, metadata: 1 });
/// // The first handle does not know that somebody else has written.
/// assert!(matches!(owner.append(Position::START, &group), Err(JournalError::Conflict { .. })));
/// # Ok::<(), JournalError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal {
    log: Arc<Mutex<Log>>,
}

/// A stored row.
#[derive(Debug)]
struct Stored {
    record: Record,
    user: UserId,
    taken_at: Instant,
    bytes: Box<[u8]>,
}

#[derive(Debug, Default)]
struct Log {
    /// The number of rows that were removed.
    trimmed: i64,
    rows: VecDeque<Stored>,
    metadata: Metadata,
    max_rows: Option<usize>,
}

impl Log {
    fn position(&self) -> Position {
        Position { row: self.trimmed + self.rows.len() as i64, metadata: self.metadata.number }
    }

    /// Returns the index of a row, if it is not removed.
    fn index(&self, row: i64) -> Option<usize> {
        usize::try_from(row - self.trimmed - 1).ok()
    }

    /// Overwrites a row, whose number stays.
    fn scrub(&mut self, row: i64) {
        if let Some(stored) = self.index(row).and_then(|index| self.rows.get_mut(index)) {
            (stored.record, stored.user, stored.bytes) =
                (Record::Scrubbed, UserId::from_bytes([0; 16]), Box::default());
        }
    }

    fn scrub_users(&mut self, users: &[UserId]) {
        let is_erased = |stored: &Stored| users.contains(&stored.user);
        let rows: Vec<_> = self.rows.iter().zip(self.trimmed + 1..).filter(|(stored, _)| is_erased(stored)).collect();
        let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
        rows.into_iter().for_each(|row| self.scrub(row));
    }
}

impl MemoryJournal {
    /// Creates a journal that has room for this many rows.
    pub fn with_room_for(rows: usize) -> Self {
        Self { log: Arc::new(Mutex::new(Log { max_rows: Some(rows), ..Log::default() })) }
    }

    /// Sets the number of rows that there is room for; `None` for no limit.
    pub fn set_room(&self, rows: Option<usize>) {
        self.log().max_rows = rows;
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // Nothing that can panic is between two changes that belong together.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn position(&self) -> Result<Position, JournalError> {
        Ok(self.log().position())
    }

    fn metadata(&self) -> Result<Metadata, JournalError> {
        Ok(self.log().metadata)
    }

    fn append(&self, expected: Position, group: &Group) -> Result<Position, JournalError> {
        let mut log = self.log();
        let found = log.position();
        if found != expected {
            return Err(JournalError::Conflict { expected, found });
        }
        if log.max_rows.is_some_and(|most| log.rows.len() + group.count() > most) {
            return Err(JournalError::NoRoom("the journal has as many rows as it may".into()));
        }
        log.scrub_users(&group.erased);
        log.rows.extend(group.rows(1).map(|Row { record, user, taken_at, bytes, .. }| Stored {
            record,
            user,
            taken_at,
            bytes: bytes.into(),
        }));
        group.removed.iter().for_each(|row| log.scrub(*row));
        log.metadata = group.metadata.unwrap_or(log.metadata);
        Ok(log.position())
    }

    fn read(&self, after: i64, each: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>) -> Result<i64, JournalError> {
        let log = self.log();
        if after > 0 && after < log.trimmed {
            return Err(JournalError::Trimmed(after));
        }
        let after = after.max(log.trimmed);
        let skipped = usize::try_from(after - log.trimmed).unwrap_or(usize::MAX);
        let mut last = after;
        for (Stored { record, user, taken_at, bytes }, number) in log.rows.iter().skip(skipped).zip(after + 1..) {
            last = number;
            let row = Row { number, record: *record, user: *user, taken_at: *taken_at, bytes };
            if each(row).is_break() {
                break;
            }
        }
        Ok(last)
    }

    fn trim(&self, before: i64) -> Result<(), JournalError> {
        let mut log = self.log();
        // The newest row stays, as in a file, whose newest row says which is the oldest.
        let count = log.index(before).unwrap_or(0).min(log.rows.len().saturating_sub(1));
        log.rows.drain(..count);
        log.trimmed += count as i64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{Place, check_all, check_room};
    use super::*;

    impl Place for MemoryJournal {
        fn clear(&mut self) {
            *self = Self::default();
        }

        fn open(&mut self) -> Box<dyn Journal> {
            Box::new(self.clone())
        }
    }

    #[test]
    fn it_does_what_every_journal_must() {
        check_all(&mut MemoryJournal::default());
        check_room(Box::new(MemoryJournal::with_room_for(100)));
    }

    /// An owner that was replaced by another one stores nothing any more, not even metadata, until it has read on.
    #[test]
    fn an_owner_that_does_not_know_of_another_is_fenced_off() {
        let (earlier, mut later) = (MemoryJournal::default(), MemoryJournal::default());
        let mut group = Group::default();
        group.push(Record::User, UserId::from_bytes([1; 16]), Instant::from_secs(1), &[1]);
        let known = earlier.append(Position::START, &group).unwrap();
        later.log = earlier.log.clone();
        let taken_over = later.append(known, &group).unwrap();
        for _ in 0..2 {
            assert!(matches!(earlier.append(known, &group), Err(JournalError::Conflict { .. })));
        }
        assert_eq!(later.position().unwrap(), taken_over);
        let mut seen = Vec::new();
        let read = earlier.read(known.row, &mut |row| {
            seen.push(row.number);
            ControlFlow::Continue(())
        });
        assert_eq!((read.unwrap(), seen), (2, vec![2]));
        assert!(earlier.append(taken_over, &group).is_ok());
        assert!(matches!(later.append(taken_over, &group), Err(JournalError::Conflict { .. })));
    }
}
