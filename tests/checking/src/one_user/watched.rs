//! A user of the library, as the model sees it: through functions for which a test may put others, to show that what they do
//! wrong is noticed. All else is the user's own.

use presence_core::{Absence, ApplyError, Command, CommandError, Explanation, Instant, OverdueError, Policy, Presence};
use presence_core::{Transition, User, UserAt};
use std::ops::Deref;

/// What a decision comes to.
pub type Decision = Result<Option<Transition<u8>>, CommandError>;

/// What the library does.
#[derive(Clone, Copy, Debug)]
pub struct Functions<const SESSIONS: usize> {
    pub decide: fn(UserAt<'_, u8, SESSIONS>, Command<u8>, &Policy) -> Decision,
    pub advance: fn(&User<u8, SESSIONS>, Instant, &Policy) -> Option<Transition<u8>>,
    pub apply: fn(&mut User<u8, SESSIONS>, &Transition<u8>) -> Result<(), ApplyError>,
    pub rebase: fn(&mut User<u8, SESSIONS>, Instant, Instant) -> Result<(), OverdueError>,
    pub presence: fn(&User<u8, SESSIONS>) -> Presence,
    pub read_at: fn(&User<u8, SESSIONS>, Instant, &Policy) -> (Presence, u64),
    pub explain: fn(&User<u8, SESSIONS>, &Policy) -> Explanation<u8>,
    pub absence: fn(&User<u8, SESSIONS>) -> Option<Absence>,
    pub is_empty: fn(&User<u8, SESSIONS>) -> bool,
    pub next_deadline: fn(&User<u8, SESSIONS>) -> Option<Instant>,
    pub version: fn(&User<u8, SESSIONS>) -> u64,
    /// The names of a presence on the wire.
    pub names: fn(Presence) -> (&'static str, &'static str),
}

impl<const SESSIONS: usize> Functions<SESSIONS> {
    pub const LIBRARY: Self = Self {
        decide: |user, command, policy| presence_core::decide(user, command, policy),
        advance: presence_core::next_due,
        apply: User::apply,
        rebase: User::rebase,
        presence: User::presence,
        read_at: User::read_at,
        explain: User::explain,
        absence: User::absence,
        is_empty: User::is_empty,
        next_deadline: User::next_deadline,
        version: User::version,
        names: |presence| (presence.availability().name(), presence.activity().name()),
    };
}

#[derive(Clone, Debug)]
pub struct Watched<const SESSIONS: usize> {
    user: User<u8, SESSIONS>,
    functions: &'static Functions<SESSIONS>,
}

impl<const SESSIONS: usize> Watched<SESSIONS> {
    pub fn new(functions: &'static Functions<SESSIONS>) -> Self {
        Self { user: User::new(), functions }
    }

    /// Returns a new user, seen in the same way.
    pub fn like(&self) -> Self {
        Self::new(self.functions)
    }

    pub fn decide(&self, now: Instant, command: Command<u8>, policy: &Policy) -> Result<Decision, OverdueError> {
        Ok((self.functions.decide)(self.user.at(now)?, command, policy))
    }

    pub fn advance(&self, now: Instant, policy: &Policy) -> Option<Transition<u8>> {
        (self.functions.advance)(&self.user, now, policy)
    }

    pub fn apply(&mut self, transition: &Transition<u8>) -> Result<(), ApplyError> {
        (self.functions.apply)(&mut self.user, transition)
    }

    pub fn rebase(&mut self, from: Instant, to: Instant) -> Result<(), OverdueError> {
        (self.functions.rebase)(&mut self.user, from, to)
    }

    pub fn presence(&self) -> Presence {
        (self.functions.presence)(&self.user)
    }

    pub fn read_at(&self, now: Instant, policy: &Policy) -> (Presence, u64) {
        (self.functions.read_at)(&self.user, now, policy)
    }

    pub fn explain(&self, policy: &Policy) -> Explanation<u8> {
        (self.functions.explain)(&self.user, policy)
    }

    pub fn absence(&self) -> Option<Absence> {
        (self.functions.absence)(&self.user)
    }

    pub fn is_empty(&self) -> bool {
        (self.functions.is_empty)(&self.user)
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        (self.functions.next_deadline)(&self.user)
    }

    pub fn version(&self) -> u64 {
        (self.functions.version)(&self.user)
    }

    pub fn names(&self, presence: Presence) -> (&'static str, &'static str) {
        (self.functions.names)(presence)
    }
}

impl<const SESSIONS: usize> Deref for Watched<SESSIONS> {
    type Target = User<u8, SESSIONS>;

    fn deref(&self) -> &User<u8, SESSIONS> {
        &self.user
    }
}
