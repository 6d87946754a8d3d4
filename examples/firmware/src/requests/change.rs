//! The body of a change of settings.

use super::member::{duration, number, text};
use super::rejection::Rejection;
use crate::configuration::{Configuration, SettingsChange};
use presence_core::graph::json::Value;

impl SettingsChange {
    /// Reads the members that are there, each in its range; others are ignored. Nothing is changed if one is not valid.
    pub(super) fn parse(body: Option<Value<'_>>, configuration: &Configuration) -> Result<Self, Rejection> {
        let brightness = |name, field| -> Result<Option<u8>, Rejection> {
            let level = number(body, name, field, Configuration::BRIGHTNESS)?;
            Ok(level.and_then(|level| u8::try_from(level).ok()))
        };
        let palette = match text(body, "palette", "Palette")? {
            None => None,
            Some(name) => Some(Configuration::palette_number(&name).ok_or(Rejection::Malformed("Palette"))?),
        };
        Ok(Self {
            brightness: brightness("brightness", "Brightness")?,
            night_brightness: brightness("nightBrightness", "NightBrightness")?,
            night: duration(body, "night", "Night", Configuration::NIGHT)?,
            palette,
            leds: number(body, "leds", "Leds", 1..=configuration.max_leds())?,
            no_news_dims_after: duration(
                body,
                "noNewsDimsAfter",
                "NoNewsDimsAfter",
                Configuration::NO_NEWS_DIMS_AFTER,
            )?,
        })
    }
}
