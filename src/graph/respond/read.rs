//! Presence objects, read: the other side of the wire, for devices and gateways that mirror another system.

use crate::buffer::BufferFull;
use crate::graph::error::{Error, Field};
use crate::graph::json::Value;
use crate::graph::respond::resource::Resource;
use crate::presence::{Activity, Presence};

/// Longer than any name.
const NAME: usize = 32;

impl Resource<'_> {
    /// Reads the presence object of an answer: the presence, and true if the user is out of office
    /// ([P3](crate::rules#p3), [P4](crate::rules#p4)).
    ///
    /// Names are read as [`Presence::read`] does: an unknown availability is [`Presence::Unknown`]. The user is out of office
    /// if the activity or `isOutOfOffice` says so. Members that are not needed may be null, missing or unknown.
    ///
    /// ```
    /// use presence_core::graph::Resource;
    /// use presence_core::graph::json::Value;
    /// use presence_core::{Command, Duration, Presence};
    ///
    /// let answer = br#"{
    ///     "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users('me')/presence/$entity",
    ///     "id": "fa8bf3dc-eca7-46b7-bad1-db199b62afc3", "availability": "Busy", "activity": "InACall",
    ///     "statusMessage": null, "outOfOfficeSettings": {"message": null, "isOutOfOffice": true}
    /// }"#;
    /// let (presence, is_out_of_office) = Resource::read(Value::parse(answer)?)?;
    /// assert_eq!((presence, is_out_of_office), (Presence::InACall, true));
    /// // In session 7, for three times the interval between two reads.
    /// assert!(Command::mirror(7, presence, Some(Duration::from_secs(90))).is_some());
    ///
    /// // What is not understood is no presence.
    /// assert!(Resource::read(Value::parse(br#"{"error":{"code":"Unauthorized"}}"#)?).is_err());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Error::NotAnObject`].
    /// - [`Error::Missing`], [`Error::Malformed`] or [`Error::Duplicate`], of [`Field::Availability`] or
    ///   [`Field::Activity`].
    /// - [`Error::Malformed`] of [`Field::Body`], or [`Error::Json`], if the out-of-office settings are not as Graph writes
    ///   them.
    pub fn read(value: Value<'_>) -> Result<(Presence, bool), Error> {
        if !value.is_object() {
            return Err(Error::NotAnObject);
        }
        let (mut first, mut second) = ([0; NAME], [0; NAME]);
        let availability = name(value, Field::Availability, &mut first)?;
        let activity = name(value, Field::Activity, &mut second)?;
        let is_out_of_office = is_out_of_office(value)? || Activity::is_out_of_office(activity);
        Ok((Presence::read(availability, activity), is_out_of_office))
    }
}

#[cfg(all(feature = "client", feature = "details"))]
impl Resource<'_> {
    /// Reads a presence object of selected members: an availability alone is its plain presence, an activity alone the
    /// presence of that activity, and neither of them [`Presence::Unknown`].
    pub(crate) fn read_selected(value: Value<'_>) -> Result<(Presence, bool), Error> {
        if !value.is_object() {
            return Err(Error::NotAnObject);
        }
        let (mut first, mut second) = ([0; NAME], [0; NAME]);
        let availability = if_any(name(value, Field::Availability, &mut first))?;
        let activity = if_any(name(value, Field::Activity, &mut second))?;
        let presence = match (availability, activity) {
            (Some(availability), activity) => Presence::read(availability, activity.unwrap_or_default()),
            (None, Some(activity)) => activity.parse().unwrap_or(Presence::Unknown),
            (None, None) => Presence::Unknown,
        };
        Ok((presence, is_out_of_office(value)? || activity.is_some_and(Activity::is_out_of_office)))
    }
}

/// Returns what a member says; `None` if it is missing.
#[cfg(all(feature = "client", feature = "details"))]
fn if_any(name: Result<&str, Error>) -> Result<Option<&str>, Error> {
    match name {
        Err(Error::Missing(_)) => Ok(None),
        other => other.map(Some),
    }
}

/// Returns the name in a member; an empty one for a text longer than any.
fn name<'b>(value: Value<'b>, field: Field, buffer: &'b mut [u8]) -> Result<&'b str, Error> {
    let member = value.member(field.member()).map_err(|_| Error::Duplicate(field))?.ok_or(Error::Missing(field))?;
    match member.text(buffer) {
        Ok(name) => name.ok_or(Error::Malformed(field)),
        Err(BufferFull) => Ok(""),
    }
}

/// Reads the flag in the out-of-office settings. Settings that are null or missing, or have no flag, say nothing.
fn is_out_of_office(value: Value<'_>) -> Result<bool, Error> {
    let Some(settings) = value.member("outOfOfficeSettings")? else { return Ok(false) };
    if !settings.is_object() {
        return Err(Error::Malformed(Field::Body));
    }
    let Some(flag) = settings.member("isOutOfOffice")? else { return Ok(false) };
    flag.as_bool().ok_or(Error::Malformed(Field::Body))
}
