//! The device's user, the sessions that its applications hold, and the policy for both.

use presence_core::BufferFull;
use presence_core::graph::{Caller, Context, SingleUserStore, Store, Writer};
use presence_core::lines::{Input, RESERVED_SESSIONS};
use presence_core::{Command, CommandError, Instant, Policy, SessionId, SingleUser, Transition, User, UserId};

/// The number of applications that may hold a session at once.
pub const SESSIONS: usize = 8;

/// The number of sessions that the device has room for: those of applications, of the line itself, of what is mirrored and of the
/// buttons.
pub const CAPACITY: usize = SESSIONS + RESERVED_SESSIONS;

/// The device's user: `/me` on the line. `PRESENCE_USER` sets it at build time.
pub const OWNER: UserId = match UserId::parse(match option_env!("PRESENCE_USER") {
    Some(user) => user,
    None => "fa8bf3dc-eca7-46b7-bad1-db199b62afc3",
}) {
    Ok(user) => user,
    Err(_) => panic!("PRESENCE_USER is no GUID"),
};

/// The device's user. Only a request, a press of a button and time change it.
#[derive(Debug)]
pub struct App(SingleUserStore<CAPACITY>);

/// The observer of each transition that was applied.
pub type OnChange<'a> = &'a mut dyn FnMut(&Transition<SessionId>);

impl App {
    /// Creates a user that was never seen.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_user(User::new())
    }

    /// Continues with a restored user.
    #[must_use]
    pub const fn with_user(user: User<SessionId, CAPACITY>) -> Self {
        Self(SingleUserStore { id: OWNER, user: SingleUser::with_user(user, Policy::DESK) })
    }

    /// Returns the user as of the latest moment it was advanced to.
    #[must_use]
    pub const fn user(&self) -> &User<SessionId, CAPACITY> {
        self.0.user.user()
    }

    /// Applies everything that is due, in order, each transition with its own time.
    pub fn advance(&mut self, now: Instant, on_change: OnChange<'_>) {
        self.0.user.advance(now, on_change);
    }

    /// Executes a command, after everything that is due.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the command is rejected: it has changed nothing.
    pub fn execute(
        &mut self,
        now: Instant,
        command: Command<SessionId>,
        on_change: OnChange<'_>,
    ) -> Result<(), CommandError> {
        // Through the store, whose code is linked for `serve`: a second copy takes 300 bytes of flash.
        self.0.execute(now, OWNER, command, &mut |_, transition| on_change(transition))
    }

    /// Forgets everything about the user, as if it had never been seen. What is visible of that is one change.
    pub fn forget(&mut self, now: Instant, on_change: OnChange<'_>) {
        self.advance(now, on_change);
        // The weakest session first and the preferred presence last, as when they end by themselves (rule S8).
        while let Some(weakest) = self.user().sessions().iter().min_by_key(|session| session.presence()) {
            let session = weakest.id();
            if self.execute(now, Command::ClearPresence { session }, on_change).is_err() {
                break;
            }
        }
        let _ = self.execute(now, Command::ClearPreferredPresence, on_change);
        *self = Self::new();
    }

    /// Returns the context of a request at `now`: the serial line is trusted, and knows the device's user only.
    pub(crate) fn context(now: Instant) -> Context<'static> {
        Context::new(now, Caller::Trusted { me: Some(OWNER) }).with_known_users(&|user| user == OWNER)
    }

    /// Serves a line and writes its response. Trusts the serial line, and knows the device's user only.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if not even the bare status fits.
    pub fn serve(
        &mut self,
        now: Instant,
        input: Input<'_>,
        writer: &mut dyn Writer,
        on_change: OnChange<'_>,
    ) -> Result<(), BufferFull> {
        // A change is reported before a read shows it.
        self.advance(now, on_change);
        input.serve(&Self::context(now), &mut self.0, writer, &mut |_, transition| on_change(transition))
    }
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}
