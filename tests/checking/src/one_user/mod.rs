//! One user with a few sessions: every presence, every lease, every moment. The properties are the rules that concern one
//! user, each by its number.

mod properties;
mod steps;
mod watched;

pub use steps::{event, same_sessions};
pub use watched::{Decision, Functions, Watched};

use crate::broken::Broken;
use crate::rules::{Numbers, Person};
use crate::stored::without_counters;
use presence_core::{Command, CommandError, Duration, Instant, Policy, Presence};
use stateright::{Model, Property};
use std::hash::{Hash, Hasher};

/// The ids that sessions have: 0 to 2.
pub const IDS: usize = 3;

/// A user of up to so many sessions, under a policy that the library gets and the rules have as numbers.
#[derive(Clone, Debug)]
pub struct OneUser<const SESSIONS: usize> {
    pub policy: Policy,
    pub numbers: Numbers,
    /// The policy of the application with the last id, if it has one of its own.
    pub own: Option<(Policy, Numbers)>,
    /// The library's own, except to show that another is found.
    pub functions: &'static Functions<SESSIONS>,
    /// The number of commands until silence; `None`: there is no end to them.
    pub commands: Option<u8>,
}

#[derive(Clone, Debug)]
pub struct State<const SESSIONS: usize> {
    pub user: Watched<SESSIONS>,
    pub person: Person<IDS>,
    pub now: u64,
    /// The number of commands still to come, if that is limited.
    pub commands: Option<u8>,
    pub broken: Broken,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Command(Command<u8>),
    /// A tick passes, and what is due is applied.
    Tick,
}

/// Not at the beginning of time, so that there is a moment before.
const START: u64 = 100;

impl<const SESSIONS: usize> State<SESSIONS> {
    fn now(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// Returns what distinguishes it from other states: everything that the library stores, and the future by the rules.
    fn identity(&self) -> impl Hash + PartialEq + use<SESSIONS> {
        let sessions = self.person.sessions.map(|session| {
            session.map(|one| (one.presence, one.said.ends() - self.now, one.fades_at().map(|at| at - self.now)))
        });
        let preferred = self.person.preferred.map(|(presence, until)| (presence, until - self.now));
        let absence = (!self.person.has_session()).then_some(self.person.absence);
        (without_counters(&self.user, self.now()), sessions, preferred, absence, self.commands, self.broken)
    }
}

impl<const SESSIONS: usize> Hash for State<SESSIONS> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.identity().hash(hasher);
    }
}

impl<const SESSIONS: usize> PartialEq for State<SESSIONS> {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl<const SESSIONS: usize> OneUser<SESSIONS> {
    /// Returns the policy that a command is decided under.
    fn policy_of(&self, command: Command<u8>) -> (&Policy, &Numbers) {
        match (&self.own, command) {
            (Some((policy, numbers)), Command::SetPresence { session, .. } | Command::ClearPresence { session })
                if usize::from(session) == IDS - 1 =>
            {
                (policy, numbers)
            }
            _ => (&self.policy, &self.numbers),
        }
    }

    /// Returns the error of a command by the rules, if it is rejected.
    fn error(&self, state: &State<SESSIONS>, command: Command<u8>) -> Option<CommandError> {
        state.person.error(self.policy_of(command).1, SESSIONS, command)
    }

    /// Every duration of a range, none, and those just outside.
    fn durations(range: &std::ops::RangeInclusive<u64>) -> impl Iterator<Item = Option<Duration>> + use<SESSIONS> {
        let asked = range.start() - 1..=range.end() + 1;
        std::iter::once(None).chain(asked.map(|ticks| Some(Duration::from_millis(ticks))))
    }

    /// Every command there is: every session, every presence, every duration.
    fn every_command(&self) -> impl Iterator<Item = Command<u8>> + '_ {
        let sessions = (0..IDS as u8).flat_map(move |session| {
            let set = Presence::ALL.into_iter().flat_map(move |presence| {
                Self::durations(&self.numbers.leases).map(move |lease| Command::SetPresence {
                    session,
                    presence,
                    lease,
                })
            });
            set.chain([Command::ClearPresence { session }])
        });
        let preferred = Presence::ALL.into_iter().flat_map(|presence| {
            let durations = Self::durations(&self.numbers.preferred_durations);
            durations.map(move |duration| Command::SetPreferredPresence { presence, duration })
        });
        sessions.chain(preferred).chain([Command::ClearPreferredPresence])
    }
}

impl<const SESSIONS: usize> Model for OneUser<SESSIONS> {
    type State = State<SESSIONS>;
    type Action = Action;

    fn init_states(&self) -> Vec<State<SESSIONS>> {
        let (user, person) = (Watched::new(self.functions), Person::NEW);
        vec![State { user, person, now: START, commands: self.commands, broken: Broken::default() }]
    }

    /// Every command that is not rejected, and time; rejected ones change nothing, which is a property (S7).
    fn actions(&self, state: &State<SESSIONS>, actions: &mut Vec<Action>) {
        if state.broken.any() {
            return;
        }
        if state.commands != Some(0) {
            let accepted = self.every_command().filter(|command| self.error(state, *command).is_none());
            actions.extend(accepted.map(Action::Command));
        }
        // With nothing stored time does nothing, and goes without saying.
        if state.user.next_deadline().is_some() || state.person.next_deadline().is_some() {
            actions.push(Action::Tick);
        }
    }

    fn next_state(&self, state: &State<SESSIONS>, action: Action) -> Option<State<SESSIONS>> {
        Some(match action {
            Action::Command(command) => self.command(state, command),
            Action::Tick => self.tick(state),
        })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = properties::safety();
        if self.commands.is_some() {
            properties.push(properties::silence());
        }
        properties
    }
}
