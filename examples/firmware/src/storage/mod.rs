//! What survives a reset: the newest snapshot of the user, in flash or in memory that a reset leaves alone.
//!
//! [`SnapshotStore`] decides when something is worth storing and makes a user of what was stored; a [`Storage`] holds the bytes:
//! [`Flash`] where a board has flash to spare, [`Retained`] on the others, `()` where there is neither. In both, a cut at any
//! byte of a write loses at most the newest snapshot, never the one before.

mod flash;
mod flash_half;
mod retained;
mod snapshot_store;

pub use flash::Flash;
pub use retained::{Retained, RetainedByte, TooLongError};
pub use snapshot_store::SnapshotStore;

use crate::app::SESSIONS;
use presence_core::{Duration, SessionId, snapshot};

/// The most bytes of a snapshot.
pub const MAX_SNAPSHOT: usize = snapshot::max_len::<SessionId, SESSIONS>();

/// Where the newest snapshot is.
pub trait Storage {
    /// Why it could not be read or written.
    type Error: core::fmt::Debug;

    /// How far behind the truth what is stored may be: the shorter, the more is written. A keep-alive that moves a deadline
    /// by no more is not worth a write, and what is left of a preferred presence is written again after so long.
    const MAX_STALENESS: Duration;

    /// How long it rests after a write, so that applications that contradict each other every second do not wear it out.
    const MIN_INTERVAL: Duration;

    /// The newest snapshot that was written whole; `None` if there never was one.
    ///
    /// # Errors
    ///
    /// The medium's own.
    fn load(&mut self) -> Result<Option<&[u8]>, Self::Error>;

    /// Writes a snapshot. The one before stays until this is whole.
    ///
    /// # Errors
    ///
    /// The medium's own.
    fn store(&mut self, snapshot: &[u8]) -> Result<(), Self::Error>;
}

/// Nothing survives.
impl Storage for () {
    type Error = core::convert::Infallible;

    const MAX_STALENESS: Duration = Duration::MAX;
    const MIN_INTERVAL: Duration = Duration::ZERO;

    fn load(&mut self) -> Result<Option<&[u8]>, Self::Error> {
        Ok(None)
    }

    fn store(&mut self, _: &[u8]) -> Result<(), Self::Error> {
        Ok(())
    }
}
