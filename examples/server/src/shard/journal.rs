//! What is durable: one SQLite database a shard, used as a log. Every row is the whole record of a user at a moment, and
//! the newest row of a user counts.
//!
//! Rows are only ever appended at one end and deleted at the other, so a commit writes few pages however many users it is
//! about, and compaction needs no pause: each commit takes some of the oldest rows away, after those that still count were
//! appended again. SQLite's write-ahead log checks its frames, so what a crash tore off is cut. What a disk damages later is
//! told, never believed: every row has a checksum of its own beside that, rows are numbered without a gap, and each says what the
//! rest was when it was written.

use super::database::{self, JournalError};
use super::group::{Group, NewRow, Record, Rest};
use presence_core::{Instant, UserId};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};

/// What a shard keeps beside its users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// How often they were written.
    pub number: u64,
    /// Above every revision and version of a user that was forgotten.
    pub forgotten: u64,
    /// Where a virtual clock stands, in milliseconds; 0 if there is none.
    pub virtual_now: u64,
    /// A recent moment, in milliseconds: no clock starts before it.
    pub newest: u64,
}

/// A row as it was found: which record it is, and where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Old {
    /// Its place in the log.
    pub row: i64,
    /// What it is a record of.
    pub record: Record,
    /// Whose.
    pub user: UserId,
    /// Whether it says that there is nothing any more.
    pub is_empty: bool,
}

/// The journal of one shard.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
}

impl Journal {
    /// Opens the journal in this file, which was made before.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { connection: database::open(path)? })
    }

    /// Makes a journal in this file, also in what a start that was cut short has left of one.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { connection: database::create(path)? })
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.connection.path().unwrap_or_default().into()
    }

    /// The marks.
    pub fn marks(&self) -> Result<Marks, JournalError> {
        let mut statement = self
            .connection
            .prepare("SELECT number, forgotten, virtual_now, newest, checksum FROM marks WHERE id = 0")?;
        let found = statement
            .query_row([], |row| {
                let marks = Marks {
                    number: row.get::<_, i64>(0)?.cast_unsigned(),
                    forgotten: row.get::<_, i64>(1)?.cast_unsigned(),
                    virtual_now: row.get::<_, i64>(2)?.cast_unsigned(),
                    newest: row.get::<_, i64>(3)?.cast_unsigned(),
                };
                Ok((marks, row.get::<_, u32>(4)?))
            })
            .optional()?;
        match found {
            None => Ok(Marks::default()),
            Some((marks, checksum)) if checksum == marks.checksum() => Ok(marks),
            Some(_) => Err(JournalError::Damaged(0)),
        }
    }

    /// Hands out all rows, the newest first: those of one record that come after its first are out of date. Every row is
    /// checked, and that none is missing between them, nor the marks older. Returns the first and the last row there are, 1
    /// and 0 if there are none.
    pub fn read(&self, mut each: impl FnMut(Old, Instant, &[u8])) -> Result<(i64, i64), JournalError> {
        let mut statement = self
            .connection
            .prepare("SELECT row, record, user, taken_at, bytes, oldest, marks, checksum FROM log ORDER BY row DESC")?;
        let mut rows = statement.query([])?;
        let (mut first, mut last, mut newest) = (1, 0, Rest::default());
        while let Some(found) = rows.next()? {
            let row: i64 = found.get(0)?;
            let damaged = |_| JournalError::Damaged(row);
            let record = found.get_ref(1)?.as_i64().map_err(damaged)?;
            let user = found.get_ref(2)?.as_blob().map_err(damaged)?;
            let taken_at = found.get_ref(3)?.as_i64().map_err(damaged)?;
            let bytes = found.get_ref(4)?.as_blob().map_err(damaged)?;
            let rest = Rest {
                oldest: found.get_ref(5)?.as_i64().map_err(damaged)?,
                marks: found.get_ref(6)?.as_i64().map_err(damaged)?.cast_unsigned(),
            };
            let sum = found.get_ref(7)?.as_i64().map_err(damaged)?;
            let (Some(record), Ok(user)) = (Record::from_number(record), <[u8; 16]>::try_from(user)) else {
                return Err(JournalError::Damaged(row));
            };
            if sum != i64::from(checksum(row, record, &user, taken_at, bytes, rest)) {
                return Err(JournalError::Damaged(row));
            }
            if last == 0 {
                (last, newest) = (row, rest);
            } else if row != first - 1 {
                return Err(JournalError::Gap(first));
            }
            first = row;
            let user = UserId::from_bytes(user);
            let at = Instant::from_millis(taken_at.cast_unsigned());
            each(Old { row, record, user, is_empty: bytes.is_empty() }, at, bytes);
        }
        if first != newest.oldest {
            return Err(JournalError::Gap(first));
        }
        if self.marks()?.number < newest.marks { Err(JournalError::Marks) } else { Ok((first, last)) }
    }

    /// The latest moment that a row is of, in milliseconds; 0 if there is none.
    pub fn newest(&self) -> Result<u64, JournalError> {
        let newest = self
            .connection
            .query_row("SELECT taken_at FROM log ORDER BY row DESC LIMIT 1", [], |row| row.get::<_, i64>(0))
            .optional()?;
        Ok(newest.unwrap_or_default().cast_unsigned())
    }

    /// The oldest rows.
    pub fn oldest(&self, limit: usize) -> Result<Vec<Old>, JournalError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT row, record, user, length(bytes) = 0 FROM log ORDER BY row LIMIT ?1")?;
        let rows = statement.query_map([limit as i64], |found| {
            Ok((found.get(0)?, found.get::<_, i64>(1)?, found.get::<_, [u8; 16]>(2)?, found.get(3)?))
        })?;
        let mut oldest = Vec::with_capacity(limit);
        for found in rows {
            let (row, record, user, is_empty) = found?;
            let record = Record::from_number(record).ok_or(JournalError::Damaged(row))?;
            oldest.push(Old { row, record, user: UserId::from_bytes(user), is_empty });
        }
        Ok(oldest)
    }

    /// Writes a group, all of it or nothing. It is on the disk when this returns.
    pub fn commit(&mut self, group: &Group) -> Result<(), JournalError> {
        let transaction = self.connection.transaction()?;
        {
            let mut append = transaction.prepare_cached(
                "INSERT INTO log (row, record, user, taken_at, bytes, oldest, marks, checksum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for NewRow { row, record, user, taken_at, bytes } in group.rows() {
                let (user, taken_at) = (user.to_bytes(), taken_at.as_millis().cast_signed());
                let Rest { oldest, marks } = group.rest;
                let checksum = checksum(row, record, &user, taken_at, bytes, group.rest);
                let marks = marks.cast_signed();
                append.execute(params![row, record as i64, user, taken_at, bytes, oldest, marks, checksum])?;
            }
            // Never without a new row, for the newest says which is the oldest.
            if group.len() > 0 {
                transaction.prepare_cached("DELETE FROM log WHERE row < ?1")?.execute([group.rest.oldest])?;
            }
            if let Some(marks) = group.marks {
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO marks (id, number, forgotten, virtual_now, newest, checksum)
                         VALUES (0, ?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute(params![
                        marks.number.cast_signed(),
                        marks.forgotten.cast_signed(),
                        marks.virtual_now.cast_signed(),
                        marks.newest.cast_signed(),
                        marks.checksum()
                    ])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Closes it, with everything in the file itself.
    pub fn close(self) -> Result<(), JournalError> {
        database::empty_log(&self.connection)?;
        self.connection.close().map_err(|(_, error)| error.into())
    }
}

impl Marks {
    /// The greatest of each.
    pub fn greatest(self, other: Self) -> Self {
        Self {
            number: self.number.max(other.number),
            forgotten: self.forgotten.max(other.forgotten),
            virtual_now: self.virtual_now.max(other.virtual_now),
            newest: self.newest.max(other.newest),
        }
    }

    fn checksum(self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        for number in [self.number, self.forgotten, self.virtual_now, self.newest] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.finalize()
    }
}

/// The checksum of all that a row says, its place included.
fn checksum(row: i64, record: Record, user: &[u8; 16], taken_at: i64, bytes: &[u8], rest: Rest) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&row.to_le_bytes());
    hasher.update(&[record as u8]);
    hasher.update(user);
    hasher.update(&taken_at.to_le_bytes());
    hasher.update(bytes);
    hasher.update(&rest.oldest.to_le_bytes());
    hasher.update(&rest.marks.to_le_bytes());
    hasher.finalize()
}
