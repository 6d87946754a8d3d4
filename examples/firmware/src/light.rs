//! Lights that show a presence: a pin, a duty cycle or RGB LEDs, and the animation of their patterns.

use embedded_hal::digital::{OutputPin, PinState};
use embedded_hal::pwm::SetDutyCycle;
use presence_core::indicator::{Appearance, Palette, Rgb};
use presence_core::{Absence, Instant, Presence};
use smart_leds_trait::{RGB8, SmartLedsWrite};

/// A presence and its colour at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Frame {
    /// The presence; [`Presence::Unknown`] stands for “no news”.
    pub presence: Presence,
    /// The colour at this moment, scaled to its brightness.
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

/// A light that can show a frame.
pub trait Light {
    /// Shows a frame until the next one.
    ///
    /// # Errors
    ///
    /// [`LightError`] if the light cannot be driven.
    fn show(&mut self, frame: Frame) -> Result<(), LightError>;
}

/// An LED on a pin, lit or dark.
#[derive(Debug)]
pub struct PinLight<P>(pub P);

impl<P: OutputPin> Light for PinLight<P> {
    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        self.0.set_state(PinState::from(frame.colour != Rgb::BLACK)).map_err(|_| LightError)
    }
}

/// An LED with a duty cycle, or a bar of LEDs, as bright as the colour's luminance.
#[derive(Debug)]
pub struct DutyLight<P>(pub P);

impl<P: SetDutyCycle> Light for DutyLight<P> {
    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        let level = u32::from(frame.colour.luminance());
        // Rounded up, so that a dim colour stays lit. At most the largest duty, so the cast is lossless.
        let duty = (level * u32::from(self.0.max_duty_cycle())).div_ceil(255) as u16;
        self.0.set_duty_cycle(duty).map_err(|_| LightError)
    }
}

/// `COUNT` RGB LEDs of the same colour.
#[derive(Debug)]
pub struct SmartLight<L, const COUNT: usize> {
    /// The LEDs.
    pub leds: L,
    /// The greatest brightness, in 255ths. At full power a few LEDs light a room.
    pub brightness: u8,
}

/// Returns the bytes for an RGB LED, corrected for gamma because it is driven by duty cycle.
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

/// A light that plays the pattern of a presence.
#[derive(Debug)]
pub struct AnimatedLight<L> {
    light: L,
    appearance: Appearance,
    since: Instant,
    shown: Option<Frame>,
}

impl<L: Light> AnimatedLight<L> {
    /// Wraps a light that shows nothing yet.
    pub const fn new(light: L) -> Self {
        Self { light, appearance: Appearance::OFF, since: Instant::ZERO, shown: None }
    }

    /// Shows the frame of a presence at `now`. A frame that is shown already is not sent again.
    pub fn show(&mut self, now: Instant, presence: Presence, absence: Option<Absence>) {
        let appearance = Palette::DEFAULT.appearance(presence, absence);
        let presence = match absence {
            Some(absence) if absence.is_stale() => Presence::Unknown,
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
                crate::log::warning!("the light does not respond");
            }
        }
    }

    /// Returns when the pattern's next frame begins; `None` if the light is steady.
    #[must_use]
    pub fn next_frame(&self, now: Instant) -> Option<Instant> {
        let wait = self.appearance.next_frame_in(self.elapsed(now))?;
        Some(now.saturating_add(presence_core::Duration::from_millis(wait.into())))
    }

    /// Returns the wrapped light.
    pub const fn light(&mut self) -> &mut L {
        &mut self.light
    }

    /// Returns the milliseconds since the appearance changed. They wrap, as patterns allow.
    const fn elapsed(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.since).as_millis() as u32
    }
}
