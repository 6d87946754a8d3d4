//! Settings of the device, in the form in which they are stored.

/// The greatest length of the stored settings in bytes, of every firmware to come.
pub const MAX_SETTINGS: usize = 64;

/// The length of a setting's number and of the length of its value, in bytes.
const HEADER_LEN: usize = 2;

/// A setting. Its number is its stored form, and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Setting {
    /// The brightness by day, in 255ths. One byte.
    Brightness = 1,
    /// The brightness at night, in 255ths. One byte.
    NightBrightness = 2,
    /// The number of the palette. One byte.
    Palette = 3,
    /// The number of LEDs that are lit. Two bytes.
    Leds = 4,
    /// The seconds after which the light of “no news” dims away. Four bytes.
    NoNewsDimsAfter = 5,
}

/// The settings that differ from those the device was built with.
///
/// Each is stored as its number, the length of its value, and the value. So firmware that knows fewer settings keeps those it
/// does not know, and so does firmware that knows fewer values of one: both are there again when newer firmware is.
///
/// ```
/// use firmware::{Setting, Settings};
///
/// let mut settings = Settings::read(&[1, 1, 96, 77, 2, 0, 0]).unwrap();
/// settings.set(Setting::Brightness, &[48])?;
/// assert_eq!(settings.get(Setting::Brightness), Some([48]));
/// assert_eq!(settings.get::<1>(Setting::Palette), None);
/// assert_eq!(settings.as_bytes(), [1, 1, 48, 77, 2, 0, 0]);
/// # Ok::<(), firmware::SettingsFull>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(heapless::Vec<u8, MAX_SETTINGS>);

/// The error of settings that take more than [`MAX_SETTINGS`] bytes. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingsFull;

impl core::fmt::Display for SettingsFull {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("there is no room for another setting")
    }
}

impl core::error::Error for SettingsFull {}

impl Settings {
    /// Creates the settings that the device was built with.
    #[must_use]
    pub const fn new() -> Self {
        Self(heapless::Vec::new())
    }

    /// Reads stored settings. Returns `None` of bytes that are none, or too many.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        while !rest.is_empty() {
            (_, _, rest) = first(rest)?;
        }
        heapless::Vec::from_slice(bytes).ok().map(Self)
    }

    /// Returns the stored form.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the value of a setting; `None` if it was never set, or by firmware that stores it in another length.
    #[must_use]
    pub fn get<const LEN: usize>(&self, setting: Setting) -> Option<[u8; LEN]> {
        let mut rest = self.0.as_slice();
        while let Some((number, value, after)) = first(rest) {
            if number == setting as u8 {
                return value.try_into().ok();
            }
            rest = after;
        }
        None
    }

    /// Sets a setting.
    ///
    /// # Errors
    ///
    /// [`SettingsFull`] if there is no room beside the settings of newer firmware.
    pub fn set(&mut self, setting: Setting, value: &[u8]) -> Result<(), SettingsFull> {
        let mut changed = heapless::Vec::new();
        let (mut rest, mut is_set) = (self.0.as_slice(), false);
        while let Some((number, old, after)) = first(rest) {
            let is_this = number == setting as u8;
            // In its place, so that equal settings are equal bytes.
            if !(is_this && is_set) {
                append(&mut changed, number, if is_this { value } else { old })?;
            }
            is_set |= is_this;
            rest = after;
        }
        if !is_set {
            append(&mut changed, setting as u8, value)?;
        }
        self.0 = changed;
        Ok(())
    }
}

/// Returns the number and the value of the first setting, and the others; `None` if there is no whole one.
fn first(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let ([number, length], rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
    let (value, rest) = rest.split_at_checked((*length).into())?;
    Some((*number, value, rest))
}

fn append(bytes: &mut heapless::Vec<u8, MAX_SETTINGS>, number: u8, value: &[u8]) -> Result<(), SettingsFull> {
    let length = u8::try_from(value.len()).map_err(|_| SettingsFull)?;
    bytes.extend_from_slice(&[number, length]).map_err(|_| SettingsFull)?;
    bytes.extend_from_slice(value).map_err(|_| SettingsFull)
}
