//! Presence as light, for lamps, status bars and other indicators. Feature `indicator`.
//!
//! A [`Palette`] maps every presence to an [`Appearance`], which returns the colour to show at each millisecond and the time of
//! the next change. The colour shows the availability, the pattern the activity. All arithmetic is on integers. No pattern
//! flashes three times a second, whatever the palette. “No news” differs from “gone”: rule [A5](crate::rules#a5).
//!
//! ```
//! use presence_core::indicator::Palette;
//! use presence_core::{Instant, Policy, Presence, User, set_presence};
//!
//! let mut user: User<u8, 4> = User::new();
//! let light = |user: &User<u8, 4>| Palette::HOME.appearance(user.presence(), user.absence());
//! assert_eq!(light(&user), Palette::HOME.no_news);
//!
//! let call = set_presence(user.at(Instant::ZERO)?, 7, Presence::InACall, None, &Policy::GRAPH)?;
//! user.apply(&call)?;
//! // In the LED driver: the milliseconds since the appearance last changed, and a brightness for the night.
//! let elapsed_ms = 1500;
//! let duty = light(&user).frame_at(elapsed_ms).scale(64).gamma_corrected().to_bytes();
//! assert_eq!(duty, [1, 1, 0]);
//! // Sleep until the next frame or until `user.next_deadline()`, whichever is sooner.
//! assert_eq!(light(&user).next_frame_in(elapsed_ms), Some(24));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod animation;
mod colour;
mod palette;
mod palettes;
mod pattern;

#[cfg(test)]
mod tests;

pub use animation::Animation;
pub use colour::Rgb;
pub use palette::Palette;
pub use pattern::{Pattern, Period};

use crate::presence::Presence;
use crate::time::Duration;
use crate::user::Absence;

/// The appearance of a light: its colour, brightness and pattern.
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
    /// The perceived brightness, in 255ths.
    pub level: u8,
    /// The pattern over time.
    pub pattern: Pattern,
}

impl Appearance {
    /// The dark light.
    pub const OFF: Self = Self::solid(Rgb::BLACK, 0);

    /// Creates the appearance of a light that is always on.
    #[must_use]
    pub const fn solid(colour: Rgb, level: u8) -> Self {
        Self { colour, level, pattern: Pattern::Solid }
    }

    /// Returns the colour to show `elapsed_ms` milliseconds after the light took this appearance.
    ///
    /// The time may wrap: see [`Pattern`].
    #[must_use]
    pub fn frame_at(&self, elapsed_ms: u32) -> Rgb {
        let colour = self.pattern.other_at(elapsed_ms).unwrap_or(self.colour);
        colour.scale(colour::scale(self.pattern.level_at(elapsed_ms), self.level))
    }

    /// Returns the milliseconds until the next frame; `None` if the light does not change by itself.
    #[must_use]
    pub fn next_frame_in(&self, elapsed_ms: u32) -> Option<u16> {
        if self.level == 0 { None } else { self.pattern.next_frame_in(elapsed_ms) }
    }

    /// Returns the time to wait before another appearance, for a light whose pattern stands still after `elapsed_ms`.
    ///
    /// It is `dwell` since the light last changed its direction, and half a second since a pattern began anew. A flash takes two
    /// changes of direction, so no second has three flashes: see the tests.
    fn wait(&self, elapsed_ms: u32, dwell: Duration) -> Duration {
        let since = |millis: u32| Duration::from_millis(millis.into());
        match self.pattern.turned(elapsed_ms) {
            Some((turned, began)) if self.level > 0 => {
                let shortest = Duration::from_millis(Period::SHORTEST.as_millis().into());
                dwell.saturating_sub(since(turned)).max(shortest.saturating_sub(since(began)))
            }
            _ => dwell.saturating_sub(since(elapsed_ms)),
        }
    }
}

impl Palette {
    /// Returns the appearance of a user's light: `palette.appearance(user.presence(), user.absence())`.
    ///
    /// An offline user is [`Self::offline`], usually dark, after the last session was cleared, and [`Self::no_news`] if there
    /// was no session, or the last one expired or was lost. A preferred presence has no effect without a session. Pass `None` for
    /// a presence whose absence is not known, for example one that was received from a server.
    ///
    /// ```
    /// use presence_core::indicator::Palette;
    /// use presence_core::{Absence, Presence};
    ///
    /// let palette = &Palette::DEFAULT;
    /// assert_eq!(palette.appearance(Presence::Offline, Some(Absence::Cleared)), palette.offline);
    /// assert_eq!(palette.appearance(Presence::Offline, Some(Absence::Expired)), palette.no_news);
    /// assert_eq!(palette.appearance(Presence::Unknown, None), palette.no_news);
    /// assert_eq!(palette.appearance(Presence::Busy, None), palette.busy);
    /// ```
    #[must_use]
    pub const fn appearance(&self, presence: Presence, absence: Option<Absence>) -> Appearance {
        match (presence, absence) {
            (Presence::Offline, Some(absence)) if absence.is_stale() => self.no_news,
            _ => self.of(presence),
        }
    }
}
