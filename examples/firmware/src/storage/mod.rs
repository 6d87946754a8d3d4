//! The state that survives a reset: the newest snapshot of the user, and the settings.
//!
//! [`SnapshotStore`] decides when a snapshot is worth a write, and restores the user. A [`Storage`] holds the bytes: [`Flash`]
//! on boards with flash to spare, [`Retained`] memory on the others, `()` where there is neither. A power cut at any byte of a
//! write loses at most the newest snapshot and the settings beside it, never those before. What is no snapshot counts as absent.

mod budget;
mod flash;
mod flash_half;
mod retained;
mod snapshot_store;

pub use budget::WriteBudget;
pub use flash::Flash;
pub use retained::{Retained, RetainedByte, TooLongError};
pub use snapshot_store::SnapshotStore;

use crate::app::CAPACITY;
use crate::settings::MAX_SETTINGS;
use presence_core::snapshot::{self, RestoreError};
use presence_core::{Duration, Instant, SessionId};

/// The greatest length of a snapshot in bytes.
pub const MAX_SNAPSHOT: usize = snapshot::max_len::<SessionId, CAPACITY>();

/// A medium that holds the newest snapshot, and the settings that were stored with it.
pub trait Storage {
    /// The error of the medium.
    type Error: core::fmt::Debug;

    /// The greatest difference between stored deadlines and real ones. The shorter, the more is written.
    ///
    /// A keep-alive that moves a deadline by no more is not written, and the rest of a preferred presence is written again
    /// after this time.
    const MAX_STALENESS: Duration;

    /// The shortest time between two writes, which merges the changes of a moment into one. It grows as the budget is used up.
    const MIN_INTERVAL: Duration;

    /// The number of writes that the medium bears, whatever the host does.
    const BUDGET: WriteBudget;

    /// Returns the newest snapshot that was written completely; `None` if there never was one.
    ///
    /// # Errors
    ///
    /// The medium's own.
    fn load(&mut self) -> Result<Option<&[u8]>, Self::Error>;

    /// Returns the settings that were stored with the newest snapshot; `None` if there is none, or it has none.
    ///
    /// # Errors
    ///
    /// The medium's own.
    fn load_settings(&mut self) -> Result<Option<&[u8]>, Self::Error>;

    /// Writes a snapshot and the settings, at most [`MAX_SETTINGS`]. Those before stay until these are complete.
    ///
    /// # Errors
    ///
    /// The medium's own.
    fn store(&mut self, snapshot: &[u8], settings: &[u8]) -> Result<(), Self::Error>;

    /// Erases every byte that was ever stored, and reports whether there were any.
    ///
    /// # Errors
    ///
    /// The medium's own. Some of it may be left.
    fn erase(&mut self) -> Result<bool, Self::Error>;
}

/// Reports whether bytes are a snapshot of a user, of this firmware or of newer one.
fn is_snapshot(bytes: &[u8]) -> bool {
    let restored = snapshot::restore::<SessionId, CAPACITY>(bytes, Instant::ZERO, None);
    matches!(restored, Ok(_) | Err(RestoreError::NewerVersion(_)))
}

/// Reports whether a sequence number is newer than another. They wrap: it follows the other by less than half of all.
const fn is_newer(number: u32, other: u32) -> bool {
    number.wrapping_sub(other).cast_signed() > 0
}

/// No storage: nothing survives a reset.
impl Storage for () {
    type Error = core::convert::Infallible;

    const MAX_STALENESS: Duration = Duration::MAX;
    const MIN_INTERVAL: Duration = Duration::ZERO;
    const BUDGET: WriteBudget = WriteBudget::UNLIMITED;

    fn load(&mut self) -> Result<Option<&[u8]>, Self::Error> {
        Ok(None)
    }

    fn load_settings(&mut self) -> Result<Option<&[u8]>, Self::Error> {
        Ok(None)
    }

    fn store(&mut self, _: &[u8], _: &[u8]) -> Result<(), Self::Error> {
        Ok(())
    }

    fn erase(&mut self) -> Result<bool, Self::Error> {
        Ok(false)
    }
}
