//! What a light does over time: pure functions of the milliseconds since it began, and never three flashes a second.

use core::num::{NonZeroU16, NonZeroU32};

use super::colour::Rgb;

/// How long a pattern takes until it repeats, in milliseconds: half a second to 65.5 seconds.
///
/// Shorter periods cannot be built. Flashing at 3 Hz and more can trigger seizures; at half a second and more there are at
/// most two flashes in any one second, whoever made the palette.
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
    /// Half a second: 2 Hz.
    // One and 499 more: a way to a constant that is not zero, without a branch that panics.
    pub const SHORTEST: Self = Self(NonZeroU16::MIN.saturating_add(499));

    /// This many milliseconds, or [`Period::SHORTEST`] if that is too short. O(1).
    #[must_use]
    pub const fn from_millis(millis: u16) -> Self {
        match NonZeroU16::new(millis) {
            Some(period) if millis > Self::SHORTEST.as_millis() => Self(period),
            _ => Self::SHORTEST,
        }
    }

    /// The milliseconds. O(1).
    #[must_use]
    pub const fn as_millis(self) -> u16 {
        self.0.get()
    }

    /// Where in the period a moment is.
    fn phase(self, elapsed_ms: u32) -> u32 {
        elapsed_ms % NonZeroU32::from(self.0)
    }
}

/// What a light does over time, in whole milliseconds since it began.
///
/// The elapsed time is a `u32` and may wrap, as a board's tick does after 49.7 days: the pattern then begins anew, in the
/// middle of a period. Nothing else happens, and [`next_frame_in`](Self::next_frame_in) knows it.
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
    /// Always lit: the device can sleep until the presence changes.
    Solid,
    /// Smoothly darker and brighter again, from its brightest. It never goes out: a dark moment would read as offline.
    Breathe {
        /// From one brightest moment to the next.
        period: Period,
    },
    /// Lit, then dark.
    Blink {
        /// For how long it is lit, in milliseconds: never with 0, always from a whole period up.
        on_ms: u16,
        /// From one beginning to the next.
        period: Period,
    },
    /// Its own colour for the first half of the period, another for the second. It is lit all the time.
    Alternate {
        /// The other colour.
        other: Rgb,
        /// From one beginning to the next.
        period: Period,
    },
}

/// How many levels a breath goes through. At three seconds a breath that is a frame every 23 ms.
const BREATH_STEPS: u32 = 128;
/// How far a breath goes down.
const BREATH_FLOOR: u32 = 32;

impl Pattern {
    /// How bright the light is at this moment, in 255ths of its level. Alternating, it is always fully lit. O(1).
    #[must_use]
    pub fn level_at(self, elapsed_ms: u32) -> u8 {
        match self {
            Self::Solid | Self::Alternate { .. } => u8::MAX,
            Self::Breathe { period } => breath_level(breath_step(period, elapsed_ms)),
            Self::Blink { on_ms, period } if period.phase(elapsed_ms) < u32::from(on_ms) => u8::MAX,
            Self::Blink { .. } => 0,
        }
    }

    /// Whether it is the other colour's turn at this moment. O(1).
    #[must_use]
    pub fn other_at(self, elapsed_ms: u32) -> Option<Rgb> {
        match self {
            Self::Alternate { other, period } if period.phase(elapsed_ms) >= half(period) => Some(other),
            _ => None,
        }
    }

    /// In how many milliseconds to draw again: nothing changes before. `None` when nothing changes by itself, so that the
    /// device can sleep. A caller that draws less often sees a coarser breath and nothing worse. O(1).
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
        // Where the elapsed time wraps, the pattern begins anew.
        let wraps = (!elapsed_ms).saturating_add(1);
        u16::try_from(edge.saturating_sub(phase).min(wraps)).ok()
    }
}

fn half(period: Period) -> u32 {
    (period.as_millis() / 2).into()
}

/// Which step of a breath this moment is in, less than `BREATH_STEPS`.
fn breath_step(period: Period, elapsed_ms: u32) -> u32 {
    // A phase is less than 2¹⁶.
    period.phase(elapsed_ms).saturating_mul(BREATH_STEPS) / NonZeroU32::from(period.0)
}

/// Where in the period the next step begins.
fn breath_edge(period: Period, step: u32) -> u32 {
    step.saturating_add(1).saturating_mul(period.as_millis().into()).div_ceil(BREATH_STEPS)
}

/// A triangle, squared: close to a sine to the eye, in integers.
fn breath_level(step: u32) -> u8 {
    const DEEPEST: u32 = BREATH_STEPS / 2;
    const SWING: u32 = u8::MAX as u32 - BREATH_FLOOR;
    let height = step.abs_diff(DEEPEST);
    let swing = height.saturating_mul(height).saturating_mul(SWING) / (DEEPEST * DEEPEST);
    u8::try_from(BREATH_FLOOR.saturating_add(swing)).unwrap_or(u8::MAX)
}
