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
use presence_core::{Command, Duration, Instant, Policy, Presence};
use stateright::{Model, Property};
use std::hash::{Hash, Hasher};

/// The ids that sessions have: 0 to 2.
pub const IDS: usize = 3;

/// A user with room for so many sessions, under a policy that the library gets and the rules have as numbers.
#[derive(Clone, Debug)]
pub struct OneUser<const ROOM: usize> {
    pub policy: Policy,
    pub numbers: Numbers,
    /// The library's own, except to show that another is found.
    pub functions: &'static Functions<ROOM>,
    /// After so many commands nobody says anything any more; `None`: there is no end to it.
    pub commands: Option<u8>,
}

#[derive(Clone, Debug)]
pub struct State<const ROOM: usize> {
    pub user: Watched<ROOM>,
    pub person: Person<IDS>,
    pub now: u64,
    /// How many commands are still to come, if that is limited.
    pub commands: Option<u8>,
    pub broken: Broken,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Command(Command<u8>),
    /// A tick passes, and what is due is carried out.
    Tick,
}

/// Not at the beginning of time, so that there is a moment before.
const START: u64 = 100;

impl<const ROOM: usize> State<ROOM> {
    fn now(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// What tells it from others: everything that the library holds, and everything that the rules know of the future.
    fn identity(&self) -> impl Hash + PartialEq + use<ROOM> {
        let sessions = self.person.sessions.map(|session| {
            session.map(|one| (one.shown, one.said.ends() - self.now, one.fades_at().map(|at| at - self.now)))
        });
        let preferred = self.person.preferred.map(|(presence, until)| (presence, until - self.now));
        let absence = (!self.person.has_session()).then_some(self.person.absence);
        (without_counters(&self.user, self.now()), sessions, preferred, absence, self.commands, self.broken)
    }
}

impl<const ROOM: usize> Hash for State<ROOM> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.identity().hash(hasher);
    }
}

impl<const ROOM: usize> PartialEq for State<ROOM> {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl<const ROOM: usize> OneUser<ROOM> {
    /// Every duration of a range, none, and those just outside.
    fn durations(range: &std::ops::RangeInclusive<u64>) -> impl Iterator<Item = Option<Duration>> + use<ROOM> {
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

impl<const ROOM: usize> Model for OneUser<ROOM> {
    type State = State<ROOM>;
    type Action = Action;

    fn init_states(&self) -> Vec<State<ROOM>> {
        let (user, person) = (Watched::new(self.functions), Person::NEW);
        vec![State { user, person, now: START, commands: self.commands, broken: Broken::default() }]
    }

    /// Every command that is not refused, and time; those that are refused change nothing, which is a property (S7).
    fn actions(&self, state: &State<ROOM>, actions: &mut Vec<Action>) {
        if state.broken.any() {
            return;
        }
        if state.commands != Some(0) {
            let accepted =
                self.every_command().filter(|command| state.person.refusal(&self.numbers, ROOM, *command).is_none());
            actions.extend(accepted.map(Action::Command));
        }
        // With nothing stored time does nothing, and goes without saying.
        if state.user.next_deadline().is_some() || state.person.next_deadline().is_some() {
            actions.push(Action::Tick);
        }
    }

    fn next_state(&self, state: &State<ROOM>, action: Action) -> Option<State<ROOM>> {
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
