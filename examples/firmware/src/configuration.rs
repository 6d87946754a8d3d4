//! The settings in force: what was set, over what the board was built with.

use crate::animated_light::LightSettings;
use crate::settings::{Setting, Settings, SettingsFull};
use presence_core::indicator::Palette;
use presence_core::{Duration, DurationRange, Instant};

/// The palettes and their names. The place of each is its stored form: new ones come last.
const PALETTES: [(&str, &Palette); 5] = [
    ("default", &Palette::DEFAULT),
    ("home", &Palette::HOME),
    ("colourBlind", &Palette::COLOUR_BLIND),
    ("lamp", &Palette::LAMP),
    ("relay", &Palette::RELAY),
];

/// The brightness at night, unless it was set or the light is dimmer by day.
const NIGHT_BRIGHTNESS: u8 = 24;

/// The settings in force.
#[derive(Clone, Debug)]
pub struct Configuration {
    settings: Settings,
    /// What the board was built with.
    defaults: LightSettings,
    max_leds: u16,
    /// When the night ends; a moment that is past by day.
    night_until: Instant,
}

/// A change of some settings; the others stay.
///
/// The night is not kept over a loss of power: how long that lasts is unknown, and after it a host says so again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// The brightness by day.
    pub brightness: Option<u8>,
    /// The brightness at night.
    pub night_brightness: Option<u8>,
    /// The rest of the night; zero to end it.
    pub night: Option<Duration>,
    /// The number of the palette, as [`palette_number`](Configuration::palette_number) returns it.
    pub palette: Option<u8>,
    /// The number of LEDs that are lit.
    pub leds: Option<u16>,
    /// The time after which “no news” dims away, in whole seconds.
    pub no_news_dims_after: Option<Duration>,
}

impl Configuration {
    /// The range of both brightnesses.
    pub const BRIGHTNESS: core::ops::RangeInclusive<u16> = 1..=u8::MAX as u16;
    /// The range of the rest of the night.
    pub const NIGHT: DurationRange = DurationRange { shortest: Duration::ZERO, longest: Duration::from_hours(24) };
    /// The range of the time after which “no news” dims away. The longest is as good as never.
    pub const NO_NEWS_DIMS_AFTER: DurationRange =
        DurationRange { shortest: Duration::ZERO, longest: Duration::from_days(366) };

    /// Takes stored settings over those that the board was built with, which has so many LEDs.
    #[must_use]
    pub const fn new(settings: Settings, defaults: LightSettings, max_leds: u16) -> Self {
        Self { settings, defaults, max_leds, night_until: Instant::ZERO }
    }

    /// Returns what is stored.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the settings of the light at `now`.
    #[must_use]
    pub fn light(&self, now: Instant) -> LightSettings {
        let is_day = self.night_until.is_due(now);
        let brightness = if is_day { self.brightness() } else { self.night_brightness() };
        let (palette, leds, quiet_after) = (self.palette(), self.leds(), self.no_news_dims_after());
        LightSettings { palette, brightness, leds, quiet_after }
    }

    /// Returns when the light changes by itself: at the end of the night.
    #[must_use]
    pub fn wake_at(&self, now: Instant) -> Option<Instant> {
        Some(self.night_until).filter(|end| !end.is_due(now))
    }

    /// Returns the rest of the night; zero by day.
    #[must_use]
    pub const fn night(&self, now: Instant) -> Duration {
        self.night_until.saturating_duration_since(now)
    }

    /// Returns the brightness by day.
    #[must_use]
    pub fn brightness(&self) -> u8 {
        self.byte(Setting::Brightness).unwrap_or(self.defaults.brightness)
    }

    /// Returns the brightness at night.
    #[must_use]
    pub fn night_brightness(&self) -> u8 {
        self.byte(Setting::NightBrightness).unwrap_or(NIGHT_BRIGHTNESS.min(self.defaults.brightness))
    }

    /// Returns the palette.
    #[must_use]
    pub fn palette(&self) -> &'static Palette {
        let set = self.settings.get(Setting::Palette).and_then(|[number]| PALETTES.get(usize::from(number)));
        set.map_or(self.defaults.palette, |(_, palette)| palette)
    }

    /// Returns the name of the palette; `None` if the board has one of its own.
    #[must_use]
    pub fn palette_name(&self) -> Option<&'static str> {
        let palette = self.palette();
        PALETTES.iter().find(|(_, known)| *known == palette).map(|(name, _)| *name)
    }

    /// Returns the number of the palette with this name.
    #[must_use]
    pub fn palette_number(name: &str) -> Option<u8> {
        let place = PALETTES.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
        u8::try_from(place).ok()
    }

    /// Returns the number of LEDs that are lit.
    #[must_use]
    pub fn leds(&self) -> u16 {
        let set = self.settings.get(Setting::Leds).map(u16::from_le_bytes);
        set.filter(|leds| (1..=self.max_leds).contains(leds)).unwrap_or(self.defaults.leds.min(self.max_leds))
    }

    /// Returns how many LEDs the light has.
    #[must_use]
    pub const fn max_leds(&self) -> u16 {
        self.max_leds
    }

    /// Returns the time after which “no news” dims away.
    #[must_use]
    pub fn no_news_dims_after(&self) -> Duration {
        let set = self.settings.get(Setting::NoNewsDimsAfter).map(u32::from_le_bytes);
        set.map_or(self.defaults.quiet_after, |seconds| Duration::from_secs(seconds.into()))
    }

    /// Changes some settings at `now`.
    ///
    /// # Errors
    ///
    /// [`SettingsFull`] if there is no room beside the settings of newer firmware: nothing has changed.
    pub fn change(&mut self, change: SettingsChange, now: Instant) -> Result<(), SettingsFull> {
        let mut settings = self.settings.clone();
        for (setting, value) in [
            (Setting::Brightness, change.brightness),
            (Setting::NightBrightness, change.night_brightness),
            (Setting::Palette, change.palette),
        ] {
            if let Some(value) = value {
                settings.set(setting, &[value])?;
            }
        }
        if let Some(leds) = change.leds {
            settings.set(Setting::Leds, &leds.to_le_bytes())?;
        }
        if let Some(after) = change.no_news_dims_after {
            settings.set(Setting::NoNewsDimsAfter, &whole_seconds(after).to_le_bytes())?;
        }
        self.settings = settings;
        if let Some(night) = change.night {
            self.night_until = now.saturating_add(night);
        }
        Ok(())
    }

    /// Forgets everything that was set.
    pub fn forget(&mut self) {
        (self.settings, self.night_until) = (Settings::new(), Instant::ZERO);
    }

    /// Returns a setting of one byte that is no zero.
    fn byte(&self, setting: Setting) -> Option<u8> {
        self.settings.get(setting).map(|[byte]| byte).filter(|byte| *byte > 0)
    }
}

/// Returns the whole seconds of a duration of at most [`Configuration::NO_NEWS_DIMS_AFTER`].
fn whole_seconds(duration: Duration) -> u32 {
    // 2³¹ seconds are longer; without a division of 64 bits, which links a kilobyte.
    let (mut rest, mut seconds) = (duration.as_millis(), 0);
    for bit in (0..u32::BITS - 1).rev() {
        if let Some(less) = rest.checked_sub(1000 << bit) {
            (rest, seconds) = (less, seconds | 1 << bit);
        }
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole() {
        for (millis, seconds) in
            [(0, 0), (999, 0), (1000, 1), (1999, 1), (3_600_000, 3600), (366 * 86_400_000, 31_622_400)]
        {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds);
        }
    }
}
