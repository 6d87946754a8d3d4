//! The animation of a light: appearances one after another, each in its pattern, without flashes whatever comes.

use super::Appearance;
use super::colour::Rgb;
use crate::time::{Duration, Instant};

/// A light that plays one appearance after another, and never flashes three times a second.
///
/// A change waits until the light has stood still for [`MIN_DWELL`](Self::MIN_DWELL) and its pattern has gone on for half a
/// second. Meanwhile the pattern stands still, and of several changes the latest wins. So neither an application that changes its
/// mind every few milliseconds nor a pattern that is cut short makes a light flash.
///
/// ```
/// use presence_core::Instant;
/// use presence_core::indicator::{Animation, Palette};
///
/// let (palette, at) = (Palette::DEFAULT, Instant::from_millis);
/// let mut light = Animation::new();
/// light.show(at(1_000), palette.busy);
/// assert_eq!((light.frame(at(1_000)), light.next_frame(at(1_000))), (palette.busy.frame_at(0), None));
/// // Too soon: it waits until 400 ms after the first change, ...
/// light.show(at(1_100), palette.away);
/// assert_eq!((light.shown(), light.next_frame(at(1_100))), (palette.busy, Some(at(1_400))));
/// // ... and the latest wins.
/// light.show(at(1_200), palette.available);
/// light.show(at(1_400), palette.available);
/// assert_eq!((light.frame(at(1_400)), light.next_frame(at(1_400))), (palette.available.frame_at(0), None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Animation {
    dwell: Duration,
    shown: Appearance,
    /// The start of `shown`, later by the time for which its pattern stood still; `None` before anything was shown.
    since: Option<Instant>,
    /// The moment of the latest frame.
    drawn: Instant,
    /// The appearance that is shown next.
    wanted: Appearance,
    /// The moment since which the pattern stands still, because a change waits.
    held: Option<Instant>,
    wink: Wink,
}

/// A single blink that acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Wink {
    None,
    /// It waits, as a change does.
    Due,
    /// It is shown instead of what is shown, for as long as a change waits.
    Shown(Appearance),
}

impl Animation {
    /// The shortest time between two changes: 400 ms.
    pub const MIN_DWELL: Duration = Duration::from_millis(400);
    /// The longest time between two changes with which [`acknowledge`](Self::acknowledge) does something: a second.
    const MAX_WINK: Duration = Duration::from_secs(1);

    /// Creates the animation of a light that is dark. The first appearance is shown at once.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_dwell(Self::MIN_DWELL)
    }

    /// Creates the animation of a light that keeps an appearance for at least `dwell`, such as a minute for a relay.
    ///
    /// Times shorter than [`MIN_DWELL`](Self::MIN_DWELL) do not exist.
    #[must_use]
    pub const fn with_dwell(dwell: Duration) -> Self {
        let dwell = if dwell.as_millis() < Self::MIN_DWELL.as_millis() { Self::MIN_DWELL } else { dwell };
        Self {
            dwell,
            shown: Appearance::OFF,
            since: None,
            drawn: Instant::ZERO,
            wanted: Appearance::OFF,
            held: None,
            wink: Wink::None,
        }
    }

    /// Keeps what is shown from now on for at least `dwell`, see [`with_dwell`](Self::with_dwell).
    pub const fn set_dwell(&mut self, dwell: Duration) {
        self.dwell = Self::with_dwell(dwell).dwell;
    }

    /// Shows an appearance at `now`, or as soon as it may: call it again at [`next_frame`](Self::next_frame).
    pub fn show(&mut self, now: Instant, appearance: Appearance) {
        self.wanted = appearance;
        if self.since.is_none() {
            self.change(now);
        }
        if self.is_changing() {
            let held = self.held.unwrap_or_else(|| self.hold(now));
            self.held = Some(held);
            if self.ready_at(held).is_due(now) {
                self.change(now);
            }
        } else {
            self.resume(now);
        }
        self.drawn = now;
    }

    /// Blinks once, to acknowledge a press of a button that changes nothing: dark if the light is lit, else dim white.
    ///
    /// A change that comes first takes its place. A light whose changes lie more than a second apart does not blink. Call
    /// [`show`](Self::show) afterwards.
    pub fn acknowledge(&mut self) {
        if self.wink == Wink::None && self.dwell <= Self::MAX_WINK {
            self.wink = Wink::Due;
        }
    }

    /// Returns the appearance that is shown. A change that waits does not count.
    #[must_use]
    pub const fn shown(&self) -> Appearance {
        self.shown
    }

    /// Returns the colour to show at `now`.
    #[must_use]
    pub fn frame(&self, now: Instant) -> Rgb {
        self.visible().frame_at(self.elapsed(now))
    }

    /// Returns when the next frame begins or a change that waits is due; `None` if the light does not change by itself.
    #[must_use]
    pub fn next_frame(&self, now: Instant) -> Option<Instant> {
        if let Some(held) = self.held {
            return Some(self.ready_at(held));
        }
        let wait = self.visible().next_frame_in(self.elapsed(now))?;
        Some(now.saturating_add(Duration::from_millis(wait.into())))
    }

    fn is_changing(&self) -> bool {
        self.wanted != self.shown || self.wink != Wink::None
    }

    /// Returns the moment at which the pattern stands still from `now` on: before a frame that was not drawn yet.
    fn hold(&self, now: Instant) -> Instant {
        match self.next_frame(self.drawn) {
            Some(next) if next.is_due(now) => next.saturating_sub(Duration::from_millis(1)),
            _ => now,
        }
    }

    /// Lets a pattern go on that stood still for a change, which is not wanted any more.
    fn resume(&mut self, now: Instant) {
        if let (Some(held), Some(since)) = (self.held.take(), self.since)
            && self.visible().moves()
        {
            self.since = Some(since.saturating_add(now.saturating_duration_since(held)));
        }
    }

    /// Makes the change that waited.
    fn change(&mut self, now: Instant) {
        self.wink = match self.wink {
            Wink::Due if self.wanted == self.shown => Wink::Shown(self.contrary(now)),
            _ => Wink::None,
        };
        (self.shown, self.since) = (self.wanted, Some(now));
        self.held = self.is_changing().then_some(now);
    }

    /// Returns what a wink shows.
    fn contrary(&self, now: Instant) -> Appearance {
        if self.frame(now) == Rgb::BLACK { Appearance::solid(Rgb::WHITE, 64) } else { Appearance::OFF }
    }

    /// Returns what is visible: a wink, or what is shown.
    const fn visible(&self) -> Appearance {
        if let Wink::Shown(wink) = self.wink { wink } else { self.shown }
    }

    /// Returns the milliseconds for which the pattern has gone on. They wrap, as patterns allow.
    fn elapsed(&self, now: Instant) -> u32 {
        let now = self.held.unwrap_or(now);
        self.since.map_or(0, |since| now.saturating_duration_since(since).as_millis() as u32)
    }

    /// Returns when a light whose pattern stands still since `held` may change.
    fn ready_at(&self, held: Instant) -> Instant {
        held.saturating_add(self.visible().wait(self.elapsed(held), self.dwell))
    }
}

impl Default for Animation {
    fn default() -> Self {
        Self::new()
    }
}
