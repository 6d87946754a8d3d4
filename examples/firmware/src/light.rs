//! From presence to light, through whatever shines: a pin, a duty cycle, RGB LEDs.

use embedded_hal::digital::{OutputPin, PinState};
use embedded_hal::pwm::SetDutyCycle;
use presence_core::indicator::{Appearance, Palette, Rgb, appearance};
use presence_core::{Absence, Instant, Presence};
use smart_leds_trait::{RGB8, SmartLedsWrite};

/// What a light shows at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Frame {
    /// What it is about; [`Presence::Unknown`] when there is no news (rule A5).
    pub presence: Presence,
    /// Its colour, as bright as it is to look at this moment.
    pub colour: Rgb,
}

/// The error of a light that cannot be driven. It is driven again with the next frame that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LightError;

impl core::fmt::Display for LightError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the light cannot be driven")
    }
}

impl core::error::Error for LightError {}

/// Something that shines.
pub trait Light {
    /// Shows this until it is told otherwise.
    ///
    /// # Errors
    ///
    /// [`LightError`] when it cannot.
    fn show(&mut self, frame: Frame) -> Result<(), LightError>;
}

/// One LED on a pin: lit or dark.
#[derive(Debug)]
pub struct PinLight<P>(pub P);

impl<P: OutputPin> Light for PinLight<P> {
    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        self.0.set_state(PinState::from(frame.colour != Rgb::BLACK)).map_err(|_| LightError)
    }
}

/// One LED with a duty cycle, or a bar of them: as bright as the colour is to the eye.
#[derive(Debug)]
pub struct DutyLight<P>(pub P);

impl<P: SetDutyCycle> Light for DutyLight<P> {
    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        let level = u32::from(frame.colour.luminance());
        // Rounded up: what is lit stays lit. At most the largest duty, so nothing is cut off.
        let duty = (level * u32::from(self.0.max_duty_cycle())).div_ceil(255) as u16;
        self.0.set_duty_cycle(duty).map_err(|_| LightError)
    }
}

/// RGB LEDs, `COUNT` of them, all alike. `brightness` is in 255ths: at full power a few of them light a room.
#[derive(Debug)]
pub struct SmartLight<L, const COUNT: usize> {
    /// The LEDs.
    pub leds: L,
    /// How bright they are at most.
    pub brightness: u8,
}

/// What an RGB LED is sent for a colour. It drives its parts by duty cycle, hence the gamma correction.
#[must_use]
pub fn smart_colour(colour: Rgb, brightness: u8) -> RGB8 {
    let [r, g, b] = colour.scale(brightness).gamma_corrected().to_bytes();
    RGB8 { r, g, b }
}

impl<L: SmartLedsWrite<Color = RGB8>, const COUNT: usize> Light for SmartLight<L, COUNT> {
    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        self.leds.write([smart_colour(frame.colour, self.brightness); COUNT]).map_err(|_| LightError)
    }
}

/// A light, what it shows, and since when.
#[derive(Debug)]
pub struct AnimatedLight<L> {
    light: L,
    appearance: Appearance,
    since: Instant,
    shown: Option<Frame>,
}

impl<L: Light> AnimatedLight<L> {
    /// A light that shows nothing yet.
    pub const fn new(light: L) -> Self {
        Self { light, appearance: Appearance::OFF, since: Instant::ZERO, shown: None }
    }

    /// Shows a presence as it looks at this moment; what is shown already is not sent again. O(1).
    pub fn show(&mut self, now: Instant, presence: Presence, absence: Option<Absence>) {
        let appearance = appearance(presence, absence, &Palette::DEFAULT);
        let presence = match absence {
            Some(absence) if absence.is_no_news() => Presence::Unknown,
            _ => presence,
        };
        if appearance != self.appearance {
            (self.appearance, self.since) = (appearance, now);
        }
        if self.shown.is_none_or(|shown| shown.presence != presence) {
            crate::log::info!("light: {}", presence);
        }
        let frame = Frame { presence, colour: appearance.frame_at(self.elapsed(now)) };
        if self.shown != Some(frame) {
            self.shown = Some(frame);
            if self.light.show(frame).is_err() {
                crate::log::warning!("the light does not answer");
            }
        }
    }

    /// When to show it again, for its pattern. O(1).
    #[must_use]
    pub fn next_frame(&self, now: Instant) -> Option<Instant> {
        let wait = self.appearance.next_frame_in(self.elapsed(now))?;
        Some(now.saturating_add(presence_core::Duration::from_millis(wait.into())))
    }

    /// The light itself.
    pub const fn light(&mut self) -> &mut L {
        &mut self.light
    }

    /// In milliseconds, and wrapping, which the patterns know about.
    const fn elapsed(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.since).as_millis() as u32
    }
}
