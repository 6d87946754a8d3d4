//! Patterns of a light: pure functions of the milliseconds since it began, which never flash three times a second.

use core::num::{NonZeroU16, NonZeroU32};

use super::colour::Rgb;

/// The period of a pattern, from half a second to 65.5 seconds.
///
/// Shorter periods do not exist. Flashing at 3 Hz or more can trigger seizures; with half a second or more there are at most
/// two flashes in any second, whatever the palette.
///
/// ```
/// use presence_core::indicator::Period;
///
/// assert_eq!(Period::from_millis(3000).as_millis(), 3000);
/// assert_eq!(Period::from_millis(20), Period::SHORTEST);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Period(NonZeroU16);

impl Period {
    /// The shortest period, half a second: 2 Hz.
    // One and 499 more: a constant that is not zero, without a branch that panics.
    pub const SHORTEST: Self = Self(NonZeroU16::MIN.saturating_add(499));

    /// Creates a period of this many milliseconds, or [`Period::SHORTEST`] if that is longer.
    #[must_use]
    pub const fn from_millis(millis: u16) -> Self {
        match NonZeroU16::new(millis) {
            Some(period) if millis > Self::SHORTEST.as_millis() => Self(period),
            _ => Self::SHORTEST,
        }
    }

    /// Returns the period in milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u16 {
        self.0.get()
    }

    /// Returns the milliseconds since the period last began.
    fn phase(self, elapsed_ms: u32) -> u32 {
        elapsed_ms % NonZeroU32::from(self.0)
    }
}

/// The pattern of a light over time, in whole milliseconds since it began.
///
/// The elapsed time is a `u32` and may wrap, as a board's tick does after 49.7 days: the pattern then starts again, in the
/// middle of a period. [`next_frame_in`](Self::next_frame_in) takes that into account.
///
/// ```
/// use presence_core::indicator::{Pattern, Period};
///
/// let blink = Pattern::Blink { on_ms: 500, period: Period::from_millis(4000) };
/// assert_eq!((blink.level_at(499), blink.next_frame_in(499)), (255, Some(1)));
/// assert_eq!((blink.level_at(500), blink.next_frame_in(500)), (0, Some(3500)));
/// assert_eq!(Pattern::Solid.next_frame_in(500), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Pattern {
    /// A light that is always on: the device can sleep until the presence changes.
    Solid,
    /// A light that dims and brightens smoothly, starting at its brightest. It never goes dark, which would look offline.
    Breathe {
        /// The time from one brightest point to the next.
        period: Period,
    },
    /// A light that is on, then off.
    Blink {
        /// The milliseconds for which it is on: 0 for never; the period or more for always.
        on_ms: u16,
        /// The time from one start to the next.
        period: Period,
    },
    /// A light that is always on and has another colour in the second half of each period.
    Alternate {
        /// The other colour.
        other: Rgb,
        /// The time from one start to the next.
        period: Period,
    },
}

/// The number of steps of a breath. In a breath of three seconds each takes 23 ms.
const BREATH_STEPS: u32 = 128;
/// The lowest level of a breath.
const BREATH_FLOOR: u32 = 32;

impl Pattern {
    /// Returns the brightness, in 255ths of the light's level. An alternating light is always fully on.
    #[must_use]
    pub fn level_at(self, elapsed_ms: u32) -> u8 {
        match self {
            Self::Solid | Self::Alternate { .. } => u8::MAX,
            Self::Breathe { period } => breath_level(breath_step(period, elapsed_ms)),
            Self::Blink { on_ms, period } if period.phase(elapsed_ms) < u32::from(on_ms) => u8::MAX,
            Self::Blink { .. } => 0,
        }
    }

    /// Returns the other colour of an alternating light while it shows that one.
    #[must_use]
    pub fn other_at(self, elapsed_ms: u32) -> Option<Rgb> {
        match self {
            Self::Alternate { other, period } if period.phase(elapsed_ms) >= half(period) => Some(other),
            _ => None,
        }
    }

    /// Returns the milliseconds until the next change; `None` if the light does not change, so that the device can sleep.
    ///
    /// Drawing less often only makes a breath coarser.
    #[must_use]
    pub fn next_frame_in(self, elapsed_ms: u32) -> Option<u16> {
        let (period, edge) = match self {
            Self::Solid => return None,
            Self::Breathe { period } => (period, breath_edge(period, breath_step(period, elapsed_ms))),
            Self::Blink { on_ms, period } if on_ms == 0 || on_ms >= period.as_millis() => return None,
            Self::Blink { on_ms, period } => (period, on_ms.into()),
            Self::Alternate { period, .. } => (period, half(period)),
        };
        let phase = period.phase(elapsed_ms);
        let edge = if phase < edge { edge } else { period.as_millis().into() };
        // Where the elapsed time wraps, the pattern starts again.
        let wraps = (!elapsed_ms).saturating_add(1);
        u16::try_from(edge.saturating_sub(phase).min(wraps)).ok()
    }

    /// Returns the milliseconds since the light last changed its direction, and since its period began; `None` if it is steady.
    ///
    /// A breath changes its direction where it is brightest and where it is dimmest.
    pub(super) fn turned(self, elapsed_ms: u32) -> Option<(u32, u32)> {
        let (period, edge) = match self {
            Self::Solid => return None,
            Self::Blink { on_ms, period } if on_ms == 0 || on_ms >= period.as_millis() => return None,
            Self::Blink { on_ms, period } => (period, on_ms.into()),
            Self::Breathe { period } | Self::Alternate { period, .. } => (period, half(period)),
        };
        let phase = period.phase(elapsed_ms);
        Some((phase.checked_sub(edge).unwrap_or(phase), phase))
    }
}

fn half(period: Period) -> u32 {
    (period.as_millis() / 2).into()
}

/// Returns the step of a breath, less than `BREATH_STEPS`.
fn breath_step(period: Period, elapsed_ms: u32) -> u32 {
    // A phase is less than 2¹⁶.
    period.phase(elapsed_ms).saturating_mul(BREATH_STEPS) / NonZeroU32::from(period.0)
}

/// Returns the milliseconds from the start of the period to the next step.
fn breath_edge(period: Period, step: u32) -> u32 {
    step.saturating_add(1).saturating_mul(period.as_millis().into()).div_ceil(BREATH_STEPS)
}

/// Returns the level of a step: a squared triangle wave, which looks like a sine.
fn breath_level(step: u32) -> u8 {
    const DEEPEST: u32 = BREATH_STEPS / 2;
    const SWING: u32 = u8::MAX as u32 - BREATH_FLOOR;
    let height = step.abs_diff(DEEPEST);
    let swing = height.saturating_mul(height).saturating_mul(SWING) / (DEEPEST * DEEPEST);
    u8::try_from(BREATH_FLOOR.saturating_add(swing)).unwrap_or(u8::MAX)
}
