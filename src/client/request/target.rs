//! The target of a call: its path and its query.

use super::call::{Action, Call};
use super::principal::Principal;
use crate::graph::Operation;
#[cfg(feature = "details")]
use crate::graph::Select;
use crate::user::Command;
use core::fmt::{Display, Formatter, Result};

impl<'a> Call<'a> {
    /// Returns the path and the query, percent-encoded, behind the version.
    #[must_use]
    pub const fn target(&self) -> impl Display + use<'a> {
        Target(*self)
    }

    /// Returns the user and the operation; the operation is `None` of a read of the user itself.
    const fn path(&self) -> Option<(Principal<'a>, Option<Operation>)> {
        Some(match self.action {
            Action::Presence(user) => (user, Some(Operation::Get)),
            Action::Execute(user, command) => (user, Some(operation(&command))),
            #[cfg(feature = "details")]
            Action::User(user) => (user, None),
            #[cfg(feature = "details")]
            Action::SetStatusMessage(user, ..) => (user, Some(Operation::SetStatusMessage)),
            #[cfg(feature = "details")]
            Action::SetLocation(user, operation, _) | Action::ClearLocation(user, operation) => (user, Some(operation)),
            #[cfg(feature = "batch")]
            Action::PresencesByUserId(_) | Action::Presences(_) => return None,
        })
    }
}

const fn operation<S>(command: &Command<S>) -> Operation {
    match command {
        Command::SetPresence { .. } => Operation::SetPresence,
        Command::ClearPresence { .. } => Operation::ClearPresence,
        Command::SetPreferredPresence { .. } => Operation::SetUserPreferredPresence,
        Command::ClearPreferredPresence => Operation::ClearUserPreferredPresence,
    }
}

/// The target of a call, displayed as it is sent.
struct Target<'a>(Call<'a>);

impl Display for Target<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self(call) = self;
        if let Some((user, operation)) = call.path() {
            user.fmt(f)?;
            if let Some(operation) = operation {
                f.write_str("/presence")?;
                if let Some(name) = operation.name() {
                    f.write_str("/")?;
                    f.write_str(name)?;
                }
            }
        }
        #[cfg(feature = "batch")]
        match call.action {
            Action::PresencesByUserId(_) => f.write_str("/communications/getPresencesByUserId")?,
            Action::Presences(ids) => {
                f.write_str("/communications/presences?$filter=id%20in%20(")?;
                for (position, id) in ids.iter().enumerate() {
                    f.write_str(if position == 0 { "%27" } else { ",%27" })?;
                    f.write_str(core::str::from_utf8(&id.to_text()).unwrap_or_default())?;
                    f.write_str("%27")?;
                }
                f.write_str(")")?;
            }
            _ => {}
        }
        #[cfg(feature = "details")]
        if call.select != Select::ALL {
            let mut opening = if has_query(call) { "&$select=" } else { "?$select=" };
            for name in call.select.names() {
                f.write_str(opening)?;
                f.write_str(name)?;
                opening = ",";
            }
        }
        Ok(())
    }
}

/// Reports whether there is a query before the members to select.
#[cfg(feature = "details")]
const fn has_query(call: &Call<'_>) -> bool {
    #[cfg(feature = "batch")]
    return matches!(call.action, Action::Presences(_));
    #[cfg(not(feature = "batch"))]
    {
        let _ = call;
        false
    }
}
