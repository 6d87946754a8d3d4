//! What requests are executed on.

#[cfg(feature = "details")]
use crate::details::{DetailsCommand, DetailsError, ShownDetails};
use crate::directory::{Directory, Memory};
use crate::id::{SessionId, UserId};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::Instant;
use crate::user::{Command, CommandError, Transition, User};
use core::hash::BuildHasher;

/// Users that requests are executed on: a [`Directory`], or an embedder's own. A device that has one user needs no directory,
/// but [`Exchange::known`](super::Exchange::known), or that one is everybody:
///
/// ```
/// use presence_core::graph::{Body, Buffer, Caller, Exchange, Incoming, Store, serve};
/// use presence_core::{Command, CommandError, Instant, Policy, Presence, SessionId, Transition, User, UserId};
/// use presence_core::{advance, decide};
///
/// const OWNER: UserId = UserId::from_bytes([0x11; 16]);
///
/// struct Lamp(User);
///
/// impl Store for Lamp {
///     fn policy(&self) -> &Policy {
///         &Policy::DESK
///     }
///
///     fn read(&self, now: Instant, _: UserId) -> (Presence, u64) {
///         self.0.read_at(now, &Policy::DESK) // exact, however long ago time was advanced
///     }
///
///     fn execute(
///         &mut self,
///         now: Instant,
///         user: UserId,
///         command: Command<SessionId>,
///         changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
///     ) -> Result<(), CommandError> {
///         // What is due happens before the command.
///         while let Some(due) = advance(&self.0, now, &Policy::DESK) {
///             self.0.apply(&due).expect("decided about this very user");
///             changes(user, &due);
///         }
///         let at = self.0.at(now).expect("nothing is overdue");
///         if let Some(transition) = decide(at, command, &Policy::DESK)? {
///             self.0.apply(&transition).expect("decided about this very user");
///             changes(user, &transition);
///         }
///         Ok(())
///     }
/// }
///
/// let mut lamp = Lamp(User::new());
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

    /// Hands a user's details at a moment to `read`, as [`Details::shown_at`] gives them; of a user who has told nothing they
    /// are `ShownDetails::default()`. A store that keeps none hands out nothing, and they are null on the wire. Feature
    /// `details`. Rules T1, O1, W1. A [`Directory`] keeps none: O(1).
    ///
    /// [`Details::shown_at`]: crate::details::Details::shown_at
    #[cfg(feature = "details")]
    fn read_details(&self, now: Instant, user: UserId, read: &mut dyn FnMut(ShownDetails<'_>)) {
        let _ = (now, user, read);
    }

    /// Carries out a command about a user's details. Feature `details`. Rules T1, W1, S7. A [`Directory`] keeps none: O(1).
    ///
    /// # Errors
    ///
    /// [`DetailsError`]: the command has changed nothing; [`DetailsError::NotKept`] of a store that keeps none.
    #[cfg(feature = "details")]
    fn execute_on_details(
        &mut self,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
    ) -> Result<(), DetailsError> {
        let _ = (now, user, command);
        Err(DetailsError::NotKept)
    }
}

impl<const SESSIONS: usize, M, H> Store for Directory<UserId, SessionId, SESSIONS, M, H>
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
