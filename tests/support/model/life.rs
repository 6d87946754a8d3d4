//! A user of the library that has lived through random commands, for properties that need no model.

use super::random::{Action, Clock, clock, command, full_house};
use presence_core::{Command, CommandError, Instant, Policy, Transition, User, decide};
use proptest::prelude::*;

/// A user, its clock, and everything that happened to it.
#[derive(Clone, Debug)]
pub struct Life<const SESSIONS: usize> {
    pub user: User<u8, SESSIONS>,
    pub now: Instant,
    pub policy: Policy,
    pub transitions: Vec<Transition<u8>>,
}

impl<const SESSIONS: usize> Life<SESSIONS> {
    pub fn new(policy: Policy) -> Self {
        Self { user: User::new(), now: Instant::from_millis(1_000_000_000), policy, transitions: Vec::new() }
    }

    /// A whole life, up to date at its end.
    pub fn of(policy: Policy, commands: &[(Clock, Command<u8>)]) -> Self {
        let mut life = Self::new(policy);
        for (clock, command) in commands {
            life.turn(*clock);
            let _ = life.command(*command);
        }
        life
    }

    pub fn turn(&mut self, clock: Clock) {
        let deadline = self.user.next_deadline().map(Instant::as_millis);
        self.now = Instant::from_millis(clock.read(self.now.as_millis(), deadline));
        self.advance();
    }

    pub fn advance(&mut self) {
        self.transitions.extend(crate::apply_due(&mut self.user, self.now, &self.policy));
    }

    pub fn command(&mut self, command: Command<u8>) -> Result<(), CommandError> {
        self.advance();
        let decided = decide(self.user.at(self.now).expect("up to date"), command, &self.policy)?;
        decided.into_iter().for_each(|transition| self.apply(transition));
        self.advance();
        Ok(())
    }

    fn apply(&mut self, transition: Transition<u8>) {
        self.user.apply(&transition).expect("a decision of this very moment");
        self.transitions.push(transition);
    }
}

/// Some policy.
pub fn policy() -> impl Strategy<Value = Policy> {
    proptest::sample::select(super::policies().map(|(policy, _)| policy).to_vec())
}

/// The parts of a life: commands, and the clock before each.
pub fn commands(length: usize) -> impl Strategy<Value = Vec<(Clock, Command<u8>)>> {
    proptest::collection::vec((clock(), command(4)), 0..=length)
}

/// A user of up to three sessions in some reachable state.
pub fn life() -> impl Strategy<Value = Life<3>> {
    (policy(), commands(12)).prop_map(|(policy, commands)| Life::of(policy, &commands))
}

/// A user who holds as many of eight sessions as there are to set, or hardly fewer, in some reachable state.
pub fn full_life() -> impl Strategy<Value = Life<8>> {
    let later = proptest::collection::vec((clock(), command(9)), 0..=6);
    (policy(), full_house(0, 8), later).prop_map(|(policy, steps, later)| {
        let said = steps.into_iter().filter_map(|step| match step.action {
            Action::Command(_, command) => Some((step.clock, command)),
            _ => None,
        });
        Life::of(policy, &said.chain(later).collect::<Vec<_>>())
    })
}

/// Returns the time that remains until a deadline, on a clock that reads `now`.
pub fn left(deadline: Instant, now: Instant) -> i128 {
    super::millis(deadline) - super::millis(now)
}
