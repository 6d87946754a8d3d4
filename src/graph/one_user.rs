//! The store of a device that has one user.

use super::store::Store;
use crate::id::{SessionId, UserId};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::Instant;
use crate::user::{Command, CommandError, Transition, User, advance, decide};

/// The only user of a device, as requests are executed on: what a [`Directory`](crate::directory::Directory) is to many. It
/// keeps no details.
///
/// Whoever else is asked about has never been seen, and finds no room. Where they should not exist at all,
/// [`Exchange::known`](super::Exchange::known) says so.
///
/// ```
/// use presence_core::graph::{Body, Buffer, Caller, Exchange, Incoming, OneUser, serve};
/// use presence_core::{Instant, Policy, Presence, UserId};
///
/// const OWNER: UserId = UserId::from_bytes([0x11; 16]);
///
/// let mut lamp: OneUser<4> = OneUser::new(OWNER, Policy::DESK);
/// let mut exchange = Exchange::new(Instant::ZERO, Caller::Trusted { me: Some(OWNER) });
/// exchange.known = Some(&|user| user == OWNER);
/// let request = Incoming {
///     method: "POST",
///     target: "/me/presence/setPresence",
///     content_type: None,
///     body: Body::Bytes(
///         br#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f87","availability":"Busy","activity":"InACall"}"#,
///     ),
/// };
/// let mut bytes = [0; 512];
/// let mut shown = Presence::Offline;
/// let mut answer = Buffer::new(&mut bytes);
/// let status = serve(&request, &exchange, &mut lamp, &mut answer, &mut |_, change| shown = change.after());
/// assert_eq!((status, shown), (200, Presence::InACall));
///
/// // Nobody asks, and yet time passes: Busy ends in five minutes.
/// let ends = lamp.user.next_deadline();
/// assert_eq!(ends, Some(Instant::from_secs(300)));
/// lamp.advance(Instant::from_secs(300), &mut |_, change| shown = change.after());
/// assert_eq!(shown, Presence::Offline);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OneUser<const SESSIONS: usize> {
    /// Who it is.
    pub id: UserId,
    /// What it holds, as of the latest moment that it was advanced to or commanded at.
    pub user: User<SessionId, SESSIONS>,
    /// What requests are checked against, and what fades when.
    pub policy: Policy,
}

impl<const SESSIONS: usize> OneUser<SESSIONS> {
    /// Nobody has said anything yet. One that was restored is put in [`user`](Self::user). O(`SESSIONS`).
    #[must_use]
    pub const fn new(id: UserId, policy: Policy) -> Self {
        Self { id, user: User::new(), policy }
    }

    /// Lets time pass: what is due happens, in order, each with its own time, and is handed to `changes`. Rules S8, M3.
    /// O(`SESSIONS`) for each that is due.
    pub fn advance(&mut self, now: Instant, changes: &mut dyn FnMut(UserId, &Transition<SessionId>)) {
        while let Some(ref due) = advance(&self.user, now, &self.policy) {
            // It was decided about this very user.
            if self.user.apply(due).is_ok() {
                changes(self.id, due);
            }
        }
    }
}

/// A read is exact, however long ago time was advanced: O(`SESSIONS`), O(`SESSIONS`²) if something is overdue. A command
/// carries out what is due first: O(`SESSIONS`) for each that is due.
impl<const SESSIONS: usize> Store for OneUser<SESSIONS> {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
        if user == self.id { self.user.read_at(now, &self.policy) } else { (Presence::Offline, 0) }
    }

    /// [`CommandError::UsersFull`] about anybody else.
    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        if user != self.id {
            return Err(CommandError::UsersFull);
        }
        self.advance(now, changes);
        // Nothing is overdue any more.
        let Ok(at) = self.user.at(now) else { return Ok(()) };
        if let Some(ref transition) = decide(at, command, &self.policy)?
            && self.user.apply(transition).is_ok()
        {
            changes(self.id, transition);
        }
        Ok(())
    }
}
