//! A user from foreign hands: taken in only if applying transitions could have made it.

use super::{Absence, Preferred, Session, User};
use crate::presence::Presence;
use crate::time::Instant;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// The fields of a [`User`], not yet believed.
#[derive(serde::Deserialize)]
#[serde(rename = "User", bound(deserialize = "S: serde::Deserialize<'de>"))]
struct Unchecked<S, const SESSIONS: usize> {
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
        let Unchecked { sessions, preferred, since, absence, revision, version } =
            Unchecked::<S, SESSIONS>::deserialize(deserializer)?;
        if !sessions.is_sorted_by(|one, next| one.id < next.id) {
            return Err(D::Error::custom("the sessions are not in the order of their ids, or two have the same"));
        }
        // Only a session that was set to Available fades.
        let fades_wrongly = |session: &Session<S>| {
            session.faded > 0 && session.presence > Presence::Available
                || session.faded == 0 && session.fades_at != Instant::NEVER && session.presence != Presence::Available
        };
        if sessions.iter().any(fades_wrongly) {
            return Err(D::Error::custom("a session fades that was not set to Available"));
        }
        if version > revision {
            return Err(D::Error::custom("the version is ahead of the revision"));
        }
        let mut user = Self { sessions, since, absence, ..Self::starting_at(revision) };
        user.version = version;
        user.prefer(preferred);
        Ok(user)
    }
}
