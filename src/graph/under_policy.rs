//! A store whose requests are decided under another policy than its own.

#[cfg(feature = "details")]
use crate::details::{DetailsCommand, DetailsError, DetailsView};
use crate::graph::store::Store;
use crate::id::{SessionId, UserId};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::Instant;
use crate::user::{Command, CommandError, Transition};

/// A store, with the policy that its requests are checked against and decided under, instead of the store's own.
///
/// For an application that serves some of its callers under another policy: a calendar or a mirror, say.
///
/// ```
/// use presence_core::directory::InlineDirectory;
/// use presence_core::graph::{Buffer, Caller, Context, RawRequest, serve};
/// use presence_core::{Instant, Policy, SessionId, UserId};
///
/// let mut directory = InlineDirectory::<UserId, SessionId, 4, 8>::with_policy(Policy::GRAPH);
/// let context = Context::new(Instant::ZERO, Caller::Trusted { me: None });
/// let body = br#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f87","availability":"Busy","activity":"InAMeeting"}"#;
/// let raw = RawRequest::new("POST", "/users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence/setPresence").with_body(body);
/// let mut bytes = [0; 512];
/// assert_eq!(serve(&raw, &context, &mut directory, &mut Buffer::new(&mut bytes), &mut |_, _| {}), 400);
/// let mut store = (&mut directory, &Policy::DESK);
/// assert_eq!(serve(&raw, &context, &mut store, &mut Buffer::new(&mut bytes), &mut |_, _| {}), 200);
/// ```
impl<S: Store> Store for (S, &Policy) {
    fn policy(&self) -> &Policy {
        self.1
    }

    fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
        self.0.read(now, user)
    }

    fn read_batch(&self, now: Instant, users: &[UserId], read: &mut dyn FnMut(UserId, Presence, u64)) {
        self.0.read_batch(now, users, read);
    }

    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        self.0.execute_under(now, user, command, self.1, on_change)
    }

    fn execute_under(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        policy: &Policy,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        self.0.execute_under(now, user, command, policy, on_change)
    }

    #[cfg(feature = "lines")]
    fn has_room(&self, now: Instant, user: UserId, session: SessionId, reserved: &[SessionId]) -> bool {
        self.0.has_room(now, user, session, reserved)
    }

    #[cfg(feature = "details")]
    fn read_details(&self, now: Instant, user: UserId, read: &mut dyn FnMut(DetailsView<'_>)) {
        self.0.read_details(now, user, read);
    }

    #[cfg(feature = "details")]
    fn execute_details(
        &mut self,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), DetailsError> {
        self.0.execute_details(now, user, command, on_change)
    }

    #[cfg(feature = "details")]
    fn pin_restored(&mut self, user: UserId) -> Result<(), DetailsError> {
        self.0.pin_restored(user)
    }

    #[cfg(feature = "details")]
    fn pin(
        &mut self,
        now: Instant,
        user: UserId,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), DetailsError> {
        self.0.pin(now, user, on_change)
    }

    #[cfg(feature = "details")]
    fn unpin(&mut self, user: UserId, changes: u64) {
        self.0.unpin(user, changes);
    }

    #[cfg(feature = "details")]
    fn record_external_change(&mut self, user: UserId) {
        self.0.record_external_change(user);
    }
}
