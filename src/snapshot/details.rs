//! The stored form of a user's details, beside that of the user. Feature `details`.

use super::bytes::{NUMBER_LEN, Reader, Writer};
use super::restore::{Clock, read_deadline};
use super::save::left;
use super::{CHECKSUM_LEN, FORM, Field, RestoreError, VERSION_GAP};
use crate::buffer::BufferFull;
use crate::details::{Builder, Details, DetailsAt, LocationLayer, MAX_PLACE_ID, WorkLocationType, WorkPlace};
use crate::time::{Duration, Instant};

/// Where a user's form has the length of its ids.
const NO_IDS: u8 = 0;

// The flags; the layers' stand above them. The highest is set in no user's form, and always in this one.
const MESSAGE: u8 = 1;
const PUBLISHED_AFTER: u8 = 1 << 1;
const OUT_OF_OFFICE: u8 = 1 << 2;
const LAYERS: u8 = 3;
const UNUSED: u8 = 1 << 6;
const DETAILS: u8 = 1 << 7;

const fn layer_flag(layer: LocationLayer) -> u8 {
    1 << LAYERS << layer as u8
}

/// The most bytes that a snapshot takes of details with messages of up to so many bytes. O(1).
#[must_use]
pub const fn max_details_len<const MESSAGE: usize>() -> usize {
    const PLACE: usize = 1 + 1 + MAX_PLACE_ID + NUMBER_LEN;
    const FIXED: usize = 3 + 6 * NUMBER_LEN + 3 * PLACE + CHECKSUM_LEN;
    FIXED.saturating_add(MESSAGE.saturating_mul(2))
}

/// Writes a user's details at a moment to the beginning of the buffer, and returns what it wrote: the counterpart of
/// [`save`](super::save), in the same manner. O(`MESSAGE`).
///
/// # Errors
///
/// [`BufferFull`] if it does not fit; never in [`max_details_len`] bytes.
///
/// ```
/// use presence_core::details::{Details, set_status_message};
/// use presence_core::{Duration, Instant, snapshot};
///
/// let mut details: Details<100> = Details::new();
/// let set = set_status_message(details.at(Instant::ZERO)?, "at lunch", Instant::from_secs(3600))?.ok_or("nothing")?;
/// details.apply(&set)?;
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
    writer.bytes(&[FORM, NO_IDS, flags]);
    writer.number(details.revision());
    writer.number(details.version());
    if let Some(message) = message {
        write_text(&mut writer, message.text);
        // One of them is nothing.
        let distance = message
            .published_at
            .saturating_duration_since(now)
            .max(now.saturating_duration_since(message.published_at));
        writer.number(distance.as_millis());
        writer.number(left(message.expires_at, now));
    }
    write_text(&mut writer, out_of_office.message.unwrap_or_default());
    for layer in LocationLayer::ALL {
        if let Some((place, until)) = details.place(layer) {
            writer.byte(place.kind as u8);
            write_text(&mut writer, place.id.unwrap_or_default());
            writer.number(left(until, now));
        }
    }
    writer.seal();
    writer.written()
}

/// Reads a user's details back: the counterpart of [`restore`](super::restore), in the same manner. If nobody knows how much
/// time has elapsed, the messages are kept, with what was left of them, for they are the user's own words; work locations are
/// true for a day, which may be over, and are dropped; revision and version leap. O(`MESSAGE`), and O(bytes) for the checksum.
///
/// # Errors
///
/// [`RestoreError`], which says what is wrong; [`RestoreError::Full`] for a text that is longer than there is room for.
pub fn restore_details<const LEN: usize>(
    bytes: &[u8],
    now: Instant,
    elapsed: Option<Duration>,
) -> Result<Details<LEN>, RestoreError> {
    let mut reader = Reader::unsealed(bytes)?;
    match reader.byte() {
        FORM => {}
        0 | u8::MAX => reader.refuse(RestoreError::Invalid(Field::Form)),
        newer => reader.refuse(RestoreError::NewerForm(newer)),
    }
    if reader.byte() != NO_IDS {
        reader.refuse(RestoreError::Invalid(Field::IdLength));
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
        reader.refuse(RestoreError::Invalid(Field::Flags));
    }
    let (revision, version) = (reader.number(), reader.number());
    if version > revision {
        reader.refuse(RestoreError::Invalid(Field::Version));
    }
    details.count(revision, version);
    let mut fits = true;
    if flags & MESSAGE != 0 {
        let text = read_text(reader);
        let distance = reader.number();
        let is_after = flags & PUBLISHED_AFTER != 0;
        if is_after && distance == 0 {
            // After the moment, by nothing, would be a second form of before.
            reader.refuse(RestoreError::Invalid(Field::Flags));
        }
        let published_at =
            if is_after { clock.future(distance).unwrap_or(Instant::ZERO) } else { clock.past(distance) };
        let expires_at = read_deadline(reader, clock);
        if text.is_empty() {
            reader.refuse(RestoreError::Invalid(Field::Text));
        }
        fits &= details.message(text, published_at, expires_at);
    }
    fits &= details.out_of_office(flags & OUT_OF_OFFICE != 0, read_text(reader));
    for layer in LocationLayer::ALL {
        if flags & layer_flag(layer) != 0 {
            let kind = reader.byte();
            let Some(kind) = WorkLocationType::ALL.into_iter().find(|known| *known as u8 == kind) else {
                reader.refuse(RestoreError::Invalid(Field::Place));
                break;
            };
            let id = Some(read_text(reader)).filter(|id| !id.is_empty());
            fits &= details.place(layer, WorkPlace { kind, id }, read_deadline(reader, clock));
        }
    }
    if !fits {
        reader.refuse(RestoreError::Full);
    }
}

fn write_text(writer: &mut Writer<'_>, text: &str) {
    writer.number(text.len() as u64);
    writer.bytes(text.as_bytes());
}

fn read_text<'a>(reader: &mut Reader<'a>) -> &'a str {
    // Longer than memory is longer than what is left.
    let length = usize::try_from(reader.number()).unwrap_or(usize::MAX);
    core::str::from_utf8(reader.bytes(length)).unwrap_or_else(|_| {
        reader.refuse(RestoreError::Invalid(Field::Text));
        ""
    })
}
