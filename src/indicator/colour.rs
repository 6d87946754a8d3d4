//! Colours as three bytes, and the little integer arithmetic a light needs.

/// A colour as screens and colour pickers mean it (sRGB): each byte is how bright its part looks, not how much current the
/// LED gets. [`gamma_corrected`](Self::gamma_corrected) turns one into the other.
///
/// ```
/// use presence_core::indicator::Rgb;
///
/// const AMBER: Rgb = Rgb::from_hex(0xFF8000);
/// assert_eq!(AMBER.to_bytes(), [255, 128, 0]);
/// assert_eq!(AMBER.scale(128).to_bytes(), [128, 65, 0]);
/// assert_eq!(AMBER.gamma_corrected().to_bytes(), [255, 58, 0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Rgb {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
}

impl Rgb {
    /// No light.
    pub const BLACK: Self = Self::new(0, 0, 0);
    /// All light.
    pub const WHITE: Self = Self::new(255, 255, 255);

    /// The colour of these three parts. O(1).
    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// The colour of a hexadecimal code, `0xRRGGBB`; bits above are ignored. O(1).
    #[must_use]
    pub const fn from_hex(code: u32) -> Self {
        let [_, red, green, blue] = code.to_be_bytes();
        Self { red, green, blue }
    }

    /// Red, green, blue: what LED strips, USB lights and displays are sent. O(1).
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 3] {
        [self.red, self.green, self.blue]
    }

    /// This colour as bright as `level` says, in 255ths: the user's brightness, or a night level. Rounded up, so that what
    /// is lit never goes dark by being dimmed, but by a level of 0. O(1).
    #[must_use]
    pub const fn scale(self, level: u8) -> Self {
        Self { red: scale(self.red, level), green: scale(self.green, level), blue: scale(self.blue, level) }
    }

    /// The pulse widths, in 255ths, with which an LED looks like this colour: gamma 2.2. For LEDs driven directly, and as
    /// the last step; screens and bulbs do it themselves. Rounded up, so that what is lit stays lit. O(1), three 32-bit
    /// divisions, no table.
    #[must_use]
    pub const fn gamma_corrected(self) -> Self {
        Self { red: gamma(self.red), green: gamma(self.green), blue: gamma(self.blue) }
    }

    /// How much light that is to the eye, in 255ths of white: relative luminance, with the weights of Rec. 709. What a
    /// light of one colour shows, as a pulse width, and what tells colours apart for someone who does not see them. O(1).
    #[must_use]
    pub const fn luminance(self) -> u8 {
        let Self { red, green, blue } = self.gamma_corrected();
        // The weights add up to 256, so the sum is at most 255 * 256 and the cast cuts nothing.
        (weighted(red, 54).saturating_add(weighted(green, 183)).saturating_add(weighted(blue, 19)) >> 8) as u8
    }
}

/// A part of a colour as bright as `level` says, rounded up.
pub(super) const fn scale(part: u8, level: u8) -> u8 {
    // At most 255 * 255, so that nothing saturates.
    (part as u16).saturating_mul(level as u16).div_ceil(255) as u8
}

/// `part` to the power of 2.2, rounded up. With x from 0 to 1 that is x² (0.8 + 0.2 x), to within a hundredth.
const fn gamma(part: u8) -> u8 {
    let part = part as u32;
    // At most 255 * 255 * 1275, so that nothing saturates.
    part.saturating_mul(part).saturating_mul(part.saturating_add(4 * 255)).div_ceil(5 * 255 * 255) as u8
}

const fn weighted(part: u8, weight: u16) -> u16 {
    (part as u16).saturating_mul(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_red_green_and_blue() {
        let amber = Rgb::from_hex(0x00FF_8007);
        assert_eq!((amber.to_bytes(), amber), ([255, 128, 7], Rgb::new(255, 128, 7)));
        assert_eq!(Rgb::from_hex(0x12FF_8007), amber, "bits above are ignored");
    }

    /// Known values, rounded up.
    #[test]
    fn amber_at_half_its_brightness_and_as_pulses() {
        let amber = Rgb::new(255, 128, 0);
        assert_eq!(amber.scale(128).to_bytes(), [128, 65, 0]);
        assert_eq!(amber.gamma_corrected().to_bytes(), [255, 58, 0]);
        let parts = [Rgb::new(255, 0, 0), Rgb::new(0, 255, 0), Rgb::new(0, 0, 255), amber];
        assert_eq!(parts.map(Rgb::luminance), [53, 182, 18, 95]);
    }

    #[test]
    fn scaling_keeps_what_is_lit_lit() {
        for part in 0..=u8::MAX {
            assert_eq!(scale(part, u8::MAX), part);
            assert_eq!(scale(part, 0), 0);
            for level in 1..=u8::MAX {
                assert_eq!(scale(part, level) == 0, part == 0);
                assert!(scale(part, level) >= scale(part, level - 1));
            }
        }
    }

    #[test]
    fn gamma_is_near_2_2() {
        // (part / 255) to the power of 2.2, times 255.
        for (part, exact) in [(0u8, 0u8), (32, 3), (64, 12), (96, 30), (128, 56), (160, 92), (192, 137), (224, 192)] {
            assert!(gamma(part).abs_diff(exact) <= 2, "{part}: {} instead of {exact}", gamma(part));
        }
        assert_eq!(gamma(u8::MAX), u8::MAX);
        assert_eq!((1..=u8::MAX).find(|&part| gamma(part) == 0 || gamma(part) < gamma(part - 1)), None);
    }

    #[test]
    fn luminance_spans_black_to_white() {
        assert_eq!((Rgb::BLACK.luminance(), Rgb::WHITE.luminance()), (0, 255));
        assert!(Rgb::new(0, 255, 0).luminance() > Rgb::new(255, 0, 0).luminance());
    }
}
