//! Dimming: hue stays, and what looks different stays different, at every brightness and at every moment of a pattern.

#![expect(clippy::float_arithmetic, reason = "the exact values to compare with")]

use super::*;

/// Moments of a pattern: each step of a breath, and both sides of every edge.
fn moments(lamp: Appearance) -> impl Iterator<Item = u32> {
    let mut next = Some(0);
    core::iter::from_fn(move || {
        let moment = next?;
        next =
            lamp.next_frame_in(moment).map(|wait| moment + u32::from(wait)).filter(|at| *at < span(lamp.pattern) / 2);
        Some(moment)
    })
}

/// The colours that a light shows, one for each moment of its pattern.
fn frames(lamp: Appearance) -> impl Iterator<Item = Rgb> {
    moments(lamp).map(move |moment| lamp.frame_at(moment)).filter(|frame| *frame != Rgb::BLACK)
}

/// Returns the exact light of a colour at a brightness: the current of each LED, of 255.
fn exact(colour: Rgb, level: f64) -> [f64; 3] {
    colour.to_bytes().map(|channel| {
        let share = f64::from(channel) / 255.0 * level;
        255.0 * share * share * (0.8 + 0.2 * share)
    })
}

/// Returns the share of each channel in the light.
fn hue(light: [f64; 3]) -> [f64; 3] {
    let sum: f64 = light.iter().sum();
    light.map(|channel| channel / sum)
}

fn distance(one: [f64; 3], other: [f64; 3]) -> f64 {
    one.iter().zip(other).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max)
}

/// The bound on hue in 8 bits: the strongest channel is within half a step of what it should be, or 1; each other one within half
/// a step of its share beside it, and what the frame, of 8 bits as well, has rounded before.
#[test]
fn dimming_keeps_the_hue() {
    for (name, lamp) in PALETTES.into_iter().flat_map(everything) {
        for moment in moments(lamp).filter(|moment| lamp.frame_at(*moment) != Rgb::BLACK) {
            let colour = lamp.pattern.other_at(moment).unwrap_or(lamp.colour);
            let level = f64::from(lamp.pattern.level_at(moment)) * f64::from(lamp.level) / (255.0 * 255.0);
            let frame = lamp.frame_at(moment);
            // Half a step of the frame is this part of it, and to the power of 2.2 somewhat more than twice that.
            let rounded = 2.3 * 0.5 / f64::from(brightest(frame.to_bytes()));
            for brightness in 1..=u8::MAX {
                let of_light = (56.0 + 199.0 * f64::from(brightness - 1) / 254.0) / 255.0;
                let (wanted, shown) = (exact(colour, level * of_light), frame.pulses(brightness).to_bytes());
                let (strongest, top) = (wanted.into_iter().fold(0.0, f64::max), f64::from(brightest(shown)));
                let context = format_args!("{name} at {moment} ms, brightness {brightness}: {shown:?} for {wanted:?}");
                assert!(
                    (top - strongest).abs() <= 0.51 + rounded * strongest || (top == 1.0 && strongest < 1.0),
                    "{context}"
                );
                for (wanted, shown) in wanted.into_iter().zip(shown) {
                    let off = (wanted / strongest * top - f64::from(shown)).abs();
                    assert!(off <= 0.51 + 2.0 * rounded * top, "{context}");
                }
            }
        }
    }
}

fn brightest(channels: [u8; 3]) -> u8 {
    channels.into_iter().max().unwrap()
}

/// The brightest frame, the dimmest and the one of the other colour.
fn extremes(lamp: Appearance) -> impl Iterator<Item = Rgb> {
    let half = (span(lamp.pattern) - 1500) / 4;
    [lamp.frame_at(0), lamp.frame_at(half)].into_iter().filter(|frame| *frame != Rgb::BLACK)
}

/// Reports whether two frames differ in hue at full brightness.
fn differ_in_hue(one: Rgb, other: Rgb) -> bool {
    distance(hue(exact(one, 1.0)), hue(exact(other, 1.0))) >= 0.1
}

/// Reports whether one of two frames is brighter by a quarter at full brightness.
fn differ_in_brightness(one: Rgb, other: Rgb) -> bool {
    let (bright, dim) = (one.luminance().max(other.luminance()), one.luminance().min(other.luminance()));
    u32::from(bright) * 4 > u32::from(dim) * 5
}

/// Lights that differ in hue do so at every moment of one pattern and the extremes of the other, and those that differ in brightness where they are brightest, at
/// every brightness of the lamp.
#[test]
fn what_looks_different_stays_different() {
    for palette in PALETTES {
        for (name, lamp) in everything(palette) {
            for (other_name, other) in everything(palette).filter(|(other_name, _)| *other_name != name) {
                let hues = frames(lamp).flat_map(|one| extremes(other).map(move |another| (one, another)));
                let hues = hues.filter(|(one, another)| differ_in_hue(*one, *another));
                let brightest = [(lamp.frame_at(0), other.frame_at(0))].into_iter();
                let levels = brightest.filter(|(one, another)| differ_in_brightness(*one, *another));
                for (one, another) in hues.chain(levels) {
                    for brightness in 1..=u8::MAX {
                        let (one, another) = (one.pulses(brightness), another.pulses(brightness));
                        assert_ne!(one, another, "{name} and {other_name} at {brightness}");
                    }
                }
            }
        }
    }
}
