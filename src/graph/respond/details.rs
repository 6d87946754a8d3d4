//! A presence object with everything in it. Rules H3, T1, W1, O1, V1.

use crate::buffer::BufferFull;
use crate::details::{DetailsView, StatusMessage, WorkPlace};
use crate::graph::date_time::DateTime;
use crate::graph::request::select::{PROPERTIES, Select};
use crate::graph::respond::writer::Writer;
use crate::graph::respond::{digits, fill, sequence_number, string};
use crate::id::UserId;
use crate::presence::Presence;
use crate::time::Instant;

/// Everything that a presence object tells.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Resource<'a> {
    /// Whose.
    pub user: UserId,
    /// What is published.
    pub presence: Presence,
    /// The version of the user; that of its details is added to it.
    pub version: u64,
    /// What else it tells; `None` where nothing of this kind is kept, or nobody knows the user: then its members are null.
    pub details: Option<DetailsView<'a>>,
    /// Whether it is the user who asks: nobody else sees when a status message was published, and when it expires.
    pub is_own: bool,
    /// See [`Environment::epoch`](crate::graph::Environment::epoch).
    pub epoch: Option<u64>,
    /// Which members are asked for.
    pub select: Select,
}

/// The longest presence object, in bytes, with messages of up to so many bytes, each of which may have to be escaped. O(1).
#[must_use]
pub const fn max_presence(message: usize) -> usize {
    const TIMES: usize = r#","publishedDateTime":"2026-11-24T17:05:33.2070000Z","expiryDateTime":{"dateTime":"2026-11-24T17:05:33.2070000Z","timeZone":"UTC"}"#.len();
    const MESSAGES: usize =
        r#"{"message":{"content":"","contentType":"text"}}"#.len() + r#"{"message":"","isOutOfOffice":false}"#.len();
    const PLACE: usize =
        r#"{"workLocationType":"timeOff","placeId":"","source":"scheduled"}"#.len() + 6 * WorkPlace::MAX_ID_LEN;
    let fixed = crate::graph::MAX_PRESENCE + TIMES + MESSAGES + PLACE;
    fixed.saturating_add(message.saturating_mul(12))
}

/// Writes a presence object with everything in it that is selected. Rules H3, T1, O1, W1, V1.
/// O(bytes of its texts).
///
/// # Errors
///
/// [`BufferFull`]; [`max_presence`] bytes always suffice.
///
/// ```
/// use presence_core::details::Details;
/// use presence_core::graph::{Buffer, Resource, Select, max_presence, write_resource};
/// use presence_core::{Presence, UserId};
///
/// let details: Details<40> = Details::new();
/// let resource = Resource {
///     user: UserId::from_bytes([0x11; 16]),
///     presence: Presence::Away,
///     version: 7,
///     details: Some(details.view()),
///     is_own: true,
///     epoch: None,
///     select: Select::parse("?$select=availability,workLocation")?,
/// };
/// let mut bytes = [0; max_presence(40)];
/// let mut body = Buffer::new(&mut bytes);
/// write_resource(&mut body, &resource)?;
/// let expected =
///     br#"{"availability":"Away","workLocation":{"workLocationType":"unspecified","placeId":null,"source":"none"}}"#;
/// assert_eq!(body.written(), expected);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn write_resource(sink: &mut dyn Writer, resource: &Resource<'_>) -> Result<(), BufferFull> {
    let mut opening: &[u8] = b"{\"";
    for (place, name) in PROPERTIES.iter().enumerate() {
        if resource.select.contains_at(place) {
            sink.write(opening)?;
            opening = b",\"";
            sink.write(name.as_bytes())?;
            sink.write(b"\":")?;
            write_property(sink, resource, place)?;
        }
    }
    sink.write(b"}")
}

/// The value of one of the [`PROPERTIES`].
fn write_property(sink: &mut dyn Writer, resource: &Resource<'_>, place: usize) -> Result<(), BufferFull> {
    let presence = resource.presence;
    match (place, &resource.details) {
        (0, _) => {
            let mut id = heapless::Vec::new();
            resource.user.push_text(&mut id);
            fill(sink, "\"*\"", &[&id])
        }
        (1, _) => fill(sink, "\"*\"", &[presence.availability().name().as_bytes()]),
        (2, _) => fill(sink, "\"*\"", &[presence.activity().name().as_bytes()]),
        (3, Some(details)) => {
            sink.write(b"{\"message\":")?;
            match details.out_of_office.message {
                Some(message) => string(sink, message)?,
                None => sink.write(b"null")?,
            }
            let flag: &[u8] = if details.out_of_office.is_out_of_office { b"true" } else { b"false" };
            fill(sink, ",\"isOutOfOffice\":*}", &[flag])
        }
        (4, Some(DetailsView { status_message: Some(message), .. })) => write_message(sink, resource, *message),
        (5, details) => {
            let version = resource.version.saturating_add(details.map_or(0, |details| details.version));
            sink.write(sequence_number(version, &mut [0; 13]))
        }
        (6, Some(details)) => match details.work_location {
            None => sink.write(br#"{"workLocationType":"unspecified","placeId":null,"source":"none"}"#),
            Some(location) => {
                fill(sink, r#"{"workLocationType":"*","placeId":"#, &[location.place.kind.name().as_bytes()])?;
                match location.place.id {
                    Some(id) => string(sink, id)?,
                    None => sink.write(b"null")?,
                }
                fill(sink, r#","source":"*"}"#, &[location.source.name().as_bytes()])
            }
        },
        _ => sink.write(b"null"),
    }
}

fn write_message(sink: &mut dyn Writer, resource: &Resource<'_>, message: StatusMessage<'_>) -> Result<(), BufferFull> {
    sink.write(br#"{"message":{"content":"#)?;
    string(sink, message.text)?;
    sink.write(br#","contentType":"text"}"#)?;
    if resource.is_own {
        let on_the_wall = |instant: Instant| resource.epoch.map(|epoch| epoch.saturating_add(instant.as_millis()));
        match on_the_wall(message.published_at) {
            Some(unix) => fill(sink, r#","publishedDateTime":"*""#, &[&date_time(unix)])?,
            None => sink.write(br#","publishedDateTime":null"#)?,
        }
        match on_the_wall(message.expires_at).filter(|_| message.expires_at != Instant::NEVER) {
            Some(unix) => fill(sink, r#","expiryDateTime":{"dateTime":"*","timeZone":"UTC"}"#, &[&date_time(unix)])?,
            None => sink.write(br#","expiryDateTime":null"#)?,
        }
    }
    sink.write(b"}")
}

/// A moment in UTC, with seven fraction digits. Rule T1.
fn date_time(unix: u64) -> [u8; 28] {
    let DateTime { year, month, day, hour, minute, second, millisecond } = DateTime::from_unix_millis(unix);
    let mut text = *b"0000-00-00T00:00:00.0000000Z";
    let fields = [
        (0, 4, year),
        (5, 2, month.into()),
        (8, 2, day.into()),
        (11, 2, hour.into()),
        (14, 2, minute.into()),
        (17, 2, second.into()),
        (20, 3, millisecond),
    ];
    for (start, length, number) in fields {
        let highest = [1, 10, 100, 1000].get(usize::saturating_sub(length, 1)).copied().unwrap_or(1);
        if let Some(place) = text.get_mut(start..).and_then(|rest: &mut [u8]| rest.get_mut(..length)) {
            digits(place, number.into(), highest);
        }
    }
    text
}
