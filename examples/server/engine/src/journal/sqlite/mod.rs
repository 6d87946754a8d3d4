//! A journal in a file: one SQLite database, used as a log.
//!
//! Rows are only appended at one end and deleted at the other, so a commit writes few pages, however many users it covers.
//! Compaction needs no pause: each commit deletes some of the oldest rows, after the records that still count were appended
//! again.
//!
//! A row that holds texts and no longer counts is overwritten as soon as a newer row does, in the same commit; its number
//! stays, so that no row is missing. Its copies in SQLite's log are gone after the next [upkeep](cleaner).
//!
//! SQLite's write-ahead log checks its frames, so a torn end is cut. Later damage by the disk is reported and never trusted:
//! every row has a checksum, rows are numbered without a gap, and each records the [state](State) of the journal when it was
//! written.

mod cleaner;
mod copy;
pub(crate) mod database;
#[cfg(test)]
mod tests;

pub use database::SqliteError;

use super::{Copying, Group, Journal, JournalError, Metadata, Position, Record, Row};
use crate::clock::Shift;
use cleaner::Cleaner;
use presence_core::{Instant, UserId};
use rusqlite::{Connection, OptionalExtension, params};
use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The number of rows that are kept before the first that still counts.
///
/// When SQLite removes rows, it moves some behind them from page to page, and leaves copies of those in unused bytes. So the
/// rows on the next three pages, of less than 100 rows each, must not hold texts that still count.
const MARGIN: i64 = 384;
/// The same, but for tests of small journals.
const MARGIN_HERE: i64 = if cfg!(test) { 4 } else { MARGIN };

/// The columns of a row, as [`parse`] takes them.
const COLUMNS: &str = "row, record, user, taken_at, bytes, oldest, marks, checksum";

/// The state of the journal after a row was written. Each row holds it, so that missing rows are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    /// The oldest row that is left.
    oldest: i64,
    /// The number of the metadata.
    metadata: u64,
}

/// An open journal in a file.
#[derive(Debug)]
pub struct SqliteJournal {
    connection: Connection,
    path: PathBuf,
    /// The oldest row that the next commit leaves.
    oldest: Cell<i64>,
    margin: i64,
    cleaner: RefCell<Cleaner>,
}

impl SqliteJournal {
    /// Opens the existing journal in this file.
    ///
    /// # Errors
    ///
    /// [`SqliteError`] if the file is none, or is damaged, or the disk fails.
    pub fn open(path: &Path) -> Result<Self, SqliteError> {
        Self::of(database::open(path)?, path)
    }

    /// Creates a journal in this file, also over the remains of an interrupted first start.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn create(path: &Path) -> Result<Self, SqliteError> {
        Self::of(database::create(path)?, path)
    }

    fn of(connection: Connection, path: &Path) -> Result<Self, SqliteError> {
        let oldest = connection
            .query_row("SELECT row FROM log ORDER BY row LIMIT 1", [], |found| found.get(0))
            .optional()?
            .unwrap_or(1);
        let (oldest, cleaner) = (Cell::new(oldest), RefCell::new(Cleaner::new()));
        Ok(Self { connection, path: path.to_owned(), oldest, margin: MARGIN_HERE, cleaner })
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the metadata.
    fn stored_metadata(&self) -> Result<Metadata, SqliteError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT number, forgotten, virtual_now, newest, shift, checksum FROM marks WHERE id = 0")?;
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
            Some((metadata, checksum)) if checksum == metadata_checksum(metadata) => Ok(metadata),
            Some(_) => Err(SqliteError::Damaged(0)),
        }
    }

    /// Returns the number of the newest row and the state that it records, if there is one.
    fn newest(&self) -> Result<Option<(i64, State)>, SqliteError> {
        let sql = format!("SELECT {COLUMNS} FROM log ORDER BY row DESC LIMIT 1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        let Some(found) = rows.next()? else { return Ok(None) };
        let (row, state) = parse(found)?;
        Ok(Some((row.number, state)))
    }

    /// Passes the rows behind this one, and checks that none is missing between them; from the start, none at all. Returns the
    /// last; `None` if some of these rows have been deleted.
    fn read_rows(
        &self,
        after: i64,
        each: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<Option<i64>, SqliteError> {
        let newest = if after == 0 { self.newest()? } else { None };
        let sql = format!("SELECT {COLUMNS} FROM log WHERE row > ?1 ORDER BY row");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([after])?;
        let mut last = after;
        while let Some(found) = rows.next()? {
            let (row, _) = parse(found)?;
            let is_first_of_all = last == 0;
            let expected = newest.filter(|_| is_first_of_all).map_or(last + 1, |(_, state)| state.oldest);
            if row.number != expected {
                return if last == after && after > 0 { Ok(None) } else { Err(SqliteError::Gap(row.number)) };
            }
            if row.record == Record::Scrubbed
                && let Some((newest, _)) = newest
                && row.taken_at.as_millis().cast_signed() > newest
            {
                // The row that replaced it is missing.
                return Err(SqliteError::Gap(newest + 1));
            }
            last = row.number;
            if each(row).is_break() {
                return Ok(Some(last));
            }
        }
        match newest {
            Some((_, state)) if self.stored_metadata()?.number < state.metadata => Err(SqliteError::Metadata),
            _ => Ok(Some(last)),
        }
    }

    /// Writes a group in one transaction, which is on the disk when this returns; or nothing, at another position, which is
    /// returned.
    fn commit(&self, expected: Position, group: &Group) -> Result<Result<(), Position>, SqliteError> {
        // Unchecked by the compiler, because a copy that is being made borrows the connection; SQLite checks that there is no other.
        let transaction = self.connection.unchecked_transaction()?;
        let found = stored_position(&transaction)?;
        if found != expected {
            return Ok(Err(found));
        }
        let after = expected.after(group);
        let state = State { oldest: self.oldest.get(), metadata: after.metadata };
        append_rows(&transaction, group.rows(expected.row + 1), state)?;
        // Rows are only deleted together with a new one, because the newest row records the oldest.
        if group.count() > 0 {
            transaction.prepare_cached("DELETE FROM log WHERE row < ?1")?.execute([state.oldest])?;
        }
        for row in &group.removed {
            scrub(&transaction, *row, after.row)?;
        }
        if let Some(metadata) = group.metadata {
            write_metadata(&transaction, metadata)?;
        }
        transaction.commit()?;
        self.cleaner.borrow_mut().note(expected.row + 1, group);
        Ok(Ok(()))
    }

    /// Overwrites these rows, in one transaction. `last` is the number of the newest row.
    fn scrub(&self, rows: &[i64], last: i64) -> Result<(), SqliteError> {
        let transaction = self.connection.unchecked_transaction()?;
        for row in rows {
            scrub(&transaction, *row, last)?;
        }
        Ok(transaction.commit()?)
    }

    /// Converts an error, which is a lack of room or a failure.
    fn failed(&self, error: SqliteError) -> JournalError {
        if error.is_full(&self.path) { JournalError::NoRoom(error.into()) } else { JournalError::Failed(error.into()) }
    }
}

impl Journal for SqliteJournal {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn position(&self) -> Result<Position, JournalError> {
        stored_position(&self.connection).map_err(|error| self.failed(error))
    }

    fn metadata(&self) -> Result<Metadata, JournalError> {
        self.stored_metadata().map_err(|error| self.failed(error))
    }

    fn append(&self, expected: Position, group: &Group) -> Result<Position, JournalError> {
        match self.commit(expected, group) {
            Ok(Ok(())) => Ok(expected.after(group)),
            Ok(Err(found)) => Err(JournalError::Conflict { expected, found }),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn read(&self, after: i64, each: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>) -> Result<i64, JournalError> {
        self.read_rows(after, each).map_err(|error| self.failed(error))?.ok_or(JournalError::Trimmed(after))
    }

    /// Has no effect before the next group with rows.
    fn trim(&self, before: i64) -> Result<(), JournalError> {
        self.oldest.set(self.oldest.get().max(before - self.margin));
        Ok(())
    }

    fn make_room(&self) -> Result<(), JournalError> {
        database::checkpoint(&self.connection).map_err(|error| self.failed(error))?;
        if database::has_room(&self.path) { Ok(()) } else { Err(JournalError::NoRoom(SqliteError::NoRoom.into())) }
    }

    fn upkeep_due(&self) -> Option<Duration> {
        self.cleaner.borrow().wait()
    }

    fn upkeep(&self) -> Result<(), JournalError> {
        self.clean().map_err(|error| self.failed(error))
    }

    fn copy(&self, to: &Path, serve: &mut dyn FnMut(&mut dyn Copying)) -> Result<(), JournalError> {
        copy::copy(&self.connection, to, serve).map_err(copy::failed)
    }

    /// Moves everything into the file itself, if there is room.
    fn close(self: Box<Self>) -> Result<(), JournalError> {
        let Self { connection, path, .. } = *self;
        let closed = database::checkpoint_if_room(&connection, &path)
            .and_then(|()| connection.close().map_err(|(_, error)| error.into()));
        closed.map_err(|error| JournalError::Failed(error.into()))
    }
}

/// Returns the position of the database.
fn stored_position(connection: &Connection) -> Result<Position, SqliteError> {
    let newest = "SELECT row FROM log ORDER BY row DESC LIMIT 1";
    let row: Option<i64> = connection.prepare_cached(newest)?.query_row([], |found| found.get(0)).optional()?;
    let number = "SELECT number FROM marks WHERE id = 0";
    let number: Option<i64> = connection.prepare_cached(number)?.query_row([], |found| found.get(0)).optional()?;
    Ok(Position { row: row.unwrap_or(0), metadata: number.unwrap_or(0).cast_unsigned() })
}

/// Parses a row with these [`COLUMNS`], and checks its sum.
fn parse<'a>(found: &'a rusqlite::Row<'_>) -> Result<(Row<'a>, State), SqliteError> {
    let number: i64 = found.get(0)?;
    let damaged = |_| SqliteError::Damaged(number);
    let record = found.get_ref(1)?.as_i64().map_err(damaged)?;
    let user = found.get_ref(2)?.as_blob().map_err(damaged)?;
    let taken_at = found.get_ref(3)?.as_i64().map_err(damaged)?;
    let bytes = found.get_ref(4)?.as_blob().map_err(damaged)?;
    let state = State {
        oldest: found.get_ref(5)?.as_i64().map_err(damaged)?,
        metadata: found.get_ref(6)?.as_i64().map_err(damaged)?.cast_unsigned(),
    };
    let sum = found.get_ref(7)?.as_i64().map_err(damaged)?;
    let (Some(record), Ok(user)) = (Record::from_number(record), <[u8; 16]>::try_from(user)) else {
        return Err(SqliteError::Damaged(number));
    };
    if sum != i64::from(checksum(number, record, &user, taken_at, bytes, state)) {
        return Err(SqliteError::Damaged(number));
    }
    let taken_at = Instant::from_millis(taken_at.cast_unsigned());
    Ok((Row { number, record, user: UserId::from_bytes(user), taken_at, bytes }, state))
}

fn append_rows<'a>(
    transaction: &Connection,
    rows: impl Iterator<Item = Row<'a>>,
    state: State,
) -> Result<(), SqliteError> {
    let mut append = transaction.prepare_cached(
        "INSERT INTO log (row, record, user, taken_at, bytes, oldest, marks, checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let State { oldest, metadata } = state;
    for Row { number, record, user, taken_at, bytes } in rows {
        let (user, taken_at) = (user.to_bytes(), taken_at.as_millis().cast_signed());
        let checksum = checksum(number, record, &user, taken_at, bytes, state);
        let metadata = metadata.cast_signed();
        append.execute(params![number, record as i64, user, taken_at, bytes, oldest, metadata, checksum])?;
    }
    Ok(())
}

/// Overwrites a row that no longer counts, if it is still there. Its number, and what it says of other rows, stay.
///
/// Instead of an instant the row gets the number of the newest row, without which it could not be told from a record that was
/// lost. The row does not grow, so SQLite moves no other row.
fn scrub(transaction: &Connection, row: i64, last: i64) -> Result<(), SqliteError> {
    let found = transaction
        .prepare_cached("SELECT record, length(bytes), oldest, marks FROM log WHERE row = ?1")?
        .query_row([row], |found| {
            let state = State { oldest: found.get(2)?, metadata: found.get::<_, i64>(3)?.cast_unsigned() };
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

fn write_metadata(transaction: &Connection, metadata: Metadata) -> Result<(), SqliteError> {
    // The column of the version floor is called `forgotten`.
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
            metadata_checksum(metadata)
        ])?;
    Ok(())
}

fn metadata_checksum(metadata: Metadata) -> u32 {
    let Metadata { number, version_floor, virtual_now, newest, shift } = metadata;
    let mut hasher = crc32fast::Hasher::new();
    for number in [number, version_floor, virtual_now, newest] {
        hasher.update(&number.to_le_bytes());
    }
    // Metadata of format 2 has none.
    if shift != Shift::default() {
        hasher.update(&shift.as_millis().to_le_bytes());
    }
    hasher.finalize()
}

/// Returns the checksum of a row, its number included.
fn checksum(row: i64, record: Record, user: &[u8; 16], taken_at: i64, bytes: &[u8], state: State) -> u32 {
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
