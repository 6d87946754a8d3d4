//! Snapshots of a user's details, a format beside that of the user. Feature `details`.

use super::bytes::{NUMBER_LEN, Reader, Writer};
use super::restore::{Clock, read_deadline};
use super::save::remaining;
use super::version::{FORMAT_VERSION, VERSION_GAP};
use super::{CHECKSUM_LEN, RestoreError, read_format_version};
use crate::buffer::BufferFull;
use crate::details::{Builder, Details, DetailsAt, LocationLayer, WorkLocationType, WorkPlace};
use crate::time::{Duration, Instant};

/// The byte at the position of a user's id length: details have no ids.
const NO_IDS: u8 = 0;

// The flags; those of the layers begin at bit `LAYERS`. The highest is set in every snapshot of details and in none of a user.
const MESSAGE: u8 = 1;
const PUBLISHED_AFTER: u8 = 1 << 1;
const OUT_OF_OFFICE: u8 = 1 << 2;
const LAYERS: u8 = 3;
const UNUSED: u8 = 1 << 6;
const DETAILS: u8 = 1 << 7;

/// Returns the flag of a layer that has a place.
const fn layer_flag(layer: LocationLayer) -> u8 {
    1 << LAYERS << layer as u8
}

/// Returns the length of the largest snapshot of details with messages of up to `MESSAGE` bytes.
#[must_use]
pub const fn max_details_len<const MESSAGE: usize>() -> usize {
    const PLACE: usize = 1 + 1 + WorkPlace::MAX_ID_LEN + NUMBER_LEN;
    const FIXED: usize = 3 + 6 * NUMBER_LEN + 3 * PLACE + CHECKSUM_LEN;
    FIXED.saturating_add(MESSAGE.saturating_mul(2))
}

/// Writes a snapshot of a user's details to the beginning of the buffer, and returns the bytes written.
///
/// The counterpart of [`save`](super::save). O(`MESSAGE`).
///
/// # Errors
///
/// [`BufferFull`] if the snapshot does not fit; [`max_details_len`] bytes are always enough.
///
/// ```
/// use presence_core::details::{Details, DetailsCommand, decide_details};
/// use presence_core::{Duration, Instant, snapshot};
///
/// let mut details: Details<100> = Details::new();
/// let lunch = DetailsCommand::SetStatusMessage { text: "at lunch", expires_at: Instant::from_secs(3600) };
/// if let Some(set) = decide_details(details.at(Instant::ZERO)?, lunch)? {
///     details.apply(&set)?;
/// }
/// let mut buffer = [0; snapshot::max_details_len::<100>()];
/// let stored = snapshot::save_details(details.at(Instant::from_secs(60))?, &mut buffer)?;
///
/// let elapsed = Some(Duration::from_secs(40));
/// let restored: Details<100> = snapshot::restore_details(stored, Instant::from_secs(100), elapsed)?;
/// assert_eq!(restored, details);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn save_details<'b, const LEN: usize>(
    details: DetailsAt<'_, LEN>,
    buffer: &'b mut [u8],
) -> Result<&'b [u8], BufferFull> {
    let (details, now) = (details.details(), details.now());
    let (message, out_of_office) = (details.status_message(), details.out_of_office());
    let mut flags = DETAILS;
    if let Some(message) = message {
        flags |= MESSAGE | if message.published_at > now { PUBLISHED_AFTER } else { 0 };
    }
    if out_of_office.is_out_of_office {
        flags |= OUT_OF_OFFICE;
    }
    for layer in LocationLayer::ALL {
        flags |= if details.place(layer).is_some() { layer_flag(layer) } else { 0 };
    }
    let mut writer = Writer::new(buffer);
    writer.bytes(&[FORMAT_VERSION, NO_IDS, flags]);
    writer.number(details.revision());
    writer.number(details.version());
    if let Some(message) = message {
        write_text(&mut writer, message.text);
        // One of the two is zero.
        let distance = message
            .published_at
            .saturating_duration_since(now)
            .max(now.saturating_duration_since(message.published_at));
        writer.number(distance.as_millis());
        writer.number(remaining(message.expires_at, now));
    }
    write_text(&mut writer, out_of_office.message.unwrap_or_default());
    for layer in LocationLayer::ALL {
        if let Some((place, until)) = details.place(layer) {
            writer.byte(place.kind as u8);
            write_text(&mut writer, place.id.unwrap_or_default());
            writer.number(remaining(until, now));
        }
    }
    writer.finish()
}

/// Restores a user's details from a snapshot, on a clock that now reads `now`.
///
/// The counterpart of [`restore`](super::restore). If `elapsed` is `None`, the length of the gap is unknown:
///
/// - Messages keep the time that remained: they are the user's own words, and no application repeats them.
/// - Work locations are valid for a day, which may be over: they are dropped.
/// - Revision and version grow by 65,536.
///
/// O(`MESSAGE`), and O(bytes) for the checksum.
///
/// # Errors
///
/// [`RestoreError`] says why the bytes were rejected: [`RestoreError::Full`] for a text of more than `MESSAGE` bytes.
pub fn restore_details<const LEN: usize>(
    bytes: &[u8],
    now: Instant,
    elapsed: Option<Duration>,
) -> Result<Details<LEN>, RestoreError> {
    let mut reader = Reader::verify(bytes)?;
    read_format_version(&mut reader);
    if reader.byte() != NO_IDS {
        reader.fail(RestoreError::IdLength);
    }
    let clock = Clock { now, elapsed: elapsed.unwrap_or(Duration::ZERO) };
    let mut details = Builder::new();
    read_details(&mut reader, clock, &mut details);
    reader.finish()?;
    if elapsed.is_none() {
        details.after_unknown_gap(VERSION_GAP);
    }
    Ok(details.finish())
}

fn read_details<const LEN: usize>(reader: &mut Reader<'_>, clock: Clock, details: &mut Builder<LEN>) {
    let flags = reader.byte();
    if flags & (DETAILS | UNUSED) != DETAILS || flags & (MESSAGE | PUBLISHED_AFTER) == PUBLISHED_AFTER {
        reader.fail(RestoreError::Flags);
    }
    let (revision, version) = (reader.number(), reader.number());
    if version > revision {
        reader.fail(RestoreError::VersionAhead);
    }
    details.numbers(revision, version);
    let mut fits = true;
    if flags & MESSAGE != 0 {
        let text = read_text(reader);
        let distance = reader.number();
        let is_after = flags & PUBLISHED_AFTER != 0;
        if is_after && distance == 0 {
            // Zero after the moment would be a second encoding of zero before it.
            reader.fail(RestoreError::Flags);
        }
        let published_at =
            if is_after { clock.future(distance).unwrap_or(Instant::ZERO) } else { clock.past(distance) };
        let expires_at = read_deadline(reader, clock);
        if text.is_empty() {
            reader.fail(RestoreError::Text);
        }
        fits &= details.message(text, published_at, expires_at);
    }
    fits &= details.out_of_office(flags & OUT_OF_OFFICE != 0, read_text(reader));
    for layer in LocationLayer::ALL {
        if flags & layer_flag(layer) != 0 {
            let kind = reader.byte();
            let Some(kind) = WorkLocationType::ALL.into_iter().find(|known| *known as u8 == kind) else {
                reader.fail(RestoreError::WorkLocationType);
                break;
            };
            let id = Some(read_text(reader)).filter(|id| !id.is_empty());
            fits &= details.place(layer, WorkPlace { kind, id }, read_deadline(reader, clock));
        }
    }
    if !fits {
        reader.fail(RestoreError::Full);
    }
}

fn write_text(writer: &mut Writer<'_>, text: &str) {
    writer.number(text.len() as u64);
    writer.bytes(text.as_bytes());
}

fn read_text<'a>(reader: &mut Reader<'a>) -> &'a str {
    // A length beyond `usize` is longer than the bytes that remain.
    let length = usize::try_from(reader.number()).unwrap_or(usize::MAX);
    core::str::from_utf8(reader.bytes(length)).unwrap_or_else(|_| {
        reader.fail(RestoreError::Text);
        ""
    })
}
