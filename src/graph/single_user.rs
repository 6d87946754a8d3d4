//! The store of a device that has one user.

use crate::graph::store::Store;
use crate::id::{SessionId, UserId};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::Instant;
use crate::user::{Command, CommandError, Transition, User, UserAt, decide, next_due};

/// The only user of a device, as requests are executed on: what a [`Directory`](crate::directory::Directory) is to many. It
/// keeps no details.
///
/// Whoever else is asked about has never been seen, and finds no room: as in a directory that is full. Where they should not
/// exist at all, [`Context::known`](super::Context::known) says so.
///
/// ```
/// use presence_core::graph::{Body, Buffer, Caller, Context, RawRequest, OneUser, serve};
/// use presence_core::{Instant, Policy, Presence, UserId};
///
/// const OWNER: UserId = UserId::from_bytes([0x11; 16]);
///
/// let mut lamp: OneUser<4> = OneUser::new(OWNER, Policy::DESK);
/// let mut exchange = Context::new(Instant::ZERO, Caller::Trusted { me: Some(OWNER) });
/// exchange.known = Some(&|user| user == OWNER);
/// let request = RawRequest {
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
/// lamp.advance(Instant::from_secs(300), |_, change| shown = change.after());
/// assert_eq!(shown, Presence::Offline);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OneUser<const SESSIONS: usize = 4> {
    /// Who it is.
    pub id: UserId,
    /// What it holds, as of the latest moment that it was advanced to or commanded at.
    pub user: User<SessionId, SESSIONS>,
    /// What requests are checked against, and what fades when.
    pub policy: Policy,
}

impl<const SESSIONS: usize> OneUser<SESSIONS> {
    /// What is known of anybody else. Among the constants, for a device has less room on its stack.
    const NOBODY: &User<SessionId, SESSIONS> = &User::new();

    /// Nobody has said anything yet. O(`SESSIONS`).
    ///
    /// A user that was restored stands in a literal: `OneUser { id, user, policy }`.
    #[must_use]
    pub const fn new(id: UserId, policy: Policy) -> Self {
        Self { id, user: User::new(), policy }
    }

    /// Lets time pass: what is due happens, in order, each with its own time, and is handed to `changes`. Rules S8, M4.
    /// O(`SESSIONS`) for each that is due, of which there are three a session and one more at most: O(`SESSIONS`²).
    pub fn advance(&mut self, now: Instant, mut changes: impl FnMut(UserId, &Transition<SessionId>)) {
        while let Some(ref due) = next_due(&self.user, now, &self.policy) {
            self.user.apply_unchecked(due);
            changes(self.id, due);
        }
    }
}

/// A read is exact, however long ago time was advanced: O(`SESSIONS`), O(`SESSIONS`²) if something is overdue. A command
/// [advances](OneUser::advance) first: O(`SESSIONS`), O(`SESSIONS`²) if something is overdue.
impl<const SESSIONS: usize> Store for OneUser<SESSIONS> {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
        if user == self.id { self.user.read_at(now, &self.policy) } else { (Presence::Offline, 0) }
    }

    /// [`CommandError::UsersFull`] about anybody else, if nothing else is wrong with it: only what sets something needs room.
    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        let asked = if user == self.id {
            self.advance(now, &mut *changes);
            &self.user
        } else {
            Self::NOBODY
        };
        let at = UserAt::new_unchecked(asked, now, asked.presence());
        match decide(at, command, &self.policy)? {
            None => Ok(()),
            Some(_) if user != self.id => Err(CommandError::UsersFull),
            Some(ref transition) => {
                self.user.apply_unchecked(transition);
                changes(user, transition);
                Ok(())
            }
        }
    }
}
