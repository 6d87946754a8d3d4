//! Presence as light, for lamps, status bars and other indicators. Feature `indicator`.
//!
//! A [`Palette`] maps every presence to an [`Appearance`], a colour with a pattern over time. The colour shows the availability,
//! the pattern the activity. “No news” differs from “gone”: rule [A5](crate::rules#a5). An [`Animation`] plays one appearance
//! after another, and returns the colour to show now and the time of the next change. All arithmetic is on integers. Nothing
//! flashes three times a second, whatever the palette and whatever applications do.
//!
//! ```
//! use presence_core::indicator::{Animation, Palette};
//! use presence_core::{Command, Instant, Policy, Presence, SingleUser};
//!
//! let mut user: SingleUser<u8, 4> = SingleUser::new(Policy::GRAPH);
//! let mut light = Animation::new();
//! let show = |light: &mut Animation, user: &SingleUser<u8, 4>, now| {
//!     light.show(now, Palette::HOME.appearance(user.user().presence(), user.user().absence()));
//!     // For LEDs that are driven directly, with a brightness setting for the night.
//!     light.frame(now).pulses(32).to_bytes()
//! };
//! assert_eq!(show(&mut light, &user, Instant::ZERO), [1, 1, 1], "a blink in white: no news");
//!
//! let now = Instant::from_secs(2);
//! user.execute(now, Command::SetPresence { session: 7, presence: Presence::InACall, lease: None }, |_| {})?;
//! assert_eq!(show(&mut light, &user, now), [22, 0, 0], "red, which breathes");
//! // Sleep until the next frame or until `user.next_deadline()`, whichever is sooner.
//! assert_eq!(light.next_frame(now), Some(Instant::from_millis(2024)));
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
        // Rounded once, so that the hue stays.
        colour.dimmed(u32::from(self.pattern.level_at(elapsed_ms)).saturating_mul(self.level.into()))
    }

    /// Returns the milliseconds until the next frame; `None` if the light does not change by itself.
    #[must_use]
    pub fn next_frame_in(&self, elapsed_ms: u32) -> Option<u16> {
        if self.level == 0 { None } else { self.pattern.next_frame_in(elapsed_ms) }
    }

    /// Reports whether the light changes by itself.
    fn moves(&self) -> bool {
        self.next_frame_in(0).is_some()
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
