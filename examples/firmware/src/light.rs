//! Lights that show a frame: a pin, a duty cycle or RGB LEDs.

use crate::look::Sign;
use embedded_hal::digital::{OutputPin, PinState};
use embedded_hal::pwm::SetDutyCycle;
use presence_core::indicator::Rgb;
use presence_core::{Duration, Presence};
use smart_leds_trait::{RGB8, SmartLedsWrite};

/// The picture of a light at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Frame {
    /// The kind of thing that is shown.
    pub sign: Sign,
    /// The presence; [`Presence::Unknown`] stands for “no news”.
    pub presence: Presence,
    /// The colour at this moment, as if the light had its full brightness.
    pub colour: Rgb,
    /// The brightness of the light, 1 to 255.
    pub brightness: u8,
    /// The number of LEDs that are lit, of a light that has several.
    pub leds: u16,
}

impl Frame {
    /// Creates the frame of a presence, at full brightness on one LED.
    #[must_use]
    pub const fn new(presence: Presence, colour: Rgb) -> Self {
        Self { sign: Sign::Presence, presence, colour, brightness: u8::MAX, leds: 1 }
    }
}

/// The error of a light that cannot be driven. It is driven again a second later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LightError;

impl core::fmt::Display for LightError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the light cannot be driven")
    }
}

impl core::error::Error for LightError {}

/// A light that can show a frame.
pub trait Light {
    /// The time after which a frame that is steady is sent again: LEDs whose power blinked have lost it. `None` for a light that
    /// cannot lose it.
    ///
    /// It costs one wake-up and one write each time.
    const REFRESH: Option<Duration> = Some(Duration::from_secs(5));

    /// The number of LEDs, of which some may be lit and the others dark.
    const LEDS: u16 = 1;

    /// Shows a frame until the next one.
    ///
    /// # Errors
    ///
    /// [`LightError`] if the light cannot be driven.
    fn show(&mut self, frame: Frame) -> Result<(), LightError>;
}

/// An LED or a relay on a pin, lit or dark: for [`Palette::LAMP`](presence_core::indicator::Palette::LAMP), or
/// [`Palette::RELAY`](presence_core::indicator::Palette::RELAY).
#[derive(Debug)]
pub struct PinLight<P>(pub P);

impl<P: OutputPin> Light for PinLight<P> {
    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        self.0.set_state(PinState::from(frame.colour != Rgb::BLACK)).map_err(|_| LightError)
    }
}

/// An LED with a duty cycle, or a bar of LEDs, as bright as the colour's luminance and the light's brightness.
#[derive(Debug)]
pub struct DutyLight<P>(pub P);

impl<P: SetDutyCycle> Light for DutyLight<P> {
    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        let level = u32::from(frame.colour.luminance()) * u32::from(Rgb::WHITE.pulses(frame.brightness).red);
        // Rounded up, so that a dim colour stays lit. At most the largest duty, so the cast is lossless.
        let duty = (level * u32::from(self.0.max_duty_cycle())).div_ceil(255 * 255) as u16;
        self.0.set_duty_cycle(duty).map_err(|_| LightError)
    }
}

/// `COUNT` RGB LEDs, at most 65,535, of the same colour; or the first of them, and the others dark.
#[derive(Debug)]
pub struct SmartLight<L, const COUNT: usize>(pub L);

/// Returns the bytes for an RGB LED, corrected for gamma because it is driven by duty cycle.
#[must_use]
pub const fn smart_colour(colour: Rgb, brightness: u8) -> RGB8 {
    let [r, g, b] = colour.pulses(brightness).to_bytes();
    RGB8 { r, g, b }
}

impl<L: SmartLedsWrite<Color = RGB8>, const COUNT: usize> Light for SmartLight<L, COUNT> {
    const LEDS: u16 = COUNT as u16;

    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        let mut colours = [smart_colour(frame.colour, frame.brightness); COUNT];
        colours.iter_mut().skip(frame.leds.into()).for_each(|colour| *colour = smart_colour(Rgb::BLACK, 0));
        self.0.write(colours).map_err(|_| LightError)
    }
}
