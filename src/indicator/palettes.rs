//! The palettes of the library, as constants.

use super::Appearance;
use super::animation::Animation;
use super::colour::Rgb;
use super::palette::Palette;
use super::pattern::{Pattern, Period};
use crate::presence::Presence;
use crate::time::Duration;

const GREEN: Rgb = Rgb::from_hex(0x00FF55);
const RED: Rgb = Rgb::from_hex(0xFF2000);
const AMBER: Rgb = Rgb::from_hex(0xFF8000);
const PURPLE: Rgb = Rgb::from_hex(0xB03CDE);
const YELLOW: Rgb = Rgb::from_hex(0xFFC000);
const BLUE: Rgb = Rgb::from_hex(0x0060FF);
const ORANGE: Rgb = Rgb::from_hex(0xFF5000);
const MAGENTA: Rgb = Rgb::from_hex(0xFF00FF);

const SKY: Rgb = Rgb::from_hex(0x80D0FF);

const NO_NEWS: Appearance = blinking(Rgb::WHITE, 26, 100, 5000);
const LIT: Appearance = Appearance::solid(Rgb::WHITE, 255);
const LINK_OFFLINE: Appearance = blinking(BLUE, 160, 200, 2000);
const LINK_SIGN_IN: Appearance = blinking(BLUE, 160, 1000, 2000);
const LINK_FAULT: Appearance = alternating(BLUE, SKY, 2000);

const fn breathing(colour: Rgb, level: u8, period_ms: u16) -> Appearance {
    Appearance { colour, level, pattern: Pattern::Breathe { period: Period::from_millis(period_ms) } }
}

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
    /// | out of office | purple, dim | solid |
    /// | link offline | blue | blinks, 0.2 s in 2 s |
    /// | link needs a sign-in | blue | blinks, 1 s in 2 s |
    /// | link with a fault | blue and a pale blue | alternate, 2 s |
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
        in_a_call: breathing(RED, 255, 3000),
        in_a_conference_call: breathing(RED, 255, 3000),
        do_not_disturb: Appearance::solid(PURPLE, 240),
        focusing: Appearance::solid(PURPLE, 240),
        urgent_interruptions_only: Appearance::solid(PURPLE, 240),
        presenting: alternating(RED, PURPLE.scale(170), 1000),
        out_of_office: Appearance::solid(PURPLE, 104),
        link_offline: LINK_OFFLINE,
        link_sign_in: LINK_SIGN_IN,
        link_fault: LINK_FAULT,
        dwell: Animation::MIN_DWELL,
    };

    /// The palette for people who may be interrupted in a meeting of their calendar.
    ///
    /// It is [`Palette::DEFAULT`] with amber for InAMeeting.
    pub const HOME: Self = Self::DEFAULT.with(Presence::InAMeeting, Appearance::solid(AMBER, 205));

    /// The palette for a lamp of one colour: lit means “do not enter”.
    ///
    /// | presence | light |
    /// | --- | --- |
    /// | Busy, InAMeeting, DoNotDisturb, Focusing, UrgentInterruptionsOnly, Presenting | lit |
    /// | InACall, InAConferenceCall | lit, breathes, 3 s |
    /// | Available, AvailableInactive, Away, BeRightBack, Offline, OffWork, out of office | dark |
    /// | no news | dim, blinks, 0.1 s in 5 s |
    /// | link offline | blinks, 0.2 s in 2 s |
    /// | link needs a sign-in | blinks, 1 s in 2 s |
    /// | link with a fault | blinks, 0.5 s in 1 s |
    pub const LAMP: Self = Self {
        no_news: NO_NEWS,
        in_a_call: breathing(Rgb::WHITE, 255, 3000),
        in_a_conference_call: breathing(Rgb::WHITE, 255, 3000),
        link_offline: blinking(Rgb::WHITE, 128, 200, 2000),
        link_sign_in: blinking(Rgb::WHITE, 128, 1000, 2000),
        link_fault: blinking(Rgb::WHITE, 128, 500, 1000),
        dwell: Animation::MIN_DWELL,
        ..Self::RELAY
    };

    /// The palette for a relay, which switches something: on means “do not enter”, as with [`Palette::LAMP`]; nothing blinks.
    ///
    /// Played with its [`dwell`](Self::dwell), a minute, the relay switches at most once a minute, and only when on and off change.
    pub const RELAY: Self = Self {
        no_news: Appearance::OFF,
        offline: Appearance::OFF,
        off_work: Appearance::OFF,
        away: Appearance::OFF,
        be_right_back: Appearance::OFF,
        available_inactive: Appearance::OFF,
        available: Appearance::OFF,
        busy: LIT,
        in_a_meeting: LIT,
        in_a_call: LIT,
        in_a_conference_call: LIT,
        do_not_disturb: LIT,
        focusing: LIT,
        urgent_interruptions_only: LIT,
        presenting: LIT,
        out_of_office: Appearance::OFF,
        link_offline: Appearance::OFF,
        link_sign_in: Appearance::OFF,
        link_fault: Appearance::OFF,
        dwell: Duration::from_mins(1),
    };

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
    /// | out of office | magenta, dim | breathes, 8 s |
    /// | link | as in [`Palette::DEFAULT`] | |
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
        in_a_call: breathing(ORANGE, 255, 3000),
        in_a_conference_call: breathing(ORANGE, 255, 3000),
        do_not_disturb: alternating(Rgb::WHITE, MAGENTA, 4000),
        focusing: alternating(Rgb::WHITE, MAGENTA, 4000),
        urgent_interruptions_only: alternating(Rgb::WHITE, MAGENTA, 4000),
        presenting: alternating(Rgb::WHITE, MAGENTA, 1000),
        out_of_office: breathing(MAGENTA, 120, 8000),
        link_offline: LINK_OFFLINE,
        link_sign_in: LINK_SIGN_IN,
        link_fault: LINK_FAULT,
        dwell: Animation::MIN_DWELL,
    };
}
