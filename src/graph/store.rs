//! The trait that requests are executed on.

#[cfg(feature = "details")]
use crate::details::{DetailsCommand, DetailsError, DetailsView};
use crate::directory::{Directory, Memory};
use crate::id::{SessionId, UserId};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::Instant;
use crate::user::{Command, CommandError, Transition, User};
use core::hash::BuildHasher;

/// The users that requests are executed on: a [`Directory`], a [`SingleUserStore`](super::SingleUserStore), or the
/// application's own.
///
/// ```
/// use presence_core::graph::{Buffer, Caller, Context, RawRequest, SingleUserStore, Store, serve};
/// use presence_core::{Command, CommandError, Instant, Policy, Presence, SessionId, Transition, UserId};
///
/// /// A store that counts changes.
/// struct Counted(SingleUserStore<4>, usize);
///
/// impl Store for Counted {
///     fn policy(&self) -> &Policy {
///         self.0.policy()
///     }
///
///     fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
///         self.0.read(now, user)
///     }
///
///     fn execute(
///         &mut self,
///         now: Instant,
///         user: UserId,
///         command: Command<SessionId>,
///         on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
///     ) -> Result<(), CommandError> {
///         let Self(inner, count) = self;
///         inner.execute(now, user, command, &mut |user, change| {
///             *count += 1;
///             on_change(user, change);
///         })
///     }
/// }
///
/// let owner = UserId::from_bytes([0x11; 16]);
/// let mut counted = Counted(SingleUserStore::new(owner, Policy::DESK), 0);
/// let context = Context::new(Instant::ZERO, Caller::Trusted { me: Some(owner) });
/// let raw = RawRequest::new("POST", "/me/presence/setUserPreferredPresence")
///     .with_body(br#"{"availability":"Away","activity":"Away"}"#);
/// let mut bytes = [0; 512];
/// let status = serve(&raw, &context, &mut counted, &mut Buffer::new(&mut bytes), &mut |_, _| {});
/// assert_eq!((status, counted.1), (200, 1));
/// ```
pub trait Store {
    /// Returns the policy that requests are checked against.
    fn policy(&self) -> &Policy;

    /// Returns a user's published presence and version at a moment.
    fn read(&self, now: Instant, user: UserId) -> (Presence, u64);

    /// Reads several users, and hands each to `read`, in order.
    ///
    /// A store that waits for memory or a disk can fetch them together here; by default they are read one after the other.
    fn read_batch(&self, now: Instant, users: &[UserId], read: &mut dyn FnMut(UserId, Presence, u64)) {
        for user in users {
            let (presence, version) = self.read(now, *user);
            read(*user, presence, version);
        }
    }

    /// Executes a command. `on_change` receives every transition that was applied, in order: first those that were due.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; the command has changed nothing then.
    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError>;

    /// Executes a command that is decided under another policy than the store's; see
    /// [`Directory::execute_under`](crate::directory::Directory::execute_under).
    ///
    /// To serve a request under a policy of its own, hand `(store, &policy)` to [`serve`](super::serve) instead of the store.
    /// By default the command must be allowed by both policies.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; the command has changed nothing then.
    fn execute_under(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        policy: &Policy,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError>
    where
        Self: Sized,
    {
        let command = match command {
            Command::SetPresence { session, presence, lease } => {
                let lease = policy.check_session(presence, lease)?;
                Command::SetPresence { session, presence, lease: Some(lease) }
            }
            Command::SetPreferredPresence { presence, duration } => {
                let duration = policy.check_preferred(presence, duration)?;
                Command::SetPreferredPresence { presence, duration: Some(duration) }
            }
            clears => clears,
        };
        self.execute(now, user, command, on_change)
    }

    /// Reports whether a user has room at a moment for a session of an application, when the sessions in `reserved` need room as
    /// well. Feature `lines`.
    ///
    /// A session that exists has room, and so has one of those. By default every session has, and the store decides.
    #[cfg(feature = "lines")]
    fn has_room(&self, now: Instant, user: UserId, session: SessionId, reserved: &[SessionId]) -> bool
    where
        Self: Sized,
    {
        let _ = (now, user, session, reserved);
        true
    }

    /// Hands a user's details at a moment to `read`, as [`Details::view_at`] returns them. Feature `details`.
    ///
    /// Of a user without details they are `DetailsView::default()`. A store that keeps no details does not call `read`, and
    /// they are written as null; that is the default.
    ///
    /// [`Details::view_at`]: crate::details::Details::view_at
    #[cfg(feature = "details")]
    fn read_details(&self, now: Instant, user: UserId, read: &mut dyn FnMut(DetailsView<'_>)) {
        let _ = (now, user, read);
    }

    /// Executes a command about a user's details. Feature `details`.
    ///
    /// `on_change` receives transitions of presences that were due, and were applied to find a slot for the user.
    ///
    /// # Errors
    ///
    /// [`DetailsError`]; the command has changed nothing then. [`DetailsError::Unsupported`] from a store that keeps no
    /// details, which is the default: [`WithDetails`](super::WithDetails) adds them.
    #[cfg(feature = "details")]
    fn execute_details(
        &mut self,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), DetailsError> {
        let _ = (now, user, command, on_change);
        Err(DetailsError::Unsupported)
    }

    /// Pins a user of whom [`WithDetails`](super::WithDetails) keeps details, so that the user is not evicted. Feature
    /// `details`.
    ///
    /// # Errors
    ///
    /// [`DetailsError::UsersFull`] if there is no slot for a new user. [`DetailsError::Unsupported`] by default.
    #[cfg(feature = "details")]
    fn pin(
        &mut self,
        now: Instant,
        user: UserId,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), DetailsError>
    where
        Self: Sized,
    {
        let _ = (now, user, on_change);
        Err(DetailsError::Unsupported)
    }

    /// Pins a user whose details were restored. Feature `details`.
    ///
    /// Unlike [`pin`](Self::pin) it has no moment: a store applies nothing that is due. By default it pins at the first instant.
    ///
    /// # Errors
    ///
    /// Those of [`pin`](Self::pin).
    #[cfg(feature = "details")]
    fn pin_restored(&mut self, user: UserId) -> Result<(), DetailsError>
    where
        Self: Sized,
    {
        self.pin(Instant::ZERO, user, &mut |_, _| {})
    }

    /// Unpins a user whose details are gone; the user's version grows by their visible changes. Feature `details`.
    #[cfg(feature = "details")]
    fn unpin(&mut self, user: UserId, changes: u64)
    where
        Self: Sized,
    {
        let _ = (user, changes);
    }

    /// Records a visible change of a user's details as a change of the user, for cursors. Feature `details`.
    #[cfg(feature = "details")]
    fn record_external_change(&mut self, user: UserId)
    where
        Self: Sized,
    {
        let _ = user;
    }
}

impl<M, H, const SESSIONS: usize> Store for Directory<UserId, SessionId, M, H, SESSIONS>
where
    M: Memory<UserId, SessionId, SESSIONS>,
    H: BuildHasher,
{
    fn policy(&self) -> &Policy {
        Self::policy(self)
    }

    fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
        Self::read(self, now, user, |user: &User<SessionId, SESSIONS>| (user.presence(), user.version()))
    }

    fn read_batch(&self, now: Instant, users: &[UserId], read: &mut dyn FnMut(UserId, Presence, u64)) {
        Self::read_batch(self, now, users, |id, user| read(id, user.presence(), user.version()));
    }

    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        Self::execute(self, now, user, command, on_change)
    }

    fn execute_under(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        policy: &Policy,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        Self::execute_under(self, now, user, command, policy, on_change)
    }

    #[cfg(feature = "lines")]
    fn has_room(&self, now: Instant, user: UserId, session: SessionId, reserved: &[SessionId]) -> bool {
        self.get(user).unwrap_or(&User::new()).has_room(now, session, reserved)
    }

    #[cfg(feature = "details")]
    fn pin(
        &mut self,
        now: Instant,
        user: UserId,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), DetailsError> {
        Self::pin(self, now, user, on_change).map_err(|_| DetailsError::UsersFull)
    }

    #[cfg(feature = "details")]
    fn pin_restored(&mut self, user: UserId) -> Result<(), DetailsError> {
        Self::pin_restored(self, user).map_err(|_| DetailsError::UsersFull)
    }

    #[cfg(feature = "details")]
    fn unpin(&mut self, user: UserId, changes: u64) {
        Self::unpin(self, user, changes);
    }

    #[cfg(feature = "details")]
    fn record_external_change(&mut self, user: UserId) {
        Self::record_external_change(self, user);
    }
}

/// The store behind a reference.
impl<S: Store> Store for &mut S {
    fn policy(&self) -> &Policy {
        S::policy(self)
    }

    fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
        S::read(self, now, user)
    }

    fn read_batch(&self, now: Instant, users: &[UserId], read: &mut dyn FnMut(UserId, Presence, u64)) {
        S::read_batch(self, now, users, read);
    }

    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        S::execute(self, now, user, command, on_change)
    }

    fn execute_under(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        policy: &Policy,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        S::execute_under(self, now, user, command, policy, on_change)
    }

    #[cfg(feature = "lines")]
    fn has_room(&self, now: Instant, user: UserId, session: SessionId, reserved: &[SessionId]) -> bool {
        S::has_room(self, now, user, session, reserved)
    }

    #[cfg(feature = "details")]
    fn read_details(&self, now: Instant, user: UserId, read: &mut dyn FnMut(DetailsView<'_>)) {
        S::read_details(self, now, user, read);
    }

    #[cfg(feature = "details")]
    fn execute_details(
        &mut self,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), DetailsError> {
        S::execute_details(self, now, user, command, on_change)
    }

    #[cfg(feature = "details")]
    fn pin(
        &mut self,
        now: Instant,
        user: UserId,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), DetailsError> {
        S::pin(self, now, user, on_change)
    }

    #[cfg(feature = "details")]
    fn pin_restored(&mut self, user: UserId) -> Result<(), DetailsError> {
        S::pin_restored(self, user)
    }

    #[cfg(feature = "details")]
    fn unpin(&mut self, user: UserId, changes: u64) {
        S::unpin(self, user, changes);
    }

    #[cfg(feature = "details")]
    fn record_external_change(&mut self, user: UserId) {
        S::record_external_change(self, user);
    }
}
