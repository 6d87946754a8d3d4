//! Presence objects with details, member by member.

use crate::buffer::BufferFull;
use crate::details::{DetailsView, StatusMessage};
use crate::graph::date_time::DateTime;
use crate::graph::request::select::PROPERTIES;
use crate::graph::respond::resource::Resource;
use crate::graph::respond::text::{digits, sequence_number, write_optional, write_string, write_template};
use crate::graph::respond::writer::Writer;
use crate::time::Instant;

/// Writes the selected members of a presence object.
pub(super) fn write_selected(writer: &mut dyn Writer, resource: &Resource<'_>) -> Result<(), BufferFull> {
    let mut opening: &[u8] = b"{\"";
    for (position, name) in PROPERTIES.iter().enumerate() {
        if resource.select.contains_at(position) {
            writer.write(opening)?;
            opening = b",\"";
            writer.write(name.as_bytes())?;
            writer.write(b"\":")?;
            write_property(writer, resource, position)?;
        }
    }
    writer.write(b"}")
}

/// Writes the value of one of the [`PROPERTIES`].
fn write_property(writer: &mut dyn Writer, resource: &Resource<'_>, position: usize) -> Result<(), BufferFull> {
    let presence = resource.presence;
    match (position, &resource.details) {
        (0, _) => {
            let mut id = heapless::Vec::new();
            resource.user.push_text(&mut id);
            write_template(writer, "\"*\"", &[&id])
        }
        (1, _) => write_template(writer, "\"*\"", &[presence.availability().name().as_bytes()]),
        (2, _) => write_template(writer, "\"*\"", &[presence.activity().name().as_bytes()]),
        (3, Some(details)) => {
            writer.write(b"{\"message\":")?;
            write_optional(writer, details.out_of_office.message)?;
            let flag: &[u8] = if details.out_of_office.is_out_of_office { b"true" } else { b"false" };
            write_template(writer, ",\"isOutOfOffice\":*}", &[flag])
        }
        (4, Some(DetailsView { status_message: Some(message), .. })) => write_message(writer, resource, *message),
        (5, details) => {
            let version = resource.version.saturating_add(details.map_or(0, |details| details.version));
            writer.write(sequence_number(version, &mut [0; 13]))
        }
        (6, Some(details)) => match details.work_location {
            None => writer.write(br#"{"workLocationType":"unspecified","placeId":null,"source":"none"}"#),
            Some(location) => {
                let kind = location.place.kind.name().as_bytes();
                write_template(writer, r#"{"workLocationType":"*","placeId":"#, &[kind])?;
                write_optional(writer, location.place.id)?;
                write_template(writer, r#","source":"*"}"#, &[location.source.name().as_bytes()])
            }
        },
        _ => writer.write(b"null"),
    }
}

fn write_message(
    writer: &mut dyn Writer,
    resource: &Resource<'_>,
    message: StatusMessage<'_>,
) -> Result<(), BufferFull> {
    writer.write(br#"{"message":{"content":"#)?;
    write_string(writer, message.text)?;
    writer.write(br#","contentType":"text"}"#)?;
    if resource.is_own {
        let on_the_wall = |instant: Instant| resource.epoch.map(|epoch| epoch.saturating_add(instant.as_millis()));
        match on_the_wall(message.published_at) {
            Some(unix) => write_template(writer, r#","publishedDateTime":"*Z""#, &[&date_time(unix)])?,
            None => writer.write(br#","publishedDateTime":null"#)?,
        }
        match on_the_wall(message.expires_at).filter(|_| message.expires_at != Instant::NEVER) {
            // Without `Z`: clients append one, or take it for a local time of the zone beside it.
            Some(unix) => {
                write_template(writer, r#","expiryDateTime":{"dateTime":"*","timeZone":"UTC"}"#, &[&date_time(unix)])?
            }
            None => writer.write(br#","expiryDateTime":null"#)?,
        }
    }
    writer.write(b"}")
}

/// Returns the text of a moment in UTC, with seven fraction digits.
pub(crate) fn date_time(unix: u64) -> [u8; 27] {
    let DateTime { year, month, day, hour, minute, second, millisecond } = DateTime::from_unix_millis(unix);
    let mut text = *b"0000-00-00T00:00:00.0000000";
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
        if let Some(field) = text.get_mut(start..).and_then(|rest: &mut [u8]| rest.get_mut(..length)) {
            digits(field, number.into(), highest);
        }
    }
    text
}
