//! The SQLite database of a journal: created, opened and checked.
//!
//! Its tables are in the file itself, and on the disk, before anything relies on them. A database without tables is either
//! the remains of an interrupted first start, or damaged; the [data directory](crate::data) knows which.

use crate::files::{self, FileError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use rustix::process::{Resource, getrlimit};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The format version of the tables.
const FORMAT: i64 = 3;
/// What makes a database of each earlier format version that is still read one of the next version, the oldest first.
const MIGRATIONS: [(i64, &str); 1] =
    // Since format 3 instants can be shifted. Before, there was no shift.
    [(2, "ALTER TABLE marks ADD COLUMN shift INTEGER NOT NULL DEFAULT 0")];
/// The application id of databases in which deleted content was always overwritten.
const OVERWRITTEN: i64 = 0x7072_6573;
/// The size of a page, in bytes.
const PAGE: u32 = 4096;
/// The length of a database's header, and the offset of the format version in it.
const HEADER: u64 = 100;
const USER_VERSION: usize = 60;
/// The bytes that must be free before a full disk counts as one that has room again.
const ROOM: usize = 256 << 10;

/// An existing file, which is no link, named by a path and not by a URI, for one thread at a time.
const FLAGS: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX).union(OpenFlags::SQLITE_OPEN_NOFOLLOW);

/// A journal that cannot be used any further.
#[derive(Debug)]
pub enum SqliteError {
    /// An error of SQLite, or of the disk below it.
    Sqlite(rusqlite::Error),
    /// A file that the server does not use.
    File(FileError),
    /// A row that differs from what was written.
    Damaged(i64),
    /// A row before which others are missing, or should be.
    Gap(i64),
    /// Metadata that is older than the newest row.
    Metadata,
    /// A database without tables.
    Empty,
    /// A write-ahead log whose database file was cut off.
    Truncated,
    /// Pages that do not fit each other.
    Pages(String),
    /// The format version of another server or program.
    Format(i64),
    /// A disk that has no room yet.
    NoRoom,
}

impl std::fmt::Display for SqliteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
            Self::Damaged(row) => write!(f, "row {row} is damaged"),
            Self::Gap(row) => write!(f, "damaged: rows before {row} are missing, or should be"),
            Self::Metadata => f.write_str("damaged: the metadata is older than the rows"),
            Self::Pages(how) => write!(f, "damaged: {how}"),
            Self::Empty => f.write_str("damaged: nothing is left in it"),
            Self::Truncated => f.write_str("damaged: only its log is left"),
            Self::NoRoom => f.write_str("there is no room for it"),
            Self::Format(format) if *format > FORMAT => write!(
                f,
                "format {format} is newer than this program knows, which is {FORMAT}; nothing was changed: use a newer one"
            ),
            Self::Format(format) => write!(f, "format {format} is not known"),
        }
    }
}

impl std::error::Error for SqliteError {}

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<FileError> for SqliteError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl SqliteError {
    /// Reports whether SQLite says that the disk is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull))
    }

    /// Reports whether a transaction failed only because there is no room for it. It was rolled back.
    ///
    /// There is none when the disk is full, at a quota, or at the limit on the size of files. SQLite names only the first of
    /// these; the two others it reports like a write that a broken disk rejects.
    pub fn is_full(&self, path: &Path) -> bool {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => {
                error.code == ErrorCode::DiskFull || error.extended_code == ffi::SQLITE_IOERR_WRITE && !has_room(path)
            }
            Self::NoRoom => true,
            _ => false,
        }
    }
}

/// Reports whether there is room for some more pages. Errors of other kinds count as room, for the next write to report.
pub fn has_room(path: &Path) -> bool {
    let limit = getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX);
    if [path, &path.with_extension("sqlite-wal")].into_iter().any(|file| len(file) + ROOM as u64 > limit) {
        return false;
    }
    // A quota shows nowhere but in a write that fails.
    let probe = path.with_extension("probe");
    let outcome = files::create_anew(&probe).and_then(|mut file| {
        // First, so that a kill leaves nothing that takes room.
        std::fs::remove_file(&probe)?;
        file.write_all(&vec![0; ROOM])
    });
    !outcome.is_err_and(|error| matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
}

/// Returns the length of a file; 0 if there is none.
fn len(path: &Path) -> u64 {
    std::fs::symlink_metadata(path).map_or(0, |found| found.len())
}

/// Opens an existing database.
pub fn open(path: &Path) -> Result<Connection, SqliteError> {
    let (connection, format) = connect(path)?;
    match format {
        0 => Err(SqliteError::Empty),
        _ => overwrite_deleted(migrate(check_pages(enable_write_ahead_log(connection)?)?, format)?, path),
    }
}

/// Creates a database, also over the remains of an interrupted first start.
pub fn create(path: &Path) -> Result<Connection, SqliteError> {
    let (connection, format) = connect(path)?;
    if format != 0 {
        drop(connection);
        return open(path);
    }
    let created = enable_write_ahead_log(connection)?;
    created.execute_batch(
        "BEGIN;
         CREATE TABLE log (row INTEGER PRIMARY KEY, record INTEGER NOT NULL, user BLOB NOT NULL,
             taken_at INTEGER NOT NULL, bytes BLOB NOT NULL, oldest INTEGER NOT NULL, marks INTEGER NOT NULL,
             checksum INTEGER NOT NULL);
         CREATE TABLE marks (id INTEGER PRIMARY KEY CHECK (id = 0), number INTEGER NOT NULL, forgotten INTEGER NOT NULL,
             virtual_now INTEGER NOT NULL, newest INTEGER NOT NULL, shift INTEGER NOT NULL, checksum INTEGER NOT NULL);
         PRAGMA user_version = 3;
         COMMIT;",
    )?;
    created.pragma_update(None, "application_id", OVERWRITTEN)?;
    checkpoint(&created)?;
    Ok(created)
}

/// Makes a database of this format version one of the current version, a version at a time. After a crash it is of one of them.
fn migrate(connection: Connection, format: i64) -> Result<Connection, SqliteError> {
    for (from, change) in MIGRATIONS.iter().filter(|(from, _)| *from >= format) {
        let next = from + 1;
        connection.execute_batch(&format!("BEGIN; {change}; PRAGMA user_version = {next}; COMMIT;"))?;
    }
    Ok(connection)
}

/// Checks that a database is of a format version that can be opened, or empty, and changes nothing.
pub fn check_format(path: &Path) -> Result<(), SqliteError> {
    // Only to read a log SQLite is needed. It would leave one where there is none.
    if len(&path.with_extension("sqlite-wal")) == 0 {
        return check_known(format_in_header(&mut files::open(path)?)?);
    }
    connect(path).map(drop)
}

/// Checks the structure of the database.
///
/// Pages of two different moments may read well, and still be used twice when the next one is written.
fn check_pages(connection: Connection) -> Result<Connection, SqliteError> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(connection) } else { Err(SqliteError::Pages(found.replace('\n', " "))) }
}

/// Writes the database anew, if an earlier version of this server has left deleted content in unused bytes.
///
/// This is done once for each database, and takes memory for its content.
fn overwrite_deleted(connection: Connection, path: &Path) -> Result<Connection, SqliteError> {
    let id: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if id == OVERWRITTEN {
        return Ok(connection);
    }
    let outcome = connection.execute_batch("VACUUM").map_err(SqliteError::from);
    match outcome.and_then(|()| Ok(connection.pragma_update(None, "application_id", OVERWRITTEN)?)) {
        // The next start tries again.
        Err(error) if error.is_full(path) => tracing::warn!("no room to overwrite what was deleted before: {error}"),
        outcome => outcome?,
    }
    checkpoint_if_room(&connection, path)?;
    Ok(connection)
}

/// Moves everything from the write-ahead log into the file.
pub fn checkpoint(connection: &Connection) -> Result<(), SqliteError> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

/// Does the same, or nothing if there is no room in the file. Then the log stays, and the next start reads it.
pub fn checkpoint_if_room(connection: &Connection, path: &Path) -> Result<(), SqliteError> {
    match checkpoint(connection) {
        Err(error) if error.is_full(path) => {
            tracing::warn!("no room to move the log into the journal: {error}");
            Ok(())
        }
        outcome => outcome,
    }
}

/// Returns the path of a file without links to directories, which `FLAGS` rejects.
///
/// A path that begins with a slash is never a URI, not even for a SQLite that was compiled to accept them.
fn absolute(path: &Path) -> Result<PathBuf, SqliteError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = directory.canonicalize().map_err(FileError::Io)?;
    Ok(directory.join(path.file_name().unwrap_or_default()))
}

/// Creates the database of a copy, which must not exist. It has no log: a copy counts when it is complete and on the disk.
pub fn create_copy(path: &Path) -> Result<Connection, SqliteError> {
    let (connection, _) = connect(path)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection)
}

/// Connects to a database without changing it, and returns its format version; 0 if it is empty.
///
/// # Errors
///
/// [`SqliteError::Format`] if the format version is of another server.
fn connect(path: &Path) -> Result<(Connection, i64), SqliteError> {
    // A log is not begun before the first page of its file is on the disk. Without that page SQLite would delete the log.
    if len(path) < u64::from(PAGE) && len(&path.with_extension("sqlite-wal")) > 0 {
        return Err(SqliteError::Truncated);
    }
    // Before SQLite opens it: the files that SQLite creates beside it get its mode. Closed before, too, because a process that closes
    // a file loses its locks on it.
    drop(files::open_or_create(path)?);
    let connection = Connection::open_with_flags(absolute(path)?, FLAGS)?;
    // No other process opens it, so the index of the write-ahead log needs no shared memory. Must come first.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "page_size", PAGE)?;
    // What is deleted is overwritten, and nothing is written outside the data directory.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // What is not known is left as it is, its log too.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let format = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    check_known(format)?;
    Ok((connection, format))
}

/// Returns the format version in the header of a database file; 0 if it has none.
fn format_in_header(file: &mut File) -> Result<i64, FileError> {
    let mut header = Vec::new();
    file.take(HEADER).read_to_end(&mut header)?;
    let version = header.get(USER_VERSION..).and_then(|rest| rest.first_chunk());
    Ok(version.map_or(0, |bytes| i32::from_be_bytes(*bytes).into()))
}

/// Checks that a format version is one that can be opened, or that of an empty database.
fn check_known(format: i64) -> Result<(), SqliteError> {
    let is_known = format == 0 || format == FORMAT || MIGRATIONS.iter().any(|(from, _)| *from == format);
    if is_known { Ok(()) } else { Err(SqliteError::Format(format)) }
}

/// Makes commits go to a write-ahead log, and return when they are on the disk.
fn enable_write_ahead_log(connection: Connection) -> Result<Connection, SqliteError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}
