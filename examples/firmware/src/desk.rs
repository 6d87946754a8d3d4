//! Whose light it is, and the sessions that applications hold.

use presence_core::graph::{Caller, Exchange, Line, NoRoom, Sink, Store, serve_line};
use presence_core::{
    Command, CommandError, Instant, Policy, Presence, SessionId, Transition, User, UserId, advance, decide,
};

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
pub struct Desk(User<SessionId, SESSIONS>);

/// What hears of each change that was carried out.
pub type Changes<'a> = &'a mut dyn FnMut(&Transition<SessionId>);

impl Desk {
    /// Nobody has said anything yet: no news.
    #[must_use]
    pub const fn new() -> Self {
        Self(User::new())
    }

    /// A desk of a user that was restored.
    #[must_use]
    pub const fn of(user: User<SessionId, SESSIONS>) -> Self {
        Self(user)
    }

    /// The user, as of the latest moment it was asked about.
    #[must_use]
    pub const fn user(&self) -> &User<SessionId, SESSIONS> {
        &self.0
    }

    /// Lets time pass: what is due happens, in order, each with its own time. Rule S8.
    pub fn advance(&mut self, now: Instant, changes: Changes<'_>) {
        while let Some(transition) = advance(&self.0, now, &Policy::DESK) {
            self.apply(&transition, changes);
        }
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
        self.advance(now, changes);
        // Nothing is overdue any more.
        let Ok(user) = self.0.at(now) else { return Ok(()) };
        if let Some(transition) = decide(user, command, &Policy::DESK)? {
            self.apply(&transition, changes);
        }
        Ok(())
    }

    /// Serves a line; whoever can write to the serial line is trusted, and the device knows its owner only.
    ///
    /// # Errors
    ///
    /// [`NoRoom`] when not even the bare status fits the sink.
    pub fn serve(
        &mut self,
        now: Instant,
        line: Line<'_>,
        sink: &mut dyn Sink,
        changes: Changes<'_>,
    ) -> Result<(), NoRoom> {
        // First of all, so that reads are exact too.
        self.advance(now, changes);
        let mut exchange = Exchange::new(now, Caller::Trusted { me: Some(OWNER) });
        exchange.known = Some(&|user| user == OWNER);
        serve_line(line, &exchange, &mut Served(self), sink, &mut |_, transition| changes(transition))
    }

    fn apply(&mut self, transition: &Transition<SessionId>, changes: Changes<'_>) {
        // It was decided about this very user.
        if self.0.apply(transition).is_ok() {
            changes(transition);
        }
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

/// A desk on which everything due has happened, as requests are executed on.
struct Served<'a>(&'a mut Desk);

impl Store for Served<'_> {
    fn policy(&self) -> &Policy {
        &Policy::DESK
    }

    fn read(&self, _: Instant, user: UserId) -> (Presence, u64) {
        if user == OWNER { (self.0.0.presence(), self.0.0.version()) } else { (Presence::Unknown, 0) }
    }

    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        self.0.execute(now, command, &mut |transition| changes(user, transition))
    }
}
