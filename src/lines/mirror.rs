//! Presence objects on the line, which are mirrored.

use super::short_form::within;
use crate::graph::json::Value;
use crate::graph::{Error, Field, Resource};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::{Instant, IsoDuration};
use crate::user::Command;

/// A presence object on the line ([L4](crate::rules#l4), [P4](crate::rules#p4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Mirror {
    /// The presence that another system publishes.
    pub presence: Presence,
    /// True if the user is out of office there.
    pub is_out_of_office: bool,
    /// The duration in `expirationDuration`, as it was written; `None` if there is none.
    pub lease: Option<IsoDuration>,
}

impl Mirror {
    /// Returns when this ends, if it is mirrored at `now`; `None` for a duration that is rejected.
    ///
    /// So long a light shows that the user is out of office, which is no part of the session.
    #[must_use]
    pub fn ends_at(self, now: Instant) -> Option<Instant> {
        let lease = within(self.lease, &Policy::MIRROR).ok()?.unwrap_or(Policy::MIRROR.default_lease);
        Some(now.saturating_add(lease))
    }

    /// Reports whether an object is a presence object and no request.
    pub(super) fn is_object(value: Value<'_>) -> bool {
        let has = |field: Field| value.member(field.member()) != Ok(None);
        (has(Field::Availability) || has(Field::Activity)) && !has(Field::Method) && !has(Field::Url)
    }

    /// Reads a presence object.
    pub(super) fn read(value: Value<'_>) -> Result<Self, Error> {
        let (presence, is_out_of_office) = Resource::read(value)?;
        let field = Field::ExpirationDuration;
        let lease = match value.member(field.member()).map_err(|_| Error::Duplicate(field))? {
            None => None,
            Some(lease) => {
                let mut buffer = [0; 40];
                let text = lease.text(&mut buffer).ok().flatten().ok_or(Error::Malformed(field))?;
                Some(IsoDuration::parse(text).map_err(|_| Error::Malformed(field))?)
            }
        };
        Ok(Self { presence, is_out_of_office, lease })
    }

    /// Returns the command for the mirror's session; `None` if there is nothing to do.
    pub(super) fn command<S>(self, session: S) -> Result<Option<Command<S>>, Error> {
        Ok(Command::mirror(session, self.presence, within(self.lease, &Policy::MIRROR)?))
    }
}
