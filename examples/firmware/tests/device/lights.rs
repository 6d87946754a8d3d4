//! Lights: a pin, a duty cycle, RGB LEDs.

use embedded_hal::digital::{self, OutputPin};
use embedded_hal::pwm::{self, SetDutyCycle};
use firmware::{DutyLight, Frame, Light, LightError, PinLight, SmartLight, smart_colour};
use presence_core::Presence;
use presence_core::indicator::Rgb;
use smart_leds_trait::{RGB8, SmartLedsWrite};

fn frame(colour: Rgb) -> Frame {
    Frame::new(Presence::Busy, colour)
}

/// A driver that records what it was told, or fails.
#[derive(Default)]
struct Driver<T> {
    seen: Vec<T>,
    fails: bool,
}

#[derive(Debug)]
struct Failed;

impl digital::Error for Failed {
    fn kind(&self) -> digital::ErrorKind {
        digital::ErrorKind::Other
    }
}

impl pwm::Error for Failed {
    fn kind(&self) -> pwm::ErrorKind {
        pwm::ErrorKind::Other
    }
}

impl<T> Driver<T> {
    fn new(fails: bool) -> Self {
        Self { seen: Vec::new(), fails }
    }

    fn take(&mut self, value: T) -> Result<(), Failed> {
        self.seen.push(value);
        if self.fails { Err(Failed) } else { Ok(()) }
    }
}

impl digital::ErrorType for Driver<bool> {
    type Error = Failed;
}

impl OutputPin for Driver<bool> {
    fn set_low(&mut self) -> Result<(), Failed> {
        self.take(false)
    }

    fn set_high(&mut self) -> Result<(), Failed> {
        self.take(true)
    }
}

impl pwm::ErrorType for Driver<u16> {
    type Error = Failed;
}

impl SetDutyCycle for Driver<u16> {
    fn max_duty_cycle(&self) -> u16 {
        1000
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Failed> {
        self.take(duty)
    }
}

impl SmartLedsWrite for Driver<Vec<RGB8>> {
    type Error = Failed;
    type Color = RGB8;

    fn write<T, I>(&mut self, colours: T) -> Result<(), Failed>
    where
        T: IntoIterator<Item = I>,
        I: Into<RGB8>,
    {
        self.take(colours.into_iter().map(Into::into).collect())
    }
}

#[test]
fn a_pin_is_lit_unless_the_colour_is_black() {
    let mut light = PinLight(Driver::new(false));
    for colour in [Rgb::WHITE, Rgb::BLACK, Rgb::new(0, 0, 1), Rgb::new(1, 0, 0), Rgb::BLACK] {
        assert_eq!(light.show(frame(colour)), Ok(()));
    }
    assert_eq!(light.0.seen, [true, false, true, true, false]);
    assert_eq!(PinLight(Driver::new(true)).show(frame(Rgb::WHITE)), Err(LightError));
    assert_eq!(LightError.to_string(), "the light cannot be driven");
}

#[test]
fn a_duty_cycle_is_as_bright_as_the_luminance_and_never_dark_for_a_dim_colour() {
    let mut light = DutyLight(Driver::new(false));
    let colours = [Rgb::WHITE, Rgb::BLACK, Rgb::new(20, 20, 20), Rgb::new(128, 128, 128), Rgb::new(255, 0, 0)];
    for colour in colours {
        assert_eq!(light.show(frame(colour)), Ok(()));
    }
    // Rounded up to whole thousandths.
    let expected = colours.map(|colour| (f64::from(colour.luminance()) * 1000.0 / 255.0).ceil() as u16);
    assert_eq!(light.0.seen, expected);
    assert_eq!(expected[..3], [1000, 0, 4]);
    let dim = Frame { brightness: 1, ..frame(Rgb::WHITE) };
    assert_eq!((light.show(dim), light.0.seen.last()), (Ok(()), Some(&40)));
    assert_eq!(DutyLight(Driver::<u16>::new(true)).show(frame(Rgb::WHITE)), Err(LightError));
}

#[test]
fn rgb_leds_show_the_colour_scaled_to_their_brightness_and_corrected_and_the_others_are_dark() {
    let mut light = SmartLight::<_, 3>(Driver::new(false));
    let colour = Rgb::new(255, 128, 3);
    for leds in [3, 1, 2, u16::MAX] {
        assert_eq!(light.show(Frame { brightness: 96, leds, ..frame(colour) }), Ok(()));
    }
    let [r, g, b] = colour.pulses(96).to_bytes();
    let (lit, dark) = (RGB8 { r, g, b }, RGB8 { r: 0, g: 0, b: 0 });
    assert_eq!(light.0.seen, [[lit, lit, lit], [lit, dark, dark], [lit, lit, dark], [lit, lit, lit]]);
    assert_eq!(SmartLight::<Driver<Vec<RGB8>>, 3>::LEDS, 3);
    assert_eq!(smart_colour(Rgb::WHITE, 255), RGB8 { r: 255, g: 255, b: 255 });
    assert!(r > g && g > b && r < 96, "{r} {g} {b}: less light than its share of the voltage");
    let mut light = SmartLight::<_, 3>(Driver::<Vec<RGB8>>::new(true));
    assert_eq!(light.show(frame(colour)), Err(LightError));
}
