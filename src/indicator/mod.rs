//! Presence to light, for lamps, status bars and anything else that shows a colour: a [`Palette`] gives every presence an
//! [`Appearance`], and an appearance says, for each millisecond, which colour to show and when to come back.
//!
//! Colour says how available someone is, the pattern what they are doing. Everything is integer arithmetic, nothing
//! flashes three times a second, whoever made the palette, and “no news” never looks like “gone” (rule A5).
//!
//! ```
//! use presence_core::indicator::{Palette, appearance};
//! use presence_core::{Instant, Policy, Presence, User, set_presence};
//!
//! let mut user: User<u8, 4> = User::new();
//! let light = |user: &User<u8, 4>| appearance(user.presence(), user.absence(), &Palette::HOME);
//! assert_eq!(light(&user), Palette::HOME.no_news);
//!
//! let call = set_presence(user.at(Instant::ZERO)?, 7, Presence::InACall, None, &Policy::GRAPH)?;
//! user.apply(&call)?;
//! // Where the LED is driven: the milliseconds since the appearance last changed, and a brightness for the night.
//! let elapsed_ms = 1500;
//! let duty = light(&user).frame_at(elapsed_ms).scale(64).gamma_corrected().to_bytes();
//! assert_eq!(duty, [1, 1, 0]);
//! // Sleep until the next frame or until `user.next_deadline()`, whichever is sooner.
//! assert_eq!(light(&user).next_frame_in(elapsed_ms), Some(24));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod colour;
mod palette;
mod pattern;

#[cfg(test)]
mod tests;

pub use colour::Rgb;
pub use palette::Palette;
pub use pattern::{Pattern, Period};

use crate::presence::Presence;
use crate::user::Absence;

/// What a light looks like: a colour, how bright, and what it does over time.
///
/// ```
/// use presence_core::indicator::{Appearance, Rgb};
///
/// const LAMP: Appearance = Appearance::solid(Rgb::from_hex(0x00FF55), 128);
/// assert_eq!(LAMP.frame_at(1234).to_bytes(), [0, 128, 43]);
/// assert_eq!(LAMP.next_frame_in(1234), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Appearance {
    /// The colour at full brightness.
    pub colour: Rgb,
    /// How bright it looks, in 255ths.
    pub level: u8,
    /// What it does over time.
    pub pattern: Pattern,
}

impl Appearance {
    /// Dark.
    pub const OFF: Self = Self::solid(Rgb::BLACK, 0);

    /// A light that does nothing but shine. O(1).
    #[must_use]
    pub const fn solid(colour: Rgb, level: u8) -> Self {
        Self { colour, level, pattern: Pattern::Solid }
    }

    /// The colour to show this many milliseconds after the light took this appearance. O(1).
    ///
    /// The time may wrap, see [`Pattern`].
    #[must_use]
    pub fn frame_at(&self, elapsed_ms: u32) -> Rgb {
        let colour = self.pattern.other_at(elapsed_ms).unwrap_or(self.colour);
        colour.scale(colour::scale(self.pattern.level_at(elapsed_ms), self.level))
    }

    /// In how many milliseconds to ask for the next frame: nothing changes before. `None` when nothing changes by itself.
    /// O(1).
    #[must_use]
    pub fn next_frame_in(&self, elapsed_ms: u32) -> Option<u16> {
        if self.level == 0 { None } else { self.pattern.next_frame_in(elapsed_ms) }
    }
}

/// What the light of a user looks like: `appearance(user.presence(), user.absence(), &palette)`. Rule A5. O(1).
///
/// Offline is dark after the last session was cleared, and “no news” when there never was one, when nobody renewed it or
/// when it was lost. A preferred presence does not change that: without a session it shows nothing (rule A1). For a
/// presence that came from elsewhere, with nothing known of its absence, pass `None`.
///
/// ```
/// use presence_core::indicator::{Palette, appearance};
/// use presence_core::{Absence, Presence};
///
/// let palette = &Palette::DEFAULT;
/// assert_eq!(appearance(Presence::Offline, Some(Absence::Cleared), palette), palette.offline);
/// assert_eq!(appearance(Presence::Offline, Some(Absence::Expired), palette), palette.no_news);
/// assert_eq!(appearance(Presence::Unknown, None, palette), palette.no_news);
/// assert_eq!(appearance(Presence::Busy, None, palette), palette.busy);
/// ```
#[must_use]
pub const fn appearance(presence: Presence, absence: Option<Absence>, palette: &Palette) -> Appearance {
    match (presence, absence) {
        (Presence::Offline, Some(absence)) if absence.is_no_news() => palette.no_news,
        _ => palette.of(presence),
    }
}
