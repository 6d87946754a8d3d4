//! What requests are executed on.

#[cfg(feature = "details")]
use crate::details::{DetailsCommand, DetailsError, DetailsView};
use crate::directory::{Directory, Memory};
use crate::id::{SessionId, UserId};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::Instant;
use crate::user::{Command, CommandError, Transition, User};
use core::hash::BuildHasher;

/// Users that requests are executed on: a [`Directory`], a [`SingleUserStore`](super::SingleUserStore), or an embedder's own, which is told
/// what was asked of whom, and carries it out wherever its users are:
///
/// ```
/// use presence_core::graph::{Body, Buffer, Caller, Context, RawRequest, SingleUserStore, Store, serve};
/// use presence_core::{Command, CommandError, Instant, Policy, Presence, SessionId, Transition, UserId};
///
/// /// A user whose every change is counted.
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
///         changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
///     ) -> Result<(), CommandError> {
///         let Self(one, count) = self;
///         one.execute(now, user, command, &mut |user, change| {
///             *count += 1;
///             changes(user, change);
///         })
///     }
/// }
///
/// let owner = UserId::from_bytes([0x11; 16]);
/// let mut counted = Counted(SingleUserStore::new(owner, Policy::DESK), 0);
/// let exchange = Context::new(Instant::ZERO, Caller::Trusted { me: Some(owner) });
/// let request = RawRequest {
///     method: "POST",
///     target: "/me/presence/setUserPreferredPresence",
///     content_type: None,
///     body: Body::Bytes(br#"{"availability":"Away","activity":"Away"}"#),
/// };
/// let mut bytes = [0; 512];
/// let status = serve(&request, &exchange, &mut counted, &mut Buffer::new(&mut bytes), &mut |_, _| {});
/// assert_eq!((status, counted.1), (200, 1));
/// ```
pub trait Store {
    /// The policy that requests are checked against. Rule P2. A [`Directory`]: O(1).
    fn policy(&self) -> &Policy;

    /// A user's published presence and version at a moment. Rules M4, V1. A [`Directory`]: O(`SESSIONS`), as its
    /// [`read`](Directory::read).
    fn read(&self, now: Instant, user: UserId) -> (Presence, u64);

    /// The same of several users, each handed to `read`, in order. A store that waits for memory, or for a disk, can
    /// fetch them side by side here; unless it does, it is asked for one after the other. O(users) reads.
    fn read_batch(&self, now: Instant, users: &[UserId], read: &mut dyn FnMut(UserId, Presence, u64)) {
        for user in users {
            let (presence, version) = self.read(now, *user);
            read(*user, presence, version);
        }
    }

    /// Carries out a command; every transition that was applied is handed to `changes`, in order. Rules S7, S8. A
    /// [`Directory`]: O(`SESSIONS`) and more, as its [`execute`](Directory::execute).
    ///
    /// # Errors
    ///
    /// [`CommandError`]: the command has changed nothing.
    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError>;

    /// Hands a user's details at a moment to `read`, as [`Details::view_at`] gives them; of a user who has told nothing they
    /// are `DetailsView::default()`. A store that keeps none hands out nothing, and they are null on the wire. Feature
    /// `details`. Rules T1, O1, W1. A [`Directory`] keeps none, nor does a [`SingleUserStore`](super::SingleUserStore): O(1).
    ///
    /// [`Details::view_at`]: crate::details::Details::view_at
    #[cfg(feature = "details")]
    fn read_details(&self, now: Instant, user: UserId, read: &mut dyn FnMut(DetailsView<'_>)) {
        let _ = (now, user, read);
    }

    /// Carries out a command about a user's details. Feature `details`. Rules T1, W1, S7. A [`Directory`] keeps none: O(1).
    ///
    /// # Errors
    ///
    /// [`DetailsError`]: the command has changed nothing; [`DetailsError::Unsupported`] of a store that keeps none.
    #[cfg(feature = "details")]
    fn execute_details(&mut self, now: Instant, user: UserId, command: DetailsCommand<'_>) -> Result<(), DetailsError> {
        let _ = (now, user, command);
        Err(DetailsError::Unsupported)
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
        changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        Self::execute(self, now, user, command, changes)
    }
}
