//! The extension of a board's 32-bit millisecond counter, which wraps after 49.7 days, to an [`Instant`].

use super::{Duration, Instant};

/// A clock of 64 bits, made from readings of a wrapping 32-bit millisecond tick.
///
/// It needs a reading at least once in 2³¹ milliseconds (24.8 days). A reading up to that far behind the newest one counts as
/// an earlier moment, not as a wrap, so two tasks may read the tick out of order.
///
/// ```
/// use presence_core::{Instant, TickExtender};
///
/// let mut clock = TickExtender::new();
/// assert_eq!(clock.extend(0x7000_0000), Instant::from_millis(0x7000_0000));
/// assert_eq!(clock.extend(0xE000_0000), Instant::from_millis(0xE000_0000));
/// assert_eq!(clock.extend(5), Instant::from_millis(0x1_0000_0005));
/// assert_eq!(clock.extend(2), Instant::from_millis(0x1_0000_0002));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TickExtender {
    newest: Option<Instant>,
}

impl TickExtender {
    /// Creates an extender, whose first reading counts from zero.
    #[must_use]
    pub const fn new() -> Self {
        Self { newest: None }
    }

    /// Returns the moment of a reading of the tick, which is in milliseconds.
    pub const fn extend(&mut self, tick: u32) -> Instant {
        let Some(newest) = self.newest else {
            let first = Instant::from_millis(tick as u64);
            self.newest = Some(first);
            return first;
        };
        // The low half of the newest moment is the newest tick, so the truncation is intended.
        let newest_tick = newest.as_millis() as u32;
        let ahead = tick.wrapping_sub(newest_tick);
        if ahead <= u32::MAX >> 1 {
            let moment = newest.saturating_add(Duration::from_millis(ahead as u64));
            self.newest = Some(moment);
            moment
        } else {
            newest.saturating_sub(Duration::from_millis(newest_tick.wrapping_sub(tick) as u64))
        }
    }
}
