//! A directory with a few users, each with one session, in as many slots or fewer: commands, decisions that are applied
//! later, and time that is advanced late, call by call. The properties are the rules between users.

mod canonical;
mod expected;
mod properties;
mod steps;
mod watched;

pub use watched::{Functions, OnChange, Small, Watched};

use crate::broken::Broken;
use crate::rules::Numbers;
use expected::{Expected, Vacancy};
use presence_core::{Command, Duration, Instant, Policy, Presence, Transition};
use stateright::{Model, Property};
use std::hash::{Hash, Hasher};

/// So many users, and slots for so many of them.
#[derive(Clone, Debug)]
pub struct FewUsers<const USERS: usize, const SLOTS: usize> {
    pub policy: Policy,
    pub numbers: Numbers,
    /// The library's own, except to show that another is found.
    pub functions: &'static Functions<SLOTS>,
    /// True if decisions are made and applied apart, with anything between them.
    pub apart: bool,
    pub commands: &'static [Command<u8>],
}

#[derive(Clone, Debug)]
pub struct State<const USERS: usize, const SLOTS: usize> {
    directory: Watched<SLOTS>,
    expected: Expected<USERS>,
    now: u64,
    /// The decision that has not been applied yet.
    decided: Option<Decided>,
    /// A number above every version of an evicted user.
    start: u64,
    broken: Broken,
}

/// A decision on its way through a journal.
#[derive(Clone, Debug)]
struct Decided {
    user: u8,
    command: Command<u8>,
    transition: Transition<u8>,
    about: About,
}

/// The subject of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// A user at a revision.
    User(u64),
    /// A new user, who was to have this slot.
    NewUser(Vacancy),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Execute(u8, Command<u8>),
    Decide(u8, Command<u8>),
    Apply,
    ThrowAway,
    /// One call of `advance`.
    Advance,
    /// A tick passes, without a call of `advance`.
    Tick,
}

/// Not at the beginning of time, so that there is a moment before.
const START: u64 = 100;

/// The ticks by which due transitions, and a decision on its way, may be late.
const LATENESS: u64 = 1;

/// A distance further back than anything that may still happen.
const LONG_AGO: u64 = LATENESS + 1;

const fn ticks(ticks: u64) -> Option<Duration> {
    Some(Duration::from_millis(ticks))
}

/// A lease that fades twice, a short one and a middling one; a command that is rejected; and preferred presences.
pub const ALL_COMMANDS: &[Command<u8>] = &[
    Command::SetPresence { session: 0, presence: Presence::Available, lease: ticks(3) },
    Command::SetPresence { session: 0, presence: Presence::Presenting, lease: ticks(1) },
    Command::SetPresence { session: 0, presence: Presence::Away, lease: None },
    Command::SetPresence { session: 0, presence: Presence::Busy, lease: None },
    Command::ClearPresence { session: 0 },
    Command::SetPreferredPresence { presence: Presence::Busy, duration: ticks(2) },
    Command::ClearPreferredPresence,
];

/// One of each.
pub const FEW_COMMANDS: &[Command<u8>] = &[
    Command::SetPresence { session: 0, presence: Presence::Available, lease: ticks(2) },
    Command::ClearPresence { session: 0 },
    Command::SetPreferredPresence { presence: Presence::Busy, duration: ticks(1) },
    Command::ClearPreferredPresence,
];

/// Enough to sign in, to sign out and to be evicted.
pub const COMING_AND_GOING: &[Command<u8>] = &[
    Command::SetPresence { session: 0, presence: Presence::Away, lease: ticks(1) },
    Command::ClearPresence { session: 0 },
];

impl<const USERS: usize, const SLOTS: usize> State<USERS, SLOTS> {
    fn now(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// Returns the first version of a new user, as far as is known from those before.
    fn start_in(&self, vacancy: Vacancy) -> u64 {
        match vacancy {
            Vacancy::Free => self.start,
            Vacancy::Evict(_, revision) => self.start.max(revision + 1),
        }
    }

    /// Returns what distinguishes it from other states; see [`canonical`].
    fn identity(&self) -> impl Hash + PartialEq + use<USERS, SLOTS> {
        let decided = self.decided.as_ref().map(|Decided { user, transition, about, .. }| {
            let revision_of = |user| self.expected.person(user).map(|person| person.revision);
            let still = match *about {
                About::User(revision) => (None, revision_of(*user) == Some(revision)),
                About::NewUser(Vacancy::Free) => (None, self.expected.vacancy() == Some(Vacancy::Free)),
                About::NewUser(Vacancy::Evict(old, revision)) => (Some(old), revision_of(old) == Some(revision)),
            };
            let against_start =
                self.expected.vacancy().map(|vacancy| transition.revision().cmp(&self.start_in(vacancy)));
            (*user, canonical::bytes(transition, self.now, LONG_AGO), still, against_start)
        });
        // The order of numbers that grow, where it matters; and what is left out where it does not.
        let people = std::array::from_fn::<_, USERS, _>(|id| {
            let person = self.expected.person(id as u8)?;
            // Only a decision made before may be applied in a slot for which it was not meant.
            let against_start = self.decided.as_ref().map(|_| person.revision.cmp(&self.start));
            Some((against_start, (!person.has_session()).then_some(person.absence)))
        });
        let directory = canonical::bytes(&*self.directory, self.now, LONG_AGO);
        (directory, self.expected.order(), people, decided, self.broken)
    }
}

impl<const USERS: usize, const SLOTS: usize> Hash for State<USERS, SLOTS> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.identity().hash(hasher);
    }
}

impl<const USERS: usize, const SLOTS: usize> PartialEq for State<USERS, SLOTS> {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl<const USERS: usize, const SLOTS: usize> Model for FewUsers<USERS, SLOTS> {
    type State = State<USERS, SLOTS>;
    type Action = Action;

    fn init_states(&self) -> Vec<Self::State> {
        vec![State {
            directory: Watched::new(self.policy, self.functions),
            expected: Expected::new(SLOTS),
            now: START,
            decided: None,
            start: 0,
            broken: Broken::default(),
        }]
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Action>) {
        if state.broken.any() {
            return;
        }
        let everything = || (0..USERS as u8).flat_map(|user| self.commands.iter().map(move |command| (user, *command)));
        actions.extend(everything().map(|(user, command)| Action::Execute(user, command)));
        match &state.decided {
            Some(_) => actions.extend([Action::Apply, Action::ThrowAway]),
            None if self.apart => actions.extend(everything().map(|(user, command)| Action::Decide(user, command))),
            None => {}
        }
        actions.push(Action::Advance);
        let deadline = state.expected.next_deadline();
        let is_in_time = deadline.is_some_and(|deadline| state.now < deadline + LATENESS);
        let decided_at = state.decided.as_ref().map(|decided| decided.transition.at().as_millis());
        let is_fresh = decided_at.is_none_or(|at| state.now < at + LATENESS);
        // Where nothing will ever be due, time does nothing.
        if is_in_time && is_fresh {
            actions.push(Action::Tick);
        }
    }

    fn next_state(&self, state: &Self::State, action: Action) -> Option<Self::State> {
        let mut next = state.clone();
        match action {
            Action::Execute(user, command) => self.execute(&mut next, user, command),
            Action::Decide(user, command) => self.decide(&mut next, user, command)?,
            Action::Apply => self.apply(&mut next),
            Action::ThrowAway => next.decided = None,
            Action::Advance => self.advance(&mut next),
            Action::Tick => next.now += 1,
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::safety()
    }
}
