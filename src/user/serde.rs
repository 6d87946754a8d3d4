//! Feature `serde` of a user: written as its fields, validated when it is read.

use super::validate::Untrusted;
use super::{Absence, Preferred, Session, User};
use crate::time::Instant;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// The fields of a [`User`].
#[derive(serde::Deserialize)]
#[serde(rename = "User", bound(deserialize = "S: serde::Deserialize<'de>"))]
struct Fields<S, const SESSIONS: usize> {
    sessions: heapless::Vec<Session<S>, SESSIONS, u16>,
    preferred: Option<Preferred>,
    since: Instant,
    absence: Absence,
    revision: u64,
    version: u64,
}

impl<S: Serialize, const SESSIONS: usize> Serialize for User<S, SESSIONS> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut fields = serializer.serialize_struct("User", 6)?;
        fields.serialize_field("sessions", &self.sessions)?;
        fields.serialize_field("preferred", &self.preferred())?;
        fields.serialize_field("since", &self.since)?;
        fields.serialize_field("absence", &self.absence)?;
        fields.serialize_field("revision", &self.revision)?;
        fields.serialize_field("version", &self.version)?;
        fields.end()
    }
}

impl<'de, S: Copy + Ord + Deserialize<'de>, const SESSIONS: usize> Deserialize<'de> for User<S, SESSIONS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields: Fields<S, SESSIONS> = Fields::deserialize(deserializer)?;
        let mut user = Untrusted::new(fields.revision, fields.version, fields.since, fields.absence);
        user.prefer(fields.preferred);
        fields.sessions.into_iter().for_each(|session| user.push(session));
        let checked = user.check().map_err(|broken| D::Error::custom(broken.text()))?;
        Ok(user.into_user(checked))
    }
}
