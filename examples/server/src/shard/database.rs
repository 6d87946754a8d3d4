//! The database of a journal: made, opened, and seen to be there.
//!
//! Its tables are in the file itself, and on the disk, before anything counts on it. So a database without them is one that
//! was being made when a first start was cut short, or it is damaged; which of the two, the [`layout`](super::layout) knows.

use rusqlite::Connection;
use std::path::Path;

/// The version of what the tables mean.
const FORMAT: i64 = 2;
/// The size of a page.
const PAGE: u32 = 4096;

/// What went wrong with a journal. Nobody goes on after it.
#[derive(Debug)]
pub enum JournalError {
    /// SQLite, or the disk below it.
    Sqlite(rusqlite::Error),
    /// A row is not what was written.
    Damaged(i64),
    /// Rows before this one are missing, or should be.
    Gap(i64),
    /// The marks are older than the newest row.
    Marks,
    /// There is nothing in it, where there were at least tables.
    Empty,
    /// There is nothing in it, but in its write-ahead log: the file was cut off.
    CutOff,
    /// Pages do not fit each other.
    Pages(String),
    /// Written by another version of this server, or by something else.
    Format(i64),
}

impl std::fmt::Display for JournalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(error) => error.fmt(f),
            Self::Damaged(row) => write!(f, "row {row} is damaged"),
            Self::Gap(row) => write!(f, "damaged: rows before {row} are missing, or should be"),
            Self::Marks => f.write_str("damaged: the marks are older than the rows"),
            Self::Pages(how) => write!(f, "damaged: {how}"),
            Self::Empty => f.write_str("damaged: nothing is left in it"),
            Self::CutOff => f.write_str("damaged: only its log is left"),
            Self::Format(format) => write!(f, "format {format} is not known"),
        }
    }
}

impl std::error::Error for JournalError {}

impl From<rusqlite::Error> for JournalError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Opens a database that was made before.
pub fn open(path: &Path) -> Result<Connection, JournalError> {
    let (connection, format) = connect(path)?;
    match format {
        0 => Err(JournalError::Empty),
        FORMAT => checked(log_ahead(connection)?),
        other => Err(JournalError::Format(other)),
    }
}

/// Makes a database, also out of what a start that was cut short has left of one.
pub fn create(path: &Path) -> Result<Connection, JournalError> {
    let (connection, format) = connect(path)?;
    if format != 0 {
        drop(connection);
        return open(path);
    }
    let made = log_ahead(connection)?;
    made.execute_batch(
        "BEGIN;
         CREATE TABLE log (row INTEGER PRIMARY KEY, record INTEGER NOT NULL, user BLOB NOT NULL,
             taken_at INTEGER NOT NULL, bytes BLOB NOT NULL, oldest INTEGER NOT NULL, marks INTEGER NOT NULL,
             checksum INTEGER NOT NULL);
         CREATE TABLE marks (id INTEGER PRIMARY KEY CHECK (id = 0), number INTEGER NOT NULL, forgotten INTEGER NOT NULL,
             virtual_now INTEGER NOT NULL, newest INTEGER NOT NULL, checksum INTEGER NOT NULL);
         PRAGMA user_version = 2;
         COMMIT;",
    )?;
    empty_log(&made)?;
    Ok(made)
}

/// Pages of two moments may be read well, and be used twice when the next one is written.
fn checked(connection: Connection) -> Result<Connection, JournalError> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(connection) } else { Err(JournalError::Pages(found.replace('\n', " "))) }
}

/// Moves everything out of the write-ahead log, into the file.
pub fn empty_log(connection: &Connection) -> Result<(), JournalError> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

/// Connects to a database, and says of which format it is; 0 if nothing is in it. It is as it was then.
fn connect(path: &Path) -> Result<(Connection, i64), JournalError> {
    // A log is not begun before the first page of its file is on the disk. Without that page SQLite would delete the log.
    let len = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
    if len(path) < u64::from(PAGE) && len(&path.with_extension("sqlite-wal")) > 0 {
        return Err(JournalError::CutOff);
    }
    let connection = Connection::open(path)?;
    // Nobody else opens it, so the index of the write-ahead log needs no shared memory. Must come first.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "page_size", PAGE)?;
    let format = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok((connection, format))
}

/// From here on commits go to a write-ahead log, and have returned when they are on the disk.
fn log_ahead(connection: Connection) -> Result<Connection, JournalError> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}
