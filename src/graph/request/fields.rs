//! The members of an action's body, found, required, and made into a command.

use crate::graph::error::{Error, Field};
use crate::graph::json::Value;
use crate::graph::request::target::Operation;
use crate::id::SessionId;
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::{Duration, DurationRange, IsoDuration};
use crate::user::{Command, CommandError};

/// Returns a member of a body; `None` if it is missing or null.
pub(super) fn member<'a>(body: Option<Value<'a>>, field: Field) -> Result<Option<Value<'a>>, Error> {
    body.map_or(Ok(None), |body| body.member(field.member())).map_err(|_| Error::Duplicate(field))
}

/// A buffer for texts with escapes: longer than any id, name or duration.
pub(super) type Text = heapless::Vec<u8, 40>;

/// Returns the text of a member; empty if it is missing, no string, or longer than anything valid.
fn text<'b>(value: Option<Value<'b>>, buffer: &'b mut Text) -> &'b str {
    value.and_then(|value| value.text_in(buffer)).unwrap_or_default()
}

/// The members of an action's body: their values, not yet parsed.
// A plain array, made in place and changed there: a type around it, or a function that returns it, is copied, and links
// `memcpy` or `memset` into a small device.
type Fields<'a> = [Option<Value<'a>>; 4];

const FIELDS: [Field; 4] = [Field::SessionId, Field::Availability, Field::Activity, Field::ExpirationDuration];

/// Finds the members that an operation takes, and requires those it needs.
pub(super) fn find<'a>(fields: &mut Fields<'a>, body: Option<Value<'a>>, operation: Operation) -> Result<(), Error> {
    let names_session = matches!(operation, Operation::SetPresence | Operation::ClearPresence);
    let names_presence = matches!(operation, Operation::SetPresence | Operation::SetUserPreferredPresence);
    let is_named = |field| if matches!(field, Field::SessionId) { names_session } else { names_presence };
    for (value, field) in fields.iter_mut().zip(FIELDS) {
        if is_named(field) {
            *value = member(body, field)?;
        }
    }
    for (value, field) in fields.iter().zip(FIELDS) {
        if is_named(field) && value.is_none() && !matches!(field, Field::ExpirationDuration) {
            return Err(Error::Missing(field));
        }
    }
    Ok(())
}

/// Makes the command, and checks id, duration, range and pair, in this order.
pub(super) fn command(fields: &Fields<'_>, operation: Operation, policy: &Policy) -> Result<Command<SessionId>, Error> {
    let [session, availability, activity, duration] = *fields;
    Ok(match operation {
        Operation::SetPresence => {
            let session = session_id(session)?;
            let lease = duration_within(duration, policy.leases)?;
            let presence = presence(availability, activity)?;
            policy.check_session(presence, lease).map_err(CommandError::from)?;
            Command::SetPresence { session, presence, lease }
        }
        Operation::SetUserPreferredPresence => {
            let duration = duration_within(duration, policy.preferred_durations)?;
            let presence = presence(availability, activity)?;
            policy.check_preferred(presence, duration).map_err(CommandError::from)?;
            Command::SetPreferredPresence { presence, duration }
        }
        Operation::ClearPresence => Command::ClearPresence { session: session_id(session)? },
        Operation::ClearUserPreferredPresence => Command::ClearPreferredPresence,
        Operation::Get => return Err(Error::UnknownPath),
        #[cfg(feature = "details")]
        Operation::SetStatusMessage
        | Operation::SetManualLocation
        | Operation::SetAutomaticLocation
        | Operation::ClearAutomaticLocation
        | Operation::ClearLocation => return Err(Error::UnknownPath),
    })
}

fn session_id(value: Option<Value<'_>>) -> Result<SessionId, Error> {
    SessionId::parse(text(value, &mut Text::new())).map_err(|_| Error::Malformed(Field::SessionId))
}

fn duration_within(value: Option<Value<'_>>, range: DurationRange) -> Result<Option<Duration>, Error> {
    if value.is_none() {
        return Ok(None);
    }
    let written =
        IsoDuration::parse(text(value, &mut Text::new())).map_err(|_| Error::Malformed(Field::ExpirationDuration))?;
    written.within(range).map(Some).ok_or(Error::OutOfRange(Field::ExpirationDuration))
}

fn presence(availability: Option<Value<'_>>, activity: Option<Value<'_>>) -> Result<Presence, Error> {
    let (mut first, mut second) = (Text::new(), Text::new());
    Presence::from_names(text(availability, &mut first), text(activity, &mut second)).map_err(|_| Error::Pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_operations_make_no_command() {
        let others: &[Operation] = &[
            Operation::Get,
            #[cfg(feature = "details")]
            Operation::SetStatusMessage,
            #[cfg(feature = "details")]
            Operation::ClearLocation,
        ];
        for operation in others {
            assert_eq!(command(&[None; 4], *operation, &Policy::GRAPH), Err(Error::UnknownPath), "{operation:?}");
        }
    }
}
