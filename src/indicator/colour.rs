//! Colours of three bytes, with the integer arithmetic that lights need.

/// A colour in sRGB, as screens and colour pickers use it.
///
/// Each byte is the perceived brightness of its channel, not the current of an LED:
/// [`gamma_corrected`](Self::gamma_corrected) converts one into the other.
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
    /// The red channel.
    pub red: u8,
    /// The green channel.
    pub green: u8,
    /// The blue channel.
    pub blue: u8,
}

impl Rgb {
    /// Black: no light.
    pub const BLACK: Self = Self::new(0, 0, 0);
    /// White: full light.
    pub const WHITE: Self = Self::new(255, 255, 255);

    /// Creates a colour from its three channels.
    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// Creates a colour from a hexadecimal code, `0xRRGGBB`. Higher bits are ignored.
    #[must_use]
    pub const fn from_hex(code: u32) -> Self {
        let [_, red, green, blue] = code.to_be_bytes();
        Self { red, green, blue }
    }

    /// Returns red, green and blue, as displays and USB lights expect them. Some LED strips use another order.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 3] {
        [self.red, self.green, self.blue]
    }

    /// Returns this colour dimmed to `level` 255ths, such as a brightness setting or a level for the night.
    ///
    /// Channels are rounded up, so that only a level of 0 turns a lit channel off.
    #[must_use]
    pub const fn scale(self, level: u8) -> Self {
        Self { red: scale(self.red, level), green: scale(self.green, level), blue: scale(self.blue, level) }
    }

    /// Returns the pulse widths, in 255ths, with which an LED looks like this colour: gamma 2.2.
    ///
    /// The last step for LEDs that are driven directly; screens and bulbs correct by themselves. Channels are rounded up, so
    /// that a lit one stays lit. It takes three 32-bit divisions and no table.
    #[must_use]
    pub const fn gamma_corrected(self) -> Self {
        Self { red: gamma(self.red), green: gamma(self.green), blue: gamma(self.blue) }
    }

    /// Returns the relative luminance in 255ths of white, with the weights of Rec. 709.
    ///
    /// This is the pulse width for an LED of a single colour, and the contrast for users who do not see colours.
    #[must_use]
    pub const fn luminance(self) -> u8 {
        let Self { red, green, blue } = self.gamma_corrected();
        // The weights add up to 256, so the sum is at most 255 * 256 and the cast cuts nothing.
        (weighted(red, 54).saturating_add(weighted(green, 183)).saturating_add(weighted(blue, 19)) >> 8) as u8
    }
}

/// Returns a channel dimmed to `level` 255ths, rounded up.
pub(super) const fn scale(channel: u8, level: u8) -> u8 {
    // At most 255 * 255, so that nothing saturates.
    (channel as u16).saturating_mul(level as u16).div_ceil(255) as u8
}

/// Returns a channel to the power of 2.2, rounded up.
///
/// For x from 0 to 1, x² (0.8 + 0.2 x) approximates it to within a hundredth.
const fn gamma(channel: u8) -> u8 {
    let channel = channel as u32;
    // At most 255 * 255 * 1275, so that nothing saturates.
    channel.saturating_mul(channel).saturating_mul(channel.saturating_add(4 * 255)).div_ceil(5 * 255 * 255) as u8
}

const fn weighted(channel: u8, weight: u16) -> u16 {
    (channel as u16).saturating_mul(weight)
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

    /// The values are known, rounded up.
    #[test]
    fn amber_at_half_its_brightness_and_as_pulses() {
        let amber = Rgb::new(255, 128, 0);
        assert_eq!(amber.scale(128).to_bytes(), [128, 65, 0]);
        assert_eq!(amber.gamma_corrected().to_bytes(), [255, 58, 0]);
        let channels = [Rgb::new(255, 0, 0), Rgb::new(0, 255, 0), Rgb::new(0, 0, 255), amber];
        assert_eq!(channels.map(Rgb::luminance), [53, 182, 18, 95]);
    }

    #[test]
    fn scaling_keeps_what_is_lit_lit() {
        for channel in 0..=u8::MAX {
            assert_eq!(scale(channel, u8::MAX), channel);
            assert_eq!(scale(channel, 0), 0);
            for level in 1..=u8::MAX {
                assert_eq!(scale(channel, level) == 0, channel == 0);
                assert!(scale(channel, level) >= scale(channel, level - 1));
            }
        }
    }

    #[test]
    fn gamma_is_near_2_2() {
        // (channel / 255) to the power of 2.2, times 255.
        for (channel, exact) in [(0u8, 0u8), (32, 3), (64, 12), (96, 30), (128, 56), (160, 92), (192, 137), (224, 192)]
        {
            assert!(gamma(channel).abs_diff(exact) <= 2, "{channel}: {} instead of {exact}", gamma(channel));
        }
        assert_eq!(gamma(u8::MAX), u8::MAX);
        assert_eq!((1..=u8::MAX).find(|&channel| gamma(channel) == 0 || gamma(channel) < gamma(channel - 1)), None);
    }

    #[test]
    fn luminance_spans_black_to_white() {
        assert_eq!((Rgb::BLACK.luminance(), Rgb::WHITE.luminance()), (0, 255));
        assert!(Rgb::new(0, 255, 0).luminance() > Rgb::new(255, 0, 0).luminance());
    }
}
