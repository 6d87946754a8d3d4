//! The light in time: what it shows and when, when a frame is sent again, and when to look next.

use crate::light::{Frame, Light};
use crate::link::Link;
use crate::look::{Known, Look};
use presence_core::indicator::{Animation, Palette};
use presence_core::{Absence, Duration, Instant, Presence};

/// The settings of a light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LightSettings {
    /// The appearance of everything.
    pub palette: &'static Palette,
    /// The brightness, 1 to 255. At full power a few LEDs light a room.
    pub brightness: u8,
    /// The number of LEDs that are lit, of a light that has several. More than it has are all of them.
    pub leds: u16,
    /// The time after which “no news” dims away: in a dark night nothing blinks. [`Duration::MAX`] for never.
    pub quiet_after: Duration,
}

impl LightSettings {
    /// The library's palette at full brightness, on one LED; “no news” dims away after an hour.
    pub const DEFAULT: Self =
        Self { palette: &Palette::DEFAULT, brightness: u8::MAX, leds: 1, quiet_after: Duration::from_hours(1) };
}

/// The state of the link, and when it ends by itself.
#[derive(Clone, Copy, Debug)]
struct LinkState {
    link: Link,
    ends_at: Instant,
}

/// A light that plays what is known in its patterns.
///
/// It never flashes, see [`Animation`]. A frame that could not be sent is sent again after a second, a steady one after
/// [`Light::REFRESH`].
#[derive(Clone, Debug)]
pub struct AnimatedLight<L> {
    light: L,
    settings: LightSettings,
    animation: Animation,
    known: Known,
    /// The moment when what is known last changed, or a button was pressed.
    since: Instant,
    out_of_office_until: Instant,
    link: LinkState,
    /// The look that the light shows.
    look: Look,
    sent: Option<Frame>,
    send_again_at: Instant,
}

/// The time after which a write that failed is repeated.
const RETRY: Duration = Duration::from_secs(1);
/// The state of a link that needs a person is shown for two seconds in each ten, beside a presence.
const TURN: u32 = 10_000;
const LINK_TURN: u32 = 2_000;

impl<L: Light> AnimatedLight<L> {
    /// Wraps a light that shows nothing yet.
    pub const fn new(light: L) -> Self {
        Self {
            light,
            settings: LightSettings::DEFAULT,
            animation: Animation::new(),
            known: Known::NOTHING,
            since: Instant::ZERO,
            out_of_office_until: Instant::ZERO,
            link: LinkState { link: Link::Ok, ends_at: Instant::ZERO },
            look: Look::DARK,
            sent: None,
            send_again_at: Instant::ZERO,
        }
    }

    /// Returns the settings.
    #[must_use]
    pub const fn settings(&self) -> LightSettings {
        self.settings
    }

    /// Changes the settings, from the next frame on.
    pub const fn set_settings(&mut self, settings: LightSettings) {
        self.settings = settings;
        self.animation.set_dwell(settings.palette.dwell);
    }

    /// Sets the state of the link until `ends_at`. It is then [`Link::Ok`].
    pub fn set_link(&mut self, link: Link, ends_at: Instant) {
        if self.link.link != link {
            crate::log::info!("link: {}", link);
        }
        self.link = LinkState { link, ends_at };
    }

    /// Lets the user be out of office until `ends_at`. A moment that is past ends it.
    pub const fn set_out_of_office(&mut self, ends_at: Instant) {
        self.out_of_office_until = ends_at;
    }

    /// Shows the frame of a presence at `now`. A frame that is shown already is sent again only when that is due.
    pub fn show(&mut self, now: Instant, presence: Presence, absence: Option<Absence>) {
        let known = self.know(now, presence, absence);
        let before = self.known.user(self.settings.palette);
        if known != self.known {
            (self.known, self.since) = (known, now);
        }
        let user = self.known.user(self.settings.palette);
        if before.presence != user.presence || self.sent.is_none() {
            crate::log::info!("light: {}", user.presence);
        }
        self.draw(now);
    }

    /// Shows the frame of a presence after a press of a button at `now`: a press that changes nothing is acknowledged by a blink.
    pub fn show_press(&mut self, now: Instant, presence: Presence, absence: Option<Absence>) {
        let before = self.look_at(now);
        self.show(now, presence, absence);
        // Somebody is there: “no news” shows again.
        self.since = now;
        if self.look_at(now) == before {
            self.animation.acknowledge();
        }
        self.draw(now);
    }

    /// Returns when to call [`show`](Self::show) again; `None` if nothing changes by itself.
    #[must_use]
    pub fn wake_at(&self, now: Instant) -> Option<Instant> {
        let ends =
            [self.out_of_office_until, self.link.ends_at, self.quiet_at(), self.next_turn(now), self.send_again_at];
        let ends = ends.into_iter().filter(|end| now < *end && *end < Instant::NEVER);
        ends.chain(self.animation.next_frame(now)).min()
    }

    /// Reports whether the light shows what it should at `now`: a change may have to wait for half a second.
    #[must_use]
    pub fn is_settled(&self, now: Instant) -> bool {
        self.animation.shown() == self.look_at(now).appearance
    }

    /// Returns the wrapped light.
    pub const fn light(&mut self) -> &mut L {
        &mut self.light
    }

    /// Returns what is known at `now`.
    fn know(&self, now: Instant, presence: Presence, absence: Option<Absence>) -> Known {
        let link = if self.link.ends_at.is_due(now) { Link::Ok } else { self.link.link };
        Known { presence, absence, is_out_of_office: !self.out_of_office_until.is_due(now), link }
    }

    /// Returns what the light should show at `now`.
    fn look_at(&self, now: Instant) -> Look {
        let palette = self.settings.palette;
        let user = self.known.user(palette);
        if self.quiet_at().is_due(now) {
            return user.dark();
        }
        match self.known.link(palette) {
            Some(link) if user.is_no_news() || self.turn(now) < LINK_TURN => link,
            _ => user,
        }
    }

    fn draw(&mut self, now: Instant) {
        let look = self.look_at(now);
        self.animation.show(now, look.appearance);
        if self.animation.shown() == look.appearance {
            self.look = look;
        }
        let (colour, LightSettings { brightness, leds, .. }) = (self.animation.frame(now), self.settings);
        self.send(now, Frame { sign: self.look.sign, presence: self.look.presence, colour, brightness, leds });
    }

    /// Sends a frame, unless it is shown already.
    fn send(&mut self, now: Instant, frame: Frame) {
        if self.sent == Some(frame) && !self.send_again_at.is_due(now) {
            return;
        }
        self.sent = Some(frame);
        let again = match self.light.show(frame) {
            Ok(()) => L::REFRESH,
            Err(_) => {
                crate::log::warning!("the light does not respond");
                Some(RETRY)
            }
        };
        self.send_again_at = again.map_or(Instant::NEVER, |again| now.saturating_add(again));
    }

    /// Returns when “no news”, or the link's state in its place, dims away; [`Instant::NEVER`] if there is nothing to dim.
    fn quiet_at(&self) -> Instant {
        let palette = self.settings.palette;
        let user = self.known.user(palette);
        let is_empty = user.is_empty() && (user.appearance.level > 0 || self.known.link(palette).is_some());
        if is_empty { self.since.saturating_add(self.settings.quiet_after) } else { Instant::NEVER }
    }

    /// Returns the milliseconds since the turns of the presence and the link began anew.
    fn turn(&self, now: Instant) -> u32 {
        (now.saturating_duration_since(self.since).as_millis() as u32) % TURN
    }

    /// Returns when the link takes its turn, or the presence does; [`Instant::NEVER`] if there are no turns.
    fn next_turn(&self, now: Instant) -> Instant {
        let (palette, turn) = (self.settings.palette, self.turn(now));
        if self.known.user(palette).is_no_news() || self.known.link(palette).is_none() {
            return Instant::NEVER;
        }
        let end = if turn < LINK_TURN { LINK_TURN } else { TURN };
        now.saturating_add(Duration::from_millis((end - turn).into()))
    }
}
