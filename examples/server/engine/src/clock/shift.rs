//! The shift between the instants that the server shows and those that the journals hold.

use presence_core::{Duration, Instant};

/// The sum of all steps back that the server has followed since its data began. It only grows.
///
/// A row of a journal holds an *unshifted* instant, as if the server had followed no step back. So a step back changes this
/// one number and no row, and whatever becomes durable first, rows from before the step and after it fit together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shift(Duration);

impl Shift {
    /// Creates a shift of so many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// Returns the shift in milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0.as_millis()
    }

    /// Returns the shift after another step back.
    #[must_use]
    pub const fn plus(self, step: Duration) -> Self {
        Self(self.0.saturating_add(step))
    }

    /// Returns the steps back since an earlier shift; none if it is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.as_millis().saturating_sub(earlier.as_millis()))
    }

    /// Returns the unshifted instant for one that the server shows.
    pub const fn to_unshifted(self, shown: Instant) -> Instant {
        shown.saturating_add(self.0)
    }

    /// Returns the instant to show for an unshifted one.
    pub const fn to_shown(self, unshifted: Instant) -> Instant {
        unshifted.saturating_sub(self.0)
    }
}
