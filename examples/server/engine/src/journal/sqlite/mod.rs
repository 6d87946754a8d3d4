//! The journal of a shard: one SQLite database, used as a log.
//!
//! Every row is a user's whole record at an instant, and the newest row of a record counts. Rows are only appended at one
//! end and deleted at the other, so a commit writes few pages, however many users it covers. Compaction needs no pause:
//! each commit deletes some of the oldest rows, after the records that still count were appended again.
//!
//! A row that holds texts and no longer counts is overwritten as soon as a newer row does, in the same commit; its number
//! stays, so that no row is missing. Its copies in SQLite's log are gone after the next [`Journal::truncate_log`].
//!
//! SQLite's write-ahead log checks its frames, so a torn end is cut. Later damage by the disk is reported and never trusted:
//! every row has a checksum, rows are numbered without a gap, and each records the state of the journal when it was written.

pub mod cleaner;
pub mod copying;
pub mod database;

use super::group::{Group, JournalState, NewRow, Record};
use crate::clock::Shift;
use database::JournalError;
use presence_core::{Instant, UserId};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};

/// The part of a shard's state that belongs to no single user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The number of times that the metadata was written.
    pub number: u64,
    /// A number above every revision and version of the evicted users. Its column is called `forgotten`.
    pub version_floor: u64,
    /// The virtual clock, in milliseconds; 0 without one.
    pub virtual_now: u64,
    /// A recent unshifted instant, in milliseconds; no clock starts before it.
    pub newest: u64,
    /// The steps back of the clock that the server has followed. The greatest of all journals counts for each of them.
    pub shift: Shift,
}

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

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    /// A disk that answers when a test says so: told of each commit, and waited for before it.
    #[cfg(test)]
    pub held: Option<(std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<()>)>,
}

impl Journal {
    /// Opens the existing journal in this file.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Ok(Self::of(database::open(path)?, path))
    }

    /// Creates a journal in this file, also over the remains of an interrupted first start.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        Ok(Self::of(database::create(path)?, path))
    }

    fn of(connection: Connection, path: &Path) -> Self {
        Self {
            connection,
            path: path.to_owned(),
            #[cfg(test)]
            held: None,
        }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Reads the metadata.
    pub fn metadata(&self) -> Result<Metadata, JournalError> {
        let mut statement = self
            .connection
            .prepare("SELECT number, forgotten, virtual_now, newest, shift, checksum FROM marks WHERE id = 0")?;
        let found = statement
            .query_row([], |row| {
                let metadata = Metadata {
                    number: row.get::<_, i64>(0)?.cast_unsigned(),
                    version_floor: row.get::<_, i64>(1)?.cast_unsigned(),
                    virtual_now: row.get::<_, i64>(2)?.cast_unsigned(),
                    newest: row.get::<_, i64>(3)?.cast_unsigned(),
                    shift: Shift::from_millis(row.get::<_, i64>(4)?.cast_unsigned()),
                };
                Ok((metadata, row.get::<_, u32>(5)?))
            })
            .optional()?;
        match found {
            None => Ok(Metadata::default()),
            Some((metadata, checksum)) if checksum == metadata.checksum() => Ok(metadata),
            Some(_) => Err(JournalError::Damaged(0)),
        }
    }

    /// Passes all rows to `each`, the newest first, with their unshifted instants.
    ///
    /// So the first row of a record is the one that counts. Checks every row, that no row is missing between them, and that
    /// the metadata is not older than the rows. Returns the numbers of the first and the last row, 1 and 0 if there are none.
    pub fn read(&self, mut each: impl FnMut(StaleRow, Instant, &[u8])) -> Result<(i64, i64), JournalError> {
        let mut statement = self
            .connection
            .prepare("SELECT row, record, user, taken_at, bytes, oldest, marks, checksum FROM log ORDER BY row DESC")?;
        let mut rows = statement.query([])?;
        let (mut first, mut last, mut newest) = (1, 0, JournalState::default());
        while let Some(found) = rows.next()? {
            let row: i64 = found.get(0)?;
            let damaged = |_| JournalError::Damaged(row);
            let record = found.get_ref(1)?.as_i64().map_err(damaged)?;
            let user = found.get_ref(2)?.as_blob().map_err(damaged)?;
            let taken_at = found.get_ref(3)?.as_i64().map_err(damaged)?;
            let bytes = found.get_ref(4)?.as_blob().map_err(damaged)?;
            let state = JournalState {
                oldest: found.get_ref(5)?.as_i64().map_err(damaged)?,
                metadata: found.get_ref(6)?.as_i64().map_err(damaged)?.cast_unsigned(),
            };
            let sum = found.get_ref(7)?.as_i64().map_err(damaged)?;
            let (Some(record), Ok(user)) = (Record::from_number(record), <[u8; 16]>::try_from(user)) else {
                return Err(JournalError::Damaged(row));
            };
            if sum != i64::from(checksum(row, record, &user, taken_at, bytes, state)) {
                return Err(JournalError::Damaged(row));
            }
            if last == 0 {
                (last, newest) = (row, state);
            } else if row != first - 1 {
                return Err(JournalError::Gap(first));
            }
            first = row;
            if record == Record::Scrubbed && taken_at > last {
                // The row that replaced it is missing.
                return Err(JournalError::Gap(last + 1));
            }
            let user = UserId::from_bytes(user);
            let at = Instant::from_millis(taken_at.cast_unsigned());
            each(StaleRow { row, record, user, is_empty: bytes.is_empty() }, at, bytes);
        }
        if first != newest.oldest {
            return Err(JournalError::Gap(first));
        }
        let is_outdated = self.metadata()?.number < newest.metadata;
        if is_outdated { Err(JournalError::Metadata) } else { Ok((first, last)) }
    }

    /// Returns the unshifted instant of the newest row, in milliseconds; 0 if there is none.
    pub fn newest(&self) -> Result<u64, JournalError> {
        let newest = self
            .connection
            .query_row("SELECT taken_at FROM log ORDER BY row DESC LIMIT 1", [], |row| row.get::<_, i64>(0))
            .optional()?;
        Ok(newest.unwrap_or_default().cast_unsigned())
    }

    /// Returns the rows from this one on, at most `limit`.
    pub fn rows_from(&self, first: i64, limit: usize) -> Result<Vec<StaleRow>, JournalError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT row, record, user, length(bytes) = 0 FROM log WHERE row >= ?1 ORDER BY row LIMIT ?2",
        )?;
        let rows = statement.query_map([first, limit as i64], |found| {
            Ok((found.get(0)?, found.get::<_, i64>(1)?, found.get::<_, [u8; 16]>(2)?, found.get(3)?))
        })?;
        let mut oldest = Vec::with_capacity(limit);
        for found in rows {
            let (row, record, user, is_empty) = found?;
            let record = Record::from_number(record).ok_or(JournalError::Damaged(row))?;
            oldest.push(StaleRow { row, record, user: UserId::from_bytes(user), is_empty });
        }
        Ok(oldest)
    }

    /// Writes a group in one transaction, which is on the disk when this returns.
    pub fn commit(&self, group: &Group) -> Result<(), JournalError> {
        // Unchecked by the compiler, because a copy that is being made borrows the connection; SQLite checks that there is no other.
        let transaction = self.connection.unchecked_transaction()?;
        {
            let mut append = transaction.prepare_cached(
                "INSERT INTO log (row, record, user, taken_at, bytes, oldest, marks, checksum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for NewRow { row, record, user, taken_at, bytes } in group.rows() {
                let (user, taken_at) = (user.to_bytes(), taken_at.as_millis().cast_signed());
                let JournalState { oldest, metadata } = group.journal_state;
                let checksum = checksum(row, record, &user, taken_at, bytes, group.journal_state);
                let metadata = metadata.cast_signed();
                append.execute(params![row, record as i64, user, taken_at, bytes, oldest, metadata, checksum])?;
            }
            // Rows are only deleted together with a new one, because the newest row records the oldest.
            if group.len() > 0 {
                let oldest = group.journal_state.oldest;
                transaction.prepare_cached("DELETE FROM log WHERE row < ?1")?.execute([oldest])?;
            }
            for row in &group.stale_texts {
                scrub(&transaction, *row, group.last_row)?;
            }
            if let Some(metadata) = group.metadata {
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO marks (id, number, forgotten, virtual_now, newest, shift, checksum)
                         VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        metadata.number.cast_signed(),
                        metadata.version_floor.cast_signed(),
                        metadata.virtual_now.cast_signed(),
                        metadata.newest.cast_signed(),
                        metadata.shift.as_millis().cast_signed(),
                        metadata.checksum()
                    ])?;
            }
        }
        #[cfg(test)]
        if let Some((begun, answer)) = &self.held {
            let _ = (begun.send(()), answer.recv());
        }
        Ok(transaction.commit()?)
    }

    /// Records a shift durably. A virtual clock would stand before it, so it begins anew.
    pub fn set_shift(&mut self, shift: Shift) -> Result<(), JournalError> {
        let metadata = self.metadata()?;
        let metadata = Metadata { number: metadata.number + 1, virtual_now: 0, shift, ..metadata };
        let mut group = Group::default();
        group.metadata = Some(metadata);
        self.commit(&group)
    }

    /// Overwrites these rows, in one transaction. `last` is the number of the newest row.
    pub fn scrub(&self, rows: &[i64], last: i64) -> Result<(), JournalError> {
        let transaction = self.connection.unchecked_transaction()?;
        for row in rows {
            scrub(&transaction, *row, last)?;
        }
        Ok(transaction.commit()?)
    }

    /// Moves everything from the write-ahead log into the file, and empties the log, which has old copies of pages.
    pub fn truncate_log(&self) -> Result<(), JournalError> {
        database::checkpoint(&self.connection)
    }

    /// Frees the room of the log, and looks for some more. Returns the metadata, which is written again as a proof.
    ///
    /// # Errors
    ///
    /// One for which [`JournalError::is_full`] holds, while there is no room.
    pub fn find_room(&mut self) -> Result<Metadata, JournalError> {
        database::checkpoint(&self.connection)?;
        if !database::has_room(&self.path) {
            return Err(JournalError::NoRoom);
        }
        let mut metadata = self.metadata()?;
        metadata.number += 1;
        let mut group = Group::default();
        group.metadata = Some(metadata);
        self.commit(&group)?;
        Ok(metadata)
    }

    /// Begins a copy of the journal to an empty database, which follows its commits until it is complete.
    pub fn backup<'a>(&'a self, to: &'a mut Connection) -> Result<Backup<'a, 'a>, JournalError> {
        Ok(Backup::new(&self.connection, to)?)
    }

    /// Closes the journal, after moving everything into the file itself, if there is room.
    pub fn close(self) -> Result<(), JournalError> {
        database::checkpoint_if_room(&self.connection, &self.path)?;
        self.connection.close().map_err(|(_, error)| error.into())
    }
}

/// Overwrites a row that no longer counts, if it is still there. Its number, and what it says of other rows, stay.
///
/// The row does not grow, so SQLite moves no other row.
fn scrub(transaction: &Connection, row: i64, last: i64) -> Result<(), JournalError> {
    let found = transaction
        .prepare_cached("SELECT record, length(bytes), oldest, marks FROM log WHERE row = ?1")?
        .query_row([row], |found| {
            let state = JournalState { oldest: found.get(2)?, metadata: found.get::<_, i64>(3)?.cast_unsigned() };
            Ok((found.get::<_, i64>(0)?, found.get::<_, u32>(1)?, state))
        })
        .optional()?;
    let Some((_, len, state)) = found.filter(|(record, ..)| *record != Record::Scrubbed as i64) else {
        return Ok(());
    };
    // Other columns may take up to six bytes more.
    let (user, bytes) = ([0; 16], vec![0; len.saturating_sub(8) as usize]);
    let checksum = checksum(row, Record::Scrubbed, &user, last, &bytes, state);
    transaction
        .prepare_cached(
            "UPDATE log SET record = ?2, user = ?3, taken_at = ?4, bytes = ?5, checksum = ?6 WHERE row = ?1",
        )?
        .execute(params![row, Record::Scrubbed as i64, user, last, bytes, checksum])?;
    Ok(())
}

impl Metadata {
    /// Returns the greatest value of each field.
    pub fn greatest(self, other: Self) -> Self {
        Self {
            number: self.number.max(other.number),
            version_floor: self.version_floor.max(other.version_floor),
            virtual_now: self.virtual_now.max(other.virtual_now),
            newest: self.newest.max(other.newest),
            shift: self.shift.max(other.shift),
        }
    }

    fn checksum(self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        for number in [self.number, self.version_floor, self.virtual_now, self.newest] {
            hasher.update(&number.to_le_bytes());
        }
        // Metadata of format 2 has none.
        if self.shift != Shift::default() {
            hasher.update(&self.shift.as_millis().to_le_bytes());
        }
        hasher.finalize()
    }
}

/// Returns the checksum of a row, its number included.
fn checksum(row: i64, record: Record, user: &[u8; 16], taken_at: i64, bytes: &[u8], state: JournalState) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&row.to_le_bytes());
    hasher.update(&[record as u8]);
    hasher.update(user);
    hasher.update(&taken_at.to_le_bytes());
    hasher.update(bytes);
    hasher.update(&state.oldest.to_le_bytes());
    hasher.update(&state.metadata.to_le_bytes());
    hasher.finalize()
}
