//! The copy of a journal: SQLite copies pages, and keeps those that are copied already like those of the journal, because the same
//! connection writes both.

use super::SqliteError;
use super::database;
use crate::journal::{Copying, JournalError};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::path::Path;

/// The pages that are copied in a step: a fraction of a millisecond.
const STEP: i32 = 64;

/// Copies a database to a new file, while `serve` goes on writing.
pub fn copy(from: &Connection, to: &Path, serve: &mut dyn FnMut(&mut dyn Copying)) -> Result<(), SqliteError> {
    let mut file = database::create_copy(to)?;
    let backup = Backup::new(from, &mut file)?;
    // Copies nothing, but counts the pages.
    backup.step(0)?;
    serve(&mut Pages(backup));
    Ok(())
}

/// Converts the error of a copy, which may be on another disk than the journal.
pub fn failed(error: SqliteError) -> JournalError {
    if error.is_disk_full() { JournalError::NoRoom(error.into()) } else { JournalError::Failed(error.into()) }
}

/// A copy that is being made.
struct Pages<'a>(Backup<'a, 'a>);

impl Pages<'_> {
    fn copy(&mut self, pages: i32) -> Result<StepResult, JournalError> {
        self.0.step(pages).map_err(|error| failed(error.into()))
    }
}

impl Copying for Pages<'_> {
    fn step(&mut self) -> Result<bool, JournalError> {
        // With its last page the copy is complete, and no longer follows the journal. A step of no page counts those that the
        // journal has got meanwhile.
        let pages = (self.0.progress().remaining - 1).clamp(0, STEP);
        if self.copy(pages)? == StepResult::Done {
            return Err(JournalError::Failed("the copy was complete too early".into()));
        }
        Ok(self.0.progress().remaining <= STEP)
    }

    fn finish(&mut self) -> Result<(), JournalError> {
        match self.copy(-1)? {
            StepResult::Done => Ok(()),
            _ => Err(JournalError::Failed("the copy is not complete".into())),
        }
    }
}
