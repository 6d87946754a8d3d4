//! The one place that reads the machine's clocks.

use presence_core::{Duration, Instant};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The clock that counts from the start of the machine, and runs on while the machine sleeps.
///
/// Linux calls it boot time. The monotonic clock of macOS counts the sleep as well; that of other systems may not, and then a
/// sleep shows as a step forward of the wall clock, which the server follows within a second.
#[cfg(any(target_os = "linux", target_os = "android"))]
const BOOT: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const BOOT: ClockId = ClockId::Monotonic;

/// A reading of both clocks at about the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock, in Unix milliseconds; the epoch if it is set to a time before that.
    pub wall: Instant,
    /// The time since the machine started.
    pub boot: Duration,
}

impl Reading {
    /// Reads both clocks.
    ///
    /// The wall clock comes first: if the thread is interrupted in between, it seems to lag, which a later reading corrects,
    /// and never to have stepped forward.
    pub fn take() -> Self {
        let wall = wall_clock();
        Self { wall, boot: boot_clock() }
    }
}

/// Returns the instant of the wall clock.
pub fn wall_clock() -> Instant {
    Instant::from_millis(millis(ClockId::Realtime))
}

/// Returns the time since the machine started.
pub fn boot_clock() -> Duration {
    Duration::from_millis(millis(BOOT))
}

/// Reads a clock through the C library, where tests replace it.
fn millis(clock: ClockId) -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
    let (seconds, nanoseconds) = (u64::try_from(tv_sec).unwrap_or(0), u64::try_from(tv_nsec).unwrap_or(0));
    seconds.saturating_mul(1000).saturating_add(nanoseconds / 1_000_000)
}
