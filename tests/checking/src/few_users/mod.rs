//! A directory with a few users, each with one session, in as many places or fewer: commands, decisions that are applied
//! later, and time that is advanced late, call by call. The properties are the rules between users.

mod expected;
mod properties;
mod steps;
mod told;
mod watched;

pub use watched::{Functions, Small, Watched, Writer};

use crate::broken::Broken;
use crate::rules::Numbers;
use expected::{Expected, Vacancy};
use presence_core::{Command, Duration, Instant, Policy, Presence, Transition};
use stateright::{Model, Property};
use std::hash::{Hash, Hasher};

/// So many users, and places for so many of them.
#[derive(Clone, Debug)]
pub struct FewUsers<const USERS: usize, const PLACES: usize> {
    pub policy: Policy,
    pub numbers: Numbers,
    /// The library's own, except to show that another is found.
    pub functions: &'static Functions<PLACES>,
    /// Whether decisions are made and applied apart, with anything between them.
    pub apart: bool,
    pub commands: &'static [Command<u8>],
}

#[derive(Clone, Debug)]
pub struct State<const USERS: usize, const PLACES: usize> {
    directory: Watched<PLACES>,
    expected: Expected<USERS>,
    now: u64,
    /// What has been decided and not been applied yet.
    decided: Option<Decided>,
    /// Above every number that a forgotten user had.
    start: u64,
    broken: Broken,
}

/// A decision on its way through somebody's journal.
#[derive(Clone, Debug)]
struct Decided {
    user: u8,
    command: Command<u8>,
    transition: Transition<u8>,
    about: About,
}

/// What a decision was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// A user at a revision.
    User(u64),
    /// Somebody new, who was to have this place.
    Newcomer(Vacancy),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Execute(u8, Command<u8>),
    Decide(u8, Command<u8>),
    Apply,
    ThrowAway,
    /// One call of `advance`.
    Advance,
    /// A tick passes, and nobody advances.
    Tick,
}

/// Not at the beginning of time, so that there is a moment before.
const START: u64 = 100;

/// By how many ticks whatever is due may be late, and a decision on its way.
const LATENESS: u64 = 1;

/// What lies further back than anything that may still happen.
const LONG_AGO: u64 = LATENESS + 1;

const fn ticks(ticks: u64) -> Option<Duration> {
    Some(Duration::from_millis(ticks))
}

/// A lease that fades twice, a short one and a middling one; what is refused; and what is preferred.
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

/// Enough to come, to go and to be forgotten.
pub const COMING_AND_GOING: &[Command<u8>] = &[
    Command::SetPresence { session: 0, presence: Presence::Away, lease: ticks(1) },
    Command::ClearPresence { session: 0 },
];

impl<const USERS: usize, const PLACES: usize> State<USERS, PLACES> {
    fn now(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// Where the numbers of a newcomer start, as far as is known from those before.
    fn start_in(&self, room: Vacancy) -> u64 {
        match room {
            Vacancy::Unused => self.start,
            Vacancy::Evict(_, revision) => self.start.max(revision + 1),
        }
    }

    /// What tells it from others; see [`told`].
    fn identity(&self) -> impl Hash + PartialEq + use<USERS, PLACES> {
        let decided = self.decided.as_ref().map(|Decided { user, transition, about, .. }| {
            let revision_of = |user| self.expected.person(user).map(|person| person.revision);
            let still = match *about {
                About::User(revision) => (None, revision_of(*user) == Some(revision)),
                About::Newcomer(Vacancy::Unused) => (None, self.expected.vacancy() == Some(Vacancy::Unused)),
                About::Newcomer(Vacancy::Evict(old, revision)) => (Some(old), revision_of(old) == Some(revision)),
            };
            let against_start = self.expected.vacancy().map(|room| transition.revision().cmp(&self.start_in(room)));
            (*user, told::tell(transition, self.now, LONG_AGO), still, against_start)
        });
        // Which is greater of numbers that grow, where it matters; and what is left out where it does not.
        let people = std::array::from_fn::<_, USERS, _>(|id| {
            let person = self.expected.person(id as u8)?;
            // Only what is decided already may be applied in a place for which it was not meant.
            let against_start = self.decided.as_ref().map(|_| person.revision.cmp(&self.start));
            Some((against_start, (!person.has_session()).then_some(person.absence)))
        });
        let directory = told::tell(&*self.directory, self.now, LONG_AGO);
        (directory, self.expected.order(), people, decided, self.broken)
    }
}

impl<const USERS: usize, const PLACES: usize> Hash for State<USERS, PLACES> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.identity().hash(hasher);
    }
}

impl<const USERS: usize, const PLACES: usize> PartialEq for State<USERS, PLACES> {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl<const USERS: usize, const PLACES: usize> Model for FewUsers<USERS, PLACES> {
    type State = State<USERS, PLACES>;
    type Action = Action;

    fn init_states(&self) -> Vec<Self::State> {
        vec![State {
            directory: Watched::new(self.policy, self.functions),
            expected: Expected::new(PLACES),
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
