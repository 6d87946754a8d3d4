//! Palettes: the appearance of every presence, as constant data.

use super::Appearance;
use super::colour::Rgb;
use super::pattern::{Pattern, Period};
use crate::presence::Presence;

/// The appearance of a light for each presence: plain data, which an application can replace completely or in part.
///
/// The palettes of the library show the availability by colour and the activity by pattern. They also work without colours:
/// availabilities with the same pattern differ in luminance. A device should show its own faults in a colour of its own: with
/// [`Palette::DEFAULT`], blue is free.
///
/// ```
/// use presence_core::Presence;
/// use presence_core::indicator::{Appearance, Palette, Pattern, Period, Rgb};
///
/// // One presence by value ...
/// const CALLS: Appearance = Appearance {
///     colour: Rgb::from_hex(0xFF2000),
///     level: 255,
///     pattern: Pattern::Blink { on_ms: 900, period: Period::from_millis(1000) },
/// };
/// const LOUD: Palette = Palette::DEFAULT.with(Presence::InACall, CALLS).with(Presence::InAConferenceCall, CALLS);
/// // ... or by name: this light stays dark if there is no news.
/// const QUIET: Palette = Palette { no_news: Appearance::OFF, ..Palette::DEFAULT };
/// assert_eq!(LOUD.of(Presence::InACall), CALLS);
/// assert_eq!(QUIET.of(Presence::Unknown), Appearance::OFF);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Palette {
    /// The appearance of no news: Unknown, or Offline unless the last session was cleared. Rule [A5](crate::rules#a5).
    pub no_news: Appearance,
    /// The appearance of Offline after the last session was cleared: the user is gone.
    pub offline: Appearance,
    /// The appearance of OffWork, which clients call “appear offline”.
    pub off_work: Appearance,
    /// The appearance of Away.
    pub away: Appearance,
    /// The appearance of BeRightBack.
    pub be_right_back: Appearance,
    /// The appearance of AvailableInactive: available, but idle for a while.
    pub available_inactive: Appearance,
    /// The appearance of Available.
    pub available: Appearance,
    /// The appearance of Busy.
    pub busy: Appearance,
    /// The appearance of InAMeeting, from a calendar.
    pub in_a_meeting: Appearance,
    /// The appearance of InACall.
    pub in_a_call: Appearance,
    /// The appearance of InAConferenceCall.
    pub in_a_conference_call: Appearance,
    /// The appearance of DoNotDisturb.
    pub do_not_disturb: Appearance,
    /// The appearance of Focusing, from a calendar.
    pub focusing: Appearance,
    /// The appearance of UrgentInterruptionsOnly.
    pub urgent_interruptions_only: Appearance,
    /// The appearance of Presenting.
    pub presenting: Appearance,
}

const GREEN: Rgb = Rgb::from_hex(0x00FF55);
const RED: Rgb = Rgb::from_hex(0xFF2000);
const AMBER: Rgb = Rgb::from_hex(0xFF8000);
const PURPLE: Rgb = Rgb::from_hex(0xB03CDE);
const YELLOW: Rgb = Rgb::from_hex(0xFFC000);
const BLUE: Rgb = Rgb::from_hex(0x0060FF);
const ORANGE: Rgb = Rgb::from_hex(0xFF5000);
const MAGENTA: Rgb = Rgb::from_hex(0xFF00FF);

const BREATH: Pattern = Pattern::Breathe { period: Period::from_millis(3000) };
const NO_NEWS: Appearance = blinking(Rgb::WHITE, 26, 100, 5000);

const fn blinking(colour: Rgb, level: u8, on_ms: u16, period_ms: u16) -> Appearance {
    Appearance { colour, level, pattern: Pattern::Blink { on_ms, period: Period::from_millis(period_ms) } }
}

const fn alternating(colour: Rgb, other: Rgb, period_ms: u16) -> Appearance {
    Appearance { colour, level: 255, pattern: Pattern::Alternate { other, period: Period::from_millis(period_ms) } }
}

impl Palette {
    /// The palette for most people, in an office: brightest when busy, dimmest when away.
    ///
    /// | presence | colour | pattern |
    /// | --- | --- | --- |
    /// | Available | green | solid |
    /// | AvailableInactive | green, dimmer | solid |
    /// | Busy, InAMeeting | red | solid |
    /// | InACall, InAConferenceCall | red | breathes, 3 s |
    /// | DoNotDisturb, Focusing, UrgentInterruptionsOnly | purple | solid |
    /// | Presenting | red and a dark purple | alternate, 1 s |
    /// | Away | yellow, dim | solid |
    /// | BeRightBack | yellow | blinks, 0.5 s in 4 s |
    /// | Offline, OffWork | none | dark |
    /// | no news | white, dim | blinks, 0.1 s in 5 s |
    pub const DEFAULT: Self = Self {
        no_news: NO_NEWS,
        offline: Appearance::OFF,
        off_work: Appearance::OFF,
        away: Appearance::solid(YELLOW, 72),
        be_right_back: blinking(YELLOW, 160, 500, 4000),
        available_inactive: Appearance::solid(GREEN, 77),
        available: Appearance::solid(GREEN, 106),
        busy: Appearance::solid(RED, 255),
        in_a_meeting: Appearance::solid(RED, 255),
        in_a_call: Appearance { colour: RED, level: 255, pattern: BREATH },
        in_a_conference_call: Appearance { colour: RED, level: 255, pattern: BREATH },
        do_not_disturb: Appearance::solid(PURPLE, 240),
        focusing: Appearance::solid(PURPLE, 240),
        urgent_interruptions_only: Appearance::solid(PURPLE, 240),
        presenting: alternating(RED, PURPLE.scale(170), 1000),
    };

    /// The palette for people who may be interrupted in a meeting of their calendar.
    ///
    /// It is [`Palette::DEFAULT`] with amber for InAMeeting.
    pub const HOME: Self = Self::DEFAULT.with(Presence::InAMeeting, Appearance::solid(AMBER, 205));

    /// The palette for people who do not distinguish red and green.
    ///
    /// It uses blue and orange, and a distinct pattern for everything but Available and Busy.
    ///
    /// | presence | colour | pattern |
    /// | --- | --- | --- |
    /// | Available | blue | solid |
    /// | AvailableInactive | blue, dim | solid |
    /// | Busy, InAMeeting | orange | solid, brightest |
    /// | InACall, InAConferenceCall | orange | breathes, 3 s |
    /// | DoNotDisturb, Focusing, UrgentInterruptionsOnly | white and magenta | alternate, 4 s |
    /// | Presenting | white and magenta | alternate, 1 s |
    /// | Away | yellow, dim | blinks, 2 s in 4 s |
    /// | BeRightBack | yellow | blinks, 0.5 s in 4 s |
    /// | Offline, OffWork | none | dark |
    /// | no news | white, dim | blinks, 0.1 s in 5 s |
    pub const COLOUR_BLIND: Self = Self {
        no_news: NO_NEWS,
        offline: Appearance::OFF,
        off_work: Appearance::OFF,
        away: blinking(YELLOW, 56, 2000, 4000),
        be_right_back: blinking(YELLOW, 160, 500, 4000),
        available_inactive: Appearance::solid(BLUE, 132),
        available: Appearance::solid(BLUE, 180),
        busy: Appearance::solid(ORANGE, 255),
        in_a_meeting: Appearance::solid(ORANGE, 255),
        in_a_call: Appearance { colour: ORANGE, level: 255, pattern: BREATH },
        in_a_conference_call: Appearance { colour: ORANGE, level: 255, pattern: BREATH },
        do_not_disturb: alternating(Rgb::WHITE, MAGENTA, 4000),
        focusing: alternating(Rgb::WHITE, MAGENTA, 4000),
        urgent_interruptions_only: alternating(Rgb::WHITE, MAGENTA, 4000),
        presenting: alternating(Rgb::WHITE, MAGENTA, 1000),
    };

    /// Returns the appearance of a presence. [`Presence::Unknown`] is [`no_news`](Self::no_news).
    #[must_use]
    pub const fn of(&self, presence: Presence) -> Appearance {
        match presence {
            Presence::Unknown => self.no_news,
            Presence::Offline => self.offline,
            Presence::OffWork => self.off_work,
            Presence::Away => self.away,
            Presence::BeRightBack => self.be_right_back,
            Presence::AvailableInactive => self.available_inactive,
            Presence::Available => self.available,
            Presence::Busy => self.busy,
            Presence::InAMeeting => self.in_a_meeting,
            Presence::InACall => self.in_a_call,
            Presence::InAConferenceCall => self.in_a_conference_call,
            Presence::DoNotDisturb => self.do_not_disturb,
            Presence::Focusing => self.focusing,
            Presence::UrgentInterruptionsOnly => self.urgent_interruptions_only,
            Presence::Presenting => self.presenting,
        }
    }

    /// Returns this palette with another appearance of one presence, for constants.
    ///
    /// [`Presence::Unknown`] replaces [`no_news`](Self::no_news).
    #[must_use]
    pub const fn with(mut self, presence: Presence, appearance: Appearance) -> Self {
        let entry = match presence {
            Presence::Unknown => &mut self.no_news,
            Presence::Offline => &mut self.offline,
            Presence::OffWork => &mut self.off_work,
            Presence::Away => &mut self.away,
            Presence::BeRightBack => &mut self.be_right_back,
            Presence::AvailableInactive => &mut self.available_inactive,
            Presence::Available => &mut self.available,
            Presence::Busy => &mut self.busy,
            Presence::InAMeeting => &mut self.in_a_meeting,
            Presence::InACall => &mut self.in_a_call,
            Presence::InAConferenceCall => &mut self.in_a_conference_call,
            Presence::DoNotDisturb => &mut self.do_not_disturb,
            Presence::Focusing => &mut self.focusing,
            Presence::UrgentInterruptionsOnly => &mut self.urgent_interruptions_only,
            Presence::Presenting => &mut self.presenting,
        };
        *entry = appearance;
        self
    }
}

impl Default for Palette {
    /// Returns [`Palette::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}
