//! Whose light it is, and the sessions that applications hold.

use presence_core::BufferFull;
use presence_core::graph::{Caller, Context, Line, SingleUserStore, Store, Writer, serve_line};
use presence_core::{Command, CommandError, Instant, Policy, SessionId, SingleUser, Transition, User, UserId};

/// How many applications may hold a session at once.
pub const SESSIONS: usize = 8;

/// Whose light it is: `/me` on the line. `PRESENCE_USER` at build time names somebody else.
pub const OWNER: UserId = match UserId::parse(match option_env!("PRESENCE_USER") {
    Some(user) => user,
    None => "fa8bf3dc-eca7-46b7-bad1-db199b62afc3",
}) {
    Ok(user) => user,
    Err(_) => panic!("PRESENCE_USER is no GUID"),
};

/// A user, and the only places where it changes: a request, a press of a button, and time.
#[derive(Debug)]
pub struct Desk(SingleUserStore<SESSIONS>);

/// What hears of each change that was carried out.
pub type Changes<'a> = &'a mut dyn FnMut(&Transition<SessionId>);

impl Desk {
    /// Nobody has said anything yet: no news.
    #[must_use]
    pub const fn new() -> Self {
        Self::of(User::new())
    }

    /// A desk of a user that was restored.
    #[must_use]
    pub const fn of(user: User<SessionId, SESSIONS>) -> Self {
        Self(SingleUserStore { id: OWNER, user: SingleUser::with_user(user, Policy::DESK) })
    }

    /// The user, as of the latest moment it was asked about.
    #[must_use]
    pub const fn user(&self) -> &User<SessionId, SESSIONS> {
        self.0.user.user()
    }

    /// Lets time pass: what is due happens, in order, each with its own time. Rule S8.
    pub fn advance(&mut self, now: Instant, changes: Changes<'_>) {
        self.0.user.advance(now, changes);
    }

    /// Carries out a command, what is due before it.
    ///
    /// # Errors
    ///
    /// Why it is refused: it has changed nothing then.
    pub fn execute(
        &mut self,
        now: Instant,
        command: Command<SessionId>,
        changes: Changes<'_>,
    ) -> Result<(), CommandError> {
        self.0.execute(now, OWNER, command, &mut |_, transition| changes(transition))
    }

    /// Serves a line; whoever can write to the serial line is trusted, and the device knows its owner only.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] when not even the bare status fits the sink.
    pub fn serve(
        &mut self,
        now: Instant,
        line: Line<'_>,
        sink: &mut dyn Writer,
        changes: Changes<'_>,
    ) -> Result<(), BufferFull> {
        // First of all, so that what a read shows has been told before.
        self.advance(now, changes);
        let mut exchange = Context::new(now, Caller::Trusted { me: Some(OWNER) });
        exchange.known = Some(&|user| user == OWNER);
        serve_line(line, &exchange, &mut self.0, sink, &mut |_, transition| changes(transition))
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}
