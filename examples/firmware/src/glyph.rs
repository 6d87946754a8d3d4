//! Glyphs for a matrix of five by five LEDs of one colour, where the shape replaces the colour.

use crate::light::Frame;
use crate::link::Link;
use crate::look::Sign;
use presence_core::{Availability, Presence};

/// The brightness of each LED, 0 to [`MAX_BRIGHTNESS`]: rows from the top, LEDs from the left.
pub type Glyph = [[u8; 5]; 5];

/// The greatest brightness of an LED.
pub const MAX_BRIGHTNESS: u8 = 9;

/// Returns the glyph of a frame: the presence determines its shape, the colour its brightness.
///
/// ```
/// use firmware::{Frame, glyph};
/// use presence_core::{Presence, indicator::Rgb};
///
/// let tick = glyph(Frame::new(Presence::Available, Rgb::WHITE));
/// assert_eq!(tick[4], [0, 9, 0, 0, 0]);
/// ```
#[must_use]
pub fn glyph(frame: Frame) -> Glyph {
    // Perceived brightness, not duty cycle: each of the matrix's steps is about twice as much light as the one before.
    let [red, green, blue] = frame.colour.scale(frame.brightness).to_bytes();
    let level = u16::from(red.max(green).max(blue));
    let brightness = (level * u16::from(MAX_BRIGHTNESS)).div_ceil(255) as u8;
    let shape = match frame.sign {
        Sign::Presence => shape(frame.presence),
        Sign::OutOfOffice => OUT_OF_OFFICE,
        Sign::Link(link) => link_shape(link),
    };
    shape.map(|row| {
        let mut leds = [0; 5];
        for (led, bit) in leds.iter_mut().zip([16, 8, 4, 2, 1]) {
            *led = if row & bit == 0 { 0 } else { brightness };
        }
        leds
    })
}

/// An arrow, away from here.
const OUT_OF_OFFICE: [u8; 5] = [0b00100, 0b00010, 0b11111, 0b00010, 0b00100];

/// Returns the shape of a link's state: a plug that is pulled, a key, an exclamation mark.
const fn link_shape(link: Link) -> [u8; 5] {
    match link {
        Link::Ok => [0; 5],
        Link::Offline => [0b00000, 0b01010, 0b11011, 0b01010, 0b00000],
        Link::SignIn => [0b00000, 0b01000, 0b10111, 0b01001, 0b00000],
        Link::Fault => [0b00100, 0b00100, 0b00100, 0b00000, 0b00100],
    }
}

/// Returns rows from the top, with the leftmost LED in bit 4.
const fn shape(presence: Presence) -> [u8; 5] {
    match presence.availability() {
        // No news: a question mark.
        Availability::PresenceUnknown => [0b01110, 0b00010, 0b00100, 0b00000, 0b00100],
        // A dot, which lights up only for a press: gone is dark.
        Availability::Offline => [0b00000, 0b00000, 0b00100, 0b00000, 0b00000],
        // A clock.
        Availability::Away | Availability::BeRightBack => [0b01110, 0b10101, 0b10111, 0b10001, 0b01110],
        Availability::Available => [0b00000, 0b00001, 0b00010, 0b10100, 0b01000],
        // Lit all over, as much as a red lamp.
        Availability::Busy => [0b11111; 5],
        // No entry.
        Availability::DoNotDisturb => [0b01110, 0b11111, 0b10001, 0b11111, 0b01110],
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use presence_core::indicator::{Palette, Rgb};
    use std::{string::String, vec::Vec};

    fn drawn(presence: Presence, colour: Rgb) -> String {
        let row = |row: [u8; 5]| row.map(|led| char::from(b'0' + led)).iter().collect::<String>();
        glyph(Frame::new(presence, colour)).map(row).iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn available_is_a_tick() {
        assert_eq!(drawn(Presence::Available, Rgb::WHITE), "00000\n00009\n00090\n90900\n09000");
        assert_eq!(drawn(Presence::AvailableInactive, Rgb::new(0, 29, 0)), "00000\n00002\n00020\n20200\n02000");
    }

    #[test]
    fn every_availability_has_a_glyph_of_its_own() {
        let shapes = [
            Presence::Unknown,
            Presence::Offline,
            Presence::Away,
            Presence::Available,
            Presence::Busy,
            Presence::DoNotDisturb,
        ]
        .map(shape);
        let links = [Link::Offline, Link::SignIn, Link::Fault].map(link_shape);
        let shapes: Vec<_> = shapes.into_iter().chain(links).chain([OUT_OF_OFFICE]).collect();
        for (index, one) in shapes.iter().enumerate() {
            assert!(*one != [0; 5] && shapes.iter().skip(index + 1).all(|other| other != one));
        }
        assert_eq!(link_shape(Link::Ok), [0; 5]);
    }

    #[test]
    fn a_sign_has_its_shape_whatever_the_presence() {
        for (sign, top) in
            [(Sign::OutOfOffice, "00900"), (Sign::Link(Link::Fault), "00900"), (Sign::Link(Link::SignIn), "00000")]
        {
            let frame = Frame { sign, ..Frame::new(Presence::Busy, Rgb::WHITE) };
            let [first, second, ..] =
                glyph(frame).map(|row| row.map(|led| char::from(b'0' + led)).iter().collect::<String>());
            assert_eq!(first, top);
            assert_ne!(second, "99999");
        }
        let half = Frame { brightness: 128, ..Frame::new(Presence::Busy, Rgb::WHITE) };
        assert_eq!(glyph(half), [[5; 5]; 5]);
    }

    #[test]
    fn dim_leds_stay_lit_and_black_is_dark() {
        let no_news = drawn(Presence::Unknown, Palette::DEFAULT.no_news.frame_at(0));
        assert!(no_news.contains('1'), "{no_news}");
        for colour in [Rgb::new(255, 0, 0), Rgb::new(0, 255, 0), Rgb::new(0, 0, 255)] {
            assert!(drawn(Presence::Busy, colour).starts_with("99999"), "the brightest of the three: {colour:?}");
        }
        assert!(!drawn(Presence::Unknown, Rgb::BLACK).contains(|led| led != '0' && led != '\n'));
    }
}
