//! Commands from a fuzzer's bytes.

use arbitrary::{Result, Unstructured};
use presence_core::details::{DetailsCommand, LocationLayer, LocationLayers, OutOfOffice, WorkLocationType, WorkPlace};
use presence_core::{Duration, Instant};

/// Texts that are empty, short, of the greatest length and one byte longer, of either user's messages and of a place's id.
const TEXTS: [&str; 11] = [
    "",
    "a",
    "☕",
    "twelve bytes",
    "thirteen byte",
    "☕☕☕☕",
    "☕☕☕☕☕",
    "forty bytes, as many as there is room to",
    "forty-one bytes, which is one too many...",
    "sixty-four bytes, as many as there is room for in a place's id..",
    "sixty-five bytes, for which there is no room in the id of a place",
];

/// Reads a text, often one of a few, so that the same is set again.
fn text<'a>(bytes: &mut Unstructured<'a>) -> Result<&'a str> {
    let which = bytes.int_in_range(0..=TEXTS.len())?;
    TEXTS.get(which).map_or_else(|| bytes.arbitrary(), |text| Ok(*text))
}

fn text_or_none<'a>(bytes: &mut Unstructured<'a>) -> Result<Option<&'a str>> {
    if bytes.ratio(1, 4)? { Ok(None) } else { text(bytes).map(Some) }
}

/// Reads an end: passed, soon, some day, or never.
fn until(bytes: &mut Unstructured<'_>, now: Instant) -> Result<Instant> {
    Ok(match bytes.int_in_range(0..=7)? {
        0..=2 => now.saturating_add(Duration::from_mins(bytes.int_in_range(0..=3)?)),
        3..=4 => now.saturating_add(bytes.arbitrary()?),
        5 => now.saturating_sub(Duration::from_millis(bytes.int_in_range(0..=1)?)),
        6 => bytes.arbitrary()?,
        _ => Instant::NEVER,
    })
}

/// Reads any command.
pub fn command<'a>(bytes: &mut Unstructured<'a>, now: Instant) -> Result<DetailsCommand<'a>> {
    Ok(match bytes.int_in_range(0..=7)? {
        0..=2 => DetailsCommand::SetStatusMessage { text: text(bytes)?, expires_at: until(bytes, now)? },
        3 => {
            let is_out_of_office = bytes.arbitrary()?;
            DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office, message: text_or_none(bytes)? })
        }
        4..=6 => {
            let layer = *bytes.choose(&LocationLayer::ALL)?;
            let place = WorkPlace { kind: *bytes.choose(&WorkLocationType::ALL)?, id: text_or_none(bytes)? };
            DetailsCommand::SetLocation { layer, place, until: until(bytes, now)? }
        }
        _ => DetailsCommand::ClearLocations(*bytes.choose(&[
            LocationLayers::AUTOMATIC,
            LocationLayers::MANUAL_AND_AUTOMATIC,
            LocationLayers::SCHEDULED,
            LocationLayers::only(LocationLayer::Manual),
            LocationLayers::default(),
        ])?),
    })
}
