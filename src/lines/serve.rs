//! Serving a line: the sessions that a light keeps for itself, and room for them.

use super::input::Input;
use super::{MIRROR_SESSION, OWN_SESSION, RESERVED};
use crate::buffer::BufferFull;
#[cfg(feature = "details")]
use crate::details::{DetailsCommand, DetailsError, DetailsView};
use crate::graph::{Context, Store, Writer, serve_command, serve_line};
use crate::id::{SessionId, UserId};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::Instant;
use crate::user::{Command, CommandError, Transition};

impl Input<'_> {
    /// Serves a line, and writes its response, without a newline; see [`serve_line`].
    ///
    /// Short forms and mirrored objects are about the user that the caller acts for, and answered `{"id":null,"status":200}` or
    /// with the error. A short form is decided under the store's policy, as `setPresence` is; a mirrored object under
    /// [`Policy::MIRROR`], so that it does not fade. Requests leave room for the sessions with fixed ids, as far as the store
    /// knows its users' sessions ([`Store::has_room`]); without it they are answered 507.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if not even the bare status fits. Nothing was done then, and whatever was written is no response.
    pub fn serve<S: Store>(
        self,
        context: &Context<'_>,
        store: &mut S,
        writer: &mut dyn Writer,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), BufferFull> {
        let mut front = Front { store, is_mirror: matches!(self, Self::Mirror(_)) };
        let command = match self {
            Self::Echo => return Ok(()),
            Self::Line(line) => return serve_line(line, context, &mut front, writer, on_change),
            Self::ShortForm(form) => form.command(OWN_SESSION, front.policy()).map(Some),
            Self::Mirror(mirror) => mirror.command(MIRROR_SESSION),
        };
        serve_command(command, context, &mut front, writer, on_change)
    }
}

/// A store behind the line.
struct Front<'a, S> {
    store: &'a mut S,
    is_mirror: bool,
}

impl<S: Store> Store for Front<'_, S> {
    fn policy(&self) -> &Policy {
        self.store.policy()
    }

    fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
        self.store.read(now, user)
    }

    fn read_batch(&self, now: Instant, users: &[UserId], read: &mut dyn FnMut(UserId, Presence, u64)) {
        self.store.read_batch(now, users, read);
    }

    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        if self.is_mirror {
            return match self.store.execute_under(now, user, command, &Policy::MIRROR, on_change) {
                // It is gone already.
                Err(CommandError::NotFound) => Ok(()),
                result => result,
            };
        }
        if let Command::SetPresence { session, .. } = command
            && !self.store.has_room(now, user, session, &RESERVED)
        {
            return Err(CommandError::SessionsFull);
        }
        self.store.execute(now, user, command, on_change)
    }

    #[cfg(feature = "details")]
    fn read_details(&self, now: Instant, user: UserId, read: &mut dyn FnMut(DetailsView<'_>)) {
        self.store.read_details(now, user, read);
    }

    #[cfg(feature = "details")]
    fn execute_details(
        &mut self,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), DetailsError> {
        self.store.execute_details(now, user, command, on_change)
    }
}
