//! The store of a device that has one user.

#[cfg(feature = "details")]
use crate::details::DetailsError;
use crate::graph::store::Store;
use crate::id::{SessionId, UserId};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::single_user::SingleUser;
use crate::time::Instant;
use crate::user::{Command, CommandError, Transition, User, UserAt, decide, next_due};

/// The only user of a device as a [`Store`]. It keeps no details.
///
/// Other users read as Offline; writes to them fail with [`CommandError::UsersFull`], as in a full
/// [`Directory`](crate::directory::Directory). To answer 404 instead, set [`Context::known_users`](super::Context::known_users).
///
/// ```
/// use presence_core::graph::{Buffer, Caller, Context, RawRequest, SingleUserStore, serve};
/// use presence_core::{Instant, Policy, Presence, UserId};
///
/// const OWNER: UserId = UserId::from_bytes([0x11; 16]);
///
/// let mut lamp: SingleUserStore<4> = SingleUserStore::new(OWNER, Policy::DESK);
/// let context = Context::new(Instant::ZERO, Caller::Trusted { me: Some(OWNER) }).with_known_users(&|user| user == OWNER);
/// let body = br#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f87","availability":"Busy","activity":"InACall"}"#;
/// let raw = RawRequest::new("POST", "/me/presence/setPresence").with_body(body);
/// let mut bytes = [0; 512];
/// let mut shown = Presence::Offline;
/// let mut response = Buffer::new(&mut bytes);
/// let status = serve(&raw, &context, &mut lamp, &mut response, &mut |_, change| shown = change.after());
/// assert_eq!((status, shown), (200, Presence::InACall));
///
/// // Without another request, time passes all the same: Busy ends in five minutes.
/// let end = Instant::from_secs(300);
/// assert_eq!(lamp.user.next_deadline(), Some(end));
/// lamp.user.advance(end, |change| shown = change.after());
/// assert_eq!(shown, Presence::Offline);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SingleUserStore<const SESSIONS: usize = 4> {
    /// The id of the user in requests.
    pub id: UserId,
    /// The user and its policy.
    pub user: SingleUser<SessionId, SESSIONS>,
}

impl<const SESSIONS: usize> SingleUserStore<SESSIONS> {
    /// The state of every other user. A constant, to keep it off a device's stack.
    const UNKNOWN: &User<SessionId, SESSIONS> = &User::new();

    /// Creates a store whose user has no sessions. For a restored user, build the struct from its fields.
    #[must_use]
    pub const fn new(id: UserId, policy: Policy) -> Self {
        Self { id, user: SingleUser::new(policy) }
    }

    /// Executes a command; under the user's own policy if there is no other.
    // One decision for both kinds of users: a second call would be decided, and linked, twice.
    fn execute_decided(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        policy: Option<&Policy>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        let Self { id, user: own } = self;
        let subject = if user == *id {
            // As `SingleUser::advance`: a closure that adds the id for it costs a device fifty bytes.
            while let Some(ref due) = next_due(&own.user, now, &own.policy) {
                own.user.apply_unchecked(due);
                on_change(user, due);
            }
            &own.user
        } else {
            Self::UNKNOWN
        };
        let at = UserAt::new_unchecked(subject, now, subject.presence());
        match decide(at, command, policy.unwrap_or(&own.policy))? {
            None => Ok(()),
            Some(_) if user != *id => Err(CommandError::UsersFull),
            Some(ref transition) => {
                own.user.apply_unchecked(transition);
                on_change(user, transition);
                Ok(())
            }
        }
    }
}

/// Reads are exact even if time was not advanced. A command first applies what is due for its user.
impl<const SESSIONS: usize> Store for SingleUserStore<SESSIONS> {
    fn policy(&self) -> &Policy {
        &self.user.policy
    }

    fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
        if user == self.id { self.user.user.read_at(now, &self.user.policy) } else { (Presence::Offline, 0) }
    }

    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        self.execute_decided(now, user, command, None, on_change)
    }

    fn execute_under(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        policy: &Policy,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        self.execute_decided(now, user, command, Some(policy), on_change)
    }

    #[cfg(feature = "lines")]
    fn has_room(&self, now: Instant, user: UserId, session: SessionId, reserved: &[SessionId]) -> bool {
        user != self.id || self.user.user.has_room(now, session, reserved)
    }

    #[cfg(feature = "details")]
    fn pin(
        &mut self,
        _: Instant,
        user: UserId,
        _: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), DetailsError> {
        if user == self.id { Ok(()) } else { Err(DetailsError::UsersFull) }
    }

    #[cfg(feature = "details")]
    fn unpin(&mut self, user: UserId, changes: u64) {
        if user == self.id {
            self.user.user.add_changes(changes);
        }
    }
}
