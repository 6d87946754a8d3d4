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
/// assert_eq!(AMBER.scale(128).to_bytes(), [128, 64, 0]);
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

    /// Returns this colour dimmed to `level` 255ths, such as a level for the night.
    ///
    /// The strongest channel is rounded to the nearest, and the others in proportion to it, so that the hue stays. Only a level of
    /// 0 turns a lit colour off: the strongest channel is at least 1.
    #[must_use]
    pub const fn scale(self, level: u8) -> Self {
        self.dimmed((level as u32).saturating_mul(FULL))
    }

    /// Returns this colour dimmed to `level`, of 255 times 255.
    pub(super) const fn dimmed(self, level: u32) -> Self {
        self.map(level).rounded()
    }

    /// Returns the pulse widths, in 255ths, with which an LED looks like this colour: gamma 2.2.
    ///
    /// The last step for LEDs that are driven directly; screens and bulbs correct by themselves. Channels are rounded as by
    /// [`scale`](Self::scale). It takes thirteen 32-bit divisions and no table.
    #[must_use]
    pub const fn gamma_corrected(self) -> Self {
        self.pulses(u8::MAX)
    }

    /// Returns the pulse widths for LEDs with a brightness setting, from 1 to 255: gamma 2.2, in one step of 16 bits.
    ///
    /// Everything is rounded once, so that the hue stays: each channel is within half a step of its share beside the strongest one,
    /// which scaling first and correcting afterwards cannot promise. The lowest brightness is that at which the palettes of the library can
    /// still be told apart: full red takes 10 of 255 steps then. A brightness of 0 is dark.
    ///
    /// ```
    /// use presence_core::indicator::Rgb;
    ///
    /// let amber = Rgb::from_hex(0xFF8000);
    /// assert_eq!([255, 96, 1].map(|brightness| amber.pulses(brightness).to_bytes()), [[255, 58, 0], [60, 14, 0], [10, 2, 0]]);
    /// ```
    #[must_use]
    pub const fn pulses(self, brightness: u8) -> Self {
        let level = match brightness.checked_sub(1) {
            None => return Self::BLACK,
            // At most 254 * 199 * 255, so that nothing saturates.
            Some(above) => DIMMEST.saturating_add((above as u32).saturating_mul(FULL * FULL - DIMMEST) / 254),
        };
        self.map(level).gamma().rounded()
    }

    /// Returns the relative luminance in 255ths of white, with the weights of Rec. 709.
    ///
    /// This is the pulse width for an LED of a single colour, and the contrast for users who do not see colours. Only black has
    /// none.
    #[must_use]
    pub const fn luminance(self) -> u8 {
        let Fine([red, green, blue]) = self.map(FULL * FULL).gamma();
        // The weights add up to 256.
        let sum =
            red.saturating_mul(54).saturating_add(green.saturating_mul(183)).saturating_add(blue.saturating_mul(19));
        Fine([sum.div_ceil(256); 3]).rounded().red
    }

    /// Returns the channels times a level of 255 times 255.
    const fn map(self, level: u32) -> Fine {
        Fine([fine(self.red, level), fine(self.green, level), fine(self.blue, level)])
    }
}

/// Full brightness.
const FULL: u32 = 255;
/// The level of the lowest brightness: the least with which the tests can tell the palettes apart.
const DIMMEST: u32 = 56 * FULL;

/// Three channels in 16 bits: 255 times 255 is full brightness.
#[derive(Clone, Copy)]
struct Fine([u32; 3]);

const fn fine(channel: u8, level: u32) -> u32 {
    // At most 255 * 255 * 255, so that nothing saturates.
    (channel as u32).saturating_mul(level).saturating_add(FULL / 2) / FULL
}

impl Fine {
    /// Returns the channels to the power of 2.2.
    ///
    /// For x from 0 to 1, x² (0.8 + 0.2 x) approximates it to within a hundredth.
    const fn gamma(self) -> Self {
        const fn times(one: u32, other: u32) -> u32 {
            const ONE: u32 = FULL * FULL;
            // At most ONE², which is less than 2³² by more than ONE: nothing saturates.
            one.saturating_mul(other).saturating_add(ONE / 2) / ONE
        }
        const fn gamma(channel: u32) -> u32 {
            let square = times(channel, channel);
            square.saturating_mul(4).saturating_add(times(square, channel)).saturating_add(2) / 5
        }
        let Self([red, green, blue]) = self;
        let corrected = [gamma(red), gamma(green), gamma(blue)];
        // Too dim for 16 bits: it is rounded as it is.
        if let [0, 0, 0] = corrected { self } else { Self(corrected) }
    }

    /// Returns the nearest colour in 8 bits: the strongest channel rounded, at least 1, and the others in proportion to it.
    const fn rounded(self) -> Rgb {
        /// Returns `channel` by `strongest` times `top`, rounded.
        const fn nearest(channel: u32, strongest: u32, top: u32) -> u8 {
            // At most 2 * 255 * 255 * 255, so that nothing saturates, and the quotient is at most 255.
            let doubled = channel.saturating_mul(top).saturating_mul(2).saturating_add(strongest);
            match doubled.checked_div(strongest.saturating_mul(2)) {
                Some(channel) => channel as u8,
                None => 0,
            }
        }
        let Self([red, green, blue]) = self;
        let strongest = max(red, max(green, blue));
        let top = max(1, nearest(strongest, FULL, 1) as u32);
        Rgb::new(nearest(red, strongest, top), nearest(green, strongest, top), nearest(blue, strongest, top))
    }
}

const fn max(one: u32, other: u32) -> u32 {
    if one < other { other } else { one }
}

#[cfg(test)]
#[expect(clippy::float_arithmetic, reason = "the exact values to compare with")]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_red_green_and_blue() {
        let amber = Rgb::from_hex(0x00FF_8007);
        assert_eq!((amber.to_bytes(), amber), ([255, 128, 7], Rgb::new(255, 128, 7)));
        assert_eq!(Rgb::from_hex(0x12FF_8007), amber, "bits above are ignored");
    }

    /// The values are known, rounded to the nearest.
    #[test]
    fn amber_at_half_its_brightness_and_as_pulses() {
        let amber = Rgb::new(255, 128, 0);
        assert_eq!(amber.scale(128).to_bytes(), [128, 64, 0]);
        assert_eq!(amber.gamma_corrected().to_bytes(), [255, 58, 0]);
        let channels = [Rgb::new(255, 0, 0), Rgb::new(0, 255, 0), Rgb::new(0, 0, 255), amber];
        assert_eq!(channels.map(Rgb::luminance), [54, 182, 19, 95]);
    }

    fn exact(share: f64) -> f64 {
        255.0 * share * share * (0.8 + 0.2 * share)
    }

    fn share(channel: u8) -> f64 {
        f64::from(channel) / 255.0
    }

    /// At every level and every brightness each channel is the nearest to its exact value, unless the whole colour would vanish.
    #[test]
    fn channels_are_rounded_to_the_nearest() {
        for level in 1..=u8::MAX {
            // The brightness, as the lowest and the highest are given.
            let brightness = (56.0 + 199.0 * (f64::from(level) - 1.0) / 254.0) / 255.0;
            for channel in 0..=u8::MAX {
                let gray = Rgb::new(channel, channel, channel);
                let near = |shown: Rgb, exact: f64| {
                    let lifted = channel > 0 && exact < 0.5;
                    (f64::from(shown.red) - if lifted { 1.0 } else { exact }).abs() < 0.51
                };
                let scaled = gray.scale(level);
                assert!(near(scaled, share(channel) * f64::from(level)), "{channel} at {level}: {scaled:?}");
                let pulses = gray.pulses(level);
                assert!(near(pulses, exact(share(channel) * brightness)), "{channel} at {level}: {pulses:?}");
                assert_eq!((scaled == Rgb::BLACK, pulses == Rgb::BLACK), (channel == 0, channel == 0));
            }
        }
        assert_eq!((Rgb::WHITE.scale(0), Rgb::WHITE.pulses(0)), (Rgb::BLACK, Rgb::BLACK));
    }

    /// Of a colour that would vanish only the strongest channel is lifted, with those that are nearly as strong.
    #[test]
    fn a_colour_that_would_vanish_keeps_its_hue() {
        assert_eq!(Rgb::new(200, 99, 0).scale(1).to_bytes(), [1, 0, 0]);
        assert_eq!(Rgb::new(100, 99, 49).scale(1).to_bytes(), [1, 1, 0]);
        assert_eq!(Rgb::new(30, 20, 10).pulses(1).to_bytes(), [1, 0, 0]);
        assert_eq!(Rgb::new(1, 3, 0).gamma_corrected().to_bytes(), [0, 1, 0]);
    }

    #[test]
    fn gamma_is_near_2_2() {
        // (channel / 255) to the power of 2.2, times 255.
        for (channel, exact) in [(32, 3), (64, 12), (96, 30), (128, 56), (160, 92), (192, 137), (224, 192), (255, 255)]
        {
            let gamma = Rgb::new(channel, 0, 0).gamma_corrected().red;
            assert!(gamma.abs_diff(exact) <= 2, "{channel}: {gamma} instead of {exact}");
        }
    }

    #[test]
    fn brighter_is_never_darker() {
        for channel in 1..=u8::MAX {
            let (low, high) = (Rgb::new(channel - 1, 0, 0), Rgb::new(channel, 0, 0));
            assert!(low.gamma_corrected().red <= high.gamma_corrected().red);
            assert!(low.luminance() <= high.luminance() && high.luminance() > 0);
            assert!(Rgb::WHITE.pulses(channel - 1).red <= Rgb::WHITE.pulses(channel).red);
        }
        assert_eq!(Rgb::WHITE.pulses(u8::MAX), Rgb::WHITE);
    }

    #[test]
    fn luminance_spans_black_to_white() {
        assert_eq!((Rgb::BLACK.luminance(), Rgb::WHITE.luminance()), (0, 255));
        assert!(Rgb::new(0, 255, 0).luminance() > Rgb::new(255, 0, 0).luminance());
    }
}
