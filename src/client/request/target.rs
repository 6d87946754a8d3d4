//! The target of a call: its path and its query.

use super::call::{Action, Call};
use super::principal::Principal;
use super::written::{display, written_text};
use crate::buffer::BufferFull;
#[cfg(feature = "details")]
use crate::graph::Select;
#[cfg(feature = "batch")]
use crate::graph::write_template;
use crate::graph::{Operation, Writer};
#[cfg(feature = "batch")]
use crate::id::UserId;
use crate::user::Command;
use core::fmt::{Display, Formatter};

impl<'a> Call<'a> {
    /// Returns the path and the query, percent-encoded, behind the version.
    #[must_use]
    pub const fn target(&self) -> impl Display + use<'a> {
        Target(*self)
    }

    /// Writes the path and the query to the beginning of a buffer, and returns them: what [`target`](Self::target) displays,
    /// for devices that do without formatting.
    ///
    /// ```
    /// use presence_core::client::{Call, Principal};
    ///
    /// let mut buffer = [0; 32];
    /// assert_eq!(Call::presence(Principal::ME).write_target(&mut buffer)?, "/me/presence");
    /// # Ok::<(), presence_core::BufferFull>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BufferFull`]. 45 bytes suffice, and 36 for an id, or three for each byte of a name; a read of the collection takes 45
    /// bytes and 43 for each id. Members to select take 95 bytes more.
    pub fn write_target<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b str, BufferFull> {
        written_text(buffer, |writer| write_target(writer, self))
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
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        display(f, |writer| write_target(writer, &self.0))
    }
}

/// Writes the target: ASCII without anything that JSON would escape.
pub(super) fn write_target(writer: &mut dyn Writer, call: &Call<'_>) -> Result<(), BufferFull> {
    if let Some((user, operation)) = call.path() {
        user.write(writer)?;
        if let Some(operation) = operation {
            writer.write(b"/presence")?;
            if let Some(name) = operation.name() {
                writer.write(b"/")?;
                writer.write(name.as_bytes())?;
            }
        }
    }
    #[cfg(feature = "batch")]
    match call.action {
        Action::PresencesByUserId(_) => writer.write(b"/communications/getPresencesByUserId")?,
        Action::Presences(ids) => write_filter(writer, ids)?,
        _ => {}
    }
    #[cfg(feature = "details")]
    if call.select != Select::ALL {
        let mut opening: &[u8] = if has_query(call) { b"&$select=" } else { b"?$select=" };
        for name in call.select.names() {
            writer.write(opening)?;
            writer.write(name.as_bytes())?;
            opening = b",";
        }
    }
    Ok(())
}

/// Writes the path of the collection, and which of its objects are meant.
#[cfg(feature = "batch")]
fn write_filter(writer: &mut dyn Writer, ids: &[UserId]) -> Result<(), BufferFull> {
    let mut opening = "/communications/presences?$filter=id%20in%20(%27*%27";
    for id in ids {
        write_template(writer, opening, &[&id.to_text()])?;
        opening = ",%27*%27";
    }
    writer.write(b")")
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
